/*
 * judge_turn.c - each component's way from state to state.
 *
 * A component is judged again with each result and by one timer, which is set to the next moment at
 * which silence alone would change something. A change is on its way to the disk before it is
 * shown: until it is durable the component waits, then it is judged again. When the disk refuses,
 * the new state is shown all the same (never a good one that is not so), without an id, and is
 * written as soon as the disk takes it.
 */

#include <string.h>

#include "judge/judge_inside.h"

/* --- a change on its way ---------------------------------------------------------------------- */

struct change {
	struct change *next;
	struct judge *judge; /* NULL: it is gone */
	struct judged *c;    /* NULL: it was taken off the page */
	struct stored_verdict from;
	struct row_change row;
};

void verdict_fini(struct stored_verdict *s)
{
	free(s->component);
	free(s->text);
	free(s->root);
	free(s->maintenance);
	free(s->dissent);
}

static void verdict_copy(struct stored_verdict *to, const struct stored_verdict *from)
{
	*to = *from;
	to->v.component = to->component = mem_strdup(from->v.component);
	to->v.text = to->text = mem_strdup(from->v.text);
	to->v.root = to->root = mem_strdup(from->v.root);
	to->v.maintenance = to->maintenance = mem_strdup(from->v.maintenance);
	to->v.dissent = to->dissent = mem_strdup(from->v.dissent);
}

void verdict_set_maintenance(struct stored_verdict *s, const char *event)
{
	mem_replace(&s->maintenance, event);
	s->v.maintenance = s->maintenance;
}

static void change_free(struct change *ch)
{
	for (struct change **p = ch->judge ? &ch->judge->changes : NULL; p && *p; p = &(*p)->next)
		if (*p == ch) {
			*p = ch->next;
			break;
		}
	verdict_fini(&ch->from);
	verdict_fini(&ch->row.to);
	free(ch->row.evidence);
	free(ch->row.name);
	free(ch);
}

static bool write_change(struct facts_tx *tx, void *arg, struct error *err)
{
	struct change *ch = arg;
	return rows_write(tx, &ch->row, err);
}

static bool equal(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The seconds up to the change are the old state's. */
static void show(struct judged *c, const struct stored_verdict *to)
{
	const bool moved = c->now.v.health != to->v.health || !equal(c->now.v.root, to->v.root);
	if (c->now.v.health == HEALTH_OUTAGE && to->v.health != HEALTH_OUTAGE) {
		c->began_ms = c->now.v.since_ms;
		c->ended_ms = to->from_ms;
	}
	days_count(c, to->from_ms);
	verdict_fini(&c->now);
	verdict_copy(&c->now, to);
	days_count(c, judge_now_ms(c->judge));
	days_write(c);
	if (moved)
		depend_changed(c);
}

static void change_written(void *arg, const struct error *err)
{
	struct change *ch = arg;
	struct judged *c = ch->c;
	struct judge *j = ch->judge;
	if (c) {
		c->change = NULL;
		ch->row.to.v.id = err ? 0 : ch->row.id;
		c->unwritten = err != NULL;
		show(c, &ch->row.to);
	}
	if (j && c && !err && j->changed)
		j->changed(j->arg, &ch->from.v, &ch->row.to.v);
	else if (j && c && err && j->options.refused && ch->from.v.health != ch->row.to.v.health)
		j->options.refused(j->arg, &ch->row.to.v);
	/* `changed` may have taken it off the page: that clears ch->c */
	if (ch->judge && ch->c && !err)
		judge_again(ch->c);
	change_free(ch);
}

static void begin_change(
	struct judged *c, const struct decision *d, int64_t from_ms, int64_t now_ms)
{
	const bool same = c->now.v.health == d->health && (c->now.v.id || c->unwritten);
	struct judge *j = c->judge;
	struct change *ch = mem_new(struct change);
	struct stored_verdict *to = &ch->row.to;
	ch->judge = j;
	ch->c = c;
	verdict_copy(&ch->from, &c->now);
	to->v = (struct verdict){.health = d->health,
		.since_ms = same ? c->now.v.since_ms : from_ms,
		.rule = d->rule};
	to->from_ms = from_ms;
	to->v.evidence_ms = d->evidence_ms ? d->evidence_ms : c->now.v.evidence_ms;
	to->fresh_ms = d->fresh_ms;
	to->v.component = to->component = mem_strdup(c->id);
	to->v.text = to->text = judge_text(c, d, now_ms);
	verdict_set_maintenance(to, d->maintenance);
	to->v.root = to->root = mem_strdup(d->root);
	to->v.flapping = d->flapping;
	to->v.dissent = to->dissent = quorum_dissent(c, now_ms);
	ch->row.name = mem_strdup(c->name);
	ch->row.evidence = evidence_text(c, d, c->now.v.health, now_ms);
	ch->next = j->changes;
	j->changes = ch;
	c->change = ch;
	facts_submit(j->facts, write_change, ch, change_written);
}

/* --- judging ---------------------------------------------------------------------------------- */

/* The state stays; what it rests on is newer, and may be another thing. */
static void renew(struct judged *c, const struct decision *d, int64_t now_ms)
{
	struct stored_verdict *s = &c->now;
	if (d->decided) {
		s->v.stored = false;
		s->fresh_ms = d->fresh_ms;
	}
	if (d->evidence_ms > s->v.evidence_ms)
		s->v.evidence_ms = d->evidence_ms;
	free(s->dissent);
	s->v.dissent = s->dissent = quorum_dissent(c, now_ms);
	if (!d->decided && !strcmp(s->v.rule, d->rule))
		return;
	char *text = judge_text(c, d, now_ms);
	free(s->text);
	s->v.text = s->text = text;
	s->v.rule = d->rule;
}

/* Of the probes of a cloud; "": of all. */
static int64_t longest_ms(const struct judge *j, const char *cloud)
{
	const size_t n = strlen(cloud);
	int64_t longest = 0;
	MAP_EACH (&j->expected, e) {
		const struct expected *x = e->value;
		const int64_t span = 3 * x->every_ms + x->timeout_ms;
		const bool its = !n || (!strncmp(e->key, cloud, n) && e->key[n] == '\n');
		if (its && span > longest)
			longest = span;
	}
	return longest;
}

/* For a component of which nothing was ever heard: when its probes should have reported. */
static int64_t expected_by_ms(const struct judged *c)
{
	struct judge *j = c->judge;
	int64_t *longest = map_get(&j->longest, c->cloud);
	if (!longest) {
		longest = mem_new(int64_t);
		*longest = longest_ms(j, c->cloud);
		map_put(&j->longest, c->cloud, longest);
	}
	return *longest ? c->added_ms + *longest : INT64_MAX - 1;
}

/* Until when the state it is in stands although nothing speaks for it. */
static int64_t stands_until_ms(const struct judged *c)
{
	return c->now.v.id || c->unwritten ? c->now.fresh_ms : expected_by_ms(c);
}

static int rank(enum health h)
{
	static const int order[] = {[HEALTH_OPERATIONAL] = 0,
		[HEALTH_MAINTENANCE] = 0,
		[HEALTH_UNKNOWN] = 1,
		[HEALTH_DEGRADED] = 2,
		[HEALTH_OUTAGE] = 3};
	return order[h];
}

/* Sources recover one after the other. An outage that seems to become a degradation is said to be
 * one only when it has stood for the shortest time of a state, so that recovery is told once. */
static bool has_settled(struct judged *c, const struct decision *d, int64_t now_ms)
{
	const bool partial =
		d->decided && c->flap.raw == HEALTH_OUTAGE && d->health == HEALTH_DEGRADED;
	if (!partial)
		c->better_ms = 0;
	else if (!c->better_ms)
		c->better_ms = now_ms;
	return !partial || now_ms >= c->better_ms + judge_minimum_ms(c->judge);
}

/* What explains a state that is not well is a fact of its own: nobody is told of an outage within
 * declared work, but of one that outlasts it. */
static bool same_cause(const struct judged *c, const struct decision *d)
{
	const struct verdict *v = &c->now.v;
	return v->flapping == d->flapping &&
	       (d->health == HEALTH_OPERATIONAL ||
		       (equal(v->maintenance, d->maintenance) && equal(v->root, d->root)));
}

static bool is_news(const struct judged *c, const struct decision *d)
{
	return d->health != c->now.v.health || (!c->now.v.id && !c->unwritten) || !same_cause(c, d);
}

/* What is known of it now; false: nothing, and what is shown stands for a while. */
static bool look(const struct judged *c, struct decision *d, int64_t now_ms)
{
	*d = judge_decide(c, now_ms);
	d->maintenance = window_at(c, now_ms);
	if (d->decided)
		return true;
	if (now_ms <= stands_until_ms(c))
		return false;
	d->rule = c->judge->blind ? "blind" : "stale";
	return true;
}

/* Blind, nothing gets worse than it is. */
static bool is_frozen(const struct judged *c, const struct decision *d)
{
	return c->judge->blind && rank(d->health) > rank(c->flap.raw) &&
	       d->health != HEALTH_UNKNOWN;
}

static void explain(const struct judged *c, struct decision *d, int64_t now_ms)
{
	d->root = depend_root(c, d, now_ms);
	if (!d->root)
		return;
	d->own_rule = d->rule;
	d->rule = "follows";
}

static void on_due(struct timer *t)
{
	judge_again(t->arg);
}

/* Nearly everything that is heard is one more good answer of a good component. It makes what is
 * known of that newer and nothing else, whatever the others say: to look at all of them each time
 * would cost their number squared. The timer stays: it comes early at worst. */
bool judge_still_good(struct judged *c, const struct source *s, int64_t now_ms)
{
	struct stored_verdict *v = &c->now;
	if (c->change || c->unwritten || c->better_ms || c->judge->blind || v->v.stored ||
		v->v.health != HEALTH_OPERATIONAL || strcmp(v->v.rule, "good") != 0 ||
		now_ms > v->fresh_ms || !timer_running(&c->due))
		return false;
	const int64_t until = source_fresh_until_ms(s);
	if (until > v->fresh_ms)
		v->fresh_ms = until;
	if (s->now.last_ms > v->v.evidence_ms)
		v->v.evidence_ms = s->now.last_ms;
	return true;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void wake_for(struct judged *c, int64_t now_ms)
{
	int64_t next = INT64_MAX;
	const int64_t stands = stands_until_ms(c) + 1;
	MAP_EACH (&c->sources, e)
		next = sooner(next, source_next_ms(e->value, now_ms));
	next = sooner(next, told_next_ms(c, now_ms));
	next = sooner(next, window_next_ms(c, now_ms));
	if (stands > now_ms && stands < next)
		next = stands;
	const int64_t settled = c->better_ms + judge_minimum_ms(c->judge);
	if (c->better_ms && settled > now_ms)
		next = sooner(next, settled);
	if (flap_ends_ms(c) > now_ms)
		next = sooner(next, flap_ends_ms(c));
	timer_cancel(&c->due);
	if (next < INT64_MAX / NS_PER_MS)
		timer_start(c->judge->loop, &c->due, (next - now_ms) * NS_PER_MS, on_due, c);
}

void judge_again(struct judged *c)
{
	const int64_t now_ms = judge_now_ms(c->judge);
	struct decision d;
	if (c->change)
		return;
	if (look(c, &d, now_ms) && !is_frozen(c, &d)) {
		const bool settled = has_settled(c, &d, now_ms);
		if (settled) {
			flap_see(c, &d, now_ms);
			flap_apply(c, &d, now_ms);
		}
		explain(c, &d, now_ms);
		if (settled && is_news(c, &d))
			begin_change(c, &d, now_ms, now_ms);
		else
			renew(c, &d, now_ms);
	}
	const bool no_fact =
		c->now.v.health == HEALTH_OPERATIONAL || !(c->now.v.id || c->unwritten);
	if (!c->change && no_fact)
		verdict_set_maintenance(&c->now, d.maintenance);
	wake_for(c, now_ms);
}

/* A stored verdict that is stale already changes at once, but never from inside the call. */
void judge_soon(struct judged *c)
{
	timer_start(c->judge->loop, &c->due, 0, on_due, c);
}

void turn_retry(struct judged *c)
{
	const int64_t now_ms = judge_now_ms(c->judge), from_ms = c->now.from_ms;
	if (!c->unwritten || c->change)
		return;
	struct decision d;
	if (!look(c, &d, now_ms))
		return;
	flap_apply(c, &d, now_ms);
	explain(c, &d, now_ms);
	/* in this state for longer than the disk knows */
	const bool same = d.health == c->now.v.health && same_cause(c, &d);
	begin_change(c, &d, same ? from_ms : now_ms, now_ms);
}

void turn_forget(struct judged *c)
{
	if (c->change)
		c->change->c = NULL;
}

void turn_end(struct judge *j)
{
	for (struct change *ch = j->changes; ch; ch = ch->next)
		ch->judge = NULL;
}

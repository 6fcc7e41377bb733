/*
 * judge.c - what there is to judge, and each component's way from state to state; see judge.h.
 *
 * A component is judged again with each result and by one timer, which is set to the next moment at
 * which silence alone would change something. A change is on its way to the disk before it is
 * shown: until it is durable the component waits, then it is judged again. When the disk refuses,
 * the new state is shown all the same (never a good one that is not so), without an id, and is
 * written as soon as the disk takes it.
 */

#include "judge/judge.h"

#include <assert.h>
#include <string.h>

#include "judge/judge_inside.h"

#define TICK_NS    NS_PER_S
#define CONFIRM    2
#define MINIMUM_NS (60 * NS_PER_S)

int64_t judge_now_ms(const struct judge *j)
{
	return clock_unix_us(loop_clock(j->loop)) / 1000;
}

/* --- a change on its way ---------------------------------------------------------------------- */

struct change {
	struct change *next;
	struct judge *judge; /* NULL: it is gone */
	struct judged *c;    /* NULL: it was taken off the page */
	struct stored_verdict from;
	struct row_change row;
};

static void judge_again(struct judged *c);

static void verdict_fini(struct stored_verdict *s)
{
	free(s->component);
	free(s->text);
}

static void verdict_copy(struct stored_verdict *to, const struct stored_verdict *from)
{
	*to = *from;
	to->v.component = to->component = mem_strdup(from->v.component);
	to->v.text = to->text = mem_strdup(from->v.text);
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

/* The seconds up to the change are the old state's. */
static void show(struct judged *c, const struct stored_verdict *to)
{
	days_count(c, to->v.since_ms);
	verdict_fini(&c->now);
	verdict_copy(&c->now, to);
	days_count(c, judge_now_ms(c->judge));
	days_write(c);
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
	/* `changed` may have taken it off the page: that clears ch->c */
	if (ch->judge && ch->c && !err)
		judge_again(ch->c);
	change_free(ch);
}

static void begin_change(struct judged *c, const struct decision *d, int64_t now_ms)
{
	struct judge *j = c->judge;
	struct change *ch = mem_new(struct change);
	struct stored_verdict *to = &ch->row.to;
	ch->judge = j;
	ch->c = c;
	verdict_copy(&ch->from, &c->now);
	to->v = (struct verdict){.health = d->health, .since_ms = now_ms, .rule = d->rule};
	to->v.evidence_ms = d->evidence_ms ? d->evidence_ms : c->now.v.evidence_ms;
	to->fresh_ms = d->fresh_ms;
	to->v.component = to->component = mem_strdup(c->id);
	to->v.text = to->text = judge_text(c, d, now_ms);
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
	if (!d->decided && !strcmp(s->v.rule, d->rule))
		return;
	char *text = judge_text(c, d, now_ms);
	free(s->text);
	s->v.text = s->text = text;
	s->v.rule = d->rule;
}

/* For a component of which nothing was ever heard: when its probes should have reported. */
static int64_t expected_by_ms(const struct judged *c)
{
	int64_t longest = 0;
	MAP_EACH (&c->judge->expected, e) {
		const struct expected *x = e->value;
		const size_t n = strlen(c->cloud);
		const int64_t span = 3 * x->every_ms + x->timeout_ms;
		const bool its = !n || (!strncmp(e->key, c->cloud, n) && e->key[n] == '\n');
		if (its && span > longest)
			longest = span;
	}
	return longest ? c->added_ms + longest : INT64_MAX - 1;
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

/* Whether the state must change to what the sources say. Blind, nothing gets worse than it is. */
static bool must_change(const struct judged *c, struct decision *d, int64_t now_ms)
{
	const enum health is = c->now.v.health;
	if (!d->decided) {
		if (now_ms <= stands_until_ms(c))
			return false;
		d->rule = c->judge->blind ? "blind" : "stale";
	}
	if (c->judge->blind && rank(d->health) > rank(is) && d->health != HEALTH_UNKNOWN)
		return false;
	return d->health != is || (!c->now.v.id && !c->unwritten);
}

static void on_due(struct timer *t)
{
	judge_again(t->arg);
}

static void wake_for(struct judged *c, int64_t now_ms)
{
	int64_t next = INT64_MAX;
	const int64_t stands = stands_until_ms(c) + 1;
	MAP_EACH (&c->sources, e) {
		const int64_t at = source_next_ms(e->value, now_ms);
		if (at < next)
			next = at;
	}
	if (stands > now_ms && stands < next)
		next = stands;
	timer_cancel(&c->due);
	if (next < INT64_MAX / NS_PER_MS)
		timer_start(c->judge->loop, &c->due, (next - now_ms) * NS_PER_MS, on_due, c);
}

static void judge_again(struct judged *c)
{
	const int64_t now_ms = judge_now_ms(c->judge);
	if (c->change)
		return;
	struct decision d = judge_decide(c, now_ms);
	const bool frozen = c->judge->blind && d.decided &&
			    rank(d.health) > rank(c->now.v.health) && d.health != HEALTH_UNKNOWN;
	if (must_change(c, &d, now_ms))
		begin_change(c, &d, now_ms);
	else if (!frozen && (d.decided || now_ms > stands_until_ms(c)))
		renew(c, &d, now_ms);
	wake_for(c, now_ms);
}

/* --- components ------------------------------------------------------------------------------- */

static void name_component(struct judged *j, const struct component *c)
{
	mem_replace(&j->name, c->name);
	mem_replace(&j->category, c->category ? c->category : "");
	mem_replace(&j->cloud, c->cloud ? c->cloud : "");
	mem_replace(&j->region, c->region ? c->region : "");
	j->shown = (struct component){j->id, j->name, j->category, j->cloud, j->region};
}

static void sort_in(struct judge *j, struct judged *c)
{
	size_t at = 0;
	while (at < j->components.n) {
		const struct judged *o = j->components.p[at];
		const int by = strcmp(o->category, c->category);
		if (by > 0 || (by == 0 && o->order > c->order))
			break;
		at++;
	}
	vec_push(&j->components, c);
	memmove(j->components.p + at + 1, j->components.p + at,
		(j->components.n - 1 - at) * sizeof(struct judged *));
	j->components.p[at] = c;
}

static void sort_out(struct judge *j, const struct judged *c)
{
	for (size_t i = 0; i < j->components.n; i++)
		if (j->components.p[i] == c) {
			vec_remove(&j->components, i);
			return;
		}
}

static void never_judged(struct judged *c)
{
	struct stored_verdict *s = &c->now;
	mem_replace(&s->text, "nothing has been observed yet");
	s->v = (struct verdict){.component = s->v.component,
		.health = HEALTH_UNKNOWN,
		.since_ms = c->added_ms,
		.rule = "never",
		.text = s->text};
	s->fresh_ms = 0;
}

static struct judged *judged_new(struct judge *j, const struct component *given)
{
	struct judged *c = mem_new(struct judged);
	struct error err = {0};
	c->judge = j;
	c->id = mem_strdup(given->id);
	c->order = ++j->order;
	c->added_ms = judge_now_ms(j);
	name_component(c, given);
	c->now.v.component = c->now.component = mem_strdup(given->id);
	never_judged(c);
	if (!rows_read(j, c, &err))
		never_judged(c);
	return c;
}

void judge_component(struct judge *j, const struct component *given)
{
	struct judged *c = map_get(&j->by_id, given->id);
	if (c) {
		name_component(c, given);
		sort_out(j, c);
		sort_in(j, c);
		return;
	}
	c = judged_new(j, given);
	map_put(&j->by_id, c->id, c);
	sort_in(j, c);
	days_open(c);
	/* a stored verdict that is stale already changes at once, but never from inside this call
	 */
	timer_start(j->loop, &c->due, 0, on_due, c);
}

static void judged_free(struct judged *c)
{
	timer_cancel(&c->due);
	days_close(c);
	if (c->change)
		c->change->c = NULL;
	MAP_EACH (&c->sources, e)
		source_free(e->value);
	map_fini(&c->sources);
	verdict_fini(&c->now);
	free(c->id);
	free(c->name);
	free(c->category);
	free(c->cloud);
	free(c->region);
	free(c);
}

void judge_component_remove(struct judge *j, const char *id)
{
	struct judged *c = map_remove(&j->by_id, id);
	if (!c)
		return;
	sort_out(j, c);
	rows_write_end(j, c->id, judge_now_ms(j));
	judged_free(c);
}

/* --- probes ----------------------------------------------------------------------------------- */

static char *probe_key(const char *cloud, const char *probe)
{
	return mem_printf("%s\n%s", cloud ? cloud : "", probe);
}

static bool is_of(const struct source *s, const char *cloud, const char *probe)
{
	return !strcmp(s->cloud, cloud ? cloud : "") && !strcmp(s->probe, probe);
}

static void pace(const struct judge *j, struct source *s, const struct expected *x)
{
	source_pace(s, x->every_ms, x->timeout_ms,
		x->every_ms >= JUDGE_RARE_MS ? 1 : j->options.confirm);
}

void judge_expect(
	struct judge *j, const char *cloud, const char *probe, int64_t every_ns, int64_t timeout_ns)
{
	char *key = probe_key(cloud, probe);
	struct expected *x = map_get(&j->expected, key);
	if (!x) {
		x = mem_new(struct expected);
		map_put(&j->expected, key, x);
	}
	free(key);
	*x = (struct expected){every_ns / NS_PER_MS, timeout_ns / NS_PER_MS};
	VEC_EACH (&j->components, struct judged *, c) {
		MAP_EACH (&(*c)->sources, e)
			if (is_of(e->value, cloud, probe))
				pace(j, e->value, x);
		judge_again(*c);
	}
}

void judge_unexpect(struct judge *j, const char *cloud, const char *probe)
{
	char *key = probe_key(cloud, probe);
	free(map_remove(&j->expected, key));
	free(key);
	VEC_EACH (&j->components, struct judged *, c) {
		MAP_EACH (&(*c)->sources, e)
			if (is_of(e->value, cloud, probe))
				source_free(map_remove(&(*c)->sources, e->key));
		judge_again(*c);
	}
}

/* --- what happens ----------------------------------------------------------------------------- */

static void drop_stalest(struct judged *c)
{
	const struct source *stalest = NULL;
	char *key = NULL;
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		if (stalest && source_fresh_until_ms(s) >= source_fresh_until_ms(stalest))
			continue;
		stalest = s;
		key = e->key;
	}
	if (key)
		source_free(map_remove(&c->sources, key));
}

static struct source *source_of(
	struct judged *c, const struct observation *o, const struct expected *x)
{
	char *key = mem_printf(
		"%s\n%s\n%s", o->cloud ? o->cloud : "", o->probe, o->step ? o->step : "");
	struct source *s = map_get(&c->sources, key);
	if (!s) {
		if (c->sources.n >= JUDGE_SOURCES_MAX)
			drop_stalest(c);
		s = source_new(o->cloud ? o->cloud : "", o->probe, o->step);
		s->minimum_ms = c->judge->options.minimum_ns / NS_PER_MS;
		s->quick = (!c->now.v.id && !c->unwritten) || c->now.v.health == HEALTH_OPERATIONAL;
		pace(c->judge, s, x);
		map_put(&c->sources, key, s);
	}
	free(key);
	return s;
}

void judge_take(struct judge *j, const struct observation *o)
{
	struct judged *c = o->component ? map_get(&j->by_id, o->component) : NULL;
	char *key = probe_key(o->cloud, o->probe);
	const struct expected *x = map_get(&j->expected, key);
	free(key);
	if (!c || !x)
		return;
	source_take(source_of(c, o, x), o, judge_now_ms(j), j->blind);
	judge_again(c);
}

void judge_blind(struct judge *j, bool blind, const char *why)
{
	const bool begins = blind && !j->blind;
	j->blind = blind;
	mem_replace(&j->why_blind, blind ? why : NULL);
	VEC_EACH (&j->components, struct judged *, c) {
		if (begins)
			MAP_EACH (&(*c)->sources, e)
				source_mute(e->value);
		judge_again(*c);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void retry_unwritten(struct judged *c)
{
	const int64_t now_ms = judge_now_ms(c->judge);
	if (!c->unwritten || c->change)
		return;
	const struct decision d = judge_decide(c, now_ms);
	begin_change(c, &d, now_ms);
}

static void beat(struct judge *j, int64_t now_ms)
{
	j->beat_ms = now_ms;
	VEC_EACH (&j->components, struct judged *, c) {
		days_load(*c);
		days_count(*c, now_ms);
		days_write(*c);
		retry_unwritten(*c);
	}
	rows_beat(j, now_ms);
}

/* The machine slept, or its clock was set: what is in between was not observed. */
static void jumped(struct judge *j, int64_t now_ms)
{
	const int64_t last_ms = j->tick_ms;
	j->beat_ms = now_ms;
	VEC_EACH (&j->components, struct judged *, c) {
		days_count(*c, last_ms);
		days_skip(*c, now_ms);
	}
	rows_beat(j, last_ms);
	j->span_from_ms = now_ms;
	rows_beat(j, now_ms);
	VEC_EACH (&j->components, struct judged *, c)
		judge_again(*c);
}

static void on_tick(struct timer *t)
{
	struct judge *j = t->arg;
	const int64_t now_ms = judge_now_ms(j), passed = now_ms - j->tick_ms;
	if (passed > JUDGE_JUMP_MS || passed < -JUDGE_JUMP_MS)
		jumped(j, now_ms);
	else if (now_ms - j->beat_ms >= JUDGE_BEAT_MS || now_ms < j->beat_ms)
		beat(j, now_ms);
	j->tick_ms = now_ms;
	timer_start(j->loop, &j->tick, TICK_NS, on_tick, j);
}

/* --- life ------------------------------------------------------------------------------------- */

struct judge *judge_new(struct loop *l, struct facts *f, struct series_store *series,
	const struct judge_options *options, judge_changed *changed, void *arg, struct error *err)
{
	struct judge *j = mem_new(struct judge);
	j->loop = l;
	j->facts = f;
	j->series = series;
	if (options)
		j->options = *options;
	if (!j->options.confirm)
		j->options.confirm = CONFIRM;
	if (!j->options.minimum_ns)
		j->options.minimum_ns = MINIMUM_NS;
	j->changed = changed;
	j->arg = arg;
	j->tick_ms = j->beat_ms = j->span_from_ms = judge_now_ms(j);
	if (!rows_open(j, err)) {
		free(j);
		return NULL;
	}
	timer_start(l, &j->tick, TICK_NS, on_tick, j);
	return j;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	timer_cancel(&j->tick);
	rows_beat(j, judge_now_ms(j));
	for (struct change *ch = j->changes; ch; ch = ch->next)
		ch->judge = NULL;
	VEC_EACH (&j->components, struct judged *, c)
		judged_free(*c);
	vec_fini(&j->components);
	MAP_EACH (&j->expected, e)
		free(e->value);
	map_fini(&j->expected);
	map_fini(&j->by_id);
	free(j->why_blind);
	free(j);
}

/* --- what it says ----------------------------------------------------------------------------- */

size_t judge_component_count(const struct judge *j)
{
	return j->components.n;
}

const struct component *judge_component_at(const struct judge *j, size_t i)
{
	assert(i < j->components.n);
	return &j->components.p[i]->shown;
}

const struct verdict *judge_verdict(const struct judge *j, const char *component)
{
	const struct judged *c = map_get(&j->by_id, component);
	return c ? &c->now.v : NULL;
}

bool judge_is_blind(const struct judge *j, const char **ret_why)
{
	if (ret_why)
		*ret_why = j->why_blind;
	return j->blind;
}

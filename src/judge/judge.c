/*
 * judge.c - what there is to judge, what reports, and the time in which we observe; see judge.h.
 *
 * How a component goes from state to state is judge_turn.c.
 */

#include "judge/judge.h"

#include <assert.h>
#include <string.h>

#include "judge/judge_inside.h"

#define TICK_NS        NS_PER_S
#define CONFIRM        2
#define MINIMUM_NS     (60 * NS_PER_S)
#define FLAP_WITHIN_NS (1800 * NS_PER_S)
#define FLAP_QUIET_NS  (600 * NS_PER_S)

int64_t judge_now_ms(const struct judge *j)
{
	return clock_unix_us(loop_clock(j->loop)) / 1000;
}

int64_t judge_minimum_ms(const struct judge *j)
{
	return j->options.minimum_ns / NS_PER_MS;
}

static void on_later(struct timer *t)
{
	struct judge *j = t->arg;
	VEC_EACH (&j->components, struct judged *, c) {
		const bool later = (*c)->later;
		(*c)->later = false;
		if (later)
			judge_again(*c);
	}
}

void judge_later(struct judged *c)
{
	struct judge *j = c->judge;
	c->later = true;
	if (!timer_running(&j->later))
		timer_start(j->loop, &j->later, 0, on_later, j);
}

/* --- components ------------------------------------------------------------------------------- */

static const char *or_none(const char *text)
{
	return text ? text : "";
}

static bool same_names(const struct component *a, const struct component *b)
{
	return !strcmp(a->name, b->name) && !strcmp(a->category, or_none(b->category)) &&
	       !strcmp(a->cloud, or_none(b->cloud)) && !strcmp(a->region, or_none(b->region));
}

static void name_component(struct judged *j, const struct component *c)
{
	mem_replace(&j->name, c->name);
	mem_replace(&j->category, or_none(c->category));
	mem_replace(&j->cloud, or_none(c->cloud));
	mem_replace(&j->region, or_none(c->region));
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
	s->from_ms = c->added_ms;
	s->v = (struct verdict){.component = s->v.component,
		.health = HEALTH_UNKNOWN,
		.since_ms = c->added_ms,
		.rule = "never",
		.text = s->text};
	s->fresh_ms = 0;
	c->flap.raw = HEALTH_UNKNOWN;
}

static struct judged *judged_new(struct judge *j, const struct component *given)
{
	struct judged *c = mem_new(struct judged);
	struct error err = {0};
	c->judge = j;
	c->sources = MAP_BORROWING;
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
		if (same_names(&c->shown, given))
			return;
		name_component(c, given);
		known_write(j, &c->shown);
		sort_out(j, c);
		sort_in(j, c);
		return;
	}
	c = judged_new(j, given);
	map_put(&j->by_id, c->id, c);
	sort_in(j, c);
	known_write(j, &c->shown);
	days_open(c);
	/* a stored verdict that is stale already changes at once, but never from inside this call
	 */
	judge_soon(c);
}

static void judged_free(struct judged *c)
{
	timer_cancel(&c->due);
	days_close(c);
	turn_forget(c);
	take_forget(c);
	MAP_EACH (&c->told, e)
		statement_free(e->value);
	map_fini(&c->told);
	vec_fini(&c->flap.changes);
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
	known_forget(j, c->id);
	judged_free(c);
}

/* --- what happens ----------------------------------------------------------------------------- */

void judge_blind(struct judge *j, bool blind, const char *why)
{
	const bool begins = blind && !j->blind;
	if (j->blind)
		given_blind(j, true);
	j->blind = blind;
	mem_replace(&j->why_blind, blind ? why : NULL);
	if (blind)
		given_blind(j, false);
	VEC_EACH (&j->components, struct judged *, c) {
		if (begins)
			MAP_EACH (&(*c)->sources, e)
				source_mute(e->value);
		judge_again(*c);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void beat(struct judge *j, int64_t now_ms)
{
	j->beat_ms = now_ms;
	VEC_EACH (&j->components, struct judged *, c) {
		days_load(*c);
		days_count(*c, now_ms);
		days_write(*c);
		turn_retry(*c);
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
	else
		rows_observed(j, now_ms);
	j->tick_ms = now_ms;
	places_tick(j, now_ms);
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
	j->expected = MAP_BORROWING;
	if (options)
		j->options = *options;
	if (!j->options.confirm)
		j->options.confirm = CONFIRM;
	if (!j->options.minimum_ns)
		j->options.minimum_ns = MINIMUM_NS;
	if (!j->options.flap_within_ns)
		j->options.flap_within_ns = FLAP_WITHIN_NS;
	if (!j->options.flap_quiet_ns)
		j->options.flap_quiet_ns = FLAP_QUIET_NS;
	j->changed = changed;
	j->arg = arg;
	j->tick_ms = j->beat_ms = j->span_from_ms = judge_now_ms(j);
	if (!rows_open(j, err) || !given_open(j, err)) {
		free(j);
		return NULL;
	}
	timer_start(l, &j->tick, TICK_NS, on_tick, j);
	if (known_read(j, err))
		return j;
	judge_free(j);
	return NULL;
}

void judge_free(struct judge *j)
{
	if (!j)
		return;
	timer_cancel(&j->tick);
	timer_cancel(&j->later);
	rows_beat(j, judge_now_ms(j));
	turn_end(j);
	VEC_EACH (&j->components, struct judged *, c)
		judged_free(*c);
	vec_fini(&j->components);
	take_end(j);
	places_end(j);
	map_fini(&j->by_id);
	windows_end(j);
	depend_end(j);
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

bool judge_is_writing(const struct judge *j)
{
	return j->changes != NULL;
}

bool judge_is_blind(const struct judge *j, const char **ret_why)
{
	if (ret_why)
		*ret_why = j->why_blind;
	return j->blind;
}

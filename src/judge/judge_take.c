/*
 * judge_take.c - which probes report, and their results, each to its source.
 */

#include <string.h>

#include "judge/judge_inside.h"

/* --- what is expected ---------------------------------------------------------------------------
 */

static char *probe_key(const char *cloud, const char *probe, const char *location)
{
	return mem_printf("%s\n%s\n%s", cloud ? cloud : "", probe, location ? location : "");
}

static void expected_free(struct expected *x)
{
	if (x->place)
		x->place->expected--;
	free(x);
}

static void join(struct expected *x, struct source *s)
{
	s->expected = x;
	s->beside = x->sources;
	s->held = &x->sources;
	if (s->beside)
		s->beside->held = &s->beside;
	x->sources = s;
}

/* NULL is fine. However many there are of the same, it costs the same. */
static void source_gone(struct source *s)
{
	if (!s)
		return;
	*s->held = s->beside;
	if (s->beside)
		s->beside->held = s->held;
	place_left(s);
	source_free(s);
}

static unsigned confirm_of(const struct judge *j, int64_t every_ms)
{
	return every_ms >= JUDGE_RARE_MS ? 1 : j->options.confirm;
}

static void pace(const struct judge *j, struct source *s, const struct expected *x)
{
	source_pace(s, x->every_ms, x->timeout_ms, confirm_of(j, x->every_ms));
}

static void forget_longest(struct judge *j)
{
	MAP_EACH (&j->longest, e)
		free(e->value);
	map_fini(&j->longest);
}

/* What is expected is other now: components of which nothing was ever heard wait for it. */
static void expect_anew(struct judge *j)
{
	forget_longest(j);
	VEC_EACH (&j->components, struct judged *, c)
		if (!(*c)->now.v.id)
			judge_later(*c);
}

static void set_pace(struct judge *j, const struct judge_probe *p, struct expected *x,
	int64_t every_ms, int64_t timeout_ms)
{
	if (x->every_ms == every_ms && x->timeout_ms == timeout_ms)
		return;
	if (x->every_ms)
		given_pace(j, p, x, true);
	x->every_ms = every_ms;
	x->timeout_ms = timeout_ms;
	given_pace(j, p, x, false);
}

static struct expected *expected_new(struct judge *j, const char *key, const char *location)
{
	const size_t n = strlen(key) + 1;
	struct expected *x = mem_new_array(1, sizeof(*x) + n);
	memcpy(x->key, key, n);
	x->place = place_of(j, location ? location : "");
	if (x->place)
		x->place->expected++;
	return x;
}

void judge_expect(struct judge *j, const struct judge_probe *p)
{
	char *key = probe_key(p->cloud, p->probe, p->location);
	const int64_t every_ms = p->every_ns / NS_PER_MS, timeout_ms = p->timeout_ns / NS_PER_MS;
	struct expected *x = map_get(&j->expected, key);
	if (!x) {
		x = expected_new(j, key, p->location);
		map_put(&j->expected, x->key, x);
	}
	free(key);
	if (x->place && (x->every_ms != every_ms || x->timeout_ms != timeout_ms))
		place_awaits(x->place, judge_now_ms(j),
			source_lasts_ms(every_ms, timeout_ms, confirm_of(j, every_ms)));
	set_pace(j, p, x, every_ms, timeout_ms);
	for (struct source *s = x->sources; s; s = s->beside) {
		pace(j, s, x);
		judge_later(s->component);
	}
	expect_anew(j);
}

void judge_unexpect(struct judge *j, const struct judge_probe *p)
{
	char *key = probe_key(p->cloud, p->probe, p->location);
	struct expected *x = map_remove(&j->expected, key);
	free(key);
	if (!x)
		return;
	given_pace(j, p, x, true);
	while (x->sources) {
		struct judged *c = x->sources->component;
		source_gone(map_remove(&c->sources, x->sources->key));
		judge_later(c);
	}
	expected_free(x);
	expect_anew(j);
}

/* --- what happens ----------------------------------------------------------------------------- */

static void drop_stalest(struct judged *c)
{
	const struct source *stalest = NULL;
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		if (!stalest || source_fresh_until_ms(s) < source_fresh_until_ms(stalest))
			stalest = s;
	}
	if (stalest)
		source_gone(map_remove(&c->sources, stalest->key));
}

static struct source *source_of(struct judged *c, const struct observation *o, struct expected *x)
{
	char *key = judge_source_key(o->cloud, o->probe, o->step, o->location);
	struct source *s = map_get(&c->sources, key);
	struct place *p = x->place;
	if (!s && p) {
		if (c->sources.n >= JUDGE_SOURCES_MAX)
			drop_stalest(c);
		s = source_new(o->cloud ? o->cloud : "", o->probe, o->step, p->name);
		s->component = c;
		join(x, s);
		s->minimum_ms = judge_minimum_ms(c->judge);
		s->quick = (!c->now.v.id && !c->unwritten) || c->now.v.health == HEALTH_OPERATIONAL;
		pace(c->judge, s, x);
		map_put(&c->sources, s->key, s);
		place_joined(p, s);
	}
	free(key);
	return s;
}

void judge_take(struct judge *j, const struct observation *o)
{
	struct judged *c = o->component ? map_get(&j->by_id, o->component) : NULL;
	char *key = probe_key(o->cloud, o->probe, o->location);
	struct expected *x = map_get(&j->expected, key);
	free(key);
	struct source *s = c && x ? source_of(c, o, x) : NULL;
	if (!s)
		return;
	const int64_t now_ms = judge_now_ms(j);
	const bool was_good = source_says(s, now_ms) == SAYS_GOOD;
	given_take(j, o, now_ms);
	place_heard(s, o, now_ms);
	source_take(s, o, now_ms, j->blind || s->place->told.suspect);
	if (!was_good || source_says(s, now_ms) != SAYS_GOOD || !judge_still_good(c, s, now_ms))
		judge_again(c);
}

/* --- ends ------------------------------------------------------------------------------------- */

void take_forget(struct judged *c)
{
	MAP_EACH (&c->sources, e)
		source_gone(e->value);
	map_fini(&c->sources);
}

void take_end(struct judge *j)
{
	MAP_EACH (&j->expected, e)
		expected_free(e->value);
	map_fini(&j->expected);
	forget_longest(j);
}

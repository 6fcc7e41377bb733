/*
 * judge_replay.c - see judge_replay.h.
 */

#include "cli/judge_replay.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "tell/event.h"

/* --- what comes of it
 * ------------------------------------------------------------------------------ */

void replay_add(struct replay *r, const struct replay_change *c)
{
	struct replay_change one = *c;
	one.by = mem_strdup(c->by);
	one.component = mem_strdup(c->component);
	one.text = mem_strdup(c->text ? c->text : "");
	vec_push(&r->changes, one);
}

void replay_fini(struct replay *r)
{
	VEC_EACH (&r->changes, struct replay_change, c) {
		free(c->by);
		free(c->component);
		free(c->text);
	}
	vec_fini(&r->changes);
	VEC_EACH (&r->said, char *, s)
		free(*s);
	vec_fini(&r->said);
	json_decref(r->events);
}

static int by_time(const void *a, const void *b)
{
	const struct replay_change *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	const int component = strcmp(x->component, y->component);
	return component ? component : strcmp(x->by, y->by);
}

/* --- rules and objectives
 * ---------------------------------------------------------------------------- */

struct playing {
	struct replay *replay;
	bool done;
};

static enum health health_of(const struct rule_change *c)
{
	if (c->to == RULE_IS_FIRING)
		return c->severity == RULE_OUTAGE ? HEALTH_OUTAGE : HEALTH_DEGRADED;
	return c->to == RULE_IS_GOOD ? HEALTH_OPERATIONAL : HEALTH_UNKNOWN;
}

static void on_changed(void *arg, const struct rule_change *c)
{
	struct playing *p = arg;
	replay_add(p->replay, &(struct replay_change){.by = (char *)(uintptr_t)c->by,
				      .component = (char *)(uintptr_t)c->component,
				      .text = (char *)(uintptr_t)c->text,
				      .health = health_of(c),
				      .note = c->severity == RULE_NOTE,
				      .at_ms = c->at_ms});
}

static void on_rule_says(void *arg, const struct rule *rule, const char *text)
{
	struct playing *p = arg;
	vec_push(&p->replay->said, mem_printf("%s:%u: rule %s: %s", rule->as.file, rule->as.line,
					   rule->as.name, text));
}

static void on_slo_says(void *arg, const struct slo *slo, const char *text)
{
	struct playing *p = arg;
	vec_push(&p->replay->said,
		mem_printf("%s:%u: SLO %s: %s", slo->file, slo->line, slo->name, text));
}

static void on_done(void *arg, const struct error *err)
{
	struct playing *p = arg;
	p->done = true;
	(void)err;
}

static void play_rules(struct replay *r, struct loop *l, struct series_store *store)
{
	struct playing p = {.replay = r};
	const struct rules_options o = {.rules = r->rules,
		.n = r->rule_count,
		.changed = on_changed,
		.say = on_rule_says,
		.arg = &p};
	const int64_t begin = clock_mono_ns(&clock_system);
	struct rules *rules = rules_new(l, store, &o);
	rules_replay(rules, r->from_ms, r->to_ms, on_done, &p);
	loop_run_until(l, &p.done);
	r->took_ns = clock_mono_ns(&clock_system) - begin;
	r->states = rules_states(rules);
	rules_free(rules);
}

static void play_slos(struct replay *r, struct loop *l, struct series_store *store)
{
	struct playing p = {.replay = r};
	const struct slos_options o = {.slos = r->slos->p,
		.n = r->slos->n,
		.changed = on_changed,
		.say = on_slo_says,
		.arg = &p};
	struct slos *slos = slos_new(l, store, &o);
	slos_replay(slos, r->from_ms, r->to_ms, on_done, &p);
	loop_run_until(l, &p.done);
	slos_free(slos);
}

/* --- what was declared
 * --------------------------------------------------------------------------------- */

static bool read_events(struct replay *r, struct loop *l, struct error *err)
{
	char *path = mem_printf("%s/facts.db", r->state);
	const bool there = access(path, R_OK) == 0;
	free(path);
	r->events = json_array();
	if (!there)
		return true;
	const struct event_filter all = {.audience = AUDIENCE_OPERATORS,
		.kind = -1,
		.from_ms = r->from_ms,
		.to_ms = r->to_ms,
		.limit = 1000,
		.brief = true};
	struct facts *f = facts_open(r->state, l, err);
	json_t *list = f && event_migrate(f, err) ? event_list(f, &all, err) : NULL;
	facts_close(f);
	if (!list)
		return false;
	json_decref(r->events);
	r->events = list;
	return true;
}

/* --- all of it
 * ----------------------------------------------------------------------------------------- */

bool replay_run(struct replay *r, struct error *err)
{
	const struct series_options look = {.read_only = true};
	struct loop *l = loop_new(NULL, err);
	struct series_store *store = l ? series_open(r->state, l, &look, err) : NULL;
	bool good = store && read_events(r, l, err);
	if (good) {
		play_rules(r, l, store);
		play_slos(r, l, store);
		good = replay_model(r, l, store, err);
	}
	series_close(store);
	if (l)
		loop_free(l);
	if (r->changes.n)
		qsort(r->changes.p, r->changes.n, sizeof(*r->changes.p), by_time);
	return good;
}

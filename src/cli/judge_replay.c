/*
 * judge_replay.c - see judge_replay.h.
 */

#include "cli/judge_replay.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "judge/judge.h"
#include "tell/event.h"

#define DAY_MS 86400000LL

/* --- what comes of it
 * ------------------------------------------------------------------------------ */

static void change_fini(struct replay_change *c)
{
	free(c->by);
	free(c->component);
	free(c->text);
	free(c->maintenance);
	free(c->root);
}

/* Of what was so before only the last counts. */
static struct replay_change *same_before(struct replay *r, const struct replay_change *c)
{
	VEC_EACH (&r->changes, struct replay_change, old)
		if (old->at_ms == r->from_ms && !strcmp(old->by, c->by) &&
			!strcmp(old->component, c->component))
			return old;
	return NULL;
}

void replay_add(struct replay *r, const struct replay_change *c)
{
	struct replay_change one = *c;
	struct replay_change *old = c->at_ms <= r->from_ms ? same_before(r, c) : NULL;
	one.by = mem_strdup(c->by);
	one.component = mem_strdup(c->component);
	one.text = mem_strdup(c->text ? c->text : "");
	one.maintenance = mem_strdup(c->maintenance);
	one.root = mem_strdup(c->root);
	one.at_ms = c->at_ms < r->from_ms ? r->from_ms : c->at_ms;
	if (old) {
		change_fini(old);
		*old = one;
	} else {
		vec_push(&r->changes, one);
	}
}

void replay_fini(struct replay *r)
{
	VEC_EACH (&r->changes, struct replay_change, c)
		change_fini(c);
	vec_fini(&r->changes);
	VEC_EACH (&r->givens, struct given, g) {
		free((char *)(uintptr_t)g->one);
		free((char *)(uintptr_t)g->other);
		free((char *)(uintptr_t)g->third);
	}
	vec_fini(&r->givens);
	VEC_EACH (&r->told, struct replay_told, t) {
		free(t->component);
		free(t->by);
		free(t->text);
	}
	vec_fini(&r->told);
	map_fini(&r->saying);
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

/* What is told again is no news. */
static void on_told(void *arg, const struct judge_told *t)
{
	struct replay *r = ((struct playing *)arg)->replay;
	char *key = mem_printf("%s\n%s", t->component, t->by);
	const bool same = (uintptr_t)map_get(&r->saying, key) == (uintptr_t)t->health + 1;
	map_put(&r->saying, key, (void *)((uintptr_t)t->health + 1));
	free(key);
	if (!same)
		vec_push(
			&r->told, ((struct replay_told){mem_strdup(t->component), mem_strdup(t->by),
					  mem_strdup(t->text), t->health, t->at_ms}));
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
		.tell = on_told,
		.changed = on_changed,
		.say = on_rule_says,
		.arg = &p};
	const int64_t begin = clock_mono_ns(&clock_system);
	struct rules *rules = rules_new(l, store, &o);
	rules_replay(rules, r->begin_ms, r->to_ms, on_done, &p);
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
		.tell = on_told,
		.changed = on_changed,
		.say = on_slo_says,
		.arg = &p};
	struct slos *slos = slos_new(l, store, &o);
	slos_replay(slos, r->begin_ms, r->to_ms, on_done, &p);
	loop_run_until(l, &p.done);
	slos_free(slos);
}

/* --- what was declared
 * --------------------------------------------------------------------------------- */

static bool read_events(struct replay *r, struct facts *f, struct error *err)
{
	const struct event_filter all = {.audience = AUDIENCE_OPERATORS,
		.kind = -1,
		.from_ms = r->from_ms,
		.to_ms = r->to_ms,
		.limit = 1000,
		.brief = true};
	json_t *list = event_migrate(f, err) ? event_list(f, &all, err) : NULL;
	if (!list)
		return false;
	r->events = list;
	return true;
}

/* --- what the judge was given
 * --------------------------------------------------------------------------- */

static bool on_given(void *arg, const struct given *g)
{
	struct replay *r = arg;
	struct given one = *g;
	one.one = mem_strdup(g->one);
	one.other = mem_strdup(g->other);
	one.third = mem_strdup(g->third);
	vec_push(&r->givens, one);
	return true;
}

/* What is known when it begins comes of what was before: of the rarest probe's last results. */
static int64_t lead_ms(const struct replay *r)
{
	int64_t lead = SERIES_HOUR_MS;
	VEC_EACH (&r->givens, struct given, g)
		if (g->what == GIVEN_PACE && 3 * g->x + g->y > lead)
			lead = 3 * g->x + g->y;
	return lead < DAY_MS ? lead : DAY_MS;
}

static bool read_facts(struct replay *r, struct facts *f, struct error *err)
{
	return judge_migrate(f, err) &&
	       given_each(f, r->from_ms - DAY_MS, r->to_ms, on_given, r, err) &&
	       read_events(r, f, err);
}

/* NULL: there are none; then err is set if that is not as it should be. */
static struct facts *open_facts(const struct replay *r, struct loop *l, struct error *err)
{
	char *path = mem_printf("%s/facts.db", r->state);
	const bool there = access(path, R_OK) == 0;
	free(path);
	return there ? facts_open(r->state, l, err) : NULL;
}

/* --- all of it
 * ----------------------------------------------------------------------------------------- */

bool replay_run(struct replay *r, struct error *err)
{
	const struct series_options look = {.read_only = true};
	struct loop *l = loop_new(NULL, err);
	struct series_store *store = l ? series_open(r->state, l, &look, err) : NULL;
	struct facts *facts = store ? open_facts(r, l, err) : NULL;
	bool good = store && !err->kind && (!facts || read_facts(r, facts, err));
	if (!r->events)
		r->events = json_array();
	if (good) {
		r->begin_ms = r->from_ms - lead_ms(r);
		play_rules(r, l, store);
		play_slos(r, l, store);
		good = replay_model(r, l, store, facts, err);
	}
	facts_close(facts);
	series_close(store);
	if (l)
		loop_free(l);
	if (r->changes.n)
		qsort(r->changes.p, r->changes.n, sizeof(*r->changes.p), by_time);
	return good;
}

/*
 * house_refresh.c - what SITE needs from facts.db, read on the house's own thread: each component's
 * last 24 hours and each scenario's last run.
 */

#include <string.h>

#include "web/house_inside.h"

#define RUNS_LOOKED_AT 8 /* more are never under way at once */

struct day24 {
	char *component;
	int64_t ms[HEALTH_COUNT];
	bool good;
};

struct last_run {
	char *name, *scenario, *cloud;
	json_t *run; /* NULL: none */
};

struct house_refresh {
	struct worker_job job; /* first */
	struct house *house;   /* NULL: gone */
	struct facts *facts;
	int64_t now_ms;
	VEC(struct day24) days;
	VEC(struct last_run) runs;
};

static bool on_span(void *arg, const struct judge_span *span)
{
	struct day24 *d = arg;
	if (!span->gap)
		d->ms[health_counts(span->health, span->maintenance != NULL)] +=
			span->to_ms - span->from_ms;
	return true;
}

static bool on_run(void *arg, const struct journal_run_row *row)
{
	struct last_run *r = arg;
	if (!row->verdict) /* under way: the one before is the last */
		return true;
	r->run = run_short(row);
	return false;
}

static void work(struct worker_job *job, unsigned thread)
{
	struct house_refresh *r = (struct house_refresh *)job;
	struct error ignored = {0}; /* what cannot be read stays as it was */
	VEC_EACH (&r->days, struct day24, d)
		d->good = judge_history(r->facts, d->component, r->now_ms - HOUSE_DAY_MS, r->now_ms,
			on_span, d, &ignored);
	VEC_EACH (&r->runs, struct last_run, l)
		if (!journal_runs(
			    r->facts, l->scenario, l->cloud, RUNS_LOOKED_AT, on_run, l, &ignored))
			continue;
}

static void refresh_free(struct house_refresh *r)
{
	VEC_EACH (&r->days, struct day24, d)
		free(d->component);
	VEC_EACH (&r->runs, struct last_run, l) {
		free(l->name);
		free(l->scenario);
		free(l->cloud);
		json_decref(l->run);
	}
	vec_fini(&r->days);
	vec_fini(&r->runs);
	free(r);
}

static void done(struct worker_job *job)
{
	struct house_refresh *r = (struct house_refresh *)job;
	struct house *h = r->house;
	if (h) {
		h->refresh = NULL;
		VEC_EACH (&r->days, struct day24, d)
			if (d->good)
				memcpy(days_of(h, d->component)->last_day_ms, d->ms, sizeof(d->ms));
		VEC_EACH (&r->runs, struct last_run, l)
			if (l->run)
				json_decref(map_put(&h->last_runs, l->name, json_incref(l->run)));
		h->publishing = true;
		house_refreshed(h);
		if (h->refresh_again)
			refresh_start(h);
	}
	refresh_free(r);
}

void refresh_start(struct house *h)
{
	h->refresh_again = h->refresh != NULL; /* what began before may have missed what is new */
	if (h->refresh)
		return;
	struct house_refresh *r = h->refresh = mem_new(struct house_refresh);
	r->house = h;
	r->facts = h->facts;
	r->now_ms = house_now_ms(h);
	r->job.work = work;
	r->job.done = done;
	for (size_t i = 0; i < judge_component_count(h->judge); i++) {
		const char *id = judge_component_at(h->judge, i)->id;
		days_of(h, id);
		vec_add(&r->days)->component = mem_strdup(id);
	}
	for (size_t i = 0; i < h->lists.scenario_count; i++) {
		const struct house_scenario *s = &h->lists.scenarios[i];
		vec_push(&r->runs, ((struct last_run){mem_strdup(s->name),
					   mem_strdup(s->scenario ? s->scenario : s->name),
					   mem_strdup(s->cloud), NULL}));
	}
	days_refresh(h);
	worker_submit(h->worker, &r->job);
}

void refresh_forget(struct house *h)
{
	if (h->refresh)
		h->refresh->house = NULL;
	h->refresh = NULL;
	MAP_EACH (&h->last_runs, e)
		json_decref(e->value);
	map_fini(&h->last_runs);
}

/*
 * house_scenario.c - the documents SCENARIO and RUN, from the journal: see model.h.
 */

#include <string.h>

#include "web/house_inside.h"

#define REPORT_MAX (2u << 20)

static json_t *field(const json_t *o, const char *key)
{
	json_t *value = json_object_get(o, key);
	return value ? json_incref(value) : json_null();
}

json_t *run_short(const struct journal_run_row *row)
{
	json_t *summary =
		row->summary ? json_parse(slice_of(row->summary), REPORT_MAX, NULL) : NULL;
	json_t *j = json_object();
	put_text(j, "run", row->run);
	put_int(j, "at_ms", row->began_unix_us / 1000);
	put_text(j, "verdict", row->verdict ? row->verdict : "running");
	put(j, "built_ms", field(summary, "built_ms"));
	put(j, "ended_ms",
		row->ended_unix_us ? json_integer(row->ended_unix_us / 1000) : json_null());
	put(j, "created", field(summary, "created"));
	put(j, "deleted", field(summary, "deleted"));
	put(j, "left", field(summary, "left"));
	put(j, "cause", field(summary, "cause"));
	json_decref(summary);
	return j;
}

static void copy(json_t *to, const json_t *from, const char *const *keys)
{
	for (; *keys; keys++)
		put(to, *keys, field(from, *keys));
}

static json_t *cause_json(const json_t *cause, bool operators)
{
	static const char *const everyone[] = {"step", "component", "fault", "sentence", NULL};
	static const char *const ours[] = {"detail", "request_id", "service_request_id", NULL};
	json_t *j = json_object();
	if (!json_is_object(cause)) {
		json_decref(j);
		return json_null();
	}
	copy(j, cause, everyone);
	if (operators)
		copy(j, cause, ours);
	return j;
}

static json_t *run_json_for(const json_t *run, bool operators)
{
	static const char *const everyone[] = {
		"at_ms", "verdict", "built_ms", "ended_ms", "created", "deleted", "left", NULL};
	static const char *const ours[] = {"run", NULL};
	json_t *j = json_object();
	copy(j, run, everyone);
	if (operators)
		copy(j, run, ours);
	put(j, "cause", cause_json(json_object_get(run, "cause"), operators));
	return j;
}

/* --- SCENARIO --------------------------------------------------------------------------------- */

const struct house_scenario *scenario_named(const struct house *h, const char *name)
{
	for (size_t i = 0; name && i < h->lists.scenario_count; i++)
		if (!strcmp(h->lists.scenarios[i].name, name))
			return &h->lists.scenarios[i];
	return NULL;
}

static int begin_scenario(struct house_asked *a)
{
	const struct house_scenario *s = scenario_named(a->house, json_str(a->args, "name"));
	if (!s)
		return 404;
	/* what the worker needs: the lists may be others by then */
	put_text(a->args, "scenario", s->scenario ? s->scenario : s->name);
	put_text(a->args, "cloud", s->cloud);
	a->cloud = json_str(a->args, "cloud");
	trend_of(a, a->cloud, s->name, NULL, NULL); /* the whole stands first */
	trend_series(a, "scenario", s->name);
	return 0;
}

static bool on_run(void *arg, const struct journal_run_row *row)
{
	struct house_asked *a = arg;
	json_t *run = run_short(row);
	json_array_append_new(a->read, run_json_for(run, a->operators));
	json_decref(run);
	return true;
}

static bool read_scenario(struct house_asked *a)
{
	a->read = json_array();
	return journal_runs(a->facts, json_str(a->args, "scenario"), json_str(a->args, "cloud"),
		MODEL_RUNS, on_run, a, &a->err);
}

static json_t *texts(const char *const *list)
{
	json_t *j = json_array();
	for (; list && *list; list++)
		json_array_append_new(j, json_string(*list));
	return j;
}

/* Why its last time was skipped, of the jobs in the operators' document; null: it was not. Owned.
 */
static json_t *skipped(const struct house *h, const char *name)
{
	const json_t *job;
	size_t i;
	json_array_foreach (json_object_get(h->last[AUDIENCE_OPERATORS], "jobs"), i, job) {
		const char *is = json_str(job, "name");
		if (is && !strcmp(is, name))
			return field(job, "why");
	}
	return json_null();
}

static int end_scenario(struct house_asked *a)
{
	const struct house_scenario *s = scenario_named(a->house, json_str(a->args, "name"));
	json_t *steps = json_array(), *whole = NULL;
	for (size_t i = 0; i < a->trends.n; i++) {
		const struct house_trend *t = a->trends.p[i];
		json_t *trend = json_incref(json_array_get(a->trend_docs, i));
		if (!t->step) {
			json_decref(whole);
			whole = trend;
			continue;
		}
		json_t *j = json_object();
		put_text(j, "name", t->step);
		put_text(j, "component", t->component);
		put(j, "trend", trend);
		json_array_append_new(steps, j);
	}
	if (!s) {
		json_decref(steps);
		json_decref(whole);
		return 404;
	}
	a->doc = site_scenario(a->house, s, a->operators);
	put(a->doc, "makes", texts(s->makes));
	if (a->operators)
		put(a->doc, "skipped", skipped(a->house, s->name));
	put_int(a->doc, "deadline_ms", s->deadline_ms);
	put(a->doc, "runs", json_incref(a->read));
	put(a->doc, "steps", steps);
	put(a->doc, "whole", whole ? whole : json_null());
	return 200;
}

const struct house_question scenario_question = {
	"scenario", false, begin_scenario, read_scenario, end_scenario};

/* --- RUN -------------------------------------------------------------------------------------- */

static int begin_run(struct house_asked *a)
{
	return json_str(a->args, "run") ? 0 : 400;
}

static void on_whole_run(void *arg, const struct journal_run_row *row)
{
	struct house_asked *a = arg;
	json_t *j = a->read = json_object();
	json_t *report = row->report ? json_parse(slice_of(row->report), REPORT_MAX, NULL) : NULL;
	put_text(j, "run", row->run);
	put_text(j, "scenario", row->scenario);
	put_text(j, "cloud", row->cloud);
	put_text(j, "instance", row->instance);
	put_int(j, "at_ms", row->began_unix_us / 1000);
	put(j, "ended_ms",
		row->ended_unix_us ? json_integer(row->ended_unix_us / 1000) : json_null());
	put_text(j, "verdict", row->verdict ? row->verdict : "running");
	put(j, "report", report ? report : json_null());
}

static bool read_run(struct house_asked *a)
{
	return journal_run(a->facts, json_str(a->args, "run"), on_whole_run, a, &a->err);
}

static int end_run(struct house_asked *a)
{
	if (!a->read)
		return 404;
	a->doc = json_incref(a->read);
	return 200;
}

const struct house_question run_question = {"run", true, begin_run, read_run, end_run};

/*
 * scenario.c - what a scenario makes in the cloud, how its runs ended, how long its steps take.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

static void put_verdict(struct view *v, json_t *o, const json_t *run)
{
	json_object_set_new(o, "verdict", verdict_view(v, json_str(run, "verdict")));
	put_time(v, o, "at", json_object_get(run, "at_ms"));
	const json_t *built = json_object_get(run, "built_ms");
	view_put(o, "built",
		json_is_number(built) && json_number_value(built) > 0 /* 0: nothing was */
			? say_duration(v, json_number_value(built))
			: NULL);
}

json_t *scenario_view(struct view *v, const json_t *s)
{
	json_t *o = json_object();
	const json_t *last = json_object_get(s, "last");
	view_put(o, "name", json_str(s, "name"));
	view_put(o, "title", json_str(s, "title"));
	view_put(o, "cloud", json_str(s, "cloud"));
	view_put(o, "every", say_duration(v, (double)json_int(s, "every_ms", 0)));
	put_link(v, o, "href", "/scenarios/", json_str(s, "name"));
	json_t *run = json_null();
	if (json_is_object(last)) {
		run = json_object();
		put_verdict(v, run, last);
	}
	json_object_set_new(o, "last", run);
	return o;
}

static json_t *cause_view(struct view *v, const json_t *cause)
{
	if (!json_is_object(cause))
		return json_null();
	json_t *o = json_object();
	view_put(o, "step", json_str(cause, "step"));
	view_put(o, "component", json_str(cause, "component"));
	view_put(
		o, "sentence", say_fault(v, json_str(cause, "fault"), json_str(cause, "sentence")));
	view_put(o, "detail", v->operators ? json_str(cause, "detail") : NULL);
	return o;
}

static json_t *run_row(struct view *v, const json_t *run)
{
	json_t *o = json_object();
	const json_t *ended = json_object_get(run, "ended_ms");
	const double took = json_is_number(ended)
				    ? json_number_value(ended) - (double)json_int(run, "at_ms", 0)
				    : -1;
	put_verdict(v, o, run);
	/* a duration or a moment: the journal has both */
	view_put(o, "took",
		!json_is_number(ended) ? NULL
		: took >= 0            ? say_duration(v, took)
				       : say_duration(v, json_number_value(ended)));
	view_put(o, "created", say_number(v, json_int(run, "created", 0)));
	view_put(o, "deleted", say_number(v, json_int(run, "deleted", 0)));
	const int64_t left = json_int(run, "left", 0);
	view_put(o, "left", left > 0 ? say_count(v, "left_one", "left_many", left) : NULL);
	view_put(o, "href", NULL);
	if (v->operators && json_str(run, "run"))
		put_link(v, o, "href", "/runs/", json_str(run, "run"));
	view_put(o, "run", v->operators ? json_str(run, "run") : NULL);
	json_object_set_new(o, "cause", cause_view(v, json_object_get(run, "cause")));
	return o;
}

/* The runs as bars, oldest first: the height is how long it took, the look how it ended. */
static json_t *draw_runs(struct view *v, const json_t *runs)
{
	const size_t n = json_array_size(runs);
	double longest = 1;
	json_t *bars = json_array();
	for (size_t i = 0; i < n; i++) {
		const json_t *built = json_object_get(json_array_get(runs, i), "built_ms");
		if (json_is_number(built) && json_number_value(built) > longest)
			longest = json_number_value(built);
	}
	for (size_t i = 0; i < n; i++) {
		const json_t *run = json_array_get(runs, n - 1 - i);
		const json_t *built = json_object_get(run, "built_ms");
		const double ms = json_is_number(built) ? json_number_value(built) : longest;
		int tall = (int)(ms / longest * 52);
		tall = tall < 4 ? 4 : tall > 52 ? 52 : tall;
		json_t *verdict = verdict_view(v, json_str(run, "verdict"));
		json_t *o = json_object();
		view_put(o, "name", json_str(verdict, "name"));
		/* what did not pass has a cap as well, so that it is seen without its colour */
		const bool capped = strcmp(json_str(verdict, "name"), "operational") != 0;
		view_put(o, "cap",
			capped ? view_keep(v, mem_printf("M%zu 0h8v4h-8z", i * 10)) : NULL);
		view_put(o, "d", view_keep(v, mem_printf("M%zu 60v-%dh8v%dz", i * 10, tall, tall)));
		const char *at = say_moment(v, json_int(run, "at_ms", 0));
		view_put(o, "what",
			view_keep(v, mem_printf("%s: %s, %s", at, json_str(verdict, "word"),
					     say_duration(v, ms))));
		json_array_append_new(bars, o);
		json_decref(verdict);
	}
	return json_pack("{s:o, s:I, s:s}", "bars", bars, "width", (json_int_t)(n ? n * 10 - 2 : 1),
		"longest", say_duration(v, longest));
}

static json_t *count_verdicts(struct view *v, const json_t *runs)
{
	static const char *const names[] = {"passed", "degraded", "failed", "unknown"};
	json_t *all = json_array();
	const json_t *run;
	size_t i;
	for (size_t k = 0; k < array_len(names); k++) {
		int64_t n = 0;
		json_array_foreach (runs, i, run) {
			const char *verdict = json_str(run, "verdict");
			n += verdict && !strcmp(verdict, names[k]);
		}
		json_t *o = json_pack("{s:o}", "state", verdict_view(v, names[k]));
		view_put(o, "n", say_number(v, n));
		if (n)
			json_array_append(all, o);
		json_decref(o);
	}
	return all;
}

bool view_scenario(struct view *v)
{
	const json_t *runs = json_object_get(v->model, "runs"), *item;
	size_t i;
	if (!json_is_object(v->model) || !json_str(v->model, "name"))
		return false;
	json_t *o = scenario_view(v, v->model), *makes = json_array(), *rows = json_array(),
	       *steps = json_array();
	json_object_update_new(v->root, o);
	view_put(v->root, "heading",
		json_str(v->model, "title") ? json_str(v->model, "title")
					    : json_str(v->model, "name"));
	view_put(v->root, "title", json_str(v->root, "heading"));
	view_put(v->root, "skipped", v->operators ? json_str(v->model, "skipped") : NULL);
	view_put(
		v->root, "deadline", say_duration(v, (double)json_int(v->model, "deadline_ms", 0)));
	json_array_foreach (json_object_get(v->model, "makes"), i, item) {
		if (json_is_string(item))
			json_array_append_new(makes, json_string(json_string_value(item)));
	}
	json_object_set_new(v->root, "has_makes", json_boolean(json_array_size(makes) > 0));
	json_object_set_new(v->root, "makes", makes);
	json_array_foreach (runs, i, item)
		json_array_append_new(rows, run_row(v, item));
	json_object_set_new(v->root, "has_runs", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "counts", count_verdicts(v, runs));
	json_object_set_new(v->root, "drawn", draw_runs(v, runs));
	json_object_set_new(v->root, "runs", rows);
	const json_t *whole = json_object_get(v->model, "whole");
	json_object_set_new(
		v->root, "whole", json_is_object(whole) ? trend_view(v, whole) : json_null());
	json_array_foreach (json_object_get(v->model, "steps"), i, item) {
		json_t *step = json_object();
		view_put(step, "name", json_str(item, "name"));
		view_put(step, "component", json_str(item, "component"));
		json_object_set_new(step, "trend", trend_view(v, json_object_get(item, "trend")));
		json_array_append_new(steps, step);
	}
	json_object_set_new(v->root, "has_steps", json_boolean(json_array_size(steps) > 0));
	json_object_set_new(v->root, "steps", steps);
	return true;
}

/*
 * run.c - a run as a waterfall: what waited, what was asked, what became ready, what was removed.
 *
 * Each step is a row of a table with its own picture over the same time; the phases differ in
 * height and filling, the critical path is named in words as well.
 */

#include <string.h>

#include "base/fault.h"
#include "base/json.h"
#include "web/pages/view.h"

#define WIDE 1000 /* units of the picture */

static double ms_of(const json_t *o, const char *key)
{
	const json_t *x = json_object_get(o, key);
	return json_is_number(x) ? json_number_value(x) : -1;
}

struct bars {
	struct view *v;
	double span;
};

/* One phase [from, to) as a path; the shortest is still seen. */
static void add_bar(const struct bars *b, json_t *all, const char *name, double from, double to,
	int top, int tall)
{
	if (from < 0 || to < from)
		return;
	const double x = from / b->span * WIDE;
	double wide = (to - from) / b->span * WIDE;
	wide = wide < 2 ? 2 : wide;
	json_array_append_new(
		all, json_pack("{s:s, s:o}", "name", name, "d",
			     json_sprintf("M%.1f %dh%.1fv%dh-%.1fz", x, top, wide, tall, wide)));
}

static json_t *draw_step(const struct bars *b, const json_t *s)
{
	json_t *all = json_array();
	const double needed = ms_of(s, "needed_ms"), start = ms_of(s, "start_ms");
	const double answer = ms_of(s, "answer_ms"), ready = ms_of(s, "ready_ms");
	if (start > needed && needed >= 0)
		add_bar(b, all, "wait", needed, start, 7, 2);
	if (answer > start)
		add_bar(b, all, "request", start, answer, 4, 8);
	if (ready >= 0)
		add_bar(b, all, "ready", answer > start ? answer : start, ready, 1, 14);
	const double remove = ms_of(s, "remove_ms"), gone = ms_of(s, "gone_ms");
	if (remove >= 0 && gone >= remove)
		add_bar(b, all, "remove", remove, gone, 4, 8);
	return all;
}

static const char *step_state(struct view *v, const char *state, const char **ret_name)
{
	static const char *const rows[][3] = {{"ready", "operational", "step_ready"},
		{"failed", "outage", "step_failed"}, {"skipped", "gap", "step_skipped"},
		{"absent", "gap", "step_absent"}, {"started", "unknown", "step_started"},
		{"waiting", "unknown", "step_waiting"}};
	for (size_t i = 0; state && i < array_len(rows); i++) {
		if (strcmp(rows[i][0], state) != 0)
			continue;
		*ret_name = rows[i][1];
		return say(v, rows[i][2], NULL);
	}
	*ret_name = "unknown";
	return state ? state : "";
}

static json_t *step_view(const struct bars *b, const json_t *s)
{
	struct view *v = b->v;
	json_t *o = json_object();
	const char *name, *fault = json_str(s, "fault");
	const bool faulty = fault && strcmp(fault, "none") != 0;
	const char *word = step_state(v, json_str(s, "state"), &name);
	if (json_flag(s, "degraded") && !faulty) {
		name = "degraded";
		word = say(v, "state_degraded", NULL);
	}
	json_object_set_new(o, "state", json_pack("{s:s, s:s}", "name", name, "word", word));
	view_put(o, "name", json_str(s, "name"));
	view_put(o, "kind", json_str(s, "kind"));
	view_put(o, "component", json_str(s, "component"));
	view_put(o, "after", json_str(s, "after"));
	json_object_set_new(o, "critical", json_boolean(json_flag(s, "critical")));
	json_object_set_new(o, "first", json_boolean(json_flag(s, "first_cause")));
	json_object_set_new(o, "bars", draw_step(b, s));
	const double start = ms_of(s, "start_ms"), ready = ms_of(s, "ready_ms");
	view_put(o, "start", start >= 0 ? say_duration(v, start) : NULL);
	view_put(o, "took", start >= 0 && ready >= start ? say_duration(v, ready - start) : NULL);
	view_put(o, "fault", faulty ? say_fault(v, fault, fault) : NULL);
	view_put(o, "detail", json_str(s, "detail"));
	view_put(o, "request", json_str(s, "request_id"));
	view_put(o, "service_request", json_str(s, "service_request_id"));
	return o;
}

static double longest(const json_t *steps, const json_t *report)
{
	static const char *const keys[] = {"ready_ms", "gone_ms", "answer_ms", "start_ms"};
	double span = ms_of(report, "ended_ms");
	const json_t *s;
	size_t i;
	json_array_foreach (steps, i, s) {
		for (size_t k = 0; k < array_len(keys); k++)
			if (ms_of(s, keys[k]) > span)
				span = ms_of(s, keys[k]);
	}
	return span > 0 ? span : 1;
}

/* In the order in which they began; what never did comes last. */
static int by_start(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	const double at_x = ms_of(x, "start_ms"), at_y = ms_of(y, "start_ms");
	if ((at_x < 0) != (at_y < 0))
		return at_x < 0 ? 1 : -1;
	if (at_x != at_y)
		return at_x < at_y ? -1 : 1;
	const double end_x = ms_of(x, "ready_ms"), end_y = ms_of(y, "ready_ms");
	return (end_x > end_y) - (end_x < end_y);
}

static json_t *list_steps(const struct bars *b, const json_t *steps)
{
	const size_t n = json_array_size(steps);
	const json_t **sorted = mem_new_array(n ? n : 1, sizeof(*sorted));
	json_t *rows = json_array();
	for (size_t i = 0; i < n; i++)
		sorted[i] = json_array_get(steps, i);
	qsort(sorted, n, sizeof(*sorted), by_start);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(rows, step_view(b, sorted[i]));
	free(sorted);
	return rows;
}

static void put_facts(struct view *v, const json_t *report)
{
	json_t *o = v->root;
	const double built = ms_of(report, "built_ms"), ended = ms_of(report, "ended_ms");
	view_put(o, "built", built > 0 ? say_duration(v, built) : NULL); /* 0: nothing was */
	view_put(o, "ended", ended >= 0 ? say_duration(v, ended) : NULL);
	view_put(o, "requests", say_number(v, json_int(report, "requests", 0)));
	view_put(o, "created", say_number(v, json_int(report, "created", 0)));
	view_put(o, "deleted", say_number(v, json_int(report, "deleted", 0)));
	const double minutes = ms_of(json_object_get(report, "cost"), "server_minutes");
	view_put(o, "server_minutes", minutes > 0 ? say_real(v, minutes, 1) : NULL);
	const int64_t left = json_int(report, "left", 0);
	view_put(o, "left", left > 0 ? say_count(v, "left_one", "left_many", left) : NULL);
	view_put(o, "error", json_str(report, "error"));
}

/* "net, router, link": the steps that decided how long it took, in their order in time. */
static const char *critical_path(struct view *v, const json_t *steps)
{
	struct buf path = BUF(BUF_LINE);
	const json_t *s;
	double after = -1;
	for (;;) {
		const json_t *next = NULL;
		size_t i;
		json_array_foreach (steps, i, s) {
			const double start = ms_of(s, "start_ms");
			if (json_flag(s, "critical") && start > after &&
				(!next || start < ms_of(next, "start_ms")))
				next = s;
		}
		if (!next)
			break;
		after = ms_of(next, "start_ms");
		buf_printf(&path, "%s%s", path.n ? " \xe2\x86\x92 " : "",
			json_str(next, "name") ? json_str(next, "name") : "");
	}
	return path.n ? view_keep(v, buf_take(&path)) : NULL;
}

bool view_run(struct view *v)
{
	const json_t *report = json_object_get(v->model, "report");
	const json_t *steps = json_object_get(report, "steps");
	json_t *o = v->root, *ticks = json_array();
	struct bars b = {.v = v, .span = longest(steps, report)};
	const char *run = json_str(report, "run"), *scenario = json_str(v->model, "scenario");
	json_t *rows = list_steps(&b, steps);
	for (int i = 0; i < 4; i++)
		json_array_append_new(ticks, json_string(say_duration(v, b.span * i / 4)));
	json_object_set_new(o, "steps", rows);
	json_object_set_new(o, "has_steps", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(o, "ticks", ticks);
	json_object_set_new(o, "boots", boots_view(v, steps));
	json_object_set_new(o, "matrices", matrices_view(v, steps));
	view_put(o, "span", say_duration(v, b.span));
	view_put(o, "run", run);
	view_put(o, "scenario", scenario);
	view_put(o, "scenario_href", NULL);
	if (scenario)
		put_link(v, o, "scenario_href", "/scenarios/", scenario);
	view_put(o, "cloud", json_str(v->model, "cloud"));
	view_put(o, "by", json_str(v->model, "instance"));
	const char *title =
		say(v, "run_title", say_isolated(v, run), say_isolated(v, scenario), NULL);
	view_put(o, "title", title);
	view_put(o, "heading", title);
	put_time(v, o, "at", json_object_get(v->model, "at_ms"));
	json_object_set_new(
		o, "running", json_boolean(json_is_null(json_object_get(v->model, "ended_ms"))));
	json_object_set_new(o, "verdict", verdict_view(v, json_str(v->model, "verdict")));
	view_put(o, "path", critical_path(v, steps));
	put_facts(v, report);
	/* the server has refused others before */
	return v->operators && json_is_object(v->model);
}

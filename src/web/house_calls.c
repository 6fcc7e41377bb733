/*
 * house_calls.c - the document CALLS, from the figures of calls and waits: see model.h.
 */

#include <string.h>

#include "web/house_inside.h"

struct calls_view {
	const char *name;
	int64_t span_ms, step_ms; /* roll-ups serve the steps */
};

static const struct calls_view views[] = {
	{"24h", SERIES_DAY_MS, SERIES_HOUR_MS / 2}, {"7d", 7 * SERIES_DAY_MS, 2 * SERIES_HOUR_MS}};

struct calls_read { /* what came, for the worker */
	const struct calls_view *view;
	int64_t from_ms, to_ms;
	struct figure *list;
	size_t n, unread;
};

static void calls_fini(void *own)
{
	struct calls_read *r = own;
	figure_list_free(r->list, r->n);
}

static void on_figures(
	void *arg, struct figure *list, size_t n, size_t unread, const struct error *err)
{
	struct house_asked *a = arg;
	struct calls_read *r = a->own;
	a->figures = NULL;
	r->list = list;
	r->n = n;
	r->unread = unread;
	asked_part_done(a);
}

static int begin_calls(struct house_asked *a)
{
	const char *name = json_str(a->args, "view");
	const struct calls_view *view = name ? NULL : &views[0];
	for (size_t i = 0; name && i < array_len(views); i++)
		if (!strcmp(views[i].name, name))
			view = &views[i];
	if (!view)
		return 404;
	struct calls_read *r = mem_new(struct calls_read);
	a->own = r;
	a->own_fini = calls_fini;
	r->view = view;
	r->to_ms = a->now_ms - a->now_ms % view->step_ms + view->step_ms;
	r->from_ms = r->to_ms - view->span_ms;
	const struct figures_query q = {.what = 1u << FIGURE_CALL | 1u << FIGURE_WAIT,
		.from_ms = r->from_ms,
		.to_ms = r->to_ms,
		.step_ms = view->step_ms};
	a->parts_due++;
	a->figures = figures_read(a->house->loop, a->house->series, &q, on_figures, a);
	return 0;
}

static json_t *row_json(const struct calls_read *r, const struct figure *f)
{
	json_t *row = figure_json(f), *trend = json_object(), *points = json_array();
	for (size_t i = 0; i < f->step_count; i++)
		json_array_append_new(points,
			trend_point_json(&f->steps[i], r->from_ms + (int64_t)i * r->view->step_ms));
	put_int(trend, "from_ms", r->from_ms);
	put_int(trend, "to_ms", r->to_ms);
	put_int(trend, "step_ms", r->view->step_ms);
	put(trend, "points", points);
	put(row, "trend", trend);
	return row;
}

static void put_rows(json_t *j, const struct calls_read *r, enum figure_what what, const char *key,
	const char *more_key)
{
	json_t *rows = json_array();
	int64_t more = 0;
	for (size_t i = 0; i < r->n; i++) {
		if (r->list[i].what != what)
			continue;
		if (json_array_size(rows) < MODEL_CALLS)
			json_array_append_new(rows, row_json(r, &r->list[i]));
		else
			more++;
	}
	put(j, key, rows);
	put_int(j, more_key, more);
}

static bool read_calls(struct house_asked *a)
{
	const struct calls_read *r = a->own;
	json_t *j = a->read = json_object();
	put_text(j, "view", r->view->name);
	put_int(j, "from_ms", r->from_ms);
	put_int(j, "to_ms", r->to_ms);
	put_int(j, "unread", (int64_t)r->unread);
	put_rows(j, r, FIGURE_WAIT, "waits", "more_waits");
	put_rows(j, r, FIGURE_CALL, "calls", "more_calls");
	return true;
}

static int end_calls(struct house_asked *a)
{
	a->doc = json_incref(a->read);
	return 200;
}

const struct house_question calls_question = {"calls", true, begin_calls, read_calls, end_calls};

/*
 * calls.c - how long calls and waits took, a row each: a bar from the median to the 99th
 * percentile, all on one logarithmic scale, its figures beside it, and how it went over time.
 */

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define NARROW 0.6 /* percent: a bar of equal times is still seen */

struct scale {
	double from_ms, to_ms; /* whole powers of ten; to_ms 0: nothing to draw */
};

static double number(const json_t *o, const char *key)
{
	const json_t *x = json_object_get(o, key);
	return json_is_number(x) ? json_number_value(x) : -1;
}

static void widen(struct scale *s, const json_t *rows)
{
	const json_t *row;
	size_t i;
	json_array_foreach (rows, i, row) {
		const double low = number(row, "p50_ms"), high = number(row, "p99_ms");
		if (low < 0)
			continue;
		const double least = low > 0.01 ? low : 0.01;
		if (s->to_ms <= 0 || least < s->from_ms)
			s->from_ms = least;
		if (high > s->to_ms)
			s->to_ms = high > least ? high : least;
	}
}

static struct scale scale_of(const json_t *waits, const json_t *calls)
{
	struct scale s = {0};
	widen(&s, waits);
	widen(&s, calls);
	if (s.to_ms <= 0)
		return s;
	s.from_ms = pow(10, floor(log10(s.from_ms)));
	s.to_ms = pow(10, ceil(log10(s.to_ms)));
	if (s.to_ms <= s.from_ms)
		s.to_ms = s.from_ms * 10;
	return s;
}

/* In percent of the width. */
static double place(const struct scale *s, double ms)
{
	const double x = log10((ms > s->from_ms ? ms : s->from_ms) / s->from_ms) /
			 log10(s->to_ms / s->from_ms) * 100;
	return x < 100 ? x : 100;
}

static json_t *bar_view(const struct scale *s, const json_t *row)
{
	const double low = number(row, "p50_ms"), p95 = number(row, "p95_ms"),
		     high = number(row, "p99_ms");
	if (low < 0 || p95 < 0 || high < 0)
		return json_null();
	const double x = place(s, low), end = place(s, high);
	json_t *o = json_object();
	json_object_set_new(o, "x", json_sprintf("%.2f", x));
	json_object_set_new(o, "width", json_sprintf("%.2f", end - x > NARROW ? end - x : NARROW));
	json_object_set_new(o, "p95_x", json_sprintf("%.2f", place(s, p95)));
	return o;
}

/* "timeout 3, refused 1", in the words of the language. */
static json_t *row_view(struct view *v, const struct scale *s, const json_t *row)
{
	static const char *const times[][2] = {{"min", "min_ms"}, {"mean", "mean_ms"},
		{"p50", "p50_ms"}, {"p95", "p95_ms"}, {"p99", "p99_ms"}, {"max", "max_ms"}};
	const int64_t errors = json_int(row, "errors", 0);
	const char *service = json_str(row, "service");
	json_t *o = json_object();
	view_put(o, "name", json_str(row, "name"));
	view_put(o, "cloud", json_str(row, "cloud"));
	view_put(o, "service", service && *service ? service : NULL);
	view_put(o, "n", say_number(v, json_int(row, "n", 0)));
	view_put(o, "errors", say_number(v, errors));
	json_object_set_new(o, "bad", json_boolean(errors > 0));
	view_put(o, "faults", errors ? say_faults(v, json_object_get(row, "faults")) : NULL);
	for (size_t i = 0; i < array_len(times); i++) {
		const double ms = number(row, times[i][1]);
		view_put(o, times[i][0], ms < 0 ? NULL : say_duration(v, ms));
	}
	json_object_set_new(o, "bar", bar_view(s, row));
	json_object_set_new(o, "trend", spark_view(v, json_object_get(row, "trend")));
	return o;
}

static json_t *part_view(struct view *v, const struct scale *s, const char *caption,
	const json_t *rows, int64_t more)
{
	json_t *o = json_object(), *views = json_array();
	const json_t *row;
	size_t i;
	json_array_foreach (rows, i, row)
		json_array_append_new(views, row_view(v, s, row));
	view_put(o, "caption", say(v, caption, NULL));
	json_object_set_new(o, "some", json_boolean(i > 0));
	json_object_set_new(o, "rows", views);
	view_put(o, "more", more ? say(v, "calls_more", say_number(v, more), NULL) : NULL);
	return o;
}

static json_t *choices(struct view *v, const char *current)
{
	static const char *const views[][2] = {{"24h", "calls_24h"}, {"7d", "calls_7d"}};
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(views); i++) {
		json_t *o = json_object();
		view_put(o, "text", say(v, views[i][1], NULL));
		put_link(v, o, "href", "/calls/", views[i][0]);
		json_object_set_new(o, "current", json_boolean(!strcmp(current, views[i][0])));
		json_array_append_new(all, o);
	}
	return all;
}

bool view_calls(struct view *v)
{
	const json_t *waits = json_object_get(v->model, "waits");
	const json_t *calls = json_object_get(v->model, "calls");
	const char *current = json_str(v->model, "view");
	const int64_t unread = json_int(v->model, "unread", 0);
	json_t *o = v->root;
	if (!v->operators || !current || !json_is_array(waits) || !json_is_array(calls))
		return false;
	const struct scale s = scale_of(waits, calls);
	view_put(o, "title", say(v, "calls_title", NULL));
	view_put(o, "heading", say(v, "calls_title", NULL));
	view_put(o, "text",
		s.to_ms > 0 ? say(v, "calls_text", say_duration(v, s.from_ms),
				      say_duration(v, s.to_ms), NULL)
			    : say(v, "calls_text_none", NULL));
	json_object_set_new(o, "views", choices(v, current));
	view_put(o, "unread",
		unread ? say_count(v, "calls_unread_one", "calls_unread_many", unread) : NULL);
	json_object_set_new(o, "waits",
		part_view(v, &s, "calls_wait", waits, json_int(v->model, "more_waits", 0)));
	json_object_set_new(o, "calls",
		part_view(v, &s, "calls_call", calls, json_int(v->model, "more_calls", 0)));
	return true;
}

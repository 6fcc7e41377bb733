/*
 * trend.c - the latency of a day drawn: median as a line, up to the 95th percentile as a band,
 * failures as marks at the top, hatched where nothing was measured.
 *
 * The plot is stretched to the width of the page, the words beside it are not: so marks are given
 * in units of the plot (x: 10 a point; y: 0 top to 100), labels in percent of it.
 */

#include "web/pages/view.h"

#include <math.h>

#include "base/json.h"

#define STEP 10

struct point {
	int64_t at_ms, n, ok;
	double p50, p95, max;
	bool drawn; /* has a median */
};

struct plot {
	struct view *v;
	struct point *points;
	size_t n;
	double top; /* ms at the upper edge */
};

static double number(const json_t *o, const char *key)
{
	const json_t *x = json_object_get(o, key);
	return json_is_number(x) ? json_number_value(x) : -1;
}

static struct plot read_plot(struct view *v, const json_t *points)
{
	struct plot p = {.v = v, .n = json_array_size(points)};
	p.points = mem_new_array(p.n ? p.n : 1, sizeof(*p.points));
	for (size_t i = 0; i < p.n; i++) {
		const json_t *o = json_array_get(points, i);
		struct point *q = &p.points[i];
		q->at_ms = (int64_t)number(o, "at_ms");
		q->n = json_int(o, "n", 0);
		q->ok = json_int(o, "ok", 0);
		q->p50 = number(o, "p50_ms");
		q->p95 = number(o, "p95_ms");
		q->max = number(o, "max_ms");
		q->p95 = q->p95 < q->p50 ? q->p50 : q->p95;
		q->drawn = q->n > 0 && q->p50 >= 0;
		if (q->drawn && q->p95 > p.top)
			p.top = q->p95;
	}
	return p;
}

/* The step of the scale: 1, 2 or 5 times a power of ten, so that two to four lines are drawn. */
static double scale(struct plot *p)
{
	static const double steps[] = {0.5, 1, 2, 5};
	const double top = p->top > 0 ? p->top * 1.02 : 1;
	const double ten = pow(10, floor(log10(top)));
	size_t i = 0;
	while (i + 1 < array_len(steps) && top > steps[i] * ten * 4)
		i++;
	p->top = ceil(top / (steps[i] * ten)) * steps[i] * ten;
	return steps[i] * ten;
}

static double y_of(const struct plot *p, double ms)
{
	return 100 - ms / p->top * 100;
}

static const char *draw_line(const struct plot *p)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0; i < p->n; i++) {
		const struct point *q = &p->points[i];
		if (!q->drawn)
			continue;
		const bool first = i == 0 || !q[-1].drawn;
		const bool lonely = first && (i + 1 == p->n || !q[1].drawn);
		buf_printf(&d, "%c%zu %.1f", first ? 'M' : 'L', i * STEP, y_of(p, q->p50));
		if (lonely)
			buf_add_str(&d, "h0");
	}
	return view_keep(p->v, buf_take(&d));
}

/* There along the 95th percentile, back along the median. */
static const char *draw_band(const struct plot *p)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0, end; i < p->n; i = end) {
		end = i + 1;
		if (!p->points[i].drawn)
			continue;
		while (end < p->n && p->points[end].drawn)
			end++;
		for (size_t k = i; k < end; k++)
			buf_printf(&d, "%c%zu %.1f", k == i ? 'M' : 'L', k * STEP,
				y_of(p, p->points[k].p95));
		for (size_t k = end; k > i; k--)
			buf_printf(&d, "L%zu %.1f", (k - 1) * STEP, y_of(p, p->points[k - 1].p50));
		buf_add_char(&d, 'z');
	}
	return view_keep(p->v, buf_take(&d));
}

/* A tick hangs from the top, the longer the larger the share that failed. */
static const char *draw_failures(const struct plot *p)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0; i < p->n; i++) {
		const struct point *q = &p->points[i];
		if (q->n > q->ok)
			buf_printf(&d, "M%zu 0v%.0f", i * STEP,
				8 + 42 * (double)(q->n - q->ok) / (double)q->n);
	}
	return view_keep(p->v, buf_take(&d));
}

static size_t width_of(const struct plot *p)
{
	return p->n > 1 ? (p->n - 1) * STEP : STEP;
}

/* Half a step around each point, as far as the picture goes. */
static const char *draw_unmeasured(const struct plot *p)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0, end; i < p->n; i = end) {
		for (end = i + 1; end < p->n && !p->points[end].n == !p->points[i].n;)
			end++;
		if (p->points[i].n)
			continue;
		const size_t left = i ? i * STEP - STEP / 2 : 0;
		const size_t right = end < p->n ? end * STEP - STEP / 2 : width_of(p);
		buf_printf(&d, "M%zu 0H%zuv100H%zuz", left, right, left);
	}
	return view_keep(p->v, buf_take(&d));
}

static json_t *y_labels(const struct plot *p, double step)
{
	json_t *all = json_array();
	const int lines = (int)lround(p->top / step);
	for (int i = 1; i <= lines; i++) {
		const double ms = step * i;
		json_t *o = json_pack("{s:s}", "text", say_duration(p->v, ms));
		/* of the plot's 140 pixels; the text stands on its line */
		json_object_set_new(o, "y", json_sprintf("%.1f", 16 + y_of(p, ms) * 1.4));
		json_object_set_new(o, "text_y", json_sprintf("%.1f", 12 + y_of(p, ms) * 1.4));
		json_array_append_new(all, o);
	}
	return all;
}

#define MINUTE    60000LL
#define HOURS_MAX (48 * 60 * MINUTE) /* beyond that words and rows are of days */

/* Round times of UTC; not those whose words would leave the picture. */
static json_t *x_labels(const struct plot *p, int64_t from, int64_t to)
{
	const int64_t step = to - from <= 120 * MINUTE   ? 15 * MINUTE
			     : to - from <= 480 * MINUTE ? 60 * MINUTE
			     : to - from <= HOURS_MAX    ? 360 * MINUTE
							 : DAY_S * 1000LL;
	json_t *all = json_array();
	if (to <= from)
		return all;
	for (int64_t at = (from + step - 1) / step * step; at < to && json_array_size(all) < 8;
		at += step) {
		const double x = (double)(at - from) / (double)(to - from) * 100;
		if (x > 4 && x < 96)
			json_array_append_new(all,
				json_pack("{s:o, s:s}", "x", json_sprintf("%.1f%%", x), "text",
					to - from <= HOURS_MAX ? say_hour(p->v, at)
							       : say_day_short(p->v, day_of(at))));
	}
	return all;
}

/* One row an hour, or a day: enough to read, and 24 of them, or seven. */
static json_t *table_rows(const struct plot *p, bool days)
{
	const int64_t unit = days ? DAY_S * 1000LL : 60 * MINUTE;
	json_t *rows = json_array();
	for (size_t i = 0, end; i < p->n; i = end) {
		const int64_t begin = p->points[i].at_ms / unit;
		int64_t n = 0, ok = 0;
		double low = -1, high = -1, worst = -1;
		for (end = i; end < p->n && p->points[end].at_ms / unit == begin; end++) {
			const struct point *q = &p->points[end];
			n += q->n;
			ok += q->ok;
			if (q->drawn && (low < 0 || q->p50 < low))
				low = q->p50;
			if (q->drawn && q->p50 > high)
				high = q->p50;
			if (q->drawn && q->max > worst)
				worst = q->max;
		}
		json_t *o = json_pack("{s:s, s:s, s:s}", "at",
			days ? say_day_short(p->v, begin) : say_hour(p->v, begin * unit), "n",
			say_number(p->v, n), "failed", say_number(p->v, n - ok));
		const char *a = low < 0 ? NULL : say_duration(p->v, low);
		const char *b = high < 0 ? NULL : say_duration(p->v, high);
		view_put(o, "median", a && b && low < high ? say(p->v, "from_to", a, b, NULL) : a);
		view_put(o, "worst", worst < 0 ? NULL : say_duration(p->v, worst));
		json_array_append_new(rows, o);
	}
	return rows;
}

/* What both draw: the paths, in units of the plot. */
static json_t *paths(const struct plot *p)
{
	return json_pack("{s:I, s:s, s:s, s:s, s:s}", "width", (json_int_t)width_of(p), "line",
		draw_line(p), "band", draw_band(p), "failures", draw_failures(p), "unmeasured",
		draw_unmeasured(p));
}

static bool measured(const struct plot *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (p->points[i].n)
			return true;
	return false;
}

static void put_summary(json_t *o, const struct plot *p, const json_t *trend)
{
	int64_t n = 0, ok = 0;
	for (size_t i = 0; i < p->n; i++) {
		n += p->points[i].n;
		ok += p->points[i].ok;
	}
	const int64_t ms = json_int(trend, "to_ms", 0) - json_int(trend, "from_ms", 0);
	const char *span = ms % (60 * MINUTE) == 0 && ms <= HOURS_MAX
				   ? say(p->v, "unit_h", say_number(p->v, ms / (60 * MINUTE)), NULL)
				   : say_duration(p->v, (double)ms);
	view_put(o, "summary",
		n > 0 ? say(p->v, n == 1 ? "trend_summary_one" : "trend_summary_many", span,
				say_number(p->v, n), say_number(p->v, n - ok), NULL)
		      : say(p->v, "trend_none", span, NULL));
}

json_t *trend_view(struct view *v, const json_t *trend)
{
	struct plot p = read_plot(v, json_object_get(trend, "points"));
	const int64_t from = json_int(trend, "from_ms", 0), to = json_int(trend, "to_ms", 0);
	json_t *o = json_object();
	if (measured(&p)) {
		const double step = scale(&p);
		const bool days = to - from > HOURS_MAX;
		json_t *plot = paths(&p);
		json_object_set_new(plot, "ys", y_labels(&p, step));
		json_object_set_new(plot, "xs", x_labels(&p, from, to));
		view_put(plot, "unit", say(v, days ? "day" : "hour", NULL));
		view_put(plot, "caption", say(v, days ? "table_days" : "table_hours", NULL));
		json_object_set_new(plot, "rows", table_rows(&p, days));
		json_object_set_new(o, "plot", plot);
	}
	put_summary(o, &p, trend);
	free(p.points);
	return o;
}

json_t *spark_view(struct view *v, const json_t *trend)
{
	struct plot p = read_plot(v, json_object_get(trend, "points"));
	json_t *o = json_object();
	p.top = p.top > 0 ? p.top : 1;
	json_object_set_new(o, "plot", measured(&p) ? paths(&p) : json_null());
	put_summary(o, &p, trend);
	free(p.points);
	return o;
}

/*
 * explore_plot.c - a series drawn step by step: its median as a line, percentiles around it as
 * smoke, the denser the nearer, failures as marks that hang from the top.
 *
 * Nothing is drawn between two steps that was not measured: a column is as wide as the series has
 * steps from one measurement to the next when nothing is missing, mostly one.
 * Marks are in units of the plot (x: 1 a step; y: 0 top to 100), labels in percent of it.
 */

#include <math.h>
#include <string.h>

#include "base/json.h"
#include "web/model.h"
#include "web/pages/view.h"

#define MEDIAN (MODEL_SMOKE / 2)
#define ROWS   24 /* of the table */

#define MINUTE 60000LL
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

struct column {
	int64_t at_ms, n, ok;
	bool drawn, smoky;
	double q[MODEL_SMOKE]; /* of one without smoke its value in the middle */
	double min, max;
};

struct smoke {
	struct view *v;
	struct column *columns;
	size_t n;
	size_t apart; /* columns from one that was measured to the next, as a rule */
	const char *unit;
	bool rate;
	double low, high;
};

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static struct column read_column(const json_t *o)
{
	const json_t *smoke = json_object_get(o, "smoke"), *value = json_object_get(o, "value");
	struct column c = {.at_ms = json_int(o, "at_ms", 0),
		.n = json_int(o, "n", 0),
		.ok = json_int(o, "ok", 0),
		.min = number(o, "min"),
		.max = number(o, "max")};
	c.smoky = json_array_size(smoke) == MODEL_SMOKE;
	c.drawn = c.n > 0 && (c.smoky || json_is_number(value));
	for (size_t i = 0; c.drawn && i < MODEL_SMOKE; i++)
		c.q[i] = json_number_value(c.smoky ? json_array_get(smoke, i) : value);
	return c;
}

static int by_size(const void *a, const void *b)
{
	const size_t x = *(const size_t *)a, y = *(const size_t *)b;
	return (x > y) - (x < y);
}

/* The median of the distances; 1 while there are too few to tell. */
static size_t usual_distance(const struct column *columns, size_t n)
{
	VEC(size_t) all = {0};
	size_t last = n, ret = 1;
	for (size_t i = 0; i < n; i++) {
		if (!columns[i].n)
			continue;
		if (last < n)
			vec_push(&all, i - last);
		last = i;
	}
	if (all.n >= 2) {
		qsort(all.p, all.n, sizeof(*all.p), by_size);
		ret = all.p[all.n / 2];
	}
	vec_fini(&all);
	return ret;
}

/* How far what was measured in a column holds. */
static size_t width_of(const struct smoke *s, size_t i)
{
	size_t next = i + 1;
	while (next < s->n && !s->columns[next].n)
		next++;
	/* times waver a little */
	const size_t most = s->apart > 1 ? s->apart + 1 : 1;
	return next - i <= most ? next - i : s->apart;
}

static struct smoke read_smoke(struct view *v, const json_t *drawn)
{
	const json_t *points = json_object_get(drawn, "points");
	const char *kind = json_str(drawn, "kind"), *unit = json_str(drawn, "unit");
	struct smoke s = {.v = v, .n = json_array_size(points), .unit = unit ? unit : ""};
	s.rate = kind && !strcmp(kind, "sum");
	s.columns = mem_new_array(s.n ? s.n : 1, sizeof(*s.columns));
	for (size_t i = 0; i < s.n; i++)
		s.columns[i] = read_column(json_array_get(points, i));
	s.apart = usual_distance(s.columns, s.n);
	return s;
}

bool smoke_range(const json_t *drawn, double *low, double *high)
{
	struct smoke s = read_smoke(NULL, drawn);
	bool any = false;
	for (size_t i = 0; i < s.n; i++) {
		const struct column *c = &s.columns[i];
		if (!c->drawn)
			continue;
		*low = fmin(*low, c->q[0]);
		*high = fmax(*high, c->q[MODEL_SMOKE - 1]);
		any = true;
	}
	free(s.columns);
	return any;
}

const char *say_value(struct view *v, double x, const char *unit, bool rate)
{
	if (!strcmp(unit, "ms") && !rate)
		return say_duration(v, x);
	const double size = fabs(x);
	const char *text = size >= 1e15 || (size > 0 && size < 0.0005)
				   ? view_keep(v, mem_printf("%.3g", x))
			   : size >= 1000 || x == floor(x) ? say_number(v, (int64_t)llround(x))
							   : say_real(v, x, size < 10 ? 3 : 1);
	if (*unit)
		text = view_keep(v, mem_printf("%s %s", text, unit));
	return rate ? say(v, "explore_rate", text, NULL) : text;
}

/* --- the picture ------------------------------------------------------------------------------ */

static double y_of(const struct smoke *s, double x)
{
	return 100 - (x - s->low) / (s->high - s->low) * 100;
}

/* From one percentile to another. */
static const char *draw_band(const struct smoke *s, size_t from, size_t to)
{
	struct buf d = BUF(BUF_PAGE);
	for (size_t i = 0; i < s->n; i++) {
		const struct column *c = &s->columns[i];
		const size_t width = c->n ? width_of(s, i) : 0;
		const double top = c->drawn ? y_of(s, c->q[to]) : 0;
		if (c->smoky && c->drawn)
			buf_printf(&d, "M%zu %.1fh%zuv%.1fh-%zuz", i, top, width,
				y_of(s, c->q[from]) - top, width);
	}
	return view_keep(s->v, buf_take(&d));
}

/* A stroke a column, joined to the one before when that is drawn too. */
static const char *draw_line(const struct smoke *s)
{
	struct buf d = BUF(BUF_PAGE);
	size_t end = s->n; /* of the stroke before */
	for (size_t i = 0; i < s->n; i++) {
		const struct column *c = &s->columns[i];
		if (!c->drawn)
			continue;
		const double y = y_of(s, c->q[MEDIAN]);
		if (i == end)
			buf_printf(&d, "V%.1f", y);
		else
			buf_printf(&d, "M%zu %.1f", i, y);
		buf_printf(&d, "h%zu", width_of(s, i));
		end = i + width_of(s, i);
	}
	return view_keep(s->v, buf_take(&d));
}

static const char *draw_failures(const struct smoke *s)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0; i < s->n; i++) {
		const struct column *c = &s->columns[i];
		if (c->n > c->ok)
			buf_printf(&d, "M%zu.5 0v%.0f", i,
				8 + 42 * (double)(c->n - c->ok) / (double)c->n);
	}
	return view_keep(s->v, buf_take(&d));
}

static const char *draw_unmeasured(const struct smoke *s)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0, end; i < s->n; i = end) {
		end = i + 1;
		if (s->columns[i].n) {
			end = i + width_of(s, i);
			continue;
		}
		while (end < s->n && !s->columns[end].n)
			end++;
		buf_printf(&d, "M%zu 0h%zuv100H%zuz", i, end - i, i);
	}
	return view_keep(s->v, buf_take(&d));
}

static json_t *y_labels(const struct smoke *s)
{
	json_t *all = json_array();
	for (int i = 0; i <= 4; i++) {
		const double x = s->low + (s->high - s->low) * i / 4, y = y_of(s, x) * 1.6;
		json_t *o = json_object();
		view_put(o, "text", say_value(s->v, x, s->unit, s->rate));
		/* of the plot's 160 pixels; the text stands on its line */
		json_object_set_new(o, "y", json_sprintf("%.1f", 16 + y));
		json_object_set_new(o, "text_y", json_sprintf("%.1f", 12 + y));
		json_array_append_new(all, o);
	}
	return all;
}

static const char *say_time(struct view *v, int64_t at_ms, int64_t span_ms)
{
	const char *day = say_day_short(v, day_of(at_ms));
	if (span_ms > 10 * DAY)
		return day;
	if (span_ms < 10 * MINUTE)
		return say_clock(v, at_ms);
	return span_ms <= DAY ? say_hour(v, at_ms)
			      : view_keep(v, mem_printf("%s, %s", day, say_hour(v, at_ms)));
}

/* Round times of UTC: as many as fit on a narrow screen, none that would leave it. */
static json_t *x_labels(const struct smoke *s, int64_t from, int64_t to)
{
	static const int64_t steps[] = {30000, MINUTE, 5 * MINUTE, 15 * MINUTE, 30 * MINUTE, HOUR,
		2 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, 90 * DAY, 365 * DAY,
		3650 * DAY};
	const int64_t span = to - from;
	const bool wide = span < 10 * MINUTE || (span > DAY && span <= 10 * DAY);
	const double edge = wide ? 14 : 6;
	json_t *all = json_array();
	size_t i = 0;
	while (i + 1 < array_len(steps) && span > steps[i] * (wide ? 3 : 5))
		i++;
	for (int64_t at = (from + steps[i] - 1) / steps[i] * steps[i]; at < to; at += steps[i]) {
		const double x = (double)(at - from) / (double)span * 100;
		if (x < edge || x > 100 - edge)
			continue;
		json_t *o = json_object();
		json_object_set_new(o, "x", json_sprintf("%.1f%%", x));
		view_put(o, "text", say_time(s->v, at, span));
		json_array_append_new(all, o);
	}
	return all;
}

/* --- words ------------------------------------------------------------------------------------ */

/* "20 – 31 ms", one of them where they are the same. */
static const char *say_between(const struct smoke *s, double low, double high)
{
	const char *a = say_value(s->v, low, s->unit, s->rate);
	const char *b = say_value(s->v, high, s->unit, s->rate);
	return strcmp(a, b) ? say(s->v, "from_to", a, b, NULL) : a;
}

/* Columns from `i` up to `end` as one row. */
static json_t *table_row(const struct smoke *s, size_t i, size_t end, int64_t span_ms)
{
	const int64_t at_ms = s->columns[i].at_ms;
	struct column sum = {.min = INFINITY, .max = -INFINITY, .q = {INFINITY, -INFINITY}};
	for (; i < end; i++) {
		const struct column *c = &s->columns[i];
		sum.n += c->n;
		sum.ok += c->ok;
		if (!c->drawn)
			continue;
		sum.drawn = true;
		sum.q[0] = fmin(sum.q[0], c->q[MEDIAN]);
		sum.q[1] = fmax(sum.q[1], c->q[MEDIAN]);
		sum.min = fmin(sum.min, c->min);
		sum.max = fmax(sum.max, c->max);
	}
	json_t *o = json_object();
	view_put(o, "at", say_time(s->v, at_ms, span_ms));
	view_put(o, "n", say_number(s->v, sum.n));
	view_put(o, "failed", say_number(s->v, sum.n - sum.ok));
	json_object_set_new(o, "bad", json_boolean(sum.n > sum.ok));
	view_put(o, "middle", sum.drawn ? say_between(s, sum.q[0], sum.q[1]) : NULL);
	view_put(o, "least", sum.drawn ? say_value(s->v, sum.min, s->unit, false) : NULL);
	view_put(o, "most", sum.drawn ? say_value(s->v, sum.max, s->unit, false) : NULL);
	return o;
}

static json_t *table_rows(const struct smoke *s, int64_t span_ms)
{
	const size_t each = (s->n + ROWS - 1) / ROWS;
	json_t *rows = json_array();
	for (size_t i = 0; i < s->n; i += each)
		json_array_append_new(
			rows, table_row(s, i, i + each < s->n ? i + each : s->n, span_ms));
	return rows;
}

static json_t *plot(const struct smoke *s, int64_t from, int64_t to)
{
	json_t *o = json_object();
	bool smoky = false;
	for (size_t i = 0; i < s->n; i++)
		smoky |= s->columns[i].smoky;
	json_object_set_new(o, "width", json_integer((json_int_t)s->n));
	view_put(o, "outer", draw_band(s, 0, MODEL_SMOKE - 1));
	view_put(o, "middle", draw_band(s, 1, MODEL_SMOKE - 2));
	view_put(o, "inner", draw_band(s, 2, MODEL_SMOKE - 3));
	view_put(o, "line", draw_line(s));
	view_put(o, "failures", draw_failures(s));
	view_put(o, "unmeasured", draw_unmeasured(s));
	json_object_set_new(o, "ys", y_labels(s));
	json_object_set_new(o, "xs", x_labels(s, from, to));
	view_put(o, "line_is",
		say(s->v,
			smoky     ? "median"
			: s->rate ? "explore_added"
				  : "explore_mean",
			NULL));
	json_object_set_new(o, "rows", table_rows(s, to - from));
	return o;
}

json_t *smoke_view(struct view *v, const json_t *drawn, double low, double high)
{
	struct smoke s = read_smoke(v, drawn);
	const int64_t from = json_int(v->model, "from_ms", 0), to = json_int(v->model, "to_ms", 0);
	int64_t n = 0, ok = 0;
	json_t *o = json_object();
	for (size_t i = 0; i < s.n; i++) {
		n += s.columns[i].n;
		ok += s.columns[i].ok;
	}
	s.low = low;
	s.high = high > low ? high : low + 1;
	view_put(o, "summary",
		!n        ? say(v, "explore_nothing", NULL)
		: n == ok ? say(v, "explore_all_well", say_number(v, n), NULL)
			  : say(v, "explore_failed", say_number(v, n), say_number(v, n - ok),
				    say_percent(v, (double)(n - ok) / (double)n, ROUND_UP), NULL));
	json_object_set_new(o, "bad", json_boolean(n > ok));
	json_object_set_new(o, "plot", n && to > from ? plot(&s, from, to) : json_null());
	free(s.columns);
	return o;
}

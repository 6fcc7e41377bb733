/*
 * house_explore.c - the document EXPLORE: series found by a pattern or chosen, and what some of
 * them were, step by step; see model.h.
 *
 * There may be very many series: they are looked through a little at a time, so that nothing else
 * waits. Steps are taken from a ladder, so that roll-ups serve all but the short ones.
 */

#include <fnmatch.h>
#include <string.h>

#include "base/units.h"
#include "judge/graphite/graphite.h"
#include "web/house_inside.h"

#define TURN        1000 /* series looked at before others have their turn */
#define COLUMNS     144
#define COLUMNS_MIN 10
#define PATTERN_MAX 500 /* bytes */
#define MINUTE_MS   60000LL
#define TEN_MINUTES (10 * MINUTE_MS)

struct explore_drawn {
	struct house_asked *asked;
	struct series *series;
	struct series_point *points; /* one a step */
	struct error err;
};

struct explore_read {
	const char *pattern, *from, *until; /* borrowed of the arguments, or what stands for them */
	char *glob;                         /* the pattern as it is matched */
	const json_t *chosen;
	struct error wrong;
	int64_t from_ms, to_ms, step_ms, columns;
	size_t count;    /* steps */
	size_t next;     /* the series to look at */
	struct map rows; /* text: its row in `list`, borrowed */
	json_t *list;    /* the document's */
	int64_t more, not_drawn;
	struct explore_drawn drawn[MODEL_DRAWN];
	size_t drawn_count;
};

static void explore_fini(void *own)
{
	struct explore_read *r = own;
	for (size_t i = 0; i < r->drawn_count; i++) {
		for (size_t k = 0; k < r->count; k++)
			series_point_fini(&r->drawn[i].points[k]);
		free(r->drawn[i].points);
	}
	map_fini(&r->rows);
	free(r->glob);
}

/* --- the question ----------------------------------------------------------------------------- */

static bool read_moment(struct house_asked *a, const char *name, const char *text, int64_t *ret_ms)
{
	struct explore_read *r = a->own;
	int64_t s = 0;
	if (!graphite_moment(text, a->now_ms / 1000, NULL, &s, &r->wrong)) {
		error_wrap(&r->wrong, "%s", name);
		return false;
	}
	*ret_ms = s * 1000;
	return true;
}

/* The shortest step that is kept that far back. */
static int64_t step_least(const struct house_asked *a, int64_t from_ms)
{
	const struct series_kept kept = series_kept(a->house->series);
	const int64_t age_ms = a->now_ms - from_ms + SERIES_HOUR_MS; /* what rounds down too */
	return age_ms >= kept.hours_ms         ? SERIES_DAY_MS
	       : age_ms >= kept.ten_minutes_ms ? SERIES_HOUR_MS
	       : age_ms >= kept.raw_ms         ? TEN_MINUTES
					       : 1000;
}

/* Steps that begin at whole multiples of themselves; the last one may reach into the future. */
static void cut(struct house_asked *a)
{
	static const int64_t ladder[] = {1000, 2000, 5000, 10000, 15000, 30000, MINUTE_MS,
		2 * MINUTE_MS, 5 * MINUTE_MS, TEN_MINUTES, 2 * TEN_MINUTES, 3 * TEN_MINUTES,
		SERIES_HOUR_MS, 2 * SERIES_HOUR_MS, 3 * SERIES_HOUR_MS, 6 * SERIES_HOUR_MS,
		12 * SERIES_HOUR_MS, SERIES_DAY_MS, 2 * SERIES_DAY_MS, 7 * SERIES_DAY_MS,
		14 * SERIES_DAY_MS, 30 * SERIES_DAY_MS, 90 * SERIES_DAY_MS, 365 * SERIES_DAY_MS};
	struct explore_read *r = a->own;
	const int64_t least = step_least(a, r->from_ms), span = r->to_ms - r->from_ms;
	size_t i = 0;
	while (i + 1 < array_len(ladder) && (ladder[i] < least || span > ladder[i] * r->columns))
		i++;
	r->step_ms = ladder[i];
	r->from_ms -= r->from_ms % r->step_ms;
	r->to_ms += (r->step_ms - r->to_ms % r->step_ms) % r->step_ms;
	r->count = (size_t)((r->to_ms - r->from_ms) / r->step_ms);
}

static bool read_times(struct house_asked *a)
{
	struct explore_read *r = a->own;
	if (!read_moment(a, "from", r->from, &r->from_ms) ||
		!read_moment(a, "until", r->until, &r->to_ms))
		return false;
	if (r->from_ms > r->to_ms) {
		const int64_t later = r->from_ms;
		r->from_ms = r->to_ms;
		r->to_ms = later;
	}
	if (r->from_ms < r->to_ms && r->to_ms / 1000 == a->now_ms / 1000)
		r->to_ms = a->now_ms + 1; /* its text is of whole seconds, this one is not over */
	if (r->from_ms == r->to_ms)
		error_set(&r->wrong, ERROR_INPUT, "from and until are the same moment");
	else if (r->from_ms < 0 || r->to_ms > a->now_ms + SERIES_DAY_MS)
		error_set(&r->wrong, ERROR_INPUT,
			"from and until lie between 1970 and tomorrow, such as -6h and now");
	return !r->wrong.kind;
}

static bool read_columns(struct house_asked *a)
{
	struct explore_read *r = a->own;
	const char *text = json_str(a->args, "columns");
	r->columns = COLUMNS;
	if (text && *text &&
		(!units_parse_int(slice_of(text), &r->columns) || r->columns < COLUMNS_MIN ||
			r->columns > MODEL_COLUMNS)) {
		r->columns = COLUMNS;
		error_set(&r->wrong, ERROR_INPUT,
			"columns: \"%.40s\" is no whole number from %d to %d", text, COLUMNS_MIN,
			MODEL_COLUMNS);
		return false;
	}
	return true;
}

/* Without a wildcard it is looked for anywhere in a name. */
static bool read_pattern(struct house_asked *a)
{
	struct explore_read *r = a->own;
	const bool bare = !strpbrk(r->pattern, "*?[");
	r->chosen = json_object_get(a->args, "series");
	r->glob = bare ? mem_printf("*%s*", r->pattern) : mem_strdup(r->pattern);
	if (strlen(r->pattern) > PATTERN_MAX)
		error_set(&r->wrong, ERROR_INPUT, "a pattern has at most %d bytes", PATTERN_MAX);
	else if (json_array_size(r->chosen) > MODEL_DRAWN)
		error_set(&r->wrong, ERROR_INPUT, "at most %d series are drawn at once, not %zu",
			MODEL_DRAWN, json_array_size(r->chosen));
	return !r->wrong.kind;
}

static const char *parameter(const struct house_asked *a, const char *name, const char *otherwise)
{
	const char *text = json_str(a->args, name);
	return text && *text ? text : otherwise;
}

/* --- looking ---------------------------------------------------------------------------------- */

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct explore_drawn *d = arg;
	const struct explore_read *r = d->asked->own;
	if (err)
		d->err = *err;
	for (size_t i = 0; !err && i < points->n; i++) {
		const int64_t at = (points->p[i].at_ms - r->from_ms) / r->step_ms;
		if (points->p[i].n && at >= 0 && (size_t)at < r->count)
			series_point_merge(&d->points[at], &points->p[i]);
	}
	asked_part_done(d->asked);
}

static void draw(struct house_asked *a, struct series *s)
{
	struct explore_read *r = a->own;
	if (r->drawn_count == MODEL_DRAWN) {
		r->not_drawn++;
		return;
	}
	struct explore_drawn *d = &r->drawn[r->drawn_count++];
	d->asked = a;
	d->series = s;
	d->points = mem_new_array(r->count, sizeof(*d->points));
	a->parts_due++;
	series_read(s, r->from_ms, r->to_ms, r->step_ms, false, on_points, d);
}

/* One of that text was met, in one location more. */
static void put_row(struct explore_read *r, struct series *s, bool chosen)
{
	const char *text = series_text(s), *unit = series_unit(s);
	json_t *row = map_get(&r->rows, text);
	if (row) {
		put_int(row, "locations", json_int(row, "locations", 0) + 1);
	} else if (r->rows.n == MODEL_LISTED) {
		r->more++;
	} else {
		row = json_pack("{s:s, s:s, s:s, s:i, s:b}", "text", text, "kind",
			series_kind_name(series_kind(s)), "unit", strcmp(unit, "us") ? unit : "ms",
			"locations", 1, "chosen", chosen);
		json_array_append_new(r->list, row);
		map_put(&r->rows, text, row);
	}
}

static void look_at(struct house_asked *a, struct series *s)
{
	struct explore_read *r = a->own;
	const bool matches = fnmatch(r->glob, series_name(s), 0) == 0 ||
			     fnmatch(r->glob, series_text(s), 0) == 0 ||
			     strcmp(r->pattern, series_text(s)) == 0;
	const bool chosen = json_has_text(r->chosen, slice_of(series_text(s)));
	if (matches || chosen)
		put_row(r, s, chosen);
	if (json_array_size(r->chosen) ? chosen : matches && r->pattern[0])
		draw(a, s);
}

static void look_on(struct timer *t)
{
	struct house_asked *a = t->arg;
	struct explore_read *r = a->own;
	struct series *s = NULL;
	for (size_t i = 0; i < TURN && a->answer; i++) {
		s = series_nth(a->house->series, r->next++);
		if (!s)
			break;
		look_at(a, s);
	}
	if (s && a->answer)
		timer_start(a->house->loop, &a->turn, 0, look_on, a);
	else
		asked_part_done(a);
}

static int begin_explore(struct house_asked *a)
{
	struct explore_read *r = mem_new(struct explore_read);
	a->own = r;
	a->own_fini = explore_fini;
	a->doc = json_object();
	r->pattern = parameter(a, "pattern", "");
	r->from = parameter(a, "from", "-1d");
	r->until = parameter(a, "until", "now");
	r->list = json_array();
	put(a->doc, "list", r->list);
	if (!read_pattern(a) || !read_columns(a) || !read_times(a))
		return 0;
	cut(a);
	a->parts_due++;
	timer_start(a->house->loop, &a->turn, 0, look_on, a);
	return 0;
}

/* --- the document ----------------------------------------------------------------------------- */

static const double quantiles[MODEL_SMOKE] = {0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95};

static json_t *point_json(
	const struct explore_drawn *d, const struct series_point *p, int64_t at_ms, int64_t span_ms)
{
	const double unit = strcmp(series_unit(d->series), "us") ? 1 : 1000;
	json_t *j = json_object();
	put_int(j, "at_ms", at_ms);
	put_int(j, "n", (int64_t)p->n);
	put_int(j, "ok", (int64_t)p->ok);
	if (!p->ok)
		return j;
	if (series_hist_count(&p->hist)) {
		json_t *smoke = json_array();
		for (size_t i = 0; i < MODEL_SMOKE; i++)
			json_array_append_new(
				smoke, json_real(series_point_quantile(p, quantiles[i]) / unit));
		put(j, "smoke", smoke);
	} else if (series_kind(d->series) == SERIES_SUM) {
		put(j, "value", json_real(p->sum * 1000 / (double)span_ms));
	} else {
		put(j, "value", json_real(p->sum / (double)p->ok / unit));
	}
	put(j, "min", json_real(p->min / unit));
	put(j, "max", json_real(p->max / unit));
	return j;
}

static json_t *drawn_json(const struct explore_read *r, const struct explore_drawn *d)
{
	const char *unit = series_unit(d->series);
	json_t *j = json_object(), *points = json_array();
	struct series_point total = {0};
	put_text(j, "text", series_text(d->series));
	put_text(j, "kind", series_kind_name(series_kind(d->series)));
	put_text(j, "unit", strcmp(unit, "us") ? unit : "ms");
	put_text(j, "location", series_location(d->series));
	put_text(j, "why", d->err.kind ? d->err.msg : NULL);
	for (size_t i = 0; i < r->count; i++) {
		json_array_append_new(
			points, point_json(d, &d->points[i], r->from_ms + (int64_t)i * r->step_ms,
					r->step_ms));
		if (d->points[i].n)
			series_point_merge(&total, &d->points[i]);
	}
	put(j, "points", points);
	put(j, "total", point_json(d, &total, r->from_ms, r->to_ms - r->from_ms));
	series_point_fini(&total);
	return j;
}

static bool read_explore(struct house_asked *a)
{
	const struct explore_read *r = a->own;
	a->read = json_array();
	for (size_t i = 0; i < r->drawn_count; i++)
		json_array_append_new(a->read, drawn_json(r, &r->drawn[i]));
	return true;
}

static json_t *absent_json(const struct explore_read *r)
{
	json_t *absent = json_array(), *text;
	size_t i;
	json_array_foreach (r->chosen, i, text) {
		bool there = false;
		for (size_t k = 0; k < r->drawn_count && !there; k++)
			there = !strcmp(json_string_value(text), series_text(r->drawn[k].series));
		if (!there)
			json_array_append(absent, text);
	}
	return absent;
}

static int end_explore(struct house_asked *a)
{
	const struct explore_read *r = a->own;
	const bool wrong = r->wrong.kind != ERROR_NONE;
	json_t *j = a->doc;
	put_text(j, "pattern", r->pattern);
	put_text(j, "from", r->from);
	put_text(j, "until", r->until);
	put(j, "chosen", r->chosen ? json_deep_copy(r->chosen) : json_array());
	put_text(j, "wrong", wrong ? r->wrong.msg : NULL);
	put_int(j, "from_ms", r->from_ms);
	put_int(j, "to_ms", r->to_ms);
	put_int(j, "step_ms", r->step_ms);
	put_int(j, "columns", r->columns);
	put_int(j, "more", r->more);
	put_int(j, "not_drawn", r->not_drawn);
	put(j, "absent", wrong ? json_array() : absent_json(r));
	put(j, "drawn", json_incref(a->read));
	return 200;
}

const struct house_question explore_question = {
	"explore", true, begin_explore, read_explore, end_explore};

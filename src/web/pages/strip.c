/*
 * strip.c - days as a strip of bars, and a year as weeks.
 *
 * A strip is one path a state: days in a row of one state are one line, which the style sheet
 * dashes into bars (4 units a day, 3 of them drawn), so that 90 good days take 20 bytes. The taller
 * a bar the worse the day, so that colour never stands alone; what was unknown or not observed for
 * a part of a day is hatched from the top by its share. A day that is mostly unknown or unobserved
 * is not drawn as good.
 */

#include "web/pages/view.h"

#include <inttypes.h>
#include <string.h>

#include "base/json.h"

#define STEP   4 /* units of a day */
#define BAR    3
#define HEIGHT 28
#define RECENT 30 /* days, of those that are linked where a strip has one link */

struct day {
	int64_t day, seconds[HEALTH_COUNT], gap;
	int kind;
};

static int64_t known(const struct day *d)
{
	return d->seconds[HEALTH_OPERATIONAL] + d->seconds[HEALTH_DEGRADED] +
	       d->seconds[HEALTH_OUTAGE] + d->seconds[HEALTH_MAINTENANCE];
}

static int kind_of(const struct day *d)
{
	const int64_t good = known(d), unknown = d->seconds[HEALTH_UNKNOWN];
	if (d->seconds[HEALTH_OUTAGE] > 0)
		return HEALTH_OUTAGE;
	if (d->seconds[HEALTH_DEGRADED] > 0)
		return HEALTH_DEGRADED;
	if (!good || good < unknown + d->gap)
		return unknown >= d->gap && unknown > 0 ? (int)HEALTH_UNKNOWN : (int)STRIP_GAP;
	return d->seconds[HEALTH_MAINTENANCE] > 0 ? HEALTH_MAINTENANCE : HEALTH_OPERATIONAL;
}

static struct day read_day(const json_t *o)
{
	struct day d = {.day = json_int(o, "day", 0), .gap = json_int(o, "gap", 0)};
	const json_t *s = json_object_get(o, "s");
	for (size_t h = 0; h < HEALTH_COUNT; h++)
		d.seconds[h] = json_integer_value(json_array_get(s, h));
	d.kind = kind_of(&d);
	return d;
}

/* The last `count` days; those that the model has not are not observed. Returns owned. */
static struct day *read_days(const struct view *v, const json_t *days, size_t count)
{
	struct day *all = mem_new_array(count, sizeof(*all));
	const size_t n = json_array_size(days), have = n < count ? n : count;
	for (size_t i = 0; i < count; i++)
		all[i] = (struct day){.kind = STRIP_GAP};
	for (size_t i = 0; i < have; i++)
		all[count - have + i] = read_day(json_array_get(days, n - have + i));
	/* what is missing counts back from the oldest that is there, or from today */
	all[count - 1].day = have ? all[count - 1].day : day_of(v->now_ms);
	for (size_t i = count - (have ? have : 1); i > 0; i--)
		all[i - 1].day = all[i].day - 1;
	return all;
}

/* The class of its path: short, it stands in each of fifty strips. */
static const char *kind_name(int kind)
{
	static const char *const names[STRIP_KINDS] = {
		[HEALTH_OPERATIONAL] = "o",
		[HEALTH_DEGRADED] = "d",
		[HEALTH_OUTAGE] = "x",
		[HEALTH_UNKNOWN] = "u",
		[HEALTH_MAINTENANCE] = "m",
		[STRIP_GAP] = "g",
	};
	return names[kind];
}

static void add_path(json_t *paths, const char *name, struct buf *d)
{
	if (d->n)
		json_array_append_new(
			paths, json_pack("{s:s, s:s}", "name", name, "d", buf_str(d)));
	buf_fini(d);
}

/* --- the strip -------------------------------------------------------------------------------- */

/* The line through the bars of one state. */
static void draw_kind(json_t *paths, const struct day *days, size_t n, int kind)
{
	static const int middle[STRIP_KINDS] = {[HEALTH_OPERATIONAL] = 20,
		[HEALTH_DEGRADED] = 17,
		[HEALTH_OUTAGE] = 14,
		[HEALTH_UNKNOWN] = 20,
		[HEALTH_MAINTENANCE] = 20,
		[STRIP_GAP] = 20};
	struct buf d = BUF(BUF_LINE);
	size_t pen = 0; /* where the last line ended */
	for (size_t i = 0, end; i < n; i = end) {
		for (end = i + 1; end < n && days[end].kind == days[i].kind;)
			end++;
		if (days[i].kind != kind)
			continue;
		if (!d.n)
			buf_printf(&d, "M%zu %d", i * STEP, middle[kind]);
		else
			buf_printf(&d, "m%zu 0", i * STEP - pen);
		pen = end * STEP - (STEP - BAR);
		buf_printf(&d, "h%zu", pen - i * STEP);
	}
	add_path(paths, kind_name(kind), &d);
}

/* The part of a day that was unknown, or not observed, hatched over its bar. */
static void draw_part(json_t *paths, const struct day *days, size_t n, bool gap)
{
	struct buf d = BUF(BUF_LINE);
	for (size_t i = 0; i < n; i++) {
		const struct day *day = &days[i];
		const int64_t unknown = day->seconds[HEALTH_UNKNOWN];
		const int64_t total = known(day) + unknown + day->gap;
		const int64_t part = gap ? day->gap : unknown, before = gap ? unknown : 0;
		if (day->kind == HEALTH_UNKNOWN || day->kind == STRIP_GAP || part * 100 < total ||
			!total)
			continue;
		const int bar = day->kind == HEALTH_OUTAGE     ? 28
				: day->kind == HEALTH_DEGRADED ? 22
							       : 16;
		const int from = HEIGHT - bar + (int)(before * bar / total);
		int tall = (int)(part * bar / total);
		tall = tall < 3 ? 3 : tall;
		if (from + tall > HEIGHT)
			tall = HEIGHT - from;
		buf_printf(&d, "M%zu %dh%dv%dh-%dz", i * STEP, from, BAR, tall, BAR);
	}
	add_path(paths, gap ? "pg" : "pu", &d);
}

static int64_t seconds_of(const struct day *d, int kind)
{
	return kind == STRIP_GAP ? d->gap : d->seconds[kind];
}

static const char *kind_word(struct view *v, int kind)
{
	static const char *const keys[STRIP_KINDS] = {
		[HEALTH_OPERATIONAL] = "strip_operational",
		[HEALTH_DEGRADED] = "strip_degraded",
		[HEALTH_OUTAGE] = "strip_outage",
		[HEALTH_UNKNOWN] = "strip_unknown",
		[HEALTH_MAINTENANCE] = "strip_maintenance",
		[STRIP_GAP] = "strip_gap",
	};
	return say(v, keys[kind], NULL);
}

/* Days in a row that were not green are one link, newest first; not those that we did not observe,
 * which are the same for all. */
static json_t *link_days(
	struct view *v, const struct day *days, size_t n, const char *href, size_t links)
{
	json_t *all = json_array();
	for (size_t end = n, i; end > 0 && json_array_size(all) < links; end = i) {
		if (links == 1 && n - end >= RECENT)
			break;
		const int kind = days[end - 1].kind;
		int64_t seconds = 0;
		for (i = end; i > 0 && days[i - 1].kind == kind; i--)
			seconds += seconds_of(&days[i - 1], kind);
		if (kind == HEALTH_OPERATIONAL || kind == STRIP_GAP)
			continue;
		const char *when = say_day_short(v, days[i].day);
		if (end - i > 1)
			when = say(v, "from_to", when, say_day_short(v, days[end - 1].day), NULL);
		const char *what = say(v, "strip_day", when, kind_word(v, kind),
			say_duration(v, (double)seconds * 1000), NULL);
		const size_t wide = (end - i) * STEP - (STEP - BAR);
		json_array_append_new(
			all, json_pack("{s:o, s:s, s:o}", "href",
				     json_sprintf("%s#d%lld", href, (long long)days[i].day), "what",
				     what, "d",
				     json_sprintf("M%zu %dh%zu", i * STEP, HEIGHT / 2, wide)));
	}
	return all;
}

/* "86 operational, 2 degraded, 2 outage" */
static const char *count_days(struct view *v, const struct day *days, size_t n)
{
	static const int order[] = {HEALTH_OPERATIONAL, HEALTH_DEGRADED, HEALTH_OUTAGE,
		HEALTH_MAINTENANCE, HEALTH_UNKNOWN, STRIP_GAP};
	struct buf all = BUF(BUF_LINE);
	for (size_t k = 0; k < array_len(order); k++) {
		int64_t count = 0;
		for (size_t i = 0; i < n; i++)
			count += days[i].kind == order[k];
		if (count)
			buf_printf(&all, "%s%s %s", all.n ? ", " : "", say_number(v, count),
				kind_word(v, order[k]));
	}
	return view_keep(v, buf_take(&all));
}

json_t *strip_view(struct view *v, const json_t *days, size_t count, const char *href, size_t links)
{
	struct day *all = read_days(v, days, count);
	json_t *paths = json_array();
	for (int kind = 0; kind < STRIP_KINDS; kind++)
		draw_kind(paths, all, count, kind);
	draw_part(paths, all, count, false);
	draw_part(paths, all, count, true);
	json_t *o = json_pack("{s:I, s:o, s:o, s:s}", "width",
		(json_int_t)(count * STEP - (STEP - BAR)), "paths", paths, "links",
		link_days(v, all, count, href, links), "text", count_days(v, all, count));
	free(all);
	return o;
}

/* --- the year --------------------------------------------------------------------------------- */

/* Weeks from left to right, Monday to Sunday down; a square says by its size how bad the day was.
 */
static void draw_year_kind(
	json_t *paths, const struct day *days, size_t n, int64_t first_monday, int kind)
{
	struct buf d = BUF(BUF_LINE);
	for (int row = 0; row < 7; row++) {
		int64_t open = -1, column = 0;
		for (size_t i = 0; i <= n; i++) {
			const int64_t at = i < n ? days[i].day - first_monday : -1;
			if (i < n && at % 7 != row)
				continue;
			const bool is = i < n && days[i].kind == kind;
			const int64_t here = i < n ? at / 7 : column + 1;
			if (is && open < 0)
				open = here;
			if (!is && open >= 0) {
				buf_printf(&d, "M%" PRId64 " %dh%" PRId64, open * STEP,
					row * STEP + 2, (column - open) * STEP + BAR);
				open = -1;
			}
			column = here;
		}
	}
	add_path(paths, kind_name(kind), &d);
}

json_t *year_view(struct view *v, const json_t *days)
{
	const size_t n = 365;
	struct day *all = read_days(v, days, n);
	json_t *paths = json_array();
	/* 1970-01-01 was a Thursday */
	const int64_t monday = all[0].day - (all[0].day + 3) % 7;
	for (int kind = 0; kind < STRIP_KINDS; kind++)
		draw_year_kind(paths, all, n, monday, kind);
	free(all);
	return json_pack("{s:o}", "paths", paths);
}

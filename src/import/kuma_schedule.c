/*
 * kuma_schedule.c - when a maintenance of Uptime Kuma is: once, every so many days, on days of the
 * week or the month, or by an expression of cron. Its times are those of its zone.
 */

#include <stdio.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/units.h"
#include "import/kuma_inside.h"

#define DAY_S          86400
#define LENGTH_MIN_S   60
#define LENGTH_MAX_S   (31LL * DAY_S)
#define INTERVAL_MAX   1000
#define CRON_FIELD_MAX 60

static const char *const weekdays[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

/* --- times ------------------------------------------------------------------------------------ */

/* "2026-12-01 22:00:00", or with a T. */
static bool read_moment(const struct import_node *n, int32_t *ret_day, int32_t *ret_s)
{
	struct error err = {0};
	const struct slice all = slice_of(import_text(n));
	const struct slice time = slice_sub(all, 11, all.n);
	return all.n >= 16 && (all.p[10] == ' ' || all.p[10] == 'T') &&
	       calendar_parse_date(slice_sub(all, 0, 10), ret_day, &err) &&
	       calendar_parse_time(time, ret_s, &err);
}

/* {hours, minutes, seconds} */
static bool read_clock(const struct import_node *n, int32_t *ret_s)
{
	int64_t h, m;
	if (!n->y || n->y->kind != YAML_MAP)
		return false;
	const struct import_node hours = import_get(n, "hours"), minutes = import_get(n, "minutes");
	if (!import_whole(&hours, &h) || !import_whole(&minutes, &m) || h < 0 || h > 23 || m < 0 ||
		m > 59)
		return false;
	*ret_s = (int32_t)(h * 3600 + m * 60);
	return true;
}

static struct import_node range_item(
	const struct import_node *item, const char *key, size_t i, struct import_node *list)
{
	*list = import_get(item, key);
	return list->y && list->y->kind == YAML_LIST && i < list->y->n
		       ? import_item(list, i)
		       : (struct import_node){0};
}

static void write_date(int32_t day, char *text, size_t n)
{
	struct error err = {0};
	char date[CALENDAR_DATE_TEXT];
	struct zone *utc = zone_load(NULL, &err);
	snprintf(text, n, "%s", calendar_date(utc, (int64_t)day * DAY_S, date));
	zone_free(utc);
}

/* The days within which it comes again: those on which it can begin. */
static const char *read_range(const struct import_node *item, struct kuma_schedule *s)
{
	struct import_node list;
	const struct import_node first = range_item(item, "dateRange", 0, &list),
				 last = range_item(item, "dateRange", 1, &list);
	int32_t from = 0, to = INT32_MAX, time;
	if (import_text(&first) && *import_text(&first)) {
		if (!read_moment(&first, &from, &time))
			return "its `dateRange` is no date";
		from += time > s->at_s && !s->counted;
		write_date(from, s->from, sizeof(s->from));
	}
	if (import_text(&last) && *import_text(&last)) {
		if (!read_moment(&last, &to, &time))
			return "its `dateRange` is no date";
		to -= time <= s->at_s;
		write_date(to, s->to, sizeof(s->to));
	}
	return to < from || to < 0 ? "it ends before it begins" : NULL;
}

/* --- days ------------------------------------------------------------------------------------- */

static void add_day(struct kuma_schedule *s, const char *text)
{
	json_t *one;
	size_t i;
	if (!s->on)
		s->on = json_array();
	json_array_foreach (s->on, i, one)
		if (!strcmp(json_string_value(one), text))
			return;
	json_array_append_new(s->on, json_string(text));
}

static bool add_weekday(struct kuma_schedule *s, int64_t n)
{
	if (n < 0 || n > 7)
		return false;
	add_day(s, weekdays[n % 7]);
	return true;
}

static bool add_monthday(struct kuma_schedule *s, int64_t n)
{
	char text[8];
	if (n < 1 || n > 31)
		return false;
	snprintf(text, sizeof(text), "%d", (int)n);
	add_day(s, text);
	return true;
}

static const char *read_days(
	const struct import_node *item, const char *key, bool week, struct kuma_schedule *s)
{
	const struct import_node list = import_get(item, key);
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node one = import_item(&list, i);
		const char *text = import_text(&one);
		int64_t n;
		if (text && !week && !strcmp(text, "lastDay1"))
			add_day(s, "last");
		else if (!import_whole(&one, &n) ||
			 !(week ? add_weekday(s, n) : add_monthday(s, n)))
			s->left_out++;
	}
	snprintf(s->every, sizeof(s->every), week ? "week" : "month");
	return s->on ? NULL : "there is no day on which it could be";
}

static const char *read_interval(const struct import_node *item, struct kuma_schedule *s)
{
	const struct import_node interval = import_get(item, "intervalDay");
	int64_t n;
	if (!import_whole(&interval, &n) || n < 1 || n > INTERVAL_MAX)
		return "`intervalDay` is a number of days to 1000";
	s->counted = n > 1;
	if (s->counted)
		snprintf(s->every, sizeof(s->every), "%d days", (int)n);
	else
		snprintf(s->every, sizeof(s->every), "day");
	return NULL;
}

/* --- cron ------------------------------------------------------------------------------------- */

/* "1,3-5": true, and each was taken. */
static bool cron_each(struct slice field, struct kuma_schedule *s,
	bool (*take)(struct kuma_schedule *s, int64_t n))
{
	struct slice one;
	while (slice_next(&field, ',', &one)) {
		const size_t dash = slice_find(one, '-');
		int64_t from, to;
		if (take == add_monthday && slice_is(one, "L")) {
			add_day(s, "last");
			continue;
		}
		if (!units_parse_int(slice_sub(one, 0, dash), &from))
			return false;
		to = from;
		if (dash < one.n && !units_parse_int(slice_sub(one, dash + 1, one.n), &to))
			return false;
		if (from < 0 || to > CRON_FIELD_MAX || to < from)
			return false;
		for (; from <= to; from++)
			if (!take(s, from))
				return false;
	}
	return true;
}

static bool cron_is_any(struct slice field)
{
	return slice_is(field, "*") || slice_is(field, "?");
}

static const char *read_cron(const struct import_node *item, struct kuma_schedule *s)
{
	static const char *const other =
		"of cron one minute and hour, and days of the week or of the month, can be said";
	const struct import_node cron = import_get(item, "cron"),
				 minutes = import_get(item, "durationMinutes");
	struct slice rest = slice_trim(slice_of(import_text(&cron))), fields[5], one;
	size_t n = 0;
	int64_t minute, hour, length;
	while (slice_next(&rest, ' ', &one)) {
		if (one.n && n == array_len(fields))
			return other;
		if (one.n)
			fields[n++] = one;
	}
	if (n != array_len(fields) || !units_parse_int(fields[0], &minute) || minute < 0 ||
		minute > 59 || !units_parse_int(fields[1], &hour) || hour < 0 || hour > 23 ||
		!cron_is_any(fields[3]))
		return other;
	const bool any_month = cron_is_any(fields[2]), any_week = cron_is_any(fields[4]);
	s->at_s = (int32_t)(hour * 3600 + minute * 60);
	if (import_whole(&minutes, &length) && length > 0 && length < LENGTH_MAX_S)
		s->length_s = length * 60;
	snprintf(s->every, sizeof(s->every), !any_month ? "month" : !any_week ? "week" : "day");
	if ((!any_month && !any_week) || (!any_month && !cron_each(fields[2], s, add_monthday)) ||
		(!any_week && !cron_each(fields[4], s, add_weekday)))
		return other;
	return NULL;
}

/* --- all of them ------------------------------------------------------------------------------ */

static const char *read_single(const struct import_node *item, struct kuma_schedule *s)
{
	struct import_node list;
	const struct import_node first = range_item(item, "dateRange", 0, &list),
				 last = range_item(item, "dateRange", 1, &list);
	int32_t from, to, end_s;
	if (!read_moment(&first, &from, &s->at_s) || !read_moment(&last, &to, &end_s))
		return "its `dateRange` is not a begin and an end";
	s->length_s = ((int64_t)to - from) * DAY_S + end_s - s->at_s;
	s->by_clock = s->length_s < DAY_S;
	snprintf(s->every, sizeof(s->every), "day");
	write_date(from, s->from, sizeof(s->from));
	write_date(from, s->to, sizeof(s->to));
	return NULL;
}

static const char *read_times(const struct import_node *item, struct kuma_schedule *s)
{
	struct import_node list;
	const struct import_node first = range_item(item, "timeRange", 0, &list),
				 last = range_item(item, "timeRange", 1, &list);
	int32_t end_s;
	if (!read_clock(&first, &s->at_s) || !read_clock(&last, &end_s))
		return "its `timeRange` is not two times of a day";
	s->length_s = end_s - s->at_s + (end_s < s->at_s ? DAY_S : 0);
	return NULL;
}

const char *kuma_schedule_read(const struct import_node *item, struct kuma_schedule *s)
{
	const struct import_node strategy = import_get(item, "strategy");
	const char *how = import_text(&strategy) ? import_text(&strategy) : "", *why;
	*s = (struct kuma_schedule){0};
	if (!strcmp(how, "manual"))
		return "it begins and ends by hand: `glasshouse maintenance plan` declares one";
	if (!strcmp(how, "single")) {
		why = read_single(item, s);
	} else if (!strcmp(how, "cron")) {
		why = read_cron(item, s);
	} else {
		why = read_times(item, s);
		if (!why)
			why = !strcmp(how, "recurring-interval") ? read_interval(item, s)
			      : !strcmp(how, "recurring-weekday")
				      ? read_days(item, "weekdays", true, s)
			      : !strcmp(how, "recurring-day-of-month")
				      ? read_days(item, "daysOfMonth", false, s)
				      : "there is no such `strategy`";
	}
	if (!why && strcmp(how, "single") != 0)
		why = read_range(item, s);
	if (!why && s->counted && !*s->from)
		why = "days are counted from one, and its `dateRange` has no begin";
	if (!why && (s->length_s < LENGTH_MIN_S || s->length_s > LENGTH_MAX_S))
		why = "it lasts from 1m to 31d";
	return why;
}

/*
 * calendar.c - see calendar.h.
 *
 * Days are looked at one by one from a little before the moment asked for: each is cheap, and no
 * rule of weeks and months can be got wrong by a step that is cleverer than the calendar.
 */

#include "base/calendar.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

#define DAY_S    86400
#define DAY_LAST 84370 /* 2200-12-31 */

/* --- days ------------------------------------------------------------------------------------- */

struct date {
	int64_t year;
	int month, day;
};

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* Proleptic Gregorian; eras of 400 years begin in March. */
static int64_t day_of_date(struct date d)
{
	const int64_t y = d.month <= 2 ? d.year - 1 : d.year;
	const int64_t era = floor_div(y, 400), of_era = y - era * 400;
	const int64_t of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date date_of_day(int64_t day)
{
	const int64_t z = day + 719468, era = floor_div(z, 146097), of_era = z - era * 146097;
	const int64_t y = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
	const int64_t of_year = of_era - (365 * y + y / 4 - y / 100);
	const int64_t m = (5 * of_year + 2) / 153;
	struct date d = {.day = (int)(of_year - (153 * m + 2) / 5 + 1),
		.month = (int)(m < 10 ? m + 3 : m - 9)};
	d.year = y + era * 400 + (d.month <= 2);
	return d;
}

static int days_in_month(struct date d)
{
	const struct date first = {d.year, d.month, 1};
	const struct date next = {
		d.month == 12 ? d.year + 1 : d.year, d.month == 12 ? 1 : d.month + 1, 1};
	return (int)(day_of_date(next) - day_of_date(first));
}

static int weekday_of(int64_t day)
{
	return (int)(((day + 4) % 7 + 7) % 7); /* 1970-01-01 was a Thursday */
}

static int64_t week_of(int64_t day)
{
	return floor_div(day + 3, 7); /* of Monday */
}

/* --- which days ------------------------------------------------------------------------------- */

static bool fits_week(const struct calendar_rule *r, int64_t day)
{
	for (unsigned i = 0; i < r->day_count; i++)
		if (r->days[i].weekday == weekday_of(day))
			return true;
	return !r->day_count && weekday_of(day) == weekday_of(r->from_day);
}

static bool fits_one(const struct calendar_day *d, int64_t day, struct date date)
{
	const int left = days_in_month(date) - date.day;
	if (d->weekday < 0)
		return d->nth == CALENDAR_NTH_LAST ? !left : d->nth == date.day;
	if (d->weekday != weekday_of(day))
		return false;
	if (d->nth == CALENDAR_NTH_LAST)
		return left < 7;
	return !d->nth || d->nth == (date.day - 1) / 7 + 1;
}

static bool fits_month(const struct calendar_rule *r, int64_t day, struct date date)
{
	for (unsigned i = 0; i < r->day_count; i++)
		if (fits_one(&r->days[i], day, date))
			return true;
	return !r->day_count && date.day == date_of_day(r->from_day).day;
}

static bool fits(const struct calendar_rule *r, int64_t day)
{
	const int64_t every = r->interval ? r->interval : 1;
	if (r->every == CALENDAR_DAY)
		return (day - r->from_day) % every == 0;
	if (r->every == CALENDAR_WEEK)
		return (week_of(day) - week_of(r->from_day)) % every == 0 && fits_week(r, day);
	const struct date date = date_of_day(day), from = date_of_day(r->from_day);
	const int64_t months = (date.year - from.year) * 12 + date.month - from.month;
	return months % every == 0 && fits_month(r, day, date);
}

/* --- when ------------------------------------------------------------------------------------- */

static struct calendar_span span_of(
	const struct calendar_rule *r, const struct zone *z, int64_t day)
{
	const int64_t at = day * DAY_S + r->at_s;
	struct calendar_span s = {.from_s = zone_moment_s(z, at)};
	if (r->length_s) {
		s.to_s = s.from_s + r->length_s;
		return s;
	}
	const int64_t until = day * DAY_S + r->until_s + (r->until_s > r->at_s ? 0 : DAY_S);
	s.to_s = zone_moment_s(z, until);
	if (s.to_s <= s.from_s) /* the begin was skipped, and shown later than the end */
		s.to_s = s.from_s + until - at;
	return s;
}

static int64_t local_day(const struct zone *z, int64_t unix_s)
{
	return floor_div(unix_s + zone_offset_s(z, unix_s), DAY_S);
}

bool calendar_next(const struct calendar_rule *r, const struct zone *z, int64_t after_s,
	struct calendar_span *ret)
{
	if (r->every == CALENDAR_ONCE) {
		*ret = (struct calendar_span){r->once_from_s, r->once_to_s};
		return ret->to_s > after_s;
	}
	const int64_t last = r->to_day && r->to_day < DAY_LAST ? r->to_day : DAY_LAST;
	int64_t day = local_day(z, after_s) - r->length_s / DAY_S - 2;
	for (day = day < r->from_day ? r->from_day : day; day <= last; day++) {
		if (!fits(r, day))
			continue;
		*ret = span_of(r, z, day);
		if (ret->to_s > after_s)
			return true;
	}
	return false;
}

const char *calendar_date(const struct zone *z, int64_t unix_s, char *text)
{
	const struct date d = date_of_day(local_day(z, unix_s));
	snprintf(text, CALENDAR_DATE_TEXT, "%04d-%02d-%02d", (int)d.year, d.month, d.day);
	return text;
}

/* --- reading ---------------------------------------------------------------------------------- */

/* Exactly n digits at p. */
static int digits(const char *p, int n)
{
	int value = 0;
	for (int i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return -1;
		value = value * 10 + p[i] - '0';
	}
	return value;
}

bool calendar_parse_date(struct slice s, int32_t *ret_day, struct error *err)
{
	if (s.n == 10 && s.p[4] == '-' && s.p[7] == '-') {
		const struct date d = {digits(s.p, 4), digits(s.p + 5, 2), digits(s.p + 8, 2)};
		if (d.year >= 1970 && d.year <= 2200 && d.month >= 1 && d.month <= 12 &&
			d.day >= 1 && d.day <= days_in_month(d)) {
			*ret_day = (int32_t)day_of_date(d);
			return true;
		}
	}
	error_set(err, ERROR_INPUT,
		"\"%.*s\" is no date: expected one like 2026-12-01, of 1970 to 2200",
		SLICE_ARG(slice_sub(s, 0, 80)));
	return false;
}

bool calendar_parse_time(struct slice s, int32_t *ret_s, struct error *err)
{
	const bool seconds = s.n == 8 && s.p[5] == ':';
	if ((s.n == 5 || seconds) && s.p[2] == ':') {
		const int h = digits(s.p, 2), m = digits(s.p + 3, 2);
		const int sec = seconds ? digits(s.p + 6, 2) : 0;
		if (h >= 0 && h <= 23 && m >= 0 && m <= 59 && sec >= 0 && sec <= 59) {
			*ret_s = h * 3600 + m * 60 + sec;
			return true;
		}
	}
	error_set(err, ERROR_INPUT,
		"\"%.*s\" is no time of day: expected one like 22:00, of 00:00 to 23:59",
		SLICE_ARG(slice_sub(s, 0, 80)));
	return false;
}

static bool parse_weekday(struct slice s, int *ret)
{
	static const char *const names[] = {
		"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
	for (int i = 0; i < 7; i++)
		if (slice_is_nocase(s, names[i]) ||
			slice_is_nocase(s, (char[]){names[i][0], names[i][1], names[i][2], 0})) {
			*ret = i;
			return true;
		}
	return false;
}

/* "1st", "2nd", "15", "last". */
static bool parse_nth(struct slice s, int *ret)
{
	int64_t n;
	if (slice_is_nocase(s, "last")) {
		*ret = CALENDAR_NTH_LAST;
		return true;
	}
	const struct slice tail = slice_sub(s, s.n > 2 ? s.n - 2 : 0, 2);
	if (slice_is_nocase(tail, "st") || slice_is_nocase(tail, "nd") ||
		slice_is_nocase(tail, "rd") || slice_is_nocase(tail, "th"))
		s.n -= 2;
	if (!s.n || s.p[0] < '0' || s.p[0] > '9' || !units_parse_int(s, &n) || n < 1 || n > 31)
		return false;
	*ret = (int)n;
	return true;
}

bool calendar_parse_day(struct slice text, struct calendar_day *ret, struct error *err)
{
	const struct slice s = slice_trim(text);
	const size_t space = slice_find(s, ' ');
	const struct slice first = slice_sub(s, 0, space);
	const struct slice second = slice_trim(slice_sub(s, space, s.n));
	*ret = (struct calendar_day){0, -1};
	if (!second.n && parse_weekday(first, &ret->weekday))
		return true;
	if (parse_nth(first, &ret->nth) &&
		(!second.n || (ret->nth <= 5 && parse_weekday(second, &ret->weekday))))
		return true;
	error_set(err, ERROR_INPUT,
		"\"%.*s\" is no day: expected one like tue, 2nd tue, last sun, 15 or last",
		SLICE_ARG(slice_sub(text, 0, 80)));
	return false;
}

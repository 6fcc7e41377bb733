/*
 * times.c - see times.h. As graphite-web's attime.py reads: a reference and an offset, in lower
 * case, without blanks, commas and underscores.
 */

#include "judge/graphite/times.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "judge/graphite/eval.h"
#include "judge/graphite/graphite.h"

#define DAY 86400LL

/* --- the calendar ----------------------------------------------------------------------------- */

struct date {
	int64_t year;
	unsigned month, day;
};

/* Days since 1970-01-01 (proleptic Gregorian). */
static int64_t days_of(struct date d)
{
	const int64_t y = d.year - (d.month <= 2), era = (y >= 0 ? y : y - 399) / 400;
	const int64_t yoe = y - era * 400;
	const int64_t doy =
		(153 * ((int64_t)d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)d.day - 1;
	return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static struct date date_of(int64_t days)
{
	days += 719468;
	const int64_t era = (days >= 0 ? days : days - 146096) / 146097, doe = days - era * 146097;
	const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
	const unsigned month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
	return (struct date){
		yoe + era * 400 + (month <= 2), month, (unsigned)(doy - (153 * mp + 2) / 5 + 1)};
}

static bool is_date(struct date d)
{
	const struct date again = date_of(days_of(d));
	return d.month >= 1 && d.month <= 12 && d.day >= 1 && again.month == d.month &&
	       again.day == d.day;
}

static int64_t floor_to(int64_t s, int64_t unit)
{
	return s - ((s % unit) + unit) % unit;
}

static int64_t to_local(const struct zone *z, int64_t at_s)
{
	return at_s + (z ? zone_offset_s(z, at_s) : 0);
}

static int64_t from_local(const struct zone *z, int64_t local_s)
{
	return z ? zone_moment_s(z, local_s) : local_s;
}

bool times_align(const char *unit, int64_t at_s, const struct zone *zone, int64_t *ret)
{
	while (isdigit((unsigned char)*unit))
		unit++;
	const int64_t local = to_local(zone, at_s), day = floor_to(local, DAY) / DAY;
	struct date d = date_of(day);
	const size_t n = strlen(unit);
	if (strncmp(unit, "mon", 3) == 0 || unit[0] == 'y') {
		d.day = 1;
		d.month = unit[0] == 'y' ? 1 : d.month;
		*ret = from_local(zone, days_of(d) * DAY);
	} else if (unit[0] == 'w') {
		const int64_t iso = ((day + 3) % 7 + 7) % 7 + 1; /* 1970-01-01 was a Thursday */
		const int64_t first =
			n && isdigit((unsigned char)unit[n - 1]) ? unit[n - 1] - '0' : 1;
		*ret = from_local(zone, (day - ((iso - first) % 7 + 7) % 7) * DAY);
	} else if (unit[0] == 'd') {
		*ret = from_local(zone, day * DAY);
	} else if (unit[0] == 'h') {
		*ret = at_s - (local - floor_to(local, 3600));
	} else if (strncmp(unit, "min", 3) == 0) {
		*ret = at_s - (local - floor_to(local, 60));
	} else if (unit[0] == 's') {
		*ret = at_s;
	} else {
		return false;
	}
	return true;
}

/* --- references ------------------------------------------------------------------------------- */

static bool all_digits(const char *s)
{
	return *s && s[strspn(s, "0123456789")] == '\0';
}

static unsigned digits(const char *s, size_t n)
{
	unsigned x = 0;
	for (size_t i = 0; i < n && isdigit((unsigned char)s[i]); i++)
		x = x * 10 + (unsigned)(s[i] - '0');
	return x;
}

static const char *skip_word(const char *p, const char *word)
{
	return strncmp(p, word, strlen(word)) == 0 ? p + strlen(word) : NULL;
}

/* "8am", "08:50", "8:50pm", "noon", "midnight", "teatime"; moves *ref behind it. */
static bool read_hour(const char **ref, unsigned *hour, unsigned *minute)
{
	static const struct {
		const char *word;
		unsigned hour;
	} words[] = {{"noon", 12}, {"midnight", 0}, {"teatime", 16}};
	const char *p = *ref, *after;
	const size_t n = strspn(p, "0123456789");
	if (n && n < 3 && p[n] == ':') {
		if (!isdigit((unsigned char)p[n + 1]) || !isdigit((unsigned char)p[n + 2]))
			return false;
		*hour = digits(p, n);
		*minute = digits(p + n + 1, 2);
		p += n + 3;
		if ((after = skip_word(p, "am"))) {
			p = after;
		} else if ((after = skip_word(p, "pm"))) {
			*hour = (*hour + 12) % 24;
			p = after;
		}
	} else if (n && n < 3 && (after = skip_word(p + n, "am"))) {
		*hour = digits(p, n);
		p = after;
	} else if (n && n < 3 && (after = skip_word(p + n, "pm"))) {
		*hour = (digits(p, n) + 12) % 24;
		p = after;
	}
	for (size_t i = 0; i < array_len(words); i++)
		if ((after = skip_word(p, words[i].word))) {
			*hour = words[i].hour;
			*minute = 0;
			p = after;
		}
	*ref = p;
	return *hour < 24 && *minute < 60;
}

static int index_of(const char *names, const char *p)
{
	for (int i = 0; names[i * 3]; i++)
		if (strncmp(names + i * 3, p, 3) == 0)
			return i;
	return -1;
}

/* 12/31/26: month, day, year. */
static bool read_slashes(const char *p, struct date *d)
{
	unsigned part[3] = {0};
	for (int i = 0; i < 3; i++) {
		const size_t n = strspn(p, "0123456789");
		if (!n || n > 4 || p[n] != (i < 2 ? '/' : '\0'))
			return false;
		part[i] = digits(p, n);
		p += n + 1;
	}
	*d = (struct date){part[2], part[0], part[1]};
	d->year += d->year < 1900 ? 1900 : 0;
	d->year += d->year < 1970 ? 100 : 0;
	return true;
}

/* The day; today when nothing is said of it. */
static bool read_day(const char *ref, int64_t today, struct date *ret)
{
	static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
	static const char weekdays[] = "sunmontuewedthufrisat";
	const size_t n = strlen(ref);
	*ret = date_of(today);
	if (!n || strcmp(ref, "today") == 0)
		return true;
	if (strcmp(ref, "yesterday") == 0 || strcmp(ref, "tomorrow") == 0) {
		*ret = date_of(today + (ref[0] == 'y' ? -1 : 1));
		return true;
	}
	if (strchr(ref, '/'))
		return read_slashes(ref, ret);
	if (n == 8 && all_digits(ref)) {
		*ret = (struct date){digits(ref, 4), digits(ref + 4, 2), digits(ref + 6, 2)};
		return true;
	}
	const int month = index_of(months, ref), weekday = index_of(weekdays, ref);
	if (month >= 0) {
		const char *day = ref + n;
		while (day > ref + 3 && ref + n - day < 2 && isdigit((unsigned char)day[-1]))
			day--;
		ret->month = (unsigned)month + 1;
		ret->day = digits(day, 2);
		return *day != '\0';
	}
	if (weekday >= 0) {
		const int64_t is = ((today + 4) % 7 + 7) % 7;
		*ret = date_of(today - ((is - weekday) % 7 + 7) % 7);
		return true;
	}
	return false;
}

static bool read_reference(const char *ref, int64_t now_s, const struct zone *zone, int64_t *ret)
{
	unsigned hour = 0, minute = 0;
	struct date d;
	if (!*ref || strcmp(ref, "now") == 0) {
		*ret = now_s;
		return true;
	}
	const int64_t today = floor_to(to_local(zone, now_s), DAY) / DAY;
	if (!read_hour(&ref, &hour, &minute) || !read_day(ref, today, &d) || !is_date(d) ||
		d.year < 1970 || d.year > 9999)
		return false;
	*ret = from_local(zone, days_of(d) * DAY + hour * 3600 + minute * 60);
	return true;
}

static bool is_moment(const char *s)
{
	const bool day = strlen(s) == 8 && digits(s, 4) > 1900 && digits(s + 4, 2) < 13 &&
			 digits(s + 6, 2) < 32;
	return all_digits(s) && !day;
}

bool times_parse(
	const char *text, int64_t now_s, const struct zone *zone, int64_t *ret, struct error *err)
{
	char s[128];
	size_t n = 0;
	int64_t offset = 0;
	for (const char *p = text; *p && n + 1 < sizeof(s); p++)
		if (!strchr("_, \t", *p))
			s[n++] = (char)tolower((unsigned char)*p);
	s[n] = '\0';
	bool good = n + 1 < sizeof(s);
	if (good && is_moment(s)) {
		good = n <= 12;
		*ret = good ? strtoll(s, NULL, 10) : 0;
	} else if (good) {
		char *sign = s + strcspn(s, "+");
		sign = *sign ? sign : s + strcspn(s, "-");
		if (*sign)
			good = !sign[1] || interval_parse(sign, &offset);
		*sign = '\0';
		good = good && read_reference(s, now_s, zone, ret);
		*ret += offset;
	}
	if (!good)
		error_set(err, ERROR_INPUT,
			"\"%.100s\" is no time: expected something like -1h, now-5min,"
			" 08:50_20261126, noon yesterday, 1767000000",
			text);
	return good;
}

bool graphite_moment(
	const char *text, int64_t now_s, const char *zone, int64_t *ret, struct error *err)
{
	struct zone *z = zone_load(zone, err);
	const bool good = z && times_parse(text, now_s, z, ret, err);
	zone_free(z);
	return good;
}

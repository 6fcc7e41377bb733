/*
 * clock.c - see clock.h. Calendar arithmetic is done here (days from civil), not by libc, whose
 * functions depend on the process's time zone.
 */

#include "base/clock.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct clock clock_system;

void clock_init_virtual(struct clock *c, int64_t unix_us)
{
	*c = (struct clock){.is_virtual = true, .mono_ns = NS_PER_S, .unix_us = unix_us};
}

void clock_advance(struct clock *c, int64_t ns)
{
	assert(c->is_virtual && ns >= 0);
	/* Whole microseconds of the sum, so that small steps add up. */
	const int64_t before = c->mono_ns / NS_PER_US;
	c->mono_ns += ns;
	c->unix_us += c->mono_ns / NS_PER_US - before;
}

static int64_t now(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t clock_mono_ns(const struct clock *c)
{
	return c->is_virtual ? c->mono_ns : now(CLOCK_MONOTONIC);
}

int64_t clock_unix_us(const struct clock *c)
{
	return c->is_virtual ? c->unix_us : now(CLOCK_REALTIME) / NS_PER_US;
}

/* Two readings are two moments: what lies between them is no sleep. */
int64_t clock_slept_ns(const struct clock *c)
{
	if (c->is_virtual)
		return c->slept_ns;
	const int64_t slept = now(CLOCK_BOOTTIME) - now(CLOCK_MONOTONIC);
	return slept - slept % NS_PER_S;
}

/* Howard Hinnant's days_from_civil and its inverse, proleptic Gregorian. */
static int64_t days_from_civil(int64_t y, unsigned m, unsigned d)
{
	y -= m <= 2;
	const int64_t era = (y >= 0 ? y : y - 399) / 400;
	const unsigned yoe = (unsigned)(y - era * 400);
	const unsigned doy = (153 * (m + (m > 2 ? -3u : 9u)) + 2) / 5 + d - 1;
	const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
	return era * 146097 + (int64_t)doe - 719468;
}

struct civil {
	int64_t year;
	unsigned month, day, hour, minute, second, ms, weekday; /* 0 = Sunday */
};

static struct civil civil(int64_t unix_us)
{
	int64_t s = unix_us / 1000000, us = unix_us % 1000000;
	if (us < 0) {
		us += 1000000;
		s--;
	}
	int64_t days = s / 86400, left = s % 86400;
	if (left < 0) {
		left += 86400;
		days--;
	}
	const int64_t z = days + 719468;
	const int64_t era = (z >= 0 ? z : z - 146096) / 146097;
	const unsigned doe = (unsigned)(z - era * 146097);
	const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	const unsigned mp = (5 * doy + 2) / 153;
	const unsigned month = mp < 10 ? mp + 3 : mp - 9;
	const int64_t weekday = (days % 7 + 11) % 7; /* day 0 was a Thursday */
	return (struct civil){.year = (int64_t)yoe + era * 400 + (month <= 2),
		.month = month,
		.day = doy - (153 * mp + 2) / 5 + 1,
		.hour = (unsigned)(left / 3600),
		.minute = (unsigned)(left / 60 % 60),
		.second = (unsigned)(left % 60),
		.ms = (unsigned)(us / 1000),
		.weekday = (unsigned)weekday};
}

const char *clock_rfc3339(int64_t unix_us, char *text)
{
	const struct civil c = civil(unix_us);
	snprintf(text, CLOCK_TEXT, "%04lld-%02u-%02uT%02u:%02u:%02u.%03uZ",
		(long long)c.year % 10000, c.month % 100, c.day % 100, c.hour % 100, c.minute % 100,
		c.second % 100, c.ms % 1000);
	return text;
}

static bool digits(const char **s, int n, unsigned *ret)
{
	unsigned v = 0;
	for (int i = 0; i < n; i++, (*s)++) {
		if (!isdigit((unsigned char)**s))
			return false;
		v = v * 10 + (unsigned)(**s - '0');
	}
	*ret = v;
	return true;
}

static bool literal(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool valid_date(unsigned y, unsigned m, unsigned d)
{
	static const unsigned char days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	if (y > 9999 || m < 1 || m > 12 || d < 1)
		return false;
	const bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
	return d <= days[m - 1] + (unsigned)(m == 2 && leap);
}

/* From year 0 to year 9999: what both forms can write. A leap second or an offset passes it. */
static bool is_four_digits(int64_t unix_us)
{
	return unix_us >= -62167219200000000 && unix_us < 253402300800000000;
}

static bool to_unix_us(
	unsigned y, unsigned mo, unsigned d, unsigned h, unsigned mi, unsigned s, int64_t *ret)
{
	if (!valid_date(y, mo, d) || h > 23 || mi > 59 || s > 60)
		return false;
	*ret = ((days_from_civil(y, mo, d) * 24 + h) * 60 + mi) * 60 + s;
	*ret *= 1000000;
	return is_four_digits(*ret);
}

bool clock_parse_rfc3339(const char *s, int64_t *ret_unix_us)
{
	unsigned y, mo, d, h, mi, sec, oh = 0, om = 0;
	if (!digits(&s, 4, &y) || !literal(&s, '-') || !digits(&s, 2, &mo) || !literal(&s, '-') ||
		!digits(&s, 2, &d) || (*s != 'T' && *s != 't' && *s != ' '))
		return false;
	s++;
	if (!digits(&s, 2, &h) || !literal(&s, ':') || !digits(&s, 2, &mi) || !literal(&s, ':') ||
		!digits(&s, 2, &sec))
		return false;
	int64_t us = 0, unit = 100000;
	if (*s == '.') {
		if (!isdigit((unsigned char)*++s))
			return false;
		for (; isdigit((unsigned char)*s); s++, unit /= 10)
			us += (*s - '0') * unit;
	}
	int sign = 0;
	if (*s == 'Z' || *s == 'z') {
		s++;
	} else if (*s == '+' || *s == '-') {
		sign = *s++ == '+' ? 1 : -1;
		if (!digits(&s, 2, &oh) || !literal(&s, ':') || !digits(&s, 2, &om) || oh > 23 ||
			om > 59)
			return false;
	} else {
		return false;
	}
	int64_t at;
	if (*s || !to_unix_us(y, mo, d, h, mi, sec, &at))
		return false;
	*ret_unix_us = at + us - sign * (int64_t)(oh * 60 + om) * 60 * 1000000;
	return is_four_digits(*ret_unix_us);
}

static const char *const month_names[] = {
	"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

const char *clock_http_date(int64_t unix_us, char *text)
{
	static const char *const day_names[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
	const struct civil c = civil(unix_us);
	snprintf(text, CLOCK_TEXT, "%s, %02u %s %04lld %02u:%02u:%02u GMT",
		day_names[c.weekday % 7], c.day % 100, month_names[(c.month - 1) % 12],
		(long long)c.year % 10000, c.hour % 100, c.minute % 100, c.second % 100);
	return text;
}

static bool month_of(const char *name, unsigned *ret)
{
	for (unsigned i = 0; i < 12; i++)
		if (!strcmp(name, month_names[i])) {
			*ret = i + 1;
			return true;
		}
	return false;
}

bool clock_parse_http_date(const char *s, int64_t *ret_unix_us)
{
	char month[4];
	unsigned y, mo, d, h, mi, sec;
	int end = 0;
	const char *comma = strchr(s, ',');
	if (comma &&
		sscanf(comma, ", %2u %3s %4u %2u:%2u:%2u GMT%n", &d, month, &y, &h, &mi, &sec,
			&end) == 6 &&
		end && !comma[end])
		return month_of(month, &mo) && to_unix_us(y, mo, d, h, mi, sec, ret_unix_us);
	if (comma &&
		sscanf(comma, ", %2u-%3s-%2u %2u:%2u:%2u GMT%n", &d, month, &y, &h, &mi, &sec,
			&end) == 6 &&
		end && !comma[end])
		return month_of(month, &mo) &&
		       to_unix_us(y + (y < 70 ? 2000 : 1900), mo, d, h, mi, sec, ret_unix_us);
	if (!comma &&
		sscanf(s, "%*3s %3s %2u %2u:%2u:%2u %4u%n", month, &d, &h, &mi, &sec, &y, &end) ==
			6 &&
		end && !s[end])
		return month_of(month, &mo) && to_unix_us(y, mo, d, h, mi, sec, ret_unix_us);
	return false;
}

/*
 * zone.c - see zone.h.
 */

#include "base/zone.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/search.h"
#include "base/vec.h"

#define ZONES      "/usr/share/zoneinfo/"
#define DAY_S      86400
#define OFFSET_MAX (26 * 3600) /* RFC 9636: a day and two hours at most */
#define HEAD       44

struct change { /* from then on */
	int64_t at_s;
	int32_t offset_s;
};

struct rule_day { /* M3.5.0/2: the fifth Sunday of March, or the last, at 2 */
	int month, week, day;
	int64_t at_s;
};

struct zone {
	int32_t first_s; /* before all changes */
	VEC(struct change) changes;
	bool has_rule; /* after all of them */
	int64_t standard_s, summer_s;
	struct rule_day begin, end; /* of summer time; month 0: there is none */
};

/* --- the rule behind the last change ---------------------------------------------------------- */

static int number(const char **p, int most)
{
	int n = 0, digits = 0;
	for (; **p >= '0' && **p <= '9' && digits < 4; (*p)++, digits++)
		n = n * 10 + (**p - '0');
	return digits && n <= most ? n : -1;
}

/* [+-]hh[:mm[:ss]] */
static bool read_hours(const char **p, int64_t *ret_s)
{
	const int sign = **p == '-' ? -1 : 1;
	if (**p == '-' || **p == '+')
		(*p)++;
	int64_t s = 0;
	for (int part = 0, unit = 3600; part < 3; part++, unit /= 60) {
		const int n = number(p, part ? 59 : 167);
		if (n < 0)
			return false;
		s += (int64_t)n * unit;
		if (**p != ':')
			break;
		(*p)++;
	}
	*ret_s = sign * s;
	return true;
}

static bool skip_name(const char **p)
{
	const char *begin = *p;
	if (**p == '<') {
		const char *close = strchr(*p, '>');
		*p = close ? close + 1 : *p;
		return close != NULL;
	}
	while ((**p >= 'A' && **p <= 'Z') || (**p >= 'a' && **p <= 'z'))
		(*p)++;
	return *p - begin >= 3;
}

static bool read_day(const char **p, struct rule_day *d)
{
	if (*(*p)++ != ',' || *(*p)++ != 'M')
		return false;
	d->month = number(p, 12);
	if (*(*p)++ != '.')
		return false;
	d->week = number(p, 5);
	if (*(*p)++ != '.')
		return false;
	d->day = number(p, 6);
	d->at_s = 7200;
	if (**p == '/') {
		(*p)++;
		if (!read_hours(p, &d->at_s))
			return false;
	}
	return d->month > 0 && d->week > 0 && d->day >= 0;
}

/* CET-1CEST,M3.5.0,M10.5.0/3; its hours count west. False: not of this form. */
static bool read_rule(struct zone *z, const char *p)
{
	int64_t west;
	if (!skip_name(&p) || !read_hours(&p, &west))
		return false;
	z->standard_s = -west;
	z->summer_s = z->standard_s + 3600;
	if (!*p)
		return true;
	if (!skip_name(&p))
		return false;
	if (*p != ',') {
		if (!read_hours(&p, &west))
			return false;
		z->summer_s = -west;
	}
	if (*p != ',' || !read_day(&p, &z->begin) || *p != ',' || !read_day(&p, &z->end) || *p) {
		z->begin.month = 0;
		return false;
	}
	return true;
}

/* Days since 1970 of the first of a month (proleptic Gregorian). */
static int64_t first_of(int64_t year, int month)
{
	const int64_t y = month <= 2 ? year - 1 : year;
	const int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
	const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int64_t rule_moment(const struct rule_day *d, int64_t year, int64_t offset_s)
{
	const int64_t first = first_of(year, d->month);
	const int64_t next = d->month == 12 ? first_of(year + 1, 1) : first_of(year, d->month + 1);
	const int64_t weekday = ((first + 4) % 7 + 7) % 7; /* 1970-01-01 was a Thursday */
	int64_t day = first + (d->day - weekday + 7) % 7 + 7 * (d->week - 1);
	while (day >= next)
		day -= 7;
	return day * DAY_S + d->at_s - offset_s;
}

static int64_t rule_offset(const struct zone *z, int64_t unix_s)
{
	if (!z->begin.month)
		return z->standard_s;
	/* The year there; an hour beside New Year's Eve nothing begins or ends. */
	int64_t year = 1970 + (unix_s + z->standard_s) / (DAY_S * 365LL + DAY_S / 4);
	while (first_of(year + 1, 1) * DAY_S <= unix_s + z->standard_s)
		year++;
	while (first_of(year, 1) * DAY_S > unix_s + z->standard_s)
		year--;
	const int64_t begin = rule_moment(&z->begin, year, z->standard_s);
	const int64_t end = rule_moment(&z->end, year, z->summer_s);
	const bool summer = begin < end ? unix_s >= begin && unix_s < end
					: unix_s >= begin || unix_s < end; /* in the south */
	return summer ? z->summer_s : z->standard_s;
}

/* --- the file --------------------------------------------------------------------------------- */

struct counts {
	uint32_t utc, standard, leaps, changes, types, chars;
};

static uint32_t be32(const char *p)
{
	const unsigned char *b = (const unsigned char *)p;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static int64_t be64(const char *p)
{
	return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

/* The bytes of the body behind a head whose times have `wide` bytes; false: no head. */
static bool read_head(struct slice s, size_t wide, struct counts *c, size_t *ret_body)
{
	if (s.n < HEAD || memcmp(s.p, "TZif", 4) != 0 || s.p[4] < '2')
		return false;
	*c = (struct counts){be32(s.p + 20), be32(s.p + 24), be32(s.p + 28), be32(s.p + 32),
		be32(s.p + 36), be32(s.p + 40)};
	if (c->utc > 256 || c->standard > 256 || c->leaps > 10000 || c->changes > 10000 ||
		c->types > 256 || c->chars > 2000)
		return false;
	*ret_body = c->changes * (wide + 1) + c->types * 6 + c->chars + c->leaps * (wide + 4) +
		    c->standard + c->utc;
	return s.n - HEAD >= *ret_body;
}

static bool read_changes(struct zone *z, const char *body, const struct counts *c)
{
	const char *index = body + (size_t)c->changes * 8, *types = index + c->changes;
	if (!c->types)
		return false;
	for (uint32_t i = 0; i < c->types; i++)
		if (labs((int32_t)be32(types + (size_t)i * 6)) > OFFSET_MAX)
			return false;
	z->first_s = (int32_t)be32(types);
	for (uint32_t i = 0; i < c->changes; i++) {
		const unsigned char type = (unsigned char)index[i];
		const struct change x = {
			be64(body + (size_t)i * 8), (int32_t)be32(types + (size_t)type * 6)};
		if (type >= c->types || (z->changes.n && x.at_s <= z->changes.p[i - 1].at_s))
			return false;
		vec_push(&z->changes, x);
	}
	return true;
}

struct zone *zone_parse(struct slice s, struct error *err)
{
	struct zone *z = mem_new(struct zone);
	struct counts c;
	size_t body;
	bool good = read_head(s, 4, &c, &body);
	if (good) {
		s = slice_sub(s, HEAD + body, s.n - HEAD - body);
		good = read_head(s, 8, &c, &body) && read_changes(z, s.p + HEAD, &c);
	}
	if (!good) {
		error_set(err, ERROR_INPUT, "it is no time zone file (TZif, version 2 or later)");
		zone_free(z);
		return NULL;
	}
	const struct slice foot = slice_sub(s, HEAD + body, s.n - HEAD - body);
	const size_t end = foot.n > 1 ? slice_find(slice_sub(foot, 1, foot.n - 1), '\n') : 0;
	if (foot.n > 2 && foot.p[0] == '\n' && end > 0 && end < foot.n - 1) {
		char *text = mem_strndup(foot.p + 1, end);
		z->has_rule = read_rule(z, text);
		free(text);
	}
	return z;
}

struct zone *zone_load(const char *name, struct error *err)
{
	if (!name || !*name || !strcmp(name, "UTC"))
		return mem_new(struct zone);
	if (strstr(name, "..") || *name == '/') {
		error_set(err, ERROR_INPUT, "%.80s is no name of a time zone", name);
		return NULL;
	}
	struct zone *z = NULL;
	char *path = mem_printf(ZONES "%s", name), *bytes = mem_alloc(ZONE_FILE_MAX);
	const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	const ssize_t n = fd < 0 ? -1 : read(fd, bytes, ZONE_FILE_MAX);
	if (n < 0)
		error_sys(err, errno, "%s", path);
	else
		z = zone_parse(slice_from(bytes, (size_t)n), err);
	if (fd >= 0)
		close(fd);
	free(bytes);
	free(path);
	return z;
}

void zone_free(struct zone *z)
{
	if (!z)
		return;
	vec_fini(&z->changes);
	free(z);
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool is_past(const void *change, const void *unix_s)
{
	return ((const struct change *)change)->at_s <= *(const int64_t *)unix_s;
}

int64_t zone_offset_s(const struct zone *z, int64_t unix_s)
{
	if (z->has_rule && (!z->changes.n || unix_s >= z->changes.p[z->changes.n - 1].at_s))
		return rule_offset(z, unix_s);
	const size_t n =
		search_before(z->changes.p, z->changes.n, sizeof(*z->changes.p), is_past, &unix_s);
	return n ? z->changes.p[n - 1].offset_s : z->first_s;
}

int64_t zone_moment_s(const struct zone *z, int64_t local_s)
{
	const int64_t before = local_s - zone_offset_s(z, local_s - DAY_S - OFFSET_MAX / 2);
	const int64_t after = local_s - zone_offset_s(z, local_s + DAY_S + OFFSET_MAX / 2);
	if (before + zone_offset_s(z, before) == local_s)
		return before;
	return after + zone_offset_s(z, after) == local_s ? after : before;
}

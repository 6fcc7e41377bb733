/*
 * units.c - see units.h.
 */

#include "base/units.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit time_units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000},
	{"s", 1000000000}, {"m", 60000000000}, {"h", 3600000000000}, {"d", 86400000000000}};

static const struct unit size_units[] = {{"B", 1}, {"KiB", 1 << 10}, {"MiB", 1 << 20},
	{"GiB", 1 << 30}, {"TiB", (int64_t)1 << 40}, {"kB", 1000}, {"MB", 1000000},
	{"GB", 1000000000}, {"TB", 1000000000000}};

static const struct unit *unit_of(struct slice name, const struct unit *units, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (slice_is(name, units[i].name))
			return &units[i];
	return NULL;
}

/* Cuts a decimal number off the front of *s: digits, then perhaps a point and digits. */
static bool cut_number(struct slice *s, double *ret, bool *ret_whole, int64_t *ret_int)
{
	char text[40];
	size_t n = 0, points = 0;
	while (n < s->n && n < sizeof(text) - 1 &&
		(isdigit((unsigned char)s->p[n]) || (s->p[n] == '.' && n && !points))) {
		points += s->p[n] == '.';
		text[n] = s->p[n];
		n++;
	}
	if (!n || text[n - 1] == '.')
		return false;
	text[n] = 0;
	*ret = strtod(text, NULL);
	*ret_whole = !points && units_parse_int(slice_from(text, n), ret_int);
	*s = slice_sub(*s, n, s->n);
	return true;
}

static bool cut_amount(struct slice *s, const struct unit *units, size_t count, int64_t *ret)
{
	double x;
	bool whole;
	int64_t i = 0;
	if (!cut_number(s, &x, &whole, &i))
		return false;
	size_t n = 0;
	while (n < s->n && isalpha((unsigned char)s->p[n]))
		n++;
	const struct unit *u = unit_of(slice_sub(*s, 0, n), units, count);
	if (!u)
		return false;
	*s = slice_sub(*s, n, s->n);
	if (whole)
		return !__builtin_mul_overflow(i, u->factor, ret);
	x = round(x * (double)u->factor);
	if (x >= 0x1p63)
		return false;
	*ret = (int64_t)x;
	return true;
}

bool units_parse_time(struct slice s, int64_t *ret_ns)
{
	int64_t sum = 0, part;
	if (!s.n)
		return false;
	while (s.n) {
		if (!cut_amount(&s, time_units, sizeof(time_units) / sizeof(*time_units), &part) ||
			__builtin_add_overflow(sum, part, &sum))
			return false;
	}
	*ret_ns = sum;
	return true;
}

bool units_parse_size(struct slice s, int64_t *ret_bytes)
{
	int64_t v;
	if (!cut_amount(&s, size_units, sizeof(size_units) / sizeof(*size_units), &v) || s.n)
		return false;
	*ret_bytes = v;
	return true;
}

bool units_parse_rate(struct slice s, double *ret_per_s)
{
	double x;
	bool whole;
	int64_t i;
	if (!cut_number(&s, &x, &whole, &i) || s.n != 2 || s.p[0] != '/')
		return false;
	const struct unit *u = unit_of(slice_sub(s, 1, 1), time_units, 7);
	if (!u)
		return false;
	*ret_per_s = x * 1e9 / (double)u->factor;
	return true;
}

bool units_parse_percent(struct slice s, double *ret_unit)
{
	double x;
	bool whole;
	int64_t i;
	if (!cut_number(&s, &x, &whole, &i) || !slice_is(s, "%"))
		return false;
	*ret_unit = x / 100;
	return true;
}

bool units_parse_int(struct slice s, int64_t *ret_n)
{
	int64_t v = 0;
	const bool negative = s.n && s.p[0] == '-';
	if (s.n && (s.p[0] == '-' || s.p[0] == '+'))
		s = slice_sub(s, 1, s.n);
	if (!s.n)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!isdigit((unsigned char)s.p[i]) || __builtin_mul_overflow(v, 10, &v))
			return false;
		const int d = s.p[i] - '0';
		if (negative ? __builtin_sub_overflow(v, d, &v) : __builtin_add_overflow(v, d, &v))
			return false;
	}
	*ret_n = v;
	return true;
}

/* RFC 8259 section 6. */
bool units_parse_real(struct slice s, double *ret_x)
{
	char text[64];
	if (!s.n || s.n >= sizeof(text))
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = 0;
	const char *p = text;
	p += *p == '-';
	if (!isdigit((unsigned char)*p) || (*p == '0' && isdigit((unsigned char)p[1])))
		return false;
	while (isdigit((unsigned char)*p))
		p++;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		while (isdigit((unsigned char)*p))
			p++;
	}
	if (*p == 'e' || *p == 'E') {
		p++;
		p += *p == '+' || *p == '-';
		if (!isdigit((unsigned char)*p))
			return false;
		while (isdigit((unsigned char)*p))
			p++;
	}
	if (p != text + s.n) /* a NUL in the middle ends the text, not the slice */
		return false;
	*ret_x = strtod(text, NULL);
	return isfinite(*ret_x);
}

static void three_digits(double x, const char *unit, char *text)
{
	snprintf(text, UNITS_TEXT - 1, "%.*f%s", x < 9.995 ? 2 : x < 99.95 ? 1 : 0, x, unit);
}

const char *units_time_text(int64_t ns, char *text)
{
	if (ns < 0) { /* a difference of times */
		text[0] = '-';
		units_time_text(ns == INT64_MIN ? INT64_MAX : -ns, text + 1);
		return text;
	}
	const double x = (double)ns;
	const long long s = ns / 1000000000 + (ns % 1000000000 >= 500000000);
	if (ns < 1000)
		snprintf(text, UNITS_TEXT - 1, "%dns", (int)ns);
	else if (ns < 999500)
		three_digits(x / 1e3, "us", text);
	else if (ns < 999500000)
		three_digits(x / 1e6, "ms", text);
	else if (ns < 59950000000)
		three_digits(x / 1e9, "s", text);
	else if (s < 3600)
		snprintf(text, UNITS_TEXT - 1, "%lldm%02llds", s / 60, s % 60);
	else
		snprintf(text, UNITS_TEXT - 1, "%lldh%02lldm", s / 3600, s / 60 % 60);
	return text;
}

const char *units_time_exact(int64_t ns, char *text)
{
	static const char *const names[] = {"ns", "us", "ms", "s"};
	int u = 0;
	for (; u < 3 && ns && ns % 1000 == 0; u++)
		ns /= 1000;
	snprintf(text, UNITS_TEXT, "%lld%s", (long long)ns, ns ? names[u] : "s");
	return text;
}

const char *units_time_whole(int64_t ns, char *text)
{
	for (size_t i = array_len(time_units); i > 0; i--)
		if (ns && ns % time_units[i - 1].factor == 0) {
			snprintf(text, UNITS_TEXT, "%lld%s",
				(long long)(ns / time_units[i - 1].factor), time_units[i - 1].name);
			return text;
		}
	return units_time_exact(ns, text);
}

const char *units_size_text(int64_t bytes, char *text)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	double x = (double)bytes;
	int u = 0;
	for (; u < 4 && x >= (u ? 1023.5 : 1024); u++)
		x /= 1024;
	if (u == 0)
		snprintf(text, UNITS_TEXT, "%lldB", (long long)bytes);
	else
		snprintf(text, UNITS_TEXT, "%.*f%s", x < 9.95 ? 1 : 0, x, names[u]);
	return text;
}

const char *units_size_exact(int64_t bytes, char *text)
{
	static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	int u = 0;
	for (; u < 4 && bytes && bytes % 1024 == 0; u++)
		bytes /= 1024;
	snprintf(text, UNITS_TEXT, "%lld%s", (long long)bytes, names[u]);
	return text;
}

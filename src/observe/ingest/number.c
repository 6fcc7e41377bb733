/*
 * number.c - see number.h. Up to 19 digits are gathered in a whole number; while that and the power
 * of ten beside it are exact as doubles, one multiplication or division rounds once and is right
 * (Clinger's fast path). All else goes the long way, through strtod().
 */

#include "observe/ingest/number.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXACT_POWER 22
#define EXACT_WHOLE (1ULL << 53)
#define DIGITS_MAX  19

static const double powers[EXACT_POWER + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9,
	1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static bool read_slowly(struct slice s, double *ret)
{
	char text[NUMBER_MAX + 1];
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	*ret = strtod(text, NULL);
	return isfinite(*ret);
}

/* What follows the e; its size is bounded, since beyond some hundreds it makes no difference. */
static bool read_exponent(const char *p, const char *end, int *ret)
{
	const bool negative = p < end && *p == '-';
	int x = 0;
	p += p < end && (*p == '-' || *p == '+');
	if (p == end)
		return false;
	for (; p < end && is_digit(*p); p++)
		x = x < 10000 ? x * 10 + (*p - '0') : x;
	*ret = negative ? -x : x;
	return p == end;
}

bool number_read(struct slice s, double *ret)
{
	const char *p = s.p, *const end = s.p + s.n;
	uint64_t whole = 0;
	int digits = 0, after = 0, exponent = 0;
	bool any = false;
	if (!s.n || s.n > NUMBER_MAX)
		return false;
	const bool negative = *p == '-';
	p += *p == '-' || *p == '+';
	for (; p < end && is_digit(*p); p++, any = true) {
		digits += digits || *p != '0';
		whole = whole * 10 + (uint64_t)(*p - '0');
	}
	if (p < end && *p == '.')
		for (p++; p < end && is_digit(*p); p++, any = true) {
			digits += digits || *p != '0';
			whole = whole * 10 + (uint64_t)(*p - '0');
			after++;
		}
	if (!any)
		return false;
	if (p < end && (*p == 'e' || *p == 'E') && read_exponent(p + 1, end, &exponent))
		p = end;
	if (p != end)
		return false;
	const int power = exponent - after;
	if (digits > DIGITS_MAX || whole > EXACT_WHOLE || power < -EXACT_POWER ||
		power > EXACT_POWER)
		return read_slowly(s, ret);
	const double x = power < 0 ? (double)whole / powers[-power] : (double)whole * powers[power];
	*ret = negative ? -x : x;
	return true;
}

/*
 * slice.c - see slice.h.
 */

#include "base/slice.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct slice slice_of(const char *s)
{
	return (struct slice){s ? s : "", s ? strlen(s) : 0};
}

struct slice slice_from(const char *p, size_t n)
{
	return (struct slice){p ? p : "", p ? n : 0};
}

bool slice_eq(struct slice a, struct slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool slice_is(struct slice a, const char *s)
{
	return slice_eq(a, slice_of(s));
}

bool slice_is_nocase(struct slice a, const char *s)
{
	return a.n == strlen(s) && strncasecmp(a.p, s, a.n) == 0;
}

bool slice_starts(struct slice a, const char *prefix)
{
	const size_t n = strlen(prefix);
	return a.n >= n && memcmp(a.p, prefix, n) == 0;
}

bool slice_ends(struct slice a, const char *suffix)
{
	const size_t n = strlen(suffix);
	return a.n >= n && memcmp(a.p + a.n - n, suffix, n) == 0;
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct slice slice_trim(struct slice a)
{
	while (a.n && is_space(a.p[0])) {
		a.p++;
		a.n--;
	}
	while (a.n && is_space(a.p[a.n - 1]))
		a.n--;
	return a;
}

struct slice slice_sub(struct slice a, size_t from, size_t n)
{
	if (from > a.n)
		from = a.n;
	if (n > a.n - from)
		n = a.n - from;
	return (struct slice){a.p + from, n};
}

size_t slice_find(struct slice a, char c)
{
	const char *at = a.n ? memchr(a.p, c, a.n) : NULL;
	return at ? (size_t)(at - a.p) : a.n;
}

size_t slice_find_text(struct slice a, struct slice text)
{
	if (!text.n)
		return 0;
	const char *at = a.n >= text.n ? memmem(a.p, a.n, text.p, text.n) : NULL;
	return at ? (size_t)(at - a.p) : a.n;
}

bool slice_next(struct slice *rest, char sep, struct slice *ret_part)
{
	if (!rest->p)
		return false;
	const size_t at = slice_find(*rest, sep);
	*ret_part = slice_from(rest->p, at);
	if (at == rest->n)
		*rest = (struct slice){NULL, 0};
	else
		*rest = slice_sub(*rest, at + 1, rest->n);
	return true;
}

bool slice_in_words(struct slice word, const char *words)
{
	struct slice rest = slice_of(words), one;
	while (slice_next(&rest, ' ', &one))
		if (slice_eq(one, word))
			return true;
	return false;
}

char *slice_dup(struct slice a)
{
	return mem_strndup(a.p ? a.p : "", a.n);
}

/* Length of the UTF-8 sequence at p (n bytes left), 0 when it is none. RFC 3629 section 4. */
static size_t sequence(const unsigned char *p, size_t n)
{
	if (p[0] < 0x80)
		return 1;
	size_t len = p[0] >= 0xc2 && p[0] <= 0xdf   ? 2
		     : (p[0] & 0xf0) == 0xe0        ? 3
		     : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						    : 0;
	if (!len || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

size_t utf8_character(struct slice a)
{
	return a.n ? sequence((const unsigned char *)a.p, a.n) : 0;
}

bool utf8_valid(struct slice a)
{
	for (size_t i = 0; i < a.n;) {
		const size_t len = sequence((const unsigned char *)a.p + i, a.n - i);
		if (!len)
			return false;
		i += len;
	}
	return true;
}

size_t utf8_length(struct slice a)
{
	size_t n = 0;
	for (size_t i = 0; i < a.n; i++)
		n += (a.p[i] & 0xc0) != 0x80;
	return n;
}

#define DISTANCE_MAX 64

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: two letters swapped are one mistake. */
unsigned slice_distance(struct slice a, struct slice b, unsigned limit)
{
	unsigned rows[3][DISTANCE_MAX + 1];
	if (a.n > DISTANCE_MAX || b.n > DISTANCE_MAX)
		return limit + 1;
	for (unsigned k = 0; k <= b.n; k++)
		rows[0][k] = k;
	for (unsigned i = 1; i <= a.n; i++) {
		unsigned *row = rows[i % 3], *before = rows[(i - 1) % 3],
			 *before2 = rows[(i + 1) % 3];
		row[0] = i;
		for (unsigned k = 1; k <= b.n; k++) {
			row[k] = least(least(before[k], row[k - 1]) + 1,
				before[k - 1] + (a.p[i - 1] != b.p[k - 1]));
			if (i > 1 && k > 1 && a.p[i - 1] == b.p[k - 2] && a.p[i - 2] == b.p[k - 1])
				row[k] = least(row[k], before2[k - 2] + 1);
		}
	}
	const unsigned d = rows[a.n % 3][b.n];
	return d > limit ? limit + 1 : d;
}

const char *slice_nearest(struct slice word, const char *const *names, size_t n)
{
	const unsigned limit = word.n <= 3 ? 1 : word.n <= 7 ? 2 : 3;
	const char *best = NULL;
	unsigned nearest = limit + 1;
	for (size_t i = 0; i < n; i++) {
		const unsigned d = slice_distance(word, slice_of(names[i]), limit);
		if (d < nearest) {
			nearest = d;
			best = names[i];
		}
	}
	return best;
}

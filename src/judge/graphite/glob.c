/*
 * glob.c - see glob.h. A star that does not fit is tried again further on, the last one only, so
 * that no pattern takes more than the product of both lengths.
 */

#include "judge/graphite/glob.h"

#include <string.h>

/* Whether c is one of `[...]` at p; *end: behind it. A bracket that is not closed is itself. */
static bool in_set(const char *p, char c, const char **end)
{
	const bool not = p[1] == '!';
	const char *q = p + 1 + not ;
	bool found = false;
	for (const char *begin = q; *q && (*q != ']' || q == begin); q++) {
		if (q[1] == '-' && q[2] && q[2] != ']') {
			found |= (unsigned char)q[0] <= (unsigned char)c &&
				 (unsigned char)c <= (unsigned char)q[2];
			q += 2;
		} else {
			found |= *q == c;
		}
	}
	if (!*q) {
		*end = p + 1;
		return c == '[';
	}
	*end = q + 1;
	return found != not ;
}

bool glob_matches(const char *p, const char *s)
{
	const char *star = NULL, *from = NULL, *next;
	while (*s) {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if (*p == '?' || (*p && *p != '[' && *p == *s)) {
			p++;
			s++;
		} else if (*p == '[' && in_set(p, *s, &next)) {
			p = next;
			s++;
		} else if (star) {
			p = star;
			s = ++from;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

bool glob_is_plain(const char *pattern)
{
	return !strpbrk(pattern, "*?[{");
}

static bool expand(struct glob *g, const char *text, struct error *err)
{
	/* the innermost braces: the first closing one and the last opening one before it */
	const char *close = strchr(text, '}'), *open = NULL;
	for (const char *p = text; close && p < close; p++)
		if (*p == '{')
			open = p;
	if (!open) {
		if (g->variants.n >= GLOB_VARIANTS) {
			error_set(err, ERROR_LIMIT,
				"the braces of a part of a path make more than %d names",
				GLOB_VARIANTS);
			return false;
		}
		vec_push(&g->variants, mem_strdup(text));
		return true;
	}
	struct slice rest = slice_from(open + 1, (size_t)(close - open - 1)), one;
	bool more = true, good = true;
	while (good && more) {
		const size_t n = slice_find(rest, ',');
		one = slice_sub(rest, 0, n);
		more = n < rest.n;
		rest = slice_sub(rest, n + 1, rest.n);
		char *variant = mem_printf(
			"%.*s%.*s%s", (int)(open - text), text, SLICE_ARG(one), close + 1);
		good = expand(g, variant, err);
		free(variant);
	}
	return good;
}

bool glob_init(struct glob *g, struct slice part, struct error *err)
{
	char *text = slice_dup(part);
	*g = (struct glob){0};
	const bool good = expand(g, text, err);
	free(text);
	if (!good)
		glob_fini(g);
	g->plain = good && g->variants.n == 1 && glob_is_plain(g->variants.p[0]);
	return good;
}

void glob_fini(struct glob *g)
{
	VEC_EACH (&g->variants, char *, v)
		free(*v);
	vec_fini(&g->variants);
}

bool glob_fits(const struct glob *g, const char *name)
{
	VEC_EACH (&g->variants, char *, v)
		if (glob_matches(*v, name))
			return true;
	return false;
}

/*
 * route.c - which row a request belongs to; see route.h.
 *
 * The table is short and its first row the one that is asked for most, so it is walked. The word
 * that stands for {name} is decoded once, here, and must be text that may stand in a page: valid
 * UTF-8 without control characters or slashes.
 */

#include "web/route.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "net/url.h"

struct pattern { /* prefix {name} suffix; without a word everything is prefix */
	struct slice prefix, suffix;
	bool word;
};

static struct pattern pattern_of(const char *path)
{
	const struct slice all = slice_of(path);
	const size_t open = slice_find(all, '{');
	if (open == all.n)
		return (struct pattern){.prefix = all};
	const size_t close = slice_find(all, '}');
	return (struct pattern){slice_sub(all, 0, open), slice_sub(all, close + 1, all.n), true};
}

/* Whether the path has this form; *ret is what stands for {name}, still encoded. */
static bool has_form(struct slice path, const char *form, struct slice *ret)
{
	const struct pattern p = pattern_of(form);
	if (!p.word)
		return slice_eq(path, p.prefix);
	if (path.n <= p.prefix.n + p.suffix.n || memcmp(path.p, p.prefix.p, p.prefix.n) != 0)
		return false;
	const struct slice tail = slice_sub(path, path.n - p.suffix.n, p.suffix.n);
	*ret = slice_sub(path, p.prefix.n, path.n - p.prefix.n - p.suffix.n);
	return slice_eq(tail, p.suffix) && slice_find(*ret, '/') == ret->n;
}

static bool decode_word(struct slice encoded, char *ret)
{
	char *plain;
	if (encoded.n > 3 * ROUTE_WORD_MAX || !url_decode(encoded, false, &plain))
		return false;
	const struct slice s = slice_of(plain);
	bool good = s.n > 0 && s.n <= ROUTE_WORD_MAX && utf8_valid(s);
	for (size_t i = 0; i < s.n && good; i++)
		good = (uint8_t)s.p[i] >= 0x20 && s.p[i] != 0x7f && s.p[i] != '/';
	if (good)
		snprintf(ret, ROUTE_WORD_MAX + 1, "%s", plain);
	free(plain);
	return good;
}

static bool is_of_row(const char *word, const struct route *r)
{
	int64_t n;
	return !r->number || (units_parse_int(slice_of(word), &n) && n > 0 && word[0] != '+');
}

static bool answers(const struct route *r, const char *method)
{
	return strcmp(r->method, method) == 0 ||
	       (strcmp(method, "HEAD") == 0 && strcmp(r->method, "GET") == 0);
}

void route_match_path(const char *method, const char *path, unsigned on, struct route_match *ret)
{
	const struct slice all = slice_of(path);
	ret->route = NULL;
	ret->other_method = false;
	ret->word[0] = '\0';
	for (size_t i = 0; i < route_count; i++) {
		const struct route *r = &routes[i];
		struct slice word = {0};
		if (!(r->on & on) || !has_form(all, r->path, &word))
			continue;
		if (word.n && (!decode_word(word, ret->word) || !is_of_row(ret->word, r)))
			continue;
		if (answers(r, method)) {
			ret->route = r;
			ret->other_method = false;
			return;
		}
		ret->other_method = true;
	}
}

const char *route_allow(const char *path, unsigned on, char *text)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"};
	size_t n = 0;
	text[0] = '\0';
	for (size_t i = 0; i < array_len(methods); i++) {
		struct route_match m;
		route_match_path(methods[i], path, on, &m);
		if (m.route && n < ROUTE_ALLOW)
			n += (size_t)snprintf(
				text + n, ROUTE_ALLOW - n, "%s%s", n ? ", " : "", methods[i]);
	}
	return text;
}

/* A word is never empty and has no slash. */
static bool literal_has_form(const char *literal, const char *form)
{
	struct slice word;
	return has_form(slice_of(literal), form, &word);
}

bool route_overlap(const char *a, const char *b)
{
	const struct pattern p = pattern_of(a), q = pattern_of(b);
	if (!p.word)
		return literal_has_form(a, b);
	if (!q.word)
		return literal_has_form(b, a);
	/* both: one prefix begins the other, one suffix ends the other, and what is left of the
	 * longer ones fits into one segment */
	const struct slice longer = p.prefix.n > q.prefix.n ? p.prefix : q.prefix;
	const struct slice shorter = p.prefix.n > q.prefix.n ? q.prefix : p.prefix;
	const struct slice tail = p.suffix.n > q.suffix.n ? p.suffix : q.suffix;
	const struct slice end = p.suffix.n > q.suffix.n ? q.suffix : p.suffix;
	const struct slice more = slice_sub(longer, shorter.n, longer.n);
	const struct slice less = slice_sub(tail, 0, tail.n - end.n);
	return memcmp(longer.p, shorter.p, shorter.n) == 0 &&
	       slice_eq(slice_sub(tail, tail.n - end.n, end.n), end) &&
	       slice_find(more, '/') == more.n && slice_find(less, '/') == less.n;
}

void route_path(const struct route *r, const char *word, struct buf *out)
{
	const struct pattern p = pattern_of(r->path);
	buf_add_slice(out, p.prefix);
	if (p.word)
		url_encode(out, slice_of(word));
	buf_add_slice(out, p.suffix);
}

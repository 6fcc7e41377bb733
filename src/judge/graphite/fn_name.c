/*
 * fn_name.c - other names for the same values.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/functions.h"
#include "text/regex.h"

bool fn_alias(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		curve_rename(one, mem_strdup(given_text(c, 1, "")));
	}
	return true;
}

bool fn_alias_by_node(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		curve_rename(one, curve_key(in->p[i], c->args.p + 1, c->args.n - 1));
	}
	return true;
}

/* --- parts ------------------------------------------------------------------------------------ */

/* Parts of what stands in the innermost parentheses, up to a comma; negative counts from the end,
 * stop 0 means the end. */
static char *parts_of(const char *name, int64_t start, int64_t stop)
{
	const char *open = strrchr(name, '('), *close = strchr(name, ')');
	const char *begin = open ? open + 1 : name;
	const char *end = close ? close : name + strlen(name);
	struct slice rest = slice_from(begin, end > begin ? (size_t)(end - begin) : 0);
	struct buf out = BUF(BUF_LINE);
	int64_t n = 1;
	for (size_t i = 0; i < rest.n; i++)
		n += rest.p[i] == '.';
	start = start < 0 ? (start + n < 0 ? 0 : start + n) : start;
	stop = stop <= 0 ? stop + n : stop;
	bool any = false;
	for (int64_t i = 0; i < n; i++) {
		const size_t at = slice_find(rest, '.');
		if (i >= start && i < stop) {
			buf_add_str(&out, any ? "." : "");
			buf_add_slice(&out, slice_sub(rest, 0, at));
			any = true;
		}
		rest = slice_sub(rest, at + 1, rest.n);
	}
	const size_t comma = slice_find(buf_slice(&out), ',');
	if (comma < out.n)
		buf_cut(&out, comma);
	return buf_take(&out);
}

static bool substr(struct call *c, int64_t start, int64_t stop, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		curve_rename(one, parts_of(in->p[i]->name, start, stop));
	}
	return true;
}

bool fn_substr(struct call *c, struct curves *out)
{
	return substr(c, given_whole(c, 1, 0), given_whole(c, 2, 0), out);
}

bool fn_alias_by_metric(struct call *c, struct curves *out)
{
	return substr(c, -1, 0, out);
}

/* --- substitution ----------------------------------------------------------------------------- */

/* The replacement with \1 and \g<1> from the match. */
static void add_replacement(struct buf *out, const char *replace, const struct slice *groups)
{
	for (const char *p = replace; *p; p++) {
		if (p[0] != '\\' || !p[1]) {
			buf_add_char(out, *p);
		} else if (isdigit((unsigned char)p[1])) {
			buf_add_slice(out, groups[p[1] - '0']);
			p++;
		} else if (p[1] == 'g' && p[2] == '<' && isdigit((unsigned char)p[3]) &&
			   p[4] == '>') {
			buf_add_slice(out, groups[p[3] - '0']);
			p += 4;
		} else {
			const char *special = strchr("n\nt\t", *++p);
			buf_add_char(out, special ? special[1] : *p);
		}
	}
}

/* Bytes of the character at p. */
static size_t character(const char *p)
{
	size_t n = 1;
	while ((p[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* All matches replaced; owned. NULL: it takes too many steps. */
static char *substituted(const struct regex *re, const char *text, const char *replace)
{
	struct buf out = BUF(TARGET_TEXT);
	const struct slice all = slice_of(text);
	struct slice groups[REGEX_GROUPS];
	size_t at = 0;
	enum regex_result r = REGEX_NO;
	while (at <= all.n && (r = regex_find_from(re, all, at, groups)) == REGEX_FOUND) {
		const size_t begin = (size_t)(groups[0].p - text);
		if (begin < at) /* \K in a lookahead */
			break;
		buf_add_slice(&out, slice_sub(all, at, begin - at));
		add_replacement(&out, replace, groups);
		at = begin + groups[0].n;
		if (!groups[0].n && at < all.n) {
			const size_t n = character(text + at);
			buf_add(&out, text + at, n);
			at += n;
		} else if (!groups[0].n) {
			at++;
		}
	}
	if (at < all.n)
		buf_add_slice(&out, slice_sub(all, at, all.n));
	if (r != REGEX_ENDLESS && !out.over)
		return buf_take(&out);
	buf_fini(&out);
	return NULL;
}

static struct regex *search_of(struct call *c)
{
	struct error err = {0};
	struct regex *re = regex_new(slice_of(given_text(c, 1, "")), &err);
	if (!re)
		wrong_argument(c, 1, "%s", err.msg);
	return re;
}

/* The name of a curve with the search replaced; NULL: told. */
static char *name_of(struct call *c, const struct regex *re, const struct curve *from)
{
	char *name = substituted(re, from->name, given_text(c, 2, ""));
	if (!name)
		wrong_argument(c, 1,
			"the regular expression takes too many steps, or makes too long"
			" a name");
	return name;
}

bool fn_alias_sub(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct regex *re = search_of(c);
	for (size_t i = 0; re && i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		char *name = one ? name_of(c, re, in->p[i]) : NULL;
		if (!name)
			break;
		curve_rename(one, name);
	}
	regex_free(re);
	return !c->e->failed;
}

/* --- aliasQuery ------------------------------------------------------------------------------- */

/* A spec of ours: flags and one of fgeEG. The format is no text of users. */
static bool add_formatted(struct buf *out, const char *spec, double x)
{
	int width = 0, digits = 6;
	const char *p = spec + 1;
	while (*p == '-' || *p == '+' || *p == ' ' || *p == '0')
		p++;
	while (isdigit((unsigned char)*p))
		width = width * 10 + (*p++ - '0');
	if (*p == '.')
		for (digits = 0, p++; isdigit((unsigned char)*p);)
			digits = digits * 10 + (*p++ - '0');
	if (width > 60 || digits > 30)
		return false;
	switch (*p) {
	case 'f': return buf_printf(out, "%*.*f", width, digits, x);
	case 'e':
	case 'E': return buf_printf(out, "%*.*e", width, digits, x);
	case 'g':
	case 'G': return buf_printf(out, "%*.*g", width, digits, x);
	default: return false;
	}
}

/* newName with its %d, %s, %g, %.2f ... replaced by a number; NULL: it has another one. Owned. */
static char *with_number(const char *format, double x)
{
	struct buf out = BUF(BUF_LINE);
	bool good = true;
	for (const char *p = format; *p && good; p++) {
		if (*p != '%' || p[1] == '%') {
			buf_add_char(&out, *p);
			p += *p == '%';
			continue;
		}
		const size_t flags = strspn(p + 1, "-+ 0123456789.");
		const char kind = p[1 + flags];
		char spec[16], text[CURVE_NUMBER];
		good = flags < 8 && kind && strchr("dsifgeEG", kind);
		if (!good)
			break;
		if (kind == 's') {
			buf_add_str(&out, curve_number(x, true, text));
		} else if (kind == 'd' || kind == 'i') {
			buf_printf(&out, "%.0f", trunc(x));
		} else {
			snprintf(spec, sizeof(spec), "%.*s", (int)flags + 2, p);
			good = add_formatted(&out, spec, x);
		}
		p += 1 + flags;
	}
	if (good && !out.over)
		return buf_take(&out);
	buf_fini(&out);
	return NULL;
}

static bool query_name(struct call *c, const char *query, struct curve *one)
{
	struct curves got = {0};
	bool good = call_target(c, query, c->span, &got);
	if (good && !got.n)
		good = wrong_argument(c, 1, "no series is found with %.200s", query);
	if (good) {
		const double last = fold_values(FOLD_LAST, got.p[0]->v, got.p[0]->n);
		char *name = isnan(last) ? NULL : with_number(given_text(c, 3, ""), last);
		if (isnan(last))
			good = wrong_argument(c, 1, "%.200s has no last value", query);
		else if (!name)
			good = wrong_argument(c, 3, "a new name has one of %%d %%s %%g %%f in it");
		else
			curve_rename(one, name);
	}
	curves_fini(&got);
	return good;
}

bool fn_alias_query(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct regex *re = search_of(c);
	bool good = true;
	for (size_t i = 0; re && i < in->n && !c->e->failed; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		char *query = one ? name_of(c, re, in->p[i]) : NULL;
		if (query)
			good &= query_name(c, query, one);
		free(query);
	}
	regex_free(re);
	return good && !c->e->failed;
}

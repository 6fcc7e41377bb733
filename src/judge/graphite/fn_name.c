/*
 * fn_name.c - other names for the same values.
 */

#include <ctype.h>
#include <math.h>
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

/* Of argument i; what takes its place is the one behind. */
static struct regex *search_of(struct call *c, size_t i)
{
	struct error err = {0};
	struct regex *re = regex_new(slice_of(given_text(c, i, "")), &err);
	if (!re)
		wrong_argument(c, i, "%s", err.msg);
	return re;
}

/* The name of a curve with the search replaced; NULL: told. */
static char *name_of(struct call *c, size_t i, const struct regex *re, const struct curve *from)
{
	char *name = substituted(re, from->name, given_text(c, i + 1, ""));
	if (!name)
		wrong_argument(c, i,
			"the regular expression takes too many steps, or makes too long"
			" a name");
	return name;
}

bool fn_alias_sub(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct regex *re = search_of(c, 1);
	for (size_t i = 0; re && i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		char *name = one ? name_of(c, 1, re, in->p[i]) : NULL;
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
	struct regex *re = search_of(c, 1);
	bool good = true;
	for (size_t i = 0; re && i < in->n && !c->e->failed; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		char *query = one ? name_of(c, 1, re, in->p[i]) : NULL;
		if (query)
			good &= query_name(c, query, one);
		free(query);
	}
	regex_free(re);
	return good && !c->e->failed;
}

/* Those of other names whose own have been above a value. */
bool fn_use_above(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double limit = given_number(c, 1, 0);
	struct regex *re = search_of(c, 2);
	bool good = re;
	for (size_t i = 0; re && i < in->n && good; i++) {
		if (!(fold_values(FOLD_MAX, in->p[i]->v, in->p[i]->n) > limit))
			continue;
		char *name = name_of(c, 2, re, in->p[i]);
		good = name && call_target(c, name, c->span, out);
		free(name);
	}
	regex_free(re);
	return good && !c->e->failed;
}

/* --- values in names -------------------------------------------------------------------------- */

#define UNIT_TEXT 80

/* "12.35K" in the system ("si", "binary", NULL: as it is). */
static const char *in_units(double x, const char *system, char text[UNIT_TEXT])
{
	const bool binary = system && strcmp(system, "binary") == 0;
	const char *letters = binary ? "KMGTP" : "kMGTP";
	const double step = binary ? 1024 : 1000;
	size_t k = 0;
	for (; system && letters[k] && fabs(x) >= step; k++)
		x /= step;
	snprintf(text, UNIT_TEXT, "%.2f%.*s%s", x, k ? 1 : 0, k ? &letters[k - 1] : "",
		k && binary ? "i" : "");
	return text;
}

static bool is_system(const char *word)
{
	return strcmp(word, "si") == 0 || strcmp(word, "binary") == 0;
}

static void add_legend(struct buf *name, const char *kind, double x, bool known, const char *system)
{
	char text[UNIT_TEXT];
	const char *value = "(?)";
	if (known && isnan(x))
		value = "None";
	else if (known)
		value = system ? in_units(x, system, text) : curve_number(x, true, text);
	if (!system) {
		buf_printf(name, " (%s: %s)", kind, value);
		return;
	}
	const struct buf before = *name;
	*name = BUF(BUF_LINE);
	buf_printf(name, "%-20s%-5s%-10s", buf_str(&before), kind, value);
	free(before.p);
}

bool fn_legend_value(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	size_t n = c->args.n;
	const char *last = given_text(c, n - 1, "");
	const char *system = n > 1 && is_system(last) ? last : NULL;
	n -= system != NULL;
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		struct buf name = BUF(BUF_LINE);
		if (!one)
			return false;
		buf_add_str(&name, in->p[i]->name);
		for (size_t k = 1; k < n; k++) {
			enum fold f = FOLD_LAST;
			const bool known = fold_parse(given_text(c, k, ""), &f);
			add_legend(&name, given_text(c, k, ""), fold_values(f, one->v, one->n),
				known, system);
		}
		curve_rename(one, buf_take(&name));
	}
	return true;
}

/* --- cactiStyle: names, and three values in columns ------------------------------------------- */

static const enum fold cacti_folds[] = {FOLD_LAST, FOLD_MAX, FOLD_MIN};

static void cacti_text(const struct call *c, double x, struct buf *out)
{
	const char *system = given_text(c, 1, ""), *units = given_text(c, 2, "");
	char text[UNIT_TEXT];
	if (isnan(x)) {
		buf_add_str(out, "nan");
		return;
	}
	in_units(x, *system ? system : NULL, text);
	/* The unit stands behind the prefix, which stands apart then. */
	const size_t digits = strspn(text, "-0123456789.");
	buf_printf(out, "%.*s%s%s%s", (int)digits, text, *units ? " " : "", text + digits, units);
}

static int cacti_width(const struct call *c, const struct curves *in, enum fold f)
{
	size_t most = 0;
	for (size_t i = 0; i < in->n; i++) {
		const double x = trunc(fold_values(f, in->p[i]->v, in->p[i]->n));
		struct buf text = BUF(BUF_LINE);
		cacti_text(c, isnan(x) || x == 0 ? 3 : x, &text);
		most = text.n > most ? text.n : most;
		buf_fini(&text);
	}
	return (int)most + 3;
}

bool fn_cacti_style(struct call *c, struct curves *out)
{
	static const char *const labels[] = {"Current", "Max", "Min"};
	const struct curves *in = given_curves(c, 0);
	int widths[array_len(cacti_folds)], names = 0;
	if (given_has(c, 1) && *given_text(c, 1, "") && !is_system(given_text(c, 1, "")))
		return wrong_argument(c, 1, "the system is si or binary");
	for (size_t k = 0; k < array_len(cacti_folds); k++)
		widths[k] = cacti_width(c, in, cacti_folds[k]);
	for (size_t i = 0; i < in->n; i++)
		names = (int)strlen(in->p[i]->name) > names ? (int)strlen(in->p[i]->name) : names;
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		struct buf name = BUF(BUF_LINE);
		if (!one)
			return false;
		buf_printf(&name, "%-*s ", names, in->p[i]->name);
		for (size_t k = 0; k < array_len(cacti_folds); k++) {
			struct buf text = BUF(BUF_LINE);
			cacti_text(c, fold_values(cacti_folds[k], one->v, one->n), &text);
			buf_printf(&name, "%s:%-*s ", labels[k], widths[k], buf_str(&text));
			buf_fini(&text);
		}
		curve_rename(one, buf_take(&name));
	}
	return true;
}

#include "import/condition.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "import/probe.h"
#include "observe/probe/kind.h"
#include "text/expr.h"

static const char common[] = "CONNECTED RESPONSE_TIME IP TRIES";

static bool measures(const char *kind, struct slice name)
{
	const struct probe_kind *k = probe_kind_find(slice_of(kind));
	if (slice_in_words(name, common))
		return true;
	for (size_t i = 0; k && k->measurements && k->measurements[i]; i++)
		if (slice_is(name, k->measurements[i]))
			return true;
	return false;
}

/* "[NAME]" at p: how long NAME is; 0: it is no measurement. */
static size_t name_at(const char *p)
{
	size_t n = 0;
	while (*p == '[' && (isupper((unsigned char)p[1 + n]) || p[1 + n] == '_'))
		n++;
	return n && p[1 + n] == ']' ? n : 0;
}

bool condition_check(const char *kind, const char *condition, struct error *err)
{
	if (strstr(condition, "${")) {
		error_set(err, ERROR_INPUT, "${ begins an expression here");
		return false;
	}
	struct expr *e = expr_parse_condition(slice_of(condition), "", 0, 0, err);
	if (!e)
		return false;
	expr_free(e);
	for (const char *p = condition; *p; p++) {
		const size_t n = name_at(p);
		if (!n || measures(kind, slice_from(p + 1, n)))
			continue;
		error_set(err, ERROR_INPUT, "a probe of kind %s does not measure [%.*s]", kind,
			(int)n, p + 1);
		return false;
	}
	return true;
}

/* --- statuses --------------------------------------------------------------------------------- */

static int by_from(const void *va, const void *vb)
{
	const struct condition_range *a = va, *b = vb;
	return (a->from > b->from) - (a->from < b->from);
}

char *condition_status(struct condition_range *r, size_t n)
{
	size_t kept = 0;
	qsort(r, n, sizeof(*r), by_from);
	for (size_t i = 1; i < n; i++)
		if (r[i].from <= r[kept].to + 1)
			r[kept].to = r[i].to > r[kept].to ? r[i].to : r[kept].to;
		else
			r[++kept] = r[i];
	struct buf out = BUF(BUF_LINE);
	for (size_t i = 0; i <= kept; i++) {
		buf_add_str(&out, i ? " || " : "");
		if (r[i].from == r[i].to)
			buf_printf(&out, "[STATUS] == %lld", (long long)r[i].from);
		else
			buf_printf(&out, "[STATUS] >= %lld && [STATUS] <= %lld",
				(long long)r[i].from, (long long)r[i].to);
	}
	return buf_take(&out);
}

/* --- patterns --------------------------------------------------------------------------------- */

/* In quotes a pattern stands as it is, but for the quote itself and what begins an expression. */
static char *quoted(const char *of, const char *pattern, bool matches)
{
	struct buf out = BUF(BUF_LINE);
	buf_printf(&out, "%s %s re(\"", of, matches ? "==" : "!=");
	for (const char *p = pattern; *p; p++) {
		if (*p == '"')
			buf_add_str(&out, "\\x22");
		else if (*p == '\\' && p[1] == '"')
			buf_add_str(&out, "\\x22"), p++;
		else if (*p == '\\' && p[1])
			buf_add(&out, p++, 2);
		else if (*p == '\n')
			buf_add_str(&out, "\\n");
		else
			buf_add_char(&out, *p);
	}
	buf_add_str(&out, "\")");
	return buf_take(&out);
}

char *condition_matches(const char *of, const char *pattern, bool matches)
{
	const size_t n = strlen(pattern);
	if (!n || n > 2000 || strstr(pattern, "${") || pattern[n - 1] == '\\')
		return NULL;
	return quoted(of, pattern, matches);
}

char *condition_contains(const char *of, const char *text, bool contains)
{
	struct buf pattern = BUF(BUF_LINE);
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '$')
			buf_printf(&pattern, "\\x%02x", (unsigned)*p);
		else if (ispunct((unsigned char)*p))
			buf_printf(&pattern, "\\%c", *p);
		else
			buf_add_char(&pattern, *p);
	}
	char *condition = condition_matches(of, buf_str(&pattern), contains);
	buf_fini(&pattern);
	return condition;
}

/* --- secrets ---------------------------------------------------------------------------------- */

struct comparison {              /* [BODY].user.token == "..." */
	struct slice path, last; /* of it: the name behind the last point */
	bool known;              /* what it is compared with stands there */
	const char *end;         /* of the path */
};

/* The next path at or behind p; false: there is none. */
static bool next_comparison(const char *p, struct comparison *ret)
{
	const char *at = strstr(p, "[BODY]"), *header = strstr(p, "[HEADER]");
	if (header && (!at || header < at))
		at = header;
	if (!at)
		return false;
	const char *end = strchr(at, ']') + 1, *name = end;
	for (; *end && (isalnum((unsigned char)*end) || strchr("._-[]", *end)); end++)
		if (*end == '.')
			name = end + 1;
	const char *op = end + strspn(end, " \t");
	const size_t n = strspn(op, "=!<>");
	const char *value = op + n + strspn(op + n, " \t");
	*ret = (struct comparison){.path = slice_from(at, (size_t)(end - at)),
		.last = slice_from(name, (size_t)(end - name)),
		.known = n && *value && *value != '[',
		.end = end};
	return true;
}

static bool is_secret_path(const struct comparison *x)
{
	char *name = slice_dup(x->last);
	const bool secret = import_is_secret(name);
	free(name);
	return secret;
}

bool condition_holds_secret(const char *condition)
{
	struct comparison x;
	for (const char *p = condition; next_comparison(p, &x); p = x.end)
		if (x.known && is_secret_path(&x))
			return true;
	return false;
}

char *condition_without_secret(const char *condition)
{
	struct comparison x;
	if (strstr(condition, "&&") || strstr(condition, "||") || *condition != '[' ||
		!next_comparison(condition, &x) || strncmp(x.path.p, "[BODY]", 6) != 0 ||
		x.end[strspn(x.end, " \t")] != '=')
		return NULL;
	return mem_printf("has(%.*s) == true", SLICE_ARG(x.path));
}

/* --- upside down ------------------------------------------------------------------------------ */

char *condition_upside_down(const char *const *conditions, size_t n)
{
	struct buf out = BUF(BUF_LINE);
	buf_add_str(&out, "[CONNECTED] == false");
	for (size_t i = 0; i < n; i++)
		buf_printf(&out, " || !(%s)", conditions[i]);
	return buf_take(&out);
}

/*
 * regex.c - see regex.h. PCRE2's own match limit counts anew at each place where a match could
 * begin, so that a long text would multiply it; callouts between all items count the whole search.
 */

#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdint.h>

#define HEAP_KIB 4096 /* what one search may remember for backtracking */

struct regex {
	pcre2_code *bytes, *utf8; /* utf8: NULL when the pattern is no UTF-8 */
};

static pcre2_code *compile(struct slice pattern, uint32_t flags, int *ret_code, size_t *ret_at)
{
	return pcre2_compile((PCRE2_SPTR)(pattern.n ? pattern.p : ""), pattern.n,
		PCRE2_AUTO_CALLOUT | PCRE2_NEVER_BACKSLASH_C | flags, ret_code, ret_at, NULL);
}

struct regex *regex_new(struct slice pattern, struct error *err)
{
	struct regex *re = mem_new(struct regex);
	int code = 0;
	size_t at = 0;
	char why[160] = "";

	if (pattern.n > REGEX_PATTERN) {
		error_set(err, ERROR_LIMIT, "the regular expression is longer than %d bytes",
			REGEX_PATTERN);
		free(re);
		return NULL;
	}
	if (utf8_valid(pattern))
		re->utf8 = compile(pattern, PCRE2_UTF, &code, &at);
	re->bytes = compile(pattern, PCRE2_NEVER_UTF, &code, &at);
	if (re->bytes)
		return re;
	pcre2_get_error_message(code, (PCRE2_UCHAR *)why, sizeof(why));
	error_set(err, ERROR_INPUT, "the regular expression is wrong at its character %zu: %s",
		at + 1, why);
	regex_free(re);
	return NULL;
}

void regex_free(struct regex *re)
{
	if (!re)
		return;
	pcre2_code_free(re->bytes);
	pcre2_code_free(re->utf8);
	free(re);
}

static int on_step(pcre2_callout_block *block, void *arg)
{
	unsigned *left = arg;

	return *left == 0 ? PCRE2_ERROR_CALLOUT : ((*left)--, 0);
}

static void take_groups(
	pcre2_match_data *data, struct slice text, int n, struct slice ret[REGEX_GROUPS])
{
	const PCRE2_SIZE *at = pcre2_get_ovector_pointer(data);

	for (int i = 0; i < REGEX_GROUPS; i++) {
		/* \K in a lookahead can put the start behind the end. */
		const bool there = i < n && at[2 * i] != PCRE2_UNSET && at[2 * i] <= at[2 * i + 1];
		ret[i] = there ? slice_from(text.p + at[2 * i], at[2 * i + 1] - at[2 * i])
			       : slice_from(text.p, 0);
	}
}

enum regex_result regex_find(
	const struct regex *re, struct slice text, struct slice ret_groups[REGEX_GROUPS])
{
	return regex_find_from(re, text, 0, ret_groups);
}

enum regex_result regex_find_from(
	const struct regex *re, struct slice text, size_t at, struct slice ret_groups[REGEX_GROUPS])
{
	const bool utf8 = re->utf8 && utf8_valid(text);
	const pcre2_code *code = utf8 ? re->utf8 : re->bytes;
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	pcre2_match_data *data = pcre2_match_data_create(REGEX_GROUPS, NULL);
	unsigned left = REGEX_STEPS;

	if (!context || !data)
		mem_panic("no memory for a regular expression");
	pcre2_set_callout(context, on_step, &left);
	pcre2_set_match_limit(context, REGEX_STEPS);
	pcre2_set_heap_limit(context, HEAP_KIB);
	const int n = pcre2_match(code, (PCRE2_SPTR)(text.n ? text.p : ""), text.n, at,
		utf8 ? PCRE2_NO_UTF_CHECK : 0, data, context);
	/* 0: more groups than there is room for, the first ones are there. */
	if (n >= 0 && ret_groups)
		take_groups(data, text, n ? n : REGEX_GROUPS, ret_groups);
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	return n >= 0 ? REGEX_FOUND : n == PCRE2_ERROR_NOMATCH ? REGEX_NO : REGEX_ENDLESS;
}

/*
 * regex.c - see regex.h.
 */

#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/* A step takes some 20 ns: a pattern that goes astray ends within the 5 ms of a turn. */
#define STEPS_MAX 100000
#define HEAP_KIB  1024

struct regex {
	pcre2_code *code;
	pcre2_match_context *limits;
	pcre2_match_data *groups;
};

struct regex *regex_new(struct slice pattern, struct error *err)
{
	int code = 0;
	PCRE2_SIZE at = 0;
	if (pattern.n > REGEX_PATTERN_MAX) {
		error_set(err, ERROR_INPUT, "a regular expression is at most %d bytes long",
			REGEX_PATTERN_MAX);
		return NULL;
	}
	struct regex *r = mem_new(struct regex);
	const uint32_t options = PCRE2_NEVER_BACKSLASH_C |
				 (utf8_valid(pattern) ? PCRE2_UTF | PCRE2_MATCH_INVALID_UTF : 0);
	r->code = pcre2_compile((PCRE2_SPTR)pattern.p, pattern.n, options, &code, &at, NULL);
	if (!r->code) {
		PCRE2_UCHAR text[200] = "";
		pcre2_get_error_message(code, text, sizeof(text));
		error_set(err, ERROR_INPUT, "the regular expression is wrong after %zu bytes: %s",
			(size_t)at, (const char *)text);
		free(r);
		return NULL;
	}
	r->limits = pcre2_match_context_create(NULL);
	r->groups = pcre2_match_data_create(1, NULL);
	if (!r->limits || !r->groups)
		mem_panic("out of memory");
	pcre2_set_match_limit(r->limits, STEPS_MAX);
	pcre2_set_heap_limit(r->limits, HEAP_KIB);
	return r;
}

void regex_free(struct regex *r)
{
	if (!r)
		return;
	pcre2_match_data_free(r->groups);
	pcre2_match_context_free(r->limits);
	pcre2_code_free(r->code);
	free(r);
}

enum regex_result regex_match(const struct regex *r, struct slice text)
{
	if (text.n > REGEX_TEXT_MAX)
		return REGEX_GAVE_UP;
	const int n = pcre2_match(
		r->code, (PCRE2_SPTR)(text.p ? text.p : ""), text.n, 0, 0, r->groups, r->limits);
	return n >= 0 ? REGEX_MATCHES : n == PCRE2_ERROR_NOMATCH ? REGEX_DIFFERS : REGEX_GAVE_UP;
}

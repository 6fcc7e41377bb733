/*
 * regex.h - regular expressions of users (PCRE2) over text of strangers.
 *
 * A pattern is at most REGEX_PATTERN bytes. A search takes at most REGEX_STEPS steps (some 10 ms)
 * and stops there, whatever pattern and text are: a pattern that backtracks without end is told,
 * not waited for. Bytes are bytes unless both pattern and text are UTF-8.
 * Thread: any; a compiled one is immutable.
 */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/slice.h"

#define REGEX_PATTERN 4096
#define REGEX_STEPS   500000
#define REGEX_GROUPS  10 /* the whole match and (1) to (9) */

struct regex;

enum regex_result {
	REGEX_NO,
	REGEX_FOUND,
	REGEX_ENDLESS, /* it took too many steps; nobody knows whether it matches */
};

/* Returns owned, or NULL with what is wrong and where in the pattern. */
struct regex *regex_new(struct slice pattern, struct error *err) must_check;
void regex_free(struct regex *re);
/* Searches anywhere in text (^ and $ are its ends; (?m) makes them those of lines). `ret_groups`
 * may be NULL; they borrow from text, a group that took no part is empty. */
enum regex_result regex_find(
	const struct regex *re, struct slice text, struct slice ret_groups[REGEX_GROUPS]);
/* From byte `at` <= text.n on, which ends a character; what stands before it is still looked back
 * at, so that ^ holds at the begin of the text only. */
enum regex_result regex_find_from(const struct regex *re, struct slice text, size_t at,
	struct slice ret_groups[REGEX_GROUPS]);

#endif

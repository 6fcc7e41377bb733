/*
 * regex.h - regular expressions of users (PCRE2), bounded: a pattern that would take too long over
 * a text is an error, never a wait. Texts are UTF-8 where both sides are. Thread: a regex is
 * immutable once made.
 */
#ifndef TEXT_REGEX_H
#define TEXT_REGEX_H

#include "base/buf.h"
#include "base/error.h"

#define REGEX_PATTERN_MAX 4096        /* bytes */
#define REGEX_TEXT_MAX    (64u << 10) /* bytes that are looked at */

struct regex;

enum regex_result {
	REGEX_MATCHES,
	REGEX_DIFFERS,
	REGEX_GAVE_UP, /* over the limits: the text, or the steps the pattern takes over it */
};

/* Finds anywhere in the text unless ^ and $ stand in the pattern; `.` does not match a line feed, ^
 * and $ match at the ends of lines only with (?m). Returns owned; NULL with what is wrong and
 * where in the pattern (err->msg; no place). */
struct regex *regex_new(struct slice pattern, struct error *err) must_check;
void regex_free(struct regex *r);
/* Texts over REGEX_TEXT_MAX are not looked at. */
enum regex_result regex_match(const struct regex *r, struct slice text);

#endif

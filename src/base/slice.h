/*
 * slice.h - text that somebody else owns: pointer and length, not NUL-terminated.
 *
 * A slice borrows; it is valid as long as its owner. Passed by value. Thread: any.
 */
#ifndef BASE_SLICE_H
#define BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>

struct slice {
	const char *p;
	size_t n;
};

#define SLICE(literal) ((struct slice){"" literal, sizeof(literal) - 1})
/* For printf: "%.*s", SLICE_ARG(s) */
#define SLICE_ARG(s) (int)(s).n, (s).p

struct slice slice_of(const char *s); /* NULL gives an empty slice */
struct slice slice_from(const char *p, size_t n);
bool slice_eq(struct slice a, struct slice b);
bool slice_is(struct slice a, const char *s);
bool slice_is_nocase(struct slice a, const char *s); /* ASCII */
bool slice_starts(struct slice a, const char *prefix);
bool slice_ends(struct slice a, const char *suffix);
struct slice slice_trim(struct slice a);                       /* ASCII white space at both ends */
struct slice slice_sub(struct slice a, size_t from, size_t n); /* clipped to a */
/* Index of the first c or of the text; a.n if absent. */
size_t slice_find(struct slice a, char c);
size_t slice_find_text(struct slice a, struct slice text);
/* Cuts the next part before `sep` off *rest; false when nothing is left. "a,,b" has 3 parts. */
bool slice_in_words(struct slice word, const char *words); /* with spaces between; NULL: none */
bool slice_next(struct slice *rest, char sep, struct slice *ret_part);
/* Returns owned, NUL-terminated. */
char *slice_dup(struct slice a);

/* Whether the bytes are valid UTF-8 (RFC 3629; no surrogates, no overlong forms). */
bool utf8_valid(struct slice a);
/* How many bytes the character at its begin has; 0 when there is none, or nothing. */
size_t utf8_character(struct slice a);
/* Number of code points; the columns of error messages count these. */
size_t utf8_length(struct slice a);
/* Edits (swaps count as one) between them, in bytes, at most `limit` + 1; inputs longer than 64
 * bytes are far. */
unsigned slice_distance(struct slice a, struct slice b, unsigned limit);
/* The nearest of n names to `word` for "did you mean", or NULL when none is close. Borrows. */
const char *slice_nearest(struct slice word, const char *const *names, size_t n);

#endif

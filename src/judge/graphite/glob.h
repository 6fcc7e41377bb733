/*
 * glob.h - one part of a path against a pattern: `*`, `?`, `[a-z]`, `[!a]`, `{a,b*}`.
 *
 * Bytes are compared; no character has to be escaped. Thread: any.
 */
#ifndef JUDGE_GRAPHITE_GLOB_H
#define JUDGE_GRAPHITE_GLOB_H

#include "base/error.h"
#include "base/slice.h"
#include "base/vec.h"

#define GLOB_VARIANTS 500 /* that braces of one part may make */

bool glob_matches(const char *pattern, const char *name); /* no braces */
bool glob_is_plain(const char *pattern);                  /* nothing special in it */

struct glob { /* a part with its braces undone */
	VEC(char *) variants;
	bool plain; /* one variant, which is a name */
};

/* Nested braces too. False: too many variants. */
bool glob_init(struct glob *g, struct slice part, struct error *err) must_check;
void glob_fini(struct glob *g);
bool glob_fits(const struct glob *g, const char *name);

#endif

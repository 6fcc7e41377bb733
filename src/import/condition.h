/*
 * condition.h - conditions of probes (docs/probes.md): which measurements a kind has, and the
 * conditions that other programs' options stand for. Thread: any.
 */
#ifndef IMPORT_CONDITION_H
#define IMPORT_CONDITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Whether a probe of that kind can have the condition. False with why it cannot. */
bool condition_check(const char *kind, const char *condition, struct error *err) must_check;

struct condition_range {
	int64_t from, to;
};

/* "[STATUS] == 200", "[STATUS] >= 200 && [STATUS] <= 299", ... owned. Sorts and joins the ranges;
 * n > 0. */
char *condition_status(struct condition_range *ranges, size_t n);
/* "[OF] == re(...)" for a pattern, or "!=" where it must not match; owned. NULL: such a pattern
 * cannot stand in a condition. */
char *condition_matches(const char *of, const char *pattern, bool matches);
/* The same for a text that is to be found as it stands. */
char *condition_contains(const char *of, const char *text, bool contains);

/* Whether a measurement that goes by a name of secrets is compared with what stands there. */
bool condition_holds_secret(const char *condition);
/* What can be said without it: that there is one; owned. NULL: nothing. */
char *condition_without_secret(const char *condition);

/* What must not be: one that holds when it cannot be reached, or when one of the conditions does
 * not; owned. */
char *condition_upside_down(const char *const *conditions, size_t n);

#endif

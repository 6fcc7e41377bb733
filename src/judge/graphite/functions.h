/* functions.h - the functions of functions.def, each in the file of its family (fn_*.c). */
#ifndef JUDGE_GRAPHITE_FUNCTIONS_H
#define JUDGE_GRAPHITE_FUNCTIONS_H

#include "judge/graphite/eval.h"

#define FUNCTION(name, group, run, ...) bool run(struct call *c, struct curves *out);
#include "judge/graphite/functions.def"
#undef FUNCTION

/* Tells that there is no function of this name, with the nearest one; returns false. */
bool functions_unknown(
	const char *name, const struct target *t, const struct target_node *n, struct eval *e);

/* Shared by families: values of a path's part or tag, "a.b" of parts and tags (fn_group.c). */
char *curve_key(const struct curve *c, const struct argument *nodes, size_t n); /* owned */
/* Steps of `interval` from start to end, whose values become those of `to`; returns where the last
 * one ends (fn_summarize.c). */
int64_t fold_steps(struct curve *to, const struct curve *from, enum fold f, int64_t interval,
	int64_t start, int64_t end);
size_t steps_of(int64_t start, int64_t end, int64_t interval);
/* As Python's round(x, digits). */
double round_to(double x, int digits);

#endif

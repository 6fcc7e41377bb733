/*
 * eval_inside.h - what the files of the evaluation share; see eval_judging.c.
 */
#ifndef JUDGE_GRAPHITE_EVAL_INSIDE_H
#define JUDGE_GRAPHITE_EVAL_INSIDE_H

#include "judge/graphite/eval.h"

/* What a path or seriesByTag() holds; wanted when it is not there. */
bool eval_look_up(
	struct eval *e, const char *path, bool tagged, struct span span, struct curves *out);

/* eval_judging.c */
/* A path below e->denominator's numerator. */
bool eval_numerator(struct eval *e, const char *path, struct span span, struct curves *out);
/* What a call gave, from `before` on, when it counts series. */
bool eval_counted(struct eval *e, const struct target_node *n, struct span span, size_t before,
	struct curves *out);
/* Whether its first argument is the numerator of the second. */
bool eval_has_numerator(const struct target_node *n);

#endif

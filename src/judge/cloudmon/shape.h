/*
 * shape.h - the usual shapes of queries, evaluated from watched series without asking anybody.
 *
 *	sumSeries(P)  aggregate(P, fold)  consolidateBy(X, fold)  alias(X, "...")
 *	smartSummarize(X, "3min", fold, "1min")  asPercent(X, X)
 *
 * A shape gives exactly what the functions of judge/graphite/ give in judging, which a property
 * test holds it to. Whatever else a query has makes it none of these. Thread: the loop's.
 */
#ifndef JUDGE_CLOUDMON_SHAPE_H
#define JUDGE_CLOUDMON_SHAPE_H

#include "judge/cloudmon/watch.h"
#include "judge/graphite/curve.h"
#include "judge/graphite/target.h"

struct shape;

/* Its inputs are those of w, before its start. NULL: none of the usual ones. */
struct shape *shape_of(struct watch *w, const struct target_node *n);
void shape_free(struct shape *s);
/* Whether its inputs have all there is of (from, ...]; false while one of them is unusual. */
bool shape_usable(const struct shape *s, int64_t from_s);
/* The values of (from, until], in memory that is good until the next call. */
struct curve shape_values(
	const struct shape *s, const struct watch *w, int64_t from_s, int64_t until_s);

#endif

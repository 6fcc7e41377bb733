/*
 * output.c - lines of an answer: values as few as they were asked for.
 */

#include <string.h>

#include "judge/graphite/graphite_inside.h"

/* As graphite-web does: steps begin on their multiples, so that a picture does not flicker while
 * time goes on; what stands before the first one is left out. */
static void consolidate(struct curve *c, int64_t range_s, size_t points_max)
{
	const double points = (double)range_s / (double)c->step_s;
	if (points_max == 1) {
		if (c->n > 1)
			curve_consolidate(c, c->n);
		return;
	}
	if (c->n < 1 || (double)points_max >= points)
		return;
	const int64_t each = (int64_t)ceil(points / (double)points_max);
	const int64_t step = each * c->step_s;
	const int64_t nudge = step + c->start_s % c->step_s - c->start_s % step;
	const int64_t steps = nudge / c->step_s - 1;
	const size_t lost = steps < 0 ? 0 : (size_t)steps < c->n ? (size_t)steps : c->n;
	memmove(c->v, c->v + lost, (c->n - lost) * sizeof(*c->v));
	c->n -= lost;
	c->start_s += nudge;
	curve_consolidate(c, (size_t)each);
}

/* What ends after the end of the time does not show. */
static size_t shown(const struct curve *c)
{
	const int64_t n = c->end_s < c->start_s ? 0 : (c->end_s - c->start_s) / c->step_s + 1;
	return (size_t)n < c->n ? (size_t)n : c->n;
}

struct graphite_lines *lines_of(struct curves *curves, size_t points_max)
{
	struct graphite_lines *lines = mem_new(struct graphite_lines);
	struct curves *held = mem_new(struct curves);
	int64_t start = INT64_MAX, end = INT64_MIN;
	*held = *curves;
	*curves = (struct curves){0};
	lines->held = held;
	lines->p = mem_new_array(held->n ? held->n : 1, sizeof(*lines->p));
	for (size_t i = 0; i < held->n; i++) {
		start = held->p[i]->start_s < start ? held->p[i]->start_s : start;
		end = held->p[i]->end_s > end ? held->p[i]->end_s : end;
	}
	bool any = false;
	for (size_t i = 0; i < held->n; i++)
		any |= held->p[i]->n > 0;
	lines->n = any ? held->n : 0; /* as graphite-web: windows longer than what there is */
	for (size_t i = 0; i < lines->n; i++) {
		if (points_max)
			consolidate(curve_own(&held->p[i]), end - start, points_max);
		const struct curve *c = held->p[i];
		lines->p[i] = (struct graphite_line){
			c->name, c->expr, c->start_s, c->step_s, c->v, shown(c), c->tags, c};
	}
	return lines;
}

void graphite_lines_free(struct graphite_lines *lines)
{
	if (!lines)
		return;
	curves_fini(lines->held);
	free(lines->held);
	free(lines->p);
	free(lines);
}

/*
 * curve.h - values at equal steps under a name: what functions of Graphite take and give.
 *
 * A curve is counted and, while several hold it, not changed: curve_own() first. NAN is nothing.
 * Value i belongs to start_s + i * step_s. Thread: one at a time.
 */
#ifndef JUDGE_GRAPHITE_CURVE_H
#define JUDGE_GRAPHITE_CURVE_H

#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/vec.h"

/* How many values become one. Nothing of nothing, but for a count. */
enum fold {
	FOLD_AVERAGE,
	FOLD_AVERAGE_ZERO, /* nothing counts as 0 */
	FOLD_MEDIAN,
	FOLD_SUM,
	FOLD_MIN,
	FOLD_MAX,
	FOLD_DIFF, /* the first without all others */
	FOLD_STDDEV,
	FOLD_COUNT,
	FOLD_RANGE,
	FOLD_MULTIPLY,
	FOLD_LAST,
	FOLD_FIRST
};

bool fold_parse(const char *name, enum fold *ret); /* also avg, total, current, rangeOf */
/* Their names, "average avg avg_zero ..."; for messages. */
const char *fold_names(void);
double fold_values(enum fold f, const double *v, size_t n);
size_t values_count(const double *v, size_t n); /* that are something */
/* As graphite-web's: of the sorted somethings. NAN when there are none. */
double values_percentile(const double *v, size_t n, double percent, bool interpolate);
int by_value(const void *a, const void *b); /* doubles, for qsort() */

struct curve {
	unsigned refs;
	char *name;
	char *expr; /* the path or function it is of, as names of functions show it */
	int64_t start_s, end_s, step_s;
	size_t n;
	double *v;
	enum fold fold; /* when it becomes fewer values */
	double xff;     /* share of somethings that is needed then */
	json_t *tags;   /* of texts */
};

struct curves {
	struct curve **p;
	size_t n, cap;
};

struct curve *curve_ref(struct curve *c);
void curve_unref(struct curve *c); /* NULL is fine */
void curves_fini(struct curves *l);
/* Adds a reference. */
void curves_add(struct curves *l, struct curve *c);
void curves_add_all(struct curves *l, const struct curves *from);

/* Of n values, all nothing; takes name; its tags are those of the name. */
struct curve *curve_new(char *name, int64_t start_s, int64_t step_s, size_t n);
/* A copy with another name (taken) and n values that are nothing; expr is the name. */
struct curve *curve_like(const struct curve *c, char *name, size_t n);
/* The one at *c, changeable: itself when nobody else holds it, else a copy in its place. */
struct curve *curve_own(struct curve **c);
void curve_rename(struct curve *c, char *name); /* takes; not the expr */
void curve_tag(struct curve *c, const char *key, const char *value);
const char *curve_tag_value(const struct curve *c, const char *key); /* "" when there is none */
/* Each `points` values become one, by its fold and xff. */
void curve_consolidate(struct curve *c, size_t points);

/* The same steps for all: the least common multiple of theirs, from the earliest begin; what has
 * shorter ones is consolidated. `out` is the same curves or copies, in order. False when they
 * would have more than `max` values together. */
bool curves_align(const struct curves *in, struct curves *out, size_t max);
/* A curve for what is made of aligned ones, of their steps, all nothing; it ends as the last of
 * `in`, which they were before. Takes name. */
struct curve *curve_of_rows(char *name, const struct curves *rows, const struct curves *in);
/* Their distinct exprs with commas between; owned. */
char *curves_exprs(const struct curves *l);

/* "2", "2.5", as Python prints floats ("5.0") when `decimal`. Returns `text`. */
#define CURVE_NUMBER 40
const char *curve_number(double x, bool decimal, char *text);

#endif

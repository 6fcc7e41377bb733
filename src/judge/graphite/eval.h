/*
 * eval.h - evaluating a target: the tree from its leaves up, functions over lists of curves.
 *
 * What a path holds comes from outside: a path whose values are not there yet is noted as wanted,
 * and the evaluation, which then counts for nothing, is made again when they are. So a function
 * may ask for its first argument over another span of time (movingAverage, timeShift), or for a
 * target of a name it has just seen (aliasQuery).
 * Thread: one at a time.
 */
#ifndef JUDGE_GRAPHITE_EVAL_H
#define JUDGE_GRAPHITE_EVAL_H

#include <stdatomic.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/map.h"
#include "base/zone.h"
#include "judge/graphite/curve.h"
#include "judge/graphite/target.h"

#define EVAL_WORK   200000000 /* values that one question may look at or make */
#define EVAL_VALUES 8000000   /* values of one list */
#define EVAL_ROUNDS 40        /* of what is wanted, got, and wanted because of that */

struct span { /* from exclusive, until inclusive, as whisper reads */
	int64_t from_s, until_s;
};

struct want {
	char *key;  /* of `got`; owned */
	char *path; /* a pattern; or the text of seriesByTag(...). Owned */
	struct span span;
	bool tagged;
};

struct eval {
	int64_t now_s;
	const struct zone *zone; /* of alignments to days */
	struct map got;          /* key: struct curves, owned */
	VEC(struct want) wants;
	struct map stacks; /* of stacked(): what a series stands on; struct curve, owned */
	double xff;        /* of what functions make; setXFilesFactor() changes it */
	bool judging;      /* absent counters are read as rules need it: eval_judging.c */
	const struct target_node *denominator; /* NULL, or what it is the numerator of */
	uint64_t work;
	int64_t deadline_ns; /* clock_system */
	const atomic_bool *cancelled;
	unsigned depth;
	bool failed;
	struct error err;
};

void eval_init(struct eval *e, int64_t now_s, const struct zone *zone);
void eval_fini(struct eval *e);
void eval_again(struct eval *e); /* before another round: forgets wants and failure */
/* Takes the curves of a want; they are sorted by name. */
void eval_give(struct eval *e, const struct want *w, struct curves *curves);
/* Adds the curves of a target. False: e->err, or something is wanted. */
bool eval_target(struct eval *e, const struct target *t, struct span span, struct curves *out);
/* Counts work; false when the question has had its share, its time is over, it is cancelled, or
 * it has failed before. */
bool eval_work(struct eval *e, size_t values);

/* --- for functions ---------------------------------------------------------------------------- */

enum param_type {
	PARAM_CURVES,
	PARAM_REAL,
	PARAM_WHOLE,
	PARAM_WHOLE_OR_INF,
	PARAM_TEXT,
	PARAM_BOOL,
	PARAM_INTERVAL,          /* "5min" */
	PARAM_WHOLE_OR_INTERVAL, /* of points, or of time */
	PARAM_FOLD,              /* as fold_parse() */
	PARAM_FOLD_OR_FUNCTION,  /* that, or the name of a function of the family Combine */
	PARAM_NODE,              /* number of a part of the path; negative: from the end */
	PARAM_NODE_OR_TAG,
	PARAM_TAG,
	PARAM_DATE, /* graphite_moment() */
	PARAM_ANY   /* curves or a number */
};

#define PARAMS 6

struct param {
	const char *name;
	enum param_type type;
	bool required, multiple;
	const char *otherwise; /* as in docs; NULL: none */
};

struct call;

struct function {
	const char *name, *group;
	bool (*run)(struct call *c, struct curves *out);
	struct param params[PARAMS];
};

extern const struct function functions[];
extern const size_t function_count;
const struct function *function_find(const char *name); /* NULL: none */

enum argument_type {
	ARGUMENT_NONE,
	ARGUMENT_CURVES,
	ARGUMENT_NUMBER,
	ARGUMENT_TEXT,
	ARGUMENT_BOOL
};

struct argument {
	enum argument_type type;
	const struct target_node *node; /* NULL: it was not given */
	double number;
	bool whole;       /* a number without fraction; true */
	const char *text; /* also of a number: as it was written */
	struct curves curves;
};

struct call {
	struct eval *e;
	const struct target *target;
	const struct target_node *node; /* NULL: called by another function */
	const struct function *function;
	struct span span;
	VEC(struct argument) args; /* at the place of its param; further ones of the last behind */
};

bool given_has(const struct call *c, size_t i);
const struct curves *given_curves(const struct call *c, size_t i); /* empty when not given */
/* Of the params from i on. */
void given_all_curves(const struct call *c, size_t i, struct curves *out);
double given_number(const struct call *c, size_t i, double otherwise);
int64_t given_whole(const struct call *c, size_t i, int64_t otherwise);
const char *given_text(const struct call *c, size_t i, const char *otherwise);
bool given_flag(const struct call *c, size_t i);
enum fold given_fold(const struct call *c, size_t i, enum fold otherwise);
int64_t given_interval(const struct call *c, size_t i); /* seconds, with sign */
/* Says what is wrong with argument i; returns false. */
bool wrong_argument(struct call *c, size_t i, const char *fmt, ...) like_printf(3, 4);
/* The first argument over another span. */
bool call_again(struct call *c, struct span span, struct curves *out);
/* A target written as text, over a span. */
bool call_target(struct call *c, const char *text, struct span span, struct curves *out);
/* A function of the family Combine by its name ("sumSeries", "sum"), or a fold, over curves. */
bool call_combine(
	struct call *c, size_t i, const char *name, const struct curves *in, struct curves *out);
/* The same steps for all; false: they would be too many values. */
bool call_align(struct call *c, const struct curves *in, struct curves *out);

/* Adds to out a changeable curve in place of `from`; false when the work is used up. */
struct curve *call_changed(struct call *c, struct curves *out, struct curve *from);

/* Whether a path is a counter's by its last part; "a.b.5*.count": "a.b.attempted.count" (owned,
 * NULL: it has no sibling). */
bool counter_is(const char *path);
char *counter_sibling(const char *path);
/* Whether it is where StatsD flushes to: in judging, gauges of these have steps of
 * GRAPHITE_STEP_S. */
bool path_is_flushed(const char *path);

/* "5min", "-1h30min", "2w": seconds. Shared with graphite_moment(). */
bool interval_parse(const char *text, int64_t *ret_s);

#endif

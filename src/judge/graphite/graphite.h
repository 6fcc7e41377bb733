/*
 * graphite.h - Graphite's question language over our own series: targets, functions, find, tags.
 *
 * A target is parsed into a tree (every error with its column), its paths are looked up among the
 * series, values are fetched on the reader threads, functions are applied to aligned lists of
 * values as graphite-web 1.1 does (docs/graphite.md lists each function, its arguments and where we
 * differ, and the tests compare with Debian's graphite-web on the same data). Beside the web face
 * the rules of the judge ask the same way, so it knows nothing of HTTP.
 *
 * Which paths a series has (path.c):
 *	GAUGE  NAME                      its last value of the step
 *	SUM    NAME.count, NAME.rate     as StatsD flushed them
 *	DIST   NAME.count .rate .count_ps .mean .lower .upper .sum .std .median
 *	       .mean_90 .upper_90 .sum_90 .p50 .p75 .p90 .p95 .p99
 *	PROBE  probe.NAME.count .ok .failed .mean .lower .upper .median .p95 .p99,
 *	       and a count a fault: .fault.timeout
 *
 * What is measured in us shows in ms, as StatsD's timers do. A series with tags goes by its tagged
 * name, `name;k=v`, seriesByTag(). PROBE series of the form NAME{k="v",...} are besides paths
 * NAME.v1.v2 in the order of their keys, the series "probe" without a second "probe". Series of one
 * name, kind and tags that were measured at several locations are one path.
 * Further trees (flag.*, health.*) are given by whoever has them: graphite_tree.
 *
 * Steps: 10 s, of gauges and probes that come more rarely their own; 60 s when more than a day is
 * asked for, and longer ones of the roll-ups when that is not kept or would be more than 10,000
 * values. `from` is exclusive, `until` inclusive, as in whisper.
 *
 * Limits, each with an error that says what to ask instead: GRAPHITE_TARGETS a question,
 * GRAPHITE_SERIES series and GRAPHITE_POINTS values fetched, depth TARGET_DEPTH (target.h), a
 *deadline. Thread: the loop's; no callback from inside the call that asks.
 */
#ifndef JUDGE_GRAPHITE_GRAPHITE_H
#define JUDGE_GRAPHITE_GRAPHITE_H

#include <jansson.h>

#include "store/series.h"

#define GRAPHITE_TARGETS  100
#define GRAPHITE_SERIES   5000
#define GRAPHITE_POINTS   2000000
#define GRAPHITE_DEADLINE (5 * NS_PER_S) /* real time */
#define GRAPHITE_NODES    100000         /* of one answer about names */
#define GRAPHITE_STEP_S   10

struct curve;
struct graphite; /* who answers; one a house */
struct graphite_call;

struct graphite_line {    /* one line of an answer; step_s > 0 */
	const char *name; /* as Graphite prints it: the alias, or the target with its functions */
	const char *path; /* of the metric or function it comes from */
	int64_t from_s, step_s; /* of the first value */
	const double *values;   /* NAN: nothing */
	size_t n;
	const json_t *tags;        /* {"name": ...} */
	const struct curve *curve; /* curve.h: how it becomes fewer values */
};

struct graphite_lines { /* immutable */
	struct graphite_line *p;
	size_t n;
	void *held;
};
/* Thread: any, one at a time. NULL is fine. */
void graphite_lines_free(struct graphite_lines *lines);

/* Borrows the store, which must outlive it; NULL only when no thread can be started. */
struct graphite *graphite_new(
	struct loop *l, struct series_store *store, struct error *err) must_check;
/* All that is under way is cancelled, and told so in here. */
void graphite_free(struct graphite *g);
/* One whose values another Graphite has, at its URL (http://host:port, /render below it): it is
 * asked for what paths hold; functions are ours, and so are their limits. It has no names and no
 * trees. Who does not answer within timeout_ns gives ERROR_STORE. */
struct graphite *graphite_new_outside(
	struct loop *l, const char *url, int64_t timeout_ns, struct error *err) must_check;

/* The names of another tree: whole paths of its leaves, each with a number that its owner knows it
 * by. Counted; filled by one thread, and not changed any more once others have it. */
struct graphite_leaves;
struct graphite_leaves *graphite_leaves_new(void);
/* Of several of one path the first; one of SERIES_KEY_MAX bytes is left out. */
void graphite_leaves_add(struct graphite_leaves *l, const char *path, size_t number);
struct graphite_leaves *graphite_leaves_ref(struct graphite_leaves *l);
void graphite_leaves_unref(struct graphite_leaves *l); /* NULL is fine */
/* SIZE_MAX: there is no such leaf. */
size_t graphite_leaves_find(const struct graphite_leaves *l, const char *path);

/* Another tree of paths below `root` ("flag"), of which nothing may take long. leaves: the names
 * there are now, a reference for the caller; NULL: none. values: `n` of a leaf's from from_s at
 * every step_s, NAN where there are none; false: there is no such leaf any more. */
struct graphite_tree {
	const char *root;
	struct graphite_leaves *(*leaves)(void *arg);
	bool (*values)(void *arg, const char *leaf, int64_t from_s, int64_t step_s, size_t n,
		double *into);
	void *arg;
};
#define GRAPHITE_TREES 8
void graphite_add_tree(struct graphite *g, const struct graphite_tree *tree); /* copies */

struct graphite_question { /* copied */
	const char *const *targets;
	size_t target_count;
	int64_t from_s, until_s; /* graphite_moment() */
	int64_t now_s;           /* nothing is later; 0: the clock's */
	const char *zone;        /* of alignments to days; NULL: UTC */
	size_t points_max;       /* maxDataPoints; 0: no matter */
	double xff;              /* xFilesFactor; 0: one value is enough */
	bool judging; /* a counter that is absent while its service is asked reads 0 where rules
			 need it: eval_judging.c */
};
/* Lines are the callee's; err NULL: good. ERROR_INPUT: a target is wrong, with its number and its
 * column; ERROR_LIMIT; ERROR_CANCELLED; ERROR_STORE. */
typedef void graphite_done(void *arg, struct graphite_lines *lines, const struct error *err);
struct graphite_call *graphite_render(
	struct graphite *g, const struct graphite_question *q, graphite_done *done, void *arg);
void graphite_cancel(struct graphite_call *c); /* its callback runs soon with ERROR_CANCELLED */

/* Questions about names. What the answer is:
 *	NODES   /metrics/find: [{"path", "text": its last part, "leaf": bool, "branch": bool}] of
 *what the pattern fits, by path INDEX   the paths of all leaves, sorted SERIES  /tags/findSeries:
 *the paths for which all expressions hold, sorted TAGS    /tags/autoComplete/tags: tags with the
 *prefix of those series (none asked: of all) VALUES  /tags/autoComplete/values: values of the tag
 *with the prefix, likewise */
enum graphite_about {
	GRAPHITE_ABOUT_NODES,
	GRAPHITE_ABOUT_INDEX,
	GRAPHITE_ABOUT_SERIES,
	GRAPHITE_ABOUT_TAGS,
	GRAPHITE_ABOUT_VALUES
};
struct graphite_naming { /* copied */
	enum graphite_about about;
	const char *pattern;      /* of NODES */
	const char *const *exprs; /* tag expressions, see path.h */
	size_t expr_count;
	const char *tag, *prefix; /* NULL: none */
	size_t limit;             /* of TAGS and VALUES; 0: 100 */
};
/* The answer is the callee's. */
typedef void graphite_named(void *arg, json_t *answer, const struct error *err);
struct graphite_call *graphite_names(
	struct graphite *g, const struct graphite_naming *q, graphite_named *done, void *arg);

/* /functions: each with its arguments, as graphite-web describes them in form; owned. */
json_t *graphite_functions(void);

/* "-1h", "now-5min", "20261126", "08:50_20261126", "noon yesterday", 1767000000 ... as
 * graphite-web's from and until; `zone` an IANA name, NULL: UTC. */
bool graphite_moment(
	const char *text, int64_t now_s, const char *zone, int64_t *ret, struct error *err);

#endif

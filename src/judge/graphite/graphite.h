/*
 * graphite.h - Graphite's question language over our own series: targets, functions, find, tags.
 *
 * A target is parsed into a tree (every error with its column), its paths are looked up among the
 * series, values are fetched on the reader threads, functions are applied to aligned lists of
 * values as graphite-web 1.1 does (docs/graphite.md lists each function, its arguments and where we
 * differ, and the tests compare with Debian's graphite-web on the same data). Beside the web face
 * the rules of the judge ask the same way, so it knows nothing of HTTP.
 *
 * Which paths a series has (graphite_path.c):
 *	GAUGE  NAME                      its last value of the step
 *	SUM    NAME.count, NAME.rate     as StatsD flushed them
 *	DIST   NAME.count .rate .mean .lower .upper .sum .std .median
 *	       .mean_90 .upper_90 .sum_90 .p50 .p75 .p90 .p95 .p99
 *	PROBE  probe.NAME.count .ok .failed .mean .lower .upper .median .p95 .p99, and a count a
 *fault: .fault.timeout A series with tags goes by its tagged name as well: `name;k=v`,
 *seriesByTag(). PROBE series of the form NAME{k="v",...} are paths NAME.v1.v2 in the order of their
 *keys. Further trees (flag.*, health.*) are given by whoever has them: graphite_tree.
 *
 * Limits, each with an error that says what to ask instead: GRAPHITE_TARGETS a question,
 * GRAPHITE_SERIES series and GRAPHITE_POINTS values fetched, depth GRAPHITE_DEPTH, a deadline.
 * Thread: the loop's; no callback from inside the call that asks.
 */
#ifndef JUDGE_GRAPHITE_GRAPHITE_H
#define JUDGE_GRAPHITE_GRAPHITE_H

#include <jansson.h>

#include "store/series.h"

#define GRAPHITE_TARGETS  100
#define GRAPHITE_SERIES   5000
#define GRAPHITE_POINTS   2000000
#define GRAPHITE_DEPTH    32
#define GRAPHITE_DEADLINE (5 * NS_PER_S)

struct graphite; /* who answers; one a house */
struct graphite_call;

struct graphite_line {    /* one line of an answer; step_s > 0 */
	const char *name; /* as Graphite prints it: the alias, or the target with its functions */
	const char *path; /* of the metric it comes from, "" */
	int64_t from_s, step_s;
	const double *values; /* NAN: nothing */
	size_t n;
	const json_t *tags; /* {"name": ...} */
};

struct graphite_lines {
	const struct graphite_line *p;
	size_t n;
};

/* Borrows the store. */
struct graphite *graphite_new(struct loop *l, struct series_store *store);
void graphite_free(struct graphite *g); /* cancels */

/* Another tree of paths below `root` ("flag"). find: calls `cb` for each leaf that matches the
 * pattern (all its parts, root included). fetch: values of a leaf, `n` of them from from_s at every
 * step_s, NAN where there are none; may take another thread's time, ends in graphite_fetched(). */
struct graphite_tree {
	const char *root;
	void (*find)(
		void *arg, const char *pattern, void (*cb)(void *to, const char *leaf), void *to);
	bool (*values)(void *arg, const char *leaf, int64_t from_s, int64_t step_s, size_t n,
		double *into);
	void *arg;
};
void graphite_add_tree(struct graphite *g, const struct graphite_tree *tree); /* copies */

struct graphite_question {
	const char *const *targets; /* copied */
	size_t target_count;
	int64_t from_s, until_s; /* graphite_time() */
	size_t points_max;       /* maxDataPoints; 0: no matter */
};
/* error NULL: good. ERROR_INPUT: a target is wrong, with its column; ERROR_LIMIT; ERROR_CANCELLED;
 * ERROR_STORE. */
typedef void graphite_done(void *arg, const struct graphite_lines *lines, const struct error *err);
struct graphite_call *graphite_render(
	struct graphite *g, const struct graphite_question *q, graphite_done *done, void *arg);
void graphite_cancel(struct graphite_call *c); /* done runs soon with ERROR_CANCELLED */

/* /metrics/find: the nodes the last part of the pattern matches: [{"text", "id", "leaf", ...}] as
 * format=treejson; owned. */
json_t *graphite_find(struct graphite *g, const char *pattern, struct error *err);
/* /tags/autoComplete/tags and /values; owned arrays. */
json_t *graphite_tags(
	struct graphite *g, const char *const *exprs, const char *prefix, size_t limit);
json_t *graphite_tag_values(struct graphite *g, const char *const *exprs, const char *tag,
	const char *prefix, size_t limit);
/* /functions: each with its arguments, as graphite-web describes them in form; owned. */
json_t *graphite_functions(void);

/* "-1h", "now-5min", "20261126", "08:50_20261126", "noon yesterday", 1767000000 ... as
 * graphite-web's from and until; `zone` an IANA name, NULL: UTC. */
bool graphite_time(
	const char *text, int64_t now_s, const char *zone, int64_t *ret, struct error *err);

#endif

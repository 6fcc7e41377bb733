/*
 * graphite_inside.h - what the files behind graphite.h share.
 *
 * A question goes round: the evaluation (a thread of its own) says what it wants, the names thread,
 * which alone knows the paths, says what that is, fetch.c has it read, and the evaluation is made
 * again. Between threads a call is handed over whole; only `cancelled` is looked at by others.
 */
#ifndef JUDGE_GRAPHITE_GRAPHITE_INSIDE_H
#define JUDGE_GRAPHITE_GRAPHITE_INSIDE_H

#include "judge/graphite/eval.h"
#include "judge/graphite/graphite.h"
#include "judge/graphite/path.h"
#include "net/http_client.h"
#include "store/worker.h"

struct leaf { /* one curve of a want */
	char *path;
	int field;
	VEC(struct series *) series; /* none: of a tree */
	bool wild;
	struct curve *curve; /* NULL: not read yet, or nothing to show */
};

struct wanted { /* what a want turned out to be */
	VEC(struct leaf) leaves;
};

struct seen_sample { /* of a gauge or a probe */
	int64_t at_ms, total_us;
	double value;
	enum fault fault;
};

struct fetch { /* series of one leaf or several, over one span */
	struct graphite_call *call;
	VEC(struct leaf *) leaves;
	struct series *const *series; /* of the first of them */
	size_t n;
	struct span span;
	int64_t step_s;  /* 0: that of the samples, not known yet */
	int64_t start_s; /* of the first value */
	bool flushed;    /* by StatsD: its samples have GRAPHITE_STEP_S */
	VEC(struct seen_sample) samples;
	struct series_point *points; /* of each step; none of a gauge's samples */
	double *last;                /* of those: the newest value of each step */
	size_t points_n;
	bool seen[FAULT_COUNT];
	size_t begun, ended; /* readings of its series */
	struct series_query *query;
};

enum call_what { CALL_RENDER, CALL_NAMES };

struct graphite_call {
	struct worker_job job; /* first */
	struct graphite_call *next;
	struct graphite *g;
	enum call_what what;
	atomic_bool cancelled;
	struct error err;
	VEC(struct series *) new_series;      /* for the names thread */
	VEC(struct graphite_leaves *) leaves; /* of trees, as they were when names are looked up */
	/* a render */
	char **targets;
	struct target **parsed;
	size_t target_count;
	struct span span;
	size_t points_max;
	double xff;
	char *zone_name;
	struct zone *zone;
	struct eval eval;
	unsigned rounds;
	VEC(struct wanted) wanted; /* of each of eval.wants */
	size_t series_count, points_count;
	VEC(struct fetch *) fetches;
	struct map fetch_by_key;
	size_t fetch_begun, fetch_ended, reading;
	struct graphite_lines *lines;
	graphite_done *done;
	VEC(struct outside_request *) outside; /* of another Graphite */
	size_t outside_due;
	/* a question about names */
	struct graphite_naming naming;
	char **exprs;
	char *pattern, *tag, *prefix;
	json_t *answer;
	graphite_named *named;
	void *arg;
};

struct outside { /* another Graphite */
	struct http_client *http;
	char *url; /* of its /render */
	int64_t timeout_ns;
};

struct graphite {
	struct loop *loop;
	struct series_store *store;
	struct outside *outside; /* NULL: our own series */
	struct worker *names, *evals;
	struct paths *paths; /* the names thread's */
	size_t taken;        /* series handed over to it */
	struct graphite_tree trees[GRAPHITE_TREES];
	size_t tree_count;
	struct graphite_call *calls;
};

int64_t graphite_now_s(const struct graphite *g);
/* graphite.c: all fetches are done, or one failed. */
void call_fetched(struct graphite_call *c);

/* fetch.c: on the loop; fills eval.got from c->wanted, then call_fetched(). */
void fetch_begin(struct graphite_call *c);
void fetch_cancel(struct graphite_call *c);
void fetches_free(struct graphite_call *c);

/* outside.c: the same from another Graphite. */
struct outside *outside_new(
	struct loop *l, const char *url, int64_t timeout_ns, struct error *err) must_check;
void outside_begin(struct graphite_call *c);
void outside_cancel(struct graphite_call *c);
void outside_forget(struct graphite_call *c);
void outside_stop(struct outside *o); /* what is under way ends in here */
void outside_free(struct outside *o);

/* values.c: what a leaf shows of a point; unit us shows in ms. */
double leaf_value(
	const struct series_point *p, enum series_kind kind, int field, int64_t step_s, bool in_us);
/* The step at which samples come: that of most, at least GRAPHITE_STEP_S but for probes. */
int64_t samples_step(enum series_kind kind, const struct seen_sample *p, size_t n);

/* names.c: on the names thread. */
void names_take(struct graphite_call *c);   /* new series */
void names_answer(struct graphite_call *c); /* c->naming: c->answer or c->err */
void names_want(struct graphite_call *c);   /* eval.wants: c->wanted or c->err */

/* leaves.c: borrowed, for looking. */
struct paths *leaves_paths(const struct graphite_leaves *l);

/* output.c: lines of the curves, consolidated; takes the curves. */
struct graphite_lines *lines_of(struct curves *curves, size_t points_max);

#endif

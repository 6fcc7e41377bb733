/*
 * series_reader.h - one query: what the loop asked and a snapshot of what it has in memory, worked
 * on by a reader thread.
 *
 * The snapshot and the files meet in the limits: of an hour that had unsealed samples when the
 * query began, the files count only up to the parts that were known to be sealed then.
 */
#ifndef STORE_SERIES_READER_H
#define STORE_SERIES_READER_H

#include "store/series_inside.h"

enum query_what { QUERY_POINTS, QUERY_RUNS, QUERY_LAST, QUERY_DAYS };

struct memory_block {
	int64_t hour;
	char *p; /* owned */
	size_t n;
	size_t coded; /* so many samples of a head; 0: a block */
	/* Of a head: `cut` bytes before those. */
	struct spill_file *file; /* used, or NULL */
	struct spilled spilled;
	size_t cut;
};

struct query_run {
	size_t order;
	struct series_sample sample; /* its hist is owned */
};

struct series_query {
	struct worker_job job; /* first */
	struct series_query *next;
	struct series_store *store;
	/* fixed */
	enum query_what what;
	enum series_kind kind;
	uint32_t id;
	int64_t from_ms, to_ms, step_ms, now_ms, keep_ms;
	bool fill, files; /* files: memory is not enough */
	enum level level;
	VEC(struct memory_block) memory;
	VEC(struct hour_parts) limits;
	uint64_t generation;
	bool cacheable, cached; /* cached: points hold what the files say */
	int64_t deadline_ns;    /* real time */
	atomic_bool cancelled;
	union {
		series_points_done *points;
		series_runs_done *runs;
		series_days_done *days;
	} done;
	void *arg;
	/* the reader's */
	struct series_points points;     /* all of its steps */
	struct series_points from_files; /* a copy for the cache */
	VEC(struct query_run) runs;
	struct series_states *states; /* days: one each */
	bool *has_states;
	size_t decoded, order;
	uint64_t corrupt;
	enum error_kind failed; /* and why; fixed text */
	const char *why;
};

/* What was the matter first stays. Thread: whose the query is. */
void query_fail(struct series_query *q, enum error_kind kind, const char *why);

/* Thread: a reader's; `files` is its own. */
void query_work(struct series_query *q, struct files *files);
void points_copy(struct series_points *to, const struct series_points *from);
void points_fini(struct series_points *p);
void runs_fini(struct series_query *q);

#endif

/*
 * figures.h - how long calls, waits and checks take: kept over time as series, read as figures.
 *
 * Each measure (measure.h) of these kinds is one sample of a series of kind probe:
 *
 *	call{cloud, region, service, call="POST /servers"}
 *	wait{cloud, region, wait="server ready"}
 *	check{cloud, region, check="server-login ssh"}: scenario and verb
 *	bench{cloud, region, bench="oshm pi"}: a gauge in the bench's unit; good ones only
 *
 * Names are bounded: ids in them were replaced by {id} before. What would be more than FIGURES_MAX
 * series of one store goes to the series of its service (of its cloud) whose last tag is "other".
 * A sample with a fault counts as an error; figures of time are of good ones only, since the time
 * of a failure tells of patience. Thread: the loop's.
 */
#ifndef STORE_FIGURES_H
#define STORE_FIGURES_H

#include <jansson.h>

#include "base/buf.h"
#include "store/measure.h"
#include "store/series.h"

#define FIGURES_MAX 1000 /* series of all four together, but "other" */

struct figures;

/* Borrows the store. */
struct figures *figures_new(struct series_store *st);
void figures_free(struct figures *f);
/* A measure_signal; arg: struct figures, or NULL. Runs are left alone. */
void figures_take(void *figures, const struct measure *m);

/* --- reading ---------------------------------------------------------------------------------- */

enum figure_what { FIGURE_CALL, FIGURE_WAIT, FIGURE_CHECK, FIGURE_BENCH, FIGURE_WHATS };
#define FIGURES_OF_TIME (1u << FIGURE_CALL | 1u << FIGURE_WAIT | 1u << FIGURE_CHECK)
const char *figure_what_name(enum figure_what what); /* "call", "wait", "check", "bench" */

struct figure {
	enum figure_what what;
	char *cloud, *service, *name; /* service "" but of calls */
	const char *unit;             /* "us", or that of a bench; borrowed of the store */
	struct series_point all;
	struct series_point *steps; /* as many as were asked for; n 0: nothing was measured */
	size_t step_count;
};

struct figures_query {
	const char *cloud;      /* NULL: all */
	unsigned what;          /* bits 1 << FIGURE_CALL and so on */
	int64_t from_ms, to_ms; /* as series_read() takes them */
	int64_t step_ms;
};

struct figures_reading; /* under way; gone once its callback has returned */

/* In order of their 95th percentile, longest first, those without a good sample and benches last;
 * only what was measured in that time. `unread`: series that could not be read and are left out;
 * err: why the first of them was not. Takes the list (figure_list_free()). Called once, never from
 * inside figures_read(); cancelled: with n 0 and ERROR_CANCELLED. */
typedef void figures_done(
	void *arg, struct figure *list, size_t n, size_t unread, const struct error *err);
void figure_list_free(struct figure *list, size_t n);
/* Borrows the store and copies the query. */
struct figures_reading *figures_read(struct loop *l, struct series_store *st,
	const struct figures_query *q, figures_done *done, void *arg);
/* Calls back soon, as its series do, or from in here when none is under way. To be called before
 * the store is closed. */
void figures_cancel(struct figures_reading *r);

/* Of those of time: {what, cloud, service, name, n, errors, min_ms, mean_ms, p50_ms, p95_ms,
 * p99_ms, max_ms | null, faults {"timeout": 3}}; an owned reference. Thread: any. */
json_t *figure_json(const struct figure *f);

/* --- as a table: figure_table.c --------------------------------------------------------------- */

struct figure_row {
	char *name; /* owned by who made it */
	uint64_t n, errors;
	double min, mean, p50, p95, p99, max; /* ns; below 0: not known */
};

struct figure_row figure_row(const struct figure *f, bool with_cloud);
/* A heading and a line a row, at most `most` of them, then how many more there are. */
void figure_rows_write(
	struct buf *out, const char *heading, const struct figure_row *rows, size_t n, size_t most);

#endif

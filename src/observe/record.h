/*
 * record.h - the results of runs as samples: one series a step, one for the run as a whole.
 *
 * A step's series is its `metric`, or SCENARIO.STEP; the run's is SCENARIO. Tags: cloud, region,
 * scenario, step, component (its id) and the dimensions of `each` (zone, type). A server that came
 * up has one series more a phase of its boot: that name and ".schedule", ".network",
 * ".block_device", ".spawn", ".guest", the same behind its step, no component. Thread: the loop's.
 */
#ifndef OBSERVE_RECORD_H
#define OBSERVE_RECORD_H

#include "observe/scenario/run.h"
#include "store/series.h"

struct record_place {
	const char *cloud, *region;   /* region may be NULL */
	const char *location;         /* NULL: "" */
	const char *component_prefix; /* see endpoint.h; NULL: "" */
};

/* A sample was stored: of the run (row NULL) or of a step of it. `series` is series_text() of where
 * it stands, NULL: nowhere (also of steps that failed before they began). Borrowed for the call. */
typedef void record_stored(void *arg, const struct run_row *row, const struct series_sample *sample,
	const char *series);

struct record {                     /* all borrowed */
	struct series_store *store; /* NULL: only tells what would be stored */
	struct record_place place;
	const char *scenario;
	const struct run_report *report;
	record_stored *stored; /* may be NULL */
	void *arg;
};

/* Appends a sample for the run, and one for each step that ran, at the time it began. Steps that
 * were skipped or absent tell nothing; what we stopped ourselves carries its fault. */
void record_run(const struct record *r);
/* Of thousands of steps that takes longer than a loop may be held up. The same in pieces: 0 is the
 * run, n its n-th step, to be asked for in that order. False: there are no more. */
bool record_piece(const struct record *r, size_t i);
/* A step's piece in two: its own sample, which may be appended before the run is over; and the
 * phases of its server's boot, which are known when it is. The report gives no more than the time at
 * which the run began. */
void record_step(const struct record *r, const struct run_row *row);
void record_boot(const struct record *r, const struct run_row *row);

#endif

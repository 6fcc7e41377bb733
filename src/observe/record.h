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

/* Appends a sample for each step that ran, at the time it began, and one for the run. Steps that
 * were skipped or absent tell nothing; what we stopped ourselves carries its fault. `st` NULL: only
 * tells what would be stored; `stored` may be NULL. */
void record_run(struct series_store *st, const struct record_place *place, const char *scenario,
	const struct run_report *report, record_stored *stored, void *arg);

#endif

/*
 * record.h - the results of runs as samples: one series a step, one for the run as a whole.
 *
 * A step's series is its `metric`, or SCENARIO.STEP; the run's is SCENARIO. Tags: cloud, scenario,
 * step and the dimensions of `each` (zone, type). Thread: the loop's.
 */
#ifndef OBSERVE_RECORD_H
#define OBSERVE_RECORD_H

#include "observe/scenario/run.h"
#include "store/series.h"

struct record_place {
	const char *cloud, *region; /* region may be NULL */
	const char *location;       /* NULL: "" */
};

/* Appends a sample for each step that ran, at the time it began, and one for the run. Steps that
 * were skipped or absent tell nothing; what we stopped ourselves carries its fault. */
void record_run(struct series_store *st, const struct record_place *place, const char *scenario,
	int64_t began_unix_ms, const struct run_report *report);

#endif

/*
 * waterfall.h - a run drawn in text: one line an element over time, the critical path, the verdict
 * with first causes only. Thread: any.
 */
#ifndef CLI_WATERFALL_H
#define CLI_WATERFALL_H

#include "base/buf.h"
#include "observe/scenario/run.h"

struct paint { /* escape sequences, all "" where colour is not wanted */
	const char *good, *bad, *warn, *dim, *strong, *off;
};

const struct paint *paint_for(int fd); /* by isatty() and NO_COLOR */

/* `width`: columns of the terminal, at least 60. */
void waterfall_write(
	struct buf *out, const struct run_report *r, unsigned width, const struct paint *p);
void waterfall_critical_path(struct buf *out, const struct run_report *r, const struct paint *p);
void waterfall_verdict(struct buf *out, const struct run_report *r, const struct paint *p);

#endif

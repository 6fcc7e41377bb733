/*
 * live.h - a run while it runs: a tree that redraws itself in a terminal, plain lines in a pipe, or
 * JSON lines. Thread: the loop's.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include <stdio.h>

#include "observe/scenario/run.h"

enum live_form { LIVE_TREE, LIVE_LINES, LIVE_JSON };

struct live;

/* Writes to `out` (borrowed). The tree redraws at most ten times a second, by a timer of `loop`. */
struct live *live_new(struct loop *loop, FILE *out, enum live_form form, const char *title);
void live_event(void *live, const struct run_event *e); /* for run_options.event */
/* Draws the last state and stops redrawing. */
void live_end(struct live *l);
void live_free(struct live *l);
/* Columns of the terminal, 100 when it is none. */
unsigned live_width(void);

#endif

/*
 * bad.h - lines that are none: counted, and the first of them kept for people. Thread: one at a
 * time.
 */
#ifndef OBSERVE_INGEST_BAD_H
#define OBSERVE_INGEST_BAD_H

#include <stdint.h>

#include "base/slice.h"

#define BAD_TEXT 160

struct bad_lines {
	uint64_t n;
	char first[BAD_TEXT]; /* "why: line", cut, without control bytes; "" */
};

void bad_lines_add(struct bad_lines *b, const char *why, struct slice line);
/* Of two, the earlier into which the later is counted. */
void bad_lines_join(struct bad_lines *into, const struct bad_lines *more);

#endif

/*
 * range.h - what a Range header asks for. Thread: any.
 */
#ifndef SIM_RANGE_H
#define SIM_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* "bytes=A-B", "bytes=A-", "bytes=-N" (RFC 9110 section 14.2), one range only: sets *from and *n.
 * False when it asks for what is not there; NULL and a header of another form change nothing. */
bool range_read(const char *text, int64_t size, int64_t *from, int64_t *n);

#endif

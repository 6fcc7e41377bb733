/*
 * limits.h - what the operating system lets this process have.
 */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

#include <stdint.h>

#define LIMITS_DESCRIPTORS 11000 /* wanted: 10,000 clients, and what probes and files take */
#define LIMITS_RAISED      65536 /* more are of no use */

struct limits_descriptors {
	uint64_t before, now, hard;
};

/* Raises the soft limit of open descriptors up to LIMITS_RAISED as far as the hard one allows;
 * never lowers it. Thread: main, before others are started. */
struct limits_descriptors limits_raise_descriptors(void);

/* Makes the table of descriptors as long as it usually becomes. A thread that opens one which the
 * table has no place for makes it longer, and when there are other threads waits for all processors
 * to notice: 10 to 25 ms for whoever it is, the loop too. Thread: main, before others are started.
 */
#define LIMITS_WIDE 1000
void limits_widen_descriptors(void);

#endif

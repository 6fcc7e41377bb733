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

#endif

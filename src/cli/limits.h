/*
 * limits.h - what the operating system lets this process have.
 */
#ifndef CLI_LIMITS_H
#define CLI_LIMITS_H

#include <stdint.h>

/* 10,000 connections of each listener, and what probes, scenarios and files take. */
#define LIMITS_DESCRIPTORS 21000

struct limits_descriptors {
	uint64_t before, now, hard;
};

/* Raises the soft limit of open descriptors up to LIMITS_DESCRIPTORS as far as the hard one allows;
 * never lowers it. Thread: main, before others are started. */
struct limits_descriptors limits_raise_descriptors(void);

#endif

/*
 * series_coded.h - samples of one series and hour as they come, coded into one piece of memory: a
 * head of ten thousand is made of it. Pure, and for this process alone: files hold blocks.
 *
 * A run of a probe mostly takes half a byte for its time, one for each phase that it ever had, and
 * half a byte for its total. Durations are as coarse as a block's, so that an answer is the same from both.
 * Thread: one at a time.
 */
#ifndef STORE_SERIES_CODED_H
#define STORE_SERIES_CODED_H

#include "store/series.h"

#define SERIES_CODED_BYTES (16u << 20) /* of one hour */

struct coded_state {            /* what the next sample is told as the distance from */
	int32_t at_ms, step_ms; /* in the hour; usual distance, 0: not known yet */
	uint32_t tries;
	uint16_t base[SERIES_PHASES]; /* index of a duration; 0: none of that phase yet */
	uint8_t fault, phases;        /* phases: those that ever were, a bit each */
};

struct coded_samples { /* zeroed before the first */
	struct buf bytes;
	uint32_t n;
	uint32_t cut; /* so many bytes were before these */
	bool half;    /* of the last byte the lower half is free */
	bool alone;   /* `bytes` is empty: the last byte is all that was not cut off, and is here */
	char byte;
	struct coded_state last;
};

void coded_fini(struct coded_samples *c);
/* It takes no more: SERIES_BLOCK_SAMPLES, or near SERIES_CODED_BYTES. */
bool coded_full(const struct coded_samples *c);
/* In any order, each within 24 days of the hour (since 1970); it is valid (series_sample_valid). */
void coded_add(struct coded_samples *c, enum series_kind kind, int64_t hour,
	const struct series_sample *s);
/* The first n bytes, not the last one, stand elsewhere from now on. */
void coded_cut(struct coded_samples *c, size_t n);
/* What was not cut off; borrowed. */
struct slice coded_rest(const struct coded_samples *c);
/* Calls cb for each of the n samples in `bytes`, in order of arrival; its hist is borrowed for the
 * call. */
void coded_each(struct slice bytes, size_t n, enum series_kind kind, int64_t hour,
	void (*cb)(void *arg, const struct series_sample *s), void *arg);

#endif

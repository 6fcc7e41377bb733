/*
 * ring.h - what was seen of series within a window: buckets of one width on event time.
 *
 * A bucket's place is that of its samples' time, so the order of arrival does not matter. What is
 * older than the ring is left out. Thread: one at a time.
 */
#ifndef JUDGE_RULES_RING_H
#define JUDGE_RULES_RING_H

#include "store/series.h"

struct bucket {
	int64_t index;          /* begin / width; only where n > 0 */
	uint64_t n, ok, failed; /* failed by the cloud's fault: others tell nothing of it */
	double sum, min, max;   /* of good runs, or values */
	struct series_hist hist;
};

struct ring {
	struct bucket *p;
	size_t n;
	int64_t width_ms;
};

void ring_init(struct ring *r, int64_t width_ms, size_t buckets);
void ring_fini(struct ring *r);
void ring_add(struct ring *r, enum series_kind kind, const struct series_sample *s);
void ring_add_point(struct ring *r, const struct series_point *p);
/* Adds the buckets that begin in [from, to); `into` begins empty, with bucket_fini() at the end. */
void ring_sum(const struct ring *r, int64_t from_ms, int64_t to_ms, struct bucket *into);

void bucket_fini(struct bucket *b);
void bucket_add_point(struct bucket *b, const struct series_point *p);

#endif

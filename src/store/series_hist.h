/*
 * series_hist.h - a histogram whose buckets grow with the value: 16 an octave, so that any quantile
 * is right within 3.1 %, and histograms can be added exactly.
 *
 * A log-linear index: below 2 * per octave each whole number has its own; above, each octave is cut
 * into 2^bits equal buckets. 5 bits (32 an octave) code single durations within 1.6 %.
 * Thread: one at a time.
 */
#ifndef STORE_SERIES_HIST_H
#define STORE_SERIES_HIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/code.h"

#define LOGLIN_FINE   5
#define LOGLIN_COARSE 4
#define LOGLIN_MAX    (1ULL << 44) /* larger values count as this one: half a year of us */

/* Index of a value, 0 only for 0; and the middle of the bucket, which has the same index. */
unsigned loglin_index(uint64_t value, unsigned bits);
uint64_t loglin_middle(unsigned index, unsigned bits);

struct series_bucket {
	uint16_t index; /* loglin_index(value, LOGLIN_COARSE) */
	uint32_t count; /* > 0 */
};

struct series_hist {
	struct series_bucket *p; /* by index */
	size_t n, cap;
};

void series_hist_fini(struct series_hist *h);
void series_hist_add(struct series_hist *h, uint64_t value, uint32_t count);
void series_hist_merge(struct series_hist *h, const struct series_hist *other);
uint64_t series_hist_count(const struct series_hist *h);
/* The value below which a share q of them lies, 0 <= q <= 1; 0 when empty. */
double series_hist_quantile(const struct series_hist *h, double q);

/* A byte a bucket where gaps and counts are small; see docs/formats/series.md. */
void series_hist_write(struct buf *out, const struct series_hist *h);
bool series_hist_read(struct code_in *in, struct series_hist *h); /* h empty; false: not one */

#endif

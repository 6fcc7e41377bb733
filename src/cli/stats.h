/*
 * stats.h - figures of the calls a run made: per call n, errors, min, mean, percentiles, max.
 *
 * Percentiles are exact (all samples are kept, at most STATS_MAX a call) and interpolate between
 * the two nearest samples. Thread: one at a time.
 */
#ifndef CLI_STATS_H
#define CLI_STATS_H

#include "base/buf.h"
#include "base/map.h"
#include "base/vec.h"
#include "openstack/cloud.h"

#define STATS_MAX 100000

struct stats {
	struct map calls; /* "compute POST /servers" -> struct call_stats * */
	size_t total;
};

struct call_stats {
	VEC(int64_t) samples; /* ns */
	size_t errors;
};

void stats_add(struct stats *s, const struct cloud_exchange *x);
void stats_fini(struct stats *s);
/* A table, the calls that took most time in sum first, at most `rows`. */
void stats_write(const struct stats *s, struct buf *out, size_t rows);
/* [{call, n, errors, min_ms, mean_ms, p50_ms, p95_ms, p99_ms, max_ms}]; an owned reference. */
json_t *stats_json(const struct stats *s);
/* p in [0, 1] over n sorted samples. */
double stats_percentile(const int64_t *sorted, size_t n, double p);

#endif

/*
 * stats.h - figures of the calls and waits of a run: n, errors, min, mean, percentiles, max.
 *
 * Percentiles are exact (all samples are kept, at most STATS_MAX a name) and interpolate between
 * the two nearest samples. Thread: one at a time.
 */
#ifndef CLI_STATS_H
#define CLI_STATS_H

#include "base/map.h"
#include "base/vec.h"
#include "openstack/cloud.h"
#include "store/figures.h"

#define STATS_MAX 100000

struct stats {
	struct map calls; /* "compute POST /servers" -> struct stats_samples * */
	struct map waits; /* "server ready" */
};

struct stats_samples {
	VEC(int64_t) samples; /* ns */
	size_t errors;
};

void stats_add(struct stats *s, const struct cloud_exchange *x);
void stats_add_wait(struct stats *s, const struct measure *m); /* others are left alone */
void stats_fini(struct stats *s);
/* Two tables, waits and the slowest calls, longest 95th percentile first, at most `rows` calls. */
void stats_write(const struct stats *s, struct buf *out, size_t rows);
/* [{call, n, errors, min_ms, mean_ms, p50_ms, p95_ms, p99_ms, max_ms}], the calls that took most
 * time in sum first; an owned reference. */
json_t *stats_json(const struct stats *s);
/* The same of waits, each with `wait`. */
json_t *stats_waits_json(const struct stats *s);
/* p in [0, 1] over n sorted samples. */
double stats_percentile(const int64_t *sorted, size_t n, double p);

#endif

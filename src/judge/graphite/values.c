/*
 * values.c - what a leaf shows of what was measured in a step.
 */

#include <string.h>

#include "judge/graphite/graphite_inside.h"

/* --- histograms: within 3.1 %, as all quantiles -------------------------------------------------
 */

static double hist_std(const struct series_point *p)
{
	double squares = 0;
	const double mean = p->sum / (double)p->ok;
	for (size_t i = 0; i < p->hist.n; i++) {
		const double x = (double)loglin_middle(p->hist.p[i].index, LOGLIN_COARSE) - mean;
		squares += x * x * p->hist.p[i].count;
	}
	return sqrt(squares / (double)p->ok);
}

struct lowest { /* the lowest nine of ten, as StatsD counts them */
	double sum, upper;
	uint64_t n;
};

static struct lowest hist_lowest(const struct series_point *p)
{
	struct lowest l = {.n = p->ok > 1 ? (uint64_t)floor(0.9 * (double)p->ok + 0.5) : p->ok};
	if (l.n == p->ok)
		return (struct lowest){p->sum, p->max, p->ok};
	uint64_t left = l.n;
	for (size_t i = 0; i < p->hist.n && left; i++) {
		const uint64_t take = p->hist.p[i].count < left ? p->hist.p[i].count : left;
		double x = (double)loglin_middle(p->hist.p[i].index, LOGLIN_COARSE);
		x = x < p->min ? p->min : x > p->max ? p->max : x;
		l.sum += x * (double)take;
		l.upper = x;
		left -= take;
	}
	return l;
}

/* --- leaves ------------------------------------------------------------------------------------
 */

static double time_value(const struct series_point *p, enum leaf_field field)
{
	static const struct {
		enum leaf_field field;
		double q;
	} quantiles[] = {{LEAF_MEDIAN, 0.5}, {LEAF_P50, 0.5}, {LEAF_P75, 0.75}, {LEAF_P90, 0.9},
		{LEAF_P95, 0.95}, {LEAF_P99, 0.99}};
	if (!p->ok)
		return NAN;
	const struct lowest l =
		field == LEAF_MEAN_90 || field == LEAF_UPPER_90 || field == LEAF_SUM_90
			? hist_lowest(p)
			: (struct lowest){0};
	for (size_t i = 0; i < array_len(quantiles); i++)
		if (quantiles[i].field == field)
			return series_point_quantile(p, quantiles[i].q);
	if (field == LEAF_MEAN)
		return p->sum / (double)p->ok;
	if (field == LEAF_LOWER)
		return p->min;
	if (field == LEAF_UPPER)
		return p->max;
	if (field == LEAF_STD)
		return hist_std(p);
	if (field == LEAF_UPPER_90)
		return l.upper;
	if (field == LEAF_SUM_90)
		return l.sum;
	return field == LEAF_MEAN_90 ? l.sum / (double)l.n : p->sum;
}

double leaf_value(
	const struct series_point *p, enum series_kind kind, int field, int64_t step_s, bool in_us)
{
	const double count = kind == SERIES_SUM ? p->sum : (double)p->n;
	if (!p->n)
		return NAN;
	if (field >= LEAF_FAULT)
		return p->faults[field - LEAF_FAULT];
	switch ((enum leaf_field)field) {
	case LEAF_VALUE: return p->sum / (double)p->n;
	case LEAF_COUNT: return count;
	case LEAF_RATE: return count / (double)step_s;
	case LEAF_OK: return (double)p->ok;
	case LEAF_FAILED: return (double)(p->n - p->ok);
	case LEAF_MEAN:
	case LEAF_LOWER:
	case LEAF_UPPER:
	case LEAF_SUM:
	case LEAF_STD:
	case LEAF_MEDIAN:
	case LEAF_MEAN_90:
	case LEAF_UPPER_90:
	case LEAF_SUM_90:
	case LEAF_P50:
	case LEAF_P75:
	case LEAF_P90:
	case LEAF_P95:
	case LEAF_P99:
	case LEAF_FAULT: break;
	}
	return time_value(p, (enum leaf_field)field) / (in_us ? 1000 : 1);
}

/* --- steps -------------------------------------------------------------------------------------
 */

static int by_gap(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

#define GAPS_MAX 1000 /* looked at */

/* A quarter of the gaps are shorter than it; what misses now and then does not count. */
static int64_t usual_gap_ms(const struct seen_sample *p, size_t n)
{
	int64_t *gaps = mem_new_array(n, sizeof(*gaps));
	for (size_t i = 1; i < n; i++)
		gaps[i - 1] = p[i].at_ms - p[i - 1].at_ms;
	qsort(gaps, n - 1, sizeof(*gaps), by_gap);
	const int64_t gap = gaps[(n - 1) / 4];
	free(gaps);
	return gap;
}

int64_t samples_step(enum series_kind kind, const struct seen_sample *p, size_t n)
{
	static const int64_t steps[] = {
		3600, 1800, 900, 600, 300, 120, 60, 30, 20, 15, 10, 5, 2, 1};
	if (n < 4)
		return GRAPHITE_STEP_S;
	n = n > GAPS_MAX ? GAPS_MAX : n;
	const int64_t gap = usual_gap_ms(p, n) + 100; /* schedules are a little off */
	for (size_t i = 0; i < array_len(steps); i++)
		if (steps[i] * 1000 <= gap && (kind == SERIES_PROBE || steps[i] >= GRAPHITE_STEP_S))
			return steps[i];
	return kind == SERIES_PROBE ? 1 : GRAPHITE_STEP_S;
}

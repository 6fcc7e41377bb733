/*
 * stats.c - see stats.h.
 */

#include "cli/stats.h"

#include <stdlib.h>
#include <string.h>

#include "base/units.h"

#define CALL_MIN 24
#define CALL_MAX 60

void stats_add(struct stats *s, const struct cloud_exchange *x)
{
	char *name = mem_printf("%s %s", x->service, x->call);
	struct call_stats *c = map_get(&s->calls, name);
	if (!c) {
		c = mem_new(struct call_stats);
		map_put(&s->calls, name, c);
	}
	free(name);
	s->total++;
	c->errors += x->fault != FAULT_NONE;
	if (c->samples.n < STATS_MAX)
		vec_push(&c->samples, x->phases.total_ns);
}

void stats_fini(struct stats *s)
{
	MAP_EACH (&s->calls, e) {
		struct call_stats *c = e->value;
		vec_fini(&c->samples);
		free(c);
	}
	map_fini(&s->calls);
}

double stats_percentile(const int64_t *sorted, size_t n, double p)
{
	if (!n)
		return 0;
	const double at = (double)(n - 1) * p;
	const size_t below = (size_t)at;
	if (below + 1 >= n)
		return (double)sorted[n - 1];
	return (double)sorted[below] +
	       (at - (double)below) * (double)(sorted[below + 1] - sorted[below]);
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

struct figures {
	const char *call;
	size_t n, errors;
	double sum, min, mean, p50, p95, p99, max; /* ns */
};

static int by_sum(const void *a, const void *b)
{
	const struct figures *x = a, *y = b;
	return (y->sum > x->sum) - (y->sum < x->sum);
}

/* Returns an owned array, the largest sum first. */
static struct figures *figures_of(const struct stats *s, size_t *ret_n)
{
	struct figures *list = mem_new_array(s->calls.n + 1, sizeof(*list));
	size_t n = 0;
	MAP_EACH (&s->calls, e) {
		struct call_stats *c = e->value;
		struct figures *f = &list[n++];
		qsort(c->samples.p, c->samples.n, sizeof(*c->samples.p), by_value);
		for (size_t i = 0; i < c->samples.n; i++)
			f->sum += (double)c->samples.p[i];
		f->call = e->key;
		f->n = c->samples.n;
		f->errors = c->errors;
		f->min = (double)c->samples.p[0];
		f->mean = f->sum / (double)f->n;
		f->p50 = stats_percentile(c->samples.p, f->n, 0.5);
		f->p95 = stats_percentile(c->samples.p, f->n, 0.95);
		f->p99 = stats_percentile(c->samples.p, f->n, 0.99);
		f->max = (double)c->samples.p[f->n - 1];
	}
	qsort(list, n, sizeof(*list), by_sum);
	*ret_n = n;
	return list;
}

void stats_write(const struct stats *s, struct buf *out, size_t rows)
{
	size_t n;
	struct figures *list = figures_of(s, &n);
	char t[6][UNITS_TEXT];
	int width = CALL_MIN;
	for (size_t i = 0; i < n && i < rows; i++)
		if ((int)strlen(list[i].call) > width)
			width = (int)strlen(list[i].call);
	if (width > CALL_MAX)
		width = CALL_MAX;
	buf_printf(out, "%-*s %4s %4s %8s %8s %8s %8s %8s\n", width, "call", "n", "err", "min",
		"p50", "p95", "p99", "max");
	for (size_t i = 0; i < n && i < rows; i++) {
		const struct figures *f = &list[i];
		buf_printf(out, "%-*.*s %4zu %4zu %8s %8s %8s %8s %8s\n", width, width, f->call,
			f->n, f->errors, units_time_text((int64_t)f->min, t[0]),
			units_time_text((int64_t)f->p50, t[1]),
			units_time_text((int64_t)f->p95, t[2]),
			units_time_text((int64_t)f->p99, t[3]),
			units_time_text((int64_t)f->max, t[4]));
	}
	if (n > rows)
		buf_printf(out, "and %zu more kinds of call\n", n - rows);
	free(list);
}

json_t *stats_json(const struct stats *s)
{
	size_t n;
	struct figures *list = figures_of(s, &n);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct figures *f = &list[i];
		json_array_append_new(
			all, json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "call",
				     f->call, "n", (json_int_t)f->n, "errors",
				     (json_int_t)f->errors, "min_ms", f->min / 1e6, "mean_ms",
				     f->mean / 1e6, "p50_ms", f->p50 / 1e6, "p95_ms", f->p95 / 1e6,
				     "p99_ms", f->p99 / 1e6, "max_ms", f->max / 1e6));
	}
	free(list);
	return all;
}

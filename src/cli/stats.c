/*
 * stats.c - see stats.h.
 */

#include "cli/stats.h"

#include <stdlib.h>
#include <string.h>

static void add(struct map *into, const char *name, int64_t ns, bool error)
{
	struct stats_samples *c = map_get(into, name);
	if (!c) {
		c = mem_new(struct stats_samples);
		map_put(into, name, c);
	}
	c->errors += error;
	if (c->samples.n < STATS_MAX)
		vec_push(&c->samples, ns);
}

void stats_add(struct stats *s, const struct cloud_exchange *x)
{
	char *name = mem_printf("%s %s", x->service, x->call);
	add(&s->calls, name, x->phases.total_ns, x->fault != FAULT_NONE);
	free(name);
}

void stats_add_wait(struct stats *s, const struct measure *m)
{
	if (m->what == MEASURE_WAIT)
		add(&s->waits, m->name, m->total_us * NS_PER_US, m->fault != FAULT_NONE);
}

static void samples_fini(struct map *all)
{
	MAP_EACH (all, e) {
		struct stats_samples *c = e->value;
		vec_fini(&c->samples);
		free(c);
	}
	map_fini(all);
}

void stats_fini(struct stats *s)
{
	samples_fini(&s->calls);
	samples_fini(&s->waits);
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

static int by_sum(const void *a, const void *b)
{
	const struct figure_row *x = a, *y = b;
	const double sx = x->mean * (double)x->n, sy = y->mean * (double)y->n;
	return (sy > sx) - (sy < sx);
}

static int by_p95(const void *a, const void *b)
{
	const struct figure_row *x = a, *y = b;
	return (y->p95 > x->p95) - (y->p95 < x->p95);
}

/* Returns an owned array, sorted; names are borrowed of the map. */
static struct figure_row *rows_of(
	const struct map *all, int (*order)(const void *a, const void *b), size_t *ret_n)
{
	struct figure_row *list = mem_new_array(all->n + 1, sizeof(*list));
	size_t n = 0;
	MAP_EACH (all, e) {
		struct stats_samples *c = e->value;
		struct figure_row *f = &list[n++];
		qsort(c->samples.p, c->samples.n, sizeof(*c->samples.p), by_value);
		double sum = 0;
		for (size_t i = 0; i < c->samples.n; i++)
			sum += (double)c->samples.p[i];
		f->name = e->key;
		f->n = c->samples.n;
		f->errors = c->errors;
		f->min = (double)c->samples.p[0];
		f->mean = sum / (double)f->n;
		f->p50 = stats_percentile(c->samples.p, f->n, 0.5);
		f->p95 = stats_percentile(c->samples.p, f->n, 0.95);
		f->p99 = stats_percentile(c->samples.p, f->n, 0.99);
		f->max = (double)c->samples.p[f->n - 1];
	}
	qsort(list, n, sizeof(*list), order);
	*ret_n = n;
	return list;
}

void stats_write(const struct stats *s, struct buf *out, size_t rows)
{
	size_t n;
	struct figure_row *list = rows_of(&s->waits, by_p95, &n);
	if (n) {
		figure_rows_write(out, "waits", list, n, n);
		buf_add_char(out, '\n');
	}
	free(list);
	list = rows_of(&s->calls, by_p95, &n);
	figure_rows_write(out, "slowest calls", list, n, rows);
	free(list);
}

static json_t *rows_json(const struct map *samples, const char *key)
{
	size_t n;
	struct figure_row *list = rows_of(samples, by_sum, &n);
	json_t *all = json_array();
	for (size_t i = 0; i < n; i++) {
		const struct figure_row *f = &list[i];
		json_array_append_new(
			all, json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", key,
				     f->name, "n", (json_int_t)f->n, "errors",
				     (json_int_t)f->errors, "min_ms", f->min / 1e6, "mean_ms",
				     f->mean / 1e6, "p50_ms", f->p50 / 1e6, "p95_ms", f->p95 / 1e6,
				     "p99_ms", f->p99 / 1e6, "max_ms", f->max / 1e6));
	}
	free(list);
	return all;
}

json_t *stats_json(const struct stats *s)
{
	return rows_json(&s->calls, "call");
}

json_t *stats_waits_json(const struct stats *s)
{
	return rows_json(&s->waits, "wait");
}

/*
 * ring.c - see ring.h.
 */

#include "judge/rules/ring.h"

#include <math.h>

void bucket_fini(struct bucket *b)
{
	series_hist_fini(&b->hist);
	*b = (struct bucket){0};
}

static void bucket_clear(struct bucket *b, int64_t index)
{
	struct series_hist kept = b->hist; /* its memory is used again */
	kept.n = 0;
	*b = (struct bucket){.index = index, .hist = kept};
}

static void bucket_merge(struct bucket *b, const struct bucket *o)
{
	if (o->ok) {
		b->min = b->ok ? fmin(b->min, o->min) : o->min;
		b->max = b->ok ? fmax(b->max, o->max) : o->max;
	}
	b->n += o->n;
	b->ok += o->ok;
	b->failed += o->failed;
	b->sum += o->sum;
	series_hist_merge(&b->hist, &o->hist);
}

void bucket_add_point(struct bucket *b, const struct series_point *p)
{
	struct bucket o = {.n = p->n, .ok = p->ok, .sum = p->sum, .min = p->min, .max = p->max};
	o.hist = p->hist; /* borrowed */
	for (int f = 0; f < FAULT_COUNT && p->n > p->ok; f++)
		if (p->faults[f] && fault_whose((enum fault)f) == WHOSE_CLOUD)
			o.failed += p->faults[f];
	bucket_merge(b, &o);
}

static void add_run(struct bucket *b, const struct series_sample *s)
{
	/* As it comes back from the store, so that a replay sees what was seen. */
	const uint64_t stored =
		loglin_middle(loglin_index((uint64_t)s->total_us, LOGLIN_FINE), LOGLIN_FINE);
	const double us = (double)stored;
	b->n++;
	if (s->fault != FAULT_NONE) {
		b->failed += fault_whose(s->fault) == WHOSE_CLOUD;
		return;
	}
	b->min = b->ok ? fmin(b->min, us) : us;
	b->max = b->ok ? fmax(b->max, us) : us;
	b->ok++;
	b->sum += us;
	series_hist_add(&b->hist, stored, 1);
}

static void add_value(struct bucket *b, enum series_kind kind, const struct series_sample *s)
{
	const bool dist = kind == SERIES_DIST;
	struct bucket o = {.n = dist ? s->n : 1,
		.ok = dist ? s->n : 1,
		.sum = s->value,
		.min = dist ? s->min : s->value,
		.max = dist ? s->max : s->value};
	if (dist)
		o.hist = *s->hist; /* borrowed */
	bucket_merge(b, &o);
}

void ring_init(struct ring *r, int64_t width_ms, size_t buckets)
{
	*r = (struct ring){mem_new_array(buckets, sizeof(*r->p)), buckets, width_ms};
}

void ring_fini(struct ring *r)
{
	for (size_t i = 0; i < r->n; i++)
		series_hist_fini(&r->p[i].hist);
	free(r->p);
	*r = (struct ring){0};
}

/* NULL: it is older than what the ring holds. */
static struct bucket *bucket_at(struct ring *r, int64_t at_ms)
{
	const int64_t index = at_ms / r->width_ms;
	struct bucket *b = &r->p[(size_t)index % r->n];
	if (b->n && b->index > index)
		return NULL;
	if (!b->n || b->index != index)
		bucket_clear(b, index);
	return b;
}

void ring_add(struct ring *r, enum series_kind kind, const struct series_sample *s)
{
	struct bucket *b = bucket_at(r, s->at_ms);
	if (b && kind == SERIES_PROBE)
		add_run(b, s);
	else if (b)
		add_value(b, kind, s);
}

void ring_add_point(struct ring *r, const struct series_point *p)
{
	struct bucket *b = p->n ? bucket_at(r, p->at_ms) : NULL;
	if (b)
		bucket_add_point(b, p);
}

void ring_sum(const struct ring *r, int64_t from_ms, int64_t to_ms, struct bucket *into)
{
	const int64_t from = (from_ms + r->width_ms - 1) / r->width_ms;
	const int64_t to = (to_ms + r->width_ms - 1) / r->width_ms;
	for (int64_t i = from; i < to; i++) {
		const struct bucket *b = &r->p[(size_t)i % r->n];
		if (b->n && b->index == i)
			bucket_merge(into, b);
	}
}

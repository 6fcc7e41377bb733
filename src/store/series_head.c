/*
 * series_head.c - what of a series is in memory: unsealed heads, and the last sealed blocks; see
 * series_inside.h.
 */

#include "store/series_inside.h"

static struct head *open_head(struct series *s, int64_t hour)
{
	for (struct head *h = s->heads; h; h = h->next)
		if (h->hour == hour && !h->sealing)
			return h;
	for (struct head *h = s->heads; h; h = h->next)
		if (h->hour < hour)
			spill_look(s->store, h, true);
	struct head *h = mem_new(struct head);
	h->hour = (int32_t)hour;
	h->next = s->heads;
	s->heads = h;
	return h;
}

bool head_add(struct series *s, const struct series_sample *sample)
{
	struct head *h = open_head(s, sample->at_ms / SERIES_HOUR_MS);
	if (coded_full(&h->samples))
		return false;
	coded_add(&h->samples, s->kind, h->hour, sample);
	spill_look(s->store, h, false);
	return true;
}

void heads_close(struct series_store *st, int64_t before_hour)
{
	VEC_EACH (&st->all, struct series *, s)
		for (struct head *h = (*s)->heads; h; h = h->next)
			h->sealing |= h->hour < before_hour;
}

static void head_free(struct series_store *st, struct head *h)
{
	spill_free(st, h);
	coded_fini(&h->samples);
	free(h);
}

void heads_sealed(struct series_store *st, int64_t hour)
{
	spill_forget(st, hour);
	VEC_EACH (&st->all, struct series *, s)
		for (struct head **h = &(*s)->heads; *h;) {
			struct head *one = *h;
			if (one->hour == hour && one->sealing) {
				*h = one->next;
				head_free(st, one);
			} else {
				h = &one->next;
			}
		}
}

void heads_keep(struct series *s, const struct recent_block *b)
{
	struct kept_block *k = mem_new(struct kept_block);
	struct kept_block **end = &s->kept;
	*k = (struct kept_block){.hour = b->hour, .part = b->part, .p = b->p, .n = b->n};
	while (*end)
		end = &(*end)->next;
	*end = k;
}

static void forget(struct series *s, int64_t before_hour)
{
	for (struct kept_block **k = &s->kept; *k;) {
		struct kept_block *one = *k;
		if (one->hour < before_hour) {
			*k = one->next;
			free(one->p);
			free(one);
		} else {
			k = &one->next;
		}
	}
}

void heads_forget(struct series_store *st, int64_t before_hour)
{
	VEC_EACH (&st->all, struct series *, s)
		forget(*s, before_hour);
}

void heads_free(struct series *s)
{
	while (s->heads) {
		struct head *h = s->heads;
		s->heads = h->next;
		head_free(s->store, h);
	}
	forget(s, INT64_MAX);
}

void heads_count(const struct series *s, size_t *bytes, size_t *spilled)
{
	for (const struct head *h = s->heads; h; h = h->next) {
		*bytes += sizeof(*h) + h->samples.bytes.cap;
		*spilled += h->samples.cut;
	}
	for (const struct kept_block *k = s->kept; k; k = k->next)
		*bytes += sizeof(*k) + k->n;
}

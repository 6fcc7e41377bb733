/*
 * series_coded.c - see series_coded.h.
 *
 * A run of a probe is a row of numbers in half bytes: three bits each, the lowest first, and one
 * that says that more follow.
 *
 *	zigzag distance in time, less the usual one; its lowest bit: these follow, being other ones:
 *		phases, fault, tries
 *	of each phase of `phases` 0, or 1 + the zigzag distance of its index from the first one's
 *	zigzag distance of the total's index from that of the sum of the phases
 *
 * A sample of another kind is whole bytes: the distance in time as a varint, then the value; dist:
 * sum, min, max and the histogram. Both ways move the same state.
 */

#include "store/series_coded.h"

#include <assert.h>

void coded_fini(struct coded_samples *c)
{
	buf_fini(&c->bytes);
	*c = (struct coded_samples){0};
}

bool coded_full(const struct coded_samples *c)
{
	return c->n >= SERIES_BLOCK_SAMPLES || c->cut + c->bytes.n > SERIES_CODED_BYTES / 4 * 3;
}

void coded_cut(struct coded_samples *c, size_t n)
{
	const struct slice left = slice_from(c->bytes.p + n, c->bytes.n - n);
	struct buf rest = BUF(SERIES_CODED_BYTES);
	c->alone = left.n == 1;
	c->byte = left.p[0];
	if (!c->alone) {
		(void)buf_reserve(&rest, left.n);
		buf_add_slice(&rest, left);
	}
	buf_fini(&c->bytes);
	c->bytes = rest;
	c->cut += (uint32_t)n;
}

struct slice coded_rest(const struct coded_samples *c)
{
	return c->alone ? slice_from(&c->byte, 1) : buf_slice(&c->bytes);
}

static void pass_time(struct coded_state *last, int32_t at_ms, bool first)
{
	if (!first && !last->step_ms && at_ms > last->at_ms)
		last->step_ms = at_ms - last->at_ms;
	last->at_ms = at_ms;
}

/* --- writing -----------------------------------------------------------------------------------
 */

/* Half bytes of one run stand alone in a byte until they are packed: a number has at most 22. */
struct halves {
	size_t n;
	uint8_t p[(5 + SERIES_PHASES) * 22];
};

static void put(struct halves *h, uint64_t v)
{
	for (; v >= 8; v >>= 3)
		h->p[h->n++] = (uint8_t)(8 | (v & 7));
	h->p[h->n++] = (uint8_t)v;
}

/* It grows by a few bytes and there are many of it: doubling would cost more than it holds. */
static void make_room(struct coded_samples *c, size_t n)
{
	if (!c->n)
		buf_init(&c->bytes, SERIES_CODED_BYTES);
	n += c->alone;
	if (c->bytes.n + n >= c->bytes.cap)
		buf_reserve(&c->bytes, c->bytes.n + n + c->bytes.n / 8 + 16);
	if (c->alone)
		buf_add_char(&c->bytes, c->byte);
	c->alone = false;
}

static void pack(struct coded_samples *c, const struct halves *halves)
{
	make_room(c, halves->n / 2 + 1);
	for (size_t i = 0; i < halves->n; i++) {
		const uint8_t v = halves->p[i];
		if (c->half)
			c->bytes.p[c->bytes.n - 1] =
				(char)((uint8_t)c->bytes.p[c->bytes.n - 1] | v);
		else
			buf_add_char(&c->bytes, (char)(v << 4));
		c->half = !c->half;
	}
}

static uint8_t phases_of(const struct series_sample *s)
{
	uint8_t bits = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		bits |= (uint8_t)(s->phase_us[i] > 0) << i;
	return bits;
}

/* The first duration of a phase is told whole, the others by their distance from it. */
static uint64_t add_phase(struct halves *halves, uint16_t *base, int64_t us)
{
	const unsigned index = loglin_index((uint64_t)us, LOGLIN_FINE);
	put(halves, index ? code_zigzag((int64_t)index - *base) + 1 : 0);
	if (!*base)
		*base = (uint16_t)index;
	return loglin_middle(index, LOGLIN_FINE);
}

static void add_durations(
	struct halves *halves, struct coded_state *last, const struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		if (last->phases >> i & 1)
			sum += add_phase(halves, &last->base[i], s->phase_us[i]);
	const int64_t beside = loglin_index(sum, LOGLIN_FINE);
	put(halves,
		code_zigzag((int64_t)loglin_index((uint64_t)s->total_us, LOGLIN_FINE) - beside));
}

static bool tell_more(struct coded_state *last, const struct series_sample *s)
{
	const struct coded_state before = *last;
	last->phases |= phases_of(s);
	last->fault = (uint8_t)s->fault;
	last->tries = s->tries;
	return last->phases != before.phases || last->fault != before.fault ||
	       last->tries != before.tries;
}

/* The distance in time. */
static uint64_t time_of(struct coded_samples *c, int64_t hour, const struct series_sample *s)
{
	const int32_t at_ms = (int32_t)(s->at_ms - hour * SERIES_HOUR_MS);
	const int64_t distance = (int64_t)at_ms - c->last.at_ms - c->last.step_ms;
	pass_time(&c->last, at_ms, c->n == 0);
	return code_zigzag(distance);
}

static void add_run(struct coded_samples *c, int64_t hour, const struct series_sample *s)
{
	struct halves halves;
	halves.n = 0;
	const bool more = tell_more(&c->last, s);
	put(&halves, time_of(c, hour, s) << 1 | more);
	if (more) {
		put(&halves, c->last.phases);
		put(&halves, c->last.fault);
		put(&halves, c->last.tries);
	}
	add_durations(&halves, &c->last, s);
	pack(c, &halves);
}

static void add_values(
	struct coded_samples *c, enum series_kind kind, int64_t hour, const struct series_sample *s)
{
	struct buf one = BUF(SERIES_CODED_BYTES);
	code_put_varint(&one, time_of(c, hour, s));
	code_put_real(&one, s->value);
	if (kind == SERIES_DIST) {
		code_put_real(&one, s->min);
		code_put_real(&one, s->max);
		series_hist_write(&one, s->hist);
	}
	make_room(c, one.n);
	buf_add_slice(&c->bytes, buf_slice(&one));
	buf_fini(&one);
}

void coded_add(
	struct coded_samples *c, enum series_kind kind, int64_t hour, const struct series_sample *s)
{
	if (kind == SERIES_PROBE)
		add_run(c, hour, s);
	else
		add_values(c, kind, hour, s);
	c->n++;
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct halves_in {
	struct code_in in;
	uint8_t byte;
	bool half; /* the lower one of `byte` is the next */
};

static uint64_t next(struct halves_in *h)
{
	uint64_t v = 0;
	for (unsigned shift = 0; shift < 64; shift += 3) {
		if (!h->half)
			h->byte = code_byte(&h->in);
		const uint64_t half = h->half ? h->byte & 15 : h->byte >> 4;
		h->half = !h->half;
		v |= (half & 7) << shift;
		if (half < 8)
			return v;
	}
	h->in.bad = true;
	return 0;
}

static int64_t middle_of(int64_t index)
{
	return (int64_t)loglin_middle((unsigned)index, LOGLIN_FINE);
}

static int64_t next_phase(struct halves_in *h, uint16_t *base)
{
	const uint64_t v = next(h);
	const int64_t index = v ? *base + code_unzigzag(v - 1) : 0;
	if (!*base)
		*base = (uint16_t)index;
	return middle_of(index);
}

static void next_durations(struct halves_in *h, struct coded_state *last, struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++) {
		if (last->phases >> i & 1)
			s->phase_us[i] = next_phase(h, &last->base[i]);
		sum += (uint64_t)s->phase_us[i];
	}
	const int64_t beside = loglin_index(sum, LOGLIN_FINE);
	s->total_us = middle_of(beside + code_unzigzag(next(h)));
}

static int64_t next_time(struct coded_state *last, uint64_t v, int64_t hour, bool first)
{
	pass_time(last, (int32_t)(last->at_ms + last->step_ms + code_unzigzag(v)), first);
	return hour * SERIES_HOUR_MS + last->at_ms;
}

static void next_run(struct halves_in *h, struct coded_state *last, int64_t hour, bool first,
	struct series_sample *s)
{
	const uint64_t v = next(h);
	s->at_ms = next_time(last, v >> 1, hour, first);
	if (v & 1) {
		last->phases = (uint8_t)next(h);
		last->fault = (uint8_t)next(h);
		last->tries = (uint32_t)next(h);
	}
	s->fault = (enum fault)last->fault;
	s->tries = last->tries;
	next_durations(h, last, s);
}

static double next_real(struct code_in *in)
{
	const uint64_t bits = code_word(in, 8);
	double x;
	memcpy(&x, &bits, 8);
	return x;
}

static void next_values(struct code_in *in, enum series_kind kind, struct series_hist *hist,
	struct series_sample *s)
{
	s->value = next_real(in);
	if (kind != SERIES_DIST)
		return;
	s->min = next_real(in);
	s->max = next_real(in);
	hist->n = 0;
	in->bad |= !series_hist_read(in, hist);
	s->hist = hist;
	s->n = series_hist_count(hist);
}

void coded_each(struct slice bytes, size_t n, enum series_kind kind, int64_t hour,
	void (*cb)(void *arg, const struct series_sample *s), void *arg)
{
	struct halves_in h = {.in = code_in(bytes.p, bytes.n)};
	struct coded_state last = {0};
	struct series_hist hist = {0};
	for (size_t i = 0; i < n; i++) {
		struct series_sample s = {0};
		if (kind == SERIES_PROBE) {
			next_run(&h, &last, hour, i == 0, &s);
		} else {
			s.at_ms = next_time(&last, code_varint(&h.in), hour, i == 0);
			next_values(&h.in, kind, &hist, &s);
		}
		assert(!h.in.bad); /* we wrote it */
		cb(arg, &s);
	}
	series_hist_fini(&hist);
}

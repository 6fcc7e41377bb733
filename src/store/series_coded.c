/*
 * series_coded.c - see series_coded.h.
 *
 * A sample is
 *
 *	varint: zigzag distance in time, less the usual one; lowest bit: more is told first
 *	that:   byte phases, byte fault, varint tries (of a probe, when they are other ones)
 *	probe:  of each phase of `phases` 0, or 1 + the zigzag distance of its index from the first
 *	        one's; zigzag distance of the total's index from that of the sum of the phases
 *	others: the value, 8 bytes; dist: sum, min, max, 8 bytes each, and its histogram
 *
 * Both ways move the same state.
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
	return c->n >= SERIES_BLOCK_SAMPLES || c->bytes.n > SERIES_CODED_BYTES / 4 * 3;
}

static void pass_time(struct coded_state *last, int32_t at_ms, bool first)
{
	if (!first && !last->step_ms && at_ms > last->at_ms)
		last->step_ms = at_ms - last->at_ms;
	last->at_ms = at_ms;
}

/* --- writing -----------------------------------------------------------------------------------
 */

static uint8_t phases_of(const struct series_sample *s)
{
	uint8_t bits = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		bits |= (uint8_t)(s->phase_us[i] > 0) << i;
	return bits;
}

/* The first duration of a phase is told whole, the others by their distance from it. */
static uint64_t add_phase(struct buf *out, uint16_t *base, int64_t us)
{
	const unsigned index = loglin_index((uint64_t)us, LOGLIN_FINE);
	code_put_varint(out, index ? code_zigzag((int64_t)index - *base) + 1 : 0);
	if (!*base)
		*base = (uint16_t)index;
	return loglin_middle(index, LOGLIN_FINE);
}

static void add_durations(struct buf *out, struct coded_state *last, const struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		if (last->phases >> i & 1)
			sum += add_phase(out, &last->base[i], s->phase_us[i]);
	const int64_t beside = loglin_index(sum, LOGLIN_FINE);
	code_put_varint(out,
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

static void code(struct buf *out, struct coded_samples *c, enum series_kind kind, int32_t at_ms,
	const struct series_sample *s)
{
	struct coded_state *last = &c->last;
	const bool more = kind == SERIES_PROBE && tell_more(last, s);
	code_put_varint(out, code_zigzag((int64_t)at_ms - last->at_ms - last->step_ms) << 1 | more);
	pass_time(last, at_ms, c->n == 0);
	if (more) {
		buf_add_char(out, (char)last->phases);
		buf_add_char(out, (char)last->fault);
		code_put_varint(out, last->tries);
	}
	if (kind == SERIES_PROBE) {
		add_durations(out, last, s);
		return;
	}
	code_put_real(out, s->value);
	if (kind == SERIES_DIST) {
		code_put_real(out, s->min);
		code_put_real(out, s->max);
		series_hist_write(out, s->hist);
	}
}

void coded_add(
	struct coded_samples *c, enum series_kind kind, int64_t hour, const struct series_sample *s)
{
	struct buf one = BUF(SERIES_CODED_BYTES);
	code(&one, c, kind, (int32_t)(s->at_ms - hour * SERIES_HOUR_MS), s);
	if (!c->n)
		buf_init(&c->bytes, SERIES_CODED_BYTES);
	/* It grows by a few bytes and there are many of it: doubling would cost more than it holds. */
	if (c->bytes.n + one.n >= c->bytes.cap)
		buf_reserve(&c->bytes, c->bytes.n + one.n + c->bytes.n / 8 + 16);
	buf_add_slice(&c->bytes, buf_slice(&one));
	buf_fini(&one);
	c->n++;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static int64_t middle_of(int64_t index)
{
	return (int64_t)loglin_middle((unsigned)index, LOGLIN_FINE);
}

static int64_t next_phase(struct code_in *in, uint16_t *base)
{
	const uint64_t v = code_varint(in);
	const int64_t index = v ? *base + code_unzigzag(v - 1) : 0;
	if (!*base)
		*base = (uint16_t)index;
	return middle_of(index);
}

static void next_durations(struct code_in *in, struct coded_state *last, struct series_sample *s)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < SERIES_PHASES; i++) {
		if (last->phases >> i & 1)
			s->phase_us[i] = next_phase(in, &last->base[i]);
		sum += (uint64_t)s->phase_us[i];
	}
	const int64_t beside = loglin_index(sum, LOGLIN_FINE);
	s->total_us = middle_of(beside + code_unzigzag(code_varint(in)));
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
	struct code_in in = code_in(bytes.p, bytes.n);
	struct coded_state last = {0};
	struct series_hist hist = {0};
	for (size_t i = 0; i < n; i++) {
		struct series_sample s = {0};
		const uint64_t v = code_varint(&in);
		pass_time(&last, (int32_t)(last.at_ms + last.step_ms + code_unzigzag(v >> 1)),
			i == 0);
		if (v & 1) {
			last.phases = code_byte(&in);
			last.fault = code_byte(&in);
			last.tries = (uint32_t)code_varint(&in);
		}
		s.at_ms = hour * SERIES_HOUR_MS + last.at_ms;
		if (kind == SERIES_PROBE) {
			s.fault = (enum fault)last.fault;
			s.tries = last.tries;
			next_durations(&in, &last, &s);
		} else {
			next_values(&in, kind, &hist, &s);
		}
		assert(!in.bad); /* we wrote it */
		cb(arg, &s);
	}
	series_hist_fini(&hist);
}

/*
 * test_series_block.c - blocks, rows of the tail, roll-ups and histograms: what goes in comes out,
 * and what was changed is refused.
 */
#include <math.h>

#include "../check.h"
#include "base/random.h"
#include "base/vec.h"
#include "store/series_coded.h"
#include "store/series_roll.h"
#include "store/series_row.h"

static void loglin_is_within_its_promise(void **state)
{
	struct random r;

	random_init_seed(&r, 1);
	for (uint64_t v = 0; v < 100000; v++)
		assert_true(
			loglin_index(v, LOGLIN_FINE) >= loglin_index(v ? v - 1 : 0, LOGLIN_FINE));
	for (int i = 0; i < 100000; i++) {
		const uint64_t v = random_u64(&r) >> (20 + random_below(&r, 44));
		const unsigned fine = loglin_index(v, LOGLIN_FINE);
		const uint64_t middle = loglin_middle(fine, LOGLIN_FINE);
		const double off = fabs((double)middle - (double)v);

		assert_int_equal(loglin_index(middle, LOGLIN_FINE), fine);
		assert_true(off <= (double)v / 64);
		/* the coarse bucket of the middle is that of the value: roll-ups of blocks are
		 * those of what was measured */
		assert_int_equal(
			loglin_index(middle, LOGLIN_COARSE), loglin_index(v, LOGLIN_COARSE));
	}
	assert_int_equal(loglin_index(0, LOGLIN_FINE), 0);
	assert_int_equal(loglin_index(UINT64_MAX, 5), loglin_index(LOGLIN_MAX, 5));
}

static void quantiles_are_within_3_percent(void **state)
{
	struct series_hist h = {0};

	for (uint64_t v = 1; v <= 10000; v++)
		series_hist_add(&h, v * 100, 1);
	assert_int_equal(series_hist_count(&h), 10000);
	for (int p = 1; p <= 100; p++) {
		const double want = p * 10000.0;

		assert_true(fabs(series_hist_quantile(&h, p / 100.0) - want) <= want * 0.0313);
	}
	series_hist_fini(&h);
	assert_true(series_hist_quantile(&h, 0.5) == 0);
}

/* --- samples -----------------------------------------------------------------------------------
 */

struct samples {
	VEC(struct series_sample) list;
};

static void keep(void *arg, const struct series_sample *s)
{
	struct samples *k = arg;
	struct series_sample copy = *s;

	if (s->hist) {
		struct series_hist *h = mem_new(struct series_hist);

		series_hist_merge(h, s->hist);
		copy.hist = h;
	}
	vec_push(&k->list, copy);
}

static void keep_of_row(void *arg, const struct row_series *series, const struct series_sample *s)
{
	assert_int_equal(series->id, 7);
	keep(arg, s);
}

static void samples_fini(struct samples *k)
{
	VEC_EACH (&k->list, struct series_sample, s) {
		struct series_hist *h = (struct series_hist *)s->hist;

		if (h)
			series_hist_fini(h);
		free(h);
	}
	vec_fini(&k->list);
}

static struct series_sample draw(
	struct random *r, enum series_kind kind, int64_t at_ms, struct series_hist *hist)
{
	struct series_sample s = {.at_ms = at_ms};
	const int64_t shift = (int64_t)random_below(r, 40);

	if (kind == SERIES_PROBE) {
		s.fault =
			random_below(r, 9) ? FAULT_NONE : (enum fault)random_below(r, FAULT_COUNT);
		s.tries = (uint32_t)random_below(r, 4);
		for (size_t i = 0; i < SERIES_PHASES; i++)
			if (random_below(r, 3) == 0)
				s.phase_us[i] = (int64_t)(random_u64(r) >> 24 >> shift);
		s.total_us = (int64_t)(random_u64(r) >> 24 >> shift);
	} else if (kind == SERIES_GAUGE) {
		s.value = random_below(r, 5) ? random_unit(r) * 1e6 - 5e5 : -0.0;
	} else if (kind == SERIES_SUM) {
		s.value = (double)random_below(r, 100000);
	} else {
		hist->n = 0;
		for (uint64_t i = random_below(r, 20) + 1; i > 0; i--)
			series_hist_add(hist, random_u64(r) >> 30 >> shift,
				(uint32_t)random_below(r, 40) + 1);
		s.hist = hist;
		s.n = series_hist_count(hist);
		s.value = random_unit(r);
		s.max = 17;
	}
	return s;
}

static bool near_us(int64_t got, int64_t want)
{
	return llabs(got - want) <= want / 64 && (got == 0) == (want == 0);
}

static void assert_same(
	const struct series_sample *got, const struct series_sample *want, bool exact)
{
	assert_int_equal(got->at_ms, want->at_ms);
	assert_int_equal(got->fault, want->fault);
	assert_int_equal(got->tries, want->tries);
	for (size_t i = 0; i < SERIES_PHASES; i++)
		assert_true(exact ? got->phase_us[i] == want->phase_us[i]
				  : near_us(got->phase_us[i], want->phase_us[i]));
	assert_true(
		exact ? got->total_us == want->total_us : near_us(got->total_us, want->total_us));
	assert_memory_equal(&got->value, &want->value, sizeof(double));
	assert_true(got->n == want->n && got->min == want->min && got->max == want->max);
	assert_true(!got->hist == !want->hist);
	if (got->hist) {
		assert_int_equal(got->hist->n, want->hist->n);
		assert_memory_equal(
			got->hist->p, want->hist->p, want->hist->n * sizeof(struct series_bucket));
	}
}

static void one_round(struct random *r, enum series_kind kind, size_t n, bool compress)
{
	struct block_writer w;
	struct row_writer row;
	struct coded_samples coded = {0};
	struct samples in = {0}, out = {0}, rows = {0}, head = {0};
	struct buf bytes = BUF(SERIES_BLOCK_BYTES), tail = BUF(SERIES_ROW_BYTES);
	struct series_hist hist = {0};
	const struct row_series series = {7, kind};
	struct error err = {0};
	int64_t at = 1800000000000 + (int64_t)random_below(r, 1000);
	const int64_t hour = at / SERIES_HOUR_MS;

	block_writer_init(&w, kind, random_below(r, 2) ? 10000 : 0);
	row_writer_init(&row);
	for (size_t i = 0; i < n; i++) {
		const struct series_sample s = draw(r, kind, at, &hist);

		keep(&in, &s);
		block_writer_add(&w, &s);
		row_writer_add(&row, 0, kind, &s);
		coded_add(&coded, kind, hour, &s);
		at += (int64_t)random_below(r, 10) ? (int64_t)random_below(r, 20000)
						   : -(int64_t)random_below(r, 20000);
	}
	block_writer_finish(&w, &bytes, compress);
	row_writer_finish(&row, &series, 1, &tail);
	if (!block_read(buf_slice(&bytes), n, keep, &out, &err) ||
		!row_read(buf_slice(&tail), keep_of_row, &rows, &err))
		fail_msg("%s", err.msg);
	assert_true(row_may_have(buf_slice(&tail), 7, 7));
	assert_false(row_may_have(buf_slice(&tail), 1, 6));
	assert_false(row_may_have(buf_slice(&tail), 8, UINT32_MAX));
	coded_each(buf_slice(&coded.bytes), coded.n, kind, hour, keep, &head);
	assert_int_equal(out.list.n, n);
	assert_int_equal(rows.list.n, n);
	assert_int_equal(head.list.n, n);
	for (size_t i = 0; i < n; i++) {
		assert_same(&out.list.p[i], &in.list.p[i], false);
		assert_same(&rows.list.p[i], &in.list.p[i], true);
		assert_same(&head.list.p[i], &out.list.p[i], true); /* answers do not change */
	}
	coded_fini(&coded);
	samples_fini(&head);
	samples_fini(&in);
	samples_fini(&out);
	samples_fini(&rows);
	series_hist_fini(&hist);
	block_writer_fini(&w);
	row_writer_fini(&row);
	buf_fini(&bytes);
	buf_fini(&tail);
}

static void samples_of_all_kinds_come_back(void **state)
{
	struct random r;

	random_init_seed(&r, 2);
	for (int i = 0; i < 300; i++)
		one_round(&r, (enum series_kind)(i % 4), 1 + random_below(&r, i < 280 ? 50 : 4000),
			i % 8 < 4);
}

static void make_block(struct buf *out, bool compress)
{
	struct block_writer w;

	block_writer_init(&w, SERIES_PROBE, 0);
	for (int i = 0; i < 360; i++) {
		const struct series_sample s = {.at_ms = 1800000000000 + i * 10000,
			.tries = 1,
			.fault = i == 100 ? FAULT_TIMEOUT : FAULT_NONE,
			.total_us = 20000 + i % 7 * 300};

		block_writer_add(&w, &s);
	}
	block_writer_finish(&w, out, compress);
	block_writer_fini(&w);
}

static void a_changed_block_is_refused(void **state)
{
	struct buf b = BUF(SERIES_BLOCK_BYTES);
	struct samples k = {0};
	struct error err = {0};

	make_block(&b, true);
	assert_true(b.n < 600); /* 360 runs */
	for (size_t i = 0; i < b.n * 8; i++) {
		b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
		assert_false(block_read(buf_slice(&b), 1000, keep, &k, &err));
		assert_int_equal(err.kind, ERROR_STORE);
		b.p[i / 8] = (char)(b.p[i / 8] ^ 1 << i % 8);
	}
	for (size_t n = 0; n < b.n; n++)
		assert_false(block_read(slice_from(b.p, n), 1000, keep, &k, &err));
	assert_int_equal(k.list.n, 0);
	assert_true(block_read(buf_slice(&b), 360, keep, &k, &err));
	assert_int_equal(k.list.n, 360);
	assert_false(block_read(buf_slice(&b), 359, keep, &k, &err));
	assert_int_equal(err.kind, ERROR_LIMIT);
	samples_fini(&k);
	buf_fini(&b);
}

/* A checksum keeps chance out, not a program that writes nonsense: the columns are still checked.
 */
static void nonsense_with_a_right_checksum_is_refused_or_read(void **state)
{
	struct buf b = BUF(SERIES_BLOCK_BYTES);
	struct random r;
	unsigned refused = 0;

	random_init_seed(&r, 3);
	make_block(&b, false);
	for (int i = 0; i < 20000; i++) {
		struct buf c = BUF(SERIES_BLOCK_BYTES);
		struct samples k = {0};
		struct error err = {0};

		buf_add_slice(&c, buf_slice(&b));
		for (uint64_t n = random_below(&r, 4) + 1; n > 0; n--)
			c.p[2 + random_below(&r, c.n - 6)] = (char)random_u64(&r);
		buf_cut(&c, c.n - 4);
		code_put_word(&c, block_crc(c.p, c.n), 4);
		refused += !block_read(buf_slice(&c), 1000, keep, &k, &err);
		samples_fini(&k);
		buf_fini(&c);
	}
	assert_true(refused > 1000);
	buf_fini(&b);
}

/* --- roll-ups ----------------------------------------------------------------------------------
 */

static struct series_point draw_point(struct random *r, int64_t at_ms, bool whole)
{
	struct series_point p = {.at_ms = at_ms, .n = random_below(r, 100) + 1};

	p.ok = random_below(r, p.n + 1);
	for (uint64_t left = p.n - p.ok; left > 0; left--)
		p.faults[1 + random_below(r, FAULT_COUNT - 1)]++;
	p.sum = whole ? (double)random_below(r, 1ULL << 50) : random_unit(r) - 0.5;
	p.min = whole ? (double)random_below(r, 1000) : -random_unit(r);
	p.max = p.min + 1;
	for (size_t i = 0; i < SERIES_PHASES; i++)
		p.phase_sum_us[i] = whole ? (double)random_below(r, i + 1) : 0;
	for (uint64_t i = 0; i < p.ok; i++)
		series_hist_add(&p.hist, random_u64(r) >> (24 + random_below(r, 36)), 1);
	return p;
}

static void assert_same_point(const struct series_point *got, const struct series_point *want)
{
	assert_int_equal(got->at_ms, want->at_ms);
	assert_int_equal(got->n, want->n);
	assert_int_equal(got->ok, want->ok);
	assert_memory_equal(got->faults, want->faults, sizeof(want->faults));
	assert_true(got->sum == want->sum && got->min == want->min && got->max == want->max);
	assert_memory_equal(got->phase_sum_us, want->phase_sum_us, sizeof(want->phase_sum_us));
	assert_int_equal(got->hist.n, want->hist.n);
	for (size_t i = 0; i < want->hist.n; i++)
		assert_true(got->hist.p[i].index == want->hist.p[i].index &&
			    got->hist.p[i].count == want->hist.p[i].count);
}

static void roll_ups_come_back(void **state)
{
	struct random r;
	const int64_t day = 20000 * SERIES_DAY_MS;

	random_init_seed(&r, 4);
	for (int round = 0; round < 100; round++) {
		struct roll_day in = {0}, out = {0};
		struct buf bytes = BUF(SERIES_BLOCK_BYTES);
		struct error err = {0};

		for (int slot = 0; slot < 144; slot++)
			if (!slot || random_below(&r, 3))
				vec_push(&in, draw_point(&r, day + slot * 600000, round % 2));
		roll_day_write(&bytes, SERIES_PROBE, day, 600000, &in);
		if (!roll_day_read(buf_slice(&bytes), 600000, &out, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(out.n, in.n);
		for (size_t i = 0; i < in.n; i++)
			assert_same_point(&out.p[i], &in.p[i]);
		roll_day_fini(&out);
		assert_false(roll_day_read(buf_slice(&bytes), 3600000, &out, &err));
		roll_day_fini(&out);
		roll_day_fini(&in);
		buf_fini(&bytes);
	}
}

static void replacing_an_hour_twice_is_replacing_it_once(void **state)
{
	struct roll_day d = {0};

	for (int slot = 0; slot < 12; slot++)
		vec_push(&d, ((struct series_point){.at_ms = slot * 600000, .n = 1}));
	for (int round = 0; round < 2; round++) {
		struct roll_day hour = {0};

		vec_push(&hour, ((struct series_point){.at_ms = 7 * 600000, .n = 5}));
		roll_day_replace(&d, 6 * 600000, 12 * 600000, &hour);
		assert_int_equal(d.n, 7);
		assert_int_equal(d.p[6].n, 5);
		assert_int_equal(d.p[5].at_ms, 5 * 600000);
	}
	roll_day_fini(&d);
}

int test_series_block(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loglin_is_within_its_promise),
		cmocka_unit_test(quantiles_are_within_3_percent),
		cmocka_unit_test(samples_of_all_kinds_come_back),
		cmocka_unit_test(a_changed_block_is_refused),
		cmocka_unit_test(nonsense_with_a_right_checksum_is_refused_or_read),
		cmocka_unit_test(roll_ups_come_back),
		cmocka_unit_test(replacing_an_hour_twice_is_replacing_it_once),
	};

	return cmocka_run_group_tests_name("series_block", tests, NULL, NULL);
}

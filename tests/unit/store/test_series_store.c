/*
 * test_series_store.c - a store in virtual time against an oracle that keeps everything in a list:
 * random samples of all kinds in random order, late ones, doubles, across the ends of hours, days,
 * ISO weeks, months and a year, with reopening in between.
 */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "base/random.h"
#include "series_house.h"

#define KINDS 4

struct kept {
	struct series_sample sample; /* its hist is owned */
	size_t order;
};

struct oracle {
	struct random random;
	VEC(struct kept) list[KINDS];
	size_t order;
	uint64_t accepted;
};

static struct series *series_of(struct series_house *h, int kind)
{
	static const char *const names[] = {"runs", "temperature", "bytes", "times"};

	return kind_series(h->store, (enum series_kind)kind, names[kind]);
}

static int64_t between(struct random *r, int64_t low, int64_t high)
{
	return low + (int64_t)random_below(r, (uint64_t)(high - low));
}

static struct series_sample draw(struct random *r, int kind, int64_t at, struct series_hist **hist)
{
	struct series_sample s = {.at_ms = at};

	*hist = NULL;
	if (kind == SERIES_PROBE) {
		s.fault =
			random_below(r, 4) ? FAULT_NONE : (enum fault)random_below(r, FAULT_COUNT);
		s.tries = 1 + (uint32_t)(random_below(r, 5) == 0);
		s.total_us = (int64_t)(random_u64(r) >> 30 >> random_below(r, 30));
		s.phase_us[SERIES_WAIT] = s.total_us / 2;
		s.phase_us[SERIES_TLS] = s.total_us / 3;
	} else if (kind == SERIES_DIST) {
		*hist = mem_new(struct series_hist);
		for (int i = 0; i < 5; i++)
			series_hist_add(*hist, random_below(r, 100000), 1);
		s.hist = *hist;
		s.n = 5;
		s.min = (double)random_below(r, 100);
		s.max = s.min + 1000;
		s.value = 5000;
	} else {
		s.value = kind == SERIES_SUM ? (double)random_below(r, 1000) : random_unit(r) - 0.5;
	}
	return s;
}

static void append(struct series_house *h, struct oracle *o, int kind, int64_t at)
{
	struct series_hist *hist;
	const struct series_sample s = draw(&o->random, kind, at, &hist);
	const uint64_t before = series_status(h->store).appended;

	series_append(series_of(h, kind), &s);
	if (series_status(h->store).appended == before) {
		if (hist)
			series_hist_fini(hist);
		free(hist);
		return;
	}
	o->accepted++;
	vec_push(&o->list[kind], ((struct kept){s, o->order++}));
}

static void append_some(struct series_house *h, struct oracle *o)
{
	const int64_t now = series_house_now(h);

	for (uint64_t i = 3 + random_below(&o->random, 20); i > 0; i--) {
		const int kind = (int)random_below(&o->random, KINDS);
		const uint64_t way = random_below(&o->random, 10);
		const int64_t at = way < 6   ? between(&o->random, now - 60000, now + 1)
				   : way < 8 ? between(&o->random, now - 2 * SERIES_HOUR_MS, now)
				   : way < 9 ? between(&o->random, now - 10 * SERIES_DAY_MS, now)
					     : now / SERIES_HOUR_MS * SERIES_HOUR_MS;
		append(h, o, kind, at);
		if (way == 5)
			append(h, o, kind, at);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct kept *x = a, *y = b;

	if (x->sample.at_ms != y->sample.at_ms)
		return x->sample.at_ms < y->sample.at_ms ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static bool near_real(double got, double want)
{
	return fabs(got - want) <= fabs(want) / 64 + 1e-9;
}

static void compare_point(const struct series_point *got, const struct series_point *want, int kind)
{
	const double close = fabs(want->sum) / 64 + 1e-6;

	assert_int_equal(got->at_ms, want->at_ms);
	assert_int_equal(got->n, want->n);
	assert_int_equal(got->ok, want->ok);
	assert_memory_equal(got->faults, want->faults, sizeof(want->faults));
	assert_true(fabs(got->sum - want->sum) <= close);
	assert_true(near_real(got->min, want->min) && near_real(got->max, want->max));
	for (size_t i = 0; i < SERIES_PHASES; i++)
		assert_true(near_real(got->phase_sum_us[i], want->phase_sum_us[i]));
	assert_int_equal(got->hist.n, want->hist.n);
	for (size_t i = 0; i < want->hist.n; i++)
		assert_true(got->hist.p[i].index == want->hist.p[i].index &&
			    got->hist.p[i].count == want->hist.p[i].count);
	if (kind != SERIES_PROBE)
		assert_true(got->min == want->min && got->max == want->max);
}

static void naive_points(const struct oracle *o, int kind, int64_t from, int64_t to, int64_t step,
	struct series_points *ret)
{
	ret->n = (size_t)((to - from + step - 1) / step);
	ret->p = mem_new_array(ret->n, sizeof(*ret->p));
	for (size_t i = 0; i < ret->n; i++)
		ret->p[i].at_ms = from + (int64_t)i * step;
	VEC_EACH (&o->list[kind], struct kept, k) {
		const int64_t i = (k->sample.at_ms - from) / step;

		if (k->sample.at_ms >= from && i < (int64_t)ret->n)
			series_point_add(&ret->p[i], (enum series_kind)kind, &k->sample);
	}
}

static void compare_read(struct series_house *h, struct oracle *o, int kind)
{
	static const int64_t steps[] = {1000, 60000, 600000, 1200000, SERIES_HOUR_MS,
		6 * SERIES_HOUR_MS, SERIES_DAY_MS, 7 * SERIES_DAY_MS};
	const int64_t now = series_house_now(h);
	const int64_t step = steps[random_below(&o->random, array_len(steps))];
	const int64_t span = 1 + (int64_t)random_below(&o->random, 200);
	int64_t from = now - (int64_t)random_below(&o->random, 12 * SERIES_DAY_MS);
	struct series_points want = {0};
	struct answer a;

	if (random_below(&o->random, 4))
		from -= from % step;
	const bool fill = random_below(&o->random, 2);
	naive_points(o, kind, from, from + span * step, step, &want);
	if (!ask_points(series_of(h, kind), h->loop, from, from + span * step, step, fill, &a))
		fail_msg("%s", a.err.msg);
	size_t k = 0;
	for (size_t i = 0; i < want.n; i++)
		if (fill || want.p[i].n) {
			assert_true(k < a.points.n);
			compare_point(&a.points.p[k++], &want.p[i], kind);
		}
	assert_int_equal(k, a.points.n);
	for (size_t i = 0; i < want.n; i++)
		series_point_fini(&want.p[i]);
	free(want.p);
	answer_fini(&a);
}

static void compare_runs(struct series_house *h, struct oracle *o, int kind)
{
	const int64_t now = series_house_now(h);
	const int64_t from = between(&o->random, now - 11 * SERIES_DAY_MS, now);
	const int64_t to = between(&o->random, from + 1, now + 60000 + 2);
	struct answer a;
	size_t k = 0;

	if (!ask_runs(series_of(h, kind), h->loop, from, to, &a))
		fail_msg("%s", a.err.msg);
	qsort(o->list[kind].p, o->list[kind].n, sizeof(*o->list[kind].p), by_time);
	VEC_EACH (&o->list[kind], struct kept, want) {
		if (want->sample.at_ms < from || want->sample.at_ms >= to)
			continue;
		assert_true(k < a.runs.n);
		const struct series_sample *got = &a.runs.p[k++];

		assert_int_equal(got->at_ms, want->sample.at_ms);
		assert_int_equal(got->fault, want->sample.fault);
		assert_int_equal(got->tries, want->sample.tries);
		assert_true(got->value == want->sample.value && got->n == want->sample.n);
		assert_true(near_real((double)got->total_us, (double)want->sample.total_us));
		assert_int_equal(got->total_us == 0, want->sample.total_us == 0);
	}
	assert_int_equal(k, a.runs.n);
	answer_fini(&a);
}

static void compare_last(struct series_house *h, struct oracle *o, int kind)
{
	const struct kept *newest = NULL;
	struct answer a;

	VEC_EACH (&o->list[kind], struct kept, k)
		if (!newest || by_time(newest, k) < 0)
			newest = k;
	if (!ask_last(series_of(h, kind), h->loop, &a))
		fail_msg("%s", a.err.msg);
	assert_int_equal(a.runs.n, newest != NULL);
	if (newest) {
		assert_int_equal(a.runs.p[0].at_ms, newest->sample.at_ms);
		assert_true(a.runs.p[0].value == newest->sample.value);
		assert_int_equal(a.runs.p[0].fault, newest->sample.fault);
	}
	answer_fini(&a);
}

static void compare_days(struct series_house *h, struct oracle *o, int kind)
{
	const int64_t day = series_house_now(h) / SERIES_DAY_MS - 40;
	struct series_points want = {0};
	struct answer a;

	naive_points(
		o, kind, day * SERIES_DAY_MS, (day + 42) * SERIES_DAY_MS, SERIES_DAY_MS, &want);
	if (!ask_days(series_of(h, kind), h->loop, day, 42, &a))
		fail_msg("%s", a.err.msg);
	assert_int_equal(a.days.n, 42);
	for (size_t i = 0; i < 42; i++) {
		assert_int_equal(a.days.p[i].point.n, want.p[i].n);
		assert_int_equal(a.days.p[i].point.ok, want.p[i].ok);
		assert_true(near_real(a.days.p[i].point.sum, want.p[i].sum) ||
			    fabs(a.days.p[i].point.sum - want.p[i].sum) < 1e-6);
		assert_false(a.days.p[i].has_states);
		series_point_fini(&want.p[i]);
	}
	free(want.p);
	answer_fini(&a);
}

static void compare(struct series_house *h, struct oracle *o)
{
	for (int kind = 0; kind < KINDS; kind++) {
		compare_read(h, o, kind);
		compare_read(h, o, kind);
		compare_runs(h, o, kind);
		compare_last(h, o, kind);
		compare_days(h, o, kind);
	}
}

static void oracle_fini(struct oracle *o)
{
	for (int kind = 0; kind < KINDS; kind++) {
		VEC_EACH (&o->list[kind], struct kept, k) {
			struct series_hist *hist = (struct series_hist *)k->sample.hist;

			if (hist)
				series_hist_fini(hist);
			free(hist);
		}
		vec_fini(&o->list[kind]);
	}
}

static void all_reads_equal_a_list(struct series_house *h, uint64_t seed, int rounds)
{
	struct oracle o = {0};

	random_init_seed(&o.random, seed);
	for (int round = 0; round < rounds; round++) {
		const uint64_t way = random_below(&o.random, 12);

		append_some(h, &o);
		if (way < 6)
			series_house_pass(h, between(&o.random, 1, 20 * 60000));
		else if (way < 9)
			series_house_pass(h, between(&o.random, 1, 3 * SERIES_HOUR_MS));
		else if (way < 10)
			series_house_pass(h, between(&o.random, 1, 2 * SERIES_DAY_MS));
		else if (way < 11)
			series_house_reopen(h);
		compare(h, &o);
	}
	const struct series_status st = series_status(h->store);
	assert_true(st.storing && !st.corrupt && !st.lost);
	assert_true(o.accepted > (uint64_t)rounds * 3);
	oracle_fini(&o);
}

static void random_samples_equal_a_list(void **state)
{
	all_reads_equal_a_list(*state, 11, 50);
}

static void random_samples_equal_a_list_again(void **state)
{
	all_reads_equal_a_list(*state, 12, 50);
}

/* --- roll-ups are exact ------------------------------------------------------------------------
 */

static void sealed_roll_ups_are_exact(void **state)
{
	struct series_house *h = *state;
	const int64_t begin = series_house_now(h) / SERIES_DAY_MS * SERIES_DAY_MS + SERIES_DAY_MS;
	static const int64_t steps[] = {600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	struct random r;
	double sums[3][144] = {0}, smallest = 1e18;
	struct answer a;

	random_init_seed(&r, 5);
	series_house_pass(h, begin - series_house_now(h));
	for (int64_t at = begin; at < begin + SERIES_DAY_MS; at += 60000) {
		const int64_t us = (int64_t)random_below(&r, 10000000) + 1;
		const struct series_sample s = probe_sample(at, us);

		series_append(probe_series(h->store, "exact"), &s);
		for (int i = 0; i < 3; i++)
			sums[i][(at - begin) / steps[i]] += (double)us;
		smallest = fmin(smallest, (double)us);
		if ((at - begin) % (3 * SERIES_HOUR_MS) == 0)
			series_settle(h->store);
		loop_advance(h->loop, 60000 * NS_PER_MS);
	}
	series_house_pass(h, SERIES_HOUR_MS);
	for (int i = 0; i < 3; i++) {
		assert_true(ask_points(probe_series(h->store, "exact"), h->loop, begin,
			begin + SERIES_DAY_MS, steps[i], true, &a));
		assert_int_equal(a.points.resolution_ms, steps[i]);
		for (size_t k = 0; k < a.points.n; k++)
			assert_true(a.points.p[k].sum == sums[i][k] &&
				    a.points.p[k].phase_sum_us[SERIES_WAIT] == sums[i][k]);
		if (i == 2)
			assert_true(a.points.p[0].min == smallest && a.points.p[0].n == 1440);
		answer_fini(&a);
	}
}

/* --- late --------------------------------------------------------------------------------------
 */

static void the_seventeenth_seal_of_an_hour_is_refused(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "late");
	const int64_t hour = series_house_now(h) / SERIES_HOUR_MS * SERIES_HOUR_MS;
	struct answer a;

	for (int i = 0; i < 20; i++) {
		const struct series_sample one = probe_sample(hour + i, 100 + i);

		series_append(s, &one);
		series_house_pass(h, SERIES_HOUR_MS);
	}
	const struct series_status st = series_status(h->store);
	assert_int_equal(st.appended, SERIES_PARTS);
	assert_int_equal(st.refused_parts, 20 - SERIES_PARTS);
	assert_true(ask_runs(s, h->loop, hour, hour + SERIES_HOUR_MS, &a));
	assert_int_equal(a.runs.n, SERIES_PARTS);
	for (size_t i = 0; i < a.runs.n; i++)
		assert_int_equal(a.runs.p[i].at_ms, hour + (int64_t)i);
	answer_fini(&a);
	assert_true(ask_points(s, h->loop, hour, hour + SERIES_HOUR_MS, SERIES_HOUR_MS, true, &a));
	assert_int_equal(a.points.p[0].n, SERIES_PARTS);
	answer_fini(&a);
}

/* --- what is kept of a sealed hour --------------------------------------------------------------
 */

/* Values that no compressor makes smaller: n of them take 8 n bytes in the files. */
static void append_noise(struct series_house *h, const char *name, struct random *r, size_t n)
{
	struct series *s = kind_series(h->store, SERIES_GAUGE, name);
	const int64_t now = series_house_now(h);

	for (size_t i = 0; i < n; i++) {
		const struct series_sample one = {
			.at_ms = now + (int64_t)i, .value = random_unit(r)};

		assert_true(series_append(s, &one));
	}
}

static void assert_all_there(struct series_house *h, const char *name, int64_t from, size_t n)
{
	struct answer a;

	assert_true(ask_points(kind_series(h->store, SERIES_GAUGE, name), h->loop, from,
		from + SERIES_HOUR_MS, SERIES_HOUR_MS, true, &a));
	assert_int_equal(a.points.p[0].n, n);
	answer_fini(&a);
	assert_true(ask_points(kind_series(h->store, SERIES_GAUGE, name), h->loop, from,
		from + SERIES_HOUR_MS, SERIES_HOUR_MS / 7, false, &a));
	assert_int_equal(a.points.p[0].n, n); /* of samples, not of roll-ups */
	answer_fini(&a);
}

static void so_much_of_a_sealed_hour_stays_in_memory(void **state)
{
	struct series_house *h = *state;
	struct random r;

	random_init_seed(&r, 6);
	for (int much = 0; much < 2; much++) {
		const size_t n = much ? 200000 : 1000;
		int64_t from;

		series_house_pass(h, SERIES_HOUR_MS - series_house_now(h) % SERIES_HOUR_MS);
		from = series_house_now(h);
		append_noise(h, "first", &r, n);
		append_noise(h, "second", &r, n);
		series_house_pass(h, SERIES_HOUR_MS + 15 * 60000);
		/* of 14 kB all, of 2.8 MB nothing, not even of the first */
		assert_true(much ? series_status(h->store).head_bytes < 10000
				 : series_status(h->store).head_bytes > 10000);
		assert_all_there(h, "first", from, n);
		assert_all_there(h, "second", from, n);
	}
}

static void what_has_no_place_is_counted_and_refused(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "refused");
	const int64_t now = series_house_now(h);
	struct series_sample bad[] = {probe_sample(now - 15 * SERIES_DAY_MS, 1),
		probe_sample(now + SERIES_HOUR_MS + 1, 1), probe_sample(now, -1),
		probe_sample(now, INT64_MAX), probe_sample(-1, 1)};
	struct series_sample nan = {.at_ms = now, .value = (double)NAN};

	for (size_t i = 0; i < array_len(bad); i++)
		series_append(s, &bad[i]);
	series_append(kind_series(h->store, SERIES_GAUGE, "refused"), &nan);
	nan.value = 1; /* a dist without a histogram */
	series_append(kind_series(h->store, SERIES_DIST, "refused"), &nan);
	const struct series_status st = series_status(h->store);
	assert_int_equal(st.appended, 0);
	assert_int_equal(st.refused_old, 1);
	assert_int_equal(st.refused_ahead, 1);
	assert_int_equal(st.refused_value, 5);
}

/* --- names -------------------------------------------------------------------------------------
 */

static bool count_series(void *arg, struct series *s)
{
	(*(size_t *)arg)++;
	return true;
}

static size_t count(struct series_house *h, const char *pattern, const char *key, const char *value)
{
	const struct series_tag tag = {key, value};
	size_t n = 0;

	series_find(h->store, pattern, &tag, key ? 1 : 0, count_series, &n);
	return n;
}

static void series_are_found_and_keep_their_ids(void **state)
{
	struct series_house *h = *state;
	const struct series_sample one = probe_sample(series_house_now(h), 5);
	const struct series_tag tags[] = {{"b", "x\"y,a=\"1\"\\"}, {"a", "1"}};
	const struct series_key odd = {SERIES_PROBE, "us", "there", "odd", tags, 2};
	const struct series_key nameless = {SERIES_PROBE, "us", "there", "", NULL, 0};
	const struct series_key braces = {SERIES_PROBE, "us", "there", "a{b", NULL, 0};

	assert_ptr_equal(probe_series(h->store, "p.one"), probe_series(h->store, "p.one"));
	assert_string_equal(
		series_text(probe_series(h->store, "p.one")), "p.one{cloud=\"sim\",zone=\"az1\"}");
	assert_string_equal(series_text(series_get(h->store, &odd)),
		"odd{a=\"1\",b=\"x\\\"y,a=\\\"1\\\"\\\\\"}");
	assert_null(series_get(h->store, &nameless));
	assert_null(series_get(h->store, &braces));
	assert_ptr_not_equal(
		probe_series(h->store, "p.two"), kind_series(h->store, SERIES_GAUGE, "p.two"));
	series_append(probe_series(h->store, "p.two"), &one);
	series_append(series_get(h->store, &odd), &one);
	series_settle(h->store);
	const uint32_t id = series_id(probe_series(h->store, "p.two"));
	assert_true(id > 0);
	assert_int_equal(series_id(probe_series(h->store, "p.one")), 0);
	assert_int_equal(count(h, "p.*", NULL, NULL), 3);
	assert_int_equal(count(h, "*", "zone", "az1"), 3);
	assert_int_equal(count(h, "*", "zone", "az"), 0);
	assert_int_equal(count(h, "*", "a", "1"), 1);
	assert_int_equal(count(h, "odd{a=\"1\",*}", NULL, NULL), 1);
	series_house_reopen(h);
	assert_int_equal(series_id(probe_series(h->store, "p.two")), id);
	assert_int_equal(count(h, "*", NULL, NULL), 2); /* what was never stored is forgotten */
	series_append(probe_series(h->store, "p.three"), &one);
	series_settle(h->store);
	assert_true(series_id(probe_series(h->store, "p.three")) > id);
}

/* --- states of days ----------------------------------------------------------------------------
 */

static void states_of_days_come_back(void **state)
{
	struct series_house *h = *state;
	const int64_t today = series_house_now(h) / SERIES_DAY_MS;
	struct series *s = kind_series(h->store, SERIES_GAUGE, "component");
	const struct series_states first = {{86400}, 0, 0, 0};
	const struct series_states second = {{80000, 6000, 0, 400, 0}, 2, 0, 3};
	struct answer a;

	series_set_states(s, today - 89, &first);
	series_set_states(s, today, &first);
	series_set_states(s, today, &second);
	series_house_pass(h, 2000);
	series_house_reopen(h);
	s = kind_series(h->store, SERIES_GAUGE, "component");
	assert_true(ask_days(s, h->loop, today - 89, 90, &a));
	assert_int_equal(a.days.n, 90);
	assert_true(a.days.p[0].has_states && a.days.p[89].has_states);
	assert_false(a.days.p[1].has_states);
	assert_memory_equal(&a.days.p[0].states, &first, sizeof(first));
	assert_memory_equal(&a.days.p[89].states, &second, sizeof(second));
	answer_fini(&a);
}

int test_series_store(void)
{
	const struct CMUnitTest tests[] = {
		series_test(random_samples_equal_a_list),
		series_test(random_samples_equal_a_list_again),
		series_test(sealed_roll_ups_are_exact),
		series_test(the_seventeenth_seal_of_an_hour_is_refused),
		series_test(so_much_of_a_sealed_hour_stays_in_memory),
		series_test(what_has_no_place_is_counted_and_refused),
		series_test(series_are_found_and_keep_their_ids),
		series_test(states_of_days_come_back),
	};

	return cmocka_run_group_tests_name("series_store", tests, NULL, NULL);
}

/*
 * test_series_shared.c - two stores in one directory, each in a time of its own, so that what races
 * between processes happens here in an order that is chosen: rows that come after the seal of their
 * hour, rows that are sealed before the other saw them, a lock that changes hands.
 */
#include "../check.h"
#include "base/random.h"
#include "series_house.h"

#define BEGIN 1798761000000 /* 2026-12-31T23:50:00Z */
#define MOST  1000

struct party {
	struct clock clock;
	struct loop *loop;
	struct series_store *store;
	bool own[MOST]; /* it appended them */
};

/* Both append to one series values that count from 0. */
struct pair {
	const char *root;
	struct party party[2];
	size_t n, asked;
};

static void enter(struct pair *p, struct party *one)
{
	struct error err = {0};

	one->store = series_open(p->root, one->loop, NULL, &err);
	if (!one->store)
		fail_msg("%s", err.msg);
	series_settle(one->store);
}

/* The house's own store leaves: it would hold the lock. */
static void meet(struct pair *p, struct series_house *h)
{
	struct error err = {0};

	series_close(h->store);
	h->store = NULL;
	p->root = h->root;
	for (size_t i = 0; i < 2; i++) {
		struct party *one = &p->party[i];

		clock_init_virtual(&one->clock, BEGIN * 1000);
		one->loop = loop_new(&one->clock, &err);
		assert_non_null(one->loop);
		enter(p, one);
	}
}

static void part(struct pair *p)
{
	for (size_t i = 0; i < 2; i++) {
		series_close(p->party[i].store);
		loop_free(p->party[i].loop);
	}
}

static int64_t now(const struct party *one)
{
	return clock_unix_us(&one->clock) / 1000;
}

static void pass(struct party *one, int64_t ms)
{
	loop_advance(one->loop, ms * NS_PER_MS);
	series_settle(one->store);
}

static void append(struct pair *p, size_t who, int64_t at_ms)
{
	struct party *one = &p->party[who];
	const struct series_sample sample = {.at_ms = at_ms, .value = (double)p->n};

	assert_true(p->n < MOST);
	one->own[p->n++] = true;
	assert_true(series_append(kind_series(one->store, SERIES_GAUGE, "count"), &sample));
	series_settle(one->store);
}

/* `more` days before and after make it another question, which no answer is kept for. */
static size_t count_points(const struct party *one, int64_t step, size_t more, double *ret_sum)
{
	const int64_t before = 1 + (int64_t)more % 8, after = 5 + (int64_t)more / 8 % 32;
	const int64_t from = (BEGIN / SERIES_DAY_MS - before) * SERIES_DAY_MS;
	const int64_t to = (BEGIN / SERIES_DAY_MS + after) * SERIES_DAY_MS;
	struct series *s = kind_series(one->store, SERIES_GAUGE, "count");
	size_t got = 0;
	struct answer a;

	if (!ask_points(s, one->loop, from, to, step, false, &a))
		fail_msg("%s", a.err.msg);
	*ret_sum = 0;
	for (size_t i = 0; i < a.points.n; i++) {
		got += a.points.p[i].n;
		*ret_sum += a.points.p[i].sum;
	}
	answer_fini(&a);
	return got;
}

/* None twice, of its own none missing; and with `all` none at all. */
static void assert_once(struct pair *p, size_t who, bool all)
{
	static const int64_t steps[] = {1000 * 60 * 7, 600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	struct party *one = &p->party[who];
	struct series *s = kind_series(one->store, SERIES_GAUGE, "count");
	bool seen[MOST] = {0};
	struct answer a;

	if (!ask_runs(s, one->loop, BEGIN - SERIES_DAY_MS, BEGIN + 4 * SERIES_DAY_MS, &a))
		fail_msg("%s", a.err.msg);
	double sum = 0;
	size_t own = 0;
	for (size_t i = 0; i < a.runs.n; i++) {
		const size_t value = (size_t)a.runs.p[i].value;

		if (value >= p->n || seen[value])
			fail_msg("%zu stands there twice", value);
		seen[value] = true;
		sum += a.runs.p[i].value;
	}
	for (size_t i = 0; i < p->n; i++) {
		own += all || one->own[i];
		if ((all || one->own[i]) && !seen[i])
			fail_msg("%zu is missing", i);
	}
	p->asked++;
	for (size_t i = 0; i < array_len(steps); i++) {
		double rolled;

		assert_int_equal(count_points(one, steps[i], p->asked, &rolled), a.runs.n);
		assert_true(rolled == sum);
		assert_in_range(count_points(one, steps[i], 0, &rolled), own, a.runs.n);
	}
	answer_fini(&a);
}

/* --- one after the other ---------------------------------------------------------------------- */

static void a_row_that_comes_after_the_seal_of_others_counts_once(void **state)
{
	struct pair p = {0};

	meet(&p, *state);
	append(&p, 0, BEGIN);
	append(&p, 1, BEGIN + 1);
	pass(&p.party[0], 25 * 60000); /* seals 23:00 */
	append(&p, 1, BEGIN + 2);      /* there it is still that hour */
	append(&p, 0, BEGIN + 3);
	for (int i = 0; i < 4; i++) {
		pass(&p.party[1], i ? SERIES_HOUR_MS : 25 * 60000);
		assert_once(&p, 1, true);
		append(&p, 1, BEGIN + 10 + i);
		assert_once(&p, 1, true);
		append(&p, 0, now(&p.party[0]));
		assert_once(&p, 0, true);
		pass(&p.party[0], SERIES_HOUR_MS);
	}
	part(&p);
}

/* A row that came, was sealed and went before the second one of the pair had a turn. */
static void seal_unseen(struct pair *p)
{
	append(p, 0, BEGIN);
	append(p, 1, BEGIN + 1);
	pass(&p->party[0], 19 * 60000);
	append(p, 0, BEGIN + 2);
	pass(&p->party[0], 2 * 60000);
}

static void a_row_sealed_unseen_is_found_in_the_files(void **state)
{
	struct pair p = {0};

	meet(&p, *state);
	seal_unseen(&p);
	append(&p, 1, BEGIN + 3); /* behind the seal, and no look at it yet */
	assert_once(&p, 1, false);
	pass(&p.party[1], 25 * 60000);
	assert_once(&p, 1, true);
	assert_once(&p, 0, false);
	part(&p);
}

static void who_takes_the_lock_knows_what_was_sealed_before(void **state)
{
	struct pair p = {0};

	meet(&p, *state);
	seal_unseen(&p);
	series_close(p.party[0].store);
	pass(&p.party[1], 25 * 60000);
	assert_once(&p, 1, true);
	enter(&p, &p.party[0]);
	assert_once(&p, 0, true);
	append(&p, 0, BEGIN + 11);
	assert_once(&p, 0, true);
	for (size_t i = 0; i < 2; i++)
		pass(&p.party[1 - i], 2 * SERIES_HOUR_MS);
	assert_once(&p, 0, true);
	assert_once(&p, 1, true);
	part(&p);
}

/* --- in any order ------------------------------------------------------------------------------
 */

static void step(struct pair *p, struct random *r)
{
	const size_t who = random_below(r, 2);
	struct party *one = &p->party[who];
	const int64_t ahead = now(one) - now(&p->party[1 - who]);
	const uint64_t what = random_below(r, 20);

	if (what < 11) {
		const uint64_t late = random_below(r, 3) ? 60000 : 3 * SERIES_HOUR_MS;

		append(p, who, now(one) - (int64_t)random_below(r, late));
	} else if (what < 19) {
		if (ahead < 30 * 60000)
			pass(one, (int64_t)random_below(r, 40 * 60000));
	} else {
		series_close(one->store);
		enter(p, one);
	}
	assert_once(p, who, false);
}

static void in_any_order_each_counts_once(void **state)
{
	for (uint64_t seed = 0; seed < 6; seed++) {
		struct pair p = {0};
		struct random r;

		if (seed) {
			(void)series_house_teardown(state);
			assert_int_equal(series_house_setup(state), 0);
		}
		random_init_seed(&r, seed);
		meet(&p, *state);
		for (int i = 0; i < 250; i++)
			step(&p, &r);
		for (int i = 0; i < 4; i++)
			pass(&p.party[i % 2], 2 * SERIES_HOUR_MS);
		for (size_t i = 0; i < 4; i++)
			append(&p, i % 2, now(&p.party[i % 2]));
		assert_once(&p, 0, false);
		append(&p, 0, now(&p.party[0]));
		assert_once(&p, 0, true);
		append(&p, 1, now(&p.party[1]));
		assert_once(&p, 1, true);
		part(&p);
	}
}

int test_series_shared(void)
{
	const struct CMUnitTest tests[] = {
		series_test(a_row_that_comes_after_the_seal_of_others_counts_once),
		series_test(a_row_sealed_unseen_is_found_in_the_files),
		series_test(who_takes_the_lock_knows_what_was_sealed_before),
		series_test(in_any_order_each_counts_once),
	};

	return cmocka_run_group_tests_name("series_shared", tests, NULL, NULL);
}

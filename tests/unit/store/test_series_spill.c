/*
 * test_series_spill.c - what of the running hour leaves memory: answers are the same, whatever
 * becomes of the scratch file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../check.h"
#include "base/random.h"
#include "series_house.h"

#define SERIES 6 /* two probes, two gauges, two dists */
#define MINUTE 60000

/* What was appended, as it was. */
struct told {
	struct random random;
	struct series_hist hist;
	VEC(struct series_sample) list[SERIES];
};

static struct series *series_of(struct series_house *h, size_t i)
{
	static const enum series_kind kinds[] = {SERIES_PROBE, SERIES_GAUGE, SERIES_DIST};
	char name[16];

	snprintf(name, sizeof(name), "series.%zu", i);
	return kind_series(h->store, kinds[i / 2], name);
}

/* At a time within the last half minute, so not in order. */
static void append_one(struct series_house *h, struct told *t, size_t i)
{
	struct series *s = series_of(h, i);
	const int64_t us = 100 + (int64_t)random_below(&t->random, 5000);
	struct series_sample one = probe_sample(
		series_house_now(h) - (int64_t)random_below(&t->random, MINUTE / 2), us);

	if (series_kind(s) == SERIES_PROBE) {
		one.fault = random_below(&t->random, 10) ? FAULT_NONE : FAULT_TIMEOUT;
	} else {
		one = (struct series_sample){.at_ms = one.at_ms, .value = (double)us};
		if (series_kind(s) == SERIES_DIST) {
			t->hist.n = 0;
			series_hist_add(&t->hist, (uint64_t)us, 1);
			one.min = one.max = one.value;
			one.n = 1;
			one.hist = &t->hist;
		}
	}
	assert_true(series_append(s, &one));
	one.hist = NULL;
	vec_push(&t->list[i], one);
}

/* One every two seconds of each. */
static void append_minutes(struct series_house *h, struct told *t, size_t minutes)
{
	for (size_t k = 0; k < minutes * 30; k++) {
		for (size_t i = 0; i < SERIES; i++)
			append_one(h, t, i);
		series_house_pass(h, 2000);
	}
}

static int by_time(const void *a, const void *b)
{
	const struct series_sample *x = a, *y = b;

	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* How many of all series came back; fails when one is not as it was told. */
static size_t count(struct series_house *h, const struct told *t)
{
	size_t n = 0;

	for (size_t i = 0; i < SERIES; i++) {
		const int64_t now = series_house_now(h);
		struct answer a;
		struct series_sample *told = mem_new_array(t->list[i].n, sizeof(*told));

		assert_true(
			ask_runs(series_of(h, i), h->loop, now - 2 * SERIES_HOUR_MS, now + 1, &a));
		for (size_t k = 0; k < t->list[i].n; k++)
			told[k] = t->list[i].p[k];
		qsort(told, t->list[i].n, sizeof(*told), by_time);
		assert_true(a.runs.n == t->list[i].n || !a.runs.n);
		for (size_t k = 0; k < a.runs.n; k++)
			assert_int_equal(a.runs.p[k].at_ms, told[k].at_ms);
		n += a.runs.n;
		answer_fini(&a);
		free(told);
	}
	return n;
}

static void told_fini(struct told *t)
{
	for (size_t i = 0; i < SERIES; i++)
		vec_fini(&t->list[i]);
	series_hist_fini(&t->hist);
}

/* Descriptors of our scratch files; *ret_last: one of them. */
static size_t scratch_files(const struct series_house *h, int *ret_last)
{
	size_t n = 0;

	for (int fd = 0; fd < 1024; fd++) {
		char name[32], target[256] = {0}, begin[128];

		snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
		snprintf(begin, sizeof(begin), "%s/series/#", h->root);
		if (readlink(name, target, sizeof(target) - 1) < 0 ||
			strncmp(target, begin, strlen(begin)) != 0)
			continue;
		n++;
		*ret_last = fd;
	}
	return n;
}

static void what_left_memory_is_in_every_answer(void **state)
{
	struct series_house *h = *state;
	struct told t = {0};

	random_init_seed(&t.random, 1);
	append_minutes(h, &t, 30);
	const struct series_status full = series_status(h->store);
	assert_true(full.spilled_bytes > (size_t)SERIES * 900 * 3);
	assert_true(full.head_bytes < SERIES * 600); /* all in all, they would be 60 kB */
	assert_int_equal(count(h, &t), SERIES * 900);

	series_house_reopen(h); /* nobody needs the file: it is made again of the tail */
	series_settle(h->store);
	const struct series_status again = series_status(h->store);
	assert_true(again.spilled_bytes > (size_t)SERIES * 900 * 3);
	assert_true(again.head_bytes < SERIES * 600);
	assert_int_equal(count(h, &t), SERIES * 900);

	append_minutes(h, &t, 25); /* into the next hour */
	assert_int_equal(count(h, &t), SERIES * 55 * 30);
	series_house_pass(h, 10 * MINUTE);
	assert_int_equal(count(h, &t), SERIES * 55 * 30);
	series_house_pass(h, 60 * MINUTE);
	assert_int_equal(series_status(h->store).spilled_bytes, 0);
	assert_int_equal(series_status(h->store).corrupt, 0);
	told_fini(&t);
}

static void an_hour_that_is_over_leaves_what_is_left(void **state)
{
	struct series_house *h = *state;
	struct told t = {0};

	random_init_seed(&t.random, 2);
	series_house_pass(h, 41 * MINUTE);
	for (int i = 0; i < 18; i++)
		append_one(h, &t, 0);
	series_house_pass(h, 10 * MINUTE);
	assert_int_equal(series_status(h->store).spilled_bytes, 0); /* too little by itself */
	append_one(h, &t, 0);
	series_house_pass(h, 2000);
	assert_true(series_status(h->store).spilled_bytes > 48);
	append_one(h, &t, 0);
	assert_int_equal(count(h, &t), 20);
	told_fini(&t);
}

static void files_go_with_the_hours_in_them(void **state)
{
	struct series_house *h = *state;
	struct told t = {0};
	int fd = -1;

	random_init_seed(&t.random, 3);
	for (int hour = 0; hour < 5; hour++) {
		for (size_t k = 0; k < 60; k++) {
			append_one(h, &t, 2);
			append_one(h, &t, 4);
			series_house_pass(h, MINUTE);
		}
		const size_t n = scratch_files(h, &fd);
		assert_true(n >= 1 && n <= 3);
	}
	told_fini(&t);
}

/* --- when it does not work ---------------------------------------------------------------------
 */

/* No descriptor is left, so no file can be made; what is open goes on. */
static void samples_that_cannot_leave_stay(void **state)
{
	struct series_house *h = *state;
	struct told t = {0};
	struct troubles c = {0};
	struct rlimit limit, none;
	int fd = -1;

	h->options.crowded = count_trouble;
	h->options.trouble_arg = &c;
	series_house_reopen(h);
	random_init_seed(&t.random, 4);
	for (size_t i = 0; i < SERIES; i++)
		append_one(h, &t, i);
	series_house_pass(h, 2000); /* all that storing needs is open */
	assert_int_equal(scratch_files(h, &fd), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	none = limit;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	append_minutes(h, &t, 3);
	const size_t n = SERIES * 91;
	const bool all = count(h, &t) == n;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	assert_true(all);
	assert_int_equal(c.stopped, 1); /* and tried again since */
	assert_int_equal(series_status(h->store).spilled_bytes, 0);
	assert_true(series_status(h->store).storing);

	append_minutes(h, &t, 2);
	assert_int_equal(c.stopped, 1);
	assert_int_equal(c.went_on, 1);
	assert_true(series_status(h->store).spilled_bytes > n * 3);
	assert_true(series_status(h->store).head_bytes < SERIES * 600);
	assert_int_equal(count(h, &t), n + SERIES * 60);
	told_fini(&t);
}

/* A disk that gives back what nobody wrote. */
static void what_was_damaged_is_left_out_and_counted(void **state)
{
	struct series_house *h = *state;
	struct told t = {0};
	const char nonsense[64] = {0};
	int fd = -1;

	random_init_seed(&t.random, 5);
	append_minutes(h, &t, 10);
	assert_int_equal(count(h, &t), SERIES * 300);
	assert_int_equal(scratch_files(h, &fd), 1);
	assert_int_equal(pwrite(fd, nonsense, sizeof(nonsense), 40), sizeof(nonsense));
	const size_t n = count(h, &t);
	assert_true(n == (SERIES - 1) * 300 || n == (SERIES - 2) * 300);
	assert_true(series_status(h->store).corrupt > 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(count(h, &t), 0);
	series_house_pass(h, 2 * SERIES_HOUR_MS - 20 * MINUTE); /* sealed from the tail */
	told_fini(&t);
}

int test_series_spill(void)
{
	const struct CMUnitTest tests[] = {
		series_test(what_left_memory_is_in_every_answer),
		series_test(an_hour_that_is_over_leaves_what_is_left),
		series_test(files_go_with_the_hours_in_them),
		series_test(samples_that_cannot_leave_stay),
		series_test(what_was_damaged_is_left_out_and_counted),
	};

	return cmocka_run_group_tests_name("series_spill", tests, NULL, NULL);
}

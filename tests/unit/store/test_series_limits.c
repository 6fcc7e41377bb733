/*
 * test_series_limits.c - what may be asked of series, and how long they are kept.
 */
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "series_count.h"

static void asking_too_much_is_refused(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "limits");
	const int64_t now = series_house_now(h);
	const struct series_sample one = probe_sample(now, 5);
	struct answer a;

	series_append(s, &one);
	assert_false(ask_points(s, h->loop, now - 10001, now, 1, true, &a));
	assert_int_equal(a.err.kind, ERROR_LIMIT);
	answer_fini(&a);
	assert_true(ask_points(s, h->loop, now - 10000, now, 1, true, &a));
	assert_int_equal(a.points.n, SERIES_POINTS_MAX);
	answer_fini(&a);
	assert_false(ask_points(s, h->loop, now, now, 1, true, &a));
	assert_int_equal(a.err.kind, ERROR_INPUT);
	answer_fini(&a);
	assert_false(ask_points(s, h->loop, now - 30 * SERIES_DAY_MS, now, 3600001, true, &a));
	assert_int_equal(a.err.kind, ERROR_LIMIT);
	assert_non_null(strstr(a.err.msg, "ten minutes"));
	answer_fini(&a);
	assert_false(ask_days(s, h->loop, 20000, SERIES_POINTS_MAX + 1, &a));
	answer_fini(&a);
}

static void a_query_can_be_cancelled_and_calls_back_once(void **state)
{
	struct series_house *h = *state;
	struct series *s = probe_series(h->store, "cancelled");
	const int64_t now = series_house_now(h);
	struct answer first = {0}, second = {0};

	series_cancel(series_read(s, now - 1000, now, 10, true, on_points, &first));
	series_runs(s, now - 1000, now, on_runs, &second);
	assert_int_equal(first.calls + second.calls, 0);
	series_close(h->store); /* cancels what is under way, or it was done */
	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 1);
	assert_int_equal(first.err.kind, ERROR_CANCELLED);
	answer_fini(&first);
	answer_fini(&second);
	h->store = series_open(h->root, h->loop, NULL, &h->err);
	assert_non_null(h->store);
}

/* --- retention ---------------------------------------------------------------------------------
 */

static bool is_there(struct series_house *h, const char *name)
{
	char *path = path_of(h, name);
	const bool there = access(path, F_OK) == 0;

	free(path);
	return there;
}

static void files_go_when_all_of_them_is_old(void **state)
{
	struct series_house *h = *state;
	struct answer a;
	const int64_t begin = series_house_now(h);

	for (int week = 0; week < 57; week++) {
		const struct series_sample one = probe_sample(series_house_now(h), 1000 + week);

		series_append(probe_series(h->store, "old"), &one);
		series_settle(h->store);
		series_house_pass(h, 7 * SERIES_DAY_MS);
		assert_int_equal(is_there(h, "raw-2026-W53.db"), week < 2);
		assert_int_equal(is_there(h, "10m-2026-12.db"), week < 13);
		assert_true(is_there(h, "1h-2026.db"));
	}
	assert_true(is_there(h, "1h-2027.db") && is_there(h, "days.db"));
	const int64_t from = begin / SERIES_DAY_MS * SERIES_DAY_MS;
	assert_true(ask_points(probe_series(h->store, "old"), h->loop, from,
		from + 400 * SERIES_DAY_MS, SERIES_HOUR_MS, false, &a));
	assert_int_equal(a.points.n, 57);
	for (size_t i = 0; i < a.points.n; i++)
		assert_true(a.points.p[i].sum == (double)(1000 + i));
	answer_fini(&a);
	assert_true(
		ask_days(probe_series(h->store, "old"), h->loop, from / SERIES_DAY_MS, 400, &a));
	assert_int_equal(a.days.p[0].point.n, 1);
	assert_int_equal(a.days.p[56 * 7].point.n, 1);
	answer_fini(&a);
}

int test_series_limits(void)
{
	const struct CMUnitTest tests[] = {
		series_test(asking_too_much_is_refused),
		series_test(a_query_can_be_cancelled_and_calls_back_once),
		series_test(files_go_when_all_of_them_is_old),
	};

	return cmocka_run_group_tests_name("series_limits", tests, NULL, NULL);
}

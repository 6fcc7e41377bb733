/*
 * test_series_queries.c - many questions at once: what waits takes no memory for its answer, and each
 * is answered once, with what was there when it was asked.
 */
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

#include "../check.h"
#include "series_house.h"

#define QUERIES 300
#define SAMPLES 1000

struct many {
	struct series *series;
	struct loop *loop;
	int64_t from, to;
	size_t asked, answered, cancelled;
	bool done;
	struct query {
		struct many *all;
		size_t number, calls;
	} queries[QUERIES];
};

static void begin(struct many *m, struct series_house *h, size_t samples)
{
	*m = (struct many){.series = probe_series(h->store, "asked"), .loop = h->loop};
	m->from = series_house_now(h);
	m->to = m->from + SERIES_HOUR_MS;
	for (size_t i = 0; i < samples; i++) {
		const struct series_sample one = probe_sample(m->from + (int64_t)i, 5);

		assert_true(series_append(m->series, &one));
	}
	series_settle(h->store);
}

static struct series_query *ask(struct many *m, series_runs_done *done)
{
	struct query *q = &m->queries[m->asked];

	*q = (struct query){m, m->asked++, 0};
	return series_runs(m->series, m->from, m->to, done, q);
}

static size_t heap(void)
{
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* --- memory ------------------------------------------------------------------------------------
 */

static void on_whole(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct query *q = arg;

	assert_null(err);
	assert_int_equal(n, SAMPLES);
	q->all->done = ++q->all->answered == QUERIES;
}

/* Readers have all the time that they want before the loop takes an answer. */
static void answers_do_not_pile_up(void **state)
{
	struct many m;
	size_t most = 0;

	begin(&m, *state, SAMPLES);
	const size_t before = heap();
	for (size_t i = 0; i < QUERIES; i++)
		(void)ask(&m, on_whole);
	for (int i = 0; i < 30; i++) {
		usleep(10000);
		most = heap() > most ? heap() : most;
	}
	assert_int_equal(m.answered, 0);
	assert_true(most < before + QUERIES * SAMPLES * 20);
	loop_run_until(m.loop, &m.done);
	assert_true(m.done);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void on_some(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct query *q = arg;
	struct many *m = q->all;

	q->calls++;
	if (err) {
		assert_int_equal(err->kind, ERROR_CANCELLED);
		m->cancelled++;
	} else {
		assert_int_equal(n, q->number < QUERIES / 2 ? 10 : 11);
	}
	m->answered++;
	if (m->asked < QUERIES) /* from in here */
		(void)ask(m, on_some);
	m->done = m->answered == QUERIES;
}

static void each_is_answered_once_with_what_was_there(void **state)
{
	struct series_house *h = *state;
	struct series_query *some[2];
	struct many m;

	begin(&m, h, 10);
	for (size_t i = 0; i < QUERIES / 2; i++) {
		struct series_query *q = ask(&m, on_some);

		if (i == 1 || i == QUERIES / 2 - 1) /* one that a reader has, and one that waits */
			some[i > 1] = q;
	}
	const struct series_sample one = probe_sample(m.to - 1, 5);
	assert_true(series_append(m.series, &one));
	series_cancel(some[0]);
	series_cancel(some[1]);
	loop_run_until(h->loop, &m.done);
	assert_int_equal(m.cancelled, 2);
	for (size_t i = 0; i < QUERIES; i++)
		assert_int_equal(m.queries[i].calls, 1);
}

static void on_end(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct query *q = arg;

	q->calls++;
	q->all->cancelled += err && err->kind == ERROR_CANCELLED;
}

static void who_waits_when_the_store_closes_is_told(void **state)
{
	struct series_house *h = *state;
	struct many m;

	begin(&m, h, 10);
	for (size_t i = 0; i < QUERIES; i++)
		(void)ask(&m, on_end);
	series_close(h->store);
	for (size_t i = 0; i < QUERIES; i++)
		assert_int_equal(m.queries[i].calls, 1);
	h->store = series_open(h->root, h->loop, &h->options, &h->err);
	assert_non_null(h->store);
}

int test_series_queries(void)
{
	const struct CMUnitTest tests[] = {
		series_test(answers_do_not_pile_up),
		series_test(each_is_answered_once_with_what_was_there),
		series_test(who_waits_when_the_store_closes_is_told),
	};

	return cmocka_run_group_tests_name("series_queries", tests, NULL, NULL);
}

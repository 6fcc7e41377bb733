/* series_count.c - see series_count.h. */
#include "series_count.h"
#include "../check.h"

#include <stdlib.h>

char *path_of(const struct series_house *h, const char *name)
{
	return mem_printf("%s/series/%s", h->root, name);
}

/* All gauge values of the series, which count from 0: how many are there, each once. */
size_t count_in_order(struct series_store *st, struct loop *l)
{
	struct series *s = kind_series(st, SERIES_GAUGE, "count");
	struct answer a;

	if (!ask_runs(s, l, BEGIN, BEGIN + 2 * SERIES_DAY_MS, &a))
		fail_msg("%s", a.err.msg);
	for (size_t i = 0; i < a.runs.n; i++)
		if (a.runs.p[i].value != (double)i)
			fail_msg("%g stands where %zu should", a.runs.p[i].value, i);
	const size_t n = a.runs.n;
	answer_fini(&a);
	return n;
}

void assert_rolled(struct series_store *st, struct loop *l, size_t n)
{
	static const int64_t steps[] = {1000 * 60 * 7, 600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	const int64_t from = BEGIN / SERIES_DAY_MS * SERIES_DAY_MS;
	struct series *s = kind_series(st, SERIES_GAUGE, "count");

	for (size_t i = 0; i < array_len(steps); i++) {
		uint64_t got = 0;
		double sum = 0;
		struct answer a;

		if (!ask_points(s, l, from, from + 3 * SERIES_DAY_MS, steps[i], false, &a))
			fail_msg("%s", a.err.msg);
		for (size_t k = 0; k < a.points.n; k++) {
			got += a.points.p[k].n;
			sum += a.points.p[k].sum;
		}
		assert_int_equal(got, n);
		assert_true(sum == (double)n * ((double)n - 1) / 2);
		answer_fini(&a);
	}
}

void close_house(struct series_house *h)
{
	series_close(h->store);
	h->store = NULL;
}

/* --- dying between the commits of a seal -------------------------------------------------------
 */

void fill_an_hour(struct series_house *h)
{
	struct series *s = kind_series(h->store, SERIES_GAUGE, "count");

	/* an hour that is sealed whole, so that questions go to the files */
	series_house_pass(h, BEGIN - 3 * SERIES_HOUR_MS - series_house_now(h));
	const struct series_sample before = probe_sample(series_house_now(h), 7);
	series_append(probe_series(h->store, "before"), &before);
	series_house_pass(h, BEGIN - series_house_now(h));
	for (int i = 0; i < 40; i++) {
		const struct series_sample one = {.at_ms = series_house_now(h), .value = (double)i};

		series_append(s, &one);
		loop_advance(h->loop, 60000 * NS_PER_MS / 5);
	}
	series_settle(h->store);
}

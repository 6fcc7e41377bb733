/*
 * test_figures.c - calls, waits and checks as series and as figures: what is merged, what is in
 * order, that names have a bound, also after a restart.
 */
#include "../check.h"

#include <string.h>

#include "series_house.h"
#include "store/figures.h"

static struct measure call(const struct series_house *h, const char *name, int64_t us)
{
	return (struct measure){.what = MEASURE_CALL,
		.cloud = "sim",
		.region = "",
		.location = "",
		.service = "compute",
		.name = name,
		.at_ms = series_house_now(h),
		.total_us = us,
		.index = -1};
}

struct told {
	struct figure *list;
	size_t n, unread;
	bool done;
	enum error_kind kind;
};

static void on_figures(
	void *arg, struct figure *list, size_t n, size_t unread, const struct error *err)
{
	struct told *t = arg;
	*t = (struct told){list, n, unread, true, err ? err->kind : 0};
}

static struct told read_all(struct series_house *h, const char *cloud, unsigned what)
{
	struct told t = {0};
	const int64_t now = series_house_now(h), step = SERIES_HOUR_MS / 6;
	const struct figures_query q = {.cloud = cloud,
		.what = what,
		.from_ms = now - now % step - step,
		.to_ms = now + 1,
		.step_ms = step};
	figures_read(h->loop, h->store, &q, on_figures, &t);
	assert_false(t.done);
	for (int i = 0; i < 10000 && !t.done; i++) {
		loop_advance(h->loop, 0);
		series_settle(h->store);
	}
	assert_true(t.done);
	assert_int_equal(t.unread, 0);
	return t;
}

static void the_slowest_first_with_errors_counted(void **state)
{
	struct series_house *h = *state;
	struct figures *f = figures_new(h->store);
	struct measure m = call(h, "GET /servers", 1000);
	figures_take(f, &m);
	m.location = "elsewhere"; /* the same figure */
	m.total_us = 3000;
	figures_take(f, &m);
	m.fault = FAULT_TIMEOUT;
	m.total_us = 60000000; /* tells of patience */
	figures_take(f, &m);
	m = call(h, "POST /servers", 500000);
	figures_take(f, &m);
	m = call(h, "DELETE /servers/{id}", 7);
	m.fault = FAULT_TIMEOUT;
	figures_take(f, &m);
	m = call(h, "server ready", 9000000);
	m.what = MEASURE_WAIT;
	m.service = NULL;
	figures_take(f, &m);
	m.what = MEASURE_RUN; /* none of ours */
	figures_take(f, &m);

	struct told t = read_all(h, NULL, FIGURES_OF_TIME);
	static const char *const order[] = {
		"server ready", "POST /servers", "GET /servers", "DELETE /servers/{id}"};
	assert_int_equal(t.n, array_len(order));
	for (size_t i = 0; i < t.n; i++)
		assert_string_equal(t.list[i].name, order[i]);
	const struct series_point *p = &t.list[2].all;
	assert_int_equal(p->n, 3);
	assert_int_equal(p->ok, 2);
	assert_int_equal(p->faults[FAULT_TIMEOUT], 1);
	assert_true(p->max < 3200);
	assert_int_equal(t.list[2].step_count, 2);
	assert_int_equal(t.list[2].steps[0].n, 0);
	assert_int_equal(t.list[2].steps[1].n, 3);
	json_t *j = figure_json(&t.list[3]);
	assert_true(json_is_null(json_object_get(j, "p95_ms")));
	assert_int_equal(json_integer_value(json_object_get(j, "errors")), 1);
	json_decref(j);
	figure_list_free(t.list, t.n);
	t = read_all(h, NULL, 1u << FIGURE_WAIT);
	assert_int_equal(t.n, 1);
	figure_list_free(t.list, t.n);
	t = read_all(h, "another", FIGURES_OF_TIME);
	assert_int_equal(t.n, 0);
	figure_list_free(t.list, t.n);
	figures_free(f);
}

static void a_bench_keeps_its_unit(void **state)
{
	struct series_house *h = *state;
	struct figures *f = figures_new(h->store);
	struct measure m = call(h, "pi", 0);
	m.what = MEASURE_BENCH;
	m.scenario = "oshm";
	m.value = 1.5;
	m.unit = "s";
	figures_take(f, &m);
	m.value = 9;
	m.fault = FAULT_TIMEOUT;
	figures_take(f, &m);
	struct told t = read_all(h, NULL, 1u << FIGURE_BENCH);
	assert_int_equal(t.n, 1);
	assert_string_equal(t.list[0].name, "oshm pi");
	assert_string_equal(t.list[0].unit, "s");
	assert_int_equal(t.list[0].all.n, 1);
	assert_true(t.list[0].all.max == 1.5);
	figure_list_free(t.list, t.n);
	figures_free(f);
}

static void names_have_a_bound(void **state)
{
	struct series_house *h = *state;
	struct figures *f = figures_new(h->store);
	char name[40];
	for (int i = 0; i < FIGURES_MAX + 5; i++) {
		if (i == FIGURES_MAX - 10) { /* a restart counts what is there */
			figures_free(f);
			series_house_reopen(h);
			f = figures_new(h->store);
		}
		snprintf(name, sizeof(name), "GET /%d", i);
		const struct measure m = call(h, name, 1000);
		figures_take(f, &m);
	}
	const struct measure m = call(h, "GET /0", 1000); /* has its series */
	figures_take(f, &m);
	struct told t = read_all(h, NULL, FIGURES_OF_TIME);
	assert_int_equal(t.n, FIGURES_MAX + 1);
	for (size_t i = 0; i < t.n; i++) {
		if (!strcmp(t.list[i].name, "other"))
			assert_int_equal(t.list[i].all.n, 5);
		else
			assert_int_equal(
				t.list[i].all.n, !strcmp(t.list[i].name, "GET /0") ? 2 : 1);
	}
	figure_list_free(t.list, t.n);
	figures_free(f);
}

static void cancelled_is_told_once(void **state)
{
	struct series_house *h = *state;
	struct figures *f = figures_new(h->store);
	const struct measure m = call(h, "GET /servers", 1000);
	figures_take(f, &m);
	struct told t = {0};
	const struct figures_query q = {
		.what = FIGURES_OF_TIME, .from_ms = 0, .to_ms = 600000, .step_ms = 600000};
	figures_cancel(figures_read(h->loop, h->store, &q, on_figures, &t));
	assert_true(t.done && t.n == 0 && t.kind == ERROR_CANCELLED);
	figure_list_free(t.list, t.n);
	figures_free(f);
}

int test_figures(void)
{
	const struct CMUnitTest tests[] = {
		series_test(the_slowest_first_with_errors_counted),
		series_test(a_bench_keeps_its_unit),
		series_test(names_have_a_bound),
		series_test(cancelled_is_told_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

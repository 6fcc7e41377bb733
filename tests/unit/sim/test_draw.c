/* Chance: the same seed gives the same run, and what one part draws never shifts another's. */
#include "simulated.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/json.h"
#include "sim/draw.h"

static void test_same_seed(void **state)
{
	struct draw a, b, other;
	char x[UUID_TEXT], y[UUID_TEXT], z[UUID_TEXT];

	draw_init(&a, 7, 1);
	draw_init(&b, 7, 1);
	draw_init(&other, 8, 1);
	for (int i = 0; i < 100; i++) {
		assert_string_equal(draw_uuid(&a, "server", x), draw_uuid(&b, "server", y));
		assert_string_not_equal(x, draw_uuid(&other, "server", z));
		assert_int_equal(
			draw_time_ns(&a, TIME_SERVER_SPAWN), draw_time_ns(&b, TIME_SERVER_SPAWN));
	}
	draw_fini(&a);
	draw_fini(&b);
	draw_fini(&other);
}

static void test_independent(void **state)
{
	struct draw a, b;
	char x[UUID_TEXT], y[UUID_TEXT], hex[33];

	draw_init(&a, 7, 1);
	draw_init(&b, 7, 1);
	for (int i = 0; i < 50; i++) { /* what only one of them does */
		draw_uuid(&a, "network", x);
		draw_time_ns(&a, TIME_READ);
		draw_unit(&a, "fault 3");
		draw_hex32(&a, "user", hex);
	}
	assert_string_equal(draw_uuid(&a, "server", x), draw_uuid(&b, "server", y));
	assert_int_equal(draw_time_ns(&a, TIME_WRITE), draw_time_ns(&b, TIME_WRITE));
	assert_true(draw_unit(&a, "fault 1") == draw_unit(&b, "fault 1"));
	/* sequences of different names differ */
	assert_string_not_equal(draw_uuid(&a, "port", x), draw_uuid(&a, "router", y));
	assert_int_equal(strlen(hex), 32);
	draw_fini(&a);
	draw_fini(&b);
}

static int compare(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void test_times(void **state)
{
	struct draw d, fast;
	int64_t drawn[1001], median = 10 * NS_PER_S;

	draw_init(&d, 7, 1);
	draw_init(&fast, 7, 100);
	assert_true(draw_set_median(&d, SLICE("server_spawn"), median));
	assert_true(draw_set_median(&fast, SLICE("server_spawn"), median));
	assert_false(draw_set_median(&d, SLICE("frob"), median));
	for (size_t i = 0; i < 1001; i++) {
		drawn[i] = draw_time_ns(&d, TIME_SERVER_SPAWN);
		const int64_t quick = draw_time_ns(&fast, TIME_SERVER_SPAWN);
		assert_true(llabs(drawn[i] / 100 - quick) <= 1);
	}
	qsort(drawn, 1001, sizeof(drawn[0]), compare);
	assert_in_range(drawn[500], median * 9 / 10, median * 11 / 10);
	assert_true(drawn[0] > 0);
	assert_true(drawn[1000] <= 4 * median);
	assert_true(drawn[1000] > drawn[0]);
	d.spread = 0;
	assert_int_equal(draw_time_ns(&d, TIME_SERVER_SPAWN), median);
	draw_fini(&d);
	draw_fini(&fast);
}

/* How long the service worked on each request. */
static void add_times(struct simulated *s, struct buf *story)
{
	json_t *requests = sim_requests(s->sim), *one;
	size_t i;

	json_array_foreach (requests, i, one)
		buf_printf(story, "%s %.6f\n", json_str(one, "path"),
			json_real_value(json_object_get(one, "ms")));
	json_decref(requests);
}

/* A run: the ids of three volumes, and the times if asked for. Returns owned. */
static char *run(struct simulated *s, uint64_t seed, bool more, bool times)
{
	struct buf story = BUF(BUF_PAGE);

	simulated_restart(s, seed, NULL);
	for (int i = 0; i < 3; i++) {
		if (more) { /* another kind of object in between */
			simulated_call(s, "POST", "/network/v2.0/security-groups",
				"{'security_group': {'name': 'g'}}");
			simulated_said(s, 201, NULL);
		}
		simulated_call(s, "POST", "/volume/v3/$P/volumes", "{'volume': {'size': 1}}");
		simulated_said(s, 202, NULL);
		simulated_keep(s, 1, "volume");
		buf_printf(&story, "%s\n", s->kept[1]);
	}
	if (times)
		add_times(s, &story);
	return buf_take(&story);
}

static void test_same_run(void **state)
{
	struct simulated *s = *state;
	char *a = run(s, 3, false, true), *b = run(s, 3, false, true);
	char *c = run(s, 4, false, true);

	assert_string_equal(a, b);
	assert_string_not_equal(a, c);
	free(a);
	free(b);
	free(c);
}

/* The volumes of a run are the same whatever else was made between them. */
static void test_kinds_apart(void **state)
{
	struct simulated *s = *state;
	char *with = run(s, 3, true, false), *without = run(s, 3, false, false);

	assert_string_equal(with, without);
	free(with);
	free(without);
}

int test_draw(void)
{
#define RUN(name) cmocka_unit_test_setup_teardown(name, simulated_set_up, simulated_tear_down)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_same_seed),
		cmocka_unit_test(test_independent),
		cmocka_unit_test(test_times),
		RUN(test_same_run),
		RUN(test_kinds_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

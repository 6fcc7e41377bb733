/*
 * test_metrics_names.c - CloudMon's names on their way: packets of StatsD and what is added up for
 * Graphite, on a virtual clock.
 */
#include "../check.h"

#include <stdio.h>
#include <string.h>

#include "net/resolver.h"
#include "tell/metrics_inside.h"

struct house {
	struct clock clock;
	struct loop *loop;
	struct http_client *client;
	struct resolver *resolver;
	struct metrics *metrics;
	size_t packets, lines, longest;
	struct buf first;
	struct error err;
};

static void on_packet(void *arg, struct slice lines)
{
	struct house *h = arg;
	struct slice line;
	h->longest = lines.n > h->longest ? lines.n : h->longest;
	if (!h->packets++)
		buf_add_slice(&h->first, lines);
	while (lines.n && slice_next(&lines, '\n', &line)) {
		assert_true(slice_ends(line, "|c") || slice_ends(line, "|ms"));
		h->lines++;
	}
}

static int setup(void **state)
{
	struct house *h = mem_new(struct house);
	clock_init_virtual(&h->clock, 1795000000LL * 1000000);
	h->first = BUF(BUF_LINE);
	h->loop = loop_new(&h->clock, &h->err);
	h->client = http_client_new(h->loop, &(struct http_client_options){0}, &h->err);
	h->resolver = resolver_new(h->loop, NULL, &h->err);
	assert_non_null(h->resolver);
	const struct metrics_site site = {.instance = "i",
		.location = "",
		.packet = on_packet,
		.arg = h,
		.resolver = h->resolver};
	h->metrics = metrics_new(h->loop, h->client, &site);
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	struct house *h = *state;
	metrics_free(h->metrics);
	resolver_free(h->resolver);
	http_client_free(h->client);
	loop_free(h->loop);
	buf_fini(&h->first);
	free(h);
	return 0;
}

static struct sender *receiver(struct house *h, enum metrics_kind kind, const char *place)
{
	const struct metrics_receiver c = {
		.kind = kind, .url = place, .environment = "e", .zone = "z"};
	assert_true(metrics_configure(h->metrics, &c, 1, &h->err));
	return h->metrics->senders.p[0];
}

static void call(struct house *h, const char *path, int64_t ms)
{
	char url[200];
	snprintf(url, sizeof(url), "http://c/%s", path);
	metrics_take(h->metrics, &(struct measure){.what = MEASURE_CALL,
					 .cloud = "c",
					 .region = "",
					 .location = "",
					 .index = -1,
					 .service = "image",
					 .name = "GET /x",
					 .url = url,
					 .project = "",
					 .total_us = ms * 1000,
					 .status = 200});
}

/* --- packets ------------------------------------------------------------------------------------
 */

static void on_drained(void *arg)
{
	*(bool *)arg = true;
}

static void test_packets_fit_a_frame(void **state)
{
	struct house *h = *state;
	bool done = false;
	receiver(h, METRICS_STORE, "");
	for (int i = 0; i < 300; i++) {
		char path[40];
		snprintf(path, sizeof(path), "kind%d", i);
		call(h, path, 5);
	}
	metrics_drain(h->metrics, NS_PER_S, on_drained, &done);
	assert_true(loop_run_until(h->loop, &done));
	assert_int_equal(h->lines, 3 * 300);
	assert_true(h->longest <= 1432 && h->longest > 1300);
	assert_true(strstr(buf_str(&h->first), "openstack.api.e.z.image.GET.kind0.200:5|ms\n") ==
		    buf_str(&h->first));
}

/* --- what StatsD would flush --------------------------------------------------------------------
 */

static void test_what_is_flushed(void **state)
{
	static const char *const expected[] = {"timers.X.200.count_90 9", "timers.X.200.mean_90 50",
		"timers.X.200.upper_90 90", "timers.X.200.sum_90 450",
		"timers.X.200.sum_squares_90 28500", "timers.X.200.std 28.7228132326901",
		"timers.X.200.upper 100", "timers.X.200.lower 10", "timers.X.200.count 10",
		"timers.X.200.count_ps 1", "timers.X.200.sum 550", "timers.X.200.sum_squares 38500",
		"timers.X.200.mean 55", "timers.X.200.median 55", "counters.X.200.rate 1",
		"counters.X.200.count 10", "counters.X.attempted.rate 1",
		"counters.X.attempted.count 10"};
	struct house *h = *state;
	struct sender *s = receiver(h, METRICS_GRAPHITE, "127.0.0.1:1");
	struct buf lines = BUF(BUF_PAGE);
	for (int i = 10; i > 0; i--)
		call(h, "things", 10 * i);
	graphite_drain(s);
	assert_int_equal(s->batches.n, 1);
	buf_add_slice(&lines, buf_slice(&s->batches.p[0]->lines));
	size_t n = 0;
	for (const char *p = buf_str(&lines); *p; p++)
		n += *p == '\n';
	assert_int_equal(n, array_len(expected));
	for (size_t i = 0; i < array_len(expected); i++) {
		const char *x = strstr(expected[i], "X");
		char *line =
			mem_printf("stats.%.*sopenstack.api.e.z.image.GET.things%s 1795000000\n",
				(int)(x - expected[i]), expected[i], x + 1);
		if (!strstr(buf_str(&lines), line))
			fail_msg("not there: %s in\n%s", line, buf_str(&lines));
		free(line);
	}
	buf_fini(&lines);
}

static void test_one_value_is_all_there_is(void **state)
{
	struct house *h = *state;
	struct sender *s = receiver(h, METRICS_GRAPHITE, "127.0.0.1:1");
	call(h, "things", 7);
	graphite_drain(s);
	const char *lines = buf_str(&s->batches.p[0]->lines);
	assert_non_null(strstr(lines, ".200.upper_90 7 "));
	assert_non_null(strstr(lines, ".200.count_90 1 "));
	assert_non_null(strstr(lines, ".200.median 7 "));
	assert_non_null(strstr(lines, ".200.std 0 "));
}

/* A receiver that is not there: what waits is bounded, and what is over is counted. */
static void test_what_waits_is_bounded(void **state)
{
	struct house *h = *state;
	struct metrics_receiver c = {.kind = METRICS_GRAPHITE,
		.url = "127.0.0.1:1",
		.environment = "e",
		.zone = "z",
		.every_ns = NS_PER_S,
		.spool_size = 300 << 10};
	assert_true(metrics_configure(h->metrics, &c, 1, &h->err));
	struct sender *s = h->metrics->senders.p[0];
	for (int i = 0; i < 5000; i++) {
		char path[40];
		snprintf(path, sizeof(path), "kind%d", i);
		call(h, path, 5);
	}
	graphite_drain(s);
	assert_true(s->lost > 1000);
	assert_true(s->waiting_size <= 600 << 10);
	assert_int_equal(s->lost + s->waiting, 5000 * 18);
}

int test_metrics_names(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_packets_fit_a_frame, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_is_flushed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_value_is_all_there_is, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_waits_is_bounded, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

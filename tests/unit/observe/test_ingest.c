/* test_ingest.c - what is sent to the sockets, as samples: in virtual time, through real sockets.
 */
#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "../store/series_house.h"
#include "observe/ingest/ingest.h"

static char told[4][300];
static unsigned told_count;

static void on_tell(void *arg, const char *text)
{
	if (told_count < 4)
		snprintf(told[told_count], sizeof(told[0]), "%s", text);
	told_count++;
}

static struct ingest *open_with(struct series_house *h, struct ingest_options o)
{
	told_count = 0;
	o.location = "here";
	o.tell = on_tell;
	struct ingest *i = ingest_open(h->loop, h->store, &o, &h->err);
	if (!i)
		fail_msg("%s", h->err.msg);
	return i;
}

static struct sockaddr_in address_of(unsigned port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void send_packet(unsigned port, const char *text)
{
	const struct sockaddr_in to = address_of(port);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);

	assert_int_equal(
		sendto(fd, text, strlen(text), 0, (const struct sockaddr *)&to, sizeof(to)),
		strlen(text));
	close(fd);
}

/* The peer's end of what was sent has come: it closes after us. */
static void send_stream(unsigned port, const void *p, size_t n)
{
	const struct sockaddr_in to = address_of(port);
	const int fd = socket(AF_INET, SOCK_STREAM, 0);
	char c;

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(write(fd, p, n), n);
	shutdown(fd, SHUT_WR);
	assert_true(read(fd, &c, 1) <= 0);
	close(fd);
}

static struct series *found(struct series_house *h, enum series_kind kind, const char *text)
{
	const struct series_key key = {.kind = kind,
		.unit = kind == SERIES_DIST ? "us" : "",
		.location = "here",
		.name = text};
	return series_get(h->store, &key);
}

static size_t samples(struct series_house *h, struct series *s, struct answer *a)
{
	const int64_t now = series_house_now(h);

	*a = (struct answer){0};
	assert_true(ask_runs(s, h->loop, now - SERIES_DAY_MS, now + SERIES_DAY_MS, a));
	return a->runs.n;
}

/* Other threads take real time, which is none of the loop's. */
static void wait_for_threads(struct series_house *h)
{
	usleep(1000);
	loop_advance(h->loop, 1);
}

/* --- StatsD ------------------------------------------------------------------------------------
 */

static void an_interval_ends_by_the_wall_clock(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.statsd = "127.0.0.1:0"});
	const unsigned port = ingest_port(i, INGEST_STATSD);
	struct answer a;

	loop_advance(h->loop, 3 * NS_PER_S); /* 22:10:03 */
	send_packet(port, "openstack.api.x:2|c\nopenstack.api.x:100|ms");
	send_packet(port, "openstack.api.x:3|c");
	loop_advance(h->loop, 6 * NS_PER_S);
	assert_int_equal(ingest_state(i).source[INGEST_STATSD].points, 0);
	loop_advance(h->loop, 2 * NS_PER_S); /* 22:10:11 */
	while (ingest_state(i).source[INGEST_STATSD].points < 3 || ingest_state(i).waiting)
		wait_for_threads(h);
	assert_int_equal(samples(h, found(h, SERIES_SUM, "stats.counters.openstack.api.x"), &a), 1);
	const int64_t end = a.runs.p[0].at_ms;
	assert_int_equal(end % 10000, 0);
	assert_true(series_house_now(h) - end < 5000);
	assert_true(a.runs.p[0].value == 5);
	answer_fini(&a);
	assert_int_equal(samples(h, found(h, SERIES_DIST, "stats.timers.openstack.api.x"), &a), 1);
	assert_true(a.runs.p[0].n == 1 && a.runs.p[0].value == 100000);
	answer_fini(&a);
	ingest_close(i);
}

static void what_came_before_the_end_is_not_lost(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.statsd = "127.0.0.1:0"});
	char line[64];
	struct answer a;

	for (int k = 0; k < 200; k++) {
		snprintf(line, sizeof(line), "c:1|c\ng%d:%d|g", k, k);
		send_packet(ingest_port(i, INGEST_STATSD), line);
	}
	ingest_close(i);
	assert_int_equal(samples(h, found(h, SERIES_SUM, "stats.counters.c"), &a), 1);
	assert_true(a.runs.p[0].value == 200);
	answer_fini(&a);
	assert_int_equal(samples(h, found(h, SERIES_GAUGE, "stats.gauges.g199"), &a), 1);
	assert_true(a.runs.p[0].value == 199);
	answer_fini(&a);
}

static void bad_lines_are_told_once_a_minute(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.statsd = "127.0.0.1:0"});

	for (int k = 0; k < 3; k++) {
		send_packet(ingest_port(i, INGEST_STATSD), "what is this");
		loop_advance(h->loop, 10 * NS_PER_S);
		while (ingest_state(i).source[INGEST_STATSD].bad < (uint64_t)k + 1)
			wait_for_threads(h);
	}
	assert_int_equal(told_count, 1);
	assert_string_equal(told[0], "ingest: statsd: it is not NAME:VALUE|TYPE: what is this");
	assert_true(ingest_state(i).source[INGEST_STATSD].first_bad[0]);
	loop_advance(h->loop, 70 * NS_PER_S);
	assert_string_equal(ingest_state(i).source[INGEST_STATSD].first_bad, "");
	ingest_close(i);
}

static void a_packet_too_long_is_told_and_its_lines_count(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.statsd = "127.0.0.1:0"});
	struct buf packet = BUF(1 << 20);

	while (packet.n < 20000)
		buf_add_str(&packet, "c:1|c\n");
	send_packet(ingest_port(i, INGEST_STATSD), buf_str(&packet));
	loop_advance(h->loop, 10 * NS_PER_S);
	while (!ingest_state(i).source[INGEST_STATSD].bad)
		wait_for_threads(h);
	assert_int_equal(ingest_state(i).source[INGEST_STATSD].bad, 1);
	assert_int_equal(ingest_state(i).source[INGEST_STATSD].points, (16 << 10) / 6);
	buf_fini(&packet);
	ingest_close(i);
}

/* --- Graphite ----------------------------------------------------------------------------------
 */

static void lines_and_pickles_arrive(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(
		h, (struct ingest_options){.graphite = "127.0.0.1:0", .pickle = "127.0.0.1:0"});
	const int64_t now_s = series_house_now(h) / 1000;
	struct buf text = BUF(BUF_LINE);
	struct answer a;

	buf_printf(&text, "a.b 1 %lld\r\na.b 2 %lld\nnonsense\n", (long long)now_s,
		(long long)now_s + 1);
	for (size_t n = 0; n < 5000; n++)
		buf_add_char(&text, 'x');
	buf_printf(&text, "\na.c 3 -1\nhalf.of.a.li");
	send_stream(ingest_port(i, INGEST_GRAPHITE), text.p, text.n);
	buf_fini(&text);
	send_packet(ingest_port(i, INGEST_GRAPHITE), "a.d 4 N");
	const char message[] =
		"\0\0\0\x2d(lp0\n(S'a.e'\np1\n(I-1\nF5.5\ntp2\ntp3\na(g1\n(I-1\nF6\nttp4\na."
		"\0\0\0\x02"
		"}.";
	char framed[sizeof(message)];
	memcpy(framed, message, sizeof(message));
	framed[3] = (char)(sizeof(message) - 1 - 4 - 6);
	send_stream(ingest_port(i, INGEST_PICKLE), framed, sizeof(message) - 1);
	ingest_close(i);
	assert_int_equal(samples(h, found(h, SERIES_GAUGE, "a.b"), &a), 2);
	assert_true(a.runs.p[0].value == 1 && a.runs.p[1].value == 2);
	assert_true(a.runs.p[0].at_ms == now_s * 1000);
	answer_fini(&a);
	static const struct {
		const char *name;
		double value;
	} others[] = {{"a.c", 3}, {"a.d", 4}, {"a.e", 5.5}};
	for (size_t k = 0; k < array_len(others); k++) {
		assert_true(samples(h, found(h, SERIES_GAUGE, others[k].name), &a) >= 1);
		assert_true(a.runs.p[0].value == others[k].value);
		answer_fini(&a);
	}
	assert_true(told_count == 2 && strstr(told[0], "nonsense"));
	assert_non_null(strstr(told[1], "more than lists"));
}

static void a_full_house_closes_the_oldest(void **state)
{
	struct series_house *h = *state;
	struct ingest *i =
		open_with(h, (struct ingest_options){.graphite = "127.0.0.1:0", .connections = 2});
	const struct sockaddr_in to = address_of(ingest_port(i, INGEST_GRAPHITE));
	int fds[3];
	char c;

	for (int k = 0; k < 3; k++) {
		fds[k] = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(connect(fds[k], (const struct sockaddr *)&to, sizeof(to)), 0);
		usleep(20000); /* so that one is the oldest */
	}
	assert_true(read(fds[0], &c, 1) <= 0);
	assert_true(recv(fds[2], &c, 1, MSG_DONTWAIT) < 0);
	for (int k = 0; k < 3; k++)
		close(fds[k]);
	ingest_close(i);
}

/* --- points from elsewhere ---------------------------------------------------------------------
 */

static struct points *one_point(const char *name, int64_t at_ms)
{
	struct points *p = points_new();

	assert_int_equal(points_add(p, slice_of(name), NULL, NULL, 0, at_ms, 1), POINTS_ADDED);
	return p;
}

static void what_cannot_be_stored_is_refused_and_counted(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.names_max = 2});
	const int64_t now = series_house_now(h);

	assert_true(ingest_points(i, INGEST_INFLUX, one_point("a", now)));
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("b", POINTS_NOW)));
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("c", now)));
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("a", now - 400 * SERIES_DAY_MS)));
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("a", now + 2 * SERIES_HOUR_MS)));
	assert_true(ingest_points(i, INGEST_REMOTE_WRITE, one_point("d", now)));
	loop_advance(h->loop, NS_PER_MS);
	const struct ingest_state s = ingest_state(i);
	assert_true(s.names == 2 && s.waiting == 0);
	assert_true(s.source[INGEST_INFLUX].points == 2 && s.source[INGEST_INFLUX].refused == 3);
	assert_int_equal(s.source[INGEST_REMOTE_WRITE].refused, 1);
	assert_int_equal(told_count, 1);
	ingest_close(i);
}

static void what_is_refused_for_its_time_makes_no_series(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.names_max = 1});
	const int64_t now = series_house_now(h);
	const struct series_status before = series_status(h->store);

	assert_true(ingest_points(i, INGEST_INFLUX, one_point("old", now - 400 * SERIES_DAY_MS)));
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("ahead", now + 2 * SERIES_HOUR_MS)));
	loop_advance(h->loop, NS_PER_MS);
	assert_true(ingest_state(i).names == 0 && ingest_state(i).waiting == 0);
	assert_int_equal(ingest_state(i).source[INGEST_INFLUX].refused, 2);
	const struct series_status after = series_status(h->store);
	assert_int_equal(after.series, before.series);
	assert_int_equal(after.refused_old, before.refused_old + 1);
	assert_int_equal(after.refused_ahead, before.refused_ahead + 1);
	assert_true(ingest_points(i, INGEST_INFLUX, one_point("now", now)));
	loop_advance(h->loop, NS_PER_MS);
	assert_int_equal(ingest_state(i).source[INGEST_INFLUX].points, 1);
	assert_int_equal(told_count, 0);
	ingest_close(i);
}

static void the_queue_has_an_end(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){0});
	unsigned taken = 0;

	for (;;) {
		struct points *p = points_new();
		for (int k = 0; k < POINTS_MAX; k++)
			assert_int_equal(points_add(p, SLICE("a"), NULL, NULL, 0, POINTS_NOW, k),
				POINTS_ADDED);
		if (!ingest_points(i, INGEST_INFLUX, p))
			break;
		taken++;
	}
	assert_int_equal(taken, INGEST_WAITING_MAX / POINTS_MAX);
	ingest_close(i);
}

static void a_taken_address_says_so(void **state)
{
	struct series_house *h = *state;
	struct ingest *i = open_with(h, (struct ingest_options){.statsd = "127.0.0.1:0"});
	char address[64];
	struct ingest_options o = {.location = "", .statsd = address};
	struct error err = {0};

	snprintf(address, sizeof(address), "127.0.0.1:%u", ingest_port(i, INGEST_STATSD));
	assert_null(ingest_open(h->loop, h->store, &o, &err));
	assert_non_null(strstr(err.msg, "listen: statsd"));
	o.statsd = NULL;
	o.graphite = "nonsense";
	assert_null(ingest_open(h->loop, h->store, &o, &err));
	assert_non_null(strstr(err.msg, "listen: graphite"));
	ingest_close(i);
}

int test_ingest(void)
{
	const struct CMUnitTest tests[] = {
		series_test(an_interval_ends_by_the_wall_clock),
		series_test(what_came_before_the_end_is_not_lost),
		series_test(bad_lines_are_told_once_a_minute),
		series_test(a_packet_too_long_is_told_and_its_lines_count),
		series_test(lines_and_pickles_arrive),
		series_test(a_full_house_closes_the_oldest),
		series_test(what_cannot_be_stored_is_refused_and_counted),
		series_test(what_is_refused_for_its_time_makes_no_series),
		series_test(the_queue_has_an_end),
		series_test(a_taken_address_says_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_http_server_full.c - who goes when all places are taken, and who stays.
 */
#include "serving.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a full server -------------------------------------------------------------------------------
 */

#define PLACES 4

/* Lets the loop turn until there is something to read: bytes, 0 for an end. */
static ssize_t wait_for_bytes(struct room *r, int fd, char *p, size_t n)
{
	for (int tries = 0; tries < READ_S * 100; tries++) {
		struct timer t = {0};
		bool ticked = false;
		const ssize_t got = recv(fd, p, n, MSG_DONTWAIT);

		if (got >= 0 || errno != EAGAIN)
			return got > 0 ? got : 0;
		timer_start(r->loop, &t, 10 * NS_PER_MS, serving_tick, &ticked);
		loop_run_until(r->loop, &ticked);
	}
	return -1;
}

static int come_in(struct room *r, const char *bytes)
{
	const int fd = dial(http_server_port(r->server));

	assert_true(fd >= 0);
	say(fd, slice_of(bytes));
	return fd;
}

static void a_newcomer_gets_the_place_of_who_is_idle(void **state)
{
	struct room *r = *state;
	int fds[PLACES + 2];
	char p[4096];

	open_server(r, (struct http_server_options){.connections = PLACES});
	for (int i = 0; i < PLACES + 2; i++) {
		fds[i] = come_in(r, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
		assert_true(wait_for_bytes(r, fds[i], p, sizeof(p)) > 12);
	}
	/* the two oldest had to go; the others are still there */
	for (int i = 0; i < 2; i++)
		assert_int_equal(wait_for_bytes(r, fds[i], p, sizeof(p)), 0);
	for (int i = 2; i < PLACES + 2; i++) {
		say(fds[i], SLICE("GET /y HTTP/1.1\r\nHost: h\r\n\r\n"));
		assert_true(wait_for_bytes(r, fds[i], p, sizeof(p)) > 12);
	}
	assert_int_equal(http_server_connections(r->server), PLACES);
	for (int i = 0; i < PLACES + 2; i++)
		close(fds[i]);
}

static void a_newcomer_gets_the_place_of_who_is_slow(void **state)
{
	struct room *r = *state;
	int slow[3 * PLACES];
	char p[4096];

	open_server(r, (struct http_server_options){.connections = PLACES});
	for (int i = 0; i < 3 * PLACES; i++)
		slow[i] = come_in(r, "GET /x HTTP/1.1\r\nHost: h\r\nX-Slow");
	const int fd = come_in(r, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(wait_for_bytes(r, fd, p, sizeof(p)) > 12);
	assert_int_equal(wait_for_bytes(r, slow[0], p, sizeof(p)), 0);
	assert_true(http_server_connections(r->server) <= PLACES);
	close(fd);
	for (int i = 0; i < 3 * PLACES; i++)
		close(slow[i]);
}

static void a_newcomer_gets_the_place_of_who_does_not_read(void **state)
{
	struct room *r = *state;
	int deaf[PLACES], fds[PLACES];
	char p[4096];
	struct timer t = {0};
	bool ticked = false;

	open_server(r,
		(struct http_server_options){.connections = PLACES, .header_ns = 200 * NS_PER_MS});
	for (int i = 0; i < PLACES; i++)
		deaf[i] = come_in(r, i % 2 ? "GET /large-file HTTP/1.1\r\nHost: h\r\n\r\n"
					   : "POST /x HTTP/1.1\r\nHost: h\r\n"
					     "Content-Length: 9\r\n\r\nabc");
	turn_until(r, &r->handled, PLACES / 2);
	timer_start(r->loop, &t, 200 * NS_PER_MS, serving_tick, &ticked);
	loop_run_until(r->loop, &ticked);
	for (int i = 0; i < PLACES; i++) {
		fds[i] = come_in(r, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
		turn_until(r, &r->handled, PLACES / 2 + i + 1);
	}
	assert_true(http_server_connections(r->server) <= PLACES);
	/* who read nothing finds the end of what was sent before */
	ssize_t n, all = 0;
	while ((n = wait_for_bytes(r, deaf[1], p, sizeof(p))) > 0)
		all += n;
	assert_true(n == 0 && all < LARGE);
	for (int i = 0; i < PLACES; i++) {
		close(deaf[i]);
		close(fds[i]);
	}
}

static void who_waits_for_an_answer_keeps_the_place(void **state)
{
	struct room *r = *state;
	int waiting[PLACES];
	char p[4096];

	open_server(r, (struct http_server_options){.connections = PLACES});
	for (int i = 0; i < PLACES; i++)
		waiting[i] = come_in(r, "GET /keep HTTP/1.1\r\nHost: h\r\n\r\n");
	turn_until(r, &r->handled, PLACES);
	const int fd = come_in(r, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(wait_for_bytes(r, fd, p, sizeof(p)) > 12);
	timer_start(r->loop, &r->later, 0, serving_later, r);
	for (int i = 0; i < PLACES; i++) {
		assert_true(wait_for_bytes(r, waiting[i], p, sizeof(p)) > 12);
		close(waiting[i]);
	}
	close(fd);
	assert_int_equal(r->gone, 0);
}

static void a_second_request_must_be_quick_as_well(void **state)
{
	struct room *r = *state;
	char p[4096];

	open_server(r, (struct http_server_options){.header_ns = 300 * NS_PER_MS});
	const int fd = come_in(r, "GET /x HTTP/1.1\r\nHost: h\r\n\r\n");
	assert_true(wait_for_bytes(r, fd, p, sizeof(p)) > 12);
	say(fd, SLICE("GET /y HTTP/1.1\r\nHost: h\r\nX-Slo"));
	assert_int_equal(wait_for_bytes(r, fd, p, sizeof(p)), 0); /* cut off */
	close(fd);
}

int test_http_server_full(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, serving_up, serving_down)
	const struct CMUnitTest tests[] = {
		t(a_newcomer_gets_the_place_of_who_is_idle),
		t(a_newcomer_gets_the_place_of_who_is_slow),
		t(a_newcomer_gets_the_place_of_who_does_not_read),
		t(who_waits_for_an_answer_keeps_the_place),
		t(a_second_request_must_be_quick_as_well),
	};
#undef t

	return cmocka_run_group_tests_name("http_server_full", tests, NULL, NULL);
}

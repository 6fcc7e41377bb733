/*
 * test_http_server.c - what the server does with clients that behave, with answers made once, with
 * sockets of others.
 */
#include "serving.h"

#include <unistd.h>

/* --- what works --------------------------------------------------------------------------------
 */

static void a_request_arrives_whole(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("PUT /a%2Fb/c?x=1%202&y=%zz&z&x=+3 HTTP/1.1\r\n" CLOSE
				 "X-Own: mine\r\nContent-Length: 5\r\n\r\nhello"));
	assert_has(got, "HTTP/1.1 200 OK\r\n");
	assert_has(got, "X-Test: yes\r\n");
	assert_has(got,
		"\r\n\r\nPUT /a%2Fb/c?x=1%202&y=%zz&z&x=+3 x=1 2 z= x= 3 own=mine "
		"peer=127.0.0.1 body=hello");
	assert_int_equal(r->handled, 1);
	free(got);
}

static void a_chunked_body_is_put_together(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(
		r, SLICE("POST / HTTP/1.1\r\n" CLOSE
			 "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n"));
	assert_has(got, "body=abcdefg");
	free(got);
}

static void a_connection_is_kept_and_requests_may_wait_in_it(void **state)
{
	struct room *r = *state;
	char *got, *first, *second, *third;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("GET /one HTTP/1.1\r\nHost: h\r\n\r\n"
				 "POST /two HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nhi"
				 "GET /three HTTP/1.1\r\n" CLOSE "\r\n"));
	first = strstr(got, "GET /one");
	second = strstr(got, "POST /two");
	third = strstr(got, "GET /three");
	assert_true(first && second && third && first < second && second < third);
	assert_int_equal(r->handled, 3);
	free(got);
}

static void head_has_no_body(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("HEAD /x HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "HTTP/1.1 200 OK");
	assert_has(got, "Content-Length: ");
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n");
	free(got);
	got = answer_to(r, SLICE("GET /nothing HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "HTTP/1.1 204 ");
	free(got);
	got = answer_to(r, SLICE("GET /same HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "HTTP/1.1 304 ");
	free(got);
}

static void an_answer_may_come_later(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("GET /keep-a-while HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "HTTP/1.1 202 ");
	assert_has(got, "\r\n\r\nlater");
	assert_int_equal(r->gone, 0);
	free(got);
}

static void a_file_is_streamed(void **state)
{
	struct room *r = *state;
	char *got;
	const char *body;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("GET /file HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "Content-Length: 3000000\r\n");
	body = strstr(got, "\r\n\r\n") + 4;
	assert_int_equal(strlen(body), 3000000);
	for (size_t i = 0; i < 3000000; i++)
		assert_int_equal(body[i], 'a' + i % 26);
	assert_int_equal(r->ended, 1);
	free(got);
}

static void a_file_that_ends_early_closes_the_connection(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("GET /short-file HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_has(got, "Content-Length: 3000\r\n");
	assert_int_equal(strlen(strstr(got, "\r\n\r\n") + 4), 1000);
	assert_int_equal(r->ended, 1);
	free(got);
}

static void a_client_that_leaves_a_file_ends_it(void **state)
{
	struct room *r = *state;
	struct client c = {.say = SLICE("GET /file HTTP/1.1\r\nHost: h\r\n\r\n"), .leave = true};

	open_server(r, (struct http_server_options){0});
	run_clients(r, &c, 1);
	turn_until(r, &r->ended, 1);
	assert_int_equal(r->gone, 0); /* it was answered */
}

static void an_upload_is_not_collected(void **state)
{
	struct room *r = *state;
	size_t n = 5 << 20;
	struct buf b = BUF(BUF_ANSWER);
	char *got, *zeros = mem_new_array(n, 1);

	open_server(r, (struct http_server_options){.body_max = 1000});
	buf_printf(&b, "PUT /upload HTTP/1.1\r\n" CLOSE "Content-Length: %zu\r\n\r\n", n);
	buf_add(&b, zeros, n);
	got = answer_to(r, buf_slice(&b));
	assert_has(got, "HTTP/1.1 200 OK");
	assert_int_equal(r->streamed, n);
	assert_true(r->pieces > 1);
	free(got);
	free(zeros);
	buf_fini(&b);
}

/* --- answers made once -------------------------------------------------------------------------
 */

static void one_answer_is_given_many_times(void **state)
{
	struct room *r = *state;
	struct http_header h[] = {{"ETag", "\"a\""}};
	char body[] = "shared body";
	char *got;

	open_server(r, (struct http_server_options){0});
	r->shared = http_response_new(h, 1, slice_of(body));
	body[0] = 'X'; /* it has its own */
	got = answer_to(r, SLICE("GET /shared HTTP/1.1\r\nHost: h\r\n\r\n"
				 "HEAD /shared HTTP/1.1\r\nHost: h\r\n\r\n"
				 "GET /shared-same HTTP/1.1\r\nHost: h\r\n\r\n"
				 "GET /shared HTTP/1.1\r\n" CLOSE "\r\n"));
	const char *first = strstr(got, "shared body"), *last = strstr(first + 1, "shared body");
	assert_non_null(last);
	assert_null(strstr(last + 1, "shared body"));
	assert_has(got, "HTTP/1.1 304 ");
	assert_has(last - 200, "ETag: \"a\"");
	free(got);
	assert_int_equal(r->handled, 4);
	/* who is just being answered with it has it, too */
	struct client c = {.say = SLICE("GET /shared HTTP/1.1\r\n" CLOSE "\r\n"), .leave = true};
	run_clients(r, &c, 1);
	http_response_unref(r->shared);
	r->shared = NULL;
}

/* --- sockets of others ---------------------------------------------------------------------------
 */

static void a_given_socket_is_served_and_stays(void **state)
{
	struct room *r = *state;
	const int fd = http_listen("127.0.0.1:0", false, &r->err);
	char *got;

	assert_true(fd >= 0 && http_listener_port(fd) > 0);
	for (int life = 0; life < 2; life++) {
		struct http_server_options o = {.listener = fd, .handle = serving_handle, .arg = r};

		r->server = http_server_new(r->loop, &o, &r->err);
		assert_non_null(r->server);
		assert_int_equal(http_server_port(r->server), http_listener_port(fd));
		got = answer_to(r, SLICE("GET /given HTTP/1.1\r\n" CLOSE "\r\n"));
		assert_has(got, "GET /given");
		free(got);
		http_server_free(r->server);
		r->server = NULL;
	}
	close(fd);
	struct http_server_options closed = {.listener = fd, .handle = serving_handle, .arg = r};
	assert_null(http_server_new(r->loop, &closed, &r->err));
	assert_true(r->err.msg[0]);
}

static void loopback_is_known(void **state)
{
	assert_true(http_address_is_loopback("127.0.0.1:80"));
	assert_true(http_address_is_loopback("127.9.9.9:0"));
	assert_true(http_address_is_loopback("[::1]:80"));
	assert_false(http_address_is_loopback("0.0.0.0:80"));
	assert_false(http_address_is_loopback("[::]:80"));
	assert_false(http_address_is_loopback("192.0.2.1:80"));
	assert_false(http_address_is_loopback("localhost:80"));
	assert_false(http_address_is_loopback(""));
}

static void an_address_that_cannot_be_is_named(void **state)
{
	static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "nowhere:80", ":80",
		"192.0.2.1:80", "127.0.0.1:99999", "[::1:80"};
	struct room *r = *state;
	struct http_server_options o = {.handle = serving_handle, .arg = r};
	char *taken;

	for (size_t i = 0; i < array_len(bad); i++) {
		error_clear(&r->err);
		o.address = bad[i];
		assert_null(http_server_new(r->loop, &o, &r->err));
		assert_has(r->err.msg, bad[i]);
	}
	assert_int_equal(open_descriptors(), r->descriptors);
	open_server(r, (struct http_server_options){0});
	taken = mem_printf("127.0.0.1:%u", http_server_port(r->server));
	o.address = taken;
	assert_null(http_server_new(r->loop, &o, &r->err));
	assert_has(r->err.msg, taken);
	free(taken);
}

int test_http_server(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, serving_up, serving_down)
	const struct CMUnitTest tests[] = {
		t(a_request_arrives_whole),
		t(a_chunked_body_is_put_together),
		t(a_connection_is_kept_and_requests_may_wait_in_it),
		t(head_has_no_body),
		t(an_answer_may_come_later),
		t(a_file_is_streamed),
		t(a_file_that_ends_early_closes_the_connection),
		t(a_client_that_leaves_a_file_ends_it),
		t(an_upload_is_not_collected),
		t(one_answer_is_given_many_times),
		t(a_given_socket_is_served_and_stays),
		t(loopback_is_known),
		t(an_address_that_cannot_be_is_named),
	};
#undef t

	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}

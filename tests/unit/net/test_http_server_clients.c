/*
 * test_http_server_clients.c - clients that misbehave, and a server that does so on purpose.
 */
#include "serving.h"

/* --- misbehaving on purpose --------------------------------------------------------------------
 */

static void cut_and_drop(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){0});
	got = answer_to(r, SLICE("GET /cut HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_has(got, "Content-Length: 10\r\n");
	assert_string_equal(strstr(got, "\r\n\r\n"), "\r\n\r\n0123");
	free(got);
	got = answer_to(r, SLICE("GET /drop HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_string_equal(got, "");
	free(got);
}

/* --- clients that misbehave --------------------------------------------------------------------
 */

static void a_body_over_the_limit_is_refused(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){.body_max = 10});
	got = answer_to(
		r, SLICE("POST / HTTP/1.1\r\n" CLOSE "Content-Length: 10\r\n\r\n0123456789"));
	assert_has(got, "body=0123456789");
	free(got);
	got = answer_to(
		r, SLICE("POST / HTTP/1.1\r\n" CLOSE "Content-Length: 11\r\n\r\n01234567890"));
	assert_has(got, "HTTP/1.1 413 ");
	assert_has(got, "10 bytes");
	free(got);
	got = answer_to(
		r, SLICE("POST / HTTP/1.1\r\n" CLOSE
			 "Transfer-Encoding: chunked\r\n\r\nb\r\n01234567890\r\n0\r\n\r\n"));
	assert_has(got, "HTTP/1.1 413 ");
	free(got);
	assert_int_equal(r->handled, 1);
}

static void nonsense_is_refused_and_the_server_goes_on(void **state)
{
	static const char *const nonsense[] = {"\r\n\r\n\r\n\r\n", "GARBAGE\r\n\r\n", "GET\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n" CLOSE "\r\n",
		"GET / HTTP/1.1\r\n" CLOSE "Content-Length: x\r\n\r\n",
		"GET / HTTP/1.1\r\n" CLOSE "Content-Length: -1\r\n\r\n",
		"POST / HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\nzz\r\n",
		"POST / HTTP/1.1\r\n" CLOSE "Content-Length: 99999999999999999999999\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"};
	struct room *r = *state;
	struct buf b = BUF(BUF_PAGE);
	char *got;

	open_server(r, (struct http_server_options){
			       .header_ns = 300 * NS_PER_MS, .body_ns = 300 * NS_PER_MS});
	for (size_t i = 0; i < array_len(nonsense); i++) {
		got = answer_to(r, slice_of(nonsense[i]));
		assert_null(strstr(got, "let us wait"));
		assert_true(got[0] == '\0' || strncmp(got, "HTTP/1.", 7) == 0);
		free(got);
	}
	buf_add_str(&b, "GET / HTTP/1.1\r\n" CLOSE "X-Long: ");
	for (int i = 0; i < 100000; i++)
		buf_add_char(&b, 'x');
	buf_add_str(&b, "\r\n\r\n");
	got = answer_to(r, buf_slice(&b)); /* over the memory of a connection */
	assert_null(strstr(got, "200 OK"));
	free(got);
	buf_fini(&b);
	r->handled = 0;
	got = answer_to(r, SLICE("GET /still HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "GET /still");
	assert_int_equal(r->handled, 1);
	free(got);
}

static void who_is_slow_is_cut_off(void **state)
{
	struct room *r = *state;
	struct client slow[] = {{.say = SLICE("")}, {.say = SLICE("GET / HT")},
		{.say = SLICE("GET / HTTP/1.1\r\nHost: h\r\nX-A")},
		{.say = SLICE("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")},
		{.say = SLICE("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc")}};

	open_server(r, (struct http_server_options){
			       .header_ns = 600 * NS_PER_MS, .body_ns = 600 * NS_PER_MS});
	run_clients(r, slow, array_len(slow));
	for (size_t i = 0; i < array_len(slow); i++) {
		const char *got = buf_str(&slow[i].got);

		assert_true(got[0] == '\0' || strncmp(got, "HTTP/1.1 4", 10) == 0);
		buf_fini(&slow[i].got);
	}
	assert_int_equal(r->handled, 0);
	assert_int_equal(r->gone, 1); /* the upload had begun to stream */
}

static void who_never_gets_an_answer_is_let_go(void **state)
{
	struct room *r = *state;
	char *got;

	open_server(r, (struct http_server_options){
			       .header_ns = 400 * NS_PER_MS, .answer_ns = 200 * NS_PER_MS});
	got = answer_to(r, SLICE("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n"));
	assert_string_equal(got, "");
	turn_until(r, &r->gone, 1);
	assert_int_equal(r->kept.n, 0);
	free(got);
}

static void a_client_that_leaves_is_told_once(void **state)
{
	struct room *r = *state;
	struct client leaving[] = {
		{.say = SLICE("GET /keep/1 HTTP/1.1\r\nHost: h\r\n\r\n"), .leave = true},
		{.say = SLICE("GET /keep/2 HTTP/1.1\r\nHost: h\r\n\r\n"), .leave = true},
		{.say = SLICE("PUT /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"),
			.leave = true},
	};

	open_server(r, (struct http_server_options){.header_ns = 400 * NS_PER_MS});
	run_clients(r, leaving, array_len(leaving));
	turn_until(r, &r->gone, 3);
	assert_int_equal(r->kept.n, 0);
}

static void an_answer_to_nobody_hurts_nobody(void **state)
{
	struct room *r = *state;
	struct client leaving = {
		.say = SLICE("GET /keep-a-while HTTP/1.1\r\nHost: h\r\n\r\n"), .leave = true};
	char *got;

	open_server(r, (struct http_server_options){0});
	run_clients(r, &leaving, 1);
	turn_until(r, &r->handled, 1);
	got = answer_to(r, SLICE("GET /still HTTP/1.1\r\n" CLOSE "\r\n"));
	assert_has(got, "GET /still");
	assert_int_equal(r->gone, 0);
	free(got);
}

/* libmicrohttpd's own thread answers 128 or 256 clients hardly at all. */
static void exactly_128_and_256_clients_are_answered(void **state)
{
	static const unsigned counts[] = {127, 128, 256};
	struct room *r = *state;

	open_server(r, (struct http_server_options){0});
	for (size_t i = 0; i < array_len(counts); i++) {
		struct client c = {.say = SLICE("GET /x HTTP/1.1\r\nHost: h\r\n\r\n"),
			.connections = counts[i],
			.rounds = 20};

		run_clients(r, &c, 1);
		assert_int_equal(c.answers, counts[i] * 20);
	}
}

static void closing_with_clients_waiting(void **state)
{
	struct room *r = *state;
	struct client c[] = {{.say = SLICE("GET /keep HTTP/1.1\r\nHost: h\r\n\r\n"), .leave = true},
		{.say = SLICE("GET /keep HTTP/1.1\r\nHost: h\r\n\r\nGET /keep HT"), .leave = true},
		{.say = SLICE("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc"),
			.leave = true}};

	open_server(r, (struct http_server_options){0});
	run_clients(r, c, array_len(c));
	http_server_free(r->server);
	r->server = NULL;
}

int test_http_server_clients(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, serving_up, serving_down)
	const struct CMUnitTest tests[] = {
		t(cut_and_drop),
		t(a_body_over_the_limit_is_refused),
		t(nonsense_is_refused_and_the_server_goes_on),
		t(who_is_slow_is_cut_off),
		t(who_never_gets_an_answer_is_let_go),
		t(a_client_that_leaves_is_told_once),
		t(an_answer_to_nobody_hurts_nobody),
		t(exactly_128_and_256_clients_are_answered),
		t(closing_with_clients_waiting),
	};
#undef t

	return cmocka_run_group_tests_name("http_server_clients", tests, NULL, NULL);
}

/*
 * test_http2.c - our own HTTP/2 beside curl's: on a real server, and on peers whose frames are
 * written out. One connection is made, whatever the server agrees to.
 */
#include "net/http2.h"

#include <nghttp2/nghttp2.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asked.h"

extern char **environ;

/* --- frames -------------------------------------------------------------------------------------
 *
 * Three bytes of length, type, flags, stream. 0x88 is ":status 200" of HPACK's own table, 0x8d
 * "404"; "\x08\x03" begins a status that is not in it, "\x00" a header as it is written.
 */

#define SETTINGS     "\0\0\0\x04\0\0\0\0\0"
#define HEAD(n, f)   "\0\0" n "\x01" f "\0\0\0\x01"
#define DATA(n, f)   "\0\0" n "\0" f "\0\0\0\x01"
#define RESET(code)  "\0\0\x04\x03\0\0\0\0\x01\0\0\0" code
#define GOAWAY(last) "\0\0\x08\x07\0\0\0\0\0\0\0\0" last "\0\0\0\0"
#define SAID(text)   text, .n = sizeof(text) - 1

static void what_is_good_is_read_as_curl_does(void **state)
{
	static const struct said said[] = {
		{"a body", NULL,
			SAID(SETTINGS HEAD("\x01", "\x04") "\x88" DATA("\x04", "\x01") "fine"),
			.end = KEEPS},
		{"no body", NULL, SAID(SETTINGS HEAD("\x01", "\x05") "\x8d"), .end = KEEPS},
		{"HEAD", "HEAD",
			SAID(SETTINGS HEAD("\x05", "\x05") "\x88\x0f\x0d\x01"
							   "9"),
			.end = KEEPS},
		{"headers", NULL,
			SAID(SETTINGS HEAD("\x0c", "\x05") "\x88\0\x03"
							   "x-a\x05"
							   "b c d"),
			.end = KEEPS},
		{"an interim answer", NULL,
			SAID(SETTINGS HEAD("\x0b", "\x04") "\x08\x03"
							   "103\0\x01"
							   "a\x02"
							   "bc" HEAD("\x01", "\x04") "\x88" DATA(
								   "\x02", "\x01") "ok"),
			.end = KEEPS},
		{"a trailer", NULL,
			SAID(SETTINGS HEAD("\x01", "\x04") "\x88" DATA("\x02", "\0") "ok" HEAD(
				"\x06", "\x05") "\0\x01"
						"t\x02"
						"uv"),
			.end = KEEPS},
		{"nothing more of it", NULL,
			SAID(SETTINGS GOAWAY("\x01")
					HEAD("\x01", "\x04") "\x88" DATA("\x02", "\x01") "ok"),
			.end = KEEPS},
		/* One read may bring both. */
		{"an answer before what is none", NULL,
			SAID(SETTINGS HEAD("\x01", "\x05") "\x88"
							   "\0\0\x08\x06\0\0\0\0\x01"
							   "12345678"),
			.end = KEEPS},
		{"a ping before", NULL,
			SAID(SETTINGS "\0\0\x08\x06\0\0\0\0\0"
				      "12345678" HEAD("\x01", "\x05") "\x88"),
			.end = KEEPS},
	};

	for (size_t i = 0; i < array_len(said); i++) {
		ask_said(*state, &said[i], 20);
		assert_int_equal(((struct asked_room *)*state)->ours.fault, FAULT_NONE);
		assert_int_equal(((struct asked_room *)*state)->ours.version, 20);
	}
}

static void what_is_broken_has_a_fault(void **state)
{
#define STATUS SETTINGS HEAD("\x01", "\x04") "\x88"
	static const struct said said[] = {
		{"nothing", NULL, "", .end = CLOSES, .fault = FAULT_CONNECTION_LOST},
		{"a reset", NULL, "", .end = RESETS, .fault = FAULT_CONNECTION_LOST},
		{"silence", NULL, "", .end = HANGS, .fault = FAULT_TIMEOUT},
		{"only settings", NULL, SAID(SETTINGS), .end = HANGS, .fault = FAULT_TIMEOUT},
		{"half a body", NULL, SAID(STATUS DATA("\x02", "\0") "ok"), .end = HANGS,
			.fault = FAULT_TIMEOUT},
		{"a cut body", NULL, SAID(STATUS DATA("\x02", "\0") "ok"), .end = CLOSES,
			.fault = FAULT_CONNECTION_LOST},
		{"a reset stream", NULL, SAID(SETTINGS RESET("\x02")), .end = KEEPS,
			.fault = FAULT_CONNECTION_LOST},
		{"a body that is reset", NULL, SAID(STATUS RESET("\x02")), .end = KEEPS,
			.fault = FAULT_CONNECTION_LOST},
		{"not this request", NULL, SAID(SETTINGS GOAWAY("\0")), .end = KEEPS,
			.fault = FAULT_CONNECTION_LOST},
		{"no status", NULL,
			SAID(SETTINGS HEAD("\x06", "\x05") "\0\x01"
							   "a\x02"
							   "bc"),
			.end = KEEPS, .fault = FAULT_PROTOCOL},
		{"a body before the status", NULL, SAID(SETTINGS DATA("\x02", "\x01") "ok"),
			.end = KEEPS, .fault = FAULT_PROTOCOL},
		{"less than counted", NULL,
			SAID(SETTINGS HEAD("\x05", "\x04") "\x88\x0f\x0d\x01"
							   "9" DATA("\x02", "\x01") "ok"),
			.end = KEEPS, .fault = FAULT_PROTOCOL},
		{"a garbled frame", NULL, SAID(SETTINGS "\0\0\x01\x06\0\0\0\0\0x"), .end = KEEPS,
			.fault = FAULT_PROTOCOL},
		{"garbled headers", NULL, SAID(SETTINGS HEAD("\x01", "\x04") "\xff"), .end = KEEPS,
			.fault = FAULT_PROTOCOL},
		{"mail", NULL, "220 mail.example ESMTP\r\n", .end = KEEPS, .fault = FAULT_PROTOCOL},
		{"HTTP/1.1", NULL, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .end = KEEPS,
			.fault = FAULT_PROTOCOL},
	};
#undef STATUS
	struct asked_room *r = *state;

	for (size_t i = 0; i < array_len(said); i++) {
		struct peer *p = peer_start(serve_said, (void *)&said[i], NULL);
		char *url = mem_printf("http://127.0.0.1:%u/", p->port);
		ask_fresh(r, (struct http_request){.method = "GET",
				     .url = url,
				     .version = 20,
				     .deadline_ns = said[i].end == HANGS ? SHORT : LONG});
		if (r->ours.fault != said[i].fault)
			fail_msg("%s: %s (%s)", said[i].name, fault_name(r->ours.fault),
				r->ours.detail);
		assert_true(*r->ours.detail && r->ours.sent);
		free(url);
		peer_stop(p);
	}
}

/* --- at the handshake ---------------------------------------------------------------------------
 */

static int choose(SSL *ssl, const unsigned char **out, unsigned char *out_n,
	const unsigned char *in, unsigned n, void *arg)
{
	const bool *two = arg;

	*out = (const unsigned char *)(*two ? "h2" : "http/1.1");
	*out_n = *two ? 2 : 8;
	return SSL_TLSEXT_ERR_OK;
}

static void what_the_server_agrees_to_is_spoken_on_the_first_connection(void **state)
{
	static const struct said two = {"two", NULL,
					 SAID(SETTINGS HEAD("\x01", "\x04") "\x88" DATA(
						 "\x04", "\x01") "fine"),
					 .end = KEEPS},
				 one = {"one", NULL,
					 "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine",
					 .end = KEEPS};
	struct asked_room *r = *state;

	for (int i = 0; i < 4; i++) {
		bool agreed = i % 2;
		struct peer_certificate c = peer_certify(NULL, "IP:127.0.0.1", -1, 30);
		SSL_CTX *tls = peer_tls(&c);
		SSL_CTX_set_alpn_select_cb(tls, choose, &agreed);
		struct peer *p = peer_start(serve_said, (void *)(agreed ? &two : &one), tls);
		char *url = mem_printf("https://127.0.0.1:%u/", p->port);
		ask_fresh(r, (struct http_request){.method = "GET",
				     .url = url,
				     .version = i < 2 ? 0 : 20,
				     .deadline_ns = LONG,
				     .insecure = true});
		assert_int_equal(r->ours.fault, FAULT_NONE);
		assert_int_equal(r->ours.version, agreed ? 20 : 11);
		assert_int_equal(r->ours.status, 200);
		assert_string_equal(r->ours.body, "fine");
		assert_int_equal(p->connections, 1);
		free(url);
		peer_stop(p);
		SSL_CTX_free(tls);
		peer_certificate_fini(&c);
	}
}

/* --- a real server ------------------------------------------------------------------------------
 */

#define SERVER "/usr/sbin/nghttpd"

static pid_t real;

/* Also when the test failed. */
static int end_server(void **state)
{
	kill(real, SIGTERM);
	waitpid(real, NULL, 0);
	return asked_tear_down(state);
}

static void beside_curl_on_a_real_server(void **state)
{
	struct asked_room *r = *state;
	char dir[] = "/tmp/test_http2.XXXXXX", body[60000];
	const unsigned port = peer_free_port();
	char *number, *file, *url;

	assert_non_null(mkdtemp(dir));
	memset(body, 'b', sizeof(body));
	file = mem_printf("%s/much", dir);
	number = mem_printf("%u", port);
	FILE *much = fopen(file, "w");
	for (int i = 0; i < BODY_LIMIT / 10; i++)
		fprintf(much, "%09d\n", i);
	fclose(much);
	const char *argv[] = {
		SERVER, "--no-tls", "--echo-upload", "-a", "127.0.0.1", "-d", dir, number, NULL};
	if (posix_spawn(&real, SERVER, NULL, NULL, (char *const *)(uintptr_t)argv, environ) != 0)
		mem_panic("%s is not installed: run tools/packages check", SERVER);
	const struct http_request requests[] = {
		{.url = "/much"},
		{.url = "/not-there?q"},
		{.url = "/much", .method = "HEAD"},
		{.url = "/echo", .method = "POST", .body = "abc", .body_n = 3},
		{.url = "/echo", .method = "PUT", .body = body, .body_n = sizeof(body)},
	};
	for (int tries = 0; tries < 1000; tries++) {
		url = mem_printf("http://127.0.0.1:%u/", port);
		ask_fresh(r,
			(struct http_request){
				.method = "GET", .url = url, .version = 20, .deadline_ns = LONG});
		free(url);
		if (r->ours.fault != FAULT_REFUSED)
			break;
		usleep(10000);
	}
	for (size_t i = 0; i < array_len(requests); i++) {
		struct http_request q = requests[i];
		url = mem_printf("http://127.0.0.1:%u%s", port, q.url);
		q.url = url;
		q.version = 20;
		q.method = q.method ? q.method : "GET";
		q.deadline_ns = LONG;
		if (!q.body) /* curl 7.88 may hang when an answer comes while it sends */
			ask_both(r, q);
		else
			ask_fresh(r, q);
		if (!q.body)
			assert_like(requests[i].url, &r->ours, &r->curls);
		assert_int_equal(r->ours.fault, FAULT_NONE);
		if (q.body && strlen(r->ours.body) != q.body_n)
			fail_msg("%zu bytes came back", strlen(r->ours.body));
		free(url);
	}
	/* In one of twenty curl left the end of a frame lying. */
	url = mem_printf("http://127.0.0.1:%u/much", port);
	for (int i = 0; i < 60; i++) {
		ask_both(r, (struct http_request){.url = url, .version = 20});
		assert_like("/much", &r->ours, &r->curls);
	}
	free(url);
	unlink(file);
	rmdir(dir);
	free(file);
	free(number);
}

/* --- requests -----------------------------------------------------------------------------------
 */

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
	size_t name_n, const uint8_t *value, size_t value_n, uint8_t flags, void *arg)
{
	buf_printf(arg, "%.*s=%.*s\n", (int)name_n, (const char *)name, (int)value_n,
		(const char *)value);
	return 0;
}

static int on_data(
	nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *p, size_t n, void *arg)
{
	buf_printf(arg, "%.*s\n", (int)n, (const char *)p);
	return 0;
}

/* As a server reads it. */
static char *heard(const char *request, bool tls)
{
	struct http_incoming in;
	struct buf out = BUF(BUF_PAGE);
	nghttp2_session_callbacks *c;
	nghttp2_session *server;
	struct slice next;

	http_incoming_init(&in, BODY_LIMIT);
	assert_int_equal(nghttp2_session_callbacks_new(&c), 0);
	nghttp2_session_callbacks_set_on_header_callback(c, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c, on_data);
	assert_int_equal(nghttp2_session_server_new(&server, c, &out), 0);
	struct http2 *h = http2_new(slice_of(request), tls, &in);
	assert_true(http2_wants_send(h));
	while ((next = http2_next(h)).n)
		assert_int_equal(
			nghttp2_session_mem_recv(server, (const uint8_t *)next.p, next.n), next.n);
	assert_false(http2_wants_send(h));
	http2_free(h);
	nghttp2_session_del(server);
	nghttp2_session_callbacks_del(c);
	http_incoming_fini(&in);
	return buf_take(&out);
}

/* Our HTTP library's own limit is 64 KiB. */
static void long_heads_are_sent(void **state)
{
	struct buf request = BUF(BUF_PAGE), expected = BUF(BUF_PAGE);
	char *value = mem_new_array(1, 40001);

	memset(value, '~', 40000); /* which HPACK makes longer when it codes it */
	buf_add_str(&request, "GET / HTTP/1.1\r\nHost: h\r\n");
	buf_add_str(&expected, ":method=GET\n:scheme=http\n:authority=h\n:path=/\n");
	for (int i = 0; i < 3; i++) {
		buf_printf(&request, "x-%d: %s\r\n", i, value);
		buf_printf(&expected, "x-%d=%s\n", i, value);
	}
	buf_add_str(&request, "\r\n");
	char *came = heard(buf_str(&request), false);
	assert_string_equal(came, buf_str(&expected));
	free(came);
	free(value);
	buf_fini(&request);
	buf_fini(&expected);
}

static void what_only_http1_knows_is_left_out(void **state)
{
	char *a =
		heard("GET /a?b=c HTTP/1.1\r\nHost: www.example:8443\r\nX-A:  b\r\n"
		      "Connection: close\r\nkeep-alive: 5\r\nUpgrade: x\r\nTE: gzip\r\n\r\n",
			true);
	char *b =
		heard("POST / HTTP/1.1\r\nAccept: */*\r\nHost: h\r\nTE: trailers\r\n"
		      "Content-Length: 4\r\n\r\nbody",
			false);

	assert_string_equal(a,
		":method=GET\n:scheme=https\n:authority=www.example:8443\n"
		":path=/a?b=c\nx-a=b\n");
	assert_string_equal(b,
		":method=POST\n:scheme=http\n:authority=h\n:path=/\naccept=*/*\n"
		"te=trailers\ncontent-length=4\nbody\n");
	free(a);
	free(b);
}

/* --- limits -------------------------------------------------------------------------------------
 */

static void say_much(struct peer_connection *c)
{
	static char piece[1000];

	if (!peer_read(c) || !peer_write(c, SETTINGS HEAD("\x01", "\x04") "\x88", 19))
		return;
	while (peer_write(c, "\0\x03\xe8\0\0\0\0\0\x01", 9) && peer_write(c, piece, sizeof(piece)))
		;
}

static void say_headers(struct peer_connection *c)
{
	if (!peer_read(c) || !peer_write(c, SETTINGS HEAD("\x01", "\0") "\x88", 19))
		return;
	while (peer_write(c,
		"\0\0\x06\x09\0\0\0\0\x01\0\x01"
		"t\x02"
		"uv",
		15))
		;
}

static void say_later(struct peer_connection *c)
{
	if (!peer_read(c) || !peer_write(c, SETTINGS, 9))
		return;
	while (peer_write(c,
		HEAD("\x05", "\x04") "\x08\x03"
				     "103",
		14))
		;
}

static void ping(struct peer_connection *c)
{
	if (!peer_read(c) || !peer_write(c, SETTINGS, 9))
		return;
	while (peer_write(c,
		"\0\0\x08\x06\0\0\0\0\0"
		"12345678",
		17))
		;
}

static void what_has_no_end_is_ended(void **state)
{
	static const struct {
		peer_serve *serve;
		enum fault fault;
	} floods[] = {{say_much, FAULT_BODY_TOO_LARGE}, {say_headers, FAULT_PROTOCOL},
		{say_later, FAULT_PROTOCOL}, {ping, FAULT_PROTOCOL}};
	struct asked_room *r = *state;

	for (size_t i = 0; i < array_len(floods); i++) {
		struct peer *p = peer_start(floods[i].serve, NULL, NULL);
		char *url = mem_printf("http://127.0.0.1:%u/", p->port);
		ask_fresh(r, (struct http_request){.method = "GET",
				     .url = url,
				     .version = 20,
				     .deadline_ns = LONG,
				     .answer_max = BODY_LIMIT});
		assert_int_equal(r->ours.fault, floods[i].fault);
		free(url);
		peer_stop(p);
	}
}

static enum incoming exchange(struct http2 *h, const char *p, size_t n)
{
	while (http2_next(h).n)
		;
	const enum incoming state = http2_sent(h);
	return state == INCOMING_MORE ? http2_read(h, slice_from(p, n)) : state;
}

/* Reads the begin of an answer, and then `frame` again and again, each alone and what we say to it
 * sent before the next, until that is ended. Returns how many it were. */
static unsigned read_often(const char *frame, size_t n, struct http_incoming *in)
{
	static const char begin[] = SETTINGS HEAD("\x01", "\x04") "\x88";
	struct http2 *h = http2_new(SLICE("GET / HTTP/1.1\r\nHost: h\r\n\r\n"), false, in);
	unsigned frames = 0;

	assert_int_equal(exchange(h, begin, sizeof(begin) - 1), INCOMING_MORE);
	while (frames < 1000000 && exchange(h, frame, n) == INCOMING_MORE)
		frames++;
	http2_free(h);
	return frames;
}

#define FRAME(text)                                                                                \
	{                                                                                          \
		text, sizeof(text) - 1                                                             \
	}

static void frames_that_bring_nothing_are_not_read_for_ever(void **state)
{
	static const struct {
		const char *p;
		size_t n;
	} idle[] = {
		FRAME("\0\0\x08\x06\0\0\0\0\0"
		      "12345678"),                                          /* a ping */
		FRAME(SETTINGS), FRAME("\0\0\x04\x08\0\0\0\0\0\0\0\0\x01"), /* a larger window */
		FRAME("\0\0\x05\x02\0\0\0\0\x01\0\0\0\0\0"),                /* a priority */
		FRAME("\0\0\0\x20\0\0\0\0\0"),                              /* of no known type */
		FRAME(DATA("\0", "\0")),
		FRAME(DATA("\x03", "\x08") "\x02\0\0"), /* nothing but padding */
	};

	for (size_t i = 0; i < array_len(idle); i++) {
		struct http_incoming in;
		http_incoming_init(&in, BODY_LIMIT);
		const unsigned frames = read_often(idle[i].p, idle[i].n, &in);
		if (in.fault != FAULT_PROTOCOL || !strstr(in.detail, "brings nothing") ||
			frames > 60000)
			fail_msg("%zu: after %u frames %s (%s)", i, frames, fault_name(in.fault),
				in.detail);
		http_incoming_fini(&in);
	}
}

/* More frames than above, each of which brings something. */
static void a_body_in_small_pieces_is_read(void **state)
{
	static const char piece[] = DATA("\x01", "\0") "b";
	struct http_incoming in;

	http_incoming_init(&in, BODY_LIMIT);
	assert_int_equal(read_often(piece, sizeof(piece) - 1, &in), BODY_LIMIT);
	assert_int_equal(in.fault, FAULT_BODY_TOO_LARGE);
	http_incoming_fini(&in);
}

int test_http2(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, asked_set_up, asked_tear_down)
	const struct CMUnitTest tests[] = {
		t(what_is_good_is_read_as_curl_does),
		t(what_is_broken_has_a_fault),
		t(what_the_server_agrees_to_is_spoken_on_the_first_connection),
		cmocka_unit_test_setup_teardown(
			beside_curl_on_a_real_server, asked_set_up, end_server),
		t(what_has_no_end_is_ended),
		cmocka_unit_test(frames_that_bring_nothing_are_not_read_for_ever),
		cmocka_unit_test(a_body_in_small_pieces_is_read),
		cmocka_unit_test(what_only_http1_knows_is_left_out),
		cmocka_unit_test(long_heads_are_sent),
	};
#undef t

	return cmocka_run_group_tests_name("http2", tests, NULL, NULL);
}

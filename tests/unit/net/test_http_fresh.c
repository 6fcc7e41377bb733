/*
 * test_http_fresh.c - our own HTTP/1.1 beside curl's on the same servers, good ones and broken
 * ones: status, version, headers, body, phases, fault. Where they differ a row says how. And the
 * reader by itself, fed byte by byte.
 */
#include "net/http_fresh.h"

#include <unistd.h>

#include "asked.h"
#include "net/http1.h"

#define OK "HTTP/1.1 200 OK\r\n"

static void what_is_good_is_read_as_curl_does(void **state)
{
	static const struct said said[] = {
		{"counted", NULL, OK "Content-Length: 4\r\nX-A:  b c \r\n\r\nfine", .end = KEEPS},
		{"empty", NULL, OK "Content-Length: 0\r\n\r\n", .end = KEEPS},
		{"more than counted", NULL, OK "Content-Length: 2\r\n\r\nfine", .end = KEEPS},
		{"counted twice alike", NULL,
			OK "Content-Length: 4\r\ncontent-length: 4\r\n\r\nfine", .end = KEEPS},
		{"chunked", NULL,
			OK
			"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\n\r\n",
			.end = KEEPS},
		{"chunked, a trailer", NULL,
			OK "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n0\r\nT: 1\r\n\r\n",
			.end = KEEPS},
		{"chunked and counted", NULL,
			OK
			"Content-Length: 90\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
			.end = KEEPS},
		{"to the end, 1.0", NULL, "HTTP/1.0 200 OK\r\n\r\nall of it", .end = CLOSES},
		{"to the end, 1.1", NULL, OK "\r\nall of it", .end = CLOSES},
		{"to the end, empty", NULL, OK "\r\n", .end = CLOSES},
		{"no reason", NULL, "HTTP/1.1 200\r\nContent-Length: 1\r\n\r\nx", .end = KEEPS},
		{"204", NULL, "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", .end = KEEPS},
		{"304", NULL, "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
			.end = KEEPS},
		{"HEAD", "HEAD", OK "Content-Length: 5\r\n\r\n", .end = KEEPS},
		{"HEAD, chunked", "HEAD", OK "Transfer-Encoding: chunked\r\n\r\n", .end = KEEPS},
		{"an interim answer", NULL,
			"HTTP/1.1 103 Early Hints\r\nLink: <early>\r\n\r\n" OK
			"Content-Length: 2\r\n\r\nok",
			.end = KEEPS},
		{"continue", "POST",
			"HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nok",
			.end = KEEPS},
		{"bare line ends", NULL, "HTTP/1.1 200 OK\nContent-Length: 2\nA: b\n\nok",
			.end = KEEPS},
		{"the same header twice", NULL, OK "A: 1\r\nA: 2\r\nContent-Length: 0\r\n\r\n",
			.end = KEEPS},
		{"a folded header", NULL, OK "A: b\r\n  c\r\nContent-Length: 0\r\n\r\n",
			.end = KEEPS},
		{"a redirect", NULL,
			"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n",
			.end = KEEPS},
		{"401", NULL,
			"HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nContent-Length: 2\r\n\r\nno",
			.end = KEEPS},
		{"500", NULL, "HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\noh", .end = CLOSES},
		{"a NUL in the body", NULL, OK "Content-Length: 3\r\n\r\na\0b",
			.n = sizeof(OK "Content-Length: 3\r\n\r\na\0b") - 1, .end = KEEPS},
	};

	for (size_t i = 0; i < array_len(said); i++) {
		ask_said(*state, &said[i], 0);
		assert_int_equal(((struct asked_room *)*state)->ours.fault, FAULT_NONE);
	}
}

static void what_is_broken_has_the_fault_that_curl_finds(void **state)
{
	static const struct said said[] = {
		{"nothing", NULL, "", .n = 0, .end = CLOSES},
		{"a reset", NULL, "", .end = RESETS},
		{"no HTTP", NULL, "220 mail.example ESMTP\r\n", .end = CLOSES},
		{"HTML without a head", NULL, "<html></html>\r\n", .end = CLOSES},
		{"no header", NULL, OK "what is this\r\nContent-Length: 0\r\n\r\n", .end = KEEPS},
		{"a status of two digits", NULL, "HTTP/1.1 99 x\r\n\r\n", .end = CLOSES},
		{"a cut body", NULL, OK "Content-Length: 10\r\n\r\nabc", .end = CLOSES},
		{"a cut chunk", NULL, OK "Transfer-Encoding: chunked\r\n\r\n9\r\nabc",
			.end = CLOSES},
		{"no last chunk", NULL, OK "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
			.end = CLOSES},
		{"a negative length", NULL, OK "Content-Length: -4\r\n\r\nfine", .end = KEEPS},
		{"a NUL in a header", NULL, OK "A: b\0c\r\n\r\n",
			.n = sizeof(OK "A: b\0c\r\n\r\n") - 1, .end = CLOSES},
		{"silence", NULL, "", .end = HANGS},
		{"half a body, and silence", NULL, OK "Content-Length: 9\r\n\r\nabc", .end = HANGS},
		{"half a head, and silence", NULL, OK "A: b\r\n", .end = HANGS},
	};

	for (size_t i = 0; i < array_len(said); i++) {
		ask_said(*state, &said[i], 0);
		assert_int_not_equal(((struct asked_room *)*state)->ours.fault, FAULT_NONE);
	}
}

/* Each of them is an answer that RFC 9112 forbids and curl 7.88 takes, or the other way round. */
static void where_we_differ(void **state)
{
	static const struct said said[] = {
		{"two lengths", NULL, OK "Content-Length: 4\r\nContent-Length: 3\r\n\r\nfine",
			.end = KEEPS, .differs = true, .fault = FAULT_PROTOCOL, .status = 200},
		{"no length", NULL, OK "Content-Length: 4x\r\n\r\nfine", .end = KEEPS,
			.differs = true, .fault = FAULT_PROTOCOL, .status = 200},
		{"a coding nobody asked for", NULL,
			OK "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n",
			.end = KEEPS, .differs = true, .fault = FAULT_PROTOCOL, .status = 200},
		{"a chunk that goes on", NULL,
			OK "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", .end = CLOSES,
			.differs = true, .fault = FAULT_PROTOCOL, .status = 200},
		{"no size of a chunk", NULL, OK "Transfer-Encoding: chunked\r\n\r\nzz\r\nabc",
			.end = CLOSES, .differs = true, .fault = FAULT_PROTOCOL, .status = 200},
		{"half a head", NULL, OK "Content-Len", .end = CLOSES, .differs = true,
			.fault = FAULT_CONNECTION_LOST, .status = 200},
	};

	for (size_t i = 0; i < array_len(said); i++)
		ask_said(*state, &said[i], 0);
}

/* --- limits -------------------------------------------------------------------------------------
 */

static void say_much(struct peer_connection *c)
{
	static char piece[1000];

	memset(piece, 'm', sizeof(piece));
	if (!peer_read(c) || !peer_say(c, OK "\r\n"))
		return;
	while (peer_write(c, piece, sizeof(piece)))
		;
}

static void say_headers(struct peer_connection *c)
{
	if (!peer_read(c) || !peer_say(c, OK))
		return;
	for (int i = 0; peer_say(c, "X-%d: y\r\n", i);)
		i++;
}

static void say_one_line(struct peer_connection *c)
{
	if (!peer_read(c) || !peer_say(c, OK "X: "))
		return;
	while (peer_say(c, "%0999d", 0))
		;
}

static void say_interim(struct peer_connection *c)
{
	if (!peer_read(c))
		return;
	while (peer_say(c, "HTTP/1.1 102 Processing\r\n\r\n"))
		;
}

static void what_has_no_end_is_ended(void **state)
{
	static const struct {
		peer_serve *serve;
		enum fault fault;
		const char *detail;
	} floods[] = {
		{say_much, FAULT_BODY_TOO_LARGE, "larger than"},
		{say_headers, FAULT_PROTOCOL, "over the limit"},
		{say_one_line, FAULT_PROTOCOL, "over the limit"},
		{say_interim, FAULT_PROTOCOL, "over the limit"},
	};
	struct asked_room *r = *state;

	for (size_t i = 0; i < array_len(floods); i++) {
		struct peer *p = peer_start(floods[i].serve, NULL, NULL);
		char *url = mem_printf("http://127.0.0.1:%u/", p->port);
		ask_fresh(r, (struct http_request){.method = "GET",
				     .url = url,
				     .deadline_ns = LONG,
				     .answer_max = BODY_LIMIT});
		assert_int_equal(r->ours.fault, floods[i].fault);
		assert_non_null(strstr(r->ours.detail, floods[i].detail));
		free(url);
		peer_stop(p);
	}
}

/* --- requests -----------------------------------------------------------------------------------
 */

static void echo(struct peer_connection *c)
{
	if (peer_read(c))
		peer_say(c, OK "Content-Length: %zu\r\n\r\n%s", strlen(c->request), c->request);
}

/* Line by line, whatever their order; ours says that it will not go on. */
static void assert_same_lines(const char *ours, const char *curls)
{
	struct slice rest = slice_of(ours), line;
	size_t n = 0, m = 0;

	while (slice_next(&rest, '\n', &line)) {
		char *text = slice_dup(line);
		if (strcmp(text, "Connection: close\r") != 0) {
			n++;
			if (!strstr(curls, text))
				fail_msg("\"%s\" is not in\n%s", text, curls);
		}
		free(text);
	}
	for (rest = slice_of(curls); slice_next(&rest, '\n', &line);)
		m++;
	assert_int_equal(n, m);
}

static void requests_are_as_curl_sends_them(void **state)
{
	static const struct http_header headers[] = {{"X-A", "b"}, {"accept", "text/html"},
		{"X-Empty", ""}},
					own[] = {{"Host", "other.example"}, {"User-Agent", "me"},
						{"Authorization", "x"}};
	const struct http_request requests[] = {
		{.method = "GET", .url = "/?q=1&r=%20"},
		{.method = "GET", .url = "?q"},
		{.method = "GET", .url = "/a/../b"},
		{.method = "HEAD", .url = ""},
		{.method = "DELETE", .url = "/"},
		{.method = "POST", .url = "/x#fragment"},
		{.method = "PUT", .url = "/x", .body = "{}", .body_n = 2},
		{.method = "QUERY", .url = "/x", .body = "abc", .body_n = 3},
		{.method = "GET", .url = "/", .headers = headers, .header_count = 2},
		{.method = "GET",
			.url = "/",
			.headers = own,
			.header_count = 3,
			.user = "u",
			.password = "p"},
		{.method = "GET", .url = "/", .user = "user", .password = "pass:word"},
	};
	struct asked_room *r = *state;
	struct peer *p = peer_start(echo, NULL, NULL);

	for (size_t i = 0; i < array_len(requests); i++) {
		struct http_request q = requests[i];
		char *url = mem_printf("http://LocalHost:%u%s", p->port, q.url);
		q.url = url;
		q.family = AF_INET;
		ask_both(r, q);
		assert_int_equal(r->ours.fault, FAULT_NONE);
		if (strcmp(q.method, "HEAD") != 0)
			assert_same_lines(r->ours.body, r->curls.body);
		free(url);
	}
	peer_stop(p);
}

static void another_peer_is_connected_to(void **state)
{
	struct asked_room *r = *state;
	struct peer *p = peer_start(echo, NULL, NULL);
	char *peer = mem_printf("localhost:%u", p->port);

	ask_both(r, (struct http_request){.url = "http://www.example.invalid/",
			    .connect_to = peer,
			    .family = AF_INET});
	assert_int_equal(r->ours.fault, FAULT_NONE);
	assert_same_lines(r->ours.body, r->curls.body);
	assert_non_null(strstr(r->ours.body, "Host: www.example.invalid\r\n"));
	free(peer);
	peer_stop(p);
}

static void what_cannot_be_sent_is_told(void **state)
{
	static const struct http_header lines = {"X-A", "b\r\nX-B: c"};
	struct asked_room *r = *state;

	ask_fresh(r,
		(struct http_request){.method = "GET", .url = "http://a b/", .deadline_ns = LONG});
	assert_int_equal(r->ours.fault, FAULT_LOCAL);
	ask_fresh(
		r, (struct http_request){.method = "GET", .url = "ftp://a/", .deadline_ns = LONG});
	assert_int_equal(r->ours.fault, FAULT_LOCAL);
	ask_fresh(r, (struct http_request){.method = "GET",
			     .url = "http://a/",
			     .deadline_ns = LONG,
			     .headers = &lines,
			     .header_count = 1});
	assert_int_equal(r->ours.fault, FAULT_LOCAL);
	assert_false(
		http_fresh_can(&(struct http_request){.url = "http://a/", .proxy = "http://p:1"}));
	assert_false(http_fresh_can(&(struct http_request){.url = "http://[fe80::1%25lo]/"}));
}

/* --- reaching it --------------------------------------------------------------------------------
 */

static void what_cannot_be_reached(void **state)
{
	struct asked_room *r = *state;
	struct peer_deaf deaf;
	char url[80];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", peer_free_port());
	ask_both(r, (struct http_request){.url = url});
	assert_like("refused", &r->ours, &r->curls);
	assert_int_equal(r->ours.fault, FAULT_REFUSED);
	snprintf(url, sizeof(url), "http://[::1]:%u/", peer_free_port());
	ask_both(r, (struct http_request){.url = url});
	assert_int_equal(r->ours.fault, r->curls.fault);
	ask_both(r, (struct http_request){.url = "http://name.invalid/"});
	assert_int_equal(r->ours.fault, r->curls.fault);
	assert_int_equal(r->ours.status, 0);
	peer_deafen(&deaf);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", deaf.port);
	ask_both(r, (struct http_request){.url = url, .deadline_ns = SHORT});
	assert_int_equal(r->ours.fault, FAULT_TIMEOUT);
	assert_like("deaf", &r->ours, &r->curls);
	peer_deaf_fini(&deaf);
}

static const struct said fine = {"fine", NULL, OK "Content-Length: 4\r\n\r\nfine", .end = KEEPS};
static const struct said to_the_end = {"to the end", NULL, OK "\r\nall of it", .end = CLOSES};

static void over_tls(void **state)
{
	struct asked_room *r = *state;
	const struct peer_certificate authority = peer_certify(NULL, "DNS:authority", -1, 90);
	const struct {
		const char *name, *names;
		int from, to;
		bool trusted, insecure;
		enum fault fault;
	} t[] = {
		{"good", "DNS:localhost,IP:127.0.0.1", -1, 30, true, false, FAULT_NONE},
		{"another name", "DNS:other.example", -1, 30, true, false, FAULT_TLS_NAME},
		{"another name, trusting", "DNS:other.example", -1, 30, true, true, FAULT_NONE},
		{"expired", "IP:127.0.0.1", -9, -2, true, false, FAULT_TLS_EXPIRED},
		{"unknown", "IP:127.0.0.1", -1, 30, false, false, FAULT_TLS_AUTHORITY},
		{"unknown, trusting", "IP:127.0.0.1", -1, 30, false, true, FAULT_NONE},
	};
	char ca[80], url[80];

	snprintf(ca, sizeof(ca), "/tmp/test_http_fresh.%d.ca", (int)getpid());
	peer_save_certificate(&authority, ca);
	for (size_t i = 0; i < array_len(t) * 2; i++) {
		const size_t k = i / 2;
		struct peer_certificate c =
			peer_certify(&authority, t[k].names, t[k].from, t[k].to);
		SSL_CTX *tls = peer_tls(&c);
		struct peer *p = peer_start(serve_said, (void *)(i % 2 ? &to_the_end : &fine), tls);
		snprintf(url, sizeof(url), "https://127.0.0.1:%u/", p->port);
		ask_both(r, (struct http_request){.url = url,
				    .ca_file = t[k].trusted ? ca : NULL,
				    .insecure = t[k].insecure});
		assert_int_equal(r->ours.fault, t[k].fault);
		assert_int_equal(r->curls.fault, t[k].fault);
		if (t[k].fault == FAULT_NONE)
			assert_like(t[k].name, &r->ours, &r->curls);
		assert_true(r->ours.leaf_expiry_s > 0); /* curl has none of what it refuses */
		peer_stop(p);
		SSL_CTX_free(tls);
		peer_certificate_fini(&c);
	}
	struct peer *plain = peer_start(serve_said, (void *)&fine, NULL);
	snprintf(url, sizeof(url), "https://127.0.0.1:%u/", plain->port);
	ask_both(r, (struct http_request){.url = url, .deadline_ns = SHORT});
	assert_int_equal(r->ours.fault, r->curls.fault);
	assert_false(r->ours.sent);
	peer_stop(plain);
	struct peer_certificate own = authority;
	peer_certificate_fini(&own);
	unlink(ca);
}

static void closing_ends_it_without_a_word(void **state)
{
	static const struct said silence = {"silence", NULL, "", .end = HANGS};
	struct asked_room *r = *state;
	struct peer *p = peer_start(serve_said, (void *)&silence, NULL);
	char *url = mem_printf("http://127.0.0.1:%u/", p->port);
	const struct http_request q = {.method = "GET", .url = url, .deadline_ns = LONG};

	for (unsigned turns = 0; turns < 6; turns++) {
		struct http_fresh *f =
			http_fresh_send(r->loop, r->resolver, NULL, &q, asked_on_done, &r->ours);
		for (unsigned i = 0; i < turns; i++)
			uv_run(loop_uv(r->loop), UV_RUN_NOWAIT);
		http_fresh_close(f);
	}
	loop_run(r->loop);
	assert_false(r->ours.done);
	free(url);
	peer_stop(p);
}

/* --- the reader alone ---------------------------------------------------------------------------
 */

/* As it comes in pieces of n bytes. */
static enum incoming read_by(struct http1_reader *r, struct slice all, size_t n)
{
	enum incoming state = INCOMING_MORE;
	size_t taken = 0, came = 0, now;

	while (state == INCOMING_MORE && came < all.n) {
		came = came + n < all.n ? came + n : all.n;
		state = http1_read(r, slice_sub(all, taken, came - taken), &now);
		taken += now;
	}
	return state == INCOMING_MORE ? http1_end(r) : state;
}

static void pieces_make_no_difference(void **state)
{
	static const char *const answers[] = {OK
		"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;x=y\r\ndefgh\r\n0\r\nT: u\r\n\r\nmore",
		OK "Content-Length: 8\r\n\r\nabcdefgh", "HTTP/1.0 200 OK\n\nabcdefgh",
		"HTTP/1.1 100 Continue\r\n\r\n" OK "\r\nabcdefgh"};

	for (size_t i = 0; i < array_len(answers); i++)
		for (size_t n = 1; n < 40; n++) {
			struct http_incoming in;
			struct http1_reader r;
			http_incoming_init(&in, BODY_LIMIT);
			http1_reader_init(&r, &in, false);
			assert_int_equal(read_by(&r, slice_of(answers[i]), n), INCOMING_WHOLE);
			assert_int_equal(in.status, 200);
			assert_string_equal(buf_str(&in.body), "abcdefgh");
			http_incoming_fini(&in);
		}
}

int test_http_fresh(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, asked_set_up, asked_tear_down)
	const struct CMUnitTest tests[] = {
		t(what_is_good_is_read_as_curl_does),
		t(what_is_broken_has_the_fault_that_curl_finds),
		t(where_we_differ),
		t(what_has_no_end_is_ended),
		t(requests_are_as_curl_sends_them),
		t(another_peer_is_connected_to),
		t(what_cannot_be_sent_is_told),
		t(what_cannot_be_reached),
		t(over_tls),
		t(closing_ends_it_without_a_word),
		cmocka_unit_test(pieces_make_no_difference),
	};
#undef t

	return cmocka_run_group_tests_name("http_fresh", tests, NULL, NULL);
}

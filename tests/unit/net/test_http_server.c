/*
 * test_http_server.c - the server against clients that speak HTTP byte by byte, well and badly.
 *
 * Clients are threads with blocking sockets; the loop runs until all of them have come back.
 */
#include "net/http_server.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "base/mem.h"
#include "base/vec.h"

#define READ_S 20 /* no client waits longer */
#define LARGE  (64 << 20)

/* --- the handler -------------------------------------------------------------------------------
 */

struct room {
	struct loop *loop;
	struct http_server *server;
	struct error err;
	int handled, gone, ended, pieces;
	int64_t streamed;
	VEC(struct http_exchange *) kept;
	struct timer later;
	struct http_response *shared;
	int descriptors;
};

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static void add_argument(void *arg, const char *name, const char *value)
{
	buf_printf(arg, " %s=%s", name, value);
}

static void echo(struct http_exchange *x)
{
	struct buf b = BUF(BUF_PAGE);
	struct http_header h[] = {{"X-Test", "yes"}, {"Content-Type", "text/plain"}};
	const char *header = http_header(x, "x-own");

	buf_printf(&b, "%s %s?%s", http_method(x), http_path(x), http_query(x));
	http_arguments(x, add_argument, &b);
	buf_printf(&b, " own=%s peer=%s body=", header ? header : "-", http_peer(x));
	buf_add_slice(&b, http_body(x));
	http_reply(x, 200, h, array_len(h), buf_slice(&b));
	buf_fini(&b);
}

static size_t letters(void *arg, int64_t at, void *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((char *)p)[i] = (char)('a' + (at + (int64_t)i) % 26);
	return n;
}

static size_t letters_until_1000(void *arg, int64_t at, void *p, size_t n)
{
	if (at >= 1000)
		return 0;
	return letters(arg, at, p, at + (int64_t)n > 1000 ? (size_t)(1000 - at) : n);
}

static void on_end(void *arg)
{
	((struct room *)arg)->ended++;
}

static void on_later(struct timer *t)
{
	struct room *r = t->arg;

	while (r->kept.n)
		http_reply(vec_pop(&r->kept), 202, NULL, 0, SLICE("later"));
}

static void handle(void *arg, struct http_exchange *x)
{
	struct room *r = arg;
	const char *path = http_path(x);

	r->handled++;
	if (strncmp(path, "/keep", 5) == 0) {
		vec_push(&r->kept, x);
		if (strcmp(path, "/keep-a-while") == 0)
			timer_start(r->loop, &r->later, 50 * NS_PER_MS, on_later, r);
	} else if (strcmp(path, "/file") == 0) {
		http_reply_stream(x, 200, NULL, 0, 3000000, letters, r, on_end);
	} else if (strcmp(path, "/large-file") == 0) { /* no socket buffers so much */
		http_reply_stream(x, 200, NULL, 0, LARGE, letters, r, on_end);
	} else if (strcmp(path, "/short-file") == 0) {
		http_reply_stream(x, 200, NULL, 0, 3000, letters_until_1000, r, on_end);
	} else if (strcmp(path, "/cut") == 0) {
		http_reply_cut(x, 200, NULL, 0, SLICE("0123456789"), 4);
	} else if (strcmp(path, "/drop") == 0) {
		http_drop(x);
	} else if (strcmp(path, "/nothing") == 0) {
		http_reply(x, 204, NULL, 0, SLICE(""));
	} else if (strncmp(path, "/shared", 7) == 0) {
		http_reply_response(x, strcmp(path, "/shared-same") ? 200 : 304, r->shared);
	} else if (strcmp(path, "/same") == 0) {
		http_reply(x, 304, NULL, 0, SLICE(""));
	} else {
		echo(x);
	}
}

static bool want_stream(void *arg, struct http_exchange *x)
{
	return strcmp(http_path(x), "/upload") == 0;
}

static void on_piece(void *arg, struct http_exchange *x, const void *p, size_t n)
{
	struct room *r = arg;

	r->pieces++;
	r->streamed += (int64_t)n;
}

static void on_gone(void *arg, struct http_exchange *x)
{
	struct room *r = arg;

	r->gone++;
	for (size_t i = 0; i < r->kept.n; i++)
		if (r->kept.p[i] == x)
			vec_remove(&r->kept, i);
}

static void open_server(struct room *r, struct http_server_options o)
{
	o.address = "127.0.0.1:0";
	o.handle = handle;
	o.stream = want_stream;
	o.piece = on_piece;
	o.gone = on_gone;
	o.arg = r;
	r->server = http_server_new(r->loop, &o, &r->err);
	assert_non_null(r->server);
}

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(NULL, &r->err);
	r->descriptors = open_descriptors();
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	http_server_free(r->server);
	assert_int_equal(open_descriptors(), r->descriptors);
	vec_fini(&r->kept);
	http_response_unref(r->shared);
	loop_free(r->loop);
	free(r);
	return 0;
}

/* --- clients -----------------------------------------------------------------------------------
 */

struct client {
	pthread_t id;
	struct room *room;
	unsigned port;
	struct slice say;     /* sent at once */
	bool leave;           /* close without reading */
	unsigned connections; /* so many at the same time, each asking `rounds` times */
	unsigned rounds, answers;
	struct buf got; /* until the server closes */
	int *waiting;   /* clients that have not come back; the loop's */
	bool *all_back;
};

static int dial(unsigned port)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port)};
	struct timeval patience = {.tv_sec = READ_S};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void say(int fd, struct slice s)
{
	while (s.n) {
		ssize_t n = send(fd, s.p, s.n, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		s = slice_from(s.p + n, s.n - (size_t)n);
	}
}

static void read_all(struct client *c, int fd)
{
	char p[65536];
	ssize_t n;

	while ((n = recv(fd, p, sizeof(p), 0)) > 0)
		buf_add(&c->got, p, (size_t)n);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		buf_add_str(&c->got, "<the server let us wait>");
}

/* Whether one whole answer with a body of known length came. */
static bool read_answer(int fd)
{
	char p[4096] = "";
	size_t have = 0;

	for (;;) {
		ssize_t n = recv(fd, p + have, sizeof(p) - 1 - have, 0);
		const char *end, *length;

		if (n <= 0)
			return false;
		have += (size_t)n;
		p[have] = '\0';
		end = strstr(p, "\r\n\r\n");
		length = strcasestr(p, "Content-Length: ");
		if (end && length && have >= (size_t)(end - p) + 4 + strtoul(length + 16, NULL, 10))
			return strncmp(p, "HTTP/1.1 200", 12) == 0;
	}
}

static void ask_on_many(struct client *c)
{
	int fds[512];

	for (unsigned i = 0; i < c->connections; i++)
		fds[i] = dial(c->port);
	for (unsigned round = 0; round < c->rounds; round++) {
		for (unsigned i = 0; i < c->connections; i++)
			say(fds[i], c->say);
		for (unsigned i = 0; i < c->connections; i++)
			c->answers += read_answer(fds[i]);
	}
	for (unsigned i = 0; i < c->connections; i++)
		close(fds[i]);
}

static void come_back(void *arg)
{
	struct client *c = arg;

	if (--*c->waiting == 0)
		*c->all_back = true;
}

static void *client_main(void *arg)
{
	struct client *c = arg;
	int fd;

	if (c->connections) {
		ask_on_many(c);
	} else {
		fd = dial(c->port);
		say(fd, c->say);
		if (!c->leave)
			read_all(c, fd);
		close(fd);
	}
	loop_post(c->room->loop, come_back, c);
	return NULL;
}

static void run_clients(struct room *r, struct client *clients, size_t n)
{
	int waiting = (int)n;
	bool all_back = false;

	for (size_t i = 0; i < n; i++) {
		struct client *c = &clients[i];

		c->room = r;
		c->port = http_server_port(r->server);
		c->waiting = &waiting;
		c->all_back = &all_back;
		buf_init(&c->got, BUF_ANSWER);
		assert_int_equal(pthread_create(&c->id, NULL, client_main, c), 0);
	}
	loop_run_until(r->loop, &all_back);
	for (size_t i = 0; i < n; i++)
		pthread_join(clients[i].id, NULL);
}

/* What the server answers to these bytes until it closes. Owned. */
static char *answer_to(struct room *r, struct slice bytes)
{
	struct client c = {.say = bytes};

	run_clients(r, &c, 1);
	return buf_take(&c.got);
}

static void turn_until(struct room *r, const int *counter, int n);

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%.200s\" lacks \"%s\"", text, part);                           \
	} while (0)

#define CLOSE "Host: h\r\nConnection: close\r\n"

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

static void on_tick(struct timer *t)
{
	*(bool *)t->arg = true;
}

/* Lets the loop turn until the counter is there; it must not pass it in a moment more. */
static void turn_until(struct room *r, const int *counter, int n)
{
	for (int tries = 0; tries < READ_S * 50; tries++) {
		struct timer t = {0};
		bool ticked = false;
		bool there = *counter >= n;

		timer_start(r->loop, &t, (there ? 100 : 20) * NS_PER_MS, on_tick, &ticked);
		loop_run_until(r->loop, &ticked);
		if (there)
			break;
	}
	assert_int_equal(*counter, n);
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
		struct http_server_options o = {.listener = fd, .handle = handle, .arg = r};

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
	struct http_server_options closed = {.listener = fd, .handle = handle, .arg = r};
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
		timer_start(r->loop, &t, 10 * NS_PER_MS, on_tick, &ticked);
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
	timer_start(r->loop, &t, 200 * NS_PER_MS, on_tick, &ticked);
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
	timer_start(r->loop, &r->later, 0, on_later, r);
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

static void an_address_that_cannot_be_is_named(void **state)
{
	static const char *const bad[] = {"", "127.0.0.1", "127.0.0.1:", "nowhere:80", ":80",
		"192.0.2.1:80", "127.0.0.1:99999", "[::1:80"};
	struct room *r = *state;
	struct http_server_options o = {.handle = handle, .arg = r};
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
#define t(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
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
		t(cut_and_drop),
		t(a_body_over_the_limit_is_refused),
		t(nonsense_is_refused_and_the_server_goes_on),
		t(who_is_slow_is_cut_off),
		t(who_never_gets_an_answer_is_let_go),
		t(a_client_that_leaves_is_told_once),
		t(an_answer_to_nobody_hurts_nobody),
		t(exactly_128_and_256_clients_are_answered),
		t(closing_with_clients_waiting),
		t(one_answer_is_given_many_times),
		t(a_given_socket_is_served_and_stays),
		t(loopback_is_known),
		t(a_newcomer_gets_the_place_of_who_is_idle),
		t(a_newcomer_gets_the_place_of_who_is_slow),
		t(a_newcomer_gets_the_place_of_who_does_not_read),
		t(who_waits_for_an_answer_keeps_the_place),
		t(a_second_request_must_be_quick_as_well),
		t(an_address_that_cannot_be_is_named),
	};
#undef t

	return cmocka_run_group_tests_name("http_server", tests, NULL, NULL);
}

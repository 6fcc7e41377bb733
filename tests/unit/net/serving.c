/*
 * serving.c - see serving.h.
 */
#include "serving.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the handler -------------------------------------------------------------------------------
 */

int open_descriptors(void)
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

void serving_later(struct timer *t)
{
	struct room *r = t->arg;

	while (r->kept.n)
		http_reply(vec_pop(&r->kept), 202, NULL, 0, SLICE("later"));
}

void serving_handle(void *arg, struct http_exchange *x)
{
	struct room *r = arg;
	const char *path = http_path(x);

	r->handled++;
	if (strncmp(path, "/keep", 5) == 0) {
		vec_push(&r->kept, x);
		if (strcmp(path, "/keep-a-while") == 0)
			timer_start(r->loop, &r->later, 50 * NS_PER_MS, serving_later, r);
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

void open_server(struct room *r, struct http_server_options o)
{
	o.address = "127.0.0.1:0";
	o.handle = serving_handle;
	o.stream = want_stream;
	o.piece = on_piece;
	o.gone = on_gone;
	o.arg = r;
	r->server = http_server_new(r->loop, &o, &r->err);
	assert_non_null(r->server);
}

int serving_up(void **state)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(NULL, &r->err);
	r->descriptors = open_descriptors();
	*state = r;
	return 0;
}

int serving_down(void **state)
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

int dial(unsigned port)
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

void say(int fd, struct slice s)
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

bool read_answer(int fd)
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

void run_clients(struct room *r, struct client *clients, size_t n)
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

char *answer_to(struct room *r, struct slice bytes)
{
	struct client c = {.say = bytes};

	run_clients(r, &c, 1);
	return buf_take(&c.got);
}

void serving_tick(struct timer *t)
{
	*(bool *)t->arg = true;
}

void turn_until(struct room *r, const int *counter, int n)
{
	for (int tries = 0; tries < READ_S * 50; tries++) {
		struct timer t = {0};
		bool ticked = false;
		bool there = *counter >= n;

		timer_start(r->loop, &t, (there ? 100 : 20) * NS_PER_MS, serving_tick, &ticked);
		loop_run_until(r->loop, &ticked);
		if (there)
			break;
	}
	assert_int_equal(*counter, n);
}

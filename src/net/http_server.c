/*
 * http_server.c - libmicrohttpd with its epoll descriptor watched by our loop; see http_server.h.
 *
 * A request lives in struct http_exchange from its request line to its end. A handler that answers
 * later leaves the connection suspended; the reply resumes it, libmicrohttpd calls the access
 * handler again, and only there a response may be queued. Connections are kept in a list with the
 * moment their present phase began; one timer looks for those that are too old and shuts their
 * sockets down, which libmicrohttpd then sees as an end.
 */

#include "net/http_server.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/units.h"
#include "base/vec.h"
#include "net/url.h"

#define BODY_MAX       (1u << 20)
#define CONNECTIONS    1024
#define CONNECTION_MEM (32u << 10) /* tokens make headers long */
#define HEADER_NS      (10 * NS_PER_S)
#define BODY_NS        (30 * NS_PER_S)
#define ANSWER_NS      (60 * NS_PER_S)
#define IDLE_NS        (75 * NS_PER_S) /* a kept-alive connection between two requests */
#define STREAM_BLOCK   (64u << 10)

enum phase { PHASE_HEADERS, PHASE_BODY, PHASE_ANSWER };

struct connection {
	struct connection *next, *prev;
	struct http_server *server;
	int fd;
	enum phase phase;
	int64_t since_ns;
	unsigned requests;
	bool shut;
};

struct argument {
	char *name, *value;
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct connection *connection;
	char *path, *query;
	const char *method;
	char peer[64];
	struct buf body;
	bool begun, streams, too_large;
	bool handled; /* the handler has seen it */
	bool in_handler, suspended, answered, dropped;
	size_t kept_at; /* while suspended: its place in the server's list */
	int status;
	struct MHD_Response *response;
	VEC(struct argument) arguments;
	bool arguments_read;
	void *data;
};

struct http_server {
	struct loop *loop;
	struct http_server_options o;
	struct MHD_Daemon *mhd;
	uv_poll_t *poll;
	struct timer run, sweep;
	unsigned port;
	VEC(struct http_exchange *) kept; /* suspended until their reply */
	struct connection *connections;
	bool closing;
};

/* --- exchanges -----------------------------------------------------------------------------------
 */

static void enter(struct http_exchange *x, enum phase phase)
{
	if (!x->connection)
		return;
	x->connection->phase = phase;
	x->connection->since_ns = loop_now_ns(x->server->loop);
}

static void exchange_free(struct http_exchange *x)
{
	if (x->response)
		MHD_destroy_response(x->response);
	VEC_EACH (&x->arguments, struct argument, a) {
		free(a->name);
		free(a->value);
	}
	vec_fini(&x->arguments);
	buf_fini(&x->body);
	free(x->path);
	free(x->query);
	free(x);
}

/* The request line, before anything is unescaped. Its result is the first con_cls. */
static void *on_uri(void *arg, const char *uri, struct MHD_Connection *mhd)
{
	struct http_server *s = arg;
	struct http_exchange *x = mem_new(struct http_exchange);
	const char *question = strchr(uri, '?');
	x->server = s;
	x->mhd = mhd;
	x->path = question ? mem_strndup(uri, (size_t)(question - uri)) : mem_strdup(uri);
	x->query = mem_strdup(question ? question + 1 : "");
	x->body.max = s->o.body_max;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	x->connection = info ? info->socket_context : NULL;
	return x;
}

static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *s)
{
	return strlen(s);
}

static void read_peer(struct http_exchange *x)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(x->mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	if (!info || !info->client_addr)
		return;
	const struct sockaddr *a = info->client_addr;
	if (a->sa_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, x->peer,
			sizeof(x->peer));
	else if (a->sa_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, x->peer,
			sizeof(x->peer));
}

static enum MHD_Result queue(struct http_exchange *x)
{
	if (x->dropped || !x->response)
		return MHD_NO; /* closes the connection */
	return MHD_queue_response(x->mhd, (unsigned)x->status, x->response);
}

static void refuse_body(struct http_exchange *x)
{
	char text[100];
	snprintf(text, sizeof(text), "the body is over the limit of %zu bytes\n", x->body.max);
	http_reply(x, 413, NULL, 0, slice_of(text));
}

static enum MHD_Result begin(struct http_exchange *x, const char *method)
{
	const struct http_server_options *o = &x->server->o;
	const char *length = http_header(x, "Content-Length");
	int64_t n = 0;
	x->begun = true;
	x->method = method;
	read_peer(x);
	enter(x, PHASE_BODY);
	x->streams = o->stream && o->stream(o->arg, x);
	if (!x->streams && length && units_parse_int(slice_of(length), &n) &&
		n > (int64_t)x->body.max) {
		x->in_handler = x->handled = true;
		refuse_body(x);
		return queue(x);
	}
	return MHD_YES;
}

static void take_piece(struct http_exchange *x, const char *p, size_t n)
{
	const struct http_server_options *o = &x->server->o;
	if (x->answered)
		return;
	if (x->streams) {
		if (o->piece)
			o->piece(o->arg, x, p, n);
	} else if (!x->too_large && !buf_add(&x->body, p, n)) {
		x->too_large = true;
	}
}

static enum MHD_Result handle(struct http_exchange *x)
{
	const struct http_server_options *o = &x->server->o;
	x->handled = x->in_handler = true;
	enter(x, PHASE_ANSWER);
	if (x->answered) /* dropped while its body came */
		return queue(x);
	if (x->too_large)
		refuse_body(x);
	else if (x->server->closing)
		http_drop(x);
	else
		o->handle(o->arg, x);
	x->in_handler = false;
	if (x->answered)
		return queue(x);
	x->suspended = true;
	x->kept_at = x->server->kept.n;
	vec_push(&x->server->kept, x);
	MHD_suspend_connection(x->mhd);
	return MHD_YES;
}

static enum MHD_Result on_access(void *arg, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_n,
	void **con_cls)
{
	struct http_exchange *x = *con_cls;
	if (!x->begun)
		return begin(x, method);
	if (*upload_n) {
		take_piece(x, upload, *upload_n);
		*upload_n = 0;
		return MHD_YES;
	}
	return x->handled ? queue(x) : handle(x);
}

static void on_completed(
	void *arg, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode why)
{
	struct http_exchange *x = *con_cls;
	if (!x)
		return;
	*con_cls = NULL;
	if ((x->handled || x->streams) && !x->answered && x->server->o.gone)
		x->server->o.gone(x->server->o.arg, x);
	if (x->connection)
		x->connection->requests++;
	enter(x, PHASE_HEADERS);
	exchange_free(x);
}

/* --- replies -------------------------------------------------------------------------------------
 */

static void run_soon(struct http_server *s);

static bool is_kept(const struct http_server *s, const struct http_exchange *x)
{
	return x->kept_at < s->kept.n && s->kept.p[x->kept_at] == x;
}

static void resume(struct http_exchange *x)
{
	struct http_server *s = x->server;
	if (!x->suspended)
		return;
	x->suspended = false;
	struct http_exchange *last = vec_pop(&s->kept);
	if (last != x) {
		s->kept.p[x->kept_at] = last;
		last->kept_at = x->kept_at;
	}
	MHD_resume_connection(x->mhd);
	run_soon(s);
}

static void answer(struct http_exchange *x, int status, struct MHD_Response *response,
	const struct http_header *headers, size_t n)
{
	assert(!x->answered);
	for (size_t i = 0; i < n; i++)
		MHD_add_response_header(response, headers[i].name, headers[i].value);
	x->status = status;
	x->response = response;
	x->answered = true;
	resume(x);
}

void http_reply(struct http_exchange *x, int status, const struct http_header *headers, size_t n,
	struct slice body)
{
	answer(x, status,
		MHD_create_response_from_buffer(body.n, (void *)body.p, MHD_RESPMEM_MUST_COPY),
		headers, n);
}

struct streamed {
	size_t (*piece)(void *arg, int64_t at, void *p, size_t n);
	void (*end)(void *arg);
	void *arg;
};

static ssize_t on_stream(void *arg, uint64_t at, char *p, size_t n)
{
	const struct streamed *s = arg;
	const size_t got = s->piece(s->arg, (int64_t)at, p, n);
	return got ? (ssize_t)got : MHD_CONTENT_READER_END_WITH_ERROR;
}

static void end_stream(void *arg)
{
	struct streamed *s = arg;
	if (s->end)
		s->end(s->arg);
	free(s);
}

void http_reply_stream(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, int64_t size, size_t (*piece)(void *arg, int64_t at, void *p, size_t n),
	void *arg, void (*end)(void *arg))
{
	struct streamed *s = mem_new(struct streamed);
	*s = (struct streamed){piece, end, arg};
	answer(x, status,
		MHD_create_response_from_callback(
			(uint64_t)size, STREAM_BLOCK, on_stream, s, end_stream),
		headers, n);
}

struct cut {
	char *body;
	size_t n;
};

static ssize_t on_cut(void *arg, uint64_t at, char *p, size_t n)
{
	const struct cut *c = arg;
	if (at >= c->n)
		return MHD_CONTENT_READER_END_WITH_ERROR; /* closes mid-body */
	const size_t left = c->n - (size_t)at;
	if (n > left)
		n = left;
	memcpy(p, c->body + at, n);
	return (ssize_t)n;
}

static void end_cut(void *arg)
{
	struct cut *c = arg;
	free(c->body);
	free(c);
}

void http_reply_cut(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, struct slice body, size_t cut)
{
	struct cut *c = mem_new(struct cut);
	c->n = cut < body.n ? cut : body.n;
	c->body = mem_strndup(body.p, c->n);
	answer(x, status,
		MHD_create_response_from_callback(
			body.n ? body.n : 1, STREAM_BLOCK, on_cut, c, end_cut),
		headers, n);
}

void http_drop(struct http_exchange *x)
{
	assert(!x->answered);
	x->dropped = x->answered = true;
	resume(x);
}

/* --- the request, read ---------------------------------------------------------------------------
 */

const char *http_method(const struct http_exchange *x)
{
	return x->method;
}

const char *http_path(const struct http_exchange *x)
{
	return x->path;
}

const char *http_query(const struct http_exchange *x)
{
	return x->query;
}

const char *http_header(const struct http_exchange *x, const char *name)
{
	return MHD_lookup_connection_value(x->mhd, MHD_HEADER_KIND, name);
}

struct slice http_body(const struct http_exchange *x)
{
	return buf_slice(&x->body);
}

const char *http_peer(const struct http_exchange *x)
{
	return x->peer;
}

void *http_exchange_data(const struct http_exchange *x)
{
	return x->data;
}

void http_exchange_set_data(struct http_exchange *x, void *data)
{
	x->data = data;
}

static void read_arguments(struct http_exchange *x)
{
	struct slice rest = slice_of(x->query), part;
	if (x->arguments_read)
		return;
	x->arguments_read = true;
	while (rest.n && slice_next(&rest, '&', &part)) {
		const size_t eq = slice_find(part, '=');
		struct argument a = {0};
		if (!part.n)
			continue;
		if (!url_decode(slice_sub(part, 0, eq), true, &a.name))
			continue;
		if (!url_decode(slice_sub(part, eq + 1, part.n), true, &a.value)) {
			free(a.name);
			continue;
		}
		vec_push(&x->arguments, a);
	}
}

const char *http_argument(struct http_exchange *x, const char *name)
{
	read_arguments(x);
	VEC_EACH (&x->arguments, struct argument, a) {
		if (!strcmp(a->name, name))
			return a->value;
	}
	return NULL;
}

void http_arguments(struct http_exchange *x,
	void (*cb)(void *arg, const char *name, const char *value), void *arg)
{
	read_arguments(x);
	VEC_EACH (&x->arguments, struct argument, a) {
		cb(arg, a->name, a->value);
	}
}

/* --- connections and their age -------------------------------------------------------------------
 */

static void on_connection(void *arg, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct connection *c = *context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		c = mem_new(struct connection);
		c->server = s;
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
		c->fd = info ? info->connect_fd : -1;
		c->since_ns = loop_now_ns(s->loop);
		c->next = s->connections;
		if (c->next)
			c->next->prev = c;
		s->connections = c;
		*context = c;
		return;
	}
	if (!c)
		return;
	if (c->prev)
		c->prev->next = c->next;
	else
		s->connections = c->next;
	if (c->next)
		c->next->prev = c->prev;
	free(c);
	*context = NULL;
}

static int64_t allowed(const struct connection *c)
{
	const struct http_server_options *o = &c->server->o;
	switch (c->phase) {
	case PHASE_HEADERS: return c->requests ? IDLE_NS : o->header_ns;
	case PHASE_BODY: return o->body_ns;
	case PHASE_ANSWER: return o->answer_ns;
	}
	return 0;
}

/* libmicrohttpd looks at no suspended connection, so whether a client still waits for a kept
 * exchange is asked here. Without `gone` the handler would answer a freed exchange. */
static void let_go(struct http_server *s)
{
	VEC(struct pollfd) asked = {0};
	VEC(struct http_exchange *) lost = {0};
	VEC_EACH (&s->kept, struct http_exchange *, x) {
		struct pollfd p = {
			.fd = (*x)->connection ? (*x)->connection->fd : -1, .events = POLLRDHUP};
		vec_push(&asked, p);
	}
	if (asked.n && poll(asked.p, asked.n, 0) > 0)
		for (size_t i = 0; i < asked.n; i++)
			if (asked.p[i].revents)
				vec_push(&lost, s->kept.p[i]);
	VEC_EACH (&lost, struct http_exchange *, x) {
		if (!is_kept(s, *x))
			continue; /* answered by the handler of another */
		s->o.gone(s->o.arg, *x);
		http_drop(*x);
	}
	vec_fini(&asked);
	vec_fini(&lost);
}

/* libmicrohttpd is told of changes only (EPOLLET) and takes a short read for the last: an end that
 * came together with half a request is never seen. Shutting the socket down is a change. */
static void see_ends(struct http_server *s)
{
	VEC(struct pollfd) asked = {0};
	for (struct connection *c = s->connections; c; c = c->next)
		if (c->phase != PHASE_ANSWER && !c->shut && c->fd >= 0)
			vec_push(&asked, ((struct pollfd){.fd = c->fd, .events = POLLRDHUP}));
	if (asked.n && poll(asked.p, asked.n, 0) > 0)
		VEC_EACH (&asked, struct pollfd, p) {
			int unread = 0;
			if (p->revents && ioctl(p->fd, FIONREAD, &unread) == 0 && unread == 0)
				shutdown(p->fd, SHUT_RDWR);
		}
	vec_fini(&asked);
}

static void on_sweep(struct timer *t)
{
	struct http_server *s = t->arg;
	const int64_t now = loop_now_ns(s->loop);
	for (struct connection *c = s->connections; c; c = c->next) {
		if (c->shut || c->fd < 0 || now - c->since_ns < allowed(c))
			continue;
		c->shut = true;
		shutdown(c->fd, SHUT_RDWR);
	}
	see_ends(s);
	if (s->o.gone)
		let_go(s);
	int64_t every = s->o.header_ns / 4;
	timer_start(s->loop, &s->sweep, every > NS_PER_S ? NS_PER_S : every, on_sweep, s);
	run_soon(s);
}

/* --- driving it ----------------------------------------------------------------------------------
 */

static void on_run(struct timer *t);

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	MHD_run(s->mhd);
	if (MHD_get_timeout(s->mhd, &ms) == MHD_YES && (!timer_running(&s->run) || ms == 0))
		timer_start(s->loop, &s->run, (int64_t)ms * NS_PER_MS, on_run, s);
}

static void on_run(struct timer *t)
{
	run(t->arg);
}

static void run_soon(struct http_server *s)
{
	timer_start(s->loop, &s->run, 0, on_run, s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

/* --- opening -------------------------------------------------------------------------------------
 */

static bool split_address(
	const char *text, char *host, size_t host_n, char *port, size_t port_n, struct error *err)
{
	const char *colon = strrchr(text, ':');
	struct slice h = colon ? slice_from(text, (size_t)(colon - text)) : slice_of("");
	if (h.n > 1 && h.p[0] == '[' && h.p[h.n - 1] == ']')
		h = slice_sub(h, 1, h.n - 2);
	int64_t number; /* getaddrinfo() takes 65536 for 0 */
	if (!colon || !h.n || h.n >= host_n || strlen(colon + 1) >= port_n ||
		!units_parse_int(slice_of(colon + 1), &number) || number < 0 || number > 65535) {
		error_set(err, ERROR_INPUT,
			"\"%.100s\" is no address to listen on; write 127.0.0.1:8090", text);
		return false;
	}
	snprintf(host, host_n, "%.*s", SLICE_ARG(h));
	snprintf(port, port_n, "%s", colon + 1);
	return true;
}

static int listen_on(const struct http_server_options *o, unsigned *ret_port, struct error *err)
{
	char host[128], port[16];
	struct addrinfo hints = {.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM};
	struct addrinfo *a = NULL;
	if (!split_address(o->address, host, sizeof(host), port, sizeof(port), err))
		return -1;
	const int rc = getaddrinfo(host, port, &hints, &a);
	if (rc) {
		error_set(
			err, ERROR_INPUT, "cannot listen on %s: %s", o->address, gai_strerror(rc));
		return -1;
	}
	const int one = 1;
	const int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0;
	if (good && o->reuse_port)
		good = setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) == 0;
	good = good && bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 1024) == 0;
	union { /* both have the port at the same place */
		struct sockaddr any;
		struct sockaddr_in6 v6;
	} own = {0};
	socklen_t n = sizeof(own);
	good = good && getsockname(fd, &own.any, &n) == 0;
	freeaddrinfo(a);
	if (!good) {
		error_sys(err, errno, "cannot listen on %s", o->address);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	*ret_port = ntohs(own.v6.sin6_port);
	return fd;
}

static void set_defaults(struct http_server_options *o)
{
	o->body_max = o->body_max ? o->body_max : BODY_MAX;
	o->connections = o->connections ? o->connections : CONNECTIONS;
	o->header_ns = o->header_ns ? o->header_ns : HEADER_NS;
	o->body_ns = o->body_ns ? o->body_ns : BODY_NS;
	o->answer_ns = o->answer_ns ? o->answer_ns : ANSWER_NS;
}

struct http_server *http_server_new(
	struct loop *l, const struct http_server_options *options, struct error *err)
{
	struct http_server *s = mem_new(struct http_server);
	s->loop = l;
	s->o = *options;
	set_defaults(&s->o);
	const int fd = listen_on(&s->o, &s->port, err);
	if (fd < 0) {
		free(s);
		return NULL;
	}
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_access, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		s->o.connections, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEM,
		MHD_OPTION_URI_LOG_CALLBACK, on_uri, s, MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes,
		s, MHD_OPTION_NOTIFY_COMPLETED, on_completed, s, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, s, MHD_OPTION_END);
	if (!s->mhd) {
		error_set(
			err, ERROR_SYSTEM, "the HTTP server on %s cannot start", options->address);
		close(fd);
		free(s);
		return NULL;
	}
	s->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(l), s->poll,
		MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	s->poll->data = s;
	uv_poll_start(s->poll, UV_READABLE, on_poll);
	timer_start(l, &s->sweep, 0, on_sweep, s);
	return s;
}

static void on_poll_closed(uv_handle_t *h)
{
	free(h);
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	/* libmicrohttpd does not stop while connections are suspended; requests that arrive in this
	 * last turn are not kept. */
	s->closing = true;
	while (s->kept.n)
		http_drop(s->kept.p[0]);
	MHD_run(s->mhd);
	timer_cancel(&s->run);
	timer_cancel(&s->sweep);
	uv_poll_stop(s->poll);
	uv_close((uv_handle_t *)s->poll, on_poll_closed);
	MHD_stop_daemon(s->mhd);
	vec_fini(&s->kept);
	free(s);
}

unsigned http_server_port(const struct http_server *s)
{
	return s->port;
}

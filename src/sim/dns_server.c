/*
 * dns_server.c - the name server's sockets: UDP, and TCP with many questions a connection.
 *
 * A question is one `TYPE /NAME` to the rules of faults, as service `nameserver`: latency answers
 * later, lost never, cut ends the connection (TCP) or says that the answer does not fit (UDP), json
 * is no DNS at all, anything else is SERVFAIL.
 */

#include <netinet/in.h>
#include <string.h>
#include <uv.h>

#include "sim/dns.h"
#include "sim/state.h"

#define BIND_TRIES  20
#define CONNECTIONS 64
#define PENDING_MAX 1000 /* answers that a latency holds back */
#define IDLE_NS     (10 * NS_PER_S)
#define NOT_DNS     "\xff"

struct connection {
	struct connection *next, **link;
	struct name_server *server;
	uv_tcp_t tcp;
	struct timer idle;
	uint8_t in[2 + NAME_QUERY_MAX];
	size_t n;
	bool closing;
};

struct name_server {
	struct sim *sim;
	uv_udp_t udp;
	uv_tcp_t listener;
	unsigned port;
	struct connection *connections;
	size_t connection_count;
	struct late *late; /* answers held back */
	size_t late_count;
	uint8_t in[NAME_QUERY_MAX + 1];
	unsigned closing; /* handles that libuv still holds */
	bool freed;
};

/* An answer that is due later. */
struct late {
	struct late *next, **link;
	struct name_server *server;
	struct connection *connection; /* NULL: by UDP */
	struct sockaddr_in to;
	struct buf answer;
	struct timer timer;
};

struct writing {
	uv_write_t req;
	struct buf bytes;
};

/* --- ends --------------------------------------------------------------------------------------
 */

static void release(struct name_server *s)
{
	if (--s->closing == 0 && s->freed)
		free(s);
}

static void on_server_closed(uv_handle_t *h)
{
	release(h->data);
}

static void connection_free(uv_handle_t *h)
{
	struct connection *c = h->data;
	struct name_server *s = c->server;

	free(c);
	release(s);
}

static void late_free(struct late *l)
{
	timer_cancel(&l->timer);
	*l->link = l->next;
	if (l->next)
		l->next->link = l->link;
	l->server->late_count--;
	buf_fini(&l->answer);
	free(l);
}

static void connection_close(struct connection *c)
{
	struct name_server *s = c->server;

	if (c->closing)
		return;
	c->closing = true;
	for (struct late *l = s->late, *next; l; l = next) {
		next = l->next;
		if (l->connection == c)
			late_free(l);
	}
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	s->connection_count--;
	timer_cancel(&c->idle);
	s->closing++;
	uv_close((uv_handle_t *)&c->tcp, connection_free);
}

static void on_idle(struct timer *t)
{
	connection_close(t->arg);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void on_written(uv_write_t *req, int status)
{
	struct writing *w = req->data;

	buf_fini(&w->bytes);
	free(w);
}

static void deliver(struct name_server *s, struct connection *c, const struct sockaddr_in *to,
	const struct buf *answer)
{
	if (!answer->n)
		return;
	if (!c) {
		const uv_buf_t b = uv_buf_init(answer->p, (unsigned)answer->n);
		uv_udp_try_send(&s->udp, &b, 1, (const struct sockaddr *)to);
		return;
	}
	struct writing *w = mem_new(struct writing);
	w->req.data = w;
	w->bytes = BUF(BUF_PAGE);
	buf_add_char(&w->bytes, (char)(answer->n >> 8));
	buf_add_char(&w->bytes, (char)answer->n);
	buf_add(&w->bytes, answer->p, answer->n);
	const uv_buf_t b = uv_buf_init(w->bytes.p, (unsigned)w->bytes.n);
	if (uv_write(&w->req, (uv_stream_t *)&c->tcp, &b, 1, on_written) != 0)
		on_written(&w->req, -1);
}

static void on_late(struct timer *t)
{
	struct late *l = t->arg;

	deliver(l->server, l->connection, &l->to, &l->answer);
	late_free(l);
}

/* Takes what the buffer holds. */
static void deliver_later(struct name_server *s, struct connection *c, const struct sockaddr_in *to,
	struct buf *answer, int64_t delay_ns)
{
	if (s->late_count == PENDING_MAX)
		return; /* as lost as a packet can be */
	struct late *l = mem_new(struct late);
	l->server = s;
	l->connection = c;
	l->to = to ? *to : (struct sockaddr_in){0};
	l->answer = *answer;
	*answer = BUF(UINT16_MAX);
	l->next = s->late;
	l->link = &s->late;
	if (l->next)
		l->next->link = &l->next;
	s->late = l;
	s->late_count++;
	timer_start(s->sim->loop, &l->timer, delay_ns, on_late, l);
}

/* The rules that name this question, as a call without a client. */
static void strike(struct sim *s, const void *query, size_t n, struct call *ret)
{
	static const struct service nameserver = {.name = "nameserver"};
	char *type = NULL, *name = NULL;

	*ret = (struct call){.sim = s, .service = &nameserver};
	if (!name_question(query, n, &type, &name))
		return;
	char *path = mem_printf("/%s", name);
	ret->method = type;
	ret->path = path;
	mishaps_strike(s, ret);
	free(path);
	free(name);
	free(type);
	ret->method = ret->path = NULL;
}

/* What the rules leave of the answer. */
static void make_answer(struct name_server *s, const struct call *hits, bool udp, const void *query,
	size_t n, struct buf *answer)
{
	bool failure = false;

	VEC_EACH (&hits->hits, struct mishap *, m)
		failure = failure || (*m)->effect != MISHAP_LATENCY;
	if (call_hit(hits, MISHAP_JSON))
		buf_add(answer, NOT_DNS, sizeof(NOT_DNS));
	else if (!failure || call_hit(hits, MISHAP_CUT))
		name_answer(s->sim, query, n, udp, answer);
	else if (!call_hit(hits, MISHAP_LOST))
		name_failure(query, n, answer);
	if (call_hit(hits, MISHAP_CUT) && answer->n)
		answer->p[2] |= 0x02; /* TC, as of a server that has no room */
}

/* False: the connection ends. */
static bool question(struct name_server *s, struct connection *c, const struct sockaddr_in *from,
	const void *query, size_t n)
{
	struct buf answer = BUF(UINT16_MAX);
	struct call hits;
	int64_t late_ns = 0;

	strike(s->sim, query, n, &hits);
	const bool stays = !c || !call_hit(&hits, MISHAP_CUT);
	make_answer(s, &hits, !c, query, n, &answer);
	VEC_EACH (&hits.hits, struct mishap *, m) {
		if ((*m)->effect == MISHAP_LATENCY)
			late_ns += (*m)->time_ns;
		mishap_unref(*m);
	}
	vec_fini(&hits.hits);
	if (stays && late_ns > 0 && answer.n)
		deliver_later(s, c, from, &answer, late_ns);
	else if (stays)
		deliver(s, c, from, &answer);
	buf_fini(&answer);
	return stays;
}

/* --- UDP ---------------------------------------------------------------------------------------
 */

static void on_udp_room(uv_handle_t *h, size_t wanted, uv_buf_t *b)
{
	struct name_server *s = h->data;

	*b = uv_buf_init((char *)s->in, sizeof(s->in));
}

static void on_udp(
	uv_udp_t *h, ssize_t n, const uv_buf_t *b, const struct sockaddr *from, unsigned flags)
{
	if (n > 0 && from && !(flags & UV_UDP_PARTIAL))
		question(h->data, NULL, (const struct sockaddr_in *)from, b->base, (size_t)n);
}

/* --- TCP ---------------------------------------------------------------------------------------
 */

static void on_tcp_room(uv_handle_t *h, size_t wanted, uv_buf_t *b)
{
	struct connection *c = h->data;

	*b = uv_buf_init((char *)c->in + c->n, (unsigned)(sizeof(c->in) - c->n));
}

/* Whole questions at the front of what came; false: the connection ends. */
static bool take_questions(struct connection *c)
{
	while (c->n >= 2) {
		const size_t n = (size_t)(c->in[0] << 8 | c->in[1]);
		if (n > NAME_QUERY_MAX)
			return false;
		if (c->n < 2 + n)
			return true;
		if (!question(c->server, c, NULL, c->in + 2, n))
			return false;
		c->n -= 2 + n;
		memmove(c->in, c->in + 2 + n, c->n);
	}
	return true;
}

static void on_tcp(uv_stream_t *h, ssize_t n, const uv_buf_t *b)
{
	struct connection *c = h->data;

	if (n == 0)
		return;
	if (n > 0)
		c->n += (size_t)n;
	if (n < 0 || !take_questions(c))
		connection_close(c);
	else
		timer_start(c->server->sim->loop, &c->idle, IDLE_NS, on_idle, c);
}

static void on_connection(uv_stream_t *h, int status)
{
	struct name_server *s = h->data;

	if (status < 0)
		return;
	struct connection *c = mem_new(struct connection);
	c->server = s;
	uv_tcp_init(h->loop, &c->tcp);
	c->tcp.data = c;
	c->next = s->connections;
	c->link = &s->connections;
	if (c->next)
		c->next->link = &c->next;
	s->connections = c;
	s->connection_count++;
	if (uv_accept(h, (uv_stream_t *)&c->tcp) != 0 || s->connection_count > CONNECTIONS) {
		connection_close(c);
		return;
	}
	timer_start(s->sim->loop, &c->idle, IDLE_NS, on_idle, c);
	uv_read_start((uv_stream_t *)&c->tcp, on_tcp_room, on_tcp);
}

/* --- life --------------------------------------------------------------------------------------
 */

/* One number for both: the kernel gives one for UDP, TCP may have it taken already. */
static int open_both(struct name_server *s)
{
	struct sockaddr_in a;
	int size = sizeof(a), r;

	uv_ip4_addr("127.0.0.1", 0, &a);
	if ((r = uv_udp_bind(&s->udp, (const struct sockaddr *)&a, 0)) != 0 ||
		(r = uv_udp_getsockname(&s->udp, (struct sockaddr *)&a, &size)) != 0 ||
		(r = uv_tcp_bind(&s->listener, (const struct sockaddr *)&a, 0)) != 0 ||
		(r = uv_listen((uv_stream_t *)&s->listener, 64, on_connection)) != 0)
		return r;
	s->port = ntohs(a.sin_port);
	return uv_udp_recv_start(&s->udp, on_udp_room, on_udp);
}

static void close_server(struct name_server *s)
{
	s->closing += 2;
	uv_close((uv_handle_t *)&s->udp, on_server_closed);
	uv_close((uv_handle_t *)&s->listener, on_server_closed);
	s->freed = true;
}

static struct name_server *try_new(struct sim *sim, int *ret_error)
{
	struct name_server *s = mem_new(struct name_server);

	s->sim = sim;
	uv_udp_init(loop_uv(sim->loop), &s->udp);
	uv_tcp_init(loop_uv(sim->loop), &s->listener);
	s->udp.data = s->listener.data = s;
	uv_unref((uv_handle_t *)&s->udp);
	uv_unref((uv_handle_t *)&s->listener);
	*ret_error = open_both(s);
	if (*ret_error == 0)
		return s;
	close_server(s);
	return NULL;
}

struct name_server *name_server_new(struct sim *sim, struct error *err)
{
	int error = 0;

	for (int i = 0; i < BIND_TRIES; i++) {
		struct name_server *s = try_new(sim, &error);
		if (s)
			return s;
		if (error != UV_EADDRINUSE)
			break;
	}
	error_set(err, ERROR_SYSTEM, "the name server cannot listen on 127.0.0.1: %s",
		uv_strerror(error));
	return NULL;
}

void name_server_free(struct name_server *s)
{
	if (!s)
		return;
	while (s->connections)
		connection_close(s->connections);
	while (s->late)
		late_free(s->late);
	close_server(s);
}

unsigned name_server_port(const struct name_server *s)
{
	return s->port;
}

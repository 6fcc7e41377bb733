/*
 * guest_stream.c - connections from outside to what guests serve: straight to a guest, or through a
 * load balancer, which picks one for the connection (TCP) or for each request (HTTP).
 */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "sim/guest_balance.h"
#include "sim/guest_http.h"
#include "sim/guest_serve.h"

#define IDLE_NS (50 * NS_PER_S) /* as haproxy's timeout client */
#define PIECE   16384
#define ANSWER  (1u << 20) /* that waits to be read */
#define NO_SERVER                                                                                  \
	"<html><body><h1>503 Service Unavailable</h1>\n"                                           \
	"No server is available to handle this request.\n"                                         \
	"</body></html>\n"
#define COOKIE "SRV"

struct stream {
	struct guest_server *server;
	unsigned n, at;         /* 127.77.4.N, world_ports[at] */
	char balancer[ID_TEXT]; /* "": straight to the guest */
	bool each;              /* every request is balanced */
	char guest[ID_TEXT];    /* that serves all of it, unless `each` */
	unsigned boots, port;   /* there */
	unsigned source_port;
	int fd;
	uv_poll_t *poll;
	struct timer limit;
	struct buf in, out;
	size_t sent, skip; /* bytes of a body that nobody reads */
	bool ending;       /* once all is sent */
};

/* --- what it leads to
 * ----------------------------------------------------------------------------- */

static struct ip outside_address(void)
{
	struct ip a = {0};
	ip_parse(WORLD_OUTSIDE, &a);
	return a;
}

static bool is_served(
	const struct guest_server *server, const char *guest, unsigned boots, unsigned port)
{
	char *text = guest_service_text(server->services, guest, boots, port);
	const bool good = text != NULL;
	free(text);
	return good;
}

bool guest_stream_listens(const struct guest_server *server, unsigned n, unsigned i)
{
	const struct guest_world *w = server->world;
	const struct world_door *door = w ? &w->doors[n] : NULL;
	if (!door || !door->tcp[i])
		return false;
	if (door->guest)
		return is_served(server, door->guest->id, door->guest->boots, world_ports[i]);
	const struct balance_ask q = {.balancer = door->balancer, .source = outside_address()};
	return balance_accepts(w, server->services, &q, world_ports[i]);
}

bool guest_stream_holds(const struct stream *s)
{
	const struct guest_world *w = s->server->world;
	const struct world_door *door = w ? &w->doors[s->n] : NULL;
	if (!door || !door->tcp[s->at])
		return false;
	if (*s->balancer && (!door->balancer || strcmp(door->balancer->id, s->balancer)))
		return false;
	if (s->each)
		return true;
	const struct world_guest *g = world_guest(w, s->guest);
	return g && g->boots == s->boots && (*s->balancer || door->guest == g) &&
	       is_served(s->server, s->guest, s->boots, s->port);
}

/* Who serves the next request, or the whole connection. */
static struct balance_pick pick(const struct stream *s, struct slice member)
{
	const struct world_door *door = &s->server->world->doors[s->n];
	const struct balance_ask q = {.balancer = door->balancer,
		.source = outside_address(),
		.source_port = s->source_port,
		.member = member};
	const struct world_listener *l =
		world_listener(door->balancer, world_ports[s->at], q.source);
	if (!l || !l->has_pool)
		return (struct balance_pick){0};
	return balance_pick(s->server->world, s->server->services, &s->server->turns,
		&door->balancer->pools.p[l->pool], &q);
}

/* --- answers
 * ---------------------------------------------------------------------------------------- */

static bool keeps_cookies(const struct stream *s)
{
	const struct world_balancer *b = s->server->world->doors[s->n].balancer;
	const struct world_listener *l = world_listener(b, world_ports[s->at], outside_address());
	return l && l->has_pool && b->pools.p[l->pool].keeping == WORLD_KEEP_COOKIE;
}

static void answer(struct stream *s, const struct guest_http *q, const char *status,
	const char *text, const char *cookie)
{
	s->ending |= q->close;
	buf_printf(&s->out, "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
		*text == '<' ? "text/html" : "text/plain", strlen(text));
	if (cookie)
		buf_printf(&s->out, "Set-Cookie: " COOKIE "=%s; path=/\r\n", cookie);
	buf_printf(&s->out, "%s\r\n", s->ending ? "Connection: close\r\n" : "");
	if (!slice_is(q->method, "HEAD"))
		buf_add_str(&s->out, text);
}

static void answer_balanced(struct stream *s, const struct guest_http *q)
{
	const bool cookies = keeps_cookies(s);
	const struct slice known =
		cookies ? guest_http_cookie(q->cookie, COOKIE) : (struct slice){0};
	struct balance_pick p = pick(s, known);
	struct guest_http last = *q;
	last.close = true;
	if (p.member)
		answer(s, q, "200 OK", p.text,
			cookies && !slice_is(known, p.member->id) ? p.member->id : NULL);
	else
		answer(s, &last, "503 Service Unavailable", NO_SERVER, NULL);
	free(p.text);
}

/* False: what serves it is gone. */
static bool answer_one(struct stream *s, const struct guest_http *q)
{
	if (s->each) {
		answer_balanced(s, q);
		return true;
	}
	char *text = guest_service_text(s->server->services, s->guest, s->boots, s->port);
	if (text)
		answer(s, q, "200 OK", text, NULL);
	free(text);
	return text != NULL;
}

/* --- bytes
 * ------------------------------------------------------------------------------------------ */

static void drop_front(struct buf *b, size_t n)
{
	memmove(b->p, b->p + n, b->n - n);
	buf_cut(b, b->n - n);
}

/* Answers what is there whole. False: the connection is over. */
static bool answer_all(struct stream *s)
{
	while (!s->ending && s->out.n - s->sent < ANSWER / 2) {
		struct guest_http q;
		const size_t skipped = s->skip < s->in.n ? s->skip : s->in.n;
		drop_front(&s->in, skipped);
		s->skip -= skipped;
		if (!s->in.n)
			return true;
		const enum guest_http_state state = guest_http_read(buf_slice(&s->in), &q);
		if (state == GUEST_HTTP_PART)
			return true;
		if (state == GUEST_HTTP_BAD) {
			q.close = true;
			answer(s, &q, "400 Bad Request", "bad request\n", NULL);
			return true;
		}
		if (!answer_one(s, &q))
			return false;
		drop_front(&s->in, q.head_n);
		s->skip = q.body_n;
	}
	return true;
}

/* False: the other side is gone. */
static bool receive(struct stream *s)
{
	char piece[PIECE];
	const ssize_t n = recv(s->fd, piece, sizeof(piece), 0);
	if (n > 0)
		buf_add(&s->in, piece, (size_t)n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool send_all(struct stream *s)
{
	while (s->sent < s->out.n) {
		const ssize_t n = send(s->fd, s->out.p + s->sent, s->out.n - s->sent, MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		s->sent += (size_t)n;
	}
	buf_clear(&s->out);
	s->sent = 0;
	return true;
}

static void on_limit(struct timer *t)
{
	guest_stream_free(t->arg);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;
	if (!s)
		return;
	const bool room = s->in.n < GUEST_HTTP_HEAD_MAX + PIECE;
	if ((events & UV_READABLE && room && !receive(s)) || !answer_all(s) || !send_all(s) ||
		(s->ending && !s->out.n)) {
		guest_stream_free(s);
		return;
	}
	timer_start(s->server->loop, &s->limit, IDLE_NS, on_limit, s);
	uv_poll_start(poll, s->out.n ? UV_WRITABLE : UV_READABLE, on_ready);
}

/* --- beginning and end
 * ------------------------------------------------------------------------------ */

static void lead(struct stream *s, const struct world_guest *g, unsigned port)
{
	snprintf(s->guest, sizeof(s->guest), "%s", g->id);
	s->boots = g->boots;
	s->port = port;
}

/* Where it goes. False: nobody takes it after all. */
static bool find_way(struct stream *s)
{
	const struct world_door *door = &s->server->world->doors[s->n];
	if (door->guest) {
		lead(s, door->guest, world_ports[s->at]);
		return true;
	}
	if (!door->balancer)
		return false;
	snprintf(s->balancer, sizeof(s->balancer), "%s", door->balancer->id);
	const struct world_listener *l =
		world_listener(door->balancer, world_ports[s->at], outside_address());
	s->each = l && l->http;
	if (s->each)
		return true;
	struct balance_pick p = pick(s, (struct slice){0});
	if (p.member)
		lead(s, p.guest, p.member->port);
	free(p.text);
	return p.member != NULL;
}

void guest_stream_new(struct guest_server *server, int fd, unsigned n, unsigned i)
{
	const int one = 1;
	struct sockaddr_in peer = {0};
	socklen_t size = sizeof(peer);
	if (server->streams.n >= STREAMS_MAX) {
		close(fd);
		return;
	}
	getpeername(fd, (struct sockaddr *)&peer, &size);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	struct stream *s = mem_new(struct stream);
	s->server = server;
	s->n = n;
	s->at = i;
	s->fd = fd;
	s->source_port = ntohs(peer.sin_port);
	s->in.max = GUEST_HTTP_HEAD_MAX + 2 * PIECE;
	s->out.max = ANSWER;
	vec_push(&server->streams, s);
	if (!find_way(s)) {
		guest_stream_free(s);
		return;
	}
	s->poll = guest_watch(server->loop, fd, UV_READABLE, on_ready, s);
	timer_start(server->loop, &s->limit, IDLE_NS, on_limit, s);
}

void guest_stream_free(struct stream *s)
{
	for (size_t i = 0; i < s->server->streams.n; i++)
		if (s->server->streams.p[i] == s) {
			vec_remove(&s->server->streams, i);
			break;
		}
	timer_cancel(&s->limit);
	loop_unwatch(&s->poll);
	close(s->fd);
	buf_fini(&s->in);
	buf_fini(&s->out);
	free(s);
}

/*
 * http_ages.c - how long a connection may stay in each phase, and who goes when all places are
 * taken; see http_server.h.
 *
 * All connections of one phase have the same time, so the lists are ordered by who must go first,
 * and a sweep looks at their heads only, however many there are. A connection that is too old, or
 * has to make room, has its socket shut down, which libmicrohttpd then sees as an end.
 */

#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "net/http_serving.h"

#define IDLE_NS (75 * NS_PER_S) /* a kept-alive connection between two requests */
#define ASKED   1000            /* connections whose end is asked for in one sweep */

static void list_add(struct phase_list *l, struct connection *c)
{
	c->next = NULL;
	c->prev = l->last;
	if (l->last)
		l->last->next = c;
	else
		l->first = c;
	l->last = c;
}

static void list_remove(struct phase_list *l, struct connection *c)
{
	if (c->prev)
		c->prev->next = c->next;
	else
		l->first = c->next;
	if (c->next)
		c->next->prev = c->prev;
	else
		l->last = c->prev;
	c->next = c->prev = NULL;
}

void http_enter(struct connection *c, enum phase phase)
{
	if (!c || c->shut)
		return;
	struct http_server *s = c->server;
	list_remove(&s->phases[c->phase], c);
	c->phase = phase;
	c->since_ns = loop_now_ns(s->loop);
	list_add(&s->phases[phase], c);
}

static void shut(struct connection *c)
{
	struct http_server *s = c->server;
	list_remove(&s->phases[c->phase], c);
	c->shut = true;
	s->shut++;
	shutdown(c->fd, SHUT_RDWR);
}

/* The oldest that waits for a next request goes first; when there is none, who has been longest in
 * sending its headers, then its body; then who has been so long in taking an answer as headers may
 * be in coming. Whom the handler has stays, and so does the newcomer. */
static struct connection *oldest(const struct http_server *s, const struct connection *newcomer)
{
	static const enum phase order[] = {PHASE_IDLE, PHASE_HEADERS, PHASE_BODY, PHASE_SEND};
	for (size_t i = 0; i < array_len(order); i++) {
		struct connection *c = s->phases[order[i]].first;
		if (!c || c == newcomer)
			continue;
		if (order[i] != PHASE_SEND || loop_now_ns(s->loop) - c->since_ns >= s->o.header_ns)
			return c;
	}
	return NULL;
}

static void make_room(struct http_server *s, const struct connection *newcomer)
{
	while (s->all.n - s->shut > s->o.connections) {
		struct connection *c = oldest(s, newcomer);
		if (!c)
			return;
		shut(c);
	}
}

static void connection_new(struct http_server *s, struct MHD_Connection *mhd, void **context)
{
	struct connection *c = mem_new(struct connection);
	c->server = s;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	c->fd = info ? info->connect_fd : -1;
	c->phase = PHASE_HEADERS;
	c->since_ns = loop_now_ns(s->loop);
	list_add(&s->phases[PHASE_HEADERS], c);
	c->place = s->all.n;
	vec_push(&s->all, c);
	*context = c;
	make_room(s, c);
}

void http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what)
{
	struct http_server *s = arg;
	struct connection *c = *context;
	if (what == MHD_CONNECTION_NOTIFY_STARTED) {
		connection_new(s, mhd, context);
		return;
	}
	if (!c)
		return;
	if (c->shut)
		s->shut--;
	else
		list_remove(&s->phases[c->phase], c);
	struct connection *last = vec_pop(&s->all);
	if (last != c) {
		s->all.p[c->place] = last;
		last->place = c->place;
	}
	free(c);
	*context = NULL;
}

/* --- the sweep -----------------------------------------------------------------------------------
 */

/* libmicrohttpd looks at no suspended connection, so whether a client still waits for a kept
 * exchange is asked here. Without `gone` the handler would answer a freed exchange. */
static void let_go(struct http_server *s)
{
	VEC(struct pollfd) asked = {0};
	VEC(struct http_exchange *) looked = {0};
	const size_t n = s->kept.n < ASKED ? s->kept.n : ASKED;
	for (size_t i = 0; i < n; i++) {
		struct http_exchange *x = s->kept.p[s->asked_kept++ % s->kept.n];
		const int fd = x->connection ? x->connection->fd : -1;
		vec_push(&asked, ((struct pollfd){.fd = fd, .events = POLLRDHUP}));
		vec_push(&looked, x);
	}
	if (n && poll(asked.p, n, 0) > 0)
		for (size_t i = 0; i < n; i++) {
			struct http_exchange *x = looked.p[i];
			/* or answered by the handler of another */
			if (!asked.p[i].revents || !http_is_kept(s, x))
				continue;
			s->o.gone(s->o.arg, x);
			http_drop(x);
		}
	vec_fini(&asked);
	vec_fini(&looked);
}

/* libmicrohttpd is told of changes only (EPOLLET) and takes a short read for the last: an end that
 * came together with half a request is never seen. Shutting the socket down is a change. */
static void see_ends(struct http_server *s)
{
	VEC(struct pollfd) asked = {0};
	const size_t n = s->all.n < ASKED ? s->all.n : ASKED;
	for (size_t i = 0; i < n; i++) {
		const struct connection *c = s->all.p[s->asked_all++ % s->all.n];
		if (c->phase < PHASE_ANSWER && !c->shut && c->fd >= 0)
			vec_push(&asked, ((struct pollfd){.fd = c->fd, .events = POLLRDHUP}));
	}
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
	const int64_t allowed[PHASE_COUNT] = {
		[PHASE_IDLE] = IDLE_NS,
		[PHASE_HEADERS] = s->o.header_ns,
		[PHASE_BODY] = s->o.body_ns,
		[PHASE_ANSWER] = s->o.answer_ns,
		[PHASE_SEND] = s->o.answer_ns,
	};
	for (enum phase p = 0; p < PHASE_COUNT; p++)
		while (s->phases[p].first && now - s->phases[p].first->since_ns >= allowed[p])
			shut(s->phases[p].first);
	see_ends(s);
	if (s->o.gone)
		let_go(s);
	http_run_soon(s);
	http_sweep_start(s);
}

void http_sweep_start(struct http_server *s)
{
	const int64_t every = s->o.header_ns / 4;
	timer_start(s->loop, &s->sweep, every > NS_PER_S ? NS_PER_S : every, on_sweep, s);
}

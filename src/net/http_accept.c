/*
 * http_accept.c - takes new connections for libmicrohttpd, which by itself takes ten of them
 * between two looks at all others: when a thousand come to a busy server the last would wait a
 * hundred such rounds, its request already sent.
 *
 * A burst is taken at once, in less than a millisecond. While there is no place or no descriptor
 * for one more, those that come wait in the kernel's queue.
 */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http_serving.h"

#define BURST    128
#define PAUSE_NS (10 * NS_PER_MS)

static void on_listener(uv_poll_t *poll, int status, int events);

static void on_pause_over(struct timer *t)
{
	struct http_server *s = t->arg;
	uv_poll_start(s->listening, UV_READABLE, on_listener);
}

static void rest(struct http_server *s)
{
	uv_poll_stop(s->listening);
	timer_start(s->loop, &s->pause, PAUSE_NS, on_pause_over, s);
}

/* False: there is none, or none can be taken now. */
static bool take_one(struct http_server *s)
{
	struct sockaddr_storage address;
	socklen_t n = sizeof(address);
	const int fd =
		accept4(s->listener, (struct sockaddr *)&address, &n, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		/* which closes it when it fails */
		(void)MHD_add_connection(s->mhd, fd, (struct sockaddr *)&address, n);
		return true;
	}
	switch (errno) {
	case EAGAIN: return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM: rest(s); return false;
	default: return true; /* that one has gone meanwhile (accept(2)) */
	}
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
	struct http_server *s = poll->data;
	for (int i = 0; i < BURST; i++) {
		if (s->all.n >= (size_t)s->o.connections + HTTP_SPARE_PLACES) {
			rest(s);
			return;
		}
		if (!take_one(s))
			return;
	}
}

void http_accept_start(struct http_server *s)
{
	s->listening = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(s->loop), s->listening, s->listener);
	s->listening->data = s;
	uv_poll_start(s->listening, UV_READABLE, on_listener);
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

void http_accept_stop(struct http_server *s)
{
	timer_cancel(&s->pause);
	uv_poll_stop(s->listening);
	uv_close((uv_handle_t *)s->listening, on_closed);
	close(s->listener);
}

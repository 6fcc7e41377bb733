/*
 * udp.c - see udp.h.
 */

#include "net/udp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

#define DATAGRAM_MAX 65536
#define READS_A_TURN 16

struct udp_call {
	struct loop *loop;
	struct resolve_call *resolve;
	struct udp_question q; /* `send` is owned */
	int fd;
	uv_poll_t *poll;
	struct timer deadline, silence, later;
	int64_t began_ns, sent_ns; /* real time, as sockets have it */
	struct udp_result result;
	udp_done *done;
	void *arg;
};

static void close_socket(struct udp_call *c)
{
	loop_unwatch(&c->poll);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void on_later(struct timer *t)
{
	struct udp_call *c = t->arg;

	loop_release(c->loop);
	c->done(c->arg, &c->result);
	free((char *)c->q.send.p);
	free(c);
}

static void end(struct udp_call *c, enum fault fault, const char *detail)
{
	close_socket(c);
	timer_cancel(&c->deadline);
	timer_cancel(&c->silence);
	c->result.fault = fault;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", detail);
	c->result.phases.total_ns = (int64_t)uv_hrtime() - c->began_ns;
	if (c->sent_ns)
		c->result.phases.wait_ns = (int64_t)uv_hrtime() - c->sent_ns;
	timer_start(c->loop, &c->later, 0, on_later, c);
}

static void end_errno(struct udp_call *c, int error)
{
	switch (error) {
	case ECONNREFUSED:
		end(c, FAULT_REFUSED, "nothing listens on the port (ICMP port unreachable)");
		break;
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EACCES: /* ICMP: administratively prohibited */
	case ENOPROTOOPT: end(c, FAULT_UNREACHABLE, strerror(error)); break;
	case EMFILE:
	case ENFILE: end(c, FAULT_NO_DESCRIPTORS, strerror(error)); break;
	default: end(c, FAULT_LOCAL, strerror(error));
	}
}

/* --- what came ---------------------------------------------------------------------------------
 */

/* False: no more for now, or the exchange has its end. */
static bool take_one(struct udp_call *c, char *p)
{
	const ssize_t n = recv(c->fd, p, DATAGRAM_MAX, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			end_errno(c, errno);
		return false;
	}
	c->result.answers++;
	if (!c->q.enough || c->q.enough(c->arg, slice_from(p, (size_t)n))) {
		end(c, FAULT_NONE, "");
		return false;
	}
	if (c->result.answers < UDP_ANSWERS_MAX)
		return true;
	end(c, FAULT_BODY_TOO_LARGE, "too many datagrams came, and none was what was expected");
	return false;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct udp_call *c = poll->data;
	char *p = mem_alloc(DATAGRAM_MAX);

	for (int i = 0; i < READS_A_TURN && take_one(c, p); i++)
		;
	free(p);
	/* An error that was none of the socket's stops the watch. */
	if (status < 0 && c->poll)
		uv_poll_start(c->poll, UV_READABLE, on_readable);
}

static void on_silence(struct timer *t)
{
	end(t->arg, FAULT_NONE, "");
}

static void on_deadline(struct timer *t)
{
	struct udp_call *c = t->arg;

	if (!c->resolve) /* the resolver keeps the same deadline itself */
		end(c, FAULT_TIMEOUT, "no answer came within the time allowed");
}

/* --- sending -----------------------------------------------------------------------------------
 */

/* 0, or why not. */
static int send_to(struct udp_call *c, const struct sockaddr_storage *a)
{
	const bool v6 = a->ss_family == AF_INET6;
	const void *ip = v6 ? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
			    : (const void *)&((const struct sockaddr_in *)a)->sin_addr;
	const int one = 1;

	inet_ntop(a->ss_family, ip, c->result.address, sizeof(c->result.address));
	c->fd = socket(a->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return errno;
	/* Else the kernel tells of closed ports only, not of hosts that cannot be reached. */
	setsockopt(
		c->fd, v6 ? SOL_IPV6 : SOL_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &one, sizeof(one));
	if (connect(c->fd, (const struct sockaddr *)a,
		    v6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in)) != 0)
		return errno;
	c->sent_ns = (int64_t)uv_hrtime();
	return send(c->fd, c->q.send.p, c->q.send.n, MSG_NOSIGNAL) < 0 ? errno : 0;
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct udp_call *c = arg;
	int error = 0;

	c->resolve = NULL;
	c->result.phases.resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault != FAULT_NONE) {
		end(c, r->fault, r->detail);
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		error = send_to(c, &r->address[i]);
		if (!error)
			break;
		close_socket(c);
	}
	if (error) {
		end_errno(c, error);
		return;
	}
	c->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(c->loop), c->poll, c->fd);
	c->poll->data = c;
	uv_poll_start(c->poll, UV_READABLE, on_readable);
	if (c->q.silence_ns)
		timer_start(c->loop, &c->silence, c->q.silence_ns, on_silence, c);
}

struct udp_call *udp_ask(
	struct loop *l, struct resolver *r, const struct udp_question *q, udp_done *done, void *arg)
{
	struct udp_call *c = mem_new(struct udp_call);

	c->loop = l;
	c->q = *q;
	c->q.send = slice_from(slice_dup(q->send), q->send.n);
	c->fd = -1;
	c->done = done;
	c->arg = arg;
	c->began_ns = (int64_t)uv_hrtime();
	loop_hold(l);
	timer_start(l, &c->deadline, q->deadline_ns, on_deadline, c);
	c->resolve = resolve(r, q->host, q->port, q->family, q->deadline_ns, on_resolved, c);
	return c;
}

void udp_cancel(struct udp_call *c)
{
	if (c->resolve)
		resolve_cancel(c->resolve);
	else
		end(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
}

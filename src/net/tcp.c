/*
 * tcp.c - see tcp.h. Addresses are tried in order until one connects; a refusal by one address is
 * remembered, and told when all have failed.
 */

#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

struct tcp_call {
	struct loop *loop;
	struct resolve_call *resolve;
	struct resolved found;
	size_t next;
	int fd;
	uv_poll_t *poll;
	struct timer deadline, later;
	int64_t began_ns, connect_ns; /* real time, as sockets have it */
	struct tcp_result result;
	tcp_done *done;
	void *arg;
};

static void close_socket(struct tcp_call *c)
{
	loop_unwatch(&c->poll);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void finish(struct tcp_call *c)
{
	close_socket(c);
	timer_cancel(&c->deadline);
	timer_cancel(&c->later);
	loop_release(c->loop);
	c->result.phases.total_ns = (int64_t)uv_hrtime() - c->began_ns;
	c->done(c->arg, &c->result);
	free(c);
}

static void on_later(struct timer *t)
{
	finish(t->arg);
}

/* A refusal tells more than the next address's having no route. */
static void fault_of_errno(struct tcp_call *c, int error)
{
	if (c->result.fault == FAULT_REFUSED)
		return;
	c->result.fault = error == ECONNREFUSED                           ? FAULT_REFUSED
			  : error == EHOSTUNREACH || error == ENETUNREACH ? FAULT_UNREACHABLE
			  : error == ETIMEDOUT                            ? FAULT_TIMEOUT
			  : error == EMFILE || error == ENFILE            ? FAULT_NO_DESCRIPTORS
			  : error == ECONNRESET                           ? FAULT_CONNECTION_LOST
									  : FAULT_LOCAL;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", strerror(error));
}

static void write_address(struct tcp_call *c, const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, c->result.address,
			sizeof(c->result.address));
	else
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, c->result.address,
			sizeof(c->result.address));
}

static void try_next(struct tcp_call *c);

static void connected(struct tcp_call *c)
{
	c->result.fault = FAULT_NONE;
	c->result.detail[0] = 0;
	write_address(c, &c->found.address[c->next - 1]);
	c->result.phases.connect_ns = (int64_t)uv_hrtime() - c->connect_ns;
	finish(c);
}

static void on_writable(uv_poll_t *poll, int status, int events)
{
	struct tcp_call *c = poll->data;
	int error = 0;
	socklen_t n = sizeof(error);
	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (!error) {
		connected(c);
		return;
	}
	fault_of_errno(c, error);
	close_socket(c);
	try_next(c);
}

static void try_next(struct tcp_call *c)
{
	while (c->next < c->found.n) {
		const struct sockaddr_storage *a = &c->found.address[c->next++];
		const socklen_t n = a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							     : sizeof(struct sockaddr_in);
		if (c->result.fault != FAULT_REFUSED)
			write_address(c, a);
		c->connect_ns = (int64_t)uv_hrtime();
		c->fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (c->fd < 0 || (connect(c->fd, (const struct sockaddr *)a, n) != 0 &&
					 errno != EINPROGRESS)) {
			fault_of_errno(c, errno);
			close_socket(c);
			continue;
		}
		c->poll = mem_new(uv_poll_t);
		uv_poll_init(loop_uv(c->loop), c->poll, c->fd);
		c->poll->data = c;
		uv_poll_start(c->poll, UV_WRITABLE, on_writable);
		return;
	}
	timer_start(c->loop, &c->later, 0, on_later, c);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct tcp_call *c = arg;
	c->resolve = NULL;
	c->result.phases.resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault != FAULT_NONE) {
		c->result.fault = r->fault;
		memcpy(c->result.detail, r->detail, sizeof(c->result.detail));
		finish(c);
		return;
	}
	c->found = *r;
	try_next(c);
}

static void stop_with(struct tcp_call *c, enum fault fault)
{
	if (fault == FAULT_TIMEOUT && c->connect_ns) /* the time went to the last address tried */
		c->result.phases.connect_ns = (int64_t)uv_hrtime() - c->connect_ns;
	c->result.fault = fault;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", fault_text(fault));
	c->next = c->found.n; /* nothing more is tried */
	close_socket(c);
	timer_start(c->loop, &c->later, 0, on_later, c);
}

static void on_deadline(struct timer *t)
{
	struct tcp_call *c = t->arg;
	if (!c->resolve) /* the resolver keeps the same deadline itself */
		stop_with(c, FAULT_TIMEOUT);
}

struct tcp_call *tcp_connect_check(struct loop *l, struct resolver *r, const char *host,
	unsigned port, int64_t deadline_ns, tcp_done *done, void *arg)
{
	struct tcp_call *c = mem_new(struct tcp_call);
	c->loop = l;
	c->fd = -1;
	c->done = done;
	c->arg = arg;
	c->began_ns = (int64_t)uv_hrtime();
	loop_hold(l);
	timer_start(l, &c->deadline, deadline_ns, on_deadline, c);
	c->resolve = resolve(r, host, port, AF_UNSPEC, deadline_ns, on_resolved, c);
	return c;
}

void tcp_cancel(struct tcp_call *c)
{
	if (c->resolve)
		resolve_cancel(c->resolve);
	else
		stop_with(c, FAULT_CANCELLED);
}

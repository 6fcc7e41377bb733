/*
 * udp_out.c - see udp_out.h.
 */

#include "net/udp_out.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

struct udp_out {
	struct resolve_call *resolve;
	int fd; /* -1: none yet */
	bool closed;
	udp_out_ready *ready;
	void *arg;
};

static int connected(const struct sockaddr_storage *to)
{
	const socklen_t n = to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						      : sizeof(struct sockaddr_in);
	const int fd = socket(to->ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)to, n) == 0)
		return fd;
	const int why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return -1;
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct udp_out *u = arg;
	u->resolve = NULL;
	if (u->closed) {
		free(u);
		return;
	}
	if (r->fault) {
		u->ready(u->arg, r->fault, r->detail);
		return;
	}
	for (size_t i = 0; i < r->n && u->fd < 0; i++)
		u->fd = connected(&r->address[i]);
	if (u->fd >= 0)
		u->ready(u->arg, FAULT_NONE, "");
	else
		u->ready(u->arg,
			errno == EMFILE || errno == ENFILE ? FAULT_NO_DESCRIPTORS
							   : FAULT_UNREACHABLE,
			strerror(errno));
}

struct udp_out *udp_out_open(struct resolver *r, const char *host, unsigned port,
	int64_t deadline_ns, udp_out_ready *ready, void *arg)
{
	struct udp_out *u = mem_new(struct udp_out);
	u->fd = -1;
	u->ready = ready;
	u->arg = arg;
	u->resolve = resolve(r, host, port, AF_UNSPEC, deadline_ns, on_resolved, u);
	return u;
}

void udp_out_close(struct udp_out *u)
{
	if (!u)
		return;
	if (u->fd >= 0)
		close(u->fd);
	if (!u->resolve) {
		free(u);
		return;
	}
	u->closed = true;
	resolve_cancel(u->resolve);
}

enum fault udp_out_send(struct udp_out *u, struct slice datagram)
{
	ssize_t n;
	do
		n = send(u->fd, datagram.p, datagram.n, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n >= 0)
		return FAULT_NONE;
	if (errno == ECONNREFUSED)
		return FAULT_REFUSED;
	return errno == ENETUNREACH || errno == EHOSTUNREACH ? FAULT_UNREACHABLE : FAULT_LOCAL;
}

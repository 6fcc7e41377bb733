/*
 * ping.c - ICMP echo on one socket a family; see ping.h.
 *
 * A call is told by 16 random bytes in its payload, not by id and sequence alone: the kernel
 * rewrites the id of ping sockets, and raw sockets hear everybody's replies. Send and receive times
 * are both wall time, since the kernel stamps packets with it.
 */

#include "net/ping.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/sock_diag.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/random.h"

#define COOKIE_BYTES   PING_SIZE_MIN
#define HEADER         8
#define ICMP_FILTER    1         /* of linux/icmp.h, which the C library's does not go with */
#define ROOM           (8 << 20) /* what is not read in time is taken for lost */
#define PACKETS_A_TURN 256       /* a flood does not keep the loop from its timers */

struct ping_socket {
	struct pinger *pinger;
	int fd, family;
	bool raw;
	uint32_t dropped; /* replies there was no room for, ever */
	uv_poll_t *poll;
	char how[160];
};

struct pinger {
	struct loop *loop;
	struct ping_socket v4, v6;
	struct map calls; /* cookie in hex -> struct ping_call * */
	uint16_t sequence;
};

struct ping_call {
	struct pinger *pinger;
	struct ping_socket *socket;
	uint32_t dropped; /* of the socket when it was sent */
	char cookie[2 * COOKIE_BYTES + 1];
	int64_t sent_ns; /* CLOCK_REALTIME */
	struct timer timer;
	bool ended; /* its result stands; a reply changes nothing any more */
	struct ping_result result;
	ping_done *done;
	void *arg;
};

static int64_t wall_ns(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

/* --- ends ----------------------------------------------------------------------------------------
 */

static void finish(struct ping_call *c)
{
	map_remove(&c->pinger->calls, c->cookie);
	timer_cancel(&c->timer);
	loop_release(c->pinger->loop);
	c->done(c->arg, &c->result);
	free(c);
}

static void set_fault(struct ping_call *c, enum fault fault, const char *detail)
{
	c->result.fault = fault;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", detail);
}

/* The socket's own count: what is read tells nothing of what came after it. */
static void count_dropped(struct ping_socket *s)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof(info);
	if (getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &n) == 0)
		s->dropped = info[SK_MEMINFO_DROPS];
}

static void on_timer(struct timer *t)
{
	struct ping_call *c = t->arg;
	if (!c->ended)
		count_dropped(c->socket);
	if (!c->ended && c->dropped != c->socket->dropped)
		set_fault(c, FAULT_LOCAL,
			"this machine threw echo replies away, perhaps the one to this");
	finish(c);
}

/* --- receiving -----------------------------------------------------------------------------------
 */

static void cookie_text(const unsigned char *p, char *text)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < COOKIE_BYTES; i++) {
		text[2 * i] = digits[p[i] >> 4];
		text[2 * i + 1] = digits[p[i] & 15];
	}
	text[(size_t)2 * COOKIE_BYTES] = 0;
}

/* NULL when nobody waits for it. */
static struct ping_call *call_of(struct pinger *p, const unsigned char *icmp, size_t n)
{
	char text[2 * COOKIE_BYTES + 1];
	if (n < HEADER + COOKIE_BYTES)
		return NULL;
	cookie_text(icmp + HEADER, text);
	struct ping_call *c = map_get(&p->calls, text);
	return c && !c->ended ? c : NULL;
}

static int64_t stamp_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec ts;
			memcpy(&ts, CMSG_DATA(c), sizeof(ts));
			return ts.tv_sec * NS_PER_S + ts.tv_nsec;
		}
	return wall_ns();
}

/* The TTL, or the hop limit of IPv6, that a packet came with. */
static int hop_limit_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_TTL) ||
			(c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
			int limit;
			memcpy(&limit, CMSG_DATA(c), sizeof(limit));
			return limit;
		}
	return 0;
}

static void on_packet(struct ping_socket *s, const unsigned char *p, size_t n, struct msghdr *m)
{
	const int64_t at_ns = stamp_of(m);

	if (s->raw && s->family == AF_INET) {
		const size_t ip = n ? (size_t)(p[0] & 15) * 4 : 0;
		if (ip < sizeof(struct iphdr) || n < ip)
			return;
		p += ip;
		n -= ip;
	}
	const unsigned char reply = s->family == AF_INET ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY;
	struct ping_call *c = n >= HEADER && p[0] == reply ? call_of(s->pinger, p, n) : NULL;
	if (!c)
		return;
	c->result.fault = FAULT_NONE;
	c->result.detail[0] = 0;
	c->result.hop_limit = hop_limit_of(m);
	c->result.rtt_ns = at_ns > c->sent_ns ? at_ns - c->sent_ns : 1;
	finish(c);
}

static ssize_t receive(struct ping_socket *s, unsigned char *p, size_t n, int flags, char *control,
	size_t control_n, struct msghdr *m)
{
	struct iovec v = {p, n};
	*m = (struct msghdr){.msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = control_n};
	return recvmsg(s->fd, m, flags | MSG_DONTWAIT);
}

/* Errors on the way come back with the packet that met them. */
static void read_errors(struct ping_socket *s)
{
	unsigned char p[2048];
	char control[512];
	struct msghdr m;
	ssize_t n;
	for (int i = 0; i < PACKETS_A_TURN; i++) {
		n = receive(s, p, sizeof(p), MSG_ERRQUEUE, control, sizeof(control), &m);
		if (n < 0)
			return;
		int error = 0;
		for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c))
			if ((c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR) ||
				(c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR)) {
				struct sock_extended_err e;
				memcpy(&e, CMSG_DATA(c), sizeof(e));
				error = (int)e.ee_errno;
			}
		struct ping_call *call = call_of(s->pinger, p, (size_t)n);
		if (call && error) {
			set_fault(call, FAULT_UNREACHABLE, strerror(error));
			finish(call);
		}
	}
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct ping_socket *s = poll->data;
	unsigned char p[2048];
	char control[512];
	struct msghdr m;
	ssize_t n;
	read_errors(s);
	for (int i = 0; i < PACKETS_A_TURN; i++) {
		n = receive(s, p, sizeof(p), 0, control, sizeof(control), &m);
		if (n < 0)
			break;
		on_packet(s, p, (size_t)n, &m);
	}
	count_dropped(s);
	if (status < 0) /* libuv stops on an error; the error queue is no end */
		uv_poll_start(poll, UV_READABLE, on_readable);
}

/* --- sockets -------------------------------------------------------------------------------------
 */

/* A raw socket hears everybody's ICMP, on loopback our own requests too: answers alone are let in.
 * Errors come by their own queue. */
static void let_in_replies(const struct ping_socket *s)
{
	struct icmp6_filter v6;
	const uint32_t v4 = ~(1u << ICMP_ECHOREPLY);
	ICMP6_FILTER_SETBLOCKALL(&v6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &v6);
	if (s->family == AF_INET)
		setsockopt(s->fd, SOL_RAW, ICMP_FILTER, &v4, sizeof(v4));
	else
		setsockopt(s->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &v6, sizeof(v6));
}

static void open_socket(struct pinger *p, struct ping_socket *s, int family)
{
	const int protocol = family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
	const int one = 1, room = ROOM;
	s->pinger = p;
	s->family = family;
	s->fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
	snprintf(s->how, sizeof(s->how), "ping socket");
	if (s->fd < 0) {
		s->fd = socket(family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
		s->raw = true;
		snprintf(s->how, sizeof(s->how), "raw socket");
	}
	if (s->fd < 0) {
		snprintf(s->how, sizeof(s->how),
			"no ICMP socket (%s); as root: sysctl -w net.ipv4.ping_group_range=\"0 2147483647\"",
			strerror(errno));
		return;
	}
	setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) != 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (s->raw)
		let_in_replies(s);
	if (family == AF_INET) {
		setsockopt(s->fd, SOL_IP, IP_RECVERR, &one, sizeof(one));
		setsockopt(s->fd, SOL_IP, IP_RECVTTL, &one, sizeof(one));
	} else {
		setsockopt(s->fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one));
		setsockopt(s->fd, SOL_IPV6, IPV6_RECVHOPLIMIT, &one, sizeof(one));
	}
	s->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(p->loop), s->poll, s->fd);
	s->poll->data = s;
	uv_poll_start(s->poll, UV_READABLE, on_readable);
	uv_unref((uv_handle_t *)s->poll); /* the pinger alone keeps no loop running */
}

struct pinger *pinger_new(struct loop *l, struct error *err)
{
	struct pinger *p = mem_new(struct pinger);
	p->loop = l;
	p->sequence = (uint16_t)random_u64(&random_system);
	open_socket(p, &p->v4, AF_INET);
	open_socket(p, &p->v6, AF_INET6);
	return p;
}

static void on_closed(uv_handle_t *h)
{
	free(h);
}

static void close_socket(struct ping_socket *s)
{
	if (!s->poll)
		return;
	uv_poll_stop(s->poll);
	uv_close((uv_handle_t *)s->poll, on_closed);
	close(s->fd);
}

void pinger_free(struct pinger *p)
{
	if (!p)
		return;
	while (p->calls.n) {
		struct ping_call *c = NULL;
		MAP_EACH (&p->calls, e) {
			c = e->value;
			break;
		}
		assert(c);
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): finish() takes it out of the map */
		set_fault(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
		finish(c);
	}
	map_fini(&p->calls);
	close_socket(&p->v4);
	close_socket(&p->v6);
	free(p);
}

bool pinger_can(struct pinger *p, int family, const char **ret_how)
{
	const struct ping_socket *s = family == AF_INET6 ? &p->v6 : &p->v4;
	*ret_how = s->how;
	return s->fd >= 0;
}

/* --- sending -------------------------------------------------------------------------------------
 */

/* RFC 1071; the kernel fills in ICMPv6's own. */
static uint16_t checksum(const unsigned char *p, size_t n)
{
	uint32_t sum = 0;
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static bool send_echo(struct ping_call *c, const struct ping_socket *s,
	const struct sockaddr_storage *address, const unsigned char *cookie, size_t size)
{
	static const unsigned char rest[PING_SIZE_MAX - COOKIE_BYTES]; /* zeros: of no sum */
	unsigned char p[HEADER + COOKIE_BYTES] = {0};
	const uint16_t sequence = c->pinger->sequence++;
	p[0] = s->family == AF_INET ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
	p[4] = (unsigned char)(getpid() >> 8);
	p[5] = (unsigned char)getpid();
	p[6] = (unsigned char)(sequence >> 8);
	p[7] = (unsigned char)sequence;
	memcpy(p + HEADER, cookie, COOKIE_BYTES);
	if (s->family == AF_INET) {
		const uint16_t sum = checksum(p, sizeof(p));
		p[2] = (unsigned char)(sum >> 8);
		p[3] = (unsigned char)sum;
	}
	const socklen_t n =
		s->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
	struct sockaddr_storage to = *address;
	struct iovec parts[] = {{p, sizeof(p)}, {(void *)rest, size - COOKIE_BYTES}};
	const struct msghdr m = {
		.msg_name = &to, .msg_namelen = n, .msg_iov = parts, .msg_iovlen = 2};
	c->sent_ns = wall_ns();
	for (int tries = 0; tries < 2; tries++)
		if (sendmsg(s->fd, &m, 0) >= 0)
			return true; /* a pending error of an older packet fails one send */
	return false;
}

static void write_address(struct ping_call *c, const struct sockaddr_storage *a)
{
	if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, c->result.address,
			sizeof(c->result.address));
	else
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, c->result.address,
			sizeof(c->result.address));
}

struct ping_call *ping_sized(struct pinger *p, const struct sockaddr_storage *address, size_t size,
	int64_t deadline_ns, ping_done *done, void *arg)
{
	struct ping_call *c = mem_new(struct ping_call);
	struct ping_socket *s = address->ss_family == AF_INET6 ? &p->v6 : &p->v4;
	struct sockaddr_storage to = *address;
	unsigned char cookie[COOKIE_BYTES];
	c->pinger = p;
	c->socket = s;
	c->dropped = s->dropped;
	c->done = done;
	c->arg = arg;
	loop_hold(p->loop);
	random_fill(&random_system, cookie, sizeof(cookie));
	cookie_text(cookie, c->cookie);
	map_put(&p->calls, c->cookie, c); /* from here on pinger_free() ends it too */
	write_address(c, address);
	/* A raw socket takes no port. */
	if (to.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&to)->sin6_port = 0;
	else
		((struct sockaddr_in *)&to)->sin_port = 0;
	if (s->fd < 0) {
		set_fault(c, FAULT_NO_ICMP, s->how);
		c->ended = true;
	} else if (send_echo(c, s, &to, cookie, size)) {
		set_fault(c, FAULT_TIMEOUT, "no echo reply");
	} else {
		const bool far = errno == EHOSTUNREACH || errno == ENETUNREACH;
		set_fault(c, far ? FAULT_UNREACHABLE : FAULT_LOCAL, strerror(errno));
		c->ended = true;
	}
	timer_start(p->loop, &c->timer, c->ended ? 0 : deadline_ns, on_timer, c);
	return c;
}

struct ping_call *ping(struct pinger *p, const struct sockaddr_storage *address,
	int64_t deadline_ns, ping_done *done, void *arg)
{
	return ping_sized(p, address, PING_SIZE, deadline_ns, done, arg);
}

void ping_cancel(struct ping_call *c)
{
	set_fault(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
	c->ended = true;
	timer_start(c->pinger->loop, &c->timer, 0, on_timer, c);
}

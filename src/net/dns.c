/*
 * dns.c - see dns.h. Several addresses of a server, or several servers, share the time allowed and
 * are tried in order until one answers; a refused question is an answer.
 */

#include "net/dns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/random.h"
#include "base/units.h"

#define DNS_PORT 53

struct dns_call {
	struct loop *loop;
	struct resolve_call *resolve;
	struct resolved servers;
	size_t next;
	struct dns_asked asked;
	bool tcp;
	bool cut; /* what came by UDP did not fit: it is asked for again by TCP */
	int fd;
	uv_poll_t *poll;
	struct timer deadline, later, share;
	int64_t deadline_ns, began_ns, sent_ns, connect_ns; /* real time, as sockets have it */
	uint8_t out[2 + DNS_QUESTION_MAX];                  /* TCP: with its length before it */
	size_t out_n;
	uint8_t *in; /* TCP: length and answer */
	size_t in_n;
	struct dns_said said;
	char *wire; /* the answer; NULL: none yet */
	struct dns_result result;
	dns_done *done;
	void *arg;
};

/* --- the end -----------------------------------------------------------------------------------
 */

static void close_socket(struct dns_call *c)
{
	loop_unwatch(&c->poll);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	timer_cancel(&c->share);
}

static void finish(struct dns_call *c)
{
	close_socket(c);
	timer_cancel(&c->deadline);
	timer_cancel(&c->later);
	loop_release(c->loop);
	c->result.phases.total_ns = (int64_t)uv_hrtime() - c->began_ns;
	c->done(c->arg, &c->result);
	dns_said_fini(&c->said);
	free(c->wire);
	free(c->in);
	free(c);
}

static void on_later(struct timer *t)
{
	finish(t->arg);
}

static void finish_later(struct dns_call *c)
{
	close_socket(c);
	timer_start(c->loop, &c->later, 0, on_later, c);
}

static void set(struct dns_call *c, enum fault fault, const char *detail)
{
	c->result.fault = fault;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", detail);
}

static void try_next(struct dns_call *c);

/* This address does not answer; another one might. */
static void failed(struct dns_call *c, enum fault fault, const char *detail)
{
	close_socket(c);
	set(c, fault, detail);
	try_next(c);
}

static void failed_errno(struct dns_call *c, int error)
{
	const enum fault fault = error == ECONNREFUSED                           ? FAULT_REFUSED
				 : error == EHOSTUNREACH || error == ENETUNREACH ? FAULT_UNREACHABLE
				 : error == ETIMEDOUT                            ? FAULT_TIMEOUT
				 : error == EMFILE || error == ENFILE    ? FAULT_NO_DESCRIPTORS
				 : error == ECONNRESET || error == EPIPE ? FAULT_CONNECTION_LOST
									 : FAULT_LOCAL;
	failed(c, fault,
		fault != FAULT_REFUSED ? strerror(error)
		: c->cut
			? "the answer is cut off, and by TCP nothing answers on the name server's port"
			: "nothing answers on the name server's port");
}

/* --- what came ---------------------------------------------------------------------------------
 */

static void start_tcp(struct dns_call *c);

/* False: it was no answer to this question. */
static bool take(struct dns_call *c, const void *p, size_t n, bool tcp)
{
	dns_said_fini(&c->said);
	dns_read(&c->asked, p, n, &c->said);
	if (c->said.foreign)
		return false;
	if (c->said.truncated && !tcp) {
		close_socket(c);
		c->cut = true;
		start_tcp(c);
		return true;
	}
	c->result.phases.wait_ns = (int64_t)uv_hrtime() - c->sent_ns;
	c->result.tcp = tcp;
	if (c->said.truncated) {
		failed(c, FAULT_PROTOCOL, "the answer is cut off, though it came by TCP");
		return true;
	}
	c->wire = slice_dup(slice_from(p, n));
	c->result.wire = slice_from(c->wire, n);
	c->result.said = &c->said;
	set(c, c->said.fault, c->said.detail);
	finish_later(c);
	return true;
}

static void on_packet(uv_poll_t *poll, int status, int events)
{
	struct dns_call *c = poll->data;
	uint8_t p[DNS_UDP_MAX];

	for (int i = 0; i < 16; i++) { /* what is not for us is passed over, in bounded bursts */
		const ssize_t n = recv(c->fd, p, sizeof(p), 0);
		if (n < 0) {
			if (errno != EAGAIN && errno != EINTR)
				failed_errno(c, errno);
			return;
		}
		if (take(c, p, (size_t)n, false))
			return;
	}
}

static void on_stream_readable(struct dns_call *c)
{
	const size_t want = c->in_n < 2 ? 2 : 2 + (size_t)(c->in[0] << 8 | c->in[1]);
	const ssize_t n = recv(c->fd, c->in + c->in_n, want - c->in_n, 0);

	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			failed_errno(c, errno);
		return;
	}
	if (n == 0) {
		failed(c, FAULT_CONNECTION_LOST, "the name server closed the connection");
		return;
	}
	c->in_n += (size_t)n;
	if (c->in_n < 2 || c->in_n < 2 + (size_t)(c->in[0] << 8 | c->in[1]))
		return;
	if (!take(c, c->in + 2, c->in_n - 2, true))
		failed(c, FAULT_PROTOCOL, "what came is no answer to the question");
}

static void on_stream(uv_poll_t *poll, int status, int events)
{
	struct dns_call *c = poll->data;
	int error = 0;
	socklen_t size = sizeof(error);

	if (c->out_n == 0 && !c->result.phases.connect_ns) {
		if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
			error = errno;
		if (error) {
			failed_errno(c, error);
			return;
		}
		c->result.phases.connect_ns = (int64_t)uv_hrtime() - c->connect_ns;
		c->sent_ns = (int64_t)uv_hrtime();
	}
	if (c->out_n == c->asked.n + 2) {
		on_stream_readable(c);
		return;
	}
	const ssize_t n = send(c->fd, c->out + c->out_n, c->asked.n + 2 - c->out_n, MSG_NOSIGNAL);
	if (n < 0) {
		if (errno != EAGAIN && errno != EINTR)
			failed_errno(c, errno);
		return;
	}
	c->out_n += (size_t)n;
	if (c->out_n == c->asked.n + 2)
		uv_poll_start(c->poll, UV_READABLE, on_stream);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void write_address(struct dns_call *c, const struct sockaddr_storage *a)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)a;
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(c->result.address, sizeof(c->result.address), "[%s]:%u", text,
			ntohs(v6->sin6_port));
	} else {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)a;
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(c->result.address, sizeof(c->result.address), "%s:%u", text,
			ntohs(v4->sin_port));
	}
}

/* Connected, so that only the server's packets come back, and its refusals with them. */
static bool open_socket(struct dns_call *c, int kind)
{
	const struct sockaddr_storage *a = &c->servers.address[c->next - 1];
	const socklen_t n =
		a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	write_address(c, a);
	c->fd = socket(a->ss_family, kind | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	return c->fd >= 0 &&
	       (connect(c->fd, (const struct sockaddr *)a, n) == 0 || errno == EINPROGRESS);
}

static void watch(struct dns_call *c, int events, uv_poll_cb cb)
{
	c->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(c->loop), c->poll, c->fd);
	c->poll->data = c;
	uv_poll_start(c->poll, events, cb);
}

static void on_share(struct timer *t)
{
	failed(t->arg, FAULT_TIMEOUT, fault_text(FAULT_TIMEOUT));
}

/* Each that is left has the same part of the time that is left; the last one has the call's. */
static void start_share(struct dns_call *c)
{
	const size_t left = c->servers.n - (c->next - 1);

	if (left > 1)
		timer_start(c->loop, &c->share, timer_left_ns(&c->deadline) / (int64_t)left,
			on_share, c);
}

static void start_tcp(struct dns_call *c)
{
	if (!c->in)
		c->in = mem_alloc(2 + DNS_PACKET_MAX);
	c->in_n = c->out_n = 0;
	c->out[0] = (uint8_t)(c->asked.n >> 8);
	c->out[1] = (uint8_t)c->asked.n;
	memcpy(c->out + 2, c->asked.wire, c->asked.n);
	c->result.phases.connect_ns = 0;
	c->connect_ns = (int64_t)uv_hrtime();
	start_share(c);
	if (!open_socket(c, SOCK_STREAM)) {
		failed_errno(c, errno);
		return;
	}
	watch(c, UV_WRITABLE, on_stream);
}

static void start_udp(struct dns_call *c)
{
	start_share(c);
	c->sent_ns = (int64_t)uv_hrtime();
	if (!open_socket(c, SOCK_DGRAM) ||
		send(c->fd, c->asked.wire, c->asked.n, 0) != (ssize_t)c->asked.n) {
		failed_errno(c, errno);
		return;
	}
	watch(c, UV_READABLE, on_packet);
}

static void try_next(struct dns_call *c)
{
	if (c->next >= c->servers.n) {
		finish_later(c);
		return;
	}
	c->next++;
	c->cut = false;
	if (c->tcp)
		start_tcp(c);
	else
		start_udp(c);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct dns_call *c = arg;

	c->resolve = NULL;
	c->result.phases.resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault != FAULT_NONE) {
		set(c, r->fault, r->detail);
		finish(c);
		return;
	}
	c->servers = *r;
	try_next(c);
}

/* --- starting ----------------------------------------------------------------------------------
 */

bool dns_server_split(const char *server, char **ret_host, unsigned *ret_port)
{
	const char *colon = strrchr(server, ':');
	const bool bracket = *server == '[', v6 = !bracket && colon && strchr(server, ':') != colon;
	struct slice host = slice_of(server);
	int64_t port = DNS_PORT;

	if (bracket) {
		const char *end = strchr(server, ']');
		if (!end || (end[1] && end[1] != ':'))
			return false;
		host = slice_from(server + 1, (size_t)(end - server - 1));
		colon = end[1] ? end + 1 : NULL;
	} else if (colon && !v6) {
		host = slice_from(server, (size_t)(colon - server));
	}
	if (colon && !v6 &&
		(!units_parse_int(slice_of(colon + 1), &port) || port < 1 || port > 65535))
		return false;
	if (host.n == 0)
		return false;
	*ret_host = slice_dup(host);
	*ret_port = (unsigned)port;
	return true;
}

static void stop_with(struct dns_call *c, enum fault fault)
{
	set(c, fault, fault_text(fault));
	c->result.said = NULL;
	c->result.wire = (struct slice){0};
	c->next = c->servers.n; /* nothing more is tried */
	finish_later(c);
}

static void on_deadline(struct timer *t)
{
	struct dns_call *c = t->arg;

	if (c->resolve) /* the resolver keeps the same deadline itself */
		return;
	if (!timer_running(&c->later)) /* else it has its end */
		stop_with(c, FAULT_TIMEOUT);
}

static struct dns_call *begin(struct loop *l, const struct dns_question *q,
	const struct dns_asked *asked, dns_done *done, void *arg)
{
	struct dns_call *c = mem_new(struct dns_call);

	c->loop = l;
	c->fd = -1;
	c->asked = *asked;
	c->tcp = q->tcp;
	c->done = done;
	c->arg = arg;
	c->began_ns = (int64_t)uv_hrtime();
	loop_hold(l);
	timer_start(l, &c->deadline, q->deadline_ns, on_deadline, c);
	return c;
}

/* Nothing is sent from in here: the caller has no call yet that it could cancel. */
static void on_begin(struct timer *t)
{
	try_next(t->arg);
}

static void keep_family(struct resolved *r, int family)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (family == AF_UNSPEC || r->address[i].ss_family == family)
			r->address[n++] = r->address[i];
	r->n = n;
}

struct dns_call *dns_lookup(struct loop *l, struct resolver *r, const struct dns_question *q,
	dns_done *done, void *arg, struct error *err)
{
	struct dns_asked asked;
	char *host = NULL;
	unsigned port = DNS_PORT;

	if (!dns_ask_with(q->name, q->type, (uint16_t)random_below(&random_system, 1u << 16),
		    q->flags, &asked, err))
		return NULL;
	if (q->server && !dns_server_split(q->server, &host, &port)) {
		error_set(err, ERROR_INPUT,
			"the name server is ADDRESS, ADDRESS:PORT or [ADDRESS]:PORT, not \"%.100s\"",
			q->server);
		return NULL;
	}
	struct dns_call *c = begin(l, q, &asked, done, arg);
	if (host) {
		c->resolve = resolve(r, host, port, q->family, q->deadline_ns, on_resolved, c);
	} else {
		resolver_servers(r, &c->servers);
		keep_family(&c->servers, q->family);
		if (!c->servers.n)
			set(c, FAULT_CONFIGURATION, "this machine has no resolver (resolv.conf)");
		timer_start(l, &c->later, 0, c->servers.n ? on_begin : on_later, c);
	}
	free(host);
	return c;
}

void dns_cancel(struct dns_call *c)
{
	if (c->resolve)
		resolve_cancel(c->resolve);
	else
		stop_with(c, FAULT_CANCELLED);
}

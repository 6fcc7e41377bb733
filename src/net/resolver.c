/*
 * resolver.c - c-ares driven by uv_poll and a uv_timer.
 *
 * c-ares can only cancel everything at once, so a call and its lookup live apart: a cancelled or
 * late call lets go of its lookup, which ends later by itself or with the last call. Callers are
 * called back from a timer of their own call only, never from inside c-ares: they may do anything,
 * freeing the resolver included.
 */
#include "net/resolver.h"

#include <ares.h>
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/units.h"

#define RESOLV_CONF     "/etc/resolv.conf"
#define NAMESERVER_PORT 53

struct lookup { /* c-ares's side of a call */
	struct resolver *resolver;
	struct resolve_call *call; /* NULL: nobody waits any more */
};

struct resolve_call {
	struct resolver *resolver;
	struct resolve_call *next, **link;
	struct lookup *lookup; /* NULL: ended */
	struct timer timer;    /* the deadline, then the delivery */
	int64_t began_ns;
	unsigned port;
	resolve_done *done;
	void *arg;
	struct resolved result;
};

struct socket_watch {
	uv_poll_t poll;
	struct resolver *resolver;
	ares_socket_t fd;
	struct socket_watch *next, **link;
};

struct resolver {
	struct loop *loop;
	char *servers;
	ares_channel channel;      /* NULL: no name has been asked for yet; it takes 74 kB */
	struct timespec conf_time; /* of resolv.conf when the channel was made */
	uv_timer_t timer;          /* c-ares's own timeouts, real time */
	struct socket_watch *watches;
	struct resolve_call *calls;
	size_t lookups;
	bool freeing;
};

/* --- c-ares's sockets and timeouts -------------------------------------------------------------
 */

static void on_uv_timer(uv_timer_t *t);

static void arm_timeout(struct resolver *r)
{
	struct timeval tv, *next = ares_timeout(r->channel, NULL, &tv);

	if (!next) {
		uv_timer_stop(&r->timer);
		return;
	}
	uv_timer_start(&r->timer, on_uv_timer,
		(uint64_t)next->tv_sec * 1000 + (uint64_t)next->tv_usec / 1000 + 1, 0);
}

static void on_uv_timer(uv_timer_t *t)
{
	struct resolver *r = t->data;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm_timeout(r);
}

static void on_socket(uv_poll_t *p, int status, int events)
{
	struct socket_watch *w = p->data;
	struct resolver *r = w->resolver;
	ares_socket_t fd = w->fd; /* w may go while c-ares works */

	/* After an error of the descriptor, reading lets c-ares find it. */
	if (status < 0)
		events = UV_READABLE | UV_WRITABLE;
	ares_process_fd(r->channel, events & UV_READABLE ? fd : ARES_SOCKET_BAD,
		events & UV_WRITABLE ? fd : ARES_SOCKET_BAD);
	arm_timeout(r);
}

static void on_watch_closed(uv_handle_t *h)
{
	free(h->data);
}

static struct socket_watch *watch_of(struct resolver *r, ares_socket_t fd)
{
	struct socket_watch *w = r->watches;

	while (w && w->fd != fd)
		w = w->next;
	return w;
}

static struct socket_watch *watch_add(struct resolver *r, ares_socket_t fd)
{
	struct socket_watch *w = mem_new(struct socket_watch);

	if (uv_poll_init(loop_uv(r->loop), &w->poll, fd) != 0) {
		free(w); /* the query runs into its timeout */
		return NULL;
	}
	uv_unref((uv_handle_t *)&w->poll);
	w->poll.data = w;
	w->resolver = r;
	w->fd = fd;
	w->next = r->watches;
	w->link = &r->watches;
	if (w->next)
		w->next->link = &w->next;
	r->watches = w;
	return w;
}

/* c-ares tells before it closes a socket (neither readable nor writable). */
static void on_socket_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct resolver *r = arg;
	struct socket_watch *w = watch_of(r, fd);

	if (readable || writable) {
		if (!w)
			w = watch_add(r, fd);
		if (w)
			uv_poll_start(&w->poll,
				(readable ? UV_READABLE : 0) | (writable ? UV_WRITABLE : 0),
				on_socket);
	} else if (w) {
		*w->link = w->next;
		if (w->next)
			w->next->link = w->link;
		uv_poll_stop(&w->poll);
		uv_close((uv_handle_t *)&w->poll, on_watch_closed);
	}
}

/* --- the end of a call -------------------------------------------------------------------------
 */

static void let_go(struct resolve_call *c)
{
	if (c->lookup)
		c->lookup->call = NULL;
	c->lookup = NULL;
}

/* The caller may free the resolver in `done`: nothing of it is touched afterwards. */
static void deliver(struct resolve_call *c)
{
	struct resolver *r = c->resolver;

	let_go(c);
	timer_cancel(&c->timer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	if (!r->calls && r->lookups > 0) {
		ares_cancel(r->channel);
		arm_timeout(r);
	}
	loop_release(r->loop);
	c->done(c->arg, &c->result);
	free(c);
}

static void on_deliver(struct timer *t)
{
	deliver(t->arg);
}

static void deliver_soon(struct resolve_call *c)
{
	let_go(c);
	timer_start(c->resolver->loop, &c->timer, 0, on_deliver, c);
}

static void end_with(struct resolve_call *c, enum fault fault, const char *detail)
{
	c->result.fault = fault;
	c->result.n = 0;
	c->result.took_ns = (int64_t)uv_hrtime() - c->began_ns;
	snprintf(c->result.detail, sizeof(c->result.detail), "%s", detail);
}

static void on_deadline(struct timer *t)
{
	struct resolve_call *c = t->arg;

	end_with(c, FAULT_TIMEOUT, "no name server answered within the time allowed");
	deliver(c);
}

void resolve_cancel(struct resolve_call *c)
{
	end_with(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
	deliver_soon(c);
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void add_address(struct resolved *res, const struct sockaddr *sa, size_t n, unsigned port)
{
	struct sockaddr_storage *to = &res->address[res->n];

	if (res->n == RESOLVE_MAX || n > sizeof(*to))
		return;
	memcpy(to, sa, n);
	if (sa->sa_family == AF_INET)
		((struct sockaddr_in *)to)->sin_port = htons((uint16_t)port);
	else if (sa->sa_family == AF_INET6)
		((struct sockaddr_in6 *)to)->sin6_port = htons((uint16_t)port);
	else
		return;
	res->n++;
}

/* c-ares reports a socket it could not open as a refused connection; that is our fault, not the
 * name server's. */
static bool out_of_descriptors(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno == EMFILE || errno == ENFILE;
	close(fd);
	return false;
}

static enum fault fault_of_status_code(int status)
{
	switch (status) {
	case ARES_ENOTFOUND: return FAULT_NXDOMAIN;
	case ARES_ETIMEOUT: return FAULT_TIMEOUT;
	case ARES_ECANCELLED:
	case ARES_EDESTRUCTION: return FAULT_CANCELLED;
	default: return out_of_descriptors() ? FAULT_NO_DESCRIPTORS : FAULT_RESOLVE;
	}
}

static const char *text_of_status(int status)
{
	switch (status) {
	case ARES_ENOTFOUND: return "the name does not exist";
	case ARES_ENODATA: return "the name exists but has no address";
	case ARES_ETIMEOUT: return "no name server answered";
	case ARES_ECONNREFUSED: return "the name servers could not be reached";
	case ARES_ESERVFAIL: return "the name server failed (SERVFAIL)";
	case ARES_EREFUSED: return "the name server refused the query";
	case ARES_EBADNAME: return "this is not a host name";
	case ARES_EBADRESP: return "the name server's answer is broken";
	default: return ares_strerror(status);
	}
}

static void on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *info)
{
	struct lookup *lookup = arg;
	struct resolve_call *c = lookup->call;

	if (c) {
		if (status == ARES_SUCCESS) {
			end_with(c, FAULT_NONE, "");
			for (struct ares_addrinfo_node *a = info->nodes; a; a = a->ai_next)
				add_address(&c->result, a->ai_addr, a->ai_addrlen, c->port);
		}
		if (c->result.n == 0) {
			status = status == ARES_SUCCESS ? ARES_ENODATA : status;
			end_with(c, fault_of_status_code(status), text_of_status(status));
		}
		deliver_soon(c);
	}
	if (info)
		ares_freeaddrinfo(info);
	lookup->resolver->lookups--;
	free(lookup);
}

/* --- asking ------------------------------------------------------------------------------------
 */

/* An address in text form; IPv6 may have a zone ("fe80::1%eth0", RFC 4007). */
static bool parse_literal(const char *host, struct sockaddr_storage *ret, size_t *ret_n)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	const char *zone = strchr(host, '%');
	char text[INET6_ADDRSTRLEN];
	size_t n = zone ? (size_t)(zone - host) : strlen(host);

	memset(ret, 0, sizeof(*ret));
	if (!zone && inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
		ret->ss_family = AF_INET;
		*ret_n = sizeof(*v4);
		return true;
	}
	if (n >= sizeof(text))
		return false;
	memcpy(text, host, n);
	text[n] = '\0';
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) != 1)
		return false;
	if (zone)
		v6->sin6_scope_id = if_nametoindex(zone + 1);
	ret->ss_family = AF_INET6;
	*ret_n = sizeof(*v6);
	return !zone || v6->sin6_scope_id > 0;
}

static void answer_literal(
	struct resolve_call *c, const struct sockaddr_storage *a, size_t n, int family)
{
	if (family != AF_UNSPEC && family != a->ss_family) {
		end_with(c, FAULT_RESOLVE,
			family == AF_INET ? "this is an IPv6 address, IPv4 is wanted"
					  : "this is an IPv4 address, IPv6 is wanted");
	} else {
		end_with(c, FAULT_NONE, "");
		add_address(&c->result, (const struct sockaddr *)a, n, c->port);
	}
	deliver_soon(c);
}

static bool make_channel(struct resolver *r, struct error *err)
{
	struct ares_options options = {.sock_state_cb = on_socket_state, .sock_state_cb_data = r};
	struct stat st;
	int status = ares_init_options(&r->channel, &options, ARES_OPT_SOCK_STATE_CB);

	if (status != ARES_SUCCESS) {
		error_set(
			err, ERROR_SYSTEM, "cannot set up the resolver: %s", ares_strerror(status));
		return false;
	}
	if (r->servers) {
		status = ares_set_servers_ports_csv(r->channel, r->servers);
		if (status != ARES_SUCCESS) {
			error_set(err, ERROR_INPUT, "\"%s\" is not a list of name servers: %s",
				r->servers, ares_strerror(status));
			ares_destroy(r->channel);
			return false;
		}
	} else if (stat(RESOLV_CONF, &st) == 0) {
		r->conf_time = st.st_mtim;
	}
	return true;
}

/* c-ares reads resolv.conf once, but this program runs for months. When the file has changed and
 * nothing is being asked, start over; if that fails the old channel stays good. */
static void follow_resolv_conf(struct resolver *r)
{
	ares_channel old = r->channel;
	struct stat st;

	if (r->servers || r->lookups > 0 || stat(RESOLV_CONF, &st) < 0)
		return;
	if (st.st_mtim.tv_sec == r->conf_time.tv_sec && st.st_mtim.tv_nsec == r->conf_time.tv_nsec)
		return;
	if (make_channel(r, NULL))
		ares_destroy(old);
	else
		r->channel = old;
}

static void ask(struct resolve_call *c, const char *host, int family, int64_t deadline_ns)
{
	struct resolver *r = c->resolver;
	struct ares_addrinfo_hints hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
	struct error err = {0};

	if (r->channel) {
		follow_resolv_conf(r);
	} else if (!make_channel(r, &err)) {
		r->channel = NULL;
		end_with(c, FAULT_RESOLVE, err.msg);
		deliver_soon(c);
		return;
	}
	struct lookup *lookup = mem_new(struct lookup);
	lookup->resolver = r;
	lookup->call = c;
	c->lookup = lookup;
	r->lookups++;
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_answer, lookup);
	arm_timeout(r);
	/* What /etc/hosts knows, and what cannot be asked at all, has been answered by now. */
	if (c->lookup) {
		c->result.queried = true;
		timer_start(r->loop, &c->timer, deadline_ns, on_deadline, c);
	}
}

struct resolve_call *resolve(struct resolver *r, const char *host, unsigned port, int family,
	int64_t deadline_ns, resolve_done *done, void *arg)
{
	struct resolve_call *c = mem_new(struct resolve_call);
	struct sockaddr_storage literal;
	size_t n;

	assert(!r->freeing && deadline_ns > 0 && done);
	c->resolver = r;
	c->began_ns = (int64_t)uv_hrtime();
	c->port = port;
	c->done = done;
	c->arg = arg;
	c->next = r->calls;
	c->link = &r->calls;
	if (c->next)
		c->next->link = &c->next;
	r->calls = c;
	loop_hold(r->loop);
	if (parse_literal(host, &literal, &n)) {
		answer_literal(c, &literal, n, family);
	} else if (!host[0] || strlen(host) > 255) {
		end_with(c, FAULT_RESOLVE, "this is not a host name");
		deliver_soon(c);
	} else {
		ask(c, host, family, deadline_ns);
	}
	return c;
}

static void add_server(struct resolved *ret, const struct ares_addr_port_node *s)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	const unsigned port = s->udp_port > 0 ? (unsigned)s->udp_port : NAMESERVER_PORT;

	if (s->family == AF_INET) {
		v4.sin_addr = s->addr.addr4;
		add_address(ret, (const struct sockaddr *)&v4, sizeof(v4), port);
	} else {
		memcpy(&v6.sin6_addr, &s->addr.addr6, sizeof(v6.sin6_addr));
		add_address(ret, (const struct sockaddr *)&v6, sizeof(v6), port);
	}
}

void resolver_servers(struct resolver *r, struct resolved *ret)
{
	struct ares_addr_port_node *list = NULL;

	*ret = (struct resolved){0};
	if (r->channel)
		follow_resolv_conf(r);
	else if (!make_channel(r, NULL))
		r->channel = NULL;
	if (!r->channel || ares_get_servers_ports(r->channel, &list) != ARES_SUCCESS)
		return;
	for (const struct ares_addr_port_node *s = list; s; s = s->next)
		add_server(ret, s);
	ares_free_data(list);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void init_library(void)
{
	if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		mem_panic("the resolver library cannot start");
}

struct resolver *resolver_new(struct loop *l, const char *servers, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct resolver *r = mem_new(struct resolver);

	pthread_once(&once, init_library);
	r->loop = l;
	r->servers = mem_strdup(servers);
	if (servers && !make_channel(r, err)) {
		free(r->servers);
		free(r);
		return NULL;
	}
	uv_timer_init(loop_uv(l), &r->timer);
	uv_unref((uv_handle_t *)&r->timer);
	r->timer.data = r;
	return r;
}

static void on_timer_closed(uv_handle_t *h)
{
	free(h->data);
}

void resolver_free(struct resolver *r)
{
	if (!r)
		return;
	r->freeing = true;
	while (r->calls) {
		/* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): deliver() takes it out of the list */
		end_with(r->calls, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
		deliver(r->calls);
	}
	ares_destroy(r->channel);
	free(r->servers);
	uv_close((uv_handle_t *)&r->timer, on_timer_closed);
}

char *resolved_text(const struct resolved *r)
{
	struct buf text = BUF(BUF_LINE);

	for (size_t i = 0; i < r->n; i++) {
		const struct sockaddr_storage *a = &r->address[i];
		char ip[INET6_ADDRSTRLEN];

		if (a->ss_family == AF_INET) {
			inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, ip,
				sizeof(ip));
			buf_printf(&text, "%s%s", i ? "," : "", ip);
		} else {
			inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, ip,
				sizeof(ip));
			buf_printf(&text, "%s[%s]", i ? "," : "", ip);
		}
	}
	return buf_take(&text);
}

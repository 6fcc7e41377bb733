/*
 * resolver.h - host names to addresses, c-ares on our loop; /etc/hosts and literals need no query.
 * Thread: the loop's.
 */
#ifndef NET_RESOLVER_H
#define NET_RESOLVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "net/loop.h"

struct resolver;
struct resolve_call;

#define RESOLVE_MAX 16

struct resolved {
	enum fault fault; /* NONE, RESOLVE, NXDOMAIN, TIMEOUT, CANCELLED, NO_DESCRIPTORS */
	char detail[128];
	bool queried; /* a query really left this machine */
	int64_t took_ns;
	size_t n; /* addresses, in the system's order of preference (RFC 6724) */
	struct sockaddr_storage address[RESOLVE_MAX];
};

typedef void resolve_done(void *arg, const struct resolved *r);

/* `servers` like "127.0.0.1:5353,::1" replaces resolv.conf's, or NULL. */
struct resolver *resolver_new(struct loop *l, const char *servers, struct error *err) must_check;
void resolver_free(struct resolver *r); /* cancels: their callbacks run in here */
/* family: AF_UNSPEC, AF_INET or AF_INET6. done is called once, never from in here. */
struct resolve_call *resolve(struct resolver *r, const char *host, unsigned port, int family,
	int64_t deadline_ns, resolve_done *done, void *arg);
void resolve_cancel(struct resolve_call *call);
/* The name servers it asks (resolv.conf's, or those it was made with) in order, as addresses with
 * ports; none when there is no configuration. Only n and address are set. */
void resolver_servers(struct resolver *r, struct resolved *ret);
/* "192.0.2.1,[2001:db8::1]", as curl takes them. Returns owned. */
char *resolved_text(const struct resolved *r);

#endif

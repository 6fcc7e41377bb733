/*
 * dns.h - one DNS question to one name server, timed: UDP, and TCP where the answer does not fit or
 * when asked for. Nothing is sent twice: a lost packet is a timeout. Thread: the loop's.
 */
#ifndef NET_DNS_H
#define NET_DNS_H

#include "net/dns_packet.h"
#include "net/phases.h"
#include "net/resolver.h"

struct dns_call;

struct dns_question {
	/* "192.0.2.1", "192.0.2.1:5353", "2001:db8::1", "[2001:db8::1]:53", a host name with or
	 * without a port; NULL: the machine's own resolvers, one after the other. */
	const char *server;
	const char *name, *type;
	bool tcp;       /* by TCP from the start */
	unsigned flags; /* DNS_... */
	int family;     /* of the server's address; AF_UNSPEC: any */
	int64_t deadline_ns;
};

struct dns_result {
	/* What dns_read() says, or RESOLVE, NXDOMAIN (of the server's own name), REFUSED,
	 * UNREACHABLE, CONNECTION_LOST, TIMEOUT, CANCELLED, LOCAL, NO_DESCRIPTORS. */
	enum fault fault;
	char detail[128];
	const struct dns_said *said; /* borrowed; NULL when no answer came */
	struct slice wire;           /* the same as it came; borrowed */
	bool tcp;                    /* the answer came by TCP */
	struct phases phases;        /* resolve (the server's name), connect (TCP), wait, total */
	char address[80];            /* "192.0.2.1:53" of the server asked last, "" if none was */
};

typedef void dns_done(void *arg, const struct dns_result *r);

/* Splits what `server` above may be; the host is owned, the port 53 when none is given. False: it
 * is neither an address nor a name. */
bool dns_server_split(const char *server, char **ret_host, unsigned *ret_port);
/* Copies the question. done is called once, never from in here. NULL with the error when the
 * question is none: the name, the type or the server is wrong. */
struct dns_call *dns_lookup(struct loop *l, struct resolver *r, const struct dns_question *q,
	dns_done *done, void *arg, struct error *err) must_check;
void dns_cancel(struct dns_call *c);

#endif

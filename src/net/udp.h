/*
 * udp.h - one exchange of datagrams with one address, timed. Nothing is sent twice. What the
 * network says about the datagram (ICMP) is heard: the socket is connected. Thread: the loop's.
 */
#ifndef NET_UDP_H
#define NET_UDP_H

#include "base/fault.h"
#include "base/slice.h"
#include "net/phases.h"
#include "net/resolver.h"

#define UDP_ANSWERS_MAX 64 /* datagrams that are looked at */

struct udp_call;

struct udp_question {
	const char *host;
	unsigned port;
	int family;
	struct slice send; /* may be empty: an empty datagram */
	int64_t deadline_ns;
	/* Looks at each datagram that comes: true ends the exchange. NULL: the first one does. */
	bool (*enough)(void *arg, struct slice datagram);
	/* How long nothing needs to come: then silence is good. 0: an answer must come. */
	int64_t silence_ns;
};

struct udp_result {
	/* NONE, RESOLVE, NXDOMAIN, REFUSED (nothing listens on the port), UNREACHABLE, TIMEOUT,
	 * CANCELLED, NO_DESCRIPTORS, LOCAL (the datagram is too long, ...), BODY_TOO_LARGE (too
	 * many came, and none was enough) */
	enum fault fault;
	char detail[128];
	struct phases phases; /* resolve; wait, to the datagram that was enough; total */
	char address[64];
	unsigned answers; /* datagrams that came */
};

typedef void udp_done(void *arg, const struct udp_result *r);

/* Copies the question. done is called once, never from in here. */
struct udp_call *udp_ask(struct loop *l, struct resolver *r, const struct udp_question *q,
	udp_done *done, void *arg);
void udp_cancel(struct udp_call *c);

#endif

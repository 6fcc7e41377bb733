/*
 * tcp.h - one TCP connection attempt, timed: does the port answer? Thread: the loop's.
 */
#ifndef NET_TCP_H
#define NET_TCP_H

#include "base/fault.h"
#include "net/phases.h"
#include "net/resolver.h"

struct tcp_call;

struct tcp_result {
	enum fault fault; /* NONE, RESOLVE, NXDOMAIN, REFUSED, UNREACHABLE, TIMEOUT, CANCELLED,
			     LOCAL */
	char detail[128];
	struct phases phases; /* resolve, connect, total */
	char address[64];
};

typedef void tcp_done(void *arg, const struct tcp_result *r);

/* Connects and closes. done is called once, never from in here. */
struct tcp_call *tcp_connect_check(struct loop *l, struct resolver *r, const char *host,
	unsigned port, int64_t deadline_ns, tcp_done *done, void *arg);
void tcp_cancel(struct tcp_call *call);

#endif

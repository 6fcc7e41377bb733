/*
 * ping.h - ICMP echo (RFC 792, RFC 4443) over a ping socket, or a raw socket where that is allowed.
 *
 * One pinger serves any number of targets on one socket a family. When the machine allows neither
 * kind of socket each ping ends with FAULT_NO_ICMP and says how to allow it. Thread: the loop's.
 */
#ifndef NET_PING_H
#define NET_PING_H

#include "base/fault.h"
#include "net/resolver.h"

struct pinger;
struct ping_call;

#define PING_SIZE     56 /* bytes after the ICMP header, as ping(8) */
#define PING_SIZE_MIN 16 /* what a call is told by */
#define PING_SIZE_MAX 65000

struct ping_result {
	/* NONE, TIMEOUT, UNREACHABLE, NO_ICMP, CANCELLED, LOCAL (it was not sent, or replies were
	 * thrown away here for lack of room: whether one came is not known) */
	enum fault fault;
	char detail[160];
	int64_t rtt_ns; /* kernel time stamps when it gives them */
	int hop_limit;  /* that the reply had left when it came; 0: not known */
	char address[64];
};

typedef void ping_done(void *arg, const struct ping_result *r);

struct pinger *pinger_new(struct loop *l, struct error *err) must_check;
void pinger_free(struct pinger *p); /* cancels */
/* Whether this machine can ping at all, and how: "ping socket", "raw socket", or the reason not. */
bool pinger_can(struct pinger *p, int family, const char **ret_how);
/* One echo request. `address` without port. done is called once, never from in here. */
struct ping_call *ping(struct pinger *p, const struct sockaddr_storage *address,
	int64_t deadline_ns, ping_done *done, void *arg);
/* The same with so many bytes after the ICMP header, PING_SIZE_MIN to PING_SIZE_MAX. */
struct ping_call *ping_sized(struct pinger *p, const struct sockaddr_storage *address, size_t size,
	int64_t deadline_ns, ping_done *done, void *arg);
void ping_cancel(struct ping_call *call);

#endif

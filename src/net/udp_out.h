/*
 * udp_out.h - datagrams to one address, one after another, unanswered: StatsD. What the network
 * says of one (ICMP: nothing listens) is heard with the next. Thread: the loop's.
 */
#ifndef NET_UDP_OUT_H
#define NET_UDP_OUT_H

#include "base/fault.h"
#include "base/slice.h"
#include "net/resolver.h"

struct udp_out;

/* NONE: it can be sent to; RESOLVE, NXDOMAIN, UNREACHABLE, TIMEOUT, NO_DESCRIPTORS, LOCAL. */
typedef void udp_out_ready(void *arg, enum fault fault, const char *detail);

/* Resolves the name within deadline_ns and connects a socket to its first address that takes one.
 * ready is called once, never from in here, unless it is closed before. */
struct udp_out *udp_out_open(struct resolver *r, const char *host, unsigned port,
	int64_t deadline_ns, udp_out_ready *ready, void *arg);
void udp_out_close(struct udp_out *u); /* NULL is fine; also from ready */
/* A datagram, once it is ready; never waits. NONE; REFUSED (of an earlier one), LOCAL (too long, no
 * room), UNREACHABLE. */
enum fault udp_out_send(struct udp_out *u, struct slice datagram);

#endif

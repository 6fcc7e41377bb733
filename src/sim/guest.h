/*
 * guest.h - what answers on the addresses of servers: an SSH server for each guest, and the TCP
 * port that stands for ping. See sim.h for where, docs/sim-guests.md for what a guest does.
 *
 * A guest is up when its server is ACTIVE or VERIFY_RESIZE and the loop's time has reached
 * server->up_ns; a change of server->boots ends the connections to it. It is reached from outside
 * while a floating IP that is ACTIVE leads to one of its ports over a router that is up, and the
 * port's groups let the packet in from WORLD_OUTSIDE.
 *
 * The guests live on a thread of their own, which has its own copy of what it needs; orders go
 * there through a queue. Thread: all functions belong to the loop's.
 */
#ifndef SIM_GUEST_H
#define SIM_GUEST_H

#include "base/error.h"
#include "sim/guest_world.h"

struct guest_services;
struct guests;
struct object;
struct sim;

#define GUEST_MAP_CIDR "127.77.4.0/24"

struct guests *guests_new(struct sim *s, struct error *err) must_check;
void guests_free(struct guests *g); /* ends all connections, joins the thread; NULL is fine */
unsigned guests_ssh_port(const struct guests *g);
unsigned guests_ping_port(const struct guests *g);
/* What stands for TCP port world_ports[i]. */
unsigned guests_tcp_port(const struct guests *g, size_t i);
/* What the guests serve, of all of them. Borrows. */
struct guest_services *guests_services(const struct guests *g);

/* Whether a packet from a load balancer (or its provider's health checks) to an address gets an
 * answer, as the cloud was a moment ago: an echo, or a TCP connection to something that is served
 * there. */
bool guests_answer(
	struct sim *s, const char *balancer, struct ip to, enum packet what, unsigned port);

/* Something a guest's reachability hangs on has changed (a server's state, a port, a floating IP, a
 * rule, a router): looks at all servers again, soon. Cheap to call often. */
void guests_changed(struct sim *s);

/* The server's disk is a new one (a rebuild): at its next boot the guest makes another host key and
 * takes key pair, name and user data anew. */
void guests_disk_new(struct sim *s, const char *server);

#endif

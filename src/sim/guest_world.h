/*
 * guest_world.h - the cloud as its guests see it: who is up, which addresses they have, how packets
 * get from one to another and in from outside.
 *
 * A picture, taken of the objects on the loop's thread and never changed after; counted, since the
 * loop's thread and the guests' share the newest. Thread: any, once it is made.
 */
#ifndef SIM_GUEST_WORLD_H
#define SIM_GUEST_WORLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/map.h"
#include "base/vec.h"
#include "sim/guest_disk.h"
#include "sim/ip.h"
#include "sim/object.h"
#include "sim/seed.h"

#define WORLD_DOORS 256 /* addresses of the network outside: 172.24.4.N */
/* Where packets from outside seem to come from. */
#define WORLD_OUTSIDE SEED_PUBLIC_GATEWAY
/* Where guests find the metadata service, by way of the router of their subnet. */
#define WORLD_METADATA      "169.254.169.254"
#define WORLD_METADATA_PORT 80

enum packet { PACKET_TCP, PACKET_ECHO };

struct world_rule {
	bool ingress;
	int version;    /* 4, 6 */
	int protocol;   /* of IP; -1: any */
	int min, max;   /* ports, or ICMP type and code; -1: any */
	bool by_prefix; /* `prefix` holds */
	struct prefix prefix;
	bool by_group;  /* `group` holds */
	unsigned group; /* place in `groups` */
};

struct world_group {
	VEC(struct world_rule) rules;
};

struct world_address {
	struct ip ip;
	unsigned subnet; /* place in `subnets` */
};

struct world_nic {
	char port[ID_TEXT];
	char mac[18];
	bool up;   /* the port and its network are */
	bool open; /* no port security: everything passes */
	VEC(struct world_address) addresses;
	VEC(unsigned) groups; /* places in `groups` */
};

struct world_disk {
	char name[16]; /* "vda" */
	int64_t gib;
};

struct world_guest {
	char id[ID_TEXT];
	unsigned boots;
	int64_t up_ns; /* of clock_system, whatever the clock of the cloud is */
	struct guest_disk *disk;
	VEC(struct world_nic) nics; /* eth0, eth1, … */
	VEC(struct world_disk) disks;
};

/* --- load balancers -----------------------------------------------------------------------------
 */

enum world_algorithm {
	WORLD_ROUND_ROBIN,
	WORLD_LEAST_CONNECTIONS,
	WORLD_SOURCE_IP,
	WORLD_SOURCE_IP_PORT
};

struct world_member {
	char id[ID_TEXT];
	struct ip ip;
	unsigned port, weight;
	bool up;     /* by the health checks, or because there are none */
	bool backup; /* only when no other is up */
};

enum world_keeping { WORLD_KEEP_NOTHING, WORLD_KEEP_COOKIE, WORLD_KEEP_SOURCE };

struct world_pool {
	char id[ID_TEXT];
	enum world_algorithm algorithm;
	enum world_keeping keeping;    /* which requests go to the same member */
	VEC(struct world_member) list; /* those that are switched on */
};

struct world_listener {
	unsigned port;
	bool http;     /* every request is balanced, not the connection */
	bool has_pool; /* `pool` holds */
	unsigned pool; /* place in `pools` */
	bool limited;  /* only `allowed` is let in */
	VEC(struct prefix) allowed;
};

struct world_check { /* where OVN's health checks come from in a subnet */
	struct ip ip;
	unsigned subnet;
};

struct world_balancer {
	char id[ID_TEXT];
	bool transparent;     /* OVN: members see who asks; who has no member refuses */
	struct world_nic nic; /* of the VIP; its groups let everything in */
	VEC(struct world_check) checks;
	VEC(struct world_pool) pools;
	VEC(struct world_listener) listeners;
};

struct world_router {
	bool up;
	struct ip outside; /* its address on the network outside; version 0: no gateway */
	VEC(struct ip) addresses;
};

struct world_subnet {
	struct prefix prefix;
	VEC(unsigned) routers; /* places in `routers` */
};

/* The TCP ports besides 22 that are reached from outside. */
#define WORLD_PORTS 4
extern const unsigned world_ports[WORLD_PORTS]; /* 80 443 8080 8081 */

/* One address of the network outside: of a guest, or of a load balancer. */
struct world_door {
	const struct world_guest *guest;       /* or NULL */
	const struct world_balancer *balancer; /* or NULL */
	const struct world_nic *nic;
	bool ssh, ping;        /* lets it in from outside */
	bool tcp[WORLD_PORTS]; /* the same; whether anybody listens is another question */
};

struct guest_world {
	int refs;
	VEC(struct world_guest) guests;
	VEC(struct world_balancer) balancers;
	struct map by_id;
	VEC(struct world_group) groups;
	VEC(struct world_subnet) subnets;
	VEC(struct world_router) routers;
	struct world_door doors[WORLD_DOORS];
};

struct guest_world *guest_world_ref(struct guest_world *w);
void guest_world_unref(struct guest_world *w); /* NULL is fine */

/* --- questions ------------------------------------------------------------------------------- */

const struct world_guest *world_guest(const struct guest_world *w, const char *id); /* or NULL */

/* Whether the groups of a nic let a packet in from (or out to) a peer. `peer_nic` NULL: the peer is
 * outside. `port` is of TCP. */
bool world_admits(const struct guest_world *w, const struct world_nic *nic, bool ingress,
	struct ip peer, const struct world_nic *peer_nic, enum packet what, unsigned port);

enum way {
	WAY_NO_ROUTE, /* the sender knows no way */
	WAY_LOST,     /* nobody is there, or a group drops it: silence */
	WAY_GUEST,    /* it arrives */
	WAY_BALANCER, /* at the VIP of a load balancer */
	WAY_ROUTER,   /* it reaches something that answers echo requests and refuses the rest */
};

struct world_end {
	enum way way;
	const struct world_guest *guest;       /* of WAY_GUEST */
	const struct world_balancer *balancer; /* of WAY_BALANCER */
	struct ip source;                      /* as seen there */
	const struct world_nic *source_nic;    /* NULL: from outside */
};

/* Where a packet of this guest to `to` ends. */
struct world_end world_way(const struct guest_world *w, const struct world_guest *from,
	struct ip to, enum packet what, unsigned port);

/* The address of a host on the internet that guests can ping by name (dns.google, dns.quad9.net);
 * false if there is none of that name. */
bool world_far_host(const char *name, struct ip *ret);

/* The guest that a packet sent on a subnet reaches, or NULL: nobody is there, or its groups drop
 * it. The sender's groups are not asked. */
const struct world_guest *world_target(const struct guest_world *w, unsigned subnet,
	struct ip source, const struct world_nic *source_nic, struct ip to, enum packet what,
	unsigned port);

/* The listener of a load balancer that lets in who asks, or NULL. */
const struct world_listener *world_listener(
	const struct world_balancer *b, unsigned port, struct ip source);
const struct world_balancer *world_balancer(const struct guest_world *w, const char *id);

#endif

/*
 * guest_world.h - the cloud as its guests see it: who is up, which addresses they have, how packets
 * get from one to another and in from outside.
 *
 * A picture, taken of the objects on the loop's thread and never changed after. Thread: any, once
 * it is made.
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

struct world_router {
	bool up;
	struct ip outside; /* its address on the network outside; version 0: no gateway */
	VEC(struct ip) addresses;
};

struct world_subnet {
	struct prefix prefix;
	VEC(unsigned) routers; /* places in `routers` */
};

/* One address of the network outside. */
struct world_door {
	const struct world_guest *guest; /* NULL: leads nowhere */
	const struct world_nic *nic;
	bool ssh, ping; /* lets it in from outside */
};

struct guest_world {
	VEC(struct world_guest) guests;
	struct map by_id;
	VEC(struct world_group) groups;
	VEC(struct world_subnet) subnets;
	VEC(struct world_router) routers;
	struct world_door doors[WORLD_DOORS];
};

void guest_world_free(struct guest_world *w); /* NULL is fine */

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
	WAY_ROUTER,   /* it reaches something that answers echo requests and refuses the rest */
};

/* Where a packet of this guest to `to` ends. *ret_guest is set for WAY_GUEST. */
enum way world_way(const struct guest_world *w, const struct world_guest *from, struct ip to,
	enum packet what, unsigned port, const struct world_guest **ret_guest);

#endif

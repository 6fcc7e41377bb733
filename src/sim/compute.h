/*
 * compute.h - nova, parts shared by the files of that service and what the guests look at.
 *
 * A server's document is what a member sees at the newest microversion; what the sim knows besides
 * stands in struct server, which is the object's `more`. Thread: the loop's.
 */
#ifndef SIM_COMPUTE_H
#define SIM_COMPUTE_H

#include "base/buf.h"
#include "sim/call.h"

struct server_nic {
	char port[ID_TEXT];
	bool ours; /* nova made the port and deletes it with the server */
	bool leak; /* by a fault, it does not */
};

struct server_disk {
	char volume[ID_TEXT];
	char attachment[ID_TEXT];
	char device[16];
	bool boot, delete_with_server;
};

struct server {
	char host[16], zone[8];
	char image[ID_TEXT];  /* "" when booted from a volume */
	char flavor[ID_TEXT]; /* of now; resize keeps the old one until it is confirmed */
	char old_flavor[ID_TEXT];
	char group[ID_TEXT]; /* server group, or "" */
	char *public_key;    /* OpenSSH line of its key pair, owned, or NULL */
	char *user_data;     /* base64, owned, or NULL */
	int64_t up_ns;       /* loop time since when its guest answers; INT64_MAX: it does not */
	bool no_metadata; /* by a fault: its guest knows neither key nor user data nor its name */
	unsigned boots;   /* times the guest has started */
	struct buf console;
	VEC(struct server_nic) nics;
	VEC(struct server_disk) disks;
	struct timer boot; /* of the guest */
};

static inline struct server *server_of(const struct object *o)
{
	return o->more;
}

#endif

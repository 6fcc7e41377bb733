/*
 * guest_picture.h - takes the picture of guest_world.h from the objects. Thread: the loop's.
 */
#ifndef SIM_GUEST_PICTURE_H
#define SIM_GUEST_PICTURE_H

#include "sim/guest_world.h"

struct sim;

/* In one pass over the objects. `disks` (server id -> struct guest_disk *) gains one of each guest
 * that boots for the first time and loses those of servers that are gone. *ret_next_ns: how long
 * until the next guest is up by itself, -1 if none. Returns owned. */
struct guest_world *guest_world_new(struct sim *s, struct map *disks, int64_t *ret_next_ns);

/* --- between the files of the picture -----------------------------------------------------------
 */

struct picture {
	struct sim *s;
	struct guest_world *w;
	/* id -> place + 1, as a pointer */
	struct map subnets, routers, groups;
	int64_t now_ns, next_ns;
};

bool picture_place(const struct map *m, const char *id, unsigned *ret);
/* `ret` is zeroed before. */
void picture_nic(const struct picture *p, const struct object *port, struct world_nic *ret);
/* After networks and groups. */
void picture_balancers(struct picture *p);

#endif

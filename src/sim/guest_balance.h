/*
 * guest_balance.h - what listens at the end of a way, and how a load balancer picks who serves.
 *
 * Thread: any, with a world that is kept meanwhile; `turns` belongs to the guests' thread.
 */
#ifndef SIM_GUEST_BALANCE_H
#define SIM_GUEST_BALANCE_H

#include "sim/guest_service.h"
#include "sim/guest_world.h"

/* Who asks a load balancer. */
struct balance_ask {
	const struct world_balancer *balancer;
	struct ip source;
	const struct world_nic *source_nic; /* NULL: from outside */
	unsigned source_port;
	struct slice member; /* id of the one that a cookie names, or empty */
};

/* Who is picked. */
struct balance_pick {
	const struct world_member *member; /* NULL: nobody serves */
	const struct world_guest *guest;
	char *text; /* that it serves, owned */
};

/* A member that is up and serves, by the pool's algorithm; one that turns out not to serve is
 * passed over, as haproxy does. Every pick is a turn. */
struct balance_pick balance_pick(const struct guest_world *w, struct guest_services *s,
	struct map *turns, const struct world_pool *pool, const struct balance_ask *q);

/* Whether a TCP connection would come about at the end of a way. */
bool balance_listens(const struct guest_world *w, struct guest_services *s,
	const struct world_end *end, unsigned port);
/* The same for what came through a door or from a guest to a load balancer's VIP. */
bool balance_accepts(const struct guest_world *w, struct guest_services *s,
	const struct balance_ask *q, unsigned port);

/* Whether a health check gets its answer. */
bool balance_check(const struct guest_world *w, struct guest_services *s,
	const struct world_balancer *b, struct ip to, enum packet what, unsigned port);

#endif

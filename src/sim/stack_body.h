/*
 * stack_body.h - the properties of a resource as the body of the request that makes it. Thread: the
 * loop's.
 */
#ifndef SIM_STACK_BODY_H
#define SIM_STACK_BODY_H

#include "sim/stack.h"

struct making {
	struct object *stack;
	json_t *resource;
	json_t *properties; /* worked out; changed by who makes the body */
};

/* Moves in[from] to in[to], as the id of what is meant by it, a name or an id. `in` is the
 * properties or some object inside; NULL is fine. */
void stack_refer(struct making *m, json_t *in, const char *from, const char *to, enum kind k);

/* Each changes m->properties into the body, without its wrapper. */
void stack_network_body(struct making *m); /* of groups too */
void stack_subnet_body(struct making *m);
void stack_port_body(struct making *m);
void stack_router_body(struct making *m);
void stack_floating_body(struct making *m);
void stack_volume_body(struct making *m);
void stack_server_body(struct making *m);

#endif

/*
 * route.h - which service and row a path belongs to. Thread: any (the tables are constant).
 */
#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include "sim/call.h"

extern const struct service identity_service, network_service, compute_service, volume_service,
	image_service, balancer_service, dns_service, objectstore_service, keymanager_service,
	stack_service, control_service;
extern const struct service build_service; /* of no path: what hosts are asked */

/* The service whose prefix `path` begins with; *ret_rest is what follows ("" or "/…"). NULL: none.
 */
const struct service *route_service(const char *path, const char **ret_rest);
/* Sets c->route, c->params and c->known_path from c->service, c->method and c->path. */
void route_find(struct call *c);
/* `*` matches any text, also empty; everything else itself. */
bool route_glob(const char *pattern, const char *text);

#endif

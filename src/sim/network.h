/*
 * network.h - neutron, parts shared by the files of that service.
 *
 * Every resource is a row: its attributes (who may set and filter them) and four hooks. What all
 * resources have in common - validation, filters, paging, fields, revisions, tags - stands in
 * network_attr.c, network_list.c and network.c. Thread: the loop's.
 */
#ifndef SIM_NETWORK_H
#define SIM_NETWORK_H

#include "sim/call.h"
#include "sim/ip.h"

enum attr_type {
	ATTR_ANY,
	ATTR_BOOL,
	ATTR_TEXT, /* at most 255 */
	ATTR_UUID,
	ATTR_UUID_OR_NULL,
	ATTR_UUIDS,
	ATTR_INT,
	ATTR_IP_OR_NULL,
	ATTR_CIDR,
	ATTR_WORDS, /* one of `words`, separated by spaces */
	ATTR_LIST,
	ATTR_MAP_OR_NULL,
	ATTR_FREE_NAME, /* a name that is not "default" */
};

enum attr_flags {
	ATTR_POST = 1,
	ATTR_PUT = 2,
	ATTR_FILTER = 4,
	ATTR_REQUIRED = 8,
	ATTR_ADMIN = 16,  /* members may not set it: 403 */
	ATTR_SECRET = 32, /* members do not see it */
};

struct attr {
	const char *name;
	enum attr_type type;
	unsigned flags;
	const char *otherwise; /* JSON text of the default; NULL: none */
	const char *words;
};

struct resource {
	enum kind kind;
	const char *name, *collection;
	const char *missing_type, *missing_text; /* of the 404, the text with one %s */
	const struct attr *attrs;
	size_t n;
	bool tags;
	/* Checks a create and completes `in`; false when it has answered. May be NULL. */
	bool (*check)(struct call *c, json_t *in);
	/* The object is there, with everything of `in` in its document. May be NULL. */
	void (*created)(struct call *c, struct object *o);
	/* Checks and applies a change; what is left in `in` is then put into the document. */
	bool (*change)(struct call *c, struct object *o, json_t *in);
	/* Checks and does a delete, but for the object itself. */
	bool (*remove)(struct call *c, struct object *o);
	/* Adds what is computed to a view of it. May be NULL. */
	void (*show)(struct sim *s, const struct object *o, json_t *view);
};

extern const struct resource network_resource, subnet_resource, port_resource, router_resource,
	group_resource, rule_resource, floating_ip_resource;

/* NULL: there is no such collection. */
const struct resource *resource_of(const char *collection);
const struct resource *resource_of_kind(enum kind k);

/* --- network.c ------------------------------------------------------------------------------- */

/* The object by id if this project may see it, else NULL after a 404 answer. */
struct object *network_find(struct call *c, const struct resource *r, const char *id);
/* Answers 404 in the resource's words. */
void network_missing(struct call *c, const struct resource *r, const char *id);
bool network_visible(const struct call *c, const struct object *o);
json_t *network_view(struct sim *s, const struct resource *r, const struct object *o);
/* An object of this kind with the document's common fields. Takes nothing. */
struct object *network_object(struct sim *s, enum kind k, const char *id, const char *project,
	const char *user, enum made_by by);
void network_touch(struct object *o); /* updated_at and revision_number */
bool network_quota(struct call *c, const struct resource *r);
void network_seed(struct sim *s);
void network_fail(struct call *c, int status, const char *type, const char *fmt, ...)
	like_printf(4, 5);

/* --- network_attr.c -------------------------------------------------------------------------- */

/* Checks a body against the table; for a create also fills in defaults. Returns an owned new
 * object, or NULL after an answer. */
json_t *attrs_check(struct call *c, const struct resource *r, const json_t *in, bool create);

/* --- network_list.c -------------------------------------------------------------------------- */

void network_list(struct call *c, const struct resource *r);

/* --- network_subnet.c, network_port.c: addresses --------------------------------------------- */

bool subnet_prefix(const struct object *subnet, struct prefix *ret);
/* Whether a port has this address on the network. */
struct object *address_user(struct sim *s, const char *network, struct ip a);
/* A free address of a subnet's pools; version 0 when there is none. */
struct ip address_draw(struct sim *s, const struct object *subnet);

struct port_plan { /* a port that a service makes */
	const char *project, *network, *name, *device_id, *owner;
	json_t *fixed_ips;       /* [{subnet_id, ip_address}], taken */
	json_t *security_groups; /* ids, taken; NULL: none */
	enum made_by by;
};
struct object *port_make(struct sim *s, const struct port_plan *plan);
/* Gives the port one address on each subnet family of its network as neutron does when no
 * fixed_ips are asked for. Returns an owned list, or NULL: no address is left. */
json_t *port_addresses(struct sim *s, const struct object *network);
void port_bind(struct object *port, const char *device_id, const char *owner, const char *host);
void port_unbind(struct object *port);
void port_set_status(struct object *port, const char *status);
/* Removes a port and what hangs on it (floating IPs become free). */
void port_remove(struct object *port);
bool port_in_group(const struct object *port, const char *group);
struct object *group_default(struct sim *s, const char *project);

/* Takes floating IPs off a port that goes away, or one fixed address of it. */
void floating_release(struct sim *s, const char *port);
/* Whether a floating IP needs this router's interface on the subnet (NULL: its gateway). */
bool floating_needs(struct sim *s, const char *router, const char *subnet);
/* The router that joins a subnet with an external network, or NULL. */
struct object *router_between(struct sim *s, const char *subnet, const char *external);
/* The interface port of a router on a subnet, or NULL. */
struct object *router_port(struct sim *s, const char *router, const char *subnet);

/* Whether availability_zone_hints name a zone there is; answers otherwise. */
bool zone_hints_check(struct call *c, const json_t *in);

/* Handlers of their own. */
void router_add_interface(struct call *c);
void router_remove_interface(struct call *c);
void router_add_routes(struct call *c);
void router_remove_routes(struct call *c);
/* Whether every next hop is reachable; answers otherwise. */
bool routes_check(struct call *c, struct object *router, json_t *routes);
bool routes_need(const struct object *router, struct prefix p);
void tags_list(struct call *c);
void tags_replace(struct call *c);
void tags_clear(struct call *c);
void tags_add(struct call *c);
void tags_show(struct call *c);
void tags_remove(struct call *c);
void network_extensions(struct call *c);
void network_extension(struct call *c);
void network_quota_show(struct call *c);
void network_quota_details(struct call *c);
void network_quota_default(struct call *c);
void network_zones(struct call *c);
void network_agents(struct call *c);
void network_availability(struct call *c);

#endif

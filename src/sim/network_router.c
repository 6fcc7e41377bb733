/*
 * network_router.c - routers: gateways, interfaces, routes.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/seed.h"
#include "sim/state.h"

#define POST_PUT  (ATTR_POST | ATTR_PUT)
#define INTERFACE "network:router_interface"
#define GATEWAY   "network:router_gateway"

static const struct attr attrs[] = {
	{"name", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"admin_state_up", ATTR_BOOL, POST_PUT | ATTR_FILTER, "true"},
	{"external_gateway_info", ATTR_MAP_OR_NULL, POST_PUT, "null"},
	{"availability_zone_hints", ATTR_LIST, ATTR_POST, "[]"},
	{"routes", ATTR_LIST, ATTR_PUT, "[]"},
	{"status", ATTR_TEXT, ATTR_FILTER, "\"ACTIVE\""},
	{"flavor_id", ATTR_UUID_OR_NULL, ATTR_POST | ATTR_FILTER, "null"},
	{"availability_zones", ATTR_LIST, 0},
	{"ha", ATTR_BOOL, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
	{"distributed", ATTR_BOOL, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
};

/* --- ports of routers ------------------------------------------------------------------------- */

static const char *fixed(const struct object *port, const char *key)
{
	return json_str(json_array_get(json_object_get(port->doc, "fixed_ips"), 0), key);
}

static bool is_port_of(const struct object *port, const char *router, const char *owner)
{
	return !strcmp(object_str(port, "device_id"), router) &&
	       !strcmp(object_str(port, "device_owner"), owner);
}

struct object *router_port(struct sim *s, const char *router, const char *subnet)
{
	OBJECT_EACH (s, KIND_PORT, p) {
		const char *own = fixed(p, "subnet_id");
		if (is_port_of(p, router, INTERFACE) && own && !strcmp(own, subnet))
			return p;
	}
	return NULL;
}

static struct object *gateway_port(struct sim *s, const char *router)
{
	OBJECT_EACH (s, KIND_PORT, p)
		if (is_port_of(p, router, GATEWAY))
			return p;
	return NULL;
}

struct object *router_between(struct sim *s, const char *subnet, const char *external)
{
	OBJECT_EACH (s, KIND_ROUTER, r) {
		const char *gateway =
			json_str(json_object_get(r->doc, "external_gateway_info"), "network_id");
		if (gateway && !strcmp(gateway, external) && router_port(s, r->id, subnet))
			return r;
	}
	return NULL;
}

/* --- gateways --------------------------------------------------------------------------------- */

static bool gateway_check(struct call *c, json_t *in)
{
	json_t *info = json_object_get(in, "external_gateway_info");
	if (!json_is_object(info))
		return true;
	const char *id = json_str(info, "network_id");
	if (json_object_get(info, "enable_snat")) {
		call_fail(c, 403, "PolicyNotAuthorized",
			"(rule:create_router and (rule:create_router:external_gateway_info and "
			"(rule:create_router:external_gateway_info:network_id and "
			"rule:create_router:external_gateway_info:enable_snat))) is disallowed by policy");
		return false;
	}
	if (!id) {
		call_fail(c, 400, "HTTPBadRequest",
			"Invalid input for external_gateway_info. Reason: Validation of dictionary's keys "
			"failed. Expected keys: {'network_id'}.");
		return false;
	}
	const struct object *network = network_find(c, &network_resource, id);
	if (!network)
		return false;
	if (json_flag(network->doc, "router:external"))
		return true;
	call_fail(c, 400, "BadRequest",
		"Bad router request: Network %s is not an external network.", id);
	return false;
}

static bool gateway_set(struct call *c, struct object *router, json_t *in)
{
	struct sim *s = c->sim;
	json_t *info = json_object_get(in, "external_gateway_info");
	struct object *old = gateway_port(s, router->id);
	if (!info)
		return true;
	if (old && floating_needs(s, router->id, NULL)) {
		call_fail(c, 409, "RouterExternalGatewayInUseByFloatingIp",
			"Gateway cannot be updated for router %s, since a gateway to external network %s is "
			"required by one or more floating IPs.",
			router->id, object_str(old, "network_id"));
		return false;
	}
	if (old)
		object_remove(old);
	if (!json_is_object(info))
		return true;
	const char *id = json_str(info, "network_id");
	json_t *addresses = port_addresses(s, object_get(s, KIND_NETWORK, id));
	if (!addresses) {
		call_fail(c, 409, "IpAddressGenerationFailure",
			"No more IP addresses available on network %s.", id);
		return false;
	}
	const struct port_plan plan = {.project = "",
		.network = id,
		.name = "",
		.device_id = router->id,
		.owner = GATEWAY,
		.fixed_ips = json_incref(addresses),
		.by = MADE_BY_NEUTRON};
	port_set_status(port_make(s, &plan), "ACTIVE");
	json_object_set_new(in, "external_gateway_info",
		json_pack("{s:s, s:b, s:o}", "network_id", id, "enable_snat", 1,
			"external_fixed_ips", addresses));
	return true;
}

/* --- the resource ----------------------------------------------------------------------------- */

static bool check(struct call *c, json_t *in)
{
	return zone_hints_check(c, in) && gateway_check(c, in);
}

static void created(struct call *c, struct object *o)
{
	if (gateway_set(c, o, o->doc))
		return;
	object_remove(o); /* no address was left: it has answered */
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	json_t *routes = json_object_get(in, "routes");
	return gateway_check(c, in) && (!routes || routes_check(c, o, routes)) &&
	       gateway_set(c, o, in);
}

static bool remove_router(struct call *c, struct object *o)
{
	OBJECT_EACH (c->sim, KIND_PORT, p)
		if (is_port_of(p, o->id, INTERFACE)) {
			call_fail(c, 409, "RouterInUse", "Router %s has ports still attached: %s",
				o->id, p->id);
			return false;
		}
	struct object *gateway = gateway_port(c->sim, o->id);
	if (gateway)
		object_remove(gateway);
	return true;
}

static void show(struct sim *s, const struct object *o, json_t *view)
{
	json_object_set_new(view, "availability_zones", json_pack("[s]", sim_zones[0]));
}

const struct resource router_resource = {
	.kind = KIND_ROUTER,
	.name = "router",
	.collection = "routers",
	.missing_type = "RouterNotFound",
	.missing_text = "Router %s could not be found",
	.attrs = attrs,
	.n = array_len(attrs),
	.tags = true,
	.check = check,
	.created = created,
	.change = change,
	.remove = remove_router,
	.show = show,
};

/* --- interfaces ------------------------------------------------------------------------------- */

static void interface_answer(
	struct call *c, const struct object *router, const char *port, const struct object *subnet)
{
	call_json(c, 200,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:[s]}", "id", router->id, "tenant_id",
			router->project, "port_id", port, "network_id",
			object_str(subnet, "network_id"), "subnet_id", subnet->id, "subnet_ids",
			subnet->id));
}

/* The router of the path and the subnet (or the port's subnet) of the body. */
static struct object *router_and_subnet(
	struct call *c, struct object **ret_subnet, struct object **ret_port)
{
	struct object *router = network_find(c, &router_resource, c->params[0]);
	const char *subnet = json_str(c->body, "subnet_id"), *port = json_str(c->body, "port_id");
	*ret_port = NULL;
	if (!router)
		return NULL;
	if (!subnet == !port) {
		call_fail(c, 400, "BadRequest", "Bad router request: %s.",
			subnet ? "Cannot specify both subnet-id and port-id"
			       : "Either subnet_id or port_id must be specified");
		return NULL;
	}
	if (port) {
		*ret_port = network_find(c, &port_resource, port);
		subnet = *ret_port ? fixed(*ret_port, "subnet_id") : NULL;
		if (*ret_port && !subnet)
			call_fail(c, 400, "BadRequest",
				"Bad router request: Port %s has no fixed IP.", port);
	}
	*ret_subnet = subnet ? network_find(c, &subnet_resource, subnet) : NULL;
	return *ret_subnet ? router : NULL;
}

static bool may_join(struct call *c, const struct object *router, const struct object *subnet)
{
	struct prefix own, other;
	if (router_port(c->sim, router->id, subnet->id)) {
		call_fail(c, 400, "BadRequest",
			"Bad router request: Router already has a port on subnet %s.", subnet->id);
		return false;
	}
	OBJECT_EACH (c->sim, KIND_PORT, p) {
		const struct object *there =
			is_port_of(p, router->id, INTERFACE)
				? object_get(c->sim, KIND_SUBNET, fixed(p, "subnet_id"))
				: NULL;
		if (!there || !subnet_prefix(there, &other) || !subnet_prefix(subnet, &own) ||
			!prefix_overlaps(own, other))
			continue;
		call_fail(c, 400, "BadRequest",
			"Bad router request: Cidr %s of subnet %s overlaps with cidr %s of subnet %s.",
			object_str(subnet, "cidr"), subnet->id, object_str(there, "cidr"),
			there->id);
		return false;
	}
	return true;
}

void router_add_interface(struct call *c)
{
	struct object *subnet, *port;
	struct object *router = router_and_subnet(c, &subnet, &port);
	struct ip gateway;
	if (!router || !may_join(c, router, subnet))
		return;
	const char *address = object_str(subnet, "gateway_ip");
	if (!port && !ip_parse(address, &gateway)) {
		call_fail(c, 400, "BadRequest",
			"Bad router request: Subnet for router interface must have a gateway IP.");
		return;
	}
	if (!port && address_user(c->sim, object_str(subnet, "network_id"), gateway)) {
		call_fail(c, 409, "IpAddressAlreadyAllocated",
			"IP address %s already allocated in subnet %s", address, subnet->id);
		return;
	}
	if (!port) {
		const struct port_plan plan = {.project = router->project,
			.network = object_str(subnet, "network_id"),
			.name = "",
			.device_id = router->id,
			.owner = INTERFACE,
			.fixed_ips = json_pack(
				"[{s:s, s:s}]", "subnet_id", subnet->id, "ip_address", address),
			.by = MADE_BY_NEUTRON};
		port = port_make(c->sim, &plan);
	} else {
		port_bind(port, router->id, INTERFACE, "lab1");
	}
	port_set_status(port, "ACTIVE");
	rule_changed(c, router, false);
	network_touch(router);
	guests_changed(c->sim);
	interface_answer(c, router, port->id, subnet);
}

void router_remove_interface(struct call *c)
{
	struct object *subnet, *port;
	struct object *router = router_and_subnet(c, &subnet, &port);
	struct prefix p;
	if (!router)
		return;
	struct object *mine = router_port(c->sim, router->id, subnet->id);
	if (!mine) {
		call_fail(c, 404, "RouterInterfaceNotFoundForSubnet",
			"Router %s has no interface on subnet %s", router->id, subnet->id);
		return;
	}
	if (floating_needs(c->sim, router->id, subnet->id)) {
		call_fail(c, 409, "RouterInterfaceInUseByFloatingIP",
			"Router interface for subnet %s on router %s cannot be deleted, as it is required by "
			"one or more floating IPs.",
			subnet->id, router->id);
		return;
	}
	if (subnet_prefix(subnet, &p) && routes_need(router, p)) {
		call_fail(c, 409, "RouterInterfaceInUseByRoute",
			"Router interface for subnet %s on router %s cannot be deleted, as it is required by "
			"one or more routes.",
			subnet->id, router->id);
		return;
	}
	char id[ID_TEXT];
	snprintf(id, sizeof(id), "%s", mine->id);
	object_remove(mine);
	rule_changed(c, router, false);
	network_touch(router);
	guests_changed(c->sim);
	interface_answer(c, router, id, subnet);
}

/* --- routes ----------------------------------------------------------------------------------- */

bool routes_need(const struct object *router, struct prefix p)
{
	json_t *route;
	struct ip hop;
	size_t i;
	json_array_foreach (json_object_get(router->doc, "routes"), i, route)
		if (ip_parse(json_str(route, "nexthop"), &hop) && prefix_has(p, hop))
			return true;
	return false;
}

static bool hop_reachable(struct sim *s, const struct object *router, struct ip hop)
{
	struct prefix p;
	OBJECT_EACH (s, KIND_PORT, port) {
		const char *id = fixed(port, "subnet_id");
		const struct object *subnet =
			!strcmp(object_str(port, "device_id"), router->id) && id
				? object_get(s, KIND_SUBNET, id)
				: NULL;
		if (subnet && subnet_prefix(subnet, &p) && prefix_has(p, hop))
			return true;
	}
	return false;
}

bool routes_check(struct call *c, struct object *router, json_t *routes)
{
	json_t *route;
	struct prefix to;
	struct ip hop;
	size_t i;
	json_array_foreach (routes, i, route) {
		const char *destination = json_str(route, "destination"),
			   *next = json_str(route, "nexthop");
		if (!destination || !next || !prefix_parse(destination, &to, NULL) ||
			!ip_parse(next, &hop)) {
			call_fail(c, 400, "HTTPBadRequest",
				"Invalid input for routes. Reason: Invalid data format for hostroute.");
			return false;
		}
		if (!hop_reachable(c->sim, router, hop)) {
			call_fail(c, 400, "InvalidRoutes",
				"Invalid format for routes: [{'destination': '%s', 'nexthop': '%s'}], the nexthop "
				"is not connected with router",
				destination, next);
			return false;
		}
	}
	return true;
}

static void change_routes(struct call *c, bool add)
{
	struct object *router = network_find(c, &router_resource, c->params[0]);
	json_t *in = router ? call_wrapped(c, "router") : NULL;
	json_t *asked = json_object_get(in, "routes"), *route, *old;
	size_t i, k;
	if (!in || (add && !routes_check(c, router, asked)))
		return;
	json_t *routes = json_deep_copy(json_object_get(router->doc, "routes"));
	json_array_foreach (asked, i, route) {
		for (k = 0; k < json_array_size(routes); k++) {
			old = json_array_get(routes, k);
			if (json_equal(old, route))
				break;
		}
		if (add && k == json_array_size(routes))
			json_array_append(routes, route);
		else if (!add && k < json_array_size(routes))
			json_array_remove(routes, k);
	}
	object_set(router, "routes", routes);
	rule_changed(c, router, false);
	network_touch(router);
	call_json(c, 200,
		json_pack("{s:o}", "router", network_view(c->sim, &router_resource, router)));
}

void router_add_routes(struct call *c)
{
	change_routes(c, true);
}

void router_remove_routes(struct call *c)
{
	change_routes(c, false);
}

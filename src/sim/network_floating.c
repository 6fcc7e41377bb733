/*
 * network_floating.c - floating IPs: an address outside, and perhaps the port it leads to.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

#define POST_PUT (ATTR_POST | ATTR_PUT)

static const struct attr attrs[] = {
	{"floating_network_id", ATTR_UUID, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED},
	{"floating_ip_address", ATTR_TEXT, ATTR_POST | ATTR_FILTER},
	{"fixed_ip_address", ATTR_IP_OR_NULL, POST_PUT | ATTR_FILTER, "null"},
	{"port_id", ATTR_UUID_OR_NULL, POST_PUT | ATTR_FILTER, "null"},
	{"subnet_id", ATTR_UUID_OR_NULL, ATTR_POST | ATTR_SECRET},
	{"router_id", ATTR_UUID_OR_NULL, ATTR_FILTER},
	{"status", ATTR_TEXT, ATTR_FILTER},
	{"port_details", ATTR_ANY, 0},
};

/* --- leading to a port ------------------------------------------------------------------------ */

/* The first address of the family, or the one that is asked for. */
static const json_t *fixed_of(const struct object *port, const char *wanted)
{
	json_t *f;
	size_t i;
	struct ip a;
	json_array_foreach (json_object_get(port->doc, "fixed_ips"), i, f) {
		const char *address = json_str(f, "ip_address");
		if (wanted ? !strcmp(address, wanted) : ip_parse(address, &a) && a.version == 4)
			return f;
	}
	return NULL;
}

static bool already_used(
	struct call *c, const struct object *self, const char *port, const char *address)
{
	OBJECT_EACH (c->sim, KIND_FLOATING_IP, o) {
		if (o == self || strcmp(object_str(o, "port_id"), port) ||
			strcmp(object_str(o, "fixed_ip_address"), address))
			continue;
		call_fail(c, 409, "FloatingIPPortAlreadyAssociated",
			"Cannot associate floating IP %s (%s) with port %s using fixed IP %s, as that fixed "
			"IP already has a floating IP on external network %s.",
			object_str(o, "floating_ip_address"), o->id, port, address,
			object_str(o, "floating_network_id"));
		return true;
	}
	return false;
}

/* Completes `in` with where the port leads; false when it has answered. */
static bool associate(struct call *c, const struct object *self, const char *external,
	const char *port_id, json_t *in)
{
	const struct object *port = network_find(c, &port_resource, port_id);
	const json_t *f = port ? fixed_of(port, json_str(in, "fixed_ip_address")) : NULL;
	if (!port)
		return false;
	if (!f) {
		call_fail(c, 400, "BadRequest",
			"Bad floatingip request: Cannot add floating IP to port %s that has no fixed IPv4 "
			"addresses.",
			port_id);
		return false;
	}
	const struct object *router = router_between(c->sim, json_str(f, "subnet_id"), external);
	if (!router) {
		call_fail(c, 404, "ExternalGatewayForFloatingIPNotFound",
			"External network %s is not reachable from subnet %s.  Therefore, cannot associate "
			"Port %s with a Floating IP.",
			external, json_str(f, "subnet_id"), port_id);
		return false;
	}
	if (already_used(c, self, port_id, json_str(f, "ip_address")))
		return false;
	json_object_set_new(in, "port_id", json_string(port_id));
	json_object_set_new(in, "fixed_ip_address", json_string(json_str(f, "ip_address")));
	json_object_set_new(in, "router_id", json_string(router->id));
	return true;
}

static void clear(json_t *in)
{
	json_object_set_new(in, "port_id", json_null());
	json_object_set_new(in, "fixed_ip_address", json_null());
	json_object_set_new(in, "router_id", json_null());
}

/* With OVN a server must have taken the port; a load balancer never takes the port of its VIP. */
static bool is_taken(const struct object *port)
{
	return *object_str(port, "device_id") ||
	       !strncmp(object_str(port, "name"), "ovn-lb-vip-", 11);
}

/* The router's agent says so a moment later: ACTIVE with a port, DOWN without, ERROR when it could
 * not set it up. Whether a server must have that port is a matter of the driver. */
static void on_status(struct timer *t)
{
	struct object *o = t->arg;
	const struct object *port = object_get(o->sim, KIND_PORT, object_str(o, "port_id"));
	const bool up = port && (!o->sim->ovn || is_taken(port));
	const bool failed = up && json_object_get(o->doc, ".error");
	const char *status = failed ? "ERROR" : up && !o->stuck ? "ACTIVE" : "DOWN";
	object_set_str(o, "status", status);
	guests_changed(o->sim);
	if (port && !strcmp(status, "DOWN"))
		object_after(o, draw_time_ns(&o->sim->draw, TIME_FLOATING_IP), on_status);
}

static void soon(struct object *o)
{
	object_after(o, draw_time_ns(&o->sim->draw, TIME_FLOATING_IP), on_status);
}

void floating_release(struct sim *s, const char *port)
{
	OBJECT_EACH (s, KIND_FLOATING_IP, o)
		if (!strcmp(object_str(o, "port_id"), port)) {
			clear(o->doc);
			soon(o);
			network_touch(o);
			guests_changed(s);
		}
}

bool floating_needs(struct sim *s, const char *router, const char *subnet)
{
	OBJECT_EACH (s, KIND_FLOATING_IP, o) {
		if (strcmp(object_str(o, "router_id"), router))
			continue;
		const struct object *port = object_get(s, KIND_PORT, object_str(o, "port_id"));
		const json_t *f = port ? fixed_of(port, object_str(o, "fixed_ip_address")) : NULL;
		if (!subnet || (f && !strcmp(json_str(f, "subnet_id"), subnet)))
			return true;
	}
	return false;
}

/* --- the resource ----------------------------------------------------------------------------- */

static bool address_take(struct call *c, json_t *in)
{
	const char *network = json_str(in, "floating_network_id");
	const char *wanted = json_str(in, "floating_ip_address");
	const struct object *subnet = object_get(c->sim, KIND_SUBNET, c->sim->net.public_subnet);
	struct ip a = {0};
	char text[IP_TEXT];
	if (wanted) {
		call_fail(c, 403, "PolicyNotAuthorized",
			"(rule:create_floatingip and rule:create_floatingip:floating_ip_address) is disallowed "
			"by policy");
		return false;
	}
	a = address_draw(c->sim, subnet);
	if (!a.version) {
		call_fail(c, 409, "IpAddressGenerationFailure",
			"No more IP addresses available on network %s.", network);
		return false;
	}
	json_object_set_new(in, "floating_ip_address", json_string(ip_text(a, text)));
	return true;
}

static bool check(struct call *c, json_t *in)
{
	const char *external = json_str(in, "floating_network_id"), *port = json_str(in, "port_id");
	const struct object *network = network_find(c, &network_resource, external);
	if (!network)
		return false;
	if (!json_flag(network->doc, "router:external")) {
		call_fail(c, 400, "BadRequest",
			"Bad floatingip request: Network %s is not a valid external network.",
			external);
		return false;
	}
	/* An address is drawn first, as neutron does: a refused one is burnt for a while. */
	if (!address_take(c, in))
		return false;
	json_object_set_new(in, "status", json_string("DOWN"));
	if (port) /* and perhaps a fixed address of it, which associate() looks at */
		return associate(c, NULL, external, port, in);
	clear(in);
	return true;
}

static void created(struct call *c, struct object *o)
{
	const struct port_plan plan = {.project = "",
		.network = object_str(o, "floating_network_id"),
		.name = "",
		.device_id = o->id,
		.owner = "network:floatingip",
		.fixed_ips = json_pack("[{s:s, s:s}]", "subnet_id", c->sim->net.public_subnet,
			"ip_address", object_str(o, "floating_ip_address")),
		.by = MADE_BY_NEUTRON};
	port_make(c->sim, &plan);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".error", json_true());
	if (*object_str(o, "port_id"))
		soon(o);
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	const char *port = json_str(in, "port_id");
	if (!json_object_get(in, "port_id") && !json_object_get(in, "fixed_ip_address"))
		return true;
	if (!port) {
		clear(in);
		soon(o);
		return true;
	}
	if (!associate(c, o, object_str(o, "floating_network_id"), port, in))
		return false;
	soon(o);
	return true;
}

static bool remove_floating(struct call *c, struct object *o)
{
	OBJECT_EACH_BACK (c->sim, KIND_PORT, p)
		if (!strcmp(object_str(p, "device_id"), o->id))
			object_remove(p);
	return true;
}

static void show(struct sim *s, const struct object *o, json_t *view)
{
	const struct object *port = object_get(s, KIND_PORT, object_str(o, "port_id"));
	json_object_set_new(view, "port_details",
		port ? json_pack("{s:s, s:s, s:s, s:b, s:s, s:s, s:s}", "name",
			       object_str(port, "name"), "network_id",
			       object_str(port, "network_id"), "mac_address",
			       object_str(port, "mac_address"), "admin_state_up", 1, "status",
			       object_str(port, "status"), "device_id",
			       object_str(port, "device_id"), "device_owner",
			       object_str(port, "device_owner"))
		     : json_null());
}

const struct resource floating_ip_resource = {
	.kind = KIND_FLOATING_IP,
	.name = "floatingip",
	.collection = "floatingips",
	.missing_type = "FloatingIPNotFound",
	.missing_text = "Floating IP %s could not be found",
	.attrs = attrs,
	.n = array_len(attrs),
	.tags = true,
	.check = check,
	.created = created,
	.change = change,
	.remove = remove_floating,
	.show = show,
};

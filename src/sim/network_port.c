/*
 * network_port.c - ports, those of members and those that services make.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

#define POST_PUT (ATTR_POST | ATTR_PUT)
#define VNIC_TYPES                                                                                 \
	"normal direct macvtap baremetal direct-physical virtio-forwarder smart-nic vdpa "         \
	"accelerator-direct accelerator-direct-physical remote-managed"

static const struct attr attrs[] = {
	{"name", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"network_id", ATTR_UUID, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED},
	{"admin_state_up", ATTR_BOOL, POST_PUT | ATTR_FILTER, "true"},
	{"mac_address", ATTR_TEXT, ATTR_POST | ATTR_FILTER},
	{"fixed_ips", ATTR_LIST, POST_PUT | ATTR_FILTER},
	{"device_id", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"device_owner", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"status", ATTR_TEXT, ATTR_FILTER},
	{"ip_allocation", ATTR_TEXT, 0, "\"immediate\""},
	{"security_groups", ATTR_UUIDS, POST_PUT | ATTR_FILTER},
	{"allowed_address_pairs", ATTR_LIST, POST_PUT, "[]"},
	{"extra_dhcp_opts", ATTR_LIST, POST_PUT, "[]"},
	{"port_security_enabled", ATTR_BOOL, POST_PUT, "true"},
	{"binding:vnic_type", ATTR_WORDS, POST_PUT, "\"normal\"", VNIC_TYPES},
	{"binding:host_id", ATTR_TEXT, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
	{"binding:profile", ATTR_MAP_OR_NULL, POST_PUT | ATTR_ADMIN | ATTR_SECRET},
	{"binding:vif_type", ATTR_TEXT, ATTR_SECRET},
	{"binding:vif_details", ATTR_ANY, ATTR_SECRET},
	{"resource_request", ATTR_ANY, ATTR_SECRET},
	{"device_profile", ATTR_ANY, ATTR_POST | ATTR_SECRET},
	{"numa_affinity_policy", ATTR_ANY, POST_PUT | ATTR_SECRET},
};

/* --- addresses ----------------------------------------------------------------------------------
 */

static struct object *subnet_for(struct sim *s, const char *network, struct ip a)
{
	struct prefix p;

	OBJECT_EACH (s, KIND_SUBNET, o)
		if (!strcmp(object_str(o, "network_id"), network) && subnet_prefix(o, &p) &&
			prefix_has(p, a))
			return o;
	return NULL;
}

json_t *port_addresses(struct sim *s, const struct object *network)
{
	json_t *list = json_array();
	bool seen[7] = {false};
	char text[IP_TEXT];

	OBJECT_EACH (s, KIND_SUBNET, o) {
		int64_t version = json_int(o->doc, "ip_version", 4);
		if (strcmp(object_str(o, "network_id"), network->id) || seen[version])
			continue;
		struct ip a = address_draw(s, o);
		if (!a.version)
			continue; /* another subnet of the family may have one */
		seen[version] = true;
		json_array_append_new(list, json_pack("{s:s, s:s}", "subnet_id", o->id,
						    "ip_address", ip_text(a, text)));
	}
	bool has_subnet = false;
	OBJECT_EACH (s, KIND_SUBNET, o)
		has_subnet = has_subnet || !strcmp(object_str(o, "network_id"), network->id);
	if (json_array_size(list) > 0 || !has_subnet)
		return list;
	json_decref(list);
	return NULL;
}

static bool exhausted(struct call *c, const char *network)
{
	call_fail(c, 409, "IpAddressGenerationFailure",
		"No more IP addresses available on network %s.", network);
	return false;
}

/* One asked-for {subnet_id, ip_address}: completes it. `self` may keep its own addresses. */
static bool fixed_check(struct call *c, const char *network, json_t *f, const struct object *self)
{
	const char *subnet_id = json_str(f, "subnet_id"), *address = json_str(f, "ip_address");
	struct object *subnet = object_get(c->sim, KIND_SUBNET, subnet_id), *user;
	char text[IP_TEXT];
	struct prefix p;
	struct ip a;

	if (subnet_id && (!subnet || strcmp(object_str(subnet, "network_id"), network))) {
		call_fail(c, 400, "InvalidInput",
			"Invalid input for operation: Failed to create port on network %s, because "
			"fixed_ips included invalid subnet %s.",
			network, subnet_id);
		return false;
	}
	if (!address) {
		a = subnet ? address_draw(c->sim, subnet) : (struct ip){0};
		if (!a.version)
			return exhausted(c, network);
		json_object_set_new(f, "ip_address", json_string(ip_text(a, text)));
		return true;
	}
	if (!ip_parse(address, &a) || (!subnet && !(subnet = subnet_for(c->sim, network, a)))) {
		call_fail(c, 400, "InvalidIpForNetwork",
			"IP address %s is not a valid IP for any of the subnets on the specified "
			"network.",
			address);
		return false;
	}
	if (!subnet_prefix(subnet, &p) || !prefix_has(p, a)) {
		call_fail(c, 400, "InvalidIpForSubnet",
			"IP address %s is not a valid IP for the specified subnet.", address);
		return false;
	}
	user = address_user(c->sim, network, a);
	if (user && user != self) {
		call_fail(c, 409, "IpAddressAlreadyAllocated",
			"IP address %s already allocated in subnet %s", address, subnet->id);
		return false;
	}
	json_object_set_new(f, "subnet_id", json_string(subnet->id));
	return true;
}

static bool fixed_ips_check(
	struct call *c, const char *network, json_t *list, const struct object *self)
{
	size_t i, k;
	json_t *f, *earlier;

	json_array_foreach (list, i, f) {
		if (!json_is_object(f)) {
			call_fail(c, 400, "HTTPBadRequest",
				"Invalid input for fixed_ips. Reason: Invalid data format for fixed "
				"IP.");
			return false;
		}
		if (!fixed_check(c, network, f, self))
			return false;
		json_array_foreach (list, k, earlier) {
			if (k >= i)
				break;
			if (!strcmp(json_str(earlier, "ip_address"), json_str(f, "ip_address")))
				return exhausted(c, network);
		}
	}
	return true;
}

/* --- create -------------------------------------------------------------------------------------
 */

static bool groups_check(struct call *c, const json_t *groups)
{
	size_t i;
	json_t *g;

	json_array_foreach (groups, i, g)
		if (!network_find(c, &group_resource, json_string_value(g)))
			return false;
	return true;
}

static bool pairs_check(struct call *c, const struct object *o, json_t *in)
{
	size_t i;
	json_t *pair;

	json_array_foreach (json_object_get(in, "allowed_address_pairs"), i, pair) {
		struct prefix p;
		const char *address = json_str(pair, "ip_address");

		if (!address || !prefix_parse(address, &p, NULL)) {
			call_fail(c, 400, "HTTPBadRequest",
				"Invalid input for allowed_address_pairs. Reason: '%s' is not a "
				"valid IP address.",
				address ? address : "None");
			return false;
		}
		if (!json_object_get(pair, "mac_address"))
			json_object_set(pair, "mac_address",
				json_object_get(o ? o->doc : in, "mac_address"));
	}
	return true;
}

static void mac_draw(struct sim *s, char *text)
{
	uint64_t x = random_u64(draw_sequence(&s->draw, "mac"));

	snprintf(text, 18, "fa:16:3e:%02x:%02x:%02x", (unsigned)(x & 0xff),
		(unsigned)(x >> 8 & 0xff), (unsigned)(x >> 16 & 0xff));
}

/* Which device owners a member may not pretend to be is the operator's policy; this is the usual.
 */
static bool owner_allowed(struct call *c, const json_t *in, const struct object *network)
{
	const char *owner = json_str(in, "device_owner");

	if (!owner || strncmp(owner, "network:", 8) || !strcmp(network->project, c->project))
		return true;
	call_fail(c, 403, "PolicyNotAuthorized",
		"(rule:create_port and rule:create_port:device_owner) is disallowed by policy");
	return false;
}

static bool check(struct call *c, json_t *in)
{
	struct object *network = network_find(c, &network_resource, json_str(in, "network_id"));
	json_t *fixed = json_object_get(in, "fixed_ips");
	char mac[18];

	if (!network || !owner_allowed(c, in, network))
		return false;
	if (strcmp(network->project, c->project) && !json_flag(network->doc, "shared")) {
		/* external networks are seen, but no member puts a port on one */
		call_fail(
			c, 403, "PolicyNotAuthorized", "rule:create_port is disallowed by policy");
		return false;
	}
	if (json_is_array(fixed)) {
		if (!fixed_ips_check(c, network->id, fixed, NULL))
			return false;
	} else {
		fixed = port_addresses(c->sim, network);
		if (!fixed)
			return exhausted(c, network->id);
		json_object_set_new(in, "fixed_ips", fixed);
	}
	json_t *groups = json_object_get(in, "security_groups");
	if (!groups && json_flag(in, "port_security_enabled"))
		json_object_set_new(in, "security_groups",
			json_pack("[s]", group_default(c->sim, c->project)->id));
	else if (!groups || json_is_null(groups))
		json_object_set_new(in, "security_groups", json_array());
	mac_draw(c->sim, mac);
	if (!json_object_get(in, "mac_address"))
		json_object_set_new(in, "mac_address", json_string(mac));
	json_object_set_new(in, "status", json_string("DOWN"));
	return groups_check(c, json_object_get(in, "security_groups")) && pairs_check(c, NULL, in);
}

struct object *port_make(struct sim *s, const struct port_plan *plan)
{
	struct object *o = network_object(s, KIND_PORT, NULL, plan->project, NULL, plan->by);
	char mac[18];

	for (size_t i = 0; i < array_len(attrs); i++)
		if (attrs[i].otherwise)
			object_set(o, attrs[i].name,
				json_loads(attrs[i].otherwise, JSON_DECODE_ANY, NULL));
	mac_draw(s, mac);
	object_set_str(o, "name", plan->name);
	object_set_str(o, "network_id", plan->network);
	object_set_str(o, "mac_address", mac);
	object_set(o, "fixed_ips", plan->fixed_ips);
	object_set_str(o, "device_id", plan->device_id);
	object_set_str(o, "device_owner", plan->owner);
	object_set_str(o, "status", "DOWN");
	object_set(
		o, "security_groups", plan->security_groups ? plan->security_groups : json_array());
	if (!plan->security_groups)
		object_set(o, "port_security_enabled", json_false());
	return o;
}

/* --- changes ------------------------------------------------------------------------------------
 */

void port_set_status(struct object *port, const char *status)
{
	if (!strcmp(object_str(port, "status"), status))
		return;
	object_set_str(port, "status", status);
	network_touch(port);
}

void port_bind(struct object *port, const char *device_id, const char *owner, const char *host)
{
	object_set_str(port, "device_id", device_id);
	object_set_str(port, "device_owner", owner);
	object_set_str(port, "binding:host_id", host);
	network_touch(port);
	guests_changed(port->sim);
}

void port_unbind(struct object *port)
{
	object_set_str(port, "device_id", "");
	object_set_str(port, "device_owner", "");
	object_set_str(port, "binding:host_id", "");
	object_set_str(port, "status", "DOWN");
	network_touch(port);
	guests_changed(port->sim);
}

void port_remove(struct object *port)
{
	struct sim *s = port->sim;

	floating_release(s, port->id);
	object_remove(port);
	guests_changed(s);
}

bool port_in_group(const struct object *port, const char *group)
{
	size_t i;
	json_t *g;

	json_array_foreach (json_object_get(port->doc, "security_groups"), i, g)
		if (!strcmp(json_string_value(g), group))
			return true;
	return false;
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	json_t *fixed = json_object_get(in, "fixed_ips");
	json_t *groups = json_object_get(in, "security_groups");

	if (fixed && !fixed_ips_check(c, object_str(o, "network_id"), fixed, o))
		return false;
	if (json_is_null(groups))
		json_object_set_new(in, "security_groups", groups = json_array());
	return (!groups || groups_check(c, groups)) && pairs_check(c, o, in);
}

static bool remove_port(struct call *c, struct object *o)
{
	const char *owner = object_str(o, "device_owner");
	static const char *const services[] = {
		"network:router_interface", "network:router_gateway", "network:floatingip"};

	for (size_t i = 0; i < array_len(services); i++)
		if (!strcmp(owner, services[i])) {
			call_fail(c, 409, "ServicePortInUse",
				"Port %s cannot be deleted directly via the port API: has device "
				"owner %s.",
				o->id, owner);
			return false;
		}
	floating_release(c->sim, o->id);
	return true;
}

const struct resource port_resource = {
	.kind = KIND_PORT,
	.name = "port",
	.collection = "ports",
	.missing_type = "PortNotFound",
	.missing_text = "Port %s could not be found.",
	.attrs = attrs,
	.n = array_len(attrs),
	.tags = true,
	.check = check,
	.change = change,
	.remove = remove_port,
};

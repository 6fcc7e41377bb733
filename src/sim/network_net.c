/*
 * network_net.c - networks. A network's delete takes its subnets and the ports of DHCP along.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/network.h"
#include "sim/seed.h"
#include "sim/state.h"

#define POST_PUT (ATTR_POST | ATTR_PUT)

static const struct attr attrs[] = {
	{"name", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"admin_state_up", ATTR_BOOL, POST_PUT | ATTR_FILTER, "true"},
	{"shared", ATTR_BOOL, POST_PUT | ATTR_FILTER | ATTR_ADMIN, "false"},
	{"router:external", ATTR_BOOL, POST_PUT | ATTR_FILTER | ATTR_ADMIN, "false"},
	{"availability_zone_hints", ATTR_LIST, ATTR_POST, "[]"},
	{"mtu", ATTR_INT, POST_PUT | ATTR_FILTER, "1450"},
	{"port_security_enabled", ATTR_BOOL, POST_PUT, "true"},
	{"status", ATTR_TEXT, ATTR_FILTER, "\"ACTIVE\""},
	{"l2_adjacency", ATTR_BOOL, 0, "true"},
	{"ipv4_address_scope", ATTR_ANY, 0, "null"},
	{"ipv6_address_scope", ATTR_ANY, 0, "null"},
	{"subnets", ATTR_LIST, 0},
	{"availability_zones", ATTR_LIST, 0},
	{"is_default", ATTR_BOOL, POST_PUT | ATTR_ADMIN | ATTR_FILTER},
	{"segments", ATTR_LIST, POST_PUT | ATTR_ADMIN | ATTR_SECRET},
	{"provider:network_type", ATTR_TEXT, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
	{"provider:physical_network", ATTR_TEXT, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
	{"provider:segmentation_id", ATTR_INT, POST_PUT | ATTR_ADMIN | ATTR_FILTER | ATTR_SECRET},
};

bool zone_hints_check(struct call *c, const json_t *in)
{
	size_t i;
	json_t *zone;

	json_array_foreach (json_object_get(in, "availability_zone_hints"), i, zone) {
		const char *name = json_string_value(zone);
		if (name && !strcmp(name, sim_zones[0])) /* one network zone */
			continue;
		call_fail(c, 404, "AvailabilityZoneNotFound",
			"AvailabilityZone %s could not be found.", name ? name : "");
		return false;
	}
	return true;
}

static bool check(struct call *c, json_t *in)
{
	return zone_hints_check(c, in);
}

static void created(struct call *c, struct object *o)
{
	group_default(c->sim, c->project);
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	return true;
}

static bool is_dhcp(const struct object *port)
{
	return !strcmp(object_str(port, "device_owner"), "network:dhcp");
}

static bool remove_network(struct call *c, struct object *o)
{
	struct buf ports = BUF(4096);

	OBJECT_EACH (c->sim, KIND_PORT, p)
		if (!strcmp(object_str(p, "network_id"), o->id) && !is_dhcp(p))
			buf_printf(&ports, "%s%s", ports.n ? ", " : "", p->id);
	bool used = ports.n > 0;
	if (used)
		call_fail(c, 409, "NetworkInUse",
			"Unable to complete operation on network %s. There are one or more ports "
			"still in use on the network, id for these ports is: %s.",
			o->id, buf_str(&ports));
	buf_fini(&ports);
	if (used)
		return false;
	OBJECT_EACH_BACK (c->sim, KIND_PORT, p)
		if (!strcmp(object_str(p, "network_id"), o->id))
			object_remove(p);
	OBJECT_EACH_BACK (c->sim, KIND_SUBNET, n)
		if (!strcmp(object_str(n, "network_id"), o->id))
			object_remove(n);
	return true;
}

static void show(struct sim *s, const struct object *o, json_t *view)
{
	json_t *subnets = json_array(), *zones = json_array();

	OBJECT_EACH (s, KIND_SUBNET, n)
		if (!strcmp(object_str(n, "network_id"), o->id))
			json_array_append_new(subnets, json_string(n->id));
	OBJECT_EACH (s, KIND_PORT, p)
		if (!strcmp(object_str(p, "network_id"), o->id) && is_dhcp(p) &&
			json_array_size(zones) == 0)
			json_array_append_new(zones, json_string(sim_zones[0]));
	json_object_set_new(view, "subnets", subnets);
	json_object_set_new(view, "availability_zones", zones);
}

const struct resource network_resource = {
	.kind = KIND_NETWORK,
	.name = "network",
	.collection = "networks",
	.missing_type = "NetworkNotFound",
	.missing_text = "Network %s could not be found.",
	.attrs = attrs,
	.n = array_len(attrs),
	.tags = true,
	.check = check,
	.created = created,
	.change = change,
	.remove = remove_network,
	.show = show,
};

/* The network outside, as the lab has it: not shared, but every router may have a gateway on it. */
void network_seed(struct sim *s)
{
	struct object *n = network_object(
		s, KIND_NETWORK, NULL, "5e41ce00000000000000000000000000", NULL, MADE_BY_SEED);

	for (size_t i = 0; i < array_len(attrs); i++)
		if (attrs[i].otherwise)
			object_set(n, attrs[i].name,
				json_loads(attrs[i].otherwise, JSON_DECODE_ANY, NULL));
	object_set_str(n, "name", "public");
	object_set(n, "router:external", json_true());
	object_set(n, "is_default", json_true());
	object_set(n, "mtu", json_integer(1500));
	snprintf(s->net.public_network, UUID_TEXT, "%s", n->id);

	struct object *sub = network_object(s, KIND_SUBNET, NULL, n->project, NULL, MADE_BY_SEED);
	object_set_str(sub, "name", "public-v4");
	object_set_str(sub, "network_id", n->id);
	object_set(sub, "ip_version", json_integer(4));
	object_set_str(sub, "cidr", SEED_PUBLIC_CIDR);
	object_set_str(sub, "gateway_ip", SEED_PUBLIC_GATEWAY);
	object_set(sub, "enable_dhcp", json_false());
	object_set(sub, "allocation_pools",
		json_pack("[{s:s, s:s}]", "start", "172.24.4.10", "end", "172.24.4.250"));
	snprintf(s->net.public_subnet, UUID_TEXT, "%s", sub->id);
}

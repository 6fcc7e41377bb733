/*
 * network_subnet.c - subnets and the addresses in them. A subnet with DHCP gets its DHCP port a
 * moment after it was made, as the agent's doing.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/network.h"
#include "sim/state.h"

#define POST_PUT (ATTR_POST | ATTR_PUT)
#define RA_MODES "dhcpv6-stateful dhcpv6-stateless slaac"

static const struct attr attrs[] = {
	{"name", ATTR_TEXT, POST_PUT | ATTR_FILTER, "\"\""},
	{"network_id", ATTR_UUID, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED},
	{"ip_version", ATTR_INT, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED},
	{"cidr", ATTR_CIDR, ATTR_POST | ATTR_FILTER},
	{"subnetpool_id", ATTR_UUID_OR_NULL, ATTR_POST | ATTR_FILTER, "null"},
	{"prefixlen", ATTR_INT, ATTR_POST | ATTR_SECRET},
	{"gateway_ip", ATTR_IP_OR_NULL, POST_PUT | ATTR_FILTER},
	{"allocation_pools", ATTR_LIST, POST_PUT},
	{"dns_nameservers", ATTR_LIST, POST_PUT, "[]"},
	{"host_routes", ATTR_LIST, POST_PUT, "[]"},
	{"enable_dhcp", ATTR_BOOL, POST_PUT | ATTR_FILTER, "true"},
	{"ipv6_ra_mode", ATTR_WORDS, ATTR_POST | ATTR_FILTER, "null", RA_MODES},
	{"ipv6_address_mode", ATTR_WORDS, ATTR_POST | ATTR_FILTER, "null", RA_MODES},
	{"service_types", ATTR_LIST, POST_PUT, "[]"},
	{"use_default_subnetpool", ATTR_BOOL, ATTR_POST | ATTR_SECRET},
	{"shared", ATTR_BOOL, ATTR_FILTER | ATTR_SECRET},
};

bool subnet_prefix(const struct object *subnet, struct prefix *ret)
{
	return prefix_parse(object_str(subnet, "cidr"), ret, NULL);
}

/* --- addresses ----------------------------------------------------------------------------------
 */

struct object *address_user(struct sim *s, const char *network, struct ip a)
{
	char text[IP_TEXT];
	size_t i;
	json_t *f;

	ip_text(a, text);
	OBJECT_EACH (s, KIND_PORT, p) {
		if (strcmp(object_str(p, "network_id"), network))
			continue;
		json_array_foreach (json_object_get(p->doc, "fixed_ips"), i, f)
			if (!strcmp(json_str(f, "ip_address"), text))
				return p;
	}
	return NULL;
}

/* Neutron draws among the first free ones, so that addresses just given back are not reused at
 * once by everybody. */
#define WINDOW 10

struct ip address_draw(struct sim *s, const struct object *subnet)
{
	struct ip found[WINDOW] = {0};
	size_t n = 0, i;
	json_t *pool;

	json_array_foreach (json_object_get(subnet->doc, "allocation_pools"), i, pool) {
		struct ip a, end;

		if (!ip_parse(json_str(pool, "start"), &a) ||
			!ip_parse(json_str(pool, "end"), &end))
			continue;
		for (; a.n <= end.n && n < WINDOW; a.n++)
			if (!address_user(s, object_str(subnet, "network_id"), a))
				found[n++] = a;
	}
	if (n == 0)
		return (struct ip){0};
	return found[random_below(draw_sequence(&s->draw, "address"), n)];
}

/* --- create -------------------------------------------------------------------------------------
 */

static bool bad_input(struct call *c, const char *what)
{
	call_fail(c, 400, "InvalidInput", "Invalid input for operation: %s.", what);
	return false;
}

static bool overlaps(struct call *c, const char *network, struct prefix p, const char *cidr)
{
	struct prefix other;

	OBJECT_EACH (c->sim, KIND_SUBNET, o) {
		if (strcmp(object_str(o, "network_id"), network) || !subnet_prefix(o, &other) ||
			!prefix_overlaps(p, other))
			continue;
		call_fail(c, 400, "InvalidInput",
			"Invalid input for operation: Requested subnet with cidr: %s for network: %s "
			"overlaps with another subnet.",
			cidr, network);
		return true;
	}
	return false;
}

/* gateway_ip absent: the first address; null: none */
static bool set_gateway(struct call *c, json_t *in, struct prefix p)
{
	json_t *given = json_object_get(in, "gateway_ip");
	char text[IP_TEXT];
	struct ip a;

	if (!given) {
		a = (struct ip){p.base.version, p.base.n + 1};
		json_object_set_new(in, "gateway_ip", json_string(ip_text(a, text)));
	} else if (!json_is_null(given)) {
		ip_parse(json_string_value(given), &a);
		if (!prefix_has(p, a) && p.base.version == 4)
			return bad_input(c, "Gateway is not valid on subnet");
	}
	return true;
}

static void add_pool(json_t *list, struct ip from, struct ip to)
{
	char a[IP_TEXT], b[IP_TEXT];

	if (from.n <= to.n)
		json_array_append_new(list,
			json_pack("{s:s, s:s}", "start", ip_text(from, a), "end", ip_text(to, b)));
}

/* Everything but network, broadcast and gateway address. */
static json_t *usual_pools(struct prefix p, const char *gateway)
{
	struct ip first = {p.base.version, p.base.n + 1}, last = prefix_last(p), g;
	json_t *list = json_array();

	if (p.base.version == 4)
		last.n--;
	if (ip_parse(gateway, &g) && prefix_has(p, g) && g.n >= first.n && g.n <= last.n) {
		add_pool(list, first, (struct ip){g.version, g.n - 1});
		add_pool(list, (struct ip){g.version, g.n + 1}, last);
	} else {
		add_pool(list, first, last);
	}
	return list;
}

static bool check_pools(struct call *c, const json_t *pools, struct prefix p, const char *cidr)
{
	size_t i;
	json_t *pool;

	json_array_foreach (pools, i, pool) {
		struct ip a, b;

		if (!json_is_object(pool) || !ip_parse(json_str(pool, "start"), &a) ||
			!ip_parse(json_str(pool, "end"), &b) || a.n > b.n) {
			call_fail(c, 400, "HTTPBadRequest",
				"Invalid input for allocation_pools. Reason: not valid pools.");
			return false;
		}
		if (!prefix_has(p, a) || !prefix_has(p, b)) {
			call_fail(c, 400, "OutOfBoundsAllocationPool",
				"The allocation pool %s-%s spans beyond the subnet cidr %s.",
				json_str(pool, "start"), json_str(pool, "end"), cidr);
			return false;
		}
	}
	return true;
}

static bool check(struct call *c, json_t *in)
{
	const char *cidr = json_str(in, "cidr"), *network = json_str(in, "network_id");
	int64_t version = json_int(in, "ip_version", 0);
	struct prefix p;

	struct object *net = network_find(c, &network_resource, network);
	if (!net)
		return false;
	if (strcmp(net->project, c->project)) {
		call_fail(c, 404, "NetworkNotFound", "Network %s could not be found.", network);
		return false;
	}
	if (!cidr) {
		call_fail(c, 400, "BadRequest",
			"Bad subnets request: a subnetpool must be specified in the absence of a cidr.");
		return false;
	}
	prefix_parse(cidr, &p, NULL);
	if (p.base.version != version) {
		call_fail(c, 400, "InvalidInput",
			"Invalid input for operation: cidr '%s' does not match the ip_version "
			"'%lld'.",
			cidr, (long long)version);
		return false;
	}
	if (p.bits == 0)
		return bad_input(c, "0 is not allowed as CIDR prefix length");
	if (overlaps(c, network, p, cidr) || !set_gateway(c, in, p))
		return false;
	json_t *pools = json_object_get(in, "allocation_pools");
	if (json_is_array(pools))
		return check_pools(c, pools, p, cidr);
	json_object_set_new(in, "allocation_pools", usual_pools(p, json_str(in, "gateway_ip")));
	return true;
}

/* The DHCP agent has seen the subnet: one port a network, one address in each subnet of it. */
static void dhcp_arrives(struct timer *t)
{
	struct object *o = t->arg;
	struct sim *s = o->sim;
	const char *network = object_str(o, "network_id");
	struct ip a = address_draw(s, o);
	char text[IP_TEXT], device[128];

	if (!a.version)
		return;
	json_t *fixed = json_pack("{s:s, s:s}", "subnet_id", o->id, "ip_address", ip_text(a, text));
	OBJECT_EACH (s, KIND_PORT, p)
		if (!strcmp(object_str(p, "network_id"), network) &&
			!strcmp(object_str(p, "device_owner"), "network:dhcp")) {
			json_array_append_new(json_object_get(p->doc, "fixed_ips"), fixed);
			network_touch(p);
			return;
		}
	snprintf(device, sizeof(device), "dhcp4ad0a7de-0a3d-58a0-a5d7-e0f9bcbbd5b2-%s", network);
	struct object *port = port_make(
		s, &(struct port_plan){.project = o->project,
			   .network = network,
			   .name = "",
			   .device_id = device,
			   .owner = "network:dhcp",
			   .fixed_ips = json_pack("[o]", fixed),
			   .by = o->made_by == MADE_BY_PLANT ? MADE_BY_PLANT : MADE_BY_NEUTRON});
	port_set_status(port, "ACTIVE");
}

static void created(struct call *c, struct object *o)
{
	if (json_flag(o->doc, "enable_dhcp"))
		object_after(o, draw_time_ns(&c->sim->draw, TIME_DHCP_PORT), dhcp_arrives);
}

/* --- change, delete ------------------------------------------------------------------------------
 */

static bool change(struct call *c, struct object *o, json_t *in)
{
	struct prefix p;

	subnet_prefix(o, &p);
	if (json_object_get(in, "gateway_ip") && !set_gateway(c, in, p))
		return false;
	json_t *pools = json_object_get(in, "allocation_pools");
	return !pools || check_pools(c, pools, p, object_str(o, "cidr"));
}

/* Takes the subnet's address off a DHCP port; the last one takes the port along. */
static void leave_dhcp(struct object *port, const char *subnet)
{
	json_t *fixed = json_object_get(port->doc, "fixed_ips");

	for (size_t i = json_array_size(fixed); i-- > 0;)
		if (!strcmp(json_str(json_array_get(fixed, i), "subnet_id"), subnet))
			json_array_remove(fixed, i);
	if (json_array_size(fixed) == 0)
		object_remove(port);
}

static bool uses(const struct object *port, const char *subnet)
{
	size_t i;
	json_t *f;

	json_array_foreach (json_object_get(port->doc, "fixed_ips"), i, f)
		if (!strcmp(json_str(f, "subnet_id"), subnet))
			return true;
	return false;
}

static bool remove_subnet(struct call *c, struct object *o)
{
	OBJECT_EACH (c->sim, KIND_PORT, p)
		if (uses(p, o->id) && strcmp(object_str(p, "device_owner"), "network:dhcp")) {
			call_fail(c, 409, "SubnetInUse",
				"Unable to complete operation on subnet %s: One or more ports have "
				"an IP allocation from this subnet.",
				o->id);
			return false;
		}
	OBJECT_EACH_BACK (c->sim, KIND_PORT, p)
		if (uses(p, o->id))
			leave_dhcp(p, o->id);
	return true;
}

const struct resource subnet_resource = {
	.kind = KIND_SUBNET,
	.name = "subnet",
	.collection = "subnets",
	.missing_type = "SubnetNotFound",
	.missing_text = "Subnet %s could not be found.",
	.attrs = attrs,
	.n = array_len(attrs),
	.tags = true,
	.check = check,
	.created = created,
	.change = change,
	.remove = remove_subnet,
};

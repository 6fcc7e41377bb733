/*
 * balancer_vip.c - the ports that load balancers have in neutron: of the VIP, and with OVN of the
 * health checks.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/network.h"
#include "sim/state.h"

static bool missing(struct call *c, const char *what, const char *id)
{
	call_fail(c, 400, NULL, "%s %s not found.", what, id);
	return false;
}

static bool not_made(struct call *c, const char *network, const char *why)
{
	call_fail(c, 400, NULL,
		"Error creating neutron port on network %s due to %s\n"
		"Neutron server returns request_ids: ['%s'].",
		network, why, c->request_id);
	return false;
}

/* A port that the member made takes the VIP. */
static bool take_port(struct call *c, const char *id, json_t *in)
{
	const struct object *port = object_get(c->sim, KIND_PORT, id);
	const json_t *first =
		port ? json_array_get(json_object_get(port->doc, "fixed_ips"), 0) : NULL;

	if (!port || !network_visible(c, port))
		return missing(c, "Port", id);
	if (*object_str(port, "device_id"))
		return balancer_invalid(c, "Port %s is already used by device %s ", id,
			object_str(port, "device_id"));
	json_object_set_new(in, "vip_network_id", json_string(object_str(port, "network_id")));
	json_object_set(in, "vip_subnet_id", json_object_get(first, "subnet_id"));
	json_object_set(in, "vip_address", json_object_get(first, "ip_address"));
	return true;
}

/* A member may put a port there: on a network of its own, or a shared one. */
static const struct object *usable(const struct call *c, const char *network)
{
	const struct object *o = object_get(c->sim, KIND_NETWORK, network);

	return o && (!strcmp(o->project, c->project) || json_flag(o->doc, "shared")) ? o : NULL;
}

/* The subnet that was named, or the network's first, of IPv4 if there is one. */
static const struct object *subnet_for(struct call *c, const json_t *in)
{
	const char *network = json_str(in, "vip_network_id");
	const struct object *found = object_get(c->sim, KIND_SUBNET, json_str(in, "vip_subnet_id"));

	if (json_str(in, "vip_subnet_id"))
		return found;
	OBJECT_EACH (c->sim, KIND_SUBNET, o)
		if (!strcmp(object_str(o, "network_id"), network) &&
			(!found || json_int(o->doc, "ip_version", 4) == 4))
			found = o;
	return found;
}

/* Where the VIP is to be: completes network and subnet. */
static const struct object *find_subnet(struct call *c, json_t *in)
{
	const char *network = json_str(in, "vip_network_id"), *id = json_str(in, "vip_subnet_id");

	if (network && !usable(c, network)) {
		missing(c, "Network", network);
		return NULL;
	}
	const struct object *subnet = subnet_for(c, in);
	if (!subnet && !id) {
		balancer_invalid(c, "Supplied network does not contain a subnet.");
		return NULL;
	}
	if (!subnet || !usable(c, object_str(subnet, "network_id")) ||
		(network && strcmp(object_str(subnet, "network_id"), network))) {
		missing(c, "Subnet", id);
		return NULL;
	}
	json_object_set_new(in, "vip_network_id", json_string(object_str(subnet, "network_id")));
	json_object_set_new(in, "vip_subnet_id", json_string(subnet->id));
	return subnet;
}

static bool find_address(struct call *c, const struct object *subnet, json_t *in)
{
	const char *network = object_str(subnet, "network_id");
	const char *asked = json_str(in, "vip_address");
	char why[128], text[IP_TEXT];
	struct prefix p;
	struct ip a;

	if (!asked) {
		a = address_draw(c->sim, subnet);
		snprintf(
			why, sizeof(why), "No more IP addresses available on network %s.", network);
		if (!a.version)
			return not_made(c, network, why);
		json_object_set_new(in, "vip_address", json_string(ip_text(a, text)));
		return true;
	}
	snprintf(why, sizeof(why), "IP address %s is not a valid IP for the specified subnet.",
		asked);
	if (!ip_parse(asked, &a) || !subnet_prefix(subnet, &p) || !prefix_has(p, a))
		return not_made(c, network, why);
	snprintf(why, sizeof(why), "IP address %s already allocated in subnet %s", asked,
		subnet->id);
	return !address_user(c->sim, network, a) || not_made(c, network, why);
}

/* OVN's driver makes the port by itself and names it otherwise. */
static void make_port(struct call *c, const char *id, json_t *in)
{
	const bool ovn = !strcmp(json_str(in, "provider"), BALANCER_OVN);
	char name[ID_TEXT + 16], device[ID_TEXT + 4];

	snprintf(name, sizeof(name), "%s%s", ovn ? "ovn-lb-vip-" : "octavia-lb-", id);
	snprintf(device, sizeof(device), "lb-%s", id);
	const struct port_plan plan = {.project = c->project,
		.network = json_str(in, "vip_network_id"),
		.name = name,
		.device_id = ovn ? "" : device,
		.owner = ovn ? "" : "Octavia",
		.fixed_ips = json_pack("[{s:s, s:s}]", "subnet_id", json_str(in, "vip_subnet_id"),
			"ip_address", json_str(in, "vip_address")),
		.by = MADE_BY_OCTAVIA};
	json_object_set_new(in, "vip_port_id", json_string(port_make(c->sim, &plan)->id));
	json_object_set_new(in, ".own_port", json_true());
}

bool balancer_vip(struct call *c, const char *id, json_t *in)
{
	const char *port = json_str(in, "vip_port_id");

	if (port)
		return take_port(c, port, in);
	if (!json_str(in, "vip_network_id") && !json_str(in, "vip_subnet_id")) {
		call_fail(c, 400, NULL,
			"Validation failure: VIP must contain one of: vip_port_id, vip_network_id, "
			"vip_subnet_id.");
		return false;
	}
	const struct object *subnet = find_subnet(c, in);
	if (!subnet || !find_address(c, subnet, in))
		return false;
	make_port(c, id, in);
	return true;
}

void balancer_vip_drop(struct object *lb)
{
	struct object *port = object_get(lb->sim, KIND_PORT, object_str(lb, "vip_port_id"));

	if (port && json_flag(lb->doc, ".own_port") && !json_flag(lb->doc, ".leaks"))
		port_remove(port);
}

/* --- OVN's health checks ------------------------------------------------------------------------
 */

/* Whether a monitored pool of an OVN load balancer has members in that subnet. A member without a
 * subnet is in that of the VIP. */
static bool checks_in(struct sim *s, const char *subnet)
{
	OBJECT_EACH (s, KIND_MEMBER, o) {
		const struct object *lb = balancer_of(o);
		const char *own = object_str(o, "subnet_id");
		if (!lb || strcmp(object_str(lb, "provider"), BALANCER_OVN) ||
			!balancer_with(s, KIND_MONITOR, ".pool", object_str(o, ".pool")))
			continue;
		if (!strcmp(*own ? own : object_str(lb, "vip_subnet_id"), subnet))
			return true;
	}
	return false;
}

static struct object *check_port(struct sim *s, const char *subnet)
{
	OBJECT_EACH (s, KIND_PORT, o)
		if (!strcmp(object_str(o, "device_owner"), BALANCER_CHECK_OWNER) &&
			!strcmp(object_str(o, "device_id") + strlen("ovn-lb-hm-"), subnet))
			return o;
	return NULL;
}

static void make_check_port(struct sim *s, const struct object *subnet)
{
	const struct ip a = address_draw(s, subnet);
	char name[ID_TEXT + 16], text[IP_TEXT];

	if (!a.version)
		return; /* no address is left: nothing is checked there */
	snprintf(name, sizeof(name), "ovn-lb-hm-%s", subnet->id);
	const struct port_plan plan = {.project = subnet->project,
		.network = object_str(subnet, "network_id"),
		.name = name,
		.device_id = name,
		.owner = BALANCER_CHECK_OWNER,
		.fixed_ips = json_pack(
			"[{s:s, s:s}]", "subnet_id", subnet->id, "ip_address", ip_text(a, text)),
		.by = MADE_BY_OCTAVIA};
	port_make(s, &plan);
}

void balancer_checks_ports(struct sim *s, bool leak)
{
	if (!s->ovn)
		return;
	OBJECT_EACH (s, KIND_SUBNET, subnet) {
		struct object *port = check_port(s, subnet->id);
		const bool wanted = checks_in(s, subnet->id);
		if (wanted && !port)
			make_check_port(s, subnet);
		else if (!wanted && port && !leak && !json_flag(port->doc, ".leaked"))
			port_remove(port);
		else if (!wanted && port && leak)
			object_set(port, ".leaked", json_true());
	}
}

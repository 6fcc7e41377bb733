/*
 * compute_nic.c - the ports of servers: those that a create asks for, and os-interface.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

#define USABLE "active paused stopped"

/* --- checks ---------------------------------------------------------------------------------- */

static bool has_subnet(struct sim *s, const char *network)
{
	OBJECT_EACH (s, KIND_SUBNET, o)
		if (!strcmp(object_str(o, "network_id"), network))
			return true;
	return false;
}

/* Owned or shared networks only: on external ones no member puts a server. */
static bool usable(const struct call *c, const struct object *net)
{
	return !strcmp(net->project, c->project) || json_flag(net->doc, "shared");
}

static bool check_network(struct call *c, const char *id)
{
	const struct object *net = object_get(c->sim, KIND_NETWORK, id);

	if (net && network_visible(c, net) && !usable(c, net)) {
		call_fail(c, 403, NULL,
			"It is not allowed to create an interface on external network %s", id);
		return false;
	}
	if (!net || !usable(c, net)) {
		call_fail(c, 400, NULL, "Network %s could not be found.", id);
		return false;
	}
	if (!has_subnet(c->sim, id)) {
		call_fail(c, 400, NULL,
			"Network %s requires a subnet in order to boot instances on.", id);
		return false;
	}
	return true;
}

/* Whether a server that is still to get it has asked for this port. */
static bool claimed(struct sim *s, const char *port)
{
	OBJECT_EACH (s, KIND_SERVER, o)
		VEC_EACH (&server_of(o)->nics, struct server_nic, nic)
			if (!strcmp(nic->port, port))
				return true;
	return false;
}

static bool check_port(struct call *c, const struct creation *n, const json_t *wanted)
{
	const char *id = json_str(wanted, "port");
	const struct object *port = object_get(c->sim, KIND_PORT, id);

	VEC_EACH (&n->sketch.nics, struct server_nic, nic)
		if (!strcmp(nic->port, id)) {
			call_fail(c, 400, NULL,
				"Port ID '%s' was specified twice: you cannot attach a port multiple "
				"times.",
				id);
			return false;
		}
	if (json_str(wanted, "fixed_ip"))
		call_fail(c, 400, NULL,
			"Specified Fixed IP '%s' cannot be used with port '%s': the two cannot be "
			"specified together.",
			json_str(wanted, "fixed_ip"), id);
	else if (!port || strcmp(port->project, c->project))
		call_fail(c, 400, NULL, "Port id %s could not be found.", id);
	else if (*object_str(port, "device_id") || claimed(c->sim, id))
		call_fail(c, 409, NULL, "Port %s is still in use.", id);
	else if (json_array_size(json_object_get(port->doc, "fixed_ips")) == 0)
		call_fail(c, 400, NULL, "Port %s requires a FixedIP in order to be used.", id);
	return !call_answered(c);
}

static bool check_address(struct call *c, const char *network, const char *text)
{
	struct ip a;
	const struct object *user =
		text && ip_parse(text, &a) ? address_user(c->sim, network, a) : NULL;

	if (!user)
		return true;
	call_fail(c, 400, NULL, "Fixed IP address %s is already in use on instance %s.", text,
		object_str(user, "device_id"));
	return false;
}

static bool add_wanted(struct call *c, struct creation *n, const json_t *wanted)
{
	const char *port = json_str(wanted, "port"), *network = json_str(wanted, "uuid");
	const char *address = json_str(wanted, "fixed_ip"), *tag = json_str(wanted, "tag");
	struct server_nic nic = {.ours = !port};

	if (!port && !network) {
		call_fail(c, 400, NULL, "Bad network format: missing 'uuid'");
		return false;
	}
	if (port ? !check_port(c, n, wanted)
		 : !check_network(c, network) || !check_address(c, network, address))
		return false;
	snprintf(nic.port, sizeof(nic.port), "%s", port ? port : "");
	snprintf(nic.network, sizeof(nic.network), "%s", port ? "" : network);
	snprintf(nic.address, sizeof(nic.address), "%s", address ? address : "");
	snprintf(nic.tag, sizeof(nic.tag), "%s", tag ? tag : "");
	vec_push(&n->sketch.nics, nic);
	return true;
}

/* No network was named: the only one there is, if there is only one. */
static bool add_only(struct call *c, struct creation *n, bool automatic)
{
	struct server_nic nic = {.ours = true};
	unsigned found = 0;

	OBJECT_EACH (c->sim, KIND_NETWORK, net)
		if (usable(c, net) && !json_flag(net->doc, "router:external")) {
			found++;
			snprintf(nic.network, sizeof(nic.network), "%s", net->id);
		}
	if (found > 1) {
		call_fail(c, 409, NULL,
			"Multiple possible networks found, use a Network ID to be more specific.");
		return false;
	}
	if (found == 0 && automatic) {
		call_fail(c, 400, NULL, "Unable to automatically allocate a network for project %s",
			c->project);
		return false;
	}
	if (found == 0)
		return true; /* then it has none */
	if (!check_network(c, nic.network))
		return false;
	vec_push(&n->sketch.nics, nic);
	return true;
}

static bool check_quota(struct call *c, const struct creation *n, int64_t count)
{
	const int64_t limit = c->sim->quota.port;
	int64_t used = 0, needed = 0;

	OBJECT_EACH (c->sim, KIND_PORT, o)
		used += !strcmp(o->project, c->project);
	VEC_EACH (&n->sketch.nics, struct server_nic, nic)
		needed += nic->ours;
	if (limit < 0 || used + needed * count <= limit)
		return true;
	call_fail(c, 403, NULL, "Maximum number of ports exceeded");
	return false;
}

bool create_check_nics(struct call *c, struct creation *n, int64_t count)
{
	const json_t *networks = json_object_get(n->in, "networks");
	const char *word = json_string_value(networks);
	json_t *wanted;
	size_t i;

	if (word && !strcmp(word, "none"))
		return true;
	if (word || json_array_size(networks) == 0) {
		if (!add_only(c, n, word != NULL))
			return false;
		return check_quota(c, n, count);
	}
	json_array_foreach (networks, i, wanted) {
		if (count > 1 && json_str(wanted, "port"))
			call_fail(c, 400, NULL,
				"Failed to launch instances: Unable to launch multiple instances "
				"with a single configured port ID. Please launch your instance one "
				"by one with different ports.");
		else if (count > 1 && json_str(wanted, "fixed_ip"))
			call_fail(c, 400, NULL,
				"Failed to launch instances: max_count cannot be greater than 1 if "
				"an fixed_ip is specified.");
		else if (add_wanted(c, n, wanted))
			continue;
		return false;
	}
	return check_quota(c, n, count);
}

/* --- making and binding ---------------------------------------------------------------------- */

/* [{subnet_id, ip_address}] of an address that was asked for; NULL: on no subnet, or taken. */
static json_t *fixed_address(struct sim *s, const char *network, const char *text)
{
	struct prefix p;
	struct ip a;

	if (!ip_parse(text, &a) || address_user(s, network, a))
		return NULL;
	OBJECT_EACH (s, KIND_SUBNET, o)
		if (!strcmp(object_str(o, "network_id"), network) && subnet_prefix(o, &p) &&
			prefix_has(p, a))
			return json_pack("[{s:s, s:s}]", "subnet_id", o->id, "ip_address", text);
	return NULL;
}

void nic_bind(struct object *server, struct object *port)
{
	const struct server *s = server_of(server);
	char owner[32];

	snprintf(owner, sizeof(owner), "compute:%s", s->zone);
	port_bind(port, server->id, owner, s->host);
}

struct object *nic_make_port(struct object *server, struct server_nic *nic)
{
	struct sim *sim = server->sim;
	const struct object *net = object_get(sim, KIND_NETWORK, nic->network);
	json_t *addresses = !net            ? NULL
			    : *nic->address ? fixed_address(sim, net->id, nic->address)
					    : port_addresses(sim, net);

	if (!addresses)
		return NULL;
	const json_t *secure = json_object_get(net->doc, "port_security_enabled");
	struct object *port = port_make(sim,
		&(struct port_plan){
			.project = server->project,
			.network = net->id,
			.name = "",
			.device_id = server->id,
			.owner = "",
			.fixed_ips = addresses,
			.security_groups = json_is_false(secure)
						   ? NULL
						   : json_deep_copy(server_of(server)->group_ids),
			.by = MADE_BY_NOVA,
		});
	snprintf(nic->port, sizeof(nic->port), "%s", port->id);
	nic_bind(server, port);
	return port;
}

/* --- letting go ------------------------------------------------------------------------------ */

void nic_release(struct object *server, struct server_nic *nic)
{
	struct object *port = nic_port(server->sim, nic);

	if (!port || strcmp(object_str(port, "device_id"), server->id))
		return; /* gone, or not bound yet, or somebody else's by now */
	timer_cancel(&port->timer);
	if (!nic->ours)
		port_unbind(port);
	else if (!nic->leak)
		port_remove(port);
}

/* --- os-interface: showing ------------------------------------------------------------------- */

static json_t *view(struct call *c, const struct object *port, const char *tag)
{
	json_t *v = json_pack("{s:s, s:s, s:s, s:s, s:O}", "net_id", object_str(port, "network_id"),
		"port_id", port->id, "mac_addr", object_str(port, "mac_address"), "port_state",
		object_str(port, "status"), "fixed_ips", json_object_get(port->doc, "fixed_ips"));

	if (since(c, 70))
		json_object_set_new(v, "tag", *tag ? json_string(tag) : json_null());
	return v;
}

static struct server_nic *nic_of(struct object *server, const char *port)
{
	VEC_EACH (&server_of(server)->nics, struct server_nic, nic)
		if (!strcmp(nic->port, port))
			return nic;
	return NULL;
}

void interfaces_list(struct call *c)
{
	struct object *o = server_find(c);
	json_t *list = json_array();

	/* nova asks neutron: what says it is the server's */
	OBJECT_EACH (c->sim, KIND_PORT, port) {
		if (!o || strcmp(object_str(port, "device_id"), o->id))
			continue;
		const struct server_nic *nic = nic_of(o, port->id);
		json_array_append_new(list, view(c, port, nic ? nic->tag : ""));
	}
	if (o)
		call_json(c, 200, json_pack("{s:O}", "interfaceAttachments", list));
	json_decref(list);
}

static void show(struct call *c, struct object *o, const char *id)
{
	const struct object *port = object_get(c->sim, KIND_PORT, id);
	const struct server_nic *nic = nic_of(o, id);

	if (!port || strcmp(port->project, c->project))
		call_fail(c, 404, NULL, "Port id %s could not be found.", id);
	else if (strcmp(object_str(port, "device_id"), o->id))
		call_fail(c, 404, NULL, "Instance %s does not have a port with id %s", o->id, id);
	else
		call_json(c, 200,
			json_pack("{s:o}", "interfaceAttachment",
				view(c, port, nic ? nic->tag : "")));
}

void interfaces_show(struct call *c)
{
	struct object *o = server_find(c);

	if (o)
		show(c, o, c->params[1]);
}

/* --- os-interface: attaching ----------------------------------------------------------------- */

static void plugged(struct timer *t)
{
	struct object *port = t->arg;

	port_set_status(port, "ACTIVE");
	guests_changed(port->sim);
}

static struct object *attach_own(struct call *c, struct object *o, const json_t *in)
{
	const char *network = json_str(in, "net_id");
	const json_t *wanted = json_array_get(json_object_get(in, "fixed_ips"), 0);
	struct creation n = {.in = in};
	struct server_nic nic = {.ours = true};

	if (network) {
		const struct object *net = object_get(c->sim, KIND_NETWORK, network);
		if (!net || !network_visible(c, net))
			call_fail(c, 404, NULL, "Network %s could not be found.", network);
		if (call_answered(c) || !check_network(c, network) ||
			!check_address(c, network, json_str(wanted, "ip_address")))
			return NULL;
		snprintf(nic.network, sizeof(nic.network), "%s", network);
		if (json_str(wanted, "ip_address"))
			snprintf(nic.address, sizeof(nic.address), "%s",
				json_str(wanted, "ip_address"));
	} else {
		const bool good = add_only(c, &n, false) && n.sketch.nics.n > 0;
		if (good)
			nic = n.sketch.nics.p[0];
		vec_fini(&n.sketch.nics);
		if (!good && !call_answered(c))
			call_fail(c, 400, NULL,
				"No specific network was requested and none are available for "
				"project '%s'.",
				c->project);
		if (!good)
			return NULL;
	}
	struct object *port = nic_make_port(o, &nic);
	if (!port) {
		call_fail(c, 400, NULL, "No fixed IP addresses available for network: %s",
			nic.network);
		return NULL;
	}
	vec_push(&server_of(o)->nics, nic);
	return port;
}

static struct object *attach_given(struct call *c, struct object *o, const char *id)
{
	struct object *port = object_get(c->sim, KIND_PORT, id);
	struct server_nic nic = {0};

	if (!port || strcmp(port->project, c->project)) {
		call_fail(c, 404, NULL, "Port id %s could not be found.", id);
		return NULL;
	}
	if (*object_str(port, "device_id") || claimed(c->sim, id)) {
		call_fail(c, 409, NULL, "Port %s is still in use.", id);
		return NULL;
	}
	snprintf(nic.port, sizeof(nic.port), "%s", id);
	vec_push(&server_of(o)->nics, nic);
	nic_bind(o, port);
	return port;
}

void interfaces_create(struct call *c)
{
	struct object *o = server_find(c);
	const json_t *in = o ? body_interface(c) : NULL;
	const char *port_id = json_str(in, "port_id"), *net_id = json_str(in, "net_id");
	const char *tag = json_str(in, "tag");

	if (!o || call_answered(c)) /* {} is fine: on the only network */
		return;
	if (port_id && net_id)
		call_fail(c, 400, NULL, "Must not input both network_id and port_id");
	else if (json_array_size(json_object_get(in, "fixed_ips")) > 0 && !net_id)
		call_fail(c, 400, NULL, "Must input network_id when request IP address");
	if (call_answered(c) || !server_may(c, o, "attach_interface", USABLE, true, true))
		return;
	event_action(o, c, "attach_interface");
	event_begin(o, c->request_id, "compute_attach_interface");
	rule_changed(c, o, false);
	struct object *port = port_id ? attach_given(c, o, port_id) : attach_own(c, o, in);
	event_end(o, c->request_id, port != NULL);
	if (!port)
		return;
	struct server_nic *nic = nic_of(o, port->id);
	snprintf(nic->tag, sizeof(nic->tag), "%s", tag ? tag : "");
	if (!call_hit(c, MISHAP_STUCK))
		object_after(port, draw_time_ns(&c->sim->draw, TIME_PORT_GONE), plugged);
	guests_changed(c->sim);
	show(c, o, port->id);
}

/* --- os-interface: detaching ----------------------------------------------------------------- */

static struct object *holder(struct sim *s, const char *port)
{
	OBJECT_EACH (s, KIND_SERVER, o)
		if (nic_of(o, port))
			return o;
	return NULL;
}

static void detached(struct timer *t)
{
	struct object *port = t->arg, *o = holder(port->sim, port->id);
	struct sim *sim = port->sim;
	struct server_nic *nic = o ? nic_of(o, port->id) : NULL;

	if (!nic)
		return;
	event_end(o, nic->detach_request, true);
	nic_release(o, nic);
	vec_remove(&server_of(o)->nics, (size_t)(nic - server_of(o)->nics.p));
	guests_changed(sim);
}

void interfaces_delete(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !server_may(c, o, "detach_interface", USABLE, true, true))
		return;
	const char *id = c->params[1];
	struct server_nic *nic = nic_of(o, id);
	struct object *port = nic ? nic_port(c->sim, nic) : NULL;
	event_action(o, c, "detach_interface");
	event_begin(o, c->request_id, "compute_detach_interface");
	if (!port) { /* nova only finds out on the host: the answer is the same */
		event_end(o, c->request_id, false);
		call_fail(c, 404, NULL, "Port id %s could not be found.", id);
		return;
	}
	rule_changed(c, o, false);
	call_empty(c, 202);
	if (*nic->detach_request) { /* one is under way: the host refuses the second */
		event_end(o, c->request_id, false);
		return;
	}
	snprintf(nic->detach_request, sizeof(nic->detach_request), "%s", c->request_id);
	if (!call_hit(c, MISHAP_STUCK))
		object_after(port, draw_time_ns(&c->sim->draw, TIME_INTERFACE_DETACH), detached);
}

/*
 * compute_view.c - a server as members see it, by microversion.
 */

#include <string.h>

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/network.h"
#include "sim/state.h"

struct object *nic_port(struct sim *s, const struct server_nic *nic)
{
	return *nic->port ? object_get(s, KIND_PORT, nic->port) : NULL;
}

/* --- addresses ------------------------------------------------------------------------------- */

static json_t *address(const char *text, const char *type, const char *mac, bool extended)
{
	json_t *a = json_pack("{s:i, s:s}", "version", strchr(text, ':') ? 6 : 4, "addr", text);

	if (extended) {
		json_object_set_new(a, "OS-EXT-IPS:type", json_string(type));
		json_object_set_new(a, "OS-EXT-IPS-MAC:mac_addr", json_string(mac));
	}
	return a;
}

static void add_port(struct sim *s, const struct object *port, bool extended, json_t *addresses)
{
	const struct object *net = object_get(s, KIND_NETWORK, object_str(port, "network_id"));
	const char *name = net ? object_str(net, "name") : "",
		   *mac = object_str(port, "mac_address");
	json_t *list = json_object_get(addresses, name), *ip;
	size_t i;

	if (!list)
		json_object_set_new(addresses, name, list = json_array());
	json_array_foreach (json_object_get(port->doc, "fixed_ips"), i, ip) {
		const char *fixed = json_str(ip, "ip_address");
		json_array_append_new(list, address(fixed, "fixed", mac, extended));
		OBJECT_EACH (s, KIND_FLOATING_IP, f)
			if (!strcmp(object_str(f, "port_id"), port->id) &&
				!strcmp(object_str(f, "fixed_ip_address"), fixed))
				json_array_append_new(
					list, address(object_str(f, "floating_ip_address"),
						      "floating", mac, extended));
	}
}

json_t *server_addresses(struct sim *s, const struct object *o, bool extended)
{
	json_t *addresses = json_object();

	if (!strcmp(object_str(o, "OS-EXT-STS:vm_state"), "building"))
		return addresses;
	VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
		const struct object *port = nic_port(s, nic);
		if (port)
			add_port(s, port, extended, addresses);
	}
	return addresses;
}

/* --- what else is computed ------------------------------------------------------------------- */

static bool has_name(const json_t *list, const char *name)
{
	json_t *g;
	size_t i;

	json_array_foreach (list, i, g)
		if (!strcmp(json_str(g, "name"), name))
			return true;
	return false;
}

/* Names of the groups of all its ports; NULL when it has no port yet. */
static json_t *security_groups(struct sim *s, const struct object *o)
{
	json_t *list = NULL, *id;
	size_t i;

	VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
		const struct object *port = nic_port(s, nic);
		json_array_foreach (
			port ? json_object_get(port->doc, "security_groups") : NULL, i, id) {
			const struct object *g = object_get(s, KIND_GROUP, json_string_value(id));
			if (!list)
				list = json_array();
			if (g && !has_name(list, object_str(g, "name")))
				json_array_append_new(
					list, json_pack("{s:s}", "name", object_str(g, "name")));
		}
	}
	return list;
}

static json_t *volumes(struct call *c, const struct object *o)
{
	json_t *list = json_array();

	VEC_EACH (&server_of(o)->disks, struct server_disk, d) {
		if (!*d->volume)
			continue;
		json_t *v = json_pack("{s:s}", "id", d->volume);
		if (since(c, 3))
			json_object_set_new(
				v, "delete_on_termination", json_boolean(d->delete_with_server));
		json_array_append_new(list, v);
	}
	return list;
}

static json_t *flavor(struct call *c, const struct object *o)
{
	const struct object *f = flavor_find(c->sim, server_of(o)->flavor);

	if (!since(c, 47))
		return json_pack("{s:s, s:o}", "id", f->id, "links",
			compute_links(c, "flavors", f->id, false));
	return json_pack("{s:O, s:O, s:O, s:i, s:i, s:O, s:{}}", "vcpus",
		json_object_get(f->doc, "vcpus"), "ram", json_object_get(f->doc, "ram"), "disk",
		json_object_get(f->doc, "disk"), "ephemeral", 0, "swap", 0, "original_name",
		json_object_get(f->doc, "name"), "extra_specs");
}

static json_t *image(struct call *c, const struct object *o)
{
	const char *id = server_of(o)->image;

	if (!*id)
		return json_string("");
	return json_pack("{s:s, s:o}", "id", id, "links", compute_links(c, "images", id, false));
}

static json_t *server_groups(const struct object *o)
{
	json_t *list = json_array();

	if (*server_of(o)->group)
		json_array_append_new(list, json_string(server_of(o)->group));
	return list;
}

/* --- the whole ------------------------------------------------------------------------------- */

/* Fields that stand in the document as they are shown. */
static const struct {
	const char *name;
	int since;
	bool all; /* only with VIEW_ALL */
} plain[] = {
	{"name"},
	{"status"},
	{"tenant_id"},
	{"user_id"},
	{"metadata"},
	{"hostId"},
	{"created"},
	{"updated"},
	{"accessIPv4"},
	{"accessIPv6"},
	{"OS-DCF:diskConfig"},
	{"OS-EXT-AZ:availability_zone", 0, true},
	{"config_drive", 0, true},
	{"key_name", 0, true},
	{"OS-SRV-USG:launched_at", 0, true},
	{"OS-SRV-USG:terminated_at", 0, true},
	{"OS-EXT-STS:task_state", 0, true},
	{"OS-EXT-STS:vm_state", 0, true},
	{"OS-EXT-STS:power_state", 0, true},
	{"locked", 9},
	{"locked_reason", 73},
	{"description", 19},
	{"tags", 26},
	{"trusted_image_certificates", 63},
	{"OS-EXT-SRV-ATTR:hostname", 90},
};

json_t *server_view(struct call *c, const struct object *o, unsigned flags)
{
	json_t *v = json_object(), *groups;
	const char *status = object_str(o, "status");

	json_object_set_new(v, "id", json_string(o->id));
	for (size_t i = 0; i < array_len(plain); i++)
		if (since(c, plain[i].since) && (!plain[i].all || flags & VIEW_ALL))
			json_object_set(v, plain[i].name, json_object_get(o->doc, plain[i].name));
	json_object_set_new(v, "image", image(c, o));
	json_object_set_new(v, "flavor", flavor(c, o));
	json_object_set_new(v, "addresses", server_addresses(c->sim, o, flags & VIEW_ALL));
	json_object_set_new(v, "links", compute_links(c, "servers", o->id, true));
	if (compute_among("ERROR DELETED", status) && json_object_get(o->doc, "fault"))
		json_object_set(v, "fault", json_object_get(o->doc, "fault"));
	if (compute_among("ACTIVE BUILD REBUILD RESIZE VERIFY_RESIZE MIGRATING", status))
		json_object_set_new(v, "progress", json_integer(0));
	if (flags & VIEW_ALL) {
		if ((groups = security_groups(c->sim, o)))
			json_object_set_new(v, "security_groups", groups);
		json_object_set_new(v, "os-extended-volumes:volumes_attached", volumes(c, o));
	}
	if (since(c, 71) && !(flags & VIEW_DETAIL))
		json_object_set_new(v, "server_groups", server_groups(o));
	return v;
}

#include "sim/guest_picture.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/units.h"
#include "sim/compute.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

#define OTHER_PROTOCOL 255

static void enter(struct map *m, const char *id, size_t place)
{
	map_put(m, id, (void *)(uintptr_t)(place + 1));
}

bool picture_place(const struct map *m, const char *id, unsigned *ret)
{
	const uintptr_t n = (uintptr_t)map_get(m, id);
	if (n)
		*ret = (unsigned)n - 1;
	return n > 0;
}

static bool is_up(const struct object *o)
{
	return o && json_object_get(o->doc, "admin_state_up") != json_false();
}

/* --- networks ----------------------------------------------------------------------------------
 */

static void take_subnets(struct picture *p)
{
	OBJECT_EACH (p->s, KIND_SUBNET, o) {
		struct world_subnet n = {0};
		if (!subnet_prefix(o, &n.prefix))
			continue;
		enter(&p->subnets, o->id, p->w->subnets.n);
		vec_push(&p->w->subnets, n);
	}
}

static void take_routers(struct picture *p)
{
	OBJECT_EACH (p->s, KIND_ROUTER, o) {
		struct world_router r = {.up = is_up(o)};
		const json_t *gateway = json_object_get(o->doc, "external_gateway_info");
		const char *network = json_str(gateway, "network_id");
		const json_t *first =
			json_array_get(json_object_get(gateway, "external_fixed_ips"), 0);
		const char *address = json_str(first, "ip_address");
		if (network && address && !strcmp(network, p->s->net.public_network))
			ip_parse(address, &r.outside);
		enter(&p->routers, o->id, p->w->routers.n);
		vec_push(&p->w->routers, r);
	}
}

static void take_interfaces(struct picture *p)
{
	json_t *f;
	size_t i;
	OBJECT_EACH (p->s, KIND_PORT, o) {
		unsigned router, subnet;
		struct ip a;
		if (strcmp(object_str(o, "device_owner"), "network:router_interface") ||
			!picture_place(&p->routers, object_str(o, "device_id"), &router))
			continue;
		json_array_foreach (json_object_get(o->doc, "fixed_ips"), i, f) {
			const char *id = json_str(f, "subnet_id");
			const char *address = json_str(f, "ip_address");
			if (!id || !address || !picture_place(&p->subnets, id, &subnet) ||
				!ip_parse(address, &a))
				continue;
			vec_push(&p->w->subnets.p[subnet].routers, router);
			vec_push(&p->w->routers.p[router].addresses, a);
		}
	}
}

/* --- security groups --------------------------------------------------------------------------
 */

static const struct {
	const char *name;
	int number; /* of IP; -1: any */
} protocols[] = {
	{"any", -1}, {"tcp", 6}, {"udp", 17}, {"icmp", 1}, {"icmpv6", 58}, {"ipv6-icmp", 58}};

static int protocol_number(const struct object *rule)
{
	const json_t *v = json_object_get(rule->doc, "protocol");
	const char *name = json_string_value(v);
	if (json_is_integer(v))
		return (int)json_integer_value(v);
	if (!name)
		return -1;
	for (size_t i = 0; i < array_len(protocols); i++)
		if (!strcmp(protocols[i].name, name))
			return protocols[i].number;
	/* A number as text; any other name is a protocol that no guest here speaks. */
	int64_t number;
	return units_parse_int(slice_of(name), &number) && number >= 0 && number < OTHER_PROTOCOL
		       ? (int)number
		       : OTHER_PROTOCOL;
}

static void take_rule(struct picture *p, const struct object *o)
{
	const char *prefix = json_str(o->doc, "remote_ip_prefix");
	const char *remote = json_str(o->doc, "remote_group_id");
	struct world_rule r = {
		.ingress = !strcmp(object_str(o, "direction"), "ingress"),
		.version = !strcmp(object_str(o, "ethertype"), "IPv6") ? 6 : 4,
		.protocol = protocol_number(o),
		.min = (int)json_int(o->doc, "port_range_min", -1),
		.max = (int)json_int(o->doc, "port_range_max", -1),
		.by_prefix = prefix,
		.by_group = remote,
	};
	unsigned group;
	if (!picture_place(&p->groups, object_str(o, "security_group_id"), &group) ||
		(prefix && !prefix_parse(prefix, &r.prefix, NULL)) ||
		(remote && !picture_place(&p->groups, remote, &r.group)) ||
		json_str(o->doc, "remote_address_group_id")) /* there are none here: fits nobody */
		return;
	vec_push(&p->w->groups.p[group].rules, r);
}

static void take_groups(struct picture *p)
{
	OBJECT_EACH (p->s, KIND_GROUP, o) {
		enter(&p->groups, o->id, p->w->groups.n);
		vec_push(&p->w->groups, (struct world_group){0});
	}
	OBJECT_EACH (p->s, KIND_RULE, o)
		take_rule(p, o);
}

/* --- guests ------------------------------------------------------------------------------------
 */

/* The host name nova makes of a server's name. */
static void hostname_of(const struct object *server, char *ret, size_t size)
{
	const char *given = object_str(server, "OS-EXT-SRV-ATTR:hostname");
	size_t n = 0;
	if (*given) {
		snprintf(ret, size, "%s", given);
		return;
	}
	for (const char *c = object_str(server, "name"); *c && n + 1 < size; c++) {
		if (isalnum((unsigned char)*c))
			ret[n++] = (char)tolower((unsigned char)*c);
		else if (strchr(" _.-", *c) && n > 0)
			ret[n++] = '-';
	}
	while (n > 0 && ret[n - 1] == '-')
		n--;
	ret[n] = 0;
	if (!n)
		snprintf(ret, size, "server-%.36s", server->id);
}

/* Made at the first boot; a boot that finds the metadata service for the first time completes it.
 */
static struct guest_disk *disk_of(struct picture *p, struct map *disks, const struct object *o)
{
	const struct server *server = server_of(o);
	const bool told = !server->no_metadata;
	struct guest_disk *old = map_get(disks, o->id), *d;
	unsigned char seed[GUEST_KEY_SEED];
	char name[64] = "localhost", sequence[ID_TEXT + 16];
	if (old && (old->told || !told))
		return guest_disk_ref(old);
	if (told)
		hostname_of(o, name, sizeof(name));
	snprintf(sequence, sizeof(sequence), "host key %s", o->id);
	if (old)
		memcpy(seed, old->key_seed, sizeof(seed));
	else
		random_fill(draw_sequence(&p->s->draw, sequence), seed, sizeof(seed));
	d = guest_disk_new(
		seed, name, told ? server->public_key : NULL, told ? server->user_data : NULL);
	d->told = told;
	guest_disk_unref(map_put(disks, o->id, d));
	return guest_disk_ref(d);
}

static void take_addresses(
	const struct picture *p, const struct object *port, struct world_nic *nic)
{
	struct world_address a;
	unsigned group;
	size_t i;
	json_t *f;
	json_array_foreach (json_object_get(port->doc, "fixed_ips"), i, f) {
		const char *address = json_str(f, "ip_address"), *subnet = json_str(f, "subnet_id");
		if (address && subnet && ip_parse(address, &a.ip) &&
			picture_place(&p->subnets, subnet, &a.subnet))
			vec_push(&nic->addresses, a);
	}
	json_array_foreach (json_object_get(port->doc, "security_groups"), i, f)
		if (picture_place(&p->groups, json_string_value(f), &group))
			vec_push(&nic->groups, group);
}

void picture_nic(const struct picture *p, const struct object *port, struct world_nic *ret)
{
	ret->up = is_up(port) &&
		  is_up(object_get(p->s, KIND_NETWORK, object_str(port, "network_id")));
	ret->open = json_object_get(port->doc, "port_security_enabled") == json_false();
	snprintf(ret->port, sizeof(ret->port), "%s", port->id);
	snprintf(ret->mac, sizeof(ret->mac), "%s", object_str(port, "mac_address"));
	take_addresses(p, port, ret);
}

static void take_nics(struct picture *p, const struct object *o, struct world_guest *g)
{
	VEC_EACH (&server_of(o)->nics, struct server_nic, own) {
		const struct object *port = object_get(p->s, KIND_PORT, own->port);
		if (!port || strcmp(object_str(port, "device_id"), o->id))
			continue;
		struct world_nic nic = {0};
		picture_nic(p, port, &nic);
		vec_push(&g->nics, nic);
	}
}

static void take_disks(struct picture *p, const struct object *o, struct world_guest *g)
{
	const struct server *server = server_of(o);
	const struct object *flavor = object_get(p->s, KIND_FLAVOR, server->flavor);
	if (*server->image)
		vec_push(&g->disks, ((struct world_disk){
					    "vda", flavor ? json_int(flavor->doc, "disk", 0) : 0}));
	VEC_EACH (&server->disks, struct server_disk, own) {
		const struct object *volume = object_get(p->s, KIND_VOLUME, own->volume);
		if (!volume)
			continue;
		const char *slash = strrchr(own->device, '/');
		struct world_disk d = {.gib = json_int(volume->doc, "size", 0)};
		snprintf(d.name, sizeof(d.name), "%s", slash ? slash + 1 : own->device);
		vec_push(&g->disks, d);
	}
}

static bool runs(const struct object *server)
{
	const char *status = object_str(server, "status");
	return server->more && (!strcmp(status, "ACTIVE") || !strcmp(status, "VERIFY_RESIZE"));
}

static void take_guests(struct picture *p, struct map *disks)
{
	OBJECT_EACH (p->s, KIND_SERVER, o) {
		const int64_t left_ns = runs(o) && server_of(o)->up_ns != INT64_MAX
						? server_of(o)->up_ns - p->now_ns
						: INT64_MAX;
		if (left_ns > 0) {
			if (left_ns != INT64_MAX && (p->next_ns < 0 || left_ns < p->next_ns))
				p->next_ns = left_ns;
			continue;
		}
		struct world_guest g = {
			.boots = server_of(o)->boots,
			.up_ns = clock_mono_ns(&clock_system) + left_ns,
			.disk = disk_of(p, disks, o),
		};
		snprintf(g.id, sizeof(g.id), "%s", o->id);
		take_nics(p, o, &g);
		take_disks(p, o, &g);
		vec_push(&p->w->guests, g);
	}
	/* Only now do they stay where they are. */
	VEC_EACH (&p->w->guests, struct world_guest, g)
		map_put(&p->w->by_id, g->id, g);
}

/* --- floating IPs ------------------------------------------------------------------------------
 */

static bool leads_outside(const struct guest_world *w, unsigned subnet)
{
	const struct world_subnet *n = &w->subnets.p[subnet];
	for (size_t i = 0; i < n->routers.n; i++) {
		const struct world_router *r = &w->routers.p[n->routers.p[i]];
		if (r->up && r->outside.version)
			return true;
	}
	return false;
}

static bool reaches(
	const struct guest_world *w, const struct world_nic *nic, const char *port, struct ip fixed)
{
	if (!nic->up || strcmp(nic->port, port))
		return false;
	VEC_EACH (&nic->addresses, struct world_address, a)
		if (ip_equal(a->ip, fixed) && leads_outside(w, a->subnet))
			return true;
	return false;
}

/* The door of a port and its address, if there is a way outside. */
static bool door_of(
	const struct picture *p, const struct object *port, struct ip fixed, struct world_door *ret)
{
	const struct world_guest *g = world_guest(p->w, object_str(port, "device_id"));
	for (size_t i = 0; g && i < g->nics.n; i++)
		if (reaches(p->w, &g->nics.p[i], port->id, fixed)) {
			*ret = (struct world_door){.guest = g, .nic = &g->nics.p[i]};
			return true;
		}
	VEC_EACH (&p->w->balancers, struct world_balancer, b)
		if (reaches(p->w, &b->nic, port->id, fixed)) {
			*ret = (struct world_door){.balancer = b, .nic = &b->nic};
			return true;
		}
	return false;
}

static void take_floating(struct picture *p, const struct object *o, struct ip outside)
{
	const struct object *port = object_get(p->s, KIND_PORT, object_str(o, "port_id"));
	struct world_door door;
	struct ip own, fixed;
	if (!port || strcmp(object_str(o, "status"), "ACTIVE") ||
		!ip_parse(object_str(o, "floating_ip_address"), &own) ||
		own.version != outside.version || own.n >> 8 != outside.n >> 8 ||
		!ip_parse(object_str(o, "fixed_ip_address"), &fixed) ||
		!door_of(p, port, fixed, &door))
		return;
	const struct world_nic *nic = door.nic;
	door.ssh = door.guest && world_admits(p->w, nic, true, outside, NULL, PACKET_TCP, 22);
	door.ping = door.balancer ? !door.balancer->transparent
				  : world_admits(p->w, nic, true, outside, NULL, PACKET_ECHO, 0);
	for (size_t i = 0; i < WORLD_PORTS; i++)
		door.tcp[i] = door.balancer ? world_listener(door.balancer, world_ports[i],
						      outside) != NULL
					    : world_admits(p->w, nic, true, outside, NULL,
						      PACKET_TCP, world_ports[i]);
	p->w->doors[(unsigned)(own.n & 0xff)] = door;
}

static void forget_disks(struct sim *s, struct map *disks)
{
	MAP_EACH (disks, e)
		if (!object_get(s, KIND_SERVER, e->key)) {
			guest_disk_unref(e->value);
			map_remove(disks, e->key);
		}
}

struct guest_world *guest_world_new(struct sim *s, struct map *disks, int64_t *ret_next_ns)
{
	struct picture p = {.s = s,
		.w = mem_new(struct guest_world),
		.now_ns = loop_now_ns(s->loop),
		.next_ns = -1};
	struct ip outside = {0};
	p.w->refs = 1;
	ip_parse(WORLD_OUTSIDE, &outside);
	forget_disks(s, disks);
	take_subnets(&p);
	take_routers(&p);
	take_interfaces(&p);
	take_groups(&p);
	take_guests(&p, disks);
	picture_balancers(&p);
	OBJECT_EACH (s, KIND_FLOATING_IP, o)
		take_floating(&p, o, outside);
	map_fini(&p.subnets);
	map_fini(&p.routers);
	map_fini(&p.groups);
	*ret_next_ns = p.next_ns;
	return p.w;
}

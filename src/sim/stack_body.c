/*
 * stack_body.c - heat's properties in the words of the services: names become ids, and what only
 * heat knows goes.
 */

#include "sim/stack_body.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/state.h"

/* --- properties --------------------------------------------------------------------------------
 */

/* What a name or an id means to the project. */
static const char *id_of(const struct object *stack, enum kind k, const char *text)
{
	struct object *o = object_get(stack->sim, k, text);

	if (o)
		return o->id;
	OBJECT_EACH (stack->sim, k, other)
		if (!strcmp(object_str(other, "name"), text) &&
			(!strcmp(other->project, stack->project) || other->made_by == MADE_BY_SEED))
			return other->id;
	return text;
}

/* Moves properties[from] to [to], as an id of that kind. */
void stack_refer(struct making *m, json_t *in, const char *from, const char *to, enum kind k)
{
	json_t *value = json_incref(json_object_get(in, from));

	if (!value)
		return;
	json_object_del(in, from);
	if (json_is_string(value))
		json_object_set_new(
			in, to, json_string(id_of(m->stack, k, json_string_value(value))));
	json_decref(value);
}

/* Its own name, or the one heat gives it; what else only heat knows goes. */
static void name_it(struct making *m)
{
	json_t *p = m->properties;

	if (!json_str(p, "name"))
		json_object_set(p, "name", json_object_get(m->resource, "label"));
	json_object_update(p, json_object_get(p, "value_specs"));
	json_object_del(p, "value_specs");
}

void stack_network_body(struct making *m)
{
	name_it(m);
	json_object_del(
		m->properties, "tags"); /* a request of their own, which neutron never refuses */
}

void stack_subnet_body(struct making *m)
{
	stack_network_body(m);
	stack_refer(m, m->properties, "network", "network_id", KIND_NETWORK);
	if (!json_object_get(m->properties, "ip_version"))
		json_object_set_new(m->properties, "ip_version", json_integer(4));
}

void stack_port_body(struct making *m)
{
	json_t *ip, *group, *groups = json_array();
	size_t i;

	stack_network_body(m);
	stack_refer(m, m->properties, "network", "network_id", KIND_NETWORK);
	json_array_foreach (json_object_get(m->properties, "fixed_ips"), i, ip)
		stack_refer(m, ip, "subnet", "subnet_id", KIND_SUBNET);
	json_array_foreach (json_object_get(m->properties, "security_groups"), i, group)
		if (json_is_string(group))
			json_array_append_new(groups,
				json_string(id_of(m->stack, KIND_GROUP, json_string_value(group))));
	if (json_object_get(m->properties, "security_groups"))
		json_object_set(m->properties, "security_groups", groups);
	json_decref(groups);
}

void stack_router_body(struct making *m)
{
	stack_network_body(m);
	stack_refer(m, json_object_get(m->properties, "external_gateway_info"), "network",
		"network_id", KIND_NETWORK);
}

void stack_floating_body(struct making *m)
{
	stack_network_body(m);
	json_object_del(m->properties, "name");
	stack_refer(m, m->properties, "floating_network", "floating_network_id", KIND_NETWORK);
	stack_refer(m, m->properties, "port", "port_id", KIND_PORT);
}

void stack_volume_body(struct making *m)
{
	name_it(m);
	stack_refer(m, m->properties, "image", "imageRef", KIND_IMAGE);
}

/* --- servers -----------------------------------------------------------------------------------
 */

static void server_networks(struct making *m)
{
	json_t *networks = json_object_get(m->properties, "networks"), *n;
	size_t i;

	json_array_foreach (networks, i, n) {
		stack_refer(m, n, "network", "uuid", KIND_NETWORK);
		stack_refer(m, n, "port", "port", KIND_PORT);
		json_object_del(n, "subnet");
		if (json_object_get(n, "port"))
			json_object_del(n, "uuid");
	}
	if (json_array_size(networks) == 0)
		json_object_set_new(m->properties, "networks", json_string("auto"));
}

/* heat's {volume_id | snapshot_id | image, …} as nova's {uuid, source_type, …}. */
static void server_disks(struct making *m)
{
	static const struct {
		const char *property, *source;
		enum kind kind;
	} sources[] = {{"volume_id", "volume", KIND_VOLUME},
		{"snapshot_id", "snapshot", KIND_SNAPSHOT}, {"image", "image", KIND_IMAGE},
		{"image_id", "image", KIND_IMAGE}};
	json_t *disk;
	size_t i;

	json_array_foreach (json_object_get(m->properties, "block_device_mapping_v2"), i, disk)
		for (size_t k = 0; k < array_len(sources); k++) {
			if (!json_object_get(disk, sources[k].property))
				continue;
			stack_refer(m, disk, sources[k].property, "uuid", sources[k].kind);
			json_object_set_new(disk, "source_type", json_string(sources[k].source));
			json_object_set_new(disk, "destination_type", json_string("volume"));
			if (!json_object_get(disk, "boot_index"))
				json_object_set_new(
					disk, "boot_index", json_integer((json_int_t)i));
		}
}

void stack_server_body(struct making *m)
{
	json_t *p = m->properties, *groups = json_array(), *group;
	const char *data = json_str(p, "user_data");
	size_t i;

	name_it(m);
	stack_refer(m, p, "image", "imageRef", KIND_IMAGE);
	stack_refer(m, p, "flavor", "flavorRef", KIND_FLAVOR);
	server_networks(m);
	server_disks(m);
	json_object_del(p, "user_data_format");
	if (data) {
		char *encoded = base64_encode(data, strlen(data));
		json_object_set_new(p, "user_data", json_string(encoded));
		free(encoded);
	}
	json_array_foreach (json_object_get(p, "security_groups"), i, group)
		json_array_append_new(groups, json_pack("{s:O}", "name", group));
	if (json_array_size(groups) > 0)
		json_object_set(p, "security_groups", groups);
	json_decref(groups);
}

/*
 * stack_type.c - the types of resources: which properties they have, which request makes them, when
 * they are there, and how they go again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/python.h"
#include "sim/stack.h"
#include "sim/state.h"

#define NETWORK  "/network/v2.0/"
#define RESPONSE 400 /* from here on an answer is an error */

struct making {
	struct object *stack;
	json_t *resource;
	json_t *properties; /* worked out; changed by who makes the body */
};

struct stack_type {
	const char *name;
	/* Words: "a|b!" one of them is needed, "c#" is a whole number. NULL: anything. */
	const char *properties;
	const char *path, *wrapper; /* of the collection it is made in; NULL: no request makes it */
	void (*body)(struct making *m);
	enum stack_state (*make)(struct making *m, char **ret_why);  /* NULL: a POST of the body */
	enum stack_state (*unmake)(struct object *stack, json_t *r); /* NULL: a DELETE */
	const char *ready, *failed; /* states it is waited for, words; NULL: there at once */
	const char *follows;        /* types it waits for unasked, words */
};

/* --- requests to the other services ------------------------------------------------------------
 */

/* What was made meanwhile is heat's. */
static void adopt(struct sim *s, const uint64_t *before)
{
	for (int k = 0; k < KIND_COUNT; k++)
		OBJECT_EACH (s, k, o)
			if (o->ordinal > before[k] && o->made_by == MADE_BY_API)
				o->made_by = MADE_BY_HEAT;
}

/* As the owner of the stack. Takes `body`; the answer is owned, or NULL. */
static int ask(const struct object *stack, const char *method, const char *path, json_t *body,
	json_t **ret_answer)
{
	uint64_t before[KIND_COUNT];

	for (int k = 0; k < KIND_COUNT; k++)
		before[k] = stack->sim->tables[k].ordinal;
	const int status = call_inside_as(
		stack->sim, method, path, body, stack->project, stack->user, ret_answer);
	adopt(stack->sim, before);
	return status;
}

/* What any of the services says in an error. */
static const char *message_of(const json_t *answer)
{
	void *at = json_is_object(answer) ? json_object_iter((json_t *)answer) : NULL;
	const char *text = at ? json_str(json_object_iter_value(at), "message") : NULL;

	return text ? text : "The request was refused.";
}

/* "BadRequest: resources.sub2: …" */
static char *refusal(const struct making *m, int status, const json_t *answer)
{
	struct buf title = BUF(BUF_LINE);

	for (const char *p = call_status_title(status); *p; p++)
		if (*p != ' ')
			buf_add_char(&title, *p);
	char *why = mem_printf("%s: resources.%s: %s", buf_str(&title),
		json_str(m->resource, "name"), message_of(answer));
	buf_fini(&title);
	return why;
}

static enum stack_state refused(
	const struct making *m, int status, const json_t *answer, char **ret_why)
{
	*ret_why = refusal(m, status, answer);
	return STACK_FAILED;
}

/* ".../COLLECTION" or ".../COLLECTION/ID"; returns owned. */
static char *place(const struct object *stack, const struct stack_type *t, const char *id)
{
	const char *cut = strstr(t->path, "{project}");
	char *base = cut ? mem_printf("%.*s%s%s", (int)(cut - t->path), t->path, stack->project,
				   cut + strlen("{project}"))
			 : mem_strdup(t->path),
	     *path = id ? mem_printf("%s/%s", base, id) : mem_strdup(base);

	free(base);
	return path;
}

/* The object as its service shows it, owned, or NULL. */
static json_t *look(const struct object *stack, const struct stack_type *t, const char *id)
{
	json_t *answer = NULL, *found = NULL;
	char *path = place(stack, t, id);

	if (ask(stack, "GET", path, NULL, &answer) < RESPONSE)
		found = json_incref(json_object_get(answer, t->wrapper));
	json_decref(answer);
	free(path);
	return found;
}

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
static void refer(struct making *m, json_t *in, const char *from, const char *to, enum kind k)
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

static void network_body(struct making *m)
{
	name_it(m);
	json_object_del(
		m->properties, "tags"); /* a request of their own, which neutron never refuses */
}

static void subnet_body(struct making *m)
{
	network_body(m);
	refer(m, m->properties, "network", "network_id", KIND_NETWORK);
	if (!json_object_get(m->properties, "ip_version"))
		json_object_set_new(m->properties, "ip_version", json_integer(4));
}

static void port_body(struct making *m)
{
	json_t *ip, *group, *groups = json_array();
	size_t i;

	network_body(m);
	refer(m, m->properties, "network", "network_id", KIND_NETWORK);
	json_array_foreach (json_object_get(m->properties, "fixed_ips"), i, ip)
		refer(m, ip, "subnet", "subnet_id", KIND_SUBNET);
	json_array_foreach (json_object_get(m->properties, "security_groups"), i, group)
		if (json_is_string(group))
			json_array_append_new(groups,
				json_string(id_of(m->stack, KIND_GROUP, json_string_value(group))));
	if (json_object_get(m->properties, "security_groups"))
		json_object_set(m->properties, "security_groups", groups);
	json_decref(groups);
}

static void router_body(struct making *m)
{
	network_body(m);
	refer(m, json_object_get(m->properties, "external_gateway_info"), "network", "network_id",
		KIND_NETWORK);
}

static void floating_body(struct making *m)
{
	network_body(m);
	json_object_del(m->properties, "name");
	refer(m, m->properties, "floating_network", "floating_network_id", KIND_NETWORK);
	refer(m, m->properties, "port", "port_id", KIND_PORT);
}

static void volume_body(struct making *m)
{
	name_it(m);
	refer(m, m->properties, "image", "imageRef", KIND_IMAGE);
}

/* --- servers -----------------------------------------------------------------------------------
 */

static void server_networks(struct making *m)
{
	json_t *networks = json_object_get(m->properties, "networks"), *n;
	size_t i;

	json_array_foreach (networks, i, n) {
		refer(m, n, "network", "uuid", KIND_NETWORK);
		refer(m, n, "port", "port", KIND_PORT);
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
			refer(m, disk, sources[k].property, "uuid", sources[k].kind);
			json_object_set_new(disk, "source_type", json_string(sources[k].source));
			json_object_set_new(disk, "destination_type", json_string("volume"));
			if (!json_object_get(disk, "boot_index"))
				json_object_set_new(
					disk, "boot_index", json_integer((json_int_t)i));
		}
}

static void server_body(struct making *m)
{
	json_t *p = m->properties, *groups = json_array(), *group;
	const char *data = json_str(p, "user_data");
	size_t i;

	name_it(m);
	refer(m, p, "image", "imageRef", KIND_IMAGE);
	refer(m, p, "flavor", "flavorRef", KIND_FLAVOR);
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

/* --- those that are no object of their own -----------------------------------------------------
 */

static void set_id(json_t *r, const char *id)
{
	json_object_set_new(r, "id", json_string(id));
}

static enum stack_state make_none(struct making *m, char **ret_why)
{
	char id[UUID_TEXT];

	set_id(m->resource, draw_uuid(&m->stack->sim->draw, "stack none", id));
	return STACK_DONE;
}

static enum stack_state make_random(struct making *m, char **ret_why)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	struct random *random = draw_sequence(&m->stack->sim->draw, "stack random");
	const json_t *length = json_object_get(m->properties, "length");
	char *text = length ? python_str_text(length) : mem_strdup("");
	long n = strtol(text, NULL, 10);
	struct buf out = BUF(BUF_LINE);

	free(text);
	for (n = n > 0 && n <= 512 ? n : 32; n > 0; n--)
		buf_add_char(&out, letters[random_below(random, sizeof(letters) - 1)]);
	json_object_set_new(m->resource, "value", json_string(buf_str(&out)));
	set_id(m->resource, json_str(m->resource, "label"));
	buf_fini(&out);
	return STACK_DONE;
}

static enum stack_state forget(struct object *stack, json_t *r)
{
	return STACK_DONE;
}

/* A group has its rules from the start; those that neutron gives it are not asked for. */
static enum stack_state make_group(struct making *m, char **ret_why)
{
	json_t *rules = json_incref(json_object_get(m->properties, "rules")), *answer = NULL, *rule;
	size_t i;
	int status;

	json_object_del(m->properties, "rules");
	network_body(m);
	status = ask(m->stack, "POST", NETWORK "security-groups",
		json_pack("{s:O}", "security_group", m->properties), &answer);
	if (status < RESPONSE)
		set_id(m->resource, json_str(json_object_get(answer, "security_group"), "id"));
	json_array_foreach (rules, i, rule) {
		if (status >= RESPONSE)
			break;
		json_t *body = json_pack("{s:s, s:s, s:s}", "direction", "ingress", "ethertype",
			"IPv4", "security_group_id", json_str(m->resource, "id"));
		json_object_update(body, rule);
		json_object_del(body, "remote_mode");
		json_decref(answer);
		status = ask(m->stack, "POST", NETWORK "security-group-rules",
			json_pack("{s:o}", "security_group_rule", body), &answer);
	}
	const enum stack_state state =
		status < RESPONSE ? STACK_DONE : refused(m, status, answer, ret_why);
	json_decref(answer);
	json_decref(rules);
	return state;
}

/* Its id says what it connects: "ROUTER:subnet_id=SUBNET". */
static enum stack_state make_interface(struct making *m, char **ret_why)
{
	json_t *p = m->properties, *answer = NULL;

	refer(m, p, "router", "router_id", KIND_ROUTER);
	refer(m, p, "subnet", "subnet_id", KIND_SUBNET);
	refer(m, p, "port", "port_id", KIND_PORT);
	const char *router = json_str(p, "router_id"),
		   *key = json_str(p, "port_id") ? "port_id" : "subnet_id", *end = json_str(p, key);
	char *path = mem_printf(NETWORK "routers/%s/add_router_interface", router ? router : "");
	const int status =
		ask(m->stack, "PUT", path, json_pack("{s:s}", key, end ? end : ""), &answer);
	const enum stack_state state =
		status < RESPONSE ? STACK_DONE : refused(m, status, answer, ret_why);
	if (state == STACK_DONE) {
		char *id = mem_printf("%s:%s=%s", router, key, end);
		set_id(m->resource, id);
		free(id);
	}
	json_decref(answer);
	free(path);
	return state;
}

static enum stack_state unmake_interface(struct object *stack, json_t *r)
{
	const char *id = json_str(r, "id"), *colon = strchr(id, ':'), *equals = strchr(id, '=');
	char *path =
		mem_printf(NETWORK "routers/%.*s/remove_router_interface", (int)(colon - id), id);
	char *key = mem_strndup(colon + 1, (size_t)(equals - colon - 1));
	json_t *answer = NULL;
	const int status = ask(stack, "PUT", path, json_pack("{s:s}", key, equals + 1), &answer);

	json_decref(answer);
	free(path);
	free(key);
	return status < RESPONSE || status == 404 ? STACK_DONE : STACK_WAIT;
}

static enum stack_state make_attachment(struct making *m, char **ret_why)
{
	json_t *p = m->properties, *answer = NULL, *body = json_object();

	refer(m, p, "instance_uuid", "server", KIND_SERVER);
	refer(m, p, "volume_id", "volumeId", KIND_VOLUME);
	const char *server = json_str(p, "server");
	char *path =
		mem_printf("/compute/v2.1/servers/%s/os-volume_attachments", server ? server : "");
	json_object_set(body, "volumeId", json_object_get(p, "volumeId"));
	if (json_object_get(p, "mountpoint"))
		json_object_set(body, "device", json_object_get(p, "mountpoint"));
	const int status =
		ask(m->stack, "POST", path, json_pack("{s:o}", "volumeAttachment", body), &answer);
	enum stack_state state = STACK_WAIT;
	if (status < RESPONSE) {
		set_id(m->resource, json_str(p, "volumeId"));
		json_object_set_new(m->resource, "server", json_string(server));
	} else {
		state = refused(m, status, answer, ret_why);
	}
	json_decref(answer);
	free(path);
	return state;
}

static enum stack_state unmake_attachment(struct object *stack, json_t *r)
{
	const char *id = json_str(r, "id");
	const struct object *volume = object_get(stack->sim, KIND_VOLUME, id);
	char *path = mem_printf(
		"/compute/v2.1/servers/%s/os-volume_attachments/%s", json_str(r, "server"), id);
	json_t *answer = NULL;
	const int status = ask(stack, "DELETE", path, NULL, &answer);

	json_decref(answer);
	free(path);
	return status == 404 && (!volume || strcmp(object_str(volume, "status"), "detaching"))
		       ? STACK_DONE
		       : STACK_WAIT;
}

/* --- the types ---------------------------------------------------------------------------------
 */

#define SUBNET    "OS::Neutron::Subnet"
#define INTERFACE "OS::Neutron::RouterInterface"
#define VOLUMES   "/volume/v3/{project}/volumes"

static const struct stack_type types[] = {
	{.name = "OS::Heat::None", .make = make_none, .unmake = forget},
	{.name = "OS::Heat::RandomString",
		.properties = "length# sequence character_classes character_sequences salt",
		.make = make_random,
		.unmake = forget},
	{.name = "OS::Neutron::Net",
		.properties = "name admin_state_up shared port_security_enabled tags value_specs "
			      "dns_domain availability_zone_hints tenant_id",
		.path = NETWORK "networks",
		.wrapper = "network",
		.body = network_body},
	{.name = SUBNET,
		.properties = "network|network_id! cidr name ip_version# gateway_ip enable_dhcp "
			      "dns_nameservers allocation_pools host_routes ipv6_ra_mode "
			      "ipv6_address_mode tags value_specs tenant_id",
		.path = NETWORK "subnets",
		.wrapper = "subnet",
		.body = subnet_body},
	{.name = "OS::Neutron::Port",
		.properties = "network|network_id! name fixed_ips security_groups admin_state_up "
			      "allowed_address_pairs mac_address device_id device_owner "
			      "port_security_enabled tags value_specs",
		.path = NETWORK "ports",
		.wrapper = "port",
		.body = port_body,
		.follows = SUBNET},
	{.name = "OS::Neutron::Router",
		.properties = "name admin_state_up external_gateway_info tags value_specs",
		.path = NETWORK "routers",
		.wrapper = "router",
		.body = router_body},
	{.name = INTERFACE,
		.properties = "router|router_id! subnet|subnet_id|port|port_id!",
		.make = make_interface,
		.unmake = unmake_interface},
	{.name = "OS::Neutron::FloatingIP",
		.properties = "floating_network|floating_network_id! port_id fixed_ip_address "
			      "floating_ip_address floating_subnet dns_name dns_domain value_specs",
		.path = NETWORK "floatingips",
		.wrapper = "floatingip",
		.body = floating_body,
		.follows = INTERFACE},
	{.name = "OS::Neutron::SecurityGroup",
		.properties = "name description rules",
		.path = NETWORK "security-groups",
		.wrapper = "security_group",
		.make = make_group},
	{.name = "OS::Nova::Server",
		.properties = "name image flavor! key_name networks security_groups user_data "
			      "user_data_format metadata availability_zone "
			      "block_device_mapping_v2 config_drive tags",
		.path = "/compute/v2.1/servers",
		.wrapper = "server",
		.body = server_body,
		.ready = "ACTIVE",
		.failed = "ERROR",
		.follows = SUBNET},
	{.name = "OS::Cinder::Volume",
		.properties = "size# name description image volume_type availability_zone metadata "
			      "snapshot_id source_volid",
		.path = VOLUMES,
		.wrapper = "volume",
		.body = volume_body,
		.ready = "available in-use",
		.failed = "error"},
	{.name = "OS::Cinder::VolumeAttachment",
		.properties = "volume_id! instance_uuid! mountpoint",
		.path = VOLUMES,
		.wrapper = "volume",
		.make = make_attachment,
		.unmake = unmake_attachment,
		.ready = "in-use",
		.failed = "error available"},
};

const struct stack_type *stack_type(const char *name)
{
	for (size_t i = 0; name && i < array_len(types); i++)
		if (!strcmp(name, types[i].name))
			return &types[i];
	return NULL;
}

bool stack_type_follows(const struct stack_type *t, const struct stack_type *other)
{
	return t && other && t->follows && !strcmp(t->follows, other->name);
}

/* --- checking ----------------------------------------------------------------------------------
 */

/* Whether one of the names in "a|b" is among the properties; the first of them in *ret_first. */
static bool given(struct slice word, const json_t *properties, struct slice *ret_first)
{
	struct slice name;
	bool found = false;

	*ret_first = slice_sub(word, 0, slice_find(word, '|'));
	while (slice_next(&word, '|', &name))
		found = found || json_object_getn(properties, name.p, name.n);
	return found;
}

static bool whole(const json_t *value)
{
	const json_t *argument;
	char *end;

	if (json_is_integer(value) || stack_function(value, &argument))
		return true;
	const char *text = json_string_value(value);
	return text && *text && (strtoll(text, &end, 10), !*end);
}

static bool word_good(
	struct call *c, struct slice word, const char *resource, const json_t *properties)
{
	const char last = word.p[word.n - 1];
	const struct slice names = slice_sub(word, 0, word.n - (last == '!' || last == '#'));
	struct slice first;

	if (given(names, properties, &first)
			? last != '#' || whole(json_object_getn(properties, first.p, first.n))
			: last != '!')
		return true;
	if (last == '!') {
		stack_invalid(c,
			"Property error: : resources.%s.properties: : Property %.*s not assigned",
			resource, SLICE_ARG(first));
		return false;
	}
	char *value = python_repr_text(json_object_getn(properties, first.p, first.n));
	stack_invalid(c,
		"Property error: : resources.%s.properties.%.*s: : Value %s is not an integer",
		resource, SLICE_ARG(first), value);
	free(value);
	return false;
}

static bool known(const struct stack_type *t, const char *property)
{
	struct slice rest = slice_of(t->properties), word, name;

	while (slice_next(&rest, ' ', &word)) {
		const char last = word.p[word.n - 1];
		word.n -= last == '!' || last == '#';
		while (slice_next(&word, '|', &name))
			if (slice_is(name, property))
				return true;
	}
	return false;
}

bool stack_type_check(
	struct call *c, const struct stack_type *t, const char *resource, const json_t *properties)
{
	struct slice rest = slice_of(t->properties), word;
	const char *key;
	json_t *value;

	if (!t->properties)
		return true;
	json_object_foreach ((json_t *)properties, key, value)
		if (!known(t, key)) {
			stack_invalid(c,
				"Property error: : resources.%s.properties: : Unknown Property %s",
				resource, key);
			return false;
		}
	while (slice_next(&rest, ' ', &word))
		if (!word_good(c, word, resource, properties))
			return false;
	return true;
}

/* --- doing -------------------------------------------------------------------------------------
 */

static enum stack_state make_object(const struct stack_type *t, struct making *m, char **ret_why)
{
	char *path = place(m->stack, t, NULL);
	json_t *answer = NULL;

	t->body(m);
	const int status =
		ask(m->stack, "POST", path, json_pack("{s:O}", t->wrapper, m->properties), &answer);
	enum stack_state state = t->ready ? STACK_WAIT : STACK_DONE;
	if (status < RESPONSE)
		set_id(m->resource, json_str(json_object_get(answer, t->wrapper), "id"));
	else
		state = refused(m, status, answer, ret_why);
	json_decref(answer);
	free(path);
	return state;
}

enum stack_state stack_make(struct object *stack, json_t *r, char **ret_why)
{
	const struct stack_type *t = stack_type(json_str(r, "type"));
	const json_t *properties = json_object_get(json_object_get(r, "def"), "properties");
	struct making m = {.stack = stack,
		.resource = r,
		.properties = json_is_object(properties) ? stack_resolve(stack, properties)
							 : json_object()};
	const char *key;
	json_t *value;
	void *next;

	json_object_foreach_safe(m.properties, next, key, value) if (json_is_null(value))
		json_object_del(m.properties, key);
	const enum stack_state state = t->make ? t->make(&m, ret_why) : make_object(t, &m, ret_why);
	json_decref(m.properties);
	return state;
}

enum stack_state stack_made(struct object *stack, const json_t *r, char **ret_why)
{
	const struct stack_type *t = stack_type(json_str(r, "type"));
	const char *name = json_str(r, "name");
	json_t *now = look(stack, t, json_str(r, "id"));
	const char *status = now ? json_str(now, "status") : "";
	const char *fault = json_str(json_object_get(now, "fault"), "message");
	enum stack_state state = STACK_WAIT;

	if (!now) {
		*ret_why = mem_printf("NotFound: resources.%s: it is gone", name);
		state = STACK_FAILED;
	} else if (slice_in_words(slice_of(status), t->ready)) {
		state = STACK_DONE;
	} else if (slice_in_words(slice_of(status), t->failed)) {
		*ret_why =
			mem_printf("ResourceInError: resources.%s: Went to status %s due to \"%s\"",
				name, status, fault ? fault : "Unknown");
		state = STACK_FAILED;
	}
	json_decref(now);
	return state;
}

enum stack_state stack_unmake(struct object *stack, json_t *r)
{
	const struct stack_type *t = stack_type(json_str(r, "type"));

	if (t->unmake)
		return t->unmake(stack, r);
	char *path = place(stack, t, json_str(r, "id"));
	json_t *answer = NULL;
	const int status = ask(stack, "DELETE", path, NULL, &answer);
	json_decref(answer);
	free(path);
	/* neutron does it at once; of the others it is asked again until they know nothing of it */
	return status == 404 || (status < RESPONSE && !t->ready) ? STACK_DONE : STACK_WAIT;
}

/* --- attributes --------------------------------------------------------------------------------
 */

/* {"NETWORK": ["ADDRESS"]}, and the first address of all. */
static void add_addresses(json_t *v)
{
	json_t *networks = json_object(), *list, *one;
	const char *name, *first = NULL;
	size_t i;

	json_object_foreach (json_object_get(v, "addresses"), name, list) {
		json_t *addresses = json_array();
		json_array_foreach (list, i, one) {
			json_array_append(addresses, json_object_get(one, "addr"));
			first = first ? first : json_str(one, "addr");
		}
		json_object_set_new(networks, name, addresses);
	}
	json_object_set_new(v, "networks", networks);
	json_object_set_new(v, "first_address", json_string(first ? first : ""));
}

json_t *stack_attributes(const struct object *stack, const json_t *r)
{
	const struct stack_type *t = stack_type(json_str(r, "type"));
	json_t *v = NULL;

	if (t->path && *json_str(r, "id"))
		v = look(stack, t, json_str(r, "id"));
	if (!v)
		v = json_object();
	if (json_object_get(r, "value"))
		json_object_set(v, "value", json_object_get(r, "value"));
	if (json_object_get(v, "addresses"))
		add_addresses(v);
	return v;
}

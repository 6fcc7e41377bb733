/*
 * stack_type.c - the types of resources: which properties they have, which request makes them, when
 * they are there, and how they go again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/stack.h"
#include "sim/stack_body.h"
#include "sim/state.h"

#define NETWORK  "/network/v2.0/"
#define RESPONSE 400 /* from here on an answer is an error */

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
	stack_network_body(m);
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

	stack_refer(m, p, "router", "router_id", KIND_ROUTER);
	stack_refer(m, p, "subnet", "subnet_id", KIND_SUBNET);
	stack_refer(m, p, "port", "port_id", KIND_PORT);
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

	stack_refer(m, p, "instance_uuid", "server", KIND_SERVER);
	stack_refer(m, p, "volume_id", "volumeId", KIND_VOLUME);
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
		.body = stack_network_body},
	{.name = SUBNET,
		.properties = "network|network_id! cidr name ip_version# gateway_ip enable_dhcp "
			      "dns_nameservers allocation_pools host_routes ipv6_ra_mode "
			      "ipv6_address_mode tags value_specs tenant_id",
		.path = NETWORK "subnets",
		.wrapper = "subnet",
		.body = stack_subnet_body},
	{.name = "OS::Neutron::Port",
		.properties = "network|network_id! name fixed_ips security_groups admin_state_up "
			      "allowed_address_pairs mac_address device_id device_owner "
			      "port_security_enabled tags value_specs",
		.path = NETWORK "ports",
		.wrapper = "port",
		.body = stack_port_body,
		.follows = SUBNET},
	{.name = "OS::Neutron::Router",
		.properties = "name admin_state_up external_gateway_info tags value_specs",
		.path = NETWORK "routers",
		.wrapper = "router",
		.body = stack_router_body},
	{.name = INTERFACE,
		.properties = "router|router_id! subnet|subnet_id|port|port_id!",
		.make = make_interface,
		.unmake = unmake_interface},
	{.name = "OS::Neutron::FloatingIP",
		.properties = "floating_network|floating_network_id! port_id fixed_ip_address "
			      "floating_ip_address floating_subnet dns_name dns_domain value_specs",
		.path = NETWORK "floatingips",
		.wrapper = "floatingip",
		.body = stack_floating_body,
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
		.body = stack_server_body,
		.ready = "ACTIVE",
		.failed = "ERROR",
		.follows = SUBNET},
	{.name = "OS::Cinder::Volume",
		.properties = "size# name description image volume_type availability_zone metadata "
			      "snapshot_id source_volid",
		.path = VOLUMES,
		.wrapper = "volume",
		.body = stack_volume_body,
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

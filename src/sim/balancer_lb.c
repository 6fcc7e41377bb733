/*
 * balancer_lb.c - load balancers themselves, and the tree of states.
 */

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/state.h"

#define POST     BALANCER_POST
#define POST_PUT (BALANCER_POST | BALANCER_PUT)

static const struct balancer_attr attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"description", BALANCER_TEXT, POST_PUT, "\"\""},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"vip_address", BALANCER_IP, POST},
	{"vip_port_id", BALANCER_UUID, POST},
	{"vip_subnet_id", BALANCER_UUID, POST},
	{"vip_network_id", BALANCER_UUID, POST},
	{"vip_qos_policy_id", BALANCER_UUID, POST_PUT},
	{"additional_vips", BALANCER_LIST, POST, "[]"},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"listeners", BALANCER_LIST, POST | BALANCER_INNER, "[]"},
	{"pools", BALANCER_LIST, POST | BALANCER_INNER, "[]"},
	{"provider", BALANCER_TEXT, POST, "\"" BALANCER_AMPHORA "\"", .max = 64},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
	{"flavor_id", BALANCER_UUID, POST},
	{"availability_zone", BALANCER_TEXT, POST},
};

static bool own_project(struct call *c, const json_t *in)
{
	const char *keys[] = {"project_id", "tenant_id"};

	for (size_t i = 0; i < array_len(keys); i++) {
		const char *p = json_str(in, keys[i]);
		if (p && strcmp(p, c->project)) {
			balancer_forbidden(c);
			return false;
		}
	}
	return true;
}

static bool qos_good(struct call *c, const json_t *in)
{
	return !json_str(in, "vip_qos_policy_id") ||
	       balancer_invalid(c, "VIP QoS policy is not allowed in this deployment.");
}

static bool options_good(struct call *c, const json_t *in)
{
	const char *provider = json_str(in, "provider"), *flavor = json_str(in, "flavor_id");

	if (!balancer_has_provider(c->sim, provider)) {
		call_fail(c, 400, NULL, "Provider '%s' is not enabled.", provider);
		return false;
	}
	if (flavor) {
		call_fail(c, 400, NULL, "The selected flavor is not allowed in this deployment: %s",
			flavor);
		return false;
	}
	if (json_str(in, "availability_zone"))
		return balancer_invalid(c, "Invalid availability zone.");
	if (json_array_size(json_object_get(in, "additional_vips")) > 0) {
		call_fail(c, 501, NULL,
			"Provider '%s' does not support a requested option: additional_vips",
			provider);
		return false;
	}
	return true;
}

/* The port of the VIP is made last: nothing may refuse after it. */
static bool check(struct call *c, json_t *in)
{
	char id[UUID_TEXT];

	if (!own_project(c, in) || !qos_good(c, in))
		return false;
	draw_uuid(&c->sim->draw, kind_word(KIND_LOADBALANCER), id);
	json_object_set_new(in, ".id", json_string(id));
	return options_good(c, in) && balancer_nest_check(c, in, id) &&
	       balancer_quota(c, &loadbalancer_resource) && balancer_vip(c, id, in);
}

static void created(struct call *c, struct object *o, json_t *in)
{
	balancer_nest_make(c, o, in);
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	return qos_good(c, in);
}

static bool leave(struct call *c, struct object *o)
{
	const char *cascade = call_query(c, "cascade");
	const bool all = cascade && (!strcasecmp(cascade, "true") || !strcmp(cascade, "1"));

	return all ||
	       (!balancer_with(c->sim, KIND_LISTENER, ".loadbalancer", o->id) &&
		       !balancer_with(c->sim, KIND_POOL, ".loadbalancer", o->id)) ||
	       balancer_invalid(c, "Cannot delete Load Balancer %s - it has children", o->id);
}

static void show(const struct object *o, json_t *view)
{
	json_object_set_new(
		view, "listeners", balancer_ids(o->sim, KIND_LISTENER, ".loadbalancer", o->id));
	json_object_set_new(view, "pools", balancer_ids(o->sim, KIND_POOL, ".loadbalancer", o->id));
}

const struct balancer_resource loadbalancer_resource = {
	.kind = KIND_LOADBALANCER,
	.name = "loadbalancer",
	.collection = "loadbalancers",
	.title = "Load Balancer",
	.argument = "load_balancer",
	.attrs = attrs,
	.n = array_len(attrs),
	.filters = "",
	.quota = offsetof(struct quota, load_balancer),
	.check = check,
	.created = created,
	.change = change,
	.leave = leave,
	.show = show,
};

/* --- the tree of states ------------------------------------------------------------------------
 */

static json_t *state_of(const struct object *o)
{
	static const char *const also[] = {"type", "address", "protocol_port"};
	json_t *state = json_pack("{s:s, s:s, s:s, s:s}", "id", o->id, "name",
		object_str(o, "name"), "operating_status", object_str(o, "operating_status"),
		"provisioning_status", object_str(o, "provisioning_status"));
	const size_t from = o->kind == KIND_MONITOR ? 0 : 1;
	const size_t to = o->kind == KIND_MONITOR ? 1 : o->kind == KIND_MEMBER ? 3 : 0;

	for (size_t i = from; i < to; i++)
		json_object_set(state, also[i], json_object_get(o->doc, also[i]));
	return state;
}

static json_t *state_of_pool(const struct object *pool)
{
	json_t *state = state_of(pool), *members = json_array();
	const struct object *monitor = balancer_with(pool->sim, KIND_MONITOR, ".pool", pool->id);

	OBJECT_EACH (pool->sim, KIND_MEMBER, o)
		if (!strcmp(object_str(o, ".pool"), pool->id))
			json_array_append_new(members, state_of(o));
	if (monitor)
		json_object_set_new(state, "health_monitor", state_of(monitor));
	json_object_set_new(state, "members", members);
	return state;
}

void balancer_status(struct call *c)
{
	const struct object *lb = balancer_find(c, &loadbalancer_resource, c->params[1]);

	if (!lb)
		return;
	json_t *state = state_of(lb), *listeners = json_array();
	OBJECT_EACH (c->sim, KIND_LISTENER, o) {
		if (strcmp(object_str(o, ".loadbalancer"), lb->id))
			continue;
		json_t *listener = state_of(o), *pools = json_array();
		const struct object *pool =
			object_get(c->sim, KIND_POOL, object_str(o, "default_pool_id"));
		if (pool)
			json_array_append_new(pools, state_of_pool(pool));
		json_object_set_new(listener, "pools", pools);
		json_array_append_new(listeners, listener);
	}
	json_object_set_new(state, "listeners", listeners);
	call_json(c, 200, json_pack("{s:{s:o}}", "statuses", "loadbalancer", state));
}

/* Nothing is counted here, as with the real one while nothing is under way. */
void balancer_stats(struct call *c)
{
	const bool of_listener = strstr(c->path, "/listeners/");

	if (balancer_find(
		    c, of_listener ? &listener_resource : &loadbalancer_resource, c->params[1]))
		call_json(c, 200,
			json_pack("{s:{s:i, s:i, s:i, s:i, s:i}}", "stats", "bytes_in", 0,
				"bytes_out", 0, "active_connections", 0, "total_connections", 0,
				"request_errors", 0));
}

/*
 * balancer_pool.c - pools.
 */

#include <stddef.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/state.h"

#define POST       BALANCER_POST
#define POST_PUT   (BALANCER_POST | BALANCER_PUT)
#define ALGORITHMS "LEAST_CONNECTIONS SOURCE_IP_PORT SOURCE_IP ROUND_ROBIN"
#define PROTOCOLS  "TCP PROXYV2 SCTP UDP PROXY HTTPS HTTP"

static const struct balancer_attr attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"description", BALANCER_TEXT, POST_PUT, "\"\""},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"listener_id", BALANCER_UUID, POST | BALANCER_INNER},
	{"loadbalancer_id", BALANCER_UUID, POST | BALANCER_INNER},
	{"protocol", BALANCER_WORDS, POST | BALANCER_REQUIRED, .words = PROTOCOLS},
	{"lb_algorithm", BALANCER_WORDS, POST_PUT | BALANCER_REQUIRED, .words = ALGORITHMS},
	{"session_persistence", BALANCER_PERSISTENCE, POST_PUT},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"healthmonitor", BALANCER_MAP, POST | BALANCER_INNER},
	{"members", BALANCER_LIST, POST | BALANCER_INNER, "[]"},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
	{"tls_container_ref", BALANCER_TEXT, POST_PUT},
	{"ca_tls_container_ref", BALANCER_TEXT, POST_PUT},
	{"crl_container_ref", BALANCER_TEXT, POST_PUT},
	{"tls_enabled", BALANCER_BOOL, POST_PUT, "false"},
	{"tls_ciphers", BALANCER_TEXT, POST_PUT, .max = 2048},
	{"tls_versions", BALANCER_TAGS, POST_PUT},
	{"alpn_protocols", BALANCER_TAGS, POST_PUT},
};

/* The load balancer that a new pool is asked for, by way of its listener perhaps. */
static struct object *parent(struct call *c, const json_t *in)
{
	const char *lb = json_str(in, "loadbalancer_id"), *listener = json_str(in, "listener_id");

	if (lb)
		return balancer_find(c, &loadbalancer_resource, lb);
	if (!listener) {
		balancer_invalid(c, "Must provide at least one of: loadbalancer_id, listener_id");
		return NULL;
	}
	const struct object *o = object_get(c->sim, KIND_LISTENER, listener);
	if (o && !strcmp(o->project, c->project))
		return balancer_of(o);
	/* the real one trips over its own code, and says so */
	call_fail(c, 500, NULL, "'NoneType' object has no attribute 'load_balancer_id'");
	return NULL;
}

static bool listener_good(struct call *c, const json_t *in)
{
	const char *id = json_str(in, "listener_id");
	const struct object *o = id ? balancer_find(c, &listener_resource, id) : NULL;

	if (!id)
		return true;
	if (!o || !balancer_protocols_fit(c, object_str(o, "protocol"), json_str(in, "protocol")))
		return false;
	if (!*object_str(o, "default_pool_id"))
		return true;
	call_fail(c, 409, NULL, "This listener already has a default pool");
	return false;
}

static bool ovn_good(struct call *c, const struct object *lb, const json_t *in)
{
	const char *protocol = json_str(in, "protocol"), *algorithm = json_str(in, "lb_algorithm");
	const char *kept = json_str(json_object_get(in, "session_persistence"), "type");

	if (protocol && strcmp(protocol, "TCP") && strcmp(protocol, "UDP") &&
		strcmp(protocol, "SCTP") && balancer_ovn_refuses(c, lb, "%s protocol", protocol))
		return false;
	if (algorithm && strcmp(algorithm, "SOURCE_IP_PORT") &&
		balancer_ovn_refuses(c, lb, "%s algorithm", algorithm))
		return false;
	return !kept || !strcmp(kept, "SOURCE_IP") ||
	       !balancer_ovn_refuses(
		       c, lb, "%s session persistence. Only SOURCE_IP type is supported.", kept);
}

static bool check(struct call *c, json_t *in)
{
	struct object *lb = parent(c, in);

	if (!lb || !listener_good(c, in) || !ovn_good(c, lb, in) || !balancer_mutable(c, lb, NULL))
		return false;
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static void created(struct call *c, struct object *o, json_t *in)
{
	struct object *listener = object_get(c->sim, KIND_LISTENER, json_str(in, "listener_id"));

	if (listener)
		object_set_str(listener, "default_pool_id", o->id);
}

static bool change(struct call *c, struct object *o, json_t *in)
{
	return ovn_good(c, balancer_of(o), in);
}

static bool leave(struct call *c, struct object *o)
{
	const struct object *policy =
		balancer_with(c->sim, KIND_L7POLICY, "redirect_pool_id", o->id);

	if (!policy)
		return true;
	call_fail(c, 409, NULL, "Pool %s is in use by L7 policy %s", o->id, policy->id);
	return false;
}

static void show(const struct object *o, json_t *view)
{
	const struct object *monitor = balancer_with(o->sim, KIND_MONITOR, ".pool", o->id);

	json_object_set_new(
		view, "loadbalancers", json_pack("[{s:s}]", "id", object_str(o, ".loadbalancer")));
	json_object_set_new(
		view, "listeners", balancer_ids(o->sim, KIND_LISTENER, "default_pool_id", o->id));
	json_object_set_new(view, "members", balancer_ids(o->sim, KIND_MEMBER, ".pool", o->id));
	if (monitor)
		json_object_set_new(view, "healthmonitor_id", json_string(monitor->id));
}

const struct balancer_resource pool_resource = {
	.kind = KIND_POOL,
	.name = "pool",
	.collection = "pools",
	.title = "Pool",
	.argument = "pool_",
	.attrs = attrs,
	.n = array_len(attrs),
	.filters = "loadbalancer_id load_balancer_id",
	.quota = offsetof(struct quota, pool),
	.check = check,
	.created = created,
	.change = change,
	.leave = leave,
	.show = show,
};

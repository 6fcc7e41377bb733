/*
 * balancer_member.c - members of pools, and the monitors that look after them.
 */

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/ip.h"
#include "sim/state.h"

#define POST     BALANCER_POST
#define POST_PUT (BALANCER_POST | BALANCER_PUT)
#define RESERVED "169.254.169.254"

static const struct balancer_attr member_attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"address", BALANCER_IP, POST | BALANCER_REQUIRED},
	{"protocol_port", BALANCER_INT, POST | BALANCER_REQUIRED, .min = 1, .max = 65535},
	{"weight", BALANCER_INT, POST_PUT, "1", .max = 256},
	{"backup", BALANCER_BOOL, POST_PUT, "false"},
	{"subnet_id", BALANCER_UUID, POST},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"monitor_port", BALANCER_INT, POST_PUT, .min = 1, .max = 65535},
	{"monitor_address", BALANCER_IP, POST_PUT},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
};

/* --- members ------------------------------------------------------------------------------------
 */

static struct object *member_at(const struct object *pool, const char *address, int64_t port)
{
	OBJECT_EACH (pool->sim, KIND_MEMBER, o)
		if (!strcmp(object_str(o, ".pool"), pool->id) &&
			!strcmp(object_str(o, "address"), address) &&
			json_int(o->doc, "protocol_port", 0) == port)
			return o;
	return NULL;
}

static bool address_good(struct call *c, const json_t *in)
{
	const char *address = json_str(in, "address"), *subnet = json_str(in, "subnet_id");

	if (!strcmp(address, RESERVED)) {
		call_fail(c, 400, NULL, "%s is not a valid option for member address", address);
		return false;
	}
	const struct object *o = object_get(c->sim, KIND_SUBNET, subnet);
	if (!subnet || (o && !strcmp(o->project, c->project)))
		return true;
	call_fail(c, 400, NULL, "Subnet %s not found.", subnet);
	return false;
}

static bool ovn_good(struct call *c, const struct object *lb, const json_t *in)
{
	struct ip vip, own;

	if ((json_str(in, "monitor_address") || json_int(in, "monitor_port", 0)) &&
		balancer_ovn_refuses(c, lb, "monitoring options of members"))
		return false;
	return !json_str(in, "address") || !ip_parse(object_str(lb, "vip_address"), &vip) ||
	       !ip_parse(json_str(in, "address"), &own) || vip.version == own.version ||
	       !balancer_ovn_refuses(
		       c, lb, "mixing IPv4/IPv6 configuration within the same Load Balancer.");
}

static bool member_check(struct call *c, json_t *in)
{
	const struct object *pool = object_get(c->sim, KIND_POOL, json_str(in, ".pool"));
	struct object *lb = balancer_of(pool);
	const char *address = json_str(in, "address");
	const int64_t port = json_int(in, "protocol_port", 0);

	if (!address_good(c, in) || !ovn_good(c, lb, in) || !balancer_mutable(c, lb, pool))
		return false;
	if (member_at(pool, address, port)) {
		call_fail(c, 409, NULL,
			"Another member on this pool is already using ip %s on protocol_port %d",
			address, (int)port);
		return false;
	}
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static void member_created(struct call *c, struct object *o, json_t *in)
{
	if (!balancer_with(c->sim, KIND_MONITOR, ".pool", object_str(o, ".pool")))
		object_set_str(o, "operating_status", "NO_MONITOR");
}

static bool member_change(struct call *c, struct object *o, json_t *in)
{
	return ovn_good(c, balancer_of(o), in);
}

const struct balancer_resource member_resource = {
	.kind = KIND_MEMBER,
	.name = "member",
	.collection = "members",
	.title = "Member",
	.argument = "member_",
	.attrs = member_attrs,
	.n = array_len(member_attrs),
	.filters = "",
	.quota = offsetof(struct quota, member),
	.check = member_check,
	.created = member_created,
	.change = member_change,
};

/* --- all members at once ------------------------------------------------------------------------
 */

/* Checks each of them; returns the list as it is to be, owned, or NULL after an answer. */
static json_t *members_body(struct call *c, const struct object *lb)
{
	json_t *given = json_object_get(c->body, "members"), *item, *out = json_array();
	size_t i;

	if (!json_is_array(given))
		call_fail(c, 400, NULL, "Missing argument: \"members_\"");
	json_array_foreach (given, i, item) {
		json_t *one = balancer_inner(c, &member_resource, item, "members_.members");
		if (one)
			json_array_append_new(out, one);
		if (!one || !address_good(c, one) || !ovn_good(c, lb, one))
			break;
	}
	if (!call_answered(c))
		return out;
	json_decref(out);
	return NULL;
}

static bool is_wanted(const struct object *member, const json_t *list)
{
	json_t *item;
	size_t i;

	json_array_foreach (list, i, item)
		if (!strcmp(json_str(item, "address"), object_str(member, "address")) &&
			json_int(item, "protocol_port", 0) ==
				json_int(member->doc, "protocol_port", 0))
			return true;
	return false;
}

/* A member that is there takes what was said of it; the rest stays. */
static void members_change(struct call *c, struct object *o, const json_t *given)
{
	const char *key;
	json_t *value;

	rule_changed(c, o, false);
	json_object_foreach ((json_t *)given, key, value)
		json_object_set(o->doc, key, value);
	balancer_touch(o);
	balancer_lock(c, o, "PENDING_UPDATE");
}

static void members_apply(struct call *c, const struct object *pool, json_t *list, bool additive)
{
	json_t *item;
	size_t i;

	OBJECT_EACH (c->sim, KIND_MEMBER, o)
		if (!additive && !strcmp(object_str(o, ".pool"), pool->id) && !is_wanted(o, list)) {
			rule_changed(c, o, true);
			balancer_lock(c, o, "PENDING_DELETE");
		}
	json_array_foreach (list, i, item) {
		struct object *o = member_at(
			pool, json_str(item, "address"), json_int(item, "protocol_port", 0));
		if (o) {
			members_change(
				c, o, json_array_get(json_object_get(c->body, "members"), i));
			continue;
		}
		json_object_set_new(item, ".pool", json_string(pool->id));
		json_object_set_new(item, ".loadbalancer", json_string(balancer_of(pool)->id));
		o = balancer_make(c, &member_resource, item);
		member_created(c, o, item);
		balancer_lock(c, o, "PENDING_CREATE");
		rule_created(c, o);
	}
}

void balancer_members_put(struct call *c)
{
	const char *additive = call_query(c, "additive_only");
	struct object *pool = balancer_find(c, &pool_resource, c->params[1]);
	struct object *lb = pool ? balancer_of(pool) : NULL;

	if (!pool || !balancer_mutable(c, lb, pool))
		return;
	json_t *list = members_body(c, lb);
	if (!list)
		return;
	members_apply(c, pool, list, additive && !strcasecmp(additive, "true"));
	json_decref(list);
	call_empty(c, 202);
}

/* --- monitors ------------------------------------------------------------------------------------
 */

#define TYPES   "PING TLS-HELLO UDP-CONNECT SCTP HTTP HTTPS TCP"
#define METHODS "CONNECT TRACE PATCH DELETE OPTIONS GET HEAD PUT POST"

static const struct balancer_attr monitor_attrs[] = {
	{"name", BALANCER_TEXT, POST_PUT, "\"\""},
	{"type", BALANCER_WORDS, POST | BALANCER_REQUIRED, .words = TYPES},
	{"delay", BALANCER_INT, POST_PUT | BALANCER_REQUIRED},
	{"timeout", BALANCER_INT, POST_PUT | BALANCER_REQUIRED},
	{"max_retries_down", BALANCER_INT, POST_PUT, "3", .min = 1, .max = 10},
	{"max_retries", BALANCER_INT, POST_PUT | BALANCER_REQUIRED, .min = 1, .max = 10},
	{"http_method", BALANCER_WORDS, POST_PUT, .words = METHODS},
	{"url_path", BALANCER_URL_PATH, POST_PUT},
	{"expected_codes", BALANCER_CODES, POST_PUT},
	{"admin_state_up", BALANCER_BOOL, POST_PUT, "true"},
	{"project_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"tenant_id", BALANCER_TEXT, POST | BALANCER_INNER, .max = 36},
	{"pool_id", BALANCER_UUID, POST | BALANCER_REQUIRED | BALANCER_INNER},
	{"tags", BALANCER_TAGS, POST_PUT, "[]"},
	{"http_version", BALANCER_REAL, POST_PUT, .words = "1.0 1.1"},
	{"domain_name", BALANCER_TEXT, POST_PUT},
};

static bool is_http(const char *type)
{
	return !strcmp(type, "HTTP") || !strcmp(type, "HTTPS");
}

/* What only monitors of HTTP have. */
static bool options_good(struct call *c, const json_t *in, const char *type)
{
	static const char *const http[] = {"http_method", "url_path", "expected_codes"};

	for (size_t i = 0; !is_http(type) && i < array_len(http); i++)
		if (json_str(in, http[i])) {
			call_fail(c, 400, NULL,
				"%s is not a valid option for health monitors of type %s", http[i],
				type);
			return false;
		}
	return true;
}

static bool type_good(struct call *c, const struct object *pool, const char *type)
{
	const char *protocol = object_str(pool, "protocol");
	const bool datagram = !strcmp(protocol, "UDP") || !strcmp(protocol, "SCTP");
	const bool of_datagram = !strcmp(type, "UDP-CONNECT") || !strcmp(type, "SCTP");

	if (of_datagram && !datagram)
		return balancer_invalid(
			c, "The %s type is only supported for pools of type UDP/SCTP.", type);
	if (datagram && !of_datagram && strcmp(type, "TCP") && strcmp(type, "HTTP"))
		return balancer_invalid(c,
			"The associated pool protocol is %s, so only a UDP-CONNECT/SCTP/TCP/HTTP "
			"health monitor is supported.",
			protocol);
	return !strcmp(type, "TCP") || !strcmp(type, "UDP-CONNECT") ||
	       !balancer_ovn_refuses(c, balancer_of(pool), "health monitors of type %s", type);
}

void balancer_monitor_defaults(json_t *in)
{
	static const struct {
		const char *name, *value;
	} usual[] = {{"http_method", "GET"}, {"url_path", "/"}, {"expected_codes", "200"}};

	for (size_t i = 0; is_http(json_str(in, "type")) && i < array_len(usual); i++)
		if (!json_str(in, usual[i].name))
			json_object_set_new(in, usual[i].name, json_string(usual[i].value));
}

static bool monitor_check(struct call *c, json_t *in)
{
	const char *type = json_str(in, "type");
	const struct object *pool = balancer_find(c, &pool_resource, json_str(in, "pool_id"));
	struct object *lb = pool ? balancer_of(pool) : NULL;

	if (!pool || !type_good(c, pool, type) || !balancer_mutable(c, lb, pool) ||
		!options_good(c, in, type))
		return false;
	if (balancer_with(c->sim, KIND_MONITOR, ".pool", pool->id)) {
		call_fail(c, 409, NULL, "This pool already has a health monitor");
		return false;
	}
	if (json_str(in, "domain_name") && !json_is_number(json_object_get(in, "http_version")))
		return balancer_invalid(
			c, "'http_version' must be specified when 'domain_name' is provided.");
	balancer_monitor_defaults(in);
	json_object_set_new(in, ".pool", json_string(pool->id));
	json_object_set_new(in, ".loadbalancer", json_string(lb->id));
	return true;
}

static bool monitor_change(struct call *c, struct object *o, json_t *in)
{
	return options_good(c, in, object_str(o, "type"));
}

static void monitor_show(const struct object *o, json_t *view)
{
	json_object_set_new(view, "pools", json_pack("[{s:s}]", "id", object_str(o, ".pool")));
}

const struct balancer_resource monitor_resource = {
	.kind = KIND_MONITOR,
	.name = "healthmonitor",
	.collection = "healthmonitors",
	.title = "Health Monitor",
	.argument = "health_monitor_",
	.attrs = monitor_attrs,
	.n = array_len(monitor_attrs),
	.filters = "pool_id",
	.quota = offsetof(struct quota, health_monitor),
	.check = monitor_check,
	.change = monitor_change,
	.show = monitor_show,
};

/*
 * network_group.c - security groups and their rules. A project's `default` group appears the first
 * time that anything looks for it.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/network.h"
#include "sim/state.h"

#define POST_PUT (ATTR_POST | ATTR_PUT)

static const struct attr group_attrs[] = {
	{"name", ATTR_FREE_NAME, POST_PUT | ATTR_FILTER, "\"\""},
	{"stateful", ATTR_BOOL, POST_PUT | ATTR_FILTER, "true"},
	{"security_group_rules", ATTR_LIST, 0},
	{"shared", ATTR_BOOL, ATTR_FILTER, "false"},
};

static const struct attr rule_attrs[] = {
	{"security_group_id", ATTR_UUID, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED},
	{"direction", ATTR_WORDS, ATTR_POST | ATTR_FILTER | ATTR_REQUIRED, NULL, "ingress egress"},
	{"ethertype", ATTR_WORDS, ATTR_POST | ATTR_FILTER, "\"IPv4\"", "IPv4 IPv6"},
	{"protocol", ATTR_ANY, ATTR_POST | ATTR_FILTER, "null"},
	{"port_range_min", ATTR_ANY, ATTR_POST | ATTR_FILTER, "null"},
	{"port_range_max", ATTR_ANY, ATTR_POST | ATTR_FILTER, "null"},
	{"remote_ip_prefix", ATTR_ANY, ATTR_POST | ATTR_FILTER, "null"},
	{"remote_group_id", ATTR_UUID_OR_NULL, ATTR_POST | ATTR_FILTER, "null"},
	{"remote_address_group_id", ATTR_UUID_OR_NULL, ATTR_POST | ATTR_FILTER, "null"},
	{"normalized_cidr", ATTR_ANY, 0},
};

static struct object *rule_make(struct sim *s, const struct object *group, const char *direction,
	const char *ethertype, const char *remote)
{
	struct object *r =
		network_object(s, KIND_RULE, NULL, group->project, group->user, MADE_BY_NEUTRON);
	for (size_t i = 0; i < array_len(rule_attrs); i++)
		if (rule_attrs[i].otherwise)
			object_set(r, rule_attrs[i].name,
				json_loads(rule_attrs[i].otherwise, JSON_DECODE_ANY, NULL));
	object_set(r, "description", json_null());
	object_set_str(r, "security_group_id", group->id);
	object_set_str(r, "direction", direction);
	object_set_str(r, "ethertype", ethertype);
	if (remote)
		object_set_str(r, "remote_group_id", remote);
	return r;
}

static void add_egress(struct sim *s, const struct object *group)
{
	rule_make(s, group, "egress", "IPv4", NULL);
	rule_make(s, group, "egress", "IPv6", NULL);
}

struct object *group_default(struct sim *s, const char *project)
{
	OBJECT_EACH (s, KIND_GROUP, o)
		if (!strcmp(o->project, project) && !strcmp(object_str(o, "name"), "default"))
			return o;
	struct object *g = network_object(s, KIND_GROUP, NULL, project, NULL, MADE_BY_SEED);
	object_set_str(g, "name", "default");
	object_set_str(g, "description", "Default security group");
	object_set(g, "stateful", json_true());
	object_set(g, "shared", json_false());
	add_egress(s, g);
	rule_make(s, g, "ingress", "IPv4", g->id);
	rule_make(s, g, "ingress", "IPv6", g->id);
	OBJECT_EACH (s, KIND_RULE, r)
		if (!strcmp(object_str(r, "security_group_id"), g->id))
			r->made_by = MADE_BY_SEED;
	return g;
}

static bool group_check(struct call *c, json_t *in)
{
	group_default(c->sim, c->project);
	return true;
}

static void group_created(struct call *c, struct object *o)
{
	add_egress(c->sim, o);
}

static bool group_change(struct call *c, struct object *o, json_t *in)
{
	return true;
}

static bool group_remove(struct call *c, struct object *o)
{
	if (!strcmp(object_str(o, "name"), "default")) {
		call_fail(c, 409, "SecurityGroupCannotRemoveDefault",
			"Insufficient rights for removing default security group.");
		return false;
	}
	OBJECT_EACH (c->sim, KIND_PORT, p)
		if (port_in_group(p, o->id)) {
			call_fail(c, 409, "SecurityGroupInUse", "Security Group %s in use.", o->id);
			return false;
		}
	OBJECT_EACH_BACK (c->sim, KIND_RULE, r)
		if (!strcmp(object_str(r, "security_group_id"), o->id))
			object_remove(r);
	return true;
}

/* A rule inside its group is shown with fields that a rule by itself is not shown with. */
static void group_show(struct sim *s, const struct object *o, json_t *view)
{
	json_t *rules = json_array();
	json_int_t n = 0;
	OBJECT_EACH (s, KIND_RULE, r) {
		n++;
		if (strcmp(object_str(r, "security_group_id"), o->id))
			continue;
		json_t *rule = network_view(s, &rule_resource, r);
		json_object_set_new(rule, "standard_attr_id", json_integer(n));
		json_object_set_new(rule, "tags", json_array());
		json_array_append_new(rules, rule);
	}
	json_object_set_new(view, "security_group_rules", rules);
}

const struct resource group_resource = {
	.kind = KIND_GROUP,
	.name = "security_group",
	.collection = "security-groups",
	.missing_type = "SecurityGroupNotFound",
	.missing_text = "Security group %s does not exist",
	.attrs = group_attrs,
	.n = array_len(group_attrs),
	.tags = true,
	.check = group_check,
	.created = group_created,
	.change = group_change,
	.remove = group_remove,
	.show = group_show,
};

/* --- rules ------------------------------------------------------------------------------------ */

/* Two rules are the same if these are, whatever their description says. */
static const char *const same[] = {"security_group_id", "direction", "ethertype", "protocol",
	"port_range_min", "port_range_max", "remote_ip_prefix", "remote_group_id"};

static bool is_same(const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < array_len(same); i++) {
		const json_t *x = json_object_get(a, same[i]), *y = json_object_get(b, same[i]);
		if (!json_equal(x ? x : json_null(), y ? y : json_null()))
			return false;
	}
	return true;
}

static bool ports_check(struct call *c, const json_t *in)
{
	const json_t *min = json_object_get(in, "port_range_min");
	const json_t *max = json_object_get(in, "port_range_max");
	const char *protocol = json_str(in, "protocol");
	const bool has_ports = json_is_integer(min) || json_is_integer(max);
	if (has_ports && !protocol) {
		call_fail(c, 400, "SecurityGroupProtocolRequiredWithPorts",
			"Must also specify protocol if port range is given.");
		return false;
	}
	const bool icmp = protocol && !strncmp(protocol, "icmp", 4);
	const json_t *const both[] = {min, max};
	for (size_t i = 0; i < array_len(both) && !icmp; i++) {
		const json_int_t port = json_integer_value(both[i]);
		if (json_is_integer(both[i]) && (port < 0 || port > 65535)) {
			call_fail(c, 400, "SecurityGroupInvalidPortValue",
				"Invalid value for port %lld", (long long)port);
			return false;
		}
	}
	if (has_ports && !icmp &&
		(!json_is_integer(min) || !json_is_integer(max) ||
			json_integer_value(min) > json_integer_value(max) ||
			json_integer_value(min) < 1)) {
		call_fail(c, 400, "SecurityGroupInvalidPortRange",
			"For TCP/UDP protocols, port_range_min must be <= port_range_max");
		return false;
	}
	return true;
}

static bool rule_check(struct call *c, json_t *in)
{
	struct prefix p;
	const char *prefix = json_str(in, "remote_ip_prefix"),
		   *group = json_str(in, "remote_group_id");
	if (!network_find(c, &group_resource, json_str(in, "security_group_id")) ||
		(group && !network_find(c, &group_resource, group)) || !ports_check(c, in))
		return false;
	if (prefix && !prefix_parse(prefix, &p, NULL)) {
		call_fail(c, 400, "HTTPBadRequest",
			"Invalid input for remote_ip_prefix. Reason: '%s' is not a valid IP subnet.",
			prefix);
		return false;
	}
	if (prefix && group) {
		call_fail(c, 400, "SecurityGroupMultipleRemotes",
			"Only remote_ip_prefix or remote_group_id may be provided.");
		return false;
	}
	OBJECT_EACH (c->sim, KIND_RULE, r)
		if (is_same(r->doc, in)) {
			call_fail(c, 409, "SecurityGroupRuleExists",
				"Security group rule already exists. Rule id is %s.", r->id);
			return false;
		}
	return true;
}

static bool rule_change(struct call *c, struct object *o, json_t *in)
{
	return true;
}

static bool rule_remove(struct call *c, struct object *o)
{
	return true;
}

static void rule_show(struct sim *s, const struct object *o, json_t *view)
{
	json_object_set(view, "normalized_cidr", json_object_get(o->doc, "remote_ip_prefix"));
}

const struct resource rule_resource = {
	.kind = KIND_RULE,
	.name = "security_group_rule",
	.collection = "security-group-rules",
	.missing_type = "SecurityGroupRuleNotFound",
	.missing_text = "Security group rule %s does not exist",
	.attrs = rule_attrs,
	.n = array_len(rule_attrs),
	.check = rule_check,
	.change = rule_change,
	.remove = rule_remove,
	.show = rule_show,
};

/*
 * network_misc.c - neutron's small requests: tags, extensions, quotas, zones.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/network.h"
#include "sim/state.h"

/* --- tags ------------------------------------------------------------------------------------- */

static struct object *tagged(struct call *c)
{
	const struct resource *r = resource_of(c->params[0]);
	if (!r || !r->tags) {
		call_fail(c, 404, "HTTPNotFound", "The resource could not be found.");
		return NULL;
	}
	return network_find(c, r, c->params[1]);
}

static size_t tag_place(const json_t *tags, const char *tag)
{
	json_t *item;
	size_t i;
	json_array_foreach (tags, i, item)
		if (!strcmp(json_string_value(item), tag))
			return i;
	return json_array_size(tags);
}

static void touch(struct call *c, struct object *o)
{
	rule_changed(c, o, false);
	network_touch(o);
}

void tags_list(struct call *c)
{
	const struct object *o = tagged(c);
	if (o)
		call_json(c, 200, json_pack("{s:O}", "tags", json_object_get(o->doc, "tags")));
}

void tags_replace(struct call *c)
{
	struct object *o = tagged(c);
	json_t *tags = json_object_get(c->body, "tags");
	if (!o)
		return;
	if (!json_is_array(tags)) {
		call_fail(c, 400, "HTTPBadRequest", "Invalid input: tags must be a list");
		return;
	}
	object_set(o, "tags", json_deep_copy(tags));
	touch(c, o);
	call_json(c, 200, json_pack("{s:O}", "tags", tags));
}

void tags_clear(struct call *c)
{
	struct object *o = tagged(c);
	if (!o)
		return;
	object_set(o, "tags", json_array());
	touch(c, o);
	call_empty(c, 204);
}

void tags_add(struct call *c)
{
	struct object *o = tagged(c);
	if (!o)
		return;
	json_t *tags = json_object_get(o->doc, "tags");
	if (tag_place(tags, c->params[2]) == json_array_size(tags))
		json_array_append_new(tags, json_string(c->params[2]));
	touch(c, o);
	call_empty(c, 201);
}

static bool tag_missing(struct call *c, const json_t *tags)
{
	if (tag_place(tags, c->params[2]) < json_array_size(tags))
		return false;
	call_fail(c, 404, "TagNotFound", "Tag %s could not be found.", c->params[2]);
	return true;
}

void tags_show(struct call *c)
{
	const struct object *o = tagged(c);
	if (o && !tag_missing(c, json_object_get(o->doc, "tags")))
		call_empty(c, 204);
}

void tags_remove(struct call *c)
{
	struct object *o = tagged(c);
	json_t *tags = o ? json_object_get(o->doc, "tags") : NULL;
	if (!o || tag_missing(c, tags))
		return;
	json_array_remove(tags, tag_place(tags, c->params[2]));
	touch(c, o);
	call_empty(c, 204);
}

/* --- extensions ------------------------------------------------------------------------------- */

static const struct {
	const char *alias, *name;
} extensions[] = {
	{"availability_zone", "Availability Zone"},
	{"dns-integration", "DNS Integration"},
	{"external-net", "Neutron external network"},
	{"extraroute", "Neutron Extra Route"},
	{"extraroute-atomic", "Atomically add/remove extra routes"},
	{"filter-validation", "Filter parameters validation"},
	{"pagination", "Pagination support"},
	{"port-security", "Port Security"},
	{"quotas", "Quota management support"},
	{"quota_details", "Quota details management support"},
	{"revision-if-match", "If-Match constraints based on revision_number"},
	{"router", "Neutron L3 Router"},
	{"router_availability_zone", "Router Availability Zone"},
	{"security-group", "security-group"},
	{"sorting", "Sorting support"},
	{"standard-attr-description", "standard-attr-description"},
	{"standard-attr-revisions", "Resource revision numbers"},
	{"standard-attr-tag", "Tag support for resources with standard attribute"},
	{"standard-attr-timestamp", "Resource timestamps"},
};

static json_t *extension_view(size_t i)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:[]}", "alias", extensions[i].alias, "name",
		extensions[i].name, "description", extensions[i].name, "updated",
		"2013-01-20T00:00:00-00:00", "links");
}

void network_extensions(struct call *c)
{
	json_t *list = json_array();
	for (size_t i = 0; i < array_len(extensions); i++)
		json_array_append_new(list, extension_view(i));
	call_json(c, 200, json_pack("{s:o}", "extensions", list));
}

void network_extension(struct call *c)
{
	for (size_t i = 0; i < array_len(extensions); i++)
		if (!strcmp(extensions[i].alias, c->params[0])) {
			call_json(c, 200, json_pack("{s:o}", "extension", extension_view(i)));
			return;
		}
	/* It does not speak neutron's own language of errors here. */
	call_json(c, 404,
		json_pack("{s:s, s:s, s:s}", "code", "404 Not Found", "message",
			"The resource could not be found.<br /><br />\n\n\n", "title",
			"Not Found"));
}

/* --- quotas ----------------------------------------------------------------------------------- */

static json_t *limits(const struct sim *s)
{
	const struct quota *q = &s->quota;
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "network", (json_int_t)q->network,
		"subnet", (json_int_t)q->subnet, "port", (json_int_t)q->port, "router",
		(json_int_t)q->router, "floatingip", (json_int_t)q->floatingip, "security_group",
		(json_int_t)q->security_group, "security_group_rule",
		(json_int_t)q->security_group_rule);
}

static bool own_project(struct call *c)
{
	if (!strcmp(c->params[0], c->project))
		return true;
	call_fail(c, 403, "PolicyNotAuthorized", "rule:get_quota is disallowed by policy");
	return false;
}

void network_quota_show(struct call *c)
{
	if (own_project(c))
		call_json(c, 200, json_pack("{s:o}", "quota", limits(c->sim)));
}

void network_quota_default(struct call *c)
{
	network_quota_show(c);
}

void network_quota_details(struct call *c)
{
	json_t *out = json_object(), *all, *limit;
	const char *name;
	if (!own_project(c)) {
		json_decref(out);
		return;
	}
	all = limits(c->sim);
	json_object_foreach (all, name, limit) {
		json_int_t used = 0;
		for (int k = 0; k < KIND_COUNT; k++) {
			const struct resource *r = resource_of_kind((enum kind)k);
			if (!r || strcmp(r->name, name))
				continue;
			OBJECT_EACH (c->sim, k, o)
				used += !strcmp(o->project, c->project);
		}
		json_object_set_new(out, name,
			json_pack("{s:O, s:I, s:i}", "limit", limit, "used", used, "reserved", 0));
	}
	json_decref(all);
	static const char *const unused[] = {"rbac_policy", "subnetpool"};
	for (size_t i = 0; i < array_len(unused); i++)
		json_object_set_new(out, unused[i],
			json_pack("{s:i, s:i, s:i}", "limit", -1, "used", 0, "reserved", 0));
	call_json(c, 200, json_pack("{s:o}", "quota", out));
}

/* --- the rest --------------------------------------------------------------------------------- */

void network_zones(struct call *c)
{
	static const char *const resources[] = {"network", "router"};
	json_t *list = json_array();
	for (size_t i = 0; i < array_len(resources); i++)
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:s}", "state", "available", "resource",
				      resources[i], "name", sim_zones[0]));
	call_json(c, 200, json_pack("{s:o}", "availability_zones", list));
}

void network_agents(struct call *c)
{
	call_fail(c, 403, "PolicyNotAuthorized", "rule:get_agent is disallowed by policy");
}

void network_availability(struct call *c)
{
	call_fail(c, 403, "PolicyNotAuthorized",
		"rule:get_network_ip_availability is disallowed by policy");
}

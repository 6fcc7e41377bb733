/*
 * network.c - neutron: versions, the routes, and what every resource does alike.
 * API: https://docs.openstack.org/api-ref/network/v2/
 */

#include "sim/network.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/guest.h"
#include "sim/list.h"
#include "sim/route.h"
#include "sim/state.h"

static const struct resource *const resources[] = {&network_resource, &subnet_resource,
	&port_resource, &router_resource, &group_resource, &rule_resource, &floating_ip_resource};

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	char title[64];

	if (!type) {
		snprintf(title, sizeof(title), "HTTP%s", call_status_title(status));
		char *to = title;
		for (const char *p = title; *p; p++)
			if (*p != ' ')
				*to++ = *p;
		*to = 0;
	}
	return json_pack("{s:{s:s, s:s, s:s}}", "NeutronError", "type", type ? type : title,
		"message", message, "detail", "");
}

void network_fail(struct call *c, int status, const char *type, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, status, type, "%s", text);
	free(text);
}

const struct resource *resource_of(const char *collection)
{
	for (size_t i = 0; i < array_len(resources); i++) {
		const char *p = resources[i]->collection, *q = collection;

		/* both spellings are taken, as neutron does */
		while (*p && (*p == *q || (*p == '-' && *q == '_'))) {
			p++;
			q++;
		}
		if (!*p && !*q)
			return resources[i];
	}
	return NULL;
}

const struct resource *resource_of_kind(enum kind k)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (resources[i]->kind == k)
			return resources[i];
	return NULL;
}

bool network_visible(const struct call *c, const struct object *o)
{
	if (!strcmp(o->project, c->project))
		return true;
	return o->kind == KIND_NETWORK &&
	       (json_flag(o->doc, "shared") || json_flag(o->doc, "router:external"));
}

void network_missing(struct call *c, const struct resource *r, const char *id)
{
	char *text = mem_alloc(strlen(r->missing_text) + strlen(id) + 1), *to = text;
	for (const char *p = r->missing_text; *p; p++) {
		if (p[0] == '%' && p[1] == 's') {
			memcpy(to, id, strlen(id));
			to += strlen(id);
			p++;
		} else {
			*to++ = *p;
		}
	}
	*to = 0;
	call_fail(c, 404, r->missing_type, "%s", text);
	free(text);
}

struct object *network_find(struct call *c, const struct resource *r, const char *id)
{
	struct object *o = object_get(c->sim, r->kind, id);

	if (o && network_visible(c, o))
		return o;
	network_missing(c, r, id);
	return NULL;
}

struct object *network_object(struct sim *s, enum kind k, const char *id, const char *project,
	const char *user, enum made_by by)
{
	struct object *o = object_new(s, k, id, project, user);
	char now[32];

	o->made_by = by;
	object_now(s, now);
	object_set_str(o, "id", o->id);
	object_set_str(o, "tenant_id", o->project);
	object_set_str(o, "project_id", o->project);
	object_set_str(o, "description", "");
	object_set_str(o, "created_at", now);
	object_set_str(o, "updated_at", now);
	object_set(o, "revision_number", json_integer(1));
	if (k != KIND_RULE)
		object_set(o, "tags", json_array());
	return o;
}

void network_touch(struct object *o)
{
	char now[32];

	object_set_str(o, "updated_at", object_now(o->sim, now));
	object_set(o, "revision_number", json_integer(json_int(o->doc, "revision_number", 0) + 1));
}

json_t *network_view(struct sim *s, const struct resource *r, const struct object *o)
{
	json_t *view = json_object(), *value;
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(view, key, value);
	for (size_t i = 0; i < r->n; i++)
		if (r->attrs[i].flags & ATTR_SECRET)
			json_object_del(view, r->attrs[i].name);
	if (r->show)
		r->show(s, o, view);
	return view;
}

/* --- the five requests every resource knows ----------------------------------------------------
 */

static const struct resource *resource(struct call *c)
{
	/* the row of routers, which take longer to make, has no {} */
	const struct resource *r = resource_of(c->params[0] ? c->params[0] : "routers");

	if (!r)
		call_fail(c, 404, "HTTPNotFound", "The resource could not be found.");
	return r;
}

static void answer(struct call *c, int status, const struct resource *r, const struct object *o)
{
	json_t *view = network_view(c->sim, r, o);

	if (status == 200 && !strcmp(c->method, "GET"))
		view = list_fields(c, view);
	call_json(c, status, json_pack("{s:o}", r->name, view));
}

static void list_resources(struct call *c)
{
	const struct resource *r = resource(c);

	if (r)
		network_list(c, r);
}

static void show_resource(struct call *c)
{
	const struct resource *r = resource(c);
	const struct object *o = r ? network_find(c, r, c->params[1]) : NULL;

	if (o)
		answer(c, 200, r, o);
}

static int64_t quota_limit(const struct sim *s, const char *name)
{
	const struct {
		const char *name;
		int64_t limit;
	} limits[] = {{"network", s->quota.network}, {"subnet", s->quota.subnet},
		{"port", s->quota.port}, {"router", s->quota.router},
		{"floatingip", s->quota.floatingip}, {"security_group", s->quota.security_group},
		{"security_group_rule", s->quota.security_group_rule}};

	for (size_t i = 0; i < array_len(limits); i++)
		if (!strcmp(limits[i].name, name))
			return limits[i].limit;
	return -1;
}

bool network_quota(struct call *c, const struct resource *r)
{
	int64_t limit = quota_limit(c->sim, r->name), used = 0;

	OBJECT_EACH (c->sim, r->kind, o)
		used += !strcmp(o->project, c->project);
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	call_fail(c, 409, "OverQuota", "Quota exceeded for resources: ['%s'].", r->name);
	return false;
}

/* Makes one object of a checked body. NULL when something refused; the body is the caller's. */
static struct object *make(struct call *c, const struct resource *r, json_t *in)
{
	const char *key;
	json_t *value;

	if (!network_quota(c, r) || (r->check && !r->check(c, in)))
		return NULL;
	struct object *o = network_object(c->sim, r->kind, NULL, c->project, c->user, MADE_BY_API);
	json_object_foreach (in, key, value)
		json_object_set(o->doc, key, value);
	o->stuck = call_hit(c, MISHAP_STUCK) != NULL;
	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	if (r->created)
		r->created(c, o);
	if (call_answered(c)) /* it could not be, and is gone again */
		return NULL;
	rule_created(c, o);
	guests_changed(c->sim);
	return o;
}

static void create_many(struct call *c, const struct resource *r, const json_t *list)
{
	json_t *views = json_array(), *item;
	size_t i;

	json_array_foreach (list, i, item) {
		json_t *in = attrs_check(c, r, item, true);
		struct object *o = in ? make(c, r, in) : NULL;

		json_decref(in);
		if (!o) { /* bulk is not atomic here: what was made stays and is seen */
			json_decref(views);
			return;
		}
		json_array_append_new(views, network_view(c->sim, r, o));
	}
	char wrapper[64];
	snprintf(wrapper, sizeof(wrapper), "%ss", r->name);
	call_json(c, 201, json_pack("{s:o}", wrapper, views));
}

static void create_resource(struct call *c)
{
	const struct resource *r = resource(c);
	char plural[64];

	if (!r)
		return;
	snprintf(plural, sizeof(plural), "%ss", r->name);
	if (json_is_array(json_object_get(c->body, plural))) {
		create_many(c, r, json_object_get(c->body, plural));
		return;
	}
	json_t *in = call_wrapped(c, r->name);
	in = in ? attrs_check(c, r, in, true) : NULL;
	struct object *o = in ? make(c, r, in) : NULL;
	json_decref(in);
	if (o) {
		answer(c, 201, r, o);
	}
}

/* If-Match: revision_number=N (RFC 9110 section 13.1.1, neutron's revision-if-match). */
static bool revision_fits(struct call *c, const struct object *o)
{
	long long wanted;

	if (!c->if_match || sscanf(c->if_match, "revision_number=%lld", &wanted) != 1 ||
		wanted == json_int(o->doc, "revision_number", 0))
		return true;
	call_fail(c, 412, "RevisionNumberConstraintFailed",
		"Constrained to %lld, but current revision is %lld", wanted,
		(long long)json_int(o->doc, "revision_number", 0));
	return false;
}

/* A member sees shared networks but may not change them. */
static bool owned(
	struct call *c, const struct resource *r, const struct object *o, const char *action)
{
	if (!strcmp(o->project, c->project))
		return true;
	call_fail(c, 403, "PolicyNotAuthorized", "rule:%s_%s is disallowed by policy", action,
		r->name);
	return false;
}

static void update_resource(struct call *c)
{
	const struct resource *r = resource(c);
	struct object *o = r ? network_find(c, r, c->params[1]) : NULL;
	json_t *in = o ? call_wrapped(c, r->name) : NULL;
	const char *key;
	json_t *value;

	if (!in || !owned(c, r, o, "update") || !revision_fits(c, o))
		return;
	in = attrs_check(c, r, in, false);
	if (in && (!r->change || r->change(c, o, in))) {
		rule_changed(c, o, false);
		json_object_foreach (in, key, value)
			json_object_set(o->doc, key, value);
		network_touch(o);
		guests_changed(c->sim);
		answer(c, 200, r, o);
	}
	json_decref(in);
}

static void delete_resource(struct call *c)
{
	const struct resource *r = resource(c);
	struct object *o = r ? network_find(c, r, c->params[1]) : NULL;

	if (!o || !owned(c, r, o, "delete") || !revision_fits(c, o) || !r->remove(c, o))
		return;
	rule_changed(c, o, true);
	object_remove(o);
	guests_changed(c->sim);
	call_empty(c, 204);
}

/* --- versions and routes ------------------------------------------------------------------------
 */

static void list_versions(struct call *c)
{
	char *url = mem_printf("%s/network/v2.0/", call_url(c));

	call_json(c, 200,
		json_pack("{s:[{s:s, s:s, s:[{s:s, s:s}]}]}", "versions", "id", "v2.0", "status",
			"CURRENT", "links", "rel", "self", "href", url));
	free(url);
}

static void show_version(struct call *c)
{
	static const char *const shown[] = {"subnet", "network", "router", "port", "floatingip",
		"security-group", "security-group-rule", "quota", "availability_zone", "extension"};
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(shown); i++) {
		char *url = mem_printf("%s/network/v2.0/%ss", call_url(c), shown[i]);
		char *collection = mem_printf("%ss", shown[i]);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "name", shown[i], "collection",
				collection, "links", "rel", "self", "href", url));
		free(collection);
		free(url);
	}
	call_json(c, 200, json_pack("{s:o}", "resources", list));
}

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v2.0", show_version},
	{"GET", "/v2.0/extensions", network_extensions},
	{"GET", "/v2.0/extensions/{}", network_extension},
	{"GET", "/v2.0/availability_zones", network_zones},
	{"GET", "/v2.0/agents", network_agents},
	{"GET", "/v2.0/quotas/{}", network_quota_show},
	{"GET", "/v2.0/quotas/{}/default", network_quota_default},
	{"GET", "/v2.0/quotas/{}/details", network_quota_details},
	{"GET", "/v2.0/quotas/{}/details.json", network_quota_details},
	{"GET", "/v2.0/network-ip-availabilities", network_availability},
	{"PUT", "/v2.0/routers/{}/add_router_interface", router_add_interface, 0,
		TIME_ROUTER_INTERFACE},
	{"PUT", "/v2.0/routers/{}/remove_router_interface", router_remove_interface, 0,
		TIME_ROUTER_INTERFACE},
	{"PUT", "/v2.0/routers/{}/add_extraroutes", router_add_routes, 0, TIME_WRITE},
	{"PUT", "/v2.0/routers/{}/remove_extraroutes", router_remove_routes, 0, TIME_WRITE},
	{"POST", "/v2.0/routers", create_resource, ROUTE_CREATE, TIME_ROUTER_GATEWAY},
	{"GET", "/v2.0/{}/{}/tags", tags_list},
	{"PUT", "/v2.0/{}/{}/tags", tags_replace, 0, TIME_WRITE},
	{"DELETE", "/v2.0/{}/{}/tags", tags_clear, 0, TIME_WRITE},
	{"GET", "/v2.0/{}/{}/tags/{}", tags_show},
	{"PUT", "/v2.0/{}/{}/tags/{}", tags_add, 0, TIME_WRITE},
	{"DELETE", "/v2.0/{}/{}/tags/{}", tags_remove, 0, TIME_WRITE},
	{"GET", "/v2.0/{}", list_resources},
	{"POST", "/v2.0/{}", create_resource, ROUTE_CREATE, TIME_WRITE},
	{"GET", "/v2.0/{}/{}", show_resource},
	{"PUT", "/v2.0/{}/{}", update_resource, 0, TIME_WRITE},
	{"DELETE", "/v2.0/{}/{}", delete_resource, 0, TIME_WRITE},
};

const struct service network_service = {
	.name = "network",
	.prefix = "/network",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.bad_body_type = "HTTPBadRequest",
	.bad_body_text = "Body contains invalid data",
};

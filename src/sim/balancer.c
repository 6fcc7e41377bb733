/*
 * balancer.c - octavia: the routes, and what every resource does alike.
 * API: https://docs.openstack.org/api-ref/load-balancer/v2/
 */

#include "sim/balancer.h"

#include <stdarg.h>
#include <string.h>

#include "base/json.h"
#include "sim/list.h"
#include "sim/route.h"
#include "sim/state.h"

static const struct balancer_resource *const resources[] = {&loadbalancer_resource,
	&listener_resource, &pool_resource, &member_resource, &monitor_resource, &policy_resource,
	&rule7_resource};

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	/* What is refused before octavia looks at it, its framework refuses. */
	if (!c->route && !c->bad_body)
		return json_pack("{s:i, s:s, s:s}", "code", status, "title",
			call_status_title(status), "description", type ? message : "");
	return json_pack("{s:s, s:s, s:n}", "faultcode", status >= 500 ? "Server" : "Client",
		"faultstring", message, "debuginfo");
}

bool balancer_invalid(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 400, NULL, "Validation failure: %s", text);
	free(text);
	return false;
}

bool balancer_ovn_refuses(struct call *c, const struct object *lb, const char *fmt, ...)
{
	va_list ap;

	if (strcmp(object_str(lb, "provider"), BALANCER_OVN))
		return false;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 501, NULL,
		"Provider 'ovn' does not support a requested option: OVN provider does not support "
		"%s",
		text);
	free(text);
	return true;
}

const struct balancer_resource *balancer_resource_of(const char *collection)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (!strcmp(resources[i]->collection, collection))
			return resources[i];
	return NULL;
}

const struct balancer_resource *balancer_resource_of_kind(enum kind k)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (resources[i]->kind == k)
			return resources[i];
	return NULL;
}

struct object *balancer_find(struct call *c, const struct balancer_resource *r, const char *id)
{
	struct object *o = object_get(c->sim, r->kind, id);

	if (o && !strcmp(o->project, c->project))
		return o;
	call_fail(c, 404, NULL, "%s %s not found.", r->title, id);
	return NULL;
}

json_t *balancer_view(const struct balancer_resource *r, const struct object *o)
{
	json_t *view = json_object(), *value;
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(view, key, value);
	if (r->show)
		r->show(o, view);
	return view;
}

bool balancer_quota(struct call *c, const struct balancer_resource *r)
{
	int64_t used = 0, limit;

	memcpy(&limit, (const char *)&c->sim->quota + r->quota, sizeof(limit));
	OBJECT_EACH (c->sim, r->kind, o)
		used += !strcmp(o->project, c->project);
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	call_fail(c, 403, NULL, "Quota has been met for resources: %s", r->title);
	return false;
}

struct object *balancer_make(struct call *c, const struct balancer_resource *r, json_t *in)
{
	struct object *o = object_new(c->sim, r->kind, json_str(in, ".id"), c->project, c->user);
	char now[32];
	const char *key;
	json_t *value;

	object_now(c->sim, now);
	now[strlen(now) - 1] = 0;
	object_set_str(o, "id", o->id);
	json_object_foreach (in, key, value)
		if (strcmp(key, ".id"))
			json_object_set(o->doc, key, value);
	for (size_t i = 0; i < r->n; i++)
		if (r->attrs[i].flags & BALANCER_INNER)
			json_object_del(o->doc, r->attrs[i].name);
	object_set_str(o, "project_id", o->project);
	object_set_str(o, "tenant_id", o->project);
	object_set_str(o, "provisioning_status", "PENDING_CREATE");
	object_set_str(o, "operating_status", "OFFLINE");
	object_set_str(o, "created_at", now);
	object_set_str(o, "updated_at", NULL);
	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	return o;
}

/* --- the requests every resource knows ---------------------------------------------------------
 */

/* params: version, then the collection, and for what is below something else its parent */
struct place {
	const struct balancer_resource *r;
	const char *parent_key, *parent; /* NULL: none */
	const char *id;                  /* NULL: of the collection */
};

/* False when it has answered. */
static bool find_place(struct call *c, struct place *ret)
{
	const bool members = strstr(c->route->path, "/members");
	const bool rules = strstr(c->route->path, "/rules");

	*ret = (struct place){0};
	if (members || rules) {
		const struct balancer_resource *above = members ? &pool_resource : &policy_resource;
		const struct object *o = object_get(c->sim, above->kind, c->params[1]);
		ret->r = members ? &member_resource : &rule7_resource;
		ret->parent_key = members ? ".pool" : ".policy";
		ret->parent = c->params[1];
		ret->id = c->params[2];
		if (o && !strcmp(o->project, c->project))
			return true;
		call_json(c, 404,
			json_pack("{s:i, s:s, s:o}", "code", 404, "title", "Bad Request",
				"description",
				json_sprintf("%s %s not found.", above->title, c->params[1])));
		return false;
	}
	/* the row of load balancers, which take longer to make, names them */
	ret->r = balancer_resource_of(c->params[1] ? c->params[1] : "loadbalancers");
	ret->id = c->params[2];
	if (ret->r && ret->r != &member_resource && ret->r != &rule7_resource)
		return true;
	call_json(c, 404,
		json_pack("{s:i, s:s, s:s}", "code", 404, "title", "Not Found", "description", ""));
	return false;
}

static struct object *find_object(struct call *c, struct place *p)
{
	struct object *o = find_place(c, p) ? balancer_find(c, p->r, p->id) : NULL;

	if (!o || !p->parent || !strcmp(object_str(o, p->parent_key), p->parent))
		return o;
	call_fail(c, 404, NULL, "%s %s not found.", p->r->title, p->id);
	return NULL;
}

static void answer(struct call *c, int status, const struct balancer_resource *r, json_t *view)
{
	call_json(c, status, json_pack("{s:o}", r->name, view));
}

static void list(struct call *c)
{
	struct place p;

	if (find_place(c, &p))
		balancer_list(c, p.r, p.parent_key, p.parent);
}

static void show(struct call *c)
{
	struct place p;
	const struct object *o = find_object(c, &p);

	if (o)
		answer(c, 200, p.r, list_fields(c, balancer_view(p.r, o)));
}

static void create(struct call *c)
{
	struct place p;
	json_t *in = find_place(c, &p) ? balancer_body(c, p.r, true) : NULL;

	if (!in)
		return;
	if (p.parent)
		json_object_set_new(in, p.parent_key, json_string(p.parent));
	if (p.r->check(c, in) && balancer_quota(c, p.r)) {
		struct object *o = balancer_make(c, p.r, in);
		if (p.r->created)
			p.r->created(c, o, in);
		balancer_lock(c, o, "PENDING_CREATE");
		rule_created(c, o);
		json_t *view = balancer_view(p.r, o);
		if (o->kind == KIND_LOADBALANCER)
			balancer_nest_show(o, view);
		answer(c, 201, p.r, view);
	}
	json_decref(in);
}

/* Of a load balancer itself octavia tells the state, of what belongs to it that it is immutable. */
static bool may_change(struct call *c, struct object *o, bool deletes)
{
	struct object *lb = balancer_of(o);
	const char *status = object_str(lb, "provisioning_status");

	if (o != lb)
		return balancer_mutable(c, lb,
			o->kind == KIND_MEMBER || o->kind == KIND_MONITOR
				? object_get(c->sim, KIND_POOL, object_str(o, ".pool"))
				: NULL);
	if (!strcmp(status, "ACTIVE") || (deletes && !strcmp(status, "ERROR")))
		return true;
	call_fail(c, 409, NULL, "Invalid state %s of loadbalancer resource %s", status, lb->id);
	return false;
}

static void update(struct call *c)
{
	struct place p;
	struct object *o = find_object(c, &p);
	json_t *in = o ? balancer_body(c, p.r, false) : NULL, *value;
	const char *key;

	if (in && may_change(c, o, false) && (!p.r->change || p.r->change(c, o, in))) {
		rule_changed(c, o, false);
		json_object_foreach (in, key, value)
			json_object_set(o->doc, key, value);
		balancer_touch(o);
		balancer_lock(c, o, "PENDING_UPDATE");
		answer(c, 200, p.r, balancer_view(p.r, o));
	}
	json_decref(in);
}

static void delete (struct call *c)
{
	struct place p;
	struct object *o = find_object(c, &p);

	if (!o || (p.r->leave && !p.r->leave(c, o)) || !may_change(c, o, true))
		return;
	rule_changed(c, o, true);
	balancer_touch(o);
	balancer_lock(c, o, "PENDING_DELETE");
	call_empty(c, 204);
}

/* --- routes -------------------------------------------------------------------------------------
 */

/* Both spellings of the version are taken; there are no microversions. */
static bool version(struct call *c)
{
	const char *path = c->path;

	if (!*path || !strcmp(path, "/"))
		return true;
	const size_t n = strcspn(path + 1, "/");
	if (slice_is(slice_from(path + 1, n), "v2") || slice_is(slice_from(path + 1, n), "v2.0"))
		return true;
	c->route = NULL;
	call_fail(c, 404, NULL, "The resource could not be found.");
	return false;
}

#define LBAAS "/{}/lbaas"
static const struct route routes[] = {
	{"GET", "", balancer_versions, ROUTE_OPEN},
	{"GET", "/{}", balancer_version},
	{"GET", LBAAS, balancer_version},
	{"GET", LBAAS "/providers", balancer_providers},
	{"GET", LBAAS "/providers/{}/flavor_capabilities", balancer_forbidden},
	{"GET", LBAAS "/providers/{}/availability_zone_capabilities", balancer_forbidden},
	{"GET", LBAAS "/flavors", balancer_empty},
	{"GET", LBAAS "/flavors/{}", balancer_no_flavor},
	{"POST", LBAAS "/flavors", balancer_forbidden},
	{"GET", LBAAS "/flavorprofiles", balancer_forbidden},
	{"GET", LBAAS "/availabilityzones", balancer_empty},
	{"GET", LBAAS "/availabilityzoneprofiles", balancer_forbidden},
	{"GET", "/{}/octavia/amphorae", balancer_forbidden},
	{"GET", LBAAS "/quotas", balancer_quotas},
	{"GET", LBAAS "/quotas/defaults", balancer_forbidden},
	{"GET", LBAAS "/quotas/{}", balancer_quota_show},
	{"PUT", LBAAS "/quotas/{}", balancer_forbidden},
	{"DELETE", LBAAS "/quotas/{}", balancer_forbidden},
	{"GET", LBAAS "/quotas/{}/default", balancer_forbidden},
	{"GET", LBAAS "/loadbalancers/{}/status", balancer_status},
	{"GET", LBAAS "/loadbalancers/{}/statuses", balancer_status},
	{"GET", LBAAS "/loadbalancers/{}/stats", balancer_stats},
	{"PUT", LBAAS "/loadbalancers/{}/failover", balancer_forbidden},
	{"GET", LBAAS "/listeners/{}/stats", balancer_stats},
	{"POST", LBAAS "/loadbalancers", create, ROUTE_CREATE, TIME_BALANCER_VIP},
	{"GET", LBAAS "/pools/{}/members", list},
	{"POST", LBAAS "/pools/{}/members", create, ROUTE_CREATE, TIME_WRITE},
	{"PUT", LBAAS "/pools/{}/members", balancer_members_put, ROUTE_CREATE, TIME_WRITE},
	{"GET", LBAAS "/pools/{}/members/{}", show},
	{"PUT", LBAAS "/pools/{}/members/{}", update, 0, TIME_WRITE},
	{"DELETE", LBAAS "/pools/{}/members/{}", delete, 0, TIME_WRITE},
	{"GET", LBAAS "/l7policies/{}/rules", list},
	{"POST", LBAAS "/l7policies/{}/rules", create, ROUTE_CREATE, TIME_WRITE},
	{"GET", LBAAS "/l7policies/{}/rules/{}", show},
	{"PUT", LBAAS "/l7policies/{}/rules/{}", update, 0, TIME_WRITE},
	{"DELETE", LBAAS "/l7policies/{}/rules/{}", delete, 0, TIME_WRITE},
	{"GET", LBAAS "/{}", list},
	{"POST", LBAAS "/{}", create, ROUTE_CREATE, TIME_WRITE},
	{"GET", LBAAS "/{}/{}", show},
	{"PUT", LBAAS "/{}/{}", update, 0, TIME_WRITE},
	{"DELETE", LBAAS "/{}/{}", delete, 0, TIME_WRITE},
};

const struct service balancer_service = {
	.name = "load-balancer",
	.prefix = "/load-balancer",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.version = version,
	.bad_body_text = "Request is not in valid JSON format",
};

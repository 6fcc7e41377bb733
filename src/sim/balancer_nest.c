/*
 * balancer_nest.c - a load balancer that is made with all that belongs to it, in one request.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/state.h"

#define NEST_PATH "load_balancer.loadbalancer."

struct nest {
	struct call *c;
	const char *lb;
	json_t *pools; /* of the load balancer: those of listeners are moved there */
};

/* Checks it where it stands; `parent` is the member that names what it belongs to. */
static bool check_one(const struct nest *n, const struct balancer_resource *r, json_t *item,
	const char *parent, const char *path)
{
	char full[96];
	json_t *body = json_copy(item);

	if (parent)
		json_object_set_new(body, parent, json_string(n->lb));
	snprintf(full, sizeof(full), NEST_PATH "%s", path);
	json_t *out = balancer_inner(n->c, r, body, full);
	json_decref(body);
	if (!out)
		return false;
	json_object_clear(item);
	json_object_update(item, out);
	json_decref(out);
	return true;
}

static bool check_pool(const struct nest *n, json_t *pool)
{
	char id[UUID_TEXT];
	json_t *members, *monitor, *m;
	size_t i;

	if (!check_one(n, &pool_resource, pool, "loadbalancer_id", "pools"))
		return false;
	members = json_object_get(pool, "members");
	monitor = json_object_get(pool, "healthmonitor");
	json_array_foreach (members, i, m)
		if (!check_one(n, &member_resource, m, NULL, "pools.members"))
			return false;
	if (json_is_object(monitor) &&
		!check_one(n, &monitor_resource, monitor, "pool_id", "pools.healthmonitor"))
		return false;
	draw_uuid(&n->c->sim->draw, kind_word(KIND_POOL), id);
	json_object_set_new(pool, ".id", json_string(id));
	return true;
}

static const char *pool_named(const struct nest *n, const char *name)
{
	json_t *pool;
	size_t i;

	json_array_foreach (n->pools, i, pool)
		if (name && json_str(pool, "name") && !strcmp(json_str(pool, "name"), name))
			return json_str(pool, ".id");
	return NULL;
}

/* Its default pool is one of the load balancer's by name, or another one that is described here. */
static bool check_listener(const struct nest *n, json_t *listener)
{
	if (!check_one(n, &listener_resource, listener, "loadbalancer_id", "listeners"))
		return false;
	json_t *pool = json_object_get(listener, "default_pool");
	if (!json_is_object(pool))
		return true;
	const char *known =
		json_object_size(pool) == 1 ? pool_named(n, json_str(pool, "name")) : NULL;
	if (!known) {
		if (!check_pool(n, pool))
			return false;
		json_array_append(n->pools, pool);
		known = json_str(pool, ".id");
	}
	json_object_set_new(listener, "default_pool_id", json_string(known));
	return true;
}

bool balancer_nest_check(struct call *c, json_t *in, const char *id)
{
	const struct nest n = {c, id, json_object_get(in, "pools")};
	json_t *item;
	size_t i, given = json_array_size(n.pools);

	for (i = 0; i < given; i++)
		if (!check_pool(&n, json_array_get(n.pools, i)))
			return false;
	json_array_foreach (json_object_get(in, "listeners"), i, item)
		if (!check_listener(&n, item))
			return false;
	return true;
}

static void make(struct call *c, const struct balancer_resource *r, json_t *item, const char *lb,
	const char *pool)
{
	json_object_set_new(item, ".loadbalancer", json_string(lb));
	if (pool)
		json_object_set_new(item, ".pool", json_string(pool));
	struct object *o = balancer_make(c, r, item);
	if (r->created)
		r->created(c, o, item);
	rule_created(c, o);
}

void balancer_nest_make(struct call *c, const struct object *lb, json_t *in)
{
	json_t *pool, *item;
	size_t i, k;

	json_array_foreach (json_object_get(in, "pools"), i, pool) {
		const char *id = json_str(pool, ".id");
		json_t *monitor = json_object_get(pool, "healthmonitor");
		make(c, &pool_resource, pool, lb->id, NULL);
		json_array_foreach (json_object_get(pool, "members"), k, item)
			make(c, &member_resource, item, lb->id, id);
		if (json_is_object(monitor)) {
			balancer_monitor_defaults(monitor);
			make(c, &monitor_resource, monitor, lb->id, id);
		}
	}
	json_array_foreach (json_object_get(in, "listeners"), i, item)
		make(c, &listener_resource, item, lb->id, NULL);
}

/* --- the answer, which shows all of it ----------------------------------------------------------
 */

static json_t *whole_pool(const struct object *pool)
{
	json_t *view = balancer_view(&pool_resource, pool), *members = json_array();

	OBJECT_EACH (pool->sim, KIND_MEMBER, o)
		if (!strcmp(object_str(o, ".pool"), pool->id))
			json_array_append_new(members, balancer_view(&member_resource, o));
	json_object_del(view, "loadbalancers");
	json_object_del(view, "healthmonitor_id");
	json_object_set_new(view, "healthmonitor", json_null()); /* even where there is one */
	json_object_set_new(view, "members", members);
	return view;
}

void balancer_nest_show(const struct object *lb, json_t *view)
{
	json_t *listeners = json_array(), *pools = json_array();

	OBJECT_EACH (lb->sim, KIND_LISTENER, o) {
		if (strcmp(object_str(o, ".loadbalancer"), lb->id))
			continue;
		json_t *listener = balancer_view(&listener_resource, o);
		json_object_del(listener, "loadbalancers");
		json_array_append_new(listeners, listener);
	}
	OBJECT_EACH (lb->sim, KIND_POOL, o)
		if (!strcmp(object_str(o, ".loadbalancer"), lb->id))
			json_array_append_new(pools, whole_pool(o));
	json_object_set_new(view, "listeners", listeners);
	json_object_set_new(view, "pools", pools);
}

/*
 * balancer_tree.c - a load balancer and what belongs to it: who is locked by a change, and what
 * comes of it when the time is up.
 */

#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/guest.h"
#include "sim/state.h"

/* Everything below a load balancer, what holds others last. */
static const enum kind kinds[] = {
	KIND_L7RULE, KIND_L7POLICY, KIND_MONITOR, KIND_MEMBER, KIND_LISTENER, KIND_POOL};

struct object *balancer_of(const struct object *o)
{
	return object_get(o->sim, KIND_LOADBALANCER,
		o->kind == KIND_LOADBALANCER ? o->id : object_str(o, ".loadbalancer"));
}

struct object *balancer_with(struct sim *s, enum kind k, const char *key, const char *value)
{
	OBJECT_EACH (s, k, o)
		if (!strcmp(object_str(o, key), value))
			return o;
	return NULL;
}

json_t *balancer_ids(struct sim *s, enum kind k, const char *key, const char *value)
{
	json_t *list = json_array();

	OBJECT_EACH (s, k, o)
		if (!strcmp(object_str(o, key), value))
			json_array_append_new(list, json_pack("{s:s}", "id", o->id));
	return list;
}

void balancer_touch(struct object *o)
{
	char now[32];

	object_now(o->sim, now);
	now[strlen(now) - 1] = 0; /* octavia tells no zone */
	object_set_str(o, "updated_at", now);
}

static const char *status_of(const struct object *o)
{
	return object_str(o, "provisioning_status");
}

static void set_status(struct object *o, const char *status)
{
	object_set_str(o, "provisioning_status", status);
}

bool balancer_mutable(struct call *c, struct object *lb, const struct object *pool)
{
	if (pool && strcmp(status_of(pool), "ACTIVE")) {
		call_fail(c, 409, NULL, "Pool %s is immutable and cannot be updated.", pool->id);
		return false;
	}
	if (strcmp(status_of(lb), "ACTIVE")) {
		call_fail(c, 409, NULL, "Load Balancer %s is immutable and cannot be updated.",
			lb->id);
		return false;
	}
	return true;
}

/* --- what comes of a change --------------------------------------------------------------------
 */

static bool is_off(const struct object *o)
{
	return json_object_get(o->doc, "admin_state_up") == json_false();
}

/* True: it is gone. */
static bool settle_one(struct object *o)
{
	const bool fails = json_flag(o->doc, ".fails"),
		   pending = !strncmp(status_of(o), "PENDING", 7);
	const bool created = !strcmp(status_of(o), "PENDING_CREATE");

	json_object_del(o->doc, ".fails");
	if (!pending)
		return false;
	if (fails) {
		set_status(o, "ERROR");
		if (created)
			object_set_str(o, "operating_status", "ERROR");
		return false;
	}
	if (!strcmp(status_of(o), "PENDING_DELETE"))
		return true;
	set_status(o, "ACTIVE");
	object_set(o, ".there", json_true()); /* packets find it from now on */
	if (o->kind != KIND_MEMBER)           /* those have their health */
		object_set_str(o, "operating_status", is_off(o) ? "OFFLINE" : "ONLINE");
	return false;
}

/* What pointed to a pool that goes points to none. */
static void forget_pool(const struct object *pool)
{
	OBJECT_EACH (pool->sim, KIND_LISTENER, o)
		if (!strcmp(object_str(o, "default_pool_id"), pool->id))
			object_set(o, "default_pool_id", json_null());
}

/* What hangs on it goes with it: rules with their policy, members and monitor with their pool,
 * policies with their listener. */
static void drop_below(struct object *o)
{
	static const struct {
		enum kind above, below;
		const char *key;
	} hangs[] = {
		{KIND_POOL, KIND_MEMBER, ".pool"},
		{KIND_POOL, KIND_MONITOR, ".pool"},
		{KIND_LISTENER, KIND_L7POLICY, "listener_id"},
		{KIND_L7POLICY, KIND_L7RULE, ".policy"},
	};

	for (size_t i = 0; i < array_len(hangs); i++) {
		if (hangs[i].above != o->kind)
			continue;
		OBJECT_EACH_BACK (o->sim, hangs[i].below, below)
			if (!strcmp(object_str(below, hangs[i].key), o->id)) {
				drop_below(below);
				object_remove(below);
			}
	}
	if (o->kind == KIND_POOL)
		forget_pool(o);
}

static void settle_children(struct object *lb)
{
	for (size_t i = 0; i < array_len(kinds); i++)
		OBJECT_EACH_BACK (lb->sim, kinds[i], o)
			if (balancer_of(o) == lb && settle_one(o)) {
				drop_below(o);
				object_remove(o);
			}
}

static void drop_all(struct object *lb)
{
	struct sim *s = lb->sim;
	const bool leak = json_flag(lb->doc, ".leaks");

	for (size_t i = 0; i < array_len(kinds); i++)
		OBJECT_EACH_BACK (s, kinds[i], o)
			if (balancer_of(o) == lb)
				object_remove(o);
	balancer_vip_drop(lb);
	object_remove(lb);
	balancer_checks_ports(s, leak);
	guests_changed(s);
}

static void settle(struct object *lb)
{
	const bool leak = json_flag(lb->doc, ".leaks");

	if (settle_one(lb)) {
		drop_all(lb);
		return;
	}
	settle_children(lb);
	json_object_del(lb->doc, ".leaks");
	balancer_health_begin(lb);
	balancer_checks_ports(lb->sim, leak);
	guests_changed(lb->sim);
}

static void on_settled(struct timer *t)
{
	settle(t->arg);
}

/* --- the lock ----------------------------------------------------------------------------------
 */

/* The id of the pool that a change of it concerns, or "". */
static const char *pool_of(const struct object *o)
{
	return o->kind == KIND_POOL ? o->id : object_str(o, ".pool");
}

static const char *listener_of(const struct object *o)
{
	const struct object *policy = object_get(o->sim, KIND_L7POLICY, object_str(o, ".policy"));

	return object_str(policy ? policy : o, "listener_id");
}

static void pend(struct object *o)
{
	if (!o || !strcmp(status_of(o), "ERROR"))
		return;
	set_status(o, "PENDING_UPDATE");
	balancer_touch(o);
}

static void lock_others(const struct object *o)
{
	const char *pool = pool_of(o);

	if (o->kind != KIND_POOL)
		pend(object_get(o->sim, KIND_POOL, pool));
	pend(object_get(o->sim, KIND_LISTENER, listener_of(o)));
	pend(object_get(o->sim, KIND_L7POLICY, object_str(o, ".policy")));
	OBJECT_EACH (o->sim, KIND_LISTENER, listener)
		if (*pool && !strcmp(object_str(listener, "default_pool_id"), pool))
			pend(listener);
}

static enum draw_time time_of(const struct object *lb)
{
	const char *status = status_of(lb);

	return !strcmp(status, "PENDING_CREATE")   ? TIME_BALANCER_CREATE
	       : !strcmp(status, "PENDING_DELETE") ? TIME_BALANCER_DELETE
						   : TIME_BALANCER_CHANGE;
}

void balancer_lock(struct call *c, struct object *o, const char *status)
{
	struct object *lb = balancer_of(o);

	if (o != lb) {
		lock_others(o);
		pend(lb);
	}
	set_status(o, status);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".fails", json_true());
	if (call_hit(c, MISHAP_LEAK))
		object_set(lb, ".leaks", json_true());
	if (call_hit(c, MISHAP_STUCK) || !strcmp(object_str(lb, "provider"), BALANCER_NOOP))
		lb->stuck = true;
	if (c->inside) /* what is planted has been there for long */
		settle(lb);
	else if (!lb->stuck)
		object_after(lb, draw_time_ns(&c->sim->draw, time_of(lb)), on_settled);
}

/*
 * balancer_picture.c - load balancers in the picture that guest_world.h is.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/guest_picture.h"
#include "sim/state.h"

/* Whether it has come to be and is switched on. Members take part from then on: one that has not
 * been checked yet counts as up. */
static bool is_there(const struct object *o)
{
	return json_flag(o->doc, ".there") && json_flag(o->doc, "admin_state_up");
}

static void take_members(struct picture *p, const struct object *pool, struct world_pool *ret)
{
	OBJECT_EACH (p->s, KIND_MEMBER, o) {
		struct world_member m = {
			.port = (unsigned)json_int(o->doc, "protocol_port", 0),
			.weight = (unsigned)json_int(o->doc, "weight", 1),
			.backup = json_flag(o->doc, "backup"),
		};
		if (strcmp(object_str(o, ".pool"), pool->id) || !is_there(o) ||
			!ip_parse(object_str(o, "address"), &m.ip))
			continue;
		m.up = balancer_member_up(o);
		snprintf(m.id, sizeof(m.id), "%s", o->id);
		vec_push(&ret->list, m);
	}
}

static enum world_algorithm algorithm_of(const struct object *pool)
{
	static const char *const words[] = {
		"ROUND_ROBIN", "LEAST_CONNECTIONS", "SOURCE_IP", "SOURCE_IP_PORT"};
	for (size_t i = 0; i < array_len(words); i++)
		if (!strcmp(words[i], object_str(pool, "lb_algorithm")))
			return (enum world_algorithm)i;
	return WORLD_ROUND_ROBIN;
}

static enum world_keeping keeping_of(const struct object *pool)
{
	const char *type = json_str(json_object_get(pool->doc, "session_persistence"), "type");
	if (!type)
		return WORLD_KEEP_NOTHING;
	return !strcmp(type, "SOURCE_IP") ? WORLD_KEEP_SOURCE : WORLD_KEEP_COOKIE;
}

static void take_pools(struct picture *p, const struct object *lb, struct world_balancer *b)
{
	OBJECT_EACH (p->s, KIND_POOL, o) {
		struct world_pool pool = {.algorithm = algorithm_of(o), .keeping = keeping_of(o)};
		if (balancer_of(o) != lb || !is_there(o))
			continue;
		snprintf(pool.id, sizeof(pool.id), "%s", o->id);
		take_members(p, o, &pool);
		vec_push(&b->pools, pool);
	}
}

static void take_allowed(const struct object *o, struct world_listener *l)
{
	json_t *item;
	size_t i;
	json_array_foreach (json_object_get(o->doc, "allowed_cidrs"), i, item) {
		struct prefix prefix;
		l->limited = true;
		if (prefix_parse(json_string_value(item), &prefix, NULL))
			vec_push(&l->allowed, prefix);
	}
}

/* Those of TCP: nothing else comes here. */
static void take_listeners(struct picture *p, const struct object *lb, struct world_balancer *b)
{
	OBJECT_EACH (p->s, KIND_LISTENER, o) {
		const char *protocol = object_str(o, "protocol");
		struct world_listener l = {
			.port = (unsigned)json_int(o->doc, "protocol_port", 0),
			.http = !strcmp(protocol, "HTTP"),
		};
		if (balancer_of(o) != lb || !is_there(o) || !strcmp(protocol, "UDP") ||
			!strcmp(protocol, "SCTP"))
			continue;
		for (size_t i = 0; i < b->pools.n; i++)
			if (!strcmp(b->pools.p[i].id, object_str(o, "default_pool_id"))) {
				l.has_pool = true;
				l.pool = (unsigned)i;
			}
		take_allowed(o, &l);
		vec_push(&b->listeners, l);
	}
}

static void take_checks(struct picture *p, struct world_balancer *b)
{
	OBJECT_EACH (p->s, KIND_PORT, o) {
		const json_t *first = json_array_get(json_object_get(o->doc, "fixed_ips"), 0);
		struct world_check check;
		if (!strcmp(object_str(o, "device_owner"), BALANCER_CHECK_OWNER) && first &&
			ip_parse(json_str(first, "ip_address"), &check.ip) &&
			picture_place(&p->subnets, json_str(first, "subnet_id"), &check.subnet))
			vec_push(&b->checks, check);
	}
}

void picture_balancers(struct picture *p)
{
	OBJECT_EACH (p->s, KIND_LOADBALANCER, o) {
		const struct object *port =
			object_get(p->s, KIND_PORT, object_str(o, "vip_port_id"));
		struct world_balancer b = {
			.transparent = !strcmp(object_str(o, "provider"), BALANCER_OVN)};
		if (!port || !is_there(o))
			continue;
		snprintf(b.id, sizeof(b.id), "%s", o->id);
		picture_nic(p, port, &b.nic);
		b.nic.open = true;
		take_pools(p, o, &b);
		take_listeners(p, o, &b);
		if (b.transparent)
			take_checks(p, &b);
		vec_push(&p->w->balancers, b);
	}
}

/*
 * balancer_health.c - what monitors find out about members, as haproxy does: a member counts as up
 * from the beginning, falls after so many checks in a row that fail (a new one after the first),
 * and rises after so many that succeed.
 */

#include <string.h>

#include "base/json.h"
#include "sim/balancer.h"
#include "sim/guest.h"
#include "sim/state.h"

#define EVERY_MIN_NS (100 * NS_PER_MS)

struct object *balancer_monitor(const struct object *pool)
{
	struct object *o = balancer_with(pool->sim, KIND_MONITOR, ".pool", pool->id);

	return o && json_flag(o->doc, "admin_state_up") &&
			       strcmp(object_str(o, "provisioning_status"), "PENDING_CREATE")
		       ? o
		       : NULL;
}

bool balancer_member_up(const struct object *member)
{
	const struct object *pool = object_get(member->sim, KIND_POOL, object_str(member, ".pool"));
	const struct object *monitor = pool ? balancer_monitor(pool) : NULL;
	const int64_t rise = monitor ? json_int(monitor->doc, "max_retries", 1) : 0;

	return !monitor || json_int(member->doc, ".health", rise) >= rise;
}

static bool is_off(const struct object *o)
{
	return !json_flag(o->doc, "admin_state_up");
}

static bool in_pool(const struct object *member, const struct object *pool)
{
	return !strcmp(object_str(member, ".pool"), pool->id);
}

/* --- what the members' states make of their pool and of the load balancer ------------------------
 */

static const char *pool_status(const struct object *pool)
{
	size_t all = 0, bad = 0;

	OBJECT_EACH (pool->sim, KIND_MEMBER, o)
		if (in_pool(o, pool)) {
			all++;
			bad += !strcmp(object_str(o, "operating_status"), "ERROR");
		}
	return is_off(pool) ? "OFFLINE" : !bad ? "ONLINE" : bad == all ? "ERROR" : "DEGRADED";
}

static void recount(struct object *lb)
{
	const char *worst = "ONLINE";

	OBJECT_EACH (lb->sim, KIND_POOL, o) {
		if (balancer_of(o) != lb || strcmp(object_str(o, "provisioning_status"), "ACTIVE"))
			continue;
		const char *status = pool_status(o);
		object_set_str(o, "operating_status", status);
		if (!strcmp(status, "ERROR") ||
			(!strcmp(status, "DEGRADED") && strcmp(worst, "ERROR")))
			worst = status;
	}
	if (json_flag(lb->doc, ".there") && !is_off(lb))
		object_set_str(lb, "operating_status", worst);
}

/* --- checks
 * ---------------------------------------------------------------------------------------- */

static bool expects_200(const struct object *monitor)
{
	const char *codes = object_str(monitor, "expected_codes");

	return strstr(codes, "200") || (strchr(codes, '-') && strncmp(codes, "200", 3) <= 0 &&
					       strcmp(strchr(codes, '-') + 1, "200") >= 0);
}

/* Guests serve HTTP without TLS, and nothing but TCP. */
static bool succeeds(const struct object *lb, const struct object *monitor, const struct object *o)
{
	const char *type = object_str(monitor, "type"), *address = object_str(o, "monitor_address");
	const bool ping = !strcmp(type, "PING");
	struct ip to;

	if (!ip_parse(*address ? address : object_str(o, "address"), &to))
		return false;
	if (!ping && strcmp(type, "TCP") && (strcmp(type, "HTTP") || !expects_200(monitor)))
		return false;
	const int64_t port = json_int(o->doc, "monitor_port", 0);
	return guests_answer(lb->sim, lb->id, to, ping ? PACKET_ECHO : PACKET_TCP,
		(unsigned)(port ? port : json_int(o->doc, "protocol_port", 0)));
}

/* haproxy's counter: below `rise` the member is down. */
static int64_t next_health(const struct object *monitor, int64_t health, bool good)
{
	const int64_t rise = json_int(monitor->doc, "max_retries", 1);
	const int64_t fall = json_int(monitor->doc, "max_retries_down", 3);
	const int64_t top = rise + fall - 1;

	if (!good)
		return health > rise ? health - 1 : 0;
	health++;
	return health >= rise && health - 1 < rise ? top : health > top ? top : health;
}

static void check_member(const struct object *lb, const struct object *monitor, struct object *o)
{
	const int64_t rise = json_int(monitor->doc, "max_retries", 1);
	const bool good = succeeds(lb, monitor, o);
	const int64_t health = next_health(monitor, json_int(o->doc, ".health", rise), good);
	const char *status = health >= rise ? "ONLINE" : "ERROR";

	object_set(o, ".health", json_integer(health));
	if (!strcmp(object_str(o, "operating_status"), status))
		return;
	object_set_str(o, "operating_status", status);
	guests_changed(lb->sim);
}

static void on_check(struct timer *t);

static void again(struct object *monitor)
{
	int64_t ns = json_int(monitor->doc, "delay", 1) * NS_PER_S;

	if (ns < EVERY_MIN_NS)
		ns = EVERY_MIN_NS;
	object_after(monitor, (int64_t)((double)ns / monitor->sim->draw.speed), on_check);
}

static void on_check(struct timer *t)
{
	struct object *monitor = t->arg, *lb = balancer_of(monitor);
	const struct object *pool =
		object_get(monitor->sim, KIND_POOL, object_str(monitor, ".pool"));

	OBJECT_EACH (monitor->sim, KIND_MEMBER, o)
		if (in_pool(o, pool) && !is_off(o) &&
			strcmp(object_str(o, "provisioning_status"), "PENDING_CREATE"))
			check_member(lb, monitor, o);
	recount(lb);
	if (!is_off(monitor))
		again(monitor);
}

/* --- beginning ---------------------------------------------------------------------------------
 */

static void begin_member(struct object *o, const struct object *monitor)
{
	if (strcmp(object_str(o, "provisioning_status"), "ACTIVE"))
		return;
	if (is_off(o) || !monitor) {
		object_set_str(o, "operating_status", is_off(o) ? "OFFLINE" : "NO_MONITOR");
		json_object_del(o->doc, ".health");
	} else if (!json_object_get(o->doc, ".health")) {
		object_set_str(o, "operating_status", "OFFLINE"); /* until it has been looked at */
		object_set(o, ".health", json_integer(json_int(monitor->doc, "max_retries", 1)));
	}
}

void balancer_health_begin(struct object *lb)
{
	OBJECT_EACH (lb->sim, KIND_POOL, pool) {
		if (balancer_of(pool) != lb)
			continue;
		struct object *monitor = balancer_monitor(pool);
		OBJECT_EACH (lb->sim, KIND_MEMBER, o)
			if (in_pool(o, pool))
				begin_member(o, monitor);
		if (monitor && !timer_running(&monitor->timer))
			again(monitor);
	}
	recount(lb);
}

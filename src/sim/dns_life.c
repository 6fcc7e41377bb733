/*
 * dns_life.c - what happens by itself: PENDING becomes ACTIVE, ERROR or gone, and the name server
 * learns what changed. See dns.h.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/dns.h"
#include "sim/state.h"

static bool is(const struct object *o, const char *key, const char *value)
{
	return !strcmp(object_str(o, key), value);
}

const char *dns_now(const struct sim *s, char *text)
{
	object_now(s, text);
	memcpy(text + strlen(text) - 1, ".000000", sizeof(".000000")); /* no Z, no fraction */
	return text;
}

static void updated(struct object *o)
{
	char now[40];

	object_set_str(o, "updated_at", dns_now(o->sim, now));
	object_set(o, "version", json_integer(json_int(o->doc, "version", 0) + 1));
}

void dns_begin(struct object *o)
{
	char now[40];

	o->visible_ns = loop_now_ns(o->sim->loop) + draw_time_ns(&o->sim->draw, TIME_LIST_LAG);
	object_set_str(o, "status", "PENDING");
	object_set_str(o, "action", "CREATE");
	object_set(o, "version", json_integer(1));
	object_set_str(o, "created_at", dns_now(o->sim, now));
	object_set(o, "updated_at", json_null());
}

struct object *dns_zone_of(const struct object *recordset)
{
	return object_get(recordset->sim, KIND_DNS_ZONE, object_str(recordset, "zone_id"));
}

/* --- the name server ---------------------------------------------------------------------------
 */

static void served_free(struct object *zone)
{
	struct served *v = zone->more;

	timer_cancel(&v->timer);
	json_decref(v->sets);
	free(v);
}

struct served *dns_served(struct object *zone)
{
	if (!zone->more) {
		zone->more = mem_new(struct served);
		zone->free_more = served_free;
	}
	return zone->more;
}

static json_t *served_before(const json_t *sets, const char *id)
{
	size_t i;
	json_t *set;

	json_array_foreach (sets, i, set)
		if (!strcmp(json_str(set, "id"), id))
			return set;
	return NULL;
}

/* The worker brings everything that is not held back; what is stays as it was. */
static json_t *bring(const struct object *zone, const json_t *before)
{
	json_t *sets = json_array();

	OBJECT_EACH (zone->sim, KIND_DNS_RECORDSET, o) {
		json_t *old = served_before(before, o->id);
		const json_t *ttl = json_object_get(o->doc, "ttl");
		if (!is(o, "zone_id", zone->id))
			continue;
		if (o->stuck || is(o, "status", "ERROR") || json_object_get(o->doc, ".error")) {
			if (old)
				json_array_append(sets, old);
			continue;
		}
		if (!is(o, "action", "DELETE"))
			json_array_append_new(sets,
				json_pack("{s:s, s:s, s:s, s:I, s:O}", "id", o->id, "name",
					object_str(o, "name"), "type", object_str(o, "type"), "ttl",
					(json_int_t)json_int(
						json_is_integer(ttl) ? o->doc : zone->doc, "ttl",
						0),
					"records", json_object_get(o->doc, "records")));
	}
	return sets;
}

static void on_served(struct timer *t)
{
	struct object *zone = t->arg;
	struct served *v = dns_served(zone);
	json_t *before = v->sets;

	if (zone->stuck || json_object_get(zone->doc, ".error") || is(zone, "status", "ERROR"))
		return;
	v->sets = is(zone, "action", "DELETE") ? NULL : bring(zone, before);
	json_decref(before);
}

static void tell_server(struct object *zone)
{
	struct served *v = dns_served(zone);

	if (!timer_running(&v->timer))
		timer_start(zone->sim->loop, &v->timer,
			draw_time_ns(&zone->sim->draw, TIME_DNS_SERVED), on_served, zone);
}

/* The mail address as a name: its @ is a dot. */
char *dns_soa_text(const struct object *zone)
{
	char *mail = mem_strdup(object_str(zone, "email")), *at = strchr(mail, '@');

	if (at)
		*at = '.';
	char *record = mem_printf(DNS_NAME_SERVER " %s. %lld 3600 600 86400 %d", mail,
		(long long)json_int(zone->doc, "serial", 0), DNS_SOA_MINIMUM);
	free(mail);
	return record;
}

void dns_zone_touch(struct object *zone)
{
	const int64_t now = clock_unix_us(loop_clock(zone->sim->loop)) / 1000000;
	const int64_t serial = json_int(zone->doc, "serial", 0) + 1;

	object_set(zone, "serial", json_integer(serial > now ? serial : now));
	OBJECT_EACH (zone->sim, KIND_DNS_RECORDSET, o)
		if (is(o, "zone_id", zone->id) && is(o, "type", "SOA")) {
			char *text = dns_soa_text(zone);
			object_set(o, "records", json_pack("[s]", text));
			free(text);
			if (is(o, "action", "NONE")) {
				object_set_str(o, "status", "PENDING");
				object_set_str(o, "action", "UPDATE");
			}
		}
	tell_server(zone);
}

/* --- states ------------------------------------------------------------------------------------
 */

static void zone_remove(struct object *zone)
{
	OBJECT_EACH_BACK (zone->sim, KIND_DNS_RECORDSET, o)
		if (is(o, "zone_id", zone->id))
			object_remove(o);
	object_remove(zone);
}

/* The service's own sets go with their zone. */
static void own_sets_done(const struct object *zone)
{
	OBJECT_EACH (zone->sim, KIND_DNS_RECORDSET, o)
		if (o->made_by == MADE_BY_DESIGNATE && is(o, "zone_id", zone->id)) {
			object_set_str(o, "status", object_str(zone, "status"));
			object_set_str(o, "action", object_str(zone, "action"));
		}
}

static void on_done(struct timer *t)
{
	struct object *o = t->arg;
	const struct object *zone = o->kind == KIND_DNS_RECORDSET ? dns_zone_of(o) : NULL;
	const bool no_zone = zone && is(zone, "action", "CREATE") && !is(o, "action", "DELETE") &&
			     (zone->stuck || is(zone, "status", "ERROR"));

	if (o->stuck || no_zone) /* a set cannot be where its zone is not */
		return;
	const bool error = json_object_get(o->doc, ".error");
	json_object_del(o->doc, ".error");
	if (error) {
		object_set_str(o, "status", "ERROR");
	} else if (!is(o, "action", "DELETE")) {
		object_set_str(o, "status", "ACTIVE");
		object_set_str(o, "action", "NONE");
	} else if (o->kind == KIND_DNS_ZONE) {
		zone_remove(o);
		return;
	} else {
		object_remove(o);
		return;
	}
	if (o->kind == KIND_DNS_ZONE) {
		own_sets_done(o);
		updated(o);
	}
}

void dns_pending(struct object *o, const char *action, bool error)
{
	const bool zone = o->kind == KIND_DNS_ZONE, gone = !strcmp(action, "DELETE");

	/* A zone that is only being made learns of its sets on the way. */
	if (zone && !strcmp(action, "UPDATE") && is(o, "action", "CREATE")) {
		updated(o);
		return;
	}
	object_set_str(o, "status", "PENDING");
	object_set_str(o, "action", action);
	if (strcmp(action, "CREATE"))
		updated(o);
	if (error)
		object_set(o, ".error", json_true());
	if (zone && gone)
		tell_server(o);
	object_after(o,
		draw_time_ns(&o->sim->draw, zone && gone ? TIME_DNS_ZONE_DELETE : TIME_DNS_ACTIVE),
		on_done);
}

/*
 * dns_recordset.c - recordsets: made, changed, deleted. A name and a type have one in a zone.
 */

#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "sim/dns.h"
#include "sim/state.h"

/* --- where one may stand -----------------------------------------------------------------------
 */

static bool in_zone(const char *name, const char *zone)
{
	const size_t n = strlen(name), z = strlen(zone);

	return n >= z && !strcmp(name + n - z, zone) && (n == z || name[n - z - 1] == '.');
}

static void misplaced(struct call *c, const char *text)
{
	call_fail(c, 400, "invalid_recordset_location", "%s", text);
}

/* A CNAME stands alone at its name. */
static bool check_alone(
	struct call *c, const struct object *zone, const char *name, const char *type)
{
	const bool alias = !strcmp(type, "CNAME");

	OBJECT_EACH (c->sim, KIND_DNS_RECORDSET, o) {
		if (strcmp(object_str(o, "zone_id"), zone->id) ||
			strcasecmp(object_str(o, "name"), name))
			continue;
		if (alias || !strcmp(object_str(o, "type"), "CNAME")) {
			misplaced(
				c, "CNAME recordsets may not share a name with any other records");
			return false;
		}
	}
	return true;
}

static bool check_sub_zones(struct call *c, const struct object *zone, const char *name)
{
	OBJECT_EACH (c->sim, KIND_DNS_ZONE, o) {
		const char *below = object_str(o, "name");
		if (o == zone || !in_zone(below, object_str(zone, "name")) || !in_zone(name, below))
			continue;
		call_fail(c, 400, "invalid_recordset_location",
			"RecordSet belongs in a child zone: %s", below);
		return false;
	}
	return true;
}

static bool check_place(
	struct call *c, const struct object *zone, const char *name, const char *type)
{
	const char *zone_name = object_str(zone, "name");

	if (!in_zone(name, zone_name))
		misplaced(c, "RecordSet is not contained within it's parent zone");
	else if (!strcmp(type, "CNAME") && !strcmp(name, zone_name))
		misplaced(c, "CNAME recordsets may not be created at the zone apex");
	return !call_answered(c) && check_alone(c, zone, name, type) &&
	       check_sub_zones(c, zone, name);
}

static bool check_double(
	struct call *c, const struct object *zone, const char *name, const char *type)
{
	OBJECT_EACH (c->sim, KIND_DNS_RECORDSET, o)
		if (!strcmp(object_str(o, "zone_id"), zone->id) &&
			!strcasecmp(object_str(o, "name"), name) &&
			!strcmp(object_str(o, "type"), type)) {
			call_fail(c, 409, "duplicate_recordset", "Duplicate RecordSet");
			return false;
		}
	return true;
}

/* --- quota -------------------------------------------------------------------------------------
 */

static bool sets_left(struct call *c, const struct object *zone)
{
	const int64_t limit = c->sim->quota.zone_recordsets;
	int64_t used = 0;

	OBJECT_EACH (c->sim, KIND_DNS_RECORDSET, o)
		used += !strcmp(object_str(o, "zone_id"), zone->id);
	if (!call_hit(c, MISHAP_QUOTA) && (limit < 0 || used < limit))
		return true;
	dns_over_quota(c, "zone_recordsets");
	return false;
}

/* `own`: the one that is changed, or NULL. SOA and NS of the service do not count. */
static bool records_left(
	struct call *c, const struct object *zone, const struct object *own, size_t n)
{
	const struct quota *q = &c->sim->quota;
	int64_t used = (int64_t)n;

	OBJECT_EACH (c->sim, KIND_DNS_RECORDSET, o)
		if (o != own && o->made_by != MADE_BY_DESIGNATE &&
			!strcmp(object_str(o, "zone_id"), zone->id))
			used += (int64_t)json_array_size(json_object_get(o->doc, "records"));
	if (q->zone_records >= 0 && used > q->zone_records)
		dns_over_quota(c, "zone_records");
	else if (q->recordset_records >= 0 && (int64_t)n > q->recordset_records)
		dns_over_quota(c, "recordset_records");
	return !call_answered(c);
}

/* --- POST --------------------------------------------------------------------------------------
 */

/* Each once, in order. */
static json_t *distinct(const json_t *records)
{
	json_t *list = json_array(), *record;
	size_t i;

	json_array_foreach (records, i, record)
		if (!json_has_text(list, slice_of(json_string_value(record))))
			json_array_append(list, record);
	return list;
}

/* "_service._protocol." before the rest. */
static bool check_srv_name(struct call *c, const char *type, const char *name)
{
	const char *dot = strchr(name, '.');

	if (strcmp(type, "SRV") || (*name == '_' && dot && dot[1] == '_'))
		return true;
	call_fail(c, 400, "invalid_object", "name is invalid");
	return false;
}

static bool zone_stays(struct call *c, const struct object *zone)
{
	if (!zone || strcmp(object_str(zone, "action"), "DELETE"))
		return zone != NULL;
	call_fail(c, 400, "bad_request", "Can not update a deleting zone");
	return false;
}

static struct object *make(
	struct call *c, const struct object *zone, const json_t *in, json_t *records)
{
	struct object *o = object_new(c->sim, KIND_DNS_RECORDSET, NULL, c->project, c->user);
	const json_t *ttl = json_object_get(in, "ttl");

	object_set_str(o, "id", o->id);
	object_set_str(o, "zone_id", zone->id);
	object_set_str(o, "project_id", o->project);
	object_set_str(o, "name", json_str(in, "name"));
	object_set_str(o, "zone_name", object_str(zone, "name"));
	object_set_str(o, "type", json_str(in, "type"));
	object_set(o, "records", records);
	object_set_str(o, "description", json_str(in, "description"));
	object_set(o, "ttl", ttl ? json_deep_copy(ttl) : json_null());
	dns_begin(o);
	return o;
}

/* The name servers have something to learn, but of an empty set: that is ready at once, false. */
static bool begin(struct call *c, struct object *zone, struct object *o, const char *action)
{
	const bool empty = !json_array_size(json_object_get(o->doc, "records"));

	o->stuck = call_hit(c, MISHAP_STUCK);
	dns_zone_touch(zone);
	dns_pending(zone, "UPDATE", false);
	dns_pending(o, action, call_hit(c, MISHAP_ERROR));
	if (!empty || !strcmp(action, "DELETE"))
		return true;
	timer_cancel(&o->timer);
	object_set_str(o, "status", "ACTIVE");
	object_set_str(o, "action", "NONE");
	return false;
}

static void create_in(struct call *c, struct object *zone, const json_t *in)
{
	const char *name = json_str(in, "name"), *type = json_str(in, "type");
	json_t *records = distinct(json_object_get(in, "records"));
	const size_t n = json_array_size(records);

	if (!sets_left(c, zone) || !check_place(c, zone, name, type) ||
		!records_left(c, zone, NULL, n) || !check_double(c, zone, name, type)) {
		json_decref(records);
		return;
	}
	struct object *o = make(c, zone, in, records);
	const bool pending = begin(c, zone, o, "CREATE");
	rule_created(c, o);
	call_header(
		c, "Location", "%s/dns/v2/zones/%s/recordsets/%s", call_url(c), zone->id, o->id);
	call_json(c, pending ? 202 : 201, dns_view(c, o));
}

void dns_recordset_create(struct call *c)
{
	const json_t *in = dns_body(c, "recordset", "name type records description ttl");

	if (!in || !dns_check_host_name(c, json_object_get(in, "name")) ||
		!dns_check_common(c, in) ||
		!dns_check_records(c, json_object_get(in, "type"), json_object_get(in, "records")))
		return;
	const char *name = json_str(in, "name"), *type = json_str(in, "type");
	if (!name) {
		call_fail(c, 400, "invalid_object", "%s", "");
		return;
	}
	if (!check_srv_name(c, type, name))
		return;
	if (!strcmp(type, "SOA")) {
		call_fail(c, 400, "bad_request", "Creating a SOA recordset is not allowed");
		return;
	}
	struct object *zone = dns_zone_find(c, c->params[0]);
	if (zone_stays(c, zone))
		create_in(c, zone, in);
}

/* --- GET, PUT, DELETE --------------------------------------------------------------------------
 */

void dns_recordset_show(struct call *c)
{
	const bool of_zone = c->params[1];
	const struct object *o =
		dns_recordset_find(c, of_zone ? c->params[0] : NULL, c->params[of_zone ? 1 : 0]);

	if (!o)
		return;
	if (of_zone) {
		call_json(c, 200, dns_view(c, o));
		return;
	}
	call_header(c, "Location", "%s/dns/v2/zones/%s/recordsets/%s", call_url(c),
		object_str(o, "zone_id"), o->id);
	call_empty(c, 301);
}

void dns_recordset_update(struct call *c)
{
	struct object *o = dns_recordset_find(c, c->params[0], c->params[1]);

	if (!o)
		return;
	if (o->made_by == MADE_BY_DESIGNATE) {
		call_fail(c, 400, "bad_request", "Managed records may not be updated");
		return;
	}
	const json_t *in = dns_body(c, "recordset", "records description ttl");
	const json_t *given = json_object_get(in, "records");
	struct object *zone = dns_zone_of(o);
	if (!in || !dns_check_common(c, in) ||
		!dns_check_records(c, json_object_get(o->doc, "type"), given) ||
		!zone_stays(c, zone) ||
		(given && !records_left(c, zone, o, json_array_size(given))))
		return;
	rule_changed(c, o, false);
	if (given)
		object_set(o, "records", distinct(given));
	if (json_object_get(in, "ttl"))
		object_set(o, "ttl", json_deep_copy(json_object_get(in, "ttl")));
	if (json_object_get(in, "description"))
		object_set_str(o, "description", json_str(in, "description"));
	const bool pending = begin(c, zone, o, "UPDATE");
	call_json(c, pending ? 202 : 200, dns_view(c, o));
}

void dns_recordset_delete(struct call *c)
{
	struct object *o = dns_recordset_find(c, c->params[0], c->params[1]);
	struct object *zone = o ? dns_zone_of(o) : NULL;

	if (!o)
		return;
	if (o->made_by == MADE_BY_DESIGNATE) {
		call_fail(c, 400, "bad_request", "%s",
			!strcmp(object_str(o, "type"), "SOA")
				? "Deleting a SOA recordset is not allowed"
				: "Managed records may not be deleted");
		return;
	}
	if (!zone_stays(c, zone))
		return;
	rule_changed(c, o, true);
	begin(c, zone, o, "DELETE");
	call_json(c, 202, dns_view(c, o));
}

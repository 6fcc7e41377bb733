/*
 * dns_zone.c - zones: made, changed, deleted. Their names are unique across the whole cloud, and
 * nobody makes a zone above or below somebody else's.
 */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "sim/dns.h"
#include "sim/state.h"

#define POOL_ID     "794ccc2c-d751-44fe-b57f-8894c9f5c842" /* designate's default pool */
#define TTL_DEFAULT 3600

/* --- POST --------------------------------------------------------------------------------------
 */

static bool check_type(struct call *c, const json_t *in)
{
	const json_t *type = json_object_get(in, "type");
	const char *text = json_string_value(type);

	if (!type || (text && (!strcmp(text, "PRIMARY") || !strcmp(text, "SECONDARY"))))
		return true;
	dns_invalid(c, "a ValueError error with message Field value %s is invalid",
		text ? text : "None");
	return false;
}

static bool is_secondary(const json_t *in)
{
	const char *type = json_str(in, "type");

	return type && !strcmp(type, "SECONDARY");
}

static void required(struct call *c, const char *name, bool listed)
{
	char *message = mem_printf("'%s' is a required property", name);

	dns_invalid_at(c, json_pack("[s, s]", "type", name), message, "required",
		listed ? json_pack("[s]", name) : json_string(name));
	free(message);
}

/* What the two types of zones must and must not have. */
static bool check_parts(struct call *c, const json_t *in)
{
	const size_t masters = json_array_size(json_object_get(in, "masters"));

	if (is_secondary(in)) {
		if (masters == 0)
			required(c, "masters", true);
	} else if (masters > 0) {
		dns_invalid_at(c, json_pack("[s]", "type"), "'masters' has more items than allowed",
			"maxItems", json_pack("[s]", "masters"));
	} else if (!json_object_get(in, "email")) {
		required(c, "email", false);
	}
	if (!call_answered(c) && !json_str(in, "name"))
		dns_invalid_at(c, json_pack("[s, i, s]", "records", 0, "name"),
			"'name' is a required property", "required", json_pack("[s]", "name"));
	return !call_answered(c);
}

/* Whether `name` lies below `zone`; letters in any case. */
static bool is_below(const char *name, const char *zone)
{
	const size_t n = strlen(name), z = strlen(zone);

	return n > z && name[n - z - 1] == '.' && !strcasecmp(name + n - z, zone);
}

static bool check_neighbours(struct call *c, const char *name)
{
	OBJECT_EACH (c->sim, KIND_DNS_ZONE, o) {
		const char *other = object_str(o, "name");
		const bool ours = !strcmp(o->project, c->project);
		if (!strcasecmp(other, name))
			call_fail(c, 409, "duplicate_zone", "%s",
				ours ? "Duplicate Zone"
				     : "Zone already exists, owned by a different tenant");
		else if (!ours && is_below(name, other))
			call_fail(c, 403, "illegal_child",
				"Unable to create subzone in another tenants zone");
		else if (!ours && is_below(other, name))
			call_fail(c, 403, "illegal_parent",
				"Unable to create zone because another tenant owns a subzone of the "
				"zone");
		if (call_answered(c))
			return false;
	}
	return true;
}

static bool quota_left(struct call *c)
{
	const int64_t limit = c->sim->quota.zones;
	int64_t used = 0;

	OBJECT_EACH (c->sim, KIND_DNS_ZONE, o)
		used += !strcmp(o->project, c->project);
	if (!call_hit(c, MISHAP_QUOTA) && (limit < 0 || used < limit))
		return true;
	dns_over_quota(c, "zones");
	return false;
}

static bool one_label(const char *name)
{
	return strchr(name, '.') == name + strlen(name) - 1;
}

static struct object *make(struct call *c, const json_t *in)
{
	struct object *o = object_new(c->sim, KIND_DNS_ZONE, NULL, c->project, c->user);
	const bool secondary = is_secondary(in);
	const json_t *masters = json_object_get(in, "masters");
	const json_t *attributes = json_object_get(in, "attributes");

	object_set_str(o, "id", o->id);
	object_set_str(o, "pool_id", POOL_ID);
	object_set_str(o, "project_id", o->project);
	object_set_str(o, "name", json_str(in, "name"));
	object_set_str(o, "email", secondary ? "hostmaster@sim.example" : json_str(in, "email"));
	object_set_str(o, "description", json_str(in, "description"));
	object_set(o, "ttl", json_integer(json_int(in, "ttl", TTL_DEFAULT)));
	object_set(o, "serial", json_integer(1));
	dns_begin(o);
	object_set(o, "attributes", attributes ? json_deep_copy(attributes) : json_object());
	object_set_str(o, "type", secondary ? "SECONDARY" : "PRIMARY");
	object_set(o, "masters", masters ? json_deep_copy(masters) : json_array());
	object_set(o, "transferred_at", json_null());
	return o;
}

/* SOA and NS are the service's own. */
static void make_own(struct object *zone, const char *type, char *record)
{
	struct object *o =
		object_new(zone->sim, KIND_DNS_RECORDSET, NULL, zone->project, zone->user);

	o->made_by = MADE_BY_DESIGNATE;
	object_set_str(o, "id", o->id);
	object_set_str(o, "zone_id", zone->id);
	object_set_str(o, "project_id", o->project);
	object_set_str(o, "name", object_str(zone, "name"));
	object_set_str(o, "zone_name", object_str(zone, "name"));
	object_set_str(o, "type", type);
	object_set(o, "records", json_pack("[s]", record));
	object_set(o, "description", json_null());
	object_set(o, "ttl", json_null());
	dns_begin(o);
	free(record);
}

void dns_zone_create(struct call *c)
{
	const json_t *in =
		dns_body(c, "zone", "name email description ttl attributes type masters");

	if (!in || !dns_check_zone_name(c, json_object_get(in, "name")) ||
		!dns_check_email(c, json_object_get(in, "email")) || !dns_check_common(c, in) ||
		!check_type(c, in) || !check_parts(c, in) || !quota_left(c))
		return;
	const char *name = json_str(in, "name");
	if (one_label(name)) {
		call_fail(c, 400, "invalid_zone_name", "More than one label is required");
		return;
	}
	if (!check_neighbours(c, name))
		return;
	struct object *o = make(c, in);
	o->stuck = call_hit(c, MISHAP_STUCK);
	dns_zone_touch(o);
	/* nobody can be transferred from in here: a secondary zone never comes */
	dns_pending(o, "CREATE", call_hit(c, MISHAP_ERROR) || is_secondary(in));
	make_own(o, "SOA", dns_soa_text(o));
	make_own(o, "NS", mem_strdup(DNS_NAME_SERVER));
	rule_created(c, o);
	call_header(c, "Location", "%s/dns/v2/zones/%s", call_url(c), o->id);
	call_json(c, 202, dns_view(c, o));
}

/* --- GET, PATCH, DELETE ------------------------------------------------------------------------
 */

void dns_zone_show(struct call *c)
{
	const struct object *o = dns_zone_find(c, c->params[0]);

	if (o)
		call_json(c, 200, dns_view(c, o));
}

void dns_zone_update(struct call *c)
{
	static const char *const keys[] = {"email", "description", "ttl", "masters"};
	struct object *o = dns_zone_find(c, c->params[0]);

	if (!o)
		return;
	if (!strcmp(object_str(o, "action"), "DELETE")) {
		call_fail(c, 400, "bad_request", "Can not update a deleting zone");
		return;
	}
	const json_t *in = dns_body(c, "zone", "email description ttl masters");
	if (!in || !dns_check_email(c, json_object_get(in, "email")) || !dns_check_common(c, in))
		return;
	rule_changed(c, o, false);
	for (size_t i = 0; i < array_len(keys); i++) {
		json_t *value = json_object_get(in, keys[i]);
		if (value)
			object_set(o, keys[i], json_deep_copy(value));
	}
	o->stuck = call_hit(c, MISHAP_STUCK);
	dns_zone_touch(o);
	dns_pending(o, "UPDATE", call_hit(c, MISHAP_ERROR));
	call_json(c, 202, dns_view(c, o));
}

static bool has_sub_zone(const struct object *zone)
{
	OBJECT_EACH (zone->sim, KIND_DNS_ZONE, o)
		if (is_below(object_str(o, "name"), object_str(zone, "name")))
			return true;
	return false;
}

void dns_zone_delete(struct call *c)
{
	struct object *o = dns_zone_find(c, c->params[0]);

	if (!o)
		return;
	if (has_sub_zone(o)) {
		call_fail(c, 400, "zone_has_sub_zone",
			"Please delete any subzones before deleting this zone");
		return;
	}
	rule_changed(c, o, true);
	o->stuck = call_hit(c, MISHAP_STUCK);
	dns_pending(o, "DELETE", call_hit(c, MISHAP_ERROR));
	call_json(c, 202, dns_view(c, o));
}

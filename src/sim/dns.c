/*
 * dns.c - designate v2: versions, the routes, errors, and what zones and recordsets do alike.
 * API: https://docs.openstack.org/api-ref/dns/
 */

#include "sim/dns.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/route.h"
#include "sim/state.h"

/* --- errors ------------------------------------------------------------------------------------
 */

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	json_t *e = json_pack("{s:i}", "code", status);

	if (!type && status == 404) {
		type = "not_found";
		message = "resource not found";
	} else if (!type && status == 405) {
		type = "method_not_allowed";
		message = "";
	}
	json_object_set_new(e, "type", json_string(type ? type : "unknown"));
	if (*message)
		json_object_set_new(e, "message", json_string(message));
	json_object_set_new(e, "request_id", json_string(c->request_id));
	return e;
}

void dns_invalid(struct call *c, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail(c, 400, "invalid_object", "Provided object is not valid. Got %s", text);
	free(text);
}

void dns_invalid_list(struct call *c, json_t *errors)
{
	call_json(c, 400,
		json_pack("{s:i, s:s, s:{s:o}, s:s}", "code", 400, "type", "invalid_object",
			"errors", "errors", errors, "request_id", c->request_id));
}

void dns_invalid_at(struct call *c, json_t *path, const char *message, const char *validator,
	json_t *validator_value)
{
	dns_invalid_list(c, json_pack("[{s:o, s:s, s:s, s:o}]", "path", path, "message", message,
				    "validator", validator, "validator_value", validator_value));
}

void dns_over_quota(struct call *c, const char *resource)
{
	call_fail(c, 413, "over_quota", "Quota exceeded for %s.", resource);
}

static void forbidden(struct call *c)
{
	call_fail(c, 403, "forbidden", "%s", "");
}

/* --- requests ----------------------------------------------------------------------------------
 */

json_t *dns_body(struct call *c, const char *what, const char *keys)
{
	json_t *unknown, *value;
	const char *key;

	if (!c->body) {
		call_fail(c, 400, "empty_request_body", "Request Body is empty");
		return NULL;
	}
	if (!json_is_object(c->body)) {
		dns_invalid(c,
			"an AttributeError with message '%s' object has no attribute 'items'",
			json_is_array(c->body) ? "list" : "str");
		return NULL;
	}
	unknown = json_array();
	json_object_foreach (c->body, key, value)
		if (!slice_in_words(slice_of(key), keys))
			json_array_append_new(unknown, json_string(key));
	if (json_array_size(unknown) > 0) {
		char *list = python_repr_text(unknown);
		call_fail(c, 400, "invalid_object",
			"Provided object does not match schema. Keys %s are not valid for %s", list,
			what);
		free(list);
	}
	json_decref(unknown);
	return call_answered(c) ? NULL : c->body;
}

static bool is_uuid(struct call *c, const char *what, const char *id)
{
	json_t *text = json_string(id);
	const bool good = text && python_is_uuid(text);

	json_decref(text);
	if (!good)
		call_fail(c, 400, "invalid_uuid", "Invalid UUID %s: %s", what, id);
	return good;
}

struct object *dns_zone_find(struct call *c, const char *id)
{
	if (!is_uuid(c, "zone_id", id))
		return NULL;
	struct object *o = object_get(c->sim, KIND_DNS_ZONE, id);
	if (o && !strcmp(o->project, c->project))
		return o;
	call_fail(c, 404, "zone_not_found", "Could not find Zone");
	return NULL;
}

struct object *dns_recordset_find(struct call *c, const char *zone, const char *id)
{
	if ((zone && !is_uuid(c, "zone_id", zone)) || !is_uuid(c, "recordset_id", id))
		return NULL;
	struct object *o = object_get(c->sim, KIND_DNS_RECORDSET, id);
	if (o && !strcmp(o->project, c->project) &&
		(!zone || !strcmp(object_str(o, "zone_id"), zone)))
		return o;
	call_fail(c, 404, "recordset_not_found", "Could not find RecordSet");
	return NULL;
}

json_t *dns_view(struct call *c, const struct object *o)
{
	json_t *view = json_object(), *value;
	const char *key;
	char *self = o->kind == KIND_DNS_ZONE
			     ? mem_printf("%s/dns/v2/zones/%s", call_url(c), o->id)
			     : mem_printf("%s/dns/v2/zones/%s/recordsets/%s", call_url(c),
				       object_str(o, "zone_id"), o->id);

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(view, key, value);
	json_object_set_new(view, "links", json_pack("{s:s}", "self", self));
	free(self);
	return view;
}

/* --- versions, limits, what only administrators see --------------------------------------------
 */

static json_t *version_entry(struct call *c, const char *id, const char *status)
{
	char *self = mem_printf("%s/dns/v2", call_url(c));
	json_t *v = json_pack("{s:s, s:[{s:s, s:s}, {s:s, s:s}], s:s, s:s}", "id", id, "links",
		"href", self, "rel", "self", "href", "https://docs.openstack.org/api-ref/dns",
		"rel", "help", "status", status, "updated", "2022-06-29T00:00:00Z");

	free(self);
	return v;
}

static void list_versions(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:[o, o]}", "versions", version_entry(c, "v2", "SUPPORTED"),
			version_entry(c, "v2.0", "CURRENT")));
}

static void limits(struct call *c)
{
	const struct quota *q = &c->sim->quota;

	call_json(c, 200,
		json_pack("{s:I, s:I, s:I, s:I, s:n, s:i, s:i, s:i}", "max_zones",
			(json_int_t)q->zones, "max_zone_recordsets", (json_int_t)q->zone_recordsets,
			"max_zone_records", (json_int_t)q->zone_records, "max_recordset_records",
			(json_int_t)q->recordset_records, "min_ttl", "max_zone_name_length",
			DNS_NAME_MAX, "max_recordset_name_length", DNS_NAME_MAX, "max_page_limit",
			1000));
}

static void quotas(struct call *c)
{
	const struct quota *q = &c->sim->quota;

	if (c->params[0] && strcmp(c->params[0], c->project)) {
		forbidden(c);
		return;
	}
	call_json(c, 200,
		json_pack("{s:I, s:I, s:I, s:I, s:i}", "zones", (json_int_t)q->zones,
			"zone_recordsets", (json_int_t)q->zone_recordsets, "zone_records",
			(json_int_t)q->zone_records, "recordset_records",
			(json_int_t)q->recordset_records, "api_export_size", 1000));
}

static void name_servers(struct call *c)
{
	if (dns_zone_find(c, c->params[0]))
		call_json(c, 200,
			json_pack("{s:[{s:i, s:s}]}", "nameservers", "priority", 1, "hostname",
				DNS_NAME_SERVER));
}

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v2/limits", limits},
	{"GET", "/v2/quotas", quotas},
	{"GET", "/v2/quotas/{}", quotas},
	{"PATCH", "/v2/quotas/{}", forbidden},
	{"DELETE", "/v2/quotas/{}", forbidden},
	{"GET", "/v2/pools", forbidden},
	{"GET", "/v2/pools/{}", forbidden},
	{"GET", "/v2/tlds", forbidden},
	{"GET", "/v2/blacklists", forbidden},
	{"GET", "/v2/service_statuses", forbidden},
	{"GET", "/v2/zones", dns_zone_list},
	{"POST", "/v2/zones", dns_zone_create, ROUTE_CREATE | ROUTE_ANY_JSON, TIME_WRITE},
	{"GET", "/v2/zones/{}", dns_zone_show},
	{"PATCH", "/v2/zones/{}", dns_zone_update, ROUTE_ANY_JSON, TIME_WRITE},
	{"DELETE", "/v2/zones/{}", dns_zone_delete, 0, TIME_WRITE},
	{"GET", "/v2/zones/{}/nameservers", name_servers},
	{"GET", "/v2/zones/{}/recordsets", dns_recordset_list},
	{"POST", "/v2/zones/{}/recordsets", dns_recordset_create, ROUTE_CREATE | ROUTE_ANY_JSON,
		TIME_WRITE},
	{"GET", "/v2/zones/{}/recordsets/{}", dns_recordset_show},
	{"PUT", "/v2/zones/{}/recordsets/{}", dns_recordset_update, ROUTE_ANY_JSON, TIME_WRITE},
	{"DELETE", "/v2/zones/{}/recordsets/{}", dns_recordset_delete, 0, TIME_WRITE},
	{"GET", "/v2/recordsets", dns_all_recordsets_list},
	{"GET", "/v2/recordsets/{}", dns_recordset_show},
};

const struct service dns_service = {
	.name = "dns",
	.prefix = "/dns",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.bad_body_type = "invalid_json",
	.bad_body_text =
		"Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
};

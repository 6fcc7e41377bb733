/*
 * volume.c - cinder v3: versions, the routes, and what volumes, snapshots and backups do alike.
 * API: https://docs.openstack.org/api-ref/block-storage/v3/
 */

#include "sim/volume.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/route.h"
#include "sim/state.h"

#define NEWEST 70
#define ANY    "/v3/{}/{}" /* the rows of all collections */

static const struct volume_resource *const resources[] = {
	&volume_resource, &snapshot_resource, &backup_resource};

/* --- errors ------------------------------------------------------------------------------------
 */

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	static const struct {
		int status;
		const char *name;
	} names[] = {{400, "badRequest"}, {401, "unauthorized"}, {403, "forbidden"},
		{404, "itemNotFound"}, {405, "badMethod"}, {409, "conflictingRequest"},
		{413, "overLimit"}, {415, "badMediaType"}, {501, "notImplemented"},
		{503, "serviceUnavailable"}};
	const char *name = "computeFault";

	for (size_t i = 0; i < array_len(names); i++)
		if (names[i].status == status)
			name = names[i].name;
	json_t *inner = json_pack("{s:i, s:s}", "code", status, "message", message);
	if (status == 413)
		json_object_set_new(inner, "retryAfter", json_string("0"));
	return json_pack("{s:o}", name, inner);
}

void volume_forbid(struct call *c, const char *policy)
{
	call_fail(c, 403, NULL, "Policy doesn't allow %s to be performed.", policy);
}

/* --- versions ----------------------------------------------------------------------------------
 */

static json_t *version_list(struct call *c)
{
	char *url = mem_printf("%s/volume/v3/", call_url(c));
	char newest[16];

	snprintf(newest, sizeof(newest), "3.%d", NEWEST);
	json_t *list = json_pack(
		"{s:[{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:s}, {s:s, s:s}], s:[{s:s, s:s}]}]}",
		"versions", "id", "v3.0", "status", "CURRENT", "version", newest, "min_version",
		"3.0", "updated", "2022-08-31T00:00:00Z", "links", "rel", "describedby", "type",
		"text/html", "href", "https://docs.openstack.org/", "rel", "self", "href", url,
		"media-types", "base", "application/json", "type",
		"application/vnd.openstack.volume+json;version=3");
	free(url);
	return list;
}

static void list_versions(struct call *c)
{
	call_json(c, 300, version_list(c));
}

static void show_version(struct call *c)
{
	call_json(c, 200, version_list(c));
}

/* The part for us of "volume 3.50, compute 2.1"; an empty slice when there is none. */
static struct slice wanted_version(const struct call *c)
{
	struct slice rest = slice_of(c->wanted_version), part;

	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		if (slice_starts(part, "volume "))
			return slice_trim(slice_sub(part, strlen("volume "), part.n));
	}
	return slice_of(NULL);
}

static bool read_version(struct call *c)
{
	struct slice wanted = wanted_version(c);
	char text[32], rest;
	int major = 3, minor = 0;

	snprintf(text, sizeof(text), "%.*s", SLICE_ARG(wanted));
	if (slice_is(wanted, "latest")) {
		minor = NEWEST;
	} else if (wanted.n && sscanf(text, "%2d.%4d%c", &major, &minor, &rest) != 2) {
		call_fail(c, 400, NULL,
			"API Version String %s is of invalid format. Must be of format "
			"MajorNum.MinorNum.",
			text);
		return false;
	}
	if (major != 3 || minor > NEWEST) {
		call_fail(c, 406, NULL,
			"Version %s is not supported by the API. Minimum is 3.0 and maximum is "
			"3.%d.",
			text, NEWEST);
		return false;
	}
	c->version = minor;
	return true;
}

/* Whether the project in the path is the token's. */
static bool own_path(struct call *c)
{
	if (!c->route || c->route->flags & ROUTE_OPEN || !c->params[0] ||
		!strcmp(c->params[0], c->project))
		return true;
	call_fail(c, 400, NULL, "Malformed request url");
	return false;
}

/* The collection in a path of ANY; version() lets only those through that have one. */
static const struct volume_resource *resource(const struct call *c)
{
	for (size_t i = 0; i < array_len(resources); i++)
		if (!strcmp(resources[i]->collection, c->params[1]))
			return resources[i];
	return NULL;
}

/* What cinder's router does not know never reaches the part that knows versions: webob answers. */
static bool unknown_path(struct call *c)
{
	const bool any = c->route && !strncmp(c->route->path, ANY, strlen(ANY));

	if (c->route && (!any || resource(c)))
		return false;
	call_fail_webob(c, 404, "The resource could not be found.", "");
	return true;
}

static bool version(struct call *c)
{
	if (unknown_path(c))
		return false;
	if (c->inside)
		c->version = NEWEST;
	else if (!read_version(c))
		return false;
	call_header(c, "OpenStack-API-Version", "volume 3.%d", c->version);
	call_header(c, "Vary", "OpenStack-API-Version");
	call_header(c, "x-compute-request-id", "%s", c->request_id);
	return own_path(c);
}

/* --- objects -----------------------------------------------------------------------------------
 */

struct object *volume_find(struct call *c, const struct volume_resource *r, const char *id)
{
	struct object *o = object_get(c->sim, r->kind, id);

	if (o && !strcmp(o->project, c->project))
		return o;
	call_fail(c, 404, NULL, "%s %s could not be found.", r->title, id);
	return NULL;
}

const char *volume_status(const struct object *o)
{
	return object_str(o, "status");
}

void volume_set_status(struct object *o, const char *status)
{
	char now[32];

	object_set_str(o, "status", status);
	object_set_str(o, "updated_at", object_now_micro(o->sim, now));
}

void volume_common(struct object *o, const char *name, const char *description, json_t *metadata)
{
	char now[32];

	o->visible_ns = loop_now_ns(o->sim->loop) + draw_time_ns(&o->sim->draw, TIME_LIST_LAG);
	object_set_str(o, "id", o->id);
	object_set_str(o, "status", "creating");
	object_set_str(o, "created_at", object_now_micro(o->sim, now));
	object_set(o, "updated_at", json_null());
	object_set_str(o, "name", name);
	object_set_str(o, "description", description);
	object_set(
		o, "metadata", json_is_object(metadata) ? json_deep_copy(metadata) : json_object());
	object_set_str(o, "user_id", o->user);
	object_set(o, "consumes_quota", json_true());
}

static json_t *links(struct call *c, const struct volume_resource *r, const struct object *o)
{
	char *self =
		mem_printf("%s/volume/v3/%s/%s/%s", call_url(c), o->project, r->collection, o->id);
	char *bookmark =
		mem_printf("%s/volume/%s/%s/%s", call_url(c), o->project, r->collection, o->id);
	json_t *list = json_pack("[{s:s, s:s}, {s:s, s:s}]", "rel", "self", "href", self, "rel",
		"bookmark", "href", bookmark);

	free(bookmark);
	free(self);
	return list;
}

json_t *volume_view(struct call *c, const struct volume_resource *r, const struct object *o,
	enum volume_extent extent)
{
	json_t *view = json_object();

	for (size_t i = 0; i < r->n; i++) {
		const struct volume_key *k = &r->keys[i];
		json_t *value = json_object_get(o->doc, k->name);

		if (k->since > c->version || (extent == EXTENT_BRIEF && !(k->flags & KEY_BRIEF)) ||
			(extent == EXTENT_ANSWER && k->flags & KEY_WHOLE))
			continue;
		if (!strcmp(k->name, "links"))
			json_object_set_new(view, k->name, links(c, r, o));
		else if (value)
			json_object_set(view, k->name, value);
	}
	return view;
}

/* --- requests ----------------------------------------------------------------------------------
 */

static void list_brief(struct call *c)
{
	volume_list(c, resource(c), false);
}

static void list_detail(struct call *c)
{
	volume_list(c, resource(c), true);
}

static void create(struct call *c)
{
	resource(c)->create(c);
}

static void show(struct call *c)
{
	const struct volume_resource *r = resource(c);
	const struct object *o = volume_find(c, r, c->params[2]);

	if (o)
		call_json(c, 200, json_pack("{s:o}", r->name, volume_view(c, r, o, EXTENT_WHOLE)));
}

/* A PUT with nothing in it is refused by the schema where it says anyOf. */
static bool changes_something(struct call *c, const struct volume_resource *r, const json_t *in)
{
	if (json_object_size(in) > 0 || !r->change_needs_one)
		return true;
	call_fail(c, 400, NULL,
		"Invalid input for field/attribute %s. Value: {}. {} is not valid under any of the "
		"given schemas",
		r->name);
	return false;
}

static void update(struct call *c)
{
	const struct volume_resource *r = resource(c);
	const json_t *in = volume_body(c, r->name, r->changes, r->change_n, 0);
	struct object *o;
	char now[32];

	if (!in || !changes_something(c, r, in) || !(o = volume_find(c, r, c->params[2])))
		return;
	rule_changed(c, o, false);
	for (size_t i = 0; i < r->change_n; i++) {
		const char *name = r->changes[i].name;
		json_t *value = json_object_get(in, name);

		/* the names of v1, which all three still take */
		if (!strncmp(name, "display_", 8))
			name += 8;
		if (value)
			object_set(o, name, json_deep_copy(value));
	}
	object_set_str(o, "updated_at", object_now_micro(c->sim, now));
	call_json(c, 200,
		json_pack("{s:o}", r->name,
			volume_view(
				c, r, o, r->kind == KIND_BACKUP ? EXTENT_BRIEF : EXTENT_ANSWER)));
}

static void delete (struct call *c)
{
	const struct volume_resource *r = resource(c);
	struct object *o = volume_find(c, r, c->params[2]);

	if (o)
		r->remove(c, o);
}

static void services(struct call *c)
{
	volume_forbid(c, "volume_extension:services:index");
}

static void pools(struct call *c)
{
	volume_forbid(c, "scheduler_extension:scheduler_stats:get_pools");
}

static void create_type(struct call *c)
{
	volume_forbid(c, "volume_extension:type_create");
}

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/v3", show_version, ROUTE_UNSCOPED},
	{"GET", "/v3/{}/types", volume_types},
	{"POST", "/v3/{}/types", create_type},
	{"GET", "/v3/{}/types/{}", volume_type_show},
	{"GET", "/v3/{}/types/{}/extra_specs", volume_type_specs},
	{"GET", "/v3/{}/os-availability-zone", volume_zones},
	{"GET", "/v3/{}/limits", volume_limits},
	{"GET", "/v3/{}/os-quota-sets/{}", volume_quota_show},
	{"GET", "/v3/{}/os-quota-sets/{}/defaults", volume_quota_show},
	{"GET", "/v3/{}/os-services", services},
	{"GET", "/v3/{}/scheduler-stats/get_pools", pools},
	{"GET", "/v3/{}/extensions", volume_extensions},
	{.method = "GET", .path = "/v3/{}/resource_filters", .run = volume_filters, .since = 33},
	{.method = "GET", .path = "/v3/{}/volumes/summary", .run = volume_summary, .since = 12},
	{"POST", "/v3/{}/volumes/{}/action", volume_action, 0, TIME_WRITE},
	{"POST", "/v3/{}/backups/{}/restore", backup_restore, ROUTE_CREATE, TIME_VOLUME_CREATE},
	{"GET", ANY, list_brief},
	{"GET", ANY "/detail", list_detail},
	{"POST", ANY, create, ROUTE_CREATE, TIME_WRITE},
	{"GET", ANY "/{}", show},
	{"PUT", ANY "/{}", update, 0, TIME_WRITE},
	{"DELETE", ANY "/{}", delete, 0, TIME_WRITE},
	{"GET", ANY "/{}/metadata", volume_meta_list},
	{"POST", ANY "/{}/metadata", volume_meta_merge, 0, TIME_WRITE},
	{"PUT", ANY "/{}/metadata", volume_meta_replace, 0, TIME_WRITE},
	{"GET", ANY "/{}/metadata/{}", volume_meta_show},
	{"PUT", ANY "/{}/metadata/{}", volume_meta_set, 0, TIME_WRITE},
	{"DELETE", ANY "/{}/metadata/{}", volume_meta_remove, 0, TIME_WRITE},
};

const struct service volume_service = {
	.name = "volume",
	.prefix = "/volume",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.version = version,
};

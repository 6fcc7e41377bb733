/*
 * image.c - glance v2: versions, the routes, images without their data.
 * API: https://docs.openstack.org/api-ref/image/v2/
 */

#include "sim/image.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/record.h"
#include "sim/route.h"
#include "sim/state.h"

#define SEED_OWNER "5e41ce00000000000000000000000000"
#define RESERVED   "os_glance_" /* names that glance keeps for itself */
#define KEY_MAX    255

static json_t *error_body(struct call *c, int status, const char *type, const char *message)
{
	return json_string(message); /* never sent: errors of glance are pages */
}

void image_fail_detail(struct call *c, int status, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *detail = mem_vprintf(fmt, ap);
	va_end(ap);
	call_fail_webob(c, status,
		status == 403   ? "Access was denied to this resource."
		: status == 409 ? "There was a conflict when trying to complete your request."
				: "The Range requested is not available.",
		detail);
	free(detail);
}

/* --- versions ----------------------------------------------------------------------------------
 */

static json_t *version_list(struct call *c)
{
	static const int minors[] = {15, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
	char *url = mem_printf("%s/image/v2/", call_url(c)), id[16];
	json_t *list = json_array();

	for (size_t i = 0; i < array_len(minors); i++) {
		snprintf(id, sizeof(id), "v2.%d", minors[i]);
		json_array_append_new(list, json_pack("{s:s, s:s, s:[{s:s, s:s}]}", "id", id,
						    "status", i == 0 ? "CURRENT" : "SUPPORTED",
						    "links", "rel", "self", "href", url));
	}
	free(url);
	return json_pack("{s:o}", "versions", list);
}

static void list_versions(struct call *c)
{
	call_json(c, 300, version_list(c));
}

static void show_versions(struct call *c)
{
	call_json(c, 200, version_list(c));
}

/* --- objects -----------------------------------------------------------------------------------
 */

json_t *image_view(const struct object *o)
{
	json_t *view = json_object(), *value;
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(view, key, value);
	return view;
}

void image_touch(struct object *o)
{
	char now[32];

	object_set_str(o, "updated_at", object_now(o->sim, now));
}

struct object *image_visible(struct sim *s, const char *project, const char *id)
{
	struct object *o = object_get(s, KIND_IMAGE, id);
	const char *visibility = o ? object_str(o, "visibility") : "";

	return o && (!strcmp(o->project, project) || !strcmp(visibility, "public") ||
			    !strcmp(visibility, "community"))
		       ? o
		       : NULL;
}

struct object *image_find(struct call *c, const char *id)
{
	struct object *o = image_visible(c->sim, c->project, id);

	if (!o)
		call_fail(c, 404, NULL, "No image found with ID %s", id);
	return o;
}

struct object *image_owned(struct call *c, const char *id, const char *action)
{
	struct object *o = image_find(c, id);

	if (!o || !strcmp(o->project, c->project))
		return o;
	call_fail(c, 403, NULL, "You are not authorized to complete %s action.", action);
	return NULL;
}

static struct object *image_new(
	struct sim *s, const char *id, const char *project, const char *user, enum made_by by)
{
	struct object *o = object_new(s, KIND_IMAGE, id, project, user);
	size_t n;
	const struct image_attr *attrs = image_attrs(&n);
	char text[128];

	o->made_by = by;
	o->visible_ns = loop_now_ns(s->loop) + draw_time_ns(&s->draw, TIME_LIST_LAG);
	for (size_t i = 0; i < n; i++)
		if (attrs[i].otherwise)
			object_set(o, attrs[i].name,
				json_loads(attrs[i].otherwise, JSON_DECODE_ANY, NULL));
	object_set_str(o, "owner", o->project);
	object_set_str(o, "id", o->id);
	object_set_str(o, "created_at", object_now(s, text));
	image_touch(o);
	snprintf(text, sizeof(text), "/v2/images/%s", o->id);
	object_set_str(o, "self", text);
	snprintf(text, sizeof(text), "/v2/images/%s/file", o->id);
	object_set_str(o, "file", text);
	object_set_str(o, "schema", "/v2/schemas/image");
	return o;
}

/* --- POST, GET, DELETE -------------------------------------------------------------------------
 */

static bool name_good(struct call *c, const char *key)
{
	static const char *const reserved[] = {"location", "deleted", "deleted_at"};
	bool taken = !strncmp(key, RESERVED, strlen(RESERVED)) || *key == '.';

	for (size_t i = 0; i < array_len(reserved); i++)
		taken = taken || !strcmp(key, reserved[i]);
	if (taken)
		image_fail_detail(c, 403, "Attribute '%s' is reserved.", key);
	else if (strlen(key) > KEY_MAX)
		call_fail(
			c, 400, NULL, "Custom property should not be greater than 255 characters.");
	return !call_answered(c);
}

static bool body_good(struct call *c)
{
	const char *key, *owner = json_str(c->body, "owner"), *id = json_str(c->body, "id");
	json_t *value;

	if (!c->body) {
		call_fail(c, 400, NULL, "Malformed JSON in request body.");
		return false;
	}
	json_object_foreach (c->body, key, value)
		if (!name_good(c, key) || !image_check(c, key, value))
			return false;
	if (owner && strcmp(owner, c->project))
		call_fail(c, 403, NULL, "You are not permitted to create images owned by '%s'.",
			owner);
	else if (id && object_get(c->sim, KIND_IMAGE, id))
		call_fail(c, 409, NULL, "Image ID %s already exists!", id);
	else if (call_hit(c, MISHAP_QUOTA))
		call_fail(c, 413, NULL,
			"Resource image_count_total is over limit of 100 due to current usage 100 "
			"and delta 1");
	return !call_answered(c);
}

static void create_image(struct call *c)
{
	const char *key;
	json_t *value;

	if (!body_good(c))
		return;
	struct object *o =
		image_new(c->sim, json_str(c->body, "id"), c->project, c->user, MADE_BY_API);
	json_object_foreach (c->body, key, value)
		object_set(
			o, key, !strcmp(key, "tags") ? image_tags(value) : json_deep_copy(value));
	o->stuck = call_hit(c, MISHAP_STUCK);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".error", json_true());
	rule_created(c, o);
	call_header(c, "Location", "%s/image/v2/images/%s", call_url(c), o->id);
	call_json(c, 201, image_view(o));
}

static void show_image(struct call *c)
{
	const struct object *o = image_find(c, c->params[0]);

	if (o)
		call_json(c, 200, image_view(o));
}

static void delete_image(struct call *c)
{
	if (!image_visible(c->sim, c->project, c->params[0])) {
		call_fail(c, 404, NULL, "Failed to find image %s to delete", c->params[0]);
		return;
	}
	struct object *o = image_owned(c, c->params[0], "delete_image");
	if (!o)
		return;
	if (json_flag(o->doc, "protected")) {
		call_fail(c, 403, NULL, "Image %s is protected and cannot be deleted.", o->id);
		return;
	}
	rule_changed(c, o, true);
	object_remove(o);
	call_empty(c, 204);
}

/* --- tags --------------------------------------------------------------------------------------
 */

static struct object *tagged(struct call *c)
{
	if (image_visible(c->sim, c->project, c->params[0]))
		return image_owned(c, c->params[0], "modify_image");
	call_fail(c, 404, NULL, "Image %s not found.", c->params[0]);
	return NULL;
}

static size_t tag_place(const json_t *tags, const char *tag)
{
	size_t i;
	json_t *item;

	json_array_foreach (tags, i, item)
		if (!strcmp(json_string_value(item), tag))
			return i;
	return json_array_size(tags);
}

static void add_tag(struct call *c)
{
	struct object *o = tagged(c);

	if (!o)
		return;
	json_t *tags = json_deep_copy(json_object_get(o->doc, "tags"));
	json_array_append_new(tags, json_string(c->params[1]));
	if (image_check(c, "tags", tags)) {
		rule_changed(c, o, false);
		object_set(o, "tags", image_tags(tags));
		image_touch(o);
		call_empty(c, 204);
	}
	json_decref(tags);
}

static void remove_tag(struct call *c)
{
	struct object *o = tagged(c);
	json_t *tags = o ? json_object_get(o->doc, "tags") : NULL;
	const size_t at = tag_place(tags, c->params[1]);

	if (!o)
		return;
	if (at == json_array_size(tags)) {
		call_fail(c, 404, NULL, "The resource could not be found.");
		return;
	}
	rule_changed(c, o, false);
	json_array_remove(tags, at);
	image_touch(o);
	call_empty(c, 204);
}

/* --- what else clients ask ---------------------------------------------------------------------
 */

static void import_methods(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:{s:s, s:s, s:[]}}", "import-methods", "description",
			"Import methods available.", "type", "array", "value"));
}

static void stores(struct call *c)
{
	call_json(c, 200, json_pack("{s:[{s:s, s:s}]}", "stores", "id", "disk", "default", "true"));
}

static void list_members(struct call *c)
{
	if (image_find(c, c->params[0]))
		call_json(c, 200,
			json_pack("{s:[], s:s}", "members", "schema", "/v2/schemas/members"));
}

/* --- seeds and nova ----------------------------------------------------------------------------
 */

/* The head of a qcow2 image (version 2) of that many bytes inside; the rest is nothing. */
static void qcow2_head(unsigned char *p, uint32_t virtual_size)
{
	static const unsigned char magic[] = {'Q', 'F', 'I', 0xfb, 0, 0, 0, 2};

	memcpy(p, magic, sizeof(magic));
	p[23] = 16; /* cluster bits */
	for (int i = 0; i < 4; i++)
		p[28 + i] = (unsigned char)(virtual_size >> (24 - 8 * i));
}

static void fill_guest(struct object *o)
{
	unsigned char data[8192] = {0};

	qcow2_head(data, 29u << 20);
	object_set_str(o, "disk_format", "qcow2");
	object_set_str(o, "container_format", "bare");
	image_fill(o, data, sizeof(data));
}

void image_seed(struct sim *s)
{
	static const struct {
		const char *name, *value;
	} properties[] = {
		{"os_distro", "debian"},
		{"os_version", "12"},
		{"architecture", "x86_64"},
		{"image_original_user", "debian"},
		{"hw_disk_bus", "virtio"},
		{"hw_vif_model", "virtio"},
		{"hw_rng_model", "virtio"},
	};
	struct object *o = image_new(s, NULL, SEED_OWNER, NULL, MADE_BY_SEED);

	o->visible_ns = 0;
	object_set_str(o, "name", "lab-guest");
	object_set_str(o, "visibility", "public");
	object_set(o, "min_ram", json_integer(192));
	object_set(o, "min_disk", json_integer(1));
	for (size_t i = 0; i < array_len(properties); i++)
		object_set_str(o, properties[i].name, properties[i].value);
	fill_guest(o);
}

static void on_saved(struct timer *t)
{
	struct object *o = t->arg;

	if (!o->stuck)
		fill_guest(o);
}

static void on_saving(struct timer *t)
{
	struct object *o = t->arg;

	object_set_str(o, "status", "saving");
	image_touch(o);
	object_after(o, draw_time_ns(&o->sim->draw, TIME_SERVER_SNAPSHOT), on_saved);
}

struct object *image_of_server(
	struct sim *s, const char *project, const char *user, const char *name, json_t *properties)
{
	struct object *o = image_new(s, NULL, project, user, MADE_BY_NOVA);
	const char *key;
	json_t *value;

	object_set_str(o, "name", name);
	object_set_str(o, "visibility", "private");
	json_object_foreach (properties, key, value)
		object_set(o, key, json_incref(value));
	json_decref(properties);
	object_after(o, draw_time_ns(&s->draw, TIME_WRITE), on_saving);
	return o;
}

static const struct route routes[] = {
	{"GET", "", list_versions, ROUTE_OPEN},
	{"GET", "/versions", show_versions, ROUTE_OPEN},
	{"GET", "/v2/images", image_list},
	{"POST", "/v2/images", create_image, ROUTE_CREATE, TIME_WRITE},
	{"GET", "/v2/images/{}", show_image},
	{"PATCH", "/v2/images/{}", image_patch, ROUTE_ANY_JSON, TIME_WRITE},
	{"DELETE", "/v2/images/{}", delete_image, 0, TIME_WRITE},
	{"PUT", "/v2/images/{}/file", image_put_data, ROUTE_UPLOAD, TIME_IMAGE_SAVE},
	{"GET", "/v2/images/{}/file", image_get_data},
	{"GET", "/v2/images/{}/members", list_members},
	{"PUT", "/v2/images/{}/tags/{}", add_tag, 0, TIME_WRITE},
	{"DELETE", "/v2/images/{}/tags/{}", remove_tag, 0, TIME_WRITE},
	{"GET", "/v2/schemas/image", image_schema},
	{"GET", "/v2/schemas/images", image_schema_list},
	{"GET", "/v2/info/import", import_methods},
	{"GET", "/v2/info/stores", stores},
};

const struct service image_service = {
	.name = "image",
	.prefix = "/image",
	.routes = routes,
	.n = array_len(routes),
	.error = error_body,
	.upload = image_upload,
	.webob_errors = true,
	.bad_body_text = "Malformed JSON in request body.",
};

/*
 * image_patch.c - PATCH /v2/images/{id} with application/openstack-images-v2.1-json-patch: add,
 * replace and remove of members, all or none.
 */

#include <string.h>

#include "base/json.h"
#include "sim/image.h"
#include "sim/record.h"
#include "sim/state.h"

#define PATCH "application/openstack-images-v2.1-json-patch"

static bool type_good(struct call *c)
{
	struct slice type = slice_of(c->content_type);

	type = slice_trim(slice_sub(type, 0, slice_find(type, ';')));
	if (slice_is(type, PATCH))
		return true;
	call_header(c, "Accept-Patch", "application/openstack-images-v2.0-json-patch, " PATCH);
	char *why = mem_printf(
		"The request media type %.*s is not supported by this server.", SLICE_ARG(type));
	call_fail_webob(c, 415, why, "");
	free(why);
	return false;
}

/* The member that a JSON pointer of one part names, decoded (RFC 6901 section 4). Returns owned, or
 * NULL after an answer. */
static char *member(struct call *c, const char *pointer)
{
	if (*pointer != '/') {
		call_fail(c, 400, NULL, "Pointer `%s` does not start with \"/\".", pointer);
		return NULL;
	}
	if (!pointer[1] || strchr(pointer + 1, '/')) {
		call_fail(c, 400, NULL, "Invalid JSON pointer for this resource: '%s'", pointer);
		return NULL;
	}
	struct buf name = BUF(BUF_LINE);
	for (const char *p = pointer + 1; *p; p++) {
		if (*p != '~') {
			buf_add_char(&name, *p);
		} else if (p[1] == '0' || p[1] == '1') {
			buf_add_char(&name, *++p == '0' ? '~' : '/');
		} else {
			call_fail(c, 400, NULL,
				"Pointer `%s` contains \"~\" not part of a recognized escape "
				"sequence.",
				pointer);
			buf_fini(&name);
			return NULL;
		}
	}
	return buf_take(&name);
}

static bool operation_good(struct call *c, const char *op)
{
	static const char known[] = "add, remove, replace";

	if (!op)
		call_fail(c, 400, NULL,
			"Unable to find `op` in JSON Schema change. It must be one of the "
			"following: %s.",
			known);
	else if (strcmp(op, "add") && strcmp(op, "remove") && strcmp(op, "replace"))
		call_fail(c, 400, NULL,
			"Invalid operation: `%s`. It must be one of the following: %s.", op, known);
	return !call_answered(c);
}

static bool remove_member(struct call *c, json_t *doc, const char *name)
{
	if (image_attr(name))
		image_fail_detail(c, 403, "Property %s may not be removed.", name);
	else if (!json_object_get(doc, name))
		image_fail_detail(c, 409, "Property %s does not exist.", name);
	else
		json_object_del(doc, name);
	return !call_answered(c);
}

static bool set_member(
	struct call *c, json_t *doc, const char *op, const char *name, const json_t *value)
{
	if (!value) {
		call_fail(c, 400, NULL, "Operation \"%s\" requires a member named \"value\".", op);
		return false;
	}
	if (!image_check(c, name, value))
		return false;
	if (!strcmp(name, "owner")) {
		image_fail_detail(c, 403, "Owner can't be updated by non admin.");
		return false;
	}
	if (!strcmp(op, "replace") && !json_object_get(doc, name)) {
		image_fail_detail(c, 409, "Property %s does not exist.", name);
		return false;
	}
	json_object_set_new(
		doc, name, !strcmp(name, "tags") ? image_tags(value) : json_deep_copy(value));
	return true;
}

static bool change(struct call *c, json_t *doc, const json_t *one)
{
	const char *op = json_str(one, "op"), *path = json_str(one, "path");

	if (!json_is_object(one)) {
		call_fail(c, 400, NULL, "Operations must be JSON objects.");
		return false;
	}
	if (!operation_good(c, op))
		return false;
	if (!path) {
		call_fail(c, 400, NULL, "Unable to find 'path' in JSON Schema change");
		return false;
	}
	char *name = member(c, path);
	if (!name)
		return false;
	const struct image_attr *a = image_attr(name);
	if ((a && a->flags & IMAGE_READONLY) || !strcmp(name, "id"))
		call_fail(c, 403, NULL, "Attribute '%s' is read-only.", name);
	else if (*name == '.' || !strncmp(name, "os_glance_", 10))
		call_fail(c, 403, NULL, "Attribute '%s' is reserved.", name);
	else if (!strcmp(op, "remove"))
		remove_member(c, doc, name);
	else
		set_member(c, doc, op, name, json_object_get(one, "value"));
	free(name);
	return !call_answered(c);
}

void image_patch(struct call *c)
{
	struct object *o;
	size_t i;
	json_t *one;

	if (!type_good(c))
		return;
	if (!json_is_array(c->body)) {
		call_fail(c, 400, NULL, "Request body must be a JSON array of operation objects.");
		return;
	}
	if (!(o = image_owned(c, c->params[0], "modify_image")))
		return;
	json_t *doc = json_deep_copy(o->doc);
	json_array_foreach (c->body, i, one)
		if (!change(c, doc, one))
			break;
	if (call_answered(c)) {
		json_decref(doc);
		return;
	}
	rule_changed(c, o, false);
	json_decref(o->doc);
	o->doc = doc;
	image_touch(o);
	call_json(c, 200, image_view(o));
}

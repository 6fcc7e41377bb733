/*
 * compute_meta.c - metadata and tags of servers.
 */

#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/state.h"

#define USABLE       "active paused suspended stopped"
#define METADATA_MAX 128
#define TAGS_MAX     50

/* --- metadata -------------------------------------------------------------------------------- */

static json_t *metadata(const struct object *o)
{
	return json_object_get(o->doc, "metadata");
}

void metadata_list(struct call *c)
{
	const struct object *o = server_find(c);

	if (o)
		call_json(c, 200, json_pack("{s:O}", "metadata", metadata(o)));
}

/* Replaces the document's metadata. Takes `merged`; false after a 403. */
static bool store(struct call *c, struct object *o, json_t *merged)
{
	if (json_object_size(merged) > METADATA_MAX) {
		call_fail(
			c, 403, NULL, "Maximum number of metadata items exceeds %d", METADATA_MAX);
		json_decref(merged);
		return false;
	}
	rule_changed(c, o, false);
	object_set(o, "metadata", merged);
	server_touch(o);
	return true;
}

static void change_all(struct call *c, bool replace)
{
	struct object *o = server_find(c);
	json_t *in = o ? body_metadata(c) : NULL;

	if (!in || !server_may(c, o, "update metadata", USABLE, false, true))
		return;
	json_t *merged = replace ? json_object() : json_deep_copy(metadata(o));
	json_object_update(merged, in);
	if (store(c, o, merged))
		metadata_list(c);
}

void metadata_add(struct call *c)
{
	change_all(c, false);
}

void metadata_replace(struct call *c)
{
	change_all(c, true);
}

/* The value of params[1]; NULL after a 404. */
static json_t *item(struct call *c, const struct object *o)
{
	json_t *v = json_object_get(metadata(o), c->params[1]);

	if (!v)
		call_fail(c, 404, NULL, "Metadata item was not found");
	return v;
}

void metadata_show(struct call *c)
{
	const struct object *o = server_find(c);
	json_t *v = o ? item(c, o) : NULL;

	if (v)
		call_json(c, 200, json_pack("{s:{s:O}}", "meta", c->params[1], v));
}

void metadata_set(struct call *c)
{
	struct object *o = server_find(c);
	json_t *in = o ? body_meta(c) : NULL;

	if (!in)
		return;
	if (!json_object_get(in, c->params[1])) {
		call_fail(c, 400, NULL, "Request body and URI mismatch");
		return;
	}
	if (!server_may(c, o, "update metadata", USABLE, false, true))
		return;
	json_t *merged = json_deep_copy(metadata(o));
	json_object_update(merged, in);
	if (store(c, o, merged))
		call_json(c, 200, json_pack("{s:O}", "meta", in));
}

void metadata_delete(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !item(c, o) || !server_may(c, o, "delete metadata", USABLE, false, true))
		return;
	json_t *rest = json_deep_copy(metadata(o));
	json_object_del(rest, c->params[1]);
	if (store(c, o, rest))
		call_empty(c, 204);
}

/* --- tags ------------------------------------------------------------------------------------ */

static json_t *tags(const struct object *o)
{
	return json_object_get(o->doc, "tags");
}

/* The place of params[1]; as many as there are when it is not among them. */
static size_t place(const struct call *c, const struct object *o)
{
	json_t *t;
	size_t i;

	json_array_foreach (tags(o), i, t)
		if (!strcmp(json_string_value(t), c->params[1]))
			break;
	return i;
}

static bool missing(struct call *c, const struct object *o)
{
	if (place(c, o) < json_array_size(tags(o)))
		return false;
	call_fail(c, 404, NULL, "Server %s has no tag '%s'", o->id, c->params[1]);
	return true;
}

void server_tags_list(struct call *c)
{
	const struct object *o = server_find(c);

	if (o)
		call_json(c, 200, json_pack("{s:O}", "tags", tags(o)));
}

static int by_text(const void *a, const void *b)
{
	return strcmp(
		json_string_value(*(json_t *const *)a), json_string_value(*(json_t *const *)b));
}

/* Sorted and each once, as nova's database gives them back. Takes `list`. */
static json_t *tidy(json_t *list)
{
	VEC(json_t *) sorted = {0};
	json_t *out = json_array(), *t;
	size_t i;

	json_array_foreach (list, i, t)
		vec_push(&sorted, t);
	if (sorted.n > 1)
		qsort(sorted.p, sorted.n, sizeof(*sorted.p), by_text);
	for (i = 0; i < sorted.n; i++)
		if (i == 0 || !json_equal(sorted.p[i], sorted.p[i - 1]))
			json_array_append(out, sorted.p[i]);
	vec_fini(&sorted);
	json_decref(list);
	return out;
}

void server_tags_replace(struct call *c)
{
	struct object *o = server_find(c);
	json_t *in = o ? body_tags(c) : NULL;

	if (!in || !server_may(c, o, "update tags", USABLE, false, false))
		return;
	rule_changed(c, o, false);
	object_set(o, "tags", tidy(json_deep_copy(in)));
	server_tags_list(c);
}

void server_tags_clear(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !server_may(c, o, "delete tags", USABLE, false, false))
		return;
	rule_changed(c, o, false);
	object_set(o, "tags", json_array());
	call_empty(c, 204);
}

void server_tags_show(struct call *c)
{
	const struct object *o = server_find(c);

	if (o && !missing(c, o))
		call_empty(c, 204);
}

void server_tags_add(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !server_may(c, o, "update tag", USABLE, false, false))
		return;
	if (strpbrk(c->params[1], ",/") || utf8_length(slice_of(c->params[1])) > 60) {
		call_fail(c, 400, NULL,
			"Tag '%s' is invalid. It must be a non empty string without characters '/' "
			"and ','. Validation error message: '%s' is too long",
			c->params[1], c->params[1]);
		return;
	}
	if (json_array_size(tags(o)) >= TAGS_MAX) {
		call_fail(c, 400, NULL, "The number of tags exceeded the per-server limit %d",
			TAGS_MAX);
		return;
	}
	if (place(c, o) < json_array_size(tags(o))) {
		call_empty(c, 204);
		return;
	}
	rule_changed(c, o, false);
	json_array_append_new(tags(o), json_string(c->params[1]));
	object_set(o, "tags", tidy(json_incref(tags(o))));
	call_header(c, "Location", "%s/compute/v2.1/servers/%s/tags/%s", call_url(c), o->id,
		c->params[1]);
	call_empty(c, 201);
}

void server_tags_delete(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !server_may(c, o, "delete tag", USABLE, false, false) || missing(c, o))
		return;
	rule_changed(c, o, false);
	json_array_remove(tags(o), place(c, o));
	call_empty(c, 204);
}

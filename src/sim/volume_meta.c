/*
 * volume_meta.c - the metadata of volumes and snapshots, as requests of their own.
 */

#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

/* The object of /v3/{project}/{collection}/{id}/metadata; NULL after an answer. */
static struct object *owner(struct call *c, const struct volume_resource **ret)
{
	*ret = !strcmp(c->params[1], "volumes")     ? &volume_resource
	       : !strcmp(c->params[1], "snapshots") ? &snapshot_resource
						    : NULL;
	if (*ret)
		return volume_find(c, *ret, c->params[2]);
	call_fail_webob(c, 404, "The resource could not be found.", "");
	return NULL;
}

static json_t *metadata(const struct object *o)
{
	return json_object_get(o->doc, "metadata");
}

static void answer_all(struct call *c, const struct object *o)
{
	call_json(c, 200, json_pack("{s:O}", "metadata", metadata(o)));
}

static void answer_one(struct call *c, const struct object *o, const char *key)
{
	call_json(c, 200, json_pack("{s:{s:O}}", "meta", key, json_object_get(metadata(o), key)));
}

static bool has_key(
	struct call *c, const struct volume_resource *r, const struct object *o, const char *key)
{
	if (json_object_get(metadata(o), key))
		return true;
	call_fail(c, 404, NULL, "%s %s has no metadata with key %s.", r->title, o->id, key);
	return false;
}

static void touch(struct call *c, struct object *o)
{
	rule_changed(c, o, false);
	volume_set_status(o, volume_status(o));
}

void volume_meta_list(struct call *c)
{
	const struct volume_resource *r;
	const struct object *o = owner(c, &r);

	if (o)
		answer_all(c, o);
}

/* body["metadata"] if it may be metadata, else NULL after an answer. */
static json_t *sent(struct call *c, const char *wrapper)
{
	static const struct volume_field none[] = {{"", FIELD_ANY}};
	json_t *in = volume_body(c, wrapper, none, 0, 1000);

	return in && volume_metadata_good(c, in) ? in : NULL;
}

static void change(struct call *c, bool replace)
{
	const struct volume_resource *r;
	json_t *in = sent(c, "metadata");
	struct object *o = in ? owner(c, &r) : NULL;

	if (!o)
		return;
	touch(c, o);
	if (replace)
		json_object_clear(metadata(o));
	json_object_update(metadata(o), in);
	answer_all(c, o);
}

void volume_meta_merge(struct call *c)
{
	change(c, false);
}

void volume_meta_replace(struct call *c)
{
	change(c, true);
}

void volume_meta_show(struct call *c)
{
	const struct volume_resource *r;
	const struct object *o = owner(c, &r);

	if (o && has_key(c, r, o, c->params[3]))
		answer_one(c, o, c->params[3]);
}

void volume_meta_set(struct call *c)
{
	const struct volume_resource *r;
	json_t *in = sent(c, "meta");
	struct object *o = in ? owner(c, &r) : NULL;

	if (!o)
		return;
	if (json_object_size(in) != 1 || !json_object_get(in, c->params[3])) {
		call_fail(c, 400, NULL,
			json_object_size(in) > 1 ? "Request body contains too many items"
						 : "Request body and URI mismatch");
		return;
	}
	touch(c, o);
	json_object_update(metadata(o), in);
	answer_one(c, o, c->params[3]);
}

void volume_meta_remove(struct call *c)
{
	const struct volume_resource *r;
	struct object *o = owner(c, &r);

	if (!o || !has_key(c, r, o, c->params[3]))
		return;
	touch(c, o);
	json_object_del(metadata(o), c->params[3]);
	call_empty(c, 200);
}

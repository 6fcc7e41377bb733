/*
 * volume_snapshot.c - snapshots: POST (of an attached volume only by force), DELETE.
 */

#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

#define IN_USE_WITHOUT_FORCE 66 /* since which microversion `force` is no longer needed */

static const struct volume_key keys[] = {
	{"id", 0, KEY_BRIEF},
	{"created_at", 0, KEY_BRIEF},
	{"updated_at", 0, KEY_BRIEF},
	{"name", 0, KEY_BRIEF},
	{"description", 0, KEY_BRIEF},
	{"volume_id", 0, KEY_BRIEF},
	{"status", 0, KEY_BRIEF},
	{"size", 0, KEY_BRIEF},
	{"metadata", 0, KEY_BRIEF},
	{"group_snapshot_id", 14},
	{"user_id", 41},
	{"consumes_quota", 65},
	{"os-extended-snapshot-attributes:project_id", 0, KEY_WHOLE},
	{"os-extended-snapshot-attributes:progress", 0, KEY_WHOLE},
};

static const struct volume_field create_fields[] = {
	{"name", FIELD_NAME},
	{"display_name", FIELD_NAME},
	{"description", FIELD_NAME},
	{"volume_id", FIELD_UUID_OR_NULL, true},
	{"force", FIELD_BOOL},
	{"metadata", FIELD_META},
};

static const struct volume_field change_fields[] = {
	{"name", FIELD_NAME},
	{"description", FIELD_NAME},
	{"display_name", FIELD_NAME},
	{"display_description", FIELD_NAME},
};

bool volume_has_snapshots(const struct object *v)
{
	OBJECT_EACH (v->sim, KIND_SNAPSHOT, o)
		if (!strcmp(object_str(o, "volume_id"), v->id))
			return true;
	return false;
}

void snapshots_delete_of(const struct object *v)
{
	OBJECT_EACH_BACK (v->sim, KIND_SNAPSHOT, o)
		if (!strcmp(object_str(o, "volume_id"), v->id))
			object_remove(o);
}

static void on_made(struct timer *t)
{
	struct object *o = t->arg;

	if (o->stuck)
		return;
	const bool error = json_object_get(o->doc, ".error");
	object_set_str(o, "os-extended-snapshot-attributes:progress", error ? "0%" : "100%");
	volume_set_status(o, error ? "error" : "available");
}

static struct object *make(struct call *c, const json_t *in, const struct object *volume)
{
	struct object *o = object_new(c->sim, KIND_SNAPSHOT, NULL, c->project, c->user);
	const char *name = json_str(in, "name");

	volume_common(o, name ? name : json_str(in, "display_name"), json_str(in, "description"),
		json_object_get(in, "metadata"));
	object_set_str(o, "volume_id", volume->id);
	object_set(o, "size", json_integer(json_int(volume->doc, "size", 0)));
	object_set(o, "group_snapshot_id", json_null());
	object_set_str(o, "os-extended-snapshot-attributes:project_id", o->project);
	object_set_str(o, "os-extended-snapshot-attributes:progress", "0%");
	o->stuck = call_hit(c, MISHAP_STUCK);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".error", json_true());
	object_after(o, draw_time_ns(&c->sim->draw, TIME_SNAPSHOT_CREATE), on_made);
	return o;
}

/* From 3.66 on `force` says nothing any more, and false is refused. */
static bool force_good(struct call *c, const json_t *force)
{
	if (c->version < IN_USE_WITHOUT_FORCE || !force || volume_bool(force))
		return true;
	call_fail(c, 400, NULL,
		"Since microversion 3.66 the 'force' flag is invalid for this request.  For backward "
		"compatability, however, when the 'force' flag is passed with a value evaluating to "
		"True, it is silently ignored.");
	return false;
}

static void create(struct call *c)
{
	const json_t *in = volume_body(c, "snapshot", create_fields, array_len(create_fields), 0);
	const json_t *force = in ? json_object_get(in, "force") : NULL;
	const char *id = in ? json_str(in, "volume_id") : NULL;
	const bool in_use = volume_bool(force) || c->version >= IN_USE_WITHOUT_FORCE;

	if (!in || !force_good(c, force))
		return;
	const struct object *v = volume_find(c, &volume_resource, id ? id : "None");
	if (!v)
		return;
	if (strcmp(volume_status(v), "available") &&
		!(in_use && !strcmp(volume_status(v), "in-use"))) {
		call_fail(c, 400, NULL,
			"Invalid volume: Volume %s status must be available%s, but current status "
			"is: %s.",
			v->id, in_use ? ", in-use" : "", volume_status(v));
		return;
	}
	if (!snapshot_quota(c, json_int(v->doc, "size", 0)))
		return;
	struct object *o = make(c, in, v);
	rule_created(c, o);
	call_json(c, 202,
		json_pack(
			"{s:o}", "snapshot", volume_view(c, &snapshot_resource, o, EXTENT_ANSWER)));
}

static void on_gone(struct timer *t)
{
	struct object *o = t->arg;

	if (!o->stuck)
		object_remove(o);
}

static void on_failed(struct timer *t)
{
	volume_set_status(t->arg, "error_deleting");
}

static void remove_snapshot(struct call *c, struct object *o)
{
	if (strcmp(volume_status(o), "available") && strcmp(volume_status(o), "error")) {
		call_fail(c, 400, NULL,
			"Invalid snapshot: Snapshot status must be available or error and must not "
			"be part of a group.");
		return;
	}
	rule_changed(c, o, true);
	volume_set_status(o, "deleting");
	o->stuck = call_hit(c, MISHAP_STUCK);
	object_after(o, draw_time_ns(&c->sim->draw, TIME_SNAPSHOT_DELETE),
		call_hit(c, MISHAP_ERROR) ? on_failed : on_gone);
	call_empty(c, 202);
}

const struct volume_resource snapshot_resource = {
	.kind = KIND_SNAPSHOT,
	.name = "snapshot",
	.collection = "snapshots",
	.title = "Snapshot",
	.keys = keys,
	.n = array_len(keys),
	.filters = "name status volume_id metadata availability_zone consumes_quota",
	.changes = change_fields,
	.change_n = array_len(change_fields),
	.change_needs_one = true,
	.create = create,
	.remove = remove_snapshot,
};

/*
 * volume_backup.c - backups and restores, with a backup service and without one.
 *
 * Without it cinder takes the request (202), the backup ends in `error`, and since no service can
 * delete it, DELETE is a 404 for ever: only an administrator gets rid of it.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

static const struct volume_key keys[] = {
	{"id", 0, KEY_BRIEF},
	{"name", 0, KEY_BRIEF},
	{"links", 0, KEY_BRIEF},
	{"status"},
	{"size"},
	{"object_count"},
	{"availability_zone"},
	{"container"},
	{"created_at"},
	{"updated_at"},
	{"description"},
	{"fail_reason"},
	{"volume_id"},
	{"is_incremental"},
	{"has_dependent_backups"},
	{"snapshot_id"},
	{"data_timestamp"},
	{"metadata", 43},
};

static const struct volume_field create_fields[] = {
	{"volume_id", FIELD_UUID, true},
	{"container", FIELD_NAME},
	{"description", FIELD_NAME},
	{"incremental", FIELD_BOOL},
	{"force", FIELD_BOOL},
	{"name", FIELD_NAME},
	{"snapshot_id", FIELD_UUID_OR_NULL},
	{"metadata", FIELD_META, false, 43},
	{"availability_zone", FIELD_NAME, false, 51},
};

static const struct volume_field change_fields[] = {
	{"name", FIELD_NAME},
	{"description", FIELD_NAME},
	{"metadata", FIELD_META, false, 43},
};

static const struct volume_field restore_fields[] = {
	{"name", FIELD_NAME},
	{"volume_id", FIELD_UUID_OR_NULL},
};

static bool is(const struct object *o, const char *status)
{
	return !strcmp(volume_status(o), status);
}

/* --- POST --------------------------------------------------------------------------------------
 */

/* The volume or snapshot that was read goes back to the state it had. */
static void release_source(struct object *backup)
{
	struct sim *s = backup->sim;
	struct object *o = object_get(s, KIND_SNAPSHOT, json_str(backup->doc, "snapshot_id"));

	if (!o)
		o = object_get(s, KIND_VOLUME, object_str(backup, "volume_id"));
	if (o && is(o, "backing-up"))
		volume_set_status(o, object_str(backup, ".before"));
}

static void on_made(struct timer *t)
{
	struct object *o = t->arg;
	const char *why = json_str(o->doc, ".error");

	if (o->stuck)
		return;
	release_source(o);
	if (why)
		object_set_str(o, "fail_reason", why);
	else
		object_set(o, "object_count", json_integer(22));
	volume_set_status(o, why ? "error" : "available");
}

/* What the source's state allows; *ret is the source. False after an answer. */
static bool source_good(
	struct call *c, const json_t *in, const struct object *volume, struct object **ret)
{
	const char *id = json_str(in, "snapshot_id");

	*ret = id ? volume_find(c, &snapshot_resource, id) : (struct object *)volume;
	if (!*ret)
		return false;
	if (id && strcmp(object_str(*ret, "volume_id"), volume->id))
		call_fail(c, 400, NULL,
			"Invalid volume: Volume %s does not match with snapshot.volume_id %s.",
			volume->id, object_str(*ret, "volume_id"));
	else if (id && !is(*ret, "available"))
		call_fail(c, 400, NULL,
			"Invalid snapshot: Snapshot to be backed up must be available, but the "
			"current status is \"%s\".",
			volume_status(*ret));
	else if (!id && !is(volume, "available") && !is(volume, "in-use"))
		call_fail(c, 400, NULL,
			"Invalid volume: Volume to be backed up must be available or in-use, but "
			"the current status is \"%s\".",
			volume_status(volume));
	else if (!id && is(volume, "in-use") && !volume_bool(json_object_get(in, "force")))
		call_fail(c, 400, NULL,
			"Invalid volume: Backing up an in-use volume must use the force flag.");
	return !call_answered(c);
}

/* The newest backup of the volume, on which an incremental one stands. False after an answer. */
static bool find_parent(struct call *c, const struct object *volume, struct object **ret)
{
	*ret = NULL;
	OBJECT_EACH (c->sim, KIND_BACKUP, b)
		if (!strcmp(object_str(b, "volume_id"), volume->id) &&
			!strcmp(b->project, c->project))
			*ret = b;
	if (!*ret)
		call_fail(c, 400, NULL,
			"Invalid backup: No backups available to do an incremental backup.");
	else if (!is(*ret, "available"))
		call_fail(c, 400, NULL,
			"Invalid backup: The parent backup must be available for incremental "
			"backup.");
	return !call_answered(c);
}

static struct object *make(struct call *c, const json_t *in, const struct object *volume,
	struct object *source, struct object *parent)
{
	struct object *o = object_new(c->sim, KIND_BACKUP, NULL, c->project, c->user);

	volume_common(o, json_str(in, "name"), json_str(in, "description"),
		json_object_get(in, "metadata"));
	object_set_str(o, "volume_id", volume->id);
	object_set_str(o, "snapshot_id", json_str(in, "snapshot_id"));
	object_set(o, "size", json_integer(json_int(volume->doc, "size", 0)));
	object_set(o, "object_count", json_integer(0));
	object_set_str(o, "availability_zone",
		c->sim->has_backup ? object_str(volume, "availability_zone") : NULL);
	object_set_str(o, "container", json_str(in, "container"));
	object_set(o, "fail_reason", json_null());
	object_set(o, "is_incremental", json_boolean(parent));
	object_set(o, "has_dependent_backups", json_false());
	object_set_str(o, "data_timestamp", object_str(o, "created_at"));
	/* what a restore brings back too */
	object_set(o, ".name", json_incref(json_object_get(volume->doc, "name")));
	object_set(o, ".description", json_incref(json_object_get(volume->doc, "description")));
	object_set(o, ".metadata", json_deep_copy(json_object_get(volume->doc, "metadata")));
	object_set_str(o, ".before", volume_status(source));
	if (parent) {
		object_set_str(o, ".parent", parent->id);
		object_set(parent, "has_dependent_backups", json_true());
	}
	volume_set_status(source, "backing-up");
	return o;
}

static void create(struct call *c)
{
	const json_t *in = volume_body(c, "backup", create_fields, array_len(create_fields), 0);
	struct object *volume =
		in ? volume_find(c, &volume_resource, json_str(in, "volume_id")) : NULL;
	struct object *source, *parent = NULL;

	if (!volume || !source_good(c, in, volume, &source) ||
		!backup_quota(c, json_int(volume->doc, "size", 0)) ||
		(volume_bool(json_object_get(in, "incremental")) &&
			!find_parent(c, volume, &parent)))
		return;
	struct object *o = make(c, in, volume, source, parent);
	const bool lost = !c->sim->has_backup;
	o->stuck = call_hit(c, MISHAP_STUCK);
	if (lost)
		object_set_str(o, ".error", "Service not found for creating backup.");
	else if (call_hit(c, MISHAP_ERROR))
		object_set_str(o, ".error", "The backup's data could not be written.");
	object_after(
		o, draw_time_ns(&c->sim->draw, lost ? TIME_WRITE : TIME_BACKUP_CREATE), on_made);
	rule_created(c, o);
	call_json(c, 202,
		json_pack("{s:o}", "backup", volume_view(c, &backup_resource, o, EXTENT_BRIEF)));
}

/* --- DELETE ------------------------------------------------------------------------------------
 */

static void on_gone(struct timer *t)
{
	struct object *o = t->arg;
	struct object *parent = object_get(o->sim, KIND_BACKUP, json_str(o->doc, ".parent"));

	if (o->stuck)
		return;
	if (parent)
		object_set(parent, "has_dependent_backups", json_false());
	object_remove(o);
}

static void on_failed(struct timer *t)
{
	volume_set_status(t->arg, "error_deleting");
}

static bool service_there(struct call *c)
{
	if (!c->sim->has_backup)
		call_fail(c, 404, NULL, "Service cinder-backup could not be found.");
	return c->sim->has_backup;
}

static void remove_backup(struct call *c, struct object *o)
{
	if (!is(o, "available") && !is(o, "error")) {
		call_fail(c, 400, NULL, "Invalid backup: Backup status must be available or error");
		return;
	}
	if (json_flag(o->doc, "has_dependent_backups")) {
		call_fail(
			c, 400, NULL, "Invalid backup: Incremental backups exist for this backup.");
		return;
	}
	if (!service_there(c))
		return;
	rule_changed(c, o, true);
	volume_set_status(o, "deleting");
	o->stuck = call_hit(c, MISHAP_STUCK);
	object_after(o, draw_time_ns(&c->sim->draw, TIME_BACKUP_DELETE),
		call_hit(c, MISHAP_ERROR) ? on_failed : on_gone);
	call_empty(c, 202);
}

/* --- restore -----------------------------------------------------------------------------------
 */

static void on_restored(struct timer *t)
{
	struct object *o = t->arg;
	struct object *v = object_get(o->sim, KIND_VOLUME, object_str(o, ".volume"));

	if (o->stuck)
		return;
	volume_set_status(o, "available");
	if (!v || !is(v, "restoring-backup"))
		return;
	if (json_object_get(o->doc, ".failed")) {
		json_object_del(o->doc, ".failed");
		volume_set_status(v, "error_restoring");
		return;
	}
	/* a volume that was made for the restore takes the name of the one that was saved */
	if (!strncmp(object_str(v, "name"), "restore_backup_", 15) &&
		json_is_string(json_object_get(o->doc, ".name"))) {
		object_set(v, "name", json_incref(json_object_get(o->doc, ".name")));
		object_set(v, "description", json_incref(json_object_get(o->doc, ".description")));
	}
	object_set(v, "metadata", json_deep_copy(json_object_get(o->doc, ".metadata")));
	volume_set_status(v, "available");
}

/* The request waits until cinder has made the volume: it is there when it is answered. */
static struct object *target_new(struct call *c, const struct object *o, const char *name)
{
	const int64_t gib = json_int(o->doc, "size", 0);
	char *otherwise = mem_printf("restore_backup_%s", o->id);
	const struct volume_plan plan = {.project = c->project,
		.user = c->user,
		.name = name ? name : otherwise,
		.gib = gib,
		.by = MADE_BY_API};
	struct object *v = volume_quota(c, gib) ? volume_make(c->sim, &plan) : NULL;

	free(otherwise);
	if (v) {
		object_set_str(v, "description", "auto-created_from_restore_from_backup");
		timer_cancel(&v->timer);
		volume_set_status(v, "available");
		rule_created(c, v);
	}
	return v;
}

static bool target_good(struct call *c, const struct object *o, const struct object *v)
{
	const int64_t size = json_int(o->doc, "size", 0), room = json_int(v->doc, "size", 0);

	if (!is(v, "available"))
		call_fail(
			c, 400, NULL, "Invalid volume: Volume to be restored to must be available");
	else if (size > room)
		call_fail(c, 400, NULL,
			"Invalid volume: volume size %lld is too small to restore backup of size "
			"%lld.",
			(long long)room, (long long)size);
	return !call_answered(c);
}

void backup_restore(struct call *c)
{
	const json_t *in = volume_body(c, "restore", restore_fields, array_len(restore_fields), 0);
	struct object *o = in ? volume_find(c, &backup_resource, c->params[1]) : NULL;
	const char *id = in ? json_str(in, "volume_id") : NULL;

	if (!o)
		return;
	if (!is(o, "available")) {
		call_fail(c, 400, NULL, "Invalid backup: Backup status must be available");
		return;
	}
	struct object *v =
		id ? volume_find(c, &volume_resource, id) : target_new(c, o, json_str(in, "name"));
	if (!v || !target_good(c, o, v) || !service_there(c))
		return;
	if (id)
		rule_changed(c, v, false);
	volume_set_status(v, "restoring-backup");
	volume_set_status(o, "restoring");
	object_set_str(o, ".volume", v->id);
	o->stuck = call_hit(c, MISHAP_STUCK);
	if (call_hit(c, MISHAP_ERROR))
		object_set(o, ".failed", json_true());
	object_after(o, draw_time_ns(&c->sim->draw, TIME_BACKUP_RESTORE), on_restored);
	call_json(c, 202,
		json_pack("{s:{s:s, s:s, s:O}}", "restore", "backup_id", o->id, "volume_id", v->id,
			"volume_name", json_object_get(v->doc, "name")));
}

const struct volume_resource backup_resource = {
	.kind = KIND_BACKUP,
	.name = "backup",
	.collection = "backups",
	.title = "Backup",
	.keys = keys,
	.n = array_len(keys),
	.filters = "name status volume_id",
	.changes = change_fields,
	.change_n = array_len(change_fields),
	.create = create,
	.remove = remove_backup,
};

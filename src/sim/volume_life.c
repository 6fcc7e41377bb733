/*
 * volume_life.c - what happens to a volume by itself: states and the times between them.
 *
 * A volume has one timer and so one thing that is under way. One that is stuck ends it never.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/image.h"
#include "sim/record.h"
#include "sim/state.h"
#include "sim/volume.h"

struct volume {
	char next[24];                  /* the state the timer leads to */
	int64_t gib;                    /* the size it has then; 0: as before */
	bool boots;                     /* it is bootable then */
	void (*done)(struct object *v); /* of the attachment under way */
};

static struct volume *more(const struct object *v)
{
	return v->more;
}

static void free_volume(struct object *v)
{
	free(v->more);
}

static void on_time(struct timer *t)
{
	struct object *v = t->arg;
	struct volume *m = more(v);
	void (*done)(struct object *) = m->done;

	if (v->stuck)
		return;
	if (m->boots)
		object_set_str(v, "bootable", "true");
	if (m->gib)
		object_set(v, "size", json_integer(m->gib));
	if (!strcmp(m->next, "available"))
		json_array_clear(json_object_get(v->doc, "attachments"));
	m->boots = false;
	m->gib = 0;
	m->done = NULL;
	volume_set_status(v, m->next);
	if (done)
		done(v);
}

static void lead_to(struct object *v, const char *next, enum draw_time time)
{
	snprintf(more(v)->next, sizeof(more(v)->next), "%s", next);
	object_after(v, draw_time_ns(&v->sim->draw, time), on_time);
}

/* --- making ------------------------------------------------------------------------------------
 */

/* What cinder copies of an image, as one map of texts. */
static json_t *image_facts(const struct object *image)
{
	static const char *const skipped[] = {"visibility", "status", "protected", "owner",
		"os_hidden", "os_hash_algo", "os_hash_value", "created_at", "updated_at", "self",
		"file", "schema", "stores", "virtual_size", "id", "name"};
	json_t *facts = json_pack("{s:s, s:s}", "image_id", image->id, "image_name",
		       object_str(image, "name")),
	       *value;
	const char *key;

	json_object_foreach (image->doc, key, value) {
		bool skip = *key == '.' || json_is_array(value) || json_is_null(value);
		for (size_t i = 0; i < array_len(skipped); i++)
			skip = skip || !strcmp(key, skipped[i]);
		if (skip)
			continue;
		char *text = json_is_string(value) ? mem_strdup(json_string_value(value))
						   : json_text(value);
		json_object_set_new(facts, key, json_string(text));
		free(text);
	}
	return facts;
}

static void set_source(struct object *v, const struct volume_plan *plan)
{
	struct sim *s = v->sim;
	const struct object *image = object_get(s, KIND_IMAGE, plan->image);
	const struct object *source = object_get(s, KIND_VOLUME, plan->volume);
	const struct object *snapshot = object_get(s, KIND_SNAPSHOT, plan->snapshot);

	if (snapshot)
		source = object_get(s, KIND_VOLUME, object_str(snapshot, "volume_id"));
	if (image)
		object_set(v, "volume_image_metadata", image_facts(image));
	else if (source && json_object_get(source->doc, "volume_image_metadata"))
		object_set(v, "volume_image_metadata",
			json_deep_copy(json_object_get(source->doc, "volume_image_metadata")));
	more(v)->boots = image || (source && !strcmp(object_str(source, "bootable"), "true"));
}

struct object *volume_make(struct sim *s, const struct volume_plan *plan)
{
	static const char service[] = "7310815a-069c-476f-bf15-cf2881c1b81a";
	struct object *v = object_new(s, KIND_VOLUME, NULL, plan->project, plan->user);
	const struct object *type = volume_type_of(s, plan->type);

	if (!type)
		type = volume_type_of(s, NULL);

	v->made_by = plan->by;
	v->more = mem_new(struct volume);
	v->free_more = free_volume;
	v->stuck = plan->stuck;
	volume_common(v, plan->name, NULL, NULL);
	object_set(v, "size", json_integer(plan->gib));
	object_set_str(v, "availability_zone", plan->zone ? plan->zone : sim_zones[0]);
	object_set_str(v, "volume_type", object_str(type, "name"));
	object_set_str(v, "volume_type_id", type->id);
	object_set_str(v, "snapshot_id", plan->snapshot);
	object_set_str(v, "source_volid", plan->volume);
	object_set_str(v, "bootable", "false");
	object_set(v, "encrypted", json_false());
	object_set(v, "replication_status", json_null());
	object_set(v, "consistencygroup_id", json_null());
	object_set(v, "multiattach", json_false());
	object_set(v, "attachments", json_array());
	object_set(v, "group_id", json_null());
	object_set(v, "shared_targets", json_false());
	object_set_str(v, "service_uuid", service);
	object_set_str(v, "os-vol-tenant-attr:tenant_id", v->project);
	set_source(v, plan);
	lead_to(v, plan->error ? "error" : "available",
		plan->image ? TIME_VOLUME_IMAGE : TIME_VOLUME_CREATE);
	return v;
}

/* --- attaching ---------------------------------------------------------------------------------
 */

bool volume_reserve(struct object *v)
{
	if (strcmp(volume_status(v), "available"))
		return false;
	volume_set_status(v, "reserved");
	return true;
}

void volume_add_attachment(struct object *v, const char *server, const char *attachment,
	const char *device, const char *host)
{
	char now[32], id[UUID_TEXT];

	json_array_append_new(json_object_get(v->doc, "attachments"),
		json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:s}", "id", v->id, "attachment_id",
			attachment ? attachment : draw_uuid(&v->sim->draw, "attachment", id),
			"volume_id", v->id, "server_id", server, "host_name", host, "device",
			device ? device : "", "attached_at", object_now_micro(v->sim, now)));
}

void volume_attach(struct object *v, const char *server, const char *attachment, const char *device,
	const char *host, void (*done)(struct object *v))
{
	volume_add_attachment(v, server, attachment, device, host);
	volume_set_status(v, "attaching");
	more(v)->done = done;
	lead_to(v, "in-use", TIME_VOLUME_ATTACH);
}

void volume_detach(struct object *v, void (*done)(struct object *v))
{
	if (!strcmp(volume_status(v), "in-use")) {
		volume_set_status(v, "detaching");
		more(v)->done = done;
		lead_to(v, "available", TIME_VOLUME_DETACH);
		return;
	}
	if (!strcmp(volume_status(v), "reserved") || !strcmp(volume_status(v), "attaching")) {
		timer_cancel(&v->timer);
		more(v)->done = NULL;
		json_array_clear(json_object_get(v->doc, "attachments"));
		volume_set_status(v, "available");
	}
	if (done)
		done(v);
}

/* --- growing and going -------------------------------------------------------------------------
 */

void volume_extend(struct object *v, int64_t gib, bool error)
{
	char before[24];

	snprintf(before, sizeof(before), "%s", volume_status(v));
	volume_set_status(v, "extending");
	more(v)->gib = error ? 0 : gib;
	lead_to(v, error ? "error_extending" : before, TIME_VOLUME_EXTEND);
}

static void on_gone(struct timer *t)
{
	struct object *v = t->arg;

	if (v->stuck)
		return;
	snapshots_delete_of(v);
	object_remove(v);
}

void volume_begin_delete(struct object *v, bool cascade, bool error)
{
	volume_set_status(v, "deleting");
	more(v)->done = NULL;
	if (error)
		lead_to(v, "error_deleting", TIME_VOLUME_DELETE);
	else
		object_after(v,
			draw_time_ns(&v->sim->draw, TIME_VOLUME_DELETE) +
				(cascade ? draw_time_ns(&v->sim->draw, TIME_SNAPSHOT_DELETE) : 0),
			on_gone);
}

void volume_delete(struct object *v)
{
	json_array_clear(json_object_get(v->doc, "attachments"));
	if (volume_has_snapshots(v))
		volume_set_status(v, "available");
	else
		volume_begin_delete(v, false, false);
}

/* --- images ------------------------------------------------------------------------------------
 */

bool volume_image_fits(struct call *c, const struct object *image, int64_t gib)
{
	const int64_t bytes = json_int(image->doc, "size", 0), gb = (bytes + (1 << 30) - 1) >> 30;
	const int64_t min_disk = json_int(image->doc, "min_disk", 0);
	const int64_t virtual_gb = (json_int(image->doc, "virtual_size", 0) + (1 << 30) - 1) >> 30;

	if (strcmp(object_str(image, "status"), "active"))
		call_fail(
			c, 400, NULL, "Invalid input received: Image %s is not active.", image->id);
	else if (gb > gib)
		call_fail(c, 400, NULL,
			"Invalid input received: Size of specified image %lldGB is larger than "
			"volume size %lldGB.",
			(long long)gb, (long long)gib);
	else if (gib < min_disk)
		call_fail(c, 400, NULL,
			"Invalid input received: Volume size %lldGB cannot be smaller than the "
			"image minDisk size %lldGB.",
			(long long)gib, (long long)min_disk);
	else if (virtual_gb > gib)
		call_fail(c, 400, NULL,
			"Image %s is unacceptable: Image virtual size is %lldGB and doesn't fit in "
			"a volume of size %lldGB.",
			image->id, (long long)virtual_gb, (long long)gib);
	return !call_answered(c);
}

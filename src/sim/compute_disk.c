/*
 * compute_disk.c - the volumes of servers: those that a create asks for, and os-volume_attachments.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/image.h"
#include "sim/state.h"
#include "sim/volume.h"

#define USABLE   "active paused stopped resized"
#define DISK_MAX 26

static struct object *volume_visible(struct call *c, const char *id)
{
	struct object *v = object_get(c->sim, KIND_VOLUME, id);

	return v && !strcmp(v->project, c->project) ? v : NULL;
}

/* The server that has the volume or waits for it, and its place there. */
static struct object *holder(struct sim *s, const char *volume, struct server_disk **ret_disk)
{
	OBJECT_EACH (s, KIND_SERVER, o)
		VEC_EACH (&server_of(o)->disks, struct server_disk, d)
			if (!strcmp(d->volume, volume)) {
				*ret_disk = d;
				return o;
			}
	return NULL;
}

/* --- checks of a create ---------------------------------------------------------------------- */

static bool invalid(struct call *c, const char *details)
{
	call_fail(c, 400, NULL, "Block Device Mapping is Invalid: %s", details);
	return false;
}

static bool lost(struct call *c, const char *what, const char *id)
{
	call_fail(c, 400, NULL, "Block Device Mapping is Invalid: failed to get %s %s.", what, id);
	return false;
}

static bool take_volume(struct call *c, const char *id, struct server_disk *d)
{
	const struct object *v = volume_visible(c, id);
	struct server_disk *other;

	if (!v)
		return lost(c, "volume", id);
	if (strcmp(object_str(v, "status"), "available") || holder(c->sim, id, &other)) {
		call_fail(c, 400, NULL,
			"Invalid volume: volume '%s' status must be 'available'. Currently in '%s' "
			"status.",
			id, object_str(v, "status"));
		return false;
	}
	const char *bootable = object_str(v, "bootable");
	if (d->boot && strcmp(bootable, "true") && !json_flag(v->doc, "bootable")) {
		call_fail(c, 400, NULL, "Block Device %s is not bootable.", id);
		return false;
	}
	snprintf(d->volume, sizeof(d->volume), "%s", id);
	return true;
}

static bool take_image(struct call *c, const char *id, struct server_disk *d)
{
	const struct object *image = image_visible(c->sim, c->project, id);

	if (!image)
		return lost(c, "image", id);
	if (d->gib < 1)
		return invalid(c,
			"Images with destination_type 'volume' need to have a non-zero "
			"size specified");
	if (d->gib < json_int(image->doc, "min_disk", 0)) {
		call_fail(c, 400, NULL,
			"Volume is smaller than the minimum size specified in image metadata. Volume "
			"size is %lld bytes, minimum size is %lld bytes.",
			(long long)d->gib << 30,
			(long long)json_int(image->doc, "min_disk", 0) << 30);
		return false;
	}
	snprintf(d->image, sizeof(d->image), "%s", id);
	return true;
}

static bool take_snapshot(struct call *c, const char *id, struct server_disk *d)
{
	const struct object *snap = object_get(c->sim, KIND_SNAPSHOT, id);

	if (!snap || strcmp(snap->project, c->project))
		return lost(c, "snapshot", id);
	if (d->gib < 1)
		d->gib = json_int(snap->doc, "size", 1);
	snprintf(d->snapshot, sizeof(d->snapshot), "%s", id);
	return true;
}

/* What source_type and destination_type say together; local disks need nothing of us. */
static bool take_source(struct call *c, const json_t *in, struct server_disk *d, bool *ret_local)
{
	const char *source = json_str(in, "source_type"), *id = json_str(in, "uuid");
	const char *to = json_str(in, "destination_type");
	const bool blank = !source || !strcmp(source, "blank");

	*ret_local = !source || (to && !strcmp(to, "local"));
	if (source && blank && id)
		return invalid(c, "Invalid device UUID.");
	if (!blank && !id)
		return invalid(c, "Missing device UUID.");
	if (!blank && !strcmp(source, "image") && *ret_local) {
		if (d->boot && json_object_get(json_object_get(c->body, "server"), "imageRef"))
			return true;
		return invalid(c, "Mapping image to local is not supported.");
	}
	if (*ret_local)
		return true;
	if (!strcmp(source, "volume"))
		return take_volume(c, id, d);
	if (!strcmp(source, "image"))
		return take_image(c, id, d);
	if (!strcmp(source, "snapshot"))
		return take_snapshot(c, id, d);
	return d->gib > 0 ||
	       invalid(c,
		       "Blank volumes (source: 'blank', dest: 'volume') need to have non-zero size");
}

static bool add_device(struct call *c, struct creation *n, const json_t *in)
{
	const char *type = json_str(in, "volume_type"), *tag = json_str(in, "tag");
	struct server_disk d = {
		.boot = body_int(in, "boot_index", -1) == 0,
		.delete_with_server = body_flag(in, "delete_on_termination"),
		.gib = body_int(in, "volume_size", 0),
	};
	bool local;

	snprintf(d.type, sizeof(d.type), "%s", type ? type : "");
	snprintf(d.tag, sizeof(d.tag), "%s", tag ? tag : "");
	if (!take_source(c, in, &d, &local))
		return false;
	n->roots += d.boot;
	if (local)
		return true;
	if (d.boot)
		snprintf(d.device, sizeof(d.device), "/dev/vda");
	else
		disk_device(&n->sketch, d.device);
	vec_push(&n->sketch.disks, d);
	return true;
}

/* The form before 2.0: only what attaches a volume is known here. */
static bool add_old_device(struct call *c, struct creation *n, const json_t *in)
{
	const char *volume = json_str(in, "volume_id"), *device = json_str(in, "device_name");
	json_t *now = json_pack("{s:s, s:s?, s:s, s:i}", "source_type", volume ? "volume" : "blank",
		"uuid", volume, "destination_type", "volume", "boot_index",
		device && (!strcmp(device, "vda") || !strcmp(device, "/dev/vda")) ? 0 : -1);

	json_object_update(now, (json_t *)in);
	const bool good = add_device(c, n, now);
	json_decref(now);
	return good;
}

bool create_check_disks(struct call *c, struct creation *n)
{
	const json_t *old = json_object_get(n->in, "block_device_mapping");
	const json_t *list = json_object_get(n->in, "block_device_mapping_v2");
	json_t *in;
	size_t i;

	if (json_array_size(old) > 0 && json_array_size(list) > 0) {
		call_fail(c, 400, NULL,
			"Using different block_device_mapping syntaxes is not allowed in the same "
			"request.");
		return false;
	}
	json_array_foreach (old, i, in)
		if (!add_old_device(c, n, in))
			return false;
	json_array_foreach (list, i, in)
		if (!add_device(c, n, in))
			return false;
	/* since the new form the mapping names the root disk too, even when it is the image's */
	if (n->roots > 1 || (n->roots == 0 && (!n->image || json_array_size(list) > 0)))
		return invalid(c,
			"Boot sequence for the instance and image/block device mapping "
			"combination is not valid.");
	VEC_EACH (&n->sketch.disks, struct server_disk, d)
		if (d->boot)
			n->image = NULL;
	return true;
}

/* --- devices and letting go ------------------------------------------------------------------ */

void disk_device(const struct server *s, char *ret_device)
{
	for (int i = 1; i < DISK_MAX; i++) { /* the first is the root disk's */
		bool used = false;
		snprintf(ret_device, 16, "/dev/vd%c", 'a' + i);
		VEC_EACH (&s->disks, struct server_disk, d)
			used = used || !strcmp(d->device, ret_device);
		if (!used)
			return;
	}
}

void disk_release(struct object *server, struct server_disk *d, void (*done)(struct object *v))
{
	struct object *v = *d->volume ? object_get(server->sim, KIND_VOLUME, d->volume) : NULL;
	static const char *const held[] = {"reserved", "attaching", "in-use"};

	for (size_t i = 0; v && i < array_len(held); i++)
		if (!strcmp(object_str(v, "status"), held[i])) {
			volume_detach(v, done);
			return;
		}
	if (v && done && strcmp(object_str(v, "status"), "detaching"))
		done(v);
}

/* --- os-volume_attachments ------------------------------------------------------------------- */

static json_t *view(struct call *c, const struct object *o, const struct server_disk *d)
{
	json_t *v = json_object();

	if (!since(c, 89))
		json_object_set_new(v, "id", json_string(d->volume));
	json_object_set_new(v, "volumeId", json_string(d->volume));
	json_object_set_new(v, "serverId", json_string(o->id));
	if (*d->device)
		json_object_set_new(v, "device", json_string(d->device));
	if (since(c, 70))
		json_object_set_new(v, "tag", *d->tag ? json_string(d->tag) : json_null());
	if (since(c, 79))
		json_object_set_new(
			v, "delete_on_termination", json_boolean(d->delete_with_server));
	if (since(c, 89)) {
		json_object_set_new(v, "attachment_id", json_string(d->attachment));
		json_object_set_new(v, "bdm_uuid", json_string(d->bdm));
	}
	return v;
}

static struct server_disk *disk_of(struct object *o, const char *volume)
{
	VEC_EACH (&server_of(o)->disks, struct server_disk, d)
		if (*d->volume && !strcmp(d->volume, volume))
			return d;
	return NULL;
}

void attachments_list(struct call *c)
{
	struct object *o = server_find(c);
	json_t *list = json_array();

	if (o) {
		VEC_EACH (&server_of(o)->disks, struct server_disk, d)
			if (*d->volume)
				json_array_append_new(list, view(c, o, d));
		call_json(c, 200, json_pack("{s:O}", "volumeAttachments", list));
	}
	json_decref(list);
}

void attachments_show(struct call *c)
{
	struct object *o = server_find(c);
	const struct server_disk *d = o ? disk_of(o, c->params[1]) : NULL;

	if (d)
		call_json(c, 200, json_pack("{s:o}", "volumeAttachment", view(c, o, d)));
	else if (o)
		call_fail(c, 404, NULL, "Instance %s is not attached to volume %s", o->id,
			c->params[1]);
}

static void attached(struct object *v)
{
	struct server_disk *d;
	struct object *o = holder(v->sim, v->id, &d);

	if (o)
		event_end(o, d->request, true);
}

static bool check_attach(struct call *c, struct object *v, const char *id)
{
	struct server_disk *d;
	const struct object *other;

	if (!v) {
		call_fail(c, 404, NULL, "Volume %s could not be found.", id);
		return false;
	}
	other = holder(c->sim, id, &d);
	if (other) {
		call_fail(c, 400, NULL,
			"Invalid volume: volume %s is already attached to instances: %s", id,
			other->id);
		return false;
	}
	char *status = mem_strdup(object_str(v, "status"));
	const bool good = volume_reserve(v);
	if (!good)
		call_fail(c, 400, NULL,
			"Invalid input received: Invalid volume: Volume %s status must be available "
			"or downloading to reserve, but the current status is %s. (HTTP 400) "
			"(Request-ID: %s)",
			id, status, c->request_id);
	free(status);
	return good;
}

void attachments_create(struct call *c)
{
	struct object *o = server_find(c);
	const json_t *in = o ? body_attachment(c) : NULL;
	const char *id = json_str(in, "volumeId"), *tag = json_str(in, "tag");

	if (!in || !server_may(c, o, "attach_volume", USABLE, true, true))
		return;
	struct object *v = volume_visible(c, id);
	if (!check_attach(c, v, id))
		return;
	struct server *s = server_of(o);
	struct server_disk d = {.delete_with_server = body_flag(in, "delete_on_termination")};
	disk_device(s, d.device); /* what was asked for is a hint that libvirt does not follow */
	snprintf(d.volume, sizeof(d.volume), "%s", id);
	snprintf(d.tag, sizeof(d.tag), "%s", tag ? tag : "");
	snprintf(d.request, sizeof(d.request), "%s", c->request_id);
	draw_uuid(&c->sim->draw, "attachment", d.attachment);
	draw_uuid(&c->sim->draw, "bdm", d.bdm);
	vec_push(&s->disks, d);
	rule_changed(c, o, false);
	event_action(o, c, "attach_volume");
	event_begin(o, c->request_id, "compute_attach_volume");
	if (!call_hit(c, MISHAP_STUCK))
		volume_attach(v, o->id, d.attachment, d.device, s->host, attached);
	json_t *answer = json_pack("{s:s, s:s, s:s, s:s}", "id", id, "serverId", o->id, "volumeId",
		id, "device", d.device);
	if (since(c, 70))
		json_object_set_new(answer, "tag", tag ? json_string(tag) : json_null());
	if (since(c, 79))
		json_object_set_new(
			answer, "delete_on_termination", json_boolean(d.delete_with_server));
	call_json(c, 200, json_pack("{s:o}", "volumeAttachment", answer));
}

static void detached(struct object *v)
{
	struct server_disk *d;
	struct object *o = holder(v->sim, v->id, &d);

	if (!o)
		return;
	event_end(o, d->request, true);
	vec_remove(&server_of(o)->disks, (size_t)(d - server_of(o)->disks.p));
}

void attachments_delete(struct call *c)
{
	struct object *o = server_find(c);
	const char *id = c->params[1];
	struct object *v = o ? volume_visible(c, id) : NULL;
	struct server_disk *d = o ? disk_of(o, id) : NULL;

	if (!o)
		return;
	if (!v)
		call_fail(c, 404, NULL, "Volume %s could not be found.", id);
	else if (!d)
		call_fail(c, 404, NULL, "Instance %s is not attached to volume %s", o->id, id);
	else if (d->boot)
		call_fail(c, 403, NULL, "Cannot detach a root device volume");
	if (call_answered(c) || !server_may(c, o, "detach_volume", USABLE, true, true))
		return;
	if (strcmp(object_str(v, "status"), "in-use")) {
		call_fail(c, 400, NULL,
			"Invalid volume: Invalid input received: Invalid volume: Unable to detach "
			"volume. Volume status must be 'in-use' and attach_status must be 'attached' "
			"to detach. (HTTP 400) (Request-ID: %s)",
			c->request_id);
		return;
	}
	rule_changed(c, o, false);
	snprintf(d->request, sizeof(d->request), "%s", c->request_id);
	event_action(o, c, "detach_volume");
	event_begin(o, c->request_id, "compute_detach_volume");
	if (!call_hit(c, MISHAP_STUCK))
		volume_detach(v, detached);
	call_empty(c, 202);
}

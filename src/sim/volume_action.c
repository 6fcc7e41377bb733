/*
 * volume_action.c - POST /volumes/{id}/action: what members may ask of a volume.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/state.h"
#include "sim/volume.h"

#define EXTEND_IN_USE 42 /* since which microversion an attached volume may grow */

static bool is(const struct object *v, const char *status)
{
	return !strcmp(volume_status(v), status);
}

static json_t *attachments(const struct object *v)
{
	return json_object_get(v->doc, "attachments");
}

/* --- the actions: each answers -----------------------------------------------------------------
 */

static void extend(struct call *c, struct object *v)
{
	static const struct volume_field fields[] = {{"new_size", FIELD_SIZE, true}};
	const json_t *in = volume_body(c, "os-extend", fields, array_len(fields), 0);
	const json_t *size = in ? json_object_get(in, "new_size") : NULL;
	const int64_t gib = json_is_string(size) ? strtoll(json_string_value(size), NULL, 10)
						 : json_integer_value(size);
	const int64_t now = json_int(v->doc, "size", 0);
	const bool attached = is(v, "in-use") && c->version >= EXTEND_IN_USE;

	if (!in)
		return;
	if (gib <= now) {
		call_fail(c, 400, NULL,
			"Invalid input received: New size for extend must be greater than current "
			"size. (current: %lld, extended: %lld).",
			(long long)now, (long long)gib);
		return;
	}
	if (!attached && !is(v, "available")) {
		call_fail(c, 400, NULL,
			"Invalid volume: Volume %s status must be '{'status': 'available'}' to "
			"extend, currently %s.",
			v->id, volume_status(v));
		return;
	}
	if (!volume_quota_grow(c, gib - now))
		return;
	v->stuck = call_hit(c, MISHAP_STUCK);
	volume_extend(v, gib, call_hit(c, MISHAP_ERROR));
	call_empty(c, 202);
}

static void set_bootable(struct call *c, struct object *v)
{
	static const struct volume_field fields[] = {{"bootable", FIELD_BOOL, true}};
	const json_t *in = volume_body(c, "os-set_bootable", fields, array_len(fields), 0);

	if (!in)
		return;
	object_set_str(
		v, "bootable", volume_bool(json_object_get(in, "bootable")) ? "true" : "false");
	call_empty(c, 200);
}

static void set_readonly(struct call *c, struct object *v)
{
	static const struct volume_field fields[] = {{"readonly", FIELD_BOOL, true}};
	const json_t *in = volume_body(c, "os-update_readonly_flag", fields, array_len(fields), 0);

	if (!in)
		return;
	if (!is(v, "available")) {
		call_fail(c, 400, NULL,
			"Invalid volume: Volume %s status must be available to update readonly "
			"flag, but current status is: %s.",
			v->id, volume_status(v));
		return;
	}
	json_object_set_new(json_object_get(v->doc, "metadata"), "readonly",
		json_string(volume_bool(json_object_get(in, "readonly")) ? "True" : "False"));
	call_empty(c, 202);
}

static void reserve(struct call *c, struct object *v)
{
	if (!is(v, "available")) {
		call_fail(c, 400, NULL,
			"Invalid volume: Volume status must be available to reserve, but the "
			"status is %s.",
			volume_status(v));
		return;
	}
	volume_set_status(v, "attaching");
	call_empty(c, 202);
}

static void unreserve(struct call *c, struct object *v)
{
	if (is(v, "attaching"))
		volume_set_status(v, json_array_size(attachments(v)) > 0 ? "in-use" : "available");
	call_empty(c, 202);
}

static void attach(struct call *c, struct object *v)
{
	static const struct volume_field fields[] = {{"instance_uuid", FIELD_UUID},
		{"host_name", FIELD_NAME}, {"mountpoint", FIELD_NAME, true}, {"mode", FIELD_NAME}};
	const json_t *in = volume_body(c, "os-attach", fields, array_len(fields), 0);
	const char *mode = in ? json_str(in, "mode") : NULL;
	const char *readonly = json_str(json_object_get(v->doc, "metadata"), "readonly");

	if (!in)
		return;
	if (readonly && !strcmp(readonly, "True") && (!mode || strcmp(mode, "ro"))) {
		call_fail(c, 400, NULL, "Invalid attaching mode '%s' for volume %s.",
			mode ? mode : "rw", v->id);
		return;
	}
	if (!is(v, "available") && !is(v, "attaching")) {
		call_fail(c, 400, NULL,
			"Error attaching volume - InvalidVolume: Invalid volume: volume is already "
			"attached and multiple attachments are not enabled");
		return;
	}
	volume_add_attachment(v, json_str(in, "instance_uuid"), NULL, json_str(in, "mountpoint"),
		json_str(in, "host_name"));
	volume_set_status(v, "in-use");
	call_empty(c, 202);
}

static void begin_detaching(struct call *c, struct object *v)
{
	if (!is(v, "in-use") || json_array_size(attachments(v)) == 0) {
		call_fail(c, 400, NULL,
			"Invalid volume: Unable to detach volume. Volume status must be 'in-use' "
			"and attach_status must be 'attached' to detach.");
		return;
	}
	volume_set_status(v, "detaching");
	call_empty(c, 202);
}

static void roll_detaching(struct call *c, struct object *v)
{
	if (is(v, "detaching"))
		volume_set_status(v, "in-use");
	call_empty(c, 202);
}

/* A volume that a server of nova's holds may be detached by nova only (bug 2004555). */
static void detach(struct call *c, struct object *v)
{
	const json_t *one = json_array_get(attachments(v), 0);
	const char *server = json_str(one, "server_id");

	if (server && object_get(c->sim, KIND_SERVER, server)) {
		call_fail(c, 409, NULL, "Detach volume from instance %s using the Compute API",
			server);
		return;
	}
	json_array_clear(attachments(v));
	volume_set_status(v, "available");
	call_empty(c, 202);
}

static void reset_status(struct call *c, struct object *v)
{
	volume_forbid(c, "volume_extension:volume_admin_actions:reset_status");
}

static void force_delete(struct call *c, struct object *v)
{
	volume_forbid(c, "volume_extension:volume_admin_actions:force_delete");
}

static void force_detach(struct call *c, struct object *v)
{
	volume_forbid(c, "volume_extension:volume_admin_actions:force_detach");
}

static void migrate(struct call *c, struct object *v)
{
	volume_forbid(c, "volume_extension:volume_admin_actions:migrate_volume");
}

void volume_action(struct call *c)
{
	static const struct {
		const char *name;
		void (*run)(struct call *c, struct object *v);
		bool admin; /* changes nothing here: refused */
	} actions[] = {
		{"os-extend", extend},
		{"os-set_bootable", set_bootable},
		{"os-update_readonly_flag", set_readonly},
		{"os-reserve", reserve},
		{"os-unreserve", unreserve},
		{"os-attach", attach},
		{"os-begin_detaching", begin_detaching},
		{"os-roll_detaching", roll_detaching},
		{"os-detach", detach},
		{"os-reset_status", reset_status, true},
		{"os-force_delete", force_delete, true},
		{"os-force_detach", force_detach, true},
		{"os-migrate_volume", migrate, true},
	};
	const char *name = json_object_iter_key(json_object_iter(c->body));

	for (size_t i = 0; name && i < array_len(actions); i++) {
		if (strcmp(actions[i].name, name))
			continue;
		struct object *v = volume_find(c, &volume_resource, c->params[1]);
		if (!v)
			return;
		actions[i].run(c, v);
		if (!actions[i].admin && c->status / 100 == 2)
			rule_changed(c, v, false);
		return;
	}
	call_fail(c, 400, NULL,
		"There is no such action: %s. Verify the request body and Content-Type header and "
		"try again.",
		name ? name : "None");
}

/*
 * compute_rebuild.c - actions that give a server another image or flavor, or make an image of it.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/image.h"
#include "sim/state.h"

#define SNAPSHOT_STATES  "active stopped paused suspended"
#define SNAPSHOT_WAIT_NS (600 * NS_PER_S)

static bool is_stopped(const struct object *o)
{
	return !strcmp(object_str(o, "OS-EXT-STS:vm_state"), "stopped");
}

/* --- rebuild --------------------------------------------------------------------------------- */

static bool rebuilt(struct object *o)
{
	struct server *s = server_of(o);
	char now[32];

	object_set_str(o, "OS-SRV-USG:launched_at", compute_time(o->sim, now));
	s->new_disk = true;
	guests_disk_new(o->sim, o->id);
	return true;
}

static const struct change rebuild = {"rebuild", "rebuild", "rebuild", "compute_rebuild_instance",
	"active stopped error", "rebuilding", "active", POWER_RUNNING, TIME_SERVER_REBUILD,
	GUEST_STOPS, GUEST_BOOTS, rebuilt};
static const struct change rebuild_stopped = {"rebuild", "rebuild", "rebuild",
	"compute_rebuild_instance", "stopped", "rebuilding", "stopped", POWER_SHUTDOWN,
	TIME_SERVER_REBUILD, GUEST_STAYS, GUEST_STOPS, rebuilt};

static bool check_image(struct call *c, const struct object *o, const char *id)
{
	const struct object *image = image_visible(c->sim, c->project, id);
	const struct object *flavor = flavor_find(c->sim, server_of(o)->flavor);

	if (!image)
		call_fail(c, 400, NULL, "Cannot find image for rebuild");
	else if (strcmp(object_str(image, "status"), "active"))
		call_fail(c, 400, NULL, "Image %s is not active.", id);
	else if (json_int(image->doc, "min_ram", 0) > json_int(flavor->doc, "ram", 0))
		call_fail(c, 400, NULL, "Flavor's memory is too small for requested image.");
	else if (!*server_of(o)->image)
		call_fail(c, 400, NULL,
			"Image %s is unacceptable: Unable to rebuild with a different image for a "
			"volume-backed server.",
			id);
	return !call_answered(c);
}

static bool take_key(struct call *c, struct object *o, const json_t *in)
{
	const json_t *name = json_object_get(in, "key_name");
	const struct object *pair;

	if (!name)
		return true;
	pair = json_is_string(name) ? keypair_find(c->sim, c->user, json_string_value(name)) : NULL;
	if (!pair && !json_is_null(name)) {
		call_fail(c, 400, NULL, "Invalid key_name provided.");
		return false;
	}
	object_set_str(o, "key_name", json_string_value(name));
	mem_replace(&server_of(o)->public_key, pair ? object_str(pair, "public_key") : NULL);
	return true;
}

void action_rebuild(struct call *c, struct object *o)
{
	static const char *const plain[] = {
		"name", "metadata", "description", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6"};
	const json_t *in = body_rebuild(c);
	struct server *s = server_of(o);

	if (!in || !server_may(c, o, "rebuild", rebuild.vm_states, true, true) ||
		!check_image(c, o, json_str(in, "imageRef")) || !take_key(c, o, in))
		return;
	snprintf(s->image, sizeof(s->image), "%s", json_str(in, "imageRef"));
	for (size_t i = 0; i < array_len(plain); i++) {
		json_t *v = json_object_get(in, plain[i]);
		if (v)
			object_set(o, plain[i], json_deep_copy(v));
	}
	if (json_str(in, "hostname"))
		object_set_str(o, "OS-EXT-SRV-ATTR:hostname", json_str(in, "hostname"));
	if (json_object_get(in, "user_data"))
		mem_replace(&s->user_data, json_str(in, "user_data"));
	json_object_del(o->doc, "fault");
	action_start(c, o, is_stopped(o) ? &rebuild_stopped : &rebuild);
	json_t *v = server_view(c, o, since(c, 75) ? VIEW_ALL : 0);
	if (since(c, 54))
		json_object_set(v, "key_name", json_object_get(o->doc, "key_name"));
	json_object_set_new(v, "adminPass",
		json_string(
			json_str(in, "adminPass") ? json_str(in, "adminPass") : "Rebuilt7Pass"));
	if (since(c, 57))
		json_object_set_new(
			v, "user_data", s->user_data ? json_string(s->user_data) : json_null());
	call_header(c, "Location", "%s/compute/v2.1/servers/%s", call_url(c), o->id);
	call_json(c, 202, json_pack("{s:o}", "server", v));
}

/* --- resize ---------------------------------------------------------------------------------- */

/* The new host takes over. A disk that would shrink is refused there, not by the API. */
static bool resized(struct object *o)
{
	struct server *s = server_of(o);
	const struct object *old = flavor_find(o->sim, s->flavor);
	const struct object *new = flavor_find(o->sim, s->want_flavor);
	const char *zone = NULL, *host;
	char id[64];

	if (*s->image && json_int(new->doc, "disk", 0) < json_int(old->doc, "disk", 0))
		return false;
	if ((host = group_place(o, s->zone, &zone))) {
		snprintf(s->host, sizeof(s->host), "%s", host);
		object_set_str(o, "hostId", compute_host_id(o->project, host, id));
	}
	snprintf(s->old_flavor, sizeof(s->old_flavor), "%s", s->flavor);
	snprintf(s->flavor, sizeof(s->flavor), "%s", s->want_flavor);
	return true;
}

static bool confirmed(struct object *o)
{
	*server_of(o)->old_flavor = 0;
	return true;
}

static bool reverted(struct object *o)
{
	struct server *s = server_of(o);

	memcpy(s->flavor, s->old_flavor, sizeof(s->flavor));
	*s->old_flavor = 0;
	return true;
}

enum { RUNNING, STOPPED }; /* before the resize, and so after it */

static const struct change resizes[] = {
	[RUNNING] = {"resize", "resize", "resize", "compute_resize_instance", "active stopped",
		"resize_migrating", "resized", POWER_RUNNING, TIME_SERVER_RESIZE, GUEST_STOPS,
		GUEST_BOOTS, resized},
	[STOPPED] = {"resize", "resize", "resize", "compute_resize_instance", "active stopped",
		"resize_migrating", "resized", POWER_SHUTDOWN, TIME_SERVER_RESIZE, GUEST_STAYS,
		GUEST_STAYS, resized},
};
static const struct change confirms[] = {
	[RUNNING] = {"confirmResize", "confirmResize", "confirmResize", "compute_confirm_resize",
		"resized", NULL, "active", -1, TIME_SERVER_DELETE, GUEST_STAYS, GUEST_STAYS,
		confirmed},
	[STOPPED] = {"confirmResize", "confirmResize", "confirmResize", "compute_confirm_resize",
		"resized", NULL, "stopped", -1, TIME_SERVER_DELETE, GUEST_STAYS, GUEST_STAYS,
		confirmed},
};
static const struct change reverts[] = {
	[RUNNING] = {"revertResize", "revertResize", "revertResize", "compute_revert_resize",
		"resized", "resize_reverting", "active", POWER_RUNNING, TIME_SERVER_RESIZE,
		GUEST_STOPS, GUEST_BOOTS, reverted},
	[STOPPED] = {"revertResize", "revertResize", "revertResize", "compute_revert_resize",
		"resized", "resize_reverting", "stopped", POWER_SHUTDOWN, TIME_SERVER_RESIZE,
		GUEST_STAYS, GUEST_STAYS, reverted},
};

static int before(const struct object *o)
{
	return json_int(o->doc, "OS-EXT-STS:power_state", 0) == POWER_SHUTDOWN ? STOPPED : RUNNING;
}

/* Whether the larger flavor still fits; answers 403 otherwise. */
static bool room_for(struct call *c, const struct object *old, const struct object *new)
{
	const struct usage u = compute_usage(c->sim, c->project);
	const struct {
		const char *name, *key;
		int64_t limit, used;
	} rows[] = {{"cores", "vcpus", c->sim->quota.cores, u.cores},
		{"ram", "ram", c->sim->quota.ram, u.ram}};

	for (size_t i = 0; i < array_len(rows); i++) {
		const int64_t more =
			json_int(new->doc, rows[i].key, 0) - json_int(old->doc, rows[i].key, 0);
		const bool fits =
			more <= 0 || rows[i].limit < 0 || rows[i].used + more <= rows[i].limit;
		if (fits && !call_hit(c, MISHAP_QUOTA))
			continue;
		call_fail(c, 403, NULL,
			"Quota exceeded for %s: Requested %lld, but already used %lld of %lld %s",
			rows[i].name, (long long)more, (long long)rows[i].used,
			(long long)rows[i].limit, rows[i].name);
		return false;
	}
	return true;
}

void action_resize(struct call *c, struct object *o)
{
	const json_t *in = body_resize(c), *ref = json_object_get(in, "flavorRef");
	struct server *s = server_of(o);
	char id[ID_TEXT];

	if (!in || !server_may(c, o, "resize", resizes[0].vm_states, true, true))
		return;
	if (json_is_integer(ref))
		snprintf(id, sizeof(id), "%lld", (long long)json_integer_value(ref));
	else
		snprintf(id, sizeof(id), "%s", json_string_value(ref));
	const struct object *new = flavor_find(c->sim, id);
	if (!new)
		call_fail(c, 400, NULL, "Flavor %s could not be found.", id);
	else if (!strcmp(id, s->flavor))
		call_fail(c, 400, NULL, "When resizing, instances must change flavor!");
	if (!new || call_answered(c) || !room_for(c, flavor_find(c->sim, s->flavor), new))
		return;
	memcpy(s->want_flavor, id, sizeof(s->want_flavor));
	action_start(c, o, &resizes[before(o)]);
	call_empty(c, 202);
}

void action_confirm_resize(struct call *c, struct object *o)
{
	if (action_begin(c, o, &confirms[before(o)]))
		call_empty(c, 204);
}

void action_revert_resize(struct call *c, struct object *o)
{
	if (action_begin(c, o, &reverts[before(o)]))
		call_empty(c, 202);
}

/* --- createImage ----------------------------------------------------------------------------- */

static void on_snapshot(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);
	const struct object *image = object_get(o->sim, KIND_IMAGE, s->snapshot_image);
	const char *status = image ? object_str(image, "status") : "deleted";
	const bool waits = !strcmp(status, "queued") || !strcmp(status, "saving");

	if (waits && loop_now_ns(o->sim->loop) < s->deadline_ns) {
		if (!strcmp(status, "saving"))
			server_set_state(o, NULL, "image_uploading");
		server_wait(o, on_snapshot);
		return;
	}
	event_end(o, s->request, !s->fault && !strcmp(status, "active"));
	if (s->fault && image) /* nova takes back what came to nothing */
		object_remove(object_get(o->sim, KIND_IMAGE, s->snapshot_image));
	server_set_state(o, NULL, NULL);
}

void action_create_image(struct call *c, struct object *o)
{
	const json_t *in = body_image(c);
	struct server *s = server_of(o);

	if (!in || !server_may(c, o, "createImage", SNAPSHOT_STATES, true, false))
		return;
	json_t *properties = json_object();
	json_object_update(properties, json_object_get(in, "metadata"));
	json_object_set_new(properties, "base_image_ref", json_string(s->image));
	json_object_set_new(properties, "image_type", json_string("snapshot"));
	json_object_set_new(properties, "instance_uuid", json_string(o->id));
	const struct object *image =
		image_of_server(c->sim, c->project, c->user, json_str(in, "name"), properties);
	snprintf(s->snapshot_image, sizeof(s->snapshot_image), "%s", image->id);
	snprintf(s->request, sizeof(s->request), "%s", c->request_id);
	mem_replace(&s->fault, call_hit(c, MISHAP_ERROR) ? "the snapshot failed" : NULL);
	event_action(o, c, "createImage");
	event_begin(o, c->request_id, "compute_snapshot_instance");
	server_set_state(o, NULL, "image_snapshot");
	o->stuck = call_hit(c, MISHAP_STUCK) != NULL;
	s->deadline_ns = loop_now_ns(c->sim->loop) + SNAPSHOT_WAIT_NS;
	if (!o->stuck)
		server_wait(o, on_snapshot);
	if (since(c, 45)) {
		call_json(c, 202, json_pack("{s:s}", "image_id", image->id));
		return;
	}
	call_header(c, "Location", "%s/image/v2/images/%s", call_url(c), image->id);
	call_empty(c, 202);
}

/*
 * compute_remove.c - the end of a server: the guest is powered off, ports and volumes are let go,
 * and when all is done the server is gone; changes-since still shows it.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"
#include "sim/volume.h"

#define DELETED_MAX    1000
#define VOLUME_WAIT_NS (60 * NS_PER_S)

static void on_unplugged(struct timer *t);
static void on_gone(struct timer *t);

void server_remove(struct object *o)
{
	const int64_t time = draw_time_ns(&o->sim->draw, TIME_SERVER_DELETE);

	server_of(o)->deadline_ns = loop_now_ns(o->sim->loop) + time + VOLUME_WAIT_NS;
	object_after(o, time / 2, on_unplugged);
	/* the second half follows there, as long as the first */
	object_set(o, ".half_ns", json_integer((json_int_t)(time / 2)));
}

static void delete_volume(struct object *v)
{
	volume_delete(v);
}

static void on_unplugged(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);

	if (s->fault) {
		event_end(o, s->request, false);
		server_fail(o, s->fault);
		return;
	}
	guest_halt(o);
	VEC_EACH (&s->nics, struct server_nic, nic)
		nic_release(o, nic);
	vec_fini(&s->nics);
	VEC_EACH (&s->disks, struct server_disk, d)
		disk_release(o, d, d->delete_with_server ? delete_volume : NULL);
	server_set_power(o, POWER_NONE);
	guests_changed(o->sim);
	object_after(o, json_int(o->doc, ".half_ns", 0), on_gone);
}

/* Keeps its document for those who ask what changed. */
static void remember(struct object *o)
{
	struct sim *sim = o->sim;
	json_t *doc = json_copy(o->doc);
	char now[32];

	json_object_set_new(doc, "OS-SRV-USG:terminated_at", json_string(compute_time(sim, now)));
	json_object_set_new(doc, ".image", json_string(server_of(o)->image));
	json_object_set_new(doc, ".flavor", json_string(server_of(o)->flavor));
	json_object_set_new(doc, ".ordinal", json_integer((json_int_t)o->ordinal));
	json_object_set_new(doc, "metadata", json_object());
	json_object_set_new(doc, "tags", json_array());
	json_array_append_new(sim->deleted_servers, doc);
	if (json_array_size(sim->deleted_servers) > DELETED_MAX)
		json_array_remove(sim->deleted_servers, 0);
}

static bool has_volumes(struct object *o)
{
	VEC_EACH (&server_of(o)->disks, struct server_disk, d) {
		const struct object *v = object_get(o->sim, KIND_VOLUME, d->volume);
		if (v && !strcmp(object_str(v, "status"), "detaching"))
			return true;
	}
	return false;
}

static void on_gone(struct timer *t)
{
	struct object *o = t->arg;
	struct sim *sim = o->sim;

	/* volumes are off before the server is gone, unless cinder takes too long */
	if (has_volumes(o) && loop_now_ns(sim->loop) < server_of(o)->deadline_ns) {
		server_wait(o, on_gone);
		return;
	}
	event_end(o, server_of(o)->request, true);
	server_set_state(o, "deleted", NULL);
	remember(o);
	object_remove(o);
	guests_changed(sim);
}

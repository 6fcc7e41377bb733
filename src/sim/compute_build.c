/*
 * compute_build.c - what happens to a server after the answer: a host is found, ports and volumes
 * are made and bound, the guest starts. Each step takes its drawn time; what goes wrong ends in
 * ERROR with a fault.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"
#include "sim/volume.h"

/* Nova looks after a volume that it waits for every few seconds; so do we, in the cloud's time. */
#define POLL_NS        (300 * NS_PER_MS)
#define VOLUME_WAIT_NS (300 * NS_PER_S)

static void on_scheduled(struct timer *t);
static void on_networked(struct timer *t);
static void on_mapped(struct timer *t);
static void on_spawned(struct timer *t);

static int64_t drawn(const struct object *o, enum draw_time t)
{
	return draw_time_ns(&o->sim->draw, t);
}

void server_wait(struct object *o, void (*cb)(struct timer *t))
{
	object_after(o, (int64_t)((double)POLL_NS / o->sim->draw.speed), cb);
}

void server_build(struct object *o)
{
	if (!o->stuck)
		object_after(o, drawn(o, TIME_SERVER_SCHEDULE), on_scheduled);
}

/* Ports that nova made go, those of the member are free again; volumes stay reserved until the
 * server is deleted. */
static void abort_build(struct object *o, const char *reason)
{
	struct server *s = server_of(o);

	VEC_EACH (&s->nics, struct server_nic, nic) {
		nic_release(o, nic);
		if (nic->ours)
			*nic->port = 0;
	}
	event_end(o, s->request, false);
	server_set_power(o, POWER_NONE);
	char *text = mem_printf("Build of instance %s aborted: %s", o->id, reason);
	server_fail(o, text);
	free(text);
}

static void set_host(struct object *o, const char *host, const char *zone)
{
	struct server *s = server_of(o);
	char id[64];

	snprintf(s->host, sizeof(s->host), "%s", host);
	snprintf(s->zone, sizeof(s->zone), "%s", zone);
	object_set_str(o, "hostId", compute_host_id(o->project, host, id));
	object_set_str(o, "OS-EXT-AZ:availability_zone", zone);
}

/* What the host that was found is asked: see docs/sim.md. */
const struct service build_service = {.name = "build"};

struct meeting {
	int64_t late_ns;
	bool stuck, failed;
	char *why; /* owned */
};

static struct meeting meet_faults(struct object *o)
{
	struct call c = {.sim = o->sim,
		.service = &build_service,
		.method = "POST",
		.path = "/servers",
		.host = server_of(o)->host};
	struct meeting met = {0};

	mishaps_strike(o->sim, &c);
	VEC_EACH (&c.hits, struct mishap *, m) {
		if ((*m)->effect == MISHAP_LATENCY)
			met.late_ns += (*m)->time_ns;
		else if ((*m)->effect == MISHAP_STUCK)
			met.stuck = true;
		else
			met.failed = true;
		if ((*m)->text)
			mem_replace(&met.why, (*m)->text);
		mishap_unref(*m);
	}
	vec_fini(&c.hits);
	return met;
}

static void on_scheduled(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);
	const char *zone = NULL, *host = s->fault ? NULL : group_place(o, s->want_zone, &zone);

	if (!host) {
		event_begin(o, s->request, "conductor_schedule_and_build_instances");
		event_end(o, s->request, false);
		server_fail(o, s->fault ? s->fault : NO_VALID_HOST);
		return;
	}
	set_host(o, host, zone);
	event_begin(o, s->request, "compute__do_build_and_run_instance");
	server_set_state(o, NULL, "networking");
	const struct meeting met = meet_faults(o);
	o->stuck = met.stuck;
	if (met.failed)
		abort_build(o, met.why ? met.why : "the hypervisor refused it.");
	else if (!met.stuck)
		object_after(o, met.late_ns + drawn(o, TIME_SERVER_NETWORK), on_networked);
	free(met.why);
}

/* --- ports ----------------------------------------------------------------------------------- */

static bool bind_nic(struct object *o, struct server_nic *nic)
{
	struct object *port = nic_port(o->sim, nic);

	if (nic->ours)
		return nic_make_port(o, nic) != NULL;
	/* the member may have deleted it or given it away since */
	if (!port || *object_str(port, "device_id"))
		return false;
	nic_bind(o, port);
	return true;
}

static void on_networked(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);
	char reason[256];

	VEC_EACH (&s->nics, struct server_nic, nic) {
		if (bind_nic(o, nic))
			continue;
		if (nic->ours)
			snprintf(reason, sizeof(reason),
				"Failed to allocate the network(s): No fixed IP addresses available "
				"for network: %s",
				nic->network);
		else
			snprintf(reason, sizeof(reason), "Port %s is not usable.", nic->port);
		abort_build(o, reason);
		return;
	}
	server_set_state(o, NULL, "block_device_mapping");
	s->deadline_ns = loop_now_ns(o->sim->loop) + VOLUME_WAIT_NS;
	server_wait(o, on_mapped);
}

/* --- volumes --------------------------------------------------------------------------------- */

static bool volume_fits(struct sim *sim, const char *project, int64_t gib)
{
	int64_t count = 0, used = 0;

	OBJECT_EACH (sim, KIND_VOLUME, v)
		if (!strcmp(v->project, project)) {
			count++;
			used += json_int(v->doc, "size", 0);
		}
	return (sim->quota.volumes < 0 || count < sim->quota.volumes) &&
	       (sim->quota.gigabytes < 0 || used + gib <= sim->quota.gigabytes);
}

static struct object *make_volume(struct object *o, struct server_disk *d)
{
	const struct volume_plan plan = {
		.project = o->project,
		.user = o->user,
		.name = "",
		.image = *d->image ? d->image : NULL,
		.snapshot = *d->snapshot ? d->snapshot : NULL,
		.type = *d->type ? d->type : NULL,
		.zone = server_of(o)->zone,
		.gib = d->gib,
		.by = MADE_BY_NOVA,
	};

	if (!volume_fits(o->sim, o->project, d->gib))
		return NULL;
	struct object *v = volume_make(o->sim, &plan);
	snprintf(d->volume, sizeof(d->volume), "%s", v->id);
	return v;
}

enum step { STEP_WAITS, STEP_DONE, STEP_FAILED };

/* Brings one volume a step nearer to the server. Returns its status then; valid until it changes.
 */
static const char *map_volume(struct object *o, struct object *v, const struct server_disk *d)
{
	if (!strcmp(object_str(v, "status"), "available"))
		volume_reserve(v);
	if (!strcmp(object_str(v, "status"), "reserved"))
		volume_attach(v, o->id, d->attachment, d->device, server_of(o)->host, NULL);
	return object_str(v, "status");
}

static enum step map_disk(struct object *o, struct server_disk *d, char *reason, size_t size)
{
	struct object *v = object_get(o->sim, KIND_VOLUME, d->volume);

	if (!*d->volume && !(v = make_volume(o, d))) {
		snprintf(reason, size,
			"VolumeLimitExceeded: Maximum number of volumes or gigabytes exceeded");
		return STEP_FAILED;
	}
	const char *status = v ? map_volume(o, v, d) : "deleted";
	if (!strcmp(status, "in-use"))
		return STEP_DONE;
	const bool lost = !v || !strncmp(status, "error", 5) || !strcmp(status, "deleting");
	if (!lost && loop_now_ns(o->sim->loop) < server_of(o)->deadline_ns)
		return STEP_WAITS;
	snprintf(reason, size,
		"Volume %s did not finish being created even after we waited. And its status is "
		"%s.",
		d->volume, status);
	return STEP_FAILED;
}

static void on_mapped(struct timer *t)
{
	struct object *o = t->arg;
	char reason[256] = "";
	bool waits = false;

	VEC_EACH (&server_of(o)->disks, struct server_disk, d) {
		const enum step step = map_disk(o, d, reason, sizeof(reason));
		waits = waits || step == STEP_WAITS;
		if (step != STEP_FAILED)
			continue;
		abort_build(o, reason);
		return;
	}
	if (waits) {
		server_wait(o, on_mapped);
		return;
	}
	server_set_state(o, NULL, "spawning");
	object_after(o, drawn(o, TIME_SERVER_SPAWN), on_spawned);
}

/* --- the guest ------------------------------------------------------------------------------- */

static void on_spawned(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);
	char now[32];

	VEC_EACH (&s->nics, struct server_nic, nic) {
		struct object *port = nic_port(o->sim, nic);
		if (port)
			port_set_status(port, "ACTIVE");
	}
	object_set_str(o, "OS-SRV-USG:launched_at", compute_time(o->sim, now));
	server_set_power(o, POWER_RUNNING);
	event_end(o, s->request, true);
	guest_boot(o);
	server_set_state(o, "active", NULL);
}

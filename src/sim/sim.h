/*
 * sim.h - a simulated OpenStack: keystone, nova, neutron, cinder, glance, octavia, designate, heat,
 * swift and barbican on one port, a fair double.
 *
 * It shares no line with openstack/: what it accepts and answers was written from the services'
 * own documents and from a real cloud, so that an error of our client shows. States take drawn
 * times, lists lag behind creates, names are not unique, deletes are asynchronous, nova makes ports
 * and volumes of its own. It misbehaves on demand (faults, docs/sim.md) and remembers every
 * request; a run that broke a rule can be seen in sim_violations().
 *
 * Seeded: the same seed and the same requests give the same ids, times and faults. Every kind of
 * object draws from its own sequence, so that the third server takes the same time whatever else
 * happened before it.
 *
 * Where guests are reached: a floating IP 172.24.4.N of the network `public` is answered on
 * 127.77.4.N by this process. Port 22 stands on an unprivileged port of the sim's choosing, the
 * same for all guests; a ping is a TCP connection to a second one. Both accept exactly while the
 * guest is up, its floating IP is bound and its security groups let the packet in; otherwise the
 * connection is refused at once. (ICMP itself would always be answered on loopback.) The TCP ports
 * of world_ports (guest_world.h) stand on ports of their own, for what guests serve and for load
 * balancers. clouds.yaml says so:
 *
 *	reach: {network: 172.24.4.0/24, map: 127.77.4.0/24, ssh: PORT, ping: PORT, ports: {"80":
 *PORT}}
 *
 * Guests accept the key pair of their server for the users `debian` and `root` and run a few
 * commands (docs/sim-guests.md); fixed addresses are reached through another guest (`ssh -J`).
 *
 * Thread: everything here belongs to the loop's thread. Guests have a thread of their own inside.
 */
#ifndef SIM_SIM_H
#define SIM_SIM_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "net/loop.h"

struct sim;

struct sim_options {
	const char *listen; /* NULL: "127.0.0.1:0" */
	uint64_t seed;
	const char *faults; /* YAML file: faults, times, quotas, services (docs/sim.md), or NULL */
	const char *log;    /* file for every request as a JSON line, at most 256 MiB, or NULL */
	double speed;       /* drawn times are divided by it; 0 means 1: about as slow as the lab */
	int64_t token_ns;   /* life of a token, not divided; 0: 4 h */
};

/* Copies the options. Listens when it returns. Returns owned. */
struct sim *sim_new(
	struct loop *l, const struct sim_options *options, struct error *err) must_check;
/* Stops listening, ends the guests, forgets everything. NULL is fine. */
void sim_free(struct sim *s);
unsigned sim_port(const struct sim *s);
/* "http://127.0.0.1:PORT"; the services lie below it: /identity /compute /network /volume /image
 * and so on, the controls below /sim. Borrows. */
const char *sim_url(const struct sim *s);
/* Of the name server, UDP and TCP on 127.0.0.1; clouds.yaml says it as `dns: ["127.0.0.1:PORT"]`.
 */
unsigned sim_name_server_port(const struct sim *s);

/*
 * A clouds.yaml with `sim` (user demo, project demo, a member), `sim-b` (user demo-b in the same
 * project), `sim-other` (user other, project other), `sim-second` (user demo in the project second:
 * the same key pairs), `sim-app` (an application credential of demo). Returns owned text.
 */
char *sim_clouds_text(const struct sim *s);
/* The same into a file, 0600, replaced as a whole. */
bool sim_clouds_yaml(const struct sim *s, const char *path, struct error *err);

/*
 * What the controls below /sim answer too. Each returns an owned reference.
 *
 * Violations: [{rule, request, text}] with the rules `double_create` (two living objects of a kind
 * and project with the same mark `glasshouse INSTANCE RUN STEP i`, attempt included, unless one
 * request made both), `foreign` (a planted object, or one of another instance, was deleted or
 * changed), `no_token` (a request that needs a token had none at all; to ask for versions is
 * nobody's fault). Left: {"objects": [{kind, id, name, project, mark, made_by}], "projects": {NAME:
 * {KIND: n}}, "planted": {"intact": n, "touched": [ids]}}: what is there and was neither seeded nor
 * planted; `made_by` is "api", or "nova", "neutron", "designate" ... for what a service made by
 * itself.
 */
json_t *sim_violations(const struct sim *s);
json_t *sim_left(const struct sim *s);
/* The newest requests, at most 20,000: [{n, at, service, method, path, query, status, ms,
 * request_id, mark, project, fault}], bodies only in the log file. */
json_t *sim_requests(const struct sim *s);

/* Adds faults, in the form of docs/sim.md: one object or a list. */
bool sim_faults_add(struct sim *s, const json_t *faults, struct error *err) must_check;
void sim_faults_clear(struct sim *s);
/* Plants look-alikes that belong to nobody's instance: {project, name, mark, kinds: [..]}; without
 * kinds one of each. Returns [{kind, id, name}], owned, or NULL. */
json_t *sim_plant(struct sim *s, const json_t *what, struct error *err);

#endif

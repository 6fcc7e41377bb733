/*
 * compute.h - nova, parts shared by the files of that service and what the guests look at.
 *
 * A server's document is what a member sees at the newest microversion, but for what is computed
 * when it is shown (addresses, security groups, volumes, links; compute_view.c); keys with a dot
 * are never shown. What the sim knows besides stands in struct server, which is the object's
 * `more`. Thread: the loop's.
 */
#ifndef SIM_COMPUTE_H
#define SIM_COMPUTE_H

#include "base/buf.h"
#include "sim/call.h"
#include "sim/ip.h"

#define COMPUTE_MAX_VERSION 93 /* minor part: 2.93 */
#define REQUEST_TEXT        41
#define TAG_TEXT            64

struct server_nic {
	char port[ID_TEXT]; /* "" until nova has made its own */
	bool ours;          /* nova made the port and deletes it with the server */
	bool leak;          /* by a fault, it does not */
	/* What was asked for. */
	char network[ID_TEXT], address[IP_TEXT], tag[TAG_TEXT];
	char detach_request[REQUEST_TEXT]; /* who asked for its end, or "" */
};

struct server_disk {
	char volume[ID_TEXT]; /* "" until nova has made its own */
	char attachment[ID_TEXT], bdm[ID_TEXT];
	char device[16];
	bool boot, delete_with_server;
	/* What was asked for; all "" when the volume was there before. */
	char image[ID_TEXT], snapshot[ID_TEXT], type[ID_TEXT];
	bool blank;
	int64_t gib;
	char tag[TAG_TEXT];
	char request[REQUEST_TEXT]; /* who asked for its attachment or its end, or "" */
};

struct change;

struct server {
	char host[16], zone[8];
	char image[ID_TEXT];  /* "" when booted from a volume */
	char flavor[ID_TEXT]; /* of now; resize keeps the old one until it is confirmed */
	char old_flavor[ID_TEXT];
	char group[ID_TEXT]; /* server group, or "" */
	char *public_key;    /* OpenSSH line of its key pair, owned, or NULL */
	char *user_data;     /* base64, owned, or NULL */
	int64_t up_ns;       /* loop time since when its guest answers; INT64_MAX: it does not */
	bool no_metadata; /* by a fault: its guest knows neither key nor user data nor its name */
	unsigned boots;   /* times the guest has started */
	bool booted;      /* this time it came as far as its login */
	struct buf console;
	struct {
		struct server_nic *p;
		size_t n, cap;
	} nics;
	struct {
		struct server_disk *p;
		size_t n, cap;
	} disks;
	struct timer boot; /* of the guest */

	/* What is under way; the object's timer is its next step. */
	const struct change *change;  /* an action, or NULL */
	char request[REQUEST_TEXT];   /* of the create, action or delete */
	char want_zone[8];            /* asked for, or "" */
	char want_flavor[ID_TEXT];    /* of a resize */
	char *fault;                  /* by a fault it ends in ERROR with this text; owned */
	char snapshot_image[ID_TEXT]; /* that is being made of it */
	json_t *group_ids;            /* security groups of its own ports; owned */
	int64_t deadline_ns;          /* of waiting for volumes, loop time */
};

static inline struct server *server_of(const struct object *o)
{
	return o->more;
}

/* --- compute.c: what all parts need ---------------------------------------------------------- */

void compute_seed(struct sim *s); /* the flavors */
/* [{rel: self}, {rel: bookmark}] of an object; `bookmark` only when `self` is false. Owned. */
json_t *compute_links(struct call *c, const char *collection, const char *id, bool self);
/* 403 in nova's words; the rule without its "os_compute_api:". */
void compute_forbid(struct call *c, const char *rule);
/* "2026-11-24T13:31:05.000000": whole seconds, as nova's database keeps them; returns `text`. */
const char *compute_time(const struct sim *s, char *text);
/* 56 digits that tell hosts apart for one project, and nothing else. Returns `text` (57 bytes). */
const char *compute_host_id(const char *project, const char *host, char *text);
/* From that minor version on. */
static inline bool since(const struct call *c, int version)
{
	return c->version >= version;
}

/* --- compute_page.c: pages of lists ------------------------------------------------------------
 */

struct object_list {
	struct object **p;
	size_t n, cap;
};

/* Cuts the list to the page that limit and marker ask for; markers are ids, or the document's
 * `key`. False when it has answered. */
bool page_cut(struct call *c, struct object_list *l, const char *key);
/* Adds {NAME_links: [{rel: next}]} to an answer when the page is full. */
void page_links(struct call *c, const struct object_list *l, const char *key, json_t *answer,
	const char *name);

/* --- compute_event.c: os-instance-actions ------------------------------------------------------
 */

void event_action(struct object *server, const struct call *c, const char *action);
void event_begin(struct object *server, const char *request, const char *event);
/* Ends its last event and notes the error, if it was one. */
void event_end(struct object *server, const char *request, bool good);
void events_list(struct call *c);
void events_show(struct call *c);

/* --- compute_server.c ------------------------------------------------------------------------- */

/* The server of params[0], or NULL after a 404. */
struct object *server_find(struct call *c);
/* Sets vm_state and task_state (NULL: none) and what follows from them: status, power, updated. */
void server_set_state(struct object *o, const char *vm_state, const char *task_state);
void server_set_power(struct object *o, int power);
void server_touch(struct object *o);
/* vm_state error with this fault. */
void server_fail(struct object *o, const char *message);
enum {
	POWER_NONE = 0,
	POWER_RUNNING = 1,
	POWER_PAUSED = 3,
	POWER_SHUTDOWN = 4, /* also suspended */
};
/*
 * Whether a request may be done now: not locked (if `lock`), in one of the vm states (separated by
 * spaces; NULL: any), without a task if `idle`, once launched unless in no state at all. Answers
 * 409 in nova's words otherwise.
 */
bool server_may(struct call *c, const struct object *o, const char *action, const char *vm_states,
	bool idle, bool lock);
void servers_show(struct call *c);
void servers_update(struct call *c);
void servers_delete(struct call *c);
void servers_create(struct call *c);
void servers_list(struct call *c);
void servers_detail(struct call *c);
void servers_ips(struct call *c);
void servers_security_groups(struct call *c);

/* --- compute_view.c --------------------------------------------------------------------------- */

enum view_flags {
	VIEW_ALL = 1,    /* also what PUT and rebuild show only since 2.75 */
	VIEW_DETAIL = 2, /* of a list: no server groups */
};

json_t *server_view(struct call *c, const struct object *o, unsigned flags);
json_t *server_addresses(struct sim *s, const struct object *o, bool extended);
/* The port of a nic if it is there. */
struct object *nic_port(struct sim *s, const struct server_nic *nic);

/* --- compute_flavor.c ------------------------------------------------------------------------- */

struct object *flavor_find(struct sim *s, const char *id); /* NULL if absent */
void flavors_list(struct call *c);
void flavors_detail(struct call *c);
void flavors_show(struct call *c);
void flavors_specs(struct call *c);

/* --- compute_quota.c -------------------------------------------------------------------------- */

struct usage {
	int64_t instances, cores, ram;
};
struct usage compute_usage(struct sim *s, const char *project);
/* How many of min..max more servers of that flavor fit; 0 after a 403. */
int64_t compute_quota(
	struct call *c, const struct object *flavor, int64_t min_count, int64_t max_count);
void limits_show(struct call *c);
void quotas_show(struct call *c);
void quotas_detail(struct call *c);
void quotas_defaults(struct call *c);
void zones_list(struct call *c);
void zones_detail(struct call *c);

/* --- compute_keypair.c, compute_group.c --------------------------------------------------------
 */

struct object *keypair_find(struct sim *s, const char *user, const char *name);
void keypairs_list(struct call *c);
void keypairs_create(struct call *c);
void keypairs_show(struct call *c);
void keypairs_delete(struct call *c);
void groups_list(struct call *c);
void groups_create(struct call *c);
void groups_show(struct call *c);
void groups_delete(struct call *c);
/* A host for a server in the zone ("": any) that its group allows, and its zone; NULL: none. */
const char *group_place(struct object *server, const char *zone, const char **ret_zone);

/* --- compute_body.c: what bodies may say -------------------------------------------------------
 */

/* Each: body[wrapper] if it is what nova's schema allows, else NULL after a 400. */
json_t *body_server(struct call *c);
json_t *body_server_update(struct call *c);
json_t *body_rebuild(struct call *c);
json_t *body_reboot(struct call *c);
json_t *body_resize(struct call *c);
json_t *body_image(struct call *c);
json_t *body_console(struct call *c);
bool body_lock(struct call *c);
json_t *body_keypair(struct call *c);
json_t *body_group(struct call *c);
json_t *body_metadata(struct call *c);
json_t *body_meta(struct call *c);
json_t *body_tags(struct call *c);
json_t *body_interface(struct call *c);
json_t *body_attachment(struct call *c);

/* --- compute_create.c, compute_disk.c, compute_nic.c: parts of a create ------------------------
 */

/* What a create asks for, checked. */
struct creation {
	const json_t *in;
	struct object *flavor, *image; /* image NULL: boots from a volume */
	struct object *keypair;        /* or NULL */
	const char *group;             /* server group, or NULL */
	unsigned roots;                /* disks that the mapping wants to boot from */
	struct server sketch;          /* nics, disks, group_ids: owned, moved into one server */
};
bool create_check_nics(struct call *c, struct creation *n, int64_t count);
bool create_check_disks(struct call *c, struct creation *n);
bool create_check_groups(struct call *c, struct creation *n);
/* The id of the security group with that name (or id) in the project; NULL after an answer. */
const char *group_id_of(struct call *c, const char *name, int missing_status);

/* --- compute_build.c, compute_remove.c: what happens after the answer --------------------------
 */

void server_build(struct object *o);
void server_remove(struct object *o);
/* Makes the port that nova adds itself, on nic->network; NULL: no address is left. */
struct object *nic_make_port(struct object *server, struct server_nic *nic);
void nic_bind(struct object *server, struct object *port);
/* Unbinds or deletes a port of a server; ours and not leaked are deleted. */
void nic_release(struct object *server, struct server_nic *nic);
/* Polls while `t`'s server waits for something that another service does. */
void server_wait(struct object *o, void (*cb)(struct timer *t));

/* --- compute_action.c, compute_rebuild.c --------------------------------------------------------
 */

enum guest_effect { GUEST_STAYS, GUEST_STOPS, GUEST_BOOTS, GUEST_THAWS };

struct change {
	const char *action;    /* key of the body */
	const char *verb;      /* in errors */
	const char *recorded;  /* in os-instance-actions */
	const char *event;     /* its event, or NULL */
	const char *vm_states; /* in which it may begin */
	const char *task;      /* while it lasts */
	const char *to;        /* vm_state at its end; NULL: as before */
	int power;             /* at its end; -1: as before */
	enum draw_time time;
	enum guest_effect begins, ends;
	/* More that happens at its end; false: it ended in an error. May be NULL. */
	bool (*finish)(struct object *o);
};

/* Begins it if the server's state lets it (answers 409 otherwise); the answer is the caller's. */
bool action_begin(struct call *c, struct object *o, const struct change *row);
/* The same after the state was looked at. */
void action_start(struct call *c, struct object *o, const struct change *row);
void servers_action(struct call *c);
void action_rebuild(struct call *c, struct object *o);
void action_resize(struct call *c, struct object *o);
void action_confirm_resize(struct call *c, struct object *o);
void action_revert_resize(struct call *c, struct object *o);
void action_create_image(struct call *c, struct object *o);
void action_add_group(struct call *c, struct object *o);
void action_remove_group(struct call *c, struct object *o);

/* --- compute_console.c: the guest's side of it ---------------------------------------------------
 */

void guest_boot(struct object *o); /* powers on: after a drawn time it is up */
void guest_halt(struct object *o); /* off, paused, suspended: no longer answers */
void guest_thaw(struct object *o); /* goes on where it stood */
void action_console(struct call *c, struct object *o);

/* --- compute_disk.c, compute_nic.c, compute_meta.c
 * ------------------------------------------------- */

void interfaces_list(struct call *c);
void interfaces_show(struct call *c);
void interfaces_create(struct call *c);
void interfaces_delete(struct call *c);
void attachments_list(struct call *c);
void attachments_show(struct call *c);
void attachments_create(struct call *c);
void attachments_delete(struct call *c);
/* The next free device name: "/dev/vdb". */
void disk_device(const struct server *s, char *ret_device);
/* Lets go of a volume: takes it off, or takes back its reservation. */
void disk_release(struct object *server, struct server_disk *d, void (*done)(struct object *v));
void metadata_list(struct call *c);
void metadata_add(struct call *c);
void metadata_replace(struct call *c);
void metadata_show(struct call *c);
void metadata_set(struct call *c);
void metadata_delete(struct call *c);
void server_tags_list(struct call *c);
void server_tags_replace(struct call *c);
void server_tags_clear(struct call *c);
void server_tags_show(struct call *c);
void server_tags_add(struct call *c);
void server_tags_delete(struct call *c);

#endif

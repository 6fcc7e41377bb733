/*
 * compute_server.h - servers, parts shared by the files of nova that deal with them: how one is
 * found, judged and shown, and how it comes, changes and goes. Thread: the loop's.
 */
#ifndef SIM_COMPUTE_SERVER_H
#define SIM_COMPUTE_SERVER_H

#include "sim/compute.h"

/* --- compute_event.c: os-instance-actions ---------------------------------------------------- */

void event_action(struct object *server, const struct call *c, const char *action);
void event_begin(struct object *server, const char *request, const char *event);
/* Ends its last event and notes the error, if it was one. */
void event_end(struct object *server, const char *request, bool good);
void events_list(struct call *c);
void events_show(struct call *c);

/* --- compute_server.c ------------------------------------------------------------------------ */

/* The server of params[0], or NULL after a 404. */
struct object *server_find(struct call *c);
/* Sets vm_state and task_state (NULL: none) and what follows from them: status, power, updated. */
void server_set_state(struct object *o, const char *vm_state, const char *task_state);
void server_set_power(struct object *o, int power);
void server_touch(struct object *o);
#define NO_VALID_HOST "No valid host was found. There are not enough hosts available."
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

/* --- compute_view.c -------------------------------------------------------------------------- */

enum view_flags {
	VIEW_ALL = 1,    /* also what PUT and rebuild show only since 2.75 */
	VIEW_DETAIL = 2, /* of a list: no server groups */
};

json_t *server_view(struct call *c, const struct object *o, unsigned flags);
json_t *server_addresses(struct sim *s, const struct object *o, bool extended);
/* The port of a nic if it is there. */
struct object *nic_port(struct sim *s, const struct server_nic *nic);

/* --- compute_create.c, compute_disk.c, compute_nic.c: parts of a create ---------------------- */

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

/* --- compute_build.c, compute_remove.c: what happens after the answer ------------------------ */

void server_build(struct object *o);
void server_remove(struct object *o);
/* Makes the port that nova adds itself, on nic->network; NULL: no address is left. */
struct object *nic_make_port(struct object *server, struct server_nic *nic);
void nic_bind(struct object *server, struct object *port);
/* Unbinds or deletes a port of a server; ours and not leaked are deleted. */
void nic_release(struct object *server, struct server_nic *nic);
/* Polls while `t`'s server waits for something that another service does. */
void server_wait(struct object *o, void (*cb)(struct timer *t));

/* --- compute_action.c, compute_rebuild.c ----------------------------------------------------- */

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

/* --- compute_console.c: the guest's side of it ----------------------------------------------- */

void guest_boot(struct object *o); /* powers on: after a drawn time it is up */
void guest_halt(struct object *o); /* off, paused, suspended: no longer answers */
void guest_thaw(struct object *o); /* goes on where it stood */
void action_console(struct call *c, struct object *o);

/* --- compute_disk.c, compute_nic.c, compute_meta.c ------------------------------------------- */

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

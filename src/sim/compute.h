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
	bool new_disk;    /* its user data still has to run */
	struct buf console;
	VEC(struct server_nic) nics;
	VEC(struct server_disk) disks;
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
/* Whether `word` is one of those in `words`, separated by spaces. */
bool compute_among(const char *words, const char *word);
/* From that minor version on. */
static inline bool since(const struct call *c, int version)
{
	return c->version >= version;
}

/* --- compute_page.c: pages of lists ---------------------------------------------------------- */

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

/* --- compute_flavor.c ------------------------------------------------------------------------ */

struct object *flavor_find(struct sim *s, const char *id); /* NULL if absent */
void flavors_list(struct call *c);
void flavors_detail(struct call *c);
void flavors_show(struct call *c);
void flavors_specs(struct call *c);

/* --- compute_quota.c ------------------------------------------------------------------------- */

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

/* --- compute_keypair.c, compute_group.c ------------------------------------------------------ */

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

#endif

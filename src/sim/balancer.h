/*
 * balancer.h - octavia v2, parts shared by the files of that service.
 *
 * Every resource is a row: its attributes and a few hooks. What all have in common - validation,
 * filters, paging, fields, the lock - stands in balancer_attr.c, balancer_list.c, balancer_tree.c
 * and balancer.c.
 *
 * Whatever belongs to a load balancer names it in ".loadbalancer" (members also ".pool", rules
 * ".policy"). A change locks the whole tree: the load balancer is PENDING until its timer says what
 * came of it, and meanwhile every other change is refused. Thread: the loop's.
 */
#ifndef SIM_BALANCER_H
#define SIM_BALANCER_H

#include "sim/call.h"

enum balancer_type {
	BALANCER_TEXT, /* at most `max`, or 255 */
	BALANCER_BOOL,
	BALANCER_INT,  /* min..max */
	BALANCER_REAL, /* one of `words` */
	BALANCER_UUID,
	BALANCER_WORDS, /* one of `words`, separated by spaces */
	BALANCER_TAGS,  /* list of texts, kept sorted and without doubles */
	BALANCER_IP,
	BALANCER_CIDRS,
	BALANCER_HEADERS,     /* {text: text} */
	BALANCER_PERSISTENCE, /* of sessions */
	BALANCER_URL,
	BALANCER_URL_PATH,
	BALANCER_CODES, /* "200", "200,201" or "200-204" */
	BALANCER_LIST,  /* of objects to be made with it */
	BALANCER_MAP,   /* one of them */
};

enum balancer_flags {
	BALANCER_POST = 1,
	BALANCER_PUT = 2,
	BALANCER_REQUIRED = 4,
	BALANCER_INNER = 8, /* of a request only: not kept in the document */
};

struct balancer_attr {
	const char *name;
	enum balancer_type type;
	unsigned flags;
	const char *otherwise; /* JSON text of what a new object has; NULL: null */
	const char *words;
	int64_t min, max;
};

struct balancer_resource {
	enum kind kind;
	const char *name, *collection; /* "loadbalancer", "loadbalancers" */
	const char *title;             /* "Load Balancer" */
	const char *argument;          /* how octavia calls its body in errors: "load_balancer" */
	const struct balancer_attr *attrs;
	size_t n;
	const char *filters; /* beyond the attributes, separated by spaces */
	size_t quota;        /* its place in struct quota */
	/* Checks a create and completes `in`, ".loadbalancer" and the like included; false when it
	 * has answered. Nothing is made or locked yet. */
	bool (*check)(struct call *c, json_t *in);
	/* The object is there; `in` is what it was made of. May be NULL. */
	void (*created)(struct call *c, struct object *o, json_t *in);
	/* Checks what may be changed and completes `in`; false when it has answered. May be NULL.
	 */
	bool (*change)(struct call *c, struct object *o, json_t *in);
	/* Whether it may go; false when it has answered. May be NULL. */
	bool (*leave)(struct call *c, struct object *o);
	/* Adds what is computed to a view of it. May be NULL. */
	void (*show)(const struct object *o, json_t *view);
};

extern const struct balancer_resource loadbalancer_resource, listener_resource, pool_resource,
	member_resource, monitor_resource, policy_resource, rule7_resource;

/* The names of providers. */
#define BALANCER_AMPHORA                                                                           \
	"amphora" /* the default: as octavia's own, without the waiting for servers */
#define BALANCER_NOOP "noop_driver" /* takes everything and does nothing: PENDING for ever */
#define BALANCER_OVN  "ovn"         /* with services: {ovn: true} */
/* Who owns the ports of OVN's health checks. */
#define BALANCER_CHECK_OWNER "ovn-lb-hm:distributed"

/* --- balancer.c ------------------------------------------------------------------------------ */

/* NULL: there is no such collection. */
const struct balancer_resource *balancer_resource_of(const char *collection);
const struct balancer_resource *balancer_resource_of_kind(enum kind k);
/* The object by id if it is the project's, else NULL after a 404 answer. */
struct object *balancer_find(struct call *c, const struct balancer_resource *r, const char *id);
/* "Validation failure: …", 400. Always false. */
bool balancer_invalid(struct call *c, const char *fmt, ...) like_printf(2, 3);
json_t *balancer_view(const struct balancer_resource *r, const struct object *o);
/* One object of a checked body, PENDING_CREATE; nothing is locked. */
struct object *balancer_make(struct call *c, const struct balancer_resource *r, json_t *in);
/* One more within the quota? Answers 403 otherwise. */
bool balancer_quota(struct call *c, const struct balancer_resource *r);

/* Whether the load balancer's provider is OVN, which knows so much less: 501 in its words. */
bool balancer_ovn_refuses(struct call *c, const struct object *lb, const char *fmt, ...)
	like_printf(3, 4);

/* --- balancer_attr.c ---------------------------------------------------------------------------
 */

/* The body of a request, checked against the table; for a create completed with defaults. Returns
 * an owned new object, or NULL after an answer. */
json_t *balancer_body(struct call *c, const struct balancer_resource *r, bool create);
/* The same for an object inside another one's body; `path` says where, for errors. */
json_t *balancer_inner(
	struct call *c, const struct balancer_resource *r, const json_t *body, const char *path);

/* --- balancer_list.c ---------------------------------------------------------------------------
 */

/* Of those whose document has `parent_key` with the value `parent` (NULL: all). */
void balancer_list(struct call *c, const struct balancer_resource *r, const char *parent_key,
	const char *parent);

/* --- balancer_tree.c ---------------------------------------------------------------------------
 */

struct object *balancer_of(const struct object *o); /* the load balancer it belongs to, or itself */
/* Whether the tree may be changed now; answers 409 otherwise. `pool` (may be NULL) must be mutable
 * too. */
bool balancer_mutable(struct call *c, struct object *lb, const struct object *pool);
/* Locks the tree for a change of `o`, which becomes `status` (PENDING_…); the faults of the call
 * say what will come of it. */
void balancer_lock(struct call *c, struct object *o, const char *status);
void balancer_touch(struct object *o);
/* The first of a kind whose document has key = value, or NULL. */
struct object *balancer_with(struct sim *s, enum kind k, const char *key, const char *value);
/* Appends {"id": …} of all of them. Returns a new list. */
json_t *balancer_ids(struct sim *s, enum kind k, const char *key, const char *value);

/* --- balancer_lb.c, balancer_nest.c, balancer_vip.c ----------------------------------------------
 */

void balancer_status(struct call *c); /* the tree of states */
void balancer_stats(struct call *c);
/* What a load balancer's body says is to be made with it: checks it in place, makes it, shows it.
 */
bool balancer_nest_check(struct call *c, json_t *in, const char *id);
void balancer_nest_make(struct call *c, const struct object *lb, json_t *in);
void balancer_nest_show(const struct object *lb, json_t *view);
/* Finds or makes the port of the VIP and completes `in`; false when it has answered. `id` is the
 * load balancer's. */
bool balancer_vip(struct call *c, const char *id, json_t *in);
/* The port goes, if octavia made it and no fault leaves it behind. */
void balancer_vip_drop(struct object *lb);
/* Ports of OVN's health checks: one for each subnet in which a monitored pool has members; those
 * that no longer serve go, unless a fault leaves them behind (`leak`). */
void balancer_checks_ports(struct sim *s, bool leak);

/* --- balancer_listener.c ------------------------------------------------------------------------
 */

/* Whether a listener can talk to a pool; answers 400 otherwise. */
bool balancer_protocols_fit(struct call *c, const char *listener, const char *pool);

/* --- balancer_member.c -------------------------------------------------------------------------
 */

void balancer_members_put(struct call *c);

/* --- balancer_health.c -------------------------------------------------------------------------
 */

/* A member's or a monitor's beginnings anew: members count as up until a check fails. */
void balancer_health_begin(struct object *lb);
/* A monitor looks at HTTP as it is told to, or as usual. */
void balancer_monitor_defaults(json_t *in);
/* Whether a member gets connections: as the checks say, up where nothing is checked. */
bool balancer_member_up(const struct object *member);
/* The monitor of a pool that is switched on, or NULL. */
struct object *balancer_monitor(const struct object *pool);

/* --- balancer_misc.c ---------------------------------------------------------------------------
 */

void balancer_versions(struct call *c);
void balancer_version(struct call *c);
void balancer_providers(struct call *c);
void balancer_empty(struct call *c); /* flavors, zones: none */
void balancer_no_flavor(struct call *c);
void balancer_forbidden(struct call *c);
void balancer_quotas(struct call *c);
void balancer_quota_show(struct call *c);
bool balancer_has_provider(const struct sim *s, const char *name);

#endif

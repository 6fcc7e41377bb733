/*
 * volume.h - cinder, and what nova asks of it. Thread: the loop's.
 */
#ifndef SIM_VOLUME_H
#define SIM_VOLUME_H

#include "sim/call.h"

struct volume_plan {
	const char *project, *user, *name;
	const char *image, *snapshot, *volume; /* made from one of them, ids, or all NULL */
	const char *type;                      /* name or id; NULL: the default */
	const char *zone;                      /* NULL: az1 */
	int64_t gib;
	enum made_by by;
	bool stuck, error; /* faults */
};

/* "creating" at once, "available" (or "error") after a drawn time. Borrows. */
struct object *volume_make(struct sim *s, const struct volume_plan *plan);
/* Over quota for one more of so many GiB? Answers then in cinder's form and returns false. */
bool volume_quota(struct call *c, int64_t gib);

/* The way of an attachment: available -> reserved -> attaching -> in-use. Nova calls the first when
 * it takes the request (false: the volume is in another state), the second when the server's host
 * comes to it; after a drawn time the volume is in-use and `done` (may be NULL) is called. */
bool volume_reserve(struct object *v);
void volume_attach(struct object *v, const char *server, const char *attachment, const char *device,
	const char *host, void (*done)(struct object *v));
/* in-use -> detaching -> available after a drawn time; also takes back a reservation, at once:
 * `done` (may be NULL) is then called from in here. */
void volume_detach(struct object *v, void (*done)(struct object *v));
/* As if its owner had asked for it, attached or not: nova with delete_on_termination. One with
 * snapshots stays, since cinder refuses to delete it. */
void volume_delete(struct object *v);

/* The types of the lab: files, the default, and __DEFAULT__. */
void volume_seed(struct sim *s);

/* --- for the files of this service -------------------------------------------------------------
 */

enum volume_key_flags {
	KEY_BRIEF = 1, /* in lists without detail */
	KEY_WHOLE = 2, /* not in the answer to a create or a change */
};

struct volume_key { /* a member of a document */
	const char *name;
	int since; /* minor of the microversion */
	unsigned flags;
};

enum field_type {
	FIELD_ANY,
	FIELD_NAME, /* text of at most 255 characters, or null */
	FIELD_UUID,
	FIELD_UUID_OR_NULL,
	FIELD_SIZE, /* a number from 1, or its digits */
	FIELD_SIZE_OR_NULL,
	FIELD_META, /* {text: text} or null */
	FIELD_BOOL,
};

struct volume_field { /* a member of a request's body */
	const char *name;
	enum field_type type;
	bool required;
	int since;
};

struct volume_resource {
	enum kind kind;
	const char *name, *collection, *title; /* "volume", "volumes", "Volume" */
	const struct volume_key *keys;
	size_t n;
	const char *filters; /* those of members, separated by spaces */
	const struct volume_field *changes;
	size_t change_n;
	bool change_needs_one; /* a PUT must change something */
	void (*create)(struct call *c);
	void (*remove)(struct call *c, struct object *o);
};

extern const struct volume_resource volume_resource, snapshot_resource, backup_resource;

enum volume_extent { EXTENT_BRIEF, EXTENT_ANSWER, EXTENT_WHOLE };

/* volume.c */
struct object *volume_find(struct call *c, const struct volume_resource *r, const char *id);
json_t *volume_view(struct call *c, const struct volume_resource *r, const struct object *o,
	enum volume_extent extent);
const char *volume_status(const struct object *o);
void volume_set_status(struct object *o, const char *status); /* and updated_at */
/* After object_new(): what all documents have, the lag of lists. */
void volume_common(struct object *o, const char *name, const char *description, json_t *metadata);
/* 403 in cinder's words. */
void volume_forbid(struct call *c, const char *policy);

/* volume_schema.c: the member `wrapper` of the body if it fits, else NULL after a 400 answer.
 * From microversion `strict` on, members that are not in the table are refused. Borrows. */
json_t *volume_body(struct call *c, const char *wrapper, const struct volume_field *fields,
	size_t n, int strict);
/* Whether these are texts, as metadata must be; answers otherwise. */
bool volume_metadata_good(struct call *c, const json_t *metadata);
/* True, "yes", "1", … as strutils.bool_from_string() reads it. */
bool volume_bool(const json_t *v);

/* volume_list.c, volume_meta.c, volume_action.c, volume_misc.c */
void volume_list(struct call *c, const struct volume_resource *r, bool detail);
void volume_meta_list(struct call *c);
void volume_meta_merge(struct call *c);
void volume_meta_replace(struct call *c);
void volume_meta_show(struct call *c);
void volume_meta_set(struct call *c);
void volume_meta_remove(struct call *c);
void volume_action(struct call *c);
void volume_summary(struct call *c);
void backup_restore(struct call *c);
void volume_types(struct call *c);
void volume_type_show(struct call *c);
void volume_type_specs(struct call *c);
void volume_zones(struct call *c);
void volume_limits(struct call *c);
void volume_quota_show(struct call *c);
void volume_filters(struct call *c);
void volume_extensions(struct call *c);
/* By name or id, NULL: the default type; answers 404 when there is none. */
struct object *volume_type_find(struct call *c, const char *name);
struct object *volume_type_of(struct sim *s, const char *name); /* the same, silent */

/* volume_quota.c: one snapshot or backup more; answer 413 otherwise. */
bool snapshot_quota(struct call *c, int64_t gib);
bool backup_quota(struct call *c, int64_t gib);
/* gigabytes alone: a volume grows. */
bool volume_quota_grow(struct call *c, int64_t gib);

/* volume_snapshot.c */
bool volume_has_snapshots(const struct object *v);
void snapshots_delete_of(const struct object *v); /* cascade: all, now */
/* volume_life.c */
void volume_extend(struct object *v, int64_t gib, bool error);
/* deleting; with `error` it ends in error_deleting. */
void volume_begin_delete(struct object *v, bool cascade, bool error);
void volume_add_attachment(struct object *v, const char *server, const char *attachment,
	const char *device, const char *host);
/* Where a refused image's size or state is said; false after an answer. */
bool volume_image_fits(struct call *c, const struct object *image, int64_t gib);

#endif

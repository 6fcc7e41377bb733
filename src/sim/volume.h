/*
 * volume.h - cinder, and what nova asks of it. Thread: the loop's.
 */
#ifndef SIM_VOLUME_H
#define SIM_VOLUME_H

#include "sim/call.h"

struct volume_plan {
	const char *project, *user, *name;
	const char *image, *snapshot, *volume; /* made from one of them, ids, or all NULL */
	const char *type;                      /* name or NULL */
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
/* in-use -> detaching -> available after a drawn time; also takes back a reservation, at once. */
void volume_detach(struct object *v, void (*done)(struct object *v));
/* As if its owner had asked for it, without checks: nova with delete_on_termination. */
void volume_delete(struct object *v);

#endif

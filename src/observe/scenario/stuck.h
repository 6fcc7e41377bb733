/*
 * stuck.h - an object that does not go: what is seen of it, and whether only an administrator can
 * end it. Teardown and sweeps ask the same; the rule itself stands in the kind's row (`stuck`,
 * `holders`, `fix`). Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_STUCK_H
#define OBSERVE_SCENARIO_STUCK_H

#include "observe/scenario/journal.h"
#include "openstack/cloud.h"
#include "openstack/kind.h"

struct stuck {
	int status;    /* of the last answer to its delete; 0: none yet */
	char *message; /* what that said; NULL: nothing */
	char request_id[REQUEST_ID_TEXT], service_request_id[96]; /* of that request */
	json_t *object;                                           /* as last seen; NULL: not */
	char *holder; /* id of what holds it and is not ours */
	bool held;    /* by something of ours: that goes first */
};

void stuck_fini(struct stuck *s); /* may be used again */
/* An answer to its delete. */
void stuck_removed(struct stuck *s, const struct cloud_answer *a);
/* An answer to its get; knows who of ours holds it, where the object itself says so. */
void stuck_looked(
	struct stuck *s, struct journal *j, const struct kind *k, const struct cloud_answer *a);
/* The request for the list of what holds it; false: the kind has none, or none is to be asked for
 * since nothing was refused. */
bool stuck_wants_holders(
	const struct stuck *s, const struct kind *k, const json_t *path, struct kind_request *ret);
/* Who holds it: the items of that list. */
void stuck_holders(struct stuck *s, struct journal *j, const json_t *items);
/* "ports" of "/ports?network_id=…"; borrows of path, returns owned. */
char *stuck_collection(const char *path);
/* Whether a 404 is the service's own absence, and not the object's. */
bool stuck_no_service(const struct cloud_answer *a);
/* Whether its state says that it failed to go: nothing is gained by waiting. */
bool stuck_in_error(const struct cloud_answer *a, const struct kind *k);
/* Whether what was seen needs an administrator. */
bool stuck_needs_admin(const struct stuck *s, const struct kind *k);
/* journal_stuck() with all of it: OBJECT_NEEDS_ADMIN or, where that is not so, `otherwise`. Returns
 * the fate. `why` is a sentence for people, to which the state is added. */
enum object_fate stuck_write(const struct stuck *s, struct journal *j, int64_t row,
	const struct kind *k, const char *id, const json_t *path, enum object_fate otherwise,
	const char *why);

#endif

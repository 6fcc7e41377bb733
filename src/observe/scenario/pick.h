/*
 * pick.h - what `auto` means: pickers by the last word of a param's name (image, flavor, external,
 * volume_type, dns, servers …, also with a prefix: jh_image).
 *
 * image: the smallest active public or shared bootable image that a guest log-in is known for;
 * flavor: the smallest that fits the image; external: the only network with router:external;
 * servers: the cloud's name servers (`dns` of its configuration, else as designate tells them).
 * More than one equally good candidate is an error that lists them. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_PICK_H
#define OBSERVE_SCENARIO_PICK_H

#include "observe/scenario/scenario.h"
#include "openstack/cloud.h"

/* Whether a param of this name may say `auto`. */
bool pick_known(struct slice param);
/* The user a guest of this image lets in: its property os_admin_user or image_original_user, else
 * by os_distro or the name's first word; NULL when nobody knows. Borrows. */
const char *pick_image_user(const json_t *image);
/* GiB of the smallest volume the image fits in; at least 1. */
int64_t pick_image_gib(const json_t *image);
/* Fills every `auto` param that `given` does not have. done(picked): {"image": {"value": id, "why":
 * "the only …", "name": …}}, for images also "user" and "size_gib", and then for given ones too;
 * borrowed; or the error, with the service whose failure it is, if it is one's. Called once, never
 * from in here. */
struct pick;
struct pick *pick_start(struct cloud *c, const struct scenario *s, const json_t *given,
	void (*done)(void *arg, const json_t *picked, const struct error *err,
		const struct cloud_failure *f),
	void *arg);
void pick_cancel(struct pick *p);

#endif

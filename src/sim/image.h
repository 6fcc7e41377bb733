/*
 * image.h - glance, and what nova and cinder ask of it. Thread: the loop's.
 *
 * Data is kept in unlinked temporary files, so that an image of any size costs no memory.
 */
#ifndef SIM_IMAGE_H
#define SIM_IMAGE_H

#include "sim/call.h"

/* The public image "lab-guest" of a few KiB, active. */
void image_seed(struct sim *s);
/* The image by id if this project sees it, else NULL (nothing is answered). */
struct object *image_visible(struct sim *s, const char *project, const char *id);
/* An image that nova makes of a server: queued, then saving, then active after the drawn time
 * TIME_SERVER_SNAPSHOT; `properties` {base_image_ref: …} is taken. Borrows. */
struct object *image_of_server(
	struct sim *s, const char *project, const char *user, const char *name, json_t *properties);

#endif

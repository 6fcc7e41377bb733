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

/* --- for the files of this service -------------------------------------------------------------
 */

enum image_flags {
	IMAGE_READONLY = 1,
	IMAGE_NULL = 2, /* may be null */
};

enum image_type { IMAGE_TEXT, IMAGE_INT, IMAGE_BOOL, IMAGE_UUID, IMAGE_WORDS, IMAGE_TAGS };

struct image_attr { /* what every image has; everything else is a property, a text */
	const char *name;
	enum image_type type;
	unsigned flags;
	const char *otherwise; /* JSON text of what a new image has; NULL: nothing */
	const char *words;     /* separated by spaces */
	const char *help;
};

/* image.c */
json_t *image_view(const struct object *o);
/* The image by id, else NULL after a 404. */
struct object *image_find(struct call *c, const char *id);
/* The same, if the project may also change it (403 otherwise: "…complete ACTION action."). */
struct object *image_owned(struct call *c, const char *id, const char *action);
void image_touch(struct object *o);
/* An error with webob's `detail` below the explanation. */
void image_fail_detail(struct call *c, int status, const char *fmt, ...) like_printf(3, 4);

/* image_schema.c */
const struct image_attr *image_attr(const char *name); /* NULL: a property */
const struct image_attr *image_attrs(size_t *ret_n);
/* Whether a member may be set to that value by a member; answers 400 or 403 otherwise. */
bool image_check(struct call *c, const char *name, const json_t *value);
/* Sorted, without doubles, as glance keeps them. Returns owned. */
json_t *image_tags(const json_t *list);
void image_schema(struct call *c);
void image_schema_list(struct call *c);

/* image_list.c, image_patch.c, image_data.c */
void image_list(struct call *c);
void image_patch(struct call *c);
void image_upload(struct call *c, bool begins);
void image_put_data(struct call *c);
void image_get_data(struct call *c);
/* Gives the image these bytes and makes it active. Copies. */
void image_fill(struct object *o, const void *p, size_t n);

#endif

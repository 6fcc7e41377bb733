/*
 * objectstore.h - swift: an account a project, containers, objects. Thread: the loop's.
 *
 * Names are theirs alone, so containers and objects have drawn ids that nobody sees but /sim/left;
 * an object's document holds the id of its container. The account is what the project's document
 * has under ".account" once something was put there.
 */
#ifndef SIM_OBJECTSTORE_H
#define SIM_OBJECTSTORE_H

#include "sim/call.h"
#include "sim/upload.h"

/* --- for the files of this service ------------------------------------------------------------ */

/* objectstore.c */
/* Whether the path names the account of the caller's project; answers 403 otherwise. */
bool objectstore_own(struct call *c);
/* A page of this status with swift's own words. */
void objectstore_page(struct call *c, int status);
/* An account comes to be when something is put there. Returns its document, borrowed. */
json_t *objectstore_account(struct call *c, bool make);
/* "1795686478.08705"; returns `text` (32 bytes). */
const char *objectstore_timestamp(int64_t us, char *text);
/* Answers as swift does when it has done what was asked: 202 and 201 with their pages. */
void objectstore_done(struct call *c, int status);

struct usage {
	int64_t containers, objects, bytes;
};
/* What listings show of a project, or of one container of it (NULL: of all). */
struct usage objectstore_usage(struct sim *s, const char *project, const struct object *container);

/* objectstore_meta.c: headers that services keep and give back */
/* The headers "x-KIND-meta-*" of the request as an object, names without the prefix, in lower case,
 * NULL after a 400. Returns owned. */
json_t *objectstore_meta(struct call *c, const char *kind);
/* Changes `meta` as a POST does: what is sent is set, what is empty or named by
 * "x-remove-KIND-meta-*" goes. */
void objectstore_meta_merge(struct call *c, const char *kind, json_t *meta);
void objectstore_meta_show(struct call *c, const char *kind, const json_t *meta);

/* objectstore_container.c */
/* The living container of that name, or NULL. */
struct object *objectstore_container(struct call *c, const char *name);
void objectstore_put_container(struct call *c);
void objectstore_get_container(struct call *c);
void objectstore_post_container(struct call *c);
void objectstore_delete_container(struct call *c);

/* objectstore_object.c */
void objectstore_put_object(struct call *c);
void objectstore_get_object(struct call *c);
void objectstore_post_object(struct call *c);
void objectstore_copy_object(struct call *c);
void objectstore_delete_object(struct call *c);

/* objectstore_list.c */
struct entry {
	const char *name; /* borrowed */
	json_t *row;      /* as the JSON listing has it; owned by who made it */
};
enum listing { LISTING_NONE, LISTING_TEXT, LISTING_JSON, LISTING_XML };
/* The form the client wants; answers 406 or 412 and returns LISTING_NONE otherwise. */
enum listing objectstore_listing(struct call *c);
/* Answers with the entries that the arguments of the request name, in order. Orders them and takes
 * their rows; `what` is "account" or "container", `name` its name, for XML. */
void objectstore_list(struct call *c, enum listing form, const char *what, const char *name,
	struct entry *entries, size_t n);

/* objectstore_data.c: the bytes of objects, shared by copies */
struct blob;                                          /* counted */
struct blob *blob_new(const struct upload_result *r); /* takes its descriptor */
struct blob *blob_ref(struct blob *b);
void blob_unref(struct blob *b);
int64_t blob_size(const struct blob *b);
/* Answers with n bytes from `from` on. */
void blob_answer(
	struct call *c, int status, const char *type, struct blob *b, int64_t from, int64_t n);

#endif

/*
 * keymanager.h - barbican: secrets with their payload, containers of secrets, orders. Thread: the
 * loop's.
 *
 * A secret's document is what members see, without its keymanager_ref; besides it holds ".payload"
 * (base64) and ".metadata".
 */
#ifndef SIM_KEYMANAGER_H
#define SIM_KEYMANAGER_H

#include "sim/call.h"

#define PAYLOAD_MAX 20000

/* --- for the files of this service ------------------------------------------------------------ */

/* keymanager.c */
/* "…/v1/WHAT/ID", in a URL whose host the service chooses. Returns owned. */
char *keymanager_ref(const struct call *c, const char *what, const char *id);
/* {WHAT_ref: URL} with 201 or 202, and where it is. */
void keymanager_answer_ref(struct call *c, int status, const char *what, const char *id);
/* The object that the path names, else NULL after a 404 in the words for `what`. */
struct object *keymanager_find(
	struct call *c, enum kind k, const char *id, const char *what, const char *missing);
/* The same for a secret. */
struct object *keymanager_of(struct call *c);
/* With the members every kind has: created, updated, status, creator_id. Faults have their effect.
 */
struct object *keymanager_new(struct call *c, enum kind k);
void keymanager_touch(struct object *o);
/* 403 unless there is room for one more. */
bool keymanager_room(struct call *c, enum kind k, int64_t limit);
/* 415 unless the request says that its body is JSON. */
bool keymanager_json(struct call *c);
/* Removes it, answers 204. */
void keymanager_delete(struct call *c, struct object *o);
/* Answers with the page that `limit` and `offset` name of the kind's objects that `fits` (NULL:
 * all), as {WHAT: [view …], "total": n}. */
void keymanager_page(struct call *c, enum kind k, const char *what,
	bool (*fits)(const struct call *c, const struct object *o),
	json_t *(*view)(struct call *c, const struct object *o));

/* keymanager_check.c: what the schemas say; each answers 400 or 413 and returns false otherwise */
bool keymanager_check(struct call *c);
bool keymanager_check_container(struct call *c);
bool keymanager_check_order(struct call *c);

/* keymanager_payload.c */
void keymanager_set_payload(struct object *o, const char *type, const void *p, size_t n);
void keymanager_put_payload(struct call *c);
void keymanager_get_payload(struct call *c);
void keymanager_answer_payload(struct call *c, const struct object *o);
/* Whether the client asks for the payload when it asks for the secret, as before there was a path
 * of its own for that. */
bool keymanager_wants_payload(const struct call *c);

/* keymanager_meta.c */
void keymanager_get_meta(struct call *c);
void keymanager_put_meta(struct call *c);
void keymanager_post_meta(struct call *c);
void keymanager_get_meta_key(struct call *c);
void keymanager_put_meta_key(struct call *c);
void keymanager_delete_meta_key(struct call *c);

/* keymanager_container.c */
void keymanager_create_container(struct call *c);
void keymanager_list_containers(struct call *c);
void keymanager_show_container(struct call *c);
void keymanager_delete_container(struct call *c);
void keymanager_create_order(struct call *c);
void keymanager_list_orders(struct call *c);
void keymanager_show_order(struct call *c);
void keymanager_delete_order(struct call *c);

#endif

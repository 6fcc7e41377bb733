/*
 * compute_body.h - the bodies of nova's requests, checked. Thread: the loop's.
 */
#ifndef SIM_COMPUTE_BODY_H
#define SIM_COMPUTE_BODY_H

#include "sim/call.h"

/* Each: body[wrapper] if it is what nova's schema allows, else NULL after a 400. */
json_t *body_server(struct call *c);
json_t *body_server_update(struct call *c);
json_t *body_rebuild(struct call *c);
json_t *body_reboot(struct call *c);
json_t *body_resize(struct call *c);
json_t *body_image(struct call *c);
json_t *body_console(struct call *c);
bool body_lock(struct call *c);
json_t *body_keypair(struct call *c);
json_t *body_group(struct call *c);
json_t *body_metadata(struct call *c);
json_t *body_meta(struct call *c);
json_t *body_tags(struct call *c);
json_t *body_interface(struct call *c);
json_t *body_attachment(struct call *c);

/* A number or its digits, a truth or one of the words that nova takes for it. */
int64_t body_int(const json_t *in, const char *key, int64_t otherwise);
bool body_flag(const json_t *in, const char *key);

#endif

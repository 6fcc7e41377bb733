/*
 * identity.h - keystone v3, parts shared by the files of that service. Thread: the loop's.
 */
#ifndef SIM_IDENTITY_H
#define SIM_IDENTITY_H

#include "sim/call.h"

/* The "token" object of an answer, in full. Returns owned. */
json_t *identity_token(struct call *c, struct token *t);
/* The catalog of a project, without the service types that a fault hides. Returns owned. */
json_t *identity_catalog(struct call *c, const char *project);
/* "2026-11-24T13:31:05.000000Z"; returns `text` (40 bytes). */
const char *identity_time(int64_t unix_us, char *text);
/* {"id": "default", "name": "Default"} */
json_t *identity_domain(void);
json_t *identity_role(struct sim *s);

void identity_authenticate(struct call *c);
void identity_show_token(struct call *c);
void identity_revoke_token(struct call *c);

void identity_list_credentials(struct call *c);
void identity_create_credential(struct call *c);
void identity_show_credential(struct call *c);
void identity_delete_credential(struct call *c);
/* The application credential's document as members see it. Returns owned. */
json_t *identity_credential_view(struct call *c, const struct object *o);

#endif

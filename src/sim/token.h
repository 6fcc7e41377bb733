/*
 * token.h - what keystone remembers of the tokens it gave. Thread: the loop's.
 */
#ifndef SIM_TOKEN_H
#define SIM_TOKEN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "sim/object.h"

struct token {
	char *text;
	char user[PROJECT_TEXT], project[PROJECT_TEXT]; /* project "" when unscoped */
	char domain[PROJECT_TEXT];                      /* scoped to a domain, or "" */
	char audit[24];
	char app_credential[PROJECT_TEXT];
	int64_t issued_us, expires_us;
	bool revoked;
	json_t *methods; /* ["password"] */
	json_t *catalog; /* as it was given out; NULL when unscoped */
};

struct token_scope {
	const char *user, *project, *domain, *app_credential;
	int64_t expires_us; /* 0: the usual life */
};

/* Makes and keeps one. Takes `methods`. Borrows from the sim. */
struct token *token_new(struct sim *s, const struct token_scope *scope, json_t *methods);
/* A token that is good now, or NULL. `text` may be NULL. */
const struct token *token_check(struct sim *s, const char *text);
void token_revoke(struct sim *s, const char *text); /* unknown texts are ignored */
/* Revokes all of an application credential. */
void token_revoke_credential(struct sim *s, const char *id);
void tokens_fini(struct sim *s);

#endif

#include "sim/token.h"

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "sim/state.h"

struct token *token_new(struct sim *s, const struct token_scope *scope, json_t *methods)
{
	struct token *t = mem_new(struct token);
	struct random *r = draw_sequence(&s->draw, "token");
	uint8_t bytes[96];

	/* as long as a fernet token of a project, and of the same letters */
	random_fill(r, bytes, sizeof(bytes));
	char *text = base64_encode(bytes, sizeof(bytes));
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	t->text = mem_printf("gAAAAA%s", text);
	free(text);
	snprintf(t->audit, sizeof(t->audit), "%.22s", t->text + 40);
	snprintf(t->user, sizeof(t->user), "%s", scope->user);
	snprintf(t->project, sizeof(t->project), "%s", scope->project ? scope->project : "");
	snprintf(t->domain, sizeof(t->domain), "%s", scope->domain ? scope->domain : "");
	snprintf(t->app_credential, sizeof(t->app_credential), "%s",
		scope->app_credential ? scope->app_credential : "");
	t->issued_us = clock_unix_us(loop_clock(s->loop));
	t->expires_us =
		scope->expires_us ? scope->expires_us : t->issued_us + s->token_ns / NS_PER_US;
	t->methods = methods;
	map_put(&s->tokens, t->text, t);
	return t;
}

const struct token *token_check(struct sim *s, const char *text)
{
	const struct token *t = text ? map_get(&s->tokens, text) : NULL;

	if (!t || t->revoked || clock_unix_us(loop_clock(s->loop)) >= t->expires_us)
		return NULL;
	return t;
}

void token_revoke(struct sim *s, const char *text)
{
	struct token *t = text ? map_get(&s->tokens, text) : NULL;

	if (t)
		t->revoked = true;
}

void token_revoke_credential(struct sim *s, const char *id)
{
	MAP_EACH (&s->tokens, e) {
		struct token *t = e->value;

		if (!strcmp(t->app_credential, id))
			t->revoked = true;
	}
}

void tokens_fini(struct sim *s)
{
	MAP_EACH (&s->tokens, e) {
		struct token *t = e->value;

		json_decref(t->methods);
		json_decref(t->catalog);
		free(t->text);
		free(t);
	}
	map_fini(&s->tokens);
}

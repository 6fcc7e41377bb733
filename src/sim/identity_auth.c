/*
 * identity_auth.c - log-in: password, token, application credential; scopes; showing and revoking
 * tokens. A wrong password, an unknown user and a disabled or expired credential all answer the
 * same 401, as keystone does.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/identity.h"
#include "sim/seed.h"
#include "sim/state.h"

struct login {
	const struct object *user;
	const struct object *credential; /* application credential used, or NULL */
	const struct token *from;        /* token used, or NULL */
	json_t *methods;
};

static void refuse(struct call *c)
{
	call_header(c, "WWW-Authenticate", "Keystone uri=\"%s/identity\"", c->sim->url);
	call_fail(c, 401, NULL, "The request you have made requires authentication.");
}

static void malformed(struct call *c, const char *what)
{
	call_fail(c, 400, NULL,
		"%s. The server could not comply with the request since it is either malformed or "
		"otherwise incorrect. The client is assumed to be in error.",
		what);
}

static bool domain_fits(const json_t *domain)
{
	const char *id = json_str(domain, "id"), *name = json_str(domain, "name");

	return (id && !strcmp(id, SEED_DOMAIN)) || (!id && name && !strcmp(name, "Default"));
}

/* A user or project by {"id"} or {"name", "domain"}. */
static const struct object *find(struct call *c, enum kind k, const json_t *who)
{
	const char *id = json_str(who, "id"), *name = json_str(who, "name");

	if (id)
		return object_get(c->sim, k, id);
	if (!name || !domain_fits(json_object_get(who, "domain")))
		return NULL;
	OBJECT_EACH (c->sim, k, o)
		if (!strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

static bool by_password(struct call *c, const json_t *identity, struct login *l)
{
	const json_t *user = json_at(identity, "password", "user", NULL);
	const char *password = json_str(user, "password");

	l->user = find(c, KIND_USER, user);
	return l->user && password && !strcmp(password, SEED_PASSWORD);
}

static bool by_token(struct call *c, const json_t *identity, struct login *l)
{
	l->from = token_check(c->sim, json_str(json_object_get(identity, "token"), "id"));
	l->user = l->from ? object_get(c->sim, KIND_USER, l->from->user) : NULL;
	return l->user != NULL;
}

static const struct object *find_credential(struct call *c, const json_t *ac)
{
	const char *id = json_str(ac, "id"), *name = json_str(ac, "name");

	if (id)
		return object_get(c->sim, KIND_APP_CREDENTIAL, id);
	const struct object *user = find(c, KIND_USER, json_object_get(ac, "user"));
	OBJECT_EACH (c->sim, KIND_APP_CREDENTIAL, o)
		if (user && name && !strcmp(o->user, user->id) &&
			!strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

static bool by_credential(struct call *c, const json_t *identity, struct login *l)
{
	const json_t *ac = json_object_get(identity, "application_credential");
	const char *secret = json_str(ac, "secret");
	const struct object *o = find_credential(c, ac);
	int64_t expires_us;
	char *expires;

	if (!o || !secret || strcmp(secret, object_str(o, ".secret")))
		return false;
	expires = mem_printf("%sZ", object_str(o, "expires_at"));
	bool over = clock_parse_rfc3339(expires, &expires_us) &&
		    expires_us <= clock_unix_us(loop_clock(c->sim->loop));
	free(expires);
	l->credential = o;
	l->user = object_get(c->sim, KIND_USER, o->user);
	return l->user && !over;
}

static bool check_methods(struct call *c, const json_t *identity, struct login *l)
{
	static const struct {
		const char *name;
		bool (*check)(struct call *c, const json_t *identity, struct login *l);
	} known[] = {{"password", by_password}, {"token", by_token},
		{"application_credential", by_credential}};
	json_t *methods = json_object_get(identity, "methods"), *m;
	size_t i;

	json_array_foreach (methods, i, m) {
		bool good = false;
		for (size_t k = 0; k < array_len(known); k++)
			if (json_is_string(m) && !strcmp(json_string_value(m), known[k].name))
				good = known[k].check(c, identity, l);
		if (!good)
			return false;
	}
	l->methods = json_deep_copy(methods);
	return json_array_size(methods) > 0;
}

static bool is_member(const struct object *user, const struct object *project)
{
	size_t i;
	json_t *p;

	json_array_foreach (json_object_get(user->doc, ".projects"), i, p)
		if (!strcmp(json_string_value(p), project->id))
			return true;
	return false;
}

/* What the token is for; false when this user may not have that. */
static bool find_scope(
	struct call *c, const json_t *auth, const struct login *l, struct token_scope *ret)
{
	const json_t *scope = json_object_get(auth, "scope");
	const json_t *project = json_object_get(scope, "project");

	if (l->credential) {
		if (scope) /* the credential is its scope */
			return false;
		ret->project = l->credential->project;
		ret->app_credential = l->credential->id;
		return true;
	}
	if (json_object_get(scope, "domain") || json_object_get(scope, "system"))
		return false; /* nobody here has a role on a domain */
	if (!project)
		return true;
	const struct object *p = find(c, KIND_PROJECT, project);
	ret->project = p ? p->id : NULL;
	return p && l->user && is_member(l->user, p);
}

void identity_authenticate(struct call *c)
{
	const json_t *auth = json_object_get(c->body, "auth");
	const json_t *identity = json_object_get(auth, "identity");
	struct login l = {0};
	struct token_scope scope = {0};

	if (!json_is_object(auth) || !json_is_object(identity)) {
		malformed(c, json_is_object(auth) ? "Expecting to find identity in auth"
						  : "Expecting to find auth in request body");
		return;
	}
	if (!json_is_array(json_object_get(identity, "methods"))) {
		malformed(c, "Expecting to find methods in identity");
		return;
	}
	if (!check_methods(c, identity, &l) || !find_scope(c, auth, &l, &scope)) {
		json_decref(l.methods);
		refuse(c);
		return;
	}
	scope.user = l.user->id;
	if (l.from)
		scope.expires_us = l.from->expires_us; /* a token never outlives its parent */
	struct token *t = token_new(c->sim, &scope, l.methods);
	call_header(c, "X-Subject-Token", "%s", t->text);
	call_header(c, "Vary", "X-Auth-Token");
	memcpy(c->project, t->project, sizeof(c->project));
	memcpy(c->user, t->user, sizeof(c->user));
	call_json(c, 201, json_pack("{s:o}", "token", identity_token(c, t)));
}

static void add_scope(struct call *c, const struct token *t, json_t *out)
{
	const struct object *p = object_get(c->sim, KIND_PROJECT, t->project);

	if (!p)
		return;
	json_object_set_new(out, "project",
		json_pack("{s:o, s:s, s:s}", "domain", identity_domain(), "id", p->id, "name",
			object_str(p, "name")));
	json_object_set_new(out, "is_domain", json_false());
	json_object_set_new(out, "roles", json_pack("[o]", identity_role(c->sim)));
}

static void add_credential(struct call *c, const struct token *t, json_t *out)
{
	const struct object *o = object_get(c->sim, KIND_APP_CREDENTIAL, t->app_credential);

	if (o)
		json_object_set_new(out, "application_credential",
			json_pack("{s:s, s:s, s:b}", "id", o->id, "name", object_str(o, "name"),
				"restricted", !json_flag(o->doc, "unrestricted")));
}

json_t *identity_token(struct call *c, struct token *t)
{
	const struct object *u = object_get(c->sim, KIND_USER, t->user);
	char issued[40], expires[40];
	json_t *out = json_pack("{s:O, s:{s:o, s:s, s:s, s:n}, s:[s], s:s, s:s}", "methods",
		t->methods, "user", "domain", identity_domain(), "id", t->user, "name",
		object_str(u, "name"), "password_expires_at", "audit_ids", t->audit, "expires_at",
		identity_time(t->expires_us, expires), "issued_at",
		identity_time(t->issued_us, issued));

	add_scope(c, t, out);
	add_credential(c, t, out);
	if (*t->project && !t->catalog)
		t->catalog = identity_catalog(c, t->project);
	if (t->catalog && !call_query(c, "nocatalog"))
		json_object_set(out, "catalog", t->catalog);
	return out;
}

static struct token *subject(struct call *c)
{
	struct token *t = (struct token *)token_check(c->sim, c->subject_text);

	if (t && !strcmp(t->user, c->user))
		return t;
	call_fail(c, 404, NULL, "Failed to validate token");
	return NULL;
}

void identity_show_token(struct call *c)
{
	struct token *t = subject(c);

	if (!t)
		return;
	call_header(c, "X-Subject-Token", "%s", t->text);
	call_json(c, 200, json_pack("{s:o}", "token", identity_token(c, t)));
}

void identity_revoke_token(struct call *c)
{
	if (!subject(c))
		return;
	token_revoke(c->sim, c->subject_text);
	call_empty(c, 204);
}

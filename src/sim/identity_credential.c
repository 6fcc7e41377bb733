/*
 * identity_credential.c - application credentials of a user: named once per user, the secret shown
 * only in the answer that makes one.
 */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/json.h"
#include "sim/identity.h"
#include "sim/state.h"

json_t *identity_credential_view(struct call *c, const struct object *o)
{
	char *self = mem_printf(
		"%s/identity/v3/users/%s/application_credentials/%s", call_url(c), o->user, o->id);
	json_t *v = json_object(), *value, *role = identity_role(c->sim);
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(v, key, value);
	json_object_set_new(role, "domain_id", json_null());
	json_object_set_new(role, "description", json_null());
	json_object_set_new(role, "options", json_pack("{s:b}", "immutable", 1));
	json_object_set_new(v, "user_id", json_string(o->user));
	json_object_set_new(v, "roles", json_pack("[o]", role));
	json_object_set_new(v, "system", json_null());
	json_object_set_new(v, "links", json_pack("{s:s}", "self", self));
	free(self);
	return v;
}

static bool own(struct call *c, const char *action)
{
	if (!strcmp(c->params[0], c->user))
		return true;
	call_fail(c, 403, NULL, "You are not authorized to perform the requested action: %s.",
		action);
	return false;
}

static struct object *find(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_APP_CREDENTIAL, c->params[1]);

	if (o && !strcmp(o->user, c->user))
		return o;
	call_fail(c, 404, NULL, "Could not find Application Credential: %s.", c->params[1]);
	return NULL;
}

void identity_list_credentials(struct call *c)
{
	const char *name = call_query(c, "name");
	json_t *list = json_array();

	if (!own(c, "identity:list_application_credentials")) {
		json_decref(list);
		return;
	}
	OBJECT_EACH (c->sim, KIND_APP_CREDENTIAL, o)
		if (!strcmp(o->user, c->user) && object_listed(o) &&
			(!name || !strcmp(name, object_str(o, "name"))))
			json_array_append_new(list, identity_credential_view(c, o));
	char *self = mem_printf("%s/identity%s", call_url(c), c->path);
	call_json(c, 200,
		json_pack("{s:{s:n, s:s, s:n}, s:o}", "links", "next", "self", self, "previous",
			"application_credentials", list));
	free(self);
}

static bool name_free(struct call *c, const char *name)
{
	OBJECT_EACH (c->sim, KIND_APP_CREDENTIAL, o)
		if (!strcmp(o->user, c->user) && !strcmp(object_str(o, "name"), name)) {
			call_fail(c, 409, NULL,
				"Conflict occurred attempting to store application_credential - "
				"Duplicate entry found with name %s.",
				name);
			return false;
		}
	return true;
}

/* "2026-11-24T13:31:05.000000", with or without a zone; kept without. */
static bool read_expiry(struct call *c, const json_t *v, char *ret)
{
	const char *text = json_string_value(v);
	int64_t us;

	*ret = 0;
	if (!v || json_is_null(v))
		return true;
	char *zoned = mem_printf("%sZ", text ? text : "");
	bool good = text && (clock_parse_rfc3339(text, &us) || clock_parse_rfc3339(zoned, &us));
	free(zoned);
	if (!good) {
		call_fail(c, 400, NULL,
			"Invalid input for field 'expires_at': '%s' is not a "
			"'date-time'",
			text ? text : "");
		return false;
	}
	if (us <= clock_unix_us(loop_clock(c->sim->loop))) {
		call_fail(c, 400, NULL,
			"The 'expires_at' must not be before now. The server could not comply with the "
			"request since it is either malformed or otherwise incorrect. The client is "
			"assumed to be in error.");
		return false;
	}
	identity_time(us, ret);
	ret[strlen(ret) - 1] = 0;
	return true;
}

void identity_create_credential(struct call *c)
{
	json_t *in = call_wrapped(c, "application_credential");
	const char *name = json_str(in, "name"), *secret = json_str(in, "secret");
	char id[PROJECT_TEXT], expires[40];

	if (!in || !own(c, "identity:create_application_credential"))
		return;
	if (!name) {
		call_fail(c, 400, NULL, "'name' is a required property");
		return;
	}
	if (*c->token->app_credential) {
		call_fail(c, 403, NULL,
			"You are not authorized to perform the requested action: "
			"Using method 'application_credential' is not allowed for "
			"managing additional application credentials..");
		return;
	}
	if (!name_free(c, name) || !read_expiry(c, json_object_get(in, "expires_at"), expires))
		return;
	struct object *o = object_new(c->sim, KIND_APP_CREDENTIAL,
		draw_hex32(&c->sim->draw, "application_credential", id), c->project, c->user);
	object_set_str(o, "id", o->id);
	object_set_str(o, "name", name);
	object_set_str(o, "description", json_str(in, "description"));
	object_set_str(o, "project_id", c->project);
	object_set_str(o, "expires_at", *expires ? expires : NULL);
	object_set(o, "unrestricted",
		json_is_boolean(json_object_get(in, "unrestricted"))
			? json_incref(json_object_get(in, "unrestricted"))
			: json_null());
	if (secret) {
		object_set_str(o, ".secret", secret);
	} else {
		uint8_t bytes[48];
		random_fill(draw_sequence(&c->sim->draw, "secret"), bytes, sizeof(bytes));
		char *made = hex_encode(bytes, sizeof(bytes));
		object_set_str(o, ".secret", made);
		free(made);
	}
	rule_created(c, o);
	json_t *v = identity_credential_view(c, o);
	json_object_set_new(v, "secret", json_string(object_str(o, ".secret")));
	call_json(c, 201, json_pack("{s:o}", "application_credential", v));
}

void identity_show_credential(struct call *c)
{
	struct object *o;

	if (!own(c, "identity:get_application_credential") || !(o = find(c)))
		return;
	call_json(c, 200,
		json_pack("{s:o}", "application_credential", identity_credential_view(c, o)));
}

void identity_delete_credential(struct call *c)
{
	struct object *o;

	if (!own(c, "identity:delete_application_credential") || !(o = find(c)))
		return;
	rule_changed(c, o, true);
	token_revoke_credential(c->sim, o->id);
	object_remove(o);
	call_empty(c, 204);
}

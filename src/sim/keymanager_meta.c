/*
 * keymanager_meta.c - metadata of secrets: texts by key, all at once or one by one; keys are in
 * lower case.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/keymanager.h"
#include "sim/record.h"

static json_t *meta_of(struct object *o)
{
	if (!json_object_get(o->doc, ".metadata"))
		object_set(o, ".metadata", json_object());
	return json_object_get(o->doc, ".metadata");
}

/* Returns owned. */
static char *lower(const char *key)
{
	char *text = mem_strdup(key);

	for (char *p = text; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static void set(json_t *meta, const char *key, const char *value)
{
	char *name = lower(key);

	json_object_set_new(meta, name, json_string(value));
	free(name);
}

void keymanager_get_meta(struct call *c)
{
	struct object *o = keymanager_of(c);

	if (o)
		call_json(c, 200, json_pack("{s:O}", "metadata", meta_of(o)));
}

/* Whether the value is an object of texts. */
static bool texts(const json_t *meta)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)meta, key, value)
		if (!json_is_string(value))
			return false;
	return json_is_object(meta);
}

void keymanager_put_meta(struct call *c)
{
	struct object *o = keymanager_of(c);
	const json_t *in = json_object_get(c->body, "metadata");
	const char *key;
	json_t *value;

	if (!o)
		return;
	if (!texts(in)) {
		call_fail(c, 400, NULL,
			"Provided object does not match schema 'Secret Metadata': 'metadata' is a "
			"required property. Invalid property: 'metadata'");
		return;
	}
	rule_changed(c, o, false);
	object_set(o, ".metadata", json_object());
	json_object_foreach ((json_t *)in, key, value)
		set(meta_of(o), key, json_string_value(value));
	char *ref = keymanager_ref(c, "secrets", o->id), *url = mem_printf("%s/metadata", ref);
	call_json(c, 201, json_pack("{s:s}", "metadata_ref", url));
	free(ref);
	free(url);
}

/* One pair of the body; answers with it. */
static void set_pair(struct call *c, struct object *o, int status)
{
	const char *key = json_str(c->body, "key"), *value = json_str(c->body, "value");

	if (!key || !*key || !value) {
		call_fail(c, 400, NULL,
			"Provided object does not match schema 'SecretMetadatum': 'key' is a "
			"required property. Invalid property: 'key'");
		return;
	}
	if (status == 201 && json_object_get(meta_of(o), key)) {
		call_fail(
			c, 409, NULL, "Conflict. Key in request is already in the secret metadata");
		return;
	}
	rule_changed(c, o, false);
	set(meta_of(o), key, value);
	char *name = lower(key);
	if (status == 201) {
		char *ref = keymanager_ref(c, "secrets", o->id);
		call_header(c, "Location", "%s/metadata/%s", ref, name);
		free(ref);
	}
	call_json(c, status, json_pack("{s:s, s:s}", "key", name, "value", value));
	free(name);
}

void keymanager_post_meta(struct call *c)
{
	struct object *o = keymanager_of(c);

	if (o)
		set_pair(c, o, 201);
}

/* The secret, if it has the key of the path. */
static struct object *with_key(struct call *c)
{
	struct object *o = keymanager_of(c);

	if (o && json_object_get(meta_of(o), c->params[1]))
		return o;
	if (o)
		call_fail(c, 404, NULL, "Secret metadata not found.");
	return NULL;
}

void keymanager_get_meta_key(struct call *c)
{
	struct object *o = with_key(c);

	if (o)
		call_json(c, 200,
			json_pack("{s:s, s:O}", "key", c->params[1], "value",
				json_object_get(meta_of(o), c->params[1])));
}

void keymanager_put_meta_key(struct call *c)
{
	struct object *o = with_key(c);

	if (o)
		set_pair(c, o, 200);
}

void keymanager_delete_meta_key(struct call *c)
{
	struct object *o = with_key(c);

	if (!o)
		return;
	rule_changed(c, o, false);
	json_object_del(meta_of(o), c->params[1]);
	call_empty(c, 204);
}

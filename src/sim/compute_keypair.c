/*
 * compute_keypair.c - key pairs: they belong to a user, in whatever project, and are known by name.
 */

#include <libssh/libssh.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/secret.h"
#include "net/ssh.h"
#include "sim/compute.h"
#include "sim/compute_body.h"
#include "sim/state.h"

#define FINGERPRINT_TEXT 48

struct object *keypair_find(struct sim *s, const char *user, const char *name)
{
	OBJECT_EACH (s, KIND_KEYPAIR, o)
		if (!strcmp(o->user, user) && !strcmp(object_str(o, "name"), name))
			return o;
	return NULL;
}

/* MD5 of the key, as nova shows it: "93:f0:…". False when the line is no public key. */
static bool fingerprint(const char *line, char *text)
{
	struct slice rest = slice_of(line), type, data;
	unsigned char *hash = NULL;
	ssh_key key = NULL;
	size_t n = 0;

	if (!slice_next(&rest, ' ', &type) || !slice_next(&rest, ' ', &data))
		return false;
	char *name = slice_dup(type), *base64 = slice_dup(slice_trim(data));
	const bool good = ssh_pki_import_pubkey_base64(
				  base64, ssh_key_type_from_name(name), &key) == SSH_OK &&
			  ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_MD5, &hash, &n) == 0;
	free(base64);
	free(name);
	*text = 0;
	for (size_t i = 0; good && i < n && 3 * i + 3 < FINGERPRINT_TEXT + 1; i++)
		snprintf(text + 3 * i, 4, "%02x%s", hash[i], i + 1 < n ? ":" : "");
	ssh_clean_pubkey_hash(&hash);
	ssh_key_free(key);
	return good;
}

static json_t *view(struct call *c, const struct object *o, const char *const *keys, size_t n)
{
	json_t *v = json_object();

	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i], "type") || since(c, 2))
			json_object_set(v, keys[i], json_object_get(o->doc, keys[i]));
	return v;
}

void keypairs_list(struct call *c)
{
	static const char *const keys[] = {"name", "public_key", "fingerprint", "type"};
	json_t *views = json_array(), *answer = json_pack("{s:o}", "keypairs", views);
	struct object_list l = {0};

	OBJECT_EACH (c->sim, KIND_KEYPAIR, o)
		if (!strcmp(o->user, c->user) && object_listed(o))
			vec_push(&l, o);
	if (!since(c, 35) || page_cut(c, &l, "name")) {
		for (size_t i = 0; i < l.n; i++)
			json_array_append_new(
				views, json_pack("{s:o}", "keypair",
					       view(c, l.p[i], keys, array_len(keys))));
		if (since(c, 35))
			page_links(c, &l, "name", answer, "keypairs_links");
		call_json(c, 200, json_incref(answer));
	}
	json_decref(answer);
	vec_fini(&l);
}

static bool quota_left(struct call *c)
{
	const int64_t limit = c->sim->quota.key_pairs;
	int64_t used = 0;

	OBJECT_EACH (c->sim, KIND_KEYPAIR, o)
		used += !strcmp(o->user, c->user);
	if ((limit < 0 || used < limit) && !call_hit(c, MISHAP_QUOTA))
		return true;
	call_fail(c, 403, NULL, "Quota exceeded, too many key pairs.");
	return false;
}

static struct object *keypair_make(
	struct call *c, const char *name, const char *public_key, const char *mark)
{
	struct object *o = object_new(c->sim, KIND_KEYPAIR, NULL, c->project, c->user);
	char now[32];

	o->visible_ns = loop_now_ns(c->sim->loop) + draw_time_ns(&c->sim->draw, TIME_LIST_LAG);
	object_set_str(o, "name", name);
	object_set_str(o, "public_key", public_key);
	object_set_str(o, "fingerprint", mark);
	object_set_str(o, "user_id", o->user);
	object_set_str(o, "created_at", compute_time(c->sim, now));
	object_set(o, "deleted", json_false());
	object_set(o, "deleted_at", json_null());
	object_set(o, "id", json_integer((json_int_t)o->ordinal));
	object_set(o, "updated_at", json_null());
	object_set_str(o, "type", "ssh");
	rule_created(c, o);
	return o;
}

static void answer(struct call *c, const struct object *o, const struct secret *private_key)
{
	static const char *const keys[] = {"type", "name", "public_key", "fingerprint", "user_id"};
	json_t *v = view(c, o, keys, array_len(keys));

	if (private_key)
		json_object_set_new(v, "private_key", json_string(secret_reveal(private_key)));
	call_json(c, since(c, 2) ? 201 : 200, json_pack("{s:o}", "keypair", v));
}

/* Before 2.92 nova makes the key itself when none is sent. */
static void generate(struct call *c, const char *name)
{
	struct secret *private_key = NULL;
	char *public_key = NULL, mark[FINGERPRINT_TEXT];
	struct error err;

	if (!ssh_keypair_new("rsa", "Generated-by-Nova", &private_key, &public_key, &err) ||
		!fingerprint(public_key, mark))
		call_fail(c, 500, NULL, "Unexpected API Error. %s", err.msg);
	else
		answer(c, keypair_make(c, name, public_key, mark), private_key);
	free(public_key);
	secret_unref(private_key);
}

void keypairs_create(struct call *c)
{
	const json_t *in = body_keypair(c);
	const char *name = json_str(in, "name"), *public_key = json_str(in, "public_key");
	const char *type = json_str(in, "type"), *user = json_str(in, "user_id");
	char mark[FINGERPRINT_TEXT];

	if (!in)
		return;
	if (user && strcmp(user, c->user)) {
		compute_forbid(c, "os-keypairs:create");
		return;
	}
	if (!quota_left(c))
		return;
	if (public_key && ((type && strcmp(type, "ssh")) || !fingerprint(public_key, mark))) {
		call_fail(c, 400, NULL, "Keypair data is invalid: failed to generate fingerprint");
		return;
	}
	if (keypair_find(c->sim, c->user, name)) {
		call_fail(c, 409, NULL, "Key pair '%s' already exists.", name);
		return;
	}
	if (public_key)
		answer(c, keypair_make(c, name, public_key, mark), NULL);
	else
		generate(c, name);
}

static struct object *find(struct call *c)
{
	const char *user = call_query(c, "user_id");
	struct object *o = keypair_find(c->sim, c->user, c->params[0]);

	if (since(c, 10) && user && strcmp(user, c->user)) {
		compute_forbid(c, "os-keypairs:show");
		return NULL;
	}
	if (!o)
		call_fail(c, 404, NULL, "Keypair %s not found for user %s", c->params[0], c->user);
	return o;
}

void keypairs_show(struct call *c)
{
	static const char *const keys[] = {"name", "public_key", "fingerprint", "user_id",
		"created_at", "deleted", "deleted_at", "id", "updated_at", "type"};
	const struct object *o = find(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "keypair", view(c, o, keys, array_len(keys))));
}

void keypairs_delete(struct call *c)
{
	struct object *o = find(c);

	if (!o)
		return;
	rule_changed(c, o, true);
	object_remove(o);
	call_empty(c, since(c, 2) ? 204 : 202);
}

/*
 * keymanager_container.c - containers, which name secrets, and orders, which make one. Orders stay:
 * a member may not delete them.
 */

#include <string.h>

#include "base/json.h"
#include "base/random.h"
#include "sim/keymanager.h"
#include "sim/record.h"
#include "sim/state.h"

#define KEY_BYTES_MAX 1024

/* --- containers --------------------------------------------------------------------------------
 */

static const char *id_of(const json_t *ref)
{
	return strrchr(json_str(ref, "secret_ref"), '/') + 1;
}

/* Secrets that are gone are not named any more. */
static json_t *view_container(struct call *c, const struct object *o)
{
	json_t *refs = json_array(), *item, *v = json_object(), *value;
	char *ref = keymanager_ref(c, "containers", o->id);
	const char *key;
	size_t i;

	json_array_foreach (json_object_get(o->doc, ".secret_refs"), i, item)
		if (object_get(c->sim, KIND_SECRET, id_of(item)))
			json_array_append(refs, item);
	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(v, key, value);
	json_object_set_new(v, "secret_refs", refs);
	json_object_set_new(v, "consumers", json_array());
	json_object_set_new(v, "container_ref", json_string(ref));
	free(ref);
	return v;
}

void keymanager_create_container(struct call *c)
{
	const json_t *refs = json_object_get(c->body, "secret_refs");

	if (!keymanager_json(c) || !keymanager_check_container(c) ||
		!keymanager_room(c, KIND_SECRET_CONTAINER, c->sim->quota.secret_containers))
		return;
	struct object *o = keymanager_new(c, KIND_SECRET_CONTAINER);
	object_set_str(o, "name", json_str(c->body, "name"));
	object_set_str(o, "type", json_str(c->body, "type"));
	object_set_str(o, "creator_id", c->user);
	object_set(o, ".secret_refs", refs ? json_deep_copy(refs) : json_array());
	rule_created(c, o);
	keymanager_answer_ref(c, 201, "container", o->id);
}

void keymanager_list_containers(struct call *c)
{
	keymanager_page(c, KIND_SECRET_CONTAINER, "containers", NULL, view_container);
}

static struct object *container(struct call *c)
{
	return keymanager_find(
		c, KIND_SECRET_CONTAINER, c->params[0], "container", "Secrets container");
}

void keymanager_show_container(struct call *c)
{
	const struct object *o = container(c);

	if (o)
		call_json(c, 200, view_container(c, o));
}

void keymanager_delete_container(struct call *c)
{
	struct object *o = container(c);

	if (o)
		keymanager_delete(c, o);
}

/* --- orders ------------------------------------------------------------------------------------
 */

static json_t *view_order(struct call *c, const struct object *o)
{
	json_t *v = json_object(), *value;
	char *ref = keymanager_ref(c, "orders", o->id),
	     *secret = keymanager_ref(c, "secrets", object_str(o, ".secret"));
	const char *key;

	json_object_foreach (o->doc, key, value)
		if (*key != '.')
			json_object_set(v, key, value);
	if (*object_str(o, ".secret"))
		json_object_set_new(v, "secret_ref", json_string(secret));
	json_object_set_new(v, "order_ref", json_string(ref));
	free(ref);
	free(secret);
	return v;
}

/* The key that was ordered. */
static void on_done(struct timer *t)
{
	struct object *o = t->arg;
	const json_t *meta = json_object_get(o->doc, "meta");
	static const char *const members[] = {"algorithm", "bit_length", "mode"};
	struct object *s = object_new(o->sim, KIND_SECRET, NULL, o->project, o->user);
	uint8_t bytes[KEY_BYTES_MAX];
	size_t n = (size_t)json_int(meta, "bit_length", 0) / 8;

	s->made_by = MADE_BY_BARBICAN;
	keymanager_touch(s);
	object_set_str(s, "created", object_str(s, "updated"));
	object_set_str(s, "status", "ACTIVE");
	object_set_str(s, "name", json_str(meta, "name"));
	object_set_str(s, "secret_type", "symmetric");
	object_set(s, "expiration", json_null());
	for (size_t i = 0; i < array_len(members); i++) {
		json_t *value = json_object_get(meta, members[i]);
		object_set(s, members[i], value ? json_incref(value) : json_null());
	}
	object_set_str(s, "creator_id", o->user);
	n = n < sizeof(bytes) ? n : sizeof(bytes);
	random_fill(draw_sequence(&o->sim->draw, "key"), bytes, n);
	keymanager_set_payload(s, "application/octet-stream", bytes, n);
	object_set_str(o, "status", "ACTIVE");
	object_set_str(o, ".secret", s->id);
	keymanager_touch(o);
}

static void on_failed(struct timer *t)
{
	struct object *o = t->arg;

	object_set_str(o, "status", "ERROR");
	object_set_str(o, "error_status_code", "500");
	object_set_str(o, "error_reason",
		"Process TypeOrder issue seen - please contact site administrator.");
	keymanager_touch(o);
}

void keymanager_create_order(struct call *c)
{
	if (!keymanager_json(c) || !keymanager_check_order(c) ||
		!keymanager_room(c, KIND_ORDER, c->sim->quota.orders))
		return;
	struct object *o = keymanager_new(c, KIND_ORDER);
	json_t *meta = json_deep_copy(json_object_get(c->body, "meta"));
	object_set_str(o, "status", "PENDING");
	object_set_str(o, "type", json_str(c->body, "type"));
	if (!json_object_get(meta, "expiration"))
		json_object_set_new(meta, "expiration", json_null());
	object_set(o, "meta", meta);
	object_set_str(o, "sub_status", "Unknown");
	object_set_str(o, "sub_status_message", "Unknown");
	object_set_str(o, "creator_id", c->user);
	rule_created(c, o);
	if (!o->stuck)
		object_after(o, draw_time_ns(&c->sim->draw, TIME_SECRET_ORDER),
			call_hit(c, MISHAP_ERROR) ? on_failed : on_done);
	keymanager_answer_ref(c, 202, "order", o->id);
}

void keymanager_list_orders(struct call *c)
{
	keymanager_page(c, KIND_ORDER, "orders", NULL, view_order);
}

static struct object *order(struct call *c)
{
	return keymanager_find(c, KIND_ORDER, c->params[0], "order", "Order");
}

void keymanager_show_order(struct call *c)
{
	const struct object *o = order(c);

	if (o)
		call_json(c, 200, view_order(c, o));
}

void keymanager_delete_order(struct call *c)
{
	if (order(c))
		call_fail(c, 403, NULL,
			"Order deletion attempt not allowed - please review your user/project "
			"privileges");
}

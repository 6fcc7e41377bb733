/*
 * stack_run.c - a stack on its way: each TIME_STACK_STEP it begins what can be begun, looks at what
 * was begun, and says what it is itself.
 *
 * Resources are made when all is there that they need, and removed when nothing is left that needs
 * them. What fails fails the stack; one that may, rolls back: everything goes again.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/stack.h"
#include "sim/state.h"

#define TRIES_MAX  200 /* of a removal that is refused */
#define EVENTS_MAX 1000
#define LABEL_TEXT 13

static json_t *resources(const struct object *stack)
{
	return json_object_get(stack->doc, ".resources");
}

json_t *stack_resource(const struct object *stack, const char *name)
{
	json_t *r;
	size_t i;

	json_array_foreach (resources(stack), i, r)
		if (!json_flag(r, "old") && !strcmp(json_str(r, "name"), name))
			return r;
	return NULL;
}

/* --- states and events -------------------------------------------------------------------------
 */

static void add_event(struct object *stack, const char *name, const char *physical,
	const char *status, const char *reason)
{
	json_t *events = json_object_get(stack->doc, ".events");
	char id[UUID_TEXT], now[32];

	draw_uuid(&stack->sim->draw, "stack event", id);
	json_array_insert_new(events, 0,
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "id", id, "event_time",
			object_now(stack->sim, now), "logical_resource_id", name, "resource_name",
			name, "physical_resource_id", physical, "resource_status", status,
			"resource_status_reason", reason));
	if (json_array_size(events) > EVENTS_MAX)
		json_array_remove(events, EVENTS_MAX);
}

void stack_set_status(struct object *stack, const char *status, const char *reason)
{
	object_set_str(stack, "stack_status", status);
	object_set_str(stack, "stack_status_reason", reason);
	add_event(stack, object_str(stack, "stack_name"), stack->id, status, reason);
}

static void set_resource(struct object *stack, json_t *r, const char *status, const char *reason)
{
	const char *id = json_str(r, "id");
	char now[32];

	json_object_set_new(r, "status", json_string(status));
	json_object_set_new(r, "reason", json_string(reason));
	json_object_set_new(r, "updated", json_string(object_now(stack->sim, now)));
	add_event(stack, json_str(r, "name"), *id ? id : json_str(r, "label"), status, reason);
}

static bool is(const json_t *r, const char *status)
{
	return !strcmp(json_str(r, "status"), status);
}

/* "CREATE" of "CREATE_IN_PROGRESS" */
static const char *action_of(const struct object *stack, char *text, size_t size)
{
	const char *status = object_str(stack, "stack_status");

	snprintf(text, size, "%.*s", (int)strcspn(status, "_"), status);
	return text;
}

static void finish(struct object *stack, const char *action, bool good, const char *reason)
{
	char *status = mem_printf("%s_%s", action, good ? "COMPLETE" : "FAILED"),
	     *text = good ? mem_printf("Stack %s completed successfully", action)
			  : mem_strdup(reason);

	stack_set_status(stack, status, text);
	free(status);
	free(text);
}

static void start(struct object *stack, const char *action)
{
	char *status = mem_printf("%s_IN_PROGRESS", action),
	     *reason = mem_printf("Stack %s started", action), now[32];

	if (strcmp(action, "CREATE") != 0)
		object_set_str(stack, "updated_time", object_now(stack->sim, now));
	stack_set_status(stack, status, reason);
	free(status);
	free(reason);
}

/* --- what is to be done ------------------------------------------------------------------------
 */

/* What has to be there before it: what it names, and what its type waits for. */
static json_t *order_of(const json_t *template, const json_t *def, const json_t *needs)
{
	const struct stack_type *type = stack_type(json_str(def, "type"));
	json_t *order = json_copy((json_t *)needs), *other;
	const char *name;

	json_object_foreach (json_object_get(template, "resources"), name, other)
		if (stack_type_follows(type, stack_type(json_str(other, "type"))) &&
			!json_has_text(order, slice_of(name)))
			json_array_append_new(order, json_string(name));
	return order;
}

static json_t *new_resource(struct object *stack, const char *name, json_t *def, json_t *needs)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz234567";
	struct random *random = draw_sequence(&stack->sim->draw, "stack resource");
	char tail[LABEL_TEXT] = "", now[32];

	for (int i = 0; i < LABEL_TEXT - 1; i++)
		tail[i] = letters[random_below(random, 32)];
	char *label = mem_printf("%s-%s-%s", object_str(stack, "stack_name"), name, tail);
	object_now(stack->sim, now);
	json_t *r = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:O, s:o, s:o}", "name",
		name, "type", json_str(def, "type"), "id", "", "label", label, "status",
		"INIT_COMPLETE", "reason", "", "created", now, "updated", now, "def", def, "needs",
		needs, "order", order_of(json_object_get(stack->doc, ".template"), def, needs));
	free(label);
	return r;
}

/* What a resource is made of: its definition, with the values of parameters. */
static json_t *fingerprint(const struct object *stack, const json_t *value)
{
	const json_t *argument;
	const char *function = stack_function(value, &argument), *key;
	json_t *out, *inner;
	size_t i;

	if (function && !strcmp(function, "get_param"))
		return stack_resolve(stack, value);
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach (value, i, inner)
			json_array_append_new(out, fingerprint(stack, inner));
		return out;
	}
	if (json_is_object(value)) {
		out = json_object();
		json_object_foreach ((json_t *)value, key, inner)
			json_object_set_new(out, key, fingerprint(stack, inner));
		return out;
	}
	return value ? json_incref((json_t *)value) : json_null();
}

static bool unchanged(const struct object *stack, const json_t *r, const json_t *def)
{
	json_t *now = fingerprint(stack, json_object_get(def, "properties"));
	const bool same = is(r, "CREATE_COMPLETE") &&
			  !strcmp(json_str(r, "type"), json_str(def, "type")) &&
			  json_equal(now, json_object_get(r, "made_of"));

	json_decref(now);
	return same;
}

/* Whoever refers to what is made anew is made anew. */
static bool refers_to_new(const struct object *stack, const json_t *needs)
{
	size_t i;
	json_t *name;

	json_array_foreach (needs, i, name) {
		const json_t *r = stack_resource(stack, json_string_value(name));
		if (r && is(r, "INIT_COMPLETE"))
			return true;
	}
	return false;
}

/* Makes one resource of the definition unless what is there will do; whether it did. */
static bool plan_one(struct object *stack, const char *name, json_t *def)
{
	json_t *r = stack_resource(stack, name), *needs = stack_needs(def);

	if (r && (is(r, "INIT_COMPLETE") ||
			 (unchanged(stack, r, def) && !refers_to_new(stack, needs)))) {
		json_object_set(r, "def", def);
		json_object_set(r, "needs", needs);
		json_object_set_new(
			r, "order", order_of(json_object_get(stack->doc, ".template"), def, needs));
		json_decref(needs);
		return false;
	}
	if (r)
		json_object_set_new(r, "old", json_true());
	r = new_resource(stack, name, def, needs);
	json_object_set_new(r, "made_of", fingerprint(stack, json_object_get(def, "properties")));
	json_array_append_new(resources(stack), r);
	return true;
}

void stack_plan(struct object *stack)
{
	json_t *defs = json_object_get(json_object_get(stack->doc, ".template"), "resources"), *def,
	       *r;
	const char *name;
	bool again = true;
	size_t i;

	json_array_foreach (resources(stack), i, r)
		if (!json_object_get(defs, json_str(r, "name")))
			json_object_set_new(r, "old", json_true());
	while (again) {
		again = false;
		json_object_foreach (defs, name, def)
			again = plan_one(stack, name, def) || again;
	}
}

/* --- making ------------------------------------------------------------------------------------
 */

static bool ready(const struct object *stack, const json_t *r)
{
	size_t i;
	json_t *name;

	json_array_foreach (json_object_get(r, "order"), i, name) {
		const json_t *other = stack_resource(stack, json_string_value(name));
		if (other && !is(other, "CREATE_COMPLETE"))
			return false;
	}
	return true;
}

static void fail_resource(struct object *stack, json_t *r, char *why)
{
	set_resource(stack, r, "CREATE_FAILED", why);
	free(why);
}

static void make(struct object *stack, json_t *r)
{
	char *why = NULL;
	enum stack_state state;

	if (is(r, "INIT_COMPLETE")) {
		set_resource(stack, r, "CREATE_IN_PROGRESS", "state changed");
		if (json_flag(stack->doc, ".error")) {
			object_set(stack, ".error", json_false());
			fail_resource(stack, r,
				mem_printf(
					"ResourceInError: resources.%s: Went to status ERROR due "
					"to \"Unknown\"",
					json_str(r, "name")));
			return;
		}
		state = stack_make(stack, r, &why);
	} else {
		state = stack_made(stack, r, &why);
	}
	if (state == STACK_FAILED)
		fail_resource(stack, r, why);
	else if (state == STACK_DONE)
		set_resource(stack, r, "CREATE_COMPLETE", "state changed");
}

/* One round; whether all is there. A first failure stops it. */
static bool make_all(struct object *stack, const json_t **ret_failed)
{
	bool all = true;
	json_t *r;
	size_t i;

	json_array_foreach (resources(stack), i, r) {
		if (json_flag(r, "old") || is(r, "CREATE_COMPLETE"))
			continue;
		if (is(r, "CREATE_IN_PROGRESS") || (is(r, "INIT_COMPLETE") && ready(stack, r)))
			make(stack, r);
		if (is(r, "CREATE_FAILED"))
			*ret_failed = r;
		all = all && is(r, "CREATE_COMPLETE");
	}
	return all;
}

/* --- removing ----------------------------------------------------------------------------------
 */

/* Whether something that goes too is still there and came after it. */
static bool needed(const struct object *stack, const json_t *r, bool old_only)
{
	const struct slice name = slice_of(json_str(r, "name"));
	size_t i;
	json_t *other;

	json_array_foreach (resources(stack), i, other)
		if (other != r && (!old_only || json_flag(other, "old")) &&
			*json_str(other, "id") &&
			json_has_text(json_object_get(other, "order"), name) &&
			json_flag(other, "old") == json_flag(r, "old"))
			return true;
	return false;
}

static bool unmake(struct object *stack, json_t *r)
{
	const int64_t tries = json_int(r, "tries", 0);

	if (!is(r, "DELETE_IN_PROGRESS") && *json_str(r, "id"))
		set_resource(stack, r, "DELETE_IN_PROGRESS", "state changed");
	if (*json_str(r, "id") && stack_unmake(stack, r) == STACK_WAIT) {
		json_object_set_new(r, "tries", json_integer(tries + 1));
		return false;
	}
	if (*json_str(r, "id"))
		set_resource(stack, r, "DELETE_COMPLETE", "state changed");
	return true;
}

/* One round; whether all (or all that is old) is gone. */
static bool unmake_all(struct object *stack, bool old_only, const json_t **ret_failed)
{
	json_t *list = resources(stack);
	bool left = false;

	for (size_t i = json_array_size(list); i-- > 0;) {
		json_t *r = json_array_get(list, i);
		if (old_only && !json_flag(r, "old"))
			continue;
		if (!needed(stack, r, old_only) && unmake(stack, r)) {
			json_array_remove(list, i);
			continue;
		}
		left = true;
		if (json_int(r, "tries", 0) > TRIES_MAX)
			*ret_failed = r;
	}
	return !left;
}

/* --- turns -------------------------------------------------------------------------------------
 */

static void on_turn(struct timer *t);

static void again(struct object *stack)
{
	object_after(stack, draw_time_ns(&stack->sim->draw, TIME_STACK_STEP), on_turn);
}

static void failed(struct object *stack, const char *action, const json_t *r)
{
	char *reason = mem_printf("Resource CREATE failed: %s", json_str(r, "reason"));

	if (!strcmp(action, "CREATE") && !json_flag(stack->doc, "disable_rollback")) {
		start(stack, "ROLLBACK");
		again(stack);
	} else {
		finish(stack, action, false, reason);
	}
	free(reason);
}

static void turn_make(struct object *stack, const char *action)
{
	const json_t *bad = NULL;
	const bool all = make_all(stack, &bad);

	if (bad)
		failed(stack, action, bad);
	else if (all && unmake_all(stack, true, &bad))
		finish(stack, action, true, NULL);
	else if (bad)
		finish(stack, action, false, "Resource DELETE failed: the old one is still in use");
	else
		again(stack);
}

static void turn_remove(struct object *stack, const char *action)
{
	const json_t *bad = NULL;
	const bool gone = unmake_all(stack, false, &bad);
	char now[32];

	if (!gone && bad) {
		char *reason = mem_printf(
			"Resource DELETE failed: Conflict: resources.%s: it is "
			"still in use",
			json_str(bad, "name"));
		set_resource(stack, (json_t *)bad, "DELETE_FAILED", reason);
		finish(stack, action, false, reason);
		free(reason);
	} else if (!gone) {
		again(stack);
	} else {
		finish(stack, action, true, NULL);
		if (!strcmp(action, "DELETE")) {
			object_set_str(stack, "deletion_time", object_now(stack->sim, now));
			stack->gone = true;
		}
	}
}

static void on_turn(struct timer *t)
{
	struct object *stack = t->arg;
	char action[16];

	if (stack->stuck)
		return;
	action_of(stack, action, sizeof(action));
	if (!strcmp(action, "CREATE") || !strcmp(action, "UPDATE"))
		turn_make(stack, action);
	else
		turn_remove(stack, action);
}

void stack_begin(struct object *stack, const char *action)
{
	const bool nothing = json_array_size(resources(stack)) == 0;

	start(stack, action);
	if (nothing && json_flag(stack->doc, ".error"))
		finish(stack, action, false, "Stack failed for no reason that a stack could have");
	else
		again(stack);
}

void stack_begin_delete(struct object *stack)
{
	json_t *r;
	size_t i;

	timer_cancel(&stack->timer);
	json_array_foreach (resources(stack), i, r)
		json_object_set_new(r, "tries", json_integer(0));
	start(stack, "DELETE");
	if (json_flag(stack->doc, ".error"))
		finish(stack, "DELETE", false,
			"Resource DELETE failed: resources of the stack "
			"could not be deleted");
	else
		again(stack);
}

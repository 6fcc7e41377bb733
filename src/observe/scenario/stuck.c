/*
 * stuck.c - see stuck.h.
 */

#include "observe/scenario/stuck.h"

#include <stdio.h>
#include <string.h>

/* Of the network itself, which takes it along. */
#define OWNER_DHCP "network:dhcp"

void stuck_fini(struct stuck *s)
{
	json_decref(s->object);
	free(s->message);
	free(s->holder);
	*s = (struct stuck){0};
}

void stuck_removed(struct stuck *s, const struct cloud_answer *a)
{
	s->status = a->status;
	mem_replace(&s->message, a->error.message[0] ? a->error.message : NULL);
	snprintf(s->request_id, sizeof(s->request_id), "%s", a->request_id);
	snprintf(s->service_request_id, sizeof(s->service_request_id), "%s", a->service_request_id);
}

/* --- who holds it ----------------------------------------------------------------------------- */

static bool is_ours(struct journal *j, const json_t *item)
{
	static const char *const keys[] = {"id", "device_id", "server_id"};
	for (size_t i = 0; i < array_len(keys); i++) {
		const char *id = json_str(item, keys[i]);
		if (id && *id && journal_holds(j, id))
			return true;
	}
	return false;
}

void stuck_holders(struct stuck *s, struct journal *j, const json_t *items)
{
	json_t *item;
	size_t i;
	s->held = false;
	mem_replace(&s->holder, NULL);
	json_array_foreach (items, i, item) {
		const char *owner = json_str(item, "device_owner");
		if (owner && !strcmp(owner, OWNER_DHCP))
			continue;
		if (is_ours(j, item))
			s->held = true;
		else if (!s->holder)
			mem_replace(&s->holder, json_str(item, "id"));
	}
}

static bool is_list(const struct kind *k)
{
	return k->holders && strchr(k->holders, ' ');
}

void stuck_looked(
	struct stuck *s, struct journal *j, const struct kind *k, const struct cloud_answer *a)
{
	const json_t *object = a->fault == FAULT_NONE ? kind_unwrap(k, a->json) : NULL;
	if (!object)
		return;
	json_decref(s->object);
	s->object = json_deep_copy(object);
	if (k->holders && !is_list(k))
		stuck_holders(s, j, json_object_get(object, k->holders));
}

bool stuck_wants_holders(
	const struct stuck *s, const struct kind *k, const json_t *path, struct kind_request *ret)
{
	return is_list(k) && s->status >= 400 &&
	       kind_object_request(k, k->holders, path, ret, NULL);
}

char *stuck_collection(const char *path)
{
	const size_t whole = strcspn(path, "?");
	size_t from = whole;
	while (from > 0 && path[from - 1] != '/')
		from--;
	return mem_strndup(path + from, whole - from);
}

/* --- what that means -------------------------------------------------------------------------- */

bool stuck_no_service(const struct cloud_answer *a)
{
	return a->status == 404 && strstr(a->error.message, "Service") &&
	       strstr(a->error.message, "could not be found");
}

static const char *state_of(const json_t *object)
{
	static const char *const keys[] = {"provisioning_status", "stack_status", "status"};
	for (size_t i = 0; i < array_len(keys); i++)
		if (json_str(object, keys[i]))
			return json_str(object, keys[i]);
	return NULL;
}

bool stuck_in_error(const struct cloud_answer *a, const struct kind *k)
{
	const char *state = state_of(kind_unwrap(k, a->json));
	return state && (strcasestr(state, "error") || strstr(state, "FAILED"));
}

static enum expr_result measured(void *arg, struct slice name, struct value *ret, struct error *err)
{
	const struct stuck *s = arg;
	if (slice_is(name, "STATUS"))
		*ret = value_int(s->status);
	else if (slice_is(name, "MESSAGE"))
		*ret = value_text(slice_of(s->message));
	else if (slice_is(name, "BODY"))
		*ret = value_from_json(s->object);
	return EXPR_OK;
}

bool stuck_needs_admin(const struct stuck *s, const struct kind *k)
{
	const struct expr_scope scope = {.arg = (void *)s, .measurement = measured};
	struct value v = VALUE_NOTHING;
	bool yes = false;
	if (s->held)
		return false;
	if (s->holder && is_list(k))
		return true;
	if (!k->stuck_expr || expr_eval(k->stuck_expr, &scope, &v, NULL) != EXPR_OK ||
		!value_condition(&v, &yes))
		yes = false;
	value_drop(&v);
	return yes;
}

/* "ACTIVE, deleting" of a server; owned, NULL when it is not known. */
static char *state_text(const json_t *object)
{
	const char *state = state_of(object), *task = json_str(object, "OS-EXT-STS:task_state");
	if (!state)
		return NULL;
	return mem_printf("%s%s%s", state, task ? ", " : "", task ? task : "");
}

enum object_fate stuck_write(const struct stuck *s, struct journal *j, int64_t row,
	const struct kind *k, const char *id, const json_t *path, enum object_fate otherwise,
	const char *why)
{
	const enum object_fate fate = stuck_needs_admin(s, k) ? OBJECT_NEEDS_ADMIN : otherwise;
	char *state = state_text(s->object), *fix = kind_fix(k, path, s->holder);
	char note[900];
	snprintf(note, sizeof(note), "%s %s: %s%s%s%s", k->name, id ? id : "(id unknown)", why,
		state ? "; its state is " : "", state ? state : "",
		fate == OBJECT_NEEDS_ADMIN ? "; only an administrator can remove it"
					   : "; `glasshouse sweep` tries again");
	const struct journal_seen seen = {
		.state = state,
		.holder = s->holder,
		.service = s->status ? k->service : NULL,
		.status = s->status,
		.message = s->message,
		.request_id = s->request_id[0] ? s->request_id : NULL,
		.service_request_id = s->service_request_id[0] ? s->service_request_id : NULL,
		.fix = fix,
	};
	journal_stuck(j, row, fate, id, NULL, note, &seen);
	free(state);
	free(fix);
	return fate;
}

/*
 * run_parent.c - what admits one change at a time: which object it is, and whether it takes one
 * now.
 *
 * Mostly a key of the body names it (a server). A load balancer is known to its parts through their
 * parents: a member names a pool, the pool a listener or the balancer. Where these are not of this
 * run, what was answered about them says it.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/runner.h"

#define LOOK_NS   (30 * NS_PER_S)
#define DEPTH_MAX 4

/* The first of the comma-separated keys that is there. */
static const char *first_of(const char *keys, const json_t *path, struct slice *ret_key)
{
	struct slice rest = slice_of(keys), part;
	while (keys && slice_next(&rest, ',', &part)) {
		char *key = slice_dup(part);
		const char *value = json_str(path, key);
		free(key);
		if (value) {
			*ret_key = part;
			return value;
		}
	}
	return NULL;
}

static struct task *task_of_object(struct run *r, const char *id)
{
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		if (t->step->kind && t->element->id && !strcmp(t->element->id, id))
			return t;
	}
	return NULL;
}

/* Answers of octavia list the balancers an object is part of. */
static const char *answered_owner(const struct task *t)
{
	return json_str(
		json_array_get(json_object_get(t->element->object, "loadbalancers"), 0), "id");
}

/* From the object `id` up to the one of the kind `lock_of`; NULL: it is not known here. */
static const char *owner_of(struct run *r, const char *id, const char *lock_of)
{
	for (unsigned depth = 0; id && depth < DEPTH_MAX; depth++) {
		struct task *t = task_of_object(r, id);
		struct slice key;
		if (!t)
			return NULL;
		if (!strcmp(t->step->kind->name, lock_of))
			return id;
		const char *answered = answered_owner(t);
		if (answered)
			return answered;
		id = t->made.path ? first_of(t->step->kind->lock, t->made.path, &key) : NULL;
		if (id && slice_is(key, "loadbalancer_id"))
			return id;
	}
	return NULL;
}

char *parent_id(struct run *r, const struct kind *k, const json_t *path)
{
	struct slice key;
	const char *id = k->lock_of ? first_of(k->lock, path, &key) : NULL;
	if (!id)
		return NULL;
	if (slice_is(key, "loadbalancer_id") || slice_is(key, "id"))
		return mem_strdup(id);
	return mem_strdup(owner_of(r, id, k->lock_of));
}

char *task_lock_key(struct task *t, const struct kind *k, const json_t *path)
{
	const char *lock = t->step->lock ? t->step->lock : k ? k->lock : NULL;
	struct slice key;
	const char *id = lock && *lock ? first_of(lock, path, &key) : NULL;
	if (!id)
		return NULL;
	char *owner = t->step->lock ? NULL : parent_id(t->run, k, path);
	char *text = owner ? mem_printf("%s/%s", k->lock_of, owner)
			   : mem_printf("%.*s/%s", SLICE_ARG(key), id);
	free(owner);
	return text;
}

/* --- looking at it ---------------------------------------------------------------------------- */

static enum parent_state state_of(
	const struct kind *k, const struct cloud_answer *a, char *text, size_t n)
{
	const json_t *object = kind_unwrap(k, a->json);
	const char *status = json_str(object, "provisioning_status");
	status = status ? status : json_str(object, "status");
	snprintf(text, n, "the %s is %s", k->name,
		a->fault != FAULT_NONE ? fault_text(a->fault)
		: status               ? status
				       : "not known");
	if (kind_answer_gone(k, NULL, a))
		return PARENT_GONE;
	if (a->fault != FAULT_NONE)
		return PARENT_UNKNOWN;
	if (kind_holds(k->failed_expr, object, a->status))
		return PARENT_FAILED;
	return kind_holds(k->ready_expr, object, a->status) ? PARENT_READY : PARENT_BUSY;
}

static void on_parent(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	char text[160];
	t->call = NULL;
	t->run->requests += a->tries;
	const struct kind *k = kind_find(t->run->kinds, slice_of(t->parent_kind));
	const enum parent_state state = state_of(k, a, text, sizeof(text));
	t->parent_then(t, state, text);
}

bool parent_look(struct task *t, const struct kind *k, const json_t *path, parent_then *then)
{
	const struct kind *parent =
		k->lock_of ? kind_find(t->run->kinds, slice_of(k->lock_of)) : NULL;
	char *id = parent ? parent_id(t->run, k, path) : NULL;
	struct kind_request q = {0};
	if (!id)
		return false;
	json_t *object = json_pack("{s:s}", "id", id);
	const bool good = kind_object_request(parent, parent->get, object, &q, NULL);
	json_decref(object);
	free(id);
	if (!good)
		return false;
	const struct cloud_request request = kind_call(parent, &q, LOOK_NS);
	t->parent_kind = parent->name;
	t->parent_then = then;
	t->call = cloud_call(t->run->tools.cloud, &request, on_parent, t);
	kind_request_fini(&q);
	return true;
}

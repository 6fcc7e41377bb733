/*
 * run_order.c - the order of teardown: the record of uses, turned round once.
 *
 * An element holds what it used, and every element of the steps it came after, until it is over. It
 * counts down as it goes, so that a turn costs a look per element and not one per pair. What dies
 * with its parent holds up neither the parent nor what waits for that, but what lies apart of it.
 */

#include <string.h>

#include "observe/scenario/runner.h"

/* The element whose deletion takes this one along, or NULL. */
static struct task *find_parent(struct task *t, const struct map *by_id)
{
	struct world *w = t->run->world;
	if (t->step->with >= 0) {
		struct step_world *sw = &w->steps[t->step->with];
		return sw->count ? graph_task(&sw->elements[(size_t)t->element->index % sw->count])
				 : NULL;
	}
	const char *key = t->step->kind ? t->step->kind->with : NULL;
	const char *id = key ? json_str(t->made.path, key) : NULL;
	struct task *parent = id ? map_get(by_id, id) : NULL;
	return parent != t ? parent : NULL;
}

static void find_parents(struct run *r)
{
	struct map by_id = {0};
	for (size_t i = r->tasks.n; i-- > 0;) { /* the first one made stays */
		struct task *t = r->tasks.p[i];
		if (t->has_made && t->made.id)
			map_put(&by_id, t->made.id, t);
	}
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		struct task *parent = t->has_made ? find_parent(t, &by_id) : NULL;
		if (!parent || !parent->has_made || parent->made.kept)
			continue;
		t->parent = parent;
		parent->takes_along = true;
	}
	map_fini(&by_id);
}

static struct task *used_task(struct task *t, struct value_ref ref)
{
	struct task *used = graph_task(world_element(t->run->world, ref));
	return used != t ? used : NULL;
}

static bool is_apart(struct task *t);

static bool none_along(struct task *t)
{
	if (t->parent || t->takes_along || t->step->after_count)
		return false;
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *used = used_task(t, *ref);
		if (used && !is_apart(used))
			return false;
	}
	return true;
}

/* Whether nothing waits for this one's removal, directly or not, that takes others along: then it
 * may wait for any of those. */
static bool is_apart(struct task *t)
{
	if (t->apart == APART_UNKNOWN)
		t->apart = none_along(t) ? APART_YES : APART_NO;
	return t->apart == APART_YES;
}

static void hold_one(struct task *t, struct task *used)
{
	used->held_by++;
	vec_push(&t->holds, used);
	t->holding = true;
}

/* What goes with its parent holds what it used as long: a balancer's ports lie in the subnets of
 * its members. */
static void hold_apart(struct task *t)
{
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *used = used_task(t, *ref);
		if (used && is_apart(used))
			hold_one(t, used);
	}
}

static void hold(struct task *t)
{
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *used = used_task(t, *ref);
		if (used)
			hold_one(t, used);
	}
	for (size_t i = 0; i < t->step->after_count; i++)
		t->run->after_left[t->step->after[i]]++;
	t->holding = true;
}

void order_begin(struct run *r)
{
	find_parents(r);
	r->after_left = mem_new_array(r->scenario->step_count, sizeof(*r->after_left));
	for (size_t i = 0; i < r->tasks.n; i++)
		if (r->tasks.p[i]->parent)
			hold_apart(r->tasks.p[i]);
		else
			hold(r->tasks.p[i]);
}

void order_over(struct task *t)
{
	if (!t->holding)
		return;
	t->holding = false;
	for (size_t i = 0; i < t->holds.n; i++)
		t->holds.p[i]->held_by--;
	for (size_t i = 0; !t->parent && i < t->step->after_count; i++)
		t->run->after_left[t->step->after[i]]--;
}

bool order_may_remove(const struct task *t)
{
	if (t->parent)
		return removal_over(t->parent);
	return !t->held_by && !t->run->after_left[t->element->step];
}

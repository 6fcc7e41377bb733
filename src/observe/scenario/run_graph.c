/*
 * run_graph.c - which elements may start now.
 *
 * An element that could not start remembers the one it waits for and is not evaluated again before
 * that one has ended, so that a turn costs a look per waiting element, not an evaluation.
 */

#include "observe/scenario/runner.h"

#include <stdio.h>
#include <string.h>

struct task *graph_task(const struct element *e)
{
	return e ? e->task : NULL;
}

const char *task_name(const struct task *t, char *text, size_t n)
{
	return world_element_name(t->run->world, t->element, text, n);
}

static bool has_ended(const struct element *e)
{
	return e->state != ELEMENT_WAITING && e->state != ELEMENT_STARTED;
}

static bool uses(const struct task *t, const char *id)
{
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		const struct element *e = world_element(t->run->world, *ref);
		if (e && e->id && !strcmp(e->id, id))
			return true;
	}
	return false;
}

const struct task *graph_lost_user(const struct task *t, const char *id)
{
	const struct task *lost = NULL;
	for (size_t i = 0; i < t->run->tasks.n; i++) {
		const struct task *other = t->run->tasks.p[i];
		if (other->step->verb != VERB_CREATE || other->step->kind == t->step->kind ||
			!uses(other, id))
			continue;
		if (other->element->state != ELEMENT_FAILED &&
			other->element->state != ELEMENT_SKIPPED)
			return NULL;
		lost = other;
	}
	return lost;
}

static struct task *task_new(struct run *r, struct element *e, const struct step *s)
{
	struct task *t = mem_new(struct task);
	t->run = r;
	t->element = e;
	t->step = s;
	t->start_ns = t->answer_ns = t->ready_ns = t->remove_ns = t->gone_ns = -1;
	t->needed_ns = run_now(r);
	t->timer.arg = t; /* its callbacks are also called directly */
	t->purpose = (struct cloud_purpose){
		r->called, r->label, s->name, s->kind ? s->kind->name : NULL};
	e->task = t;
	t->place = r->tasks.n;
	vec_push(&r->tasks, t);
	return t;
}

/* A step whose count, each or when cannot be evaluated gets one element to carry the verdict. */
static void expand_failed(
	struct run *r, struct step_world *sw, enum expr_result result, const struct error *err)
{
	char where[ERROR_TEXT + 300];
	sw->elements = mem_new(struct element);
	sw->count = 1;
	sw->expanded = true;
	sw->elements[0].step = (size_t)(sw - r->world->steps);
	struct task *t = task_new(r, &sw->elements[0], sw->step);
	if (result == EXPR_SKIPPED)
		task_end(t, ELEMENT_SKIPPED);
	else
		task_fail(t, FAULT_EVALUATION, "%s", error_text(err, where, sizeof(where)));
}

static void expand(struct run *r, size_t step)
{
	struct step_world *sw = &r->world->steps[step];
	struct error err = {0};
	const enum expr_result result = world_expand(r->world, step, &err);
	if (result == EXPR_BLOCKED)
		return;
	if (result == EXPR_ABSENT) {
		sw->expanded = sw->absent = true;
	} else if (result != EXPR_OK) {
		expand_failed(r, sw, result, &err);
		return;
	}
	for (size_t i = 0; i < sw->count; i++)
		task_new(r, &sw->elements[i], sw->step);
	for (size_t i = 0; sw->absent && i < sw->count; i++)
		task_end(graph_task(&sw->elements[i]), ELEMENT_ABSENT);
}

/* A group's element is what it stands for. */
static void follow_target(struct task *t)
{
	struct element *target = world_element(t->run->world, t->element->target);
	if (!target || target == t->element || !has_ended(target))
		return;
	t->start_ns = run_now(t->run);
	if (target->state == ELEMENT_READY)
		task_ready(t);
	else
		task_end(t, target->state == ELEMENT_ABSENT ? ELEMENT_ABSENT : ELEMENT_SKIPPED);
}

/* The element it waits for, so that it is left alone until that one has ended. */
static void remember_blocker(struct task *t)
{
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		const struct element *e = world_element(t->run->world, *ref);
		if (e && e != t->element && !has_ended(e)) {
			t->blocked_on = *ref;
			t->is_blocked = true;
			return;
		}
	}
}

/* What was ready last of all it needed: the edge of the critical path. */
static void consider(struct task *t, const struct element *e)
{
	struct task *other = graph_task(e);
	if (!other || other == t || other->ready_ns < 0)
		return;
	if (!t->waited_for || other->ready_ns > t->waited_for->ready_ns)
		t->waited_for = other;
}

static void find_waited_for(struct task *t)
{
	struct world *w = t->run->world;
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		consider(t, world_element(w, *ref));
	}
	for (size_t i = 0; i < t->step->after_count; i++) {
		struct step_world *sw = &w->steps[t->step->after[i]];
		for (size_t k = 0; k < sw->count; k++)
			consider(t, &sw->elements[k]);
	}
	t->needed_ns = t->waited_for ? t->waited_for->ready_ns : 0;
}

/* Names in conditions count as needs too; measurements are not there yet, so their absence is no
 * error here. */
static enum expr_result conditions_ready(struct task *t)
{
	struct world_scope scope;
	world_scope_init(&scope, t->run->world, t->element, NULL);
	const struct expr *all[] = {t->step->until};
	for (size_t i = 0; i < array_len(all); i++) {
		if (!all[i])
			continue;
		struct value v = VALUE_NOTHING;
		struct error err = {0};
		const enum expr_result result = expr_eval(all[i], &scope.scope, &v, &err);
		value_drop(&v);
		if (result != EXPR_OK && result != EXPR_ERROR)
			return result;
	}
	return EXPR_OK;
}

/* What an evaluated body names whole (`to: ${it}`) must be ready too, and able to be logged in to.
 */
static enum expr_result refs_ready(struct task *t, const struct value *v, struct error *err)
{
	struct world *w = t->run->world;
	enum expr_result r = EXPR_OK;
	if (v->type == VALUE_LIST || v->type == VALUE_MAP) {
		for (size_t i = 0; i < value_count(v) && r == EXPR_OK; i++)
			r = refs_ready(
				t, v->type == VALUE_LIST ? value_item(v, i) : value_at(v, i), err);
		return r;
	}
	const struct element *e = v->type == VALUE_REF ? world_element(w, v->ref) : NULL;
	if (!e)
		return EXPR_OK;
	if (!has_ended(e))
		return EXPR_BLOCKED;
	if (e->state != ELEMENT_READY)
		return e->state == ELEMENT_ABSENT ? EXPR_ABSENT : EXPR_SKIPPED;
	if (!verb_reaches(t->step->verb) ||
		!(w->steps[v->ref.object].step->login || w->steps[e->step].step->login))
		return EXPR_OK;
	struct login *l = NULL;
	r = login_resolve(
		w, v->ref, t->element, &cloud_configuration(t->run->tools.cloud)->reach, &l, err);
	login_free(l);
	return r;
}

static enum expr_result evaluate_body(struct task *t, struct error *err)
{
	enum expr_result result = world_after(t->run->world, t->element);
	if (result != EXPR_OK)
		return result;
	value_drop(&t->body);
	if (t->step->body)
		result = world_body(t->run->world, t->element, t->step->body, &t->body, err);
	if (result == EXPR_OK)
		result = refs_ready(t, &t->body, err);
	return result == EXPR_OK ? conditions_ready(t) : result;
}

static void try_start(struct task *t)
{
	struct error err = {0};
	char where[ERROR_TEXT + 300];
	switch (evaluate_body(t, &err)) {
	case EXPR_BLOCKED: remember_blocker(t); return;
	case EXPR_ABSENT: task_end(t, ELEMENT_ABSENT); return;
	case EXPR_SKIPPED: task_end(t, ELEMENT_SKIPPED); return;
	case EXPR_ERROR:
		task_fail(t, FAULT_EVALUATION, "%s", error_text(&err, where, sizeof(where)));
		return;
	case EXPR_OK: break;
	}
	if (t->step->verb == VERB_STREAM && !stream_may_start(t))
		return;
	if (stream_holds(t))
		return;
	find_waited_for(t);
	task_begin(t);
}

static void look_at(struct task *t)
{
	if (t->state == TASK_JUDGING) {
		task_judge(t);
		return;
	}
	if (t->element->state != ELEMENT_WAITING)
		return;
	if (t->step->verb == VERB_GROUP) {
		follow_target(t);
		return;
	}
	if (world_leader(t->run->world, t->element) != t->element) {
		batch_follow(t);
		return;
	}
	if (t->is_blocked) {
		const struct element *e = world_element(t->run->world, t->blocked_on);
		if (e && !has_ended(e))
			return;
		t->is_blocked = false;
	}
	try_start(t);
}

void graph_turn(struct run *r)
{
	for (size_t i = 0; i < r->scenario->step_count && !r->stopping; i++) {
		const size_t step = r->scenario->order[i];
		if (!r->world->steps[step].expanded)
			expand(r, step);
	}
	/* Tasks that end in here kick the run again; new ones are only made above. What was looked
	 * at before a break may have changed meanwhile: then all are looked at once more. */
	const bool resumed = r->next_look > 0;
	const int64_t until = loop_now_ns(r->tools.loop) + TURN_NS;
	while (r->next_look < r->tasks.n) {
		if (loop_now_ns(r->tools.loop) > until) {
			run_kick(r);
			return;
		}
		struct task *t = r->tasks.p[r->next_look++];
		if (!r->stopping)
			look_at(t);
		else if (t->state == TASK_IDLE && t->element->state == ELEMENT_WAITING)
			task_end(t, ELEMENT_SKIPPED);
	}
	r->next_look = 0;
	if (resumed)
		run_kick(r);
}

bool graph_building_over(struct run *r)
{
	for (size_t i = 0; i < r->scenario->step_count && !r->stopping; i++)
		if (!r->world->steps[i].expanded)
			return false;
	for (size_t i = 0; i < r->tasks.n; i++)
		if (!has_ended(r->tasks.p[i]->element))
			return false;
	return !r->kicked;
}

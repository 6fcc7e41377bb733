/*
 * world_expand.c - a step becomes its elements: when, count, each, group.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/worlds.h"

struct expansion {
	struct world *w;
	struct step_world *sw;
	struct element scratch; /* records what when, count and each met */
	struct world_scope scope;
	struct value items; /* `it` of each element; null: none */
	size_t count;
	VEC(size_t) sizes; /* of a server_batch: how many each create makes */
	struct error *err;
};

static enum expr_result fail(const struct expansion *x, const char *fmt, ...) like_printf(2, 3);

static enum expr_result fail(const struct expansion *x, const char *fmt, ...)
{
	char text[600];
	const struct step *s = x->sw->step;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	error_at(x->err, s->file, s->line, s->col, "step %s: %s", s->name, text);
	return EXPR_ERROR;
}

/* In symbolic mode: whether the last evaluation met what only the run knows. */
static bool only_the_run_knows(struct expansion *x)
{
	const bool unknown = x->w->options.symbolic && x->scope.unknown;
	x->scope.unknown = false;
	return unknown;
}

static enum expr_result evaluate_when(struct expansion *x)
{
	const struct step *s = x->sw->step;
	struct value v = VALUE_NOTHING;
	bool yes = false;
	if (!s->when)
		return EXPR_OK;
	enum expr_result r = expr_eval(s->when, &x->scope.scope, &v, x->err);
	if (r == EXPR_OK && v.type == VALUE_REF)
		r = world_settle(&x->scope, &v, SETTLE_PLAIN, x->err);
	if (only_the_run_knows(x) && r != EXPR_ABSENT) {
		value_drop(&v);
		world_note(
			x->w, s, "%s: `when` is decided in the run; counted here as true", s->name);
		return EXPR_OK;
	}
	if (r == EXPR_OK && !value_condition(&v, &yes))
		r = fail(x, "`when` must be true or false, not %s", value_type_name(v.type));
	value_drop(&v);
	return r == EXPR_OK && !yes ? EXPR_ABSENT : r;
}

static enum expr_result evaluate_count(struct expansion *x)
{
	struct value v = VALUE_NOTHING;
	enum expr_result r = expr_eval(x->sw->step->count, &x->scope.scope, &v, x->err);
	if (r == EXPR_OK && v.type == VALUE_REF)
		r = world_settle(&x->scope, &v, SETTLE_PLAIN, x->err);
	if (only_the_run_knows(x) && r != EXPR_ABSENT) {
		world_note(x->w, x->sw->step,
			"%s: `count` is decided in the run; counted here as 1", x->sw->step->name);
		x->count = 1;
		r = EXPR_OK;
	} else if (r == EXPR_OK && v.type != VALUE_INT) {
		r = fail(x, "`count` must be a whole number, not %s",
			v.type == VALUE_REAL ? "one with a fraction" : value_type_name(v.type));
	} else if (r == EXPR_OK && v.integer < 0) {
		r = fail(x, "`count` is %lld", (long long)v.integer);
	} else if (r == EXPR_OK) {
		x->count = (uint64_t)v.integer > SCENARIO_OBJECTS_MAX ? SCENARIO_OBJECTS_MAX + 1
								      : (size_t)v.integer;
	}
	value_drop(&v);
	return r;
}

/* {zone: [a, b], type: [x, y]} -> every combination, the first name changing slowest. */
static enum expr_result combine(struct expansion *x, const struct value *lists)
{
	size_t total = 1;
	for (size_t i = 0; i < value_count(lists); i++) {
		const struct value *l = value_at(lists, i);
		if (l->type != VALUE_LIST)
			return fail(x, "each: `%.*s` must be a list, not %s",
				SLICE_ARG(value_key(lists, i)), value_type_name(l->type));
		total *= value_count(l);
		if (total > SCENARIO_OBJECTS_MAX)
			return fail(x, "each has more than %d combinations", SCENARIO_OBJECTS_MAX);
	}
	x->items = value_list_new();
	for (size_t n = 0; n < total; n++) {
		struct value it = value_map_new();
		size_t rest = n, below = total;
		for (size_t i = 0; i < value_count(lists); i++) {
			const struct value *l = value_at(lists, i);
			below /= value_count(l);
			value_map_put(
				&it, value_key(lists, i), value_copy(*value_item(l, rest / below)));
			rest %= below;
		}
		value_list_add(&x->items, it);
	}
	x->count = total;
	return EXPR_OK;
}

static enum expr_result each_of_step(struct expansion *x)
{
	const struct step_world *of = &x->w->steps[x->sw->step->each_step];
	if (of->absent)
		return EXPR_ABSENT;
	if (!of->expanded)
		return EXPR_BLOCKED;
	x->items = value_list_new();
	for (size_t i = 0; i < of->count; i++)
		value_list_add(
			&x->items, value_of_ref((uint32_t)x->sw->step->each_step, (int32_t)i));
	x->count = of->count;
	return EXPR_OK;
}

/* A list that an answer will bring: nothing of it is known before the run. */
static bool is_symbol(const struct value *v)
{
	return v->type == VALUE_REF && v->ref.object >= SYMBOL_BASE;
}

static enum expr_result evaluate_each(struct expansion *x)
{
	const struct step *s = x->sw->step;
	struct value v = VALUE_NOTHING;
	if (s->each_step >= 0)
		return each_of_step(x);
	enum expr_result r = x->w->options.symbolic
				     ? world_symbolic(&x->scope, s->each, &v, x->err)
				     : interp_eval(s->each, &x->scope.scope, &v, x->err);
	if (r == EXPR_OK)
		r = world_settle(&x->scope, &v, SETTLE_KEEP, x->err);
	if (r == EXPR_OK && v.type == VALUE_LIST) {
		x->items = value_copy(v);
		x->count = value_count(&v);
	} else if (r == EXPR_OK && v.type == VALUE_MAP) {
		r = combine(x, &v);
	} else if (r == EXPR_OK && (is_symbol(&v) || only_the_run_knows(x))) {
		world_note(
			x->w, s, "%s: `each` is decided in the run; counted here as one", s->name);
		x->items = value_list_new();
		value_list_add(&x->items, world_symbol_new(x->w, "%s.it", s->name));
		x->count = 1;
	} else if (r == EXPR_OK) {
		r = fail(x, "`each` must be a step, a list or a map of lists, not %s",
			value_type_name(v.type));
	}
	value_drop(&v);
	return r;
}

/* A group's elements stand for the members, which need not be ready yet. */
static enum expr_result evaluate_group(struct expansion *x)
{
	struct value v = VALUE_NOTHING;
	x->scope.members = true;
	enum expr_result r = interp_eval(x->sw->step->body, &x->scope.scope, &v, x->err);
	x->scope.members = false;
	if (r == EXPR_OK)
		r = world_settle(&x->scope, &v, SETTLE_KEEP, x->err);
	if (r == EXPR_OK && v.type == VALUE_REF) {
		x->items = value_list_new();
		value_list_add(&x->items, value_copy(v));
	} else if (r == EXPR_OK && v.type == VALUE_LIST) {
		x->items = value_copy(v);
	} else if (r == EXPR_OK) {
		r = fail(x, "a group is made of steps, not of %s", value_type_name(v.type));
	}
	for (size_t i = 0; r == EXPR_OK && i < value_count(&x->items); i++) {
		const struct value *item = value_item(&x->items, i);
		if (item->type != VALUE_REF || item->ref.object >= SYMBOL_BASE)
			r = fail(x, "a group is made of steps, not of %s",
				value_type_name(item->type));
	}
	x->count = r == EXPR_OK ? value_count(&x->items) : 0;
	value_drop(&v);
	return r;
}

/* --- several of one create -------------------------------------------------------------------- */

/* A count of the body of one create; 0 when it is not there. */
static enum expr_result batch_count(
	struct expansion *x, struct element *e, const char *key, size_t *ret)
{
	const struct step *s = x->sw->step;
	const struct interp *t =
		s->body && interp_is_map(s->body) ? interp_get(s->body, key) : NULL;
	struct value v = VALUE_NOTHING;
	*ret = 0;
	if (!t)
		return EXPR_OK;
	enum expr_result r = world_body(x->w, e, t, &v, x->err);
	if (r == EXPR_OK && v.type == VALUE_TEXT && x->w->options.symbolic) {
		world_note(
			x->w, s, "%s: `%s` is decided in the run; counted here as 1", s->name, key);
		*ret = 1;
	} else if (r == EXPR_OK && v.type == VALUE_INT && v.integer > 0 &&
		   v.integer <= SCENARIO_OBJECTS_MAX) {
		*ret = (size_t)v.integer;
	} else if (r == EXPR_OK && v.type != VALUE_NULL) {
		r = fail(x, "`%s` must be a whole number from 1 to %d", key, SCENARIO_OBJECTS_MAX);
	}
	value_drop(&v);
	return r;
}

/* Each create becomes as many elements as it may make. */
static enum expr_result measure_batches(struct expansion *x)
{
	enum expr_result r = EXPR_OK;
	size_t total = 0;
	for (size_t n = 0; n < x->count && r == EXPR_OK; n++) {
		struct element e = {.step = x->scratch.step, .index = (int32_t)n, .i = (int32_t)n};
		size_t least = 0, most = 0;
		if (x->items.type == VALUE_LIST)
			e.it = value_copy(*value_item(&x->items, n));
		r = batch_count(x, &e, "min_count", &least);
		if (r == EXPR_OK)
			r = batch_count(x, &e, "max_count", &most);
		most = most > least ? most : least;
		vec_push(&x->sizes, most ? most : 1);
		total += most ? most : 1;
		value_drop(&e.it);
		vec_fini(&e.uses);
	}
	x->count = total;
	return r;
}

static enum expr_result measure(struct expansion *x)
{
	const struct step *s = x->sw->step;
	enum expr_result r = evaluate_when(x);
	x->count = 1;
	if (r == EXPR_OK && s->count)
		r = evaluate_count(x);
	else if (r == EXPR_OK && s->each)
		r = evaluate_each(x);
	else if (r == EXPR_OK && s->verb == VERB_GROUP)
		r = evaluate_group(x);
	const bool makes = s->verb == VERB_CREATE;
	if (r == EXPR_OK && makes && s->kind->several && x->count <= SCENARIO_OBJECTS_MAX)
		r = measure_batches(x);
	if (r != EXPR_OK)
		return r;
	if (x->count > SCENARIO_OBJECTS_MAX ||
		(makes && x->w->objects + x->count > SCENARIO_OBJECTS_MAX)) {
		error_at(x->err, s->file, s->line, s->col,
			"step %s: a scenario makes at most %d objects", s->name,
			SCENARIO_OBJECTS_MAX);
		return EXPR_ERROR;
	}
	x->w->objects += makes ? x->count : 0;
	return x->count ? EXPR_OK : EXPR_ABSENT;
}

static void make_elements(struct expansion *x)
{
	struct step_world *sw = x->sw;
	const size_t step = (size_t)(sw - x->w->steps);
	size_t batch = 0, first = 0; /* the create that makes it, and its first element */
	sw->elements = mem_new_array(x->count, sizeof(*sw->elements));
	sw->count = x->count;
	for (size_t i = 0; i < sw->count; i++) {
		struct element *e = &sw->elements[i];
		const bool starts = batch >= x->sizes.n || i == first + x->sizes.p[batch];
		if (starts && i)
			batch++;
		if (starts)
			first = i;
		e->step = step;
		e->index = (int32_t)i;
		e->i = (int32_t)batch;
		e->leader = first;
		if (sw->absent)
			continue;
		if (sw->step->verb == VERB_GROUP)
			e->target = value_item(&x->items, i)->ref;
		else if (x->items.type == VALUE_LIST)
			e->it = value_copy(*value_item(&x->items, batch));
		VEC_EACH (&x->scratch.uses, struct value_ref, ref) {
			if (sw->step->verb != VERB_GROUP)
				world_use(e, *ref);
		}
		if (sw->step->verb == VERB_GROUP)
			world_use(e, e->target);
		else if (e->it.type == VALUE_REF && e->it.ref.object < SYMBOL_BASE)
			world_use(e, e->it.ref);
	}
}

enum expr_result world_expand(struct world *w, size_t step, struct error *err)
{
	struct step_world *sw = &w->steps[step];
	struct error own = {0};
	struct expansion x = {.w = w, .sw = sw, .scratch.step = step, .err = err ? err : &own};
	if (sw->expanded)
		return sw->absent ? EXPR_ABSENT : EXPR_OK;
	world_scope_init(&x.scope, w, &x.scratch, NULL);
	x.scope.outside = true;
	const enum expr_result r = measure(&x);
	if (r == EXPR_OK || r == EXPR_ABSENT) {
		sw->expanded = true;
		sw->absent = r == EXPR_ABSENT;
		if (sw->absent)
			x.count = 1; /* one to carry the verdict */
		make_elements(&x);
		for (size_t i = 0; sw->absent && w->options.symbolic && i < sw->count; i++)
			sw->elements[i].state = ELEMENT_ABSENT;
	}
	value_drop(&x.items);
	vec_fini(&x.scratch.uses);
	vec_fini(&x.sizes);
	return r;
}

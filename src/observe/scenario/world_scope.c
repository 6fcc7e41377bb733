/*
 * world_scope.c - what names, fields and indices mean to an expression.
 *
 * A step's name is a ref to the whole step; an element comes of it where a field, an id or an index
 * is asked. So x[*] works for a step that is absent, and only what is really asked for blocks.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/worlds.h"

#define DEPTH_MAX 32
#define TEXTS_MAX 10000 /* of one evaluation: texts in texts in texts multiply */

void world_use(struct element *user, struct value_ref ref)
{
	if (!user)
		return;
	VEC_EACH (&user->uses, struct value_ref, u) {
		if (u->object == ref.object && u->element == ref.element)
			return;
	}
	vec_push(&user->uses, ref);
}

static void record(struct world_scope *s, const struct element *e)
{
	if (e == s->element)
		return;
	const struct step_world *sw = &s->world->steps[e->step];
	world_use(s->element, (struct value_ref){(uint32_t)e->step, (int32_t)(e - sw->elements)});
}

enum expr_result scope_element(
	struct world_scope *s, struct value_ref ref, struct element **ret, struct error *err)
{
	for (unsigned depth = 0; depth < DEPTH_MAX; depth++) {
		struct step_world *sw = &s->world->steps[ref.object];
		if (sw->absent)
			return EXPR_ABSENT;
		if (!sw->expanded)
			return EXPR_BLOCKED;
		const bool many = step_is_many(sw->step);
		if (ref.element < 0 && many) {
			error_set(err, ERROR_INPUT,
				"\"%s\" has %zu elements: write %s[i] for one, %s[*] for all",
				sw->step->name, sw->count, sw->step->name, sw->step->name);
			return EXPR_ERROR;
		}
		const size_t at = ref.element < 0 ? 0 : (size_t)ref.element;
		if (at >= sw->count)
			return EXPR_ABSENT;
		*ret = &sw->elements[at];
		if (sw->step->verb != VERB_GROUP) {
			record(s, *ret);
			return EXPR_OK;
		}
		ref = (*ret)->target;
	}
	error_set(err, ERROR_INPUT, "groups name each other too deeply");
	return EXPR_ERROR;
}

enum expr_result scope_usable(const struct world_scope *s, const struct element *e)
{
	if (e == s->element)
		return EXPR_OK; /* its own answer, in its own conditions */
	switch (e->state) {
	case ELEMENT_READY: return EXPR_OK;
	case ELEMENT_ABSENT: return EXPR_ABSENT;
	case ELEMENT_FAILED:
	case ELEMENT_SKIPPED: return EXPR_SKIPPED;
	case ELEMENT_WAITING:
	case ELEMENT_STARTED: break;
	}
	return s->world->options.symbolic ? EXPR_OK : EXPR_BLOCKED;
}

static enum expr_result usable_element(
	struct world_scope *s, struct value_ref ref, struct element **ret, struct error *err)
{
	const enum expr_result r = scope_element(s, ref, ret, err);
	return r == EXPR_OK ? scope_usable(s, *ret) : r;
}

/* --- symbols ---------------------------------------------------------------------------------- */

const char *world_symbol(const struct world *w, struct value_ref ref)
{
	return w->symbols.p[ref.object - SYMBOL_BASE];
}

struct value world_symbol_new(struct world *w, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < w->symbols.n; i++)
		if (!strcmp(w->symbols.p[i], text)) {
			free(text);
			return value_of_ref(SYMBOL_BASE + (uint32_t)i, 0);
		}
	vec_push(&w->symbols, text);
	return value_of_ref(SYMBOL_BASE + (uint32_t)w->symbols.n - 1, 0);
}

static bool is_symbol(struct value_ref ref)
{
	return ref.object >= SYMBOL_BASE;
}

/* --- names ------------------------------------------------------------------------------------ */

static enum expr_result text_value(
	struct world_scope *s, const struct text_block *t, struct value *ret, struct error *err)
{
	struct world_scope inner = *s;
	inner.scope.arg = &inner;
	inner.place = t->name;
	s->world->texts_read = s->depth ? s->world->texts_read + 1 : 1;
	if (s->world->texts_read > TEXTS_MAX) {
		error_set(err, ERROR_INPUT, "more than %d texts within texts", TEXTS_MAX);
		return EXPR_ERROR;
	}
	if (++inner.depth > DEPTH_MAX) {
		error_set(err, ERROR_INPUT, "the text \"%s\" contains itself", t->name);
		return EXPR_ERROR;
	}
	const enum expr_result r = interp_eval(t->value, &inner.scope, ret, err);
	s->unknown = s->unknown || inner.unknown;
	return r;
}

/* run, i, it, zones, cloud, location; false: none of these. */
static bool own_name(struct world_scope *s, struct slice name, enum expr_result *result,
	struct value *ret, struct error *err)
{
	const struct world_options *o = &s->world->options;
	*result = EXPR_OK;
	if (slice_is(name, "run")) {
		*ret = value_str(o->run);
	} else if (slice_is(name, "location")) {
		*ret = value_str(o->location);
	} else if (slice_is(name, "zones")) {
		*ret = value_from_json(o->zones);
	} else if (slice_is(name, "cloud")) {
		*ret = value_map_new();
		value_map_put(ret, SLICE("region"), value_str(o->region));
	} else if (slice_is(name, "i") || slice_is(name, "it")) {
		const bool index = name.n == 1;
		if (!s->element || s->outside) {
			error_set(err, ERROR_INPUT, "there is no `%.*s` here", SLICE_ARG(name));
			*result = EXPR_ERROR;
		} else if (index) {
			*ret = value_int(s->element->i);
		} else {
			*ret = value_copy(s->element->it);
		}
	} else {
		return false;
	}
	return true;
}

static enum expr_result scope_name(
	void *arg, struct slice name, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	const struct scenario *scenario = s->world->scenario;
	enum expr_result r;
	if (own_name(s, name, &r, ret, err))
		return r;
	for (size_t i = 0; i < scenario->param_count; i++)
		if (slice_is(name, scenario->params[i].name))
			return world_param(s->world, &scenario->params[i], s->depth + 1, ret, err);
	for (size_t i = 0; i < scenario->text_count; i++)
		if (slice_is(name, scenario->texts[i].name))
			return text_value(s, &scenario->texts[i], ret, err);
	const int step = scenario_step(scenario, name);
	if (step >= 0) {
		*ret = value_of_ref((uint32_t)step, -1);
		return EXPR_OK;
	}
	error_set(err, ERROR_INPUT, "there is no step, param or text \"%.*s\"", SLICE_ARG(name));
	return EXPR_ERROR;
}

/* --- fields ----------------------------------------------------------------------------------- */

static struct value field_of(
	const struct world_scope *s, const struct element *e, struct slice field)
{
	char *key = slice_dup(field);
	const struct step *step = s->world->steps[e->step].step;
	const json_t *j = json_object_get(e->object, key);
	struct value v = VALUE_NOTHING;
	if (!strcmp(key, "id") && e->id) {
		v = value_str(e->id);
	} else if (j) {
		v = value_from_json(j);
	} else if (json_object_get(e->measured, key)) {
		v = value_from_json(json_object_get(e->measured, key));
	} else if (step->kind && e->object) {
		json_t *extra = kind_field(step->kind, e->object, field);
		v = value_from_json(extra);
		json_decref(extra);
	}
	free(key);
	return v;
}

static enum expr_result scope_field(
	void *arg, struct value_ref ref, struct slice field, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	struct element *e;
	char name[100];
	if (is_symbol(ref)) {
		*ret = world_symbol_new(
			s->world, "%s.%.*s", world_symbol(s->world, ref), SLICE_ARG(field));
		return EXPR_OK;
	}
	const enum expr_result r = usable_element(s, ref, &e, err);
	if (r != EXPR_OK)
		return r;
	if (slice_is(field, "it") && s->world->steps[e->step].step->each)
		*ret = value_copy(e->it);
	else if (s->world->options.symbolic)
		*ret = world_symbol_new(s->world, "%s.%.*s",
			world_element_name(s->world, e, name, sizeof(name)), SLICE_ARG(field));
	else
		*ret = field_of(s, e, field);
	return EXPR_OK;
}

/* --- indices ---------------------------------------------------------------------------------- */

static enum expr_result scope_index(
	void *arg, struct value_ref ref, int64_t index, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	if (is_symbol(ref)) {
		*ret = world_symbol_new(
			s->world, "%s[%lld]", world_symbol(s->world, ref), (long long)index);
		return EXPR_OK;
	}
	const struct step_world *sw = &s->world->steps[ref.object];
	if (ref.element >= 0) {
		error_set(err, ERROR_INPUT, "%s[%d] is one element already", sw->step->name,
			ref.element);
		return EXPR_ERROR;
	}
	if (sw->absent || (sw->expanded && !sw->count))
		return EXPR_ABSENT;
	if (!sw->expanded)
		return EXPR_BLOCKED;
	const int64_t n = (int64_t)sw->count;
	const struct value_ref one = {ref.object, (int32_t)((index % n + n) % n)};
	struct element *e;
	const enum expr_result r = scope_element(s, one, &e, err);
	if (r == EXPR_OK)
		*ret = (struct value){.type = VALUE_REF, .ref = one};
	return r;
}

static enum expr_result scope_all(
	void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	struct value list = value_list_new();
	if (is_symbol(ref)) {
		value_list_add(
			&list, world_symbol_new(s->world, "%s[*]", world_symbol(s->world, ref)));
		*ret = list;
		return EXPR_OK;
	}
	const struct step_world *sw = &s->world->steps[ref.object];
	enum expr_result r = sw->expanded || sw->absent ? EXPR_OK : EXPR_BLOCKED;
	for (size_t i = 0; r == EXPR_OK && !sw->absent && i < sw->count; i++) {
		const struct value_ref one = {ref.object, (int32_t)i};
		struct element *e;
		r = scope_element(s, one, &e, err);
		if (r == EXPR_ABSENT) {
			r = EXPR_OK;
			continue;
		}
		const enum expr_result usable = r == EXPR_OK ? scope_usable(s, e) : r;
		if (usable == EXPR_BLOCKED && !s->members)
			r = EXPR_BLOCKED;
		else if (usable == EXPR_OK || s->members)
			value_list_add(&list, (struct value){.type = VALUE_REF, .ref = one});
	}
	if (r == EXPR_OK)
		*ret = list;
	else
		value_drop(&list);
	return r;
}

static enum expr_result scope_plain(
	void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	struct element *e;
	char name[100], text[300];
	if (is_symbol(ref)) {
		snprintf(text, sizeof(text), "<%s>", world_symbol(s->world, ref));
		*ret = value_str(text);
		s->unknown = true;
		return EXPR_OK;
	}
	const enum expr_result r = usable_element(s, ref, &e, err);
	if (r != EXPR_OK)
		return r;
	world_element_name(s->world, e, name, sizeof(name));
	if (s->world->options.symbolic) {
		snprintf(text, sizeof(text), "<%s.id>", name);
		*ret = value_str(text);
		s->unknown = true;
		return EXPR_OK;
	}
	if (!e->id) {
		error_set(err, ERROR_INPUT, "%s stands for no object of the cloud: it has no id",
			name);
		return EXPR_ERROR;
	}
	*ret = value_str(e->id);
	return EXPR_OK;
}

/* --- measurements ----------------------------------------------------------------------------- */

static enum expr_result scope_measurement(
	void *arg, struct slice name, struct value *ret, struct error *err)
{
	struct world_scope *s = arg;
	const json_t *measured =
		s->measured ? s->measured : (s->element ? s->element->measured : NULL);
	char *key = slice_dup(name);
	const json_t *j = json_object_get(measured, key);
	if (s->world->options.symbolic)
		*ret = world_symbol_new(s->world, "[%s]", key);
	else if (!j && !strcmp(key, "BODY") && s->element)
		*ret = value_from_json(s->element->object);
	else
		*ret = value_from_json(j);
	free(key);
	return EXPR_OK;
}

void world_scope_init(
	struct world_scope *s, struct world *w, struct element *element, const json_t *measured)
{
	*s = (struct world_scope){
		.scope = {.arg = s,
			.name = scope_name,
			.field = scope_field,
			.index = scope_index,
			.all = scope_all,
			.plain = scope_plain,
			.measurement = scope_measurement,
			.call = scope_call},
		.world = w,
		.element = element,
		.measured = measured,
		.place = element ? w->steps[element->step].step->name : "",
	};
}

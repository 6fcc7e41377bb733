/*
 * world.c - parameters bound, elements made; see world.h.
 */

#include "observe/scenario/world.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/pick.h"
#include "observe/scenario/worlds.h"

#define DEPTH_MAX 32

/* --- parameters ------------------------------------------------------------------------------- */

static struct value parse_scalar(struct slice text)
{
	struct error_list errors = {0};
	struct value v = VALUE_NOTHING;
	struct yaml_file *f = yaml_parse(text, "param", &errors);
	if (f && yaml_documents(f) == 1) {
		json_t *j = yaml_json(yaml_root(f, 0));
		v = value_from_json(j);
		json_decref(j);
	} else {
		v = value_text(text);
	}
	yaml_free(f);
	error_list_fini(&errors);
	return v;
}

/* The default's value if it is written plainly, which gives the param its type. */
static struct value default_of(const struct param *p)
{
	static const struct expr_scope nothing = {0};
	struct value v = VALUE_NOTHING;
	if (p->value && !p->is_auto && interp_constant(p->value))
		(void)!(interp_eval(p->value, &nothing, &v, NULL) == EXPR_OK);
	return v;
}

static bool is_unit(const struct value *v, bool time)
{
	int64_t n;
	return v->type == VALUE_TEXT &&
	       (time ? units_parse_time(value_slice(v), &n) : units_parse_size(value_slice(v), &n));
}

/* NULL: it fits. Otherwise what it should be. */
static const char *misfit(const struct value *model, const struct value *v)
{
	if (v->type == VALUE_NULL)
		return NULL;
	switch (model->type) {
	case VALUE_INT: return v->type == VALUE_INT ? NULL : "a whole number";
	case VALUE_REAL: return v->type == VALUE_INT || v->type == VALUE_REAL ? NULL : "a number";
	case VALUE_BOOL: return v->type == VALUE_BOOL ? NULL : "true or false";
	case VALUE_LIST: return v->type == VALUE_LIST ? NULL : "a list";
	case VALUE_MAP: return v->type == VALUE_MAP ? NULL : "a map";
	case VALUE_TEXT:
		if (is_unit(model, true) && !is_unit(v, true))
			return "a time with a unit, such as 10s";
		if (is_unit(model, false) && !is_unit(v, false))
			return "a size with a unit, such as 64KiB";
		return v->type == VALUE_TEXT ? NULL : "text";
	case VALUE_NULL:
	case VALUE_TIME:
	case VALUE_SIZE:
	case VALUE_PERCENT:
	case VALUE_RATE:
	case VALUE_REF: break;
	}
	return NULL;
}

static void put_param(struct world *w, const char *name, struct value v)
{
	struct value *kept = mem_new(struct value);
	*kept = v;
	map_put(&w->params, name, kept);
}

static void bind_given(
	struct world *w, const struct param *p, const json_t *given, struct error_list *errors)
{
	struct value model = default_of(p), v = value_from_json(given);
	const bool text_wanted = model.type == VALUE_TEXT || p->is_auto;
	if (v.type == VALUE_TEXT && !text_wanted) {
		const struct value parsed = parse_scalar(value_slice(&v));
		value_drop(&v);
		v = parsed;
	} else if (text_wanted && (v.type == VALUE_INT || v.type == VALUE_REAL)) {
		struct buf text = BUF(BUF_LINE);
		value_write(&text, &v);
		v = value_text(buf_slice(&text));
		buf_fini(&text);
	}
	const char *expected = misfit(&model, &v);
	struct buf shown = BUF(BUF_LINE);
	value_write(&shown, &v);
	if (expected) {
		error_list_at(errors, NULL, 0, 0, "param %s must be %s, not \"%.80s\"", p->name,
			expected, buf_str(&shown));
		value_drop(&v);
	} else {
		put_param(w, p->name, v);
	}
	buf_fini(&shown);
	value_drop(&model);
}

enum expr_result world_param(struct world *w, const struct param *p, unsigned depth,
	struct value *ret, struct error *err)
{
	const struct value *known = map_get(&w->params, p->name);
	struct world_scope scope;
	enum expr_result r = EXPR_OK;
	if (known) {
		*ret = value_copy(*known);
		return EXPR_OK;
	}
	if (depth > DEPTH_MAX) {
		error_at(err, p->file, p->line, p->col, "the param \"%s\" is made of itself",
			p->name);
		return EXPR_ERROR;
	}
	world_scope_init(&scope, w, NULL, NULL);
	scope.depth = depth;
	scope.place = p->name;
	if (!p->value || p->is_auto)
		*ret = world_symbol_new(w, "%s", p->name); /* symbolic mode only */
	else
		r = w->options.symbolic ? world_symbolic(&scope, p->value, ret, err)
					: interp_eval(p->value, &scope.scope, ret, err);
	if (r == EXPR_OK)
		put_param(w, p->name, value_copy(*ret));
	return r;
}

static const struct param *find_param(const struct scenario *s, const char *name)
{
	for (size_t i = 0; i < s->param_count; i++)
		if (!strcmp(s->params[i].name, name))
			return &s->params[i];
	return NULL;
}

static void unknown_param(const struct scenario *s, const char *name, struct error_list *errors)
{
	const char **names = mem_new_array(s->param_count + 1, sizeof(*names));
	for (size_t i = 0; i < s->param_count; i++)
		names[i] = s->params[i].name;
	const char *near = slice_nearest(slice_of(name), names, s->param_count);
	error_list_at(errors, NULL, 0, 0, "%s has no param \"%.60s\"%s%s%s", s->name, name,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
}

/* `zones`, or `zones.compute` alone, instead of what was discovered. */
static bool override_zones(struct world *w, const char *name, const json_t *value)
{
	json_t *zones = (json_t *)w->options.zones, *list = NULL;
	if (strcmp(name, "zones") != 0 && strncmp(name, "zones.", 6) != 0)
		return false;
	struct value v = value_from_json(value);
	if (v.type == VALUE_TEXT) {
		const struct value parsed = parse_scalar(value_slice(&v));
		value_drop(&v);
		v = parsed;
	}
	list = value_json(&v);
	value_drop(&v);
	if (name[5] == '.' && json_is_array(list))
		json_object_set(zones, name + 6, list);
	else if (!name[5] && json_is_object(list))
		json_object_update(zones, list);
	json_decref(list);
	return true;
}

static void bind_all_given(struct world *w, const json_t *given, struct error_list *errors)
{
	const char *name;
	json_t *value;
	json_object_foreach ((json_t *)given, name, value) {
		const struct param *p = find_param(w->scenario, name);
		const char *text = json_string_value(value);
		if (override_zones(w, name, value))
			continue;
		if (!p)
			unknown_param(w->scenario, name, errors);
		else if (!map_get(&w->params, name) &&
			 !(p->is_auto && text && !strcmp(text, "auto")))
			bind_given(w, p, value, errors);
	}
}

static void free_values(struct map *m)
{
	MAP_EACH (m, e) {
		value_drop(e->value);
		free(e->value);
	}
	map_fini(m);
}

bool world_takes(const struct scenario *s, const json_t *given, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct world w = {.scenario = s, .options = {.zones = json_object()}};
	bind_all_given(&w, given, errors);
	for (size_t i = 0; i < s->param_count; i++) {
		const struct param *p = &s->params[i];
		if (!p->value && !json_object_get(given, p->name))
			error_list_at(errors, p->file, p->line, p->col,
				"the param \"%s\" must be given", p->name);
	}
	free_values(&w.params);
	json_decref((json_t *)w.options.zones);
	return errors->n + errors->dropped == before;
}

static void bind_params(struct world *w, const json_t *given, struct error_list *errors)
{
	const struct scenario *s = w->scenario;
	const struct param *zones = find_param(s, "zones");
	const char *name;
	json_t *value;
	if (zones && zones->value) {
		struct value v = default_of(zones);
		json_t *j = value_json(&v);
		override_zones(w, "zones", j);
		json_decref(j);
		value_drop(&v);
	}
	/* What was picked is an id even where a name was given. */
	json_object_foreach ((json_t *)w->options.picked, name, value) {
		const json_t *id = json_object_get(value, "value");
		if (id && find_param(s, name) && !map_get(&w->params, name))
			put_param(w, name, value_from_json(id));
	}
	bind_all_given(w, given, errors);
	for (size_t i = 0; i < s->param_count; i++) {
		const struct param *p = &s->params[i];
		struct error err = {0};
		struct value v = VALUE_NOTHING;
		if (!strcmp(p->name, "zones") || map_get(&w->params, p->name))
			continue;
		if (!p->value)
			error_list_at(errors, p->file, p->line, p->col,
				"the param \"%s\" must be given", p->name);
		else if (p->is_auto && !w->options.symbolic)
			error_list_at(errors, p->file, p->line, p->col,
				"the param \"%s\" is auto and nothing was picked for it", p->name);
		else if (world_param(w, p, 0, &v, &err) != EXPR_OK)
			error_list_add(errors, &err);
		value_drop(&v);
	}
}

/* --- life ------------------------------------------------------------------------------------- */

struct world *world_new(const struct scenario *s, const json_t *given,
	const struct world_options *options, struct error_list *errors)
{
	const size_t before = errors->n + errors->dropped;
	struct world *w = mem_new(struct world);
	w->scenario = s;
	w->options = *options;
	w->options.run = mem_strdup(options->run ? options->run : "run");
	w->options.instance = mem_strdup(options->instance ? options->instance : "");
	w->options.location = mem_strdup(options->location);
	w->options.region = mem_strdup(options->region);
	w->options.zones = options->zones ? json_deep_copy(options->zones) : json_object();
	w->options.picked = options->picked ? json_deep_copy(options->picked) : NULL;
	if (!w->options.random)
		w->options.random = &random_system;
	w->steps = mem_new_array(s->step_count, sizeof(*w->steps));
	for (size_t i = 0; i < s->step_count; i++)
		w->steps[i].step = &s->steps[i];
	static const char *const kinds[] = {"compute", "volume", "network"};
	for (size_t i = 0; i < array_len(kinds); i++)
		if (!json_object_get(w->options.zones, kinds[i]))
			json_object_set_new((json_t *)w->options.zones, kinds[i], json_array());
	bind_params(w, given, errors);
	if (errors->n + errors->dropped == before)
		return w;
	world_free(w);
	return NULL;
}

static void element_fini(struct element *e)
{
	value_drop(&e->it);
	free(e->name);
	free(e->mark);
	free(e->id);
	json_decref(e->object);
	json_decref(e->measured);
	secret_unref(e->private_key);
	vec_fini(&e->uses);
}

void world_free(struct world *w)
{
	if (!w)
		return;
	for (size_t i = 0; i < w->scenario->step_count; i++) {
		for (size_t k = 0; k < w->steps[i].count; k++)
			element_fini(&w->steps[i].elements[k]);
		free(w->steps[i].elements);
	}
	free(w->steps);
	free_values(&w->params);
	free_values(&w->drawn);
	MAP_EACH (&w->secrets, e) {
		secret_unref(e->value);
	}
	map_fini(&w->secrets);
	VEC_EACH (&w->symbols, char *, text) {
		free(*text);
	}
	vec_fini(&w->symbols);
	VEC_EACH (&w->notes, struct world_note, n) {
		free(n->text);
	}
	vec_fini(&w->notes);
	free((char *)w->options.run);
	free((char *)w->options.instance);
	free((char *)w->options.location);
	free((char *)w->options.region);
	json_decref((json_t *)w->options.zones);
	json_decref((json_t *)w->options.picked);
	free(w);
}

void world_note(struct world *w, const struct step *step, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	struct world_note *n = vec_add(&w->notes);
	n->step = step;
	n->text = mem_vprintf(fmt, ap);
	va_end(ap);
}

/* --- expanding -------------------------------------------------------------------------------- */

struct expansion {
	struct world *w;
	struct step_world *sw;
	struct element scratch; /* records what when, count and each met */
	struct world_scope scope;
	struct value items; /* `it` of each element; null: none */
	size_t count;
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
	if (r != EXPR_OK)
		return r;
	const bool makes = s->verb == VERB_CREATE;
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
	sw->elements = mem_new_array(x->count, sizeof(*sw->elements));
	sw->count = x->count;
	for (size_t i = 0; i < sw->count; i++) {
		struct element *e = &sw->elements[i];
		e->step = step;
		e->index = (int32_t)i;
		if (sw->absent)
			continue;
		if (sw->step->verb == VERB_GROUP)
			e->target = value_item(&x->items, i)->ref;
		else if (x->items.type == VALUE_LIST)
			e->it = value_copy(*value_item(&x->items, i));
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
	return r;
}

/* --- elements --------------------------------------------------------------------------------- */

struct element *world_element(struct world *w, struct value_ref ref)
{
	for (unsigned depth = 0; depth < DEPTH_MAX && ref.object < w->scenario->step_count;
		depth++) {
		struct step_world *sw = &w->steps[ref.object];
		if (ref.element < 0 && step_is_many(sw->step))
			return NULL;
		const size_t at = ref.element < 0 ? 0 : (size_t)ref.element;
		if (!sw->expanded || at >= sw->count)
			return NULL;
		if (sw->step->verb != VERB_GROUP || sw->absent)
			return &sw->elements[at];
		ref = sw->elements[at].target;
	}
	return NULL;
}

const char *world_element_name(const struct world *w, const struct element *e, char *text, size_t n)
{
	const struct step_world *sw = &w->steps[e->step];
	if (step_is_many(sw->step) && !sw->absent)
		snprintf(text, n, "%s[%d]", sw->step->name, e->index);
	else
		snprintf(text, n, "%s", sw->step->name);
	return text;
}

static enum expr_result ended(const struct element *e, bool symbolic)
{
	switch (e->state) {
	case ELEMENT_READY:
	case ELEMENT_ABSENT: return EXPR_OK;
	case ELEMENT_FAILED:
	case ELEMENT_SKIPPED: return EXPR_SKIPPED;
	case ELEMENT_WAITING:
	case ELEMENT_STARTED: break;
	}
	return symbolic ? EXPR_OK : EXPR_BLOCKED;
}

enum expr_result world_after(struct world *w, struct element *e)
{
	const struct step *s = w->steps[e->step].step;
	const bool symbolic = w->options.symbolic;
	enum expr_result all = EXPR_OK;
	if (e->it.type == VALUE_REF && s->each_step >= 0) {
		const struct element *it = world_element(w, e->it.ref);
		if (!it)
			return EXPR_BLOCKED;
		if (it->state == ELEMENT_ABSENT)
			return EXPR_ABSENT;
		all = ended(it, symbolic);
	}
	for (size_t i = 0; i < s->after_count; i++) {
		const struct step_world *sw = &w->steps[s->after[i]];
		if (!sw->expanded)
			return EXPR_BLOCKED;
		for (size_t k = 0; k < sw->count && all != EXPR_BLOCKED; k++) {
			const enum expr_result r = ended(&sw->elements[k], symbolic);
			if (r != EXPR_OK)
				all = r;
		}
	}
	return all;
}

/* --- the user of a guest ---------------------------------------------------------------------- */

struct user_search {
	const struct world *w;
	const char *user;
	unsigned depth;
};

static void search_user(struct user_search *s, const struct step *step);

static void on_body_name(void *arg, const struct expr_use *use)
{
	struct user_search *s = arg;
	const struct scenario *scenario = s->w->scenario;
	char *name = slice_dup(use->name);
	const char *user = json_str(json_object_get(s->w->options.picked, name), "user");
	const int step = scenario_step(scenario, use->name);
	free(name);
	if (s->user)
		return;
	if (user) {
		s->user = user;
		return;
	}
	if (step < 0)
		return;
	const struct step_world *sw = &s->w->steps[step];
	const struct kind *k = sw->step->kind;
	if (k && !strcmp(k->name, "image") && sw->count && sw->elements[0].object)
		s->user = pick_image_user(sw->elements[0].object);
	else if (k && !strcmp(k->name, "volume"))
		search_user(s, sw->step);
}

static void search_user(struct user_search *s, const struct step *step)
{
	if (step->body && s->depth++ < 4)
		interp_names(step->body, on_body_name, s);
}

const char *world_login_user(const struct world *w, const struct element *e)
{
	struct user_search s = {.w = w};
	search_user(&s, w->steps[e->step].step);
	return s.user;
}

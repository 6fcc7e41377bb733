/*
 * world_param.c - parameters: defaults, what was given, zones that were overridden.
 */

#include <string.h>

#include "base/units.h"
#include "observe/scenario/worlds.h"

static struct value parse_scalar(struct slice text)
{
	struct error_list errors = {0};
	struct value v;
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

void world_values_fini(struct map *m)
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
	world_values_fini(&w.params);
	json_decref((json_t *)w.options.zones);
	return errors->n + errors->dropped == before;
}

void world_bind(struct world *w, const json_t *given, struct error_list *errors)
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

/*
 * stack_value.c - the functions of templates: get_param, get_resource, get_attr, str_replace,
 * list_join.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/stack.h"
#include "sim/state.h"

static json_t *get_param(const struct object *stack, const json_t *argument);
static json_t *get_resource(const struct object *stack, const json_t *argument);
static json_t *get_attr(const struct object *stack, const json_t *argument);
static json_t *str_replace(const struct object *stack, const json_t *argument);
static json_t *list_join(const struct object *stack, const json_t *argument);

static const struct function {
	const char *name;
	json_t *(*run)(const struct object *stack, const json_t *argument);
} functions[] = {{"get_param", get_param}, {"get_resource", get_resource}, {"get_attr", get_attr},
	{"str_replace", str_replace}, {"str_replace_strict", str_replace},
	{"list_join", list_join}};

static const char *const others[] = {"and", "contains", "digest", "equals", "filter", "get_file",
	"if", "list_concat", "list_concat_unique", "make_url", "map_merge", "map_replace", "not",
	"or", "repeat", "resource_facade", "str_replace_vstrict", "str_split", "yaql"};

/* The only key of an object of one, or NULL. */
static const char *only_key(const json_t *value, const json_t **ret_argument)
{
	void *at = json_is_object(value) && json_object_size(value) == 1
			   ? json_object_iter((json_t *)value)
			   : NULL;

	if (at)
		*ret_argument = json_object_iter_value(at);
	return at ? json_object_iter_key(at) : NULL;
}

const char *stack_function(const json_t *value, const json_t **ret_argument)
{
	const char *key = only_key(value, ret_argument);

	for (size_t i = 0; key && i < array_len(functions); i++)
		if (!strcmp(key, functions[i].name))
			return functions[i].name;
	return NULL;
}

const char *stack_unknown_function(const json_t *value)
{
	const json_t *argument;
	const char *key = only_key(value, &argument);

	for (size_t i = 0; key && i < array_len(others); i++)
		if (!strcmp(key, others[i]))
			return others[i];
	return NULL;
}

json_t *stack_resolve(const struct object *stack, const json_t *value)
{
	const json_t *argument;
	const char *function = stack_function(value, &argument), *key;
	json_t *out, *inner;
	size_t i;

	for (size_t f = 0; function && f < array_len(functions); f++)
		if (!strcmp(function, functions[f].name))
			return functions[f].run(stack, argument);
	if (json_is_array(value)) {
		out = json_array();
		json_array_foreach (value, i, inner)
			json_array_append_new(out, stack_resolve(stack, inner));
		return out;
	}
	if (json_is_object(value)) {
		out = json_object();
		json_object_foreach ((json_t *)value, key, inner)
			json_object_set_new(out, key, stack_resolve(stack, inner));
		return out;
	}
	return value ? json_incref((json_t *)value) : json_null();
}

/* --- the functions -----------------------------------------------------------------------------
 */

/* Follows keys and numbers from item `from` of the path on. Takes `value`. Returns owned. */
static json_t *walk(const struct object *stack, json_t *value, const json_t *path, size_t from)
{
	for (size_t i = from; i < json_array_size(path); i++) {
		json_t *step = stack_resolve(stack, json_array_get(path, i));
		char *text = python_str_text(step);
		json_t *next = json_is_array(value)
				       ? json_array_get(value, (size_t)strtoul(text, NULL, 10))
				       : json_object_get(value, text);

		next = next ? json_incref(next) : json_null();
		json_decref(value);
		json_decref(step);
		free(text);
		value = next;
	}
	return value;
}

static json_t *get_param(const struct object *stack, const json_t *argument)
{
	const char *name =
		json_string_value(json_is_array(argument) ? json_array_get(argument, 0) : argument);
	json_t *value = json_object_get(json_object_get(stack->doc, ".values"), name ? name : "");

	if (name && !strcmp(name, "OS::stack_name"))
		return json_string(object_str(stack, "stack_name"));
	if (name && !strcmp(name, "OS::stack_id"))
		return json_string(stack->id);
	if (name && !strcmp(name, "OS::project_id"))
		return json_string(stack->project);
	return walk(stack, value ? json_incref(value) : json_null(), argument, 1);
}

static json_t *get_resource(const struct object *stack, const json_t *argument)
{
	const char *name = json_string_value(argument);
	const json_t *r = name ? stack_resource(stack, name) : NULL;

	return r && *json_str(r, "id") ? json_string(json_str(r, "id")) : json_null();
}

static json_t *get_attr(const struct object *stack, const json_t *argument)
{
	const char *name = json_string_value(json_array_get(argument, 0));
	const json_t *r = name ? stack_resource(stack, name) : NULL;

	return r && *json_str(r, "id") ? walk(stack, stack_attributes(stack, r), argument, 1)
				       : json_null();
}

/* "" for what is not there yet. */
static char *text_of(const json_t *value)
{
	return json_is_null(value)                             ? mem_strdup("")
	       : json_is_object(value) || json_is_array(value) ? json_dumps(value, 0)
							       : python_str_text(value);
}

/* The longest parameter that stands there, or NULL. */
static const char *param_at(const json_t *params, const char *at)
{
	const char *key, *best = NULL;
	json_t *value;

	json_object_foreach ((json_t *)params, key, value)
		if (*key && !strncmp(at, key, strlen(key)) && (!best || strlen(key) > strlen(best)))
			best = key;
	return best;
}

static json_t *str_replace(const struct object *stack, const json_t *argument)
{
	json_t *args = stack_resolve(stack, argument);
	const json_t *params = json_object_get(args, "params");
	const char *at = json_str(args, "template");
	struct buf out = BUF(BUF_PAGE);

	while (at && *at) {
		const char *key = param_at(params, at);
		if (!key) {
			buf_add_char(&out, *at++);
			continue;
		}
		char *text = text_of(json_object_get(params, key));
		buf_add_str(&out, text);
		free(text);
		at += strlen(key);
	}
	json_t *value = json_string(buf_str(&out));
	buf_fini(&out);
	json_decref(args);
	return value;
}

/* ["-", [a, b], [c]] */
static json_t *list_join(const struct object *stack, const json_t *argument)
{
	json_t *args = stack_resolve(stack, argument), *list, *item;
	const char *between = json_string_value(json_array_get(args, 0));
	struct buf out = BUF(BUF_PAGE);
	size_t i, k;
	bool first = true;

	json_array_foreach (args, i, list)
		json_array_foreach (list, k, item) {
			char *text = text_of(item);
			buf_printf(&out, "%s%s", first || !between ? "" : between, text);
			first = false;
			free(text);
		}
	json_t *value = json_string(buf_str(&out));
	buf_fini(&out);
	json_decref(args);
	return value;
}

/*
 * stack_parameter.c - parameters of templates: their types, defaults and constraints.
 */

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/stack.h"
#include "sim/state.h"

#define JSON_MAX (1u << 20)

static const struct {
	const char *word, *shown;
} types[] = {{"string", "String"}, {"number", "Number"},
	{"comma_delimited_list", "CommaDelimitedList"}, {"json", "Json"}, {"boolean", "Boolean"}};

static const char *type_of(const json_t *def)
{
	const char *type = json_str(def, "type");

	return type ? type : "string";
}

static bool is(const json_t *def, const char *type)
{
	return !strcmp(type_of(def), type);
}

static json_t *refuse(struct call *c, const char *name, char *why)
{
	stack_invalid(c, "Parameter '%s' is invalid: %s", name, why);
	free(why);
	return NULL;
}

/* --- by type -----------------------------------------------------------------------------------
 */

static json_t *as_number(struct call *c, const char *name, const json_t *v)
{
	const char *text = json_string_value(v);
	char *end;

	if (json_is_number(v))
		return json_incref((json_t *)v);
	if (text && *text) {
		const long long whole = strtoll(text, &end, 10);
		if (!*end)
			return json_integer(whole);
		const double real = strtod(text, &end);
		if (!*end)
			return json_real(real);
	}
	char *shown = python_repr_text(v);
	json_t *none = refuse(c, name, mem_printf("could not convert string to float: %s", shown));
	free(shown);
	return none;
}

static json_t *as_boolean(struct call *c, const char *name, const json_t *v)
{
	static const char *const yes[] = {"1", "t", "true", "on", "y", "yes"}, *const no[] = {"0",
										       "f", "false",
										       "off", "n",
										       "no"};
	char *text = python_str_text(v);
	int found = -1;

	for (size_t i = 0; i < array_len(yes); i++)
		found = !strcasecmp(text, yes[i]) ? 1 : !strcasecmp(text, no[i]) ? 0 : found;
	json_t *value = found >= 0
				? json_boolean(found)
				: refuse(c, name,
					  mem_printf("Unrecognized value '%s', acceptable values "
						     "are: '0', '1', 'f', 'false', 'n', 'no', "
						     "'off', 'on', 't', 'true', 'y', 'yes'",
						  text));
	free(text);
	return value;
}

static json_t *as_list(const json_t *v)
{
	struct slice rest = slice_of(json_string_value(v)), part;

	if (json_is_array(v))
		return json_incref((json_t *)v);
	json_t *list = json_array();
	while (slice_next(&rest, ',', &part)) {
		part = slice_trim(part);
		json_array_append_new(list, json_stringn(part.p, part.n));
	}
	return list;
}

static json_t *as_json(struct call *c, const char *name, const json_t *v)
{
	json_t *parsed = json_is_string(v)
				 ? json_parse(slice_of(json_string_value(v)), JSON_MAX, NULL)
				 : json_incref((json_t *)v);

	if (json_is_object(parsed) || json_is_array(parsed))
		return parsed;
	json_decref(parsed);
	return refuse(c, name, mem_strdup("Value must be valid JSON"));
}

static json_t *as_string(const json_t *v)
{
	char *text = python_str_text(v);
	json_t *value = json_string(text);

	free(text);
	return value;
}

static json_t *by_type(struct call *c, const char *name, const json_t *def, const json_t *v)
{
	if (is(def, "number"))
		return as_number(c, name, v);
	if (is(def, "boolean"))
		return as_boolean(c, name, v);
	if (is(def, "comma_delimited_list"))
		return as_list(v);
	if (is(def, "json"))
		return as_json(c, name, v);
	return as_string(v);
}

/* --- constraints -------------------------------------------------------------------------------
 */

static char *bound(const json_t *range, const char *key)
{
	json_t *v = json_object_get(range, key);

	return v ? python_str_text(v) : mem_strdup("None");
}

/* "9 is out of range (min: 3, max: 5)", or NULL when it is not. Returns owned. */
static char *out_of_range(const char *what, double n, const json_t *range)
{
	const json_t *min = json_object_get(range, "min"), *max = json_object_get(range, "max");

	if ((!min || n >= json_number_value(min)) && (!max || n <= json_number_value(max)))
		return NULL;
	char *low = bound(range, "min"), *high = bound(range, "max"),
	     *why = mem_printf("%s is out of range (min: %s, max: %s)", what, low, high);
	free(low);
	free(high);
	return why;
}

static char *not_allowed(const json_t *v, const json_t *allowed)
{
	size_t i;
	json_t *one;

	json_array_foreach (allowed, i, one)
		if (json_equal(one, v))
			return NULL;
	char *have = json_dumps(v, JSON_ENCODE_ANY), *list = json_dumps(allowed, 0),
	     *why = mem_printf("%s is not an allowed value %s", have, list);
	free(have);
	free(list);
	return why;
}

static char *mismatch(const char *text, const char *pattern)
{
	char *whole = mem_printf("^(%s)$", pattern);
	regex_t re;
	bool good = true; /* a pattern in Python's own words is not looked at */

	if (!regcomp(&re, whole, REG_EXTENDED | REG_NOSUB)) {
		good = !regexec(&re, text, 0, NULL, 0);
		regfree(&re);
	}
	free(whole);
	return good ? NULL : mem_printf("\"%s\" does not match pattern \"%s\"", text, pattern);
}

static char *broken(const json_t *constraint, const json_t *v)
{
	const json_t *range = json_object_get(constraint, "range"),
		     *length = json_object_get(constraint, "length"),
		     *allowed = json_object_get(constraint, "allowed_values");
	const char *pattern = json_str(constraint, "allowed_pattern"), *text = json_string_value(v);
	char *shown = python_str_text(v), *why = NULL;

	if (range && json_is_number(v))
		why = out_of_range(shown, json_number_value(v), range);
	if (!why && length && (text || json_is_array(v))) {
		const size_t n = text ? utf8_length(slice_of(text)) : json_array_size(v);
		char *what = mem_printf("length (%zu)", n);
		why = out_of_range(what, (double)n, length);
		free(what);
	}
	if (!why && allowed)
		why = not_allowed(v, allowed);
	if (!why && pattern && text)
		why = mismatch(text, pattern);
	free(shown);
	return why;
}

static bool constraints_met(
	struct call *c, const char *name, const json_t *def, const json_t *value)
{
	size_t i;
	json_t *constraint;

	json_array_foreach (json_object_get(def, "constraints"), i, constraint) {
		char *why = broken(constraint, value);
		const char *own = json_str(constraint, "description");
		if (!why)
			continue;
		if (own)
			mem_replace(&why, own);
		refuse(c, name, why);
		return false;
	}
	return true;
}

/* --- all of them -------------------------------------------------------------------------------
 */

static bool defined(struct call *c, const json_t *defs, const json_t *given)
{
	const char *name;
	json_t *v;

	json_object_foreach ((json_t *)given, name, v)
		if (!json_object_get(defs, name)) {
			stack_fail(c, 400, "UnknownUserParameter",
				"The Parameter (%s) was not defined in template.", name);
			return false;
		}
	json_object_foreach ((json_t *)defs, name, v) {
		bool known = false;
		for (size_t i = 0; i < array_len(types); i++)
			known = known || is(v, types[i].word);
		if (!known) {
			stack_fail(c, 400, "InvalidSchemaError", "Invalid type (%s)", type_of(v));
			return false;
		}
	}
	return true;
}

json_t *stack_values(struct call *c, const json_t *template, const json_t *given)
{
	const json_t *defs = json_object_get(template, "parameters");
	json_t *values = json_object(), *def;
	const char *name;

	if (!defined(c, defs, given)) {
		json_decref(values);
		return NULL;
	}
	json_object_foreach ((json_t *)defs, name, def) {
		const json_t *v = json_object_get(given, name);
		if (!v)
			v = json_object_get(def, "default");
		if (!v)
			stack_fail(c, 400, "UserParameterMissing",
				"The Parameter (%s) was not provided.", name);
		json_t *value = v ? by_type(c, name, def, v) : NULL;
		if (value && constraints_met(c, name, def, value)) {
			json_object_set_new(values, name, value);
			continue;
		}
		json_decref(value);
		json_decref(values);
		return NULL;
	}
	return values;
}

static json_t *shown(const json_t *def, const json_t *value)
{
	if (json_flag(def, "hidden"))
		return json_string("******");
	char *text = json_is_array(value) && is(def, "comma_delimited_list") ? NULL
		     : json_is_object(value) || json_is_array(value)         ? json_dumps(value, 0)
								     : python_str_text(value);
	if (!text) { /* a list again as it came */
		struct buf out = BUF(BUF_LINE);
		size_t i;
		json_t *one;
		json_array_foreach (value, i, one) {
			buf_add_str(&out, i ? "," : "");
			python_str(&out, one);
		}
		text = buf_take(&out);
	}
	json_t *v = json_string(text);
	free(text);
	return v;
}

json_t *stack_values_shown(const struct object *stack)
{
	const json_t *defs =
		json_object_get(json_object_get(stack->doc, ".template"), "parameters");
	json_t *v = json_pack("{s:s, s:s, s:s}", "OS::stack_id", stack->id, "OS::project_id",
		stack->project, "OS::stack_name", object_str(stack, "stack_name"));
	json_t *value;
	const char *name;

	json_object_foreach (json_object_get(stack->doc, ".values"), name, value)
		json_object_set_new(v, name, shown(json_object_get(defs, name), value));
	return v;
}

static void show_constraints(json_t *v, const json_t *def)
{
	static const struct {
		const char *constraint, *key, *shown;
	} rows[] = {{"range", "min", "MinValue"}, {"range", "max", "MaxValue"},
		{"length", "min", "MinLength"}, {"length", "max", "MaxLength"},
		{"allowed_values", NULL, "AllowedValues"},
		{"allowed_pattern", NULL, "AllowedPattern"}};
	size_t i;
	json_t *constraint;

	json_array_foreach (json_object_get(def, "constraints"), i, constraint)
		for (size_t k = 0; k < array_len(rows); k++) {
			json_t *found = json_object_get(constraint, rows[k].constraint);
			if (found && rows[k].key)
				found = json_object_get(found, rows[k].key);
			if (found)
				json_object_set(v, rows[k].shown, found);
		}
}

json_t *stack_parameters_shown(const json_t *template)
{
	json_t *all = json_object(), *def;
	const char *name;

	json_object_foreach (json_object_get(template, "parameters"), name, def) {
		const char *type = "String", *description = json_str(def, "description"),
			   *label = json_str(def, "label");
		for (size_t i = 0; i < array_len(types); i++)
			type = is(def, types[i].word) ? types[i].shown : type;
		json_t *v = json_pack("{s:s, s:s, s:s, s:s}", "Type", type, "Description",
			description ? description : "", "NoEcho",
			json_flag(def, "hidden") ? "true" : "false", "Label", label ? label : name);
		if (json_object_get(def, "default"))
			json_object_set(v, "Default", json_object_get(def, "default"));
		show_constraints(v, def);
		json_object_set_new(all, name, v);
	}
	return all;
}

/*
 * stack_template.c - HOT templates: read from text or JSON, and what heat refuses of them before it
 * makes anything.
 */

#include <string.h>

#include "base/json.h"
#include "sim/python.h"
#include "sim/stack.h"
#include "sim/state.h"
#include "text/yaml.h"

#define VERSION "heat_template_version"

static const char *const versions[] = {"2013-05-23", "2014-10-16", "2015-04-30", "2015-10-15",
	"2016-04-08", "2016-10-14", "2017-02-24", "2017-09-01", "2018-03-02", "2018-08-31",
	"2021-04-16", "newton", "ocata", "pike", "queens", "rocky", "wallaby"};

static bool in_words(const char *word, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(word, words[i]))
			return true;
	return false;
}

/* --- reading -----------------------------------------------------------------------------------
 */

static json_t *read_text(struct call *c, const char *text)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(text), "[root stack]", &errors);
	json_t *template = NULL;

	if (!f)
		stack_fail(c, 400, "HTTPBadRequest",
			"Template not in valid format: Error parsing template [root stack] %s",
			errors.n ? errors.p[0].msg : "");
	else if (yaml_documents(f) > 0 && yaml_root(f, 0)->kind == YAML_MAP)
		template = yaml_json(yaml_root(f, 0));
	else
		stack_fail(c, 400, "HTTPBadRequest",
			"Template not in valid format: The template is not a JSON object or YAML "
			"mapping.");
	error_list_fini(&errors);
	yaml_free(f);
	return template;
}

static bool version_good(struct call *c, const json_t *template)
{
	json_t *version = json_object_get(template, VERSION);
	struct buf list = BUF(BUF_LINE);

	if (!version) {
		stack_fail(c, 400, "InvalidTemplateVersion",
			"The template version is invalid: Template version was not provided");
		return false;
	}
	char *text = python_str_text(version);
	if (!in_words(text, versions, array_len(versions))) {
		for (size_t i = 0; i < array_len(versions); i++)
			buf_printf(&list, "%s%s", i ? ", " : "", versions[i]);
		stack_fail(c, 400, "InvalidTemplateVersion",
			"The template version is invalid: \"" VERSION ": %s\". \"" VERSION
			"\" should be one of: %s",
			text, buf_str(&list));
	}
	buf_fini(&list);
	free(text);
	return !call_answered(c);
}

json_t *stack_template_read(struct call *c, const json_t *given)
{
	json_t *template = NULL;

	if (json_is_string(given) && *json_string_value(given))
		template = read_text(c, json_string_value(given));
	else if (json_is_object(given))
		template = json_deep_copy(given);
	else
		stack_fail(c, 400, "HTTPBadRequest", "No template specified");
	if (template && version_good(c, template))
		return template;
	json_decref(template);
	return NULL;
}

/* --- what refers to what -----------------------------------------------------------------------
 */

static void add_name(json_t *list, const json_t *name)
{
	if (json_is_string(name) && !json_has_text(list, slice_of(json_string_value(name))))
		json_array_append(list, (json_t *)name);
}

/* Names in get_resource and get_attr anywhere below. */
static void add_references(const json_t *value, json_t *list)
{
	const json_t *argument;
	const char *function = stack_function(value, &argument), *key;
	json_t *inner;
	size_t i;

	if (function && !strcmp(function, "get_resource"))
		add_name(list, argument);
	if (function && !strcmp(function, "get_attr"))
		add_name(list, json_array_get(argument, 0));
	json_array_foreach (value, i, inner)
		add_references(inner, list);
	json_object_foreach ((json_t *)value, key, inner)
		add_references(inner, list);
}

static void add_dependencies(const json_t *def, json_t *list)
{
	const json_t *on = json_object_get(def, "depends_on");
	json_t *one;
	size_t i;

	add_name(list, on);
	json_array_foreach (on, i, one)
		add_name(list, one);
}

json_t *stack_needs(const json_t *def)
{
	json_t *list = json_array();

	add_references(json_object_get(def, "properties"), list);
	add_dependencies(def, list);
	return list;
}

/* --- checking ----------------------------------------------------------------------------------
 */

static bool refuse_reference(struct call *c, const char *name, const char *where)
{
	stack_fail(c, 400, "InvalidTemplateReference",
		"The specified reference \"%s\" (in %s) is incorrect.", name, where);
	return false;
}

/* Whether all below a property can be worked out. */
static bool value_good(struct call *c, const json_t *resources, const json_t *values,
	const char *resource, const char *property, const json_t *value)
{
	const json_t *argument;
	const char *function = stack_function(value, &argument), *key,
		   *unknown = stack_unknown_function(value);
	json_t *inner;
	size_t i;

	if (unknown) {
		stack_invalid(c,
			"resources.%s.properties.%s: the simulated heat does not know the "
			"function %s",
			resource, property, unknown);
		return false;
	}
	if (function && !strcmp(function, "get_param")) {
		const json_t *name =
			json_is_array(argument) ? json_array_get(argument, 0) : argument;
		const char *text = json_is_string(name) ? json_string_value(name) : "";
		if (values && strncmp(text, "OS::", 4) && !json_object_get(values, text)) {
			stack_invalid(c,
				"Property error: : resources.%s.properties.%s: : The Parameter (%s) "
				"was not provided.",
				resource, property, text);
			return false;
		}
	}
	if (function && (!strcmp(function, "get_resource") || !strcmp(function, "get_attr"))) {
		const json_t *name =
			json_is_array(argument) ? json_array_get(argument, 0) : argument;
		const char *text = json_is_string(name) ? json_string_value(name) : "";
		char *where = mem_printf("%s.Properties.%s", resource, property);
		if (!json_object_get(resources, text))
			refuse_reference(c, text, where);
		free(where);
	}
	json_array_foreach (value, i, inner)
		if (call_answered(c) ||
			!value_good(c, resources, values, resource, property, inner))
			return false;
	json_object_foreach ((json_t *)value, key, inner)
		if (call_answered(c) ||
			!value_good(c, resources, values, resource, property, inner))
			return false;
	return !call_answered(c);
}

static bool keywords_good(struct call *c, const json_t *def)
{
	static const char *const known[] = {"type", "properties", "metadata", "depends_on",
		"deletion_policy", "update_policy", "description", "external_id", "condition"};
	const char *key;
	json_t *value;

	if (!json_is_string(json_object_get(def, "type"))) {
		stack_invalid(c, "Each resource must contain a type key.");
		return false;
	}
	json_object_foreach ((json_t *)def, key, value)
		if (!in_words(key, known, array_len(known))) {
			stack_invalid(c,
				"\"%s\" is not a valid keyword inside a resource definition", key);
			return false;
		}
	return true;
}

static bool resource_good(struct call *c, const json_t *resources, const json_t *values,
	const char *name, const json_t *def)
{
	const json_t *properties = json_object_get(def, "properties");
	const char *key;
	json_t *value, *names = json_array();
	size_t i;

	if (!keywords_good(c, def)) {
		json_decref(names);
		return false;
	}
	const struct stack_type *type = stack_type(json_str(def, "type"));
	if (!type)
		stack_invalid(
			c, "The Resource Type (%s) could not be found.", json_str(def, "type"));
	add_dependencies(def, names);
	json_array_foreach (names, i, value)
		if (!call_answered(c) && !json_object_get(resources, json_string_value(value)))
			refuse_reference(c, json_string_value(value), name);
	json_decref(names);
	if (call_answered(c))
		return false;
	json_object_foreach ((json_t *)properties, key, value)
		if (!value_good(c, resources, values, name, key, value))
			return false;
	return stack_type_check(c, type, name, properties);
}

/* Depth first; `path` holds who is being visited. */
static bool goes_round(const json_t *resources, const char *name, json_t *path, json_t *done)
{
	json_t *needs, *next;
	size_t i;
	bool round = false;

	if (json_object_get(path, name))
		return true;
	if (json_object_get(done, name))
		return false;
	json_object_set_new(path, name, json_true());
	needs = stack_needs(json_object_get(resources, name));
	json_array_foreach (needs, i, next)
		round = round || goes_round(resources, json_string_value(next), path, done);
	json_decref(needs);
	json_object_del(path, name);
	json_object_set_new(done, name, json_true());
	return round;
}

/* heat itself falls over a circle. */
static bool order_good(struct call *c, const json_t *resources)
{
	json_t *path = json_object(), *done = json_object(), *def;
	const char *name;
	bool round = false;

	json_object_foreach ((json_t *)resources, name, def)
		round = round || goes_round(resources, name, path, done);
	json_decref(path);
	json_decref(done);
	if (round)
		stack_fail(c, 500, "RemoteError", "%s", "");
	return !round;
}

static bool outputs_good(struct call *c, const json_t *resources, const json_t *outputs)
{
	const char *key;
	json_t *def, *names, *name;
	size_t i;

	json_object_foreach ((json_t *)outputs, key, def) {
		names = json_array();
		add_references(json_object_get(def, "value"), names);
		json_array_foreach (names, i, name)
			if (!call_answered(c) &&
				!json_object_get(resources, json_string_value(name)))
				stack_invalid(c,
					"outputs.%s.value.get_attr: : The specified reference "
					"\"%s\" (in unknown) is incorrect.",
					key, json_string_value(name));
		json_decref(names);
		if (call_answered(c))
			return false;
	}
	return true;
}

bool stack_template_check(struct call *c, const json_t *template, const json_t *values)
{
	static const char *const sections[] = {VERSION, "description", "parameters", "resources",
		"outputs", "parameter_groups", "conditions"};
	const json_t *resources = json_object_get(template, "resources");
	const char *key;
	json_t *def;

	json_object_foreach ((json_t *)template, key, def)
		if (!in_words(key, sections, array_len(sections))) {
			stack_invalid(c, "The template section is invalid: %s", key);
			return false;
		}
	json_object_foreach ((json_t *)resources, key, def)
		if (!resource_good(c, resources, values, key, def))
			return false;
	return order_good(c, resources) &&
	       outputs_good(c, resources, json_object_get(template, "outputs"));
}

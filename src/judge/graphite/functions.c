/*
 * functions.c - the table of functions, and what /functions shows of it.
 */

#include "judge/graphite/functions.h"

#include <string.h>

#include "judge/graphite/graphite.h"

/* clang-format off */
#define PARAM(n, t, req, rest, def) {.name = (n), .type = PARAM_##t, .required = (req), .multiple = (rest), .otherwise = (def)}
#define REQ(n, t)      PARAM(n, t, true, false, NULL)
#define OPT(n, t)      PARAM(n, t, false, false, NULL)
#define DEF(n, t, d)   PARAM(n, t, false, false, d)
#define REST(n, t)     PARAM(n, t, true, true, NULL)
#define REST_OPT(n, t) PARAM(n, t, false, true, NULL)
#define FUNCTION(n, g, r, ...) {.name = (n), .group = (g), .run = (r), .params = {__VA_ARGS__}},
const struct function functions[] = {
#include "judge/graphite/functions.def"
};
/* clang-format on */

const size_t function_count = array_len(functions);

const struct function *function_find(const char *name)
{
	for (size_t i = 0; i < function_count; i++)
		if (strcmp(functions[i].name, name) == 0)
			return &functions[i];
	return NULL;
}

bool functions_unknown(
	const char *name, const struct target *t, const struct target_node *n, struct eval *e)
{
	const char *names[array_len(functions)];
	for (size_t i = 0; i < function_count; i++)
		names[i] = functions[i].name;
	const char *near = slice_nearest(slice_of(name), names, function_count);
	target_error(t, n, &e->err, "there is no function %.60s%s%s%s", name,
		near ? "; did you mean " : "; /functions lists them", near ? near : "",
		near ? "?" : "");
	e->failed = true;
	return false;
}

/* --- /functions ------------------------------------------------------------------------------- */

static const char *wire_type(enum param_type type)
{
	static const char *const names[] = {"seriesList", "float", "integer", "intOrInf", "string",
		"boolean", "interval", "intOrInterval", "aggFunc", "aggOrSeriesFunc", "node",
		"nodeOrTag", "tag", "date", "any"};
	return names[type];
}

/* A default as JSON has it. */
static json_t *default_json(const struct param *p)
{
	switch (p->type) {
	case PARAM_BOOL: return json_boolean(strcmp(p->otherwise, "true") == 0);
	case PARAM_REAL:
	case PARAM_WHOLE:
	case PARAM_NODE: return json_integer(strtol(p->otherwise, NULL, 10));
	case PARAM_CURVES:
	case PARAM_WHOLE_OR_INF:
	case PARAM_TEXT:
	case PARAM_INTERVAL:
	case PARAM_WHOLE_OR_INTERVAL:
	case PARAM_FOLD:
	case PARAM_FOLD_OR_FUNCTION:
	case PARAM_NODE_OR_TAG:
	case PARAM_TAG:
	case PARAM_DATE:
	case PARAM_ANY: break;
	}
	return json_string(p->otherwise);
}

static json_t *options_json(enum param_type type)
{
	json_t *options = json_array();
	struct slice rest = slice_of(fold_names()), name;
	while (slice_next(&rest, ',', &name)) {
		name = slice_trim(name);
		if (!slice_is(name, "first"))
			json_array_append_new(options, json_stringn(name.p, name.n));
	}
	for (size_t i = 0; i < function_count && type == PARAM_FOLD_OR_FUNCTION; i++)
		if (strcmp(functions[i].group, "Combine") == 0)
			json_array_append_new(options, json_string(functions[i].name));
	return options;
}

static json_t *param_json(const struct param *p)
{
	json_t *j = json_pack("{s:s, s:s}", "name", p->name, "type", wire_type(p->type));
	if (p->required)
		json_object_set_new(j, "required", json_true());
	if (p->multiple)
		json_object_set_new(j, "multiple", json_true());
	if (p->otherwise)
		json_object_set_new(j, "default", default_json(p));
	if (p->type == PARAM_FOLD || p->type == PARAM_FOLD_OR_FUNCTION)
		json_object_set_new(j, "options", options_json(p->type));
	return j;
}

/* "scale(seriesList, factor)"; what may be left out has its default. */
static json_t *signature(const struct function *f)
{
	struct buf text = BUF(BUF_LINE);
	buf_printf(&text, "%s(", f->name);
	for (size_t i = 0; i < PARAMS && f->params[i].name; i++) {
		const struct param *p = &f->params[i];
		buf_printf(&text, "%s%s%s", i ? ", " : "", p->multiple ? "*" : "", p->name);
		if (!p->required && !p->multiple)
			buf_printf(&text, "=%s", p->otherwise ? p->otherwise : "None");
	}
	buf_add_char(&text, ')');
	json_t *j = json_string(buf_str(&text));
	buf_fini(&text);
	return j;
}

json_t *graphite_functions(void)
{
	json_t *all = json_object();
	for (size_t i = 0; i < function_count; i++) {
		const struct function *f = &functions[i];
		json_t *params = json_array();
		for (size_t k = 0; k < PARAMS && f->params[k].name; k++)
			json_array_append_new(params, param_json(&f->params[k]));
		json_object_set_new(all, f->name,
			json_pack("{s:s, s:o, s:s, s:s, s:s, s:o}", "name", f->name, "function",
				signature(f), "description", "", "module",
				"graphite.render.functions", "group", f->group, "params", params));
	}
	json_object_set_new(all, "seriesByTag",
		json_pack("{s:s, s:s, s:s, s:s, s:s, s:[{s:s, s:s, s:b, s:b}]}", "name",
			"seriesByTag", "function", "seriesByTag(*tagExpressions)", "description",
			"", "module", "graphite.render.functions", "group", "Special", "params",
			"name", "tagExpressions", "type", "string", "required", true, "multiple",
			true));
	return all;
}

/*
 * rule.c - rules as they are written: keys, limits, defaults.
 */

#include "judge/rules/rule.h"

#include <string.h>

#include "base/map.h"
#include "base/units.h"
#include "text/keys.h"

#define HOUR_NS (3600 * NS_PER_S)
#define DAY_NS  (24 * HOUR_NS)

static const char *const severities[] = {"degraded", "outage", "note", NULL};

const char *rule_severity_name(enum rule_severity s)
{
	return severities[s];
}

#define RULE(name, type, field) name, type, offsetof(struct rule_text, field)
static const struct key rule_keys[] = {
	{RULE("name", KEY_TEXT, name), .required = true, .max = 64, .help = "unique"},
	{RULE("component", KEY_TEXT, component), .max = 64, .help = "id of the component"},
	{RULE("severity", KEY_WORD, severity), .words = severities},
	{RULE("when", KEY_TEXT, when), .max = RULE_TEXT_MAX, .help = "what must not be"},
	{RULE("over", KEY_TIME, over_ns), .min = 10 * NS_PER_S, .max = DAY_NS,
		.help = "the window"},
	{RULE("for", KEY_TIME, for_ns), .min = 0, .max = DAY_NS,
		.help = "how long before it is told"},
	{RULE("recover", KEY_TIME, recover_ns), .min = 0, .max = DAY_NS,
		.help = "how long not, before it is taken back"},
	{RULE("minimum", KEY_INT, minimum), .min = 1, .max = 1000000, .help = "samples it needs"},
	{RULE("each", KEY_TEXT, each), .max = 64,
		.help = "a tag, or location: judged for each value"},
	{RULE("text", KEY_TEXT, text), .max = RULE_TEXT_MAX, .help = "a sentence for operators"},
};
#undef RULE

void rule_text_init(struct rule_text *t)
{
	*t = (struct rule_text){.severity = RULE_DEGRADED,
		.over_ns = 300 * NS_PER_S,
		.recover_ns = 60 * NS_PER_S,
		.minimum = 3};
}

void rule_text_fini(struct rule_text *t)
{
	keys_release(rule_keys, array_len(rule_keys), t);
}

static bool is_line(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ')
			return false;
	return true;
}

/* Names stand in what is told of them: "rule:api-slow[berlin]". */
static bool is_name(const char *text)
{
	const size_t n =
		strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return n && !text[n];
}

static bool is_component(const char *text)
{
	const size_t n = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
	return n && n <= 64 && !text[n];
}

static bool wrong(const struct rule_text *t, const struct yaml *y, struct error_list *errors,
	const char *what)
{
	error_list_at(errors, t->file, y ? y->line : t->line, y ? y->col : t->col, "rule %.64s: %s",
		t->name ? t->name : "", what);
	return false;
}

/* The place of a text behind its quote; of one in lines of its own the line below. */
static void place_when(struct rule_text *t, const struct yaml *y)
{
	t->when_line = y->line;
	t->when_col = y->plain ? y->col : y->col + 1;
}

bool rule_text_read(
	struct rule_text *t, const struct yaml *map, const char *file, struct error_list *errors)
{
	const struct yaml *when = yaml_get(map, "when");
	struct rule_text before = *t;
	t->file = file;
	t->line = map->line;
	t->col = map->col;
	/* keys_read() fills texts anew: what was there is kept until then. */
	t->name = t->component = t->when = t->text = t->each = NULL;
	bool good = keys_read(map, file, "a rule", rule_keys, array_len(rule_keys), t, errors);
	char **fields[] = {&t->name, &t->component, &t->when, &t->text, &t->each};
	char *old[] = {before.name, before.component, before.when, before.text, before.each};
	for (size_t i = 0; i < array_len(fields); i++) {
		if (*fields[i])
			free(old[i]);
		else
			*fields[i] = old[i];
	}
	if (when && when->kind == YAML_SCALAR)
		place_when(t, when);
	if (good && !is_name(t->name))
		good = wrong(t, yaml_get(map, "name"), errors,
			"name: letters, digits, \".\", \"_\" and \"-\" only");
	if (good && t->component && !is_component(t->component))
		good = wrong(t, yaml_get(map, "component"), errors,
			"component: an id such as block-storage: a-z, 0-9 and \"-\"");
	if (good && t->text && !is_line(t->text))
		good = wrong(t, yaml_get(map, "text"), errors, "text: one line");
	return good;
}

static bool is_complete(const struct rule_text *t, struct error_list *errors)
{
	if (!t->when)
		return wrong(t, NULL, errors,
			"when is missing: the condition, such as"
			" 'success_rate(probe{component=\"compute\"}) < 95%'");
	if (!t->component && (!t->each || strcmp(t->each, "component") != 0))
		return wrong(t, NULL, errors, "component is missing (or each: component)");
	if (t->over_ns % (10 * NS_PER_S))
		return wrong(t, NULL, errors, "over: whole tens of seconds");
	return true;
}

struct rule *rule_new(struct rule_text *t, struct error_list *errors)
{
	struct error err = {0};
	if (!is_complete(t, errors))
		return NULL;
	struct rule *r = mem_new(struct rule);
	r->as = *t;
	if (rule_read_condition(r, &err)) {
		rule_text_init(t);
		return r;
	}
	error_wrap(&err, "rule %.64s", t->name);
	error_list_add(errors, &err);
	rule_text_init(&r->as); /* they are still the caller's */
	rule_free(r);
	return NULL;
}

void rule_free(struct rule *r)
{
	if (!r)
		return;
	VEC_EACH (&r->terms, struct rule_term, t)
		selector_fini(&t->selector);
	vec_fini(&r->terms);
	vec_fini(&r->watches);
	expr_free(r->when);
	rule_text_fini(&r->as);
	free(r);
}

static void put_time(json_t *j, const char *key, int64_t ns)
{
	char text[UNITS_TEXT];
	json_object_set_new(j, key, json_string(units_time_whole(ns, text)));
}

json_t *rule_json(const struct rule *r)
{
	const struct rule_text *t = &r->as;
	json_t *j = json_pack("{s:s, s:s*, s:s, s:s}", "name", t->name, "component", t->component,
		"severity", severities[t->severity], "when", t->when);
	put_time(j, "over", t->over_ns);
	put_time(j, "for", t->for_ns);
	put_time(j, "recover", t->recover_ns);
	json_object_set_new(j, "minimum", json_integer(t->minimum));
	if (t->each)
		json_object_set_new(j, "each", json_string(t->each));
	if (t->text)
		json_object_set_new(j, "text", json_string(t->text));
	return j;
}

/* --- whole files
 * ---------------------------------------------------------------------------------- */

struct rule_list {
	struct rule **p;
	size_t n, cap;
};

/* The list itself, or that of rules: or judge: {rules:}. */
static const struct yaml *list_in(const struct yaml *root)
{
	if (!root || root->kind == YAML_LIST)
		return root;
	const struct yaml *judge = yaml_get(root, "judge");
	const struct yaml *list = yaml_get(judge ? judge : root, "rules");
	return list && list->kind == YAML_LIST ? list : NULL;
}

static void read_item(struct rule_list *all, struct map *names, const struct yaml *item,
	const char *file, struct error_list *errors)
{
	struct rule_text t;
	rule_text_init(&t);
	if (item->kind != YAML_MAP)
		error_list_at(errors, file, item->line, item->col,
			"a rule is a map such as {name: slow, component: compute, when: '...'}");
	else if (rule_text_read(&t, item, file, errors)) {
		struct rule *r =
			map_put(names, t.name, all)
				? (wrong(&t, item, errors, "the name is there twice"), NULL)
				: rule_new(&t, errors);
		if (r)
			vec_push(all, r);
	}
	rule_text_fini(&t);
}

struct rule **rules_load(const char *path, size_t *ret_n, struct error_list *errors)
{
	const size_t before = errors->n;
	struct rule_list all = {0};
	struct map names = {0};
	struct yaml_file *f = yaml_load(path, errors);
	const struct yaml *list = f && yaml_documents(f) ? list_in(yaml_root(f, 0)) : NULL;
	if (f && !list)
		error_list_at(errors, path, 1, 1,
			"expected rules: a list, rules: [...] or judge: {rules: [...]}");
	if (list && list->n > RULES_MAX)
		error_list_at(errors, path, list->line, list->col, "more than %d rules", RULES_MAX);
	for (size_t i = 0; list && i < list->n && i < RULES_MAX; i++)
		read_item(&all, &names, list->items[i], path, errors);
	map_fini(&names);
	yaml_free(f);
	if (errors->n > before) {
		rules_unload(all.p, all.n);
		return NULL;
	}
	*ret_n = all.n;
	return all.p ? all.p : mem_new(struct rule *);
}

void rules_unload(struct rule **rules, size_t n)
{
	for (size_t i = 0; i < n; i++)
		rule_free(rules[i]);
	free(rules);
}

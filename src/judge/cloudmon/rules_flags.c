/*
 * rules_flags.c - templates and environments become flags, one an environment each.
 */

#include <ctype.h>
#include <stdio.h>

#include "judge/cloudmon/rules_inside.h"
#include "judge/graphite/eval.h"
#include "judge/graphite/target.h"

/* --- environments -------------------------------------------------------------------------------
 */

static struct environment *add_environment(struct rules_reader *rd, const char *name)
{
	struct environment *e = mem_new(struct environment);
	e->name = mem_strdup(name);
	e->attributes = json_object();
	vec_push(&rd->rules->environments, e);
	return e;
}

static void make_environments(struct rules_reader *rd)
{
	static const char *const keys[] = {"name", "attributes", NULL};
	for (size_t i = 0; rd->environments.y && i < rd->environments.y->n; i++) {
		const struct part item = rules_item(rd->environments, i);
		if (!rules_is(rd, item, YAML_MAP, "an environment"))
			continue;
		rules_known(rd, item, keys);
		const char *name = rules_text(rules_get(item, "name"));
		const struct part attributes = rules_get(item, "attributes");
		if (!*name) {
			rules_wrong(rd, item, "an environment needs a name");
			continue;
		}
		if (rules_environment(rd, name)) {
			rules_note(rd, item, "the environment \"%.80s\" is there already", name);
			continue;
		}
		struct environment *e = add_environment(rd, name);
		if (!rules_is(rd, attributes, YAML_MAP, "attributes"))
			continue;
		json_decref(e->attributes);
		e->attributes = yaml_json(attributes.y);
	}
}

/* --- templates -----------------------------------------------------------------------------------
 */

static bool read_op(struct rules_reader *rd, struct template *t)
{
	const char *op = rules_text(t->op);
	t->how = strcmp(op, "lt") == 0 ? FLAG_LT : strcmp(op, "gt") == 0 ? FLAG_GT : FLAG_EQ;
	if (t->how != FLAG_EQ || strcmp(op, "eq") == 0)
		return true;
	rules_wrong(rd, t->op.y ? t->op : t->at, "op of \"%.80s\": expected lt, gt or eq", t->name);
	return false;
}

static bool read_number(struct rules_reader *rd, struct part p, double *ret)
{
	char *end;
	const char *text = rules_text(p);
	*ret = strtod(text, &end);
	if (*text && !*end && *ret - *ret == 0)
		return true;
	rules_wrong(rd, p, "threshold: expected a number");
	return false;
}

/* NULL: each function is one. */
static const struct target_node *unknown_function(const struct target_node *n)
{
	const struct target_node *bad = NULL;
	if (n->type == TARGET_CALL && strcmp(n->text, "seriesByTag") != 0 &&
		!function_find(n->text))
		return n;
	for (size_t i = 0; i < n->args.n && !bad; i++)
		bad = unknown_function(n->args.p[i]);
	return bad;
}

/* The target of a template, with names in place of what is put in. */
static bool check_query(struct rules_reader *rd, struct template *t)
{
	struct error err = {0};
	t->target = target_parse(slice_of(rules_text(t->query)), &err);
	if (!t->target)
		rules_wrong(rd, t->query, "query of \"%.80s\": column %u of it: %s", t->name,
			err.col, err.msg);
	const struct target_node *bad = t->target ? unknown_function(target_root(t->target)) : NULL;
	if (bad)
		rules_wrong(rd, t->query,
			"query of \"%.80s\": there is no function %.60s; docs/graphite.md lists them",
			t->name, bad->text);
	return t->target && !bad;
}

static void check_template(struct rules_reader *rd, struct template *t)
{
	bool good = true;
	if (t->query.y && t->promql.y) {
		rules_wrong(
			rd, t->promql, "\"%.80s\" has a query and promql: leave one out", t->name);
		good = false;
	} else if (!t->query.y && !t->promql.y) {
		rules_wrong(rd, t->at, "the template \"%.80s\" has no query", t->name);
		good = false;
	} else if (t->query.y) {
		good = check_query(rd, t);
	}
	good &= read_op(rd, t);
	if (t->threshold.y)
		good &= read_number(rd, t->threshold, &t->limit);
	t->bad = !good;
}

/* --- what is put in
 * ------------------------------------------------------------------------------- */

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* "$service" and "$environment", and what the flag's template.vars has; NULL: told. */
static char *put_in(struct rules_reader *rd, struct part query, const char *service,
	const char *environment, struct part vars, struct part at)
{
	struct buf out = BUF(TARGET_TEXT);
	for (const char *p = rules_text(query); *p;) {
		if (*p != '$' || !is_word(p[1])) {
			buf_add_char(&out, *p++);
			continue;
		}
		const char *from = ++p;
		while (is_word(*p))
			p++;
		char *name = mem_strndup(from, (size_t)(p - from));
		const struct part own = rules_get(vars, name);
		const char *value = own.y                              ? rules_text(own)
				    : strcmp(name, "service") == 0     ? service
				    : strcmp(name, "environment") == 0 ? environment
								       : NULL;
		if (!value)
			rules_note(rd, at,
				"the query of its template has $%.60s, which nobody defines: "
				"$service, $environment and its own template.vars may stand there. "
				"The flag is not there",
				name);
		free(name);
		if (!value) {
			buf_fini(&out);
			return NULL;
		}
		buf_add_str(&out, value);
	}
	return buf_take(&out);
}

/* --- flags -------------------------------------------------------------------------------------
 */

struct making { /* a flag of flag_metrics */
	struct part at, vars;
	const char *service;
	char *name; /* SERVICE.NAME */
	struct template *t;
};

static void add_flag(
	struct rules_reader *rd, const struct making *m, const char *environment, double threshold)
{
	struct cloudmon_rules *r = rd->rules;
	const struct part query = m->t->query.y ? m->t->query : m->t->promql;
	char *text = put_in(rd, query, m->service, environment, m->vars, m->at);
	if (!text)
		return;
	char *key = mem_printf("%s\n%s", environment, m->name);
	const size_t at = (size_t)(uintptr_t)map_get(&rd->by_flag, key);
	struct flag_name *name = map_get(&rd->by_name, m->name);
	if (at)
		rules_note(rd, m->at,
			"\"%.80s\" of %.80s is defined again here; the flag of line %u counts no more",
			m->name, environment, name->at.y->line);
	const struct cloudmon_flag flag = {.name = rules_keep(r, mem_strdup(m->name)),
		.service = rules_keep(r, mem_strdup(m->service)),
		.environment = rules_environment(rd, environment)->name,
		.query = rules_keep(r, text),
		.promql = m->t->promql.y != NULL,
		.op = m->t->how,
		.threshold = threshold};
	if (at) {
		r->flags.p[at - 1] = flag;
	} else if (r->flags.n >= CLOUDMON_FLAGS) {
		if (r->flags.n == CLOUDMON_FLAGS)
			rules_wrong(rd, m->at, "more than %d flags", CLOUDMON_FLAGS);
	} else {
		vec_push(&r->flags, flag);
		map_put(&rd->by_flag, key, (void *)(uintptr_t)r->flags.n);
	}
	if (!name) {
		name = mem_new(struct flag_name);
		map_put(&rd->by_name, m->name, name);
	}
	name->at = m->at;
	free(key);
}

static void flag_of(struct rules_reader *rd, const struct making *m, struct part item)
{
	static const char *const keys[] = {"name", "threshold", NULL};
	const bool is_map = item.y->kind == YAML_MAP;
	const struct part name = is_map ? rules_get(item, "name") : item;
	const struct part own = is_map ? rules_get(item, "threshold") : (struct part){0};
	double threshold = m->t->limit;
	if (is_map)
		rules_known(rd, item, keys);
	if (!*rules_text(name)) {
		rules_wrong(rd, item, "environments: expected the name of an environment");
		return;
	}
	if (own.y && !read_number(rd, own, &threshold))
		return;
	if (!own.y && !m->t->threshold.y) {
		rules_wrong(rd, m->at,
			"neither the flag nor its template \"%.80s\" has a threshold", m->t->name);
		return;
	}
	if (!rules_environment(rd, rules_text(name))) {
		rules_note(rd, name,
			"the environment \"%.80s\" is not among `environments`: it has"
			" no attributes",
			rules_text(name));
		add_environment(rd, rules_text(name));
	}
	add_flag(rd, m, rules_text(name), threshold);
}

static bool find_template(struct rules_reader *rd, struct making *m)
{
	static const char *const keys[] = {"name", "vars", NULL};
	const struct part template = rules_get(m->at, "template");
	if (!template.y) {
		rules_note(rd, m->at, "\"%.80s\" has no template: the flag is not there", m->name);
		return false;
	}
	if (!rules_is(rd, template, YAML_MAP, "template"))
		return false;
	rules_known(rd, template, keys);
	m->vars = rules_get(template, "vars");
	if (m->vars.y && !rules_is(rd, m->vars, YAML_MAP, "vars"))
		return false;
	m->t = map_get(&rd->templates, rules_text(rules_get(template, "name")));
	if (m->t) {
		m->t->used = true;
		return !m->t->bad;
	}
	VEC(const char *) names = {0};
	MAP_EACH (&rd->templates, e)
		vec_push(&names, e->key);
	const struct part name = rules_get(template, "name");
	const char *near = slice_nearest(slice_of(rules_text(name)), names.p, names.n);
	rules_note(rd, name.y ? name : template,
		"there is no template \"%.80s\": the flag \"%.80s\" is not there%s%s%s",
		rules_text(name), m->name, near ? "; did you mean \"" : "", near ? near : "",
		near ? "\"?" : "");
	vec_fini(&names);
	return false;
}

static void make_flag(struct rules_reader *rd, struct part item)
{
	static const char *const keys[] = {"name", "service", "template", "environments", NULL};
	if (!rules_is(rd, item, YAML_MAP, "a flag"))
		return;
	rules_known(rd, item, keys);
	const struct part environments = rules_get(item, "environments");
	const char *name = rules_text(rules_get(item, "name"));
	struct making m = {.at = item, .service = rules_text(rules_get(item, "service"))};
	if (!*name || !*m.service) {
		rules_wrong(rd, item, "a flag needs name and service");
		return;
	}
	m.name = mem_printf("%s.%s", m.service, name);
	if (find_template(rd, &m)) {
		if (!environments.y || environments.y->kind != YAML_LIST || !environments.y->n)
			rules_note(rd, environments.y ? environments : item,
				"\"%.80s\" names no environments: the flag is nowhere", m.name);
		else
			for (size_t i = 0; i < environments.y->n; i++)
				flag_of(rd, &m, rules_item(environments, i));
	}
	free(m.name);
}

void rules_make_flags(struct rules_reader *rd)
{
	make_environments(rd);
	MAP_EACH (&rd->templates, e)
		check_template(rd, e->value);
	for (size_t i = 0; rd->flags.y && i < rd->flags.y->n; i++)
		make_flag(rd, rules_item(rd->flags, i));
	MAP_EACH (&rd->templates, e) {
		const struct template *t = e->value;
		if (!t->used)
			rules_note(rd, t->at, "no flag uses the template \"%.80s\"", t->name);
	}
}

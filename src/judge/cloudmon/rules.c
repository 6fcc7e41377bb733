/*
 * rules.c - a rule set and what its readers share; see cloudmon.h and rules_inside.h.
 */

#include <stdio.h>

#include "judge/cloudmon/rules_inside.h"
#include "judge/graphite/target.h"

#define HOLD_S 300
#define LATE_S 120

/* --- telling ---------------------------------------------------------------------------------- */

void rules_note(struct rules_reader *rd, struct part p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	rd->rules->notes++;
	if (rd->note)
		rd->note(rd->arg, p.file ? p.file : "", p.y ? p.y->line : 0, p.y ? p.y->col : 0,
			text);
	free(text);
}

void rules_wrong(struct rules_reader *rd, struct part p, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	error_list_at(rd->errors, p.file, p.y ? p.y->line : 0, p.y ? p.y->col : 0, "%s", text);
	free(text);
}

/* --- parts of documents ----------------------------------------------------------------------- */

struct part rules_get(struct part map, const char *key)
{
	const struct yaml *y = map.y ? yaml_get(map.y, key) : NULL;
	return (struct part){y && !yaml_is_null(y) ? y : NULL, map.file};
}

struct part rules_item(struct part of, size_t i)
{
	return (struct part){of.y->items[i], of.file};
}

bool rules_is(struct rules_reader *rd, struct part p, enum yaml_kind kind, const char *what)
{
	if (!p.y)
		return false;
	if (p.y->kind == kind)
		return true;
	rules_wrong(rd, p, "%s: expected %s, found %s", what,
		kind == YAML_MAP    ? "a map"
		: kind == YAML_LIST ? "a list"
				    : "a text or number",
		yaml_kind_name(p.y));
	return false;
}

void rules_known(struct rules_reader *rd, struct part map, const char *const *keys)
{
	size_t count = 0;
	while (keys[count])
		count++;
	for (size_t i = 0; i < map.y->n; i++) {
		const struct yaml *key = map.y->keys[i];
		bool known = false;
		for (size_t k = 0; k < count && !known; k++)
			known = slice_is(key->text, keys[k]);
		const char *near = known ? NULL : slice_nearest(key->text, keys, count);
		if (!known)
			rules_note(rd, (struct part){key, map.file},
				"\"%.80s\" means nothing here%s%s%s", key->text.p,
				near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
	}
}

const char *rules_text(struct part p)
{
	return p.y && p.y->kind == YAML_SCALAR ? p.y->text.p : "";
}

const char *rules_keep(struct cloudmon_rules *r, char *owned)
{
	vec_push(&r->texts, owned);
	return owned;
}

struct environment *rules_environment(struct rules_reader *rd, const char *name)
{
	VEC_EACH (&rd->rules->environments, struct environment *, e)
		if (strcmp((*e)->name, name) == 0)
			return *e;
	return NULL;
}

int64_t rules_flag(struct rules_reader *rd, const char *environment, const char *name)
{
	char *key = mem_printf("%s\n%s", environment, name);
	const size_t at = (size_t)(uintptr_t)map_get(&rd->by_flag, key);
	free(key);
	if (at)
		return (int64_t)at - 1;
	return map_get(&rd->by_name, name) ? CLOUDMON_ELSEWHERE : CLOUDMON_NOBODY;
}

/* --- loading ---------------------------------------------------------------------------------- */

static void reader_fini(struct rules_reader *rd)
{
	MAP_EACH (&rd->templates, e) {
		struct template *t = e->value;
		free(t->name);
		target_free(t->target);
		free(t);
	}
	MAP_EACH (&rd->healths, e) {
		struct health_draft *h = e->value;
		free(h->key);
		free(h);
	}
	MAP_EACH (&rd->by_name, e)
		free(e->value);
	map_fini(&rd->templates);
	map_fini(&rd->healths);
	map_fini(&rd->by_flag);
	map_fini(&rd->by_name);
	VEC_EACH (&rd->files, struct yaml_file *, f)
		yaml_free(*f);
	vec_fini(&rd->files);
}

static struct rules_reader reader_new(cloudmon_note *note, void *arg, struct error_list *errors)
{
	struct rules_reader rd = {.rules = mem_new(struct cloudmon_rules),
		.note = note,
		.arg = arg,
		.errors = errors,
		.before = errors->n + errors->dropped};
	rd.rules->patience = (struct cloudmon_patience){HOLD_S, LATE_S};
	rd.rules->datasource.timeout_ns = 10 * NS_PER_S;
	return rd;
}

static struct cloudmon_rules *reader_end(struct rules_reader *rd)
{
	rules_make_flags(rd);
	rules_make_healths(rd);
	reader_fini(rd);
	if (rd->errors->n + rd->errors->dropped == rd->before)
		return rd->rules;
	error_list_sort(rd->errors);
	cloudmon_rules_free(rd->rules);
	return NULL;
}

struct cloudmon_rules *cloudmon_rules_load(const char *path, char *const *environment,
	cloudmon_note *note, void *arg, struct error_list *errors)
{
	struct rules_reader rd = reader_new(note, arg, errors);
	rules_read_files(&rd, path);
	rules_read_environment(&rd, environment);
	return reader_end(&rd);
}

struct cloudmon_rules *cloudmon_rules_parse(struct slice text, const char *name,
	char *const *environment, cloudmon_note *note, void *arg, struct error_list *errors)
{
	struct rules_reader rd = reader_new(note, arg, errors);
	rules_read_file(&rd, yaml_parse(text, name, errors));
	rules_read_environment(&rd, environment);
	return reader_end(&rd);
}

void cloudmon_rules_free(struct cloudmon_rules *r)
{
	if (!r)
		return;
	VEC_EACH (&r->environments, struct environment *, e) {
		free((*e)->name);
		json_decref((*e)->attributes);
		free(*e);
	}
	VEC_EACH (&r->formulas, struct formula *, f)
		formula_free(*f);
	VEC_EACH (&r->texts, char *, t)
		free(*t);
	VEC_EACH (&r->arrays, void *, a)
		free(*a);
	vec_fini(&r->environments);
	vec_fini(&r->formulas);
	vec_fini(&r->texts);
	vec_fini(&r->arrays);
	vec_fini(&r->flags);
	vec_fini(&r->healths);
	map_fini(&r->health_by_name);
	free(r);
}

/* --- what there is ---------------------------------------------------------------------------- */

const struct cloudmon_datasource *cloudmon_datasource(const struct cloudmon_rules *r)
{
	return &r->datasource;
}

const struct cloudmon_dashboard *cloudmon_dashboard(const struct cloudmon_rules *r)
{
	return &r->dashboard;
}

struct cloudmon_patience cloudmon_patience(const struct cloudmon_rules *r)
{
	return r->patience;
}

size_t cloudmon_note_count(const struct cloudmon_rules *r)
{
	return r->notes;
}

size_t cloudmon_flag_count(const struct cloudmon_rules *r)
{
	return r->flags.n;
}

const struct cloudmon_flag *cloudmon_flag_at(const struct cloudmon_rules *r, size_t i)
{
	return &r->flags.p[i];
}

size_t cloudmon_health_count(const struct cloudmon_rules *r)
{
	return r->healths.n;
}

const struct cloudmon_health *cloudmon_health_at(const struct cloudmon_rules *r, size_t i)
{
	return &r->healths.p[i];
}

int64_t cloudmon_health_find(
	const struct cloudmon_rules *r, const char *key, const char *environment)
{
	char *name = mem_printf("%s\n%s", environment, key);
	const size_t at = (size_t)(uintptr_t)map_get(&r->health_by_name, name);
	free(name);
	return (int64_t)at - 1;
}

/* --- comparing ----------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_flag(const struct cloudmon_flag *a, const struct cloudmon_flag *b)
{
	return same_text(a->name, b->name) && same_text(a->environment, b->environment) &&
	       same_text(a->query, b->query) && a->promql == b->promql && a->op == b->op &&
	       a->threshold == b->threshold;
}

static bool same_health(const struct cloudmon_health *a, const struct cloudmon_health *b)
{
	bool same = same_text(a->key, b->key) && same_text(a->environment, b->environment) &&
		    same_text(a->component_name, b->component_name) &&
		    same_text(a->category, b->category) && same_text(a->service, b->service) &&
		    json_equal(a->attributes, b->attributes) &&
		    a->metric_count == b->metric_count &&
		    a->expression_count == b->expression_count;
	for (size_t i = 0; same && i < a->metric_count; i++)
		same = same_text(a->metrics[i], b->metrics[i]) && a->flags[i] == b->flags[i];
	for (size_t i = 0; same && i < a->expression_count; i++)
		same = same_text(a->expressions[i].text, b->expressions[i].text) &&
		       a->expressions[i].weight == b->expressions[i].weight;
	return same;
}

bool cloudmon_rules_same(const struct cloudmon_rules *a, const struct cloudmon_rules *b)
{
	bool same = a->flags.n == b->flags.n && a->healths.n == b->healths.n &&
		    a->patience.hold_s == b->patience.hold_s &&
		    a->patience.late_s == b->patience.late_s &&
		    same_text(a->datasource.url, b->datasource.url) &&
		    a->datasource.timeout_ns == b->datasource.timeout_ns;
	for (size_t i = 0; same && i < a->flags.n; i++)
		same = same_flag(&a->flags.p[i], &b->flags.p[i]);
	for (size_t i = 0; same && i < a->healths.n; i++)
		same = same_health(&a->healths.p[i], &b->healths.p[i]);
	return same;
}

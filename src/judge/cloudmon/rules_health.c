/*
 * rules_health.c - health metrics: their flags are found, their expressions compiled, once for all
 * environments.
 */

#include <stdio.h>

#include "judge/cloudmon/rules_inside.h"

#define WEIGHT_MAX 255

struct making { /* a health metric of all environments */
	struct rules_reader *rd;
	const struct health_draft *draft;
	VEC(const char *) metrics;
	VEC(struct cloudmon_expression) expressions;
	struct part at; /* of the expression that is read */
};

/* metrics-processor knows no `-` in names: there, it is `_`. */
static bool same_name(const char *a, struct slice b)
{
	for (size_t i = 0; i < b.n; i++) {
		const char x = a[i] == '-' ? '_' : a[i], y = b.p[i] == '-' ? '_' : b.p[i];
		if (x != y || !a[i])
			return false;
	}
	return a[b.n] == '\0';
}

static bool is_defined(struct rules_reader *rd, const char *name)
{
	return map_get(&rd->by_name, name) != NULL;
}

static size_t find_metric(void *arg, struct slice name, unsigned at)
{
	struct making *m = arg;
	for (size_t i = 0; i < m->metrics.n; i++)
		if (slice_is(name, m->metrics.p[i]))
			return i;
	for (size_t i = 0; i < m->metrics.n; i++)
		if (same_name(m->metrics.p[i], name))
			return i;
	const char *own = rules_keep(m->rd->rules, slice_dup(name));
	const char *near = slice_nearest(name, m->metrics.p, m->metrics.n);
	const bool there = is_defined(m->rd, own);
	rules_note(m->rd, m->at,
		"column %u of the expression of \"%.80s\": \"%.80s\" is not among its metrics; %s%s%s%s",
		at, m->draft->key, own, there ? "the flag of that name is taken" : "it is unknown",
		near && !there ? ". Did you mean \"" : "", near && !there ? near : "",
		near && !there ? "\"?" : "");
	vec_push(&m->metrics, own);
	return m->metrics.n - 1;
}

static void take_metrics(struct making *m)
{
	struct rules_reader *rd = m->rd;
	const struct part list = m->draft->metrics;
	for (size_t i = 0; list.y && i < list.y->n; i++) {
		const struct part item = rules_item(list, i);
		if (!rules_is(rd, item, YAML_SCALAR, "metrics"))
			continue;
		struct flag_name *name = map_get(&rd->by_name, rules_text(item));
		if (name)
			name->used = true;
		else
			rules_note(rd, item,
				"nobody defines the flag \"%.80s\" of \"%.80s\": it is unknown",
				rules_text(item), m->draft->key);
		vec_push(&m->metrics, rules_keep(rd->rules, mem_strdup(rules_text(item))));
	}
}

static void take_expression(struct making *m, struct part item)
{
	static const char *const keys[] = {"expression", "weight", NULL};
	struct rules_reader *rd = m->rd;
	struct error err = {0};
	if (!rules_is(rd, item, YAML_MAP, "an expression"))
		return;
	rules_known(rd, item, keys);
	const struct part text = rules_get(item, "expression"), weight = rules_get(item, "weight");
	m->at = text;
	if (!text.y || text.y->kind != YAML_SCALAR) {
		rules_wrong(rd, item, "expected expression and weight");
		return;
	}
	char *end;
	const long w = strtol(rules_text(weight), &end, 10);
	if (!*rules_text(weight) || *end || w < 0 || w > WEIGHT_MAX) {
		rules_wrong(rd, weight.y ? weight : item,
			"weight: expected a whole number, 0 to %d", WEIGHT_MAX);
		return;
	}
	struct formula *f = formula_parse(text.y->text, find_metric, m, &err);
	if (!f) {
		rules_wrong(rd, text, "expression of \"%.80s\": column %u of it: %s", m->draft->key,
			err.col, err.msg);
		return;
	}
	vec_push(&rd->rules->formulas, f);
	const struct cloudmon_expression e = {
		rules_keep(rd->rules, mem_strdup(rules_text(text))), f, (int)w};
	size_t i = m->expressions.n;
	vec_push(&m->expressions, e);
	for (; i && m->expressions.p[i - 1].weight < e.weight; i--)
		m->expressions.p[i] = m->expressions.p[i - 1];
	m->expressions.p[i] = e;
}

static void *kept(struct cloudmon_rules *r, const void *from, size_t n, size_t size)
{
	void *copy = mem_new_array(n + 1, size);
	if (n)
		memcpy(copy, from, n * size);
	vec_push(&r->arrays, copy);
	return copy;
}

/* Of one environment, where at least one of its flags is, or where nobody has any. */
static void make_in(
	struct making *m, struct cloudmon_health *h, const struct environment *e, bool nowhere)
{
	struct cloudmon_rules *r = m->rd->rules;
	VEC(int64_t) flags = {0};
	size_t there = 0;
	for (size_t i = 0; i < m->metrics.n; i++) {
		const int64_t flag = rules_flag(m->rd, e->name, m->metrics.p[i]);
		there += flag >= 0;
		vec_push(&flags, flag);
	}
	for (size_t i = 0; i < flags.n && there; i++)
		if (flags.p[i] == CLOUDMON_ELSEWHERE)
			rules_note(m->rd, m->draft->at,
				"\"%.80s\" in %.80s: the flag \"%.80s\" is of other environments, here"
				" it is false",
				m->draft->key, e->name, m->metrics.p[i]);
	if (there || nowhere) {
		h->environment = e->name;
		h->attributes = e->attributes;
		h->flags = kept(r, flags.p, flags.n, sizeof(*flags.p));
		char *key = mem_printf("%s\n%s", e->name, h->key);
		vec_push(&r->healths, *h);
		map_put(&r->health_by_name, key, (void *)(uintptr_t)r->healths.n);
		free(key);
	}
	vec_fini(&flags);
}

static void make_health(struct rules_reader *rd, const struct health_draft *d)
{
	struct cloudmon_rules *r = rd->rules;
	struct making m = {.rd = rd, .draft = d};
	take_metrics(&m);
	for (size_t i = 0; d->expressions.y && i < d->expressions.y->n; i++)
		take_expression(&m, rules_item(d->expressions, i));
	if (!m.expressions.n)
		rules_note(
			rd, d->at, "\"%.80s\" has no expressions: its weight is always 0", d->key);
	bool nowhere = true;
	for (size_t i = 0; i < m.metrics.n; i++)
		nowhere &= !is_defined(rd, m.metrics.p[i]);
	struct cloudmon_health h = {.key = rules_keep(r, mem_strdup(d->key)),
		.service =
			rules_keep(r, mem_strdup(d->service.y ? rules_text(d->service) : d->key)),
		.component_name = d->component_name.y
					  ? rules_keep(r, mem_strdup(rules_text(d->component_name)))
					  : NULL,
		.category = rules_keep(r, mem_strdup(rules_text(d->category))),
		.metrics = kept(r, m.metrics.p, m.metrics.n, sizeof(*m.metrics.p)),
		.metric_count = m.metrics.n,
		.expressions = kept(r, m.expressions.p, m.expressions.n, sizeof(*m.expressions.p)),
		.expression_count = m.expressions.n};
	VEC_EACH (&r->environments, struct environment *, e)
		make_in(&m, &h, *e, nowhere);
	vec_fini(&m.metrics);
	vec_fini(&m.expressions);
}

void rules_make_healths(struct rules_reader *rd)
{
	MAP_EACH (&rd->healths, e)
		make_health(rd, e->value);
	MAP_EACH (&rd->by_name, e) {
		const struct flag_name *name = e->value;
		if (!name->used)
			rules_note(
				rd, name->at, "no health metric uses the flag \"%.80s\"", e->key);
	}
}

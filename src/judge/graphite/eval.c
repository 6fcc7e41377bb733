/*
 * eval.c - see eval.h.
 */

#include "judge/graphite/eval.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "judge/graphite/eval_inside.h"
#include "judge/graphite/functions.h"
#include "judge/graphite/graphite.h"

/* --- an evaluation ---------------------------------------------------------------------------- */

void eval_init(struct eval *e, int64_t now_s, const struct zone *zone)
{
	*e = (struct eval){.now_s = now_s, .zone = zone, .deadline_ns = INT64_MAX};
}

static void wants_clear(struct eval *e)
{
	VEC_EACH (&e->wants, struct want, w) {
		free(w->key);
		free(w->path);
	}
	vec_fini(&e->wants);
}

static void stacks_clear(struct eval *e)
{
	MAP_EACH (&e->stacks, entry)
		curve_unref(entry->value);
	map_fini(&e->stacks);
	e->stacks = (struct map){0};
}

void eval_fini(struct eval *e)
{
	wants_clear(e);
	stacks_clear(e);
	MAP_EACH (&e->got, entry) {
		struct curves *l = entry->value;
		curves_fini(l);
		free(l);
	}
	map_fini(&e->got);
}

void eval_again(struct eval *e)
{
	wants_clear(e);
	stacks_clear(e);
	e->failed = false;
	e->err = (struct error){0};
	e->xff = 0;
	e->depth = 0;
	e->denominator = NULL;
}

static int by_name(const void *a, const void *b)
{
	const struct curve *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

void eval_give(struct eval *e, const struct want *w, struct curves *curves)
{
	struct curves *l = mem_new(struct curves);
	*l = *curves;
	*curves = (struct curves){0};
	if (l->n)
		qsort(l->p, l->n, sizeof(struct curve *), by_name);
	struct curves *old = map_put(&e->got, w->key, l);
	if (old) {
		curves_fini(old);
		free(old);
	}
}

static bool eval_fail(struct eval *e, enum error_kind kind, const char *text)
{
	if (!e->failed)
		error_set(&e->err, kind, "%s", text);
	e->failed = true;
	return false;
}

bool eval_work(struct eval *e, size_t values)
{
	if (e->failed)
		return false;
	e->work += values + 1;
	if (e->work > EVAL_WORK)
		return eval_fail(e, ERROR_LIMIT,
			"the question takes too much work; ask for a shorter time, fewer series or"
			" shorter windows");
	if (e->cancelled && atomic_load(e->cancelled))
		return eval_fail(e, ERROR_CANCELLED, "the question was cancelled");
	if (clock_mono_ns(&clock_system) > e->deadline_ns)
		return eval_fail(e, ERROR_LIMIT,
			"the question took too long; ask for a shorter time or fewer series");
	return true;
}

/* --- arguments -------------------------------------------------------------------------------- */

static bool eval_node(struct eval *e, const struct target *t, const struct target_node *n,
	struct span span, struct curves *out);

static bool node_fail(struct eval *e, const struct target *t, const struct target_node *at,
	const char *fmt, ...) like_printf(4, 5);

static bool node_fail(
	struct eval *e, const struct target *t, const struct target_node *at, const char *fmt, ...)
{
	char text[500];
	va_list ap;
	if (e->failed)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (at)
		target_error(t, at, &e->err, "%s", text);
	else
		error_set(&e->err, ERROR_INPUT, "%s", text);
	e->failed = true;
	return false;
}

bool wrong_argument(struct call *c, size_t i, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	const struct target_node *at =
		i < c->args.n && c->args.p[i].node ? c->args.p[i].node : c->node;
	return node_fail(c->e, c->target, at, "%s: %s", c->function->name, text);
}

static const char *type_text(enum param_type type)
{
	static const char *const texts[] = {"series", "a number", "a whole number",
		"a whole number or inf", "a text in quotes", "true or false",
		"a time such as \"5min\"", "a number of points or a time such as \"5min\"",
		"the name of an aggregation", "the name of an aggregation or a combining function",
		"the number of a part of the path", "the number of a part of the path or a tag",
		"the name of a tag", "a time such as \"-1h\"", "series or a number"};
	return texts[type];
}

static bool wrong(struct call *c, const struct param *p, const struct argument *a)
{
	return node_fail(c->e, c->target, a->node, "%s: expected %s as %s", c->function->name,
		type_text(p->type), p->name);
}

/* What is written as a text may stand for a number or a truth. */
static bool coerce_number(struct argument *a)
{
	char *end;
	if (a->type == ARGUMENT_TEXT && a->text[0]) {
		a->number = strtod(a->text, &end);
		if (*end || !isfinite(a->number))
			return false;
		a->whole = a->number == floor(a->number) && !strpbrk(a->text, ".eE");
		a->type = ARGUMENT_NUMBER;
	}
	return a->type == ARGUMENT_NUMBER;
}

static bool coerce_bool(struct argument *a)
{
	if (a->type == ARGUMENT_TEXT &&
		(!strcasecmp(a->text, "true") || !strcasecmp(a->text, "false"))) {
		a->type = ARGUMENT_BOOL;
		a->whole = !strcasecmp(a->text, "true");
	} else if (a->type == ARGUMENT_NUMBER && (a->number == 0 || a->number == 1)) {
		a->type = ARGUMENT_BOOL;
		a->whole = a->number == 1;
	}
	return a->type == ARGUMENT_BOOL;
}

static bool is_whole(const struct argument *a)
{
	return a->whole && fabs(a->number) < 1e15;
}

static bool is_fold(const struct argument *a, bool or_function)
{
	enum fold f;
	const size_t n = a->type == ARGUMENT_TEXT ? strlen(a->text) : 0;
	if (!n || n > 60)
		return false;
	char name[64];
	snprintf(name, sizeof(name), "%s", a->text);
	if (n > 6 && strcmp(name + n - 6, "Series") == 0)
		name[n - 6] = '\0';
	if (fold_parse(name, &f) && f != FOLD_FIRST)
		return true;
	const struct function *fn = or_function ? function_find(a->text) : NULL;
	return fn && strcmp(fn->group, "Combine") == 0;
}

static bool fits(struct argument *a, enum param_type type)
{
	int64_t s;
	switch (type) {
	case PARAM_CURVES: return a->type == ARGUMENT_CURVES;
	case PARAM_REAL: return coerce_number(a) && isfinite(a->number);
	case PARAM_WHOLE:
	case PARAM_NODE: return coerce_number(a) && is_whole(a);
	case PARAM_WHOLE_OR_INF: return coerce_number(a) && (is_whole(a) || isinf(a->number));
	case PARAM_BOOL: return coerce_bool(a);
	case PARAM_INTERVAL: return a->type == ARGUMENT_TEXT && interval_parse(a->text, &s);
	case PARAM_WHOLE_OR_INTERVAL:
		return a->type == ARGUMENT_NUMBER
			       ? is_whole(a)
			       : a->type == ARGUMENT_TEXT && interval_parse(a->text, &s);
	case PARAM_FOLD: return is_fold(a, false);
	case PARAM_FOLD_OR_FUNCTION: return is_fold(a, true);
	case PARAM_NODE_OR_TAG:
		return a->type == ARGUMENT_TEXT || (a->type == ARGUMENT_NUMBER && is_whole(a));
	case PARAM_TEXT:
	case PARAM_TAG: return a->type == ARGUMENT_TEXT;
	case PARAM_DATE: return a->type == ARGUMENT_TEXT || a->type == ARGUMENT_NUMBER;
	case PARAM_ANY: break;
	}
	return a->type == ARGUMENT_CURVES || a->type == ARGUMENT_NUMBER;
}

static size_t param_count(const struct function *f)
{
	size_t n = 0;
	while (n < PARAMS && f->params[n].name)
		n++;
	return n;
}

/* The place of an argument; SIZE_MAX: told. */
static size_t place_of(struct call *c, const struct target_node *arg, size_t position)
{
	const size_t n = param_count(c->function);
	if (!arg->keyword) {
		if (position < n || (n && c->function->params[n - 1].multiple))
			return position;
		node_fail(c->e, c->target, arg, "%s takes at most %zu argument%s",
			c->function->name, n, n == 1 ? "" : "s");
		return SIZE_MAX;
	}
	for (size_t i = 0; i < n; i++)
		if (strcmp(c->function->params[i].name, arg->keyword) == 0) {
			if (i >= c->args.n || !c->args.p[i].node)
				return i;
			node_fail(c->e, c->target, arg, "%s: %s is given twice", c->function->name,
				arg->keyword);
			return SIZE_MAX;
		}
	node_fail(c->e, c->target, arg, "%s has no argument named \"%.60s\"", c->function->name,
		arg->keyword);
	return SIZE_MAX;
}

static bool take_argument(struct call *c, const struct target_node *n, struct argument *a)
{
	a->node = n;
	a->text = n->text;
	a->number = n->number;
	a->whole = n->whole;
	switch (n->type) {
	case TARGET_NUMBER: a->type = ARGUMENT_NUMBER; return true;
	case TARGET_STRING: a->type = ARGUMENT_TEXT; return true;
	case TARGET_BOOL: a->type = ARGUMENT_BOOL; return true;
	case TARGET_NONE: return true;
	case TARGET_PATH:
	case TARGET_CALL: break;
	}
	a->type = ARGUMENT_CURVES;
	return eval_node(c->e, c->target, n, c->span, &a->curves);
}

static const struct param *param_at(const struct function *f, size_t i)
{
	const size_t n = param_count(f);
	return &f->params[i < n ? i : n - 1];
}

static bool take_arguments(struct call *c, const struct target_node *node)
{
	const size_t n = param_count(c->function);
	bool good = true;
	for (size_t i = 0; i < node->args.n; i++) {
		const size_t at = place_of(c, node->args.p[i], i);
		if (at == SIZE_MAX)
			return false;
		while (c->args.n <= at)
			vec_add(&c->args);
		struct argument *a = &c->args.p[at];
		const struct target_node *outer = c->e->denominator;
		if (c->e->judging && eval_has_numerator(node))
			c->e->denominator = i == 0 ? node->args.p[1] : NULL;
		good &= take_argument(c, node->args.p[i], a);
		c->e->denominator = outer;
		if (good && a->type != ARGUMENT_NONE && !fits(a, param_at(c->function, at)->type))
			return wrong(c, param_at(c->function, at), a);
	}
	for (size_t i = 0; i < n && good; i++) {
		const struct param *p = &c->function->params[i];
		if (p->required && !(i < c->args.n && c->args.p[i].type != ARGUMENT_NONE))
			return node_fail(c->e, c->target, node, "%s: %s is missing: %s",
				c->function->name, p->name, type_text(p->type));
	}
	return good;
}

bool given_has(const struct call *c, size_t i)
{
	return i < c->args.n && c->args.p[i].type != ARGUMENT_NONE;
}

const struct curves *given_curves(const struct call *c, size_t i)
{
	static const struct curves none;
	return i < c->args.n ? &c->args.p[i].curves : &none;
}

void given_all_curves(const struct call *c, size_t i, struct curves *out)
{
	for (; i < c->args.n; i++)
		curves_add_all(out, &c->args.p[i].curves);
}

double given_number(const struct call *c, size_t i, double otherwise)
{
	return given_has(c, i) ? c->args.p[i].number : otherwise;
}

int64_t given_whole(const struct call *c, size_t i, int64_t otherwise)
{
	return given_has(c, i) ? (int64_t)c->args.p[i].number : otherwise;
}

const char *given_text(const struct call *c, size_t i, const char *otherwise)
{
	return given_has(c, i) && c->args.p[i].text ? c->args.p[i].text : otherwise;
}

bool given_flag(const struct call *c, size_t i)
{
	return given_has(c, i) && c->args.p[i].whole;
}

enum fold given_fold(const struct call *c, size_t i, enum fold otherwise)
{
	enum fold f = otherwise;
	char *name = mem_strdup(given_text(c, i, ""));
	const size_t n = strlen(name);
	if (n > 6 && strcmp(name + n - 6, "Series") == 0)
		name[n - 6] = '\0';
	fold_parse(name, &f);
	free(name);
	return f;
}

int64_t given_interval(const struct call *c, size_t i)
{
	int64_t s = 0;
	interval_parse(given_text(c, i, ""), &s);
	return s;
}

/* --- evaluating ------------------------------------------------------------------------------- */

static void call_fini(struct call *c)
{
	VEC_EACH (&c->args, struct argument, a)
		curves_fini(&a->curves);
	vec_fini(&c->args);
}

bool eval_look_up(
	struct eval *e, const char *path, bool tagged, struct span span, struct curves *out)
{
	char *key =
		mem_printf("%lld %lld %s", (long long)span.from_s, (long long)span.until_s, path);
	const struct curves *l = map_get(&e->got, key);
	if (l) {
		curves_add_all(out, l);
		free(key);
		return true;
	}
	VEC_EACH (&e->wants, struct want, w)
		if (strcmp(w->key, key) == 0) {
			free(key);
			return false;
		}
	vec_push(&e->wants, ((struct want){key, mem_strdup(path), span, tagged}));
	return false;
}

static bool eval_tagged(struct eval *e, const struct target *t, const struct target_node *n,
	struct span span, struct curves *out)
{
	if (!n->args.n)
		return node_fail(e, t, n, "seriesByTag takes at least one tag expression");
	VEC_EACH (&n->args, struct target_node *, a)
		if ((*a)->type != TARGET_STRING || (*a)->keyword)
			return node_fail(
				e, t, *a, "seriesByTag: expected a text such as \"name=cpu\"");
	return eval_look_up(e, n->raw, true, span, out);
}

static bool eval_call(struct eval *e, const struct target *t, const struct target_node *n,
	struct span span, struct curves *out)
{
	struct call c = {.e = e, .target = t, .node = n, .span = span};
	if (strcmp(n->text, "seriesByTag") == 0)
		return eval_tagged(e, t, n, span, out);
	c.function = function_find(n->text);
	if (!c.function)
		return functions_unknown(n->text, t, n, e);
	const size_t before = out->n;
	bool good = take_arguments(&c, n) && eval_work(e, n->args.n) && c.function->run(&c, out);
	if (good && e->judging && !e->denominator && !e->failed)
		good = eval_counted(e, n, span, before, out);
	call_fini(&c);
	return good && !e->failed && !e->wants.n;
}

static bool eval_node(struct eval *e, const struct target *t, const struct target_node *n,
	struct span span, struct curves *out)
{
	bool good = false;
	if (e->failed)
		return false;
	if (++e->depth > 2 * TARGET_DEPTH)
		eval_fail(e, ERROR_LIMIT, "targets stand too deep in each other");
	else if (n->type == TARGET_PATH)
		good = e->denominator && counter_is(n->text)
			       ? eval_numerator(e, n->text, span, out)
			       : eval_look_up(e, n->text, false, span, out);
	else if (n->type == TARGET_CALL)
		good = eval_call(e, t, n, span, out);
	else
		node_fail(e, t, n, "expected a path or a function");
	e->depth--;
	return good;
}

bool eval_target(struct eval *e, const struct target *t, struct span span, struct curves *out)
{
	return eval_node(e, t, target_root(t), span, out);
}

/* --- what functions ask ----------------------------------------------------------------------- */

bool call_again(struct call *c, struct span span, struct curves *out)
{
	if (c->args.n && c->args.p[0].node)
		return eval_node(c->e, c->target, c->args.p[0].node, span, out);
	curves_add_all(out, given_curves(c, 0));
	return true;
}

bool call_target(struct call *c, const char *text, struct span span, struct curves *out)
{
	struct error err = {0};
	if (!eval_work(c->e, strlen(text)))
		return false;
	struct target *t = target_parse(slice_of(text), &err);
	if (!t)
		return wrong_argument(
			c, 0, "\"%.200s\" is no target: column %u: %.120s", text, err.col, err.msg);
	const bool good = eval_target(c->e, t, span, out);
	target_free(t);
	return good;
}

bool call_combine(
	struct call *c, size_t i, const char *name, const struct curves *in, struct curves *out)
{
	struct argument all = {.type = ARGUMENT_CURVES}, how = {.type = ARGUMENT_TEXT};
	struct call inner = {.e = c->e, .target = c->target, .node = c->node, .span = c->span};
	inner.function = function_find(name);
	curves_add_all(&all.curves, in);
	vec_push(&inner.args, all);
	if (!inner.function) {
		inner.function = function_find("aggregate");
		how.text = name;
		vec_push(&inner.args, how);
	} else if (inner.function->params[1].name && inner.function->params[1].required) {
		call_fini(&inner);
		return wrong_argument(c, i, "%.60s needs more arguments than series", name);
	}
	const bool good = eval_work(c->e, in->n) && inner.function->run(&inner, out);
	call_fini(&inner);
	return good && !c->e->failed;
}

bool call_align(struct call *c, const struct curves *in, struct curves *out)
{
	if (!curves_align(in, out, EVAL_VALUES))
		return eval_fail(
			c->e, ERROR_LIMIT, "series with steps so unlike make too many values");
	size_t values = 0;
	for (size_t i = 0; i < out->n; i++)
		values += out->p[i]->n;
	return eval_work(c->e, values);
}

struct curve *call_changed(struct call *c, struct curves *out, struct curve *from)
{
	curves_add(out, from);
	if (!eval_work(c->e, from->n))
		return NULL;
	return curve_own(&out->p[out->n - 1]);
}

/* --- times ------------------------------------------------------------------------------------ */

static int64_t unit_seconds(const char *p, size_t n)
{
	static const struct {
		const char *prefix;
		int64_t s;
	} units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"d", 86400}, {"w", 7 * 86400},
		{"mon", 30 * 86400}, {"y", 365 * 86400}};
	for (size_t i = 0; i < array_len(units); i++)
		if (n >= strlen(units[i].prefix) &&
			strncmp(p, units[i].prefix, strlen(units[i].prefix)) == 0)
			return units[i].s;
	return 0;
}

bool interval_parse(const char *text, int64_t *ret_s)
{
	const bool minus = *text == '-';
	int64_t sum = 0;
	text += *text == '-' || *text == '+';
	if (!*text)
		return false;
	while (*text) {
		int64_t number = 0;
		const char *digits = text;
		while (isdigit((unsigned char)*text) && number < 1000000000)
			number = number * 10 + (*text++ - '0');
		const char *unit = text;
		while (isalpha((unsigned char)*text))
			text++;
		const int64_t s = unit_seconds(unit, (size_t)(text - unit));
		if (unit == digits || !s || number * s > 100LL * 365 * 86400)
			return false;
		sum += number * s;
	}
	*ret_s = minus ? -sum : sum;
	return sum <= 100LL * 365 * 86400;
}

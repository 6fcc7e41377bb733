/*
 * condition.c - the condition of a rule: its functions over series become terms, and what cannot
 * be compared is told where it is written.
 */

#include <stdio.h>
#include <string.h>

#include "judge/rules/change.h"
#include "judge/rules/rule.h"

static const struct {
	const char *name;
	double quantile;
	char unit;
} functions[] = {
#define RULE_FUNCTION(id, name, quantile, unit, help) {name, quantile, unit},
#include "judge/rules/functions.def"
#undef RULE_FUNCTION
};

const char *rule_function_name(enum rule_function f)
{
	return functions[f].name;
}

double rule_function_quantile(enum rule_function f)
{
	return functions[f].quantile;
}

struct reading {
	struct rule *rule;
	struct error *err;
	bool failed;
};

static void wrong(struct reading *r, const struct expr_call *c, const char *fmt, ...)
	like_printf(3, 4);

static void wrong(struct reading *r, const struct expr_call *c, const char *fmt, ...)
{
	char text[ERROR_TEXT];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!r->failed)
		error_at(r->err, r->rule->as.file, c->line, c->col, "%.700s", text);
	r->failed = true;
}

static int function_of(struct slice name)
{
	for (int i = 0; i < RULE_FUNCTIONS; i++)
		if (slice_is(name, functions[i].name))
			return i;
	return -1;
}

static void unknown_function(struct reading *r, const struct expr_call *c)
{
	const char *names[RULE_FUNCTIONS + 1];
	for (int i = 0; i < RULE_FUNCTIONS; i++)
		names[i] = functions[i].name;
	names[RULE_FUNCTIONS] = "changed";
	const char *near = slice_nearest(c->function, names, array_len(names));
	wrong(r, c, "there is no function %.*s()%s%s%s", SLICE_ARG(c->function),
		near ? "; did you mean " : " (docs/rules.md has them)", near ? near : "",
		near ? "()?" : "");
}

/* --- terms
 * ---------------------------------------------------------------------------------------- */

static bool same_term(
	const struct rule_term *t, int function, struct slice selector, int64_t ago_ms)
{
	return (int)t->function == function && t->ago_ms == ago_ms &&
	       slice_is(selector, t->selector.text);
}

static struct rule_term *find_term(
	struct rule *rule, int function, struct slice selector, int64_t ago_ms)
{
	VEC_EACH (&rule->terms, struct rule_term, t)
		if (same_term(t, function, selector, ago_ms))
			return t;
	return NULL;
}

/* "7d ago" of a call in ms, 0 without; false: it is none that can be. */
static bool ago_of(struct reading *r, const struct expr_call *c, int64_t *ret)
{
	*ret = 0;
	if (c->n < 2)
		return true;
	const int64_t ns = c->args[1] && c->args[1]->type == VALUE_TIME ? c->args[1]->integer : 0;
	*ret = -ns / NS_PER_MS;
	if (ns < 0 && *ret % SERIES_HOUR_MS == 0 && *ret <= RULE_AGO_MAX_MS)
		return true;
	wrong(r, c, "%.*s: the second argument is whole hours ago, such as 7d ago, at most 366d",
		SLICE_ARG(c->function));
	return false;
}

static struct rule_term *add_term(struct reading *r, const struct expr_call *c, int function)
{
	struct error err = {0};
	int64_t ago_ms;
	if (c->n < 1 || c->n > 2 || !c->args[0] || c->args[0]->type != VALUE_TEXT) {
		wrong(r, c, "%.*s takes series such as probe{component=\"compute\"}, and 7d ago",
			SLICE_ARG(c->function));
		return NULL;
	}
	if (!ago_of(r, c, &ago_ms))
		return NULL;
	struct rule_term *t = find_term(r->rule, function, value_slice(c->args[0]), ago_ms);
	if (t)
		return t;
	if (r->rule->terms.n == RULE_TERMS_MAX) {
		wrong(r, c, "more than %d functions over series in one rule", RULE_TERMS_MAX);
		return NULL;
	}
	if (function == RULE_ABSENT && ago_ms) {
		wrong(r, c, "absent is asked of now only");
		return NULL;
	}
	struct rule_term term = {.function = (enum rule_function)function, .ago_ms = ago_ms};
	if (!selector_parse(&term.selector, value_slice(c->args[0]), &err)) {
		wrong(r, c, "%.600s", err.msg);
		return NULL;
	}
	vec_push(&r->rule->terms, term);
	return &r->rule->terms.p[r->rule->terms.n - 1];
}

static bool can_change(int function)
{
	return functions[function].quantile > 0 || function == RULE_MEAN ||
	       function == RULE_SUCCESS_RATE || function == RULE_FAILURE_RATE;
}

static void add_changed(struct reading *r, const struct expr_call *c)
{
	const int function = c->inner ? function_of(c->inner->function) : -1;
	if (c->n != 1 || function < 0 || !can_change(function) || c->inner->n != 1) {
		wrong(r, c,
			"changed takes a percentile, mean, success_rate or failure_rate of"
			" series, such as changed(p95(probe))");
		return;
	}
	struct rule_term *t = add_term(r, c->inner, function);
	if (t)
		t->changed = true;
}

static void on_call(void *arg, const struct expr_call *c)
{
	struct reading *r = arg;
	const int function = function_of(c->function);
	if (r->failed)
		return;
	if (slice_is(c->function, "changed"))
		add_changed(r, c);
	else if (function < 0)
		unknown_function(r, c);
	else
		add_term(r, c, function);
}

/* --- a trial
 * --------------------------------------------------------------------------------------- */

/* Whether values of these kinds can be compared as written: once with times, once with numbers. */
struct trial {
	struct rule *rule;
	bool times;
};

static enum expr_result trial_call(void *arg, struct slice function, const struct value *args,
	size_t n, struct value *ret, struct error *err)
{
	struct trial *t = arg;
	const int f = function_of(function);
	(void)n, (void)err;
	if (f < 0 || functions[f].unit == 'B') {
		*ret = value_bool(false);
		return EXPR_OK;
	}
	const int64_t ago = n > 1 ? -args[1].integer / NS_PER_MS : 0;
	const struct rule_term *term = find_term(t->rule, f, value_slice(&args[0]), ago);
	*ret = value_of_ref((uint32_t)(term - t->rule->terms.p), -1);
	return EXPR_OK;
}

static enum expr_result trial_plain(
	void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	struct trial *t = arg;
	struct rule_term *term = &t->rule->terms.p[ref.object];
	(void)err;
	switch (functions[term->function].unit) {
	case 'P': *ret = (struct value){.type = VALUE_PERCENT, .real = 1}; break;
	case 'R': *ret = (struct value){.type = VALUE_RATE, .real = 1}; break;
	case 'N': *ret = value_real(1); break;
	default: *ret = t->times ? value_time(1) : value_real(1);
	}
	return EXPR_OK;
}

static bool attempt(struct rule *rule, bool times, struct error *err)
{
	struct trial t = {rule, times};
	const struct expr_scope scope = {.arg = &t, .call = trial_call, .plain = trial_plain};
	struct value v = VALUE_NOTHING;
	const enum expr_result r = expr_eval(rule->when, &scope, &v, err);
	const bool good = r == EXPR_OK && v.type == VALUE_BOOL;
	if (r == EXPR_OK && !good)
		error_at(err, rule->as.file, rule->as.when_line, rule->as.when_col,
			"when is no condition: compare with something, such as p95(probe) > 2s");
	value_drop(&v);
	return good;
}

static bool compares(struct rule *rule, struct error *err)
{
	struct error second = {0};
	return attempt(rule, true, err) || attempt(rule, false, &second);
}

/* --- what is watched
 * -------------------------------------------------------------------------------- */

/* A window in at most 60 buckets of whole ticks. */
static struct rule_watch watch_of(const struct rule *r, const struct rule_term *t, bool values)
{
	const int64_t over = r->as.over_ns / NS_PER_MS;
	int64_t width = (over / 60 + RULES_TICK_MS - 1) / RULES_TICK_MS * RULES_TICK_MS;
	width = width < RULES_TICK_MS ? RULES_TICK_MS : width;
	if (values)
		return (struct rule_watch){&t->selector, over, CHANGE_PAST, true};
	return (struct rule_watch){
		&t->selector, width, (size_t)((over + width - 1) / width), false};
}

static size_t find_watch(struct rule *r, const struct rule_term *t, bool values)
{
	for (size_t i = 0; i < r->watches.n; i++)
		if (r->watches.p[i].values == values &&
			!strcmp(r->watches.p[i].selector->text, t->selector.text))
			return i;
	vec_push(&r->watches, watch_of(r, t, values));
	return r->watches.n - 1;
}

bool rule_read_condition(struct rule *r, struct error *err)
{
	struct reading reading = {.rule = r, .err = err};
	r->when = expr_parse(slice_of(r->as.when), EXPR_SERIES, r->as.file, r->as.when_line,
		r->as.when_col, err);
	if (!r->when)
		return false;
	expr_calls(r->when, on_call, &reading);
	if (!reading.failed && !r->terms.n) {
		error_at(err, r->as.file, r->as.when_line, r->as.when_col,
			"when asks nothing of series: docs/rules.md has the functions");
		return false;
	}
	if (reading.failed || !compares(r, err))
		return false;
	VEC_EACH (&r->terms, struct rule_term, t) { /* they move no more */
		t->watch = find_watch(r, t, false);
		if (t->changed)
			t->changed_watch = find_watch(r, t, true);
	}
	return true;
}

/*
 * rules_value.c - the condition of a rule at one time: what its terms say, and what follows.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "judge/rules/rules_inside.h"

struct judging {
	struct group *group;
	int64_t at_ms;
	struct buf *why; /* what was unknown first */
};

static const struct rule *rule_of(const struct judging *j)
{
	return j->group->run->rule;
}

static void unknown_since(struct judging *j, const char *fmt, ...) like_printf(2, 3);

static void unknown_since(struct judging *j, const char *fmt, ...)
{
	va_list ap;
	if (j->why->n)
		return;
	va_start(ap, fmt);
	buf_vprintf(j->why, fmt, ap);
	va_end(ap);
}

/* --- what a term sees
 * ------------------------------------------------------------------------------- */

static void sum_of(const struct judging *j, size_t term, struct bucket *into)
{
	const struct rule_term *t = &rule_of(j)->terms.p[term];
	const int64_t over = rule_of(j)->as.over_ns / NS_PER_MS;
	if (t->ago_ms) {
		const struct bucket *past = &j->group->pasts[term].sum;
		*into = *past;
		into->hist = (struct series_hist){0};
		series_hist_merge(&into->hist, &past->hist);
		return;
	}
	ring_sum(&j->group->rings[t->watch], j->at_ms - over, j->at_ms, into);
}

/* How many samples its answer rests on. */
static uint64_t samples(const struct rule_term *t, const struct bucket *b)
{
	if (t->function == RULE_SUCCESS_RATE || t->function == RULE_FAILURE_RATE)
		return b->ok + b->failed;
	return t->function <= RULE_RATE ? b->n : b->ok;
}

static const struct of_kind *kind_of(const struct group *g, const struct rule_term *t)
{
	return &g->run->kinds[t->watch];
}

static double count_of(const struct group *g, const struct rule_term *t, const struct bucket *b)
{
	return kind_of(g, t)->kind == SERIES_SUM ? b->sum : (double)b->n;
}

static double number_of(
	const struct group *g, const struct rule_term *t, const struct bucket *b, double seconds)
{
	const double q = rule_function_quantile(t->function);
	switch ((int)t->function) {
	case RULE_SUCCESS_RATE: return (double)b->ok / (double)(b->ok + b->failed);
	case RULE_FAILURE_RATE: return (double)b->failed / (double)(b->ok + b->failed);
	case RULE_COUNT: return count_of(g, t, b);
	case RULE_FAILURES: return (double)b->failed;
	case RULE_RATE: return count_of(g, t, b) / seconds;
	case RULE_SUM: return b->sum;
	case RULE_MEAN: return b->sum / (double)b->ok;
	case RULE_MIN: return b->min;
	case RULE_MAX: return b->max;
	default: return fmin(fmax(series_hist_quantile(&b->hist, q), b->min), b->max);
	}
}

static struct value value_of(const struct group *g, const struct rule_term *t, double x)
{
	const enum rule_function f = t->function;
	const char *unit = kind_of(g, t)->unit;
	if (f == RULE_SUCCESS_RATE || f == RULE_FAILURE_RATE)
		return (struct value){.type = VALUE_PERCENT, .real = x};
	if (f == RULE_RATE)
		return (struct value){.type = VALUE_RATE, .real = x};
	if (f == RULE_COUNT || f == RULE_FAILURES || !unit || strcmp(unit, "us") != 0)
		return value_real(x);
	return value_time((int64_t)(x * NS_PER_US));
}

static bool needs_histogram(const struct group *g, const struct rule_term *t)
{
	const struct of_kind *k = kind_of(g, t);
	return rule_function_quantile(t->function) > 0 && k->unit && k->kind != SERIES_PROBE &&
	       k->kind != SERIES_DIST;
}

/* Rests a value on enough samples? Of counts one is: few is what they tell. */
static bool is_known(struct judging *j, size_t term, const struct bucket *b)
{
	const struct rule_term *t = &rule_of(j)->terms.p[term];
	const bool counts = t->function == RULE_COUNT || t->function == RULE_FAILURES ||
			    t->function == RULE_RATE;
	const uint64_t least = counts ? 1 : (uint64_t)rule_of(j)->as.minimum;
	const uint64_t n = samples(t, b);
	if (needs_histogram(j->group, t)) {
		unknown_since(j, "%s() wants times or distributions, and %s is of single values",
			rule_function_name(t->function), t->selector.text);
		return false;
	}
	if (n >= least)
		return true;
	if (!b->n)
		unknown_since(j, "%s: nothing was measured", t->selector.text);
	else
		unknown_since(j, "%s: %" PRIu64 " samples, and it needs %" PRIu64, t->selector.text,
			n, least);
	return false;
}

/* --- changed()
 * ---------------------------------------------------------------------------------------- */

/* Gives the values that are complete by now to the test, in order. */
static void change_feed(struct judging *j, size_t term)
{
	const struct rule_term *t = &rule_of(j)->terms.p[term];
	struct changing *c = &j->group->changes[term];
	const struct ring *r = &j->group->rings[t->changed_watch];
	const int64_t end = (j->at_ms - RULES_TICK_MS) / r->width_ms * r->width_ms;
	const int64_t oldest = end - (int64_t)(CHANGE_PAST - 1) * r->width_ms;
	if (c->next_ms < oldest)
		c->next_ms = oldest;
	for (; c->next_ms < end; c->next_ms += r->width_ms) {
		struct bucket b = {0};
		ring_sum(r, c->next_ms, c->next_ms + r->width_ms, &b);
		if (samples(t, &b) >= (uint64_t)rule_of(j)->as.minimum) {
			const double x = number_of(j->group, t, &b, (double)r->width_ms / 1000);
			change_take(&c->change, t->function == RULE_SUCCESS_RATE ? -x : x,
				change_hour(c->next_ms, r->width_ms));
		}
		bucket_fini(&b);
	}
}

static enum expr_result change_of(struct judging *j, size_t term, struct value *ret)
{
	const struct change *c = &j->group->changes[term].change;
	const struct rule_term *t = &rule_of(j)->terms.p[term];
	struct bucket b = {0};
	if (needs_histogram(j->group, t)) {
		is_known(j, term, &b);
		return EXPR_ABSENT;
	}
	change_feed(j, term);
	if (change_is_young(c)) {
		unknown_since(j,
			"%s: %zu values of its past, and changed() needs %d, and the same hour of"
			" a day before",
			t->selector.text, c->values.n, 2 * CHANGE_LEAST);
		return EXPR_ABSENT;
	}
	sum_of(j, term, &b);
	const bool known = is_known(j, term, &b);
	bucket_fini(&b);
	*ret = value_bool(c->changed);
	return known ? EXPR_OK : EXPR_ABSENT;
}

/* --- the scope
 * ------------------------------------------------------------------------------------------ */

static int64_t term_of(
	const struct rule *rule, struct slice function, const struct value *args, size_t n)
{
	const int64_t ago = n > 1 ? -args[1].integer / NS_PER_MS : 0;
	for (size_t i = 0; i < rule->terms.n; i++) {
		const struct rule_term *t = &rule->terms.p[i];
		if (t->ago_ms == ago && slice_is(function, rule_function_name(t->function)) &&
			slice_is(value_slice(&args[0]), t->selector.text))
			return (int64_t)i;
	}
	return -1;
}

static enum expr_result absent_of(struct judging *j, size_t term, struct value *ret)
{
	struct bucket b = {0};
	const int64_t over = rule_of(j)->as.over_ns / NS_PER_MS;
	sum_of(j, term, &b);
	*ret = value_bool(!b.n);
	const bool known = b.n || j->at_ms - j->group->run->rules->started_ms >= over;
	bucket_fini(&b);
	if (!known)
		unknown_since(j, "we have not watched for as long as the window yet");
	return known ? EXPR_OK : EXPR_ABSENT;
}

static enum expr_result on_call(void *arg, struct slice function, const struct value *args,
	size_t n, struct value *ret, struct error *err)
{
	struct judging *j = arg;
	if (slice_is(function, "changed"))
		return change_of(j, args[0].ref.object, ret);
	const int64_t term = term_of(rule_of(j), function, args, n);
	(void)err;
	if (rule_of(j)->terms.p[term].function == RULE_ABSENT)
		return absent_of(j, (size_t)term, ret);
	*ret = value_of_ref((uint32_t)term, -1);
	return EXPR_OK;
}

static enum expr_result on_plain(
	void *arg, struct value_ref ref, struct value *ret, struct error *err)
{
	struct judging *j = arg;
	const struct rule_term *t = &rule_of(j)->terms.p[ref.object];
	const double seconds = t->ago_ms ? 3600 : (double)rule_of(j)->as.over_ns / (double)NS_PER_S;
	struct bucket b = {0};
	(void)err;
	sum_of(j, ref.object, &b);
	const bool known = is_known(j, ref.object, &b);
	if (known)
		*ret = value_of(j->group, t, number_of(j->group, t, &b, seconds));
	bucket_fini(&b);
	return known ? EXPR_OK : EXPR_ABSENT;
}

/* --- evidence
 * --------------------------------------------------------------------------------------------- */

static void write_term(struct buf *out, const struct rule_term *t)
{
	char ago[UNITS_TEXT];
	buf_printf(out, "%s(%s", rule_function_name(t->function), t->selector.text);
	if (t->ago_ms)
		buf_printf(out, ", %s ago", units_time_whole(t->ago_ms * NS_PER_MS, ago));
	buf_add_char(out, ')');
}

static void write_value(struct buf *out, const struct value *v)
{
	char text[UNITS_TEXT];
	if (v->type == VALUE_TIME)
		buf_add_str(out, units_time_text(v->integer, text));
	else if (v->type == VALUE_PERCENT)
		buf_printf(out, "%.4g%%", v->real * 100);
	else if (v->type == VALUE_RATE)
		buf_printf(out, "%.4g/s", v->real);
	else if (v->type == VALUE_REAL)
		buf_printf(out, "%.6g", v->real);
	else
		value_write(out, v);
}

static json_t *values_of(struct judging *j, struct buf *text)
{
	json_t *list = json_array();
	for (size_t i = 0; i < rule_of(j)->terms.n; i++) {
		const struct rule_term *t = &rule_of(j)->terms.p[i];
		struct bucket b = {0};
		struct buf term = BUF(BUF_LINE), value = BUF(BUF_LINE);
		struct value v = VALUE_NOTHING;
		struct judging quiet = {j->group, j->at_ms, &value};
		write_term(&term, t);
		sum_of(j, i, &b);
		const enum expr_result r =
			t->function == RULE_ABSENT
				? absent_of(&quiet, i, &v)
				: on_plain(&quiet, (struct value_ref){(uint32_t)i, -1}, &v, NULL);
		buf_clear(&value);
		if (r == EXPR_OK)
			write_value(&value, &v);
		json_array_append_new(
			list, json_pack("{s:s, s:s?, s:I, s:I}", "term", buf_str(&term), "value",
				      r == EXPR_OK ? buf_str(&value) : NULL, "n", (json_int_t)b.n,
				      "failed", (json_int_t)b.failed));
		buf_printf(text, "%s%s = %s", text->n ? ", " : "", buf_str(&term),
			r == EXPR_OK ? buf_str(&value) : "unknown");
		bucket_fini(&b);
		buf_fini(&term);
		buf_fini(&value);
	}
	return list;
}

/* --- all of it
 * ---------------------------------------------------------------------------------------------- */

bool group_is_ready(struct group *g, int64_t at_ms)
{
	const struct rule *rule = g->run->rule;
	bool ready = g->run->reading == 0;
	for (size_t i = 0; i < rule->terms.n; i++)
		if (rule->terms.p[i].ago_ms && !read_past(g, i, at_ms))
			ready = false;
	return ready;
}

enum truth group_judge(struct group *g, int64_t at_ms, struct buf *text, json_t **ret_values)
{
	struct buf why = BUF(BUF_LINE);
	struct judging j = {g, at_ms, &why};
	const struct expr_scope scope = {.arg = &j, .call = on_call, .plain = on_plain};
	struct value v = VALUE_NOTHING;
	struct error err = {0};
	bool holds = false;
	const enum expr_result r = expr_eval(g->run->rule->when, &scope, &v, &err);
	const bool known = r == EXPR_OK && value_condition(&v, &holds);
	value_drop(&v);
	if (r == EXPR_ERROR)
		rules_say(g->run, "%s", err.msg);
	if (ret_values)
		*ret_values = values_of(&j, text);
	if (!known) {
		buf_clear(text);
		buf_add_str(text, r == EXPR_ERROR ? err.msg : buf_str(&why));
	}
	buf_fini(&why);
	return !known ? TRUTH_UNKNOWN : holds ? TRUTH_TRUE : TRUTH_FALSE;
}

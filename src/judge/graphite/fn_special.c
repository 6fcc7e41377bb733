/*
 * fn_special.c - curves made of nothing, and functions that say how to draw, which leave the
 * values as they are.
 */

#include <string.h>

#include "judge/graphite/functions.h"
#include "judge/graphite/times.h"

/* Three points: begin, middle and end, as graphite-web makes them. */
bool fn_constant(struct call *c, struct curves *out)
{
	const double value = given_number(c, 0, 0);
	const int64_t length = c->span.until_s - c->span.from_s;
	char text[CURVE_NUMBER];
	struct curve *one = curve_new(mem_strdup(curve_number(value, true, text)), c->span.from_s,
		length > 1 ? length / 2 : 1, 3);
	one->end_s = c->span.until_s;
	one->xff = c->e->xff;
	for (size_t i = 0; i < one->n; i++)
		one->v[i] = value;
	char *expr = mem_printf("constantLine(%s)", text);
	mem_replace(&one->expr, expr);
	free(expr);
	if (given_has(c, 1) && given_text(c, 1, "")[0])
		curve_rename(one, mem_strdup(given_text(c, 1, "")));
	vec_push(out, one);
	return true;
}

/* The times themselves at every step. */
static bool times_of(struct call *c, int64_t step, struct curves *out)
{
	const int64_t length = c->span.until_s - c->span.from_s;
	const size_t n = length > 0 ? (size_t)((length + step - 1) / step) : 0;
	if (n > EVAL_VALUES || !eval_work(c->e, n))
		return eval_work(c->e, EVAL_WORK);
	struct curve *one = curve_new(mem_strdup(given_text(c, 0, "")), c->span.from_s, step, n);
	one->end_s = c->span.until_s;
	one->xff = c->e->xff;
	for (size_t i = 0; i < n; i++)
		one->v[i] = (double)(c->span.from_s + (int64_t)i * step);
	vec_push(out, one);
	return true;
}

bool fn_identity(struct call *c, struct curves *out)
{
	if (!times_of(c, 60, out))
		return false;
	char *expr = mem_printf("identity(\"%s\")", given_text(c, 0, ""));
	mem_replace(&out->p[out->n - 1]->expr, expr);
	free(expr);
	return true;
}

bool fn_time(struct call *c, struct curves *out)
{
	const int64_t step = given_whole(c, 1, 60);
	return step > 0 ? times_of(c, step, out)
			: wrong_argument(c, 1, "a step is at least 1 second");
}

bool fn_sine(struct call *c, struct curves *out)
{
	const double amplitude = given_number(c, 1, 1);
	const int64_t step = given_whole(c, 2, 60);
	if (step < 1)
		return wrong_argument(c, 2, "a step is at least 1 second");
	if (!times_of(c, step, out))
		return false;
	struct curve *one = out->p[out->n - 1];
	for (size_t i = 0; i < one->n; i++)
		one->v[i] = sin(one->v[i]) * amplitude;
	return true;
}

/* One value at a moment, which is drawn as a line. */
bool fn_vertical_line(struct call *c, struct curves *out)
{
	const char *text = given_text(c, 0, ""), *label = given_text(c, 1, "");
	struct error err = {0};
	int64_t at_s;
	if (!times_parse(text, c->e->now_s, c->e->zone, &at_s, &err))
		return wrong_argument(c, 0, "%s", err.msg);
	if (at_s < c->span.from_s || at_s > c->span.until_s)
		return wrong_argument(c, 0, "that is %s the time asked for",
			at_s < c->span.from_s ? "before" : "after");
	struct curve *one = curve_new(
		*label ? mem_strdup(label) : mem_printf("verticalLine(%s)", text), at_s, 1, 1);
	one->end_s = at_s;
	one->xff = c->e->xff;
	one->v[0] = 1;
	vec_push(out, one);
	return true;
}

bool fn_consolidate_by(struct call *c, struct curves *out)
{
	static const char *const names[] = {
		"sum", "average", "avg", "avg_zero", "min", "max", "first", "last"};
	const struct curves *in = given_curves(c, 0);
	const char *how = given_text(c, 1, "sum");
	enum fold f = FOLD_AVERAGE;
	bool known = false;
	for (size_t i = 0; i < array_len(names); i++)
		known |= strcmp(names[i], how) == 0;
	if (!known || !fold_parse(how, &f))
		return wrong_argument(c, 1,
			"\"%.40s\" is none of sum, average, avg, avg_zero, min,"
			" max, first, last",
			how);
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		one->fold = f;
		curve_rename(one, mem_printf("consolidateBy(%s,\"%s\")", in->p[i]->name, how));
		mem_replace(&one->expr, one->name);
		curve_tag(one, "consolidateBy", how);
	}
	return true;
}

bool fn_set_xff(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double xff = given_number(c, 1, 0);
	if (xff < 0 || xff > 1)
		return wrong_argument(c, 1, "a share is within 0 and 1");
	c->e->xff = xff; /* for what is made of them too */
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		one->xff = xff;
		curve_tag(one, "xFilesFactor", given_text(c, 1, ""));
	}
	return true;
}

bool fn_pass(struct call *c, struct curves *out)
{
	curves_add_all(out, given_curves(c, 0));
	return true;
}

/* These show in the name. */
bool fn_pass_named(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const bool dashed = strcmp(c->function->name, "dashed") == 0;
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		curve_rename(one,
			dashed ? mem_printf("dashed(%s, %g)", in->p[i]->name, given_number(c, 1, 5))
			       : mem_printf("%s(%s)", c->function->name, in->p[i]->name));
	}
	return true;
}

/* Two that are drawn as a band. */
bool fn_area_between(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	if (in->n != 2)
		return wrong_argument(c, 0, "a band is between exactly 2 series, not %zu", in->n);
	for (size_t i = 0; i < in->n; i++) {
		struct curve *one = call_changed(c, out, in->p[i]);
		if (!one)
			return false;
		curve_rename(one, mem_printf("areaBetween(%s)", in->p[1]->expr));
		curve_tag(one, "areaBetween", "1");
	}
	return true;
}

/* What the series of this stack with the same steps add up to so far, at least n values. */
static struct curve *stack_of(struct call *c, const char *name, const struct curve *on)
{
	char *key = mem_printf("%lld %lld %s", (long long)on->start_s, (long long)on->step_s, name);
	struct curve *sum = map_get(&c->e->stacks, key);
	if (!sum || sum->n < on->n) {
		struct curve *more = curve_new(mem_strdup(key), on->start_s, on->step_s, on->n);
		for (size_t i = 0; i < more->n; i++)
			more->v[i] = sum && i < sum->n ? sum->v[i] : 0;
		map_put(&c->e->stacks, key, more);
		curve_unref(sum);
		sum = more;
	}
	free(key);
	return sum;
}

/* Each stands on those that were stacked before it, also by other targets of the question. */
bool fn_stacked(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const char *name = given_text(c, 1, "");
	for (size_t k = 0; k < in->n; k++) {
		struct curve *one = call_changed(c, out, in->p[k]);
		if (!one)
			return false;
		struct curve *sum = stack_of(c, name, one);
		for (size_t i = 0; i < one->n; i++)
			if (!isnan(one->v[i]))
				one->v[i] = sum->v[i] += one->v[i];
		if (!given_has(c, 1)) {
			curve_rename(one, mem_printf("stacked(%s)", in->p[k]->name));
			curve_tag(one, "stacked", "__DEFAULT__");
		}
		mem_replace(&one->expr, one->name);
	}
	return true;
}

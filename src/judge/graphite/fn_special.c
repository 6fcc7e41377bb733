/*
 * fn_special.c - curves made of nothing, and functions that say how to draw, which leave the
 * values as they are.
 */

#include <string.h>

#include "judge/graphite/functions.h"

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

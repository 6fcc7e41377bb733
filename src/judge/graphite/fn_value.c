/*
 * fn_value.c - each value for itself.
 */

#include <stdio.h>
#include <string.h>

#include "judge/graphite/functions.h"

double round_to(double x, int digits)
{
	char text[400];
	if (!isfinite(x) || digits > 15)
		return x;
	if (digits >= 0) { /* of the decimal it is, as Python does */
		snprintf(text, sizeof(text), "%.*f", digits, x);
		return strtod(text, NULL);
	}
	const double unit = pow(10, -digits);
	return isfinite(unit) ? nearbyint(x / unit) * unit : 0;
}

/* A copy named after its function, which is its expr from now on. */
static struct curve *named(struct call *c, struct curves *out, struct curve *from, char *name)
{
	struct curve *one = call_changed(c, out, from);
	if (!one) {
		free(name);
		return NULL;
	}
	curve_rename(one, name);
	mem_replace(&one->expr, name);
	curve_tag(one, c->function->name, given_text(c, 1, "1"));
	return one;
}

#define EACH_NAMED(c, out, one, ...)                                                               \
	for (size_t at_ = 0; at_ < given_curves(c, 0)->n; at_++)                                   \
		for (struct curve *from = given_curves(c, 0)->p[at_],                              \
				  *one = named(c, out, from, mem_printf(__VA_ARGS__));             \
			one; one = NULL)

/* --- with a factor ---------------------------------------------------------------------------- */

static double with_factor(char what, double x, double factor)
{
	if (what == 's')
		return x * factor;
	if (what == 'o')
		return x + factor;
	const double p = pow(x, factor);
	return isfinite(p) && !isnan(x) ? p : NAN;
}

bool fn_map_factor(struct call *c, struct curves *out)
{
	const double factor = given_number(c, 1, 1);
	EACH_NAMED (c, out, one, "%s(%s,%g)", c->function->name, from->name, factor)
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = with_factor(c->function->name[0], one->v[i], factor);
	return !c->e->failed;
}

bool fn_add(struct call *c, struct curves *out)
{
	const double constant = given_number(c, 1, 0);
	EACH_NAMED (c, out, one, "add(%s,%.0f)", from->name, trunc(constant))
		for (size_t i = 0; i < one->n; i++)
			one->v[i] += constant;
	return !c->e->failed;
}

/* --- without arguments ------------------------------------------------------------------------ */

static double map_absolute(double x)
{
	return fabs(x);
}

static double map_invert(double x)
{
	return x == 0 ? NAN : 1 / x;
}

static double map_square_root(double x)
{
	return x < 0 ? NAN : sqrt(x);
}

static double map_exp(double x)
{
	return exp(x);
}

static double map_logit(double x)
{
	const double r = x == 1 ? NAN : x / (1 - x);
	return r > 0 ? log(r) : NAN;
}

static double map_sigmoid(double x)
{
	return 1 / (1 + exp(-x));
}

static double map_is_something(double x)
{
	return isnan(x) ? 0 : 1;
}

static const struct {
	const char *name;
	double (*map)(double x);
} maps[] = {{"absolute", map_absolute}, {"invert", map_invert}, {"squareRoot", map_square_root},
	{"exp", map_exp}, {"logit", map_logit}, {"sigmoid", map_sigmoid},
	{"isNonNull", map_is_something}};

bool fn_map_plain(struct call *c, struct curves *out)
{
	double (*map)(double x) = map_absolute;
	for (size_t i = 0; i < array_len(maps); i++)
		if (strcmp(maps[i].name, c->function->name) == 0)
			map = maps[i].map;
	EACH_NAMED (c, out, one, "%s(%s)", c->function->name, from->name)
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = map(one->v[i]);
	return !c->e->failed;
}

/* --- by the whole of the series --------------------------------------------------------------- */

bool fn_offset_to_zero(struct call *c, struct curves *out)
{
	EACH_NAMED (c, out, one, "offsetToZero(%s)", from->name) {
		const double min = fold_values(FOLD_MIN, one->v, one->n);
		for (size_t i = 0; i < one->n; i++)
			one->v[i] -= min;
	}
	return !c->e->failed;
}

bool fn_min_max(struct call *c, struct curves *out)
{
	EACH_NAMED (c, out, one, "minMax(%s)", from->name) {
		const double min = fold_values(FOLD_MIN, one->v, one->n);
		const double range = fold_values(FOLD_MAX, one->v, one->n) - min;
		for (size_t i = 0; i < one->n; i++)
			if (!isnan(one->v[i]))
				one->v[i] = range == 0 ? 0 : (one->v[i] - min) / range;
	}
	return !c->e->failed;
}

bool fn_logarithm(struct call *c, struct curves *out)
{
	const double base = given_number(c, 1, 10);
	if (base <= 0 || base == 1)
		return wrong_argument(c, 1, "the base of a logarithm is over 0 and not 1");
	EACH_NAMED (c, out, one, "log(%s, %s)", from->name, given_text(c, 1, "10"))
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = one->v[i] > 0 ? log(one->v[i]) / log(base) : NAN;
	return !c->e->failed;
}

bool fn_round(struct call *c, struct curves *out)
{
	const int64_t digits = given_whole(c, 1, 0);
	if (digits < -300 || digits > 300)
		return wrong_argument(c, 1, "a precision is within -300 and 300");
	char text[32] = "";
	if (given_has(c, 1))
		snprintf(text, sizeof(text), ",%lld", (long long)digits);
	EACH_NAMED (c, out, one, "round(%s%s)", from->name, text)
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = round_to(one->v[i], (int)digits);
	return !c->e->failed;
}

bool fn_scale_to_seconds(struct call *c, struct curves *out)
{
	const double seconds = given_number(c, 1, 1);
	EACH_NAMED (c, out, one, "scaleToSeconds(%s,%.0f)", from->name, trunc(seconds)) {
		const double factor = seconds / (double)one->step_s;
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = round_to(one->v[i] * factor, 6);
	}
	return !c->e->failed;
}

/* Whether one of the reference series has something at that moment. */
static bool is_known(const struct curves *reference, int64_t at_s)
{
	for (size_t i = 0; i < reference->n; i++) {
		const struct curve *r = reference->p[i];
		const int64_t k = at_s < r->start_s ? -1 : (at_s - r->start_s) / r->step_s;
		if (k >= 0 && (size_t)k < r->n && !isnan(r->v[k]))
			return true;
	}
	return false;
}

bool fn_transform_null(struct call *c, struct curves *out)
{
	const double value = given_number(c, 1, 0);
	const struct curves *reference = given_curves(c, 2);
	EACH_NAMED (c, out, one, "transformNull(%s,%g%s)", from->name, value,
		reference->n ? ",referenceSeries" : "")
		for (size_t i = 0; i < one->n && eval_work(c->e, reference->n); i++)
			if (isnan(one->v[i]) &&
				(!reference->n || is_known(reference,
							  one->start_s + (int64_t)i * one->step_s)))
				one->v[i] = value;
	return !c->e->failed;
}

/* --- what is left out ------------------------------------------------------------------------- */

static void leave(struct curve *one, bool above, double limit)
{
	for (size_t i = 0; i < one->n; i++)
		if (above ? one->v[i] > limit : one->v[i] < limit)
			one->v[i] = NAN;
}

bool fn_remove_value(struct call *c, struct curves *out)
{
	const bool above = strncmp(c->function->name, "removeAbove", 11) == 0;
	const double n = given_number(c, 1, 0);
	EACH_NAMED (c, out, one, "%s(%s, %g)", c->function->name, from->name, n)
		leave(one, above, n);
	return !c->e->failed;
}

bool fn_remove_percentile(struct call *c, struct curves *out)
{
	const bool above = strncmp(c->function->name, "removeAbove", 11) == 0;
	const double n = given_number(c, 1, 0);
	if (n <= 0 || n > 100)
		return wrong_argument(c, 1, "a percentile is over 0 and at most 100");
	EACH_NAMED (c, out, one, "%s(%s, %g)", c->function->name, from->name, n)
		leave(one, above, values_percentile(one->v, one->n, n, false));
	return !c->e->failed;
}

/*
 * fn_before.c - each value with those before it.
 */

#include <string.h>

#include "judge/graphite/functions.h"

/* A curve of the same steps with nothing in it; NULL: the work is used up. Takes name. */
static struct curve *fresh(struct call *c, struct curves *out, const struct curve *from, char *name)
{
	if (!eval_work(c->e, from->n)) {
		free(name);
		return NULL;
	}
	struct curve *one = curve_like(from, name, from->n);
	curve_tag(one, c->function->name, given_text(c, 1, "1"));
	vec_push(out, one);
	return one;
}

#define EACH_FRESH(c, out, one, ...)                                                               \
	for (size_t at_ = 0; at_ < given_curves(c, 0)->n; at_++)                                   \
		for (struct curve *from = given_curves(c, 0)->p[at_],                              \
				  *one = fresh(c, out, from, mem_printf(__VA_ARGS__));             \
			one; one = NULL)

bool fn_derivative(struct call *c, struct curves *out)
{
	EACH_FRESH (c, out, one, "derivative(%s)", from->name)
		for (size_t i = 1; i < one->n; i++)
			one->v[i] = from->v[i] - from->v[i - 1];
	return !c->e->failed;
}

/* What a counter grew by; over its end when the limits are known. Nothing breaks it off. */
static double grown(double x, double *before, double max, double min)
{
	const double last = *before;
	if (x > max || x < min) { /* false of limits that are not given */
		*before = NAN;
		return NAN;
	}
	*before = x;
	if (isnan(last) || isnan(x))
		return NAN;
	if (x >= last)
		return x - last;
	if (!isnan(max))
		return max + 1 + x - last - (isnan(min) ? 0 : min);
	return isnan(min) ? NAN : x - min;
}

bool fn_non_negative(struct call *c, struct curves *out)
{
	const double max = given_number(c, 1, NAN), min = given_number(c, 2, NAN);
	const bool per_second = strcmp(c->function->name, "perSecond") == 0;
	EACH_FRESH (c, out, one, "%s(%s)", c->function->name, from->name) {
		double before = NAN;
		for (size_t i = 0; i < one->n; i++) {
			const double by = grown(from->v[i], &before, max, min);
			one->v[i] = per_second ? round_to(by / (double)one->step_s, 6) : by;
		}
	}
	return !c->e->failed;
}

bool fn_integral(struct call *c, struct curves *out)
{
	EACH_FRESH (c, out, one, "integral(%s)", from->name) {
		double sum = 0;
		for (size_t i = 0; i < one->n; i++)
			if (!isnan(from->v[i]))
				one->v[i] = sum += from->v[i];
	}
	return !c->e->failed;
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

bool fn_integral_by(struct call *c, struct curves *out)
{
	const int64_t signed_s = given_interval(c, 1),
		      interval = signed_s < 0 ? -signed_s : signed_s;
	if (!interval)
		return wrong_argument(c, 1, "the interval must not be 0");
	EACH_FRESH (c, out, one, "integralByInterval(%s,'%s')", from->name, given_text(c, 1, "")) {
		double sum = 0;
		for (size_t i = 0; i < one->n; i++) {
			const int64_t at = one->start_s + (int64_t)i * one->step_s - c->span.from_s;
			if (floor_div(at, interval) != floor_div(at - one->step_s, interval))
				sum = 0;
			if (!isnan(from->v[i]))
				sum += from->v[i];
			one->v[i] = sum;
		}
	}
	return !c->e->failed;
}

bool fn_delay(struct call *c, struct curves *out)
{
	const int64_t steps = given_whole(c, 1, 0);
	EACH_FRESH (c, out, one, "delay(%s,%lld)", from->name, (long long)steps)
		for (size_t i = 0; i < one->n; i++) {
			const int64_t k = (int64_t)i - steps;
			if (k >= 0 && k < (int64_t)one->n)
				one->v[i] = from->v[k];
		}
	return !c->e->failed;
}

/* --- gaps ------------------------------------------------------------------------------------- */

bool fn_keep_last(struct call *c, struct curves *out)
{
	const double limit = given_number(c, 1, INFINITY);
	EACH_FRESH (c, out, one, "keepLastValue(%s)", from->name) {
		size_t gap = 0;
		double last = NAN;
		for (size_t i = 0; i <= one->n; i++) {
			if (i < one->n && isnan(from->v[i])) {
				gap++;
				continue;
			}
			if ((double)gap <= limit)
				for (size_t k = i - gap; k < i; k++)
					one->v[k] = last;
			gap = 0;
			if (i < one->n)
				one->v[i] = last = from->v[i];
		}
	}
	return !c->e->failed;
}

bool fn_interpolate(struct call *c, struct curves *out)
{
	const double limit = given_number(c, 1, INFINITY);
	EACH_FRESH (c, out, one, "interpolate(%s)", from->name) {
		size_t last = SIZE_MAX; /* where something was before */
		for (size_t i = 0; i < one->n; i++) {
			if (isnan(from->v[i]))
				continue;
			one->v[i] = from->v[i];
			const size_t gap = last == SIZE_MAX ? 0 : i - last - 1;
			for (size_t k = 1; k <= gap && (double)gap <= limit; k++)
				one->v[last + k] =
					from->v[last] + (double)k * (from->v[i] - from->v[last]) /
								((double)gap + 1);
			last = i;
		}
	}
	return !c->e->failed;
}

bool fn_changed(struct call *c, struct curves *out)
{
	EACH_FRESH (c, out, one, "changed(%s)", from->name) {
		double before = NAN;
		for (size_t i = 0; i < one->n; i++) {
			const double x = from->v[i];
			one->v[i] = !isnan(before) && !isnan(x) && x != before;
			if (!isnan(x))
				before = x;
		}
	}
	return !c->e->failed;
}

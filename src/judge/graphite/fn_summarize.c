/*
 * fn_summarize.c - longer steps, and one value for all of a series.
 */

#include <stdio.h>
#include <string.h>

#include "judge/graphite/functions.h"
#include "judge/graphite/times.h"

/* --- summarize -------------------------------------------------------------------------------- */

/* As graphite-web: a value that began before a step still counts in it when it is the last one of
 * the step before. */
int64_t fold_steps(struct curve *to, const struct curve *from, enum fold f, int64_t interval,
	int64_t start, int64_t end)
{
	const int64_t times =
		from->step_s > 0 && from->end_s > from->start_s
			? (from->end_s - from->start_s + from->step_s - 1) / from->step_s
			: 0;
	const size_t n = (size_t)times < from->n ? (size_t)times : from->n;
	size_t i = 0, slot = 0;
	int64_t at = start;
	for (; at < end; at += interval, slot++) {
		size_t first = i, some = 0;
		for (; i < n && from->start_s + (int64_t)i * from->step_s < at + interval; i++) {
			const int64_t t = from->start_s + (int64_t)i * from->step_s;
			first = t <= at ? i : first;
			some += t >= at && !isnan(from->v[i]);
		}
		const double points = (double)interval / (double)from->step_s;
		if (slot < to->n && some && (double)some / points >= from->xff)
			to->v[slot] = fold_values(f, from->v + first, i - first);
	}
	return at;
}

size_t steps_of(int64_t start, int64_t end, int64_t interval)
{
	return end > start ? (size_t)((end - start + interval - 1) / interval) : 0;
}

static bool interval_read(struct call *c, int64_t *ret)
{
	*ret = given_interval(c, 1);
	return *ret > 0 || wrong_argument(c, 1, "the interval must be longer than 0");
}

bool fn_summarize(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const bool from_begin = given_flag(c, 3);
	int64_t interval;
	if (!interval_read(c, &interval))
		return false;
	for (size_t k = 0; k < in->n; k++) {
		const struct curve *from = in->p[k];
		int64_t start = from->start_s, end = from->end_s;
		if (!from_begin) {
			start -= start % interval;
			end = end - end % interval + interval;
		}
		const size_t n = steps_of(start, end, interval);
		if (!eval_work(c->e, from->n + n))
			return false;
		struct curve *one = curve_like(from,
			mem_printf("summarize(%s, \"%s\", \"%s\"%s)", from->name,
				given_text(c, 1, ""), given_text(c, 2, "sum"),
				from_begin ? ", true" : ""),
			n);
		const int64_t aligned =
			fold_steps(one, from, given_fold(c, 2, FOLD_SUM), interval, start, end);
		one->start_s = start;
		one->end_s = from_begin ? aligned : end;
		one->step_s = interval;
		curve_tag(one, "summarize", given_text(c, 1, ""));
		curve_tag(one, "summarizeFunction", given_text(c, 2, "sum"));
		vec_push(out, one);
	}
	return true;
}

bool fn_smart_summarize(struct call *c, struct curves *out)
{
	int64_t interval;
	struct curves in = {0};
	struct span span = c->span;
	if (!interval_read(c, &interval))
		return false;
	bool good = true;
	if (given_has(c, 3) &&
		!times_align(given_text(c, 3, ""), span.from_s, c->e->zone, &span.from_s))
		return wrong_argument(c, 3,
			"\"%.40s\" is nothing to align to: years, months, weeks,"
			" days, hours, minutes or seconds",
			given_text(c, 3, ""));
	if (given_has(c, 3))
		good = call_again(c, span, &in);
	else
		curves_add_all(&in, given_curves(c, 0));
	for (size_t k = 0; good && k < in.n; k++) {
		const struct curve *from = in.p[k];
		const size_t n = steps_of(from->start_s, from->end_s, interval);
		if (!(good = eval_work(c->e, from->n + n)))
			break;
		struct curve *one = curve_like(from,
			mem_printf("smartSummarize(%s, \"%s\", \"%s\")", from->name,
				given_text(c, 1, ""), given_text(c, 2, "sum")),
			n);
		one->end_s = fold_steps(one, from, given_fold(c, 2, FOLD_SUM), interval,
			from->start_s, from->end_s);
		one->step_s = interval;
		curve_tag(one, "smartSummarize", given_text(c, 1, ""));
		curve_tag(one, "smartSummarizeFunction", given_text(c, 2, "sum"));
		vec_push(out, one);
	}
	curves_fini(&in);
	return good;
}

/* --- hitcount ----------------------------------------------------------------------------------
 */

static void add_hits(struct curve *to, size_t slot, double hits)
{
	to->v[slot] = hits + (isnan(to->v[slot]) ? 0 : to->v[slot]);
}

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0);
}

/* A value lasts for its step; each interval gets its part of it. */
static void count_hits(struct curve *to, const struct curve *from, int64_t start, int64_t interval)
{
	for (size_t i = 0; i < from->n; i++) {
		const int64_t begin = from->start_s + (int64_t)i * from->step_s - start;
		const int64_t end = begin + from->step_s;
		if (isnan(from->v[i]))
			continue;
		for (int64_t slot = floor_div(begin, interval);
			slot * interval < end && slot < (int64_t)to->n; slot++) {
			int64_t a = slot * interval, b = a + interval;
			a = a < begin ? begin : a;
			b = b > end ? end : b;
			if (slot >= 0 && b > a)
				add_hits(to, (size_t)slot, from->v[i] * (double)(b - a));
		}
	}
}

bool fn_hitcount(struct call *c, struct curves *out)
{
	const bool aligned = given_flag(c, 2);
	struct curves in = {0};
	struct span span = c->span;
	int64_t interval;
	bool good = true;
	if (!interval_read(c, &interval))
		return false;
	if (aligned) {
		const char *unit = interval >= 86400 ? "d" : interval >= 3600 ? "h" : "min";
		if (interval >= 60 && times_align(unit, span.from_s, c->e->zone, &span.from_s))
			good = call_again(c, span, &in);
		else
			curves_add_all(&in, given_curves(c, 0));
	} else {
		curves_add_all(&in, given_curves(c, 0));
	}
	for (size_t k = 0; good && k < in.n; k++) {
		const struct curve *from = in.p[k];
		const int64_t length = from->end_s - from->start_s;
		const int64_t end =
			aligned ? from->start_s + (length / interval + 1) * interval : from->end_s;
		const size_t n = steps_of(from->start_s, end, interval);
		if (!(good = eval_work(c->e, from->n + n + (size_t)(length / interval))))
			break;
		struct curve *one = curve_like(from,
			mem_printf("hitcount(%s, \"%s\"%s)", from->name, given_text(c, 1, ""),
				aligned ? ", true" : ""),
			n);
		one->start_s = end - (int64_t)n * interval;
		one->end_s = end;
		one->step_s = interval;
		count_hits(one, from, one->start_s, interval);
		curve_tag(one, "hitcount", given_text(c, 1, ""));
		vec_push(out, one);
	}
	curves_fini(&in);
	return good;
}

/* --- one value for all ------------------------------------------------------------------------ */

bool fn_n_percentile(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double n = given_number(c, 1, 0);
	if (n <= 0 || n > 100)
		return wrong_argument(c, 1, "a percentile is over 0 and at most 100");
	for (size_t k = 0; k < in->n; k++) {
		const struct curve *from = in->p[k];
		const double x = values_percentile(from->v, from->n, n, false);
		const int64_t length = (from->end_s - from->start_s) / from->step_s;
		if (isnan(x) || length <= 0)
			continue;
		if (length > EVAL_VALUES || !eval_work(c->e, from->n + (size_t)length))
			return eval_work(c->e, EVAL_WORK);
		struct curve *one = curve_like(
			from, mem_printf("nPercentile(%s, %g)", from->name, n), (size_t)length);
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = x;
		curve_tag(one, "nPercentile", given_text(c, 1, ""));
		vec_push(out, one);
	}
	return true;
}

bool fn_aggregate_line(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const int64_t length = c->span.until_s - c->span.from_s;
	for (size_t k = 0; k < in->n; k++) {
		const struct curve *from = in->p[k];
		const double x = fold_values(given_fold(c, 1, FOLD_AVERAGE), from->v, from->n);
		char *name = isnan(x) ? mem_printf("aggregateLine(%s, None)", from->name)
				      : mem_printf("aggregateLine(%s, %g)", from->name, x);
		struct curve *one;
		if (given_flag(c, 2)) {
			one = curve_like(from, name, from->n);
		} else {
			one = curve_new(name, c->span.from_s, length > 1 ? length / 2 : 1, 3);
			one->end_s = c->span.until_s;
			one->xff = c->e->xff;
		}
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = x;
		vec_push(out, one);
		if (!eval_work(c->e, from->n))
			return false;
	}
	return true;
}

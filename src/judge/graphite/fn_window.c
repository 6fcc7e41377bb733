/*
 * fn_window.c - functions that look at more time than they are asked for: windows that move, and
 * time that is shifted.
 */

#include <stdio.h>
#include <string.h>

#include "judge/graphite/functions.h"
#include "judge/graphite/times.h"

/* --- moving windows --------------------------------------------------------------------------- */

struct window {
	int64_t seconds;
	size_t points;    /* 0: as many as make the seconds */
	const char *text; /* as written */
};

/* And the curves of the first argument, begun earlier by the window. */
static bool window_read(struct call *c, struct window *w, struct curves *earlier)
{
	const struct curves *in = given_curves(c, 0);
	int64_t step = 0;
	*w = (struct window){.text = given_text(c, 1, "")};
	if (c->args.p[1].type == ARGUMENT_NUMBER) {
		if (given_whole(c, 1, 0) < 1 || given_whole(c, 1, 0) > 1000000)
			return wrong_argument(c, 1, "a window has 1 to 1000000 points");
		for (size_t i = 0; i < in->n; i++)
			step = in->p[i]->step_s > step ? in->p[i]->step_s : step;
		w->points = (size_t)given_whole(c, 1, 0);
		w->seconds = step * (int64_t)w->points;
	} else {
		w->seconds = given_interval(c, 1);
		w->seconds = w->seconds < 0 ? -w->seconds : w->seconds;
	}
	struct span span = c->span;
	span.from_s -= w->seconds;
	return !in->n || call_again(c, span, earlier);
}

static size_t window_points(const struct window *w, const struct curve *c)
{
	return w->points ? w->points : (size_t)(w->seconds / c->step_s);
}

/* movingAverage(a.b,"5min") or movingAverage(a.b,5) */
static char *window_name(const struct window *w, const char *function, const struct curve *c)
{
	const char *quote = w->points ? "" : "\"";
	return mem_printf("%s(%s,%s%s%s)", function, c->name, quote, w->text, quote);
}

static struct curve *window_curve(struct call *c, const struct window *w, const char *function,
	const struct curve *from, size_t n, struct curves *out)
{
	struct curve *one = curve_like(from, window_name(w, function, from), n);
	one->start_s = from->start_s + w->seconds;
	curve_tag(one, function, w->text);
	vec_push(out, one);
	return one;
}

static bool moving(
	struct call *c, enum fold f, const char *function, double xff, struct curves *out)
{
	struct window w;
	struct curves earlier = {0};
	bool good = window_read(c, &w, &earlier);
	for (size_t k = 0; good && k < earlier.n; k++) {
		const struct curve *from = earlier.p[k];
		const size_t points = window_points(&w, from);
		const size_t n = from->n > points ? from->n - points : 0;
		const double share = isnan(xff) ? from->xff : xff;
		good = n * points <= EVAL_WORK && eval_work(c->e, n * (points + 1));
		if (!good)
			eval_work(c->e, EVAL_WORK);
		struct curve *one = good ? window_curve(c, &w, function, from, n, out) : NULL;
		for (size_t i = 0; one && i < n; i++) {
			const size_t some = values_count(from->v + i, points);
			if (some && (double)some / (double)points >= share)
				one->v[i] = fold_values(f, from->v + i, points);
		}
	}
	curves_fini(&earlier);
	return good;
}

bool fn_moving(struct call *c, struct curves *out)
{
	static const struct {
		const char *name;
		enum fold fold;
	} kinds[] = {{"movingAverage", FOLD_AVERAGE}, {"movingMedian", FOLD_MEDIAN},
		{"movingSum", FOLD_SUM}, {"movingMin", FOLD_MIN}, {"movingMax", FOLD_MAX}};
	enum fold f = FOLD_AVERAGE;
	for (size_t i = 0; i < array_len(kinds); i++)
		if (strcmp(kinds[i].name, c->function->name) == 0)
			f = kinds[i].fold;
	return moving(c, f, c->function->name, given_number(c, 2, NAN), out);
}

bool fn_moving_window(struct call *c, struct curves *out)
{
	const char *how = given_text(c, 2, "average");
	char *name = mem_printf("moving%s", how);
	if (name[6] >= 'a' && name[6] <= 'z')
		name[6] = (char)(name[6] - 'a' + 'A');
	const bool good =
		moving(c, given_fold(c, 2, FOLD_AVERAGE), name, given_number(c, 3, NAN), out);
	free(name);
	return good;
}

bool fn_exponential(struct call *c, struct curves *out)
{
	struct window w;
	struct curves earlier = {0};
	bool good = window_read(c, &w, &earlier);
	for (size_t k = 0; good && k < earlier.n; k++) {
		const struct curve *from = earlier.p[k];
		const size_t points = window_points(&w, from);
		const size_t first = points < from->n ? points : from->n;
		const double constant = 2 / ((w.points ? (double)w.points : (double)w.seconds) + 1);
		struct curve *one = window_curve(
			c, &w, "exponentialMovingAverage", from, from->n - first + 1, out);
		double ema = fold_values(FOLD_AVERAGE, from->v, first);
		ema = isnan(ema) ? 0 : ema;
		one->v[0] = round_to(ema, 6);
		for (size_t i = first; i < from->n; i++)
			if (!isnan(from->v[i])) {
				ema = constant * from->v[i] + (1 - constant) * ema;
				one->v[i - first + 1] = round_to(ema, 6);
			}
		good = eval_work(c->e, from->n);
	}
	curves_fini(&earlier);
	return good;
}

/* --- deviation
 * ------------------------------------------------------------------------------------ */

static void deviations(struct curve *one, const struct curve *from, size_t points, double tolerance)
{
	double sum = 0, squares = 0;
	size_t some = 0;
	for (size_t i = 0; i < from->n; i++) {
		const double gone = i < points ? NAN : from->v[i - points], new = from->v[i];
		if (!isnan(gone)) {
			some--;
			sum -= gone;
			squares -= gone * gone;
		}
		if (!isnan(new)) {
			some++;
			sum += new;
			squares += new *new;
		}
		const double n = (double)some, under = n * squares - sum * sum;
		if (some && n / (double)points >= tolerance && under >= 0)
			one->v[i] = sqrt(under) / n;
	}
}

bool fn_stdev(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const int64_t points = given_whole(c, 1, 0);
	if (points < 1)
		return wrong_argument(c, 1, "a window has at least 1 point");
	for (size_t k = 0; k < in->n; k++) {
		const struct curve *from = in->p[k];
		if (!eval_work(c->e, from->n))
			return false;
		struct curve *one = curve_like(
			from, mem_printf("stdev(%s,%lld)", from->name, (long long)points), from->n);
		deviations(one, from, (size_t)points, given_number(c, 2, 0.1));
		vec_push(out, one);
	}
	return true;
}

/* --- other times ------------------------------------------------------------------------------ */

/* "1d" means back. Owned. */
static char *shift_text(struct call *c, size_t i, const char *otherwise)
{
	const char *text = given_text(c, i, otherwise);
	return mem_printf("%s%s", *text >= '0' && *text <= '9' ? "-" : "", text);
}

/* What clocks are set apart between then and now, when both ends agree on it. */
static int64_t dst_shift(const struct eval *e, struct span now, struct span then)
{
	if (!e->zone)
		return 0;
	const int64_t a = zone_offset_s(e->zone, now.from_s),
		      b = zone_offset_s(e->zone, then.from_s);
	return a == zone_offset_s(e->zone, now.until_s) && b == zone_offset_s(e->zone, then.until_s)
		       ? a - b
		       : 0;
}

bool fn_time_shift(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	char *text = shift_text(c, 1, "1d");
	int64_t by = 0;
	interval_parse(text, &by);
	struct span span = {c->span.from_s + by, c->span.until_s + by};
	struct curves then = {0};
	if (given_flag(c, 3)) {
		const int64_t dst = dst_shift(c->e, c->span, span);
		span.from_s += dst;
		span.until_s += dst;
	}
	const bool good = !in->n || call_again(c, span, &then);
	for (size_t i = 0; good && i < then.n; i++) {
		struct curve *one = call_changed(c, out, then.p[i]);
		if (!one)
			break;
		const bool reset = !given_has(c, 2) || given_flag(c, 2);
		curve_rename(one, mem_printf("timeShift(%s, \"%s\")", then.p[i]->name, text));
		curve_tag(one, "timeShift", text);
		one->end_s =
			reset ? in->p[0]->end_s : one->end_s - one->start_s + in->p[0]->start_s;
		one->start_s = in->p[0]->start_s;
	}
	curves_fini(&then);
	free(text);
	return good && !c->e->failed;
}

static bool stack_one(struct call *c, const char *text, int64_t by, int64_t i, struct curves *out)
{
	const struct curve *first = given_curves(c, 0)->p[0];
	struct curves then = {0};
	const bool good =
		call_again(c, (struct span){c->span.from_s + by, c->span.until_s + by}, &then);
	for (size_t k = 0; good && k < then.n; k++) {
		struct curve *one = call_changed(c, out, then.p[k]);
		if (!one)
			break;
		curve_rename(one,
			mem_printf("timeShift(%s, %s, %lld)", then.p[k]->name, text, (long long)i));
		mem_replace(&one->expr, one->name);
		one->start_s = first->start_s;
		one->end_s = first->end_s;
	}
	curves_fini(&then);
	return good;
}

bool fn_time_stack(struct call *c, struct curves *out)
{
	const int64_t first = given_whole(c, 2, 0), last = given_whole(c, 3, 7);
	char *text = shift_text(c, 1, "1d");
	int64_t unit = 0;
	bool good = true;
	interval_parse(text, &unit);
	if (last - first > 100 || first < -1000 || last > 1000) {
		free(text);
		return wrong_argument(c, 3, "at most 100 shifts, within -1000 and 1000");
	}
	for (int64_t i = first; i < last && given_curves(c, 0)->n; i++)
		good &= stack_one(c, text, unit * i, i, out);
	free(text);
	return good && !c->e->failed;
}

bool fn_time_slice(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	int64_t from, until;
	struct error err = {0};
	if (!times_parse(given_text(c, 1, ""), c->e->now_s, c->e->zone, &from, &err))
		return wrong_argument(c, 1, "%s", err.msg);
	if (!times_parse(given_text(c, 2, "now"), c->e->now_s, c->e->zone, &until, &err))
		return wrong_argument(c, 2, "%s", err.msg);
	for (size_t k = 0; k < in->n; k++) {
		struct curve *one = call_changed(c, out, in->p[k]);
		if (!one)
			return false;
		curve_rename(one, mem_printf("timeSlice(%s, %lld, %lld)", in->p[k]->name,
					  (long long)from, (long long)until));
		for (size_t i = 0; i < one->n; i++) {
			const int64_t at = one->start_s + (int64_t)i * one->step_s;
			if (at < from || at > until)
				one->v[i] = NAN;
		}
	}
	return true;
}

/* --- lines through values --------------------------------------------------------------------- */

/* The least squares of what is something; false: there is no line. */
static bool line_through(const struct curve *x, double *ret_factor, double *ret_offset)
{
	double n = 0, i_sum = 0, v_sum = 0, ii_sum = 0, iv_sum = 0;
	for (size_t i = 0; i < x->n; i++) {
		const double at = (double)i;
		if (isnan(x->v[i]))
			continue;
		n++;
		i_sum += at;
		v_sum += x->v[i];
		ii_sum += at * at;
		iv_sum += at * x->v[i];
	}
	const double denominator = n * ii_sum - i_sum * i_sum;
	if (denominator == 0)
		return false;
	*ret_factor = (n * iv_sum - i_sum * v_sum) / denominator / (double)x->step_s;
	*ret_offset =
		(ii_sum * v_sum - iv_sum * i_sum) / denominator - *ret_factor * (double)x->start_s;
	return true;
}

static bool regression_span(struct call *c, struct span *ret)
{
	struct error err = {0};
	*ret = c->span;
	if (given_has(c, 1) &&
		!times_parse(given_text(c, 1, ""), c->e->now_s, c->e->zone, &ret->from_s, &err))
		return wrong_argument(c, 1, "%s", err.msg);
	if (given_has(c, 2) &&
		!times_parse(given_text(c, 2, ""), c->e->now_s, c->e->zone, &ret->until_s, &err))
		return wrong_argument(c, 2, "%s", err.msg);
	return true;
}

bool fn_linear_regression(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct curves sources = {0};
	struct span span;
	bool good = regression_span(c, &span) && call_again(c, span, &sources);
	for (size_t i = 0; good && i < in->n && i < sources.n; i++) {
		const struct curve *from = in->p[i];
		double factor, offset;
		if (!line_through(sources.p[i], &factor, &offset))
			continue;
		good = eval_work(c->e, from->n);
		struct curve *one = curve_like(from,
			mem_printf("linearRegression(%s, %lld, %lld)", from->name,
				(long long)span.from_s, (long long)span.until_s),
			from->n);
		for (size_t k = 0; k < one->n; k++)
			one->v[k] = offset +
				    (double)(from->start_s + (int64_t)k * from->step_s) * factor;
		vec_push(out, one);
	}
	curves_fini(&sources);
	return good;
}

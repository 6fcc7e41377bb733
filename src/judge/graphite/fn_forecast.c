/*
 * fn_forecast.c - what the seasons before let expect (Holt and Winters), and how far off it was.
 */

#include <string.h>

#include "judge/graphite/functions.h"

/* As graphite-web has them: how fast level, slope and season follow what was seen. */
#define LEVEL_GAIN  0.1
#define SLOPE_GAIN  0.0035
#define SEASON_GAIN 0.1

/* --- the analysis ----------------------------------------------------------------------------- */

struct analysis { /* each of as many values as the curve; owned */
	double *prediction, *deviation, *season;
};

static void analysis_fini(struct analysis *a)
{
	free(a->prediction);
	free(a->deviation);
	free(a->season);
}

/* What stood a season before value i; 0 in the first one. */
static double before(const double *v, size_t i, size_t season)
{
	return i < season ? 0 : v[i - season];
}

static struct analysis analyse(const struct curve *from, size_t season)
{
	struct analysis a = {mem_new_array(from->n + 1, sizeof(double)),
		mem_new_array(from->n + 1, sizeof(double)),
		mem_new_array(from->n + 1, sizeof(double))};
	double level = NAN, slope = 0, next = NAN;
	for (size_t i = 0; i < from->n; i++) {
		const double x = from->v[i];
		a.prediction[i] = i ? next : x;
		if (isnan(x)) {
			level = next = NAN;
			slope = 0;
			continue;
		}
		const double last = isnan(level) ? x : level, expected = a.prediction[i];
		const double was = before(a.season, i, season);
		level = LEVEL_GAIN * (x - was) + (1 - LEVEL_GAIN) * (last + slope);
		slope = SLOPE_GAIN * (level - last) + (1 - SLOPE_GAIN) * slope;
		a.season[i] = SEASON_GAIN * (x - level) + (1 - SEASON_GAIN) * was;
		next = level + slope + before(a.season, i + 1, season);
		a.deviation[i] = SEASON_GAIN * fabs(x - (isnan(expected) ? 0 : expected)) +
				 (1 - SEASON_GAIN) * before(a.deviation, i, season);
	}
	return a;
}

/* --- its arguments ---------------------------------------------------------------------------- */

struct forecast {
	int64_t bootstrap_s, season_s;
	struct curves earlier; /* the first argument, begun earlier by the bootstrap */
};

/* `i` is the place of the bootstrap; the season stands behind it. */
static bool forecast_read(struct call *c, size_t i, struct forecast *f)
{
	*f = (struct forecast){0};
	interval_parse(given_text(c, i, "7d"), &f->bootstrap_s);
	interval_parse(given_text(c, i + 1, "1d"), &f->season_s);
	if (f->bootstrap_s < 0)
		return wrong_argument(c, i, "a bootstrap is not below 0");
	const struct curves *in = given_curves(c, 0);
	struct span span = c->span;
	span.from_s -= f->bootstrap_s;
	if (in->n && !call_again(c, span, &f->earlier))
		return false;
	for (size_t k = 0; k < f->earlier.n; k++)
		if (f->season_s / f->earlier.p[k]->step_s < 2)
			return wrong_argument(c, i + 1,
				"a season is at least two steps long, here %lld s",
				(long long)(2 * f->earlier.p[k]->step_s));
	return true;
}

/* What comes after the bootstrap, still nothing; NULL: the work is used up. Takes name. */
static struct curve *after(struct call *c, const struct forecast *f, const struct curve *from,
	char *name, struct curves *out)
{
	const size_t skip = (size_t)(f->bootstrap_s / from->step_s);
	if (!eval_work(c->e, 4 * from->n)) {
		free(name);
		return NULL;
	}
	struct curve *one = curve_like(from, name, from->n > skip ? from->n - skip : 0);
	one->start_s = from->start_s + f->bootstrap_s;
	one->fold = FOLD_AVERAGE;
	curve_tag(one, c->function->name, "1");
	vec_push(out, one);
	return one;
}

/* --- the functions ---------------------------------------------------------------------------- */

bool fn_forecast(struct call *c, struct curves *out)
{
	struct forecast f;
	bool good = forecast_read(c, 1, &f);
	for (size_t k = 0; good && k < f.earlier.n; k++) {
		const struct curve *from = f.earlier.p[k];
		struct curve *one =
			after(c, &f, from, mem_printf("holtWintersForecast(%s)", from->name), out);
		if (!(good = one != NULL))
			break;
		struct analysis a = analyse(from, (size_t)(f.season_s / from->step_s));
		memcpy(one->v, a.prediction + from->n - one->n, one->n * sizeof(double));
		analysis_fini(&a);
	}
	curves_fini(&f.earlier);
	return good;
}

/* Of each series the lower band and the upper one. */
static bool bands(struct call *c, struct curves *out)
{
	const double delta = given_number(c, 1, 3);
	struct forecast f;
	bool good = forecast_read(c, 2, &f);
	for (size_t k = 0; good && k < f.earlier.n; k++) {
		const struct curve *from = f.earlier.p[k];
		struct curve *lower = after(
			c, &f, from, mem_printf("holtWintersConfidenceLower(%s)", from->name), out);
		struct curve *upper =
			lower ? after(c, &f, from,
					mem_printf("holtWintersConfidenceUpper(%s)", from->name),
					out)
			      : NULL;
		if (!(good = upper != NULL))
			break;
		struct analysis a = analyse(from, (size_t)(f.season_s / from->step_s));
		const size_t skip = from->n - upper->n;
		for (size_t i = 0; i < upper->n; i++) {
			const double off = delta * a.deviation[skip + i];
			lower->v[i] = a.prediction[skip + i] - off;
			upper->v[i] = a.prediction[skip + i] + off;
		}
		mem_replace(&lower->expr, from->expr);
		mem_replace(&upper->expr, from->expr);
		analysis_fini(&a);
	}
	curves_fini(&f.earlier);
	return good;
}

bool fn_confidence_bands(struct call *c, struct curves *out)
{
	return bands(c, out);
}

bool fn_confidence_area(struct call *c, struct curves *out)
{
	struct curves two = {0};
	bool good = bands(c, &two);
	if (good && two.n != 2)
		good = wrong_argument(c, 0, "an area is of exactly 1 series, not %zu", two.n / 2);
	for (size_t i = 0; good && i < two.n; i++) {
		char *name = mem_printf("holtWintersConfidenceArea(%s)", two.p[1]->expr);
		struct curve *one = call_changed(c, out, two.p[i]);
		if (!(good = one != NULL)) {
			free(name);
			break;
		}
		curve_rename(one, name);
		mem_replace(&one->expr, name);
	}
	curves_fini(&two);
	return good;
}

/* The value of the band at a time. */
static double at(const struct curve *band, int64_t at_s)
{
	const int64_t k = at_s < band->start_s ? -1 : (at_s - band->start_s) / band->step_s;
	return k < 0 || (size_t)k >= band->n ? NAN : band->v[k];
}

static double outside(double x, double lower, double upper)
{
	return x > upper ? x - upper : x < lower ? x - lower : 0; /* 0 of nothing, too */
}

/* One of the bands, by its name. */
static const struct curve *band_of(
	const struct map *by_name, const char *which, const struct curve *c)
{
	char *name = mem_printf("holtWintersConfidence%s(%s)", which, c->name);
	const struct curve *band = map_get(by_name, name);
	free(name);
	return band;
}

bool fn_aberration(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct curves both = {0};
	struct map by_name = {0};
	bool good = bands(c, &both);
	for (size_t i = 0; i < both.n; i++)
		map_put(&by_name, both.p[i]->name, both.p[i]);
	for (size_t k = 0; good && k < in->n; k++) {
		const struct curve *from = in->p[k], *lower = band_of(&by_name, "Lower", from),
				   *upper = band_of(&by_name, "Upper", from);
		good = eval_work(c->e, from->n);
		if (!good || !lower || !upper)
			continue;
		struct curve *one = curve_like(
			from, mem_printf("holtWintersAberration(%s)", from->name), from->n);
		for (size_t i = 0; i < one->n; i++) {
			const int64_t at_s = from->start_s + (int64_t)i * from->step_s;
			one->v[i] = outside(from->v[i], at(lower, at_s), at(upper, at_s));
		}
		one->fold = FOLD_AVERAGE;
		curve_tag(one, c->function->name, "1");
		vec_push(out, one);
	}
	map_fini(&by_name);
	curves_fini(&both);
	return good;
}

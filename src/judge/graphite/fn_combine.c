/*
 * fn_combine.c - many series become one, or two lists become one pair by pair.
 */

#include <string.h>

#include "base/buf.h"
#include "judge/graphite/functions.h"

/* The tags that all have with the same value. */
static void common_tags(struct curve *to, const struct curves *in)
{
	const char *key;
	json_t *value;
	void *next;
	json_t *tags = json_copy(in->p[0]->tags);
	json_object_foreach_safe(tags, next, key, value)
	{
		for (size_t i = 1; i < in->n; i++)
			if (!json_equal(json_object_get(in->p[i]->tags, key), value)) {
				json_object_del(tags, key);
				break;
			}
	}
	if (!json_object_get(tags, "name"))
		json_object_set_new(tags, "name", json_string(to->name));
	json_decref(to->tags);
	to->tags = tags;
}

/* One value of each step of curves that are aligned. */
static void fold_rows(struct curve *to, const struct curves *in, enum fold f, double xff)
{
	double *row = mem_new_array(in->n, sizeof(*row));
	for (size_t i = 0; i < to->n; i++) {
		for (size_t k = 0; k < in->n; k++)
			row[k] = in->p[k]->v[i];
		const size_t some = values_count(row, in->n);
		if (some && (double)some / (double)in->n >= xff)
			to->v[i] = fold_values(f, row, in->n);
	}
	free(row);
}

/* `how` as written, without its "Series". */
static bool aggregate(
	struct call *c, const struct curves *in, const char *how, double xff, struct curves *out)
{
	struct curves rows = {0};
	enum fold f = FOLD_AVERAGE;
	struct slice name = slice_of(how);
	if (slice_ends(name, "Series"))
		name.n -= 6;
	char *short_name = slice_dup(name);
	fold_parse(short_name, &f);
	bool good = call_align(c, in, &rows);
	if (good && rows.n) {
		char *exprs = curves_exprs(in);
		struct curve *one =
			curve_of_rows(mem_printf("%sSeries(%s)", short_name, exprs), &rows, in);
		free(exprs);
		one->xff = xff;
		common_tags(one, in);
		curve_tag(one, "aggregatedBy", short_name);
		fold_rows(one, &rows, f, xff);
		vec_push(out, one);
	}
	curves_fini(&rows);
	free(short_name);
	return good;
}

bool fn_aggregate(struct call *c, struct curves *out)
{
	return aggregate(c, given_curves(c, 0), given_text(c, 1, "average"),
		given_number(c, 2, c->e->xff), out);
}

/* "sumSeries", "sumSeriesLists": sum. */
static const char *fold_of_name(const char *name)
{
	static const char *const names[][2] = {{"sum", "sum"}, {"average", "average"},
		{"avg", "average"}, {"min", "min"}, {"max", "max"}, {"diff", "diff"},
		{"stddev", "stddev"}, {"rangeOf", "rangeOf"}, {"multiply", "multiply"}};
	for (size_t i = 0; i < array_len(names); i++)
		if (strncmp(name, names[i][0], strlen(names[i][0])) == 0)
			return names[i][1];
	return "average";
}

bool fn_combine(struct call *c, struct curves *out)
{
	struct curves in = {0};
	given_all_curves(c, 0, &in);
	bool good = true;
	if (in.n == 1 && c->args.n == 1 && strcmp(c->function->name, "multiplySeries") == 0)
		curves_add_all(out, &in);
	else
		good = aggregate(c, &in, fold_of_name(c->function->name), c->e->xff, out);
	curves_fini(&in);
	return good;
}

bool fn_lists(struct call *c, struct curves *out)
{
	const struct curves *a = given_curves(c, 0), *b = given_curves(c, 1);
	const char *how = given_text(c, 2, fold_of_name(c->function->name));
	if (a->n != b->n && a->n && b->n)
		return wrong_argument(
			c, 1, "both lists must have as many series: %zu and %zu", a->n, b->n);
	for (size_t i = 0; i < a->n && b->n; i++) {
		struct curves pair = {0};
		const size_t before = out->n;
		curves_add(&pair, a->p[i]);
		curves_add(&pair, b->p[i]);
		const bool good = aggregate(c, &pair, how, given_number(c, 3, c->e->xff), out);
		curves_fini(&pair);
		if (!good)
			return false;
		if (out->n == before)
			continue;
		struct curve *one = out->p[before];
		const size_t n = (size_t)(strstr(one->name, "Series(") - one->name);
		curve_rename(one, mem_printf("%.*sSeries(%s,%s)", (int)n, one->name, a->p[i]->name,
					  b->p[i]->name));
	}
	return true;
}

static double quotient(double a, double b)
{
	return b == 0 ? NAN : a / b;
}

static bool divide(struct call *c, struct curve *a, struct curve *b, struct curves *out)
{
	struct curves in = {0}, rows = {0};
	curves_add(&in, a);
	curves_add(&in, b);
	const bool good = call_align(c, &in, &rows);
	if (good) {
		struct curve *q = curve_of_rows(
			mem_printf("divideSeries(%s,%s)", a->name, b->name), &rows, &in);
		q->xff = c->e->xff;
		for (size_t i = 0; i < q->n; i++)
			q->v[i] = quotient(rows.p[0]->v[i], rows.p[1]->v[i]);
		vec_push(out, q);
	}
	curves_fini(&in);
	curves_fini(&rows);
	return good;
}

bool fn_divide(struct call *c, struct curves *out)
{
	const struct curves *a = given_curves(c, 0), *b = given_curves(c, 1);
	if (b->n > 1)
		return wrong_argument(c, 1, "the divisor must be exactly 1 series, not %zu", b->n);
	for (size_t i = 0; i < a->n; i++) {
		if (!b->n)
			vec_push(out, curve_like(a->p[i],
					      mem_printf("divideSeries(%s,MISSING)", a->p[i]->name),
					      a->p[i]->n));
		else if (!divide(c, a->p[i], b->p[0], out))
			return false;
	}
	return true;
}

bool fn_divide_lists(struct call *c, struct curves *out)
{
	const struct curves *a = given_curves(c, 0), *b = given_curves(c, 1);
	if (a->n != b->n && a->n && b->n)
		return wrong_argument(
			c, 1, "both lists must have as many series: %zu and %zu", a->n, b->n);
	for (size_t i = 0; i < a->n && b->n; i++)
		if (!divide(c, a->p[i], b->p[i], out))
			return false;
	return true;
}

/* --- weightedAverage ----------------------------------------------------------------------------
 */

struct weighed { /* of one key; borrow */
	struct curve *average, *weight;
};

static struct weighed *weighed_of(struct call *c, struct map *by_key, const struct curve *x)
{
	char *key = curve_key(x, c->args.p + 2, c->args.n - 2);
	struct weighed *w = map_get(by_key, key);
	if (!w) {
		w = mem_new(struct weighed);
		map_put(by_key, key, w);
	}
	free(key);
	return w;
}

static bool add_product(struct call *c, const struct weighed *w, struct curves *products)
{
	struct curves in = {0}, rows = {0};
	if (!w->average || !w->weight)
		return true;
	curves_add(&in, w->average);
	curves_add(&in, w->weight);
	const bool good = call_align(c, &in, &rows);
	if (good) {
		struct curve *p = curve_of_rows(mem_strdup("product"), &rows, &in);
		p->xff = c->e->xff;
		for (size_t i = 0; i < p->n; i++)
			p->v[i] = rows.p[0]->v[i] * rows.p[1]->v[i];
		vec_push(products, p);
	}
	curves_fini(&in);
	curves_fini(&rows);
	return good;
}

static char *weighted_name(
	const struct call *c, const struct curves *averages, const struct curves *weights)
{
	char *a = curves_exprs(averages), *b = curves_exprs(weights);
	struct buf name = BUF(TARGET_TEXT);
	buf_printf(&name, "weightedAverage(%s, %s, ", a, b);
	for (size_t i = 2; i < c->args.n; i++)
		buf_printf(&name, "%s%s", i > 2 ? "," : "", given_text(c, i, ""));
	buf_add_char(&name, ')');
	free(a);
	free(b);
	return buf_take(&name);
}

static bool divide_sums(struct call *c, const struct curves *products,
	const struct curves *averages, const struct curves *weights, struct curves *out)
{
	struct curves sums = {0};
	bool good = call_combine(c, 0, "sumSeries", products, &sums) &&
		    call_combine(c, 1, "sumSeries", weights, &sums);
	if (good && sums.n == 2) {
		good = divide(c, sums.p[0], sums.p[1], out);
		if (good) {
			struct curve *one = out->p[out->n - 1];
			curve_rename(one, weighted_name(c, averages, weights));
			mem_replace(&one->expr, one->name);
		}
	}
	curves_fini(&sums);
	return good;
}

bool fn_weighted_average(struct call *c, struct curves *out)
{
	const struct curves *averages = given_curves(c, 0), *weights = given_curves(c, 1);
	struct map by_key = {0};
	struct curves products = {0};
	bool good = true;
	if (averages->n != weights->n)
		return wrong_argument(c, 1, "both lists must have as many series: %zu and %zu",
			averages->n, weights->n);
	for (size_t i = 0; i < averages->n; i++) {
		weighed_of(c, &by_key, averages->p[i])->average = averages->p[i];
		weighed_of(c, &by_key, weights->p[i])->weight = weights->p[i];
	}
	MAP_EACH (&by_key, e) {
		good = good && add_product(c, e->value, &products);
		free(e->value);
	}
	map_fini(&by_key);
	if (good && products.n)
		good = divide_sums(c, &products, averages, weights, out);
	curves_fini(&products);
	return good;
}

bool fn_percentile_of(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double n = given_number(c, 1, 0);
	struct curves rows = {0};
	if (n <= 0 || n > 100)
		return wrong_argument(c, 1, "a percentile is over 0 and at most 100");
	const bool good = call_align(c, in, &rows);
	if (good && rows.n) {
		double *row = mem_new_array(rows.n, sizeof(*row));
		struct curve *one = curve_of_rows(
			mem_printf("percentileOfSeries(%s,%g)", in->p[0]->expr, n), &rows, in);
		one->xff = c->e->xff;
		for (size_t i = 0; i < one->n; i++) {
			for (size_t k = 0; k < rows.n; k++)
				row[k] = rows.p[k]->v[i];
			one->v[i] = values_percentile(row, rows.n, n, given_flag(c, 2));
		}
		free(row);
		vec_push(out, one);
	}
	curves_fini(&rows);
	return good;
}

bool fn_count(struct call *c, struct curves *out)
{
	struct curves in = {0}, rows = {0};
	given_all_curves(c, 0, &in);
	if (!c->args.n) {
		struct curve *none = curve_new(mem_strdup("0"), c->span.from_s,
			(c->span.until_s - c->span.from_s) / 2 +
				!(c->span.until_s - c->span.from_s),
			3);
		none->end_s = c->span.until_s;
		mem_replace(&none->expr, "countSeries()");
		for (size_t i = 0; i < none->n; i++)
			none->v[i] = 0;
		vec_push(out, none);
		return true;
	}
	const bool good = call_align(c, &in, &rows);
	if (good && rows.n) {
		char *exprs = curves_exprs(&in);
		struct curve *one = curve_of_rows(mem_printf("countSeries(%s)", exprs), &rows, &in);
		free(exprs);
		one->xff = c->e->xff;
		for (size_t i = 0; i < one->n; i++)
			one->v[i] = (double)rows.n;
		vec_push(out, one);
	}
	curves_fini(&in);
	curves_fini(&rows);
	return good;
}

bool fn_pow_series(struct call *c, struct curves *out)
{
	struct curves in = {0}, rows = {0};
	struct buf names = BUF(BUF_PAGE);
	given_all_curves(c, 0, &in);
	const bool good = call_align(c, &in, &rows);
	for (size_t i = 0; i < in.n; i++)
		buf_printf(&names, "%s%s", i ? "," : "", in.p[i]->name);
	if (good && rows.n) {
		struct curve *one =
			curve_of_rows(mem_printf("powSeries(%s)", buf_str(&names)), &rows, &in);
		one->xff = c->e->xff;
		for (size_t i = 0; i < one->n; i++) {
			double x = rows.p[0]->v[i];
			for (size_t k = 1; k < rows.n; k++) /* not C's 1^NAN = 1 */
				x = isnan(x) || isnan(rows.p[k]->v[i]) ? NAN
								       : pow(x, rows.p[k]->v[i]);
			one->v[i] = isfinite(x) ? x : NAN;
		}
		vec_push(out, one);
	}
	buf_fini(&names);
	curves_fini(&in);
	curves_fini(&rows);
	return good;
}

bool fn_group(struct call *c, struct curves *out)
{
	given_all_curves(c, 0, out);
	return true;
}

/*
 * fn_percent.c - asPercent in all its forms: of the sum of the series, of a number, of one series,
 * of as many series, and group by group.
 */

#include <string.h>

#include "judge/graphite/functions.h"

static struct curve *percent_curve(
	struct call *c, const struct curves *rows, const struct curves *in, char *name)
{
	struct curve *p = curve_of_rows(name, rows, in);
	p->xff = c->e->xff;
	return p;
}

static double percent(double a, double b)
{
	return b == 0 ? NAN : a / b * 100;
}

/* One by another; either may be NULL: MISSING. */
static bool pair(struct call *c, struct curve *a, struct curve *b, struct curves *out)
{
	struct curves in = {0}, rows = {0};
	if (a)
		curves_add(&in, a);
	if (b)
		curves_add(&in, b);
	const bool good = call_align(c, &in, &rows);
	if (good) {
		struct curve *p = percent_curve(c, &rows, &in,
			mem_printf("asPercent(%s,%s)", a ? a->name : "MISSING",
				b ? b->name : "MISSING"));
		for (size_t i = 0; a && b && i < p->n; i++)
			p->v[i] = percent(rows.p[0]->v[i], rows.p[1]->v[i]);
		vec_push(out, p);
	}
	curves_fini(&in);
	curves_fini(&rows);
	return good;
}

/* The sum, as "sumSeries(...)"; one curve is its own. */
static struct curve *sum_of(struct call *c, const struct curves *in)
{
	struct curves rows = {0};
	struct curve *sum = NULL;
	if (in->n == 1)
		return curve_ref(in->p[0]);
	if (call_align(c, in, &rows) && rows.n) {
		char *exprs = curves_exprs(in);
		sum = percent_curve(c, &rows, in, mem_printf("sumSeries(%s)", exprs));
		free(exprs);
		for (size_t k = 0; k < rows.n; k++)
			for (size_t i = 0; i < sum->n; i++)
				if (!isnan(rows.p[k]->v[i]))
					sum->v[i] = rows.p[k]->v[i] +
						    (isnan(sum->v[i]) ? 0 : sum->v[i]);
	}
	curves_fini(&rows);
	return sum;
}

/* --- group by group --------------------------------------------------------------------------- */

struct share { /* of one key */
	struct curves parts, totals;
};

static struct share *share_of(struct map *by_key, const struct call *c, const struct curve *curve)
{
	char *key = curve_key(curve, c->args.p + 2, c->args.n - 2);
	struct share *s = map_get(by_key, key);
	if (!s) {
		s = mem_new(struct share);
		map_put(by_key, key, s);
	}
	free(key);
	return s;
}

static bool share_end(struct call *c, const struct share *s, bool own_totals, struct curves *out)
{
	const struct curves *totals = own_totals ? &s->parts : &s->totals;
	struct curve *total = totals->n ? sum_of(c, totals) : NULL;
	bool good = !c->e->failed;
	if (!s->parts.n)
		good = good && pair(c, NULL, total, out);
	for (size_t i = 0; i < s->parts.n && good; i++)
		good = pair(c, s->parts.p[i], total, out);
	curve_unref(total);
	return good;
}

static bool by_group(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0), *totals = given_curves(c, 1);
	const bool own = !given_has(c, 1);
	struct map by_key = {0};
	bool good = true;
	if (!own && c->args.p[1].type == ARGUMENT_NUMBER)
		return wrong_argument(c, 1, "with nodes, total is series or None");
	for (size_t i = 0; i < in->n; i++)
		curves_add(&share_of(&by_key, c, in->p[i])->parts, in->p[i]);
	for (size_t i = 0; i < totals->n; i++)
		curves_add(&share_of(&by_key, c, totals->p[i])->totals, totals->p[i]);
	MAP_EACH (&by_key, e) {
		struct share *s = e->value;
		good = good && share_end(c, s, own, out);
		curves_fini(&s->parts);
		curves_fini(&s->totals);
		free(s);
	}
	map_fini(&by_key);
	return good;
}

/* --- of one total ------------------------------------------------------------------------------
 */

static bool of_number(struct call *c, const struct curves *in, struct curves *out)
{
	const double total = given_number(c, 1, 100);
	char text[CURVE_NUMBER];
	curve_number(total, !c->args.p[1].whole, text);
	for (size_t i = 0; i < in->n; i++) {
		const struct curve *a = in->p[i];
		const struct curves one = {.p = &in->p[i], .n = 1};
		struct curve *p =
			percent_curve(c, &one, &one, mem_printf("asPercent(%s,%s)", a->name, text));
		for (size_t k = 0; k < a->n; k++)
			p->v[k] = percent(a->v[k], total);
		vec_push(out, p);
		if (!eval_work(c->e, a->n))
			return false;
	}
	return true;
}

static bool of_one(struct call *c, const struct curves *in, struct curve *total, struct curves *out)
{
	for (size_t i = 0; i < in->n; i++)
		if (!pair(c, in->p[i], total, out))
			return false;
	return true;
}

static int by_name(const void *a, const void *b)
{
	const struct curve *const *x = a, *const *y = b;
	return strcmp((*x)->name, (*y)->name);
}

/* Both lists in order of their names. */
static bool of_pairs(
	struct call *c, const struct curves *in, const struct curves *totals, struct curves *out)
{
	struct curves a = {0}, b = {0};
	bool good = true;
	curves_add_all(&a, in);
	curves_add_all(&b, totals);
	if (a.n)
		qsort(a.p, a.n, sizeof(struct curve *), by_name);
	if (b.n)
		qsort(b.p, b.n, sizeof(struct curve *), by_name);
	for (size_t i = 0; i < a.n && good; i++)
		good = pair(c, a.p[i], b.p[i], out);
	curves_fini(&a);
	curves_fini(&b);
	return good;
}

bool fn_percent(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0), *totals = given_curves(c, 1);
	if (c->args.n > 2)
		return by_group(c, out);
	if (!in->n || (given_has(c, 1) && c->args.p[1].type == ARGUMENT_CURVES && !totals->n))
		return true; /* nothing is known of it */
	if (given_has(c, 1) && c->args.p[1].type == ARGUMENT_NUMBER)
		return of_number(c, in, out);
	if (!given_has(c, 1)) {
		char *exprs = curves_exprs(in);
		struct curve *sum = sum_of(c, in);
		if (sum)
			curve_rename(curve_own(&sum), mem_printf("sumSeries(%s)", exprs));
		free(exprs);
		const bool good = sum && of_one(c, in, sum, out);
		curve_unref(sum);
		return good;
	}
	if (totals->n == in->n)
		return of_pairs(c, in, totals, out);
	if (totals->n == 1)
		return of_one(c, in, totals->p[0], out);
	return wrong_argument(c, 1,
		"total must be 1 series or as many as the first argument has:"
		" %zu, not %zu",
		in->n, totals->n);
}

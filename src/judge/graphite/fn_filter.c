/*
 * fn_filter.c - some of the series, or all in another order. Sorting keeps equal ones in order.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/functions.h"
#include "text/regex.h"

/* --- by a value of each ------------------------------------------------------------------------
 */

/* How "no value" compares is graphite-web's: it is not above, and below everything. */
static bool compares(double x, const char *op, double y)
{
	const bool none = isnan(x);
	if (strcmp(op, "=") == 0)
		return !none && x == y;
	if (strcmp(op, "!=") == 0)
		return none || x != y;
	if (strcmp(op, ">") == 0)
		return !none && x > y;
	if (strcmp(op, ">=") == 0)
		return !none && x >= y;
	if (strcmp(op, "<") == 0)
		return none || x < y;
	return none || x <= y;
}

static bool filter(struct call *c, enum fold f, const char *op, double y, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	for (size_t i = 0; i < in->n; i++) {
		if (!eval_work(c->e, in->p[i]->n))
			return false;
		if (compares(fold_values(f, in->p[i]->v, in->p[i]->n), op, y))
			curves_add(out, in->p[i]);
	}
	return true;
}

bool fn_filter(struct call *c, struct curves *out)
{
	static const char *const ops[] = {"=", "!=", ">", ">=", "<", "<="};
	const char *op = given_text(c, 2, "");
	for (size_t i = 0; i < array_len(ops); i++)
		if (strcmp(ops[i], op) == 0)
			return filter(
				c, given_fold(c, 1, FOLD_AVERAGE), op, given_number(c, 3, 0), out);
	return wrong_argument(c, 2, "\"%.20s\" is none of = != > >= < <=", op);
}

bool fn_filter_by(struct call *c, struct curves *out)
{
	const char *name = c->function->name;
	const enum fold f = name[0] == 'a'                 ? FOLD_AVERAGE
			    : name[0] == 'c'               ? FOLD_LAST
			    : strncmp(name, "max", 3) == 0 ? FOLD_MAX
							   : FOLD_MIN;
	const bool above = strcmp(name + strlen(name) - 5, "Above") == 0;
	return filter(c, f, above ? ">" : "<=", given_number(c, 1, 0), out);
}

/* --- order ------------------------------------------------------------------------------------ */

struct keyed {
	double key;
	char *text; /* by name */
	size_t at;
	struct curve *curve;
};

static int by_key(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

static int by_key_back(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	if (x->key != y->key)
		return x->key > y->key ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* The first `limit` of them by their folds; nothing is least. */
static bool sorted(struct call *c, const struct curves *in, enum fold f, bool back, size_t limit,
	struct curves *out)
{
	struct keyed *keys = mem_new_array(in->n ? in->n : 1, sizeof(*keys));
	bool good = true;
	for (size_t i = 0; i < in->n && good; i++) {
		const double x = fold_values(f, in->p[i]->v, in->p[i]->n);
		keys[i] = (struct keyed){isnan(x) ? -INFINITY : x, NULL, i, in->p[i]};
		good = eval_work(c->e, in->p[i]->n);
	}
	if (good && in->n)
		qsort(keys, in->n, sizeof(*keys), back ? by_key_back : by_key);
	for (size_t i = 0; good && i < in->n && i < limit; i++)
		curves_add(out, keys[i].curve);
	free(keys);
	return good;
}

/* As Python cuts a list: a negative number is counted from the end. */
static size_t first_of(int64_t n, size_t count)
{
	const int64_t k = n < 0 ? n + (int64_t)count : n;
	return k < 0 ? 0 : (size_t)k;
}

bool fn_extreme(struct call *c, struct curves *out)
{
	const char *name = c->function->name;
	const struct curves *in = given_curves(c, 0);
	const bool highest = name[0] == 'h';
	const enum fold f = strstr(name, "Current") ? FOLD_LAST
			    : strstr(name, "Max")   ? FOLD_MAX
						    : given_fold(c, 2, FOLD_AVERAGE);
	return sorted(c, in, f, highest, first_of(given_whole(c, 1, 1), in->n), out);
}

bool fn_sort_by(struct call *c, struct curves *out)
{
	return sorted(c, given_curves(c, 0), given_fold(c, 1, FOLD_AVERAGE), given_flag(c, 2),
		SIZE_MAX, out);
}

bool fn_sort_by_fold(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct curves some = {0};
	if (strcmp(c->function->name, "sortByTotal") == 0)
		return sorted(c, in, FOLD_SUM, true, SIZE_MAX, out);
	if (strcmp(c->function->name, "sortByMaxima") == 0)
		return sorted(c, in, FOLD_MAX, true, SIZE_MAX, out);
	for (size_t i = 0; i < in->n; i++)
		if (fold_values(FOLD_MAX, in->p[i]->v, in->p[i]->n) > 0)
			curves_add(&some, in->p[i]);
	const bool good = sorted(c, &some, FOLD_MIN, false, SIZE_MAX, out);
	curves_fini(&some);
	return good;
}

/* Each number with ten digits, so that a2 comes before a10. */
static char *natural(const char *name)
{
	struct buf out = BUF(BUF_LINE);
	while (*name) {
		const size_t n = strspn(name, "0123456789");
		if (n) {
			for (size_t i = n; i < 10; i++)
				buf_add_char(&out, '0');
			buf_add(&out, name, n);
			name += n;
		} else {
			buf_add_char(&out, *name++);
		}
	}
	return buf_take(&out);
}

static int by_text(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	const int order = strcmp(x->text, y->text);
	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

static int by_text_back(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	const int order = strcmp(y->text, x->text);
	return order ? order : x->at < y->at ? -1 : x->at > y->at;
}

bool fn_sort_by_name(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct keyed *keys = mem_new_array(in->n ? in->n : 1, sizeof(*keys));
	for (size_t i = 0; i < in->n; i++)
		keys[i] = (struct keyed){0,
			given_flag(c, 1) ? natural(in->p[i]->name) : mem_strdup(in->p[i]->name), i,
			in->p[i]};
	if (in->n)
		qsort(keys, in->n, sizeof(*keys), given_flag(c, 2) ? by_text_back : by_text);
	for (size_t i = 0; i < in->n; i++) {
		curves_add(out, keys[i].curve);
		free(keys[i].text);
	}
	free(keys);
	return true;
}

bool fn_limit(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const size_t n = first_of(given_whole(c, 1, 0), in->n);
	for (size_t i = 0; i < in->n && i < n; i++)
		curves_add(out, in->p[i]);
	return true;
}

bool fn_most_deviant(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	struct curves some = {0};
	for (size_t i = 0; i < in->n; i++)
		if (values_count(in->p[i]->v, in->p[i]->n))
			curves_add(&some, in->p[i]);
	const bool good =
		sorted(c, &some, FOLD_STDDEV, true, first_of(given_whole(c, 1, 0), some.n), out);
	curves_fini(&some);
	return good;
}

/* --- percentiles of the series ------------------------------------------------------------------
 */

static double upper(double n)
{
	return n < 50 ? 100 - n : n;
}

bool fn_outside_percentile(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double n = upper(given_number(c, 1, 0));
	double *averages = mem_new_array(in->n ? in->n : 1, sizeof(*averages));
	for (size_t i = 0; i < in->n; i++)
		averages[i] = fold_values(FOLD_AVERAGE, in->p[i]->v, in->p[i]->n);
	const double low = values_percentile(averages, in->n, 100 - n, false);
	const double high = values_percentile(averages, in->n, n, false);
	for (size_t i = 0; i < in->n; i++)
		if (!(low < averages[i] && averages[i] < high))
			curves_add(out, in->p[i]);
	free(averages);
	return true;
}

bool fn_between_percentile(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double n = upper(given_number(c, 1, 0));
	struct curves rows = {0};
	if (!call_align(c, in, &rows))
		return false;
	double *row = mem_new_array(rows.n ? rows.n : 1, sizeof(*row));
	bool *outside = mem_new_array(rows.n ? rows.n : 1, sizeof(*outside));
	for (size_t i = 0; rows.n && i < rows.p[0]->n; i++) {
		for (size_t k = 0; k < rows.n; k++)
			row[k] = rows.p[k]->v[i];
		const double low = values_percentile(row, rows.n, 100 - n, false);
		const double high = values_percentile(row, rows.n, n, false);
		for (size_t k = 0; k < rows.n; k++)
			outside[k] |= !isnan(row[k]) && !(low < row[k] && row[k] < high);
	}
	for (size_t k = 0; k < rows.n; k++)
		if (outside[k])
			curves_add(out, in->p[k]);
	free(row);
	free(outside);
	curves_fini(&rows);
	return true;
}

bool fn_remove_empty(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const double share = given_number(c, 1, 0);
	for (size_t i = 0; i < in->n; i++) {
		const size_t some = values_count(in->p[i]->v, in->p[i]->n);
		if (some && (double)some / (double)in->p[i]->n >= share)
			curves_add(out, in->p[i]);
	}
	return true;
}

/* --- by name ---------------------------------------------------------------------------------- */

bool fn_grep(struct call *c, struct curves *out)
{
	const struct curves *in = given_curves(c, 0);
	const bool wanted = c->function->name[0] == 'g';
	struct error err = {0};
	struct regex *re = regex_new(slice_of(given_text(c, 1, "")), &err);
	if (!re)
		return wrong_argument(c, 1, "%s", err.msg);
	bool good = true;
	for (size_t i = 0; i < in->n && good; i++) {
		const enum regex_result r = regex_find(re, slice_of(in->p[i]->name), NULL);
		good = eval_work(c->e, 100) &&
		       (r != REGEX_ENDLESS ||
			       wrong_argument(c, 1, "the regular expression takes too many steps"));
		if (good && (r == REGEX_FOUND) == wanted)
			curves_add(out, in->p[i]);
	}
	regex_free(re);
	return good;
}

bool fn_unique(struct call *c, struct curves *out)
{
	struct curves in = {0};
	struct map seen = {0};
	given_all_curves(c, 0, &in);
	for (size_t i = 0; i < in.n; i++)
		if (!map_put(&seen, in.p[i]->name, in.p[i]))
			curves_add(out, in.p[i]);
	map_fini(&seen);
	curves_fini(&in);
	return true;
}

bool fn_fallback(struct call *c, struct curves *out)
{
	curves_add_all(out, given_curves(c, given_curves(c, 0)->n ? 0 : 1));
	return true;
}

/*
 * curve.c - see curve.h.
 */

#include "judge/graphite/curve.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "judge/graphite/path.h"

/* --- folding ---------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum fold fold;
} folds[] = {{"average", FOLD_AVERAGE}, {"avg", FOLD_AVERAGE}, {"avg_zero", FOLD_AVERAGE_ZERO},
	{"median", FOLD_MEDIAN}, {"sum", FOLD_SUM}, {"total", FOLD_SUM}, {"min", FOLD_MIN},
	{"max", FOLD_MAX}, {"diff", FOLD_DIFF}, {"stddev", FOLD_STDDEV}, {"count", FOLD_COUNT},
	{"range", FOLD_RANGE}, {"rangeOf", FOLD_RANGE}, {"multiply", FOLD_MULTIPLY},
	{"last", FOLD_LAST}, {"current", FOLD_LAST}, {"first", FOLD_FIRST}};

bool fold_parse(const char *name, enum fold *ret)
{
	for (size_t i = 0; i < array_len(folds); i++)
		if (strcmp(folds[i].name, name) == 0) {
			*ret = folds[i].fold;
			return true;
		}
	return false;
}

const char *fold_names(void)
{
	return "average, avg, avg_zero, median, sum, total, min, max, diff, stddev, count, range,"
	       " rangeOf, multiply, last, current, first";
}

size_t values_count(const double *v, size_t n)
{
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		count += !isnan(v[i]);
	return count;
}

int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* The somethings in order; owned. */
static double *sorted(const double *v, size_t n, size_t *ret_n)
{
	double *s = mem_new_array(n ? n : 1, sizeof(*s));
	size_t count = 0;
	for (size_t i = 0; i < n; i++)
		if (!isnan(v[i]))
			s[count++] = v[i];
	qsort(s, count, sizeof(*s), by_value);
	*ret_n = count;
	return s;
}

static double median(const double *v, size_t n)
{
	size_t count;
	double *s = sorted(v, n, &count);
	const double m = count % 2 ? s[count / 2] : (s[count / 2 - 1] + s[count / 2]) / 2;
	free(s);
	return m;
}

double values_percentile(const double *v, size_t n, double percent, bool interpolate)
{
	size_t count;
	double *s = sorted(v, n, &count), result = NAN;
	if (count) {
		const double exact = percent / 100 * ((double)count + 1);
		const double whole = interpolate ? floor(exact) : ceil(exact);
		const double most = (double)count;
		const size_t rank = (size_t)(whole < 0 ? 0 : whole > most ? most : whole);
		result = s[rank ? rank - 1 : 0];
		if (interpolate && rank < count)
			result += (exact - floor(exact)) * (s[rank] - result);
	}
	free(s);
	return result;
}

static double stddev(const double *v, size_t n, double mean, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < n; i++)
		if (!isnan(v[i]))
			sum += (v[i] - mean) * (v[i] - mean);
	return sqrt(sum / (double)count);
}

double fold_values(enum fold f, const double *v, size_t n)
{
	double sum = 0, min = INFINITY, max = -INFINITY, product = 1, first = NAN, last = NAN;
	size_t count = 0;
	for (size_t i = 0; i < n; i++) {
		if (isnan(v[i]))
			continue;
		first = count++ ? first : v[i];
		last = v[i];
		sum += v[i];
		product *= v[i];
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	if (f == FOLD_COUNT)
		return (double)count;
	if (f == FOLD_AVERAGE_ZERO)
		return n ? sum / (double)n : NAN;
	if (!count)
		return NAN;
	switch (f) {
	case FOLD_AVERAGE: return sum / (double)count;
	case FOLD_MEDIAN: return median(v, n);
	case FOLD_SUM: return sum;
	case FOLD_MIN: return min;
	case FOLD_MAX: return max;
	case FOLD_DIFF: return first - (sum - first);
	case FOLD_STDDEV: return stddev(v, n, sum / (double)count, count);
	case FOLD_RANGE: return max - min;
	case FOLD_MULTIPLY: return count == n ? product : NAN;
	case FOLD_LAST: return last;
	case FOLD_FIRST: return first;
	case FOLD_AVERAGE_ZERO:
	case FOLD_COUNT: break;
	}
	return NAN;
}

/* --- curves ----------------------------------------------------------------------------------- */

struct curve *curve_ref(struct curve *c)
{
	c->refs++;
	return c;
}

void curve_unref(struct curve *c)
{
	if (!c || --c->refs)
		return;
	free(c->name);
	free(c->expr);
	free(c->v);
	json_decref(c->tags);
	free(c);
}

void curves_fini(struct curves *l)
{
	for (size_t i = 0; i < l->n; i++)
		curve_unref(l->p[i]);
	vec_fini(l);
}

void curves_add(struct curves *l, struct curve *c)
{
	vec_push(l, curve_ref(c));
}

void curves_add_all(struct curves *l, const struct curves *from)
{
	for (size_t i = 0; i < from->n; i++)
		curves_add(l, from->p[i]);
}

static double *nothing(size_t n)
{
	double *v = mem_new_array(n ? n : 1, sizeof(*v));
	for (size_t i = 0; i < n; i++)
		v[i] = NAN;
	return v;
}

struct curve *curve_new(char *name, int64_t start_s, int64_t step_s, size_t n)
{
	struct curve *c = mem_new(struct curve);
	c->refs = 1;
	c->name = name;
	c->expr = mem_strdup(name);
	c->start_s = start_s;
	c->step_s = step_s;
	c->end_s = start_s + (int64_t)n * step_s;
	c->n = n;
	c->v = nothing(n);
	c->tags = strpbrk(name, "()") ? json_pack("{s:s}", "name", name) : path_tags(name);
	return c;
}

struct curve *curve_like(const struct curve *c, char *name, size_t n)
{
	struct curve *new = mem_new(struct curve);
	*new = *c;
	new->refs = 1;
	new->name = name;
	new->expr = mem_strdup(name);
	new->n = n;
	new->v = nothing(n);
	new->tags = json_copy(c->tags);
	return new;
}

struct curve *curve_own(struct curve **c)
{
	struct curve *old = *c;
	if (old->refs == 1)
		return old;
	struct curve *new = curve_like(old, mem_strdup(old->name), old->n);
	mem_replace(&new->expr, old->expr);
	memcpy(new->v, old->v, old->n * sizeof(*old->v));
	curve_unref(old);
	*c = new;
	return new;
}

void curve_rename(struct curve *c, char *name)
{
	free(c->name);
	c->name = name;
}

void curve_tag(struct curve *c, const char *key, const char *value)
{
	json_object_set_new(c->tags, key, json_string(value));
}

const char *curve_tag_value(const struct curve *c, const char *key)
{
	const char *value = json_string_value(json_object_get(c->tags, key));
	return value ? value : "";
}

/* `from` values of which some become one; those that are missing at the end count as nothing. */
static double consolidated(const struct curve *c, size_t from, size_t points)
{
	const size_t n = from + points <= c->n ? points : c->n - from;
	const size_t some = values_count(c->v + from, n);
	if (!some || (double)some / (double)points < c->xff)
		return NAN;
	return fold_values(c->fold, c->v + from, n);
}

void curve_consolidate(struct curve *c, size_t points)
{
	const size_t n = (c->n + points - 1) / points;
	for (size_t i = 0; i < n; i++)
		c->v[i] = consolidated(c, i * points, points);
	c->n = n;
	c->step_s *= (int64_t)points;
}

/* --- alignment -------------------------------------------------------------------------------- */

static int64_t gcd(int64_t a, int64_t b)
{
	while (b) {
		const int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* Onto the grid: the values of each of its steps folded. */
static struct curve *onto(struct curve *c, int64_t start_s, int64_t step_s, size_t n)
{
	if (c->start_s == start_s && c->step_s == step_s && c->n == n)
		return curve_ref(c);
	struct curve *new = curve_like(c, mem_strdup(c->name), n);
	mem_replace(&new->expr, c->expr);
	const size_t points = (size_t)(step_s / c->step_s);
	size_t i = 0;
	while (i < c->n) {
		const size_t slot =
			(size_t)((c->start_s + (int64_t)i * c->step_s - start_s) / step_s);
		size_t last = i + 1;
		while (last < c->n && (size_t)((c->start_s + (int64_t)last * c->step_s - start_s) /
					       step_s) == slot)
			last++;
		const size_t some = values_count(c->v + i, last - i);
		if (slot < n && some && (points <= 1 || (double)some / (double)points >= c->xff))
			new->v[slot] = fold_values(c->fold, c->v + i, last - i);
		i = last;
	}
	new->start_s = start_s;
	new->step_s = step_s;
	new->end_s = start_s + (int64_t)n *step_s;
	return new;
}

bool curves_align(const struct curves *in, struct curves *out, size_t max)
{
	int64_t start = INT64_MAX, end = INT64_MIN, step = 1;
	for (size_t i = 0; i < in->n; i++) {
		const struct curve *c = in->p[i];
		const int64_t last = c->start_s + (int64_t)c->n * c->step_s;
		start = c->start_s < start ? c->start_s : start;
		end = last > end ? last : end;
		if (step < 1LL << 40)
			step = step / gcd(step, c->step_s) * c->step_s;
	}
	if (!in->n)
		return true;
	const size_t n = end > start ? (size_t)((end - start + step - 1) / step) : 0;
	if (n * in->n > max)
		return false;
	for (size_t i = 0; i < in->n; i++)
		vec_push(out, onto(in->p[i], start, step, n));
	return true;
}

struct curve *curve_of_rows(char *name, const struct curves *rows, const struct curves *in)
{
	const struct curve *grid = rows->p[0];
	struct curve *c = curve_new(name, grid->start_s, grid->step_s, grid->n);
	int64_t end = in->p[0]->end_s;
	for (size_t i = 1; i < in->n; i++)
		end = in->p[i]->end_s > end ? in->p[i]->end_s : end;
	if (end > c->start_s)
		c->end_s = end - (end - c->start_s) % c->step_s;
	return c;
}

char *curves_exprs(const struct curves *l)
{
	struct buf out = BUF(BUF_PAGE);
	for (size_t i = 0; i < l->n; i++) {
		bool seen = false;
		for (size_t k = i; k-- > 0 && !seen;)
			seen = strcmp(l->p[k]->expr, l->p[i]->expr) == 0;
		if (!seen)
			buf_printf(&out, "%s%s", out.n ? "," : "", l->p[i]->expr);
	}
	return buf_take(&out);
}

const char *curve_number(double x, bool decimal, char *text)
{
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, CURVE_NUMBER, "%.*g", digits, x);
		if (strtod(text, NULL) == x)
			break;
	}
	const size_t n = strlen(text);
	if (decimal && !strpbrk(text, ".en"))
		snprintf(text + n, CURVE_NUMBER - n, ".0");
	return text;
}

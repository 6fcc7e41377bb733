/*
 * shape.c - see shape.h.
 */

#include "judge/cloudmon/shape.h"

#include <string.h>

#include "judge/graphite/functions.h"
#include "judge/graphite/graphite.h"
#include "judge/graphite/times.h"

#define STEP     GRAPHITE_STEP_S
#define VALUES   8192 /* of all curves of one evaluation */
#define SPAN_MAX 7200 /* seconds */
#define LEAVES   20000

enum shape_kind { SHAPE_FOLD, SHAPE_PERCENT, SHAPE_SUMMARIZE, SHAPE_CONSOLIDATE };

struct shape {
	enum shape_kind kind;
	struct shape *a, *b;         /* what it is made of; a percentage of b */
	struct watch_input *input;   /* of a fold */
	bool counter;                /* absent reads 0 in a numerator */
	struct watch_input *sibling; /* of a count */
	enum fold fold;
	int64_t interval_s;
	char *align; /* NULL: it begins where the time does */
};

/* --- making ----------------------------------------------------------------------------------- */

void shape_free(struct shape *s)
{
	if (!s)
		return;
	shape_free(s->a);
	shape_free(s->b);
	free(s->align);
	free(s);
}

static struct shape *shape_new(enum shape_kind kind, struct shape *a)
{
	struct shape *s = mem_new(struct shape);
	s->kind = kind;
	s->a = a;
	return s;
}

static bool is_text(const struct target_node *n, size_t i)
{
	return i < n->args.n && n->args.p[i]->type == TARGET_STRING && !n->args.p[i]->keyword;
}

static bool fold_of(const struct target_node *n, size_t i, enum fold *ret)
{
	return is_text(n, i) && fold_parse(n->args.p[i]->text, ret);
}

static struct shape *fold_shape(struct watch *w, const struct target_node *n, enum fold fold)
{
	const struct target_node *path = n->args.n ? n->args.p[0] : NULL;
	if (!path || path->type != TARGET_PATH)
		return NULL;
	struct watch_input *in = watch_input(w, path->text), *beside = NULL;
	if (in && fold == FOLD_COUNT) {
		char *sibling = counter_sibling(path->text);
		beside = sibling ? watch_input(w, sibling) : NULL;
		free(sibling);
	}
	if (!in || (fold == FOLD_COUNT && !beside))
		return NULL;
	struct shape *s = shape_new(SHAPE_FOLD, NULL);
	s->input = in;
	s->sibling = beside;
	s->counter = counter_is(path->text);
	s->fold = fold;
	return s;
}

/* Whether both have their values at the same steps. */
static bool same_steps(const struct shape *a, const struct shape *b)
{
	while (a->kind == SHAPE_CONSOLIDATE || a->kind == SHAPE_PERCENT)
		a = a->a;
	while (b->kind == SHAPE_CONSOLIDATE || b->kind == SHAPE_PERCENT)
		b = b->a;
	if (a->kind != b->kind)
		return false;
	if (a->kind == SHAPE_FOLD)
		return true;
	return a->interval_s == b->interval_s &&
	       strcmp(a->align ? a->align : "", b->align ? b->align : "") == 0 &&
	       same_steps(a->a, b->a);
}

static bool counts(const struct shape *s)
{
	return s &&
	       ((s->kind == SHAPE_FOLD && s->fold == FOLD_COUNT) || counts(s->a) || counts(s->b));
}

static struct shape *percent_shape(struct watch *w, const struct target_node *n)
{
	struct shape *a = n->args.n == 2 ? shape_of(w, n->args.p[0]) : NULL;
	struct shape *b = a ? shape_of(w, n->args.p[1]) : NULL;
	/* What counts, or is a share, in a numerator is left to the functions. */
	if (b && same_steps(a, b) && !counts(a) && !counts(b) && a->kind != SHAPE_PERCENT) {
		struct shape *s = shape_new(SHAPE_PERCENT, a);
		s->b = b;
		return s;
	}
	shape_free(a);
	shape_free(b);
	return NULL;
}

static struct shape *summarize_shape(struct watch *w, const struct target_node *n)
{
	enum fold fold = FOLD_SUM;
	int64_t interval = 0, at;
	if (n->args.n < 2 || n->args.n > 4 || !is_text(n, 1) ||
		!interval_parse(n->args.p[1]->text, &interval) || interval < STEP ||
		interval > SPAN_MAX || (n->args.n > 2 && !fold_of(n, 2, &fold)) ||
		(n->args.n > 3 &&
			(!is_text(n, 3) || !times_align(n->args.p[3]->text, 1000000, NULL, &at))))
		return NULL;
	struct shape *a = shape_of(w, n->args.p[0]);
	if (!a)
		return NULL;
	struct shape *s = shape_new(SHAPE_SUMMARIZE, a);
	s->fold = fold;
	s->interval_s = interval;
	s->align = n->args.n > 3 ? mem_strdup(n->args.p[3]->text) : NULL;
	return s;
}

static struct shape *consolidate_shape(struct watch *w, const struct target_node *n)
{
	enum fold fold;
	struct shape *a = n->args.n == 2 && fold_of(n, 1, &fold) ? shape_of(w, n->args.p[0]) : NULL;
	if (!a)
		return NULL;
	struct shape *s = shape_new(SHAPE_CONSOLIDATE, a);
	s->fold = fold;
	return s;
}

struct shape *shape_of(struct watch *w, const struct target_node *n)
{
	enum fold fold;
	if (n->type != TARGET_CALL)
		return NULL;
	for (size_t i = 0; i < n->args.n; i++)
		if (n->args.p[i]->keyword)
			return NULL;
	if ((strcmp(n->text, "sumSeries") == 0 || strcmp(n->text, "sum") == 0) && n->args.n == 1)
		return fold_shape(w, n, FOLD_SUM);
	if (strcmp(n->text, "averageSeries") == 0 && n->args.n == 1)
		return fold_shape(w, n, FOLD_AVERAGE);
	if (strcmp(n->text, "aggregate") == 0 && n->args.n == 2 && fold_of(n, 1, &fold))
		return fold_shape(w, n, fold);
	if (strcmp(n->text, "asPercent") == 0)
		return percent_shape(w, n);
	if (strcmp(n->text, "smartSummarize") == 0)
		return summarize_shape(w, n);
	if (strcmp(n->text, "consolidateBy") == 0)
		return consolidate_shape(w, n);
	if (strcmp(n->text, "alias") == 0 && n->args.n == 2)
		return shape_of(w, n->args.p[0]);
	return NULL;
}

static bool input_usable(const struct watch_input *in, int64_t from_s)
{
	return !in || (!in->unusual && in->leaves.n <= LEAVES && in->ahead_s <= from_s);
}

bool shape_usable(const struct shape *s, int64_t from_s)
{
	if (!s)
		return true;
	if (s->kind == SHAPE_FOLD)
		return input_usable(s->input, from_s) && input_usable(s->sibling, from_s);
	return shape_usable(s->a, from_s) && shape_usable(s->b, from_s);
}

/* --- evaluating ---------------------------------------------------------------------------------
 */

struct work {
	const struct watch *w;
	const struct shape *denominator; /* NULL, or whose data makes absent counters 0 */
	double *v;                       /* of VALUES */
	size_t used;
};

static struct curve curve_at(struct work *k, int64_t start_s, int64_t step_s, size_t n)
{
	if (k->used + n > VALUES)
		n = VALUES - k->used;
	struct curve c = {.start_s = start_s,
		.step_s = step_s,
		.n = n,
		.end_s = start_s + (int64_t)n * step_s,
		.v = k->v + k->used};
	k->used += n;
	for (size_t i = 0; i < n; i++)
		c.v[i] = NAN;
	return c;
}

static bool input_has_data(const struct watch *w, const struct watch_input *in, int64_t slot_s)
{
	VEC_EACH (&in->leaves, struct watch_leaf *, l)
		if (!isnan(watch_value(w, *l, slot_s)))
			return true;
	return false;
}

/* Whether any of its counters has data in a slot. */
static bool has_data(const struct watch *w, const struct shape *s, int64_t slot_s)
{
	if (!s)
		return false;
	if (s->kind == SHAPE_FOLD)
		return s->counter && input_has_data(w, s->input, slot_s);
	return has_data(w, s->a, slot_s) || has_data(w, s->b, slot_s);
}

static double fold_slot(const struct work *k, const struct shape *s, int64_t slot_s)
{
	static double row[LEAVES + 1];
	const struct watch_input *in = s->input;
	const bool zero = s->counter && k->denominator && has_data(k->w, k->denominator, slot_s);
	double sum = 0;
	size_t n = 0;
	for (size_t i = 0; i < in->leaves.n; i++) {
		const double x = watch_value(k->w, in->leaves.p[i], slot_s);
		if (isnan(x) && !zero)
			continue;
		row[n] = isnan(x) ? 0 : x;
		sum += row[n++];
	}
	if (zero && !in->leaves.n)
		row[n++] = 0;
	if (s->fold == FOLD_COUNT)
		return n ? (double)n : input_has_data(k->w, s->sibling, slot_s) ? 0 : NAN;
	if (!n)
		return NAN;
	if (s->fold == FOLD_SUM)
		return sum;
	return s->fold == FOLD_AVERAGE ? sum / (double)n : fold_values(s->fold, row, n);
}

static struct curve values(struct work *k, const struct shape *s, int64_t from_s, int64_t until_s);

static struct curve percent_values(
	struct work *k, const struct shape *s, int64_t from_s, int64_t until_s)
{
	const struct shape *outer = k->denominator;
	k->denominator = s->b;
	struct curve a = values(k, s->a, from_s, until_s);
	k->denominator = NULL;
	const struct curve b = values(k, s->b, from_s, until_s);
	k->denominator = outer;
	for (size_t i = 0; i < a.n; i++)
		a.v[i] = i >= b.n || b.v[i] == 0 ? NAN : a.v[i] / b.v[i] * 100;
	a.fold = FOLD_AVERAGE;
	return a;
}

static struct curve summarize_values(
	struct work *k, const struct shape *s, int64_t from_s, int64_t until_s)
{
	if (s->align)
		times_align(s->align, from_s, NULL, &from_s);
	const struct curve from = values(k, s->a, from_s, until_s);
	struct curve to = curve_at(
		k, from.start_s, s->interval_s, steps_of(from.start_s, from.end_s, s->interval_s));
	to.fold = from.fold;
	to.end_s = fold_steps(&to, &from, s->fold, s->interval_s, from.start_s, from.end_s);
	return to;
}

static struct curve values(struct work *k, const struct shape *s, int64_t from_s, int64_t until_s)
{
	const int64_t start = from_s - from_s % STEP + STEP;
	const int64_t end = until_s - until_s % STEP + STEP;
	struct curve c;
	switch (s->kind) {
	case SHAPE_PERCENT: return percent_values(k, s, from_s, until_s);
	case SHAPE_SUMMARIZE: return summarize_values(k, s, from_s, until_s);
	case SHAPE_CONSOLIDATE:
		c = values(k, s->a, from_s, until_s);
		c.fold = s->fold;
		return c;
	case SHAPE_FOLD: break;
	}
	c = curve_at(k, start, STEP, end > start ? (size_t)((end - start) / STEP) : 1);
	for (size_t i = 0; i < c.n; i++)
		c.v[i] = fold_slot(k, s, start + (int64_t)i * STEP);
	return c;
}

struct curve shape_values(
	const struct shape *s, const struct watch *w, int64_t from_s, int64_t until_s)
{
	static double memory[VALUES];
	struct work k = {.w = w, .v = memory};
	return values(&k, s, from_s, until_s);
}

/*
 * flag_state.c - one flag: how it is evaluated, and what it was of the last minutes.
 */

#include <string.h>

#include "judge/cloudmon/cloudmon_inside.h"
#include "judge/graphite/eval.h"
#include "judge/graphite/target.h"

#define BUCKET_MAX 7200 /* longer ones are evaluated in steps of it */

/* --- how ---------------------------------------------------------------------------------------
 */

static bool makes_buckets(const char *function)
{
	return strcmp(function, "smartSummarize") == 0 || strcmp(function, "summarize") == 0 ||
	       strcmp(function, "hitcount") == 0;
}

static int64_t gcd(int64_t a, int64_t b)
{
	return b ? gcd(b, a % b) : a;
}

/* The least common multiple of the buckets of a query and of a minute. */
static int64_t bucket_of(const struct target_node *n, int64_t bucket_s)
{
	int64_t own;
	if (n->type == TARGET_CALL && makes_buckets(n->text) && n->args.n > 1 &&
		n->args.p[1]->type == TARGET_STRING && interval_parse(n->args.p[1]->text, &own) &&
		own > 0 && own <= BUCKET_MAX) {
		const int64_t both = bucket_s / gcd(bucket_s, own) * own;
		bucket_s = both <= BUCKET_MAX ? both
			   : own > bucket_s   ? (own + 59) / 60 * 60
					      : bucket_s;
	}
	for (size_t i = 0; i < n->args.n; i++)
		bucket_s = bucket_of(n->args.p[i], bucket_s);
	return bucket_s;
}

static void add_inputs(struct cloudmon *c, struct flag_state *f, const struct target_node *n)
{
	struct watch_input *in = n->type == TARGET_PATH ? watch_input(c->watch, n->text) : NULL;
	if (in)
		vec_push(&f->inputs, in);
	for (size_t i = 0; i < n->args.n; i++)
		add_inputs(c, f, n->args.p[i]);
}

void flag_open(struct cloudmon *c, size_t i)
{
	struct flag_state *f = &c->flags[i];
	f->rule = cloudmon_flag_at(c->rules, i);
	f->judged_s = f->asked_s = NO_MINUTE;
	f->bucket_s = 60;
	f->kept = mem_alloc(CLOUDMON_MINUTES / 4);
	memset(f->kept, 0xaa, CLOUDMON_MINUTES / 4); /* all unknown */
	struct target *t = f->rule->promql ? NULL : target_parse(slice_of(f->rule->query), NULL);
	if (t) {
		f->bucket_s = bucket_of(target_root(t), 60);
		if (c->watch) {
			f->shape = shape_of(c->watch, target_root(t));
			add_inputs(c, f, target_root(t));
		}
		target_free(t);
	}
	f->window_s = (c->patience.hold_s + 60 + f->bucket_s - 1) / f->bucket_s * f->bucket_s;
}

void flag_close(struct flag_state *f)
{
	shape_free(f->shape);
	vec_fini(&f->inputs);
	free(f->kept);
	free(f->why);
}

/* --- what it was ---------------------------------------------------------------------------------
 */

static size_t place_of(int64_t minute_s)
{
	return (size_t)(minute_s / 60) % CLOUDMON_MINUTES;
}

static void put(struct flag_state *f, int64_t minute_s, enum flag_value v)
{
	const size_t i = place_of(minute_s), shift = i % 4 * 2;
	f->kept[i / 4] = (uint8_t)((f->kept[i / 4] & ~(3u << shift)) | (unsigned)v << shift);
}

enum flag_value flag_get(const struct flag_state *f, int64_t minute_s)
{
	const size_t i = place_of(minute_s);
	if (f->judged_s == NO_MINUTE || minute_s > f->judged_s ||
		minute_s <= f->judged_s - CLOUDMON_MINUTES * 60)
		return FLAG_UNKNOWN;
	return (enum flag_value)(f->kept[i / 4] >> i % 4 * 2 & 3);
}

void flag_set(struct flag_state *f, int64_t minute_s, enum flag_value v)
{
	const int64_t oldest = minute_s - (CLOUDMON_MINUTES - 1) * 60;
	if (f->judged_s != NO_MINUTE && minute_s > f->judged_s) {
		int64_t m = f->judged_s + 60 < oldest ? oldest : f->judged_s + 60;
		for (; m < minute_s; m += 60)
			put(f, m, FLAG_UNKNOWN);
	}
	if (f->judged_s == NO_MINUTE || minute_s > f->judged_s)
		f->judged_s = minute_s;
	put(f, minute_s, v);
}

/* --- what it is ----------------------------------------------------------------------------------
 */

enum flag_value flag_of_value(const struct cloudmon_flag *rule, double value)
{
	/* In single precision, as metrics-processor. */
	const float x = (float)value, limit = (float)rule->threshold;
	if (isnan(value))
		return FLAG_UNKNOWN;
	switch (rule->op) {
	case FLAG_LT: return x < limit ? FLAG_TRUE : FLAG_FALSE;
	case FLAG_GT: return x > limit ? FLAG_TRUE : FLAG_FALSE;
	case FLAG_EQ: break;
	}
	return x == limit ? FLAG_TRUE : FLAG_FALSE;
}

enum flag_value flag_either(enum flag_value a, enum flag_value b)
{
	if (a == FLAG_UNKNOWN || b == FLAG_UNKNOWN)
		return a == FLAG_UNKNOWN ? b : a;
	return a == FLAG_TRUE ? a : b;
}

/* The newest of longer steps that holds. */
static double newest_bucket(const struct curve *c, int64_t minute_s, int64_t hold_s)
{
	int64_t i = (minute_s + 60 - c->start_s) / c->step_s;
	i = i >= (int64_t)c->n ? (int64_t)c->n - 1 : i;
	for (; i >= 0; i--) {
		const int64_t begin = c->start_s + i * c->step_s;
		if (begin >= minute_s + 60 || isnan(c->v[i]))
			continue;
		return begin + c->step_s + hold_s > minute_s + GRAPHITE_STEP_S ? c->v[i] : NAN;
	}
	return NAN;
}

double curve_minute(const struct curve *c, int64_t minute_s, int64_t hold_s)
{
	if (c->step_s >= 60)
		return newest_bucket(c, minute_s, hold_s);
	for (int64_t m = minute_s; m + 60 + hold_s > minute_s; m -= 60) {
		/* Graphite's slots of a minute: (m, m + 60] */
		const int64_t from = m < c->start_s ? 0 : (m - c->start_s) / c->step_s + 1;
		int64_t to = (m + 60 - c->start_s) / c->step_s + 1;
		to = m + 60 < c->start_s ? 0 : to > (int64_t)c->n ? (int64_t)c->n : to;
		if (from >= to)
			continue;
		const double *v = c->v + from;
		if (values_count(v, (size_t)(to - from)))
			return fold_values(c->fold, v, (size_t)(to - from));
	}
	return NAN;
}

/* Most minutes need their newest bucket alone; what is further back only holds. */
bool flag_evaluate(struct cloudmon *c, struct flag_state *f, int64_t minute_s, enum flag_value *ret)
{
	const int64_t end = minute_s + 60;
	if (!f->shape || end - f->window_s < watch_since_s(c->watch) ||
		!shape_usable(f->shape, end - f->window_s))
		return false;
	struct curve v = shape_values(f->shape, c->watch, end - f->bucket_s, end);
	double x = curve_minute(&v, minute_s, 0);
	if (isnan(x)) {
		v = shape_values(f->shape, c->watch, end - f->window_s, end);
		x = curve_minute(&v, minute_s, c->patience.hold_s);
	}
	*ret = flag_of_value(f->rule, x);
	return true;
}

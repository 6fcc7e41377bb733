/*
 * fetch.c - reading what paths hold: few series at a time, each once for all its leaves.
 */

#include <string.h>

#include "judge/graphite/graphite_inside.h"
#include "store/series_roll.h"

#define READING   8 /* series read at once */
#define DAY_S     86400LL
#define RAW_S     (DAY_S + 3600) /* so long from samples, each in its step */
#define MINUTES_S (6 * DAY_S)    /* so long in steps of 60 s */
#define AROUND_S  900            /* read besides, to see the step of samples */

/* --- the end -----------------------------------------------------------------------------------
 */

/* What was read, once its leaves have their curves. */
static void fetch_clear(struct fetch *f)
{
	vec_fini(&f->samples);
	for (size_t i = 0; f->points && i < f->points_n; i++)
		series_point_fini(&f->points[i]);
	free(f->points);
	free(f->last);
	f->points = NULL;
	f->last = NULL;
	f->points_n = 0;
}

void fetches_free(struct graphite_call *c)
{
	VEC_EACH (&c->fetches, struct fetch *, f) {
		fetch_clear(*f);
		vec_fini(&(*f)->leaves);
		free(*f);
	}
	vec_fini(&c->fetches);
	map_fini(&c->fetch_by_key);
	VEC_EACH (&c->wanted, struct wanted, w) {
		VEC_EACH (&w->leaves, struct leaf, l) {
			free(l->path);
			vec_fini(&l->series);
			curve_unref(l->curve);
		}
		vec_fini(&w->leaves);
	}
	vec_fini(&c->wanted);
	c->fetch_begun = c->fetch_ended = 0;
}

void fetch_cancel(struct graphite_call *c)
{
	if (!c->reading) /* another thread may have the call */
		return;
	VEC_EACH (&c->fetches, struct fetch *, f)
		if ((*f)->query)
			series_cancel((*f)->query);
}

/* --- steps --------------------------------------------------------------------------------------
 */

/* Whisper's: after from, up to and with until; at least one. */
static void grid(struct span span, int64_t step, int64_t *start, size_t *n)
{
	const int64_t begin = span.from_s - span.from_s % step + step;
	int64_t end = span.until_s - span.until_s % step + step;
	end = end <= begin ? begin + step : end;
	*start = begin;
	*n = (size_t)((end - begin) / step);
}

/* Others come from who adds up at a rate of his own: StatsD. */
static bool has_own_step(enum series_kind kind)
{
	return kind == SERIES_GAUGE || kind == SERIES_PROBE;
}

/* As whisper: nothing of what begins later than now, nothing later, nothing older than there can
 * be. */
static bool until_now(const struct graphite_call *c, struct span *span)
{
	const int64_t oldest = c->eval.now_s - (SERIES_POINTS_MAX - 10) * DAY_S;
	span->from_s = span->from_s < oldest ? oldest : span->from_s;
	span->from_s = span->from_s < 0 ? 0 : span->from_s;
	span->until_s = span->until_s > c->eval.now_s ? c->eval.now_s : span->until_s;
	return span->from_s <= span->until_s;
}

/* The shortest step that is kept and is not too many values; 0: samples. */
static int64_t choose_step(struct span span, int64_t now_s, const struct series_store *store)
{
	static const int64_t steps[] = {600, 3600, DAY_S};
	const struct series_kept kept = series_kept(store);
	const int64_t longs[] = {kept.ten_minutes_ms / 1000, kept.hours_ms / 1000, INT64_MAX};
	const int64_t length = span.until_s - span.from_s, age = now_s - span.from_s + AROUND_S;
	if (age < kept.raw_ms / 1000 && length <= RAW_S)
		return 0;
	if (age < kept.raw_ms / 1000 && length <= MINUTES_S)
		return 60;
	for (size_t i = 0; i < array_len(steps) - 1; i++)
		if (age < longs[i] && length / steps[i] < SERIES_POINTS_MAX - 2)
			return steps[i];
	return DAY_S;
}

/* --- reading -------------------------------------------------------------------------------------
 */

static void read_more(struct graphite_call *c);

/* Empty steps: of what is added up, or of the last values. */
static void steps_new(struct fetch *f, bool added_up)
{
	grid(f->span, f->step_s, &f->start_s, &f->points_n);
	if (added_up) {
		f->points = mem_new_array(f->points_n, sizeof(*f->points));
		return;
	}
	f->last = mem_new_array(f->points_n, sizeof(*f->last));
	for (size_t i = 0; i < f->points_n; i++)
		f->last[i] = NAN;
}

static void add_sample(struct fetch *f, const struct seen_sample *s)
{
	const int64_t at = s->at_ms - f->start_s * 1000;
	const size_t i = at < 0 ? f->points_n : (size_t)(at / (f->step_s * 1000));
	if (i >= f->points_n)
		return;
	if (f->last) {
		f->last[i] = s->value;
		return;
	}
	const struct series_sample whole = {.fault = s->fault, .total_us = s->total_us};
	series_point_add(&f->points[i], SERIES_PROBE, &whole);
	f->seen[s->fault] = true;
}

static int by_time(const void *a, const void *b)
{
	const struct seen_sample *x = a, *y = b;
	return x->at_ms < y->at_ms ? -1 : x->at_ms > y->at_ms;
}

/* All samples are there: they find their steps. */
static void samples_done(struct fetch *f)
{
	const enum series_kind kind = series_kind(f->series[0]);
	f->step_s = f->flushed ? GRAPHITE_STEP_S : samples_step(kind, f->samples.p, f->samples.n);
	if (f->n > 1 && f->samples.n) /* those of one location came after those of another */
		qsort(f->samples.p, f->samples.n, sizeof(*f->samples.p), by_time);
	steps_new(f, kind == SERIES_PROBE);
	for (size_t i = 0; i < f->samples.n; i++)
		add_sample(f, &f->samples.p[i]);
}

/* --- curves -------------------------------------------------------------------------------------
 */

static struct curve *curve_of(
	const struct fetch *f, const struct series_point *points, const struct leaf *l)
{
	const enum series_kind kind = series_kind(f->series[0]);
	const bool in_us = kind == SERIES_PROBE || strcmp(series_unit(f->series[0]), "us") == 0;
	if (l->wild && l->field > LEAF_FAULT && !f->seen[l->field - LEAF_FAULT])
		return NULL;
	struct curve *c = curve_new(mem_strdup(l->path), f->start_s, f->step_s, f->points_n);
	for (size_t i = 0; i < c->n; i++)
		c->v[i] = f->last ? f->last[i]
				  : leaf_value(&points[i], kind, l->field, f->step_s, in_us);
	return c;
}

/* All its series are read. */
static void fetch_finish(struct fetch *f, const struct series_point *points)
{
	VEC_EACH (&f->leaves, struct leaf *, l)
		(*l)->curve = curve_of(f, points, *l);
	fetch_clear(f);
}

static bool read_ended(struct fetch *f, const struct error *err)
{
	f->query = NULL;
	f->ended++;
	f->call->reading--;
	if (err && !f->call->err.kind)
		f->call->err = *err;
	f->call->fetch_ended += f->ended == f->n;
	return f->ended == f->n && !f->call->err.kind;
}

static void on_samples(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct fetch *f = arg;
	for (size_t i = 0; !err && i < n; i++)
		vec_push(&f->samples,
			((struct seen_sample){p[i].at_ms, p[i].total_us, p[i].value, p[i].fault}));
	if (read_ended(f, err)) {
		samples_done(f);
		fetch_finish(f, f->points);
	}
	read_more(f->call);
}

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct fetch *f = arg;
	if (!err && !f->points_n)
		steps_new(f, f->n > 1);
	const size_t n = err ? 0 : points->n < f->points_n ? points->n : f->points_n;
	for (size_t i = 0; i < n; i++) {
		if (f->n > 1)
			series_point_merge(&f->points[i], &points->p[i]);
		for (int fault = 0; fault < FAULT_COUNT && points->p[i].n > points->p[i].ok;
			fault++)
			f->seen[fault] |= points->p[i].faults[fault] > 0;
	}
	if (read_ended(f, err)) {
		f->points_n = n; /* of one series they need no copy */
		free(f->last);
		f->last = NULL;
		fetch_finish(f, f->n > 1 ? f->points : points->p);
	}
	read_more(f->call);
}

static void read_one(struct fetch *f)
{
	struct series *s = f->series[f->begun++];
	f->call->reading++;
	if (!f->step_s) {
		const int64_t from = f->span.from_s - AROUND_S;
		f->query = series_runs(s, from < 0 ? 0 : from * 1000,
			(f->span.until_s + 3600) * 1000, on_samples, f);
		return;
	}
	size_t n;
	int64_t start;
	grid(f->span, f->step_s, &start, &n);
	f->query = series_read(s, start * 1000, (start + (int64_t)n * f->step_s) * 1000,
		f->step_s * 1000, true, on_points, f);
}

static struct curve *tree_curve(struct graphite_call *c, const struct leaf *l, struct span span)
{
	int64_t step = choose_step(span, graphite_now_s(c->g), c->g->store), start;
	size_t n, root = strcspn(l->path, ".");
	step = step ? step : GRAPHITE_STEP_S;
	grid(span, step, &start, &n);
	struct curve *curve = curve_new(mem_strdup(l->path), start, step, n);
	for (size_t i = 0; i < c->g->tree_count; i++) {
		const struct graphite_tree *t = &c->g->trees[i];
		if (strlen(t->root) == root && strncmp(t->root, l->path, root) == 0 &&
			t->values(t->arg, l->path, start, step, n, curve->v))
			return curve;
	}
	curve_unref(curve);
	return NULL;
}

static void all_done(struct graphite_call *c)
{
	for (size_t i = 0; i < c->wanted.n && !c->err.kind; i++) {
		const struct want *want = &c->eval.wants.p[i];
		struct span span = want->span;
		struct curves curves = {0};
		VEC_EACH (&c->wanted.p[i].leaves, struct leaf, l) {
			struct curve *one = l->curve;
			if (!l->series.n && until_now(c, &span))
				one = tree_curve(c, l, span);
			l->curve = NULL;
			if (!one)
				continue;
			one->xff = c->xff;
			mem_replace(&one->expr, want->path);
			vec_push(&curves, one);
		}
		eval_give(&c->eval, want, &curves);
	}
	call_fetched(c);
}

/* Ends, if all has ended; else keeps as many under way as may be. */
static void read_more(struct graphite_call *c)
{
	if (!c->err.kind && atomic_load(&c->cancelled))
		error_set(&c->err, ERROR_CANCELLED, "the question was cancelled");
	if (!c->err.kind && clock_mono_ns(&clock_system) > c->eval.deadline_ns)
		error_set(&c->err, ERROR_LIMIT,
			"the question took too long; ask for a shorter time or fewer series");
	while (!c->err.kind && c->reading < READING && c->fetch_begun < c->fetches.n) {
		struct fetch *f = c->fetches.p[c->fetch_begun];
		if (f->query)
			break;
		read_one(f);
		if (f->begun == f->n)
			c->fetch_begun++;
		else
			break; /* one after the other: `query` is the one under way */
	}
	if (!c->reading && (c->err.kind || c->fetch_ended == c->fetches.n))
		all_done(c);
}

static void fetch_leaf(struct graphite_call *c, struct leaf *l, struct span span)
{
	char *key = mem_printf("%p %zu %lld %lld", (void *)l->series.p[0], l->series.n,
		(long long)span.from_s, (long long)span.until_s);
	struct fetch *f = map_get(&c->fetch_by_key, key);
	if (!f) {
		f = mem_new(struct fetch);
		f->call = c;
		f->series = l->series.p;
		f->n = l->series.n;
		f->span = span;
		f->step_s = choose_step(span, graphite_now_s(c->g), c->g->store);
		if (!f->step_s && !has_own_step(series_kind(l->series.p[0])))
			f->step_s = GRAPHITE_STEP_S;
		f->flushed = c->eval.judging && path_is_flushed(l->path);
		map_put(&c->fetch_by_key, key, f);
		vec_push(&c->fetches, f);
	}
	vec_push(&f->leaves, l);
	free(key);
	c->points_count +=
		(size_t)((span.until_s - span.from_s) / (f->step_s ? f->step_s : GRAPHITE_STEP_S) +
			 1);
}

void fetch_begin(struct graphite_call *c)
{
	for (size_t i = 0; i < c->wanted.n; i++) {
		struct span span = c->eval.wants.p[i].span;
		VEC_EACH (&c->wanted.p[i].leaves, struct leaf, l)
			if (l->series.n && until_now(c, &span))
				fetch_leaf(c, l, span);
	}
	if (c->points_count > GRAPHITE_POINTS && !c->err.kind)
		error_set(&c->err, ERROR_LIMIT,
			"the targets are of more than %d values; ask for a shorter time or fewer"
			" series",
			GRAPHITE_POINTS);
	read_more(c);
}

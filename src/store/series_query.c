/*
 * series_query.c - the loop's half of queries: limits, the snapshot of memory, the cache, the one
 * callback. See series_reader.h.
 */

#include <stdio.h>

#include "store/series_reader.h"

#define QUERIES_AT_ONCE 8 /* that readers have, or were done with */

/* --- the cache ---------------------------------------------------------------------------------
 */

static void cached_free(struct cached *c)
{
	points_fini(&c->points);
	free(c);
}

void cache_clear(struct series_store *st)
{
	MAP_EACH (&st->cache, e)
		cached_free(e->value);
	map_fini(&st->cache);
	st->cache = (struct map){0};
}

static char *cache_key(const struct series_query *q)
{
	return mem_printf("%u %lld %lld %lld", q->id, (long long)q->from_ms, (long long)q->to_ms,
		(long long)q->step_ms);
}

static void cache_put(struct series_query *q)
{
	struct series_store *st = q->store;
	if (!q->from_files.p || q->generation != st->generation || st->seal_due)
		return;
	if (st->cache.n >= CACHE_MAX)
		cache_clear(st);
	struct cached *c = mem_new(struct cached);
	char *key = cache_key(q);
	c->points = q->from_files;
	q->from_files = (struct series_points){0};
	struct cached *old = map_put(&st->cache, key, c);
	if (old)
		cached_free(old);
	free(key);
}

static void cache_take(struct series_query *q)
{
	char *key = cache_key(q);
	const struct cached *c = map_get(&q->store->cache, key);
	free(key);
	if (!c)
		return;
	points_copy(&q->points, &c->points);
	q->cached = true;
}

/* --- the end -----------------------------------------------------------------------------------
 */

static void query_free(struct series_query *q)
{
	VEC_EACH (&q->memory, struct memory_block, b) {
		if (b->file)
			spill_leave(q->store, b->file);
		free(b->p);
	}
	vec_fini(&q->memory);
	vec_fini(&q->limits);
	points_fini(&q->points);
	points_fini(&q->from_files);
	runs_fini(q);
	free(q->states);
	free(q->has_states);
	free(q);
}

static void tell_points(struct series_query *q)
{
	struct series_points shown = q->points;
	VEC(struct series_point) some = {0};
	for (size_t i = 0; i < q->points.n && !q->fill; i++)
		if (q->points.p[i].n)
			vec_push(&some, q->points.p[i]);
	if (!q->fill) {
		shown.p = some.p;
		shown.n = some.n;
	}
	q->done.points(q->arg, &shown, NULL);
	vec_fini(&some);
}

static void tell_runs(struct series_query *q)
{
	struct series_sample *p = mem_new_array(q->runs.n ? q->runs.n : 1, sizeof(*p));
	for (size_t i = 0; i < q->runs.n; i++)
		p[i] = q->runs.p[i].sample;
	q->done.runs(q->arg, p, q->runs.n, NULL);
	free(p);
}

static void tell_days(struct series_query *q)
{
	struct series_day *days = mem_new_array(q->points.n, sizeof(*days));
	for (size_t i = 0; i < q->points.n; i++)
		days[i] = (struct series_day){q->points.p[i], q->has_states[i], q->states[i]};
	q->done.days(q->arg, days, q->points.n, NULL);
	free(days);
}

/* An answer stays in memory until the loop has told it: who asks about ten thousand series at once
 * gets them one after another, not all of them waiting decoded. */
static void hand_over(struct series_store *st)
{
	while (st->queries.waiting && st->queries.reading < QUERIES_AT_ONCE) {
		struct series_query *q = st->queries.waiting;
		st->queries.waiting = q->next;
		st->queries.reading++;
		worker_submit(st->read, &q->job);
	}
}

/* Readers are done in about the order of the list: it is one of the first. */
static void unlink_query(struct series_query *q)
{
	struct series_store *st = q->store;
	struct series_query *before = NULL, *at = st->queries.first;
	for (; at != q; at = at->next)
		before = at;
	if (before)
		before->next = q->next;
	else
		st->queries.first = q->next;
	if (st->queries.last == q)
		st->queries.last = before;
	st->queries.reading--;
}

static void tell_error(struct series_query *q)
{
	struct error err = {0};
	error_set(&err, q->failed, "%s", q->why);
	if (q->what == QUERY_POINTS)
		q->done.points(q->arg, NULL, &err);
	else if (q->what == QUERY_DAYS)
		q->done.days(q->arg, NULL, 0, &err);
	else
		q->done.runs(q->arg, NULL, 0, &err);
}

static void on_done(struct worker_job *j)
{
	struct series_query *q = (struct series_query *)j;
	unlink_query(q);
	hand_over(q->store);
	q->store->status.corrupt += q->corrupt;
	if (atomic_load(&q->cancelled))
		query_fail(q, ERROR_CANCELLED, "the query was cancelled");
	if (q->failed)
		tell_error(q);
	else if (q->what == QUERY_POINTS)
		tell_points(q);
	else if (q->what == QUERY_DAYS)
		tell_days(q);
	else
		tell_runs(q);
	if (!q->failed)
		cache_put(q);
	query_free(q);
}

void series_cancel(struct series_query *q)
{
	atomic_store(&q->cancelled, true);
}

void queries_cancel(struct series_store *st)
{
	for (struct series_query *q = st->queries.first; q; q = q->next)
		series_cancel(q);
}

/* --- the beginning -----------------------------------------------------------------------------
 */

static void on_work(struct worker_job *j, unsigned thread)
{
	struct series_query *q = (struct series_query *)j;
	query_work(q, q->store->readers[thread]);
}

static bool in_range(const struct series_query *q, int64_t hour)
{
	return hour >= q->from_ms / SERIES_HOUR_MS && hour * SERIES_HOUR_MS < q->to_ms;
}

static void add_limit(struct series_query *q, int64_t hour)
{
	VEC_EACH (&q->limits, struct hour_parts, l)
		if (l->hour == hour)
			return;
	vec_push(&q->limits, ((struct hour_parts){hour, store_parts(q->store, hour), false}));
}

static int by_hour(const void *a, const void *b)
{
	const struct hour_parts *x = a, *y = b;
	return x->hour < y->hour ? -1 : x->hour > y->hour;
}

static void take_head(struct series_query *q, const struct head *h)
{
	const struct coded_samples *c = &h->samples;
	const struct slice rest = coded_rest(c);
	struct memory_block b = {.hour = h->hour,
		.n = rest.n,
		.coded = c->n,
		.file = spill_use(q->store, h),
		.spilled = h->spilled,
		.cut = c->cut};
	b.p = mem_alloc(b.n);
	memcpy(b.p, rest.p, b.n);
	vec_push(&q->memory, b);
	add_limit(q, h->hour);
}

/* Ten thousand may wait with it: no more than it takes. */
static void make_room(struct series_query *q, const struct series *s)
{
	size_t n = 0;
	for (const struct kept_block *k = s->kept; k; k = k->next)
		n++;
	for (const struct head *h = s->heads; h; h = h->next)
		n++;
	q->memory.p = mem_new_array(n, sizeof(*q->memory.p));
	q->memory.cap = n;
}

/* Heads in order of their begin, so that equal times come in order of arrival. */
static void take_memory(struct series_query *q, const struct series *s)
{
	make_room(q, s);
	for (const struct kept_block *k = s->kept; k && !q->files; k = k->next)
		if (in_range(q, k->hour))
			vec_push(&q->memory, ((struct memory_block){k->hour,
						     slice_dup(slice_from(k->p, k->n)), k->n}));
	const size_t begin = q->memory.n;
	for (const struct head *h = s->heads; h; h = h->next)
		if (in_range(q, h->hour) && h->samples.n)
			take_head(q, h);
	for (size_t i = begin, k = q->memory.n; i + 1 < k; i++) {
		const struct memory_block b = q->memory.p[i];
		q->memory.p[i] = q->memory.p[--k];
		q->memory.p[k] = b;
	}
	if (q->limits.n)
		qsort(q->limits.p, q->limits.n, sizeof(*q->limits.p), by_hour);
}

static struct series_query *begin(struct series *s, enum query_what what, int64_t from_ms,
	int64_t to_ms, int64_t step_ms, void *arg)
{
	struct series_store *st = s->store;
	struct series_query *q = mem_new(struct series_query);
	q->store = st;
	q->what = what;
	q->kind = s->kind;
	q->id = series_id(s);
	q->from_ms = from_ms;
	q->to_ms = to_ms;
	q->step_ms = step_ms;
	q->arg = arg;
	q->now_ms = store_now_ms(st);
	q->generation = st->generation;
	q->deadline_ns = clock_mono_ns(&clock_system) + SERIES_DEADLINE_NS;
	q->job.work = on_work;
	q->job.done = on_done;
	if (st->queries.last)
		st->queries.last->next = q;
	else
		st->queries.first = q;
	st->queries.last = q;
	if (!st->queries.waiting)
		st->queries.waiting = q;
	return q;
}

static void choose_level(struct series_query *q)
{
	static const enum level coarse_first[] = {LEVEL_DAY, LEVEL_HOUR, LEVEL_TEN_MINUTES};
	q->level = LEVEL_RAW;
	for (size_t i = 0; i < array_len(coarse_first) && q->level == LEVEL_RAW; i++) {
		const int64_t step = level_step_ms(coarse_first[i]);
		if (q->step_ms && q->step_ms % step == 0 && q->from_ms % step == 0)
			q->level = coarse_first[i];
	}
	q->keep_ms = q->store->keep_ms[q->level];
}

/* The steps and samples that there can be. */
static void check(struct series_query *q)
{
	static const int64_t far = 1LL << 43;
	if (q->from_ms < 0 || q->to_ms <= q->from_ms || q->to_ms > far) {
		query_fail(q, ERROR_INPUT, "the time asked for ends before it begins");
	} else if (q->what == QUERY_POINTS || q->what == QUERY_DAYS) {
		if (q->step_ms < 1)
			query_fail(q, ERROR_INPUT, "a step must be at least 1 ms");
		else if ((q->to_ms - q->from_ms - 1) / q->step_ms >= SERIES_POINTS_MAX)
			query_fail(q, ERROR_LIMIT,
				"more than 10000 points; ask for a shorter time or a longer step");
		else /* the last one whole */
			q->to_ms = q->from_ms +
				   ((q->to_ms - q->from_ms - 1) / q->step_ms + 1) * q->step_ms;
	}
}

static void check_kept(struct series_query *q)
{
	if (q->failed || q->level == LEVEL_DAY || q->what == QUERY_LAST)
		return;
	if (period_of(q->level, q->from_ms).end_ms > q->now_ms - q->keep_ms)
		return;
	query_fail(q, ERROR_LIMIT,
		q->level == LEVEL_RAW
			? "samples are no longer kept for that time; ask for steps of whole ten"
			  " minutes, hours or days that begin on one"
		: q->level == LEVEL_TEN_MINUTES
			? "ten-minute values are no longer kept for that time; ask for steps of whole hours"
			  " or days that begin on one"
			: "hourly values are no longer kept for that time; ask for steps of whole days");
}

static struct series_query *start(struct series_query *q, const struct series *s)
{
	const struct series_store *st = q->store;
	check(q);
	if (!q->failed) {
		choose_level(q);
		check_kept(q);
	}
	if (!q->failed) {
		q->files = q->id &&
			   (q->what == QUERY_DAYS || q->from_ms / SERIES_HOUR_MS < st->memory_hour);
		q->cacheable = q->files && q->what == QUERY_POINTS && !st->seal_due &&
			       (q->to_ms - q->from_ms) / q->step_ms <= CACHE_POINTS;
		if (q->cacheable)
			cache_take(q);
		take_memory(q, s);
	}
	hand_over(q->store);
	return q;
}

struct series_query *series_read(struct series *s, int64_t from_ms, int64_t to_ms, int64_t step_ms,
	bool fill, series_points_done *done, void *arg)
{
	struct series_query *q = begin(s, QUERY_POINTS, from_ms, to_ms, step_ms, arg);
	q->fill = fill;
	q->done.points = done;
	return start(q, s);
}

struct series_query *series_runs(
	struct series *s, int64_t from_ms, int64_t to_ms, series_runs_done *done, void *arg)
{
	struct series_query *q = begin(s, QUERY_RUNS, from_ms, to_ms, 0, arg);
	q->done.runs = done;
	return start(q, s);
}

struct series_query *series_last(struct series *s, series_runs_done *done, void *arg)
{
	const int64_t end = store_now_ms(s->store) + 2 * SERIES_HOUR_MS;
	struct series_query *q = begin(s, QUERY_LAST, 0, end, 0, arg);
	q->done.runs = done;
	return start(q, s);
}

struct series_query *series_days(
	struct series *s, int64_t day, size_t n, series_days_done *done, void *arg)
{
	const bool sane = day >= 0 && day < 1 << 24 && n > 0 && n <= SERIES_POINTS_MAX;
	struct series_query *q = begin(s, QUERY_DAYS, sane ? day * SERIES_DAY_MS : 0,
		sane ? (day + (int64_t)n) * SERIES_DAY_MS : 0, SERIES_DAY_MS, arg);
	q->done.days = done;
	return start(q, s);
}

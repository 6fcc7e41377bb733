/*
 * series_reader.c - see series_reader.h. Corrupt blocks are counted and left out.
 */

#include "store/series_reader.h"

#include <stdio.h>

#include "store/sqlite.h"

/* --- results -----------------------------------------------------------------------------------
 */

void points_fini(struct series_points *p)
{
	for (size_t i = 0; i < p->n; i++)
		series_point_fini(&p->p[i]);
	free(p->p);
	*p = (struct series_points){0};
}

void points_copy(struct series_points *to, const struct series_points *from)
{
	*to = (struct series_points){.p = mem_new_array(from->n ? from->n : 1, sizeof(*to->p)),
		.n = from->n,
		.resolution_ms = from->resolution_ms};
	for (size_t i = 0; i < from->n; i++) {
		to->p[i] = from->p[i];
		to->p[i].hist = (struct series_hist){0};
		series_hist_merge(&to->p[i].hist, &from->p[i].hist);
	}
}

static void run_fini(struct query_run *r)
{
	struct series_hist *hist = (struct series_hist *)r->sample.hist;
	if (hist)
		series_hist_fini(hist);
	free(hist);
}

void runs_fini(struct series_query *q)
{
	VEC_EACH (&q->runs, struct query_run, r)
		run_fini(r);
	vec_fini(&q->runs);
}

/* --- what came out of blocks -------------------------------------------------------------------
 */

void query_fail(struct series_query *q, enum error_kind kind, const char *why)
{
	if (q->failed)
		return;
	q->failed = kind;
	q->why = why;
}

static bool fail(struct series_query *q, enum error_kind kind, const char *why)
{
	query_fail(q, kind, why);
	return false;
}

/* Whether to go on. */
static bool in_time(struct series_query *q)
{
	if (q->failed)
		return false;
	if (atomic_load(&q->cancelled))
		return fail(q, ERROR_CANCELLED, "the query was cancelled");
	if (clock_mono_ns(&clock_system) > q->deadline_ns)
		return fail(q, ERROR_LIMIT,
			"the query took longer than 5 s; ask for a shorter time or a longer step");
	return true;
}

static int stop_sqlite(void *arg)
{
	return !in_time(arg);
}

static struct series_point *point_at(struct series_query *q, int64_t at_ms)
{
	if (at_ms < q->from_ms)
		return NULL;
	const size_t i = (size_t)((at_ms - q->from_ms) / q->step_ms);
	return i < q->points.n ? &q->points.p[i] : NULL;
}

static void take_run(struct series_query *q, const struct series_sample *s)
{
	struct query_run r = {q->order++, *s};
	if (q->what == QUERY_LAST && q->runs.n) {
		if (s->at_ms < q->runs.p[0].sample.at_ms)
			return;
		runs_fini(q);
	}
	if (q->runs.n >= SERIES_RUNS_MAX) {
		fail(q, ERROR_LIMIT, "more than 100000 samples; ask for a shorter time");
		return;
	}
	if (s->hist) {
		struct series_hist *copy = mem_new(struct series_hist);
		series_hist_merge(copy, s->hist);
		r.sample.hist = copy;
	}
	vec_push(&q->runs, r);
}

static void take_sample(void *arg, const struct series_sample *s)
{
	struct series_query *q = arg;
	q->decoded++;
	if (s->at_ms < q->from_ms || s->at_ms >= q->to_ms)
		return;
	if (q->what == QUERY_RUNS || q->what == QUERY_LAST) {
		take_run(q, s);
		return;
	}
	struct series_point *p = point_at(q, s->at_ms);
	if (p)
		series_point_add(p, q->kind, s);
}

static void too_many(struct series_query *q)
{
	fail(q, ERROR_LIMIT,
		"more than 2000000 samples to look at; ask for a shorter time, or for steps"
		" of whole ten minutes");
}

static void take_block(struct series_query *q, struct slice bytes)
{
	struct error err = {0};
	if (!in_time(q))
		return;
	/* Whole, or not at all: a block that turns out to be broken half-way has its checksum
	 * right, so it was written so. */
	if (block_read(bytes, SERIES_DECODED_MAX - q->decoded, take_sample, q, &err))
		return;
	if (err.kind == ERROR_LIMIT)
		too_many(q);
	else
		q->corrupt++;
}

static void take_head(struct series_query *q, const struct memory_block *b)
{
	char *p = mem_alloc(SPILL_HEADER + b->cut + b->n), *head = p + SPILL_HEADER;
	memcpy(head + b->cut, b->p, b->n);
	if (spill_read(b->file, b->spilled, head, b->cut))
		coded_each(slice_from(head, b->cut + b->n), b->coded, q->kind, b->hour, take_sample,
			q);
	else
		q->corrupt++;
	free(p);
}

static void take_memory(struct series_query *q, const struct memory_block *b)
{
	if (!b->coded)
		take_block(q, slice_from(b->p, b->n));
	else if (!in_time(q))
		return;
	else if (b->coded > SERIES_DECODED_MAX - q->decoded)
		too_many(q);
	else
		take_head(q, b);
}

static void take_slots(struct series_query *q, int64_t step_ms, unsigned part, struct slice bytes);

/* --- files -------------------------------------------------------------------------------------
 */

/* Parts of this hour that count. */
static unsigned limit_of(const struct series_query *q, int64_t hour)
{
	VEC_EACH (&q->limits, struct hour_parts, l)
		if (l->hour == hour)
			return l->parts;
	return SERIES_PARTS;
}

static bool day_is_limited(const struct series_query *q, int64_t day)
{
	VEC_EACH (&q->limits, struct hour_parts, l)
		if (l->hour / 24 == day)
			return true;
	return false;
}

static void take_slots(struct series_query *q, int64_t step_ms, unsigned part, struct slice bytes)
{
	struct roll_day day = {0};
	struct error err = {0};
	if (!in_time(q))
		return;
	if (!roll_day_read(bytes, step_ms, &day, &err)) {
		q->corrupt++;
		day.n = 0;
	}
	for (size_t i = 0; i < day.n; i++) {
		const struct series_point *slot = &day.p[i];
		struct series_point *p = point_at(q, slot->at_ms);
		if (p && (step_ms == SERIES_DAY_MS ||
				 part < limit_of(q, slot->at_ms / SERIES_HOUR_MS)))
			series_point_merge(p, slot);
	}
	if ((q->decoded += day.n) > SERIES_DECODED_MAX)
		fail(q, ERROR_LIMIT, "more than 2000000 slots to look at; ask for a longer step");
	roll_day_fini(&day);
}

static bool on_raw(void *arg, int64_t id, struct slice data)
{
	struct series_query *q = arg;
	take_block(q, data);
	return !q->failed;
}

static bool on_ten_minutes(void *arg, int64_t id, struct slice data)
{
	struct series_query *q = arg;
	take_slots(q, level_step_ms(LEVEL_TEN_MINUTES), (unsigned)(id & 15), data);
	return !q->failed;
}

static bool on_hours(void *arg, int64_t id, struct slice data)
{
	struct series_query *q = arg;
	take_slots(q, SERIES_HOUR_MS, (unsigned)(id & 15), data);
	return !q->failed;
}

static bool on_day(void *arg, int64_t id, struct slice data)
{
	struct series_query *q = arg;
	if (!day_is_limited(q, id & 0xffffff))
		take_slots(q, SERIES_DAY_MS, 0, data);
	return !q->failed;
}

static bool on_states(void *arg, int64_t id, struct slice data)
{
	struct series_query *q = arg;
	const size_t i = (size_t)((id & 0xffffff) - q->from_ms / SERIES_DAY_MS);
	struct code_in in = code_in(data.p, data.n);
	struct series_states s = {.worst = code_byte(&in)};
	s.first = code_byte(&in);
	s.last = code_byte(&in);
	for (size_t k = 0; k < array_len(s.seconds); k++)
		s.seconds[k] = (uint32_t)code_varint(&in);
	if (in.bad || i >= q->points.n) {
		q->corrupt++;
	} else {
		q->states[i] = s;
		q->has_states[i] = true;
	}
	return true;
}

/* Rows of one file. A file that cannot be read counts as corrupt, the others are still read. */
static void read_file(struct series_query *q, struct files *files, const struct period *p,
	const char *table, int64_t first, int64_t last,
	bool (*cb)(void *arg, int64_t id, struct slice data))
{
	struct error err = {0};
	if (!in_time(q))
		return;
	sqlite3 *db = files_open(files, p, &err);
	if (db && !files_range(db, table, first, last, cb, q, &err)) {
		files_drop(files, p->name);
	}
	if (err.msg[0] && in_time(q))
		q->corrupt++;
}

/* Of days: a row a day, and part of it. */
static void read_periods(struct series_query *q, struct files *files, enum level level,
	bool (*cb)(void *arg, int64_t id, struct slice data))
{
	const int64_t oldest = q->now_ms - q->keep_ms;
	const int64_t first = files_id(q->id, q->from_ms / SERIES_DAY_MS, 0);
	const int64_t last = files_id(q->id, (q->to_ms - 1) / SERIES_DAY_MS, SERIES_PARTS - 1);
	struct period p = period_of(level, q->from_ms);
	for (; !q->failed; p = period_of(level, p.end_ms)) {
		if (p.end_ms > oldest)
			read_file(q, files, &p, "block", first, last, cb);
		if (p.end_ms >= q->to_ms)
			return;
	}
}

struct hour_list {
	VEC(struct hour_parts) list;
};

static bool take_hour(void *arg, const struct facts_row *row)
{
	struct hour_list *h = arg;
	const int64_t parts = facts_int(row, 1);
	vec_push(&h->list, ((struct hour_parts){facts_int(row, 0),
				   parts < SERIES_PARTS ? (unsigned)parts : SERIES_PARTS, false}));
	return true;
}

/* The hours of one raw file that were sealed: in order, or the newest first until there is one. */
static void read_hours(struct series_query *q, struct files *files, const struct period *p)
{
	struct error err = {0};
	struct hour_list hours = {0};
	const bool last = q->what == QUERY_LAST;
	const struct facts_value v[] = {
		FACTS_I(q->from_ms / SERIES_HOUR_MS), FACTS_I((q->to_ms - 1) / SERIES_HOUR_MS)};
	sqlite3 *db = in_time(q) ? files_open(files, p, &err) : NULL;
	if (db && !sqlite_rows(db,
			  last ? "SELECT hour, parts FROM sealed WHERE hour BETWEEN ? AND ?"
				 " ORDER BY hour DESC"
			       : "SELECT hour, parts FROM sealed WHERE hour BETWEEN ? AND ?"
				 " ORDER BY hour",
			  v, 2, take_hour, &hours, &err))
		files_drop(files, p->name);
	if (err.msg[0] && in_time(q))
		q->corrupt++;
	for (size_t i = 0; i < hours.list.n && in_time(q) && !(last && q->runs.n); i++) {
		const struct hour_parts *h = &hours.list.p[i];
		const unsigned limit = limit_of(q, h->hour);
		for (unsigned part = 0; part < h->parts && part < limit; part++) {
			const int64_t id = files_raw_id(q->id, h->hour, part);
			read_file(q, files, p, "block", id, id, on_raw);
		}
	}
	vec_fini(&hours.list);
}

static void read_raw(struct series_query *q, struct files *files)
{
	const int64_t oldest = q->now_ms - q->keep_ms;
	struct period p = period_of(LEVEL_RAW, q->from_ms);
	for (; !q->failed; p = period_of(LEVEL_RAW, p.end_ms)) {
		if (p.end_ms > oldest)
			read_hours(q, files, &p);
		if (p.end_ms >= q->to_ms)
			return;
	}
}

static void read_days(struct series_query *q, struct files *files)
{
	const struct period days = period_of(LEVEL_DAY, 0);
	const int64_t base = (int64_t)q->id << 24;
	const int64_t first = base | q->from_ms / SERIES_DAY_MS;
	const int64_t last = base | (q->to_ms - 1) / SERIES_DAY_MS;
	read_file(q, files, &days, "block", first, last, on_day);
	if (q->what == QUERY_DAYS)
		read_file(q, files, &days, "states", first, last, on_states);
	int64_t before = -1;
	VEC_EACH (&q->limits, struct hour_parts, l) {
		const int64_t day = l->hour / 24;
		if (day == before || q->failed)
			continue;
		before = day;
		const struct period year = period_of(LEVEL_HOUR, day * SERIES_DAY_MS);
		read_file(q, files, &year, "block", files_id(q->id, day, 0),
			files_id(q->id, day, SERIES_PARTS - 1), on_hours);
	}
}

static void read_last(struct series_query *q, struct files *files)
{
	const int64_t oldest = q->now_ms - q->keep_ms;
	struct period p = period_of(LEVEL_RAW, q->to_ms);
	for (; !q->failed && !q->runs.n && p.end_ms > oldest && p.begin_ms > 0;
		p = period_of(LEVEL_RAW, p.begin_ms - 1))
		read_hours(q, files, &p);
}

static void read_files(struct series_query *q, struct files *files)
{
	files_set_interrupt(files, stop_sqlite, q);
	if (q->what == QUERY_LAST)
		read_last(q, files);
	else if (q->level == LEVEL_DAY)
		read_days(q, files);
	else if (q->level == LEVEL_HOUR)
		read_periods(q, files, LEVEL_HOUR, on_hours);
	else if (q->level == LEVEL_TEN_MINUTES)
		read_periods(q, files, LEVEL_TEN_MINUTES, on_ten_minutes);
	else
		read_raw(q, files);
	files_set_interrupt(files, NULL, NULL);
}

/* --- all of it ---------------------------------------------------------------------------------
 */

static int by_time(const void *a, const void *b)
{
	const struct query_run *x = a, *y = b;
	if (x->sample.at_ms != y->sample.at_ms)
		return x->sample.at_ms < y->sample.at_ms ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static bool is_in_order(const struct series_query *q)
{
	for (size_t i = 1; i < q->runs.n; i++)
		if (q->runs.p[i].sample.at_ms < q->runs.p[i - 1].sample.at_ms)
			return false;
	return true;
}

static void make_points(struct series_query *q)
{
	q->points.n = (size_t)((q->to_ms - q->from_ms) / q->step_ms);
	q->points.p = mem_new_array(q->points.n, sizeof(*q->points.p));
	for (size_t i = 0; i < q->points.n; i++)
		q->points.p[i].at_ms = q->from_ms + (int64_t)i * q->step_ms;
	if (q->what == QUERY_DAYS) {
		q->states = mem_new_array(q->points.n, sizeof(*q->states));
		q->has_states = mem_new_array(q->points.n, sizeof(*q->has_states));
	}
}

void query_work(struct series_query *q, struct files *files)
{
	const bool points = q->what == QUERY_POINTS || q->what == QUERY_DAYS;
	if (q->failed || !in_time(q))
		return;
	if (points && !q->cached)
		make_points(q);
	if (q->files && !q->cached) {
		read_files(q, files);
		q->points.resolution_ms = level_step_ms(q->level);
		if (q->cacheable && !q->failed)
			points_copy(&q->from_files, &q->points);
	}
	VEC_EACH (&q->memory, struct memory_block, b)
		take_memory(q, b);
	if (!is_in_order(q)) /* hardly ever */
		qsort(q->runs.p, q->runs.n, sizeof(*q->runs.p), by_time);
}

/*
 * series_seal.c - an hour becomes blocks and roll-ups; see series_writer.h.
 *
 * An hour is built from the rows of the tail alone: exact values, and those of all processes. The
 * order makes it safe to die anywhere: roll-ups first (the slots of this hour and part are put in
 * place of what was there, so that doing it twice is doing it once), then the raw blocks together
 * with the mark `sealed`, which says through which row they reach, then the rows go. A roll-up of a
 * part that has no mark yet does not count (series_reader.c).
 * Memory is bounded by going over the rows once for each SAMPLES_AT_ONCE, which are held as rows
 * have them: as structures a hundred thousand would take as much as all else of the store.
 */

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/search.h"
#include "store/series_inside.h"
#include "store/sqlite.h"

#define DELAY_MS        600000
#define SAMPLES_AT_ONCE 25000
#define RECENT_BYTES    (2u << 20) /* of an hour; what is more stays in the files alone */

/* What a raw file says of an hour: parts 0 and through 0 when it was never sealed. */
static bool get_mark(
	sqlite3 *raw, int64_t hour, unsigned *ret_parts, int64_t *ret_through, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		raw, "SELECT parts, through FROM sealed WHERE hour = ?", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, hour);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	*ret_parts = 0;
	*ret_through = 0;
	if (rc == SQLITE_ROW) {
		const int64_t parts = sqlite3_column_int64(stmt, 0);
		*ret_parts = parts < SERIES_PARTS ? (unsigned)parts : SERIES_PARTS;
		*ret_through = sqlite3_column_int64(stmt, 1);
	} else if (rc != SQLITE_DONE) {
		sqlite_error(raw, rc, NULL, err);
	}
	sqlite3_finalize(stmt);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

/* --- one hour ----------------------------------------------------------------------------------
 */

struct counted {
	uint32_t id;
	enum series_kind kind;
	uint32_t n;
	uint32_t begin, taken; /* in `samples`, while they are collected */
};

struct collected {
	uint32_t at_ms; /* in the hour */
	uint32_t at;    /* in `bytes`, in order of arrival */
};

struct seal {
	struct writer *w;
	struct turn *t;
	int64_t hour, through;
	unsigned part;
	struct period periods[LEVELS];
	sqlite3 *db[LEVELS];
	VEC(struct counted) counted; /* by id */
	uint32_t first, last;        /* ids being collected */
	struct collected *samples;   /* by id; NULL: they are being counted */
	struct buf bytes;            /* what row_sample_write() made of them */
	struct block_faults faults;  /* of `bytes` */
	struct series_hist hist;     /* of the sample that was read last */
	size_t recent, recent_bytes; /* where those of this hour begin in the turn's; how many */
	bool much;                   /* too many to be kept */
};

static bool each_row(struct seal *s,
	void (*cb)(void *arg, const struct row_series *series, const struct series_sample *sample),
	bool report, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	sqlite3 *db = s->w->tail.rows;
	int rc = sqlite3_prepare_v2(db,
		"SELECT data FROM row WHERE hour = ? AND seq <= ? ORDER BY seq", -1, &stmt, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, s->hour);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 2, s->through);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct error ignored = {0};
		const struct slice data = slice_from(
			sqlite3_column_blob(stmt, 0), (size_t)sqlite3_column_bytes(stmt, 0));
		rc = SQLITE_OK;
		if (s->samples && !row_may_have(data, s->first, s->last))
			continue;
		if (!row_read(data, cb, s, &ignored) && report)
			s->t->corrupt++;
	}
	if (rc != SQLITE_DONE)
		sqlite_error(db, rc, NULL, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}

static bool has_lower_id(const void *counted, const void *id)
{
	return ((const struct counted *)counted)->id < *(const uint32_t *)id;
}

/* Where a series stands among those that were counted, or belongs. */
static size_t place_of(const struct seal *s, uint32_t id)
{
	return search_before(s->counted.p, s->counted.n, sizeof(*s->counted.p), has_lower_id, &id);
}

static void count_sample(
	void *arg, const struct row_series *series, const struct series_sample *sample)
{
	struct seal *s = arg;
	if (sample->at_ms / SERIES_HOUR_MS != s->hour)
		return;
	const size_t place = place_of(s, series->id);
	if (place == s->counted.n || s->counted.p[place].id != series->id) {
		(void)vec_add(&s->counted);
		memmove(&s->counted.p[place + 1], &s->counted.p[place],
			(s->counted.n - 1 - place) * sizeof(*s->counted.p));
		s->counted.p[place] = (struct counted){.id = series->id, .kind = series->kind};
	}
	s->counted.p[place].n++;
}

static void collect_sample(
	void *arg, const struct row_series *series, const struct series_sample *sample)
{
	struct seal *s = arg;
	if (series->id < s->first || series->id > s->last ||
		sample->at_ms / SERIES_HOUR_MS != s->hour)
		return;
	struct counted *c = &s->counted.p[place_of(s, series->id)];
	const uint32_t at = (uint32_t)s->bytes.n;
	const uint32_t at_ms = (uint32_t)(sample->at_ms - s->hour * SERIES_HOUR_MS);
	assert(c->taken < c->n); /* they were counted over the same rows */
	row_sample_write(&s->bytes, &s->faults, c->kind, sample);
	if (s->bytes.over)
		s->t->refused++;
	else
		s->samples[c->begin + c->taken++] = (struct collected){at_ms, at};
}

/* Its hist is borrowed until the next one is read. */
static struct series_sample sample_of(
	struct seal *s, enum series_kind kind, const struct collected *c)
{
	struct series_sample sample = {.at_ms = s->hour * SERIES_HOUR_MS + c->at_ms};
	struct code_in in = code_in(s->bytes.p + c->at, s->bytes.n - c->at);
	const bool good = row_sample_read(&in, &s->faults, kind, &s->hist, &sample);
	assert(good); /* we wrote it */
	(void)good;
	return sample;
}

static int by_time(const void *a, const void *b)
{
	const struct collected *x = a, *y = b;
	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->at < y->at ? -1 : x->at > y->at;
}

/* --- roll-ups ----------------------------------------------------------------------------------
 */

struct slots {
	int64_t step_ms;
	struct roll_day day;
	uint64_t corrupt;
};

static bool take_slots(void *arg, int64_t id, struct slice data)
{
	struct slots *s = arg;
	struct roll_day read = {0};
	struct error ignored = {0};
	if (!roll_day_read(data, s->step_ms, &read, &ignored)) {
		s->corrupt++;
		roll_day_fini(&read);
		return true;
	}
	for (size_t i = 0; i < read.n; i++)
		vec_push(&s->day, read.p[i]);
	vec_fini(&read);
	return true;
}

static bool put_slots(struct seal *s, enum level level, uint32_t id, enum series_kind kind,
	struct roll_day *made, struct error *err)
{
	const int64_t day = s->hour / 24, at = files_id(id, day, s->part);
	struct slots slots = {.step_ms = level_step_ms(level)};
	struct buf out = BUF(SERIES_BLOCK_BYTES);
	bool good = files_range(s->db[level], "block", at, at, take_slots, &slots, err);
	if (good) {
		roll_day_replace(
			&slots.day, s->hour * SERIES_HOUR_MS, (s->hour + 1) * SERIES_HOUR_MS, made);
		roll_day_write(&out, kind, day * SERIES_DAY_MS, slots.step_ms, &slots.day);
		good = files_put(s->db[level], "block", at, buf_slice(&out), err);
	}
	s->t->corrupt += slots.corrupt;
	roll_day_fini(&slots.day);
	buf_fini(&out);
	return good;
}

/* A day is the sum of its hours, as they stand in the file, of all parts. */
static bool put_day(struct seal *s, uint32_t id, enum series_kind kind, struct error *err)
{
	const int64_t day = s->hour / 24;
	struct slots hours = {.step_ms = SERIES_HOUR_MS};
	struct buf out = BUF(SERIES_BLOCK_BYTES);
	bool good = files_range(s->db[LEVEL_HOUR], "block", files_id(id, day, 0),
		files_id(id, day, SERIES_PARTS - 1), take_slots, &hours, err);
	if (good && hours.day.n) {
		struct roll_day sum = {0};
		vec_push(&sum, ((struct series_point){.at_ms = day * SERIES_DAY_MS}));
		VEC_EACH (&hours.day, struct series_point, p)
			series_point_merge(&sum.p[0], p);
		roll_day_write(&out, kind, day * SERIES_DAY_MS, SERIES_DAY_MS, &sum);
		good = files_put(
			s->db[LEVEL_DAY], "block", (int64_t)id << 24 | day, buf_slice(&out), err);
		roll_day_fini(&sum);
	}
	roll_day_fini(&hours.day);
	buf_fini(&out);
	return good;
}

static void roll(struct roll_day *into, enum series_kind kind, int64_t step_ms,
	const struct series_sample *s)
{
	const int64_t at = s->at_ms / step_ms * step_ms;
	if (!into->n || into->p[into->n - 1].at_ms != at)
		vec_push(into, ((struct series_point){.at_ms = at}));
	series_point_add(&into->p[into->n - 1], kind, s);
}

/* --- blocks ------------------------------------------------------------------------------------
 */

static void drop_recent(struct seal *s)
{
	while (s->t->recent.n > s->recent)
		free(vec_pop(&s->t->recent).p);
}

/* All of an hour or none. */
static void keep_recent(struct seal *s, uint32_t id, const struct buf *block)
{
	if (s->much || s->hour + 2 < s->t->now_ms / SERIES_HOUR_MS)
		return;
	s->recent_bytes += sizeof(struct kept_block) + block->n;
	s->much = s->recent_bytes > RECENT_BYTES;
	if (s->much)
		drop_recent(s);
	else
		vec_push(&s->t->recent, ((struct recent_block){id, s->hour, s->part,
						slice_dup(buf_slice(block)), block->n}));
}

static int by_value(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return x < y ? -1 : x > y;
}

/* The median of each phase, of the runs that had it. */
static struct series_sample typical(struct seal *s, const struct collected *c, size_t n)
{
	struct series_sample ret = {0};
	int64_t *us = mem_new_array(n * SERIES_PHASES, sizeof(*us));
	size_t had[SERIES_PHASES] = {0};
	for (size_t i = 0; i < n; i++) {
		const struct series_sample one = sample_of(s, SERIES_PROBE, &c[i]);
		for (size_t phase = 0; phase < SERIES_PHASES; phase++)
			if (one.phase_us[phase])
				us[phase * n + had[phase]++] = one.phase_us[phase];
	}
	for (size_t phase = 0; phase < SERIES_PHASES; phase++) {
		if (!had[phase])
			continue;
		qsort(us + phase * n, had[phase], sizeof(*us), by_value);
		ret.phase_us[phase] = us[phase * n + had[phase] / 2];
	}
	free(us);
	return ret;
}

/* The block and its roll-ups, of samples by time. */
static void make_series(struct seal *s, enum series_kind kind, const struct collected *c, size_t n,
	struct buf *out, struct roll_day *ten, struct roll_day *hour)
{
	struct block_writer block;
	const int64_t span = (int64_t)c[n - 1].at_ms - c[0].at_ms;
	block_writer_init(&block, kind, n > 1 ? span / (int64_t)(n - 1) : 0);
	if (kind == SERIES_PROBE) {
		const struct series_sample usual = typical(s, c, n);
		block_writer_expect(&block, &usual);
	}
	size_t stored = 0;
	for (; stored < n && !block_writer_full(&block); stored++) {
		const struct series_sample one = sample_of(s, kind, &c[stored]);
		block_writer_add(&block, &one);
		roll(ten, kind, level_step_ms(LEVEL_TEN_MINUTES), &one);
		roll(hour, kind, SERIES_HOUR_MS, &one);
	}
	s->t->refused += n - stored;
	block_writer_finish(&block, out, true);
	block_writer_fini(&block);
}

static bool put_series(struct seal *s, const struct counted *counted, struct error *err)
{
	struct collected *c = s->samples + counted->begin;
	struct buf out = BUF(SERIES_BLOCK_BYTES + 4096);
	struct roll_day ten = {0}, hour = {0};
	const uint32_t id = counted->id;
	qsort(c, counted->taken, sizeof(*c), by_time);
	make_series(s, counted->kind, c, counted->taken, &out, &ten, &hour);
	const bool good = put_slots(s, LEVEL_TEN_MINUTES, id, counted->kind, &ten, err) &&
			  put_slots(s, LEVEL_HOUR, id, counted->kind, &hour, err) &&
			  put_day(s, id, counted->kind, err) &&
			  files_put(s->db[LEVEL_RAW], "block", files_raw_id(id, s->hour, s->part),
				  buf_slice(&out), err);
	if (good)
		keep_recent(s, id, &out);
	roll_day_fini(&ten);
	roll_day_fini(&hour);
	buf_fini(&out);
	return good;
}

/* Those of the series from `begin` to before `end` of the counted ones, n in all. */
static bool put_some(struct seal *s, size_t begin, size_t end, uint64_t n, struct error *err)
{
	s->samples = mem_new_array(n, sizeof(*s->samples));
	s->bytes = BUF(BUF_MOST);
	s->faults = (struct block_faults){0};
	s->first = s->counted.p[begin].id;
	s->last = s->counted.p[end - 1].id;
	bool good = each_row(s, collect_sample, false, err);
	for (size_t i = begin; i < end && good; i++)
		if (s->counted.p[i].taken)
			good = put_series(s, &s->counted.p[i], err);
	free(s->samples);
	s->samples = NULL;
	buf_fini(&s->bytes);
	return good;
}

static bool put_all(struct seal *s, struct error *err)
{
	uint64_t all = 0;
	bool good = each_row(s, count_sample, true, err);
	VEC_EACH (&s->counted, struct counted, c)
		all += c->n;
	s->much = all > RECENT_BYTES; /* a byte a sample is little */
	for (size_t i = 0; good && i < s->counted.n;) {
		const size_t begin = i;
		uint64_t n = 0;
		for (; i < s->counted.n && (!n || n + s->counted.p[i].n <= SAMPLES_AT_ONCE); i++) {
			s->counted.p[i].begin = n;
			n += s->counted.p[i].n;
		}
		good = put_some(s, begin, i, n, err);
	}
	vec_fini(&s->counted);
	series_hist_fini(&s->hist);
	if (all > SAMPLES_AT_ONCE)
		mem_trim(); /* what it took is needed again in an hour */
	return good;
}

static bool put_mark(struct seal *s, struct error *err)
{
	const struct facts_value v[] = {
		FACTS_I(s->hour), FACTS_I(s->part + 1), FACTS_I(s->through)};
	return sqlite_rows(s->db[LEVEL_RAW],
		"INSERT OR REPLACE INTO sealed(hour, parts, through) VALUES(?, ?, ?)", v, 3, NULL,
		NULL, err);
}

static bool drop_rows(struct writer *w, int64_t hour, int64_t through, struct error *err)
{
	const struct facts_value v[] = {FACTS_I(hour), FACTS_I(through)};
	return sqlite_rows(
		w->tail.rows, "DELETE FROM row WHERE hour = ? AND seq <= ?", v, 2, NULL, NULL, err);
}

static bool open_levels(struct seal *s, struct error *err)
{
	for (int level = 0; level < LEVELS; level++) {
		s->periods[level] = period_of((enum level)level, s->hour * SERIES_HOUR_MS);
		s->db[level] = files_open(s->w->files, &s->periods[level], err);
		if (!s->db[level])
			return false;
	}
	return true;
}

static bool in_transactions(struct seal *s, struct error *err)
{
	static const enum level order[LEVELS] = {
		LEVEL_TEN_MINUTES, LEVEL_HOUR, LEVEL_DAY, LEVEL_RAW};
	bool good = true;
	for (int i = 0; i < LEVELS && good; i++)
		good = sqlite_exec(s->db[order[i]], "BEGIN IMMEDIATE", err);
	good = good && put_all(s, err) && put_mark(s, err);
	for (int i = 0; i < LEVELS && good; i++)
		good = sqlite_exec(s->db[order[i]], "COMMIT", err);
	for (int i = 0; i < LEVELS && !good; i++) {
		sqlite3 *db = s->db[i];
		if (files_move_away_if_rotten(s->w->files, &s->periods[i], db))
			s->t->corrupt++;
		else if (!sqlite3_get_autocommit(db))
			sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	}
	for (int i = 0; i < LEVELS && good; i++)
		sqlite3_db_release_memory(s->db[i]); /* until the next hour */
	return good;
}

static bool seal_hour(
	struct writer *w, struct turn *t, int64_t hour, int64_t through, struct error *err)
{
	struct seal s = {.w = w, .t = t, .hour = hour, .through = through, .recent = t->recent.n};
	int64_t done = 0;
	if (!open_levels(&s, err) || !get_mark(s.db[LEVEL_RAW], hour, &s.part, &done, err) ||
		!drop_rows(w, hour, done, err))
		return false;
	if (through > done && s.part == SERIES_PARTS) {
		if (!each_row(&s, count_sample, true, err))
			return false;
		VEC_EACH (&s.counted, struct counted, c)
			t->refused += c->n;
		vec_fini(&s.counted);
	} else if (through > done) {
		if (!in_transactions(&s, err)) {
			drop_recent(&s);
			return false;
		}
		s.part++;
	}
	seals_ours(w, t, &(struct sealed_hour){hour, through > done ? through : done, s.part});
	return drop_rows(w, hour, through, err);
}

/* --- all of them -------------------------------------------------------------------------------
 */

struct hour_rows {
	int64_t hour, through;
};

struct hours {
	VEC(struct hour_rows) list;
};

static bool take_hour(void *arg, const struct facts_row *row)
{
	struct hours *h = arg;
	vec_push(&h->list, ((struct hour_rows){facts_int(row, 0), facts_int(row, 1)}));
	return true;
}

/* The lock goes with the process, however it ends. */
static bool take_lock(struct writer *w)
{
	if (w->lock >= 0)
		return true;
	char *path = mem_printf("%s/series.lock", w->dir);
	const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(path);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		w->lock = fd;
	else if (fd >= 0)
		close(fd);
	return w->lock >= 0;
}

static void give_lock_back(struct writer *w)
{
	if (w->lock >= 0)
		close(w->lock);
	w->lock = -1;
}

struct expiry {
	struct writer *w;
	int64_t now_ms;
};

static void remove_expired(void *arg, const struct period *p)
{
	const struct expiry *e = arg;
	if (p->end_ms > e->now_ms - e->w->keep_ms[p->level])
		return;
	char *path = mem_printf("%s/%s", e->w->dir, p->name);
	files_drop(e->w->files, p->name);
	unlink(path);
	free(path);
}

bool writer_seal(struct writer *w, struct turn *t, struct error *err)
{
	const int64_t before = (t->now_ms - DELAY_MS) / SERIES_HOUR_MS;
	t->sealed = true;
	if (w->lock < 0) {
		const bool taken = take_lock(w); /* first: then nobody else seals any more */
		if (!seals_look(w, t, before, err)) {
			give_lock_back(w);
			return false;
		}
		if (!taken)
			return true;
	}
	struct hours h = {0};
	const struct facts_value v[] = {FACTS_I(before)};
	bool good = sqlite_rows(w->tail.rows,
		"SELECT hour, max(seq) FROM row WHERE hour < ? GROUP BY hour ORDER BY hour", v, 1,
		take_hour, &h, err);
	for (size_t i = 0; i < h.list.n && good; i++)
		good = seal_hour(w, t, h.list.p[i].hour, h.list.p[i].through, err);
	vec_fini(&h.list);
	files_each(w->dir, remove_expired, &(struct expiry){w, t->now_ms});
	seals_forget(w, (t->now_ms - w->keep_ms[LEVEL_RAW] - 8 * SERIES_DAY_MS) / SERIES_HOUR_MS);
	return good;
}

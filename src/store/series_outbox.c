/*
 * series_outbox.c - see series_outbox.h.
 */

#include "store/series_outbox.h"

#include <stdio.h>
#include <zstd.h>

#include "base/digest.h"
#include "base/random.h"
#include "store/parcel.h"
#include "store/sqlite.h"

#define KIND_NOTE   1
#define KIND_PACKED 2
#define PACK_FROM   512   /* bytes; smaller ones gain nothing */
#define PAGE_SERIES 10000 /* of a page: what they are called goes with it */

/* --- what is counted -------------------------------------------------------------------------- */

static bool take_counts(void *arg, const struct facts_row *row)
{
	struct outbox_state *s = arg;
	snprintf(s->stream, sizeof(s->stream), "%s", facts_text(row, 0));
	s->last = facts_int(row, 1);
	s->items = (uint64_t)facts_int(row, 2);
	s->bytes = (uint64_t)facts_int(row, 3);
	s->samples = (uint64_t)facts_int(row, 4);
	s->too_old = (uint64_t)facts_int(row, 5);
	s->too_many = (uint64_t)facts_int(row, 6);
	return false;
}

static bool take_oldest(void *arg, const struct facts_row *row)
{
	*(int64_t *)arg = facts_int(row, 0);
	return false;
}

static bool find_oldest(struct tail *t, struct error *err)
{
	t->outbox.oldest_ms = 0;
	return sqlite_rows(t->rows, "SELECT at FROM outbox ORDER BY seq LIMIT 1", NULL, 0,
		take_oldest, &t->outbox.oldest_ms, err);
}

static void draw_stream(struct outbox_state *s)
{
	uint8_t bytes[(OUTBOX_STREAM - 1) / 2];
	random_fill(&random_system, bytes, sizeof(bytes));
	char *hex = hex_encode(bytes, sizeof(bytes));
	snprintf(s->stream, sizeof(s->stream), "%s", hex);
	free(hex);
}

bool outbox_rows_begin(struct tail *t, int64_t now_ms, struct error *err)
{
	struct outbox_state *s = &t->outbox;
	if (s->stream[0])
		return true;
	if (!sqlite_rows(t->rows,
		    "SELECT stream, last, items, bytes, samples, too_old, too_many"
		    " FROM outbox_count",
		    NULL, 0, take_counts, s, err) ||
		!find_oldest(t, err))
		return false;
	if (!s->stream[0])
		draw_stream(s);
	/* A second has one item of each kind, seldom more, so a number by the clock is over all
	 * that were given before, also those whose transaction a loss of power took back. */
	if (s->last < now_ms)
		s->last = now_ms;
	return true;
}

static bool store_counts(struct tail *t, struct error *err)
{
	const struct outbox_state *s = &t->outbox;
	const struct facts_value v[] = {FACTS_T(s->stream), FACTS_I(s->last),
		FACTS_I((int64_t)s->items), FACTS_I((int64_t)s->bytes),
		FACTS_I((int64_t)s->samples), FACTS_I((int64_t)s->too_old),
		FACTS_I((int64_t)s->too_many)};
	return sqlite_rows(t->rows,
		"INSERT OR REPLACE INTO outbox_count(one, stream, last, items, bytes, samples,"
		" too_old, too_many) VALUES(1, ?, ?, ?, ?, ?, ?, ?)",
		v, array_len(v), NULL, NULL, err);
}

/* --- adding ----------------------------------------------------------------------------------- */

static bool insert(struct tail *t, int kind, int64_t at_ms, uint64_t samples, struct slice data,
	struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(t->rows,
		"INSERT INTO outbox(seq, kind, at, n, data) VALUES(?, ?, ?, ?, ?)", -1, &stmt,
		NULL);
	const int64_t numbers[] = {t->outbox.last + 1, kind, at_ms, (int64_t)samples};
	for (int i = 0; rc == SQLITE_OK && i < (int)array_len(numbers); i++)
		rc = sqlite3_bind_int64(stmt, i + 1, numbers[i]);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob(stmt, 5, data.p, (int)data.n, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		sqlite_error(t->rows, rc, NULL, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}

bool outbox_rows_add(struct tail *t, bool note, int64_t at_ms, uint64_t samples, struct slice data,
	struct error *err)
{
	struct outbox_state *s = &t->outbox;
	struct buf packed = BUF(PARCEL_BYTES);
	if (data.n >= PACK_FROM)
		parcel_pack(data, &packed);
	const bool smaller = packed.n && packed.n < data.n;
	const struct slice bytes = smaller ? buf_slice(&packed) : data;
	const int kind = (note ? KIND_NOTE : 0) | (smaller ? KIND_PACKED : 0);
	const bool good = insert(t, kind, at_ms, samples, bytes, err);
	if (good) {
		s->last++;
		s->items++;
		s->bytes += bytes.n;
		s->samples += samples;
		if (!s->oldest_ms)
			s->oldest_ms = at_ms;
	}
	buf_fini(&packed);
	return good;
}

/* --- leaving ---------------------------------------------------------------------------------- */

struct leaving {
	struct tail *tail;
	int64_t through;   /* all of these; else: */
	int64_t before_ms; /* stored before that; else for lack of room */
	int64_t last;      /* found */
	uint64_t old, many;
	struct outbox_state left; /* what stays */
};

static bool look_at(void *arg, const struct facts_row *row)
{
	struct leaving *l = arg;
	const int64_t seq = facts_int(row, 0), at_ms = facts_int(row, 1);
	const uint64_t samples = (uint64_t)facts_int(row, 2);
	const bool taken = seq <= l->through, old = at_ms < l->before_ms;
	if (!taken && !old && (int64_t)l->left.bytes <= l->tail->outbox_max)
		return false;
	if (!taken && old)
		l->old += samples;
	else if (!taken)
		l->many += samples;
	l->last = seq;
	l->left.items--;
	l->left.samples -= samples;
	l->left.bytes -= (uint64_t)facts_int(row, 3);
	return true;
}

static bool drop(struct tail *t, int64_t through, int64_t before_ms, struct error *err)
{
	struct leaving l = {
		.tail = t, .through = through, .before_ms = before_ms, .left = t->outbox};
	if (!sqlite_rows(t->rows, "SELECT seq, at, n, length(data) FROM outbox ORDER BY seq", NULL,
		    0, look_at, &l, err))
		return false;
	if (!l.last)
		return true;
	const struct facts_value v[] = {FACTS_I(l.last)};
	if (!sqlite_rows(t->rows, "DELETE FROM outbox WHERE seq <= ?", v, 1, NULL, NULL, err))
		return false;
	t->outbox = l.left;
	t->outbox.too_old += l.old;
	t->outbox.too_many += l.many;
	return find_oldest(t, err);
}

bool outbox_rows_end(struct tail *t, int64_t now_ms, struct error *err)
{
	return drop(t, 0, now_ms - OUTBOX_KEEP_MS, err) && store_counts(t, err);
}

bool outbox_rows_taken(struct tail *t, int64_t through, struct error *err)
{
	const struct outbox_state before = t->outbox;
	if (!tail_begin(t, err))
		return false;
	if (drop(t, through, INT64_MIN, err)) {
		if (t->outbox.last < through)
			t->outbox.last = through;
		if (store_counts(t, err) && tail_commit(t, err))
			return true;
	}
	tail_rollback(t);
	t->outbox = before;
	return false;
}

/* --- reading ---------------------------------------------------------------------------------- */

struct naming {
	struct buf *out;
	bool found;
};

static bool write_name(void *arg, const struct facts_row *row)
{
	struct naming *n = arg;
	const struct parcel_name name = {.kind = (enum series_kind)facts_int(row, 0),
		.unit = facts_text(row, 1),
		.name = facts_text(row, 2),
		.tags = facts_text(row, 3)};
	parcel_name_write(n->out, &name);
	n->found = true;
	return false;
}

static bool name_of(void *arg, uint32_t id, struct buf *out, struct error *err)
{
	const struct tail *t = arg;
	struct naming n = {.out = out};
	const struct facts_value v[] = {FACTS_I(id)};
	if (!sqlite_rows(t->catalog, "SELECT kind, unit, name, tags FROM series WHERE id = ?", v, 1,
		    write_name, &n, err))
		return false;
	if (!n.found)
		error_set(err, ERROR_STORE, "catalog.db has no series %u, of which the outbox has",
			id);
	return n.found;
}

/* One item into the parcel; one that is corrupt is left out and goes with the others. */
static void add_item(
	struct parcel_writer *w, struct outbox_found *f, int64_t seq, int kind, struct slice data)
{
	struct buf plain = BUF(PARCEL_BYTES);
	struct error err = {0};
	const bool packed = kind & KIND_PACKED;
	if ((packed && !parcel_unpack(data, &plain, &err)) ||
		!parcel_writer_add(w, seq, kind & KIND_NOTE, packed ? buf_slice(&plain) : data))
		f->corrupt++;
	f->last = seq;
	buf_fini(&plain);
}

static bool is_full(struct parcel_writer *w)
{
	return w->items.n >= OUTBOX_PAGE_BYTES || w->n >= PARCEL_ITEMS ||
	       (w->ids.n >= PAGE_SERIES && parcel_writer_series(w) >= PAGE_SERIES);
}

static bool fill(struct tail *t, struct parcel_writer *w, struct outbox_found *f, struct error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc = sqlite3_prepare_v2(
		t->rows, "SELECT seq, kind, data FROM outbox ORDER BY seq", -1, &stmt, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		if (is_full(w)) {
			f->more = true;
			rc = SQLITE_DONE;
			break;
		}
		add_item(w, f, sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1),
			slice_from(sqlite3_column_blob(stmt, 2),
				(size_t)sqlite3_column_bytes(stmt, 2)));
		rc = SQLITE_OK;
	}
	if (rc != SQLITE_DONE)
		sqlite_error(t->rows, rc, NULL, err);
	sqlite3_finalize(stmt);
	return rc == SQLITE_DONE;
}

bool outbox_rows_read(
	struct tail *t, struct slice head, struct outbox_found *ret, struct error *err)
{
	struct parcel_writer w;
	struct buf plain = BUF(PARCEL_BYTES);
	parcel_writer_init(&w);
	bool good =
		fill(t, &w, ret, err) && parcel_writer_finish(&w, head, name_of, t, &plain, err);
	if (good && plain.over) {
		error_set(err, ERROR_LIMIT, "what the outbox has of one second is over %u MiB",
			PARCEL_BYTES >> 20);
		good = false;
	}
	if (good)
		parcel_pack(buf_slice(&plain), &ret->parcel);
	ret->items = w.n;
	ret->samples = w.samples;
	buf_fini(&plain);
	parcel_writer_fini(&w);
	return good;
}

/* --- the inbox -------------------------------------------------------------------------------- */

bool inbox_rows_set(struct tail *t, const char *source, int64_t seq, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(source), FACTS_I(seq)};
	return sqlite_rows(t->rows, "INSERT OR REPLACE INTO inbox(source, seq) VALUES(?, ?)", v, 2,
		NULL, NULL, err);
}

struct inbox_each {
	void (*cb)(void *arg, const char *source, int64_t seq);
	void *arg;
};

static bool on_inbox(void *arg, const struct facts_row *row)
{
	const struct inbox_each *e = arg;
	e->cb(e->arg, facts_text(row, 0), facts_int(row, 1));
	return true;
}

bool inbox_rows_each(struct tail *t, void (*cb)(void *arg, const char *source, int64_t seq),
	void *arg, struct error *err)
{
	struct inbox_each e = {cb, arg};
	return sqlite_rows(t->rows, "SELECT source, seq FROM inbox", NULL, 0, on_inbox, &e, err);
}

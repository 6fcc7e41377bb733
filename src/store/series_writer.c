/*
 * series_writer.c - a turn of the writer: open what is not open, tell what is new, store what is
 * waiting, seal. See series_writer.h.
 *
 * Whatever fails, batches wait in order for the next turn; the loop bounds how many. They wait too
 * while more is to be told than one turn takes.
 */

#include "store/series_writer.h"

#include <stdio.h>
#include <unistd.h>

#include "store/series_inside.h"
#include "store/series_outbox.h"
#include "store/sqlite.h"

struct batch *batch_new(const char *location, int64_t hour)
{
	struct batch *b = mem_new(struct batch);
	b->location = mem_strdup(location);
	b->hour = hour;
	row_writer_init(&b->row);
	return b;
}

void batch_free(struct batch *b)
{
	row_writer_fini(&b->row);
	vec_fini(&b->series);
	free(b->location);
	free(b);
}

void turn_fini(struct turn *t)
{
	VEC_EACH (&t->series, struct found_series, s) {
		free(s->unit);
		free(s->location);
		free(s->name);
		free(s->tags);
	}
	VEC_EACH (&t->rows, struct found_row, r)
		free(r->p);
	VEC_EACH (&t->recent, struct recent_block, b)
		free(b->p);
	vec_fini(&t->series);
	vec_fini(&t->rows);
	vec_fini(&t->hours);
	vec_fini(&t->recent);
	vec_fini(&t->states);
	notes_free(&t->notes);
	marks_free(&t->marks);
	marks_free(&t->stored);
	spill_turn_fini(&t->spill);
}

void notes_move(notes_list *into, notes_list *from)
{
	VEC_EACH (from, struct note_item, n)
		vec_push(into, *n);
	vec_fini(from);
}

void notes_free(notes_list *notes)
{
	VEC_EACH (notes, struct note_item, n)
		free(n->p);
	vec_fini(notes);
}

static void mark_move(marks_list *into, struct mark_item m)
{
	VEC_EACH (into, struct mark_item, known) {
		if (strcmp(known->source, m.source) != 0)
			continue;
		if (known->seq < m.seq)
			known->seq = m.seq;
		free(m.source);
		return;
	}
	vec_push(into, m);
}

void marks_move(marks_list *into, marks_list *from)
{
	VEC_EACH (from, struct mark_item, m)
		mark_move(into, *m);
	vec_fini(from);
}

void marks_free(marks_list *marks)
{
	VEC_EACH (marks, struct mark_item, m)
		free(m->source);
	vec_fini(marks);
}

struct writer *writer_new(
	const char *dir, bool read_only, const int64_t *keep_ms, int64_t outbox_bytes)
{
	struct writer *w = mem_new(struct writer);
	w->dir = mem_strdup(dir);
	w->read_only = read_only;
	memcpy(w->keep_ms, keep_ms, sizeof(w->keep_ms));
	w->tail.dir = w->dir;
	w->tail.read_only = read_only;
	w->tail.outbox_max = outbox_bytes;
	w->files = files_new(dir, true);
	w->look = files_new(dir, false);
	w->lock = -1;
	w->last = &w->waiting;
	return w;
}

void writer_free(struct writer *w)
{
	if (!w)
		return;
	while (w->waiting) {
		struct batch *b = w->waiting;
		w->waiting = b->next;
		batch_free(b);
	}
	vec_fini(&w->sealed);
	vec_fini(&w->states);
	notes_free(&w->notes);
	marks_free(&w->marks);
	tail_close(&w->tail);
	files_free(w->files);
	files_free(w->look);
	if (w->lock >= 0)
		close(w->lock);
	free(w->dir);
	free(w);
}

/* --- what is new -------------------------------------------------------------------------------
 */

static void tell_series(void *arg, const struct tail_series *s)
{
	struct turn *t = arg;
	vec_push(&t->series,
		((struct found_series){s->id, s->kind, mem_strdup(s->unit), mem_strdup(s->location),
			mem_strdup(s->name), mem_strdup(s->tags)}));
}

struct telling {
	struct writer *writer;
	struct turn *turn;
};

/* A row that was sealed and not yet removed is in the files already. */
static void tell_row(void *arg, int64_t hour, int64_t seq, struct slice data)
{
	const struct telling *b = arg;
	if (seq > seals_through(b->writer, hour))
		vec_push(&b->turn->rows, ((struct found_row){hour, slice_dup(data), data.n}));
}

/* Inside a transaction of the tail, so that marks and rows fit each other. A piece of it: the rows
 * of a whole hour would take many times what the loop makes of them. */
static bool tell_news(struct writer *w, struct turn *t, struct error *err)
{
	struct telling b = {w, t};
	if (!w->marked)
		seals_begin(w, t);
	w->marked = true;
	/* Rows first: the series they speak of are in the catalog by then. */
	const bool good = tail_new_rows(&w->tail, tell_row, &b, &t->more, err) &&
			  tail_new_series(&w->tail, tell_series, t, err);
	w->begun |= !t->more;
	t->more &= good;
	return good;
}

/* Who only looks never learns of a seal that others make meanwhile: all pieces are of one
 * transaction. */
static bool tell_without_writing(struct writer *w, struct turn *t, struct error *err)
{
	if (!tail_is_begun(&w->tail) && !tail_begin_look(&w->tail, err))
		return false;
	const bool good = tell_news(w, t, err);
	if (!good || !t->more || !w->read_only)
		tail_rollback(&w->tail);
	return good;
}

/* --- storing -----------------------------------------------------------------------------------
 */

static void take(struct writer *w, struct turn *t)
{
	*w->last = t->batches;
	for (struct batch *b = t->batches; b; b = b->next) {
		w->waiting_samples += b->row.n;
		w->last = &b->next;
	}
	t->batches = NULL;
	VEC_EACH (&t->states, struct states_item, i)
		vec_push(&w->states, *i);
	vec_fini(&t->states);
	notes_move(&w->notes, &t->notes);
	marks_move(&w->marks, &t->marks);
}

static bool give_id(struct writer *w, struct series *s, struct error *err)
{
	if (series_id(s))
		return true;
	const struct tail_series key = {.kind = s->kind,
		.unit = s->unit,
		.location = s->location,
		.name = s->name,
		.tags = s->text + strlen(s->name)};
	uint32_t id;
	if (!tail_series_id(&w->tail, &key, &id, err))
		return false;
	atomic_store(&s->id, id);
	return true;
}

/* Ids are durable before a row speaks of them. */
static bool give_ids(struct writer *w, struct error *err)
{
	bool missing = false, good = true;
	for (const struct batch *b = w->waiting; b && !missing; b = b->next)
		VEC_EACH (&b->series, struct series *, s)
			missing |= !series_id(*s);
	VEC_EACH (&w->states, struct states_item, i)
		missing |= !series_id(i->series);
	if (!missing)
		return true;
	if (!sqlite_exec(w->tail.catalog, "BEGIN IMMEDIATE", err))
		return false;
	for (const struct batch *b = w->waiting; b && good; b = b->next)
		for (size_t i = 0; i < b->series.n && good; i++)
			good = give_id(w, b->series.p[i], err);
	for (size_t i = 0; i < w->states.n && good; i++)
		good = give_id(w, w->states.p[i].series, err);
	good = good && sqlite_exec(w->tail.catalog, "COMMIT", err);
	if (good)
		return true;
	/* What was given in this transaction is void. */
	for (const struct batch *b = w->waiting; b; b = b->next)
		VEC_EACH (&b->series, struct series *, s)
			if (series_id(*s) > w->tail.seen_id)
				atomic_store(&(*s)->id, 0);
	VEC_EACH (&w->states, struct states_item, i)
		if (series_id(i->series) > w->tail.seen_id)
			atomic_store(&i->series->id, 0);
	if (!sqlite3_get_autocommit(w->tail.catalog))
		sqlite3_exec(w->tail.catalog, "ROLLBACK", NULL, NULL, NULL);
	return false;
}

static bool add_batch(struct writer *w, const struct batch *b, int64_t now_ms, int64_t *ret_seq,
	struct error *err)
{
	struct buf row = BUF(SERIES_ROW_BYTES);
	struct row_series *list = mem_new_array(b->series.n, sizeof(*list));
	for (size_t i = 0; i < b->series.n; i++)
		list[i] = (struct row_series){series_id(b->series.p[i]), b->series.p[i]->kind};
	row_writer_finish(&b->row, list, b->series.n, &row);
	const bool good = tail_add(&w->tail, b->location, b->hour, buf_slice(&row), ret_seq, err) &&
			  (!w->tail.outbox_max || outbox_rows_add(&w->tail, false, now_ms, b->row.n,
							  buf_slice(&row), err));
	free(list);
	buf_fini(&row);
	return good;
}

static void on_mark(void *arg, const char *source, int64_t seq)
{
	struct turn *t = arg;
	vec_push(&t->stored, ((struct mark_item){mem_strdup(source), seq}));
}

/* All that waits, inside one transaction, when all that is new was told. *ret_last: the newest row
 * of ours; 0: none. */
static bool add_all(struct writer *w, struct turn *t, int64_t *ret_last, struct error *err)
{
	struct tail *tail = &w->tail;
	bool good = (w->marks_told || inbox_rows_each(tail, on_mark, t, err)) &&
		    (!tail->outbox_max || outbox_rows_begin(tail, t->now_ms, err)) &&
		    tail_number(tail, t->now_ms, err);
	for (const struct batch *b = w->waiting; b && good; b = b->next)
		good = add_batch(w, b, t->now_ms, ret_last, err);
	for (size_t i = 0; i < w->notes.n && good; i++) {
		const struct note_item *n = &w->notes.p[i];
		good = outbox_rows_add(tail, true, n->at_ms, 0, slice_from(n->p, n->n), err);
	}
	for (size_t i = 0; i < w->marks.n && good; i++)
		good = inbox_rows_set(tail, w->marks.p[i].source, w->marks.p[i].seq, err);
	return good && (!tail->outbox_max || outbox_rows_end(tail, t->now_ms, err));
}

/* Who sent what is marked forgets it: it must be on the disk. */
static bool begin(struct writer *w, struct error *err)
{
	return w->marks.n ? tail_begin_durable(&w->tail, err) : tail_begin(&w->tail, err);
}

static bool store_batches(struct writer *w, struct turn *t, struct error *err)
{
	const struct outbox_state before = w->tail.outbox;
	int64_t last = 0;
	if (!begin(w, err))
		return false;
	const bool told = tell_news(w, t, err);
	if (told && t->more) {
		tail_rollback(&w->tail);
		return true;
	}
	if (!told || !add_all(w, t, &last, err) || !tail_commit(&w->tail, err)) {
		tail_rollback(&w->tail);
		w->tail.outbox = before;
		return false;
	}
	w->marks_told = true;
	marks_move(&t->stored, &w->marks);
	notes_free(&w->notes);
	if (last > w->tail.seen)
		w->tail.seen = last;
	while (w->waiting) {
		struct batch *b = w->waiting;
		w->waiting = b->next;
		batch_free(b);
	}
	w->last = &w->waiting;
	w->waiting_samples = 0;
	return true;
}

static void states_bytes(const struct series_states *s, struct buf *out)
{
	const char head[] = {(char)s->worst, (char)s->first, (char)s->last};
	buf_add(out, head, sizeof(head));
	for (size_t i = 0; i < array_len(s->seconds); i++)
		code_put_varint(out, s->seconds[i]);
}

static bool store_states(struct writer *w, struct error *err)
{
	if (!w->states.n)
		return true;
	const struct period days = period_of(LEVEL_DAY, 0);
	sqlite3 *db = files_open(w->files, &days, err);
	if (!db || !sqlite_exec(db, "BEGIN IMMEDIATE", err))
		return false;
	bool good = true;
	for (size_t i = 0; i < w->states.n && good; i++) {
		const struct states_item *item = &w->states.p[i];
		struct buf bytes = BUF(64);
		states_bytes(&item->states, &bytes);
		good = files_put(db, "states", (int64_t)series_id(item->series) << 24 | item->day,
			buf_slice(&bytes), err);
		buf_fini(&bytes);
	}
	good = good && sqlite_exec(db, "COMMIT", err);
	if (!good && !sqlite3_get_autocommit(db))
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	if (good)
		vec_fini(&w->states);
	return good;
}

/* --- a turn ------------------------------------------------------------------------------------
 */

/* A disk that cannot be written can still be read: what it holds is told once. */
static void look_only(struct writer *w, struct turn *t)
{
	struct error ignored = {0};
	w->tail.read_only = true;
	tail_close(&w->tail);
	if (tail_open(&w->tail, &ignored) && !tell_without_writing(w, t, &ignored))
		t->corrupt++;
	tail_close(&w->tail);
	w->tail.read_only = false;
}

static bool work(struct writer *w, struct turn *t, struct error *err)
{
	if (!tail_open(&w->tail, err)) {
		if (!w->begun && !w->read_only)
			look_only(w, t);
		return false;
	}
	if (w->tail.moved_away)
		t->corrupt++;
	w->tail.moved_away = false;
	if (w->read_only)
		return tell_without_writing(w, t, err);
	if (!w->begun || w->waiting || w->notes.n || w->marks.n || t->seal)
		if (!give_ids(w, err) || !store_batches(w, t, err))
			return false;
	if (t->more)
		return true;
	if (!give_ids(w, err) || !store_states(w, err))
		return false;
	return !t->seal || writer_seal(w, t, err);
}

void writer_turn(struct writer *w, struct turn *t)
{
	spill_work(&t->spill, w->dir);
	take(w, t);
	t->good = work(w, t, &t->err);
	t->waiting = w->waiting_samples;
	VEC_EACH (&w->notes, struct note_item, n)
		t->waiting_notes += n->n;
	t->outbox = w->tail.outbox;
}

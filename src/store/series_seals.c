/*
 * series_seals.c - which seals the loop was told of, and those of other processes; see
 * series_writer.h.
 *
 * Of each hour the loop counts the parts it was told of, and has in memory the rows behind them:
 * all that are known (tail.seen) and newer than `through` of its last part. A seal of another
 * process moves that line, so both move in one turn: the heads go, and the rows behind the new line
 * are told again, from the tail, where they stay until a seal takes them. Marks are read after a
 * snapshot of the tail was taken: a row goes only when its mark stands, so what the snapshot lacks
 * is in the parts that are read.
 */

#include "store/series_inside.h"
#include "store/sqlite.h"

static struct sealed_hour *find(const struct writer *w, int64_t hour)
{
	for (size_t i = w->sealed.n; i-- > 0;)
		if (w->sealed.p[i].hour == hour)
			return &w->sealed.p[i];
	return NULL;
}

int64_t seals_through(const struct writer *w, int64_t hour)
{
	const struct sealed_hour *s = find(w, hour);
	return s ? s->through : 0;
}

/* Rows of an hour among the first n that were to be told. */
static void forget_rows(struct turn *t, int64_t hour, size_t n)
{
	for (size_t i = n; i-- > 0;)
		if (t->rows.p[i].hour == hour) {
			free(t->rows.p[i].p);
			vec_remove(&t->rows, i);
		}
}

static void tell(struct writer *w, struct turn *t, const struct sealed_hour *s, bool covered)
{
	struct sealed_hour *known = find(w, s->hour);
	if (w->tail.given < s->through)
		w->tail.given = s->through;
	if (known)
		*known = *s;
	else
		vec_push(&w->sealed, *s);
	vec_push(&t->hours, ((struct hour_parts){s->hour, s->parts, covered}));
}

void seals_ours(struct writer *w, struct turn *t, const struct sealed_hour *s)
{
	forget_rows(t, s->hour, t->rows.n);
	tell(w, t, s, true);
}

void seals_forget(struct writer *w, int64_t before_hour)
{
	for (size_t i = w->sealed.n; i-- > 0;)
		if (w->sealed.p[i].hour < before_hour)
			vec_remove(&w->sealed, i);
}

/* --- what the raw files say --------------------------------------------------------------------
 */

struct looking {
	struct writer *writer;
	int64_t before; /* hours */
	VEC(struct sealed_hour) found;
	uint64_t corrupt;
	bool busy; /* one could not be read, err says why */
	struct error err;
};

static bool take_sealed(void *arg, const struct facts_row *row)
{
	struct looking *l = arg;
	const int64_t parts = facts_int(row, 1);
	const struct sealed_hour s = {.hour = facts_int(row, 0),
		.parts = parts < SERIES_PARTS ? (unsigned)parts : SERIES_PARTS,
		.through = facts_int(row, 2)};
	const struct sealed_hour *known = find(l->writer, s.hour);
	if (s.hour < l->before &&
		(!known || known->parts != s.parts || known->through != s.through))
		vec_push(&l->found, s);
	return true;
}

/* Opened anew: the file may have been moved away and begun again. */
static void look_into(void *arg, const struct period *p)
{
	struct looking *l = arg;
	struct files *files = l->writer->look;
	struct error err = {0};
	if (p->level != LEVEL_RAW)
		return;
	files_drop(files, p->name);
	sqlite3 *db = files_open(files, p, &err);
	if (db && sqlite_rows(db, "SELECT hour, parts, through FROM sealed", NULL, 0, take_sealed,
			  l, &err))
		return;
	if (files_is_busy(files, db)) {
		l->busy = true;
		l->err = err;
	} else if (err.msg[0]) {
		l->corrupt++;
	}
}

void seals_begin(struct writer *w, struct turn *t)
{
	struct looking l = {.writer = w, .before = INT64_MAX};
	files_each(w->dir, look_into, &l);
	VEC_EACH (&l.found, struct sealed_hour, s)
		tell(w, t, s, false);
	vec_fini(&l.found);
	t->corrupt += l.corrupt + l.busy;
}

/* --- and those of other processes --------------------------------------------------------------
 */

static void take_row(void *arg, int64_t hour, int64_t seq, struct slice data)
{
	struct turn *t = arg;
	vec_push(&t->rows, ((struct found_row){hour, slice_dup(data), data.n}));
}

static bool move_line(
	struct writer *w, struct turn *t, const struct sealed_hour *s, struct error *err)
{
	const size_t before = t->rows.n;
	if (!tail_rows_behind(&w->tail, s->hour, s->through, take_row, t, err)) {
		while (t->rows.n > before)
			free(vec_pop(&t->rows).p);
		return false;
	}
	forget_rows(t, s->hour, before);
	tell(w, t, s, true);
	return true;
}

bool seals_look(struct writer *w, struct turn *t, int64_t before, struct error *err)
{
	struct looking l = {.writer = w, .before = before};
	if (!tail_begin_look(&w->tail, err))
		return false;
	files_each(w->dir, look_into, &l);
	bool good = true;
	for (size_t i = 0; i < l.found.n && good; i++)
		good = move_line(w, t, &l.found.p[i], err);
	if (good && l.busy) {
		*err = l.err;
		good = false;
	}
	t->corrupt += l.corrupt;
	vec_fini(&l.found);
	tail_rollback(&w->tail);
	return good;
}

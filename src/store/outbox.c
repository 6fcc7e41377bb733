/*
 * outbox.c - the loop's half of outbox.h: what waits for the writer's next turn, and what it said.
 */

#include "store/outbox.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "store/parcel.h"
#include "store/series_inside.h"
#include "store/series_outbox.h"

struct outbox_state outbox_state(const struct series_store *st)
{
	struct outbox_state s = st->outbox;
	s.lost_notes = st->lost_notes;
	return s;
}

/* --- notes ------------------------------------------------------------------------------------ */

void outbox_note(struct series_store *st, struct slice bytes)
{
	assert(st->options.outbox_bytes);
	if (st->note_bytes + bytes.n > OUTBOX_NOTES_MAX) {
		st->lost_notes++;
		return;
	}
	struct note_item *last = st->notes.n ? &st->notes.p[st->notes.n - 1] : NULL;
	if (!last || last->n + bytes.n > OUTBOX_ROW_BYTES) {
		last = vec_add(&st->notes);
		last->at_ms = store_now_ms(st);
	}
	last->p = mem_resize(last->p, last->n + bytes.n, 1);
	memcpy(last->p + last->n, bytes.p, bytes.n);
	last->n += bytes.n;
	st->note_bytes += bytes.n;
	store_flush_soon(st);
}

/* --- the inbox -------------------------------------------------------------------------------- */

void inbox_take(struct series_store *st, const char *source, int64_t seq)
{
	marks_list one = {0};
	assert(strlen(source) <= INBOX_SOURCE);
	vec_push(&one, ((struct mark_item){mem_strdup(source), seq}));
	marks_move(&st->marks, &one);
	store_flush_soon(st);
}

void inbox_hurry(struct series_store *st)
{
	timer_cancel(&st->flush);
	turn_start(st, st->seal_wanted);
}

int64_t inbox_taken(const struct series_store *st, const char *source)
{
	const int64_t *seq = map_get(&st->inbox, source);
	return seq ? *seq : 0;
}

/* --- turns ------------------------------------------------------------------------------------ */

void outbox_learn(struct series_store *st, struct turn *t)
{
	size_t waiting = 0;
	const bool moved = t->stored.n > 0;
	st->outbox = t->outbox;
	VEC_EACH (&t->stored, struct mark_item, m) {
		int64_t *seq = map_get(&st->inbox, m->source);
		if (!seq) {
			seq = mem_new(int64_t);
			map_put(&st->inbox, m->source, seq);
		}
		*seq = *seq < m->seq ? m->seq : *seq;
	}
	VEC_EACH (&st->notes, struct note_item, n)
		waiting += n->n;
	st->note_bytes = waiting + t->waiting_notes;
	if (moved && st->options.stored)
		st->options.stored(st->options.trouble_arg);
}

void outbox_fini(struct series_store *st)
{
	notes_free(&st->notes);
	marks_free(&st->marks);
	MAP_EACH (&st->inbox, e)
		free(e->value);
	map_fini(&st->inbox);
}

/* --- what is sent ----------------------------------------------------------------------------- */

struct outbox_reading {
	struct worker_job job; /* first */
	struct series_store *store;
	char *head;
	struct outbox_found found;
	bool good;
	struct error err;
	outbox_read_done *done; /* NULL: cancelled */
	void *arg;
};

static void on_read(struct worker_job *j, unsigned thread)
{
	struct outbox_reading *r = (struct outbox_reading *)j;
	struct tail *t = &r->store->writer->tail;
	r->good =
		tail_open(t, &r->err) && outbox_rows_read(t, slice_of(r->head), &r->found, &r->err);
}

static void on_read_done(struct worker_job *j)
{
	struct outbox_reading *r = (struct outbox_reading *)j;
	const struct outbox_page page = {.parcel = buf_slice(&r->found.parcel),
		.last = r->found.last,
		.items = r->found.items,
		.samples = r->found.samples,
		.more = r->found.more};
	r->store->status.corrupt += r->found.corrupt;
	if (r->done)
		r->done(r->arg, r->good ? &page : NULL, r->good ? NULL : &r->err);
	buf_fini(&r->found.parcel);
	free(r->head);
	free(r);
}

struct outbox_reading *outbox_read(
	struct series_store *st, struct slice head, outbox_read_done *done, void *arg)
{
	struct outbox_reading *r = mem_new(struct outbox_reading);
	r->store = st;
	r->head = slice_dup(head);
	r->done = done;
	r->arg = arg;
	buf_init(&r->found.parcel, PARCEL_BYTES);
	r->job.work = on_read;
	r->job.done = on_read_done;
	worker_submit(st->write, &r->job);
	return r;
}

void outbox_cancel(struct outbox_reading *r)
{
	if (r)
		r->done = NULL;
}

struct outbox_taking {
	struct worker_job job; /* first */
	struct series_store *store;
	int64_t through;
	bool good;
	struct error err;
	struct outbox_state after;
};

static void on_taken(struct worker_job *j, unsigned thread)
{
	struct outbox_taking *t = (struct outbox_taking *)j;
	struct tail *tail = &t->store->writer->tail;
	t->good = tail_open(tail, &t->err) && outbox_rows_taken(tail, t->through, &t->err);
	t->after = tail->outbox;
}

static void on_taken_done(struct worker_job *j)
{
	struct outbox_taking *t = (struct outbox_taking *)j;
	t->store->outbox = t->after;
	if (!t->good) /* what stays is sent again, and not taken again */
		log_event(LOG_WARN, "outbox_not_cleared", "why", "%s", t->err.msg, NULL);
	free(t);
}

void outbox_taken(struct series_store *st, int64_t through)
{
	struct outbox_taking *t = mem_new(struct outbox_taking);
	t->store = st;
	t->through = through;
	t->job.work = on_taken;
	t->job.done = on_taken_done;
	worker_submit(st->write, &t->job);
}

/*
 * metrics_waiting.c - what waits for a receiver: batches of lines, oldest first, bounded.
 */

#include "tell/metrics_inside.h"

void waiting_free(struct batch *b)
{
	if (!b)
		return;
	buf_fini(&b->lines);
	vec_fini(&b->at_ns);
	free(b);
}

/* What waits longest is lost first, but for what is being sent. */
static void make_room(struct sender *s)
{
	const size_t from = s->sending || s->stream ? 1 : 0;
	while (s->waiting_size > (size_t)s->config.spool_size && s->batches.n > from) {
		struct batch *b = s->batches.p[from];
		s->lost += b->n;
		s->waiting -= b->n;
		s->waiting_size -= b->lines.n;
		waiting_free(b);
		vec_remove(&s->batches, from);
		sender_note_full(s);
	}
}

void waiting_close(struct sender *s)
{
	timer_cancel(&s->due);
	if (!s->open)
		return;
	vec_push(&s->batches, s->open);
	s->open = NULL;
	make_room(s);
}

struct batch *waiting_open(struct sender *s, size_t max)
{
	if (!s->open) {
		s->open = mem_new(struct batch);
		s->open->lines = BUF(max);
		s->open->first_ns = loop_now_ns(s->metrics->loop);
	}
	return s->open;
}

void waiting_added(struct sender *s, size_t bytes)
{
	s->open->n++;
	s->waiting++;
	s->waiting_size += bytes;
	make_room(s);
}

void waiting_drop_first(struct sender *s)
{
	struct batch *b = s->batches.p[0];
	s->waiting -= b->n;
	s->waiting_size -= b->lines.n;
	waiting_free(b);
	vec_remove(&s->batches, 0);
	s->tries = 0;
}

void waiting_forget(struct sender *s)
{
	s->lost += s->waiting;
	s->waiting = s->waiting_size = 0;
	waiting_free(s->open);
	s->open = NULL;
	for (size_t i = 0; i < s->batches.n; i++)
		waiting_free(s->batches.p[i]);
	s->batches.n = 0;
}

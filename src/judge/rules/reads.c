/*
 * reads.c - see reads.h.
 */

#include "judge/rules/reads.h"

#define READING 8

struct read {
	struct reads *reads; /* NULL: given up */
	struct read *next;   /* waiting, or under way */
	struct read_wanted wanted;
	struct series_query *query;
};

struct reads {
	struct read *first, **last; /* waiting, in order */
	struct read *under_way;
	size_t under_way_n;
	void (*ended)(void *arg);
	void *arg;
};

struct reads *reads_new(void (*ended)(void *arg), void *arg)
{
	struct reads *r = mem_new(struct reads);
	r->last = &r->first;
	r->ended = ended;
	r->arg = arg;
	return r;
}

void reads_free(struct reads *reads)
{
	if (!reads)
		return;
	while (reads->first) {
		struct read *r = reads->first;
		reads->first = r->next;
		free(r);
	}
	for (struct read *r = reads->under_way; r; r = r->next) {
		r->reads = NULL; /* it frees itself */
		series_cancel(r->query);
	}
	free(reads);
}

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct read *r = arg;
	struct reads *reads = r->reads;
	if (!reads) {
		free(r);
		return;
	}
	struct read **at = &reads->under_way;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	reads->under_way_n--;
	const struct read_wanted w = r->wanted;
	free(r);
	w.done(w.arg, w.more, points, w.to_ms, err);
	reads->ended(reads->arg);
}

void reads_add(struct reads *reads, const struct read_wanted *w)
{
	struct read *r = mem_new(struct read);
	r->reads = reads;
	r->wanted = *w;
	*reads->last = r;
	reads->last = &r->next;
}

void reads_begin(struct reads *reads)
{
	while (reads->first && reads->under_way_n < READING) {
		struct read *r = reads->first;
		reads->first = r->next;
		if (!reads->first)
			reads->last = &reads->first;
		r->next = reads->under_way;
		reads->under_way = r;
		reads->under_way_n++;
		struct read_wanted *w = &r->wanted;
		if (w->begin)
			w->begin(w->arg, &w->to_ms);
		r->query = series_read(
			w->series, w->from_ms, w->to_ms, w->step_ms, false, on_points, r);
	}
}

bool reads_idle(const struct reads *r)
{
	return !r->first && !r->under_way;
}

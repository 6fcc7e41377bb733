/*
 * rules_read.c - what rules read from the store: what came before they listened, whole hours of the
 * past, and a replay. A few readings at once; each may be given up at any time.
 */

#include "judge/rules/rules_inside.h"

#define READING 8

/* --- one reading
 * ---------------------------------------------------------------------------------- */

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct read *r = arg;
	struct rules *rules = r->rules;
	if (!rules) {
		free(r);
		return;
	}
	struct read **at = &rules->under_way;
	while (*at != r)
		at = &(*at)->next;
	*at = r->next;
	rules->under_way_n--;
	for (size_t i = 0; !err && i < points->n; i++) {
		if (r->past)
			bucket_add_point(&r->past->sum, &points->p[i]);
		else if (points->p[i].at_ms < r->to_ms)
			ring_add_point(
				&r->attached->group->rings[r->attached->watch], &points->p[i]);
	}
	if (err)
		rules_say(r->attached->group->run, "%s could not be read: %.300s",
			series_text(r->attached->series), err->msg);
	if (r->past && --r->past->reading == 0)
		r->past->there = true;
	if (!r->past)
		r->attached->group->run->reading--;
	free(r);
	rules_reading_ended(rules);
}

static void on_sample(void *arg, const struct series_sample *s)
{
	struct attached *a = arg;
	ring_add(&a->group->rings[a->watch], a->kind, s);
}

/* What is read ends where hearing begins: no sample is missed, none counted twice. */
static void begin_to_hear(struct read *r)
{
	struct attached *a = r->attached;
	if (r->past || !r->rules->listens)
		return;
	r->to_ms = clock_unix_us(loop_clock(r->rules->loop)) / 1000 + 1;
	a->listener.heard = on_sample;
	a->listener.arg = a;
	series_listen(a->series, &a->listener);
}

void reads_begin(struct rules *rules)
{
	while (rules->waiting && rules->under_way_n < READING) {
		struct read *r = rules->waiting;
		rules->waiting = r->next;
		r->next = rules->under_way;
		rules->under_way = r;
		rules->under_way_n++;
		begin_to_hear(r);
		r->query = series_read(
			r->attached->series, r->from_ms, r->to_ms, r->step_ms, false, on_points, r);
	}
}

void reads_give_up(struct rules *rules)
{
	while (rules->waiting) {
		struct read *r = rules->waiting;
		rules->waiting = r->next;
		free(r);
	}
	for (struct read *r = rules->under_way; r; r = r->next) {
		r->rules = NULL;
		series_cancel(r->query);
	}
	rules->under_way = NULL;
}

static struct read *read_new(struct attached *a, int64_t from_ms, int64_t to_ms, int64_t step_ms)
{
	struct rules *rules = a->group->run->rules;
	struct read *r = mem_new(struct read);
	*r = (struct read){.rules = rules,
		.attached = a,
		.from_ms = from_ms,
		.to_ms = to_ms,
		.step_ms = step_ms,
		.next = rules->waiting};
	rules->waiting = r;
	return r;
}

/* --- what came before
 * -------------------------------------------------------------------------------- */

/* Buckets where they fit into hours, else ticks or hours that make them up. */
static int64_t step_for(int64_t bucket_ms)
{
	if (SERIES_HOUR_MS % bucket_ms == 0)
		return bucket_ms;
	return bucket_ms % SERIES_HOUR_MS == 0 ? SERIES_HOUR_MS : RULES_TICK_MS;
}

void read_before(struct attached *a, int64_t from_ms, int64_t to_ms)
{
	struct rules *rules = a->group->run->rules;
	const int64_t step = step_for(a->group->rings[a->watch].width_ms);
	const bool rolled = step % (SERIES_DAY_MS / 144) == 0;
	/* Begins on a step, within what one answer has and what is kept. */
	int64_t from = from_ms < 0 ? 0 : from_ms / step * step;
	const int64_t most = to_ms - (SERIES_POINTS_MAX - 2) * step;
	const int64_t kept = clock_unix_us(loop_clock(rules->loop)) / 1000 -
			     series_kept(rules->store).raw_ms + SERIES_DAY_MS;
	from = from < most ? most / step * step + step : from;
	if (!rolled && from < kept)
		from = kept / step * step + step;
	if (from >= to_ms)
		return;
	read_new(a, from, to_ms, step);
	a->group->run->reading++;
}

/* --- hours of the past
 * ---------------------------------------------------------------------------------- */

bool read_past(struct group *g, size_t term, int64_t at_ms)
{
	const struct rule_term *t = &g->run->rule->terms.p[term];
	struct past *p = &g->pasts[term];
	const int64_t hour = (at_ms - t->ago_ms) / SERIES_HOUR_MS;
	if (p->reading || (p->hour == hour && p->there))
		return p->hour == hour && p->there;
	bucket_fini(&p->sum);
	p->hour = hour;
	VEC_EACH (&g->run->attached, struct attached *, a) {
		if ((*a)->group != g || (*a)->watch != t->watch)
			continue;
		read_new(*a, hour * SERIES_HOUR_MS, (hour + 1) * SERIES_HOUR_MS, SERIES_HOUR_MS)
			->past = p;
		p->reading++;
	}
	p->there = p->reading == 0;
	return p->there;
}

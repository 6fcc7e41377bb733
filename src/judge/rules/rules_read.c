/*
 * rules_read.c - what rules read from the store: what came before they listened, whole hours of the
 * past, and a replay.
 */

#include "judge/rules/rules_inside.h"

static void say_unread(const struct attached *a, const struct error *err)
{
	if (err)
		rules_say(a->group->run, "%s could not be read: %.300s", series_text(a->series),
			err->msg);
}

/* --- what came before
 * -------------------------------------------------------------------------------- */

static void on_sample(void *arg, const struct series_sample *s)
{
	struct attached *a = arg;
	ring_add(&a->group->rings[a->watch], a->kind, s);
}

/* What is read ends where hearing begins: no sample is missed, none counted twice. */
static void begin_to_hear(void *arg, int64_t *to_ms)
{
	struct attached *a = arg;
	const struct rules *rules = a->group->run->rules;
	if (!rules->listens)
		return;
	*to_ms = clock_unix_us(loop_clock(rules->loop)) / 1000 + 1;
	a->listener.heard = on_sample;
	a->listener.arg = a;
	series_listen(a->series, &a->listener);
}

static void on_before(void *arg, void *unused, const struct series_points *points, int64_t to_ms,
	const struct error *err)
{
	struct attached *a = arg;
	(void)unused;
	for (size_t i = 0; !err && i < points->n; i++)
		if (points->p[i].at_ms < to_ms)
			ring_add_point(&a->group->rings[a->watch], &points->p[i]);
	say_unread(a, err);
	a->group->run->reading--;
}

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
	reads_add(rules->reads, &(struct read_wanted){.series = a->series,
					.from_ms = from,
					.to_ms = to_ms,
					.step_ms = step,
					.begin = a->listener.heard ? NULL : begin_to_hear,
					.done = on_before,
					.arg = a});
	a->group->run->reading++;
}

/* --- hours of the past
 * ---------------------------------------------------------------------------------- */

static void on_past(void *arg, void *more, const struct series_points *points, int64_t to_ms,
	const struct error *err)
{
	struct past *p = more;
	(void)to_ms;
	for (size_t i = 0; !err && i < points->n; i++)
		bucket_add_point(&p->sum, &points->p[i]);
	say_unread(arg, err);
	p->there = --p->reading == 0;
}

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
		reads_add(g->run->rules->reads, &(struct read_wanted){.series = (*a)->series,
							.from_ms = hour * SERIES_HOUR_MS,
							.to_ms = (hour + 1) * SERIES_HOUR_MS,
							.step_ms = SERIES_HOUR_MS,
							.done = on_past,
							.arg = *a,
							.more = p});
		p->reading++;
	}
	p->there = p->reading == 0;
	return p->there;
}

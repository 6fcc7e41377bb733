/*
 * judge_days.c - the seconds of each UTC day that a component spent in each state.
 *
 * Counted in milliseconds, cut exactly at midnight, written as whole seconds whose sum is the time
 * we observed. What earlier starts counted today is read back before anything is written, so that a
 * restart adds instead of replacing. A kill takes what was counted since the last beat; the facts
 * know it to the second, so at a start the day is counted again from them.
 */

#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "judge/judge_inside.h"

/* What the facts know more of a day than was written of it, at most: a few kills in a row. When it
 * is more, the component was not watched meanwhile. */
#define BEHIND_MS (6LL * JUDGE_BEAT_MS)

struct day_read { /* outlives its component until its callback */
	struct judged *c;
	int64_t day;
	struct series_query *query;
};

static void start_day(struct day_count *d, int64_t day)
{
	d->day = day;
	for (int h = 0; h < HEALTH_COUNT; h++)
		d->ms[h] = 0;
}

static int64_t sum(const struct day_count *d)
{
	int64_t ms = 0;
	for (int h = 0; h < HEALTH_COUNT; h++)
		ms += d->ms[h];
	return ms;
}

static void add(struct day_count *d, enum health h, int64_t ms)
{
	if (ms <= 0)
		return;
	if (!sum(d)) {
		d->first = (uint8_t)h;
		d->worst = (uint8_t)h;
	}
	d->worst = (uint8_t)health_worse((enum health)d->worst, h);
	d->last = (uint8_t)h;
	d->ms[h] += ms;
}

/* Rounded so that the sum is that of the whole. */
static struct series_states states(const struct day_count *d)
{
	struct series_states s = {.worst = d->worst, .first = d->first, .last = d->last};
	int64_t ms = 0, written = 0;
	for (int h = 0; h < HEALTH_COUNT; h++) {
		ms += d->ms[h];
		s.seconds[h] = (uint32_t)((ms + 500) / 1000 - written);
		written += s.seconds[h];
	}
	return s;
}

void days_write(struct judged *c)
{
	const struct day_count *d = &c->days;
	if (!d->series || !d->loaded || !sum(d))
		return;
	const struct series_states s = states(d);
	series_set_states(d->series, d->day, &s);
}

void days_count(struct judged *c, int64_t now_ms)
{
	struct day_count *d = &c->days;
	if (!d->loaded)
		return;
	while (d->counted_ms < now_ms) {
		const int64_t midnight = (d->day + 1) * DAY_MS;
		const int64_t edge = window_next_ms(c, d->counted_ms);
		int64_t to = now_ms < midnight ? now_ms : midnight;
		to = edge < to ? edge : to;
		add(d, health_counts(c->now.v.health, window_at(c, d->counted_ms) != NULL),
			to - d->counted_ms);
		d->counted_ms = to;
		if (to < midnight)
			continue;
		days_write(c);
		start_day(d, d->day + 1);
	}
}

void days_skip(struct judged *c, int64_t now_ms)
{
	struct day_count *d = &c->days;
	const int64_t day = now_ms / DAY_MS;
	if (d->loaded && day != d->day) {
		days_write(c);
		/* A clock set back into a day that was counted: what stands there is read first. */
		if (day < d->day)
			d->loaded = false;
		start_day(d, day);
	}
	d->counted_ms = now_ms;
	days_load(c);
}

static bool on_span(void *arg, const struct judge_span *span)
{
	if (!span->gap)
		add(arg, health_counts(span->health, span->maintenance != NULL),
			span->to_ms - span->from_ms);
	return true;
}

/* What was written of a day, or what the facts say of it up to then, if that is more. */
static struct day_count known(
	const struct judged *c, const struct series_day *day, int64_t of, int64_t to_ms)
{
	struct day_count d = {0}, facts = {0};
	struct error err = {0};
	if (day->has_states) {
		for (int h = 0; h < HEALTH_COUNT; h++)
			d.ms[h] = day->states.seconds[h] * 1000LL;
		d.worst = day->states.worst;
		d.first = day->states.first;
		d.last = day->states.last;
	}
	if (!judge_history(c->judge->facts, c->id, of * DAY_MS, to_ms, on_span, &facts, &err))
		return d;
	const int64_t more = sum(&facts) - sum(&d);
	return more > 0 && more <= BEHIND_MS ? facts : d;
}

static void take_today(struct judged *c, const struct series_day *day)
{
	struct day_count *d = &c->days;
	const struct day_count k = known(c, day, d->day, d->counted_ms);
	memcpy(d->ms, k.ms, sizeof(d->ms));
	d->worst = k.worst;
	d->first = k.first;
	d->last = k.last;
	d->loaded = true;
	days_write(c);
}

/* That day is over; only what a kill took of it is added. */
static void take_last(const struct judged *c, const struct series_day *day, int64_t of)
{
	const int64_t midnight = (of + 1) * DAY_MS, last_ms = c->judge->last_ms;
	const struct day_count k = known(c, day, of, last_ms < midnight ? last_ms : midnight);
	const struct series_states s = states(&k);
	if (sum(&k))
		series_set_states(c->days.series, of, &s);
}

static void on_day(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	struct day_read *r = arg;
	struct judged *c = r->c;
	if (c) {
		struct day_count *d = &c->days;
		const bool is_last = r == d->last_read;
		*(is_last ? &d->last_read : &d->read) = NULL;
		if (!err && n && is_last)
			take_last(c, days, r->day);
		else if (!err && n && r->day == d->day) /* else again with the next beat */
			take_today(c, days);
	}
	free(r);
}

static struct day_read *read_day(struct judged *c, int64_t day)
{
	struct day_read *r = mem_new(struct day_read);
	r->c = c;
	r->day = day;
	r->query = series_days(c->days.series, day, 1, on_day, r);
	return r;
}

void days_load(struct judged *c)
{
	struct day_count *d = &c->days;
	if (d->loaded || d->read || !d->series)
		return;
	const int64_t today = judge_now_ms(c->judge) / DAY_MS;
	if (d->day != today)
		start_day(d, today);
	if (d->counted_ms < today * DAY_MS)
		d->counted_ms = today * DAY_MS;
	d->read = read_day(c, today);
}

bool judge_today(struct judge *j, const char *component, struct series_states *ret)
{
	struct judged *c = map_get(&j->by_id, component);
	if (!c || !c->days.loaded)
		return false;
	days_count(c, judge_now_ms(j));
	*ret = states(&c->days);
	return true;
}

struct series *judge_days_series(struct series_store *st, const char *component)
{
	const struct series_tag tag = {"component", component};
	const struct series_key key = {.kind = SERIES_GAUGE,
		.unit = "",
		.location = "",
		.name = "health",
		.tags = &tag,
		.tag_count = 1};
	return series_get(st, &key);
}

void days_open(struct judged *c)
{
	static_assert(HEALTH_COUNT == array_len(((struct series_states *)0)->seconds), "states");
	c->days.series = judge_days_series(c->judge->series, c->id);
	c->days.counted_ms = judge_now_ms(c->judge);
	days_load(c);
	/* what is left of a day reaches the disk with the first beat of the next */
	const int64_t last = (c->judge->last_ms - JUDGE_BEAT_MS) / DAY_MS;
	if (c->days.series && c->judge->last_ms && last < c->days.day)
		c->days.last_read = read_day(c, last);
}

static void forget(struct day_read **r)
{
	if (!*r)
		return;
	(*r)->c = NULL;
	series_cancel((*r)->query);
	*r = NULL;
}

void days_close(struct judged *c)
{
	days_count(c, judge_now_ms(c->judge));
	days_write(c);
	forget(&c->days.read);
	forget(&c->days.last_read);
}

/*
 * judge_days.c - the seconds of each UTC day that a component spent in each state.
 *
 * Counted in milliseconds, cut exactly at midnight, written as whole seconds whose sum is the time
 * we observed. What earlier starts counted today is read back before anything is written, so that a
 * restart adds instead of replacing.
 */

#include <assert.h>

#include "base/clock.h"
#include "judge/judge_inside.h"

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

static bool empty(const struct day_count *d)
{
	for (int h = 0; h < HEALTH_COUNT; h++)
		if (d->ms[h])
			return false;
	return true;
}

static void add(struct day_count *d, enum health h, int64_t ms)
{
	if (ms <= 0)
		return;
	if (empty(d)) {
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
	int64_t sum = 0, written = 0;
	for (int h = 0; h < HEALTH_COUNT; h++) {
		sum += d->ms[h];
		s.seconds[h] = (uint32_t)((sum + 500) / 1000 - written);
		written += s.seconds[h];
	}
	return s;
}

void days_write(struct judged *c)
{
	const struct day_count *d = &c->days;
	if (!d->series || !d->loaded || empty(d))
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
		const int64_t to = now_ms < midnight ? now_ms : midnight;
		add(d, c->now.v.health, to - d->counted_ms);
		if (to > d->counted_ms)
			d->counted_ms = to;
		if (now_ms < midnight)
			break;
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

static void on_day(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	struct day_read *r = arg;
	struct judged *c = r->c;
	if (c) {
		struct day_count *d = &c->days;
		d->read = NULL;
		if (!err && r->day == d->day) { /* an error is tried again with the next beat */
			d->loaded = true;
			if (n && days[0].has_states) {
				for (int h = 0; h < HEALTH_COUNT; h++)
					d->ms[h] = days[0].states.seconds[h] * 1000LL;
				d->worst = days[0].states.worst;
				d->first = days[0].states.first;
				d->last = days[0].states.last;
			}
		}
	}
	free(r);
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
	d->read = mem_new(struct day_read);
	d->read->c = c;
	d->read->day = today;
	d->read->query = series_days(d->series, today, 1, on_day, d->read);
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

void days_open(struct judged *c)
{
	const struct series_tag tag = {"component", c->id};
	const struct series_key key = {.kind = SERIES_GAUGE,
		.unit = "",
		.location = "",
		.name = "health",
		.tags = &tag,
		.tag_count = 1};
	static_assert(HEALTH_COUNT == array_len(((struct series_states *)0)->seconds), "states");
	c->days.series = series_get(c->judge->series, &key);
	c->days.counted_ms = judge_now_ms(c->judge);
	days_load(c);
}

void days_close(struct judged *c)
{
	days_count(c, judge_now_ms(c->judge));
	days_write(c);
	if (!c->days.read)
		return;
	c->days.read->c = NULL;
	series_cancel(c->days.read->query);
	c->days.read = NULL;
}

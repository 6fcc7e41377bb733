/*
 * reports_when.c - when a report is due, on the clocks of a place. Pure.
 */

#include "tell/reports.h"

#include "base/clock.h"

#define DAY_S  86400LL
#define MONDAY 4 /* days since 1970 of the first Monday */

static int64_t day_of(int64_t local_s)
{
	return local_s >= 0 ? local_s / DAY_S : (local_s - DAY_S + 1) / DAY_S;
}

/* Of a day that has periods: begins at that minute, then every so often until the day is over. */
static int64_t due_in_day(
	const struct zone *z, int64_t day, int64_t every_s, int at_minute, int64_t last_s)
{
	const int64_t step = every_s < DAY_S ? every_s : DAY_S;
	for (int64_t s = at_minute * 60LL % step; s < DAY_S; s += step) {
		const int64_t at = every_s < DAY_S ? s : at_minute * 60LL;
		const int64_t moment = zone_moment_s(z, day * DAY_S + at);
		if (moment > last_s)
			return moment;
	}
	return 0;
}

int64_t report_due_ms(const struct zone *z, int64_t every_ns, int at_minute, int64_t last_ms)
{
	const int64_t every_s = every_ns / NS_PER_S, last_s = last_ms / 1000;
	if (at_minute < 0)
		return last_ms + every_s * 1000;
	const int64_t days = every_s < DAY_S ? 1 : every_s / DAY_S;
	const int64_t first = day_of(last_s + zone_offset_s(z, last_s)) - 1;
	for (int64_t day = first; day <= first + days + 2; day++) {
		const int64_t moment = (day - MONDAY) % days == 0
					       ? due_in_day(z, day, every_s, at_minute, last_s)
					       : 0;
		if (moment)
			return moment * 1000;
	}
	return last_ms + every_s * 1000; /* not reached: there is one within `days` */
}

int64_t report_over_ms(
	const struct zone *z, int64_t every_ns, int at_minute, int64_t last_ms, int64_t now_ms)
{
	const int64_t every_ms = every_ns / NS_PER_MS;
	int64_t over = last_ms, next;
	if (at_minute < 0)
		return now_ms < last_ms ? last_ms : now_ms - (now_ms - last_ms) % every_ms;
	/* A long time away is not walked through. */
	if (now_ms - last_ms > 3 * every_ms)
		over = report_due_ms(z, every_ns, at_minute, now_ms - 3 * every_ms);
	while ((next = report_due_ms(z, every_ns, at_minute, over)) <= now_ms)
		over = next;
	return over > now_ms ? last_ms : over;
}

/*
 * calendar.h - what comes again and again by the clocks of a place: "every second Tuesday at 22:00
 * in Berlin, for four hours".
 *
 * A rule says days and a local time; an occurrence is two moments. Local times that a change of
 * clocks skips use the offset before it (zone.h), times that come twice mean the first; a length is
 * elapsed time, an `until` is wall clock (of the next day where it is not after the begin; where
 * the begin was skipped and clocks show it later than the end, as long as clocks would have said);
 * dates that do not exist (the 31st, the fifth Friday) are skipped. Years 1970 to 2200. Immutable
 * once read. Thread: any.
 */
#ifndef BASE_CALENDAR_H
#define BASE_CALENDAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/slice.h"
#include "base/zone.h"

enum calendar_every { CALENDAR_ONCE, CALENDAR_DAY, CALENDAR_WEEK, CALENDAR_MONTH };

#define CALENDAR_NTH_LAST (-1)

struct calendar_day { /* of a month: "tue", "2nd tue", "last sun"; of a week: nth is 0 */
	int nth;      /* 1 to 5, CALENDAR_NTH_LAST, 0: each */
	int weekday;  /* 0 Sunday to 6; -1: the nth day of the month, nth 1 to 31 or LAST */
};
#define CALENDAR_DAYS 31

struct calendar_rule {
	enum calendar_every every;
	unsigned
		interval; /* every so many days, weeks (of Monday) or months, counted from `from` */
	struct calendar_day days[CALENDAR_DAYS]; /* of a week or month; none of a week: that of
						    `from`; none of a month: its day */
	unsigned day_count;
	int32_t from_day, to_day; /* local days since 1970-01-01, inclusive; to_day 0: no end */
	int32_t at_s;             /* local time of day */
	int32_t length_s;         /* elapsed, to 31 days; 0: until_s counts */
	int32_t until_s;          /* local time of day */
	int64_t once_from_s, once_to_s; /* CALENDAR_ONCE: moments; the rest is not looked at */
};

struct calendar_span {
	int64_t from_s, to_s; /* half-open moments; from_s < to_s */
};

/* "2026-12-01", "22:00" or "22:00:30", "mon" or "monday", "2nd tue", "last sun", "last", "15" or
 * "15th" (days of the month). False: err says what is expected. */
bool calendar_parse_date(struct slice text, int32_t *ret_day, struct error *err) must_check;
bool calendar_parse_time(struct slice text, int32_t *ret_s, struct error *err) must_check;
bool calendar_parse_day(struct slice text, struct calendar_day *ret, struct error *err) must_check;
/* The first occurrence whose end is after `after_s`; false: there is none any more. To 1 ms where
 * there is none. */
bool calendar_next(const struct calendar_rule *r, const struct zone *z, int64_t after_s,
	struct calendar_span *ret);
/* The local date at a moment, "2026-12-01". */
#define CALENDAR_DATE_TEXT 16
const char *calendar_date(const struct zone *z, int64_t unix_s, char *text);

#endif

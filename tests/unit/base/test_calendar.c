/*
 * test_calendar.c - windows over every change of clocks from 2020 to 2035 in several places, held
 * to what the C library says of the same zones; and the words rules are written in.
 */
#include "../check.h"

#include <stdlib.h>
#include <time.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/vec.h"

#define DAY     86400
#define QUARTER 900

static const char *const places[] = {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
	"Africa/Casablanca", "Asia/Kolkata", "UTC"};

static int32_t day_of(const char *text)
{
	int32_t day;
	struct error err = {0};
	if (!calendar_parse_date(slice_of(text), &day, &err))
		fail_msg("%s", err.msg);
	return day;
}

static int64_t moment(const char *text)
{
	int64_t us;
	assert_true(clock_parse_rfc3339(text, &us));
	return us / 1000000;
}

/* --- what the C library says -------------------------------------------------------------------
 */

static struct zone *go_to(const char *place)
{
	struct error err = {0};
	setenv("TZ", place, 1);
	tzset();
	struct zone *z = zone_load(place, &err);
	if (!z)
		fail_msg("%s", err.msg);
	return z;
}

static int64_t local_of(int64_t unix_s)
{
	const time_t t = (time_t)unix_s;
	struct tm tm;
	localtime_r(&t, &tm);
	return unix_s + tm.tm_gmtoff;
}

/* The first moment of a quarter of an hour at which clocks show that; 0: none does. */
static int64_t first_shown(int64_t local_s)
{
	for (int64_t t = local_s - 16 * 3600; t <= local_s + 16 * 3600; t += QUARTER)
		if (local_of(t) == local_s)
			return t;
	return 0;
}

/* Skipped: as if the clocks had not changed yet. */
static int64_t before_change(int64_t local_s)
{
	int64_t offset = 0;
	for (int64_t t = local_s - 16 * 3600; t <= local_s + 16 * 3600; t += QUARTER) {
		if (local_of(t) > local_s)
			break;
		offset = local_of(t) - t;
	}
	return local_s - offset;
}

static int64_t expected(int64_t local_s)
{
	const int64_t shown = first_shown(local_s);
	return shown ? shown : before_change(local_s);
}

typedef VEC(int32_t) days;

static days changes_of(void)
{
	days found = {0};
	const int64_t from = (int64_t)day_of("2020-01-01") * DAY;
	const int64_t to = (int64_t)day_of("2036-01-01") * DAY;
	for (int64_t t = from; t < to; t += 3600)
		if (local_of(t) - t != local_of(t + 3600) - t - 3600)
			vec_push(&found, (int32_t)(local_of(t) / DAY));
	return found;
}

/* --- every change of sixteen years --------------------------------------------------------------
 */

static void one_day(const struct zone *z, int32_t day, int32_t at, int32_t length, int32_t until)
{
	const struct calendar_rule r = {.every = CALENDAR_DAY,
		.from_day = day,
		.to_day = day,
		.at_s = at,
		.length_s = length,
		.until_s = until};
	struct calendar_span s;
	const int64_t from_local = (int64_t)day * DAY + at;
	const int64_t to_local = (int64_t)day * DAY + until + (until > at ? 0 : DAY);
	assert_true(calendar_next(&r, z, 0, &s));
	assert_int_equal(s.from_s, expected(from_local));
	if (length)
		assert_int_equal(s.to_s - s.from_s, length);
	else if (expected(to_local) > s.from_s)
		assert_int_equal(s.to_s, expected(to_local));
	else
		assert_int_equal(s.to_s - s.from_s, to_local - from_local);
	assert_true(s.from_s < s.to_s);
	assert_true(calendar_next(&r, z, s.to_s - 1, &s));
	assert_false(calendar_next(&r, z, s.to_s, &s));
}

static void each_quarter_of_an_hour_around_each_change(void **state)
{
	static const size_t least[] = {32, 32, 32, 30, 0, 0};
	for (size_t i = 0; i < array_len(places); i++) {
		struct zone *z = go_to(places[i]);
		days changes = changes_of();
		assert_true(changes.n >= least[i]);
		for (size_t k = 0; k < changes.n; k++)
			for (int32_t day = changes.p[k] - 1; day <= changes.p[k] + 1; day++)
				for (int32_t at = 0; at < 5 * 3600; at += QUARTER) {
					one_day(z, day, at, 3600, 0);
					one_day(z, day, at, 0, (at + 1800) % DAY);
					one_day(z, day, at, 0, at ? at - QUARTER : 0);
				}
		vec_fini(&changes);
		zone_free(z);
	}
}

/* None is lost and none comes twice, from any moment on. */
static void a_daily_one_comes_each_day_once(void **state)
{
	for (size_t i = 0; i < array_len(places); i++) {
		struct zone *z = go_to(places[i]);
		const struct calendar_rule r = {.every = CALENDAR_DAY,
			.from_day = day_of("2020-01-01"),
			.to_day = day_of("2035-12-31"),
			.at_s = 2 * 3600 + 1800,
			.length_s = 3600};
		struct calendar_span s = {0}, again;
		int32_t day = r.from_day;
		for (; calendar_next(&r, z, s.to_s, &s); day++) {
			assert_int_equal(local_of(s.from_s) / DAY, day);
			assert_true(calendar_next(&r, z, s.from_s, &again));
			assert_int_equal(again.from_s, s.from_s);
			assert_true(calendar_next(&r, z, s.to_s - 1, &again));
			assert_int_equal(again.from_s, s.from_s);
		}
		assert_int_equal(day, r.to_day + 1);
		zone_free(z);
	}
}

/* By struct tm, as another would look at it. */
static bool day_fits(int64_t day, bool (*fits)(const struct tm *tm, int month_days))
{
	static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	const time_t t = (time_t)(day * DAY);
	struct tm tm;
	gmtime_r(&t, &tm);
	const bool leap = tm.tm_mon == 1 && tm.tm_year % 4 == 0; /* 2000 to 2099 */
	return fits(&tm, lengths[tm.tm_mon] + leap);
}

static bool second_tuesday(const struct tm *tm, int month_days)
{
	return tm->tm_wday == 2 && tm->tm_mday >= 8 && tm->tm_mday <= 14;
}

static bool last_sunday(const struct tm *tm, int month_days)
{
	return tm->tm_wday == 0 && tm->tm_mday > month_days - 7;
}

static bool the_31st(const struct tm *tm, int month_days)
{
	return tm->tm_mday == 31;
}

static bool fifth_friday(const struct tm *tm, int month_days)
{
	return tm->tm_wday == 5 && tm->tm_mday > 28;
}

static bool last_day(const struct tm *tm, int month_days)
{
	return tm->tm_mday == month_days;
}

static bool monday_or_friday(const struct tm *tm, int month_days)
{
	return tm->tm_wday == 1 || tm->tm_wday == 5;
}

static void days_are_counted_as_others_count_them(void **state)
{
	static const struct {
		enum calendar_every every;
		const char *days[2];
		bool (*fits)(const struct tm *tm, int month_days);
	} rows[] = {
		{CALENDAR_MONTH, {"2nd tue"}, second_tuesday},
		{CALENDAR_MONTH, {"last sunday"}, last_sunday},
		{CALENDAR_MONTH, {"31"}, the_31st},
		{CALENDAR_MONTH, {"5th fri"}, fifth_friday},
		{CALENDAR_MONTH, {"last"}, last_day},
		{CALENDAR_WEEK, {"mon", "Friday"}, monday_or_friday},
	};
	for (size_t p = 0; p < array_len(places); p++) {
		struct zone *z = go_to(places[p]);
		for (size_t i = 0; i < array_len(rows); i++) {
			struct calendar_rule r = {.every = rows[i].every,
				.from_day = day_of("2020-01-01"),
				.to_day = day_of("2035-12-31"),
				.at_s = 22 * 3600,
				.until_s = 2 * 3600};
			for (int k = 0; k < 2 && rows[i].days[k]; k++)
				assert_true(calendar_parse_day(
					slice_of(rows[i].days[k]), &r.days[r.day_count++], NULL));
			struct calendar_span s = {0};
			for (int64_t day = r.from_day; day <= r.to_day; day++) {
				if (!day_fits(day, rows[i].fits))
					continue;
				assert_true(calendar_next(&r, z, s.to_s, &s));
				assert_int_equal(local_of(s.from_s) / DAY, day);
			}
			assert_false(calendar_next(&r, z, s.to_s, &s));
		}
		zone_free(z);
	}
}

/* --- examples one can follow ---------------------------------------------------------------------
 */

static void expect(const struct calendar_rule *r, const struct zone *z, const char *after,
	const char *from, const char *to)
{
	struct calendar_span s;
	assert_true(calendar_next(r, z, moment(after), &s));
	assert_int_equal(s.from_s, moment(from));
	assert_int_equal(s.to_s, moment(to));
}

static void the_night_the_clocks_change_in_berlin(void **state)
{
	struct zone *z = go_to("Europe/Berlin");
	struct calendar_rule r = {
		.every = CALENDAR_DAY, .from_day = day_of("2026-01-01"), .at_s = 9000};
	r.length_s = 3600; /* 02:30, an hour */
	expect(&r, z, "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z");
	expect(&r, z, "2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z");
	r.at_s = 79200; /* 22:00 until 04:00: five hours, and seven */
	r.length_s = 0;
	r.until_s = 14400;
	expect(&r, z, "2026-03-28T12:00:00Z", "2026-03-28T21:00:00Z", "2026-03-29T02:00:00Z");
	expect(&r, z, "2026-10-24T12:00:00Z", "2026-10-24T20:00:00Z", "2026-10-25T03:00:00Z");
	r.at_s = 9000; /* 02:30 until 03:00, of a night in which 02:30 is shown as 03:30 */
	r.until_s = 10800;
	expect(&r, z, "2026-03-29T00:00:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:00:00Z");
	zone_free(z);
}

static void every_other_week_is_counted_from_its_begin(void **state)
{
	struct zone *z = go_to("UTC");
	struct calendar_rule r = {.every = CALENDAR_WEEK,
		.interval = 2,
		.from_day = day_of("2026-12-03"), /* a Thursday */
		.days = {{0, 1}, {0, 4}},
		.day_count = 2,
		.length_s = 3600};
	expect(&r, z, "2026-11-01T00:00:00Z", "2026-12-03T00:00:00Z", "2026-12-03T01:00:00Z");
	expect(&r, z, "2026-12-03T01:00:00Z", "2026-12-14T00:00:00Z", "2026-12-14T01:00:00Z");
	r.day_count = 0; /* the weekday of its begin */
	expect(&r, z, "2026-12-04T00:00:00Z", "2026-12-17T00:00:00Z", "2026-12-17T01:00:00Z");
	r.every = CALENDAR_MONTH; /* its day of the month */
	expect(&r, z, "2026-12-04T00:00:00Z", "2027-02-03T00:00:00Z", "2027-02-03T01:00:00Z");
	r.every = CALENDAR_DAY;
	expect(&r, z, "2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-05T01:00:00Z");
	zone_free(z);
}

static void what_never_comes_is_told_soon(void **state)
{
	struct zone *z = go_to("UTC");
	struct calendar_span s;
	const struct calendar_rule r = {.every = CALENDAR_MONTH, /* the 30th of each February */
		.interval = 12,
		.from_day = day_of("2026-02-01"),
		.days = {{30, -1}},
		.day_count = 1,
		.length_s = 60};
	assert_false(calendar_next(&r, z, 0, &s));
	const struct calendar_rule once = {
		.every = CALENDAR_ONCE, .once_from_s = 100, .once_to_s = 200};
	assert_true(calendar_next(&once, z, 199, &s));
	assert_int_equal(s.from_s, 100);
	assert_false(calendar_next(&once, z, 200, &s));
	zone_free(z);
}

static void a_long_one_is_found_from_within(void **state)
{
	struct zone *z = go_to("UTC");
	const struct calendar_rule r = {
		.every = CALENDAR_MONTH, .from_day = day_of("2026-01-01"), .length_s = 20 * DAY};
	expect(&r, z, "2026-05-20T23:59:59Z", "2026-05-01T00:00:00Z", "2026-05-21T00:00:00Z");
	expect(&r, z, "2026-05-21T00:00:00Z", "2026-06-01T00:00:00Z", "2026-06-21T00:00:00Z");
	zone_free(z);
}

/* --- words
 * ---------------------------------------------------------------------------------------- */

static void words_are_read_or_refused_with_an_example(void **state)
{
	static const struct {
		const char *text;
		int nth, weekday;
	} good[] = {{"mon", 0, 1}, {"Sunday", 0, 0}, {"2nd tue", 2, 2}, {" last  sun ", -1, 0},
		{"last", -1, -1}, {"15", 15, -1}, {"31st", 31, -1}, {"5th Friday", 5, 5}};
	static const char *const bad[] = {"", "tues", "6th mon", "0", "32", "32nd", "tue 2nd", "+3",
		"last last", "1st2nd mon"};
	static const char *const dates[] = {"", "2026-1-01", "2026-02-30", "1969-12-31",
		"2201-01-01", "2026-13-01", "2026/12/01", "2026-12-01x"};
	static const char *const times[] = {
		"", "24:00", "9:00", "22:60", "22:00:60", "22-00", "2200"};
	struct error err;
	struct calendar_day d;
	int32_t n;
	for (size_t i = 0; i < array_len(good); i++) {
		if (!calendar_parse_day(slice_of(good[i].text), &d, &err))
			fail_msg("%s", err.msg);
		assert_int_equal(d.nth, good[i].nth);
		assert_int_equal(d.weekday, good[i].weekday);
	}
	for (size_t i = 0; i < array_len(bad); i++) {
		assert_false(calendar_parse_day(slice_of(bad[i]), &d, &err));
		assert_non_null(strstr(err.msg, "2nd tue"));
	}
	for (size_t i = 0; i < array_len(dates); i++) {
		assert_false(calendar_parse_date(slice_of(dates[i]), &n, &err));
		assert_non_null(strstr(err.msg, "2026-12-01"));
	}
	for (size_t i = 0; i < array_len(times); i++) {
		assert_false(calendar_parse_time(slice_of(times[i]), &n, &err));
		assert_non_null(strstr(err.msg, "22:00"));
	}
	assert_true(calendar_parse_time(SLICE("22:00:30"), &n, &err));
	assert_int_equal(n, 79230);
	assert_int_equal(day_of("1970-01-01"), 0);
	assert_int_equal(day_of("2000-03-01"), 11017);
}

static void a_date_is_that_of_the_place(void **state)
{
	char text[CALENDAR_DATE_TEXT];
	struct zone *z = go_to("Asia/Kolkata");
	assert_string_equal(calendar_date(z, moment("2026-12-31T18:29:59Z"), text), "2026-12-31");
	assert_string_equal(calendar_date(z, moment("2026-12-31T18:30:00Z"), text), "2027-01-01");
	zone_free(z);
}

static int leave(void **state)
{
	unsetenv("TZ");
	tzset();
	return 0;
}

int test_calendar(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_quarter_of_an_hour_around_each_change),
		cmocka_unit_test(a_daily_one_comes_each_day_once),
		cmocka_unit_test(days_are_counted_as_others_count_them),
		cmocka_unit_test(the_night_the_clocks_change_in_berlin),
		cmocka_unit_test(every_other_week_is_counted_from_its_begin),
		cmocka_unit_test(what_never_comes_is_told_soon),
		cmocka_unit_test(a_long_one_is_found_from_within),
		cmocka_unit_test(words_are_read_or_refused_with_an_example),
		cmocka_unit_test(a_date_is_that_of_the_place),
	};
	return cmocka_run_group_tests_name("calendar", tests, NULL, leave);
}

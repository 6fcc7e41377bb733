/* test_clock.c - wall time in text against libc's own calendar, and time that is given. */
#include "base/clock.h"

#include <time.h>

#include "../check.h"
#include "base/random.h"

static void test_rfc3339_text(void **state)
{
	char t[CLOCK_TEXT];
	assert_string_equal(clock_rfc3339(0, t), "1970-01-01T00:00:00.000Z");
	assert_string_equal(clock_rfc3339(1795527065250999, t), "2026-11-24T13:31:05.250Z");
	assert_string_equal(clock_rfc3339(-1, t), "1969-12-31T23:59:59.999Z");
	assert_string_equal(clock_rfc3339(951782400000000, t), "2000-02-29T00:00:00.000Z");
	assert_string_equal(clock_rfc3339(4107542400000000, t), "2100-03-01T00:00:00.000Z");
}

static void test_calendar_is_that_of_libc(void **state)
{
	struct random r;
	random_init_seed(&r, 1);
	for (int i = 0; i < 20000; i++) {
		const int64_t s =
			(int64_t)random_below(&r, 8000000000u) - 2000000000; /* 1906..2160 */
		const time_t at = s;
		struct tm tm;
		char ours[CLOCK_TEXT], theirs[64];
		gmtime_r(&at, &tm);
		strftime(theirs, sizeof(theirs), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
		assert_string_equal(clock_rfc3339(s * 1000000, ours), theirs);
		int64_t back;
		assert_true(clock_parse_rfc3339(ours, &back));
		assert_true(back == s * 1000000);
		strftime(theirs, sizeof(theirs), "%a, %d %b %Y %H:%M:%S GMT", &tm);
		assert_string_equal(clock_http_date(s * 1000000, ours), theirs);
		assert_true(clock_parse_http_date(ours, &back));
		assert_true(back == s * 1000000);
	}
}

static int64_t rfc3339(const char *s)
{
	int64_t us = -1;
	assert_true(clock_parse_rfc3339(s, &us));
	return us;
}

static void test_rfc3339_parse(void **state)
{
	assert_true(rfc3339("2026-11-24T13:31:05.25Z") == 1795527065250000);
	assert_true(rfc3339("2026-11-24T14:31:05.25+01:00") == 1795527065250000);
	assert_true(rfc3339("2026-11-24T08:01:05.250000-05:30") == 1795527065250000);
	assert_true(rfc3339("2026-11-24t13:31:05z") == 1795527065000000);
	assert_true(rfc3339("2026-11-24 13:31:05Z") == 1795527065000000);
	assert_true(rfc3339("1970-01-01T00:00:00.1234567891234Z") == 123456);
	assert_true(rfc3339("1990-12-31T23:59:60Z") == rfc3339("1991-01-01T00:00:00Z"));
	static const char *const bad[] = {"", "2026", "2026-11-24", "2026-11-24T13:31:05",
		"2026-11-24T13:31Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
		"2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-11-24T24:00:00Z",
		"2026-11-24T13:60:05Z", "2026-11-24T13:31:61Z", "2026-11-24T13:31:05.Z",
		"2026-11-24T13:31:05+1:00", "2026-11-24T13:31:05+24:00", "2026-11-24T13:31:05Zx",
		"2026-11-24T13:31:05 Z", "+026-11-24T13:31:05Z", "1900-02-29T00:00:00Z"};
	int64_t us;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (clock_parse_rfc3339(bad[i], &us))
			fail_msg("taken for a time: %s", bad[i]);
}

static void test_http_dates(void **state)
{
	/* RFC 9110 section 5.6.7 gives these three for one instant. */
	static const char *const same[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"};
	int64_t us;
	for (int i = 0; i < 3; i++) {
		assert_true(clock_parse_http_date(same[i], &us));
		assert_true(us == 784111777000000);
	}
	static const char *const bad[] = {"", "120", "Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37 GMT and more", "Sun, 31 Feb 1994 08:49:37 GMT",
		"Sun, 06 Foo 1994 08:49:37 GMT", "Sun, -6 Nov 1994 08:49:37 GMT", "Sun, ", ","};
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (clock_parse_http_date(bad[i], &us))
			fail_msg("taken for a date: %s", bad[i]);
}

static void test_virtual(void **state)
{
	struct clock c;
	clock_init_virtual(&c, 1000000);
	const int64_t mono = clock_mono_ns(&c);
	for (int i = 0; i < 1001; i++)
		clock_advance(&c, 999); /* less than the microsecond of wall time */
	assert_true(clock_mono_ns(&c) == mono + 1001 * 999);
	assert_true(clock_unix_us(&c) == 1000000 + 1001 * 999 / 1000);
	clock_advance(&c, 0);
	clock_advance(&c, 86400 * NS_PER_S);
	assert_true(clock_unix_us(&c) == 1000999 + 86400000000);
}

static void test_system(void **state)
{
	const int64_t mono = clock_mono_ns(&clock_system), wall = clock_unix_us(&clock_system);
	const struct timespec ms = {.tv_nsec = 2 * NS_PER_MS};
	nanosleep(&ms, NULL);
	assert_true(clock_mono_ns(&clock_system) - mono >= 2 * NS_PER_MS);
	assert_true(wall / 1000000 - (int64_t)time(NULL) <= 1);
	assert_true((int64_t)time(NULL) - wall / 1000000 <= 5);
}

int test_clock(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc3339_text),
		cmocka_unit_test(test_calendar_is_that_of_libc),
		cmocka_unit_test(test_rfc3339_parse),
		cmocka_unit_test(test_http_dates),
		cmocka_unit_test(test_virtual),
		cmocka_unit_test(test_system),
	};
	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}

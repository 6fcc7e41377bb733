/* test_zone.c - local time: Berlin, Sydney, a place without summer time, and files that are none.
 */
#include "../check.h"

#include "base/clock.h"
#include "base/zone.h"

static int64_t moment(const char *text)
{
	int64_t us;
	assert_true(clock_parse_rfc3339(text, &us));
	return us / 1000000;
}

static struct zone *load(const char *name)
{
	struct error err = {0};
	struct zone *z = zone_load(name, &err);
	if (!z)
		fail_msg("%s", err.msg);
	return z;
}

static void hours_are_those_of_the_place(void **state)
{
	static const struct {
		const char *zone, *at;
		int64_t offset_s;
	} rows[] = {
		{"UTC", "2026-07-01T00:00:00Z", 0},
		{"Europe/Berlin", "2026-03-29T00:59:59Z", 3600},
		{"Europe/Berlin", "2026-03-29T01:00:00Z", 7200},
		{"Europe/Berlin", "2026-10-25T00:59:59Z", 7200},
		{"Europe/Berlin", "2026-10-25T01:00:00Z", 3600},
		/* behind the last change of the file: by the rule */
		{"Europe/Berlin", "2050-07-01T00:00:00Z", 7200},
		{"Europe/Berlin", "2050-12-31T23:59:59Z", 3600},
		{"Australia/Sydney", "2026-01-01T00:00:00Z", 39600},
		{"Australia/Sydney", "2050-01-01T00:00:00Z", 39600},
		{"Australia/Sydney", "2050-07-01T00:00:00Z", 36000},
		{"Asia/Kolkata", "2026-07-01T00:00:00Z", 19800},
	};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct zone *z = load(rows[i].zone);
		assert_int_equal(zone_offset_s(z, moment(rows[i].at)), rows[i].offset_s);
		zone_free(z);
	}
}

static void clocks_that_show_it(void **state)
{
	struct zone *z = load("Europe/Berlin");
	static const char *const rows[][2] = {
		{"2026-11-26T07:00:00Z", "2026-11-26T06:00:00Z"},
		{"2026-07-01T07:00:00Z", "2026-07-01T05:00:00Z"},
		{"2026-03-29T02:30:00Z", "2026-03-29T01:30:00Z"}, /* skipped: they show 3:30 */
		{"2026-10-25T02:30:00Z", "2026-10-25T00:30:00Z"}, /* twice: the first */
		{"2026-10-25T03:00:00Z", "2026-10-25T02:00:00Z"},
	};
	for (size_t i = 0; i < array_len(rows); i++)
		assert_int_equal(zone_moment_s(z, moment(rows[i][0])), moment(rows[i][1]));
	zone_free(z);
}

static void what_is_no_zone_is_refused(void **state)
{
	static const char *const names[] = {"Europe/Nowhere", "../../../etc/passwd", "zone.tab"};
	for (size_t i = 0; i < array_len(names); i++) {
		struct error err = {0};
		assert_null(zone_load(names[i], &err));
		assert_true(err.msg[0]);
	}
	struct error err = {0};
	assert_null(zone_parse(SLICE("TZif2"), &err));
}

int test_zone(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hours_are_those_of_the_place),
		cmocka_unit_test(clocks_that_show_it),
		cmocka_unit_test(what_is_no_zone_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/*
 * test_health.c - the table of states: names both ways, and which of two is worse.
 */

#include "../check.h"

#include "judge/health.h"

static void names_go_both_ways(void **state)
{
	enum health h;
	for (int i = 0; i < HEALTH_COUNT; i++) {
		assert_true(health_parse(health_name((enum health)i), &h));
		assert_int_equal(h, i);
	}
	assert_false(health_parse("fine", &h));
}

static void unknown_is_worse_than_good_and_better_than_bad(void **state)
{
	assert_int_equal(health_worse(HEALTH_UNKNOWN, HEALTH_OPERATIONAL), HEALTH_UNKNOWN);
	assert_int_equal(health_worse(HEALTH_DEGRADED, HEALTH_UNKNOWN), HEALTH_DEGRADED);
	assert_int_equal(health_worse(HEALTH_DEGRADED, HEALTH_OUTAGE), HEALTH_OUTAGE);
	assert_int_equal(health_worse(HEALTH_MAINTENANCE, HEALTH_OPERATIONAL), HEALTH_MAINTENANCE);
}

static void unknown_has_no_weight(void **state)
{
	assert_int_equal(health_weight(HEALTH_UNKNOWN), -1);
	assert_int_equal(health_severity(HEALTH_UNKNOWN), -1);
	assert_int_equal(health_weight(HEALTH_OUTAGE), 2);
	assert_string_not_equal(health_statuspage(HEALTH_UNKNOWN), "operational");
}

int test_health(void);
int test_health(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_go_both_ways),
		cmocka_unit_test(unknown_is_worse_than_good_and_better_than_bad),
		cmocka_unit_test(unknown_has_no_weight),
	};
	return cmocka_run_group_tests_name("health", tests, NULL, NULL);
}

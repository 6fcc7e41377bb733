#include "../check.h"
#include "base/mem.h"
#include "import/condition.h"

static void is(char *condition, const char *expected)
{
	assert_string_equal(condition ? condition : "none", expected);
	free(condition);
}

static void test_statuses(void **state)
{
	struct condition_range one[] = {{204, 204}};
	struct condition_range apart[] = {{401, 401}, {200, 299}};
	struct condition_range joined[] = {{300, 399}, {200, 299}, {250, 260}};
	(void)state;

	is(condition_status(one, 1), "[STATUS] == 204");
	is(condition_status(apart, 2), "[STATUS] >= 200 && [STATUS] <= 299 || [STATUS] == 401");
	is(condition_status(joined, 3), "[STATUS] >= 200 && [STATUS] <= 399");
}

static void test_patterns(void **state)
{
	(void)state;
	is(condition_matches("[BODY]", "a(b|c)\\d", true), "[BODY] == re(\"a(b|c)\\d\")");
	is(condition_matches("[BODY]", "say \"x\"", false), "[BODY] != re(\"say \\x22x\\x22\")");
	is(condition_matches("[BODY]", "a\\\"b\nc", true), "[BODY] == re(\"a\\x22b\\nc\")");
	is(condition_matches("[BODY]", "", true), "none");
	is(condition_matches("[BODY]", "${a}", true), "none");
	is(condition_matches("[BODY]", "a\\", true), "none");
	is(condition_contains("[BODY]", "1.5 (all) \"$\"", true),
		"[BODY] == re(\"1\\.5 \\(all\\) \\x22\\x24\\x22\")");
	is(condition_contains("[BODY]", "error", false), "[BODY] != re(\"error\")");
}

static void refused(const char *kind, const char *condition, const char *part)
{
	struct error err = {0};
	assert_false(condition_check(kind, condition, &err));
	assert_non_null(strstr(err.msg, part));
}

static void test_what_a_kind_measures(void **state)
{
	struct error err = {0};
	(void)state;
	assert_true(condition_check("http", "[STATUS] == any(200, 204)", &err));
	assert_true(condition_check("http", "len([BODY].items[0]) > 3", &err));
	assert_true(
		condition_check("tls", "[CHAIN_EXPIRATION] > 72h && [CONNECTED] == true", &err));
	refused("tls", "[STATUS] == 200", "a probe of kind tls does not measure [STATUS]");
	refused("http", "[DOMAIN_EXPIRATION] > 1h", "[DOMAIN_EXPIRATION]");
	refused("http", "[BODY] == ${x}", "${");
	refused("http", "[BODY", "");
}

int test_condition(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_patterns),
		cmocka_unit_test(test_what_a_kind_measures),
	};
	return cmocka_run_group_tests_name("import/condition", tests, NULL, NULL);
}

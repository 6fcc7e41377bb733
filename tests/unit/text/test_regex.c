/* test_regex.c - what users write as patterns, over what strangers send. */
#include "text/regex.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static enum regex_result find(const char *pattern, struct slice text, struct slice *groups)
{
	struct error err = {0};
	struct regex *re = regex_new(slice_of(pattern), &err);

	if (!re)
		fail_msg("%s: %s", pattern, err.msg);
	const enum regex_result r = regex_find(re, text, groups);
	regex_free(re);
	return r;
}

static void test_found(void **state)
{
	assert_int_equal(find("^220 .*ESMTP", SLICE("220 mx ESMTP Exim"), NULL), REGEX_FOUND);
	assert_int_equal(find("^ESMTP", SLICE("220 mx ESMTP"), NULL), REGEX_NO);
	assert_int_equal(find("(?m)^b$", SLICE("a\nb\nc"), NULL), REGEX_FOUND);
	assert_int_equal(find("", slice_of(NULL), NULL), REGEX_FOUND);
	assert_int_equal(find("x", slice_of(NULL), NULL), REGEX_NO);
	assert_int_equal(find("a.c", SLICE("a\0c"), NULL), REGEX_FOUND);
}

static void test_groups(void **state)
{
	struct slice g[REGEX_GROUPS];

	assert_int_equal(find("PING :(\\w+)(x)?( .)?", SLICE("\r\nPING :abc1 z"), g), REGEX_FOUND);
	assert_true(slice_is(g[0], "PING :abc1 z"));
	assert_true(slice_is(g[1], "abc1"));
	assert_int_equal(g[2].n, 0);
	assert_true(slice_is(g[3], " z"));
	assert_int_equal(g[9].n, 0);
	assert_int_equal(
		find("(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)", SLICE("abcdefghijk"), g), REGEX_FOUND);
	assert_true(slice_is(g[9], "i"));
}

static void test_utf8_and_bytes(void **state)
{
	assert_int_equal(find("^.$", SLICE("\xc3\xa9"), NULL), REGEX_FOUND);
	assert_int_equal(find("^.$", SLICE("\xe9"), NULL), REGEX_FOUND);
	assert_int_equal(find("^..$", SLICE("\xc3\xff"), NULL), REGEX_FOUND);
	assert_int_equal(find("\xe9", SLICE("caf\xe9"), NULL), REGEX_FOUND);
}

static void test_wrong(void **state)
{
	static const char *const wrong[] = {"(", "[a", "a{2,1}", "(?P<x", "*", "\\C", "(*UTF)a"};
	struct error err;
	char *huge = mem_alloc(REGEX_PATTERN + 2);

	for (size_t i = 0; i < array_len(wrong); i++) {
		err = (struct error){0};
		assert_null(regex_new(slice_of(wrong[i]), &err));
		assert_int_equal(err.kind, ERROR_INPUT);
		assert_non_null(strstr(err.msg, "at its character"));
	}
	memset(huge, 'a', REGEX_PATTERN + 1);
	assert_null(regex_new(slice_from(huge, REGEX_PATTERN + 1), &err));
	assert_int_equal(err.kind, ERROR_LIMIT);
	free(huge);
}

/* Each would take longer than anybody lives. */
static void test_endless(void **state)
{
	static const char *const endless[] = {"(a+)+$", "(a|aa)+$", "(.*)*[0-9]", "(?=(a+)+[bc])",
		"^(([a-z])+.)+[A-Z]([a-z])+$", "a*a*a*a*a*a*a*a*[bc]"};
	char *text = mem_alloc(100000);

	memset(text, 'a', 100000);
	text[99999] = '!';
	for (size_t i = 0; i < array_len(endless); i++) {
		if (find(endless[i], slice_from(text, 100000), NULL) != REGEX_ENDLESS)
			fail_msg("%s ended", endless[i]);
	}
	free(text);
}

/* The limit is far above what plain patterns take on the longest texts there are. */
static void test_long(void **state)
{
	const size_t n = 1 << 20;
	char *text = mem_alloc(n);

	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 64 == 63 ? '\n' : 'a' + i % 23);
	memcpy(text + n - 10, "\"up\": true", 10);
	assert_int_equal(find("\"up\":\\s*true", slice_from(text, n), NULL), REGEX_FOUND);
	assert_int_equal(find("(?m)^status: \\d+$", slice_from(text, n), NULL), REGEX_NO);
	assert_int_equal(find("true$", slice_from(text, n), NULL), REGEX_FOUND);
	free(text);
}

int test_regex(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found),
		cmocka_unit_test(test_groups),
		cmocka_unit_test(test_utf8_and_bytes),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test(test_endless),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("regex", tests, NULL, NULL);
}

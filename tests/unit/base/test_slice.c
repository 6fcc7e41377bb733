/* test_slice.c - borrowed text, UTF-8, near names. */
#include "base/slice.h"

#include <stdlib.h>

#include "../check.h"

static void check(struct slice s, const char *expected)
{
	if (!slice_is(s, expected))
		fail_msg("\"%.*s\" is not \"%s\"", SLICE_ARG(s), expected);
}

static void test_compare(void **state)
{
	assert_true(slice_eq(slice_of(NULL), SLICE("")));
	assert_true(slice_eq((struct slice){0}, SLICE("")));
	assert_false(slice_eq(SLICE("ab"), SLICE("abc")));
	assert_false(slice_is(slice_from("a\0b", 3), "a"));
	assert_true(slice_is_nocase(SLICE("Retry-After"), "retry-after"));
	assert_false(slice_is_nocase(SLICE("Retry"), "retry-after"));
	assert_true(slice_starts(SLICE("abc"), "ab") && slice_starts(SLICE("abc"), ""));
	assert_false(slice_starts(SLICE("ab"), "abc"));
	assert_true(slice_ends(SLICE("a.yaml"), ".yaml"));
	assert_false(slice_ends(SLICE("yaml"), ".yaml"));
}

static void test_parts(void **state)
{
	check(slice_trim(SLICE(" \t a b\r\n")), "a b");
	check(slice_trim(SLICE("  \n ")), "");
	check(slice_sub(SLICE("abcdef"), 2, 3), "cde");
	check(slice_sub(SLICE("abcdef"), 4, 9), "ef");
	check(slice_sub(SLICE("abcdef"), 9, 9), "");
	check(slice_sub(SLICE("abc"), 1, SIZE_MAX), "bc");
	assert_int_equal(slice_find(SLICE("abc"), 'c'), 2);
	assert_int_equal(slice_find(SLICE("abc"), 'x'), 3);
	assert_int_equal(slice_find((struct slice){0}, 'x'), 0);
	assert_int_equal(slice_find_text(SLICE("aabaabb"), SLICE("abb")), 4);
	assert_int_equal(slice_find_text(SLICE("aab"), SLICE("abb")), 3);
	assert_int_equal(slice_find_text(SLICE("ab"), SLICE("abc")), 2);
	assert_int_equal(slice_find_text(SLICE("ab"), SLICE("")), 0);
	char *s = slice_dup(slice_sub(SLICE("abcdef"), 2, 3));
	assert_string_equal(s, "cde");
	free(s);
	s = slice_dup((struct slice){0});
	assert_string_equal(s, "");
	free(s);
}

static void check_split(const char *text, const char *const *parts)
{
	struct slice rest = slice_of(text), part;
	for (; *parts; parts++) {
		assert_true(slice_next(&rest, ',', &part));
		check(part, *parts);
	}
	assert_false(slice_next(&rest, ',', &part));
	assert_true(slice_in_words(SLICE("b"), "a b cc"));
	assert_true(slice_in_words(SLICE("cc"), "a b cc"));
	assert_false(slice_in_words(SLICE("c"), "a b cc"));
	assert_false(slice_in_words(SLICE("a b"), "a b cc"));
	assert_false(slice_in_words(SLICE("a"), NULL));
}

static void test_next(void **state)
{
	check_split("a,,b", (const char *[]){"a", "", "b", NULL});
	check_split("a,b,", (const char *[]){"a", "b", "", NULL});
	check_split(",", (const char *[]){"", "", NULL});
	check_split("abc", (const char *[]){"abc", NULL});
	check_split("", (const char *[]){"", NULL});
}

static void test_utf8(void **state)
{
	static const char *const good[] = {"", "plain", "\u00e4\u20ac\U0001f600", "\xed\x9f\xbf",
		"\xee\x80\x80", "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xe0\xa0\x80", "\xf0\x90\x80\x80"};
	/* cut, lone continuation, overlong, surrogates, past U+10FFFF, bytes that never occur */
	static const char *const bad[] = {"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\x80", "a\xbfz",
		"\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xf0\x8f\xbf\xbf", "\xed\xa0\x80",
		"\xed\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xfe", "\xc3(",
		"\xe2\x82("};
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!utf8_valid(slice_of(good[i])))
			fail_msg("good %zu is refused", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (utf8_valid(slice_of(bad[i])))
			fail_msg("bad %zu is taken", i);
	assert_int_equal(utf8_length(SLICE("a\u00e4\u20ac\U0001f600")), 4);
	assert_true(utf8_valid(slice_from("a\0b", 3)));
}

static void test_distance(void **state)
{
	assert_int_equal(slice_distance(SLICE("kitten"), SLICE("sitting"), 9), 3);
	assert_int_equal(slice_distance(SLICE("sitting"), SLICE("kitten"), 9), 3);
	assert_int_equal(slice_distance(SLICE("kitten"), SLICE("sitting"), 2), 3); /* limit + 1 */
	assert_int_equal(slice_distance(SLICE(""), SLICE("abc"), 9), 3);
	assert_int_equal(slice_distance(SLICE("abc"), SLICE(""), 9), 3);
	assert_int_equal(slice_distance(SLICE("same"), SLICE("same"), 0), 0);
	assert_int_equal(slice_distance(SLICE("netwrok"), SLICE("network"), 9), 1); /* swapped */
	char longer[66];
	memset(longer, 'a', sizeof(longer));
	assert_int_equal(slice_distance(slice_from(longer, 65), slice_from(longer, 65), 3), 4);
	assert_int_equal(slice_distance(slice_from(longer, 64), slice_from(longer, 62), 3), 2);
}

static void test_nearest(void **state)
{
	static const char *const names[] = {"network", "subnet", "router", "port", "server"};
	assert_string_equal(slice_nearest(SLICE("netwrok"), names, 5), "network");
	assert_string_equal(slice_nearest(SLICE("servers"), names, 5), "server");
	assert_string_equal(slice_nearest(SLICE("prot"), names, 5), "port");
	assert_null(slice_nearest(SLICE("loadbalancer"), names, 5));
	assert_null(slice_nearest(SLICE("x"), names, 5));
	assert_null(slice_nearest(SLICE("port"), names, 0));
}

int test_slice(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_next),
		cmocka_unit_test(test_utf8),
		cmocka_unit_test(test_distance),
		cmocka_unit_test(test_nearest),
	};
	return cmocka_run_group_tests_name("slice", tests, NULL, NULL);
}

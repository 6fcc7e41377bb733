/* Patterns of Graphite's paths. */
#include "../check.h"

#include "base/buf.h"
#include "base/mem.h"
#include "judge/graphite/glob.h"

static void test_patterns(void **state)
{
	static const struct {
		const char *pattern, *name;
		bool fits;
	} cases[] = {{"abc", "abc", true}, {"abc", "abcd", false}, {"", "", true}, {"", "a", false},
		{"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcb", false},
		{"a*b*c", "a1b2b3c", true}, {"?b?", "abc", true}, {"?", "", false},
		{"[a-c]x", "bx", true}, {"[a-c]x", "dx", false}, {"[!a-c]x", "dx", true},
		{"[!a-c]x", "ax", false}, {"[]]", "]", true}, {"[abc", "[abc", true},
		{"[-a]", "-", true}, {"{a,b}c", "bc", true}, {"{a,b}c", "cc", false},
		{"{2*,3*,404}", "404", true}, {"{2*,3*,404}", "204", true},
		{"{2*,3*,404}", "405", false}, {"x{,y}", "x", true}, {"x{,y}", "xy", true},
		{"{a,{b,c}d}", "cd", true}, {"{a,{b,c}d}", "c", false}, {"a}b", "a}b", true},
		{"{ab", "{ab", true}, {"*.*", "a.b", true}};
	for (size_t i = 0; i < array_len(cases); i++) {
		struct glob g;
		struct error err;
		assert_true(glob_init(&g, slice_of(cases[i].pattern), &err));
		if (glob_fits(&g, cases[i].name) != cases[i].fits)
			fail_msg("%s and %s", cases[i].pattern, cases[i].name);
		assert_true(!g.plain || !strcmp(cases[i].pattern, g.variants.p[0]));
		glob_fini(&g);
	}
}

static void test_limits(void **state)
{
	struct buf many = BUF(BUF_LINE), stars = BUF(BUF_LINE), name = BUF(BUF_LINE);
	struct error err = {0};
	struct glob g;
	for (int i = 0; i < 9; i++)
		buf_add_str(&many, "{a,b}");
	assert_false(glob_init(&g, buf_slice(&many), &err));
	assert_string_equal(err.msg, "the braces of a part of a path make more than 500 names");
	/* no pattern is tried in all ways there are */
	for (int i = 0; i < 200; i++) {
		buf_add_str(&stars, "*a");
		buf_add_str(&name, "aaaa");
	}
	buf_add_char(&stars, 'b');
	assert_false(glob_matches(buf_str(&stars), buf_str(&name)));
	buf_fini(&many);
	buf_fini(&stars);
	buf_fini(&name);
}

int test_glob(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_patterns), cmocka_unit_test(test_limits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

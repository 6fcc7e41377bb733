/* Health expressions: what they mean where all is known and where it is not, and what is refused.
 */
#include "../check.h"

#include <string.h>

#include "judge/cloudmon/formula.h"

/* a, b, c ... are the flags 0, 1, 2 ...; anything longer by its first letter. */
static size_t number(void *arg, struct slice name, unsigned at)
{
	return (size_t)(name.p[0] - 'a') % 26;
}

static char value(const char *text, const char *flags)
{
	struct error err = {0};
	enum flag_value v[26] = {0};
	for (size_t i = 0; flags[i]; i++)
		v[i] = flags[i] == '?' ? FLAG_UNKNOWN : flags[i] == '1' ? FLAG_TRUE : FLAG_FALSE;
	struct formula *f = formula_parse(slice_of(text), number, NULL, &err);
	if (!f)
		fail_msg("%s: %u: %s", text, err.col, err.msg);
	const enum flag_value r = formula_value(f, v);
	formula_free(f);
	return r == FLAG_UNKNOWN ? '?' : r == FLAG_TRUE ? '1' : '0';
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *flags;
		char value;
	} rows[] = {{"a", "1", '1'}, {"a || b", "01", '1'}, {"a || b", "0?", '?'},
		{"a || b", "1?", '1'}, {"a && b", "0?", '0'}, {"a && b", "1?", '?'},
		{"!a", "?", '?'}, {"!a", "0", '1'}, {"!!a", "1", '1'}, {"! ( a || b )", "00", '1'},
		/* `+` is OR and binds tighter than `&&` */
		{"a + b && c", "100", '0'}, {"a || b && c", "100", '1'}, {"a && b + c", "101", '1'},
		{"a + b", "?1", '1'}, {"a + b", "?0", '?'}, {"a == true", "1", '1'},
		{"a != true", "1", '0'}, {"a == b", "??", '?'}, {"a == false && b", "01", '1'},
		{"a + b == 1", "01", '1'}, {"a >= 1", "1", '1'}, {"a < 1", "1", '0'},
		{"a <= 0", "0", '1'}, {"a > 0.5", "1", '1'}, {"true", "", '1'},
		{"false || a", "1", '1'},
		{"\xc2\xa0"
		 "a\xc2\xa0||\xc2\xa0"
		 "b ",
			"01", '1'},
		{"block-storage.api_down || a-b.c", "01", '1'}};
	for (size_t i = 0; i < array_len(rows); i++)
		if (value(rows[i].text, rows[i].flags) != rows[i].value)
			fail_msg("%s of %s is not %c", rows[i].text, rows[i].flags, rows[i].value);
}

static void test_refusals(void **state)
{
	static const struct {
		const char *text;
		unsigned col;
		const char *msg;
	} rows[] = {{"", 1, "expected a flag, the expression ends"},
		{"a ||", 5, "expected a flag, the expression ends"},
		{"a b", 3, "expected `||`, `&&`, `+` or a comparison"},
		{"(a || b", 8, "expected `)`"},
		{"a | b", 3, "expected `||`, `&&`, `+` or a comparison"},
		{"a && && b", 6, "expected a flag, `!` or `(`"},
		{"\xc3\xa4", 1, "expected a flag, `!` or `(`"},
		{"a == b == c", 8, "expected `||`, `&&`, `+` or a comparison"}};
	for (size_t i = 0; i < array_len(rows); i++) {
		struct error err = {0};
		assert_null(formula_parse(slice_of(rows[i].text), number, NULL, &err));
		if (err.col != rows[i].col || strcmp(err.msg, rows[i].msg) != 0)
			fail_msg("%s: %u: %s", rows[i].text, err.col, err.msg);
	}
	char deep[400];
	memset(deep, '(', sizeof(deep) - 1);
	deep[sizeof(deep) - 1] = '\0';
	struct error err = {0};
	assert_null(formula_parse(slice_of(deep), number, NULL, &err));
	assert_string_equal(err.msg, "parentheses stand too deep in each other");
}

/* What is unknown decides nothing: whatever it turns out to be, what was said stays true. */
static void test_unknown_is_honest(void **state)
{
	static const char *const texts[] = {"a || b && c", "!(a + b) || c", "a && (b || !c)",
		"a == b || c", "!a && !b && !c", "a != b && c + a"};
	for (size_t t = 0; t < array_len(texts); t++)
		for (int i = 0; i < 27; i++) {
			const char flags[] = {"01?"[i % 3], "01?"[i / 3 % 3], "01?"[i / 9], '\0'};
			const char said = value(texts[t], flags);
			for (int k = 0; said != '?' && k < 8; k++) {
				char known[4] = {0};
				for (int f = 0; f < 3; f++)
					known[f] = flags[f] == '?' ? "01"[k >> f & 1] : flags[f];
				assert_int_equal(value(texts[t], known), said);
			}
		}
}

int test_formula(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_values),
		cmocka_unit_test(test_refusals), cmocka_unit_test(test_unknown_is_honest)};
	return cmocka_run_group_tests_name("formula", tests, NULL, NULL);
}

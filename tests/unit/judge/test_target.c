/* Targets of Graphite: trees, columns of errors, limits. */
#include "../check.h"

#include <stdlib.h>

#include "base/buf.h"
#include "judge/graphite/target.h"

static void write_node(struct buf *out, const struct target_node *n)
{
	static const char *const nothing = "None";
	if (n->keyword)
		buf_printf(out, "%s=", n->keyword);
	switch (n->type) {
	case TARGET_PATH: buf_printf(out, "<%s>", n->text); break;
	case TARGET_NUMBER: buf_printf(out, "%g%s", n->number, n->whole ? "i" : ""); break;
	case TARGET_STRING: buf_printf(out, "'%s'", n->text); break;
	case TARGET_BOOL: buf_add_str(out, n->whole ? "true" : "false"); break;
	case TARGET_NONE: buf_add_str(out, nothing); break;
	case TARGET_CALL:
		buf_printf(out, "%s(", n->text);
		for (size_t i = 0; i < n->args.n; i++) {
			if (i)
				buf_add_char(out, ' ');
			write_node(out, n->args.p[i]);
		}
		buf_add_char(out, ')');
	}
}

static char *shown(const char *text)
{
	struct error err = {0};
	struct buf out = BUF(BUF_LINE);
	struct target *t = target_parse(slice_of(text), &err);
	if (t)
		write_node(&out, target_root(t));
	else
		buf_printf(&out, "%u: %s", err.col, err.msg);
	target_free(t);
	return buf_take(&out);
}

#define assert_shown(text, wanted)                                                                 \
	do {                                                                                       \
		char *got = shown(text);                                                           \
		assert_string_equal(got, wanted);                                                  \
		free(got);                                                                         \
	} while (0)

static void test_trees(void **state)
{
	assert_shown("a.b.c", "<a.b.c>");
	assert_shown(" a.*.{2*,3*,404}.c?[0-9] ", "<a.*.{2*,3*,404}.c?[0-9]>");
	assert_shown("a;b=c;d=e", "<a;b=c;d=e>");
	assert_shown("10.20", "<10.20>");
	assert_shown("f(10.20, 10.20.x,-3,1e3, 5 )", "f(10.2 <10.20.x> -3i 1000 5i)");
	assert_shown("f(a, 'x', \"y(,\", true, False, None, inf)",
		"f(<a> 'x' 'y(,' true false None inf)");
	assert_shown("f(true.x, none2, information)", "f(<true.x> <none2> <information>)");
	assert_shown("f(a,func='sum', n = 3)", "f(<a> func='sum' n=3i)");
	assert_shown("f(a;x=1)", "f(<a;x=1>)");
	assert_shown("a.b | scale(2)|alias('x')", "alias(scale(<a.b> 2i) 'x')");
	assert_shown("sum(a|f(),b)", "sum(f(<a>) <b>)");
	assert_shown("a\\.b\\(c.{x,}", "<a.b(c.{x,}>");
	assert_shown("f()", "f()");
	assert_shown("zażółć.*", "<zażółć.*>");
}

static void test_errors(void **state)
{
	assert_shown("", "1: expected a path or a function, found the end");
	assert_shown("f(a", "4: expected \",\" or \")\" after an argument of f, found the end");
	assert_shown("f(ż b)", "5: expected \",\" or \")\" after an argument of f, found \"b\"");
	assert_shown("f(a,)", "5: expected a path or a function, found \")\"");
	assert_shown("a.b)", "4: expected the end, found \")\"");
	assert_shown("a..b", "3: expected a path or a function, found \".\"");
	assert_shown("f('a)", "3: this text has no closing quote");
	assert_shown("a.{b.c}", "5: expected \",\" or \"}\" in the braces that began at \"{b.c}\"");
	assert_shown("a | b", "5: expected a function with its parentheses after \"|\"");
	assert_shown("f(n=1, a)", "8: an argument by position stands before those by name");
	assert_shown("f(123456789012345678901234567890)",
		"3: the number 123456789012345678901234567890 is too large");
	assert_shown("a\xff", "1: a target is text in UTF-8");
}

static void test_limits(void **state)
{
	struct buf deep = BUF(BUF_PAGE), piped = BUF(BUF_PAGE), wide = BUF(BUF_PAGE);
	for (int i = 0; i <= TARGET_DEPTH; i++)
		buf_add_str(&deep, "f(");
	assert_shown(buf_str(&deep), "65: functions stand at most 32 deep in each other");
	buf_add_char(&piped, 'a');
	for (int i = 0; i <= TARGET_DEPTH; i++)
		buf_add_str(&piped, "|f()");
	assert_shown(buf_str(&piped), "131: functions stand at most 32 deep in each other");
	buf_add_str(&wide, "f(");
	for (int i = 0; i < TARGET_NODES; i++)
		buf_add_str(&wide, "a,");
	assert_shown(buf_str(&wide), "20001: a target has at most 10000 parts");
	for (int i = 0; i < TARGET_NODES * 4; i++)
		buf_add_str(&wide, "a,");
	assert_shown(buf_str(&wide), "1: a target is at most 64 KiB long, not 100002 bytes");
	buf_fini(&deep);
	buf_fini(&piped);
	buf_fini(&wide);
}

static void test_first_path(void **state)
{
	static const char *const cases[][2] = {{"sumSeries(a.b.*,c)", "a.b.*"},
		{"scale(sum(x.y),2)", "x.y"}, {"constantLine(5)", NULL}, {"f(", NULL}};
	for (size_t i = 0; i < array_len(cases); i++) {
		char *path = target_first_path(slice_of(cases[i][0]));
		if (cases[i][1])
			assert_string_equal(path, cases[i][1]);
		else
			assert_null(path);
		free(path);
	}
}

int test_target(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_trees),
		cmocka_unit_test(test_errors), cmocka_unit_test(test_limits),
		cmocka_unit_test(test_first_path)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

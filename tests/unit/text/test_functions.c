/* The functions of the language: what they yield, what they refuse, and their budget. */
#include "evaluate.h"

static void test_len(void **state)
{
	yields("len('')", "0");
	yields("len('äö€')", "3");
	yields("len([])", "0");
	yields("len([null, null])", "2");
	yields("len({a: 1, b: 2})", "2");
	yields("len(null)", "0");
	yields("len(nodes)", "3");
	yields("len(nodes[*])", "3");
	starts("len(5)", "!3:10 len wants a list, a map or text, not a number", false);
	starts("len()", "!3:10 len takes 1 argument, not 0", false);
}

static void test_extremes(void **state)
{
	yields("min(3, 2, 5)", "2");
	yields("max(3, 2, 5)", "5");
	yields("max([3, 2, 5])", "5");
	yields("min([])", "null");
	yields("max(1, 2.5)", "2.5");
	yields("min(90s, 1m)", "\"60s\"");
	yields("max(1KiB, 1kB)", "\"1024B\"");
	yields("max(node.size, 2)", "3");
	starts("max(1, 2s)", "!3:10 max wants numbers, times or sizes of one kind", false);
	starts("min('a')", "!3:10 min wants numbers, times or sizes of one kind", false);
	starts("min(1, null)", "!3:10 min wants", false);
}

static void test_rounding(void **state)
{
	yields("7 / 2", "3");
	yields("-7 / 2", "-4");
	yields("7 / -2", "-4");
	yields("-8 / 2", "-4");
	yields("-7 % 3", "2");
	yields("7 % -3", "-2");
	yields("7 / 2.0", "3.5");
	yields("ceil(2.1)", "3");
	yields("ceil(-2.1)", "-2");
	yields("ceil(4)", "4");
	/* The quotient is exact where it is rounded up at once. */
	yields("ceil(7 / 2)", "4");
	yields("ceil(8 / 2)", "4");
	yields("ceil(-7 / 2)", "-3");
	yields("ceil(x / 3)", "3");
	yields("ceil(7 / 2.0)", "4");
	yields("ceil((7 / 2))", "4");
	yields("ceil(7 / 2 + 0)", "3");
	yields("ceil(never / 2)", "#2");
	starts("ceil(1 / 0)", "!3:17 division by zero", false);
	starts("ceil('a')", "!3:10 ceil wants a number", false);
	starts("ceil(1e30)", "!3:10 ceil wants a number", false);
}

static void test_cidr(void **state)
{
	yields("cidr('10.250.0.0/16', 22, 0)", "\"10.250.0.0/22\"");
	yields("cidr('10.250.0.0/16', 22, 63)", "\"10.250.252.0/22\"");
	starts("cidr('10.250.0.0/16', 22, 64)",
		"!3:10 10.250.0.0/16 has no network 64 of length /22", false);
	yields("cidr('10.0.0.7/24', 24, 0)",
		"\"10.0.0.0/24\""); /* what stands behind the prefix goes */
	yields("cidr('255.255.255.0/24', 32, 255)", "\"255.255.255.255/32\"");
	yields("cidr('0.0.0.0/0', 32, 4294967295)", "\"255.255.255.255/32\"");
	starts("cidr('0.0.0.0/0', 32, 4294967296)", "!3:10 0.0.0.0/0 has no network", false);
	yields("cidr('::/0', 64, 9223372036854775807)", "\"7fff:ffff:ffff:ffff::/64\"");
	yields("cidr('fd00::/48', 64, 65535)", "\"fd00:0:0:ffff::/64\"");
	starts("cidr('fd00::/48', 64, 65536)", "!3:10 fd00::/48 has no network 65536", false);
	starts("cidr('10.0.0.0/24', 23, 0)", "!3:10 10.0.0.0/24 has no network 0 of length /23",
		false);
	starts("cidr('10.0.0.0/24', 33, 0)", "!3:10 10.0.0.0/24 has no network", false);
	starts("cidr('10.0.0.0/24', 25, -1)", "!3:10 10.0.0.0/24 has no network -1", false);
	starts("cidr('10.0.0/24', 25, 0)", "!3:10 \"10.0.0/24\" is no network such as 10.0.0.0/16",
		false);
	starts("cidr('10.0.0.0', 25, 0)", "!3:10 \"10.0.0.0\" is no network", false);
	starts("cidr('10.0.0.0/40', 40, 0)", "!3:10 \"10.0.0.0/40\" is no network", false);
	starts("cidr('10.0.0.0/8', '9', 0)", "!3:10 cidr wants a network, a prefix length", false);
}

static void test_texts(void **state)
{
	yields("join(['a', 1, true, null, 'b'], ', ')", "\"a, 1, true, , b\"");
	yields("join(['a', 'b'])", "\"ab\"");
	yields("join([], ',')", "\"\"");
	yields("join(nodes[*], ' ')", "\"node-id node-id-1 node-id-2\"");
	starts("join('a', ',')", "!3:10 join wants a list and a text between", false);
	yields("lower('ÄbC-1')", "\"Äbc-1\""); /* ASCII only: names of machines */
	starts("lower(5)", "!3:10 lower wants text, not a number", false);
	yields("string(1.5)", "\"1.5\"");
	yields("string(90s)", "\"90s\"");
	yields("string(null)", "\"\"");
	yields("string([1, 'a'])", "\"[1,\\\"a\\\"]\"");
	yields("string(node)", "\"node-id\"");
	yields("base64('')", "\"\"");
	yields("base64('a')", "\"YQ==\"");
	starts("base64(1)", "!3:10 base64 wants text, not a number", false);
}

static void test_yaml(void **state)
{
	yields("yaml('a: 1\nb: [x, ~]')", "{\"a\":1,\"b\":[\"x\",null]}");
	yields("yaml('')", "null");
	yields("yaml('a: {b: 5}').a.b", "5");
	starts("yaml('a: [')", "!3:10 yaml():", false);
	starts("yaml(list)", "!3:10 yaml wants text, not a list", false);
}

static void test_without(void **state)
{
	yields("without([1, 2, 3, 2], [2])", "[1,3]");
	yields("without([], [1])", "[]");
	yields("without(['a', 'b'], [])", "[\"a\",\"b\"]");
	yields("without([{a: 1}, {a: 2}], [{a: 1}])", "[{\"a\":2}]");
	yields("len(without(nodes[*], [nodes[1]]))", "2");
	starts("without('a', [])", "!3:10 without wants two lists", false);
}

static void test_only_in_conditions(void **state)
{
	starts("pat('a*')", "!3:10 pat stands to the right of == or != only", false);
	starts("any(1)", "!3:10 any stands to the right of == or != only", false);
	yields("x == any(1, 7)", "true");
	yields("run == pat('a?c')", "true");
	yields("has(null)", "false");
	yields("has(node.nothing)", "false");
	yields("has(node.size)", "true");
	starts("nosuch(1)", "!3:10 unknown function nosuch", false);
}

/* Work grows with lists, not with the length of the expression: it is counted all the same. */
static void test_budget(void **state)
{
	struct buf b = BUF(BUF_ANSWER);
	buf_add_str(&b, "len(without([0");
	for (int i = 1; i < 1000; i++)
		buf_printf(&b, ",%d", i);
	buf_add_str(&b, "],[");
	for (int i = 1000; i < 2000; i++)
		buf_printf(&b, "%d,", i);
	buf_add_str(&b, "0]))");
	starts(buf_str(&b), "!3:", false);
	char *got = evaluate(buf_str(&b), false);
	assert_non_null(strstr(got, "takes more than its budget of 100000 steps"));
	free(got);
	/* 100 joined pieces of 50 kB are over 4 MiB. */
	buf_clear(&b);
	buf_add_str(&b, "len(join([[0][5], ");
	for (int i = 0; i < 100; i++)
		buf_add_str(&b, "'', ");
	buf_add_str(&b, "''], '");
	for (int i = 0; i < 50000; i++)
		buf_add_char(&b, '-');
	buf_add_str(&b, "'))");
	got = evaluate(buf_str(&b), false);
	assert_string_equal(got, "!3:14 this expression takes more than its budget of 4 MiB");
	free(got);
	buf_fini(&b);
}

int test_functions(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_len),
		cmocka_unit_test(test_extremes),
		cmocka_unit_test(test_rounding),
		cmocka_unit_test(test_cidr),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_yaml),
		cmocka_unit_test(test_without),
		cmocka_unit_test(test_only_in_conditions),
		cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests_name("functions", tests, NULL, NULL);
}

/* Expressions: values, positions of errors, limits. */
#include "evaluate.h"

static void test_values(void **state)
{
	yields("1 + 2 * 3", "7");
	yields("x / 2", "3");
	yields("-7 / 2", "-4");
	yields("7 % -2", "-1");
	yields("1.5 * 2", "3.0");
	yields("x > 3 ? 'a' : 'b'", "\"a\"");
	yields("list[*]", "[1,2]");
	yields("list[-1]", "2");
	yields("list[5]", "2");
	yields("[][3]", "null");
	yields("[1] + [2]", "[1,2]");
	yields("'a' + 'b'", "\"ab\"");
	yields("2 * 10s", "\"20s\"");
	yields("90s / 30s", "3.0");
	yields("10ms < 2s", "true");
	yields("1h30m == 90m", "true");
	yields("5GiB > 5GB", "true");
	yields("{a: 1, 'b c': [x]}", "{\"a\":1,\"b c\":[7]}");
	yields("{a: {b: 5}}.a.b", "5");
	yields("{'odd:name': 5}['odd:name']", "5");
	yields("null ?? x", "7");
	yields("never ?? x", "7");
	yields("x in [1, 7]", "true");
	yields("!(x == 7) || true", "true");
	yields("null.field", "null");
}

static void test_functions(void **state)
{
	yields("len(list) + len('äö') + len({a: 1})", "5");
	yields("min(3, 2) + max([1, 5])", "7");
	yields("ceil(2.1)", "3");
	yields("cidr('10.250.0.0/16', 22, 3)", "\"10.250.12.0/22\"");
	yields("cidr('fd00::/48', 64, 257)", "\"fd00:0:0:101::/64\"");
	yields("join(['a', 1], '-')", "\"a-1\"");
	yields("lower('ABC')", "\"abc\"");
	yields("string(x)", "\"7\"");
	yields("without(list, [1])", "[2]");
	yields("base64('hi')", "\"aGk=\"");
	yields("yaml('{a: [1, two]}')", "{\"a\":[1,\"two\"]}");
	starts("cidr('10.0.0.0/24', 25, 2)", "!3:10 10.0.0.0/24 has no network 2", false);
	starts("cidr('10.0.0.0/24', 25)", "!3:10 cidr takes 3 arguments, not 2", false);
}

static void test_pulls(void **state)
{
	yields("late + 1", "#1");
	yields("never + 1", "#2");
	yields("broken", "#3");
	yields("x == 7 || late", "true");
	yields("x == 8 && late", "false");
}

static void test_errors_have_a_place(void **state)
{
	starts("nope + 1", "!3:10 unknown name nope", false);
	starts("1 +", "!3:13 expected a value, found the end", false);
	starts("(1", "!3:12 expected \")\"", false);
	starts("5 < 2s", "!3:12 < does not work between a number and a time", false);
	starts("1 / 0", "!3:12 division by zero", false);
	starts("'ä' + 1", "!3:14 + does not work between text and a number", false);
	starts("'open", "!3:10 this text has no closing quote", false);
	starts("5 parsecs", "!3:12", false);
	starts("5parsecs", "!3:10 not a number with a unit", false);
	starts("x.y", "!3:11 a number has no field \"y\"", false);
	starts("a ; b", "!3:12 this character has no meaning", false);
	starts("x ? 1 : 2", "!3:10 expected true or false, found a number", false);
}

static void test_conditions(void **state)
{
	holds("[STATUS] == 200", "true");
	holds("[BODY].status == UP", "true");
	holds("[BODY].status == 'UP'", "true");
	holds("[BODY].items[0].x > 2", "true");
	holds("[GAP] < 5s", "true");
	holds("[GAP] < 100ms", "false");
	holds("[OUTPUT] == ${run}", "true");
	holds("[OUTPUT] == ${run}-x", "false");
	holds("${x} in [7, 8]", "true");
	holds("${run} in [DEGRADED, abc]", "true");
	holds("[STATUS] == any(200, 201)", "true");
	holds("[OUTPUT] == pat(a*)", "true");
	holds("[OUTPUT] != pat(*b)", "true");
	holds("len([BODY].items) == 1", "true");
	holds("has([BODY].nope) == false", "true");
	holds("[STATUS] == 200 && ([GAP] < 1s || [STATUS] == 5)", "true");
	holds("[NOPE] < 5s", "false");
	holds("'9925us' < '1139921us'", "true"); /* as two measurements come */
	holds("[GAP] < '1s' && [GAP] >= '299999us'", "true");
	holds("'4KiB' > '1025B' && '0.5%' < '10%'", "true");
	holds("'9' < '10'", "false"); /* may be names */
	holds("[NOPE] == null", "true");
	holds("!([STATUS] == 200)", "false");
	starts("[STATUS", "!3:10 expected a measurement", true);
	starts("[STATUS] ==", "!3:21 expected a measurement", true);
	starts("${run == 1", "!3:10", true);
}

static void test_limits(void **state)
{
	char *deep = mem_alloc(1000);
	memset(deep, '(', 999);
	deep[999] = 0;
	starts(deep, "!3:", false);
	memset(deep, '!', 999);
	starts(deep, "!3:", false);
	free(deep);
	starts("9223372036854775807 + 1", "!3:30 the result of + is too large", false);
	starts("-9223372036854775807 - 2", "!3:", false);
	starts("99999999999999999999", "", false);
	/* doubling a text 30 times ends in the budget, not in memory */
	struct buf b = BUF(BUF_LINE);
	buf_add_str(&b, "'0123456789abcdef'");
	for (int i = 0; i < 3; i++) {
		char *once = mem_strdup(buf_str(&b));
		for (int k = 0; k < 15; k++)
			buf_printf(&b, " + %s", once);
		free(once);
		if (b.n > 4000)
			break;
	}
	char *got = evaluate(buf_str(&b), false);
	assert_true(strlen(got) > 10);
	free(got);
	buf_fini(&b);
}

/* `1+1+…` makes a tree as deep as it is long: it must end in an error, not in the stack. */
static void test_chains(void **state)
{
	struct buf b = BUF(BUF_ANSWER);
	buf_add_char(&b, '1');
	for (int i = 0; i < 1900; i++)
		buf_add_str(&b, "+1");
	yields(buf_str(&b), "1901");
	for (int i = 0; i < 10000; i++)
		buf_add_str(&b, "+1");
	starts(buf_str(&b), "!3:10 an expression has at most 4000 parts", false);
	for (int i = 0; i < 50000; i++)
		buf_add_str(&b, "+1");
	starts(buf_str(&b), "!3:10 an expression is at most 64 KiB long", false);
	buf_clear(&b);
	buf_add_str(&b, "[STATUS] == 200");
	for (int i = 0; i < 4000; i++)
		buf_add_str(&b, "&&[A]==1");
	starts(buf_str(&b), "!3:10 an expression has at most 4000 parts", true);
	buf_clear(&b);
	buf_add_str(&b, "!([STATUS] == 1)");
	for (int i = 0; i < 100; i++) /* one behind the other is not one inside the other */
		buf_add_str(&b, " && !([STATUS] == 1)");
	holds(buf_str(&b), "true");
	buf_fini(&b);
}

static void test_names(void **state)
{
	struct error err = {0};
	struct expr *e = expr_parse(SLICE("a.b[i] + len(c[*].d) + (e ?? f)"), 0, "f", 1, 1, &err);
	struct buf seen = BUF(BUF_LINE);
	assert_non_null(e);
	extern void note_use(void *arg, const struct expr_use *use);
	expr_names(e, note_use, &seen);
	assert_string_equal(buf_str(&seen), "a i c* e? f ");
	buf_fini(&seen);
	expr_free(e);
}

void note_use(void *arg, const struct expr_use *use);
void note_use(void *arg, const struct expr_use *use)
{
	buf_printf(arg, "%.*s%s%s ", SLICE_ARG(use->name), use->needs_all ? "*" : "",
		use->optional ? "?" : "");
}

static void note_text(void *arg, struct slice text)
{
	buf_printf(arg, "%.*s ", SLICE_ARG(text));
}

static void test_texts(void **state)
{
	struct error err = {0};
	struct expr *e = expr_parse_condition(
		SLICE("${a.status == 'UP' || b in ['x', 1, \"y\"]} == DOWN"), "f", 1, 1, &err);
	struct buf seen = BUF(BUF_LINE);
	assert_non_null(e);
	expr_texts(e, note_text, &seen);
	assert_string_equal(buf_str(&seen), "UP x y DOWN ");
	buf_fini(&seen);
	expr_free(e);
}

int test_expr(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_pulls),
		cmocka_unit_test(test_errors_have_a_place),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_chains),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Conditions of expect, warn and until: the grammar beside ${}, and what they explain. */
#include "evaluate.h"

static void test_operands(void **state)
{
	holds("[STATUS] == 200", "true");
	holds("200 == [STATUS]", "true");
	holds("[STATUS]==200", "true");
	holds("  [STATUS]  !=  201  ", "true");
	holds("[BODY].items[0].x == 3", "true");
	holds("[BODY]['status'] == UP", "true");
}

static void test_plain_words(void **state)
{
	holds("[OUTPUT] == abc", "true");
	holds("[OUTPUT] == 'abc'", "true");
	holds("[OUTPUT] == \"abc\"", "true");
	holds("[OUTPUT] == ab cd", "false");
	holds("[OUTPUT] != it's fine", "true"); /* a quote inside a word is a letter */
	holds("[OUTPUT] == ${run}", "true");
	holds("[OUTPUT] == a${'b'}c", "true");
	holds("[OUTPUT] == ${'}'}", "false");
	holds("abc == [OUTPUT]", "true");
	holds("[BODY].status == any(DOWN, UP)", "true");
	holds("[BODY].status == any(DOWN, ERROR)", "false");
	holds("[BODY].status in [DOWN, UP]", "true");
	holds("${run} in [x, a${'b'}c]", "true");
	holds("[OUTPUT] == pat(a${'b'}*)", "true");
	holds("[STATUS] == pat(2*)", "true");
}

static void test_units(void **state)
{
	holds("[GAP] < 1s", "true");
	holds("[GAP] <= 300ms", "true");
	holds("[GAP] == 0.3s", "true");
	holds("[GAP] > 0.5s", "false");
	holds("[LOSS] < 1%", "true");
	holds("[LOSS] == 0.5%", "true");
	holds("[STATUS] < 5%", "false"); /* a number beside a percentage: 200 is 20000% */
	starts("[STATUS] < 5s", "!3:19 < does not work between a number and a time", true);
	starts("[OUTPUT] < 5s", "!3:19 < does not work between text and a time", true);
}

static void test_nothing_measured(void **state)
{
	holds("[NOPE] < 5s", "false");
	holds("[NOPE] > 5s", "false");
	holds("[NOPE] == null", "true");
	holds("[NOPE] != null", "false");
	holds("has([NOPE])", "false");
	holds("[NOPE].a.b[3] == null", "true");
	holds("len([NOPE]) == 0", "true");
	/* What came has another form: an error page, a text in the place of a list. */
	holds("[OUTPUT].status == UP", "false");
	holds("has([OUTPUT].status.deep[3])", "false");
	holds("[OUTPUT].status == UP || [STATUS] == 200", "true");
	holds("[BODY].status.code == 1", "false");
	holds("[BODY][0].x == 1", "false");
	holds("len([BODY][*]) == 0", "true");
	holds("[BODY].items[1].x == 3", "false"); /* there is one: the second is not the first */
	holds("[BODY].items[1] == null", "true");
	holds("[BODY].items[-1].x == 3", "true");
	holds("[BODY].items[-2].x == 3", "false");
	starts("${x.y} == 1", "!3:", true); /* a mistake of who wrote it */
}

static void test_logic(void **state)
{
	holds("[STATUS] == 200 && [GAP] < 1s", "true");
	holds("[STATUS] == 1 || [GAP] < 1s", "true");
	holds("[STATUS] == 1 && [GAP] < 1s || [STATUS] == 200", "true");
	holds("[STATUS] == 1 && ([GAP] < 1s || [STATUS] == 200)", "false");
	holds("!([STATUS] == 1) && !([STATUS] == 2)", "true");
	holds("${x == 7} && [STATUS] == 200", "true");
	holds("[STATUS] == 1 && ${late}", "false"); /* not asked for */
	holds("${late} == 1", "#1");
	holds("${never} == 1", "#2");
	holds("${broken} == 1", "#3");
	holds("${never ?? 'a'} == a", "true");
}

static void test_errors(void **state)
{
	starts("", "!3:10 expected a measurement such as [STATUS], a ${expression} or a value",
		true);
	starts("[status] == 1", "!3:10 expected a measurement such as [STATUS]", true);
	starts("[STATUS] ==", "!3:21 expected a measurement", true);
	starts("([STATUS] == 1", "!3:24 expected \")\"", true);
	starts("[STATUS] == 1 )", "!3:24 expected && or || or the end", true);
	starts("[STATUS] 200", "!3:19 expected an operator after the measurement", true);
	starts("[A] == ${x", "!3:17 this ${ has no closing }", true);
	starts("[A] == any(${x, 1)", "!3:21 this ${ has no closing }", true);
	starts("[A] == ${1 +}", "!3:22 expected a value, found the end", true);
	starts("${re(x ||)} == 1", "!3:19 expected a value, found \")\"", true);
	starts("[STATUS] in 5", "!3:19 in does not work between a number and a number", true);
	starts("join([BODY].items, '') == x",
		"!3:10 join() cannot be called here: write it in ${}, or put the text into quotes",
		true);
	holds("[OUTPUT] != 'min(1)'", "true");
	holds("[OUTPUT] != walk(1)", "true");
	starts("[STATUS]", "200", true); /* no comparison: its user says that it is no condition */
}

static void explains(const char *text, const char *expected)
{
	struct error err = {0};
	struct buf out = BUF(BUF_LINE);
	struct expr *e = expr_parse_condition(slice_of(text), "f", 1, 1, &err);
	assert_non_null(e);
	expr_explain(e, &evaluate_scope, &out);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
	expr_free(e);
}

static void test_explain(void **state)
{
	explains("[STATUS] == 201", "[STATUS] = 200");
	explains("[BODY].items[0].x == 4 && [GAP] < 1ms", "[BODY].items[0].x = 3, [GAP] = 300ms");
	explains("[OUTPUT] == ${node.size}", "[OUTPUT] = abc, node.size = 3");
	explains("[NOPE] < 5s", "[NOPE] = null");
	explains("${late.x} == 1", "late.x is not known");
	explains("${nodes[1]} == x", "nodes[1] = node-id-1");
}

static enum expr_result torn(void *arg, struct slice name, struct value *ret, struct error *err)
{
	*ret = value_str(arg);
	return EXPR_OK;
}

static void explains_what_came(const char *came, const char *expected)
{
	const struct expr_scope scope = {.arg = (void *)came, .measurement = torn};
	struct error err = {0};
	struct buf out = BUF(BUF_LINE);
	struct expr *e = expr_parse_condition(SLICE("[BODY] == x"), "f", 1, 1, &err);
	expr_explain(e, &scope, &out);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
	expr_free(e);
}

/* What came over the network is shown on terminals and written into documents. */
static void test_explain_what_is_no_text(void **state)
{
	char long_text[202] = "x", *cut;
	explains_what_came("a\033[31mred\xc2\x9bz\177\nb", "[BODY] = a [31mred z  b");
	explains_what_came("\xe4\xff ok", "[BODY] = \xef\xbf\xbd\xef\xbf\xbd ok");
	for (size_t i = 1; i < 201; i += 2)
		memcpy(long_text + i, "\xc3\xa4", 2); /* one begins at byte 199 */
	cut = mem_printf("[BODY] = %s…", long_text);
	char longer[204];
	snprintf(longer, sizeof(longer), "%s.", long_text);
	explains_what_came(longer, cut);
	free(cut);
}

static enum value_type type_of(struct slice name)
{
	return slice_is(name, "T")   ? VALUE_TIME
	       : slice_is(name, "P") ? VALUE_PERCENT
	       : slice_is(name, "S") ? VALUE_SIZE
				     : VALUE_NULL;
}

static void units(const char *text, const char *expected)
{
	struct error err = {0};
	struct expr *e = expr_parse_condition(slice_of(text), "f", 1, 1, &err);
	assert_non_null(e);
	const bool fit = expr_units(e, type_of, &err);
	assert_string_equal(fit ? "" : err.msg, expected);
	expr_free(e);
}

static void test_units_are_told_before(void **state)
{
	units("[T] < 5s && [P] == 0% && [S] > 1KiB && [X] == 5 && [T] != null && [T] < [X]", "");
	units("[T] < 5", "< does not work between a time and a number");
	units("5 > [T]", "> does not work between a time and a number");
	units("[X] == 1 || !([P] < 20)", "< does not work between a percentage and a number");
	units("[S] == any(5KiB, 5)", "== does not work between a size and a number");
	units("[T] in [5s, 5%]", "in does not work between a time and a percentage");
}

int test_condition(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_operands),
		cmocka_unit_test(test_plain_words),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_nothing_measured),
		cmocka_unit_test(test_logic),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_explain),
		cmocka_unit_test(test_explain_what_is_no_text),
		cmocka_unit_test(test_units_are_told_before),
	};
	return cmocka_run_group_tests_name("condition", tests, NULL, NULL);
}

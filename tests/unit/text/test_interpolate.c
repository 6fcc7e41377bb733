/* Documents with expressions: types kept, nulls, literal ${, places of errors, many pieces. */
#include "evaluate.h"

#include "text/interpolate.h"

static char *errors_text(struct error_list *errors)
{
	struct buf all = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];
	for (size_t i = 0; i < errors->n; i++)
		buf_printf(&all, "%s\n", error_text(&errors->p[i], line, sizeof(line)));
	error_list_fini(errors);
	return buf_take(&all);
}

/* A YAML text evaluated to JSON; "!errors" or "#result". Owned. */
static char *run(const char *text)
{
	struct error_list errors = {0};
	struct error err = {0};
	struct yaml_file *f = yaml_parse(slice_of(text), "f", &errors);
	assert_non_null(f);
	struct interp *t = interp_parse(yaml_root(f, 0), "f", &errors);
	yaml_free(f); /* nothing of it is kept */
	if (!t) {
		char *all = errors_text(&errors), *out = mem_printf("!%s", all);
		free(all);
		return out;
	}
	json_t *j = NULL;
	const enum expr_result r = interp_eval_json(t, &evaluate_scope, &j, &err);
	interp_free(t);
	if (r == EXPR_ERROR)
		return mem_printf("!f:%u:%u: %s\n", err.line, err.col, err.msg);
	if (r != EXPR_OK)
		return mem_printf("#%d", (int)r);
	char *out = json_text(j);
	json_decref(j);
	return out;
}

static void gives(const char *text, const char *expected)
{
	char *got = run(text);
	assert_string_equal(got, expected);
	free(got);
}

static void test_types(void **state)
{
	gives("a: ${x}", "{\"a\":7}");
	gives("a: '${x}'", "{\"a\":7}");
	gives("a: 'n${x}'", "{\"a\":\"n7\"}");
	gives("a: '${x}${x}'", "{\"a\":\"77\"}");
	gives("a: ' ${x}'", "{\"a\":\" 7\"}");
	gives("a: '${x > 3}'", "{\"a\":true}");
	gives("a: \"${list}\"", "{\"a\":[1,2]}");
	gives("a: \"l${list}\"", "{\"a\":\"l[1,2]\"}");
	gives("a: \"${{k: [x]}}\"", "{\"a\":{\"k\":[7]}}");
	gives("a: \"${node}\"", "{\"a\":\"node-id\"}");
	gives("a: \"${nodes[*]}\"", "{\"a\":[\"node-id\",\"node-id-1\",\"node-id-2\"]}");
	gives("a: \"${2 * 30s}\"", "{\"a\":\"60s\"}");
	gives("a: \"${'}'}\"", "{\"a\":\"}\"}");
}

static void test_literals(void **state)
{
	gives("{a: 1, b: 1.5, c: true, d: text, e: '1', f: 10s, g: ''}",
		"{\"a\":1,\"b\":1.5,\"c\":true,\"d\":\"text\",\"e\":\"1\",\"f\":\"10s\",\"g\":\"\"}");
	gives("a: $${x}", "{\"a\":\"${x}\"}");
	gives("a: '$${x} is ${x}'", "{\"a\":\"${x} is 7\"}");
	gives("a: '$$${x}'", "{\"a\":\"$${x}\"}");
	gives("a: 5$", "{\"a\":\"5$\"}");
	gives("a: $x", "{\"a\":\"$x\"}");
}

static void test_nulls(void **state)
{
	gives("{a: null, b: ~, c: }", "{\"a\":null,\"b\":null,\"c\":null}");
	gives("{a: '${null}', b: 1}", "{\"b\":1}");
	gives("['${null}', 1, null, '${x == 7 ? null : 1}']", "[1,null]");
	gives("{a: {b: '${null}'}}", "{\"a\":{}}");
	gives("{a: 'x${null}'}", "{\"a\":\"x\"}");
	gives("{a: '${[null, 1]}'}", "{\"a\":[null,1]}"); /* inside an expression it was written */
	gives("${null}", "null");
}

static void test_results(void **state)
{
	gives("{a: '${late}'}", "#1");
	gives("{a: '${never}'}", "#2");
	gives("{a: '${never ?? x}'}", "{\"a\":7}");
	gives("{a: ['${broken.f}']}", "#3");
	gives("{a: 'x${late}'}", "#1");
	gives("{a: '${1 / 0}'}", "!f:1:10: division by zero\n");
	gives("{a: 'ä ${1 / 0}'}", "!f:1:12: division by zero\n");
	gives("a: ${nope}", "!f:1:6: unknown name nope\n");
}

static void test_every_error(void **state)
{
	gives("a: ${1 +}\nb: ['${', 'ok ${2 *}']\nc: {d: '${)}'}\n",
		"!f:1:9: expected a value, found the end\n"
		"f:2:6: this ${ has no closing }\n"
		"f:2:20: expected a value, found the end\n"
		"f:3:11: expected a value, found \")\"\n");
	/* Of a text of several lines the first stands for all. */
	gives("a: |\n  one\n  two ${1 +}\n", "!f:2:6: expected a value, found the end\n");
}

static void test_looking(void **state)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(
		SLICE("{a: '${x + list[0]} ${len(run)}', b: [1, {c: 2}]}"), "f", &errors);
	struct interp *t = interp_parse(yaml_root(f, 0), "f", &errors);
	unsigned line, col;
	yaml_free(f);
	assert_non_null(t);
	assert_true(interp_is_map(t) && !interp_is_list(t));
	assert_int_equal(interp_count(t), 2);
	assert_string_equal(interp_key(t, 1), "b");
	const struct interp *b = interp_get(t, "b");
	assert_true(interp_is_list(b) && interp_constant(b));
	assert_int_equal(interp_count(b), 2);
	assert_true(interp_is_map(interp_item(b, 1)));
	assert_null(interp_get(t, "d"));
	assert_null(interp_get(NULL, "d"));
	assert_false(interp_constant(t));
	assert_false(interp_constant(interp_get(t, "a")));
	assert_int_equal(interp_count(interp_get(t, "a")), 0);
	interp_place(b, &line, &col);
	assert_int_equal(line, 1);
	assert_int_equal(col, 38);
	interp_free(t);
	error_list_fini(&errors);
}

static void on_function(void *arg, struct slice f, size_t args, unsigned line, unsigned col)
{
	buf_printf(arg, "%.*s/%zu@%u:%u ", SLICE_ARG(f), args, line, col);
}

static void on_name(void *arg, const struct expr_use *use)
{
	buf_printf(arg, "%.*s@%u:%u ", SLICE_ARG(use->name), use->line, use->col);
}

static void test_names(void **state)
{
	struct error err = {0};
	struct buf seen = BUF(BUF_LINE);
	struct interp *t =
		interp_parse_text(SLICE("ä ${a + max(b, 2)} $${c} ${d[e]}"), "f", 4, 11, &err);
	assert_non_null(t);
	interp_names(t, on_name, &seen);
	interp_functions(t, on_function, &seen);
	assert_string_equal(buf_str(&seen), "a@4:15 b@4:23 d@4:38 e@4:40 max/2@4:19 ");
	buf_fini(&seen);
	interp_free(t);
}

/* A megabyte of small pieces: each byte is looked at a fixed number of times. */
static void test_many_pieces(void **state)
{
	struct buf text = BUF(BUF_ANSWER);
	struct error err = {0};
	struct value v = VALUE_NOTHING;
	for (int i = 0; i < 200000; i++)
		buf_add_str(&text, "${x}.");
	struct interp *t = interp_parse_text(buf_slice(&text), "f", 1, 1, &err);
	assert_non_null(t);
	assert_int_equal(interp_eval(t, &evaluate_scope, &v, &err), EXPR_OK);
	assert_int_equal(value_slice(&v).n, 400000);
	value_drop(&v);
	interp_free(t);
	buf_fini(&text);
}

int test_interpolate(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_literals),
		cmocka_unit_test(test_nulls),
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_every_error),
		cmocka_unit_test(test_looking),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_many_pieces),
	};
	return cmocka_run_group_tests_name("interpolate", tests, NULL, NULL);
}

/* YAML with marks, its limits, key tables, and documents with expressions. */
#include "../check.h"

#include "base/json.h"
#include "text/interpolate.h"
#include "text/keys.h"

static void gives(const char *text, const char *json)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(text), "t", &errors);
	if (!f)
		fail_msg("%s: %s", text, errors.p[0].msg);
	json_t *j = yaml_json(yaml_root(f, 0));
	char *got = json_text(j);
	assert_string_equal(got, json);
	free(got);
	json_decref(j);
	yaml_free(f);
}

static void refuses(const char *text, unsigned line, unsigned col, const char *part)
{
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(slice_of(text), "t", &errors);
	assert_null(f);
	assert_true(errors.n > 0);
	if (errors.p[0].line != line || errors.p[0].col != col || !strstr(errors.p[0].msg, part))
		fail_msg("%u:%u %s", errors.p[0].line, errors.p[0].col, errors.p[0].msg);
	error_list_fini(&errors);
}

static void test_documents(void **state)
{
	gives("a: 1\nb: [x, 'y', true, null, ~]\n", "{\"a\":1,\"b\":[\"x\",\"y\",true,null,null]}");
	gives("a: &x {b: 1}\nc: {<<: *x, d: 2}\n", "{\"a\":{\"b\":1},\"c\":{\"d\":2,\"b\":1}}");
	gives("t: |\n  one\n  two\n", "{\"t\":\"one\\ntwo\\n\"}");
	gives("a: 10ms\nb: '5'\nc: 0x10\n", "{\"a\":\"10ms\",\"b\":\"5\",\"c\":\"0x10\"}");
}

static void test_refusals(void **state)
{
	refuses("a: 1\nb: \"open\nc: 3\n", 2, 4, "");
	refuses("a: 1\na: 2\n", 2, 1, "twice");
	refuses("a: *nobody\n", 1, 5, "no anchor");
	refuses("a: !!str x\n", 1, 4, "tags");
	refuses("? [a]\n: 1\n", 1, 3, "key must be text");
	refuses("a: \xff\n", 1, 4, "UTF-8");
	refuses("ä: 1\nb: 'öü\xc3'\n", 2, 7, "UTF-8");
	refuses("a: \xe2\x82", 1, 4, "UTF-8"); /* cut off at the end */
	refuses("a: &a [x,x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
		"c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
		"e: [*d,*d,*d,*d,*d,*d,*d,*d,*d,*d]\n",
		4, 30, "10000");
	char *deep = mem_alloc(401);
	memset(deep, '[', 400);
	deep[400] = 0;
	struct error_list errors = {0};
	assert_null(yaml_parse(slice_of(deep), "t", &errors));
	error_list_fini(&errors);
	free(deep);
	struct buf big = BUF(20u << 20);
	while (big.n < 10u << 20)
		buf_add_str(&big, "- some text that is repeated until ten megabytes are full\n");
	errors = (struct error_list){0};
	assert_null(yaml_parse(buf_slice(&big), "t", &errors));
	assert_non_null(strstr(errors.p[0].msg, "1 MiB"));
	error_list_fini(&errors);
	buf_fini(&big);
}

struct thing {
	char *name;
	int64_t wait, n;
	bool on;
	int word;
};

static const char *const words[] = {"red", "green", NULL};

static const struct key table[] = {
	{"name", KEY_TEXT, offsetof(struct thing, name), .required = true,
		.help = "what it is called"},
	{"wait", KEY_TIME, offsetof(struct thing, wait), .min = 1, .max = 60000000000},
	{"count", KEY_INT, offsetof(struct thing, n)},
	{"enabled", KEY_BOOL, offsetof(struct thing, on)},
	{"colour", KEY_WORD, offsetof(struct thing, word), .words = words},
};

static void test_keys(void **state)
{
	struct error_list errors = {0};
	struct thing t = {0};
	struct yaml_file *f = yaml_parse(
		SLICE("name: x\nwait: 5s\ncount: 3\nenabled: true\ncolour: green\n"), "t", &errors);
	assert_true(
		keys_read(yaml_root(f, 0), "t", "a thing", table, array_len(table), &t, &errors));
	assert_string_equal(t.name, "x");
	assert_int_equal(t.wait, 5000000000);
	assert_int_equal(t.n, 3);
	assert_true(t.on);
	assert_int_equal(t.word, 1);
	keys_release(table, array_len(table), &t);
	yaml_free(f);
	f = yaml_parse(SLICE("wait: 5\ncuont: 3\nenabled: maybe\ncolour: blue\n"), "t", &errors);
	assert_false(
		keys_read(yaml_root(f, 0), "t", "a thing", table, array_len(table), &t, &errors));
	error_list_sort(&errors);
	assert_int_equal(errors.n, 5); /* all in one pass */
	assert_non_null(strstr(errors.p[0].msg, "name is missing"));
	assert_non_null(strstr(errors.p[1].msg, "time with a unit"));
	assert_non_null(strstr(errors.p[2].msg, "did you mean \"count\"?"));
	assert_int_equal(errors.p[2].line, 2);
	assert_non_null(strstr(errors.p[4].msg, "one of red, green"));
	error_list_fini(&errors);
	yaml_free(f);
}

static enum expr_result name(void *arg, struct slice n, struct value *ret, struct error *err)
{
	*ret = slice_is(n, "n")      ? value_int(3)
	       : slice_is(n, "none") ? VALUE_NOTHING
				     : value_str("web");
	return EXPR_OK;
}

static void test_interpolation(void **state)
{
	struct error_list errors = {0};
	struct error err = {0};
	const struct expr_scope scope = {.name = name};
	struct yaml_file *f = yaml_parse(
		SLICE("count: ${n}\ntext: a-${n}-${name}\nlit: $${n}\ngone: ${none}\nnull_: null\n"
		      "list: [\"${n}\", \"${none}\", x]\n"),
		"t", &errors);
	struct interp *t = interp_parse(yaml_root(f, 0), "t", &errors);
	json_t *j = NULL;
	assert_non_null(t);
	assert_int_equal(interp_eval_json(t, &scope, &j, &err), EXPR_OK);
	char *text = json_text(j);
	assert_string_equal(text,
		"{\"count\":3,\"text\":\"a-3-web\",\"lit\":\"${n}\",\"null_\":null,\"list\":[3,\"x\"]}");
	free(text);
	json_decref(j);
	interp_free(t);
	yaml_free(f);
	f = yaml_parse(SLICE("a: 1\nb: x ${1 +} y\nc: ${open\n"), "t", &errors);
	assert_null(interp_parse(yaml_root(f, 0), "t", &errors));
	assert_int_equal(errors.n, 2);
	assert_int_equal(errors.p[0].line, 2);
	assert_int_equal(errors.p[0].col, 11);
	assert_int_equal(errors.p[1].line, 3);
	error_list_fini(&errors);
	yaml_free(f);
}

static void test_tags_of_others(void **state)
{
	struct error_list errors = {0};
	(void)state;

	struct yaml_file *f =
		yaml_parse_tagged(SLICE("a: !!binary AAEC\nb: !own {c: 1}\nd: 2\n"), "t", &errors);
	assert_non_null(f);
	const struct yaml *root = yaml_root(f, 0);
	assert_string_equal(yaml_get(root, "a")->tag, "tag:yaml.org,2002:binary");
	assert_string_equal(yaml_get(root, "a")->text.p, "AAEC");
	assert_string_equal(yaml_get(root, "b")->tag, "!own");
	assert_null(yaml_get(root, "d")->tag);
	yaml_free(f);
	error_list_fini(&errors);
}

int test_yaml(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_documents),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_tags_of_others),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_interpolation),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

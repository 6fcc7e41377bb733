/* Templates: the public specification of Mustache where it is at hand, errors with places, limits.
 */
#include "../check.h"

#include <stdlib.h>

#include "base/json.h"
#include "text/template.h"

/* Beside the source tree, or beside the folder of several. */
static const char *const spec_folders[] = {
	"../shared/data/mustache-spec", "../../shared/data/mustache-spec"};

static bool from_json(void *arg, struct slice name, struct slice *ret_text)
{
	const json_t *text = NULL;
	char *key = slice_dup(name);
	if (arg)
		text = json_object_get(arg, key);
	free(key);
	if (!text)
		return false;
	*ret_text = slice_from(json_string_value(text), json_string_length(text));
	return true;
}

/* What it renders to, or "!name:line:col: message". Owned. */
static char *render(const char *text, const json_t *model, json_t *partials)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	char line[ERROR_TEXT + 300];
	struct template *t = template_compile(slice_of(text), "t", &err);
	if (t && template_render(t, model, from_json, partials, &out, &err)) {
		template_free(t);
		return buf_take(&out);
	}
	template_free(t);
	buf_fini(&out);
	return mem_printf("!%s", error_text(&err, line, sizeof(line)));
}

static void gives(const char *text, const char *model, const char *partials, const char *expected)
{
	json_t *m = json_loads(model, JSON_DECODE_ANY, NULL);
	json_t *p = partials ? json_loads(partials, 0, NULL) : NULL;
	assert_non_null(m);
	char *got = render(text, m, p);
	assert_string_equal(got, expected);
	free(got);
	json_decref(m);
	json_decref(p);
}

static void spec(const char *file, size_t least)
{
	json_t *all = NULL, *test;
	size_t i;
	for (i = 0; i < array_len(spec_folders) && !all; i++) {
		char *path = mem_printf("%s/%s.json", spec_folders[i], file);
		all = json_load_file(path, 0, NULL);
		free(path);
	}
	if (!all) {
		print_message("%s/%s.json is not there: not tried\n", spec_folders[0], file);
		skip();
	}
	assert_true(json_array_size(json_object_get(all, "tests")) >= least);
	json_array_foreach (json_object_get(all, "tests"), i, test) {
		char *got = render(json_str(test, "template"), json_object_get(test, "data"),
			json_object_get(test, "partials"));
		if (strcmp(got, json_str(test, "expected")) != 0)
			print_message("%s: %s\n", file, json_str(test, "name"));
		assert_string_equal(got, json_str(test, "expected"));
		free(got);
	}
	json_decref(all);
}

static void test_spec_comments(void **state)
{
	spec("comments", 12);
}

static void test_spec_delimiters(void **state)
{
	spec("delimiters", 14);
}

static void test_spec_interpolation(void **state)
{
	spec("interpolation", 42);
}

static void test_spec_inverted(void **state)
{
	spec("inverted", 22);
}

static void test_spec_partials(void **state)
{
	spec("partials", 12);
}

static void test_spec_sections(void **state)
{
	spec("sections", 34);
}

/* What the pages lean on, whether or not the specification is at hand. */
static void test_own(void **state)
{
	gives("{{a}}|{{{a}}}|{{&a}}", "{\"a\": \"<\\\"&'>\"}", NULL,
		"&lt;&quot;&amp;'&gt;|<\"&'>|<\"&'>");
	gives("{{#l}}{{n}}{{^last}}, {{/last}}{{/l}}",
		"{\"l\": [{\"n\": 1}, {\"n\": 2.5}, {\"n\": true, \"last\": true}]}", NULL,
		"1, 2.5, true");
	gives("{{#a.b}}{{c}}{{/a.b}}", "{\"a\": {\"b\": {\"c\": 7}}}", NULL, "7");
	gives("{{#e}}empty is true{{/e}}{{#z}}, 0 too{{/z}}{{^f}}, not false{{/f}}{{^n}}, null{{/n}}",
		"{\"e\": \"\", \"z\": 0, \"f\": false, \"n\": null}", NULL,
		"empty is true, 0 too, not false, null");
	gives("{{o}}{{l}}", "{\"o\": {\"a\": 1}, \"l\": [1]}", NULL, "");
	gives("{{#l}}\n{{>p}}\n{{/l}}\n", "{\"l\": [1, 2]}", "{\"p\": \"<{{.}}>\\n\"}",
		"<1>\n<2>\n");
	gives("  {{>p}}\n", "{}", "{\"p\": \"a\\n{{>q}}\\nb\\n\", \"q\": \"c\\n\"}",
		"  a\n  c\n  b\n");
	gives("\xc3\xa4{{a}}", "{\"a\": \"\xe2\x80\xae\"}", NULL, "\xc3\xa4\xe2\x80\xae");
}

static void test_errors(void **state)
{
	gives("a\n\xc3\xa4 {{b", "{}", NULL, "!t:2:3: this tag is never closed: {{b");
	gives("{{{b}}", "{}", NULL, "!t:1:1: this tag is never closed: {{{b}}");
	gives("a\n {{#b}}", "{}", NULL, "!t:2:2: this section is never closed");
	gives("{{#b}}{{/c}}", "{}", NULL,
		"!t:1:7: the section opened last has another name than this end: c");
	gives("{{#a.b}}{{/a.c}}", "{}", NULL,
		"!t:1:9: the section opened last has another name than this end: a.c");
	gives("{{#a.b}}{{/a}}", "{}", NULL,
		"!t:1:9: the section opened last has another name than this end: a");
	gives("{{#a}}{{/a.b}}", "{}", NULL,
		"!t:1:7: the section opened last has another name than this end: a.b");
	gives("{{/c}}", "{}", NULL, "!t:1:1: nothing is open that this could close: c");
	gives("{{}}", "{}", NULL, "!t:1:1: a tag without a name");
	gives("{{a b}}", "{}", NULL, "!t:1:1: a name with white space or a control character: a b");
	gives("{{a..b}}", "{}", NULL, "!t:1:1: a name with an empty part: a..b");
	gives("{{=a=}}", "{}", NULL, "!t:1:1: delimiters are two words without '=': a");
	gives("{{=a b c=}}", "{}", NULL, "!t:1:1: delimiters are two words without '=': a b c");
	gives("{{>}}", "{}", NULL, "!t:1:1: a partial needs a name");
	gives("{{<a}}", "{}", NULL,
		"!t:1:1: inheritance and dynamic names are not part of these templates: <a");
	gives("{{>p}}", "{}", "{\"p\": \"x{{#y}}\"}", "!p:1:2: this section is never closed");
}

static char *repeated(const char *what, size_t times)
{
	struct buf b = BUF(BUF_PAGE);
	for (size_t i = 0; i < times; i++)
		buf_add_str(&b, what);
	return buf_take(&b);
}

static void test_depth(void **state)
{
	char *open = repeated("{{#a}}", TEMPLATE_DEPTH_MAX),
	     *close = repeated("{{/a}}", TEMPLATE_DEPTH_MAX);
	char *just = mem_printf("%sx%s", open, close);
	char *over = mem_printf("{{#a}}%s{{/a}}", just);
	gives(just, "{\"a\": true}", NULL, "x");
	gives(over, "{\"a\": true}", NULL, "!t:1:385: sections are nested too deeply: a");
	free(open);
	free(close);
	free(just);
	free(over);
	/* for ever in itself */
	gives("{{>p}}", "{}", "{\"p\": \"{{>p}}\"}",
		"!p:1:1: sections and partials are nested too deeply");
	gives("{{>p}}", "{\"a\": 1}", "{\"p\": \"{{#a}}{{>p}}{{/a}}\"}",
		"!p:1:7: sections and partials are nested too deeply");
}

static void test_size(void **state)
{
	struct error err = {0};
	char *text = repeated("x", TEMPLATE_SIZE_MAX + 1);
	struct template *t = template_compile(slice_from(text, TEMPLATE_SIZE_MAX), "t", &err);
	assert_non_null(t);
	template_free(t);
	assert_null(template_compile(slice_from(text, TEMPLATE_SIZE_MAX + 1), "t", &err));
	assert_string_equal(err.msg, "a template of more than 262144 bytes");

	json_t *partials = json_pack("{s:s}", "p", text), *model = json_object();
	char *got = render("{{>p}}", model, partials);
	assert_string_equal(got, "!p: a partial of more than 262144 bytes");
	free(got);
	json_decref(partials);
	json_decref(model);
	free(text);

	struct buf small = BUF(10);
	json_t *nine = json_string("123456789");
	t = template_compile(SLICE("{{.}}{{.}}"), "t", &err);
	assert_false(template_render(t, nine, NULL, NULL, &small, &err));
	assert_string_equal(err.msg, "the result is too large");
	assert_string_equal(buf_str(&small), "123456789");
	buf_fini(&small);
	json_decref(nine);
	template_free(t);
}

/* A short template over a short list that would run for years. */
static void test_steps(void **state)
{
	char *open = repeated("{{#a}}", 20), *close = repeated("{{/a}}", 20);
	char *text = mem_printf("%s%s", open, close);
	json_t *model = json_pack("{s:[i,i,i,i,i,i,i,i]}", "a", 1, 2, 3, 4, 5, 6, 7, 8);
	char *got = render(text, model, NULL);
	assert_non_null(strstr(got, "rendering takes too many steps"));
	free(got);
	json_decref(model);
	free(text);
	free(open);
	free(close);
}

int test_template(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spec_comments),
		cmocka_unit_test(test_spec_delimiters),
		cmocka_unit_test(test_spec_interpolation),
		cmocka_unit_test(test_spec_inverted),
		cmocka_unit_test(test_spec_partials),
		cmocka_unit_test(test_spec_sections),
		cmocka_unit_test(test_own),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_steps),
	};
	return cmocka_run_group_tests_name("template", tests, NULL, NULL);
}

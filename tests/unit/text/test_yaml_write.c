/* JSON values written as YAML: what people read, and that it reads back as the same. */
#include "../check.h"

#include "text/yaml_write.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/random.h"
#include "text/yaml.h"

static void writes(const char *json, const char *expected)
{
	struct error err = {0};
	struct buf out = BUF(BUF_PAGE);
	json_t *j = json_parse(slice_of(json), 1u << 20, &err);

	assert_non_null(j);
	yaml_write(&out, j);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
	json_decref(j);
}

static void test_form(void **state)
{
	writes("{}", "{}\n");
	writes("[]", "[]\n");
	writes("\"a b\"", "a b\n");
	writes("{\"a\": {\"b\": 1, \"c\": [\"x\", \"y: z\"]}, \"d\": null}",
		"a:\n  b: 1\n  c: [x, \"y: z\"]\nd: null\n");
	writes("{\"l\": [{\"name\": \"N1\", \"m\": {\"k\": true}}, {\"e\": {}}, [[1]], 5]}",
		"l:\n  - name: N1\n    m:\n      k: true\n  - e: {}\n  -\n    - [1]\n  - 5\n");
}

static void test_quotes(void **state)
{
	static const char *const plain[] = {"abc", "30s", "127.0.0.1:8090", "/var/lib/x",
		"http://h:80/p", "file:token", "a@b", "a b"};
	static const char *const quoted[] = {"~x", "n", "", " a", "a ", "5", "-5", "1.5", "1e3",
		"0x1f", "null", "~", "true", "False", "yes", "No", "a: b", "a:", "# c", "a #b",
		"- a", "[a]", "{a}", "*a", "&a", "!a", "|", ">", "%a", "`a`", "a,b", "'a'", "?",
		".inf", "a\tb", "a\nb", "\x7f", "\xc3\xa4"};
	struct buf out = BUF(BUF_PAGE);

	for (size_t i = 0; i < array_len(plain); i++) {
		json_t *j = json_string(plain[i]);
		buf_clear(&out);
		yaml_write(&out, j);
		buf_cut(&out, out.n - 1);
		assert_string_equal(buf_str(&out), plain[i]);
		json_decref(j);
	}
	for (size_t i = 0; i < array_len(quoted); i++) {
		json_t *j = json_string(quoted[i]);
		buf_clear(&out);
		yaml_write(&out, j);
		if (buf_str(&out)[0] != '"')
			print_error("not quoted: %s\n", buf_str(&out));
		assert_int_equal(buf_str(&out)[0], '"');
		json_decref(j);
	}
	buf_fini(&out);
}

/* --- any value reads back ----------------------------------------------------------------------
 */

static json_t *any_text(struct random *r)
{
	static const char *const pieces[] = {"a", "B", "0", "7", " ", ":", "#", "-", "\n", "\t",
		"\"", "'", "\\", "[", "]", "{", "}", ",", "&", "*", "!", "|", ">", "%", "@", "`",
		"?", ".", "null", "true", "~", "\xc3\xa4", "\xe2\x80\xa8", "\xf0\x9f\x98\x80",
		"\xc2\x85", "\xef\xbb\xbf", "\x01", "\x7f", "---", "...", "<<", "=", "e5", "0x"};
	struct buf text = BUF(1000);

	for (uint64_t n = random_below(r, 6); n > 0; n--)
		buf_add_str(&text, pieces[random_below(r, array_len(pieces))]);
	json_t *j = json_string(buf_str(&text));
	buf_fini(&text);
	return j;
}

static json_t *any_value(struct random *r, unsigned depth)
{
	const uint64_t kind = random_below(r, depth ? 8 : 5);
	json_t *j;

	switch (kind) {
	case 0: return json_null();
	case 1: return json_boolean(random_below(r, 2));
	case 2: return json_integer((json_int_t)random_below(r, 2000000) - 1000000);
	case 3: return json_real((double)random_below(r, 1000000) / 256.0);
	case 4: return any_text(r);
	case 5:
		j = json_array();
		for (uint64_t n = random_below(r, 5); n > 0; n--)
			json_array_append_new(j, any_value(r, depth - 1));
		return j;
	default:
		j = json_object();
		for (uint64_t n = random_below(r, 5); n > 0; n--) {
			json_t *key = any_text(r);
			json_object_set_new(j, json_string_value(key), any_value(r, depth - 1));
			json_decref(key);
		}
		return j;
	}
}

static void test_round_trip(void **state)
{
	struct random random;

	random_init_seed(&random, 7);
	for (int i = 0; i < 20000; i++) {
		struct error_list errors = {0};
		struct buf out = BUF(BUF_PAGE);
		json_t *j = any_value(&random, 4);
		yaml_write(&out, j);
		struct yaml_file *f = yaml_parse(buf_slice(&out), "written", &errors);
		json_t *again = f && yaml_documents(f) == 1 ? yaml_json(yaml_root(f, 0)) : NULL;
		if (!again || !json_equal(j, again)) {
			char *text = json_text(j);
			print_error("%s\n---\n%s---\n%s\n", text, buf_str(&out),
				errors.n ? errors.p[0].msg : "");
			free(text);
		}
		assert_true(again && json_equal(j, again));
		json_decref(j);
		json_decref(again);
		yaml_free(f);
		error_list_fini(&errors);
		buf_fini(&out);
	}
}

int test_yaml_write(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_form),
		cmocka_unit_test(test_quotes),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests_name("yaml_write", tests, NULL, NULL);
}

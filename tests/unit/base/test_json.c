/* test_json.c - strict parsing with places, writing, looking up, scrubbing. */
#include "base/json.h"

#include "../check.h"
#include "base/secret.h"

static json_t *parse(const char *text)
{
	struct error err = {0};
	json_t *j = json_parse(slice_of(text), BUF_LINE, &err);
	if (!j)
		fail_msg("%s: %s", text, err.msg);
	return j;
}

static void check_text(const json_t *j, const char *expected)
{
	char *text = json_text(j);
	assert_string_equal(text, expected);
	free(text);
}

static void test_parse(void **state)
{
	static const char *const same[] = {"{\"b\":1,\"a\":[true,null,\"\u00e4\"]}", "7", "\"x\"",
		"null", "[]", "-9223372036854775808"};
	for (size_t i = 0; i < array_len(same); i++) {
		json_t *j = parse(same[i]);
		check_text(j, same[i]); /* keys in order of the text */
		json_decref(j);
	}
	check_text(NULL, "null");
}

static void test_refuses(void **state)
{
	static const struct {
		const char *text;
		unsigned line, col;
	} bad[] = {{"{\"a\":1,\"a\":2}", 1, 10}, {"", 1, 0}, {"{\n \"a\": nul}", 2, 9},
		{"[1,]", 1, 4}, {"{} x", 1, 4}, {"\"\xff\"", 1, 1}, {"\"\u00e4\u00e4\" x", 1, 6}};
	for (size_t i = 0; i < array_len(bad); i++) {
		struct error err = {0};
		if (json_parse(slice_of(bad[i].text), 1000, &err))
			fail_msg("taken for JSON: %s", bad[i].text);
		assert_int_equal(err.kind, ERROR_INPUT);
		if (err.line != bad[i].line || err.col != bad[i].col)
			fail_msg("%s: %u:%u %s", bad[i].text, err.line, err.col, err.msg);
	}
	struct error err = {0};
	assert_null(json_parse(SLICE("[1,2,3]"), 6, &err));
	assert_int_equal(err.kind, ERROR_LIMIT);
	json_t *j = json_parse(SLICE("[1,2,3]"), 7, &err);
	assert_non_null(j);
	json_decref(j);
	assert_null(json_parse(SLICE("["), 7, NULL)); /* nobody cares */
}

static void test_of_others(void **state)
{
	json_t *j = json_parse_foreign(SLICE("{\"a\":1,\"a\":12345678901234567890}"), 100);
	assert_true(json_is_real(json_object_get(j, "a")));
	json_decref(j);
	j = json_parse_foreign(SLICE("{\"a\":7}"), 7);
	assert_true(json_is_integer(json_object_get(j, "a")));
	json_decref(j);
	j = json_parse_foreign(SLICE("\xef\xbb\xbf{\"a\":7}"), 10);
	assert_int_equal(json_int(j, "a", 0), 7);
	json_decref(j);
	assert_null(json_parse_foreign(SLICE("\xef\xbb\xbf\xef\xbb\xbf{}"), 10));
	assert_null(json_parse_foreign(SLICE("\xef\xbb\xbf"), 10));
	assert_null(json_parse_foreign(SLICE("{\"a\":7}"), 6));
	assert_null(json_parse_foreign(SLICE("1e999"), 100));
	assert_null(json_parse_foreign(SLICE("<html>"), 100));
}

static void test_depth_is_bounded(void **state)
{
	char *deep = mem_alloc(100001);
	struct error err = {0};
	memset(deep, '[', 100000);
	deep[100000] = 0;
	assert_null(json_parse(slice_of(deep), 200000, &err));
	free(deep);
}

static void test_look_up(void **state)
{
	json_t *j = parse("{\"server\":{\"fault\":{\"code\":500,\"message\":\"no\"},\"on\":true}}");
	assert_int_equal(json_int(json_at(j, "server", "fault", NULL), "code", -1), 500);
	assert_ptr_equal(json_at(j, NULL), j);
	assert_null(json_at(j, "server", "gone", "deeper", NULL));
	assert_null(json_at(NULL, "a", NULL));
	const json_t *server = json_at(j, "server", NULL);
	assert_string_equal(json_str(json_at(server, "fault", NULL), "message"), "no");
	assert_null(json_str(json_at(server, "fault", NULL), "code"));
	assert_null(json_str(NULL, "code"));
	assert_int_equal(json_int(server, "gone", 7), 7);
	assert_true(json_flag(server, "on"));
	assert_false(json_flag(server, "fault"));
	json_decref(j);
}

static void test_write_stops_at_the_maximum(void **state)
{
	json_t *j = parse("[1,2,3,4,5,6,7,8,9]");
	struct buf b = BUF(10);
	json_write(&b, j);
	assert_true(b.over);
	buf_fini(&b);
	b = BUF(19);
	json_write(&b, j);
	assert_false(b.over);
	assert_string_equal(buf_str(&b), "[1,2,3,4,5,6,7,8,9]");
	buf_fini(&b);
	json_decref(j);
}

static void test_scrubbed(void **state)
{
	struct secret *s = secret_new(SLICE("gAAAAtoken"));
	json_t *j = parse(
		"{\"auth\":{\"password\":{\"user\":{\"name\":\"demo\",\"password\":\"pw\"}}},"
		"\"adminPass\":\"x1\",\"user_data\":\"IyE=\",\"note\":\"has gAAAAtoken in it\","
		"\"list\":[\"gAAAAtoken\",3,true,null],\"secrets\":[\"a\",5,[\"b\"]],"
		"\"pin_secret\":1234,\"access_token\":\"y\",\"tokens\":\"z\",\"zero\":\"a\\u0000b\"}");
	json_t *clean = json_scrubbed(j);
	check_text(clean,
		"{\"auth\":{\"password\":{\"user\":{\"name\":\"demo\",\"password\":\"***\"}}},"
		"\"adminPass\":\"***\",\"user_data\":\"***\",\"note\":\"has *** in it\","
		"\"list\":[\"***\",3,true,null],\"secrets\":[\"***\",\"***\",[\"***\"]],"
		"\"pin_secret\":\"***\",\"access_token\":\"***\",\"tokens\":\"z\","
		"\"zero\":\"a\\u0000b\"}");
	assert_string_equal(json_str(j, "adminPass"), "x1"); /* the original is untouched */
	json_decref(clean);
	json_decref(j);
	secret_unref(s);
}

int test_json(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_of_others),
		cmocka_unit_test(test_depth_is_bounded),
		cmocka_unit_test(test_look_up),
		cmocka_unit_test(test_write_stops_at_the_maximum),
		cmocka_unit_test(test_scrubbed),
	};
	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}

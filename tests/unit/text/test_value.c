/* Values: references counted, equality, text and JSON. Leaks are the sanitizer's to find. */
#include "../check.h"

#include "base/json.h"
#include "base/units.h"
#include "text/value.h"

static void writes(struct value v, const char *expected)
{
	struct buf out = BUF(BUF_LINE);
	value_write(&out, &v);
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
	value_drop(&v);
}

static void jsons(struct value v, const char *expected)
{
	json_t *j = value_json(&v);
	char *text = json_text(j);
	assert_string_equal(text, expected);
	free(text);
	json_decref(j);
	value_drop(&v);
}

static struct value percent(double x)
{
	return (struct value){.type = VALUE_PERCENT, .real = x};
}

static struct value rate(double x)
{
	return (struct value){.type = VALUE_RATE, .real = x};
}

static void test_write(void **state)
{
	writes(VALUE_NOTHING, "");
	writes(value_bool(true), "true");
	writes(value_int(INT64_MIN), "-9223372036854775808");
	writes(value_real(0.1), "0.1");
	writes(value_real(1.0 / 3), "0.33333333333333331"); /* reads back as the same number */
	writes(value_real(1e21), "1e+21");
	writes(value_time(90000000000), "90s");
	writes(value_time(1500000), "1500us");
	writes(value_size(16384), "16384B");
	writes(percent(0.005), "0.5%");
	writes(rate(200), "200/s");
	writes(value_str("plain"), "plain");
	writes(value_of_ref(3, 4), "step 3[4]");
}

static void test_json(void **state)
{
	jsons(VALUE_NOTHING, "null");
	jsons(value_str(NULL), "null");
	jsons(value_time(2000000000), "\"2s\"");
	jsons(percent(0.25), "\"25%\"");
	jsons(value_text(slice_from("\xff", 1)), "\"\""); /* JSON holds UTF-8 only */
	struct value list = value_list_new(), map = value_map_new();
	value_list_add(&list, value_int(1));
	value_map_put(&map, SLICE("b"), value_int(2));
	value_map_put(&map, SLICE("a"), value_copy(list));
	value_map_put(&map, SLICE("b"), value_str("again"));
	value_drop(&list);
	assert_int_equal(value_count(&map), 2);
	jsons(map, "{\"b\":\"again\",\"a\":[1]}");
}

static void test_from_json(void **state)
{
	json_t *j = json_parse(SLICE("{\"a\":[1,2.5,true,null,\"x\"],\"b\":{}}"), 1000, NULL);
	struct value v = value_from_json(j);
	json_decref(j);
	const struct value *a = value_field(&v, SLICE("a"));
	assert_int_equal(value_count(a), 5);
	assert_int_equal(value_item(a, 1)->type, VALUE_REAL);
	assert_int_equal(value_item(a, 3)->type, VALUE_NULL);
	assert_null(value_field(&v, SLICE("c")));
	assert_true(slice_is(value_key(&v, 1), "b"));
	assert_int_equal(value_at(&v, 1)->type, VALUE_MAP);
	jsons(v, "{\"a\":[1,2.5,true,null,\"x\"],\"b\":{}}");
	v = value_from_json(NULL);
	assert_int_equal(v.type, VALUE_NULL);
}

static void test_references(void **state)
{
	struct value list = value_list_new();
	value_list_add(&list, value_str("one"));
	struct value copy = value_copy(list), item = value_copy(*value_item(&copy, 0));
	value_drop(&list);
	assert_int_equal(list.type, VALUE_NULL);
	assert_int_equal(value_count(&copy), 1);
	value_drop(&copy);
	assert_true(slice_is(value_slice(&item), "one"));
	value_drop(&item);
	value_drop(&item); /* null by now */
}

static bool equal(struct value a, struct value b)
{
	const bool same = value_equal(&a, &b);
	assert_true(value_equal(&b, &a) == same);
	value_drop(&a);
	value_drop(&b);
	return same;
}

static struct value parsed(const char *json)
{
	json_t *j = json_parse(slice_of(json), 1000, NULL);
	struct value v = value_from_json(j);
	json_decref(j);
	return v;
}

static void test_equal(void **state)
{
	assert_true(equal(value_int(2), value_real(2.0)));
	assert_false(equal(value_int(INT64_MAX), value_int(INT64_MAX - 1)));
	assert_true(equal(value_str("5"), value_int(5)));
	assert_false(equal(value_str("5s"), value_int(5)));
	assert_true(equal(value_str("90s"), value_time(90000000000)));
	assert_true(equal(value_str("1KiB"), value_size(1024)));
	assert_true(equal(value_str("50%"), percent(0.5)));
	assert_true(equal(value_str("3/s"), rate(3)));
	assert_false(equal(value_str("true"), value_bool(true))); /* no number: types differ */
	assert_false(equal(value_str(""), VALUE_NOTHING));
	assert_true(equal(VALUE_NOTHING, VALUE_NOTHING));
	assert_false(equal(value_bool(false), VALUE_NOTHING));
	assert_false(equal(value_time(5), value_size(5)));
	assert_true(equal(value_of_ref(1, 2), value_of_ref(1, 2)));
	assert_false(equal(value_of_ref(1, 2), value_of_ref(1, 3)));
	assert_true(equal(parsed("{\"a\":1,\"b\":[1,{}]}"), parsed("{\"b\":[1,{}],\"a\":1}")));
	assert_false(equal(parsed("{\"a\":1}"), parsed("{\"a\":1,\"b\":2}")));
	assert_false(equal(parsed("[1,2]"), parsed("[2,1]")));
	assert_false(equal(value_text(slice_from("a\0b", 3)), value_str("a")));
}

static void test_condition_of(void **state)
{
	bool yes = true;
	struct value v = VALUE_NOTHING;
	assert_true(value_condition(&v, &yes));
	assert_false(yes);
	v = value_bool(true);
	assert_true(value_condition(&v, &yes));
	assert_true(yes);
	v = value_int(1); /* "1" or "yes" are no conditions: most often a mistake */
	assert_false(value_condition(&v, &yes));
}

int test_value(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_from_json),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_condition_of),
	};
	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}

/* test_error.c - errors with places and context, lists of them, and the table of faults. */
#include "base/error.h"

#include <errno.h>

#include "../check.h"
#include "base/fault.h"

static void test_text(void **state)
{
	struct error e = {0};
	char t[2 * ERROR_TEXT];
	error_set(&e, ERROR_CONFIG, "no cloud %s", "prod");
	assert_int_equal(e.kind, ERROR_CONFIG);
	assert_string_equal(error_text(&e, t, sizeof(t)), "no cloud prod");
	error_at(&e, "a.yaml", 3, 7, "expected a number");
	assert_int_equal(e.kind, ERROR_INPUT);
	assert_string_equal(error_text(&e, t, sizeof(t)), "a.yaml:3:7: expected a number");
	error_at(&e, "a.yaml", 3, 0, "x");
	assert_string_equal(error_text(&e, t, sizeof(t)), "a.yaml:3: x");
	error_at(&e, "a.yaml", 0, 0, "x");
	assert_string_equal(error_text(&e, t, sizeof(t)), "a.yaml: x");
	error_sys(&e, EROFS, "cannot write %s", "/x");
	assert_int_equal(e.sys, EROFS);
	assert_string_equal(e.file, ""); /* nothing is left of the one before */
	assert_string_equal(error_text(&e, t, sizeof(t)), "cannot write /x: Read-only file system");
	assert_int_equal(strlen(error_text(&e, t, 8)), 7);
	error_clear(&e);
	assert_int_equal(e.kind, ERROR_NONE);
	assert_string_equal(e.msg, "");
}

static void test_nobody_cares(void **state)
{
	error_set(NULL, ERROR_INPUT, "x");
	error_sys(NULL, EIO, "x");
	error_at(NULL, "f", 1, 1, "x");
	error_wrap(NULL, "x");
	error_clear(NULL);
}

static void test_wrap(void **state)
{
	struct error e = {0};
	error_at(&e, "c.yaml", 2, 1, "unknown key");
	error_wrap(&e, "cloud %s", "lab");
	error_wrap(&e, "loading");
	assert_string_equal(e.msg, "loading: cloud lab: unknown key");
	assert_int_equal(e.line, 2);
	error_set(&e, ERROR_CLOUD, "again: %s", e.msg); /* its own text as an argument */
	assert_string_equal(e.msg, "again: loading: cloud lab: unknown key");
}

static void test_long(void **state)
{
	struct error e = {0};
	char *longer = mem_alloc(5001);
	for (int i = 0; i < 5000; i += 2) {
		longer[i] = (char)0xc3;
		longer[i + 1] = (char)0xa4;
	}
	longer[5000] = 0;
	error_set(&e, ERROR_INPUT, "%s", longer);
	assert_true(strlen(e.msg) >= ERROR_TEXT - 3);
	assert_true(utf8_valid(slice_of(e.msg)));
	error_set(&e, ERROR_INPUT, "x%s", longer);
	assert_true(utf8_valid(slice_of(e.msg)));
	char short_context[] = "file";
	error_wrap(&e, "%s", short_context);
	assert_true(strlen(e.msg) >= ERROR_TEXT - 3); /* a short context costs only itself */
	assert_memory_equal(e.msg, "file: x", 7);
	assert_true(utf8_valid(slice_of(e.msg)));
	error_set(&e, ERROR_INPUT, "cause");
	error_wrap(&e, "%s", longer);
	assert_string_equal(e.msg + strlen(e.msg) - 7, ": cause"); /* never lost to its context */
	free(longer);
}

static void test_list(void **state)
{
	struct error_list l = {0};
	error_list_at(&l, "b.yaml", 1, 1, "b11");
	error_list_at(&l, "a.yaml", 10, 2, "a10-2");
	error_list_at(&l, "a.yaml", 9, 7, "a9-7");
	error_list_at(&l, "a.yaml", 10, 1, "a%d-%d", 10, 1);
	error_list_sort(&l);
	static const char *const order[] = {"a9-7", "a10-1", "a10-2", "b11"};
	for (int i = 0; i < 4; i++)
		assert_string_equal(l.p[i].msg, order[i]);
	struct error e = {0};
	error_set(&e, ERROR_LIMIT, "too large");
	for (int i = 0; i < ERROR_LIST_MAX; i++)
		error_list_add(&l, &e);
	assert_int_equal(l.n, ERROR_LIST_MAX);
	assert_int_equal(l.dropped, 4);
	error_list_fini(&l);
	assert_int_equal(l.n, 0);
	error_list_sort(&l);
}

static void test_faults(void **state)
{
	for (int i = 0; i < FAULT_COUNT; i++) {
		const enum fault f = (enum fault)i;
		enum fault back = FAULT_COUNT;
		assert_true(fault_parse(slice_of(fault_name(f)), &back));
		assert_int_equal(back, f); /* also: no wire name twice */
		assert_true(strlen(fault_text(f)) > 3);
		assert_int_not_equal(fault_text(f)[strlen(fault_text(f)) - 1], '.');
	}
	enum fault f;
	assert_false(fault_parse(SLICE("no such fault"), &f));
	assert_false(fault_parse(SLICE(""), &f));
	assert_int_equal(fault_whose(FAULT_NONE), WHOSE_NEITHER);
	assert_int_equal(fault_whose(FAULT_QUOTA), WHOSE_QUOTA);
	assert_string_equal(fault_whose_name(WHOSE_CONFIG), "configuration");
	static const struct {
		int status;
		enum fault fault;
	} statuses[] = {{200, FAULT_NONE}, {300, FAULT_NONE}, {400, FAULT_HTTP_400},
		{401, FAULT_HTTP_401}, {403, FAULT_HTTP_403}, {404, FAULT_HTTP_404},
		{409, FAULT_HTTP_409}, {418, FAULT_HTTP_4XX}, {429, FAULT_HTTP_429},
		{500, FAULT_HTTP_5XX}, {503, FAULT_HTTP_503}, {599, FAULT_HTTP_5XX}};
	for (size_t i = 0; i < array_len(statuses); i++)
		assert_int_equal(fault_of_status(statuses[i].status), statuses[i].fault);
}

int test_error(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nobody_cares),
		cmocka_unit_test(test_wrap),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}

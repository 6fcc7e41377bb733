/* The bytes between the house and what minds a program. */
#include "../check.h"

#include <stdlib.h>

#include "observe/exec/helper_frame.h"

static const char *const args[] = {"/bin/echo", "", "two words", NULL};
static const char *const env[] = {"A=1", "B=", NULL};

static void an_order_comes_back(void **state)
{
	const struct helper_request r = {.deadline_ms = 1500,
		.memory = 1ULL << 40,
		.cpu_s = 3,
		.output_max = 65536,
		.messages = true,
		.dir = "/srv/x",
		.argv = args,
		.env = env};
	struct buf body = BUF(HELPER_BODY_MAX), frame = BUF(2 * HELPER_BODY_MAX);
	struct helper_request got;
	struct helper_frame f;
	struct error err = {0};
	assert_true(helper_order_write(&body, &r));
	assert_true(helper_frame_write(&frame, HELPER_ORDER, buf_slice(&body)));
	for (size_t n = 0; n < frame.n; n++)
		assert_int_equal(
			helper_frame_read(slice_sub(buf_slice(&frame), 0, n), &f, &err), 0);
	assert_int_equal(helper_frame_read(buf_slice(&frame), &f, &err), frame.n);
	assert_int_equal(f.kind, HELPER_ORDER);
	assert_true(helper_order_read(f.body, &got, &err));
	assert_int_equal(got.deadline_ms, 1500);
	assert_true(got.memory == r.memory && got.cpu_s == 3 && got.output_max == 65536);
	assert_true(got.messages);
	assert_string_equal(got.dir, "/srv/x");
	for (int i = 0; i < 3; i++)
		assert_string_equal(got.argv[i], args[i]);
	assert_null(got.argv[3]);
	assert_string_equal(got.env[1], "B=");
	assert_null(got.env[2]);
	free((void *)got.argv);
	free((void *)got.env);
	buf_fini(&body);
	buf_fini(&frame);
}

/* Each piece of an order, and one with more behind it, is none. */
static void an_order_is_whole_or_none(void **state)
{
	const struct helper_request r = {.deadline_ms = 1, .dir = "", .argv = args, .env = env};
	struct buf body = BUF(HELPER_BODY_MAX);
	struct helper_request got;
	assert_true(helper_order_write(&body, &r));
	for (size_t n = 0; n < body.n; n++) {
		struct error err = {0};
		assert_false(helper_order_read(slice_sub(buf_slice(&body), 0, n), &got, &err));
		assert_true(err.msg[0]);
	}
	buf_add_char(&body, '\0');
	assert_false(helper_order_read(buf_slice(&body), &got, NULL));
	buf_fini(&body);
}

static void what_cannot_be_an_order(void **state)
{
	static const char *const none[] = {NULL}, *const nameless[] = {"=x", NULL},
				 *const bare[] = {"x", NULL};
	const struct helper_request good = {.deadline_ms = 1, .dir = "", .argv = args, .env = env};
	struct helper_request got, r = good;
	struct buf body = BUF(HELPER_BODY_MAX);
	r.argv = none;
	assert_false(helper_order_write(&body, &r));
	buf_clear(&body);
	r = good;
	r.deadline_ms = 0;
	assert_true(helper_order_write(&body, &r));
	assert_false(helper_order_read(buf_slice(&body), &got, NULL));
	for (int i = 0; i < 2; i++) {
		buf_clear(&body);
		r = good;
		r.env = i ? bare : nameless;
		assert_true(helper_order_write(&body, &r));
		assert_false(helper_order_read(buf_slice(&body), &got, NULL));
	}
	buf_clear(&body);
	char *long_one = mem_alloc(HELPER_BODY_MAX + 1);
	memset(long_one, 'x', HELPER_BODY_MAX);
	long_one[HELPER_BODY_MAX] = '\0';
	r = good;
	r.dir = long_one;
	assert_false(helper_order_write(&body, &r));
	free(long_one);
	buf_fini(&body);
}

static void frames_that_cannot_be(void **state)
{
	static const char *const bad[] = {"\x00\x00\x00\x00\x00", "\x00\x00\x00\x00\x07",
		"\x01\x00\x04\x00\x03", "\xff\xff\xff\xff\x01"};
	for (size_t i = 0; i < array_len(bad); i++) {
		struct error err = {0};
		struct helper_frame f;
		assert_int_equal(helper_frame_read(slice_from(bad[i], 5), &f, &err), -1);
		assert_true(err.msg[0]);
	}
}

static void an_end_comes_back(void **state)
{
	const struct helper_end e = {.how = HELPER_SIGNALLED,
		.code = 9,
		.cpu_us = 1234567,
		.memory = 3ULL << 30,
		.output = 100,
		.dropped = 36,
		.tail = SLICE("it broke")};
	struct buf body = BUF(1000);
	struct helper_end got;
	assert_true(helper_end_write(&body, &e));
	assert_true(helper_end_read(buf_slice(&body), &got, NULL));
	assert_int_equal(got.how, HELPER_SIGNALLED);
	assert_int_equal(got.code, 9);
	assert_true(got.cpu_us == e.cpu_us && got.memory == e.memory && got.output == 100 &&
		    got.dropped == 36);
	assert_true(slice_is(got.tail, "it broke"));
	body.p[0] = HELPER_HOWS;
	assert_false(helper_end_read(buf_slice(&body), &got, NULL));
	assert_false(helper_end_read(slice_sub(buf_slice(&body), 0, 36), &got, NULL));
	buf_fini(&body);
}

int test_helper_frame(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_order_comes_back),
		cmocka_unit_test(an_order_is_whole_or_none),
		cmocka_unit_test(what_cannot_be_an_order),
		cmocka_unit_test(frames_that_cannot_be),
		cmocka_unit_test(an_end_comes_back),
	};

	return cmocka_run_group_tests_name("observe/helper_frame", tests, NULL, NULL);
}

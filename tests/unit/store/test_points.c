/* test_points.c - batches of points: their limits, the order of their tags, their bytes. */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "base/random.h"
#include "store/points.h"

static enum points_added add(struct points *p, const char *name, const char *const *tags, size_t n)
{
	struct slice keys[64], values[64];

	for (size_t i = 0; i < n; i++) {
		keys[i] = slice_of(tags[2 * i]);
		values[i] = slice_of(tags[2 * i + 1]);
	}
	return points_add(p, slice_of(name), keys, values, n, 1000, 1.5);
}

static void tags_are_sorted_and_the_last_of_a_key_counts(void **state)
{
	const char *const tags[] = {
		"zone", "b", "az", "1", "zone", "c", "zo", "", "az", "2", "b", "x"};
	struct points *p = points_new();

	assert_int_equal(add(p, "a.b", tags, 6), POINTS_ADDED);
	const struct point t = points_at(p, 0);
	assert_true(slice_is(t.name, "a.b") && t.at_ms == 1000 && t.value == 1.5);
	assert_int_equal(t.tag_count, 4);
	const char *const want[] = {"az", "2", "b", "x", "zo", "", "zone", "c"};
	for (size_t i = 0; i < 4; i++) {
		assert_string_equal(t.tags[i].key, want[2 * i]);
		assert_string_equal(t.tags[i].value, want[2 * i + 1]);
	}
	points_free(p);
}

static void what_no_series_could_have_is_refused(void **state)
{
	struct points *p = points_new();
	char *long_name = mem_alloc(SERIES_KEY_MAX);
	const char *many[2 * 33];

	memset(long_name, 'a', SERIES_KEY_MAX - 1);
	long_name[SERIES_KEY_MAX - 1] = '\0';
	for (size_t i = 0; i < 33; i++) {
		many[2 * i] = "k";
		many[2 * i + 1] = "v";
	}
	assert_int_equal(add(p, "", NULL, 0), POINTS_BAD_NAME);
	assert_int_equal(add(p, "a{b", NULL, 0), POINTS_BAD_NAME);
	assert_int_equal(add(p, "a\x01", NULL, 0), POINTS_BAD_NAME);
	assert_int_equal(add(p, "\xff", NULL, 0), POINTS_BAD_NAME);
	assert_int_equal(add(p, long_name, NULL, 0), POINTS_BAD_NAME);
	assert_int_equal(add(p, "a", (const char *const[]){"k}", "v"}, 1), POINTS_BAD_NAME);
	assert_int_equal(add(p, "a", (const char *const[]){"k", "\n"}, 1), POINTS_BAD_TAG);
	assert_int_equal(add(p, "a", (const char *const[]){"k", long_name}, 1), POINTS_BAD_TAG);
	assert_int_equal(add(p, "a", many, 33), POINTS_BAD_TAG);
	assert_int_equal(add(p, "a", many, 32), POINTS_ADDED);
	assert_int_equal(
		points_add(p, SLICE("a"), NULL, NULL, 0, 0, (double)NAN), POINTS_BAD_VALUE);
	assert_int_equal(
		points_add(p, SLICE("a"), NULL, NULL, 0, 0, (double)INFINITY), POINTS_BAD_VALUE);
	assert_int_equal(points_count(p), 1);
	points_free(p);
	free(long_name);
}

/* Every name and tags that are taken here are taken by a series as well: the limit is one. */
static void the_longest_text_is_one_a_series_takes(void **state)
{
	struct points *p = points_new();
	char value[SERIES_KEY_MAX];
	size_t longest = 0;

	for (size_t n = 1900; n < SERIES_KEY_MAX; n++) {
		memset(value, '"', n / 2);
		value[n / 2] = '\0';
		if (add(p, "a", (const char *const[]){"k", value}, 1) == POINTS_ADDED)
			longest = n / 2;
	}
	assert_in_range(longest, 1000, SERIES_KEY_MAX / 2 - 3);
	points_free(p);
}

static void a_batch_has_an_end_and_its_bytes_fit(void **state)
{
	struct points *p = points_new();
	struct buf out = BUF(POINTS_BYTES);
	struct error err = {0};
	enum points_added a;
	size_t n = 0;

	while ((a = points_add(p, SLICE("a"), NULL, NULL, 0, INT64_MIN + (int64_t)n, 1)) ==
		POINTS_ADDED)
		n++;
	assert_int_equal(a, POINTS_FULL);
	assert_int_equal(n, POINTS_MAX);
	points_encode(p, &out);
	assert_false(out.over);
	struct points *q = points_decode(buf_slice(&out), &err);
	assert_non_null(q);
	assert_int_equal(points_count(q), n);
	points_free(q);
	points_free(p);
	buf_fini(&out);
}

static void bytes_come_back_as_they_were(void **state)
{
	struct random r;
	struct points *p = points_new();
	struct buf out = BUF(POINTS_BYTES);
	struct error err = {0};
	char name[32], value[32];

	random_init_seed(&r, 7);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "n.%d", (int)random_below(&r, 1000));
		snprintf(value, sizeof(value), "v%d", (int)random_below(&r, 10));
		const struct slice keys[] = {SLICE("b"), SLICE("a")};
		const struct slice values[] = {slice_of(value), SLICE("\"\\")};
		assert_int_equal(points_add(p, slice_of(name), keys, values, random_below(&r, 3),
					 (int64_t)random_u64(&r), random_unit(&r)),
			POINTS_ADDED);
	}
	points_encode(p, &out);
	struct points *q = points_decode(buf_slice(&out), &err);
	assert_non_null(q);
	assert_int_equal(points_count(q), 5000);
	for (size_t i = 0; i < 5000; i++) {
		const struct point a = points_at(p, i), b = points_at(q, i);
		assert_true(slice_eq(a.name, b.name) && a.at_ms == b.at_ms && a.value == b.value &&
			    a.tag_count == b.tag_count);
		for (size_t k = 0; k < a.tag_count; k++) {
			assert_string_equal(a.tags[k].key, b.tags[k].key);
			assert_string_equal(a.tags[k].value, b.tags[k].value);
		}
	}
	points_free(q);
	for (size_t n = 0; n < 200; n++) { /* a piece of it is never taken for the whole */
		err = (struct error){0};
		assert_null(points_decode(slice_from(out.p, n), &err));
		assert_true(err.msg[0]);
	}
	buf_add_char(&out, 0);
	assert_null(points_decode(buf_slice(&out), &err));
	points_free(p);
	buf_fini(&out);
}

int test_points(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tags_are_sorted_and_the_last_of_a_key_counts),
		cmocka_unit_test(what_no_series_could_have_is_refused),
		cmocka_unit_test(the_longest_text_is_one_a_series_takes),
		cmocka_unit_test(a_batch_has_an_end_and_its_bytes_fit),
		cmocka_unit_test(bytes_come_back_as_they_were),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_map.c - keys to pointers, order of insertion, removal while iterating. */
#include "base/map.h"

#include <stdlib.h>

#include "../check.h"
#include "base/random.h"

static void test_put_get_remove(void **state)
{
	struct map m = {0};
	int a, b;
	assert_null(map_get(&m, "x"));
	assert_null(map_remove(&m, "x"));
	assert_null(map_put(&m, "x", &a));
	assert_ptr_equal(map_get(&m, "x"), &a);
	assert_ptr_equal(map_put(&m, "x", &b), &a);
	assert_int_equal(m.n, 1);
	assert_null(map_put_slice(&m, slice_from("a\0b", 3), &a)); /* any bytes are a key */
	assert_null(map_get(&m, "a"));
	assert_ptr_equal(map_get_slice(&m, slice_from("a\0b", 3)), &a);
	assert_null(map_put(&m, "", &b));
	assert_ptr_equal(map_get_slice(&m, (struct slice){0}), &b);
	assert_ptr_equal(map_remove(&m, "x"), &b);
	assert_null(map_get(&m, "x"));
	assert_int_equal(m.n, 2);
	map_fini(&m);
	assert_null(map_put(&m, "again", &a));
	map_fini(&m);
}

static void test_order(void **state)
{
	struct map m = {0};
	static int values[1000];
	char key[16];
	for (int i = 0; i < 1000; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		map_put(&m, key, &values[i]);
	}
	MAP_EACH (&m, e) /* the body may remove the current entry */
		if (((int *)e->value - values) % 3 == 0)
			map_remove(&m, e->key);
	map_put(&m, "k0", &values[0]); /* comes back at the end */
	int before = 0, n = 0;
	MAP_EACH (&m, e) {
		const int i = (int)((int *)e->value - values);
		if (i) {
			assert_true(i > before && i % 3);
			before = i;
		} else {
			assert_int_equal(n, 666);
		}
		n++;
	}
	assert_int_equal(n, 667);
	assert_int_equal(m.n, 667);
	map_fini(&m);
}

/* Against an array that knows what should be there. */
static void test_random_use(void **state)
{
	enum { KEYS = 500 };
	struct map m = {0};
	static int values[2];
	void *truth[KEYS] = {0};
	struct random r;
	random_init_seed(&r, 5);
	for (int turn = 0; turn < 100000; turn++) {
		const size_t i = random_below(&r, KEYS);
		char key[16];
		snprintf(key, sizeof(key), "%zu", i);
		if (random_below(&r, 3)) {
			void *v = &values[random_below(&r, 2)];
			assert_ptr_equal(map_put(&m, key, v), truth[i]);
			truth[i] = v;
		} else {
			assert_ptr_equal(map_remove(&m, key), truth[i]);
			truth[i] = NULL;
		}
		assert_ptr_equal(map_get(&m, key), truth[i]);
	}
	size_t live = 0;
	for (size_t i = 0; i < KEYS; i++)
		live += truth[i] != NULL;
	assert_int_equal(m.n, live);
	assert_true(m.cap <= 4 * KEYS); /* holes are used again */
	map_fini(&m);
}

int test_map(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_put_get_remove),
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_random_use),
	};
	return cmocka_run_group_tests_name("map", tests, NULL, NULL);
}

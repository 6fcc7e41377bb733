/*
 * test_search.c - where something belongs, beside counting one by one.
 */
#include "../check.h"
#include "base/mem.h"
#include "base/search.h"

static bool is_below(const void *item, const void *key)
{
	return *(const int *)item < *(const int *)key;
}

static void test_before(void **state)
{
	static const int items[] = {1, 3, 3, 3, 7, 8, 20};

	assert_int_equal(search_before(NULL, 0, sizeof(int), is_below, &items[0]), 0);
	for (size_t n = 0; n <= array_len(items); n++)
		for (int key = 0; key < 22; key++) {
			size_t below = 0;
			while (below < n && items[below] < key)
				below++;
			assert_int_equal(
				search_before(items, n, sizeof(*items), is_below, &key), below);
		}
}

int test_search(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_before),
	};

	return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}

/* test_heap.c - order, removal from the middle, equal keys in order of arrival. */
#include "base/heap.h"

#include "../check.h"
#include "base/random.h"

struct item {
	struct heap_node node;
	int order;
};

static void test_equal_keys_in_order_of_arrival(void **state)
{
	struct heap h = {0};
	struct item items[200] = {0};
	for (int i = 0; i < 200; i++) {
		items[i].order = i;
		heap_add(&h, &items[i].node, i % 5);
	}
	int64_t key = -1;
	int order = -1;
	for (int i = 0; i < 200; i++) {
		struct item *it = (struct item *)heap_first(&h);
		if (it->node.key != key)
			order = -1;
		assert_true(it->node.key >= key);
		assert_true(it->order > order);
		key = it->node.key;
		order = it->order;
		heap_remove(&h, &it->node);
	}
	assert_null(heap_first(&h));
	heap_fini(&h);
}

/* Against a plain array searched from end to end. */
static void test_random_adds_and_removes(void **state)
{
	enum { N = 300 };
	struct heap h = {0};
	struct heap_node nodes[N] = {0};
	struct random r;
	random_init_seed(&r, 3);
	for (int turn = 0; turn < 20000; turn++) {
		struct heap_node *n = &nodes[random_below(&r, N)];
		if (n->place)
			heap_remove(&h, n);
		else
			heap_add(&h, n, (int64_t)random_below(&r, 100) - 50);
		const struct heap_node *least = NULL;
		size_t live = 0;
		for (int i = 0; i < N; i++) {
			const struct heap_node *m = &nodes[i];
			if (!m->place)
				continue;
			live++;
			assert_ptr_equal(h.p[m->place - 1], m);
			if (!least || m->key < least->key ||
				(m->key == least->key && m->seq < least->seq))
				least = m;
		}
		assert_int_equal(h.n, live);
		assert_ptr_equal(heap_first(&h), least);
	}
	heap_fini(&h);
}

static void test_remove_what_is_in_none(void **state)
{
	struct heap h = {0};
	struct heap_node a = {0}, b = {0};
	heap_remove(&h, &a);
	heap_add(&h, &a, INT64_MAX);
	heap_add(&h, &b, INT64_MIN);
	assert_ptr_equal(heap_first(&h), &b);
	heap_remove(&h, &b);
	heap_remove(&h, &b);
	assert_ptr_equal(heap_first(&h), &a);
	heap_add(&h, &b, 0); /* again */
	assert_ptr_equal(heap_first(&h), &b);
	heap_fini(&h);
}

int test_heap(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_equal_keys_in_order_of_arrival),
		cmocka_unit_test(test_random_adds_and_removes),
		cmocka_unit_test(test_remove_what_is_in_none),
	};
	return cmocka_run_group_tests_name("heap", tests, NULL, NULL);
}

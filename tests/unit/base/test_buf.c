/* test_buf.c - buffers and their maximum; vectors; memory helpers. */
#include "base/buf.h"

#include "../check.h"
#include "base/vec.h"

static void test_grows_to_its_maximum(void **state)
{
	struct buf b = BUF(1000);
	assert_string_equal(buf_str(&b), "");
	for (int i = 0; i < 1000; i++)
		assert_true(buf_add_char(&b, (char)('a' + i % 26)));
	assert_int_equal(b.n, 1000);
	assert_false(b.over);
	assert_int_equal(strlen(b.p), 1000);
	assert_int_equal(b.p[999], 'a' + 999 % 26);
	buf_fini(&b);
}

static void test_over_keeps_what_it_has(void **state)
{
	struct buf b = BUF(8);
	assert_true(buf_add_str(&b, "12345"));
	assert_false(buf_add_str(&b, "6789"));
	assert_true(b.over);
	assert_false(buf_add_char(&b, '6')); /* it would fit, but order would be wrong */
	assert_false(buf_printf(&b, "%d", 6));
	assert_string_equal(buf_str(&b), "12345");
	buf_clear(&b);
	assert_false(b.over);
	assert_true(buf_add_str(&b, "12345678"));
	assert_string_equal(buf_str(&b), "12345678");
	buf_fini(&b);
	assert_true(buf_add_char(&b, 'x')); /* empty and usable again */
	buf_fini(&b);
}

static void test_zeroed_takes_nothing(void **state)
{
	struct buf b = {0};
	assert_true(buf_add(&b, NULL, 0));
	assert_false(buf_add_char(&b, 'x'));
	assert_true(b.over);
	buf_fini(&b);
}

static void test_printf(void **state)
{
	struct buf b = BUF(5000);
	char longer[600];
	memset(longer, 'z', sizeof(longer));
	longer[599] = 0;
	assert_true(buf_printf(&b, "%s=%d;", "n", 7));
	assert_true(buf_printf(&b, "[%s]", longer)); /* past the small buffer */
	assert_int_equal(b.n, 4 + 601);
	assert_memory_equal(b.p, "n=7;[zzz", 8);
	assert_string_equal(b.p + b.n - 3, "zz]");
	char edge[257]; /* exactly the size of the small buffer, and one less */
	memset(edge, 'e', sizeof(edge));
	edge[256] = 0;
	buf_clear(&b);
	assert_true(buf_printf(&b, "%s", edge));
	assert_int_equal(b.n, 256);
	assert_true(buf_printf(&b, "%s", edge + 1));
	assert_int_equal(strlen(b.p), 511);
	buf_fini(&b);
	buf_init(&b, 300);
	assert_false(buf_printf(&b, "%s", longer));
	assert_int_equal(b.n, 0);
	assert_true(b.over);
	buf_fini(&b);
}

static void test_bytes_cut_take(void **state)
{
	struct buf b = BUF(BUF_LINE);
	assert_true(buf_add(&b, "a\0b", 3));
	assert_int_equal(buf_slice(&b).n, 3);
	assert_memory_equal(buf_slice(&b).p, "a\0b", 4);
	buf_cut(&b, 9);
	assert_int_equal(b.n, 3);
	buf_cut(&b, 1);
	assert_string_equal(buf_str(&b), "a");
	char *owned = buf_take(&b);
	assert_string_equal(owned, "a");
	assert_int_equal(b.n, 0);
	assert_int_equal(b.max, BUF_LINE);
	free(owned);
	owned = buf_take(&b);
	assert_string_equal(owned, "");
	free(owned);
}

struct point {
	int x, y;
};

static void test_vec(void **state)
{
	VEC(struct point) v = {0};
	int n = 0;
	VEC_EACH (&v, struct point, p)
		n += p->x;
	assert_int_equal(n, 0);
	for (int i = 0; i < 100; i++)
		vec_push(&v, ((struct point){i, -i}));
	assert_int_equal(v.n, 100);
	vec_remove(&v, 0);
	vec_remove(&v, 98);
	vec_remove(&v, 49);
	assert_int_equal(v.n, 97);
	assert_int_equal(v.p[0].x, 1);
	assert_int_equal(v.p[48].x, 49);
	assert_int_equal(v.p[49].x, 51);
	assert_int_equal(v.p[96].x, 98);
	assert_int_equal(vec_pop(&v).y, -98);
	struct point *added = vec_add(&v);
	assert_int_equal(added->x, 0);
	assert_int_equal(added->y, 0);
	assert_ptr_equal(added, &v.p[96]);
	VEC_EACH (&v, struct point, p)
		n += p->x;
	assert_int_equal(n, 99 * 50 - 99 - 50 - 98);
	vec_fini(&v);
	assert_null(v.p);
	assert_int_equal(v.cap, 0);
}

static void test_mem(void **state)
{
	assert_null(mem_strdup(NULL));
	assert_null(mem_strndup(NULL, 3));
	char *s = mem_strdup("abcdef");
	mem_replace(&s, s + 3); /* the new text lies in the old */
	assert_string_equal(s, "def");
	mem_replace(&s, NULL);
	assert_null(s);
	s = mem_strndup("a\0b", 3);
	assert_memory_equal(s, "a\0b", 4);
	free(s);
	s = mem_printf("%s-%d", "x", 42);
	assert_string_equal(s, "x-42");
	free(s);
	int *zero = mem_new_array(64, sizeof(int));
	for (int i = 0; i < 64; i++)
		assert_int_equal(zero[i], 0);
	free(zero);
	free(mem_alloc(0));
	free(mem_new_array(0, 8));
	free(mem_resize(NULL, 0, 8));
}

int test_buf(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_grows_to_its_maximum),
		cmocka_unit_test(test_over_keeps_what_it_has),
		cmocka_unit_test(test_zeroed_takes_nothing),
		cmocka_unit_test(test_printf),
		cmocka_unit_test(test_bytes_cut_take),
		cmocka_unit_test(test_vec),
		cmocka_unit_test(test_mem),
	};
	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}

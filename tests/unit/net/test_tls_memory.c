/*
 * test_tls_memory.c - the blocks of tls_memory.c, handed out by hand: OpenSSL has begun long before.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "../check.h"
#include "net/tls_inside.h"

static void *get(size_t n)
{
	void *p = tls_memory_get(n, __FILE__, __LINE__);

	if (p)
		memset(p, 'x', n); /* all of it is ours */
	return p;
}

static void put(void *p)
{
	tls_memory_put(p, __FILE__, __LINE__);
}

static const char *wrong; /* what a thread found */

/* In a thread of its own, which has kept nothing and at whose end nothing may be left. */
static void alone(void *(*what)(void *))
{
	pthread_t id;

	wrong = NULL;
	assert_int_equal(pthread_create(&id, NULL, what, NULL), 0);
	assert_int_equal(pthread_join(id, NULL), 0);
	if (wrong)
		fail_msg("%s", wrong);
}

static void *every_size(void *arg)
{
	for (size_t n = 0; n < 1200; n++) {
		put(get(n));
		put(get(n < 900 ? n + 7 : n));
	}
	put(NULL);
	return NULL;
}

static void *keep_and_give(void *arg)
{
	void *first = get(104), *second = get(104); /* what a block of glibc's holds */

	if (first == second)
		wrong = "one block twice";
	put(first);
	put(second);
	if (get(100) != second || get(104) != first)
		wrong = "what was given back last does not come first";
	free(first); /* glibc's own */
	put(second);
	return NULL;
}

static void *keep_no_more(void *arg)
{
	const size_t before = mallinfo2().uordblks;
	void *p[200];

	for (size_t i = 0; i < array_len(p); i++)
		p[i] = get(1000);
	for (size_t i = 0; i < array_len(p); i++)
		put(p[i]);
	/* 16 KiB here, and glibc's own seven */
	if (mallinfo2().uordblks > before + 16384 + 8 * 1040)
		wrong = "more than 16 KiB kept";
	return NULL;
}

static void *resize(void *arg)
{
	char *p = tls_memory_resize(NULL, 10, __FILE__, __LINE__);
	bool same;

	memcpy(p, "it stays", 9);
	p = tls_memory_resize(p, 5000, __FILE__, __LINE__);
	same = strcmp(p, "it stays") == 0;
	p = tls_memory_resize(p, 20, __FILE__, __LINE__);
	same = same && strcmp(p, "it stays") == 0;
	p = tls_memory_resize(p, 0, __FILE__, __LINE__);
	if (p || !same)
		wrong = "resized, it is something else";
	return NULL;
}

static void test_blocks(void **state)
{
	alone(every_size);
	alone(keep_and_give);
	alone(keep_no_more);
	alone(resize);
}

/* libssh began OpenSSL before us, and nothing of ours ran before that. */
static void test_what_comes_too_late_is_known(void **state)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	const enum tls_memory expected = TLS_MEMORY_PLAIN;
#else
	const enum tls_memory expected = TLS_MEMORY_LATE;
#endif
	assert_int_equal(tls_memory_in_use(), expected);
	tls_settle();
	assert_int_equal(tls_memory_in_use(), expected);
}

int test_tls_memory(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_what_comes_too_late_is_known),
	};

	tls_memory_settle();
	return cmocka_run_group_tests_name("tls_memory", tests, NULL, NULL);
}

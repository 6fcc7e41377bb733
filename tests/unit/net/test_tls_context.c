/*
 * test_tls_context.c - which contexts are made, and which are shared.
 */
#include <unistd.h>

#include "../check.h"
#include "net/tls_inside.h"
#include "peer.h"

/* Whether it was made now: what is made is marked. */
static bool is_new(struct tls_context *c)
{
	static char mark;
	const bool made = !SSL_CTX_get_app_data(c->ctx);

	SSL_CTX_set_app_data(c->ctx, &mark);
	return made;
}

static struct tls_context *get(struct tls_options o)
{
	struct error err = {0};
	struct tls_context *c = tls_context_new(&o, &err);

	assert_non_null(c);
	return c;
}

/* How many of them are made when each is dropped before the next is asked for. */
static unsigned made(const char *const *alpn, size_t n, unsigned times)
{
	unsigned count = 0;

	for (size_t i = 0; i < n * times; i++) {
		struct tls_context *c = get((struct tls_options){.alpn = alpn[i % n]});
		count += is_new(c);
		tls_context_unref(c);
	}
	return count;
}

static void who_reads_probe_after_probe_makes_one(void **state)
{
	static const char *const few[] = {"a1", "a2", "a3"}, *const many[] = {
								     "b1", "b2", "b3", "b4", "b5"};

	assert_int_equal(made(few, 1, 1000), 1);
	assert_int_equal(made(few, array_len(few), 100), 2);
	assert_int_equal(made(many, array_len(many), 10), 50); /* so many are not kept */
	assert_int_equal(made(few, 1, 1), 1);
}

static void those_in_use_are_shared(void **state)
{
	enum { N = 300 };
	struct tls_context *a[N], *b;
	char name[20];

	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		a[i] = get((struct tls_options){.alpn = name});
		assert_true(is_new(a[i]));
	}
	for (int i = 0; i < N; i++) {
		snprintf(name, sizeof(name), "c%d", i);
		b = get((struct tls_options){.alpn = name});
		assert_ptr_equal(a[i], b);
		tls_context_unref(a[i]);
		assert_false(is_new(b)); /* held by one */
		tls_context_unref(b);
	}
}

static void a_file_that_was_replaced_makes_another(void **state)
{
	static const char *const full[] = {"d1", "d2", "d3", "d4", "d5"};
	struct peer_certificate c = peer_certify(NULL, "DNS:a.example", -1, 30);
	char ca[64], key[64];

	snprintf(ca, sizeof(ca), "/tmp/test_tls_context.%d.pem", (int)getpid());
	snprintf(key, sizeof(key), "%s.key", ca);
	peer_save_certificate(&c, ca);
	peer_save_key(&c, key);
	struct tls_context *one = get((struct tls_options){.ca_file = ca});
	assert_true(is_new(one));
	tls_context_unref(one);
	one = get((struct tls_options){.ca_file = ca});
	assert_false(is_new(one));
	tls_context_unref(one);
	unlink(ca);
	peer_certificate_fini(&c);
	c = peer_certify(NULL, "DNS:another.example", -1, 30);
	peer_save_certificate(&c, ca);
	peer_save_key(&c, key);
	one = get((struct tls_options){.ca_file = ca});
	assert_true(is_new(one));
	tls_context_unref(one);
	/* A key of ours is gone when nobody needs it, however many rest beside it. */
	made(full, array_len(full), 1);
	for (int i = 0; i < 2; i++) {
		one = get((struct tls_options){.cert_file = ca, .key_file = key});
		assert_true(is_new(one));
		tls_context_unref(one);
	}
	unlink(ca);
	unlink(key);
	peer_certificate_fini(&c);
}

int test_tls_context(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_reads_probe_after_probe_makes_one),
		cmocka_unit_test(those_in_use_are_shared),
		cmocka_unit_test(a_file_that_was_replaced_makes_another),
	};

	return cmocka_run_group_tests_name("tls_context", tests, NULL, NULL);
}

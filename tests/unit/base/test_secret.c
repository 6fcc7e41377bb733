/* test_secret.c - what is known as secret is masked, by value and by name, from any thread. */
#include "base/secret.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"

static void check_scrub(const char *text, const char *expected)
{
	struct buf b = BUF(BUF_LINE);
	secret_scrub(&b, slice_of(text));
	assert_string_equal(buf_str(&b), expected);
	buf_fini(&b);
	char *clean = secret_scrubbed(text);
	assert_string_equal(clean, expected);
	free(clean);
}

static void test_value(void **state)
{
	struct secret *s = secret_new(SLICE("hunter2!"));
	assert_string_equal(secret_reveal(s), "hunter2!");
	assert_int_equal(secret_length(s), 8);
	secret_unref(s);
	s = secret_new((struct slice){0});
	assert_string_equal(secret_reveal(s), "");
	secret_unref(s);
	secret_unref(NULL);
	assert_null(secret_ref(NULL));
}

static void test_scrub(void **state)
{
	struct secret *s = secret_new(SLICE("hunter2!")),
		      *longer = secret_new(SLICE("hunter2!more")),
		      *brief = secret_new(SLICE("abc")), *twin = secret_new(SLICE("hunter2!"));
	check_scrub("", "");
	assert_null(secret_scrubbed(NULL));
	check_scrub("hunter2!", "***");
	check_scrub("a hunter2! b hunter2!hunter2!", "a *** b ******");
	check_scrub("hunter2!more", "***"); /* the longest wins: no tail is left */
	check_scrub("hunter2hunter2!", "hunter2***");
	check_scrub("hunter2", "hunter2");
	check_scrub("abc alphabet", "abc alphabet"); /* too short to be masked */
	secret_unref(longer);
	check_scrub("hunter2!more", "***more");
	secret_unref(twin);
	check_scrub("hunter2!", "***"); /* the other holder's still counts */
	secret_ref(s);
	secret_unref(s);
	check_scrub("hunter2!", "***");
	secret_unref(s);
	check_scrub("hunter2!", "hunter2!"); /* nobody holds it any more */
	secret_unref(brief);
}

static void test_names(void **state)
{
	static const char *const secret[] = {"Authorization", "X-Auth-Token", "x-subject-token",
		"password", "OS_PASSWORD", "adminPass", "admin_password", "user_data",
		"private_key", "application_credential_secret", "passphrase", "Set-Cookie",
		"access_token", "token"};
	static const char *const open[] = {"name", "id", "tokens", "key_name", "public_key",
		"content-type", "x-openstack-request-id", "tags", "", "pass"};
	for (size_t i = 0; i < array_len(secret); i++)
		if (!secret_name(slice_of(secret[i])))
			fail_msg("%s is not masked", secret[i]);
	for (size_t i = 0; i < array_len(open); i++)
		if (secret_name(slice_of(open[i])))
			fail_msg("%s is masked", open[i]);
}

static void *churn(void *arg)
{
	for (int i = 0; i < 200; i++) {
		char text[40];
		snprintf(text, sizeof(text), "secret-%d-of-%s", i, (const char *)arg);
		struct secret *s = secret_new(slice_of(text));
		check_scrub(text, "***");
		secret_unref(s);
	}
	return NULL;
}

static void test_threads(void **state)
{
	pthread_t threads[4];
	static char names[4][2] = {"a", "b", "c", "d"};
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, churn, names[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	check_scrub("secret-1-of-a", "secret-1-of-a");
}

int test_secret(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value),
		cmocka_unit_test(test_scrub),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}

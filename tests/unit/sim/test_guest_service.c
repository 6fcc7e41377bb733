#include <string.h>

#include "../check.h"
#include "base/mem.h"
#include "sim/guest_service.h"

static void count(void *arg)
{
	++*(int *)arg;
}

static void is(struct guest_services *s, unsigned boots, unsigned port, const char *expected)
{
	char *text = guest_service_text(s, "g", boots, port);
	if (expected)
		assert_string_equal(text, expected);
	else
		assert_null(text);
	free(text);
}

static void test_start_and_stop(void **state)
{
	int changes = 0;
	unsigned ports[2];
	struct guest_services *s = guest_services_new();
	(void)state;

	guest_services_watch(s, count, &changes);
	assert_true(guest_service_start(s, "g", 1, 80, "one"));
	assert_false(guest_service_start(s, "g", 1, 80, "two"));
	assert_true(guest_service_start(s, "g", 1, 81, "three"));
	assert_true(guest_service_start(s, "h", 1, 80, "other"));
	is(s, 1, 80, "one");
	is(s, 1, 82, NULL);
	assert_int_equal(guest_service_ports(s, "g", 1, ports, 2), 2);
	assert_true(guest_service_stop(s, "g", 1, 80));
	assert_false(guest_service_stop(s, "g", 1, 80));
	is(s, 1, 80, NULL);
	is(s, 1, 81, "three");
	assert_int_equal(changes, 4);
	guest_services_free(s);
}

static void test_a_boot_forgets(void **state)
{
	struct guest_services *s = guest_services_new();
	(void)state;

	assert_true(guest_service_start(s, "g", 1, 80, "old"));
	is(s, 2, 80, NULL);
	assert_true(guest_service_start(s, "g", 2, 80, "new"));
	is(s, 2, 80, "new");
	is(s, 1, 80, NULL);
	guest_services_free(s);
}

static void test_so_many(void **state)
{
	struct guest_services *s = guest_services_new();
	(void)state;

	for (unsigned i = 0; i < GUEST_SERVICES_MAX; i++)
		assert_true(guest_service_start(s, "g", 1, 1000 + i, ""));
	assert_false(guest_service_start(s, "g", 1, 80, ""));
	assert_int_equal(guest_service_ports(s, "g", 1, NULL, 0), GUEST_SERVICES_MAX);
	guest_services_free(s);
}

int test_guest_service(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_and_stop),
		cmocka_unit_test(test_a_boot_forgets),
		cmocka_unit_test(test_so_many),
	};

	return cmocka_run_group_tests_name("sim/guest_service", tests, NULL, NULL);
}

/* Ids of components. */
#include "../check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "observe/component.h"

static void is(const char *prefix, const char *name, const char *expected)
{
	char *id = component_id(prefix, name);
	assert_string_equal(id, expected);
	free(id);
}

static void test_ids(void **state)
{
	is("", "Compute", "compute");
	is(NULL, "Block storage", "block-storage");
	is("prod-", "Block storage", "prod-block-storage");
	is("R1_", "DNS & more", "r1-dns---more");
	is("", "K\xc3\xa4se 2", "k--se-2");
	is("", "", "");
	is("a-", "", "a-");
}

static void test_long(void **state)
{
	char name[1000];
	memset(name, 'X', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	char *id = component_id("p-", name);
	assert_int_equal(strlen(id), COMPONENT_ID_MAX);
	assert_memory_equal(id, "p-xxx", 5);
	free(id);
	id = component_id(name, "n");
	assert_int_equal(strlen(id), COMPONENT_ID_MAX);
	free(id);
}

int test_component(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ids),
		cmocka_unit_test(test_long),
	};

	return cmocka_run_group_tests_name("observe/component", tests, NULL, NULL);
}

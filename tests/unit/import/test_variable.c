#include "../check.h"

#include <stdlib.h>

#include "import/variable.h"

static void is(const char *text, const char *expected, bool some, bool missing, const char *only)
{
	struct variables v;
	char *expanded = variables_expand(text, &v);
	assert_string_equal(expanded, expected);
	assert_int_equal(v.some, some);
	assert_int_equal(v.missing, missing);
	assert_string_equal(v.only ? v.only : "", only ? only : "");
	variables_fini(&v);
	free(expanded);
}

static void test_expand(void **state)
{
	(void)state;
	setenv("IMPORT_HOST", "h.example.org", 1);
	setenv("IMPORT_TOKEN", "secret", 1);
	unsetenv("IMPORT_NOT");
	is("plain $ 5$ $$ ${", "plain $ 5$ $ ${", false, false, NULL);
	is("https://$IMPORT_HOST/${IMPORT_HOST}x", "https://h.example.org/h.example.orgx", true,
		false, NULL);
	is("${IMPORT_HOST}", "h.example.org", true, false, "IMPORT_HOST");
	is("$IMPORT_NOT", "$IMPORT_NOT", true, true, "IMPORT_NOT");
	is("a${IMPORT_NOT}", "a${IMPORT_NOT}", true, true, NULL);
	/* what goes by the name of a secret never comes out */
	is("${IMPORT_TOKEN}", "${IMPORT_TOKEN}", true, true, "IMPORT_TOKEN");
	is("Bearer $IMPORT_TOKEN", "Bearer $IMPORT_TOKEN", true, true, NULL);
	is("", "", false, false, NULL);
}

int test_variable(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_expand),
	};
	return cmocka_run_group_tests_name("import/variable", tests, NULL, NULL);
}

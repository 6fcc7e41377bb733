/* Named and numbered characters, and the table of all names. */
#include "../check.h"

#include <stdlib.h>

#include "base/mem.h"
#include "text/entity.h"

static void is(const char *text, unsigned n, uint32_t first, uint32_t second)
{
	uint32_t got[ENTITY_MAX] = {0};

	assert_int_equal(entity_decode(slice_of(text), got), n);
	if (n > 0)
		assert_int_equal(got[0], first);
	if (n > 1)
		assert_int_equal(got[1], second);
}

static void test_names(void **state)
{
	is("&amp;", 1, '&', 0);
	is("&AMP;", 1, '&', 0);
	is("&lt;", 1, '<', 0);
	is("&nbsp;", 1, 0xa0, 0);
	is("&Auml;", 1, 0xc4, 0);
	is("&Tab;", 1, '\t', 0);
	is("&NewLine;", 1, '\n', 0);
	is("&colon;", 1, ':', 0);
	is("&AElig;", 1, 0xc6, 0); /* the first and the last of the table */
	is("&zwnj;", 1, 0x200c, 0);
	is("&CounterClockwiseContourIntegral;", 1, 0x2233, 0);
	is("&nGt;", 2, 0x226b, 0x20d2);
	is("&bopf;", 1, 0x1d553, 0);
}

static void test_no_names(void **state)
{
	is("", 0, 0, 0);
	is("&", 0, 0, 0);
	is("&;", 0, 0, 0);
	is("&amp", 0, 0, 0);
	is("amp;", 0, 0, 0);
	is("&Amp;", 0, 0, 0);
	is("&nope;", 0, 0, 0);
	is("&ampx;", 0, 0, 0);
	is("&aCounterClockwiseContourIntegral;", 0, 0, 0);
	uint32_t got[ENTITY_MAX];
	assert_int_equal(entity_decode(SLICE("&amp\0;"), got), 0);
}

static void test_numbers(void **state)
{
	is("&#65;", 1, 'A', 0);
	is("&#x41;", 1, 'A', 0);
	is("&#X1F600;", 1, 0x1f600, 0);
	is("&#1114111;", 1, 0x10ffff, 0);
	is("&#0;", 1, 0xfffd, 0);
	is("&#1114112;", 1, 0xfffd, 0);
	is("&#xFFFFFF;", 1, 0xfffd, 0);
	is("&#xd800;", 1, 0xfffd, 0);
	is("&#;", 0, 0, 0);
	is("&#x;", 0, 0, 0);
	is("&#12a;", 0, 0, 0);
	is("&#xg;", 0, 0, 0);
	is("&#-1;", 0, 0, 0);
	is("&#12345678;", 0, 0, 0);
	is("&#x1234567;", 0, 0, 0);
}

/* The search by halves needs the table in order: each name is found, and says what it says. */
static void test_table(void **state)
{
	static const struct {
		const char *name;
		uint32_t code[2];
	} rows[] = {
#define ENTITY(name, first, second) {name, {first, second}},
#include "text/entities.def"
#undef ENTITY
	};

	assert_int_equal(array_len(rows), 2125);
	for (size_t i = 0; i < array_len(rows); i++) {
		char *text = mem_printf("&%s;", rows[i].name);

		is(text, rows[i].code[1] ? 2 : 1, rows[i].code[0], rows[i].code[1]);
		free(text);
	}
}

int test_entity(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_no_names),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_table),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_statsd.c - numbers, lines and tags of StatsD, and what an interval of them adds up to. */
#include <math.h>
#include <stdlib.h>

#include "../check.h"
#include "base/random.h"
#include "observe/ingest/number.h"
#include "observe/ingest/statsd.h"
#include "store/points.h"

/* --- numbers -----------------------------------------------------------------------------------
 */

static void write_somehow(char *text, size_t size, double x, uint64_t way)
{
	switch (way) {
	case 0: snprintf(text, size, "%.17g", x); break;
	case 1: snprintf(text, size, "%.15g", x); break;
	case 2: snprintf(text, size, "%.3f", x); break;
	case 3: snprintf(text, size, "%.0f", x); break;
	case 4: snprintf(text, size, "%e", x); break;
	default: snprintf(text, size, "%.9f", x);
	}
}

static void numbers_are_those_of_strtod(void **state)
{
	struct random r;
	char text[80];
	double x;

	random_init_seed(&r, 11);
	for (int i = 0; i < 200000; i++) {
		const double scale = pow(10, (double)random_below(&r, 40) - 20);
		write_somehow(
			text, sizeof(text), (random_unit(&r) - 0.5) * scale, random_below(&r, 6));
		assert_true(number_read(slice_of(text), &x));
		if (x != strtod(text, NULL))
			fail_msg("%s", text);
	}
	static const char *const odd[] = {"0", "-0", "+7", ".5", "5.", "1e3", "1E+3", "1e-3",
		"00000000000000000000000000001", "9007199254740993", "0.1e-300",
		"123456789012345678901234567890", "1e-400", "0.00000000000000000000000000001",
		"9007199254740992e22", "1e0000000005"};
	for (size_t i = 0; i < array_len(odd); i++) {
		assert_true(number_read(slice_of(odd[i]), &x));
		if (x != strtod(odd[i], NULL))
			fail_msg("%s", odd[i]);
	}
}

static void what_is_no_number_is_none(void **state)
{
	static const char *const bad[] = {"", "-", "+", ".", "e5", "1e", "1e+", "--1", "0x10",
		"nan", "inf", "1 ", " 1", "1,5", "1e400", "-1e999", "1.2.3", "1a",
		"11111111111111111111111111111111111111111111111111111111111111111"};
	double x;

	for (size_t i = 0; i < array_len(bad); i++)
		if (number_read(slice_of(bad[i]), &x))
			fail_msg("%s", bad[i]);
}

/* --- the table ---------------------------------------------------------------------------------
 */

static struct statsd_batch *after(struct statsd_table *t, const char *packet)
{
	statsd_table_take(t, slice_of(packet));
	return statsd_table_flush(t);
}

static void each_type_adds_up_as_it_does(void **state)
{
	struct statsd_table *t = statsd_table_new(100, 0);
	struct statsd_batch *b =
		after(t, "a.b:1|c\na.b:2.5|c|@0.5\r\n"
			 "t:10|ms\nt:20:30.5|ms\nt:1|h|@0.1\nt:2|d\n"
			 "g:5|g\ng:+3|g\ng:-1|g\n"
			 "s:x|s\ns:y|s\ns:x|s\ns:y:z|s\n");

	assert_int_equal(b->bad.n, 0);
	assert_int_equal(b->lines, 13);
	assert_int_equal(b->names.n, 4);
	assert_string_equal(b->names.p[0].name, "stats.counters.a.b");
	assert_string_equal(b->names.p[1].name, "stats.timers.t");
	assert_string_equal(b->names.p[2].name, "stats.gauges.g");
	assert_string_equal(b->names.p[3].name, "stats.sets.s.count");
	assert_int_equal(b->items.n, 4);
	assert_true(b->items.p[0].value == 6);
	const struct statsd_item *timer = &b->items.p[1];
	assert_int_equal(timer->n, 3 + 10 + 1);
	assert_int_equal(series_hist_count(&timer->hist), 14);
	assert_true(timer->min == 1000 && timer->max == 30500);
	assert_true(timer->value == 10000 + 20000 + 30500 + 10 * 1000 + 2000);
	assert_true(b->items.p[2].value == 7);
	assert_true(b->items.p[3].value == 3);
	statsd_batch_free(b);
	b = after(t, "g:-2|g\na.b:1|c\n"); /* gauges go on; what was not heard of is not there */
	assert_int_equal(b->names.n, 0);
	assert_int_equal(b->items.n, 2);
	assert_true(b->items.p[0].id == 2 && b->items.p[0].value == 5);
	assert_true(b->items.p[1].id == 0 && b->items.p[1].value == 1);
	statsd_batch_free(b);
	statsd_table_free(t);
}

/* Known names with plain numbers are read another way: it must be as right. */
static void a_name_that_is_known_is_read_as_well(void **state)
{
	static const char *const odd[] = {"0", "000000000000001", "999999999999999", "0.1", "5.",
		"123456.7890123", "0.0000000000001", "1234567890123456", "1e3",
		"12345678.123456789", "+1", ".5"};
	struct statsd_table *t = statsd_table_new(10, 0);
	struct random r;
	char value[64], line[80];

	random_init_seed(&r, 5);
	statsd_batch_free(after(t, "g:0|g"));
	for (size_t i = 0; i < 20000; i++) {
		if (i < array_len(odd))
			snprintf(value, sizeof(value), "%s", odd[i]);
		else
			write_somehow(
				value, sizeof(value), random_unit(&r) * 1e7, random_below(&r, 6));
		snprintf(line, sizeof(line), "g:0|g\ng:%s|g", value);
		struct statsd_batch *b = after(t, line);
		if (b->bad.n || b->lines != 2 || b->items.p[0].value != strtod(value, NULL))
			fail_msg("%s", value);
		statsd_batch_free(b);
	}
	statsd_table_free(t);
}

static void tags_in_any_order_are_one_name(void **state)
{
	struct statsd_table *t = statsd_table_new(100, 0);
	struct statsd_batch *b =
		after(t, "a:1|c|#z:1,b:2\na:1|c|#b:2,z:1\n"
			 "a:1|c|@1|#b:2,z:1|c:ci-1|e:it|card:low\na:1|c|#b:3,b:2,z:1\n"
			 "a:1|c\na:1|c|#flag\n");

	assert_int_equal(b->bad.n, 0);
	assert_int_equal(b->names.n, 3);
	assert_string_equal(b->names.p[0].tags, "b:2,z:1");
	assert_string_equal(b->names.p[1].tags, "");
	assert_string_equal(b->names.p[2].tags, "flag:");
	assert_true(b->items.p[0].value == 4 && b->items.p[1].value == 1);
	statsd_batch_free(b);
	statsd_table_free(t);
}

static void the_same_name_may_be_of_two_types(void **state)
{
	struct statsd_table *t = statsd_table_new(100, 0);
	struct statsd_batch *b = after(t, "x:1|c\nx:1|ms\nx:1|c\nx:1|g\nx:a|s");

	assert_int_equal(b->names.n, 4);
	assert_int_equal(b->items.n, 4);
	statsd_batch_free(b);
	statsd_table_free(t);
}

static void lines_that_are_none_are_counted_and_the_first_told(void **state)
{
	static const char *const bad[] = {"", "a", "a:1", "a:1|", "a|c", ":1|c", "a:|c", "a:1|x",
		"a:1|ms|@0", "a:1|c|@2", "a:1|c|@x", "a:x|c", "a:1:x|ms", "a:-1|ms", "a:nan|g",
		"a:1|c|T1700000000", "a:1|c|z", "a{:1|c", "\xff:1|c", "a:1|c|#:v",
		"a:1|c|#a:1,,b:2", "_e{1,1}:a|b", "a:1e300|ms", "a:1|ms|@1e-12"};
	struct statsd_table *t = statsd_table_new(100, 0);
	struct statsd_batch *b;

	for (size_t i = 1; i < array_len(bad); i++) {
		b = after(t, bad[i]);
		if (b->bad.n != 1 || !b->bad.first[0])
			fail_msg("%s", bad[i]);
		statsd_batch_free(b);
	}
	b = after(t, "good:1|c\nbad\nworse\ngood:1|c\n\n");
	assert_int_equal(b->bad.n, 2);
	assert_int_equal(b->lines, 2);
	assert_string_equal(b->bad.first, "it is not NAME:VALUE|TYPE: bad");
	statsd_batch_free(b);
	b = after(t, "m:5:x|ms\n"); /* what was good of it counts */
	assert_true(b->bad.n == 1 && b->items.n == 1 && b->items.p[0].n == 1);
	statsd_batch_free(b);
	statsd_table_free(t);
}

static void names_have_an_end_and_known_ones_go_on(void **state)
{
	struct statsd_table *t = statsd_table_new(2, 0);
	struct statsd_batch *b = after(t, "a:1|c\nb:1|c\nc:1|c\nd:1|c\na:1|c\n");

	assert_true(b->names.n == 2 && b->refused == 2 && b->items.p[0].value == 2);
	statsd_batch_free(b);
	char line[64]; /* nor can the order of tags be used up by one */
	for (int i = 0; i < 100; i++) {
		snprintf(line, sizeof(line), "a:1|c|#k%d:1", i);
		statsd_table_take(t, slice_of(line));
	}
	b = after(t, "b:1|c");
	assert_true(b->names.n == 0 && b->refused == 100 && b->lines == 1);
	statsd_batch_free(b);
	statsd_table_free(t);
}

/* Only a is heard of; the room of the others goes to new names, under their numbers. */
static void names_that_are_silent_leave(void **state)
{
	struct statsd_table *t = statsd_table_new(3, 8);
	struct statsd_batch *b = after(t, "a:1|c\nb:5|g|#y:2,x:1\nb:5|g|#x:1,y:2\nc:1|ms\nd:1|c\n");
	size_t gone = 0, batches = 0;

	assert_true(b->names.n == 3 && b->refused == 1);
	while (!gone) {
		statsd_batch_free(b);
		b = after(t, "a:1|c");
		assert_true(b->items.n == 1 && b->items.p[0].id == 0 && batches++ < 10);
		gone = b->gone.n;
	}
	assert_true(batches >= 7 && gone == 2);
	for (size_t i = 0; i < gone; i++)
		if (b->gone.p[i].id == 1)
			assert_true(!strcmp(b->gone.p[i].name, "stats.gauges.b") &&
				    !strcmp(b->gone.p[i].tags, "x:1,y:2"));
		else
			assert_string_equal(b->gone.p[i].name, "stats.timers.c");
	statsd_batch_free(b);
	b = after(t, "a:1|c\nb:+2|g|#x:1,y:2\ne:1|c\nf:1|c\n");
	assert_true(b->names.n == 2 && b->items.n == 3 && b->refused == 1 && b->gone.n == 0);
	assert_true(b->names.p[0].id + b->names.p[1].id == 3);
	assert_true(b->items.p[1].kind == STATSD_GAUGE && b->items.p[1].value == 2);
	statsd_batch_free(b);
	statsd_table_free(t);
}

/* A histogram of one heard often is the same as the sparse one. */
static void a_timer_heard_often_loses_nothing(void **state)
{
	struct statsd_table *t = statsd_table_new(10, 0);
	struct series_hist want = {0};
	struct random r;
	char line[64];

	random_init_seed(&r, 3);
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < 5000; i++) {
			const unsigned ms = (unsigned)random_below(&r, 1u << random_below(&r, 24));
			snprintf(line, sizeof(line), "t:%u|ms", ms);
			statsd_table_take(t, slice_of(line));
			series_hist_add(&want, ms * 1000ULL, 1);
		}
		struct statsd_batch *b = statsd_table_flush(t);
		assert_int_equal(b->items.p[0].hist.n, want.n);
		for (size_t i = 0; i < want.n; i++)
			assert_true(b->items.p[0].hist.p[i].index == want.p[i].index &&
				    b->items.p[0].hist.p[i].count == want.p[i].count);
		statsd_batch_free(b);
		series_hist_fini(&want);
	}
	statsd_table_free(t);
}

static void many_names_are_found_again(void **state)
{
	enum { MANY = 20000 };
	struct statsd_table *t = statsd_table_new(MANY, 0);
	char line[100];

	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < MANY; i++) {
			snprintf(line, sizeof(line), "openstack.api.prod.zone.compute.GET.x%d:1|c",
				i);
			statsd_table_take(t, slice_of(line));
		}
		struct statsd_batch *b = statsd_table_flush(t);
		assert_int_equal(b->names.n, round ? 0 : MANY);
		assert_int_equal(b->items.n, MANY);
		for (uint32_t i = 0; i < MANY; i++)
			assert_true(b->items.p[i].id == i && b->items.p[i].value == 1);
		statsd_batch_free(b);
	}
	statsd_table_free(t);
}

static void a_set_has_an_end(void **state)
{
	struct statsd_table *t = statsd_table_new(10, 0);
	char line[32];

	for (int i = 0; i < STATSD_MEMBERS_MAX + 5; i++) {
		snprintf(line, sizeof(line), "s:%d|s", i);
		statsd_table_take(t, slice_of(line));
	}
	struct statsd_batch *b = statsd_table_flush(t);
	assert_true(b->items.p[0].value == STATSD_MEMBERS_MAX && b->refused == 5);
	statsd_batch_free(b);
	statsd_table_free(t);
}

int test_statsd(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_those_of_strtod),
		cmocka_unit_test(what_is_no_number_is_none),
		cmocka_unit_test(each_type_adds_up_as_it_does),
		cmocka_unit_test(a_name_that_is_known_is_read_as_well),
		cmocka_unit_test(tags_in_any_order_are_one_name),
		cmocka_unit_test(the_same_name_may_be_of_two_types),
		cmocka_unit_test(lines_that_are_none_are_counted_and_the_first_told),
		cmocka_unit_test(names_have_an_end_and_known_ones_go_on),
		cmocka_unit_test(names_that_are_silent_leave),
		cmocka_unit_test(a_timer_heard_often_loses_nothing),
		cmocka_unit_test(many_names_are_found_again),
		cmocka_unit_test(a_set_has_an_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

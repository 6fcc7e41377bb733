/* What the doctor is made of: deadlines of checks, their order, how far clocks are apart at least.
 */
#include "../check.h"

#include "cli/doctor.h"

#include <stdlib.h>

struct room {
	struct clock clock;
	struct doctor doctor;
	unsigned late;
};

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);
	struct error err = {0};

	clock_init_virtual(&r->clock, 1790000000000000);
	r->doctor.loop = loop_new(&r->clock, &err);
	*state = r;
	return r->doctor.loop ? 0 : -1;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	doctor_checks_free(&r->doctor);
	loop_free(r->doctor.loop);
	free(r);
	return 0;
}

static void on_late(void *arg)
{
	((struct room *)arg)->late++;
}

static void test_deadline(void **state)
{
	struct room *r = *state;
	struct doctor *d = &r->doctor;
	struct doctor_check *slow = doctor_begin(d, 0, "slow", NULL);
	struct doctor_check *quick = doctor_begin(d, 0, "quick", "x");

	slow->late = quick->late = on_late;
	slow->late_arg = quick->late_arg = r;
	loop_advance(d->loop, DOCTOR_DEADLINE_NS - 1);
	assert_false(d->done);
	doctor_end(quick, DOCTOR_OK, NULL, "in %s", "time");
	assert_int_equal(d->waiting, 1);
	assert_int_equal(r->late, 0);
	loop_advance(d->loop, 1);
	assert_true(d->done);
	assert_int_equal(r->late, 1);
	assert_int_equal(slow->state, DOCTOR_BAD);
	assert_string_equal(slow->found, "no answer within 10 s");
	assert_non_null(slow->todo);
	doctor_end(slow, DOCTOR_OK, NULL, "too late"); /* is dropped */
	assert_int_equal(slow->state, DOCTOR_BAD);
	assert_int_equal(quick->state, DOCTOR_OK);
	assert_string_equal(quick->found, "in time");
	assert_null(quick->todo);
}

static void test_order(void **state)
{
	struct room *r = *state;
	struct doctor *d = &r->doctor;

	doctor_end(doctor_begin(d, 2, "c", ""), DOCTOR_OK, NULL, "x");
	doctor_end(doctor_begin(d, 1, "b1", ""), DOCTOR_OK, NULL, "x");
	doctor_say(d, "a1", NULL, DOCTOR_WARN, "do", "x");
	doctor_end(doctor_begin(d, 1, "b2", ""), DOCTOR_OK, NULL, "x");
	doctor_say(d, "a2", NULL, DOCTOR_OK, NULL, "x");
	assert_true(d->done);
	doctor_sort(d);
	const char *const order[] = {"a1", "a2", "b1", "b2", "c"};
	for (size_t i = 0; i < array_len(order); i++)
		assert_string_equal(d->checks.p[i]->name, order[i]);
}

/* A Date says a second; between two moments of ours it was written. */
static void test_offset(void **state)
{
	const int64_t s = 1000000, date = 1790000000 * s;
	int64_t least, most;

	doctor_clock_offset(date, date + 300000, date + 400000, &least, &most);
	assert_int_equal(least, -400000); /* the same moment is possible */
	assert_int_equal(most, 700000);
	doctor_clock_offset(date, date - 10 * s, date - 9 * s, &least, &most);
	assert_int_equal(least, 9 * s);
	assert_int_equal(most, 11 * s);
	doctor_clock_offset(date, date + 10 * s, date + 12 * s, &least, &most);
	assert_int_equal(least, -12 * s);
	assert_int_equal(most, -9 * s);
}

int test_doctor(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_deadline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
		cmocka_unit_test(test_offset),
	};

	return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}

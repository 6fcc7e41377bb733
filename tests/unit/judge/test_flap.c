/*
 * test_flap.c - a component that changes too often is shown as the worst it was, and told of twice.
 */

#include "judge_house.h"

#define FAST_MS 5000

static void rounds(struct judge_house *h, enum fault fault, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		house_see(h, "versions", fault);
		house_pass(h, FAST_MS);
	}
}

static void restart(struct judge_house *h, unsigned changes)
{
	house_stop(h);
	h->options.flap_changes = changes;
	h->options.flap_within_ns = 30 * 60 * NS_PER_S;
	h->options.flap_quiet_ns = 10 * 60 * NS_PER_S;
	house_start(h);
	house_expect(h, "versions", FAST_MS);
	rounds(h, FAULT_NONE, 3);
	h->changes.n = 0;
}

/* Down and up again, in two minutes: two changes. */
static void swing(struct judge_house *h, enum fault fault)
{
	rounds(h, fault, 2);
	rounds(h, FAULT_NONE, 22);
}

static bool flaps(const struct judge_house *h)
{
	return judge_verdict(h->judge, "compute")->flapping;
}

static void more_changes_than_that_are_told_once(void **state)
{
	struct judge_house *h = *state;
	restart(h, 6);
	for (int i = 0; i < 3; i++)
		swing(h, FAULT_REFUSED);
	assert_int_equal(h->changes.n, 6);
	assert_false(flaps(h));
	assert_health(h, "operational");
	for (int i = 0; i < 5; i++) {
		swing(h, FAULT_REFUSED);
		assert_true(flaps(h));
		assert_health(h, "outage");
	}
	assert_int_equal(h->changes.n, 7); /* that it flaps */
	assert_rule(h, "flapping");
	rounds(h, FAULT_NONE, 130);
	assert_false(flaps(h));
	assert_health(h, "operational");
	assert_int_equal(h->changes.n, 8); /* that it ended */
}

static void it_ends_as_what_it_is(void **state)
{
	struct judge_house *h = *state;
	restart(h, 6);
	for (int i = 0; i < 4; i++)
		swing(h, FAULT_REFUSED);
	assert_true(flaps(h));
	rounds(h, FAULT_REFUSED, 130);
	assert_false(flaps(h));
	assert_health(h, "outage");
	assert_rule(h, "silent");
}

static void slower_changes_do_not_count_together(void **state)
{
	struct judge_house *h = *state;
	restart(h, 6);
	for (int i = 0; i < 12; i++) {
		swing(h, FAULT_REFUSED);
		rounds(h, FAULT_NONE, 120); /* twelve minutes each */
		assert_false(flaps(h));
	}
	assert_int_equal(h->changes.n, 24);
}

static void our_own_blindness_is_no_flapping(void **state)
{
	struct judge_house *h = *state;
	restart(h, 3);
	for (int i = 0; i < 6; i++) {
		judge_blind(h->judge, true, "no witness answers");
		house_pass(h, STALE_MS + 1000);
		assert_health(h, "unknown");
		judge_blind(h->judge, false, NULL);
		rounds(h, FAULT_NONE, 2);
		assert_health(h, "operational");
	}
	assert_false(flaps(h));
}

static void it_flaps_on_after_a_restart(void **state)
{
	struct judge_house *h = *state;
	restart(h, 6);
	for (int i = 0; i < 4; i++)
		swing(h, FAULT_REFUSED);
	assert_true(flaps(h));
	const size_t told = h->changes.n;
	house_stop(h);
	house_start(h);
	house_expect(h, "versions", FAST_MS);
	rounds(h, FAULT_NONE, 20);
	assert_true(flaps(h));
	assert_health(h, "outage");
	assert_int_equal(h->changes.n, told);
	rounds(h, FAULT_NONE, 110);
	assert_false(flaps(h));
	assert_health(h, "operational");
}

static void none_flaps_where_it_is_off(void **state)
{
	struct judge_house *h = *state;
	restart(h, 0);
	for (int i = 0; i < 10; i++)
		swing(h, FAULT_REFUSED);
	assert_int_equal(h->changes.n, 20);
}

int test_flap(void);
int test_flap(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(more_changes_than_that_are_told_once),
		judge_test(it_ends_as_what_it_is),
		judge_test(slower_changes_do_not_count_together),
		judge_test(our_own_blindness_is_no_flapping),
		judge_test(it_flaps_on_after_a_restart),
		judge_test(none_flaps_where_it_is_off),
	};
	return cmocka_run_group_tests_name("flap", tests, NULL, NULL);
}

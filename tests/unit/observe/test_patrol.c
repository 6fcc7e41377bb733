/*
 * test_patrol.c - when patrols run, sweep and stop.
 */
#include "patrolling.h"

/* --- times and worlds --------------------------------------------------------------------------
 */

static void test_again_and_again(void **state)
{
	struct place *p = *state;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	assert_string_equal(patrol_name(a), "scene");
	assert_ptr_equal(patrol_scenario(a), &patrolling_scene);
	loop_advance(p->loop, 24 * HOUR_NS);
	assert_in_range(fake.runs, 144, 145);
	assert_int_equal(fake.most_open, 1);
	assert_true(p->ended + 1 >= fake.runs);
	assert_int_equal(patrolling_count(p, "skipped"), 0);
	patrolling_end(p, a);
	assert_int_equal(p->ended, fake.runs);
}

static void test_teardown_holds_nobody_back(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 15 * MINUTE_NS; /* longer than the rate, but two at once suffice */
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 24 * HOUR_NS);
	assert_in_range(fake.runs, 144, 145);
	assert_int_equal(fake.most_open, 2);
	assert_int_equal(fake.most_building, 1);
	assert_int_equal(patrolling_count(p, "skipped"), 0);
	patrolling_end(p, a);
}

static void test_three_worlds_at_most(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 24 * HOUR_NS;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 2 * HOUR_NS);
	assert_int_equal(fake.runs, PATROL_OPEN_MAX);
	assert_int_equal(fake.most_open, PATROL_OPEN_MAX);
	assert_int_equal(patrol_open(a), PATROL_OPEN_MAX);
	assert_in_range(patrolling_count(p, "scene: skipped a run: 3 worlds are open\n"), 9, 10);
	patrol_free(a); /* gives up, and waits for that */
	assert_int_equal(fake.given_up, PATROL_OPEN_MAX);
}

static void test_building_holds_back(void **state)
{
	struct place *p = *state;
	fake.build_ns = 25 * MINUTE_NS;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 6 * HOUR_NS);
	assert_int_equal(fake.most_building, 1);
	const size_t skipped =
		patrolling_count(p, "scene: skipped a run: the last one is still building\n");
	assert_in_range(fake.runs, 11, 13); /* every third time */
	assert_in_range(skipped, 22, 25);
	patrol_free(a);
}

/* --- sweeps ------------------------------------------------------------------------------------
 */

static void test_one_sweep_first(void **state)
{
	struct place *p = *state;
	struct patrol *a = patrolling_begin(p, "one", &p->tools),
		      *b = patrolling_begin(p, "two", &p->tools);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(fake.sweeps, 1); /* for both */
	assert_int_equal(fake.journal_sweeps, 1);
	assert_int_equal(fake.runs, 0);
	assert_int_equal(patrol_open(a) + patrol_open(b), 2); /* wait for it */
	loop_advance(p->loop, 20 * NS_PER_S);
	assert_int_equal(fake.runs, 2);
	assert_int_equal(fake.first_run_ns, fake.sweep_ended_ns);
	assert_int_equal(fake.buried, 1);
	assert_int_equal(fake.forgot, 1);
	const int64_t age_us = clock_unix_us(&p->clock) - fake.forgot_before_us;
	assert_in_range(age_us, 90LL * 86400 * 1000000, 90LL * 86400 * 1000000 + 30 * 1000000);
	assert_int_equal(
		patrolling_count(p, "dead runs had left 3 objects: 2 deleted, 0 gone, 1 left"), 1);
	loop_advance(p->loop, 25 * HOUR_NS);
	assert_in_range(fake.sweeps, 26, 27); /* hourly, one for both */
	assert_int_equal(fake.journal_sweeps, 1);
	assert_int_equal(fake.forgot, 2); /* daily */
	patrolling_end(p, a);
	const size_t before = fake.sweeps;
	loop_advance(p->loop, 2 * HOUR_NS); /* goes on for the other */
	assert_int_equal(fake.sweeps, before + 2);
	patrolling_end(p, b);
	loop_advance(p->loop, 2 * HOUR_NS);
	assert_in_range(fake.sweeps, before + 2, before + 3);
}

static void test_a_sweep_for_each_cloud(void **state)
{
	struct place *p = *state;
	struct patrol *a = patrolling_begin(p, "one", &p->tools),
		      *b = patrolling_begin(p, "two", &p->other_tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(fake.journal_sweeps, 2);
	assert_int_equal(fake.runs, 2);
	patrolling_end(p, a);
	patrolling_end(p, b);
}

static void test_a_failed_sweep_delays_once(void **state)
{
	struct place *p = *state;
	fake.sweep_fails = true;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(fake.runs, 1);
	assert_int_equal(patrolling_count(p, "could not sweep what dead runs left: no route"), 1);
	fake.sweep_fails = false;
	fake.sweep_ns = 30 * MINUTE_NS;
	loop_advance(p->loop, 15 * MINUTE_NS);
	assert_int_equal(fake.journal_sweeps, 2); /* again, and nobody waits */
	assert_int_equal(fake.runs, 2);
	loop_advance(p->loop, 60 * MINUTE_NS);
	assert_int_equal(fake.journal_sweeps, 2);
	patrolling_end(p, a);
}

static void test_stopped_during_the_sweep(void **state)
{
	struct place *p = *state;
	fake.sweep_ns = HOUR_NS;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 25 * MINUTE_NS);
	assert_int_equal(fake.runs, 0);
	assert_true(patrolling_count(
			    p, "skipped a run: what dead runs left is still being swept") >= 1);
	patrol_stop(a, MINUTE_NS, patrolling_stopped, p);
	assert_int_equal(fake.cancelled, 1);
	loop_advance(p->loop, NS_PER_S / 2);
	assert_false(p->stopped); /* the sweep still uses what is borrowed */
	loop_advance(p->loop, NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(fake.runs, 0);
	patrol_free(a);
}

/* --- stopping ----------------------------------------------------------------------------------
 */

static void test_stop_tears_down(void **state)
{
	struct place *p = *state;
	fake.build_ns = 30 * MINUTE_NS;
	fake.teardown_ns = 90 * NS_PER_S;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 15 * MINUTE_NS);
	patrol_stop(a, 2 * MINUTE_NS, patrolling_stopped, p);
	assert_int_equal(fake.stops, 1);
	loop_advance(p->loop, 89 * NS_PER_S);
	assert_false(p->stopped);
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(fake.given_up, 0);
	assert_int_equal(patrol_open(a), 0);
	loop_advance(p->loop, HOUR_NS);
	assert_int_equal(fake.runs, 1); /* no new one */
	patrol_free(a);
}

static void test_budget(void **state)
{
	struct place *p = *state;
	fake.teardown_ns = 25 * MINUTE_NS;
	fake.build_ns = 5 * MINUTE_NS;
	fake.last_moment_ns = 2 * NS_PER_S;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	while (fake.building == 0 || fake.open < 3)
		loop_advance(p->loop, MINUTE_NS);
	patrol_stop(a, 2 * MINUTE_NS, patrolling_stopped, p);
	/* Those in teardown are left to it, the one that builds goes there. */
	assert_int_equal(fake.stops, 1);
	const size_t open = fake.open;
	loop_advance(p->loop, 2 * MINUTE_NS + NS_PER_S);
	assert_false(p->stopped);
	assert_in_range(fake.given_up, 2, open);
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_true(p->stopped);
	assert_int_equal(
		patrolling_count(p, "what they hold stays in the ledger for the next start"), 1);
	patrol_free(a);
}

static void test_freed_in_the_middle(void **state)
{
	struct place *p = *state;
	fake.build_ns = HOUR_NS;
	fake.last_moment_ns = 2 * NS_PER_S;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_int_equal(fake.open, 1);
	patrol_stop(a, 2 * MINUTE_NS, patrolling_stopped, p);
	patrol_free(a);
	assert_int_equal(fake.given_up, 1);
	assert_int_equal(fake.freed, 1);
}

/* Whoever is told something may stop the patrol: of the sweep, of what is skipped. */
static void test_stopped_by_who_is_told(void **state)
{
	struct place *p = *state;
	p->to_stop = patrolling_begin(p, "one", &p->tools);
	struct patrol *a = p->to_stop;
	loop_advance(p->loop, 30 * NS_PER_S);
	assert_int_equal(patrolling_count(p, "one: dead runs had left"), 1);
	assert_true(p->stopped);
	assert_int_equal(fake.runs, 0);
	patrol_free(a);
	fake.build_ns = HOUR_NS;
	p->stopped = false;
	a = patrolling_begin(p, "two", &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S);
	p->to_stop = a;
	loop_advance(p->loop, 30 * MINUTE_NS);
	assert_int_equal(
		patrolling_count(p, "two: skipped a run: the last one is still building"), 1);
	assert_true(p->stopped);
	patrol_free(a);
}

int test_patrol(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, patrolling_up, patrolling_down)
	const struct CMUnitTest tests[] = {
		t(test_again_and_again),
		t(test_teardown_holds_nobody_back),
		t(test_three_worlds_at_most),
		t(test_building_holds_back),
		t(test_one_sweep_first),
		t(test_a_sweep_for_each_cloud),
		t(test_a_failed_sweep_delays_once),
		t(test_stopped_during_the_sweep),
		t(test_stop_tears_down),
		t(test_budget),
		t(test_freed_in_the_middle),
		t(test_stopped_by_who_is_told),
	};
#undef t
	return cmocka_run_group_tests_name("patrol", tests, NULL, NULL);
}

/*
 * test_our_clock.c - dates of answers and jumps, in virtual time.
 */
#include "../check.h"
#include "observe/our_clock.h"

#define S_US 1000000LL

struct world {
	struct clock clock;
	struct loop *loop;
	struct our_clock *ours;
	char why[400];
	unsigned told;
};

static void on_changed(void *arg, const char *why)
{
	struct world *w = arg;
	w->told++;
	snprintf(w->why, sizeof(w->why), "%s", why ? why : "");
}

static int setup(void **state)
{
	struct world *w = mem_new(struct world);
	struct error err = {0};
	clock_init_virtual(&w->clock, 1795000000LL * S_US); /* 2026-11-18T11:06:40Z */
	w->loop = loop_new(&w->clock, &err);
	w->ours = our_clock_new(w->loop, on_changed, w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	our_clock_free(w->ours);
	loop_free(w->loop);
	free(w);
	return 0;
}

/* An answer that took that long, whose date is ours plus `off`. */
static void hear(struct world *w, const char *host, int64_t took_us, int64_t off_us)
{
	const int64_t now = clock_unix_us(&w->clock);
	our_clock_heard(w->ours, host, now - took_us, now, (now + off_us) / S_US * S_US);
}

static void pass(struct world *w, int64_t seconds)
{
	loop_advance(w->loop, seconds * NS_PER_S);
}

static void assert_why(const struct world *w, const char *start)
{
	if (strncmp(w->why, start, strlen(start)) != 0)
		fail_msg("\"%s\" does not begin with \"%s\"", w->why, start);
}

static void small_differences_are_none(void **state)
{
	struct world *w = *state;
	for (int i = -4; i <= 4; i++) {
		hear(w, "a", 1000, i * S_US);
		pass(w, 2);
	}
	hear(w, "a", 30 * S_US, -20 * S_US); /* a slow answer, dated when it began */
	pass(w, 2);
	assert_int_equal(w->told, 0);
}

static void most_must_say_so(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1000, 0);
	hear(w, "b", 1000, -60 * S_US);
	pass(w, 2);
	assert_int_equal(w->told, 0); /* one of two */
	hear(w, "c", 1000, -60 * S_US);
	pass(w, 2);
	assert_int_equal(w->told, 1);
	assert_why(w, "our clock is 59 s ahead of that of c and others");
	hear(w, "b", 1000, 0);
	pass(w, 2);
	assert_int_equal(w->told, 2);
	assert_why(w, "");
}

static void one_alone_may_be_wrong_itself(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1000, 90 * S_US);
	pass(w, 2);
	assert_why(w, "our clock is 90 s behind that of a, which may be the one that is wrong");
	pass(w, 601); /* nothing is heard of it any more */
	assert_int_equal(w->told, 2);
	assert_why(w, "");
}

static void a_jump_is_told_and_forgotten(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1000, 0);
	pass(w, 10);
	w->clock.unix_us += 3600 * S_US;
	pass(w, 2);
	assert_int_equal(w->told, 1);
	assert_why(w, "it jumped ahead by 3600 s, to 2026-11-18T12:06:51Z");
	pass(w, 500);
	assert_int_equal(w->told, 1);
	pass(w, 110);
	assert_int_equal(w->told, 2);
	w->clock.unix_us -= 10 * S_US;
	pass(w, 2);
	assert_why(w, "it jumped back by 10 s");
}

static void sleep_for(struct world *w, int64_t seconds)
{
	w->clock.slept_ns += seconds * NS_PER_S;
	w->clock.unix_us += seconds * S_US;
}

/* Its clock went on meanwhile, and the one that only counts stood. */
static void a_machine_that_slept_did_not_jump(void **state)
{
	struct world *w = *state;
	hear(w, "a", 1000, 0);
	pass(w, 10);
	sleep_for(w, 8 * 3600);
	pass(w, 700);
	assert_int_equal(w->told, 0);
	sleep_for(w, 3600);
	w->clock.unix_us += 60 * S_US; /* and was set when it woke */
	pass(w, 2);
	assert_int_equal(w->told, 1);
	assert_why(w, "it jumped ahead by 60 s, to ");
}

int test_our_clock(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(small_differences_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(most_must_say_so, setup, teardown),
		cmocka_unit_test_setup_teardown(one_alone_may_be_wrong_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(a_jump_is_told_and_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(a_machine_that_slept_did_not_jump, setup, teardown),
	};
	return cmocka_run_group_tests_name("our_clock", tests, NULL, NULL);
}

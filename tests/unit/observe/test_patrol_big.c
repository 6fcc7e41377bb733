/*
 * test_patrol_big.c - a run of many steps is recorded a piece a turn.
 */
#include <unistd.h>

#include "observe/record.h"
#include "patrolling.h"

#define STEPS 1500

struct big {
	char names[STEPS][20];
	struct run_row rows[STEPS];
	struct run_report report;
	struct buf expected;
};

static void big_init(struct big *b)
{
	b->expected = BUF(BUF_PAGE);
	for (int i = 0; i < STEPS; i++) {
		snprintf(b->names[i], sizeof(b->names[i]), "server%d", i);
		b->rows[i] = patrolling_row(b->names[i], ELEMENT_READY, FAULT_NONE);
		buf_printf(&b->expected,
			"prod scene %s prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n",
			b->names[i]);
	}
	b->report = (struct run_report){
		.label = "abc-xyz", .rows = b->rows, .row_count = STEPS, .component = ""};
	fake.report = &b->report;
}

/* All was told, in order, and all is over. */
static void big_is_told(struct place *p, struct big *b)
{
	assert_string_equal(buf_str(&p->seen), buf_str(&b->expected));
	assert_int_equal(p->observations, STEPS);
	assert_int_equal(p->ended, 1);
	assert_int_equal(fake.freed, 1);
	buf_fini(&b->expected);
	free(b);
}

static struct patrol *until_the_middle(struct place *p, struct big *b)
{
	big_init(b);
	p->middle = STEPS / 2;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_run_until(p->loop, &p->in_the_middle);
	assert_in_range(p->observations, STEPS / 2, STEPS - 1); /* others have their turn */
	assert_int_equal(patrol_open(a), 1);
	assert_int_equal(p->ended, 0);
	assert_int_equal(fake.freed, 0);
	return a;
}

static void test_a_big_run(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	struct patrol *a = until_the_middle(p, b);
	loop_advance(p->loop, NS_PER_S);
	assert_int_equal(patrol_open(a), 0);
	patrolling_end(p, a);
	big_is_told(p, b);
}

static void test_freed_while_it_records(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	patrol_free(until_the_middle(p, b));
	assert_int_equal(fake.stops, 0);
	big_is_told(p, b);
}

static void test_stopped_by_who_sees(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	p->middle = STEPS / 2;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 30 * NS_PER_S); /* swept, and builds */
	p->to_stop = a;
	loop_run_until(p->loop, &p->stopped);
	assert_int_equal(patrol_open(a), 0);
	patrol_free(a);
	assert_int_equal(fake.stops, 0);
	big_is_told(p, b);
}

/* All its steps end at once, and the run ends while they are being told. */
static void test_a_big_run_ends_while_it_is_told(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	fake.early = STEPS;
	fake.build_ns = 5 * NS_PER_S;
	fake.teardown_ns = 0;
	p->middle = STEPS / 2;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_run_until(p->loop, &p->in_the_middle);
	assert_in_range(p->observations, STEPS / 2, STEPS - 1); /* others have their turn */
	assert_int_equal(p->ended, 0);
	loop_advance(p->loop, NS_PER_S);
	patrolling_end(p, a);
	big_is_told(p, b);
}

/* Stopped by who sees the middle of it: what had ended is told all the same. */
static void test_a_big_run_is_stopped_while_it_is_told(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	big_init(b);
	fake.early = STEPS;
	fake.build_ns = HOUR_NS;
	fake.teardown_ns = 10 * NS_PER_S;
	p->middle = STEPS / 2;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	p->sees_to_stop = a;
	loop_run_until(p->loop, &p->stopped);
	patrol_free(a);
	assert_int_equal(fake.stops, 1);
	big_is_told(p, b);
}

/* What the series store is given of a run in pieces is what it is given of it at once. */
static void test_series_of_a_big_run(void **state)
{
	struct place *p = *state;
	struct big *b = mem_new(struct big);
	char dir[] = "/tmp/unit-patrol-XXXXXX";
	assert_non_null(mkdtemp(dir));
	patrolling_store(p, dir);
	struct series_store *st = p->series;
	big_init(b);
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 4 * MINUTE_NS);
	const uint64_t in_pieces = series_status(st).appended;
	assert_int_equal(p->ended, 1);
	assert_int_equal(in_pieces, STEPS + 1);
	assert_int_equal(series_status(st).series, STEPS + 1);
	const struct record at_once = {.store = st,
		.place = {.cloud = "prod", .location = "outside", .component_prefix = "prod-"},
		.scenario = "scene",
		.report = &b->report};
	b->report.began_unix_us = START_US;
	record_run(&at_once);
	assert_int_equal(series_status(st).appended, 2 * in_pieces);
	assert_int_equal(series_status(st).series, STEPS + 1); /* the same ones */
	patrolling_end(p, a);
	buf_fini(&b->expected);
	free(b);
}

int test_patrol_big(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, patrolling_up, patrolling_down)
	const struct CMUnitTest tests[] = {
		t(test_a_big_run),
		t(test_freed_while_it_records),
		t(test_stopped_by_who_sees),
		t(test_a_big_run_ends_while_it_is_told),
		t(test_a_big_run_is_stopped_while_it_is_told),
		t(test_series_of_a_big_run),
	};
#undef t
	return cmocka_run_group_tests_name("patrol_big", tests, NULL, NULL);
}

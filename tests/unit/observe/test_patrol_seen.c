/*
 * test_patrol_seen.c - what patrols say of a run, as it goes on and when it is over.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../store/series_house.h"
#include "patrolling.h"

static void see_once(struct place *p, const struct run_report *report)
{
	fake.report = report;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 4 * MINUTE_NS);
	assert_int_equal(p->ended, 1);
	patrolling_end(p, a);
}

static void test_seen(void **state)
{
	struct run_row rows[] = {
		patrolling_row("net", ELEMENT_READY, FAULT_NONE),
		patrolling_row("slow", ELEMENT_READY, FAULT_NONE),
		patrolling_row("server[1]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		patrolling_row("full", ELEMENT_FAILED, FAULT_QUOTA),
		patrolling_row("after", ELEMENT_SKIPPED, FAULT_NONE),
		patrolling_row("never", ELEMENT_ABSENT, FAULT_NONE),
		patrolling_row("ours", ELEMENT_FAILED, FAULT_CANCELLED),
		patrolling_row("ping", ELEMENT_FAILED, FAULT_EVALUATION),
	};
	rows[1].degraded = true;
	rows[1].component = (char *)(uintptr_t) "Network";
	rows[3].grade = GRADE_DEGRADED;
	rows[7].start_ns = -1;
	rows[7].component = (char *)(uintptr_t) "";
	rows[7].grade = GRADE_NOTE;
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.built_ns = 9 * NS_PER_S,
		.component = ""};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n"
		"prod scene slow prod-network none+warned outage at=2000 took=3000000 abc-xyz why req-1\n"
		"prod scene server[1] prod-block-storage no_capacity outage at=2000 took=3000000 abc-xyz "
		"why req-1\n"
		"prod scene full prod-block-storage quota degraded at=2000 took=3000000 abc-xyz why "
		"req-1\n"
		"prod scene ping - evaluation note at=5000 took=0 abc-xyz why req-1\n");
}

static void test_could_not_run(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_CONFIG, "the password was refused");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_HTTP_401,
		.component = "identity"};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene - prod-identity unauthorized outage at=0 took=0 abc-xyz the password was "
		"refused -\n");
}

static void test_nobodys_trouble(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_STORE, "the disk is full");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_LOCAL,
		.component = ""};
	struct place *p = *state;
	see_once(p, &report);
	assert_string_equal(buf_str(&p->seen),
		"prod scene - - local outage at=0 took=0 abc-xyz the disk is full -\n");
	assert_int_equal(patrolling_count(p, "the journal refuses: the disk is full"), 1);
}

/* Of what it stopped; what had ended by itself before that stands. */
static void test_stopped_says_nothing(void **state)
{
	struct run_row rows[] = {patrolling_row("net", ELEMENT_READY, FAULT_NONE),
		patrolling_row("server", ELEMENT_FAILED, FAULT_CANCELLED)};
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = 2,
		.component = ""};
	static const char net[] =
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n";
	struct place *p = *state;
	fake.report = &report;
	fake.early = 1;
	fake.build_ns = HOUR_NS;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	assert_string_equal(buf_str(&p->seen), net);
	patrolling_end(p, a);
	assert_int_equal(p->ended, 1);
	assert_string_equal(buf_str(&p->seen), net);
}

/* What could not even begin because we stopped it is nobody's trouble. */
static void test_stopped_before_it_began(void **state)
{
	struct error err = {0};
	error_set(&err, ERROR_CANCELLED, "stopped before anything was made");
	const struct run_report report = {.verdict = VERDICT_UNKNOWN,
		.label = "abc-xyz",
		.error = &err,
		.fault = FAULT_CANCELLED,
		.component = ""};
	struct place *p = *state;
	fake.report = &report;
	fake.build_ns = HOUR_NS;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	loop_advance(p->loop, 5 * MINUTE_NS);
	patrolling_end(p, a);
	assert_int_equal(p->ended, 1);
	assert_string_equal(buf_str(&p->seen), "");
}

/* --- while the run goes on ---------------------------------------------------------------------
 */

static void test_a_step_is_told_as_it_ends(void **state)
{
	struct run_row rows[] = {patrolling_row("net", ELEMENT_READY, FAULT_NONE),
		patrolling_row("server", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		patrolling_row("after", ELEMENT_SKIPPED, FAULT_NONE),
		patrolling_row("late", ELEMENT_READY, FAULT_NONE)};
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.built_ns = MINUTE_NS,
		.component = ""};
	static const char early[] =
		"prod scene net prod-block-storage none outage at=2000 took=3000000 abc-xyz - req-1\n"
		"prod scene server prod-block-storage no_capacity outage at=2000 took=3000000 "
		"abc-xyz why req-1\n";
	static const char late[] =
		"prod scene late prod-block-storage none outage at=2000 took=43000000 abc-xyz - "
		"req-1\n";
	struct place *p = *state;
	rows[3].ready_ns = 45 * NS_PER_S;
	fake.report = &report;
	fake.early = array_len(rows);
	fake.sweep_ns = 0;
	fake.teardown_ns = 10 * MINUTE_NS; /* or held so long */
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	while (!fake.runs)
		loop_advance(p->loop, NS_PER_S / 4);
	loop_advance(p->loop, 4 * NS_PER_S);
	assert_string_equal(buf_str(&p->seen), "");
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_string_equal(buf_str(&p->seen), early);
	loop_advance(p->loop, 2 * MINUTE_NS);
	char *all = mem_printf("%s%s", early, late);
	assert_string_equal(buf_str(&p->seen), all);
	assert_int_equal(p->ended, 0);
	assert_int_equal(patrol_open(a), 1);
	patrolling_end(p, a); /* no second time */
	assert_string_equal(buf_str(&p->seen), all);
	assert_int_equal(p->ended, 1);
	free(all);
}

/* Servers that fail together are told together; who gets in late is no news for the others. */
static void test_boots_wait_for_each_other(void **state)
{
	struct run_row rows[] = {patrolling_row("server[0]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		patrolling_row("net", ELEMENT_READY, FAULT_NONE),
		patrolling_row("server[1]", ELEMENT_FAILED, FAULT_NO_CAPACITY),
		patrolling_row("server[2]", ELEMENT_FAILED, FAULT_NO_CAPACITY)};
	const struct run_report report = {.verdict = VERDICT_FAILED,
		.label = "abc-xyz",
		.rows = rows,
		.row_count = array_len(rows),
		.component = ""};
	char dir[] = "/tmp/unit-patrol-XXXXXX";
	struct place *p = *state;
	assert_non_null(mkdtemp(dir));
	patrolling_store(p, dir);
	json_t *boot = json_pack("{s:s, s:b}", "server", "id", "good", 0);
	rows[0].blamed = rows[2].blamed = rows[3].blamed = boot;
	rows[1].ready_ns = 6 * NS_PER_S;
	rows[2].ready_ns = 8 * NS_PER_S;
	rows[3].ready_ns = 30 * NS_PER_S;
	fake.report = &report;
	fake.early = array_len(rows);
	fake.sweep_ns = 0;
	fake.build_ns = 32 * NS_PER_S; /* the last one has not waited long enough then */
	fake.teardown_ns = 0;
	struct patrol *a = patrolling_begin(p, NULL, &p->tools);
	while (!fake.runs)
		loop_advance(p->loop, NS_PER_S / 4);
	loop_advance(p->loop, 9 * NS_PER_S);
	assert_int_equal(p->observations, 1);
	assert_int_equal(series_status(p->series).appended, 3); /* which do not wait */
	assert_non_null(strstr(buf_str(&p->seen), "scene net "));
	loop_advance(p->loop, 2 * NS_PER_S);
	assert_int_equal(p->observations, 3);
	assert_non_null(strstr(buf_str(&p->seen), "scene server[0] "));
	assert_non_null(strstr(buf_str(&p->seen), "scene server[1] "));
	loop_advance(p->loop, 20 * NS_PER_S);
	assert_int_equal(p->observations, 3);
	loop_advance(p->loop, 3 * NS_PER_S);
	assert_int_equal(p->ended, 1);
	assert_int_equal(p->observations, 4);
	assert_non_null(strstr(buf_str(&p->seen), "scene server[2] "));
	patrolling_end(p, a);
	assert_int_equal(p->observations, 4);
	assert_int_equal(series_status(p->series).appended, array_len(rows) + 1);
	json_decref(boot);
}

/* --- killed while it waits ---------------------------------------------------------------------
 */

/* A run whose server failed two seconds ago, stored in `dir`. Says so, and waits to be killed. */
static int run_until_killed(const char *dir, int say)
{
	struct run_row rows[] = {patrolling_row("server[0]", ELEMENT_FAILED, FAULT_NO_CAPACITY)};
	const struct run_report report = {
		.label = "abc-xyz", .rows = rows, .row_count = 1, .component = ""};
	void *state;
	alarm(60);
	rows[0].blamed = json_pack("{s:s, s:b}", "server", "id", "good", 0);
	patrolling_up(&state);
	struct place *p = state;
	patrolling_store(p, dir);
	fake.report = &report;
	fake.early = 1;
	fake.sweep_ns = 0;
	patrolling_begin(p, NULL, &p->tools);
	while (!fake.runs)
		loop_advance(p->loop, NS_PER_S / 4);
	loop_advance(p->loop, 7 * NS_PER_S);
	series_settle(p->series);
	if (p->observations || write(say, "", 1) != 1)
		return 1;
	pause();
	return 1;
}

static void test_killed_while_it_waits(void **state)
{
	struct place *p = *state;
	char dir[] = "/tmp/unit-patrol-XXXXXX", byte;
	int say[2];
	assert_non_null(mkdtemp(dir));
	assert_int_equal(pipe(say), 0);
	const pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0)
		_exit(run_until_killed(dir, say[1]));
	close(say[1]);
	assert_int_equal(read(say[0], &byte, 1), 1);
	close(say[0]);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	struct answer a = {0};
	patrolling_store(p, dir);
	struct series *s = series_nth(p->series, 0);
	assert_non_null(s);
	assert_null(series_nth(p->series, 1));
	assert_non_null(strstr(series_text(s), "server[0]"));
	assert_true(ask_runs(s, p->loop, START_US / 1000, START_US / 1000 + 60000, &a));
	assert_int_equal(a.runs.n, 1);
	assert_int_equal(a.runs.p[0].fault, FAULT_NO_CAPACITY);
	answer_fini(&a);
}

int test_patrol_seen(void)
{
#define t(f) cmocka_unit_test_setup_teardown(f, patrolling_up, patrolling_down)
	const struct CMUnitTest tests[] = {
		t(test_seen),
		t(test_could_not_run),
		t(test_nobodys_trouble),
		t(test_stopped_says_nothing),
		t(test_stopped_before_it_began),
		t(test_a_step_is_told_as_it_ends),
		t(test_boots_wait_for_each_other),
		t(test_killed_while_it_waits),
	};
#undef t
	return cmocka_run_group_tests_name("patrol_seen", tests, NULL, NULL);
}

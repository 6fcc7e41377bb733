/* Runs in the journal: lists and reports, what is forgotten, the dead, and files of old programs.
 */
#include "../check.h"

#include <unistd.h>

#include "base/clock.h"
#include "observe/scenario/journal.h"
#include "store/facts.h"

struct place {
	char dir[64];
	struct loop *loop;
	struct facts *facts;
	struct journal *journal;
	bool done;
	struct error err;
	struct buf rows;
	size_t n;
};

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	snprintf(p->dir, sizeof(p->dir), "/tmp/test-journal-XXXXXX");
	if (!mkdtemp(p->dir))
		return 1;
	p->loop = loop_new(NULL, &p->err);
	p->facts = p->loop ? facts_open(p->dir, p->loop, &p->err) : NULL;
	p->rows = BUF(BUF_PAGE);
	*state = p;
	return !p->facts;
}

static int teardown(void **state)
{
	static const char *const names[] = {"facts.db", "facts.db-wal", "facts.db-shm"};
	struct place *p = *state;
	journal_free(p->journal);
	facts_close(p->facts);
	loop_free(p->loop);
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s/%s", p->dir, names[i]);
		unlink(path);
		free(path);
	}
	char *runs = mem_printf("%s/runs", p->dir);
	const int left = rmdir(runs); /* no lock file is left */
	rmdir(p->dir);
	free(runs);
	buf_fini(&p->rows);
	free(p);
	return left;
}

static void open_journal(struct place *p)
{
	p->journal = journal_new(p->facts, p->dir, &p->err);
	assert_non_null(p->journal);
	assert_ptr_equal(journal_facts(p->journal), p->facts);
}

static void on_done(void *arg, const struct error *err)
{
	struct place *p = arg;
	assert_false(p->done);
	p->done = true;
	if (err)
		p->err = *err;
}

static void wait_done(struct place *p)
{
	loop_run_until(p->loop, &p->done);
	p->done = false;
	assert_string_equal(p->err.msg, "");
}

static void flush(struct place *p)
{
	journal_flush(p->journal, on_done, p);
	wait_done(p);
}

static struct journal_run *begin(
	struct place *p, const char *run, const char *scenario, const char *cloud)
{
	struct journal_run *r =
		journal_run_begin(p->journal, run, scenario, cloud, "project", "here", on_done, p);
	wait_done(p);
	return r;
}

static void end(struct place *p, struct journal_run *r, const char *verdict, int number)
{
	json_t *summary = json_pack("{s:i}", "created", number);
	char *report = mem_printf("{\"steps\":[%d]}", number);
	const struct journal_result result = {
		.verdict = verdict, .summary = summary, .report = report};
	journal_run_end(r, &result, on_done, p);
	json_decref(summary);
	free(report);
	wait_done(p);
}

static bool on_row(void *arg, const struct journal_run_row *row)
{
	struct place *p = arg;
	assert_null(row->report); /* lists read no long texts */
	assert_true(row->began_unix_us > 0);
	assert_true(!row->ended_unix_us || row->ended_unix_us >= row->began_unix_us);
	buf_printf(&p->rows, "%s %s %s %s %s\n", row->run, row->scenario, row->cloud,
		row->verdict ? row->verdict : "-", row->summary ? row->summary : "-");
	return true;
}

static void runs_are(struct place *p, const char *scenario, const char *cloud, size_t limit,
	const char *expected)
{
	struct error err = {0};
	buf_clear(&p->rows);
	assert_true(journal_runs(p->facts, scenario, cloud, limit, on_row, p, &err));
	assert_string_equal(buf_str(&p->rows), expected);
}

static void on_one(void *arg, const struct journal_run_row *row)
{
	struct place *p = arg;
	p->n++;
	buf_printf(&p->rows, "%s %s %s %s %s", row->run, row->scenario, row->instance,
		row->verdict ? row->verdict : "-", row->report ? row->report : "-");
}

static void run_is(struct place *p, const char *run, const char *expected)
{
	struct error err = {0};
	p->n = 0;
	buf_clear(&p->rows);
	assert_true(journal_run(p->facts, run, on_one, p, &err));
	assert_int_equal(p->n, *expected ? 1 : 0);
	assert_string_equal(buf_str(&p->rows), expected);
}

static void test_lists(void **state)
{
	struct place *p = *state;
	open_journal(p);
	end(p, begin(p, "run-1", "login", "prod"), "passed", 1);
	end(p, begin(p, "run-2", "life", "prod"), "failed", 2);
	end(p, begin(p, "run-3", "login", "lab"), "degraded", 3);
	struct journal_run *r = begin(p, "run-4", "login", "prod");
	runs_are(p, NULL, NULL, 10,
		"run-4 login prod - -\n"
		"run-3 login lab degraded {\"created\":3}\n"
		"run-2 life prod failed {\"created\":2}\n"
		"run-1 login prod passed {\"created\":1}\n");
	runs_are(p, "login", "prod", 10,
		"run-4 login prod - -\n"
		"run-1 login prod passed {\"created\":1}\n");
	runs_are(p, "login", NULL, 2,
		"run-4 login prod - -\n"
		"run-3 login lab degraded {\"created\":3}\n");
	runs_are(p, NULL, "lab", 10, "run-3 login lab degraded {\"created\":3}\n");
	runs_are(p, NULL, NULL, 1, "run-4 login prod - -\n");
	runs_are(p, "nothing", NULL, 10, "");
	run_is(p, "run-2", "run-2 life here failed {\"steps\":[2]}");
	run_is(p, "run-4", "run-4 login here - -");
	run_is(p, "run-9", "");
	end(p, r, "passed", 4);
	run_is(p, "run-4", "run-4 login here passed {\"steps\":[4]}");
}

static void test_reports_are_forgotten(void **state)
{
	struct place *p = *state;
	open_journal(p);
	end(p, begin(p, "run-1", "login", "prod"), "passed", 1);
	const int64_t between = clock_unix_us(&clock_system) + 1;
	while (clock_unix_us(&clock_system) <= between)
		;
	end(p, begin(p, "run-2", "login", "prod"), "passed", 2);
	journal_forget_reports(p->journal, between);
	flush(p);
	run_is(p, "run-1", "run-1 login here passed -");
	run_is(p, "run-2", "run-2 login here passed {\"steps\":[2]}");
	runs_are(p, NULL, NULL, 10, /* the runs stay */
		"run-2 login prod passed {\"created\":2}\n"
		"run-1 login prod passed {\"created\":1}\n");
}

static bool insert(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx, arg, NULL, 0, err);
}

static void test_the_dead_are_buried(void **state)
{
	struct place *p = *state;
	open_journal(p);
	/* As a killed process leaves it: a row without an end, a lock file that nobody holds. */
	static char row[] =
		"INSERT INTO scenario_run(run, scenario, cloud, project, instance, began)"
		" VALUES('dead', 'login', 'prod', 'p', 'here', 1),"
		" ('other', 'login', 'prod', 'p', 'there', 1)";
	assert_true(facts_call(p->facts, insert, row, &p->err));
	char *lock = mem_printf("%s/runs/dead", p->dir);
	FILE *f = fopen(lock, "w");
	assert_non_null(f);
	fclose(f);
	struct journal_run *alive = begin(p, "alive", "login", "prod");
	journal_bury(p->journal, "prod", "here");
	flush(p);
	runs_are(p, NULL, NULL, 10,
		"alive login prod - -\n"
		"dead login prod unknown {\"error\":\"interrupted: the program ended before it\"}\n"
		"other login prod - -\n");
	assert_int_not_equal(access(lock, F_OK), 0);
	assert_true(journal_run_alive(p->journal, "alive"));
	free(lock);
	end(p, alive, "passed", 1);
	runs_are(p, NULL, NULL, 1, "alive login prod passed {\"created\":1}\n");
}

/* The tables as version 0.1 made them, with a run that it wrote. */
static void test_from_the_released_schema(void **state)
{
	static const struct facts_migration released[] = {
		{1, "CREATE TABLE scenario_run(run TEXT PRIMARY KEY, scenario TEXT NOT NULL,"
		    " cloud TEXT NOT NULL, project TEXT NOT NULL, instance TEXT NOT NULL,"
		    " began INTEGER NOT NULL, ended INTEGER, verdict TEXT, report TEXT);"
		    "CREATE TABLE object(id INTEGER PRIMARY KEY, run TEXT NOT NULL, step TEXT NOT NULL,"
		    " kind TEXT NOT NULL, idx INTEGER NOT NULL, attempt INTEGER NOT NULL, name TEXT,"
		    " mark TEXT, cloud_id TEXT, request_id TEXT, path TEXT, fate INTEGER NOT NULL,"
		    " note TEXT, created INTEGER NOT NULL, changed INTEGER NOT NULL);"
		    "CREATE INDEX object_run ON object(run);"
		    "CREATE INDEX object_fate ON object(fate);"},
	};
	static char row[] =
		"INSERT INTO scenario_run(run, scenario, cloud, project, instance, began, ended,"
		" verdict, report) VALUES('old', 'login', 'prod', 'p', 'here', 1000, 2000, 'passed',"
		" '{\"inflight\":8,\"compute\":4,\"requests\":17}')";
	struct place *p = *state;
	assert_true(facts_migrate(p->facts, "observe", released, 1, &p->err));
	assert_true(facts_call(p->facts, insert, row, &p->err));
	open_journal(p);
	end(p, begin(p, "new", "login", "prod"), "failed", 1);
	runs_are(p, "login", "prod", 10,
		"new login prod failed {\"created\":1}\n"
		"old login prod passed {\"inflight\":8,\"compute\":4,\"requests\":17}\n");
	run_is(p, "old", "old login here passed -");
	journal_free(p->journal);
	open_journal(p); /* a second time changes nothing */
	run_is(p, "new", "new login here failed {\"steps\":[1]}");
}

int test_journal_runs(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reports_are_forgotten, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_dead_are_buried, setup, teardown),
		cmocka_unit_test_setup_teardown(test_from_the_released_schema, setup, teardown),
	};
	return cmocka_run_group_tests_name("journal_runs", tests, NULL, NULL);
}

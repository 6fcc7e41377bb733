/* The journal: what stands on disk when it says so, and whose runs are alive. */
#include "../check.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
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
};

static void open_place(struct place *p)
{
	p->loop = loop_new(NULL, &p->err);
	assert_non_null(p->loop);
	p->facts = facts_open(p->dir, p->loop, &p->err);
	assert_non_null(p->facts);
	p->journal = journal_new(p->facts, p->dir, &p->err);
	assert_non_null(p->journal);
}

static void close_place(struct place *p)
{
	journal_free(p->journal);
	facts_close(p->facts);
	loop_free(p->loop);
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	snprintf(p->dir, sizeof(p->dir), "/tmp/test-journal-XXXXXX");
	if (!mkdtemp(p->dir))
		return 1;
	open_place(p);
	*state = p;
	return 0;
}

static void remove_files(const char *dir)
{
	static const char *const names[] = {"facts.db", "facts.db-wal", "facts.db-shm"};
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s/%s", dir, names[i]);
		unlink(path);
		free(path);
	}
}

static int teardown(void **state)
{
	struct place *p = *state;
	char *runs = mem_printf("%s/runs", p->dir);
	close_place(p);
	remove_files(p->dir);
	const int left = rmdir(runs); /* lock files of ended runs are gone */
	rmdir(p->dir);
	free(runs);
	free(p);
	return left;
}

static void on_done(void *arg, const struct error *err)
{
	struct place *p = arg;
	assert_false(p->done); /* once */
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

static struct journal_run *begin(struct place *p, const char *run, const char *instance)
{
	struct journal_run *r = journal_run_begin(
		p->journal, run, "scene", "cloud", "project", instance, on_done, p);
	assert_non_null(r);
	wait_done(p);
	return r;
}

static void end(struct place *p, struct journal_run *r)
{
	const struct journal_result result = {.verdict = "passed"};
	journal_run_end(r, &result, on_done, p);
	wait_done(p);
}

static int64_t intend(struct place *p, struct journal_run *r, const char *run, unsigned index)
{
	int64_t id = 0;
	json_t *path = json_pack("{s:s}", "router", "r1");
	const struct journal_object o = {.run = run,
		.step = "link",
		.kind = "router_interface",
		.index = index,
		.attempt = 1,
		.name = "gh-name",
		.mark = "glasshouse site-a run link 0",
		.request_id = "req-1",
		.path = path,
		.fate = OBJECT_INTENT};
	journal_intend(r, &o, &id, on_done, p);
	json_decref(path);
	assert_true(id > 0); /* at once */
	assert_false(p->done);
	return id;
}

struct rows {
	struct buf text;
	size_t n, stop_at;
};

static bool on_row(void *arg, const struct journal_object *o)
{
	struct rows *r = arg;
	r->n++;
	buf_printf(&r->text, "%s %s %s %u a%u %s id=%s req=%s router=%s note=%s %s\n", o->run,
		o->step, o->kind, o->index, o->attempt, object_fate_name(o->fate),
		o->cloud_id ? o->cloud_id : "-", o->request_id ? o->request_id : "-",
		o->path ? json_str(o->path, "router") : "-", o->note ? o->note : "-", o->instance);
	return r->n != r->stop_at;
}

/* What another connection sees, which is what is committed. */
static void rows_are(struct place *p, const char *instance, const char *run, bool open_only,
	const char *expected)
{
	struct rows r = {.text = BUF(BUF_PAGE)};
	struct error err = {0};
	assert_true(journal_objects(p->journal, NULL, instance, run, open_only, on_row, &r, &err));
	assert_string_equal(buf_str(&r.text), expected);
	buf_fini(&r.text);
}

static void test_intent_is_durable(void **state)
{
	struct place *p = *state;
	struct journal_run *r = begin(p, "run-a", "site-a");
	const int64_t id = intend(p, r, "run-a", 2);
	wait_done(p);
	/* Seen by a process that knows nothing of this one, before anything else is done. */
	rows_are(p, NULL, NULL, true,
		"run-a link router_interface 2 a1 intent id=- req=req-1 router=r1 note=- site-a\n");
	journal_update(p->journal, id, OBJECT_CREATED, "id-1", NULL, NULL);
	journal_flush(p->journal, on_done, p);
	wait_done(p);
	rows_are(p, NULL, NULL, true,
		"run-a link router_interface 2 a1 created id=id-1 req=req-1 router=r1 note=- site-a\n");
	journal_update(p->journal, id, OBJECT_LEAKED, NULL, NULL, "say who removes it");
	journal_flush(p->journal, on_done, p);
	wait_done(p);
	rows_are(p, NULL, NULL, true,
		"run-a link router_interface 2 a1 leaked id=id-1 req=req-1 router=r1 note=say who "
		"removes it site-a\n");
	end(p, r);
}

static void test_updates_keep_their_order(void **state)
{
	struct place *p = *state;
	struct journal_run *r = begin(p, "run-a", "site-a");
	const int64_t id = intend(p, r, "run-a", 0);
	/* Not waited for: they come behind the intent all the same. */
	journal_update(p->journal, id, OBJECT_CREATED, "id-1", NULL, NULL);
	journal_update(p->journal, id, OBJECT_DELETED, NULL, NULL, NULL);
	wait_done(p);
	journal_flush(p->journal, on_done, p);
	wait_done(p);
	rows_are(p, NULL, "run-a", false,
		"run-a link router_interface 0 a1 deleted id=id-1 req=req-1 router=r1 note=- site-a\n");
	rows_are(p, NULL, "run-a", true, "");
	end(p, r);
}

static void test_reopened(void **state)
{
	struct place *p = *state;
	struct journal_run *r = begin(p, "run-a", "site-a");
	const int64_t id = intend(p, r, "run-a", 0);
	wait_done(p);
	end(p, r);
	close_place(p);
	open_place(p);
	rows_are(p, NULL, NULL, true,
		"run-a link router_interface 0 a1 intent id=- req=req-1 router=r1 note=- site-a\n");
	/* A row of another time is finished by its number. */
	journal_update(p->journal, id, OBJECT_REFUSED, NULL, NULL, NULL);
	journal_flush(p->journal, on_done, p);
	wait_done(p);
	rows_are(p, NULL, NULL, true, "");
}

static void test_instances_and_limits(void **state)
{
	struct place *p = *state;
	struct journal_run *a = begin(p, "run-a", "site-a"), *b = begin(p, "run-b", "site-b");
	intend(p, a, "run-a", 0);
	wait_done(p);
	intend(p, b, "run-b", 1);
	wait_done(p);
	rows_are(p, "site-b", NULL, true,
		"run-b link router_interface 1 a1 intent id=- req=req-1 router=r1 note=- site-b\n");
	rows_are(p, "site-a", "run-b", true, "");
	rows_are(p, "nobody", NULL, false, "");
	struct rows first = {.text = BUF(BUF_PAGE), .stop_at = 1};
	assert_true(
		journal_objects(p->journal, "cloud", NULL, NULL, false, on_row, &first, &p->err));
	assert_int_equal(first.n, 1);
	buf_fini(&first.text);
	end(p, a);
	end(p, b);
}

static void test_alive(void **state)
{
	struct place *p = *state;
	assert_false(journal_run_alive(p->journal, "run-a"));
	struct journal_run *r = begin(p, "run-a", "site-a");
	assert_true(journal_run_alive(p->journal, "run-a"));
	assert_true(journal_run_alive(p->journal, "run-a")); /* asking takes nothing */
	end(p, r);
	assert_false(journal_run_alive(p->journal, "run-a"));
}

/* A process that holds a run and is killed: the kernel drops its lock, nobody else has to. */
static void test_a_killed_run_is_dead(void **state)
{
	struct place *p = *state;
	int told[2];
	assert_int_equal(pipe(told), 0);
	const pid_t child = fork();
	if (child == 0) {
		/* Threads do not survive fork: the child has a journal of its own. */
		struct place own = {0};
		memcpy(own.dir, p->dir, sizeof(own.dir));
		close(told[0]);
		own.loop = loop_new(NULL, &own.err);
		own.facts = own.loop ? facts_open(own.dir, own.loop, &own.err) : NULL;
		own.journal = own.facts ? journal_new(own.facts, own.dir, &own.err) : NULL;
		if (!own.journal)
			_exit(1);
		journal_run_begin(own.journal, "run-c", "s", "c", "p", "i", on_done, &own);
		loop_run_until(own.loop, &own.done);
		(void)!write(told[1], "x", 1);
		for (;;)
			pause();
	}
	close(told[1]);
	char x = 0;
	assert_int_equal(read(told[0], &x, 1), 1);
	close(told[0]);
	assert_true(journal_run_alive(p->journal, "run-c"));
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_false(journal_run_alive(p->journal, "run-c"));
	char *lock = mem_printf("%s/runs/run-c", p->dir);
	unlink(lock); /* nobody was left to do it */
	free(lock);
}

static void test_unusable_directory(void **state)
{
	struct place *p = *state;
	struct error err = {0};
	char *file = mem_printf("%s/file", p->dir);
	FILE *f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	assert_null(journal_new(p->facts, file, &err));
	assert_non_null(strstr(err.msg, "cannot make"));
	unlink(file);
	free(file);
}

int test_journal(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_intent_is_durable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_updates_keep_their_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reopened, setup, teardown),
		cmocka_unit_test_setup_teardown(test_instances_and_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alive, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_killed_run_is_dead, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unusable_directory, setup, teardown),
	};
	return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}

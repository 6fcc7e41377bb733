/* test_facts.c - jobs, group commits, migrations and the change feed, on real files. */
#include "store/facts.h"

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../check.h"
#include "base/vec.h"
#include "store/sqlite.h"
#include "store_house.h"

/* SQLite's, through here. */
static atomic_uint syncs;

int fdatasync(int fd)
{
	atomic_fetch_add(&syncs, 1);
	return (int)syscall(SYS_fdatasync, fd);
}

/* --- group commit ------------------------------------------------------------------------------
 */

struct told {
	struct house *house;
	int *order; /* counts up with each callback */
	int nth, times;
	bool failed, on_loop;
	int64_t seen; /* rows that another connection saw during the callback */
	char message[ERROR_TEXT];
};

static int64_t count_from_outside(const struct house *h, const char *table)
{
	char *path = mem_printf("%s/facts.db", h->dir);
	char *sql = mem_printf("SELECT count(*) FROM %s", table);
	sqlite3 *db = NULL;
	sqlite3_stmt *stmt = NULL;
	int64_t n = -1;

	assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK &&
		sqlite3_step(stmt) == SQLITE_ROW)
		n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	free(sql);
	free(path);
	return n;
}

static void on_done(void *arg, const struct error *err)
{
	struct told *t = arg;

	t->times++;
	t->nth = (*t->order)++;
	t->failed = err != NULL;
	snprintf(t->message, sizeof(t->message), "%s", err ? err->msg : "");
	t->on_loop = pthread_equal(pthread_self(), t->house->thread);
	t->seen = count_from_outside(t->house, "note");
}

struct gate {
	sem_t inside, open;
};

static bool wait_at_gate(struct facts_tx *tx, void *arg, struct error *err)
{
	struct gate *g = arg;

	sem_post(&g->inside);
	while (sem_wait(&g->open) != 0)
		;
	return true;
}

static void on_gate(void *arg, const struct error *err)
{
}

/* Keeps the facts thread inside a group of its own until gate_open(). */
static void gate_shut(struct house *h, struct gate *g)
{
	sem_init(&g->inside, 0, 0);
	sem_init(&g->open, 0, 0);
	facts_submit(h->facts, wait_at_gate, g, on_gate);
	while (sem_wait(&g->inside) != 0)
		;
}

static void gate_open(struct gate *g)
{
	sem_post(&g->open);
}

static int commits; /* the facts thread's, read when it is idle */

static int count_commit(void *arg)
{
	commits++;
	return 0;
}

static bool watch_commits(struct facts_tx *tx, void *arg, struct error *err)
{
	sqlite3_commit_hook(tx->db, arg ? count_commit : NULL, NULL);
	commits = 0;
	return true;
}

static bool read_commits(struct facts_tx *tx, void *arg, struct error *err)
{
	*(int *)arg = commits;
	return true;
}

static void jobs_that_wait_share_a_commit(void **state)
{
	struct house *h = *state;
	static struct told told[FACTS_GROUP + 20];
	struct gate gate;
	int order = 0, before, after;

	memset(told, 0, sizeof(told));
	must(facts_call(h->facts, watch_commits, h, &h->err), h);
	must(facts_call(h->facts, read_commits, &before, &h->err), h);
	gate_shut(h, &gate);
	for (size_t i = 0; i < array_len(told); i++) {
		told[i] = (struct told){.house = h, .order = &order};
		facts_submit(h->facts, add_note, &told[i], on_done);
	}
	gate_open(&gate);
	loop_run(h->loop);
	must(facts_call(h->facts, read_commits, &after, &h->err), h);
	/* that of the reading call before, the gate's, a full group, the rest */
	assert_int_equal(after - before, 4);
	for (size_t i = 0; i < array_len(told); i++) {
		assert_int_equal(told[i].times, 1);
		assert_int_equal(told[i].nth, i); /* in the order of their submission */
		assert_false(told[i].failed);
		assert_true(told[i].on_loop);
		/* whoever is called back finds the whole group durable */
		assert_true(told[i].seen >= (i < FACTS_GROUP ? FACTS_GROUP : FACTS_GROUP + 20));
	}
	must(facts_call(h->facts, watch_commits, NULL, &h->err), h);
}

static bool add_two_and_fail(struct facts_tx *tx, void *arg, struct error *err)
{
	if (!add_note(tx, arg, err) || !add_note(tx, arg, err))
		return false;
	error_set(err, ERROR_INPUT, "changed my mind");
	return false;
}

static bool break_the_sql(struct facts_tx *tx, void *arg, struct error *err)
{
	return add_note(tx, arg, err) &&
	       facts_run(tx, "INSERT INTO no_such_table VALUES(1)", NULL, 0, err);
}

static void a_failing_job_rolls_back_alone(void **state)
{
	struct house *h = *state;
	facts_job *jobs[] = {add_note, add_two_and_fail, add_note, break_the_sql, add_note};
	struct told told[array_len(jobs)];
	struct gate gate;
	int order = 0;

	gate_shut(h, &gate);
	for (size_t i = 0; i < array_len(jobs); i++) {
		told[i] = (struct told){.house = h, .order = &order};
		facts_submit(h->facts, jobs[i], &told[i], on_done);
	}
	gate_open(&gate);
	loop_run(h->loop);
	for (size_t i = 0; i < array_len(jobs); i++) {
		assert_int_equal(told[i].times, 1);
		assert_int_equal(told[i].nth, i);
		assert_int_equal(told[i].failed, i == 1 || i == 3);
		assert_int_equal(told[i].seen, 3);
	}
	assert_string_equal(told[1].message, "changed my mind");
	assert_non_null(strstr(told[3].message, "no_such_table"));
	assert_non_null(strstr(told[3].message, "facts.db"));
}

/* What SQLite does by itself when the disk is full or fails in the middle of a transaction. */
static bool lose_the_transaction(struct facts_tx *tx, void *arg, struct error *err)
{
	sqlite3_exec(tx->db, "ROLLBACK", NULL, NULL, NULL);
	error_set(err, ERROR_STORE, "the disk is gone");
	return false;
}

static void a_lost_transaction_fails_its_whole_group(void **state)
{
	struct house *h = *state;
	facts_job *jobs[] = {add_note, lose_the_transaction, add_note};
	struct told told[array_len(jobs)], next = {.house = h};
	struct gate gate;
	int order = 0;

	gate_shut(h, &gate);
	for (size_t i = 0; i < array_len(jobs); i++) {
		told[i] = (struct told){.house = h, .order = &order};
		facts_submit(h->facts, jobs[i], &told[i], on_done);
	}
	gate_open(&gate);
	loop_run(h->loop);
	for (size_t i = 0; i < array_len(jobs); i++) {
		assert_int_equal(told[i].times, 1);
		assert_true(told[i].failed);
		assert_string_equal(told[i].message, "the disk is gone");
		assert_int_equal(told[i].seen, 0); /* what is told as failed is not there */
	}
	next.order = &order;
	facts_submit(h->facts, add_note, &next, on_done);
	loop_run(h->loop);
	assert_false(next.failed);
	assert_int_equal(next.seen, 1);
}

static bool remember_id(struct facts_tx *tx, void *arg, struct error *err)
{
	if (!add_note(tx, arg, err))
		return false;
	*(int64_t *)arg = facts_last_id(tx);
	return true;
}

static void a_call_waits_for_its_commit(void **state)
{
	struct house *h = *state;
	int64_t id = 0;

	must(facts_call(h->facts, remember_id, &id, &h->err), h);
	assert_int_equal(id, 1);
	assert_int_equal(count_from_outside(h, "note"), 1);
	assert_false(facts_call(h->facts, add_two_and_fail, &id, &h->err));
	assert_string_equal(h->err.msg, "changed my mind");
	assert_int_equal(count_from_outside(h, "note"), 1);
}

static bool free_own_argument(struct facts_tx *tx, void *arg, struct error *err)
{
	bool good = add_note(tx, NULL, err);

	free(arg);
	return good;
}

static void a_job_nobody_waits_for_is_done_before_closing(void **state)
{
	struct house *h = *state;

	for (int i = 0; i < 300; i++)
		facts_submit(h->facts, free_own_argument, mem_strdup("mine"), NULL);
	facts_close(h->facts);
	h->facts = NULL;
	assert_int_equal(count_from_outside(h, "note"), 300);
}

/* Nobody is told when a light job is done. */
static void until_written(const struct house *h, int64_t n)
{
	for (int waited = 0; waited < 10000 && count_from_outside(h, "note") < n; waited++)
		usleep(1000);
	assert_int_equal(count_from_outside(h, "note"), n);
}

static void a_light_job_costs_no_sync_and_a_group_is_as_heavy_as_its_heaviest(void **state)
{
	struct house *h = *state;
	struct gate gate;

	facts_submit_light(h->facts, free_own_argument, mem_strdup("warms up"));
	must(facts_call(h->facts, add_note, NULL, &h->err), h);
	atomic_store(&syncs, 0);
	must(facts_call(h->facts, add_note, NULL, &h->err), h);
	assert_true(atomic_load(&syncs) > 0);

	atomic_store(&syncs, 0);
	gate_shut(h, &gate);
	facts_submit_light(h->facts, free_own_argument, mem_strdup("light"));
	facts_submit_light(h->facts, free_own_argument, mem_strdup("light"));
	gate_open(&gate);
	until_written(h, 5);
	assert_int_equal(atomic_load(&syncs), 0);

	gate_shut(h, &gate);
	facts_submit_light(h->facts, free_own_argument, mem_strdup("light"));
	facts_submit(h->facts, free_own_argument, mem_strdup("heavy"), NULL);
	facts_submit_light(h->facts, free_own_argument, mem_strdup("light"));
	gate_open(&gate);
	until_written(h, 8);
	assert_true(atomic_load(&syncs) > 0);
}

/* --- closing -----------------------------------------------------------------------------------
 */

struct chain {
	struct house *house;
	int left, ran;
};

static void submit_another(void *arg, const struct error *err)
{
	struct chain *c = arg;

	assert_null(err);
	c->ran++;
	if (c->left-- > 0)
		facts_submit(c->house->facts, add_note, c, submit_another);
}

static void closing_runs_what_callbacks_still_submit(void **state)
{
	struct house *h = *state;
	struct chain chain = {.house = h, .left = 3};

	facts_submit(h->facts, add_note, &chain, submit_another);
	facts_close(h->facts);
	h->facts = NULL;
	assert_int_equal(chain.ran, 4);
	assert_int_equal(count_from_outside(h, "note"), 4);
}

static void closing_survives_a_stopped_loop(void **state)
{
	struct house *h = *state;
	struct chain chain = {.house = h};

	facts_submit(h->facts, add_note, &chain, submit_another);
	loop_stop(h->loop); /* as a signal handler does */
	facts_close(h->facts);
	h->facts = NULL;
	assert_int_equal(chain.ran, 1);
}

/* --- reading -----------------------------------------------------------------------------------
 */

struct rows {
	int n, stop_after;
	char first[64], last[64];
	bool null_seen;
};

static bool take_row(void *arg, const struct facts_row *row)
{
	struct rows *r = arg;
	const char *text = facts_text(row, 1);

	r->n++;
	r->null_seen = r->null_seen || !text;
	if (r->n == 1)
		snprintf(r->first, sizeof(r->first), "%s", text ? text : "");
	snprintf(r->last, sizeof(r->last), "%s", text ? text : "");
	return r->n != r->stop_after;
}

static bool add_kinds_of_values(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct facts_value v[] = {FACTS_T("it's; DROP TABLE note"), FACTS_T(NULL),
		{.type = FACTS_NULL}, {.type = FACTS_REAL, .x = 2.5}, FACTS_I(INT64_MIN)};

	for (size_t i = 0; i < array_len(v); i++)
		if (!facts_run(tx, "INSERT INTO note(text) VALUES(?)", &v[i], 1, err))
			return false;
	return true;
}

static void values_come_back_as_they_were(void **state)
{
	struct house *h = *state;
	const char *sql = "SELECT id, text FROM note WHERE id > ? ORDER BY id";
	struct facts_value zero = FACTS_I(0);
	struct rows all = {0}, two = {.stop_after = 2};

	must(facts_call(h->facts, add_kinds_of_values, NULL, &h->err), h);
	must(facts_query(h->facts, sql, &zero, 1, take_row, &all, &h->err), h);
	assert_int_equal(all.n, 5);
	assert_string_equal(all.first, "it's; DROP TABLE note");
	assert_string_equal(all.last, "-9223372036854775808");
	assert_true(all.null_seen);
	must(facts_query(h->facts, sql, &zero, 1, take_row, &two, &h->err), h);
	assert_int_equal(two.n, 2);
	assert_string_equal(two.last, "");
}

static void a_query_cannot_write(void **state)
{
	struct house *h = *state;

	assert_false(facts_query(
		h->facts, "INSERT INTO note(text) VALUES('x')", NULL, 0, NULL, NULL, &h->err));
	assert_int_equal(h->err.kind, ERROR_STORE);
	assert_int_equal(count_from_outside(h, "note"), 0);
	assert_false(
		facts_query(h->facts, "SELECT 1 FROM nowhere", NULL, 0, take_row, NULL, &h->err));
	assert_non_null(strstr(h->err.msg, "nowhere"));
}

/* --- the change feed ---------------------------------------------------------------------------
 */

static bool record_changes(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_change(tx, "run", "r1", 1, AUDIENCE_OPERATORS, err) &&
	       facts_change(tx, "run", "r1", 2, AUDIENCE_CUSTOMERS, err) &&
	       facts_change(tx, "incident", "i1", 1, AUDIENCE_PUBLIC, err) &&
	       facts_change(tx, "run", "r2", 1, AUDIENCE_OPERATORS, err);
}

struct feed {
	int n;
	int64_t seq[8];
	char ids[64];
	int64_t at;
};

static void take_change(void *arg, const struct facts_change_row *row)
{
	struct feed *f = arg;

	assert_true(f->n < 8);
	f->seq[f->n++] = row->seq;
	f->at = row->at_unix_us;
	snprintf(f->ids + strlen(f->ids), sizeof(f->ids) - strlen(f->ids), "%s:%s/%lld ", row->kind,
		row->id, (long long)row->revision);
}

static void the_feed_shows_each_audience_its_own(void **state)
{
	struct house *h = *state;
	struct feed all = {0}, customers = {0}, public = {0}, rest = {0}, one = {0};
	int64_t before = clock_unix_us(&clock_system);

	must(facts_call(h->facts, record_changes, NULL, &h->err), h);
	must(facts_feed(h->facts, 0, AUDIENCE_OPERATORS, 100, take_change, &all, &h->err), h);
	assert_string_equal(all.ids, "run:r1/1 run:r1/2 incident:i1/1 run:r2/1 ");
	assert_true(all.at >= before && all.at <= clock_unix_us(&clock_system));
	for (int i = 1; i < all.n; i++)
		assert_true(all.seq[i] > all.seq[i - 1]);
	must(facts_feed(h->facts, 0, AUDIENCE_CUSTOMERS, 100, take_change, &customers, &h->err), h);
	assert_string_equal(customers.ids, "run:r1/2 incident:i1/1 ");
	must(facts_feed(h->facts, 0, AUDIENCE_PUBLIC, 100, take_change, &public, &h->err), h);
	assert_string_equal(public.ids, "incident:i1/1 ");
	must(facts_feed(h->facts, 0, AUDIENCE_OPERATORS, 1, take_change, &one, &h->err), h);
	assert_string_equal(one.ids, "run:r1/1 ");
	must(facts_feed(h->facts, all.seq[2], AUDIENCE_OPERATORS, 100, take_change, &rest, &h->err),
		h);
	assert_string_equal(rest.ids, "run:r2/1 ");
}

struct advance {
	int64_t to;
	bool fail;
};

static bool act_and_advance(struct facts_tx *tx, void *arg, struct error *err)
{
	const struct advance *a = arg;

	if (!add_note(tx, NULL, err) || !facts_cursor_set(tx, "mailer", a->to, err))
		return false;
	if (a->fail)
		error_set(err, ERROR_CLOUD, "the mail was refused");
	return !a->fail;
}

static void a_cursor_moves_with_its_effect_or_not_at_all(void **state)
{
	struct house *h = *state;

	assert_int_equal(facts_cursor(h->facts, "mailer"), 0);
	must(facts_call(h->facts, act_and_advance, &(struct advance){.to = 7}, &h->err), h);
	assert_int_equal(facts_cursor(h->facts, "mailer"), 7);
	assert_false(facts_call(
		h->facts, act_and_advance, &(struct advance){.to = 9, .fail = true}, &h->err));
	assert_int_equal(facts_cursor(h->facts, "mailer"), 7);
	assert_int_equal(count_from_outside(h, "note"), 1);
	assert_int_equal(facts_cursor(h->facts, "somebody else"), 0);
}

/* --- migrations --------------------------------------------------------------------------------
 */

static const struct facts_migration versions[] = {
	{1, "CREATE TABLE visit(id INTEGER PRIMARY KEY, who TEXT)"},
	{2, "ALTER TABLE visit ADD COLUMN at INTEGER NOT NULL DEFAULT 5;"
	    "CREATE INDEX visit_at ON visit(at)"},
	{3, "CREATE TABLE door(id INTEGER PRIMARY KEY); INSERT INTO door VALUES(1)"},
};

static bool visit(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx, "INSERT INTO visit(who) VALUES('ada')", NULL, 0, err);
}

static void an_old_file_is_brought_forward_once(void **state)
{
	struct house *h = *state;
	struct rows rows = {0};

	must(facts_migrate(h->facts, "hotel", versions, 1, &h->err), h);
	must(facts_call(h->facts, visit, NULL, &h->err), h);
	must(facts_migrate(h->facts, "hotel", versions, 3, &h->err), h);
	must(facts_migrate(h->facts, "hotel", versions, 3, &h->err), h);
	house_reopen(h);
	must(facts_migrate(h->facts, "hotel", versions, 3, &h->err), h);
	must(facts_query(h->facts, "SELECT at, who FROM visit", NULL, 0, take_row, &rows, &h->err),
		h);
	assert_int_equal(rows.n, 1);
	assert_string_equal(rows.first, "ada");
	assert_int_equal(count_from_outside(h, "door"), 1);
}

static void a_newer_file_is_refused(void **state)
{
	struct house *h = *state;

	must(facts_migrate(h->facts, "hotel", versions, 3, &h->err), h);
	assert_false(facts_migrate(h->facts, "hotel", versions, 2, &h->err));
	assert_int_equal(h->err.kind, ERROR_STORE);
	assert_non_null(strstr(h->err.msg, "newer glasshouse"));
	assert_non_null(strstr(h->err.msg, "upgrade"));
}

static void a_broken_migration_changes_nothing(void **state)
{
	struct house *h = *state;
	const struct facts_migration broken[] = {
		versions[0], {2, "CREATE TABLE half(id INTEGER); INSERT INTO nowhere VALUES(1)"}};

	assert_false(facts_migrate(h->facts, "hotel", broken, 2, &h->err));
	assert_non_null(strstr(h->err.msg, "nowhere"));
	assert_non_null(strstr(h->err.msg, "hotel"));
	assert_int_equal(count_from_outside(h, "half"), -1);
	assert_int_equal(count_from_outside(h, "visit"), -1);
	must(facts_migrate(h->facts, "hotel", versions, 3, &h->err), h);
}

/* --- opening -----------------------------------------------------------------------------------
 */

static void the_directory_is_private(void **state)
{
	struct house *h = *state;
	const char *names[] = {"", "/facts.db", "/facts.db-wal", "/facts.db-shm"};
	struct stat st;

	must(facts_call(h->facts, add_note, NULL, &h->err), h);
	for (size_t i = 0; i < array_len(names); i++) {
		char *path = mem_printf("%s%s", h->dir, names[i]);

		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 0777, i == 0 ? 0700 : 0600);
		free(path);
	}
}

static void a_directory_that_cannot_be_is_named(void **state)
{
	struct house *h = *state;
	char *in_file = mem_printf("%s/facts.db/below", h->dir);

	assert_null(facts_open("", h->loop, &h->err));
	assert_int_equal(h->err.kind, ERROR_INPUT);
	assert_null(facts_open(in_file, h->loop, &h->err));
	assert_non_null(strstr(h->err.msg, in_file));
	assert_non_null(strstr(h->err.msg, "--state"));
	free(in_file);
}

int test_facts(void)
{
	const struct CMUnitTest tests[] = {
		house_test(jobs_that_wait_share_a_commit),
		house_test(a_failing_job_rolls_back_alone),
		house_test(a_lost_transaction_fails_its_whole_group),
		house_test(a_call_waits_for_its_commit),
		house_test(a_job_nobody_waits_for_is_done_before_closing),
		house_test(a_light_job_costs_no_sync_and_a_group_is_as_heavy_as_its_heaviest),
		house_test(closing_runs_what_callbacks_still_submit),
		house_test(closing_survives_a_stopped_loop),
		house_test(values_come_back_as_they_were),
		house_test(a_query_cannot_write),
		house_test(the_feed_shows_each_audience_its_own),
		house_test(a_cursor_moves_with_its_effect_or_not_at_all),
		house_test(an_old_file_is_brought_forward_once),
		house_test(a_newer_file_is_refused),
		house_test(a_broken_migration_changes_nothing),
		house_test(the_directory_is_private),
		house_test(a_directory_that_cannot_be_is_named),
	};

	return cmocka_run_group_tests_name("facts", tests, NULL, NULL);
}

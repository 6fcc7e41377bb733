/* The ledger: open rows before closed ones, pages without holes, totals that balance. */
#include "../check.h"

#include <string.h>
#include <unistd.h>

#include "observe/budget.h"
#include "observe/scenario/journal.h"
#include "store/facts.h"

struct place {
	char dir[64];
	struct loop *loop;
	struct facts *facts;
	struct journal *journal;
	struct journal_run *run;
	bool done;
};

static void on_done(void *arg, const struct error *err)
{
	*(bool *)arg = err == NULL;
}

static void flush(struct place *p)
{
	p->done = false;
	journal_flush(p->journal, on_done, &p->done);
	assert_true(loop_run_until(p->loop, &p->done));
}

static int setup(void **state)
{
	struct place *p = mem_new(struct place);
	struct error err = {0};
	snprintf(p->dir, sizeof(p->dir), "/tmp/unit-ledger-XXXXXX");
	if (!mkdtemp(p->dir))
		return -1;
	p->loop = loop_new(NULL, &err);
	p->facts = facts_open(p->dir, p->loop, &err);
	p->journal = journal_new(p->facts, p->dir, &err);
	p->run = journal_run_begin(p->journal, "run-a", "login", "prod", "p", "site-a", NULL, NULL);
	*state = p;
	return p->journal ? 0 : -1;
}

static int teardown(void **state)
{
	struct place *p = *state;
	const struct journal_result result = {.verdict = "passed"};
	p->done = false;
	journal_run_end(p->run, &result, on_done, &p->done);
	loop_run_until(p->loop, &p->done);
	journal_free(p->journal);
	facts_close(p->facts);
	loop_free(p->loop);
	char *command = mem_printf("rm -rf %s", p->dir);
	const int code = system(command);
	free(command);
	free(p);
	return code;
}

static int64_t add(struct place *p, const char *kind, const char *id, enum object_fate fate)
{
	int64_t row;
	const struct journal_object o = {.run = "run-a",
		.step = "step",
		.kind = kind,
		.attempt = 1,
		.cloud_id = id,
		.fate = OBJECT_INTENT};
	journal_intend(p->run, &o, &row, NULL, NULL);
	if (fate != OBJECT_INTENT)
		journal_update(p->journal, row, fate, NULL, NULL, NULL);
	flush(p);
	return row;
}

static bool on_row(void *arg, const struct journal_object *o)
{
	buf_printf(arg, "%s ", o->cloud_id);
	return true;
}

static void page_is(struct place *p, const struct journal_filter *q, const char *expected)
{
	struct buf out = BUF(BUF_LINE);
	struct error err = {0};
	assert_true(journal_ledger(p->facts, q, on_row, &out, &err));
	assert_string_equal(buf_str(&out), expected);
	buf_fini(&out);
}

static void test_open_ones_come_first(void **state)
{
	static const enum object_fate fates[] = {OBJECT_DELETED, OBJECT_KEPT, OBJECT_CREATED,
		OBJECT_NEEDS_ADMIN, OBJECT_REFUSED, OBJECT_UNSURE, OBJECT_LEAKED, OBJECT_DELETED};
	static const char *const ids[] = {"d1", "k", "c", "a", "r", "u", "l", "d2"};
	struct place *p = *state;
	char whole[100] = "";
	for (size_t i = 0; i < array_len(fates); i++)
		add(p, "network", ids[i], fates[i]);
	page_is(p, &(struct journal_filter){.fate = -1}, "a l u c k d2 r d1 ");
	page_is(p, &(struct journal_filter){.fate = -1, .open_only = true}, "a l u c k ");
	page_is(p, &(struct journal_filter){.fate = OBJECT_DELETED}, "d2 d1 ");
	page_is(p, &(struct journal_filter){.fate = -1, .cloud = "other"}, "");
	/* pages of any size are the whole, cut */
	for (size_t size = 1; size < 9; size++) {
		struct buf out = BUF(BUF_LINE);
		struct error err = {0};
		for (size_t at = 0; at < 8; at += size) {
			const struct journal_filter q = {.fate = -1, .offset = at, .limit = size};
			assert_true(journal_ledger(p->facts, &q, on_row, &out, &err));
		}
		snprintf(whole, sizeof(whole), "%s", buf_str(&out));
		assert_string_equal(whole, "a l u c k d2 r d1 ");
		buf_fini(&out);
	}
}

static bool dead(void *arg, const char *run)
{
	return false;
}

static void test_totals_balance(void **state)
{
	struct place *p = *state;
	struct journal_totals t;
	struct error err = {0};
	const struct journal_filter all = {.fate = -1};
	for (int f = OBJECT_INTENT; f <= OBJECT_KEPT; f++)
		for (int i = 0; i <= f; i++)
			add(p, "network", "n", (enum object_fate)f);
	assert_true(journal_totals(p->facts, &all, NULL, NULL, &t, &err));
	assert_int_equal(t.created,
		t.deleted + t.in_use + t.kept + t.left + t.leaked + t.unsure + t.needs_admin);
	assert_int_equal(t.created, 36 - 4); /* what was refused never existed */
	assert_int_equal(t.in_use, 1 + 2);   /* intended and created, of a run that has no end */
	assert_int_equal(t.left, 0);
	assert_int_equal(t.needs_admin, 7);
	assert_true(journal_totals(p->facts, &all, dead, NULL, &t, &err));
	assert_int_equal(t.in_use, 0);
	assert_int_equal(t.left, 3);
}

static void count_change(void *arg, const struct facts_change_row *row)
{
	*(size_t *)arg += !strcmp(row->kind, "object");
}

static size_t changes(struct place *p)
{
	struct error err = {0};
	size_t n = 0;
	assert_true(facts_feed(p->facts, 0, AUDIENCE_OPERATORS, 1000, count_change, &n, &err));
	return n;
}

static bool on_one(void *arg, const struct journal_object *o)
{
	*(int64_t *)arg = o->admin_unix_us;
	return false;
}

static int64_t admin_since(struct place *p, int64_t row)
{
	struct error err = {0};
	int64_t since = -1;
	assert_true(journal_object(p->facts, row, on_one, &since, &err));
	return since;
}

static void test_only_what_changes_is_a_change(void **state)
{
	struct place *p = *state;
	const int64_t row = add(p, "volume", "v", OBJECT_CREATED);
	assert_int_equal(changes(p), 0);
	journal_update(p->journal, row, OBJECT_NEEDS_ADMIN, NULL, NULL, NULL);
	flush(p);
	const int64_t since = admin_since(p, row);
	assert_true(since > 0);
	journal_update(p->journal, row, OBJECT_NEEDS_ADMIN, NULL, NULL, NULL);
	flush(p);
	assert_int_equal(admin_since(p, row), since);
	assert_int_equal(changes(p), 1);
	assert_true(journal_holds(p->journal, "v"));
	journal_update(p->journal, row, OBJECT_DELETED, NULL, NULL, NULL);
	journal_update(p->journal, row, OBJECT_DELETED, NULL, NULL, NULL);
	flush(p);
	assert_int_equal(changes(p), 2);
	assert_int_equal(admin_since(p, row), 0);
	assert_false(journal_holds(p->journal, "v"));
	assert_true(journal_made(p->journal, "v"));
	journal_update(p->journal, row, OBJECT_REFUSED, NULL, NULL, NULL);
	flush(p);
	assert_false(journal_made(p->journal, "v"));
	assert_false(journal_made(p->journal, "w"));
}

static void test_used_within_the_hour(void **state)
{
	struct place *p = *state;
	struct cost used;
	struct error err = {0};
	const int64_t now = clock_unix_us(&clock_system), minute = 60LL * 1000000;
	add(p, "server", "s", OBJECT_CREATED);
	add(p, "network", "n", OBJECT_DELETED);
	add(p, "network", "never", OBJECT_REFUSED);
	assert_true(
		budget_used(p->facts, "prod", "site-a", "login", now + 10 * minute, &used, &err));
	assert_int_equal(used.objects, 2);
	assert_true(used.server_minutes > 9.9 && used.server_minutes < 10.1);
	/* An hour later the server is still there, and what was made is forgotten. */
	assert_true(budget_used(p->facts, "prod", "site-a", NULL, now + 90 * minute, &used, &err));
	assert_int_equal(used.objects, 0);
	assert_true(used.server_minutes > 59.9 && used.server_minutes < 60.1);
	assert_true(budget_used(p->facts, "prod", "site-a", "other", now, &used, &err));
	assert_int_equal(used.objects, 0);
}

static void test_a_budget_refuses_what_would_pass_it(void **state)
{
	const struct budget none = {0}, both = {.objects = 10, .server_minutes = 5};
	const struct cost used = {8, 4}, two = {2, 1}, three = {3, 1}, long_one = {1, 1.1};
	char *why;
	assert_null(budget_refuses(&none, "the cloud's", &used, &three));
	assert_null(budget_refuses(&both, "the cloud's", &used, &two)); /* up to it is within it */
	why = budget_refuses(&both, "the cloud's", &used, &three);
	assert_string_equal(why,
		"the cloud's budget is 10 objects an hour; 8 were made within the"
		" last one, and a run makes 3");
	free(why);
	why = budget_refuses(&both, "the scenario's", &used, &long_one);
	assert_string_equal(why,
		"the scenario's budget is 5 server-minutes an hour; 4.0 were used"
		" within the last one, and a run takes 1.1");
	free(why);
}

int test_journal_ledger(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_open_ones_come_first, setup, teardown),
		cmocka_unit_test_setup_teardown(test_totals_balance, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_only_what_changes_is_a_change, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used_within_the_hour, setup, teardown),
		cmocka_unit_test(test_a_budget_refuses_what_would_pass_it),
	};
	return cmocka_run_group_tests_name("journal_ledger", tests, NULL, NULL);
}

/* What needs an administrator, told from the change feed of a real journal. */
#include "../check.h"
#include "alarm_house.h"

#include <string.h>

#include "base/json.h"
#include "observe/scenario/journal.h"

struct ledger {
	struct journal *journal;
	struct journal_run *run;
	int64_t row;
	bool done;
};

static void on_done(void *arg, const struct error *err)
{
	*(bool *)arg = err == NULL;
}

static void wait(struct alarm_house *h, struct ledger *l)
{
	l->done = false;
	journal_flush(l->journal, on_done, &l->done);
	assert_true(loop_run_until(h->loop, &l->done));
	alarms_wake(h->alarms);
	house_pass(h, 2);
}

static void open_ledger(struct alarm_house *h, struct ledger *l)
{
	struct error err = {0};
	l->journal = journal_new(h->facts, h->root, &err);
	assert_non_null(l->journal);
	l->run = journal_run_begin(
		l->journal, "tp3t1q-xpad", "volume-life", "prod", "p", "site-a", NULL, NULL);
	const struct journal_object o = {.run = "tp3t1q-xpad",
		.step = "vol",
		.kind = "volume",
		.attempt = 1,
		.cloud_id = "5c5be91a-149e-437d-aade-dd99ab84c9aa",
		.fate = OBJECT_INTENT};
	journal_intend(l->run, &o, &l->row, NULL, NULL);
	journal_update(l->journal, l->row, OBJECT_CREATED, NULL, NULL, NULL);
}

static void close_ledger(struct alarm_house *h, struct ledger *l)
{
	const struct journal_result result = {.verdict = "passed"};
	l->done = false;
	journal_run_end(l->run, &result, on_done, &l->done);
	assert_true(loop_run_until(h->loop, &l->done));
	journal_free(l->journal);
}

static void stick(struct ledger *l)
{
	const struct journal_seen seen = {.state = "error_deleting",
		.fix = "openstack volume set --state error --detached"
		       " 5c5be91a-149e-437d-aade-dd99ab84c9aa && openstack volume delete --force"
		       " 5c5be91a-149e-437d-aade-dd99ab84c9aa"};
	journal_stuck(l->journal, l->row, OBJECT_NEEDS_ADMIN, NULL, NULL,
		"volume 5c5be91a-149e-437d-aade-dd99ab84c9aa: it went into an error after the delete;"
		" its state is error_deleting; only an administrator can remove it",
		&seen);
}

static void it_is_told_once_and_once_when_it_is_over(void **state)
{
	struct alarm_house *h = *state;
	struct ledger l = {0};
	json_t *shown = documented(2), *real;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	open_ledger(h, &l);
	wait(h, &l);
	house_silent(h); /* that it was made is no news */
	stick(&l);
	wait(h, &l);
	const struct heard *one = house_next(h);
	assert_at(one->body, "kind", "needs_admin");
	assert_non_null(strstr(json_str(one->body, "text"), "in prod needs an administrator: "));
	assert_non_null(
		strstr(json_str(one->body, "text"), "\nopenstack volume set --state error "));
	real = json_deep_copy(json_path(one->body, "needs_admin/0"));
	json_object_set(real, "since", json_object_get(shown, "since"));
	assert_true(json_equal(real, shown));
	json_decref(real);
	json_decref(shown);
	stick(&l); /* a sweep looked again */
	wait(h, &l);
	house_silent(h);
	journal_update(l.journal, l.row, OBJECT_DELETED, NULL, NULL, NULL);
	wait(h, &l);
	one = house_next(h);
	assert_true(json_flag(json_path(one->body, "needs_admin/0"), "over"));
	assert_at(one->body, "needs_admin/0/fix", "");
	assert_non_null(
		strstr(json_str(one->body, "text"), "no longer needs an administrator after "));
	house_silent(h);
	close_ledger(h, &l);
}

static void what_came_and_went_meanwhile_is_no_news(void **state)
{
	struct alarm_house *h = *state;
	struct ledger l = {0};

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	open_ledger(h, &l);
	stick(&l);
	journal_update(l.journal, l.row, OBJECT_DELETED, NULL, NULL, NULL);
	wait(h, &l);
	house_silent(h);
	close_ledger(h, &l);
}

static void alertmanager_holds_it_until_it_is_over(void **state)
{
	struct alarm_house *h = *state;
	struct ledger l = {0};

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	open_ledger(h, &l);
	stick(&l);
	wait(h, &l);
	const struct heard *one = house_next(h);
	assert_at(one->body, "0/labels/alertname", "GlasshouseNeedsAdministrator");
	assert_at(one->body, "0/labels/severity", "warning");
	assert_non_null(strstr(json_str(json_path(one->body, "0/annotations"), "fix"), "--force"));
	close_ledger(h, &l);
}

int test_alarm_ledger(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(it_is_told_once_and_once_when_it_is_over),
		alarm_test(what_came_and_went_meanwhile_is_no_news),
		alarm_test(alertmanager_holds_it_until_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

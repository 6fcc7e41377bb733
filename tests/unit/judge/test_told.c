/*
 * test_told.c - what rules, flags and burn rates say counts beside the sources.
 */

#include "judge_house.h"

#include "base/json.h"

#define FRESH_MS 60000

static void tell(struct judge_house *h, const char *by, enum health health)
{
	json_t *evidence = json_pack("{s:s, s:{s:f}, s:{s:s}}", "rule", "success_rate < 0.9",
		"values", "success_rate", 0.5, "operators", "query", "sum(compute)");
	const struct judge_told t = {.component = "compute",
		.by = by,
		.health = health,
		.at_ms = house_now(h),
		.fresh_ms = house_now(h) + FRESH_MS,
		.text = "half of the requests fail",
		.evidence = evidence};
	judge_tell(h->judge, &t);
	json_decref(evidence);
	house_settle(h);
}

static void what_is_told_lowers_and_takes_back(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 3);
	tell(h, "rule:slow", HEALTH_DEGRADED);
	assert_health(h, "degraded");
	assert_rule(h, "told");
	assert_string_equal(
		judge_verdict(h->judge, "compute")->text, "rule:slow: half of the requests fail");
	tell(h, "flag:down", HEALTH_OUTAGE);
	assert_health(h, "outage");
	tell(h, "rule:other", HEALTH_OPERATIONAL); /* takes nothing away from another */
	assert_health(h, "outage");
	tell(h, "flag:down", HEALTH_OPERATIONAL);
	assert_health(h, "outage"); /* what seems to recover in part must have stood for a minute */
	house_pass(h, 30000);
	tell(h, "rule:slow", HEALTH_DEGRADED);
	house_pass(h, 30000);
	assert_health(h, "degraded");
	judge_untell(h->judge, NULL, "rule:slow");
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
	assert_rule(h, "good");
}

static void operational_hides_no_failure_of_a_source(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	tell(h, "slo:login", HEALTH_OPERATIONAL);
	assert_health(h, "operational"); /* nothing else is known of it */
	assert_rule(h, "told");
	for (int i = 0; i < 4; i++) {
		tell(h, "slo:login", HEALTH_OPERATIONAL);
		house_rounds(h, "versions", FAULT_REFUSED, 1);
	}
	assert_health(h, "outage");
	assert_rule(h, "silent");
	for (int i = 0; i < 10;
		i++) { /* the probe is silent; who complains of nothing is no answer */
		tell(h, "slo:login", HEALTH_OPERATIONAL);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "unknown");
}

static void unknown_is_told_only_where_nothing_else_is_known(void **state)
{
	struct judge_house *h = *state;
	tell(h, "flag:a", HEALTH_OPERATIONAL);
	tell(h, "flag:b", HEALTH_UNKNOWN);
	assert_health(h, "unknown");
	assert_rule(h, "told");
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	assert_health(h, "operational");
}

static void who_complained_and_fell_silent_is_believed_until_another_answers(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_see(h, "versions", FAULT_NONE);
	tell(h, "rule:slow", HEALTH_DEGRADED);
	house_pass(h, 10000);
	house_see(h, "versions", FAULT_NONE);
	house_pass(h, FRESH_MS - 5000); /* the rule is silent, the probe has not answered since */
	assert_health(h, "degraded");
	assert_string_equal(judge_verdict(h->judge, "compute")->text,
		"rule:slow said so until it fell silent, and nothing has answered since");
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
}

static void all_that_is_told_falls_silent(void **state)
{
	struct judge_house *h = *state;
	tell(h, "rule:slow", HEALTH_OPERATIONAL);
	assert_health(h, "operational");
	house_pass(h, FRESH_MS);
	assert_health(h, "operational");
	house_pass(h, 1000);
	assert_health(h, "unknown");
	assert_rule(h, "stale");
}

static void what_is_told_while_blind_is_not_bad(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 3);
	judge_blind(h->judge, true, "no witness answers");
	tell(h, "rule:slow", HEALTH_OUTAGE);
	judge_blind(h->judge, false, NULL);
	house_settle(h);
	assert_health(h, "operational");
	tell(h, "rule:slow", HEALTH_OUTAGE);
	assert_health(h, "outage");
}

static void what_is_older_changes_nothing(void **state)
{
	struct judge_house *h = *state;
	const struct judge_told late = {.component = "compute",
		.by = "rule:slow",
		.health = HEALTH_OUTAGE,
		.at_ms = house_now(h) - 1000,
		.fresh_ms = house_now(h) + FRESH_MS,
		.text = "late"};
	tell(h, "rule:slow", HEALTH_OPERATIONAL);
	judge_tell(h->judge, &late);
	house_settle(h);
	assert_health(h, "operational");
}

static void the_stored_verdict_stands_until_it_is_told_again(void **state)
{
	struct judge_house *h = *state;
	tell(h, "flag:down", HEALTH_OUTAGE);
	house_stop(h);
	house_pass(h, 20000);
	house_start(h);
	assert_health(h, "outage");
	assert_true(judge_verdict(h->judge, "compute")->stored);
	tell(h, "flag:down", HEALTH_OPERATIONAL);
	assert_health(h, "operational");
}

static void a_stored_outage_of_a_source_is_not_taken_back_by_nobody_complaining(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 3);
	house_stop(h);
	house_start(h);
	house_expect(h, "versions", EVERY_MS);
	tell(h, "slo:login", HEALTH_OPERATIONAL);
	assert_health(h, "outage");
}

static void the_evidence_carries_it(void **state)
{
	struct judge_house *h = *state;
	tell(h, "flag:down", HEALTH_OUTAGE);
	const int64_t id = judge_verdict(h->judge, "compute")->id;
	json_t *all = judge_evidence(h->facts, id, true, &h->err);
	json_t *open = judge_evidence(h->facts, id, false, &h->err);
	const json_t *told = json_array_get(json_object_get(all, "told"), 0);
	assert_string_equal(json_str(told, "by"), "flag:down");
	assert_string_equal(json_str(told, "health"), "outage");
	assert_string_equal(
		json_str(json_at(told, "evidence", "operators", NULL), "query"), "sum(compute)");
	told = json_array_get(json_object_get(open, "told"), 0);
	assert_string_equal(
		json_str(json_object_get(told, "evidence"), "rule"), "success_rate < 0.9");
	assert_null(json_at(told, "evidence", "operators", NULL));
	json_decref(all);
	json_decref(open);
}

static void those_who_tell_are_bounded(void **state)
{
	struct judge_house *h = *state;
	for (int i = 0; i < 3000; i++) {
		char by[32];
		struct judge_told t = {.component = "compute",
			.by = by,
			.health = i == 2999 ? HEALTH_DEGRADED : HEALTH_OPERATIONAL,
			.at_ms = house_now(h),
			.fresh_ms = house_now(h) + FRESH_MS + i};
		snprintf(by, sizeof(by), "rule:%d", i);
		judge_tell(h->judge, &t);
	}
	house_settle(h);
	assert_health(h, "degraded");
}

int test_told(void);
int test_told(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(what_is_told_lowers_and_takes_back),
		judge_test(operational_hides_no_failure_of_a_source),
		judge_test(unknown_is_told_only_where_nothing_else_is_known),
		judge_test(who_complained_and_fell_silent_is_believed_until_another_answers),
		judge_test(all_that_is_told_falls_silent),
		judge_test(what_is_told_while_blind_is_not_bad),
		judge_test(what_is_older_changes_nothing),
		judge_test(the_stored_verdict_stands_until_it_is_told_again),
		judge_test(a_stored_outage_of_a_source_is_not_taken_back_by_nobody_complaining),
		judge_test(the_evidence_carries_it),
		judge_test(those_who_tell_are_bounded),
	};
	return cmocka_run_group_tests_name("told", tests, NULL, NULL);
}

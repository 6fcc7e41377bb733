/*
 * test_ours.c - what is not the cloud's fault: ours, the configuration's, the quota's, and being
 * blind. None of it may lower health or look good.
 */

#include "judge_house.h"

static void check_rule(struct judge_house *h, enum fault fault, const char *rule, const char *says)
{
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	house_rounds(h, "versions", fault, 4);
	assert_health(h, "unknown");
	assert_rule(h, rule);
	assert_non_null(strstr(judge_verdict(h->judge, "compute")->text, says));
	house_rounds(h, "versions", FAULT_NONE, 3);
	assert_health(h, "operational");
	for (size_t i = 0; i < h->changes.n; i++)
		assert_true(h->changes.p[i].to == HEALTH_OPERATIONAL ||
			    h->changes.p[i].to == HEALTH_UNKNOWN);
}

static void being_throttled_is_ours(void **state)
{
	check_rule(*state, FAULT_HTTP_429, "ours", "too often");
}

static void refused_credentials_are_the_configuration(void **state)
{
	check_rule(*state, FAULT_HTTP_401, "config", "credentials");
}

static void an_unknown_authority_says_what_to_set(void **state)
{
	check_rule(*state, FAULT_TLS_AUTHORITY, "config", "set cacert");
}

static void a_used_up_quota_is_the_quota(void **state)
{
	check_rule(*state, FAULT_QUOTA, "quota", "quota is used up");
}

static void one_of_ours_between_changes_nothing(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	for (int i = 0; i < 40; i++)
		house_rounds(h, "versions", i % 8 == 4 ? FAULT_HTTP_429 : FAULT_NONE, 1);
	assert_int_equal(h->changes.n, 1);
	assert_health(h, "operational");
}

static void ours_neither_confirms_nor_clears(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 3);
	house_rounds(h, "versions", FAULT_REFUSED, 1);
	house_rounds(h, "versions", FAULT_HTTP_429, 1);
	assert_health(h, "operational");
	house_rounds(h, "versions", FAULT_REFUSED, 1);
	assert_health(h, "outage");
}

static void a_source_that_cannot_tell_is_no_proof_of_an_outage(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "servers", EVERY_MS);
	for (int i = 0; i < 6; i++) {
		house_see(h, "versions", i < 2 ? FAULT_NONE : FAULT_REFUSED);
		house_see(h, "servers", i < 2 ? FAULT_NONE : FAULT_HTTP_401);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "degraded");
}

static void never_good_and_config_is_told_at_once(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_see(h, "versions", FAULT_HTTP_401);
	assert_health(h, "unknown");
	assert_rule(h, "config");
	assert_int_equal(h->changes.n, 1);
}

/* --- blind ------------------------------------------------------------------------------------ */

static void blind_nothing_gets_worse(void **state)
{
	struct judge_house *h = *state;
	const char *why;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	judge_blind(h->judge, true, "no witness answers");
	assert_true(judge_is_blind(h->judge, &why));
	assert_string_equal(why, "no witness answers");
	house_rounds(h, "versions", FAULT_TIMEOUT, 2);
	assert_health(h, "operational"); /* not stale yet */
	house_rounds(h, "versions", FAULT_TIMEOUT, 8);
	assert_health(h, "unknown");
	assert_rule(h, "blind");
	for (size_t i = 0; i < h->changes.n; i++)
		assert_true(h->changes.p[i].to == HEALTH_OPERATIONAL ||
			    h->changes.p[i].to == HEALTH_UNKNOWN);
}

static void local_faults_while_blind_make_it_unknown_at_once(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	judge_blind(h->judge, true, "no witness answers");
	house_see(h, "versions", FAULT_LOCAL);
	assert_health(h, "unknown");
	assert_rule(h, "blind");
}

static void after_blindness_only_fresh_results_count(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	house_rounds(h, "versions", FAULT_TIMEOUT, 1); /* before we knew */
	judge_blind(h->judge, true, "no witness answers");
	house_rounds(h, "versions", FAULT_TIMEOUT, 1);
	judge_blind(h->judge, false, NULL);
	assert_false(judge_is_blind(h->judge, NULL));
	house_see(h, "versions", FAULT_TIMEOUT);
	assert_health(h, "operational");
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_TIMEOUT);
	assert_health(h, "outage");
}

static void an_outage_that_lasts_is_not_made_worse_or_hidden_by_blindness(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 3);
	assert_health(h, "outage");
	judge_blind(h->judge, true, "no witness answers");
	house_rounds(h, "versions", FAULT_LOCAL, 2);
	assert_health(h, "unknown");
	assert_rule(h, "blind");
	judge_blind(h->judge, false, NULL);
	house_rounds(h, "versions", FAULT_REFUSED, 2);
	assert_health(h, "outage");
}

int test_ours(void);
int test_ours(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(being_throttled_is_ours),
		judge_test(refused_credentials_are_the_configuration),
		judge_test(an_unknown_authority_says_what_to_set),
		judge_test(a_used_up_quota_is_the_quota),
		judge_test(one_of_ours_between_changes_nothing),
		judge_test(ours_neither_confirms_nor_clears),
		judge_test(a_source_that_cannot_tell_is_no_proof_of_an_outage),
		judge_test(never_good_and_config_is_told_at_once),
		judge_test(blind_nothing_gets_worse),
		judge_test(local_faults_while_blind_make_it_unknown_at_once),
		judge_test(after_blindness_only_fresh_results_count),
		judge_test(an_outage_that_lasts_is_not_made_worse_or_hidden_by_blindness),
	};
	return cmocka_run_group_tests_name("ours", tests, NULL, NULL);
}

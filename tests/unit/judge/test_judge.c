/*
 * test_judge.c - the states of a component in virtual time: when each begins and when it ends.
 */

#include "judge_house.h"
#include "work.h"

static void the_first_good_result_makes_it_operational(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	assert_health(h, "unknown");
	assert_rule(h, "never");
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
	assert_rule(h, "good");
	assert_int_equal(h->changes.n, 1);
}

static void the_first_bad_result_must_be_confirmed(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_see(h, "versions", FAULT_REFUSED);
	assert_health(h, "unknown");
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_REFUSED);
	assert_health(h, "outage");
	assert_rule(h, "silent");
}

static void one_lost_packet_in_an_hour_changes_nothing(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	for (int hour = 0; hour < 3; hour++) {
		house_rounds(h, "versions", FAULT_NONE, 60);
		house_rounds(h, "versions", FAULT_TIMEOUT, 1);
		house_rounds(h, "versions", FAULT_NONE, 59);
	}
	assert_health(h, "operational");
	assert_int_equal(h->changes.n, 1);
}

static void one_lost_packet_right_after_the_start_changes_nothing(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	house_rounds(h, "versions", FAULT_TIMEOUT, 1);
	house_rounds(h, "versions", FAULT_NONE, 30);
	assert_int_equal(h->changes.n, 1);
}

static void an_outage_shows_within_sixty_seconds_and_ends(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 20);
	const int64_t broke_ms = house_now(h);
	house_rounds(h, "versions", FAULT_HTTP_503, 20);
	assert_health(h, "outage");
	assert_int_equal(h->changes.n, 2);
	assert_true(h->changes.p[1].at_ms - broke_ms <= 60000);
	const int64_t mended_ms = house_now(h);
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "outage"); /* one good answer is not confirmed */
	house_pass(h, EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	assert_health(h, "operational");
	assert_int_equal(h->changes.n, 3);
	assert_true(h->changes.p[2].at_ms - mended_ms <= 60000);
}

/* What failures have in common is said with the reason; not when the newest shares nothing. */
static void what_failures_share_is_said_with_the_reason(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "login", EVERY_MS);
	house_rounds(h, "login", FAULT_NONE, 3);
	for (int i = 0; i < 3; i++) {
		struct observation o = house_result(h, "login", FAULT_SSH_AUTH);
		o.shared = i ? "all 3 failures of 24 h were on host a" : NULL;
		house_take(h, &o);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "outage");
	assert_string_equal(judge_verdict(h->judge, "compute")->text,
		"login fails: the server refused our SSH key; all 3 failures of 24 h were on host a");
	house_see(h, "login", FAULT_SSH_AUTH);
	assert_string_equal(judge_verdict(h->judge, "compute")->text,
		"login fails: the server refused our SSH key");
}

/* Two sources break together and recover one after the other: an outage and its end, no more. */
static void a_recovery_is_told_once(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "list", EVERY_MS);
	for (int round = 0; round < 30; round++) {
		const enum fault fault = round >= 10 && round < 20 ? FAULT_HTTP_503 : FAULT_NONE;
		house_see(h, "versions", fault);
		house_pass(h, 2000);
		house_see(h, "list", fault);
		house_pass(h, EVERY_MS - 2000);
	}
	assert_int_equal(h->changes.n, 3);
	assert_int_equal(h->changes.p[1].to, HEALTH_OUTAGE);
	assert_int_equal(h->changes.p[2].to, HEALTH_OPERATIONAL);
}

/* Two failures of what runs every three minutes, long apart, are forgiven after ten good minutes.
 */
static void what_runs_rarely_is_forgiven_in_ten_minutes(void **state)
{
	static const enum fault results[] = {FAULT_NONE, FAULT_STUCK, FAULT_NONE, FAULT_NONE,
		FAULT_NONE, FAULT_STUCK, FAULT_NONE, FAULT_NONE, FAULT_NONE};
	struct judge_house *h = *state;
	house_expect(h, "login", 180000);
	for (size_t i = 0; i < 9; i++) {
		house_see(h, "login", results[i]);
		house_pass(h, 180000);
		if (i == 5)
			assert_health(h, "degraded");
	}
	assert_health(h, "degraded");
	house_see(h, "login", FAULT_NONE);
	assert_health(h, "operational");
}

/* A scenario that ran well a while ago does not hide that nothing answers now. */
static void an_answer_of_long_ago_hides_no_outage(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "login", 600000);
	house_see(h, "login", FAULT_NONE);
	house_rounds(h, "versions", FAULT_NONE, 4);
	const int64_t broke_ms = house_now(h);
	house_rounds(h, "versions", FAULT_HTTP_503, 6);
	assert_health(h, "outage");
	assert_true(h->changes.p[h->changes.n - 1].at_ms - broke_ms <= STALE_MS);
	house_rounds(h, "versions", FAULT_HTTP_403, 6);
	assert_health(h, "unknown");
}

static void a_state_lasts_the_minimum_before_a_better_one(void **state)
{
	struct judge_house *h = *state;
	judge_expect(
		h->judge, &(struct judge_probe){"", "prod", "fast", NS_PER_S, 100 * NS_PER_MS});
	for (int i = 0; i < 20; i++) {
		house_see(h, "fast", i >= 10 && i < 12 ? FAULT_REFUSED : FAULT_NONE);
		house_pass(h, 1000);
	}
	assert_health(h, "outage");
	for (int i = 0; i < 120; i++) {
		house_see(h, "fast", FAULT_NONE);
		house_pass(h, 1000);
	}
	assert_health(h, "operational");
	assert_int_equal(h->changes.n, 3);
	const int64_t lasted_ms = h->changes.p[2].at_ms - h->changes.p[1].at_ms;
	assert_true(lasted_ms >= 60000 && lasted_ms <= 61000);
}

static void slow_answers_degrade_and_never_more(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	house_see_slow(h, "versions");
	assert_health(h, "operational");
	house_pass(h, EVERY_MS);
	for (int i = 0; i < 10; i++) {
		house_see_slow(h, "versions");
		assert_health(h, "degraded");
		assert_rule(h, "slow");
		house_pass(h, EVERY_MS);
	}
	house_rounds(h, "versions", FAULT_NONE, 3);
	assert_health(h, "operational");
}

static void with_one_of_two_sources_bad_it_is_degraded(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "servers", EVERY_MS);
	for (int i = 0; i < 10; i++) {
		house_see(h, "versions", FAULT_NONE);
		house_see(h, "servers", i > 4 ? FAULT_HTTP_5XX : FAULT_NONE);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "degraded");
	assert_rule(h, "failing");
	for (int i = 0; i < 4; i++) {
		house_see(h, "versions", FAULT_TIMEOUT);
		house_see(h, "servers", FAULT_HTTP_5XX);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "outage");
}

static void a_source_of_lower_severity_degrades_at_most(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	for (int i = 0; i < 4; i++) {
		struct observation o = house_result(h, "versions", FAULT_HTTP_5XX);
		o.severity = SEVERITY_DEGRADED;
		house_take(h, &o);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "degraded");
}

static void a_note_never_lowers_health(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "note", EVERY_MS);
	for (int i = 0; i < 10; i++) {
		struct observation o = house_result(h, "note", FAULT_HTTP_5XX);
		o.severity = SEVERITY_NOTE;
		house_take(h, &o);
		house_see(h, "versions", FAULT_NONE);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "operational");
	assert_int_equal(h->changes.n, 1);
}

static void a_source_that_fails_every_third_time_is_degraded_and_stays_so(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	for (int i = 0; i < 60; i++) {
		house_see(h, "versions", i % 3 == 2 ? FAULT_TIMEOUT : FAULT_NONE);
		if (i > 8)
			assert_health(h, "degraded");
		house_pass(h, EVERY_MS);
	}
	assert_int_equal(h->changes.n, 2);
	house_rounds(h, "versions", FAULT_NONE, 9);
	assert_health(h, "degraded");
	house_rounds(h, "versions", FAULT_NONE, 2);
	assert_health(h, "operational");
}

static void no_data_is_unknown_exactly_when_it_is_stale(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_see(h, "versions", FAULT_NONE);
	const int64_t began_ms = house_now(h);
	house_pass(h, STALE_MS - 2000);
	assert_health(h, "operational");
	house_pass(h, 3000);
	assert_health(h, "unknown");
	assert_rule(h, "stale");
	assert_int_equal(h->changes.p[1].at_ms, began_ms + STALE_MS + 1);
	/* back: confirmed */
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "unknown");
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
}

static void a_probe_that_never_reports_makes_it_unknown_for_being_stale(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_pass(h, STALE_MS + 1);
	assert_health(h, "unknown");
	assert_rule(h, "stale");
	assert_int_equal(h->changes.n, 1);
	house_see(h, "versions", FAULT_NONE);
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "operational");
}

static void a_stale_source_beside_fresh_ones_is_ignored_but_not_for_being_silent(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "servers", EVERY_MS);
	for (int i = 0; i < 4; i++) {
		house_see(h, "versions", FAULT_NONE);
		house_see(h, "servers", FAULT_HTTP_5XX);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "degraded");
	house_rounds(h, "versions", FAULT_NONE, 5); /* servers: silent */
	assert_health(h, "operational");
}

static void silence_after_trouble_is_never_green(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "login", 600000);
	house_see(h, "login", FAULT_NONE);
	house_rounds(h, "versions", FAULT_HTTP_5XX, 3);
	assert_health(h, "degraded");
	const size_t before = h->changes.n;
	house_pass(h, 4 * 3600000LL);
	assert_health(h, "unknown");
	for (size_t i = before; i < h->changes.n; i++)
		assert_int_not_equal(h->changes.p[i].to, HEALTH_OPERATIONAL);
}

static void a_scenario_every_ten_minutes_speaks_with_each_result(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "server-login", 600000);
	house_see(h, "server-login", FAULT_NONE);
	house_pass(h, 600000);
	house_see(h, "server-login", FAULT_STUCK);
	assert_health(h, "outage");
	house_pass(h, 600000);
	const int64_t began_ms = house_now(h);
	house_see(h, "server-login", FAULT_NONE);
	assert_health(h, "operational");
	house_pass(h, 3 * 600000 + TIMEOUT_MS - 2000);
	assert_health(h, "operational");
	house_pass(h, 3000);
	assert_health(h, "unknown");
	assert_int_equal(h->changes.p[3].at_ms, began_ms + 3 * 600000 + TIMEOUT_MS + 1);
}

static void servers_of_a_scenario_are_sources_of_their_own(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "server-login", 600000);
	struct observation a = house_result(h, "server-login", FAULT_NONE);
	struct observation b = house_result(h, "server-login", FAULT_STUCK);
	a.step = "server[0]";
	b.step = "server[1]";
	house_take(h, &a);
	house_take(h, &b);
	assert_health(h, "degraded");
}

static void what_is_not_expected_says_nothing(void **state)
{
	struct judge_house *h = *state;
	house_see(h, "versions", FAULT_NONE);
	assert_health(h, "unknown");
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 1);
	assert_health(h, "operational");
	house_unexpect_at(h, "", "versions");
	house_rounds(h, "versions", FAULT_NONE, 5);
	assert_health(h, "unknown");
	assert_rule(h, "stale");
}

static void results_that_come_late_count_at_their_time(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 3);
	struct observation late = house_result(h, "versions", FAULT_TIMEOUT);
	house_pass(h, 5000);
	house_see(h, "versions", FAULT_NONE);
	house_take(h, &late);
	house_pass(h, 25000);
	house_see(h, "versions", FAULT_TIMEOUT);
	assert_health(h, "degraded"); /* not two in a row: a good one stands between */
}

static void sources_of_a_component_are_bounded(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "login", 600000);
	for (int i = 0; i < 1200; i++) {
		char step[32];
		struct observation o = house_result(h, "login", FAULT_NONE);
		snprintf(step, sizeof(step), "server[%d]", i);
		o.step = step;
		o.at_ms -= 1200 - i;
		judge_take(h->judge, &o);
	}
	house_settle(h);
	assert_health(h, "operational");
	assert_string_equal(judge_verdict(h->judge, "compute")->text, "all 500 answer");
}

/* Sources of one probe, 500 in each of n components. */
static void fill(struct judge_house *h, int n)
{
	char id[16], step[16];
	struct component c = {id, "Part", "Parts", "prod", ""};
	house_expect(h, "login", EVERY_MS);
	for (int i = 0; i < n; i++) {
		snprintf(id, sizeof(id), "part-%d", i);
		judge_component(h->judge, &c);
		for (int k = 0; k < 500; k++) {
			struct observation o = house_result(h, "login", FAULT_NONE);
			snprintf(step, sizeof(step), "server[%d]", k);
			o.component = id;
			o.step = step;
			judge_take(h->judge, &o);
		}
	}
	assert_int_equal(judge_location_at(h->judge, 0)->sources, 500 * n);
}

/* What it takes to forget one of a component's, in hundredths of a step. */
static uint64_t forget_part(struct judge_house *h, int i)
{
	char id[16];
	const unsigned before = judge_location_at(h->judge, 0)->sources;
	const uint64_t began = work_done();
	snprintf(id, sizeof(id), "part-%d", i);
	judge_component_remove(h->judge, id);
	const uint64_t work = work_done() - began;
	assert_int_equal(judge_location_at(h->judge, 0)->sources, before - 500);
	return work / 5;
}

static uint64_t forget_probe(struct judge_house *h)
{
	const unsigned n = judge_location_at(h->judge, 0)->sources;
	const uint64_t began = work_done();
	house_unexpect_at(h, "", "login");
	const uint64_t work = work_done() - began;
	return work * 100 / n;
}

/* One of 40 components with 500 in each: whichever leaves, the others stay joined; and however many
 * there are, each is forgotten by as little work as where there are few. */
static void twenty_thousand_sources_of_one_probe_are_forgotten(void **state)
{
	struct judge_house *h = *state;
	char id[16];
	fill(h, 2);
	const uint64_t part = forget_part(h, 0), probe = forget_probe(h);
	judge_component_remove(h->judge, "part-1");
	assert_true(part > 100 && probe > 100); /* some work is done, and counted */
	fill(h, 40);
	/* Those that came first, last, and some between them. */
	for (int i = 0; i < 40; i += i == 36 ? 3 : 4)
		assert_in_range(forget_part(h, i), 100, part + part / 4);
	assert_int_equal(judge_location_at(h->judge, 0)->sources, 14500);
	/* A new pace reaches those that are left. */
	house_expect(h, "login", 10 * EVERY_MS);
	house_pass(h, STALE_MS + 1000);
	for (int i = 0; i < 40; i++) {
		snprintf(id, sizeof(id), "part-%d", i);
		const struct verdict *v = judge_verdict(h->judge, id);
		if (i % 4 && i != 39)
			assert_int_equal(v->health, HEALTH_OPERATIONAL);
		else
			assert_null(v);
	}
	assert_in_range(forget_probe(h), 100, probe + probe / 4);
	house_expect(h, "login", EVERY_MS);
	assert_int_equal(judge_location_at(h->judge, 0)->sources, 0);
}

static void components_stand_by_category_then_by_being_added(void **state)
{
	struct judge_house *h = *state;
	const struct component volume = {"volume", "Volumes", "Storage", "prod", ""};
	const struct component bare = {"bare", "Bare metal", "Compute", "prod", ""};
	const struct component image = {"image", "Images", "Images", "prod", ""};
	judge_component(h->judge, &volume);
	judge_component(h->judge, &bare);
	judge_component(h->judge, &image);
	static const char *const order[] = {"compute", "bare", "image", "volume"};
	assert_int_equal(judge_component_count(h->judge), 4);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(judge_component_at(h->judge, i)->id, order[i]);
	judge_component_remove(h->judge, "bare");
	assert_int_equal(judge_component_count(h->judge), 3);
	assert_null(judge_verdict(h->judge, "bare"));
}

int test_judge(void);
int test_judge(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(the_first_good_result_makes_it_operational),
		judge_test(the_first_bad_result_must_be_confirmed),
		judge_test(one_lost_packet_in_an_hour_changes_nothing),
		judge_test(one_lost_packet_right_after_the_start_changes_nothing),
		judge_test(an_outage_shows_within_sixty_seconds_and_ends),
		judge_test(what_failures_share_is_said_with_the_reason),
		judge_test(what_runs_rarely_is_forgiven_in_ten_minutes),
		judge_test(a_recovery_is_told_once),
		judge_test(an_answer_of_long_ago_hides_no_outage),
		judge_test(a_state_lasts_the_minimum_before_a_better_one),
		judge_test(slow_answers_degrade_and_never_more),
		judge_test(with_one_of_two_sources_bad_it_is_degraded),
		judge_test(a_source_of_lower_severity_degrades_at_most),
		judge_test(a_note_never_lowers_health),
		judge_test(a_source_that_fails_every_third_time_is_degraded_and_stays_so),
		judge_test(no_data_is_unknown_exactly_when_it_is_stale),
		judge_test(a_probe_that_never_reports_makes_it_unknown_for_being_stale),
		judge_test(a_stale_source_beside_fresh_ones_is_ignored_but_not_for_being_silent),
		judge_test(silence_after_trouble_is_never_green),
		judge_test(a_scenario_every_ten_minutes_speaks_with_each_result),
		judge_test(servers_of_a_scenario_are_sources_of_their_own),
		judge_test(what_is_not_expected_says_nothing),
		judge_test(results_that_come_late_count_at_their_time),
		judge_test(sources_of_a_component_are_bounded),
		judge_test(twenty_thousand_sources_of_one_probe_are_forgotten),
		judge_test(components_stand_by_category_then_by_being_added),
	};
	return cmocka_run_group_tests_name("judge", tests, NULL, NULL);
}

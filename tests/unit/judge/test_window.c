/*
 * test_window.c - declared work: what is measured within it is stored as it is and counted as
 * maintenance, and what outlasts it is a change of its own.
 */

#include "judge_house.h"

#define MIN_MS 60000LL

static void give(struct judge_house *h, const char *component, int64_t from_ms, int64_t to_ms)
{
	const struct judge_window w = {component, "2026-12-01-patch-day", from_ms, to_ms, NULL};
	judge_windows(h->judge, &w, 1);
	house_settle(h);
}

static const char *event_of(const struct judge_house *h)
{
	return judge_verdict(h->judge, "compute")->maintenance;
}

static struct series_states today(struct judge_house *h)
{
	struct series_states s;
	assert_true(judge_today(h->judge, "compute", &s));
	return s;
}

static void a_window_names_its_event_and_ends(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	give(h, "compute", house_now(h) + MIN_MS, house_now(h) + 3 * MIN_MS);
	assert_null(event_of(h));
	house_rounds(h, "versions", FAULT_NONE, 3);
	assert_string_equal(event_of(h), "2026-12-01-patch-day");
	assert_health(h, "operational");
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_null(event_of(h));
	assert_int_equal(h->changes.n, 1); /* well all the time: no news */
}

static void an_outage_within_it_is_measured_and_counted_as_maintenance(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	const int64_t from_ms = house_now(h);
	give(h, "compute", from_ms, from_ms + 5 * MIN_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 6);
	assert_health(h, "outage");
	assert_string_equal(event_of(h), "2026-12-01-patch-day");
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_health(h, "operational");
	const struct series_states s = today(h);
	assert_int_equal(s.seconds[HEALTH_OUTAGE], 0);
	assert_true(s.seconds[HEALTH_MAINTENANCE] >= 120);
	struct judge_change c = {0};
	assert_true(judge_change_at(h->facts, h->changes.p[1].id, &c, &h->err));
	assert_int_equal(c.health, HEALTH_OUTAGE);
	assert_string_equal(c.maintenance, "2026-12-01-patch-day");
	judge_change_fini(&c);
}

static void an_outage_that_outlasts_it_is_a_change_of_its_own(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	const int64_t from_ms = house_now(h), to_ms = from_ms + 3 * MIN_MS;
	give(h, "compute", from_ms, to_ms);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	const int64_t since_ms = judge_verdict(h->judge, "compute")->since_ms;
	assert_int_equal(h->changes.n, 2);
	house_rounds(h, "versions", FAULT_REFUSED, 4);
	assert_int_equal(h->changes.n, 3);
	assert_int_equal(h->changes.p[2].to, HEALTH_OUTAGE);
	assert_null(event_of(h));
	assert_int_equal(judge_verdict(h->judge, "compute")->since_ms, since_ms);
	const struct series_states s = today(h);
	assert_int_equal(s.seconds[HEALTH_MAINTENANCE], (to_ms - since_ms) / 1000);
	assert_int_equal(s.seconds[HEALTH_OUTAGE], (house_now(h) - to_ms) / 1000);
}

static void it_is_of_the_component_it_names_or_of_all(void **state)
{
	struct judge_house *h = *state;
	give(h, "network", house_now(h), house_now(h) + MIN_MS);
	assert_null(event_of(h));
	give(h, NULL, house_now(h), house_now(h) + MIN_MS);
	assert_string_equal(event_of(h), "2026-12-01-patch-day");
	judge_windows(h->judge, NULL, 0);
	house_settle(h);
	assert_null(event_of(h));
}

static bool on_span(void *arg, const struct judge_span *span)
{
	*(int64_t *)arg += span->maintenance ? span->to_ms - span->from_ms : 0;
	return true;
}

static void after_a_kill_it_counts_as_before(void **state)
{
	struct judge_house *h = *state;
	int64_t within_ms = 0;
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 2);
	give(h, "compute", house_now(h), house_now(h) + 60 * MIN_MS);
	house_rounds(h, "versions", FAULT_REFUSED, 8);
	const struct series_states before = today(h);
	house_stop(h);
	house_pass(h, 5000);
	house_start(h); /* nobody has told it of windows yet */
	assert_string_equal(event_of(h), "2026-12-01-patch-day");
	const struct series_states after = today(h);
	assert_int_equal(after.seconds[HEALTH_MAINTENANCE], before.seconds[HEALTH_MAINTENANCE]);
	assert_int_equal(after.seconds[HEALTH_OUTAGE], before.seconds[HEALTH_OUTAGE]);
	assert_true(
		judge_history(h->facts, "compute", 0, house_now(h), on_span, &within_ms, &h->err));
	assert_true(within_ms >= 3 * MIN_MS);
}

static void add_probe(void *arg, const char *probe, const char *event)
{
	buf_printf(arg, "%s=%s ", probe, event);
}

static void assert_worked_on(const struct judge_house *h, const char *probes)
{
	struct buf text = BUF(BUF_LINE);
	judge_worked_on(h->judge, add_probe, &text);
	assert_string_equal(buf_str(&text), probes);
	buf_fini(&text);
}

static void a_probe_that_is_nobodys_lies_in_a_window_alone(void **state)
{
	struct judge_house *h = *state;
	const int64_t now_ms = house_now(h);
	const struct judge_window w[] = {
		{NULL, "", now_ms - MIN_MS, now_ms + 4 * MIN_MS, "router"},
		{NULL, "patch-day", now_ms + MIN_MS, now_ms + 2 * MIN_MS, "router"},
		{"compute", "patch-day", now_ms + MIN_MS, now_ms + 2 * MIN_MS, "api"},
		{NULL, "later", now_ms + 60 * MIN_MS, now_ms + 61 * MIN_MS, "disk"},
	};
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 1);
	judge_windows(h->judge, w, array_len(w));
	assert_null(event_of(h)); /* no component has it */
	assert_worked_on(h, "router= ");
	house_rounds(h, "versions", FAULT_NONE, 2);
	assert_worked_on(h, "router=patch-day api=patch-day ");
	assert_string_equal(event_of(h), "patch-day");
	house_rounds(h, "versions", FAULT_NONE, 2);
	assert_worked_on(h, "router= ");
	assert_null(event_of(h));
	house_rounds(h, "versions", FAULT_NONE, 4);
	assert_worked_on(h, "");
}

int test_window(void);
int test_window(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(a_window_names_its_event_and_ends),
		judge_test(an_outage_within_it_is_measured_and_counted_as_maintenance),
		judge_test(an_outage_that_outlasts_it_is_a_change_of_its_own),
		judge_test(it_is_of_the_component_it_names_or_of_all),
		judge_test(after_a_kill_it_counts_as_before),
		judge_test(a_probe_that_is_nobodys_lies_in_a_window_alone),
	};
	return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}

/*
 * test_house_asked.c - the documents that are asked for: components, scenarios, hosts, evidence.
 */

#include "town.h"

#include <stdlib.h>

#include "base/digest.h"

/* --- COMPONENT -------------------------------------------------------------------------------- */

static const json_t *last_point(const json_t *with_trend)
{
	const json_t *trend = json_object_get(with_trend, "trend");
	const json_t *points = json_object_get(trend ? trend : with_trend, "points");
	assert_int_equal(json_array_size(points), 144);
	return json_array_get(points, 143);
}

static void a_component_has_spans_and_trends(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	house_rounds(t->h, "versions", FAULT_NONE, 5);
	house_rounds(t->h, "versions", FAULT_REFUSED, 5);
	town_measure(t);
	const json_t *doc =
		town_ask(t, "component", json_pack("{s:s}", "id", "compute"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	const json_t *spans = json_object_get(doc, "spans"), *span = town_first(doc, "spans");
	assert_int_equal(json_array_size(spans), 2);
	assert_string_equal(json_str(span, "health"), "outage");
	assert_null(json_object_get(span, "text"));
	const json_t *list = json_object_get(doc, "probes"), *versions = town_first(doc, "probes");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_str(versions, "name"), "versions");
	assert_int_equal(json_int(versions, "every_ms", 0), EVERY_MS);
	assert_int_equal(json_int(last_point(versions), "n", 0), 2);
	assert_int_equal(json_int(last_point(versions), "ok", 0), 1);
	const double p50 = town_share(last_point(versions), "p50_ms");
	assert_true(p50 > 49 && p50 < 51);
	const json_t *before =
		json_array_get(json_object_get(json_object_get(versions, "trend"), "points"), 0);
	assert_int_equal(json_int(before, "n", -1), 0);
	assert_true(json_is_null(json_object_get(before, "p50_ms")));
	const json_t *step = json_array_get(list, 1); /* two zones are one trend */
	assert_string_equal(json_str(step, "name"), "server-login");
	assert_string_equal(json_str(step, "step"), "server");
	assert_string_equal(json_str(step, "kind"), "scenario");
	assert_int_equal(json_int(last_point(step), "n", 0), 2);
	assert_true(town_share(last_point(step), "max_ms") > 29000);
	town_ask(t, "component", json_pack("{s:s}", "id", "compute"), AUDIENCE_OPERATORS);
	assert_non_null(json_object_get(town_first(t->doc, "spans"), "text"));
}

static void what_is_not_there_is_not_found(void **state)
{
	struct town *t = *state;
	town_ask(t, "component", json_pack("{s:s}", "id", "other"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	town_ask(t, "component", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	town_ask(t, "scenario", json_pack("{s:s}", "name", "other"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	town_ask(t, "evidence", json_pack("{s:i}", "id", 99), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	town_ask(t, "evidence", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 400);
	town_ask(t, "run", json_pack("{s:s}", "run", "none"), AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 404);
	town_ask(t, "passwords", NULL, AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 404);
}

/* --- SCENARIO and RUN ------------------------------------------------------------------------- */

static void a_scenario_has_runs_and_steps(void **state)
{
	struct town *t = *state;
	town_run(t, "MARK-run-1", "passed");
	town_run(t, "MARK-run-2", "failed");
	town_measure(t);
	town_publish(t);
	const json_t *doc = town_ask(
		t, "scenario", json_pack("{s:s}", "name", "server-login"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	assert_int_equal(json_array_size(json_object_get(doc, "runs")), 2);
	const json_t *run = town_first(doc, "runs");
	assert_string_equal(json_str(run, "verdict"), "failed");
	assert_null(json_object_get(run, "run"));
	const json_t *cause = json_object_get(run, "cause");
	assert_string_equal(json_str(cause, "fault"), "stuck");
	assert_null(json_object_get(cause, "detail"));
	assert_string_equal(json_str(town_first(doc, "steps"), "name"), "server");
	assert_string_equal(json_str(town_first(doc, "steps"), "component"), "compute");
	assert_int_equal(json_int(last_point(json_object_get(doc, "whole")), "n", 0), 1);
	assert_int_equal(json_array_size(json_object_get(doc, "makes")), 2);
	assert_string_equal(json_str(json_object_get(doc, "last"), "verdict"), "failed");
	const json_t *in_site = town_first(t->site[AUDIENCE_OPERATORS], "scenarios");
	assert_string_equal(json_str(json_object_get(in_site, "last"), "run"), "MARK-run-2");
	doc = town_ask(t, "run", json_pack("{s:s}", "run", "MARK-run-1"), AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 200);
	assert_string_equal(json_str(doc, "verdict"), "passed");
	assert_string_equal(json_str(json_object_get(doc, "report"), "run"), "MARK-report");
	town_ask(t, "run", json_pack("{s:s}", "run", "MARK-run-1"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
}

/* --- HOSTS ------------------------------------------------------------------------------------ */

static void hosts_tell_when_they_last_were_good(void **state)
{
	struct town *t = *state;
	uint8_t hash[SHA224_BYTES];
	digest_sha224("MARK-projectnode7", 17, hash);
	char *bad = hex_encode(hash, sizeof(hash));
	static const struct house_host names[] = {{"prod", "node7"}, {"lab", "node8"}};
	struct house_lists named = town_lists;
	named.hosts = names;
	named.host_count = 2;
	house_configure(t->house, &town_site, &named);
	town_run(t, "MARK-run", "failed"); /* whence the project is known */
	for (int i = 0; i < 3; i++) {
		town_boot(t, "prod", bad, FAULT_SSH_AUTH, 60000 * (i + 1), 9000);
		town_boot(t, "prod", "good", FAULT_NONE, 50000, 1000 * (i * i + 1));
	}
	town_boot(t, "prod", bad, FAULT_NONE, 2 * DAY_MS, 9000);
	town_boot(t, "prod", bad, FAULT_NONE, 13 * DAY_MS, 9000);
	town_boot(t, "prod", "gone", FAULT_NONE, 15 * DAY_MS, 9000);
	town_boot(t, "prod", "ours", FAULT_QUOTA, 1000, -1);
	town_boot(t, "prod", NULL, FAULT_STUCK, 1000, -1);
	town_boot(t, "other", "good", FAULT_NONE, 3 * DAY_MS, 9000);
	town_settle(t);
	const json_t *doc = town_ask(t, "hosts", NULL, AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 200);
	assert_true(json_is_false(json_object_get(doc, "more")));
	const json_t *clouds = json_object_get(doc, "clouds");
	assert_int_equal(json_array_size(clouds), 2);
	assert_string_equal(json_str(json_array_get(clouds, 0), "cloud"), "other");
	const json_t *prod = json_array_get(clouds, 1), *hosts = json_object_get(prod, "hosts");
	assert_int_equal(json_int(prod, "nowhere", 0), 1);
	assert_int_equal(
		json_array_size(hosts), 2); /* not the one gone, not the one of our quota */
	const json_t *first_host = json_array_get(hosts, 0), *next = json_array_get(hosts, 1);
	assert_string_equal(json_str(first_host, "host"), bad);
	assert_string_equal(json_str(first_host, "name"), "node7");
	assert_true(json_is_false(json_object_get(first_host, "last_good")));
	assert_int_equal(json_int(first_host, "failed_24h", 0), 3);
	assert_int_equal(json_int(first_host, "good_24h", 9), 0);
	assert_int_equal(json_int(first_host, "last_good_ms", 0), house_now(t->h) - 2 * DAY_MS);
	const json_t *days = json_object_get(first_host, "days");
	assert_int_equal(json_array_size(days), 14);
	assert_int_equal(json_int(json_array_get(days, 13), "failed", 0), 3);
	assert_int_equal(json_int(json_array_get(days, 11), "good", 0), 1);
	assert_int_equal(json_int(json_array_get(days, 0), "good", 0), 1);
	const json_t *failure = json_object_get(first_host, "last_failure");
	assert_string_equal(json_str(failure, "fault"), "ssh_auth");
	assert_int_equal(json_int(failure, "at_ms", 0), house_now(t->h) - 60000);
	assert_string_equal(json_str(next, "host"), "good");
	assert_true(json_is_null(json_object_get(next, "name")));
	assert_int_equal(json_int(next, "median_ms", 0), 2000);
	assert_true(json_is_null(json_object_get(next, "last_failure")));
	free(bad);
}

static void what_failures_have_in_common_names_the_host(void **state)
{
	struct town *t = *state;
	for (int i = 0; i < 3; i++)
		town_boot(t, "prod", "3735", FAULT_SSH_AUTH, 60000, 9000);
	town_boot(t, "prod", "good", FAULT_NONE, 50000, 1000);
	town_settle(t);
	const json_t *doc = town_ask(t, "hosts", NULL, AUDIENCE_OPERATORS);
	const json_t *common = json_object_get(town_first(doc, "clouds"), "common");
	assert_string_equal(json_str(common, "dimension"), "host");
	assert_string_equal(json_str(common, "value"), "3735");
	assert_int_equal(json_int(common, "failed", 0), 3);
	assert_int_equal(json_int(common, "came_up", -1), 0);
	assert_int_equal(json_int(common, "elsewhere", 0), 1);
	town_ask(t, "hosts", NULL, AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
}

/* --- EVIDENCE --------------------------------------------------------------------------------- */

static void evidence_has_neighbours(void **state)
{
	struct town *t = *state;
	const int64_t id = town_break(t);
	const json_t *doc =
		town_ask(t, "evidence", json_pack("{s:I}", "id", (json_int_t)id), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	assert_string_equal(json_str(doc, "component_name"), "Compute");
	assert_int_equal(json_int(doc, "previous", 0), id - 1);
	assert_true(json_is_null(json_object_get(doc, "next")));
	assert_null(json_object_get(doc, "samples"));
	doc = town_ask(
		t, "evidence", json_pack("{s:I}", "id", (json_int_t)id - 1), AUDIENCE_OPERATORS);
	assert_int_equal(json_int(doc, "next", 0), id);
	assert_non_null(json_object_get(doc, "samples"));
}

int test_house_asked(void);
int test_house_asked(void)
{
	const struct CMUnitTest tests[] = {
		town_test(a_component_has_spans_and_trends),
		town_test(what_is_not_there_is_not_found),
		town_test(a_scenario_has_runs_and_steps),
		town_test(hosts_tell_when_they_last_were_good),
		town_test(what_failures_have_in_common_names_the_host),
		town_test(evidence_has_neighbours),
	};
	return cmocka_run_group_tests_name("house_asked", tests, NULL, NULL);
}

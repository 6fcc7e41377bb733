/*
 * test_evidence.c - what proves a verdict: to operators all of it, to the public nothing that is
 * not theirs.
 */

#include "judge_house.h"

#include <stdlib.h>

#include "base/json.h"

static void break_it(struct judge_house *h)
{
	house_expect(h, "versions", EVERY_MS);
	house_rounds(h, "versions", FAULT_NONE, 5);
	for (int i = 0; i < 2; i++) {
		struct observation o = house_result(h, "versions", FAULT_HTTP_503);
		o.status = 503;
		o.detail = "MARK-detail the service said 503";
		o.request = "GET https://MARK-host.example.org/v2.1/it's";
		o.request_id = "req-MARK-ours";
		o.service_request_id = "req-MARK-theirs";
		o.run = "MARK-run";
		house_take(h, &o);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "outage");
}

static void operators_get_samples_and_a_line_that_asks_again(void **state)
{
	struct judge_house *h = *state;
	break_it(h);
	const int64_t id = judge_verdict(h->judge, "compute")->id;
	json_t *doc = judge_evidence(h->facts, id, true, &h->err);
	assert_non_null(doc);
	assert_string_equal(json_str(doc, "component"), "compute");
	assert_string_equal(json_str(doc, "health"), "outage");
	assert_string_equal(json_str(doc, "was"), "operational");
	assert_string_equal(json_str(doc, "rule"), "silent");
	const json_t *samples = json_object_get(doc, "samples");
	assert_int_equal(json_array_size(samples), 2);
	const json_t *s = json_array_get(samples, 0);
	assert_string_equal(json_str(s, "request_id"), "req-MARK-ours");
	assert_string_equal(json_str(s, "fault"), "unavailable");
	assert_int_equal(json_int(s, "status", 0), 503);
	assert_string_equal(json_str(s, "curl"),
		"curl -sS -i -X GET -H \"X-Auth-Token: $OS_TOKEN\" "
		"'https://MARK-host.example.org/v2.1/it'\\''s'");
	const json_t *source = json_array_get(json_object_get(doc, "sources"), 0);
	assert_string_equal(json_str(source, "says"), "bad");
	assert_int_equal(json_int(source, "n", 0), 7);
	assert_int_equal(json_int(source, "failed", 0), 2);
	assert_int_equal(json_int(source, "median_ms", 0), 50);
	assert_int_equal(json_int(json_object_get(source, "faults"), "unavailable", 0), 2);
	json_decref(doc);
}

static void the_public_gets_counts_and_no_more(void **state)
{
	struct judge_house *h = *state;
	break_it(h);
	const int64_t id = judge_verdict(h->judge, "compute")->id;
	json_t *doc = judge_evidence(h->facts, id, false, &h->err);
	assert_non_null(doc);
	char *text = json_text(doc);
	assert_null(strstr(text, "MARK"));
	assert_null(json_object_get(doc, "samples"));
	assert_int_equal(json_array_size(json_object_get(doc, "sources")), 1);
	free(text);
	json_decref(doc);
}

static void evidence_says_until_when(void **state)
{
	struct judge_house *h = *state;
	break_it(h);
	const int64_t id = judge_verdict(h->judge, "compute")->id;
	house_rounds(h, "versions", FAULT_NONE, 4);
	json_t *doc = judge_evidence(h->facts, id, false, &h->err);
	assert_int_equal(json_int(doc, "until_ms", 0), h->changes.p[2].at_ms);
	json_decref(doc);
	doc = judge_evidence(h->facts, id + 1, false, &h->err);
	assert_true(json_is_null(json_object_get(doc, "until_ms")));
	json_decref(doc);
}

static void there_is_none_of_another_id(void **state)
{
	struct judge_house *h = *state;
	struct error err = {0};
	assert_null(judge_evidence(h->facts, 999, true, &err));
	assert_int_equal(err.kind, ERROR_NONE);
}

static void at_most_twenty_samples_and_texts_are_bounded(void **state)
{
	struct judge_house *h = *state;
	char *much = mem_alloc(100001);
	memset(much, 0xc3, 100000); /* no UTF-8 either */
	much[100000] = 0;
	house_expect(h, "login", 600000);
	for (int i = 0; i < 40; i++) {
		char step[32];
		struct observation o = house_result(h, "login", FAULT_STUCK);
		snprintf(step, sizeof(step), "server[%d]", i);
		o.step = step;
		o.detail = much;
		judge_take(h->judge, &o);
	}
	house_settle(h);
	free(much);
	assert_health(h, "outage");
	struct observation good = house_result(h, "login", FAULT_NONE);
	good.step = "net";
	house_take(h, &good);
	house_pass(h, 61000); /* what is not yet well is believed when it lasts */
	assert_health(h, "degraded");
	json_t *doc =
		judge_evidence(h->facts, judge_verdict(h->judge, "compute")->id, true, &h->err);
	assert_non_null(doc);
	const json_t *samples = json_object_get(doc, "samples");
	assert_int_equal(json_array_size(samples), 20);
	assert_true(strlen(json_str(json_array_get(samples, 0), "detail")) <= 2000);
	json_decref(doc);
}

int test_evidence(void);
int test_evidence(void)
{
	const struct CMUnitTest tests[] = {
		judge_test(operators_get_samples_and_a_line_that_asks_again),
		judge_test(the_public_gets_counts_and_no_more),
		judge_test(evidence_says_until_when),
		judge_test(there_is_none_of_another_id),
		judge_test(at_most_twenty_samples_and_texts_are_bounded),
	};
	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}

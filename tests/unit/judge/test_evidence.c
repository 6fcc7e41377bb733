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

static json_t *proof(struct judge_house *h)
{
	json_t *doc =
		judge_evidence(h->facts, judge_verdict(h->judge, "compute")->id, false, &h->err);
	assert_non_null(doc);
	return doc;
}

static void assert_counts(const json_t *doc, int answering, int failing, int undecided, int lesser)
{
	assert_int_equal(json_int(doc, "answering", -1), answering);
	assert_int_equal(json_int(doc, "failing", -1), failing);
	assert_int_equal(json_int(doc, "undecided", -1), undecided);
	assert_int_equal(json_int(doc, "lesser", -1), lesser);
	assert_int_equal(json_int(doc, "unable", -1), 0);
	assert_int_equal(json_int(doc, "silent", -1), 0);
}

/* The second result of one comes before the second of another: who failed once is no proof that it
 * answers. */
static void nothing_answers_under_an_outage(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "servers", EVERY_MS);
	for (int i = 0; i < 5; i++) {
		house_see(h, "versions", FAULT_NONE);
		house_see(h, "servers", FAULT_NONE);
		house_pass(h, EVERY_MS);
	}
	house_see(h, "servers", FAULT_HTTP_503);
	house_see(h, "versions", FAULT_HTTP_503);
	house_pass(h, EVERY_MS);
	assert_health(h, "operational");
	house_see(h, "servers", FAULT_HTTP_503);
	assert_health(h, "outage");
	json_t *doc = proof(h);
	assert_string_equal(json_str(doc, "rule"), "silent");
	assert_counts(doc, 0, 1, 1, 0);
	json_decref(doc);
	/* one of them answers again, and so does the other: both are asked once */
	house_see(h, "versions", FAULT_NONE);
	house_pass(h, 65000);
	house_see(h, "versions", FAULT_NONE);
	house_see(h, "servers", FAULT_HTTP_503);
	house_pass(h, 5000);
	assert_health(h, "degraded");
	doc = proof(h);
	assert_counts(doc, 1, 1, 0, 0);
	json_decref(doc);
}

/* It answers, but has no say in whether there is an outage. */
static void what_is_of_lesser_severity_is_counted_by_itself(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "versions", EVERY_MS);
	house_expect(h, "servers", EVERY_MS);
	house_expect(h, "banner", EVERY_MS);
	for (int i = 0; i < 3; i++) {
		struct observation o = house_result(h, "banner", FAULT_NONE);
		o.severity = SEVERITY_DEGRADED;
		house_take(h, &o);
		house_see(h, "versions", i ? FAULT_HTTP_503 : FAULT_NONE);
		house_see(h, "servers", i ? FAULT_HTTP_503 : FAULT_NONE);
		house_pass(h, EVERY_MS);
	}
	assert_health(h, "outage");
	json_t *doc = proof(h);
	assert_counts(doc, 0, 1, 1, 1);
	json_decref(doc);
	assert_non_null(strstr(judge_verdict(h->judge, "compute")->text,
		"2 fail and nothing of full severity answers; "));
}

/* An answer from before who cannot tell could not is past, too. */
static void nothing_answers_where_who_cannot_tell_decides(void **state)
{
	struct judge_house *h = *state;
	house_expect(h, "login", 600000);
	house_expect(h, "versions", EVERY_MS);
	struct observation o = house_result(h, "login", FAULT_NONE);
	house_take(h, &o);
	house_pass(h, 200000);
	house_see(h, "versions", FAULT_HTTP_429);
	house_see(h, "versions", FAULT_HTTP_429);
	house_pass(h, EVERY_MS);
	house_see(h, "versions", FAULT_HTTP_429);
	assert_health(h, "unknown");
	json_t *doc = proof(h);
	assert_int_equal(json_int(doc, "answering", -1), 0);
	assert_int_equal(json_int(doc, "unable", -1), 1);
	assert_int_equal(json_int(doc, "undecided", -1), 1);
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
		judge_test(nothing_answers_under_an_outage),
		judge_test(what_is_of_lesser_severity_is_counted_by_itself),
		judge_test(nothing_answers_where_who_cannot_tell_decides),
		judge_test(evidence_says_until_when),
		judge_test(there_is_none_of_another_id),
		judge_test(at_most_twenty_samples_and_texts_are_bounded),
	};
	return cmocka_run_group_tests_name("evidence", tests, NULL, NULL);
}

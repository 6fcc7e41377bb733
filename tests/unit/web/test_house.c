/*
 * test_house.c - the documents of the house, built from a judge, series and a journal in virtual
 * time, and handed to doors of the test's own.
 */

#include "../judge/judge_house.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/json.h"
#include "observe/boots.h"
#include "observe/scenario/journal.h"
#include "web/house_inside.h"

#define DAY_MS 86400000LL

struct town {
	struct judge_house *h; /* the judge's */
	struct house *house;
	struct journal *journal;
	json_t *site[AUDIENCE_PUBLIC + 1]; /* the newest */
	unsigned published[AUDIENCE_PUBLIC + 1];
	int64_t published_ms[AUDIENCE_PUBLIC + 1];
	int64_t least_gap_ms;
	/* of the last question */
	unsigned answers;
	int status;
	json_t *doc;
};

static const char *const languages[] = {"en", "de", NULL};
static const char *const makes[] = {"a server", "a network", NULL};
static const struct house_site site = {.name = "Example Cloud",
	.url = "https://status.example.org",
	.timezone = "Europe/Berlin",
	.location = "outside",
	.instance = "MARK-instance",
	.languages = languages};
static const struct house_probe probes[] = {
	{"versions", "endpoint", "prod", "compute", "GET", "https://MARK-target.example.org/",
		EVERY_MS},
	{"token", "token", "prod", "identity", "POST", "https://MARK-target.example.org/v3",
		EVERY_MS},
};
static const struct house_scenario scenarios[] = {
	{.name = "server-login",
		.title = "A customer logs in",
		.cloud = "prod",
		.component = "compute",
		.every_ms = 600000,
		.deadline_ms = 300000,
		.makes = makes},
};
static const struct house_possible possible[] = {
	{"volume", "A volume", "--scenario volume", 3},
};
static const struct house_lists lists = {probes, scenarios, possible, 2, 1, 1};

static void on_site(void *arg, enum audience audience, json_t *doc)
{
	struct town *t = arg;
	const int64_t now = house_now(t->h), gap = now - t->published_ms[audience];
	json_decref(t->site[audience]);
	t->site[audience] = doc;
	if (t->published[audience]++ && gap < t->least_gap_ms)
		t->least_gap_ms = gap;
	t->published_ms[audience] = now;
}

static void add_jobs(void *arg, json_t *doc)
{
	json_object_set_new(doc, "jobs",
		json_pack("[{s:s, s:i, s:i, s:i, s:i}]", "name", "MARK-\"job\"\n", "runs", 7,
			"skips", 1, "running", 2, "worst_late_ms", 1500));
}

static int town_setup(void **state)
{
	struct town *t = mem_new(struct town);
	void *judge = NULL;
	if (judge_house_setup(&judge))
		return -1;
	t->h = judge;
	t->least_gap_ms = INT64_MAX;
	t->journal = journal_new(t->h->facts, t->h->root, &t->h->err);
	assert_non_null(t->journal);
	assert_true(boots_prepare(t->h->facts, &t->h->err));
	t->house = house_new(t->h->loop, t->h->facts, t->h->series, t->h->judge, NULL, add_jobs, t);
	house_configure(t->house, &site, &lists);
	*state = t;
	return 0;
}

static int town_teardown(void **state)
{
	struct town *t = *state;
	void *judge = t->h;
	house_free(t->house);
	journal_free(t->journal);
	for (size_t i = 0; i < array_len(t->site); i++)
		json_decref(t->site[i]);
	json_decref(t->doc);
	free(t);
	return judge_house_teardown(&judge);
}
#define town_test(f) cmocka_unit_test_setup_teardown(f, town_setup, town_teardown)

static void settle(struct town *t)
{
	for (int i = 0; i < 3; i++) {
		loop_advance(t->h->loop, 0);
		worker_settle(t->house->worker);
		house_settle(t->h);
	}
}

static void pass(struct town *t, int64_t ms)
{
	for (; ms > 0; ms -= 1000) {
		loop_advance(t->h->loop, (ms < 1000 ? ms : 1000) * NS_PER_MS);
		settle(t);
	}
}

static void publish(struct town *t)
{
	house_publish_with(t->house, on_site, t);
	pass(t, 3000); /* what was read meanwhile is published a second later */
}

static void on_answer(void *arg, int status, json_t *doc)
{
	struct town *t = arg;
	t->answers++;
	t->status = status;
	json_decref(t->doc);
	t->doc = doc;
}

/* Takes args. The answer stays the town's. */
static const json_t *ask(struct town *t, const char *what, json_t *args, enum audience audience)
{
	const unsigned before = t->answers;
	house_ask(t->house, what, args, audience, on_answer, t);
	json_decref(args);
	settle(t);
	assert_int_equal(t->answers, before + 1);
	return t->doc;
}

static const json_t *first(const json_t *doc, const char *list)
{
	const json_t *one = json_array_get(json_object_get(doc, list), 0);
	assert_non_null(one);
	return one;
}

/* --- SITE ------------------------------------------------------------------------------------- */

static void it_is_published_at_once_and_then_every_thirty_seconds(void **state)
{
	struct town *t = *state;
	publish(t);
	assert_true(t->published[AUDIENCE_PUBLIC] >= 1);
	assert_true(t->published[AUDIENCE_OPERATORS] >= 1);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	pass(t, 300000);
	const unsigned n = t->published[AUDIENCE_PUBLIC] - before;
	assert_true(n >= 9 && n <= 40);
	assert_true(t->least_gap_ms >= 1000);
}

static void what_is_changed_often_is_published_once_a_second_at_most(void **state)
{
	struct town *t = *state;
	publish(t);
	pass(t, 5000);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	for (int i = 0; i < 100; i++) {
		house_changed(t->house);
		pass(t, 50);
	}
	const unsigned n = t->published[AUDIENCE_PUBLIC] - before;
	assert_true(n >= 4 && n <= 6);
	assert_true(t->least_gap_ms >= 1000);
}

/* Not held back, and without letting time pass. */
static void publish_now(struct town *t)
{
	t->house->published_ms = 0;
	house_refreshed(t->house);
	loop_advance(t->h->loop, 0);
}

static void the_revision_grows_with_content_alone(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	publish(t);
	pass(t, 5000);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	const int64_t one = json_int(doc, "revision", 0), at = json_int(doc, "at_ms", 0);
	house_see(t->h, "versions", FAULT_NONE);
	house_changed(t->house);
	pass(t, 2000);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_true(json_int(doc, "revision", 0) > one);
	assert_true(json_int(doc, "at_ms", 0) > at);
	settle(t);
	publish_now(t);
	const int64_t two = json_int(t->site[AUDIENCE_PUBLIC], "revision", 0);
	const unsigned before = t->published[AUDIENCE_PUBLIC];
	publish_now(t);
	assert_int_equal(t->published[AUDIENCE_PUBLIC], before + 1);
	assert_int_equal(json_int(t->site[AUDIENCE_PUBLIC], "revision", 0), two);
}

static void components_stand_with_their_states(void **state)
{
	struct town *t = *state;
	const struct component identity = {"identity", "Identity", "Access", "prod", ""};
	judge_component(t->h->judge, &identity);
	house_expect(t->h, "versions", EVERY_MS);
	house_see(t->h, "versions", FAULT_NONE);
	publish(t);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	assert_string_equal(json_str(doc, "health"), "unknown");
	assert_int_equal(json_int(json_object_get(doc, "counts"), "operational", 0), 1);
	assert_int_equal(json_int(json_object_get(doc, "counts"), "unknown", 0), 1);
	const json_t *c = json_array_get(json_object_get(doc, "components"), 1);
	assert_string_equal(json_str(c, "id"), "compute");
	assert_string_equal(json_str(c, "health"), "operational");
	assert_string_equal(json_str(c, "rule"), "good");
	assert_true(json_int(c, "evidence", 0) > 0);
	assert_int_equal(json_array_size(json_object_get(c, "days")), 90);
	assert_string_equal(json_str(first(doc, "categories"), "name"), "Access");
	assert_string_equal(json_str(first(doc, "possible"), "name"), "volume");
	assert_int_equal(json_array_size(json_object_get(doc, "probes")), 2);
	assert_string_equal(json_str(json_object_get(doc, "site"), "name"), "Example Cloud");
}

/* What the configuration says of the site reaches both doors as it was written, at once. */
static void what_the_site_says_of_itself_stands_there(void **state)
{
	struct town *t = *state;
	json_t *about = json_pack("{s:s}", "de", "Wir *sehen* <b>");
	struct house_site told = site;
	told.about = about;
	publish(t);
	const json_t *doc = t->site[AUDIENCE_PUBLIC];
	const int64_t before = json_int(doc, "revision", 0);
	assert_int_equal(json_object_size(json_at(doc, "site", "about", NULL)), 0);
	house_configure(t->house, &told, &lists);
	pass(t, 3000);
	doc = t->site[AUDIENCE_PUBLIC];
	assert_true(json_equal(json_at(doc, "site", "about", NULL), about));
	assert_true(json_int(doc, "revision", 0) > before);
	doc = t->site[AUDIENCE_OPERATORS];
	assert_true(json_equal(json_at(doc, "site", "about", NULL), about));
	house_configure(t->house, &site, &lists);
	json_decref(about);
}

static void of_no_component_nobody_says_that_it_is_well(void **state)
{
	struct town *t = *state;
	judge_component_remove(t->h->judge, "compute");
	publish(t);
	assert_string_equal(json_str(t->site[AUDIENCE_PUBLIC], "health"), "unknown");
}

/* --- days and ratios -------------------------------------------------------------------------- */

static double share(const json_t *ratio, const char *key)
{
	return json_number_value(json_object_get(ratio, key));
}

static void availability_tells_what_was_seen(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	house_rounds(t->h, "versions", FAULT_NONE, 60);    /* 30 min */
	house_rounds(t->h, "versions", FAULT_REFUSED, 20); /* 10 min, 9:30 of outage */
	publish(t);
	pass(t, 2000);
	const json_t *c = first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *today = json_array_get(json_object_get(c, "days"), 89);
	const json_t *s = json_object_get(today, "s");
	const int64_t outage = json_integer_value(json_array_get(s, HEALTH_OUTAGE));
	const int64_t good = json_integer_value(json_array_get(s, HEALTH_OPERATIONAL));
	assert_int_equal(json_int(today, "day", 0), house_now(t->h) / DAY_MS);
	assert_int_equal(good, 1830); /* until it was confirmed */
	const int64_t noon_ms = house_now(t->h) / DAY_MS * DAY_MS + DAY_MS / 2;
	assert_int_equal(outage + good, (t->published_ms[AUDIENCE_PUBLIC] - noon_ms) / 1000);
	/* noon: twelve hours of the day passed before we began */
	const int64_t gap = json_int(today, "gap", 0);
	assert_int_equal(gap, 43200);
	const json_t *d1 = json_object_get(json_object_get(c, "availability"), "d1");
	assert_true(share(d1, "up") > 0.75 && share(d1, "up") < 0.77);
	assert_true(share(d1, "worst") < 0.03);
	assert_true(share(d1, "best") > 0.99);
	assert_true(share(d1, "seen") > 0.02 && share(d1, "seen") < 0.03);
	const json_t *d7 = json_object_get(json_object_get(c, "availability"), "d7");
	assert_true(share(d7, "up") > 0.75 && share(d7, "up") < 0.77);
	assert_true(share(d7, "seen") < share(d1, "seen"));
}

static void what_was_never_known_has_no_share(void **state)
{
	struct town *t = *state;
	publish(t);
	const json_t *c = first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *d30 = json_object_get(json_object_get(c, "availability"), "d30");
	assert_true(json_is_null(json_object_get(d30, "up")));
	assert_true(share(d30, "worst") == 0);
	assert_true(share(d30, "best") == 1);
}

static void days_go_on_over_midnight(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", 10 * EVERY_MS);
	publish(t);
	for (int i = 0; i < 13 * 12; i++) {
		house_see(t->h, "versions", FAULT_NONE);
		house_pass(t->h, 10 * EVERY_MS);
		worker_settle(t->house->worker);
	}
	pass(t, 2000);
	const json_t *c = first(t->site[AUDIENCE_PUBLIC], "components");
	const json_t *days = json_object_get(c, "days");
	assert_int_equal(json_array_size(days), 90);
	const json_t *yesterday = json_array_get(days, 88), *today = json_array_get(days, 89);
	assert_int_equal(json_int(yesterday, "day", 0) + 1, json_int(today, "day", 0));
	const int64_t was = json_integer_value(
		json_array_get(json_object_get(yesterday, "s"), HEALTH_OPERATIONAL));
	if (was < 43195)
		fail_msg("%lld of yesterday", (long long)was);
	assert_true(json_integer_value(json_array_get(
			    json_object_get(today, "s"), HEALTH_OPERATIONAL)) > 3500);
	const json_t *doc = ask(t, "availability", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	c = first(doc, "components");
	assert_int_equal(json_array_size(json_object_get(c, "days")), 365);
	assert_string_equal(json_str(first(c, "months"), "month"), "2026-12");
}

/* --- COMPONENT -------------------------------------------------------------------------------- */

static void append(struct town *t, const char *name, const struct series_tag *tags, size_t n,
	enum fault fault, int64_t total_us)
{
	const struct series_key key = {SERIES_PROBE, "us", "outside", name, tags, n};
	const struct series_sample s = {.at_ms = house_now(t->h),
		.fault = fault,
		.tries = 1,
		.total_us = total_us,
		.phase_us = {[SERIES_WAIT] = total_us}};
	series_append(series_get(t->h->series, &key), &s);
}

static void measure(struct town *t)
{
	const struct series_tag probe[] = {
		{"cloud", "prod"}, {"component", "compute"}, {"probe", "versions"}};
	const struct series_tag other[] = {
		{"cloud", "prod"}, {"component", "identity"}, {"probe", "token"}};
	const struct series_tag zone1[] = {{"cloud", "prod"}, {"component", "compute"},
		{"scenario", "server-login"}, {"step", "server"}, {"zone", "a\"1"}};
	const struct series_tag zone2[] = {{"cloud", "prod"}, {"component", "compute"},
		{"scenario", "server-login"}, {"step", "server"}, {"zone", "a2"}};
	const struct series_tag whole[] = {{"cloud", "prod"}, {"scenario", "server-login"}};
	append(t, "endpoint.versions", probe, 3, FAULT_NONE, 50000);
	append(t, "endpoint.versions", probe, 3, FAULT_HTTP_503, 0);
	append(t, "endpoint.token", other, 3, FAULT_NONE, 90000);
	append(t, "server-login.server", zone1, 5, FAULT_NONE, 10000000);
	append(t, "server-login.server", zone2, 5, FAULT_NONE, 30000000);
	append(t, "server-login", whole, 2, FAULT_NONE, 60000000);
}

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
	measure(t);
	const json_t *doc =
		ask(t, "component", json_pack("{s:s}", "id", "compute"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	const json_t *spans = json_object_get(doc, "spans"), *span = first(doc, "spans");
	assert_int_equal(json_array_size(spans), 2);
	assert_string_equal(json_str(span, "health"), "outage");
	assert_null(json_object_get(span, "text"));
	const json_t *list = json_object_get(doc, "probes"), *versions = first(doc, "probes");
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_str(versions, "name"), "versions");
	assert_int_equal(json_int(versions, "every_ms", 0), EVERY_MS);
	assert_int_equal(json_int(last_point(versions), "n", 0), 2);
	assert_int_equal(json_int(last_point(versions), "ok", 0), 1);
	const double p50 = share(last_point(versions), "p50_ms");
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
	assert_true(share(last_point(step), "max_ms") > 29000);
	ask(t, "component", json_pack("{s:s}", "id", "compute"), AUDIENCE_OPERATORS);
	assert_non_null(json_object_get(first(t->doc, "spans"), "text"));
}

static void what_is_not_there_is_not_found(void **state)
{
	struct town *t = *state;
	ask(t, "component", json_pack("{s:s}", "id", "other"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	ask(t, "component", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	ask(t, "scenario", json_pack("{s:s}", "name", "other"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	ask(t, "evidence", json_pack("{s:i}", "id", 99), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
	ask(t, "evidence", json_object(), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 400);
	ask(t, "run", json_pack("{s:s}", "run", "none"), AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 404);
	ask(t, "passwords", NULL, AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 404);
}

/* --- SCENARIO and RUN ------------------------------------------------------------------------- */

static void on_written(void *arg, const struct error *err)
{
	assert_null(err);
	*(bool *)arg = true;
}

static void run_once(struct town *t, const char *run, const char *verdict)
{
	bool begun = false, ended = false;
	struct journal_run *r = journal_run_begin(t->journal, run, "server-login", "prod",
		"MARK-project", "MARK-instance", on_written, &begun);
	assert_true(loop_run_until(t->h->loop, &begun));
	json_t *summary = json_pack("{s:f, s:f, s:i, s:i, s:i, s:{s:s, s:s, s:s, s:s, s:s, s:s}}",
		"built_ms", 12000.0, "ended_ms", 20000.0, "created", 9, "deleted", 9, "left", 0,
		"cause", "step", "server", "component", "Compute", "fault", "stuck", "sentence",
		"the object did not become ready in time", "detail", "MARK-detail", "request_id",
		"MARK-request");
	const struct journal_result result = {.verdict = verdict,
		.summary = summary,
		.report = "{\"run\": \"MARK-report\", \"steps\": []}"};
	journal_run_end(r, &result, on_written, &ended);
	assert_true(loop_run_until(t->h->loop, &ended));
	json_decref(summary);
}

static void a_scenario_has_runs_and_steps(void **state)
{
	struct town *t = *state;
	run_once(t, "MARK-run-1", "passed");
	run_once(t, "MARK-run-2", "failed");
	measure(t);
	publish(t);
	const json_t *doc =
		ask(t, "scenario", json_pack("{s:s}", "name", "server-login"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	assert_int_equal(json_array_size(json_object_get(doc, "runs")), 2);
	const json_t *run = first(doc, "runs");
	assert_string_equal(json_str(run, "verdict"), "failed");
	assert_null(json_object_get(run, "run"));
	const json_t *cause = json_object_get(run, "cause");
	assert_string_equal(json_str(cause, "fault"), "stuck");
	assert_null(json_object_get(cause, "detail"));
	assert_string_equal(json_str(first(doc, "steps"), "name"), "server");
	assert_string_equal(json_str(first(doc, "steps"), "component"), "compute");
	assert_int_equal(json_int(last_point(json_object_get(doc, "whole")), "n", 0), 1);
	assert_int_equal(json_array_size(json_object_get(doc, "makes")), 2);
	assert_string_equal(json_str(json_object_get(doc, "last"), "verdict"), "failed");
	const json_t *in_site = first(t->site[AUDIENCE_OPERATORS], "scenarios");
	assert_string_equal(json_str(json_object_get(in_site, "last"), "run"), "MARK-run-2");
	doc = ask(t, "run", json_pack("{s:s}", "run", "MARK-run-1"), AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 200);
	assert_string_equal(json_str(doc, "verdict"), "passed");
	assert_string_equal(json_str(json_object_get(doc, "report"), "run"), "MARK-report");
	ask(t, "run", json_pack("{s:s}", "run", "MARK-run-1"), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
}

/* --- HOSTS ------------------------------------------------------------------------------------ */

/* A server that came up, or failed with that fault, so long ago. */
static void boot(struct town *t, const char *cloud, const char *host, enum fault fault,
	int64_t ago_ms, int64_t ready_ms)
{
	json_t *j = json_pack("{s:s, s:s?, s:s, s:[], s:b}", "server", "s", "host", host, "zone",
		"a", "phases", "good", fault == FAULT_NONE);
	if (fault != FAULT_NONE)
		json_object_set_new(j, "fault", json_string(fault_name(fault)));
	struct run_row row = {.name = (char[]){"server[0]"},
		.boot = j,
		.state = ELEMENT_READY,
		.ready_ns = ready_ms * NS_PER_MS};
	const struct run_report report = {.label = "MARK-run",
		.began_unix_us = (house_now(t->h) - ago_ms) * 1000,
		.rows = &row,
		.row_count = 1};
	boots_note(t->h->facts, cloud, "server-login", &report);
	json_decref(j);
}

static void hosts_tell_when_they_last_were_good(void **state)
{
	struct town *t = *state;
	uint8_t hash[SHA224_BYTES];
	digest_sha224("MARK-projectnode7", 17, hash);
	char *bad = hex_encode(hash, sizeof(hash));
	static const struct house_host names[] = {{"prod", "node7"}, {"lab", "node8"}};
	struct house_lists named = lists;
	named.hosts = names;
	named.host_count = 2;
	house_configure(t->house, &site, &named);
	run_once(t, "MARK-run", "failed"); /* whence the project is known */
	for (int i = 0; i < 3; i++) {
		boot(t, "prod", bad, FAULT_SSH_AUTH, 60000 * (i + 1), 9000);
		boot(t, "prod", "good", FAULT_NONE, 50000, 1000 * (i * i + 1));
	}
	boot(t, "prod", bad, FAULT_NONE, 2 * DAY_MS, 9000);
	boot(t, "prod", bad, FAULT_NONE, 13 * DAY_MS, 9000);
	boot(t, "prod", "gone", FAULT_NONE, 15 * DAY_MS, 9000);
	boot(t, "prod", "ours", FAULT_QUOTA, 1000, -1);
	boot(t, "prod", NULL, FAULT_STUCK, 1000, -1);
	boot(t, "other", "good", FAULT_NONE, 3 * DAY_MS, 9000);
	settle(t);
	const json_t *doc = ask(t, "hosts", NULL, AUDIENCE_OPERATORS);
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
		boot(t, "prod", "3735", FAULT_SSH_AUTH, 60000, 9000);
	boot(t, "prod", "good", FAULT_NONE, 50000, 1000);
	settle(t);
	const json_t *doc = ask(t, "hosts", NULL, AUDIENCE_OPERATORS);
	const json_t *common = json_object_get(first(doc, "clouds"), "common");
	assert_string_equal(json_str(common, "dimension"), "host");
	assert_string_equal(json_str(common, "value"), "3735");
	assert_int_equal(json_int(common, "failed", 0), 3);
	assert_int_equal(json_int(common, "came_up", -1), 0);
	assert_int_equal(json_int(common, "elsewhere", 0), 1);
	ask(t, "hosts", NULL, AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 404);
}

/* --- EVIDENCE --------------------------------------------------------------------------------- */

static void see_marked(struct town *t)
{
	struct observation o = house_result(t->h, "versions", FAULT_HTTP_503);
	o.detail = "MARK-detail";
	o.request = "GET https://MARK-target.example.org/";
	o.request_id = "req-MARK";
	o.service_request_id = "req-MARK-too";
	o.run = "MARK-run";
	house_take(t->h, &o);
}

static int64_t break_it(struct town *t)
{
	house_expect(t->h, "versions", EVERY_MS);
	house_rounds(t->h, "versions", FAULT_NONE, 3);
	for (int i = 0; i < 3; i++) {
		see_marked(t);
		house_pass(t->h, EVERY_MS);
	}
	return judge_verdict(t->h->judge, "compute")->id;
}

static void evidence_has_neighbours(void **state)
{
	struct town *t = *state;
	const int64_t id = break_it(t);
	const json_t *doc =
		ask(t, "evidence", json_pack("{s:I}", "id", (json_int_t)id), AUDIENCE_PUBLIC);
	assert_int_equal(t->status, 200);
	assert_string_equal(json_str(doc, "component_name"), "Compute");
	assert_int_equal(json_int(doc, "previous", 0), id - 1);
	assert_true(json_is_null(json_object_get(doc, "next")));
	assert_null(json_object_get(doc, "samples"));
	doc = ask(t, "evidence", json_pack("{s:I}", "id", (json_int_t)id - 1), AUDIENCE_OPERATORS);
	assert_int_equal(json_int(doc, "next", 0), id);
	assert_non_null(json_object_get(doc, "samples"));
}

/* --- audience --------------------------------------------------------------------------------- */

static bool marked(const json_t *doc)
{
	char *text = json_text(doc);
	const bool found = strstr(text, "MARK") != NULL;
	free(text);
	return found;
}

static void nothing_of_the_operators_is_in_what_the_public_gets(void **state)
{
	struct town *t = *state;
	json_t *figures =
		json_pack("{s:s, s:{s:s}}", "rule", "p95 > 1s", "operators", "file", "MARK-file");
	judge_tell(t->h->judge, &(struct judge_told){.component = "compute",
					.by = "rule:slow",
					.health = HEALTH_DEGRADED,
					.at_ms = house_now(t->h),
					.fresh_ms = house_now(t->h) + 3600000,
					.text = "MARK-sentence",
					.evidence = figures});
	json_decref(figures);
	const int64_t id = break_it(t);
	const json_t *told =
		first(ask(t, "evidence", json_pack("{s:I}", "id", (json_int_t)id), AUDIENCE_PUBLIC),
			"told");
	assert_string_equal(json_str(json_object_get(told, "evidence"), "rule"), "p95 > 1s");
	assert_null(json_object_get(told, "text"));
	run_once(t, "MARK-run-1", "failed");
	measure(t);
	judge_blind(t->h->judge, true, "MARK-why");
	publish(t);
	pass(t, 2000);
	assert_true(marked(t->site[AUDIENCE_OPERATORS]));
	assert_false(marked(t->site[AUDIENCE_PUBLIC]));
	const struct {
		const char *what;
		json_t *args;
		bool theirs; /* holds marks for operators */
	} rows[] = {{"component", json_pack("{s:s}", "id", "compute"), true},
		{"availability", json_object(), false},
		{"scenario", json_pack("{s:s}", "name", "server-login"), true},
		{"evidence", json_pack("{s:I}", "id", (json_int_t)id), true},
		{"run", json_pack("{s:s}", "run", "MARK-run-1"), true},
		{"metrics", json_object(), true}, {"health", json_object(), false}};
	for (size_t i = 0; i < array_len(rows); i++) {
		ask(t, rows[i].what, json_incref(rows[i].args), AUDIENCE_OPERATORS);
		assert_int_equal(t->status, 200);
		assert_int_equal(marked(t->doc), rows[i].theirs);
		ask(t, rows[i].what, json_incref(rows[i].args), AUDIENCE_CUSTOMERS);
		assert_true(!t->doc || !marked(t->doc));
		ask(t, rows[i].what, rows[i].args, AUDIENCE_PUBLIC);
		assert_true(!t->doc || !marked(t->doc));
	}
}

/* --- metrics and health ----------------------------------------------------------------------- */

static void metrics_are_text_with_escaped_labels(void **state)
{
	struct town *t = *state;
	house_expect(t->h, "versions", EVERY_MS);
	house_see(t->h, "versions", FAULT_NONE);
	const json_t *doc = ask(t, "metrics", NULL, AUDIENCE_OPERATORS);
	const char *text = json_str(doc, "text");
	static const char *const lines[] = {
		"glasshouse_component_health{component=\"compute\",cloud=\"prod\"} 0\n",
		"glasshouse_component_state{component=\"compute\",cloud=\"prod\",state=\"operational\"} 1\n",
		"glasshouse_component_state{component=\"compute\",cloud=\"prod\",state=\"outage\"} 0\n",
		"glasshouse_probe_runs_total{probe=\"MARK-\\\"job\\\"\\n\"} 7\n",
		"glasshouse_probe_worst_late_seconds{probe=\"MARK-\\\"job\\\"\\n\"} 1.5\n",
		"# TYPE glasshouse_component_health gauge\n", "glasshouse_series_storing 1\n",
		"glasshouse_build_info{version=\"", "\nprocess_resident_memory_bytes "};
	for (size_t i = 0; i < array_len(lines); i++)
		if (!strstr(text, lines[i]))
			fail_msg("not there: %s", lines[i]);
	/* each line is a comment or ends in a number; each family is said once, before its values
	 */
	char *copy = mem_strdup(text), *save = NULL;
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *end;
		const char *space = strrchr(line, ' ');
		assert_non_null(space);
		if (line[0] == '#')
			continue;
		(void)strtod(space + 1, &end);
		assert_true(end > space + 1 && !*end);
	}
	free(copy);
}

#define RULES 1000

static struct rules *a_thousand_rules(struct town *t, const char *path, struct rule ***ret)
{
	size_t n = 0;
	struct error_list errors = {0};
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "rules:\n");
	for (int i = 0; i < RULES; i++)
		fprintf(f, "- {name: r%d, component: compute, when: 'failures(probe) > %d'}\n", i,
			i);
	fclose(f);
	*ret = rules_load(path, &n, &errors);
	assert_int_equal(errors.n, 0);
	assert_int_equal(n, RULES);
	struct rules *r =
		rules_new(t->h->loop, t->h->series, &(struct rules_options){.rules = *ret, .n = n});
	rules_start(r, NULL);
	return r;
}

/* What a thousand rules say is made in many turns of the loop, and is what it would be in one. */
static void a_thousand_rules_are_told_piece_by_piece(void **state)
{
	struct town *t = *state;
	struct rule **list = NULL;
	char *path = mem_printf("%s/rules.yaml", t->h->root);
	struct rules *r = a_thousand_rules(t, path, &list);
	struct buf lines = BUF(BUF_PAGE);
	house_rules(t->house, r, NULL);
	settle(t);
	json_t *all = json_array();
	for (size_t i = 0; i < rules_count(r); i++) {
		json_t *rule = rules_json(r, i);
		buf_printf(&lines,
			"glasshouse_rule_state{rule=\"r%zu\",component=\"compute\",group=\"\"} 2\n",
			i);
		json_array_append_new(all, rule);
	}
	char *wanted = json_text(all);
	char *got = json_text(json_object_get(ask(t, "rules", NULL, AUDIENCE_OPERATORS), "rules"));
	assert_string_equal(got, wanted);
	const char *text = json_str(ask(t, "metrics", NULL, AUDIENCE_OPERATORS), "text");
	assert_non_null(strstr(text, buf_str(&lines)));
	assert_null(strstr(
		strstr(text, "TYPE glasshouse_rule_state") + 1, "TYPE glasshouse_rule_state"));
	/* nobody is told half of the old and half of the new */
	const unsigned answers = t->answers;
	house_ask(t->house, "rules", NULL, AUDIENCE_OPERATORS, on_answer, t);
	house_ask(t->house, "metrics", NULL, AUDIENCE_OPERATORS, on_answer, t);
	house_rules(t->house, NULL, NULL);
	settle(t);
	assert_int_equal(t->answers, answers + 2);
	assert_null(strstr(json_str(t->doc, "text"), "rule_state{"));
	free(wanted);
	free(got);
	json_decref(all);
	buf_fini(&lines);
	rules_free(r);
	rules_unload(list, RULES);
	free(path);
}

static void health_tells_when_it_is_ready(void **state)
{
	struct town *t = *state;
	ask(t, "health", NULL, AUDIENCE_PUBLIC);
	publish(t);
	const json_t *doc = ask(t, "health", NULL, AUDIENCE_PUBLIC);
	assert_true(json_is_true(json_object_get(doc, "ready")));
	assert_true(json_is_true(json_object_get(doc, "storing")));
	assert_true(json_is_false(json_object_get(doc, "blind")));
}

/* --- the end ---------------------------------------------------------------------------------- */

static void questions_under_way_are_answered_when_it_ends(void **state)
{
	struct town *t = *state;
	measure(t);
	json_t *args = json_pack("{s:s}", "id", "compute");
	house_ask(t->house, "component", args, AUDIENCE_PUBLIC, on_answer, t);
	json_decref(args);
	assert_int_equal(t->answers, 0);
	house_free(t->house);
	assert_int_equal(t->answers, 1);
	assert_int_equal(t->status, 503);
	series_settle(t->h->series);
	t->house = NULL;
	assert_int_equal(t->answers, 1);
}

/* More than are looked at in one turn, so that others go between. */
static void many_series(struct town *t)
{
	for (int i = 0; i < 2500; i++) {
		char name[40];
		snprintf(name, sizeof(name), "many.%d", i);
		assert_non_null(series_get(t->h->series,
			&(struct series_key){
				.kind = SERIES_GAUGE, .unit = "", .name = name, .location = ""}));
	}
	measure(t);
}

static void many_series_are_looked_through_in_turns(void **state)
{
	struct town *t = *state;
	many_series(t);
	json_t *args = json_pack("{s:s, s:s}", "pattern", "versions", "from", "-1h");
	house_ask(t->house, "explore", args, AUDIENCE_PUBLIC, on_answer, t);
	assert_int_equal(t->status, 404);
	const json_t *doc = ask(t, "explore", args, AUDIENCE_OPERATORS);
	assert_int_equal(t->status, 200);
	assert_int_equal(json_array_size(json_object_get(doc, "list")), 1);
	const json_t *total = json_object_get(first(doc, "drawn"), "total");
	assert_int_equal(json_int(total, "n", 0), 2);
	assert_int_equal(json_int(total, "ok", 0), 1);
	const double median = json_number_value(json_array_get(json_object_get(total, "smoke"), 3));
	assert_true(median > 48 && median < 52);
	doc = ask(t, "explore", json_pack("{s:s}", "pattern", "many"), AUDIENCE_OPERATORS);
	assert_int_equal(json_array_size(json_object_get(doc, "list")), MODEL_LISTED);
	assert_int_equal(json_int(doc, "more", 0), 2500 - MODEL_LISTED);
	assert_int_equal(json_int(doc, "not_drawn", 0), 2500 - MODEL_DRAWN);
}

/* While it is still looking, in the middle of that, and while it reads. */
static void looking_ends_with_the_house(void **state)
{
	struct town *t = *state;
	many_series(t);
	for (int turns = 0; turns < 5; turns++) {
		const unsigned before = t->answers;
		json_t *args = json_pack("{s:s}", "pattern", "versions");
		house_ask(t->house, "explore", args, AUDIENCE_OPERATORS, on_answer, t);
		json_decref(args);
		for (int i = 0; i < turns && t->answers == before; i++)
			loop_advance(t->h->loop, 0);
		const bool early = t->answers == before;
		house_free(t->house);
		assert_int_equal(t->answers, before + 1);
		if (early)
			assert_int_equal(t->status, 503);
		series_settle(t->h->series);
		loop_advance(t->h->loop, 0);
		t->house = house_new(
			t->h->loop, t->h->facts, t->h->series, t->h->judge, NULL, add_jobs, t);
		house_configure(t->house, &site, &lists);
		assert_int_equal(t->answers, before + 1);
	}
}

int test_house(void);
int test_house(void)
{
	const struct CMUnitTest tests[] = {
		town_test(it_is_published_at_once_and_then_every_thirty_seconds),
		town_test(what_is_changed_often_is_published_once_a_second_at_most),
		town_test(the_revision_grows_with_content_alone),
		town_test(components_stand_with_their_states),
		town_test(what_the_site_says_of_itself_stands_there),
		town_test(of_no_component_nobody_says_that_it_is_well),
		town_test(availability_tells_what_was_seen),
		town_test(what_was_never_known_has_no_share),
		town_test(days_go_on_over_midnight),
		town_test(a_component_has_spans_and_trends),
		town_test(what_is_not_there_is_not_found),
		town_test(a_scenario_has_runs_and_steps),
		town_test(hosts_tell_when_they_last_were_good),
		town_test(what_failures_have_in_common_names_the_host),
		town_test(evidence_has_neighbours),
		town_test(nothing_of_the_operators_is_in_what_the_public_gets),
		town_test(metrics_are_text_with_escaped_labels),
		town_test(a_thousand_rules_are_told_piece_by_piece),
		town_test(health_tells_when_it_is_ready),
		town_test(questions_under_way_are_answered_when_it_ends),
		town_test(many_series_are_looked_through_in_turns),
		town_test(looking_ends_with_the_house),
	};
	return cmocka_run_group_tests_name("house", tests, NULL, NULL);
}

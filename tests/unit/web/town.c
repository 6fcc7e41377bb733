/*
 * town.c - see town.h.
 */
#include "town.h"

#include <stdlib.h>

#include "observe/boots.h"

static const char *const languages[] = {"en", "de", NULL};
static const char *const makes[] = {"a server", "a network", NULL};
const struct house_site town_site = {.name = "Example Cloud",
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
const struct house_lists town_lists = {probes, scenarios, possible, 2, 1, 1};

static void on_site(void *arg, enum audience audience, json_t *doc, const char *told)
{
	struct town *t = arg;
	const int64_t now = house_now(t->h), gap = now - t->published_ms[audience];
	struct error err;
	json_decref(t->site[audience]);
	t->site[audience] = json_copy(doc); /* the house compares what it gave with the next */
	json_object_set_new(
		t->site[audience], "probes", json_parse(slice_of(told), BUF_PAGE, &err));
	json_decref(doc);
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

void town_open(struct town *t)
{
	t->house = house_new(t->h->loop, t->h->facts, t->h->series, t->h->judge, NULL, add_jobs, t);
	house_configure(t->house, &town_site, &town_lists);
}

int town_setup(void **state)
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
	town_open(t);
	*state = t;
	return 0;
}

int town_teardown(void **state)
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

void town_settle(struct town *t)
{
	for (int i = 0; i < 3; i++) {
		loop_advance(t->h->loop, 0);
		worker_settle(t->house->worker);
		house_settle(t->h);
	}
}

void town_pass(struct town *t, int64_t ms)
{
	for (; ms > 0; ms -= 1000) {
		loop_advance(t->h->loop, (ms < 1000 ? ms : 1000) * NS_PER_MS);
		town_settle(t);
	}
}

void town_publish(struct town *t)
{
	house_publish_with(t->house, on_site, t);
	town_pass(t, 3000); /* what was read meanwhile is published a second later */
}

void town_on_answer(void *arg, int status, json_t *doc)
{
	struct town *t = arg;
	t->answers++;
	t->status = status;
	json_decref(t->doc);
	t->doc = doc;
}

const json_t *town_ask(struct town *t, const char *what, json_t *args, enum audience audience)
{
	const unsigned before = t->answers;
	house_ask(t->house, what, args, audience, town_on_answer, t);
	json_decref(args);
	town_settle(t);
	assert_int_equal(t->answers, before + 1);
	return t->doc;
}

const json_t *town_first(const json_t *doc, const char *list)
{
	const json_t *one = json_array_get(json_object_get(doc, list), 0);
	assert_non_null(one);
	return one;
}

double town_share(const json_t *ratio, const char *key)
{
	return json_number_value(json_object_get(ratio, key));
}

/* --- what happens in it ------------------------------------------------------------------------
 */

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

void town_measure(struct town *t)
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

static void on_written(void *arg, const struct error *err)
{
	assert_null(err);
	*(bool *)arg = true;
}

void town_run(struct town *t, const char *run, const char *verdict)
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

void town_boot(struct town *t, const char *cloud, const char *host, enum fault fault,
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

int64_t town_break(struct town *t)
{
	house_expect(t->h, "versions", EVERY_MS);
	house_rounds(t->h, "versions", FAULT_NONE, 3);
	for (int i = 0; i < 3; i++) {
		see_marked(t);
		house_pass(t->h, EVERY_MS);
	}
	return judge_verdict(t->h->judge, "compute")->id;
}

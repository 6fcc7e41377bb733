/*
 * test_alertmanager.c - alerts that fire, are repeated, give way and are resolved: on a virtual
 * clock against a receiver that listens, and against Prometheus' own Alertmanager.
 */
#include "../check.h"
#include "alarm_house.h"
#include "alertmanager.h"
#include "base/json.h"
#include "tell/alarm_inside.h"

static int64_t ms_at(const json_t *o, const char *path)
{
	const char *s = json_string_value(json_path(o, path));
	int64_t us = 0;

	if (!s || !clock_parse_rfc3339(s, &us))
		fail_msg("%s is no time", path);
	return us / 1000;
}

static void an_alert_fires_and_says_all_there_is(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	char *link;
	int64_t id;

	house_alarm(h, ALARM_ALERTMANAGER, "/am/");
	house_start(h);
	id = house_change(h, "compute", HEALTH_OUTAGE);
	one = house_next(h);
	assert_non_null(strstr(one->head, "POST /am/api/v2/alerts HTTP/1.1\r\n"));
	assert_non_null(strstr(one->head, "Content-Type: application/json\r\n"));
	assert_int_equal(json_array_size(one->body), 1);
	assert_at(one->body, "0/labels/alertname", "GlasshouseComponentHealth");
	assert_at(one->body, "0/labels/component", "compute");
	assert_at(one->body, "0/labels/health", "outage");
	assert_at(one->body, "0/labels/severity", "critical");
	assert_at(one->body, "0/labels/site", "Example Cloud");
	assert_at(one->body, "0/labels/location", "berlin-outside");
	assert_at(one->body, "0/labels/instance", "example-berlin");
	assert_at(one->body, "0/annotations/summary", "Compute is in outage");
	assert_at(one->body, "0/annotations/description", "3 of 3 probes say so");
	link = mem_printf("https://status.example.org/evidence/%lld", (long long)id);
	assert_at(one->body, "0/generatorURL", link);
	assert_int_equal(ms_at(one->body, "0/startsAt"), house_now_ms(h));
	assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h) + 300000);
	free(link);
}

static void what_fires_is_repeated_until_it_is_resolved(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	int64_t began;
	json_t *labels;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	began = house_now_ms(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	labels = json_object_get(json_array_get(house_next(h)->body, 0), "labels");
	for (int i = 0; i < 3; i++) {
		house_pass(h, 59);
		house_silent(h);
		house_pass(h, 1);
		one = house_next(h);
		assert_true(json_equal(json_path(one->body, "0/labels"), labels));
		assert_int_equal(ms_at(one->body, "0/startsAt"), began);
		assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h) + 300000);
	}
	assert_int_equal(house_state(h, 0)->sent, 1); /* repeats are not news */
	house_pass(h, 20);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 1);
	assert_true(json_equal(json_path(one->body, "0/labels"), labels));
	assert_int_equal(ms_at(one->body, "0/startsAt"), began);
	assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h));
	house_pass(h, 300);
	house_silent(h);
}

static void a_state_gives_way_to_another_in_one_request(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	int64_t began;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	began = house_now_ms(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	assert_at(house_next(h)->body, "0/labels/severity", "warning");
	house_pass(h, 30);
	house_change(h, "compute", HEALTH_OUTAGE);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 2);
	assert_at(one->body, "0/labels/health", "degraded");
	assert_int_equal(ms_at(one->body, "0/startsAt"), began);
	assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h));
	assert_at(one->body, "1/labels/health", "outage");
	assert_int_equal(ms_at(one->body, "1/startsAt"), house_now_ms(h));
	assert_true(ms_at(one->body, "1/endsAt") > house_now_ms(h));
	house_pass(h, 60);
	assert_int_equal(json_array_size(house_next(h)->body), 1); /* only what fires */
}

/* A state that is not wanted still ends the one that was told. */
static void a_filter_does_not_leave_alerts_behind(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_ALERTMANAGER, "")->on = 1u << HEALTH_OUTAGE;
	house_start(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_silent(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 10);
	house_change(h, "compute", HEALTH_DEGRADED);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 1);
	assert_at(one->body, "0/labels/health", "outage");
	assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h));
	house_pass(h, 120);
	house_silent(h);
}

static void a_start_goes_on_with_what_fires(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	int64_t began;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	began = house_now_ms(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	alarms_could_not_run(h->alarms, "scenario login", "compute", "quota used up");
	house_settle(h);
	house_next(h);
	assert_at(house_next(h)->body, "0/labels/alertname", "GlasshouseCouldNotRun");
	house_crash(h);
	house_pass(h, 0);
	one = house_next(h); /* at once: it may have been long */
	assert_int_equal(json_array_size(one->body), 2);
	assert_int_equal(ms_at(one->body, "0/startsAt"), began);
	house_pass(h, 59);
	house_silent(h);
	house_pass(h, 1);
	house_next(h);
	alarms_could_not_run(h->alarms, "scenario login", "compute", NULL);
	house_settle(h);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 1);
	assert_at(one->body, "0/labels/what", "scenario login");
	assert_int_equal(ms_at(one->body, "0/endsAt"), house_now_ms(h));
}

static bool end_verdicts(struct facts_tx *tx, void *arg, struct error *err)
{
	return facts_run(tx,
		"UPDATE verdict SET until_ms = since_ms + 1 WHERE component = 'compute'", NULL, 0,
		err);
}

/* Taken off the page: its verdict ends, and no other follows. */
static void what_is_no_longer_judged_is_no_longer_repeated(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_change(h, "network", HEALTH_OUTAGE);
	house_next(h);
	house_next(h);
	house_pass(h, 60);
	assert_int_equal(json_array_size(house_next(h)->body), 2);
	assert_true(facts_call(h->facts, end_verdicts, NULL, &h->err));
	house_pass(h, 60);
	assert_int_equal(json_array_size(house_next(h)->body), 1);
	assert_at(h->heard.p[3].body, "0/labels/component", "network");
}

static void a_repeat_that_fails_is_trouble_and_goes_on(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_script(h, 200, NULL);
	house_script(h, 503, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 60);
	assert_int_equal(house_state(h, 0)->failed, 1);
	assert_non_null(house_state(h, 0)->trouble);
	house_pass(h, 60);
	assert_null(house_state(h, 0)->trouble);
	assert_int_equal(house_heard(h), 3);
}

/* --- the real one ------------------------------------------------------------------------------
 */

struct listing {
	bool done;
	json_t *alerts;
};

static void on_listing(void *arg, const struct http_answer *a)
{
	struct listing *l = arg;

	l->done = true;
	assert_int_equal(a->fault, FAULT_NONE);
	assert_int_equal(a->status, 200);
	l->alerts = json_parse(a->body, SIZE_MAX, NULL);
}

/* What it holds, resolved alerts left out, as it answers. Owned. */
static json_t *list_alerts(struct alarm_house *h, const struct alertmanager *m)
{
	struct listing l = {0};
	char *url = mem_printf("%s/api/v2/alerts?active=true", m->url);

	http_send(h->client,
		&(struct http_request){.method = "GET", .url = url, .deadline_ns = 10 * NS_PER_S},
		on_listing, &l);
	while (!l.done) {
		loop_advance(h->loop, 0);
		usleep(200);
	}
	free(url);
	assert_non_null(l.alerts);
	return l.alerts;
}

static json_t *until_listed(struct alarm_house *h, const struct alertmanager *m, size_t n)
{
	for (int tries = 0;; tries++) {
		json_t *alerts = list_alerts(h, m);

		if (json_array_size(alerts) == n)
			return alerts;
		if (tries > 2000)
			fail_msg("it holds %s, not %zu", json_text(alerts), n);
		json_decref(alerts);
		usleep(5000);
	}
}

static void stop_alertmanager(void *m)
{
	alertmanager_stop(m);
}

/* Its clock is the real one, so ours begins there. */
static void alertmanager_itself_takes_shows_and_resolves(void **state)
{
	struct alarm_house *h = *state;
	struct alertmanager *m;
	json_t *alerts;

	if (!alertmanager_exists())
		skip();
	m = alertmanager_start();
	h->peer_stop = stop_alertmanager;
	h->real_peer = m;
	h->clock.unix_us = clock_unix_us(&clock_system) - 10 * 1000000;
	house_alarm(h, ALARM_ALERTMANAGER, "")->url = m->url;
	house_start(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	alarms_could_not_run(h->alarms, "scenario login", NULL, "quota used up");
	house_settle(h);
	assert_null(house_state(h, 0)->trouble);
	assert_int_equal(house_state(h, 0)->sent, 2);
	alerts = until_listed(h, m, 2);
	json_decref(alerts);
	house_pass(h, 3);
	house_change(h, "compute", HEALTH_OUTAGE);
	alarms_could_not_run(h->alarms, "scenario login", NULL, NULL);
	house_settle(h);
	alerts = until_listed(h, m, 1); /* the outage in place of the other two */
	assert_at(alerts, "0/labels/component", "compute");
	assert_at(alerts, "0/labels/health", "outage");
	assert_at(alerts, "0/annotations/summary", "Compute is in outage");
	assert_at(alerts, "0/status/state", "active");
	assert_at(alerts, "0/generatorURL", "https://status.example.org/evidence/2");
	assert_int_equal(ms_at(alerts, "0/startsAt"), house_now_ms(h));
	json_decref(alerts);
	house_crash(h);
	house_pass(h, 3);
	alerts = until_listed(h, m, 1);
	assert_int_equal(ms_at(alerts, "0/startsAt"), house_now_ms(h) - 3000);
	json_decref(alerts);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	assert_null(house_state(h, 0)->trouble);
	json_decref(until_listed(h, m, 0));
}

int test_alertmanager(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(an_alert_fires_and_says_all_there_is),
		alarm_test(what_fires_is_repeated_until_it_is_resolved),
		alarm_test(a_state_gives_way_to_another_in_one_request),
		alarm_test(a_filter_does_not_leave_alerts_behind),
		alarm_test(a_start_goes_on_with_what_fires),
		alarm_test(what_is_no_longer_judged_is_no_longer_repeated),
		alarm_test(a_repeat_that_fails_is_trouble_and_goes_on),
		alarm_test(alertmanager_itself_takes_shows_and_resolves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

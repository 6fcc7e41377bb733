/*
 * test_alarm.c - what webhooks are told: which changes, when, in which order, with which words.
 */
#include "../check.h"
#include "alarm_house.h"
#include "base/json.h"

static const json_t *changes(const struct heard *one)
{
	return json_object_get(one->body, "changes");
}

static void a_change_is_told_at_once_with_all_there_is(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	int64_t id;
	char *link, *key, since[CLOCK_TEXT];

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_silent(h); /* the first verdict is no news when it is good */
	house_pass(h, 10);
	id = house_change(h, "compute", HEALTH_OUTAGE);
	one = house_next(h);
	assert_non_null(strstr(one->head, "POST /hook HTTP/1.1\r\n"));
	assert_non_null(strstr(one->head, "Content-Type: application/json\r\n"));
	key = mem_printf("Idempotency-Key: %s\r\n", json_str(one->body, "id"));
	assert_non_null(strstr(one->head, key));
	assert_null(strstr(one->head, "Authorization"));
	assert_at(one->body, "kind", "health");
	assert_at(one->body, "site", "Example Cloud");
	assert_at(one->body, "location", "berlin-outside");
	assert_at(one->body, "instance", "example-berlin");
	assert_at(one->body, "at", clock_rfc3339(house_now_ms(h) * 1000, since));
	assert_int_equal(json_array_size(changes(one)), 1);
	assert_at(one->body, "changes/0/component", "compute");
	assert_at(one->body, "changes/0/name", "Compute");
	assert_at(one->body, "changes/0/from", "operational");
	assert_at(one->body, "changes/0/to", "outage");
	assert_at(one->body, "changes/0/since", since);
	assert_at(one->body, "changes/0/reason", "3 of 3 probes say so");
	link = mem_printf("https://status.example.org/evidence/%lld", (long long)id);
	assert_at(one->body, "changes/0/evidence_url", link);
	assert_null(json_path(one->body, "changes/0/lasted_s"));
	assert_ptr_equal(
		strstr(json_str(one->body, "text"), "Compute is in outage: 3 of 3 probes say so\n"),
		json_str(one->body, "text"));
	free(link);
	free(key);
	house_silent(h);
	assert_int_equal(house_state(h, 0)->sent, 1);
	assert_int_equal(house_state(h, 0)->waiting, 0);
	assert_null(house_state(h, 0)->trouble);
	assert_int_equal(house_state(h, 0)->last_ok_ms, house_now_ms(h));
}

static void what_follows_within_a_minute_comes_as_one_summary(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	assert_at(house_next(h)->body, "kind", "health");
	house_pass(h, 10);
	house_change(h, "network", HEALTH_DEGRADED);
	house_change(h, "volume", HEALTH_OUTAGE);
	house_pass(h, 30);
	house_change(h, "network", HEALTH_OPERATIONAL);
	house_pass(h, 19);
	house_silent(h);
	assert_int_equal(house_state(h, 0)->waiting, 3);
	house_pass(h, 1);
	one = house_next(h);
	assert_at(one->body, "kind", "summary");
	assert_int_equal(json_array_size(changes(one)), 3);
	assert_at(one->body, "changes/0/component", "network");
	assert_at(one->body, "changes/1/component", "volume");
	assert_at(one->body, "changes/2/to", "operational");
	assert_int_equal(json_integer_value(json_path(one->body, "changes/2/lasted_s")), 30);
	assert_non_null(
		strstr(json_str(one->body, "text"), "Network is operational again after 30 s"));
	house_silent(h);
	/* The summary opened a minute of its own; after quiet the next goes at once again. */
	house_change(h, "volume", HEALTH_OPERATIONAL);
	house_silent(h);
	house_pass(h, 60);
	assert_at(house_next(h)->body, "kind", "health");
	house_pass(h, 600);
	house_change(h, "image", HEALTH_DEGRADED);
	assert_at(house_next(h)->body, "changes/0/component", "image");
}

static void the_fold_is_as_configured(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = 5 * NS_PER_S;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_change(h, "network", HEALTH_OUTAGE);
	house_pass(h, 4);
	house_silent(h);
	house_pass(h, 1);
	house_next(h);
}

static void a_recovery_says_how_long_it_lasted(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_pass(h, 300);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 425);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	assert_at(house_next(h)->body, "changes/0/to", "degraded");
	assert_at(house_next(h)->body, "changes/0/from", "degraded");
	one = house_next(h);
	assert_int_equal(json_integer_value(json_path(one->body, "changes/0/lasted_s")), 725);
	assert_non_null(
		strstr(json_str(one->body, "text"), "Compute is operational again after 12 min"));
}

static void only_what_was_told_is_told_to_be_over(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->on = 1u << HEALTH_OUTAGE | ALARM_ON_RECOVERY;
	house_start(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 120);
	house_silent(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 120);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_pass(h, 120);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	assert_at(house_next(h)->body, "changes/0/to", "outage");
	assert_at(house_next(h)->body, "changes/0/to", "operational");
	house_silent(h);
}

static void recoveries_can_be_unwanted(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->on = 1u << HEALTH_OUTAGE;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 120);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 120);
	house_silent(h);
}

static void unknown_is_told_as_unknown_with_its_reason(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	h->site.url = "";
	house_start(h);
	house_verdict(h, "compute", HEALTH_UNKNOWN, "never", "nothing was looked at yet");
	alarms_wake(h->alarms);
	house_settle(h);
	house_silent(h);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_verdict(h, "compute", HEALTH_UNKNOWN, "config", "the credentials were refused");
	alarms_wake(h->alarms);
	house_settle(h);
	one = house_next(h);
	assert_at(one->body, "changes/0/to", "unknown");
	assert_at(one->body, "changes/0/reason", "the credentials were refused");
	assert_non_null(strstr(json_str(one->body, "text"), "Compute is unknown: the credentials"));
	assert_true(json_is_null(json_path(one->body, "changes/0/evidence_url")));
}

static void components_that_are_not_listed_are_not_told(void **state)
{
	static const char *const mine[] = {"compute", "volume", NULL};
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->components = mine;
	house_start(h);
	house_change(h, "network", HEALTH_OUTAGE);
	alarms_could_not_run(h->alarms, "endpoint network", "network", "no route");
	house_settle(h);
	house_silent(h);
	house_change(h, "volume", HEALTH_OUTAGE);
	assert_at(house_next(h)->body, "changes/0/component", "volume");
}

static void what_was_before_the_first_start_is_no_news(void **state)
{
	struct alarm_house *h = *state;

	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "old");
	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_pass(h, 120);
	house_silent(h);
}

static void the_token_is_sent_and_told_to_nobody(void **state)
{
	struct alarm_house *h = *state;
	struct secret *token = secret_new(slice_of("open-sesame"));

	house_alarm(h, ALARM_WEBHOOK, "/hook")->token = token;
	house_start(h);
	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "open-sesame is no answer");
	alarms_wake(h->alarms);
	house_settle(h);
	assert_non_null(strstr(house_next(h)->head, "Authorization: Bearer open-sesame\r\n"));
	assert_at(h->heard.p[0].body, "changes/0/reason", "*** is no answer");
	secret_unref(token);
}

static void what_could_not_run_is_told_once_and_once_when_it_is_over(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	alarms_could_not_run(h->alarms, "scenario volume-life", NULL, NULL); /* never began */
	for (int i = 0; i < 5; i++) {
		alarms_could_not_run(h->alarms, "scenario volume-life", "volume", "quota used up");
		house_pass(h, 10);
	}
	one = house_next(h);
	assert_at(one->body, "kind", "could_not_run");
	assert_int_equal(json_array_size(changes(one)), 0);
	assert_at(one->body, "could_not_run/0/what", "scenario volume-life");
	assert_at(one->body, "could_not_run/0/component", "volume");
	assert_at(one->body, "could_not_run/0/reason", "quota used up");
	assert_false(json_flag(json_path(one->body, "could_not_run/0"), "over"));
	assert_non_null(strstr(
		json_str(one->body, "text"), "scenario volume-life could not run: quota used up"));
	house_silent(h);
	house_crash(h); /* said already */
	alarms_could_not_run(h->alarms, "scenario volume-life", "volume", "quota used up");
	house_pass(h, 10);
	house_silent(h);
	alarms_could_not_run(h->alarms, "scenario volume-life", "volume", NULL);
	alarms_could_not_run(h->alarms, "scenario volume-life", "volume", NULL);
	house_pass(h, 10);
	one = house_next(h);
	assert_true(json_flag(json_path(one->body, "could_not_run/0"), "over"));
	assert_int_equal(json_integer_value(json_path(one->body, "could_not_run/0/lasted_s")), 60);
	house_crash(h);
	house_pass(h, 10);
	house_silent(h);
}

static void the_configuration_is_checked_whole(void **state)
{
	static const char *const nobody[] = {NULL}, *const wrong[] = {"a@b\r\nBcc: x@y", NULL};
	struct alarm_house *h = *state;
	const struct {
		struct alarm alarm;
		const char *part;
	} rows[] = {
		{{.kind = ALARM_WEBHOOK, .url = "ftp://x/"}, "no http or https address"},
		{{.kind = ALARM_WEBHOOK}, "no http or https address"},
		{{.kind = ALARM_MAIL, .to = nobody}, "needs a mail server"},
		{{.kind = ALARM_MAIL, .to = nobody, .mail = {.host = "m", .from = "a@b"}},
			"needs 1 to 50"},
		{{.kind = ALARM_MAIL, .to = wrong, .mail = {.host = "m", .from = "a@b"}},
			"no address like"},
		{{.name = "fine", .kind = ALARM_WEBHOOK, .url = "http://x/"}, "called \"fine\""},
	};

	house_alarm(h, ALARM_WEBHOOK, "/hook")->name = "fine";
	house_start(h);
	for (size_t i = 0; i < array_len(rows); i++) {
		const struct alarm both[] = {h->list.p[0], rows[i].alarm};
		struct error err = {0};

		assert_false(alarms_configure(h->alarms, &h->site, both, 2, &err));
		if (!strstr(err.msg, rows[i].part))
			fail_msg("%s", err.msg);
		assert_null(alarms_new(
			h->loop, h->facts, h->client, h->mailer, &h->site, both, 2, &err));
	}
	house_change(h, "compute", HEALTH_OUTAGE); /* nothing has changed */
	house_next(h);
}

static void a_sign_of_life_goes_out_only_while_alive(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_DEADMAN, "/push/token")->every_ns = 30 * NS_PER_S;
	house_start(h);
	house_pass(h, 90);
	house_silent(h);
	alarms_alive(h->alarms, true);
	house_settle(h);
	assert_non_null(strstr(house_next(h)->head, "GET /push/token HTTP/1.1\r\n"));
	alarms_alive(h->alarms, true);
	house_pass(h, 29);
	house_silent(h);
	house_pass(h, 1);
	house_next(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	alarms_alive(h->alarms, false);
	house_pass(h, 300);
	house_silent(h);
	house_script(h, 500, NULL);
	alarms_alive(h->alarms, true);
	house_settle(h);
	house_next(h);
	assert_int_equal(house_state(h, 0)->failed, 1);
	assert_string_equal(house_state(h, 0)->trouble, "the receiver answers 500: words");
	house_pass(h, 10); /* soon again */
	house_next(h);
	assert_null(house_state(h, 0)->trouble);
	assert_int_equal(house_state(h, 0)->sent, 3);
}

/* --- what the documentation shows --------------------------------------------------------------
 */

/* The nth block of JSON in docs/alarms.md. Owned. */
static void assert_documented(unsigned nth, const json_t *real)
{
	json_t *o = documented(nth);
	char *shown = json_text(o), *text = json_text(real);

	assert_string_equal(text, shown);
	free(text);
	free(shown);
	json_decref(o);
}

static void the_documentation_shows_what_is_sent(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 720);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	one = house_next(h);
	json_object_set_new(one->body, "id", json_string("6f1f7c0e-8c0e-4c55-9d0e-3f6f6b1f2a11"));
	assert_documented(0, one->body);
	alarms_could_not_run(
		h->alarms, "scenario login", "compute", "the project's quota is used up");
	house_pass(h, 2);
	assert_documented(1, json_path(house_next(h)->body, "could_not_run/0"));
}

static void the_documentation_shows_the_alert_that_is_sent(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	assert_documented(4, json_path(house_next(h)->body, "0"));
}

int test_alarm(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(a_change_is_told_at_once_with_all_there_is),
		alarm_test(what_follows_within_a_minute_comes_as_one_summary),
		alarm_test(the_fold_is_as_configured),
		alarm_test(a_recovery_says_how_long_it_lasted),
		alarm_test(only_what_was_told_is_told_to_be_over),
		alarm_test(recoveries_can_be_unwanted),
		alarm_test(unknown_is_told_as_unknown_with_its_reason),
		alarm_test(components_that_are_not_listed_are_not_told),
		alarm_test(what_was_before_the_first_start_is_no_news),
		alarm_test(the_token_is_sent_and_told_to_nobody),
		alarm_test(what_could_not_run_is_told_once_and_once_when_it_is_over),
		alarm_test(the_configuration_is_checked_whole),
		alarm_test(a_sign_of_life_goes_out_only_while_alive),
		alarm_test(the_documentation_shows_what_is_sent),
		alarm_test(the_documentation_shows_the_alert_that_is_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

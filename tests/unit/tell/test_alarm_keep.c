/*
 * test_alarm_keep.c - nothing is lost, nothing is told twice unmarked: receivers that fail, our own
 * death at each stage, a thousand changes, alarms that come and go.
 */
#include "../check.h"
#include "alarm_house.h"
#include "base/json.h"
#include "tell/alarm_inside.h"

static const json_t *changes(const struct heard *one)
{
	return json_object_get(one->body, "changes");
}

static char *id_of(const struct heard *one)
{
	return mem_strdup(json_str(one->body, "id"));
}

/* --- receivers that fail -----------------------------------------------------------------------
 */

static void a_receiver_that_fails_is_asked_again_with_the_same_id(void **state)
{
	static const int status[] = {500, 503, 408, 302, -1, 429};
	static const int after[] = {1, 2, 4, 8, 16, 32};
	struct alarm_house *h = *state;
	char *id, *text;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	for (size_t i = 0; i < array_len(status); i++)
		house_script(h, status[i], "Location: /other\r\n");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	text = json_text(house_next(h)->body);
	id = id_of(&h->heard.p[0]);
	for (size_t i = 0; i < array_len(status); i++) {
		const struct heard *one;
		char *again, *key;

		assert_int_equal(house_state(h, 0)->waiting, 1);
		assert_int_equal(house_state(h, 0)->failed, i + 1);
		assert_non_null(house_state(h, 0)->trouble);
		house_pass(h, after[i] - 1);
		house_silent(h);
		house_pass(h, 1);
		one = house_next(h);
		again = json_text(one->body);
		assert_string_equal(again, text);
		key = mem_printf("POST /hook HTTP/1.1\r\n");
		assert_non_null(strstr(one->head, key));
		free(key);
		key = mem_printf("Idempotency-Key: %s\r\n", id);
		assert_non_null(strstr(one->head, key));
		free(key);
		free(again);
	}
	assert_int_equal(house_state(h, 0)->sent, 1);
	assert_int_equal(house_state(h, 0)->waiting, 0);
	assert_null(house_state(h, 0)->trouble);
	house_pass(h, 600);
	house_silent(h);
	free(text);
	free(id);
}

static void a_receiver_that_says_when_is_asked_then(void **state)
{
	struct alarm_house *h = *state;
	char date[CLOCK_TEXT], *header;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_script(h, 429, "Retry-After: 90\r\n");
	header = mem_printf("Retry-After: %s\r\n",
		clock_http_date((house_now_ms(h) + 90000 + 300000) * 1000, date));
	vec_push(&h->texts, header);
	house_script(h, 503, header);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 89);
	house_silent(h);
	house_pass(h, 1);
	house_next(h);
	house_pass(h, 299);
	house_silent(h);
	house_pass(h, 1);
	house_next(h);
	assert_int_equal(house_state(h, 0)->sent, 1);
}

static void a_receiver_that_is_silent_has_ten_seconds(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_script(h, 0, NULL);
	house_start(h);
	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "x");
	alarms_wake(h->alarms);
	house_until_heard(h, 1);
	loop_advance(h->loop, 9 * NS_PER_S);
	assert_int_equal(house_state(h, 0)->failed, 0);
	loop_advance(h->loop, NS_PER_S);
	house_settle(h);
	assert_int_equal(house_state(h, 0)->failed, 1);
	house_pass(h, 1);
	assert_int_equal(house_heard(h), 2);
	assert_int_equal(house_state(h, 0)->sent, 1);
}

static void a_refusal_is_final_and_told_elsewhere(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;

	house_alarm(h, ALARM_WEBHOOK, "/bad")->name = "bad";
	house_alarm(h, ALARM_WEBHOOK, "/good")->on = 1u << HEALTH_MAINTENANCE;
	h->list.p[0].fold_ns = h->list.p[1].fold_ns = NS_PER_S;
	house_script(h, 400, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 5);
	assert_non_null(strstr(house_next(h)->head, "POST /bad "));
	one = house_next(h);
	assert_non_null(strstr(one->head, "POST /good "));
	assert_at(one->body, "could_not_run/0/what", "alarm bad");
	assert_at(one->body, "could_not_run/0/reason",
		"gave up telling 1 change: the receiver answers 400: words");
	assert_int_equal(house_state(h, 0)->failed, 1);
	assert_int_equal(house_state(h, 0)->waiting, 0);
	assert_string_equal(house_state(h, 0)->trouble,
		"gave up telling 1 change: the receiver answers 400: words");
	/* It never heard of the trouble, so its end is no news; the next trouble is. */
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 120);
	house_silent(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_pass(h, 5);
	assert_non_null(strstr(house_next(h)->head, "POST /bad "));
	one = house_next(h);
	assert_at(one->body, "could_not_run/0/what", "alarm bad");
	assert_true(json_flag(json_path(one->body, "could_not_run/0"), "over"));
	assert_null(house_state(h, 0)->trouble);
	house_silent(h);
}

static void trouble_once_taken_keeps_its_end(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_script(h, 200, NULL);
	house_script(h, 400, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_DEGRADED);
	house_pass(h, 5);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 5);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 5);
	assert_at(house_next(h)->body, "changes/0/to", "degraded");
	assert_at(house_next(h)->body, "changes/0/to", "outage");
	assert_at(house_next(h)->body, "changes/0/to", "operational");
}

/* The end waits behind the trouble that fails; when that is given up, it goes too. */
static void an_end_never_overtakes_and_falls_with_its_trouble(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	for (int i = 0; i < 3; i++)
		house_script(h, 500, NULL);
	house_script(h, 410, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_change(h, "network", HEALTH_OUTAGE);
	house_pass(h, 3);
	for (int i = 0; i < 3; i++)
		assert_at(house_next(h)->body, "changes/0/to", "outage");
	house_silent(h);
	assert_int_equal(house_state(h, 0)->waiting, 3);
	house_pass(h, 4);
	house_next(h);
	assert_int_equal(json_array_size(changes(house_next(h))), 1);
	assert_at(h->heard.p[4].body, "changes/0/component", "network");
	house_silent(h);
}

static void what_is_refused_for_a_day_is_given_up(void **state)
{
	struct alarm_house *h = *state;
	size_t n;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	for (int i = 0; i < 400; i++)
		house_script(h, 500, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_pass(h, 3600);
	/* 1 + 2 + 4 ... 256 s, then every 5 min */
	n = house_heard(h);
	assert_in_range(n, 18, 21);
	h->seen = n;
	house_pass(h, 300);
	house_next(h);
	house_silent(h);
	for (int i = 0; i < 22; i++)
		house_pass(h, 3600);
	assert_int_equal(house_state(h, 0)->waiting, 1);
	house_pass(h, 3600);
	assert_int_equal(house_state(h, 0)->waiting, 0);
	assert_non_null(strstr(house_state(h, 0)->trouble, "gave up telling 1 change"));
	n = house_heard(h);
	house_pass(h, 3600);
	assert_int_equal(house_heard(h), n);
}

/* --- our own death -----------------------------------------------------------------------------
 */

static void death_before_the_feed_was_read(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "x");
	house_crash(h);
	assert_at(house_next(h)->body, "changes/0/to", "outage");
	house_crash(h);
	house_pass(h, 120);
	house_silent(h);
}

static void death_while_changes_are_folded(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_change(h, "network", HEALTH_OUTAGE);
	house_change(h, "volume", HEALTH_OUTAGE);
	house_pass(h, 20);
	house_crash(h);
	house_pass(h, 39);
	house_silent(h);
	house_pass(h, 1);
	assert_int_equal(json_array_size(changes(house_next(h))), 2);
	house_pass(h, 120);
	house_silent(h);
}

/* The receiver has it, but whether it took it nobody knows: the same again, with the same id. */
static void death_with_a_message_under_way(void **state)
{
	struct alarm_house *h = *state;
	const struct heard *one;
	char *id, *text, *again;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_script(h, 0, NULL);
	house_start(h);
	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "x");
	alarms_wake(h->alarms);
	house_until_heard(h, 1);
	text = json_text(house_next(h)->body);
	id = id_of(&h->heard.p[0]);
	house_crash(h);
	one = house_next(h);
	again = json_text(one->body);
	assert_string_equal(again, text);
	assert_at(one->body, "id", id);
	house_crash(h);
	house_pass(h, 120);
	house_silent(h);
	free(again);
	free(text);
	free(id);
}

static void death_between_attempts_and_the_end_still_follows(void **state)
{
	struct alarm_house *h = *state;
	char *id;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_script(h, 500, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	id = id_of(&h->heard.p[0]);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_crash(h);
	house_pass(h, 1);
	assert_at(house_next(h)->body, "id", id);
	house_pass(h, 60);
	assert_at(house_next(h)->body, "changes/0/to", "operational");
	house_crash(h);
	house_pass(h, 120);
	house_silent(h);
	free(id);
}

/* What a receiver was told of is known after a start. */
static void what_was_told_survives_restarts(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_next(h);
	house_pass(h, 60);
	house_crash(h);
	house_change(h, "compute", HEALTH_OPERATIONAL);
	assert_int_equal(
		json_integer_value(json_path(house_next(h)->body, "changes/0/lasted_s")), 60);
	house_crash(h);
	house_pass(h, 10);
	house_silent(h);
}

/* --- many --------------------------------------------------------------------------------------
 */

/* Components in turn, each down and up again: every change once, in order. */
static void a_thousand_changes_each_once_and_in_order(void **state)
{
	static const char *const names[] = {
		"compute", "network", "volume", "image", "identity", "dns", "secrets", "objects"};
	struct alarm_house *h = *state;
	int64_t last = 0;
	size_t told = 0, messages = 0;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	for (int i = 0; i < 12; i++) { /* a receiver with hiccups */
		house_script(h, i % 3 ? 200 : 503, NULL);
	}
	house_start(h);
	for (int i = 0; i < 1000; i++) {
		house_verdict(h, names[i % array_len(names)],
			i / array_len(names) % 2 ? HEALTH_OPERATIONAL : HEALTH_OUTAGE, "silent",
			"x");
		if (i % 100 == 50)
			house_pass(h, 5);
		if (i == 500)
			house_crash(h);
	}
	alarms_wake(h->alarms);
	house_pass(h, 600);
	for (size_t i = 0; i < h->heard.n; i++) {
		const json_t *list = changes(&h->heard.p[i]), *one;
		size_t at;

		assert_true(json_array_size(list) <= 100);
		/* what is sent again is the same */
		if (i + 1 < h->heard.n && json_equal(json_object_get(h->heard.p[i].body, "id"),
						  json_object_get(h->heard.p[i + 1].body, "id")))
			continue;
		messages++;
		json_array_foreach (list, at, one) {
			const char *url = strrchr(json_str(one, "evidence_url"), '/');
			const int64_t id = strtoll(url + 1, NULL, 10);
			assert_int_equal(id, last + 1);
			last = id;
			told++;
		}
	}
	assert_int_equal(told, 1000);
	assert_true(messages < 40);
	assert_int_equal(house_state(h, 0)->waiting, 0);
}

/* --- alarms that come and go -------------------------------------------------------------------
 */

static void an_alarm_that_is_gone_is_dropped_and_counted(void **state)
{
	struct alarm_house *h = *state;
	struct error err = {0};

	house_alarm(h, ALARM_WEBHOOK, "/one")->name = "one";
	house_alarm(h, ALARM_WEBHOOK, "/two")->name = "two";
	for (int i = 0; i < 2; i++)
		house_script(h, 500, NULL);
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_change(h, "network", HEALTH_OUTAGE);
	h->seen = house_heard(h);
	assert_int_equal(house_state(h, 0)->waiting, 2);
	h->list.p[1].url = h->list.p[0].url;
	assert_true(alarms_configure(h->alarms, &h->site, &h->list.p[1], 1, &err));
	assert_int_equal(alarms_dropped(h->alarms), 2);
	house_pass(h, 70);
	assert_non_null(strstr(house_next(h)->head, "POST /one ")); /* its new address */
	assert_int_equal(json_array_size(changes(house_next(h))), 1);
	house_silent(h);
	assert_string_equal(house_state(h, 0)->name, "two");
	/* One of that name again is a new one: it never heard of the trouble. */
	assert_true(alarms_configure(h->alarms, &h->site, h->list.p, 2, &err));
	house_change(h, "compute", HEALTH_OPERATIONAL);
	house_pass(h, 70);
	house_next(h);
	house_silent(h);
}

static void an_alarm_that_went_while_we_were_down_is_dropped_too(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/one");
	house_alarm(h, ALARM_WEBHOOK, "/two");
	house_start(h);
	house_change(h, "compute", HEALTH_OUTAGE);
	house_change(h, "network", HEALTH_OUTAGE); /* both wait for the fold's end */
	h->seen = house_heard(h);
	h->list.n = 1;
	house_crash(h);
	assert_int_equal(alarms_dropped(h->alarms), 1);
	house_pass(h, 70);
	assert_non_null(strstr(house_next(h)->head, "POST /one "));
	house_silent(h);
}

static void being_freed_with_all_under_way_is_fine(void **state)
{
	struct alarm_house *h = *state;

	house_alarm(h, ALARM_WEBHOOK, "/hook");
	house_alarm(h, ALARM_ALERTMANAGER, "/am");
	house_alarm(h, ALARM_DEADMAN, "/push");
	for (int i = 0; i < 3; i++)
		house_script(h, 0, NULL);
	house_start(h);
	alarms_alive(h->alarms, true);
	house_verdict(h, "compute", HEALTH_OUTAGE, "silent", "x");
	alarms_wake(h->alarms);
	house_until_heard(h, 3);
	alarms_could_not_run(h->alarms, "x", NULL, "y");
	house_stop(h);
}

int test_alarm_keep(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(a_receiver_that_fails_is_asked_again_with_the_same_id),
		alarm_test(a_receiver_that_says_when_is_asked_then),
		alarm_test(a_receiver_that_is_silent_has_ten_seconds),
		alarm_test(a_refusal_is_final_and_told_elsewhere),
		alarm_test(trouble_once_taken_keeps_its_end),
		alarm_test(an_end_never_overtakes_and_falls_with_its_trouble),
		alarm_test(what_is_refused_for_a_day_is_given_up),
		alarm_test(death_before_the_feed_was_read),
		alarm_test(death_while_changes_are_folded),
		alarm_test(death_with_a_message_under_way),
		alarm_test(death_between_attempts_and_the_end_still_follows),
		alarm_test(what_was_told_survives_restarts),
		alarm_test(a_thousand_changes_each_once_and_in_order),
		alarm_test(an_alarm_that_is_gone_is_dropped_and_counted),
		alarm_test(an_alarm_that_went_while_we_were_down_is_dropped_too),
		alarm_test(being_freed_with_all_under_way_is_fine),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

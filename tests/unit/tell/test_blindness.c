/*
 * test_blindness.c - one event for operators while something keeps us from seeing, through starts.
 */
#include "alarm_house.h"
#include "event_desk.h"
#include "tell/blindness.h"

struct world {
	struct alarm_house *h;
	struct events *events;
	struct blindness *blindness;
};

static void start(struct world *w)
{
	w->events = events_new(w->h->loop, w->h->facts, NULL, NULL, &w->h->err);
	assert_non_null(w->events);
	w->blindness = blindness_new(w->h->loop, w->h->facts, w->events, w->h->alarms, &w->h->err);
	assert_non_null(w->blindness);
}

static void stop(struct world *w)
{
	events_free(w->events);
	blindness_free(w->blindness);
}

static int setup(void **state)
{
	struct world *w = mem_new(struct world);
	void *h;
	if (alarm_house_setup(&h) != 0)
		return -1;
	w->h = h;
	house_alarm(w->h, ALARM_WEBHOOK, "/hook");
	house_start(w->h);
	start(w);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	void *h = w->h;
	stop(w);
	alarm_house_teardown(&h);
	free(w);
	return 0;
}

static void restart(struct world *w)
{
	stop(w);
	house_crash(w->h);
	start(w);
}

/* All events of operators; owned. */
static json_t *events(struct world *w)
{
	const struct event_filter all = {.audience = AUDIENCE_OPERATORS, .kind = -1};
	house_pass(w->h, 1);
	json_t *list = event_list(w->h->facts, &all, &w->h->err);
	assert_non_null(list);
	return list;
}

static void assert_phases(struct world *w, const char *phases)
{
	struct buf all = BUF(BUF_LINE);
	json_t *list = events(w);
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_printf(&all, "%s%s", i ? " " : "", json_str(json_array_get(list, i), "phase"));
	assert_string_equal(buf_str(&all), phases);
	buf_fini(&all);
	json_decref(list);
}

static void it_begins_and_ends_once(void **state)
{
	struct world *w = *state;
	blindness_tell(w->blindness, BLIND_STORE, "", NULL); /* of nothing that was */
	assert_phases(w, "");
	for (int i = 0; i < 3; i++)
		blindness_tell(w->blindness, BLIND_STORE, "", i ? "no space" : "read-only");
	blindness_tell(w->blindness, BLIND_LOCATION, "rome", "silent since noon");
	assert_phases(w, "detected detected");
	json_t *list = blindness_json(w->blindness);
	assert_int_equal(json_array_size(list), 2);
	assert_string_equal(json_str(json_array_get(list, 0), "why"), "no space");
	assert_string_equal(json_str(json_array_get(list, 1), "what"), "location rome");
	json_decref(list);
	blindness_tell(w->blindness, BLIND_STORE, "", NULL);
	blindness_tell(w->blindness, BLIND_LOCATION, "rome", NULL);
	assert_phases(w, "resolved resolved");
	blindness_tell(w->blindness, BLIND_STORE, "", "again");
	assert_phases(w, "detected resolved resolved");
	assert_at(house_next(w->h)->body, "could_not_run/0/what", "storing results");
}

static void a_start_goes_on_with_what_was(void **state)
{
	struct world *w = *state;
	blindness_tell(w->blindness, BLIND_SOURCE, "graphite", "it is away");
	blindness_tell(w->blindness, BLIND_CLOCK, "", "it jumped");
	assert_phases(w, "detected detected");
	restart(w);
	blindness_tell(w->blindness, BLIND_SOURCE, "graphite", "it is away");
	assert_phases(w, "detected detected");
	house_pass(w->h, 110);
	assert_phases(w, "detected detected");
	house_pass(w->h, 10); /* nobody says again that the clock jumped */
	json_t *list = events(w);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		assert_string_equal(json_str(e, "phase"),
			strcmp(json_str(e, "key"), "blind:clock") ? "detected" : "resolved");
	}
	json_decref(list);
}

static void one_in_the_hands_of_people_is_theirs(void **state)
{
	struct world *w = *state;
	blindness_tell(w->blindness, BLIND_STALL, "", "nothing was done for 9 s");
	json_t *list = events(w);
	events_change(w->events, json_str(json_array_get(list, 0), "id"),
		&(struct event_change){
			.text = "The disk", .phase = -1, .starts_ms = -1, .until_ms = -1},
		&(struct event_author){"alice", false}, NULL, NULL);
	json_decref(list);
	assert_phases(w, "detected");
	blindness_tell(w->blindness, BLIND_STALL, "", NULL);
	assert_phases(w, "detected");
	blindness_tell(w->blindness, BLIND_STALL, "", "again");
	assert_phases(w, "detected");
}

int test_blindness(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_begins_and_ends_once, setup, teardown),
		cmocka_unit_test_setup_teardown(a_start_goes_on_with_what_was, setup, teardown),
		cmocka_unit_test_setup_teardown(
			one_in_the_hands_of_people_is_theirs, setup, teardown),
	};
	return cmocka_run_group_tests_name("blindness", tests, NULL, NULL);
}

/* test_alarm_event.c - an event that opened itself and is proposed for closing, told from the feed.
 */
#include "../check.h"
#include "alarm_house.h"
#include "base/json.h"
#include "tell/event.h"

static const struct event_author machine = {"suspect", true}, human = {"alice", false};

struct write {
	const struct event_new *n;
	const struct event_change *c;
	const struct event_author *by;
	char id[EVENT_ID_MAX + 1];
	int64_t now_ms;
};

static bool do_write(struct facts_tx *tx, void *arg, struct error *err)
{
	struct write *w = arg;
	return w->n ? event_tx_open(tx, w->n, w->by, w->now_ms, w->id, err)
		    : event_tx_change(tx, w->id, w->c, w->by, w->now_ms, err);
}

static void put(struct alarm_house *h, struct write *w)
{
	w->now_ms = house_now_ms(h);
	if (!facts_call(h->facts, do_write, w, &h->err))
		fail_msg("%s", h->err.msg);
	alarms_wake(h->alarms);
	house_pass(h, 2);
}

static void open_event(struct alarm_house *h, struct write *w)
{
	const struct event_impact impacts[] = {{"compute", 100}};
	const struct event_new n = {.kind = EVENT_INCIDENT,
		.title = "Compute: outage",
		.text = "Compute has not been usable.",
		.phase = EVENT_DETECTED,
		.audience = AUDIENCE_OPERATORS,
		.starts_ms = house_now_ms(h),
		.impacts = impacts,
		.impact_count = 1,
		.key = "suspect:1",
		.id = "compute-outage"};
	*w = (struct write){.n = &n, .by = &machine};
	put(h, w);
	w->n = NULL;
}

/* phase -1: as it is. */
static void change(struct alarm_house *h, struct write *w, int phase, const struct event_author *by)
{
	const struct event_change c = {.text = "It goes on.",
		.phase = phase,
		.at_ms = house_now_ms(h),
		.starts_ms = -1,
		.until_ms = -1};
	w->c = &c;
	w->by = by;
	put(h, w);
}

static void a_proposal_is_told_once(void **state)
{
	struct alarm_house *h = *state;
	struct write w;
	json_t *shown = documented(3), *real;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_start(h);
	open_event(h, &w);
	change(h, &w, -1, &machine);
	house_silent(h); /* that there is one is told as the health of its components */
	change(h, &w, EVENT_MONITORING, &machine);
	const struct heard *one = house_next(h);
	assert_at(one->body, "kind", "may_close");
	assert_non_null(strstr(json_str(one->body, "text"),
		"\"Compute: outage\" may be closed: all its components are operational again"));
	assert_non_null(strstr(json_str(one->body, "text"),
		"\nhttps://status.example.org/events/compute-outage\n"));
	real = json_deep_copy(json_path(one->body, "may_close/0"));
	json_object_set(real, "since", json_object_get(shown, "since"));
	assert_true(json_equal(real, shown));
	json_decref(real);
	json_decref(shown);
	change(h, &w, -1, &machine);
	house_crash(h);
	house_pass(h, 5);
	house_silent(h); /* it still is */
	change(h, &w, EVENT_DETECTED, &machine);
	house_silent(h);
	change(h, &w, EVENT_MONITORING, &machine);
	assert_at(house_next(h)->body, "kind", "may_close"); /* proposed once more */
	change(h, &w, EVENT_RESOLVED, &human);
	house_pass(h, 5);
	house_silent(h);
}

/* A human's monitoring is no proposal; nor does one concern who looks after something else. */
static void who_need_not_know_is_not_told(void **state)
{
	static const char *const others[] = {"network", NULL};
	struct alarm_house *h = *state;
	struct write w;

	house_alarm(h, ALARM_WEBHOOK, "/hook")->fold_ns = NS_PER_S;
	house_alarm(h, ALARM_WEBHOOK, "/other")->components = others;
	house_start(h);
	open_event(h, &w);
	change(h, &w, EVENT_MONITORING, &machine);
	assert_non_null(strstr(house_next(h)->head, "POST /hook "));
	house_silent(h);
	change(h, &w, EVENT_DETECTED, &human);
	change(h, &w, EVENT_MONITORING, &human);
	house_silent(h);
}

static void an_alert_of_it_fires_until_it_is_closed(void **state)
{
	struct alarm_house *h = *state;
	struct write w;
	const struct heard *one;

	house_alarm(h, ALARM_ALERTMANAGER, "");
	house_start(h);
	open_event(h, &w);
	change(h, &w, EVENT_MONITORING, &machine);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 1);
	assert_at(one->body, "0/labels/alertname", "GlasshouseEventMayClose");
	assert_at(one->body, "0/labels/event", "compute-outage");
	assert_at(one->body, "0/labels/severity", "info");
	assert_at(one->body, "0/annotations/summary", "\"Compute: outage\" may be closed");
	assert_at(one->body, "0/generatorURL", "https://status.example.org/events/compute-outage");
	house_pass(h, 61);
	assert_at(house_next(h)->body, "0/labels/event", "compute-outage"); /* repeated */
	change(h, &w, EVENT_RESOLVED, &human);
	one = house_next(h);
	assert_int_equal(json_array_size(one->body), 1);
	const char *ends = json_string_value(json_path(one->body, "0/endsAt"));
	int64_t us;
	assert_true(clock_parse_rfc3339(ends, &us));
	assert_true(us / 1000 <= house_now_ms(h)); /* resolved */
	house_pass(h, 180);
	house_silent(h);
}

int test_alarm_event(void)
{
	const struct CMUnitTest tests[] = {
		alarm_test(a_proposal_is_told_once),
		alarm_test(who_need_not_know_is_not_told),
		alarm_test(an_alert_of_it_fires_until_it_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

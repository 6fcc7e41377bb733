/* test_alerts.c - alerts of others in virtual time: fingerprints, ends, what is told of a
 * component. */
#include <stdlib.h>

#include "../check.h"
#include "../store/series_house.h"
#include "base/json.h"
#include "observe/ingest/alerts.h"

struct seen {
	unsigned faults, good, on, off;
	enum severity severity;
	char detail[200];
};

static const char *on_component(void *arg, const char *name)
{
	return !strcmp(name, "Network") ? "network" : NULL;
}

static void on_expect(void *arg, const char *probe, bool on)
{
	struct seen *s = arg;

	s->on += on;
	s->off += !on;
}

static void on_seen(void *arg, const struct observation *o)
{
	struct seen *s = arg;

	assert_string_equal(o->component, "network");
	s->faults += o->fault != FAULT_NONE;
	s->good += o->fault == FAULT_NONE;
	s->severity = o->severity;
	snprintf(s->detail, sizeof(s->detail), "%s", o->detail ? o->detail : "");
}

static struct alerts *open_all(struct series_house *h, struct facts **f, struct seen *s)
{
	const struct alerts_options o = {on_component, on_expect, on_seen, s};

	*f = facts_open(h->root, h->loop, &h->err);
	assert_non_null(*f);
	struct alerts *a = alerts_open(h->loop, *f, &o, &h->err);
	if (!a)
		fail_msg("%s", h->err.msg);
	return a;
}

static void on_done(void *arg, int status, const char *why)
{
	*(int *)arg = status;
}

static void take(struct series_house *h, struct alerts *a, const char *text)
{
	json_t *list = json_parse(slice_of(text), 1 << 20, &h->err);
	int status = 0;

	assert_non_null(list);
	alerts_take(a, list, on_done, &status);
	json_decref(list);
	while (!status)
		loop_advance(h->loop, 0);
	assert_int_equal(status, 200);
}

/* "state labels.alertname", of each. */
static void states_are(struct alerts *a, const char *want)
{
	struct buf got = BUF(BUF_LINE);
	json_t *j = alerts_json(a), *one;
	size_t i;

	json_array_foreach (json_object_get(j, "alerts"), i, one)
		buf_printf(&got, "%s %s\n", json_str(one, "state"),
			json_str(json_object_get(one, "labels"), "alertname"));
	assert_string_equal(buf_str(&got), want);
	buf_fini(&got);
	json_decref(j);
}

#define DISK                                                                                       \
	"{\"labels\": {\"alertname\": \"Disk\", \"host\": \"a\"}, \"annotations\": {}, \"url\": \"\""

static void the_fingerprint_is_that_of_prometheus(void **state)
{
	struct series_house *h = *state;
	struct seen s = {0};
	struct facts *f;
	struct alerts *a = open_all(h, &f, &s);

	/* model.LabelSet{"a": "1", "alertname": "x"}.Fingerprint(), whatever their order */
	take(h, a, "[{\"labels\": {\"alertname\": \"x\", \"a\": \"1\"}, \"url\": \"\"}]");
	json_t *j = alerts_json(a);
	const char *print =
		json_str(json_array_get(json_object_get(j, "alerts"), 0), "fingerprint");
	uint64_t want = 14695981039346656037ULL;
	for (const char *p =
			"a\xff"
			"1\xff"
			"alertname\xffx\xff";
		*p; p++)
		want = (want ^ (unsigned char)*p) * 1099511628211ULL;
	char text[32];
	snprintf(text, sizeof(text), "%016llx", (unsigned long long)want);
	assert_string_equal(print, text);
	json_decref(j);
	alerts_close(a);
	facts_close(f);
}

static void one_ends_when_it_says_so_or_by_silence(void **state)
{
	struct series_house *h = *state;
	struct seen s = {0};
	struct facts *f;
	struct alerts *a = open_all(h, &f, &s);
	char text[300];

	take(h, a, "[" DISK ", \"starts_ms\": 5, \"ends_ms\": 0}]");
	take(h, a, "[" DISK ", \"starts_ms\": 5, \"ends_ms\": 0}]");
	states_are(a, "firing Disk\n");
	loop_advance(h->loop, ALERTS_SILENCE_NS - NS_PER_S);
	take(h, a, "[" DISK ", \"starts_ms\": 5, \"ends_ms\": 0}]"); /* sent again: it goes on */
	loop_advance(h->loop, ALERTS_SILENCE_NS - NS_PER_S);
	assert_int_equal(alerts_firing(a), 1);
	loop_advance(h->loop, 2 * ALERTS_TELL_NS);
	assert_int_equal(alerts_firing(a), 0);
	snprintf(text, sizeof(text), "[" DISK ", \"starts_ms\": 0, \"ends_ms\": %lld}]",
		(long long)series_house_now(h) + 60000);
	take(h, a, text); /* anew, with an end that will come */
	assert_int_equal(alerts_firing(a), 1);
	loop_advance(h->loop, 60 * NS_PER_S + ALERTS_TELL_NS);
	assert_int_equal(alerts_firing(a), 0);
	take(h, a, "[" DISK ", \"resolved\": true}]"); /* one that does not fire */
	alerts_close(a);
	facts_close(f);
	a = open_all(h, &f, &s);
	states_are(a, "resolved Disk\nresolved Disk\n");
	assert_int_equal(s.on + s.faults, 0);
	alerts_close(a);
	facts_close(f);
}

static void a_component_is_told_of_it_while_it_fires(void **state)
{
	struct series_house *h = *state;
	struct seen s = {0};
	struct facts *f;
	struct alerts *a = open_all(h, &f, &s);

	take(h, a,
		"[{\"labels\": {\"alertname\": \"Loss\", \"component\": \"Network\","
		" \"severity\": \"critical\"}, \"annotations\": {\"summary\": \"30 % lost\"},"
		" \"url\": \"\"}]");
	assert_true(s.on == 1 && s.faults == 1 && s.severity == SEVERITY_OUTAGE);
	assert_string_equal(s.detail, "Loss: 30 % lost");
	loop_advance(h->loop, 3 * ALERTS_TELL_NS);
	assert_int_equal(s.faults, 4);
	alerts_close(a); /* it goes on after a start */
	facts_close(f);
	s = (struct seen){0};
	a = open_all(h, &f, &s);
	assert_true(s.on == 1 && alerts_firing(a) == 1);
	take(h, a,
		"[{\"labels\": {\"alertname\": \"Loss\", \"component\": \"Network\","
		" \"severity\": \"critical\"}, \"url\": \"\", \"resolved\": true}]");
	assert_true(s.good == 1 && s.off == 1);
	take(h, a, "[{\"labels\": {\"component\": \"Nobody's\"}, \"url\": \"\"}]");
	assert_true(s.on == 1 && alerts_firing(a) == 1);
	alerts_close(a);
	facts_close(f);
}

static void on_change(void *arg, const struct facts_change_row *row)
{
	struct buf *got = arg;

	assert_int_equal(row->audience, AUDIENCE_OPERATORS);
	buf_printf(got, "%s %lld\n", row->kind, (long long)row->revision);
}

static void each_change_is_a_row_of_the_feed(void **state)
{
	struct series_house *h = *state;
	struct seen s = {0};
	struct facts *f;
	struct alerts *a = open_all(h, &f, &s);
	struct buf got = BUF(BUF_LINE);

	take(h, a, "[" DISK "}]");
	take(h, a, "[" DISK "}]");
	take(h, a, "[" DISK ", \"resolved\": true}]");
	assert_true(facts_feed(f, 0, AUDIENCE_OPERATORS, 10, on_change, &got, &h->err));
	assert_string_equal(buf_str(&got), "alert 1\nalert 2\n");
	buf_fini(&got);
	alerts_close(a);
	facts_close(f);
}

int test_alerts(void)
{
	const struct CMUnitTest tests[] = {
		series_test(the_fingerprint_is_that_of_prometheus),
		series_test(one_ends_when_it_says_so_or_by_silence),
		series_test(a_component_is_told_of_it_while_it_fires),
		series_test(each_change_is_a_row_of_the_feed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

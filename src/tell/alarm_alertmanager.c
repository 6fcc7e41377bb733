/*
 * alarm_alertmanager.c - changes as alerts of Prometheus' Alertmanager, API v2.
 *
 * Alertmanager holds alerts, told apart by their labels: the state is one of them, so that routes
 * can pick on severity. When a state gives way to another, its alert is resolved and the other
 * fires, in one request. An alert that is not repeated is resolved by itself after its endsAt: 5
 * minutes here, repeated each minute from what the tables hold, so a restart changes nothing.
 */
#include <string.h>

#include "tell/alarm_inside.h"

#define REPEAT_NS (60 * NS_PER_S)
#define LASTS_MS  (5 * 60 * 1000LL)

/* --- alerts ------------------------------------------------------------------------------------
 */

static void label(json_t *labels, const char *name, const char *value)
{
	if (value && value[0])
		json_object_set_new(labels, name, json_string(value));
}

static const char *severity_of(const char *health)
{
	enum health h;

	if (!health || !health_parse(health, &h))
		return "warning";
	return h == HEALTH_OUTAGE ? "critical" : h == HEALTH_MAINTENANCE ? "info" : "warning";
}

static json_t *labels_of(const struct alarms *a, const json_t *fact)
{
	json_t *labels = json_object();
	const char *health = json_str(fact, "to");

	label(labels, "alertname",
		health                           ? "GlasshouseComponentHealth"
		: json_object_get(fact, "fix")   ? "GlasshouseNeedsAdministrator"
		: json_object_get(fact, "event") ? "GlasshouseEventMayClose"
						 : "GlasshouseCouldNotRun");
	label(labels, "component", json_str(fact, "component"));
	label(labels, "what", json_str(fact, "what"));
	label(labels, "event", json_str(fact, "event"));
	label(labels, "health", health);
	label(labels, "severity", json_object_get(fact, "event") ? "info" : severity_of(health));
	label(labels, "site", a->site.name);
	label(labels, "location", a->site.location);
	label(labels, "instance", a->site.instance);
	return labels;
}

static json_t *annotations_of(const json_t *fact)
{
	json_t *body = json_object(), *annotations = json_object();
	char *line;

	json_object_set(body, alarm_fact_key(fact), (json_t *)fact);
	line = alarm_note_line(body);
	label(annotations, "summary", line);
	label(annotations, "description", json_str(fact, "reason"));
	label(annotations, "fix", json_str(fact, "fix"));
	free(line);
	json_decref(body);
	return annotations;
}

static int64_t since_ms(const json_t *fact)
{
	int64_t us = 0;
	const char *since = json_str(fact, "since");

	return since && clock_parse_rfc3339(since, &us) ? us / 1000 : 0;
}

/* Adds the alert, in place of an earlier one of the same labels and start. */
static void add_alert(const struct alarms *a, json_t *alerts, const json_t *fact, int64_t ends_ms)
{
	json_t *alert = json_object(), *labels = labels_of(a, fact);
	const int64_t since = since_ms(fact);
	char text[CLOCK_TEXT];

	json_object_set_new(alert, "labels", labels);
	json_object_set_new(alert, "annotations", annotations_of(fact));
	json_object_set_new(alert, "startsAt", json_string(clock_rfc3339(since * 1000, text)));
	if (ends_ms <= since)
		ends_ms = since + 1; /* it refuses what ends before it starts */
	json_object_set_new(alert, "endsAt", json_string(clock_rfc3339(ends_ms * 1000, text)));
	const char *evidence = json_str(fact, "evidence_url"), *event = json_str(fact, "event_url");
	label(alert, "generatorURL", evidence ? evidence : event ? event : a->site.url);
	for (size_t i = json_array_size(alerts); i-- > 0;) {
		const json_t *other = json_array_get(alerts, i);
		if (json_equal(json_object_get(other, "labels"), labels) &&
			json_equal(json_object_get(other, "startsAt"),
				json_object_get(alert, "startsAt")))
			json_array_remove(alerts, i);
	}
	json_array_append_new(alerts, alert);
}

static void add_note(const struct alarms *a, json_t *alerts, const struct note *n)
{
	const json_t *fact = alarm_note_fact(n->body), *ends = json_object_get(n->body, "ends");

	if (ends)
		add_alert(a, alerts, ends, since_ms(fact));
	if (!note_is_end(n))
		add_alert(a, alerts, fact, alarm_now_ms(a) + LASTS_MS);
}

/* --- sending -----------------------------------------------------------------------------------
 */

static void on_answer(void *arg, const struct http_answer *answer)
{
	const bool repeats = ((struct attempt *)arg)->repeats;
	struct channel *c = delivery_end(arg);
	bool permanent;
	int64_t wait_ms;
	char *trouble;

	if (!c)
		return;
	trouble = alarm_answer_trouble(c->alarms, answer, &permanent, &wait_ms);
	if (trouble && !repeats) {
		channel_failed(c, trouble, permanent, wait_ms);
	} else if (trouble) {
		c->failed++;
		channel_note_trouble(c, trouble);
		channel_step(c);
	} else {
		channel_note_trouble(c, NULL);
		c->last_ok_ms = alarm_now_ms(c->alarms);
		if (repeats)
			channel_step(c);
		else
			channel_took(c);
	}
	free(trouble);
}

static void post(struct channel *c, json_t *alerts, bool repeats)
{
	struct buf url = BUF(BUF_LINE);

	buf_add_str(&url, c->config.url);
	while (url.n && url.p[url.n - 1] == '/')
		buf_cut(&url, url.n - 1);
	buf_add_str(&url, "/api/v2/alerts");
	alarm_post(c, buf_str(&url), json_text(alerts), repeats ? NULL : c->message->id, repeats,
		on_answer);
	timer_cancel(&c->repeat);
	c->repeated = true;
	buf_fini(&url);
	json_decref(alerts);
}

void alarm_send_alertmanager(struct channel *c)
{
	json_t *alerts = json_array();

	VEC_EACH (&c->message->notes, struct note *, n)
		add_note(c->alarms, alerts, *n);
	post(c, alerts, false);
}

/* --- what fires is repeated --------------------------------------------------------------------
 */

/* A component that was taken off the page ends its verdict without another: then the alert is no
 * longer repeated, and Alertmanager resolves it. */
static bool still_lasts(const struct channel *c, const struct told *t)
{
	struct judge_change change = {0};
	bool lasts = true;
	int64_t previous, next = 0;

	/* one that another follows goes on, for another cause: the feed would else have ended it */
	if (slice_starts(slice_of(t->change), "verdict:") &&
		judge_change_at(
			c->alarms->facts, strtoll(t->change + 8, NULL, 10), &change, NULL) &&
		judge_neighbours(c->alarms->facts, change.id, &previous, &next, NULL))
		lasts = !change.id || !change.until_ms || next;
	judge_change_fini(&change);
	return lasts;
}

static json_t *firing(const struct channel *c)
{
	json_t *alerts = json_array();

	MAP_EACH (&c->told, e) {
		const struct told *t = e->value;
		if (t->sent && still_lasts(c, t))
			add_alert(c->alarms, alerts, alarm_note_fact(t->body),
				alarm_now_ms(c->alarms) + LASTS_MS);
	}
	return alerts;
}

static void on_repeat(struct timer *t)
{
	struct channel *c = t->arg;
	json_t *alerts;

	if (c->attempt || c->writing || c->message || c->queue.n)
		return; /* that message comes first, and the repeating goes on after it */
	alerts = firing(c);
	if (json_array_size(alerts) > 0) {
		post(c, alerts, true);
		return;
	}
	json_decref(alerts);
	c->repeated = true;
	alarm_alertmanager_repeat(c);
}

void alarm_alertmanager_repeat(struct channel *c)
{
	if (c->told.n == 0)
		timer_cancel(&c->repeat);
	else if (!timer_running(&c->repeat))
		timer_start(c->alarms->loop, &c->repeat, c->repeated ? REPEAT_NS : 0, on_repeat,
			c); /* at once after a start: it may have been long */
}

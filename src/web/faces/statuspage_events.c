/*
 * statuspage_events.c - incidents and scheduled maintenances as Statuspage's clients expect them.
 *
 * Detected is "investigating" to them; notices and work that was cancelled have no form there and
 * are left out.
 */

#include <string.h>

#include "base/json.h"
#include "tell/event.h"
#include "web/faces/statuspage.h"

static bool is(const json_t *o, const char *key, const char *text)
{
	const char *own = json_str(o, key);
	return own && strcmp(own, text) == 0;
}

static bool is_over(const json_t *event)
{
	enum event_phase phase;
	const char *name = json_str(event, "phase");
	return name && event_phase_parse(name, &phase) && event_phase_over(phase);
}

static const char *status_of(const char *phase)
{
	static const char *const rows[][2] = {
		{"detected", "investigating"}, {"planned", "scheduled"}};
	for (size_t i = 0; phase && i < array_len(rows); i++)
		if (strcmp(rows[i][0], phase) == 0)
			return rows[i][1];
	return phase ? phase : "investigating";
}

static const char *impact_of(const json_t *event)
{
	const int64_t impact = json_int(event, "impact", 0);
	if (is(event, "kind", "maintenance"))
		return "maintenance";
	return impact <= 0 ? "none" : impact <= 33 ? "minor" : impact < 100 ? "major" : "critical";
}

static json_t *moment(const json_t *o, const char *key)
{
	const json_t *ms = json_object_get(o, key);
	return json_is_integer(ms) ? statuspage_time(json_integer_value(ms)) : json_null();
}

bool statuspage_is_worked_on(const json_t *site, const char *component)
{
	const json_t *event, *c;
	size_t i, k;
	json_array_foreach (json_object_get(site, "events"), i, event) {
		if (!is(event, "kind", "maintenance") || !is(event, "phase", "in_progress"))
			continue;
		json_array_foreach (json_object_get(event, "components"), k, c) {
			if (is(c, "id", component) && json_int(c, "impact", 0) > 0)
				return true;
		}
	}
	return false;
}

static json_t *update_of(const char *id, const json_t *u)
{
	const json_t *corrected = json_object_get(u, "corrected_ms");
	char *name = mem_printf("%s %lld", id ? id : "", (long long)json_int(u, "n", 0));
	json_t *at = moment(u, "at_ms");
	json_t *o = json_pack("{s:o, s:s, s:s, s:o, s:o, s:O, s:o, s:n, s:b, s:n, s:n}", "id",
		statuspage_id("update", name), "status", status_of(json_str(u, "phase")), "body",
		json_str(u, "text") ? json_str(u, "text") : "", "incident_id",
		statuspage_id("event", id), "created_at", at, "display_at", at, "updated_at",
		json_is_integer(corrected) ? moment(u, "corrected_ms") : json_incref(at),
		"affected_components", "deliver_notifications", 0, "custom_tweet", "tweet_id");
	free(name);
	return o;
}

/* Newest first, as theirs. */
static json_t *updates_of(const json_t *event)
{
	const char *id = json_str(event, "id");
	json_t *all = json_array();
	const json_t *u;
	size_t i;
	json_array_foreach (json_object_get(event, "updates"), i, u)
		json_array_insert_new(all, 0, update_of(id, u));
	json_array_foreach (json_object_get(event, "earlier"), i, u)
		json_array_append_new(all, update_of(id, u));
	return all;
}

static json_t *components_of(const json_t *site, const json_t *event)
{
	json_t *all = json_array();
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(event, "components"), i, c) {
		json_t *one = statuspage_component(site, json_str(c, "id"));
		if (json_is_object(one))
			json_array_append_new(all, one);
		else
			json_decref(one);
	}
	return all;
}

/* Since when it was watched, the last time it was. */
static json_t *monitored_at(const json_t *event)
{
	const json_t *lists[] = {
		json_object_get(event, "updates"), json_object_get(event, "earlier")};
	const json_t *since = NULL, *u;
	bool over = false;
	size_t k;
	for (size_t i = 0; i < array_len(lists); i++) {
		json_array_foreach (lists[i], k, u) {
			const bool watched = is(u, "phase", "monitoring");
			over = over || (since && !watched);
			if (watched && !over)
				since = u;
		}
	}
	return since ? moment(since, "at_ms") : json_null();
}

static json_t *event_of(const json_t *site, const json_t *event)
{
	const char *id = json_str(event, "id"),
		   *url = json_str(json_object_get(site, "site"), "url");
	json_t *o = json_pack("{s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:n}",
		"id", statuspage_id("event", id), "name",
		json_str(event, "title") ? json_str(event, "title") : "", "status",
		status_of(json_str(event, "phase")), "impact", impact_of(event), "created_at",
		moment(event, "created_ms"), "updated_at", moment(event, "changed_ms"),
		"started_at", moment(event, "starts_ms"), "monitoring_at", monitored_at(event),
		"resolved_at", moment(event, "ended_ms"), "page_id", statuspage_page_id(site),
		"incident_updates", updates_of(event), "components", components_of(site, event),
		"reminder_intervals");
	json_object_set_new(
		o, "shortlink", json_sprintf("%s/events/%s", url ? url : "", id ? id : ""));
	if (is(event, "kind", "maintenance")) {
		json_object_set_new(o, "scheduled_for", moment(event, "starts_ms"));
		json_object_set_new(o, "scheduled_until", moment(event, "until_ms"));
	}
	return o;
}

static bool is_wanted(const json_t *event, const char *kind, enum statuspage_which which)
{
	if (!is(event, "kind", kind) || is(event, "phase", "cancelled"))
		return false;
	switch (which) {
	case STATUSPAGE_UNRESOLVED: return !is_over(event);
	case STATUSPAGE_UPCOMING: return is(event, "phase", "planned");
	case STATUSPAGE_ACTIVE: return is(event, "phase", "in_progress");
	case STATUSPAGE_ALL: break;
	}
	return true;
}

json_t *statuspage_list(const json_t *site, const char *kind, enum statuspage_which which)
{
	static const char *const lists[] = {"upcoming", "events"};
	json_t *all = json_array();
	const json_t *event;
	size_t k;
	for (size_t i = 0; i < array_len(lists); i++) {
		json_array_foreach (json_object_get(site, lists[i]), k, event) {
			if (is_wanted(event, kind, which))
				json_array_append_new(all, event_of(site, event));
		}
	}
	return all;
}

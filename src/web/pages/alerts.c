/*
 * alerts.c - what fires in other monitoring, for operators: those that fire first, each with its
 * labels, what it says, and the component that it is told of.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define SHOWN 100 /* the others are in the JSON document */

static const char *first_of(const json_t *o, const char *const *keys)
{
	for (; *keys; keys++)
		if (json_str(o, *keys))
			return json_str(o, *keys);
	return NULL;
}

/* As observe/ingest/alerts.h has it: what a severity means for a component. */
static const char *state_of(const json_t *alert)
{
	const char *severity = json_str(json_object_get(alert, "labels"), "severity");
	static const char *const bad[] = {"critical", "page", "error"}, *const notes[] = {
										"info", "none"};
	const char *state = json_str(alert, "state");
	if (!state || strcmp(state, "firing") != 0)
		return "operational";
	for (size_t i = 0; severity && i < array_len(bad); i++)
		if (!strcmp(severity, bad[i]))
			return "outage";
	for (size_t i = 0; severity && i < array_len(notes); i++)
		if (!strcmp(severity, notes[i]))
			return "info";
	return "degraded";
}

static json_t *label_views(const json_t *labels)
{
	json_t *all = json_array(), *value;
	const char *key;
	json_object_foreach ((json_t *)labels, key, value)
		if (json_is_string(value))
			json_array_append_new(all, json_pack("{s:s, s:s}", "key", key, "value",
							   json_string_value(value)));
	return all;
}

static json_t *alert_view(struct view *v, const json_t *a)
{
	static const char *const says[] = {"summary", "description", "message", NULL};
	const json_t *labels = json_object_get(a, "labels");
	const char *name = json_str(labels, "alertname"), *state = json_str(a, "state");
	const char *component = json_str(a, "component");
	const bool fires = state && !strcmp(state, "firing");
	json_t *o = json_object();
	view_put(o, "name", name ? name : json_str(a, "fingerprint"));
	json_object_set_new(o, "state",
		json_pack("{s:s, s:s}", "name", state_of(a), "word",
			say(v, fires ? "alert_firing" : "alert_resolved", NULL)));
	view_put(o, "severity", json_str(labels, "severity"));
	view_put(o, "says", first_of(json_object_get(a, "annotations"), says));
	put_time(v, o, "starts", json_object_get(a, "starts_ms"));
	put_time(v, o, "ends", fires ? NULL : json_object_get(a, "ends_ms"));
	json_object_set_new(o, "labels", label_views(labels));
	/* an address of others is text here: pages lead nowhere else */
	const char *url = json_str(a, "url");
	view_put(o, "url", url && *url ? url : NULL);
	view_put(o, "component", component ? component_name(v, component) : NULL);
	view_put(o, "component_href", NULL);
	if (measured_component(v, component))
		put_link(v, o, "component_href", "/components/", component);
	return o;
}

bool view_alerts(struct view *v)
{
	const json_t *alerts = json_object_get(v->model, "alerts"), *a;
	json_t *rows = json_array(), *o = v->root;
	size_t i;
	if (!v->operators || !json_is_array(alerts)) {
		json_decref(rows);
		return false;
	}
	int64_t firing = 0;
	json_array_foreach (alerts, i, a) {
		const char *state = json_str(a, "state");
		firing += state && !strcmp(state, "firing");
		if (i < SHOWN)
			json_array_append_new(rows, alert_view(v, a));
	}
	view_put(o, "title", say(v, "alerts", NULL));
	view_put(o, "heading", say(v, "alerts", NULL));
	view_put(o, "count",
		firing ? say_count(v, "alerts_firing_one", "alerts_firing_many", firing)
		       : say(v, "alerts_none_firing", NULL));
	json_object_set_new(o, "has_rows", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(o, "rows", rows);
	view_put(o, "more",
		i > SHOWN ? say_count(v, "more_one", "more_many", (int64_t)(i - SHOWN)) : NULL);
	return true;
}

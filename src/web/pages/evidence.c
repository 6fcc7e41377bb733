/*
 * evidence.c - what proves a state: the rule, the window, what each source measured.
 *
 * Counts and figures are for all; the single samples, with the command that repeats the request,
 * are for operators.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

static const char *duration(struct view *v, const json_t *o, const char *key)
{
	const json_t *ms = json_object_get(o, key);
	return json_is_number(ms) && json_number_value(ms) >= 0
		       ? say_duration(v, json_number_value(ms))
		       : NULL;
}

static const char *location_of(const json_t *o)
{
	const char *location = json_str(o, "location");
	return location && *location ? location : NULL;
}

static json_t *source_view(struct view *v, const json_t *s)
{
	json_t *o = json_object();
	view_put(o, "probe", json_str(s, "probe"));
	const char *step = json_str(s, "step");
	view_put(o, "step", step && *step ? step : NULL);
	view_put(o, "location", location_of(s));
	view_put(o, "n", say_number(v, json_int(s, "n", 0)));
	view_put(o, "failed", say_number(v, json_int(s, "failed", 0)));
	view_put(o, "slow", say_number(v, json_int(s, "slow", 0)));
	view_put(o, "again", say_number(v, json_int(s, "again", 0)));
	view_put(o, "median", duration(v, s, "median_ms"));
	view_put(o, "worst", duration(v, s, "worst_ms"));
	put_time(v, o, "last", json_object_get(s, "last_ms"));
	view_put(o, "faults", say_faults(v, json_object_get(s, "faults")));
	return o;
}

static json_t *sample_view(struct view *v, const json_t *s)
{
	static const char *const keys[] = {
		"detail", "request", "curl", "request_id", "service_request_id"};
	json_t *o = json_object();
	const char *fault = json_str(s, "fault");
	const bool faulty = fault && strcmp(fault, "none") != 0;
	put_time(v, o, "at", json_object_get(s, "at_ms"));
	view_put(o, "probe", json_str(s, "probe"));
	const char *step = json_str(s, "step");
	view_put(o, "step", step && *step ? step : NULL);
	view_put(o, "location", location_of(s));
	json_object_set_new(o, "state",
		json_pack("{s:s, s:s}", "name", faulty ? "outage" : "operational", "word",
			faulty ? say_fault(v, fault, fault) : say(v, "sample_good", NULL)));
	const int64_t status = json_int(s, "status", 0);
	view_put(o, "status", status > 0 ? view_keep(v, mem_printf("%d", (int)status)) : NULL);
	view_put(o, "took", duration(v, s, "total_ms"));
	for (size_t i = 0; i < array_len(keys); i++)
		view_put(o, keys[i], json_str(s, keys[i]));
	const char *run = json_str(s, "run");
	view_put(o, "run", run && *run ? run : NULL);
	view_put(o, "run_href", NULL);
	if (run && *run)
		put_link(v, o, "run_href", "/runs/", run);
	return o;
}

static void put_neighbour(struct view *v, const char *key)
{
	const json_t *id = json_object_get(v->model, key);
	view_put(v->root, key, NULL);
	if (json_is_integer(id))
		put_link(v, v->root, key, "/evidence/",
			view_keep(v, mem_printf("%lld", (long long)json_integer_value(id))));
}

static void put_state(struct view *v, const char *key, const char *name)
{
	enum health h;
	json_object_set_new(
		v->root, key, name && health_parse(name, &h) ? state_view(v, h) : json_null());
}

static void put_counts(struct view *v)
{
	static const struct {
		const char *key, *text;
		bool rare; /* says nothing when it is 0 */
	} rows[] = {{"answering", "count_answering", false}, {"failing", "count_failing", false},
		{"unable", "count_unable", false}, {"silent", "count_silent", false},
		{"undecided", "count_undecided", true}, {"lesser", "count_lesser", true},
		{"overruled", "count_overruled", true}};
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(rows); i++) {
		const json_t *n = json_object_get(v->model, rows[i].key);
		if (json_is_integer(n) && (json_integer_value(n) || !rows[i].rare))
			json_array_append_new(
				all, json_pack("{s:s, s:s}", "name", say(v, rows[i].text, NULL),
					     "n", say_number(v, json_integer_value(n))));
	}
	json_object_set_new(v->root, "has_counts", json_boolean(json_array_size(all) > 0));
	json_object_set_new(v->root, "counts", all);
}

bool view_evidence(struct view *v)
{
	const json_t *m = v->model, *item, *window = json_object_get(m, "window");
	json_t *o = v->root, *sources = json_array(), *samples = json_array();
	size_t i;
	json_array_foreach (json_object_get(m, "sources"), i, item)
		json_array_append_new(sources, source_view(v, item));
	if (v->operators) {
		json_array_foreach (json_object_get(m, "samples"), i, item)
			json_array_append_new(samples, sample_view(v, item));
	}
	json_object_set_new(o, "has_sources", json_boolean(json_array_size(sources) > 0));
	json_object_set_new(o, "sources", sources);
	json_object_set_new(o, "has_samples", json_boolean(json_array_size(samples) > 0));
	json_object_set_new(o, "samples", samples);
	if (!json_is_object(m))
		return false;
	const char *name = json_str(m, "component_name");
	name = name ? name : json_str(m, "component");
	view_put(o, "name", name);
	put_link(v, o, "href", "/components/", json_str(m, "component"));
	json_object_set_new(o, "state", state_view(v, view_health(m)));
	put_state(v, "was", json_str(m, "was"));
	const char *title = say(v, "evidence_title", say_isolated(v, name),
		json_str(json_object_get(o, "state"), "word"), NULL);
	view_put(o, "title", title);
	view_put(o, "heading", title);
	put_time(v, o, "at", json_object_get(m, "at_ms"));
	put_time(v, o, "until", json_object_get(m, "until_ms"));
	view_put(o, "why", say_why(v, m));
	view_put(o, "rule", json_str(m, "rule"));
	view_put(o, "text", json_str(m, "text"));
	put_time(v, o, "from", json_object_get(window, "from_ms"));
	put_time(v, o, "to", json_object_get(window, "to_ms"));
	put_neighbour(v, "previous");
	put_neighbour(v, "next");
	put_context(v, o, m);
	json_t *told = told_views(v, json_object_get(m, "told"));
	json_object_set_new(o, "has_told", json_boolean(json_array_size(told) > 0));
	json_object_set_new(o, "told", told);
	put_counts(v);
	view_put(o, "json",
		view_keep(v, mem_printf("/api/ops/v1/evidence/%lld.json",
				     (long long)json_int(m, "id", 0))));
	return true;
}

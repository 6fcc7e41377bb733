/*
 * component.c - one component: its state and why, its days, its latency, its changes.
 */

#include <string.h>

#include "base/json.h"
#include "net/url.h"
#include "web/pages/view.h"

#define LINKS  90
#define EVENTS 5

/* As part of a pattern: what would be a wildcard, or is escaped in a tag, is any. */
static void add_tag(struct buf *out, const char *key, const char *value)
{
	buf_printf(out, "*%s=\"", key);
	for (const char *p = value; *p; p++)
		buf_add_char(out, strchr("*?[]\\\"", *p) ? '*' : *p);
	buf_add_str(out, "\"*");
}

/* /explore with the series of this probe, or of this step. */
static const char *explore_link(struct view *v, const json_t *p)
{
	const char *name = json_str(p, "name"), *step = json_str(p, "step");
	struct buf pattern = BUF(BUF_LINE), out = BUF(BUF_LINE);
	if (!v->operators || !name)
		return NULL;
	add_tag(&pattern, step ? "scenario" : "probe", name);
	if (step)
		add_tag(&pattern, "step", step);
	const char *q = json_str(v->root, "q");
	buf_printf(&out, "/explore%s%cpattern=", q ? q : "", q && *q ? '&' : '?');
	url_encode(&out, buf_slice(&pattern));
	buf_fini(&pattern);
	return view_keep(v, buf_take(&out));
}

static json_t *probe_view(struct view *v, const json_t *p)
{
	json_t *o = json_object();
	view_put(o, "name", json_str(p, "name"));
	view_put(o, "step", json_str(p, "step"));
	view_put(o, "kind", say_probe_kind(v, json_str(p, "kind")));
	view_put(o, "every", say_duration(v, (double)json_int(p, "every_ms", 0)));
	view_put(o, "target", v->operators ? json_str(p, "target") : NULL);
	json_object_set_new(o, "trend", trend_view(v, json_object_get(p, "trend")));
	view_put(o, "explore", explore_link(v, p));
	return o;
}

static json_t *span_view(struct view *v, const json_t *s)
{
	json_t *o = json_object();
	const bool gap = json_flag(s, "gap");
	const json_t *from = json_object_get(s, "from_ms"), *to = json_object_get(s, "to_ms");
	const int64_t from_ms = json_integer_value(from), to_ms = json_integer_value(to);
	if (gap)
		json_object_set_new(o, "state",
			json_pack("{s:s, s:s}", "name", "gap", "word", say(v, "state_gap", NULL)));
	else
		json_object_set_new(o, "state", state_view(v, view_health(s)));
	put_time(v, o, "from", from);
	view_put(o, "lasted", say_duration(v, (double)(to_ms - from_ms)));
	const bool declared = view_health(s) == HEALTH_MAINTENANCE;
	view_put(o, "why",
		gap        ? say(v, "gap_text", NULL)
		: declared ? say(v, "maintenance_text", NULL)
			   : say_why(v, s));
	json_object_set_new(o, "notes", notes_view(v, s));
	view_put(o, "text", v->operators ? json_str(s, "text") : NULL);
	view_put(o, "href", NULL);
	if (json_int(s, "id", 0) > 0)
		put_link(v, o, "href", "/evidence/",
			view_keep(v, mem_printf("%lld", (long long)json_int(s, "id", 0))));
	return o;
}

/* Each day that was not green leads to the first span in it that was not: that one carries the
 * day's anchor, which the strips link to. `day` is the first that has none yet. */
static json_t *anchors_of(const json_t *span, int64_t *day)
{
	const int64_t from = day_of(json_int(span, "from_ms", 0));
	const int64_t to = day_of(json_int(span, "to_ms", 0) - 1);
	json_t *all = json_array();
	if (!json_flag(span, "gap") && view_health(span) == HEALTH_OPERATIONAL)
		return all;
	for (*day = *day > from ? *day : from; *day <= to; ++*day)
		json_array_append_new(all, json_sprintf("d%lld", (long long)*day));
	return all;
}

/* Those that the strip links to and whose spans are not listed any more. */
static json_t *lost_anchors(const struct view *v, const json_t *there)
{
	json_t *all = json_array();
	const json_t *link;
	size_t i;
	json_array_foreach (json_at(v->root, "strip", "links", NULL), i, link) {
		const char *href = json_str(link, "href");
		if (href && !json_object_get(there, href + 1))
			json_array_append_new(all, json_string(href + 1));
	}
	return all;
}

static void list_spans(struct view *v)
{
	const json_t *spans = json_object_get(v->model, "spans"), *anchor;
	json_t *rows = json_array(), *there = json_object();
	int64_t day = INT64_MIN;
	size_t k;
	for (size_t i = json_array_size(spans); i > 0; i--) { /* newest first, as they are shown */
		const json_t *span = json_array_get(spans, i - 1);
		json_t *row = span_view(v, span), *anchors = anchors_of(span, &day);
		json_array_foreach (anchors, k, anchor)
			json_object_set_new(there, json_string_value(anchor), json_true());
		json_object_set_new(row, "anchors", anchors);
		json_array_insert_new(rows, 0, row);
	}
	json_object_set_new(v->root, "lost", lost_anchors(v, there));
	json_decref(there);
	json_object_set_new(v->root, "has_spans", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "full", json_boolean(json_array_size(rows) >= 200));
	json_object_set_new(v->root, "spans", rows);
}

static void list_figures(struct view *v)
{
	static const char *const keys[][2] = {
		{"d1", "last_d1"}, {"d7", "last_d7"}, {"d30", "last_d30"}, {"d90", "last_d90"}};
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(keys); i++) {
		const json_t *ratio = json_at(v->model, "availability", keys[i][0], NULL);
		json_array_append_new(all, json_pack("{s:s, s:o}", "name", say(v, keys[i][1], NULL),
						   "ratio", ratio_view(v, ratio)));
	}
	json_object_set_new(v->root, "figures", all);
	view_put(v->root, "maintenance_text", say_maintenance(v));
}

/* Those under way and to come that concern it, and the newest that did. */
static void list_events(struct view *v)
{
	static const char *const lists[] = {"events", "upcoming"};
	const char *id = json_str(v->model, "id");
	json_t *cards = json_array();
	const json_t *event;
	size_t k;
	for (size_t i = 0; i < array_len(lists); i++) {
		json_array_foreach (json_object_get(v->site, lists[i]), k, event) {
			if (event_touches(event, id) && json_array_size(cards) < EVENTS)
				json_array_append_new(cards, event_card_view(v, event));
		}
	}
	json_object_set_new(v->root, "has_events", json_boolean(json_array_size(cards) > 0));
	json_object_set_new(v->root, "events", cards);
	put_link(
		v, v->root, "history", "/history/", view_keep(v, mem_printf("::%s", id ? id : "")));
}

bool view_component(struct view *v)
{
	const char *name = json_str(v->model, "name");
	const json_t *p, *evidence = json_object_get(v->model, "evidence");
	json_t *probes = json_array(), *o = v->root;
	size_t i;
	json_array_foreach (json_object_get(v->model, "probes"), i, p)
		json_array_append_new(probes, probe_view(v, p));
	json_object_set_new(o, "has_probes", json_boolean(json_array_size(probes) > 0));
	json_object_set_new(o, "probes", probes);
	if (!name)
		return false;
	view_put(o, "title", name);
	view_put(o, "heading", name);
	view_put(o, "category", json_str(v->model, "category"));
	put_place(v, o, v->model);
	json_object_set_new(o, "state", state_view(v, view_health(v->model)));
	put_time(v, o, "since", json_object_get(v->model, "since_ms"));
	put_time(v, o, "checked", json_object_get(v->model, "checked_ms"));
	json_object_set_new(o, "stored", json_boolean(json_flag(v->model, "stored")));
	view_put(o, "why",
		view_health(v->model) == HEALTH_MAINTENANCE ? say(v, "maintenance_text", NULL)
		/* what it is affected by is said with its link */
		: json_str(v->model, "root") ? NULL
					     : say_rule(v, json_str(v->model, "rule")));
	view_put(o, "text", v->operators ? json_str(v->model, "text") : NULL);
	put_context(v, o, v->model);
	view_put(o, "evidence", NULL);
	if (json_is_integer(evidence) && json_integer_value(evidence) > 0)
		put_link(v, o, "evidence", "/evidence/",
			view_keep(v, mem_printf("%lld", (long long)json_integer_value(evidence))));
	json_object_set_new(
		o, "strip", strip_view(v, json_object_get(v->model, "days"), 90, "", LINKS));
	list_figures(v);
	list_events(v);
	list_spans(v);
	return true;
}

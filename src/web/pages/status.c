/*
 * status.c - the front page: one sentence that is true, then the components, then how it is known.
 *
 * The sentence counts the components themselves. While we are blind, or as long as nothing was
 * judged, it promises nothing: what is not known is never called good.
 */

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define NAMED      3 /* components in the sentence by name */
#define EVENTS     8 /* in full; the others are in the history; */
#define EVENTS_FEW 3 /* where there are more than MANY components, to keep the page small */
#define MANY       20
#define LINKS_PAGE 80 /* links on days, shared by all strips */

/* --- the verdict -------------------------------------------------------------------------------
 */

struct count {
	int64_t of[HEALTH_COUNT], all;
};

/* "A, B and C", or "A, B, C and 4 others". */
static const char *name_list(struct view *v, const json_t *components, enum health h, int64_t n)
{
	struct buf list = BUF(BUF_LINE);
	const json_t *c;
	size_t i;
	int64_t named = 0;
	const int64_t shown = n > NAMED + 1 ? NAMED : n;
	json_array_foreach (components, i, c) {
		if (view_health(c) != h || named == shown)
			continue;
		const char *name = say_component(v, c);
		const bool last = ++named == n;
		buf_printf(&list, "%s%s",
			named == 1 ? ""
			: last     ? say(v, "and", NULL)
				   : ", ",
			say_isolated(v, name));
	}
	const char *text = view_keep(v, buf_take(&list));
	return n > shown ? say(v, "and_others", text, say_number(v, n - shown), NULL) : text;
}

static void add_line(struct view *v, json_t *lines, const json_t *components,
	const struct count *count, enum health h)
{
	static const char *const keys[HEALTH_COUNT][2] = {
		[HEALTH_OUTAGE] = {"verdict_outage_one", "verdict_outage_many"},
		[HEALTH_DEGRADED] = {"verdict_degraded_one", "verdict_degraded_many"},
		[HEALTH_UNKNOWN] = {"verdict_unknown_one", "verdict_unknown_many"},
		[HEALTH_MAINTENANCE] = {"verdict_maintenance_one", "verdict_maintenance_many"},
	};
	const int64_t n = count->of[h];
	if (!n)
		return;
	json_array_append_new(
		lines, json_string(say(v, keys[h][n > 1], say_number(v, n),
			       say_number(v, count->all), name_list(v, components, h, n), NULL)));
}

static void tell_verdict(struct view *v, const json_t *components)
{
	struct count count = {0};
	const json_t *c;
	size_t i;
	enum health worst = HEALTH_OPERATIONAL;
	json_t *lines = json_array();
	const bool blind = json_flag(json_object_get(v->site, "observing"), "blind");
	json_array_foreach (components, i, c) {
		count.of[view_health(c)]++;
		count.all++;
		worst = health_worse(worst, view_health(c));
	}
	static const enum health order[] = {
		HEALTH_OUTAGE, HEALTH_DEGRADED, HEALTH_UNKNOWN, HEALTH_MAINTENANCE};
	const bool lost = blind || !count.all || count.of[HEALTH_UNKNOWN] == count.all;
	if (blind)
		json_array_append_new(lines, json_string(say(v, "verdict_blind", NULL)));
	else if (!count.all)
		json_array_append_new(lines, json_string(say(v, "verdict_nothing", NULL)));
	else if (lost)
		json_array_append_new(lines, json_string(say(v, "verdict_all_unknown", NULL)));
	else if (worst == HEALTH_OPERATIONAL)
		json_array_append_new(lines, json_string(say_count(v, "verdict_good_one",
						     "verdict_good_many", count.all)));
	for (size_t k = 0; k < array_len(order) && count.all; k++)
		if (!lost || order[k] != HEALTH_UNKNOWN)
			add_line(v, lines, components, &count, order[k]);
	const enum health h = lost ? HEALTH_UNKNOWN : worst;
	json_t *first = json_incref(json_array_get(lines, 0));
	json_array_remove(lines, 0);
	json_object_set_new(v->root, "verdict",
		json_pack("{s:o, s:o, s:o, s:b}", "state", state_view(v, h), "sentence", first,
			"more", lines, "others", json_array_size(lines) > 0));
	view_put(v->root, "title", json_string_value(first));
}

/* --- what is declared --------------------------------------------------------------------------
 */

static bool is_shown(const struct view *v, const json_t *event)
{
	return !event_is_over(event) || json_int(event, "ended_ms", 0) > v->now_ms - DAY_S * 1000LL;
}

static void add_events(struct view *v, json_t *cards, const char *list, bool incidents, bool over)
{
	const size_t n = json_array_size(json_object_get(v->site, "components"));
	const size_t most = n > MANY ? EVENTS_FEW : EVENTS;
	const json_t *event;
	size_t i;
	json_array_foreach (json_object_get(v->site, list), i, event) {
		const char *kind = json_str(event, "kind");
		const bool incident = kind && !strcmp(kind, "incident");
		if (event_is_over(event) == over && (over || incident == incidents) &&
			is_shown(v, event) && json_array_size(cards) < most)
			json_array_append_new(cards, event_card_view(v, event));
	}
}

/* Incidents first, then what is under way, what is planned, what ended within a day. */
static void list_events(struct view *v)
{
	json_t *cards = json_array();
	add_events(v, cards, "events", true, false);
	add_events(v, cards, "events", false, false);
	add_events(v, cards, "upcoming", false, false);
	add_events(v, cards, "events", false, true);
	json_t *card;
	size_t i;
	json_array_foreach (cards, i, card)
		json_object_set_new(card, "place", json_sprintf("%zu", i + 1));
	json_object_set_new(v->root, "has_events", json_boolean(json_array_size(cards) > 0));
	json_object_set_new(v->root, "events", cards);
}

/* What a row says of the event that concerns it. Of many rows each leads to the card above: one
 * event may concern them all, and then they are what the page consists of. */
static json_t *declared_short(struct view *v, const json_t *c, bool many)
{
	json_t *o = declared_view(v, json_str(c, "id")), *card;
	size_t i;
	view_put(o, "kind", "");
	json_array_foreach (json_object_get(v->root, "events"), i, card) {
		if (!many || !json_is_object(o) ||
			!json_equal(json_object_get(card, "href"), json_object_get(o, "href")))
			continue;
		view_put(o, "kind", json_str(card, "kind"));
		view_put(o, "title", NULL);
		json_object_set_new(o, "href", json_sprintf("#e%s", json_str(card, "place")));
		break;
	}
	return o;
}

/* --- the components ----------------------------------------------------------------------------
 */

static json_t *row_view(struct view *v, const json_t *c, size_t links, bool many)
{
	json_t *o = json_object();
	const enum health h = view_health(c);
	view_put(o, "name", json_str(c, "name"));
	put_place(v, o, c);
	put_link(v, o, "href", "/components/", json_str(c, "id"));
	json_object_set_new(o, "state", state_view(v, h));
	if (h == HEALTH_OPERATIONAL) {
		json_object_set_new(o, "since", json_null());
		view_put(o, "why", NULL);
	} else {
		json_object_set_new(o, "since", time_view_short(v, json_object_get(c, "since_ms")));
		/* a maintenance is declared, whatever is observed meanwhile */
		view_put(o, "why", h == HEALTH_MAINTENANCE ? NULL : say_why(v, c));
	}
	view_put(o, "evidence", NULL);
	if (h != HEALTH_OPERATIONAL && json_int(c, "evidence", 0) > 0)
		put_link(v, o, "evidence", "/evidence/",
			view_keep(v, mem_printf("%lld", (long long)json_int(c, "evidence", 0))));
	json_object_set_new(o, "notes", notes_view(v, c));
	json_object_set_new(o, "declared", declared_short(v, c, many));
	/* what was judged before this start says when it was last looked at */
	json_object_set_new(o, "stored", json_boolean(json_flag(c, "stored")));
	json_object_set_new(o, "checked",
		time_view_short(
			v, json_flag(c, "stored") ? json_object_get(c, "checked_ms") : NULL));
	json_object_set_new(o, "strip",
		strip_view(v, json_object_get(c, "days"), 90, json_str(o, "href"),
			/* where there is one link a strip, that of today is its evidence */
			links == 1 && json_is_string(json_object_get(o, "evidence")) ? 0 : links));
	json_object_set_new(o, "figures", json_sprintf("%s#f", json_str(o, "href")));
	json_object_set_new(o, "d90", ratio_view(v, json_at(c, "availability", "d90", NULL)));
	return o;
}

/* What all rows of a category would say is said once, beside its name. */
static json_t *declared_of_all(json_t *rows, bool many)
{
	json_t *first = json_object_get(json_array_get(rows, 0), "declared"), *row;
	size_t i;
	if (!many || !json_is_object(first) || json_is_string(json_object_get(first, "title")))
		return json_null();
	json_array_foreach (rows, i, row)
		if (!json_equal(json_object_get(row, "declared"), first))
			return json_null();
	json_incref(first);
	json_array_foreach (rows, i, row)
		json_object_set_new(row, "declared", json_null());
	return first;
}

static void list_components(struct view *v, const json_t *components)
{
	const size_t n = json_array_size(components);
	const size_t share = n ? LINKS_PAGE / n : 0, links = share < 1    ? 1
							     : share > 12 ? 12
									  : share;
	json_t *all = json_array();
	const json_t *category, *c, *id;
	size_t i, k, m;
	json_array_foreach (json_object_get(v->site, "categories"), i, category) {
		json_t *rows = json_array();
		json_array_foreach (json_object_get(category, "components"), k, id) {
			json_array_foreach (components, m, c) {
				if (json_equal(json_object_get(c, "id"), id))
					json_array_append_new(
						rows, row_view(v, c, links, n > MANY));
			}
		}
		json_array_append_new(
			all, json_pack("{s:s, s:o, s:o}", "name",
				     json_str(category, "name") ? json_str(category, "name") : "",
				     "declared", declared_of_all(rows, n > MANY), "rows", rows));
	}
	json_object_set_new(v->root, "has_categories", json_boolean(json_array_size(all) > 0));
	json_object_set_new(v->root, "categories", all);
}

/* --- how it is known ---------------------------------------------------------------------------
 */

/* Probes of one kind, cloud and rate are one row. */
static void list_probes(struct view *v)
{
	json_t *rows = json_array();
	const json_t *p;
	size_t i;
	json_array_foreach (json_object_get(v->site, "probe_kinds"), i, p) {
		json_t *o = json_object();
		view_put(o, "what", say_probe_kind(v, json_str(p, "kind")));
		view_put(o, "count", say_number(v, json_int(p, "count", 0)));
		const char *cloud = json_str(p, "cloud");
		view_put(o, "cloud", cloud && *cloud ? cloud : NULL);
		view_put(o, "every", say_duration(v, (double)json_int(p, "every_ms", 0)));
		json_array_append_new(rows, o);
	}
	json_object_set_new(v->root, "measured", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "probes", rows);
}

static void list_worked_on(struct view *v)
{
	json_t *rows = json_array();
	const json_t *w;
	size_t i;
	json_array_foreach (json_object_get(v->site, "worked_on"), i, w) {
		const char *event = json_str(w, "event");
		json_t *o = json_object();
		view_put(o, "name", json_str(w, "probe"));
		view_put(o, "href", NULL);
		if (event && *event)
			put_link(v, o, "href", "/events/", event);
		json_array_append_new(rows, o);
	}
	json_object_set_new(
		v->root, "has_probes_worked_on", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "probes_worked_on", rows);
}

static void list_scenarios(struct view *v)
{
	json_t *rows = json_array(), *possible = json_array();
	const json_t *s;
	size_t i;
	json_array_foreach (json_object_get(v->site, "scenarios"), i, s)
		json_array_append_new(rows, scenario_view(v, s));
	json_array_foreach (json_object_get(v->site, "possible"), i, s) {
		json_t *o = json_object();
		view_put(o, "name", json_str(s, "name"));
		view_put(o, "title", json_str(s, "title"));
		view_put(o, "text", json_str(s, "text"));
		view_put(o, "objects",
			/* none are counted where what is made depends on the cloud */
			json_int(s, "objects", 0) ? say_count(v, "objects_one", "objects_many",
							    json_int(s, "objects", 0))
						  : NULL);
		json_array_append_new(possible, o);
	}
	json_object_set_new(v->root, "has_scenarios", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "has_possible", json_boolean(json_array_size(possible) > 0));
	json_object_set_new(v->root, "scenarios", rows);
	json_object_set_new(v->root, "possible", possible);
}

/* --- what is the operators' --------------------------------------------------------------------
 */

static void list_jobs(struct view *v)
{
	json_t *rows = json_array();
	const json_t *j;
	size_t i;
	json_array_foreach (json_object_get(v->site, "jobs"), i, j) {
		json_t *o = json_object();
		view_put(o, "name", json_str(j, "name"));
		view_put(o, "every", say_duration(v, (double)json_int(j, "every_ms", 0)));
		put_time(v, o, "next", json_object_get(j, "next_ms"));
		view_put(o, "runs", say_number(v, json_int(j, "runs", 0)));
		view_put(o, "skips", say_number(v, json_int(j, "skips", 0)));
		view_put(o, "late", say_duration(v, (double)json_int(j, "worst_late_ms", 0)));
		json_array_append_new(rows, o);
	}
	json_object_set_new(v->root, "has_jobs", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "jobs", rows);
}

static void list_alarms(struct view *v)
{
	json_t *rows = json_array();
	const json_t *a;
	size_t i;
	json_array_foreach (json_object_get(v->site, "alarms"), i, a) {
		json_t *o = json_object();
		view_put(o, "name", json_str(a, "name"));
		view_put(o, "kind", json_str(a, "kind"));
		view_put(o, "sent", say_number(v, json_int(a, "sent", 0)));
		view_put(o, "failed", say_number(v, json_int(a, "failed", 0)));
		view_put(o, "waiting", say_number(v, json_int(a, "waiting", 0)));
		view_put(o, "trouble", json_str(a, "trouble"));
		json_array_append_new(rows, o);
	}
	json_object_set_new(v->root, "has_alarms", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "alarms", rows);
}

static void list_outposts(struct view *v)
{
	json_t *rows = json_array();
	const json_t *a;
	size_t i;
	json_array_foreach (json_object_get(v->site, "outposts"), i, a) {
		json_t *o = json_object();
		view_put(o, "location", json_str(a, "location"));
		view_put(o, "instance", json_str(a, "instance"));
		put_time(v, o, "heard", json_object_get(a, "heard_ms"));
		view_put(o, "lag", say_duration(v, (double)json_int(a, "lag_ms", 0)));
		view_put(o, "waiting", say_number(v, json_int(a, "samples", 0)));
		view_put(o, "clock", say_duration(v, (double)llabs(json_int(a, "clock_ms", 0))));
		json_object_set_new(o, "behind", json_boolean(json_int(a, "clock_ms", 0) < 0));
		view_put(o, "probes", say_number(v, json_int(a, "probes", 0)));
		view_put(o, "trouble", json_str(a, "trouble"));
		json_array_append_new(rows, o);
	}
	json_object_set_new(v->root, "has_outposts", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(v->root, "outposts", rows);
}

bool view_status(struct view *v)
{
	const json_t *components = json_object_get(v->site, "components");
	if (!json_is_array(components))
		return false;
	tell_verdict(v, components);
	list_events(v);
	list_components(v, components);
	list_probes(v);
	list_worked_on(v);
	list_scenarios(v);
	json_object_set_new(v->root, "about", about_view(v));
	if (v->operators) {
		list_jobs(v);
		list_alarms(v);
		list_outposts(v);
	}
	return true;
}

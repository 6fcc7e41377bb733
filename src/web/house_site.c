/*
 * house_site.c - the SITE document: see model.h. What is the operators' alone is put in only for
 * them; nothing is taken out afterwards.
 */

#include <string.h>

#include "web/house_inside.h"

static json_t *texts(const char *const *list)
{
	json_t *j = json_array();
	for (; list && *list; list++)
		json_array_append_new(j, json_string(*list));
	return j;
}

static json_t *own_json(const struct house *h, bool operators)
{
	const struct house_site *s = h->site;
	json_t *j = json_object();
	put_text(j, "name", s->name);
	put_text(j, "url", s->url);
	put_text(j, "timezone", s->timezone);
	put(j, "languages", texts(s->languages));
	/* a copy: the document goes to a thread of its own */
	put(j, "about", s->about ? json_deep_copy(s->about) : json_object());
	put(j, "simulated", json_boolean(s->simulated));
	put_text(j, "maintenance", s->maintenance_counts ? "count" : "exclude");
	put_text(j, "location", s->location);
	put_text(j, "version", GLASSHOUSE_VERSION);
	if (operators)
		put_text(j, "instance", s->instance);
	return j;
}

static json_t *observing_json(const struct house *h, bool operators)
{
	const char *why = NULL;
	const struct series_status st = series_status(h->series);
	const bool blind = judge_is_blind(h->judge, &why);
	json_t *j = json_object();
	put(j, "storing", json_boolean(st.storing));
	put(j, "blind", json_boolean(blind));
	put_int(j, "since_ms", h->observing_since_ms);
	if (operators)
		put_text(j, "why", blind ? why : st.storing ? NULL : st.why.msg);
	return j;
}

/* --- components ------------------------------------------------------------------------------- */

static json_t *availability_json(const struct house_days *d, int64_t now_ms)
{
	json_t *j = json_object();
	put(j, "d1", days_ratio(d, 0, now_ms));
	put(j, "d7", days_ratio(d, 7, now_ms));
	put(j, "d30", days_ratio(d, 30, now_ms));
	put(j, "d90", days_ratio(d, 90, now_ms));
	return j;
}

static json_t *component_json(struct house *h, const struct component *c, bool operators)
{
	const struct verdict *v = judge_verdict(h->judge, c->id);
	const int64_t now_ms = house_now_ms(h);
	struct house_days *d = days_of(h, c->id);
	json_t *j = json_object();
	days_now(h, d);
	put_text(j, "id", c->id);
	put_text(j, "name", c->name);
	put_text(j, "category", c->category);
	put_text(j, "region", c->region);
	put_text(j, "cloud", c->cloud);
	put_text(j, "health", health_name(v->health));
	put_text(j, "rule", v->rule);
	if (operators)
		put_text(j, "text", v->text);
	put_int(j, "since_ms", v->since_ms);
	put(j, "checked_ms", v->evidence_ms ? json_integer(v->evidence_ms) : json_null());
	put(j, "stored", json_boolean(v->stored));
	put_text(j, "root", v->root);
	put_text(j, "dissent", v->dissent);
	put_text(j, "maintenance", v->maintenance);
	put(j, "flapping", json_boolean(v->flapping));
	put(j, "evidence", v->id ? json_integer(v->id) : json_null());
	put(j, "days", days_json(d, MODEL_DAYS, now_ms));
	put(j, "availability", availability_json(d, now_ms));
	return j;
}

json_t *site_component(struct house *h, const char *id, bool operators)
{
	for (size_t i = 0; id && i < judge_component_count(h->judge); i++) {
		const struct component *c = judge_component_at(h->judge, i);
		if (!strcmp(c->id, id))
			return component_json(h, c, operators);
	}
	return NULL;
}

static void add_components(struct house *h, json_t *site, bool operators)
{
	unsigned counts[HEALTH_COUNT] = {0};
	enum health worst = HEALTH_OPERATIONAL;
	json_t *list = json_array(), *categories = json_array(), *by_name = json_object();
	json_t *category = NULL;
	for (size_t i = 0; i < judge_component_count(h->judge); i++) {
		const struct component *c = judge_component_at(h->judge, i);
		const enum health is = judge_verdict(h->judge, c->id)->health;
		counts[is]++;
		worst = health_worse(worst, is);
		json_array_append_new(list, component_json(h, c, operators));
		if (!category || strcmp(json_str(category, "name"), c->category) != 0) {
			category = json_object();
			put_text(category, "name", c->category);
			put(category, "components", json_array());
			json_array_append_new(categories, category);
		}
		json_array_append_new(json_object_get(category, "components"), json_string(c->id));
	}
	for (int i = 0; i < HEALTH_COUNT; i++)
		if (counts[i])
			put_int(by_name, health_name((enum health)i), counts[i]);
	/* of nothing nobody knows that it is well */
	put_text(site, "health", health_name(json_array_size(list) ? worst : HEALTH_UNKNOWN));
	put(site, "counts", by_name);
	put(site, "observing", observing_json(h, operators));
	put(site, "components", list);
	put(site, "categories", categories);
}

/* --- what is watched -------------------------------------------------------------------------- */

json_t *site_scenario(struct house *h, const struct house_scenario *s, bool operators)
{
	json_t *j = json_object(), *last = map_get(&h->last_runs, s->name);
	put_text(j, "name", s->name);
	put_text(j, "title", s->title);
	put_text(j, "cloud", s->cloud);
	put_int(j, "every_ms", s->every_ms);
	put_text(j, "component", s->component);
	if (!last) {
		put(j, "last", json_null());
		return j;
	}
	json_t *short_run = json_object();
	if (operators)
		put(short_run, "run", json_incref(json_object_get(last, "run")));
	put(short_run, "at_ms", json_incref(json_object_get(last, "at_ms")));
	put(short_run, "verdict", json_incref(json_object_get(last, "verdict")));
	put(short_run, "built_ms", json_incref(json_object_get(last, "built_ms")));
	put(j, "last", short_run);
	return j;
}

static void add_worked_on(void *list, const char *probe, const char *event)
{
	json_array_append_new(list, json_pack("{s:s, s:s}", "probe", probe, "event", event));
}

static json_t *worked_on_json(const struct house *h)
{
	json_t *list = json_array();
	judge_worked_on(h->judge, add_worked_on, list);
	return list;
}

static void add_lists(struct house *h, json_t *site, bool operators)
{
	const struct house_lists *l = &h->lists;
	json_t *scenarios = json_array(), *possible = json_array();
	for (size_t i = 0; i < l->scenario_count; i++)
		json_array_append_new(scenarios, site_scenario(h, &l->scenarios[i], operators));
	for (size_t i = 0; i < l->possible_count; i++) {
		json_t *j = json_object();
		put_text(j, "name", l->possible[i].name);
		put_text(j, "title", l->possible[i].title);
		put_int(j, "objects", l->possible[i].objects);
		put_text(j, "text", l->possible[i].text);
		json_array_append_new(possible, j);
	}
	put(site, "scenarios", scenarios);
	put(site, "possible", possible);
	put(site, "probe_kinds", json_incref(h->probe_kinds));
	put(site, "worked_on", worked_on_json(h));
}

static json_t *alarms_json(const struct house *h)
{
	const struct alarm_state *states = NULL;
	const size_t n = h->alarms ? alarms_states(h->alarms, &states) : 0;
	json_t *list = json_array();
	for (size_t i = 0; i < n; i++) {
		json_t *j = json_object();
		put_text(j, "name", states[i].name);
		put_text(j, "kind", alarm_kind_name(states[i].kind));
		put_int(j, "sent", (int64_t)states[i].sent);
		put_int(j, "failed", (int64_t)states[i].failed);
		put_int(j, "waiting", (int64_t)states[i].waiting);
		put_text(j, "trouble", states[i].trouble);
		json_array_append_new(list, j);
	}
	return list;
}

json_t *site_json(struct house *h, enum audience audience)
{
	const bool operators = audience == AUDIENCE_OPERATORS;
	json_t *site = json_object();
	put(site, "site", own_json(h, operators));
	put_int(site, "at_ms", house_now_ms(h));
	put_int(site, "started_ms", h->started_ms);
	add_components(h, site, operators);
	site_events(h, site, operators);
	add_lists(h, site, operators);
	if (!operators)
		return site;
	put(site, "alarms", alarms_json(h));
	if (h->more)
		h->more(h->arg, site);
	return site;
}

/*
 * dashboard_next.c - what an event still has to say to a dashboard, in the forms of both versions.
 */
#include "tell/dashboard_inside.h"

#include <stdio.h>
#include <string.h>

#define DESCRIPTION_MAX 1400 /* code points; there it is 1500, with the link */

/* Their impacts: 1 minor, 2 major, 3 outage. */
static int level_of(int64_t impact)
{
	return impact >= 100 ? 3 : impact > 33 ? 2 : impact > 0 ? 1 : 0;
}

/* The components as of an update (from 0): those of the last one that names any. */
static const json_t *components_at(const json_t *event, size_t update)
{
	const json_t *updates = json_object_get(event, "updates"), *found = NULL;
	for (size_t i = 0; i <= update && i < json_array_size(updates); i++) {
		const json_t *c = json_object_get(json_array_get(updates, i), "components");
		found = json_is_array(c) ? c : found;
	}
	return found;
}

static int worst_at(const json_t *event, size_t update)
{
	const json_t *list = components_at(event, update);
	int worst = 0;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const int level = level_of(json_int(json_array_get(list, i), "impact", 0));
		worst = level > worst ? level : worst;
	}
	return worst;
}

static bool is_over(const json_t *event)
{
	enum event_phase p;
	return event_phase_parse(json_str(event, "phase"), &p) && event_phase_over(p);
}

static bool is_maintenance(const json_t *event)
{
	return !strcmp(json_str(event, "kind"), "maintenance");
}

/* --- names there --------------------------------------------------------------------------------
 */

static const char *name_there(
	const struct target *t, const char *component, const char **ret_region)
{
	const char *name = component, *own = json_str(t->config.names, component);
	*ret_region = "";
	if (!t->dashboards->look_at(t->dashboards->arg, component, &name, ret_region))
		name = component;
	return own ? own : name;
}

/* {name: value}, owned. */
static json_t *attributes_there(const struct target *t, const char *region)
{
	json_t *all = json_object();
	if (region[0])
		json_object_set_new(all, "region", json_string(region));
	json_object_update(all, (json_t *)t->config.attributes);
	return all;
}

static bool has_attributes(const json_t *there, json_t *wanted)
{
	const json_t *list = json_object_get(there, "attributes");
	const char *key;
	json_t *value;
	json_object_foreach (wanted, key, value) {
		bool found = false;
		for (size_t i = 0; i < json_array_size(list) && !found; i++) {
			const json_t *a = json_array_get(list, i);
			const char *name = json_str(a, "name");
			found = name && !strcmp(name, key) &&
				json_equal(json_object_get(a, "value"), value);
		}
		if (!found)
			return false;
	}
	return true;
}

const json_t *component_there(const struct target *t, const char *component)
{
	const char *region, *name = name_there(t, component, &region);
	json_t *wanted = attributes_there(t, region);
	const json_t *id = NULL;
	for (size_t i = 0; i < json_array_size(t->known) && !id; i++) {
		const json_t *c = json_array_get(t->known, i);
		const char *its = json_str(c, "name");
		if (its && !strcmp(its, name) && has_attributes(c, wanted))
			id = json_object_get(c, "id");
	}
	json_decref(wanted);
	return id;
}

/* --- texts --------------------------------------------------------------------------------------
 */

static char *marker(const struct target *t, const char *event)
{
	const char *url = t->dashboards->site_url;
	return url[0] ? mem_printf("%s%sevents/%s", url, slice_ends(slice_of(url), "/") ? "" : "/",
				event)
		      : mem_printf("glasshouse event %s", event);
}

bool incident_is_ours(const struct target *t, const json_t *incident, const char *event)
{
	const char *text = json_str(incident, "description");
	char *mark = marker(t, event);
	const char *at = text ? strstr(text, mark) : NULL;
	/* "...-outage" must not be found in "...-outage-2" */
	const bool ours = at && !at[strlen(mark)];
	free(mark);
	return ours;
}

/* Cut at a whole code point, owned. */
static char *cut(const char *text, size_t points)
{
	size_t n = 0;
	for (size_t seen = 0; text[n]; n++)
		if (((unsigned char)text[n] & 0xc0) != 0x80 && seen++ == points)
			break;
	return mem_strndup(text, n);
}

static json_t *time_json(int64_t ms)
{
	char text[CLOCK_TEXT];
	clock_rfc3339(ms * 1000, text);
	return json_sprintf("%.19sZ", text);
}

static json_t *description(const struct target *t, const json_t *event, size_t update)
{
	const json_t *u = json_array_get(json_object_get(event, "updates"), update);
	const char *text = json_str(u, "text");
	char *mark = marker(t, json_str(event, "id")),
	     *begin = cut(text ? text : "", DESCRIPTION_MAX);
	json_t *j = json_sprintf("%s%s%s", begin, begin[0] ? "\n\n" : "", mark);
	free(begin);
	free(mark);
	return j;
}

/* --- version 1 ----------------------------------------------------------------------------------
 */

static int posted_level(const struct entry *e, const char *component)
{
	return (int)json_int(json_at(e->body, "posted", component, NULL), "level", 0);
}

static json_t *attribute_list(const struct target *t, const char *region)
{
	json_t *map = attributes_there(t, region), *list = json_array(), *value;
	const char *key;
	json_object_foreach (map, key, value)
		json_array_append_new(list, json_pack("{s:s, s:O}", "name", key, "value", value));
	json_decref(map);
	return list;
}

static void next_status(
	struct target *t, const struct entry *e, const json_t *event, struct action *ret)
{
	const json_t *list = json_object_get(event, "components");
	for (size_t i = 0; !is_over(event) && i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		const char *id = json_str(c, "id"), *region, *name = name_there(t, id, &region);
		const int level = level_of(json_int(c, "impact", 0));
		if (level <= posted_level(e, id))
			continue;
		ret->kind = ACTION_POST;
		ret->path = mem_strdup("/v1/component_status");
		ret->level = level;
		ret->components = json_pack("[s]", id);
		ret->body = json_pack("{s:s, s:i, s:O, s:o}", "name", name, "impact", level, "text",
			json_object_get(event, "title"), "attributes", attribute_list(t, region));
		return;
	}
}

/* --- version 2 ----------------------------------------------------------------------------------
 */

#define KNOWN_MS (5 * 60 * 1000LL) /* before what it does not know is asked again */

/* Ours that are ill as of that update and not there yet; `unknown`: it knows none of that name. */
static json_t *not_there(const struct target *t, const struct entry *e, const json_t *event,
	size_t update, bool unknown)
{
	const json_t *list = components_at(event, update);
	json_t *all = json_array();
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);
		const char *id = json_str(c, "id");
		const bool ill = level_of(json_int(c, "impact", 0)) > 0;
		if ((!ill && !is_maintenance(event)) || json_at(e->body, "posted", id, NULL))
			continue;
		if (!component_there(t, id) == unknown)
			json_array_append_new(all, json_string(id));
	}
	return all;
}

static void post_incident(struct target *t, const json_t *event, size_t update, struct action *ret)
{
	json_t *ids = json_array();
	for (size_t i = 0; i < json_array_size(ret->components); i++)
		json_array_append(
			ids, (json_t *)component_there(
				     t, json_string_value(json_array_get(ret->components, i))));
	ret->kind = ACTION_POST;
	ret->path = mem_strdup("/v2/events");
	ret->level = is_maintenance(event) ? 0 : worst_at(event, update);
	ret->body = json_pack("{s:O, s:o, s:i, s:o, s:o, s:O}", "title",
		json_object_get(event, "title"), "description", description(t, event, update),
		"impact", ret->level, "components", ids, "start_date",
		time_json(json_int(event, "starts_ms", 0)), "type", json_object_get(event, "kind"));
	if (is_maintenance(event)) {
		json_object_set_new(
			ret->body, "end_date", time_json(json_int(event, "until_ms", 0)));
		json_object_set_new(ret->body, "contact_email", json_string(t->config.contact));
	} else {
		json_object_set_new(ret->body, "system", json_true());
	}
}

static const char *status_there(enum event_phase p)
{
	switch (p) {
	case EVENT_IDENTIFIED: return "fixing";
	case EVENT_MONITORING: return "observing";
	case EVENT_RESOLVED: return "resolved";
	case EVENT_DETECTED:
	case EVENT_INVESTIGATING:
	case EVENT_PLANNED:
	case EVENT_IN_PROGRESS:
	case EVENT_ACTIVE:
	case EVENT_COMPLETED:
	case EVENT_CANCELLED: break;
	}
	return "analysing";
}

static enum event_phase phase_at(const json_t *event, size_t update)
{
	enum event_phase p = EVENT_DETECTED;
	const json_t *u = json_array_get(json_object_get(event, "updates"), update);
	return event_phase_parse(json_str(u, "phase"), &p) ? p : EVENT_DETECTED;
}

static const char *nothing_said(enum event_phase p)
{
	switch (p) {
	case EVENT_IN_PROGRESS: return "The work has begun.";
	case EVENT_COMPLETED: return "The work is done.";
	case EVENT_CANCELLED: return "The work does not take place.";
	case EVENT_PLANNED:
	case EVENT_DETECTED:
	case EVENT_INVESTIGATING:
	case EVENT_IDENTIFIED:
	case EVENT_MONITORING:
	case EVENT_RESOLVED:
	case EVENT_ACTIVE: break;
	}
	return "The plan is another one now.";
}

/* checked: as it is there; NULL: not known yet. A phase that it has by its own clock is not told
 * again, and its version is that of what we saw. */
static json_t *maintenance_patch(const json_t *event, size_t update, const json_t *checked)
{
	static const char *const times[][2] = {
		{"starts_ms", "start_date"}, {"until_ms", "end_date"}};
	const json_t *u = json_array_get(json_object_get(event, "updates"), update);
	const enum event_phase now = phase_at(event, update);
	const char *text = json_str(u, "text"), *phase = event_phase_name(now),
		   *there = checked ? json_str(checked, "status") : NULL;
	const bool same = now == phase_at(event, update - 1) || (there && !strcmp(there, phase));
	json_t *body = json_pack("{s:s, s:s, s:o}", "message",
		text && text[0] ? text : nothing_said(now), "status", same ? "modified" : phase,
		"update_date", time_json(json_int(u, "at_ms", 0)));
	if (json_is_string(json_object_get(u, "title")))
		json_object_set(body, "title", json_object_get(u, "title"));
	for (size_t i = 0; i < array_len(times); i++) {
		const int64_t ms = json_int(u, times[i][0], 0);
		if (ms)
			json_object_set_new(body, times[i][1], time_json(ms));
	}
	if (checked && json_is_integer(json_object_get(checked, "version")))
		json_object_set(body, "version", json_object_get(checked, "version"));
	return body;
}

static bool says_phase_only(const json_t *event, size_t update)
{
	static const char *const others[] = {"title", "starts_ms", "until_ms"};
	const json_t *u = json_array_get(json_object_get(event, "updates"), update);
	const char *text = json_str(u, "text");
	bool only = !(text && text[0]) && phase_at(event, update) != phase_at(event, update - 1);
	for (size_t i = 0; i < array_len(others); i++)
		only &= json_is_null(json_object_get(u, others[i]));
	return only;
}

static json_t *incident_patch(const json_t *event, size_t update)
{
	const json_t *u = json_array_get(json_object_get(event, "updates"), update);
	const enum event_phase now = phase_at(event, update), before = phase_at(event, update - 1);
	const int level = worst_at(event, update), was = worst_at(event, update - 1);
	const bool over = event_phase_over(now), changes = !over && level && level != was;
	const char *text = json_str(u, "text");
	json_t *body = json_pack("{s:s, s:s, s:o}", "message",
		text && text[0] ? text
		: over          ? "This is over."
				: "The impact is another one now.",
		"status",
		!over && event_phase_over(before) ? "reopened"
		: changes                         ? "impact changed"
						  : status_there(now),
		"update_date", time_json(json_int(u, "at_ms", 0)));
	if (changes)
		json_object_set_new(body, "impact", json_integer(level));
	return body;
}

bool incident_has_update(const json_t *incident, const json_t *patch)
{
	const json_t *updates = json_object_get(incident, "updates");
	for (size_t i = 0; i < json_array_size(updates); i++) {
		const json_t *u = json_array_get(updates, i);
		const char *at = json_str(u, "timestamp"), *ours = json_str(patch, "update_date");
		if (json_equal(json_object_get(u, "text"), json_object_get(patch, "message")) &&
			at && !strncmp(at, ours, strlen("2026-11-18T11:06:40")))
			return true;
	}
	return false;
}

bool incident_is_closed(const json_t *incident)
{
	const char *type = json_str(incident, "type"), *status = json_str(incident, "status");
	if (!type || strcmp(type, "maintenance"))
		return json_is_string(json_object_get(incident, "end_date"));
	return status && (!strcmp(status, "completed") || !strcmp(status, "cancelled"));
}

/* The incident there that is told this update next: incidents are told one after the other. */
static json_t *incident_to_tell(const struct entry *e, int64_t update)
{
	json_t *posted = json_object_get(e->body, "posted"), *c;
	const char *key;
	json_object_foreach (posted, key, c) {
		json_t *remote = json_object_get(c, "remote");
		if (json_is_integer(remote) && json_int(c, "told", 0) <= update)
			return remote;
	}
	return NULL;
}

/* There nothing is added to an incident that is closed. */
static bool said_after_the_end(const json_t *event, size_t update)
{
	return event_phase_over(phase_at(event, update)) &&
	       event_phase_over(phase_at(event, update - 1));
}

static bool needs_components(const struct target *t, const json_t *unknown)
{
	return !t->known || (json_array_size(unknown) &&
				    dashboards_now_ms(t->dashboards) - t->known_ms > KNOWN_MS);
}

static void note_unknown(struct target *t, const json_t *unknown)
{
	const char *region, *id = json_string_value(json_array_get(unknown, 0));
	char *why = NULL;
	if (id)
		why = mem_printf(
			"%s knows no component \"%s\" with the attributes of ours: give its"
			" name there (names), or other attributes",
			t->config.url, name_there(t, id, &region));
	if (why)
		mem_replace(&t->unknown, why);
	free(why);
}

/* What is to be posted as of that update; false: nothing. */
static bool next_post(struct target *t, const struct entry *e, const json_t *event, size_t update,
	struct action *ret)
{
	json_t *missing = not_there(t, e, event, update, false);
	json_t *unknown = not_there(t, e, event, update, true);
	const bool asks = needs_components(t, unknown) &&
			  json_array_size(missing) + json_array_size(unknown) > 0;
	if (asks) {
		ret->kind = ACTION_COMPONENTS;
		ret->path = mem_strdup("/v2/components");
	} else if (json_array_size(missing) && json_flag(e->body, "unsure") && !t->foundless) {
		ret->kind = ACTION_FIND;
		ret->path = mem_strdup(is_maintenance(event)
					       ? "/v2/events?type=maintenance&limit=50"
					       : "/v2/events?active=true&system=true&limit=50");
		ret->components = json_incref(missing);
		ret->level = is_maintenance(event) ? 0 : worst_at(event, update);
	} else if (json_array_size(missing)) {
		ret->components = json_incref(missing);
		post_incident(t, event, update, ret);
	}
	if (!asks)
		note_unknown(t, unknown);
	ret->update = update;
	json_decref(missing);
	json_decref(unknown);
	return ret->kind != ACTION_NONE;
}

static void next_incident(
	struct target *t, const struct entry *e, const json_t *event, struct action *ret)
{
	const size_t updates = json_array_size(json_object_get(event, "updates"));
	const size_t told = (size_t)json_int(e->body, "told", 0);
	if (is_over(event) && json_object_size(json_object_get(e->body, "posted")) == 0)
		return; /* it came and went before it was told there */
	for (size_t i = told ? told - 1 : 0; i < updates; i++) {
		if (!is_over(event) && next_post(t, e, event, i, ret))
			return;
		json_t *remote = i ? incident_to_tell(e, (int64_t)i) : NULL;
		if (!remote || said_after_the_end(event, i))
			continue;
		ret->kind = t->checked ? ACTION_PATCH : ACTION_CHECK;
		ret->path = mem_printf("/v2/events/%lld", (long long)json_integer_value(remote));
		ret->body = is_maintenance(event) ? maintenance_patch(event, i, t->checked)
						  : incident_patch(event, i);
		ret->phase_only = is_maintenance(event) && says_phase_only(event, i);
		ret->remote = remote;
		ret->update = i;
		return;
	}
}

void action_next(struct target *t, const struct entry *e, const json_t *event, struct action *ret)
{
	*ret = (struct action){0};
	if (event && t->config.version == 1)
		next_status(t, e, event, ret);
	else if (event)
		next_incident(t, e, event, ret);
}

void action_fini(struct action *a)
{
	free(a->path);
	json_decref(a->body);
	json_decref(a->components);
	*a = (struct action){0};
}

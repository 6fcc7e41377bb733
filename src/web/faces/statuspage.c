/*
 * statuspage.c - the reading documents of Statuspage's API v2, as its clients expect them.
 *
 * Categories are its groups. Its ids are short opaque words, so ours are hashed into such. A
 * component says since when it is as it is; when it was created nobody knows, so that is the first
 * day on which it was observed. The states are those of judge/health.def; the state of the page
 * follows from the worst.
 */

#include <string.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/json.h"
#include "judge/health.h"
#include "web/faces/faces.h"
#include "web/faces/statuspage.h"

#define ID_LENGTH 12
#define DAY_MS    86400000LL

json_t *statuspage_id(const char *kind, const char *name)
{
	uint8_t hash[SHA256_BYTES];
	char *text = mem_printf("%s %s", kind, name ? name : "");
	digest_sha256(text, strlen(text), hash);
	char *word = base32_encode(hash, sizeof(hash));
	json_t *id = json_stringn(word, ID_LENGTH);
	free(word);
	free(text);
	return id;
}

json_t *statuspage_time(int64_t ms)
{
	char text[CLOCK_TEXT];
	return json_string(clock_rfc3339(ms * 1000, text));
}

/* Of a component, or of the whole. */
static enum health measured(const json_t *object)
{
	enum health h = HEALTH_UNKNOWN;
	const char *name = json_str(object, "health");
	return name && health_parse(name, &h) ? h : HEALTH_UNKNOWN;
}

/* While announced work concerns it, it is that to Statuspage's clients, whatever is measured. */
static enum health health_of(const json_t *site, const json_t *component)
{
	const char *id = json_str(component, "id");
	return id && statuspage_is_worked_on(site, id) ? HEALTH_MAINTENANCE : measured(component);
}

static enum health worst_of(const json_t *site)
{
	enum health worst = HEALTH_OPERATIONAL;
	bool any = false;
	size_t i;
	json_t *c;
	json_array_foreach (json_object_get(site, "components"), i, c) {
		any |= health_of(site, c) != measured(c);
		worst = health_worse(worst, health_of(site, c));
	}
	return any ? worst : measured(site);
}

static const char *text_or(const char *text, const char *otherwise)
{
	return text && text[0] ? text : otherwise;
}

/* --- page and status -----------------------------------------------------------------------------
 */

json_t *statuspage_page_id(const json_t *site)
{
	return statuspage_id("page", json_str(json_object_get(site, "site"), "name"));
}

static json_t *page_of(const json_t *site)
{
	const json_t *s = json_object_get(site, "site");
	const char *zone = text_or(json_str(s, "timezone"), "UTC");
	return json_pack("{s:o, s:s, s:s, s:s, s:o}", "id", statuspage_page_id(site), "name",
		text_or(json_str(s, "name"), "status"), "url", text_or(json_str(s, "url"), ""),
		"time_zone", strcmp(zone, "UTC") == 0 ? "Etc/UTC" : zone, "updated_at",
		statuspage_time(json_int(site, "at_ms", 0)));
}

static bool all_are(const json_t *site, enum health h)
{
	size_t i;
	json_t *c;
	json_array_foreach (json_object_get(site, "components"), i, c) {
		if (health_of(site, c) != h)
			return false;
	}
	return true;
}

static json_t *status_of(const json_t *site)
{
	static const struct {
		const char *indicator, *description;
	} rows[HEALTH_COUNT] = {
		[HEALTH_OPERATIONAL] = {"none", "All Systems Operational"},
		[HEALTH_DEGRADED] = {"minor", "Partially Degraded Service"},
		[HEALTH_OUTAGE] = {"major", "Partial System Outage"},
		[HEALTH_UNKNOWN] = {"major", "Some Systems Are Not Observed"},
		[HEALTH_MAINTENANCE] = {"maintenance", "Service Under Maintenance"},
	};
	const enum health h = worst_of(site);
	if (h == HEALTH_OUTAGE && all_are(site, HEALTH_OUTAGE))
		return json_pack("{s:s, s:s}", "indicator", "critical", "description",
			"Major Service Outage");
	return json_pack(
		"{s:s, s:s}", "indicator", rows[h].indicator, "description", rows[h].description);
}

/* --- components ----------------------------------------------------------------------------------
 */

/* The first day of its strip on which it was observed at all; since_ms when there is none. */
static int64_t first_seen_ms(const json_t *component)
{
	size_t i, k;
	json_t *day, *seconds;
	json_array_foreach (json_object_get(component, "days"), i, day) {
		json_array_foreach (json_object_get(day, "s"), k, seconds) {
			if (json_number_value(seconds) > 0)
				return json_int(day, "day", 0) * DAY_MS;
		}
	}
	return json_int(component, "since_ms", 0);
}

static json_t *start_date(int64_t ms)
{
	char text[CLOCK_TEXT];
	return json_stringn(clock_rfc3339(ms * 1000, text), strlen("2026-11-24"));
}

static json_t *component_of(const json_t *site, const json_t *c, size_t position, bool grouped)
{
	const int64_t created = first_seen_ms(c);
	json_t *group = json_null();
	if (grouped)
		group = statuspage_id("group", json_str(c, "category"));
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:I, s:n, s:b, s:o, s:o, s:o, s:b, s:b}", "id",
		statuspage_id("component", json_str(c, "id")), "name",
		text_or(json_str(c, "name"), "?"), "status", health_statuspage(health_of(site, c)),
		"created_at", statuspage_time(created), "updated_at",
		statuspage_time(json_int(c, "since_ms", created)), "position", (json_int_t)position,
		"description", "showcase", 0, "start_date", start_date(created), "group_id", group,
		"page_id", statuspage_page_id(site), "group", 0, "only_show_if_degraded", 0);
}

static const json_t *find_component(const json_t *site, const char *id)
{
	size_t i;
	json_t *c;
	json_array_foreach (json_object_get(site, "components"), i, c) {
		const char *own = json_str(c, "id");
		if (id && own && strcmp(own, id) == 0)
			return c;
	}
	return NULL;
}

json_t *statuspage_component(const json_t *site, const char *id)
{
	size_t i, k;
	json_t *category, *name;
	const json_t *c = find_component(site, id);
	if (!c)
		return json_null();
	json_array_foreach (json_object_get(site, "categories"), i, category) {
		json_array_foreach (json_object_get(category, "components"), k, name) {
			if (strcmp(json_string_value(name) ? json_string_value(name) : "", id) == 0)
				return component_of(site, c, k + 1, true);
		}
	}
	return component_of(site, c, 1, false);
}

struct group {
	json_t *members; /* ids, in Statuspage's form */
	enum health worst;
	int64_t created_ms, updated_ms;
};

static json_t *group_of(
	const json_t *site, const char *name, size_t position, const struct group *g)
{
	return json_pack("{s:o, s:s, s:s, s:o, s:o, s:I, s:n, s:b, s:n, s:n, s:o, s:b, s:b, s:o}",
		"id", statuspage_id("group", name), "name", name, "status",
		health_statuspage(g->worst), "created_at", statuspage_time(g->created_ms),
		"updated_at", statuspage_time(g->updated_ms), "position", (json_int_t)position,
		"description", "showcase", 0, "start_date", "group_id", "page_id",
		statuspage_page_id(site), "group", 1, "only_show_if_degraded", 0, "components",
		g->members);
}

/* The components of one category, and the category itself as a group of them. */
static void add_category(json_t *list, const json_t *site, const json_t *category, size_t position)
{
	const char *name = text_or(json_str(category, "name"), "?");
	struct group g = {.members = json_array(),
		.worst = HEALTH_OPERATIONAL,
		.created_ms = json_int(site, "at_ms", 0)};
	size_t i;
	json_t *id;
	json_array_foreach (json_object_get(category, "components"), i, id) {
		const json_t *c = find_component(site, json_string_value(id));
		if (!c)
			continue;
		const int64_t created = first_seen_ms(c);
		const int64_t updated = json_int(c, "since_ms", created);
		g.worst = health_worse(g.worst, health_of(site, c));
		g.created_ms = created < g.created_ms ? created : g.created_ms;
		g.updated_ms = updated > g.updated_ms ? updated : g.updated_ms;
		json_array_append_new(g.members, statuspage_id("component", json_str(c, "id")));
		json_array_append_new(list, component_of(site, c, i + 1, true));
	}
	json_array_append_new(list, group_of(site, name, position, &g));
}

static bool has_category(const json_t *site, const json_t *component)
{
	const char *own = json_str(component, "id");
	size_t i;
	json_t *category;
	json_array_foreach (json_object_get(site, "categories"), i, category) {
		if (own && json_has_text(json_object_get(category, "components"), slice_of(own)))
			return true;
	}
	return false;
}

static json_t *components_of(const json_t *site)
{
	json_t *list = json_array(), *item;
	size_t i, position = 1;
	json_array_foreach (json_object_get(site, "categories"), i, item) {
		add_category(list, site, item, position++);
	}
	json_array_foreach (json_object_get(site, "components"), i, item) {
		if (!has_category(site, item))
			json_array_append_new(list, component_of(site, item, position++, false));
	}
	return list;
}

/* --- the documents -------------------------------------------------------------------------------
 */

json_t *statuspage_summary(const json_t *site)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}", "page", page_of(site), "components",
		components_of(site), "incidents",
		statuspage_list(site, "incident", STATUSPAGE_UNRESOLVED), "scheduled_maintenances",
		statuspage_list(site, "maintenance", STATUSPAGE_UNRESOLVED), "status",
		status_of(site));
}

json_t *statuspage_status(const json_t *site)
{
	return json_pack("{s:o, s:o}", "page", page_of(site), "status", status_of(site));
}

json_t *statuspage_components(const json_t *site)
{
	return json_pack("{s:o, s:o}", "page", page_of(site), "components", components_of(site));
}

static json_t *incidents(const json_t *site, enum statuspage_which which)
{
	return json_pack("{s:o, s:o}", "page", page_of(site), "incidents",
		statuspage_list(site, "incident", which));
}

static json_t *maintenances(const json_t *site, enum statuspage_which which)
{
	return json_pack("{s:o, s:o}", "page", page_of(site), "scheduled_maintenances",
		statuspage_list(site, "maintenance", which));
}

json_t *statuspage_incidents(const json_t *site)
{
	return incidents(site, STATUSPAGE_ALL);
}

json_t *statuspage_unresolved(const json_t *site)
{
	return incidents(site, STATUSPAGE_UNRESOLVED);
}

json_t *statuspage_maintenances(const json_t *site)
{
	return maintenances(site, STATUSPAGE_ALL);
}

json_t *statuspage_upcoming(const json_t *site)
{
	return maintenances(site, STATUSPAGE_UPCOMING);
}

json_t *statuspage_active(const json_t *site)
{
	return maintenances(site, STATUSPAGE_ACTIVE);
}

/*
 * gatus_window.c - maintenance of Gatus: so long from a time of day on, every day or on some of
 * the week. Nothing was announced there, so windows are made that nobody is told of.
 */

#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/units.h"
#include "import/gatus_inside.h"
#include "import/window.h"

#define LENGTH_MIN_NS (60 * NS_PER_S)
#define LENGTH_MAX_NS (24 * 3600 * NS_PER_S)

static const char *const days[] = {
	"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};

/* Which of them it names; false: there is something else. */
static bool read_days(const struct import_node *every, bool on[array_len(days)])
{
	if (every->y && every->y->kind != YAML_LIST && !yaml_is_null(every->y))
		return false;
	for (size_t i = 0; i < import_size(every); i++) {
		const struct import_node n = import_item(every, i);
		size_t day = 0;
		while (day < array_len(days) &&
			!(import_text(&n) && !strcmp(import_text(&n), days[day])))
			day++;
		if (day == array_len(days))
			return false;
		on[day] = true;
	}
	return true;
}

/* --- one window ------------------------------------------------------------------------------- */

struct window {
	struct import_node start, duration, timezone, every;
	int64_t length_ns;
	bool on[array_len(days)];
};

/* Why there can be none; NULL: it is read. */
static const char *window_read(const struct import_node *map, struct window *w)
{
	struct error err = {0};
	int32_t at_s;
	*w = (struct window){.start = import_get(map, "start"),
		.duration = import_get(map, "duration"),
		.timezone = import_get(map, "timezone"),
		.every = import_get(map, "every")};
	const char *at = import_text(&w->start), *zone = import_text(&w->timezone);
	if (!gatus_is_on(map))
		return "it is switched off there";
	if (!at || strlen(at) != strlen("23:00") || !calendar_parse_time(slice_of(at), &at_s, &err))
		return "`start` is a time such as 23:00";
	if (!import_time(&w->duration, &w->length_ns) || w->length_ns < LENGTH_MIN_NS ||
		w->length_ns > LENGTH_MAX_NS)
		return "`duration` is a time within 1m and 24h";
	if (w->timezone.y && !yaml_is_null(w->timezone.y) && !(zone && import_is_zone(zone)))
		return "this machine knows no such `timezone`";
	if (!read_days(&w->every, w->on))
		return "`every` is a list of days such as Monday";
	return NULL;
}

static void window_days(struct gatus *g, const struct window *w, const char *name, json_t *item)
{
	json_t *on = json_array();
	for (size_t i = 0; i < array_len(days); i++)
		if (w->on[i])
			json_array_append_new(
				on, json_sprintf("%c%.2s", days[i][0] - 'A' + 'a', days[i] + 1));
	const bool weekly = json_array_size(on) > 0;
	json_object_set_new(item, "every", json_string(weekly ? "week" : "day"));
	if (weekly)
		json_object_set(item, "on", on);
	json_decref(on);
	for (size_t i = 0; i < import_size(&w->every); i++) {
		const struct import_node n = import_item(&w->every, i);
		import_tell(g->in, &n, IMPORT_CARRIED, "maintenance %s: on", name);
	}
	if (!import_size(&w->every))
		import_tell(g->in, &w->every, IMPORT_NEEDLESS, "it is every day");
}

void gatus_window(struct gatus *g, const struct import_node *map, const char *wanted,
	const char *title, const json_t *probes)
{
	static const struct import_answer enabled[] = {
		{"enabled", IMPORT_NEEDLESS, "what is configured is kept to"}};
	char text[UNITS_TEXT];
	struct window w;
	const char *why = window_read(map, &w);
	if (!why && !json_array_size(probes))
		why = "there is no probe it could be of";
	if (why) {
		import_tell(g->in, map, IMPORT_DROPPED, "%s", why);
		return;
	}
	char *name = import_own_name(g->in, wanted);
	const char *zone = import_text(&w.timezone);
	json_t *item = json_pack("{s:s, s:s}", "name", name, "title", title);
	window_days(g, &w, name, item);
	json_object_set_new(item, "at", json_string(import_text(&w.start)));
	json_object_set_new(item, "length", json_string(units_time_whole(w.length_ns, text)));
	json_object_set_new(item, "zone", json_string(zone ? zone : "UTC"));
	json_object_set_new(item, "probes", json_deep_copy(probes));
	json_object_set_new(item, "announce", json_string("none"));
	import_tell(g->in, &w.start, g->suite ? IMPORT_CHANGED : IMPORT_CARRIED,
		"maintenance %s: at; %s", name,
		g->suite ? "of the component of the suite"
			 : "say `announce` to have it told before");
	import_tell(g->in, &w.duration, IMPORT_CARRIED, "maintenance %s: length: %s", name, text);
	if (zone)
		import_tell(g->in, &w.timezone, IMPORT_CARRIED, "maintenance %s: zone", name);
	else
		import_tell(g->in, &w.timezone, IMPORT_NEEDLESS, "it is UTC");
	import_answer(g->in, map, enabled, array_len(enabled));
	import_add_window(g->in, item);
	free(name);
}

/* --- where they stand ------------------------------------------------------------------------- */

void gatus_windows(struct gatus *g, const struct import_node *item, const struct import_probe *p)
{
	const struct import_node list = import_get(item, "maintenance-windows");
	const char *component = json_string_value(json_object_get(p->json, "component"));
	json_t *probes = json_pack("[s]", p->name);
	char *wanted = mem_printf("%s-maintenance", p->name);
	char *title = mem_printf("Maintenance of %s", component ? component : p->name);
	for (size_t i = 0; list.y && list.y->kind == YAML_LIST && i < list.y->n; i++) {
		const struct import_node map = import_item(&list, i);
		gatus_window(g, &map, wanted, title, probes);
	}
	if (list.y && list.y->kind == YAML_LIST && !list.y->n)
		import_tell(g->in, &list, IMPORT_NEEDLESS, "there is none");
	free(title);
	free(wanted);
	json_decref(probes);
}

void gatus_maintenance(struct gatus *g, const struct import_node *root)
{
	const struct import_node map = import_get(root, "maintenance");
	json_t *all = json_array(), *probe;
	size_t i;
	if (map.y && map.y->kind == YAML_MAP) {
		json_array_foreach (json_object_get(g->in->config, "probes"), i, probe)
			json_array_append(all, json_object_get(probe, "name"));
		gatus_window(g, &map, "maintenance", "Maintenance", all);
	}
	json_decref(all);
}

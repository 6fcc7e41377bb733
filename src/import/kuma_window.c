/*
 * kuma_window.c - a maintenance of Uptime Kuma is an item of `maintenance:`. Its own backup has
 * none; tools that read its database write them as its server shows them, by number or as a list.
 */

#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "import/kuma_inside.h"
#include "import/window.h"
#include "text/markdown.h"

#define TITLE_MAX 200

/* --- of what ---------------------------------------------------------------------------------- */

static const char *probe_of(struct kuma *k, const struct import_node *monitor)
{
	const bool map = monitor->y->kind == YAML_MAP;
	const struct import_node in = map ? import_get(monitor, "id") : *monitor;
	const char *id = import_text(&in);
	return id ? map_get(&k->probes, id) : NULL;
}

/* Names; owned, maybe none. */
static json_t *all_probes(struct kuma *k)
{
	json_t *list = json_array(), *probe;
	size_t i;
	json_array_foreach (json_object_get(k->in->config, "probes"), i, probe)
		json_array_append(list, json_object_get(probe, "name"));
	return list;
}

static json_t *probes_of(struct kuma *k, const struct import_node *list)
{
	json_t *found = json_array();
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node one = import_item(list, i);
		const char *probe = probe_of(k, &one);
		if (probe)
			json_array_append_new(found, json_string(probe));
	}
	return found;
}

static void tell_probes(struct kuma *k, const struct import_node *list, const char *name)
{
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node one = import_item(list, i);
		if (probe_of(k, &one))
			import_tell(k->in, &one, IMPORT_CARRIED, "maintenance %s: probes", name);
		else
			import_tell(k->in, &one, IMPORT_DROPPED, "there is no probe of it");
	}
}

/* --- what it says ----------------------------------------------------------------------------- */

static bool is_title(const char *text)
{
	const size_t n = text ? strlen(text) : 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			return false;
	return n > 0 && n <= TITLE_MAX;
}

/* Else it is by the clocks of that server. */
static bool has_zone(const struct import_node *zone)
{
	const char *name = import_text(zone);
	return name && *name && strcmp(name, "SAME_AS_SERVER") != 0;
}

static void take_text(
	struct kuma *k, const struct import_node *text, const char *name, json_t *item)
{
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	struct error err = {0};
	const char *said = import_text(text);
	if (!said || !*said) {
		import_tell(k->in, text, IMPORT_NEEDLESS, "it says nothing");
	} else if (markdown_html(slice_of(said), &(struct markdown){.heading = 3}, &html, &err)) {
		import_tell(k->in, text, IMPORT_CARRIED, "maintenance %s: text", name);
		json_object_set_new(item, "text", json_string(said));
	} else {
		import_tell(k->in, text, IMPORT_DROPPED, "%s", err.msg);
	}
	buf_fini(&html);
}

static void take_schedule(const struct kuma_schedule *s, json_t *item)
{
	char text[UNITS_TEXT];
	const int end_s = (int)((s->at_s + s->length_s) % 86400);
	json_object_set_new(item, "every", json_string(s->every));
	if (s->on)
		json_object_set(item, "on", s->on);
	json_object_set_new(item, "at",
		json_sprintf(s->at_s % 60 ? "%02d:%02d:%02d" : "%02d:%02d", s->at_s / 3600,
			s->at_s / 60 % 60, s->at_s % 60));
	if (s->by_clock)
		json_object_set_new(item, "until",
			json_sprintf(end_s % 60 ? "%02d:%02d:%02d" : "%02d:%02d", end_s / 3600,
				end_s / 60 % 60, end_s % 60));
	else
		json_object_set_new(item, "length",
			json_string(units_time_whole(s->length_s * NS_PER_S, text)));
	if (*s->from)
		json_object_set_new(item, "from", json_string(s->from));
	if (*s->to)
		json_object_set_new(item, "to", json_string(s->to));
}

/* --- what is told ----------------------------------------------------------------------------- */

static const struct import_answer common[] = {
	{"id", IMPORT_NEEDLESS, "rules go by their names"},
	{"active", IMPORT_NEEDLESS, "what is configured is kept to"},
	{"status", IMPORT_NEEDLESS, "a state, not a setting"},
	{"timeslotList", IMPORT_NEEDLESS, "`glasshouse maintenance next` shows what comes"},
	{"duration", IMPORT_NEEDLESS, "its times say it"},
	{"timezoneOption", IMPORT_NEEDLESS, "`timezone` says it"},
	{"timezoneOffset", IMPORT_NEEDLESS, "`timezone` says it"},
	{"user_id", IMPORT_NEEDLESS, "windows belong to nobody"},
	{"statusPages", IMPORT_DROPPED, "there is one page: say `announce` and `public`"},
};

/* Keys that some strategies use, and what they become. */
static const struct {
	const char *key, *strategies, *here;
} uses[] = {
	{"dateRange", "single recurring-interval recurring-weekday recurring-day-of-month cron",
		"from, to"},
	{"timeRange", "recurring-interval recurring-weekday recurring-day-of-month", "at, length"},
	{"intervalDay", "recurring-interval", "every"},
	{"weekdays", "recurring-weekday", "on"},
	{"daysOfMonth", "recurring-day-of-month", "on"},
	{"cron", "cron", "every, on, at"},
	{"durationMinutes", "cron", "length"},
};

static void tell_schedule(struct kuma *k, const struct import_node *item,
	const struct kuma_schedule *s, const char *name)
{
	const struct import_node strategy = import_get(item, "strategy");
	const char *how = import_text(&strategy);
	if (s->counted)
		import_tell(k->in, &strategy, IMPORT_CHANGED,
			"maintenance %s: every; counted from its first day", name);
	else if (!s->by_clock && s->length_s > 86400)
		import_tell(k->in, &strategy, IMPORT_CHANGED,
			"maintenance %s: every; its length is elapsed time, whatever clocks do", name);
	else
		import_tell(k->in, &strategy, IMPORT_CARRIED, "maintenance %s: every", name);
	for (size_t i = 0; i < array_len(uses); i++) {
		const struct import_node n = import_get(item, uses[i].key);
		if (!slice_in_words(slice_of(how), uses[i].strategies))
			import_tell(k->in, &n, IMPORT_NEEDLESS,
				"a maintenance of strategy %s does not use it", how);
		else if (s->left_out && !strcmp(uses[i].here, "on"))
			import_tell(k->in, &n, IMPORT_CHANGED,
				"maintenance %s: on; without days that are none", name);
		else
			import_tell(k->in, &n, IMPORT_CARRIED, "maintenance %s: %s", name,
				uses[i].here);
	}
}

/* --- one of them ------------------------------------------------------------------------------ */

/* Why there can be none; NULL: `s` and `probes` are read, and both to be freed either way. */
static const char *read_window(struct kuma *k, const struct import_node *item,
	struct kuma_schedule *s, json_t **ret_probes)
{
	const struct import_node active = import_get(item, "active"),
				 monitors = import_get(item, "monitors"),
				 zone = import_get(item, "timezone");
	*s = (struct kuma_schedule){0};
	*ret_probes = monitors.y ? probes_of(k, &monitors) : all_probes(k);
	if (active.y && !import_flag(&active))
		return "it is switched off there";
	const char *why = kuma_schedule_read(item, s);
	if (why)
		return why;
	if (has_zone(&zone) && !import_is_zone(import_text(&zone)))
		return "this machine knows no such `timezone`";
	return json_array_size(*ret_probes) ? NULL : "there is no probe it could be of";
}

static void make_window(struct kuma *k, const struct import_node *item,
	const struct kuma_schedule *s, json_t *probes)
{
	const struct import_node title = import_get(item, "title"),
				 text = import_get(item, "description"),
				 zone = import_get(item, "timezone"),
				 monitors = import_get(item, "monitors");
	const bool own = is_title(import_text(&title));
	const char *said = own ? import_text(&title) : "Maintenance";
	char *name = import_own_name(k->in, said);
	json_t *window = json_pack("{s:s, s:s}", "name", name, "title", said);
	take_text(k, &text, name, window);
	take_schedule(s, window);
	if (has_zone(&zone))
		json_object_set_new(window, "zone", json_string(import_text(&zone)));
	json_object_set(window, "probes", probes);
	json_object_set_new(window, "announce", json_string("none"));
	import_tell(k->in, &title, monitors.y && own ? IMPORT_CARRIED : IMPORT_CHANGED,
		"maintenance %s: title%s; %s", name, own ? "" : ", a line of its own",
		monitors.y ? "say `announce` to have it told before"
			   : "of all probes, since it does not say of which monitors");
	if (has_zone(&zone))
		import_tell(k->in, &zone, IMPORT_CARRIED, "maintenance %s: zone", name);
	else
		import_tell(k->in, &zone, IMPORT_CHANGED, "by the clocks of the site: say `zone`");
	tell_probes(k, &monitors, name);
	tell_schedule(k, item, s, name);
	import_answer(k->in, item, common, array_len(common));
	import_add_window(k->in, window);
	free(name);
}

void kuma_window(struct kuma *k, const struct import_node *item)
{
	struct kuma_schedule s;
	json_t *probes;
	if (item->y->kind != YAML_MAP) {
		import_tell(k->in, item, IMPORT_DROPPED, "it is no maintenance");
		return;
	}
	const char *why = read_window(k, item, &s, &probes);
	if (why)
		import_tell(k->in, item, IMPORT_DROPPED, "%s", why);
	else
		make_window(k, item, &s, probes);
	json_decref(s.on);
	json_decref(probes);
}

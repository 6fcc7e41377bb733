/*
 * config_maintenance.c - windows that come again, as drafts, then as tell/maintenance.h takes them.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/config_reader.h"
#include "text/markdown.h"

#define DAY_NS    (24 * 3600 * NS_PER_S)
#define EVERY_MAX 1000 /* days, weeks, months */

struct maintenance_draft { /* as written; texts and lists owned */
	char *name, *title, *text, *zone, *every, *at, *until, *from, *to, *announce;
	char **on, **probes;
	int64_t length_ns; /* 0: not written */
	bool is_public;
	VEC(struct event_impact) impacts; /* names owned */
	struct config_place at_place;
	const char *touched;
	bool broken;
};

struct item { /* what one map says besides */
	struct maintenance_draft draft;
	const struct yaml *components;
};

#define ITEM(name, type, field) name, type, offsetof(struct maintenance_draft, field)
static const struct key maintenance_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "of the rule; its events are told by it"},
	{ITEM("title", KEY_TEXT, title), .help = "of each event"},
	{ITEM("text", KEY_TEXT, text), .help = "Markdown, of each event"},
	{ITEM("zone", KEY_TEXT, zone), .help = "by whose clocks; default: the site's"},
	{ITEM("every", KEY_TEXT, every), .help = "day, week, month, 2 weeks"},
	{ITEM("on", KEY_TEXTS, on), .help = "tue; 2nd tue, last sun, 15, last"},
	{ITEM("at", KEY_TEXT, at), .help = "22:00"},
	{ITEM("length", KEY_TIME, length_ns), .min = 60 * NS_PER_S, .max = 31 * DAY_NS},
	{ITEM("until", KEY_TEXT, until), .help = "02:00, instead of length"},
	{ITEM("from", KEY_TEXT, from), .help = "the first day"},
	{ITEM("to", KEY_TEXT, to), .help = "the last day"},
	{"components", KEY_NODE, offsetof(struct item, components), .help = "and their impact"},
	{ITEM("probes", KEY_TEXTS, probes), .help = "names of probes, besides"},
	{ITEM("announce", KEY_TEXT, announce), .help = "7d before; none: windows only"},
	{ITEM("public", KEY_BOOL, is_public), .help = "whether all see it"},
};
#undef ITEM

/* --- reading ---------------------------------------------------------------------------------- */

static struct maintenance_draft *earlier(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name");
	VEC_EACH (&r->maintenance, struct maintenance_draft *, d) {
		if (name && (*d)->name && slice_is(name->text, (*d)->name) &&
			(*d)->touched != r->file)
			return *d;
	}
	return NULL;
}

static void impacts_clear(struct maintenance_draft *d)
{
	VEC_EACH (&d->impacts, struct event_impact, i)
		free((char *)(uintptr_t)i->component);
	d->impacts.n = 0;
}

static bool parse_impact(const struct yaml *y, int *ret)
{
	static const char *const words[] = {"none", "degraded", "partial", "outage"};
	static const int impacts[] = {0, 33, 66, 100};
	int64_t n;
	for (size_t i = 0; i < array_len(words); i++)
		if (slice_is(y->text, words[i])) {
			*ret = impacts[i];
			return true;
		}
	if (!yaml_int(y, &n) || n < 0 || n > 100)
		return false;
	*ret = (int)n;
	return true;
}

static void add_component(struct config_reader *r, struct maintenance_draft *d,
	const struct yaml *id, const struct yaml *impact)
{
	int n = 100;
	if (id->kind != YAML_SCALAR || !config_component_id(id->text))
		config_wrong(r, id, "a maintenance: components are ids such as compute");
	else if (impact && (impact->kind != YAML_SCALAR || !parse_impact(impact, &n)))
		config_wrong(r, impact,
			"a maintenance: the impact on %s is none, degraded, partial, outage or 0 to"
			" 100",
			id->text.p);
	else
		vec_push(&d->impacts, ((struct event_impact){slice_dup(id->text), n}));
}

/* A list of ids, or a map of them to their impact; one that is written again replaces it. */
static void read_components(
	struct config_reader *r, struct maintenance_draft *d, const struct yaml *y)
{
	impacts_clear(d);
	if (y->kind == YAML_SCALAR)
		add_component(r, d, y, NULL);
	for (size_t i = 0; y->kind == YAML_LIST && i < y->n; i++)
		add_component(r, d, y->items[i], NULL);
	for (size_t i = 0; y->kind == YAML_MAP && i < y->n; i++)
		add_component(r, d, y->keys[i], y->items[i]);
	for (size_t i = 0; i < d->impacts.n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(d->impacts.p[i].component, d->impacts.p[k].component)) {
				config_wrong(r, y, "a maintenance: %s is there twice",
					d->impacts.p[i].component);
				return;
			}
	if (d->impacts.n > EVENT_COMPONENTS_MAX)
		config_wrong(r, y, "a maintenance: at most %d components", EVENT_COMPONENTS_MAX);
}

static void check_text(struct config_reader *r, const struct yaml *y)
{
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	struct error err;
	if (!markdown_html(y->text, &(struct markdown){.heading = 3}, &html, &err))
		config_wrong(r, y, "a maintenance: text: %s", err.msg);
	buf_fini(&html);
}

/* Each value where it stands; what they are together is looked at when all files are read. */
static void check_values(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *y;
	struct error err;
	int32_t n;
	if ((y = config_text(map, "name")))
		config_check_name(r, y, "a maintenance's name");
	if ((y = config_text(map, "title")) && config_check_line(r, y, "a maintenance's title") &&
		utf8_length(y->text) > EVENT_TITLE_MAX)
		config_wrong(r, y, "a maintenance's title is longer than %d characters",
			EVENT_TITLE_MAX);
	if ((y = config_text(map, "text")))
		check_text(r, y);
	if ((y = config_text(map, "zone")))
		config_check_zone(r, y);
	static const char *const times[] = {"at", "until"}, *const days[] = {"from", "to"};
	for (size_t i = 0; i < 2; i++) {
		if ((y = config_text(map, times[i])) && !calendar_parse_time(y->text, &n, &err))
			config_wrong(r, y, "a maintenance: %s: %s", times[i], err.msg);
		if ((y = config_text(map, days[i])) && !calendar_parse_date(y->text, &n, &err))
			config_wrong(r, y, "a maintenance: %s: %s", days[i], err.msg);
	}
}

static void read_one(struct config_reader *r, const struct yaml *map)
{
	struct maintenance_draft *d = earlier(r, map);
	if (!d && !config_room(r, map))
		return;
	if (!d) {
		d = mem_new(struct maintenance_draft);
		vec_push(&r->maintenance, d);
		d->at_place = config_place(r, map);
		d->is_public = true;
	}
	struct item item = {.draft = *d};
	item.draft.touched = r->file;
	const size_t before = r->errors->n;
	keys_read(map, r->file, "a maintenance", maintenance_keys, array_len(maintenance_keys),
		&item, r->errors);
	*d = item.draft;
	if (r->errors->n == before)
		check_values(r, map);
	if (item.components)
		read_components(r, d, item.components);
	d->broken |= r->errors->n > before;
}

void config_read_maintenance(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "a maintenance"))
			read_one(r, list->items[i]);
}

/* --- finishing -------------------------------------------------------------------------------- */

/* "day", "week", "2 weeks" */
static bool parse_every(const char *text, struct calendar_rule *when)
{
	static const char *const units[] = {"day", "week", "month"};
	const struct slice all = slice_trim(slice_of(text));
	const size_t space = slice_find(all, ' ');
	struct slice unit = space < all.n ? slice_trim(slice_sub(all, space, all.n)) : all;
	int64_t n = 1;
	if (space < all.n &&
		(!units_parse_int(slice_sub(all, 0, space), &n) || n < 1 || n > EVERY_MAX))
		return false;
	if (unit.n && unit.p[unit.n - 1] == 's' && space < all.n)
		unit.n--;
	when->interval = (unsigned)n;
	for (size_t i = 0; i < array_len(units); i++)
		if (slice_is(unit, units[i])) {
			when->every = (enum calendar_every)(CALENDAR_DAY + (int)i);
			return true;
		}
	return false;
}

static void parse_days(
	struct config_reader *r, const struct maintenance_draft *d, struct calendar_rule *when)
{
	struct error err;
	for (size_t i = 0; d->on && d->on[i]; i++) {
		struct calendar_day *day = &when->days[when->day_count];
		if (i >= CALENDAR_DAYS) {
			config_wrong_at(r, &d->at_place, "a maintenance: on has at most %d days",
				CALENDAR_DAYS);
			return;
		}
		if (!calendar_parse_day(slice_of(d->on[i]), day, &err)) {
			config_wrong_at(r, &d->at_place, "a maintenance: on: %s", err.msg);
			return;
		}
		if (when->every == CALENDAR_WEEK && (day->nth || day->weekday < 0))
			config_wrong_at(r, &d->at_place,
				"a maintenance: on: of a week it is a day such as tue, not \"%.40s\"",
				d->on[i]);
		when->day_count++;
	}
	if (when->every == CALENDAR_DAY && when->day_count)
		config_wrong_at(r, &d->at_place,
			"a maintenance: on is of weeks and months: every day is each");
	if (when->every != CALENDAR_DAY && !when->day_count && !d->from)
		config_wrong_at(r, &d->at_place,
			"a maintenance: on which day? on: tue, or from: 2026-12-01");
}

static void parse_times(
	struct config_reader *r, const struct maintenance_draft *d, struct calendar_rule *when)
{
	struct error ignored; /* told where they stand */
	if (!d->at)
		config_wrong_at(r, &d->at_place, "a maintenance: at which time? at: \"22:00\"");
	else if (!d->length_ns == !d->until)
		config_wrong_at(r, &d->at_place,
			"a maintenance: it needs one of length: 4h and until: \"02:00\"");
	else if (!calendar_parse_time(slice_of(d->at), &when->at_s, &ignored) ||
		 (d->until && !calendar_parse_time(slice_of(d->until), &when->until_s, &ignored)))
		return;
	when->length_s = (int32_t)(d->length_ns / NS_PER_S);
	if ((d->from && !calendar_parse_date(slice_of(d->from), &when->from_day, &ignored)) ||
		(d->to && !calendar_parse_date(slice_of(d->to), &when->to_day, &ignored)))
		return;
	if (d->to && when->to_day < when->from_day)
		config_wrong_at(r, &d->at_place, "a maintenance: to is before from");
	if (when->interval > 1 && !d->from)
		config_wrong_at(r, &d->at_place,
			"a maintenance: every %s is counted from which day? from: 2026-12-01",
			d->every);
}

static void check_probes(struct config_reader *r, const struct maintenance_draft *d)
{
	const struct config *c = r->config;
	VEC(const char *) names = {0};
	for (size_t i = 0; i < c->probe_count; i++)
		vec_push(&names, probe_config_about(c->probes[i])->name);
	for (size_t i = 0; d->probes && d->probes[i]; i++) {
		bool found = false;
		for (size_t k = 0; k < names.n; k++)
			found |= !strcmp(names.p[k], d->probes[i]);
		const char *near =
			found ? NULL : slice_nearest(slice_of(d->probes[i]), names.p, names.n);
		if (!found)
			config_wrong_at(r, &d->at_place,
				"a maintenance: probes: there is none called \"%.80s\"%s%s%s",
				d->probes[i], near ? "; did you mean \"" : "", near ? near : "",
				near ? "\"?" : "");
	}
	vec_fini(&names);
}

static int64_t parse_announce(struct config_reader *r, const struct maintenance_draft *d)
{
	int64_t ns = 7 * DAY_NS;
	if (d->announce && !strcmp(d->announce, "none"))
		return -1;
	if (d->announce &&
		(!units_parse_time(slice_of(d->announce), &ns) || ns < 0 || ns > 90 * DAY_NS))
		config_wrong_at(r, &d->at_place,
			"a maintenance: announce is a time before it, to 90d, or none");
	return ns / NS_PER_MS;
}

static void check(
	struct config_reader *r, const struct maintenance_draft *d, struct maintenance_rule *rule)
{
	if (!d->name || !d->title)
		config_wrong_at(
			r, &d->at_place, "a maintenance needs a %s", d->name ? "title" : "name");
	if (!d->every)
		config_wrong_at(r, &d->at_place,
			"a maintenance: how often? every: day, week, month or 2 weeks; one that comes"
			" once is planned with `glasshouse maintenance plan`");
	else if (!parse_every(d->every, &rule->when))
		config_wrong_at(r, &d->at_place,
			"a maintenance: every: \"%.40s\" is none of day, week, month, 2 weeks",
			d->every);
	else {
		parse_days(r, d, &rule->when);
		parse_times(r, d, &rule->when);
	}
	check_probes(r, d);
	rule->announce_ms = parse_announce(r, d);
}

/* Takes what the draft owns. */
static void move_rule(struct maintenance_draft *d, struct config_maintenance *to)
{
	struct maintenance_rule *rule = &to->rule;
	rule->name = d->name;
	rule->title = d->title;
	rule->text = d->text;
	rule->zone = d->zone;
	rule->impacts = d->impacts.p;
	rule->impact_count = d->impacts.n;
	rule->probes = (const char *const *)d->probes;
	rule->is_public = d->is_public;
	to->every = d->every;
	to->at = d->at;
	to->until = d->until;
	to->from = d->from;
	to->to = d->to;
	to->on = d->on;
	to->line = d->at_place.line;
	to->col = d->at_place.col;
	to->file = d->at_place.file;
	free(d->announce);
	free(d);
}

void config_finish_maintenance(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	c->maintenance = mem_new_array(r->maintenance.n + 1, sizeof(*c->maintenance));
	VEC_EACH (&r->maintenance, struct maintenance_draft *, draft) {
		struct maintenance_draft *d = *draft;
		struct config_maintenance *to = &c->maintenance[c->maintenance_count++];
		if (!d->zone)
			d->zone = mem_strdup(c->timezone);
		if (!d->broken)
			check(r, d, &to->rule);
		if (d->name && map_put(&seen, d->name, d))
			config_wrong_at(r, &d->at_place,
				"two maintenances are called \"%.80s\"; give one another name",
				d->name);
		move_rule(d, to);
	}
	vec_fini(&r->maintenance);
	map_fini(&seen);
}

/* --- the end ---------------------------------------------------------------------------------- */

void config_maintenance_free(struct config_maintenance *m)
{
	const char *const texts[] = {m->rule.name, m->rule.title, m->rule.text, m->rule.zone,
		m->every, m->at, m->until, m->from, m->to};
	for (size_t i = 0; i < array_len(texts); i++)
		free((char *)(uintptr_t)texts[i]);
	for (size_t i = 0; i < m->rule.impact_count; i++)
		free((char *)(uintptr_t)m->rule.impacts[i].component);
	free((void *)(uintptr_t)m->rule.impacts);
	config_texts_free((char **)(uintptr_t)m->rule.probes);
	config_texts_free(m->on);
}

/* Those that were never finished. */
void config_maintenance_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->maintenance, struct maintenance_draft *, draft) {
		struct config_maintenance rest = {0};
		move_rule(*draft, &rest);
		config_maintenance_free(&rest);
	}
	vec_fini(&r->maintenance);
}

/* --- as it is in force ------------------------------------------------------------------------ */

static json_t *texts(const char *const *list)
{
	json_t *j = json_array();
	for (; list && *list; list++)
		json_array_append_new(j, json_string(*list));
	return j;
}

static json_t *one_json(const struct config_maintenance *m)
{
	const struct maintenance_rule *rule = &m->rule;
	const struct {
		const char *key, *value;
	} parts[] = {{"name", rule->name}, {"title", rule->title}, {"text", rule->text},
		{"zone", rule->zone}, {"every", m->every}, {"at", m->at}, {"until", m->until},
		{"from", m->from}, {"to", m->to}};
	char text[UNITS_TEXT];
	json_t *j = json_object(), *components = json_object();
	for (size_t i = 0; i < array_len(parts); i++)
		if (parts[i].value)
			json_object_set_new(j, parts[i].key, json_string(parts[i].value));
	if (m->on)
		json_object_set_new(j, "on", texts((const char *const *)m->on));
	if (rule->when.length_s)
		json_object_set_new(j, "length",
			json_string(units_time_whole(rule->when.length_s * NS_PER_S, text)));
	for (size_t i = 0; i < rule->impact_count; i++)
		json_object_set_new(components, rule->impacts[i].component,
			json_integer(rule->impacts[i].impact));
	json_object_set_new(j, "components", components);
	if (rule->probes)
		json_object_set_new(j, "probes", texts(rule->probes));
	json_object_set_new(j, "announce",
		json_string(rule->announce_ms < 0
				    ? "none"
				    : units_time_whole(rule->announce_ms * NS_PER_MS, text)));
	json_object_set_new(j, "public", json_boolean(rule->is_public));
	return j;
}

json_t *config_maintenance_json(const struct config *c)
{
	json_t *all = json_array();
	for (size_t i = 0; i < c->maintenance_count; i++)
		json_array_append_new(all, one_json(&c->maintenance[i]));
	return all;
}

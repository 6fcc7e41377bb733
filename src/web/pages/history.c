/*
 * history.c - events by month, chosen by links alone: MONTH:KIND:COMPONENT is one segment of the
 * path.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

struct choice {
	const char *month, *kind, *component; /* "": all */
};

static void put_choice_link(struct view *v, json_t *o, const char *key, const struct choice *c)
{
	char *word = mem_printf("%s:%s:%s", c->month, c->kind, c->component);
	size_t n = strlen(word);
	while (n && word[n - 1] == ':')
		word[--n] = '\0';
	put_link(v, o, key, n ? "/history/" : "/history", word);
	free(word);
}

static void add_choice(
	struct view *v, json_t *all, const char *text, const struct choice *c, bool current)
{
	json_t *o = json_object();
	view_put(o, "text", text);
	put_choice_link(v, o, "href", c);
	json_object_set_new(o, "current", json_boolean(current));
	json_array_append_new(all, o);
}

static json_t *month_choices(struct view *v, const struct choice *now)
{
	json_t *all = json_array();
	const json_t *month;
	size_t i;
	struct choice c = *now;
	c.month = "";
	add_choice(v, all, say(v, "history_newest", NULL), &c, !*now->month);
	json_array_foreach (json_object_get(v->model, "months"), i, month) {
		c.month = json_string_value(month);
		if (c.month)
			add_choice(v, all, say_month(v, c.month), &c, !strcmp(c.month, now->month));
	}
	return all;
}

static json_t *kind_choices(struct view *v, const struct choice *now)
{
	static const char *const rows[][2] = {{"", "history_all_kinds"},
		{"incident", "event_incidents"}, {"maintenance", "event_maintenances"},
		{"info", "event_infos"}};
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(rows); i++) {
		struct choice c = *now;
		c.kind = rows[i][0];
		add_choice(v, all, say(v, rows[i][1], NULL), &c, !strcmp(c.kind, now->kind));
	}
	return all;
}

/* Those on the page, and one that was asked for and is not. */
static json_t *component_choices(struct view *v, const struct choice *now)
{
	json_t *all = json_array();
	const json_t *component;
	size_t i;
	struct choice c = *now;
	bool found = !*now->component;
	c.component = "";
	add_choice(v, all, say(v, "history_all_components", NULL), &c, found);
	json_array_foreach (json_object_get(v->site, "components"), i, component) {
		c.component = json_str(component, "id");
		if (!c.component)
			continue;
		const bool current = !strcmp(c.component, now->component);
		found |= current;
		add_choice(v, all, component_name(v, c.component), &c, current);
	}
	if (!found)
		add_choice(v, all, component_name(v, now->component), now, true);
	return all;
}

static const char *text_of(const json_t *o, const char *key)
{
	const char *text = json_str(o, key);
	return text ? text : "";
}

/* Events of a month under its name. */
static json_t *month_groups(struct view *v)
{
	json_t *all = json_array(), *cards = NULL;
	const json_t *event;
	const char *last = NULL;
	size_t i;
	json_array_foreach (json_object_get(v->model, "events"), i, event) {
		int year, month, day;
		civil_from_days(day_of(json_int(event, "starts_ms", 0)), &year, &month, &day);
		const char *name = view_keep(v, mem_printf("%04d-%02d", year, month));
		if (!last || strcmp(name, last) != 0) {
			cards = json_array();
			json_array_append_new(all, json_pack("{s:s, s:s, s:o}", "id", name, "name",
							   say_month(v, name), "events", cards));
		}
		last = name;
		json_array_append_new(cards, event_card_view(v, event));
	}
	return all;
}

bool view_history(struct view *v)
{
	const json_t *m = v->model;
	const struct choice now = {
		text_of(m, "month"), text_of(m, "kind"), text_of(m, "component")};
	json_t *o = v->root;
	if (!json_is_array(json_object_get(m, "events")))
		return false;
	const char *title = say(v, "history", NULL);
	view_put(o, "heading", title);
	view_put(o, "title",
		*now.month ? view_keep(v, mem_printf("%s, %s", title, say_month(v, now.month)))
			   : title);
	json_object_set_new(o, "months", month_choices(v, &now));
	json_object_set_new(o, "kinds", kind_choices(v, &now));
	json_object_set_new(o, "components", component_choices(v, &now));
	view_put(o, "component",
		*now.component ? component_name(v, now.component)
			       : say(v, "history_all_components", NULL));
	json_t *groups = month_groups(v);
	json_object_set_new(o, "has_events", json_boolean(json_array_size(groups) > 0));
	json_object_set_new(o, "groups", groups);
	json_object_set_new(o, "more", json_boolean(json_flag(m, "more")));
	return true;
}

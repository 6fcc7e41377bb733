/*
 * availability.c - how much of the time components were usable: figures by month, days of a year.
 */

#include "base/json.h"
#include "web/pages/view.h"

#define MONTHS      12
#define MONTHS_MANY 4 /* with more than MANY components, to keep the page small */
#define MANY        20

static void add_cell(struct view *v, json_t *cells, const json_t *ratio)
{
	json_array_append_new(cells, ratio_view_bare(v, ratio));
}

/* The names of the newest months of any component, newest first. */
static json_t *month_names(const json_t *components)
{
	json_t *names = json_array();
	const json_t *c, *m;
	const size_t most = json_array_size(components) > MANY ? MONTHS_MANY : MONTHS;
	size_t i, k;
	json_array_foreach (components, i, c) {
		if (json_array_size(json_object_get(c, "months")) <= json_array_size(names))
			continue;
		json_array_clear(names);
		json_array_foreach (json_object_get(c, "months"), k, m) {
			if (k < most && json_str(m, "month"))
				json_array_append_new(names, json_string(json_str(m, "month")));
		}
	}
	return names;
}

static const json_t *month_of(const json_t *component, const json_t *name)
{
	const json_t *m;
	size_t i;
	json_array_foreach (json_object_get(component, "months"), i, m) {
		if (json_equal(json_object_get(m, "month"), name))
			return m;
	}
	return NULL;
}

static json_t *row_view(struct view *v, const json_t *c, const json_t *months)
{
	static const char *const spans[] = {"d30", "d90", "d365"};
	json_t *o = json_object(), *cells = json_array();
	const json_t *name;
	size_t i;
	view_put(o, "name", say_component(v, c));
	put_link(v, o, "href", "/components/", json_str(c, "id"));
	for (i = 0; i < array_len(spans); i++)
		add_cell(v, cells, json_at(c, "availability", spans[i], NULL));
	json_array_foreach (months, i, name)
		add_cell(v, cells, month_of(c, name));
	json_object_set_new(o, "cells", cells);
	json_object_set_new(o, "year", year_view(v, json_object_get(c, "days")));
	return o;
}

static void add_category(struct view *v, json_t *all, const json_t *category,
	const json_t *components, const json_t *months)
{
	json_t *rows = json_array();
	const json_t *c;
	size_t i;
	json_array_foreach (components, i, c) {
		if (json_equal(json_object_get(c, "category"), category))
			json_array_append_new(rows, row_view(v, c, months));
	}
	json_t *o = json_pack("{s:o}", "rows", rows);
	view_put(o, "name", json_string_value(category));
	json_array_append_new(all, o);
}

bool view_availability(struct view *v)
{
	const json_t *components = json_object_get(v->model, "components"), *c;
	if (!json_is_array(components))
		return false;
	json_t *months = month_names(components), *all = json_array(), *heads = json_array();
	json_t *seen = json_object();
	size_t i;
	json_array_foreach (components, i, c) {
		const json_t *category = json_object_get(c, "category");
		const char *name = json_string_value(category);
		if (!name || json_object_get(seen, name))
			continue;
		json_object_set_new(seen, name, json_true());
		add_category(v, all, category, components, months);
	}
	json_decref(seen);
	json_array_foreach (months, i, c)
		json_array_append_new(heads, json_string(say_month(v, json_string_value(c))));
	json_decref(months);
	view_put(v->root, "title", say(v, "availability", NULL));
	view_put(v->root, "heading", say(v, "availability", NULL));
	view_put(v->root, "maintenance", say_maintenance(v));
	json_object_set_new(v->root, "months", heads);
	json_object_set_new(v->root, "has_rows", json_boolean(json_array_size(components) > 0));
	json_object_set_new(v->root, "categories", all);
	json_t *objectives = objectives_view(v, json_object_get(v->model, "slos"));
	json_object_set_new(
		v->root, "has_objectives", json_boolean(json_array_size(objectives) > 0));
	json_object_set_new(v->root, "objectives", objectives);
	return true;
}

/*
 * ledger.c - what scenarios made in clouds and what became of it: open rows first, with what an
 * administrator types.
 *
 * The view is chosen by links alone: FATE:CLOUD:PAGE is one segment of the path.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

static const struct {
	const char *fate, *key, *state;
} fates[] = {
	{"needs-admin", "fate_needs_admin", "outage"},
	{"leaked", "fate_leaked", "outage"},
	{"unsure", "fate_unsure", "unknown"},
	{"created", "fate_created", "degraded"},
	{"intent", "fate_intent", "unknown"},
	{"kept", "fate_kept", "maintenance"},
	{"deleted", "fate_deleted", "operational"},
	{"refused", "fate_refused", "gap"},
};

static json_t *fate_view(struct view *v, const char *fate)
{
	for (size_t i = 0; fate && i < array_len(fates); i++)
		if (!strcmp(fates[i].fate, fate))
			return json_pack("{s:s, s:s}", "name", fates[i].state, "word",
				say(v, fates[i].key, NULL));
	return json_pack("{s:s, s:s}", "name", "unknown", "word", fate ? fate : "");
}

/* --- where the links lead --------------------------------------------------------------------- */

static void put_view_link(struct view *v, json_t *o, const char *key, const char *fate,
	const char *cloud, int64_t page)
{
	char *word = mem_printf("%s:%s:%lld", fate, cloud ? cloud : "", (long long)page);
	put_link(v, o, key, "/ledger/", word);
	free(word);
}

static void add_choice(struct view *v, json_t *all, const char *text, const char *fate,
	const char *cloud, bool current)
{
	json_t *o = json_object();
	view_put(o, "text", text);
	put_view_link(v, o, "href", fate, cloud, 1);
	json_object_set_new(o, "current", json_boolean(current));
	json_array_append_new(all, o);
}

static json_t *fate_choices(struct view *v, const char *fate, const char *cloud)
{
	json_t *all = json_array();
	add_choice(v, all, say(v, "fate_all", NULL), "all", cloud, !strcmp(fate, "all"));
	add_choice(v, all, say(v, "fate_open", NULL), "open", cloud, !strcmp(fate, "open"));
	for (size_t i = 0; i < array_len(fates); i++)
		add_choice(v, all, say(v, fates[i].key, NULL), fates[i].fate, cloud,
			!strcmp(fate, fates[i].fate));
	return all;
}

static json_t *cloud_choices(struct view *v, const char *fate, const char *cloud)
{
	json_t *all = json_array();
	const json_t *clouds = json_object_get(v->model, "clouds"), *c;
	size_t i;
	if (json_array_size(clouds) < 2 && !cloud)
		return all;
	add_choice(v, all, say(v, "all_clouds", NULL), fate, NULL, !cloud);
	json_array_foreach (clouds, i, c) {
		const char *name = json_string_value(c);
		if (name)
			add_choice(v, all, name, fate, name, cloud && !strcmp(name, cloud));
	}
	return all;
}

/* --- rows ------------------------------------------------------------------------------------- */

static json_t *seen_view(struct view *v, const json_t *seen)
{
	if (!json_is_object(seen))
		return json_null();
	const int64_t status = json_int(seen, "status", 0);
	json_t *o = json_object();
	view_put(o, "state", json_str(seen, "state"));
	view_put(o, "holder", json_str(seen, "holder"));
	view_put(o, "service", json_str(seen, "service"));
	view_put(o, "status", status ? say_number(v, status) : NULL);
	view_put(o, "message", json_str(seen, "message"));
	view_put(o, "request", json_str(seen, "request_id"));
	view_put(o, "service_request", json_str(seen, "service_request_id"));
	return o;
}

static json_t *row_view(struct view *v, const json_t *row)
{
	json_t *o = json_object();
	json_object_set_new(o, "fate", fate_view(v, json_str(row, "fate")));
	view_put(o, "kind", json_str(row, "kind"));
	view_put(o, "id", json_str(row, "id"));
	view_put(o, "name", json_str(row, "name"));
	view_put(o, "cloud", json_str(row, "cloud"));
	view_put(o, "scenario", json_str(row, "scenario"));
	view_put(o, "step", json_str(row, "step"));
	view_put(o, "note", json_str(row, "note"));
	view_put(o, "fix", json_str(row, "fix"));
	view_put(o, "run", json_str(row, "run"));
	view_put(o, "run_href", NULL);
	if (json_str(row, "run"))
		put_link(v, o, "run_href", "/runs/", json_str(row, "run"));
	view_put(o, "request", json_str(row, "request_id"));
	view_put(o, "service_request", json_str(row, "service_request_id"));
	json_object_set_new(o, "seen", seen_view(v, json_object_get(row, "seen")));
	put_time(v, o, "created", json_object_get(row, "created_ms"));
	put_time(v, o, "since", json_object_get(row, "admin_since_ms"));
	return o;
}

static json_t *total_views(struct view *v)
{
	static const char *const rows[][2] = {{"created", "total_created"},
		{"deleted", "total_deleted"}, {"in_use", "total_in_use"}, {"kept", "total_kept"},
		{"left", "total_left"}, {"leaked", "total_leaked"}, {"unsure", "total_unsure"},
		{"needs_admin", "total_needs_admin"}};
	const json_t *totals = json_object_get(v->model, "totals");
	json_t *all = json_array();
	for (size_t i = 0; i < array_len(rows); i++) {
		const int64_t n = json_int(totals, rows[i][0], 0);
		const bool bad = n && !strcmp(rows[i][0], "needs_admin");
		json_array_append_new(
			all, json_pack("{s:s, s:s, s:b}", "text", say(v, rows[i][1], NULL), "n",
				     say_number(v, n), "bad", bad));
	}
	return all;
}

bool view_ledger(struct view *v)
{
	const json_t *rows = json_object_get(v->model, "rows"), *row;
	const char *fate = json_str(v->model, "fate"), *cloud = json_str(v->model, "cloud");
	const int64_t page = json_int(v->model, "page", 1);
	json_t *o = v->root;
	size_t i;
	if (!v->operators || !fate || !json_is_array(rows))
		return false;
	view_put(o, "title", say(v, "ledger", NULL));
	view_put(o, "heading", say(v, "ledger", NULL));
	json_object_set_new(o, "totals", total_views(v));
	json_object_set_new(o, "fates", fate_choices(v, fate, cloud));
	json_t *clouds = cloud_choices(v, fate, cloud);
	json_object_set_new(o, "has_clouds", json_boolean(json_array_size(clouds) > 0));
	json_object_set_new(o, "clouds", clouds);
	json_t *views = json_array();
	json_array_foreach (rows, i, row)
		json_array_append_new(views, row_view(v, row));
	json_object_set_new(o, "has_rows", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(o, "rows", views);
	view_put(o, "newer_href", NULL);
	view_put(o, "older_href", NULL);
	if (page > 1)
		put_view_link(v, o, "newer_href", fate, cloud, page - 1);
	if (json_flag(v->model, "more"))
		put_view_link(v, o, "older_href", fate, cloud, page + 1);
	json_object_set_new(o, "paged", json_boolean(page > 1 || json_flag(v->model, "more")));
	view_put(o, "page", say_number(v, page));
	return true;
}

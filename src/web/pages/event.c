/*
 * event.c - one event: what is said, what is measured beside it, and all that was ever said of it.
 *
 * Updates stand newest first. One that was corrected says so and keeps its earlier wordings.
 */

#include <string.h>

#include "base/json.h"
#include "text/markdown.h"
#include "web/pages/view.h"

/* --- components ------------------------------------------------------------------------------- */

/* One that left has no page. */
static void put_component_link(struct view *v, json_t *o, const char *id)
{
	view_put(o, "href", NULL);
	if (measured_component(v, id))
		put_link(v, o, "href", "/components/", id);
}

/* What is measured now says something about an event only while that lasts. */
static json_t *measured_view(struct view *v, const json_t *measured)
{
	json_t *o = json_object();
	json_object_set_new(o, "state", state_view(v, view_health(measured)));
	put_time(v, o, "since", json_object_get(measured, "since_ms"));
	view_put(o, "evidence", NULL);
	const int64_t id = json_int(measured, "evidence", 0);
	if (id > 0)
		put_link(v, o, "evidence", "/evidence/",
			view_keep(v, mem_printf("%lld", (long long)id)));
	return o;
}

static json_t *component_view(struct view *v, const json_t *c, bool over)
{
	const char *id = json_str(c, "id");
	const int64_t impact = json_int(c, "impact", 0);
	const json_t *measured = measured_component(v, id);
	json_t *o = json_object();
	view_put(o, "name", component_name(v, id));
	put_component_link(v, o, id);
	json_object_set_new(o, "impact", impact_view(v, impact));
	json_object_set_new(
		o, "measured", measured && !over ? measured_view(v, measured) : json_null());
	view_put(o, "contradiction",
		measured ? say_contradiction(v, v->model, impact, view_health(measured)) : NULL);
	return o;
}

/* Those that it concerned once and no longer does. */
static json_t *former_views(struct view *v)
{
	const json_t *id;
	json_t *all = json_array();
	size_t i;
	json_array_foreach (json_object_get(v->model, "touched"), i, id) {
		const char *text = json_string_value(id);
		if (!text || event_touches(v->model, text))
			continue;
		json_t *o = json_object();
		view_put(o, "name", component_name(v, text));
		put_component_link(v, o, text);
		json_array_append_new(all, o);
	}
	return all;
}

static void list_components(struct view *v)
{
	const bool over = event_is_over(v->model);
	json_t *all = json_array(), *former = former_views(v);
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(v->model, "components"), i, c)
		json_array_append_new(all, component_view(v, c, over));
	json_object_set_new(v->root, "has_components", json_boolean(i > 0));
	json_object_set_new(v->root, "compared", json_boolean(!over));
	json_object_set_new(v->root, "components", all);
	json_object_set_new(v->root, "has_former", json_boolean(json_array_size(former) > 0));
	json_object_set_new(v->root, "former", former);
}

/* --- updates ---------------------------------------------------------------------------------- */

/* Markdown as HTML; as it was written when it cannot be rendered. */
static void put_text(json_t *o, const char *text, const char *id)
{
	const struct markdown how = {.heading = 3, .id = id};
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	struct error err = {0};
	const bool some = text && *text;
	const bool good = some && markdown_html(slice_of(text), &how, &html, &err);
	view_put(o, "html", good ? buf_str(&html) : NULL);
	view_put(o, "plain", some && !good ? text : NULL);
	buf_fini(&html);
}

/* The wordings before the newest. */
static json_t *earlier_views(struct view *v, const json_t *update)
{
	const json_t *revisions = json_object_get(update, "revisions");
	json_t *all = json_array();
	for (size_t i = json_array_size(revisions); i > 1; i--) {
		const json_t *r = json_array_get(revisions, i - 2);
		char id[48];
		json_t *o = json_object();
		snprintf(id, sizeof(id), "u%lld-r%zu", (long long)json_int(update, "n", 0), i - 1);
		put_time(v, o, "at", json_object_get(r, "at_ms"));
		view_put(o, "by", v->operators ? json_str(r, "by") : NULL);
		put_text(o, json_str(r, "text"), id);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *changed_impacts(struct view *v, const json_t *update)
{
	const json_t *components = json_object_get(update, "components"), *c;
	json_t *all = json_array();
	size_t i;
	json_array_foreach (components, i, c) {
		json_t *o = json_object();
		view_put(o, "name", component_name(v, json_str(c, "id")));
		json_object_set_new(o, "impact", impact_view(v, json_int(c, "impact", 0)));
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *update_view(struct view *v, const json_t *u)
{
	char id[32];
	json_t *o = json_object(), *earlier = earlier_views(v, u), *impacts = changed_impacts(v, u);
	snprintf(id, sizeof(id), "u%lld", (long long)json_int(u, "n", 0));
	view_put(o, "id", id);
	view_put(o, "phase", say_phase(v, json_str(u, "phase")));
	put_time(v, o, "at", json_object_get(u, "at_ms"));
	view_put(o, "author",
		say(v, json_flag(u, "machine") ? "written_by_machine" : "written_by_human", NULL));
	view_put(o, "by", v->operators ? json_str(u, "by") : NULL);
	put_time(v, o, "corrected", json_object_get(u, "corrected_ms"));
	put_text(o, json_str(u, "text"), id);
	const size_t n = json_array_size(earlier);
	view_put(o, "wordings",
		n ? say_count(v, "wordings_one", "wordings_many", (int64_t)n) : NULL);
	json_object_set_new(o, "earlier", earlier);
	json_object_set_new(o, "has_impacts", json_boolean(json_array_size(impacts) > 0));
	json_object_set_new(o, "impacts", impacts);
	return o;
}

static void list_updates(struct view *v)
{
	const json_t *updates = json_object_get(v->model, "updates");
	json_t *all = json_array();
	for (size_t i = json_array_size(updates); i > 0; i--)
		json_array_append_new(all, update_view(v, json_array_get(updates, i - 1)));
	json_object_set_new(v->root, "has_updates", json_boolean(json_array_size(all) > 0));
	json_object_set_new(v->root, "updates", all);
}

/* --- evidence --------------------------------------------------------------------------------- */

static void list_evidence(struct view *v)
{
	json_t *all = json_array();
	const json_t *id;
	size_t i;
	json_array_foreach (json_object_get(v->model, "evidence"), i, id) {
		const int64_t n = json_integer_value(id);
		json_t *o = json_object();
		view_put(o, "text", say_number(v, n));
		put_link(
			v, o, "href", "/evidence/", view_keep(v, mem_printf("%lld", (long long)n)));
		json_array_append_new(all, o);
	}
	json_object_set_new(v->root, "has_evidence", json_boolean(json_array_size(all) > 0));
	json_object_set_new(v->root, "evidence", all);
}

bool view_event(struct view *v)
{
	const json_t *m = v->model;
	const char *title = json_str(m, "title");
	json_t *o = v->root;
	if (!title || !json_str(m, "phase") || !json_is_array(json_object_get(m, "updates")))
		return false;
	view_put(o, "title", title);
	view_put(o, "heading", title);
	view_put(o, "id", json_str(m, "id"));
	view_put(o, "kind", say_event_kind(v, json_str(m, "kind")));
	json_object_set_new(o, "state", event_state_view(v, m));
	json_object_set_new(o, "impact", impact_view(v, json_int(m, "impact", 0)));
	put_event_times(v, o, m);
	put_event_marks(v, o, m);
	put_time(v, o, "changed", json_object_get(m, "changed_ms"));
	view_put(o, "by", v->operators ? json_str(m, "by") : NULL);
	list_components(v);
	list_updates(v);
	list_evidence(v);
	return true;
}

/*
 * stack_view.c - what heat shows of stacks, their resources, events and outputs.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/stack.h"
#include "sim/state.h"

static json_t *link_to(const char *rel, char *url)
{
	json_t *link = json_pack("{s:s, s:s}", "href", url, "rel", rel);

	free(url);
	return link;
}

/* --- outputs -----------------------------------------------------------------------------------
 */

static json_t *output(const struct object *o, const char *key, const json_t *def, bool value)
{
	const char *description = json_str(def, "description");
	json_t *v = json_pack("{s:s, s:s}", "output_key", key, "description",
		description ? description : "No description given");

	if (value)
		json_object_set_new(
			v, "output_value", stack_resolve(o, json_object_get(def, "value")));
	return v;
}

static json_t *outputs(const struct object *o, bool values)
{
	const json_t *defs = json_object_get(json_object_get(o->doc, ".template"), "outputs");
	json_t *list = json_array(), *def;
	const char *key;

	json_object_foreach ((json_t *)defs, key, def)
		json_array_append_new(list, output(o, key, def, values));
	return list;
}

void stack_list_outputs(struct call *c)
{
	const struct object *o = stack_of(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "outputs", outputs(o, false)));
}

void stack_show_output(struct call *c)
{
	const struct object *o = stack_of(c);
	const json_t *def =
		o ? json_at(json_object_get(o->doc, ".template"), "outputs", c->params[3], NULL)
		  : NULL;

	if (def)
		call_json(c, 200, json_pack("{s:o}", "output", output(o, c->params[3], def, true)));
	else if (o)
		stack_fail(c, 404, "NotFound", "Specified output key %s not found.", c->params[3]);
}

/* --- stacks ------------------------------------------------------------------------------------
 */

static void copy(json_t *to, const struct object *o, const char *const *keys, size_t n)
{
	for (size_t i = 0; i < n; i++)
		json_object_set(to, keys[i], json_object_get(o->doc, keys[i]));
}

json_t *stack_view(struct call *c, const struct object *o, bool whole)
{
	static const char *const head[] = {"stack_name", "id"},
				 *const times[] = {"creation_time", "updated_time",
					 "deletion_time"},
				 *const owner[] = {"stack_owner", "parent", "stack_user_project_id",
					 "tags"},
				 *const states[] = {"stack_status", "stack_status_reason"};
	json_t *v = json_object();

	copy(v, o, head, array_len(head));
	json_object_set_new(v, "links", json_pack("[o]", link_to("self", stack_url(c, o))));
	copy(v, o, times, array_len(times));
	if (whole) {
		static const char *const more[] = {"disable_rollback", "timeout_mins"};
		json_object_set_new(v, "notification_topics", json_array());
		json_object_set_new(v, "parameters", stack_values_shown(o));
		json_object_set(v, "description", json_object_get(o->doc, "description"));
		json_object_set(v, "template_description", json_object_get(o->doc, "description"));
		json_object_set_new(v, "capabilities", json_array());
		copy(v, o, more, array_len(more));
	} else { /* heat does not read templates for a list */
		json_object_set_new(v, "description", json_string(""));
	}
	copy(v, o, owner, array_len(owner));
	copy(v, o, states, array_len(states));
	if (whole && strcmp(object_str(o, "stack_status"), "DELETE_COMPLETE"))
		json_object_set_new(v, "outputs", outputs(o, true));
	return v;
}

/* --- resources ---------------------------------------------------------------------------------
 */

static json_t *resource_links(struct call *c, const struct object *o, const char *name)
{
	char *url = stack_url(c, o);
	json_t *list = json_pack("[o]", link_to("self", mem_printf("%s/resources/%s", url, name)));

	json_array_append_new(list, link_to("stack", url));
	return list;
}

static json_t *required_by(const struct object *o, const char *name)
{
	json_t *list = json_array(), *r;
	size_t i;

	json_array_foreach (json_object_get(o->doc, ".resources"), i, r)
		if (!json_flag(r, "old") &&
			json_has_text(json_object_get(r, "needs"), slice_of(name)))
			json_array_append(list, json_object_get(r, "name"));
	return list;
}

static json_t *resource_view(struct call *c, const struct object *o, const json_t *r)
{
	const char *name = json_str(r, "name");

	return json_pack("{s:O, s:O, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o}", "updated_time",
		json_object_get(r, "updated"), "creation_time", json_object_get(r, "created"),
		"logical_resource_id", name, "resource_name", name, "physical_resource_id",
		json_str(r, "id"), "resource_status", json_str(r, "status"),
		"resource_status_reason", json_str(r, "reason"), "resource_type",
		json_str(r, "type"), "links", resource_links(c, o, name), "required_by",
		required_by(o, name));
}

void stack_list_resources(struct call *c)
{
	const struct object *o = stack_of(c);
	json_t *list = json_array(), *r;
	size_t i;

	if (!o) {
		json_decref(list);
		return;
	}
	json_array_foreach (json_object_get(o->doc, ".resources"), i, r)
		if (!json_flag(r, "old"))
			json_array_append_new(list, resource_view(c, o, r));
	call_json(c, 200, json_pack("{s:o}", "resources", list));
}

/* That of the path, or NULL after a 404. */
static const json_t *find(struct call *c, const struct object *o)
{
	const json_t *r = stack_resource(o, c->params[3]);

	if (!r)
		stack_fail(c, 404, "ResourceNotFound",
			"The Resource (%s) could not be found in Stack %s.", c->params[3],
			object_str(o, "stack_name"));
	return r;
}

void stack_show_resource(struct call *c)
{
	const struct object *o = stack_of(c);
	const json_t *r = o ? find(c, o) : NULL;

	if (!r)
		return;
	json_t *v = resource_view(c, o, r);
	json_object_set_new(v, "description", json_string(""));
	json_object_set_new(v, "attributes", stack_attributes(o, r));
	call_json(c, 200, json_pack("{s:o}", "resource", v));
}

/* --- events ------------------------------------------------------------------------------------
 */

static json_t *event_view(struct call *c, const struct object *o, const json_t *e)
{
	const char *name = json_str(e, "resource_name");
	char *url = stack_url(c, o);
	json_t *v = json_object(), *value, *links = json_array();
	const char *key;

	json_array_append_new(links, link_to("self", mem_printf("%s/resources/%s/events/%s", url,
							     name, json_str(e, "id"))));
	json_array_append_new(links, link_to("resource", mem_printf("%s/resources/%s", url, name)));
	json_array_append_new(links, link_to("stack", url));
	json_object_set(v, "id", json_object_get(e, "id"));
	json_object_set_new(v, "links", links);
	json_object_foreach ((json_t *)e, key, value)
		json_object_set(v, key, value);
	return v;
}

/* Of the stack, or of the resource of the path, newest first. */
void stack_list_events(struct call *c)
{
	const struct object *o = stack_of(c);
	json_t *list = json_array(), *e;
	size_t i;

	if (!o || (c->params[3] && !find(c, o))) {
		json_decref(list);
		return;
	}
	json_array_foreach (json_object_get(o->doc, ".events"), i, e)
		if (!c->params[3] || !strcmp(json_str(e, "resource_name"), c->params[3]))
			json_array_append_new(list, event_view(c, o, e));
	call_json(c, 200, json_pack("{s:o}", "events", list));
}

/*
 * compute_event.c - os-instance-actions: what was done to a server, by which request, and how long
 * its steps took. Kept in the server's document under ".actions", oldest first.
 */

#include <string.h>

#include "base/json.h"
#include "sim/compute_server.h"
#include "sim/state.h"

void event_action(struct object *server, const struct call *c, const char *action)
{
	json_t *list = json_object_get(server->doc, ".actions");
	char now[32];

	if (!list)
		object_set(server, ".actions", list = json_array());
	compute_time(server->sim, now);
	json_array_append_new(
		list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:s, s:[]}", "action", action,
			      "instance_uuid", server->id, "request_id", c->request_id, "user_id",
			      c->user, "project_id", c->project, "start_time", now, "message",
			      "updated_at", now, "events"));
}

static json_t *action_of(const json_t *list, const char *request)
{
	for (size_t i = json_array_size(list); i > 0; i--) {
		json_t *a = json_array_get(list, i - 1);
		if (!strcmp(json_str(a, "request_id"), request))
			return a;
	}
	return NULL;
}

void event_begin(struct object *server, const char *request, const char *event)
{
	json_t *a = action_of(json_object_get(server->doc, ".actions"), request);
	char now[32], host[64];

	if (!a)
		return;
	compute_time(server->sim, now);
	compute_host_id(server->project, server_of(server)->host, host);
	json_array_append_new(json_object_get(a, "events"),
		json_pack("{s:s, s:s, s:n, s:n, s:s}", "event", event, "start_time", now,
			"finish_time", "result", "hostId", host));
	json_object_set_new(a, "updated_at", json_string(now));
}

void event_end(struct object *server, const char *request, bool good)
{
	json_t *a = action_of(json_object_get(server->doc, ".actions"), request);
	json_t *events = json_object_get(a, "events");
	json_t *e = json_array_get(events, json_array_size(events) - 1);
	char now[32];

	if (!a)
		return;
	compute_time(server->sim, now);
	if (e) {
		json_object_set_new(e, "finish_time", json_string(now));
		json_object_set_new(e, "result", json_string(good ? "Success" : "Error"));
	}
	if (!good)
		json_object_set_new(a, "message", json_string("Error"));
	json_object_set_new(a, "updated_at", json_string(now));
}

/* --- showing them ---------------------------------------------------------------------------- */

/* The actions of a server; from 2.21 on also of one that is deleted. NULL after a 404. */
static const json_t *actions_of(struct call *c)
{
	const struct object *o = object_get(c->sim, KIND_SERVER, c->params[0]);
	const json_t *doc = o ? o->doc : NULL;
	json_t *gone;
	size_t i;

	if (!doc && since(c, 21))
		json_array_foreach (c->sim->deleted_servers, i, gone)
			if (!strcmp(json_str(gone, "id"), c->params[0]))
				doc = gone;
	if (doc && !strcmp(json_str(doc, "tenant_id"), c->project))
		return json_object_get(doc, ".actions");
	call_fail(c, 404, NULL, "Instance %s could not be found.", c->params[0]);
	return NULL;
}

static json_t *view(struct call *c, const json_t *action)
{
	json_t *v = json_copy((json_t *)action);

	json_object_del(v, "events");
	if (!since(c, 58))
		json_object_del(v, "updated_at");
	return v;
}

void events_list(struct call *c)
{
	const json_t *list = actions_of(c);
	json_t *views = json_array();

	if (list) {
		for (size_t i = json_array_size(list); i > 0; i--)
			json_array_append_new(views, view(c, json_array_get(list, i - 1)));
		call_json(c, 200, json_pack("{s:O}", "instanceActions", views));
	}
	json_decref(views);
}

void events_show(struct call *c)
{
	const json_t *list = actions_of(c);
	const json_t *a = list ? action_of(list, c->params[1]) : NULL;
	json_t *e;
	size_t i;

	if (!list)
		return;
	if (!a) {
		call_fail(c, 404, NULL, "Action %s not found", c->params[1]);
		return;
	}
	json_t *v = view(c, a);
	if (since(c, 51)) { /* before, only administrators see events */
		json_t *events = json_deep_copy(json_object_get(a, "events"));
		json_array_foreach (events, i, e)
			if (!since(c, 62))
				json_object_del(e, "hostId");
		json_object_set_new(v, "events", events);
	}
	call_json(c, 200, json_pack("{s:o}", "instanceAction", v));
}

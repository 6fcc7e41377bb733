/*
 * control.c - the sim's own addresses below /sim: faults, requests, violations, what was made and
 * what of it is left, planting, and the hand of an administrator. Nothing of it exists in a real
 * cloud, and no fault ever strikes here.
 */

#include <ctype.h>
#include <string.h>

#include "base/json.h"
#include "sim/call.h"
#include "sim/compute_server.h"
#include "sim/route.h"
#include "sim/state.h"

static json_t *control_error(struct call *c, int status, const char *type, const char *message)
{
	return json_pack("{s:i, s:s}", "status", status, "message", message);
}

static void show_index(struct call *c)
{
	call_json(c, 200,
		json_pack("{s:s, s:I, s:i}", "url", c->sim->url, "requests",
			(json_int_t)c->sim->record.count, "violations",
			(int)json_array_size(c->sim->violations)));
}

static void list_faults(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "faults", mishaps_json(&c->sim->mishaps)));
}

static void add_faults(struct call *c)
{
	struct error err = {0};
	const json_t *list = json_object_get(c->body, "faults");

	if (!c->body)
		call_fail(c, 400, NULL, "expected {\"faults\": [...]}");
	else if (!mishaps_add(&c->sim->mishaps, list ? list : c->body, &err))
		call_fail(c, 400, NULL, "%s", err.msg);
	else
		list_faults(c);
}

static void clear_faults(struct call *c)
{
	mishaps_clear(&c->sim->mishaps);
	call_empty(c, 204);
}

static void list_requests(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "requests", record_json(&c->sim->record.requests)));
}

static void list_violations(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "violations", sim_violations(c->sim)));
}

static void list_made(struct call *c)
{
	call_json(c, 200, json_pack("{s:o}", "made", record_json(&c->sim->record.made)));
}

static void list_left(struct call *c)
{
	call_json(c, 200, sim_left(c->sim));
}

static void plant(struct call *c)
{
	struct error err = {0};
	json_t *made = c->body ? sim_plant(c->sim, c->body, &err) : NULL;

	if (made)
		call_json(c, 201, json_pack("{s:o}", "planted", made));
	else
		call_fail(c, 400, NULL, "%s", c->body ? err.msg : "expected a body");
}

/* What an administrator does with a state that nothing leads out of. */
static void reset_state(struct call *c)
{
	const char *id = json_str(c->body, "id"), *state = json_str(c->body, "state");
	struct object *o = NULL;

	for (int k = 0; id && k < KIND_COUNT && !o; k++)
		o = object_get(c->sim, (enum kind)k, id);
	if (!o || !state) {
		call_fail(c, o || !id ? 400 : 404, NULL, "expected {\"id\": ..., \"state\": ...}");
		return;
	}
	timer_cancel(&o->timer);
	o->stuck = false;
	if (o->kind == KIND_SERVER) { /* of which nova shows another state than it keeps */
		server_set_state(o, state, NULL);
	} else if (json_object_get(o->doc, "provisioning_status")) {
		char upper[32];
		snprintf(upper, sizeof(upper), "%s", state);
		for (char *at = upper; *at; at++)
			*at = (char)toupper((unsigned char)*at);
		object_set_str(o, "provisioning_status", upper);
	} else {
		object_set_str(o, "status", state);
	}
	call_empty(c, 204);
}

static const struct route routes[] = {
	{"GET", "", show_index, ROUTE_OPEN},
	{"GET", "/faults", list_faults, ROUTE_OPEN},
	{"POST", "/faults", add_faults, ROUTE_OPEN},
	{"DELETE", "/faults", clear_faults, ROUTE_OPEN},
	{"GET", "/requests", list_requests, ROUTE_OPEN},
	{"GET", "/violations", list_violations, ROUTE_OPEN},
	{"GET", "/made", list_made, ROUTE_OPEN},
	{"GET", "/left", list_left, ROUTE_OPEN},
	{"POST", "/plant", plant, ROUTE_OPEN},
	{"POST", "/reset", reset_state, ROUTE_OPEN},
};

const struct service control_service = {
	.name = "sim",
	.prefix = "/sim",
	.routes = routes,
	.n = array_len(routes),
	.error = control_error,
};

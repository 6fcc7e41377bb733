/*
 * compute_server.c - one server: finding it, its states, showing, changing and deleting it.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

struct object *server_find(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_SERVER, c->params[0]);

	if (o && !strcmp(o->project, c->project))
		return o;
	call_fail(c, 404, NULL, "Instance %s could not be found.", c->params[0]);
	return NULL;
}

/* --- states ---------------------------------------------------------------------------------- */

/* vm_state, task_state (NULL: any other), the status that a member sees. */
static const struct {
	const char *vm_state, *task, *status;
} statuses[] = {
	{"active", "rebooting", "REBOOT"},
	{"active", "reboot_pending", "REBOOT"},
	{"active", "reboot_started", "REBOOT"},
	{"active", "rebooting_hard", "HARD_REBOOT"},
	{"active", "rebuilding", "REBUILD"},
	{"active", "rebuild_spawning", "REBUILD"},
	{"active", "resize_prep", "RESIZE"},
	{"active", "resize_migrating", "RESIZE"},
	{"active", "resize_finish", "RESIZE"},
	{"active", NULL, "ACTIVE"},
	{"building", NULL, "BUILD"},
	{"stopped", "resize_prep", "RESIZE"},
	{"stopped", "resize_migrating", "RESIZE"},
	{"stopped", "resize_finish", "RESIZE"},
	{"stopped", "rebuilding", "REBUILD"},
	{"stopped", "rebuild_spawning", "REBUILD"},
	{"stopped", NULL, "SHUTOFF"},
	{"resized", "resize_reverting", "REVERT_RESIZE"},
	{"resized", NULL, "VERIFY_RESIZE"},
	{"paused", NULL, "PAUSED"},
	{"suspended", NULL, "SUSPENDED"},
	{"error", "rebuilding", "REBUILD"},
	{"error", "rebuild_spawning", "REBUILD"},
	{"error", NULL, "ERROR"},
	{"deleted", NULL, "DELETED"},
};

void server_touch(struct object *o)
{
	char now[32];

	object_set_str(o, "updated", object_now(o->sim, now));
}

void server_set_state(struct object *o, const char *vm_state, const char *task_state)
{
	if (!vm_state)
		vm_state = object_str(o, "OS-EXT-STS:vm_state");
	for (size_t i = 0; i < array_len(statuses); i++) {
		if (strcmp(statuses[i].vm_state, vm_state) ||
			(statuses[i].task && (!task_state || strcmp(statuses[i].task, task_state))))
			continue;
		object_set_str(o, "status", statuses[i].status);
		break;
	}
	json_t *kept = json_string(vm_state); /* may be the very text that is replaced */
	object_set(o, "OS-EXT-STS:vm_state", kept);
	object_set_str(o, "OS-EXT-STS:task_state", task_state);
	server_touch(o);
	guests_changed(o->sim);
}

void server_set_power(struct object *o, int power)
{
	object_set(o, "OS-EXT-STS:power_state", json_integer(power));
}

void server_fail(struct object *o, const char *message)
{
	char now[32];

	object_now(o->sim, now);
	object_set(o, "fault",
		json_pack("{s:i, s:s, s:s}", "code", 500, "created", now, "message", message));
	server_set_state(o, "error", NULL);
}

static bool conflict(struct call *c, const struct object *o, const char *action, const char *attr,
	const char *state)
{
	call_fail(c, 409, NULL, "Cannot '%s' instance %s while it is in %s %s", action, o->id, attr,
		state);
	return false;
}

bool server_may(struct call *c, const struct object *o, const char *action, const char *vm_states,
	bool idle, bool lock)
{
	const char *vm_state = object_str(o, "OS-EXT-STS:vm_state");
	const char *task = json_str(o->doc, "OS-EXT-STS:task_state");

	if (lock && json_flag(o->doc, "locked")) {
		call_fail(c, 409, NULL, "Instance %s is locked", o->id);
		return false;
	}
	if (vm_states && !compute_among(vm_states, vm_state))
		return conflict(c, o, action, "vm_state", vm_state);
	if (idle && task)
		return conflict(c, o, action, "task_state", task);
	if (vm_states && !json_str(o->doc, "OS-SRV-USG:launched_at")) {
		call_fail(
			c, 409, NULL, "Instance %s is in an invalid state for '%s'", o->id, action);
		return false;
	}
	return true;
}

/* --- requests -------------------------------------------------------------------------------- */

void servers_show(struct call *c)
{
	const struct object *o = server_find(c);

	if (o)
		call_json(c, 200, json_pack("{s:o}", "server", server_view(c, o, VIEW_ALL)));
}

void servers_update(struct call *c)
{
	static const char *const plain[] = {
		"name", "description", "OS-DCF:diskConfig", "accessIPv4", "accessIPv6"};
	struct object *o = server_find(c);
	const json_t *in = o ? body_server_update(c) : NULL;

	if (!in)
		return;
	rule_changed(c, o, false);
	for (size_t i = 0; i < array_len(plain); i++) {
		json_t *v = json_object_get(in, plain[i]);
		if (v)
			object_set(o, plain[i], json_incref(v));
	}
	if (json_str(in, "hostname"))
		object_set_str(o, "OS-EXT-SRV-ATTR:hostname", json_str(in, "hostname"));
	server_touch(o);
	call_json(c, 200,
		json_pack("{s:o}", "server", server_view(c, o, since(c, 75) ? VIEW_ALL : 0)));
}

void servers_delete(struct call *c)
{
	struct object *o = server_find(c);

	if (!o || !server_may(c, o, "delete", NULL, false, true))
		return;
	call_empty(c, 204);
	/* nova ignores a second one while the first is under way */
	if (!strcmp(object_str(o, "OS-EXT-STS:task_state"), "deleting"))
		return;
	rule_changed(c, o, true);
	struct server *s = server_of(o);
	const struct mishap *error = call_hit(c, MISHAP_ERROR);
	if (call_hit(c, MISHAP_LEAK))
		VEC_EACH (&s->nics, struct server_nic, nic)
			nic->leak = nic->ours;
	snprintf(s->request, sizeof(s->request), "%s", c->request_id);
	mem_replace(&s->fault,
		error ? error->text ? error->text : "The server cannot be deleted." : NULL);
	s->change = NULL;
	timer_cancel(&o->timer);
	event_action(o, c, "delete");
	event_begin(o, c->request_id, "compute_terminate_instance");
	server_set_state(o, NULL, "deleting");
	o->stuck = call_hit(c, MISHAP_STUCK) != NULL;
	if (!o->stuck)
		server_remove(o);
}

void servers_ips(struct call *c)
{
	const struct object *o = server_find(c);

	if (o)
		call_json(c, 200,
			json_pack("{s:o}", "addresses", server_addresses(c->sim, o, false)));
}

/* The old form of a group: nova translates what neutron has. */
static json_t *old_group(struct sim *s, const struct object *g)
{
	json_t *rules = json_array();

	OBJECT_EACH (s, KIND_RULE, r) {
		const char *prefix = json_str(r->doc, "remote_ip_prefix");
		if (strcmp(object_str(r, "security_group_id"), g->id) ||
			strcmp(object_str(r, "direction"), "ingress"))
			continue;
		json_array_append_new(rules,
			json_pack("{s:s, s:s, s:O, s:O, s:O, s:{}, s:o}", "id", r->id,
				"parent_group_id", g->id, "ip_protocol",
				json_object_get(r->doc, "protocol"), "from_port",
				json_object_get(r->doc, "port_range_min"), "to_port",
				json_object_get(r->doc, "port_range_max"), "group", "ip_range",
				prefix ? json_pack("{s:s}", "cidr", prefix) : json_object()));
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "id", g->id, "name", object_str(g, "name"),
		"description", object_str(g, "description"), "tenant_id", g->project, "rules",
		rules);
}

void servers_security_groups(struct call *c)
{
	struct object *o = server_find(c);
	json_t *list = json_array();

	OBJECT_EACH (c->sim, KIND_GROUP, g) {
		bool used = false;
		if (!o)
			break;
		VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
			const struct object *port = nic_port(c->sim, nic);
			used = used || (port && port_in_group(port, g->id));
		}
		if (used)
			json_array_append_new(list, old_group(c->sim, g));
	}
	if (o)
		call_json(c, 200, json_pack("{s:O}", "security_groups", list));
	json_decref(list);
}

/*
 * compute_action.c - POST /servers/{id}/action: a table of changes that a server goes through, and
 * the few actions that are done at once.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "sim/compute_body.h"
#include "sim/compute_server.h"
#include "sim/guest.h"
#include "sim/network.h"
#include "sim/state.h"

/* --- a change -------------------------------------------------------------------------------- */

static void affect_guest(struct object *o, enum guest_effect effect)
{
	switch (effect) {
	case GUEST_STAYS: return;
	case GUEST_STOPS: guest_halt(o); return;
	case GUEST_BOOTS: guest_boot(o); return;
	case GUEST_THAWS: guest_thaw(o); return;
	}
}

static void on_changed(struct timer *t)
{
	struct object *o = t->arg;
	struct server *s = server_of(o);
	const struct change *row = s->change;

	s->change = NULL;
	if (s->fault) {
		event_end(o, s->request, false);
		server_fail(o, s->fault);
		return;
	}
	const bool good = !row->finish || row->finish(o);
	event_end(o, s->request, good);
	if (good && row->power >= 0)
		server_set_power(o, row->power);
	/* what failed on the host is rolled back: the guest starts as it was */
	affect_guest(o, row->ends);
	server_set_state(o, good ? row->to : NULL, NULL);
}

void action_start(struct call *c, struct object *o, const struct change *row)
{
	struct server *s = server_of(o);
	const struct mishap *error = call_hit(c, MISHAP_ERROR);

	rule_changed(c, o, false);
	snprintf(s->request, sizeof(s->request), "%s", c->request_id);
	mem_replace(&s->fault, error ? error->text ? error->text : "The action failed." : NULL);
	s->change = row;
	event_action(o, c, row->recorded);
	if (row->event)
		event_begin(o, c->request_id, row->event);
	affect_guest(o, row->begins);
	server_set_state(o, NULL, row->task);
	o->stuck = call_hit(c, MISHAP_STUCK) != NULL;
	if (!o->stuck)
		object_after(o, draw_time_ns(&o->sim->draw, row->time), on_changed);
}

bool action_begin(struct call *c, struct object *o, const struct change *row)
{
	if (!server_may(c, o, row->verb, row->vm_states, true, true))
		return false;
	action_start(c, o, row);
	return true;
}

static const struct change changes[] = {
	{"os-stop", "stop", "stop", "compute_stop_instance", "active error", "powering-off",
		"stopped", POWER_SHUTDOWN, TIME_SERVER_STOP, GUEST_STAYS, GUEST_STOPS},
	{"os-start", "start", "start", "compute_start_instance", "stopped", "powering-on", "active",
		POWER_RUNNING, TIME_SERVER_START, GUEST_STAYS, GUEST_BOOTS},
	{"pause", "pause", "pause", "compute_pause_instance", "active", "pausing", "paused",
		POWER_PAUSED, TIME_WRITE, GUEST_STAYS, GUEST_STOPS},
	{"unpause", "unpause", "unpause", "compute_unpause_instance", "paused", "unpausing",
		"active", POWER_RUNNING, TIME_WRITE, GUEST_STAYS, GUEST_THAWS},
	{"suspend", "suspend", "suspend", "compute_suspend_instance", "active", "suspending",
		"suspended", POWER_SHUTDOWN, TIME_SERVER_STOP, GUEST_STAYS, GUEST_STOPS},
	{"resume", "resume", "resume", "compute_resume_instance", "suspended", "resuming", "active",
		POWER_RUNNING, TIME_SERVER_START, GUEST_STAYS, GUEST_THAWS},
};

static const struct change soft_reboot = {"reboot", "reboot", "reboot", "compute_reboot_instance",
	"active", "rebooting", NULL, POWER_RUNNING, TIME_SERVER_REBOOT, GUEST_STOPS, GUEST_BOOTS};
static const struct change hard_reboot = {"reboot", "reboot", "reboot", "compute_reboot_instance",
	"active stopped paused suspended error", "rebooting_hard", "active", POWER_RUNNING,
	TIME_SERVER_REBOOT, GUEST_STOPS, GUEST_BOOTS};

static void reboot(struct call *c, struct object *o)
{
	const json_t *in = body_reboot(c);
	const bool hard = in && !strcasecmp(json_str(in, "type"), "hard");
	const struct change *row = hard ? &hard_reboot : &soft_reboot;
	/* a hard one may replace a soft one that hangs */
	const bool again = hard && !strcmp(object_str(o, "OS-EXT-STS:task_state"), "rebooting");

	if (!in || !server_may(c, o, row->verb, row->vm_states, !again, true))
		return;
	action_start(c, o, row);
	call_empty(c, 202);
}

/* --- done at once ---------------------------------------------------------------------------- */

static void lock(struct call *c, struct object *o)
{
	const char *reason = json_str(json_object_get(c->body, "lock"), "locked_reason");

	if (!body_lock(c))
		return;
	rule_changed(c, o, false);
	event_action(o, c, "lock");
	event_begin(o, c->request_id, "api_lock");
	event_end(o, c->request_id, true);
	object_set(o, "locked", json_true());
	object_set_str(o, "locked_reason", since(c, 73) ? reason : NULL);
	server_touch(o);
	call_empty(c, 202);
}

static void unlock(struct call *c, struct object *o)
{
	rule_changed(c, o, false);
	event_action(o, c, "unlock");
	event_begin(o, c->request_id, "api_unlock");
	event_end(o, c->request_id, true);
	object_set(o, "locked", json_false());
	object_set(o, "locked_reason", json_null());
	server_touch(o);
	call_empty(c, 202);
}

/* The group that addSecurityGroup names; NULL after an answer. */
static const char *named_group(struct call *c, const char *action)
{
	const json_t *in = json_object_get(c->body, action);
	const char *name = json_str(in, "name");

	if (!json_is_object(in))
		call_fail(c, 400, NULL, "Missing parameter dict");
	else if (!name)
		call_fail(c, 400, NULL, "Security group not specified");
	else if (!name[strspn(name, " ")])
		call_fail(c, 400, NULL, "Security group name cannot be empty");
	return call_answered(c) ? NULL : group_id_of(c, name, 404);
}

static size_t place_of(const json_t *list, const char *id)
{
	json_t *v;
	size_t i;

	json_array_foreach (list, i, v)
		if (!strcmp(json_string_value(v), id))
			break;
	return i;
}

static void change_groups(struct call *c, struct object *o, const char *id, bool add)
{
	unsigned found = 0;

	VEC_EACH (&server_of(o)->nics, struct server_nic, nic) {
		struct object *port = nic_port(c->sim, nic);
		if (!port)
			continue;
		json_t *list = json_object_get(port->doc, "security_groups");
		const size_t at = place_of(list, id);
		const bool has = at < json_array_size(list);
		found += has;
		if (add && !has)
			json_array_append_new(list, json_string(id));
		else if (!add && has)
			json_array_remove(list, at);
		network_touch(port);
	}
	if (!add && !found) {
		call_fail(c, 404, NULL, "Security group %s not associated with the instance %s", id,
			o->id);
		return;
	}
	rule_changed(c, o, false);
	guests_changed(c->sim);
	call_empty(c, 202);
}

void action_add_group(struct call *c, struct object *o)
{
	const char *id = named_group(c, "addSecurityGroup");

	if (id)
		change_groups(c, o, id, true);
}

void action_remove_group(struct call *c, struct object *o)
{
	const char *id = named_group(c, "removeSecurityGroup");

	if (id)
		change_groups(c, o, id, false);
}

/* --- which one ------------------------------------------------------------------------------- */

static const struct {
	const char *action;
	void (*run)(struct call *c, struct object *o);
} others[] = {
	{"reboot", reboot},
	{"rebuild", action_rebuild},
	{"resize", action_resize},
	{"confirmResize", action_confirm_resize},
	{"revertResize", action_revert_resize},
	{"lock", lock},
	{"unlock", unlock},
	{"createImage", action_create_image},
	{"os-getConsoleOutput", action_console},
	{"addSecurityGroup", action_add_group},
	{"removeSecurityGroup", action_remove_group},
};

/* What only administrators may do. */
static const struct {
	const char *action, *rule;
} forbidden[] = {
	{"migrate", "os-migrate-server:migrate"},
	{"os-migrateLive", "os-migrate-server:migrate_live"},
	{"os-resetState", "os-admin-actions:reset_state"},
	{"evacuate", "os-evacuate"},
	{"injectNetworkInfo", "os-admin-actions:inject_network_info"},
};

/* Begins a plain change and answers. */
static void run_change(struct call *c, struct object *o, const struct change *row)
{
	if (action_begin(c, o, row))
		call_empty(c, 202);
}

/* Starting and stopping look past what is only asked for: nova says 404 before a host is found. */
static struct object *find_scheduled(struct call *c)
{
	struct object *o = object_get(c->sim, KIND_SERVER, c->params[0]);

	if (!o || strcmp(o->project, c->project))
		call_fail(c, 404, NULL, "Instance %s has no mapping to a cell.", c->params[0]);
	else if (!*server_of(o)->host && !strcmp(object_str(o, "status"), "BUILD"))
		call_fail(c, 404, NULL, "Instance %s could not be found.", o->id);
	return call_answered(c) ? NULL : o;
}

void servers_action(struct call *c)
{
	const char *action = json_object_iter_key(json_object_iter(c->body));
	struct object *o;

	if (!action) {
		call_fail(c, 400, NULL, "Malformed request body");
		return;
	}
	for (size_t i = 0; i < array_len(changes); i++)
		if (!strcmp(changes[i].action, action)) {
			o = strncmp(action, "os-st", 5) ? server_find(c) : find_scheduled(c);
			if (o)
				run_change(c, o, &changes[i]);
			return;
		}
	for (size_t i = 0; i < array_len(others); i++)
		if (!strcmp(others[i].action, action)) {
			if ((o = server_find(c)))
				others[i].run(c, o);
			return;
		}
	for (size_t i = 0; i < array_len(forbidden); i++)
		if (!strcmp(forbidden[i].action, action)) {
			if (server_find(c))
				compute_forbid(c, forbidden[i].rule);
			return;
		}
	call_fail(c, 400, NULL, "There is no such action: %s", action);
}

/*
 * run_boot.c - how servers came up: phases of the build, the hosts it was tried on, and, when
 * nobody gets in, what the guest wrote on its console.
 *
 * Phases are times between task states as the polling for ACTIVE sees them, so they are as exact as
 * it is (200 ms at first). Members see no finer ones: instance actions hold one event for a whole
 * build, in seconds, but one for each host it was tried on, with the host's id (microversion 2.62).
 */

#include "observe/scenario/run_boot.h"

#include <stdio.h>
#include <string.h>

#include "observe/scenario/boot_console.h"

#define ACTIONS_NS    (30 * NS_PER_S)
#define CONSOLE_NS    (10 * NS_PER_S)
#define CONSOLE_LINES 200
#define MARKS_MAX     16
#define BUILD_EVENT   "compute__do_build_and_run_instance"

enum boot_phase { PHASE_SCHEDULE, PHASE_NETWORK, PHASE_BLOCK_DEVICE, PHASE_SPAWN, PHASE_COUNT };

static const struct {
	const char *state, *name;
} phases[PHASE_COUNT] = {
	{"scheduling", "schedule"},
	{"networking", "network"},
	{"block_device_mapping", "block device"},
	{"spawning", "spawn"},
};

struct boot {
	struct task *task; /* NULL: freed while a call was under way */
	struct cloud_call *call;
	enum boot_phase phase;
	int64_t since_ns; /* the phase, since the run began; -1: over, or not begun */
	int64_t took_ns[PHASE_COUNT];
	int64_t guest_ns; /* from ACTIVE until it was first reached; 0: not yet */
	json_t *hosts;
	bool console_asked;
	enum boot_cause cause;
	char *console; /* the line, scrubbed by the report */
	enum fault fault;
	char *failed; /* the step that could not reach it */
};

/* A check whose failure waits for a console. */
struct explaining {
	struct task *server;
	enum fault fault;
	char *why;
};

/* Made one by one, or one of a batch. */
static bool is_server(const struct task *t)
{
	return t->step->verb == VERB_CREATE &&
	       (!strcmp(t->step->kind->name, "server") ||
		       !strcmp(t->step->kind->name, "server_batch"));
}

static struct boot *boot_of(struct task *t)
{
	if (!t->boot) {
		t->boot = mem_new(struct boot);
		t->boot->task = t;
		t->boot->since_ns = -1;
	}
	return t->boot;
}

/* --- phases ----------------------------------------------------------------------------------- */

static void phase_end(struct boot *b, int64_t now_ns)
{
	if (b->since_ns >= 0)
		b->took_ns[b->phase] += now_ns - b->since_ns;
	b->since_ns = -1;
}

void boot_see(struct task *t)
{
	if (!is_server(t) || !t->element->object || t->state == TASK_DONE)
		return;
	struct boot *b = boot_of(t);
	const char *status = json_str(t->element->object, "status");
	const char *state = json_str(t->element->object, "OS-EXT-STS:task_state");
	const int64_t now = run_now(t->run);
	enum boot_phase phase = b->phase;
	/* Between two states (a host has taken it, and prepares) the phase before goes on. */
	for (size_t i = 0; state && i < PHASE_COUNT; i++)
		if (!strcmp(state, phases[i].state))
			phase = (enum boot_phase)i;
	const bool building = !status || !strcmp(status, "BUILD");
	if (b->since_ns < 0 && building) {
		b->since_ns = b->phase == PHASE_SCHEDULE && t->answer_ns >= 0 ? t->answer_ns : now;
		b->phase = phase;
	} else if (phase != b->phase || !building) {
		phase_end(b, now);
		b->phase = phase;
		b->since_ns = building ? now : -1;
	}
}

static json_t *phases_json(const struct boot *b)
{
	json_t *list = json_array();
	for (size_t i = 0; i < PHASE_COUNT; i++)
		if (b->took_ns[i] > 0)
			json_array_append_new(list, json_pack("{s:s, s:f}", "name", phases[i].name,
							    "ms", (double)b->took_ns[i] / 1e6));
	if (b->guest_ns > 0)
		json_array_append_new(list,
			json_pack("{s:s, s:f}", "name", "guest", "ms", (double)b->guest_ns / 1e6));
	return list;
}

/* --- hosts ------------------------------------------------------------------------------------ */

/* Nova writes UTC without saying so. */
static int64_t unix_us(const json_t *event, const char *key)
{
	const char *text = json_str(event, key);
	char zoned[40];
	int64_t us = 0;
	snprintf(zoned, sizeof(zoned), "%sZ", text ? text : "");
	return text && clock_parse_rfc3339(zoned, &us) ? us : 0;
}

static void learn_events(struct boot *b, const json_t *events)
{
	const json_t *e;
	size_t i;
	json_array_foreach (events, i, e) {
		const char *name = json_str(e, "event"), *host = json_str(e, "hostId"),
			   *result = json_str(e, "result");
		if (!name || strcmp(name, BUILD_EVENT) != 0 || !host || !*host)
			continue;
		const int64_t from = unix_us(e, "start_time"), to = unix_us(e, "finish_time");
		json_t *h = json_pack(
			"{s:s, s:b}", "host", host, "good", result && !strcmp(result, "Success"));
		if (from && to >= from)
			json_object_set_new(h, "s", json_integer((to - from) / 1000000));
		if (!b->hosts)
			b->hosts = json_array();
		if (json_array_size(b->hosts) < MARKS_MAX)
			json_array_append(b->hosts, h);
		json_decref(h);
	}
}

static void on_actions(void *arg, const struct cloud_answer *a)
{
	struct boot *b = arg;
	b->call = NULL;
	if (!b->task) {
		free(b);
		return;
	}
	b->task->run->requests += a->tries;
	if (a->fault == FAULT_NONE)
		learn_events(b, json_at(a->json, "instanceAction", "events", NULL));
}

void boot_built(struct task *t)
{
	if (!is_server(t) || !t->element->id || !t->create_request_id || t->run->stopping)
		return;
	struct boot *b = boot_of(t);
	phase_end(b, run_now(t->run));
	if (b->call)
		return;
	char *path = mem_printf(
		"/servers/%s/os-instance-actions/%s", t->element->id, t->create_request_id);
	const struct cloud_request q = {
		.service = "compute",
		.method = "GET",
		.path = path,
		.microversion = t->step->kind->version,
		.deadline_ns = ACTIONS_NS,
		.absent_is_good = true,
	};
	b->call = cloud_call(t->run->tools.cloud, &q, on_actions, b);
	free(path);
}

/* --- the console ------------------------------------------------------------------------------ */

/* A fault that a guest which has not come up properly would show. */
static bool could_be_guest(enum fault f)
{
	switch ((int)f) {
	case FAULT_TIMEOUT:
	case FAULT_REFUSED:
	case FAULT_UNREACHABLE:
	case FAULT_CONNECTION_LOST:
	case FAULT_PACKET_LOSS:
	case FAULT_SSH_BANNER:
	case FAULT_SSH_AUTH: return true;
	default: return false;
	}
}

static struct task *server_of_ref(struct task *t, struct value_ref ref)
{
	struct element *e = world_element(t->run->world, ref);
	struct task *s = e && e->state == ELEMENT_READY ? graph_task(e) : NULL;
	return s && is_server(s) && e->id ? s : NULL;
}

/* The server that a check went to: what its `to`, `on` or `from` says, else the only one that it
 * has met, as where it went to a floating IP. */
static struct task *server_of_check(struct task *t)
{
	static const char *const keys[] = {"to", "on", "from"};
	struct task *only = NULL;
	for (size_t i = 0; t->body.type == VALUE_MAP && i < array_len(keys); i++) {
		const struct value *v = value_field(&t->body, slice_of(keys[i]));
		struct task *s = v && v->type == VALUE_REF ? server_of_ref(t, v->ref) : NULL;
		if (s)
			return s;
	}
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *s = server_of_ref(t, *ref);
		if (s && only && s != only)
			return NULL;
		only = s ? s : only;
	}
	return only;
}

void boot_reached(struct task *t)
{
	struct task *s = verb_reaches(t->step->verb) ? server_of_check(t) : NULL;
	if (s && s->ready_ns >= 0 && !boot_of(s)->guest_ns)
		s->boot->guest_ns = run_now(t->run) - s->ready_ns;
}

static void fail_explained(struct task *t)
{
	struct explaining *x = t->explaining;
	const struct boot *b = x->server->boot;
	t->explaining = NULL;
	if (t->abandoned)
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
	else if (b->cause == BOOT_UNKNOWN)
		task_fail(t, x->fault, "%s", x->why);
	else
		task_fail(t, x->fault, "%s; %s%s%s%s", x->why, boot_cause_text(b->cause),
			b->console ? ": \"" : "", b->console ? b->console : "",
			b->console ? "\"" : "");
	free(x->why);
	free(x);
}

/* What a guest wrote is shown without what could move a terminal's cursor. */
static char *plain_line(struct slice line)
{
	char *text = slice_dup(line);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			*c = ' ';
	return text;
}

static void on_console(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	struct boot *b = t->explaining->server->boot;
	const char *log = json_str(a->json, "output");
	struct slice line;
	t->call = NULL;
	t->run->requests += a->tries;
	if (a->fault == FAULT_NONE && log) {
		b->console_asked = true;
		b->cause = boot_console_cause(slice_of(log), &line);
		if (line.n)
			b->console = plain_line(line);
	}
	fail_explained(t);
}

static void ask_console(struct task *t, const struct task *server)
{
	json_t *body = json_pack("{s:{s:i}}", "os-getConsoleOutput", "length", CONSOLE_LINES);
	char *path = mem_printf("/servers/%s/action", server->element->id);
	const struct cloud_request q = {
		.service = "compute",
		.method = "POST",
		.path = path,
		.microversion = server->step->kind->version,
		.body = body,
		.deadline_ns = CONSOLE_NS,
	};
	t->call = cloud_call(t->run->tools.cloud, &q, on_console, t);
	json_decref(body);
	free(path);
}

bool boot_explain(struct task *t, enum fault fault, const char *why)
{
	char name[128];
	if (!verb_is_check(t->step->verb) || !could_be_guest(fault) || t->run->stopping)
		return false;
	struct task *server = server_of_check(t);
	if (!server)
		return false;
	struct boot *b = boot_of(server);
	if (b->fault == FAULT_NONE) {
		t->blamed = server;
		b->fault = fault;
		b->failed = mem_strdup(task_name(t, name, sizeof(name)));
	}
	t->explaining = mem_new(struct explaining);
	t->explaining->server = server;
	t->explaining->fault = fault;
	t->explaining->why = mem_strdup(why);
	if (b->console_asked)
		fail_explained(t);
	else
		ask_console(t, server);
	return true;
}

/* --- the report ------------------------------------------------------------------------------- */

static void put(json_t *o, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(o, key, json_string(text));
}

/* Of the first volume it was given, where it boots from one. */
static void put_volume(json_t *o, struct task *t)
{
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		const struct element *e = world_element(t->run->world, *ref);
		const struct step *s = e ? t->run->world->steps[e->step].step : NULL;
		if (!s || s->verb != VERB_CREATE || strcmp(s->kind->name, "volume") != 0)
			continue;
		put(o, "volume_type", json_str(e->object, "volume_type"));
		put(o, "image",
			json_str(
				json_object_get(e->object, "volume_image_metadata"), "image_name"));
		return;
	}
}

json_t *boot_json(struct task *t)
{
	const json_t *object = t->element->object;
	if (!is_server(t) || !t->element->id)
		return NULL;
	const struct boot *b = boot_of(t);
	const bool built = t->element->state == ELEMENT_READY;
	json_t *o = json_pack("{s:s, s:o, s:b}", "server", t->element->id, "phases", phases_json(b),
		"good", built && b->fault == FAULT_NONE);
	put(o, "host", json_str(object, "hostId"));
	put(o, "zone", json_str(object, "OS-EXT-AZ:availability_zone"));
	put(o, "flavor", json_str(json_object_get(object, "flavor"), "original_name"));
	put(o, "image", json_str(json_object_get(object, "image"), "id"));
	put_volume(o, t);
	if (b->hosts)
		json_object_set(o, "hosts", b->hosts);
	if (!built || b->fault != FAULT_NONE)
		put(o, "fault", fault_name(built ? b->fault : t->fault));
	put(o, "failed", b->failed);
	if (b->console_asked)
		put(o, "cause", boot_cause_name(b->cause));
	put(o, "console", b->console);
	return o;
}

json_t *boot_blamed(struct task *t)
{
	struct task *server = t->blamed ? t->blamed : t;
	return t->element->state == ELEMENT_FAILED ? boot_json(server) : NULL;
}

void boot_free(struct task *t)
{
	struct boot *b = t->boot;
	if (t->explaining)
		free(t->explaining->why);
	free(t->explaining);
	t->explaining = NULL;
	t->boot = NULL;
	if (!b)
		return;
	json_decref(b->hosts);
	free(b->console);
	free(b->failed);
	b->task = NULL;
	if (b->call)
		cloud_cancel(b->call); /* comes back once more, and frees it */
	else
		free(b);
}

/*
 * run_change.c - the verbs that change or look up what exists: set, server_action, delete, call,
 * find; and their undo.
 *
 * Verbs that act on an object name it with `of` (or, for delete, as the whole body); the target's
 * element learns from every answer, so that later expressions see its newest state.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/runner.h"

#define CHANGE_REQUEST_NS (60 * NS_PER_S)
#define BUSY_EVERY_NS     (1 * NS_PER_S)
#define WAIT_EVERY_NS     (1 * NS_PER_S)

static void result(
	struct task *t, enum fault fault, int status, const char *detail, const json_t *measured)
{
	const struct operation_result r = {
		.fault = fault, .status = status, .detail = detail, .measured = measured};
	task_result(t, &r);
}

static void answer_result(struct task *t, const struct cloud_answer *a, const json_t *measured)
{
	char why[700];
	snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault), a->error.message[0] ? ": " : "",
		a->error.message);
	result(t, a->fault, a->status, why, measured);
}

struct task *change_target(struct task *t)
{
	const struct value *of = &t->body;
	if (of->type == VALUE_MAP)
		of = value_field(&t->body, SLICE("of"));
	if (!of || of->type != VALUE_REF)
		return NULL;
	struct task *other = graph_task(world_element(t->run->world, of->ref));
	return other && other->step->kind ? other : NULL;
}

static json_t *fields_without_of(struct task *t)
{
	json_t *fields = value_json(&t->body);
	json_object_del(fields, "of");
	return fields;
}

/* The path keys of an object that was made, or found (then only its id is known). */
json_t *change_object_path(const struct task *t)
{
	if (t->made.path)
		return json_incref(t->made.path);
	return json_pack("{s:s?}", "id", t->element->id);
}

/* A change has been accepted: done, or waited for when the step has an `until`. */
static void accepted(struct task *t)
{
	if (t->step->until)
		until_look(&t->timer);
	else
		result(t, FAULT_NONE, 0, NULL, NULL);
}

/* --- set -------------------------------------------------------------------------------------- */

static void again(struct timer *timer)
{
	change_begin(timer->arg);
}

/* A refusal because the object is changing just now has no effect and passes by itself. */
static bool busy(struct task *t, const struct cloud_answer *a)
{
	if (a->status != 409 || t->step->must_fail.n || t->abandoned ||
		task_left_ns(t) <= BUSY_EVERY_NS)
		return false;
	run_emit(t->run, RUN_EVENT_WAIT, t, "busy: %s", a->error.message);
	task_pause(t, BUSY_EVERY_NS, again);
	return true;
}

/* Only a refusal tells that nothing has changed; without an answer it may have. */
static void note_change(struct task *t, const struct cloud_answer *a)
{
	t->call = NULL;
	task_note_answer(t, a);
	t->changed |= a->status < 400 || a->status >= 500;
}

static void on_set(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	struct task *of = change_target(t);
	note_change(t, a);
	if (a->fault == FAULT_NONE) {
		t->answer_ns = run_now(t->run);
		json_t *object = kind_answer_object(of->step->kind, of->made.path, a);
		make_learn(of, object);
		json_decref(object);
		accepted(t);
	} else if (!busy(t, a)) {
		answer_result(t, a, NULL);
	}
}

static void send_change(struct task *t, const char *service, const char *version,
	const struct kind_request *q, cloud_done *done)
{
	const struct cloud_request request = {
		.service = service,
		.method = q->method,
		.path = q->path,
		.body = q->body,
		.headers = q->headers,
		.header_count = q->header_count,
		.microversion = version,
		.deadline_ns = t->step->request_ns ? t->step->request_ns : CHANGE_REQUEST_NS,
		.absent_is_good = t->step->verb == VERB_DELETE,
		.purpose = &t->purpose,
	};
	t->call = cloud_call(t->run->tools.cloud, &request, done, t);
}

static void begin_set(struct task *t)
{
	struct task *of = change_target(t);
	struct kind_request q = {0};
	struct error err = {0};
	const struct kind *k = of ? of->step->kind : NULL;
	if (!k || !k->set) {
		result(t, FAULT_EVALUATION, 0,
			k ? "this kind cannot be changed with set"
			  : "`of` must name something made or found",
			NULL);
		return;
	}
	json_t *path = change_object_path(of), *fields = fields_without_of(t);
	const bool good = kind_set_request(k, path, fields, &q, &err);
	json_decref(fields);
	json_decref(path);
	if (!good) {
		result(t, FAULT_EVALUATION, 0, err.msg, NULL);
		return;
	}
	send_change(t, k->service, k->version, &q, on_set);
	kind_request_fini(&q);
}

/* --- server_action ---------------------------------------------------------------------------- */

json_t *change_measured(const struct cloud_answer *a)
{
	json_t *m = json_object();
	char took[UNITS_TEXT];
	json_object_set_new(m, "STATUS", json_integer(a->status));
	json_object_set_new(m, "RESPONSE_TIME",
		json_string(units_time_exact(a->phases.total_ns / NS_PER_US * NS_PER_US, took)));
	json_object_set(m, "BODY", a->json ? a->json : json_null());
	return m;
}

static void on_action(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	note_change(t, a);
	if (a->fault != FAULT_NONE) {
		if (!busy(t, a))
			answer_result(t, a, NULL);
		return;
	}
	t->answer_ns = run_now(t->run);
	json_decref(t->element->measured);
	t->element->measured = change_measured(a);
	accepted(t);
}

static void begin_action(struct task *t)
{
	struct task *of = change_target(t);
	if (!of || !of->element->id) {
		result(t, FAULT_EVALUATION, 0, "`of` must name a server", NULL);
		return;
	}
	struct kind_request q = {.method = mem_strdup("POST"),
		.path = mem_printf("/servers/%s/action", of->element->id),
		.body = fields_without_of(t)};
	send_change(t, "compute", of->step->kind->version, &q, on_action);
	kind_request_fini(&q);
}

/* --- delete: until it is gone ----------------------------------------------------------------- */

static void look_gone(struct timer *timer);

static void is_gone(struct task *t, struct task *of)
{
	of->removed = true;
	if (of->has_made)
		journal_update(t->run->journal, of->made.row, OBJECT_DELETED, NULL, NULL, NULL);
	result(t, FAULT_NONE, 0, NULL, NULL);
}

static void on_gone_look(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	struct task *of = change_target(t);
	t->call = NULL;
	task_note_answer(t, a);
	json_t *path = change_object_path(of);
	const bool gone = kind_answer_gone(of->step->kind, path, a);
	json_decref(path);
	if (gone) {
		is_gone(t, of);
		return;
	}
	if (t->abandoned || !task_left_ns(t)) {
		result(t, FAULT_NOT_GONE, a->status, NULL, NULL);
		return;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "gone");
	task_pause(t, WAIT_EVERY_NS / 2, look_gone);
}

static void look_gone(struct timer *timer)
{
	struct task *t = timer->arg;
	struct task *of = change_target(t);
	struct kind_request q = {0};
	json_t *path = change_object_path(of);
	const bool good = of->step->kind->get &&
			  kind_object_request(of->step->kind, of->step->kind->get, path, &q, NULL);
	json_decref(path);
	if (!good) {
		is_gone(t, of);
		return;
	}
	send_change(t, of->step->kind->service, of->step->kind->version, &q, on_gone_look);
	kind_request_fini(&q);
}

static void on_delete(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (a->fault == FAULT_NONE || a->status == 404) {
		t->answer_ns = run_now(t->run);
		look_gone(&t->timer);
	} else if (!busy(t, a)) {
		answer_result(t, a, NULL);
	}
}

static void begin_delete(struct task *t)
{
	struct task *of = change_target(t);
	struct kind_request q = {0};
	struct error err = {0};
	if (!of || of->step->verb != VERB_CREATE) {
		result(t, FAULT_EVALUATION, 0, "delete takes something this scenario made", NULL);
		return;
	}
	json_t *path = change_object_path(of);
	const bool good =
		kind_object_request(of->step->kind, of->step->kind->remove, path, &q, &err);
	json_decref(path);
	if (!good) {
		result(t, FAULT_EVALUATION, 0, err.msg, NULL);
		return;
	}
	send_change(t, of->step->kind->service, of->step->kind->version, &q, on_delete);
	kind_request_fini(&q);
}

/* --- call ------------------------------------------------------------------------------------- */

static void on_call(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	note_change(t, a);
	t->answer_ns = run_now(t->run);
	json_t *m = change_measured(a);
	json_decref(t->element->measured);
	t->element->measured = json_incref(m);
	if (t->element->object)
		json_decref(t->element->object);
	t->element->object = a->json ? json_deep_copy(a->json) : NULL;
	if (a->fault == FAULT_NONE && t->step->until)
		until_look(&t->timer);
	else
		answer_result(t, a, m);
	json_decref(m);
}

static void begin_call(struct task *t)
{
	json_t *body = value_json(&t->body);
	const char *service = json_str(body, "service"), *path = json_str(body, "path");
	const char *method = json_str(body, "method");
	if (!service || !path) {
		result(t, FAULT_EVALUATION, 0, "call needs service and path", NULL);
		json_decref(body);
		return;
	}
	struct kind_request q = {.method = mem_strdup(method ? method : "GET"),
		.path = mem_strdup(path),
		.body = json_incref(json_object_get(body, "body"))};
	send_change(t, service, json_str(body, "microversion"), &q, on_call);
	kind_request_fini(&q);
	json_decref(body);
}

/* --- find ------------------------------------------------------------------------------------- */

static bool has_fields(const json_t *item, const json_t *fields)
{
	const char *key;
	json_t *want;
	json_object_foreach ((json_t *)fields, key, want) {
		if (!json_equal(json_object_get(item, key), want))
			return false;
	}
	return true;
}

static void on_find(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (a->fault != FAULT_NONE) {
		answer_result(t, a, NULL);
		return;
	}
	json_t *fields = value_json(&t->body), *item;
	const json_t *match = NULL;
	size_t i, n = 0;
	json_array_foreach (items, i, item) {
		if (has_fields(item, fields)) {
			match = item;
			n++;
		}
	}
	char *wanted = json_text(fields);
	json_decref(fields);
	char why[400];
	if (n == 1) {
		t->answer_ns = run_now(t->run);
		make_learn(t, match);
		result(t, FAULT_NONE, 0, NULL, NULL);
	} else {
		snprintf(why, sizeof(why), "%s %s with %.200s exist%s", n ? "several" : "no",
			t->step->kind->name, wanted, n ? ": say more" : "s");
		result(t, n ? FAULT_EVALUATION : FAULT_HTTP_404, 0, why, NULL);
	}
	free(wanted);
}

static void begin_find(struct task *t)
{
	const struct kind *k = t->step->kind;
	const char *path = k->list ? strchr(k->list, ' ') : NULL;
	if (!path) {
		result(t, FAULT_EVALUATION, 0, "this kind cannot be listed", NULL);
		return;
	}
	t->call = cloud_list(t->run->tools.cloud, k->service, path + 1, k->collection, k->version,
		CHANGE_REQUEST_NS, on_find, t);
}

/* --- which ------------------------------------------------------------------------------------ */

void change_begin(struct task *t)
{
	switch (t->step->verb) {
	case VERB_SET: begin_set(t); return;
	case VERB_SERVER_ACTION: begin_action(t); return;
	case VERB_DELETE: begin_delete(t); return;
	case VERB_CALL: begin_call(t); return;
	case VERB_FIND: begin_find(t); return;
	case VERB_WAIT: until_look(&t->timer); return;
	case VERB_CREATE:
	case VERB_GROUP:
	case VERB_PING:
	case VERB_TCP:
	case VERB_HTTP:
	case VERB_SSH:
	case VERB_DNS:
	case VERB_STREAM:
	case VERB_DOWNLOAD:
	case VERB_LIST:
	case VERB_TOKEN:
	case VERB_VALUE:
	case VERB_GUEST:
	case VERB_MESH:
	case VERB_THROUGHPUT:
	case VERB_BENCH:
	case VERB_COUNT: break;
	}
	mem_panic("run_change.c does not do %s", verb_name(t->step));
}

/* --- undo ------------------------------------------------------------------------------------- */

static void on_undone(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	t->run->requests += a->tries;
	if (a->fault != FAULT_NONE)
		run_emit(t->run, RUN_EVENT_LEFT, t, "undo failed: %s: %s", fault_text(a->fault),
			a->error.message);
	remove_step(t);
}

static void on_undone_in_guest(void *arg, const struct check_result *r)
{
	struct task *t = arg;
	t->check = NULL;
	if (r->fault != FAULT_NONE)
		run_emit(t->run, RUN_EVENT_LEFT, t, "undo failed: %s: %s", fault_text(r->fault),
			r->detail);
	remove_step(t);
}

bool change_undo(struct task *t)
{
	if (!t->step->undo || t->undone || !t->changed)
		return false;
	t->undone = true;
	struct error err = {0};
	struct value body = VALUE_NOTHING;
	if (world_body(t->run->world, t->element, t->step->undo, &body, &err) != EXPR_OK) {
		value_drop(&body);
		run_emit(t->run, RUN_EVENT_LEFT, t, "undo failed: %s",
			err.msg[0] ? err.msg : "what it names is not there");
		return false;
	}
	value_drop(&t->body);
	t->body = body;
	if (t->step->verb == VERB_GUEST) {
		t->check = check_start(&t->run->tools, t->run->world, t->element, &t->body,
			check_attempt_ns(VERB_GUEST), on_undone_in_guest, t);
		return true;
	}
	struct task *of = change_target(t);
	struct kind_request q = {0};
	const char *service = NULL, *version = NULL;
	json_t *fields = fields_without_of(t);
	if (t->step->verb == VERB_SET && of && of->step->kind->set) {
		json_t *path = change_object_path(of);
		if (kind_set_request(of->step->kind, path, fields, &q, &err)) {
			service = of->step->kind->service;
			version = of->step->kind->version;
		}
		json_decref(path);
	} else if (t->step->verb == VERB_SERVER_ACTION && of) {
		service = "compute";
		version = of->step->kind->version;
		q.method = mem_strdup("POST");
		q.path = mem_printf("/servers/%s/action", of->element->id);
		q.body = json_incref(fields);
	} else if (t->step->verb == VERB_CALL && json_str(fields, "service") &&
		   json_str(fields, "path")) {
		service = json_str(fields, "service");
		version = json_str(fields, "microversion");
		q.method = mem_strdup(
			json_str(fields, "method") ? json_str(fields, "method") : "POST");
		q.path = mem_strdup(json_str(fields, "path"));
		q.body = json_incref(json_object_get(fields, "body"));
	}
	if (service)
		send_change(t, service, version, &q, on_undone);
	kind_request_fini(&q);
	json_decref(fields);
	return service != NULL;
}

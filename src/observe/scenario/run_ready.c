/*
 * run_ready.c - what answers teach about an object, and waiting until it is ready.
 *
 * Asked quickly at first, so that what is quick is measured well, then slower for what takes
 * minutes. One bad look is not the object's end; a 404 is.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "observe/scenario/maker.h"
#include "observe/scenario/run_boot.h"

/* --- learning from answers -------------------------------------------------------------------- */

void make_extra(struct task *t, const struct kind *k, const char *id, const char *note)
{
	struct made *m = vec_add(&t->extras);
	m->kind = k;
	m->id = mem_strdup(id);
	m->path = json_pack("{s:s}", "id", id);
	const struct journal_object o = {
		.run = t->run->label,
		.step = t->step->name,
		.kind = k->name,
		.index = (unsigned)t->element->index,
		.attempt = 1,
		.cloud_id = id,
		.request_id = t->request_id,
		.path = m->path,
		.fate = OBJECT_CREATED,
		.note = note,
	};
	journal_intend(t->run->journal_run, &o, &m->row, NULL, NULL);
}

static size_t inline_volumes(const struct task *t)
{
	json_t *body = value_json(&t->body), *one;
	size_t i, n = 0;
	json_array_foreach (json_object_get(body, "block_device_mapping_v2"), i, one) {
		const char *to = json_str(one, "destination_type"),
			   *from = json_str(one, "source_type");
		n += to && from && !strcmp(to, "volume") && strcmp(from, "volume") != 0;
	}
	json_decref(body);
	return n;
}

static bool is_extra(const struct task *t, const char *id)
{
	for (size_t i = 0; i < t->extras.n; i++)
		if (t->extras.p[i].id && !strcmp(t->extras.p[i].id, id))
			return true;
	return false;
}

/* Nova makes a volume of its own for a server that boots from an image into one: it has no name and
 * no mark, so it is journalled the moment a server's answer shows its id. */
void make_note_volumes(struct task *t, const json_t *server)
{
	const struct kind *volume = kind_find(t->run->kinds, SLICE("volume"));
	const json_t *attached = json_object_get(server, "os-extended-volumes:volumes_attached");
	json_t *one;
	size_t i;
	if (!volume || !json_array_size(attached))
		return;
	const size_t expected = inline_volumes(t);
	if (!expected || json_array_size(attached) < expected)
		return;
	json_array_foreach (attached, i, one) {
		const char *id = json_str(one, "id");
		if (id && !is_extra(t, id))
			make_extra(t, volume, id, "made by nova for its server");
	}
}

void make_learn(struct task *t, const json_t *object)
{
	struct element *e = t->element;
	if (!object)
		return;
	if (!e->object) {
		e->object = json_deep_copy(object);
	} else {
		/* A later answer may lack what the first one said (a key pair's fingerprint …). */
		json_t *copy = json_deep_copy(object);
		json_object_update(e->object, copy);
		json_decref(copy);
	}
	if (!e->id && t->step->kind) {
		const char *id = kind_id(t->step->kind, e->object);
		e->id = mem_strdup(id);
	}
	if (t->has_made && e->id && t->step->verb == VERB_CREATE) {
		mem_replace(&t->made.id, e->id);
		json_object_set_new(t->made.path, "id", json_string(e->id));
		if (!strcmp(t->step->kind->name, "server") && !t->extras.n)
			make_note_volumes(t, e->object);
	}
	boot_see(t);
}

/* --- waiting for ready ------------------------------------------------------------------------ */

static enum expr_result holds(struct task *t, const struct expr *e, const json_t *object,
	int status, bool *ret, struct error *err)
{
	json_t *measured = json_object();
	json_object_set_new(measured, "STATUS", json_integer(status));
	json_object_set(measured, "BODY", (json_t *)object);
	struct world_scope scope;
	world_scope_init(&scope, t->run->world, t->element, measured);
	struct value v = VALUE_NOTHING;
	enum expr_result r = expr_eval(e, &scope.scope, &v, err);
	*ret = false;
	if (r == EXPR_OK && !value_condition(&v, ret)) {
		error_set(err, ERROR_INPUT, "the condition yields %s, not true or false",
			value_type_name(v.type));
		r = EXPR_ERROR;
	}
	value_drop(&v);
	json_decref(measured);
	return r;
}

/* What a person would want to know of an object that is not ready. */
static void describe(const json_t *object, char *text, size_t n)
{
	static const char *const fields[] = {"status", "provisioning_status", "port_state",
		"OS-EXT-STS:task_state", "OS-EXT-STS:vm_state"};
	text[0] = 0;
	size_t used = 0;
	for (size_t i = 0; i < array_len(fields) && used < n; i++) {
		const char *v = json_str(object, fields[i]);
		const char *colon = strrchr(fields[i], ':');
		if (v)
			used += (size_t)snprintf(text + used, n - used, "%s%s %s", used ? ", " : "",
				colon ? colon + 1 : fields[i], v);
	}
	const char *why = json_str(json_object_get(object, "fault"), "message");
	if (why && used < n)
		snprintf(text + used, n - used, "%s%s", used ? ": " : "", why);
}

void make_ready(struct task *t)
{
	if (t->lost_fault != FAULT_NONE) {
		char took[UNITS_TEXT];
		t->degraded = true;
		free(t->detail);
		t->detail = mem_printf("%s; %s%s", fault_text(t->lost_fault),
			t->unsure.n ? "it never appeared and was made again"
				    : "it was there after ",
			t->unsure.n ? "" : units_time_text(t->answer_ns - t->start_ns, took));
	}
	if (t->step->until)
		until_look(&t->timer);
	else
		make_end(t, FAULT_NONE, 0, NULL);
}

/* --- its parent ------------------------------------------------------------------------------- */

static void look_at_parent(struct timer *timer);

static void on_parent(struct task *t, enum parent_state state, const char *text)
{
	make_heed_parent(t, state, text, make_ready, look_at_parent);
}

/* A part is ready when what it changed takes the next change. */
static void look_at_parent(struct timer *timer)
{
	struct task *t = timer->arg;
	const struct kind *k = t->step->kind;
	const bool is_part = k->lock_of && strcmp(k->name, k->lock_of) != 0;
	if (t->step->ready_now || !is_part || !parent_look(t, k, t->made.path, on_parent))
		make_ready(t);
}

enum fault make_failed_fault(const json_t *object)
{
	const char *why = json_str(json_object_get(object, "fault"), "message");
	return why && strstr(why, "No valid host") ? FAULT_NO_CAPACITY : FAULT_ERROR_STATE;
}

enum stands make_stands(
	struct task *t, const json_t *object, int status, char *text, size_t n, struct error *err)
{
	const struct kind *k = t->step->kind;
	const struct expr *ready = t->step->ready ? t->step->ready : k->ready_expr;
	bool yes = false;
	describe(object, text, n);
	if (k->failed_expr && holds(t, k->failed_expr, object, status, &yes, err) == EXPR_OK && yes)
		return STANDS_FAILED;
	if (!ready || t->step->ready_now)
		return STANDS_READY;
	const enum expr_result r = holds(t, ready, object, status, &yes, err);
	if (r == EXPR_ERROR)
		return STANDS_WRONG;
	return r == EXPR_OK && yes ? STANDS_READY : STANDS_WAITING;
}

/* Whether the object has reached an end; otherwise `text` says where it stands. */
static bool judge_object(struct task *t, const json_t *object, int status, char *text, size_t n)
{
	struct error err = {0};
	switch (make_stands(t, object, status, text, n, &err)) {
	case STANDS_FAILED:
		make_end(t, make_failed_fault(object), status, *text ? text : "the object failed");
		return true;
	case STANDS_WRONG: make_end(t, FAULT_EVALUATION, status, err.msg); return true;
	case STANDS_READY: look_at_parent(&t->timer); return true;
	case STANDS_WAITING: break;
	}
	return false;
}

/* A floating IP gets ACTIVE when a server takes its port, on some clouds: a server that failed is
 * the cause then, and waiting for the time-out would only blame the wrong one, later. */
static bool waits_in_vain(struct task *t)
{
	const char *key = t->step->kind->awaits;
	json_t *body = key ? value_json(&t->body) : NULL;
	const char *id = body ? json_str(body, key) : NULL;
	const struct task *lost = id ? graph_lost_user(t, id) : NULL;
	char name[128];
	json_decref(body);
	if (!lost)
		return false;
	free(t->detail);
	t->detail = mem_printf("%s was to use its %s", task_name(lost, name, sizeof(name)), key);
	return true;
}

void make_poll(
	struct task *t, enum fault fault, const char *state, void (*look)(struct timer *timer))
{
	if (t->abandoned) {
		make_end(t, t->run->stop_fault, 0, NULL);
		return;
	}
	if (waits_in_vain(t)) {
		task_end(t, ELEMENT_SKIPPED);
		return;
	}
	if (!task_left_ns(t)) {
		char why[400], took[UNITS_TEXT];
		snprintf(why, sizeof(why), "not ready after %s%s%s",
			units_time_text(loop_now_ns(t->run->tools.loop) - t->first_start_ns, took),
			*state ? ": " : "", state);
		make_end(t, fault != FAULT_NONE ? fault : FAULT_STUCK, 0, why);
		return;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "%s", state);
	/* Quick at first, so that what is quick is measured well; slower for what takes minutes. */
	const int64_t spent = loop_now_ns(t->run->tools.loop) - t->first_start_ns;
	int64_t every = spent / 20;
	if (every < 200 * NS_PER_MS)
		every = 200 * NS_PER_MS;
	if (every > 2 * NS_PER_S)
		every = 2 * NS_PER_S;
	task_pause(t, every, look);
}

static void on_ready_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (a->fault != FAULT_NONE) {
		char why[600];
		snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
		if (a->status == 404)
			make_end(t, FAULT_VANISHED, 404, why);
		else
			/* one bad look is not the object's end */
			make_poll(t, a->fault, why, make_ask_ready);
		return;
	}
	json_t *object = kind_answer_object(t->step->kind, t->made.path, a);
	char state[400];
	make_learn(t, object);
	if (!judge_object(t, object, a->status, state, sizeof(state)))
		make_poll(t, FAULT_NONE, state, make_ask_ready);
	json_decref(object);
}

void make_ask_ready(struct timer *timer)
{
	struct task *t = timer->arg;
	struct kind_request q = {0};
	struct error err = {0};
	if (!t->step->kind->get) {
		make_ready(t);
		return;
	}
	if (!kind_object_request(t->step->kind, t->step->kind->get, t->made.path, &q, &err)) {
		make_end(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	struct cloud_request request = kind_call(t->step->kind, &q, POLL_REQUEST_NS);
	request.purpose = &t->purpose;
	t->call = cloud_call(t->run->tools.cloud, &request, on_ready_answer, t);
	kind_request_fini(&q);
}

void make_wait_ready(struct task *t)
{
	const struct kind *k = t->step->kind;
	char state[400];
	if (k->answer_partial || (!t->element->object && k->get)) {
		make_ask_ready(&t->timer);
		return;
	}
	if (!judge_object(t, t->element->object, 200, state, sizeof(state)))
		make_poll(t, FAULT_NONE, state, make_ask_ready);
}

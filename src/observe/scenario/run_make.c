/*
 * run_make.c - creating one object so that nothing is ever made unseen.
 *
 * Order: name and mark, journal row (durable), request, answer, journal, ready. An answer that does
 * not prove refusal leaves the create open: run_lost.c looks for what it hides.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/maker.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/run_boot.h"

#define KEY_TYPE "ed25519"

void made_fini(struct made *m)
{
	free(m->id);
	json_decref(m->path);
	memset(m, 0, sizeof(*m));
}

static int64_t request_ns(const struct task *t)
{
	if (t->step->request_ns)
		return t->step->request_ns;
	return t->step->kind->request_ns ? t->step->kind->request_ns : 60 * NS_PER_S;
}

void make_end(struct task *t, enum fault fault, int status, const char *detail)
{
	const struct operation_result r = {
		.fault = fault, .status = status, .detail = detail, .measured = NULL};
	boot_built(t);
	task_result(t, &r);
}

/* --- the create itself ------------------------------------------------------------------------ */

/* What only this answer says, and no page may. */
static void note_secret(struct task *t, const json_t *object)
{
	const char *key = t->step->kind->secret, *text = key ? json_str(object, key) : NULL;
	if (text)
		world_keep_secret(t->run->world, text);
}

void make_is_there(struct task *t, const json_t *object)
{
	char why[200];
	t->in_flight = false;
	t->answer_ns = run_now(t->run);
	note_secret(t, object);
	make_learn(t, object);
	journal_answered(t->run->journal, t->made.row, t->service_request_id);
	journal_update(
		t->run->journal, t->made.row, OBJECT_CREATED, t->made.id, t->made.path, NULL);
	if (t->abandoned) {
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
		return;
	}
	if (!upload_arrived(t, object, why, sizeof(why)))
		make_end(t, FAULT_EXPECTATION, 0, why);
	else if (t->step->upload && t->step->kind->uploads)
		upload_begin(t);
	else
		make_wait_ready(t);
}

static void never_was(struct task *t)
{
	journal_update(t->run->journal, t->made.row, OBJECT_REFUSED, NULL, NULL, NULL);
	made_fini(&t->made);
	t->has_made = false;
	t->in_flight = false;
	json_decref(t->element->object);
	t->element->object = NULL;
	mem_replace(&t->element->id, NULL);
}

/* Whether an answer proves that nothing was made. */
static bool is_refusal(const struct cloud_answer *a)
{
	return !a->sent || (a->status >= 400 && a->status < 500 && a->status != 408);
}

/* --- its parent --------------------------------------------------------------------------------
 */

void make_heed_parent(struct task *t, enum parent_state state, const char *text,
	void (*go_on)(struct task *t), void (*look)(struct timer *timer))
{
	if (t->abandoned)
		make_end(t, t->run->stop_fault, 0, NULL);
	else if (state == PARENT_READY)
		go_on(t);
	else if (state == PARENT_FAILED)
		make_end(t, FAULT_ERROR_STATE, 0, text);
	else if (state == PARENT_GONE)
		make_end(t, FAULT_VANISHED, 404, text);
	else if (!task_left_ns(t))
		make_end(t, FAULT_STUCK, 0, text);
	else {
		run_emit(t->run, RUN_EVENT_WAIT, t, "%s", text);
		task_pause(t, PARENT_EVERY_NS, look);
	}
}

/* --- refused for now -------------------------------------------------------------------------- */

static void look_if_free(struct timer *timer);

static void on_parent(struct task *t, enum parent_state state, const char *text)
{
	make_heed_parent(t, state, text, make_prepare, look_if_free);
}

static void look_if_free(struct timer *timer)
{
	struct task *t = timer->arg;
	json_t *body = value_json(&t->body);
	if (!parent_look(t, t->step->kind, body, on_parent))
		make_prepare(t);
	json_decref(body);
}

/* Somebody else's change is under way: nothing was made, and the next one is a new intent. */
static bool busy(struct task *t, const struct cloud_answer *a)
{
	if (t->step->must_fail.n || t->abandoned || !task_left_ns(t))
		return false;
	run_emit(t->run, RUN_EVENT_WAIT, t, "busy: %s", a->error.message);
	if (t->lost_fault != FAULT_NONE) { /* perhaps by our own, whose answer was lost */
		lost_begin(t, a);
		return true;
	}
	never_was(t);
	t->attempt--;
	task_pause(t, PARENT_EVERY_NS, look_if_free);
	return true;
}

static void on_create_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	const struct kind *k = t->step->kind;
	t->call = NULL;
	task_note_answer(t, a);
	mem_replace(&t->create_request_id, a->service_request_id);
	if (k->several && batch_answered(t, a))
		return;
	json_t *object = kind_answer_object(k, t->made.path, a);
	if (object || (a->fault == FAULT_NONE && !k->wrapper)) {
		make_is_there(t, object);
		json_decref(object);
		return;
	}
	if (t->lost_fault != FAULT_NONE && k->unique == UNIQUE_ADOPT &&
		a->status == k->unique_status) {
		t->finding = true;
		lost_look(&t->timer); /* the conflict proves it: find it and adopt it */
		return;
	}
	if (kind_answer_busy(k, a) && busy(t, a))
		return;
	if (a->fault != FAULT_NONE && is_refusal(a) && t->resent) {
		/* It says nothing of the first time, which may be what it is refused for: a quota
		 * that is full now, an address that is taken, a change that is still under way. */
		t->finding = true;
		lost_look(&t->timer);
		return;
	}
	if (a->fault != FAULT_NONE && is_refusal(a)) {
		char why[700];
		snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
		t->answer_ns = run_now(t->run);
		never_was(t);
		if (t->lost_fault != FAULT_NONE)
			lost_end(t);
		else
			make_end(t, a->fault, a->status, why);
		return;
	}
	lost_begin(t, a);
}

void make_send(struct task *t)
{
	const struct kind *k = t->step->kind;
	struct kind_request q = {0};
	struct error err = {0};
	json_t *body = value_json(&t->body);
	if (k->chosen_id)
		json_object_set_new(body, "id", json_string(t->made.id));
	if (t->element->private_key && !json_object_get(body, "public_key"))
		json_object_set(body, "public_key", json_object_get(t->made.path, "public_key"));
	if (!json_object_get(body, "user") && strstr(k->create, "{user}"))
		json_object_set(body, "user", json_object_get(t->made.path, "user"));
	bool good = kind_create_request(k, body, t->element->name, t->element->mark, &q, &err);
	struct cloud_request request = kind_call(k, &q, request_ns(t));
	good = good && upload_within(t, body, &request, &err);
	json_decref(body);
	if (!good) {
		kind_request_fini(&q);
		never_was(t);
		make_end(t, FAULT_EVALUATION, 0, err.msg);
		return;
	}
	request.purpose = &t->purpose;
	snprintf(request.request_id, sizeof(request.request_id), "%s", t->request_id);
	t->in_flight = true;
	t->call = cloud_call(t->run->tools.cloud, &request, on_create_answer, t);
	kind_request_fini(&q);
}

static void on_intended(void *arg, const struct error *err)
{
	struct task *t = arg;
	t->in_flight = false;
	if (err) { /* without a durable row nothing is sent */
		made_fini(&t->made);
		t->has_made = false;
		make_end(t, FAULT_LOCAL, 0, err->msg);
		return;
	}
	if (t->abandoned) {
		never_was(t);
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
		return;
	}
	make_send(t);
}

/* --- before it -------------------------------------------------------------------------------- */

static bool make_key(struct task *t, const json_t *body, struct error *err)
{
	if (strcmp(t->step->kind->name, "keypair") != 0 || json_object_get(body, "public_key") ||
		t->element->private_key)
		return true;
	char *public_key = NULL;
	if (!ssh_keypair_new(
		    KEY_TYPE, t->element->name, &t->element->private_key, &public_key, err))
		return false;
	json_object_set_new(t->made.path, "public_key", json_string(public_key));
	free(public_key);
	return true;
}

static bool make_name(struct task *t, const json_t *body, struct error *err)
{
	const struct run *r = t->run;
	const struct kind *k = t->step->kind;
	const bool many = t->step->count || t->step->each;
	const char *own = k->name_field ? json_str(body, k->name_field) : NULL;
	if (own && !strstr(own, r->label)) {
		error_at(err, t->step->file, t->step->line, t->step->col,
			"the name of %s is \"%s\" but must contain ${run}, so that its owner can be told",
			t->step->name, own);
		return false;
	}
	free(t->element->name);
	free(t->element->mark);
	t->element->name =
		own ? mem_strdup(own)
		    : mark_name(r->instance, cloud_project_id(r->tools.cloud), k->name, r->label,
			      t->step->name, many, (unsigned)t->element->i, t->attempt);
	t->element->mark = mark_text(
		r->instance, r->label, t->step->name, (unsigned)t->element->i, t->attempt);
	return true;
}

static bool holds_secret(const json_t *text)
{
	char *clean = secret_scrubbed(json_string_value(text));
	const bool holds = strcmp(clean, json_string_value(text)) != 0;
	free(clean);
	return holds;
}

/* The keys the kind's paths need later: everything scalar of the body, which is little. The journal
 * keeps them, so what no page may show is left out. */
static json_t *path_keys(const json_t *body)
{
	json_t *path = json_object();
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)body, key, value) {
		if (json_is_string(value) && json_string_length(value) <= 64 &&
			!secret_name(slice_of(key)) && !holds_secret(value))
			json_object_set(path, key, value);
	}
	return path;
}

/* What the paths need that no body says. */
static void add_known_keys(struct task *t)
{
	const struct kind *k = t->step->kind;
	const struct cloud *c = t->run->tools.cloud;
	json_t *known =
		json_pack("{s:s?, s:s?}", "user", cloud_user_id(c), "project", cloud_project_id(c));
	if (k->name_field)
		json_object_set_new(known, k->name_field, json_string(t->element->name));
	kind_path_learn(k, known, t->made.path);
	json_decref(known);
}

/* The id, where it is known before any answer: then a lost answer is easily looked up. */
static void foresee_id(struct task *t, const json_t *body)
{
	const struct kind *k = t->step->kind;
	char uuid[UUID_TEXT];
	const char *id = k->chosen_id ? random_uuid(t->run->tools.random, uuid)
				      : kind_known_id(k, body, t->element->name);
	if (!id)
		return;
	t->made.id = mem_strdup(id);
	json_object_set_new(t->made.path, "id", json_string(id));
}

void make_prepare(struct task *t)
{
	struct run *r = t->run;
	struct error err = {0};
	t->attempt++;
	t->resent = false;
	json_t *body = value_json(&t->body);
	t->made.kind = t->step->kind;
	t->made.path = path_keys(body);
	t->has_made = true;
	const bool good =
		json_is_object(body) && make_name(t, body, &err) && make_key(t, body, &err);
	if (good) {
		add_known_keys(t);
		foresee_id(t, body);
	}
	json_decref(body);
	if (!good) {
		made_fini(&t->made);
		t->has_made = false;
		make_end(t, FAULT_EVALUATION, 0, err.msg[0] ? err.msg : "the body is not a map");
		return;
	}
	char uuid[UUID_TEXT];
	snprintf(
		t->request_id, sizeof(t->request_id), "req-%s", random_uuid(r->tools.random, uuid));
	const struct journal_object o = {
		.run = r->label,
		.step = t->step->name,
		.kind = t->step->kind->name,
		.index = (unsigned)t->element->index,
		.attempt = t->attempt,
		.name = t->element->name,
		.mark = t->element->mark,
		.cloud_id = t->made.id,
		.request_id = t->request_id,
		.path = t->made.path,
		.fate = OBJECT_INTENT,
	};
	t->in_flight = true;
	journal_intend(r->journal_run, &o, &t->made.row, on_intended, t);
}

void make_new(struct task *t)
{
	t->lost_fault = FAULT_NONE;
	t->lost_until_ns = 0;
	t->finding = false;
	make_prepare(t);
}

void make_begin(struct task *t)
{
	if (t->has_made || !keep_reuses(t))
		make_new(t);
}

void make_abandon(struct task *t)
{
	if (t->state != TASK_DONE && t->in_flight && timer_running(&t->timer)) {
		/* Between two looks: the row stays open for the next sweep. */
		timer_cancel(&t->timer);
		t->abandoned = true;
		t->lost_until_ns = 0;
		lost_give_up(t);
	}
}

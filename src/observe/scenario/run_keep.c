/*
 * run_keep.c - `keep: N`: what is made stays in the cloud and is used again by the next N runs.
 *
 * A kept object is a row of the journal with the fate "kept", whose path keys also hold how many
 * runs have used it and a digest of the body it was made of: another body is another object. Before
 * it is used again it is looked at; what is gone is made anew. The last run of the N removes it, as
 * does any run in which it is not kept any more.
 */

#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "observe/scenario/runner.h"

#define LOOK_NS (30 * NS_PER_S)

/* Names among the path keys that no path of a kind has. */
#define KEY_RUNS "kept_runs"
#define KEY_BODY "kept_body"
#define KEY_USER "kept_user" /* the run that used it last */

/* Of all but the name, which may hold ${run}. */
static void digest_body(const struct task *t, char *ret_hex)
{
	uint8_t hash[SHA256_BYTES];
	json_t *body = value_json(&t->body);
	if (t->step->kind->name_field)
		json_object_del(body, t->step->kind->name_field);
	char *text = json_text(body);
	digest_sha256(text, strlen(text), hash);
	hex_write(hash, sizeof(hash), ret_hex);
	free(text);
	json_decref(body);
}

/* --- finding what an earlier run kept --------------------------------------------------------- */

struct search {
	struct task *t;
	char body[2 * SHA256_BYTES + 1];
	bool found;
};

static bool on_row(void *arg, const struct journal_object *o)
{
	struct search *s = arg;
	struct task *t = s->t;
	const struct run *r = t->run;
	const char *project = cloud_project_id(r->tools.cloud);
	if (o->fate != OBJECT_KEPT || !o->cloud_id || strcmp(o->step, t->step->name) != 0 ||
		strcmp(o->kind, t->step->kind->name) != 0 ||
		o->index != (unsigned)t->element->index ||
		strcmp(o->scenario, r->scenario->name) != 0 ||
		(project && strcmp(o->project, project) != 0))
		return true;
	const char *body = json_str(o->path, KEY_BODY), *user = json_str(o->path, KEY_USER);
	if (journal_run_alive(r->journal, user ? user : o->run))
		return true; /* in use: kept is for the runs after, not for those beside */
	if (s->found || !body || strcmp(body, s->body) != 0) {
		/* Of another time or another body: an open row of a dead run, which is swept. */
		journal_update(r->journal, o->id, OBJECT_CREATED, NULL, NULL,
			"kept once; this scenario asks for something else now");
		return true;
	}
	s->found = true;
	t->made.kind = t->step->kind;
	t->made.row = o->id;
	t->made.id = mem_strdup(o->cloud_id);
	t->made.path = json_deep_copy(o->path);
	json_object_set_new(t->made.path, "id", json_string(o->cloud_id));
	mem_replace(&t->element->name, o->name);
	mem_replace(&t->element->mark, o->mark);
	return true;
}

static void forget(struct task *t)
{
	made_fini(&t->made);
	t->has_made = t->reused = false;
	mem_replace(&t->element->id, NULL);
	json_decref(t->element->object);
	t->element->object = NULL;
}

static void on_looked(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	char why[700];
	t->call = NULL;
	task_note_answer(t, a);
	if (kind_answer_gone(t->step->kind, t->made.path, a)) {
		journal_update(t->run->journal, t->made.row, OBJECT_DELETED, NULL, NULL, NULL);
		forget(t);
		make_new(t);
		return;
	}
	if (a->fault == FAULT_NONE) {
		t->answer_ns = run_now(t->run);
		t->has_made = t->reused = true;
		mem_replace(&t->element->id, t->made.id);
		json_object_set_new(t->made.path, KEY_USER, json_string(t->run->label));
		journal_update(t->run->journal, t->made.row, OBJECT_KEPT, NULL, t->made.path, NULL);
		json_t *object = kind_answer_object(t->step->kind, t->made.path, a);
		make_learn(t, object);
		json_decref(object);
		run_emit(t->run, RUN_EVENT_WAIT, t, "kept by an earlier run");
		make_wait_ready(t);
		return;
	}
	/* It is not known whether it is there: it stays kept, and nothing is made beside it. */
	forget(t);
	snprintf(why, sizeof(why), "looking at what an earlier run kept: %s%s%s",
		fault_text(a->fault), a->error.message[0] ? ": " : "", a->error.message);
	const struct operation_result result = {
		.fault = a->fault, .status = a->status, .detail = why};
	task_result(t, &result);
}

bool keep_reuses(struct task *t)
{
	const struct run *r = t->run;
	const struct kind *k = t->step->kind;
	struct search s = {.t = t};
	struct kind_request q = {0};
	struct error err = {0};
	if (!t->step->keep)
		return false;
	digest_body(t, s.body);
	if (!journal_objects(r->journal, cloud_configuration(r->tools.cloud)->name, r->instance,
		    NULL, true, on_row, &s, &err) ||
		!s.found)
		return false;
	if (!kind_object_request(k, k->get, t->made.path, &q, &err)) {
		forget(t);
		return false;
	}
	struct cloud_request request = kind_call(k, &q, LOOK_NS);
	request.purpose = &t->purpose;
	t->call = cloud_call(r->tools.cloud, &request, on_looked, t);
	kind_request_fini(&q);
	return true;
}

/* --- keeping ---------------------------------------------------------------------------------- */

void keep_ready(struct task *t)
{
	char body[2 * SHA256_BYTES + 1];
	if (!t->step->keep || !t->has_made || !t->made.id || t->step->must_fail.n)
		return;
	const int64_t runs = t->reused ? json_int(t->made.path, KEY_RUNS, 0) + 1 : 0;
	t->made.kept = t->step->keep < 0 || runs < t->step->keep;
	digest_body(t, body);
	json_object_set_new(t->made.path, KEY_RUNS, json_integer(runs));
	json_object_set_new(t->made.path, KEY_BODY, json_string(body));
	journal_update(t->run->journal, t->made.row, t->made.kept ? OBJECT_KEPT : OBJECT_CREATED,
		t->made.id, t->made.path, NULL);
}

/*
 * run_lost.c - a create whose answer was lost: has it happened?
 *
 * Kinds the service does not double are sent again and the conflict is adopted; the others are
 * looked up by name and mark until max(30 s, 3 x the slowest create of that kind so far), and only
 * then tried a second time under a mark of its own, while the first attempt stays unsure in the
 * journal.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/maker.h"

#define LOOK_FOR_NS   (30 * NS_PER_S)
#define LOOK_FIRST_NS (250 * NS_PER_MS)
#define LOOK_EVERY_NS (1 * NS_PER_S)
#define ATTEMPTS_MAX  2

void lost_end(struct task *t)
{
	const enum fault fault = t->lost_fault;
	char *detail = t->lost_detail;
	t->lost_detail = NULL;
	t->in_flight = false;
	make_end(t, fault, t->lost_status, detail);
	free(detail);
}

/* The first attempt was never found: it stays unsure, and a second one is made under its own mark.
 */
void lost_give_up(struct task *t)
{
	journal_update(t->run->journal, t->made.row, OBJECT_UNSURE, NULL, NULL,
		"the answer was lost and the object was never found");
	json_object_set_new(t->made.path, "_name", json_string(t->element->name));
	json_object_set_new(t->made.path, "_mark", json_string(t->element->mark));
	vec_push(&t->unsure, t->made);
	memset(&t->made, 0, sizeof(t->made));
	t->has_made = false;
	t->in_flight = false;
	if (t->abandoned || t->attempt >= ATTEMPTS_MAX || t->step->must_fail.n)
		lost_end(t);
	else
		make_prepare(t);
}

static void several_found(struct task *t, size_t n)
{
	char why[200];
	snprintf(why, sizeof(why),
		"one was made but %zu of that name and mark exist: none is deleted, look at them",
		n);
	journal_update(t->run->journal, t->made.row, OBJECT_UNSURE, NULL, NULL, why);
	made_fini(&t->made);
	t->has_made = false;
	t->in_flight = false;
	make_end(t, FAULT_LOST_ANSWER, 0, why);
}

static void on_found_one(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	const bool gone = kind_answer_gone(t->step->kind, t->made.path, a);
	json_t *object = gone ? NULL : kind_answer_object(t->step->kind, t->made.path, a);
	if (object)
		make_is_there(t, object);
	else if (gone && !t->finding)
		lost_give_up(t);
	else if (loop_now_ns(t->run->tools.loop) < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, lost_look);
	else
		lost_give_up(t);
	json_decref(object);
}

/* It is there, but what only the lost answer said is lost: it has to go, and another one is made.
 */
static void is_worthless(struct task *t, const json_t *object)
{
	const char *id = kind_id(t->step->kind, object);
	t->made.id = mem_strdup(id);
	json_object_set_new(t->made.path, "id", json_string(id));
	journal_update(t->run->journal, t->made.row, OBJECT_CREATED, id, t->made.path,
		"the answer with its secret was lost: another one is made");
	vec_push(&t->unsure, t->made);
	memset(&t->made, 0, sizeof(t->made));
	t->has_made = false;
	t->in_flight = false;
	if (t->abandoned || t->attempt >= ATTEMPTS_MAX || t->step->must_fail.n)
		lost_end(t);
	else
		make_prepare(t);
}

static void on_look(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	const json_t *mine = NULL;
	size_t n = 0, i;
	json_t *item;
	if (a->fault == FAULT_NONE)
		json_array_foreach (items, i, item) {
			if (kind_is(t->step->kind, item, t->element->name, t->element->mark)) {
				mine = item;
				n++;
			}
		}
	if (n && t->step->kind->several && batch_found(t, items))
		return;
	const json_t *inner = kind_unwrap(t->step->kind, mine);
	if (n == 1 && t->step->kind->secret)
		is_worthless(t, inner ? inner : mine);
	else if (n == 1)
		make_is_there(t, inner ? inner : mine);
	else if (n > 1)
		several_found(t, n);
	else if (loop_now_ns(t->run->tools.loop) < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, lost_look);
	else
		lost_give_up(t);
}

/* Asks the cloud whether the create it did not answer has happened. */
void lost_look(struct timer *timer)
{
	struct task *t = timer->arg;
	const struct kind *k = t->step->kind;
	struct kind_request q = {0};
	struct error err = {0};
	const bool by_list = !k->chosen_id && kind_find_request(k, t->made.path, t->element->name,
						      t->element->mark, &q);
	if (by_list) {
		t->call = cloud_list(t->run->tools.cloud, k->service, q.path, k->collection,
			k->version, POLL_REQUEST_NS, on_look, t);
		kind_request_fini(&q);
		return;
	}
	if (!k->get || !kind_object_request(k, k->get, t->made.path, &q, &err)) {
		lost_give_up(t);
		return;
	}
	struct cloud_request request = kind_call(k, &q, POLL_REQUEST_NS);
	request.purpose = &t->purpose;
	t->call = cloud_call(t->run->tools.cloud, &request, on_found_one, t);
	kind_request_fini(&q);
}

static void resend(struct timer *timer)
{
	struct task *t = timer->arg;
	t->resent = true;
	make_send(t);
}

static int64_t slowest_create(const struct run *r, const struct kind *k)
{
	int64_t slowest = 0;
	for (size_t i = 0; i < r->tasks.n; i++) {
		const struct task *t = r->tasks.p[i];
		if (t->step->kind == k && t->answer_ns > t->start_ns && t->start_ns >= 0 &&
			t->answer_ns - t->start_ns > slowest)
			slowest = t->answer_ns - t->start_ns;
	}
	return slowest;
}

void lost_begin(struct task *t, const struct cloud_answer *a)
{
	const struct kind *k = t->step->kind;
	const int64_t now = loop_now_ns(t->run->tools.loop);
	if (t->lost_fault == FAULT_NONE) {
		t->lost_fault = a->status ? a->fault : FAULT_LOST_ANSWER;
		t->lost_status = a->status;
		mem_replace(&t->lost_detail,
			a->error.message[0] ? a->error.message : fault_text(a->fault));
	}
	if (!t->lost_until_ns) {
		int64_t allowed = 3 * slowest_create(t->run, k);
		if (allowed < LOOK_FOR_NS)
			allowed = LOOK_FOR_NS;
		t->lost_until_ns = now + allowed;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "answer lost (%s): looking for it",
		fault_text(a->fault));
	if (k->unique == UNIQUE_ADOPT && now < t->lost_until_ns)
		task_pause(t, LOOK_EVERY_NS, resend);
	else
		task_pause(t, LOOK_FIRST_NS, lost_look);
}

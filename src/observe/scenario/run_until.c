/*
 * run_until.c - `until` and the verb `wait`: a condition over steps, whose objects are read again,
 * one a look and in turn, until it holds.
 */

#include "observe/scenario/runner.h"

#define REREAD_NS     (60 * NS_PER_S)
#define WAIT_EVERY_NS (1 * NS_PER_S)

static void end(struct task *t, enum fault fault, const char *detail)
{
	const struct operation_result r = {.fault = fault, .detail = detail};
	task_result(t, &r);
}

static void until_evaluate(struct task *t);

static void on_reread(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	task_note_answer(t, a);
	if (t->abandoned) {
		end(t, t->run->stop_fault, NULL);
		return;
	}
	until_evaluate(t);
}

/* Which of the objects an until names is read next: one a look, in turn. */
static struct task *next_named(struct task *t)
{
	size_t n = 0;
	struct task *list[16];
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *other = graph_task(world_element(t->run->world, *ref));
		if (other && other != t && other->step->kind && other->step->kind->get &&
			other->element->id && !other->removed && n < array_len(list))
			list[n++] = other;
	}
	return n ? list[t->looks++ % n] : NULL;
}

struct reread {
	struct task *waiter, *read;
};

static void on_named_answer(void *arg, const struct cloud_answer *a)
{
	struct reread *x = arg;
	struct task *t = x->waiter;
	json_t *object = kind_answer_object(x->read->step->kind, x->read->made.path, a);
	make_learn(x->read, object);
	json_decref(object);
	free(x);
	on_reread(t, a);
}

void until_look(struct timer *timer)
{
	struct task *t = timer->arg;
	struct task *read = next_named(t);
	struct kind_request q = {0};
	struct error err = {0};
	if (!read) {
		until_evaluate(t);
		return;
	}
	json_t *path = change_object_path(read);
	const bool good =
		kind_object_request(read->step->kind, read->step->kind->get, path, &q, &err);
	json_decref(path);
	if (!good) {
		end(t, FAULT_EVALUATION, err.msg);
		return;
	}
	struct reread *x = mem_new(struct reread);
	x->waiter = t;
	x->read = read;
	struct cloud_request request = kind_call(read->step->kind, &q, REREAD_NS);
	request.purpose = &t->purpose;
	t->call = cloud_call(t->run->tools.cloud, &request, on_named_answer, x);
	kind_request_fini(&q);
}

static void until_evaluate(struct task *t)
{
	struct world_scope scope;
	struct value v = VALUE_NOTHING;
	struct error err = {0};
	bool holds = false;
	world_scope_init(&scope, t->run->world, t->element, t->element->measured);
	enum expr_result r = expr_eval(t->step->until, &scope.scope, &v, &err);
	if (r == EXPR_OK && !value_condition(&v, &holds)) {
		error_set(&err, ERROR_INPUT, "`until` and `wait` must be true or false, not %s",
			value_type_name(v.type));
		r = EXPR_ERROR;
	}
	value_drop(&v);
	if (r == EXPR_ERROR) {
		end(t, FAULT_EVALUATION, err.msg);
		return;
	}
	if (r == EXPR_OK && holds) {
		t->until_held = true;
		if (verb_is_check(t->step->verb))
			task_measure(t);
		else
			end(t, FAULT_NONE, NULL);
		return;
	}
	struct buf why = BUF(BUF_LINE);
	expr_explain(t->step->until, &scope.scope, &why);
	if (!task_left_ns(t))
		end(t, FAULT_STUCK, buf_str(&why));
	else {
		run_emit(t->run, RUN_EVENT_WAIT, t, "%s", buf_str(&why));
		task_pause(t, t->step->every_ns ? t->step->every_ns : WAIT_EVERY_NS, until_look);
	}
	buf_fini(&why);
}

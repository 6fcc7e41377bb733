/*
 * run_until.c - `until` and the verb `wait`: a condition over steps, whose objects are read again,
 * one a look and in turn, until it holds.
 *
 * An object that is seen to have failed meanwhile ends the wait, as by the row of its kind nothing
 * comes after that; not if the condition asks for such a state, nor if something had failed before:
 * then the step may be there to bring it back.
 */

#include <string.h>

#include "observe/scenario/maker.h"

#define REREAD_NS     (60 * NS_PER_S)
#define WAIT_EVERY_NS (1 * NS_PER_S)
#define NAMED_MAX     16

static void end(struct task *t, enum fault fault, const char *detail)
{
	const struct operation_result r = {.fault = fault, .detail = detail};
	task_result(t, &r);
}

static bool until_evaluate(struct task *t);
static void look_again(struct task *t);

/* The tasks whose objects an until names. */
static size_t named(struct task *t, struct task *list[NAMED_MAX])
{
	size_t n = 0;
	VEC_EACH (&t->element->uses, struct value_ref, ref) {
		struct task *other = graph_task(world_element(t->run->world, *ref));
		if (other && other != t && other->step->kind && other->step->kind->get &&
			other->element->id && !other->removed && n < NAMED_MAX)
			list[n++] = other;
	}
	return n;
}

/* Which of them is read next: one a look, in turn. */
static struct task *next_named(struct task *t)
{
	struct task *list[NAMED_MAX];
	const size_t n = named(t, list);
	return n ? list[t->looks++ % n] : NULL;
}

/* --- what has failed --------------------------------------------------------------------------
 */

static bool has_failed(struct task *of, const json_t *object, char *text, size_t n)
{
	struct error err = {0};
	return object && make_stands(of, object, 200, text, n, &err) == STANDS_FAILED;
}

static bool one_has_failed(struct task *t)
{
	struct task *list[NAMED_MAX];
	char text[400];
	const size_t n = named(t, list);
	for (size_t i = 0; i < n; i++)
		if (has_failed(list[i], list[i]->element->object, text, sizeof(text)))
			return true;
	return false;
}

struct asking {
	struct task *of;
	bool yes;
};

/* Whether the object would have failed if this word were its state. */
static void try_word(void *arg, struct slice word)
{
	struct asking *a = arg;
	json_t *as_if = json_object(), *value = json_stringn(word.p, word.n);
	char text[400];
	const char *key;
	json_t *v;
	json_object_foreach (a->of->element->object, key, v)
		if (json_is_string(v))
			json_object_set(as_if, key, value);
	a->yes = a->yes || has_failed(a->of, as_if, text, sizeof(text));
	json_decref(value);
	json_decref(as_if);
}

static bool asks_for_failure(const struct task *t, struct task *of)
{
	struct asking a = {.of = of};
	expr_texts(t->step->until, try_word, &a);
	return a.yes;
}

/* Whether the object that was just read ends the wait. */
static bool ends_at(struct task *t, struct task *read)
{
	char name[128], text[400];
	const json_t *object = read->element->object;
	if (t->until_hopes || !has_failed(read, object, text, sizeof(text)) ||
		asks_for_failure(t, read))
		return false;
	char *why = mem_printf("%s has failed: %s", task_name(read, name, sizeof(name)), text);
	end(t, make_failed_fault(object), why);
	free(why);
	return true;
}

/* --- looking ----------------------------------------------------------------------------------
 */

struct reread {
	struct task *waiter, *read;
};

static void on_named_answer(void *arg, const struct cloud_answer *a)
{
	struct reread *x = arg;
	struct task *t = x->waiter, *read = x->read;
	json_t *object = kind_answer_object(read->step->kind, read->made.path, a);
	make_learn(read, object);
	free(x);
	t->call = NULL;
	task_note_answer(t, a);
	if (t->abandoned)
		end(t, t->run->stop_fault, NULL);
	else if (!until_evaluate(t) && !(object && ends_at(t, read)))
		look_again(t);
	json_decref(object);
}

void until_look(struct timer *timer)
{
	struct task *t = timer->arg;
	if (!t->looks)
		t->until_hopes = one_has_failed(t);
	struct task *read = next_named(t);
	struct kind_request q = {0};
	struct error err = {0};
	if (!read) {
		if (!until_evaluate(t))
			look_again(t);
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

/* Whether that ended the wait. */
static bool until_evaluate(struct task *t)
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
		return true;
	}
	if (r != EXPR_OK || !holds)
		return false;
	t->until_held = true;
	if (verb_is_check(t->step->verb))
		task_measure(t);
	else
		end(t, FAULT_NONE, NULL);
	return true;
}

static void look_again(struct task *t)
{
	struct world_scope scope;
	struct buf why = BUF(BUF_LINE);
	world_scope_init(&scope, t->run->world, t->element, t->element->measured);
	expr_explain(t->step->until, &scope.scope, &why);
	if (!task_left_ns(t)) {
		end(t, FAULT_STUCK, buf_str(&why));
	} else {
		run_emit(t->run, RUN_EVENT_WAIT, t, "%s", buf_str(&why));
		task_pause(t, t->step->every_ns ? t->step->every_ns : WAIT_EVERY_NS, until_look);
	}
	buf_fini(&why);
}

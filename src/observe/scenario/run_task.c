/*
 * run_task.c - one element's work: attempts and retries, what a result means, what it waits for.
 *
 * Every operation (create, change, check, stream) ends in task_result(), which alone knows
 * must_fail, retry, expect and warn. An element ends once, in task_end().
 */

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "observe/scenario/run_boot.h"

#define STEP_DEFAULT_NS (2 * 60 * NS_PER_S)
#define RETRY_EVERY_NS  (1 * NS_PER_S)

int64_t task_left_ns(const struct task *t)
{
	const int64_t left = t->deadline_mono_ns - loop_now_ns(t->run->tools.loop);
	return left > 0 ? left : 0;
}

void task_pause(struct task *t, int64_t ns, void (*then)(struct timer *t))
{
	timer_start(t->run->tools.loop, &t->timer, ns, then, t);
}

void task_note_answer(struct task *t, const struct cloud_answer *a)
{
	t->run->requests += a->tries;
	if (a->service_request_id[0])
		snprintf(t->service_request_id, sizeof(t->service_request_id), "%s",
			a->service_request_id);
	snprintf(t->request_id, sizeof(t->request_id), "%s", a->request_id);
}

/* --- locks ------------------------------------------------------------------------------------ */

bool lock_take(struct run *r, struct task *t, const char *key)
{
	if (t->holds_lock)
		return true;
	struct lock *l = map_get(&r->locks, key);
	if (!l) {
		l = mem_new(struct lock);
		map_put(&r->locks, key, l);
	}
	if (t->lock != key)
		mem_replace(&t->lock, key);
	if (!l->holder) {
		l->holder = t;
		t->holds_lock = true;
		return true;
	}
	vec_push(&l->queue, t);
	return false;
}

void lock_release(struct run *r, struct task *t)
{
	struct lock *l = t->lock ? map_get(&r->locks, t->lock) : NULL;
	if (!l)
		return;
	if (!t->holds_lock) {
		for (size_t i = 0; i < l->queue.n; i++)
			if (l->queue.p[i] == t) {
				vec_remove(&l->queue, i);
				break;
			}
		return;
	}
	t->holds_lock = false;
	l->holder = NULL;
	if (!l->queue.n)
		return;
	struct task *next = l->queue.p[0];
	vec_remove(&l->queue, 0);
	l->holder = next;
	next->holds_lock = true;
	if (next->removal == REMOVAL_LOCK) {
		next->removal = REMOVAL_SENT;
		remove_step(next);
	} else {
		next->state = TASK_IDLE;
		task_begin(next);
	}
}

/* --- beginning -------------------------------------------------------------------------------- */

static int64_t step_timeout(const struct task *t)
{
	if (t->step->timeout_ns)
		return t->step->timeout_ns;
	if (t->step->verb == VERB_CREATE)
		return t->step->kind->timeout_ns ? t->step->kind->timeout_ns : STEP_DEFAULT_NS;
	const int64_t ns = verb_is_check(t->step->verb) ? check_step_ns(t->step->verb) : 0;
	return ns ? ns : STEP_DEFAULT_NS;
}

static void on_check(void *arg, const struct check_result *c)
{
	struct task *t = arg;
	t->check = NULL;
	t->run->requests += c->requests;
	t->changed |= t->step->verb == VERB_GUEST && !c->unasked;
	const struct operation_result r = {
		.fault = c->fault,
		.detail = c->detail,
		.measured = c->measured,
		.status = (int)json_int(c->measured, "STATUS", 0),
		.unasked = c->unasked,
	};
	task_result(t, &r);
}

void task_measure(struct task *t)
{
	int64_t ns = t->step->request_ns ? t->step->request_ns : check_attempt_ns(t->step->verb);
	const int64_t left = task_left_ns(t);
	if (ns > left)
		ns = left > NS_PER_MS ? left : NS_PER_MS;
	struct check_tools tools = t->run->tools;
	tools.purpose = &t->purpose;
	t->check = check_start(&tools, t->run->world, t->element, &t->body, ns, on_check, t);
}

static void begin_attempt(struct task *t)
{
	t->state = TASK_WORKING;
	t->tries++;
	if (t->tries == 1) {
		stream_sent(t);
		run_emit(t->run, RUN_EVENT_START, t, "%s", verb_name(t->step));
	}
	if (t->step->verb == VERB_CREATE)
		make_begin(t);
	else if (t->step->verb == VERB_STREAM)
		stream_begin(t);
	else if (verb_is_check(t->step->verb) && t->step->until && !t->until_held)
		until_look(&t->timer);
	else if (verb_is_check(t->step->verb))
		task_measure(t);
	else
		change_begin(t);
}

/* Two throughputs to one guest would measure each other. Owned; NULL: none. */
static char *receiver_lock(struct task *t)
{
	const struct value *to = value_field(&t->body, SLICE("to"));
	const struct element *e =
		to && to->type == VALUE_REF ? world_element(t->run->world, to->ref) : NULL;
	return e && e->id ? mem_printf("throughput/%s", e->id) : NULL;
}

/* What making, changing or deleting holds meanwhile; owned, or NULL. A change that waits for more
 * than its answer holds nothing: it may wait for another one's change. */
static char *change_lock(struct task *t)
{
	if (t->step->verb == VERB_THROUGHPUT)
		return receiver_lock(t);
	struct task *of =
		t->step->verb == VERB_DELETE || (t->step->verb == VERB_SET && !t->step->until)
			? change_target(t)
			: NULL;
	if (t->step->verb != VERB_CREATE && !of)
		return NULL;
	json_t *path = of ? change_object_path(of) : value_json(&t->body);
	char *key = task_lock_key(t, of ? of->step->kind : t->step->kind, path);
	json_decref(path);
	return key;
}

void task_begin(struct task *t)
{
	struct run *r = t->run;
	if (t->element->state == ELEMENT_WAITING) {
		t->element->state = ELEMENT_STARTED;
		t->start_ns = run_now(r);
		t->first_start_ns = loop_now_ns(r->tools.loop);
		t->deadline_mono_ns = t->first_start_ns + step_timeout(t);
	}
	char *key = t->holds_lock ? NULL : change_lock(t);
	const bool taken = !key || lock_take(r, t, key);
	if (!taken) {
		t->state = TASK_LOCK;
		run_emit(r, RUN_EVENT_WAIT, t, "another change of %s", key);
	}
	free(key);
	if (!taken)
		return;
	if (!t->tries) { /* standing in our own queue is no part of what is measured */
		t->start_ns = run_now(r);
		t->first_start_ns = loop_now_ns(r->tools.loop);
		t->deadline_mono_ns = t->first_start_ns + step_timeout(t);
	}
	begin_attempt(t);
}

/* --- ending ----------------------------------------------------------------------------------- */

void task_end(struct task *t, enum element_state state)
{
	struct run *r = t->run;
	assert(t->state != TASK_DONE);
	timer_cancel(&t->timer);
	t->state = TASK_DONE;
	t->element->state = state;
	t->in_flight = false;
	if (t->holds_lock)
		lock_release(r, t);
	switch (state) {
	case ELEMENT_READY:
		run_emit(r, t->degraded ? RUN_EVENT_WARN : RUN_EVENT_READY, t, "%s",
			t->detail ? t->detail : "");
		break;
	case ELEMENT_FAILED:
		run_emit(r, RUN_EVENT_FAILED, t, "%s", t->detail ? t->detail : "");
		if (t->step->abort && !r->stopping) {
			r->stopping = true;
			r->stop_fault = FAULT_CANCELLED;
			for (size_t i = 0; i < r->tasks.n; i++)
				if (r->tasks.p[i] != t)
					task_stop(r->tasks.p[i], FAULT_CANCELLED);
		}
		break;
	case ELEMENT_SKIPPED:
		run_emit(r, RUN_EVENT_SKIPPED, t, "%s", t->detail ? t->detail : "");
		break;
	case ELEMENT_ABSENT: run_emit(r, RUN_EVENT_ABSENT, t, "%s", ""); break;
	case ELEMENT_WAITING:
	case ELEMENT_STARTED: assert(!"an end is not a beginning");
	}
	measure_ended(t);
	run_kick(r);
}

void task_ready(struct task *t)
{
	t->ready_ns = run_now(t->run);
	keep_ready(t);
	boot_reached(t);
	task_end(t, ELEMENT_READY);
}

void task_fail(struct task *t, enum fault fault, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	char *detail = mem_vprintf(fmt, ap);
	va_end(ap);
	free(t->detail);
	t->detail = detail;
	t->fault = fault;
	if (t->start_ns < 0)
		t->start_ns = run_now(t->run);
	t->ready_ns = run_now(t->run);
	task_end(t, ELEMENT_FAILED);
}

void task_stop(struct task *t, enum fault why)
{
	if (t->state == TASK_DONE)
		return;
	if (t->in_flight) {
		t->abandoned = true; /* run_make.c ends it once the fate is known */
		return;
	}
	if (t->state == TASK_IDLE && t->element->state == ELEMENT_WAITING) {
		task_end(t, ELEMENT_SKIPPED);
		return;
	}
	if (t->state == TASK_LOCK)
		lock_release(t->run, t);
	timer_cancel(&t->timer);
	if (t->check)
		check_cancel(t->check);
	else if (t->call)
		cloud_cancel(t->call);
	else if (t->stream)
		stream_cancel(t->stream);
	else {
		task_fail(t, why, "%s", fault_text(why));
		return;
	}
	t->abandoned = true; /* the callback ends it */
}

/* --- judging ---------------------------------------------------------------------------------- */

static bool listed(const struct fault_list *l, enum fault fault, int status)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->p[i].status ? l->p[i].status == status : l->p[i].fault == fault)
			return true;
	return false;
}

static void begin_again(struct timer *timer)
{
	begin_attempt(timer->arg);
}

static bool is_hopeless(enum fault fault)
{
	return fault == FAULT_EVALUATION || fault == FAULT_NO_ICMP || fault == FAULT_CANCELLED;
}

/* Whether there is time, and sense, for another attempt of what needs no `retry` to have one. */
static bool may_try_again(const struct task *t, enum fault fault)
{
	return !t->abandoned && !t->run->stopping && !is_hopeless(fault) &&
	       task_left_ns(t) > RETRY_EVERY_NS;
}

/* Whether a failed attempt is followed by another. Creates only when the step says so; checks of
 * their own accord until the step's time is up, since what they look at may still be starting. */
static bool tries_again(const struct task *t, enum fault fault, int status, bool asked)
{
	const struct retry *retry = &t->step->retry;
	if (t->abandoned || t->run->stopping || is_hopeless(fault))
		return false;
	if (retry->set) {
		if (retry->on.n && !listed(&retry->on, fault, status))
			return false;
		if (retry->tries && t->tries >= retry->tries)
			return false;
		const int64_t spent = loop_now_ns(t->run->tools.loop) - t->first_start_ns;
		if (retry->until_ns && spent + retry->every_ns > retry->until_ns)
			return false;
		return retry->until_ns || task_left_ns(t) > retry->every_ns;
	}
	if (verb_works_in_guest(t->step->verb) && asked) /* what was done there is the answer */
		return false;
	return verb_reaches(t->step->verb) && fault != FAULT_EXPECTATION &&
	       fault != FAULT_EXIT_STATUS && !t->step->must_fail.n && may_try_again(t, fault);
}

static void try_again(struct task *t, const char *why)
{
	const struct retry *retry = &t->step->retry;
	run_emit(t->run, RUN_EVENT_WAIT, t, "try %u: %s", t->tries + 1, why);
	task_pause(
		t, retry->set && retry->every_ns ? retry->every_ns : RETRY_EVERY_NS, begin_again);
}

/* Evaluates conditions; OK when all hold. On ERROR `err` says which did not and why. */
static enum expr_result hold_all(struct task *t, const struct condition_list *l, struct error *err)
{
	struct world_scope scope;
	world_scope_init(&scope, t->run->world, t->element, t->element->measured);
	for (size_t i = 0; i < l->n; i++) {
		const struct condition *c = &l->p[i];
		struct value v = VALUE_NOTHING;
		const enum expr_result result = expr_eval(c->expr, &scope.scope, &v, err);
		bool holds = false;
		const bool is_condition = result == EXPR_OK && value_condition(&v, &holds);
		value_drop(&v);
		if (result != EXPR_OK)
			return result;
		if (is_condition && holds)
			continue;
		struct buf why = BUF(BUF_LINE);
		expr_explain(c->expr, &scope.scope, &why);
		error_at(err, t->step->file, c->line, c->col, "expected %s; %s", c->text,
			buf_str(&why));
		buf_fini(&why);
		return EXPR_ERROR;
	}
	return EXPR_OK;
}

static void learn_measured(struct task *t, const json_t *measured)
{
	if (!measured)
		return;
	json_decref(t->element->measured);
	t->element->measured = json_deep_copy(measured);
}

void task_judge(struct task *t)
{
	struct error err = {0};
	enum expr_result result = hold_all(t, &t->step->expect, &err);
	if (result == EXPR_BLOCKED) {
		t->state = TASK_JUDGING;
		return;
	}
	t->state = TASK_WORKING;
	if (result == EXPR_SKIPPED || result == EXPR_ABSENT) {
		task_end(t, ELEMENT_SKIPPED);
		return;
	}
	if (result == EXPR_ERROR) {
		if (tries_again(t, FAULT_EXPECTATION, 0, true))
			try_again(t, err.msg);
		else
			task_fail(t, FAULT_EXPECTATION, "%s", err.msg);
		return;
	}
	memset(&err, 0, sizeof(err));
	if (hold_all(t, &t->step->warn, &err) == EXPR_ERROR) {
		t->degraded = true;
		mem_replace(&t->detail, err.msg);
	}
	task_ready(t);
}

/* must_fail: only the listed faults pass, during the whole of `hold`. */
static void judge_failing(struct task *t, const struct operation_result *r)
{
	if (r->fault == FAULT_NONE) {
		t->failing_since_ns = 0;
		if (t->step->retry.set &&
			tries_again(t, FAULT_UNEXPECTED_SUCCESS, r->status, true)) {
			try_again(t, fault_text(FAULT_UNEXPECTED_SUCCESS));
			return;
		}
		task_fail(t, FAULT_UNEXPECTED_SUCCESS, "%s", fault_text(FAULT_UNEXPECTED_SUCCESS));
		return;
	}
	if (r->unasked && !t->step->retry.set && may_try_again(t, r->fault)) {
		try_again(t, r->detail);
		return;
	}
	if (r->unasked || !listed(&t->step->must_fail, r->fault, r->status)) {
		if (tries_again(t, r->fault, r->status, !r->unasked))
			try_again(t, r->detail ? r->detail : fault_text(r->fault));
		else
			task_fail(t, r->fault, "it had to fail, but otherwise: %s",
				r->detail ? r->detail : fault_text(r->fault));
		return;
	}
	const int64_t now = loop_now_ns(t->run->tools.loop);
	if (!t->failing_since_ns)
		t->failing_since_ns = now;
	const int64_t held = now - t->failing_since_ns;
	if (verb_is_check(t->step->verb) && held < t->step->hold_ns) {
		task_pause(t, RETRY_EVERY_NS / 4, begin_again);
		return;
	}
	learn_measured(t, r->measured);
	mem_replace(&t->detail, r->detail);
	task_ready(t);
}

void task_result(struct task *t, const struct operation_result *r)
{
	if (t->abandoned) {
		task_fail(t, t->run->stop_fault, "%s", fault_text(t->run->stop_fault));
		return;
	}
	if (t->step->must_fail.n) {
		judge_failing(t, r);
		return;
	}
	if (r->fault != FAULT_NONE) {
		const char *why = r->detail && *r->detail ? r->detail : fault_text(r->fault);
		learn_measured(t, r->measured);
		if (tries_again(t, r->fault, r->status, !r->unasked))
			try_again(t, why);
		else if (!boot_explain(t, r->fault, why))
			task_fail(t, r->fault, "%s", why);
		return;
	}
	learn_measured(t, r->measured);
	task_judge(t);
}

void task_free(struct task *t)
{
	stuck_fini(&t->stuck);
	timer_cancel(&t->timer);
	value_drop(&t->body);
	made_fini(&t->made);
	VEC_EACH (&t->unsure, struct made, m) {
		made_fini(m);
	}
	VEC_EACH (&t->extras, struct made, m) {
		made_fini(m);
	}
	vec_fini(&t->unsure);
	vec_fini(&t->extras);
	vec_fini(&t->holds);
	boot_free(t);
	free(t->create_request_id);
	free(t->lost_detail);
	free(t->upload_text);
	free(t->detail);
	free(t->lock);
	free(t);
}

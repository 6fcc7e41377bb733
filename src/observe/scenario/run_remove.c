/*
 * run_remove.c - teardown: the exact reverse of what was built, whatever failed.
 *
 * When an element may be removed is run_order.c's; elements that made nothing are gone at once. A
 * delete is asked again while the cloud says busy, until the budget ends; what is left then stays
 * open in the journal, for the ledger and the next sweep. What dies with its parent (`with`) is
 * only looked at, after the parent has gone.
 */

#include <stdio.h>
#include <string.h>

#include "observe/scenario/runner.h"

#define REMOVE_REQUEST_NS   (60 * NS_PER_S)
#define REMOVE_FIRST_NS     (200 * NS_PER_MS)
#define REMOVE_SLOW_NS      (2 * NS_PER_S)
#define LOOKS_BEFORE_REMOVE 5

bool removal_over(const struct task *t)
{
	return t->removal == REMOVAL_GONE || t->removal == REMOVAL_LEFT;
}

/* --- which object of the task ------------------------------------------------------------------
 */

static struct made *current(struct task *t)
{
	const size_t i = t->remove_next;
	if (i == 0)
		return &t->made;
	if (i <= t->extras.n)
		return &t->extras.p[i - 1];
	if (i <= t->extras.n + t->unsure.n)
		return &t->unsure.p[i - 1 - t->extras.n];
	return NULL;
}

static bool nothing_there(const struct task *t, const struct made *m)
{
	if (m == &t->made)
		return !t->has_made || t->removed || m->kept;
	return false;
}

/* --- one object --------------------------------------------------------------------------------
 */

static void ask_gone(struct timer *timer);
static void ask_remove(struct timer *timer);

static void end_removal(struct task *t, enum removal_state state)
{
	t->removal = state;
	order_over(t);
	if (t->holds_lock)
		lock_release(t->run, t);
	if (t->has_made && !t->removed && t->gone_ns < 0)
		t->gone_ns = run_now(t->run);
	run_kick(t->run);
}

static void next_object(struct task *t)
{
	t->remove_next++;
	t->remove_tries = 0;
	t->remove_asked = false;
	remove_step(t);
}

static void is_gone(struct task *t)
{
	struct made *m = current(t);
	journal_update(t->run->journal, m->row, OBJECT_DELETED, NULL, NULL, NULL);
	if (m == &t->made) {
		t->gone_ns = run_now(t->run);
		run_emit(t->run, RUN_EVENT_REMOVED, t, "%s", "");
	}
	next_object(t);
}

/* What fixes it, for whoever reads the ledger. */
static void leave(struct task *t, enum object_fate fate, const char *why)
{
	struct made *m = current(t);
	char note[900];
	snprintf(note, sizeof(note), "%s %s: %s%s", m->kind->name, m->id ? m->id : "(id unknown)",
		why,
		fate == OBJECT_NEEDS_ADMIN ? "; only an administrator can remove it"
					   : "; `glasshouse sweep` tries again");
	journal_update(t->run->journal, m->row, fate, m->id, m->path, note);
	run_emit(t->run, RUN_EVENT_LEFT, t, "%s", note);
	t->remove_next++;
	t->remove_tries = 0;
	t->remove_asked = false;
	if (current(t))
		remove_step(t);
	else
		end_removal(t, REMOVAL_LEFT);
}

static void call(
	struct task *t, const struct kind *k, const struct kind_request *q, cloud_done *done)
{
	const struct cloud_request request = {
		.service = k->service,
		.method = q->method,
		.path = q->path,
		.body = q->body,
		.microversion = k->version,
		.deadline_ns = REMOVE_REQUEST_NS,
		.absent_is_good = true,
	};
	t->call = cloud_call(t->run->tools.cloud, &request, done, t);
}

static bool out_of_time(const struct task *t)
{
	return t->run->abandon_teardown ||
	       loop_now_ns(t->run->tools.loop) >= t->run->teardown_until_ns;
}

/* Quick for the first tries, as most things go at once. */
static void wait_then(struct task *t, void (*then)(struct timer *t))
{
	int64_t ns = REMOVE_FIRST_NS * (int64_t)++t->remove_tries;
	task_pause(t, ns > REMOVE_SLOW_NS ? REMOVE_SLOW_NS : ns, then);
}

bool remove_says_gone(struct task *t, const struct kind *k, const struct cloud_answer *a)
{
	if (a->status == 404)
		return true;
	if (!k->gone_expr || !a->status)
		return false;
	json_t *m = change_measured(a);
	const json_t *object = kind_unwrap(k, a->json);
	if (object)
		json_object_set(m, "BODY", (json_t *)object);
	struct world_scope scope;
	world_scope_init(&scope, t->run->world, t->element, m);
	struct value v = VALUE_NOTHING;
	struct error err = {0};
	bool yes = false;
	const bool good = expr_eval(k->gone_expr, &scope.scope, &v, &err) == EXPR_OK &&
			  value_condition(&v, &yes);
	value_drop(&v);
	json_decref(m);
	return good && yes;
}

static void on_gone_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	struct made *m = current(t);
	t->call = NULL;
	t->run->requests += a->tries;
	if (remove_says_gone(t, m->kind, a)) {
		is_gone(t);
		return;
	}
	const char *status = json_str(kind_unwrap(m->kind, a->json), "status");
	if (status && strstr(status, "error") && t->remove_asked && t->remove_tries > 3) {
		char why[200];
		snprintf(why, sizeof(why), "its status is %s after the delete", status);
		leave(t, OBJECT_NEEDS_ADMIN, why);
	} else if (out_of_time(t)) {
		leave(t, OBJECT_CREATED, "it was still there when the time for teardown ended");
	} else if (!t->remove_asked && t->remove_tries >= LOOKS_BEFORE_REMOVE) {
		ask_remove(&t->timer); /* its parent did not take it along */
	} else {
		wait_then(t, ask_gone);
	}
}

static void ask_gone(struct timer *timer)
{
	struct task *t = timer->arg;
	struct made *m = current(t);
	struct kind_request q = {0};
	if (!m->kind->get || !kind_object_request(m->kind, m->kind->get, m->path, &q, NULL)) {
		is_gone(t);
		return;
	}
	call(t, m->kind, &q, on_gone_answer);
	kind_request_fini(&q);
}

static void on_remove_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	t->call = NULL;
	t->run->requests += a->tries;
	if (a->status == 404) {
		/* Cinder says so too when it is the service that is missing. */
		if (strstr(a->error.message, "Service") &&
			strstr(a->error.message, "could not be found"))
			leave(t, OBJECT_NEEDS_ADMIN, a->error.message);
		else
			is_gone(t);
		return;
	}
	if (a->fault == FAULT_NONE) {
		t->remove_asked = true;
		t->remove_tries = 0;
		ask_gone(&t->timer);
		return;
	}
	if (out_of_time(t)) {
		char why[700];
		snprintf(why, sizeof(why), "%s%s%s", fault_text(a->fault),
			a->error.message[0] ? ": " : "", a->error.message);
		leave(t, OBJECT_CREATED, why);
		return;
	}
	run_emit(t->run, RUN_EVENT_WAIT, t, "%s: %s", fault_text(a->fault), a->error.message);
	wait_then(t, ask_remove);
}

static void ask_remove(struct timer *timer)
{
	struct task *t = timer->arg;
	struct made *m = current(t);
	struct kind_request q = {0};
	struct error err = {0};
	if (!kind_object_request(m->kind, m->kind->remove, m->path, &q, &err)) {
		leave(t, OBJECT_LEAKED, err.msg);
		return;
	}
	if (t->remove_ns < 0) {
		t->remove_ns = run_now(t->run);
		run_emit(t->run, RUN_EVENT_REMOVING, t, "%s", "");
	}
	call(t, m->kind, &q, on_remove_answer);
	kind_request_fini(&q);
}

/* --- attempts whose answer was lost: once more ---------------------------------------------------
 */

static void on_unsure_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	struct made *m = current(t);
	t->call = NULL;
	t->run->requests += a->tries;
	const char *name = json_str(m->path, "_name"), *mark = json_str(m->path, "_mark");
	const char *id = NULL;
	size_t i, n = 0;
	json_t *item;
	if (a->fault == FAULT_NONE)
		json_array_foreach (items, i, item) {
			if (kind_is(m->kind, item, name, mark)) {
				id = kind_id(m->kind, item);
				n++;
			}
		}
	if (n == 1 && id) {
		m->id = mem_strdup(id);
		json_object_set_new(m->path, "id", json_string(id));
		ask_remove(&t->timer);
	} else {
		next_object(t); /* the row stays unsure: every sweep looks again */
	}
}

static void look_for_unsure(struct task *t, struct made *m)
{
	struct kind_request q = {0};
	const char *name = json_str(m->path, "_name"), *mark = json_str(m->path, "_mark");
	if (m->id) {
		ask_remove(&t->timer);
		return;
	}
	if (!kind_find_request(m->kind, m->path, name, mark, &q)) {
		next_object(t);
		return;
	}
	t->call = cloud_list(t->run->tools.cloud, m->kind->service, q.path, m->kind->collection,
		m->kind->version, REMOVE_REQUEST_NS, on_unsure_list, t);
	kind_request_fini(&q);
}

/* --- one element -------------------------------------------------------------------------------
 */

void remove_step(struct task *t)
{
	struct made *m = current(t);
	if (t->remove_next == 0 && change_undo(t))
		return;
	while (m && nothing_there(t, m)) {
		t->remove_next++;
		m = current(t);
	}
	if (!m) {
		end_removal(t, REMOVAL_GONE);
		return;
	}
	if (m == &t->made && !t->holds_lock) {
		char *key = task_lock_key(t, m->path);
		const bool taken = !key || lock_take(t->run, t, key);
		free(key);
		if (!taken) {
			t->removal = REMOVAL_LOCK;
			return;
		}
	}
	if (t->remove_next > t->extras.n)
		look_for_unsure(t, m);
	else if (t->remove_next > 0 || t->parent)
		ask_gone(&t->timer); /* nova may have taken it along; else its own delete follows */
	else
		ask_remove(&t->timer);
}

void remove_turn(struct run *r)
{
	const int64_t until = loop_now_ns(r->tools.loop) + TURN_NS;
	bool moved = true;
	while (moved) {
		moved = false;
		for (size_t i = r->tasks.n; i-- > 0;) {
			struct task *t = r->tasks.p[i];
			if (t->removal != REMOVAL_NONE || !order_may_remove(t))
				continue;
			if (loop_now_ns(r->tools.loop) > until) {
				run_kick(r);
				return;
			}
			moved = true;
			t->removal = REMOVAL_SENT;
			remove_step(t);
		}
	}
}

bool remove_over(struct run *r)
{
	for (size_t i = 0; i < r->tasks.n; i++)
		if (!removal_over(r->tasks.p[i]))
			return false;
	return true;
}

void remove_give_up(struct run *r)
{
	r->abandon_teardown = true;
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		if (t->removal == REMOVAL_NONE || t->removal == REMOVAL_LOCK) {
			if (t->removal == REMOVAL_LOCK)
				lock_release(r, t);
			t->removal = t->has_made && !t->removed ? REMOVAL_LEFT : REMOVAL_GONE;
			if (t->removal == REMOVAL_LEFT)
				run_emit(r, RUN_EVENT_LEFT, t,
					"teardown was given up; `glasshouse sweep` goes on");
		} else if (t->removal == REMOVAL_SENT && timer_running(&t->timer)) {
			timer_cancel(&t->timer);
			leave(t, OBJECT_CREATED, "teardown was given up");
		} else if (t->call) {
			cloud_cancel(t->call);
		} else if (t->check) { /* an undo in a guest */
			check_cancel(t->check);
		}
	}
}

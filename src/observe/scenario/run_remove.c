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

#include "observe/scenario/leak.h"
#include "observe/scenario/runner.h"

#define REMOVE_REQUEST_NS   (60 * NS_PER_S)
#define REMOVE_LAST_NS      (5 * NS_PER_S)
#define REMOVE_FIRST_NS     (200 * NS_PER_MS)
#define REMOVE_SLOW_NS      (2 * NS_PER_S)
#define LOOKS_BEFORE_REMOVE 5
/* What stays busy is deleted all the same: designate takes that, and who does not says so. */
#define LOOKS_AT_BUSY 20

bool removal_over(const struct task *t)
{
	return t->removal == REMOVAL_GONE || t->removal == REMOVAL_LEFT;
}

/* --- which object of the task ------------------------------------------------------------------
 */

struct made *remove_current(struct task *t)
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
	measure_removed(t);
	run_kick(t->run);
}

static void reset(struct task *t)
{
	t->remove_tries = 0;
	t->remove_asked = false;
	stuck_fini(&t->stuck);
}

static void next_object(struct task *t)
{
	t->remove_next++;
	reset(t);
	remove_step(t);
}

void remove_is_gone(struct task *t)
{
	struct made *m = remove_current(t);
	journal_update(t->run->journal, m->row, OBJECT_DELETED, NULL, NULL, NULL);
	m->gone = true;
	if (m == &t->made) {
		t->gone_ns = run_now(t->run);
		run_emit(t->run, RUN_EVENT_REMOVED, t, "%s", "");
	}
	next_object(t);
}

void remove_left(struct task *t, const char *note)
{
	run_emit(t->run, RUN_EVENT_LEFT, t, "%s", note);
	t->remove_next++;
	reset(t);
	if (remove_current(t))
		remove_step(t);
	else
		end_removal(t, REMOVAL_LEFT);
}

bool remove_is_unsure(const struct task *t)
{
	return t->remove_next > t->extras.n;
}

void remove_stays_unsure(struct task *t)
{
	next_object(t);
}

/* Without a look: nothing more is known of it than that it was there. */
void remove_leave(struct task *t, enum object_fate fate, const char *why)
{
	struct made *m = remove_current(t);
	char note[900];
	snprintf(note, sizeof(note), "%s %s: %s; `glasshouse sweep` tries again", m->kind->name,
		m->id ? m->id : "(id unknown)", why);
	journal_update(t->run->journal, m->row, fate, m->id, m->path, note);
	remove_left(t, note);
}

void remove_call(struct task *t, const struct kind *k, const struct kind_request *q,
	int64_t deadline_ns, cloud_done *done)
{
	/* near the end of the budget only a last look may take longer than what is left of it */
	const int64_t left = t->run->teardown_until_ns - loop_now_ns(t->run->tools.loop);
	if (left < deadline_ns)
		deadline_ns = left > REMOVE_LAST_NS ? left : REMOVE_LAST_NS;
	struct cloud_request request = kind_call(k, q, deadline_ns);
	request.absent_is_good = true;
	request.purpose = &t->purpose;
	t->call = cloud_call(t->run->tools.cloud, &request, done, t);
}

bool remove_out_of_time(const struct task *t)
{
	return t->run->abandon_teardown || t->run->last_looks ||
	       loop_now_ns(t->run->tools.loop) >= t->run->teardown_until_ns;
}

/* Quick for the first tries, as most things go at once. */
static void wait_then(struct task *t, void (*then)(struct timer *t))
{
	int64_t ns = REMOVE_FIRST_NS * (int64_t)++t->remove_tries;
	task_pause(t, ns > REMOVE_SLOW_NS ? REMOVE_SLOW_NS : ns, then);
}

/* What is in an error and may be deleted in it is asked to go once more. */
static void again(struct task *t)
{
	t->remove_asked = false;
	wait_then(t, ask_remove);
}

/* --- is it gone, delete it --------------------------------------------------------------------
 */

static void on_gone_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	struct made *m = remove_current(t);
	t->call = NULL;
	t->run->requests += a->tries;
	if (kind_answer_gone(m->kind, m->path, a)) {
		remove_is_gone(t);
		return;
	}
	stuck_looked(&t->stuck, t->run->journal, m->kind, a);
	if (t->remove_asked && t->remove_tries > 3 && stuck_in_error(a, m->kind)) {
		if (stuck_needs_admin(&t->stuck, m->kind))
			remove_stuck(t, "it went into an error after the delete");
		else if (remove_out_of_time(t))
			remove_explain(t);
		else
			again(t);
	} else if (remove_out_of_time(t)) {
		remove_explain(t);
	} else if (!t->remove_asked && t->remove_tries >= LOOKS_BEFORE_REMOVE) {
		ask_remove(&t->timer); /* its parent did not take it along */
	} else {
		wait_then(t, ask_gone);
	}
}

static void ask_gone(struct timer *timer)
{
	struct task *t = timer->arg;
	struct made *m = remove_current(t);
	struct kind_request q = {0};
	if (!m->kind->get || !kind_object_request(m->kind, m->kind->get, m->path, &q, NULL)) {
		remove_is_gone(t);
		return;
	}
	remove_call(t, m->kind, &q, REMOVE_REQUEST_NS, on_gone_answer);
	kind_request_fini(&q);
}

static void on_leak(void *arg, const char *port, const char *whose)
{
	struct task *t = arg;
	if (port)
		run_emit(t->run, RUN_EVENT_WAIT, t, "deleted port %s: its %s has left it", port,
			whose);
	wait_then(t, ask_remove);
}

static void on_remove_answer(void *arg, const struct cloud_answer *a)
{
	struct task *t = arg;
	const struct made *m = remove_current(t);
	t->call = NULL;
	t->run->requests += a->tries;
	if (a->fault != FAULT_CANCELLED)
		stuck_removed(&t->stuck, a);
	if (stuck_no_service(a)) {
		remove_last_look(t);
	} else if (a->status == 404) {
		remove_is_gone(t);
	} else if (a->fault == FAULT_NONE) {
		t->remove_asked = true;
		t->remove_tries = 0;
		ask_gone(&t->timer);
	} else if (remove_out_of_time(t)) {
		remove_last_look(t);
	} else {
		run_emit(t->run, RUN_EVENT_WAIT, t, "%s: %s", fault_text(a->fault),
			a->error.message);
		if (a->status == 409 && !strcmp(m->kind->name, "subnet"))
			leak_clear(
				t->run->tools.cloud, t->run->journal, m->id, &t->call, on_leak, t);
		else
			wait_then(t, ask_remove);
	}
}

static void send_remove(struct task *t)
{
	struct made *m = remove_current(t);
	struct kind_request q = {0};
	struct error err = {0};
	if (!kind_object_request(m->kind, m->kind->remove, m->path, &q, &err)) {
		remove_leave(t, OBJECT_LEAKED, err.msg);
		return;
	}
	if (t->remove_ns < 0) {
		t->remove_ns = run_now(t->run);
		run_emit(t->run, RUN_EVENT_REMOVING, t, "%s", "");
	}
	remove_call(t, m->kind, &q, REMOVE_REQUEST_NS, on_remove_answer);
	kind_request_fini(&q);
}

static void on_parent(struct task *t, enum parent_state state, const char *text)
{
	if (state == PARENT_BUSY && remove_out_of_time(t)) {
		remove_last_look(t);
	} else if (state != PARENT_BUSY || t->remove_tries >= LOOKS_AT_BUSY) {
		send_remove(t);
	} else {
		run_emit(t->run, RUN_EVENT_WAIT, t, "%s", text);
		wait_then(t, ask_remove);
	}
}

/* What takes one change at a time takes none before the last one is over. */
static void ask_remove(struct timer *timer)
{
	struct task *t = timer->arg;
	const struct made *m = remove_current(t);
	if (!parent_look(t, m->kind, m->path, on_parent))
		send_remove(t);
}

/* --- attempts whose answer was lost: once more ---------------------------------------------------
 */

static void on_unsure_list(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	struct made *m = remove_current(t);
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
		remove_stays_unsure(t);
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
	if (m->kind->several) {
		batch_remove(t);
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
	if (t->remove_next == 0 && change_undo(t))
		return;
	if (t->remove_next == 0)
		batch_before_removal(t);
	struct made *m = remove_current(t);
	while (m && nothing_there(t, m)) {
		t->remove_next++;
		m = remove_current(t);
	}
	if (!m) {
		end_removal(t, REMOVAL_GONE);
		return;
	}
	if (m == &t->made && !t->holds_lock && !t->parent) {
		char *key = task_lock_key(t, m->kind, m->path);
		const bool taken = !key || lock_take(t->run, t, key);
		free(key);
		if (!taken) {
			t->removal = REMOVAL_LOCK;
			return;
		}
	}
	if (remove_is_unsure(t))
		look_for_unsure(t, m);
	else if (m->kind->several)
		batch_remove(t);
	else if ((t->remove_next > 0 && strcmp(m->kind->name, "volume") == 0) || t->parent)
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

/* Of what nothing was asked yet there is nothing to say. */
static void drop_unasked(struct task *t)
{
	if (t->removal == REMOVAL_LOCK)
		lock_release(t->run, t);
	t->removal = t->has_made && !t->removed ? REMOVAL_LEFT : REMOVAL_GONE;
	if (t->removal == REMOVAL_LEFT)
		run_emit(t->run, RUN_EVENT_LEFT, t,
			"teardown was given up; `glasshouse sweep` goes on");
}

void remove_last_looks(struct run *r)
{
	r->last_looks = true;
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		if (t->removal == REMOVAL_NONE || t->removal == REMOVAL_LOCK) {
			drop_unasked(t);
		} else if (t->removal == REMOVAL_SENT && timer_running(&t->timer)) {
			timer_cancel(&t->timer);
			remove_last_look(t);
		}
	}
}

void remove_give_up(struct run *r)
{
	r->abandon_teardown = true;
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		if (t->removal == REMOVAL_NONE || t->removal == REMOVAL_LOCK) {
			drop_unasked(t);
		} else if (t->removal == REMOVAL_SENT && timer_running(&t->timer)) {
			timer_cancel(&t->timer);
			remove_leave(t, OBJECT_CREATED, "teardown was given up");
		} else if (t->call) {
			cloud_cancel(t->call);
		} else if (t->check) { /* an undo in a guest */
			check_cancel(t->check);
		}
	}
}

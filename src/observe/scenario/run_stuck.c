/*
 * run_stuck.c - an object that teardown cannot get rid of: looked at a last time, so that the
 * ledger says why and what to do.
 *
 * Only where the time for teardown ran out does it mean something that the object is still there;
 * where teardown was given up early, nothing is said of it.
 */

#include <stdio.h>

#include "observe/scenario/runner.h"

#define LAST_LOOK_NS (10 * NS_PER_S)

void remove_stuck(struct task *t, const char *why)
{
	struct made *m = remove_current(t);
	if (t->run->abandon_teardown && !t->run->last_looks) {
		remove_leave(t, OBJECT_CREATED, "teardown was given up");
		return;
	}
	const enum object_fate fate = stuck_write(
		&t->stuck, t->run->journal, m->row, m->kind, m->id, m->path, OBJECT_CREATED, why);
	char note[300];
	snprintf(note, sizeof(note), "%s %s: %s%s", m->kind->name, m->id ? m->id : "(id unknown)",
		why,
		fate == OBJECT_NEEDS_ADMIN ? "; it needs an administrator: see `glasshouse ledger`"
					   : "; `glasshouse sweep` tries again");
	remove_left(t, note);
}

static const char *why_it_stays(const struct task *t)
{
	return t->stuck.message           ? t->stuck.message
	       : t->run->abandon_teardown ? "teardown was given up"
					  : "it was still there when the time for teardown ended";
}

static void on_holders(void *arg, const struct cloud_answer *a, json_t *items)
{
	struct task *t = arg;
	t->call = NULL;
	t->run->requests += a->tries;
	if (a->fault == FAULT_NONE)
		stuck_holders(&t->stuck, t->run->journal, items);
	remove_stuck(t, why_it_stays(t));
}

/* Why it stays, when all there is to know of the object itself is known. */
void remove_explain(struct task *t)
{
	struct made *m = remove_current(t);
	struct kind_request q = {0};
	if (t->run->abandon_teardown || !stuck_wants_holders(&t->stuck, m->kind, m->path, &q)) {
		remove_stuck(t, why_it_stays(t));
		return;
	}
	char *collection = stuck_collection(q.path);
	t->call = cloud_list(t->run->tools.cloud, m->kind->service, q.path, collection,
		m->kind->version, LAST_LOOK_NS, on_holders, t);
	free(collection);
	kind_request_fini(&q);
}

static void on_last_look(void *arg, const struct cloud_answer *a)
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
	remove_explain(t);
}

void remove_last_look(struct task *t)
{
	struct made *m = remove_current(t);
	struct kind_request q = {0};
	if (t->run->abandon_teardown || !m->kind->get ||
		!kind_object_request(m->kind, m->kind->get, m->path, &q, NULL)) {
		remove_stuck(t, why_it_stays(t));
		return;
	}
	remove_call(t, m->kind, &q, LAST_LOOK_NS, on_last_look);
	kind_request_fini(&q);
}

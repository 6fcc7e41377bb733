/*
 * sweep.h - finish off what interrupted runs left, and only that.
 *
 * Two proofs: open rows of our journal whose run is dead; and, from a bare machine without it,
 * objects in the cloud whose name carries a valid CHECK or whose mark is of our instance, older
 * than the limit and of no living run; and what hangs on a parent that is ours. Several matches
 * where one was made: none is deleted, the ledger says so. What does not go within 2 min of being
 * asked is looked at: it may need an administrator (stuck.h); such rows are looked at again by each
 * sweep, and closed when somebody has fixed it. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_SWEEP_H
#define OBSERVE_SCENARIO_SWEEP_H

#include "observe/scenario/journal.h"
#include "openstack/cloud.h"
#include "openstack/kind.h"

struct sweep;

struct sweep_options {
	const char *instance;
	int64_t older_ns; /* for what only the cloud tells of; journal rows need no age */
	bool dry_run;
	bool journal_only; /* at the start of a run: only rows of dead runs */
	int64_t budget_ns; /* 0: 10 min */
};

struct sweep_event {
	const char *kind, *id, *name, *run;
	const char *proof; /* "journal", "name", "mark", "parent …" */
	const char *what;  /* "found" "deleting" "deleted" "gone already" "left: …" */
};

struct sweep_report {
	size_t found, deleted, gone, left, unsure; /* left: those for an administrator too */
	size_t needs_admin;
	const struct error *error; /* could not look, or NULL */
};

struct sweep *sweep_start(struct loop *l, struct cloud *c, const struct kinds *k, struct journal *j,
	const struct sweep_options *o, void (*event)(void *arg, const struct sweep_event *e),
	void (*done)(void *arg, const struct sweep_report *r), void *arg);
void sweep_cancel(struct sweep *s);
void sweep_free(struct sweep *s);

#endif

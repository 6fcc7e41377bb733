/*
 * journal.h - the durable record of what a run is about to make, made and unmade.
 *
 * A row stands in facts.db before the create request is sent (intent) and is completed after. Every
 * object ends as deleted, or stays visible in the ledger: leaked, unsure, needs an administrator.
 * One process owns a run while it holds the run's lock file (flock), which the kernel drops with
 * the process: a run whose lock is free is dead, and its open rows are to be finished off.
 * Thread: the loop's; rows are written on the facts thread.
 */
#ifndef OBSERVE_SCENARIO_JOURNAL_H
#define OBSERVE_SCENARIO_JOURNAL_H

#include "base/error.h"
#include "base/json.h"

enum object_fate {
	OBJECT_INTENT,  /* about to be sent, or sent and no answer known */
	OBJECT_CREATED, /* exists as far as we know */
	OBJECT_DELETED, /* gone, seen with our own eyes */
	OBJECT_REFUSED, /* the service refused: it never existed */
	OBJECT_LEAKED,  /* the cloud left it behind and we may not or could not delete it */
	OBJECT_UNSURE,  /* answer lost and never found; every sweep looks again */
	OBJECT_NEEDS_ADMIN,
	OBJECT_KEPT, /* `keep`: reused by next runs */
};

struct facts; /* store/facts.h */
struct journal;
struct journal_run;

struct journal_object {
	int64_t id; /* when read */
	const char *run, *step, *kind;
	unsigned index, attempt;
	const char *name, *mark;        /* may be NULL */
	const char *cloud_id;           /* NULL until known (image: chosen before) */
	const char *request_id;         /* ours, of its create */
	const char *service_request_id; /* the service's; when read, NULL until answered */
	const json_t *path; /* keys the kind's paths need: {"router": "…", "subnet_id": "…"} */
	enum object_fate fate;
	const char *note; /* for people: why, which command fixes it; may be NULL */
	int64_t created_unix_us, changed_unix_us;
	int64_t admin_unix_us; /* when read: since when it needs an administrator, or 0 */
	const char *fix;       /* when read: what the administrator types, or NULL */
	const json_t *seen;    /* when read: see journal_seen_json(), or NULL */
	const char *cloud, *project, *instance, *scenario; /* of its run, when read */
};

/* Borrows facts. Registers its tables. `dir` is the state directory (for the lock files). */
struct journal *journal_new(struct facts *f, const char *dir, struct error *err) must_check;
void journal_free(struct journal *j);
struct facts *journal_facts(const struct journal *j); /* borrowed */

/* Takes the lock and writes the run's row; done after it is durable. */
struct journal_run *journal_run_begin(struct journal *j, const char *run, const char *scenario,
	const char *cloud, const char *project, const char *instance,
	void (*done)(void *arg, const struct error *err), void *arg);

struct journal_result { /* all borrowed; what is not known is NULL */
	const char *verdict;
	const json_t *summary; /* kept for ever, for lists of runs */
	const char *report;    /* JSON, kept as long as journal_forget_reports() lets it */
};

/* Writes result and end, drops the lock; done after it is durable. Frees the handle. */
void journal_run_end(struct journal_run *r, const struct journal_result *result,
	void (*done)(void *arg, const struct error *err), void *arg);
/* Runs of this cloud and instance that have no end and no living process get one: verdict
 * "unknown". What they left is not touched. Not waited for. */
void journal_bury(struct journal *j, const char *cloud, const char *instance);
/* Takes away the reports of runs that began before; the runs stay. Not waited for. */
void journal_forget_reports(struct journal *j, int64_t before_unix_us);

/* Writes the intent; done when it is durable (then the request may be sent), or with the error
 * (then it must not be). Copies o; *ret_id (set at once, not through o->id) names the row from
 * then on. done may be NULL: not waited for. */
void journal_intend(struct journal_run *r, const struct journal_object *o, int64_t *ret_id,
	void (*done)(void *arg, const struct error *err), void *arg);
/* Later knowledge; not waited for. cloud_id and note NULL: unchanged. */
void journal_update(struct journal *j, int64_t id, enum object_fate fate, const char *cloud_id,
	const json_t *path, const char *note);
/* What is known of an object that does not go, as last looked at; all borrowed, unknown is NULL. */
struct journal_seen {
	const char *state;   /* of the object: "error_deleting" */
	const char *holder;  /* id of what holds it */
	const char *service; /* that was asked to delete it, */
	int status;          /* and how it answered; 0: not */
	const char *message;
	const char *request_id, *service_request_id; /* of that request */
	const char *fix;                             /* see kind_fix() */
};
/* journal_update() with what was seen. The row that comes to need an administrator, and the one
 * that no longer does, is a row `object` of the change feed too, by its id. */
void journal_stuck(struct journal *j, int64_t id, enum object_fate fate, const char *cloud_id,
	const json_t *path, const char *note, const struct journal_seen *seen);
/* The service's request id of its create. Not waited for. */
void journal_answered(struct journal *j, int64_t id, const char *service_request_id);
/* Waits until everything written so far is durable. */
void journal_flush(struct journal *j, void (*done)(void *arg, const struct error *err), void *arg);

/* Whether a run's lock is held by a living process on this machine. */
bool journal_run_alive(struct journal *j, const char *run);
const char *object_fate_name(enum object_fate f);
/* Reads rows, newest first; `open_only`: not DELETED and not REFUSED. NULL filters match all.
 * cb's pointers are borrowed for the call; returning false ends it. Synchronous. */
bool journal_objects(struct journal *j, const char *cloud, const char *instance, const char *run,
	bool open_only, bool (*cb)(void *arg, const struct journal_object *o), void *arg,
	struct error *err) must_check;

/* Whether an object of that cloud's id is an open row: then somebody of ours answers for it. */
bool journal_holds(struct journal *j, const char *cloud_id);
/* Whether that was made by a run of ours, be it gone or not; false where it cannot be read. */
bool journal_made(struct journal *j, const char *cloud_id);

/* --- the ledger: for people, so open rows come first, those for an administrator before all ----
 */

struct journal_filter {
	const char *cloud, *instance, *run; /* NULL: all */
	int fate;                           /* -1: all */
	bool open_only;
	size_t offset, limit; /* 0: all */
};
bool journal_ledger(struct facts *f, const struct journal_filter *filter,
	bool (*cb)(void *arg, const struct journal_object *o), void *arg,
	struct error *err) must_check;

/* What was made and what became of it. created is the sum of all others. */
struct journal_totals {
	int64_t created;
	int64_t deleted, kept, leaked, unsure, needs_admin;
	int64_t in_use; /* of runs that have not ended */
	int64_t left;   /* of runs that have: the next sweep takes them */
};
/* Of cloud, instance, run and nothing else of the filter. `alive` NULL: a run that has no end is
 * under way. */
bool journal_totals(struct facts *f, const struct journal_filter *filter,
	bool (*alive)(void *arg, const char *run), void *arg, struct journal_totals *ret,
	struct error *err) must_check;
/* One row of the ledger as `glasshouse ledger --json` and /api/ops/v1/ledger.json have it. Owned.
 */
json_t *journal_object_json(const struct journal_object *o);
json_t *journal_totals_json(const struct journal_totals *t);
/* By its name; false: there is none. */
bool object_fate_parse(struct slice name, enum object_fate *ret);
/* The row of that id; cb is not called when there is none. */
bool journal_object(struct facts *f, int64_t id,
	bool (*cb)(void *arg, const struct journal_object *o), void *arg,
	struct error *err) must_check;

/* A run as it is read. */
struct journal_run_row {
	const char *run, *scenario, *cloud, *project, *instance;
	int64_t began_unix_us, ended_unix_us; /* ended: 0 while it is under way */
	const char *verdict;                  /* NULL while it is under way */
	const char *summary;                  /* JSON of run_json_summary(); NULL: none */
	const char *report; /* JSON as `glasshouse try --json` prints it; of journal_run() only */
};

/* At most `limit` runs, newest first, those under way too; NULL filters match all. As above. */
bool journal_runs(struct facts *f, const char *scenario, const char *cloud, size_t limit,
	bool (*cb)(void *arg, const struct journal_run_row *row), void *arg,
	struct error *err) must_check;
/* One run with its report (NULL: forgotten, or under way); cb is not called when there is none. */
bool journal_run(struct facts *f, const char *run,
	void (*cb)(void *arg, const struct journal_run_row *row), void *arg,
	struct error *err) must_check;

#endif

/*
 * run.h - one run of a scenario: everything as early as its needs allow, then everything undone in
 * exact reverse, whatever failed.
 *
 * The runner owns the promise of SCENARIOS.md section 2: a journal row before each create, lost
 * answers looked up before they are tried again, only what is proved ours deleted, unaccounted
 * objects 0. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_RUN_H
#define OBSERVE_SCENARIO_RUN_H

#include "observe/scenario/check.h"
#include "observe/scenario/journal.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/world.h"
#include "store/measure.h"

struct run;

enum run_verdict { VERDICT_PASSED, VERDICT_DEGRADED, VERDICT_FAILED, VERDICT_UNKNOWN };

enum run_phase { RUN_BUILDING, RUN_TEARDOWN, RUN_ENDED };

/* What happened to an element, for trees, lines and JSON. Pointers are borrowed. */
enum run_event_type {
	RUN_EVENT_PHASE,  /* phase changed */
	RUN_EVENT_PICKED, /* what an `auto` parameter became, and why */
	RUN_EVENT_START,  /* element began: detail is what it does */
	RUN_EVENT_WAIT,   /* detail: what it waits for ("status BUILD", "3rd try", "lock of router")
			   */
	RUN_EVENT_READY,
	RUN_EVENT_WARN, /* ready, but a `warn` condition was not met */
	RUN_EVENT_FAILED,
	RUN_EVENT_SKIPPED,
	RUN_EVENT_ABSENT,
	RUN_EVENT_REMOVING,
	RUN_EVENT_REMOVED,
	RUN_EVENT_LEFT, /* could not be removed: detail says why and what to do */
	RUN_EVENT_HELD, /* built or broken, it stays: until run_stop(), or its time is over */
};

struct run_event {
	enum run_event_type type;
	enum run_phase phase;
	int64_t at_ns;                 /* since the run began */
	const struct element *element; /* NULL for PHASE and PICKED */
	size_t row;                    /* of an element: its place in the report */
	const char *name;              /* "server[1]" */
	enum fault fault;
	const char *detail;
};

/* One line of the waterfall; kept by the run until it is freed. */
struct run_row {
	char *name;
	enum verb verb;
	const char *kind; /* NULL for checks */
	char *component;  /* "": nobody's */
	char *metric;
	enum element_state state;
	enum fault fault;
	bool degraded;
	bool first_cause; /* failed by itself, not because of another */
	enum grade grade;
	char *detail;
	char *request_id; /* of its create or last call */
	char *service_request_id;
	int64_t needed_ns;                     /* when the last thing it needed became ready */
	int64_t start_ns, answer_ns, ready_ns; /* since the run began; -1: never */
	int64_t remove_ns, gone_ns;
	int critical; /* index of the row it waited for last, or -1: follow for the critical path */
	bool on_critical_path;
	json_t *measured;   /* or NULL */
	json_t *dimensions; /* {"zone": "az1"}, or NULL */
	json_t *boot;       /* of a server: run_boot.h has its form; else NULL */
	json_t *blamed;     /* the same, of the server that a failure is due to; or NULL */
};

struct run_report {
	enum run_verdict verdict;
	char label[RUN_LABEL_TEXT];
	const struct run_row *rows;
	size_t row_count;
	int64_t built_ns, ended_ns;
	/* Objects; created is the sum of the others and of what is kept. left = leaked + unsure +
	 * needs admin + what a sweep takes */
	size_t created, deleted, left;
	size_t requests;
	double server_minutes; /* servers x minutes from the answer to their create to their end */
	int64_t began_unix_us; /* by the loop's clock */
	bool stopped;          /* run_stop() came before it was built: it proves nothing */
	const struct error *error; /* could not run (verdict UNKNOWN), or NULL */
	enum fault fault;          /* of the error: whose it is */
	const char *component;     /* of the error: of the service that was asked, or "" */
};

/* Whether it stays after building, before teardown. */
enum run_hold { HOLD_NEVER, HOLD_ALWAYS, HOLD_ON_FAILURE };

struct run_options {
	const char *instance; /* required */
	const char *location;
	const json_t *params;
	enum run_hold hold;
	int64_t hold_ns;                                     /* at most; 0: until run_stop() */
	void (*event)(void *arg, const struct run_event *e); /* may be NULL */
	void *event_arg;
	const char *called;       /* the scenario in what is measured; NULL: its name; copied */
	measure_signal *measured; /* waits, checks, benches and the run as they end; may be NULL */
	void *measured_arg;
};

/*
 * Picks what is `auto`, reads zones, checks the quota, then runs. Never fails here: what cannot
 * start ends in a report with `error`. Borrows everything but options (copied). done is called
 * once; the report is valid until run_free().
 */
struct run *run_start(const struct check_tools *tools, struct journal *journal,
	const struct scenario *scenario, const struct kinds *kinds,
	const struct run_options *options, void (*done)(void *arg, const struct run_report *report),
	void *arg);
/* Go to teardown now (SIGINT, SIGTERM). A second call gives up teardown: what is left stays in the
 * journal for the next sweep. */
void run_stop(struct run *r);
void run_free(struct run *r);
/*
 * What the report will say of an element that is READY or FAILED, as soon as it is: its result and
 * its times are final then, as all tries are over; what another one's failure leaves undone is
 * SKIPPED and none of these. Only its removal, and what its server's boot has still to show, may
 * follow, and teardown ends no element. A report of that one row, and of the run's own facts only
 * label, beginning and `stopped`; valid until the next call, in this turn of the loop. NULL: the
 * whole report is being made, and comes with `done`.
 */
const struct run_report *run_step(struct run *r, size_t row);
/* The waits that are open now, each with its time so far. */
void run_open_waits(const struct run *r, measure_signal *cb, void *arg);

/* How to log in to a server of it; all borrowed. */
struct run_login {
	const char *name; /* "server[0]" */
	const struct ssh_host *target, *via;
	size_t via_count;
};
/* Of a run that is held: each server that has a `login` and can be logged in to. */
void run_logins(struct run *r, void (*cb)(void *arg, const struct run_login *login), void *arg);
const char *run_label(const struct run *r); /* borrowed */

const char *verdict_name(enum run_verdict v);
/* Of the run as a whole: its first cause's; what could not run at all has its error's. */
enum fault run_fault(const struct run_report *r);

#endif

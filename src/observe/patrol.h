/*
 * patrol.h - scenarios on the schedule: runs that come again and again, each a world of its own.
 *
 * A run in teardown does not hold back the next; one that still builds does. At most 3 worlds of
 * one scenario are open, then the schedule skips and says so. All runs of one cloud share its
 * session, and so its inflight and compute limits. Before the first run what dead runs left is
 * swept (journal rows of this instance; once a cloud, whoever comes first), and again every hour
 * with the cloud's own evidence, older than 2 h. Reports older than 90 days are forgotten. Every
 * run is recorded: samples in the series, its whole report in the journal (page /runs/ID),
 * observations for the judge: only first causes, a step that passed counts as good for its
 * component, what could not run is told with its fault (ours, configuration, quota). A run that
 * would pass a budget is not begun: that is told as what could not run, with the fault `budget`.
 *
 * A step's sample and observation come soon after it has ended, while its run goes on, is held or
 * torn down, in the order in which steps end, once for each run (patrol_seen.c says what waits).
 * Boots, and the run as a whole, come at its end. Of a run that we stopped what had ended by itself
 * stands, since it was seen whole, and of the rest and of the run nothing is told. A run that was
 * killed is swept, never continued: what it told stands, and nothing of it comes again. Thread: the
 * loop's.
 */
#ifndef OBSERVE_PATROL_H
#define OBSERVE_PATROL_H

#include "observe/budget.h"
#include "observe/scenario/run.h"
#include "observe/schedule.h"
#include "store/observation.h"
#include "store/series.h"

#define PATROL_OPEN_MAX 3

struct patrol; /* one scenario of one cloud at one rate */

struct patrol_options {
	const char
		*name; /* what schedule, series and pages call it, unique; NULL: the scenario's */
	const char *instance, *location;
	const char *component_prefix; /* see endpoint.h */
	int64_t every_ns;             /* 0: 10 min */
	int64_t runs;                 /* then no more; 0: no end */
	int64_t hold_ns; /* a world that failed stays so long, beside the next runs; 0: not */
	struct budget budget, cloud_budget; /* of this scenario, of all in the cloud */
	struct cost bill;                   /* of a run, as long as none has passed: at most */
	const json_t *params;               /* copied */
	measure_signal *measured;           /* see run.h; may be NULL */
	void *measured_arg;
};

/* What a run did, when it ended or could not start (report->error, its component and fault); the
 * report is borrowed. It may stop the patrol, but not free it. */
typedef void patrol_ended(void *arg, struct patrol *p, const struct run_report *report);
/* Something for the operator that is no run: skipped, swept, journal trouble. */
typedef void patrol_told(void *arg, struct patrol *p, const char *what);

/* A world that failed is held; `run` for run_logins(), until the end of that run. */
typedef void patrol_held(void *arg, struct patrol *p, struct run *run, const char *how_long);

/* Borrows tools, journal, scenario, kinds, series (NULL: nothing is stored) for its life; copies
 * options. The first run comes soon. */
struct patrol *patrol_new(struct schedule *s, const struct check_tools *tools,
	struct journal *journal, const struct scenario *scenario, const struct kinds *kinds,
	struct series_store *series, const struct patrol_options *options, observation_signal *seen,
	patrol_ended *ended, patrol_told *told, void *arg);
/* No new runs; those under way go to teardown now. `done` once all worlds are closed; with
 * `budget_ns` passed before that they are given up, and stay in the journal for the next start. */
void patrol_stop(struct patrol *p, int64_t budget_ns, void (*done)(void *arg), void *arg);
/* Stopped, or with nothing under way; else gives up now and turns the loop until all has ended.
 * Never from inside a callback. */
void patrol_free(struct patrol *p);
void patrol_on_held(struct patrol *p, patrol_held *held); /* with the patrol's arg */
bool patrol_is_over(const struct patrol *p); /* its `runs` are all over, none will follow */
size_t patrol_open(const struct patrol *p);  /* worlds open */
/* The waits that are open in them, each with its time so far. */
void patrol_open_waits(const struct patrol *p, measure_signal *cb, void *arg);
const char *patrol_name(const struct patrol *p);
const struct scenario *patrol_scenario(const struct patrol *p);

#endif

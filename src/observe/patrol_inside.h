/*
 * patrol_inside.h - the inside of patrols, shared by the patrol*.c files, and by tests that put
 * hands of their own in the place of runs and sweeps.
 */
#ifndef OBSERVE_PATROL_INSIDE_H
#define OBSERVE_PATROL_INSIDE_H

#include "base/vec.h"
#include "observe/patrol.h"
#include "observe/scenario/sweep.h"

#define SWEEP_EVERY_NS (60 * 60 * NS_PER_S)
#define SWEEP_OLDER_NS (2 * 60 * 60 * NS_PER_S)
#define REPORT_DAYS    90

/* What a patrol does its work with: run.h, sweep.h and journal.h. */
struct patrol_hands {
	struct run *(*run)(const struct check_tools *tools, struct journal *journal,
		const struct scenario *scenario, const struct kinds *kinds,
		const struct run_options *options,
		void (*done)(void *arg, const struct run_report *report), void *arg);
	const struct run_report *(*step)(struct run *r, size_t row);
	void (*run_stop)(struct run *r);
	void (*run_free)(struct run *r);
	void (*open_waits)(const struct run *r, measure_signal *cb, void *arg);
	struct sweep *(*sweep)(struct loop *l, struct cloud *c, const struct kinds *k,
		struct journal *j, const struct sweep_options *o,
		void (*event)(void *arg, const struct sweep_event *e),
		void (*done)(void *arg, const struct sweep_report *r), void *arg);
	void (*sweep_cancel)(struct sweep *s);
	void (*sweep_free)(struct sweep *s);
	void (*bury)(struct journal *j, const char *cloud, const char *instance);
	void (*forget_reports)(struct journal *j, int64_t before_unix_us);
	const char *(*cloud_name)(const struct cloud *c);
	const char *(*region)(const struct cloud *c); /* may be NULL */
};
extern const struct patrol_hands patrol_hands;

/* patrol_new() with other hands; borrows them. */
struct patrol *patrol_new_with(const struct patrol_hands *hands, struct schedule *s,
	const struct check_tools *tools, struct journal *journal, const struct scenario *scenario,
	const struct kinds *kinds, struct series_store *series,
	const struct patrol_options *options, observation_signal *seen, patrol_ended *ended,
	patrol_told *told, void *arg);

struct recording;

/* One run of a patrol, from its time to the end of its teardown. */
struct round {
	struct patrol *patrol;
	struct run *run; /* NULL: waits for the first sweep */
	struct recording
		*recording; /* of what it says; NULL: it does not say anything yet, or any more */
	bool built;         /* the place is free for the next */
	bool held;          /* waits for its time, or to be told to go on */
	/* The run has told its end: it is being recorded. */
	const struct run_report *over;
	struct timer last; /* then all is told */
};

struct cleaning;

struct patrol {
	const struct patrol_hands *hands;
	struct schedule *schedule;
	struct loop *loop;
	const struct check_tools *tools;
	struct journal *journal;
	const struct scenario *scenario;
	const struct kinds *kinds;
	struct series_store *series;
	char *name, *instance, *location, *component_prefix;
	json_t *params;
	int64_t runs, begun, hold_ns;
	struct budget per_hour, cloud_per_hour;
	struct cost bill;
	patrol_held *on_held;
	observation_signal *seen;
	patrol_ended *ended;
	patrol_told *told;
	void *arg;
	measure_signal *measured;
	void *measured_arg;

	struct job *job; /* NULL: stopped */
	VEC(struct round *) rounds;
	struct cleaning *cleaning; /* NULL: left */
	bool gave_up, told_stopped;
	struct timer budget, last;
	void (*stopped)(void *arg);
	void *stopped_arg;
};

void patrol_tell(struct patrol *p, const char *fmt, ...) like_printf(2, 3);
/* The first sweep is over: rounds that waited for it begin. */
void patrol_swept(struct patrol *p);
/* What was under way for a patrol that left has ended. */
void patrol_cleaned(struct patrol *p);

/* patrol_seen.c: series and observations of runs; at once, for what has no steps. */
void patrol_record(struct patrol *p, const struct run_report *report);
/* Of a round's run, a piece a turn: it begins with the run, and is gone when all is told. */
struct recording *recording_new(struct patrol *p, const struct round *round);
/* The step of that row has ended; it is told soon, once. */
void recording_step(struct recording *s, size_t row);
/* The run has: the rest is told. Borrows the report until `done`, which comes once, in a later turn,
 * whatever becomes of the patrol: it is not freed before. The recording is gone then. */
void recording_end(
	struct recording *s, const struct run_report *report, void (*done)(void *arg), void *arg);

/* patrol_sweep.c: sweeps of one cloud for all its patrols. */
void cleaning_join(struct patrol *p);
/* Whether a run may begin now; else a first sweep is under way, and patrol_swept() comes. */
bool cleaning_ready(struct patrol *p);
/* True: it has left. Else it was the last one: the sweep is being cancelled, and patrol_cleaned()
 * comes. */
bool cleaning_leave(struct patrol *p);

#endif

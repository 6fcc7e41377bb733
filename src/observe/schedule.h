/*
 * schedule.h - what runs when: each job at its own constant rate, spread by jitter.
 *
 * A job is due at phase + n * every, where the phase is drawn once from its name (the same after a
 * restart), so that many jobs do not start together; a late or long run does not move the next. A
 * job whose last run is still under way is run again or skipped as its overlap says; what is
 * skipped is counted and told.
 * A process that stood still for 2 s or more (it was stopped, or the machine slept) finds times
 * that have passed. One that is less than half a period late runs yet, once, and in the distance
 * from the others that it had, so that they do not come all at once; any other is missed: counted,
 * and not caught up. The next one is where it always was. A wall clock that is set moves nothing:
 * it is read when a job is added, and the steady one, with the time slept, counts from there. Runs
 * on the loop's clock, so that a day takes milliseconds in tests. Thread: the loop's.
 */
#ifndef OBSERVE_SCHEDULE_H
#define OBSERVE_SCHEDULE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct schedule;
struct job; /* one thing at one rate */

struct job_options {
	const char *name; /* unique; copied */
	int64_t every_ns; /* >= 100 ms */
	bool soon;        /* the first run within 2 s (spread); the next at the first time of its
			     phase that is half a period or more after that */
	unsigned overlap; /* runs under way at once at most; 0: 1 */
	unsigned open;    /* those and the built ones (job_built) at once at most; 0: overlap */
	/* Time to run: must end in exactly one job_done(), now or later. */
	void (*run)(void *arg, struct job *job);
	/* Time to run, but as many are under way or open as may be. May be NULL. */
	void (*skipped)(void *arg, struct job *job);
	void *arg;
};

struct schedule *schedule_new(struct loop *l);
/* All jobs must be gone; never from inside a callback. */
void schedule_free(struct schedule *s);
struct loop *schedule_loop(const struct schedule *s);
/* Copies name. */
struct job *schedule_add(struct schedule *s, const struct job_options *o);
/* Takes it off, from inside its own callback too; runs under way are the caller's to end, without
 * job_done() then. */
void schedule_remove(struct job *j);
/* A new rate; the phase is drawn again. */
void schedule_change(struct job *j, int64_t every_ns);
void job_done(struct job *j);
/* Instead of job_done(), from inside of `run`: it is not begun after all. Counts as skipped. */
void job_skip(struct job *j, const char *why);
/* No run of this one any more; those under way go on. */
void job_rest(struct job *j);
/* The place of this run is free for the next although it is still being cleaned up; it counts as
 * open until job_done(). A job that uses it calls it once for each run, before job_done(). */
void job_built(struct job *j);
/* No run starts any more (SIGTERM); those under way go on. */
void schedule_stop(struct schedule *s);

struct job_state {
	const char *name;               /* borrowed */
	int64_t every_ns, next_unix_us; /* 0: stopped, or it rests */
	unsigned running, open;         /* open: running and built */
	uint64_t runs, skips, missed;
	int64_t worst_late_ns; /* of all starts */
	const char *why;       /* the last time was skipped, or NULL; borrowed */
};
struct job_state job_state(const struct job *j);
/* All of them, in order of name. */
void schedule_each(
	const struct schedule *s, void (*cb)(void *arg, const struct job_state *state), void *arg);

#endif

/*
 * schedule.h - what runs when: each job at its own constant rate, spread by jitter.
 *
 * A job is due at phase + n * every, where the phase is drawn once from its name (the same after a
 * restart), so that many jobs do not start together; a late or long run does not move the next. A
 * job whose last run is still under way is run again or skipped as its overlap says; what is
 * skipped is counted and told. After sleep or a clock jump missed times are not caught up: the
 * next one is the next.
 * Runs on the loop's clock, so that a day takes milliseconds in tests. Thread: the loop's.
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
	bool soon;        /* the first run within 2 s (spread), then at the phase */
	unsigned overlap; /* runs under way at once at most; 0: 1 */
	/* Time to run: must end in exactly one job_done(), now or later. */
	void (*run)(void *arg, struct job *job);
	/* Time to run, but `overlap` runs are under way. May be NULL. */
	void (*skipped)(void *arg, struct job *job);
	void *arg;
};

struct schedule *schedule_new(struct loop *l);
void schedule_free(struct schedule *s); /* all jobs must be gone */
struct loop *schedule_loop(const struct schedule *s);
/* Copies name. */
struct job *schedule_add(struct schedule *s, const struct job_options *o);
/* Takes it off; runs under way are the caller's to end, without job_done() then. */
void schedule_remove(struct job *j);
/* A new rate; the phase is drawn again. */
void schedule_change(struct job *j, int64_t every_ns);
void job_done(struct job *j);
/* The place of this run is free for the next although it is still being cleaned up; it counts as
 * open until job_done(). At most `overlap` runs are open. */
void job_built(struct job *j);
/* No run starts any more (SIGTERM); those under way go on. */
void schedule_stop(struct schedule *s);

struct job_state {
	const char *name; /* borrowed */
	int64_t every_ns, next_unix_us;
	unsigned running, open;
	uint64_t runs, skips;
	int64_t worst_late_ns; /* of all starts */
};
struct job_state job_state(const struct job *j);
/* All of them, in order of name. */
void schedule_each(
	const struct schedule *s, void (*cb)(void *arg, const struct job_state *state), void *arg);

#endif

/*
 * patrolling.h - patrols in virtual time, with hands that only pretend to run and sweep.
 */
#ifndef TESTS_UNIT_OBSERVE_PATROLLING_H
#define TESTS_UNIT_OBSERVE_PATROLLING_H

#include "../check.h"
#include "observe/patrol_inside.h"

#define START_US  (1790000000LL * 1000000)
#define MINUTE_NS (60 * NS_PER_S)
#define HOUR_NS   (60 * MINUTE_NS)

/* What the hands did, and what they are to do. */
struct fake {
	struct loop *loop;
	int64_t build_ns, teardown_ns, sweep_ns, last_moment_ns;
	bool sweep_fails;
	const struct run_report *report; /* NULL: passed */
	size_t early; /* so many of its steps end one after the other, each when it is ready */
	struct error error;
	size_t runs, freed, stops, given_up, open, most_open, building, most_building;
	size_t sweeps, journal_sweeps, cancelled, buried, forgot;
	int64_t sweep_ended_ns, first_run_ns;
	int64_t forgot_before_us;
};
extern struct fake fake; /* of the test that runs */

struct place {
	struct clock clock;
	struct loop *loop;
	struct schedule *schedule;
	struct check_tools tools, other_tools;
	struct series_store *series; /* NULL: patrolling_store() was not called */
	char dir[64];
	struct buf told, seen;
	size_t ended;
	bool stopped;
	struct patrol *to_stop; /* by the first who is told something, or who sees the middle */
	struct patrol *sees_to_stop; /* by who sees the middle */
	size_t observations, middle;
	bool in_the_middle;
};

/* For cmocka; the state is a struct place. */
int patrolling_up(void **state);
int patrolling_down(void **state);
/* What patrols say from now on is stored in `dir`, which goes with the place. */
void patrolling_store(struct place *p, const char *dir);
/* A patrol of "here", every ten minutes, that tells the place everything; "scene" is its scenario and
 * where it has none its name. */
struct patrol *patrolling_begin(struct place *p, const char *name, const struct check_tools *tools);
extern const struct scenario patrolling_scene;
/* Stops it, waits for that, frees it. */
void patrolling_end(struct place *p, struct patrol *patrol);
void patrolling_stopped(void *arg); /* for patrol_stop(); arg: the place */
/* How often it was told that. */
size_t patrolling_count(const struct place *p, const char *what);
/* A step of a report, from second 2 to 5. */
struct run_row patrolling_row(const char *name, enum element_state state, enum fault fault);

#endif

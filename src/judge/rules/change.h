/*
 * change.h - whether a value changed against its own past: a CUSUM over ranks, with a known rate of
 * false alarms whatever the values' distribution, also where each value resembles the one before it
 * and where each day resembles the others.
 *
 * Each new value is ranked among the CHANGE_PAST before it (values that are equal in an order drawn
 * from a fixed seed), and its rank becomes a normal score. Of that is taken away what the same hour
 * of the days before was on average (the newest CHANGE_DAYS weigh most), and of the rest what the
 * rest before it foretells (its lag-1 autocorrelation, estimated over CHANGE_MEMORY values). What
 * is left is ranked among its own past once more, which makes a score z; S = max(0, S + z -
 * CHANGE_DRIFT); over CHANGE_LIMIT it has changed. While it has, all that is known of the past
 * stands still and S is held at the limit at most, so that it is over once S is 0 again; after
 * CHANGE_PAST values it is the new normal.
 * Ranks of what does not depend on what was before are uniform, so the time to a false alarm is
 * that of a normal CUSUM: on average more than CHANGE_RUN values, which is 35 days of windows of
 * five minutes. docs/rules.md has what was measured, and what does not hold. Pure. Thread: one at a
 * time.
 */
#ifndef JUDGE_RULES_CHANGE_H
#define JUDGE_RULES_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANGE_PAST   511
#define CHANGE_LEAST  50 /* values, and then scores, before it says anything */
#define CHANGE_HOURS  24
#define CHANGE_DAYS   14
#define CHANGE_MEMORY 2000
#define CHANGE_DRIFT  0.5 /* in standard deviations: half of the shift that is looked for */
#define CHANGE_LIMIT  8.4
#define CHANGE_RUN    10000 /* values to a false alarm, on average */

struct change_past { /* a ring */
	double p[CHANGE_PAST];
	size_t n, at;
};

struct change_hour {
	double mean; /* of the days before */
	double sum;  /* of today */
	unsigned days, n;
};

struct change {
	struct change_past values, rests;
	struct change_hour hours[CHANGE_HOURS];
	int hour;                       /* of the last value; -1: none */
	double rest, variance, product; /* the last one; of all, and of neighbours */
	unsigned rest_count;
	double sum; /* S */
	bool young, changed;
	size_t lasting; /* values since it changed */
	uint64_t draw;  /* of ties */
};

void change_init(struct change *c, uint64_t seed);
/* Takes the next value; worse: larger ones. hour: that of the UTC day, or -1: days do not matter.
 * Whether it has changed by now. */
bool change_take(struct change *c, double value, int hour);
/* Of the window that begins then. Shorter ones than 4 min see too little of a day by their past,
 * longer ones than 12 h too little of its hours: -1. */
int change_hour(int64_t at_ms, int64_t width_ms);
/* Too few values were seen, or none at this hour of a day before. */
bool change_is_young(const struct change *c);

#endif

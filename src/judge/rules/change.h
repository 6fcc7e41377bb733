/*
 * change.h - whether a value changed against its own past: a CUSUM over ranks, with a known rate of
 * false alarms whatever the values' distribution.
 *
 * Each new value is ranked among the CHANGE_PAST - 1 before it (values that are equal in an order
 * drawn from a fixed seed) and its rank becomes a normal score z. S = max(0, S + z - CHANGE_DRIFT);
 * over CHANGE_LIMIT it has changed. While it has, the past stands still and S is held at the limit
 * at most, so that it is over once S is 0 again; after CHANGE_PAST values it is the new normal.
 * Of values that are independent and of one distribution, ranks are uniform, so the time to a false
 * alarm is that of a normal CUSUM: on average more than CHANGE_RUN values, which is 35 days of
 * windows of five minutes. Values that depend on each other (a daily rhythm) alarm more often.
 * docs/rules.md has what was measured. Pure. Thread: one at a time.
 */
#ifndef JUDGE_RULES_CHANGE_H
#define JUDGE_RULES_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHANGE_PAST  512
#define CHANGE_LEAST 50  /* values before it says anything */
#define CHANGE_DRIFT 0.5 /* in standard deviations: half of the shift that is looked for */
#define CHANGE_LIMIT 7.8
#define CHANGE_RUN   10000 /* values to a false alarm, on average */

struct change {
	double past[CHANGE_PAST]; /* a ring */
	size_t n, at;
	double sum; /* S */
	bool changed;
	size_t lasting; /* values since it changed */
	uint64_t draw;  /* of ties */
};

void change_init(struct change *c, uint64_t seed);
/* Takes the next value; worse: larger ones. Whether it has changed by now. */
bool change_take(struct change *c, double value);
/* Too few values were seen. */
bool change_is_young(const struct change *c);

#endif

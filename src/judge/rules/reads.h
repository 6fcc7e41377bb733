/*
 * reads.h - readings of series that wait for their turn: a few at once, given up together.
 * Thread: the loop's.
 */
#ifndef JUDGE_RULES_READS_H
#define JUDGE_RULES_READS_H

#include "store/series.h"

struct reads;

struct read_wanted {
	struct series *series;
	int64_t from_ms, to_ms, step_ms;
	/* When its turn comes, before it is read; may set another end. May be NULL. */
	void (*begin)(void *arg, int64_t *to_ms);
	/* Once, but when all is given up. Points that begin at or after to_ms are not for it. */
	void (*done)(void *arg, void *more, const struct series_points *points, int64_t to_ms,
		const struct error *err);
	void *arg, *more;
};

/* ended: called after each reading, when another may be begun. */
struct reads *reads_new(void (*ended)(void *arg), void *arg);
/* Nothing is called back any more. */
void reads_free(struct reads *r);
void reads_add(struct reads *r, const struct read_wanted *w); /* copies; begun by reads_begin() */
void reads_begin(struct reads *r);
bool reads_idle(const struct reads *r);

#endif

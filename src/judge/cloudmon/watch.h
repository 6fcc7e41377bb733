/*
 * watch.h - what patterns of paths hold now, kept up to date with each sample that is stored.
 *
 * An *input* is a pattern; its leaves are found by walking a tree of all patterns once for each
 * series, so that thousands of patterns cost a series no more than one. A series that is a leaf of
 * an input keeps a ring of its last slots of GRAPHITE_STEP_S; what comes twice into a slot is added
 * up as the store does it. Only counters and means of timers are kept, and of gauges those that a
 * StatsD elsewhere flushed (path_is_flushed()), with their newest value: an input that fits
 * anything else is *unusual*, and Graphite's language has to be asked.
 * Thread: the loop's.
 */
#ifndef JUDGE_CLOUDMON_WATCH_H
#define JUDGE_CLOUDMON_WATCH_H

#include "base/error.h"
#include "base/vec.h"
#include "store/series.h"

struct ring;

struct watch_leaf {
	char *path;
	int field; /* enum leaf_field */
	enum series_kind kind;
	bool in_us;
	VEC(struct ring *) rings; /* of its series: one a location */
};

struct watch_input {
	char *pattern;
	VEC(struct watch_leaf *) leaves;
	bool unusual;
	int64_t ahead_s; /* the newest slot of what came before its time, which is not kept */
	/* Begins of slots; INT64_MIN, INT64_MAX: none. */
	int64_t newest_s, before_s; /* now; as it was at the last turn */
	int64_t settled_s;          /* nothing of slots before it was under way at the last turn */
	int64_t touched_s, dirty_s; /* the oldest since the last turn; between the last two */
};

struct watch;

struct watch *watch_new(struct loop *l, struct series_store *store);
void watch_free(struct watch *w);
/* Before the start. The same for the same pattern; NULL: it cannot be watched. Borrowed. */
struct watch_input *watch_input(struct watch *w, const char *pattern);
/* Takes all series there are; keeps so many slots from now on. */
void watch_start(struct watch *w, size_t slots);
int64_t watch_since_s(const struct watch *w); /* everything that begins later is there */
/* A turn: what came between the last two is what it tells until the next. */
void watch_turn(struct watch *w);
/* NAN: nothing. */
double watch_value(const struct watch *w, const struct watch_leaf *l, int64_t slot_s);

#endif

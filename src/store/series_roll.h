/*
 * series_roll.h - roll-ups: points that can be added exactly, and the slots of one UTC day (or the
 * day itself) of one series as a block. Pure. Thread: one at a time.
 */
#ifndef STORE_SERIES_ROLL_H
#define STORE_SERIES_ROLL_H

#include "store/series_block.h"

struct roll_day { /* slots of one block, by time, each with n > 0 */
	struct series_point *p;
	size_t n, cap;
};

void series_point_fini(struct series_point *p);
/* A run with a fault counts, but its times do not: they tell of our patience. */
void series_point_add(struct series_point *p, enum series_kind kind, const struct series_sample *s);
void series_point_merge(struct series_point *p, const struct series_point *other);

void roll_day_fini(struct roll_day *d);
/* Puts the slots of `from` in place of those in [begin, end). Takes their contents. */
void roll_day_replace(struct roll_day *d, int64_t begin_ms, int64_t end_ms, struct roll_day *from);
void roll_day_write(struct buf *out, enum series_kind kind, int64_t day_ms, int64_t step_ms,
	const struct roll_day *d); /* d->n > 0 */
/* d is empty; filled as far as it went when false. */
bool roll_day_read(
	struct slice bytes, int64_t step_ms, struct roll_day *d, struct error *err) must_check;

#endif

/*
 * points.h - a batch of values with names and tags, as they come from outside, on their way to
 * series; and its bytes, in which it passes from the serving half to the house.
 *
 * A batch is built by one thread and then immutable; names and tags are kept in one piece of
 * memory. Limits: POINTS_MAX points, POINTS_BYTES of texts; what is over them is refused. Thread:
 * one at a time.
 */
#ifndef STORE_POINTS_H
#define STORE_POINTS_H

#include "base/buf.h"
#include "store/series.h"

#define POINTS_MAX      100000
#define POINTS_BYTES    (7u << 20)
#define POINTS_TAGS_MAX 32

struct points;

struct point { /* texts are borrowed of the batch */
	struct slice name;
	const struct series_tag *tags; /* sorted by key, no key twice */
	size_t tag_count;
	int64_t at_ms;
	double value;
};

struct points *points_new(void);
void points_free(struct points *p);
/* Copies. False when the batch is full, or the name or a tag breaks a limit of series.h, or the
 * value is no finite number. Tags come in any order; the last of a key counts. */
bool points_add(struct points *p, struct slice name, const struct slice *keys,
	const struct slice *values, size_t tags, int64_t at_ms, double value);
size_t points_count(const struct points *p);
struct point points_at(const struct points *p, size_t i);

/* Appends its bytes (version 1; varint lengths); points_decode() takes nothing else and holds what
 * it reads to the limits above. Thread: any. */
void points_encode(const struct points *p, struct buf *out);
struct points *points_decode(struct slice bytes, struct error *err) must_check;

#endif

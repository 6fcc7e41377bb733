/*
 * points.h - a batch of values with names and tags, as they come from outside, on their way to
 * series; and its bytes, in which it passes from the serving half to the house.
 *
 * A batch is built by one thread and then immutable; texts never move while it grows. Limits:
 * POINTS_MAX points, POINTS_BYTES of what points_encode() makes of it, so that it always fits a
 * frame of the door; what is over them is refused. Thread: one at a time.
 */
#ifndef STORE_POINTS_H
#define STORE_POINTS_H

#include "base/buf.h"
#include "base/error.h"
#include "store/series.h"

#define POINTS_MAX      100000
#define POINTS_BYTES    (7u << 20)
#define POINTS_TAGS_MAX 32
#define POINTS_NOW      INT64_MIN /* an at_ms: when it is taken */

struct points;

struct point { /* texts are borrowed of the batch, and end with a NUL */
	struct slice name;
	const struct series_tag *tags; /* sorted by key, no key twice */
	size_t tag_count;
	int64_t at_ms;
	double value;
};

enum points_added {
	POINTS_ADDED,
	POINTS_FULL,     /* of the batch */
	POINTS_BAD_NAME, /* a name or key is empty, too long, no UTF-8, or has control bytes, { or }
			  */
	POINTS_BAD_TAG,  /* too many, too long, no UTF-8, or with control bytes */
	POINTS_BAD_VALUE, /* no finite number */
};
const char *points_added_text(enum points_added a); /* for people: "the name is ..." */

struct points *points_new(void);
void points_free(struct points *p); /* NULL is fine */
/* Copies. Tags come in any order; the last of a key counts. */
enum points_added points_add(struct points *p, struct slice name, const struct slice *keys,
	const struct slice *values, size_t tags, int64_t at_ms, double value);
size_t points_count(const struct points *p);
struct point points_at(const struct points *p, size_t i); /* its tags hold until the next add */

/* Whether a name and its tags are within the limits of series.h: all of points_add()'s rules but
 * those of the batch and the value. Thread: any. */
enum points_added points_look(
	struct slice name, const struct slice *keys, const struct slice *values, size_t tags);

/* Appends its bytes (version 1; varint lengths); points_decode() takes nothing else and holds what
 * it reads to the limits above. Thread: any. */
void points_encode(const struct points *p, struct buf *out);
struct points *points_decode(struct slice bytes, struct error *err) must_check;

#endif

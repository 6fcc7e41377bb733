/*
 * statsd.h - the inside of StatsD: a line, the table that adds lines up, the thread that receives.
 *
 *	statsd_line.c    one line, read; pure
 *	statsd_tags.c    its tags, in the one order
 *	statsd_table.c   what an interval adds up to, by name
 *	statsd_metric.c  what one name adds up to
 *	statsd.c         the socket and the thread
 *
 * A line is NAME:VALUE[:VALUE]...|TYPE[|@RATE][|#TAGS], with the types c, g, ms, s, and h and d,
 * which are times as ms is. Of DogStatsD's other parts the container (c:), external data (e:) and
 * cardinality (card:) mean nothing here; a time of its own (T) is refused, since the interval has
 * one.
 */
#ifndef OBSERVE_INGEST_STATSD_H
#define OBSERVE_INGEST_STATSD_H

#include "base/error.h"
#include "base/vec.h"
#include "net/loop.h"
#include "observe/ingest/bad.h"
#include "store/series_hist.h"

enum statsd_kind { STATSD_COUNTER, STATSD_TIMER, STATSD_GAUGE, STATSD_SET, STATSD_KINDS };

#define STATSD_MEMBERS_MAX 100000 /* of one set in one interval */
#define STATSD_SENDINGS    4      /* orders in which the tags of a name are sent, on average */

/* --- statsd_line.c: thread: any --------------------------------------------------------------- */

struct statsd_line {                     /* slices borrow */
	struct slice name, values, tags; /* values: at least one, ':' between them */
	enum statsd_kind kind;
	double rate; /* 0 < rate <= 1 */
};

/* NULL: it is one; else what is wrong with it. Values and the letters of the name are not yet
 * looked at. */
const char *statsd_line_read(struct slice line, struct statsd_line *ret);

/* --- statsd_tags.c: thread: any --------------------------------------------------------------- */

#define STATSD_TAGS_MAX 32

struct statsd_tags { /* borrow */
	struct slice keys[STATSD_TAGS_MAX], values[STATSD_TAGS_MAX];
	size_t n;
};

/* "a:b,c" of a line; one without a value has "". False: too many, or one without a key. */
bool statsd_tags_read(struct slice text, struct statsd_tags *ret);
/* The same for all orders in which they can be sent. */
void statsd_tags_write(const struct statsd_tags *tags, struct buf *out);

/* --- statsd_table.c: thread: one at a time ---------------------------------------------------- */

struct statsd_name { /* owned by the batch */
	uint32_t id; /* from 0; of one that is gone, its next name has it */
	enum statsd_kind kind;
	char *name, *tags; /* as statsd_tags_write() */
};

struct statsd_item {
	uint32_t id; /* of its name */
	enum statsd_kind kind;
	double value;            /* counter: the sum; timer: the sum, us; gauge; set: how many */
	double min, max;         /* timer, us */
	uint64_t n;              /* timer */
	struct series_hist hist; /* timer; owned */
};

struct statsd_batch {
	int64_t at_ms;                 /* the end of its interval */
	VEC(struct statsd_name) names; /* that are new */
	VEC(struct statsd_item) items; /* what was heard of since the last batch */
	VEC(struct statsd_name) gone;  /* after all of that: not heard of for long */
	uint64_t lines, refused;       /* since the last batch; lines: taken */
	struct bad_lines bad;          /* the same */
	uint64_t lost;                 /* packets, ever */
	struct statsd *owner;
};
void statsd_batch_free(struct statsd_batch *b); /* NULL is fine */

struct statsd_table;

/* Names that were not heard of in `idle_max` batches make room for others, at the latest a quarter
 * of that later; 0: never. */
struct statsd_table *statsd_table_new(size_t names_max, uint64_t idle_max);
void statsd_table_free(struct statsd_table *t);
/* All lines of a packet. Those that are none are counted, and the first of them told. */
void statsd_table_take(struct statsd_table *t, struct slice packet);
/* One that is none, for a reason known elsewhere. */
void statsd_table_bad(struct statsd_table *t, const char *why, struct slice line);
/* What came since the last one; owned. Gauges go on from where they are, until they are gone;
 * everything else begins anew. */
struct statsd_batch *statsd_table_flush(struct statsd_table *t);

/* --- statsd_metric.c -------------------------------------------------------------------------- */

struct statsd_members { /* a set of hashes; 0 is no hash */
	uint64_t *p;
	size_t n, size;
};

struct statsd_metric {
	uint32_t id;
	enum statsd_kind kind;
	bool heard;          /* in this interval */
	uint64_t heard_last; /* the batch in which it was */
	double value, min, max;
	uint64_t n;
	uint32_t *dense; /* counts by bucket, of timers heard often; NULL: in hist */
	struct series_hist hist;
	struct statsd_members members;
};

struct statsd_dense { /* rows of counts that are free */
	VEC(uint32_t *) free;
	size_t made;
	uint64_t seed; /* of the hashes of sets */
};

void statsd_metric_fini(struct statsd_metric *m);
void statsd_dense_fini(struct statsd_dense *d);
/* NULL, or what is wrong with the values; those before the wrong one count. `*ret_refused`: were
 * not taken for lack of room. */
const char *statsd_metric_add(struct statsd_metric *m, const struct statsd_line *line,
	struct statsd_dense *dense, uint64_t *ret_refused);
/* One value of at most 15 digits, without a sign or a rate. False: the way above says why. */
bool statsd_metric_one(struct statsd_metric *m, double x, struct statsd_dense *dense);
/* What it came to, moved; and begins anew. */
struct statsd_item statsd_metric_take(struct statsd_metric *m, struct statsd_dense *dense);

/* --- statsd.c: thread: the loop's ------------------------------------------------------------- */

struct statsd;

#define STATSD_IDLE_MS (24 * 3600 * 1000LL) /* after which a name is gone */

/* Receives and adds up on a thread of its own, and hands over a batch at the end of each interval
 * of flush_ms by the loop's wall clock. The batch is `taken`'s. */
typedef void statsd_taken(void *arg, struct statsd_batch *b);
struct statsd *statsd_open(struct loop *l, const char *address, int64_t flush_ms, size_t names_max,
	statsd_taken *taken, void *arg, struct error *err) must_check;
/* What has arrived is handed over from in here. It runs the loop: never from inside a callback. */
void statsd_close(struct statsd *s);
unsigned statsd_port(const struct statsd *s);

#endif

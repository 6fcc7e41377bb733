/*
 * outbox.h - what a store of series keeps to be sent to another one, and what it took of others.
 *
 * With series_options.outbox_bytes each row of the tail is written a second time, as an item to be
 * sent, in the very transaction that stores it: what the store has, the outbox has, and the other
 * way round, whatever is killed when. Notes (outbox_note()) become items of the same second. Items
 * are numbered; numbers only grow, over restarts, lost power and a clock that is set back as long
 * as the directory lives. An outbox that was begun anew has another `stream`.
 * Items wait OUTBOX_KEEP_MS at most, and outbox_bytes of them: the oldest go first, counted.
 *
 * The other end is inbox_take(): with what was appended since the call before it is stored, in one
 * transaction that reaches the disk, through which number a source was taken. Thread: the loop's.
 */
#ifndef STORE_OUTBOX_H
#define STORE_OUTBOX_H

#include "base/slice.h"
#include "store/series.h"

#define OUTBOX_KEEP_MS    (7 * SERIES_DAY_MS)
#define OUTBOX_PAGE_BYTES (1u << 20)  /* of items in one page, before they are packed */
#define OUTBOX_NOTES_MAX  (16u << 20) /* bytes of notes that wait to be stored */
#define OUTBOX_STREAM     33          /* bytes of a stream's name with its NUL */

struct outbox_state {
	char stream[OUTBOX_STREAM]; /* "": not opened yet */
	int64_t last;               /* the newest number given */
	int64_t oldest_ms;          /* when the oldest item that waits was stored; 0: none waits */
	uint64_t items, bytes, samples; /* that wait */
	uint64_t too_old, too_many;     /* samples that were dropped: by age, for lack of room */
	uint64_t lost_notes;            /* notes that found no room before they were stored */
};
/* As it was stored last. */
struct outbox_state outbox_state(const struct series_store *st);
/* Goes with the second's samples. Copies; several become one item, a behind the other. */
void outbox_note(struct series_store *st, struct slice bytes);

struct outbox_page {
	struct slice parcel; /* packed (parcel.h), of the oldest items; borrowed for the call */
	int64_t last;        /* number of the newest of them; 0: none waits */
	size_t items;
	uint64_t samples;
	bool more; /* others wait behind */
};
typedef void outbox_read_done(void *arg, const struct outbox_page *page, const struct error *err);

struct outbox_reading; /* under way; gone once its callback has returned */
/* A parcel with that head (copied) and the oldest items, also when there are none. `done` once,
 * never from in here. */
struct outbox_reading *outbox_read(
	struct series_store *st, struct slice head, outbox_read_done *done, void *arg);
/* No callback then. NULL is fine. */
void outbox_cancel(struct outbox_reading *r);
/* The other side has them: items through that number go. */
void outbox_taken(struct series_store *st, int64_t through);

/* Everything appended before this call and after the last one came from `source` (copied, at most
 * INBOX_SOURCE bytes) and was of its items through `seq`. */
#define INBOX_SOURCE 200
void inbox_take(struct series_store *st, const char *source, int64_t seq);
/* Not in a second but now: somebody waits who has more. */
void inbox_hurry(struct series_store *st);
/* Through which number what came from it is stored; series_options.stored tells when it moves. */
int64_t inbox_taken(const struct series_store *st, const char *source);

#endif

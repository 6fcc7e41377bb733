/*
 * series_outbox.h - the outbox's and the inbox's tables in tail.db, on the writer thread; outbox.h
 * is for everybody else. What changes them is called inside the tail's transaction.
 *
 *	outbox(seq, kind, at, n, data)   n: samples; kind 0 row, 1 note, + 2 packed
 *	outbox_count(one, stream, last, items, bytes, samples, too_old, too_many)   one row
 *	inbox(source, seq)
 */
#ifndef STORE_SERIES_OUTBOX_H
#define STORE_SERIES_OUTBOX_H

#include "store/outbox.h"
#include "store/series_tail.h"

/* Reads what is counted, once; numbers go on over what a lost transaction may have given. */
bool outbox_rows_begin(struct tail *t, int64_t now_ms, struct error *err) must_check;
bool outbox_rows_add(struct tail *t, bool note, int64_t at_ms, uint64_t samples, struct slice data,
	struct error *err) must_check;
/* Drops what is too old and too much, and stores what is counted. */
bool outbox_rows_end(struct tail *t, int64_t now_ms, struct error *err) must_check;
/* Items through that number go; a transaction of its own. */
bool outbox_rows_taken(struct tail *t, int64_t through, struct error *err) must_check;

struct outbox_found {
	struct buf parcel; /* packed; owned by the caller */
	int64_t last;
	size_t items;
	uint64_t samples, corrupt;
	bool more;
};
bool outbox_rows_read(
	struct tail *t, struct slice head, struct outbox_found *ret, struct error *err) must_check;

bool inbox_rows_set(struct tail *t, const char *source, int64_t seq, struct error *err) must_check;
bool inbox_rows_each(struct tail *t, void (*cb)(void *arg, const char *source, int64_t seq),
	void *arg, struct error *err) must_check;

#endif

/*
 * series_tail.h - tail.db and catalog.db, on the writer thread.
 *
 * tail.db (WAL, NORMAL) is the crash log: row(seq, location, hour, data), each a series_row.h. A
 * row goes when its hour is sealed through its seq. Outbox and inbox stand beside it
 * (series_outbox.h). catalog.db (FULL) gives each series its id, for
 * ever. Thread: one at a time.
 */
#ifndef STORE_SERIES_TAIL_H
#define STORE_SERIES_TAIL_H

#include <sqlite3.h>

#include "store/outbox.h"

struct tail {
	char *dir;
	bool read_only;
	sqlite3 *rows, *catalog;
	int64_t seen;       /* rows up to this one are known to the loop */
	int64_t seen_id;    /* series likewise */
	bool moved_away;    /* a corrupt tail.db stands beside, renamed */
	int64_t given;      /* rows were numbered at least through this one, in whatever file */
	bool numbered;      /* tail_number() has looked at the file that is open */
	int64_t outbox_max; /* bytes; 0: there is none */
	struct outbox_state outbox;
};

/* Opens what is not open yet; creates unless read_only (then a missing tail is an empty one). A
 * tail.db that is no database is renamed and begun anew. */
bool tail_open(struct tail *t, struct error *err) must_check;
void tail_close(struct tail *t);

struct tail_series {
	uint32_t id;
	enum series_kind kind;
	const char *unit, *location, *name, *tags; /* tags: the text in braces, or "" */
};

/* Series beyond seen_id, in order. Pointers are borrowed for the call. */
bool tail_new_series(struct tail *t, void (*cb)(void *arg, const struct tail_series *s), void *arg,
	struct error *err) must_check;
/* The id of a series, given now if it has none. */
bool tail_series_id(struct tail *t, const struct tail_series *s, uint32_t *ret_id,
	struct error *err) must_check;

/* Rows beyond `seen` that are still there, in order; advances it. About TAIL_PIECE bytes of them:
 * *ret_more, when there may be more. */
#define TAIL_PIECE (512u << 10)
bool tail_new_rows(struct tail *t,
	void (*cb)(void *arg, int64_t hour, int64_t seq, struct slice data), void *arg,
	bool *ret_more, struct error *err) must_check;

/* Rows of an hour beyond `through` and up to `seen`, in order. */
bool tail_rows_behind(struct tail *t, int64_t hour, int64_t through,
	void (*cb)(void *arg, int64_t hour, int64_t seq, struct slice data), void *arg,
	struct error *err) must_check;

bool tail_begin(struct tail *t, struct error *err) must_check;
/* To read only: what is read until the rollback is the tail as it is now. */
bool tail_begin_look(struct tail *t, struct error *err) must_check;
bool tail_is_begun(const struct tail *t);
/* Through to the disk: its commit survives a loss of power. */
bool tail_begin_durable(struct tail *t, struct error *err) must_check;
/* Inside a transaction, before the first row: numbers go on over all that `given` knows. A file that
 * is begun goes on by the clock too: there are fewer rows than milliseconds, so that is over what
 * a lost one had given. Marks of sealed hours, and other processes, hold what is numbered lower for
 * known. */
bool tail_number(struct tail *t, int64_t now_ms, struct error *err) must_check;
/* *ret_seq: its number. */
bool tail_add(struct tail *t, const char *location, int64_t hour, struct slice data,
	int64_t *ret_seq, struct error *err) must_check;
bool tail_commit(struct tail *t, struct error *err) must_check;
void tail_rollback(struct tail *t);

#endif

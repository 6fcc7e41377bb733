/*
 * series_writer.h - the writer thread's half of a series store: tail, period files, sealing.
 *
 * The loop hands over batches and is told what became known: ids, rows of other processes, seals.
 * Everything here runs on the writer thread but where said.
 */
#ifndef STORE_SERIES_WRITER_H
#define STORE_SERIES_WRITER_H

#include "base/vec.h"
#include "store/series_files.h"
#include "store/series_row.h"
#include "store/series_spill.h"
#include "store/series_tail.h"

struct series;

/* Samples of one location and hour, on their way to one row of the tail. */
struct batch {
	struct batch *next;
	char *location;
	int64_t hour;
	uint64_t serial;
	struct row_writer row;
	VEC(struct series *) series; /* by position in the row */
	size_t names;                /* bytes of what those are called */
};

/* Thread: the loop's, while it is not handed over. */
struct batch *batch_new(const char *location, int64_t hour);
void batch_free(struct batch *b);

struct states_item {
	struct series *series;
	int64_t day;
	struct series_states states;
};
typedef VEC(struct states_item) states_list;

struct note_item { /* of the outbox */
	char *p;   /* owned */
	size_t n;
	int64_t at_ms;
};
typedef VEC(struct note_item) notes_list;

struct mark_item {    /* of the inbox */
	char *source; /* owned */
	int64_t seq;
};
typedef VEC(struct mark_item) marks_list;
/* Moves all of *from into *into; of a source the newest stays. */
void marks_move(marks_list *into, marks_list *from);
void marks_free(marks_list *m);
/* Moves all of *from behind *into. */
void notes_move(notes_list *into, notes_list *from);
void notes_free(notes_list *n);

struct found_series { /* owned */
	uint32_t id;
	enum series_kind kind;
	char *unit, *location, *name, *tags;
};

struct found_row {
	int64_t hour;
	char *p; /* owned */
	size_t n;
};

struct hour_parts {
	int64_t hour;
	unsigned parts; /* sealed so far */
	bool covered;   /* all that was handed over of this hour is in the files, but for `rows` */
};

/* As a mark in a raw file says it. */
struct sealed_hour {
	int64_t hour, through;
	unsigned parts;
};

struct recent_block {
	uint32_t id;
	int64_t hour;
	unsigned part;
	char *p; /* owned */
	size_t n;
};

/* One turn of the writer: what it gets, what it found. */
struct turn {
	/* in */
	struct batch *batches;
	states_list states;
	notes_list notes;
	marks_list marks;
	bool seal;
	int64_t now_ms;
	struct spill_turn spill;
	/* out */
	bool good;
	marks_list stored; /* marks that are stored now */
	struct outbox_state outbox;
	struct error err;
	size_t waiting;       /* samples that are kept for the next turn */
	size_t waiting_notes; /* bytes of notes, likewise */
	uint64_t corrupt, refused;
	bool more;   /* rows are left to be told: nothing else was done, another turn must come */
	bool sealed; /* the hours below are of a seal */
	VEC(struct found_series) series;
	VEC(struct found_row) rows;
	VEC(struct hour_parts) hours;
	VEC(struct recent_block) recent;
};

void turn_fini(struct turn *t); /* frees the findings. Thread: any */

struct writer {
	char *dir; /* DIR/series */
	bool read_only;
	int64_t keep_ms[LEVELS];
	struct tail tail;
	struct files *files, *look;     /* for writing; for looking at what is there */
	bool marked, begun;             /* hours were told once; all series and rows as well */
	bool marks_told;                /* likewise */
	int lock;                       /* of series.lock, -1: another process seals */
	VEC(struct sealed_hour) sealed; /* as the loop was told */
	struct batch *waiting, **last;
	states_list states;
	notes_list notes;
	marks_list marks;
	size_t waiting_samples;
};

/* Thread: the loop's, before the first and after the last turn. */
struct writer *writer_new(
	const char *dir, bool read_only, const int64_t *keep_ms, int64_t outbox_bytes);
void writer_free(struct writer *w);

void writer_turn(struct writer *w, struct turn *t);

/* --- between its files
 * --------------------------------------------------------------------------*/

/* Seals the hours that ended ten minutes ago, removes what is no longer kept. */
bool writer_seal(struct writer *w, struct turn *t, struct error *err) must_check;
/* series_seals.c: the first turn tells what is sealed; inside a transaction of the tail. */
void seals_begin(struct writer *w, struct turn *t);
/* Through which row an hour is sealed, as the loop was told; 0: it is not. */
int64_t seals_through(const struct writer *w, int64_t hour);
/* We sealed this one, with all its rows. */
void seals_ours(struct writer *w, struct turn *t, const struct sealed_hour *s);
/* What others sealed of the hours before this one; all samples of those must have been handed over.
 */
bool seals_look(struct writer *w, struct turn *t, int64_t before, struct error *err) must_check;
void seals_forget(struct writer *w, int64_t before_hour);

#endif

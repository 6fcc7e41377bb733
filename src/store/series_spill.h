/*
 * series_spill.h - what fills up of the running hour leaves memory: the first bytes of a head's
 * samples, as they are coded, stand in pieces in a scratch file.
 *
 * The file has no name and is gone with the process: whatever it holds is in the tail as well, from
 * which a head is made again. Pieces are only ever added, each knows the one before, a head the last
 * one. What cannot be written stays in memory.
 * The loop says what goes and learns what went, the writer writes, readers read.
 */
#ifndef STORE_SERIES_SPILL_H
#define STORE_SERIES_SPILL_H

#include "base/error.h"
#include "base/vec.h"
#include "store/code.h"

#define SPILL_HEADER 16 /* bytes before those of a piece */
#define SPILL_UNIT   16 /* a piece begins at a multiple of it */
#define SPILL_FILES  8  /* at a time; hours that are not sealed keep theirs */

struct spill_file {
	int fd; /* -1: to be made by the writer */
	/* the loop's */
	uint32_t end; /* in units, as all places in it */
	size_t users; /* heads, queries, a turn, and the store while heads begin in it */
};

typedef VEC(struct spill_file *) spill_files;

struct spilled {     /* of one head; zeroed: nothing */
	uint32_t at; /* the last piece */
	uint32_t n;  /* bytes of it, without the header */
};

struct head;

struct spill_item {
	struct head *head;
	struct spilled piece;
};

struct spill_turn {              /* goes to the writer and back with a turn */
	struct spill_file *file; /* NULL: there is nothing to be written */
	uint8_t file_number;     /* as heads have it */
	uint32_t at;
	struct buf bytes; /* from `at` on */
	VEC(struct spill_item) items;
	spill_files gone; /* to be closed */
	struct error err; /* empty: it was written */
};

void spill_turn_fini(struct spill_turn *t); /* Thread: any */

/* Closes what is gone, writes. `dir` is where. Thread: the writer's. */
void spill_work(struct spill_turn *t, const char *dir);

/* All pieces of a head, n bytes in all (0: the file may be NULL), to `into`, before which
 * SPILL_HEADER bytes are overwritten. False: they cannot be read as they were written. Thread: any. */
bool spill_read(const struct spill_file *f, struct spilled last, char *into, size_t n) must_check;

#endif

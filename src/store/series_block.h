/*
 * series_block.h - samples of one series as bytes, and back. Pure: no files, no threads, no clock.
 *
 * A block writer takes samples one by one, its columns grow already coded. Blocks carry their own checksum and the names of
 * the faults they speak of, so that each can be read alone, also by other programs
 * (docs/formats/series.md). Thread: one at a time.
 */
#ifndef STORE_SERIES_BLOCK_H
#define STORE_SERIES_BLOCK_H

#include "store/series.h"

#define SERIES_BLOCK_BYTES (16u << 20) /* of one block before compression */

enum block_flag { BLOCK_ZSTD = 1, BLOCK_ROLL = 2 };

/* --- the frame: header, columns, checksum; roll-ups have the same ------------------------------
 */

#define BLOCK_COLUMNS 24

struct block_column {
	uint8_t type, codec;
	const uint8_t *p; /* borrowed */
	size_t n;
};

struct block_frame {
	enum series_kind kind;
	uint8_t flags;
	int64_t t0_ms, step_ms;
	uint64_t n; /* samples, or slots */
	struct block_column columns[BLOCK_COLUMNS];
	size_t column_count;
};

/* Appends the block. compress: as one zstd frame if that is smaller. */
void block_frame_write(struct buf *out, const struct block_frame *f, bool compress);
/* Checks all of it but the columns' contents. `store` is filled where the block is compressed and
 * must outlive the columns, which point into it or into `bytes`; the caller frees it. */
bool block_frame_read(struct slice bytes, struct block_frame *ret, struct buf *store,
	struct error *err) must_check;
/* NULL when there is none of that type. */
const struct block_column *block_column(const struct block_frame *f, uint8_t type);
uint32_t block_crc(const void *p, size_t n);

/* --- faults, by name ---------------------------------------------------------------------------
 */

/* The faults that a block or row speaks of: 0 is none, others count from 1 in order of their first
 * appearance. A name this program does not know is read as FAULT_LOCAL. */
struct block_faults {
	uint8_t fault[FAULT_COUNT]; /* enum fault */
	uint8_t code[FAULT_COUNT];  /* 0: not there yet (FAULT_NONE: always) */
	size_t n;
};

unsigned block_fault_code(struct block_faults *f, enum fault fault);
void block_faults_write(struct buf *out, const struct block_faults *f);
bool block_faults_read(struct code_in *in, struct block_faults *f);
/* False when there is no such code. */
bool block_fault_of(const struct block_faults *f, uint64_t code, enum fault *ret);

/* --- writing -----------------------------------------------------------------------------------
 */

struct block_run { /* the same value so many times */
	uint64_t value, n;
};

struct block_times { /* a column of durations */
	struct buf bytes;
	unsigned base;    /* index that distances are from; 0: none happened yet */
	unsigned typical; /* 0: the first one that is not 0 is the base */
};

struct block_writer {
	enum series_kind kind;
	size_t n;
	bool unsorted;
	int64_t t0_ms, step_ms, last_ms;
	struct buf times;
	/* probe */
	struct block_faults *faults; /* NULL: none yet */
	struct block_run fault, tries;
	struct buf fault_runs, tries_runs;
	struct block_times phase[SERIES_PHASES + 1]; /* the last is the total */
	/* others */
	double *value; /* gauge, sum; dist: sum, min, max in turn */
	size_t value_cap;
	struct buf dist;
};

/* step_ms: the usual distance of samples, where it is known; 0: the first distance. */
void block_writer_init(struct block_writer *w, enum series_kind kind, int64_t step_ms);
void block_writer_fini(struct block_writer *w);
/* Before the first sample: a run with durations as most have them makes the distances small. */
void block_writer_expect(struct block_writer *w, const struct series_sample *typical);
/* Any order. The sample is valid (series_sample_valid). */
void block_writer_add(struct block_writer *w, const struct series_sample *s);
/* Appends the block; the writer may go on. n > 0. */
void block_writer_finish(const struct block_writer *w, struct buf *out, bool compress);
/* It takes no more: SERIES_BLOCK_SAMPLES, or near SERIES_BLOCK_BYTES. */
bool block_writer_full(const struct block_writer *w);

/* --- reading -----------------------------------------------------------------------------------
 */

/* Calls cb for each sample as it stands there; its hist is borrowed for the call. `limit`: refuses
 * blocks with more samples (ERROR_LIMIT). Other errors are ERROR_STORE: not a block, or corrupt;
 * cb may have been called before. */
bool block_read(struct slice bytes, size_t limit,
	void (*cb)(void *arg, const struct series_sample *s), void *arg,
	struct error *err) must_check;

/* Finite numbers, no negative durations, a time of this age of the world, a histogram that adds up.
 */
bool series_sample_valid(enum series_kind kind, const struct series_sample *s);

#endif

/*
 * series_row.h - a row of the tail: all samples of one second, one location and one hour, exact.
 * Pure. docs/formats/series.md has the bytes. Thread: one at a time.
 */
#ifndef STORE_SERIES_ROW_H
#define STORE_SERIES_ROW_H

#include "store/series_block.h"

#define SERIES_ROW_BYTES (16u << 20)

struct row_writer {
	struct block_faults faults;
	struct buf records;
	int64_t base_ms, last_ms;
	size_t n;
};

void row_writer_init(struct row_writer *w);
void row_writer_fini(struct row_writer *w);
/* position: the series' index in the list that row_writer_finish() gets. */
void row_writer_add(struct row_writer *w, size_t position, enum series_kind kind,
	const struct series_sample *s);
bool row_writer_full(const struct row_writer *w);

/* Appends one sample as rows hold it, but for its time; exact. */
void row_sample_write(struct buf *out, struct block_faults *faults, enum series_kind kind,
	const struct series_sample *s);
/* Back into a zeroed sample; `hist` is filled where there is one, and the sample borrows it. False:
 * corrupt. */
bool row_sample_read(struct code_in *in, const struct block_faults *faults, enum series_kind kind,
	struct series_hist *hist, struct series_sample *s) must_check;

struct row_series {
	uint32_t id;
	enum series_kind kind;
};

void row_writer_finish(
	const struct row_writer *w, const struct row_series *series, size_t n, struct buf *out);

/* Whether it speaks of a series whose id is in this range, as far as its head can be read; true
 * does not mean that the row is whole. */
bool row_may_have(struct slice bytes, uint32_t first, uint32_t last);
/* Exact, in order of arrival; cb's pointers are borrowed for the call. False: corrupt; cb may have
 * been called before. */
bool row_read(struct slice bytes,
	void (*cb)(void *arg, const struct row_series *series, const struct series_sample *s),
	void *arg, struct error *err) must_check;

#endif

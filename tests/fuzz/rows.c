/* rows.c - rows of the tail; the input lacks the checksum, which is put right here. What is read
 * can be written and read again as the same. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/vec.h"
#include "store/series_row.h"

struct seen {
	struct row_writer writer;
	VEC(struct row_series) series;
	VEC(int64_t) times;
	size_t n;
	bool compare;
};

static void on_sample(void *arg, const struct row_series *series, const struct series_sample *s)
{
	struct seen *seen = arg;

	if (seen->compare) {
		fuzz_hold(seen->n < seen->times.n && seen->times.p[seen->n] == s->at_ms &&
			  seen->series.p[seen->n].id == series->id);
		seen->n++;
		return;
	}
	if (row_writer_full(&seen->writer))
		return;
	row_writer_add(&seen->writer, seen->series.n, series->kind, s);
	vec_push(&seen->series, *series);
	vec_push(&seen->times, s->at_ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf row = BUF(1 << 20), again = BUF(SERIES_ROW_BYTES);
	struct seen seen = {0};
	struct error err = {0};

	row_writer_init(&seen.writer);
	buf_add(&row, p, n);
	code_put_word(&row, block_crc(buf_str(&row), row.n), 4);
	if (!row_read(buf_slice(&row), on_sample, &seen, &err)) {
		fuzz_hold(err.msg[0]);
	} else {
		row_writer_finish(&seen.writer, seen.series.p, seen.series.n, &again);
		seen.compare = true;
		fuzz_hold(row_read(buf_slice(&again), on_sample, &seen, &err));
		fuzz_hold(seen.n == seen.times.n);
	}
	row_writer_fini(&seen.writer);
	vec_fini(&seen.series);
	vec_fini(&seen.times);
	buf_fini(&row);
	buf_fini(&again);
	return 0;
}

/* blocks.c - blocks of series and roll-ups; the input lacks the checksum, which is put right here.
 * What is read can be written and read again as the same. */
#include "fuzz.h"

#include <stdlib.h>

#include "base/vec.h"
#include "store/series_roll.h"

struct seen {
	struct block_writer writer;
	VEC(int64_t) times;
	size_t n;
	bool compare;
};

static void on_sample(void *arg, const struct series_sample *s)
{
	struct seen *seen = arg;

	if (seen->compare) {
		fuzz_hold(seen->n < seen->times.n && seen->times.p[seen->n] == s->at_ms);
		seen->n++;
		return;
	}
	if (block_writer_full(&seen->writer))
		return;
	block_writer_add(&seen->writer, s);
	vec_push(&seen->times, s->at_ms);
}

static void try_samples(struct slice bytes, enum series_kind kind)
{
	struct error err = {0};
	struct seen seen = {0};
	struct buf again = BUF(SERIES_BLOCK_BYTES + 4096);

	block_writer_init(&seen.writer, kind, 0);
	if (!block_read(bytes, 100000, on_sample, &seen, &err)) {
		fuzz_hold(err.msg[0]);
	} else {
		block_writer_finish(&seen.writer, &again, true);
		seen.compare = true;
		fuzz_hold(block_read(buf_slice(&again), 100000, on_sample, &seen, &err));
		fuzz_hold(seen.n == seen.times.n);
	}
	block_writer_fini(&seen.writer);
	vec_fini(&seen.times);
	buf_fini(&again);
}

static void try_roll_up(struct slice bytes, int64_t step_ms)
{
	struct error err = {0};
	struct roll_day day = {0}, read = {0};
	struct buf again = BUF(SERIES_BLOCK_BYTES);

	if (!roll_day_read(bytes, step_ms, &day, &err)) {
		fuzz_hold(err.msg[0]);
	} else {
		const int64_t begin = day.p[0].at_ms / SERIES_DAY_MS * SERIES_DAY_MS;

		roll_day_write(&again, SERIES_PROBE, begin, step_ms, &day);
		fuzz_hold(roll_day_read(buf_slice(&again), step_ms, &read, &err));
		fuzz_hold(read.n == day.n);
		for (size_t i = 0; i < day.n; i++)
			fuzz_hold(read.p[i].n == day.p[i].n && read.p[i].ok == day.p[i].ok &&
				  read.p[i].at_ms == day.p[i].at_ms);
	}
	roll_day_fini(&day);
	roll_day_fini(&read);
	buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct buf block = BUF(1 << 20);

	buf_add(&block, p, n);
	code_put_word(&block, block_crc(buf_str(&block), block.n), 4);
	if (n > 2 && p[2] <= SERIES_DIST)
		try_samples(buf_slice(&block), (enum series_kind)p[2]);
	try_roll_up(buf_slice(&block), 600000);
	try_roll_up(buf_slice(&block), SERIES_HOUR_MS);
	try_roll_up(buf_slice(&block), SERIES_DAY_MS);
	buf_fini(&block);
	return 0;
}

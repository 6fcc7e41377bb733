/* statsd.c - packets of StatsD: what is taken can be handed over, and each line is counted once. */
#include "fuzz.h"

#include <math.h>

#include "observe/ingest/number.h"
#include "observe/ingest/statsd.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct statsd_table *t = statsd_table_new(50, 1);
	const struct slice packet = slice_from((const char *)p, n);
	double x;
	if (number_read(packet, &x))
		fuzz_hold(isfinite(x));
	for (int round = 0; round < 2; round++) {
		statsd_table_take(t, packet);
		struct statsd_batch *b = statsd_table_flush(t);
		fuzz_hold(b->items.n <= 50 && b->names.n <= 50);
		fuzz_hold(!b->bad.n == !b->bad.first[0]);
		fuzz_hold(utf8_valid(slice_of(b->bad.first)));
		VEC_EACH (&b->items, struct statsd_item, i) {
			fuzz_hold(isfinite(i->value) && i->id < 50);
			if (i->kind == STATSD_TIMER && i->n)
				fuzz_hold(series_hist_count(&i->hist) == i->n && i->min <= i->max);
		}
		statsd_batch_free(b);
	}
	statsd_table_free(t);
	return 0;
}

/* points.c - the bytes of points: what is read can be written, and is then read as the same. */
#include "fuzz.h"

#include <string.h>

#include "store/points.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct error err = {0};
	struct points *read = points_decode(slice_from((const char *)p, n), &err);
	struct buf once = BUF(POINTS_BYTES), twice = BUF(POINTS_BYTES);
	if (!read) {
		fuzz_hold(err.msg[0]);
		return 0;
	}
	points_encode(read, &once);
	struct points *again = points_decode(buf_slice(&once), &err);
	fuzz_hold(again && points_count(again) == points_count(read));
	points_encode(again, &twice);
	fuzz_hold(slice_eq(buf_slice(&once), buf_slice(&twice)));
	points_free(again);
	points_free(read);
	buf_fini(&once);
	buf_fini(&twice);
	return 0;
}

/* influx.c - InfluxDB's lines: what is taken passes the door as it is. */
#include "fuzz.h"

#include "observe/ingest/bodies.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const precisions[] = {"ns", "us", "ms", "s", "m", "h", ""};
	struct points *points = points_new();
	struct bad_lines bad = {0};
	struct error err = {0};
	struct buf out = BUF(POINTS_BYTES);
	const struct slice body = slice_from((const char *)p, n);
	const char *precision = precisions[n % array_len(precisions)];
	if (influx_read(body, precision, points, &bad, &err) == BODY_TAKEN) {
		points_encode(points, &out);
		struct points *again = points_decode(buf_slice(&out), &err);
		fuzz_hold(again && points_count(again) == points_count(points));
		points_free(again);
	} else {
		fuzz_hold(err.msg[0]);
	}
	fuzz_hold(!bad.n == !bad.first[0]);
	points_free(points);
	buf_fini(&out);
	return 0;
}

/* remotewrite.c - bodies of remote write: as they come, and packed here so that the message inside
 * is reached. */
#include "fuzz.h"

#include <snappy-c.h>
#include <stdlib.h>

#include "observe/ingest/bodies.h"

static void try_body(struct slice body)
{
	struct points *points = points_new();
	struct bad_lines bad = {0};
	struct error err = {0};
	const enum body_read result = remote_write_read(body, points, &bad, &err);
	fuzz_hold((result == BODY_TAKEN) == !err.msg[0]);
	points_free(points);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	size_t packed_n = snappy_max_compressed_length(n);
	char *packed = mem_alloc(packed_n + 1);
	try_body(slice_from((const char *)p, n));
	fuzz_hold(snappy_compress((const char *)p, n, packed, &packed_n) == SNAPPY_OK);
	try_body(slice_from(packed, packed_n));
	free(packed);
	return 0;
}

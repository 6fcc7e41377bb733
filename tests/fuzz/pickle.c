/* pickle.c - pickles of carbon: what is refused says why and leaves nothing. */
#include "fuzz.h"

#include <math.h>

#include "observe/ingest/graphite.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct points *points = points_new();
	struct bad_lines bad = {0};
	const char *wrong = graphite_pickle_read(slice_from((const char *)p, n), points, &bad);
	if (wrong)
		fuzz_hold(wrong[0] && !points_count(points) && !bad.n);
	fuzz_hold(points_count(points) + bad.n <= n);
	for (size_t i = 0; i < points_count(points); i++)
		fuzz_hold(isfinite(points_at(points, i).value));
	points_free(points);
	return 0;
}

/* graphite.c - lines of Graphite: one is taken, or it says why not. */
#include "fuzz.h"

#include <math.h>

#include "observe/ingest/graphite.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct points *points = points_new();
	const char *wrong = graphite_line_read(slice_from((const char *)p, n), points);
	fuzz_hold(points_count(points) == (wrong ? 0 : 1));
	if (!wrong) {
		const struct point one = points_at(points, 0);
		fuzz_hold(one.name.n && isfinite(one.value) && utf8_valid(one.name));
		fuzz_hold(one.at_ms >= 0 || one.at_ms == POINTS_NOW);
	}
	points_free(points);
	return 0;
}

/*
 * moment.c - see moment.h.
 */

#include "cli/moment.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/units.h"

bool moment_option(const char *option, const char *text, int64_t now_ms, int64_t *ret_ms)
{
	int64_t us, ns;
	if (clock_parse_rfc3339(text, &us) && us >= 0) {
		*ret_ms = us / 1000;
		return true;
	}
	if (units_parse_time(slice_of(text), &ns) && ns >= 0 && ns / NS_PER_MS <= now_ms) {
		*ret_ms = now_ms - ns / NS_PER_MS;
		return true;
	}
	fprintf(stderr,
		"--%s: \"%s\" is neither a time ago (2h) nor a time (2026-11-24T13:00:00Z)\n",
		option, text);
	return false;
}

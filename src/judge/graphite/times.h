/*
 * times.h - the times Graphite's users write; see graphite_moment(). Thread: any.
 */
#ifndef JUDGE_GRAPHITE_TIMES_H
#define JUDGE_GRAPHITE_TIMES_H

#include "base/error.h"
#include "base/zone.h"

/* zone NULL: UTC. */
bool times_parse(const char *text, int64_t now_s, const struct zone *zone, int64_t *ret,
	struct error *err) must_check;
/* "years", "1min", "d", "w3": the begin of the unit in which the moment lies, in the zone; a digit
 * behind weeks is the ISO day a week begins with. False: no such unit. */
bool times_align(const char *unit, int64_t at_s, const struct zone *zone, int64_t *ret);

#endif

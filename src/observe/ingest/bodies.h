/*
 * bodies.h - what comes over HTTP as bodies, read into points: InfluxDB's lines, remote write.
 *
 * Both are pure; they run in the serving half, which has nothing to lose. Thread: any.
 */
#ifndef OBSERVE_INGEST_BODIES_H
#define OBSERVE_INGEST_BODIES_H

#include "base/error.h"
#include "observe/ingest/bad.h"
#include "store/points.h"

#define BODY_DECODED_MAX (16u << 20) /* bytes of a body after it was unpacked */

enum body_read {
	BODY_TAKEN, /* all of it, but for what is counted in `bad` */
	BODY_WRONG, /* it is none: err says why */
	BODY_LARGE, /* more than fits a batch or the limit above: err says what to do */
};

/* Lines MEASUREMENT[,TAG=VALUE]... FIELD=VALUE[,FIELD=VALUE]... [TIME]. `precision` is that of the
 * times: "ns" or "n" (NULL, "" too), "us" or "u", "ms", "s", "m", "h". Numbers and booleans (1, 0)
 * become points; texts are left out, since a series has no room for them. The first line that is
 * none is in `bad` as InfluxDB says it: unable to parse 'LINE': REASON. */
enum body_read influx_read(struct slice body, const char *precision, struct points *p,
	struct bad_lines *bad, struct error *err);

/* A snappy-packed WriteRequest of Prometheus' remote write 1.0. Labels are tags, __name__ the name.
 * Marks of staleness and other values that are no number are left out; exemplars, native histograms
 * and metadata too. */
enum body_read remote_write_read(
	struct slice body, struct points *p, struct bad_lines *bad, struct error *err);

#endif

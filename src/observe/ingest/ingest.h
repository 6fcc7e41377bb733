/*
 * ingest.h - streams an operator already has: StatsD, Graphite, InfluxDB lines, remote write.
 *
 * Each speaks its own protocol and ends in the same: points (points.h) that become samples of
 * series. Names are taken verbatim, so that what was a path in Graphite is the name here:
 *
 *	StatsD counter X      SUM    stats.counters.X     what was added in the interval
 *	StatsD timer X        DIST   stats.timers.X       us; all of the interval
 *	StatsD gauge X        GAUGE  stats.gauges.X
 *	StatsD set X          GAUGE  stats.sets.X.count
 *	Graphite path P       GAUGE  P
 *	Influx m,t=v f=1      GAUGE  m.f{t="v"}           a field named "value": m{t="v"}
 *	remote write          GAUGE  __name__{labels}
 *
 * All carry the tag-less location of who sent them: that of this instance. Tags (`;k=v` of
 * Graphite, `|#k:v` of DogStatsD, those of Influx, labels) become tags of the series. Samples of
 * StatsD are aligned on the flush interval (10 s) by the wall clock.
 * How many series one source may make is limited (names_max); what is over it is counted and told
 * once, the names that are there go on. Nothing here can hold up the loop: packets are received,
 * parsed and aggregated on threads of their own (statsd.h), bodies in the serving half.
 * Thread: the loop's, but where said.
 */
#ifndef OBSERVE_INGEST_INGEST_H
#define OBSERVE_INGEST_INGEST_H

#include "base/error.h"
#include "net/loop.h"
#include "store/points.h"
#include "store/series.h"

struct ingest;

struct ingest_options {
	const char *statsd;   /* "127.0.0.1:8125", UDP; NULL: none */
	const char *graphite; /* "127.0.0.1:2003", lines over TCP and UDP; NULL: none */
	const char *pickle;   /* "127.0.0.1:2004"; NULL: none */
	const char *location;
	int64_t flush_ns;     /* of StatsD; 0: 10 s */
	size_t names_max;     /* series all of it may make; 0: 100,000 */
	unsigned connections; /* of Graphite at once; 0: 256 */
};

struct ingest_state {
	struct {
		const char *name;    /* "statsd", "graphite", "pickle", "influx", "remote_write" */
		uint64_t points;     /* taken */
		uint64_t bad;        /* lines or parts that are none, told with the first of them */
		uint64_t refused;    /* over names_max, too old, ahead of the clock */
		uint64_t lost;       /* packets the kernel dropped, where it says so */
		char first_bad[160]; /* of the last minute, "" */
	} source[5];
	size_t names;
};

/* Opens the sockets. Borrows loop and store. */
struct ingest *ingest_open(struct loop *l, struct series_store *store,
	const struct ingest_options *options, struct error *err) must_check;
/* What the last interval holds is stored first. */
void ingest_close(struct ingest *i);
/* Points that came another way (bodies read by the serving half); `source` as above. Returns how
 * many were taken. Borrows. */
size_t ingest_points(struct ingest *i, const char *source, const struct points *points);
struct ingest_state ingest_state(const struct ingest *i);
unsigned ingest_port(const struct ingest *i, const char *source); /* 0: not open */

#endif

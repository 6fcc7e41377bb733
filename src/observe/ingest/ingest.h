/*
 * ingest.h - streams an operator already has: StatsD, Graphite, InfluxDB lines, remote write.
 *
 * Each speaks its own protocol and ends in the same: points (points.h) that become samples of
 * series. Names are taken verbatim, so that what was a path in Graphite is the name here:
 *
 *	StatsD counter X      SUM    stats.counters.X     what was added in the interval
 *	StatsD timer X        DIST   stats.timers.X       us; all of the interval
 *	StatsD gauge X        GAUGE  stats.gauges.X       where it was heard of in the interval
 *	StatsD set X          GAUGE  stats.sets.X.count
 *	Graphite path P       GAUGE  P
 *	Influx m,t=v f=1      GAUGE  m.f{t="v"}           a field named "value": m{t="v"}
 *	remote write          GAUGE  __name__{labels}
 *
 * All carry the tag-less location of who sent them: that of this instance. Tags (`;k=v` of
 * Graphite, `|#k:v` of DogStatsD, those of Influx, labels) become tags of the series. Samples of
 * StatsD stand at the end of their flush interval (10 s), aligned by the wall clock.
 * How many series all of it may make is limited (names_max); what is over it is counted and told
 * once, the names that are there go on. Nothing here can hold up the loop: packets are received,
 * parsed and aggregated on threads of their own (statsd.h, graphite.h), bodies in the serving half,
 * and points become samples a few milliseconds at a time.
 * Thread: the loop's, but where said.
 */
#ifndef OBSERVE_INGEST_INGEST_H
#define OBSERVE_INGEST_INGEST_H

#include "base/error.h"
#include "net/loop.h"
#include "observe/ingest/bad.h"
#include "store/points.h"
#include "store/series.h"

#define INGEST_WAITING_MAX 500000 /* points that wait to become samples */
#define INGEST_HOST        64     /* an address and NUL */

struct ingest;

struct ingest_options {
	const char *statsd;   /* "127.0.0.1:8125", UDP; NULL: none */
	const char *graphite; /* "127.0.0.1:2003", lines over TCP and UDP; NULL: none */
	const char *pickle;   /* "127.0.0.1:2004"; NULL: none */
	const char *location; /* "" */
	int64_t flush_ns;     /* of StatsD; 0: 10 s */
	size_t names_max;     /* series all of it may make; 0: 100,000 */
	unsigned connections; /* of Graphite at once; 0: 256 */
	/* What the operator should hear of, a line; each at most once a minute. May be NULL. */
	void (*tell)(void *arg, const char *text);
	void *tell_arg;
};

enum ingest_source {
	INGEST_STATSD,
	INGEST_GRAPHITE,
	INGEST_PICKLE,
	INGEST_INFLUX,
	INGEST_REMOTE_WRITE,
	INGEST_SOURCES
};
const char *ingest_source_name(enum ingest_source s); /* "statsd", ... "remote_write" */

struct ingest_state {
	struct {
		uint64_t points;  /* taken: of StatsD lines, else values */
		uint64_t bad;     /* lines or parts that are none, told with the first of them */
		uint64_t refused; /* over names_max, too old, ahead of the clock */
		uint64_t lost;    /* packets the kernel dropped, where it says so */
		char first_bad[BAD_TEXT]; /* of the last minute, "" */
	} source[INGEST_SOURCES];
	size_t names, waiting;
};

/* Opens the sockets. Borrows loop and store; copies the options. */
struct ingest *ingest_open(struct loop *l, struct series_store *store,
	const struct ingest_options *options, struct error *err) must_check;
/* What has arrived and what the last interval holds is stored first. It runs the loop: never from
 * inside a callback. */
void ingest_close(struct ingest *i);
/* Points that came another way (bodies read by the serving half). Takes them, also when it refuses:
 * false when INGEST_WAITING_MAX wait already. */
bool ingest_points(struct ingest *i, enum ingest_source source, struct points *points) must_check;
/* Where programs of this machine send StatsD's; false: nowhere. */
bool ingest_statsd_address(const struct ingest *i, char host[INGEST_HOST], unsigned *ret_port);
/* Lines of StatsD from within, added up as those that come over UDP but apart from them. */
void ingest_packet(struct ingest *i, struct slice lines);
/* The same of one metric; a timer's value is ms. The name holds neither `:` nor `|`. */
enum ingest_metric { INGEST_COUNTER, INGEST_TIMER, INGEST_GAUGE };
void ingest_metric(struct ingest *i, enum ingest_metric metric, const char *name, double value);
/* Lines of such a body that were none. */
void ingest_bad(struct ingest *i, enum ingest_source source, const struct bad_lines *bad);
struct ingest_state ingest_state(const struct ingest *i);
unsigned ingest_port(const struct ingest *i, enum ingest_source source); /* 0: not open */

#endif

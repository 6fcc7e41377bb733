/*
 * measure.h - the signal "this took so long": a call to a service, a wait for an object, a check, a
 * benchmark, a run.
 *
 * Observers fill one for each thing they have measured; statistics (store's series), exporters and
 * reports take it. Neither side knows of the other: the wiring hands it on. It is living state; a
 * crash may lose it. Thread: the loop's.
 */
#ifndef STORE_MEASURE_H
#define STORE_MEASURE_H

#include <jansson.h>
#include <stdint.h>

#include "base/fault.h"

enum measure_what {
	MEASURE_CALL,  /* one exchange with a service; repeated tries are exchanges of their own */
	MEASURE_WAIT,  /* from the answer to a create until it is ready, from a delete until it is
			  gone */
	MEASURE_CHECK, /* a measuring step of a scenario, from its first try to its result */
	MEASURE_BENCH, /* a figure of a check: `value` in `unit` */
	MEASURE_RUN,   /* a whole run, until everything was built and measured */
	MEASURE_ENDPOINT, /* an exchange of a probe of the catalog: a GET, whose series is its own
			   */
	MEASURE_PROBE,    /* a run of one of the user's probes, all its tries */
};

struct measure { /* all pointers are borrowed for the call */
	enum measure_what what;
	const char *cloud, *region, *location; /* "" where not known */
	const char *scenario, *run, *step;     /* NULL where it belongs to none: a token, a list */
	const char *service;                   /* "compute"; NULL: none */
	int index; /* of the step's element, from 0; -1: there is but one */
	/*
	 * CALL: "POST /servers", ids replaced by {id}, without the query. ENDPOINT: "GET". WAIT:
	 * "server ready", "server gone" and so on: the kind and one of both words. CHECK: the verb,
	 * "ssh". BENCH: "pi", "disk bandwidth", "throughput" and so on (run_measure.c). RUN: the
	 * scenario. PROBE: its name; `kind` is that of the probe, "http".
	 */
	const char *name;
	const char *kind; /* of the object, "server"; NULL: none or not known */
	/* CALL, ENDPOINT: the address asked, whole. PROBE of kind http: its address. NULL else. */
	const char *url;
	const char
		*project; /* CALL, ENDPOINT: the project's id, "" before there is one; NULL else */
	const char *globalmon;    /* PROBE: the service its names are of; NULL: it has none */
	const json_t *dimensions; /* {"zone": "az1", "host": "…", …} or NULL */
	int64_t at_ms;            /* when it began, since 1970 */
	int64_t total_us;
	int64_t limit_us;         /* what it was allowed: of a WAIT, a CHECK, a RUN; 0: not known */
	double value;             /* BENCH only */
	int64_t certificate_at_s; /* PROBE: when the certificate seen expires; 0: none was seen */
	unsigned tries;           /* PROBE: how many the run took */
	const char *unit;
	const json_t *measured;                      /* CHECK: its [NAME]s; NULL: none */
	enum fault fault;                            /* NONE: good */
	int status;                                  /* HTTP, 0: none came */
	const char *request_id, *service_request_id; /* may be NULL */
};

typedef void measure_signal(void *arg, const struct measure *m);

#endif

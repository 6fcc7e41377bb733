/*
 * observation.h - the signal "a sample was stored", with what proves it.
 *
 * Observers fill one for each thing they saw, right after series_append(); who judges takes it. It
 * is living state: a crash may lose it, the sample itself is in the series.
 * Thread: the loop's.
 */
#ifndef STORE_OBSERVATION_H
#define STORE_OBSERVATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"

/* What a failure may say of its component at most. */
enum severity { SEVERITY_OUTAGE, SEVERITY_DEGRADED, SEVERITY_NOTE };

struct observation {             /* all pointers are borrowed for the call */
	const char *location;    /* whence it was seen: an outpost's; NULL or "": here */
	const char *cloud;       /* "" for what belongs to no cloud */
	const char *probe;       /* what was scheduled: "compute.versions", "server-login" */
	const char *step;        /* of a scenario, "server[1]"; else NULL */
	const char *component;   /* its id, "compute"; "": nobody's */
	const char *series;      /* series_text() of where the sample stands; NULL: nowhere */
	const char *run;         /* of a scenario, else NULL */
	int64_t at_ms, total_us; /* when it began; how long it took, 0: it did not get that far */
	enum fault fault;
	bool warned; /* good, but a `warn` condition or a limit was not met */
	unsigned tries;
	enum severity severity;
	int status;          /* HTTP, or 0 */
	const char *detail;  /* for people, when there is a fault or a warning; may be NULL */
	const char *shared;  /* what it has in common with other failures; may be NULL */
	const char *request; /* "GET https://..."; may be NULL */
	const char *request_id, *service_request_id; /* may be NULL */
};

typedef void observation_signal(void *arg, const struct observation *o);

#endif

/*
 * endpoint.h - probes of every service of a cloud's catalog: safe GETs that change nothing.
 *
 * What is asked of a service stands in a table (endpoint.def in the program; `endpoints/NAME.yaml`
 * of the user adds rows and overrides them). Each is a probe of its own on the schedule, sent on a
 * fresh connection at its time whatever the others do, outside of the cloud's inflight limit, with
 * a deadline shorter than its rate, so that a target that hangs thins nobody's samples. Issuing a
 * token is a probe too ("token"): it times the log-in as a customer does it.
 * A 2xx or 3xx answer, and 300 of a version list, is good; 401 and 403 are the configuration's
 * fault, 429 is ours, the rest the cloud's. A service that the catalog no longer holds is told as
 * missing (no_service) for an hour, then its probes go. See docs/endpoints.md.
 * Thread: the loop's.
 */
#ifndef OBSERVE_ENDPOINT_H
#define OBSERVE_ENDPOINT_H

#include "observe/schedule.h"
#include "openstack/cloud.h"
#include "store/measure.h"
#include "store/observation.h"
#include "store/series.h"

struct endpoints; /* the probes of one cloud */

struct endpoint_options {
	const char *location; /* of this instance */
	/* Put in front of component ids where several clouds or regions are watched: "prod-"; "" */
	const char *component_prefix;
	int64_t every_ns;   /* 0: 30 s */
	int64_t timeout_ns; /* 0: 10 s, never more than every_ns */
	int64_t slow_ns;    /* a good answer later than this is `warned`; 0: 2 s */
	measure_signal
		*measured; /* each exchange but for the log-in, which the cloud tells; or NULL */
	void *measured_arg;
};

/* One probe, as it will be run; for the page, `config show` and the judge. Borrowed. */
struct endpoint_probe {
	const char *name;                      /* "compute.versions", "token" */
	const char *service;                   /* catalog type */
	const char *component;                 /* id, prefix included */
	const char *component_name, *category; /* "Compute", "Compute" */
	const char *url;
	int64_t every_ns, timeout_ns, slow_ns;
};

/*
 * Reads the catalog (again with each answer to the token probe: an unreachable keystone fails no
 * start, that probe then says so), makes the probes and puts them on the schedule. `probes` is a
 * client with fresh connections; series may be NULL. Borrows all but options (copied).
 * `changed` is told when probes came or went and when the catalog was read for the first time,
 * never from in here. Errors: a bad table of the user's, the first of its errors
 * (endpoint_table_load() has all).
 */
struct endpoints *endpoints_new(struct schedule *s, struct cloud *c, struct http_client *probes,
	struct series_store *series, const struct endpoint_options *options,
	observation_signal *seen, void (*changed)(void *arg), void *arg,
	struct error *err) must_check;
void endpoints_free(struct endpoints *e); /* cancels */
/* Borrowed for this turn of the loop: probes may have come or gone by the next. */
size_t endpoints_list(const struct endpoints *e, const struct endpoint_probe **ret);
/* Whether the catalog was ever read; before that the list holds no more than the log-in. */
bool endpoints_know_catalog(const struct endpoints *e);

#endif

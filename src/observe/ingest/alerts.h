/*
 * alerts.h - alerts that other monitoring sends: what fires, since when, and what it says.
 *
 * An alert is known by its labels: its fingerprint is the hash that Prometheus and Alertmanager
 * make of them, and one that is sent again is the same. It fires until it is sent as resolved,
 * until its end has come, or, when none was given, until ALERTS_SILENCE_NS after it was last sent.
 * Each time it fires is one row (alerts_rows.c); each change is a row of the change feed, for
 * operators.
 *
 * One with a label `component` is an observation of that component too, told when it begins and
 * every ALERTS_TELL_NS while it fires: of the severity of its label `severity` (critical, page,
 * error: an outage; info, none: a note; everything else and none at all: degraded). Thread: the
 * loop's.
 */
#ifndef OBSERVE_INGEST_ALERTS_H
#define OBSERVE_INGEST_ALERTS_H

#include <jansson.h>

#include "base/error.h"
#include "net/loop.h"
#include "store/facts.h"
#include "store/observation.h"

#define ALERTS_OPEN_MAX   10000 /* that fire at once */
#define ALERTS_SHOWN_MAX  500
#define ALERTS_SILENCE_NS (5 * 60 * NS_PER_S)
#define ALERTS_TELL_NS    (10 * NS_PER_S)

struct alerts;

struct alerts_options {
	/* The id of the component of this name or id; NULL: there is none. Borrowed. May be NULL.
	 */
	const char *(*component)(void *arg, const char *name);
	/* A probe of this name will be told of, or no more. */
	void (*expect)(void *arg, const char *probe, bool on);
	observation_signal *seen;
	void *arg;
};

/* What fired before the last end goes on firing, for as long as if it had just been sent. */
struct alerts *alerts_open(struct loop *l, struct facts *f, const struct alerts_options *options,
	struct error *err) must_check;
void alerts_close(struct alerts *a); /* NULL is fine */

/* Each of `list` is {labels, annotations, starts_ms, ends_ms, url, resolved}, its times 0 where
 * unknown, held to its limits by who read it. `done` comes after the commit, never from in here:
 * status 200; 429: too many fire; 503: they could not be stored. */
typedef void alerts_done(void *arg, int status, const char *why);
void alerts_take(struct alerts *a, const json_t *list, alerts_done *done, void *arg);

size_t alerts_firing(const struct alerts *a);
/* {"alerts": [{fingerprint, state: firing|resolved, labels, annotations, url, component | null,
 * starts_ms, ends_ms | null}]}, those that fire first, then the newest of the others; owned. */
json_t *alerts_json(struct alerts *a);

#endif

/*
 * mishap.h - faults on demand: which requests meet one, and what happens to them.
 *
 * A rule names requests (service, method, path pattern, host, the nth of them, a probability, a
 * window of time) and one effect. Rules are read from the faults file or posted to /sim/faults; the
 * form is in docs/sim.md. Thread: the loop's.
 */
#ifndef SIM_MISHAP_H
#define SIM_MISHAP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

struct call;
struct sim;

enum mishap_effect {
	MISHAP_LATENCY, /* the service works longer */
	MISHAP_STATUS,  /* an error of the service's own form */
	MISHAP_LOST,    /* the connection ends without an answer */
	MISHAP_CUT,     /* the answer's body ends early */
	MISHAP_HTML,    /* a proxy answers with a page */
	MISHAP_JSON,    /* 200 and a body that is no JSON */
	MISHAP_STUCK,   /* what is made or changed stays in its first state for ever */
	MISHAP_ERROR,   /* what is made or changed ends in ERROR */
	MISHAP_QUOTA,   /* over quota, in the service's form */
	MISHAP_EXPIRED, /* the token is no longer good */
	MISHAP_HOLE,    /* the catalog of the token lacks a service */
	MISHAP_LEAK,    /* nova or octavia forgets to delete the port it made */
	MISHAP_COUNT
};

enum mishap_when {
	MISHAP_BEFORE, /* nothing happens in the cloud */
	MISHAP_AFTER,  /* it happens, then the answer goes wrong */
	MISHAP_LATE,   /* lost only: the connection ends at once, it happens afterwards */
};

struct mishap {
	unsigned refs;
	unsigned id;
	char *service, *method, *path; /* patterns; NULL: any */
	char *host;                    /* a pattern: only what happens on such hosts; NULL: any */
	enum mishap_effect effect;
	enum mishap_when when;
	int64_t nth;            /* only the nth that fits, from 1; 0: each */
	int64_t times;          /* happens at most so often; 0: no limit */
	double probability;     /* 1: always */
	int64_t from_ns, to_ns; /* since the start of the sim; to 0: no end */
	int64_t time_ns;        /* latency */
	int status;             /* status, html */
	int64_t retry_ns;       /* Retry-After; -1: none */
	bool retry_date;        /* as a date instead of seconds */
	int64_t bytes;          /* cut: so many arrive; -1: half */
	char *text;             /* message, page, fault text, or service type of the hole */
	uint64_t seen, fired;
};

struct mishaps {
	VEC(struct mishap *) list;
	unsigned next_id;
};

void mishaps_fini(struct mishaps *m);
void mishaps_clear(struct mishaps *m);
/* One object or a list of them. Nothing is added when one of them is wrong. */
bool mishaps_add(struct mishaps *m, const json_t *rules, struct error *err) must_check;
/* What is there, with `seen` and `fired`; returns an owned reference. */
json_t *mishaps_json(const struct mishaps *m);
/* Adds a reference to every rule that strikes to c->hits. */
void mishaps_strike(struct sim *s, struct call *c);
void mishap_unref(struct mishap *m);
const char *mishap_effect_name(enum mishap_effect e);

#endif

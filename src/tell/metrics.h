/*
 * metrics.h - numbers out: what was measured (store/measure.h), told to time series databases, and
 * kept at hand for scrapes.
 *
 * Three ways out. *Points* go to InfluxDB or telegraf, one a measure, in batches; what a receiver
 * does not take waits in memory, bounded, oldest lost first and counted, tried again with back-off.
 * The *tally* (counts, sums, buckets since the start, last values) is what /metrics shows and what
 * OTLP and remote write send again and again, so that a receiver that was away misses nothing.
 * *Names* of CloudMon go to StatsD, to Graphite, and into our own series. A receiver that
 * hangs holds one connection until its deadline and costs nothing else. Passwords and headers are
 * secrets, borrowed. Thread: the loop's.
 */
#ifndef TELL_METRICS_H
#define TELL_METRICS_H

#include "base/secret.h"
#include "judge/judge.h"
#include "net/http_client.h"
#include "net/resolver.h"
#include "store/measure.h"

struct metrics;

enum metrics_kind {
	METRICS_INFLUX,
	METRICS_OTLP,
	METRICS_REMOTE_WRITE,
	METRICS_STATSD,
	METRICS_GRAPHITE,
	METRICS_STORE, /* our own series, by CloudMon's names */
	METRICS_KINDS
};
enum metrics_dialect { METRICS_OWN, METRICS_OSHM }; /* docs/metrics.md, docs/oshm-metrics.md */
enum metrics_precision { METRICS_NS, METRICS_US, METRICS_MS, METRICS_S };

struct metrics_header {
	const char *name;
	const struct secret *value;
};

struct metrics_receiver {
	const char *name; /* unique; NULL: kind and host */
	enum metrics_kind kind;
	/* influx: its base, or the whole address of a /write; otlp, remote_write: the whole;
	 * statsd, graphite: HOST:PORT; store: "" */
	const char *url;
	enum metrics_dialect dialect;
	const char *database;    /* NULL: "glasshouse"; as OSHM: "cicd" */
	const char *measurement; /* NULL: "glasshouse"; as OSHM: the cloud's name */
	const char *username;    /* NULL: none */
	const struct secret *password;
	enum metrics_precision precision; /* of our own dialect's times */
	bool gzip;
	const struct metrics_header *headers;
	size_t header_count;
	const char *prefix, *environment, *zone; /* statsd, graphite, store: cloudmon_names.h */
	/* A batch waits at most so long; 0: influx 5 s, otlp and remote_write 15 s, statsd and
	 * store 1 s, graphite 10 s. */
	int64_t every_ns;
	int64_t spool_size; /* bytes that wait at most; 0: 16 MiB */
};

struct metrics_site {
	const char *instance, *location; /* location "" : none */
	struct judge *judge;             /* states of components; NULL: none */
	/* Tells the waits that are open, each with its time so far; NULL: there are none. */
	void (*open_waits)(void *arg, measure_signal *cb, void *cb_arg);
	/* Takes lines of StatsD into our own series; NULL: nobody does. */
	void (*packet)(void *arg, struct slice lines);
	/* A receiver does not take what it is sent, once a minute at most; why NULL: it does again.
	 * lost: what never will be there, since the start. NULL: nobody hears it. */
	void (*trouble)(void *arg, const char *receiver, const char *why, uint64_t lost);
	void *arg;
	struct resolver *resolver; /* borrowed; NULL: no receivers of kind statsd and graphite */
};

/* Borrows loop, client, judge; copies the rest. No receivers yet. */
struct metrics *metrics_new(
	struct loop *l, struct http_client *client, const struct metrics_site *site);
/* What waits is lost, and nothing is told any more. */
void metrics_free(struct metrics *m);
/* The receivers from now on (SIGHUP): one that stays as it is keeps what waits, one that is gone
 * loses it. Copies all but secrets, which it borrows. False: nothing has changed. */
bool metrics_configure(struct metrics *m, const struct metrics_receiver *list, size_t n,
	struct error *err) must_check;
/* A measure_signal: something was measured. */
void metrics_take(void *metrics, const struct measure *x);
/* A probe that there is no more: /metrics shows it no longer. */
void metrics_forget_probe(struct metrics *m, const char *name);
/* Sends what waits and ends: done once all of it was taken or could not be, at most budget_ns from
 * now; what was left then is counted as lost. Nothing is taken any more. done comes later, never
 * from in here, and frees nothing. */
void metrics_drain(struct metrics *m, int64_t budget_ns, void (*done)(void *arg), void *arg);

const char *metrics_kind_name(enum metrics_kind kind); /* "influx", "otlp", ... */
/* Cuts HOST:PORT, [V6]:PORT; *ret_host owned. False: it is none. */
bool metrics_host_port(const char *text, char **ret_host, unsigned *ret_port);
/* The receiver's name, or the one it gets: kind, host and port, since the rest of an address may be
 * a secret. Owned. */
char *metrics_receiver_name(const struct metrics_receiver *c);
/* Where points are posted to, of a receiver whose texts are all there. Owned. */
char *metrics_write_url(const struct metrics_receiver *c);
/* What a complete configuration holds: names and defaults filled in, texts owned, secrets borrowed.
 */
void metrics_config_copy(struct metrics_receiver *to, const struct metrics_receiver *from);
void metrics_config_fini(struct metrics_receiver *c);

/* Whether it is asked over HTTP. */
bool metrics_is_http(enum metrics_kind kind);
/* Sends one of HTTP nothing at all, to see whether it would take something: a 2xx. `done` as
 * http_send() says. */
struct http_call *metrics_ask(struct http_client *client, const struct metrics_receiver *c,
	int64_t deadline_ns, http_done *done, void *arg);
/* What an answer that is no success says, in printable text without secrets; owned. */
char *metrics_answer_text(const struct http_answer *a);

struct metrics_state {
	const char *name;
	enum metrics_kind kind;
	uint64_t sent;     /* points taken by the receiver */
	uint64_t lost;     /* that never will be: refused, or no room */
	uint64_t failures; /* attempts that failed */
	size_t waiting;    /* points */
	int64_t last_ok_ms;
	const char *trouble; /* why the last attempt failed, or NULL */
};
/* In order of configuration. Borrowed until the next call. */
size_t metrics_states(struct metrics *m, const struct metrics_state **ret);
/* The tally, open waits and receivers in Prometheus' text format, a piece a call, so that each is
 * short for the loop. `at` is zeroed before the first; false: that was the last. */
struct metrics_exposed {
	int family;
	size_t series; /* the next of it */
};
bool metrics_expose(struct metrics *m, struct metrics_exposed *at, struct buf *out);

#endif

/*
 * reporter.h - the sending half of an outpost: what waits in the store's outbox goes to its house.
 *
 * Parcels (store/parcel.h) go one after the other, each once the one before was answered, so that
 * they arrive in the order of their numbers; what waits from a time when the house was away goes
 * without a pause between. Nothing leaves the outbox before the house said that it has it. A house
 * that does not take a parcel is asked again, after 1 s and then ever more rarely, after a minute
 * at most. When nothing waits a parcel without items goes every 10 s: it tells that we are there.
 *
 * The head of a parcel, a JSON object: "location", "instance", "version", "stream" (of the outbox),
 * "sent_ms" (our clock), "items", "bytes", "samples", "oldest_ms" (that wait), "too_old",
 * "too_many", "lost_notes" (dropped), "blind" (why, or null), "about_id", and "about" when the
 * house wants it: {"components": [{"id", "name", "category", "cloud", "region"}], "probes":
 * [{"cloud", "probe", "every_ms", "timeout_ms"}]}. Thread: the loop's.
 */
#ifndef OBSERVE_REPORT_REPORTER_H
#define OBSERVE_REPORT_REPORTER_H

#include <jansson.h>

#include "base/secret.h"
#include "net/http_client.h"
#include "store/observation.h"
#include "store/outbox.h"

#define REPORT_PATH "/api/ops/v1/outpost"

struct reporter;

struct reporter_options {           /* texts are copied */
	const char *to;             /* of the house: "https://status.example.org:8091" */
	const struct secret *token; /* referenced */
	const char *location, *instance;
	/* Something for who watches: it is not taken, it is taken again, something was dropped. */
	void (*tell)(void *arg, const char *text);
	void *arg;
};

/* `store` has an outbox; it and `http` live longer. */
struct reporter *reporter_new(struct loop *l, struct http_client *http, struct series_store *store,
	const struct reporter_options *options);
void reporter_free(struct reporter *r); /* NULL is fine */
/* From the next parcel on. */
void reporter_set_token(struct reporter *r, const struct secret *token);
/* One of ours, after the witnesses; it goes with its sample. */
void reporter_seen(struct reporter *r, const struct observation *o);
/* What runs here now (takes `about`); the house is told when it differs. */
void reporter_about(struct reporter *r, json_t *about);
void reporter_blind(struct reporter *r, bool blind, const char *why);

struct reporter_state {
	const char *why;  /* the house does not take it, or NULL; borrowed */
	int64_t taken_ms; /* when it took something last; 0: not since the start */
	uint64_t parcels, samples, failures; /* taken; tries that failed */
};
struct reporter_state reporter_state(const struct reporter *r);

/* Asks once whether the house takes us: a parcel without items, which it does not remember. `done`
 * gets what came, never from in here. */
void reporter_ask(struct http_client *http, const struct reporter_options *options,
	int64_t deadline_ns, http_done *done, void *arg);
/* What the house said was wrong, or what came instead of an answer. Returns owned. */
char *reporter_answer_text(const struct http_answer *a);

#endif

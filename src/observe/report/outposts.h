/*
 * outposts.h - the receiving half: parcels of outposts become series of their location, and what
 * they observed a signal.
 *
 * A parcel (store/parcel.h; its head: reporter.h) is taken an item a turn of the loop. Samples are
 * appended as series of the location, and through which number the outpost's stream was taken is
 * stored in the same transaction (store/outbox.h): whatever is killed when, nothing of it is
 * missing and nothing is there twice. It is answered once that is on the disk. An outpost whose
 * answer was lost sends again what is known then, and gets the answer. Observations come once, with
 * their samples, or not at all: they are living state. Those that are not fresh any more (three
 * periods of their probe and its timeout; a minute, where the outpost did not say) are in the
 * series alone. They carry `location`; their times are those of our clock, when the outpost's is
 * more than OUTPOST_CLOCK_MS off; samples keep the time that they were given.
 *
 * What an outpost is, and said last of what it runs, is a row of facts. Who the outposts are the
 * configuration says: what comes from others was refused before it comes here. Thread: the loop's.
 */
#ifndef OBSERVE_REPORT_OUTPOSTS_H
#define OBSERVE_REPORT_OUTPOSTS_H

#include <jansson.h>

#include "store/facts.h"
#include "store/observation.h"
#include "store/outbox.h"
#include "store/parcel.h"

#define OUTPOST_SILENT_NS (60 * NS_PER_S) /* nothing came for so long: told */
#define OUTPOST_CLOCK_MS  5000            /* its clock is wrong by more: told */
#define OUTPOSTS_MAX      64

struct outposts;

struct outposts_options {
	observation_signal *seen;
	/* What one runs has changed, or one has come or gone. */
	void (*about)(void *arg);
	/* Something is wrong with one of them (why), or no more (NULL); each change once. */
	void (*trouble)(void *arg, const char *location, const char *why);
	void *arg;
};

/* `store` has series_options.stored call outposts_stored(). */
struct outposts *outposts_new(struct loop *l, struct facts *f, struct series_store *store,
	const struct outposts_options *options, struct error *err) must_check;
void outposts_free(struct outposts *all); /* parcels under way are answered in here; NULL is fine */
/* Who they are now; copies. */
void outposts_configure(struct outposts *all, const char *const *locations, size_t n);
void outposts_stored(struct outposts *all);

/* accepted: the number through which everything is stored for ever; 0: nothing yet. */
struct outposts_answer {
	int status; /* 200, 403, 409, 503 */
	const char *why;
	int64_t accepted;
	bool want_about;
};
typedef void outposts_done(void *arg, const struct outposts_answer *answer);
/* Of who proved to be `location`. Takes the parcel. `done` once, also from in here. */
void outposts_take(struct outposts *all, const char *location, struct parcel *p,
	outposts_done *done, void *arg);

/* What each runs, as outposts_about() made it: nothing in it is over its limits; every_ms > 0. */
void outposts_each(const struct outposts *all,
	void (*cb)(void *arg, const char *location, const json_t *about), void *arg);
/* For operators: [{"location", "instance", "version", "heard_ms" or null, "lag_ms", "items",
 * "bytes", "samples" (that wait there), "clock_ms" (its minus ours), "probes", "taken", "refused",
 * "too_old", "too_many", "lost_notes", "blind" or null, "trouble" or null}]. Owned. */
json_t *outposts_json(const struct outposts *all);

/* outposts_about.c: what an outpost said it runs, without what is no component and no probe. Owned.
 */
json_t *outposts_about(const json_t *said);

#endif

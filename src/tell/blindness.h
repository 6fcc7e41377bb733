/*
 * blindness.h - what keeps us from seeing is an event for operators, one each, closed by itself.
 *
 * Whoever notices says so, as often as he likes: it begins, goes on with another reason, ends. Each
 * is one alarm ("could not run") and one event of the operators' audience, by machine, which is
 * opened once through restarts (its key) and resolved when it is over; what the disk does not take
 * is tried again. What was open at a start and is not told again within two minutes is over. An
 * event that a human took over is his to close. Thread: the loop's.
 */
#ifndef TELL_BLINDNESS_H
#define TELL_BLINDNESS_H

#include "tell/alarm.h"
#include "tell/event.h"

enum blind_kind {
	BLIND_STORE,        /* what is measured is not kept */
	BLIND_CONNECTIVITY, /* no witness answers */
	BLIND_LOCATION, /* one is silent, the suspect, or what it sends is not taken; name: which */
	BLIND_CLOCK,    /* ours is wrong */
	BLIND_STALL,    /* the program stood still */
	BLIND_SOURCE,   /* what imported rules read from is away */
	BLIND_REPORT    /* a dashboard that we report to takes nothing; name: which */
};

struct blindness;

/* Borrows all. To be freed after the events, which call back until then. */
struct blindness *blindness_new(struct loop *l, struct facts *f, struct events *e, struct alarms *a,
	struct error *err) must_check;
void blindness_free(struct blindness *b);
/* name: "" where there is only one. why: a sentence for operators; NULL: it is over. Copies. b
 * NULL: nobody is told. */
void blindness_tell(struct blindness *b, enum blind_kind kind, const char *name, const char *why);
/* [{"what", "why", "since_ms", "event": id | null}] of what is so now; owned. */
json_t *blindness_json(const struct blindness *b);

#endif

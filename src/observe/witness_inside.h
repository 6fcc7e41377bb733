/*
 * witness_inside.h - the inside of the witnesses, shared by witness.c and witness_ask.c alone.
 */
#ifndef OBSERVE_WITNESS_INSIDE_H
#define OBSERVE_WITNESS_INSIDE_H

#include "base/vec.h"
#include "observe/witness.h"

enum witness_kind { WITNESS_TCP, WITNESS_HTTP, WITNESS_ICMP };

struct witness {
	struct witnesses *owner;
	enum witness_kind kind;
	char *target, *host;
	unsigned port;
	struct witness_ask *ask; /* under way, or NULL */
	char why[120];           /* it did not answer, in this round */
};

struct held { /* an observation that waits for the answer */
	struct observation o;
	bool reaching; /* false: only waits for its turn behind one that does */
	int64_t until_ns;
	observation_signal *to;
	void *arg;
};

struct witnesses {
	struct schedule *schedule;
	struct loop *loop;
	struct http_client *probes;
	struct resolver *resolver;
	struct pinger *pinger;
	VEC(struct witness *) list;
	struct job *job;
	void (*changed)(void *arg, bool blind, const char *why);
	void *arg;

	/* the round: all asked together, over with the first answer or the last silence */
	bool under_way;
	size_t asking, silent;
	int64_t began_ns;  /* the last one; -1: none yet */
	struct timer next; /* a round that is wanted, but not so soon after the last */

	bool blind;
	int64_t known_ns; /* when that was found */
	VEC(struct held *) held;
	struct timer hold;
};

/* witness_ask.c */
/* Ends in one witness_answered(), never from in here, unless cancelled. */
void witness_ask_start(struct witness *w, int64_t deadline_ns);
void witness_ask_cancel(struct witness *w);

/* witness.c */
/* fault NONE: it answers. */
void witness_answered(struct witness *w, enum fault fault, const char *detail);

#endif

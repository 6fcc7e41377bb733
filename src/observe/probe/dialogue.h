/*
 * dialogue.h - a talk in turns over a stream, step by step: something is sent, an answer is read,
 * TLS may follow it. Kinds smtp and imap are one, and so is every STARTTLS of kind tls.
 *
 * Thread: the loop's.
 */
#ifndef OBSERVE_PROBE_DIALOGUE_H
#define OBSERVE_PROBE_DIALOGUE_H

#include "net/reply.h"
#include "observe/probe/talk.h"

#define DIALOGUE_STEPS 8

struct dialogue_step {
	const char *what;  /* for people: "the answer to EHLO" */
	struct slice send; /* borrowed until the end; empty: the server speaks first */
	reply_reader *read;
	bool then_tls;
};

struct dialogue {
	struct talk talk; /* first */
	struct dialogue_step steps[DIALOGUE_STEPS];
	size_t n, at;
	struct reply reply; /* the last one; borrowed from the stream */
	enum reply_state state;
	/* Looks at a good answer of steps[at]; a detail makes it a bad one. May be NULL. */
	bool (*heard)(struct dialogue *d, char *detail, size_t n);
	/* All was said. Ends the attempt with talk_end(). */
	void (*over)(struct dialogue *d);
};

/* With steps, heard and over filled; ends the attempt itself when it goes wrong. */
void dialogue_begin(struct dialogue *d, struct attempt *a, const struct talk_spec *s, bool tls);

#endif

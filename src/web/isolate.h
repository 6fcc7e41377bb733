/*
 * isolate.h - what the serving child gives up before it hears a stranger.
 *
 * Thread: main; isolate_begin() before any other thread is started, isolate_finish() after all are.
 */
#ifndef WEB_ISOLATE_H
#define WEB_ISOLATE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct isolate {
	int landlock;  /* version of the kernel's; 0: it has none */
	bool seccomp;  /* the filter holds for all threads */
	char why[200]; /* what could not be given up, for people; "" */
};

/* Nothing gained by exec, no dump, no end after the parent's, no file (landlock). */
void isolate_begin(struct isolate *i);
/* From here on only the calls that serving needs: no open, no exec, no new socket. */
void isolate_finish(struct isolate *i);
/* Tries what must fail now: an object of {open, exec, socket, ptrace: errno; 0: it worked}, with
 * what is known of landlock and seccomp. Returns owned. */
json_t *isolate_prove(const struct isolate *i);

#endif

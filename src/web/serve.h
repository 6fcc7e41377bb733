/*
 * serve.h - the serving half: listeners, routes, cache, pages. It knows the house only by its door.
 *
 * Threads: the hub (the caller's; owns the door and what is kept of cold pages), `threads` that
 * serve, each with its own loop and listeners, and one that renders. Pinned pages are answered by a
 * serving thread alone, from an immutable set that is changed as a whole; nothing else is shared.
 */
#ifndef WEB_SERVE_H
#define WEB_SERVE_H

#include <stdbool.h>

#include "base/error.h"

#define SERVE_THREADS_MAX 32

struct serve_options { /* sockets stay the caller's; the door is taken */
	int door;
	const int *public_fds, *intake_fds; /* one a thread; NULL: no such listener */
	unsigned threads;
	unsigned connections; /* of each listener, over all threads */
	bool isolate;         /* give up everything that serving does not need */
};

/* Serves until the door ends. page_init() must have been called. Thread: one that is the caller's
 * for this. */
bool serve_run(const struct serve_options *options, struct error *err) must_check;

#endif

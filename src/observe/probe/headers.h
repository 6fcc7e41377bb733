/*
 * headers.h - the headers a user adds to a request: those of kinds http and websocket.
 *
 * Thread: the loop's.
 */
#ifndef OBSERVE_PROBE_HEADERS_H
#define OBSERVE_PROBE_HEADERS_H

#include "observe/probe/kind.h"

#define HEADERS_MAX 50

struct header {
	char *name, *value; /* owned; value NULL: secret */
	struct secret *secret;
};

struct headers {
	struct header *p;
	size_t n;
};

/* Reads a map of names and values. `ours`: names that the request makes itself, in small letters
 * with spaces between. Says what is wrong. */
bool headers_read(
	struct headers *h, const struct yaml *map, struct probe_reader *r, const char *ours);
void headers_fini(struct headers *h);
const char *header_value(const struct header *h); /* borrowed */
/* A token of RFC 9110 section 5.6.2, at most `max` bytes. */
bool header_is_token(struct slice s, size_t max);

#endif

/*
 * guest_http.h - the head of an HTTP/1 request, as much of it as a guest needs to answer.
 *
 * Slices point into the text that was read. Thread: any.
 */
#ifndef SIM_GUEST_HTTP_H
#define SIM_GUEST_HTTP_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

#define GUEST_HTTP_HEAD_MAX 16384
#define GUEST_HTTP_BODY_MAX (1u << 20)

struct guest_http {
	struct slice method, target;
	struct slice cookie; /* all of the Cookie header, or empty */
	bool close;          /* the connection ends with the answer */
	size_t head_n;       /* bytes of the head, the empty line included */
	size_t body_n;       /* that follow it */
};

enum guest_http_state { GUEST_HTTP_PART, GUEST_HTTP_WHOLE, GUEST_HTTP_BAD };

/* BAD also for what is over the limits and for bodies in chunks, which nobody sends here. */
enum guest_http_state guest_http_read(struct slice text, struct guest_http *ret);
/* The value of one cookie of a Cookie header, or empty. */
struct slice guest_http_cookie(struct slice header, const char *name);

#endif

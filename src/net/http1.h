/*
 * http1.h - what an HTTP/1.0 or HTTP/1.1 server answers one request with (RFC 9112). No I/O; what
 * comes is a stranger's.
 *
 * Interim answers (1xx but 101) are passed over, a trailer counts as headers. What follows the
 * answer is not looked at. Heads are limited as http_headers.h says, the body by its reader.
 * Thread: one at a time.
 */
#ifndef NET_HTTP1_H
#define NET_HTTP1_H

#include "net/http_incoming.h"

enum http1_part { /* what comes next */
	HTTP1_STATUS,
	HTTP1_HEADER,
	HTTP1_COUNTED, /* a body of so many bytes */
	HTTP1_TO_THE_END,
	HTTP1_CHUNK,
	HTTP1_CHUNK_DATA,
	HTTP1_CHUNK_END,
	HTTP1_TRAILER,
};

struct http1_reader {
	struct http_incoming *in;
	/* inside */
	bool bodiless, chunked, counted;
	enum http1_part part;
	int64_t left;        /* of the body or the chunk */
	size_t head_n, seen; /* of all heads; of the line that has no end yet */
};

/* Borrows `in`, which is initialized. `bodiless`: the request was HEAD. Holds nothing itself. */
void http1_reader_init(struct http1_reader *r, struct http_incoming *in, bool bodiless);
/* Takes from the front of what came and was not taken; with MORE it wants the rest again, with
 * more behind it. After anything else it is not asked again. */
enum incoming http1_read(struct http1_reader *r, struct slice got, size_t *ret_taken);
/* The peer has closed, and all it sent was read. Never MORE. */
enum incoming http1_end(struct http1_reader *r);

#endif

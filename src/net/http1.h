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

#include "base/fault.h"
#include "net/http_headers.h"

enum http1_state { HTTP1_MORE, HTTP1_WHOLE, HTTP1_BROKEN };

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
	int status, version; /* 10, 11; 0: none came yet */
	struct http_headers headers;
	struct buf body;
	int64_t body_size; /* bytes that came */
	enum fault fault;  /* of what is broken: PROTOCOL, CONNECTION_LOST, BODY_TOO_LARGE */
	char detail[100];  /* for people */
	/* inside */
	bool bodiless, chunked, counted;
	enum http1_part part;
	int64_t left;        /* of the body or the chunk */
	size_t head_n, seen; /* of all heads; of the line that has no end yet */
};

/* `bodiless`: the request was HEAD. */
void http1_reader_init(struct http1_reader *r, bool bodiless, size_t body_max);
void http1_reader_fini(struct http1_reader *r);
/* Takes from the front of what came and was not taken; with MORE it wants the rest again, with
 * more behind it. After anything else it is not asked again. */
enum http1_state http1_read(struct http1_reader *r, struct slice got, size_t *ret_taken);
/* The peer has closed, and all it sent was read. Never MORE. */
enum http1_state http1_end(struct http1_reader *r);

#endif

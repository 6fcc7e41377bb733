/*
 * http_incoming.h - an answer as it comes in, whatever version of HTTP it is read by (http1.h,
 * http2.h). Thread: one at a time.
 */
#ifndef NET_HTTP_INCOMING_H
#define NET_HTTP_INCOMING_H

#include "base/fault.h"
#include "net/http_headers.h"

enum incoming { INCOMING_MORE, INCOMING_WHOLE, INCOMING_BROKEN };

struct http_incoming {
	int status, version; /* 10, 11, 20; 0: none came yet */
	struct http_headers headers;
	struct buf body;
	int64_t body_size; /* bytes that came */
	enum fault fault;  /* of what is broken: PROTOCOL, CONNECTION_LOST, BODY_TOO_LARGE */
	char detail[100];  /* for people */
};

void http_incoming_init(struct http_incoming *in, size_t body_max);
void http_incoming_fini(struct http_incoming *in);
/* What follows ends it; both return BROKEN. */
enum incoming http_incoming_broken(struct http_incoming *in, enum fault fault, const char *fmt, ...)
	like_printf(3, 4);
/* The peer closed before the end. */
enum incoming http_incoming_lost(struct http_incoming *in);
/* A piece of the body: MORE, or BROKEN when it is over the limit. */
enum incoming http_incoming_body(struct http_incoming *in, struct slice piece);
/* A header: MORE, or BROKEN when there are too many. */
enum incoming http_incoming_header(struct http_incoming *in, struct slice line);

#endif

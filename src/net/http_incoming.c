/*
 * http_incoming.c - see http_incoming.h.
 */
#include "net/http_incoming.h"

#include <stdio.h>

#include "base/units.h"

void http_incoming_init(struct http_incoming *in, size_t body_max)
{
	*in = (struct http_incoming){0};
	http_headers_init(&in->headers);
	buf_init(&in->body, body_max);
}

void http_incoming_fini(struct http_incoming *in)
{
	http_headers_fini(&in->headers);
	buf_fini(&in->body);
}

enum incoming http_incoming_broken(struct http_incoming *in, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(in->detail, sizeof(in->detail), fmt, ap);
	va_end(ap);
	in->fault = fault;
	return INCOMING_BROKEN;
}

enum incoming http_incoming_lost(struct http_incoming *in)
{
	if (!in->status)
		return http_incoming_broken(in, FAULT_CONNECTION_LOST,
			"the server closed the connection without an answer");
	return http_incoming_broken(in, FAULT_CONNECTION_LOST,
		"the server closed the connection before its answer was complete (%lld bytes came)",
		(long long)in->body_size);
}

enum incoming http_incoming_body(struct http_incoming *in, struct slice piece)
{
	char text[UNITS_TEXT];

	in->body_size += (int64_t)piece.n;
	if (buf_add_slice(&in->body, piece))
		return INCOMING_MORE;
	return http_incoming_broken(in, FAULT_BODY_TOO_LARGE, "the answer is larger than %s",
		units_size_text((int64_t)in->body.max, text));
}

enum incoming http_incoming_header(struct http_incoming *in, struct slice line)
{
	if (http_headers_add(&in->headers, line))
		return INCOMING_MORE;
	return http_incoming_broken(in, FAULT_PROTOCOL, "the answer's headers are over the limit");
}

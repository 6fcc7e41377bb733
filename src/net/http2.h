/*
 * http2.h - one request and its answer in HTTP/2 (RFC 9113, by nghttp2). No I/O; what comes is a
 * stranger's.
 *
 * As in http1.h interim answers are passed over and a trailer counts as headers. Nothing may be
 * pushed. A server that goes on sending what brings nothing of an answer (pings, settings, empty
 * or unknown frames) is refused after 512 KiB of that. Thread: one at a time.
 */
#ifndef NET_HTTP2_H
#define NET_HTTP2_H

#include "net/http_incoming.h"

struct http2;

/* `request` is what would be sent in HTTP/1.1, whole, of a line and headers that end with CR LF;
 * what only HTTP/1.1 knows is left out. Borrows both until it is freed. Returns owned. */
struct http2 *http2_new(struct slice request, bool tls, struct http_incoming *in);
void http2_free(struct http2 *h); /* NULL is fine */
/* What is to be sent next, until the next call of any; empty: nothing for now. */
struct slice http2_next(struct http2 *h);
/* Whether there is something to be sent. */
bool http2_wants_send(const struct http2 *h);
/* Asked when all of it was sent: BROKEN when our last word was that what came is no HTTP/2. */
enum incoming http2_sent(struct http2 *h);
/* Takes all that came. After anything but MORE it is not asked again. */
enum incoming http2_read(struct http2 *h, struct slice got);

#endif

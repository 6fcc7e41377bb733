/*
 * http_fresh.h - one request on a connection of its own: what probes send by the thousand.
 *
 * The same requests and answers as http_client.h's, over a stream in place of curl: a connection
 * that hangs costs 2 KB, not 13, and TLS shares its context. Whether HTTP/1.1 or HTTP/2 is spoken
 * says the server at the TLS handshake. What it cannot do goes to a client: proxies, bodies in
 * pieces (http_fresh_can()). Nothing is kept, nothing is followed. Addresses of a name are tried
 * in turn. Thread: the loop's.
 */
#ifndef NET_HTTP_FRESH_H
#define NET_HTTP_FRESH_H

#include "net/http_client.h"
#include "net/resolver.h"

struct http_fresh; /* one request under way */

/* Whether this request can be sent so; one that is no request at all can: it is told as wrong. */
bool http_fresh_can(const struct http_request *q);
/* Copies everything. `tls` is counted, needed for https (its files are not the request's), and with
 * ALPN of http/1.1, or h2 before it. Without TLS it is HTTP/1.1 unless the request wants version
 * 20. `done` is called exactly once, never from in here, unless it is closed before; it may close
 * it. */
struct http_fresh *http_fresh_send(struct loop *l, struct resolver *r, struct tls_context *tls,
	const struct http_request *q, http_done *done, void *arg);
/* Ends it at once, at any moment. NULL is fine. */
void http_fresh_close(struct http_fresh *f);

#endif

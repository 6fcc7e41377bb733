/*
 * http_client.h - HTTP/1.1 and HTTP/2 requests on curl's multi interface, driven by our loop.
 *
 * A client is one pool of connections with one idea of reuse: the API client keeps them alive,
 * probes (another client) open fresh ones. Redirects are never followed. Bodies are collected up to
 * `answer_max` (over it: FAULT_BODY_TOO_LARGE) or handed to `sink` piece by piece.
 * Proxies from the environment are used only if the client was made so.
 * Thread: the loop's.
 */
#ifndef NET_HTTP_CLIENT_H
#define NET_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/fault.h"
#include "net/loop.h"
#include "net/phases.h"
#include "net/tls.h"

struct http_client;
struct http_call;    /* one request under way */
struct http_headers; /* http_headers.h */

struct http_client_options {
	bool fresh;              /* a new connection for every request */
	bool use_proxy;          /* http_proxy, https_proxy, no_proxy of the environment */
	unsigned connections;    /* at most so many at once, all hosts; 0: 64 */
	const char *user_agent;  /* default "glasshouse/VERSION" */
	const char *dns_servers; /* as resolver_new() takes them; NULL: resolv.conf's */
};

struct http_header {
	const char *name, *value;
};

struct http_request {
	const char *method; /* "GET" ... */
	const char *url;
	const struct http_header *headers; /* Host, Content-Length are made here */
	size_t header_count;
	const void *body; /* borrowed until the callback */
	size_t body_n;
	/* A body produced in pieces (image upload): fills p with up to n bytes, returns how many, 0
	 * at the end; the length is source_n. Used when not NULL. */
	size_t (*source)(void *arg, void *p, size_t n);
	int64_t source_n;
	/* Takes pieces of a 2xx answer's body as they come instead of collecting them. */
	bool (*sink)(void *arg, const void *p, size_t n);
	void *stream_arg;
	int64_t deadline_ns;              /* whole exchange; must be > 0 */
	int64_t connect_ns;               /* resolve + connect + TLS; 0: the deadline */
	size_t answer_max;                /* 0: BUF_ANSWER */
	const char *ca_file;              /* PEM; NULL: the system's */
	const char *cert_file, *key_file; /* client certificate, or NULL */
	bool insecure;                    /* do not verify the certificate */
	/* "host:port:address" entries that replace resolving (curl's CURLOPT_RESOLVE), or NULL. */
	const char *const *resolve;
	/* "HOST:PORT" (an address or a name; IPv6 in []) to connect to in place of what the URL
	 * says; the URL's host is still who is asked for. NULL: what the URL says. */
	const char *connect_to;
	int family;        /* AF_INET or AF_INET6: by no other; 0: any */
	const char *proxy; /* "http://host:port"; "": none; NULL: the client's own idea */
	int version;       /* 11, 20 (without an upgrade where there is no TLS); 0: the newest */
	const char *user, *password; /* HTTP basic authentication, or NULL */
	bool wants_certificate;      /* fills answer.tls */
};

struct http_answer {
	enum fault
		fault; /* of the transport; NONE when a complete answer came, whatever its status */
	/* For people, when there is a fault; begins with the proxy it went through. */
	char detail[256];
	int status;  /* 0 when none came */
	int version; /* 10, 11, 20 */
	/* Whether the request may have reached the service: once true, a create may have happened.
	 */
	bool sent;
	bool reused; /* connection */
	struct phases phases;
	struct slice body; /* borrowed during the callback */
	int64_t body_size; /* bytes received, also with a sink */
	char address[64];  /* peer, "" when never connected */
	/* What the peer showed; NULL: nothing, or it was not wanted. Borrowed like the body. */
	const struct tls_facts *tls;
	struct http_headers *headers; /* for http_answer_header() */
	struct http_call *call;       /* that it answers; not of http_fresh.h */
};

typedef void http_done(void *arg, const struct http_answer *answer);

struct http_client *http_client_new(
	struct loop *l, const struct http_client_options *options, struct error *err) must_check;
/* Cancels what is under way: their callbacks run in here with FAULT_CANCELLED. Not from a source or
 * sink; from a callback it is fine. */
void http_client_free(struct http_client *c);

/* What the Date of an answer says, and between which moments it came (of the loop's wall clock; a
 * date that a cache kept is counted on by its Age). Told before the call's own callback, of every
 * answer that has one. host: borrowed for the call. */
typedef void http_dated(
	void *arg, const char *host, int64_t from_us, int64_t to_us, int64_t date_us);
void http_client_dates(struct http_client *c, http_dated *dated, void *arg); /* NULL: nobody */
/* Tells it of an answer that just came from `url` otherwise than through the client
 * (http_fresh.h). */
void http_client_heard(struct http_client *c, const char *url, const struct http_answer *a);

/* Copies everything but body and stream_arg. `done` is called exactly once, never from in here.
 * Never fails: what cannot be sent ends in a fault. */
struct http_call *http_send(
	struct http_client *c, const struct http_request *request, http_done *done, void *arg);
/* Ends it now; done runs on the next turn of the loop with FAULT_CANCELLED. */
void http_cancel(struct http_call *call);
/* Case-insensitive; the first of that name; NULL if absent. Borrows, during the callback only. */
const char *http_answer_header(const struct http_answer *a, const char *name);
/* All headers in order, as received. */
size_t http_answer_headers(const struct http_answer *a, const struct http_header **ret);

#endif

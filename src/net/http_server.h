/*
 * http_server.h - HTTP/1.1 server: libmicrohttpd with external epoll, driven by a loop of ours.
 *
 * One daemon per serving thread, each with its own loop; several share an address by SO_REUSEPORT.
 * (libmicrohttpd's own epoll thread falls to 100 requests/s at exactly 128 or 256 clients.) It only
 * knows idle time-outs, so deadlines are kept here by connection age: headers 10 s, body 30 s,
 * answer 60 s to be made and as long to be taken. A handler answers at once or keeps the exchange
 * and answers later. Thread: the loop's.
 */
#ifndef NET_HTTP_SERVER_H
#define NET_HTTP_SERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "net/http_client.h"
#include "net/loop.h"

struct http_server;
struct http_exchange; /* one request and its answer */

struct http_server_options {
	const char *address; /* "127.0.0.1:8090", "[::1]:0", "0.0.0.0:80"; port 0: any free one */
	bool reuse_port;
	int listener;    /* when address is NULL: an open socket that listens; stays the caller's */
	size_t body_max; /* 0: 1 MiB; over it: 413 */
	size_t memory;   /* of a connection, for its headers; 0: 32 KiB */
	/* 0: 1024. When all are taken, a newcomer gets the place of the oldest that waits for a
	 * next request, or has been longest in sending its headers or body, or in taking its
	 * answer for more than header_ns. */
	unsigned connections;
	int64_t header_ns, body_ns, answer_ns; /* 0: 10 s, 30 s, 60 s */
	/* On answers that the server makes of itself (413); borrowed as long as it lives. */
	const struct http_header *headers;
	size_t header_count;
	/* Called when the request is complete with its body. Must end in exactly one of the reply
	 * functions, now or later. */
	void (*handle)(void *arg, struct http_exchange *x);
	/* If the request's body should not be collected (image upload): return true from `stream`
	 * when the headers are there; pieces then go to `piece`, then handle is called. Or NULL. */
	bool (*stream)(void *arg, struct http_exchange *x);
	void (*piece)(void *arg, struct http_exchange *x, const void *p, size_t n);
	/* The client went away, or answer_ns passed, before a kept exchange was answered, or in the
	 * middle of a streamed body; the exchange is dead after this call. Noticed within a second.
	 * Or NULL: the handler then answers in any case. */
	void (*gone)(void *arg, struct http_exchange *x);
	void *arg;
};

struct http_server *http_server_new(
	struct loop *l, const struct http_server_options *options, struct error *err) must_check;
/* Drops what is kept, without `gone`. */
void http_server_free(struct http_server *s);
unsigned http_server_port(const struct http_server *s);
unsigned http_server_connections(const struct http_server *s); /* open now */

/* A socket that listens on an address as above, close-on-exec, not blocking; -1 on error. Sockets
 * with reuse_port share an address: the kernel spreads connections over them. */
int http_listen(const char *address, bool reuse_port, struct error *err) must_check;
unsigned http_listener_port(int fd); /* of any socket with an address */
/* Packets to such an address; non-blocking. */
int udp_listen(const char *address, struct error *err) must_check;
bool http_address_is_loopback(const char *address); /* false too when it is no address */

/* All borrow, valid as long as the exchange. */
const char *http_method(const struct http_exchange *x);
const char *http_path(const struct http_exchange *x);  /* as sent, still encoded, without query */
const char *http_query(const struct http_exchange *x); /* raw, "" when none */
const char *http_header(const struct http_exchange *x, const char *name); /* NULL if absent */
/* Calls cb for each header in order. */
void http_headers(struct http_exchange *x,
	void (*cb)(void *arg, const char *name, const char *value), void *arg);
struct slice http_body(const struct http_exchange *x);
const char *http_peer(const struct http_exchange *x); /* address of the client */
/* First value of a query parameter, decoded, owned by the exchange; NULL if absent. */
const char *http_argument(struct http_exchange *x, const char *name);
/* Calls cb for each query parameter in order (decoded). */
void http_arguments(struct http_exchange *x,
	void (*cb)(void *arg, const char *name, const char *value), void *arg);
void *http_exchange_data(const struct http_exchange *x); /* the handler's own, NULL at first */
void http_exchange_set_data(struct http_exchange *x, void *data);

/* Copies headers and body. Content-Length, Date are made here. HEAD sends no body. */
void http_reply(struct http_exchange *x, int status, const struct http_header *headers, size_t n,
	struct slice body);

/* An answer made once and given many times, without copying: headers and body, counted. */
struct http_response;
/* Copies. Thread: any, these three. */
struct http_response *http_response_new(
	const struct http_header *headers, size_t n, struct slice body);
struct http_response *http_response_ref(struct http_response *r);
void http_response_unref(struct http_response *r); /* NULL is fine */
/* Borrows. With status 304 the headers are sent, without the body. */
void http_reply_response(struct http_exchange *x, int status, struct http_response *response);

/* A body produced in pieces of known total size; `piece` fills up to n bytes, returns how many. */
void http_reply_stream(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, int64_t size, size_t (*piece)(void *arg, int64_t at, void *p, size_t n),
	void *arg, void (*end)(void *arg));
/* Test doubles misbehave: close without an answer; or send headers and `cut` bytes, then close. */
void http_reply_cut(struct http_exchange *x, int status, const struct http_header *headers,
	size_t n, struct slice body, size_t cut);
void http_drop(struct http_exchange *x);

#endif

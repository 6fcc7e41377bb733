/*
 * serve_thread.h - a serving thread's own, shared by serve_thread.c (its life) and serve_request.c
 * (each request's way to its answer). Thread: the serving one.
 */
#ifndef WEB_SERVE_THREAD_H
#define WEB_SERVE_THREAD_H

#include "web/serve_inside.h"

#define REQUEST_BODY_MAX (64u << 10)
#define ACCEPT_MAX       128

struct entrance { /* one listener */
	struct serving *serving;
	struct http_server *server; /* NULL: none */
	enum seat seat;
	unsigned on;
};

struct serving {
	struct serving_options o;
	struct loop *loop;
	pthread_t id;
	bool started;
	struct entrance entrances[SEATS];
	struct pins *pins; /* NULL: no SITE yet */
	struct guard guard;
	struct cache *near;
	struct ask *asks;
	char accept[SEATS][ACCEPT_MAX]; /* the last Accept-Language, and what it became */
	unsigned accept_language[SEATS];
	size_t under_way; /* bytes of bodies that are gathered */
	bool closed;
};

/* serve_request.c: for http_server_options, `arg` is the entrance. */
void request_handle(void *arg, struct http_exchange *x);
void request_gone(void *arg, struct http_exchange *x);
struct ask *ask_new(struct entrance *e, struct http_exchange *x, const struct route_match *m);
void ask_free(struct ask *a);

/* serve_write.c: the same; bodies of those that write in are gathered there. */
bool write_stream(void *arg, struct http_exchange *x);
void write_piece(void *arg, struct http_exchange *x, const void *p, size_t n);
void write_drop(struct http_exchange *x); /* what was gathered of its body, if anything */
void write_handle(struct entrance *e, struct http_exchange *x, const struct route_match *m);
void request_take(void *arg);                     /* an ask that came back */
void request_forget_languages(struct serving *s); /* those on offer may have changed */

#endif

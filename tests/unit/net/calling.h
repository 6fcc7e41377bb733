/*
 * calling.h - calls of http_client.h, and a peer whose path says how it answers.
 */
#ifndef TESTS_NET_CALLING_H
#define TESTS_NET_CALLING_H

#include "../check.h"
#include "net/http_client.h"
#include "peer.h"

#define LONG (20 * NS_PER_S) /* the deadline unless said */

struct room {
	struct loop *loop;
	struct http_client *client;
	struct peer *peer;
	char *url; /* of the peer, without path */
	struct error err;
};

struct ask {
	struct room *room;
	int times;
	bool done;
	struct http_answer a;
	char *body, *link, *location;
	size_t headers;
	bool free_client; /* in the callback */
};

/* For cmocka; the state is a struct room with a client and a peer that serves calling_serve(). */
int calling_up(void **state);
int calling_down(void **state);
/* Another client or peer in the place of the room's. */
void open_client(struct room *r, struct http_client_options o);
void open_peer(struct room *r, peer_serve *how, SSL_CTX *tls);
/* Answers each request by its path, until one of them ends the connection. */
void calling_serve(struct peer_connection *c);
/* Answers the last request read. True: the connection is kept. */
bool calling_answer(struct peer_connection *c);

/* Sends a request to the peer; the method is GET unless said. Forget what came of it. */
struct http_call *ask_send(struct room *r, struct ask *a, const char *path, struct http_request q);
/* The same, and runs the loop until it has ended. */
void ask_for(struct room *r, struct ask *a, const char *path, struct http_request q);
void ask_get(struct room *r, struct ask *a, const char *path);
void ask_forget(struct ask *a);
void assert_fault(const struct ask *a, enum fault expected, const char *part);

#endif

/*
 * serving.h - a server for the tests of http_server.h, and clients that speak HTTP byte by byte.
 *
 * Clients are threads with blocking sockets; the loop runs until all of them have come back.
 */
#ifndef TESTS_NET_SERVING_H
#define TESTS_NET_SERVING_H

#include <pthread.h>

#include "../check.h"
#include "base/mem.h"
#include "base/vec.h"
#include "net/http_server.h"

#define READ_S 20 /* no client waits longer */
#define LARGE  (64 << 20)

struct room {
	struct loop *loop;
	struct http_server *server;
	struct error err;
	int handled, gone, ended, pieces;
	int64_t streamed;
	VEC(struct http_exchange *) kept;
	struct timer later;
	struct http_response *shared;
	int descriptors;
};

/* For cmocka; the state is a struct room, whose server is opened by the test. All descriptors are
 * closed at its end. */
int serving_up(void **state);
int serving_down(void **state);
/* It echoes; of some paths it does otherwise (serving_handle()). */
void open_server(struct room *r, struct http_server_options o);
void serving_handle(void *arg, struct http_exchange *x); /* arg: struct room */
void serving_later(struct timer *t); /* answers what is kept; its arg: struct room */
void serving_tick(struct timer *t);  /* sets the bool that is its arg */
int open_descriptors(void);
/* Lets the loop turn until the counter is there; it must not pass it in a moment more. */
void turn_until(struct room *r, const int *counter, int n);

struct client {
	pthread_t id;
	struct room *room;
	unsigned port;
	struct slice say;     /* sent at once */
	bool leave;           /* close without reading */
	unsigned connections; /* so many at the same time, each asking `rounds` times */
	unsigned rounds, answers;
	struct buf got; /* until the server closes */
	int *waiting;   /* clients that have not come back; the loop's */
	bool *all_back;
};

/* -1: it does not let us in. */
int dial(unsigned port);
void say(int fd, struct slice s);
/* Whether one whole answer with a body of known length came. */
bool read_answer(int fd);
void run_clients(struct room *r, struct client *clients, size_t n);
/* What the server answers to these bytes until it closes. Owned. */
char *answer_to(struct room *r, struct slice bytes);

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%.200s\" lacks \"%s\"", text, part);                           \
	} while (0)

#define CLOSE "Host: h\r\nConnection: close\r\n"

#endif

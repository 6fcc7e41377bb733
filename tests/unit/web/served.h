/*
 * served.h - the whole serving half over real sockets, with a house that the test plays.
 */
#ifndef TESTS_WEB_SERVED_H
#define TESTS_WEB_SERVED_H

#include "../check.h"
#include "base/json.h"
#include "base/vec.h"
#include "web/web.h"

struct question { /* one the house has kept */
	char *what;
	struct web_answer *answer;
};

struct served {
	struct loop *loop;
	struct web *web;
	struct error err;
	bool keep; /* questions are kept until served_answer() */
	VEC(struct question) kept;
	int queries, commands;
	enum audience audience;        /* of the last query */
	char *what, *args, *principal; /* of the last question */
	int descriptors;
};

int served_set_up(void **state);
int served_tear_down(void **state);

/* Opens both listeners on free ports of loopback, publishes a SITE to each audience, and waits
 * until the pages are there. */
void served_open(struct served *s, struct web_options o);
void served_publish(struct served *s, const char *name, int64_t revision);
/* Lets the loop turn until *flag, or fails. */
void served_wait(struct served *s, bool (*there)(struct served *s));
void served_answer_all(struct served *s, int status);

struct got {
	int status;
	char *head; /* with the status line; owned */
	struct buf body;
};
/* Sends these bytes on a connection of its own and reads until the server closes. */
struct got served_send(struct served *s, unsigned port, struct slice bytes);
/* GET with these further header lines ("A: b\r\n"). */
struct got served_get(struct served *s, unsigned port, const char *path, const char *headers);
/* Sends and leaves the connection open: its descriptor. */
int served_leave(struct served *s, unsigned port, const char *path);
void got_fini(struct got *g);
/* Value of a header of the answer, owned by it until the next call; NULL if absent. */
const char *got_header(const struct got *g, const char *name);
/* n requests at once, a connection each; how many had this status. */
unsigned served_many(struct served *s, unsigned port, const char *path, unsigned n, int status);

#define assert_has(text, part)                                                                     \
	do {                                                                                       \
		if (!strstr(text, part))                                                           \
			fail_msg("\"%.400s\" lacks \"%s\"", text, part);                           \
	} while (0)

#endif

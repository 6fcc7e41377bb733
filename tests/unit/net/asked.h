/*
 * asked.h - a request that is sent by our own HTTP and by curl's, and what came of each.
 */
#ifndef TESTS_NET_ASKED_H
#define TESTS_NET_ASKED_H

#include "../check.h"
#include "net/http_fresh.h"
#include "peer.h"

#define LONG       (20 * NS_PER_S)
#define SHORT      (300 * NS_PER_MS)
#define BODY_LIMIT 100000

struct came { /* of one of both */
	bool done;
	enum fault fault;
	char detail[256];
	int status, version;
	bool sent;
	struct phases phases;
	char *body, *headers;
	int64_t body_size;
	char address[64];
	int64_t leaf_expiry_s;
	struct http_fresh *fresh;
};

struct asked_room {
	struct loop *loop;
	struct resolver *resolver;
	struct http_client *client;
	struct error err;
	struct came ours, curls;
};

/* For cmocka; the state is a struct asked_room. */
int asked_set_up(void **state);
int asked_tear_down(void **state);
/* What takes an answer; arg: struct came. */
void asked_on_done(void *arg, const struct http_answer *a);
/* Ends when the answer is there. */
void ask_fresh(struct asked_room *r, struct http_request q);
/* Asks both, one after the other; the method is GET and the deadline LONG unless said. */
void ask_both(struct asked_room *r, struct http_request q);
void assert_like(const char *what, const struct came *a, const struct came *b);

enum ending { KEEPS, CLOSES, RESETS, HANGS };

struct said {
	const char *name, *method, *text;
	size_t n; /* 0: of the text */
	enum ending end;
	/* Where we differ from curl: our fault and status. */
	bool differs;
	enum fault fault;
	int status;
};

/* For a peer whose arg is a struct said: it reads a request, and says that. */
void serve_said(struct peer_connection *c);
/* Asks both of such a peer, and compares. `version` 20: in HTTP/2 from the start. */
void ask_said(struct asked_room *r, const struct said *s, int version);

#endif

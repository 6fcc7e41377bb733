/*
 * web.h - what HTTP shows, and the three doors through which it reaches the house.
 *
 * The serving half (listeners, routes, cache, pages) knows nothing of the rooms below but plain
 * data: *snapshot* (the SITE document of each audience, pushed), *query* (a name and JSON in, a
 * JSON document out), *command* (JSON and a principal in, JSON out). It talks over a socket pair in
 * length-prefixed frames (door.h), so that it runs as threads of this process or, with `isolate`,
 * as a child that never held a secret: started by exec before any is read, no_new_privs, landlock
 * without any file, seccomp with the calls it needs. Listening sockets are opened by the parent.
 * A child that dies is started again, with a pause that grows; the house goes on observing.
 *
 * Audience is decided by the listener: the public one serves AUDIENCE_PUBLIC, whatever is sent; the
 * intake (loopback, or with its token as bearer or as password of HTTP Basic) AUDIENCE_OPERATORS,
 * and the same pages with what is theirs. Queries carry the audience; the house enforces it again.
 * Thread: the loop's.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <jansson.h>

#include "base/secret.h"
#include "net/loop.h"
#include "observe/ingest/bad.h"
#include "store/facts.h"
#include "store/parcel.h"
#include "store/points.h"

struct web;
struct web_answer; /* one question that waits */

struct web_options {
	const char *public_address;        /* "127.0.0.1:8090"; NULL: none */
	const char *intake_address;        /* NULL: none */
	const struct secret *intake_token; /* required when intake is not loopback; or NULL: see
					    * web_set_token() */
	bool intake_has_token; /* it comes later: until then the intake lets nobody in */
	bool isolate;
	unsigned threads;     /* serving; 0: 1 */
	unsigned connections; /* of each listener; 0: 10,000 */
};

struct web_house { /* all are answered once with web_answer(), now or later, within 10 s */
	void (*query)(void *arg, const char *what, const json_t *args, enum audience audience,
		struct web_answer *answer);
	void (*command)(void *arg, const char *what, const json_t *args, const char *principal,
		struct web_answer *answer);
	/* Values that were written in (takes them), with what of it was none; answered with a
	 * document {"status": 204, "why": "..."}, as commands of writing faces are. */
	void (*points)(void *arg, const char *source, struct points *points,
		const struct bad_lines *bad, struct web_answer *answer);
	/* What the outpost of a location sent (takes it), which had its token; answered as points,
	 * with "document": what is said whatever the status. May be NULL: there are none. */
	void (*parcel)(
		void *arg, const char *location, struct parcel *parcel, struct web_answer *answer);
	void *arg;
};

/* Opens the listeners; must be called before secrets are read when `isolate` is set. */
struct web *web_new(struct loop *l, const struct web_options *options,
	const struct web_house *house, struct error *err) must_check;
void web_free(struct web *w);
unsigned web_public_port(const struct web *w), web_intake_port(const struct web *w);
/* For who reads secrets after web_new(). The serving half gets its hash only. */
void web_set_token(struct web *w, const struct secret *token);
/* Who may send parcels: all of them at once, at most WEB_OUTPOSTS_MAX. The serving half gets the
 * hashes of their tokens only. */
#define WEB_OUTPOSTS_MAX 64
struct web_outpost {
	const char *location; /* at most 64 bytes */
	const struct secret *token;
};
void web_set_outposts(struct web *w, const struct web_outpost *outposts, size_t n);
/* How the serving half is: its process (0: threads of this one, or none now), how often it was
 * started, what it said it gave up (as isolate_prove(); NULL: nothing said yet; borrowed). */
struct web_state {
	int pid;
	unsigned starts;
	bool serving;
	const json_t *isolation;
};
struct web_state web_state(const struct web *w);
/* The newest SITE document of an audience; takes it. `probes`: its member of that name as JSON, or
 * NULL; copied. Until the first one pages answer 503. */
void web_publish(struct web *w, enum audience audience, json_t *site, const char *probes);
/* status 200 with a document, or 404, 400, 503 ... with NULL; takes `document`. */
void web_answer(struct web_answer *a, int status, json_t *document);
/* Text for GET /metrics on the intake is asked by query "metrics": {"text": "..."}; by query
 * "health" {"ready": bool, ...} for /healthz. */

/* The child's main; argv as web_new() starts it. Returns the exit code. Thread: main. */
int web_serve_main(int argc, char **argv);

#endif

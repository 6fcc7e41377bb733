/*
 * serve_inside.h - shared by the files of the serving half; see serve.h.
 *
 * Who owns what: the hub its door, cold cache and pending keys; the render thread the SITE
 * documents; a serving thread its servers and the requests that wait. They talk by loop_post() and
 * the render queue; what they hand over is immutable and counted, or given away.
 */
#ifndef WEB_SERVE_INSIDE_H
#define WEB_SERVE_INSIDE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/digest.h"
#include "base/map.h"
#include "web/cache.h"
#include "web/door.h"
#include "web/isolate.h"
#include "web/route.h"
#include "web/serve.h"
#include "web/web.h"

enum seat { SEAT_PUBLIC, SEAT_OPERATORS, SEATS }; /* the two audiences there are */
enum { ROUTES_MAX = 128, LANGUAGES_MAX = 8, SERVE_WHY = 200 };

static inline enum audience seat_audience(enum seat s)
{
	return s == SEAT_PUBLIC ? AUDIENCE_PUBLIC : AUDIENCE_OPERATORS;
}

/* --- serve_pin.c: what is held ready, made by the render thread ------------------------------- */

/* Statuses that have a page of their own; others have a line of text. */
#define PROBLEMS(P)                                                                                \
	P(400, "Bad Request")                                                                      \
	P(403, "Forbidden")                                                                        \
	P(404, "Not Found")                                                                        \
	P(500, "Internal Server Error")                                                            \
	P(503, "Service Unavailable")                                                              \
	P(504, "Gateway Timeout")
#define SERVE_PROBLEMS 6
int problem_place(int status); /* the place of a status; that of 500 for all others */
extern const int problem_statuses[SERVE_PROBLEMS];
extern const char *const problem_titles[SERVE_PROBLEMS];

struct pins { /* immutable and counted */
	atomic_uint refs;
	bool there[SEATS]; /* a SITE has come */
	int64_t revision[SEATS];
	json_t *offered[SEATS]; /* languages; NULL: all */
	char why[SERVE_WHY];    /* what could not be rendered; "" */
	struct cache_doc *docs[ROUTES_MAX][SEATS][LANGUAGES_MAX];
	struct cache_doc *problems[SERVE_PROBLEMS][SEATS][LANGUAGES_MAX];
};

struct pins *pins_ref(struct pins *p);
void pins_unref(struct pins *p); /* NULL is fine */
struct pins *pins_new(void);     /* of no SITE yet */
/* What is made of the SITE of a seat, once; what did not change is taken from `last` (may be NULL).
 * Before the first reference is handed on. */
void pins_add(struct pins *p, enum seat seat, const json_t *site, const struct pins *last);
unsigned language_count(void);

/* --- serve_fixed.c: what is part of the program ----------------------------------------------- */

struct fixed {            /* immutable */
	struct map files; /* name: struct cache_doc */
	struct cache_doc *icon, *robots[SEATS], *openapi;
	struct cache_doc *api_problems[SERVE_PROBLEMS], *text_problems[SERVE_PROBLEMS];
};

void fixed_init(struct fixed *f);
void fixed_fini(struct fixed *f);

/* --- serve_guard.c: who may come in at the intake ----------------------------------------------
 */

struct guard {           /* immutable after SETUP; closed before */
	bool open;       /* the house has said how */
	bool need_token; /* its SHA-256: */
	uint8_t token[SHA256_BYTES];
	unsigned outpost_count; /* who may send parcels, each with a token of its own */
	struct guard_outpost {
		char location[65];
		uint8_t token[SHA256_BYTES];
	} outposts[WEB_OUTPOSTS_MAX];
};

void guard_read(struct guard *g, struct slice setup);
/* 0, or the status to refuse with. */
int guard_admit(const struct guard *g, const struct http_exchange *x);
/* 0, or the status to refuse with, by who may use a route. */
int guard_admit_to(const struct guard *g, const struct route *r, const struct http_exchange *x);
/* The location whose token came with it; NULL: none. Borrows of the guard. */
const char *guard_outpost(const struct guard *g, const struct http_exchange *x);
/* The same as guard_admit() for what has a secret of its own. */
int guard_admit_host(const struct guard *g, const struct http_exchange *x);
/* For requests that change something: not from another site's page. */
int guard_site(const struct http_exchange *x);
int guard_change(const struct http_exchange *x); /* for requests that change something */
bool guard_host_is_local(const char *host);
bool guard_token_fits(const struct guard *g, const char *authorization);
bool guard_origin_fits(const char *origin, const char *host);

/* --- serve_id.c --------------------------------------------------------------------------------
 */

#define REQUEST_ID_MAX 128 /* bytes */
/* Into `id`, of REQUEST_ID_MAX + 1 bytes, which is returned: its X-Request-Id, where that is of
 * letters, digits and -._~+/=:@ and not too long, else a new UUID. */
const char *request_id(const struct http_exchange *x, char *id);

/* --- a request that waits ----------------------------------------------------------------------
 */

struct serving;

struct ask {                     /* the serving thread's; the hub uses it until it has answered */
	struct ask *next, *prev; /* in the serving thread's list */
	struct hub *hub;
	struct ask *next_waiter; /* the hub's */
	struct serving *serving;
	struct http_exchange *x; /* NULL: the client has gone; the serving thread's */
	const struct route *route;
	enum seat seat;
	unsigned language;
	char *key;                   /* NULL: not shared with other requests */
	char *word;                  /* decoded {name} */
	char *body;                  /* of a command, or what is asked, as JSON; NULL: none */
	char id[REQUEST_ID_MAX + 1]; /* of one without a key */
	/* of one that writes in: its body while it comes, and what was read of it */
	bool gathering, busy;
	struct buf sent;
	size_t under_way; /* bytes of it that count */
	struct write_out *out;
	/* the answer */
	int status;
	struct cache_doc *doc;      /* NULL: a problem of that status */
	int64_t revision, until_ns; /* how long it holds; 0: it is not kept */
};

/* The answer of the house to one that writes in. Thread: any. */
struct cache_doc *write_doc(
	const struct route *r, const char *id, int status, const char *why, const json_t *document);

/* --- serve_render.c ----------------------------------------------------------------------------
 */

struct render;

struct render_job { /* embedded in its owner's */
	struct render_job *next;
	/* on the render thread; frames: what all pages show of SITE, by seat; NULL: none yet */
	void (*work)(struct render_job *j, json_t **frames);
	void (*done)(struct render_job *j); /* on the hub */
	struct render *render;
};

struct render *render_new(struct loop *hub, struct error *err) must_check;
void render_free(struct render *r); /* nothing may be under way */
/* `first`: before all that are not. */
void render_submit(struct render *r, struct render_job *j, bool first);

/* --- serve_hub.c -------------------------------------------------------------------------------
 */

struct hub;

/* Makes the door. `pinned` is called for each new set (it refs what it keeps), `setup` when the
 * house has said who may come in, `ended` once. */
struct hub_options {
	struct loop *loop;
	int door;
	void (*pinned)(void *arg, struct pins *p);
	void (*setup)(void *arg, const struct guard *g);
	void (*ended)(void *arg, const struct error *err);
	void *arg;
};
struct hub *hub_new(const struct hub_options *o, struct error *err) must_check;
/* All asks are answered in here. */
void hub_close(struct hub *h);
void hub_free(struct hub *h);
void hub_say(struct hub *h, const char *what, json_t *details); /* takes details */
/* Thread: any. Takes the ask; it comes back by serving_take() exactly once. */
void hub_ask(struct hub *h, struct ask *a);

/* --- serve_thread.c ----------------------------------------------------------------------------
 */

struct serving_options {
	struct hub *hub;
	struct loop *hub_loop;
	const struct fixed *fixed;
	int public_fd, intake_fd; /* -1: none */
	unsigned connections;
	void (*closed)(void *arg); /* on the hub, after serving_close() */
	void *arg;
};
struct serving *serving_new(const struct serving_options *o, struct error *err) must_check;
/* Thread of these: the hub's. */
void serving_pin(struct serving *s, struct pins *p);
void serving_guard(struct serving *s, const struct guard *g);
void serving_take(struct serving *s, struct ask *a);
/* Closes its listeners and drops its requests; what comes back later is freed. Asks nothing more
 * when `closed` is called. */
void serving_close(struct serving *s);
/* Ends the thread; every ask must have come back. */
void serving_free(struct serving *s);

#endif

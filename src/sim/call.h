/*
 * call.h - one request on its way through the simulated cloud.
 *
 * It arrives, is entered in the record, meets the faults, waits as long as the service works, and
 * only then has its effect and its answer; so a connection that is cut meanwhile leaves an effect
 * that comes later, as on a real cloud. Handlers run once, at that moment, and end by one of the
 * call_…() answers below. Thread: the loop's.
 */
#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/vec.h"
#include "net/http_server.h"
#include "sim/draw.h"
#include "sim/mishap.h"
#include "sim/object.h"

struct call;
struct service;
struct token;

enum route_flags {
	ROUTE_OPEN = 1,      /* needs no token: version documents, log-in, controls */
	ROUTE_RAW = 2,       /* the body is not JSON */
	ROUTE_UNSCOPED = 4,  /* a token without a project will do */
	ROUTE_CREATE = 8,    /* makes an object: marks are looked at */
	ROUTE_ANY_JSON = 16, /* the body may be any JSON value, not only an object */
	ROUTE_UPLOAD = 32,   /* the body goes to c->upload as it comes */
	ROUTE_ENDPOINT = 64, /* as the catalog names it: clients look for versions there */
};

#define ROUTE_PARAMS 4

struct route {
	const char *method;
	/* Below the service; {} stands for one part of the path, {*} at the end for all that is
	 * left. */
	const char *path;
	void (*run)(struct call *c);
	unsigned flags;
	enum draw_time work;
	int since; /* microversion from which it exists, 0: always */
	int until; /* and up to which, 0: for ever */
};

/* Each service: its place, its table, and how it words an error. */
struct service {
	const char *name;   /* "compute" */
	const char *prefix; /* "/compute" */
	const struct route *routes;
	size_t n;
	/* The body of an error answer, taken by the caller. `type` may be NULL. */
	json_t *(*error)(struct call *c, int status, const char *type, const char *message);
	/* Reads the microversion headers; false when it has answered. NULL: no microversions. */
	bool (*version)(struct call *c);
	/* The headers of a ROUTE_UPLOAD request are there (true); later, when nobody took the data,
	 * the end of that (false). NULL: no uploads. */
	void (*upload)(struct call *c, bool begins);
	bool webob_errors; /* its errors are call_fail_webob()'s */
	/* Gives an error answer that is no JSON, in place of `error`; or NULL. */
	void (*fail)(struct call *c, int status, const char *message);
	/* Answers who has no good token; NULL: as keystone's middleware does. */
	void (*unauthorized)(struct call *c);
	bool transactions; /* ids of its requests are swift's, sent as X-Trans-Id too */
	bool all_headers;  /* call_sent() knows every header of a request */
	/* Type and text for a body that is not JSON; NULL: the usual ones. */
	const char *bad_body_type, *bad_body_text;
};

struct pair {
	char *name, *value; /* decoded, owned */
};

struct answer_header {
	char *name, *value; /* owned */
};

struct call {
	struct call *prev, *next;
	struct sim *sim;
	struct http_exchange *x; /* NULL once the client is gone or the connection was cut */
	const struct service *service;
	const struct route *route; /* NULL: none fits */
	bool known_path;           /* some other method has this path: 405, not 404 */
	const char *method, *path; /* path below the service; owned */
	const char *host; /* that builds a server or runs the guest that asks; NULL: of a client */
	char *query;
	char *params[ROUTE_PARAMS];
	VEC(struct pair) arguments;
	VEC(struct pair) sent; /* headers, names in lower case; of a service with all_headers */
	json_t *body;          /* NULL when none was sent */
	bool inside;           /* of call_inside(): no rule is looked at */
	bool bad_body;         /* what was sent is no JSON object */
	struct upload *upload; /* the body of a ROUTE_UPLOAD, or NULL */
	char *token_text;      /* X-Auth-Token, or NULL */
	char *subject_text;    /* X-Subject-Token, or NULL */
	char *wanted_version;  /* OpenStack-API-Version, or NULL */
	char *nova_version;    /* X-OpenStack-Nova-API-Version, or NULL */
	char *if_match, *content_type, *range, *accept;
	const struct token *token; /* checked when the handler runs */
	char project[PROJECT_TEXT], user[PROJECT_TEXT];
	int version;         /* minor part of the microversion */
	char request_id[41]; /* made here, sent with the answer */
	char client_id[64];  /* the request id the client sent, or "" */
	uint64_t number;     /* in the record */
	int64_t arrived_ns;
	struct timer timer;
	VEC(struct mishap *) hits; /* references */

	/* The answer. */
	int status; /* 0: none yet */
	json_t *answer;
	struct buf text;
	const char *type; /* content type, static */
	VEC(struct answer_header) headers;
	int file; /* an answer read from this descriptor, or -1; owned */
	int64_t file_from, file_n, file_stop; /* the stop is before the end when it is cut */
	bool streaming;                       /* the file is on its way */
};

/* --- what handlers ask --------------------------------------------------------------------- */

const char *call_query(const struct call *c, const char *name); /* first value, NULL if absent */
/* The value of a request's header (name in lower case) of a service with all_headers, or NULL. */
const char *call_sent(const struct call *c, const char *name);
/* How welcome a media type is to the client, 0 to 1000; 0 when it sent no Accept. */
int call_welcomes(const struct call *c, const char *type);
/* The fault of that effect which this call met, or NULL. */
const struct mishap *call_hit(const struct call *c, enum mishap_effect effect);
/* body[wrapper] as an object; answers 400 in the service's form and returns NULL otherwise. */
json_t *call_wrapped(struct call *c, const char *wrapper);
/* "http://host:port" of the sim. */
const char *call_url(const struct call *c);

/* --- what they answer ------------------------------------------------------------------------ */

void call_json(struct call *c, int status, json_t *takes);
void call_empty(struct call *c, int status);
void call_text(struct call *c, int status, const char *type, const char *text);
/* The bytes as they are; copies. `type` must live until the answer is sent. */
void call_bytes(struct call *c, int status, const char *type, const void *p, size_t n);
/* n bytes of a file from `from` on; has a descriptor of its own. */
void call_file(struct call *c, int status, int fd, int64_t from, int64_t n);
void call_header(struct call *c, const char *name, const char *fmt, ...) like_printf(3, 4);
void call_fail(struct call *c, int status, const char *type, const char *fmt, ...)
	like_printf(4, 5);
/* In the words of webob, with its `detail` (or ""): HTML, JSON or text, as the client accepts. */
void call_fail_webob(struct call *c, int status, const char *explanation, const char *detail);
/* "Not Found" for 404, and so on. */
const char *call_status_title(int status);
/* Whether an answer has been given. */
bool call_answered(const struct call *c);

/*
 * Makes a request as that project and user, without token, faults, record and time. Takes `body`.
 * Returns the status; the answer, owned, or NULL. Status 404 also when there is no such service.
 */
int call_inside(struct sim *s, const char *path, json_t *body, const char *project,
	const char *user, json_t **ret_answer);
/* The same with any method. */
int call_inside_as(struct sim *s, const char *method, const char *path, json_t *body,
	const char *project, const char *user, json_t **ret_answer);

/* --- for sim.c ------------------------------------------------------------------------------- */

void call_arrive(void *sim, struct http_exchange *x); /* http_server's handle */
void call_gone(void *sim, struct http_exchange *x);
bool call_stream(void *sim, struct http_exchange *x); /* and its stream */
void call_piece(void *sim, struct http_exchange *x, const void *p, size_t n);
void calls_fini(struct sim *s); /* drops all that are under way */

#endif

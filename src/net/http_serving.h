/*
 * http_serving.h - the inside of the HTTP server, shared by its files: http_server.c opens and
 * drives, http_accept.c takes connections, http_exchange.c takes a request from its line to its
 * answer, http_response.c makes answers, http_ages.c keeps deadlines and makes room, http_listen.c
 * opens sockets.
 */
#ifndef NET_HTTP_SERVING_H
#define NET_HTTP_SERVING_H

#include <microhttpd.h>

#include "base/vec.h"
#include "net/http_server.h"

/* Each is a list ordered by the moment its connections entered it. */
enum phase {
	PHASE_IDLE, /* kept alive, between two requests */
	PHASE_HEADERS,
	PHASE_BODY,
	PHASE_ANSWER, /* the handler has it */
	PHASE_SEND,   /* its answer is on the way */
	PHASE_COUNT
};

struct connection {
	struct connection *next, *prev; /* in the list of its phase; none when shut */
	struct http_server *server;
	int fd;
	enum phase phase;
	int64_t since_ns;
	size_t place;  /* in the server's `all` */
	bool shut;     /* its socket is; libmicrohttpd has not seen it yet */
	char peer[64]; /* "" until asked for */
};

struct phase_list {
	struct connection *first, *last;
};

struct argument {
	char *name, *value;
};

struct http_exchange {
	struct http_server *server;
	struct MHD_Connection *mhd;
	struct connection *connection;
	const char *method, *path, *query; /* path: libmicrohttpd's */
	char *query_copy;                  /* NULL: none */
	struct buf body;
	bool begun, streams, too_large;
	bool handled; /* the handler has seen it */
	bool suspended, answered, dropped;
	size_t kept_at; /* while suspended: its place in the server's list */
	int status;
	struct http_response *response;
	VEC(struct argument) arguments;
	bool arguments_read;
	void *data;
	struct http_exchange *next_spare;
};

struct http_server {
	struct loop *loop;
	struct http_server_options o;
	struct MHD_Daemon *mhd;
	uv_poll_t *poll, *listening;
	int listener;
	struct timer run, sweep, pause;
	unsigned port;
	VEC(struct http_exchange *) kept; /* suspended until their reply */
	VEC(struct connection *) all;
	size_t asked_all, asked_kept; /* where the next look at ends begins */
	struct phase_list phases[PHASE_COUNT];
	size_t shut; /* of `all` */
	struct http_exchange *spare;
	unsigned spares;
	bool closing;
};

/* http_server.c: libmicrohttpd has something to do that no descriptor tells of. */
void http_run_soon(struct http_server *s);

/* http_accept.c; stopping closes the listener. */
void http_accept_start(struct http_server *s);
void http_accept_stop(struct http_server *s);

/* http_exchange.c: libmicrohttpd's callbacks. */
void *http_on_uri(void *arg, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_on_access(void *arg, struct MHD_Connection *mhd, const char *url,
	const char *method, const char *version, const char *upload, size_t *upload_n,
	void **con_cls);
void http_on_completed(
	void *arg, struct MHD_Connection *mhd, void **con_cls, enum MHD_RequestTerminationCode why);
bool http_is_kept(const struct http_server *s, const struct http_exchange *x);
void http_free_spares(struct http_server *s);
/* Takes the response; NULL: the connection is closed without an answer. */
void http_answer_with(struct http_exchange *x, int status, struct http_response *response);

/* http_response.c */
struct MHD_Response *http_response_mhd(const struct http_response *r);

/* http_ages.c */
void http_on_connection(void *arg, struct MHD_Connection *mhd, void **context,
	enum MHD_ConnectionNotificationCode what);
void http_enter(struct connection *c, enum phase phase); /* NULL is fine */
void http_sweep_start(struct http_server *s);
#define HTTP_SPARE_PLACES 128 /* for newcomers while the ends of the oldest are not seen yet */

#endif

/*
 * session.h - the inside of a cloud session, shared by the cloud_*.c files.
 *
 * cloud.c          calls: from being asked for to their callback, the queue, what is sent again
 * cloud_auth.c     token and catalog
 * cloud_login.c    what a log-in sends; log-ins of probes
 * cloud_endpoint.c which address serves a service; versions
 * cloud_list.c     lists over pages
 * cloud_route.c    routes without their extension
 * cloud_facts.c    quota, zones, extensions
 * cloud_exchange.c what observers see, with secrets masked
 */
#ifndef OPENSTACK_SESSION_H
#define OPENSTACK_SESSION_H

#include "base/map.h"
#include "base/vec.h"
#include "openstack/cloud.h"

#define AUTH_NS         (30 * NS_PER_S)
#define DISCOVERY_NS    (15 * NS_PER_S)
#define CALL_DEFAULT_NS (60 * NS_PER_S)

enum call_state {
	CALL_TOKEN,    /* waits for a token */
	CALL_ENDPOINT, /* waits for the service's address */
	CALL_QUEUED,   /* waits for a free place */
	CALL_SENT,
	CALL_PAUSED, /* before it is sent again */
	CALL_OVER,   /* the callback comes on the next turn */
};

struct cloud_call {
	struct cloud *cloud;
	enum call_state state;
	char *service, *method, *path, *microversion;
	json_t *body;
	char *body_text, *url;
	struct http_header *headers;
	size_t header_count;
	char request_id[REQUEST_ID_TEXT];
	int64_t deadline_ns;
	size_t (*source)(void *arg, void *p, size_t n);
	int64_t source_n;
	void (*rewind)(void *arg);
	bool (*sink)(void *arg, const void *p, size_t n);
	void *stream_arg;
	cloud_done *done;
	void *arg;

	struct http_call *http;
	struct timer timer;
	int64_t first_sent_ns, queued_at_ns, queued_ns, at_unix_us;
	unsigned tries, lost_tries;
	unsigned token_used; /* generation of the token it was sent with */
	bool retried_auth, was_sent, compute, holds_place, absent_is_good;
	struct cloud_answer answer; /* for CALL_OVER */
	struct list *list;          /* the list it is a page of, or NULL */
	struct route *route;        /* what it falls back to, or NULL */
	const struct cloud_purpose *purpose;
};

struct service {
	char *type;
	char *endpoint; /* with its version root; NULL until known */
	bool discovering, none;
	struct http_call *http;
	char *catalog_url;
	struct cloud *cloud;
};

struct observer {
	cloud_observer *cb;
	void *arg;
	enum cloud_detail detail;
};

struct waiter { /* for cloud_connect() */
	void (*done)(void *arg, const struct error *err);
	void *arg;
};

struct cloud {
	struct loop *loop;
	struct http_client *client;
	const struct cloud_config *config;
	struct random *random;
	unsigned inflight_max, compute_max, inflight, compute;
	VEC(struct cloud_call *) calls; /* all that are not over, in order */
	struct timer turn;
	bool turning, closing, drained;

	struct secret *token;
	unsigned token_generation;
	int64_t token_until_ns; /* loop time: renew from then on */
	struct http_call *auth_call;
	char *auth_body, *auth_url;
	char auth_request_id[REQUEST_ID_TEXT];
	int64_t auth_at_unix_us;
	bool authenticating;
	struct error auth_error;
	enum fault auth_fault;
	bool auth_failed;
	json_t *catalog;
	char *project_id, *user_id, *region;
	struct map services; /* type -> struct service * */
	VEC(struct waiter) waiters;
	json_t *extensions;

	VEC(struct observer) observers;
};

/* cloud.c */
void cloud_kick(struct cloud *c); /* looks at all waiting calls, soon */
bool cloud_idle(struct cloud *c); /* nothing is under way */

/* cloud_auth.c */
void auth_begin(struct cloud *c);
bool auth_good(const struct cloud *c);
void auth_drop_token(struct cloud *c, unsigned generation);
/* What an answer of keystone says of project, user, services and region; false: which region is
 * meant is open, or it is not there. */
bool auth_learn_catalog(struct cloud *c, const json_t *token, struct error *err);

/* cloud_login.c */
char *auth_body_text(const struct cloud_config *g); /* owned; holds the secret: wipe it */
void auth_body_wipe(char **body);                   /* frees it too */
char *auth_url_text(const struct cloud_config *g);  /* owned */

/* cloud_endpoint.c */
/* The service's record; begins discovery when needed. endpoint NULL and !none: wait. */
struct service *endpoint_of(struct cloud *c, const char *type);
void endpoint_cancel_all(struct cloud *c);
bool endpoint_idle(const struct cloud *c);
void endpoint_free_all(struct cloud *c);
void endpoint_forget_all(struct cloud *c); /* the catalog has changed */
/* Aliases of a service type, the given one first; NULL-terminated. */
const char *const *endpoint_aliases(const char *type);

/* cloud_list.c */
/* A page has come: true if the call goes round for the next one, false if the list has called back.
 */
bool list_goes_on(struct cloud_call *k, const struct cloud_answer *a);

/* cloud_route.c */
struct route *route_new(const struct cloud_request *q); /* NULL: it is no such request */
void route_free(struct route *r);
/* An answer has come: true if the call goes round for the next step, false if that was the last. */
bool route_goes_on(struct cloud_call *k, const struct cloud_answer *a);

/* cloud_exchange.c */
/* `call` NULL: the token request. */
void exchange_tell(struct cloud *c, const struct cloud_call *call, const struct http_answer *a,
	enum fault fault, const char *detail);

#endif

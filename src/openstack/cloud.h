/*
 * cloud.h - a session with one cloud: token, catalog, versions, and requests through them.
 *
 * Authenticates when first needed and again 60 s before a token ends, and once after a 401 (also in
 * the middle of a list). Reads the catalog, discovers versions (also from 300 answers), applies
 * *_endpoint_override and *_api_version. Keeps at most `inflight` requests under way, `compute` of
 * them to nova; the others wait in order and their waiting is not part of what is measured.
 * Every request carries our X-Openstack-Request-Id: req-<uuid>.
 * What is sent again by itself: a request refused with 401 (once, after a new token), 429, and 503
 * with Retry-After (both forms; within the deadline), since a refusal has no effect; GET and HEAD
 * after a lost connection (twice, 200 ms and 1 s later). A create or change that may have reached
 * the service is never sent twice here, nor are data that cannot be read from their beginning
 * again. Thread: the loop's.
 */
#ifndef OPENSTACK_CLOUD_H
#define OPENSTACK_CLOUD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fault.h"
#include "base/json.h"
#include "base/random.h"
#include "net/http_client.h"
#include "openstack/cloud_config.h"
#include "openstack/cloud_error.h"

struct cloud;
struct cloud_call;

#define REQUEST_ID_TEXT 41 /* "req-" and a UUID */

struct cloud_options {
	unsigned inflight;     /* 0: 8 */
	unsigned compute;      /* 0: 4 */
	struct random *random; /* NULL: system */
};

/* What a call is for, as observers are told; lives until the call has called back. */
struct cloud_purpose {
	const char *scenario, *run, *step, *kind; /* kind may be NULL */
};

struct cloud_request {
	const char *service; /* "identity" "compute" "network" "block-storage" "image" … */
	const char *method;
	const char *path; /* below the endpoint's versioned root, "/servers?name=x"; copied. A full
			     http(s) address (a `next` link) is taken if it is below the endpoint */
	const char *microversion;          /* "2.79" for compute and block-storage, or NULL */
	json_t *body;                      /* borrowed (a reference is taken), or NULL */
	const struct http_header *headers; /* more headers, copied */
	size_t header_count;
	char request_id[REQUEST_ID_TEXT]; /* "": made here */
	int64_t deadline_ns;              /* from being sent the first time; 0: 60 s */
	/* add_extraroutes and remove_extraroutes of one route: where neutron has no such call, the
	 * router's whole list is read and written */
	bool falls_back;
	bool absent_is_good; /* asks whether something is gone: for observers 404 is no fault */
	/* raw bodies (image data) */
	size_t (*source)(void *arg, void *p, size_t n);
	int64_t source_n;
	void (*rewind)(void *arg); /* what comes from source next is its beginning; may be NULL */
	bool (*sink)(void *arg, const void *p, size_t n);
	void *stream_arg;
	const struct cloud_purpose *purpose; /* borrowed; NULL: none that is known */
};

struct cloud_answer {
	enum fault fault; /* NONE for any 2xx, 300 and 304; BODY for what sends on, and for a page
			     of HTML (but swift's); else sharpened */
	int status;       /* 0: none came */
	bool sent;        /* a create may have happened even though fault is set */
	json_t *json;     /* borrowed during the callback; NULL when the body is none */
	struct slice body;
	struct cloud_error error;         /* when fault is set: type and message */
	char request_id[REQUEST_ID_TEXT]; /* ours */
	char service_request_id[96];      /* x-openstack-request-id of the answer, or "" */
	struct phases phases;             /* of the last exchange */
	int64_t queued_ns;                /* waited here for a free place */
	unsigned tries;                   /* exchanges it took, 1 normally */
	const struct http_answer *http;   /* headers; borrowed during the callback; may be NULL */
};

typedef void cloud_done(void *arg, const struct cloud_answer *a);

/* Copies nothing of config: borrows it and the client for its life. */
struct cloud *cloud_new(struct loop *l, struct http_client *client,
	const struct cloud_config *config, const struct cloud_options *options);
void cloud_free(struct cloud *c); /* cancels */
const struct cloud_config *cloud_configuration(const struct cloud *c);
/* What is under way at once at most: a stated part of every measurement. */
struct cloud_options cloud_limits(const struct cloud *c);

/* Authenticates and reads the catalog now, so that errors of configuration come before a run:
 * done(arg, NULL) when good, else an error (ERROR_CLOUD or ERROR_CONFIG) that says what to do:
 * wrong password, expired application credential, unreachable, unknown authority, no such region.
 */
void cloud_connect(struct cloud *c, void (*done)(void *arg, const struct error *err), void *arg);
/* The fault of the last log-in that failed, while its error is being told; else NONE. */
enum fault cloud_login_fault(const struct cloud *c);
/* Takes back what was asked with this arg: it is not called then. */
void cloud_connect_cancel(struct cloud *c, const void *arg);

/* done is called once, never from in here. */
struct cloud_call *cloud_call(
	struct cloud *c, const struct cloud_request *r, cloud_done *done, void *arg);
void cloud_cancel(struct cloud_call *call); /* done runs next turn with FAULT_CANCELLED */

/*
 * Reads a whole list: follows `links`/`<collection>_links`/`next` in the form of each service; a
 * collection NULL is an answer that is the list itself, read on by `marker`. At
 * most 100,000 items or 64 MiB. `items` is borrowed; complete only when fault is NONE.
 */
typedef void cloud_list_done(void *arg, const struct cloud_answer *last, json_t *items);
struct cloud_call *cloud_list(struct cloud *c, const char *service, const char *path,
	const char *collection, const char *microversion, int64_t deadline_ns,
	cloud_list_done *done, void *arg);

/* What is known after cloud_connect(). Borrow. */
const char *cloud_project_id(const struct cloud *c);
const char *cloud_user_id(const struct cloud *c);
const char *cloud_region(const struct cloud *c);
/* The endpoint of a service, version root included once discovered; NULL if the catalog has none.
 */
const char *cloud_endpoint(const struct cloud *c, const char *service);
/* All service types of the catalog that have an endpoint for us, as json array of {type, name,
 * url}, with the address that is configured where one is; owned reference. */
json_t *cloud_catalog(const struct cloud *c);
/* --- for probes, which take connections of their own and stand in no queue ------------------- */

/* What every request to this cloud needs: authorities, certificate, verification. */
void cloud_transport(const struct cloud *c, struct http_request *q);
/* The session's token, NULL if it has none: cloud_connect() gets one, and a new one when *ret_renew
 * says that this has not long to live. Borrows; for X-Auth-Token alone, never to be shown. */
const struct secret *cloud_token(const struct cloud *c, unsigned *ret_generation, bool *ret_renew);
/* A service refused it with 401. */
void cloud_token_refused(struct cloud *c, unsigned generation);
/* A log-in as the session's, or `with` a token for the same scope (NULL: what is configured), timed
 * for its own sake. The token that comes is forgotten, the session's stays; the catalog that comes
 * with it becomes the session's. An error.message without a fault says why the catalog is of no use
 * (no such region). done comes once, never from in here, and with FAULT_CANCELLED after a cancel;
 * the cloud must live until done or the cancel. */
struct cloud_login;
struct cloud_login *cloud_log_in(struct cloud *c, struct http_client *client,
	const struct secret *with, const char *request_id, int64_t deadline_ns, cloud_done *done,
	void *arg);
void cloud_login_cancel(struct cloud_login *l);
char *cloud_login_url(const struct cloud *c); /* owned */

/* Whether neutron has an extension alias; asks once, answers later. */
void cloud_has_extension(
	struct cloud *c, const char *alias, void (*done)(void *arg, bool has), void *arg);

/* Sees every exchange with the cloud as it ends (token requests too), for statistics, exporters and
 * --log. Headers and bodies are handed out with secrets already masked. */
enum cloud_detail {
	CLOUD_FIGURES, /* neither headers nor bodies: what statistics need */
	CLOUD_HEADERS,
	CLOUD_BODIES, /* headers too */
};

struct cloud_exchange {
	const char *service, *method, *url, *microversion;
	/* The call for statistics: "POST /servers", ids in the path replaced by {id}. */
	const char *call;
	const char *request_id, *service_request_id;
	int64_t at_unix_us;
	int status;
	enum fault fault;
	const char *detail;
	unsigned attempt;
	struct phases phases;
	const struct cloud_purpose *purpose;    /* NULL: none that is known */
	struct slice request_body, answer_body; /* scrubbed; "" unless somebody asked for them */
	const struct http_header *request_headers, *answer_headers; /* the same */
	size_t request_header_count, answer_header_count;
};
typedef void cloud_observer(void *arg, const struct cloud_exchange *x);
/* Any number may listen; each is told in the order they came, and may be told more than it asked
 * for. An observer neither adds nor removes any. */
void cloud_observe(struct cloud *c, enum cloud_detail detail, cloud_observer *cb, void *arg);
void cloud_unobserve(struct cloud *c, const void *arg); /* all with that argument */

/* Quota of the project: {"servers": {"limit": 10, "used": 2}, "cores":…, "ram":…, "volumes":…,
 * "gigabytes":…, "snapshots":…, "network":…, "subnet", "port", "router", "floatingip",
 * "security_group", "security_group_rule", "load_balancer", "zones", "secrets"}; -1 is no limit. A
 * service that refuses is left out. Owned by the callee, borrowed during the callback. */
void cloud_quota(struct cloud *c, void (*done)(void *arg, const json_t *quota), void *arg);
/* A service that failed what several were asked for. */
struct cloud_failure {
	const char *service; /* static */
	enum fault fault;
	struct cloud_error error;
	char request_id[REQUEST_ID_TEXT], service_request_id[96];
};
/* {"compute": ["az1"], "volume": […], "network": […]} of available zones. A service that the cloud
 * does not offer has none; the first one that fails is told (else NULL), its zones are missing. */
void cloud_zones(struct cloud *c,
	void (*done)(void *arg, const struct cloud_failure *f, const json_t *zones), void *arg);
/* Of an answer that has a fault. */
void cloud_failure_of(const struct cloud_answer *a, const char *service, struct cloud_failure *ret);

#endif

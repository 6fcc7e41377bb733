/*
 * fake_cloud.h - a scripted cloud on loopback, driven by the test's own loop on a virtual clock:
 * waiting (Retry-After, the life of a token) takes no time.
 *
 * Keystone answers by itself unless scripted otherwise; every other request is answered by the
 * first answer scripted for it that is not yet used, the last one again and again. $BASE in bodies
 * is the server's address. A request with a token that is not valid is refused with 401.
 */
#ifndef TESTS_OPENSTACK_FAKE_CLOUD_H
#define TESTS_OPENSTACK_FAKE_CLOUD_H

#include "base/vec.h"
#include "net/http_server.h"
#include "openstack/cloud.h"

#define FAKE_DROP (-1) /* as a status: the connection breaks without an answer */
#define FAKE_KEEP (-2) /* no answer until fake_release() */

struct fake_answer {
	char *request; /* "GET /v2.1/servers" */
	int status;
	char *header; /* "Retry-After: 3" or NULL */
	char *body;
	unsigned used;
};

struct fake {
	struct clock clock;
	struct loop *loop;
	struct http_server *server;
	struct http_client *client;
	struct cloud_config config;
	struct cloud *cloud;
	char base[64];
	char *catalog; /* json of token.catalog */
	int64_t token_life_s;
	unsigned tokens;      /* given out */
	unsigned revoked;     /* of them, the first so many are valid no more */
	VEC(char *) requests; /* "GET /v2.1/servers?limit=1", in order */
	VEC(char *) bodies;   /* of the same */
	VEC(char *) headers;  /* those of interest, of the same */
	VEC(struct fake_answer) answers;
	VEC(struct http_exchange *) kept;
	unsigned most_kept;
};

/* For cmocka: *state becomes a struct fake *, its config one of a user with a password. */
int fake_set_up(void **state);
int fake_tear_down(void **state);
/* Another cloud with the present config. */
void fake_restart(struct fake *f, const struct cloud_options *options);
void fake_says(
	struct fake *f, const char *request, int status, const char *header, const char *body);
void fake_release(struct fake *f, int status, const char *body);
/* Makes the tokens that were given out invalid. */
void fake_revoke(struct fake *f);
/* How often a request came, whatever its query. */
unsigned fake_count(const struct fake *f, const char *request);
/* The index of the last such request; the test fails if there is none. */
size_t fake_last(const struct fake *f, const char *request);
void fake_forget(struct fake *f); /* the requests so far */

struct fake_result { /* what a call ended with, copied */
	int times;
	bool done;
	enum fault fault;
	int status;
	bool sent;
	unsigned tries;
	char type[96], message[512], request_id[REQUEST_ID_TEXT], service_request_id[96];
	char *json; /* owned */
	size_t items;
};

void fake_done(void *arg, const struct cloud_answer *a);
void fake_list_done(void *arg, const struct cloud_answer *a, json_t *items);
void fake_result_fini(struct fake_result *r);
/* One call, waited for. The result's json is freed by the next call with the same r. */
void fake_call(struct fake *f, const char *service, const char *method, const char *path,
	const char *body, struct fake_result *r);
void fake_list(struct fake *f, const char *service, const char *path, const char *collection,
	struct fake_result *r);
/* Waits; fails the test when it cannot happen any more. */
void fake_wait(struct fake *f, const bool *done);
/* cloud_connect(), waited for: "" or the error's text, valid until the next. */
const char *fake_connect(struct fake *f);

#endif

/*
 * alarm_house.h - alarms over real tables on a virtual clock, and a receiver that does as told.
 */
#ifndef TESTS_UNIT_TELL_ALARM_HOUSE_H
#define TESTS_UNIT_TELL_ALARM_HOUSE_H

#include <jansson.h>
#include <pthread.h>

#include "../net/peer.h"
#include "base/vec.h"
#include "tell/alarm.h"

struct heard {        /* one request the receiver got */
	char *head;   /* request line and headers */
	json_t *body; /* NULL: none */
};

struct say {                 /* how it answers one */
	int status;          /* 0: not at all, the connection stays open; -1: it is closed */
	const char *headers; /* each with CRLF, or NULL */
};

struct alarm_house {
	char root[64];
	struct clock clock;
	struct loop *loop;
	struct facts *facts;
	struct http_client *client;
	struct mailer *mailer;
	struct alarms *alarms;
	struct alarm_site site;
	VEC(struct alarm) list;
	struct peer *peer;
	char *url;                     /* of the receiver, without path */
	void (*peer_stop)(void *peer); /* ends a real peer, also when the test fails; or NULL */
	void *real_peer;
	VEC(char *) texts; /* freed at the end */
	struct error err;
	pthread_mutex_t lock;
	VEC(struct heard) heard; /* all so far; under the lock */
	VEC(struct say) script;  /* answers to come; then 200 */
	size_t seen;             /* by house_next() */
};

int alarm_house_setup(void **state);
int alarm_house_teardown(void **state);
#define alarm_test(f) cmocka_unit_test_setup_teardown(f, alarm_house_setup, alarm_house_teardown)

/* An alarm of that kind whose address is the receiver's with `path`; start comes later. */
struct alarm *house_alarm(struct alarm_house *h, enum alarm_kind kind, const char *path);
void house_start(struct alarm_house *h);
/* As a kill -9 leaves it: what is under way is cut off, what is durable is read again. */
void house_crash(struct alarm_house *h);
void house_stop(struct alarm_house *h);

void house_script(struct alarm_house *h, int status, const char *headers);
/* A verdict as the judge writes it; returns its id. */
int64_t house_verdict(struct alarm_house *h, const char *component, enum health health,
	const char *rule, const char *text);
/* The same, and all that follows at once. */
int64_t house_change(struct alarm_house *h, const char *component, enum health health);
/* Of a verdict that something explains: component, health, rule, text, root ..., not its times. */
int64_t house_explained(struct alarm_house *h, const struct verdict *v);
/* Until nothing is under way, at this time. */
void house_settle(struct alarm_house *h);
/* Until the receiver has heard n in all; then one may still be unanswered. */
void house_until_heard(struct alarm_house *h, size_t n);
/* In steps of a second, settling after each. */
void house_pass(struct alarm_house *h, int64_t seconds);
size_t house_heard(struct alarm_house *h);
/* The next request not yet seen; fails the test when there is none. Borrowed. */
const struct heard *house_next(struct alarm_house *h);
void house_silent(struct alarm_house *h); /* there is none */
int64_t house_now_ms(const struct alarm_house *h);
const struct alarm_state *house_state(struct alarm_house *h, size_t i);

/* Fails unless the text at the path ("changes/0/to") is that. */
void assert_at(const json_t *o, const char *path, const char *expected);
/* The nth block of JSON in docs/alarms.md; owned. */
json_t *documented(unsigned nth);
const json_t *json_path(const json_t *o, const char *path);

#endif

/*
 * check.h - the measuring verbs (ping tcp http ssh dns stream download list token value guest
 * mesh throughput bench) as one
 * operation: evaluated body in, fault and measurements out. Expectations, retries and must_fail are
 * the runner's.
 *
 * Addresses go through the cloud's `reach`. Thread: the loop's.
 */
#ifndef OBSERVE_SCENARIO_CHECK_H
#define OBSERVE_SCENARIO_CHECK_H

#include "net/dns.h"
#include "net/ping.h"
#include "net/resolver.h"
#include "net/ssh.h"
#include "net/tcp.h"
#include "observe/scenario/world.h"
#include "openstack/cloud.h"

struct check_tools { /* borrowed by every check */
	struct loop *loop;
	struct cloud *cloud;
	struct http_client *probes; /* fresh connections */
	struct resolver *resolver;
	struct pinger *pinger;
	struct ssh_pool *ssh;
	struct random *random;
	const struct cloud_purpose *purpose; /* of what is asked of the cloud; NULL: none */
};

struct check_result {
	enum fault fault; /* NONE: it measured; expectations come after */
	char detail[256];
	/* [NAME] -> value: STATUS BODY RESPONSE_TIME OUTPUT EXIT_STATUS RTT ADDRESS CONNECTED SENT
	 * LOST GAPS LONGEST_GAP UP_AFTER DOWN_AFTER SIZE SHA512 ERRORS SPREAD STRAY LAST ANSWERS
	 * RCODE TTL VALUE …; times are texts with units ("12ms") so that conditions compare them as
	 * times. Borrowed.
	 */
	const json_t *measured;
	struct phases phases;
	unsigned requests; /* to the cloud's services */
	/* The question was never asked: the guest it was to come from could not be logged in to. */
	bool unasked;
};

struct check_call;
typedef void check_done(void *arg, const struct check_result *r);

/* Starts the check of `e` with its evaluated body (borrowed until done). deadline_ns is for this
 * one attempt. done is called once, never from in here. */
struct check_call *check_start(const struct check_tools *tools, struct world *w, struct element *e,
	const struct value *body, int64_t deadline_ns, check_done *done, void *arg);
void check_cancel(struct check_call *c); /* done runs soon with FAULT_CANCELLED */

/* Default time allowed for one attempt of a verb, and for its whole step. */
int64_t check_attempt_ns(enum verb v);
int64_t check_step_ns(enum verb v);

/*
 * `stream … around`: sends probes at a fixed rate from start to stop, whatever the answers do.
 * stream_mark() is the moment the first of the steps around was sent: UP_AFTER and DOWN_AFTER count
 * from there. stream_stop() lets the last answers come in (at most 2 s), then done is called once.
 */
struct stream;
struct stream *stream_start(const struct check_tools *tools, struct world *w, struct element *e,
	const struct value *body, check_done *done, void *arg, struct error *err);
void stream_mark(struct stream *s);
void stream_stop(struct stream *s);
void stream_cancel(struct stream *s); /* done runs soon with FAULT_CANCELLED */

/*
 * How to log in to what `ref` is (a server, a group member with `login:`), evaluated. The elements
 * it met count as uses of `who`, not of the server: OK, BLOCKED (its floating IP is not there yet),
 * SKIPPED, ABSENT, ERROR. Texts and keys are owned by the login.
 */
struct login;
enum expr_result login_resolve(struct world *w, struct value_ref ref, struct element *who,
	const struct reach *reach, struct login **ret, struct error *err);
/* Where a guest is reached at, as `ping` and `tcp` need it: the host of its log-in, else its own
 * address; owned. The port is that of its log-in. */
enum expr_result login_host(struct world *w, struct value_ref ref, struct element *who,
	char **ret_host, unsigned *ret_port, struct error *err);
void login_free(struct login *l);
/* Borrow from the login: the target, and the jump servers on the way, first hop first. */
const struct ssh_host *login_target(const struct login *l);
const struct ssh_host *login_via(const struct login *l, size_t *ret_n);

#endif

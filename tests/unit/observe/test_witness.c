/* Whether our own connection is gone: real peers on loopback, time virtual. */
#include "../check.h"

#include <stdlib.h>

#include "../net/peer.h"
#include "base/vec.h"
#include "net/http_server.h"
#include "observe/witness_inside.h"

struct got {
	enum fault fault;
	char probe[40], detail[300];
	int64_t at_ns;
};

struct place {
	struct clock clock;
	struct loop *loop;
	struct schedule *schedule;
	struct http_client *probes;
	struct resolver *resolver;
	struct pinger *pinger;
	struct witnesses *witnesses;
	unsigned port; /* of the server; free while it does not run */
	struct http_server *server;
	int status;     /* it answers with */
	unsigned asked; /* it was */
	VEC(struct got) got;
	unsigned changes;
	bool blind;
	char why[300];
};

static void handle(void *arg, struct http_exchange *x)
{
	static const char big[100000];
	struct place *p = arg;
	const bool large = !strcmp(http_path(x), "/large");

	p->asked++;
	http_reply(x, p->status, NULL, 0, slice_from(big, large ? sizeof(big) : 0));
}

static void serve(struct place *p)
{
	struct error err = {0};
	char address[40];

	snprintf(address, sizeof(address), "127.0.0.1:%u", p->port);
	const struct http_server_options o = {.address = address, .handle = handle, .arg = p};
	p->server = http_server_new(p->loop, &o, &err);
	if (!p->server)
		fail_msg("%s", err.msg);
	p->port = http_server_port(p->server);
}

static int set_up(void **state)
{
	struct place *p = mem_new(struct place);
	const struct http_client_options fresh = {.fresh = true};
	struct error err = {0};

	clock_init_virtual(&p->clock, 1795000000000000);
	p->loop = loop_new(&p->clock, &err);
	p->schedule = schedule_new(p->loop);
	p->probes = http_client_new(p->loop, &fresh, &err);
	p->resolver = resolver_new(p->loop, NULL, &err);
	p->pinger = pinger_new(p->loop, &err);
	p->port = peer_free_port();
	p->status = 200;
	*state = p;
	return p->probes && p->resolver && p->pinger ? 0 : -1;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	witnesses_free(p->witnesses);
	schedule_free(p->schedule);
	http_client_free(p->probes);
	pinger_free(p->pinger);
	resolver_free(p->resolver);
	http_server_free(p->server);
	loop_free(p->loop);
	vec_fini(&p->got);
	free(p);
	return 0;
}

static void on_changed(void *arg, bool blind, const char *why)
{
	struct place *p = arg;

	p->changes++;
	p->blind = blind;
	snprintf(p->why, sizeof(p->why), "%s", why);
}

static void on_got(void *arg, const struct observation *o)
{
	struct place *p = arg;
	struct got *g = vec_add(&p->got);

	g->fault = o->fault;
	g->at_ns = loop_now_ns(p->loop);
	snprintf(g->probe, sizeof(g->probe), "%s", o->probe);
	snprintf(g->detail, sizeof(g->detail), "%s", o->detail ? o->detail : "");
	assert_string_equal(o->cloud, "c");
	assert_string_equal(o->component, "compute");
	assert_int_equal(o->status, 7);
}

static void begin(struct place *p, const char *a, const char *b)
{
	const char *const targets[] = {a, b, NULL};
	struct error err = {0};

	p->witnesses = witnesses_new(
		p->schedule, p->probes, p->resolver, p->pinger, targets, on_changed, p, &err);
	if (!p->witnesses)
		fail_msg("%s", err.msg);
}

static void see(struct place *p, const char *probe, enum fault fault)
{
	const struct observation o = {.cloud = "c",
		.probe = probe,
		.component = "compute",
		.fault = fault,
		.detail = fault ? "it said so" : NULL,
		.status = 7};

	witnesses_pass(p->witnesses, &o, on_got, p);
}

/* While witnesses are asked time stands still, so that their real answers come in time. */
static void pass(struct place *p, int64_t ns)
{
	for (; ns > 0; ns -= 10 * NS_PER_MS) {
		loop_advance(p->loop, 10 * NS_PER_MS);
		while (p->witnesses->under_way)
			loop_advance(p->loop, 0);
	}
}

/* Until so many were passed on. Time stands still as above, unless the witnesses hang. */
static void wait_got(struct place *p, size_t n, bool hangs)
{
	const int64_t began = clock_mono_ns(&clock_system);

	while (p->got.n < n) {
		loop_advance(p->loop, hangs || !p->witnesses->under_way ? 10 * NS_PER_MS : 0);
		if (clock_mono_ns(&clock_system) - began > 60 * NS_PER_S)
			fail_msg("nothing was passed on");
	}
	assert_int_equal(p->got.n, n);
}

static const char *at_port(struct place *p, const char *scheme, const char *rest)
{
	static char text[4][80];
	static unsigned turn;
	char *t = text[turn++ % 4];

	snprintf(t, sizeof(text[0]), "%s://127.0.0.1:%u%s", scheme, p->port, rest);
	return t;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void test_none(void **state)
{
	struct place *p = *state;

	begin(p, NULL, NULL);
	see(p, "a", FAULT_TIMEOUT);
	assert_int_equal(p->got.n, 1); /* at once */
	assert_int_equal(p->got.p[0].fault, FAULT_TIMEOUT);
	assert_string_equal(p->got.p[0].detail, "it said so");
	assert_false(witnesses_blind(p->witnesses));
	assert_int_equal(p->changes, 0);
}

static void test_blind_and_back(void **state)
{
	static const enum fault reaching[] = {FAULT_RESOLVE, FAULT_UNREACHABLE, FAULT_TIMEOUT,
		FAULT_REFUSED, FAULT_CONNECTION_LOST};
	static const enum fault others[] = {FAULT_NONE, FAULT_HTTP_503, FAULT_TLS_EXPIRED,
		FAULT_NXDOMAIN, FAULT_NO_SERVICE, FAULT_EXPECTATION};
	struct place *p = *state;

	begin(p, at_port(p, "tcp", ""), NULL);
	for (size_t i = 0; i < array_len(reaching); i++) {
		see(p, "a", reaching[i]);
		assert_int_equal(p->got.n, i); /* waits for the answer */
		wait_got(p, i + 1, false);
		assert_int_equal(p->got.p[i].fault, FAULT_LOCAL);
	}
	assert_true(
		strstr(p->got.p[2].detail,
			"none of our witnesses answers, so this says nothing of the cloud: no answer within "
			"the time allowed (it said so)") == p->got.p[2].detail);
	assert_true(witnesses_blind(p->witnesses));
	assert_int_equal(p->changes, 1);
	assert_true(p->blind);
	assert_memory_equal(p->why, "no witness answers: tcp://127.0.0.1:", 36);
	assert_non_null(strstr(p->why, "(the connection was refused"));
	/* what a service said itself stays, also while blind */
	p->got.n = 0;
	for (size_t i = 0; i < array_len(others); i++) {
		see(p, "a", others[i]);
		assert_int_equal(p->got.n, i + 1);
		assert_int_equal(p->got.p[i].fault, others[i]);
	}
	/* it is back: with the next round, and told */
	serve(p);
	p->got.n = 0;
	see(p, "a", FAULT_TIMEOUT);
	wait_got(p, 1, false);
	assert_int_equal(p->got.p[0].fault, FAULT_TIMEOUT);
	assert_string_equal(p->got.p[0].detail, "it said so");
	assert_false(witnesses_blind(p->witnesses));
	assert_int_equal(p->changes, 2);
	assert_false(p->blind);
	assert_non_null(strstr(p->why, " answers"));
}

/* One answer is enough. */
static void test_half(void **state)
{
	struct place *p = *state;
	char dead[40];

	snprintf(dead, sizeof(dead), "tcp://127.0.0.1:%u", p->port);
	p->port = 0;
	serve(p);
	begin(p, dead, at_port(p, "tcp", ""));
	for (size_t i = 0; i < 5; i++) {
		see(p, "a", FAULT_REFUSED);
		wait_got(p, i + 1, false);
		assert_int_equal(p->got.p[i].fault, FAULT_REFUSED);
	}
	assert_int_equal(p->changes, 0);
}

static void test_http(void **state)
{
	static const struct {
		int status;
		bool answers;
	} rows[] = {{200, true}, {404, true}, {500, true}, {502, false}, {503, false}, {504, false},
		{301, true}};
	struct place *p = *state;

	serve(p);
	begin(p, at_port(p, "http", "/alive"), NULL);
	for (size_t i = 0; i < array_len(rows); i++) {
		p->status = rows[i].status;
		see(p, "a", FAULT_TIMEOUT);
		wait_got(p, i + 1, false);
		assert_int_equal(p->got.p[i].fault, rows[i].answers ? FAULT_TIMEOUT : FAULT_LOCAL);
	}
}

/* However long an answer is, it is one. */
static void test_large(void **state)
{
	struct place *p = *state;

	serve(p);
	begin(p, at_port(p, "http", "/large"), NULL);
	see(p, "a", FAULT_TIMEOUT);
	wait_got(p, 1, false);
	assert_int_equal(p->got.p[0].fault, FAULT_TIMEOUT);
	assert_true(p->asked > 0);
}

/* One that neither answers nor refuses: nothing waits longer than 2 s. */
static void test_hangs(void **state)
{
	struct place *p = *state;
	struct peer_deaf deaf;
	char target[40];

	peer_deafen(&deaf);
	snprintf(target, sizeof(target), "tcp://127.0.0.1:%u", deaf.port);
	begin(p, target, NULL);
	for (size_t i = 0; i < 20; i++) {
		const int64_t began = loop_now_ns(p->loop);

		see(p, "a", FAULT_TIMEOUT);
		wait_got(p, i + 1, true);
		assert_true(p->got.p[i].at_ns - began <= 2 * NS_PER_S);
		assert_int_equal(p->got.p[i].fault, FAULT_LOCAL);
		loop_advance(p->loop, (int64_t)i * 70 * NS_PER_MS);
	}
	peer_deaf_fini(&deaf);
}

/* Found by the regular rounds too, without any failing probe. */
static void test_regular(void **state)
{
	struct place *p = *state;

	serve(p);
	begin(p, at_port(p, "http", "/"), NULL);
	pass(p, 60 * NS_PER_S);
	assert_in_range(p->asked, 5, 8);
	assert_int_equal(p->changes, 0);
	p->status = 503;
	const int64_t began = loop_now_ns(p->loop);
	while (!p->changes)
		pass(p, 10 * NS_PER_MS);
	assert_true(loop_now_ns(p->loop) - began < 15 * NS_PER_S);
	assert_true(p->blind);
}

/* Of one probe nothing overtakes; others do not wait for it. */
static void test_order(void **state)
{
	struct place *p = *state;

	begin(p, at_port(p, "tcp", ""), NULL);
	see(p, "a", FAULT_TIMEOUT);
	see(p, "a", FAULT_NONE);
	see(p, "b", FAULT_NONE);
	assert_int_equal(p->got.n, 1);
	assert_string_equal(p->got.p[0].probe, "b");
	wait_got(p, 3, false);
	assert_int_equal(p->got.p[1].fault, FAULT_LOCAL);
	assert_int_equal(p->got.p[2].fault, FAULT_NONE);
	assert_string_equal(p->got.p[2].detail, "");
}

/* A thousand failing probes are no storm at the witness. */
static void test_no_storm(void **state)
{
	struct place *p = *state;

	serve(p);
	begin(p, at_port(p, "http", "/"), NULL);
	for (int i = 0; i < 1000; i++) {
		see(p, "a", FAULT_TIMEOUT);
		pass(p, 10 * NS_PER_MS);
	}
	wait_got(p, 1000, false);
	assert_in_range(p->asked, 1, 24); /* 10 s: twice a second, and the regular ones */
}

static void test_ping(void **state)
{
	struct place *p = *state;
	const char *how;

	if (!pinger_can(p->pinger, AF_INET, &how)) {
		const char *const targets[] = {"icmp://127.0.0.1", NULL};
		struct error err = {0};

		assert_null(witnesses_new(
			p->schedule, p->probes, p->resolver, p->pinger, targets, NULL, NULL, &err));
		assert_non_null(strstr(err.msg, "cannot ping"));
		return;
	}
	begin(p, "icmp://127.0.0.1", NULL);
	see(p, "a", FAULT_TIMEOUT);
	wait_got(p, 1, false);
	assert_int_equal(p->got.p[0].fault, FAULT_TIMEOUT);
}

static void test_bad_targets(void **state)
{
	static const char *const bad[] = {"", "example.org", "tcp://h", "tcp://h:1/x", "icmp://h:1",
		"icmp://h/x", "ftp://h:21", "http://", "tcp://u:p@h:1", "http://a b/"};
	struct place *p = *state;

	for (size_t i = 0; i < array_len(bad); i++) {
		const char *const targets[] = {"tcp://127.0.0.1:1", bad[i], NULL};
		struct error err = {0};

		if (witnesses_new(p->schedule, p->probes, p->resolver, p->pinger, targets, NULL,
			    NULL, &err))
			fail_msg("%s was taken", bad[i]);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_memory_equal(err.msg, "witness \"", 9);
	}
}

/* With a round, and what waits for it, under way. */
static void test_freed(void **state)
{
	struct place *p = *state;
	struct peer_deaf deaf;
	char target[40];

	serve(p);
	peer_deafen(&deaf);
	snprintf(target, sizeof(target), "tcp://127.0.0.1:%u", deaf.port);
	for (int i = 0; i < 40; i++) {
		begin(p, i % 2 ? target : at_port(p, "http", "/"),
			i % 3 ? "icmp://127.0.0.1" : NULL);
		see(p, "a", FAULT_TIMEOUT);
		see(p, "b", FAULT_REFUSED);
		loop_advance(p->loop, i * 20 * NS_PER_MS);
		witnesses_free(p->witnesses);
	}
	p->witnesses = NULL;
	const size_t n = p->got.n;
	loop_advance(p->loop, 5 * NS_PER_S);
	assert_int_equal(p->got.n, n);
	peer_deaf_fini(&deaf);
}

#define row(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_witness(void)
{
	const struct CMUnitTest tests[] = {
		row(test_none),
		row(test_blind_and_back),
		row(test_half),
		row(test_http),
		row(test_large),
		row(test_hangs),
		row(test_regular),
		row(test_order),
		row(test_no_storm),
		row(test_ping),
		row(test_bad_targets),
		row(test_freed),
	};

	return cmocka_run_group_tests_name("observe/witness", tests, NULL, NULL);
}

/* test_dns.c - against a small DNS server of our own on one port of loopback, UDP and TCP; the
 * first label of a name says how it misbehaves. */
#include "net/dns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"

/* --- the server --------------------------------------------------------------------------------
 */

struct server {
	int udp, tcp;
	char at[32];
	pthread_t id;
	atomic_bool stop;
	atomic_uint by_udp, by_tcp;
};

static uint8_t *put(uint8_t *p, const char *bytes, size_t n)
{
	return (uint8_t *)mempcpy(p, bytes, n);
}

static uint8_t *put_a(uint8_t *p, char last)
{
	p = put(p, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2", 15);
	*p++ = (uint8_t)last;
	return p;
}

static bool starts(const uint8_t *m, const char *word)
{
	return !memcmp(m + 13, word, strlen(word));
}

/* Returns the length of the answer, 0 for silence. `m` has room for all of them. */
static size_t make_answer(uint8_t *m, size_t n, bool tcp)
{
	uint8_t *end = m + n;
	unsigned count = 1, code = 0;

	m[2] |= 0x84;
	if (starts(m, "silent"))
		return 0;
	if (starts(m, "nx"))
		code = 3;
	else if (starts(m, "fail"))
		code = 2;
	else if (starts(m, "refused"))
		code = 5;
	else if (starts(m, "odd"))
		code = 11;
	if (code || starts(m, "empty"))
		count = 0;
	else if (starts(m, "big") && !tcp)
		count = 0, m[2] |= 2;
	else if (starts(m, "big"))
		count = 90;
	else if (starts(m, "most"))
		count = 101;
	else if (starts(m, "two"))
		count = 2;
	for (unsigned i = count; i > 0; i--)
		end = put_a(end, (char)i);
	m[3] = (uint8_t)code;
	m[7] = (uint8_t)count;
	m[9] = m[11] = 0;
	if (starts(m, "cut"))
		return n + 8; /* in the middle of the record */
	if (starts(m, "other"))
		m[14] ^= 1; /* not the question */
	return (size_t)(end - m);
}

static void answer_udp(struct server *s)
{
	uint8_t m[8192];
	struct sockaddr_in from;
	socklen_t from_n = sizeof(from);
	const ssize_t n = recvfrom(s->udp, m, 512, 0, (struct sockaddr *)&from, &from_n);

	if (n < 17)
		return;
	atomic_fetch_add(&s->by_udp, 1);
	if (starts(m, "forged")) { /* before the true one */
		uint8_t false_id[8192];
		memcpy(false_id, m, (size_t)n);
		false_id[0] ^= 1;
		const size_t k = make_answer(false_id, (size_t)n, false);
		false_id[k - 1] = 66;
		sendto(s->udp, false_id, k, 0, (struct sockaddr *)&from, from_n);
	}
	const size_t k = make_answer(m, (size_t)n, false);
	if (k)
		sendto(s->udp, m, k, 0, (struct sockaddr *)&from, from_n);
}

static void answer_tcp(struct server *s)
{
	uint8_t m[2 + 8192];
	const int fd = accept(s->tcp, NULL, NULL);
	const ssize_t n = recv(fd, m, 2 + 512, 0);

	atomic_fetch_add(&s->by_tcp, 1);
	if (n > 19 && !starts(m + 2, "closes")) {
		const size_t k = make_answer(m + 2, (size_t)n - 2, true);
		m[0] = (uint8_t)(k >> 8);
		m[1] = (uint8_t)k;
		send(fd, m, 1, MSG_NOSIGNAL); /* in pieces, as networks may */
		usleep(2000);
		send(fd, m + 1, k / 2, MSG_NOSIGNAL);
		usleep(2000);
		send(fd, m + 1 + k / 2, k + 1 - k / 2, MSG_NOSIGNAL);
	}
	close(fd);
}

static void *serve(void *arg)
{
	struct server *s = arg;

	while (!atomic_load(&s->stop)) {
		struct pollfd p[2] = {{s->udp, POLLIN, 0}, {s->tcp, POLLIN, 0}};
		poll(p, 2, 20);
		if (p[0].revents)
			answer_udp(s);
		if (p[1].revents)
			answer_tcp(s);
	}
	return NULL;
}

static struct server *server_start(void)
{
	struct server *s = mem_new(struct server);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	do { /* until TCP has the number that UDP got */
		a.sin_port = 0;
		s->udp = socket(AF_INET, SOCK_DGRAM, 0);
		s->tcp = socket(AF_INET, SOCK_STREAM, 0);
		assert_int_equal(bind(s->udp, (struct sockaddr *)&a, n), 0);
		assert_int_equal(getsockname(s->udp, (struct sockaddr *)&a, &n), 0);
	} while (bind(s->tcp, (struct sockaddr *)&a, n) != 0 && !close(s->udp) && !close(s->tcp));
	assert_int_equal(listen(s->tcp, 8), 0);
	snprintf(s->at, sizeof(s->at), "127.0.0.1:%u", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&s->id, NULL, serve, s), 0);
	return s;
}

static void server_stop(struct server *s)
{
	atomic_store(&s->stop, true);
	pthread_join(s->id, NULL);
	close(s->udp);
	close(s->tcp);
	free(s);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct world {
	struct loop *loop;
	struct resolver *resolver;
	struct server *server;
};

struct asked {
	int times;
	bool done;
	struct dns_result r;
	char rcode[DNS_RCODE_TEXT], first[64], last[64];
	size_t n;
	uint32_t ttl;
};

static int set_up(void **state)
{
	struct world *w = mem_new(struct world);

	w->loop = loop_new(NULL, NULL);
	w->server = server_start();
	w->resolver = resolver_new(w->loop, w->server->at, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	resolver_free(w->resolver);
	loop_free(w->loop);
	server_stop(w->server);
	free(w);
	return 0;
}

static void on_done(void *arg, const struct dns_result *r)
{
	struct asked *a = arg;

	a->times++;
	a->done = true;
	a->r = *r;
	if (!r->said)
		return;
	memcpy(a->rcode, r->said->rcode, sizeof(a->rcode));
	a->n = r->said->n;
	a->ttl = r->said->ttl;
	if (!a->n)
		return;
	snprintf(a->first, sizeof(a->first), "%s", r->said->answers[0]);
	snprintf(a->last, sizeof(a->last), "%s", r->said->answers[a->n - 1]);
}

static struct asked ask(struct world *w, const struct dns_question *q)
{
	struct asked a = {0};
	struct error err = {0};

	assert_non_null(dns_lookup(w->loop, w->resolver, q, on_done, &a, &err));
	assert_int_equal(a.times, 0);
	loop_run_until(w->loop, &a.done);
	assert_int_equal(a.times, 1);
	return a;
}

static struct asked ask_name(struct world *w, const char *name, bool tcp)
{
	return ask(w, &(struct dns_question){.server = w->server->at,
			      .name = name,
			      .type = "A",
			      .tcp = tcp,
			      .deadline_ns = 5 * NS_PER_S});
}

/* --- answers -----------------------------------------------------------------------------------
 */

static void test_answers(void **state)
{
	struct world *w = *state;
	struct asked a = ask_name(w, "two.example", false);

	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_int_equal(a.n, 2);
	assert_string_equal(a.first, "192.0.2.1");
	assert_string_equal(a.last, "192.0.2.2");
	assert_string_equal(a.rcode, "NOERROR");
	assert_int_equal(a.ttl, 60);
	assert_false(a.r.tcp);
	assert_string_equal(a.r.address, w->server->at);
	assert_true(a.r.phases.wait_ns > 0 && a.r.phases.total_ns >= a.r.phases.wait_ns);
	a = ask_name(w, "two.example.", true);
	assert_int_equal(a.n, 2);
	assert_true(a.r.tcp && a.r.phases.connect_ns > 0);
	a = ask_name(w, "big.example", false);
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_int_equal(a.n, 90);
	assert_true(a.r.tcp);
	assert_int_equal(atomic_load(&w->server->by_tcp), 2);
}

static void test_codes(void **state)
{
	static const struct {
		const char *name;
		enum fault fault;
		const char *rcode;
	} rows[] = {
		{"nx.example", FAULT_NXDOMAIN, "NXDOMAIN"},
		{"fail.example", FAULT_SERVFAIL, "SERVFAIL"},
		{"refused.example", FAULT_REFUSED, "REFUSED"},
		{"odd.example", FAULT_RESOLVE, "RCODE11"},
		{"empty.example", FAULT_NODATA, "NOERROR"},
		{"cut.example", FAULT_PROTOCOL, ""},
		{"most.example", FAULT_BODY_TOO_LARGE, "NOERROR"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		struct asked a = ask_name(w, rows[i].name, false);
		assert_int_equal(a.r.fault, rows[i].fault);
		assert_string_equal(a.rcode, rows[i].rcode);
		assert_true(a.r.detail[0]);
	}
}

/* A packet that does not belong to the question changes nothing. */
static void test_forged(void **state)
{
	struct asked a = ask_name(*state, "forged.example", false);

	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_int_equal(a.n, 1);
	assert_string_equal(a.first, "192.0.2.1");
	a = ask_name(*state, "other.example", true);
	assert_int_equal(a.r.fault, FAULT_PROTOCOL);
}

/* --- no answer ---------------------------------------------------------------------------------
 */

static void test_none(void **state)
{
	struct world *w = *state;
	struct dns_question q = {.server = w->server->at,
		.name = "silent.example",
		.type = "A",
		.deadline_ns = 50 * NS_PER_MS};
	struct asked a = ask(w, &q);

	assert_int_equal(a.r.fault, FAULT_TIMEOUT);
	assert_null(a.r.said);
	assert_int_equal(atomic_load(&w->server->by_udp), 1); /* nothing is sent twice */
	a = ask_name(w, "closes.example", true);
	assert_int_equal(a.r.fault, FAULT_CONNECTION_LOST);
	q = (struct dns_question){.server = "127.0.0.1:1",
		.name = "one.example",
		.type = "A",
		.deadline_ns = 5 * NS_PER_S};
	for (int tcp = 0; tcp < 2; tcp++) {
		q.tcp = tcp;
		a = ask(w, &q);
		assert_int_equal(a.r.fault, FAULT_REFUSED);
	}
}

/* The machine's own resolvers: one that is silent takes its share of the time, no more. */
static void test_resolvers(void **state)
{
	struct world *w = *state;
	const struct dns_question q = {
		.name = "one.example", .type = "A", .deadline_ns = 5 * NS_PER_S};
	struct asked a = ask(w, &q);
	char both[64];

	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_string_equal(a.r.address, w->server->at);
	snprintf(both, sizeof(both), "127.0.0.1:1,%s", w->server->at);
	struct resolver *r = resolver_new(w->loop, both, NULL), *own = w->resolver;
	w->resolver = r;
	a = ask(w, &q);
	w->resolver = own;
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_string_equal(a.r.address, w->server->at);
	resolver_free(r);
}

static void test_cancel(void **state)
{
	static const char *const names[] = {"silent.example", "one.example"};
	struct world *w = *state;

	for (size_t i = 0; i < array_len(names); i++)
		for (int tcp = 0; tcp < 2; tcp++) {
			struct asked a = {0};
			const struct dns_question q = {.server = i ? NULL : w->server->at,
				.name = names[i],
				.type = "A",
				.tcp = tcp,
				.deadline_ns = 5 * NS_PER_S};
			struct dns_call *c =
				dns_lookup(w->loop, w->resolver, &q, on_done, &a, NULL);
			dns_cancel(c);
			assert_int_equal(a.times, 0);
			loop_run_until(w->loop, &a.done);
			loop_run(w->loop);
			assert_int_equal(a.times, 1);
			assert_int_equal(a.r.fault, FAULT_CANCELLED);
		}
}

/* --- questions that are none -------------------------------------------------------------------
 */

static void test_questions(void **state)
{
	static const struct dns_question rows[] = {
		{.name = "a..b", .type = "A"},
		{.name = "", .type = "A"},
		{.name = "a.b", .type = "NONSENSE"},
		{.name = "a.b", .type = "AXFR"},
		{.name = "a.b", .type = "A", .server = "127.0.0.1:0"},
		{.name = "a.b", .type = "A", .server = "[::1"},
		{.name = "a.b", .type = "A", .server = ":53"},
	};
	struct world *w = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		struct error err = {0};
		assert_null(dns_lookup(w->loop, w->resolver, &rows[i], on_done, NULL, &err));
		assert_true(err.msg[0]);
	}
}

static void test_servers(void **state)
{
	static const struct {
		const char *text, *host;
		unsigned port;
	} rows[] = {
		{"192.0.2.1", "192.0.2.1", 53},
		{"192.0.2.1:5353", "192.0.2.1", 5353},
		{"2001:db8::1", "2001:db8::1", 53},
		{"[2001:db8::1]", "2001:db8::1", 53},
		{"[2001:db8::1]:54", "2001:db8::1", 54},
		{"ns1.example.org.", "ns1.example.org.", 53},
		{"ns1.example.org:5353", "ns1.example.org", 5353},
	};

	for (size_t i = 0; i < array_len(rows); i++) {
		char *host = NULL;
		unsigned port = 0;
		assert_true(dns_server_split(rows[i].text, &host, &port));
		assert_string_equal(host, rows[i].host);
		assert_int_equal(port, rows[i].port);
		free(host);
	}
}

static void test_flags(void **state)
{
	struct dns_asked plain, own, both;
	struct dns_said said;
	uint8_t answer[DNS_QUESTION_MAX];

	assert_true(dns_ask("a.example", "A", 7, &plain, NULL));
	assert_true(dns_ask_with("a.example", "A", 7, DNS_NO_RECURSION, &own, NULL));
	assert_true(
		dns_ask_with("a.example", "A", 7, DNS_NO_RECURSION | DNS_SIGNATURES, &both, NULL));
	assert_int_equal(plain.wire[2] & 1, 1); /* RD */
	assert_int_equal(own.wire[2] & 1, 0);
	assert_int_equal(own.n, plain.n);
	assert_int_equal(both.wire[3] & 0x10, 0x10); /* CD */
	assert_int_equal(both.n, plain.n + 11);
	/* OPT: root, type 41, size, no extended code, version 0, DO */
	const uint8_t opt[] = {0, 0, 41, DNS_OFFERED >> 8, DNS_OFFERED & 255, 0, 0, 0x80, 0, 0, 0};
	assert_memory_equal(both.wire + plain.n, opt, sizeof(opt));
	for (int aa = 0; aa < 2; aa++) {
		memcpy(answer, plain.wire, plain.n);
		answer[2] |= (uint8_t)(0x80 | aa << 2);
		dns_read(&plain, answer, plain.n, &said);
		assert_int_equal(said.authoritative, aa);
		assert_null(said.first);
		dns_said_fini(&said);
	}
}

static void test_family(void **state)
{
	struct world *w = *state;
	struct dns_question q = {.server = w->server->at,
		.name = "two.example",
		.type = "A",
		.family = AF_INET6,
		.deadline_ns = NS_PER_S};

	assert_int_equal(ask(w, &q).r.fault, FAULT_RESOLVE);
	q.family = AF_INET;
	const struct asked a = ask(w, &q);
	assert_int_equal(a.r.fault, FAULT_NONE);
	q.server = NULL;
	assert_int_equal(ask(w, &q).r.fault, FAULT_NONE);
	q.family = AF_INET6;
	assert_int_equal(ask(w, &q).r.fault, FAULT_CONFIGURATION);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int test_dns(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_answers),
		TEST(test_codes),
		TEST(test_forged),
		TEST(test_none),
		TEST(test_resolvers),
		TEST(test_cancel),
		TEST(test_questions),
		TEST(test_servers),
		TEST(test_flags),
		TEST(test_family),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

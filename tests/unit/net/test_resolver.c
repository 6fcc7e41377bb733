/* test_resolver.c - against a small DNS server of our own on a UDP port of loopback. */
#include "net/resolver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/mem.h"

/* --- the DNS server (RFC 1035) -----------------------------------------------------------------
 */

struct dns {
	int fd;
	char servers[64];
	pthread_t id;
	atomic_bool stop;
	atomic_uint queries;
};

static void put16(uint8_t **p, unsigned v)
{
	*(*p)++ = (uint8_t)(v >> 8);
	*(*p)++ = (uint8_t)v;
}

static void put_address(uint8_t **p, unsigned type, unsigned last)
{
	static const uint8_t v6[15] = {0x20, 0x01, 0x0d, 0xb8};

	put16(p, 0xc00c); /* the name of the question */
	put16(p, type);
	put16(p, 1);
	put16(p, 0);
	put16(p, 60);
	put16(p, type == 1 ? 4 : 16);
	if (type == 1)
		*p = mempcpy(*p, "\x7f\0\0", 3);
	else
		*p = mempcpy(*p, v6, 15);
	*(*p)++ = (uint8_t)last;
}

/* The first label says what happens. Returns the length of the answer, 0 for silence. */
static size_t answer(uint8_t *m, size_t n)
{
	const char *label = (const char *)m + 13;
	uint8_t *p = m + 12;
	unsigned type, count = 0, code = 0;

	while (*p)
		p += *p + 1;
	type = (unsigned)p[2];
	p += 5;
	if (strncmp(label, "silent", 6) == 0)
		return 0;
	if (strncmp(label, "nx", 2) == 0)
		code = 3;
	else if (strncmp(label, "fail", 4) == 0)
		code = 2;
	else if (strncmp(label, "one", 3) == 0)
		count = type == 1 ? 1 : 0;
	else if (strncmp(label, "many", 4) == 0)
		count = type == 1 ? 20 : 0;
	else if (strncmp(label, "both", 4) == 0)
		count = 1;
	m[2] |= 0x84;
	m[3] = (uint8_t)(0x80 | code);
	m[7] = (uint8_t)count;
	m[9] = m[11] = 0;
	for (unsigned i = 1; i <= count; i++)
		put_address(&p, type, i);
	return (size_t)(p - m);
}

static void *serve_dns(void *arg)
{
	struct dns *d = arg;
	struct pollfd p = {.fd = d->fd, .events = POLLIN};

	while (!atomic_load(&d->stop)) {
		uint8_t m[1500];
		struct sockaddr_in from;
		socklen_t from_n = sizeof(from);
		ssize_t n;
		size_t length;

		if (poll(&p, 1, 20) <= 0)
			continue;
		n = recvfrom(d->fd, m, sizeof(m), 0, (struct sockaddr *)&from, &from_n);
		if (n < 17)
			continue;
		atomic_fetch_add(&d->queries, 1);
		length = answer(m, (size_t)n);
		if (length)
			sendto(d->fd, m, length, 0, (struct sockaddr *)&from, from_n);
	}
	return NULL;
}

static struct dns *dns_start(void)
{
	struct dns *d = mem_new(struct dns);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	d->fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(bind(d->fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(getsockname(d->fd, (struct sockaddr *)&a, &n), 0);
	snprintf(d->servers, sizeof(d->servers), "127.0.0.1:%u", ntohs(a.sin_port));
	assert_int_equal(pthread_create(&d->id, NULL, serve_dns, d), 0);
	return d;
}

static void dns_stop(struct dns *d)
{
	atomic_store(&d->stop, true);
	pthread_join(d->id, NULL);
	close(d->fd);
	free(d);
}

/* --- asking ------------------------------------------------------------------------------------
 */

struct ask {
	int times;
	bool done;
	struct resolved r;
};

static void on_resolved(void *arg, const struct resolved *r)
{
	struct ask *a = arg;

	a->times++;
	a->r = *r;
	a->done = true;
}

struct fixture {
	struct loop *loop;
	struct dns *dns;
	struct resolver *resolver;
};

static int set_up(void **state)
{
	struct fixture *f = mem_new(struct fixture);
	struct error err = {0};

	f->loop = loop_new(NULL, &err);
	f->dns = dns_start();
	f->resolver = resolver_new(f->loop, f->dns->servers, &err);
	*state = f;
	return f->loop && f->resolver ? 0 : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	resolver_free(f->resolver);
	loop_free(f->loop);
	dns_stop(f->dns);
	free(f);
	return 0;
}

static void ask(
	struct fixture *f, const char *host, int family, int64_t deadline_ns, struct ask *ret)
{
	*ret = (struct ask){0};
	resolve(f->resolver, host, 8774, family, deadline_ns, on_resolved, ret);
	assert_int_equal(ret->times, 0); /* never from inside resolve() */
	assert_true(loop_run_until(f->loop, &ret->done));
	loop_run(f->loop); /* nothing else is left, and no second callback comes */
	assert_int_equal(ret->times, 1);
}

static void test_answer(void **state)
{
	struct fixture *f = *state;
	const struct sockaddr_in *v4;
	struct ask a;

	ask(f, "one.test", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_int_equal(a.r.n, 1);
	v4 = (const struct sockaddr_in *)&a.r.address[0];
	assert_int_equal(v4->sin_family, AF_INET);
	assert_int_equal(ntohl(v4->sin_addr.s_addr), 0x7f000001);
	assert_int_equal(ntohs(v4->sin_port), 8774);
	assert_true(a.r.queried);
	assert_true(a.r.took_ns > 0);
	assert_true(atomic_load(&f->dns->queries) > 0);
	ask(f, "both.test", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.n, 2);
	ask(f, "both.test", AF_INET6, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.n, 1);
	assert_int_equal(a.r.address[0].ss_family, AF_INET6);
	ask(f, "many.test", AF_INET, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.n, RESOLVE_MAX);
}

static void test_faults(void **state)
{
	struct fixture *f = *state;
	struct ask a;

	ask(f, "nx.test", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_NXDOMAIN);
	assert_true(a.r.queried);
	assert_int_equal(a.r.n, 0);
	ask(f, "fail.test", AF_INET, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
	assert_true(a.r.detail[0]);
	ask(f, "empty.test", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
	assert_non_null(strstr(a.r.detail, "no address"));
	ask(f, "one.test", AF_INET6, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
	ask(f, "", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
	assert_false(a.r.queried);
	ask(f, "not..a..name", AF_UNSPEC, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
}

static void test_deadline(void **state)
{
	struct fixture *f = *state;
	struct ask a;

	ask(f, "silent.test", AF_UNSPEC, 60 * NS_PER_MS, &a);
	assert_int_equal(a.r.fault, FAULT_TIMEOUT);
	assert_true(a.r.queried);
	assert_true(a.r.took_ns >= 60 * NS_PER_MS && a.r.took_ns < 3 * NS_PER_S);
	/* The lookup that was let go does not disturb the next. */
	ask(f, "one.test", AF_INET, 5 * NS_PER_S, &a);
	assert_int_equal(a.r.fault, FAULT_NONE);
}

/* Whatever needs no query gets none. */
static void test_without_query(void **state)
{
	static const struct {
		const char *host;
		int family, expect;
	} rows[] = {
		{"127.0.0.1", AF_UNSPEC, AF_INET}, {"::1", AF_UNSPEC, AF_INET6},
		{"2001:db8::7", AF_INET6, AF_INET6}, {"fe80::1%lo", AF_UNSPEC, AF_INET6},
		{"127.0.0.1", AF_INET6, 0}, {"::1", AF_INET, 0},
		{"localhost", AF_INET, AF_INET}, /* of /etc/hosts */
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(rows); i++) {
		struct ask a;

		ask(f, rows[i].host, rows[i].family, NS_PER_S, &a);
		assert_int_equal(a.r.fault, rows[i].expect ? FAULT_NONE : FAULT_RESOLVE);
		assert_false(a.r.queried);
		if (rows[i].expect)
			assert_int_equal(a.r.address[0].ss_family, rows[i].expect);
	}
	assert_int_equal(atomic_load(&f->dns->queries), 0);
}

static void test_cancel(void **state)
{
	static const char *const hosts[] = {"silent.test", "one.test", "127.0.0.1", "localhost"};
	struct fixture *f = *state;

	for (size_t i = 0; i < array_len(hosts); i++) {
		struct ask a = {0};
		struct resolve_call *c =
			resolve(f->resolver, hosts[i], 1, AF_INET, 5 * NS_PER_S, on_resolved, &a);

		resolve_cancel(c);
		assert_int_equal(a.times, 0);
		loop_run(f->loop);
		assert_int_equal(a.times, 1);
		assert_int_equal(a.r.fault, FAULT_CANCELLED);
		assert_int_equal(a.r.n, 0);
	}
}

static void test_many_at_once(void **state)
{
	struct fixture *f = *state;
	struct ask a[100] = {0};

	for (size_t i = 0; i < array_len(a); i++)
		resolve(f->resolver, i % 3 ? "one.test" : "nx.test", 1, AF_INET, 5 * NS_PER_S,
			on_resolved, &a[i]);
	loop_run(f->loop);
	for (size_t i = 0; i < array_len(a); i++) {
		assert_int_equal(a[i].times, 1);
		assert_int_equal(a[i].r.fault, i % 3 ? FAULT_NONE : FAULT_NXDOMAIN);
	}
}

static void free_resolver(void *arg, const struct resolved *r)
{
	struct fixture *f = arg;

	if (f->resolver) {
		struct resolver *gone = f->resolver;

		f->resolver = NULL;
		resolver_free(gone);
	}
}

/* The callback may free the resolver while other calls are under way: they end too. */
static void test_free_from_callback(void **state)
{
	struct fixture *f = *state;
	struct ask a = {0};

	resolve(f->resolver, "one.test", 1, AF_INET, 5 * NS_PER_S, free_resolver, f);
	resolve(f->resolver, "silent.test", 1, AF_INET, 5 * NS_PER_S, on_resolved, &a);
	loop_run(f->loop);
	assert_int_equal(a.times, 1);
	assert_int_equal(a.r.fault, FAULT_CANCELLED);
	assert_null(f->resolver);
}

/* Being out of descriptors is our trouble, not the cloud's. */
static void test_no_descriptors(void **state)
{
	struct fixture *f = *state;
	struct rlimit was, none;
	struct ask a = {0};
	int last = dup(0);

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = (rlim_t)last;
	close(last);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	resolve(f->resolver, "one.test", 1, AF_INET, NS_PER_S, on_resolved, &a);
	loop_run_until(f->loop, &a.done);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(a.r.fault, FAULT_NO_DESCRIPTORS);
}

static void test_bad_servers(void **state)
{
	struct fixture *f = *state;
	struct error err = {0};

	assert_null(resolver_new(f->loop, "not an address", &err));
	assert_non_null(strstr(err.msg, "not an address"));
}

#define row(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int test_resolver(void)
{
	const struct CMUnitTest tests[] = {
		row(test_answer),
		row(test_faults),
		row(test_deadline),
		row(test_without_query),
		row(test_cancel),
		row(test_many_at_once),
		row(test_free_from_callback),
		row(test_no_descriptors),
		row(test_bad_servers),
	};

	return cmocka_run_group_tests_name("net/resolver", tests, NULL, NULL);
}

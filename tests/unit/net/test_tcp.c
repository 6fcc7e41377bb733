/* test_tcp.c - does the port answer? */
#include "net/tcp.h"

#include <dirent.h>
#include <sys/resource.h>

#include "../check.h"
#include "base/mem.h"
#include "peer.h"

#define LONG (10 * NS_PER_S)

struct room {
	struct loop *loop;
	struct resolver *resolver;
	struct error err;
	int descriptors;
};

static int open_descriptors(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int set_up_with(void **state, struct clock *clock)
{
	struct room *r = mem_new(struct room);

	r->loop = loop_new(clock, &r->err);
	r->resolver = resolver_new(r->loop, NULL, &r->err);
	r->descriptors = open_descriptors();
	*state = r;
	return r->resolver ? 0 : -1;
}

static int set_up(void **state)
{
	return set_up_with(state, NULL);
}

static struct clock still;

static int set_up_virtual(void **state)
{
	clock_init_virtual(&still, 0);
	return set_up_with(state, &still);
}

static int tear_down(void **state)
{
	struct room *r = *state;

	assert_int_equal(open_descriptors(), r->descriptors);
	resolver_free(r->resolver);
	loop_free(r->loop);
	free(r);
	return 0;
}

struct ask {
	int times;
	bool done;
	struct tcp_result r;
};

static void on_done(void *arg, const struct tcp_result *r)
{
	struct ask *a = arg;

	a->times++;
	a->done = true;
	a->r = *r;
}

static void run(
	struct room *room, struct ask *a, const char *host, unsigned port, int64_t deadline_ns)
{
	memset(a, 0, sizeof(*a));
	tcp_connect_check(room->loop, room->resolver, host, port, deadline_ns, on_done, a);
	assert_int_equal(a->times, 0);
	loop_run(room->loop);
	assert_int_equal(a->times, 1);
}

static void hang_up(struct peer_connection *c)
{
}

static void a_port_that_answers(void **state)
{
	struct peer *p = peer_start(hang_up, NULL, NULL);
	struct ask a;

	run(*state, &a, "127.0.0.1", p->port, LONG);
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_string_equal(a.r.detail, "");
	assert_string_equal(a.r.address, "127.0.0.1");
	assert_int_equal(a.r.phases.resolve_ns, 0);
	assert_true(a.r.phases.connect_ns > 0 && a.r.phases.connect_ns <= a.r.phases.total_ns);
	peer_stop(p);
}

static void the_address_that_answers_is_told(void **state)
{
	struct peer *p = peer_start(hang_up, NULL, NULL);
	struct ask a;

	run(*state, &a, "localhost", p->port, LONG); /* ::1 refuses, or is not there */
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_string_equal(a.r.address, "127.0.0.1");
	peer_stop(p);
}

static void a_port_that_refuses(void **state)
{
	struct ask a;

	run(*state, &a, "127.0.0.1", peer_free_port(), LONG);
	assert_int_equal(a.r.fault, FAULT_REFUSED);
	assert_true(a.r.detail[0]);
	run(*state, &a, "localhost", peer_free_port(), LONG);
	assert_int_equal(a.r.fault, FAULT_REFUSED);
}

static void a_port_that_says_nothing(void **state)
{
	struct peer_deaf deaf;
	struct ask a;

	peer_deafen(&deaf);
	run(*state, &a, "127.0.0.1", deaf.port, 200 * NS_PER_MS);
	assert_int_equal(a.r.fault, FAULT_TIMEOUT);
	assert_true(a.r.phases.total_ns >= 200 * NS_PER_MS);
	assert_true(a.r.phases.connect_ns > 0);
	peer_deaf_fini(&deaf);
}

static void a_name_that_is_none(void **state)
{
	struct ask a;

	run(*state, &a, "no name", 80, LONG);
	assert_true(a.r.fault == FAULT_NXDOMAIN || a.r.fault == FAULT_RESOLVE);
	run(*state, &a, "", 80, LONG);
	assert_int_equal(a.r.fault, FAULT_RESOLVE);
	assert_int_equal(a.r.phases.connect_ns, 0);
}

static void an_address_without_a_way(void **state)
{
	struct ask a;

	run(*state, &a, "255.255.255.255", 80, LONG);
	assert_true(a.r.fault == FAULT_UNREACHABLE || a.r.fault == FAULT_LOCAL);
	assert_true(a.r.detail[0]);
}

static void no_descriptor_left(void **state)
{
	struct room *room = *state;
	struct rlimit was, none;
	struct ask a = {0};

	/* the loop's own are there already */
	tcp_cancel(
		tcp_connect_check(room->loop, room->resolver, "127.0.0.1", 1, LONG, on_done, &a));
	loop_run(room->loop);
	getrlimit(RLIMIT_NOFILE, &was);
	none = was;
	none.rlim_cur = 3;
	setrlimit(RLIMIT_NOFILE, &none);
	run(room, &a, "127.0.0.1", 1, LONG);
	setrlimit(RLIMIT_NOFILE, &was);
	assert_int_equal(a.r.fault, FAULT_NO_DESCRIPTORS);
}

struct later {
	struct tcp_call *call;
	struct timer timer;
};

static void on_later(struct timer *t)
{
	tcp_cancel(((struct later *)t->arg)->call);
}

static void cancelled_at_each_moment(void **state)
{
	static const char *const hosts[] = {"127.0.0.1", "localhost", "slow.invalid"};
	struct room *room = *state;
	struct peer_deaf deaf;

	peer_deafen(&deaf);
	for (size_t i = 0; i < array_len(hosts); i++) { /* at once */
		struct ask a = {0};
		struct tcp_call *c = tcp_connect_check(
			room->loop, room->resolver, hosts[i], deaf.port, LONG, on_done, &a);

		tcp_cancel(c);
		assert_int_equal(a.times, 0);
		loop_run(room->loop);
		assert_int_equal(a.times, 1);
		assert_int_equal(a.r.fault, FAULT_CANCELLED);
	}
	for (int times = 1; times <= 2; times++) { /* while it connects */
		struct ask a = {0};
		struct later later = {0};

		later.call = tcp_connect_check(
			room->loop, room->resolver, "127.0.0.1", deaf.port, LONG, on_done, &a);
		timer_start(room->loop, &later.timer, 30 * NS_PER_MS, on_later, &later);
		loop_run(room->loop);
		assert_int_equal(a.times, 1);
		assert_int_equal(a.r.fault, FAULT_CANCELLED);
	}
	peer_deaf_fini(&deaf);
}

static void virtual_time_waits_for_a_real_connection(void **state)
{
	struct peer *p = peer_start(hang_up, NULL, NULL);
	struct ask a;

	run(*state, &a, "127.0.0.1", p->port, 3600 * NS_PER_S);
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_true(a.r.phases.connect_ns > 0); /* sockets keep real time */
	peer_stop(p);
}

static void many_at_once(void **state)
{
	static struct ask asks[100];
	struct room *room = *state;
	struct peer *p = peer_start(hang_up, NULL, NULL);

	memset(asks, 0, sizeof(asks));
	for (size_t i = 0; i < array_len(asks); i++)
		tcp_connect_check(
			room->loop, room->resolver, "127.0.0.1", p->port, LONG, on_done, &asks[i]);
	loop_run(room->loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		assert_int_equal(asks[i].times, 1);
		assert_int_equal(asks[i].r.fault, FAULT_NONE);
	}
	peer_stop(p);
}

int test_tcp(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_port_that_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_address_that_answers_is_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_port_that_refuses, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_port_that_says_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_name_that_is_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_address_without_a_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(no_descriptor_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelled_at_each_moment, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			virtual_time_waits_for_a_real_connection, set_up_virtual, tear_down),
		cmocka_unit_test_setup_teardown(many_at_once, set_up, tear_down),
	};

	return cmocka_run_group_tests_name("tcp", tests, NULL, NULL);
}

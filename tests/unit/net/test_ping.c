/*
 * test_ping.c - echoes on loopback. Which socket is allowed belongs to the network namespace and
 * the user, so those cases run in children with a namespace and a user of their own; they need
 * root and are skipped aloud without it.
 */
#include "net/ping.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "base/mem.h"

#define LONG   (5 * NS_PER_S)
#define NOBODY 65534

struct ask {
	int times;
	bool done;
	struct ping_result r;
};

static void on_done(void *arg, const struct ping_result *r)
{
	struct ask *a = arg;

	a->times++;
	a->done = true;
	a->r = *r;
}

static struct sockaddr_storage address(const char *text)
{
	struct sockaddr_storage a = {0};
	struct sockaddr_in *v4 = (struct sockaddr_in *)&a;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&a;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		a.ss_family = AF_INET;
		v4->sin_port = htons(22); /* is not looked at */
	} else {
		assert_int_equal(inet_pton(AF_INET6, text, &v6->sin6_addr), 1);
		a.ss_family = AF_INET6;
	}
	return a;
}

struct room {
	struct loop *loop;
	struct pinger *pinger;
};

static int set_up(void **state)
{
	struct room *r = mem_new(struct room);
	struct error err = {0};

	r->loop = loop_new(NULL, &err);
	r->pinger = pinger_new(r->loop, &err);
	*state = r;
	return 0;
}

static int tear_down(void **state)
{
	struct room *r = *state;

	pinger_free(r->pinger);
	loop_free(r->loop);
	free(r);
	return 0;
}

static bool can(struct room *r)
{
	const char *how;

	if (pinger_can(r->pinger, AF_INET, &how))
		return true;
	print_message("SKIPPED: %s\n", how);
	return false;
}

static void run(struct room *r, struct ask *a, const char *to, int64_t deadline_ns)
{
	struct sockaddr_storage s = address(to);

	memset(a, 0, sizeof(*a));
	ping(r->pinger, &s, deadline_ns, on_done, a);
	assert_int_equal(a->times, 0);
	loop_run(r->loop);
	assert_int_equal(a->times, 1);
}

static void loopback_answers(void **state)
{
	struct ask a;

	if (!can(*state))
		skip();
	run(*state, &a, "127.0.0.1", LONG);
	assert_int_equal(a.r.fault, FAULT_NONE);
	assert_true(a.r.rtt_ns > 0 && a.r.rtt_ns < LONG);
	assert_string_equal(a.r.address, "127.0.0.1");
	assert_string_equal(a.r.detail, "");
}

static void many_targets_are_told_apart(void **state)
{
	static struct ask asks[200];
	struct room *r = *state;

	if (!can(r))
		skip();
	memset(asks, 0, sizeof(asks));
	for (size_t i = 0; i < array_len(asks); i++) {
		char text[32];

		snprintf(text, sizeof(text), "127.0.1.%zu", i + 1);
		struct sockaddr_storage s = address(text);
		ping(r->pinger, &s, LONG, on_done, &asks[i]);
	}
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++) {
		char text[32];

		snprintf(text, sizeof(text), "127.0.1.%zu", i + 1);
		assert_int_equal(asks[i].times, 1);
		assert_int_equal(asks[i].r.fault, FAULT_NONE);
		assert_string_equal(asks[i].r.address, text);
	}
}

/* Answers that wait while the loop is busy are not lost. Who is not root may not have the room. */
static void many_at_once_are_heard(void **state)
{
	static struct ask asks[3000];
	struct sockaddr_storage s = address("127.0.0.1");
	struct room *r = *state;

	if (!can(r) || geteuid() != 0)
		skip();
	memset(asks, 0, sizeof(asks));
	for (size_t i = 0; i < array_len(asks); i++)
		ping(r->pinger, &s, LONG, on_done, &asks[i]);
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++)
		assert_int_equal(asks[i].r.fault, FAULT_NONE);
}

/* More than there is room for: what was thrown away here is not told as lost on the way. */
static void our_own_loss_is_ours(void **state)
{
	const size_t n = 40000;
	struct ask *asks = mem_new_array(n, sizeof(*asks));
	struct sockaddr_storage s = address("127.0.0.1");
	struct room *r = *state;
	size_t local = 0;

	if (!can(r)) {
		free(asks);
		skip();
	}
	for (size_t i = 0; i < n; i++)
		ping(r->pinger, &s, LONG, on_done, &asks[i]);
	loop_run(r->loop);
	for (size_t i = 0; i < n; i++) {
		assert_true(asks[i].r.fault == FAULT_NONE || asks[i].r.fault == FAULT_LOCAL);
		local += asks[i].r.fault == FAULT_LOCAL;
	}
	assert_true(local > 0 && local < n);
	free(asks);
}

static void sizes_are_as_asked_for(void **state)
{
	static const size_t sizes[] = {PING_SIZE_MIN, 17, 1473, 9000, PING_SIZE_MAX};
	struct sockaddr_storage v4 = address("127.0.0.1"), v6 = address("::1");
	struct room *r = *state;
	struct ask asks[2 * array_len(sizes)] = {0};
	const char *how;

	if (!can(r) || !pinger_can(r->pinger, AF_INET6, &how))
		skip();
	for (size_t i = 0; i < array_len(asks); i++)
		ping_sized(r->pinger, i % 2 ? &v6 : &v4, sizes[i / 2], LONG, on_done, &asks[i]);
	loop_run(r->loop);
	for (size_t i = 0; i < array_len(asks); i++)
		assert_int_equal(asks[i].r.fault, FAULT_NONE);
}

static void cancelling_calls_back_once(void **state)
{
	struct room *r = *state;
	struct sockaddr_storage s = address("127.0.0.1");
	struct ask a = {0};
	struct ping_call *c = ping(r->pinger, &s, LONG, on_done, &a);

	usleep(2000); /* the reply is there, and comes too late all the same */
	ping_cancel(c);
	ping_cancel(c);
	assert_int_equal(a.times, 0);
	loop_run(r->loop);
	assert_int_equal(a.times, 1);
	assert_int_equal(a.r.fault, FAULT_CANCELLED);
}

static void freeing_ends_what_waits(void **state)
{
	struct room *r = *state;
	struct sockaddr_storage s = address("127.0.0.1");
	struct ask asks[3] = {0};

	for (int i = 0; i < 3; i++) {
		struct ping_call *c = ping(r->pinger, &s, LONG, on_done, &asks[i]);

		if (i == 1)
			ping_cancel(c);
	}
	pinger_free(r->pinger);
	r->pinger = NULL;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(asks[i].times, 1);
		assert_int_equal(asks[i].r.fault, FAULT_CANCELLED);
	}
}

/* --- what is allowed ---------------------------------------------------------------------------
 */

#define CANNOT 77

static bool write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool good = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return good;
}

static bool raise_loopback(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq r = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	bool good = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &r) == 0;

	if (fd >= 0)
		close(fd);
	return good;
}

/* An ordinary user in a network of its own, where ping sockets are for `groups`. */
static bool become_ordinary(const char *groups)
{
	return unshare(CLONE_NEWNET) == 0 && raise_loopback() &&
	       write_file("/proc/sys/net/ipv4/ping_group_range", groups) && setgid(NOBODY) == 0 &&
	       setuid(NOBODY) == 0;
}

static int one_ping(const char *to, int64_t deadline_ns, const char *how, enum fault expected)
{
	struct error err = {0};
	struct loop *l = loop_new(NULL, &err);
	struct pinger *p = pinger_new(l, &err);
	struct sockaddr_storage s = address(to);
	struct ask a = {0};
	const char *found;
	int status = 0;

	pinger_can(p, AF_INET, &found);
	if (!strstr(found, how))
		status = 1;
	ping(p, &s, deadline_ns, on_done, &a);
	loop_run(l);
	if (a.times != 1 || a.r.fault != expected || (expected && !a.r.detail[0])) {
		fprintf(stderr, "%s: %s %s\n", to, fault_name(a.r.fault), a.r.detail);
		status = 2;
	}
	pinger_free(p);
	loop_free(l);
	return status;
}

static int with_ping_socket(void)
{
	if (!become_ordinary("0 2147483647"))
		return CANNOT;
	return one_ping("127.0.0.1", LONG, "ping socket", FAULT_NONE) ||
	       one_ping("192.0.2.1", LONG, "ping socket", FAULT_UNREACHABLE);
}

static int with_neither(void)
{
	if (!become_ordinary("1 0"))
		return CANNOT;
	return one_ping("127.0.0.1", LONG, "ping_group_range", FAULT_NO_ICMP);
}

/* Freed while the refusal still waits to be told. */
static int freed_with_neither(void)
{
	struct error err = {0};
	struct sockaddr_storage s = address("127.0.0.1");
	struct ask a = {0};

	if (!become_ordinary("1 0"))
		return CANNOT;
	struct loop *l = loop_new(NULL, &err);
	struct pinger *p = pinger_new(l, &err);
	ping(p, &s, LONG, on_done, &a);
	pinger_free(p);
	loop_free(l);
	return a.times == 1 && a.r.fault == FAULT_CANCELLED ? 0 : 3;
}

static int with_raw_socket(void)
{
	if (unshare(CLONE_NEWNET) != 0 || !raise_loopback())
		return CANNOT;
	return one_ping("127.0.0.1", LONG, "raw socket", FAULT_NONE) ||
	       one_ping("192.0.2.1", LONG, "raw socket", FAULT_UNREACHABLE);
}

/* Replies are switched off, so nothing comes. */
static int without_replies(void)
{
	if (unshare(CLONE_NEWNET) != 0 || !raise_loopback() ||
		!write_file("/proc/sys/net/ipv4/icmp_echo_ignore_all", "1"))
		return CANNOT;
	return one_ping("127.0.0.1", 100 * NS_PER_MS, "socket", FAULT_TIMEOUT);
}

static void in_child(int (*work)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(30);
		_exit(work());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT) {
		print_message("SKIPPED: needs root, for a network namespace\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_ordinary_user_has_ping_sockets(void **state)
{
	in_child(with_ping_socket);
}

static void root_has_raw_sockets(void **state)
{
	in_child(with_raw_socket);
}

static void neither_is_said_with_what_to_do(void **state)
{
	in_child(with_neither);
}

static void neither_and_freed_at_once(void **state)
{
	in_child(freed_with_neither);
}

static void silence_ends_at_the_deadline(void **state)
{
	in_child(without_replies);
}

int test_ping(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(loopback_answers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_targets_are_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_at_once_are_heard, set_up, tear_down),
		cmocka_unit_test_setup_teardown(our_own_loss_is_ours, set_up, tear_down),
		cmocka_unit_test_setup_teardown(sizes_are_as_asked_for, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cancelling_calls_back_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freeing_ends_what_waits, set_up, tear_down),
		cmocka_unit_test(an_ordinary_user_has_ping_sockets),
		cmocka_unit_test(root_has_raw_sockets),
		cmocka_unit_test(neither_is_said_with_what_to_do),
		cmocka_unit_test(neither_and_freed_at_once),
		cmocka_unit_test(silence_ends_at_the_deadline),
	};

	return cmocka_run_group_tests_name("ping", tests, NULL, NULL);
}

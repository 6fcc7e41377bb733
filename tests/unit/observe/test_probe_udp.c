/* test_probe_udp.c - kind udp against a socket of our own, a closed port and a port of silence. */
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"

struct server { /* says back what it hears, after a word of its own */
	int fd;
	unsigned port;
	pthread_t id;
	atomic_bool stop;
	bool silent;
};

static void *serve(void *arg)
{
	struct server *s = arg;
	struct sockaddr_in from;
	char p[2000] = "";

	while (!s->stop) {
		struct pollfd poll_fd = {s->fd, POLLIN, 0};
		socklen_t from_n = sizeof(from);
		if (poll(&poll_fd, 1, 20) != 1)
			continue;
		const ssize_t n =
			recvfrom(s->fd, p, sizeof(p), 0, (struct sockaddr *)&from, &from_n);
		if (s->silent || n < 0)
			continue;
		sendto(s->fd, "one\xff", 4, 0, (struct sockaddr *)&from, from_n);
		sendto(s->fd, p, (size_t)n, 0, (struct sockaddr *)&from, from_n);
	}
	return NULL;
}

static struct server *server_start(bool silent)
{
	struct server *s = mem_new(struct server);
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	s->silent = silent;
	s->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&a, &n), 0);
	s->port = ntohs(a.sin_port);
	assert_int_equal(pthread_create(&s->id, NULL, serve, s), 0);
	return s;
}

static void server_stop(struct server *s)
{
	s->stop = true;
	pthread_join(s->id, NULL);
	close(s->fd);
	free(s);
}

static void test_answers(void **state)
{
	struct asked *a = *state;
	struct server *s = server_start(false);

	assert_int_equal(ask(a, "udp: {to: '127.0.0.1:%u', send: hello}", s->port), FAULT_NONE);
	assert_string_equal(asked_text(a, "OUTPUT"), "one\xef\xbf\xbd");
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(a->phases.wait_ns > 0);
	assert_int_equal(ask(a,
				 "udp: {to: '127.0.0.1:%u', send: hello, expect: '^hel+o$'}, "
				 "expect: ['[OUTPUT] == hello']",
				 s->port),
		FAULT_NONE);
	assert_int_equal(ask(a,
				 "udp: {to: '127.0.0.1:%u', send_hex: '00 01 fF', expect: "
				 "'^\\x00\\x01\\xff$'}",
				 s->port),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "udp: {to: '127.0.0.1:%u', send: b, expect: a}, timeout: 1s", s->port),
		FAULT_EXPECTATION);
	assert_string_equal(a->detail, "expected a, came \"b\"");
	server_stop(s);
}

static void test_silence(void **state)
{
	struct asked *a = *state;
	struct server *s = server_start(true);

	assert_int_equal(ask(a, "udp: '127.0.0.1:%u', timeout: 200ms", s->port), FAULT_NONE);
	assert_int_equal(ask(a, "udp: {to: '127.0.0.1:%u', expect: a}, timeout: 200ms", s->port),
		FAULT_TIMEOUT);
	assert_detail(a, "no answer came");
	const unsigned port = s->port;
	server_stop(s);
	assert_int_equal(ask(a, "udp: '127.0.0.1:%u'", port), FAULT_REFUSED);
	assert_detail(a, "nothing listens on the port");
	assert_int_equal(ask(a, "udp: '[::1]:%u'", port), FAULT_REFUSED);
	/* More than a datagram of loopback holds. */
	char *much = mem_alloc(65507);
	memset(much, 'x', 65506);
	much[65506] = 0;
	assert_int_equal(ask(a, "udp: {to: '[::1]:%u', send: %s}", port, much), FAULT_REFUSED);
	free(much);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *item, *said;
	} t[] = {
		{"udp: host", "no port"},
		{"udp: {to: 'h:1', send: a, send_hex: '00'}", "either send or send_hex"},
		{"udp: {to: 'h:1', send_hex: '0'}", "pairs of hexadecimal digits"},
		{"udp: {to: 'h:1', send_hex: 'zz'}", "pairs of hexadecimal digits"},
		{"udp: {to: 'h:1', expect: '('}", "regular expression"},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char *said = ask_wrong("%s", t[i].item);
		if (!strstr(said, t[i].said))
			fail_msg("%s: \"%s\" is not in \"%s\"", t[i].item, t[i].said, said);
		free(said);
	}
}

int test_probe_udp(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_answers, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_silence, asked_set_up, asked_tear_down),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_udp", tests, NULL, NULL);
}

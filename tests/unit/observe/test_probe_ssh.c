/* test_probe_ssh.c - kind ssh against OpenSSH's sshd and what is none. */
#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "../net/sshd.h"
#include "asked.h"
#include "net/ssh.h"

static int set_up(void **state)
{
	struct error err = {0};

	if (asked_set_up(state) != 0)
		return -1;
	struct asked *a = *state;
	a->tools.ssh = ssh_pool_new(a->loop, &err);
	return a->tools.ssh ? 0 : -1;
}

static int tear_down(void **state)
{
	struct asked *a = *state;

	ssh_pool_free(a->tools.ssh);
	return asked_tear_down(state);
}

static void test_sshd(void **state)
{
	struct asked *a = *state;

	if (!sshd_exists())
		skip();
	struct sshd *s = sshd_start("", NULL);
	assert_int_equal(ask(a,
				 "ssh: {to: '127.0.0.1:%u', banner: '^SSH-2.0-OpenSSH_'}, "
				 "expect: ['[HOST_KEY] == pat(SHA256:*)']",
				 s->port),
		FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(a->phases.tls_ns > 0);
	assert_int_equal(a->phases.wait_ns, 0);
	char *key = mem_strdup(asked_text(a, "HOST_KEY"));
	assert_int_equal(
		ask(a, "ssh: {to: '127.0.0.1:%u', host_key: '%s'}", s->port, key), FAULT_NONE);
	key[10] = key[10] == 'A' ? 'B' : 'A';
	assert_int_equal(ask(a, "ssh: {to: '127.0.0.1:%u', host_key: '%s'}", s->port, key),
		FAULT_SSH_HOST_KEY);
	assert_detail(a, key);
	free(key);
	assert_int_equal(
		ask(a, "ssh: {to: '127.0.0.1:%u', banner: dropbear}", s->port), FAULT_EXPECTATION);
	assert_detail(a, "expected the banner dropbear, came \"SSH-2.0-OpenSSH");
	assert_int_equal(
		ask(a, "ssh: {to: '127.0.0.1:%u', key_type: ed25519}", s->port), FAULT_NONE);
	/* The server of the test has a key of one type only. */
	assert_int_equal(
		ask(a, "ssh: {to: '127.0.0.1:%u', key_type: rsa}", s->port), FAULT_PROTOCOL);
	assert_detail(a, "no match for method");
	assert_int_equal(ask(a, "ssh: '127.0.0.1:%u', family: ipv6", s->port), FAULT_RESOLVE);
	sshd_stop(s);
}

static void http(struct peer_connection *c)
{
	peer_say(c, "HTTP/1.1 400 Bad Request\r\n\r\n");
}

static void mute(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000);
}

static void test_none(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(http, NULL, NULL);

	assert_int_equal(ask(a, "ssh: '127.0.0.1:%u'", p->port), FAULT_SSH_BANNER);
	peer_stop(p);
	p = peer_start(mute, NULL, NULL);
	assert_int_equal(ask(a, "ssh: '127.0.0.1:%u', timeout: 1s", p->port), FAULT_SSH_BANNER);
	assert_detail(a, "sends no SSH banner");
	peer_stop(p);
	assert_int_equal(ask(a, "ssh: '127.0.0.1:%u'", peer_free_port()), FAULT_REFUSED);
}

/* Every kind that waits for a peer, in the middle of it. */
static void test_stop(void **state)
{
	static const char *const items[] = {
		"tcp: {to: '127.0.0.1:%u', talk: [{expect: a}]}",
		"tcp: {to: '127.0.0.1:%u', tls: true}",
		"tls: '127.0.0.1:%u'",
		"tls: {to: '127.0.0.1:%u', starttls: smtp}",
		"ssh: '127.0.0.1:%u'",
		"smtp: '127.0.0.1:%u'",
		"imap: '127.0.0.1:%u'",
		"udp: {to: '127.0.0.1:%u', expect: a}",
		"websocket: 'ws://127.0.0.1:%u/'",
		"grpc: '127.0.0.1:%u'",
	};
	struct asked *a = *state;
	struct peer *p = peer_start(mute, NULL, NULL);
	const int udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)p->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	assert_int_equal(bind(udp, (struct sockaddr *)&at, sizeof(at)), 0);
	for (size_t i = 0; i < array_len(items); i++) {
		char *item = mem_printf("%s", items[i]);
		char *port = mem_printf("%u", p->port), *mark = strstr(item, "%u");
		*mark = 0;
		ask_and_stop(a, 0, "%s%s%s", item, port, mark + 2);
		ask_and_stop(a, 60, "%s%s%s", item, port, mark + 2);
		free(item);
		free(port);
	}
	close(udp);
	peer_stop(p);
}

static void test_wrong(void **state)
{
	char *said = ask_wrong("ssh: {to: 'h', host_key: 'MD5:00', banner: '[', key_type: dsa}");

	assert_non_null(strstr(said, "dsa"));
	free(said);
	said = ask_wrong("ssh: {to: 'h', host_key: 'MD5:00', banner: '['}");
	assert_non_null(strstr(said, "host_key is SHA256:"));
	assert_non_null(strstr(said, "regular expression"));
	free(said);
}

int test_probe_ssh(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sshd, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_none, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stop, set_up, tear_down),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_ssh", tests, NULL, NULL);
}

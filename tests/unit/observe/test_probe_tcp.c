/* test_probe_tcp.c - kinds tcp and tls against scripted peers, openssl s_server and others. */
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"

/* --- tcp ---------------------------------------------------------------------------------------
 */

static void irc(struct peer_connection *c)
{
	char line[200];

	peer_say(c, ":irc NOTICE * :*** Looking up\r\nPING :tok%d\r\n", 7);
	while (peer_hear(c, line, sizeof(line)))
		if (!strcmp(line, "PONG tok7\r"))
			peer_say(c, ":irc 001 welcome\r\n");
}

static void shut(struct peer_connection *c)
{
	peer_say(c, "554 go \001away\xff\r\n");
}

static void mute(struct peer_connection *c)
{
	peer_sleep_ms(c, 60000);
}

static void test_tcp(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(irc, NULL, NULL);

	assert_int_equal(ask(a, "tcp: '127.0.0.1:%u'", p->port), FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(json_is_true(json_object_get(a->measured, "CONNECTED")));
	assert_true(a->phases.connect_ns > 0);
	assert_int_equal(ask(a,
				 "tcp: {to: '127.0.0.1:%u', talk: [{expect: 'PING :(\\w+)'}, "
				 "{send: \"PONG ${1}\\r\\n\"}, {expect: '(?m)^:irc 001 .*$'}]}, "
				 "expect: ['[OUTPUT] == pat(*welcome*)', '[CONNECTED] == true']",
				 p->port),
		FAULT_NONE);
	assert_true(a->phases.wait_ns > 0);
	peer_stop(p);
	assert_int_equal(ask(a, "tcp: '127.0.0.1:%u'", peer_free_port()), FAULT_REFUSED);
	assert_detail(a, "refused");
	assert_true(json_is_false(json_object_get(a->measured, "CONNECTED")));
}

static void test_tcp_unmatched(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(shut, NULL, NULL);
	const char item[] = "tcp: {to: '127.0.0.1:%u', talk: [{expect: '^220 '}]}, timeout: 1s";

	assert_int_equal(ask(a, item, p->port), FAULT_EXPECTATION);
	assert_string_equal(a->detail, "step 1: expected ^220 , came \"554 go \\x01away\\xff\\n\"");
	assert_string_equal(asked_text(a, "OUTPUT"), "554 go \001away\xef\xbf\xbd\r\n");
	peer_stop(p);
	p = peer_start(mute, NULL, NULL);
	assert_int_equal(ask(a, item, p->port), FAULT_TIMEOUT);
	assert_detail(a, "step 1: expected ^220 : no answer came");
	peer_stop(p);
	p = peer_start(shut, NULL, NULL);
	assert_int_equal(ask(a,
				 "tcp: {to: '127.0.0.1:%u', talk: [{expect: 'way'}, {send: x}, "
				 "{expect: more}]}",
				 p->port),
		FAULT_EXPECTATION);
	assert_detail(a, "step 3: expected more, came");
	peer_stop(p);
}

static void test_tcp_families(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(irc, NULL, NULL);

	assert_int_equal(ask(a, "tcp: 'localhost:%u', family: ipv4", p->port), FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
	assert_int_equal(ask(a, "tcp: '[::1]:%u'", p->port), FAULT_REFUSED);
	assert_string_equal(a->address, "::1");
	assert_int_equal(ask(a, "tcp: '127.0.0.1:%u', family: ipv6", p->port), FAULT_RESOLVE);
	peer_stop(p);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *item, *said;
	} t[] = {
		{"tcp: host", "no port"},
		{"tcp: {to: 'h:1', talk: [{expect: '('}]}", "regular expression is wrong"},
		{"tcp: {to: 'h:1', talk: [{expect: a, send: b}]}", "a step of talk is"},
		{"tcp: {to: 'h:1', talk: [{starttls: false}]}", "a step of talk is"},
		{"tcp: {to: 'h:1', tls: true, talk: [{starttls: true}]}", "in TLS already"},
		{"tcp: {to: 'h:1', ca: /nowhere}", "/nowhere"},
		{"tls: {to: 'h:1', key: /nowhere}", "key without cert"},
		{"tls: {to: 'h:1', minimum: 1.4}", "1.4"},
		{"tls: {to: 'h:1', starttls: irc}", "irc"},
		{"tls: h, expect: ['[STATUS] == 1']", "STATUS"},
		{"smtp: {to: 'h:1', tls: true, starttls: true}", "either tls"},
		{"smtp: {to: 'h:1', hello: 'a b'}", "hello is"},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char *said = ask_wrong("%s", t[i].item);
		if (!strstr(said, t[i].said))
			fail_msg("%s: \"%s\" is not in \"%s\"", t[i].item, t[i].said, said);
		free(said);
	}
}

/* --- tls ---------------------------------------------------------------------------------------
 */

struct files {
	struct peer_certificate authority, server;
	char ca[80], cert[80], key[80];
};

static void files_make(struct files *f, int to_days)
{
	f->authority = peer_certify(NULL, "DNS:authority.example", -1, 900);
	f->server = peer_certify(
		&f->authority, "DNS:localhost,DNS:www.example.org,IP:127.0.0.1", -5, to_days);
	snprintf(f->ca, sizeof(f->ca), "/tmp/test_probe_tcp.%d.ca", (int)getpid());
	snprintf(f->cert, sizeof(f->cert), "/tmp/test_probe_tcp.%d.cert", (int)getpid());
	snprintf(f->key, sizeof(f->key), "/tmp/test_probe_tcp.%d.key", (int)getpid());
	peer_save_certificate(&f->authority, f->ca);
	peer_save_certificate(&f->server, f->cert);
	peer_save_key(&f->server, f->key);
}

static void files_fini(struct files *f)
{
	peer_certificate_fini(&f->server);
	peer_certificate_fini(&f->authority);
	unlink(f->ca);
	unlink(f->cert);
	unlink(f->key);
}

static void test_tls(void **state)
{
	struct asked *a = *state;
	struct files f;
	struct served s;

	files_make(&f, 30);
	assert_true(served_start(&s, (const char *[]){"openssl", f.cert, f.key, NULL}));
	assert_int_equal(
		ask(a,
			"tls: {to: '127.0.0.1:%u', ca: %s}, expect: ['[CERTIFICATE_EXPIRATION] > 600h', "
			"'[CHAIN_EXPIRATION] < 800h', '[TLS_VERSION] == \"1.3\"', "
			"'[FINGERPRINT] == re(^[0-9a-f]{64}$)', 'len([NAMES]) == 3']",
			s.port, f.ca),
		FAULT_NONE);
	assert_text(a, "CIPHER", "TLS_");
	assert_true(a->phases.tls_ns > 0);
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', ca: %s}, warn: ['[CERTIFICATE_EXPIRATION] > 90d']",
			s.port, f.ca),
		FAULT_NONE);
	assert_true(a->warned);
	assert_int_equal(ask(a, "tls: '127.0.0.1:%u'", s.port), FAULT_TLS_AUTHORITY);
	assert_string_equal(asked_text(a, "TLS_VERSION"), "1.3");
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', ca: %s, name: other.example}", s.port, f.ca),
		FAULT_TLS_NAME);
	assert_detail(a, "not for other.example but for localhost, www.example.org, 127.0.0.1");
	assert_int_equal(ask(a, "tls: {to: '127.0.0.1:%u', verify: false}", s.port), FAULT_NONE);
	served_stop(&s);
	files_fini(&f);
}

static void renew(struct asked *a, void *arg)
{
	struct files *f = arg;

	assert_int_equal(a->fault, FAULT_NONE);
	peer_certificate_fini(&f->server);
	f->server = peer_certify(NULL, "DNS:another", -1, 30);
	peer_save_certificate(&f->server, f->ca);
}

static void lose(struct asked *a, void *arg)
{
	struct files *f = arg;

	unlink(f->ca);
}

/* Files are looked at while the program runs: certificates are renewed. */
static void test_tls_renewed(void **state)
{
	struct asked *a = *state;
	struct files f;
	struct served s;

	files_make(&f, 30);
	assert_true(served_start(&s, (const char *[]){"openssl", f.cert, f.key, NULL}));
	assert_int_equal(ask_again(a, renew, &f, "tls: {to: '127.0.0.1:%u', ca: %s}", s.port, f.ca),
		FAULT_TLS_AUTHORITY);
	assert_int_equal(ask_again(a, lose, &f, "tls: {to: '127.0.0.1:%u', ca: %s}", s.port, f.ca),
		FAULT_CONFIGURATION);
	assert_detail(a, f.ca);
	served_stop(&s);
	files_fini(&f);
}

static void test_tls_refusals(void **state)
{
	struct asked *a = *state;
	struct files f;
	struct served s;

	files_make(&f, -2);
	assert_true(served_start(&s, (const char *[]){"openssl", f.cert, f.key, NULL}));
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', ca: %s}", s.port, f.ca), FAULT_TLS_EXPIRED);
	assert_true(*asked_text(a, "CERTIFICATE_EXPIRATION") == '-');
	served_stop(&s);
	files_fini(&f);

	files_make(&f, 30);
	assert_true(
		served_start(&s, (const char *[]){"openssl", f.cert, f.key, "-no_tls1_3", NULL}));
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', ca: %s, minimum: 1.3}", s.port, f.ca), FAULT_TLS);
	assert_detail(a, "protocol version");
	served_stop(&s);

	/* It wants a certificate of ours, and says so only after the handshake of TLS 1.3. */
	assert_true(served_start(&s, (const char *[]){"openssl", f.cert, f.key, "-Verify", "1",
					     "-CAfile", f.ca, "-verify_return_error", NULL}));
	assert_int_equal(ask(a, "tls: {to: '127.0.0.1:%u', ca: %s}", s.port, f.ca), FAULT_TLS);
	assert_detail(a, "after the handshake: the server's alert: certificate required");
	assert_int_equal(ask(a, "tls: {to: '127.0.0.1:%u', ca: %s, cert: %s, key: %s}", s.port,
				 f.ca, f.cert, f.key),
		FAULT_NONE);
	served_stop(&s);
	files_fini(&f);
}

static void test_starttls(void **state)
{
	static const char *const protocols[] = {"ldap", "postgres", "pop3", "ftp"};
	static const char *const refuse[] = {"ldap", "postgres"};
	struct asked *a = *state;
	struct files f;
	struct served s;

	files_make(&f, 30);
	for (size_t i = 0; i < array_len(protocols); i++) {
		assert_true(served_start(
			&s, (const char *[]){"starttls", protocols[i], f.cert, f.key, NULL}));
		if (ask(a, "tls: {to: '127.0.0.1:%u', ca: %s, starttls: %s}", s.port, f.ca,
			    protocols[i]) != FAULT_NONE)
			fail_msg("%s: %s", protocols[i], a->detail);
		assert_text(a, "TLS_VERSION", "1.");
		served_stop(&s);
	}
	for (size_t i = 0; i < array_len(refuse); i++) {
		char *name = mem_printf("%s-no", refuse[i]);
		assert_true(
			served_start(&s, (const char *[]){"starttls", name, f.cert, f.key, NULL}));
		assert_int_equal(
			ask(a, "tls: {to: '127.0.0.1:%u', starttls: %s}", s.port, refuse[i]),
			FAULT_EXPECTATION);
		assert_detail(a, "the server refuses");
		served_stop(&s);
		free(name);
	}
	struct peer *p = peer_start(shut, NULL, NULL);
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', starttls: smtp}", p->port), FAULT_EXPECTATION);
	assert_detail(a, "the greeting: the server refuses: \"554 go");
	assert_int_equal(
		ask(a, "tls: {to: '127.0.0.1:%u', starttls: imap}", p->port), FAULT_PROTOCOL);
	assert_int_equal(ask(a, "tls: '127.0.0.1:%u'", p->port), FAULT_TLS);
	peer_stop(p);
	files_fini(&f);
}

int test_probe_tcp(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_tcp, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tcp_unmatched, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tcp_families, asked_set_up, asked_tear_down),
		cmocka_unit_test(test_wrong),
		cmocka_unit_test_setup_teardown(test_tls, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tls_renewed, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tls_refusals, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_starttls, asked_set_up, asked_tear_down),
	};

	return cmocka_run_group_tests_name("probe_tcp", tests, NULL, NULL);
}

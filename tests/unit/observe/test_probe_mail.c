/* test_probe_mail.c - kinds smtp and imap against Debian's exim and dovecot, and peers that err. */
#include <sys/socket.h>
#include <unistd.h>

#include "../check.h"
#include "../net/exim.h"
#include "../net/peer.h"
#include "asked.h"

struct house {
	struct peer_certificate authority, server;
	char ca[80], cert[80], key[80];
};

static void house_make(struct house *h)
{
	h->authority = peer_certify(NULL, "DNS:authority.example", -1, 900);
	h->server = peer_certify(&h->authority, "DNS:localhost,IP:127.0.0.1", -1, 30);
	snprintf(h->ca, sizeof(h->ca), "/tmp/test_probe_mail.%d.ca", (int)getpid());
	snprintf(h->cert, sizeof(h->cert), "/tmp/test_probe_mail.%d.cert", (int)getpid());
	snprintf(h->key, sizeof(h->key), "/tmp/test_probe_mail.%d.key", (int)getpid());
	peer_save_certificate(&h->authority, h->ca);
	peer_save_certificate(&h->server, h->cert);
	peer_save_key(&h->server, h->key);
}

static void house_fini(struct house *h)
{
	peer_certificate_fini(&h->server);
	peer_certificate_fini(&h->authority);
	unlink(h->ca);
	unlink(h->cert);
	unlink(h->key);
}

static void test_smtp(void **state)
{
	struct asked *a = *state;
	struct house h;

	if (!exim_exists())
		skip();
	house_make(&h);
	struct exim *e = exim_start(&h.server);
	assert_int_equal(ask(a, "smtp: '127.0.0.1:%u', expect: ['[BANNER] == pat(220 *ESMTP*)']",
				 e->bare_port),
		FAULT_NONE);
	assert_int_equal(a->status, 250);
	assert_text(a, "CAPABILITIES", "SIZE ");
	assert_string_equal(asked_text(a, "CERTIFICATE_EXPIRATION"), "");
	assert_int_equal(
		ask(a,
			"smtp: {to: '127.0.0.1:%u', starttls: true, ca: %s, hello: '[127.0.0.1]'}, "
			"expect: ['[CERTIFICATE_EXPIRATION] > 600h', '[STATUS] == 250', "
			"'[CAPABILITIES] == pat(*AUTH*)']",
			e->port, h.ca),
		FAULT_NONE);
	assert_true(a->phases.tls_ns > 0 && a->phases.wait_ns > 0);
	assert_int_equal(ask(a, "smtp: {to: '127.0.0.1:%u', tls: true, ca: %s}", e->tls_port, h.ca),
		FAULT_NONE);
	assert_int_equal(ask(a, "smtp: {to: '127.0.0.1:%u', starttls: true}", e->bare_port),
		FAULT_EXPECTATION);
	assert_detail(a, "does not offer STARTTLS, but SIZE");
	assert_int_equal(
		ask(a, "smtp: {to: '127.0.0.1:%u', starttls: true}", e->port), FAULT_TLS_AUTHORITY);
	assert_int_equal(ask(a, "tls: {to: '127.0.0.1:%u', starttls: smtp, ca: %s}", e->port, h.ca),
		FAULT_NONE);
	assert_int_equal(ask(a,
				 "tcp: {to: '127.0.0.1:%u', ca: %s, talk: [{expect: '^220'}, "
				 "{send: \"EHLO x\\r\\n\"}, {expect: '(?m)^250[- ]STARTTLS'}, "
				 "{expect: '250 .*\\n'}, {send: \"STARTTLS\\r\\n\"}, "
				 "{expect: '^220 .*\\n'}, {starttls: true}, "
				 "{send: \"EHLO x\\r\\n\"}, {expect: 'AUTH'}]}",
				 e->port, h.ca),
		FAULT_NONE);
	assert_true(*asked_text(a, "CERTIFICATE_EXPIRATION"));
	exim_stop(e);
	house_fini(&h);
}

static void test_imap(void **state)
{
	struct asked *a = *state;
	struct house h;
	struct served s;

	house_make(&h);
	if (!served_start(&s, (const char *[]){"imap", h.cert, h.key, NULL})) {
		house_fini(&h);
		skip();
	}
	assert_int_equal(ask(a, "imap: '127.0.0.1:%u'", s.port), FAULT_NONE);
	assert_text(a, "BANNER", "Ready to be probed.");
	assert_text(a, "CAPABILITIES", "STARTTLS");
	assert_text(a, "CAPABILITIES", "IMAP4rev1");
	assert_int_equal(ask(a,
				 "imap: {to: '127.0.0.1:%u', starttls: true, ca: %s}, "
				 "expect: ['[CERTIFICATE_EXPIRATION] > 600h', "
				 "'[CAPABILITIES] != pat(*STARTTLS*)']",
				 s.port, h.ca),
		FAULT_NONE);
	assert_int_equal(ask(a, "tls: {to: '127.0.0.1:%u', starttls: imap, ca: %s}", s.port, h.ca),
		FAULT_NONE);
	assert_int_equal(ask(a, "smtp: '127.0.0.1:%u'", s.port), FAULT_PROTOCOL);
	assert_detail(a, "the greeting is not what the protocol allows: \"* OK");
	served_stop(&s);
	house_fini(&h);
}

/* --- peers that err ----------------------------------------------------------------------------
 */

static void say_and_hold(struct peer_connection *c)
{
	peer_write(c, c->peer->arg, strlen(c->peer->arg));
	peer_sleep_ms(c, 60000);
}

static void test_err(void **state)
{
	static const struct {
		const char *says, *kind, *detail;
		enum fault fault;
	} t[] = {
		{"421 too busy\r\n", "smtp", "the server refuses: \"421 too busy\"",
			FAULT_HTTP_503},
		{"554 no\r\n", "smtp", "the server refuses: \"554 no\"", FAULT_EXPECTATION},
		{"220-a\r\n220-b\r\n", "smtp",
			"not the whole answer came within the time allowed; it began \"220-a\\n",
			FAULT_TIMEOUT},
		{"SSH-2.0-x\r\n", "smtp", "not what the protocol allows", FAULT_PROTOCOL},
		{"", "smtp", "the greeting: no answer came", FAULT_TIMEOUT},
		{"220 hello\r\n", "smtp", "the answer to EHLO: no answer came", FAULT_TIMEOUT},
		{"* BYE full\r\n", "imap", "the server refuses: \"BYE full\"", FAULT_EXPECTATION},
		{"* OK\r\ngh BAD what\r\n", "imap", "the answer to CAPABILITY: the server refuses",
			FAULT_EXPECTATION},
		{"* OK\r\n+ what\r\n", "imap", "the answer to CAPABILITY is not", FAULT_PROTOCOL},
	};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		struct peer *p = peer_start(say_and_hold, (void *)(uintptr_t)t[i].says, NULL);
		const enum fault fault = ask(a, "%s: '127.0.0.1:%u', timeout: %s", t[i].kind,
			p->port, t[i].fault == FAULT_TIMEOUT ? "1s" : "20s");
		if (fault != t[i].fault)
			fail_msg("%s: %s, %s", t[i].says, fault_name(fault), a->detail);
		assert_detail(a, t[i].detail);
		peer_stop(p);
	}
}

static void flood(struct peer_connection *c)
{
	while (!c->peer->stopping && peer_say(c, "220-and another line\r\n"))
		;
}

static void test_flood(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(flood, NULL, NULL);

	assert_int_equal(ask(a, "smtp: '127.0.0.1:%u'", p->port), FAULT_BODY_TOO_LARGE);
	peer_stop(p);
}

int test_probe_mail(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_smtp, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_imap, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_err, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_flood, asked_set_up, asked_tear_down),
	};

	return cmocka_run_group_tests_name("probe_mail", tests, NULL, NULL);
}

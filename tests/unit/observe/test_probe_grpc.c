/* test_probe_grpc.c - kind grpc against python3-grpcio, and servers that are none. */
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"
#include "net/grpc_message.h"

static void test_real(void **state)
{
	struct asked *a = *state;
	struct served s;

	if (!served_start(&s, (const char *[]){"grpc", NULL}))
		skip();
	assert_int_equal(ask(a, "grpc: '127.0.0.1:%u'", s.port), FAULT_NONE);
	assert_string_equal(asked_text(a, "SERVING"), "SERVING");
	assert_int_equal(a->status, 0);
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(a->phases.wait_ns > 0);
	assert_int_equal(ask(a,
				 "grpc: {to: '127.0.0.1:%u', service: up, authority: a.example}, "
				 "expect: ['[STATUS] == 0', '[SERVING] == SERVING']",
				 s.port),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "grpc: {to: '127.0.0.1:%u', service: down}", s.port), FAULT_HTTP_503);
	assert_string_equal(a->detail, "the server says NOT_SERVING");
	assert_int_equal(
		ask(a,
			"grpc: {to: '127.0.0.1:%u', service: down}, expect: ['[SERVING] == "
			"NOT_SERVING']",
			s.port),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "grpc: {to: '127.0.0.1:%u', service: nobody}", s.port), FAULT_EXPECTATION);
	assert_string_equal(a->detail, "the server says NOT_FOUND: unknown service");
	assert_int_equal(a->status, 5);
	assert_int_equal(
		ask(a, "grpc: {to: '127.0.0.1:%u', service: busy}", s.port), FAULT_HTTP_503);
	assert_detail(a, "UNAVAILABLE: too busy, \xc3\xa4h");
	assert_int_equal(
		ask(a, "grpc: {to: '127.0.0.1:%u', service: odd}", s.port), FAULT_HTTP_503);
	assert_detail(a, "the server says UNKNOWN");
	served_stop(&s);
}

static void test_tls(void **state)
{
	struct asked *a = *state;
	struct served s;
	char cert[80], key[80];
	struct peer_certificate c = peer_certify(NULL, "DNS:localhost,IP:127.0.0.1", -1, 30);

	snprintf(cert, sizeof(cert), "/tmp/test_probe_grpc.%d.cert", (int)getpid());
	snprintf(key, sizeof(key), "/tmp/test_probe_grpc.%d.key", (int)getpid());
	peer_save_certificate(&c, cert);
	peer_save_key(&c, key);
	if (served_start(&s, (const char *[]){"grpc", cert, key, NULL})) {
		assert_int_equal(ask(a,
					 "grpc: {to: '127.0.0.1:%u', tls: true, ca: %s}, expect: "
					 "['[CERTIFICATE_EXPIRATION] > 600h']",
					 s.port, cert),
			FAULT_NONE);
		assert_int_equal(ask(a, "grpc: {to: '127.0.0.1:%u', tls: true}", s.port),
			FAULT_TLS_AUTHORITY);
		served_stop(&s);
	}
	/* TLS, but no HTTP/2. */
	assert_true(served_start(&s, (const char *[]){"openssl", cert, key, NULL}));
	assert_int_equal(ask(a, "grpc: {to: '127.0.0.1:%u', tls: true, ca: %s}", s.port, cert),
		FAULT_PROTOCOL);
	assert_detail(a, "ALPN");
	served_stop(&s);
	unlink(cert);
	unlink(key);
	peer_certificate_fini(&c);
}

static void http1(struct peer_connection *c)
{
	peer_say(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
	peer_sleep_ms(c, 60000);
}

/* Frames of a type that nobody knows, and empty. */
static void nothing(struct peer_connection *c)
{
	if (!peer_write(c, "\0\0\0\x04\0\0\0\0\0", 9))
		return;
	while (peer_write(c, "\0\0\0\x20\0\0\0\0\0", 9))
		;
}

static void test_endless(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(nothing, NULL, NULL);

	assert_int_equal(
		ask(a, "grpc: '127.0.0.1:%u', every: 60s, timeout: 60s", p->port), FAULT_PROTOCOL);
	assert_detail(a, "brings nothing of an answer");
	peer_stop(p);
}

static void test_none(void **state)
{
	struct asked *a = *state;
	struct peer *p = peer_start(http1, NULL, NULL);
	struct served s;

	assert_int_equal(ask(a, "grpc: '127.0.0.1:%u'", p->port), FAULT_PROTOCOL);
	assert_detail(a, "does not speak HTTP/2");
	peer_stop(p);
	assert_int_equal(ask(a, "grpc: '127.0.0.1:%u'", peer_free_port()), FAULT_REFUSED);
	if (served_start(&s, (const char *[]){"http2", NULL})) {
		assert_int_equal(ask(a, "grpc: '127.0.0.1:%u'", s.port), FAULT_HTTP_404);
		assert_detail(a, "answered HTTP 404, and no gRPC");
		served_stop(&s);
	}
}

static void test_messages(void **state)
{
	static const struct {
		struct slice body;
		bool good;
		enum grpc_serving serving;
	} t[] = {
		{SLICE("\0\0\0\0\2\x08\1"), true, GRPC_SERVING},
		{SLICE("\0\0\0\0\0"), true, GRPC_UNKNOWN},
		{SLICE("\0\0\0\0\6\x12\2ab\x08\2"), true, GRPC_NOT_SERVING},
		{SLICE("\0\0\0\0\2\x08\x63"), true, GRPC_UNKNOWN},
		{SLICE("\1\0\0\0\2\x08\1"), false, 0},
		{SLICE("\0\0\0\0\3\x08\1"), false, 0},
		{SLICE("\0\0\0\0\1\x08\1"), false, 0},
		{SLICE("\0\0\0\0"), false, 0},
		{SLICE("\0\0\0\0\1\x08"), false, 0},
		{SLICE("\0\0\0\0\2\x12\5"), false, 0},
		{SLICE("\0\0\0\0\2\x0f\1"), false, 0},
		{SLICE("\0\0\0\0\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"), false, 0},
	};
	struct buf out = BUF(1000);
	enum grpc_serving serving;
	char detail[100];

	for (size_t i = 0; i < array_len(t); i++) {
		const bool good = grpc_health_read(t[i].body, &serving, detail, sizeof(detail));
		if (good != t[i].good || (good && serving != t[i].serving))
			fail_msg("%zu: %d %s", i, good, good ? "" : detail);
	}
	grpc_health_request(&out, SLICE("up"));
	assert_memory_equal(out.p, "\0\0\0\0\4\x0a\2up", 9);
	buf_clear(&out);
	grpc_message_text(SLICE("a%20b%C3%A4%0a\xff"), &out);
	assert_string_equal(buf_str(&out), "a b???\?");
	buf_clear(&out);
	grpc_message_text(SLICE("100% sure"), &out);
	assert_string_equal(buf_str(&out), "100% sure");
	buf_fini(&out);
}

int test_probe_grpc(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_real, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tls, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_endless, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_none, asked_set_up, asked_tear_down),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests_name("probe_grpc", tests, NULL, NULL);
}

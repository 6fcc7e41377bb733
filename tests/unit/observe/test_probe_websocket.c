/* test_probe_websocket.c - kind websocket against python3-websockets and peers that err. */
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"
#include "base/digest.h"

static void test_real(void **state)
{
	struct asked *a = *state;
	struct served s;

	if (!served_start(&s, (const char *[]){"websocket", NULL}))
		skip();
	assert_int_equal(
		ask(a, "websocket: 'ws://127.0.0.1:%u/echo', expect: ['[STATUS] == 101']", s.port),
		FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
	assert_true(a->phases.wait_ns > 0);
	assert_int_equal(
		ask(a,
			"websocket: {url: 'ws://127.0.0.1:%u/echo', send: hello, expect: 'said hel+o'}, "
			"expect: ['[BODY] == you said hello']",
			s.port),
		FAULT_NONE);
	assert_int_equal(
		ask(a,
			"websocket: {url: 'ws://127.0.0.1:%u/tell?a=1', expect: '\"up\"', subprotocol: "
			"chat, headers: {X-Who: me}}, "
			"expect: ['[BODY].up == true', '[BODY].who == me']",
			s.port),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "websocket: {url: 'ws://127.0.0.1:%u/tell?a=1', expect: sec}", s.port),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "websocket: {url: 'ws://127.0.0.1:%u/ping', expect: you are}", s.port),
		FAULT_NONE);
	assert_int_equal(ask(a,
				 "websocket: {url: 'ws://127.0.0.1:%u/parts', expect: "
				 "'^a message in parts$'}",
				 s.port),
		FAULT_NONE);
	assert_int_equal(ask(a, "websocket: {url: 'ws://127.0.0.1:%u/large', expect: y}", s.port),
		FAULT_PROTOCOL);
	assert_detail(a, "longer than what is taken");
	assert_int_equal(
		ask(a, "websocket: 'ws://127.0.0.1:%u/close'", s.port), FAULT_CONNECTION_LOST);
	assert_detail(a, "the server closed the WebSocket: 1013 \"try again later\"");
	assert_int_equal(
		ask(a, "websocket: {url: 'ws://127.0.0.1:%u/echo', subprotocol: other}", s.port),
		FAULT_PROTOCOL);
	assert_detail(a, "does not speak other");
	assert_int_equal(ask(a,
				 "websocket: {url: 'ws://127.0.0.1:%u/echo', send: a, expect: b}, "
				 "timeout: 2s",
				 s.port),
		FAULT_EXPECTATION);
	assert_detail(a, "expected a message b, the first was \"you said a\"");
	assert_int_equal(ask(a, "websocket: 'wss://127.0.0.1:%u/echo'", s.port), FAULT_TLS);
	served_stop(&s);
}

static void test_tls(void **state)
{
	struct asked *a = *state;
	struct served s;
	char cert[80], key[80];
	struct peer_certificate c = peer_certify(NULL, "DNS:localhost,IP:127.0.0.1", -1, 30);

	snprintf(cert, sizeof(cert), "/tmp/test_probe_websocket.%d.cert", (int)getpid());
	snprintf(key, sizeof(key), "/tmp/test_probe_websocket.%d.key", (int)getpid());
	peer_save_certificate(&c, cert);
	peer_save_key(&c, key);
	if (served_start(&s, (const char *[]){"websocket", cert, key, NULL})) {
		assert_int_equal(
			ask(a, "websocket: {url: 'wss://127.0.0.1:%u/echo', ca: %s}", s.port, cert),
			FAULT_NONE);
		assert_true(a->phases.tls_ns > 0);
		assert_int_equal(ask(a, "websocket: 'wss://127.0.0.1:%u/echo'", s.port),
			FAULT_TLS_AUTHORITY);
		served_stop(&s);
	}
	unlink(cert);
	unlink(key);
	peer_certificate_fini(&c);
}

/* --- peers that err ----------------------------------------------------------------------------
 */

struct script {
	const char *head; /* NULL: a good one */
	const char *frames;
	size_t frames_n;
	bool endless; /* again and again */
};

static void play(struct peer_connection *c)
{
	const struct script *s = c->peer->arg;

	if (!peer_read(c))
		return;
	if (s->head) {
		peer_say(c, "%s", s->head);
	} else {
		char *key = strstr(c->request, "Sec-WebSocket-Key: ") + 19, text[80];
		unsigned char hash[20];
		snprintf(text, sizeof(text), "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
		EVP_Digest(text, strlen(text), hash, NULL, EVP_sha1(), NULL);
		char *accept = base64_encode(hash, sizeof(hash));
		peer_say(c,
			"HTTP/1.1 101 Switching\r\nupgrade: WebSocket\r\n"
			"connection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			accept);
		free(accept);
	}
	bool goes = s->frames_n && peer_write(c, s->frames, s->frames_n);
	while (goes && s->endless)
		goes = peer_write(c, s->frames, s->frames_n);
	peer_sleep_ms(c, 60000);
}

#define FRAMES(bytes) NULL, bytes, sizeof(bytes) - 1
#define HEAD(text)    "HTTP/1.1 " text "\r\n\r\n", NULL, 0

static void test_err(void **state)
{
	static const struct {
		struct script script;
		enum fault fault;
		const char *detail;
	} t[] = {
		{{HEAD("404 Not Found")}, FAULT_HTTP_404, "answered 404, not 101"},
		{{HEAD("503 Busy")}, FAULT_HTTP_503, "answered 503"},
		{{HEAD("200 OK")}, FAULT_PROTOCOL, "answered 200, not 101"},
		{{HEAD("101 Yes")}, FAULT_PROTOCOL, "not to WebSocket"},
		{{HEAD("101 Yes\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
		       "Sec-WebSocket-Accept: abc=")},
			FAULT_PROTOCOL, "Sec-WebSocket-Accept"},
		{{"SSH-2.0-x\r\n", NULL, 0}, FAULT_PROTOCOL, "is not HTTP/1.1"},
		{{"HTTP/1.1 101", NULL, 0}, FAULT_TIMEOUT, "not the whole answer"},
		{{FRAMES("\x81\x05hell")}, FAULT_TIMEOUT, "waiting for a message"},
		{{FRAMES("\xc1\x05hello")}, FAULT_PROTOCOL, "extension"},
		{{FRAMES("\x81\x85\0\0\0\0hello")}, FAULT_PROTOCOL, "masked"},
		{{FRAMES("\x83\x00")}, FAULT_PROTOCOL, "unknown kind"},
		{{FRAMES("\x8b\x00")}, FAULT_PROTOCOL, "unknown kind"},
		{{FRAMES("\x80\x00")}, FAULT_PROTOCOL, "out of order"},
		{{FRAMES("\x01\x01x\x01\x01x")}, FAULT_PROTOCOL, "out of order"},
		{{FRAMES("\x09\x01x")}, FAULT_PROTOCOL, "control frame is in pieces"},
		{{FRAMES("\x89\x7e\x00\x7e")}, FAULT_TIMEOUT, "waiting"},
		{{FRAMES("\x81\x02\xc3\x28")}, FAULT_PROTOCOL, "no UTF-8"},
		{{FRAMES("\x81\x7f\x00\x00\x00\x01\x00\x00\x00\x00")}, FAULT_PROTOCOL,
			"longer than what is taken"},
		{{FRAMES("\x88\x02\x03\xe9")}, FAULT_CONNECTION_LOST, "closed the WebSocket: 1001"},
		{{FRAMES("\x88\x00")}, FAULT_CONNECTION_LOST, "closed the WebSocket: 0"},
		{{FRAMES("\x01\x03pie\x89\x01p\x80\x02"
			 "ce")},
			FAULT_NONE, ""},
		{{FRAMES("\x8a\x00"), true}, FAULT_PROTOCOL, "brings nothing"},
		{{FRAMES("\x81\x00"), true}, FAULT_PROTOCOL, "brings nothing"},
		{{FRAMES("\x89\x01p"), true}, FAULT_PROTOCOL, "brings nothing"},
	};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		struct peer *p = peer_start(play, (void *)(uintptr_t)&t[i].script, NULL);
		const enum fault fault =
			ask(a, "websocket: {url: 'ws://127.0.0.1:%u', expect: piece}, timeout: %s",
				p->port, t[i].fault == FAULT_TIMEOUT ? "1s" : "20s");
		if (fault != t[i].fault)
			fail_msg("%zu: %s, %s", i, fault_name(fault), a->detail);
		assert_detail(a, t[i].detail);
		peer_stop(p);
	}
}

static void test_wrong(void **state)
{
	static const struct {
		const char *item, *said;
	} t[] = {
		{"websocket: 'http://h/'", "must begin with ws://"},
		{"websocket: 'ws://'", "not an address"},
		{"websocket: {url: 'ws://h/', headers: {Upgrade: x}}", "no name of a header"},
		{"websocket: {url: 'ws://h/', headers: {X-A: \"a\\r\\nb\"}}", "one line"},
		{"websocket: {url: 'ws://h/', subprotocol: 'a, b'}", "one word"},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char *said = ask_wrong("%s", t[i].item);
		if (!strstr(said, t[i].said))
			fail_msg("%s: \"%s\" is not in \"%s\"", t[i].item, t[i].said, said);
		free(said);
	}
}

int test_probe_websocket(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_real, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_tls, asked_set_up, asked_tear_down),
		cmocka_unit_test_setup_teardown(test_err, asked_set_up, asked_tear_down),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_websocket", tests, NULL, NULL);
}

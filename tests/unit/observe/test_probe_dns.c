/* test_probe_dns.c - kind dns against Debian's named, with zones signed from the root down; what
 * lies in them says nameserver.py. */
#include <unistd.h>

#include "../check.h"
#include "../net/peer.h"
#include "asked.h"

static struct served signed_zones, newer;
static char folder[80], newer_folder[80];
static bool there;

static int start_servers(void **state)
{
	snprintf(folder, sizeof(folder), "/tmp/test_probe_dns.%d", (int)getpid());
	snprintf(newer_folder, sizeof(newer_folder), "%s.newer", folder);
	there = served_start(&signed_zones, (const char *[]){"named", folder, NULL});
	if (there)
		assert_true(
			served_start(&newer, (const char *[]){"named", newer_folder, "8", NULL}));
	return 0;
}

static int stop_servers(void **state)
{
	if (!there)
		return 0;
	served_stop(&signed_zones);
	served_stop(&newer);
	return 0;
}

static int set_up(void **state)
{
	if (!there)
		skip();
	return asked_set_up(state);
}

static const char *port(void)
{
	static char text[32];

	snprintf(text, sizeof(text), "127.0.0.1:%u", signed_zones.port);
	return text;
}

static void test_answers(void **state)
{
	struct asked *a = *state;

	assert_int_equal(
		ask(a,
			"dns: {name: www.example.test, server: '%s'}, expect: ['[RCODE] == NOERROR', "
			"'[BODY] == pat(192.0.2.*)', 'len([ANSWERS]) == 2', '[TTL] == 300s', "
			"'[VALUE] == \"192.0.2.1, 192.0.2.2\"', '[AUTHORITATIVE]', '[TCP] == false', "
			"'[IP] == 127.0.0.1', '[SECURE] == null']",
			port()),
		FAULT_NONE);
	assert_true(a->phases.wait_ns > 0);
	assert_int_equal(ask(a,
				 "dns: {name: example.test., type: MX, server: '%s'}, "
				 "expect: ['[BODY] == mail.example.test.', "
				 "'[VALUE] == \"10 mail.example.test.\"']",
				 port()),
		FAULT_NONE);
	assert_int_equal(
		ask(a,
			"dns: {name: alias.example.test, type: AAAA, server: '%s', "
			"recursion: false}, expect: ['[BODY] == \"2001:db8::1\"', '[TTL] == 60s']",
			port()),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "dns: {name: example.test, type: SOA, server: '%s'}, expect: ['[SERIAL] == 1']",
			port()),
		FAULT_NONE);
	assert_int_equal(
		ask(a, "dns: {name: _sip._tcp.example.test, type: SRV, server: '%s'}", port()),
		FAULT_NONE);
	assert_string_equal(asked_text(a, "VALUE"), "0 5 5060 www.example.test.");
}

/* What does not fit into a datagram comes by TCP, as all does that is asked for so. */
static void test_tcp(void **state)
{
	struct asked *a = *state;

	assert_int_equal(ask(a,
				 "dns: {name: big.example.test, type: TXT, server: '%s'}, "
				 "expect: ['[TCP]', 'len([ANSWERS]) == 20']",
				 port()),
		FAULT_NONE);
	assert_true(a->phases.connect_ns > 0);
	assert_int_equal(ask(a,
				 "dns: {name: www.example.test, tcp: true, server: '%s'}, "
				 "expect: ['[TCP]']",
				 port()),
		FAULT_NONE);
}

/* Who reads this must not look for a server that is down: it answers. */
static void test_cut_off_and_no_tcp(void **state)
{
	struct asked *a = *state;
	struct served s;

	assert_true(served_start(&s, (const char *[]){"cutting", NULL}));
	assert_int_equal(
		ask(a, "dns: {name: a.test, server: '127.0.0.1:%u'}", s.port), FAULT_REFUSED);
	assert_detail(a, "the answer is cut off, and by TCP nothing answers");
	served_stop(&s);
}

/* Without `expect` an answer is good; with it what is expected is. */
static void test_codes(void **state)
{
	struct asked *a = *state;

	assert_int_equal(
		ask(a, "dns: {name: none.example.test, server: '%s'}", port()), FAULT_NXDOMAIN);
	assert_detail(a, "the name does not exist, asked at 127.0.0.1:");
	assert_string_equal(asked_text(a, "RCODE"), "NXDOMAIN");
	assert_int_equal(
		ask(a,
			"dns: {name: none.example.test, server: '%s'}, expect: ['[RCODE] == "
			"NXDOMAIN', '[BODY] == null']",
			port()),
		FAULT_NONE);
	assert_int_equal(ask(a, "dns: {name: www.example.test, type: MX, server: '%s'}", port()),
		FAULT_NODATA);
	assert_int_equal(ask(a, "dns: {name: www.example.org, server: '127.0.0.1:%u'}", newer.port),
		FAULT_REFUSED);
	assert_string_equal(asked_text(a, "RCODE"), "REFUSED");
	assert_int_equal(ask(a,
				 "dns: {name: www.example.org, server: '127.0.0.1:%u'}, "
				 "expect: ['[RCODE] == NOERROR']",
				 newer.port),
		FAULT_EXPECTATION);
	assert_detail(a, "REFUSED");
	assert_int_equal(
		ask(a, "dns: {name: a.test, server: '127.0.0.1:%u'}, expect: ['[TTL] > 1s']",
			peer_free_port()),
		FAULT_REFUSED);
	assert_int_equal(
		ask(a, "dns: {name: www.example.test, server: '%s'}, family: ipv6", port()),
		FAULT_RESOLVE);
}

static void test_serials(void **state)
{
	struct asked *a = *state;

	assert_int_equal(
		ask(a, "dns: {name: example.test, serial_of: ['%s', 'localhost:%u']}, family: ipv4",
			port(), signed_zones.port),
		FAULT_NONE);
	assert_int_equal(asked_int(a, "SERIAL_SKEW"), 0);
	assert_int_equal(asked_int(a, "SERIAL"), 1);
	assert_int_equal(ask(a, "dns: {name: example.test, serial_of: ['%s', '127.0.0.1:%u']}",
				 port(), newer.port),
		FAULT_EXPECTATION);
	assert_int_equal(asked_int(a, "SERIAL_SKEW"), 7);
	assert_int_equal(asked_int(a, "SERIAL"), 8);
	char *said = mem_printf("127.0.0.1:%u has serial 8, %s has 1", newer.port, port());
	assert_string_equal(a->detail, said);
	free(said);
	assert_int_equal(ask(a,
				 "dns: {name: example.test, serial_of: ['%s', '127.0.0.1:%u']}, "
				 "expect: ['[SERIAL_SKEW] <= 10']",
				 port(), newer.port),
		FAULT_NONE);
	const unsigned closed = peer_free_port();
	assert_int_equal(ask(a,
				 "dns: {name: example.test, serial_of: ['%s', '127.0.0.1:%u']}, "
				 "expect: ['[SERIAL_SKEW] == 0']",
				 port(), closed),
		FAULT_REFUSED);
	said = mem_printf("127.0.0.1:%u: nothing answers", closed);
	assert_detail(a, said);
	free(said);
	/* A zone it does not have. */
	assert_int_equal(
		ask(a, "dns: {name: test, serial_of: ['%s', '127.0.0.1:%u']}", port(), newer.port),
		FAULT_REFUSED);
}

#define SECURE "dns: {name: %s, server: '%s', dnssec: true, anchor: '%s/dsset-.'}"

static void test_secure(void **state)
{
	static const char *const names[] = {"www.example.test", "alias.example.test",
		"example.test, type: DNSKEY", "example.test, type: SOA", "ns.test", "., type: NS",
		"big.example.test, type: TXT"};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(names); i++) {
		if (ask(a, SECURE ", warn: ['[SIGNATURE_EXPIRATION] > 20d']", names[i], port(),
			    folder) != FAULT_NONE ||
			a->warned)
			fail_msg("%s: %s", names[i], a->detail);
		assert_true(json_is_true(json_object_get(a->measured, "SECURE")));
	}
	assert_int_equal(ask(a, SECURE ", warn: ['[SIGNATURE_EXPIRATION] > 60d']",
				 "www.example.test", port(), folder),
		FAULT_NONE);
	assert_true(a->warned);
	assert_detail(a, "[SIGNATURE_EXPIRATION] = 7");
}

static void test_insecure(void **state)
{
	static const struct {
		const char *name, *said;
	} t[] = {
		{"www.expired.test",
			"not secure: the signature over expired.test. DNSKEY expired at 2020-02-01 00:00:00 UTC"},
		{"www.bogus.test",
			"the signature over www.bogus.test. A was not made by a key of bogus.test. (bogus)"},
		{"www.nods.test", "there is no DS for nods.test."},
		{"www.plain.test", "www.plain.test. A is not signed"},
	};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		assert_int_equal(ask(a, SECURE, t[i].name, port(), folder), FAULT_EXPECTATION);
		assert_detail(a, t[i].said);
		assert_true(json_is_false(json_object_get(a->measured, "SECURE")));
		/* As with a certificate, nothing that is expected makes it good. */
		assert_int_equal(ask(a, SECURE ", expect: ['[RCODE] == NOERROR']", t[i].name,
					 port(), folder),
			FAULT_EXPECTATION);
	}
	assert_int_equal(ask(a, SECURE, "www.expired.test", port(), folder), FAULT_EXPECTATION);
	assert_true(*asked_text(a, "SIGNATURE_EXPIRATION") == '-');
}

#define NONE SECURE ", expect: ['[RCODE] == NXDOMAIN']"
#define DATA SECURE ", expect: ['[RCODE] == NOERROR']"

/* That there is no such name, or nothing of the type, is proved by NSEC or NSEC3. */
static void test_denials(void **state)
{
	static const struct {
		const char *name;
		bool exists;
	} t[] = {{"none.example.test", false}, {"a.b.c.none.example.test", false},
		{"zzz.example.test", false}, {"none.test", false}, {"none", false},
		{"nowhere.example.test", false}, {"www.example.test, type: MX", true},
		{"example.test, type: TXT", true}, {"deep.example.test", true},
		{"x.wild.example.test, type: MX", true}, {"only.example.test, type: MX", true},
		{"example.test, type: SRV", true}, {"x.wild.example.test", true},
		{"plain.test, type: DS", true}, {"none.hashed.test", false},
		{"a.b.c.none.hashed.test", false}, {"www.hashed.test, type: MX", true},
		{"deep.hashed.test", true}, {"x.wild.hashed.test, type: MX", true},
		{"y.x.wild.hashed.test", true}, {"hashed.test, type: TXT", true},
		{"www.optout.test, type: MX", true}};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		if (ask(a, t[i].exists ? DATA : NONE, t[i].name, port(), folder) != FAULT_NONE)
			fail_msg("%s: %s", t[i].name, a->detail);
		assert_true(json_is_true(json_object_get(a->measured, "SECURE")));
		assert_true(*asked_text(a, "SIGNATURE_EXPIRATION") != '-');
	}
}

static void test_denials_that_are_none(void **state)
{
	static const struct {
		const char *name, *said;
	} t[] = {
		{"none.optout.test", "that none.optout.test. does not exist is not proved"},
		{"none.plain.test", "there is no answer that could be signed"},
		{"none.nods.test", "there is no DS for nods.test."},
		{"none.expired.test",
			"not secure: the signature over expired.test. DNSKEY expired"},
		{"gone.cut.test", "that gone.cut.test. does not exist is not proved"},
		{"gone.cut3.test", "that gone.cut3.test. does not exist is not proved"},
	};
	struct asked *a = *state;

	for (size_t i = 0; i < array_len(t); i++) {
		assert_int_equal(ask(a, NONE, t[i].name, port(), folder), FAULT_EXPECTATION);
		if (!strstr(a->detail, t[i].said))
			fail_msg("%s: %s", t[i].name, a->detail);
		assert_true(json_is_false(json_object_get(a->measured, "SECURE")));
	}
	/* What does not exist is no pass unless it is expected. */
	assert_int_equal(ask(a, SECURE, "none.example.test", port(), folder), FAULT_NXDOMAIN);
	assert_int_equal(
		ask(a, SECURE, "www.example.test, type: MX", port(), folder), FAULT_NODATA);
}

static void test_anchors(void **state)
{
	struct asked *a = *state;

	/* Another zone's key, another key of the same zone, the zone's own. */
	assert_int_equal(
		ask(a, "dns: {name: ns.test, server: '%s', dnssec: true, anchor: '%s/dsset-example.test.'}",
			port(), folder),
		FAULT_EXPECTATION);
	assert_detail(a, "test. does not lie below the trust anchor");
	assert_int_equal(
		ask(a,
			"dns: {name: www.example.test, server: '%s', dnssec: true, anchor: "
			"'. IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D'}",
			port()),
		FAULT_EXPECTATION);
	assert_detail(a, "no key of . is the one that the trust anchor speaks of (bogus)");
	assert_int_equal(
		ask(a, "dns: {name: www.example.test, server: '%s', dnssec: true, anchor: '%s/dsset-example.test.'}",
			port(), folder),
		FAULT_NONE);
	/* Half of what proves it cannot be had there. */
	assert_int_equal(
		ask(a,
			"dns: {name: www.example.test, server: '127.0.0.1:%u', dnssec: true, "
			"anchor: '%s/dsset-.'}",
			newer.port, folder),
		FAULT_EXPECTATION);
	assert_detail(a, "www.example.test. A is not signed");
}

static void test_wrong(void **state)
{
	static const struct {
		const char *item, *said;
	} t[] = {
		{"dns: {name: a.test, type: WHAT}", "is no record type"},
		{"dns: {name: 'a..test'}", "is no domain name"},
		{"dns: {name: a.test, server: '[::1'}", "is no name server"},
		{"dns: {name: a.test, serial_of: [one]}", "2 to 16 servers"},
		{"dns: {name: a.test, serial_of: [a, b], type: A}", "serial_of asks its servers"},
		{"dns: {name: a.test, anchor: /nowhere}", "anchor without dnssec"},
		{"dns: {name: a.test, dnssec: true, anchor: /nowhere}", "/nowhere: No such file"},
		{"dns: {name: a.test, dnssec: true, anchor: '. IN DS 1 2'}",
			"line 1 of the trust anchor"},
		{"dns: {name: a.test, dnssec: true, type: ANY, anchor: x}",
			"not signed as a whole"},
		{"dns: a.test, expect: ['[STATUS] == 1']", "STATUS"},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char *said = ask_wrong("%s", t[i].item);
		if (!strstr(said, t[i].said))
			fail_msg("%s: \"%s\" is not in \"%s\"", t[i].item, t[i].said, said);
		free(said);
	}
}

#define with_servers(f) cmocka_unit_test_setup_teardown(f, set_up, asked_tear_down)

int test_probe_dns(void)
{
	const struct CMUnitTest tests[] = {
		with_servers(test_answers),
		with_servers(test_tcp),
		with_servers(test_cut_off_and_no_tcp),
		with_servers(test_codes),
		with_servers(test_serials),
		with_servers(test_secure),
		with_servers(test_insecure),
		with_servers(test_denials),
		with_servers(test_denials_that_are_none),
		with_servers(test_anchors),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_dns", tests, start_servers, stop_servers);
}

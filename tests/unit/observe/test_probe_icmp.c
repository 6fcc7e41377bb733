/* test_probe_icmp.c - kind icmp on loopback; the test says when this machine allows no pings. */
#include "../check.h"
#include "asked.h"
#include "base/secret.h"

static int set_up(void **state)
{
	struct error err = {0};
	struct asked *a;

	if (asked_set_up(state) != 0)
		return -1;
	a = *state;
	a->tools.pinger = pinger_new(a->loop, &err);
	return a->tools.pinger ? 0 : -1;
}

static int tear_down(void **state)
{
	struct asked *a = *state;

	pinger_free(a->tools.pinger);
	return asked_tear_down(state);
}

static void need_pings(const struct asked *a)
{
	const char *how;

	if (pinger_can(a->tools.pinger, AF_INET, &how))
		return;
	print_message("SKIPPED: %s\n", how);
	skip();
}

static void test_round(void **state)
{
	struct asked *a = *state;

	need_pings(a);
	assert_int_equal(
		ask(a,
			"icmp: {to: 127.0.0.1, count: 7, interval: 10ms, size: 1400}, expect: ['[LOSS] == 0%%', "
			"'[RECEIVED] == 7', '[RTT_MIN] <= [RTT]', '[RTT] <= [RTT_MAX]', '[SPREAD] >= 0ms']"),
		FAULT_NONE);
	assert_int_equal(asked_int(a, "SENT"), 7);
	assert_string_equal(a->address, "127.0.0.1");
	assert_false(a->warned);
	assert_true(a->phases.total_ns > 0 && a->phases.total_ns == a->phases.wait_ns);
	assert_int_equal(ask(a, "icmp: {to: localhost, count: 1, size: 16}, family: ipv4"), FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
}

static void test_v6(void **state)
{
	struct asked *a = *state;
	const char *how;

	if (!pinger_can(a->tools.pinger, AF_INET6, &how)) {
		print_message("SKIPPED: %s\n", how);
		skip();
	}
	assert_int_equal(ask(a, "icmp: {to: '::1', count: 2, interval: 10ms}"), FAULT_NONE);
	assert_string_equal(a->address, "::1");
	assert_int_equal(asked_int(a, "RECEIVED"), 2);
	assert_int_equal(ask(a, "icmp: 127.0.0.1, family: ipv6"), FAULT_RESOLVE);
}

/* 0.0.0.0/8 other than 0.0.0.0 has no route; 240/4 neither answers nor comes back. */
static void test_lost(void **state)
{
	struct asked *a = *state;

	need_pings(a);
	const enum fault fault =
		ask(a, "icmp: {to: 255.255.255.255, count: 3, interval: 10ms}, timeout: 300ms");
	assert_true(fault == FAULT_TIMEOUT || fault == FAULT_UNREACHABLE || fault == FAULT_LOCAL);
	assert_detail(a, "none of 3 pings was answered: ");
	assert_int_equal(asked_int(a, "RECEIVED"), 0);
	assert_true(json_is_false(json_object_get(a->measured, "CONNECTED")));
	assert_null(json_object_get(a->measured, "RTT"));
	assert_string_equal(asked_text(a, "LOSS"), "100%");
}

/* A round that is stopped in the middle leaves nothing behind. */
static void test_stopped(void **state)
{
	struct asked *a = *state;

	need_pings(a);
	struct error_list errors = {0};
	struct yaml_file *f = yaml_parse(
		SLICE("{name: x, icmp: {to: 127.0.0.1, count: 9, interval: 100ms}}"), "t", &errors);
	struct probe_config *c = probe_config_read(yaml_root(f, 0), "t", &errors);
	struct schedule *s = schedule_new(a->loop);
	struct error err = {0};
	a->tools.schedule = s;
	struct probe *p = probe_open(&a->tools, c, "", AF_UNSPEC, &err);
	assert_non_null(p);
	for (int i = 0; i < 20; i++)
		loop_turn(a->loop);
	probe_close(p);
	schedule_free(s);
	loop_run(a->loop);
	probe_config_free(c);
	yaml_free(f);
	error_list_fini(&errors);
}

static void test_wrong(void **state)
{
	static const struct {
		const char *item, *said;
	} t[] = {
		{"icmp: 'host:7'", "a ping has no port"},
		{"icmp: {to: h, count: 101}", "count"},
		{"icmp: {to: h, size: 15}", "size"},
		{"icmp: {to: h, count: 3, interval: 5s}", "3 pings 5 s apart take longer than"},
		{"icmp: h, expect: ['[STATUS] == 1']", "STATUS"},
	};

	for (size_t i = 0; i < array_len(t); i++) {
		char *said = ask_wrong("%s", t[i].item);
		if (!strstr(said, t[i].said))
			fail_msg("%s: \"%s\" is not in \"%s\"", t[i].item, t[i].said, said);
		free(said);
	}
}

int test_probe_icmp(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_round, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_v6, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_lost, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_stopped, set_up, tear_down),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_icmp", tests, NULL, NULL);
}

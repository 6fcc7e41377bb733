/* test_probe_icmp.c - kind icmp on loopback; the test says when this machine allows no pings. */
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../check.h"
#include "../store/series_house.h"
#include "asked.h"
#include "base/random.h"

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

static void need(struct pinger *p, int family)
{
	const char *how;

	if (pinger_can(p, family, &how))
		return;
	print_message("SKIPPED: %s\n", how);
	skip();
}

static void test_round(void **state)
{
	struct asked *a = *state;

	need(a->tools.pinger, AF_INET);
	assert_int_equal(
		ask(a, "icmp: {to: 127.0.0.1, count: 7, interval: 10ms, size: 1400}, expect: ['[LOSS] == 0%%', "
		       "'[RECEIVED] == 7', '[RTT_MIN] <= [RTT]', '[RTT] <= [RTT_MAX]', '[SPREAD] >= 0ms']"),
		FAULT_NONE);
	assert_int_equal(asked_int(a, "SENT"), 7);
	assert_string_equal(a->address, "127.0.0.1");
	assert_false(a->warned);
	assert_true(a->phases.total_ns > 0 && a->phases.total_ns == a->phases.wait_ns);
	assert_int_equal(
		ask(a, "icmp: {to: localhost, count: 1, size: 16}, family: ipv4"), FAULT_NONE);
	assert_string_equal(a->address, "127.0.0.1");
}

static void test_v6(void **state)
{
	struct asked *a = *state;

	need(a->tools.pinger, AF_INET6);
	assert_int_equal(ask(a, "icmp: {to: '::1', count: 2, interval: 10ms}"), FAULT_NONE);
	assert_string_equal(a->address, "::1");
	assert_int_equal(asked_int(a, "RECEIVED"), 2);
	assert_int_equal(ask(a, "icmp: 127.0.0.1, family: ipv6"), FAULT_RESOLVE);
}

/* Nobody may ping everybody without asking for it: what was not sent was not lost. */
static void test_not_sent(void **state)
{
	struct asked *a = *state;

	need(a->tools.pinger, AF_INET);
	assert_int_equal(
		ask(a, "icmp: {to: 255.255.255.255, count: 3, interval: 10ms}, timeout: 300ms"),
		FAULT_LOCAL);
	assert_detail(a, "none of 3 pings was answered: ");
	assert_true(json_is_false(json_object_get(a->measured, "CONNECTED")));
	assert_null(json_object_get(a->measured, "RTT"));
	assert_null(json_object_get(a->measured, "LOSS"));
}

#define CANNOT 77

static bool switch_replies(const char *off)
{
	FILE *f = fopen("/proc/sys/net/ipv4/icmp_echo_ignore_all", "we");
	const bool good = f && fputs(off, f) >= 0;

	return f && fclose(f) == 0 && good;
}

static void on_off(struct timer *t)
{
	switch_replies("1");
}

/* In a network of its own that stops answering in the middle of a round, and goes on so. */
static int lose_some(void)
{
	static const char item[] = "icmp: {to: 127.0.0.1, count: 10, interval: 50ms}, timeout: 1s";
	const struct ifreq up = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	struct timer off = {0};
	void *state;

	if (unshare(CLONE_NEWNET) != 0)
		return CANNOT;
	const int own = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (ioctl(own, SIOCSIFFLAGS, &up) != 0 || !switch_replies("0") || set_up(&state) != 0)
		return CANNOT;
	close(own);
	struct asked *a = state;
	timer_start(a->loop, &off, 225 * NS_PER_MS, on_off, NULL);
	int wrong = ask(a, "%s", item) != FAULT_NONE || !a->warned ||
		    !strstr(a->detail, " of 10 pings were lost");
	switch_replies("0");
	timer_start(a->loop, &off, 225 * NS_PER_MS, on_off, NULL);
	wrong +=
		2 * (ask(a, "%s, expect: ['[LOSS] > 0%%', '[LOSS] < 100%%']", item) != FAULT_NONE ||
			    a->warned);
	wrong += 4 * (ask(a, "%s", item) != FAULT_TIMEOUT ||
			     strcmp(asked_text(a, "LOSS"), "100%") != 0);
	tear_down(&state);
	return wrong;
}

static void test_lost(void **state)
{
	const pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(60);
		_exit(lose_some());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == CANNOT) {
		print_message("SKIPPED: needs root, for a network namespace\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* --- on the schedule ---------------------------------------------------------------------------
 */

struct place {
	struct series_house *house;
	struct probe_tools tools;
	struct yaml_file *file;
	struct probe_config *config;
	struct probe *probe;
	bool seen;
};

static void on_seen(void *arg, const struct observation *o)
{
	struct place *p = arg;

	assert_int_equal(o->fault, FAULT_NONE);
	p->seen = true;
}

static void place_close(struct place *p)
{
	probe_close(p->probe);
	schedule_free(p->tools.schedule);
	pinger_free(p->tools.pinger);
	resolver_free(p->tools.resolver);
	probe_config_free(p->config);
	yaml_free(p->file);
}

/* False: this machine allows no pings. */
static bool place_open(struct place *p, struct series_house *h)
{
	struct error_list errors = {0};
	struct error err = {0};
	const char *how;

	*p = (struct place){.house = h};
	p->tools = (struct probe_tools){.loop = h->loop,
		.schedule = schedule_new(h->loop),
		.resolver = resolver_new(h->loop, NULL, &err),
		.pinger = pinger_new(h->loop, &err),
		.series = h->store,
		.random = &random_system,
		.location = "",
		.seen = on_seen,
		.seen_arg = p};
	if (!pinger_can(p->tools.pinger, AF_INET, &how)) {
		print_message("SKIPPED: %s\n", how);
		place_close(p);
		return false;
	}
	p->file = yaml_parse(SLICE("{name: lo, icmp: {to: 127.0.0.1, count: 9, interval: 100ms}}"),
		"t", &errors);
	p->config = probe_config_read(yaml_root(p->file, 0), "t", &errors);
	p->probe = probe_open(&p->tools, p->config, "", AF_UNSPEC, &err);
	assert_non_null(p->probe);
	return true;
}

/* The series beside the probe's own have every answer and the part that was lost. */
static void test_stored(void **state)
{
	const struct series_tag tags[] = {{"probe", "lo"}};
	struct series_house *h = *state;
	struct answer rtt = {0}, loss = {0};
	struct place p;

	if (!place_open(&p, h))
		skip();
	assert_true(loop_run_until(h->loop, &p.seen));
	place_close(&p);
	series_house_pass(h, 2000);
	struct series *s = series_get(h->store, &(struct series_key){.kind = SERIES_DIST,
							.unit = "us",
							.location = "",
							.name = "probe.rtt",
							.tags = tags,
							.tag_count = 1});
	assert_true(ask_last(s, h->loop, &rtt));
	assert_int_equal(rtt.runs.n, 1);
	assert_int_equal(rtt.runs.p[0].n, 9);
	assert_int_equal(series_hist_count(rtt.runs.p[0].hist), 9);
	assert_true(rtt.runs.p[0].min > 0 && rtt.runs.p[0].max >= rtt.runs.p[0].min);
	s = series_get(h->store, &(struct series_key){.kind = SERIES_GAUGE,
					 .unit = "",
					 .location = "",
					 .name = "probe.loss",
					 .tags = tags,
					 .tag_count = 1});
	assert_true(ask_last(s, h->loop, &loss));
	assert_int_equal(loss.runs.n, 1);
	assert_true(loss.runs.p[0].value == 0);
	answer_fini(&rtt);
	answer_fini(&loss);
}

static void on_middle(struct timer *t)
{
	*(bool *)t->arg = true;
}

/* A round that is stopped in the middle leaves nothing behind. */
static void test_stopped(void **state)
{
	struct series_house *h = *state;
	struct timer timer = {0};
	bool middle = false;
	struct place p;

	if (!place_open(&p, h))
		skip();
	timer_start(h->loop, &timer, 2 * NS_PER_S + 50 * NS_PER_MS, on_middle, &middle);
	assert_true(loop_run_until(h->loop, &middle));
	place_close(&p);
	series_house_pass(h, 2000);
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
		cmocka_unit_test_setup_teardown(test_not_sent, set_up, tear_down),
		cmocka_unit_test(test_lost),
		series_test(test_stored),
		series_test(test_stopped),
		cmocka_unit_test(test_wrong),
	};

	return cmocka_run_group_tests_name("probe_icmp", tests, NULL, NULL);
}

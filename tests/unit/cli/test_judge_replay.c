/* `glasshouse judge replay`: what a judge in a house said of an afternoon is what a replay of that
 * house's files says, at the same moments. In virtual time. */
#include "../judge/judge_house.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "cli/judge_replay.h"
#include "configured.h"

#define BEFORE_US (9 * 3600 * 1000000LL)

struct span {
	int64_t from_ms;
	enum health health;
	char rule[16], maintenance[16];
};

struct afternoon {
	struct judge_house *house;
	struct config *config;
	int64_t began_ms;
	VEC(struct span) spans;
};

/* Near the time of the system's clock, which says what is kept. */
static int setup(void **state)
{
	struct afternoon *a = mem_new(struct afternoon);
	void *house;
	if (judge_house_setup_at(&house, clock_unix_us(&clock_system) - BEFORE_US))
		return -1;
	a->house = house;
	a->config = configured("probes: [{name: gate, tcp: \"127.0.0.1:1\"}]\n");
	house_stop(a->house);
	house_pass(a->house, 60000);
	a->house->options = (struct judge_options){.confirm = a->config->confirm,
		.minimum_ns = a->config->minimum_ns,
		.quorum = a->config->quorum,
		.flap_changes = a->config->flap_changes,
		.flap_within_ns = a->config->flap_within_ns,
		.flap_quiet_ns = a->config->flap_quiet_ns};
	house_start(a->house);
	a->began_ms = house_now(a->house);
	*state = a;
	return 0;
}

static int teardown(void **state)
{
	struct afternoon *a = *state;
	void *house = a->house;
	judge_house_teardown(&house);
	config_free(a->config);
	vec_fini(&a->spans);
	free(a);
	return 0;
}

/* A change begins at once, in a house as in a replay. */
static void pass(struct afternoon *a, int64_t ms)
{
	for (; ms > 0; ms -= 1000)
		house_pass(a->house, ms < 1000 ? ms : 1000);
}

static void store(const struct afternoon *a, const char *probe, const char *step, enum fault fault,
	int64_t at_ms)
{
	const struct series_tag tags[] = {{"cloud", "prod"}, {"component", "compute"},
		{step ? "scenario" : "probe", probe}, {"step", step}};
	const struct series_key key = {.kind = SERIES_PROBE,
		.unit = "us",
		.location = "",
		.name = probe,
		.tags = tags,
		.tag_count = 4};
	assert_true(series_append(series_get(a->house->series, &key),
		&(struct series_sample){.at_ms = at_ms, .fault = fault, .tries = 1}));
}

/* A result that ended now: what the sample holds, and as what it counts. */
static void see_as(struct afternoon *a, const char *probe, enum fault stored, enum fault counts)
{
	struct observation o = house_result(a->house, probe, counts);
	o.total_us = 0;
	o.series = probe;
	store(a, probe, NULL, stored, o.at_ms);
	house_take(a->house, &o);
}

static void see(struct afternoon *a, const char *probe, enum fault fault)
{
	see_as(a, probe, fault, fault);
}

static void see_slow(struct afternoon *a, const char *probe)
{
	struct observation o = house_result(a->house, probe, FAULT_NONE);
	o.warned = true;
	o.series = probe;
	store(a, probe, NULL, FAULT_NONE, o.at_ms);
	house_take(a->house, &o);
}

static void rounds(struct afternoon *a, unsigned n, enum fault versions, enum fault list)
{
	for (unsigned i = 0; i < n; i++) {
		see(a, "versions", versions);
		pass(a, 2000);
		see(a, "list", list);
		pass(a, EVERY_MS - 2000);
	}
}

static void good(struct afternoon *a, unsigned n)
{
	rounds(a, n, FAULT_NONE, FAULT_NONE);
}

/* A run that ended now, four minutes after its steps began: one step failed of itself, the other
 * because of it, which is stored and not told. */
static void see_run(struct afternoon *a, enum fault fault, enum severity severity)
{
	struct observation o = house_result(a->house, "login", fault);
	o.at_ms -= 240000;
	o.step = "server";
	o.series = "login.server";
	o.run = "r1";
	o.severity = severity;
	store(a, "login", "server", fault, o.at_ms);
	if (fault != FAULT_NONE)
		store(a, "login", "ping", FAULT_TIMEOUT, o.at_ms + 1000);
	house_take(a->house, &o);
}

static void expect_all(struct afternoon *a)
{
	house_expect(a->house, "versions", EVERY_MS);
	house_expect(a->house, "list", EVERY_MS);
	house_expect(a->house, "login", 600000);
}

static bool on_span(void *arg, const struct judge_span *s)
{
	struct afternoon *a = arg;
	struct span one = {s->from_ms, s->health, "", ""};
	snprintf(one.rule, sizeof(one.rule), "%s", s->rule);
	snprintf(one.maintenance, sizeof(one.maintenance), "%s",
		s->maintenance ? s->maintenance : "-");
	vec_push(&a->spans, one);
	return true;
}

static void read_live(struct afternoon *a, int64_t from_ms)
{
	struct error err = {0};
	a->spans.n = 0;
	assert_true(judge_history(
		a->house->facts, "compute", from_ms, house_now(a->house), on_span, a, &err));
}

static bool was(const struct afternoon *a, enum health health, const char *rule)
{
	VEC_EACH (&a->spans, struct span, s)
		if (s->health == health && !strcmp(s->rule, rule))
			return true;
	return false;
}

/* The house is closed; what it said from then on is what the replay says. */
static void assert_replayed(struct afternoon *a, int64_t from_ms)
{
	struct error err = {0};
	const struct slo_list none = {0};
	house_settle(a->house);
	read_live(a, from_ms);
	struct replay r = {.state = a->house->root,
		.from_ms = from_ms,
		.to_ms = house_now(a->house),
		.slos = &none,
		.config = a->config};
	house_close(a->house);
	if (!replay_run(&r, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < r.changes.n || i < a->spans.n; i++) {
		const struct replay_change *c = i < r.changes.n ? &r.changes.p[i] : NULL;
		const struct span *s = i < a->spans.n ? &a->spans.p[i] : NULL;
		const int64_t live = s ? s->from_ms - a->began_ms : -1,
			      again = c ? c->at_ms - a->began_ms : -1;
		if (!c || !s || live != again || c->health != s->health ||
			strcmp(s->maintenance, c->maintenance ? c->maintenance : "-") != 0)
			fail_msg("%zu of %zu and %zu: live %lld ms %s %s, replayed %lld ms %s: %s",
				i, a->spans.n, r.changes.n, (long long)live,
				s ? health_name(s->health) : "", s ? s->rule : "", (long long)again,
				c ? health_name(c->health) : "", c ? c->text : "");
		assert_string_equal(c->by, "judge");
	}
	replay_fini(&r);
}

/* --- what happens in an afternoon ------------------------------------------------------------- */

static void be_slow(struct afternoon *a)
{
	for (int i = 0; i < 6; i++) {
		see_slow(a, "versions");
		pass(a, 2000);
		see(a, "list", FAULT_NONE);
		pass(a, EVERY_MS - 2000);
	}
	good(a, 8);
}

static void be_blind(struct afternoon *a)
{
	judge_blind(a->house->judge, true, "no witness answers");
	for (int i = 0; i < 8; i++) {
		see_as(a, "versions", FAULT_TIMEOUT, FAULT_LOCAL);
		see_as(a, "list", FAULT_TIMEOUT, FAULT_LOCAL);
		pass(a, EVERY_MS);
	}
	judge_blind(a->house->judge, false, NULL);
	good(a, 8);
}

static void be_worked_on(struct afternoon *a)
{
	const int64_t now = house_now(a->house);
	const struct judge_window w[] = {{"compute", "m1", now + 60000, now + 420000, NULL},
		{"network", "m2", now, now + 9000000, NULL}};
	judge_windows(a->house->judge, w, 2);
	good(a, 4);
	rounds(a, 16, FAULT_HTTP_503, FAULT_HTTP_503); /* longer than was declared */
	good(a, 8);
	judge_windows(a->house->judge, NULL, 0);
}

static void run_badly(struct afternoon *a)
{
	good(a, 10);
	see_run(a, FAULT_NONE, SEVERITY_OUTAGE);
	good(a, 20);
	see_run(a, FAULT_STUCK, SEVERITY_DEGRADED);
	good(a, 20);
	see_run(a, FAULT_NONE, SEVERITY_DEGRADED);
	good(a, 10);
}

static void slow_blind_and_worked_on(void **state)
{
	struct afternoon *a = *state;
	expect_all(a);
	good(a, 20);
	be_slow(a);
	be_blind(a);
	be_worked_on(a);
	run_badly(a);
	read_live(a, a->began_ms);
	assert_true(was(a, HEALTH_DEGRADED, "slow"));
	assert_true(was(a, HEALTH_UNKNOWN, "blind"));
	assert_true(was(a, HEALTH_OUTAGE, "silent"));
	assert_true(was(a, HEALTH_DEGRADED, "failing"));
	bool in = false, out = false;
	VEC_EACH (&a->spans, struct span, s) {
		in = in || !strcmp(s->maintenance, "m1");
		out = out || (s->health == HEALTH_OUTAGE && !strcmp(s->maintenance, "-"));
	}
	assert_true(in && out); /* an outage that outlasted the work */
	assert_replayed(a, a->began_ms);
}

/* A silence is as long as the rate makes it; a judge that starts again knows only what is stored.
 */
static void paces_silences_and_starts(void **state)
{
	struct afternoon *a = *state;
	expect_all(a);
	good(a, 20);
	house_expect(a->house, "versions", 120000);
	house_expect(a->house, "list", 120000);
	pass(a, 300000);
	rounds(a, 3, FAULT_NONE, FAULT_REFUSED);
	pass(a, 500000); /* stale */
	expect_all(a);
	good(a, 6);
	house_unexpect_at(a->house, "", "list");
	see(a, "list", FAULT_REFUSED); /* no longer ours to hear */
	pass(a, 60000);
	rounds(a, 4, FAULT_HTTP_503, FAULT_REFUSED);
	house_stop(a->house);
	pass(a, 45000);
	house_start(a->house);
	expect_all(a);
	good(a, 8);
	read_live(a, a->began_ms);
	assert_true(was(a, HEALTH_UNKNOWN, "stale"));
	assert_true(was(a, HEALTH_UNKNOWN, "gap"));
	assert_true(was(a, HEALTH_OUTAGE, "silent"));
	assert_replayed(a, a->began_ms);
}

/* What was so before the replay begins is so when it does. */
static void a_replay_begins_in_the_middle(void **state)
{
	struct afternoon *a = *state;
	expect_all(a);
	good(a, 20);
	for (int i = 0; i < 6; i++) {
		see_slow(a, "versions");
		pass(a, EVERY_MS);
	}
	const int64_t from_ms = house_now(a->house);
	see_slow(a, "versions");
	pass(a, EVERY_MS);
	good(a, 20);
	read_live(a, from_ms);
	assert_int_equal(a->spans.p[0].from_ms, from_ms);
	assert_int_equal(a->spans.p[0].health, HEALTH_DEGRADED);
	assert_replayed(a, from_ms);
}

static void marks_come_back(void **state)
{
	static const int64_t heard[] = {0, 1, 299999, UINT32_MAX};
	(void)state;
	for (size_t i = 0; i < 4; i++)
		for (int fault = 0; fault < FAULT_COUNT; fault++)
			for (int bits = 0; bits < 6; bits++) {
				const struct given_mark m = {heard[i], (enum fault)fault,
					(enum severity)(bits % 3), bits >= 3};
				struct given_mark back;
				assert_true(given_unpack(given_pack(&m), &back));
				assert_memory_equal(&m, &back, sizeof(m));
			}
	struct given_mark none;
	assert_false(given_unpack(-1, &none));
	assert_false(given_unpack(0.5, &none));
	assert_false(given_unpack(7, &none));
	assert_false(given_unpack(1e300, &none));
	assert_false(given_unpack((double)NAN, &none));
}

int test_judge_replay(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(slow_blind_and_worked_on, setup, teardown),
		cmocka_unit_test_setup_teardown(paces_silences_and_starts, setup, teardown),
		cmocka_unit_test_setup_teardown(a_replay_begins_in_the_middle, setup, teardown),
		cmocka_unit_test(marks_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

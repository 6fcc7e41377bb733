/* Our own rules over series in a store, in virtual time: states, windows, splits, the past, replay.
 */
#include "../check.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "judge/rules/rules.h"
#include "judge_house.h"

struct told {
	char by[80], component[80];
	enum health health;
};

struct change_told {
	char by[80];
	enum rule_state to;
	int64_t at_ms;
};

struct seen {
	VEC(struct told) told;
	VEC(struct change_told) changes;
	VEC(char *) untold;
	char said[400];
	unsigned times_said;
	json_t *evidence; /* of the last one told */
	char text[400];
	bool done;
};

static struct judge_house *house;
static struct rules *rules;
static struct seen seen;
static VEC(struct rule *) list;

static int setup(void **state)
{
	if (judge_house_setup(state))
		return -1;
	house = *state;
	rules = NULL;
	seen = (struct seen){0};
	return 0;
}

static void drop_rules(void)
{
	rules_free(rules);
	rules = NULL;
	VEC_EACH (&list, struct rule *, r)
		rule_free(*r);
	vec_fini(&list);
}

static int teardown(void **state)
{
	drop_rules();
	vec_fini(&seen.told);
	vec_fini(&seen.changes);
	VEC_EACH (&seen.untold, char *, u)
		free(*u);
	vec_fini(&seen.untold);
	json_decref(seen.evidence);
	return judge_house_teardown(state);
}

/* --- rules of a text
 * --------------------------------------------------------------------------------- */

static struct rule *read_rule(const char *text, struct error_list *errors)
{
	struct yaml_file *f = yaml_parse(slice_of(text), "rules.yaml", errors);
	struct rule_text t;
	struct rule *r = NULL;
	rule_text_init(&t);
	if (f && rule_text_read(&t, yaml_root(f, 0), "rules.yaml", errors))
		r = rule_new(&t, errors);
	rule_text_fini(&t);
	yaml_free(f);
	return r;
}

static void add_rule(const char *text)
{
	struct error_list errors = {0};
	struct rule *r = read_rule(text, &errors);
	if (!r)
		fail_msg("%s", errors.n ? errors.p[0].msg : "no error");
	vec_push(&list, r);
	error_list_fini(&errors);
}

static void on_tell(void *arg, const struct judge_told *t)
{
	struct told one = {.health = t->health};
	snprintf(one.by, sizeof(one.by), "%s", t->by);
	snprintf(one.component, sizeof(one.component), "%s", t->component);
	snprintf(seen.text, sizeof(seen.text), "%s", t->text);
	assert_true(t->fresh_ms > t->at_ms);
	json_decref(seen.evidence);
	seen.evidence = json_incref((json_t *)(uintptr_t)t->evidence);
	vec_push(&seen.told, one);
}

static void on_untell(void *arg, const char *component, const char *by)
{
	vec_push(&seen.untold, mem_strdup(by));
}

static void on_changed(void *arg, const struct rule_change *c)
{
	struct change_told one = {.to = c->to, .at_ms = c->at_ms};
	snprintf(one.by, sizeof(one.by), "%s", c->by);
	assert_int_not_equal(c->from, c->to);
	vec_push(&seen.changes, one);
}

static void on_say(void *arg, const struct rule *rule, const char *text)
{
	snprintf(seen.said, sizeof(seen.said), "%s", text);
	seen.times_said++;
}

static struct rules *new_rules(void)
{
	const struct rules_options o = {
		.rules = list.p,
		.n = list.n,
		.tell = on_tell,
		.untell = on_untell,
		.changed = on_changed,
		.say = on_say,
	};
	return rules_new(house->loop, house->series, &o);
}

static void start(void)
{
	rules = new_rules();
	rules_start(rules, NULL);
	house_settle(house);
}

/* --- samples
 * ------------------------------------------------------------------------------------------- */

static struct series *probe_at(const char *location)
{
	const struct series_tag tags[] = {{"component", "compute"}, {"probe", "api"}};
	return series_get(house->series, &(struct series_key){.kind = SERIES_PROBE,
						 .unit = "us",
						 .location = location,
						 .name = "probe",
						 .tags = tags,
						 .tag_count = 2});
}

static void sample(struct series *s, int64_t at_ms, enum fault fault, int64_t us)
{
	assert_true(series_append(
		s, &(struct series_sample){
			   .at_ms = at_ms, .fault = fault, .tries = 1, .total_us = us}));
}

/* One each ten seconds, for so long. */
static void feed(struct series *s, int seconds, enum fault fault, int64_t us)
{
	for (int i = 0; i < seconds; i += 10) {
		house_pass(house, 9000);
		sample(s, house_now(house), fault, us);
		house_pass(house, 1000);
	}
}

static const char *state(void)
{
	static char text[20];
	json_t *j = rules_json(rules, 0);
	json_t *states = json_object_get(j, "states");
	snprintf(text, sizeof(text), "%s", json_str(json_array_get(states, 0), "state"));
	json_decref(j);
	return text;
}

#define assert_state(wanted) assert_string_equal(state(), wanted)

/* --- reading
 * -------------------------------------------------------------------------------------------- */

static void refused(const char *when, unsigned col, const char *why)
{
	char *text = mem_printf("{name: r, component: compute, when: '%s'}", when);
	struct error_list errors = {0};
	struct rule *r = read_rule(text, &errors);
	if (r || errors.n != 1)
		fail_msg("\"%s\" was taken, or has %zu errors", when, errors.n);
	if (!strstr(errors.p[0].msg, why))
		fail_msg("\"%s\": %s", when, errors.p[0].msg);
	assert_string_equal(errors.p[0].file, "rules.yaml");
	assert_int_equal(errors.p[0].line, 1);
	assert_int_equal(errors.p[0].col, 37 + col);
	error_list_fini(&errors);
	free(text);
}

static void test_what_is_refused_says_where(void **unused)
{
	refused("p59(probe) > 2s", 1, "did you mean p50()?");
	refused("1 > 2 && sucess_rate(probe) < 95%", 10, "did you mean success_rate()?");
	refused("success_rate(probe) < 95", 21, "between a percentage and a number");
	refused("p95(probe) > 2s && rate(probe) > 3", 32, "does not work between");
	refused("p95(probe)", 1, "no condition");
	refused("1 < 2", 1, "asks nothing of series");
	refused("p95(probe, 7d) > 2s", 1, "7d ago");
	refused("p95(probe, 90m ago) > 2s", 1, "whole hours ago");
	refused("p95(probe{component=compute}) > 2s", 1, "value in quotes");
	refused("p95(probe{component=\"compute\") > 2s", 10, "no closing");
	refused("changed(count(probe))", 1, "changed takes");
	refused("p95() > 2s", 1, "takes series");
	refused("max(probe, probe) > 2s", 1, "7d ago");
	refused("p95(probe) > ", 14, "expected a value");
}

static void test_keys_are_checked(void **unused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{name: r, component: compute, wen: 'p95(x) > 1s'}", "did you mean"},
		{"{name: r, component: compute}", "when is missing"},
		{"{name: r, when: 'p95(x) > 1s'}", "component is missing"},
		{"{name: r, component: Compute, when: 'p95(x) > 1s'}", "component: an id"},
		{"{name: 'a b', component: compute, when: 'p95(x) > 1s'}", "name: letters"},
		{"{name: r, component: c, over: 15s, when: 'p95(x) > 1s'}", "whole tens"},
		{"{name: r, component: c, over: 2d, when: 'p95(x) > 1s'}", "from 10s to 1d"},
		{"{name: r, component: c, severity: bad, when: 'p95(x) > 1s'}", "severity"},
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		struct error_list errors = {0};
		struct rule *r = read_rule(cases[i].text, &errors);
		assert_null(r);
		assert_int_equal(errors.n, 1);
		if (!strstr(errors.p[0].msg, cases[i].why))
			fail_msg("%s: %s", cases[i].text, errors.p[0].msg);
		assert_true(errors.p[0].line == 1 && errors.p[0].col > 0);
		error_list_fini(&errors);
	}
}

/* --- states
 * -----------------------------------------------------------------------------------------------
 */

#define RATE_RULE                                                                                  \
	"{name: rate, component: compute, severity: outage, over: 2m, recover: 1m,"                \
	" when: 'success_rate(probe{component=\"compute\"}) < 75%'}"

static void test_fires_and_recovers(void **unused)
{
	struct series *s = probe_at("");
	add_rule(RATE_RULE);
	start();
	house_pass(house, 10000);
	assert_state("unknown");
	assert_int_equal(seen.told.p[0].health, HEALTH_UNKNOWN);
	feed(s, 120, FAULT_NONE, 50000);
	assert_state("good");
	feed(s, 30, FAULT_TIMEOUT, 0); /* 9 of 12 are good: 75 % */
	assert_state("good");
	feed(s, 10, FAULT_TIMEOUT, 0);
	assert_state("firing");
	assert_int_equal(seen.told.p[seen.told.n - 1].health, HEALTH_OUTAGE);
	assert_string_equal(seen.told.p[seen.told.n - 1].by, "rule:rate");
	assert_string_equal(seen.told.p[seen.told.n - 1].component, "compute");
	const json_t *value = json_array_get(json_object_get(seen.evidence, "values"), 0);
	assert_string_equal(json_str(value, "value"), "66.67%");
	assert_int_equal(json_int(value, "n", 0), 12);
	assert_int_equal(json_int(value, "failed", 0), 4);
	assert_string_equal(
		json_str(json_object_get(seen.evidence, "operators"), "file"), "rules.yaml");
	feed(s, 90, FAULT_NONE, 50000); /* the window is good after 90 s */
	assert_state("firing");
	feed(s, 60, FAULT_NONE, 50000);
	assert_state("good");
	assert_int_equal(seen.told.p[seen.told.n - 1].health, HEALTH_OPERATIONAL);
}

static void test_for_wants_it_to_last(void **unused)
{
	struct series *s = probe_at("");
	add_rule(
		"{name: slow, component: compute, over: 30s, for: 1m, minimum: 1,"
		" when: 'p95(probe) > 1s'}");
	start();
	feed(s, 60, FAULT_NONE, 50000);
	feed(s, 20, FAULT_NONE, 3000000);
	assert_state("good");
	feed(s, 40, FAULT_NONE, 50000);
	feed(s, 50, FAULT_NONE, 3000000);
	assert_state("good"); /* it began anew */
	feed(s, 20, FAULT_NONE, 3000000);
	assert_state("firing");
}

static void test_failures_say_nothing_of_latency(void **unused)
{
	struct series *s = probe_at("");
	add_rule(
		"{name: slow, component: compute, over: 1m, minimum: 2,"
		" when: 'p95(probe) > 1s || failure_rate(probe) >= 50%'}");
	start();
	for (int i = 0; i < 6; i++) {
		feed(s, 10, FAULT_TIMEOUT, 9000000);
		feed(s, 20, FAULT_NONE, 50000);
	}
	assert_state("good");
	feed(s, 60, FAULT_TIMEOUT, 9000000); /* latency is unknown; the other side decides */
	assert_state("firing");
}

static void test_what_is_ours_tells_nothing(void **unused)
{
	struct series *s = probe_at("");
	add_rule("{name: rate, component: compute, over: 1m, when: 'success_rate(probe) < 95%'}");
	start();
	feed(s, 60, FAULT_NONE, 50000);
	feed(s, 40, FAULT_HTTP_401, 0);
	assert_state("unknown"); /* two good ones are left, and it needs three */
	assert_non_null(strstr(seen.text, "2 samples, and it needs 3"));
}

static void test_silence_makes_nothing_green(void **unused)
{
	struct series *s = probe_at("");
	add_rule(RATE_RULE);
	start();
	feed(s, 120, FAULT_REFUSED, 0);
	assert_state("firing");
	house_pass(house, 180000);
	assert_state("firing"); /* known until two good samples were left; held for a window */
	house_pass(house, 60000);
	assert_state("unknown");
	feed(s, 60, FAULT_NONE, 50000);
	assert_state("unknown"); /* it fired: recovering takes its time */
	feed(s, 40, FAULT_NONE, 50000);
	assert_state("good");
}

static void test_absent_waits_for_a_window(void **unused)
{
	struct series *s = probe_at("");
	add_rule("{name: gone, component: compute, over: 1m, when: 'absent(probe)'}");
	start();
	house_pass(house, 40000);
	assert_state("unknown");
	house_pass(house, 30000);
	assert_state("firing");
	feed(s, 100, FAULT_NONE, 50000);
	assert_state("good");
}

static void test_says_once_that_nothing_fits(void **unused)
{
	add_rule("{name: no, component: compute, over: 1m, when: 'p95(prob) > 1s'}");
	start();
	house_pass(house, 300000);
	assert_int_equal(seen.times_said, 1);
	assert_non_null(strstr(seen.said, "no series fits prob"));
	assert_state("unknown");
}

static void test_splits_by_location(void **unused)
{
	struct series *a = probe_at("berlin"), *b = probe_at("paris");
	add_rule(
		"{name: rate, component: compute, over: 1m, each: location,"
		" when: 'success_rate(probe) < 90%'}");
	start();
	for (int i = 0; i < 6; i++) {
		sample(a, house_now(house), FAULT_NONE, 50000);
		sample(b, house_now(house), FAULT_TIMEOUT, 0);
		house_pass(house, 10000);
	}
	json_t *j = rules_json(rules, 0);
	json_t *states = json_object_get(j, "states");
	assert_int_equal(json_array_size(states), 2);
	assert_string_equal(json_str(json_array_get(states, 0), "state"), "good");
	assert_string_equal(json_str(json_array_get(states, 1), "state"), "firing");
	json_decref(j);
	assert_string_equal(seen.told.p[seen.told.n - 1].by, "rule:rate[paris]");
	assert_string_equal(json_str(seen.evidence, "location"), "paris");
}

static double count_now(void)
{
	house_pass(house, 40000);
	const json_t *v = json_array_get(json_object_get(seen.evidence, "values"), 0);
	return (double)json_int(v, "n", -1);
}

static void test_counts_each_sample_once(void **unused)
{
	struct series *s = probe_at("");
	for (int i = 0; i < 12; i++) /* before anybody listens */
		sample(s, house_now(house) - 120000 + 10000 * i, FAULT_NONE, 50000);
	add_rule("{name: n, component: compute, over: 5m, when: 'count(probe) > 1000'}");
	rules = new_rules();
	rules_start(rules, NULL);
	sample(s, house_now(house), FAULT_NONE, 50000); /* before it is read */
	house_settle(house);
	sample(s, house_now(house), FAULT_NONE, 50000);
	sample(s, house_now(house) - 60000, FAULT_NONE, 50000);  /* late */
	sample(s, house_now(house) - 900000, FAULT_NONE, 50000); /* too late */
	assert_int_equal(count_now(), 15);
}

static void test_looks_back_a_week(void **unused)
{
	struct series *s = probe_at("");
	const int64_t week = 7 * SERIES_DAY_MS, hour = SERIES_HOUR_MS;
	for (int i = 0; i < 360; i++) /* the hour of noon, a week ago */
		sample(s, house_now(house) - week + 10000 * i, FAULT_NONE, 200000);
	for (int i = 0; i < 360; i++) /* and the one before it */
		sample(s, house_now(house) - week - hour + 10000 * i, FAULT_NONE, 900000);
	add_rule(
		"{name: back, component: compute, over: 1m,"
		" when: 'p95(probe) > 2 * p95(probe, 7d ago)'}");
	start();
	house_pass(house, 10000);
	feed(s, 60, FAULT_NONE, 300000);
	assert_state("good");
	feed(s, 60, FAULT_NONE, 500000);
	assert_state("firing");
	const json_t *past = json_array_get(json_object_get(seen.evidence, "values"), 1);
	assert_int_equal(json_int(past, "n", 0), 360);
}

/* --- a new configuration, and the past
 * ---------------------------------------------------------------------- */

static void test_states_go_on_over_a_reload(void **unused)
{
	struct series *s = probe_at("");
	add_rule(RATE_RULE);
	add_rule("{name: other, component: compute, when: 'absent(nothing)'}");
	start();
	feed(s, 120, FAULT_REFUSED, 0);
	assert_state("firing");
	struct rules *before = rules;
	const size_t told = seen.changes.n;
	list.n--; /* the other one goes */
	rules = new_rules();
	rules_start(rules, before);
	rules_free(before);
	rule_free(list.p[1]);
	assert_int_equal(seen.untold.n, 1);
	assert_string_equal(seen.untold.p[0], "rule:other");
	house_settle(house);
	house_pass(house, 20000);
	assert_state("firing");
	assert_int_equal(seen.changes.n, told);
}

static void on_replayed(void *arg, const struct error *err)
{
	assert_null(err);
	seen.done = true;
}

static void test_a_replay_is_as_it_was(void **unused)
{
	struct series *s = probe_at("");
	const int64_t from = house_now(house);
	add_rule(RATE_RULE);
	add_rule(
		"{name: slow, component: compute, over: 1m, for: 30s, severity: note,"
		" when: 'p95(probe) > 1s'}");
	/* 2 s are stored as 2.015 s: what is heard must be what is read later. */
	add_rule("{name: exact, component: compute, over: 1m, when: 'max(probe) > 2010ms'}");
	start();
	for (int i = 0; i < 4; i++) {
		feed(s, 600, FAULT_NONE, 50000);
		feed(s, 100, FAULT_TIMEOUT, 0);
		feed(s, 300, FAULT_NONE, 2000000);
		house_pass(house, 300000);
	}
	const size_t live = seen.changes.n;
	assert_true(live >= 24);
	VEC(struct change_told) was = {0};
	VEC_EACH (&seen.changes, struct change_told, c)
		vec_push(&was, *c);
	rules_free(rules);
	seen.changes.n = 0;
	rules = new_rules();
	rules_replay(rules, from, house_now(house), on_replayed, NULL);
	loop_run_until(house->loop, &seen.done);
	assert_int_equal(seen.changes.n, live);
	for (size_t i = 0; i < live; i++) {
		size_t found = 0; /* both rules change at one time in an order of their own */
		for (size_t k = 0; k < live; k++)
			found += was.p[i].at_ms == seen.changes.p[k].at_ms &&
				 was.p[i].to == seen.changes.p[k].to &&
				 !strcmp(was.p[i].by, seen.changes.p[k].by);
		assert_int_equal(found, 1);
	}
	vec_fini(&was);
}

/* Adding a failure never makes a rule that counts them look better, whenever it comes. */
static void test_one_more_failure_never_improves(void **unused)
{
	uint64_t seed = 7;
	for (int round = 0; round < 30; round++) {
		char location[2][20];
		snprintf(location[0], sizeof(location[0]), "a%d", round);
		snprintf(location[1], sizeof(location[1]), "b%d", round);
		struct series *a = probe_at(location[0]), *b = probe_at(location[1]);
		for (int i = 0; i < 12; i++) {
			seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
			const enum fault f = (seed >> 60) < 4 ? FAULT_TIMEOUT : FAULT_NONE;
			const int64_t at = house_now(house) - 110000 + 9000 * i;
			sample(a, at, f, 50000);
			sample(b, at, f, 50000);
		}
		sample(b, house_now(house) - 1000 * (int64_t)(seed >> 58), FAULT_REFUSED, 0);
	}
	add_rule(
		"{name: m, component: compute, over: 2m, each: location,"
		" when: 'success_rate(probe) < 80% || failures(probe) > 3'}");
	start();
	house_pass(house, 10000);
	json_t *j = rules_json(rules, 0);
	json_t *states = json_object_get(j, "states");
	assert_int_equal(json_array_size(states), 60);
	int firing = 0;
	for (size_t i = 0; i < 60; i += 2) {
		const bool one = !strcmp(json_str(json_array_get(states, i), "state"), "firing");
		const bool more =
			!strcmp(json_str(json_array_get(states, i + 1), "state"), "firing");
		assert_true(more || !one);
		firing += one;
	}
	assert_true(firing > 3 && firing < 27);
	json_decref(j);
}

int test_rules(void)
{
#define ours(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused_says_where),
		cmocka_unit_test(test_keys_are_checked),
		ours(test_fires_and_recovers),
		ours(test_for_wants_it_to_last),
		ours(test_failures_say_nothing_of_latency),
		ours(test_what_is_ours_tells_nothing),
		ours(test_silence_makes_nothing_green),
		ours(test_absent_waits_for_a_window),
		ours(test_says_once_that_nothing_fits),
		ours(test_splits_by_location),
		ours(test_counts_each_sample_once),
		ours(test_looks_back_a_week),
		ours(test_states_go_on_over_a_reload),
		ours(test_a_replay_is_as_it_was),
		ours(test_one_more_failure_never_improves),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Objectives: the short form, OpenSLO and what of it is not carried, budgets, burn rates, windows
 * of calendars, a replay. In virtual time. */
#include "../check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "judge/rules/slos.h"
#include "judge_house.h"

static struct judge_house *house;
static struct slos *slos;
static struct slo_list list;
static VEC(enum rule_state) changes;
static VEC(int64_t) change_times;
static enum health last_health;
static char notes[4000];

static int setup(void **state)
{
	if (judge_house_setup(state))
		return -1;
	house = *state;
	last_health = HEALTH_COUNT;
	notes[0] = '\0';
	return 0;
}

static int teardown(void **state)
{
	slos_free(slos);
	slos = NULL;
	slo_list_fini(&list);
	vec_fini(&changes);
	vec_fini(&change_times);
	return judge_house_teardown(state);
}

static void on_tell(void *arg, const struct judge_told *t)
{
	assert_string_equal(t->component, "compute");
	last_health = t->health;
}

static void on_changed(void *arg, const struct rule_change *c)
{
	vec_push(&changes, c->to);
	vec_push(&change_times, c->at_ms);
}

static struct slo *read_slo(const char *text, struct error_list *errors)
{
	struct yaml_file *f = yaml_parse(slice_of(text), "slos.yaml", errors);
	struct slo_text t;
	struct slo *s = NULL;
	slo_text_init(&t);
	if (f && slo_text_read(&t, yaml_root(f, 0), "slos.yaml", errors))
		s = slo_new(&t, errors);
	slo_text_fini(&t);
	yaml_free(f);
	return s;
}

static void add_slo(const char *text)
{
	struct error_list errors = {0};
	struct slo *s = read_slo(text, &errors);
	if (!s)
		fail_msg("%s", errors.n ? errors.p[0].msg : "no error");
	vec_push(&list, s);
	error_list_fini(&errors);
}

static struct slos *new_slos(void)
{
	const struct slos_options o = {
		.slos = list.p, .n = list.n, .tell = on_tell, .changed = on_changed};
	return slos_new(house->loop, house->series, &o);
}

static void start(void)
{
	slos = new_slos();
	slos_start(slos, NULL);
	house_settle(house);
}

static struct series *series(enum series_kind kind, const char *name)
{
	return series_get(house->series, &(struct series_key){.kind = kind,
						 .unit = kind == SERIES_PROBE ? "us" : "",
						 .location = "",
						 .name = name});
}

static void run(struct series *s, int64_t at_ms, enum fault fault, int64_t us)
{
	assert_true(series_append(
		s, &(struct series_sample){
			   .at_ms = at_ms, .fault = fault, .tries = 1, .total_us = us}));
}

/* One each ten seconds; every `bad`-th of them fails (0: none). */
static void feed(struct series *s, int minutes, int bad)
{
	for (int i = 0; i < minutes * 6; i++) {
		run(s, house_now(house), bad && i % bad == 0 ? FAULT_TIMEOUT : FAULT_NONE, 50000);
		house_pass(house, 10000);
	}
}

static double field(const char *key)
{
	json_t *j = slos_json(slos);
	const json_t *v = json_object_get(json_array_get(j, 0), key);
	const double x = json_is_number(v) ? json_number_value(v) : NAN;
	json_decref(j);
	return x;
}

static void is_in(const char *state)
{
	json_t *j = slos_json(slos);
	assert_string_equal(json_str(json_array_get(j, 0), "state"), state);
	json_decref(j);
}

/* --- the short form
 * ------------------------------------------------------------------------------------- */

static void test_what_is_refused(void **unused)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{"{name: s, component: c, objective: 99.9%, over: 30d}", "either good or bad"},
		{"{name: s, component: c, objective: 99.9, over: 30d, good: a}", "a percentage"},
		{"{name: s, component: c, objective: 100%, over: 30d, good: a}", "below 100"},
		{"{name: s, component: c, objective: 99%, good: a}", "either over"},
		{"{name: s, component: c, objective: 99%, over: 30d, calendar: month, good: a}",
			"either over"},
		{"{name: s, component: c, objective: 99%, calendar: fortnight, good: a}",
			"day, week"},
		{"{name: s, component: c, objective: 99%, calendar: day, timezone: Mars/Olympus, good: a}",
			"timezone"},
		{"{name: s, component: c, objective: 99%, over: 30d, bad: a}", "bad needs of"},
		{"{name: s, component: c, objective: 99%, over: 30d, good: a, of: b, faster: 1s}",
			"good alone"},
		{"{name: s, objective: 99%, over: 30d, good: a}", "component is missing"},
		{"{name: s, component: c, objective: 99%, over: 2h, good: a}", "from 1d"},
		{"{name: s, component: c, objective: 99%, over: 30d, good: 'a{'}", "selector"},
		{"{name: s, component: c, objectiv: 99%, over: 30d, good: a}", "did you mean"},
	};
	for (size_t i = 0; i < array_len(cases); i++) {
		struct error_list errors = {0};
		assert_null(read_slo(cases[i].text, &errors));
		assert_true(errors.n > 0 && errors.p[0].line == 1 && errors.p[0].col > 0);
		if (!strstr(errors.p[0].msg, cases[i].why))
			fail_msg("%s: %s", cases[i].text, errors.p[0].msg);
		error_list_fini(&errors);
	}
}

/* --- budgets and burn rates
 * ------------------------------------------------------------------------------- */

static void test_budget_of_what_failed(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	add_slo("{name: s, component: compute, objective: 90%, over: 30d, good: probe}");
	start();
	house_pass(house, 60000);
	is_in("unknown");
	assert_true(isnan(field("budget_left")));
	feed(s, 20, 20); /* 120 runs, 6 failed: half of the budget */
	house_pass(house, 60000);
	assert_true(fabs(field("whole") - 120) < 0.5);
	assert_true(fabs(field("ratio") - 0.95) < 1e-9);
	assert_true(fabs(field("budget_left") - 0.5) < 1e-9);
	is_in("good");
	assert_int_equal(last_health, HEALTH_OPERATIONAL);
	run(s, house_now(house), FAULT_HTTP_401, 0); /* tells nothing of the cloud */
	house_pass(house, 60000);
	assert_true(fabs(field("whole") - 120) < 0.5);
}

static void test_burns_fast_and_stops(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	add_slo("{name: s, component: compute, objective: 99%, over: 30d, good: probe}");
	start();
	feed(s, 60, 0);
	is_in("good");
	feed(s, 6, 1);   /* all of 6 in 66 min: 9 % of an hour, 9 times the rate */
	is_in("firing"); /* 6x over 6 h, of which one has runs */
	assert_int_equal(last_health, HEALTH_DEGRADED);
	feed(s, 31, 0); /* the short windows are good again */
	is_in("good");
	assert_true(field("budget_left") < 0); /* but what is spent is spent */
}

static void test_faster_counts_slow_ones(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	add_slo("{name: s, component: compute, objective: 90%, over: 1d, good: probe, faster: 800ms}");
	start();
	for (int i = 0; i < 10; i++) {
		run(s, house_now(house), FAULT_NONE, i < 7 ? 300000 : 2000000);
		house_pass(house, 10000);
	}
	house_pass(house, 120000);
	assert_true(fabs(field("good") - 7) < 0.01 && fabs(field("whole") - 10) < 0.01);
}

static void test_ratio_of_counters(void **unused)
{
	struct series *bad = series(SERIES_SUM, "errors"), *all = series(SERIES_SUM, "requests");
	add_slo("{name: s, component: compute, objective: 99%, over: 1d, bad: errors, of: requests}");
	start();
	for (int i = 0; i < 10; i++) {
		const int64_t at = house_now(house);
		series_append(all, &(struct series_sample){.at_ms = at, .value = 100});
		if (i == 3) /* a counter that is idle sends nothing */
			series_append(bad, &(struct series_sample){.at_ms = at, .value = 5});
		house_pass(house, 10000);
	}
	house_pass(house, 60000);
	assert_true(fabs(field("whole") - 1000) < 0.01 && fabs(field("good") - 995) < 0.01);
	assert_true(fabs(field("budget_left") - 0.5) < 1e-9);
}

static void test_what_was_before_counts_once(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	const int64_t now = house_now(house);
	for (int i = 0; i < 200; i++) /* five days back, every 36 min */
		run(s, now - (int64_t)i * 36 * 60000 - 1, i % 10 ? FAULT_NONE : FAULT_TIMEOUT,
			50000);
	add_slo("{name: s, component: compute, objective: 50%, over: 7d, good: probe}");
	slos = new_slos();
	slos_start(slos, NULL);
	run(s, now, FAULT_NONE, 50000);
	house_settle(house);
	run(s, now + 1, FAULT_NONE, 50000);
	house_settle(house);
	house_pass(house, 120000);
	assert_true(fabs(field("whole") - 202) < 0.5);
	assert_true(fabs(field("good") - 182) < 0.5);
}

static void test_calendar_begins_with_the_month(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	/* It is noon (UTC) of 1 December: in Berlin the month began at 23:00 UTC. */
	run(s, house_now(house) - 13 * SERIES_HOUR_MS - 60000, FAULT_TIMEOUT, 0);
	run(s, house_now(house) - 13 * SERIES_HOUR_MS + 60000, FAULT_NONE, 50000);
	add_slo("{name: s, component: compute, objective: 50%, calendar: month, timezone: Europe/Berlin,"
		" good: probe}");
	start();
	house_pass(house, 60000);
	assert_true(fabs(field("whole") - 1) < 0.01 && fabs(field("good") - 1) < 0.01);
	assert_true(fabs(field("over_ms") - 13.0 * SERIES_HOUR_MS) < 120000);
}

static void on_replayed(void *arg, const struct error *err)
{
	*(bool *)arg = true;
}

static void test_a_replay_is_as_it_was(void **unused)
{
	struct series *s = series(SERIES_PROBE, "probe");
	const int64_t from = house_now(house);
	bool done = false;
	add_slo("{name: s, component: compute, objective: 99%, over: 30d, good: probe}");
	start();
	for (int i = 0; i < 2; i++) {
		feed(s, 30, 0);
		feed(s, 10, 2);
		feed(s, 40, 0);
	}
	const double whole = field("whole"), good = field("good");
	const size_t n = changes.n;
	enum rule_state was[20];
	int64_t when[20];
	assert_true(n >= 4 && n < 20);
	for (size_t i = 0; i < n; i++) {
		was[i] = changes.p[i];
		when[i] = change_times.p[i];
	}
	slos_free(slos);
	changes.n = change_times.n = 0;
	slos = new_slos();
	slos_replay(slos, from, house_now(house), on_replayed, &done);
	loop_run_until(house->loop, &done);
	assert_int_equal(changes.n, n);
	for (size_t i = 0; i < n; i++)
		assert_true(changes.p[i] == was[i] && change_times.p[i] == when[i]);
	assert_true(fabs(field("whole") - whole) < 0.5 && fabs(field("good") - good) < 0.5);
}

/* --- OpenSLO
 * --------------------------------------------------------------------------------------------------
 */

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	const size_t n = strlen(notes);
	snprintf(notes + n, sizeof(notes) - n, "%s:%u:%u: %s\n", file, line, col, text);
}

static void parse(const char *text)
{
	struct error_list errors = {0};
	notes[0] = '\0';
	if (!openslo_parse(slice_of(text), "o.yaml", &list, on_note, NULL, &errors))
		fail_msg("%s", errors.n ? errors.p[0].msg : "no error");
	error_list_fini(&errors);
}

#define HEAD       "apiVersion: openslo/v1\nkind: "
#define SPEC(more) HEAD "SLO\nmetadata: {name: api}\nspec:\n  service: compute\n" more

static void test_openslo_is_carried(void **unused)
{
	parse(HEAD
		"Service\nmetadata: {name: nova, annotations: {glasshouse/component: compute}}\n"
		"spec: {description: Compute}\n"
		"---\n" HEAD
		"SLI\nmetadata: {name: fast}\nspec:\n  thresholdMetric:\n    metricSource:"
		" {type: glasshouse, spec: {series: 'probe{component=\"compute\"}'}}\n"
		"---\n" HEAD
		"AlertCondition\nmetadata: {name: fast-burn}\nspec: {severity: page,"
		" condition: {kind: burnrate, op: gte, threshold: 10, lookbackWindow: 2h}}\n"
		"---\n" HEAD
		"AlertPolicy\nmetadata: {name: wake}\nspec: {conditions: [{conditionRef:"
		" fast-burn}]}\n"
		"---\n" HEAD
		"SLO\nmetadata: {name: api}\nspec:\n  service: nova\n  description: d\n"
		"  indicatorRef: fast\n  budgetingMethod: Occurrences\n"
		"  timeWindow: [{duration: 28d, isRolling: true}]\n"
		"  objectives: [{op: lte, value: 800000, target: 0.99}, {op: lte, value: 2000000,"
		" targetPercent: 99.9}]\n  alertPolicies: [wake]\n");
	assert_string_equal(notes, "");
	assert_int_equal(list.n, 2);
	const struct slo *a = list.p[0], *b = list.p[1];
	assert_string_equal(a->name, "api-1");
	assert_string_equal(a->component, "compute");
	assert_true(fabs(a->objective - 0.99) < 1e-12 && fabs(b->objective - 0.999) < 1e-12);
	assert_true(a->op == SLO_LESS && fabs(a->limit - 800000) < 1);
	assert_true(a->span == SLO_ROLLING && a->over_ms == 28 * SERIES_DAY_MS);
	assert_int_equal(a->alert_count, 1);
	assert_true(
		fabs(a->alerts[0].burn - 10) < 1e-9 && a->alerts[0].long_ms == 2 * SERIES_HOUR_MS);
	assert_int_equal(a->alerts[0].short_ms, 600000);
}

static void test_openslo_ratio_and_calendar(void **unused)
{
	parse(SPEC(
		"  indicator: {spec: {ratioMetric: {counter: true, good: {metricSource: {type:"
		" glasshouse, spec: {series: ok}}}, total: {metricSource: {type: glasshouse, spec:"
		" {series: all}}}}}}\n"
		"  timeWindow: [{duration: 1M, isRolling: false, calendar: {timeZone: Europe/Berlin}}]\n"
		"  objectives: [{target: 0.995}]\n"));
	assert_string_equal(notes, "");
	assert_int_equal(list.n, 1);
	assert_true(
		list.p[0]->has_whole && !list.p[0]->part_is_bad && list.p[0]->span == SLO_MONTH);
	assert_string_equal(list.p[0]->part.text, "ok");
	assert_int_equal(list.p[0]->alert_count, 3); /* the usual ones */
}

static void noted(const char *text, const char *note, size_t carried)
{
	const size_t before = list.n;
	parse(text);
	if (!strstr(notes, note))
		fail_msg("\"%s\" is not in: %s", note, notes);
	assert_int_equal(list.n - before, carried);
}

#define OURS                                                                                       \
	"  indicator: {spec: {thresholdMetric: {metricSource: {type: glasshouse, spec: {series: p}}}}}\n"
#define WINDOW    "  timeWindow: [{duration: 28d, isRolling: true}]\n"
#define OBJECTIVE "  objectives: [{op: lte, value: 1, target: 0.9}]\n"

static void test_what_is_not_carried_is_told(void **unused)
{
	noted(SPEC(OURS WINDOW "  budgetingMethod: Timeslices\n" OBJECTIVE),
		"o.yaml:8:20: SLO api is left out: budgetingMethod Occurrences", 0);
	noted(SPEC("  indicator: {spec: {thresholdMetric: {metricSource: {type: Prometheus, spec:"
		   " {query: up}}}}}\n" WINDOW OBJECTIVE),
		"o.yaml:6:54: SLO api is left out: its metric is not of our series", 0);
	noted(SPEC(OURS "  timeWindow: [{duration: 5m, isRolling: true}]\n" OBJECTIVE),
		"from 1d to 366d", 0);
	noted(SPEC(OURS WINDOW "  objectives: [{op: eq, value: 1, target: 0.9}]\n"), "wants op", 0);
	noted(SPEC(OURS WINDOW "  objectives: [{op: lte, value: 1, target: 1.5}]\n"),
		"target: a share", 0);
	noted(SPEC(OURS WINDOW
		      "  objectives: [{op: lte, value: 1, target: 0.9, compositeWeight: 2}]\n"),
		"objective: compositeWeight is not carried", 1);
	noted(SPEC(OURS WINDOW OBJECTIVE "  alertPolicies: [nobody]\n"),
		"an alert policy is left out", 1);
	noted(SPEC(WINDOW OBJECTIVE), "no indicator", 0);
	noted(HEAD "DataSource\nmetadata: {name: x}\n", "kind DataSource is not carried", 0);
	noted(HEAD "SLO\nmetadata: {name: x}\n", "an SLO is left out", 0);
}

static void test_no_openslo_is_an_error(void **unused)
{
	struct error_list errors = {0};
	assert_false(openslo_parse(SLICE("a: b\n"), "o.yaml", &list, on_note, NULL, &errors));
	assert_int_equal(errors.n, 1);
	assert_non_null(strstr(errors.p[0].msg, "apiVersion: openslo/v1"));
	error_list_fini(&errors);
}

int test_slos(void)
{
#define ours(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_refused),
		ours(test_budget_of_what_failed),
		ours(test_burns_fast_and_stops),
		ours(test_faster_counts_slow_ones),
		ours(test_ratio_of_counters),
		ours(test_what_was_before_counts_once),
		ours(test_calendar_begins_with_the_month),
		ours(test_a_replay_is_as_it_was),
		ours(test_openslo_is_carried),
		ours(test_openslo_ratio_and_calendar),
		ours(test_what_is_not_carried_is_told),
		ours(test_no_openslo_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

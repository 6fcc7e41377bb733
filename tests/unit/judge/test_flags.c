/* CloudMon's rules over stories of what a service does: the weight at every minute. */
#include "flag_house.h"

#include <stdlib.h>
#include <string.h>

static struct flag_house f;

static const struct {
	const char *what, *key, *story, *weights;
} stories[] = {
	{"healthy: no `failed` series is not unknown", "a", "hhhhhh", "000000"},
	{"slow: the mean of three minutes", "a", "hhhsssshhh", "0000111100"},
	{"errors: no 2xx series is not unknown", "a", "hhheeehhh", "000011100"},
	{"errors from the first minute", "a", "eee", "111"},
	{"outage at once, then what it left in three minutes", "a", "hhhooohh", "00022210"},
	{"half of the zones", "a", "hhhzzzzhhh", "0000011000"},
	{"no data: it holds 5 minutes, then it is unknown", "a", "hh.......hh", "0000000??00"},
	{"an outage holds as long", "a", "hhoo.......hh",
		"0022222"
		"22??00"},
	{"nothing ever", "a", "....", "????"},
	{"recovering", "a", "hhhooohhhhhh", "000222100000"},
	{"flapping: measured weights, nothing held back", "a", "hhhohohohh", "0002020200"},
	{"10 s beside 3 min steps", "a_both", "hhhbbbbhhhh", "00001110000"},
	{"whole buckets of two minutes, ending with the minute", "a_two", "hhheehh", "0001110"},
	{"a count without any such series is 0", "a_errors", "hhehh", "00100"},
	{"a count without data is unknown", "a_errors", "hh.......h", "0000000??0"},
};

static void tell_stories(void **state, bool lines)
{
	for (size_t i = 0; i < array_len(stories); i++) {
		char text[64];
		if (i) {
			judge_house_teardown(state);
			assert_int_equal(judge_house_setup(state), 0);
		}
		flag_house_open(&f, state, usual_rules);
		f.lines = lines;
		flag_house_story(&f, "a", stories[i].story);
		assert_int_equal(cloudmon_usual(f.cloudmon), 24);
		flag_house_weights(&f, stories[i].key, strlen(stories[i].story), text);
		if (strcmp(text, stories[i].weights) != 0)
			fail_msg("%s: %s: %s, not %s", stories[i].what, stories[i].story, text,
				stories[i].weights);
		flag_house_close(&f);
	}
}

static void test_stories(void **state)
{
	tell_stories(state, false);
}

static void test_stories_as_lines(void **state)
{
	tell_stories(state, true);
}

/* --- the general way ---------------------------------------------------------------------------
 */

struct asked {
	bool done;
	size_t n, metrics;
	struct cloudmon_point last;
	enum flag_value flags[8];
	char weights[200];
	struct error err;
};

static void on_points(void *arg, const struct cloudmon_point *p, size_t n, const struct error *err)
{
	struct asked *a = arg;
	a->done = true;
	a->n = n;
	if (err)
		a->err = *err;
	for (size_t i = 0; i < n && i < sizeof(a->weights) - 1; i++)
		a->weights[i] = p[i].weight < 0 ? '?' : (char)('0' + p[i].weight);
	if (!n)
		return;
	a->last = p[n - 1];
	memcpy(a->flags, p[n - 1].flags, a->metrics * sizeof(*a->flags));
}

static void evaluate(const char *key, int64_t from_s, int64_t to_s, size_t max, struct asked *a)
{
	*a = (struct asked){0};
	const int64_t health = cloudmon_health_find(f.rules, key, "prod");
	a->metrics = cloudmon_health_at(f.rules, (size_t)health)->metric_count;
	assert_true(a->metrics <= array_len(a->flags));
	cloudmon_evaluate(f.cloudmon, (size_t)health, from_s, to_s, max, on_points, a);
	assert_false(a->done);
	assert_true(loop_run_until(f.house->loop, &a->done));
}

static uint64_t random_state = 88172645463325252ULL;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void random_flush(const char *service, const char *zone, int64_t at_s)
{
	struct flush x = {0};
	if (random_next() % 4 == 0)
		return;
	x.failed = random_next() % 3 ? 0 : (double)(random_next() % 8);
	x.ok = random_next() % 3 ? (double)(random_next() % 8) : 0;
	x.errors = random_next() % 3 ? 0 : (double)(random_next() % 5);
	x.attempted = x.failed + x.ok + x.errors;
	x.mean_ms = 100 + (double)(random_next() % 3000);
	flag_house_flush(&f, service, zone, at_s, &x);
}

/* What is kept up to date is what Graphite's functions say, for each shape. */
static void same_both_ways(void **state, bool lines)
{
	static const char *const keys[] = {"a", "a_both", "a_errors", "a_two"};
	flag_house_open(&f, state, usual_rules);
	f.lines = lines;
	for (int minute = 0; minute < 60; minute++) {
		const bool silent = random_next() % 5 == 0;
		for (int i = 0; i < 6; i++) {
			house_pass(f.house, 10000);
			if (!silent) {
				random_flush("a", "north", house_now(f.house) / 1000);
				random_flush("a", "south", house_now(f.house) / 1000);
			}
			cloudmon_pass(f.cloudmon);
		}
	}
	flag_house_wait(&f, 200);
	assert_int_equal(cloudmon_usual(f.cloudmon), 24);
	for (int minute = 0; minute < 60; minute++)
		for (size_t k = 0; k < array_len(keys); k++) {
			struct asked a;
			const int64_t m = f.begin_s + 60 * minute;
			const struct cloudmon_health *h = cloudmon_health_at(
				f.rules, (size_t)cloudmon_health_find(f.rules, keys[k], "prod"));
			/* Buckets of two and of three minutes end with it. */
			evaluate(keys[k], m - 300, m + 60, 0, &a);
			assert_int_equal(a.n, 6);
			for (size_t i = 0; i < h->metric_count; i++)
				if (cloudmon_flag_of(f.cloudmon, (size_t)h->flags[i], m) !=
					a.flags[i])
					fail_msg("%s at minute %d: %d, not %d", h->metrics[i],
						minute,
						cloudmon_flag_of(
							f.cloudmon, (size_t)h->flags[i], m),
						a.flags[i]);
		}
	flag_house_close(&f);
}

static void test_same_both_ways(void **state)
{
	same_both_ways(state, false);
}

static void test_same_both_ways_as_lines(void **state)
{
	same_both_ways(state, true);
}

static void append_gauge(
	struct flag_house *h, const char *name, const char *location, int64_t at_ms, double value)
{
	const struct series_key key = {
		.kind = SERIES_GAUGE, .unit = "", .location = location, .name = name};
	const struct series_sample sample = {.at_ms = at_ms, .value = value};
	assert_true(series_append(series_get(h->house->series, &key), &sample));
}

static const char both_kinds[] =
	"environments: [{name: prod}]\n"
	"metric_templates:\n"
	"  flushed: {query: \"sumSeries(stats.gauges.$service)\", op: gt, threshold: 5}\n"
	"  sent: {query: \"sumSeries(load.$service)\", op: gt, threshold: 5}\n"
	"flag_metrics:\n"
	"  - {name: f, service: s, template: {name: flushed}, environments: [{name: prod}]}\n"
	"  - {name: g, service: s, template: {name: sent}, environments: [{name: prod}]}\n"
	"health_metrics:\n"
	"  s: {service: s, category: c, metrics: [s.f, s.g], expressions: [{expression: s.f, weight: "
	"1}]}\n";

/* Some of ten seconds, out of order, from two places; now and then one twice. */
static void random_gauges(int64_t end_ms)
{
	for (uint64_t n = random_next() % 4; n > 0; n--) {
		const char *location = random_next() % 2 ? "north" : "south";
		const int64_t at_ms = end_ms - 1 - (int64_t)(random_next() % 10000);
		for (uint64_t again = random_next() % 4 ? 1 : 2; again > 0; again--)
			append_gauge(&f, "stats.gauges.s", location, at_ms,
				(double)(random_next() % 11));
	}
}

/* Of several values of ten seconds the newest counts, wherever it was measured and whenever it
 * came. Gauges that no StatsD flushed have steps of their own, which Graphite's language knows. */
static void test_gauges(void **state)
{
	struct asked a;
	unsigned seen[3] = {0};
	flag_house_open(&f, state, both_kinds);
	assert_int_equal(cloudmon_usual(f.cloudmon), 2);
	for (int i = 0; i < 60 * 6; i++) {
		house_pass(f.house, 10000);
		random_gauges(house_now(f.house));
		append_gauge(&f, "load.s", "", house_now(f.house), 9);
		cloudmon_pass(f.cloudmon);
	}
	flag_house_wait(&f, 200);
	assert_int_equal(cloudmon_usual(f.cloudmon), 1);
	for (int minute = 0; minute < 60; minute++) {
		const int64_t m = f.begin_s + 60 * minute;
		evaluate("s", m, m + 60, 0, &a);
		const enum flag_value flushed = cloudmon_flag_of(f.cloudmon, 0, m);
		assert_int_equal(flushed, a.flags[0]);
		assert_int_equal(a.flags[1], FLAG_TRUE);
		seen[flushed]++;
	}
	assert_true(seen[FLAG_TRUE] > 5 && seen[FLAG_FALSE] > 5);
	flag_house_close(&f);
}

static void test_range(void **state)
{
	struct asked a;
	flag_house_open(&f, state, usual_rules);
	flag_house_story(&f, "a", "hhhooohhh......hh");
	evaluate("a", f.begin_s, f.begin_s + 9 * 60, 0, &a);
	assert_int_equal(a.n, 9);
	assert_int_equal(a.last.at_s, f.begin_s + 8 * 60);
	/* Buckets of three minutes begin where the time does. */
	assert_string_equal(a.weights, "000222000");
	/* Only whole minutes, and none of the future. */
	evaluate("a", f.begin_s + 30, f.begin_s + 4 * 60 + 30, 0, &a);
	assert_int_equal(a.n, 3);
	evaluate("a", f.begin_s + 86400, f.begin_s + 90000, 0, &a);
	assert_int_equal(a.n, 0);
	/* Fewer points: the worst of each. */
	evaluate("a", f.begin_s, f.begin_s + 9 * 60, 3, &a);
	assert_string_equal(a.weights, "020");
	evaluate("a", f.begin_s - 8 * 86400, f.begin_s, 0, &a);
	assert_int_equal(a.err.kind, ERROR_LIMIT);
	flag_house_close(&f);
}

/* A clock that is wrong: what comes half an hour early does not hide what comes in time. */
static void test_ahead(void **state)
{
	struct asked a;
	flag_house_open(&f, state, usual_rules);
	flag_house_story(&f, "a", "hh");
	flag_house_flush(&f, "a", "north", house_now(f.house) / 1000 + 1800,
		&(struct flush){.attempted = 5, .ok = 5, .mean_ms = 100});
	const int64_t m = house_now(f.house) / 60000 * 60 + 60;
	for (int i = 0; i < 24; i++) {
		house_pass(f.house, 10000);
		flag_house_flush(&f, "a", "north", house_now(f.house) / 1000,
			&(struct flush){.attempted = 5, .failed = 5});
		cloudmon_pass(f.cloudmon);
	}
	const size_t health = (size_t)cloudmon_health_find(f.rules, "a", "prod");
	/* Other threads answer: however slow the machine, but not for ever. */
	const int64_t last = clock_mono_ns(&clock_system) + 60 * NS_PER_S;
	while (cloudmon_weight(f.cloudmon, health, m) < 0 && clock_mono_ns(&clock_system) < last) {
		evaluate("a", m, m + 60, 0, &a); /* what is asked is answered meanwhile */
		assert_string_equal(a.weights, "2");
		cloudmon_pass(f.cloudmon);
	}
	assert_int_equal(cloudmon_weight(f.cloudmon, health, m), 2);
	flag_house_close(&f);
}

/* --- laws ----------------------------------------------------------------------------------------
 */

#define LAW_MINUTES 40

static int weight_of(const char *key, int minute)
{
	return cloudmon_weight(f.cloudmon, (size_t)cloudmon_health_find(f.rules, key, "prod"),
		f.begin_s + 60 * minute);
}

/* b is a with some connection failures more. */
static void test_failures_never_improve(void **state)
{
	flag_house_open(&f, state, usual_rules);
	for (int i = 0; i < LAW_MINUTES * 6; i++) {
		house_pass(f.house, 10000);
		const int64_t at = house_now(f.house) / 1000;
		const uint64_t same = random_state;
		random_flush("a", "north", at);
		random_state = same;
		random_flush("b", "north", at);
		const double more = random_next() % 3 ? 0 : (double)(random_next() % 6);
		flag_house_flush(
			&f, "b", "south", at, &(struct flush){.attempted = more, .failed = more});
		cloudmon_pass(f.cloudmon);
	}
	flag_house_wait(&f, 200);
	for (int m = 0; m < LAW_MINUTES; m++)
		if (weight_of("b", m) < weight_of("a", m))
			fail_msg("minute %d: %d without the failures, %d with them", m,
				weight_of("a", m), weight_of("b", m));
	flag_house_close(&f);
}

/* In steady states; kinds: attempted, 2xx, failed, timers, all. */
static void test_removing_never_makes_green(void **state)
{
	static const struct flush states[] = {
		{5, 0, 0, 5, 0}, {5, 0, 5, 0, 100}, {5, 5, 0, 0, 2000}, {5, 2, 0, 3, 100}};
	for (size_t s = 0; s < array_len(states); s++)
		for (int kind = 0; kind < 5; kind++) {
			struct flush x = states[s];
			judge_house_teardown(state);
			assert_int_equal(judge_house_setup(state), 0);
			flag_house_open(&f, state, usual_rules);
			x.attempted = kind == 0 || kind == 4 ? 0 : x.attempted;
			x.ok = kind == 1 || kind == 4 ? 0 : x.ok;
			x.failed = kind == 2 || kind == 4 ? 0 : x.failed;
			x.errors = kind == 4 ? 0 : x.errors;
			for (int i = 0; i < 12 * 6; i++) {
				house_pass(f.house, 10000);
				flag_house_flush(
					&f, "a", "north", house_now(f.house) / 1000, &states[s]);
				flag_house_flush(&f, "b", "north", house_now(f.house) / 1000, &x);
				cloudmon_pass(f.cloudmon);
			}
			assert_true(weight_of("a", 10) > 0);
			if (weight_of("b", 10) == 0)
				fail_msg("state %zu without kind %d is green", s, kind);
			flag_house_close(&f);
		}
}

struct late { /* a flush that comes later than it is of */
	int64_t at_s, due_s;
	uint64_t seed;
};

static void test_order_of_arrival(void **state)
{
	struct late late[LAW_MINUTES * 6];
	flag_house_open(&f, state, usual_rules);
	for (size_t i = 0; i < array_len(late); i++) {
		late[i].at_s = f.begin_s + 10 * ((int64_t)i + 1);
		late[i].due_s = late[i].at_s + (int64_t)(random_next() % 110);
		late[i].seed = random_next() | 1;
	}
	for (int64_t now = f.begin_s; now < f.begin_s + LAW_MINUTES * 60 + 300; now += 10) {
		house_pass(f.house, 10000);
		for (size_t i = array_len(late); i-- > 0;) {
			const bool in_time = late[i].at_s > now && late[i].at_s <= now + 10;
			const bool due = late[i].due_s > now && late[i].due_s <= now + 10;
			random_state = late[i].seed;
			if (in_time)
				random_flush("a", "north", late[i].at_s);
			random_state = late[i].seed;
			if (due)
				random_flush("b", "north", late[i].at_s);
		}
		cloudmon_pass(f.cloudmon);
	}
	for (int m = 0; m < LAW_MINUTES; m++)
		assert_int_equal(weight_of("a", m), weight_of("b", m));
	flag_house_close(&f);
}

/* As lines of Graphite: a value that comes again, or another one for the same moment. */
static void test_repeats(void **state)
{
	struct asked once, twice;
	flag_house_open(&f, state, usual_rules);
	for (int i = 1; i <= 3 * 6; i++) {
		house_pass(f.house, 10000);
		for (int k = 0; k < 2; k++) {
			static const char *const codes[] = {"attempted", "200"};
			const double values[] = {10, i % 2 ? 10 : 3};
			for (int service = 0; service < 2; service++) {
				char *name = mem_printf(
					"stats.counters.openstack.api.prod.x.%s.GET.y.%s"
					".count",
					service ? "b" : "a", codes[k]);
				if (service)
					append_gauge(&f, name, "", house_now(f.house), 77);
				for (int again = 0; again <= service; again++)
					append_gauge(&f, name, "", house_now(f.house), values[k]);
				free(name);
			}
		}
	}
	house_settle(f.house);
	evaluate("a", f.begin_s, f.begin_s + 180, 0, &once);
	evaluate("b", f.begin_s, f.begin_s + 180, 0, &twice);
	assert_int_equal(once.n, 3);
	assert_memory_equal(once.flags, twice.flags, sizeof(once.flags));
	assert_int_equal(once.flags[0], FLAG_FALSE);
	flag_house_close(&f);
}

int test_flags(void)
{
	const struct CMUnitTest tests[] = {judge_test(test_stories),
		judge_test(test_stories_as_lines), judge_test(test_same_both_ways),
		judge_test(test_same_both_ways_as_lines), judge_test(test_gauges),
		judge_test(test_range), judge_test(test_ahead),
		judge_test(test_failures_never_improve),
		judge_test(test_removing_never_makes_green), judge_test(test_order_of_arrival),
		judge_test(test_repeats)};
	return cmocka_run_group_tests_name("flags", tests, NULL, NULL);
}

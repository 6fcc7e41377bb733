/* Questions in Graphite's language over series in a store: paths, tags, steps, functions, limits.
 */
#include "../check.h"

#include <math.h>
#include <stdlib.h>

#include "base/buf.h"
#include "judge/graphite/glob.h"
#include "judge/graphite/graphite.h"
#include "judge_house.h"

struct asked {
	bool done;
	struct graphite_lines *lines;
	json_t *answer;
	struct error err;
};

static struct judge_house *house;
static struct graphite *graphite;

static int setup(void **state)
{
	struct error err;
	if (judge_house_setup(state))
		return -1;
	house = *state;
	graphite = graphite_new(house->loop, house->series, &err);
	return graphite ? 0 : -1;
}

static int teardown(void **state)
{
	graphite_free(graphite);
	return judge_house_teardown(state);
}

static int64_t now_s(void)
{
	return house_now(house) / 1000;
}

static struct series *series(enum series_kind kind, const char *name, const char *unit,
	const struct series_tag *tags, size_t n)
{
	return series_get(house->series, &(struct series_key){.kind = kind,
						 .unit = unit,
						 .location = "",
						 .name = name,
						 .tags = tags,
						 .tag_count = n});
}

/* Every 10 s, the last one at now - 10 s. */
static void put(const char *name, enum series_kind kind, const double *v, size_t n)
{
	struct series *s = series(kind, name, "", NULL, 0);
	for (size_t i = 0; i < n; i++)
		if (!isnan(v[i]))
			series_append(s, &(struct series_sample){
						 .at_ms = (now_s() - 10 * (int64_t)(n - i)) * 1000,
						 .value = v[i]});
}

static void on_lines(void *arg, struct graphite_lines *lines, const struct error *err)
{
	struct asked *a = arg;
	a->done = true;
	a->lines = lines;
	if (err)
		a->err = *err;
}

static void on_names(void *arg, json_t *answer, const struct error *err)
{
	struct asked *a = arg;
	a->done = true;
	a->answer = answer;
	if (err)
		a->err = *err;
}

static void render(const char *target, int64_t seconds, size_t points_max, struct asked *a)
{
	const struct graphite_question q = {.targets = &target,
		.target_count = 1,
		.from_s = now_s() - seconds,
		.until_s = now_s() - 1,
		.points_max = points_max};
	*a = (struct asked){0};
	graphite_render(graphite, &q, on_lines, a);
	assert_false(a->done);
	assert_true(loop_run_until(house->loop, &a->done));
}

/* "name@step: 1 2 -; name2..." or the error. Owned. */
static char *shown(const char *target, int64_t seconds, size_t points_max)
{
	struct asked a;
	struct buf out = BUF(BUF_LINE);
	render(target, seconds, points_max, &a);
	if (a.err.kind)
		buf_printf(&out, "%u: %s", a.err.col, a.err.msg);
	for (size_t i = 0; a.lines && i < a.lines->n; i++) {
		const struct graphite_line *l = &a.lines->p[i];
		buf_printf(&out, "%s%s@%d:", i ? "; " : "", l->name, (int)l->step_s);
		for (size_t k = 0; k < l->n; k++)
			if (isnan(l->values[k]))
				buf_add_str(&out, " -");
			else
				buf_printf(&out, " %g", l->values[k]);
	}
	graphite_lines_free(a.lines);
	return buf_take(&out);
}

#define assert_shown(target, seconds, wanted)                                                      \
	do {                                                                                       \
		char *got = shown(target, seconds, 0);                                             \
		assert_string_equal(got, wanted);                                                  \
		free(got);                                                                         \
	} while (0)

static void test_values(void **state)
{
	put("a.one.count", SERIES_GAUGE, (double[]){1, 2, NAN, 4}, 4);
	put("a.two.count", SERIES_GAUGE, (double[]){10, 20, 30, 40}, 4);
	put("c.x", SERIES_SUM, (double[]){5, 10}, 2);
	assert_shown("a.one.count", 41, "a.one.count@10: 1 2 - 4");
	assert_shown("a.*.count", 31, "a.one.count@10: 2 - 4; a.two.count@10: 20 30 40");
	assert_shown("a.{two,none}.c*", 21, "a.two.count@10: 30 40");
	assert_shown("sumSeries(a.*.count)", 41, "sumSeries(a.*.count)@10: 11 22 30 44");
	assert_shown("c.x.*", 21, "c.x.count@10: 5 10; c.x.rate@10: 0.5 1");
	assert_shown("asPercent(a.one.count, a.two.count) | alias('p')", 41, "p@10: 10 10 - 10");
	assert_shown("movingAverage(a.two.count, 2)", 21, "movingAverage(a.two.count,2)@10: 15 25");
	assert_shown("nothing.here", 21, "");
	assert_shown("scale(a.one.count)", 21, "1: scale: factor is missing: a number");
	assert_shown("scale(a.one.count,x)", 21, "19: scale: expected a number as factor");
	assert_shown(
		"scal(a.one.count,1)", 21, "1: there is no function scal; did you mean scale?");
	char *got = shown("a.two.count", 41, 2);
	assert_string_equal(got, "a.two.count@20: 25 40");
	free(got);
}

static void add_probe(int64_t at_s, enum fault fault, int64_t us)
{
	const struct series_tag tags[] = {{"cloud", "prod"}, {"target", "a.b/c"}};
	series_append(series(SERIES_PROBE, "endpoint", "us", tags, 2),
		&(struct series_sample){
			.at_ms = at_s * 1000, .fault = fault, .tries = 1, .total_us = us});
}

static void test_probes(void **state)
{
	for (int i = 8; i > 0; i--)
		add_probe(now_s() - i * 30, i == 2 ? FAULT_TIMEOUT : FAULT_NONE, 20000);
	assert_shown("probe.endpoint.prod.a_b/c.ok", 90, "probe.endpoint.prod.a_b/c.ok@30: 0 1");
	assert_shown("probe.endpoint.*.*.fault.*", 90,
		"probe.endpoint.prod.a_b/c.fault.timeout@30: 1 0");
	assert_shown("round(probe.endpoint.prod.*.mean,-1)", 90,
		"round(probe.endpoint.prod.a_b/c.mean,-1)@30: - 20");
	assert_shown("aliasByTags(seriesByTag('cloud=prod','name=~.*\\.count'),'target')", 90,
		"a.b/c@30: 1 1");
}

static void add_dist(const char *name, const double *us, size_t n)
{
	struct series_hist hist = {0};
	struct series_sample s = {
		.at_ms = (now_s() - 10) * 1000, .n = n, .min = us[0], .hist = &hist};
	for (size_t i = 0; i < n; i++) {
		s.value += us[i];
		s.max = us[i];
		series_hist_add(&hist, (uint64_t)us[i], 1);
	}
	series_append(series(SERIES_DIST, name, "us", NULL, 0), &s);
	series_hist_fini(&hist);
}

static void test_dists(void **state)
{
	double us[10];
	for (int i = 0; i < 10; i++)
		us[i] = (i + 1) * 1000;
	add_dist("stats.timers.t", us, 10);
	assert_shown("stats.timers.t.{count,rate,mean,lower,upper,sum}", 11,
		"stats.timers.t.count@10: 10; stats.timers.t.lower@10: 1;"
		" stats.timers.t.mean@10: 5.5; stats.timers.t.rate@10: 1;"
		" stats.timers.t.sum@10: 55; stats.timers.t.upper@10: 10");
	char *got = shown("round(stats.timers.t.{median,upper_90,sum_90,mean_90,std},0)", 11, 0);
	assert_string_equal(got,
		"round(stats.timers.t.mean_90,0)@10: 5;"
		" round(stats.timers.t.median,0)@10: 5;"
		" round(stats.timers.t.std,0)@10: 3;"
		" round(stats.timers.t.sum_90,0)@10: 45;"
		" round(stats.timers.t.upper_90,0)@10: 9");
	free(got);
}

static char *names(enum graphite_about about, const char *pattern, const char *expr,
	const char *tag, const char *prefix)
{
	struct asked a = {0};
	graphite_names(graphite,
		&(struct graphite_naming){about, pattern, &expr, expr != NULL, tag, prefix, 0},
		on_names, &a);
	assert_true(loop_run_until(house->loop, &a.done));
	char *text = a.err.kind ? mem_strdup(a.err.msg) : json_dumps(a.answer, JSON_COMPACT);
	json_decref(a.answer);
	return text;
}

#define assert_names(about, pattern, expr, tag, prefix, wanted)                                    \
	do {                                                                                       \
		char *got = names(GRAPHITE_ABOUT_##about, pattern, expr, tag, prefix);             \
		assert_string_equal(got, wanted);                                                  \
		free(got);                                                                         \
	} while (0)

static void test_names(void **state)
{
	const struct series_tag tags[] = {{"dc", "west"}, {"host", "h1"}};
	put("x.a", SERIES_GAUGE, (double[]){1}, 1);
	put("x.a.b", SERIES_SUM, (double[]){1}, 1);
	series(SERIES_GAUGE, "cpu", "", tags, 2);
	assert_names(NODES, "x.*", NULL, NULL, NULL,
		"[{\"path\":\"x.a\",\"text\":\"a\",\"leaf\":true,\"branch\":true}]");
	assert_names(NODES, "x.a.b.c*", NULL, NULL, NULL,
		"[{\"path\":\"x.a.b.count\",\"text\":\"count\",\"leaf\":true,\"branch\":false}]");
	assert_names(INDEX, NULL, NULL, NULL, NULL,
		"[\"cpu;dc=west;host=h1\",\"health;component=compute\",\"x.a\",\"x.a.b.count\","
		"\"x.a.b.rate\"]");
	assert_names(SERIES, NULL, "dc=west", NULL, NULL, "[\"cpu;dc=west;host=h1\"]");
	assert_names(SERIES, NULL, "dc!=~we", NULL, NULL,
		"[\"health;component=compute\",\"x.a\",\"x.a.b.count\",\"x.a.b.rate\"]");
	assert_names(TAGS, NULL, NULL, NULL, "d", "[\"dc\"]");
	assert_names(TAGS, NULL, "dc=west", NULL, NULL, "[\"host\",\"name\"]");
	assert_names(VALUES, NULL, NULL, "host", "h", "[\"h1\"]");
	assert_names(SERIES, NULL, "nonsense", NULL, NULL,
		"\"nonsense\" is no tag expression: expected tag=value, tag!=value, tag=~regex or"
		" tag!=~regex");
}

static struct graphite_leaves *flag_leaves(void *arg)
{
	return arg ? graphite_leaves_ref(arg) : NULL;
}

/* Its number, then 1 more each step. */
static bool flag_values(
	void *arg, const char *leaf, int64_t from_s, int64_t step_s, size_t n, double *into)
{
	const size_t number = graphite_leaves_find(arg, leaf);
	for (size_t i = 0; number != SIZE_MAX && i < n; i++)
		into[i] = (double)(number + i);
	return number != SIZE_MAX;
}

static void add_tree(struct graphite_leaves *l)
{
	graphite_add_tree(graphite, &(struct graphite_tree){"flag", flag_leaves, flag_values, l});
}

static void put_every(const char *name, enum series_kind kind, int64_t step_s, int n)
{
	struct series *s = series(kind, name, "", NULL, 0);
	for (int i = n; i > 0; i--)
		series_append(s, &(struct series_sample){
					 .at_ms = (now_s() - i * step_s) * 1000, .value = 1});
}

/* The step of the answer and its last value. */
static void assert_last(const char *target, int64_t seconds, int64_t step_s, double last)
{
	struct asked a;
	render(target, seconds, 0, &a);
	if (a.err.kind)
		fail_msg("%s: %s", target, a.err.msg);
	assert_int_equal(a.lines->n, 1);
	const struct graphite_line *l = &a.lines->p[0];
	assert_int_equal(l->step_s, step_s);
	assert_int_equal(l->from_s % step_s, 0);
	assert_int_equal(l->from_s + (int64_t)(l->n - 1) * step_s, now_s() - step_s);
	assert_true(l->values[l->n - 1] == last);
	graphite_lines_free(a.lines);
}

static void test_steps(void **state)
{
	put_every("slow", SERIES_GAUGE, 60, 30);
	put_every("usual", SERIES_GAUGE, 10, 200);
	put_every("counted", SERIES_SUM, 10, 360);
	put_every("rare", SERIES_SUM, 300, 5);
	assert_last("slow", 600, 60, 1);
	assert_last("usual", 600, 10, 1);
	assert_last("counted.count", 24 * 3600, 10, 1);
	assert_last("counted.count", 30 * 3600, 60, 6);
	assert_last("counted.count", 7 * 86400, 600, 60);
	assert_last("counted.rate", 7 * 86400, 600, 0.1);
	assert_last("counted.count", 80 * 86400, 3600, 360);
	assert_last("slow", 3 * 86400, 60, 1);
}

static void test_locations(void **state)
{
	static const char *const places[] = {"berlin", "oslo"};
	for (size_t i = 0; i < array_len(places); i++) {
		struct series *s =
			series_get(house->series, &(struct series_key){.kind = SERIES_SUM,
							  .unit = "",
							  .location = places[i],
							  .name = "both"});
		series_append(s, &(struct series_sample){
					 .at_ms = (now_s() - 10) * 1000, .value = 1 + (double)i});
	}
	assert_shown("both.*", 11, "both.count@10: 3; both.rate@10: 0.3");
}

static void test_trees(void **state)
{
	struct graphite_leaves *l = graphite_leaves_new();
	graphite_leaves_add(l, "flag.prod.dns.down", 0);
	graphite_leaves_add(l, "flag.prod.dns.slow", 7);
	graphite_leaves_add(l, "flag.prod.dns.slow", 9);
	graphite_leaves_add(l, "flag.test.dns", 3);
	assert_int_equal(graphite_leaves_find(l, "flag.prod.dns.slow"), 7);
	assert_true(graphite_leaves_find(l, "flag.prod.dns") == SIZE_MAX);
	assert_true(graphite_leaves_find(l, "flag.prod.dns.slow.more") == SIZE_MAX);
	add_tree(NULL);
	add_tree(l);
	put("flag.prod.dns.ours", SERIES_GAUGE, (double[]){1, 2}, 2);
	assert_shown("flag.*.dns.{down,ours}", 21,
		"flag.prod.dns.down@10: 0 1; flag.prod.dns.ours@10: 1 2");
	assert_shown("flag.*.*", 21, "flag.test.dns@10: 3 4");
	assert_shown("flag.prod.dns.slow", 21, "flag.prod.dns.slow@10: 7 8");
	assert_shown("health.*.*", 21, "");
	assert_shown("flag.prod.{", 21, "");
	assert_names(NODES, "flag.*", NULL, NULL, NULL,
		"[{\"path\":\"flag.prod\",\"text\":\"prod\",\"leaf\":false,\"branch\":true},"
		"{\"path\":\"flag.test\",\"text\":\"test\",\"leaf\":false,\"branch\":true}]");
	assert_names(INDEX, NULL, NULL, NULL, NULL,
		"[\"flag.prod.dns.down\",\"flag.prod.dns.ours\",\"flag.prod.dns.slow\",\"flag.test.dns\"]");
	graphite_leaves_unref(l);
}

static uint64_t random_state = 88172645463325252ULL;

static size_t random_of(size_t n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (size_t)(random_state % n);
}

/* Of 1 to 4 parts below `flag`; owned. */
static char *random_path(const char *const *parts, size_t n)
{
	struct buf path = BUF(BUF_LINE);
	buf_add_str(&path, "flag");
	for (size_t i = random_of(4) + 1; i > 0; i--)
		buf_printf(&path, ".%s", parts[random_of(n)]);
	return buf_take(&path);
}

/* How much of a leaf the whole pattern fits; 0: none of it. */
static size_t fitted(const char *pattern, const char *leaf)
{
	struct slice parts = slice_of(pattern), names = slice_of(leaf), part, name;
	const char *end = leaf;
	while (slice_next(&parts, '.', &part)) {
		struct glob g;
		struct error err;
		if (!slice_next(&names, '.', &name))
			return 0;
		char *text = slice_dup(name);
		const bool fits = glob_init(&g, part, &err) && glob_fits(&g, text);
		glob_fini(&g);
		free(text);
		if (!fits)
			return 0;
		end = name.p + name.n;
	}
	return (size_t)(end - leaf);
}

/* The nodes that a pattern fits are those found by looking at each leaf. */
static void test_tree_patterns(void **state)
{
	static const char *const names[] = {"a", "b", "ab", "dns"};
	static const char *const globs[] = {"*", "a", "b*", "{a,dns}", "?", "[!a]*", "none"};
	struct graphite_leaves *l = graphite_leaves_new();
	char *leaves[60];
	size_t found = 0;
	for (size_t i = 0; i < array_len(leaves); i++) {
		leaves[i] = random_path(names, array_len(names));
		graphite_leaves_add(l, leaves[i], i);
	}
	add_tree(l);
	for (int round = 0; round < 200; round++) {
		char *pattern = random_path(globs, array_len(globs));
		struct asked a = {0};
		json_t *wanted = json_object();
		const struct graphite_naming q = {
			.about = GRAPHITE_ABOUT_NODES, .pattern = pattern};
		for (size_t i = 0; i < array_len(leaves); i++) {
			const size_t n = fitted(pattern, leaves[i]);
			char *path = mem_strndup(leaves[i], n);
			const json_int_t bits = json_integer_value(json_object_get(wanted, path));
			if (n)
				json_object_set_new(
					wanted, path, json_integer(bits | (leaves[i][n] ? 2 : 1)));
			free(path);
		}
		graphite_names(graphite, &q, on_names, &a);
		assert_true(loop_run_until(house->loop, &a.done));
		size_t i;
		json_t *node;
		assert_int_equal(json_array_size(a.answer), json_object_size(wanted));
		json_array_foreach (a.answer, i, node) {
			const int bits = (json_is_true(json_object_get(node, "leaf")) ? 1 : 0) |
					 (json_is_true(json_object_get(node, "branch")) ? 2 : 0);
			assert_int_equal(
				bits, json_integer_value(json_object_get(wanted,
					      json_string_value(json_object_get(node, "path")))));
			found++;
		}
		json_decref(a.answer);
		json_decref(wanted);
		free(pattern);
	}
	assert_true(found > 200);
	for (size_t i = 0; i < array_len(leaves); i++)
		free(leaves[i]);
	graphite_leaves_unref(l);
}

static void test_cancel(void **state)
{
	struct asked a = {0}, b = {0};
	const char *target = "x.*";
	const struct graphite_question q = {
		.targets = &target, .target_count = 1, .from_s = now_s() - 60, .until_s = now_s()};
	put("x.a", SERIES_GAUGE, (double[]){1}, 1);
	graphite_cancel(graphite_render(graphite, &q, on_lines, &a));
	assert_true(loop_run_until(house->loop, &a.done));
	assert_int_equal(a.err.kind, ERROR_CANCELLED);
	graphite_render(graphite, &q, on_lines, &b);
	graphite_free(graphite);
	graphite = NULL;
	assert_true(b.done);
	assert_int_equal(b.err.kind, ERROR_CANCELLED);
}

static void test_limits(void **state)
{
	char name[32];
	for (int i = 0; i <= GRAPHITE_SERIES; i++) {
		snprintf(name, sizeof(name), "many.x%d", i);
		series(SERIES_GAUGE, name, "", NULL, 0);
	}
	assert_shown("many.*", 60,
		"0: the targets are of more than 5000 series; ask for fewer with longer patterns");
	assert_shown("many.x1*", 86400,
		"0: the targets are of more than 2000000 values; ask for a shorter time or fewer series");
	assert_shown("movingMedian(many.x1*,3000)|limit(1)", 86400,
		"0: the targets are of more than 2000000 values; ask for a shorter time or fewer series");
}

static void test_times(void **state)
{
	static const struct {
		const char *text, *zone, *at;
	} cases[] = {{"now", NULL, "2026-12-01T12:00:00Z"}, {"-1h", NULL, "2026-12-01T11:00:00Z"},
		{"now-5min", NULL, "2026-12-01T11:55:00Z"},
		{"20261126", NULL, "2026-11-26T00:00:00Z"},
		{"08:50_20261126", NULL, "2026-11-26T08:50:00Z"},
		{"noon yesterday", NULL, "2026-11-30T12:00:00Z"},
		{"6pm today", NULL, "2026-12-01T18:00:00Z"},
		{"1767000000", NULL, "2025-12-29T09:20:00Z"},
		{"12/24/25", NULL, "2025-12-24T00:00:00Z"},
		{"monday", NULL, "2026-11-30T00:00:00Z"},
		{"january 8", NULL, "2026-01-08T00:00:00Z"},
		{"midnight+90min", NULL, "2026-12-01T01:30:00Z"},
		{"-2w", NULL, "2026-11-17T12:00:00Z"}, {"-1mon", NULL, "2026-11-01T12:00:00Z"},
		{"00:00_20260701", "Europe/Berlin", "2026-06-30T22:00:00Z"},
		{"-1y", NULL, "2025-12-01T12:00:00Z"}};
	static const char *const bad[] = {"", "yesteryear", "-5", "25:00", "20261301x", "jan",
		"-1m", "99999999999999", "31/31/26", "-99999999999d"};
	struct error err;
	int64_t at, wanted;
	for (size_t i = 0; i < array_len(cases); i++) {
		assert_true(graphite_moment(cases[i].text, now_s(), cases[i].zone, &at, &err));
		assert_true(clock_parse_rfc3339(cases[i].at, &wanted));
		if (at != wanted / 1000000)
			fail_msg("%s: %lld", cases[i].text, (long long)(at - wanted / 1000000));
	}
	for (size_t i = 1; i < array_len(bad); i++)
		assert_false(graphite_moment(bad[i], now_s(), NULL, &at, &err));
	assert_false(graphite_moment("now", now_s(), "No/Where", &at, &err));
}

int test_graphite(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_values, setup, teardown),
		cmocka_unit_test_setup_teardown(test_probes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_dists, setup, teardown),
		cmocka_unit_test_setup_teardown(test_names, setup, teardown),
		cmocka_unit_test_setup_teardown(test_steps, setup, teardown),
		cmocka_unit_test_setup_teardown(test_locations, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trees, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tree_patterns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_cancel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_limits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_times, setup, teardown)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

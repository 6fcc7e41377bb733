/*
 * flags.c - what a pass over a rule set costs, and a sample on its way in.
 *
 *	bench-flags DIRECTORY RULES MINUTES WIDTH [lines]
 *
 * Every path that a flag asks about becomes WIDTH series for each of its first two wildcards, fed
 * every 10 s of MINUTES in virtual time; with `lines` as gauges, which is what another StatsD's
 * lines of Graphite become. Prints JSON: flags, those of the usual shapes, series, ms
 * of the passes that judge a minute (of the last hour), the longest pass of all, ns of CPU that
 * watching takes of a sample, and ms of CPU, of all threads, of /render of one flag's tree.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/map.h"
#include "judge/cloudmon/cloudmon.h"
#include "judge/graphite/target.h"

#define PASSES  60
#define RENDERS 20

struct feed {
	struct series *series;
	enum series_kind kind;
};

static struct {
	struct loop *loop;
	struct clock clock;
	struct series_store *store;
	struct map seen;
	VEC(struct feed) feeds;
	struct series_hist hist;
	int width;
	bool lines;
} b;

static int64_t cpu_of(clockid_t whose)
{
	struct timespec t;
	clock_gettime(whose, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t cpu_ns(void)
{
	return cpu_of(CLOCK_THREAD_CPUTIME_ID);
}

/* --- series ------------------------------------------------------------------------------------
 */

static void add_series(const char *path)
{
	const char *dot = strrchr(path, '.');
	const bool is_timer = strcmp(dot, ".mean") == 0;
	char *name = b.lines ? mem_strdup(path) : mem_strndup(path, (size_t)(dot - path));
	if (!map_get(&b.seen, name)) {
		map_put(&b.seen, name, name);
		const struct series_key key = {.kind = b.lines    ? SERIES_GAUGE
						       : is_timer ? SERIES_DIST
								  : SERIES_SUM,
			.unit = is_timer && !b.lines ? "us" : "",
			.location = "",
			.name = name};
		struct series *s = series_get(b.store, &key);
		if (s)
			vec_push(&b.feeds, ((struct feed){s, key.kind}));
	} else {
		free(name);
	}
}

/* A wildcard is one of WIDTH names, further ones are one. */
static void expand(struct slice rest, struct buf *path, int wildcards)
{
	struct slice part;
	if (!slice_next(&rest, '.', &part)) {
		add_series(buf_str(path));
		return;
	}
	const size_t before = path->n;
	const bool is_last_but_one = slice_find(rest, '.') == rest.n;
	const bool wild = slice_find(part, '*') < part.n;
	const int names = wild && wildcards < 2 && !is_last_but_one ? b.width : 1;
	for (int i = 0; i < names; i++) {
		buf_cut(path, before);
		buf_add_str(path, before ? "." : "");
		if (!wild)
			buf_add_slice(path, part);
		else if (is_last_but_one)
			buf_add_str(path, "200");
		else
			buf_printf(path, "w%d", i);
		expand(rest, path, wildcards + wild);
	}
	buf_cut(path, before);
}

static void add_paths(const struct target_node *n)
{
	struct buf path = BUF(BUF_LINE);
	/* Nothing fails here: series that fail come with the first failure. */
	if (n->type == TARGET_PATH && !strstr(n->text, ".failed.") && !strstr(n->text, ".5*."))
		expand(slice_of(n->text), &path, 0);
	buf_fini(&path);
	for (size_t i = 0; i < n->args.n; i++)
		add_paths(n->args.p[i]);
}

static void feed(void)
{
	const int64_t now = clock_unix_us(&b.clock) / 1000;
	VEC_EACH (&b.feeds, struct feed, f) {
		struct series_sample s = {.at_ms = now, .value = 5};
		if (f->kind == SERIES_DIST) {
			s.n = 5;
			s.value = 500000;
			s.min = s.max = 100000;
			s.hist = &b.hist;
		}
		series_append(f->series, &s);
	}
}

/* --- passes --------------------------------------------------------------------------------------
 */

static int by_size(const void *a, const void *c)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)c;
	return x < y ? -1 : x > y;
}

static void on_lines(void *arg, struct graphite_lines *lines, const struct error *err)
{
	if (err || lines->n != 1)
		mem_panic("a flag's tree: %s", err ? err->msg : "not one line");
	graphite_lines_free(lines);
	*(bool *)arg = true;
}

static double render_ms(struct graphite *g, struct cloudmon *c)
{
	const struct cloudmon_flag *f = cloudmon_flag_at(
		cloudmon_rules_of(c), cloudmon_flag_count(cloudmon_rules_of(c)) / 2);
	char *target = mem_printf("flag.%s.%s", f->environment, f->name);
	const int64_t now = clock_unix_us(&b.clock) / 1000000;
	const struct graphite_question q = {.targets = (const char *const *)&target,
		.target_count = 1,
		.from_s = now - 600,
		.until_s = now};
	const int64_t begin = cpu_of(CLOCK_PROCESS_CPUTIME_ID);
	for (int i = 0; i < RENDERS; i++) {
		bool done = false;
		graphite_render(g, &q, on_lines, &done);
		loop_run_until(b.loop, &done);
	}
	free(target);
	return (double)(cpu_of(CLOCK_PROCESS_CPUTIME_ID) - begin) / 1e6 / RENDERS;
}

static void run(struct graphite *g, struct cloudmon *c, int minutes)
{
	int64_t passes[PASSES] = {0}, longest = 0, watched = 0, alone = 0;
	size_t n = 0;
	struct cloudmon_point last;
	for (int i = 0; i < minutes * 6; i++) {
		loop_advance(b.loop, 10 * NS_PER_S);
		const int64_t begin = cpu_ns();
		feed();
		watched += cpu_ns() - begin;
		cloudmon_last(c, 0, &last);
		const int64_t before = last.at_s, pass = cpu_ns();
		cloudmon_pass(c);
		const int64_t took = cpu_ns() - pass;
		cloudmon_last(c, 0, &last);
		if (i > 120 && took > longest)
			longest = took;
		if (i > 120 && last.at_s != before)
			passes[n++ % PASSES] = took;
		if (i % 60 == 59)
			series_settle(b.store);
	}
	series_settle(b.store);
	const struct cloudmon_rules *rules = cloudmon_rules_of(c);
	const size_t flags = cloudmon_flag_count(rules), usual = cloudmon_usual(c);
	size_t green = 0;
	for (size_t i = 0; i < cloudmon_health_count(rules); i++)
		green += cloudmon_last(c, i, &last) && last.weight == 0;
	cloudmon_trees(&c, g);
	const double render = render_ms(g, c);
	cloudmon_free(c);
	c = NULL;
	for (int i = 0; i < 30; i++) {
		loop_advance(b.loop, 10 * NS_PER_S);
		const int64_t begin = cpu_ns();
		feed();
		alone += cpu_ns() - begin;
	}
	n = n < PASSES ? n : PASSES;
	qsort(passes, n, sizeof(*passes), by_size);
	const double samples = (double)b.feeds.n * minutes * 6;
	printf("{\"flags\": %zu, \"usual\": %zu, \"healths\": %zu, \"green\": %zu, \"series\": %zu,"
	       " \"passes\": %zu, \"median_ms\": %.3f, \"most_ms\": %.3f, \"longest_ms\": %.3f,"
	       " \"watch_ns\": %.0f, \"append_ns\": %.0f, \"render_ms\": %.3f}\n",
		flags, usual, cloudmon_health_count(rules), green, b.feeds.n, n,
		n ? (double)passes[n / 2] / 1e6 : 0, n ? (double)passes[n - 1] / 1e6 : 0,
		(double)longest / 1e6,
		(double)watched / samples - (double)alone / ((double)b.feeds.n * 30),
		(double)alone / ((double)b.feeds.n * 30), render);
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct error_list errors = {0};
	int64_t us;
	if (argc != 5 && argc != 6)
		return 2;
	b.width = (int)strtol(argv[4], NULL, 10);
	b.lines = argc == 6;
	clock_parse_rfc3339("2026-12-01T00:00:00Z", &us);
	clock_init_virtual(&b.clock, us);
	b.loop = loop_new(&b.clock, &err);
	b.store = b.loop ? series_open(argv[1], b.loop, NULL, &err) : NULL;
	struct cloudmon_rules *rules = cloudmon_rules_load(argv[2], NULL, NULL, NULL, &errors);
	struct graphite *g = b.store ? graphite_new(b.loop, b.store, &err) : NULL;
	if (!rules || !g) {
		fprintf(stderr, "%s\n", errors.n ? errors.p[0].msg : err.msg);
		return 1;
	}
	series_hist_add(&b.hist, 100000, 5);
	for (size_t i = 0; i < cloudmon_flag_count(rules); i++) {
		struct target *t = target_parse(slice_of(cloudmon_flag_at(rules, i)->query), &err);
		if (t)
			add_paths(target_root(t));
		target_free(t);
	}
	run(g, cloudmon_new(b.loop, g, rules, &(struct cloudmon_options){.series = b.store}),
		(int)strtol(argv[3], NULL, 10));
	graphite_free(g);
	cloudmon_rules_free(rules);
	series_hist_fini(&b.hist);
	MAP_EACH (&b.seen, e)
		free(e->value);
	map_fini(&b.seen);
	vec_fini(&b.feeds);
	series_close(b.store);
	loop_free(b.loop);
	return 0;
}

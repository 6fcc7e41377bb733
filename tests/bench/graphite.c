/*
 * graphite.c - finding among 200,000 series and a day of production's questions, as the loop sees
 *them.
 *
 *	bench-graphite DIRECTORY
 *
 * Prints a line for each: the time of the first question (all names are new), of patterns, of tags;
 *of a question over 50 series for an hour and for five minutes; and the longest turn of the loop.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/vec.h"
#include "judge/graphite/graphite.h"

#define SERIES 200000
#define TIMES  20

static struct loop *loop;
static struct graphite *graphite;
static bool done;
static size_t got;

static void on_names(void *arg, json_t *answer, const struct error *err)
{
	got = err ? 0 : json_array_size(answer);
	if (err)
		printf("%s\n", err->msg);
	json_decref(answer);
	done = true;
}

static void on_lines(void *arg, struct graphite_lines *lines, const struct error *err)
{
	got = lines ? lines->n : 0;
	if (err)
		printf("%s\n", err->msg);
	graphite_lines_free(lines);
	done = true;
}

/* Of all threads. */
static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t loop_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

struct cost {
	int64_t all, loop;
};

static void say(const char *what, int64_t *ns, size_t n, struct cost begin)
{
	int64_t least = INT64_MAX, most = 0;
	for (size_t i = 0; i < n; i++) {
		least = ns[i] < least ? ns[i] : least;
		most = ns[i] > most ? ns[i] : most;
	}
	printf("%-44.44s %8.2f to %8.2f ms, CPU %7.2f ms, the loop's %6.2f ms; %zu found; longest turn %.2f ms\n",
		what, (double)least / 1e6, (double)most / 1e6,
		(double)(cpu_ns() - begin.all) / 1e6 / (double)n,
		(double)(loop_cpu_ns() - begin.loop) / 1e6 / (double)n, got,
		(double)loop_longest_turn_ns(loop, true) / 1e6);
}

static void find(const char *pattern, const char *expr, size_t times)
{
	int64_t ns[TIMES];
	const struct cost cpu = {cpu_ns(), loop_cpu_ns()};
	for (size_t i = 0; i < times; i++) {
		const int64_t begin = clock_mono_ns(&clock_system);
		done = false;
		graphite_names(graphite,
			&(struct graphite_naming){
				.about = expr ? GRAPHITE_ABOUT_SERIES : GRAPHITE_ABOUT_NODES,
				.pattern = pattern,
				.exprs = &expr,
				.expr_count = expr != NULL},
			on_names, NULL);
		loop_run_until(loop, &done);
		ns[i] = clock_mono_ns(&clock_system) - begin;
	}
	say(expr ? expr : pattern, ns, times, cpu);
}

static void ask(const char *target, int64_t seconds)
{
	int64_t ns[TIMES];
	const struct cost cpu = {cpu_ns(), loop_cpu_ns()};
	const int64_t now = clock_unix_us(&clock_system) / 1000000;
	for (size_t i = 0; i < TIMES; i++) {
		const int64_t begin = clock_mono_ns(&clock_system);
		done = false;
		graphite_render(graphite,
			&(struct graphite_question){.targets = &target,
				.target_count = 1,
				.from_s = now - seconds,
				.until_s = now},
			on_lines, NULL);
		loop_run_until(loop, &done);
		ns[i] = clock_mono_ns(&clock_system) - begin;
	}
	char *what = mem_printf("%.40s, %lld s", target, (long long)seconds);
	say(what, ns, TIMES, cpu);
	free(what);
}

static void fill(struct series_store *store)
{
	const int64_t now = clock_unix_us(&clock_system) / 1000;
	char name[200];
	for (int i = 0; i < SERIES; i++) {
		snprintf(name, sizeof(name),
			"stats.counters.openstack.api.env%d.zone%d.service%d.GET.resource%d.%d",
			i % 4, i / 4 % 2, i / 8 % 50, i / 400 % 100, 200 + i / 40000);
		struct series *s = series_get(store,
			&(struct series_key){
				.kind = SERIES_SUM, .unit = "", .location = "", .name = name});
		/* an hour of one service */
		for (int64_t at = now - 3600000; i % 400 == 0 && at < now; at += 10000)
			series_append(s, &(struct series_sample){.at_ms = at, .value = 3});
	}
}

int main(int argc, char **argv)
{
	struct error err = {0};
	struct rusage before, after;
	if (argc < 2)
		return 2;
	loop = loop_new(NULL, &err);
	struct series_store *store = loop ? series_open(argv[1], loop, NULL, &err) : NULL;
	if (store)
		fill(store);
	getrusage(RUSAGE_SELF, &before);
	graphite = store ? graphite_new(loop, store, &err) : NULL;
	if (!graphite) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	loop_longest_turn_ns(loop, true);
	find("stats.*", NULL, 1);
	getrusage(RUSAGE_SELF, &after);
	printf("memory for the paths: %ld MB\n", (after.ru_maxrss - before.ru_maxrss) / 1024);
	find("stats.*", NULL, TIMES);
	find("stats.counters.openstack.api.env1.*.service7.*.*.*.count", NULL, TIMES);
	find("stats.counters.openstack.api.*.*.*.*.resource9.{2*,3*,404}.count", NULL, TIMES);
	find(NULL, "name=stats.counters.openstack.api.env0.zone0.service0.GET.resource0.200.count",
		TIMES);
	ask("sumSeries(stats.counters.openstack.api.env0.*.service0.*.*.{2*,3*,404}.count)", 300);
	ask("sumSeries(stats.counters.openstack.api.env0.*.service0.*.*.{2*,3*,404}.count)", 3600);
	graphite_free(graphite);
	series_close(store);
	loop_free(loop);
	return 0;
}

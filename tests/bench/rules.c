/*
 * rules.c - a day of 10 s data and many rules in virtual time: what a round costs live, and how
 * long a replay of the day takes, in CPU time of the loop. Usage: bench-rules DIR RULES [HOURS].
 * Prints one JSON line.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/vec.h"
#include "judge/rules/rules.h"

struct bench {
	struct clock clock;
	struct loop *loop;
	struct series_store *store;
	VEC(struct rule *) rules;
	VEC(struct series *) series;
	VEC(double) rounds_ms;
	size_t tells, changes;
	bool done;
};

static void on_tell(void *arg, const struct judge_told *t)
{
	((struct bench *)arg)->tells++;
}

static void on_changed(void *arg, const struct rule_change *c)
{
	((struct bench *)arg)->changes++;
}

static void on_done(void *arg, const struct error *err)
{
	((struct bench *)arg)->done = true;
}

static void add_rule(struct bench *b, int i)
{
	static const char *const functions[] = {"success_rate", "p95", "count", "p99"};
	static const char *const limits[] = {"< 95%", "> 350ms", "< 20", "> 345ms"};
	struct rule_text t;
	struct error_list errors = {0};
	rule_text_init(&t);
	t.name = mem_printf("r%d", i);
	t.component = mem_strdup("compute");
	t.when = mem_printf("%s(probe{probe=\"p%d\"}) %s", functions[i % 4], i, limits[i % 4]);
	t.file = "bench";
	struct rule *r = rule_new(&t, &errors);
	if (!r)
		mem_panic("%s", errors.p[0].msg);
	rule_text_fini(&t);
	vec_push(&b->rules, r);
	char *name = mem_printf("p%d", i);
	const struct series_tag tags[] = {{"component", "compute"}, {"probe", name}};
	vec_push(&b->series, series_get(b->store, &(struct series_key){.kind = SERIES_PROBE,
							  .unit = "us",
							  .location = "",
							  .name = "probe",
							  .tags = tags,
							  .tag_count = 2}));
	free(name);
}

/* Of this thread, so that what else runs on the machine does not count. */
static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void second(struct bench *b, int64_t i)
{
	const int64_t now = clock_unix_us(&b->clock) / 1000;
	for (size_t k = 0; i % 10 == 0 && k < b->series.n; k++) {
		const int64_t hash = (int64_t)(((uint64_t)i * 2654435761U + k * 40503U) % 1000);
		series_append(
			b->series.p[k], &(struct series_sample){.at_ms = now,
						.fault = hash < 5 ? FAULT_TIMEOUT : FAULT_NONE,
						.tries = 1,
						.total_us = 50000 + hash * 300});
	}
	const int64_t begin = cpu_ns();
	loop_advance(b->loop, NS_PER_S);
	if (i % 10 == 9) /* the second in which a round is made */
		vec_push(&b->rounds_ms, (double)(cpu_ns() - begin) / 1e6);
}

static int by_size(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
	struct bench b = {0};
	struct error err = {0};
	if (argc < 3)
		return 2;
	const int n = (int)strtol(argv[2], NULL, 10);
	const int64_t seconds = (argc > 3 ? strtol(argv[3], NULL, 10) : 24) * 3600;
	clock_init_virtual(&b.clock, 1764547200LL * 1000000);
	b.loop = loop_new(&b.clock, &err);
	b.store = b.loop ? series_open(argv[1], b.loop, NULL, &err) : NULL;
	if (!b.store)
		mem_panic("%s", err.msg);
	for (int i = 0; i < n; i++)
		add_rule(&b, i);
	const struct rules_options o = {.rules = b.rules.p,
		.n = b.rules.n,
		.tell = on_tell,
		.changed = on_changed,
		.arg = &b};
	struct rules *rules = rules_new(b.loop, b.store, &o);
	const int64_t from = clock_unix_us(&b.clock) / 1000;
	rules_start(rules, NULL);
	for (int i = 0; i < n; i++) { /* what was before is read, a few at once */
		series_settle(b.store);
		loop_advance(b.loop, 0);
	}
	loop_longest_turn_ns(b.loop, true);
	for (int64_t i = 0; i < seconds; i++)
		second(&b, i);
	rules_free(rules);
	const int64_t turn_ns = loop_longest_turn_ns(b.loop, true);
	const size_t live = b.changes;
	qsort(b.rounds_ms.p, b.rounds_ms.n, sizeof(double), by_size);
	b.changes = 0;
	rules = rules_new(b.loop, b.store, &o);
	const int64_t begin = cpu_ns();
	rules_replay(rules, from, from + seconds * 1000, on_done, &b);
	loop_run_until(b.loop, &b.done);
	printf("{\"rules\": %d, \"hours\": %lld, \"round_ms_median\": %.3f, \"round_ms_p99\": %.3f,"
	       " \"round_ms_max\": %.3f, \"longest_turn_ms\": %.2f, \"tells\": %zu, \"changes_live\": %zu, \"changes_replayed\":"
	       " %zu, \"replay_s\": %.2f}\n",
		n, (long long)seconds / 3600, b.rounds_ms.p[b.rounds_ms.n / 2],
		b.rounds_ms.p[b.rounds_ms.n * 99 / 100], b.rounds_ms.p[b.rounds_ms.n - 1],
		(double)turn_ns / 1e6, b.tells, live, b.changes, (double)(cpu_ns() - begin) / 1e9);
	rules_free(rules);
	series_close(b.store);
	loop_free(b.loop);
	return 0;
}

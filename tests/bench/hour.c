/*
 * hour.c - the series store by itself: what an hour of PROBES probes every 10 s takes of memory, in
 * virtual time, as the running program has it: the next hour has begun when one is sealed.
 *
 *	bench-hour DIRECTORY [PROBES [TIME]]
 *
 * Prints one JSON line, bytes over what was there before the first sample: after four minutes, at
 * the most before the hour is sealed, while it is, and after; at the most while all series are asked
 * at once about the current hour, over what was there before; what such a query takes of the CPU, in
 * microseconds a series, and sealing, in seconds. Then what a new process takes at the end of the
 * hour until it has read back what is not sealed: bytes at the most, seconds, and seconds of the
 * CPU. That process is the one with a TIME, in ms.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/random.h"
#include "base/vec.h"
#include "store/series.h"

#define STEP_MS 10000
#define BEGIN   1798416000000 /* 2026-12-28, a Monday */
#define TURNS   10            /* of the writer, a step */

static struct random source;
static struct loop *loop;
static struct series_store *store;

/* As on a loopback or a network that is near: it differs by a tenth, and now and then by much. */
static int64_t draw_us(double mean)
{
	double sum = 0;
	for (int i = 0; i < 6; i++)
		sum += random_unit(&source);
	return (int64_t)(mean * exp(0.25 * (sum - 3) * 1.414) *
			 (random_below(&source, 100) ? 1 : 10)) +
	       1;
}

static void run_probe(struct series *s, int64_t at_ms)
{
	struct series_sample one = {.at_ms = at_ms + (int64_t)random_below(&source, 2), .tries = 1};
	one.phase_us[SERIES_CONNECT] = draw_us(80);
	one.phase_us[SERIES_WAIT] = draw_us(160);
	one.total_us = one.phase_us[SERIES_CONNECT] + one.phase_us[SERIES_WAIT];
	if (!series_append(s, &one))
		mem_panic("a sample was refused");
}

/* Bytes from a file of /proc/self, a line of it that begins so. */
static double kept(const char *file, const char *begin)
{
	char line[256];
	double kib = -1;
	FILE *f = fopen(file, "r");
	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, begin, strlen(begin)))
			kib = strtod(line + strlen(begin), NULL);
	if (f)
		fclose(f);
	if (kib < 0)
		mem_panic("%s has no %s", file, begin);
	return kib * 1024;
}

static double memory(void)
{
	return kept("/proc/self/smaps_rollup", "Pss:");
}

/* The most from now on. */
static void forget_most(void)
{
	FILE *f = fopen("/proc/self/clear_refs", "w");
	if (!f || fputs("5", f) < 0 || fclose(f) != 0)
		mem_panic("/proc/self/clear_refs cannot be written");
}

static double most(void)
{
	return kept("/proc/self/status", "VmHWM:");
}

/* Shared pages are all in it: only differences of it are compared. */
static double resident(void)
{
	return kept("/proc/self/status", "VmRSS:");
}

/* One step of all of them, as their schedule spreads them. */
static void step(struct series **all, size_t n, int64_t at_ms)
{
	for (size_t turn = 0; turn < TURNS; turn++) {
		for (size_t i = n * turn / TURNS; i < n * (turn + 1) / TURNS; i++)
			run_probe(all[i], at_ms + (int64_t)i * (STEP_MS - 10) / (int64_t)n);
		loop_advance(loop, STEP_MS / TURNS * NS_PER_MS);
		series_settle(store);
	}
}

/* --- queries -----------------------------------------------------------------------------------
 */

static size_t answered;
static uint64_t counted;
static bool all_answered;

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	if (err)
		mem_panic("no points: %s", err->msg);
	for (size_t i = 0; i < points->n; i++)
		counted += points->p[i].n;
	all_answered = --answered == 0;
}

static int64_t cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Microseconds of CPU a series, all asked at once: the least of five. */
static double ask(struct series **all, size_t n, int64_t from_ms)
{
	double least = INFINITY;
	for (int i = 0; i < 5; i++) {
		const int64_t began = cpu_ns();
		answered = n;
		counted = 0;
		all_answered = false;
		for (size_t k = 0; k < n; k++)
			series_read(all[k], from_ms, from_ms + SERIES_HOUR_MS, 600000, true,
				on_points, NULL);
		loop_run_until(loop, &all_answered);
		least = fmin(least, (double)(cpu_ns() - began) / 1e3);
		if (counted != n * SERIES_HOUR_MS / STEP_MS)
			mem_panic("%llu runs came back", (unsigned long long)counted);
	}
	return least / (double)n;
}

/* --- a restart ---------------------------------------------------------------------------------
 */

static struct clock virtual_time;

static void open_store(const char *dir, int64_t at_ms)
{
	struct error err = {0};
	clock_init_virtual(&virtual_time, at_ms * 1000);
	loop = loop_new(&virtual_time, &err);
	store = loop ? series_open(dir, loop, NULL, &err) : NULL;
	if (!store)
		mem_panic("%s", err.msg);
}

static int restart(const char *dir, size_t n, int64_t at_ms)
{
	const double before = resident();
	forget_most();
	const int64_t began = cpu_ns(), began_real = clock_mono_ns(&clock_system);
	open_store(dir, at_ms);
	const int64_t took = cpu_ns() - began,
		      took_real = clock_mono_ns(&clock_system) - began_real;
	const double highest = most() - before;
	const struct series_status status = series_status(store);
	if (status.series != n || status.corrupt)
		mem_panic("%zu series came back", status.series);
	printf("%.0f %.3f %.3f\n", highest, (double)took_real / 1e9, (double)took / 1e9);
	series_close(store);
	loop_free(loop);
	return 0;
}

/* names: bytes that the series take by themselves. */
static void print_restart(const char *self, const char *dir, size_t n, int64_t at_ms, double names)
{
	char *command = mem_printf("%s '%s' %zu %lld", self, dir, n, (long long)at_ms);
	double bytes, s, cpu_s;
	FILE *f = popen(command, "r");
	if (!f || fscanf(f, "%lf %lf %lf", &bytes, &s, &cpu_s) != 3 || pclose(f) != 0)
		mem_panic("a restart failed");
	free(command);
	printf(", \"restart_bytes\": %.0f, \"restart_s\": %.2f, \"restart_cpu_s\": %.2f}\n",
		bytes - names, s, cpu_s);
}

int main(int argc, char **argv)
{
	const size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000;
	if (argc < 2 || !n)
		return 2;
	mem_settle();
	if (argc > 3)
		return restart(argv[1], n, strtoll(argv[3], NULL, 10));
	random_init_seed(&source, 1);
	open_store(argv[1], BEGIN);
	const double empty = memory();
	struct series **all = mem_new_array(n, sizeof(struct series *));
	for (size_t i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "probe.%zu", i);
		const struct series_key key = {SERIES_PROBE, "us", "here", name, NULL, 0};
		all[i] = series_get(store, &key);
	}
	const double before = memory();
	double early = 0, highest = 0;
	int64_t at = BEGIN;
	for (; at < BEGIN + SERIES_HOUR_MS + 590000; at += STEP_MS) {
		step(all, n, at);
		const double now = memory() - before;
		if (at == BEGIN + 240000)
			early = now;
		highest = fmax(highest, now);
	}
	const double sealing_before = resident(), unsealed = memory() - before;
	forget_most();
	const int64_t began = cpu_ns();
	for (; at < BEGIN + SERIES_HOUR_MS + 620000; at += STEP_MS)
		step(all, n, at);
	const double sealing = unsealed + most() - sealing_before;
	const int64_t took = cpu_ns() - began;
	for (; at < BEGIN + SERIES_HOUR_MS + 840000; at += STEP_MS)
		step(all, n, at);
	const double after = memory() - before;
	for (; at < BEGIN + 2 * SERIES_HOUR_MS; at += STEP_MS)
		step(all, n, at);
	const double asking_before = resident();
	forget_most();
	const double asked = ask(all, n, BEGIN + SERIES_HOUR_MS);
	const double asking = most() - asking_before;
	const struct series_status status = series_status(store);
	if (!status.storing || status.lost || status.corrupt)
		mem_panic("not all of it was stored: %s", status.why.msg);
	printf("{\"probes\": %zu, \"early_bytes\": %.0f, \"most_bytes\": %.0f, \"sealing_bytes\": %.0f,"
	       " \"after_bytes\": %.0f, \"asking_bytes\": %.0f, \"asked_us\": %.2f, \"seal_s\": %.2f",
		n, early, highest, sealing, after, asking, asked, (double)took / 1e9);
	fflush(stdout);
	series_close(store);
	loop_free(loop);
	free(all);
	print_restart(argv[0], argv[1], n, at, before - empty);
	return 0;
}

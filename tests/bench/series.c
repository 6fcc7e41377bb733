/*
 * series.c - the series store by itself: one day of PROBES probes every 10 s in virtual time.
 *
 *	bench-series DIRECTORY [PROBES]
 *
 * Prints one JSON line: bytes per run in each kind of file, rows per second, memory, the time of a
 * 90-day bar and of a day of 10-minute points (median and worst of 200, as the loop sees them). The
 * probes have different means, a jittered schedule, five phases with a tail, and fail now and then,
 * some in bursts.
 */
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/random.h"
#include "base/vec.h"
#include "store/series.h"

#define STEP_MS 10000
#define BEGIN   1798416000000 /* 2026-12-28, a Monday */

struct probe {
	struct series *series;
	double mean_us;
	int64_t offset_ms;
	int burst; /* runs that still fail */
};

static struct random source;

/* Log-normal about the mean: sigma 0.25, and one in a hundred is ten times that. */
static int64_t draw_us(double mean)
{
	double sum = 0;
	for (int i = 0; i < 6; i++)
		sum += random_unit(&source);
	const double normal = (sum - 3) * 1.414;
	return (int64_t)(mean * exp(0.25 * normal) * (random_below(&source, 100) ? 1 : 10));
}

static void run_probe(struct probe *p, int64_t at_ms)
{
	struct series_sample s = {.tries = 1};
	s.at_ms = at_ms + p->offset_ms + (int64_t)random_below(&source, 40);
	s.phase_us[SERIES_CONNECT] = draw_us(p->mean_us * 0.1);
	s.phase_us[SERIES_TLS] = draw_us(p->mean_us * 0.2);
	s.phase_us[SERIES_WAIT] = draw_us(p->mean_us * 0.65);
	s.phase_us[SERIES_BODY] = draw_us(p->mean_us * 0.05);
	s.total_us = s.phase_us[SERIES_CONNECT] + s.phase_us[SERIES_TLS] + s.phase_us[SERIES_WAIT] +
		     s.phase_us[SERIES_BODY];
	if (!p->burst && random_below(&source, 5000) == 0)
		p->burst = 1 + (int)random_below(&source, 30);
	if (p->burst) {
		p->burst--;
		s.fault = random_below(&source, 3) ? FAULT_HTTP_503 : FAULT_TIMEOUT;
	}
	series_append(p->series, &s);
}

static double seconds(void)
{
	return (double)clock_mono_ns(&clock_system) / 1e9;
}

static double cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

/* Bytes of all files that begin so. */
static double bytes(const char *dir, const char *begin)
{
	char *path = mem_printf("%s/series", dir);
	DIR *d = opendir(path);
	double sum = 0;
	struct dirent *e;
	while (d && (e = readdir(d))) {
		struct stat st;
		char *file = mem_printf("%s/%s", path, e->d_name);
		if (!strncmp(e->d_name, begin, strlen(begin)) && stat(file, &st) == 0)
			sum += (double)st.st_size;
		free(file);
	}
	if (d)
		closedir(d);
	free(path);
	return sum;
}

/* --- queries -----------------------------------------------------------------------------------
 */

static bool answered;

static void on_days(void *arg, const struct series_day *days, size_t n, const struct error *err)
{
	if (err || n != 90)
		mem_panic("no bar: %s", err ? err->msg : "too short");
	answered = true;
}

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	if (err || points->n != 144)
		mem_panic("no points: %s", err ? err->msg : "too few");
	answered = true;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

/* Median and worst in ms; each of another series, so that nothing is cached. */
static void time_queries(struct loop *l, const struct probe *probes, size_t n, bool bar,
	double *median, double *worst)
{
	double took[200];
	for (size_t i = 0; i < array_len(took); i++) {
		struct series *s = probes[i * 7 % n].series;
		const double began = seconds();
		answered = false;
		if (bar)
			series_days(s, BEGIN / SERIES_DAY_MS - 89, 90, on_days, NULL);
		else
			series_read(s, BEGIN, BEGIN + SERIES_DAY_MS, 600000, true, on_points, NULL);
		loop_run_until(l, &answered);
		took[i] = (seconds() - began) * 1e3;
	}
	qsort(took, array_len(took), sizeof(*took), by_value);
	*median = took[array_len(took) / 2];
	*worst = took[array_len(took) - 1];
}

/* 89 earlier days, so that the bar is full: one sample a day and probe, in the order of a year. */
static void fill_days(struct series_store *st, struct loop *l, struct probe *probes, size_t n)
{
	for (int day = 0; day < 89; day++) {
		const int64_t now = clock_unix_us(loop_clock(l)) / 1000;
		for (size_t i = 0; i < n; i++)
			run_probe(&probes[i], now - STEP_MS);
		series_settle(st);
		loop_advance(l, SERIES_DAY_MS * NS_PER_MS);
		series_settle(st);
	}
}

int main(int argc, char **argv)
{
	const size_t n = argc > 2 ? strtoul(argv[2], NULL, 10) : 1000;
	struct clock clock;
	struct error err = {0};
	if (argc < 2 || !n)
		return 2;
	random_init_seed(&source, 1);
	clock_init_virtual(&clock, (BEGIN - 89 * SERIES_DAY_MS) * 1000);
	struct loop *l = loop_new(&clock, &err);
	struct series_store *st = series_open(argv[1], l, NULL, &err);
	if (!st)
		mem_panic("%s", err.msg);
	struct probe *probes = mem_new_array(n, sizeof(*probes));
	for (size_t i = 0; i < n; i++) {
		char name[32];
		snprintf(name, sizeof(name), "probe.%zu", i);
		const struct series_key key = {SERIES_PROBE, "us", "here", name, NULL, 0};
		probes[i] = (struct probe){.series = series_get(st, &key),
			.mean_us = 2000 * exp(random_unit(&source) * 6),
			.offset_ms = (int64_t)random_below(&source, STEP_MS - 100)};
	}
	fill_days(st, l, probes, n);
	const double raw = bytes(argv[1], "raw-"), ten = bytes(argv[1], "10m-");
	const double hour = bytes(argv[1], "1h-"), days = bytes(argv[1], "days");
	const double began = seconds(), cpu_began = cpu();
	size_t head_bytes = 0;
	for (int64_t at = BEGIN; at < BEGIN + SERIES_DAY_MS; at += STEP_MS) {
		for (size_t i = 0; i < n; i++)
			run_probe(&probes[i], at);
		loop_advance(l, STEP_MS * NS_PER_MS);
		series_settle(st);
		/* the most: an hour that is not sealed yet, and the next one has begun */
		if ((at - BEGIN) % SERIES_HOUR_MS == 590 * 1000)
			head_bytes = series_status(st).head_bytes;
	}
	loop_advance(l, 11 * 60 * NS_PER_S);
	series_settle(st);
	const double took = seconds() - began, used = cpu() - cpu_began;
	const struct series_status status = series_status(st);
	if (!status.storing || status.lost || status.refused_ahead || status.refused_old)
		mem_panic("not all of it was stored: %s", status.why.msg);
	double bar[2], points[2];
	time_queries(l, probes, n, true, &bar[0], &bar[1]);
	time_queries(l, probes, n, false, &points[0], &points[1]);
	const double runs = (double)n * (double)(SERIES_DAY_MS / STEP_MS);
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	printf("{\"probes\": %zu, \"runs\": %.0f, \"raw_bytes\": %.0f, \"ten_bytes\": %.0f,"
	       " \"hour_bytes\": %.0f, \"day_bytes\": %.0f, \"all_day_bytes\": %.0f,"
	       " \"wall_s\": %.2f, \"cpu_s\": %.2f, \"head_bytes\": %zu, \"rss_kib\": %ld,"
	       " \"bar_ms\": %.3f, \"bar_worst_ms\": %.3f, \"points_ms\": %.3f,"
	       " \"points_worst_ms\": %.3f}\n",
		n, runs, bytes(argv[1], "raw-") - raw, bytes(argv[1], "10m-") - ten,
		bytes(argv[1], "1h-") - hour, bytes(argv[1], "days") - days, bytes(argv[1], "days"),
		took, used, head_bytes, u.ru_maxrss, bar[0], bar[1], points[0], points[1]);
	series_close(st);
	loop_free(l);
	free(probes);
	return 0;
}

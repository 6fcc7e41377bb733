/*
 * series_command.c - `glasshouse series`: what was measured, as a table, CSV or JSON.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "base/vec.h"
#include "cli/moment.h"
#include "cli/session.h"
#include "store/series.h"

const char series_usage[] =
	"usage: glasshouse series NAME|PATTERN [OPTION]...\n"
	"       glasshouse series --list [PATTERN]\n"
	"\n"
	"Shows what was measured over time: a line a step of time with the number of runs, how many\n"
	"were good, their median, 95th percentile and longest, and the faults of the others. The\n"
	"pattern (* ? [...]) is held against the name, and against name{tag=\"value\",...}.\n"
	"\n"
	"  --from TIME         begin: 2h (ago), or 2026-11-24T13:00:00Z (default: 24h)\n"
	"  --to TIME           end, likewise (default: now)\n"
	"  --step TIME         so much time a line: 10s, 10m, 1h, 1d (default: at most 60 lines)\n"
	"  --list              the names, and when each was measured last\n"
	"  --csv               comma-separated values, times in microseconds\n"
	"  --json              one JSON line a step\n"
	"  --state DIR         where series/ stands\n"
	"\n"
	"example: glasshouse series 'server-login*' --from 7d --step 1h\n"
	"exit: 0 fine, 1 no series of that name, 2 could not run\n";

enum form { FORM_TABLE, FORM_CSV, FORM_JSON };

struct options {
	const char *pattern, *from, *to, *state;
	int64_t step_ms; /* 0: choose */
	bool list;
	enum form form;
};

struct show {
	struct loop *loop;
	enum form form;
	int64_t from_ms, to_ms, step_ms;
	struct series *series; /* being shown */
	VEC(struct series *) found;
	bool done, failed;
};

/* --- one line ----------------------------------------------------------------------------------
 */

static void time_text(int64_t at_ms, char *text)
{
	clock_rfc3339(at_ms * 1000, text);
}

static void faults_text(const struct series_point *p, struct buf *out)
{
	for (int i = 0; i < FAULT_COUNT; i++)
		if (p->faults[i])
			buf_printf(out, "%s%s %u", out->n ? ", " : "", fault_name((enum fault)i),
				p->faults[i]);
}

static bool has_hist(const struct show *s)
{
	return series_kind(s->series) == SERIES_PROBE || series_kind(s->series) == SERIES_DIST;
}

static const char *shown(const struct show *s, double value, char *text)
{
	if (!strcmp(series_unit(s->series), "us"))
		return units_time_text((int64_t)(value * NS_PER_US), text);
	snprintf(text, UNITS_TEXT, "%.6g", value);
	return text;
}

static void print_row(const struct show *s, const struct series_point *p)
{
	char at[CLOCK_TEXT], a[UNITS_TEXT], b[UNITS_TEXT], c[UNITS_TEXT];
	struct buf faults = BUF(BUF_LINE);
	time_text(p->at_ms, at);
	faults_text(p, &faults);
	if (!p->ok)
		printf("%-24s %7" PRIu64 " %7" PRIu64 " %9s %9s %9s  %s\n", at, p->n, p->ok, "-",
			"-", "-", buf_str(&faults));
	else if (has_hist(s))
		printf("%-24s %7" PRIu64 " %7" PRIu64 " %9s %9s %9s  %s\n", at, p->n, p->ok,
			shown(s, series_point_quantile(p, 0.5), a),
			shown(s, series_point_quantile(p, 0.95), b), shown(s, p->max, c),
			buf_str(&faults));
	else
		printf("%-24s %7" PRIu64 " %9s %9s %9s\n", at, p->n,
			shown(s,
				series_kind(s->series) == SERIES_SUM ? p->sum
								     : p->sum / (double)p->n,
				a),
			shown(s, p->min, b), shown(s, p->max, c));
	buf_fini(&faults);
}

static void print_quoted(const char *text)
{
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_csv(const struct show *s, const struct series_point *p)
{
	char at[CLOCK_TEXT];
	struct buf faults = BUF(BUF_LINE);
	time_text(p->at_ms, at);
	faults_text(p, &faults);
	print_quoted(series_text(s->series));
	printf(",%s,%" PRIu64 ",%" PRIu64, at, p->n, p->ok);
	if (p->ok)
		printf(",%.17g,%.17g,%.17g", p->sum, p->min, p->max);
	else
		printf(",,,");
	if (p->ok && has_hist(s))
		printf(",%.17g,%.17g,", series_point_quantile(p, 0.5),
			series_point_quantile(p, 0.95));
	else
		printf(",,,");
	print_quoted(buf_str(&faults));
	putchar('\n');
	buf_fini(&faults);
}

static void print_json(const struct show *s, const struct series_point *p)
{
	char at[CLOCK_TEXT];
	time_text(p->at_ms, at);
	json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "series",
		series_text(s->series), "kind", series_kind_name(series_kind(s->series)), "unit",
		series_unit(s->series), "location", series_location(s->series), "time", at, "n",
		(json_int_t)p->n, "ok", (json_int_t)p->ok);
	if (p->ok) {
		json_object_set_new(j, "sum", json_real(p->sum));
		json_object_set_new(j, "min", json_real(p->min));
		json_object_set_new(j, "max", json_real(p->max));
	}
	if (p->ok && has_hist(s)) {
		json_object_set_new(j, "p50", json_real(series_point_quantile(p, 0.5)));
		json_object_set_new(j, "p95", json_real(series_point_quantile(p, 0.95)));
	}
	json_t *faults = json_object();
	for (int i = 0; i < FAULT_COUNT; i++)
		if (p->faults[i])
			json_object_set_new(
				faults, fault_name((enum fault)i), json_integer(p->faults[i]));
	json_object_set_new(j, "faults", faults);
	char *text = json_text(j);
	puts(text);
	free(text);
	json_decref(j);
}

/* --- one series --------------------------------------------------------------------------------
 */

static void print_heading(const struct show *s)
{
	printf("%s  (%s%s%s)\n", series_text(s->series), series_kind_name(series_kind(s->series)),
		*series_location(s->series) ? ", from " : "", series_location(s->series));
	if (has_hist(s))
		printf("%-24s %7s %7s %9s %9s %9s  %s\n", "time", "n", "ok", "p50", "p95", "max",
			"faults");
	else
		printf("%-24s %7s %9s %9s %9s\n", "time", "n",
			series_kind(s->series) == SERIES_SUM ? "sum" : "mean", "min", "max");
}

static void on_points(void *arg, const struct series_points *points, const struct error *err)
{
	struct show *s = arg;
	s->done = true;
	if (err) {
		session_print_error(err);
		s->failed = true;
		return;
	}
	if (s->form == FORM_TABLE)
		print_heading(s);
	for (size_t i = 0; i < points->n; i++) {
		if (s->form == FORM_CSV)
			print_csv(s, &points->p[i]);
		else if (s->form == FORM_JSON)
			print_json(s, &points->p[i]);
		else
			print_row(s, &points->p[i]);
	}
	if (s->form == FORM_TABLE)
		puts(points->n ? "" : "nothing in this time\n");
}

static void on_last(void *arg, const struct series_sample *p, size_t n, const struct error *err)
{
	struct show *s = arg;
	char at[CLOCK_TEXT] = "-";
	s->done = true;
	if (err) {
		session_print_error(err);
		s->failed = true;
		return;
	}
	if (n)
		time_text(p->at_ms, at);
	if (s->form == FORM_TABLE) {
		printf("%-24s %-6s %s\n", at, series_kind_name(series_kind(s->series)),
			series_text(s->series));
	} else if (s->form == FORM_CSV) {
		print_quoted(series_text(s->series));
		printf(",%s,%s\n", series_kind_name(series_kind(s->series)), n ? at : "");
	} else {
		json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:s?}", "series",
			series_text(s->series), "kind", series_kind_name(series_kind(s->series)),
			"unit", series_unit(s->series), "location", series_location(s->series),
			"last", n ? at : NULL);
		char *text = json_text(j);
		puts(text);
		free(text);
		json_decref(j);
	}
}

/* --- the command -------------------------------------------------------------------------------
 */

static int64_t choose_step(int64_t span_ms)
{
	static const int64_t steps[] = {1000, 10000, 60000, 600000, SERIES_HOUR_MS, SERIES_DAY_MS};
	for (size_t i = 0; i < array_len(steps); i++)
		if (span_ms / steps[i] <= 60)
			return steps[i];
	return 7 * SERIES_DAY_MS;
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"from", required_argument, NULL, 'f'},
		{"to", required_argument, NULL, 't'}, {"step", required_argument, NULL, 's'},
		{"list", no_argument, NULL, 'l'}, {"csv", no_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"state", required_argument, NULL, 'd'}, {0}};
	int64_t ns;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'f': o->from = optarg; break;
		case 't': o->to = optarg; break;
		case 'l': o->list = true; break;
		case 'c': o->form = FORM_CSV; break;
		case 'j': o->form = FORM_JSON; break;
		case 'd': o->state = optarg; break;
		case 's':
			if (!units_parse_time(slice_of(optarg), &ns) || ns < NS_PER_MS) {
				fprintf(stderr, "--step: \"%s\" is not a time from 1ms\n", optarg);
				return EXIT_COULD_NOT_RUN;
			}
			o->step_ms = ns / NS_PER_MS;
			break;
		default: return EXIT_COULD_NOT_RUN;
		}
	}
	if (optind < argc - 1 || (optind == argc && !o->list)) {
		fputs("series takes one name or pattern; see `glasshouse series --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	o->pattern = optind < argc ? argv[optind] : "*";
	return EXIT_FINE;
}

static bool read_range(const struct options *o, struct show *s)
{
	const int64_t now = clock_unix_us(&clock_system) / 1000;
	if (!moment_option("from", o->from ? o->from : "24h", now, &s->from_ms))
		return false;
	s->to_ms = now + 1;
	if (o->to && !moment_option("to", o->to, now, &s->to_ms))
		return false;
	if (s->to_ms <= s->from_ms) {
		fputs("--from must be before --to\n", stderr);
		return false;
	}
	s->step_ms = o->step_ms ? o->step_ms : choose_step(s->to_ms - s->from_ms);
	s->from_ms -= s->from_ms % s->step_ms;
	return true;
}

static bool on_found(void *arg, struct series *series)
{
	struct show *s = arg;
	vec_push(&s->found, series);
	return true;
}

static void show_all(struct show *s, bool list)
{
	if (s->form == FORM_CSV)
		puts(list ? "series,kind,last" : "series,time,n,ok,sum,min,max,p50,p95,faults");
	for (size_t i = 0; i < s->found.n && !s->failed; i++) {
		s->series = s->found.p[i];
		s->done = false;
		if (list)
			series_last(s->series, on_last, s);
		else
			series_read(
				s->series, s->from_ms, s->to_ms, s->step_ms, false, on_points, s);
		loop_run_until(s->loop, &s->done);
	}
}

static int show(const struct options *o, const char *state)
{
	const struct series_options look = {.read_only = true};
	struct error err = {0};
	struct show s = {.form = o->form};
	struct series_store *st = NULL;
	if (!read_range(o, &s))
		return EXIT_COULD_NOT_RUN;
	s.loop = loop_new(NULL, &err);
	if (s.loop)
		st = series_open(state, s.loop, &look, &err);
	if (!st) {
		session_print_error(&err);
		if (s.loop)
			loop_free(s.loop);
		return EXIT_COULD_NOT_RUN;
	}
	series_find(st, o->pattern, NULL, 0, on_found, &s);
	const size_t found = s.found.n;
	if (found)
		show_all(&s, o->list);
	else
		fprintf(stderr, "no series is called \"%s\"; `glasshouse series --list` has them\n",
			o->pattern);
	if (series_status(st).corrupt)
		fprintf(stderr, "%" PRIu64 " corrupt blocks were left out\n",
			series_status(st).corrupt);
	series_close(st);
	vec_fini(&s.found);
	loop_free(s.loop);
	fflush(stdout);
	return s.failed ? EXIT_COULD_NOT_RUN : found ? EXIT_FINE : EXIT_NOT_FINE;
}

int series_main(int argc, char **argv)
{
	struct options o = {0};
	const int code = read_options(argc, argv, &o);
	if (code)
		return code;
	char *state = o.state ? mem_strdup(o.state) : session_state_dir();
	const int result = show(&o, state);
	free(state);
	return result;
}

/*
 * stats_command.c - `glasshouse stats`: how long calls, waits and checks took, a line each.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/session.h"
#include "store/figures.h"

const char stats_usage[] =
	"usage: glasshouse stats [OPTION]...\n"
	"\n"
	"Shows how long calls to services, waits for objects and checks took: how many, errors, and\n"
	"of the good ones shortest, mean, median, 95th and 99th percentile and longest. The slowest\n"
	"stand first. `run` and `try` keep them; the times are within 3.1 %.\n"
	"\n"
	"  --cloud NAME        only of this cloud\n"
	"  --since TIME        so far back: 24h (default), 7d; in steps of ten minutes up to a day,\n"
	"                      of hours up to 90 days, else of days, the first one whole\n"
	"  --calls             only calls\n"
	"  --waits             only waits; several of the three add up\n"
	"  --checks            only checks\n"
	"  --json              one JSON line each\n"
	"  --state DIR         where series/ stands\n"
	"\n"
	"example: glasshouse stats --cloud mycloud --since 7d --waits\n"
	"exit: 0 fine, 1 nothing was measured, 2 could not run\n";

#define DAYS(n) ((n)*SERIES_DAY_MS)

struct options {
	const char *cloud, *state;
	int64_t since_ms;
	unsigned what;
	bool json;
};

struct show {
	const struct options *options;
	int64_t from_ms;
	size_t shown, unread;
	bool done;
};

static void print_json(const struct figure *f)
{
	json_t *j = figure_json(f);
	char *text = json_text(j);
	puts(text);
	free(text);
	json_decref(j);
}

static const char *const headings[] = {"calls", "waits", "checks"};

static void print_table(const struct figure *list, size_t n, enum figure_what what)
{
	struct figure_row *rows = mem_new_array(n + 1, sizeof(*rows));
	struct buf out = BUF(BUF_PAGE);
	size_t count = 0;
	bool several = false;
	for (size_t i = 0; i < n; i++)
		several = several || strcmp(list[i].cloud, list[0].cloud) != 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].what == what)
			rows[count++] = figure_row(&list[i], several);
	if (count) {
		figure_rows_write(&out, headings[what], rows, count, count);
		printf("\n%s", buf_str(&out));
	}
	for (size_t i = 0; i < count; i++)
		free(rows[i].name);
	free(rows);
	buf_fini(&out);
}

static void on_figures(
	void *arg, struct figure *list, size_t n, size_t unread, const struct error *err)
{
	struct show *s = arg;
	char since[CLOCK_TEXT];
	s->done = true;
	s->shown = n;
	s->unread = unread;
	if (err)
		session_print_error(err);
	if (n && !s->options->json)
		printf("since %s\n", clock_rfc3339(s->from_ms * 1000, since));
	for (size_t i = 0; s->options->json && i < n; i++)
		print_json(&list[i]);
	for (int what = 0; !s->options->json && what < (int)array_len(headings); what++)
		print_table(list, n, (enum figure_what)what);
	figure_list_free(list, n);
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"cloud", required_argument, NULL, 'c'},
		{"since", required_argument, NULL, 's'}, {"calls", no_argument, NULL, 'a'},
		{"waits", no_argument, NULL, 'w'}, {"checks", no_argument, NULL, 'k'},
		{"json", no_argument, NULL, 'j'}, {"state", required_argument, NULL, 'd'}, {0}};
	int64_t ns;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'c': o->cloud = optarg; break;
		case 'a': o->what |= 1u << FIGURE_CALL; break;
		case 'w': o->what |= 1u << FIGURE_WAIT; break;
		case 'k': o->what |= 1u << FIGURE_CHECK; break;
		case 'j': o->json = true; break;
		case 'd': o->state = optarg; break;
		case 's':
			if (!units_parse_time(slice_of(optarg), &ns) || ns < NS_PER_S ||
				ns / NS_PER_MS > DAYS(3660)) {
				fprintf(stderr,
					"--since: \"%s\" is not a time from 1s to 3660d, such as 24h\n",
					optarg);
				return EXIT_COULD_NOT_RUN;
			}
			o->since_ms = ns / NS_PER_MS;
			break;
		default: return EXIT_COULD_NOT_RUN;
		}
	}
	if (optind != argc) {
		fputs("stats takes no arguments; see `glasshouse stats --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return EXIT_FINE;
}

static int show(const struct options *o, struct loop *l, struct series_store *st)
{
	const int64_t now = clock_unix_us(&clock_system) / 1000;
	const int64_t step = o->since_ms <= DAYS(1)    ? SERIES_HOUR_MS / 6
			     : o->since_ms <= DAYS(90) ? SERIES_HOUR_MS
						       : DAYS(1);
	struct show s = {.options = o};
	s.from_ms = o->since_ms < now ? now - o->since_ms : 0;
	s.from_ms -= s.from_ms % step;
	const struct figures_query q = {.cloud = o->cloud,
		.what = o->what,
		.from_ms = s.from_ms,
		.to_ms = now + 1,
		.step_ms = step};
	figures_read(l, st, &q, on_figures, &s);
	loop_run_until(l, &s.done);
	fflush(stdout);
	if (series_status(st).corrupt)
		fprintf(stderr, "%" PRIu64 " corrupt blocks were left out\n",
			series_status(st).corrupt);
	if (s.unread)
		fprintf(stderr, "%zu series could not be read and are left out\n", s.unread);
	else if (!s.shown)
		fputs("nothing was measured in that time\n", stderr);
	return s.unread ? EXIT_COULD_NOT_RUN : s.shown ? EXIT_FINE : EXIT_NOT_FINE;
}

int stats_main(int argc, char **argv)
{
	struct options o = {.since_ms = DAYS(1)};
	struct error err = {0};
	const int code = read_options(argc, argv, &o);
	if (code)
		return code;
	if (!o.what)
		o.what = FIGURES_OF_TIME;
	const struct series_options look = {.read_only = true};
	char *state = o.state ? mem_strdup(o.state) : session_state_dir();
	struct loop *l = loop_new(NULL, &err);
	struct series_store *st = l ? series_open(state, l, &look, &err) : NULL;
	int result = EXIT_COULD_NOT_RUN;
	if (st)
		result = show(&o, l, st);
	else
		session_print_error(&err);
	series_close(st);
	loop_free(l);
	free(state);
	return result;
}

/*
 * try.c - `glasshouse try`: one scenario now, before your eyes; one probe is try_probe.c's.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/units.h"
#include "cli/exchange_log.h"
#include "cli/hold.h"
#include "cli/live.h"
#include "cli/params.h"
#include "cli/session.h"
#include "cli/stats.h"
#include "cli/try_metrics.h"
#include "cli/try_probe.h"
#include "cli/waterfall.h"
#include "observe/boots.h"
#include "observe/measured.h"
#include "observe/record.h"
#include "observe/scenario/run_json.h"
#include "observe/scenario/sweep.h"

const char try_usage[] =
	"usage: glasshouse try NAME|FILE [OPTION]...\n"
	"\n"
	"Runs a scenario once: a live tree in a terminal, plain lines in a pipe. What interrupted runs\n"
	"of this instance left is finished off first. Ctrl-C goes to teardown, a second one leaves the\n"
	"rest to `glasshouse sweep`.\n"
	"\n"
	"  -c, --config FILE   instead of a scenario: one run of the probe NAME of this configuration;\n"
	"                      prints what it measured and what each condition saw (with --json: as\n"
	"                      JSON). Goes with no other option.\n"
	"  --param NAME=VALUE  a parameter of the scenario; repeatable\n"
	"  --document NAME     which scenario of a file that holds several\n"
	"  --runs N            so many runs, one after the other (default 1)\n"
	"  --json              events and the report as JSON lines\n"
	"  --log FILE          every exchange with the cloud, a JSON line each, secrets masked\n"
	"  --hold[=on-failure] stay before teardown until Ctrl-C, and say how to log in to each server;\n"
	"                      on-failure: only when something is broken\n"
	"  --hold-for TIME     stay so long at most; with --hold\n" TRY_METRICS_USAGE SESSION_USAGE
	"\n"
	"example: glasshouse try server-login --cloud mycloud --param servers=2\n"
	"exit: 0 passed, 1 failed or something was left, 2 could not run\n";

#define PAUSE_WORTH_SAYING (100 * NS_PER_MS)

struct attempt {
	struct session *session;
	struct run *run;
	struct sweep *sweep;
	struct live *live;
	struct hold *hold; /* NULL: nothing is held, or there is no server */
	bool json;
	struct stats stats;
	struct exchange_log *log;
	struct series_store *series; /* NULL: results are not kept */
	struct figures *figures;     /* NULL with it */
	struct try_metrics *metrics; /* NULL: no receiver */
	uv_signal_t signals[2];
	int64_t pause_ns; /* the loop's longest of this run: times measured meanwhile are too long
			   */
	bool done, swept;
	struct error not_swept; /* no log-in, no journal: then nothing can run */
	int exit_code;
};

struct options {
	struct session_options session;
	struct try_metrics_options metrics;
	const char *scenario, *document, *log, *config;
	json_t *params;
	int64_t runs, hold_ns;
	enum run_hold hold;
	bool json;
	bool of_scenario; /* there is an option that only scenarios have */
};

static void on_signal(uv_signal_t *handle, int number)
{
	struct attempt *a = handle->data;
	if (a->run && !a->done)
		run_stop(a->run);
	else if (a->sweep)
		sweep_cancel(a->sweep);
}

static void on_measured(void *arg, const struct measure *m)
{
	struct attempt *a = arg;
	stats_add_wait(&a->stats, m);
	figures_take(a->figures, m);
	try_metrics_take(a->metrics, m);
}

static void on_exchange(void *arg, const struct cloud_exchange *x)
{
	struct attempt *a = arg;
	stats_add(&a->stats, x);
	measured_exchange(a->session->cloud, NULL, x, figures_take, a->figures);
	if (a->log)
		exchange_log_write(a->log, x);
}

static void on_swept(void *arg, const struct sweep_report *r)
{
	struct attempt *a = arg;
	a->swept = true;
	if (r->error)
		a->not_swept = *r->error;
	else if (r->found)
		fprintf(stderr,
			"interrupted runs had left %zu objects: %zu deleted, %zu gone, %zu left\n",
			r->found, r->deleted, r->gone, r->left + r->unsure);
}

/* What dead runs of ours left stands in the way of quotas and truth: it goes first. */
static void sweep_first(struct attempt *a)
{
	struct session *s = a->session;
	const struct sweep_options o = {.instance = s->instance, .journal_only = true};
	a->sweep = sweep_start(s->loop, s->cloud, s->kinds, s->journal, &o, NULL, on_swept, a);
	loop_run_until(s->loop, &a->swept);
	sweep_free(a->sweep);
	a->sweep = NULL;
}

static void on_done(void *arg, const struct run_report *r)
{
	struct attempt *a = arg;
	a->done = true;
	if (r->error || r->verdict == VERDICT_UNKNOWN)
		a->exit_code = EXIT_COULD_NOT_RUN;
	else if (r->verdict == VERDICT_FAILED || r->left)
		a->exit_code = 1;
}

/* --- held ------------------------------------------------------------------------------------- */

static void on_login(void *arg, const char *server, const char *command, const char *where)
{
	const struct attempt *a = arg;
	if (!a->json) {
		printf("  %-20s %s\n  %-20s %s\n", server, command, "", where);
		return;
	}
	json_t *o = json_pack("{s:s, s:s, s:s, s:s}", "event", "login", "step", server, "command",
		command, "where", where);
	char *text = json_text(o);
	puts(text);
	free(text);
	json_decref(o);
}

static void say_held(struct attempt *a, const char *how_long)
{
	struct error err = {0};
	if (!a->json)
		printf("held %s; Ctrl-C goes on to teardown\n", how_long);
	a->hold = hold_new(a->session->state, a->run, on_login, a, &err);
	if (err.msg[0])
		fprintf(stderr, "no key is written: %s\n", err.msg);
	else if (a->hold && !a->json)
		printf("  the run's keys are in %s, for you alone, until it ends\n",
			hold_dir(a->hold));
	fflush(stdout);
}

static void on_event(void *arg, const struct run_event *e)
{
	struct attempt *a = arg;
	live_event(a->live, e);
	if (e->type == RUN_EVENT_HELD)
		say_held(a, e->detail);
}

/* --- one run ---------------------------------------------------------------------------------- */

static void print_report(struct attempt *a, const struct run_report *r, bool json)
{
	struct buf out = BUF(BUF_PAGE);
	const struct paint *p = paint_for(STDOUT_FILENO);
	if (json) {
		json_t *report = run_json(r);
		json_object_set_new(report, "calls", stats_json(&a->stats));
		json_object_set_new(report, "waits", stats_waits_json(&a->stats));
		json_object_set_new(
			report, "longest_pause_ms", json_real((double)a->pause_ns / 1e6));
		const struct cloud_options limits = cloud_limits(a->session->cloud);
		json_object_set_new(report, "inflight", json_integer(limits.inflight));
		json_object_set_new(report, "compute", json_integer(limits.compute));
		json_write(&out, report);
		buf_add_char(&out, '\n');
		json_decref(report);
	} else {
		buf_add_char(&out, '\n');
		if (r->row_count) {
			waterfall_write(&out, r, live_width(), p);
			waterfall_critical_path(&out, r, p);
			buf_add_char(&out, '\n');
			stats_write(&a->stats, &out, 12);
			buf_add_char(&out, '\n');
		}
		waterfall_verdict(&out, r, p);
		char pause[UNITS_TEXT];
		if (a->pause_ns > PAUSE_WORTH_SAYING)
			buf_printf(&out,
				"this program itself paused for %s: what it measured then is that much too long\n",
				units_time_text(a->pause_ns, pause));
	}
	fputs(buf_str(&out), stdout);
	fflush(stdout);
	buf_fini(&out);
}

struct finished {
	struct attempt *attempt;
	const struct run_report *report;
};

static void on_report(void *arg, const struct run_report *r)
{
	struct finished *f = arg;
	f->report = r;
	on_done(f->attempt, r);
}

static void on_trouble(void *arg, const struct error *why)
{
	if (why)
		fprintf(stderr, "results are not kept: %s\n", why->msg);
}

/* Results that cannot be kept are said to be so; the run is made all the same. */
static void open_series(struct attempt *a)
{
	const struct series_options options = {.trouble = on_trouble};
	struct error err = {0};
	a->series = series_open(a->session->state, a->session->loop, &options, &err);
	if (a->series)
		a->figures = figures_new(a->series);
	else
		on_trouble(NULL, &err);
}

static void record(
	struct attempt *a, const struct scenario *scenario, const struct run_report *report)
{
	const struct cloud_config *config = a->session->config;
	const struct record r = {
		.store = a->series,
		.place = {.cloud = config->name, .region = config->region},
		.scenario = scenario->name,
		.report = report,
	};
	if (a->series)
		record_run(&r);
}

static void run_once(struct attempt *a, const struct scenario *scenario, const struct options *o)
{
	struct session *s = a->session;
	const enum live_form form = o->json                 ? LIVE_JSON
				    : isatty(STDOUT_FILENO) ? LIVE_TREE
							    : LIVE_LINES;
	struct finished f = {.attempt = a};
	a->done = false;
	a->live =
		live_new(s->loop, stdout, form, scenario->title ? scenario->title : scenario->name);
	const struct run_options options = {
		.instance = s->instance,
		.params = o->params,
		.hold = o->hold,
		.hold_ns = o->hold_ns,
		.event = on_event,
		.event_arg = a,
		.measured = on_measured,
		.measured_arg = a,
	};
	loop_longest_turn_ns(s->loop, true);
	a->run = run_start(&s->tools, s->journal, scenario, s->kinds, &options, on_report, &f);
	try_metrics_run(a->metrics, a->run);
	loop_run_until(s->loop, &a->done);
	try_metrics_run(a->metrics, NULL);
	a->pause_ns = loop_longest_turn_ns(s->loop, false);
	hold_free(a->hold);
	a->hold = NULL;
	live_end(a->live);
	print_report(a, f.report, o->json);
	record(a, scenario, f.report);
	boots_note(s->facts, s->config->name, scenario->name, f.report);
	run_free(a->run);
	a->run = NULL;
	live_free(a->live);
	stats_fini(&a->stats);
	memset(&a->stats, 0, sizeof(a->stats));
}

static int read_options(int argc, char **argv, struct options *o)
{
	static const struct option table[] = {{"config", required_argument, NULL, 'c'},
		{"param", required_argument, NULL, 'p'}, {"document", required_argument, NULL, 'd'},
		{"runs", required_argument, NULL, 'n'}, {"json", no_argument, NULL, 'j'},
		{"log", required_argument, NULL, 'l'}, {"hold", optional_argument, NULL, 'h'},
		{"hold-for", required_argument, NULL, 't'}, TRY_METRICS_LONG_OPTIONS,
		SESSION_LONG_OPTIONS, {0}};
	int c;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		o->of_scenario |= c != 'c' && c != 'j';
		switch (c) {
		case 'c': o->config = optarg; break;
		case 'p':
			if (!params_add(o->params, optarg))
				return 2;
			break;
		case 'd': o->document = optarg; break;
		case 'n':
			if (!units_parse_int(slice_of(optarg), &o->runs) || o->runs < 1) {
				fprintf(stderr, "--runs: \"%s\" is not a number from 1\n", optarg);
				return 2;
			}
			break;
		case 'j': o->json = true; break;
		case 'l': o->log = optarg; break;
		case 'h':
			if (optarg && strcmp(optarg, "on-failure") != 0) {
				fprintf(stderr, "--hold: \"%s\" is not on-failure\n", optarg);
				return 2;
			}
			o->hold = optarg ? HOLD_ON_FAILURE : HOLD_ALWAYS;
			break;
		case 't':
			if (!units_parse_time(slice_of(optarg), &o->hold_ns) ||
				o->hold_ns < NS_PER_S) {
				fprintf(stderr,
					"--hold-for: \"%s\" is not a time from 1s, such as 30m\n",
					optarg);
				return 2;
			}
			break;
		default:
			if (!session_option(&o->session, c, optarg) &&
				!try_metrics_option(&o->metrics, c, optarg))
				return 2;
		}
	}
	if (o->hold_ns && o->hold == HOLD_NEVER) {
		fputs("--hold-for limits --hold, which is not given\n", stderr);
		return 2;
	}
	if (!try_metrics_good(&o->metrics))
		return 2;
	if (o->config && o->of_scenario) {
		fputs("try: -c runs a probe, which takes no option but --json\n", stderr);
		return 2;
	}
	if (optind != argc - 1) {
		fputs("try takes one scenario or probe; see `glasshouse try --help`\n", stderr);
		return 2;
	}
	o->scenario = argv[optind];
	return 0;
}

static void watch_signals(struct attempt *a)
{
	static const int numbers[] = {SIGINT, SIGTERM};
	for (size_t i = 0; i < 2; i++) {
		uv_signal_init(loop_uv(a->session->loop), &a->signals[i]);
		a->signals[i].data = a;
		uv_signal_start(&a->signals[i], on_signal, numbers[i]);
		uv_unref((uv_handle_t *)&a->signals[i]);
	}
}

static void on_closed(uv_handle_t *h)
{
	*(bool *)h->data = true;
}

static void unwatch_signals(struct attempt *a)
{
	for (size_t i = 0; i < 2; i++) {
		bool closed = false;
		a->signals[i].data = &closed;
		uv_close((uv_handle_t *)&a->signals[i], on_closed);
		loop_run_until(a->session->loop, &closed);
	}
}

static int run_all(struct attempt *a, const struct scenario *scenario, const struct options *o)
{
	struct error err = {0};
	if (o->log && !(a->log = exchange_log_open(o->log, &err))) {
		session_print_error(&err);
		return 2;
	}
	cloud_observe(a->session->cloud, a->log ? CLOUD_BODIES : CLOUD_FIGURES, on_exchange, a);
	a->metrics = try_metrics_open(a->session, &o->metrics, &err);
	if (err.msg[0]) {
		session_print_error(&err);
		exchange_log_close(a->log);
		return 2;
	}
	open_series(a);
	watch_signals(a);
	hold_clean(a->session->state, a->session->journal);
	sweep_first(a);
	if (a->not_swept.msg[0]) {
		const struct run_report r = {.verdict = VERDICT_UNKNOWN, .error = &a->not_swept};
		print_report(a, &r, o->json);
		a->exit_code = EXIT_COULD_NOT_RUN;
	}
	for (int64_t i = 0; i < o->runs && a->exit_code < 2; i++)
		run_once(a, scenario, o);
	unwatch_signals(a);
	try_metrics_close(a->metrics);
	figures_free(a->figures);
	a->figures = NULL;
	series_close(a->series);
	if (!exchange_log_close(a->log)) {
		fprintf(stderr, "%s could not be written whole\n", o->log);
		return 2;
	}
	return a->exit_code;
}

int try_main(int argc, char **argv)
{
	struct options o = {.runs = 1, .params = json_object()};
	int code = read_options(argc, argv, &o);
	struct session s;
	if (!code && o.config) {
		json_decref(o.params);
		return try_probe(o.config, o.scenario, o.json);
	}
	if (code || !session_open(&s, &o.session)) {
		json_decref(o.params);
		return 2;
	}
	struct error_list errors = {0};
	struct scenario *scenario =
		scenario_load(o.scenario, o.document, scenario_dirs(), s.kinds, &errors);
	const bool good = scenario && world_takes(scenario, o.params, &errors);
	session_print_errors(&errors);
	error_list_fini(&errors);
	code = EXIT_COULD_NOT_RUN;
	if (good) {
		struct attempt a = {.session = &s, .json = o.json};
		code = run_all(&a, scenario, &o);
		stats_fini(&a.stats);
	}
	scenario_free(scenario);
	session_close(&s);
	json_decref(o.params);
	return code;
}

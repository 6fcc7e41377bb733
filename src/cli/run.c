/*
 * run.c - `glasshouse run`: a cloud watched, judged, told of, until it is stopped.
 */

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/units.h"
#include "cli/commands.h"
#include "cli/running.h"

const char run_usage[] =
	"usage: glasshouse run [OPTION]...\n"
	"\n"
	"Watches clouds as their customers see them: probes of every service of the catalog, and the\n"
	"scenarios it is told to run; shows what it saw on a page and tells operators when something\n"
	"changes. Without a configuration it only reads: nothing is made in a cloud unasked.\n"
	"\n"
	"  -c, --config FILE   default: $GLASSHOUSE_CONFIG, ./glasshouse.yaml, ~/.config/glasshouse/,\n"
	"                      /etc/glasshouse/; none of them: all defaults\n"
	"  --cloud NAME        watch this cloud of clouds.yaml too; repeatable (default: OS_CLOUD, or\n"
	"                      the only one)\n"
	"  --scenario NAME     run this scenario every 10 minutes; repeatable\n"
	"  --every TIME        another rate for those scenarios\n"
	"  --public ADDRESS    where the page is served (default 127.0.0.1:8090)\n"
	"  --intake ADDRESS    where operators and metrics are served (default 127.0.0.1:8091)\n"
	"  --state DIR         where facts.db and series/ stand\n"
	"  --instance NAME     who we are in every mark we leave (default: the host's name)\n"
	"\n"
	"SIGHUP reads the configuration again and says what changes; SIGTERM and Ctrl-C take down what\n"
	"runs, within the budget (`stop`), a second one gives that up.\n"
	"\n"
	"example: glasshouse run --cloud mycloud --scenario server-login\n"
	"exit: 0 stopped, 2 could not run\n";

#define NAMES_MAX 64

struct names {
	const char *p[NAMES_MAX + 1];
	size_t n;
};

static bool add_name(struct names *names, const char *name)
{
	if (names->n == NAMES_MAX) {
		fprintf(stderr, "run: more than %d clouds or scenarios: write a configuration\n",
			NAMES_MAX);
		return false;
	}
	names->p[names->n++] = name;
	return true;
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct running *r = handle->data;
	if (number == SIGHUP)
		json_decref(running_reload(r));
	else
		running_stop(r);
}

static void on_closed(uv_handle_t *h)
{
	*(bool *)h->data = true;
}

void run_until_stopped(struct running *r)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	uv_signal_t signals[3];
	for (size_t i = 0; i < 3; i++) {
		uv_signal_init(loop_uv(r->session.loop), &signals[i]);
		signals[i].data = r;
		uv_signal_start(&signals[i], on_signal, numbers[i]);
	}
	running_run(r);
	for (size_t i = 0; i < 3; i++) {
		bool closed = false;
		signals[i].data = &closed;
		uv_close((uv_handle_t *)&signals[i], on_closed);
		loop_run_until(r->session.loop, &closed);
	}
	/* What is closed now takes seconds yet; a reload that comes too late is no reason to die of. */
	signal(SIGHUP, SIG_IGN);
}

static bool read_every(const char *text, int64_t *ret_ns)
{
	if (units_parse_time(slice_of(text), ret_ns) && *ret_ns >= 10 * NS_PER_S)
		return true;
	fprintf(stderr, "--every: \"%s\" is not a time from 10s, like 5m\n", text);
	return false;
}

int run_main(int argc, char **argv)
{
	static const struct option table[] = {{"config", required_argument, NULL, 'c'},
		{"cloud", required_argument, NULL, 'k'}, {"scenario", required_argument, NULL, 's'},
		{"every", required_argument, NULL, 'e'}, {"public", required_argument, NULL, 'p'},
		{"intake", required_argument, NULL, 'i'}, {"state", required_argument, NULL, 'd'},
		{"instance", required_argument, NULL, 'n'}, {0}};
	struct names clouds = {0}, scenarios = {0};
	struct running_options o = {.clouds = clouds.p, .scenarios = scenarios.p};
	int c;
	while ((c = getopt_long(argc, argv, "c:", table, NULL)) != -1) {
		bool good = true;
		switch (c) {
		case 'c': o.config = optarg; break;
		case 'k': good = add_name(&clouds, optarg); break;
		case 's': good = add_name(&scenarios, optarg); break;
		case 'e': good = read_every(optarg, &o.scenario_every_ns); break;
		case 'p': o.public_address = optarg; break;
		case 'i': o.intake_address = optarg; break;
		case 'd': o.state = optarg; break;
		case 'n': o.instance = optarg; break;
		default: good = false;
		}
		if (!good)
			return EXIT_COULD_NOT_RUN;
	}
	if (optind != argc) {
		fputs("run takes options only; see `glasshouse run --help`\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	struct running *r = running_open(&o);
	if (!r)
		return EXIT_COULD_NOT_RUN;
	run_until_stopped(r);
	running_close(r);
	return EXIT_FINE;
}

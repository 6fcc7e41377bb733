/*
 * command.c - the table of commands and the help that is made from it.
 */

#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "cli/commands.h"
#include "net/tls.h"
#include "observe/exec/helper.h"
#include "web/web.h"

static int run_version(int argc, char **argv)
{
	puts("glasshouse " GLASSHOUSE_VERSION);
	return EXIT_FINE;
}

static const struct command commands[] = {
	{"run", "watch clouds: probes, scenarios, a page, alarms", run_usage, run_main},
	{"demo", "the same against a simulated cloud, nothing to configure", demo_usage, demo_main},
	{"try", "run one scenario or probe now, before your eyes", try_usage, try_main},
	{"plan", "what a scenario would do and cost, without doing it", plan_usage, plan_main},
	{"sweep", "finish off what interrupted runs left, and only that", sweep_usage, sweep_main},
	{"ledger", "every object ever made in a cloud, and its fate", ledger_usage, ledger_main},
	{"series", "what was measured over time: a table, CSV, JSON", series_usage, series_main},
	{"stats", "how long calls, waits and checks took, the slowest first", stats_usage,
		stats_main},
	{"event", "what happened, told to customers: open, update, resolve", event_usage,
		event_main},
	{"maintenance", "work that is planned, once or by a rule", maintenance_usage,
		maintenance_main},
	{"judge", "what rules and the model would have said of what is stored", judge_usage,
		judge_main},
	{"config", "what is wrong with the configuration, what is in force", config_usage,
		config_main},
	{"import", "the configuration of another program, as ours", import_usage, import_main},
	{"doctor", "whether this machine and its clouds are fit for it", doctor_usage, doctor_main},
	{"simulate", "a simulated cloud on loopback, to try scenarios on", simulate_usage,
		simulate_main},
	{"version", "print the version", "usage: glasshouse version\n", run_version},
	/* the half of `run` that serves, started by it alone */
	{"web-serve", NULL, "glasshouse starts this itself\n", web_serve_main},
	/* what starts the programs of probes, started by run and try alone */
	{"program-helper", NULL, "glasshouse starts this itself\n", helper_main},
};

static void print_help(FILE *out)
{
	fputs("usage: glasshouse COMMAND [ARGUMENT]...\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (commands[i].summary)
			fprintf(out, "  %-11s %s\n", commands[i].name, commands[i].summary);
	fputs("\n`glasshouse COMMAND --help` explains each.\n", out);
}

/* Behind a word of the command too: `maintenance next --help`. */
static bool wants_help(int argc, char **argv)
{
	for (int i = 2; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (!strcmp(argv[i], "--help"))
			return true;
	return false;
}

/* Run before the constructors of libraries. */
__attribute__((section(".preinit_array"), used)) static void (*const before_all)(void) = tls_settle;

int command_main(int argc, char **argv)
{
	mem_settle();
	if (argc < 2) {
		print_help(stderr);
		return EXIT_COULD_NOT_RUN;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help")) {
		print_help(stdout);
		return EXIT_FINE;
	}
	if (!strcmp(argv[1], "--version"))
		return run_version(argc - 1, argv + 1);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		if (wants_help(argc, argv)) {
			fputs(commands[i].usage, stdout);
			return EXIT_FINE;
		}
		return commands[i].run(argc - 1, argv + 1);
	}
	fprintf(stderr, "glasshouse: unknown command \"%s\"; see `glasshouse --help`\n", argv[1]);
	return EXIT_COULD_NOT_RUN;
}

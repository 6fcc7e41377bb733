/*
 * sweep_command.c - `glasshouse sweep`: finish off what interrupted runs left, and only that.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>

#include "base/units.h"
#include "cli/session.h"
#include "observe/scenario/sweep.h"

const char sweep_usage[] =
	"usage: glasshouse sweep [OPTION]...\n"
	"\n"
	"Deletes what interrupted runs of this instance left in the cloud. Only what is proved ours: by\n"
	"the journal, by a name with a valid check, by a mark, or by a parent that is ours. Runs that are\n"
	"alive on this machine are left alone.\n"
	"\n"
	"  --older TIME        objects that only the cloud tells of must be older (default 2h)\n"
	"  --budget TIME       how long it may take (default 10m)\n"
	"  --dry-run           say what would be deleted\n"
	"  --json              one JSON line an object, and the counts\n" SESSION_USAGE
	"\n"
	"example: glasshouse sweep --cloud mycloud --older 30m --dry-run\n"
	"exit: 0 nothing is left, 1 something is, 2 could not run\n";

struct sweeping {
	bool done, json, dry_run;
	int code;
};

static void on_event(void *arg, const struct sweep_event *e)
{
	const struct sweeping *w = arg;
	if (w->json) {
		json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "kind", e->kind, "id",
			e->id, "name", e->name, "run", e->run, "proof", e->proof, "what", e->what);
		char *text = json_text(o);
		puts(text);
		free(text);
		json_decref(o);
	} else {
		printf("%-20s %-36s %-9s %s  %s\n", e->kind, e->id, e->proof, e->name, e->what);
	}
	fflush(stdout);
}

static void on_done(void *arg, const struct sweep_report *r)
{
	struct sweeping *w = arg;
	w->done = true;
	if (r->error)
		session_print_error(r->error);
	w->code = r->error ? EXIT_COULD_NOT_RUN : r->left || r->unsure ? EXIT_NOT_FINE : EXIT_FINE;
	if (w->json)
		printf("{\"found\":%zu,\"deleted\":%zu,\"gone\":%zu,\"left\":%zu,\"unsure\":%zu,"
		       "\"needs_admin\":%zu}\n",
			r->found, r->deleted, r->gone, r->left, r->unsure, r->needs_admin);
	else if (w->dry_run)
		printf("%zu objects would be looked at or deleted\n", r->found);
	else
		printf("found %zu: deleted %zu, gone already %zu, left %zu, unsure %zu\n%s",
			r->found, r->deleted, r->gone, r->left, r->unsure,
			r->needs_admin
				? "some need an administrator: see `glasshouse ledger --open`\n"
				: "");
}

int sweep_main(int argc, char **argv)
{
	static const struct option table[] = {{"older", required_argument, NULL, 'o'},
		{"budget", required_argument, NULL, 'b'}, {"dry-run", no_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'}, SESSION_LONG_OPTIONS, {0}};
	struct session_options so = {0};
	struct sweep_options o = {.older_ns = 2 * 3600 * NS_PER_S};
	struct sweeping w = {0};
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'o' && !units_parse_time(slice_of(optarg), &o.older_ns)) {
			fprintf(stderr, "--older: \"%s\" is not a time such as 2h\n", optarg);
			return EXIT_COULD_NOT_RUN;
		}
		if (c == 'b' && (!units_parse_time(slice_of(optarg), &o.budget_ns) ||
					o.budget_ns < NS_PER_S)) {
			fprintf(stderr, "--budget: \"%s\" is not a time from 1s, such as 10m\n",
				optarg);
			return EXIT_COULD_NOT_RUN;
		}
		if (c == 'n')
			o.dry_run = w.dry_run = true;
		else if (c == 'j')
			w.json = true;
		else if (c != 'o' && c != 'b' && !session_option(&so, c, optarg))
			return EXIT_COULD_NOT_RUN;
	}
	struct session s;
	if (!session_open(&s, &so))
		return EXIT_COULD_NOT_RUN;
	o.instance = s.instance;
	struct sweep *sweep =
		sweep_start(s.loop, s.cloud, s.kinds, s.journal, &o, on_event, on_done, &w);
	loop_run_until(s.loop, &w.done);
	sweep_free(sweep);
	session_close(&s);
	return w.code;
}

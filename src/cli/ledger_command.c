/*
 * ledger_command.c - `glasshouse ledger`: every object ever made, and its fate.
 */

#include "cli/commands.h"

#include <getopt.h>
#include <stdio.h>

#include "cli/session.h"

const char ledger_usage[] =
	"usage: glasshouse ledger [OPTION]...\n"
	"\n"
	"Lists the objects that scenarios made in clouds, newest first, with what became of them.\n"
	"\n"
	"  --open              only those that are not known to be gone\n"
	"  --run LABEL         only those of one run\n"
	"  --json              one JSON line an object\n" SESSION_USAGE
	"\n"
	"example: glasshouse ledger --open --cloud mycloud\n"
	"exit: 0 nothing is open, 1 something is (with --open), 2 could not run\n";

struct listing {
	bool json;
	size_t n;
};

static bool on_object(void *arg, const struct journal_object *o)
{
	struct listing *l = arg;
	char at[CLOCK_TEXT];
	clock_rfc3339(o->created_unix_us, at);
	if (l->json) {
		json_t *j = json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:s, s:s?, s:s?, s:s?, s:s?}",
			"created", at, "cloud", o->cloud, "instance", o->instance, "run", o->run,
			"scenario", o->scenario, "step", o->step, "index", (int)o->index, "attempt",
			(int)o->attempt, "kind", o->kind, "name", o->name, "id", o->cloud_id,
			"request_id", o->request_id, "note", o->note);
		json_object_set_new(j, "fate", json_string(object_fate_name(o->fate)));
		char *text = json_text(j);
		puts(text);
		free(text);
		json_decref(j);
	} else {
		if (!l->n)
			printf("%-24s %-12s %-20s %-36s %s\n", "created", "fate", "kind", "id",
				"name");
		printf("%-24s %-12s %-20s %-36s %s\n", at, object_fate_name(o->fate), o->kind,
			o->cloud_id ? o->cloud_id : "-", o->name ? o->name : "");
		if (o->note)
			printf("    %s\n    request %s of run %s\n", o->note,
				o->request_id ? o->request_id : "-", o->run);
	}
	l->n++;
	return true;
}

int ledger_main(int argc, char **argv)
{
	static const struct option table[] = {{"open", no_argument, NULL, 'o'},
		{"run", required_argument, NULL, 'r'}, {"json", no_argument, NULL, 'j'},
		SESSION_LONG_OPTIONS, {0}};
	struct session_options so = {0};
	struct listing l = {0};
	const char *run = NULL;
	bool open_only = false;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'o')
			open_only = true;
		else if (c == 'r')
			run = optarg;
		else if (c == 'j')
			l.json = true;
		else if (!session_option(&so, c, optarg))
			return EXIT_COULD_NOT_RUN;
	}
	struct session s;
	struct error err = {0};
	if (!session_open_journal(&s, &so))
		return EXIT_COULD_NOT_RUN;
	const bool good = journal_objects(
		s.journal, so.cloud, so.instance, run, open_only, on_object, &l, &err);
	session_close(&s);
	if (!good) {
		session_print_error(&err);
		return EXIT_COULD_NOT_RUN;
	}
	if (!l.json && !l.n)
		puts(open_only ? "nothing is open" : "nothing was made yet");
	return open_only && l.n ? EXIT_NOT_FINE : EXIT_FINE;
}

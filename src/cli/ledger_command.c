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
	"Lists the objects that scenarios made in clouds, with what became of them: what needs an\n"
	"administrator first, with the command that fixes it, then what else is open, then what is\n"
	"gone, newest first. The last line counts them.\n"
	"\n"
	"  --open              only those that are not known to be gone\n"
	"  --fate FATE         only those: needs-admin, leaked, unsure, created, intent, kept, deleted\n"
	"                      or refused\n"
	"  --run LABEL         only those of one run\n"
	"  --json              one JSON line an object, and the counts\n" SESSION_USAGE
	"\n"
	"example: glasshouse ledger --open --cloud mycloud\n"
	"exit: 0 nothing is open, 1 something is (with --open), 2 could not run\n";

struct listing {
	bool json;
	size_t n;
};

static void print_seen(const struct journal_object *o)
{
	char since[CLOCK_TEXT];
	const char *service = json_str(o->seen, "service");
	if (o->admin_unix_us)
		printf("    needs an administrator since %s\n",
			clock_rfc3339(o->admin_unix_us, since));
	if (service)
		printf("    %s answered its delete with %lld; request %s, the service's %s\n",
			service, (long long)json_int(o->seen, "status", 0),
			json_str(o->seen, "request_id") ? json_str(o->seen, "request_id") : "-",
			json_str(o->seen, "service_request_id")
				? json_str(o->seen, "service_request_id")
				: "-");
	if (o->fix)
		printf("    %s\n", o->fix);
}

static void print_row(const struct listing *l, const struct journal_object *o)
{
	char at[CLOCK_TEXT];
	clock_rfc3339(o->created_unix_us, at);
	if (!l->n)
		printf("%-24s %-12s %-20s %-36s %s\n", "created", "fate", "kind", "id", "name");
	printf("%-24s %-12s %-20s %-36s %s\n", at, object_fate_name(o->fate), o->kind,
		o->cloud_id ? o->cloud_id : "-", o->name ? o->name : "");
	if (o->note)
		printf("    %s\n    made by request %s, the service's %s, of run %s\n", o->note,
			o->request_id ? o->request_id : "-",
			o->service_request_id ? o->service_request_id : "-", o->run);
	if (o->fate != OBJECT_DELETED)
		print_seen(o);
}

static bool on_object(void *arg, const struct journal_object *o)
{
	struct listing *l = arg;
	if (l->json) {
		json_t *j = journal_object_json(o);
		char *text = json_text(j);
		puts(text);
		free(text);
		json_decref(j);
	} else {
		print_row(l, o);
	}
	l->n++;
	return true;
}

static void print_totals(const struct listing *l, const struct journal_totals *t)
{
	if (l->json) {
		json_t *j = json_pack("{s:o}", "totals", journal_totals_json(t));
		char *text = json_text(j);
		puts(text);
		free(text);
		json_decref(j);
		return;
	}
	printf("created %lld: deleted %lld, in use %lld, kept %lld, left for a sweep %lld, leaked %lld,"
	       " unsure %lld, needs an administrator %lld\n",
		(long long)t->created, (long long)t->deleted, (long long)t->in_use,
		(long long)t->kept, (long long)t->left, (long long)t->leaked, (long long)t->unsure,
		(long long)t->needs_admin);
}

static bool run_alive(void *arg, const char *run)
{
	return journal_run_alive(arg, run);
}

static int list(struct session *s, const struct journal_filter *q, struct listing *l)
{
	struct journal_totals totals;
	struct error err = {0};
	if (!journal_ledger(s->facts, q, on_object, l, &err) ||
		!journal_totals(s->facts, q, run_alive, s->journal, &totals, &err)) {
		session_print_error(&err);
		return EXIT_COULD_NOT_RUN;
	}
	if (!l->json && !l->n)
		puts(q->open_only        ? "nothing is open"
			: totals.created ? "nothing of that kind"
					 : "nothing was made yet");
	if (l->json || totals.created)
		print_totals(l, &totals);
	return q->open_only && l->n ? EXIT_NOT_FINE : EXIT_FINE;
}

int ledger_main(int argc, char **argv)
{
	static const struct option table[] = {{"open", no_argument, NULL, 'o'},
		{"fate", required_argument, NULL, 'f'}, {"run", required_argument, NULL, 'r'},
		{"json", no_argument, NULL, 'j'}, SESSION_LONG_OPTIONS, {0}};
	struct session_options so = {0};
	struct journal_filter q = {.fate = -1};
	struct listing l = {0};
	enum object_fate fate;
	int c;
	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		if (c == 'o') {
			q.open_only = true;
		} else if (c == 'r') {
			q.run = optarg;
		} else if (c == 'j') {
			l.json = true;
		} else if (c == 'f') {
			if (!object_fate_parse(slice_of(optarg), &fate)) {
				fprintf(stderr,
					"--fate: there is no fate \"%s\"; see `glasshouse ledger --help`\n",
					optarg);
				return EXIT_COULD_NOT_RUN;
			}
			q.fate = fate;
		} else if (!session_option(&so, c, optarg)) {
			return EXIT_COULD_NOT_RUN;
		}
	}
	struct session s;
	if (!session_open_journal(&s, &so))
		return EXIT_COULD_NOT_RUN;
	q.cloud = so.cloud;
	q.instance = so.instance;
	const int code = list(&s, &q, &l);
	session_close(&s);
	return code;
}

/*
 * event_command.c - `glasshouse event`: what the operator says happened.
 */

#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/event_desk.h"

const char event_usage[] =
	"usage: glasshouse event open incident|maintenance|info TITLE [TEXT] [OPTION]...\n"
	"       glasshouse event update ID [TEXT] [OPTION]...\n"
	"       glasshouse event correct ID UPDATE TEXT\n"
	"       glasshouse event publish|resolve ID [TEXT] [OPTION]...\n"
	"       glasshouse event list [OPTION]...\n"
	"       glasshouse event show ID\n"
	"\n"
	"Tells customers what happens: an event has a phase, components with an impact each, and\n"
	"updates, which are never taken back: a correction stands beside what it corrects. Works\n"
	"beside a running house, which shows it within a second, and without one. A text is Markdown;\n"
	"- reads it from stdin. More: docs/events.md\n"
	"\n"
	"  --component ID[=IMPACT]  that is concerned: none, degraded, partial, outage or 0 to 100;\n"
	"                      several times for several. An update names all that are, from now on\n"
	"  --phase PHASE       incident: detected, investigating, identified, monitoring, resolved;\n"
	"                      maintenance: planned, in_progress, completed, cancelled;\n"
	"                      info: planned, active, completed, cancelled\n"
	"  --file FILE         the text stands there\n"
	"  --title TEXT        update: another title\n"
	"  --start TIME        it began or begins then: 2h (ago), +2h (from now), '2026-12-01 22:00'\n"
	"                      by the clocks of the zone, or 2026-12-01T21:00:00Z\n"
	"  --until TIME        its planned end\n"
	"  --at TIME           update, resolve: when it was so\n"
	"  --draft             open: only operators see it until it is published\n"
	"  --id ID             open: the id it shall have (default: of the date and the title)\n"
	"  --revision N        refused when somebody else wrote since that revision\n"
	"  --kind KIND         list: only those\n"
	"  --open              list: only those that are not over\n"
	"  --from TIME         list: that lasted after it\n"
	"  --to TIME           list: that began before it\n"
	"  --limit N           list: so many (default 50)\n"
	"  --skip N            list: without the first N\n"
	"  --public            list, show: what all may see\n" EVENT_OPTIONS_USAGE
	"\n"
	"example: glasshouse event open incident 'Servers do not start' --component compute=outage\n"
	"exit: 0 fine, 1 show: there is none, 2 could not be done\n";

/* What a component without =IMPACT means. */
static int usual_impact(enum event_kind k)
{
	return k == EVENT_INFO ? 0 : 100;
}

static enum event_phase first_phase(enum event_kind k, bool ahead)
{
	switch (k) {
	case EVENT_INCIDENT: return EVENT_INVESTIGATING;
	case EVENT_MAINTENANCE: return ahead ? EVENT_PLANNED : EVENT_IN_PROGRESS;
	case EVENT_INFO: break;
	}
	return ahead ? EVENT_PLANNED : EVENT_ACTIVE;
}

static int open_event(struct event_desk *d)
{
	const struct event_args *a = d->args;
	struct event_change c;
	enum event_kind kind;
	if (!event_args_words(a, 2, 3, "a kind, a title and, if you like, a text"))
		return EXIT_COULD_NOT_RUN;
	if (!event_kind_parse(a->words[1], &kind)) {
		fprintf(stderr, "there is no kind \"%s\": incident, maintenance or info\n",
			a->words[1]);
		return EXIT_COULD_NOT_RUN;
	}
	if (!event_desk_change(d, a->word_count > 3 ? a->words[3] : NULL, usual_impact(kind), &c))
		return EXIT_COULD_NOT_RUN;
	const int64_t starts_ms = c.starts_ms < 0 ? 0 : c.starts_ms;
	const struct event_new n = {.kind = kind,
		.title = a->words[2],
		.text = c.text,
		.phase = c.phase < 0 ? first_phase(kind, starts_ms > d->now_ms)
				     : (enum event_phase)c.phase,
		.audience = a->draft ? AUDIENCE_OPERATORS : AUDIENCE_PUBLIC,
		.starts_ms = starts_ms,
		.until_ms = c.until_ms < 0 ? 0 : c.until_ms,
		.impacts = c.impacts,
		.impact_count = c.impact_count,
		.id = a->id};
	return event_desk_write_new(d, &n);
}

static const char *second_word(const struct event_args *a)
{
	return a->word_count > 2 ? a->words[2] : NULL;
}

static int update_event(struct event_desk *d)
{
	struct event_change c;
	const struct event_args *a = d->args;
	if (!event_args_words(a, 1, 2, "the id of an event and, if you like, a text") ||
		!event_desk_change(d, second_word(a), 100, &c))
		return EXIT_COULD_NOT_RUN;
	if (!c.text && !c.title && c.phase < 0 && c.starts_ms < 0 && c.until_ms < 0 && !c.impacts) {
		fputs("an update says something: a text, --file, --phase, --title, --component,"
		      " --start or --until\n",
			stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return event_desk_write_change(d, a->words[1], &c);
}

static int publish_event(struct event_desk *d)
{
	struct event_change c;
	if (!event_args_words(d->args, 1, 2, "the id of a draft and, if you like, a text") ||
		!event_desk_change(d, second_word(d->args), 100, &c))
		return EXIT_COULD_NOT_RUN;
	c.publish = true;
	return event_desk_write_change(d, d->args->words[1], &c);
}

/* The phase in which an event of that kind is over. */
static int resolve_event(struct event_desk *d)
{
	struct event_change c;
	struct error err = {0};
	enum event_kind kind = EVENT_INCIDENT;
	if (!event_args_words(d->args, 1, 2, "the id of an event and, if you like, a text") ||
		!event_desk_change(d, second_word(d->args), 100, &c))
		return EXIT_COULD_NOT_RUN;
	json_t *e = event_json(d->facts, d->args->words[1], AUDIENCE_OPERATORS, &err);
	if (e)
		(void)!event_kind_parse(json_string_value(json_object_get(e, "kind")), &kind);
	json_decref(e);
	c.phase = kind == EVENT_INCIDENT ? EVENT_RESOLVED : EVENT_COMPLETED;
	return event_desk_write_change(d, d->args->words[1], &c);
}

static int correct_event(struct event_desk *d)
{
	const struct event_args *a = d->args;
	int64_t n;
	if (!event_args_words(a, 2, 3, "the id of an event, the number of an update and a text"))
		return EXIT_COULD_NOT_RUN;
	if (!units_parse_int(slice_of(a->words[2]), &n) || n < 1 || n > EVENT_UPDATES_MAX) {
		fprintf(stderr,
			"\"%s\" is no number of an update; `glasshouse event show %s` has"
			" them\n",
			a->words[2], a->words[1]);
		return EXIT_COULD_NOT_RUN;
	}
	if (!event_desk_text(d, a->word_count > 3 ? a->words[3] : NULL))
		return EXIT_COULD_NOT_RUN;
	if (!d->text) {
		fputs("a correction needs its text\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return event_desk_write_correction(d, a->words[1], (int)n);
}

static int list_events(struct event_desk *d)
{
	return event_args_words(d->args, 0, 0, "no words, only options") ? event_desk_list(d, -1)
									 : EXIT_COULD_NOT_RUN;
}

static int show_event(struct event_desk *d)
{
	return event_args_words(d->args, 1, 1, "the id of an event")
		       ? event_desk_show(d, d->args->words[1])
		       : EXIT_COULD_NOT_RUN;
}

static const struct {
	const char *name;
	int (*run)(struct event_desk *d);
} verbs[] = {{"open", open_event}, {"update", update_event}, {"correct", correct_event},
	{"publish", publish_event}, {"resolve", resolve_event}, {"list", list_events},
	{"show", show_event}};

static int run_verb(const struct event_args *a)
{
	struct event_desk d;
	for (size_t i = 0; a->word_count && i < array_len(verbs); i++) {
		if (strcmp(a->words[0], verbs[i].name) != 0)
			continue;
		if (!event_desk_open(&d, a, false))
			return EXIT_COULD_NOT_RUN;
		const int code = verbs[i].run(&d);
		event_desk_close(&d);
		return code;
	}
	fputs("event takes a verb: open, update, correct, publish, resolve, list or show; see"
	      " `glasshouse event --help`\n",
		stderr);
	return EXIT_COULD_NOT_RUN;
}

int event_main(int argc, char **argv)
{
	struct event_args a = {0};
	const int code = event_args_read(argc, argv, &a) ? run_verb(&a) : EXIT_COULD_NOT_RUN;
	event_args_fini(&a);
	return code;
}

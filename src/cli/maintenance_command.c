/*
 * maintenance_command.c - `glasshouse maintenance`: work that is planned, once or by a rule.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "cli/commands.h"
#include "cli/event_desk.h"
#include "cli/session.h"
#include "tell/maintenance.h"

const char maintenance_usage[] =
	"usage: glasshouse maintenance plan TITLE [TEXT] --start TIME --length TIME [OPTION]...\n"
	"       glasshouse maintenance update ID [TEXT] [OPTION]...\n"
	"       glasshouse maintenance cancel ID [TEXT]\n"
	"       glasshouse maintenance list [OPTION]...\n"
	"       glasshouse maintenance show ID\n"
	"       glasshouse maintenance next [OPTION]...\n"
	"\n"
	"Plans work: a running house tells of it from now on, puts it in progress and completes it by\n"
	"the clock, and counts what happens to its components meanwhile as maintenance. Work that\n"
	"comes again stands in the configuration (maintenance:); next shows when it comes, before it\n"
	"is announced. A text is Markdown; - reads it from stdin. More: docs/events.md\n"
	"\n"
	"  --start TIME        it begins then: '2026-12-01 22:00' by the clocks of the zone, +2h (from\n"
	"                      now), or 2026-12-01T21:00:00Z\n"
	"  --length TIME       how long it lasts: 4h\n"
	"  --until TIME        its end, instead\n"
	"  --component ID[=IMPACT]  that is concerned: none, degraded, partial, outage or 0 to 100;\n"
	"                      several times for several\n"
	"  --title TEXT        update: another title\n"
	"  --phase PHASE       update: in_progress, completed: before the clock does it\n"
	"  --at TIME           update, cancel: when it was so\n"
	"  --file FILE         the text stands there\n"
	"  --draft             plan: only operators see it until it is published\n"
	"  --id ID             plan: the id it shall have\n"
	"  --revision N        refused when somebody else wrote since that revision\n"
	"  --open              list: only those that are not over\n"
	"  --from TIME         list: that lasted after it\n"
	"  --to TIME           list: that began before it\n"
	"  --limit N           list: so many (default 50)\n"
	"  --skip N            list: without the first N\n"
	"  --public            list, show: what all may see\n"
	"  --count N           next: so many (default 10)\n" EVENT_OPTIONS_USAGE
	"\n"
	"example: glasshouse maintenance plan 'New switches' --start '2026-12-01 22:00' --length 4h \\\n"
	"           --component network=partial\n"
	"exit: 0 fine, 1 show: there is none, next: there are no rules, 2 could not be done\n";

/* --- plan, update, cancel --------------------------------------------------------------------- */

/* --length from the begin there is. */
static bool read_length(struct event_desk *d, int64_t starts_ms, int64_t *until_ms)
{
	const struct event_args *a = d->args;
	int64_t ns;
	if (!a->length)
		return true;
	if (a->until) {
		fputs("--length and --until: which of them?\n", stderr);
		return false;
	}
	if (!units_parse_time(slice_of(a->length), &ns) || ns < NS_PER_S) {
		fprintf(stderr, "--length: \"%s\" is no time such as 4h\n", a->length);
		return false;
	}
	*until_ms = starts_ms + ns / NS_PER_MS;
	return true;
}

static int plan(struct event_desk *d)
{
	const struct event_args *a = d->args;
	struct event_change c;
	if (!event_args_words(a, 1, 2, "a title and, if you like, a text"))
		return EXIT_COULD_NOT_RUN;
	if (!a->start || (!a->length && !a->until)) {
		fputs("when? --start '2026-12-01 22:00' and --length 4h, or --until\n", stderr);
		return EXIT_COULD_NOT_RUN;
	}
	if (!event_desk_change(d, a->word_count > 2 ? a->words[2] : NULL, 100, &c) ||
		!read_length(d, c.starts_ms, &c.until_ms))
		return EXIT_COULD_NOT_RUN;
	const struct event_new n = {.kind = EVENT_MAINTENANCE,
		.title = a->words[1],
		.text = c.text,
		.phase = EVENT_PLANNED,
		.audience = a->draft ? AUDIENCE_OPERATORS : AUDIENCE_PUBLIC,
		.starts_ms = c.starts_ms,
		.until_ms = c.until_ms,
		.impacts = c.impacts,
		.impact_count = c.impact_count,
		.id = a->id};
	return event_desk_write_new(d, &n);
}

/* The begin of one that is there; 0: there is no maintenance of that id, said. */
static int64_t begin_of(struct event_desk *d, const char *id)
{
	struct error err = {0};
	json_t *e = event_json(d->facts, id, AUDIENCE_OPERATORS, &err);
	const char *kind = json_string_value(json_object_get(e, "kind"));
	const int64_t starts_ms = json_integer_value(json_object_get(e, "starts_ms"));
	const bool fits = kind && !strcmp(kind, event_kind_name(EVENT_MAINTENANCE));
	if (err.kind)
		session_print_error(&err);
	else if (e && !fits)
		fprintf(stderr, "%s is an %s: `glasshouse event` changes it\n", id, kind);
	else if (!e)
		return d->now_ms; /* the write says so, with what is near */
	json_decref(e);
	return fits ? starts_ms : 0;
}

static int change(struct event_desk *d, int phase, const char *word)
{
	const char *id = d->args->words[1];
	struct event_change c;
	const int64_t begin_ms = begin_of(d, id);
	if (!begin_ms || !event_desk_change(d, word, 100, &c) ||
		!read_length(d, c.starts_ms < 0 ? begin_ms : c.starts_ms, &c.until_ms))
		return EXIT_COULD_NOT_RUN;
	if (phase >= 0)
		c.phase = phase;
	return event_desk_write_change(d, id, &c);
}

static const char *text_word(const struct event_args *a)
{
	return a->word_count > 2 ? a->words[2] : NULL;
}

static int update(struct event_desk *d)
{
	const struct event_args *a = d->args;
	if (!event_args_words(a, 1, 2, "the id of a maintenance and, if you like, a text"))
		return EXIT_COULD_NOT_RUN;
	if (!text_word(a) && !a->file && !a->title && !a->phase && !a->start && !a->until &&
		!a->length && !a->components.n) {
		fputs("an update says something: a text, --file, --title, --phase, --component,"
		      " --start, --length or --until\n",
			stderr);
		return EXIT_COULD_NOT_RUN;
	}
	return change(d, -1, text_word(a));
}

static int cancel(struct event_desk *d)
{
	return event_args_words(d->args, 1, 2, "the id of a maintenance and, if you like, a text")
		       ? change(d, EVENT_CANCELLED, text_word(d->args))
		       : EXIT_COULD_NOT_RUN;
}

/* --- list, show ------------------------------------------------------------------------------- */

static int list(struct event_desk *d)
{
	return event_args_words(d->args, 0, 0, "no words, only options")
		       ? event_desk_list(d, EVENT_MAINTENANCE)
		       : EXIT_COULD_NOT_RUN;
}

static int show(struct event_desk *d)
{
	return event_args_words(d->args, 1, 1, "the id of a maintenance")
		       ? event_desk_show(d, d->args->words[1])
		       : EXIT_COULD_NOT_RUN;
}

/* --- next ------------------------------------------------------------------------------------- */

struct coming {
	const struct maintenance_rule *rule;
	struct calendar_span span;
};

typedef VEC(struct coming) comings;

static int by_begin(const void *a, const void *b)
{
	const struct coming *x = a, *y = b;
	return (x->span.from_s > y->span.from_s) - (x->span.from_s < y->span.from_s);
}

static bool find_coming(const struct event_desk *d, size_t count, comings *ret)
{
	const struct config *c = d->config;
	struct error err = {0};
	for (size_t i = 0; c && i < c->maintenance_count; i++) {
		const struct maintenance_rule *rule = &c->maintenance[i].rule;
		struct zone *z = zone_load(rule->zone, &err);
		struct calendar_span s = {.to_s = d->now_ms / 1000};
		if (!z) {
			session_print_error(&err);
			return false;
		}
		for (size_t n = 0; n < count && calendar_next(&rule->when, z, s.to_s, &s); n++)
			vec_push(ret, ((struct coming){rule, s}));
		zone_free(z);
	}
	if (ret->n)
		qsort(ret->p, ret->n, sizeof(*ret->p), by_begin);
	return true;
}

static void print_coming(const struct coming *c, bool as_json)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];
	clock_rfc3339(c->span.from_s * 1000000, from);
	clock_rfc3339(c->span.to_s * 1000000, to);
	if (as_json) {
		json_t *j = json_pack("{s:s, s:s, s:s, s:s, s:b}", "name", c->rule->name, "title",
			c->rule->title, "from", from, "to", to, "announced",
			c->rule->announce_ms >= 0);
		event_print_json(j);
		json_decref(j);
	} else {
		printf("%.19sZ  %.19sZ  %s: %s%s\n", from, to, c->rule->name, c->rule->title,
			c->rule->announce_ms < 0 ? " (not announced)" : "");
	}
}

static int next(struct event_desk *d)
{
	const size_t count = d->args->count ? (size_t)d->args->count : 10;
	comings all = {0};
	if (!event_args_words(d->args, 0, 0, "no words, only options") ||
		!find_coming(d, count, &all)) {
		vec_fini(&all);
		return EXIT_COULD_NOT_RUN;
	}
	for (size_t i = 0; i < all.n && i < count; i++)
		print_coming(&all.p[i], d->args->json);
	const bool any = all.n > 0;
	if (!any)
		fputs("no rule of the configuration comes again: maintenance: has none\n", stderr);
	vec_fini(&all);
	return any ? EXIT_FINE : EXIT_NOT_FINE;
}

/* --- the command ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	int (*run)(struct event_desk *d);
} verbs[] = {{"plan", plan}, {"update", update}, {"cancel", cancel}, {"list", list}, {"show", show},
	{"next", next}};

static int run_verb(const struct event_args *a)
{
	struct event_desk d;
	for (size_t i = 0; a->word_count && i < array_len(verbs); i++) {
		if (strcmp(a->words[0], verbs[i].name) != 0)
			continue;
		if (!event_desk_open(&d, a, verbs[i].run == next))
			return EXIT_COULD_NOT_RUN;
		const int code = verbs[i].run(&d);
		event_desk_close(&d);
		return code;
	}
	fputs("maintenance takes a verb: plan, update, cancel, list, show or next; see"
	      " `glasshouse maintenance --help`\n",
		stderr);
	return EXIT_COULD_NOT_RUN;
}

int maintenance_main(int argc, char **argv)
{
	struct event_args a = {0};
	const int code = event_args_read(argc, argv, &a) ? run_verb(&a) : EXIT_COULD_NOT_RUN;
	event_args_fini(&a);
	return code;
}

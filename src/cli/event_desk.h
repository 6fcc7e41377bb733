/*
 * event_desk.h - what `glasshouse event` and `glasshouse maintenance` share: their options, the
 * store they write to, beside a running house or without one, and how events are printed.
 *
 * Thread: main.
 */
#ifndef CLI_EVENT_DESK_H
#define CLI_EVENT_DESK_H

#include <getopt.h>
#include <jansson.h>

#include "base/vec.h"
#include "base/zone.h"
#include "cli/command.h"
#include "cli/config.h"
#include "tell/event.h"

struct event_args { /* as given; borrowed but for `impacts` */
	const char *config, *state, *by, *zone;
	const char *title, *file, *phase, *start, *until, *length, *at, *id, *from, *to, *kind;
	VEC(const char *) components; /* "compute=outage" */
	int64_t revision, limit, skip, count;
	bool draft, everybody, open, json;
	char **words; /* what is no option, from the verb on */
	int word_count;
};

#define EVENT_OPTIONS_USAGE                                                                        \
	"  --by NAME           who writes (default: the user's name); only operators see it\n"     \
	"  --zone NAME         of times without one (default: site.timezone; with --state UTC)\n"  \
	"  --config FILE       or -c FILE: says where the store is; default: as for run\n"         \
	"  --state DIR         the store itself\n"                                                 \
	"  --json              the event as JSON\n"

/* Prints what is wrong. */
bool event_args_read(int argc, char **argv, struct event_args *ret);
void event_args_fini(struct event_args *a);
/* Whether there are that many words behind the verb; says what is missing. */
bool event_args_words(const struct event_args *a, int least, int most, const char *what);

struct event_desk {
	const struct event_args *args;
	struct loop *loop;
	struct facts *facts;
	struct config *config; /* NULL: none was found, or --state was enough */
	struct zone *zone;
	int64_t now_ms;
	char *by, *text;
	VEC(struct event_impact) impacts;
	VEC(char *) names; /* of impacts */
};

/* Prints what is wrong, and returns false with nothing open. need_config: rules are looked at. */
bool event_desk_open(struct event_desk *d, const struct event_args *a, bool need_config);
void event_desk_close(struct event_desk *d);

/* Each prints what is wrong. `otherwise`: what a component without =IMPACT means. */
bool event_desk_impacts(struct event_desk *d, int otherwise);
/* "2h" is ago, "+2h" ahead, "2026-12-01 22:00" by the clocks of the zone, or RFC 3339. */
bool event_desk_time(
	const struct event_desk *d, const char *option, const char *text, int64_t *ret_ms);
/* Of the given word, --file, or stdin where that is "-"; NULL stays NULL. */
bool event_desk_text(struct event_desk *d, const char *word);

/* Each writes and returns an exit code. What was written is printed. */
int event_desk_write_new(struct event_desk *d, const struct event_new *n);
int event_desk_write_change(struct event_desk *d, const char *id, const struct event_change *c);
int event_desk_write_correction(struct event_desk *d, const char *id, int update);
/* What --phase, --title, times, components and text ask for. False: said. */
bool event_desk_change(
	struct event_desk *d, const char *word, int impact, struct event_change *ret);

/* --- event_print.c */
int event_desk_show(struct event_desk *d, const char *id);
int event_desk_list(struct event_desk *d, int kind); /* enum event_kind; -1: all, or --kind */
void event_print_json(const json_t *j);

#endif

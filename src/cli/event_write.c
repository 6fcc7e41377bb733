/*
 * event_write.c - writes to events from the command line, each a transaction of its own.
 */

#include <stdio.h>
#include <string.h>

#include "cli/event_desk.h"
#include "cli/session.h"

struct write {
	struct event_desk *desk;
	const struct event_new *n;
	const struct event_change *change; /* NULL, and no n: a correction */
	const char *id;
	int update;
	char made[EVENT_ID_MAX + 1];
};

static bool do_write(struct facts_tx *tx, void *arg, struct error *err)
{
	struct write *w = arg;
	const struct event_desk *d = w->desk;
	const struct event_author by = {d->by, false};
	if (w->n)
		return event_tx_open(tx, w->n, &by, d->now_ms, w->made, err);
	if (w->change)
		return event_tx_change(tx, w->id, w->change, &by, d->now_ms, err);
	return event_tx_correct(tx, w->id, w->update, d->text, &by, d->now_ms, err);
}

/* One that is not there may be a slip of the keyboard. */
static void say_near(struct event_desk *d, const char *id)
{
	struct error ignored = {0};
	json_t *there = event_json(d->facts, id, AUDIENCE_OPERATORS, &ignored);
	json_decref(there);
	if (there)
		return;
	const struct event_filter f = {.kind = -1, .limit = 500, .brief = true};
	json_t *list = event_list(d->facts, &f, &ignored), *e;
	VEC(const char *) ids = {0};
	size_t i;
	json_array_foreach (list, i, e)
		vec_push(&ids, json_string_value(json_object_get(e, "id")));
	const char *near = slice_nearest(slice_of(id), ids.p, ids.n);
	if (near)
		fprintf(stderr, "did you mean %s?\n", near);
	vec_fini(&ids);
	json_decref(list);
}

static void print_done(const struct write *w, const json_t *e)
{
	const struct event_desk *d = w->desk;
	if (d->args->json) {
		event_print_json(e);
	} else if (w->n) {
		puts(w->made);
		if (!json_is_true(json_object_get(e, "public")))
			fprintf(stderr, "a draft: `glasshouse event publish %s` shows it to all\n",
				w->made);
	} else {
		printf("%s: %s, revision %lld\n", w->id,
			json_string_value(json_object_get(e, "phase")),
			(long long)json_integer_value(json_object_get(e, "revision")));
	}
}

static int call(struct write *w)
{
	struct event_desk *d = w->desk;
	struct error err = {0};
	if (!facts_call(d->facts, do_write, w, &err)) {
		session_print_error(&err);
		if (w->id)
			say_near(d, w->id);
		return EXIT_COULD_NOT_RUN;
	}
	json_t *e = event_json(d->facts, w->n ? w->made : w->id, AUDIENCE_OPERATORS, &err);
	if (e)
		print_done(w, e);
	else
		session_print_error(&err);
	json_decref(e);
	return e ? EXIT_FINE : EXIT_COULD_NOT_RUN;
}

int event_desk_write_new(struct event_desk *d, const struct event_new *n)
{
	struct write w = {.desk = d, .n = n};
	return call(&w);
}

int event_desk_write_change(struct event_desk *d, const char *id, const struct event_change *c)
{
	struct write w = {.desk = d, .id = id, .change = c};
	return call(&w);
}

int event_desk_write_correction(struct event_desk *d, const char *id, int update)
{
	struct write w = {.desk = d, .id = id, .update = update};
	return call(&w);
}

static bool read_phase(const char *text, int *ret)
{
	enum event_phase p;
	if (!text)
		return true;
	if (!event_phase_parse(text, &p)) {
		fprintf(stderr,
			"--phase: there is no phase \"%s\": of an incident detected, investigating,"
			" identified, monitoring, resolved; of a maintenance planned, in_progress,"
			" completed, cancelled; of an info planned, active, completed, cancelled\n",
			text);
		return false;
	}
	*ret = (int)p;
	return true;
}

bool event_desk_change(struct event_desk *d, const char *word, int impact, struct event_change *c)
{
	const struct event_args *a = d->args;
	*c = (struct event_change){.title = a->title,
		.phase = -1,
		.starts_ms = -1,
		.until_ms = -1,
		.revision = a->revision};
	if (!read_phase(a->phase, &c->phase) || !event_desk_text(d, word) ||
		!event_desk_impacts(d, impact) ||
		(a->start && !event_desk_time(d, "start", a->start, &c->starts_ms)) ||
		(a->until && !event_desk_time(d, "until", a->until, &c->until_ms)) ||
		(a->at && !event_desk_time(d, "at", a->at, &c->at_ms)))
		return false;
	c->text = d->text;
	if (a->components.n) {
		c->impacts = d->impacts.p;
		c->impact_count = d->impacts.n;
	}
	return true;
}

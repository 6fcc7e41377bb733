/*
 * house_events.c - what is declared: `events` and `upcoming` of SITE, the documents EVENT, EVENTS
 * and HISTORY: see model.h.
 */

#include <stdlib.h>
#include <string.h>

#include "web/house_inside.h"

#define MONTH_TEXT 16

void house_events(struct house *h, const struct events *e)
{
	h->events = e;
}

/* --- SITE ------------------------------------------------------------------------------------- */

static bool is_planned(const json_t *e)
{
	return !strcmp(json_str(e, "phase"), event_phase_name(EVENT_PLANNED));
}

static bool is_over(const json_t *e)
{
	return json_is_integer(json_object_get(e, "ended_ms"));
}

/* Those under way, worst first. */
static int by_impact(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const int64_t worse = json_int(y, "impact", 0) - json_int(x, "impact", 0);
	const int64_t newer = json_int(y, "starts_ms", 0) - json_int(x, "starts_ms", 0);
	return worse ? (worse > 0) - (worse < 0) : (newer > 0) - (newer < 0);
}

static int by_begin(const void *a, const void *b)
{
	const json_t *x = *(json_t *const *)a, *y = *(json_t *const *)b;
	const int64_t later = json_int(x, "starts_ms", 0) - json_int(y, "starts_ms", 0);
	return later ? (later > 0) - (later < 0) : strcmp(json_str(x, "id"), json_str(y, "id"));
}

typedef VEC(json_t *) several;

static json_t *sorted(several *list, int (*order)(const void *a, const void *b))
{
	json_t *sorted_list = json_array();
	if (list->n)
		qsort(list->p, list->n, sizeof(*list->p), order);
	VEC_EACH (list, json_t *, e)
		json_array_append(sorted_list, *e);
	vec_fini(list);
	return sorted_list;
}

void site_events(struct house *h, json_t *site, bool operators)
{
	const json_t *all = !h->events  ? NULL
			    : operators ? events_current(h->events)
					: events_current_public(h->events);
	several under_way = {0}, planned = {0};
	size_t i;
	json_t *e;
	json_array_foreach (all, i, e) {
		if (is_over(e))
			continue;
		if (is_planned(e))
			vec_push(&planned, e);
		else
			vec_push(&under_way, e);
	}
	json_t *events = sorted(&under_way, by_impact);
	json_array_foreach (all, i, e)
		if (is_over(e) && json_array_size(events) < MODEL_EVENTS_SITE)
			json_array_append(events, e);
	put(site, "events", events);
	put(site, "upcoming", sorted(&planned, by_begin));
}

/* --- names ------------------------------------------------------------------------------------ */

/* One that is no longer there is called by its id. */
const char *house_component_name(const struct house *h, const char *id)
{
	for (size_t i = 0; i < judge_component_count(h->judge); i++) {
		const struct component *c = judge_component_at(h->judge, i);
		if (!strcmp(c->id, id))
			return c->name;
	}
	return id;
}

static void add_names(const struct house *h, json_t *names, const json_t *event)
{
	size_t i;
	json_t *id;
	json_array_foreach (json_object_get(event, "touched"), i, id)
		put_text(names, json_string_value(id),
			house_component_name(h, json_string_value(id)));
}

static enum audience audience_of(const struct house_asked *a)
{
	return a->operators ? AUDIENCE_OPERATORS : AUDIENCE_PUBLIC;
}

/* --- EVENT ------------------------------------------------------------------------------------ */

static int begin_event(struct house_asked *a)
{
	return json_str(a->args, "id") ? 0 : 400;
}

static bool read_event(struct house_asked *a)
{
	a->read = event_json(a->facts, json_str(a->args, "id"), audience_of(a), &a->err);
	return a->read || !a->err.kind;
}

static int end_event(struct house_asked *a)
{
	if (!a->read)
		return 404;
	a->doc = json_incref(a->read);
	json_t *names = json_object();
	add_names(a->house, names, a->doc);
	put(a->doc, "names", names);
	return 200;
}

const struct house_question event_question = {"event", false, begin_event, read_event, end_event};

/* --- EVENTS ----------------------------------------------------------------------------------- */

static int begin_events(struct house_asked *a)
{
	return 0;
}

static struct event_filter filter_of(const struct house_asked *a)
{
	enum event_kind kind;
	const char *named = json_str(a->args, "kind");
	return (struct event_filter){.audience = audience_of(a),
		.kind = event_kind_parse(named, &kind) ? (int)kind : -1,
		.component = json_str(a->args, "component"),
		.from_ms = json_int(a->args, "from_ms", 0),
		.to_ms = json_int(a->args, "to_ms", 0),
		.open = json_flag(a->args, "open"),
		.skip = (size_t)json_int(a->args, "skip", 0),
		.limit = (size_t)json_int(a->args, "limit", MODEL_EVENTS),
		.brief = !json_flag(a->args, "whole")};
}

static bool read_events(struct house_asked *a)
{
	const struct event_filter f = filter_of(a);
	json_t *list = event_list(a->facts, &f, &a->err);
	const int64_t n = list ? event_count(a->facts, &f, &a->err) : -1;
	if (n < 0) {
		json_decref(list);
		return false;
	}
	a->read = json_object();
	put_int(a->read, "count", n);
	put_int(a->read, "skip", (int64_t)f.skip);
	put(a->read, "events", list);
	return true;
}

static int end_events(struct house_asked *a)
{
	a->doc = json_incref(a->read);
	return 200;
}

const struct house_question events_question = {
	"events", false, begin_events, read_events, end_events};

/* --- HISTORY ---------------------------------------------------------------------------------- */

struct view { /* MONTH:KIND:COMPONENT, "" or NULL: all */
	char month[MONTH_TEXT], kind[16], component[80];
	int64_t from_ms, to_ms; /* of the month; 0: of all */
};

static int64_t month_ms(int year, int month)
{
	char text[CLOCK_TEXT];
	int64_t us = 0;
	snprintf(text, sizeof(text), "%04d-%02d-01T00:00:00Z", year, month);
	return clock_parse_rfc3339(text, &us) ? us / 1000 : 0;
}

static bool parse_month(struct view *v)
{
	int year, month, end = 0;
	if (!v->month[0])
		return true;
	if (strlen(v->month) != 7 || sscanf(v->month, "%4d-%2d%n", &year, &month, &end) != 2 ||
		end != 7 || year < 1970 || month < 1 || month > 12)
		return false;
	v->from_ms = month_ms(year, month);
	v->to_ms = month == 12 ? month_ms(year + 1, 1) : month_ms(year, month + 1);
	return v->to_ms > 0;
}

static bool parse_view(const char *text, struct view *v)
{
	enum event_kind kind;
	struct slice rest = slice_of(text), part;
	char *const into[] = {v->month, v->kind, v->component};
	const size_t room[] = {sizeof(v->month), sizeof(v->kind), sizeof(v->component)};
	size_t n = 0;
	*v = (struct view){0};
	for (; rest.n && slice_next(&rest, ':', &part); n++) {
		if (n >= array_len(into) || part.n >= room[n])
			return false;
		snprintf(into[n], room[n], "%.*s", SLICE_ARG(part));
	}
	return parse_month(v) && (!v->kind[0] || event_kind_parse(v->kind, &kind));
}

static int begin_history(struct house_asked *a)
{
	struct view v;
	return parse_view(json_str(a->args, "view"), &v) ? 0 : 404;
}

/* One more than is shown is asked for, to know whether there are more. */
static bool read_history(struct house_asked *a)
{
	struct view v;
	enum event_kind kind;
	if (!parse_view(json_str(a->args, "view"), &v))
		return false;
	const struct event_filter f = {.audience = audience_of(a),
		.kind = event_kind_parse(v.kind, &kind) ? (int)kind : -1,
		.component = v.component[0] ? v.component : NULL,
		.from_ms = v.from_ms,
		.to_ms = v.to_ms,
		.by_begin = true,
		.limit = MODEL_EVENTS + 1,
		.brief = true};
	json_t *list = event_list(a->facts, &f, &a->err);
	json_t *months = list ? event_months(a->facts, f.audience, &a->err) : NULL;
	if (!months) {
		json_decref(list);
		return false;
	}
	const bool more = json_array_size(list) > MODEL_EVENTS;
	if (more)
		json_array_remove(list, MODEL_EVENTS);
	a->read = json_object();
	put_text(a->read, "month", v.month);
	put_text(a->read, "kind", v.kind[0] ? v.kind : NULL);
	put_text(a->read, "component", v.component[0] ? v.component : NULL);
	put(a->read, "months", months);
	put(a->read, "events", list);
	put(a->read, "more", json_boolean(more));
	return true;
}

static int end_history(struct house_asked *a)
{
	const char *component = json_str(a->read, "component");
	json_t *names = json_object(), *e;
	size_t i;
	a->doc = json_incref(a->read);
	json_array_foreach (json_object_get(a->doc, "events"), i, e)
		add_names(a->house, names, e);
	if (component)
		put_text(names, component, house_component_name(a->house, component));
	put(a->doc, "names", names);
	return 200;
}

const struct house_question history_question = {
	"history", false, begin_history, read_history, end_history};

/*
 * event_view.c - events as people read them: phase, impact, what was measured beside what is said.
 *
 * What is declared and what is measured are never mixed: a card tells the one, the state of the
 * component the other, and where they contradict each other a sentence says so.
 */

#include <string.h>

#include "base/json.h"
#include "tell/event.h"
#include "text/markdown.h"
#include "web/pages/view.h"

#define NAMED     6   /* components of a card by name */
#define EXCERPT   600 /* bytes of Markdown that a card shows */
#define CUT_AFTER 280 /* code points of a text whose first paragraph is longer, */
#define CUT_TITLE 60  /* and of a title within a row */

/* --- words ------------------------------------------------------------------------------------ */

struct word {
	const char *name, *key;
};

static const struct word kinds[] = {{"incident", "event_incident"},
	{"maintenance", "event_maintenance"}, {"info", "event_info"}};

static const struct word phases[] = {{"detected", "phase_detected"},
	{"investigating", "phase_investigating"}, {"identified", "phase_identified"},
	{"monitoring", "phase_monitoring"}, {"resolved", "phase_resolved"},
	{"planned", "phase_planned"}, {"in_progress", "phase_in_progress"},
	{"active", "phase_active"}, {"completed", "phase_completed"},
	{"cancelled", "phase_cancelled"}};

static const char *word_of(
	struct view *v, const struct word *words, size_t n, const char *name, const char *otherwise)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(words[i].name, name))
			return say(v, words[i].key, NULL);
	return otherwise;
}

const char *say_event_kind(struct view *v, const char *kind)
{
	return word_of(v, kinds, array_len(kinds), kind, kind ? kind : "");
}

const char *say_phase(struct view *v, const char *phase)
{
	return word_of(v, phases, array_len(phases), phase, phase ? phase : "");
}

static bool is(const json_t *o, const char *key, const char *text)
{
	const char *own = json_str(o, key);
	return own && !strcmp(own, text);
}

bool event_is_over(const json_t *event)
{
	enum event_phase phase;
	const char *name = json_str(event, "phase");
	return name && event_phase_parse(name, &phase) && event_phase_over(phase);
}

/* --- impact ----------------------------------------------------------------------------------- */

enum level { LEVEL_NONE, LEVEL_DEGRADED, LEVEL_PARTIAL, LEVEL_OUTAGE };

static enum level level_of(int64_t impact)
{
	return impact <= 0    ? LEVEL_NONE
	       : impact <= 33 ? LEVEL_DEGRADED
	       : impact < 100 ? LEVEL_PARTIAL
			      : LEVEL_OUTAGE;
}

static const char *say_level(struct view *v, enum level level)
{
	static const char *const keys[] = {
		"impact_none", "impact_degraded", "impact_partial", "impact_outage"};
	return say(v, keys[level], NULL);
}

json_t *impact_view(struct view *v, int64_t impact)
{
	static const char *const names[] = {"info", "degraded", "outage", "outage"};
	const enum level level = level_of(impact);
	const int64_t wide = impact < 0 ? 0 : impact > 100 ? 100 : impact;
	return json_pack("{s:s, s:s, s:I}", "name", names[level], "word", say_level(v, level),
		"wide", (json_int_t)wide);
}

/* Shape and colour say what it does to customers, the word how far it is. */
json_t *event_state_view(struct view *v, const json_t *event)
{
	static const char *const names[] = {"info", "degraded", "outage", "outage"};
	const char *name = names[level_of(json_int(event, "impact", 0))];
	if (is(event, "phase", "cancelled"))
		name = "gap";
	else if (event_is_over(event))
		name = "operational";
	else if (is(event, "kind", "maintenance"))
		name = "maintenance";
	else if (is(event, "kind", "info"))
		name = "info";
	return json_pack(
		"{s:s, s:s}", "name", name, "word", say_phase(v, json_str(event, "phase")));
}

/* --- components ------------------------------------------------------------------------------- */

const json_t *measured_component(const struct view *v, const char *id)
{
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(v->site, "components"), i, c) {
		if (id && is(c, "id", id))
			return c;
	}
	return NULL;
}

const char *component_name(struct view *v, const char *id)
{
	const char *name = say_component(v, measured_component(v, id));
	if (!name)
		name = json_str(json_object_get(v->model, "names"), id);
	return name ? name : id;
}

bool event_touches(const json_t *event, const char *id)
{
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(event, "components"), i, c) {
		if (id && is(c, "id", id))
			return true;
	}
	return false;
}

/* Maintenance may well go better than was announced; an incident that does was not updated. */
const char *say_contradiction(struct view *v, const json_t *event, int64_t impact, enum health h)
{
	const enum level declared = level_of(impact);
	const bool has_begun = !event_is_over(event) && !is(event, "phase", "planned");
	const bool worse = (h == HEALTH_OUTAGE && declared <= LEVEL_DEGRADED) ||
			   (h == HEALTH_DEGRADED && declared == LEVEL_NONE);
	const bool better = is(event, "kind", "incident") &&
			    ((h == HEALTH_OPERATIONAL && declared > LEVEL_NONE) ||
				    (h == HEALTH_DEGRADED && declared == LEVEL_OUTAGE));
	if (!has_begun || (!worse && !better))
		return NULL;
	json_t *measured = state_view(v, h);
	const char *text = say(v, worse ? "measured_worse" : "measured_better",
		json_str(measured, "word"), say_level(v, declared), NULL);
	json_decref(measured);
	return text;
}

/* --- short forms -------------------------------------------------------------------------------
 */

static const char *cut_text(struct view *v, struct slice text, size_t most)
{
	size_t end = 0;
	for (size_t points = 0; end < text.n && points < most; points++)
		for (end++; end < text.n && ((unsigned char)text.p[end] & 0xc0) == 0x80;)
			end++;
	char *cut = slice_dup(slice_sub(text, 0, end));
	const char *ret = view_keep(v, mem_printf("%s%s", cut, end < text.n ? "\xe2\x80\xa6" : ""));
	free(cut);
	return ret;
}

/* In the order of SITE: the worst first. */
json_t *declared_view(struct view *v, const char *component)
{
	const json_t *event;
	size_t i;
	json_array_foreach (json_object_get(v->site, "events"), i, event) {
		if (event_is_over(event) || !event_touches(event, component))
			continue;
		json_t *o = json_object();
		view_put(o, "title", cut_text(v, slice_of(json_str(event, "title")), CUT_TITLE));
		put_link(v, o, "href", "/events/", json_str(event, "id"));
		return o;
	}
	return json_null();
}

/* --- the card --------------------------------------------------------------------------------- */

/* That is no heading; empty: there is none. */
static struct slice first_paragraph(struct slice text)
{
	struct slice rest = slice_trim(text);
	while (rest.n) {
		const size_t end = slice_find_text(rest, SLICE("\n\n"));
		if (rest.p[0] != '#')
			return slice_sub(rest, 0, end);
		rest = slice_trim(slice_sub(rest, end, rest.n));
	}
	return rest;
}

/* The first paragraph as what it is; of a long one the beginning as plain text. */
static json_t *excerpt_view(struct view *v, const json_t *event)
{
	const json_t *updates = json_object_get(event, "updates");
	const json_t *newest = json_array_get(updates, json_array_size(updates) - 1);
	const char *text = json_array_size(updates) ? json_str(newest, "text") : NULL;
	const char *id = json_str(event, "id");
	const struct markdown how = {.heading = 4, .id = id ? id : "event"};
	const struct slice first = first_paragraph(slice_of(text));
	if (!first.n)
		return json_null();
	struct buf html = BUF(MARKDOWN_HTML_MAX);
	struct error err = {0};
	json_t *o = json_object();
	const bool plain = first.n > EXCERPT || !markdown_html(first, &how, &html, &err);
	view_put(o, "html", plain ? NULL : buf_str(&html));
	view_put(o, "text", plain ? cut_text(v, first, CUT_AFTER) : NULL);
	buf_fini(&html);
	return o;
}

static json_t *touched_views(struct view *v, const json_t *event, const char **ret_more)
{
	const json_t *components = json_object_get(event, "components"), *c;
	const size_t n = json_array_size(components), shown = n > NAMED + 1 ? NAMED : n;
	json_t *all = json_array();
	size_t i;
	json_array_foreach (components, i, c) {
		const char *id = json_str(c, "id");
		if (i == shown || !id)
			break;
		json_t *o = json_object();
		view_put(o, "name", component_name(v, id));
		json_object_set_new(o, "impact", impact_view(v, json_int(c, "impact", 0)));
		json_array_append_new(all, o);
	}
	*ret_more = n > shown ? say_count(v, "more_one", "more_many", (int64_t)(n - shown)) : NULL;
	return all;
}

static const char *contradiction_of(struct view *v, const json_t *event)
{
	const json_t *c;
	size_t i;
	json_array_foreach (json_object_get(event, "components"), i, c) {
		const char *id = json_str(c, "id");
		const json_t *measured = measured_component(v, id);
		const char *text = measured ? say_contradiction(v, event, json_int(c, "impact", 0),
						      view_health(measured))
					    : NULL;
		if (text)
			return say(v, "contradiction", say_isolated(v, component_name(v, id)), text,
				NULL);
	}
	return NULL;
}

void put_event_times(struct view *v, json_t *o, const json_t *event)
{
	const int64_t from = json_int(event, "starts_ms", 0), to = json_int(event, "ended_ms", 0);
	const bool lasts = !event_is_over(event) && !is(event, "phase", "planned");
	const bool lasted = to > from && from > 0 && !is(event, "phase", "cancelled");
	view_put(o, "starts_word", say(v, lasts ? "since_begin" : "event_begins", NULL));
	put_time(v, o, "starts", json_object_get(event, "starts_ms"));
	put_time(v, o, "until", event_is_over(event) ? NULL : json_object_get(event, "until_ms"));
	put_time(v, o, "ended", json_object_get(event, "ended_ms"));
	view_put(o, "lasted", lasted ? say_duration(v, (double)(to - from)) : NULL);
}

void put_event_marks(struct view *v, json_t *o, const json_t *event)
{
	const bool machine = json_flag(event, "machine");
	const json_t *is_public = json_object_get(event, "public");
	view_put(o, "machine",
		!machine ? NULL
			 : say(v,
				   json_flag(event, "taken_over") ? "event_taken_over"
								  : "event_by_machine",
				   NULL));
	view_put(o, "draft", json_is_false(is_public) ? say(v, "event_draft", NULL) : NULL);
}

json_t *event_card_view(struct view *v, const json_t *event)
{
	json_t *o = json_object();
	const char *more = NULL, *title = json_str(event, "title");
	view_put(o, "title", title ? title : "");
	put_link(v, o, "href", "/events/", json_str(event, "id"));
	view_put(o, "kind", say_event_kind(v, json_str(event, "kind")));
	json_object_set_new(o, "state", event_state_view(v, event));
	json_object_set_new(o, "touched", touched_views(v, event, &more));
	view_put(o, "more", more);
	put_event_times(v, o, event);
	put_event_marks(v, o, event);
	view_put(o, "contradiction", contradiction_of(v, event));
	/* what work is for is said by its title, and when by its times */
	const bool told = is(event, "kind", "maintenance") || event_is_over(event);
	json_object_set_new(o, "excerpt", told ? json_null() : excerpt_view(v, event));
	return o;
}

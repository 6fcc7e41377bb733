/*
 * judge_replay_show.c - a replay for people, and as JSON.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/map.h"
#include "base/units.h"
#include "cli/judge_replay.h"

#define WIDTH 60

/* --- who said what of a component
 * ------------------------------------------------------------------------ */

struct track {
	const char *by;
	VEC(const struct replay_change *) changes;
};

struct tracks { /* of one component */
	const char *component;
	VEC(struct track) all;
};

typedef VEC(struct tracks) tracks_list;

static struct tracks *tracks_of(tracks_list *list, const char *component)
{
	VEC_EACH (list, struct tracks, t)
		if (!strcmp(t->component, component))
			return t;
	struct tracks *t = vec_add(list);
	t->component = component;
	return t;
}

static struct track *track_of(struct tracks *tracks, const char *by)
{
	VEC_EACH (&tracks->all, struct track, t)
		if (!strcmp(t->by, by))
			return t;
	struct track *t = vec_add(&tracks->all);
	t->by = by;
	return t;
}

/* The judge first, then by name. */
static int by_who(const void *a, const void *b)
{
	const struct track *x = a, *y = b;
	const int judge = !strcmp(y->by, "judge") - !strcmp(x->by, "judge");
	return judge ? judge : strcmp(x->by, y->by);
}

static int by_component(const void *a, const void *b)
{
	return strcmp(((const struct tracks *)a)->component, ((const struct tracks *)b)->component);
}

/* Components of events, too, though nothing was said of them. */
static void gather(const struct replay *r, tracks_list *list)
{
	const json_t *event, *component;
	size_t i, k;
	VEC_EACH (&r->changes, struct replay_change, c)
		vec_push(&track_of(tracks_of(list, c->component), c->by)->changes, c);
	json_array_foreach (r->events, i, event) {
		json_array_foreach (json_object_get(event, "touched"), k, component)
			tracks_of(list, json_string_value(component));
	}
	VEC_EACH (list, struct tracks, t)
		if (t->all.n)
			qsort(t->all.p, t->all.n, sizeof(*t->all.p), by_who);
	if (list->n)
		qsort(list->p, list->n, sizeof(*list->p), by_component);
}

static void ungather(tracks_list *list)
{
	VEC_EACH (list, struct tracks, t) {
		VEC_EACH (&t->all, struct track, one)
			vec_fini(&one->changes);
		vec_fini(&t->all);
	}
	vec_fini(list);
}

/* --- the timeline
 * -------------------------------------------------------------------------------------------- */

static char sign_of(enum health h)
{
	static const char signs[] = {'.', 'd', 'X', '?', 'm'};
	return signs[h];
}

/* As it counts: what is not well within declared work is that. */
static enum health shown(const struct replay_change *c)
{
	return health_counts(c->health, c->maintenance != NULL);
}

/* The worst of each piece of time: unknown before anything was said. */
static void draw(const struct replay *r, const struct track *t, char *line)
{
	for (int i = 0; i < WIDTH; i++) {
		const int64_t span = r->to_ms - r->from_ms;
		const int64_t begin = r->from_ms + span * i / WIDTH;
		const int64_t end = r->from_ms + span * (i + 1) / WIDTH;
		enum health at = HEALTH_UNKNOWN, worst = HEALTH_UNKNOWN;
		bool any = false;
		for (size_t k = 0; k < t->changes.n && t->changes.p[k]->at_ms < end; k++) {
			const struct replay_change *c = t->changes.p[k];
			at = shown(c);
			if (c->at_ms <= begin)
				continue;
			worst = any ? health_worse(worst, at) : at;
			any = true;
		}
		for (size_t k = t->changes.n; k-- > 0;)
			if (t->changes.p[k]->at_ms <= begin) {
				at = shown(t->changes.p[k]);
				worst = any ? health_worse(worst, at) : at;
				any = true;
				break;
			}
		line[i] = any ? sign_of(worst) : '?';
	}
	line[WIDTH] = '\0';
}

static bool concerns(const json_t *event, const char *component)
{
	return json_has_text(json_object_get(event, "touched"), slice_of(component));
}

static void draw_events(const struct replay *r, const char *component)
{
	char line[WIDTH + 1];
	const json_t *event;
	size_t i;
	bool any = false;
	memset(line, ' ', WIDTH);
	line[WIDTH] = '\0';
	json_array_foreach (r->events, i, event) {
		const int64_t span = r->to_ms - r->from_ms;
		const int64_t begin = json_int(event, "starts_ms", 0);
		const int64_t end = json_int(event, "ended_ms", r->to_ms);
		if (!concerns(event, component))
			continue;
		any = true;
		for (int k = 0; k < WIDTH; k++)
			if (begin < r->from_ms + span * (k + 1) / WIDTH &&
				end > r->from_ms + span * k / WIDTH)
				line[k] = json_str(event, "kind")[0] == 'm' ? 'M' : 'I';
	}
	if (any)
		printf("  %-28s|%s|\n", "declared", line);
}

static void print_timelines(const struct replay *r, const tracks_list *list)
{
	char line[WIDTH + 1], from[CLOCK_TEXT], to[CLOCK_TEXT], length[UNITS_TEXT];
	clock_rfc3339(r->from_ms * 1000, from);
	clock_rfc3339(r->to_ms * 1000, to);
	printf("%.16s to %.16s UTC, a sign is %s:  . operational  d degraded  X outage  ? unknown"
	       "  m declared work\nDeclared:  I incident  M maintenance\n",
		from, to, units_time_text((r->to_ms - r->from_ms) / WIDTH * NS_PER_MS, length));
	VEC_EACH (list, struct tracks, t) {
		printf("\n%s\n", t->component);
		VEC_EACH (&t->all, struct track, one) {
			draw(r, one, line);
			printf("  %-28.28s|%s|\n", strcmp(one->by, "judge") ? one->by : "the judge",
				line);
		}
		draw_events(r, t->component);
	}
}

static void print_changes(const struct replay *r)
{
	char at[CLOCK_TEXT];
	const json_t *event;
	size_t i;
	puts("");
	VEC_EACH (&r->changes, struct replay_change, c)
		printf("%.19s  %-20s %-11s %s%s: %s%s\n", clock_rfc3339(c->at_ms * 1000, at),
			c->component, health_name(c->health), c->by, c->note ? " (note)" : "",
			c->text, c->maintenance ? " (declared work)" : "");
	json_array_foreach (r->events, i, event)
		printf("%.19s  declared: %s, %s: %s\n",
			clock_rfc3339(json_int(event, "starts_ms", 0) * 1000, at),
			json_str(event, "kind"), json_str(event, "phase"),
			json_str(event, "title"));
}

void replay_print(const struct replay *r)
{
	tracks_list list = {0};
	gather(r, &list);
	print_timelines(r, &list);
	print_changes(r);
	printf("\n%zu changes, %zu events\n", r->changes.n, json_array_size(r->events));
	ungather(&list);
}

/* --- JSON
 * -----------------------------------------------------------------------------------------------------
 */

static json_t *spans_json(const struct replay *r, const struct track *t)
{
	json_t *spans = json_array();
	for (size_t i = 0; i < t->changes.n; i++) {
		const struct replay_change *c = t->changes.p[i];
		const int64_t end = i + 1 < t->changes.n ? t->changes.p[i + 1]->at_ms : r->to_ms;
		json_array_append_new(spans,
			json_pack("{s:I, s:I, s:s, s:s, s:b, s:s?, s:s?}", "from_ms",
				(json_int_t)c->at_ms, "to_ms", (json_int_t)end, "health",
				health_name(c->health), "text", c->text, "note", (int)c->note,
				"maintenance", c->maintenance, "root", c->root));
	}
	return spans;
}

json_t *replay_json(const struct replay *r)
{
	tracks_list list = {0};
	json_t *components = json_array();
	gather(r, &list);
	VEC_EACH (&list, struct tracks, t) {
		json_t *tracks = json_array();
		VEC_EACH (&t->all, struct track, one)
			json_array_append_new(tracks, json_pack("{s:s, s:o}", "by", one->by,
							      "spans", spans_json(r, one)));
		json_array_append_new(components,
			json_pack("{s:s, s:o}", "component", t->component, "tracks", tracks));
	}
	ungather(&list);
	return json_pack("{s:I, s:I, s:o, s:O, s:I, s:f}", "from_ms", (json_int_t)r->from_ms,
		"to_ms", (json_int_t)r->to_ms, "components", components, "events", r->events,
		"states", (json_int_t)r->states, "rules_s", (double)r->took_ns / 1e9);
}

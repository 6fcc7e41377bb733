/*
 * blindness.c - see blindness.h.
 *
 * What is so (`why`) and what the tables hold (`event`) are two things; a step brings the second
 * nearer to the first, one write at a time.
 */
#include "tell/blindness.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/map.h"

#define SETTLE_NS                                                                                  \
	(120 * NS_PER_S) /* after a start: so long silence may take to be noticed again            \
			  */
#define AGAIN_NS (10 * NS_PER_S)
#define KEY      "blind:"

struct blind {
	struct blindness *blindness;
	enum blind_kind kind;
	char *name, *why; /* why NULL: it is not so */
	int64_t since_ms;
	char event[EVENT_ID_MAX + 1]; /* "": none is open */
	bool writing, opening;
	bool told; /* since the start */
	struct timer again;
};

struct blindness {
	struct loop *loop;
	struct events *events;
	struct alarms *alarms;
	struct map list; /* key -> struct blind */
	struct timer settle;
	bool settled;
};

/* --- words --------------------------------------------------------------------------------------
 */

static const struct {
	const char *key, *what, *title;
} kinds[] = {
	[BLIND_STORE] = {"store", "storing results", "Results are not stored"},
	[BLIND_CONNECTIVITY] = {"connectivity", "observing from here",
		"Our own connectivity is gone"},
	[BLIND_LOCATION] = {"location", "location", "A location is in trouble"},
	[BLIND_CLOCK] = {"clock", "keeping time", "Our clock is wrong"},
	[BLIND_STALL] = {"stall", "the main loop", "The program stood still"},
	[BLIND_SOURCE] = {"source", "reading the data of imported rules",
		"The data source of imported rules is away"},
	[BLIND_REPORT] = {"report", "reporting to", "A status dashboard takes no reports"},
};

static char *key_of(enum blind_kind kind, const char *name)
{
	return mem_printf(KEY "%s%s%s", kinds[kind].key, name[0] ? ":" : "", name);
}

static char *what_of(const struct blind *x)
{
	return mem_printf("%s%s%s", kinds[x->kind].what, x->name[0] ? " " : "", x->name);
}

static char *title_of(const struct blind *x)
{
	return mem_printf("%s%s%.100s", kinds[x->kind].title, x->name[0] ? ": " : "", x->name);
}

/* --- events -------------------------------------------------------------------------------------
 */

static const struct event_author author = {"blindness", true};

static void step(struct blind *x);

static void on_again(struct timer *t)
{
	step(t->arg);
}

static void on_written(void *arg, const char *id, const struct error *err)
{
	struct blind *x = arg;
	const bool opened = x->opening;
	x->writing = x->opening = false;
	if (!err)
		snprintf(x->event, sizeof(x->event), "%s", opened ? id : "");
	else if (!opened && (err->kind == ERROR_CONFLICT || err->kind == ERROR_INPUT))
		x->event[0] = 0; /* in the hands of people, who close it */
	else
		timer_start(x->blindness->loop, &x->again, AGAIN_NS, on_again, x);
	step(x);
}

static void open_event(struct blind *x)
{
	char *title = title_of(x), *key = key_of(x->kind, x->name);
	x->writing = x->opening = true;
	events_open_one(x->blindness->events,
		&(struct event_new){
			.kind = EVENT_INCIDENT,
			.title = title,
			.text = x->why,
			.phase = EVENT_DETECTED,
			.audience = AUDIENCE_OPERATORS,
			.starts_ms = x->since_ms,
			.key = key,
		},
		&author, on_written, x);
	free(title);
	free(key);
}

static void close_event(struct blind *x)
{
	x->writing = true;
	events_change(x->blindness->events, x->event,
		&(struct event_change){.text = "It is over.",
			.phase = EVENT_RESOLVED,
			.starts_ms = -1,
			.until_ms = -1},
		&author, on_written, x);
}

static void step(struct blind *x)
{
	if (x->writing || timer_running(&x->again))
		return;
	if (x->why && !x->event[0])
		open_event(x);
	else if (!x->why && x->event[0] && (x->told || x->blindness->settled))
		close_event(x);
}

/* --- what is said -------------------------------------------------------------------------------
 */

static struct blind *blind_get(struct blindness *b, enum blind_kind kind, const char *name)
{
	char *key = key_of(kind, name);
	struct blind *x = map_get(&b->list, key);
	if (!x) {
		x = mem_new(struct blind);
		x->blindness = b;
		x->kind = kind;
		x->name = mem_strdup(name);
		map_put(&b->list, key, x);
	}
	free(key);
	return x;
}

void blindness_tell(struct blindness *b, enum blind_kind kind, const char *name, const char *why)
{
	if (!b)
		return;
	struct blind *x = blind_get(b, kind, name);
	char *what = what_of(x);
	x->told = true;
	if (why && !x->why)
		x->since_ms = clock_unix_us(loop_clock(b->loop)) / 1000;
	mem_replace(&x->why, why);
	alarms_could_not_run(b->alarms, what, NULL, why);
	free(what);
	step(x);
}

json_t *blindness_json(const struct blindness *b)
{
	json_t *list = json_array();
	MAP_EACH (&b->list, e) {
		const struct blind *x = e->value;
		if (!x->why)
			continue;
		char *what = what_of(x);
		json_array_append_new(list,
			json_pack("{s:s, s:s, s:I, s:s?}", "what", what, "why", x->why, "since_ms",
				(json_int_t)x->since_ms, "event", x->event[0] ? x->event : NULL));
		free(what);
	}
	return list;
}

/* --- life ---------------------------------------------------------------------------------------
 */

static bool take_key(struct blindness *b, const char *key, const char *event)
{
	struct slice rest = slice_of(key + strlen(KEY)), word;
	if (!slice_next(&rest, ':', &word))
		return false;
	for (size_t k = 0; k < array_len(kinds); k++) {
		if (!slice_is(word, kinds[k].key))
			continue;
		char *name = slice_dup(rest);
		struct blind *x = blind_get(b, (enum blind_kind)k, name);
		snprintf(x->event, sizeof(x->event), "%s", event);
		free(name);
		return true;
	}
	return false;
}

#define OPEN_MAX 1000

static bool load(struct blindness *b, struct facts *f, struct error *err)
{
	const struct event_filter open = {.audience = AUDIENCE_OPERATORS,
		.kind = EVENT_INCIDENT,
		.open = true,
		.brief = true,
		.limit = OPEN_MAX};
	json_t *list = event_list(f, &open, err);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *e = json_array_get(list, i);
		const char *key = json_str(e, "key");
		if (key && slice_starts(slice_of(key), KEY))
			take_key(b, key, json_str(e, "id"));
	}
	json_decref(list);
	return list != NULL;
}

/* Nobody said again what was so before the start. */
static void on_settled(struct timer *t)
{
	struct blindness *b = t->arg;
	b->settled = true;
	MAP_EACH (&b->list, e) {
		struct blind *x = e->value;
		char *what = what_of(x);
		if (!x->told)
			alarms_could_not_run(b->alarms, what, NULL, NULL);
		free(what);
		step(x);
	}
}

struct blindness *blindness_new(
	struct loop *l, struct facts *f, struct events *e, struct alarms *a, struct error *err)
{
	struct blindness *b = mem_new(struct blindness);
	b->loop = l;
	b->events = e;
	b->alarms = a;
	if (!load(b, f, err)) {
		blindness_free(b);
		return NULL;
	}
	timer_start(l, &b->settle, SETTLE_NS, on_settled, b);
	return b;
}

void blindness_free(struct blindness *b)
{
	if (!b)
		return;
	timer_cancel(&b->settle);
	MAP_EACH (&b->list, e) {
		struct blind *x = e->value;
		timer_cancel(&x->again);
		free(x->name);
		free(x->why);
		free(x);
	}
	map_fini(&b->list);
	free(b);
}

/*
 * config_event.c - `events:`, when events open and close themselves.
 */

#include <string.h>

#include "base/units.h"
#include "cli/config_reader.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

struct events {
	const struct yaml *suspect;
};

static const struct key events_keys[] = {
	{"suspect", KEY_NODE, offsetof(struct events, suspect), .help = "by machine; or none"},
};

struct suspect {
	int64_t lasting_ns, after_ns, regroup_ns;
	int close; /* enum suspect_close */
	char *announce;
};

static const char *const closes[] = {"auto", "propose", "never", NULL};

#define SUSPECT(name, type, field) name, type, offsetof(struct suspect, field)
static const struct key suspect_keys[] = {
	{SUSPECT("lasting", KEY_TIME, lasting_ns), .min = NS_PER_S, .max = DAY_NS,
		.help = "before one is drafted"},
	{SUSPECT("announce", KEY_TEXT, announce), .help = "a time, never, or at once"},
	{SUSPECT("close", KEY_WORD, close), .words = closes},
	{SUSPECT("after", KEY_TIME, after_ns), .min = NS_PER_S, .max = DAY_NS,
		.help = "all is well for that long"},
	{SUSPECT("regroup", KEY_TIME, regroup_ns), .min = NS_PER_S, .max = DAY_NS,
		.help = "what is one event"},
};
#undef SUSPECT

static void read_announce(struct config_reader *r, const struct yaml *y, struct suspect_policy *p)
{
	int64_t ns;
	p->outage_at_once = false;
	if (slice_is(y->text, "never")) {
		p->announce_ms = SUSPECT_BY_HUMAN;
	} else if (slice_is(y->text, "at once")) {
		p->outage_at_once = true;
		p->announce_ms = SUSPECT_ANNOUNCE_MS;
	} else if (units_parse_time(y->text, &ns) && ns >= 0 && ns <= DAY_NS) {
		p->announce_ms = ns / NS_PER_MS;
	} else {
		config_wrong(r, y,
			"events: suspect: announce: \"%.40s\" is neither a time up to 1d, such as"
			" 10m, nor never (only people announce), nor at once (outages)",
			y->text.p);
	}
}

static void read_suspect(struct config_reader *r, const struct yaml *map)
{
	struct suspect_policy *p = &r->config->suspect;
	struct suspect s = {.lasting_ns = p->lasting_ms * NS_PER_MS,
		.after_ns = p->after_ms * NS_PER_MS,
		.regroup_ns = p->regroup_ms * NS_PER_MS,
		.close = (int)p->close};
	p->off = map->kind == YAML_SCALAR && slice_is(map->text, "none");
	if (p->off)
		return;
	if (map->kind != YAML_MAP) {
		config_wrong(r, map,
			"events: suspect must be none, or a map such as {lasting: 3m, announce: 10m}");
		return;
	}
	keys_read(map, r->file, "events: suspect", suspect_keys, array_len(suspect_keys), &s,
		r->errors);
	p->lasting_ms = s.lasting_ns / NS_PER_MS;
	p->after_ms = s.after_ns / NS_PER_MS;
	p->regroup_ms = s.regroup_ns / NS_PER_MS;
	p->close = (enum suspect_close)s.close;
	const struct yaml *y = config_text(map, "announce");
	if (y)
		read_announce(r, y, p);
	keys_release(suspect_keys, array_len(suspect_keys), &s);
}

void config_read_events(struct config_reader *r, const struct yaml *map)
{
	struct events e = {0};
	keys_read(map, r->file, "events", events_keys, array_len(events_keys), &e, r->errors);
	if (e.suspect)
		read_suspect(r, e.suspect);
}

void config_events_init(struct config *c)
{
	c->suspect = (struct suspect_policy){.lasting_ms = SUSPECT_LASTING_MS,
		.announce_ms = SUSPECT_ANNOUNCE_MS,
		.after_ms = SUSPECT_AFTER_MS,
		.regroup_ms = SUSPECT_REGROUP_MS};
}

static json_t *time_json(int64_t ms)
{
	char text[UNITS_TEXT];
	return json_string(units_time_whole(ms * NS_PER_MS, text));
}

json_t *config_events_json(const struct config *c)
{
	const struct suspect_policy *p = &c->suspect;
	json_t *announce = p->announce_ms == SUSPECT_BY_HUMAN ? json_string("never")
			   : p->outage_at_once                ? json_string("at once")
							      : time_json(p->announce_ms);
	json_t *map = json_pack("{s:o, s:o, s:s, s:o, s:o}", "lasting", time_json(p->lasting_ms),
		"announce", announce, "close", closes[p->close], "after", time_json(p->after_ms),
		"regroup", time_json(p->regroup_ms));
	if (!p->off)
		return json_pack("{s:o}", "suspect", map);
	json_decref(map);
	return json_pack("{s:s}", "suspect", "none");
}

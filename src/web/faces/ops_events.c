/*
 * ops_events.c - what a list of events is asked for, read in the serving half.
 */

#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/units.h"
#include "net/url.h"
#include "tell/event.h"
#include "web/faces/faces.h"
#include "web/model.h"

static bool take_time(json_t *o, const char *key, const char *value)
{
	int64_t us;
	const bool good = clock_parse_rfc3339(value, &us) && us > 0;
	if (good)
		json_object_set_new(o, key, json_integer(us / 1000));
	return good;
}

static bool take_number(json_t *o, const char *key, const char *value, int64_t most)
{
	int64_t n;
	const bool good = units_parse_int(slice_of(value), &n) && n >= 0 && n <= most;
	if (good)
		json_object_set_new(o, key, json_integer(n));
	return good;
}

static bool take_flag(json_t *o, const char *key, const char *value)
{
	const bool on = !*value || !strcmp(value, "true") || !strcmp(value, "1");
	json_object_set_new(o, key, json_boolean(on));
	return on || !strcmp(value, "false") || !strcmp(value, "0");
}

/* NULL: it was taken; else what it should have been. */
static const char *take(json_t *o, const char *name, const char *value)
{
	enum event_kind kind;
	if (!strcmp(name, "kind")) {
		json_object_set_new(o, name, json_string(value));
		return event_kind_parse(value, &kind) ? NULL : "incident, maintenance or info";
	}
	if (!strcmp(name, "component")) {
		json_object_set_new(o, name, json_string(value));
		return utf8_valid(slice_of(value)) ? NULL : "the id of a component";
	}
	if (!strcmp(name, "from"))
		return take_time(o, "from_ms", value) ? NULL : "a time: 2026-12-01T21:00:00Z";
	if (!strcmp(name, "to"))
		return take_time(o, "to_ms", value) ? NULL : "a time: 2026-12-01T21:00:00Z";
	if (!strcmp(name, "open") || !strcmp(name, "whole"))
		return take_flag(o, name, value) ? NULL : "true or false";
	if (!strcmp(name, "skip"))
		return take_number(o, name, value, 1000000) ? NULL : "a number to 1000000";
	if (!strcmp(name, "limit"))
		return take_number(o, name, value, MODEL_EVENTS) && json_int(o, name, 0)
			       ? NULL
			       : "a number from 1 to 100";
	return "none of kind, component, from, to, open, whole, skip, limit";
}

json_t *events_arguments(const struct face_request *r, struct error *err)
{
	struct slice rest = slice_of(r->query), pair;
	json_t *o = json_object();
	while (rest.n && slice_next(&rest, '&', &pair)) {
		const size_t at = slice_find(pair, '=');
		char *name = NULL, *value = NULL;
		const char *wrong = "broken";
		if (url_decode(slice_sub(pair, 0, at), true, &name) &&
			url_decode(slice_sub(pair, at + 1, pair.n), true, &value))
			wrong = pair.n ? take(o, name, value) : NULL;
		if (wrong)
			error_set(err, ERROR_INPUT, "%.40s: expected %s", name ? name : "query",
				wrong);
		free(name);
		free(value);
		if (wrong) {
			json_decref(o);
			return NULL;
		}
	}
	return o;
}

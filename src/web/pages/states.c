/*
 * states.c - health, verdicts, rules and availability as people read them.
 *
 * Each state has a word, a shape and a colour of its own; whatever is not one of the five is shown
 * as unknown, never as good.
 */

#include "web/pages/view.h"

#include <string.h>

#include "base/json.h"

enum health view_health(const json_t *object)
{
	enum health h;
	const char *name = json_str(object, "health");
	return name && health_parse(name, &h) ? h : HEALTH_UNKNOWN;
}

json_t *state_view(struct view *v, enum health h)
{
	static const char *const keys[] = {
		[HEALTH_OPERATIONAL] = "state_operational",
		[HEALTH_DEGRADED] = "state_degraded",
		[HEALTH_OUTAGE] = "state_outage",
		[HEALTH_UNKNOWN] = "state_unknown",
		[HEALTH_MAINTENANCE] = "state_maintenance",
	};
	return json_pack("{s:s, s:s}", "name", health_name(h), "word", say(v, keys[h], NULL));
}

json_t *verdict_view(struct view *v, const char *verdict)
{
	static const struct {
		const char *verdict, *name, *key;
	} rows[] = {
		{"passed", "operational", "verdict_passed"},
		{"degraded", "degraded", "verdict_degraded"},
		{"failed", "outage", "verdict_failed"},
		{"unknown", "unknown", "verdict_unknown"},
	};
	size_t i = 0;
	while (i + 1 < array_len(rows) && !(verdict && !strcmp(rows[i].verdict, verdict)))
		i++;
	return json_pack("{s:s, s:s}", "name", rows[i].name, "word", say(v, rows[i].key, NULL));
}

const char *say_rule(struct view *v, const char *rule)
{
	static const char *const keys[][2] = {{"failing", "rule_failing"},
		{"silent", "rule_silent"}, {"slow", "rule_slow"}, {"stale", "rule_stale"},
		{"ours", "rule_ours"}, {"config", "rule_config"}, {"quota", "rule_quota"},
		{"blind", "rule_blind"}, {"good", "rule_good"}, {"never", "rule_never"},
		{"told", "rule_told"}, {"flapping", "rule_flapping"}};
	for (size_t i = 0; rule && i < array_len(keys); i++)
		if (!strcmp(keys[i][0], rule))
			return say(v, keys[i][1], NULL);
	return rule ? rule : "";
}

void put_context(struct view *v, json_t *o, const json_t *m)
{
	const char *root = json_str(m, "root"), *event = json_str(m, "maintenance");
	view_put(o, "root", root ? component_name(v, root) : NULL);
	view_put(o, "root_href", NULL);
	if (measured_component(v, root))
		put_link(v, o, "root_href", "/components/", root);
	view_put(o, "dissent", json_str(m, "dissent"));
	json_object_set_new(o, "flapping", json_boolean(json_flag(m, "flapping")));
	json_object_set_new(o, "worked_on", json_boolean(event != NULL));
	view_put(o, "maintenance_href", NULL);
	if (event && *event)
		put_link(v, o, "maintenance_href", "/events/", event);
}

const char *say_why(struct view *v, const json_t *o)
{
	const char *root = json_str(o, "root");
	if (root)
		return say(v, "rule_follows", say_isolated(v, component_name(v, root)), NULL);
	return say_rule(v, json_str(o, "rule"));
}

const char *say_maintenance(struct view *v)
{
	const char *how = json_str(json_object_get(v->site, "site"), "maintenance");
	return say(v, how && !strcmp(how, "count") ? "maintenance_counts" : "maintenance_excluded",
		NULL);
}

json_t *notes_view(struct view *v, const json_t *o)
{
	json_t *notes = json_array();
	if (json_str(o, "maintenance"))
		json_array_append_new(notes, json_string(say(v, "note_maintenance", NULL)));
	if (json_flag(o, "flapping"))
		json_array_append_new(notes, json_string(say(v, "note_flapping", NULL)));
	if (json_str(o, "dissent"))
		json_array_append_new(notes, json_string(say(v, "note_dissent", NULL)));
	return notes;
}

static double number(const json_t *o, const char *key, double otherwise)
{
	const json_t *value = json_object_get(o, key);
	return json_is_number(value) ? json_number_value(value) : otherwise;
}

typedef const char *say_share(struct view *v, double ratio, enum rounding r);

static json_t *view_of(struct view *v, const json_t *ratio, const char *between, say_share *share)
{
	json_t *o = json_object();
	const json_t *up = json_object_get(ratio, "up");
	const double best = number(ratio, "best", 1), worst = number(ratio, "worst", 0);
	const double seen = number(ratio, "seen", 0);
	const bool is_known = json_is_number(up);
	/* of a time that mostly is not known no figure is given, as no such day is drawn as good */
	view_put(o, "figure",
		is_known && best - worst <= .5 ? share(v, json_number_value(up), ROUND_DOWN)
					       : NULL);
	/* a second a month makes no interval worth reading, ten do */
	view_put(o, "range",
		is_known && best - worst > 5e-6 ? say(v, between, share(v, worst, ROUND_DOWN),
							  share(v, best, ROUND_UP), NULL)
						: NULL);
	view_put(o, "unseen",
		seen < 1 - 5e-6 ? say(v, "unseen", say_percent(v, 1 - seen, ROUND_UP), NULL)
				: NULL);
	return o;
}

json_t *ratio_view(struct view *v, const json_t *ratio)
{
	return view_of(v, ratio, "range", say_percent);
}

json_t *ratio_view_bare(struct view *v, const json_t *ratio)
{
	return view_of(v, ratio, "range_bare", say_ratio);
}

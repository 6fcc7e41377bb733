/*
 * rules_state.c - from true, false and unknown to the state of a group, and what is told of it.
 */

#include <string.h>

#include "base/units.h"
#include "judge/rules/rules_inside.h"

#define AGAIN_MS  30000 /* what stays as it is is told again */
#define VALUES_MS 60000 /* and what it saw is looked at again */
#define FRESH_MS  90000

const char *rule_state_name(enum rule_state s)
{
	static const char *const names[] = {"unknown", "good", "firing"};
	return names[s];
}

const char *group_component(const struct group *g)
{
	const char *own = g->run->rule->as.component;
	return own ? own : g->value;
}

static enum health health_of(const struct group *g)
{
	if (g->state == RULE_IS_FIRING)
		return g->run->rule->as.severity == RULE_OUTAGE ? HEALTH_OUTAGE : HEALTH_DEGRADED;
	return g->state == RULE_IS_GOOD ? HEALTH_OPERATIONAL : HEALTH_UNKNOWN;
}

/* --- what is said
 * --------------------------------------------------------------------------------------- */

static void remember(struct group *g, int64_t at_ms, struct buf *values, json_t *list)
{
	const struct rule_text *as = &g->run->rule->as;
	const int64_t over = as->over_ns / NS_PER_MS;
	char length[UNITS_TEXT];
	free(g->text);
	if (g->state == RULE_IS_UNKNOWN)
		g->text = mem_printf("the rule %s does not know: %s", as->name, buf_str(values));
	else
		g->text = mem_printf("%s%s%s (%s within %s)", as->text ? as->text : "the rule ",
			as->text ? "" : as->name, g->state == RULE_IS_GOOD ? ": not so" : "",
			buf_str(values), units_time_whole(as->over_ns, length));
	json_decref(g->evidence);
	g->evidence = json_pack("{s:s, s:s, s:{s:I, s:I}, s:O, s:{s:s, s:i}}", "name", as->name,
		"rule", as->when, "window", "from_ms", (json_int_t)(at_ms - over), "to_ms",
		(json_int_t)at_ms, "values", list, "operators", "file", as->file ? as->file : "",
		"line", (int)as->line);
	if (*g->value)
		json_object_set_new(g->evidence, as->each, json_string(g->value));
}

static void tell(struct group *g, int64_t at_ms)
{
	const struct rules_options *o = &g->run->rules->options;
	const struct judge_told told = {
		.component = group_component(g),
		.by = g->by,
		.health = health_of(g),
		.at_ms = at_ms,
		.fresh_ms = at_ms + FRESH_MS,
		.text = g->text,
		.evidence = g->evidence,
	};
	g->told_ms = at_ms;
	if (o->tell && g->run->rule->as.severity != RULE_NOTE && *told.component)
		o->tell(o->arg, &told);
}

static void tell_change(struct group *g, enum rule_state from, int64_t at_ms)
{
	const struct rules_options *o = &g->run->rules->options;
	const struct rule_change c = {
		.by = g->by,
		.component = group_component(g),
		.severity = (enum rule_severity)g->run->rule->as.severity,
		.from = from,
		.to = g->state,
		.at_ms = at_ms,
		.text = g->text,
		.evidence = g->evidence,
	};
	if (o->changed)
		o->changed(o->arg, &c);
}

/* --- from state to state
 * ----------------------------------------------------------------------------------- */

static enum rule_state when_true(struct group *g, int64_t at_ms)
{
	g->false_ms = 0;
	g->known_ms = at_ms;
	if (!g->true_ms)
		g->true_ms = at_ms;
	return at_ms - g->true_ms >= g->run->rule->as.for_ns / NS_PER_MS ? RULE_IS_FIRING
									 : g->state;
}

static enum rule_state when_false(struct group *g, int64_t at_ms)
{
	const int64_t recover = g->run->rule->as.recover_ns / NS_PER_MS;
	g->true_ms = 0;
	g->known_ms = at_ms;
	if (!g->false_ms)
		g->false_ms = at_ms;
	const bool fired = g->state == RULE_IS_FIRING || g->fired;
	return fired && at_ms - g->false_ms < recover ? g->state : RULE_IS_GOOD;
}

/* Neither confirms nor clears; who fires is believed for the length of a window. */
static enum rule_state when_unknown(struct group *g, int64_t at_ms)
{
	const int64_t over = g->run->rule->as.over_ns / NS_PER_MS;
	g->false_ms = 0;
	if (g->state == RULE_IS_FIRING && at_ms - g->known_ms < over)
		return RULE_IS_FIRING;
	g->true_ms = 0;
	return RULE_IS_UNKNOWN;
}

static enum rule_state next_state(struct group *g, enum truth t, int64_t at_ms)
{
	switch (t) {
	case TRUTH_TRUE: return when_true(g, at_ms);
	case TRUTH_FALSE: return when_false(g, at_ms);
	case TRUTH_UNKNOWN: break;
	}
	return when_unknown(g, at_ms);
}

void group_step(struct group *g, int64_t at_ms)
{
	struct buf text = BUF(BUF_LINE);
	json_t *values = NULL;
	const enum rule_state before = g->state;
	const bool heard = g->run->rules->options.tell != NULL;
	const bool again = !g->text || (heard && at_ms - g->told_ms >= AGAIN_MS);
	const bool look = !g->text || (heard && at_ms - g->looked_ms >= VALUES_MS);
	enum truth t = group_judge(g, at_ms, &text, look ? &values : NULL);
	g->state = next_state(g, t, at_ms);
	if (g->state != before && !values) {
		buf_clear(&text);
		group_judge(g, at_ms, &text, &values);
	}
	if (g->state != before)
		g->since_ms = at_ms;
	if (before == RULE_IS_FIRING || g->state != RULE_IS_UNKNOWN)
		g->fired = g->state == RULE_IS_UNKNOWN;
	if (values) {
		g->looked_ms = at_ms;
		remember(g, at_ms, &text, values);
		json_decref(values);
	}
	if (g->state != before)
		tell_change(g, before, at_ms);
	if (again || g->state != before)
		tell(g, at_ms);
	buf_fini(&text);
}

json_t *group_json(const struct group *g)
{
	return json_pack("{s:s, s:s, s:s, s:I, s:s, s:O?}", "group", g->value, "component",
		group_component(g), "state", rule_state_name(g->state), "since_ms",
		(json_int_t)g->since_ms, "text", g->text ? g->text : "", "evidence", g->evidence);
}

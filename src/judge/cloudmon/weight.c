/*
 * weight.c - from flags to the weight of a health metric, and to the judge.
 */

#include <stdio.h>

#include "base/buf.h"
#include "judge/cloudmon/cloudmon_inside.h"

int metric_weight(
	const struct cloudmon_health *h, const enum flag_value *flags, const char **ret_expression)
{
	bool unknown = false;
	*ret_expression = NULL;
	/* The highest weight comes first: what is proven there needs nothing of the others. */
	for (size_t i = 0; i < h->expression_count; i++) {
		const struct cloudmon_expression *e = &h->expressions[i];
		const enum flag_value v = formula_value(e->formula, flags);
		if (v == FLAG_TRUE) {
			*ret_expression = e->text;
			return e->weight;
		}
		unknown |= v == FLAG_UNKNOWN;
	}
	return unknown ? -1 : 0;
}

void health_flags(const struct cloudmon *c, const struct cloudmon_health *h, int64_t minute_s,
	enum flag_value *flags)
{
	for (size_t i = 0; i < h->metric_count; i++)
		flags[i] = h->flags[i] >= 0 ? flag_get(&c->flags[h->flags[i]], minute_s)
			   : h->flags[i] == CLOUDMON_ELSEWHERE ? FLAG_FALSE
							       : FLAG_UNKNOWN;
}

/* --- telling ------------------------------------------------------------------------------------
 */

static json_t *flag_json(
	const struct cloudmon *c, const struct cloudmon_health *h, size_t i, enum flag_value v)
{
	static const char *const ops[] = {"lt", "gt", "eq"};
	json_t *value = v == FLAG_UNKNOWN ? json_null() : json_boolean(v == FLAG_TRUE);
	json_t *o = json_pack("{s:s, s:o}", "name", h->metrics[i], "value", value);
	if (h->flags[i] >= 0) {
		const struct cloudmon_flag *f = c->flags[h->flags[i]].rule;
		json_object_set_new(o, "op", json_string(ops[f->op]));
		json_object_set_new(o, "threshold", json_real(f->threshold));
		json_object_set_new(o, "query", json_string(f->query));
	}
	return o;
}

static json_t *evidence(const struct cloudmon *c, const struct cloudmon_health *h,
	const char *expression, int weight, int64_t minute_s, const enum flag_value *flags)
{
	int64_t from = minute_s;
	json_t *list = json_array();
	for (size_t i = 0; i < h->metric_count; i++) {
		json_array_append_new(list, flag_json(c, h, i, flags[i]));
		if (h->flags[i] < 0)
			continue;
		const int64_t begin = minute_s + 60 - c->flags[h->flags[i]].bucket_s;
		from = begin < from ? begin : from;
	}
	return json_pack("{s:s, s:s, s:s?, s:o, s:{s:I, s:I}, s:o}", "rule", h->key, "environment",
		h->environment, "expression", expression, "weight",
		weight < 0 ? json_null() : json_integer(weight), "window", "from_ms",
		(json_int_t)from * 1000, "to_ms", (json_int_t)(minute_s + 60) * 1000, "flags",
		list);
}

static void say(struct buf *text, const struct cloudmon *c, const struct cloudmon_health *h,
	const char *expression, int weight, const enum flag_value *flags)
{
	if (weight > 0) {
		buf_printf(text, "CloudMon's rule \"%.200s\" of %.80s holds (weight %d)",
			expression, h->key, weight);
		return;
	}
	if (weight == 0) {
		buf_printf(text, "none of CloudMon's rules of %.80s holds", h->key);
		return;
	}
	buf_printf(text, "CloudMon's rules of %.80s cannot be decided: no data of", h->key);
	unsigned named = 0;
	for (size_t i = 0; i < h->metric_count; i++)
		if (flags[i] == FLAG_UNKNOWN && named++ < 4)
			buf_printf(text, "%s %.80s", named > 1 ? "," : "", h->metrics[i]);
	if (named > 4)
		buf_printf(text, " and %u more", named - 4);
	for (size_t i = 0; i < h->metric_count; i++)
		if (h->flags[i] >= 0 && c->flags[h->flags[i]].why) {
			buf_printf(text, "; %s", c->flags[h->flags[i]].why);
			break;
		}
}

void health_tell(struct cloudmon *c, size_t i)
{
	struct health_state *s = &c->healths[i];
	const struct cloudmon_health *h = s->rule;
	const char *component = c->judge && h->component_name ? c->find(c->arg, h) : NULL;
	if (!component)
		return;
	enum flag_value *flags = mem_new_array(h->metric_count + 1, sizeof(*flags));
	struct buf text = BUF(BUF_LINE);
	const char *expression;
	health_flags(c, h, s->judged_s, flags);
	const int weight = metric_weight(h, flags, &expression);
	say(&text, c, h, expression, weight, flags);
	json_t *shown = evidence(c, h, expression, weight, s->judged_s, flags);
	char *by = mem_printf("flag:%s", h->key);
	const struct judge_told told = {.component = component,
		.by = by,
		.health = weight < 0    ? HEALTH_UNKNOWN
			  : weight == 0 ? HEALTH_OPERATIONAL
			  : weight == 1 ? HEALTH_DEGRADED
					: HEALTH_OUTAGE,
		.at_ms = (s->judged_s + 60) * 1000,
		.fresh_ms = (s->judged_s + 120 + c->patience.hold_s + c->patience.late_s) * 1000,
		.text = buf_str(&text),
		.evidence = shown};
	judge_tell(c->judge, &told);
	s->told = (int16_t)weight;
	s->told_s = s->judged_s;
	json_decref(shown);
	buf_fini(&text);
	free(by);
	free(flags);
}

/*
 * objectives.c - what is promised: objectives, how far they are kept and what budget is left.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

static const char *span_text(struct view *v, const json_t *slo)
{
	static const char *const keys[][2] = {{"day", "slo_day"}, {"week", "slo_week"},
		{"month", "slo_month"}, {"quarter", "slo_quarter"}, {"year", "slo_year"}};
	const char *span = json_str(slo, "span");
	for (size_t i = 0; span && i < array_len(keys); i++)
		if (!strcmp(span, keys[i][0]))
			return say(v, keys[i][1], NULL);
	return say(v, "slo_over", say_duration(v, (double)json_int(slo, "over_ms", 0)), NULL);
}

/* {name, word}, as states of components have shapes and colours. */
static json_t *state_of(struct view *v, const json_t *slo)
{
	const json_t *left = json_object_get(slo, "budget_left");
	const char *name = "unknown", *key = "slo_unknown";
	if (json_is_number(left) && json_number_value(left) <= 0) {
		name = "outage";
		key = "slo_spent";
	} else if (!strcmp(json_str(slo, "state") ? json_str(slo, "state") : "", "firing")) {
		name = "degraded";
		key = "slo_burning";
	} else if (json_is_number(left)) {
		name = "operational";
		key = "slo_kept";
	}
	return json_pack("{s:s, s:s}", "name", name, "word", say(v, key, NULL));
}

static void put_share(struct view *v, json_t *o, const char *key, const json_t *share)
{
	const double x = json_number_value(share);
	if (json_is_number(share))
		view_put(o, key, say_percent(v, x < 0 ? 0 : x, ROUND_DOWN));
	else
		json_object_set_new(o, key, json_null());
}

static json_t *row_view(struct view *v, const json_t *slo)
{
	json_t *o = json_object();
	view_put(o, "name", json_str(slo, "name"));
	view_put(o, "about", json_str(slo, "text"));
	view_put(o, "component", json_str(slo, "component_name"));
	put_link(v, o, "href", "/components/", json_str(slo, "component"));
	put_share(v, o, "objective", json_object_get(slo, "objective"));
	view_put(o, "span", span_text(v, slo));
	put_share(v, o, "ratio", json_object_get(slo, "ratio"));
	put_share(v, o, "left", json_object_get(slo, "budget_left"));
	json_object_set_new(o, "state", state_of(v, slo));
	return o;
}

json_t *objectives_view(struct view *v, const json_t *slos)
{
	json_t *rows = json_array();
	const json_t *slo;
	size_t i;
	json_array_foreach (slos, i, slo)
		json_array_append_new(rows, row_view(v, slo));
	return rows;
}

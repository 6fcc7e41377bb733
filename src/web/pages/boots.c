/*
 * boots.c - how the servers of a run came up: a row each, its phases one behind the other over one
 * scale for all. Phases differ in height and filling; the figures stand beside them.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define WIDE       1000 /* units of the picture */
#define BOOTS_MOST 50   /* rows */
#define HOST_SHORT 8    /* of the digest's characters: enough to tell hosts apart */

static const struct {
	const char *phase, *name, *key; /* in the report; the class; the text */
	int top, tall;
} phases[] = {
	{"schedule", "p-schedule", "boot_schedule", 6, 4},
	{"network", "p-network", "boot_network", 4, 8},
	{"block device", "p-disk", "boot_disk", 4, 8},
	{"spawn", "p-spawn", "boot_spawn", 1, 14},
	{"guest", "p-guest", "boot_guest", 3, 10},
};

json_t *host_view(const char *host)
{
	if (!host || !*host)
		return json_null();
	return json_pack("{s:o, s:s}", "short",
		json_sprintf("%.*s%s", HOST_SHORT, host,
			strlen(host) > HOST_SHORT ? "\xe2\x80\xa6" : ""),
		"full", host);
}

const char *say_boot_cause(struct view *v, const char *cause)
{
	static const char *const keys[][2] = {{"silent", "boot_silent"},
		{"no_disk", "boot_no_disk"}, {"panic", "boot_panic"}, {"no_dhcp", "boot_no_dhcp"},
		{"no_metadata", "boot_no_metadata"}, {"no_dns", "boot_no_dns"},
		{"no_key", "boot_no_key"}};
	for (size_t i = 0; cause && i < array_len(keys); i++)
		if (!strcmp(keys[i][0], cause))
			return say(v, keys[i][1], NULL);
	return NULL;
}

static double ms_of(const json_t *phase)
{
	const double ms = json_number_value(json_object_get(phase, "ms"));
	return ms > 0 && ms < 1e12 ? ms : 0;
}

static double total_ms(const json_t *boot)
{
	const json_t *p;
	double all = 0;
	size_t i;
	json_array_foreach (json_object_get(boot, "phases"), i, p) {
		all += ms_of(p);
	}
	return all;
}

static int phase_of(const json_t *phase)
{
	const char *name = json_str(phase, "name");
	for (size_t k = 0; name && k < array_len(phases); k++)
		if (!strcmp(phases[k].phase, name))
			return (int)k;
	return -1;
}

static void put_phases(struct view *v, json_t *o, const json_t *boot, double span)
{
	json_t *bars = json_array(), *texts = json_array();
	const json_t *p;
	double from = 0;
	size_t i;
	json_array_foreach (json_object_get(boot, "phases"), i, p) {
		const int k = phase_of(p);
		if (k < 0 || ms_of(p) <= 0)
			continue;
		const double wide = ms_of(p) / span * WIDE;
		json_array_append_new(bars,
			json_pack("{s:s, s:o}", "name", phases[k].name, "d",
				json_sprintf("M%.1f %dh%.1fv%dh-%.1fz", from, phases[k].top,
					wide < 2 ? 2 : wide, phases[k].tall, wide < 2 ? 2 : wide)));
		json_array_append_new(
			texts, json_pack("{s:s, s:s}", "name", say(v, phases[k].key, NULL), "text",
				       say_duration(v, ms_of(p))));
		from += wide;
	}
	json_object_set_new(o, "bars", bars);
	json_object_set_new(o, "phases", texts);
}

/* Hosts that were tried before the one it came up on. */
static json_t *tried_view(struct view *v, const json_t *boot)
{
	const json_t *hosts = json_object_get(boot, "hosts"), *h;
	json_t *all = json_array();
	size_t i;
	json_array_foreach (hosts, i, h) {
		json_t *o = json_flag(h, "good") ? NULL : host_view(json_str(h, "host"));
		if (!json_is_object(o))
			continue;
		const json_t *s = json_object_get(h, "s");
		view_put(o, "took",
			json_is_integer(s) ? say_duration(v, (double)json_integer_value(s) * 1000)
					   : NULL);
		json_array_append_new(all, o);
	}
	return all;
}

static json_t *row_view(struct view *v, const json_t *step, const json_t *boot, double span)
{
	json_t *o = json_object();
	const bool good = json_flag(boot, "good");
	const char *fault = json_str(boot, "fault"), *cause = json_str(boot, "cause");
	view_put(o, "step", json_str(step, "name"));
	json_object_set_new(o, "state",
		json_pack("{s:s, s:s}", "name", good ? "operational" : "outage", "word",
			say(v, good ? "boot_good" : "boot_bad", NULL)));
	json_object_set_new(o, "host", host_view(json_str(boot, "host")));
	view_put(o, "zone", json_str(boot, "zone"));
	put_phases(v, o, boot, span);
	const double all = total_ms(boot);
	view_put(o, "total", all > 0 ? say_duration(v, all) : NULL);
	json_t *tried = tried_view(v, boot);
	json_object_set_new(o, "has_tried", json_boolean(json_array_size(tried) > 0));
	json_object_set_new(o, "tried", tried);
	view_put(o, "fault", good || !fault ? NULL : say_fault(v, fault, fault));
	view_put(o, "failed", json_str(boot, "failed"));
	view_put(o, "cause", say_boot_cause(v, cause));
	view_put(o, "console", json_str(boot, "console"));
	return o;
}

static json_t *legend_view(struct view *v)
{
	json_t *all = json_array();
	for (size_t k = 0; k < array_len(phases); k++)
		json_array_append_new(all,
			json_pack("{s:s, s:s, s:o}", "name", phases[k].name, "text",
				say(v, phases[k].key, NULL), "d",
				json_sprintf("M0 %dh24v%dH0z", phases[k].top, phases[k].tall)));
	return all;
}

json_t *boots_view(struct view *v, const json_t *steps)
{
	json_t *rows = json_array();
	const json_t *s;
	double span = 0;
	size_t i, n = 0;
	json_array_foreach (steps, i, s) {
		const double all = total_ms(json_object_get(s, "boot"));
		span = all > span ? all : span;
		n += json_is_object(json_object_get(s, "boot"));
	}
	json_array_foreach (steps, i, s) {
		const json_t *boot = json_object_get(s, "boot");
		if (json_is_object(boot) && json_array_size(rows) < BOOTS_MOST)
			json_array_append_new(rows, row_view(v, s, boot, span > 0 ? span : 1));
	}
	if (!n) {
		json_decref(rows);
		return json_null();
	}
	json_t *o = json_pack("{s:o, s:o}", "rows", rows, "legend", legend_view(v));
	view_put(o, "span", say_duration(v, span));
	view_put(o, "more",
		n > BOOTS_MOST ? say(v, "boots_more", say_number(v, BOOTS_MOST),
					 say_number(v, (int64_t)n), NULL)
			       : NULL);
	return o;
}

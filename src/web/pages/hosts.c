/*
 * hosts.c - a heat map of hosts: when each last started a server, drawn and in words, and how often
 * it did not.
 *
 * The age of the last success is six squares, from a quarter of an hour to two weeks: each that is
 * full says that the success is younger. Days are the strip of all pages: good ones, mixed ones,
 * and days on which all failed.
 */

#include <string.h>

#include "base/json.h"
#include "web/pages/view.h"

#define MIN_MS  60000.0
#define DAY_MS  86400000.0
#define SQUARES 6

/* A host that failed last is in trouble; one that nobody tried for a day is not known to be good.
 */
static json_t *host_state(struct view *v, const json_t *host)
{
	const bool last_good = json_flag(host, "last_good");
	const double at = json_number_value(json_object_get(host, "last_good_ms"));
	const char *name = "unknown", *key = "host_unknown";
	if (!last_good) {
		name = "outage";
		key = "host_failing";
	} else if (json_int(host, "failed_24h", 0) > 0) {
		name = "degraded";
		key = "host_mixed";
	} else if (at > 0 && (double)v->now_ms - at < DAY_MS) {
		name = "operational";
		key = "host_good";
	}
	return json_pack("{s:s, s:s}", "name", name, "word", say(v, key, NULL));
}

/* --- the age ---------------------------------------------------------------------------------- */

static unsigned squares_of(double age_ms)
{
	static const double limits[SQUARES] = {
		14 * DAY_MS, 3 * DAY_MS, DAY_MS, 6 * 60 * MIN_MS, 60 * MIN_MS, 15 * MIN_MS};
	unsigned n = 0;
	while (n < SQUARES && age_ms <= limits[n])
		n++;
	return n;
}

static json_t *age_view(struct view *v, const json_t *host)
{
	const json_t *at = json_object_get(host, "last_good_ms");
	json_t *o = json_object();
	struct buf full = BUF(BUF_LINE), empty = BUF(BUF_LINE);
	if (!json_is_number(at)) {
		view_put(o, "text", say(v, "host_never", NULL));
		json_object_set_new(o, "at", json_null());
	} else {
		const double age = (double)v->now_ms - json_number_value(at);
		view_put(o, "text", say(v, "host_ago", say_duration(v, age), NULL));
		json_object_set_new(o, "at", time_view_short(v, at));
	}
	const unsigned n =
		json_is_number(at) ? squares_of((double)v->now_ms - json_number_value(at)) : 0;
	for (unsigned i = 0; i < SQUARES; i++) {
		if (i < n)
			buf_printf(&full, "M%u 0h8v10h-8z", i * 10);
		else
			buf_printf(&empty, "M%u.5 .5h7v9h-7z", i * 10);
	}
	json_object_set_new(o, "full", json_string(buf_str(&full)));
	json_object_set_new(o, "empty", json_string(buf_str(&empty)));
	buf_fini(&full);
	buf_fini(&empty);
	return o;
}

/* --- days ------------------------------------------------------------------------------------- */

/* Days as those of a component, for the strip: mixed ones are degraded, others one thing. */
static json_t *strip_days(const json_t *days)
{
	json_t *all = json_array();
	const json_t *d;
	size_t i;
	json_array_foreach (days, i, d) {
		const bool good = json_int(d, "good", 0) > 0, bad = json_int(d, "failed", 0) > 0;
		json_array_append_new(all,
			json_pack("{s:I, s:[i,i,i,i,i], s:i}", "day",
				(json_int_t)json_int(d, "day", 0), "s", good && !bad ? DAY_S : 0,
				good && bad ? DAY_S : 0, bad && !good ? DAY_S : 0, 0, 0, "gap",
				good || bad ? 0 : DAY_S));
	}
	return all;
}

/* What the strip says, in words: newest first, days on which there was anything. */
static json_t *day_texts(struct view *v, const json_t *days)
{
	json_t *all = json_array();
	for (size_t i = json_array_size(days); i-- > 0;) {
		const json_t *d = json_array_get(days, i);
		const int64_t good = json_int(d, "good", 0), failed = json_int(d, "failed", 0);
		if (good || failed)
			json_array_append_new(all,
				json_string(
					say(v, "host_day", say_day_short(v, json_int(d, "day", 0)),
						say_number(v, good), say_number(v, failed), NULL)));
	}
	return all;
}

/* --- rows ------------------------------------------------------------------------------------- */

static json_t *failure_view(struct view *v, const json_t *failure)
{
	if (!json_is_object(failure))
		return json_null();
	json_t *o = json_object();
	const char *fault = json_str(failure, "fault"), *run = json_str(failure, "run");
	const char *cause = say_boot_cause(v, json_str(failure, "cause"));
	json_object_set_new(o, "at", time_view_short(v, json_object_get(failure, "at_ms")));
	view_put(o, "fault", fault ? say_fault(v, fault, fault) : NULL);
	view_put(o, "cause", cause);
	view_put(o, "step", json_str(failure, "step"));
	view_put(o, "run", run);
	view_put(o, "href", NULL);
	if (run)
		put_link(v, o, "href", "/runs/", run);
	return o;
}

static json_t *row_view(struct view *v, const json_t *host)
{
	json_t *o = json_object(), *days = strip_days(json_object_get(host, "days"));
	const json_t *median = json_object_get(host, "median_ms");
	const int64_t failed = json_int(host, "failed_24h", 0);
	json_object_set_new(o, "state", host_state(v, host));
	view_put(o, "name", json_str(host, "name"));
	json_object_set_new(o, "host", host_view(json_str(host, "host")));
	view_put(o, "zone", json_str(host, "zone"));
	json_object_set_new(o, "age", age_view(v, host));
	view_put(o, "good", say_number(v, json_int(host, "good_24h", 0)));
	view_put(o, "failed", say_number(v, failed));
	json_object_set_new(o, "bad", json_boolean(failed > 0));
	json_object_set_new(o, "strip",
		strip_view(v, days, json_array_size(days) ? json_array_size(days) : 1, "", 0));
	json_object_set_new(o, "days", day_texts(v, json_object_get(host, "days")));
	view_put(o, "median",
		json_is_number(median) ? say_duration(v, json_number_value(median)) : NULL);
	json_object_set_new(o, "failure", failure_view(v, json_object_get(host, "last_failure")));
	json_decref(days);
	return o;
}

/* What failures have in common, a sentence for each dimension; NULL: nothing. */
static const char *common_text(struct view *v, const json_t *common)
{
	static const char *const dimensions[] = {"host", "zone", "volume_type", "image", "flavor"};
	static const char *const keys[] = {"common_host", "common_zone", "common_volume_type",
		"common_image", "common_flavor"};
	const char *dimension = json_str(common, "dimension"), *value = json_str(common, "value");
	const int64_t failed = json_int(common, "failed", 0),
		      came_up = json_int(common, "came_up", 0);
	size_t i = 0;
	while (dimension && i < array_len(keys) && strcmp(dimensions[i], dimension) != 0)
		i++;
	if (!dimension || !value || i == array_len(keys))
		return NULL;
	return say(v, keys[i], say_number(v, failed), value, say_number(v, came_up),
		say_number(v, came_up + failed), say_number(v, json_int(common, "elsewhere", 0)),
		NULL);
}

static json_t *cloud_view(struct view *v, const json_t *cloud, size_t n)
{
	json_t *o = json_object(), *rows = json_array();
	const json_t *h;
	size_t i;
	json_array_foreach (json_object_get(cloud, "hosts"), i, h) {
		json_array_append_new(rows, row_view(v, h));
	}
	const int64_t left = json_int(cloud, "left_out", 0),
		      nowhere = json_int(cloud, "nowhere", 0);
	view_put(o, "cloud", json_str(cloud, "cloud"));
	json_object_set_new(o, "id", json_sprintf("h-cloud-%zu", n));
	view_put(o, "common", common_text(v, json_object_get(cloud, "common")));
	view_put(o, "nowhere",
		nowhere ? say_count(v, "hosts_nowhere_one", "hosts_nowhere_many", nowhere) : NULL);
	view_put(o, "left", left ? say_count(v, "hosts_left_one", "hosts_left_many", left) : NULL);
	json_object_set_new(o, "has_rows", json_boolean(json_array_size(rows) > 0));
	json_object_set_new(o, "rows", rows);
	return o;
}

bool view_hosts(struct view *v)
{
	const json_t *clouds = json_object_get(v->model, "clouds"), *c;
	json_t *o = v->root, *views = json_array();
	size_t i;
	view_put(o, "title", say(v, "hosts", NULL));
	view_put(o, "heading", say(v, "hosts", NULL));
	json_array_foreach (clouds, i, c) {
		json_array_append_new(views, cloud_view(v, c, i));
	}
	json_object_set_new(o, "has_clouds", json_boolean(json_array_size(views) > 0));
	json_object_set_new(o, "clouds", views);
	json_object_set_new(o, "more", json_boolean(json_flag(v->model, "more")));
	return v->operators && json_is_array(clouds);
}

/*
 * config_diff.c - what SIGHUP changes, a line each, from the documents of both configurations.
 *
 * Clouds and components are told apart by their key, scenarios by name and cloud, alarms and
 * reports by name, outposts by location.
 */

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cli/config.h"

/* What is opened once: the listeners, the store, the judge, what is kept for a house, and whose
 * marks we know as ours. */
static const char *const restarts[] = {
	"instance", "location", "listen", "store", "keep", "judge", "report"};

/* These listen, and can be opened anew. */
static const char *const reopened[] = {"statsd", "graphite", "pickle"};

/* These are judged anew. */
static const char *const judged[] = {"cloudmon", "depends", "rules", "slos", "slo"};

static bool needs_restart(const char *section, const char *key)
{
	for (size_t i = 0; key && i < array_len(reopened); i++)
		if (!strcmp(section, "listen") && !strcmp(key, reopened[i]))
			return false;
	for (size_t i = 0; key && i < array_len(judged); i++)
		if (!strcmp(section, "judge") && !strcmp(key, judged[i]))
			return false;
	for (size_t i = 0; i < array_len(restarts); i++)
		if (!strcmp(section, restarts[i]))
			return true;
	return false;
}

#define SHOWN_MAX 200 /* bytes of a value that a line shows */

static void put_json(struct buf *out, const json_t *v)
{
	const size_t before = out->n;
	json_write(out, v);
	const size_t n = out->n - before;
	if (n <= SHOWN_MAX)
		return;
	buf_cut(out, before);
	buf_printf(out, "(%zu bytes)", n);
}

static void put_value(struct buf *out, const json_t *v)
{
	const char *text = json_string_value(v);
	bool good = text && *text;
	for (const char *p = text; p && *p; p++)
		good = good && (unsigned char)*p >= 0x20 && *p != 0x7f;
	if (!v)
		buf_add_str(out, "none");
	else if (good)
		buf_add_str(out, text);
	else
		put_json(out, v);
}

static void put_change(struct buf *out, const json_t *from, const json_t *to)
{
	put_value(out, from);
	buf_add_str(out, " -> ");
	put_value(out, to);
}

/* --- single values ---------------------------------------------------------------------------- */

static size_t diff_value(
	struct buf *out, const char *section, const char *key, const json_t *from, const json_t *to)
{
	const bool restart = needs_restart(section, key);
	if (json_equal(from, to) || (!from && !to))
		return 0;
	buf_printf(out, "%c %s%s%s: %s", restart ? '!' : '~', section, key ? "." : "",
		key ? key : "", restart ? "needs a restart (" : "");
	put_change(out, from, to);
	buf_add_str(out, restart ? ")\n" : "\n");
	return 1;
}

static size_t diff_section(
	struct buf *out, const char *section, const json_t *from, const json_t *to)
{
	const char *key;
	json_t *v;
	size_t n = 0;
	if (!json_is_object(from))
		return diff_value(out, section, NULL, from, to);
	json_object_foreach ((json_t *)from, key, v)
		n += diff_value(out, section, key, v, json_object_get(to, key));
	json_object_foreach ((json_t *)to, key, v)
		if (!json_object_get(from, key))
			n += diff_value(out, section, key, NULL, v);
	return n;
}

/* --- things ----------------------------------------------------------------------------------- */

struct thing { /* how one list is told apart and shown */
	const char *section, *noun;
};

static const struct thing things[] = {{"clouds", "cloud"}, {"scenarios", "scenario"},
	{"components", "component"}, {"alarms", "alarm"}, {"metrics", "metrics"},
	{"reports", "report"}, {"maintenance", "maintenance"}, {"dashboards", "dashboard"},
	{"probes", "probe"}, {"outposts", "outpost"}};

/* Lists as maps by what tells their items apart. Owned. */
static json_t *by_identity(const json_t *section)
{
	if (json_is_object(section))
		return json_incref((json_t *)section);
	json_t *map = json_object();
	for (size_t i = 0; i < json_array_size(section); i++) {
		json_t *item = json_array_get(section, i);
		const char *cloud = json_str(item, "cloud");
		const char *name = json_str(item, "name");
		char *key = mem_printf("%s%s%s%s", name ? name : json_str(item, "location"),
			cloud ? " (cloud " : "", cloud ? cloud : "", cloud ? ")" : "");
		json_object_set(map, key, item);
		free(key);
	}
	return map;
}

static const char *kind_of_alarm(const json_t *item)
{
	static const char *const kinds[] = {"webhook", "alertmanager", "mail", "deadman"};
	for (size_t i = 0; i < array_len(kinds); i++)
		if (json_object_get(item, kinds[i]))
			return kinds[i];
	return "";
}

static void put_added(struct buf *out, const struct thing *t, const char *key, const json_t *item)
{
	const char *every = json_str(item, "every"), *cloud = json_str(item, "cloud");
	const char *name = json_str(item, "name");
	if (!strcmp(t->section, "scenarios"))
		buf_printf(out, "+ scenario %s (%s%s%severy %s)\n", name, cloud ? "cloud " : "",
			cloud ? cloud : "", cloud ? ", " : "", every);
	else if (!strcmp(t->section, "clouds"))
		buf_printf(out, "+ cloud %s (every %s)\n", key, every);
	else if (!strcmp(t->section, "alarms"))
		buf_printf(out, "+ alarm %s (%s)\n", key, kind_of_alarm(item));
	else
		buf_printf(out, "+ %s %s\n", t->noun, key);
}

static void put_part(
	struct buf *out, unsigned *count, const char *key, const json_t *from, const json_t *to)
{
	if (json_equal(from, to))
		return;
	buf_printf(out, "%s%s ", (*count)++ ? ", " : "", key);
	put_change(out, from, to);
}

static size_t diff_item(struct buf *out, const struct thing *t, const char *key, const json_t *from,
	const json_t *to)
{
	const char *part;
	json_t *v;
	unsigned count = 0;
	if (json_equal(from, to))
		return 0;
	buf_printf(out, "~ %s %s: ", t->noun, key);
	json_object_foreach ((json_t *)from, part, v)
		put_part(out, &count, part, v, json_object_get(to, part));
	json_object_foreach ((json_t *)to, part, v)
		if (!json_object_get(from, part))
			put_part(out, &count, part, NULL, v);
	buf_add_char(out, '\n');
	return 1;
}

static size_t diff_things(
	struct buf *out, const struct thing *t, const json_t *from_all, const json_t *to_all)
{
	json_t *from = by_identity(json_object_get(from_all, t->section));
	json_t *to = by_identity(json_object_get(to_all, t->section));
	const char *key;
	json_t *v;
	size_t n = 0;
	json_object_foreach (from, key, v) {
		const json_t *other = json_object_get(to, key);
		if (other) {
			n += diff_item(out, t, key, v, other);
		} else {
			buf_printf(out, "- %s %s\n", t->noun, key);
			n++;
		}
	}
	json_object_foreach (to, key, v) {
		if (json_object_get(from, key))
			continue;
		put_added(out, t, key, v);
		n++;
	}
	json_decref(from);
	json_decref(to);
	return n;
}

static bool is_thing(const char *section)
{
	for (size_t i = 0; i < array_len(things); i++)
		if (!strcmp(section, things[i].section))
			return true;
	return false;
}

size_t config_diff(const struct config *from, const struct config *to, struct buf *out)
{
	json_t *a = config_json(from), *b = config_json(to);
	const char *section;
	json_t *v;
	size_t n = 0;
	json_object_foreach (a, section, v)
		if (!is_thing(section))
			n += diff_section(out, section, v, json_object_get(b, section));
	for (size_t i = 0; i < array_len(things); i++)
		n += diff_things(out, &things[i], a, b);
	json_decref(a);
	json_decref(b);
	return n;
}

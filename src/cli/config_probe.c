/*
 * config_probe.c - `probes:`: the user's own probes; what an item says is the room's to read
 * (observe/probe/probe.h).
 *
 * An item of a later file goes over the one of the same name, key by key.
 */

#include <string.h>

#include "cli/config_reader.h"
#include "observe/component.h"

static struct probe_draft *draft_of(struct config_reader *r, struct slice name)
{
	const uintptr_t at = (uintptr_t)map_get_slice(&r->probe_names, name);
	return at ? &r->probes.p[at - 1] : NULL;
}

static bool has_room(struct config_reader *r, const struct yaml *y)
{
	if (r->probes.n == CONFIG_PROBES_MAX)
		config_wrong(r, y, "more than %d probes", CONFIG_PROBES_MAX);
	return r->probes.n < CONFIG_PROBES_MAX;
}

static void read_over(
	struct config_reader *r, struct probe_draft *d, const struct yaml *map, const char *dir)
{
	struct probe_config *before = d->config;
	if (d->touched == r->file) {
		config_wrong(r, map,
			"two probes are called \"%.64s\"; give one another name (the first is in line %u)",
			yaml_get(map, "name")->text.p, d->at.line);
		return;
	}
	d->touched = r->file;
	d->config = before ? probe_config_merge(before, map, r->file, dir, r->errors)
			   : probe_config_read_in(map, r->file, dir, r->errors);
	probe_config_free(before);
}

/* False: there is no room for more. */
static bool read_one(struct config_reader *r, const struct yaml *map, const char *dir)
{
	const struct yaml *name = config_text(map, "name");
	struct probe_draft *d = name ? draft_of(r, name->text) : NULL;
	if (d) {
		read_over(r, d, map, dir);
		return true;
	}
	if (!has_room(r, map))
		return false;
	d = vec_add(&r->probes);
	d->at = config_place(r, map);
	d->touched = r->file;
	d->config = probe_config_read_in(map, r->file, dir, r->errors);
	if (d->config && r->probes.n > 1 && d[-1].config) /* neighbours often do */
		probe_config_share(d->config, d[-1].config);
	if (name)
		map_put_slice(&r->probe_names, name->text, (void *)(uintptr_t)r->probes.n);
	return true;
}

void config_read_probes(struct config_reader *r, const struct yaml *list)
{
	char *dir = config_path(r->config, ".");
	bool room = true;
	for (size_t i = 0; i < list->n && room; i++)
		if (config_is_item(r, list->items[i], "a probe"))
			room = read_one(r, list->items[i], dir);
	free(dir);
}

/* --- finishing ---------------------------------------------------------------------------------
 */

static void no_such_probe(struct config_reader *r, const struct probe_draft *d, const char *name)
{
	const char **names = mem_new_array(r->probes.n + 1, sizeof(*names));
	size_t n = 0;
	VEC_EACH (&r->probes, struct probe_draft, o) {
		if (o->config)
			names[n++] = probe_config_about(o->config)->name;
	}
	const char *near = slice_nearest(slice_of(name), names, n);
	config_wrong_at(r, &d->at, "probe %s: after: there is no probe \"%.80s\"%s%s%s",
		probe_config_about(d->config)->name, name, near ? "; did you mean \"" : "",
		near ? near : "", near ? "\"?" : "");
	free(names);
}

enum mark { MARK_NONE, MARK_OPEN, MARK_DONE };

/* Whether one that `at` comes after, at any remove, is on the way to it. */
static bool comes_after_itself(struct config_reader *r, size_t at, unsigned char *marks)
{
	const struct probe_draft *d = &r->probes.p[at];
	if (marks[at] == MARK_DONE || !d->config)
		return false;
	if (marks[at] == MARK_OPEN)
		return true;
	const char *const *after = probe_config_about(d->config)->after;
	bool circle = false;
	marks[at] = MARK_OPEN;
	for (size_t i = 0; after && after[i] && !circle; i++) {
		const uintptr_t next = (uintptr_t)map_get(&r->probe_names, after[i]);
		circle = next && comes_after_itself(r, next - 1, marks);
	}
	marks[at] = MARK_DONE;
	return circle;
}

static void check_after(struct config_reader *r, const struct probe_draft *d)
{
	const char *const *after = probe_config_about(d->config)->after;
	for (size_t i = 0; after && after[i]; i++)
		if (!map_get(&r->probe_names, after[i]))
			no_such_probe(r, d, after[i]);
}

/* As many sources as the judge keeps of a component: with more, some would count by turns. */
static void check_component(
	struct config_reader *r, const struct probe_draft *d, struct map *counts)
{
	const struct probe_about *about = probe_config_about(d->config);
	if (!about->component)
		return;
	char *id = component_id(NULL, about->component);
	const uintptr_t n = (uintptr_t)map_get(counts, id) + (about->twice ? 2 : 1);
	if (n > CONFIG_SOURCES_MAX && n <= CONFIG_SOURCES_MAX + 2)
		config_wrong_at(r, &d->at, "probe %s: more than %d probes of one component, %s",
			about->name, CONFIG_SOURCES_MAX, about->component);
	map_put(counts, id, (void *)n);
	free(id);
}

void config_finish_probes(struct config_reader *r)
{
	struct map counts = {0};
	struct config *c = r->config;
	unsigned char *marks = mem_new_array(r->probes.n + 1, 1);
	for (size_t i = 0; i < r->probes.n; i++) {
		const struct probe_draft *d = &r->probes.p[i];
		if (!d->config)
			continue;
		check_after(r, d);
		check_component(r, d, &counts);
		if (comes_after_itself(r, i, marks))
			config_wrong_at(r, &d->at,
				"probe %s: after: it comes after itself, by way of others",
				probe_config_about(d->config)->name);
	}
	free(marks);
	map_fini(&counts);
	c->probes = mem_new_array(r->probes.n + 1, sizeof(*c->probes));
	VEC_EACH (&r->probes, struct probe_draft, d) {
		if (d->config)
			c->probes[c->probe_count++] = d->config;
		d->config = NULL;
	}
}

void config_probes_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->probes, struct probe_draft, d) {
		probe_config_free(d->config);
	}
	vec_fini(&r->probes);
	map_fini(&r->probe_names);
}

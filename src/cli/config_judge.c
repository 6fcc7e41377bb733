/*
 * config_judge.c - how components are judged: maintenance, quorum, flapping, what rests on what.
 */

#include <string.h>

#include "base/units.h"
#include "cli/config_reader.h"

#define RESTS_MAX 10000

/* --- quorum ----------------------------------------------------------------------------------- */

static void read_quorum(struct config_reader *r, const struct yaml *y)
{
	int64_t n = 0;
	if (slice_is(y->text, "majority"))
		r->config->quorum = 0;
	else if (units_parse_int(y->text, &n) && n >= 1 && n <= 100)
		r->config->quorum = (unsigned)n;
	else
		config_wrong(r, y, "judge: quorum is majority, or a number of locations: 1 to 100");
}

/* --- flapping --------------------------------------------------------------------------------- */

struct flapping {
	int64_t changes, within_ns, quiet_ns;
};

#define FLAPPING(name, type, field) name, type, offsetof(struct flapping, field)
static const struct key flapping_keys[] = {
	{FLAPPING("changes", KEY_INT, changes), .min = 3, .max = 100, .help = "of state"},
	{FLAPPING("within", KEY_TIME, within_ns), .min = NS_PER_S, .max = 86400 * NS_PER_S},
	{FLAPPING("quiet", KEY_TIME, quiet_ns), .min = NS_PER_S, .max = 86400 * NS_PER_S},
};
#undef FLAPPING

static void read_flapping(struct config_reader *r, const struct yaml *y)
{
	struct config *c = r->config;
	struct flapping f = {c->flap_changes ? c->flap_changes : CONFIG_FLAP_CHANGES,
		c->flap_within_ns, c->flap_quiet_ns};
	if (y->kind == YAML_SCALAR && slice_is(y->text, "off")) {
		c->flap_changes = 0;
		return;
	}
	if (y->kind != YAML_MAP) {
		config_wrong(r, y, "judge: flapping is a map of changes, within and quiet, or off");
		return;
	}
	keys_read(y, r->file, "judge: flapping", flapping_keys, array_len(flapping_keys), &f,
		r->errors);
	c->flap_changes = (unsigned)f.changes;
	c->flap_within_ns = f.within_ns;
	c->flap_quiet_ns = f.quiet_ns;
}

/* --- what rests on what ----------------------------------------------------------------------- */

static bool is_id(struct config_reader *r, const struct yaml *at, struct slice id)
{
	if (config_component_id(id))
		return true;
	config_wrong(r, at, "judge: depends: \"%.80s\" is no id such as compute", id.p);
	return false;
}

static void forget_rests(struct config *c, const char *component)
{
	for (size_t i = c->rest_count; i-- > 0;) {
		struct config_rest *rest = &c->rests[i];
		if (strcmp(rest->component, component) != 0)
			continue;
		free(rest->component);
		free(rest->on);
		*rest = c->rests[--c->rest_count];
	}
}

static void add_rest(struct config *c, const char *component, const char *on)
{
	c->rests = mem_resize(c->rests, c->rest_count + 1, sizeof(*c->rests));
	c->rests[c->rest_count++] = (struct config_rest){mem_strdup(component), mem_strdup(on)};
}

/* A component that is named takes the place of what stood for it before, here or by default. */
static void read_depends(struct config_reader *r, const struct yaml *map)
{
	struct config *c = r->config;
	r->depends = config_place(r, map);
	for (size_t i = 0; i < map->n; i++) {
		const struct yaml *y = map->items[i];
		const bool many = y->kind == YAML_LIST;
		const size_t n = many ? y->n : y->text.n ? 1 : 0;
		if (!is_id(r, y, map->keys[i]->text))
			continue;
		const char *component = map->keys[i]->text.p;
		forget_rests(c, component);
		if (!n)
			add_rest(c, component, "");
		for (size_t k = 0; k < n && c->rest_count < RESTS_MAX; k++) {
			const struct yaml *on = many ? y->items[k] : y;
			if (is_id(r, on, on->text))
				add_rest(c, component, on->text.p);
		}
	}
}

static const struct {
	const char *component, *on;
} table[] = {
#define DEPENDS(component, on) {component, on},
#include "cli/depends.def"
#undef DEPENDS
};

static bool is_written(const struct config *c, const char *component)
{
	for (size_t i = 0; i < c->rest_count; i++)
		if (!strcmp(c->rests[i].component, component))
			return true;
	return false;
}

static void add(struct config_rests *all, char *component, char *on)
{
	vec_push(&all->owned, component);
	vec_push(&all->owned, on);
	vec_push(&all->rests, ((struct judge_rest){component, on}));
}

struct config_rests config_rests(const struct config *c, char *const *prefixes, size_t n)
{
	struct config_rests all = {0};
	for (size_t i = 0; i < c->rest_count; i++)
		if (*c->rests[i].on)
			add(&all, mem_strdup(c->rests[i].component), mem_strdup(c->rests[i].on));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < array_len(table); k++) {
			char *component = mem_printf("%s%s", prefixes[i], table[k].component);
			if (is_written(c, component))
				free(component);
			else
				add(&all, component, mem_printf("%s%s", prefixes[i], table[k].on));
		}
	return all;
}

void config_rests_fini(struct config_rests *all)
{
	VEC_EACH (&all->owned, char *, text)
		free(*text);
	vec_fini(&all->owned);
	vec_fini(&all->rests);
}

/* The first cloud's components have no prefix (running_cloud.c); one stands for all. */
void config_finish_judging(struct config_reader *r)
{
	char none[] = "", *const prefixes[] = {none};
	struct config_rests all = config_rests(r->config, prefixes, 1);
	struct error err = {0};
	if (r->depends.line && !judge_rests_good(all.rests.p, all.rests.n, &err))
		config_wrong_at(r, &r->depends, "judge: depends: %s", err.msg);
	config_rests_fini(&all);
}

/* --- the whole -------------------------------------------------------------------------------- */

void config_read_judging(struct config_reader *r, const struct yaml *quorum,
	const struct yaml *flapping, const struct yaml *depends)
{
	if (quorum)
		read_quorum(r, quorum);
	if (flapping)
		read_flapping(r, flapping);
	if (depends)
		read_depends(r, depends);
}

static json_t *depends_json(const struct config *c)
{
	json_t *j = json_object();
	for (size_t i = 0; i < c->rest_count; i++) {
		const struct config_rest *rest = &c->rests[i];
		json_t *list = json_object_get(j, rest->component);
		if (!list) {
			list = json_array();
			json_object_set_new(j, rest->component, list);
		}
		if (*rest->on)
			json_array_append_new(list, json_string(rest->on));
	}
	return j;
}

static json_t *time_json(int64_t ns)
{
	char text[UNITS_TEXT];
	return json_string(units_time_whole(ns, text));
}

void config_judging_json(const struct config *c, json_t *judge)
{
	json_object_set_new(
		judge, "maintenance", json_string(c->maintenance_counts ? "count" : "exclude"));
	json_object_set_new(
		judge, "quorum", c->quorum ? json_integer(c->quorum) : json_string("majority"));
	json_object_set_new(judge, "flapping",
		c->flap_changes
			? json_pack("{s:I, s:o, s:o}", "changes", (json_int_t)c->flap_changes,
				  "within", time_json(c->flap_within_ns), "quiet",
				  time_json(c->flap_quiet_ns))
			: json_string("off"));
	json_object_set_new(judge, "depends", depends_json(c));
}

void config_free_judging(struct config *c)
{
	for (size_t i = 0; i < c->rest_count; i++) {
		free(c->rests[i].component);
		free(c->rests[i].on);
	}
	free(c->rests);
}

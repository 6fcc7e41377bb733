/*
 * config_list.c - clouds, scenarios and components as they are written, each into its draft.
 *
 * A cloud or component that two files name is one; so is an item of a list that an earlier file
 * gave the same name (and cloud). Two of one name in one file stay two, and are refused at the end.
 */

#include <string.h>

#include "base/clock.h"
#include "cli/config_reader.h"

#define DAY_NS (24 * 3600 * NS_PER_S)

bool config_room(struct config_reader *r, const struct yaml *y)
{
	if (r->clouds.n + r->scenarios.n + r->alarms.n + r->metrics.n + r->reports.n <
			CONFIG_PROBES_MAX &&
		r->components.n < CONFIG_PROBES_MAX)
		return true;
	if (!r->full)
		config_wrong(r, y, "more than %d clouds, scenarios, components and alarms",
			CONFIG_PROBES_MAX);
	r->full = true;
	return false;
}

bool config_is_item(struct config_reader *r, const struct yaml *y, const char *what)
{
	if (y->kind != YAML_MAP)
		config_wrong(r, y, "%s must be a map, not %s", what, yaml_kind_name(y));
	return y->kind == YAML_MAP;
}

/* --- clouds ----------------------------------------------------------------------------------- */

static const char *const endpoints_words[] = {"auto", "none", NULL};

struct cloud_item { /* what one map says, and what of it is read apart */
	struct cloud_draft draft;
	const struct yaml *budget;
};

#define CLOUD(name, type, field) name, type, offsetof(struct cloud_draft, field)
static const struct key cloud_keys[] = {
	{CLOUD("title", KEY_TEXT, title), .help = "on pages"},
	{CLOUD("endpoints", KEY_WORD, endpoints), .words = endpoints_words},
	{CLOUD("every", KEY_TIME, every_ns), .min = NS_PER_S, .max = DAY_NS},
	{CLOUD("timeout", KEY_TIME, timeout_ns), .min = 100 * NS_PER_MS, .max = 600 * NS_PER_S},
	{CLOUD("slow", KEY_TIME, slow_ns), .min = NS_PER_MS, .max = 600 * NS_PER_S},
	{CLOUD("inflight", KEY_INT, inflight), .min = 1, .max = 1000},
	{CLOUD("compute", KEY_INT, compute), .min = 1, .max = 1000},
	{CLOUD("hosts", KEY_TEXTS, hosts), .help = "names of its hypervisors"},
	{"budget", KEY_MAP, offsetof(struct cloud_item, budget), .help = "an hour"},
};
#undef CLOUD

static struct cloud_draft *find_cloud(struct config_reader *r, struct slice name)
{
	VEC_EACH (&r->clouds, struct cloud_draft, c) {
		if (slice_is(name, c->name))
			return c;
	}
	return NULL;
}

/* Those of a later file are more of them. Takes *list. */
static void add_hosts(
	struct config_reader *r, struct cloud_draft *c, const struct yaml *y, char ***list)
{
	size_t n = 0;
	for (size_t i = 0; i < (y->kind == YAML_LIST ? y->n : 1); i++)
		config_check_line(r, y->kind == YAML_LIST ? y->items[i] : y, "the name of a host");
	config_texts_append(&c->hosts, list);
	while (c->hosts[n])
		n++;
	if (n > CONFIG_HOSTS_MAX)
		config_wrong(r, y, "cloud %.80s: at most %d hosts", c->name, CONFIG_HOSTS_MAX);
}

static void read_cloud(struct config_reader *r, const struct yaml *key, const struct yaml *map)
{
	struct cloud_draft *c = find_cloud(r, key->text);
	char what[100];
	if (!config_check_line(r, key, "the name of a cloud"))
		return;
	if (!c) {
		if (!config_room(r, key))
			return;
		c = vec_add(&r->clouds);
		c->name = slice_dup(key->text);
		c->at = config_place(r, key);
		c->every_ns = 30 * NS_PER_S;
		c->slow_ns = 2 * NS_PER_S;
		c->inflight = 8;
		c->compute = 4;
	}
	if (yaml_is_null(map)) /* `prod:` alone takes the defaults */
		return;
	snprintf(what, sizeof(what), "cloud %.80s", c->name);
	struct cloud_item item = {.draft = *c};
	char **hosts = c->hosts;
	item.draft.hosts = NULL;
	keys_read(map, r->file, what, cloud_keys, array_len(cloud_keys), &item, r->errors);
	*c = item.draft;
	c->hosts = hosts;
	if (item.draft.hosts)
		add_hosts(r, c, yaml_get(map, "hosts"), &item.draft.hosts);
	config_read_budget(r, item.budget, what, &c->budget);
	const struct yaml *y = config_text(map, "title");
	if (y)
		config_check_line(r, y, "a cloud's title");
	y = config_text(map, "timeout");
	if (y)
		c->timeout_at = config_place(r, y);
}

void config_read_clouds(struct config_reader *r, const struct yaml *map)
{
	for (size_t i = 0; i < map->n; i++)
		read_cloud(r, map->keys[i], map->items[i]);
}

/* --- scenarios -------------------------------------------------------------------------------- */

struct scenario_item { /* what one map says, before it is known which draft it belongs to */
	struct scenario_draft draft;
	const struct yaml *params, *budget;
};

#define ITEM(name, type, field) name, type, offsetof(struct scenario_draft, field)
static const struct key scenario_keys[] = {
	{ITEM("name", KEY_TEXT, name), .help = "what pages call it"},
	{ITEM("use", KEY_TEXT, use), .max = 2048, .help = "a shipped scenario or a file"},
	{ITEM("document", KEY_TEXT, document), .max = 100, .help = "of a file with several"},
	{ITEM("cloud", KEY_TEXT, cloud), .help = "one of `clouds`"},
	{ITEM("every", KEY_TIME, every_ns), .min = 10 * NS_PER_S, .max = 7 * DAY_NS},
	{ITEM("runs", KEY_INT, runs), .min = 1, .max = 1000000, .help = "then no more"},
	{ITEM("hold", KEY_TIME, hold_ns), .min = 10 * NS_PER_S, .max = 7 * DAY_NS,
		.help = "keeps a world that failed"},
	{"budget", KEY_MAP, offsetof(struct scenario_item, budget), .help = "an hour"},
	{"params", KEY_MAP, offsetof(struct scenario_item, params), .help = "of the scenario"},
};
#undef ITEM

/* The draft of an earlier file that this item goes on with. */
static struct scenario_draft *earlier_scenario(struct config_reader *r, const struct yaml *map)
{
	const struct yaml *name = config_text(map, "name"), *cloud = config_text(map, "cloud");
	VEC_EACH (&r->scenarios, struct scenario_draft, s) {
		if (name && s->name && slice_is(name->text, s->name) && s->touched != r->file &&
			(!cloud || !s->cloud || slice_is(cloud->text, s->cloud)))
			return s;
	}
	return NULL;
}

static void merge_params(struct config_reader *r, struct scenario_draft *s, const struct yaml *map)
{
	json_t *more = yaml_json(map);
	if (!s->params)
		s->params = json_object();
	json_object_update_recursive(s->params, more);
	json_decref(more);
}

static void check_scenario(
	struct config_reader *r, struct scenario_draft *s, const struct yaml *map)
{
	const struct yaml *y = config_text(map, "name");
	if (y)
		config_check_name(r, y, "a scenario's name");
	y = config_text(map, "use");
	if (y && !y->text.n)
		config_wrong(r, y, "use: the name of a scenario, or a file, is missing");
	if (y && (memchr(y->text.p, '/', y->text.n) || slice_ends(y->text, ".yaml") ||
			 slice_ends(y->text, ".yml"))) {
		free(s->use);
		s->use = config_path(r->config, y->text.p);
	}
	y = config_text(map, "cloud");
	if (y)
		s->cloud_at = config_place(r, y);
}

static void read_scenario(struct config_reader *r, const struct yaml *map)
{
	struct scenario_draft *s = earlier_scenario(r, map);
	if (!s) {
		if (!config_room(r, map))
			return;
		s = vec_add(&r->scenarios);
		s->at = config_place(r, map);
		s->every_ns = 600 * NS_PER_S;
	}
	struct scenario_item item = {.draft = *s};
	item.draft.touched = r->file;
	if (!keys_read(map, r->file, "a scenario", scenario_keys, array_len(scenario_keys), &item,
		    r->errors))
		item.draft.broken = true;
	*s = item.draft;
	check_scenario(r, s, map);
	config_read_budget(r, item.budget, "a scenario", &s->budget);
	if (item.params)
		merge_params(r, s, item.params);
}

void config_read_scenarios(struct config_reader *r, const struct yaml *list)
{
	for (size_t i = 0; i < list->n; i++)
		if (config_is_item(r, list->items[i], "a scenario"))
			read_scenario(r, list->items[i]);
}

/* --- components ------------------------------------------------------------------------------- */

#define PART(name, type, field) name, type, offsetof(struct config_component, field)
static const struct key component_keys[] = {
	{PART("name", KEY_TEXT, name), .help = "what customers call it"},
	{PART("category", KEY_TEXT, category), .help = "the heading it stands under"},
	{PART("region", KEY_TEXT, region), .help = "where it is"},
	{PART("hidden", KEY_BOOL, hidden), .help = "judged, and on no page"},
};
#undef PART

bool config_component_id(struct slice id)
{
	for (size_t i = 0; i < id.n; i++)
		if (!((id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '0' && id.p[i] <= '9') ||
			    id.p[i] == '-'))
			return false;
	return id.n > 0 && id.n <= 64;
}

static struct config_component *find_component(struct config_reader *r, const struct yaml *key)
{
	VEC_EACH (&r->components, struct config_component, c) {
		if (slice_is(key->text, c->id))
			return c;
	}
	if (!config_room(r, key))
		return NULL;
	struct config_component *c = vec_add(&r->components);
	c->id = slice_dup(key->text);
	return c;
}

static void read_component(struct config_reader *r, const struct yaml *key, const struct yaml *map)
{
	static const char *const lines[] = {"name", "category", "region"};
	if (!config_component_id(key->text)) {
		config_wrong(r, key,
			"components: \"%.80s\" must be 1 to 64 small letters, digits or -",
			key->text.p);
		return;
	}
	struct config_component *c = find_component(r, key);
	char what[100];
	if (!c)
		return;
	snprintf(what, sizeof(what), "component %s", c->id);
	keys_read(map, r->file, what, component_keys, array_len(component_keys), c, r->errors);
	for (size_t i = 0; i < array_len(lines); i++) {
		const struct yaml *y = config_text(map, lines[i]);
		snprintf(what, sizeof(what), "component %s: %s", c->id, lines[i]);
		if (y)
			config_check_line(r, y, what);
	}
}

void config_read_components(struct config_reader *r, const struct yaml *map)
{
	for (size_t i = 0; i < map->n; i++)
		read_component(r, map->keys[i], map->items[i]);
}

/*
 * cloudmon_manager.c - the one configuration of CloudMon's manager: which environment is observed
 * from which zone by which plugin. Here an instance is a zone, so what it makes is for all zones.
 */

#include <string.h>

#include "import/cloudmon_inside.h"

static const char *text_of(const struct import_node *map, const char *key)
{
	const struct import_node n = import_get(map, key);
	return import_text(&n);
}

/* --- looking ---------------------------------------------------------------------------------- */

static void look_at_plugins(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node plugins = import_get(root, "plugins");
	for (size_t i = 0; i < import_size(&plugins); i++) {
		const struct import_node plugin = import_item(&plugins, i),
					 projects = import_get(&plugin, "tests_projects");
		for (size_t k = 0; k < import_size(&projects); k++) {
			const struct import_node item = import_item(&projects, k);
			const char *name = text_of(&item, "name");
			if (name && !map_get(&c->projects, name))
				map_put(&c->projects, name, (void *)cloudmon_keep(c, &item));
		}
	}
}

static void look_at_matrix(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node matrix = import_get(root, "matrix");
	for (size_t i = 0; i < import_size(&matrix); i++) {
		const struct import_node entry = import_item(&matrix, i),
					 plugins = import_get(&entry, "plugins");
		for (size_t k = 0; k < import_size(&plugins); k++) {
			const struct import_node plugin = import_item(&plugins, k),
						 chosen = import_get(&plugin, "config_elements");
			for (size_t e = 0; e < import_size(&chosen); e++) {
				const struct import_node n = import_item(&chosen, e);
				if (import_text(&n))
					map_put(&c->chosen, import_text(&n), c);
				c->matrix = true;
			}
		}
	}
}

void cloudmon_manager_look(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node environments = import_get(root, "environments");
	for (size_t i = 0; i < import_size(&environments); i++) {
		const struct import_node item = import_item(&environments, i);
		const char *name = text_of(&item, "name");
		if (name && !map_get(&c->environments, name))
			map_put(&c->environments, name, (void *)cloudmon_keep(c, &item));
	}
	look_at_plugins(c, root);
	look_at_matrix(c, root);
}

/* --- environments and zones ------------------------------------------------------------------- */

#define ONE_INSTANCE "say `location`: one instance for each place to observe from"

static void take_environments(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {
		{"monitoring_zones", IMPORT_DROPPED,
			ONE_INSTANCE ", with the log-in of that place in its clouds.yaml"},
	};
	const struct import_answer attributes = {"attributes",
		c->rules ? IMPORT_CARRIED : IMPORT_DROPPED,
		c->rules ? "the region of the components that its rules judge"
			 : "they are for the rules of metrics-processor, which are not here"};
	const struct import_node list = import_get(root, "environments");
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node item = import_item(&list, i);
		cloudmon_environment(c, &item);
		import_answer(c->in, &item, keys, array_len(keys));
		import_answer(c->in, &item, &attributes, 1);
	}
}

/* --- the matrix ------------------------------------------------------------------------------- */

static void take_epmon(struct cloudmon *c, const struct import_node *plugin)
{
	const struct import_node list = import_get(plugin, "config_elements"),
				 cloud = import_get(plugin, "cloud_name");
	if (import_text(&cloud) && cloudmon_cloud(c, import_text(&cloud)))
		import_tell(c->in, &cloud, IMPORT_CARRIED, "cloud %s", import_text(&cloud));
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node n = import_item(&list, i);
		const bool there = import_text(&n) && map_get(&c->elements, import_text(&n));
		import_tell(c->in, &n, there ? IMPORT_CHANGED : IMPORT_DROPPED,
			there ? "endpoints of every cloud: the table is one for all"
			      : "there is no such element in these files");
	}
}

static void take_entry(struct cloudmon *c, const struct import_node *entry)
{
	static const struct import_answer keys[] = {
		{"db_entry", IMPORT_NEEDLESS, "what a run did is kept here"},
		{"db_url", IMPORT_NEEDLESS, "what a run did is kept here"},
		{"monitoring_zone", IMPORT_DROPPED, ONE_INSTANCE}};
	static const struct import_answer of_plugin[] = {
		{"schedulers_inventory_group_name", IMPORT_NEEDLESS, "one program does it"},
		{"executors_inventory_group_name", IMPORT_NEEDLESS, "one program does it"},
		{"epmon_inventory_group_name", IMPORT_NEEDLESS, "one program does it"},
		{"epmons_inventory_group_name", IMPORT_NEEDLESS, "one program does it"},
		{"globalmons_inventory_group_name", IMPORT_NEEDLESS, "one program does it"},
		{"config", IMPORT_NEEDLESS, "give that file to the import, too"}};
	const struct import_node env = import_get(entry, "env"),
				 plugins = import_get(entry, "plugins");
	import_tell(c->in, &env, IMPORT_CARRIED, "the cloud of its runs");
	import_answer(c->in, entry, keys, array_len(keys));
	for (size_t i = 0; i < import_size(&plugins); i++) {
		const struct import_node plugin = import_item(&plugins, i),
					 name = import_get(&plugin, "name"),
					 project = import_get(&plugin, "tests_project"),
					 tasks = import_get(&plugin, "tasks"),
					 interval = import_get(&plugin, "interval");
		import_tell(c->in, &name, IMPORT_NEEDLESS, "one program does it");
		import_answer(c->in, &plugin, of_plugin, array_len(of_plugin));
		take_epmon(c, &plugin);
		if (project.y)
			cloudmon_tasks(c, &plugin, import_text(&env),
				text_of(entry, "monitoring_zone"), &project, &tasks, &interval);
	}
}

static void take_plugins(struct cloudmon *c, const struct import_node *root)
{
	static const struct import_answer keys[] = {
		{"name", IMPORT_NEEDLESS, "one program does it"},
		{"type", IMPORT_NEEDLESS, "one program does it"},
		{"image", IMPORT_NEEDLESS, "there are no images to run"},
		{"init_image", IMPORT_NEEDLESS, "there are no images to run"},
		{"scheduler_image", IMPORT_NEEDLESS, "there are no images to run"},
		{"executor_image", IMPORT_NEEDLESS, "there are no images to run"},
		{"epmon_image", IMPORT_NEEDLESS, "there are no images to run"},
		{"config", IMPORT_NEEDLESS, "give that file to the import, too"}};
	const struct import_node plugins = import_get(root, "plugins");
	for (size_t i = 0; i < import_size(&plugins); i++) {
		const struct import_node plugin = import_item(&plugins, i),
					 projects = import_get(&plugin, "tests_projects");
		import_answer(c->in, &plugin, keys, array_len(keys));
		for (size_t k = 0; k < import_size(&projects); k++) {
			const struct import_node item = import_item(&projects, k);
			cloudmon_project(c, &item);
		}
	}
}

void cloudmon_manager(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node matrix = import_get(root, "matrix"),
				 zones = import_get(root, "monitoring_zones");
	take_environments(c, root);
	import_tell(c->in, &zones, IMPORT_DROPPED, ONE_INSTANCE);
	for (size_t i = 0; i < import_size(&matrix); i++) {
		const struct import_node entry = import_item(&matrix, i);
		take_entry(c, &entry);
	}
	take_plugins(c, root);
}

/*
 * cloudmon.c - the configurations of CloudMon (StackMon): its manager's, EPmon's, GlobalMon's, the
 * load balancer plugin's, APImon's and the catalog of its status page. Which one a document is, its
 * keys say. How CloudMon judges (metrics-processor) the judge reads itself: cloudmon_judge.c.
 */

#include <stdlib.h>
#include <string.h>

#include "import/cloudmon_inside.h"
#include "import/importer_inside.h"

/* --- what its files share --------------------------------------------------------------------- */

struct cloudmon_component *cloudmon_component(struct cloudmon *c, const char *type)
{
	struct cloudmon_component *it = map_get(&c->components, type);
	if (it)
		it->used = true;
	return it;
}

json_t *cloudmon_cloud(struct cloudmon *c, const char *name)
{
	json_t *clouds = json_object_get(c->in->config, "clouds");
	if (!import_is_name(name))
		return NULL;
	if (!clouds) {
		clouds = json_object();
		json_object_set_new(c->in->config, "clouds", clouds);
	}
	json_t *cloud = json_object_get(clouds, name);
	if (!cloud) {
		cloud = json_object();
		json_object_set_new(clouds, name, cloud);
	}
	return cloud;
}

const struct import_node *cloudmon_keep(struct cloudmon *c, const struct import_node *n)
{
	if (!n)
		return NULL;
	struct import_node *copy = mem_new(struct import_node);
	*copy = *n;
	copy->up = cloudmon_keep(c, n->up);
	vec_push(&c->kept, copy);
	return copy;
}

/* --- the catalog of the status page ----------------------------------------------------------- */

static void look_at_catalog(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node list = import_get(root, "components");
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node item = import_item(&list, i),
					 name = import_get(&item, "name"),
					 attributes = import_get(&item, "attributes"),
					 type = import_get(&attributes, "type"),
					 category = import_get(&attributes, "category");
		if (!import_text(&name) || !import_text(&type) ||
			!import_is_line(import_text(&name)) ||
			map_get(&c->components, import_text(&type)))
			continue;
		struct cloudmon_component *it = mem_new(struct cloudmon_component);
		it->name = import_text(&name);
		it->category = import_text(&category) && import_is_line(import_text(&category))
				       ? import_text(&category)
				       : NULL;
		it->from = item.y;
		map_put(&c->components, import_text(&type), it);
	}
}

/* When all else is taken: who uses a component is known then. */
static void tell_catalog(struct cloudmon *c, const struct import_node *root)
{
	const struct import_node list = import_get(root, "components");
	for (size_t i = 0; i < import_size(&list); i++) {
		const struct import_node item = import_item(&list, i),
					 name = import_get(&item, "name"),
					 attributes = import_get(&item, "attributes"),
					 type = import_get(&attributes, "type"),
					 category = import_get(&attributes, "category"),
					 region = import_get(&attributes, "region");
		const struct cloudmon_component *it =
			import_text(&type) ? map_get(&c->components, import_text(&type)) : NULL;
		if (!it || !it->used) {
			import_tell(c->in, &item, IMPORT_DROPPED,
				"no element and no service here goes by its type: name it where its "
				"probes are");
			continue;
		}
		if (it->from != item.y) {
			import_tell(c->in, &item, IMPORT_CHANGED,
				"the first of its type names the component; the region is that of the "
				"cloud");
			continue;
		}
		import_tell(c->in, &name, IMPORT_CARRIED, "component of what is asked of its type");
		import_tell(c->in, &category, it->category ? IMPORT_CARRIED : IMPORT_DROPPED,
			it->category ? "category of the component" : "expected a line of text");
		import_tell(c->in, &type, IMPORT_CARRIED, "what its probes ask");
		import_tell(c->in, &region, IMPORT_CHANGED, "the region is that of the cloud");
	}
}

/* --- what is answered wherever it stands ---------------------------------------------------------
 */

static const struct import_answer top[] = {
	{"server", IMPORT_NEEDLESS, "its API is here: /api/v1/health"},
	{"alerta", IMPORT_DROPPED, "there are alarms by mail, webhook, Alertmanager: say `alarms`"},
	{"gear", IMPORT_NEEDLESS, "there is no queue between who plans and who runs"},
	{"scheduler", IMPORT_NEEDLESS,
		"runs are planned here; what a run leaves is finished off by the next"},
	{"executor", IMPORT_NEEDLESS, "what a run did is kept here for 90 days"},
	{"log", IMPORT_NEEDLESS, "the log goes to standard error"},
	{"database", IMPORT_NEEDLESS, "there is no database to run: say `store`"},
	{"grafana", IMPORT_DROPPED, "dashboards stay where they are, and read /render"},
	{"status_dashboard", IMPORT_DROPPED, "the page is here: say `site`"},
	{"metrics_processor", IMPORT_NEEDLESS,
		"the judge reads its rules: give its config.yaml or conf.d to this import too"},
	{"clouds_credentials", IMPORT_DROPPED, "log-ins stand in clouds.yaml: write them there"},
	{"secure", IMPORT_DROPPED, "log-ins stand in clouds.yaml: write them there"},
};

static bool is_cloudmon(const struct import_node *root)
{
	static const char *const keys[] = {"elements", "epmon", "services", "loadbalancers",
		"test_projects", "test_matrix", "matrix", "components", "flag_metrics",
		"health_metrics", "metric_templates", "plugins", "environments"};
	for (size_t i = 0; i < array_len(keys); i++)
		if (import_get(root, keys[i]).y)
			return true;
	return false;
}

/* --- all documents ---------------------------------------------------------------------------- */

static void look(struct cloudmon *c, const struct import_node *root)
{
	look_at_catalog(c, root);
	cloudmon_elements_look(c, root);
	cloudmon_manager_look(c, root);
	cloudmon_apimon_look(c, root);
	cloudmon_judge_look(c, root);
}

static void take(struct cloudmon *c, const struct import_node *root)
{
	import_answer(c->in, root, top, array_len(top));
	cloudmon_elements(c, root);
	cloudmon_epmon(c, root);
	cloudmon_globalmon(c, root);
	cloudmon_balancers(c, root);
	cloudmon_apimon(c, root);
	cloudmon_manager(c, root);
	cloudmon_judge(c, root);
}

static void each_root(
	struct cloudmon *c, void (*with)(struct cloudmon *c, const struct import_node *root))
{
	for (size_t i = 0; i < c->in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(c->in->files.p[i]); d++) {
			const struct import_node root = import_root(c->in, i, d);
			with(c, &root);
		}
}

static void fini(struct cloudmon *c)
{
	MAP_EACH (&c->components, e) {
		free(e->value);
	}
	VEC_EACH (&c->kept, struct import_node *, n) {
		free(*n);
	}
	vec_fini(&c->kept);
	map_fini(&c->components);
	map_fini(&c->chosen);
	map_fini(&c->asked);
	map_fini(&c->elements);
	map_fini(&c->projects);
	map_fini(&c->environments);
	map_fini(&c->run);
	endpoint_table_free(c->table);
	free(c->rules);
}

bool import_cloudmon(struct import *in)
{
	struct error_list errors = {0};
	struct cloudmon c = {.in = in, .table = endpoint_table_load(NULL, &errors)};
	bool found = false;
	for (size_t i = 0; i < in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d);
			found |= is_cloudmon(&root);
		}
	if (found && c.table) {
		each_root(&c, look);
		each_root(&c, take);
		each_root(&c, tell_catalog);
	}
	error_list_fini(&errors);
	fini(&c);
	return found;
}

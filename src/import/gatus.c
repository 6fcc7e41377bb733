/*
 * gatus.c - the configuration of Gatus 5: the keys of the top, files merged as Gatus does it:
 * lists one behind the other, in order of the files' names.
 */

#include <stdlib.h>
#include <string.h>

#include "import/gatus_inside.h"
#include "import/importer_inside.h"
#include "import/variable.h"
#include "net/url.h"

char *gatus_text(struct gatus *g, const struct import_node *n)
{
	const char *text = import_text(n);
	struct variables v;
	if (!text)
		return NULL;
	char *expanded = variables_expand(text, &v);
	variables_fini(&v);
	if (!v.missing)
		return expanded;
	import_tell(g->in, n, IMPORT_DROPPED,
		"it names a variable that is not set here, or that is a secret: set it and import again, "
		"or write its value");
	free(expanded);
	return NULL;
}

static const struct import_answer top[] = {
	{"debug", IMPORT_NEEDLESS, "the log says what it has to"},
	{"metrics", IMPORT_NEEDLESS, "/metrics is there"},
	{"skip-invalid-config-update", IMPORT_NEEDLESS, "a wrong configuration changes nothing"},
	{"disable-monitoring-lock", IMPORT_NEEDLESS, "probes never wait for each other"},
	{"concurrency", IMPORT_NEEDLESS, "probes never wait for each other"},
	{"storage", IMPORT_DROPPED, "what was measured there stays there; here it is `store`"},
	{"web", IMPORT_DROPPED, "say `listen`; TLS is the business of the web server in front"},
	{"security", IMPORT_DROPPED, "the public pages are public, the intake has `listen: token`"},
	{"remote", IMPORT_DROPPED, "other instances of Gatus are not shown here"},
	{"tunneling", IMPORT_DROPPED, "probes do not go through SSH tunnels"},
	{"announcements", IMPORT_DROPPED, "they are texts for the page: write them there"},
};

static void take_ui(struct gatus *g, const struct import_node *root)
{
	const struct import_node ui = import_get(root, "ui"), title = import_get(&ui, "title"),
				 header = import_get(&ui, "header");
	const struct import_node *name = header.y ? &header : &title;
	char *text = gatus_text(g, name);
	if (!text || !import_is_line(text)) {
		free(text);
		return;
	}
	json_object_set_new(g->in->config, "site", json_pack("{s:s}", "name", text));
	import_tell(g->in, name, IMPORT_CHANGED, "site.name: the pages have titles of their own");
	free(text);
}

static void take_connectivity(struct gatus *g, const struct import_node *root)
{
	static const struct import_answer interval[] = {{"interval", IMPORT_NEEDLESS,
		"witnesses are asked every 10 s, and when it matters"}};
	const struct import_node connectivity = import_get(root, "connectivity"),
				 checker = import_get(&connectivity, "checker"),
				 target = import_get(&checker, "target");
	char *text = gatus_text(g, &target);
	struct url parsed;
	char *witness = mem_printf("tcp://%s", text ? text : "");
	if (text && url_parse(slice_of(witness), &parsed, NULL) && parsed.port && !parsed.path.n &&
		!parsed.query.n) {
		json_object_set_new(g->in->config, "witnesses", json_pack("[s]", witness));
		import_tell(g->in, &target, IMPORT_CARRIED, "witnesses");
	}
	free(witness);
	import_answer(g->in, &checker, interval, array_len(interval));
	free(text);
}

static void take_list(struct gatus *g, const struct import_node *root, const char *key,
	void (*take)(struct gatus *g, const struct import_node *item))
{
	const struct import_node list = import_get(root, key);
	for (size_t i = 0; list.y && list.y->kind == YAML_LIST && i < list.y->n; i++) {
		const struct import_node item = import_item(&list, i);
		take(g, &item);
	}
}

static bool is_gatus(const struct import_node *root)
{
	return import_get(root, "endpoints").y || import_get(root, "external-endpoints").y ||
	       import_get(root, "suites").y;
}

bool import_gatus(struct import *in)
{
	struct gatus g = {.in = in};
	bool found = false;
	for (size_t i = 0; i < in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d),
						 alerting = import_get(&root, "alerting");
			found |= is_gatus(&root);
			gatus_alerting(&g, &alerting);
		}
	for (size_t i = 0; i < in->files.n && found; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d);
			import_answer(in, &root, top, array_len(top));
			take_ui(&g, &root);
			take_connectivity(&g, &root);
			take_list(&g, &root, "endpoints", gatus_endpoint);
			take_list(&g, &root, "external-endpoints", gatus_external);
			take_list(&g, &root, "suites", gatus_suite);
		}
	for (size_t i = 0; i < in->files.n && found; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d);
			gatus_maintenance(&g, &root);
		}
	map_fini(&g.components);
	return found;
}

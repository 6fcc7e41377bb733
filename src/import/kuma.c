/*
 * kuma.c - a backup of Uptime Kuma 1.x (Settings, Backup, Export), and what tools that read 2.x's
 * database write in the same form. It is JSON; the reader of YAML reads it with places.
 */

#include "import/kuma_inside.h"

#include <string.h>

#include "base/json.h"
#include "import/importer_inside.h"

#define TEXT_MAX (64u << 10)

json_t *kuma_json(const struct import_node *n)
{
	const char *text = import_text(n);
	return text && *text ? json_parse(slice_of(text), TEXT_MAX, NULL) : NULL;
}

static const struct import_answer top[] = {
	{"version", IMPORT_NEEDLESS, "the form of the backup"},
	{"statusPageList", IMPORT_DROPPED,
		"a page shows components: give the probes that customers may see a `component`"},
	{"tagList", IMPORT_DROPPED, "probes have no tags"},
};

/* Proxies are taken by the monitors that go through them. */
static void take_proxies(struct kuma *k)
{
	for (size_t i = 0; i < import_size(k->proxies); i++) {
		const struct import_node proxy = import_item(k->proxies, i),
					 auth = import_get(&proxy, "auth");
		if (import_flag(&auth))
			import_tell(k->in, &proxy, IMPORT_DROPPED,
				"http goes through a proxy only without a password");
		else
			import_tell(k->in, &proxy, IMPORT_CARRIED,
				"http.proxy of the probes that name it");
	}
}

bool import_kuma(struct import *in)
{
	bool found = false;
	for (size_t i = 0; i < in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d),
						 monitors = import_get(&root, "monitorList"),
						 proxies = import_get(&root, "proxyList"),
						 told = import_get(&root, "notificationList"),
						 windows = import_get(&root, "maintenanceList");
			struct kuma k = {in, &monitors, &proxies, {0}};
			if (!monitors.y)
				continue;
			found = true;
			import_answer(in, &root, top, array_len(top));
			kuma_notifications(&k, &told);
			take_proxies(&k);
			for (size_t m = 0; m < import_size(&monitors); m++) {
				const struct import_node item = import_item(&monitors, m);
				kuma_monitor(&k, &item);
			}
			for (size_t m = 0; m < import_size(&windows); m++) {
				const struct import_node item = import_item(&windows, m);
				kuma_window(&k, &item);
			}
			if (!import_size(&windows))
				import_tell(in, &windows, IMPORT_NEEDLESS, "there is none");
			map_fini(&k.probes);
		}
	return found;
}

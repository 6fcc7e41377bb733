/*
 * blackbox.c - modules of blackbox_exporter and the jobs of Prometheus that ask with them. A module
 * alone says how, a job says what: together they are probes.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/blackbox_inside.h"
#include "import/condition.h"
#include "import/importer_inside.h"

/* --- modules ---------------------------------------------------------------------------------- */

static void convert(struct blackbox *b, const struct import_node *module)
{
	struct blackbox_module m = {.name = module->key ? module->key->text.p : "",
		.wanted = module->key && map_get(&b->wanted, module->key->text.p) != NULL};
	if (!module->key || (!m.wanted && !b->in->targets.n)) {
		import_tell(b->in, module, IMPORT_DROPPED,
			"no job of a prometheus.yml here asks with it: name what to ask with --target");
		return;
	}
	if (!blackbox_module(b, module, &m.probe))
		m.probe.json = NULL;
	vec_push(&b->modules, m);
}

static void each_root(
	struct blackbox *b, void (*take)(struct blackbox *b, const struct import_node *root))
{
	for (size_t i = 0; i < b->in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(b->in->files.p[i]); d++) {
			const struct import_node root = import_root(b->in, i, d);
			take(b, &root);
		}
}

static void take_modules(struct blackbox *b, const struct import_node *root)
{
	const struct import_node modules = import_get(root, "modules");
	for (size_t i = 0; i < import_size(&modules); i++) {
		const struct import_node module = import_item(&modules, i);
		convert(b, &module);
	}
}

/* --- targets ---------------------------------------------------------------------------------- */

/* The key a target goes to. */
static const char *target_key(const char *kind)
{
	static const struct {
		const char *kind, *key;
	} keys[] = {{"http", "http.url"}, {"websocket", "websocket.url"}, {"tcp", "tcp.to"},
		{"icmp", "icmp.to"}, {"grpc", "grpc.to"}, {"dns", "dns.server"}};
	for (size_t i = 0; i < array_len(keys); i++)
		if (!strcmp(keys[i].kind, kind))
			return keys[i].key;
	return "tcp.to";
}

static bool set_target(struct import_probe *p, const char *target, const struct import_node *n)
{
	const char *key = target_key(p->kind);
	char *whole = !strcmp(p->kind, "http") && !strstr(target, "://")
			      ? mem_printf("http://%s", target)
			      : mem_strdup(target);
	bool good = true;
	if (strstr(key, ".url") && n) {
		good = import_carry_url(p, n, key, whole);
	} else {
		import_set(p, key, json_string(whole));
		if (n)
			import_tell(p->in, n, IMPORT_CARRIED, "probe %s: %s", p->name, key);
	}
	free(whole);
	return good;
}

bool blackbox_probe(struct blackbox *b, const struct blackbox_module *m, const char *target,
	const char *name, const struct import_node *n, struct import_probe *ret)
{
	*ret = import_probe_copy(b->in, &m->probe, name);
	if (set_target(ret, target, n))
		return true;
	import_probe_abandon(ret);
	return false;
}

/* What the user named, with every module that no job has targets for. */
static void take_named(struct blackbox *b)
{
	for (size_t i = 0; i < b->modules.n; i++)
		for (size_t t = 0; t < b->in->targets.n; t++) {
			const struct blackbox_module *m = &b->modules.p[i];
			struct import_probe p;
			char *name = mem_printf("%s-%s", m->name, b->in->targets.p[t]);
			if (!m->wanted && m->probe.json &&
				blackbox_probe(b, m, b->in->targets.p[t], name, NULL, &p))
				import_probe_add(&p, NULL);
			free(name);
		}
}

bool import_blackbox(struct import *in)
{
	struct blackbox b = {.in = in};
	bool found = false;
	for (size_t i = 0; i < in->files.n; i++)
		for (size_t d = 0; d < yaml_documents(in->files.p[i]); d++) {
			const struct import_node root = import_root(in, i, d);
			found |= import_get(&root, "modules").y ||
				 import_get(&root, "scrape_configs").y;
		}
	each_root(&b, blackbox_want);
	each_root(&b, take_modules);
	each_root(&b, blackbox_jobs);
	take_named(&b);
	VEC_EACH (&b.modules, struct blackbox_module, m) {
		json_decref(m->probe.json);
	}
	vec_fini(&b.modules);
	map_fini(&b.wanted);
	return found;
}

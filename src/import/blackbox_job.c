/*
 * blackbox_job.c - the jobs of a prometheus.yml that ask through blackbox_exporter: those whose
 * metrics_path is /probe. Their targets stand in static_configs, or in params.
 */

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "import/blackbox_inside.h"

#define SCRAPE_INTERVAL_NS (60 * NS_PER_S)

static bool is_probe_job(const struct import_node *job)
{
	const struct import_node path = import_get(job, "metrics_path");
	const struct slice text = slice_of(import_text(&path));
	return slice_is(text, "/probe") || slice_ends(text, "/probe");
}

/* The text of params.KEY[0]. */
static struct import_node param(
	const struct import_node *params, struct import_node *list, const char *key)
{
	*list = import_get(params, key);
	return import_size(list) && list->y->kind == YAML_LIST
		       ? import_item(list, 0)
		       : (struct import_node){.up = list, .file = list->file};
}

static const char *module_of(const struct import_node *job)
{
	const struct import_node params = import_get(job, "params");
	struct import_node list;
	const struct import_node name = param(&params, &list, "module");
	return import_text(&name) ? import_text(&name) : BLACKBOX_MODULE;
}

static void want(struct blackbox *b, const struct import_node *job)
{
	const struct import_node statics = import_get(job, "static_configs"), none = {0};
	for (size_t i = 0; i <= import_size(&statics); i++) {
		const struct import_node one =
			i < import_size(&statics) ? import_item(&statics, i) : none;
		const struct import_node labels = import_get(&one, "labels");
		char *name = blackbox_module_name(job, &labels, module_of(job));
		if (name)
			map_put(&b->wanted, name, b);
		free(name);
	}
}

void blackbox_want(struct blackbox *b, const struct import_node *root)
{
	const struct import_node jobs = import_get(root, "scrape_configs");
	for (size_t i = 0; i < import_size(&jobs); i++) {
		const struct import_node job = import_item(&jobs, i);
		if (is_probe_job(&job))
			want(b, &job);
	}
}

/* --- targets ---------------------------------------------------------------------------------- */

struct job {
	const struct import_node *node;
	const char *name;
	struct import_node interval, timeout;
	int64_t interval_ns, timeout_ns;
};

static const struct blackbox_module *find(const struct blackbox *b, const char *name)
{
	VEC_EACH (&b->modules, const struct blackbox_module, m) {
		if (!strcmp(m->name, name))
			return m;
	}
	return NULL;
}

/* The module's; without one there is only Prometheus's. */
static int64_t timeout_of(const struct import_probe *p)
{
	int64_t ns;
	const char *text = json_string_value(json_object_get(p->json, "timeout"));
	return text && units_parse_time(slice_of(text), &ns) ? ns : INT64_MAX;
}

static void take_target(struct blackbox *b, const struct job *j,
	const struct blackbox_module *module, bool known, const struct import_node *n)
{
	const char *text = import_text(n);
	struct import_probe p;
	if (!text)
		return;
	if (!module || !module->probe.json) {
		import_tell(b->in, n, IMPORT_DROPPED, "%s",
			module  ? "no probe can be made of its module"
			: known ? "its module is not in these files: give blackbox.yml too"
				: "which module it has is not known here");
		return;
	}
	char *target = blackbox_relabelled(j->node, text),
	     *name = mem_printf("%s-%s", j->name, text);
	if (blackbox_probe(b, module, target, name, n, &p)) {
		import_set_time(&p, "every", j->interval_ns);
		if (timeout_of(&p) > j->timeout_ns)
			import_set_time(&p, "timeout", j->timeout_ns);
		import_set(&p, "group", json_string(j->name));
		import_probe_add(&p, n);
	}
	free(name);
	free(target);
}

static void take_targets(struct blackbox *b, const struct job *j, const struct import_node *labels,
	const struct import_node *list)
{
	char *name = blackbox_module_name(j->node, labels, module_of(j->node));
	const struct blackbox_module *module = name ? find(b, name) : NULL;
	for (size_t i = 0; i < import_size(list); i++) {
		const struct import_node n = import_item(list, i);
		take_target(b, j, module, name != NULL, &n);
	}
	free(name);
}

static void take_static(struct blackbox *b, const struct job *j)
{
	const struct import_node none = {0};
	const struct import_node params = import_get(j->node, "params"),
				 named = import_get(&params, "target"),
				 statics = import_get(j->node, "static_configs");
	take_targets(b, j, &none, &named);
	for (size_t i = 0; i < import_size(&statics); i++) {
		const struct import_node one = import_item(&statics, i),
					 targets = import_get(&one, "targets"),
					 labels = import_get(&one, "labels");
		if (named.y)
			import_tell(b->in, &targets, IMPORT_NEEDLESS, "the exporter's own address");
		else
			take_targets(b, j, &labels, &targets);
		blackbox_tell_labels(b, j->node, &one);
	}
}

/* --- jobs ------------------------------------------------------------------------------------- */

static const struct import_answer job_keys[] = {
	{"metrics_path", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"scheme", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"honor_labels", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"honor_timestamps", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"tls_config", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"basic_auth", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"authorization", IMPORT_NEEDLESS, "targets are asked without an exporter"},
	{"metric_relabel_configs", IMPORT_DROPPED, "metrics are those of docs/metrics.md"},
	{"file_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"dns_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"http_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"consul_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"kubernetes_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"openstack_sd_configs", IMPORT_DROPPED,
		"targets are not discovered: write them as static_configs"},
	{"sample_limit", IMPORT_NEEDLESS, "targets are asked without an exporter"},
};

static void take_job(
	struct blackbox *b, const struct import_node *job, int64_t interval_ns, int64_t timeout_ns)
{
	const struct import_node name = import_get(job, "job_name"),
				 params = import_get(job, "params"),
				 interval = import_get(job, "scrape_interval"),
				 timeout = import_get(job, "scrape_timeout");
	struct import_node list;
	const struct import_node module = param(&params, &list, "module");
	struct job j = {.node = job,
		.name = import_text(&name) ? import_text(&name) : "job",
		.interval_ns = interval_ns,
		.timeout_ns = timeout_ns};
	if (import_time(&interval, &j.interval_ns))
		import_tell(b->in, &interval, IMPORT_CARRIED, "every of the job's probes");
	if (import_time(&timeout, &j.timeout_ns))
		import_tell(b->in, &timeout, IMPORT_CARRIED,
			"timeout of the job's probes, unless the module has less");
	j.interval_ns = j.interval_ns < NS_PER_S ? NS_PER_S
			: j.interval_ns > IMPORT_EVERY_MAX_S * NS_PER_S
				? IMPORT_EVERY_MAX_S * NS_PER_S
				: j.interval_ns;
	const bool known = find(b, module_of(job)) != NULL;
	import_tell(b->in, &module, known ? IMPORT_CARRIED : IMPORT_DROPPED, "%s",
		known ? "the kind of the job's probes" : "it is not in these files");
	blackbox_tell_rules(b, job);
	const size_t before = b->in->names.n;
	take_static(b, &j);
	const bool any = b->in->names.n > before;
	import_tell(b->in, &name, any ? IMPORT_CARRIED : IMPORT_DROPPED, "%s",
		any ? "group of the job's probes" : "there are no probes of it");
	import_answer(b->in, job, job_keys, array_len(job_keys));
}

static const struct import_answer prometheus_keys[] = {
	{"rule_files", IMPORT_DROPPED, "rules are Prometheus's: it can go on reading /metrics"},
	{"alerting", IMPORT_DROPPED, "say `alarms: [{alertmanager: ...}]`"},
	{"remote_write", IMPORT_DROPPED, "say `metrics`"},
	{"remote_read", IMPORT_DROPPED, "what was measured there stays there"},
	{"storage", IMPORT_DROPPED, "say `keep`"},
	{"scrape_config_files", IMPORT_DROPPED, "give the files themselves"},
};

void blackbox_jobs(struct blackbox *b, const struct import_node *root)
{
	const struct import_node jobs = import_get(root, "scrape_configs"),
				 global = import_get(root, "global"),
				 interval = import_get(&global, "scrape_interval"),
				 timeout = import_get(&global, "scrape_timeout");
	int64_t interval_ns = SCRAPE_INTERVAL_NS, timeout_ns = 10 * NS_PER_S;
	if (!jobs.y)
		return;
	if (import_time(&interval, &interval_ns))
		import_tell(b->in, &interval, IMPORT_CARRIED, "every of probes whose job has none");
	if (import_time(&timeout, &timeout_ns))
		import_tell(b->in, &timeout, IMPORT_CARRIED,
			"timeout of probes whose job and module have none");
	import_answer(b->in, root, prometheus_keys, array_len(prometheus_keys));
	for (size_t i = 0; i < import_size(&jobs); i++) {
		const struct import_node job = import_item(&jobs, i);
		if (is_probe_job(&job))
			take_job(b, &job, interval_ns, timeout_ns);
		else
			import_tell(b->in, &job, IMPORT_DROPPED,
				"it asks no blackbox_exporter: Prometheus goes on with it");
	}
}

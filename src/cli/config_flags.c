/*
 * config_flags.c - `judge: {cloudmon: ...}`: the rules of CloudMon's metrics-processor, and where
 * what they ask about is.
 *
 *	judge: {cloudmon: metrics-processor/config.yaml}
 *	judge: {cloudmon: {config: metrics-processor, datasource: graphite, prometheus:
 *"http://..."}}
 */

#include <string.h>

#include "cli/config_reader.h"

struct flags_item {
	const struct yaml *config, *datasource, *prometheus;
};

static const struct key flags_keys[] = {
	{.name = "config",
		.type = KEY_NODE,
		.offset = offsetof(struct flags_item, config),
		.help = "config.yaml of metrics-processor, or its directory"},
	{.name = "datasource",
		.type = KEY_NODE,
		.offset = offsetof(struct flags_item, datasource),
		.help = "own, graphite (the one in its file) or the URL of a Graphite"},
	{.name = "prometheus",
		.type = KEY_NODE,
		.offset = offsetof(struct flags_item, prometheus),
		.help = "the URL of who answers flags with promql"},
};

static void take_path(struct config_reader *r, const struct yaml *y)
{
	struct config_flags *f = &r->config->flags;
	if (y->kind != YAML_SCALAR || !y->text.n || y->text.n > 2048) {
		config_wrong(r, y,
			"cloudmon: expected the path of metrics-processor's config.yaml, or of"
			" its directory");
		return;
	}
	free(f->config);
	f->config = config_path(r->config, y->text.p);
	f->file = r->file;
	f->line = y->line;
	f->col = y->col;
}

static void take_source(struct config_reader *r, const struct yaml *y)
{
	const bool word = slice_is(y->text, "own") || slice_is(y->text, "graphite");
	if (y->kind != YAML_SCALAR || (!word && !slice_starts(y->text, "http")))
		config_wrong(r, y,
			"cloudmon: datasource must be own, graphite or the URL of a Graphite");
	else if (word || config_check_url(r, y, "cloudmon"))
		mem_replace(&r->config->flags.datasource, y->text.p);
}

void config_read_flags(struct config_reader *r, const struct yaml *y)
{
	struct flags_item item = {0};
	if (y->kind != YAML_MAP) {
		take_path(r, y);
		return;
	}
	keys_read(y, r->file, "cloudmon", flags_keys, array_len(flags_keys), &item, r->errors);
	if (item.config)
		take_path(r, item.config);
	if (item.datasource)
		take_source(r, item.datasource);
	if (item.prometheus && item.prometheus->kind != YAML_SCALAR)
		config_wrong(r, item.prometheus, "cloudmon: prometheus must be a URL");
	else if (item.prometheus && config_check_url(r, item.prometheus, "cloudmon"))
		mem_replace(&r->config->flags.prometheus, item.prometheus->text.p);
	if (!r->config->flags.config)
		config_wrong(r, y,
			"cloudmon: config is missing: the path of metrics-processor's"
			" config.yaml");
}

json_t *config_flags_json(const struct config_flags *f)
{
	if (!f->config)
		return NULL;
	json_t *j = json_pack("{s:s, s:s}", "config", f->config, "datasource", f->datasource);
	if (f->prometheus)
		json_object_set_new(j, "prometheus", json_string(f->prometheus));
	return j;
}

void config_flags_free(struct config_flags *f)
{
	free(f->config);
	free(f->datasource);
	free(f->prometheus);
}

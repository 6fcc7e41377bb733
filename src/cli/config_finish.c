/*
 * config_finish.c - what can only be said when all files are read: references, doubles, defaults
 * that depend on others. Then the drafts become the configuration.
 *
 * Everything of a draft that is moved is set to NULL in it, so that config_drafts_free() takes the
 * rest whether this went well or not.
 */

#include <string.h>

#include "base/clock.h"
#include "base/map.h"
#include "cli/config_reader.h"

#define DAY_NS     (24 * 3600 * NS_PER_S)
#define TIMEOUT_NS (10 * NS_PER_S)

static char *moved(char **p)
{
	char *text = *p;
	*p = NULL;
	return text;
}

/* --- listeners -------------------------------------------------------------------------------- */

static void finish_listen(struct config_reader *r)
{
	const struct config *c = r->config;
	const char *colon = strrchr(c->public_address, ':');
	if (*c->intake_address && !config_is_loopback(c->intake_address) && !c->intake_token.from)
		config_wrong_at(r, &r->intake_at,
			"listen: intake %s is reached from other machines: it needs a token"
			" (token: file:PATH), or 127.0.0.1",
			c->intake_address);
	if (*c->public_address && !strcmp(c->public_address, c->intake_address) && colon &&
		strcmp(colon, ":0") != 0)
		config_wrong_at(r, r->intake_at.line ? &r->intake_at : &r->public_at,
			"listen: public and intake are the same address, %s", c->public_address);
}

/* --- clouds ----------------------------------------------------------------------------------- */

static void finish_clouds(struct config_reader *r)
{
	struct config *c = r->config;
	c->clouds = mem_new_array(r->clouds.n + 1, sizeof(*c->clouds));
	VEC_EACH (&r->clouds, struct cloud_draft, d) {
		if (d->timeout_ns > d->every_ns)
			config_wrong_at(r, &d->timeout_at,
				"cloud %.80s: timeout is longer than every: probes would overlap",
				d->name);
		if (!d->timeout_ns)
			d->timeout_ns = d->every_ns < TIMEOUT_NS ? d->every_ns : TIMEOUT_NS;
		struct config_cloud *to = &c->clouds[c->cloud_count++];
		*to = (struct config_cloud){
			.name = moved(&d->name),
			.title = moved(&d->title),
			.endpoints = d->endpoints == 0,
			.every_ns = d->every_ns,
			.timeout_ns = d->timeout_ns,
			.slow_ns = d->slow_ns,
			.inflight = (unsigned)d->inflight,
			.compute = (unsigned)d->compute,
			.budget = d->budget,
			.hosts = d->hosts,
			.line = d->at.line,
			.col = d->at.col,
			.file = d->at.file,
		};
		d->hosts = NULL;
	}
}

/* --- scenarios -------------------------------------------------------------------------------- */

static void no_such_cloud(struct config_reader *r, const struct scenario_draft *d)
{
	const struct config *c = r->config;
	const char **names = mem_new_array(c->cloud_count + 1, sizeof(*names));
	for (size_t i = 0; i < c->cloud_count; i++)
		names[i] = c->clouds[i].name;
	const char *near = slice_nearest(slice_of(d->cloud), names, c->cloud_count);
	config_wrong_at(r, &d->cloud_at,
		"a scenario: there is no cloud \"%.80s\" in `clouds`%s%s%s", d->cloud,
		near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
	free(names);
}

static void finish_cloud(struct config_reader *r, struct scenario_draft *d)
{
	const struct config *c = r->config;
	bool known = false;
	for (size_t i = 0; i < c->cloud_count && d->cloud; i++)
		known = known || !strcmp(c->clouds[i].name, d->cloud);
	if (d->cloud && !known)
		no_such_cloud(r, d);
	else if (!d->cloud && c->cloud_count > 1)
		config_wrong_at(r, &d->at, "a scenario: which of the %zu clouds? cloud is missing",
			c->cloud_count);
	else if (!d->cloud && c->cloud_count == 1)
		d->cloud = mem_strdup(c->clouds[0].name);
}

/* The last part of a path without its suffix; the document where one is named. Owned. */
static char *default_name(const struct scenario_draft *d)
{
	const char *slash = strrchr(d->use, '/');
	struct slice name = slice_of(d->document ? d->document : slash ? slash + 1 : d->use);
	if (!d->document && slice_ends(name, ".yaml"))
		name = slice_sub(name, 0, name.n - 5);
	else if (!d->document && slice_ends(name, ".yml"))
		name = slice_sub(name, 0, name.n - 4);
	return slice_dup(name);
}

static void finish_scenario(struct config_reader *r, struct scenario_draft *d, struct map *seen)
{
	struct config *c = r->config;
	if (!d->use || !*d->use) {
		if (!d->use && !d->broken)
			config_wrong_at(r, &d->at,
				"a scenario: use is missing (a shipped scenario or a file)");
		return;
	}
	if (!d->name)
		d->name = default_name(d);
	finish_cloud(r, d);
	char *key = mem_printf("%s\n%s", d->name, d->cloud ? d->cloud : "");
	if (map_put(seen, key, d))
		config_wrong_at(r, &d->at,
			"two scenarios are called %.80s%s%.80s; give one another name", d->name,
			d->cloud ? " in cloud " : "", d->cloud ? d->cloud : "");
	free(key);
	c->scenarios[c->scenario_count++] = (struct config_scenario){
		.name = moved(&d->name),
		.use = moved(&d->use),
		.document = moved(&d->document),
		.cloud = moved(&d->cloud),
		.every_ns = d->every_ns,
		.runs = d->runs,
		.hold_ns = d->hold_ns,
		.budget = d->budget,
		.params = d->params ? d->params : json_object(),
		.line = d->at.line,
		.col = d->at.col,
		.file = d->at.file,
	};
	d->params = NULL;
}

/* --- all -------------------------------------------------------------------------------------- */

static void finish_numbers(struct config_reader *r)
{
	struct config *c = r->config;
	c->threads = (unsigned)r->threads;
	c->raw_days = (unsigned)(r->raw_ns / DAY_NS);
	c->ten_minute_days = (unsigned)(r->ten_minute_ns / DAY_NS);
	c->hour_days = (unsigned)(r->hour_ns / DAY_NS);
	c->confirm = (unsigned)r->confirm;
	if (r->languages) {
		config_texts_free(c->languages);
		c->languages = r->languages;
		r->languages = NULL;
	}
	config_finish_about(c);
	if (r->witnesses) {
		config_texts_free(c->witnesses);
		c->witnesses = r->witnesses;
		r->witnesses = NULL;
	}
}

void config_finish(struct config_reader *r)
{
	struct config *c = r->config;
	struct map seen = {0};
	finish_numbers(r);
	finish_listen(r);
	finish_clouds(r);
	c->scenarios = mem_new_array(r->scenarios.n + 1, sizeof(*c->scenarios));
	VEC_EACH (&r->scenarios, struct scenario_draft, d) {
		finish_scenario(r, d, &seen);
	}
	map_fini(&seen);
	c->components = mem_new_array(r->components.n + 1, sizeof(*c->components));
	VEC_EACH (&r->components, struct config_component, d) {
		c->components[c->component_count++] = *d;
		*d = (struct config_component){0};
	}
	config_finish_judging(r);
	config_finish_alarms(r);
	config_finish_metrics(r);
	config_finish_reports(r);
	config_finish_dashboards(r);
	config_finish_probes(r);
	config_finish_maintenance(r);
	config_finish_rules(r);
	config_finish_outposts(r);
}

static void free_alarm_draft(struct alarm_draft *a)
{
	char *texts[] = {a->name, a->webhook, a->alertmanager, a->deadman, a->token.from,
		a->password.from, a->server.host, a->server.user, a->server.from, a->server.ca};
	for (size_t i = 0; i < array_len(texts); i++)
		free(texts[i]);
	config_texts_free(a->mail);
	config_texts_free(a->components);
}

void config_drafts_free(struct config_reader *r)
{
	VEC_EACH (&r->clouds, struct cloud_draft, d) {
		free(d->name);
		free(d->title);
		config_texts_free(d->hosts);
	}
	VEC_EACH (&r->scenarios, struct scenario_draft, d) {
		free(d->name);
		free(d->use);
		free(d->document);
		free(d->cloud);
		json_decref(d->params);
	}
	VEC_EACH (&r->components, struct config_component, d) {
		free(d->id);
		free(d->name);
		free(d->category);
		free(d->region);
	}
	VEC_EACH (&r->alarms, struct alarm_draft, d) {
		free_alarm_draft(d);
	}
	config_metrics_drafts_free(r);
	config_reports_drafts_free(r);
	config_maintenance_drafts_free(r);
	config_dashboards_drafts_free(r);
	config_probes_drafts_free(r);
	config_rules_drafts_free(r);
	config_outposts_drafts_free(r);
	vec_fini(&r->clouds);
	vec_fini(&r->scenarios);
	vec_fini(&r->components);
	vec_fini(&r->alarms);
	config_texts_free(r->languages);
	config_texts_free(r->witnesses);
}

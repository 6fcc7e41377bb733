/*
 * running_flags.c - CloudMon's rules: read, evaluated on our own series or an outside source, and
 * told to the components they are about.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "judge/cloudmon/promql.h"
#include "observe/component.h"

extern char **environ;

#define NOTES_SAID 20

/* --- reading ---------------------------------------------------------------------------------- */

struct noting {
	struct running *running;
	size_t n;
};

static void on_note(void *arg, const char *file, unsigned line, unsigned col, const char *text)
{
	struct noting *n = arg;
	if (n->n++ < NOTES_SAID)
		running_say(n->running, "%s:%u:%u: %s", file, line, col, text);
}

struct cloudmon_rules *running_flags_read(
	const struct config *c, cloudmon_note *note, void *arg, struct error_list *errors)
{
	if (!c->flags.config)
		return NULL;
	struct cloudmon_rules *rules =
		cloudmon_rules_load(c->flags.config, environ, note, arg, errors);
	if (!rules)
		return NULL;
	const bool theirs = strcmp(c->flags.datasource, "graphite") == 0;
	if (theirs && !cloudmon_datasource(rules)->url) {
		error_list_at(errors, c->flags.file, c->flags.line, c->flags.col,
			"datasource: graphite means the `datasource.url` of %s, which has none",
			c->flags.config);
		cloudmon_rules_free(rules);
		return NULL;
	}
	return rules;
}

/* --- components ------------------------------------------------------------------------------- */

/* Where it is: as its environment says, else the environment where there are several. */
static const char *region_of(const struct cloudmon_rules *rules, const struct cloudmon_health *h)
{
	const char *region = json_string_value(json_object_get(h->attributes, "region"));
	if (region)
		return region;
	for (size_t i = 0; i < cloudmon_health_count(rules); i++)
		if (strcmp(cloudmon_health_at(rules, i)->environment, h->environment) != 0)
			return h->environment;
	return "";
}

/* Whether the same component is judged in other environments too. */
static bool is_several(const struct cloudmon_rules *rules, const struct cloudmon_health *h)
{
	size_t n = 0;
	for (size_t i = 0; i < cloudmon_health_count(rules); i++) {
		const struct cloudmon_health *o = cloudmon_health_at(rules, i);
		n += o->component_name && strcasecmp(o->component_name, h->component_name) == 0 &&
		     strcmp(o->environment, h->environment) != 0;
	}
	return n > 0;
}

bool running_flags_about(const struct cloudmon_rules *rules, const struct cloudmon_health *h,
	const char *name, const char *region)
{
	const char *own = region_of(rules, h);
	if (!h->component_name || strcasecmp(h->component_name, name) != 0)
		return false;
	return strcasecmp(own, region) == 0 || ((!*own || !*region) && !is_several(rules, h));
}

char *running_flags_id(const struct cloudmon_rules *rules, const struct cloudmon_health *h,
	const char **ret_region)
{
	*ret_region = region_of(rules, h);
	if (!is_several(rules, h) || !**ret_region)
		return component_id(NULL, h->component_name);
	char *both = mem_printf("%s %s", h->component_name, *ret_region);
	char *id = component_id(NULL, both);
	free(both);
	return id;
}

static const char *find_component(void *arg, const struct cloudmon_health *h)
{
	struct running *r = arg;
	for (size_t i = 0; i < judge_component_count(r->judge); i++) {
		const struct component *c = judge_component_at(r->judge, i);
		if (running_flags_about(r->flag_rules, h, c->name, c->region))
			return c->id;
	}
	return NULL;
}

/* --- its life -----------------------------------------------------------------------------------
 */

static void untell(struct running *r)
{
	const struct cloudmon_rules *rules = r->flag_rules;
	for (size_t i = 0; r->cloudmon && i < cloudmon_health_count(rules); i++) {
		const struct cloudmon_health *h = cloudmon_health_at(rules, i);
		const char *id = h->component_name ? find_component(r, h) : NULL;
		char *by = mem_printf("flag:%s", h->key);
		if (id)
			judge_untell(r->judge, id, by);
		free(by);
	}
}

void running_flags_close(struct running *r)
{
	cloudmon_free(r->cloudmon);
	graphite_free(r->flag_graphite);
	promql_free(r->flag_promql);
	cloudmon_rules_free(r->flag_rules);
	r->cloudmon = NULL;
	r->flag_graphite = NULL;
	r->flag_promql = NULL;
	r->flag_rules = NULL;
}

/* Takes the rules. */
static bool begin(struct running *r, const struct config_flags *f, struct cloudmon_rules *rules,
	struct error *err)
{
	const struct cloudmon_datasource *theirs = cloudmon_datasource(rules);
	const bool own = strcmp(f->datasource, "own") == 0;
	const char *url = strcmp(f->datasource, "graphite") == 0 ? theirs->url : f->datasource;
	struct loop *l = r->session.loop;
	struct cloudmon_options options = {.series = own ? r->series : NULL};
	struct cloudmon_source promql;
	r->flag_rules = rules;
	if (!own && !(r->flag_graphite = graphite_new_outside(l, url, theirs->timeout_ns, err)))
		return false;
	if (f->prometheus) {
		r->flag_promql = promql_new(l, f->prometheus, theirs->timeout_ns, err);
		if (!r->flag_promql)
			return false;
		promql = promql_source(r->flag_promql);
		options.promql = &promql;
	}
	r->cloudmon = cloudmon_new(l, own ? r->graphite : r->flag_graphite, rules, &options);
	return true;
}

/* What it has seen of the last minutes stays where nothing is new. */
static bool is_same(
	const struct running *r, const struct config *c, const struct cloudmon_rules *rules)
{
	const struct config_flags *a = &c->flags,
				  *b = r->flags_of ? &r->flags_of->config->flags : NULL;
	return r->cloudmon && rules && b && strcmp(a->datasource, b->datasource) == 0 &&
	       strcmp(a->prometheus ? a->prometheus : "", b->prometheus ? b->prometheus : "") ==
		       0 &&
	       cloudmon_rules_same(r->flag_rules, rules);
}

bool running_flags(struct running *r, const struct config *c, struct error_list *errors)
{
	struct noting noting = {r, 0};
	struct error err = {0};
	const size_t before = errors->n + errors->dropped;
	struct cloudmon_rules *rules = running_flags_read(c, on_note, &noting, errors);
	if (errors->n + errors->dropped > before)
		return false;
	if (noting.n > NOTES_SAID)
		running_say(r,
			"and %zu more of CloudMon's rules; `glasshouse config check` has all",
			noting.n - NOTES_SAID);
	if (is_same(r, c, rules)) {
		cloudmon_rules_free(rules);
		return true;
	}
	untell(r);
	running_flags_close(r);
	generation_unref(r->flags_of);
	r->flags_of = generation_ref(r->now);
	if (!rules || begin(r, &c->flags, rules, &err))
		return true;
	error_list_add(errors, &err);
	running_flags_close(r);
	return false;
}

void running_flags_start(struct running *r)
{
	if (r->cloudmon)
		cloudmon_start(r->cloudmon, r->judge, find_component, r);
}

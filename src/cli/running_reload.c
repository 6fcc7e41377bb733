/*
 * running_reload.c - SIGHUP: the configuration is read again, what differs is said and done.
 *
 * What is wrong in the new one leaves everything as it was. A cloud or scenario that changed
 * leaves and comes anew: its runs under way are taken down in their own time, while the new ones
 * begin. Listeners, the state directory and who we are need a restart, which the diff says.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_cloud(const struct config_cloud *a, const struct config_cloud *b)
{
	return same_text(a->name, b->name) && same_text(a->title, b->title) &&
	       a->endpoints == b->endpoints && a->every_ns == b->every_ns &&
	       a->timeout_ns == b->timeout_ns && a->slow_ns == b->slow_ns &&
	       a->inflight == b->inflight && a->compute == b->compute;
}

static bool same_scenario(const struct config_scenario *a, const struct config_scenario *b)
{
	return same_text(a->name, b->name) && same_text(a->use, b->use) &&
	       same_text(a->document, b->document) && same_text(a->cloud, b->cloud) &&
	       a->every_ns == b->every_ns && json_equal(a->params, b->params);
}

static const struct config_cloud *cloud_row(const struct config *c, const struct config_cloud *like)
{
	for (size_t i = 0; i < c->cloud_count; i++)
		if (same_cloud(&c->clouds[i], like))
			return &c->clouds[i];
	return NULL;
}

static const struct config_scenario *scenario_row(
	const struct config *c, const struct config_scenario *like)
{
	for (size_t i = 0; i < c->scenario_count; i++)
		if (same_scenario(&c->scenarios[i], like))
			return &c->scenarios[i];
	return NULL;
}

/* --- what goes ------------------------------------------------------------------------------- */

/* A scenario whose file was written anew is another one; so each is read again when asked. */
static void leave_scenarios(struct running *r, const struct config *next)
{
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!(*s)->leaving && ((*s)->cloud->leaving || !scenario_row(next, (*s)->row)))
			watched_scenario_leave(*s, (*s)->scenario->teardown_ns);
	}
}

static void leave_clouds(struct running *r, const struct config *next)
{
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		if (!(*c)->leaving && !cloud_row(next, (*c)->row))
			watched_cloud_leave(*c);
	}
}

/* --- what comes ------------------------------------------------------------------------------ */

static void enter_clouds(struct running *r, struct error_list *errors)
{
	const struct config *c = r->now->config;
	for (size_t i = 0; i < c->cloud_count; i++) {
		if (watched_cloud_find(r, c->clouds[i].name))
			continue;
		struct watched_cloud *w = watched_cloud_open(r, &c->clouds[i], i == 0, errors);
		if (w)
			vec_push(&r->clouds, w);
	}
}

static bool runs(const struct running *r, const struct config_scenario *row)
{
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!(*s)->leaving && same_scenario((*s)->row, row))
			return true;
	}
	return false;
}

static void enter_scenarios(struct running *r, struct error_list *errors)
{
	const struct config *c = r->now->config;
	for (size_t i = 0; i < c->scenario_count; i++) {
		if (runs(r, &c->scenarios[i]))
			continue;
		struct watched_scenario *s = watched_scenario_open(r, &c->scenarios[i], errors);
		if (s)
			vec_push(&r->scenarios, s);
	}
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Everything the new rows name is looked at before anything is touched. */
static bool is_sound(struct running *r, const struct config *c, struct error_list *errors)
{
	for (size_t i = 0; i < c->cloud_count; i++)
		cloud_config_free(cloud_config_load(c->clouds[i].name, errors));
	for (size_t i = 0; i < c->scenario_count; i++) {
		const struct config_scenario *row = &c->scenarios[i];
		struct scenario *s = scenario_load(
			row->use, row->document, scenario_dirs(), r->session.kinds, errors);
		if (s)
			world_takes(s, row->params, errors);
		scenario_free(s);
	}
	cloudmon_rules_free(running_flags_read(c, NULL, NULL, errors));
	return errors->n == 0;
}

static void apply(struct running *r, struct config *next, struct error_list *errors)
{
	struct error err = {0};
	struct generation *before = r->now;
	leave_clouds(r, next);
	leave_scenarios(r, next);
	r->now = mem_new(struct generation);
	*r->now = (struct generation){next, 1};
	enter_clouds(r, errors);
	enter_scenarios(r, errors);
	running_probes_reload(r, errors);
	running_probes_files(r, errors);
	if (!running_alarms(r, next, &err))
		error_list_add(errors, &err);
	if (!running_metrics(r, next, &err))
		error_list_add(errors, &err);
	if (!running_reports(r, next, &err))
		error_list_add(errors, &err);
	if (!running_dashboards(r, next, &err))
		error_list_add(errors, &err);
	if (!running_suspect(r, next, &err))
		error_list_add(errors, &err);
	running_ingest_reload(r);
	running_outposts_reload(r);
	running_shipped_free(r->shipped);
	r->shipped = NULL;
	running_flags(r, next, errors);
	running_lists_make(r);
	if (!running_maintenance(r, next, &err))
		error_list_add(errors, &err);
	running_flags_start(r);
	running_rules(r);
	generation_unref(before);
	mem_trim();
}

static json_t *tell(struct running *r, const struct buf *diff, const struct error_list *errors)
{
	json_t *changed = json_array(), *wrong = json_array();
	struct slice rest = buf_slice(diff), line;
	while (rest.n && slice_next(&rest, '\n', &line)) {
		running_say(r, "reload: %.*s", SLICE_ARG(line));
		json_array_append_new(changed, json_stringn(line.p, line.n));
	}
	for (size_t i = 0; i < errors->n; i++) {
		char text[ERROR_TEXT + 300];
		error_text(&errors->p[i], text, sizeof(text));
		running_say(r, "reload: %s", text);
		json_array_append_new(wrong, json_string(text));
	}
	if (!diff->n && !errors->n)
		running_say(r, "reload: nothing changed");
	return json_pack("{s:o, s:o}", "changed", changed, "errors", wrong);
}

json_t *running_reload(struct running *r)
{
	struct error_list errors = {0};
	struct buf diff = BUF(BUF_PAGE);
	struct config *next = r->stopping ? NULL : running_config(&r->options, &errors);
	if (next && config_secrets(next, &errors) && is_sound(r, next, &errors)) {
		config_diff(r->now->config, next, &diff);
		apply(r, next, &errors);
	} else if (next) {
		config_free(next);
	}
	json_t *told = tell(r, &diff, &errors);
	buf_fini(&diff);
	error_list_fini(&errors);
	return told;
}

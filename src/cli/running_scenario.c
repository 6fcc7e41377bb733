/*
 * running_scenario.c - one scenario that comes again and again in one watched cloud.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

#include "base/units.h"

/* The same scenario in two clouds is two things. */
static char *name_of(const struct running *r, const struct config_scenario *row,
	const struct watched_cloud *cloud)
{
	const struct config *c = r->now->config;
	size_t same = 0;
	for (size_t i = 0; i < c->scenario_count; i++)
		same += !strcmp(c->scenarios[i].name, row->name);
	return same > 1 ? mem_printf("%s-%s", row->name, cloud->row->name) : mem_strdup(row->name);
}

static void on_seen(void *arg, const struct observation *o)
{
	const struct watched_scenario *s = arg;
	running_seen(s->running, o);
}

/* --- held worlds ------------------------------------------------------------------------------ */

static void on_login(void *arg, const char *server, const char *command, const char *where)
{
	const struct watched_scenario *s = arg;
	running_say(s->running, "%s on %s: %s: %s (%s)", s->name, s->cloud->row->name, server,
		command, where);
}

static void on_held(void *arg, struct patrol *p, struct run *run, const char *how_long)
{
	struct watched_scenario *s = arg;
	struct error err = {0};
	running_say(s->running, "%s on %s: run %s failed and is held %s", s->name,
		s->cloud->row->name, run_label(run), how_long);
	struct held held = {.hold = hold_new(s->running->session.state, run, on_login, s, &err)};
	if (err.msg[0])
		running_say(s->running, "no key is written: %s", err.msg);
	if (!held.hold)
		return;
	held.run = mem_strdup(run_label(run));
	vec_push(&s->held, held);
	running_say(s->running, "%s on %s: the keys of run %s are in %s until it ends", s->name,
		s->cloud->row->name, held.run, hold_dir(held.hold));
}

static void let_go(struct watched_scenario *s, const char *run)
{
	for (size_t i = s->held.n; i-- > 0;) {
		struct held *h = &s->held.p[i];
		if (run && strcmp(h->run, run) != 0)
			continue;
		hold_free(h->hold);
		free(h->run);
		vec_remove(&s->held, i);
	}
}

/* --- runs ------------------------------------------------------------------------------------- */

static void expect_no_more(const struct watched_scenario *s)
{
	judge_unexpect(s->running->judge,
		&(struct judge_probe){.cloud = s->cloud->row->name, .probe = s->name});
}

/* One that has had its runs is not missed. */
static void rest(struct watched_scenario *s)
{
	running_say(s->running, "%s on %s: has run %lld times, as configured: no more", s->name,
		s->cloud->row->name, (long long)s->row->runs);
	expect_no_more(s);
}

static void on_ended(void *arg, struct patrol *p, const struct run_report *report)
{
	struct watched_scenario *s = arg;
	struct running *r = s->running;
	let_go(s, report->label);
	if (report->fault != FAULT_BUDGET && ++s->ended == s->row->runs && !r->stopping)
		rest(s);
	char what[300], text[ERROR_TEXT + 300];
	snprintf(what, sizeof(what), "%s on %s", s->name, s->cloud->row->name);
	if (r->stopping) {
		/* what we stop ourselves tells nothing */
	} else if (report->error) {
		error_text(report->error, text, sizeof(text));
		running_say(r, "%s could not run: %s", what, text);
		alarms_could_not_run(r->alarms, what, "", text);
	} else {
		char built[UNITS_TEXT];
		running_say(r, "%s %s in %s%s", what, verdict_name(report->verdict),
			units_time_text(report->built_ns, built),
			report->left ? ", something was left: see `glasshouse ledger --open`" : "");
		alarms_could_not_run(r->alarms, what, "", NULL);
	}
	alarms_wake(r->alarms); /* the ledger may have changed */
	house_changed(r->house);
}

static void on_told(void *arg, struct patrol *p, const char *what)
{
	const struct watched_scenario *s = arg;
	running_say(s->running, "%s on %s: %s", s->name, s->cloud->row->name, what);
	alarms_wake(s->running->alarms); /* of a sweep: it may have closed rows of the ledger */
}

struct watched_scenario *watched_scenario_open(
	struct running *r, const struct config_scenario *row, struct error_list *errors)
{
	struct watched_cloud *cloud = watched_cloud_find(r, row->cloud);
	if (!cloud) {
		error_list_at(errors, row->file, row->line, row->col,
			"scenario %s: there is no cloud %s", row->use,
			row->cloud ? row->cloud : "at all");
		return NULL;
	}
	struct scenario *scenario =
		scenario_load(row->use, row->document, scenario_dirs(), r->session.kinds, errors);
	if (!scenario || !world_takes(scenario, row->params, errors)) {
		scenario_free(scenario);
		return NULL;
	}
	struct watched_scenario *s = mem_new(struct watched_scenario);
	s->running = r;
	s->generation = generation_ref(r->now);
	s->row = row;
	s->cloud = cloud;
	s->scenario = scenario;
	s->name = name_of(r, row, cloud);
	s->makes = outline_makes(scenario, row->params, &s->bill);
	const struct patrol_options o = {
		.name = s->name,
		.instance = r->session.instance,
		.location = r->now->config->location,
		.component_prefix = cloud->prefix,
		.every_ns = row->every_ns,
		.params = row->params,
		.runs = row->runs,
		.hold_ns = row->hold_ns,
		.budget = row->budget,
		.cloud_budget = cloud->row->budget,
		.bill = s->bill,
		.measured = running_measured,
		.measured_arg = r,
	};
	judge_expect(
		r->judge, &(struct judge_probe){.cloud = cloud->row->name,
				  .probe = o.name,
				  .every_ns = row->every_ns,
				  .timeout_ns = scenario->deadline_ns + scenario->teardown_ns});
	s->patrol = patrol_new(r->schedule, &cloud->tools, r->session.journal, scenario,
		r->session.kinds, r->series, &o, on_seen, on_ended, on_told, s);
	patrol_on_held(s->patrol, on_held);
	cloud->users++;
	return s;
}

/* The loop runs while a cloud is freed, so that the lists may be others afterwards. */
static bool reap_one(struct running *r)
{
	for (size_t i = r->scenarios.n; i-- > 0;) {
		struct watched_scenario *s = r->scenarios.p[i];
		if (!s->gone)
			continue;
		vec_remove(&r->scenarios, i);
		watched_scenario_free(s);
		return true;
	}
	for (size_t i = r->clouds.n; i-- > 0;) {
		struct watched_cloud *c = r->clouds.p[i];
		if (!c->leaving || c->users)
			continue;
		vec_remove(&r->clouds, i);
		watched_cloud_free(c);
		return true;
	}
	return false;
}

/* Freeing from inside the patrol's own callback would pull the ground from under it. */
static void on_reap(struct timer *t)
{
	struct running *r = t->arg;
	while (reap_one(r))
		;
}

static void on_stopped(void *arg)
{
	struct watched_scenario *s = arg;
	struct running *r = s->running;
	s->gone = true;
	r->to_stop--;
	if (!r->stopping) {
		timer_start(r->session.loop, &r->reap, 0, on_reap, r);
	} else if (!r->to_stop) {
		r->ended = true;
		loop_stop(r->session.loop);
	}
}

void watched_scenario_leave(struct watched_scenario *s, int64_t budget_ns)
{
	if (s->leaving)
		return;
	s->leaving = true;
	s->running->to_stop++;
	expect_no_more(s);
	patrol_stop(s->patrol, budget_ns, on_stopped, s);
}

void watched_scenario_free(struct watched_scenario *s)
{
	if (!s)
		return;
	patrol_free(s->patrol);
	let_go(s, NULL);
	vec_fini(&s->held);
	s->cloud->users--;
	outline_free(s->makes);
	free(s->name);
	scenario_free(s->scenario);
	generation_unref(s->generation);
	free(s);
}

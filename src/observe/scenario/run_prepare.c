/*
 * run_prepare.c - what a run needs before its first step: the cloud, zones, picks, the journal's
 * row.
 *
 * A service that fails here is an observation like any other: the run has failed, and a row named
 * "preparation" says by whom. What is wrong with us or the configuration ends in an error.
 */

#include <string.h>

#include "observe/scenario/runner.h"

static void could_not_run(
	struct run *r, const struct error *err, enum fault fault, const char *service)
{
	r->error = *err;
	r->has_error = true;
	r->error_fault = fault;
	r->error_service = service;
	run_finish(r);
}

/* Of an error that no service is behind. */
static enum fault fault_of_kind(enum error_kind kind)
{
	switch (kind) {
	case ERROR_INPUT:
	case ERROR_CONFIG:
	case ERROR_CLOUD: return FAULT_CONFIGURATION; /* what is wanted is not to be had there */
	case ERROR_CANCELLED: return FAULT_CANCELLED;
	case ERROR_NONE:
	case ERROR_SYSTEM:
	case ERROR_LIMIT:
	case ERROR_STORE:
	case ERROR_CONFLICT: break;
	}
	return FAULT_LOCAL;
}

/* Of an error that came without a failure: of the log-in, or of what is configured. */
static void refused(struct run *r, const struct error *err)
{
	const enum fault fault = cloud_login_fault(r->tools.cloud);
	if (fault == FAULT_NONE) {
		could_not_run(r, err, fault_of_kind(err->kind), NULL);
		return;
	}
	/* What the cloud answers may be the configuration's fault: it has no such region. */
	const bool cloud = err->kind == ERROR_CLOUD || fault_whose(fault) != WHOSE_CLOUD;
	could_not_run(r, err, cloud ? fault : fault_of_kind(err->kind), "identity");
}

static void service_failed(struct run *r, const struct cloud_failure *f, const struct error *err)
{
	if (fault_whose(f->fault) != WHOSE_CLOUD) {
		could_not_run(r, err, f->fault, f->service);
		return;
	}
	r->unprepared = *f;
	mem_replace(&r->unprepared_detail, err->msg);
	run_finish(r);
}

static bool stopped_early(struct run *r)
{
	struct error err = {0};
	if (!r->stopping)
		return false;
	error_set(&err, ERROR_CANCELLED, "stopped before anything was made");
	could_not_run(r, &err, FAULT_CANCELLED, NULL);
	return true;
}

static void on_journal_begin(void *arg, const struct error *err)
{
	struct run *r = arg;
	r->outstanding--;
	if (err) {
		could_not_run(r, err, FAULT_LOCAL, NULL);
		return;
	}
	if (stopped_early(r))
		return;
	r->started = true;
	run_emit(r, RUN_EVENT_PHASE, NULL, "building");
	timer_start(r->tools.loop, &r->deadline, r->scenario->deadline_ns, run_on_deadline, r);
	run_kick(r);
}

static bool bind_world(struct run *r, struct error *err)
{
	struct error_list errors = {0};
	const struct world_options options = {
		.run = r->label,
		.instance = r->instance,
		.location = r->location,
		.region = cloud_region(r->tools.cloud),
		.zones = r->zones,
		.picked = r->picked,
		.random = r->tools.random,
	};
	json_t *given = r->params ? json_copy(r->params) : json_object();
	const char *name;
	json_t *pick;
	json_object_foreach (r->picked, name, pick) {
		json_t *value = json_object_get(pick, "value");
		if (value && !json_object_get(given, name))
			json_object_set(given, name, value);
	}
	r->world = world_new(r->scenario, given, &options, &errors);
	json_decref(given);
	if (!r->world)
		*err = errors.p[0];
	error_list_fini(&errors);
	return r->world != NULL;
}

static void on_picked(
	void *arg, const json_t *picked, const struct error *err, const struct cloud_failure *f)
{
	struct run *r = arg;
	r->outstanding--;
	r->pick = NULL;
	if (err) {
		if (f)
			service_failed(r, f, err);
		else
			refused(r, err);
		return;
	}
	if (stopped_early(r))
		return;
	r->picked = json_deep_copy(picked);
	struct error failure = {0};
	if (!bind_world(r, &failure)) {
		could_not_run(r, &failure, fault_of_kind(failure.kind), NULL);
		return;
	}
	const char *name;
	json_t *pick;
	json_object_foreach (r->picked, name, pick) {
		char *value = json_text(json_object_get(pick, "value"));
		run_emit(r, RUN_EVENT_PICKED, NULL, "%s = %s: %s", name, value,
			json_str(pick, "why") ? json_str(pick, "why") : "given");
		free(value);
	}
	r->outstanding++;
	r->journal_run = journal_run_begin(r->journal, r->label, r->scenario->name,
		cloud_configuration(r->tools.cloud)->name, cloud_project_id(r->tools.cloud),
		r->instance, on_journal_begin, r);
}

static void pick(struct run *r)
{
	r->outstanding++;
	r->pick = pick_start(r->tools.cloud, r->scenario, r->params, on_picked, r);
}

static void on_zones(void *arg, const struct cloud_failure *f, const json_t *zones)
{
	struct run *r = arg;
	r->outstanding--;
	if (f) {
		struct error err = {0};
		error_set(&err, ERROR_CLOUD, "reading the availability zones of %s: %s%s%s",
			f->service, fault_text(f->fault), f->error.message[0] ? ": " : "",
			f->error.message);
		service_failed(r, f, &err);
		return;
	}
	if (stopped_early(r))
		return;
	r->zones = json_deep_copy(zones);
	pick(r);
}

static void on_connected(void *arg, const struct error *err)
{
	struct run *r = arg;
	r->outstanding--;
	if (err) {
		refused(r, err);
		return;
	}
	if (stopped_early(r))
		return;
	if (!scenario_names(r->scenario, "zones")) {
		pick(r);
		return;
	}
	r->outstanding++;
	cloud_zones(r->tools.cloud, on_zones, r);
}

void prepare_begin(struct run *r)
{
	r->outstanding = 1;
	cloud_connect(r->tools.cloud, on_connected, r);
}

/*
 * run.c - the life of a run: prepared (run_prepare.c), it builds, tears down, ends (run_end.c).
 *
 * Everything that happens afterwards happens in turns: whoever changes a state kicks the run, and
 * on the loop's next turn the graph is looked at once, whatever the number of kicks.
 */

#include "observe/scenario/run.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/units.h"
#include "observe/scenario/mark.h"
#include "observe/scenario/runner.h"

#define LAST_LOOKS_NS (15 * NS_PER_S)

int64_t run_now(const struct run *r)
{
	return loop_now_ns(r->tools.loop) - r->began_ns;
}

void run_emit(struct run *r, enum run_event_type type, struct task *t, const char *fmt, ...)
{
	if (!r->event)
		return;
	char name[128] = "";
	va_list ap;
	va_start(ap, fmt);
	char *plain = mem_vprintf(fmt, ap), *detail = secret_scrubbed(plain);
	va_end(ap);
	const struct run_event e = {
		.type = type,
		.phase = r->phase,
		.at_ns = run_now(r),
		.element = t ? t->element : NULL,
		.row = t ? t->place : 0,
		.name = t ? task_name(t, name, sizeof(name)) : name,
		.fault = t ? t->fault : FAULT_NONE,
		.detail = detail,
	};
	r->event(r->event_arg, &e);
	free(plain);
	free(detail);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void begin_teardown(struct run *r)
{
	r->phase = RUN_TEARDOWN;
	order_begin(r);
	r->built_ns = run_now(r);
	r->teardown_until_ns = loop_now_ns(r->tools.loop) + r->scenario->teardown_ns;
	timer_start(r->tools.loop, &r->deadline, r->scenario->teardown_ns, run_on_deadline, r);
	run_emit(r, RUN_EVENT_PHASE, NULL, "teardown");
	if (r->abandon_teardown) /* given up before it began */
		remove_give_up(r);
	run_kick(r);
}

static bool wants_hold(struct run *r)
{
	if (r->hold == HOLD_NEVER || r->stop_asked)
		return false;
	return r->held || r->hold == HOLD_ALWAYS || report_failed(r);
}

static void on_hold_over(struct timer *t)
{
	struct run *r = t->arg;
	r->hold = HOLD_NEVER;
	run_kick(r);
}

/* The scenario's own deadline is for building it. */
static void hold(struct run *r)
{
	char text[UNITS_TEXT];
	if (r->held)
		return;
	r->held = true;
	timer_cancel(&r->deadline);
	if (r->hold_ns)
		timer_start(r->tools.loop, &r->deadline, r->hold_ns, on_hold_over, r);
	run_emit(r, RUN_EVENT_HELD, NULL, "%s%s", r->hold_ns ? "for " : "until it is told to go on",
		r->hold_ns ? units_time_whole(r->hold_ns, text) : "");
}

static void turn(struct run *r)
{
	if (r->phase == RUN_BUILDING) {
		graph_turn(r);
		stream_turn(r);
		if (!graph_building_over(r))
			return;
		if (wants_hold(r))
			hold(r);
		else
			begin_teardown(r);
		return;
	}
	if (r->phase == RUN_TEARDOWN) {
		remove_turn(r);
		if (remove_over(r))
			run_finish(r);
	}
}

static void on_kick(struct timer *t)
{
	struct run *r = t->arg;
	r->kicked = false;
	turn(r);
}

void run_kick(struct run *r)
{
	if (r->kicked || !r->started || r->phase == RUN_ENDED || r->outstanding)
		return;
	r->kicked = true;
	timer_start(r->tools.loop, &r->kick, 0, on_kick, r);
}

static void stop_building(struct run *r, enum fault why)
{
	if (r->stopping)
		return;
	r->stopping = true;
	r->stop_fault = why;
	for (size_t i = 0; i < r->tasks.n; i++)
		task_stop(r->tasks.p[i], why);
	run_kick(r);
}

void run_on_deadline(struct timer *t)
{
	struct run *r = t->arg;
	if (r->phase == RUN_BUILDING) {
		stop_building(r, FAULT_DEADLINE);
	} else if (r->phase == RUN_TEARDOWN && !r->last_looks) {
		remove_last_looks(r);
		timer_start(r->tools.loop, &r->deadline, LAST_LOOKS_NS, run_on_deadline, r);
		run_kick(r);
	} else if (r->phase == RUN_TEARDOWN) {
		remove_give_up(r);
		run_kick(r);
	}
}

/* --- outside -----------------------------------------------------------------------------------
 */

struct run *run_start(const struct check_tools *tools, struct journal *journal,
	const struct scenario *scenario, const struct kinds *kinds,
	const struct run_options *options, void (*done)(void *arg, const struct run_report *report),
	void *arg)
{
	assert(options->instance);
	struct run *r = mem_new(struct run);
	r->tools = *tools;
	r->journal = journal;
	r->scenario = scenario;
	r->kinds = kinds;
	r->instance = mem_strdup(options->instance);
	r->location = mem_strdup(options->location);
	r->params = options->params ? json_deep_copy(options->params) : NULL;
	r->hold = options->hold;
	r->hold_ns = options->hold_ns;
	r->event = options->event;
	r->event_arg = options->event_arg;
	r->called = mem_strdup(options->called ? options->called : scenario->name);
	r->measured = options->measured;
	r->measured_arg = options->measured_arg;
	r->done = done;
	r->arg = arg;
	r->began_ns = loop_now_ns(tools->loop);
	r->began_unix_us = clock_unix_us(loop_clock(tools->loop));
	mark_run_label(r->began_unix_us, tools->random, r->label);
	prepare_begin(r);
	return r;
}

void run_stop(struct run *r)
{
	if (r->phase == RUN_ENDED)
		return;
	if (!r->started) {
		r->stopping = r->stopped = true; /* the call under way ends it */
		if (r->pick)
			pick_cancel(r->pick);
		return;
	}
	if (r->phase == RUN_BUILDING && !r->stop_asked) {
		r->stop_asked = true;
		r->hold = HOLD_NEVER;
		r->stopped = !r->held && !r->stopping;
		stop_building(r, FAULT_CANCELLED);
		return;
	}
	r->abandon_teardown = true;
	if (r->phase == RUN_BUILDING)
		for (size_t i = 0; i < r->tasks.n; i++)
			make_abandon(r->tasks.p[i]);
	else
		remove_give_up(r);
	run_kick(r);
}

const char *run_label(const struct run *r)
{
	return r->label;
}

static void login_of(struct run *r, struct task *t,
	void (*cb)(void *arg, const struct run_login *login), void *arg)
{
	const struct value_ref ref = {
		.object = (uint32_t)t->element->step, .element = t->element->index};
	char name[128];
	struct login *l = NULL;
	struct error err = {0};
	if (login_resolve(r->world, ref, NULL, &cloud_configuration(r->tools.cloud)->reach, &l,
		    &err) != EXPR_OK)
		return;
	struct run_login login = {
		.name = task_name(t, name, sizeof(name)), .target = login_target(l)};
	login.via = login_via(l, &login.via_count);
	cb(arg, &login);
	login_free(l);
}

void run_logins(struct run *r, void (*cb)(void *arg, const struct run_login *login), void *arg)
{
	for (size_t i = 0; i < r->tasks.n; i++) {
		struct task *t = r->tasks.p[i];
		const bool is_server = t->step->verb == VERB_CREATE || t->step->verb == VERB_GROUP;
		if (is_server && t->step->login && t->element->state == ELEMENT_READY)
			login_of(r, t, cb, arg);
	}
}

void run_free(struct run *r)
{
	if (!r)
		return;
	assert(r->phase == RUN_ENDED && !r->outstanding);
	timer_cancel(&r->kick);
	timer_cancel(&r->deadline);
	report_fini(r);
	free(r->unprepared_detail);
	free(r->after_left);
	for (size_t i = 0; i < r->tasks.n; i++)
		task_free(r->tasks.p[i]);
	vec_fini(&r->tasks);
	MAP_EACH (&r->locks, e) {
		struct lock *l = e->value;
		vec_fini(&l->queue);
		free(l);
	}
	map_fini(&r->locks);
	world_free(r->world);
	json_decref(r->picked);
	json_decref(r->zones);
	json_decref(r->params);
	free(r->instance);
	free(r->location);
	free(r->called);
	free(r);
}

/*
 * once.c - one run now, told in full: `glasshouse try`, the blackbox face.
 */

#include <string.h>

#include "observe/probe/inside.h"

struct probe_call {
	struct probe_config config; /* the probe's, with one try and a rate that is the deadline */
	struct run *run;            /* NULL: it has ended */
	struct loop *loop;
	struct timer timer; /* tells of a cancellation */
	probe_call_done *done;
	void *arg;
};

/* --- what was measured ------------------------------------------------------------------------ */

static void put_measured(json_t *all, const struct attempt *a, unsigned tries, const char *name)
{
	struct value v = VALUE_NOTHING;
	if (attempt_measured(a, tries, slice_of(name), &v))
		json_object_set_new(all, name, value_json(&v));
	value_drop(&v);
}

static json_t *all_measured(const struct attempt *a, unsigned tries)
{
	static const char *const common[] = {"CONNECTED", "RESPONSE_TIME", "IP", "TRIES"};
	json_t *all = json_object();
	for (size_t i = 0; i < array_len(common); i++)
		put_measured(all, a, tries, common[i]);
	for (size_t i = 0; a->kind->measurements && a->kind->measurements[i]; i++)
		put_measured(all, a, tries, a->kind->measurements[i]);
	return all;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void on_ended(struct run *r, const struct outcome *o)
{
	struct probe_call *c = r->arg;
	const struct attempt *a = &r->attempt;
	json_t *measured = all_measured(a, r->tries), *conditions = json_array();
	conditions_tell(&c->config.expect, a, r->tries, "expect", conditions);
	conditions_tell(&c->config.warn, a, r->tries, "warn", conditions);
	const struct probe_report report = {.fault = o->fault,
		.warned = o->warned,
		.detail = o->detail,
		.tries = r->tries,
		.phases = a->phases,
		.status = a->status,
		.address = a->address,
		.measured = measured,
		.conditions = conditions};
	c->done(c->arg, &report);
	json_decref(measured);
	json_decref(conditions);
	run_done(r);
	free(c);
}

static void on_cancelled(struct timer *t)
{
	struct probe_call *c = t->arg;
	const struct probe_report report = {
		.fault = FAULT_CANCELLED, .detail = fault_text(FAULT_CANCELLED), .address = ""};
	c->done(c->arg, &report);
	loop_release(c->loop);
	free(c);
}

struct probe_call *probe_run_once(const struct probe_tools *tools,
	const struct probe_config *config, int family, int64_t deadline_ns, probe_call_done *done,
	void *arg)
{
	struct probe_call *c = mem_new(struct probe_call);
	struct run *r = mem_new(struct run);
	c->config = *config;
	/* The rate is what bounds a run. */
	c->config.about.every_ns = deadline_ns;
	if (c->config.about.timeout_ns > deadline_ns)
		c->config.about.timeout_ns = deadline_ns;
	c->loop = tools->loop;
	c->done = done;
	c->arg = arg;
	c->run = r;
	r->attempt.tools = tools;
	r->attempt.family = family ? family : config->family;
	r->config = &c->config;
	r->told_in_full = true;
	r->ended = on_ended;
	r->arg = c;
	run_begin(r);
	return c;
}

void probe_run_cancel(struct probe_call *c)
{
	if (!c->run)
		return;
	run_drop(c->run);
	c->run = NULL;
	loop_hold(c->loop);
	timer_start(c->loop, &c->timer, 0, on_cancelled, c);
}

/*
 * running_metrics.c - what is measured in all clouds and scenarios, and where it goes.
 */

#include "cli/running.h"

#include "observe/measured.h"

#define END_NS (5 * NS_PER_S) /* for what waits, when everything else is over */

void running_measured(void *arg, const struct measure *m)
{
	struct running *r = arg;
	metrics_take(r->metrics, m);
	figures_take(r->figures, m);
}

void running_exchange(void *arg, const struct cloud_exchange *x)
{
	const struct watched_cloud *c = arg;
	measured_exchange(
		c->cloud, c->generation->config->location, x, running_measured, c->running);
}

static void open_waits(void *arg, measure_signal *cb, void *cb_arg)
{
	struct running *r = arg;
	VEC_EACH (&r->scenarios, struct watched_scenario *, s) {
		if (!(*s)->gone)
			patrol_open_waits((*s)->patrol, cb, cb_arg);
	}
}

static void on_packet(void *arg, struct slice lines)
{
	struct running *r = arg;
	if (r->ingest)
		ingest_packet(r->ingest, lines);
}

static void on_trouble(void *arg, const char *receiver, const char *why, uint64_t lost)
{
	struct running *r = arg;
	if (why)
		running_say(r, "metrics %s: %s", receiver, why);
	else if (lost)
		running_say(r, "metrics %s takes points again; lost since the start: %llu",
			receiver, (unsigned long long)lost);
	else
		running_say(r, "metrics %s takes points again", receiver);
}

bool running_metrics(struct running *r, const struct config *c, struct error *err)
{
	const struct metrics_site site = {
		.instance = r->session.instance,
		.location = c->location ? c->location : "",
		.judge = r->judge,
		.open_waits = open_waits,
		.packet = on_packet,
		.trouble = on_trouble,
		.arg = r,
		.resolver = r->session.resolver,
	};
	VEC(struct metrics_receiver) list = {0};
	for (size_t i = 0; i < c->metrics_count; i++)
		vec_push(&list, c->metrics[i].receiver);
	const struct metrics_receiver own = {.name = "own series",
		.kind = METRICS_STORE,
		.url = "",
		.environment = c->cloudmon_environment,
		.zone = c->cloudmon_zone};
	if (c->cloudmon_own)
		vec_push(&list, own);
	if (!r->metrics)
		r->metrics = metrics_new(r->session.loop, r->session.api, &site);
	const bool good = metrics_configure(r->metrics, list.p, list.n, err);
	vec_fini(&list);
	return good;
}

static void on_drained(void *arg)
{
	*(bool *)arg = true;
}

void running_metrics_end(struct running *r)
{
	bool drained = false;
	if (!r->metrics)
		return;
	metrics_drain(r->metrics, END_NS, on_drained, &drained);
	loop_run_until(r->session.loop, &drained);
	const struct metrics_state *states;
	const size_t n = metrics_states(r->metrics, &states);
	for (size_t i = 0; i < n; i++)
		if (states[i].lost)
			running_say(r, "metrics %s: %llu points lost%s%s", states[i].name,
				(unsigned long long)states[i].lost, states[i].trouble ? ": " : "",
				states[i].trouble ? states[i].trouble : "");
}

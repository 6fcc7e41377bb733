/*
 * running_cloud.c - one watched cloud: its session, and the probes of its catalog, which come and
 * go with it.
 */

#include "cli/running.h"

#include <stdio.h>
#include <string.h>

struct watched_cloud *watched_cloud_find(struct running *r, const char *name)
{
	VEC_EACH (&r->clouds, struct watched_cloud *, c) {
		if (!(*c)->leaving && (!name || !strcmp((*c)->row->name, name)))
			return *c;
	}
	return NULL;
}

static bool is_listed(const struct watched_cloud *c, const char *name)
{
	const struct endpoint_probe *p;
	const size_t n = c->endpoints ? endpoints_list(c->endpoints, &p) : 0;
	for (size_t i = 0; i < n; i++)
		if (!strcmp(p[i].name, name))
			return true;
	return false;
}

static bool is_expected(const struct watched_cloud *c, const char *name)
{
	VEC_EACH (&c->expected, char *, e) {
		if (!strcmp(*e, name))
			return true;
	}
	return false;
}

static void expect_no_more(struct watched_cloud *c)
{
	for (size_t i = c->expected.n; i-- > 0;) {
		if (is_listed(c, c->expected.p[i]))
			continue;
		judge_unexpect(c->running->judge,
			&(struct judge_probe){.cloud = c->row->name, .probe = c->expected.p[i]});
		free(c->expected.p[i]);
		vec_remove(&c->expected, i);
	}
}

static void on_changed(void *arg)
{
	struct watched_cloud *c = arg;
	const struct endpoint_probe *p;
	if (!c->endpoints) /* not yet returned by endpoints_new() */
		return;
	const size_t n = endpoints_list(c->endpoints, &p);
	size_t fresh = 0;
	for (size_t i = 0; i < n; i++) {
		judge_expect(c->running->judge, &(struct judge_probe){.cloud = c->row->name,
							.probe = p[i].name,
							.every_ns = p[i].every_ns,
							.timeout_ns = p[i].timeout_ns});
		if (is_expected(c, p[i].name))
			continue;
		vec_push(&c->expected, mem_strdup(p[i].name));
		fresh++;
	}
	const size_t before = c->expected.n;
	expect_no_more(c);
	if (fresh || before != c->expected.n)
		running_say(c->running, "%s: %zu probes (%zu new, %zu gone)", c->row->name, n,
			fresh, before - c->expected.n);
	if (c->running->opened)
		running_lists_make(c->running);
}

static void on_seen(void *arg, const struct observation *o)
{
	const struct watched_cloud *c = arg;
	running_seen(c->running, o);
}

static bool open_endpoints(struct watched_cloud *c, struct error *err)
{
	struct running *r = c->running;
	const struct endpoint_options o = {
		.location = r->now->config->location,
		.component_prefix = c->prefix,
		.every_ns = c->row->every_ns,
		.timeout_ns = c->row->timeout_ns,
		.slow_ns = c->row->slow_ns,
		.measured = running_measured,
		.measured_arg = r,
	};
	if (!c->row->endpoints)
		return true;
	c->endpoints = endpoints_new(r->schedule, c->cloud, r->session.probes, r->series, &o,
		on_seen, on_changed, c, err);
	if (c->endpoints)
		on_changed(c);
	return c->endpoints != NULL;
}

struct watched_cloud *watched_cloud_open(
	struct running *r, const struct config_cloud *row, bool first, struct error_list *errors)
{
	struct error err = {0};
	struct cloud_config *config = cloud_config_load(row->name, errors);
	if (!config)
		return NULL;
	struct watched_cloud *c = mem_new(struct watched_cloud);
	const struct cloud_options limits = {.inflight = row->inflight, .compute = row->compute};
	c->running = r;
	c->generation = generation_ref(r->now);
	c->row = row;
	c->config = config;
	/* The first cloud's components keep their ids when a second one joins. */
	c->prefix = first ? mem_strdup("") : mem_printf("%s-", row->name);
	c->cloud = cloud_new(r->session.loop, r->session.api, config, &limits);
	c->tools = r->session.tools;
	c->tools.cloud = c->cloud;
	cloud_observe(c->cloud, CLOUD_FIGURES, running_exchange, c);
	if (open_endpoints(c, &err))
		return c;
	error_list_add(errors, &err);
	watched_cloud_free(c);
	return NULL;
}

static void end_probes(struct watched_cloud *c)
{
	endpoints_free(c->endpoints);
	c->endpoints = NULL;
	expect_no_more(c);
}

void watched_cloud_leave(struct watched_cloud *c)
{
	c->leaving = true;
	end_probes(c);
}

void watched_cloud_free(struct watched_cloud *c)
{
	if (!c)
		return;
	end_probes(c);
	vec_fini(&c->expected);
	cloud_free(c->cloud);
	cloud_config_free(c->config);
	generation_unref(c->generation);
	free(c->prefix);
	free(c);
}

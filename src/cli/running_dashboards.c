/*
 * running_dashboards.c - status dashboards of others, told what we announce.
 */

#include "cli/running.h"

static bool look(void *arg, const char *component, const char **ret_name, const char **ret_region)
{
	const struct component *c = running_component(arg, component);
	if (!c)
		return false;
	*ret_name = c->name;
	*ret_region = c->region ? c->region : "";
	return true;
}

static void on_trouble(void *arg, const char *name, const char *why)
{
	running_blind(arg, BLIND_REPORT, name, why);
}

bool running_dashboards(struct running *r, const struct config *c, struct error *err)
{
	VEC(struct dashboard) list = {0};
	for (size_t i = 0; i < c->dashboard_count; i++)
		vec_push(&list, c->dashboards[i].dashboard);
	if (!r->dashboards)
		r->dashboards = dashboards_new(r->session.loop, r->session.facts, r->session.api,
			look, on_trouble, r, err);
	const bool good =
		r->dashboards && dashboards_configure(r->dashboards, c->site_url ? c->site_url : "",
					 list.p, list.n, err);
	vec_fini(&list);
	return good;
}

void running_dashboards_wake(struct running *r)
{
	if (r->dashboards && r->opened)
		dashboards_wake(r->dashboards);
}

/*
 * running_suspect.c - events that open themselves: the judge's verdicts as they see them.
 */

#include "cli/running.h"

#include <string.h>

const struct component *running_component(const struct running *r, const char *id)
{
	for (size_t i = 0; i < judge_component_count(r->judge); i++) {
		const struct component *c = judge_component_at(r->judge, i);
		if (!strcmp(c->id, id))
			return c;
	}
	return NULL;
}

static bool look(void *arg, const char *component, const struct component **ret_component,
	const struct verdict **ret_verdict)
{
	const struct running *r = arg;
	*ret_component = running_component(r, component);
	*ret_verdict = judge_verdict(r->judge, component);
	return *ret_component && *ret_verdict;
}

/* One more of them; true: it is not the first, and another one. */
static bool is_another(const char **first, const char *name)
{
	if (!name || !name[0])
		return false;
	if (*first)
		return strcmp(*first, name) != 0;
	*first = name;
	return false;
}

static void places(void *arg, const char *region, bool *ret_regions, bool *ret_clouds)
{
	const struct running *r = arg;
	const char *a_region = NULL, *a_cloud = NULL;
	*ret_regions = *ret_clouds = false;
	for (size_t i = 0; i < judge_component_count(r->judge); i++) {
		const struct component *c = judge_component_at(r->judge, i);
		*ret_regions |= is_another(&a_region, c->region);
		if (!strcmp(c->region ? c->region : "", region))
			*ret_clouds |= is_another(&a_cloud, c->cloud);
	}
}

static void on_changed(void *arg)
{
	struct running *r = arg;
	if (r->events)
		events_wake(r->events); /* which has it shown */
	alarms_wake(r->alarms);
	running_dashboards_wake(r);
}

static const char *event_of(void *arg, const char *component)
{
	const struct running *r = arg;
	bool is_public;
	return r->suspects ? suspects_event_of(r->suspects, component, &is_public) : NULL;
}

bool running_suspect(struct running *r, const struct config *c, struct error *err)
{
	struct suspect_policy policy = c->suspect;
	policy.languages = (const char *const *)c->languages;
	if (r->suspects)
		suspects_configure(r->suspects, &policy);
	else
		r->suspects = suspects_new(r->session.loop, r->session.facts, &policy, look, places,
			on_changed, r, err);
	alarms_events(r->alarms, event_of, r);
	return r->suspects != NULL;
}

void running_suspect_wake(struct running *r)
{
	if (r->suspects && r->opened)
		suspects_wake(r->suspects);
}

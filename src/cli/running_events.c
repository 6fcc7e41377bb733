/*
 * running_events.c - what is declared: events in the house, and commands that write them.
 */

#include "cli/running.h"

#define AHEAD_MS (8 * 86400000LL) /* windows that the judge is told of */

typedef VEC(struct judge_window) windows;

static void add_window(
	windows *list, const struct maintenance_window *w, const char *component, const char *probe)
{
	vec_push(list, ((struct judge_window){
			       component, w->event ? w->event : "", w->from_ms, w->to_ms, probe}));
}

/* A probe stands for its component; one that is nobody's for itself alone. */
static const char *component_of(const struct running *r, const char *probe)
{
	const struct watched_probe *w = map_get(&r->probes, probe);
	return w && *w->component ? w->component : NULL;
}

static void on_windows(void *arg)
{
	struct running *r = arg;
	const struct maintenance_window *w;
	windows list = {0};
	if (!r->maintenance)
		return;
	const size_t n = maintenance_windows(r->maintenance, AHEAD_MS, &w);
	for (size_t i = 0; i < n; i++) {
		for (const char *const *c = w[i].components; *c; c++)
			add_window(&list, &w[i], *c, NULL);
		for (const char *const *p = w[i].probes; *p; p++)
			add_window(&list, &w[i], component_of(r, *p), *p);
	}
	judge_windows(r->judge, list.p, list.n);
	vec_fini(&list);
}

static void on_events(void *arg)
{
	struct running *r = arg;
	if (r->house)
		house_changed(r->house);
	if (r->maintenance)
		maintenance_wake(r->maintenance);
	running_suspect_wake(r);
	running_dashboards_wake(r);
}

bool running_events(struct running *r, struct error *err)
{
	r->events = events_new(r->session.loop, r->session.facts, on_events, r, err);
	return r->events != NULL;
}

/* Rules borrow from the configuration: what cannot be taken leaves none of the one before. */
bool running_maintenance(struct running *r, const struct config *c, struct error *err)
{
	VEC(struct maintenance_rule) rules = {0};
	struct error ignored;
	for (size_t i = 0; i < c->maintenance_count; i++)
		vec_push(&rules, c->maintenance[i].rule);
	const bool is_new = !r->maintenance;
	if (is_new)
		r->maintenance = maintenance_new(r->session.loop, r->session.facts, r->events,
			rules.p, rules.n, on_windows, r, err);
	bool good = r->maintenance;
	if (good && !is_new && !maintenance_configure(r->maintenance, rules.p, rules.n, err))
		good = !maintenance_configure(r->maintenance, NULL, 0, &ignored);
	vec_fini(&rules);
	return good;
}

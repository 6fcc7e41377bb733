/*
 * running_blind.c - what keeps us from seeing, told to operators: the store, our connectivity, our
 * clock, our loop, locations. Others tell what they notice with running_blind().
 */

#include "cli/running.h"

#include <stdio.h>

#define STALL_LIMIT_NS (4 * NS_PER_S)
#define STALL_TOLD_NS  (600 * NS_PER_S)

struct location_trouble {
	char *why[LOCATION_JUDGED + 1]; /* as each sees it; NULL: nothing is wrong */
};

void running_blind(struct running *r, enum blind_kind kind, const char *name, const char *why)
{
	blindness_tell(r->blindness, kind, name, why);
	if (r->house)
		house_changed(r->house);
}

/* That nothing comes at all says more than what is made of it. */
void running_location(
	struct running *r, const char *location, enum location_seen by, const char *why)
{
	struct location_trouble *t = map_get(&r->locations, location);
	if (!t) {
		t = mem_new(struct location_trouble);
		map_put(&r->locations, location, t);
	}
	mem_replace(&t->why[by], why);
	running_blind(r, BLIND_LOCATION, location,
		t->why[LOCATION_REPORTS] ? t->why[LOCATION_REPORTS] : t->why[LOCATION_JUDGED]);
}

void running_locations_end(struct running *r)
{
	MAP_EACH (&r->locations, e) {
		struct location_trouble *t = e->value;
		free(t->why[LOCATION_REPORTS]);
		free(t->why[LOCATION_JUDGED]);
		free(t);
	}
	map_fini(&r->locations);
}

static void on_clock(void *arg, const char *why)
{
	struct running *r = arg;
	running_say(r, "the clock: %s", why ? why : "right again");
	running_blind(r, BLIND_CLOCK, "", why);
}

static void on_stall_told(struct timer *t)
{
	running_blind(t->arg, BLIND_STALL, "", NULL);
}

/* That it turns again is no end of it yet: what stopped it may come back. */
static void on_stall(void *arg, int64_t stood_ns)
{
	struct running *r = arg;
	char why[128], at[CLOCK_TEXT];
	snprintf(why, sizeof(why),
		"nothing was done for %.0f s, until %.19sZ; nothing was seen meanwhile",
		(double)stood_ns / 1e9, clock_rfc3339(clock_unix_us(&clock_system), at));
	running_say(r, "stood still: %s", why);
	running_blind(r, BLIND_STALL, "", why);
	timer_start(r->session.loop, &r->stall_told, STALL_TOLD_NS, on_stall_told, r);
}

static void hear(struct running *r, http_dated *dated)
{
	struct http_client *const clients[] = {r->session.api, r->session.probes, r->probe_client};
	for (size_t i = 0; i < array_len(clients); i++)
		if (clients[i])
			http_client_dates(clients[i], dated, r->our_clock);
}

bool running_blindness(struct running *r, struct error *err)
{
	struct session *s = &r->session;
	r->blindness = blindness_new(s->loop, s->facts, r->events, r->alarms, err);
	if (!r->blindness)
		return false;
	const struct series_status stored = series_status(r->series);
	blindness_tell(r->blindness, BLIND_STORE, "", stored.storing ? NULL : stored.why.msg);
	blindness_tell(r->blindness, BLIND_CONNECTIVITY, "", NULL);
	return true;
}

void running_blind_look(struct running *r)
{
	const struct error *away = r->cloudmon ? cloudmon_trouble(r->cloudmon) : NULL;
	blindness_tell(r->blindness, BLIND_SOURCE, "", away ? away->msg : NULL);
}

bool running_watch(struct running *r, struct error *err)
{
	r->our_clock = our_clock_new(r->session.loop, on_clock, r);
	hear(r, our_clock_heard);
	r->stall = stall_new(r->session.loop, STALL_LIMIT_NS, on_stall, r, err);
	return r->stall != NULL;
}

void running_watch_end(struct running *r)
{
	hear(r, NULL);
	timer_cancel(&r->stall_told);
	stall_free(r->stall);
	our_clock_free(r->our_clock);
	r->our_clock = NULL;
	r->stall = NULL;
}

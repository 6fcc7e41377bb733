/*
 * running_events.c - what is declared: events in the house, and commands that write them.
 */

#include "cli/running.h"

static void on_events(void *arg)
{
	struct running *r = arg;
	if (r->house)
		house_changed(r->house);
	running_suspect_wake(r);
}

bool running_events(struct running *r, struct error *err)
{
	r->events = events_new(r->session.loop, r->session.facts, on_events, r, err);
	return r->events != NULL;
}

/*
 * metrics_trouble.c - a receiver that does not take what it is sent, and one that takes it again:
 * when somebody is told. One that takes every other batch would fill the log: trouble is told once
 * a minute at most.
 */

#include "tell/metrics_inside.h"

#define AGAIN_NS (60 * NS_PER_S)

static void tell(const struct sender *s, const char *why)
{
	const struct metrics_site *site = &s->metrics->site;
	/* At the end the last words have it all. */
	if (site->trouble && !s->metrics->draining)
		site->trouble(site->arg, s->config.name, why, s->lost);
}

/* Told once until it is over, and not again within a minute. */
static void tell_once(struct sender *s, struct told *t, const char *why)
{
	const int64_t now_ns = loop_now_ns(s->metrics->loop);
	if (t->is || (t->at_ns && now_ns - t->at_ns < AGAIN_NS))
		return;
	*t = (struct told){.is = true, .at_ns = now_ns};
	tell(s, why);
}

void sender_note_trouble(struct sender *s, const char *why)
{
	mem_replace(&s->trouble, why);
	if (why) {
		tell_once(s, &s->told, why);
	} else if (s->told.is || s->told_full.is) {
		s->told.is = s->told_full.is = false;
		tell(s, NULL);
	}
}

void sender_note_full(struct sender *s)
{
	tell_once(s, &s->told_full, "more waits than its spool holds: the oldest points are lost");
}

/*
 * judge_flap.c - components that change their state so often that telling each change helps nobody.
 *
 * What is counted are changes as they would be shown, hysteresis and all. While it flaps it is
 * shown as the worst it was since the changes that count began, and as worse at once.
 */

#include <string.h>

#include "judge/judge_inside.h"

static void drop_old(struct flap *f, int64_t from_ms)
{
	size_t n = 0;
	while (n < f->changes.n && f->changes.p[n].at_ms < from_ms)
		n++;
	f->changes.n -= n;
	if (n)
		memmove(f->changes.p, f->changes.p + n, f->changes.n * sizeof(*f->changes.p));
}

/* Of our own connectivity coming and going no component is to blame. */
static bool counts(const struct flap *f, const struct decision *d)
{
	return !f->was_blind && strcmp(d->rule, "blind") != 0;
}

void flap_see(struct judged *c, const struct decision *d, int64_t now_ms)
{
	const struct judge_options *o = &c->judge->options;
	struct flap *f = &c->flap;
	if (d->health == f->raw)
		return;
	const bool count = counts(f, d);
	f->was_blind = !strcmp(d->rule, "blind");
	const enum health was = f->raw;
	f->raw = d->health;
	f->changed_ms = now_ms;
	if (!o->flap_changes || !count || !c->now.v.id)
		return;
	drop_old(f, now_ms - o->flap_within_ns / NS_PER_MS);
	if (f->changes.n > o->flap_changes)
		drop_old(f, f->changes.p[0].at_ms + 1);
	vec_push(&f->changes, ((struct flap_change){now_ms, health_worse(was, d->health)}));
	if (f->active || f->changes.n > o->flap_changes) {
		enum health worst = f->active ? f->worst : HEALTH_OPERATIONAL;
		VEC_EACH (&f->changes, struct flap_change, change)
			worst = health_worse(worst, change->worst);
		f->active = true;
		f->worst = worst;
	}
}

void flap_apply(struct judged *c, struct decision *d, int64_t now_ms)
{
	struct flap *f = &c->flap;
	if (f->active && now_ms >= flap_ends_ms(c)) {
		f->active = false;
		f->changes.n = 0;
	}
	if (!f->active)
		return;
	f->worst = health_worse(f->worst, d->health);
	d->flapping = d->decided = true; /* that it flaps is known */
	d->health = f->worst;
	d->steady_rule = d->rule;
	d->rule = "flapping";
}

int64_t flap_ends_ms(const struct judged *c)
{
	return c->flap.active ? c->flap.changed_ms + c->judge->options.flap_quiet_ns / NS_PER_MS
			      : INT64_MAX;
}

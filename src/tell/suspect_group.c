/*
 * suspect_group.c - which event a component belongs to.
 */
#include "tell/suspect_inside.h"

#include <string.h>

bool part_ill(const struct part *p)
{
	return p->health == HEALTH_DEGRADED || p->health == HEALTH_OUTAGE || p->flaps;
}

bool part_well(const struct part *p)
{
	return !part_ill(p) && p->health != HEALTH_UNKNOWN;
}

/* --- what the feed says ------------------------------------------------------------------------
 */

static bool is_bad(enum health h)
{
	return h == HEALTH_DEGRADED || h == HEALTH_OUTAGE;
}

static struct part *part_new(struct suspects *s, const struct judge_change *c)
{
	struct part *p = mem_new(struct part);
	p->component = mem_strdup(c->component);
	p->name = mem_strdup(c->name ? c->name : c->component);
	p->cloud = mem_strdup("");
	p->region = mem_strdup("");
	p->ill_ms = c->since_ms;
	p->told = -1;
	map_put(&s->parts, c->component, p);
	return p;
}

void part_take(struct suspects *s, const struct judge_change *c)
{
	struct part *p = map_get(&s->parts, c->component);
	if (!p && !is_bad(c->health))
		return;
	if (!p)
		p = part_new(s, c);
	if (c->name)
		mem_replace(&p->name, c->name);
	if (is_bad(c->health)) {
		if (p->well_ms && !p->flaps)
			p->ill_ms = c->since_ms;
		p->well_ms = 0;
		p->fault = c->rule && !strcmp(c->rule, "slow") ? SUSPECT_SLOW : SUSPECT_FAILS;
	} else if (c->health == HEALTH_UNKNOWN) {
		p->well_ms = 0;
	} else if (!p->well_ms) {
		p->well_ms = c->since_ms;
	}
	p->health = c->health;
	p->verdict = c->id;
	p->dirty = true;
}

/* --- how it is now -----------------------------------------------------------------------------
 */

static void keep_text(struct part *p, char **into, const char *text)
{
	if (*into == text || (*into && text && !strcmp(*into, text)))
		return;
	mem_replace(into, text);
	p->dirty = true;
}

/* What is watched no more is no reason to hold an event open. */
static void look_away(struct part *p, int64_t now_ms)
{
	if (part_well(p))
		return;
	p->health = HEALTH_OPERATIONAL;
	p->flaps = p->stored = false;
	p->well_ms = now_ms;
	p->dirty = true;
}

/* Until when work excused it is written once a minute: a start need not know it better. */
static void look_at_work(struct part *p, const char *maintenance, int64_t now_ms)
{
	const bool ends = p->held && !maintenance;
	p->held = maintenance != NULL;
	if (maintenance)
		keep_text(p, &p->maintenance, maintenance);
	if (!ends && (!p->held || now_ms - p->held_ms < SUSPECT_UPDATE_MS))
		return;
	p->held_ms = now_ms;
	p->dirty = true;
}

void part_look(struct suspects *s, struct part *p, int64_t now_ms)
{
	const struct component *c = NULL;
	const struct verdict *v = NULL;
	if (!s->look_at(s->arg, p->component, &c, &v)) {
		look_away(p, now_ms);
		return;
	}
	if (!p->suspect) { /* where it stood when it began */
		keep_text(p, &p->cloud, c->cloud ? c->cloud : "");
		keep_text(p, &p->region, c->region ? c->region : "");
	}
	mem_replace(&p->root, v->root);
	p->stored = v->stored;
	if (v->flapping != p->flaps) {
		p->flaps = v->flapping;
		p->dirty = true;
		if (!p->flaps && p->well_ms) /* its last good time began while it still flapped */
			p->well_ms = now_ms;
	}
	look_at_work(p, v->maintenance, now_ms);
}

/* --- its event ---------------------------------------------------------------------------------
 */

static const struct part *root_of(const struct suspects *s, const struct suspect *x)
{
	return x->root ? map_get(&s->parts, x->root) : NULL;
}

/* Whether newcomers belong to it: also to one that is over, while its cause lasts, and to one that
 * we closed a while ago, for what is only found now. */
static bool lasts(const struct suspects *s, const struct suspect *x)
{
	const struct part *root = root_of(s, x);
	if (x->state == SUSPECT_OPEN || x->state == SUSPECT_PROPOSED)
		return true;
	if (x->state == SUSPECT_CLOSED && suspects_now_ms(s) < x->closed_ms + s->policy.regroup_ms)
		return true;
	return root && root->suspect == x->id && part_ill(root);
}

static bool same_text(const char *a, const char *b)
{
	return a && b && !strcmp(a, b);
}

static bool same_cause(const struct suspects *s, const struct suspect *x, const struct part *p)
{
	const struct part *root = p->root ? map_get(&s->parts, p->root) : NULL;
	if (same_text(x->root, p->root) || same_text(x->root, p->component))
		return lasts(s, x);
	return root && root->suspect == x->id && lasts(s, x);
}

static bool same_time_and_place(
	const struct suspects *s, const struct suspect *x, const struct part *p)
{
	const int64_t apart = p->ill_ms - x->began_ms;
	return (x->state == SUSPECT_OPEN || x->state == SUSPECT_PROPOSED) && !p->root &&
	       x->fault == p->fault && !strcmp(x->cloud, p->cloud) &&
	       !strcmp(x->region, p->region) &&
	       (apart < 0 ? -apart : apart) <= s->policy.regroup_ms;
}

static struct suspect *find(const struct suspects *s, const struct part *p)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (same_cause(s, s->list.p[i], p))
			return s->list.p[i];
	for (size_t i = 0; i < s->list.n; i++)
		if (same_time_and_place(s, s->list.p[i], p))
			return s->list.p[i];
	return NULL;
}

static struct suspect *suspect_new(struct suspects *s, const struct part *p)
{
	struct suspect *x = mem_new(struct suspect);
	x->id = ++s->last_id;
	x->cloud = mem_strdup(p->cloud);
	x->region = mem_strdup(p->region);
	x->root = mem_strdup(p->root);
	x->fault = p->fault;
	x->began_ms = p->ill_ms;
	x->dirty = true;
	vec_push(&s->list, x);
	return x;
}

int64_t part_due_ms(const struct suspects *s, const struct part *p)
{
	return (p->held_ms > p->ill_ms ? p->held_ms : p->ill_ms) + s->policy.lasting_ms;
}

/* It leaves one that is closed for good, and is looked at anew. */
static void leave_old(struct suspects *s, struct part *p, int64_t now_ms)
{
	const struct suspect *x = suspect_by_id(s, p->suspect);
	if (!x || (x->state != SUSPECT_CLOSED && x->state != SUSPECT_OVER))
		return;
	const int64_t until_ms = x->closed_ms + s->policy.regroup_ms;
	if (x->state == SUSPECT_CLOSED && now_ms < until_ms) {
		suspects_soon(s, until_ms);
		return;
	}
	if (x->state == SUSPECT_OVER && !part_well(p)) /* a human said that it is over */
		return;
	p->suspect = 0;
	p->told = -1;
	p->evidenced = 0;
	p->flaps_told = false;
	p->dirty = true;
}

void part_assign(struct suspects *s, struct part *p, int64_t now_ms)
{
	leave_old(s, p, now_ms);
	if (p->suspect || s->policy.off || !part_ill(p) || p->stored || p->held)
		return;
	if (now_ms < part_due_ms(s, p)) {
		suspects_soon(s, part_due_ms(s, p));
		return;
	}
	struct suspect *x = find(s, p);
	if (!x)
		x = suspect_new(s, p);
	if (!x->root && p->root)
		x->root = mem_strdup(p->root);
	if (p->ill_ms < x->began_ms && !x->event[0])
		x->began_ms = p->ill_ms;
	x->dirty = true;
	p->suspect = x->id;
	p->dirty = true;
}

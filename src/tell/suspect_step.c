/*
 * suspect_step.c - what becomes of an event now: opened, updated, announced, closed, opened again.
 *
 * One step makes at most one change. What is measured and what the event names are compared, so a
 * step that was missed is made up for by the next.
 */
#include "tell/suspect_inside.h"

#include <string.h>

struct standing {                /* of an event's parts */
	size_t parts, ill, well; /* of the last two what is known since the start */
	int worst;               /* impact */
	int64_t well_ms;         /* since when all are well, if they are */
	int64_t again_ms; /* when one that fails again has done so for long enough; 0: none does */
};

/* What its verdict says; unknown keeps what was told, and a part that flaps the worst. */
static int impact_of(const struct part *p)
{
	const int now = health_severity(p->health);
	const int least = health_severity(HEALTH_DEGRADED);
	if (now < 0)
		return p->told < 0 ? least : p->told;
	if (!p->flaps)
		return now;
	const int worst = p->told > now ? p->told : now;
	return worst > 0 ? worst : least;
}

static struct standing look(const struct suspects *s, const struct suspect *x)
{
	struct standing st = {0};
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		if (p->suspect != x->id)
			continue;
		const int impact = impact_of(p);
		st.parts++;
		st.ill += part_ill(p) && !p->stored;
		st.well += part_well(p) && !p->stored;
		st.worst = impact > st.worst ? impact : st.worst;
		st.well_ms = p->well_ms > st.well_ms ? p->well_ms : st.well_ms;
		const int64_t due = part_due_ms(s, p);
		if (part_ill(p) && !p->stored && (!st.again_ms || due < st.again_ms))
			st.again_ms = due;
	}
	return st;
}

/* --- effects ---------------------------------------------------------------------------------- */

static struct suspect_effect *effect_new(
	struct suspect_turn *t, struct suspect *x, bool open, int64_t at_ms)
{
	struct suspect_row *row = turn_suspect(t, x);
	row->has_effect = t->touches = true;
	row->effect = (struct suspect_effect){
		.open = open, .phase = -1, .at_ms = at_ms, .evidence = json_array()};
	x->dirty = true;
	return &row->effect;
}

/* All its components as they are; what is told is told from here on. */
static void tell_parts(struct suspects *s, const struct suspect *x, struct suspect_effect *f)
{
	MAP_EACH (&s->parts, e) {
		struct part *p = e->value;
		if (p->suspect != x->id || f->impacts.n == EVENT_COMPONENTS_MAX)
			continue;
		const int impact = impact_of(p);
		vec_push(&f->impacts, ((struct event_impact){mem_strdup(p->component), impact}));
		if (p->verdict != p->evidenced)
			json_array_append_new(f->evidence, json_integer(p->verdict));
		p->dirty = p->dirty || p->verdict != p->evidenced || p->told != impact ||
			   p->flaps != p->flaps_told;
		p->evidenced = p->verdict;
		p->told = impact;
		p->flaps_told = p->flaps;
	}
}

static int64_t announce_ms(const struct suspects *s, const struct suspect *x, int worst)
{
	if (s->policy.outage_at_once && worst >= health_severity(HEALTH_OUTAGE))
		return x->began_ms;
	return s->policy.announce_ms == SUSPECT_BY_HUMAN ? INT64_MAX
							 : x->began_ms + s->policy.announce_ms;
}

/* Whether this is the time to make it public: not when it is already over. */
static bool announces(
	struct suspects *s, const struct suspect *x, const struct standing *st, int64_t now_ms)
{
	if (x->announced || !st->ill)
		return false;
	const int64_t at_ms = announce_ms(s, x, st->worst);
	if (at_ms > now_ms)
		suspects_soon(s, at_ms);
	return at_ms <= now_ms;
}

static void open_event(
	struct suspects *s, struct suspect *x, const struct standing *st, struct suspect_turn *t)
{
	struct suspect_effect *f = effect_new(t, x, true, t->now_ms);
	f->title = suspect_title(s, x);
	f->text = suspect_text_open(s, x);
	tell_parts(s, x, f);
	f->publish = x->announced = announces(s, x, st, t->now_ms);
	x->updated_ms = t->now_ms;
}

/* --- updates ---------------------------------------------------------------------------------- */

/* Returns how many changed; said: room for all parts. */
static size_t what_changed(
	const struct suspects *s, const struct suspect *x, struct suspect_said *said)
{
	size_t n = 0;
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		const int impact = impact_of(p);
		if (p->suspect == x->id && (impact != p->told || (p->flaps && !p->flaps_told)))
			said[n++] = (struct suspect_said){p, p->told, impact};
	}
	return n;
}

/* Text, title and impacts of what changed. False: nothing did. */
static bool say_changes(struct suspects *s, struct suspect *x, struct suspect_effect *f)
{
	struct suspect_said *said = mem_new_array(s->parts.n + 1, sizeof(*said));
	const size_t n = what_changed(s, x, said);
	if (n) {
		f->text = suspect_text_update(s, said, n);
		f->title = suspect_title(s, x);
	}
	free(said);
	tell_parts(s, x, f);
	return n > 0;
}

static bool has_changes(const struct suspects *s, const struct suspect *x)
{
	struct suspect_said *said = mem_new_array(s->parts.n + 1, sizeof(*said));
	const size_t n = what_changed(s, x, said);
	free(said);
	return n > 0;
}

static void update_event(
	struct suspects *s, struct suspect *x, const struct standing *st, struct suspect_turn *t)
{
	const bool announce = announces(s, x, st, t->now_ms);
	const bool back = x->state == SUSPECT_PROPOSED && st->ill;
	const bool changes = has_changes(s, x);
	const int64_t due = x->updated_ms + SUSPECT_UPDATE_MS;
	if (changes && due > t->now_ms)
		suspects_soon(s, due);
	if (!announce && (!(changes || back) || due > t->now_ms))
		return;
	struct suspect_effect *f = effect_new(t, x, false, t->now_ms);
	say_changes(s, x, f);
	if (back)
		f->phase = EVENT_DETECTED;
	if (st->ill)
		x->state = SUSPECT_OPEN;
	f->publish = announce;
	x->announced = x->announced || announce;
	x->updated_ms = f->text ? t->now_ms : x->updated_ms;
}

/* --- the end ---------------------------------------------------------------------------------- */

static void close_event(
	struct suspects *s, struct suspect *x, const struct standing *st, struct suspect_turn *t)
{
	const bool closes = s->policy.close == SUSPECT_CLOSE_AUTO;
	struct suspect_effect *f = effect_new(t, x, false, t->now_ms);
	f->phase = closes ? EVENT_RESOLVED : EVENT_MONITORING;
	/* As of when it was so; but updates stay in their order. */
	if (closes)
		f->at_ms = st->well_ms > x->updated_ms ? st->well_ms : x->updated_ms;
	tell_parts(s, x, f);
	f->text = suspect_text_close(s, st->well_ms, closes);
	x->state = closes ? SUSPECT_CLOSED : SUSPECT_PROPOSED;
	x->closed_ms = closes ? t->now_ms : 0;
	x->updated_ms = t->now_ms;
}

/* All well, for long enough: true when it is closed or proposed now. */
static bool closes(
	struct suspects *s, struct suspect *x, const struct standing *st, struct suspect_turn *t)
{
	if (st->well < st->parts || s->policy.close == SUSPECT_CLOSE_NEVER ||
		(x->state == SUSPECT_PROPOSED && s->policy.close == SUSPECT_CLOSE_PROPOSE))
		return false;
	const int64_t at_ms = st->well_ms + s->policy.after_ms;
	if (at_ms > t->now_ms) {
		suspects_soon(s, at_ms);
		return false;
	}
	close_event(s, x, st, t);
	return true;
}

static void open_again(
	struct suspects *s, struct suspect *x, const struct standing *st, struct suspect_turn *t)
{
	if (!st->again_ms)
		return;
	if (st->again_ms > t->now_ms) {
		suspects_soon(s, st->again_ms);
		return;
	}
	struct suspect_effect *f = effect_new(t, x, false, t->now_ms);
	f->phase = EVENT_DETECTED;
	say_changes(s, x, f);
	x->state = SUSPECT_OPEN;
	x->closed_ms = 0;
	f->publish = announces(s, x, st, t->now_ms);
	x->announced = x->announced || f->publish;
	x->updated_ms = t->now_ms;
}

void suspect_step(struct suspects *s, struct suspect *x, struct suspect_turn *t, int64_t now_ms)
{
	const struct standing st = look(s, x);
	if (x->taken || x->state == SUSPECT_OVER || !st.parts)
		return;
	x->worst = st.worst > x->worst ? st.worst : x->worst;
	if (!x->event[0])
		open_event(s, x, &st, t);
	else if (x->state == SUSPECT_CLOSED)
		open_again(s, x, &st, t);
	else if (!closes(s, x, &st, t))
		update_event(s, x, &st, t);
}

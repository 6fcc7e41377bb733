/*
 * suspect.c - suspected events as a whole: life, the feed, turns.
 *
 * A turn reads the feed to its end, looks at each part, and puts into one transaction what follows:
 * the cursor, our rows, the events. The next turn begins when it is durable, however often the disk
 * refuses it.
 */
#include "tell/suspect_inside.h"

#include <string.h>

#include "base/log.h"
#include "tell/feed.h"

#define AGAIN_NS NS_PER_S

static void turn(struct suspects *s);

int64_t suspects_now_ms(const struct suspects *s)
{
	return clock_unix_us(loop_clock(s->loop)) / 1000;
}

void part_free(struct part *p)
{
	if (!p)
		return;
	free(p->component);
	free(p->name);
	free(p->cloud);
	free(p->region);
	free(p->maintenance);
	free(p->root);
	free(p);
}

void suspect_free(struct suspect *x)
{
	if (!x)
		return;
	free(x->cloud);
	free(x->region);
	free(x->root);
	free(x);
}

struct suspect *suspect_by_id(const struct suspects *s, int64_t id)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (s->list.p[i]->id == id)
			return s->list.p[i];
	return NULL;
}

void suspects_soon(struct suspects *s, int64_t at_ms)
{
	if (at_ms < s->next_ms)
		s->next_ms = at_ms;
}

/* --- the feed --------------------------------------------------------------------------------- */

static struct suspect *by_event(const struct suspects *s, const char *id)
{
	for (size_t i = 0; i < s->list.n; i++)
		if (s->list.p[i]->event[0] && !strcmp(s->list.p[i]->event, id))
			return s->list.p[i];
	return NULL;
}

/* What a human did to one of ours. */
static bool take_event(struct suspects *s, const char *id, struct error *err)
{
	struct suspect *x = by_event(s, id);
	if (!x)
		return true;
	json_t *e = event_json(s->facts, id, AUDIENCE_OPERATORS, err);
	if (!e)
		return err->kind == ERROR_NONE;
	enum event_phase phase;
	const bool known = event_phase_parse(json_str(e, "phase"), &phase);
	const bool taken = json_flag(e, "taken_over");
	const bool over = taken && known && event_phase_over(phase);
	const bool announced = json_flag(e, "public");
	if (taken != x->taken || announced != x->announced ||
		(taken && over != (x->state == SUSPECT_OVER))) {
		x->taken = taken;
		x->announced = announced;
		if (taken)
			x->state = over ? SUSPECT_OVER : SUSPECT_OPEN;
		x->dirty = true;
	}
	json_decref(e);
	return true;
}

/* Verdicts are taken once nothing can refuse the page any more. */
static bool take_page(struct suspects *s, const struct feed_page *p, struct error *err)
{
	for (size_t i = 0; i < p->event_count; i++)
		if (!take_event(s, p->events[i], err))
			return false;
	for (size_t i = 0; i < p->verdict_count; i++)
		if (p->verdicts[i].id)
			part_take(s, &p->verdicts[i]);
	return true;
}

/* False: it cannot be read now; nothing of the page was taken. */
static bool read_feed(struct suspects *s, struct suspect_turn *t)
{
	struct feed_page p;
	struct error err = {0};
	bool good = feed_read(s->facts, s->cursor, &p, &err);
	if (good) {
		good = take_page(s, &p, &err);
		if (good)
			s->look = p.more;
		if (good && p.rows)
			s->cursor = t->cursor = p.last;
		feed_page_fini(&p);
	}
	mem_replace(&s->trouble, good ? NULL : err.msg);
	return good;
}

/* --- turns ------------------------------------------------------------------------------------ */

/* A part that is well and belongs to nothing is forgotten. */
static bool is_gone(const struct suspects *s, const struct part *p)
{
	return part_well(p) && !suspect_by_id(s, p->suspect);
}

static void conclude(struct suspects *s, struct suspect_turn *t, int64_t now_ms)
{
	MAP_EACH (&s->parts, e)
		part_look(s, e->value, now_ms);
	MAP_EACH (&s->parts, e)
		part_assign(s, e->value, now_ms);
	for (size_t i = 0; i < s->list.n; i++)
		suspect_step(s, s->list.p[i], t, now_ms);
}

/* What lies in memory and not yet in the tables. */
static void gather(struct suspects *s, struct suspect_turn *t)
{
	for (size_t i = s->list.n; i-- > 0;) {
		struct suspect *x = s->list.p[i];
		if (x->dirty)
			turn_suspect(t, x);
		x->dirty = false;
		if (x->state == SUSPECT_CLOSED || x->state == SUSPECT_OVER) {
			bool any = false;
			MAP_EACH (&s->parts, e)
				any = any || ((struct part *)e->value)->suspect == x->id;
			if (any)
				continue;
			turn_suspect(t, x)->gone = true;
			vec_remove(&s->list, i);
			suspect_free(x);
		}
	}
	MAP_EACH (&s->parts, e) {
		struct part *p = e->value;
		const bool gone = is_gone(s, p);
		if (gone || p->dirty)
			turn_part(t, p, gone);
		p->dirty = false;
		if (gone) {
			map_remove(&s->parts, p->component);
			part_free(p);
		}
	}
}

static void on_timer(struct timer *timer)
{
	turn(timer->arg);
}

static void on_again(struct timer *timer)
{
	struct suspects *s = timer->arg;
	s->look = true;
	turn(s);
}

static void wait_for_next(struct suspects *s, int64_t now_ms)
{
	timer_cancel(&s->timer);
	if (s->parts.n == 0)
		return;
	suspects_soon(s, now_ms + SUSPECT_LOOK_MS);
	const int64_t wait = s->next_ms > now_ms ? s->next_ms - now_ms : 1;
	timer_start(s->loop, &s->timer, wait * NS_PER_MS, on_timer, s);
}

static void on_written(void *arg, const struct error *err);

static void on_retry(struct timer *timer)
{
	struct suspects *s = timer->arg;
	facts_submit(s->facts, turn_write, s->turn, on_written);
}

/* What the transaction found out: ids of events, and what humans have taken over. */
static void take_outcome(struct suspects *s, const struct suspect_turn *t)
{
	for (size_t i = 0; i < t->rows.n; i++) {
		const struct suspect_row *row = &t->rows.p[i];
		struct suspect *x = suspect_by_id(s, row->row.id);
		if (!x || !row->has_effect)
			continue;
		memcpy(x->event, row->row.event, sizeof(x->event));
		if (row->row.taken)
			x->state = row->row.state;
		x->taken = x->taken || row->row.taken;
	}
}

static void on_written(void *arg, const struct error *err)
{
	struct suspect_turn *t = arg;
	struct suspects *s = t->suspects;
	if (!s) {
		turn_free(t);
		return;
	}
	mem_replace(&s->trouble, err ? err->msg : NULL);
	if (err) {
		timer_start(s->loop, &s->timer, AGAIN_NS, on_retry, s);
		return;
	}
	take_outcome(s, t);
	s->turn = NULL;
	const bool touches = t->touches;
	turn_free(t);
	if (touches)
		s->changed(s->arg);
	turn(s);
}

static void turn(struct suspects *s)
{
	if (s->turn)
		return;
	const int64_t now_ms = suspects_now_ms(s);
	struct suspect_turn *t = mem_new(struct suspect_turn);
	t->suspects = s;
	t->facts = s->facts;
	t->now_ms = now_ms;
	s->next_ms = INT64_MAX;
	if (s->look && !read_feed(s, t)) {
		turn_free(t);
		timer_start(s->loop, &s->timer, AGAIN_NS, on_again, s);
		return;
	}
	if (!s->look) /* all that is known is taken: what follows from half of it may be wrong */
		conclude(s, t, now_ms);
	gather(s, t);
	if (!t->cursor && !t->rows.n && !t->parts.n) {
		turn_free(t);
		wait_for_next(s, now_ms);
		return;
	}
	s->turn = t;
	timer_cancel(&s->timer);
	facts_submit(s->facts, turn_write, t, on_written);
}

void suspects_wake(struct suspects *s)
{
	s->look = true;
	turn(s);
}

/* --- life ------------------------------------------------------------------------------------- */

static void policy_fini(struct suspect_policy *p)
{
	for (size_t i = 0; p->languages && p->languages[i]; i++)
		free((char *)(uintptr_t)p->languages[i]);
	free((void *)(uintptr_t)p->languages);
}

static void policy_copy(struct suspect_policy *to, const struct suspect_policy *from)
{
	size_t n = 0;
	while (from->languages && from->languages[n])
		n++;
	char **languages = mem_new_array(n + 1, sizeof(*languages));
	for (size_t i = 0; i < n; i++)
		languages[i] = mem_strdup(from->languages[i]);
	*to = *from;
	to->languages = (const char *const *)languages;
}

void suspects_configure(struct suspects *s, const struct suspect_policy *policy)
{
	policy_fini(&s->policy);
	policy_copy(&s->policy, policy);
	turn(s);
}

struct suspects *suspects_new(struct loop *l, struct facts *f, const struct suspect_policy *policy,
	suspect_look *look, suspect_places *places, suspect_changed *changed, void *arg,
	struct error *err)
{
	struct suspects *s = mem_new(struct suspects);
	s->loop = l;
	s->facts = f;
	s->look_at = look;
	s->places = places;
	s->changed = changed;
	s->arg = arg;
	policy_copy(&s->policy, policy);
	if (suspects_load(s, err))
		return s;
	suspects_free(s);
	return NULL;
}

void suspects_free(struct suspects *s)
{
	if (!s)
		return;
	if (s->turn) {
		s->turn->suspects = NULL;
		if (timer_running(&s->timer)) /* tried once more: the facts thread ends its work */
			facts_submit(s->facts, turn_write, s->turn, on_written);
	}
	timer_cancel(&s->timer);
	MAP_EACH (&s->parts, e)
		part_free(e->value);
	map_fini(&s->parts);
	VEC_EACH (&s->list, struct suspect *, x)
		suspect_free(*x);
	vec_fini(&s->list);
	policy_fini(&s->policy);
	free(s->trouble);
	free(s);
}

/* --- what is told of us ------------------------------------------------------------------------
 */

const char *suspects_event_of(const struct suspects *s, const char *component, bool *ret_public)
{
	const struct part *p = map_get(&s->parts, component);
	const struct suspect *x = p ? suspect_by_id(s, p->suspect) : NULL;
	if (!x || !x->event[0] || x->state == SUSPECT_CLOSED || x->state == SUSPECT_OVER)
		return NULL;
	*ret_public = x->announced;
	return x->event;
}

static json_t *suspect_json(const struct suspects *s, const struct suspect *x)
{
	json_t *components = json_array();
	int64_t well_ms = 0;
	MAP_EACH (&s->parts, e) {
		const struct part *p = e->value;
		if (p->suspect != x->id)
			continue;
		json_array_append_new(components, json_string(p->component));
		well_ms = p->well_ms > well_ms ? p->well_ms : well_ms;
	}
	return json_pack("{s:s, s:o, s:I, s:b, s:o}", "event", x->event, "components", components,
		"began_ms", (json_int_t)x->began_ms, "taken_over", x->taken, "may_close",
		x->state == SUSPECT_PROPOSED ? json_integer(well_ms) : json_null());
}

json_t *suspects_json(const struct suspects *s)
{
	json_t *list = json_array();
	VEC_EACH (&s->list, struct suspect *, x)
		if ((*x)->event[0] &&
			((*x)->state == SUSPECT_OPEN || (*x)->state == SUSPECT_PROPOSED))
			json_array_append_new(list, suspect_json(s, *x));
	return list;
}

const char *suspects_trouble(const struct suspects *s)
{
	return s->trouble;
}

/*
 * judge_place.c - the locations from which is observed: silent ones, and those that are themselves
 * the suspect.
 *
 * A location is suspected when most of what it asked last failed, over several components, and most
 * of that is answered elsewhere at the same time. It takes one round, before any of it is
 * confirmed. Its failures are then as if we were blind there: not confirmed ones no longer count,
 * and those that are say "cannot tell". It ends when most is answered again, or nobody else sees
 * those targets better.
 */

#include <string.h>

#include "judge/judge_inside.h"

#define PLACES_MAX      200
#define SUSPECT_SOURCES 3
#define SUSPECT_OVER    2 /* components */
#define SUSPECT_PERCENT 80
#define CLEARED_PERCENT 50
#define FIRST_MS        90000 /* who reports to us tries once a minute at least */

struct place *place_of(struct judge *j, const char *name)
{
	struct place *p = map_get(&j->places, name);
	if (p || j->places.n >= PLACES_MAX)
		return p;
	p = mem_new(struct place);
	p->told.name = p->name = mem_strdup(name);
	p->told.since_ms = judge_now_ms(j);
	map_put(&j->places, name, p);
	return p;
}

static void place_free(struct place *p)
{
	free(p->name);
	free(p->text);
	free(p);
}

void places_end(struct judge *j)
{
	MAP_EACH (&j->places, e)
		place_free(e->value);
	map_fini(&j->places);
}

/* What is silent already stays so until it is heard. */
void place_awaits(struct place *p, int64_t now_ms, int64_t fresh_ms)
{
	if (!p->told.heard_ms && fresh_ms < FIRST_MS)
		fresh_ms = FIRST_MS;
	if (!p->told.silent && now_ms + fresh_ms > p->fresh_ms)
		p->fresh_ms = now_ms + fresh_ms;
}

void place_joined(struct place *p, struct source *s)
{
	s->place = p;
	p->told.sources++;
}

void place_left(struct source *s)
{
	if (!s->place)
		return;
	s->place->told.sources--;
	s->place->told.failing -= s->last_failed;
	s->place = NULL;
}

void place_heard(struct source *s, const struct observation *o, int64_t now_ms)
{
	struct place *p = s->place;
	const bool newest = s->n && s->results[s->n - 1].at_ms <= o->at_ms;
	p->told.heard_ms = now_ms;
	if (now_ms + s->fresh_ms > p->fresh_ms)
		p->fresh_ms = now_ms + s->fresh_ms;
	if (!newest)
		return;
	const bool failed = fault_whose(o->fault) == WHOSE_CLOUD;
	p->told.failing += failed;
	p->told.failing -= s->last_failed;
	s->last_failed = failed;
	p->changed = true;
}

/* --- suspicion -------------------------------------------------------------------------------- */

struct look {
	unsigned fresh, failing, components, better; /* better: answered from elsewhere */
};

static bool is_fresh(const struct source *s, int64_t now_ms)
{
	return s->n && now_ms <= s->results[s->n - 1].at_ms + s->fresh_ms;
}

/* Another location that is no suspect got an answer of the same. */
static bool is_answered_elsewhere(const struct judged *c, const struct source *s, int64_t now_ms)
{
	MAP_EACH (&c->judge->places, e) {
		const struct place *p = e->value;
		if (p == s->place || p->told.suspect)
			continue;
		char *key = judge_source_key(s->cloud, s->probe, s->step, p->name);
		const struct source *other = map_get(&c->sources, key);
		free(key);
		if (other && is_fresh(other, now_ms) && !other->last_failed &&
			source_answers(other, now_ms))
			return true;
	}
	return false;
}

static struct look look_at(const struct judge *j, const struct place *p, int64_t now_ms)
{
	struct look l = {0};
	VEC_EACH (&j->components, struct judged *, c) {
		bool any = false;
		MAP_EACH (&(*c)->sources, e) {
			const struct source *s = e->value;
			if (s->place != p || !is_fresh(s, now_ms))
				continue;
			l.fresh++;
			if (!s->last_failed)
				continue;
			l.failing++;
			any = true;
			l.better += is_answered_elsewhere(*c, s, now_ms);
		}
		l.components += any;
	}
	return l;
}

static bool is_suspect(const struct judge *j, const struct place *p, int64_t now_ms)
{
	const unsigned percent = p->told.suspect ? CLEARED_PERCENT : SUSPECT_PERCENT;
	if (p->told.failing < SUSPECT_SOURCES && !p->told.suspect)
		return false;
	const struct look l = look_at(j, p, now_ms);
	return l.failing * 100 >= l.fresh * percent && l.failing && l.better * 2 > l.failing &&
	       (p->told.suspect || (l.failing >= SUSPECT_SOURCES && l.components >= SUSPECT_OVER));
}

static void suspect(struct judge *j, struct place *p, bool is)
{
	p->told.suspect = is;
	VEC_EACH (&j->components, struct judged *, c) {
		bool its = false;
		MAP_EACH (&(*c)->sources, e) {
			struct source *s = e->value;
			if (s->place != p)
				continue;
			its = true;
			if (is)
				source_mute(s);
		}
		if (its)
			judge_later(*c);
	}
}

/* --- time ------------------------------------------------------------------------------------- */

static void tell(struct judge *j, struct place *p, int64_t now_ms)
{
	const char *name = *p->name ? p->name : "this location";
	free(p->text);
	p->text = p->told.silent ? mem_printf("%s is silent: nothing was heard of it", name)
		  : p->told.suspect
			  ? mem_printf(
				    "%s fails at most of what it asks, and others do not: it is "
				    "itself the suspect, and its failures do not count",
				    name)
			  : NULL;
	p->told.text = p->text;
	p->told.since_ms = now_ms;
	if (j->options.location)
		j->options.location(j->arg, &p->told);
}

/* Nothing is expected from it any more, and so it has no sources. */
static void drop(struct judge *j, struct place *p, int64_t now_ms)
{
	const bool was = p->told.silent || p->told.suspect;
	p->told.silent = p->told.suspect = false;
	if (was)
		tell(j, p, now_ms);
	place_free(map_remove(&j->places, p->name));
}

void places_tick(struct judge *j, int64_t now_ms)
{
	MAP_EACH (&j->places, e) {
		struct place *p = e->value;
		if (!p->expected) {
			drop(j, p, now_ms);
			continue;
		}
		const bool silent = now_ms > p->fresh_ms;
		const bool is =
			!silent && (p->changed ? is_suspect(j, p, now_ms) : p->told.suspect);
		p->changed = false;
		if (is != p->told.suspect)
			suspect(j, p, is);
		else if (silent == p->told.silent)
			continue;
		p->told.silent = silent;
		tell(j, p, now_ms);
	}
}

size_t judge_location_count(const struct judge *j)
{
	return j->places.n;
}

const struct judge_location *judge_location_at(const struct judge *j, size_t i)
{
	MAP_EACH (&j->places, e) {
		const struct place *p = e->value;
		if (!i--)
			return &p->told;
	}
	return NULL;
}

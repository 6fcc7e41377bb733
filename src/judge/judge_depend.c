/*
 * judge_depend.c - what rests on what, and which outage explains what is not well.
 *
 * A root explains from when it is shown as an outage, not from when it began to fail: what rests on
 * it may have been seen before, and is then explained by a verdict of its own. It goes on to
 * explain when it is over, as long as nothing newer than its end says that something is wrong; also
 * what is heard only then, such as a run that began meanwhile.
 */

#include <string.h>

#include "judge/judge_inside.h"

/* Whoever was in trouble so much earlier than the root has a cause of his own. */
#define LEAD_MS (5 * 60 * 1000LL)

struct rests { /* all that one component rests on, in the order in which it was told */
	VEC(char *) on;
	int seen; /* by the search for cycles: 0 not yet, 1 on the way here, 2 done */
};

static void rests_free(struct map *all)
{
	MAP_EACH (all, e) {
		struct rests *r = e->value;
		VEC_EACH (&r->on, char *, on)
			free(*on);
		vec_fini(&r->on);
		free(r);
	}
	map_fini(all);
}

/* --- cycles ----------------------------------------------------------------------------------- */

struct search {
	const struct map *all;
	VEC(const char *) way;
	struct error *err;
};

static bool refuse(struct search *s, const char *id)
{
	struct buf text = BUF(BUF_LINE);
	size_t i = 0;
	while (i < s->way.n && strcmp(s->way.p[i], id) != 0)
		i++;
	for (; i < s->way.n; i++)
		buf_printf(&text, "%s rests on ", s->way.p[i]);
	buf_add_str(&text, id);
	error_set(s->err, ERROR_INPUT, "nothing can rest on itself: %s", buf_str(&text));
	buf_fini(&text);
	return false;
}

static bool walk(struct search *s, const char *id)
{
	struct rests *r = map_get(s->all, id);
	if (!r || r->seen == 2)
		return true;
	if (r->seen == 1)
		return refuse(s, id);
	r->seen = 1;
	vec_push(&s->way, id);
	VEC_EACH (&r->on, char *, on)
		if (!walk(s, *on))
			return false;
	s->way.n--;
	r->seen = 2;
	return true;
}

static bool has_no_cycle(const struct map *all, struct error *err)
{
	struct search s = {.all = all, .err = err};
	bool good = true;
	MAP_EACH (all, e)
		good = good && walk(&s, e->key);
	vec_fini(&s.way);
	return good;
}

/* --- as it is told ---------------------------------------------------------------------------- */

static struct map read_rests(const struct judge_rest *rests, size_t n)
{
	struct map all = {0};
	for (size_t i = 0; i < n; i++) {
		struct rests *r = map_get(&all, rests[i].component);
		if (!r) {
			r = mem_new(struct rests);
			map_put(&all, rests[i].component, r);
		}
		vec_push(&r->on, mem_strdup(rests[i].on));
	}
	return all;
}

bool judge_rests_good(const struct judge_rest *rests, size_t n, struct error *err)
{
	struct map all = read_rests(rests, n);
	const bool good = has_no_cycle(&all, err);
	rests_free(&all);
	return good;
}

bool judge_depend(struct judge *j, const struct judge_rest *rests, size_t n, struct error *err)
{
	struct map all = read_rests(rests, n);
	if (!has_no_cycle(&all, err)) {
		rests_free(&all);
		return false;
	}
	rests_free(&j->rests);
	j->rests = all;
	VEC_EACH (&j->components, struct judged *, c)
		judge_later(*c);
	return true;
}

void depend_end(struct judge *j)
{
	rests_free(&j->rests);
}

/* --- roots ------------------------------------------------------------------------------------ */

static const char *root_of(const struct judged *o)
{
	return o->now.v.root ? o->now.v.root : o->id;
}

static bool is_root(const struct judged *c, const struct judged *o)
{
	const char *root = c->now.v.root;
	return root && (!strcmp(root, o->id) || !strcmp(root, root_of(o)));
}

/* Something stated keeps us from telling, rather than nothing being known. */
static bool cannot_tell(const struct verdict *v)
{
	static const char *const rules[] = {"ours", "config", "quota", "follows"};
	for (size_t i = 0; v->health == HEALTH_UNKNOWN && i < array_len(rules); i++)
		if (!strcmp(v->rule, rules[i]))
			return true;
	return false;
}

/* Whether what is wrong began while an outage lasted that is over. */
static bool is_left_of(const struct judged *o, const struct decision *d)
{
	return o->ended_ms && d->bad_ms + LEAD_MS >= o->began_ms &&
	       d->bad_ms <= o->ended_ms + judge_minimum_ms(o->judge);
}

static bool explains(
	const struct judged *o, const struct judged *c, const struct decision *d, int64_t now_ms)
{
	const struct verdict *root = &o->now.v;
	const int64_t since_ms = c->now.v.health == d->health ? c->now.v.since_ms : now_ms;
	if (d->health == HEALTH_UNKNOWN)
		return root->health == HEALTH_OUTAGE || cannot_tell(root);
	if (is_root(c, o))
		return root->health == HEALTH_OUTAGE || root->health == HEALTH_UNKNOWN ||
		       is_left_of(o, d);
	if (root->health == HEALTH_OUTAGE)
		return since_ms + LEAD_MS >= root->since_ms;
	return is_left_of(o, d) && since_ms + LEAD_MS >= o->began_ms;
}

const char *depend_root(const struct judged *c, const struct decision *d, int64_t now_ms)
{
	const struct rests *r = map_get(&c->judge->rests, c->id);
	if (d->health == HEALTH_OPERATIONAL || c->judge->blind || !r)
		return NULL;
	VEC_EACH (&r->on, char *, on) {
		const struct judged *o = map_get(&c->judge->by_id, *on);
		if (o && explains(o, c, d, now_ms))
			return root_of(o);
	}
	return NULL;
}

void depend_changed(struct judged *o)
{
	MAP_EACH (&o->judge->rests, e) {
		const struct rests *r = e->value;
		struct judged *c = map_get(&o->judge->by_id, e->key);
		VEC_EACH (&r->on, char *, on)
			if (c && !strcmp(*on, o->id))
				judge_later(c);
	}
}

/*
 * judge_quorum.c - what one probe says when several locations ask it.
 *
 * The sources of one probe or step at its locations are a group. Who answers opposes who fails; who
 * knows nothing, cannot tell or is silent does neither, so that one failure more can only add to
 * those who fail or take from those who oppose them. Who failed until he fell silent goes on to
 * count while another of his group fails. Of a location that is itself the suspect no failure
 * counts: it cannot tell.
 */

#include <string.h>

#include "base/clock.h"
#include "judge/judge_inside.h"

#define DISSENT_MAX 3 /* locations that are named */

struct votes {
	unsigned bad, failing, slow, good;
	unsigned left_bad, left_failing, left_slow;
};

static bool tells(enum says says)
{
	return says == SAYS_GOOD || says == SAYS_SLOW || says == SAYS_FAILING || says == SAYS_BAD;
}

static int level(enum says says)
{
	switch (says) {
	case SAYS_BAD: return 3;
	case SAYS_FAILING: return 2;
	case SAYS_SLOW: return 1;
	case SAYS_GOOD:
	case SAYS_NOTHING:
	case SAYS_STALE:
	case SAYS_OURS: break;
	}
	return 0;
}

static bool is_suspect(const struct source *s)
{
	return s->place && s->place->told.suspect;
}

static enum says says_of(const struct source *s, int64_t now_ms)
{
	const enum says says = source_says(s, now_ms);
	return is_suspect(s) && level(says) ? SAYS_OURS : says;
}

/* --- groups ----------------------------------------------------------------------------------- */

static int by_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int by_group(const void *a, const void *b)
{
	const struct source *x = ((const struct opinion *)a)->s;
	const struct source *y = ((const struct opinion *)b)->s;
	int by = strcmp(x->probe, y->probe);
	by = by ? by : by_text(x->step, y->step);
	by = by ? by : strcmp(x->cloud, y->cloud);
	return by ? by : strcmp(x->location, y->location);
}

static bool same_group(const struct source *x, const struct source *y)
{
	return !strcmp(x->probe, y->probe) && !by_text(x->step, y->step) &&
	       !strcmp(x->cloud, y->cloud);
}

/* --- votes ------------------------------------------------------------------------------------ */

static void vote(struct votes *v, const struct opinion *o, int64_t now_ms)
{
	const struct fold *f = &o->s->now;
	v->bad += o->says == SAYS_BAD;
	v->failing += o->says == SAYS_FAILING;
	v->slow += o->says == SAYS_SLOW;
	v->good += o->says == SAYS_GOOD;
	if (tells(o->says) || o->forgotten || !source_left_bad_ms(o->s, now_ms))
		return;
	v->left_bad += f->bad;
	v->left_failing += !f->bad && f->failing;
	v->left_slow += !f->bad && !f->failing;
}

static bool passes(unsigned yes, unsigned no, unsigned quorum)
{
	const unsigned all = yes + no;
	return quorum ? yes && yes >= (quorum < all ? quorum : all) : yes > no;
}

static enum says verdict_of(const struct votes *v, unsigned quorum)
{
	const unsigned failing = v->bad + v->failing, slow = failing + v->slow;
	const unsigned left = v->left_bad + v->left_failing;
	if (v->bad && passes(v->bad + v->left_bad, v->slow + v->good, quorum))
		return SAYS_BAD;
	if (failing && passes(failing + left, v->slow + v->good, quorum))
		return SAYS_FAILING;
	if (slow && passes(slow + left + v->left_slow, v->good, quorum))
		return SAYS_SLOW;
	return SAYS_GOOD;
}

/* Who sees it worse than the quorum or better is overruled. Where none says just what the quorum
 * says, those who say worse stand for it. */
static void settle(struct opinion *o, size_t n, unsigned quorum, int64_t now_ms)
{
	struct votes v = {0};
	unsigned firm = 0; /* who tell, and would be heard whatever they said */
	bool exact = false;
	for (size_t i = 0; i < n; i++) {
		vote(&v, &o[i], now_ms);
		firm += tells(o[i].says) && !is_suspect(o[i].s);
	}
	const unsigned telling = v.bad + v.failing + v.slow + v.good;
	const unsigned left = v.left_bad + v.left_failing + v.left_slow;
	if (n < 2 || !telling)
		return;
	const enum says is = verdict_of(&v, quorum);
	for (size_t i = 0; i < n; i++)
		exact |= o[i].says == is;
	for (size_t i = 0; i < n; i++) {
		const enum says own = o[i].says;
		o[i].unheard = is == SAYS_BAD;
		if (!tells(own)) {
			o[i].forgotten |= !passes(left, v.slow + v.good, quorum);
			o[i].overruled = own == SAYS_OURS && (firm > 1 || is_suspect(o[i].s));
		} else if (!exact && level(own) > level(is)) {
			o[i].says = is;
		} else {
			o[i].overruled = own != is;
			o[i].dissents = level(own) > level(is) && level(own) >= 2;
		}
	}
}

size_t quorum_hear(const struct judged *c, int64_t now_ms, struct opinion *ret)
{
	const unsigned quorum = c->judge->options.quorum;
	size_t n = 0;
	bool several = false;
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		several |= n && strcmp(s->location, ret[0].s->location) != 0;
		ret[n++] = (struct opinion){
			.s = s, .says = says_of(s, now_ms), .forgotten = is_suspect(s)};
	}
	if (!several)
		return n;
	qsort(ret, n, sizeof(*ret), by_group);
	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && same_group(ret[from].s, ret[to].s);)
			to++;
		settle(ret + from, to - from, quorum, now_ms);
	}
	return n;
}

/* --- dissent ---------------------------------------------------------------------------------- */

const char *place_name(const struct source *s)
{
	return *s->location ? s->location : "this location";
}

static bool is_named(const struct source *const *named, size_t n, const struct source *s)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(named[i]->location, s->location))
			return true;
	return false;
}

char *quorum_dissent(struct judged *c, int64_t now_ms)
{
	struct opinion all[JUDGE_SOURCES_MAX];
	const struct source *named[DISSENT_MAX];
	size_t n = 0;
	struct buf text = BUF(BUF_LINE);
	char at[CLOCK_TEXT];
	const size_t count = quorum_hear(c, now_ms, all);
	for (size_t i = 0; i < count && n < DISSENT_MAX; i++)
		if (all[i].dissents && !is_named(named, n, all[i].s))
			named[n++] = all[i].s;
	if (!n) {
		c->dissent_ms = 0;
		return NULL;
	}
	if (!c->dissent_ms)
		c->dissent_ms = now_ms;
	clock_rfc3339(c->dissent_ms * 1000, at);
	buf_printf(&text, "below quorum since %.5s UTC: ", at + strlen("2026-11-26T"));
	for (size_t i = 0; i < n; i++)
		buf_printf(&text, "%s%s sees: %s", i ? "; " : "", place_name(named[i]),
			fault_text(named[i]->now.bad_fault));
	return buf_take(&text);
}

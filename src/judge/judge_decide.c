/*
 * judge_decide.c - what the sources of a component say together.
 *
 * A function of the sources and the time alone. Each source can only push towards worse by failing;
 * one that says nothing yet is left out, it stands for neither.
 */

#include <string.h>

#include "judge/judge_inside.h"

static const char *const rules[] = {"failing", "silent", "slow", "stale", "ours", "config", "quota",
	"blind", "good", "told", "follows", "flapping", "never"};

const char *judge_rule(const char *name)
{
	for (size_t i = 0; i < array_len(rules); i++)
		if (!strcmp(rules[i], name))
			return rules[i];
	return "never";
}

/* Of all sources, before it is said what it means. */
struct tally {
	struct decision d;
	unsigned full_bad;      /* of full severity and failing */
	int64_t unable_ms;      /* the newest result of another that could not tell */
	int64_t answer_ms;      /* the newest good answer of one of full severity */
	int64_t answer_from_ms; /* older ones say nothing beside those that fail */
	int64_t ours_from_ms;   /* nor beside those that cannot tell */
	const struct source *first[SAYS_OURS + 1]; /* the newest that says so */
	int64_t left_bad_ms;                       /* the latest one's */
	const struct source *left_bad;
	int64_t answered_ms; /* newest good answer */
	int64_t newest_ms;   /* of all, stale ones too */
	bool only_notes;     /* else they are not looked at */
	bool all_local;      /* who cannot tell: for lack of our own connectivity */
	struct told_tally told;
};

static int64_t newest_ms(const struct source *s)
{
	return s->now.last_ms > s->now.last_ours_ms ? s->now.last_ms : s->now.last_ours_ms;
}

/* What answered long before, measured by how often those that fail are asked, is no sign of life:
 * a scenario's last run would else hide an outage until its next. Nor is one whose newest result
 * failed too, although that alone would not be believed yet. */
static void count_alive(struct tally *t, const struct source *s, int64_t now_ms)
{
	const struct fold *f = &s->now;
	if (source_severity(s) != SEVERITY_OUTAGE)
		return;
	if (f->last_ours_ms > t->unable_ms && f->last_ours_ms + s->fresh_ms >= now_ms)
		t->unable_ms = f->last_ours_ms;
	if (f->last_good_ms > f->last_bad_ms && f->last_good_ms > t->answer_ms)
		t->answer_ms = f->last_good_ms;
}

static void count_full(struct tally *t, const struct source *s, enum says says, int64_t now_ms)
{
	const int64_t from_ms = s->now.last_bad_ms - s->fresh_ms;
	if (says != SAYS_BAD) {
		count_alive(t, s, now_ms);
		return;
	}
	if (source_severity(s) != SEVERITY_OUTAGE)
		return;
	t->full_bad++;
	t->answer_from_ms = from_ms > t->answer_from_ms ? from_ms : t->answer_from_ms;
}

static bool nothing_answers(const struct tally *t)
{
	return t->full_bad && t->unable_ms < t->answer_from_ms && t->answer_ms < t->answer_from_ms;
}

static void count_left_bad(struct tally *t, const struct source *s, int64_t now_ms)
{
	const int64_t left_ms = source_left_bad_ms(s, now_ms);
	if (source_severity(s) == SEVERITY_NOTE || left_ms <= t->left_bad_ms)
		return;
	t->left_bad_ms = left_ms;
	t->left_bad = s;
}

/* Nor does silence make who could not tell forgotten. */
static void count_ours(struct tally *t, const struct source *s, enum says says)
{
	const int64_t from_ms = s->now.last_ours_ms - s->fresh_ms;
	const bool mute = says == SAYS_OURS || says == SAYS_STALE || says == SAYS_NOTHING;
	if (mute && from_ms > t->ours_from_ms)
		t->ours_from_ms = from_ms;
}

static void note_bad(struct decision *d, int64_t at_ms)
{
	if (at_ms > d->bad_ms)
		d->bad_ms = at_ms;
}

/* That it answers counts all the same, unless the quorum sees that nothing does. */
static void count_overruled(struct tally *t, const struct opinion *o, int64_t now_ms)
{
	const int64_t newest = newest_ms(o->s);
	if (newest > t->newest_ms)
		t->newest_ms = newest;
	if (source_severity(o->s) == SEVERITY_NOTE && !t->only_notes)
		return;
	if (newest > t->d.evidence_ms)
		t->d.evidence_ms = newest;
	count_ours(t, o->s, SAYS_OURS);
	if (!o->unheard)
		count_alive(t, o->s, now_ms);
	t->d.overruled += o->says != SAYS_OURS;
}

static void count(struct tally *t, const struct opinion *o, int64_t now_ms)
{
	const struct source *s = o->s;
	enum says says = o->says;
	const int64_t newest = newest_ms(s), until = source_fresh_until_ms(s);
	if (newest > t->newest_ms)
		t->newest_ms = newest;
	if (source_severity(s) == SEVERITY_NOTE && !t->only_notes)
		return;
	if (!o->forgotten)
		count_left_bad(t, s, now_ms);
	count_ours(t, s, says);
	if (says == SAYS_STALE) {
		t->d.stale++;
		return;
	}
	count_full(t, s, says, now_ms);
	if (source_severity(s) == SEVERITY_NOTE &&
		(says == SAYS_BAD || says == SAYS_FAILING || says == SAYS_SLOW))
		says = SAYS_NOTHING;
	t->d.all++;
	t->d.bad += says == SAYS_BAD;
	t->d.failing += says == SAYS_FAILING;
	t->d.slow += says == SAYS_SLOW;
	t->d.good += says == SAYS_GOOD;
	t->d.ours += says == SAYS_OURS;
	t->d.undecided += says == SAYS_NOTHING;
	if (!t->first[says] || newest > newest_ms(t->first[says]))
		t->first[says] = s;
	if (says == SAYS_OURS)
		t->all_local &= s->now.ours_fault == FAULT_LOCAL;
	if (says != SAYS_NOTHING && until > t->d.fresh_ms)
		t->d.fresh_ms = until;
	if ((says == SAYS_GOOD || says == SAYS_SLOW) && s->now.last_good_ms > t->answered_ms)
		t->answered_ms = s->now.last_good_ms;
	if (newest > t->d.evidence_ms)
		t->d.evidence_ms = newest;
	if (says == SAYS_BAD || says == SAYS_FAILING)
		note_bad(&t->d, s->now.last_bad_ms);
	else if (says == SAYS_SLOW)
		note_bad(&t->d, s->now.last_good_ms);
}

static void set(
	struct decision *d, enum health health, const char *rule, const struct source *about)
{
	d->decided = true;
	d->health = health;
	d->rule = rule;
	d->about = about;
}

static const char *ours_rule(const struct judge *j, const struct tally *t)
{
	if (t->all_local && j->blind)
		return "blind";
	switch (fault_whose(t->first[SAYS_OURS]->now.ours_fault)) {
	case WHOSE_CONFIG: return "config";
	case WHOSE_QUOTA: return "quota";
	case WHOSE_NEITHER:
	case WHOSE_CLOUD:
	case WHOSE_OURS: break;
	}
	return "ours";
}

/* Silence must not make anything green: who failed until it fell silent is believed until another
 * has answered after that. */
static bool left_bad(const struct tally *t)
{
	return t->left_bad_ms && t->answered_ms <= t->left_bad_ms &&
	       (t->d.good || t->first[SAYS_NOTHING]);
}

static void set_told(struct tally *t, enum health health, const struct statement *told)
{
	struct decision *d = &t->d;
	set(d, health, "told", NULL);
	d->told = told;
	d->left_bad = told == t->told.left;
	if (told->at_ms > d->evidence_ms)
		d->evidence_ms = told->at_ms;
	if (told->fresh_ms > d->fresh_ms)
		d->fresh_ms = told->fresh_ms;
}

/* What is stored is better known than that nobody complains of it. */
static bool stands(const struct judged *c, int64_t now_ms)
{
	const struct verdict *v = &c->now.v;
	return v->stored && now_ms <= c->now.fresh_ms && v->health != HEALTH_OPERATIONAL &&
	       strcmp(v->rule, "told") != 0;
}

/* Where there is nothing but what is told, well is what somebody says is well, and nobody that
 * it is not, or was not until he fell silent. */
static void decide_told_alone(struct tally *t, const struct judged *c, int64_t now_ms)
{
	const struct told_tally *told = &t->told;
	if (told->unknown)
		set_told(t, HEALTH_UNKNOWN, told->unknown);
	else if (!told->good || c->sources.n || stands(c, now_ms))
		return;
	else if (told->left && told->good->at_ms <= told->left->fresh_ms)
		set_told(t, HEALTH_DEGRADED, told->left);
	else
		set_told(t, HEALTH_OPERATIONAL, told->good);
}

static void decide_told(struct tally *t, const struct judged *c, int64_t now_ms)
{
	const struct statement *worst = t->told.worst, *left = t->told.left;
	const bool lower =
		worst &&
		(!t->d.decided || (health_worse(worst->health, t->d.health) != t->d.health));
	if (worst)
		note_bad(&t->d, statement_from_ms(worst));
	if (lower)
		set_told(t, worst->health, worst);
	else if (t->d.left_bad && !t->left_bad)
		set_told(t, HEALTH_DEGRADED, left);
	else if (!t->d.decided)
		decide_told_alone(t, c, now_ms);
}

/* --- the whole -------------------------------------------------------------------------------- */

static bool counts_at_all(const struct tally *t, const struct opinion *o)
{
	return !o->overruled && (source_severity(o->s) != SEVERITY_NOTE || t->only_notes);
}

/* It says that it answers by what it heard before what the decision rests on. */
static bool is_past(const struct tally *t, const struct fold *f)
{
	if (t->full_bad)
		return f->last_good_ms <= f->last_bad_ms || f->last_good_ms < t->answer_from_ms;
	return f->last_good_ms < t->ours_from_ms;
}

/* What was no sign of life for the decision is not counted as an answer either: nobody knows
 * whether it still answers, or it has no say. */
static void count_past(struct tally *t, const struct opinion *all, size_t n)
{
	struct decision *d = &t->d;
	const bool ours = d->about && d->about == t->first[SAYS_OURS];
	if (!t->full_bad && !ours)
		return;
	for (size_t i = 0; i < n; i++) {
		const bool slow = all[i].says == SAYS_SLOW, good = all[i].says == SAYS_GOOD;
		if (!(good || slow) || !counts_at_all(t, &all[i]) || !is_past(t, &all[i].s->now))
			continue;
		d->good -= good;
		d->slow -= slow;
		d->undecided++;
	}
	if (d->health == HEALTH_OUTAGE) {
		d->lesser = d->good + d->slow;
		d->good = d->slow = 0;
	}
}

static void decide_sources(struct tally *t, const struct judged *c)
{
	struct decision *d = &t->d;
	d->health = HEALTH_UNKNOWN;
	d->left_bad = !d->bad && !d->failing && !d->slow && left_bad(t);
	d->rule = t->newest_ms ? "stale" : "never";
	if (nothing_answers(t))
		set(d, HEALTH_OUTAGE, "silent", t->first[SAYS_BAD]);
	else if (d->bad)
		set(d, HEALTH_DEGRADED, "failing", t->first[SAYS_BAD]);
	else if (d->failing)
		set(d, HEALTH_DEGRADED, "failing", t->first[SAYS_FAILING]);
	else if (d->slow)
		set(d, HEALTH_DEGRADED, "slow", t->first[SAYS_SLOW]);
	else if (d->left_bad)
		set(d, HEALTH_DEGRADED, "failing", t->left_bad);
	else if (d->good && t->answered_ms >= t->ours_from_ms)
		set(d, HEALTH_OPERATIONAL, "good", t->first[SAYS_GOOD]);
	else if (d->ours)
		set(d, HEALTH_UNKNOWN, ours_rule(c->judge, t), t->first[SAYS_OURS]);
}

struct decision judge_decide(const struct judged *c, int64_t now_ms)
{
	struct tally t = {.all_local = true, .only_notes = true, .told = told_count(c, now_ms)};
	struct opinion all[JUDGE_SOURCES_MAX];
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		t.only_notes &= !s->n || source_severity(s) == SEVERITY_NOTE;
	}
	const size_t n = quorum_hear(c, now_ms, all);
	for (size_t i = 0; i < n; i++)
		if (all[i].overruled)
			count_overruled(&t, &all[i], now_ms);
		else
			count(&t, &all[i], now_ms);
	if (t.told.left && t.told.left->fresh_ms > t.left_bad_ms) {
		t.left_bad_ms = t.told.left->fresh_ms;
		t.left_bad = NULL;
	}
	decide_sources(&t, c);
	count_past(&t, all, n);
	decide_told(&t, c, now_ms);
	if (!t.d.evidence_ms)
		t.d.evidence_ms = t.newest_ms;
	return t.d;
}

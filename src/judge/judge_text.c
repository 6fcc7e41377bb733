/*
 * judge_text.c - the sentence for what was decided, for operators.
 */

#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "judge/judge_inside.h"

/* "probe" or "probe step". Owned. */
static char *source_label(const struct source *s)
{
	const bool far = *s->location;
	return mem_printf("%s%s%s%s%s", s->probe, s->step ? " " : "", s->step ? s->step : "",
		far ? " from " : "", s->location);
}

/* Why it fails, and what the newest failure has in common with others. Owned. */
static char *why_text(const struct source *s)
{
	const char *why = fault_text(s->now.bad_fault), *shared = NULL;
	for (size_t i = s->n; i-- > 0;) {
		const struct result_texts *t = source_texts(s, i);
		if (fault_whose(s->results[i].fault) != WHOSE_CLOUD)
			continue;
		shared = t ? t->shared : NULL;
		break;
	}
	return mem_printf("%s%s%s", why, shared ? "; " : "", shared ? shared : "");
}

static char *failing_text(const struct decision *d, const char *label, const char *why)
{
	if (d->left_bad)
		return mem_printf(
			"%s failed until it fell silent, and nothing has answered since", label);
	if (!d->bad)
		return mem_printf("%s fails again and again: %d of its newest %u results; %s",
			label, __builtin_popcount(d->about->now.window), d->about->now.window_n,
			why);
	return mem_printf("%u of %u fail; %s: %s", d->bad, d->all, label, why);
}

static char *outage_text(const struct decision *d, const char *label, const char *why)
{
	if (d->bad == 1)
		return mem_printf("%s fails: %s", label, why);
	return mem_printf("%u fail and nothing %sanswers; %s: %s", d->bad,
		d->lesser ? "of full severity " : "", label, why);
}

static char *unknown_text(
	const struct judged *c, const struct decision *d, const char *label, int64_t now_ms)
{
	char at[CLOCK_TEXT];
	if (!strcmp(d->rule, "blind"))
		return mem_strdup("our own connectivity is gone: what we see says nothing of it");
	if (d->about && d->about->place && d->about->place->told.suspect)
		return mem_strdup(d->about->place->told.text ? d->about->place->told.text
							     : "its location is the suspect");
	if (d->about)
		return mem_printf(
			"%s cannot tell: %s", label, fault_text(d->about->now.ours_fault));
	const int64_t heard_ms = d->evidence_ms ? d->evidence_ms : c->now.v.evidence_ms;
	if (!heard_ms)
		return mem_printf(
			"nothing was heard of it since %s", clock_rfc3339(c->added_ms * 1000, at));
	return mem_printf(
		"the newest result is too old: it began at %s", clock_rfc3339(heard_ms * 1000, at));
}

static char *told_text(const struct decision *d)
{
	if (d->left_bad)
		return mem_printf("%s said so until it fell silent, and nothing has answered since",
			d->told->by);
	return mem_printf("%s: %s", d->told->by, d->told->text);
}

static char *follows_text(const struct judged *c, const struct decision *d, int64_t now_ms)
{
	const struct judged *root = map_get(&c->judge->by_id, d->root);
	struct decision own = *d;
	own.root = NULL;
	own.rule = d->own_rule;
	char *text = judge_text(c, &own, now_ms);
	char *whole = mem_printf("affected by %s: %s", root ? root->name : d->root, text);
	free(text);
	return whole;
}

/* What it is now, and why, where that is what is shown. */
static char *flapping_text(const struct judged *c, const struct decision *d, int64_t now_ms)
{
	const struct flap *f = &c->flap;
	const size_t n = f->changes.n;
	char within[UNITS_TEXT], *text;
	struct decision steady = *d;
	if (!n)
		return mem_strdup("it flapped before the last start");
	steady.rule = d->steady_rule;
	char *why = d->health == f->raw ? judge_text(c, &steady, now_ms) : NULL;
	units_time_whole((f->changed_ms - f->changes.p[0].at_ms) / 1000 * NS_PER_S, within);
	text = mem_printf("it changed its state %zu times within %s, and is %s now%s%s", n, within,
		health_name(f->raw), why ? ": " : "", why ? why : "");
	free(why);
	return text;
}

/* What passes at a second try passes, but whoever looks shall know; "": nothing does. Owned. */
static char *again_text(const struct judged *c)
{
	unsigned good = 0, again = 0;
	MAP_EACH (&c->sources, e) {
		const struct source *s = e->value;
		for (size_t i = 0; i < s->n; i++) {
			good += s->results[i].fault == FAULT_NONE;
			again += s->results[i].fault == FAULT_NONE && s->results[i].again;
		}
	}
	return again ? mem_printf(", %u of the last %u good runs at a further try", again, good)
		     : mem_strdup("");
}

static char *good_text(const struct judged *c, const struct decision *d, const char *label)
{
	char *again = again_text(c), *text;
	if (d->health != HEALTH_OPERATIONAL)
		text = mem_printf("%s answers later than it should%s", label, again);
	else if (d->good == 1)
		text = mem_printf("%s answers%s", label, again);
	else if (d->good == d->all)
		text = mem_printf("all %u answer%s", d->good, again);
	else
		text = mem_printf("%u answer, nothing is known of %u yet%s", d->good,
			d->all - d->good, again);
	free(again);
	return text;
}

char *judge_text(const struct judged *c, const struct decision *d, int64_t now_ms)
{
	if (d->root)
		return follows_text(c, d, now_ms);
	if (!strcmp(d->rule, "flapping"))
		return flapping_text(c, d, now_ms);
	if (d->told)
		return told_text(d);
	char *label = d->about ? source_label(d->about) : NULL, *text;
	char *why = d->about ? why_text(d->about) : NULL;
	if (!d->about || d->health == HEALTH_UNKNOWN)
		text = unknown_text(c, d, label, now_ms);
	else if (d->health == HEALTH_OPERATIONAL || !strcmp(d->rule, "slow"))
		text = good_text(c, d, label);
	else if (d->health == HEALTH_OUTAGE)
		text = outage_text(d, label, why);
	else
		text = failing_text(d, label, why);
	free(why);
	free(label);
	return text;
}

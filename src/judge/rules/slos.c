/*
 * slos.c - objectives being kept: their alerts and what is told of them. See slos.h.
 */

#include "judge/rules/slos.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/units.h"
#include "judge/rules/slos_inside.h"

#define TURN_NS   (2 * NS_PER_MS)
#define MINUTE_MS 60000LL
#define AGAIN_MS  60000
#define FRESH_MS  180000
#define LEAST     3 /* runs in a short window */

/* --- one objective at one time
 * ---------------------------------------------------------------------- */

static double burn_of(const struct slo *slo, const struct tally *t)
{
	return t->whole > 0 ? (1 - t->good / t->whole) / (1 - slo->objective) : NAN;
}

static void judge_alerts(struct kept *k, int64_t at_ms)
{
	for (size_t i = 0; i < k->slo->alert_count; i++) {
		const struct slo_alert *a = &k->slo->alerts[i];
		struct burning *b = &k->burning[i];
		b->over_long = kept_minutes(k, at_ms - a->long_ms, at_ms);
		b->over_short = kept_minutes(k, at_ms - a->short_ms, at_ms);
		b->firing = b->over_short.whole >= LEAST &&
			    burn_of(k->slo, &b->over_long) > a->burn &&
			    burn_of(k->slo, &b->over_short) > a->burn;
	}
}

/* The worst that fires and is no note; NULL. */
static const struct slo_alert *worst(const struct kept *k, const struct burning **ret)
{
	const struct slo_alert *found = NULL;
	for (size_t i = 0; i < k->slo->alert_count; i++) {
		const struct slo_alert *a = &k->slo->alerts[i];
		const bool worse =
			!found || (a->severity == RULE_OUTAGE && found->severity != RULE_OUTAGE);
		if (k->burning[i].firing && a->severity != RULE_NOTE && worse) {
			found = a;
			*ret = &k->burning[i];
		}
	}
	return found;
}

static double budget_left(const struct kept *k)
{
	const double burnt = burn_of(k->slo, &k->budget);
	return isnan(burnt) ? NAN : 1 - burnt;
}

static char *text_of(const struct kept *k, const struct slo_alert *a, const struct burning *b)
{
	const double left = budget_left(k);
	char length[UNITS_TEXT];
	if (k->state == RULE_IS_UNKNOWN)
		return mem_printf(
			"the objective %s does not know: nothing was measured within an hour",
			k->slo->name);
	if (!a)
		return mem_printf("the objective %s is kept: %.4g%% of its budget is left",
			k->slo->name, left * 100);
	return mem_printf(
		"the objective %s burns its budget %.3g times too fast: %.4g%% of %.0f were"
		" bad within %s, %.4g%% of the budget is left",
		k->slo->name, burn_of(k->slo, &b->over_long),
		100 * (1 - b->over_long.good / b->over_long.whole), b->over_long.whole,
		units_time_whole(a->long_ms * NS_PER_MS, length), left * 100);
}

static json_t *number(double x)
{
	return isfinite(x) ? json_real(x) : json_null();
}

static json_t *evidence_of(const struct kept *k, int64_t at_ms)
{
	json_t *values = json_array();
	int64_t longest = SERIES_HOUR_MS;
	for (size_t i = 0; i < k->slo->alert_count; i++) {
		const struct slo_alert *a = &k->slo->alerts[i];
		const struct tally *t = &k->burning[i].over_long;
		char length[UNITS_TEXT], value[40];
		snprintf(value, sizeof(value), "%.3gx", burn_of(k->slo, t));
		json_array_append_new(
			values, json_pack("{s:s, s:s?, s:I, s:I}", "term",
					units_time_whole(a->long_ms * NS_PER_MS, length), "value",
					t->whole > 0 ? value : NULL, "n", (json_int_t)t->whole,
					"failed", (json_int_t)(t->whole - t->good)));
		longest = a->long_ms > longest ? a->long_ms : longest;
	}
	json_t *j = json_pack("{s:s, s:o, s:{s:I, s:I}, s:o, s:o, s:{s:s, s:i}}", "name",
		k->slo->name, "rule", json_sprintf("objective %.6g%%", k->slo->objective * 100),
		"window", "from_ms", (json_int_t)(at_ms - longest), "to_ms", (json_int_t)at_ms,
		"values", values, "budget_left", number(budget_left(k)), "operators", "file",
		k->slo->file, "line", (int)k->slo->line);
	return j;
}

static void tell(struct kept *k, enum rule_state before, enum rule_severity severity, int64_t at_ms)
{
	const struct slos_options *o = &k->slos->options;
	const enum health firing = severity == RULE_OUTAGE ? HEALTH_OUTAGE : HEALTH_DEGRADED;
	const struct judge_told told = {
		.component = k->slo->component,
		.by = k->by,
		.health = k->state == RULE_IS_FIRING ? firing
			  : k->state == RULE_IS_GOOD ? HEALTH_OPERATIONAL
						     : HEALTH_UNKNOWN,
		.at_ms = at_ms,
		.fresh_ms = at_ms + FRESH_MS,
		.text = k->text,
		.evidence = k->evidence,
	};
	const struct rule_change change = {
		.by = k->by,
		.component = k->slo->component,
		.severity = severity,
		.from = before,
		.to = k->state,
		.at_ms = at_ms,
		.text = k->text,
		.evidence = k->evidence,
	};
	k->told_ms = at_ms;
	if (before != k->state && o->changed)
		o->changed(o->arg, &change);
	if (o->tell)
		o->tell(o->arg, &told);
}

static void step(struct kept *k, int64_t at_ms)
{
	const enum rule_state before = k->state;
	const struct burning *b = NULL;
	judge_alerts(k, at_ms);
	k->budget = kept_budget(k, at_ms);
	const struct slo_alert *a = worst(k, &b);
	const bool known = kept_minutes(k, at_ms - SERIES_HOUR_MS, at_ms).whole > 0;
	k->state = a ? RULE_IS_FIRING : known ? RULE_IS_GOOD : RULE_IS_UNKNOWN;
	if (k->state == before && k->text && at_ms - k->told_ms < AGAIN_MS)
		return;
	if (k->state != before)
		k->since_ms = at_ms;
	free(k->text);
	k->text = text_of(k, a, b);
	json_decref(k->evidence);
	k->evidence = evidence_of(k, at_ms);
	tell(k, before, a ? a->severity : RULE_DEGRADED, at_ms);
}

/* --- rounds
 * --------------------------------------------------------------------------------------------- */

static int64_t real_ns(void)
{
	return clock_mono_ns(&clock_system);
}

/* False: the turn is over. */
static bool judge_more(struct slos *s, int64_t until_ns)
{
	while (s->next < s->n) {
		struct kept *k = &s->kept[s->next++];
		if (!k->attached.n && !k->said && s->options.say) {
			k->said = true;
			s->options.say(s->options.arg, k->slo, "no series fits it yet");
		}
		if (!k->reading)
			step(k, s->at_ms);
		if (real_ns() > until_ns)
			return false;
	}
	return true;
}

static void on_timer(struct timer *t);

static void wait_for_round(struct slos *s)
{
	const int64_t now = slos_now_ms(s);
	const int64_t next = (now / MINUTE_MS + 1) * MINUTE_MS;
	timer_start(s->loop, &s->timer, (next - now) * NS_PER_MS, on_timer, s);
}

static void on_timer(struct timer *t)
{
	struct slos *s = t->arg;
	if (s->next >= s->n) {
		s->at_ms = slos_now_ms(s) / MINUTE_MS * MINUTE_MS;
		s->next = 0;
	}
	const int64_t until = real_ns() + TURN_NS;
	const bool whole = slos_take_series(s, until) && judge_more(s, until);
	reads_begin(s->reads);
	if (whole)
		wait_for_round(s);
	else
		timer_start(s->loop, &s->timer, 0, on_timer, s);
}

/* --- a replay
 * --------------------------------------------------------------------------------------------- */

static void on_replay(struct timer *t)
{
	struct slos *s = t->arg;
	const int64_t until = real_ns() + TURN_NS;
	while (s->at_ms <= s->to_ms) {
		if (s->at_ms >= s->read_ms && s->at_ms < s->to_ms)
			slos_read_hour(s);
		if (!reads_idle(s->reads)) {
			reads_begin(s->reads);
			return;
		}
		if (!judge_more(s, until)) {
			timer_start(s->loop, &s->timer, 0, on_replay, s);
			return;
		}
		s->next = 0;
		s->at_ms += MINUTE_MS;
	}
	s->done(s->done_arg, NULL);
}

static void on_reading_ended(void *arg)
{
	struct slos *s = arg;
	if (s->listens)
		reads_begin(s->reads);
	else if (!timer_running(&s->timer))
		timer_start(s->loop, &s->timer, 0, on_replay, s);
}

void slos_replay(struct slos *s, int64_t from_ms, int64_t to_ms,
	void (*done)(void *arg, const struct error *err), void *arg)
{
	s->done = done;
	s->done_arg = arg;
	s->to_ms = to_ms;
	s->read_ms = from_ms / SERIES_HOUR_MS * SERIES_HOUR_MS;
	s->at_ms = s->read_ms;
	slos_take_series(s, INT64_MAX);
	s->at_ms = (from_ms + MINUTE_MS - 1) / MINUTE_MS * MINUTE_MS;
	s->next = 0;
	timer_start(s->loop, &s->timer, 0, on_replay, s);
}

/* --- life
 * ----------------------------------------------------------------------------------------------------
 */

struct slos *slos_new(struct loop *l, struct series_store *st, const struct slos_options *o)
{
	struct slos *s = mem_new(struct slos);
	s->loop = l;
	s->store = st;
	s->options = *o;
	s->n = s->next = o->n;
	s->reads = reads_new(on_reading_ended, s);
	s->kept = mem_new_array(o->n ? o->n : 1, sizeof(*s->kept));
	for (size_t i = 0; i < o->n; i++)
		kept_init(&s->kept[i], s, o->slos[i]);
	return s;
}

static bool tells(const struct slos *s, const struct kept *like)
{
	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->kept[i].by, like->by) &&
			!strcmp(s->kept[i].slo->component, like->slo->component))
			return true;
	return false;
}

void slos_start(struct slos *s, const struct slos *before)
{
	s->listens = true;
	s->at_ms = slos_now_ms(s);
	for (size_t i = 0; before && i < before->n; i++) {
		const struct kept *k = &before->kept[i];
		if (k->told_ms && s->options.untell && !tells(s, k))
			s->options.untell(s->options.arg, k->slo->component, k->by);
	}
	timer_start(s->loop, &s->timer, 0, on_timer, s);
}

void slos_free(struct slos *s)
{
	if (!s)
		return;
	timer_cancel(&s->timer);
	reads_free(s->reads);
	for (size_t i = 0; i < s->n; i++)
		kept_fini(&s->kept[i]);
	free(s->kept);
	free(s);
}

/* --- as JSON
 * --------------------------------------------------------------------------------------------------
 */

static json_t *burn_json(const struct kept *k)
{
	json_t *all = json_array();
	for (size_t i = 0; i < k->slo->alert_count; i++) {
		const struct slo_alert *a = &k->slo->alerts[i];
		const struct burning *b = &k->burning[i];
		json_array_append_new(all,
			json_pack("{s:I, s:I, s:f, s:o, s:o, s:b, s:s}", "long_ms",
				(json_int_t)a->long_ms, "short_ms", (json_int_t)a->short_ms,
				"limit", a->burn, "long", number(burn_of(k->slo, &b->over_long)),
				"short", number(burn_of(k->slo, &b->over_short)), "firing",
				(int)b->firing, "severity", rule_severity_name(a->severity)));
	}
	return all;
}

json_t *slos_json(const struct slos *s)
{
	json_t *all = json_array();
	for (size_t i = 0; s && i < s->n; i++) {
		const struct kept *k = &s->kept[i];
		const struct tally *t = &k->budget;
		json_array_append_new(all,
			json_pack(
				"{s:s, s:s, s:f, s:s?, s:s, s:I, s:f, s:f, s:o, s:o, s:s, s:I, s:I,"
				" s:o}",
				"name", k->slo->name, "component", k->slo->component, "objective",
				k->slo->objective, "text", k->slo->text, "span",
				slo_span_name(k->slo->span), "over_ms",
				(json_int_t)(s->at_ms - kept_begin_ms(k, s->at_ms)), "good",
				t->good, "whole", t->whole, "ratio",
				number(t->whole > 0 ? t->good / t->whole : NAN), "budget_left",
				number(budget_left(k)), "state", rule_state_name(k->state),
				"since_ms", (json_int_t)k->since_ms, "series",
				(json_int_t)k->attached.n, "burn", burn_json(k)));
	}
	return all;
}

/*
 * view.h - what the pages share: a model is turned into a *view*, the JSON that a template shows.
 *
 * All that depends on the language (texts, numbers, times) and all drawing happens here, so that
 * templates only place things. Strings that functions return are borrowed from the view unless
 * said. Thread: one at a time.
 */
#ifndef WEB_PAGES_VIEW_H
#define WEB_PAGES_VIEW_H

#include <jansson.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "judge/health.h"

#define DAY_S 86400

struct view {
	const char *lang, *path;
	const json_t *texts; /* of the language: key to text */
	const json_t *site, *model;
	bool operators;
	bool clouds, regions; /* there are several: which one is said */
	int64_t now_ms;       /* the moment of the SITE document */
	json_t *root;         /* what the template shows */
	const char *missing;  /* a key without a text was asked for: a mistake of ours */
	VEC(char *) kept;
};

void view_fini(struct view *v);
const char *view_keep(struct view *v, char *owned); /* takes */

/* --- words.c: texts, numbers, times --------------------------------------------------------- */

/* The text of a key, "{1}" to "{4}" in it replaced by the arguments (NULL-terminated). */
const char *say(struct view *v, const char *key, ...) __attribute__((sentinel));
/* The key with _one or _many behind it by the number, which is {1}. */
const char *say_count(struct view *v, const char *one, const char *many, int64_t n);
const char *say_number(struct view *v, int64_t n);
const char *say_real(struct view *v, double x, int decimals);
enum rounding { ROUND_DOWN, ROUND_UP };
/* In percent, with its sign or without; rounded down never 100 when it is less. */
const char *say_percent(struct view *v, double ratio, enum rounding r);
const char *say_ratio(struct view *v, double ratio, enum rounding r);
const char *say_duration(struct view *v, double ms);      /* "1.3 s", "3 h 10 min" */
const char *say_day(struct view *v, int64_t day);         /* "3 Nov 2026" */
const char *say_day_short(struct view *v, int64_t day);   /* "3 Nov" */
const char *say_month(struct view *v, const char *month); /* "2026-11": "Nov 2026" */
const char *say_clock(struct view *v, int64_t ms);        /* "06:41:22 UTC" */
/* What a probe of that kind does, for people. */
const char *say_probe_kind(struct view *v, const char *kind);
const char *say_hour(struct view *v, int64_t ms);   /* "06:41" */
const char *say_moment(struct view *v, int64_t ms); /* "3 Nov 2026, 06:41 UTC" */
const char *say_second(struct view *v, int64_t ms); /* "3 Nov 2026, 06:41:22 UTC" */
/* Text of others inside a sentence of ours: whatever its direction, it ends where it ends. */
const char *say_isolated(struct view *v, const char *text);
const char *say_fault(struct view *v, const char *fault, const char *otherwise);
/* A map from faults to how often each: "2× no answer; 1× refused". NULL: there are none. */
const char *say_faults(struct view *v, const json_t *faults);
/* {iso, text} for the partial "time"; null for null and for no number. Owned. */
json_t *time_view(struct view *v, const json_t *ms);
json_t *time_view_short(struct view *v, const json_t *ms); /* without what the day says itself */
int64_t day_of(int64_t ms);
/* The day of the calendar (proleptic Gregorian) that is so many days after 1970-01-01. */
void civil_from_days(int64_t days, int *ret_y, int *ret_m, int *ret_d);

void view_put(json_t *o, const char *key, const char *text); /* NULL: null */
void put_time(struct view *v, json_t *o, const char *key, const json_t *ms);
/* "place" of a component: its cloud and its region, each where there are several; null: neither. */
void put_place(struct view *v, json_t *o, const json_t *component);
/* Its name, with its place behind it where another one is called the same. Borrowed. */
const char *say_component(struct view *v, const json_t *component);
void put_link(struct view *v, json_t *o, const char *key, const char *before, const char *id);

/* --- states.c: health and verdicts as word, shape and colour ---------------------------------- */

enum health view_health(const json_t *object); /* of its "health"; unknown when it is no state */
/* {name, word}: the name is that of shape and colour, for the partial "state". Owned. */
json_t *state_view(struct view *v, enum health h);
json_t *verdict_view(struct view *v, const char *verdict);
/* Why a component is in its state, from its "rule". */
const char *say_rule(struct view *v, const char *rule);
/* What is known of a state besides: "root" and "root_href", "dissent", "flapping", "worked_on" and
 * "maintenance_href", for the partial "context". */
void put_context(struct view *v, json_t *o, const json_t *document);
/* The same for something that has a root: what it is affected by. */
const char *say_why(struct view *v, const json_t *o);
/* Whether declared work counts in availability. */
const char *say_maintenance(struct view *v);
/* What else explains or qualifies a state: declared work, flapping, dissent; owned. */
json_t *notes_view(struct view *v, const json_t *o);
/* A RATIO of model.h: {figure, range | null, unseen | null}; bare: without the sign of percent, for
 * tables that say so above. Owned. */
json_t *ratio_view(struct view *v, const json_t *ratio);
json_t *ratio_view_bare(struct view *v, const json_t *ratio);

/* --- strip.c: days drawn -----------------------------------------------------------------------
 */

/* What a day is drawn as: HEALTH_COUNT for one that was not observed. */
enum { STRIP_GAP = HEALTH_COUNT, STRIP_KINDS };
/* The last `count` days of `days` as {width, paths [{name, d}], links [...], text}. Links lead to
 * `href`#dDAY, newest first, at most `links`. Owned. */
json_t *strip_view(
	struct view *v, const json_t *days, size_t count, const char *href, size_t links);
/* A year as weeks of seven days: {paths [{name, d}]}. Owned. */
json_t *year_view(struct view *v, const json_t *days);

/* --- trend.c: latency drawn ------------------------------------------------------------------ */

json_t *trend_view(struct view *v, const json_t *trend); /* owned */
json_t *spark_view(struct view *v, const json_t *trend); /* the same small, without words; owned */

/* --- explore_plot.c: percentiles drawn as smoke ------------------------------------------------
 */

/* One of EXPLORE's drawn series, on a scale from `low` to `high`: {summary, plot | null}. Owned. */
json_t *smoke_view(struct view *v, const json_t *drawn, double low, double high);
/* How far the scale must reach for it; false: nothing of it is to be drawn. */
bool smoke_range(const json_t *drawn, double *low, double *high);
/* A value with its unit; "ms" as a duration. */
const char *say_value(struct view *v, double x, const char *unit, bool rate);

/* --- matrix.c: who reached whom --------------------------------------------------------------- */

/* Of the first steps with a MATRIX (docs/scenarios.md), four at most: {step, sums, bad, columns
 * [{name, address}], rows [{name, cells [{name, text, part | null}]}], more | null}. A hundred rows
 * and columns of one at most; `more` says what is left out. Owned. */
json_t *matrices_view(struct view *v, const json_t *steps);

/* --- boots.c: how servers came up --------------------------------------------------------------
 */

/* Of the steps that made servers, fifty at most: {rows [{step, host {short, full} | null, zone,
 * state, bars [{name, d}], phases [{name, text}], total | null, tried [...], fault, cause,
 * console}], legend [{name, text, d}], span, more | null}; null: there are none. Owned. */
json_t *boots_view(struct view *v, const json_t *steps);
/* {short, full} of nova's hostId; null for null. Owned. */
json_t *host_view(const char *host);
/* What the console said, from boot_cause_name(); NULL for none. */
const char *say_boot_cause(struct view *v, const char *cause);

/* --- objectives.c: what is promised ------------------------------------------------------------
 */

/* AVAILABILITY.slos as [{name, about, component, href, objective, span, ratio | null, left | null,
 * state}]. Owned. */
json_t *objectives_view(struct view *v, const json_t *slos);

/* --- event_view.c: what is declared -------------------------------------------------------------
 */

const char *say_event_kind(struct view *v, const char *kind);
const char *say_phase(struct view *v, const char *phase);
bool event_is_over(const json_t *event);
bool event_touches(const json_t *event, const char *component);
/* The phase as word, with the shape and colour of what it does to customers. Owned. */
json_t *event_state_view(struct view *v, const json_t *event);
/* 0 to 100: {name, word, wide}. Owned. */
json_t *impact_view(struct view *v, int64_t impact);
/* The component of SITE, NULL: it is not on the page. */
const json_t *measured_component(const struct view *v, const char *id);
/* From SITE (say_component()) or from "names" of the model; its id when it is in neither. */
const char *component_name(struct view *v, const char *id);
/* What is measured of a component against what an event under way says of it; NULL: they agree, or
 * nothing is known. */
const char *say_contradiction(
	struct view *v, const json_t *event, int64_t impact, enum health measured);
/* "starts_word", "starts", "until", "ended", "lasted"; "machine" and "draft": sentences or null. */
void put_event_times(struct view *v, json_t *o, const json_t *event);
void put_event_marks(struct view *v, json_t *o, const json_t *event);
/* The event under way that concerns a component: {title, href}, or null. Owned. */
json_t *declared_view(struct view *v, const char *component);
/* For the partial "event_card", from a brief EVENT. Owned. */
json_t *event_card_view(struct view *v, const json_t *event);

/* --- evidence_told.c: what others concluded ----------------------------------------------------
 */

/* Of `told` of EVIDENCE: [{by, state, text, at, from, to, members [{key, rows}]}]. Owned. */
json_t *told_views(struct view *v, const json_t *told);

/* --- about.c -----------------------------------------------------------------------------------
 */

/* What the site says of itself, in the reader's language or else in another one: {html | null, text
 * | null, other: the language when it is another | null}; null: nothing. Owned. */
json_t *about_view(struct view *v);

/* --- pages: each fills v->root; false: the model is not what model.h says -------------------- */

bool view_status(struct view *v);
bool view_component(struct view *v);
bool view_availability(struct view *v);
bool view_scenario(struct view *v);
bool view_run(struct view *v);
bool view_evidence(struct view *v);
bool view_ledger(struct view *v);
bool view_hosts(struct view *v);
bool view_calls(struct view *v);
bool view_explore(struct view *v);
bool view_event(struct view *v);
bool view_history(struct view *v);
bool view_alerts(struct view *v);
bool view_problem(struct view *v);

/* A scenario in a list or on its page: {name, title, href, every, last ...}. Owned. */
json_t *scenario_view(struct view *v, const json_t *scenario);

#endif

/*
 * event_inside.h - what the files of events share.
 *
 * event.c has the words and the tables, event_check.c what a write may not be, event_write.c the
 * transactions, event_read.c and event_earlier.c make documents of rows, event_house.c is the half
 * of `glasshouse run`.
 */
#ifndef TELL_EVENT_INSIDE_H
#define TELL_EVENT_INSIDE_H

#include "base/buf.h"
#include "base/json.h"
#include "base/vec.h"
#include "tell/event.h"

#define EVENT_BY_MAX        200        /* bytes */
#define EVENT_KEY_MAX       200        /* bytes */
#define EVENT_EVIDENCE_MAX  1000       /* verdicts of an event */
#define EVENT_REVISIONS_MAX 100        /* of an update */
#define EVENT_TEXTS_MAX     (1u << 20) /* bytes of all texts of an event, so that it can be shown */
#define EVENT_LIST_MAX      1000       /* of one answer */
#define EVENT_KINDS         3
#define EVENT_PHASES        10

struct event_row { /* texts and JSON owned */
	char *id, *title, *key, *by;
	enum event_kind kind;
	enum event_phase phase;
	enum audience audience;
	bool machine, taken;
	int64_t phase_ms, starts_ms, until_ms, ended_ms, created_ms, changed_ms, revision;
	int64_t updates, bytes;                  /* counts */
	int64_t worst;                           /* the highest impact it ever had */
	json_t *components, *touched, *evidence; /* as in EVENT */
};

#define EVENT_COLUMNS                                                                               \
	"id, title, key, author, kind, phase, audience, machine, taken, phase_ms, starts_ms,"       \
	" until_ms, ended_ms, created_ms, changed_ms, revision, updates, bytes, worst, components," \
	" touched, evidence"

void event_row_take(struct event_row *r, const struct facts_row *row); /* of EVENT_COLUMNS */
void event_row_fini(struct event_row *r);
/* Within a transaction; ret->id NULL: there is none. */
bool event_row_load(
	struct facts_tx *tx, const char *id, struct event_row *ret, struct error *err) must_check;
/* The highest impact of its components as they are. */
int event_impact_now(const json_t *components);

/* Owned; `brief` as in struct event_filter. NULL: err. */
json_t *event_row_json(
	struct facts *f, const struct event_row *r, bool operators, bool brief, struct error *err);
/* Two documents for events_current(), of one reading; owned. */
bool event_read_current(
	struct facts *f, int64_t now_ms, json_t *ret[2], struct error *err) must_check;

/* --- event_earlier.c */
#define EVENT_EARLIER_MAX (256u << 10) /* bytes of a list's */
/* To each of [EVENT, brief]: "earlier", as events_current() has it. */
bool event_add_earlier(struct facts *f, json_t *list, struct error *err) must_check;

/* --- event_check.c */
const char *event_phases_of(enum event_kind k); /* "planned, active, completed, cancelled" */
bool event_check_title(const char *title, struct error *err) must_check;
bool event_check_text(const char *text, struct error *err) must_check;
bool event_check_impacts(const struct event_impact *p, size_t n, struct error *err) must_check;
bool event_check_author(const struct event_author *by, struct error *err) must_check;
bool event_check_evidence(const json_t *evidence, struct error *err) must_check;
bool event_check_id(const char *id, struct error *err) must_check;
bool event_check_times(
	enum event_kind k, int64_t starts_ms, int64_t until_ms, struct error *err) must_check;
/* "2026-11-26-compute-outage" of a moment and a title. */
void event_make_id(int64_t at_ms, const char *title, enum event_kind k, char *ret);

#endif

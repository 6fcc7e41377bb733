/*
 * event.h - what the operator says happened or will: incidents, maintenances, notes.
 *
 * An event is declared, a verdict is measured (judge.h); both are kept and shown side by side, and
 * neither changes the other. An event has a permanent readable id, a phase, the components it
 * concerns with an impact each, and updates, which are only ever appended: a correction is a new
 * revision of its update, and all of them stay visible. Nothing of an event is deleted.
 *
 *	incident     detected -> investigating -> identified -> monitoring -> resolved (any order,
 *	             resolved may go back)
 *	maintenance  planned -> in_progress -> completed, or cancelled
 *	info         planned -> active -> completed, or cancelled
 *
 * Each write is one transaction: the event's rows and a row of the change feed ("event", id, its
 * new revision, its audience). An event of the operators' audience (a draft) is nobody else's
 * until it is published; it never goes back. Whoever writes says who he is: `by`, of which the
 * public sees only whether it was a machine. A machine's event may be changed by machines only while
 * no human has: the first write of a human takes it over (EVENT_CHANGE of a machine is then refused
 * with ERROR_CONFLICT).
 *
 * But for the clock: a machine's change of nothing but the phase of a maintenance or an info is
 * always taken. What is over stays over, but for incidents; work that begins early began then.
 * What was written while it was a draft is public with it, once it is published.
 *
 * Several processes may write (the command line does while the house runs): events_new() sees it.
 * Text is Markdown (text/markdown.h). Limits, over which a write is refused with ERROR_LIMIT: title
 * 200 code points, a text 64 KiB, 200 components, 500 updates of an event, 100 revisions of each,
 * 1 MiB of text in all of them.
 * Thread: event_* of a transaction the facts thread; event_json() and event_list() any; events_*
 * the loop's.
 */
#ifndef TELL_EVENT_H
#define TELL_EVENT_H

#include <jansson.h>

#include "store/facts.h"

enum event_kind { EVENT_INCIDENT, EVENT_MAINTENANCE, EVENT_INFO };
enum event_phase {
	EVENT_DETECTED, /* incident: found by a machine or reported, nobody has looked yet */
	EVENT_INVESTIGATING,
	EVENT_IDENTIFIED,
	EVENT_MONITORING,
	EVENT_RESOLVED,
	EVENT_PLANNED,
	EVENT_IN_PROGRESS,
	EVENT_ACTIVE,
	EVENT_COMPLETED,
	EVENT_CANCELLED
};
const char *event_kind_name(enum event_kind k); /* "incident" */
bool event_kind_parse(const char *name, enum event_kind *ret);
const char *event_phase_name(enum event_phase p); /* "in_progress" */
bool event_phase_parse(const char *name, enum event_phase *ret);
bool event_phase_fits(enum event_kind k, enum event_phase p);
bool event_phase_over(enum event_phase p); /* resolved, completed, cancelled */

#define EVENT_ID_MAX         96 /* bytes: "2026-11-26-compute-outage", and "-2" where it was taken */
#define EVENT_TITLE_MAX      200
#define EVENT_TEXT_MAX       (64u << 10)
#define EVENT_COMPONENTS_MAX 200
#define EVENT_UPDATES_MAX    500

struct event_impact {
	const char *component; /* its id */
	int impact; /* 0 to 100, as the severity of scs-0402: 0 none, 1 to 33 a degradation,
		       34 to 99 a partial outage, 100 an outage */
};

struct event_author {
	const char *by; /* "alice", "suspect", "maintenance:patch-day"; operators see it */
	bool machine;
};

/* A new event. All borrowed. */
struct event_new {
	enum event_kind kind;
	const char *title;
	const char *text;       /* of the first update; NULL or "": none */
	enum event_phase phase; /* its first */
	enum audience audience; /* AUDIENCE_OPERATORS: a draft */
	int64_t starts_ms;      /* 0: now; may lie in the past or, but for incidents, ahead */
	int64_t until_ms;       /* when it is planned to end; 0: not known. Maintenance: needed */
	const struct event_impact *impacts;
	size_t impact_count;
	/* One that has a key is opened once: while an event of the same key is not over, or when
	 * one of a maintenance was ever, opening again changes nothing and returns its id. "" or
	 * NULL: none */
	const char *key;
	const char *id;         /* wanted; NULL: made of the date (UTC) and the title */
	const json_t *evidence; /* [id of a verdict]; NULL: none */
};

/* A change. Fields that are not given stay. */
struct event_change {
	const char *text;  /* of a new update; NULL: none */
	const char *title; /* NULL: as it is */
	int phase;         /* enum event_phase, -1: as it is */
	int64_t at_ms;     /* when it was so; 0: now. Later than now, or of a phase before the
			      one it is in began: refused */
	int64_t starts_ms, until_ms;        /* -1: as they are; until_ms 0: not known */
	const struct event_impact *impacts; /* NULL: as they are; else all of them, from now on */
	size_t impact_count;
	bool publish;           /* from here on it is public */
	const json_t *evidence; /* ids of verdicts that are added; NULL: none */
	int64_t revision;       /* refused with ERROR_CONFLICT when it is another by now; 0: any */
};

/* --- within a transaction --------------------------------------------------------------------- */

/* now_ms: the writer's clock. ret_id: at least EVENT_ID_MAX + 1 bytes. */
bool event_tx_open(struct facts_tx *tx, const struct event_new *n, const struct event_author *by,
	int64_t now_ms, char *ret_id, struct error *err) must_check;
/* ERROR_INPUT: no such event, or a phase that does not fit, with what would. One that changes
 * nothing writes nothing. */
bool event_tx_change(struct facts_tx *tx, const char *id, const struct event_change *c,
	const struct event_author *by, int64_t now_ms, struct error *err) must_check;
/* A new revision of update n (from 1): the text of it; the old one stays, marked as corrected. */
bool event_tx_correct(struct facts_tx *tx, const char *id, int update, const char *text,
	const struct event_author *by, int64_t now_ms, struct error *err) must_check;

/* --- reading, from any thread ----------------------------------------------------------------- */

/* Creates or upgrades the tables; before anything else here. For starting up only. */
bool event_migrate(struct facts *f, struct error *err) must_check;

/* EVENT, as shown everywhere; owned; NULL with err->kind 0: there is none that `audience` may see.
 *	{"id", "kind", "title", "phase", "public": bool, "machine": opened by one, "taken_over":
 *	 bool, "starts_ms", "until_ms": planned end | null, "ended_ms" | null, "created_ms",
 *	 "changed_ms", "revision", "phase_ms": since when it is in its phase, "impact": the highest
 *	 on its components as they are; of one that is over the highest it ever had,
 *	 "components": [{"id", "impact"}], "touched": [ids of all it ever concerned],
 *	 "evidence": [ids of verdicts],
 *	 "updates": [{"n": 1.., "at_ms", "phase", "text", "machine", "corrected_ms" | null,
 *	   "components", "title", "starts_ms", "until_ms" (0: not known): as from here on | null
 *	   when they stayed,
 *	   "by" (O), "revisions": [{"revision": 1.., "at_ms": written, "text", "by" (O)}]}]  oldest
 *	 first, by the time it was so,
 *	 "key" (O), "by" (O)}
 * (O): operators only. "text" is of the newest revision. */
json_t *event_json(struct facts *f, const char *id, enum audience audience, struct error *err);

struct event_filter {
	enum audience audience;
	int kind;               /* enum event_kind; -1: all */
	const char *component;  /* its id; NULL: all */
	int64_t from_ms, to_ms; /* that touch it; to_ms 0: no end */
	bool by_begin;          /* that begin in it; the newest begin first, open or not */
	bool open;              /* only those that are not over */
	size_t skip, limit;     /* limit 0: 50; at most 1000 */
	bool brief;             /* without updates but the newest */
};
/* [EVENT], those that are open first, then the newest begin first. Owned; NULL: err. */
json_t *event_list(struct facts *f, const struct event_filter *filter, struct error *err);
/* How many there are without skip and limit; -1: err. */
int64_t event_count(struct facts *f, const struct event_filter *filter, struct error *err);

/* Months in which any of them began (UTC), ["2026-11"], the newest first. Owned; NULL: err. */
json_t *event_months(struct facts *f, enum audience audience, struct error *err);

/* --- the house's ------------------------------------------------------------------------------ */

struct events;
/* Something changed, by us or another process; it is durable. */
typedef void events_changed(void *arg);
struct events *events_new(struct loop *l, struct facts *f, events_changed *changed, void *arg,
	struct error *err) must_check;
void events_free(struct events *e);
/* Somebody of this house wrote events in a transaction of his own: it is seen at once, what others
 * write within a second. */
void events_wake(struct events *e);

/* err NULL: done; id is the event's ("" of one whose opening was cancelled). Once, never from
 * inside the call. At the latest events_free() calls it, with ERROR_CANCELLED: what waits then is
 * still written, and nobody hears of it. */
typedef void events_done(void *arg, const char *id, const struct error *err);
/* Copies. done may be NULL: refusals are logged. */
void events_open_one(struct events *e, const struct event_new *n, const struct event_author *by,
	events_done *done, void *arg);
void events_change(struct events *e, const char *id, const struct event_change *c,
	const struct event_author *by, events_done *done, void *arg);
void events_correct(struct events *e, const char *id, int update, const char *text,
	const struct event_author *by, events_done *done, void *arg);
/* All that is not over (maintenance and info: within the next 30 days too) and the 50 newest that
 * are, as event_list() of operators, brief; at most 200 that are not; borrowed until the next
 * change. Each has what was said before its newest update too, newest first, as far as 256 KiB go
 * for all of the list: "earlier": [{"n", "at_ms", "phase", "text", "corrected_ms" | null}]. */
const json_t *events_current(const struct events *e);
/* The same for the public. */
const json_t *events_current_public(const struct events *e);

#endif

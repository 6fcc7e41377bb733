/*
 * maintenance.h - windows that come again by the clocks of a place, and the events made of them.
 *
 * Each item of `maintenance:` is a rule (base/calendar.h). Its occurrences become events of kind
 * maintenance, planned, `announce` before they begin, once each (key "maintenance:NAME:DATE"),
 * which go to in_progress and completed by the clock; so do those that people planned, and infos
 * (active). An occurrence that a human cancelled stays cancelled; one that is announced is not
 * changed by another configuration. Catches up after a sleep or a stop, to 31 days: what began and
 * ended meanwhile goes through all its phases with its planned times. What was over before a rule
 * was seen first is left alone.
 * What lies in a window is told with maintenance_windows(): of events of kind maintenance that are
 * planned or in progress, and of rules not announced yet; the judge and the schedule of probes are
 * given them. A draft that a human keeps counts nowhere. Thread: the loop's.
 */
#ifndef TELL_MAINTENANCE_H
#define TELL_MAINTENANCE_H

#include "base/calendar.h"
#include "tell/event.h"

struct maintenance_rule { /* borrowed for the life of struct maintenance, or until configured anew
			   */
	const char *name, *title, *text; /* text: Markdown, or NULL */
	const char *zone;                /* IANA; NULL: UTC */
	struct calendar_rule when;
	const struct event_impact *impacts;
	size_t impact_count;
	const char *const *probes; /* names, besides; NULL-terminated, or NULL */
	int64_t announce_ms;       /* before; default 7 days; -1: not announced, windows only */
	bool is_public;            /* default true */
};

struct maintenance_window {
	const char *event; /* its id; NULL: not announced, or not to all */
	int64_t from_ms, to_ms;
	const char *const *components, *const *probes; /* NULL-terminated */
};

struct maintenance;
/* Windows may be others now; at least once an hour, since time goes on. */
typedef void maintenance_changed(void *arg);
/* `changed` is not called from in here. Errors: a zone that cannot be read. To be freed before its
 * events. */
struct maintenance *maintenance_new(struct loop *l, struct facts *f, struct events *e,
	const struct maintenance_rule *rules, size_t n, maintenance_changed *changed, void *arg,
	struct error *err) must_check;
void maintenance_free(struct maintenance *m);
bool maintenance_configure(struct maintenance *m, const struct maintenance_rule *rules, size_t n,
	struct error *err) must_check;
/* Events changed: look again. */
void maintenance_wake(struct maintenance *m);
/* Windows that touch the next `ahead_ms` from now; returns how many; borrowed until the next call
 * of any of these. */
size_t maintenance_windows(
	struct maintenance *m, int64_t ahead_ms, const struct maintenance_window **ret);

#endif

/*
 * reports.h - what happened, by mail, every so often: availability and changes, runs, how long
 * calls and waits took, the ledger, and what was not observed.
 *
 * A report covers the time from the end of the one before to its own end, so nothing is left out
 * and nothing told twice. It is durable, with its end, before it is sent the first time; its
 * Message-ID stays the same. What the server does not take is tried again (1 s, 2 s, ... 5 min) for
 * 24 h, then given up and logged. What came due while nobody ran is one report at the start. The
 * first one comes a whole period after a report is configured. Thread: the loop's.
 */
#ifndef TELL_REPORTS_H
#define TELL_REPORTS_H

#include "base/zone.h"
#include "judge/judge.h"
#include "net/mail.h"

#define REPORT_EVERY_MIN (3600 * NS_PER_S)
#define REPORT_EVERY_MAX (7 * 24 * 3600 * NS_PER_S)

struct reports;

struct report {
	const char *name;      /* unique; what is remembered of it stands under it */
	const char *const *to; /* addresses, NULL-terminated */
	struct mail_server mail;
	int64_t every_ns; /* whole hours, REPORT_EVERY_MIN to _MAX */
	int at_minute;    /* of the day, in the site's time zone; -1: counted from the start */
};

struct report_site {
	const char *name, *url; /* url "": no links */
	const char *instance, *location;
	const char *timezone; /* NULL: UTC */
};

/* Borrows all but the site, which it copies. No reports yet. */
struct reports *reports_new(struct loop *l, struct facts *f, struct series_store *series,
	struct judge *j, struct mailer *mailer, struct error *err) must_check;
/* What is under way is cut off; it is sent again after the next start. Before the store is closed.
 */
void reports_free(struct reports *r);
/* The reports from now on (SIGHUP); those that stay go on as they were, mail of those that are gone
 * is dropped. Copies all but secrets, which it borrows. */
bool reports_configure(struct reports *r, const struct report_site *site, const struct report *list,
	size_t n, struct error *err) must_check;

/* The end of the first period that ends after `last_ms`: with an hour of the day those of the
 * days' clocks, whole days counted from a Monday; without one, every_ns later. */
int64_t report_due_ms(const struct zone *z, int64_t every_ns, int at_minute, int64_t last_ms);
/* The end of the last period that ended by `now_ms`; last_ms when there is none. */
int64_t report_over_ms(
	const struct zone *z, int64_t every_ns, int at_minute, int64_t last_ms, int64_t now_ms);

#endif

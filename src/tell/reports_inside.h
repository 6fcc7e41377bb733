/*
 * reports_inside.h - the inside of reports, shared by their files and by nobody else.
 *
 *	reports.c       life, configuration, when one is due
 *	reports_when.c  periods on the clocks of a place
 *	reports_send.c  what is durable, attempts, giving up
 *	reports_text.c  what a report says
 */
#ifndef TELL_REPORTS_INSIDE_H
#define TELL_REPORTS_INSIDE_H

#include "base/random.h"
#include "base/vec.h"
#include "store/figures.h"
#include "store/worker.h"
#include "tell/reports.h"
#include "tell/rows.h"

struct report_mail { /* durable, not yet taken */
	char id[UUID_TEXT];
	int64_t made_ms, next_ms;
	unsigned tries;
	char *subject, *text;
};

struct report_part { /* a component, as the judge knows it when a report is made */
	char *id, *name;
	enum health health;
};

/* One report being made: its figures come on the loop, the rest is read on the worker. */
struct report_making {
	struct worker_job job;     /* first */
	struct reporter *reporter; /* NULL: it is gone */
	struct facts *facts;
	struct zone *zone;                                 /* owned */
	char *site, *url, *instance, *location, *timezone; /* owned */
	int64_t from_ms, to_ms, made_ms;
	VEC(struct report_part) parts;
	VEC(struct figure_row) rows[FIGURE_WHATS]; /* slowest first */
	struct buf benches;
	size_t unread; /* series */
	struct figures_reading *reading;
	struct error err;
	struct report_mail *mail; /* what comes of it */
};

struct report_attempt {            /* outlives its reporter */
	struct reporter *reporter; /* NULL: it is gone */
	struct mail_call *call;
};

struct reporter {
	struct reports *reports;
	struct report config; /* owned copies */
	int64_t covered_ms;   /* end of the last one made */
	bool known;           /* there is one, or a begin */
	struct timer due, retry;
	struct report_making *making; /* being read */
	bool writing;
	VEC(struct report_mail *) mails; /* oldest first */
	struct report_attempt *attempt;  /* with the oldest */
};

struct reports {
	struct loop *loop;
	struct facts *facts;
	struct series_store *series;
	struct judge *judge;
	struct mailer *mailer;
	struct worker *worker;
	struct rows *rows;
	struct zone *zone;
	char *site, *url, *instance, *location, *timezone;
	VEC(struct reporter *) list;
};

int64_t reports_now_ms(const struct reports *r);

/* --- reports.c */
/* Looks whether one is due; comes again by itself. */
void reporter_look(struct reporter *p);

/* --- reports_send.c */
bool reports_tables(struct facts *f, struct error *err) must_check;
/* What is remembered under its name. */
bool reporter_load(struct reporter *p, struct error *err) must_check;
/* covered_ms becomes durable, with the mail if there is one (taken). */
void reporter_keep(struct reporter *p, int64_t covered_ms, struct report_mail *mail);
void reporter_send(struct reporter *p); /* whatever is due */
void reporter_stop(struct reporter *p); /* no attempt any more */
/* Nothing is remembered under its name any more. */
void reporter_forget(struct reporter *p);
void report_mail_free(struct report_mail *m);

/* --- reports_text.c */
/* On the worker: makes m->mail, or m->err. */
void report_write(struct report_making *m);

#endif

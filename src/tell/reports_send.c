/*
 * reports_send.c - what is durable of reports, attempts to send them, giving up.
 *
 * A mail and the end of what it covers are one transaction, so a report is made once whatever dies
 * when; it is deleted once the server has taken it.
 */

#include "tell/reports_inside.h"

#include <string.h>

#include "base/log.h"

#define DEADLINE_NS    (30 * NS_PER_S) /* a mail server may look the sender up first */
#define BACKOFF_MAX_MS (5 * 60 * 1000LL)
#define KEEP_MS        (24 * 3600 * 1000LL)

static const struct facts_migration migrations[] = {
	{1, "CREATE TABLE report(name TEXT PRIMARY KEY, covered INTEGER NOT NULL);"
	    "CREATE TABLE report_mail(id TEXT PRIMARY KEY, report TEXT NOT NULL,"
	    " made INTEGER NOT NULL, subject TEXT NOT NULL, body TEXT NOT NULL);"
	    "CREATE INDEX report_mail_report ON report_mail(report, made);"},
};

bool reports_tables(struct facts *f, struct error *err)
{
	return facts_migrate(f, "reports", migrations, array_len(migrations), err);
}

void report_mail_free(struct report_mail *m)
{
	if (!m)
		return;
	free(m->subject);
	free(m->text);
	free(m);
}

/* --- what is durable -------------------------------------------------------------------------- */

static bool on_covered(void *arg, const struct facts_row *row)
{
	struct reporter *p = arg;
	p->covered_ms = facts_int(row, 0);
	p->known = true;
	return false;
}

static bool on_mail(void *arg, const struct facts_row *row)
{
	struct reporter *p = arg;
	struct report_mail *m = mem_new(struct report_mail);
	snprintf(m->id, sizeof(m->id), "%s", facts_text(row, 0));
	m->made_ms = m->next_ms = facts_int(row, 1);
	m->subject = mem_strdup(facts_text(row, 2));
	m->text = mem_strdup(facts_text(row, 3));
	vec_push(&p->mails, m);
	return true;
}

bool reporter_load(struct reporter *p, struct error *err)
{
	const struct facts_value v[] = {FACTS_T(p->config.name)};
	return facts_query(p->reports->facts, "SELECT covered FROM report WHERE name = ?", v, 1,
		       on_covered, p, err) &&
	       facts_query(p->reports->facts,
		       "SELECT id, made, subject, body FROM report_mail WHERE report = ?"
		       " ORDER BY made",
		       v, 1, on_mail, p, err);
}

static void on_durable(void *arg)
{
	struct reporter *p = arg;
	p->writing = false;
	reporter_send(p);
	reporter_look(p);
}

void reporter_keep(struct reporter *p, int64_t covered_ms, struct report_mail *mail)
{
	struct rows_job *j = rows_job_new();
	p->covered_ms = covered_ms;
	p->known = true;
	p->writing = true;
	ROWS_ADD(j,
		"INSERT INTO report(name, covered) VALUES(?, ?)"
		" ON CONFLICT(name) DO UPDATE SET covered = excluded.covered",
		FACTS_T(p->config.name), FACTS_I(covered_ms));
	if (mail) {
		vec_push(&p->mails, mail);
		ROWS_ADD(j,
			"INSERT INTO report_mail(id, report, made, subject, body)"
			" VALUES(?, ?, ?, ?, ?)",
			FACTS_T(mail->id), FACTS_T(p->config.name), FACTS_I(mail->made_ms),
			FACTS_T(mail->subject), FACTS_T(mail->text));
	}
	rows_submit(p->reports->rows, j, on_durable, p);
}

void reporter_forget(struct reporter *p)
{
	struct rows_job *j = rows_job_new();
	ROWS_ADD(j, "DELETE FROM report_mail WHERE report = ?", FACTS_T(p->config.name));
	ROWS_ADD(j, "DELETE FROM report WHERE name = ?", FACTS_T(p->config.name));
	rows_submit(p->reports->rows, j, NULL, NULL);
}

/* --- sending ---------------------------------------------------------------------------------- */

static void on_retry(struct timer *t)
{
	reporter_send(t->arg);
}

/* The oldest one is taken, or given up: it is sent no more. */
static void end_mail(struct reporter *p)
{
	struct rows_job *j = rows_job_new();
	struct report_mail *m = p->mails.p[0];
	ROWS_ADD(j, "DELETE FROM report_mail WHERE id = ?", FACTS_T(m->id));
	vec_remove(&p->mails, 0);
	report_mail_free(m);
	p->writing = true;
	rows_submit(p->reports->rows, j, on_durable, p);
}

static void on_answer(void *arg, const struct mail_answer *a)
{
	struct report_attempt *t = arg;
	struct reporter *p = t->reporter;
	free(t);
	if (!p)
		return;
	struct report_mail *m = p->mails.p[0];
	const int64_t now = reports_now_ms(p->reports);
	p->attempt = NULL;
	if (!a->fault) {
		log_event(LOG_INFO, "report_sent", "report", "%s", p->config.name, "subject", "%s",
			m->subject, NULL);
		end_mail(p);
		return;
	}
	const char *why = a->detail[0] ? a->detail : fault_text(a->fault);
	if (a->permanent || now - m->made_ms >= KEEP_MS) {
		log_event(LOG_ERROR, "report_given_up", "report", "%s", p->config.name, "subject",
			"%s", m->subject, "why", "%s", why, NULL);
		end_mail(p);
		return;
	}
	if (m->tries == 1)
		log_event(LOG_WARN, "report_not_taken", "report", "%s", p->config.name, "why", "%s",
			why, NULL);
	const int64_t wait = m->tries < 10 ? 1000LL << (m->tries - 1) : BACKOFF_MAX_MS;
	m->next_ms = now + (wait < BACKOFF_MAX_MS ? wait : BACKOFF_MAX_MS);
	reporter_send(p);
}

void reporter_send(struct reporter *p)
{
	const struct reports *r = p->reports;
	if (!p->mails.n || p->writing || p->attempt)
		return;
	struct report_mail *m = p->mails.p[0];
	const int64_t now = reports_now_ms(r);
	if (m->next_ms > now) {
		timer_start(r->loop, &p->retry, (m->next_ms - now) * NS_PER_MS, on_retry, p);
		return;
	}
	char *id = mem_printf("%s@%s", m->id, strchr(p->config.mail.from, '@') + 1);
	m->tries++;
	p->attempt = mem_new(struct report_attempt);
	p->attempt->reporter = p;
	p->attempt->call = mail_send(r->mailer, &p->config.mail,
		&(struct mail_message){
			.to = p->config.to,
			.subject = m->subject,
			.text = m->text,
			.id = id,
			.date_unix_us = m->made_ms * 1000,
			.deadline_ns = DEADLINE_NS,
		},
		on_answer, p->attempt);
	free(id);
}

void reporter_stop(struct reporter *p)
{
	timer_cancel(&p->retry);
	rows_forget(p->reports->rows, p);
	if (!p->attempt)
		return;
	p->attempt->reporter = NULL;
	mail_cancel(p->attempt->call);
}

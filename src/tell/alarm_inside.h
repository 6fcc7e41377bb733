/*
 * alarm_inside.h - the inside of alarms, shared by their files and by nobody else.
 *
 *	alarm.c               alarms as a whole: start, configuration, the feed, what could not run
 *	alarm_config.c        one alarm's configuration: checked and copied
 *	alarm_rows.c          tables; the writes of rows.h
 *	alarm_load.c          what the tables held when we started
 *	alarm_note.c          which alarm is told what
 *	alarm_send.c          one alarm's queue: folding, messages, attempts, giving up
 *	alarm_text.c          sentences
 *	alarm_webhook.c alarm_alertmanager.c alarm_mail.c alarm_deadman.c     the four kinds
 *
 * A *note* is one change for one alarm; it is durable before anything else happens with it. A
 * *message* is what is sent: one note, or several that were folded. Each alarm has at most one
 * message under way, so order is kept: what comes later waits in the queue as notes.
 * What lies in memory is what the tables will hold once the writes that wait are done.
 */
#ifndef TELL_ALARM_INSIDE_H
#define TELL_ALARM_INSIDE_H

#include "base/json.h"
#include "base/map.h"
#include "base/random.h"
#include "base/vec.h"
#include "observe/scenario/journal.h"
#include "tell/alarm.h"
#include "tell/rows.h"

#define ALARM_NOTES_MAX 100 /* in one message */
#define ALARM_KEEP_MS   (24 * 3600 * 1000LL)
#define ALARM_DEADLINE  (10 * NS_PER_S)

struct channel;

struct note {
	char *change;  /* what it is told of: "verdict:17" */
	char *subject; /* "health:compute", "could_not_run:quota", "object:4711", "may_close:ID" */
	char *opened;  /* the change that began what this one ends, or NULL */
	json_t *body;  /* {"change": {}}, {"could_not_run": {}}, {"needs_admin": {}} or
			  {"may_close": {}}; "ends": what is told no more */
	int64_t queued_ms;
	bool heard; /* the receiver took something of this trouble before */
};

struct told { /* what a receiver believes of a subject that is not well */
	char *change;
	json_t *body; /* the note's */
	int64_t began_ms;
	bool sent;  /* a message with it was made */
	bool heard; /* a message of this trouble was taken */
};

struct message {
	char id[UUID_TEXT];
	int64_t made_ms, next_ms;
	unsigned tries;
	VEC(struct note *) notes;
};

struct attempt {                 /* outlives its alarm: curl still has its body */
	struct channel *channel; /* NULL: it is gone */
	struct http_call *http;
	struct mail_call *mail;
	char *body;
	bool repeats; /* no message: what fires is repeated, or a sign of life */
};

struct channel {
	struct alarms *alarms;
	struct alarm config; /* owned copies */
	struct map told;     /* by subject */
	VEC(struct note *) queue;
	struct message *message;
	struct attempt *attempt;
	bool writing; /* nothing is sent until that is durable */
	int64_t fold_until_ms;
	struct timer timer, repeat;
	uint64_t sent, failed;
	bool repeated; /* since we started */
	int64_t last_ok_ms;
	char *trouble;
};

struct unrun { /* what could not be run, and is not over */
	char *component, *why;
	int64_t since_ms;
};

struct wish {                         /* a note about what could not be run, not yet planned */
	char *what, *component, *why; /* why NULL: over */
	int64_t at_ms, since_ms;
};

struct alarms {
	struct loop *loop;
	struct facts *facts;
	struct http_client *client;
	struct mailer *mailer;
	struct alarm_site site; /* owned copies */
	struct rows *rows;
	VEC(struct channel *) channels;
	struct alarm_state *states;
	struct map unrun;
	VEC(struct wish) wishes;
	int64_t cursor;
	bool look, planning, alive;
	VEC(struct note *) planned; /* until they are durable */
	VEC(struct channel *) planned_for;
	struct timer again;
	uint64_t dropped;
	char *trouble;       /* of reading the tables */
	alarms_event *event; /* NULL: nobody knows of any */
	void *event_arg;
};

int64_t alarm_now_ms(const struct alarms *a);

/* --- alarm.c */
void alarm_could_not_run(
	struct alarms *a, const char *what, const char *component, const char *why);

/* --- alarm_config.c */
bool alarm_config_check(const struct alarm *list, size_t n, struct error *err) must_check;
void alarm_config_copy(struct alarm *to, const struct alarm *from);
void alarm_config_fini(struct alarm *c);
char *alarm_default_name(const struct alarm *c); /* returns owned */

/* --- alarm_load.c */
bool alarm_load(struct alarms *a, struct error *err) must_check;
bool channel_load(struct channel *c, struct error *err) must_check;

/* --- alarm_note.c */
void note_free(struct note *n);
bool note_is_end(const struct note *n); /* of what was told before */
void told_free(struct told *t);
struct told *told_get(const struct channel *c, const char *subject);
/* Each writes and remembers the note if the alarm wants it; else NULL. The caller queues it once
 * the job is durable. */
struct note *note_health(struct channel *c, struct rows_job *j, const struct judge_change *change);
struct note *note_unrun(struct channel *c, struct rows_job *j, const struct wish *w);
/* Of a row of the ledger that came to need an administrator, or no longer does. */
struct note *note_object(
	struct channel *c, struct rows_job *j, const struct journal_object *o, int64_t seq);
/* Of an event, event_json() of operators, that came to be proposed for closing, or no longer is. */
struct note *note_event(struct channel *c, struct rows_job *j, const json_t *event, int64_t seq);

/* --- alarm_send.c */
struct channel *channel_new(struct alarms *a, const struct alarm *config);
void channel_free(struct channel *c);
void channel_step(struct channel *c);                                     /* whatever is due */
struct attempt *attempt_new(struct channel *c, char *body, bool repeats); /* takes body */
/* Ends it; NULL when its alarm is gone. */
struct channel *delivery_end(struct attempt *a);
void channel_took(struct channel *c);
void channel_failed(struct channel *c, const char *why, bool permanent, int64_t wait_ms);
void channel_note_trouble(struct channel *c, const char *why); /* NULL: none */

/* --- alarm_text.c: all return owned text */
char *alarm_duration_text(int64_t s);
char *alarm_note_line(const json_t *body); /* "Compute is in outage" */
char *alarm_note_text(const json_t *body); /* "Compute is in outage: all 3 probes fail" */
char *alarm_message_title(const struct message *m);
char *alarm_message_text(const struct alarms *a, const struct message *m);
/* The key of a fact in a note's body. */
const char *alarm_fact_key(const json_t *fact);
/* What stands in a note's body under that key. Borrows. */
const json_t *alarm_note_fact(const json_t *body);

/* --- the kinds: each sends c->message and ends in channel_took() or channel_failed() */
void alarm_send_webhook(struct channel *c);
void alarm_send_alertmanager(struct channel *c);
void alarm_send_mail(struct channel *c);
void alarm_alertmanager_repeat(struct channel *c); /* starts, goes on or ends what repeats */
void alarm_deadman_beat(struct channel *c);
/* Sends JSON; the answer decides (alarm_webhook.c). Takes body. */
void alarm_post(struct channel *c, const char *url, char *body, const char *id, bool repeats,
	http_done *done);
/* What an answer means: NULL when it was taken, else why not. Returns owned. */
char *alarm_answer_trouble(const struct alarms *a, const struct http_answer *answer,
	bool *ret_permanent, int64_t *ret_wait_ms);

#endif

/*
 * alarm.h - telling operators: on each change of health, and when something could not be run.
 *
 * The change feed is read with a cursor of our own (STORE.md): one transaction advances the cursor
 * and writes a delivery for every configured alarm that wants the change, so that a change is
 * told exactly once whatever dies when. A delivery has an id that stays the same through all its
 * attempts (Idempotency-Key, Message-ID, Alertmanager's own labels); it is marked before it is
 * sent the first time and retried (1 s, 2 s, ... 5 min, for 24 h) until the receiver has taken it.
 * Folding, per alarm: the first change is told at once; what follows within `fold` (1 min) is
 * told together in one summary. A change back says how long the trouble lasted. Rows `object` of
 * the feed are of the ledger (journal.h): that something needs an administrator is told once, and
 * once that it no longer does. Of rows `event` only that one is proposed for closing is told
 * (suspect.h). Thread: the loop's.
 */
#ifndef TELL_ALARM_H
#define TELL_ALARM_H

#include "base/secret.h"
#include "judge/judge.h"
#include "net/http_client.h"
#include "net/mail.h"

struct alarms;

enum alarm_kind { ALARM_WEBHOOK, ALARM_ALERTMANAGER, ALARM_MAIL, ALARM_DEADMAN };

#define ALARM_ON_RECOVERY (1u << HEALTH_COUNT) /* back to operational; told by default */

struct alarm {
	const char *name; /* unique; default: kind and address */
	enum alarm_kind kind;
	const char *url;            /* webhook, alertmanager's base, dead-man's push URL */
	const struct secret *token; /* Authorization: Bearer, or NULL */
	const char *const *to;      /* mail: addresses, NULL-terminated */
	struct mail_server mail;    /* mail */
	unsigned on; /* bit (1 << health) of states that are told; 0: degraded, outage, unknown */
	const char *const *components; /* ids; NULL: all */
	int64_t every_ns;              /* dead-man: 0: 1 min */
	int64_t fold_ns;               /* 0: 1 min */
	bool maintenance;              /* hears of what lies within declared work too */
};

struct alarm_site {
	const char *name, *url; /* what messages say and link to; url "" : no links */
	const char *instance, *location;
};

/* Starts where the cursor stands (at the end of the feed the first time). Borrows loop, facts,
 * client, mailer; copies the rest, but borrows secrets. */
struct alarms *alarms_new(struct loop *l, struct facts *f, struct http_client *client,
	struct mailer *mailer, const struct alarm_site *site, const struct alarm *list, size_t n,
	struct error *err) must_check;
void alarms_free(struct alarms *a);
/* New configuration (SIGHUP): deliveries of alarms that are gone are dropped and counted. */
bool alarms_configure(struct alarms *a, const struct alarm_site *site, const struct alarm *list,
	size_t n, struct error *err) must_check;
/* Who knows the open event of a component: its id, borrowed until the loop turns, or NULL. Messages
 * of its changes link to it. */
typedef const char *alarms_event(void *arg, const char *component);
void alarms_events(struct alarms *a, alarms_event *event, void *arg);
/* A change is durable: look at the feed. */
void alarms_wake(struct alarms *a);
/* Something could not be run (configuration, quota, ours): told once when it begins and once when
 * it is over, per `what`; why NULL: it is over. component NULL or "": none. Durable before it is
 * told. */
void alarms_could_not_run(
	struct alarms *a, const char *what, const char *component, const char *why);
/* Whether dead-man pushes go out: only while we observe and store. */
void alarms_alive(struct alarms *a, bool alive);

/* "webhook", "alertmanager", "mail", "deadman". */
const char *alarm_kind_name(enum alarm_kind kind);

struct alarm_state {
	const char *name;
	enum alarm_kind kind;
	uint64_t sent, failed; /* deliveries taken; attempts that failed */
	size_t waiting;
	int64_t last_ok_ms;
	const char *trouble; /* why the last attempt failed, or NULL */
};
/* In order of configuration. Borrowed until the next call. */
size_t alarms_states(const struct alarms *a, const struct alarm_state **ret);
/* Changes that were never told because their alarm is gone from the configuration. */
uint64_t alarms_dropped(const struct alarms *a);

#endif

/*
 * alarm_mail.c - a message as mail. Its Message-ID stays the same through all attempts; the end of
 * trouble answers the mail that told of it, so that mail programs show them together.
 */
#include <stdio.h>
#include <string.h>

#include "tell/alarm_inside.h"

#define DEADLINE_NS (30 * NS_PER_S) /* a mail server may look the sender up first */

static void on_answer(void *arg, const struct mail_answer *a)
{
	struct channel *c = delivery_end(arg);

	if (!c)
		return;
	if (a->fault) {
		channel_failed(c, a->detail[0] ? a->detail : fault_text(a->fault), a->permanent, 0);
		return;
	}
	/* Taken, but perhaps not for all: then the detail says so. */
	channel_note_trouble(c, a->detail[0] ? a->detail : NULL);
	channel_took(c);
}

static bool on_message(void *arg, const struct facts_row *row)
{
	snprintf(arg, UUID_TEXT, "%s", facts_text(row, 0));
	return false;
}

/* The message that told of what this one ends; "" when there is none. */
static void find_opener(const struct channel *c, char *ret_id)
{
	const struct note *n = c->message->notes.p[0];
	const struct facts_value v[] = {FACTS_T(c->config.name), FACTS_T(n->opened)};

	ret_id[0] = '\0';
	if (c->message->notes.n != 1 || !n->opened ||
		!facts_query(c->alarms->facts,
			"SELECT message FROM alarm_note WHERE alarm = ? AND change = ?"
			" AND message IS NOT NULL",
			v, array_len(v), on_message, ret_id, NULL))
		ret_id[0] = '\0';
}

void alarm_send_mail(struct channel *c)
{
	const struct alarm *config = &c->config;
	const char *host = strchr(config->mail.from, '@') + 1;
	char opener[UUID_TEXT], *title = alarm_message_title(c->message);
	char *subject = mem_printf("[%s] %s", c->alarms->site.name, title);
	char *id = mem_printf("%s@%s", c->message->id, host), *reply_to;
	struct attempt *t = attempt_new(c, alarm_message_text(c->alarms, c->message), false);

	find_opener(c, opener);
	reply_to = opener[0] ? mem_printf("%s@%s", opener, host) : NULL;
	t->mail = mail_send(c->alarms->mailer, &config->mail,
		&(struct mail_message){
			.to = config->to,
			.subject = subject,
			.text = t->body,
			.id = id,
			.in_reply_to = reply_to,
			.date_unix_us = c->message->made_ms * 1000,
			.deadline_ns = DEADLINE_NS,
		},
		on_answer, t);
	free(reply_to);
	free(id);
	free(subject);
	free(title);
}

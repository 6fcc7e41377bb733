/*
 * mail.h - sends mail: SMTP (RFC 5321) with STARTTLS (RFC 3207) or implicit TLS, by libcurl.
 *
 * Messages are made here (RFC 5322, MIME, UTF-8: headers encoded as RFC 2047, body
 * quoted-printable), so that no caller can inject a header or a recipient.
 * Thread: the loop's.
 */
#ifndef NET_MAIL_H
#define NET_MAIL_H

#include "base/fault.h"
#include "base/secret.h"
#include "net/loop.h"

struct mailer;
struct mail_call;

enum mail_tls { MAIL_STARTTLS, MAIL_IMPLICIT, MAIL_PLAIN };

struct mail_server {
	const char *host; /* "mail.example.org:587" */
	enum mail_tls tls;
	const char *user; /* NULL: no log-in; refused without TLS unless the host is loopback */
	const struct secret *password;
	const char *from;    /* address */
	const char *ca_file; /* NULL: the system's */
};

struct mail_message {
	const char *const *to;   /* addresses, NULL-terminated, at most 50 */
	const char *subject;     /* any text, one line is made of it */
	const char *text;        /* plain text */
	const char *id;          /* Message-ID without <>; stays the same when sent again */
	const char *in_reply_to; /* or NULL: threads with the message of that id */
	int64_t date_unix_us;
	int64_t deadline_ns; /* > 0 */
};

struct mail_answer {
	enum fault fault;
	char detail[256];
	int status;     /* last SMTP reply code, 0: none */
	bool permanent; /* 5xx: sending it again will not help */
};

struct mailer *mailer_new(struct loop *l, struct error *err) must_check;
void mailer_free(struct mailer *m); /* cancels: their callbacks run in here */
/* Copies everything but the secret's text, which is read now. done once, never from in here. */
struct mail_call *mail_send(struct mailer *m, const struct mail_server *server,
	const struct mail_message *message, void (*done)(void *arg, const struct mail_answer *a),
	void *arg);
void mail_cancel(struct mail_call *c);

#endif

/*
 * mail_text.h - a message as the bytes of SMTP's DATA. Shared by mail.c and its tests.
 *
 * Thread: any.
 */
#ifndef NET_MAIL_TEXT_H
#define NET_MAIL_TEXT_H

#include "base/buf.h"
#include "net/mail.h"

#define MAIL_RECIPIENTS_MAX 50
#define MAIL_TEXT_MAX       (1u << 20)

/* An address we send to or from: "name@host", ASCII, no quoting, no display name, nothing that
 * could end a header or a command. */
bool mail_address_good(const char *address);
/* Whether a password may go there: with TLS, or without leaving this machine. */
bool mail_keeps_password(const struct mail_server *s);
/* Appends headers and body, lines ended by CRLF, none over 998 bytes. */
bool mail_text_write(struct buf *out, const char *from, const struct mail_message *m,
	struct error *err) must_check;

#endif

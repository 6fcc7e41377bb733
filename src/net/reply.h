/*
 * reply.h - answers of protocols that talk in turns: SMTP and FTP, IMAP, POP3, LDAP's and
 * PostgreSQL's answers to a wish for TLS. Pure readers of bytes that are never trusted.
 * Thread: any.
 */
#ifndef NET_REPLY_H
#define NET_REPLY_H

#include <stdbool.h>

#include "base/slice.h"

#define REPLY_MAX (16u << 10) /* of one, all its lines */

enum reply_state {
	REPLY_MORE,  /* it is not whole yet */
	REPLY_GOOD,  /* whole: the server agrees */
	REPLY_BAD,   /* whole: it refuses */
	REPLY_BROKEN /* not what the protocol allows */
};

struct reply {
	size_t n;          /* bytes it takes, when whole */
	int code;          /* SMTP, FTP: 220; LDAP: its result; else 0 */
	struct slice text; /* what it says, without what the protocol puts around; borrows */
};

typedef enum reply_state reply_reader(struct slice got, struct reply *ret);

/* "220-first\r\n220 last\r\n"; good below 400. `text` is all lines as they came. */
reply_reader reply_smtp;
/* A greeting of IMAP, "* OK ..." (or PREAUTH; BYE refuses). */
reply_reader reply_imap_greeting;
/* Up to the line that begins with "gh " (our tag); OK agrees. `text` is all lines before it. */
reply_reader reply_imap;
#define REPLY_IMAP_TAG "gh "
/* "+OK ..." or "-ERR ...". */
reply_reader reply_pop3;
/* The answer to LDAP's StartTLS (RFC 4511 section 4.14). */
reply_reader reply_ldap;
/* One byte: S agrees, N refuses. */
reply_reader reply_postgres;

/* The lines of an EHLO answer but the first, without their codes: "PIPELINING, SIZE 52428800". */
struct buf;
void reply_smtp_capabilities(struct slice reply, struct buf *out);
/* What stands behind "* CAPABILITY" among the lines: "IMAP4rev1 STARTTLS". */
void reply_imap_capabilities(struct slice reply, struct buf *out);
/* Whether `word` is one of those, as written by the two above (ASCII, any case). */
bool reply_can(struct slice capabilities, const char *word);

#endif

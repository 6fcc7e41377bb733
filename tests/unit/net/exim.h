/*
 * exim.h - Debian's exim on loopback, started for a test and ended by it.
 *
 * It has mailboxes a, b and c; a mail to "full" is put off (452), to others refused (550). It
 * offers STARTTLS and, inside TLS only, log-in as alice with "open sesame".
 */
#ifndef TESTS_UNIT_NET_EXIM_H
#define TESTS_UNIT_NET_EXIM_H

#include <stdbool.h>
#include <sys/types.h>

#include "peer.h"

struct exim {
	char dir[64];
	unsigned port, tls_port, bare_port; /* STARTTLS; TLS at once; without any TLS */
	pid_t pid, bare_pid;
};

bool exim_exists(void);
/* It answers when this returns. */
struct exim *exim_start(const struct peer_certificate *certificate);
void exim_stop(struct exim *e);
/* The next mail that arrived for a mailbox, whole; waits for it. Owned; taken out of the box. */
char *exim_mail(struct exim *e, const char *box);
bool exim_has_mail(struct exim *e, const char *box);

#endif

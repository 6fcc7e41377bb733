/*
 * sshd.h - real OpenSSH servers on loopback, each with its own host key, configuration and folder,
 * and a relay before them that holds back what it is told to. Never a service of the machine.
 */
#ifndef TESTS_NET_SSHD_H
#define TESTS_NET_SSHD_H

#include <stdbool.h>
#include <sys/types.h>

#include "peer.h"

struct sshd {
	pid_t pid;
	unsigned port;
	char dir[64];
};

/* Whether the machine has the program. */
bool sshd_exists(void);
/* Lets in whoever has the key `authorized` (one public line). `options`: more lines of sshd_config.
 */
struct sshd *sshd_start(const char *authorized, const char *options);
void sshd_stop(struct sshd *s);
/* The user who runs the tests; it is the only one these servers can log in. Borrows. */
const char *sshd_user(void);

/* Between a client and a server: passes `down_max` bytes from the server, then nothing more. */
struct relay {
	struct peer *peer;
	unsigned to;
	atomic_long down_max;
	atomic_bool cut; /* close both sides now */
};

void relay_start(struct relay *r, unsigned to, long down_max);
void relay_stop(struct relay *r);

#endif

/*
 * ssh_chain.h - the hops of an SSH call from the first jump server to the target, which may stay
 * open for a while after it: several commands of one guest share a session so.
 *
 * Thread: the ssh thread.
 */
#ifndef NET_SSH_CHAIN_H
#define NET_SSH_CHAIN_H

#include "net/ssh_hop.h"

#define SSH_HOPS_MAX 5

struct ssh_keep;

struct ssh_chain {
	struct ssh_hop hops[SSH_HOPS_MAX]; /* never moves: watchers point here */
	size_t n, at;                      /* at: the one that is being logged in to; n: all are */
	struct ssh_keep *keep;             /* while nobody uses it */
	struct timer idle;
};

/* Those that nobody uses. */
struct ssh_keep {
	struct loop *loop;
	VEC(struct ssh_chain *) chains;
};

void ssh_chain_free(struct ssh_chain *c); /* closes all; NULL is fine */
/* Who is woken when one of its descriptors is ready. */
void ssh_chain_wakes(struct ssh_chain *c, void (*wake)(void *arg), void *arg);

/* Takes a chain that is logged in and quiet. It is closed when it is too old, when they are too
 * many, and as soon as its server says anything: then the server ends it. */
void ssh_keep_put(struct ssh_keep *k, struct ssh_chain *c);
/* One to the same target by the same way with the same keys, logged in; NULL: none. */
struct ssh_chain *ssh_keep_take(struct ssh_keep *k, const struct ssh_chain *like);
void ssh_keep_fini(struct ssh_keep *k);

#endif

/*
 * ssh_hop.h - one host on the way of an SSH call: connected, key exchanged, logged in, and perhaps
 * forwarding to the next. Thread: the ssh thread.
 */
#ifndef NET_SSH_HOP_H
#define NET_SSH_HOP_H

#include <libssh/libssh.h>

#include "base/buf.h"
#include "base/fault.h"
#include "base/secret.h"
#include "base/vec.h"
#include "net/loop.h"
#include "net/resolver.h"

enum hop_state {
	HOP_RESOLVE,
	HOP_CONNECT, /* TCP, or the channel of the hop before */
	HOP_KEX,
	HOP_AUTH,
	HOP_FORWARD, /* logged in; opening the way to the next */
	HOP_READY,
	HOP_FAILED,
};

struct ssh_hop {
	/* set by the owner, freed by ssh_hop_close() */
	char *host, *user, *host_key_types;
	unsigned port;
	int family;
	struct secret *key; /* NULL: nobody logs in */

	struct loop *loop;
	struct resolver *resolver;
	int64_t deadline_ns; /* for resolving; the owner bounds the rest */
	void (*wake)(void *arg);
	void *arg;
	enum hop_state state, failed_in;
	enum fault fault;
	char detail[256];
	struct ssh_lookup *lookup;
	struct resolved found; /* tried in order */
	size_t next;
	int64_t resolve_ns; /* of a query that really left; the owner charges it */
	bool refused;       /* an address refused: more telling than one that cannot be reached */
	int fd;             /* -1: none yet */
	bool fd_is_ours;    /* not libssh's to close */
	uv_poll_t *poll;
	ssh_session session;
	ssh_key private_key;
	ssh_channel forward;
	int pump_fd; /* our end of the pair whose other end the next hop has */
	uv_poll_t *pump_poll;
	bool pump_watched, pump_ended;
	char up[16384], down[16384]; /* what is on its way: to the channel, from it */
	size_t up_n, down_n;
};

/* Borrows resolver. */
void ssh_hop_init(struct ssh_hop *h, struct loop *l, struct resolver *r, int64_t deadline_ns,
	void (*wake)(void *arg), void *arg);
/* Goes as far as it can; `next` NULL for the last hop. Look at `state` afterwards. */
void ssh_hop_step(struct ssh_hop *h, struct ssh_hop *next);
/* Moves bytes between the forward channel and the pair; true if any moved. Fails the hop when its
 * connection is gone: whoever comes behind it would wait for ever. */
bool ssh_hop_pump(struct ssh_hop *h);
void ssh_hop_close(struct ssh_hop *h);
/* That it is connected to, or was tried last; "" when there is none. */
void ssh_hop_address(const struct ssh_hop *h, char *text, size_t n);
void ssh_hop_facts(
	const struct ssh_hop *h, char *host_key, size_t n, char *banner, size_t banner_n);

#endif

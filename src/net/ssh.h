/*
 * ssh.h - log in to a guest with a key and run commands (libssh, non-blocking, on its own thread
 * and loop, since key exchange takes milliseconds of CPU).
 *
 * Host keys are not checked against a file: guests are new each time. The fingerprint is
 * returned so that a change between two log-ins can be seen.
 * Thread: all functions and callbacks belong to the owner's loop; the ssh thread is inside.
 */
#ifndef NET_SSH_H
#define NET_SSH_H

#include "base/fault.h"
#include "base/secret.h"
#include "net/loop.h"
#include "net/phases.h"

struct ssh_pool; /* the thread */
struct ssh_call;

struct ssh_host {
	const char *host; /* name or address */
	unsigned port;
	const char *user;
	const struct secret *private_key; /* OpenSSH or PEM text; of the target NULL: see below */
};

struct ssh_request {
	/* Without a private key nobody logs in: the key exchange alone shows the server (`command`
	 * must be NULL). */
	struct ssh_host target;
	const struct ssh_host *via; /* jump servers, first hop first, or NULL */
	size_t via_count;           /* at most 4 */
	const char *command;        /* run by the user's shell; NULL: log in only */
	struct slice input;         /* written to its stdin, then closed */
	int64_t deadline_ns;        /* whole call */
	int family;                 /* of the first hop; AF_UNSPEC: any */
	const char *host_key_types; /* "ssh-ed25519,...", of the target; NULL: libssh's choice */
	size_t output_max;          /* 0: 64 KiB; more is cut and said */
	/* The session may be one that stayed open after another such call to the same target by the
	 * same way (then only body and total take time), and stays open for 15 s after this one. */
	bool keep;
};

struct ssh_result {
	enum fault fault; /* NONE, RESOLVE, REFUSED, UNREACHABLE, TIMEOUT, SSH_BANNER, SSH_AUTH,
			     EXIT_STATUS (output is there), CONNECTION_LOST, PROTOCOL (no
			     algorithm in common), CANCELLED, LOCAL */
	char detail[256];
	/* resolve; connect; tls = key exchange; wait = authentication; body = command */
	struct phases phases;
	int exit_status;
	struct slice output, errors; /* borrowed during the callback */
	bool output_cut;
	char address[64];  /* of the first hop, tried last */
	char host_key[64]; /* "SHA256:…" */
	char banner[128];  /* the server's identification */
};

typedef void ssh_done(void *arg, const struct ssh_result *r);

struct ssh_pool *ssh_pool_new(struct loop *l, struct error *err) must_check;
/* Cancels (the callbacks run in here, none may start another call) and joins the thread. */
void ssh_pool_free(struct ssh_pool *p);
/* Copies the request. done is called once, never from in here. At most 5 log in by the same first
 * hop at the same time, or an sshd would turn some away; the others wait, within their deadline. */
struct ssh_call *ssh_run(
	struct ssh_pool *p, const struct ssh_request *request, ssh_done *done, void *arg);
void ssh_cancel(struct ssh_call *call);

/* A new key pair. `type`: "ed25519" or "rsa" (3072). ret_public: one OpenSSH line, owned. Takes
 * milliseconds (rsa: up to a second). Thread: any. */
bool ssh_keypair_new(const char *type, const char *comment, struct secret **ret_private,
	char **ret_public, struct error *err) must_check;

#endif

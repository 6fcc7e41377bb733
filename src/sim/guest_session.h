/*
 * guest_session.h - one SSH connection to a guest, and its channels. Thread: the guests'.
 *
 * libssh calls back from within ssh_event_dopoll(); those callbacks only note what is asked for,
 * and guest_session_step() acts on it afterwards, so that nothing is freed under libssh's feet.
 */
#ifndef SIM_GUEST_SESSION_H
#define SIM_GUEST_SESSION_H

#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>

#include "base/buf.h"
#include "sim/guest_serve.h"
#include "sim/guest_shell.h"

#define CHANNELS_MAX 10 /* of one session, as OpenSSH's MaxSessions */
#define DOOR_NONE    (-1)

struct session {
	struct guest_server *server;
	char guest[ID_TEXT];
	unsigned boots;
	int door; /* it came through, or DOOR_NONE: from another guest */
	ssh_session ssh;
	ssh_event event;
	int fd; /* of ours, for the loop: libssh may close its own at any time */
	uv_poll_t *poll;
	struct timer limit; /* to log in, then for being idle */
	struct ssh_server_callbacks_struct callbacks;
	char user[16]; /* "" until logged in */
	bool in;       /* and that has been seen */
	unsigned tries;
	bool ending;
	bool again; /* a channel stopped for others to have their turn */
	VEC(struct channel *) channels;
};

/* A channel: a command, a person's shell, or a way on to another guest. */
struct channel {
	struct session *session;
	ssh_channel ssh;
	struct ssh_channel_callbacks_struct callbacks;

	/* commands and shells */
	bool asked;    /* for a command or a shell */
	char *command; /* NULL: a shell */
	bool begun, tty;
	bool input_ended, prompt_due;
	struct shell shell;
	struct buf typed;   /* not yet looked at, of a shell */
	struct buf edit;    /* the line that is being typed */
	struct buf wire[2]; /* on its way to the client: output, errors */
	size_t sent[2];

	/* a way on */
	int pump; /* our end of the pair whose other end is a session; -1: none */
	uv_poll_t *pump_poll;
	struct buf up, down; /* to the channel, to the pair */
	bool pump_ended, shut;
};

/* Serves a connection; takes the descriptor. Over the limits it is closed at once. */
void guest_session_new(struct guest_server *server, int fd, const struct world_guest *g, int door);
void guest_session_free(struct session *s);
/* Whether the guest and the way to it are still there in the world of now. */
bool guest_session_holds(const struct session *s);
/* Goes as far as it can; may free the session. */
void guest_session_step(struct session *s);

/* --- channels -------------------------------------------------------------------------------- */

/* Takes the libssh channel. */
struct channel *guest_channel_new(struct session *s, ssh_channel ssh);
void guest_channel_free(struct channel *c);
/* Goes as far as it can; false when it is over. */
bool guest_channel_step(struct channel *c);
bool guest_channel_busy(const struct channel *c); /* a command runs */
/* Writes what the window takes of b from *sent on; true when all is out. */
bool guest_channel_flush(struct channel *c, struct buf *b, size_t *sent, bool is_error);

/* The answer to a direct-tcpip request: opens a session on the guest that is asked for, if packets
 * of this one reach it. False: refuse. */
bool guest_forward_open(struct session *s, ssh_message request);
bool guest_forward_step(struct channel *c);
void guest_forward_close(struct channel *c);

#endif

/*
 * guest_forward.c - ways on to other guests (ssh -J): a channel of one session is a connection to
 * another guest, through a socket pair, so that a session sees a plain descriptor everywhere.
 */

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/guest_session.h"

#define PIECE    16384
#define SSH_PORT 22
#define TURN     16 /* pieces each way, then others have theirs */

static void on_pump(uv_poll_t *poll, int status, int events)
{
	const struct channel *c = poll->data;
	if (c)
		guest_session_step(c->session);
}

/* The guest that packets of this session's guest to that address and port reach. */
static const struct world_guest *target_of(const struct session *s, const char *address, int port)
{
	const struct guest_world *w = s->server->world;
	const struct world_guest *from = world_guest(w, s->guest);
	struct ip a;
	if (!from || port != SSH_PORT || !address)
		return NULL;
	if (!ip_parse(address, &a) && (strcmp(address, "localhost") || !ip_parse("127.0.0.1", &a)))
		return NULL;
	return world_way(w, from, a, PACKET_TCP, SSH_PORT).guest;
}

bool guest_forward_open(struct session *s, ssh_message request)
{
	const struct world_guest *to =
		target_of(s, ssh_message_channel_request_open_destination(request),
			ssh_message_channel_request_open_destination_port(request));
	int pair[2];
	if (!to || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		return false;
	ssh_channel ssh = ssh_message_channel_request_open_reply_accept(request);
	if (!ssh) {
		close(pair[0]);
		close(pair[1]);
		return false;
	}
	struct channel *c = guest_channel_new(s, ssh);
	c->pump = pair[0];
	c->up.max = c->down.max = PIECE;
	c->pump_poll = guest_watch(s->server->loop, c->pump, UV_READABLE, on_pump, c);
	guest_session_new(s->server, pair[1], to, DOOR_NONE);
	return true;
}

static void drop_front(struct buf *b, size_t n)
{
	memmove(b->p, b->p + n, b->n - n);
	buf_cut(b, b->n - n);
}

/* From the pair to the channel; true if anything moved. */
static bool pump_up(struct channel *c)
{
	char piece[PIECE];
	const ssize_t n = c->pump_ended ? -1 : read(c->pump, piece, PIECE - c->up.n);
	size_t sent = 0;
	if (n > 0)
		buf_add(&c->up, piece, (size_t)n);
	if (n == 0 && c->up.n < PIECE)
		c->pump_ended = true;
	const size_t before = c->up.n;
	if (!guest_channel_flush(c, &c->up, &sent, false))
		drop_front(&c->up, sent);
	return n > 0 || c->up.n < before;
}

static bool pump_down(struct channel *c)
{
	char piece[PIECE];
	const int n = ssh_channel_read_nonblocking(c->ssh, piece, (uint32_t)(PIECE - c->down.n), 0);
	ssize_t sent = 0;
	if (n > 0)
		buf_add(&c->down, piece, (size_t)n);
	if (c->down.n)
		sent = send(c->pump, c->down.p, c->down.n, MSG_NOSIGNAL);
	if (sent > 0)
		drop_front(&c->down, (size_t)sent);
	if (!c->down.n && !c->shut && ssh_channel_is_eof(c->ssh)) {
		shutdown(c->pump, SHUT_WR);
		c->shut = true;
	}
	return n > 0 || sent > 0;
}

bool guest_forward_step(struct channel *c)
{
	bool moved = true;
	for (int n = 0; moved && n < TURN; n++) {
		moved = pump_up(c);
		moved |= pump_down(c);
	}
	c->session->again |= moved;
	if (ssh_channel_is_closed(c->ssh))
		return false;
	if (c->pump_ended && !c->up.n) {
		ssh_channel_send_eof(c->ssh);
		ssh_channel_close(c->ssh);
		return false;
	}
	/* Of a full buffer only its emptying is waited for: the channel's is seen by the session.
	 */
	const int events = (c->up.n < PIECE && !c->pump_ended ? UV_READABLE : 0) |
			   (c->down.n ? UV_WRITABLE : 0);
	if (events)
		uv_poll_start(c->pump_poll, events, on_pump);
	else
		uv_poll_stop(c->pump_poll);
	return true;
}

void guest_forward_close(struct channel *c)
{
	loop_unwatch(&c->pump_poll);
	if (c->pump >= 0)
		close(c->pump);
	c->pump = -1;
	buf_fini(&c->up);
	buf_fini(&c->down);
}

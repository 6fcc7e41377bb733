#include "sim/guest_serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "sim/guest_memory.h"
#include "sim/guest_session.h"

#define MAP_BASE    0x7f4d0400u /* 127.77.4.0 */
#define BACKLOG     256
#define ACCEPT_ONCE 64 /* then the other descriptors have their turn */
#define REST_NS     (100 * NS_PER_MS)

/* --- descriptors -------------------------------------------------------------------------------
 */

int guest_socket(unsigned n, unsigned port, int backlog)
{
	const int one = 1;
	const struct sockaddr_in a = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(MAP_BASE | n)};
	const int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* Connections that have just ended must not keep a door from opening again. A socket that
	 * only holds a port wants to see whoever else has it. */
	if (backlog > 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) == 0 &&
		(backlog == 0 || listen(fd, backlog) == 0))
		return fd;
	const int sys = errno;
	close(fd);
	errno = sys;
	return -1;
}

uv_poll_t *guest_watch(struct loop *l, int fd, int events, uv_poll_cb back, void *data)
{
	uv_poll_t *p = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(l), p, fd);
	p->data = data;
	uv_poll_start(p, events, back);
	return p;
}

/* --- doors -------------------------------------------------------------------------------------
 */

static void enter(struct door *d, int fd)
{
	const int one = 1;
	const struct world_guest *g = d->server->world->doors[d->n].guest;
	if (d->kind >= DOOR_TCP) {
		guest_stream_new(d->server, fd, d->n, d->kind - DOOR_TCP);
		return;
	}
	if (d->kind == DOOR_PING || !g) {
		close(fd);
		return;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	guest_session_new(d->server, fd, g, (int)d->n);
}

static void on_knock(uv_poll_t *poll, int status, int events);

static void on_rested(struct timer *t)
{
	struct door *d = t->arg;
	uv_poll_start(d->poll, UV_READABLE, on_knock);
}

static void on_knock(uv_poll_t *poll, int status, int events)
{
	struct door *d = poll->data;
	for (int n = 0; d && n < ACCEPT_ONCE; n++) {
		const int fd = accept4(d->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd >= 0) {
			enter(d, fd);
			continue;
		}
		if (errno == EINTR || errno == ECONNABORTED)
			continue;
		if (errno != EAGAIN) {
			/* Out of descriptors: the knock stays, and would call us at once again. */
			uv_poll_stop(poll);
			timer_start(d->server->loop, &d->rest, REST_NS, on_rested, d);
		}
		return;
	}
}

/* NULL when the port is taken on this address: then nobody is reached there, and the next change
 * tries again. */
static struct door *door_open(struct guest_server *server, enum door_kind kind, unsigned n)
{
	const int fd = guest_socket(n, server->ports[kind], BACKLOG);
	if (fd < 0)
		return NULL;
	struct door *d = mem_new(struct door);
	d->server = server;
	d->kind = kind;
	d->n = n;
	d->fd = fd;
	d->poll = guest_watch(server->loop, fd, UV_READABLE, on_knock, d);
	return d;
}

static void door_close(struct door *d)
{
	if (!d)
		return;
	timer_cancel(&d->rest);
	loop_unwatch(&d->poll);
	close(d->fd);
	free(d);
}

static void set_door(struct guest_server *server, enum door_kind kind, unsigned n, bool open)
{
	struct door **d = &server->doors[kind][n];
	if (open && !*d) {
		*d = door_open(server, kind, n);
	} else if (!open && *d) {
		door_close(*d);
		*d = NULL;
	}
}

void guest_serve_doors(struct guest_server *server)
{
	const struct guest_world *w = server->world;
	for (size_t i = server->streams.n; i-- > 0;)
		if (!guest_stream_holds(server->streams.p[i]))
			guest_stream_free(server->streams.p[i]);
	for (unsigned n = 0; n < WORLD_DOORS; n++) {
		set_door(server, DOOR_SSH, n, w && w->doors[n].ssh);
		set_door(server, DOOR_PING, n, w && w->doors[n].ping);
		for (unsigned i = 0; i < WORLD_PORTS; i++)
			set_door(server, DOOR_TCP + i, n, guest_stream_listens(server, n, i));
	}
}

void guest_serve_world(struct guest_server *server, struct guest_world *w)
{
	struct guest_world *old = server->world;
	server->world = w;
	for (size_t i = server->sessions.n; i-- > 0;)
		if (i < server->sessions.n && !guest_session_holds(server->sessions.p[i]))
			guest_session_free(server->sessions.p[i]);
	guest_serve_doors(server);
	guest_world_unref(old);
}

void guest_serve_fini(struct guest_server *server)
{
	while (server->sessions.n)
		guest_session_free(server->sessions.p[0]);
	guest_serve_world(server, NULL);
	vec_fini(&server->sessions);
	vec_fini(&server->streams);
	map_fini(&server->turns);
	guest_memories_fini(&server->memories);
}

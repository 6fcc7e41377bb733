/*
 * guest_serve.h - the guests' thread: doors (listening sockets on the mapped addresses), and behind
 * them the SSH sessions and the connections to what guests serve.
 *
 * A door is open exactly while the world of now has one there that lets packets in; a session lives
 * while the guest it talks to runs on without a reboot and the way it came is open. Thread: the
 * guests', but for guest_serve_init().
 */
#ifndef SIM_GUEST_SERVE_H
#define SIM_GUEST_SERVE_H

#include <stdint.h>

#include "net/loop.h"
#include "sim/guest_service.h"
#include "sim/guest_world.h"

#define SESSIONS_MAX       512 /* of all guests together, jumps included */
#define SESSIONS_GUEST_MAX 128
#define STREAMS_MAX        1024 /* connections to what guests serve */

struct session;
struct stream;
struct guest_server;

enum door_kind { DOOR_SSH, DOOR_PING, DOOR_TCP, DOOR_KINDS = DOOR_TCP + WORLD_PORTS };

struct door {
	struct guest_server *server;
	enum door_kind kind;
	unsigned n; /* 127.77.4.N */
	int fd;
	uv_poll_t *poll;
	struct timer rest; /* after running out of descriptors */
};

struct guest_server {
	struct loop *loop;
	struct guest_services *services; /* borrowed */
	unsigned ports[DOOR_KINDS];
	struct guest_world *world; /* of now, owned; NULL before the first */
	struct map memories;       /* guest -> struct guest_memory * */
	struct door *doors[DOOR_KINDS][WORLD_DOORS];
	VEC(struct session *) sessions;
	VEC(struct stream *) streams;
	struct map turns; /* pool id -> how often it has been picked from, as a pointer */
};

/* Takes the new world; opens and closes doors, ends sessions that have lost their guest. */
void guest_serve_world(struct guest_server *server, struct guest_world *w);
/* Opens and closes doors by what guests serve now, ends connections to what is served no more. */
void guest_serve_doors(struct guest_server *server);
/* Closes everything. */
void guest_serve_fini(struct guest_server *server);

/* A listening or merely bound (backlog 0) non-blocking socket on 127.77.4.N; -1 with errno. */
int guest_socket(unsigned n, unsigned port, int backlog);

/* --- guest_stream.c: connections to what guests serve --------------------------------------------
 */

/* Whether a connection to 127.77.4.N would come about at what stands for world_ports[i]. */
bool guest_stream_listens(const struct guest_server *server, unsigned n, unsigned i);
/* Serves a connection that came there; takes the descriptor. Over the limit it is closed. */
void guest_stream_new(struct guest_server *server, int fd, unsigned n, unsigned i);
void guest_stream_free(struct stream *s);
/* Whether what it talks to is still there. */
bool guest_stream_holds(const struct stream *s);

/* A handle that calls back(data) when the descriptor is ready; its data is NULL after unwatch. */
uv_poll_t *guest_watch(struct loop *l, int fd, int events, uv_poll_cb back, void *data);

#endif

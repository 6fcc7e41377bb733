/*
 * guest_serve.h - the guests' thread: doors (listening sockets on the mapped addresses) and the SSH
 * sessions behind them.
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
#define SESSIONS_GUEST_MAX 64

struct session;
struct guest_server;

enum door_kind { DOOR_SSH, DOOR_PING, DOOR_KINDS };

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
};

/* Takes the new world; opens and closes doors, ends sessions that have lost their guest. */
void guest_serve_world(struct guest_server *server, struct guest_world *w);
/* Closes everything. */
void guest_serve_fini(struct guest_server *server);

/* A listening or merely bound (backlog 0) non-blocking socket on 127.77.4.N; -1 with errno. */
int guest_socket(unsigned n, unsigned port, int backlog);

/* A handle that calls back(data) when the descriptor is ready; its data is NULL after unwatch. */
uv_poll_t *guest_watch(struct loop *l, int fd, int events, uv_poll_cb back, void *data);
void guest_unwatch(uv_poll_t **poll);

#endif

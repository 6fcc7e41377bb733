#include "sim/guest.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sim/guest_balance.h"
#include "sim/guest_picture.h"
#include "sim/guest_serve.h"
#include "sim/state.h"

#define PORT_TRIES 50
#define SETTLE_NS  (2 * NS_PER_MS) /* changes come in bunches */
#define SETTLE_MAX (100 * NS_PER_MS)
#define SHARE      10 /* pictures take at most about one part in so many of the loop's time */

struct guests {
	struct sim *sim;
	struct timer change;        /* a new picture is due */
	int64_t settle_ns;          /* how long changes are gathered */
	struct map disks;           /* server id -> struct guest_disk *, one reference each */
	struct guest_world *newest; /* a reference; NULL before the first */
	struct guest_services *services;
	int held[DOOR_KINDS]; /* sockets that keep the ports ours */

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t up;
	bool started;
	struct loop *own; /* of the thread */
	struct error wrong;
	struct guest_server server; /* the thread's, after it has started */
};

/* --- ports -------------------------------------------------------------------------------------
 */

static bool is_free(unsigned port)
{
	for (unsigned n = 1; n < WORLD_DOORS; n++) {
		const int fd = guest_socket(n, port, 0);
		if (fd < 0)
			return false;
		close(fd);
	}
	return true;
}

/* A port that nobody has on any address of the map. It stays held on the network's own address
 * 127.77.4.0, which no guest has: another simulated cloud then takes another port. */
static bool port_take(int *ret_fd, unsigned *ret_port, struct error *err)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		struct sockaddr_in a = {0};
		socklen_t n = sizeof(a);
		const int fd = guest_socket(0, 0, 0);
		if (fd < 0) {
			error_sys(err, errno,
				"the guests of the simulated cloud need the addresses %s, which "
				"are this machine's own on Linux; binding to one failed",
				GUEST_MAP_CIDR);
			return false;
		}
		if (getsockname(fd, (struct sockaddr *)&a, &n) == 0 && is_free(ntohs(a.sin_port))) {
			*ret_fd = fd;
			*ret_port = ntohs(a.sin_port);
			return true;
		}
		close(fd);
	}
	error_set(err, ERROR_SYSTEM, "no port is free on all addresses of %s", GUEST_MAP_CIDR);
	return false;
}

static bool ports_take(struct guests *g, struct error *err)
{
	for (int k = 0; k < DOOR_KINDS; k++)
		if (!port_take(&g->held[k], &g->server.ports[k], err))
			return false;
	return true;
}

unsigned guests_ssh_port(const struct guests *g)
{
	return g->server.ports[DOOR_SSH];
}

unsigned guests_ping_port(const struct guests *g)
{
	return g->server.ports[DOOR_PING];
}

unsigned guests_tcp_port(const struct guests *g, size_t i)
{
	return g->server.ports[DOOR_TCP + i];
}

struct guest_services *guests_services(const struct guests *g)
{
	return g->services;
}

/* --- the thread --------------------------------------------------------------------------------
 */

struct order {
	struct guest_server *server;
	struct guest_world *world;
};

static void on_world(void *arg)
{
	struct order *o = arg;
	guest_serve_world(o->server, o->world);
	free(o);
}

static void on_services(void *arg)
{
	struct guests *g = arg;
	guest_serve_doors(&g->server);
}

/* A guest serves something new, or no longer: its doors follow. */
static void on_served(void *arg)
{
	struct guests *g = arg;
	loop_post(g->own, on_services, g);
}

static void on_stop(void *arg)
{
	struct guests *g = arg;
	guest_serve_fini(&g->server);
	loop_release(g->own);
}

static void *thread_main(void *arg)
{
	struct guests *g = arg;
	struct loop *own = loop_new(NULL, &g->wrong);
	pthread_mutex_lock(&g->lock);
	g->own = g->server.loop = own;
	g->started = true;
	pthread_cond_signal(&g->up);
	pthread_mutex_unlock(&g->lock);
	if (!own)
		return NULL;
	loop_hold(own);
	loop_run(own); /* until on_stop(), and until all that it closed is closed */
	return NULL;
}

static bool thread_start(struct guests *g, struct error *err)
{
	if (pthread_create(&g->thread, NULL, thread_main, g) != 0) {
		error_set(err, ERROR_SYSTEM, "cannot start the thread of the guests");
		return false;
	}
	pthread_mutex_lock(&g->lock);
	while (!g->started)
		pthread_cond_wait(&g->up, &g->lock);
	pthread_mutex_unlock(&g->lock);
	if (g->own)
		return true;
	pthread_join(g->thread, NULL);
	if (err)
		*err = g->wrong;
	return false;
}

struct guests *guests_new(struct sim *s, struct error *err)
{
	struct guests *g = mem_new(struct guests);
	g->sim = s;
	g->settle_ns = SETTLE_NS;
	g->services = g->server.services = guest_services_new();
	for (int k = 0; k < DOOR_KINDS; k++)
		g->held[k] = -1;
	pthread_mutex_init(&g->lock, NULL);
	pthread_cond_init(&g->up, NULL);
	if (ports_take(g, err) && thread_start(g, err)) {
		guest_services_watch(g->services, on_served, g);
		return g;
	}
	guests_free(g);
	return NULL;
}

void guests_free(struct guests *g)
{
	if (!g)
		return;
	timer_cancel(&g->change);
	if (g->own) {
		loop_post(g->own, on_stop, g);
		pthread_join(g->thread, NULL);
		loop_free(g->own);
	}
	for (int k = 0; k < DOOR_KINDS; k++)
		if (g->held[k] >= 0)
			close(g->held[k]);
	MAP_EACH (&g->disks, e)
		guest_disk_unref(e->value);
	map_fini(&g->disks);
	guest_world_unref(g->newest);
	guest_services_free(g->services);
	pthread_mutex_destroy(&g->lock);
	pthread_cond_destroy(&g->up);
	free(g);
}

/* --- changes -----------------------------------------------------------------------------------
 */

static void on_change(struct timer *t)
{
	struct guests *g = t->arg;
	struct order *o = mem_new(struct order);
	int64_t next_ns;
	const int64_t began_ns = clock_mono_ns(&clock_system);
	o->server = &g->server;
	o->world = guest_world_new(g->sim, &g->disks, &next_ns);
	guest_world_unref(g->newest);
	g->newest = guest_world_ref(o->world);
	g->settle_ns = SHARE * (clock_mono_ns(&clock_system) - began_ns);
	g->settle_ns = g->settle_ns < SETTLE_NS    ? SETTLE_NS
		       : g->settle_ns > SETTLE_MAX ? SETTLE_MAX
						   : g->settle_ns;
	loop_post(g->own, on_world, o);
	if (next_ns >= 0) /* a guest comes up by itself */
		timer_start(g->sim->loop, &g->change, next_ns, on_change, g);
}

void guests_changed(struct sim *s)
{
	struct guests *g = s->guests;
	if (g && (!timer_running(&g->change) || timer_left_ns(&g->change) > g->settle_ns))
		timer_start(s->loop, &g->change, g->settle_ns, on_change, g);
}

void guests_disk_new(struct sim *s, const char *server)
{
	if (s->guests)
		guest_disk_unref(map_remove(&s->guests->disks, server));
}

bool guests_answer(
	struct sim *s, const char *balancer, struct ip to, enum packet what, unsigned port)
{
	const struct guests *g = s->guests;
	const struct world_balancer *b =
		g && g->newest ? world_balancer(g->newest, balancer) : NULL;
	return b && balance_check(g->newest, g->services, b, to, what, port);
}

/*
 * curl_loop.c - curl's multi_socket interface on uv_poll.
 *
 * A watch lives as long as its descriptor, from curl's open to curl's close, not from "watch it" to
 * "remove it": between two requests on a kept connection curl removes and adds it again, and each
 * of these would cost a system call. A connection nobody uses stops being watched when it first
 * stirs.
 *
 * curl 7.88 closes the socket of a connection that never came about by itself, not through our
 * close_socket(). A watch of a descriptor that is closed ends the program (libuv aborts), or hears
 * of a stranger's socket with the same number. So sockets are listed until their connection stands,
 * and whenever curl has worked those it no longer wants are looked at.
 */
#include "net/curl_loop.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

struct curl_socket {
	uv_poll_t poll;
	struct curl_loop *home;
	bool ours;      /* opened here; else a descriptor curl made for itself */
	unsigned *open; /* counts it, or NULL */
	curl_socket_t fd;
	int watched;                 /* UV_READABLE, UV_WRITABLE: what the poll is started for */
	bool wanted;                 /* curl wants to hear of it */
	ino_t inode;                 /* tells our socket from a later one with its number */
	struct curl_opening *opener; /* while it connects */
};

static void forget_closed(struct curl_loop *c);

/* --- telling curl ------------------------------------------------------------------------------
 */

static void work(struct curl_loop *c, curl_socket_t fd, int what)
{
	int running;

	c->in_curl = true;
	curl_multi_socket_action(c->multi, fd, what, &running);
	c->in_curl = false;
	forget_closed(c);
	c->harvest(c->arg);
}

static void note_connection(struct curl_socket *s)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	if (!s->opener->stood_ns && getpeername(s->fd, (struct sockaddr *)&peer, &n) == 0)
		s->opener->stood_ns = (int64_t)uv_hrtime();
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct curl_socket *s = p->data;

	if (s->opener)
		note_connection(s);
	if (!s->wanted) {
		uv_poll_stop(p);
		s->watched = 0;
		return;
	}
	work(s->home, s->fd,
		status < 0 ? CURL_CSELECT_ERR
			   : (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
				     (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void on_uv_timer(uv_timer_t *t)
{
	work(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timeout(CURLM *multi, long ms, void *arg)
{
	struct curl_loop *c = arg;

	if (ms < 0)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_uv_timer, (uint64_t)ms, 0);
	return 0;
}

/* --- watches -----------------------------------------------------------------------------------
 */

static struct curl_socket *socket_at(const struct curl_loop *c, curl_socket_t fd)
{
	return (size_t)fd < c->sockets.n ? c->sockets.p[fd] : NULL;
}

static struct curl_socket *socket_add(struct curl_loop *c, curl_socket_t fd)
{
	struct curl_socket *s = mem_new(struct curl_socket);

	if (uv_poll_init(loop_uv(c->loop), &s->poll, fd) != 0) {
		free(s);
		return NULL;
	}
	/* Calls keep the loop alive, idle connections do not. */
	uv_unref((uv_handle_t *)&s->poll);
	s->poll.data = s;
	s->home = c;
	s->fd = fd;
	while (c->sockets.n <= (size_t)fd)
		vec_push(&c->sockets, NULL);
	c->sockets.p[fd] = s;
	return s;
}

static void on_closed(uv_handle_t *h)
{
	free(h->data);
}

static void socket_drop(struct curl_socket *s)
{
	s->home->sockets.p[s->fd] = NULL;
	uv_poll_stop(&s->poll); /* leaves epoll now, before the descriptor is closed */
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

static void stop_listing(struct curl_loop *c, const struct curl_socket *s)
{
	for (size_t i = 0; i < c->connecting.n; i++)
		if (c->connecting.p[i] == s) {
			vec_remove(&c->connecting, i);
			return;
		}
}

static void uncount(const struct curl_socket *s)
{
	if (s->open)
		--*s->open;
}

static bool is_closed(const struct curl_socket *s)
{
	struct stat st;

	return fstat(s->fd, &st) != 0 || st.st_ino != s->inode;
}

static void forget_closed(struct curl_loop *c)
{
	for (size_t i = c->connecting.n; i-- > 0;) {
		struct curl_socket *s = c->connecting.p[i];

		if (s->wanted || !is_closed(s))
			continue;
		vec_remove(&c->connecting, i);
		uncount(s);
		socket_drop(s);
	}
}

void curl_loop_remove(struct curl_loop *c, CURL *easy, struct curl_opening *o)
{
	curl_multi_remove_handle(c->multi, easy);
	VEC_EACH (&c->connecting, struct curl_socket *, s)
		if ((*s)->opener == o)
			(*s)->opener = NULL;
	forget_closed(c);
}

void curl_opening_connected(struct curl_opening *o)
{
	struct curl_socket *s = o->opened ? socket_at(o->loop, o->fd) : NULL;

	if (!s)
		return;
	stop_listing(o->loop, s);
	s->opener = NULL;
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct curl_loop *c = arg;
	struct curl_socket *s = socket_at(c, fd);
	int events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	if (what == CURL_POLL_REMOVE) {
		if (s && !s->ours)
			socket_drop(s);
		else if (s)
			s->wanted = false;
		return 0;
	}
	if (!s)
		s = socket_add(c, fd);
	if (!s)
		return -1;
	s->wanted = true;
	if (s->watched != events && uv_poll_start(&s->poll, events, on_poll) == 0)
		s->watched = events;
	return 0;
}

/* --- opening and closing -----------------------------------------------------------------------
 */

static curl_socket_t open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
	struct curl_opening *o = arg;
	struct curl_socket *s;
	struct stat st;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);

	o->opened = true;
	if (getnameinfo(
		    &a->addr, a->addrlen, o->tried, sizeof(o->tried), NULL, 0, NI_NUMERICHOST) != 0)
		o->tried[0] = '\0';
	if (fd < 0) {
		o->open_errno = errno;
		return CURL_SOCKET_BAD;
	}
	s = fstat(fd, &st) == 0 ? socket_add(o->loop, fd) : NULL;
	if (!s) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	s->ours = true;
	s->inode = st.st_ino;
	s->opener = o;
	vec_push(&o->loop->connecting, s);
	o->fd = fd;
	s->open = o->open;
	if (s->open)
		++*s->open;
	return fd;
}

/* The loop stands behind it, not the transfer: connections outlive transfers. */
static int close_socket(void *arg, curl_socket_t fd)
{
	struct curl_socket *s = socket_at(arg, fd);

	if (s) {
		stop_listing(arg, s);
		uncount(s);
		socket_drop(s);
	}
	return close(fd);
}

void curl_opening_init(struct curl_opening *o, struct curl_loop *c, CURL *easy)
{
	o->loop = c;
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, o);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, c);
}

/* --- life --------------------------------------------------------------------------------------
 */

static void init_library(void)
{
	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		mem_panic("the HTTP library cannot start");
}

struct curl_loop *curl_loop_new(struct loop *l, unsigned connections, void (*harvest)(void *arg),
	void *arg, struct error *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct curl_loop *c = mem_new(struct curl_loop);

	pthread_once(&once, init_library);
	c->multi = curl_multi_init();
	if (!c->multi) {
		error_set(err, ERROR_SYSTEM, "cannot set up the HTTP client");
		free(c);
		return NULL;
	}
	c->loop = l;
	c->harvest = harvest;
	c->arg = arg;
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timeout);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)connections);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)connections);
	uv_timer_init(loop_uv(c->loop), &c->timer);
	uv_unref((uv_handle_t *)&c->timer);
	c->timer.data = c;
	return c;
}

/* c itself goes a turn later, with its timer. */
void curl_loop_free(struct curl_loop *c)
{
	curl_multi_cleanup(c->multi);
	/* curl has closed what it opened; a descriptor of its own that it never told us to forget
	 * (its resolver's) is forgotten here. */
	for (size_t i = 0; i < c->sockets.n; i++)
		if (c->sockets.p[i])
			socket_drop(c->sockets.p[i]);
	vec_fini(&c->sockets);
	vec_fini(&c->connecting);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

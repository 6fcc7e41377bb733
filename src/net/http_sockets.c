/*
 * http_sockets.c - curl's multi_socket interface on uv_poll.
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
#include <assert.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/http_call.h"

struct http_socket {
	uv_poll_t poll;
	struct http_client *client;
	struct http_host *host; /* NULL: a descriptor curl made for itself */
	curl_socket_t fd;
	int watched;              /* UV_READABLE, UV_WRITABLE: what the poll is started for */
	bool wanted;              /* curl wants to hear of it */
	ino_t inode;              /* tells our socket from a later one with its number */
	struct http_call *opener; /* while it connects */
};

static void forget_closed(struct http_client *c);

/* --- telling curl ------------------------------------------------------------------------------
 */

static void work(struct http_client *c, curl_socket_t fd, int what)
{
	int running;

	c->in_curl = true;
	curl_multi_socket_action(c->multi, fd, what, &running);
	c->in_curl = false;
	forget_closed(c);
	http_client_harvest(c);
}

static void note_connection(struct http_socket *s)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);

	if (!s->opener->stood_ns && getpeername(s->fd, (struct sockaddr *)&peer, &n) == 0)
		s->opener->stood_ns = (int64_t)uv_hrtime();
}

static void on_poll(uv_poll_t *p, int status, int events)
{
	struct http_socket *s = p->data;

	if (s->opener)
		note_connection(s);
	if (!s->wanted) {
		uv_poll_stop(p);
		s->watched = 0;
		return;
	}
	if (status < 0 && uv_poll_start(p, s->watched, on_poll) != 0) /* libuv has stopped it */
		s->watched = 0;
	/* What is wrong, reading or writing tells. Told of an error curl does neither, and so does not
	 * know that a connection that was kept broke before anything came: it would not ask again on
	 * another. Writing too: of an upload curl reads no more once the server has said its end. */
	work(s->client, s->fd,
		status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT
			   : (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
				     (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0));
}

static void on_uv_timer(uv_timer_t *t)
{
	work(t->data, CURL_SOCKET_TIMEOUT, 0);
}

static int set_timeout(CURLM *multi, long ms, void *arg)
{
	struct http_client *c = arg;

	if (ms < 0)
		uv_timer_stop(&c->timer);
	else
		uv_timer_start(&c->timer, on_uv_timer, (uint64_t)ms, 0);
	return 0;
}

/* --- watches -----------------------------------------------------------------------------------
 */

static struct http_socket *socket_at(const struct http_client *c, curl_socket_t fd)
{
	return (size_t)fd < c->sockets.n ? c->sockets.p[fd] : NULL;
}

static struct http_socket *socket_add(struct http_client *c, curl_socket_t fd)
{
	struct http_socket *s = mem_new(struct http_socket);

	if (uv_poll_init(loop_uv(c->loop), &s->poll, fd) != 0) {
		free(s);
		return NULL;
	}
	/* Calls keep the loop alive, idle connections do not. */
	uv_unref((uv_handle_t *)&s->poll);
	s->poll.data = s;
	s->client = c;
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

static void socket_drop(struct http_socket *s)
{
	s->client->sockets.p[s->fd] = NULL;
	uv_poll_stop(&s->poll); /* leaves epoll now, before the descriptor is closed */
	uv_close((uv_handle_t *)&s->poll, on_closed);
}

static void stop_listing(struct http_client *c, const struct http_socket *s)
{
	for (size_t i = 0; i < c->connecting.n; i++)
		if (c->connecting.p[i] == s) {
			vec_remove(&c->connecting, i);
			return;
		}
}

static bool is_closed(const struct http_socket *s)
{
	struct stat st;

	return fstat(s->fd, &st) != 0 || st.st_ino != s->inode;
}

static void forget_closed(struct http_client *c)
{
	for (size_t i = c->connecting.n; i-- > 0;) {
		struct http_socket *s = c->connecting.p[i];

		if (s->wanted || !is_closed(s))
			continue;
		vec_remove(&c->connecting, i);
		s->host->open--;
		socket_drop(s);
	}
}

void http_call_remove(struct http_call *call)
{
	curl_multi_remove_handle(call->client->multi, call->easy);
	VEC_EACH (&call->client->connecting, struct http_socket *, s)
		if ((*s)->opener == call)
			(*s)->opener = NULL;
	forget_closed(call->client);
}

void http_call_connected(struct http_call *call)
{
	struct http_socket *s = call->opened ? socket_at(call->client, call->fd) : NULL;

	if (!s)
		return;
	stop_listing(call->client, s);
	s->opener = NULL;
}

static int watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *socket_arg)
{
	struct http_client *c = arg;
	struct http_socket *s = socket_at(c, fd);
	int events =
		(what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);

	if (what == CURL_POLL_REMOVE) {
		if (s && !s->host)
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
	struct http_call *call = arg;
	struct http_socket *s;
	struct stat st;
	int fd = socket(a->family, a->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->protocol);

	call->opened = true;
	if (getnameinfo(&a->addr, a->addrlen, call->tried, sizeof(call->tried), NULL, 0,
		    NI_NUMERICHOST) != 0)
		call->tried[0] = '\0';
	if (fd < 0) {
		call->open_errno = errno;
		return CURL_SOCKET_BAD;
	}
	s = fstat(fd, &st) == 0 ? socket_add(call->client, fd) : NULL;
	if (!s) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	s->inode = st.st_ino;
	s->opener = call;
	vec_push(&call->client->connecting, s);
	call->fd = fd;
	s->host = call->host;
	s->host->open++;
	return fd;
}

/* The client stands behind it, not the call: connections outlive calls. */
static int close_socket(void *arg, curl_socket_t fd)
{
	struct http_socket *s = socket_at(arg, fd);

	if (s) {
		stop_listing(arg, s);
		s->host->open--;
		socket_drop(s);
	}
	return close(fd);
}

void http_call_sockets(struct http_call *call)
{
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
	curl_easy_setopt(call->easy, CURLOPT_OPENSOCKETDATA, call);
	curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
	curl_easy_setopt(call->easy, CURLOPT_CLOSESOCKETDATA, call->client);
}

/* --- life --------------------------------------------------------------------------------------
 */

bool http_sockets_init(struct http_client *c, struct error *err)
{
	c->multi = curl_multi_init();
	if (!c->multi) {
		error_set(err, ERROR_SYSTEM, "cannot set up the HTTP client");
		return false;
	}
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, watch);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, set_timeout);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)c->connections);
	curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)c->connections);
	uv_timer_init(loop_uv(c->loop), &c->timer);
	uv_unref((uv_handle_t *)&c->timer);
	c->timer.data = c;
	return true;
}

void http_sockets_fini(struct http_client *c)
{
	curl_multi_cleanup(c->multi);
	/* curl has closed what it opened; a descriptor of its own that it never told us to forget
	 * (its resolver's) is forgotten here. */
	for (size_t i = 0; i < c->sockets.n; i++)
		if (c->sockets.p[i])
			socket_drop(c->sockets.p[i]);
	vec_fini(&c->sockets);
	vec_fini(&c->connecting);
	http_hosts_fini(c);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

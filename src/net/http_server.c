/*
 * http_server.c - libmicrohttpd with its epoll descriptor watched by our loop; see http_server.h.
 *
 * Opens it, runs it when its descriptor or its timer says so, closes it. What happens to a request
 * stands in http_exchange.c, what happens to a connection in http_ages.c.
 */

#include "net/http_server.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "net/http_serving.h"

#define BODY_MAX       (1u << 20)
#define CONNECTIONS    1024
#define CONNECTION_MEM (32u << 10) /* tokens make headers long */
#define HEADER_NS      (10 * NS_PER_S)
#define BODY_NS        (30 * NS_PER_S)
#define ANSWER_NS      (60 * NS_PER_S)

/* --- driving it ----------------------------------------------------------------------------------
 */

static void on_run(struct timer *t);

static void run(struct http_server *s)
{
	MHD_UNSIGNED_LONG_LONG ms;
	MHD_run(s->mhd);
	if (MHD_get_timeout(s->mhd, &ms) == MHD_YES && (!timer_running(&s->run) || ms == 0))
		timer_start(s->loop, &s->run, (int64_t)ms * NS_PER_MS, on_run, s);
}

static void on_run(struct timer *t)
{
	run(t->arg);
}

void http_run_soon(struct http_server *s)
{
	timer_start(s->loop, &s->run, 0, on_run, s);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

/* --- opening -------------------------------------------------------------------------------------
 */

static size_t keep_escapes(void *arg, struct MHD_Connection *mhd, char *s)
{
	return strlen(s);
}

static void set_defaults(struct http_server_options *o)
{
	o->body_max = o->body_max ? o->body_max : BODY_MAX;
	o->connections = o->connections ? o->connections : CONNECTIONS;
	o->memory = o->memory ? o->memory : CONNECTION_MEM;
	o->header_ns = o->header_ns ? o->header_ns : HEADER_NS;
	o->body_ns = o->body_ns ? o->body_ns : BODY_NS;
	o->answer_ns = o->answer_ns ? o->answer_ns : ANSWER_NS;
}

static int open_listener(const struct http_server_options *o, struct error *err)
{
	if (o->address)
		return http_listen(o->address, o->reuse_port, err);
	const int fd = fcntl(o->listener, F_DUPFD_CLOEXEC, 0);
	if (fd < 0)
		error_sys(err, errno, "cannot listen on descriptor %d", o->listener);
	return fd;
}

static struct MHD_Daemon *start_daemon(struct http_server *s)
{
	return MHD_start_daemon(MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME,
		0, NULL, NULL, http_on_access, s, MHD_OPTION_CONNECTION_LIMIT,
		s->o.connections + HTTP_SPARE_PLACES, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		s->o.memory, MHD_OPTION_URI_LOG_CALLBACK, http_on_uri, s,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, s, MHD_OPTION_NOTIFY_COMPLETED,
		http_on_completed, s, MHD_OPTION_NOTIFY_CONNECTION, http_on_connection, s,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
}

struct http_server *http_server_new(
	struct loop *l, const struct http_server_options *options, struct error *err)
{
	struct http_server *s = mem_new(struct http_server);
	s->loop = l;
	s->o = *options;
	set_defaults(&s->o);
	const int fd = open_listener(&s->o, err);
	if (fd < 0) {
		free(s);
		return NULL;
	}
	s->port = http_listener_port(fd);
	s->listener = fd;
	s->mhd = start_daemon(s);
	if (!s->mhd) {
		error_set(err, ERROR_SYSTEM, "the HTTP server on port %u cannot start", s->port);
		close(fd);
		free(s);
		return NULL;
	}
	s->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(l), s->poll,
		MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd);
	s->poll->data = s;
	uv_poll_start(s->poll, UV_READABLE, on_poll);
	http_accept_start(s);
	http_sweep_start(s);
	return s;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	/* libmicrohttpd does not stop while connections are suspended; requests that arrive in this
	 * last turn are not kept. */
	s->closing = true;
	while (s->kept.n)
		http_drop(s->kept.p[0]);
	http_accept_stop(s);
	MHD_run(s->mhd);
	timer_cancel(&s->run);
	timer_cancel(&s->sweep);
	loop_unwatch(&s->poll);
	MHD_stop_daemon(s->mhd);
	vec_fini(&s->kept);
	vec_fini(&s->all);
	http_free_spares(s);
	free(s);
}

unsigned http_server_port(const struct http_server *s)
{
	return s->port;
}

unsigned http_server_connections(const struct http_server *s)
{
	return (unsigned)(s->all.n - s->shut);
}

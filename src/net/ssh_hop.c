/*
 * ssh_hop.c - see ssh_hop.h.
 */

#include "net/ssh_hop.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void fail(struct ssh_hop *h, enum fault fault, const char *fmt, ...) like_printf(3, 4);

static void fail(struct ssh_hop *h, enum fault fault, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(h->detail, sizeof(h->detail), fmt, ap);
	va_end(ap);
	h->fault = fault;
	h->failed_in = h->state;
	h->state = HOP_FAILED;
}

/* --- descriptors --------------------------------------------------------------------------------
 */

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct ssh_hop *h = poll->data;
	if (h)
		h->wake(h->arg);
}

static uv_poll_t *watch(struct ssh_hop *h, int fd, int events)
{
	uv_poll_t *p = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(h->loop), p, fd);
	p->data = h;
	uv_poll_start(p, events, on_poll);
	return p;
}

/* --- connecting ---------------------------------------------------------------------------------
 */

/* Holds the hop that waits for an answer, which may come after the hop is gone. */
struct ssh_lookup {
	struct ssh_hop *hop;
	struct resolve_call *call;
};

static enum fault fault_of(int error)
{
	switch (error) {
	case ECONNREFUSED: return FAULT_REFUSED;
	case EHOSTUNREACH:
	case ENETUNREACH: return FAULT_UNREACHABLE;
	case ETIMEDOUT: return FAULT_TIMEOUT;
	case ECONNRESET: return FAULT_CONNECTION_LOST;
	case EMFILE:
	case ENFILE: return FAULT_NO_DESCRIPTORS;
	default: return FAULT_LOCAL;
	}
}

static void drop_socket(struct ssh_hop *h)
{
	loop_unwatch(&h->poll);
	if (h->fd >= 0)
		close(h->fd);
	h->fd = -1;
}

static int open_socket(struct ssh_hop *h, const struct sockaddr_storage *a)
{
	const int one = 1;
	const socklen_t n =
		a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
	h->fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0)
		return errno;
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(h->fd, (const struct sockaddr *)a, n) == 0 || errno == EINPROGRESS ? 0
											  : errno;
}

/* The next address, after the one before has failed with `error`. */
static void connect_next(struct ssh_hop *h, int error)
{
	while (h->next < h->found.n) {
		h->refused = h->refused || error == ECONNREFUSED;
		drop_socket(h);
		error = open_socket(h, &h->found.address[h->next++]);
		if (error)
			continue;
		h->fd_is_ours = true;
		h->poll = watch(h, h->fd, UV_WRITABLE | UV_READABLE);
		h->state = HOP_CONNECT;
		return;
	}
	drop_socket(h);
	if (h->refused)
		error = ECONNREFUSED;
	fail(h, fault_of(error), "connecting to port %u: %s", h->port, strerror(error));
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct ssh_lookup *l = arg;
	struct ssh_hop *h = l->hop;
	free(l);
	if (!h)
		return; /* closed meanwhile */
	h->lookup = NULL;
	h->found = *r;
	h->resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault)
		fail(h, r->fault, "%s: %s", h->host, r->detail);
	else
		connect_next(h, 0);
	h->wake(h->arg);
}

static void start_resolving(struct ssh_hop *h)
{
	if (h->lookup)
		return;
	h->lookup = mem_new(struct ssh_lookup);
	h->lookup->hop = h;
	h->lookup->call = resolve(
		h->resolver, h->host, h->port, h->family, h->deadline_ns, on_resolved, h->lookup);
}

/* Also true of the end of a pair. */
static bool is_connected(struct ssh_hop *h)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int error = 0;
	if (getpeername(h->fd, (struct sockaddr *)&peer, &n) == 0)
		return true;
	n = sizeof(error);
	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error)
		connect_next(h, error);
	return false;
}

/* --- the session --------------------------------------------------------------------------------
 */

static bool open_session(struct ssh_hop *h)
{
	bool no = false;
	h->session = ssh_new();
	if (!h->session || (h->key && ssh_pki_import_privkey_base64(secret_reveal(h->key), NULL,
					      NULL, NULL, &h->private_key) != SSH_OK)) {
		fail(h, FAULT_SSH_AUTH, "the private key cannot be read");
		return false;
	}
	socket_t fd = h->fd;
	ssh_options_set(h->session, SSH_OPTIONS_HOST, h->host);
	ssh_options_set(h->session, SSH_OPTIONS_USER, h->user);
	ssh_options_set(h->session, SSH_OPTIONS_FD, &fd);
	if (h->host_key_types)
		ssh_options_set(h->session, SSH_OPTIONS_HOSTKEYS, h->host_key_types);
	ssh_options_set(h->session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	ssh_options_set(h->session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
	ssh_options_set(h->session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
	ssh_set_blocking(h->session, 0);
	h->fd_is_ours = false; /* libssh closes it with the session */
	/* Readable only from here on: an idle connection is always writable. */
	if (h->poll)
		uv_poll_start(h->poll, UV_READABLE, on_poll);
	else
		h->poll = watch(h, h->fd, UV_READABLE);
	return true;
}

/* libssh makes its descriptor blocking as soon as it finds it connected. A peer that stops reading
 * would then stop the whole thread, deadlines and all, inside one send(). */
static void stay_nonblocking(const struct ssh_hop *h)
{
	const int flags = fcntl(h->fd, F_GETFL);
	if (flags >= 0 && !(flags & O_NONBLOCK))
		fcntl(h->fd, F_SETFL, flags | O_NONBLOCK);
}

static void exchange_keys(struct ssh_hop *h)
{
	const int rc = ssh_connect(h->session);
	if (rc != SSH_ERROR) /* then it has closed it */
		stay_nonblocking(h);
	if (rc == SSH_AGAIN)
		return;
	if (rc == SSH_OK) {
		h->state = h->key ? HOP_AUTH : HOP_READY;
		return;
	}
	if (!ssh_get_serverbanner(h->session))
		fail(h, FAULT_SSH_BANNER, "no SSH server: %s", ssh_get_error(h->session));
	else
		fail(h,
			strstr(ssh_get_error(h->session), "no match for method")
				? FAULT_PROTOCOL
				: FAULT_CONNECTION_LOST,
			"key exchange: %s", ssh_get_error(h->session));
}

static void authenticate(struct ssh_hop *h)
{
	const int rc = ssh_userauth_publickey(h->session, NULL, h->private_key);
	if (rc == SSH_AUTH_AGAIN)
		return;
	if (rc == SSH_AUTH_SUCCESS)
		h->state = HOP_FORWARD;
	else if (rc == SSH_AUTH_ERROR && !ssh_is_connected(h->session))
		fail(h, FAULT_CONNECTION_LOST, "log-in: %s", ssh_get_error(h->session));
	else
		fail(h, FAULT_SSH_AUTH, "the server refused the key of user %s", h->user);
}

static void open_forward(struct ssh_hop *h, struct ssh_hop *next)
{
	if (!next) {
		h->state = HOP_READY;
		return;
	}
	if (!h->forward)
		h->forward = ssh_channel_new(h->session);
	const int rc =
		ssh_channel_open_forward(h->forward, next->host, (int)next->port, "127.0.0.1", 0);
	if (rc == SSH_AGAIN)
		return;
	int pair[2];
	if (rc != SSH_OK) {
		fail(h, FAULT_REFUSED, "cannot reach %s from there: %s", next->host,
			ssh_get_error(h->session));
	} else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) {
		fail(h, FAULT_NO_DESCRIPTORS, "%s", strerror(errno));
	} else {
		h->pump_fd = pair[0];
		h->pump_poll = watch(h, pair[0], UV_READABLE);
		h->pump_watched = true;
		next->fd = pair[1];
		next->fd_is_ours = true;
		next->state = HOP_CONNECT;
		h->state = HOP_READY;
	}
}

void ssh_hop_init(struct ssh_hop *h, struct loop *l, struct resolver *r, int64_t deadline_ns,
	void (*wake)(void *arg), void *arg)
{
	h->loop = l;
	h->resolver = r;
	h->deadline_ns = deadline_ns;
	h->wake = wake;
	h->arg = arg;
	h->fd = h->pump_fd = -1;
	h->state = HOP_RESOLVE;
}

void ssh_hop_step(struct ssh_hop *h, struct ssh_hop *next)
{
	switch (h->state) {
	case HOP_RESOLVE: start_resolving(h); break;
	case HOP_CONNECT:
		if (is_connected(h) && open_session(h))
			h->state = HOP_KEX;
		break;
	case HOP_KEX: exchange_keys(h); break;
	case HOP_AUTH: authenticate(h); break;
	case HOP_FORWARD: open_forward(h, next); break;
	case HOP_READY:
	case HOP_FAILED: break;
	}
}

/* --- the pump -----------------------------------------------------------------------------------
 */

static bool pump_up(struct ssh_hop *h)
{
	bool moved = false;
	if (h->up_n < sizeof(h->up) && !h->pump_ended) {
		const ssize_t n = read(h->pump_fd, h->up + h->up_n, sizeof(h->up) - h->up_n);
		if (n > 0) {
			h->up_n += (size_t)n;
			moved = true;
		}
		h->pump_ended = n == 0;
	}
	if (h->up_n) {
		const int n = ssh_channel_write(h->forward, h->up, (uint32_t)h->up_n);
		if (n > 0) {
			memmove(h->up, h->up + n, h->up_n - (size_t)n);
			h->up_n -= (size_t)n;
			moved = true;
		}
	}
	return moved;
}

static bool pump_down(struct ssh_hop *h)
{
	bool moved = false;
	if (h->down_n < sizeof(h->down)) {
		const int n = ssh_channel_read_nonblocking(h->forward, h->down + h->down_n,
			(uint32_t)(sizeof(h->down) - h->down_n), 0);
		if (n > 0) {
			h->down_n += (size_t)n;
			moved = true;
		}
	}
	if (h->down_n) {
		const ssize_t n = send(h->pump_fd, h->down, h->down_n, MSG_NOSIGNAL);
		if (n > 0) {
			memmove(h->down, h->down + n, h->down_n - (size_t)n);
			h->down_n -= (size_t)n;
			moved = true;
		}
	}
	if (!h->down_n && ssh_channel_is_eof(h->forward))
		shutdown(h->pump_fd, SHUT_WR);
	return moved;
}

/* What cannot be read now would wake the loop again and again. */
static void watch_pump(struct ssh_hop *h)
{
	const bool wanted = h->up_n < sizeof(h->up) && !h->pump_ended;
	if (wanted == h->pump_watched)
		return;
	h->pump_watched = wanted;
	if (wanted)
		uv_poll_start(h->pump_poll, UV_READABLE, on_poll);
	else
		uv_poll_stop(h->pump_poll);
}

bool ssh_hop_pump(struct ssh_hop *h)
{
	if (h->pump_fd < 0 || h->state != HOP_READY)
		return false;
	const bool up = pump_up(h);
	const bool moved = pump_down(h) || up;
	watch_pump(h);
	if (!ssh_is_connected(h->session))
		fail(h, FAULT_CONNECTION_LOST, "the connection broke: %s",
			ssh_get_error(h->session));
	return moved;
}

/* --- facts and the end --------------------------------------------------------------------------
 */

void ssh_hop_facts(const struct ssh_hop *h, char *host_key, size_t n, char *banner, size_t banner_n)
{
	ssh_key key;
	unsigned char *hash;
	size_t hash_n;
	const char *said = ssh_get_serverbanner(h->session);
	snprintf(banner, banner_n, "%s", said ? said : "");
	if (ssh_get_server_publickey(h->session, &key) != SSH_OK)
		return;
	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &hash_n) == 0) {
		char *text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, hash_n);
		snprintf(host_key, n, "%s", text ? text : "");
		ssh_string_free_char(text);
		ssh_clean_pubkey_hash(&hash);
	}
	ssh_key_free(key);
}

void ssh_hop_address(const struct ssh_hop *h, char *text, size_t n)
{
	const struct sockaddr_storage *a = h->next ? &h->found.address[h->next - 1] : NULL;
	if (a && a->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)a)->sin6_addr, text, n);
	else if (a)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr, text, n);
}

void ssh_hop_close(struct ssh_hop *h)
{
	loop_unwatch(&h->poll);
	loop_unwatch(&h->pump_poll);
	if (h->lookup) {
		h->lookup->hop = NULL;
		resolve_cancel(h->lookup->call);
		h->lookup = NULL;
	}
	if (h->forward)
		ssh_channel_free(h->forward);
	if (h->session) {
		ssh_silent_disconnect(h->session);
		ssh_free(h->session);
	}
	if (h->fd >= 0 && h->fd_is_ours)
		close(h->fd);
	if (h->pump_fd >= 0)
		close(h->pump_fd);
	ssh_key_free(h->private_key);
	free(h->host);
	free(h->user);
	free(h->host_key_types);
	secret_unref(h->key);
	h->host = h->user = h->host_key_types = NULL;
	h->key = NULL;
	h->session = NULL;
	h->forward = NULL;
	h->private_key = NULL;
	h->fd = h->pump_fd = -1;
}

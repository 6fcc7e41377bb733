/*
 * ssh_hop.c - see ssh_hop.h.
 */

#include "net/ssh_hop.h"

#include <errno.h>
#include <netdb.h>
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

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

static void unwatch(uv_poll_t **p)
{
	if (!*p)
		return;
	(*p)->data = NULL;
	uv_poll_stop(*p);
	uv_close((uv_handle_t *)*p, on_closed);
	*p = NULL;
}

/* --- connecting ---------------------------------------------------------------------------------
 */

static void connect_failed(struct ssh_hop *h, int error)
{
	const enum fault f = error == ECONNREFUSED                           ? FAULT_REFUSED
			     : error == EHOSTUNREACH || error == ENETUNREACH ? FAULT_UNREACHABLE
			     : error == ETIMEDOUT                            ? FAULT_TIMEOUT
			     : error == EMFILE || error == ENFILE            ? FAULT_NO_DESCRIPTORS
									     : FAULT_LOCAL;
	fail(h, f, "connecting to port %u: %s", h->port, strerror(error));
}

static void open_socket(struct ssh_hop *h, const struct addrinfo *a)
{
	const int one = 1;
	h->fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (h->fd < 0) {
		connect_failed(h, errno);
		return;
	}
	h->fd_is_ours = true;
	setsockopt(h->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(h->fd, a->ai_addr, a->ai_addrlen) != 0 && errno != EINPROGRESS) {
		connect_failed(h, errno);
		return;
	}
	h->poll = watch(h, h->fd, UV_WRITABLE | UV_READABLE);
	h->state = HOP_CONNECT;
}

static void on_resolved(uv_getaddrinfo_t *r, int status, struct addrinfo *a)
{
	struct ssh_hop *h = r->data;
	if (h) { /* else it was closed meanwhile */
		h->resolving = NULL;
		if (status != 0)
			fail(h, FAULT_RESOLVE, "%s: %s", h->host, uv_strerror(status));
		else
			open_socket(h, a);
		h->wake(h->arg);
	}
	uv_freeaddrinfo(a);
	free(r);
}

static void resolve(struct ssh_hop *h)
{
	char port[16];
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	if (h->resolving)
		return;
	snprintf(port, sizeof(port), "%u", h->port);
	h->resolving = mem_new(uv_getaddrinfo_t);
	h->resolving->data = h;
	if (uv_getaddrinfo(loop_uv(h->loop), h->resolving, on_resolved, h->host, port, &hints) !=
		0) {
		free(h->resolving);
		h->resolving = NULL;
		fail(h, FAULT_RESOLVE, "%s cannot be resolved", h->host);
	}
}

static bool is_connected(struct ssh_hop *h)
{
	struct sockaddr_storage peer;
	socklen_t n = sizeof(peer);
	int error = 0;
	if (!h->fd_is_ours)
		return true; /* one end of a pair */
	if (getpeername(h->fd, (struct sockaddr *)&peer, &n) == 0)
		return true;
	n = sizeof(error);
	if (getsockopt(h->fd, SOL_SOCKET, SO_ERROR, &error, &n) == 0 && error)
		connect_failed(h, error);
	return false;
}

/* --- the session --------------------------------------------------------------------------------
 */

static bool open_session(struct ssh_hop *h)
{
	bool no = false;
	h->session = ssh_new();
	if (!h->session || ssh_pki_import_privkey_base64(secret_reveal(h->key), NULL, NULL, NULL,
				   &h->private_key) != SSH_OK) {
		fail(h, FAULT_SSH_AUTH, "the private key cannot be read");
		return false;
	}
	socket_t fd = h->fd;
	ssh_options_set(h->session, SSH_OPTIONS_HOST, h->host);
	ssh_options_set(h->session, SSH_OPTIONS_USER, h->user);
	ssh_options_set(h->session, SSH_OPTIONS_FD, &fd);
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

static void exchange_keys(struct ssh_hop *h)
{
	const int rc = ssh_connect(h->session);
	if (rc == SSH_AGAIN)
		return;
	if (rc == SSH_OK) {
		h->state = HOP_AUTH;
		return;
	}
	if (!ssh_get_serverbanner(h->session))
		fail(h, FAULT_SSH_BANNER, "no SSH server: %s", ssh_get_error(h->session));
	else
		fail(h, FAULT_CONNECTION_LOST, "key exchange: %s", ssh_get_error(h->session));
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
		next->fd = pair[1];
		next->state = HOP_CONNECT;
		h->state = HOP_READY;
	}
}

void ssh_hop_init(struct ssh_hop *h, struct loop *l, void (*wake)(void *arg), void *arg)
{
	h->loop = l;
	h->wake = wake;
	h->arg = arg;
	h->fd = h->pump_fd = -1;
	h->state = HOP_RESOLVE;
}

void ssh_hop_step(struct ssh_hop *h, struct ssh_hop *next)
{
	switch (h->state) {
	case HOP_RESOLVE: resolve(h); break;
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
	if (h->up_n < sizeof(h->up)) {
		const ssize_t n = read(h->pump_fd, h->up + h->up_n, sizeof(h->up) - h->up_n);
		if (n > 0) {
			h->up_n += (size_t)n;
			moved = true;
		}
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

bool ssh_hop_pump(struct ssh_hop *h)
{
	if (h->pump_fd < 0)
		return false;
	const bool up = pump_up(h);
	return pump_down(h) || up;
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

void ssh_hop_close(struct ssh_hop *h)
{
	unwatch(&h->poll);
	unwatch(&h->pump_poll);
	if (h->resolving) {
		h->resolving->data = NULL;
		uv_cancel((uv_req_t *)h->resolving);
		h->resolving = NULL;
	}
	if (h->forward)
		ssh_channel_free(h->forward);
	if (h->session) {
		ssh_silent_disconnect(h->session);
		ssh_free(h->session);
	}
	if (h->fd >= 0 && (h->fd_is_ours || !h->session))
		close(h->fd);
	if (h->pump_fd >= 0)
		close(h->pump_fd);
	ssh_key_free(h->private_key);
	free(h->host);
	free(h->user);
	secret_unref(h->key);
	h->host = h->user = NULL;
	h->key = NULL;
	h->session = NULL;
	h->forward = NULL;
	h->private_key = NULL;
	h->fd = h->pump_fd = -1;
}

#include "sim/guest_session.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"

#define LOGIN_NS  (30 * NS_PER_S)
#define IDLE_NS   (600 * NS_PER_S)
#define TRIES_MAX 6 /* refused keys, as OpenSSH's MaxAuthTries */

static const char *const users[] = {"debian", "root"};

bool guest_session_holds(const struct session *s)
{
	const struct guest_world *w = s->server->world;
	const struct world_guest *g = world_guest(w, s->guest);
	if (!g || g->boots != s->boots)
		return false;
	return s->door == DOOR_NONE || (w->doors[s->door].guest == g && w->doors[s->door].ssh);
}

/* --- logging in --------------------------------------------------------------------------------
 */

static const char *known_user(const char *name)
{
	for (size_t i = 0; i < array_len(users); i++)
		if (!strcmp(users[i], name))
			return users[i];
	return NULL;
}

static int on_no_key(ssh_session ssh, const char *user, void *arg)
{
	return SSH_AUTH_DENIED;
}

/* Called for the question whether a key would do, and again with the signature that was checked. */
static int on_key(ssh_session ssh, const char *name, ssh_key key, char signature, void *arg)
{
	struct session *s = arg;
	const struct world_guest *g = world_guest(s->server->world, s->guest);
	const char *user = known_user(name);
	const bool good =
		g && user && guest_disk_admits(g->disk, key) &&
		(signature == SSH_PUBLICKEY_STATE_NONE || signature == SSH_PUBLICKEY_STATE_VALID);
	if (!good) {
		s->ending |= ++s->tries >= TRIES_MAX;
		return SSH_AUTH_DENIED;
	}
	if (signature == SSH_PUBLICKEY_STATE_VALID)
		snprintf(s->user, sizeof(s->user), "%s", user);
	return SSH_AUTH_SUCCESS;
}

/* --- channels ----------------------------------------------------------------------------------
 */

static ssh_channel on_channel(ssh_session ssh, void *arg)
{
	struct session *s = arg;
	if (!*s->user || s->channels.n >= CHANNELS_MAX)
		return NULL;
	return guest_channel_new(s, ssh_channel_new(ssh))->ssh;
}

/* What the other callbacks do not know. 1: libssh answers with its refusal. */
static int on_message(ssh_session ssh, ssh_message m, void *arg)
{
	struct session *s = arg;
	if (!*s->user || ssh_message_type(m) != SSH_REQUEST_CHANNEL_OPEN ||
		ssh_message_subtype(m) != SSH_CHANNEL_DIRECT_TCPIP || s->channels.n >= CHANNELS_MAX)
		return 1;
	return guest_forward_open(s, m) ? 0 : 1;
}

/* By place: a step may let libssh read packets that open further channels. */
static void step_channels(struct session *s)
{
	for (size_t i = 0; i < s->channels.n;) {
		struct channel *c = s->channels.p[i];
		if (guest_channel_step(c)) {
			i++;
			continue;
		}
		vec_remove(&s->channels, i);
		guest_channel_free(c);
	}
}

/* --- the session -------------------------------------------------------------------------------
 */

static void on_ready(uv_poll_t *poll, int status, int events);
static void on_limit(struct timer *t);

static bool is_open(const struct session *s)
{
	return !s->ending && ssh_is_connected(s->ssh) &&
	       !(ssh_get_status(s->ssh) & (SSH_CLOSED | SSH_CLOSED_ERROR));
}

void guest_session_step(struct session *s)
{
	ssh_event_dopoll(s->event, 0);
	if (is_open(s))
		step_channels(s);
	if (!is_open(s)) {
		guest_session_free(s);
		return;
	}
	if (*s->user && !s->in) {
		s->in = true;
		timer_start(s->server->loop, &s->limit, IDLE_NS, on_limit, s);
	}
	/* A connection can nearly always be written to: that comes back at once, after others. */
	const bool waiting = s->again || (ssh_get_poll_flags(s->ssh) & SSH_WRITE_PENDING);
	s->again = false;
	uv_poll_start(s->poll, UV_READABLE | (waiting ? UV_WRITABLE : 0), on_ready);
}

static void on_limit(struct timer *t)
{
	struct session *s = t->arg;
	bool busy = false;
	for (size_t i = 0; i < s->channels.n; i++)
		busy |= guest_channel_busy(s->channels.p[i]);
	if (busy)
		timer_start(s->server->loop, &s->limit, IDLE_NS, on_limit, s);
	else
		guest_session_free(s);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct session *s = poll->data;
	if (!s)
		return;
	if (s->in && (events & UV_READABLE))
		timer_start(s->server->loop, &s->limit, IDLE_NS, on_limit, s);
	guest_session_step(s);
}

/* The server's half of libssh with the guest's host key; takes the descriptor. */
static bool accept_ssh(struct session *s, int fd, const struct world_guest *g)
{
	const bool no = false;
	ssh_bind bind = ssh_bind_new();
	ssh_key key = guest_disk_host_key(g->disk);
	s->ssh = ssh_new();
	if (bind && key && s->ssh) {
		ssh_bind_options_set(bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
		ssh_bind_options_set(bind, SSH_BIND_OPTIONS_BANNER, "glasshouse_guest");
		ssh_bind_options_set(bind, SSH_BIND_OPTIONS_IMPORT_KEY, key);
		key = NULL; /* the bind's now */
	}
	const bool good = bind && s->ssh && !key && ssh_bind_accept_fd(bind, s->ssh, fd) == SSH_OK;
	ssh_key_free(key);
	ssh_bind_free(bind);
	if (!good)
		close(fd);
	return good;
}

static bool begin(struct session *s)
{
	s->callbacks.userdata = s;
	s->callbacks.auth_none_function = on_no_key;
	s->callbacks.auth_pubkey_function = on_key;
	s->callbacks.channel_open_request_session_function = on_channel;
	ssh_callbacks_init(&s->callbacks);
	ssh_set_blocking(s->ssh, 0);
	ssh_set_auth_methods(s->ssh, SSH_AUTH_METHOD_PUBLICKEY);
	ssh_set_server_callbacks(s->ssh, &s->callbacks);
	ssh_set_message_callback(s->ssh, on_message, s);
	s->event = ssh_event_new();
	/* Sends our side's beginning; all that follows comes by packets. */
	return ssh_handle_key_exchange(s->ssh) != SSH_ERROR &&
	       ssh_event_add_session(s->event, s->ssh) == SSH_OK;
}

static bool has_room(const struct guest_server *server, const char *guest)
{
	size_t n = 0;
	for (size_t i = 0; i < server->sessions.n; i++)
		n += !strcmp(server->sessions.p[i]->guest, guest);
	return server->sessions.n < SESSIONS_MAX && n < SESSIONS_GUEST_MAX;
}

void guest_session_new(struct guest_server *server, int fd, const struct world_guest *g, int door)
{
	const int own = has_room(server, g->id) ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (own < 0) {
		close(fd);
		return;
	}
	struct session *s = mem_new(struct session);
	s->server = server;
	s->boots = g->boots;
	s->door = door;
	s->fd = own;
	snprintf(s->guest, sizeof(s->guest), "%s", g->id);
	vec_push(&server->sessions, s);
	if (!accept_ssh(s, fd, g) || !begin(s)) {
		guest_session_free(s);
		return;
	}
	timer_start(server->loop, &s->limit, LOGIN_NS, on_limit, s);
	s->poll = guest_watch(server->loop, own, UV_READABLE | UV_WRITABLE, on_ready, s);
}

void guest_session_free(struct session *s)
{
	for (size_t i = 0; i < s->server->sessions.n; i++)
		if (s->server->sessions.p[i] == s) {
			vec_remove(&s->server->sessions, i);
			break;
		}
	timer_cancel(&s->limit);
	loop_unwatch(&s->poll);
	/* A machine that goes down says nothing: libssh would close each channel in form. */
	if (!s->ending)
		shutdown(s->fd, SHUT_RDWR);
	while (s->channels.n)
		guest_channel_free(vec_pop(&s->channels));
	vec_fini(&s->channels);
	if (s->ssh && s->ending)
		ssh_disconnect(s->ssh); /* with a word */
	else if (s->ssh)
		ssh_silent_disconnect(s->ssh);
	if (s->event) {
		ssh_event_remove_session(s->event, s->ssh);
		ssh_event_free(s->event);
	}
	ssh_free(s->ssh);
	close(s->fd);
	free(s);
}

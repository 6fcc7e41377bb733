/*
 * stream.c - see stream.h. Several addresses share the time that is left and are tried in order
 * until one connects; a refusal by one is remembered, and told when all have failed.
 */

#include "net/stream.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

#define READ_SIZE    16384
#define READS_A_TURN 4 /* a peer that floods does not keep the loop from others */

enum state { RESOLVING, CONNECTING, SHAKING, IDLE, WAITING, BROKEN, CLOSED };

struct stream {
	struct loop *loop;
	struct stream_options o; /* its texts are owned */
	struct resolve_call *resolve;
	/* Those of the host, until one connected. */
	struct sockaddr_storage *addresses;
	size_t address_n, next;
	enum state state;
	int fd;
	int events; /* that are watched */
	uv_poll_t *poll;
	struct tls_session *tls;
	struct timer deadline, later, share;
	int64_t began_ns, mark_ns; /* real time, as sockets have it */
	struct buf in, out;
	size_t taken, sent; /* of in, out */
	size_t max;
	bool connected, ended, refused, finishing;
	enum fault fault; /* of what is to be called back */
	char detail[200];
	struct phases phases;
	char address[64];
	stream_enough *enough;
	stream_done *done;
	void *arg;
};

/* --- the end of a call -------------------------------------------------------------------------
 */

static int64_t real_ns(void)
{
	return (int64_t)uv_hrtime();
}

static void watch(struct stream *s, int events);

static void close_socket(struct stream *s)
{
	timer_cancel(&s->share);
	loop_unwatch(&s->poll);
	s->events = 0;
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

/* The time since the mark belongs to what it was waiting for. */
static void charge(struct stream *s)
{
	const int64_t took = real_ns() - s->mark_ns;

	if (s->state == CONNECTING)
		s->phases.connect_ns += took;
	else if (s->state == SHAKING)
		s->phases.tls_ns += took;
	else if (s->state == WAITING)
		s->phases.wait_ns += took;
	s->mark_ns += took;
}

static void on_later(struct timer *t)
{
	struct stream *s = t->arg;
	stream_done *done = s->done;

	s->done = NULL;
	done(s->arg, s->fault);
}

static void end_call(struct stream *s, enum state state)
{
	charge(s);
	s->state = state;
	timer_start(s->loop, &s->later, 0, on_later, s);
}

static void fail(struct stream *s, enum fault fault, const char *fmt, ...) like_printf(3, 4);

static void fail(struct stream *s, enum fault fault, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(s->detail, sizeof(s->detail), fmt, ap);
	va_end(ap);
	s->fault = fault;
	end_call(s, BROKEN);
	close_socket(s);
}

static void fail_errno(struct stream *s, int error)
{
	const enum fault fault = error == ECONNREFUSED                           ? FAULT_REFUSED
				 : error == EHOSTUNREACH || error == ENETUNREACH ? FAULT_UNREACHABLE
				 : error == ETIMEDOUT                            ? FAULT_TIMEOUT
				 : error == EMFILE || error == ENFILE    ? FAULT_NO_DESCRIPTORS
				 : error == ECONNRESET || error == EPIPE ? FAULT_CONNECTION_LOST
									 : FAULT_LOCAL;

	fail(s, fault, "port %u: %s", s->o.port, strerror(error));
}

static void on_deadline(struct timer *t)
{
	struct stream *s = t->arg;

	if (s->state == CONNECTING)
		fail(s, FAULT_TIMEOUT, "port %u neither accepted nor refused the connection",
			s->o.port);
	else if (s->state == SHAKING)
		fail(s, FAULT_TIMEOUT, "the TLS handshake did not end in time");
	else if (s->state == WAITING)
		fail(s, FAULT_TIMEOUT, "%s within the time allowed",
			stream_got(s).n ? "not the whole answer came" : "no answer came");
	/* The resolver keeps the same deadline itself; an idle one meets it in its next call. */
}

/* --- sending and receiving ---------------------------------------------------------------------
 */

/* Both like TLS, whatever is beneath; errno says why they failed. */
static enum tls_step read_some(struct stream *s, char *p, size_t *ret_n)
{
	*ret_n = 0;
	if (s->tls)
		return tls_read(s->tls, p, READ_SIZE, ret_n);
	const ssize_t n = recv(s->fd, p, READ_SIZE, 0);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? TLS_WANTS_READ : TLS_FAILED;
	*ret_n = (size_t)n;
	return n == 0 ? TLS_ENDED : TLS_OK;
}

static enum tls_step write_some(struct stream *s, size_t *ret_n)
{
	const char *p = s->out.p + s->sent;
	const size_t left = s->out.n - s->sent;

	*ret_n = 0;
	if (s->tls)
		return tls_write(s->tls, p, left, ret_n);
	const ssize_t n = send(s->fd, p, left, MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? TLS_WANTS_WRITE : TLS_FAILED;
	*ret_n = (size_t)n;
	return TLS_OK;
}

static void fail_step(struct stream *s, int error)
{
	if (s->tls && *tls_trouble(s->tls))
		fail(s, FAULT_TLS, "%s", tls_trouble(s->tls));
	else
		fail_errno(s, error);
}

static void shut(struct stream *s)
{
	s->finishing = false;
	if (s->tls)
		tls_goodbye(s->tls);
	shutdown(s->fd, SHUT_WR);
}

/* Returns the event it waits for, 0: nothing is left, -1: failed. */
static int flush(struct stream *s)
{
	while (s->sent < s->out.n) {
		size_t n;
		const enum tls_step step = write_some(s, &n);
		if (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE)
			return step == TLS_WANTS_READ ? UV_READABLE : UV_WRITABLE;
		if (step != TLS_OK) {
			/* A peer may have said why before it closed. */
			s->sent = s->out.n;
			return 0;
		}
		s->sent += n;
	}
	buf_fini(&s->out); /* thousands may wait for long */
	s->sent = 0;
	if (s->finishing)
		shut(s);
	return 0;
}

/* True: the wait has its end, good or bad. */
static bool judge(struct stream *s)
{
	if (s->enough(s->arg, stream_got(s))) {
		end_call(s, IDLE);
		return true;
	}
	if (stream_got(s).n > s->max || s->in.over) {
		fail(s, FAULT_BODY_TOO_LARGE, "more than %zu bytes came, and not what was expected",
			s->max);
		return true;
	}
	return false;
}

static void take_front(struct stream *s)
{
	if (!s->taken)
		return;
	memmove(s->in.p, s->in.p + s->taken, s->in.n - s->taken);
	buf_cut(&s->in, s->in.n - s->taken);
	s->taken = 0;
}

/* As much as there is within a turn. True: the wait has its end. */
static bool receive(struct stream *s)
{
	char p[READ_SIZE];
	size_t n;

	for (int i = 0; i < READS_A_TURN; i++) {
		const enum tls_step step = read_some(s, p, &n);
		const int error = errno;
		if (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE)
			return false;
		if (step == TLS_OK) {
			take_front(s);
			buf_add(&s->in, p, n);
			if (judge(s))
				return true;
			continue;
		}
		s->ended = step == TLS_ENDED;
		if (s->ended)
			fail(s, FAULT_CONNECTION_LOST, "the server closed the connection");
		else
			fail_step(s, error);
		return true;
	}
	/* TLS may hold what the descriptor does not show any more: come back without being woken.
	 */
	watch(s, UV_READABLE | UV_WRITABLE);
	return false;
}

static void go_on(struct stream *s)
{
	const int wanted = flush(s);

	watch(s, UV_READABLE | (wanted == UV_WRITABLE ? UV_WRITABLE : 0));
	receive(s);
}

/* --- TLS ---------------------------------------------------------------------------------------
 */

static void shake(struct stream *s)
{
	const enum tls_step step = tls_handshake(s->tls);
	const struct tls_facts *f = tls_session_facts(s->tls);

	if (step == TLS_WANTS_READ || step == TLS_WANTS_WRITE) {
		watch(s, step == TLS_WANTS_READ ? UV_READABLE : UV_WRITABLE);
		return;
	}
	if (step != TLS_OK)
		fail(s, FAULT_TLS, "the TLS handshake failed: %s", tls_trouble(s->tls));
	else if (f->fault && !s->o.trusting)
		fail(s, f->fault, "%s", f->detail);
	else
		end_call(s, IDLE);
}

static void begin_tls(struct stream *s)
{
	s->state = SHAKING;
	s->mark_ns = real_ns();
	s->tls = tls_session_new(s->o.tls, s->fd, s->o.tls_name ? s->o.tls_name : s->o.host);
	shake(s);
}

/* --- connecting --------------------------------------------------------------------------------
 */

static void try_next(struct stream *s, int error);

static void write_address(struct stream *s, const struct sockaddr_storage *a)
{
	const void *p = a->ss_family == AF_INET6
				? (const void *)&((const struct sockaddr_in6 *)a)->sin6_addr
				: (const void *)&((const struct sockaddr_in *)a)->sin_addr;

	inet_ntop(a->ss_family, p, s->address, sizeof(s->address));
}

static void forget_addresses(struct stream *s)
{
	free(s->addresses);
	s->addresses = NULL;
	s->address_n = s->next = 0;
}

static void on_connected(struct stream *s)
{
	int error = 0;
	socklen_t n = sizeof(error);

	if (getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &n) != 0)
		error = errno;
	if (error) {
		try_next(s, error);
		return;
	}
	charge(s);
	timer_cancel(&s->share);
	write_address(s, &s->addresses[s->next - 1]);
	forget_addresses(s);
	s->connected = true;
	if (s->o.tls_at_once)
		begin_tls(s);
	else
		end_call(s, IDLE);
}

static void on_event(uv_poll_t *poll, int status, int events)
{
	struct stream *s = poll->data;

	if (!s)
		return;
	if (s->state == CONNECTING)
		on_connected(s);
	else if (s->state == SHAKING)
		shake(s);
	else if (s->state == WAITING)
		go_on(s);
	else
		watch(s, 0); /* only now: mostly the next call comes before anything else does */
}

static void watch(struct stream *s, int events)
{
	if (events == s->events || s->fd < 0)
		return;
	s->events = events;
	if (!events) {
		uv_poll_stop(s->poll);
		return;
	}
	if (!s->poll) {
		s->poll = mem_new(uv_poll_t);
		uv_poll_init(loop_uv(s->loop), s->poll, s->fd);
		s->poll->data = s;
	}
	uv_poll_start(s->poll, events, on_event);
}

static void on_share(struct timer *t)
{
	try_next(t->arg, ETIMEDOUT);
}

static int open_socket(struct stream *s, const struct sockaddr_storage *a)
{
	const int one = 1;
	const socklen_t n =
		a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	s->fd = socket(a->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (s->fd < 0)
		return errno;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return connect(s->fd, (const struct sockaddr *)a, n) == 0 || errno == EINPROGRESS ? 0
											  : errno;
}

/* The next address, after the one before has failed with `error`. */
static void try_next(struct stream *s, int error)
{
	charge(s);
	while (s->next < s->address_n) {
		const struct sockaddr_storage *a = &s->addresses[s->next++];
		const int64_t left = (int64_t)(s->address_n - s->next) + 1;
		s->refused = s->refused || error == ECONNREFUSED;
		close_socket(s);
		if (!s->refused)
			write_address(s, a);
		s->phases.connect_ns = 0;
		error = open_socket(s, a);
		if (error)
			continue;
		if (left > 1)
			timer_start(s->loop, &s->share, timer_left_ns(&s->deadline) / left,
				on_share, s);
		watch(s, UV_WRITABLE);
		return;
	}
	fail_errno(s, s->refused ? ECONNREFUSED : error);
}

static void on_resolved(void *arg, const struct resolved *r)
{
	struct stream *s = arg;

	s->resolve = NULL;
	if (s->state == CLOSED) {
		free(s);
		return;
	}
	s->phases.resolve_ns = r->queried ? r->took_ns : 0;
	if (r->fault != FAULT_NONE) {
		fail(s, r->fault, "%s: %s", s->o.host, r->detail);
		return;
	}
	s->address_n = r->n;
	s->addresses = mem_new_array(r->n, sizeof(*s->addresses));
	memcpy(s->addresses, r->address, r->n * sizeof(*s->addresses));
	s->state = CONNECTING;
	s->mark_ns = real_ns();
	try_next(s, 0);
}

/* --- life --------------------------------------------------------------------------------------
 */

struct stream *stream_open(struct loop *l, struct resolver *r, const struct stream_options *o,
	stream_done *done, void *arg)
{
	struct stream *s = mem_new(struct stream);

	assert(!o->tls_at_once || o->tls);
	s->loop = l;
	s->o = *o;
	s->o.host = mem_strdup(o->host);
	s->o.tls_name = mem_strdup(o->tls_name);
	if (o->tls)
		s->o.tls = tls_context_ref(o->tls);
	s->fd = -1;
	s->done = done;
	s->arg = arg;
	buf_init(&s->out, STREAM_SEND_MAX);
	buf_init(&s->in, BUF_ANSWER);
	s->began_ns = s->mark_ns = real_ns();
	loop_hold(l);
	timer_start(l, &s->deadline, o->deadline_ns, on_deadline, s);
	s->resolve = resolve(r, o->host, o->port, o->family, o->deadline_ns, on_resolved, s);
	return s;
}

void stream_close(struct stream *s)
{
	if (!s)
		return;
	s->state = CLOSED;
	timer_cancel(&s->deadline);
	timer_cancel(&s->later);
	tls_session_free(s->tls);
	close_socket(s);
	loop_release(s->loop);
	tls_context_unref(s->o.tls);
	free((char *)s->o.host);
	free((char *)s->o.tls_name);
	buf_fini(&s->in);
	buf_fini(&s->out);
	forget_addresses(s);
	if (s->resolve) /* calls back once more */
		resolve_cancel(s->resolve);
	else
		free(s);
}

/* --- calls on an open one ----------------------------------------------------------------------
 */

/* False: it is told at once, since it cannot go on. */
static bool begin_call(struct stream *s, enum state state, stream_done *done, void *arg)
{
	assert(!s->done && (s->state == IDLE || s->state == BROKEN));
	s->done = done;
	s->arg = arg;
	s->mark_ns = real_ns();
	if (s->state == BROKEN) {
		timer_start(s->loop, &s->later, 0, on_later, s);
		return false;
	}
	s->state = state;
	if (timer_running(&s->deadline))
		return true;
	on_deadline(&s->deadline);
	return false;
}

void stream_start_tls(struct stream *s, stream_done *done, void *arg)
{
	assert(s->o.tls && !s->tls);
	if (!begin_call(s, SHAKING, done, arg))
		return;
	/* Else an attacker in between could put words into the TLS that follows. */
	if (stream_got(s).n)
		fail(s, FAULT_PROTOCOL,
			"the server went on in plain text after it had agreed to TLS");
	else if (flush(s) != 0)
		fail(s, FAULT_PROTOCOL, "the server agreed to TLS before it had been asked");
	else
		begin_tls(s);
}

bool stream_send(struct stream *s, const void *p, size_t n)
{
	return buf_add(&s->out, p, n);
}

void stream_wait(struct stream *s, size_t max, stream_enough *enough, stream_done *done, void *arg)
{
	if (!begin_call(s, WAITING, done, arg))
		return;
	take_front(s);
	s->max = max;
	s->enough = enough;
	flush(s);
	if (judge(s))
		return;
	/* What TLS has already is read before waiting for the descriptor. */
	go_on(s);
}

struct slice stream_got(const struct stream *s)
{
	return slice_sub(buf_slice(&s->in), s->taken, s->in.n - s->taken);
}

void stream_take(struct stream *s, size_t n)
{
	assert(n <= s->in.n - s->taken);
	s->taken += n;
}

void stream_finish(struct stream *s)
{
	if (s->state == BROKEN || s->fd < 0)
		return;
	s->finishing = true; /* after what waits */
	flush(s);
}

const char *stream_detail(const struct stream *s)
{
	return s->detail;
}

struct phases stream_phases(const struct stream *s)
{
	struct phases p = s->phases;

	p.total_ns = real_ns() - s->began_ns;
	return p;
}

const char *stream_address(const struct stream *s)
{
	return s->address;
}

bool stream_connected(const struct stream *s)
{
	return s->connected;
}

bool stream_ended(const struct stream *s)
{
	return s->ended;
}

const struct tls_facts *stream_tls(const struct stream *s)
{
	return s->tls ? tls_session_facts(s->tls) : NULL;
}

bool stream_tls_asked(const struct stream *s)
{
	return s->tls && tls_was_asked(s->tls);
}

/*
 * helper.c - the house's side: the helper started and started again, and one call a program.
 *
 * A call is a socket pair of its own, one end of which goes to the helper; what closes on it is
 * that program's minder and nobody else's.
 */

#include "observe/exec/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "observe/exec/helper_inside.h"

#define FAR       400 /* above the number its descriptor gets */
#define AGAIN_NS  NS_PER_S
#define AGAIN_MAX (60 * NS_PER_S)
#define STEADY_NS (60 * NS_PER_S) /* one that lived so long may come again at once */
#define LATE_NS   (10 * NS_PER_S) /* for a minder to tell of its own deadline */
#define PIECE     (64u << 10)

struct helper {
	struct loop *loop;
	void (*tell)(void *arg, const char *text);
	void *arg;
	pid_t pid;
	int fd; /* -1: it does not run */
	uv_poll_t *poll;
	struct timer again;
	int64_t wait_ns, started_ns;
	struct helper_call *calls;
	unsigned count;
};

struct helper_call {
	struct helper *helper;
	struct helper_call *next, **link;
	int fd;
	uv_poll_t *poll;
	struct timer timer; /* of a minder that does not answer, or of an end that is told soon */
	struct buf send, got, output, standard;
	size_t sent;
	enum fault fault; /* told soon */
	const char *why;
	helper_message *message;
	helper_done *done;
	void *arg;
};

/* --- the process ------------------------------------------------------------------------------ */

static int spawn(int door, pid_t *ret_pid)
{
	char name[] = "glasshouse", role[] = HELPER_ROLE;
	char *argv[] = {name, role, NULL}, *environment[] = {NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, door, HELPER_FD);
	posix_spawn_file_actions_addclosefrom_np(&files, HELPER_FD + 1);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	const int rc =
		posix_spawn(ret_pid, "/proc/self/exe", &files, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

static void on_helper(uv_poll_t *poll, int status, int events);

static bool start(struct helper *h, struct error *err)
{
	int pair[2], far, rc = 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		error_sys(err, errno, "cannot make the socket of the helper that starts programs");
		return false;
	}
	far = fcntl(pair[1], F_DUPFD_CLOEXEC, FAR);
	rc = far < 0 ? errno : spawn(far, &h->pid);
	close(pair[1]);
	if (far >= 0)
		close(far);
	if (rc) {
		close(pair[0]);
		error_sys(err, rc, "cannot start the helper that starts programs");
		return false;
	}
	h->fd = pair[0];
	h->started_ns = loop_now_ns(h->loop);
	fcntl(h->fd, F_SETFL, O_NONBLOCK);
	h->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(h->loop), h->poll, h->fd);
	h->poll->data = h;
	uv_poll_start(h->poll, UV_READABLE, on_helper);
	uv_unref((uv_handle_t *)h->poll);
	return true;
}

static void on_again(struct timer *t)
{
	struct helper *h = t->arg;
	if (start(h, NULL))
		return;
	h->wait_ns = h->wait_ns * 2 < AGAIN_MAX ? h->wait_ns * 2 : AGAIN_MAX;
	timer_start(h->loop, &h->again, h->wait_ns, on_again, h);
}

static void stop(struct helper *h)
{
	loop_unwatch(&h->poll);
	close(h->fd);
	h->fd = -1;
}

/* It says nothing: what can be read is its end. */
static void on_helper(uv_poll_t *poll, int status, int events)
{
	struct helper *h = poll->data;
	char byte;
	if (!h || (status == 0 && recv(h->fd, &byte, 1, MSG_DONTWAIT) < 0 &&
			  (errno == EAGAIN || errno == EINTR)))
		return;
	stop(h);
	kill(h->pid, SIGKILL);
	while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
		;
	const bool steady = loop_now_ns(h->loop) - h->started_ns > STEADY_NS;
	h->wait_ns = steady || !h->wait_ns        ? AGAIN_NS
		     : h->wait_ns * 2 < AGAIN_MAX ? h->wait_ns * 2
						  : AGAIN_MAX;
	timer_start(h->loop, &h->again, h->wait_ns, on_again, h);
	if (h->tell)
		h->tell(h->arg, "the helper that starts programs has died; it is started again");
}

struct helper *helper_new(
	struct loop *l, void (*tell)(void *arg, const char *text), void *arg, struct error *err)
{
	struct helper *h = mem_new(struct helper);
	h->loop = l;
	h->tell = tell;
	h->arg = arg;
	h->fd = -1;
	/* Else programs could read our environment and memory, being of the same user. */
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (start(h, err))
		return h;
	free(h);
	return NULL;
}

/* --- a call: its end -------------------------------------------------------------------------- */

/* There may be secrets in it. */
static void wipe(struct buf *b)
{
	if (b->p)
		explicit_bzero(b->p, b->n);
	buf_fini(b);
}

static void hang_up(struct helper_call *c)
{
	loop_unwatch(&c->poll);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* The last of it. */
static void finish(struct helper_call *c, struct helper_result *r)
{
	hang_up(c);
	timer_cancel(&c->timer);
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->helper->count--;
	r->output = buf_slice(&c->output);
	r->standard = buf_slice(&c->standard);
	c->done(c->arg, r);
	loop_release(c->helper->loop);
	wipe(&c->send);
	buf_fini(&c->got);
	buf_fini(&c->output);
	buf_fini(&c->standard);
	free(c);
}

static void fail(struct helper_call *c, enum fault fault, const char *why)
{
	finish(c, &(struct helper_result){.fault = fault, .detail = why, .exit_status = -1});
}

static void on_soon(struct timer *t)
{
	struct helper_call *c = t->arg;
	fail(c, c->fault, c->why);
}

static void fail_soon(struct helper_call *c, enum fault fault, const char *why)
{
	c->fault = fault;
	c->why = why;
	timer_start(c->helper->loop, &c->timer, 0, on_soon, c);
}

static void on_late(struct timer *t)
{
	fail(t->arg, FAULT_LOCAL, "nothing came of the program's deadline");
}

static void take_end(struct helper_call *c, const struct helper_end *e)
{
	char why[200] = "";
	struct helper_result r = {.detail = why,
		.exit_status = -1,
		.cpu_ns = (int64_t)(e->cpu_us > INT64_MAX / 1000 ? 0 : e->cpu_us * NS_PER_US),
		.memory = e->memory,
		.written = e->output,
		.tail = e->tail};
	switch (e->how) {
	case HELPER_EXITED: r.exit_status = (int)e->code; break;
	case HELPER_SIGNALLED:
		r.fault = FAULT_EXIT_STATUS;
		snprintf(why, sizeof(why), "ended by signal %d (%s)", (int)e->code,
			strsignal((int)e->code));
		break;
	case HELPER_TIMED_OUT:
		r.fault = FAULT_TIMEOUT;
		snprintf(why, sizeof(why), "still running at its deadline; it was ended");
		break;
	case HELPER_NO_PROGRAM:
	case HELPER_NO_DIRECTORY:
		r.fault = FAULT_CONFIGURATION;
		r.no_directory = e->how == HELPER_NO_DIRECTORY;
		snprintf(why, sizeof(why), "the %s: %s",
			r.no_directory ? "directory cannot be entered" : "program cannot be run",
			strerror((int)e->code));
		break;
	case HELPER_FAILED:
	case HELPER_HOWS:
		r.fault = FAULT_LOCAL;
		snprintf(why, sizeof(why), "the program cannot be started: %s",
			strerror((int)e->code));
	}
	finish(c, &r);
}

/* --- a call: what comes ----------------------------------------------------------------------- */

/* False: that was its end. */
static bool take_frame(struct helper_call *c, const struct helper_frame *f)
{
	struct error err = {0};
	struct helper_end e;
	switch (f->kind) {
	case HELPER_STARTED: return true;
	case HELPER_OUTPUT: buf_add_slice(&c->standard, f->body); __attribute__((fallthrough));
	case HELPER_ERRORS: buf_add_slice(&c->output, f->body); return true;
	case HELPER_MESSAGE:
		if (c->message)
			c->message(c->arg, f->body);
		return true;
	case HELPER_ENDED:
		if (!helper_end_read(f->body, &e, &err))
			break;
		take_end(c, &e);
		return false;
	case HELPER_ORDER:
	case HELPER_KINDS: break;
	}
	fail(c, FAULT_LOCAL, "the program's minder says what cannot be");
	return false;
}

static void take_frames(struct helper_call *c)
{
	struct slice rest = buf_slice(&c->got);
	struct helper_frame f;
	int64_t n;
	while ((n = helper_frame_read(rest, &f, NULL)) > 0) {
		if (!take_frame(c, &f))
			return;
		rest = slice_sub(rest, (size_t)n, rest.n);
	}
	if (n < 0) {
		fail(c, FAULT_LOCAL, "the program's minder says what cannot be");
		return;
	}
	memmove(c->got.p, rest.p, rest.n);
	buf_cut(&c->got, rest.n);
}

static void send_rest(struct helper_call *c)
{
	while (c->sent < c->send.n) {
		const ssize_t n = send(c->fd, c->send.p + c->sent, c->send.n - c->sent,
			MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n <= 0)
			return; /* what is wrong with it, reading tells */
		c->sent += (size_t)n;
	}
	wipe(&c->send);
	c->sent = 0;
}

static void on_call(uv_poll_t *poll, int status, int events);

static void watch(struct helper_call *c)
{
	uv_poll_start(c->poll, UV_READABLE | (c->send.n ? UV_WRITABLE : 0), on_call);
}

static void on_call(uv_poll_t *poll, int status, int events)
{
	struct helper_call *c = poll->data;
	char piece[PIECE];
	if (!c)
		return;
	if (c->send.n) {
		send_rest(c);
		watch(c);
	}
	const ssize_t n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);
	if (n > 0) {
		buf_add(&c->got, piece, (size_t)n);
		take_frames(c);
	} else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		fail(c, FAULT_LOCAL, "the process that minds the program has died");
	}
}

/* --- a call: its begin ------------------------------------------------------------------------ */

static bool hand_over(const struct helper *h, int fd)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
	struct iovec io = {&byte, 1};
	struct msghdr m = {.msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(h->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL) == 1;
}

static bool write_order(struct helper_call *c, const struct helper_request *r)
{
	struct buf body = BUF(HELPER_BODY_MAX);
	const bool good = r->output_max <= HELPER_OUTPUT_MAX && helper_order_write(&body, r) &&
			  helper_frame_write(&c->send, HELPER_ORDER, buf_slice(&body));
	wipe(&body);
	return good;
}

static bool connect_it(struct helper_call *c)
{
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
		return false;
	const bool good = hand_over(c->helper, pair[1]);
	close(pair[1]);
	if (!good) {
		close(pair[0]);
		return false;
	}
	c->fd = pair[0];
	c->poll = mem_new(uv_poll_t);
	uv_poll_init(loop_uv(c->helper->loop), c->poll, c->fd);
	c->poll->data = c;
	return true;
}

struct helper_call *helper_run(struct helper *h, const struct helper_request *r,
	helper_message *message, helper_done *done, void *arg)
{
	struct helper_call *c = mem_new(struct helper_call);
	*c = (struct helper_call){.helper = h,
		.next = h->calls,
		.link = &h->calls,
		.fd = -1,
		.message = message,
		.done = done,
		.arg = arg};
	if (c->next)
		c->next->link = &c->next;
	h->calls = c;
	loop_hold(h->loop);
	buf_init(&c->send, HELPER_BODY_MAX + 16);
	buf_init(&c->got, HELPER_BODY_MAX + 16 + PIECE);
	buf_init(&c->output, r->output_max);
	buf_init(&c->standard, r->output_max);
	if (h->count++ >= HELPER_CALLS_MAX) {
		fail_soon(c, FAULT_LOCAL, "200 programs run already");
	} else if (!write_order(c, r)) {
		fail_soon(c, FAULT_CONFIGURATION,
			"arguments and environment are longer than 256 KiB");
	} else if (h->fd < 0 || !connect_it(c)) {
		fail_soon(c, FAULT_LOCAL, "the helper that starts programs does not run");
	} else {
		timer_start(h->loop, &c->timer, r->deadline_ms * NS_PER_MS + LATE_NS, on_late, c);
		send_rest(c);
		watch(c);
	}
	return c;
}

void helper_cancel(struct helper_call *c)
{
	hang_up(c);
	fail_soon(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
}

/* The helper ends once its minders have, and they once their programs have. */
void helper_free(struct helper *h)
{
	if (!h)
		return;
	while (h->calls) {
		struct helper_call *c = h->calls;
		fail(c, FAULT_CANCELLED, fault_text(FAULT_CANCELLED));
	}
	timer_cancel(&h->again);
	if (h->fd >= 0) {
		stop(h);
		while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
			;
	}
	free(h);
}

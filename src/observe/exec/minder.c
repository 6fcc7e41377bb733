/*
 * minder.c - one program, from its start until nothing of it is left.
 *
 * A process a program: it is the reaper of everything that descends from the program, so that it
 * knows what is left and can end it. It tells the house what comes and never waits for it: when the
 * house is slow the program's output waits.
 */

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "observe/exec/helper_inside.h"

#define ORDER_NS   (5 * NS_PER_S) /* for the order to come */
#define FLUSH_NS   (5 * NS_PER_S) /* for the house to take the end */
#define END_NS     (2 * NS_PER_S) /* for what was killed to go */
#define SEND_MAX   (8u << 20)
#define SEND_HIGH  (512u << 10) /* above it nothing more is read */
#define PIECE      (16u << 10)
#define FIXED_POLL 5

struct pipe_end {
	int fd;
	enum helper_kind kind;
	char tail[HELPER_TAIL_MAX];
	size_t tail_n;
};

struct minder {
	int house; /* -1: it has gone, or knows the end */
	char *order;
	struct helper_request request;
	const char *home; /* "": there is none */
	struct started program;
	int pidfd;
	struct pipe_end out, err;
	struct lines lines;
	struct buf send;
	uint64_t written, kept;
	int64_t deadline_ns, kill_ns; /* 0: not yet */
	bool exited;
	int status;
};

/* --- to the house ----------------------------------------------------------------------------- */

static void leave(struct minder *m)
{
	if (m->house >= 0)
		close(m->house);
	m->house = -1;
	buf_clear(&m->send);
}

static void tell(struct minder *m, enum helper_kind kind, struct slice body)
{
	if (m->house >= 0)
		helper_frame_write(&m->send, kind, body);
}

static void flush(struct minder *m)
{
	size_t sent = 0;
	while (sent < m->send.n) {
		const ssize_t n = send(
			m->house, m->send.p + sent, m->send.n - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			leave(m);
			return;
		}
		if (n <= 0)
			break;
		sent += (size_t)n;
	}
	memmove(m->send.p, m->send.p + sent, m->send.n - sent);
	buf_cut(&m->send, m->send.n - sent);
}

static void tell_end(struct minder *m, enum helper_how how, uint32_t code)
{
	const struct pipe_end *said = m->err.tail_n ? &m->err : &m->out;
	struct rusage u;
	struct buf body = BUF(HELPER_BODY_MAX);
	getrusage(RUSAGE_CHILDREN, &u);
	const struct helper_end e = {.how = how,
		.code = code,
		.cpu_us = (uint64_t)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
			  (uint64_t)(u.ru_utime.tv_usec + u.ru_stime.tv_usec),
		.memory = (uint64_t)u.ru_maxrss * 1024,
		.output = m->written,
		.dropped = m->written - m->kept,
		.tail = slice_from(said->tail, said->tail_n)};
	helper_end_write(&body, &e);
	tell(m, HELPER_ENDED, buf_slice(&body));
	buf_fini(&body);
	const int64_t until = clock_mono_ns(&clock_system) + FLUSH_NS;
	for (;;) {
		if (m->house >= 0)
			flush(m);
		if (m->house < 0 || !m->send.n || clock_mono_ns(&clock_system) > until)
			break;
		poll(&(struct pollfd){m->house, POLLOUT, 0}, 1, 100);
	}
	leave(m);
}

/* --- the order -------------------------------------------------------------------------------- */

/* It stays in one place, so that it can be wiped. */
static bool receive(int fd, char *into, size_t n)
{
	const int64_t until = clock_mono_ns(&clock_system) + ORDER_NS;
	for (size_t got = 0; got < n;) {
		if (clock_mono_ns(&clock_system) > until)
			return false;
		if (poll(&(struct pollfd){fd, POLLIN, 0}, 1, 100) <= 0)
			continue;
		const ssize_t some = recv(fd, into + got, n - got, MSG_DONTWAIT);
		if (some == 0 || (some < 0 && errno != EAGAIN && errno != EINTR))
			return false;
		got += some > 0 ? (size_t)some : 0;
	}
	return true;
}

static bool take_order(struct minder *m, size_t *ret_n)
{
	char head[5];
	struct helper_frame f = {0};
	if (!receive(m->house, head, sizeof(head)) ||
		helper_frame_read(slice_from(head, sizeof(head)), &f, NULL) < 0)
		return false;
	size_t n = 0;
	for (unsigned i = 0; i < 4; i++)
		n |= (size_t)(uint8_t)head[i] << 8 * i;
	m->order = mem_alloc(n + 1);
	*ret_n = n;
	return head[4] == HELPER_ORDER && receive(m->house, m->order, n) &&
	       helper_order_read(slice_from(m->order, n), &m->request, NULL);
}

/* --- the program ------------------------------------------------------------------------------ */

static void on_line(void *arg, struct slice line)
{
	tell(arg, HELPER_MESSAGE, line);
}

static bool open_lines(struct minder *m, char *socket, size_t size)
{
	snprintf(socket, size, "%s/messages.sock", m->home);
	return *m->home && (!m->request.messages || lines_open(&m->lines, socket));
}

static int remove_one(const char *path, const struct stat *s, int what, struct FTW *at)
{
	if (what == FTW_DP)
		rmdir(path);
	else
		unlink(path);
	return 0;
}

void minder_remove_home(const char *home)
{
	if (*home)
		nftw(home, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void end(struct minder *m) __attribute__((noreturn));
static void end(struct minder *m)
{
	minder_remove_home(m->home);
	_exit(0);
}

static bool start(struct minder *m, size_t order_n)
{
	char socket[MINDER_HOME + 16];
	uint32_t code = 0;
	enum helper_how how = HELPER_FAILED;
	if (open_lines(m, socket, sizeof(socket)))
		how = minder_start(&m->request, m->home, m->request.messages ? socket : NULL,
			&m->program, &code);
	else
		code = (uint32_t)errno;
	m->deadline_ns = clock_mono_ns(&clock_system) + m->request.deadline_ms * NS_PER_MS;
	/* What the program was given is the program's alone. */
	explicit_bzero(m->order, order_n);
	if (how != HELPER_EXITED) {
		children_end(END_NS);
		tell_end(m, how, code);
		return false;
	}
	m->out.fd = m->program.out;
	m->err.fd = m->program.err;
	m->pidfd = pidfd_open(m->program.pid, 0);
	tell(m, HELPER_STARTED, slice_of(""));
	return m->pidfd >= 0;
}

static void keep_tail(struct pipe_end *p, const char *piece, size_t n)
{
	const size_t max = sizeof(p->tail);
	if (n >= max) {
		memcpy(p->tail, piece + n - max, max);
		p->tail_n = max;
		return;
	}
	const size_t old = p->tail_n + n > max ? max - n : p->tail_n;
	memmove(p->tail, p->tail + p->tail_n - old, old);
	memcpy(p->tail + old, piece, n);
	p->tail_n = old + n;
}

/* False: there is nothing more now. */
static bool read_output(struct minder *m, struct pipe_end *p)
{
	char piece[PIECE];
	const ssize_t n = p->fd < 0 ? 0 : read(p->fd, piece, sizeof(piece));
	if (n < 0)
		return errno == EINTR;
	if (n == 0) {
		if (p->fd >= 0)
			close(p->fd);
		p->fd = -1;
		return false;
	}
	const uint64_t room = m->request.output_max > m->kept ? m->request.output_max - m->kept : 0;
	const size_t kept = room < (uint64_t)n ? (size_t)room : (size_t)n;
	m->written += (uint64_t)n;
	m->kept += kept;
	keep_tail(p, piece, (size_t)n);
	if (kept)
		tell(m, p->kind, slice_from(piece, kept));
	return true;
}

/* --- its time --------------------------------------------------------------------------------- */

static void terminate(struct minder *m, int64_t now)
{
	kill(-m->program.pid, SIGTERM);
	m->kill_ns = now + HELPER_GRACE_NS;
}

static void look_at_time(struct minder *m)
{
	const int64_t now = clock_mono_ns(&clock_system);
	if (m->kill_ns && now >= m->kill_ns) {
		kill(-m->program.pid, SIGKILL);
		m->kill_ns = now + END_NS;
	} else if (!m->kill_ns && now >= m->deadline_ns) {
		terminate(m, now);
		tell_end(m, HELPER_TIMED_OUT, 0);
	} else if (!m->kill_ns && m->house < 0) {
		terminate(m, now);
	}
}

static int wait_ms(const struct minder *m)
{
	const int64_t at = m->kill_ns ? m->kill_ns : m->deadline_ns;
	const int64_t left = at - clock_mono_ns(&clock_system);
	return left <= 0 ? 0 : left > 60 * NS_PER_S ? 60000 : (int)(left / NS_PER_MS) + 1;
}

/* --- turns ------------------------------------------------------------------------------------ */

static void look_at_house(struct minder *m, short events)
{
	if (events & POLLOUT)
		flush(m);
	/* It has nothing more to say: what can be read is its end. */
	if (m->house >= 0 && (events & (POLLIN | POLLHUP | POLLERR | POLLRDHUP)))
		leave(m);
}

static void turn(struct minder *m)
{
	const bool full = m->send.n > SEND_HIGH;
	struct pollfd p[FIXED_POLL + MINDER_LINES] = {
		{m->house, (short)(POLLIN | POLLRDHUP | (m->send.n ? POLLOUT : 0)), 0},
		{m->pidfd, POLLIN, 0},
		{full ? -1 : m->out.fd, POLLIN, 0},
		{full ? -1 : m->err.fd, POLLIN, 0},
		{full ? -1 : m->lines.listener, POLLIN, 0},
	};
	for (int i = 0; i < MINDER_LINES; i++)
		p[FIXED_POLL + i] = (struct pollfd){full ? -1 : m->lines.peers[i].fd, POLLIN, 0};
	if (poll(p, array_len(p), wait_ms(m)) < 0)
		return;
	for (int i = 0; i < MINDER_LINES; i++)
		if (p[FIXED_POLL + i].revents)
			lines_read(&m->lines, &m->lines.peers[i]);
	if (p[4].revents)
		lines_accept(&m->lines);
	if (p[2].revents)
		read_output(m, &m->out);
	if (p[3].revents)
		read_output(m, &m->err);
	m->exited = p[1].revents != 0;
	if (p[0].revents)
		look_at_house(m, p[0].revents);
}

/* The rest of what it wrote is in the pipes, at most what they hold. */
static void drain(struct minder *m)
{
	while (read_output(m, &m->out))
		;
	while (read_output(m, &m->err))
		;
	lines_close(&m->lines);
}

void minder_run(int house, const char *home)
{
	size_t order_n;
	struct minder m = {.house = house,
		.home = home,
		.pidfd = -1,
		.out = {.fd = -1, .kind = HELPER_OUTPUT},
		.err = {.fd = -1, .kind = HELPER_ERRORS},
		.lines = {.listener = -1, .line = on_line, .arg = &m}};
	for (int i = 0; i < MINDER_LINES; i++)
		m.lines.peers[i].fd = -1;
	buf_init(&m.send, SEND_MAX);
	prctl(PR_SET_NAME, "program-minder", 0, 0, 0);
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	if (!take_order(&m, &order_n) || !start(&m, order_n))
		end(&m);
	while (!m.exited) {
		turn(&m);
		look_at_time(&m);
	}
	/* What it left behind has no business any more; its number is its own until it is reaped.
	 */
	kill(-m.program.pid, SIGKILL);
	waitpid(m.program.pid, &m.status, 0);
	children_end(END_NS);
	drain(&m);
	if (WIFEXITED(m.status))
		tell_end(&m, HELPER_EXITED, (uint32_t)WEXITSTATUS(m.status));
	else
		tell_end(&m, HELPER_SIGNALLED, (uint32_t)WTERMSIG(m.status));
	end(&m);
}

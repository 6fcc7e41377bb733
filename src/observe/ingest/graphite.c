/*
 * graphite.c - the sockets of Graphite's protocols, and the thread that reads them; see graphite.h.
 *
 * One thread waits for all of them. What one round brought is posted as one batch of points; then
 * it waits a moment, so that rounds are fuller under load. While many points wait to become samples
 * it reads no more: senders over TCP are held up by their own full buffers, packets are dropped by
 * the kernel, which counts them.
 */

#include "observe/ingest/graphite.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "net/http_server.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define EVENTS    64
#define READ_MAX  (256u << 10) /* bytes of one connection in one round */
#define PACKETS   64           /* in one round */
#define PAUSE_NS  NS_PER_MS
#define FULL      100000 /* points that wait: no more is read */
#define IDLE_NS   (600 * NS_PER_S)
#define BUFFER    (8 << 20)
#define DRAIN_MAX 1000 /* rounds for what had arrived at the end */

enum channel { LINES, PICKLES, CHANNELS };

struct connection {
	struct connection *next, *prev;
	int fd; /* first of the list: -1 */
	enum channel channel;
	bool skipping; /* the rest of a line that was too long */
	int64_t heard_ns;
	struct buf in;
};

struct graphite {
	struct loop *loop;
	struct graphite_options o;
	int epoll, wake, udp, listeners[CHANNELS];
	pthread_t thread;
	atomic_bool stop;
	atomic_size_t posted,
		waiting; /* points on their way to the loop; that are no samples yet */
	bool idle;       /* the thread's last word has come */
	/* the thread's */
	struct connection all;
	unsigned open;
	struct points *points[CHANNELS];
	struct bad_lines bad[CHANNELS];
	char *memory;
};

struct handed {
	struct graphite *graphite;
	struct points *points[CHANNELS];
	struct bad_lines bad[CHANNELS];
	uint64_t lost;
	bool last;
};

/* --- handing over ----------------------------------------------------------------------------- */

static void on_handed(void *arg)
{
	struct handed *h = arg;
	struct graphite *g = h->graphite;
	for (int c = 0; c < CHANNELS; c++) {
		atomic_fetch_sub(&g->posted, points_count(h->points[c]));
		g->o.taken(g->o.arg, c == PICKLES, h->points[c], &h->bad[c]);
	}
	g->o.lost(g->o.arg, h->lost);
	if (h->last) {
		g->idle = true;
		loop_release(g->loop);
	}
	free(h);
}

static uint64_t packets_lost(const struct graphite *g)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof(info);
	return g->udp >= 0 && getsockopt(g->udp, SOL_SOCKET, SO_MEMINFO, info, &n) == 0
		       ? info[SK_MEMINFO_DROPS]
		       : 0;
}

static void hand_over(struct graphite *g, bool last)
{
	bool some = last;
	for (int c = 0; c < CHANNELS; c++)
		some = some || points_count(g->points[c]) || g->bad[c].n;
	if (!some)
		return;
	struct handed *h = mem_new(struct handed);
	h->graphite = g;
	h->last = last;
	h->lost = packets_lost(g);
	for (int c = 0; c < CHANNELS; c++) {
		h->points[c] = g->points[c];
		h->bad[c] = g->bad[c];
		atomic_fetch_add(&g->posted, points_count(g->points[c]));
		g->points[c] = points_new();
		g->bad[c] = (struct bad_lines){0};
	}
	loop_post(g->loop, on_handed, h);
}

/* --- what was sent ---------------------------------------------------------------------------- */

static void make_room(struct graphite *g, enum channel c)
{
	if (points_count(g->points[c]) > POINTS_MAX / 2)
		hand_over(g, false);
}

static void take_line(struct graphite *g, struct slice line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	if (!line.n)
		return;
	make_room(g, LINES);
	const char *wrong = graphite_line_read(line, g->points[LINES]);
	if (wrong)
		bad_lines_add(&g->bad[LINES], wrong, line);
}

/* Complete lines; returns how many bytes they were. */
static size_t take_lines(struct graphite *g, struct connection *c, struct slice in)
{
	size_t at = 0;
	for (;;) {
		const char *stop = memchr(in.p + at, '\n', in.n - at);
		if (!stop)
			break;
		const size_t n = (size_t)(stop - in.p) - at;
		if (c->skipping)
			c->skipping = false;
		else
			take_line(g, slice_from(in.p + at, n));
		at += n + 1;
	}
	if (in.n - at <= GRAPHITE_LINE_MAX)
		return at;
	if (!c->skipping)
		bad_lines_add(&g->bad[LINES], "the line is longer than 4096 bytes",
			slice_sub(in, at, in.n));
	c->skipping = true;
	return in.n;
}

/* Complete messages; *ret_end: the connection is of no more use. */
static size_t take_pickles(struct graphite *g, struct slice in, bool *ret_end)
{
	size_t at = 0;
	while (in.n - at >= 4) {
		const unsigned char *p = (const unsigned char *)in.p + at;
		const size_t n = (size_t)p[0] << 24 | (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		if (n > GRAPHITE_PICKLE_MAX) {
			bad_lines_add(&g->bad[PICKLES], "the message is longer than 1 MiB",
				SLICE("a pickle"));
			*ret_end = true;
			return in.n;
		}
		if (in.n - at - 4 < n)
			break;
		make_room(g, PICKLES);
		const char *wrong = graphite_pickle_read(
			slice_sub(in, at + 4, n), g->points[PICKLES], &g->bad[PICKLES]);
		if (wrong)
			bad_lines_add(&g->bad[PICKLES], wrong, SLICE("a pickle"));
		at += 4 + n;
	}
	return at;
}

/* --- connections ------------------------------------------------------------------------------ */

static void connection_close(struct graphite *g, struct connection *c)
{
	c->prev->next = c->next;
	c->next->prev = c->prev;
	close(c->fd);
	buf_fini(&c->in);
	free(c);
	g->open--;
}

/* A last line without its end is no line: what was sent may be half of a number. */
static void read_connection(struct graphite *g, struct connection *c)
{
	const ssize_t n = recv(c->fd, g->memory, READ_MAX, MSG_DONTWAIT);
	bool end = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
	if (n > 0) {
		c->heard_ns = clock_mono_ns(&clock_system);
		buf_add(&c->in, g->memory, (size_t)n);
		const struct slice in = buf_slice(&c->in);
		const size_t used =
			c->channel == LINES ? take_lines(g, c, in) : take_pickles(g, in, &end);
		memmove(c->in.p, c->in.p + used, c->in.n - used);
		buf_cut(&c->in, c->in.n - used);
	}
	if (end && c->in.n && !c->skipping)
		bad_lines_add(&g->bad[c->channel], "the connection ended in the middle of it",
			c->channel == LINES ? buf_slice(&c->in) : SLICE("a pickle"));
	if (end)
		connection_close(g, c);
}

/* The one that was silent longest makes room. */
static void close_oldest(struct graphite *g)
{
	struct connection *oldest = g->all.next;
	for (struct connection *c = g->all.next; c != &g->all; c = c->next)
		if (c->heard_ns < oldest->heard_ns)
			oldest = c;
	connection_close(g, oldest);
}

static void accept_some(struct graphite *g, enum channel channel)
{
	for (int i = 0; i < EVENTS; i++) {
		const int fd =
			accept4(g->listeners[channel], NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		if (g->open >= g->o.connections)
			close_oldest(g);
		struct connection *c = mem_new(struct connection);
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
		c->fd = fd;
		c->channel = channel;
		c->heard_ns = clock_mono_ns(&clock_system);
		buf_init(&c->in, READ_MAX + GRAPHITE_PICKLE_MAX + GRAPHITE_LINE_MAX + 16);
		c->next = g->all.next;
		c->prev = &g->all;
		c->next->prev = c;
		g->all.next = c;
		g->open++;
		if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, fd, &e) != 0)
			connection_close(g, c);
	}
}

static void read_packets(struct graphite *g)
{
	struct connection none = {.channel = LINES};
	for (int i = 0; i < PACKETS; i++) {
		const ssize_t n = recv(g->udp, g->memory, READ_MAX - 1, MSG_DONTWAIT);
		if (n < 0)
			return;
		g->memory[n] = '\n'; /* a packet ends its last line */
		none.skipping = false;
		take_lines(g, &none, slice_from(g->memory, (size_t)n + 1));
	}
}

/* --- the thread ------------------------------------------------------------------------------- */

/* A round. How many sockets had something; connections are closed by nobody else, each stands in
 * the events once, and one that makes room for another is closed after all were read. */
static int round_of(struct graphite *g, int wait_ms)
{
	struct epoll_event events[EVENTS];
	bool fresh[CHANNELS] = {0};
	uint64_t count;
	int some = 0;
	const int n = epoll_wait(g->epoll, events, EVENTS, wait_ms);
	for (int i = 0; i < n; i++) {
		void *what = events[i].data.ptr;
		if (what == &g->wake) {
			if (read(g->wake, &count, sizeof(count)) < 0)
				continue;
		} else if (what == &g->udp) {
			read_packets(g);
			some++;
		} else if (what == &g->listeners[LINES] || what == &g->listeners[PICKLES]) {
			fresh[what == &g->listeners[LINES] ? LINES : PICKLES] = true;
			some++;
		} else {
			read_connection(g, what);
			some++;
		}
	}
	for (int c = 0; c < CHANNELS; c++)
		if (fresh[c])
			accept_some(g, (enum channel)c);
	return some;
}

static void drop_silent(struct graphite *g)
{
	const int64_t now = clock_mono_ns(&clock_system);
	for (struct connection *c = g->all.next, *next; c != &g->all; c = next) {
		next = c->next;
		if (now - c->heard_ns > IDLE_NS)
			connection_close(g, c);
	}
}

static void *thread_main(void *arg)
{
	struct graphite *g = arg;
	const struct timespec pause = {.tv_nsec = PAUSE_NS};
	while (!atomic_load(&g->stop)) {
		if (atomic_load(&g->posted) + atomic_load(&g->waiting) > FULL) {
			nanosleep(&pause, NULL);
			continue;
		}
		if (!round_of(g, 60000))
			drop_silent(g);
		hand_over(g, false);
		nanosleep(&pause, NULL);
	}
	for (int i = 0; i < DRAIN_MAX && round_of(g, 0); i++)
		;
	hand_over(g, true);
	return NULL;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool watch(struct graphite *g, int *fd, struct error *err)
{
	struct epoll_event e = {.events = EPOLLIN, .data.ptr = fd};
	if (*fd < 0)
		return false;
	if (epoll_ctl(g->epoll, EPOLL_CTL_ADD, *fd, &e) == 0)
		return true;
	error_sys(err, errno, "cannot watch a socket");
	return false;
}

/* Packets come to the port of the lines, also where that was chosen by the kernel. */
static bool open_udp(struct graphite *g, struct error *err)
{
	const int size = BUFFER;
	const char *colon = strrchr(g->o.line, ':');
	char *address = mem_printf("%.*s:%u", colon ? (int)(colon - g->o.line) : 0, g->o.line,
		http_listener_port(g->listeners[LINES]));
	g->udp = udp_listen(address, err);
	free(address);
	if (g->udp >= 0 && setsockopt(g->udp, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(g->udp, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return watch(g, &g->udp, err);
}

static bool open_all(struct graphite *g, struct error *err)
{
	const char *const addresses[CHANNELS] = {g->o.line, g->o.pickle};
	g->epoll = epoll_create1(EPOLL_CLOEXEC);
	g->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->epoll < 0 || g->wake < 0) {
		error_sys(err, errno, "cannot wait for sockets");
		return false;
	}
	if (!watch(g, &g->wake, err))
		return false;
	for (int c = 0; c < CHANNELS; c++) {
		if (!addresses[c])
			continue;
		g->listeners[c] = http_listen(addresses[c], false, err);
		if (!watch(g, &g->listeners[c], err))
			return false;
	}
	return !g->o.line || open_udp(g, err);
}

static void graphite_free(struct graphite *g)
{
	const int fds[] = {g->epoll, g->wake, g->udp, g->listeners[LINES], g->listeners[PICKLES]};
	while (g->all.next != &g->all)
		connection_close(g, g->all.next);
	for (size_t i = 0; i < array_len(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	for (int c = 0; c < CHANNELS; c++)
		points_free(g->points[c]);
	free(g->memory);
	free(g);
}

struct graphite *graphite_open(
	struct loop *l, const struct graphite_options *options, struct error *err)
{
	struct graphite *g = mem_new(struct graphite);
	g->loop = l;
	g->o = *options;
	g->epoll = g->wake = g->udp = g->listeners[LINES] = g->listeners[PICKLES] = -1;
	g->all.next = g->all.prev = &g->all;
	g->memory = mem_alloc(READ_MAX);
	for (int c = 0; c < CHANNELS; c++)
		g->points[c] = points_new();
	if (open_all(g, err)) {
		const int rc = pthread_create(&g->thread, NULL, thread_main, g);
		if (!rc)
			return g;
		error_sys(err, rc, "cannot start a thread");
	}
	graphite_free(g);
	return NULL;
}

void graphite_close(struct graphite *g)
{
	static const uint64_t one = 1;
	if (!g)
		return;
	loop_hold(g->loop); /* until its last word has come */
	atomic_store(&g->stop, true);
	if (write(g->wake, &one, sizeof(one)) < 0)
		mem_panic("an event cannot be written");
	pthread_join(g->thread, NULL);
	while (!g->idle) /* somebody may stop the loop meanwhile */
		loop_run_until(g->loop, &g->idle);
	graphite_free(g);
}

void graphite_waiting(struct graphite *g, size_t points)
{
	atomic_store(&g->waiting, points);
}

unsigned graphite_port(const struct graphite *g, bool pickle)
{
	const int fd = g->listeners[pickle ? PICKLES : LINES];
	return fd >= 0 ? http_listener_port(fd) : 0;
}

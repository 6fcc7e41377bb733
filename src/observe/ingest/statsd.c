/*
 * statsd.c - the socket of StatsD, and the thread that receives and adds up; see statsd.h.
 *
 * The thread sleeps while nothing comes. After packets came it waits a moment before it asks
 * again, so that under load it takes many with one call; the socket's buffer holds what comes
 * meanwhile. The loop's timer says when an interval ends: the thread takes what has arrived by then
 * and posts the batch. It answers each such word exactly once.
 */

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <linux/sock_diag.h>

#include "net/http_server.h"
#include "observe/ingest/statsd.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

#define PACKETS      64                 /* with one call */
#define PACKET_MAX   (16u << 10)        /* bytes; what is longer loses its end, and says so */
#define PACKET_APART (PACKET_MAX + 192) /* not all at the same place of the cache */
#define BUFFER       (8 << 20)
#define PAUSE_NS     (200 * NS_PER_US)
#define EARLY_MS     5          /* the clocks of timer and wall differ that much at most */
#define DRAIN_MAX    (1u << 16) /* calls for what had arrived at the end of an interval */

enum word { GO_ON, FLUSH, STOP };

struct statsd {
	struct loop *loop;
	int fd, wake;
	pthread_t thread;
	statsd_taken *taken;
	void *arg;
	int64_t flush_ms, end_ms; /* end_ms: of the interval under way */
	struct timer timer;
	unsigned due; /* batches the thread was asked for */
	bool idle;
	atomic_int word; /* to the thread; back to GO_ON when it has begun to do it */
	/* the thread's */
	struct statsd_table *table;
	char *memory;
	struct mmsghdr headers[PACKETS];
	struct iovec parts[PACKETS];
};

/* --- the thread ------------------------------------------------------------------------------- */

/* How many packets there were: fewer than PACKETS means that no more wait. */
static int receive(struct statsd *s)
{
	const int n = recvmmsg(s->fd, s->headers, PACKETS, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		struct slice packet = slice_from(s->parts[i].iov_base, s->headers[i].msg_len);
		if (s->headers[i].msg_hdr.msg_flags & MSG_TRUNC) {
			statsd_table_bad(s->table, "the packet is longer than 16 KiB",
				slice_sub(packet, 0, slice_find(packet, '\n')));
			while (packet.n && packet.p[packet.n - 1] != '\n')
				packet.n--;
		}
		statsd_table_take(s->table, packet);
	}
	return n > 0 ? n : 0;
}

static uint64_t packets_lost(const struct statsd *s)
{
	uint32_t info[SK_MEMINFO_VARS] = {0};
	socklen_t n = sizeof(info);
	return getsockopt(s->fd, SOL_SOCKET, SO_MEMINFO, info, &n) == 0 ? info[SK_MEMINFO_DROPS]
									: 0;
}

static void on_batch(void *arg)
{
	struct statsd_batch *b = arg;
	struct statsd *s = b->owner;
	s->idle = --s->due == 0;
	loop_release(s->loop);
	b->at_ms = s->end_ms;
	s->end_ms = 0;
	s->taken(s->arg, b);
}

static void hand_over(struct statsd *s)
{
	for (unsigned i = 0; i < DRAIN_MAX && receive(s) == PACKETS; i++)
		;
	struct statsd_batch *b = statsd_table_flush(s->table);
	b->lost = packets_lost(s);
	b->owner = s;
	loop_post(s->loop, on_batch, b);
}

static void wait_for_more(struct statsd *s, bool some)
{
	struct pollfd fds[] = {{.fd = s->fd, .events = POLLIN}, {.fd = s->wake, .events = POLLIN}};
	uint64_t count;
	if (some)
		nanosleep(&(struct timespec){.tv_nsec = PAUSE_NS}, NULL);
	else
		poll(fds, 2, -1);
	if (fds[1].revents && read(s->wake, &count, sizeof(count)) < 0)
		return; /* it was another word's, taken already */
}

static void *thread_main(void *arg)
{
	struct statsd *s = arg;
	for (;;) {
		const int n = receive(s);
		const int word = atomic_exchange(&s->word, GO_ON);
		if (word != GO_ON)
			hand_over(s);
		if (word == STOP)
			return NULL;
		if (n < PACKETS && word == GO_ON)
			wait_for_more(s, n > 0);
	}
}

/* --- the loop's ------------------------------------------------------------------------------- */

static int64_t now_ms(const struct statsd *s)
{
	return clock_unix_us(loop_clock(s->loop)) / 1000;
}

static void say(struct statsd *s, enum word word, int64_t end_ms)
{
	static const uint64_t one = 1;
	s->due++;
	s->idle = false;
	s->end_ms = end_ms;
	loop_hold(s->loop);
	atomic_store(&s->word, word);
	if (write(s->wake, &one, sizeof(one)) < 0)
		return; /* it is awake: the counter is full */
}

static void on_timer(struct timer *t);

/* The next end of an interval by the wall clock. */
static void start_timer(struct statsd *s)
{
	const int64_t now = now_ms(s), end = ((now + EARLY_MS) / s->flush_ms + 1) * s->flush_ms;
	timer_start(s->loop, &s->timer, (end - now) * NS_PER_MS, on_timer, s);
}

/* While the thread is still at the last word, the interval becomes a longer one. */
static void on_timer(struct timer *t)
{
	struct statsd *s = t->arg;
	const int64_t now = now_ms(s) + EARLY_MS;
	if (!s->due)
		say(s, FLUSH, now / s->flush_ms * s->flush_ms);
	start_timer(s);
}

static bool start(struct statsd *s, const char *address, struct error *err)
{
	const int size = BUFFER;
	s->fd = udp_listen(address, err);
	if (s->fd < 0)
		return false;
	if (setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) != 0)
		setsockopt(s->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->wake < 0) {
		error_sys(err, errno, "cannot make an event");
		return false;
	}
	for (size_t i = 0; i < PACKETS; i++) {
		s->parts[i] = (struct iovec){s->memory + i * PACKET_APART, PACKET_MAX};
		s->headers[i].msg_hdr = (struct msghdr){.msg_iov = &s->parts[i], .msg_iovlen = 1};
	}
	const int rc = pthread_create(&s->thread, NULL, thread_main, s);
	if (rc)
		error_sys(err, rc, "cannot start a thread");
	return rc == 0;
}

static void statsd_free(struct statsd *s)
{
	if (s->fd >= 0)
		close(s->fd);
	if (s->wake >= 0)
		close(s->wake);
	statsd_table_free(s->table);
	free(s->memory);
	free(s);
}

struct statsd *statsd_open(struct loop *l, const char *address, int64_t flush_ms, size_t names_max,
	statsd_taken *taken, void *arg, struct error *err)
{
	struct statsd *s = mem_new(struct statsd);
	s->loop = l;
	s->wake = -1;
	s->idle = true;
	s->flush_ms = flush_ms;
	s->taken = taken;
	s->arg = arg;
	s->table = statsd_table_new(names_max, (uint64_t)(STATSD_IDLE_MS / flush_ms));
	s->memory = mem_alloc((size_t)PACKETS * PACKET_APART);
	if (!start(s, address, err)) {
		statsd_free(s);
		return NULL;
	}
	start_timer(s);
	return s;
}

void statsd_close(struct statsd *s)
{
	if (!s)
		return;
	timer_cancel(&s->timer);
	while (!s->idle) /* somebody may stop the loop meanwhile */
		loop_run_until(s->loop, &s->idle);
	say(s, STOP, (now_ms(s) / s->flush_ms + 1) * s->flush_ms);
	pthread_join(s->thread, NULL);
	while (!s->idle)
		loop_run_until(s->loop, &s->idle);
	statsd_free(s);
}

unsigned statsd_port(const struct statsd *s)
{
	return http_listener_port(s->fd);
}

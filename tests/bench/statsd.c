/*
 * statsd.c - what the bench of StatsD needs: who sends, a bare receiver, and ours by itself.
 *
 *	bench-statsd send PORT LINES   packets of 10 lines, 1000 names of all
 *types bench-statsd bare            a loop around recvmmsg() that counts packets bench-statsd ours
 *DIRECTORY  the receiver of glasshouse with its store
 *
 * Receivers print their port at once and, on SIGTERM, a JSON line: lines taken, CPU seconds.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "observe/ingest/ingest.h"

#define LINES   10
#define NAMES   1000
#define PACKETS 1000
#define AT_ONCE 64
#define BYTES   1500
#define BUFFER  (8 << 20)

static volatile sig_atomic_t over;

static void on_term(int number)
{
	over = 1;
}

static double cpu(void)
{
	struct rusage u;
	getrusage(RUSAGE_SELF, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
	       (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void report(double lines, double from)
{
	printf("{\"lines\": %.0f, \"cpu\": %.6f}\n", lines, cpu() - from);
}

static bool fail(const char *what)
{
	perror(what);
	return false;
}

/* --- who sends -------------------------------------------------------------------------------- */

/* As OpenStack's library names them: most are counters and times. */
static size_t write_packet(char *p, unsigned k)
{
	static const char *const ends[LINES] = {"200:", "200:", "attempted:", "404:", "passed:",
		"500:", "202:", "over_1000:", "open:", "204:"};
	static const char *const types[LINES] = {
		"|c", "|ms", "|c", "|ms", "|c", "|c", ".5|ms", "|c", "|g", "|c"};
	size_t n = 0;
	for (unsigned i = 0; i < LINES; i++) {
		const unsigned name = (k * LINES + i) % NAMES;
		n += (size_t)snprintf(p + n, BYTES - n,
			"openstack.api.prod.eu-de.compute.GET.r%03u.%s%u%s", name / LINES,
			ends[name % LINES], 1 + k % 900, types[name % LINES]);
		p[n++] = '\n';
	}
	return n - 1;
}

static int send_all(unsigned port, double lines)
{
	static char bytes[PACKETS][BYTES];
	static struct iovec parts[PACKETS];
	static struct mmsghdr headers[PACKETS];
	const struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		return fail("connect") + 1;
	for (unsigned i = 0; i < PACKETS; i++) {
		parts[i] = (struct iovec){bytes[i], write_packet(bytes[i], i)};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	double sent = 0;
	for (unsigned at = 0; sent * LINES < lines; at = (at + AT_ONCE) % (PACKETS - AT_ONCE)) {
		const int n = sendmmsg(fd, headers + at, AT_ONCE, 0);
		sent += n > 0 ? n : 0;
	}
	printf("{\"sent\": %.0f}\n", sent * LINES);
	return 0;
}

/* --- a bare receiver -------------------------------------------------------------------------- */

static int receive_bare(void)
{
	static char bytes[AT_ONCE][BYTES];
	static struct iovec parts[AT_ONCE];
	static struct mmsghdr headers[AT_ONCE];
	struct sockaddr_in own = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(own);
	const int fd = socket(AF_INET, SOCK_DGRAM, 0), size = BUFFER;
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0 ||
		getsockname(fd, (struct sockaddr *)&own, &n) != 0)
		return fail("bind") + 1;
	for (unsigned i = 0; i < AT_ONCE; i++) {
		parts[i] = (struct iovec){bytes[i], BYTES};
		headers[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
	}
	printf("%u\n", ntohs(own.sin_port));
	fflush(stdout);
	const double from = cpu();
	double packets = 0;
	while (!over) {
		const int got = recvmmsg(fd, headers, AT_ONCE, MSG_WAITFORONE, NULL);
		packets += got > 0 ? got : 0;
	}
	report(packets * LINES, from);
	return 0;
}

/* --- ours ------------------------------------------------------------------------------------- */

static void on_look(struct timer *t)
{
	if (over)
		loop_stop(t->loop);
	else
		timer_start(t->loop, t, 100 * NS_PER_MS, on_look, NULL);
}

static int receive_ours(const char *dir)
{
	struct error err = {0};
	struct timer look = {0};
	const struct ingest_options o = {.statsd = "127.0.0.1:0", .location = "here"};
	struct loop *l = loop_new(NULL, &err);
	struct series_store *store = l ? series_open(dir, l, NULL, &err) : NULL;
	struct ingest *i = store ? ingest_open(l, store, &o, &err) : NULL;
	if (!i) {
		fprintf(stderr, "%s\n", err.msg);
		return 1;
	}
	printf("%u\n", ingest_port(i, INGEST_STATSD));
	fflush(stdout);
	const double from = cpu();
	timer_start(l, &look, 0, on_look, NULL);
	loop_run(l);
	/* what the interval under way holds counts as well */
	timer_start(l, &look, 11 * NS_PER_S, on_look, NULL);
	loop_run(l);
	const struct ingest_state s = ingest_state(i);
	report((double)s.source[INGEST_STATSD].points, from);
	ingest_close(i);
	series_close(store);
	loop_free(l);
	return 0;
}

int main(int argc, char **argv)
{
	const struct sigaction stop = {.sa_handler = on_term};
	sigaction(SIGTERM, &stop, NULL); /* ends what waits in a call */
	if (argc >= 4 && !strcmp(argv[1], "send"))
		return send_all((unsigned)strtoul(argv[2], NULL, 10), strtod(argv[3], NULL));
	if (argc == 2 && !strcmp(argv[1], "bare"))
		return receive_bare();
	if (argc == 3 && !strcmp(argv[1], "ours"))
		return receive_ours(argv[2]);
	fputs("usage: bench-statsd send PORT LINES | bare | ours DIRECTORY\n", stderr);
	return 2;
}

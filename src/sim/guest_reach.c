/*
 * guest_reach.c - ping and nc: what a guest can reach from inside. Nothing is sent; the picture of
 * the cloud says what would come back.
 */

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "base/units.h"
#include "sim/guest_balance.h"
#include "sim/guest_shell.h"

#define PING_COUNT_MAX 10000
#define PING_EVERY_MIN 0.01 /* s */
#define SSH_PORT       22

/* An address as text, the guest's own name, or one outside, which is known where packets get there.
 */
static bool address_of(
	const struct shell *sh, const struct world_guest *g, const char *name, struct ip *ret)
{
	if (ip_parse(name, ret))
		return true;
	if (world_far_host(name, ret))
		return world_way(*sh->world, g, *ret, PACKET_ECHO, 0).way == WAY_ROUTER;
	return (!strcmp(name, "localhost") || !strcmp(name, g->disk->hostname)) &&
	       ip_parse("127.0.0.1", ret);
}

/* The value of an option that may stand in the same word or the next; -1 if it is none. */
static double option_value(size_t argc, char **argv, size_t *i)
{
	double value;
	const char *text = argv[*i] + 2;
	if (!*text)
		text = *i + 1 < argc ? argv[++*i] : "";
	return units_parse_real(slice_of(text), &value) && value >= 0 && value <= SHELL_WAIT_MAX
		       ? value
		       : -1;
}

/* --- ping --------------------------------------------------------------------------------------
 */

static void end_ping(struct timer *t)
{
	struct shell *sh = t->arg;
	const struct shell_ping *p = &sh->ping;
	shell_out(sh,
		"\n--- %s ping statistics ---\n%u packets transmitted, %u packets received, "
		"%u%% packet loss\n",
		p->name, p->sent, p->received,
		p->sent ? (p->sent - p->received) * 100 / p->sent : 0);
	if (p->received)
		shell_out(sh, "round-trip min/avg/max = %.3f/%.3f/%.3f ms\n", p->min_ms,
			p->sum_ms / p->received, p->max_ms);
	shell_job_done(sh, p->received ? 0 : 1);
	sh->wake(sh->arg);
}

static void answered(struct shell *sh)
{
	struct shell_ping *p = &sh->ping;
	const double ms = 0.2 + 0.4 * random_unit(&random_system);
	if (!p->received || ms < p->min_ms)
		p->min_ms = ms;
	if (ms > p->max_ms)
		p->max_ms = ms;
	p->sum_ms += ms;
	p->received++;
	if (!p->quiet)
		shell_out(sh, "64 bytes from %s: seq=%u ttl=64 time=%.3f ms\n", p->name,
			p->sent - 1, ms);
}

static void send_ping(struct timer *t)
{
	struct shell *sh = t->arg;
	struct shell_ping *p = &sh->ping;
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	const struct world_end end = g ? world_way(*sh->world, g, p->to, PACKET_ECHO, 0)
				       : (struct world_end){.way = WAY_NO_ROUTE};
	const enum way way = end.way;
	if (way == WAY_NO_ROUTE) {
		shell_err(sh, "ping: sendto: Network is unreachable\n");
		shell_job_done(sh, 1);
		sh->wake(sh->arg);
		return;
	}
	p->sent++;
	const bool came = way == WAY_BALANCER ? !end.balancer->transparent : way != WAY_LOST;
	if (came)
		answered(sh);
	if (p->sent < p->count)
		shell_wait(sh, JOB_PING, p->every_ns, send_ping);
	else
		shell_wait(sh, JOB_PING, came ? 0 : p->wait_ns, end_ping);
	sh->wake(sh->arg);
}

static bool ping_option(struct shell *sh, size_t argc, char **argv, size_t *i)
{
	struct shell_ping *p = &sh->ping;
	const char letter = argv[*i][1];
	p->quiet |= letter == 'q';
	if (letter == 'q' || letter == 'n' || letter == '4' || letter == '6')
		return true;
	const double value = letter && strchr("cWiw", letter) ? option_value(argc, argv, i) : -1;
	if (value < 0) {
		shell_err(sh, "ping: invalid option or number -- '%c'\n", letter);
		return false;
	}
	if (letter == 'c')
		p->count = (unsigned)value;
	else if (letter == 'W')
		p->wait_ns = (int64_t)(value * (double)NS_PER_S);
	else if (letter == 'i')
		p->every_ns = value < PING_EVERY_MIN ? (int64_t)(PING_EVERY_MIN * NS_PER_S)
						     : (int64_t)(value * (double)NS_PER_S);
	return true;
}

int command_ping(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	const char *target = NULL;
	sh->ping = (struct shell_ping){
		.count = PING_COUNT_MAX, .wait_ns = 10 * NS_PER_S, .every_ns = NS_PER_S};
	for (size_t i = 1; i < argc; i++) {
		if (*argv[i] != '-')
			target = argv[i];
		else if (!ping_option(sh, argc, argv, &i))
			return 1;
	}
	if (!target || !address_of(sh, g, target, &sh->ping.to)) {
		shell_err(sh, "ping: bad address '%.200s'\n", target ? target : "");
		return 1;
	}
	if (!sh->ping.count || sh->ping.count > PING_COUNT_MAX)
		sh->ping.count = PING_COUNT_MAX;
	snprintf(sh->ping.name, sizeof(sh->ping.name), "%s", target);
	shell_out(sh, "PING %s (%s): 56 data bytes\n", sh->ping.name, sh->ping.name);
	return shell_wait(sh, JOB_PING, 0, send_ping);
}

/* --- nc ----------------------------------------------------------------------------------------
 */

struct nc {
	const char *address, *port_text;
	double wait;
	bool zero;
	struct ip to;
	int64_t port;
};

static void end_connect(struct timer *t)
{
	struct shell *sh = t->arg;
	shell_err(sh, "nc: timed out\n");
	shell_job_done(sh, 1);
	sh->wake(sh->arg);
}

/* Answered once its head is whole; a body is not looked at. */
void shell_request(struct shell *sh)
{
	const struct world_guest *g = world_guest(*sh->world, sh->guest);
	const struct slice request = buf_slice(&sh->in);
	if (slice_find_text(request, SLICE("\r\n\r\n")) == request.n && !sh->in_end)
		return;
	if (g && !sh->drop_out)
		guest_metadata(g, request, &sh->out);
	buf_clear(&sh->in);
	shell_job_done(sh, 0);
}

/* Input that came before the command did. */
static void on_request_there(struct timer *t)
{
	struct shell *sh = t->arg;
	shell_request(sh);
	sh->wake(sh->arg);
}

static bool read_nc(struct nc *q, size_t argc, char **argv)
{
	for (size_t i = 1; i < argc; i++) {
		if (*argv[i] != '-' && !q->address)
			q->address = argv[i];
		else if (*argv[i] != '-' && !q->port_text)
			q->port_text = argv[i];
		else if (argv[i][0] == '-' && argv[i][1] == 'w')
			q->wait = option_value(argc, argv, &i);
		else if (!strcmp(argv[i], "-z") || !strcmp(argv[i], "-zv"))
			q->zero = true;
		else
			return false;
	}
	return q->port_text && q->wait >= 0 && units_parse_int(slice_of(q->port_text), &q->port) &&
	       q->port >= 1 && q->port <= 65535;
}

int command_nc(struct shell *sh, const struct world_guest *g, size_t argc, char **argv)
{
	struct nc q = {.wait = 75}; /* about what Linux tries for */
	struct ip metadata;
	if (!read_nc(&q, argc, argv)) {
		shell_err(sh, "nc: only `nc [-z] [-w SECONDS] ADDRESS PORT` is known here\n");
		return 1;
	}
	if (!address_of(sh, g, q.address, &q.to)) {
		shell_err(sh, "nc: bad address '%.200s'\n", q.address);
		return 1;
	}
	const struct world_end end = world_way(*sh->world, g, q.to, PACKET_TCP, (unsigned)q.port);
	const enum way way = end.way;
	const bool service = way == WAY_ROUTER && q.port == WORLD_METADATA_PORT &&
			     ip_parse(WORLD_METADATA, &metadata) && ip_equal(metadata, q.to);
	const bool listens = (way == WAY_GUEST && q.port == SSH_PORT) ||
			     balance_listens(*sh->world, sh->services, &end, (unsigned)q.port);
	if (q.zero && (service || listens))
		return 0;
	if (service) {
		const int waits = shell_wait(sh, JOB_REQUEST, 0, NULL);
		if (sh->in.n || sh->in_end)
			timer_start(sh->loop, &sh->timer, 0, on_request_there, sh);
		return waits;
	}
	if (way == WAY_LOST)
		return shell_wait(
			sh, JOB_CONNECT, (int64_t)(q.wait * (double)NS_PER_S), end_connect);
	if (listens) {
		shell_err(sh, "nc: only `nc -z` is known here for port %d\n", (int)q.port);
		return 1;
	}
	shell_err(sh, "nc: can't connect to remote host (%.100s): %s\n", q.address,
		way == WAY_NO_ROUTE ? "Network is unreachable" : "Connection refused");
	return 1;
}

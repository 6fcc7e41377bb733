/*
 * metrics_statsd.c - CloudMon's names in packets of StatsD: over UDP, and into our own series.
 *
 * StatsD counts what comes when it comes: what could not be sent within some seconds would be told
 * as of another time, and is lost instead.
 */

#include <string.h>

#include "tell/metrics_inside.h"

#define PACKET_MAX 1432 /* what an Ethernet frame has room for */
#define LATE_NS    (10 * NS_PER_S)

static void step(struct sender *s);

struct cloudmon_place sender_place(const struct sender *s)
{
	return (struct cloudmon_place){s->config.prefix, s->config.environment, s->config.zone};
}

static void on_due(struct timer *t)
{
	struct sender *s = t->arg;
	waiting_close(s);
	step(s);
}

static void on_retry(struct timer *t)
{
	step(t->arg);
}

/* --- packets ------------------------------------------------------------------------------------
 */

static void on_name(void *arg, enum cloudmon_type type, const char *name, double x)
{
	struct sender *s = arg;
	struct buf line = BUF(PACKET_MAX);
	buf_printf(&line, "%s:%.0f|%s", name, x, type == CLOUDMON_TIME ? "ms" : "c");
	if (line.over) {
		s->lost++;
		buf_fini(&line);
		return;
	}
	if (s->open && s->open->lines.n + 1 + line.n > PACKET_MAX)
		waiting_close(s);
	if (!s->open)
		timer_start(s->metrics->loop, &s->due, s->config.every_ns, on_due, s);
	struct batch *b = waiting_open(s, PACKET_MAX);
	const size_t before = b->lines.n;
	if (before)
		buf_add_char(&b->lines, '\n');
	buf_add_slice(&b->lines, buf_slice(&line));
	waiting_added(s, b->lines.n - before);
	buf_fini(&line);
}

void statsd_take(struct sender *s, const struct measure *m)
{
	const struct cloudmon_place place = sender_place(s);
	cloudmon_names(&place, m, on_name, s);
	step(s);
}

/* --- sending ------------------------------------------------------------------------------------
 */

static void trouble(struct sender *s, const char *why)
{
	sender_note_trouble(s, why);
	s->failures++;
	s->tries++;
	udp_out_close(s->udp);
	s->udp = NULL;
	s->udp_ready = false;
	if (s->draining)
		sender_over(s);
	else
		timer_start(s->metrics->loop, &s->retry, sender_backoff_ns(s, NULL), on_retry, s);
}

static void on_ready(void *arg, enum fault fault, const char *detail)
{
	struct sender *s = arg;
	s->udp_ready = fault == FAULT_NONE;
	if (fault)
		trouble(s, *detail ? detail : fault_text(fault));
	else
		step(s);
}

static void open_socket(struct sender *s)
{
	char *host;
	unsigned port;
	if (!metrics_host_port(s->config.url, &host, &port))
		return;
	s->udp = udp_out_open(
		s->metrics->site.resolver, host, port, METRICS_DEADLINE_NS, on_ready, s);
	free(host);
}

/* Sends the first; false: it did not go. */
static bool send_first(struct sender *s)
{
	const struct batch *b = s->batches.p[0];
	const unsigned tries = s->tries;
	enum fault fault = FAULT_NONE;
	if (s->config.kind == METRICS_STORE) {
		s->metrics->site.packet(s->metrics->site.arg, buf_slice(&b->lines));
	} else if (loop_now_ns(s->metrics->loop) - b->first_ns > LATE_NS) {
		s->lost += b->n;
		waiting_drop_first(s);
		s->tries = tries;
		return true;
	} else {
		fault = udp_out_send(s->udp, buf_slice(&b->lines));
	}
	*(fault ? &s->lost : &s->sent) += b->n;
	waiting_drop_first(s);
	if (fault) {
		s->tries = tries;
		trouble(s, fault_text(fault));
		return false;
	}
	s->last_ok_ms = metrics_now_us(s->metrics) / 1000;
	sender_note_trouble(s, NULL);
	return true;
}

static void step(struct sender *s)
{
	const bool udp = s->config.kind == METRICS_STATSD;
	if (s->over || timer_running(&s->retry))
		return;
	if (s->batches.n && udp && !s->udp)
		open_socket(s);
	if (s->batches.n && udp && !s->udp_ready)
		return;
	while (s->batches.n)
		if (!send_first(s))
			return;
	if (s->draining && !s->open)
		sender_over(s);
}

void statsd_begin(struct sender *s)
{
	if (s->config.kind == METRICS_STATSD)
		open_socket(s);
}

void statsd_drain(struct sender *s)
{
	waiting_close(s);
	timer_start(s->metrics->loop, &s->retry, 0, on_retry, s); /* not from in here */
}

void statsd_close_out(struct sender *s)
{
	udp_out_close(s->udp);
	s->udp = NULL;
}
